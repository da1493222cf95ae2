"""What the variants of a patient amount to: read from `genetics` in the patient file, by how many alleles and how sure they are.

    clear       every allele of one gene carries a pathogenic variant
    probable    every allele is affected; at least one variant is only likely pathogenic or of uncertain significance
    uncertain   every allele is affected, by variants of uncertain significance alone; or one such variant was found
    carrier     one allele of two carries a variant that is pathogenic or likely so
    untested    no variant, but not all of the genes were tested
    negative    no variant (or only benign ones), and all of the genes were tested

Zygosity, phase and classification that are not stated leave several of these possible, and then the answer is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from hlhcli.errors import did_you_mean
from hlhcli.patient import Genetics, Variant
from hlhcli.rules import FINDINGS
from hlhcli.yamltree import parse

TABLE = Path(__file__).with_name("genes.yaml")
UNTESTED = "untested"
_SURE, _LIKELY, _OPEN, _NONE = "pathogenic", "likely pathogenic", "VUS", "benign"
_RANK = {_SURE: 0, _LIKELY: 1, _OPEN: 2, _NONE: 3}
_MOST = 5  # variants of one gene, the worst of them; more is no report of a diagnosis


class Genes:
    """The genetics of a patient, as an observed value with what is shown of it."""

    def __init__(self, genetics: Genetics) -> None:
        self.genetics = genetics
        parts = [" ".join(filter(None, (v.gene, v.variant, v.zygosity, v.classification))) for v in genetics.variants]
        tested = ", ".join(genetics.tested)
        self.text = "; ".join(parts) or (f"no variant in {tested}" if tested else "no variant")


@cache
def _table() -> dict[str, Any]:
    table: Any = parse(TABLE.read_bytes(), TABLE.name)
    return {
        alias.casefold(): (gene, "x" in more) for gene, more in table.items() for alias in (gene, *more.get("also", "").split())
    }


def symbols() -> dict[str, str]:
    """The symbol of each gene by every name of it, in small letters."""
    return {alias: str(gene) for alias, (gene, _) in _table().items()}


def symbol(name: str) -> str:
    """The symbol of a gene, by any of its names."""
    found = _table().get(name.strip().casefold())
    return str(found[0]) if found else name.strip().upper()


def _on_x(gene: str) -> bool:
    return bool(_table().get(gene.casefold(), ("", False))[1])


def misprint(genetics: Genetics) -> str | None:
    """What is worth a warning: a gene that two published tables misprint, or one that is probably misspelled."""
    names = {variant.gene.strip().upper() for variant in genetics.variants} | {name.strip().upper() for name in genetics.tested}
    if "STXBP1" in names:
        return "STXBP1 is a gene of epilepsy and a misprint for STXBP2 in two published tables; please check the symbol"
    for variant in genetics.variants:
        if variant.gene.strip().casefold() not in symbols() and (meant := did_you_mean(variant.gene, symbols().values(), 0)):
            return f"{variant.gene} is no gene that any set here reads{meant}"
    return None


def amounts_to(genetics: Genetics, genes: Iterable[str]) -> tuple[frozenset[str], str | None]:
    """What the variants in these genes may amount to (one finding, where all is stated), and what would have to be stated."""
    tested = {symbol(name) for name in genetics.tested} | {symbol(variant.gene) for variant in genetics.variants}
    known: list[set[str]] = []
    for gene in genes:
        variants = [variant for variant in genetics.variants if symbol(variant.gene) == gene]
        none = {"negative" if gene in tested else UNTESTED}
        known.append(_possible(variants, _on_x(gene)) if variants else none)
    best = frozenset(min(chosen, key=FINDINGS.index) for chosen in product(*known))
    return best, _missing(genetics, genes) if len(best) > 1 else None


def _possible(variants: list[Variant], on_x: bool) -> set[str]:
    """What the variants in one gene amount to, by every reading of what is not stated."""
    worst = sorted(variants, key=lambda variant: _RANK[_classes(variant)[0]])[:_MOST]
    readings = (_readings(variant, on_x) for variant in worst)
    return {_amount(alleles) for chosen in product(*readings) for alleles in _alleles(chosen, worst)}


def _classes(variant: Variant) -> list[str]:
    """Each class that the variant may have, the worst first."""
    stated = variant.classification or "unknown"
    return [_SURE, _OPEN] if stated == "unknown" else [_NONE if stated == "likely benign" else stated]


def _readings(variant: Variant, on_x: bool) -> list[tuple[str, int]]:
    """Each class that the variant may have, on one allele or on both."""
    copies = {"homozygous": [2], "hemizygous": [2] if on_x else [1, 2], None: [1, 2], "unknown": [1, 2]}.get(variant.zygosity, [1])
    return [(each, copy) for each in _classes(variant) for copy in copies]


def _alleles(chosen: tuple[tuple[str, int], ...], variants: list[Variant]) -> Iterator[tuple[str, str]]:
    """The worst variant of each of the two alleles, by every arrangement that is possible."""
    compound = [variant.zygosity == "compound heterozygous" for variant in variants]
    for sides in product((0, 1), repeat=len(chosen)):
        found: tuple[list[str], list[str]] = ([_NONE], [_NONE])
        for (each, copies), side in zip(chosen, sides, strict=True):
            for allele in found if copies > 1 else (found[side],):
                allele.append(each)
        taken = {side for side, of_both in zip(sides, compound, strict=True) if of_both}
        if sum(compound) > 1 and len(taken) < len(found):
            continue  # compound heterozygous variants lie on both alleles
        unlisted = [_SURE, _OPEN] if sum(compound) == 1 else [_NONE]  # the second of them is not listed
        for other in unlisted:
            first, second = (
                min([*allele, other] if side not in taken else allele, key=_RANK.__getitem__) for side, allele in enumerate(found)
            )
            yield first, second


def _amount(alleles: tuple[str, str]) -> str:
    affected = [each for each in alleles if each != _NONE]
    if affected.count(_SURE) > 1:
        return "clear"
    if set(affected) == {_OPEN}:
        return "uncertain"
    return "negative" if not affected else "probable" if len(affected) > 1 else "carrier"


def _missing(genetics: Genetics, genes: Iterable[str]) -> str:
    """What is not stated of the variants in these genes."""
    variants = [variant for variant in genetics.variants if symbol(variant.gene) in genes]
    lacks = {
        "the zygosity": any(
            v.zygosity in (None, "unknown") or (v.zygosity == "hemizygous" and not _on_x(v.gene)) for v in variants
        ),
        "the classification": any(v.classification in (None, "unknown") for v in variants),
        "the second variant": sum(v.zygosity == "compound heterozygous" for v in variants) == 1,
        "whether both alleles are affected (then write 'compound heterozygous')": sum(
            v.zygosity == "heterozygous" for v in variants
        )
        > 1,
    }
    names = ", ".join(dict.fromkeys(symbol(variant.gene) for variant in variants))
    return f"{names}: not stated: {' and '.join(fact for fact, lack in lacks.items() if lack)}"

"""What the variants of a patient amount to: read from `genetics` in the patient file, by how many alleles and how sure they are.

clear       both alleles of one gene carry a pathogenic variant
probable    both alleles are affected; at least one variant is only likely pathogenic or of uncertain significance
uncertain   a variant was found, but less than that: one allele, or variants of uncertain significance alone
negative    no variant (or only benign ones) in the genes that were tested
unknown     zygosity, phase or classification are not stated, and could change the answer
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from hlhcli.patient import Genetics, Variant
from hlhcli.yamltree import parse

TABLE = Path(__file__).with_name("genes.yaml")
UNKNOWN = "unknown"
_ORDER = ("clear", "probable", "uncertain", "negative")
_SURE, _LIKELY, _OPEN = "pathogenic", ("likely pathogenic", "VUS"), (None, "unknown")


class Genes(NamedTuple):
    """The genetics of a patient, as an observed value."""

    genetics: Genetics
    text: str


@cache
def _aliases() -> dict[str, str]:
    table: Any = parse(TABLE.read_bytes(), TABLE.name)
    return {alias.casefold(): symbol for symbol, also in table.items() for alias in (symbol, *also.split())}


def symbol(name: str) -> str:
    """The symbol of a gene, by any of its names."""
    return _aliases().get(name.strip().casefold(), name.strip().upper())


def misprint(genetics: Genetics) -> str | None:
    """What is worth a warning: two published tables print a gene that is none of HLH."""
    names = {variant.gene.strip().upper() for variant in genetics.variants} | {name.strip().upper() for name in genetics.tested}
    if "STXBP1" in names:
        return "STXBP1 is a gene of epilepsy and a misprint for STXBP2 in two published tables; please check the symbol"
    return None


def observed(genetics: Genetics) -> Genes:
    """The genetics as a value, with what is shown of them."""
    parts = [
        " ".join(part for part in (symbol(v.gene), v.variant, v.zygosity, v.classification) if part) for v in genetics.variants
    ]
    tested = ", ".join(map(symbol, genetics.tested))
    return Genes(genetics, "; ".join(parts) or (f"no variant in {tested}" if tested else "no variant"))


def amounts_to(genetics: Genetics, genes: Iterable[str]) -> tuple[str, str | None]:
    """The best finding in any of the genes, and why it is not known or not better."""
    found = [
        _gene([v for v in genetics.variants if symbol(v.gene) == gene and v.classification not in ("benign", "likely benign")])
        for gene in genes
    ]
    for finding in ("clear", UNKNOWN, *_ORDER[1:]):
        for amount, note in found:
            if amount == finding:
                return amount, note
    raise ValueError("no gene to look at")


def _gene(variants: list[Variant]) -> tuple[str, str | None]:
    """What the variants in one gene amount to."""
    if not variants:
        return "negative", None
    alleles: list[str | None] = []
    phase = None
    for variant in variants:
        if variant.zygosity in _OPEN and variant.classification not in ("VUS", "likely pathogenic"):
            return UNKNOWN, f"{symbol(variant.gene)}: the zygosity is not stated"
        alleles += [variant.classification] * (2 if variant.zygosity == "homozygous" else 1)
    if len(alleles) > 1 and all(variant.zygosity == "heterozygous" for variant in variants):
        phase = f"{symbol(variants[0].gene)}: whether both alleles are affected is not stated; write 'compound heterozygous' if so"
    if len(alleles) == 1 and variants[0].zygosity == "compound heterozygous":
        return UNKNOWN, f"{symbol(variants[0].gene)}: the second variant is not listed"
    certain = alleles.count(_SURE)
    possible = certain + sum(allele in _OPEN for allele in alleles)
    gene = symbol(variants[0].gene)
    if certain > 1:
        return ("clear", None) if phase is None else (UNKNOWN, phase)
    if possible > 1:
        return UNKNOWN, phase or f"{gene}: the classification is not stated"
    if len(alleles) > 1 and certain and phase is None:
        return "probable", None
    if len(alleles) > 1 and phase is None and "likely pathogenic" in alleles:
        return "probable", f"{gene}: likely pathogenic is not taken as clearly disease-causing"
    note = "one allele; both must be affected" if len(alleles) == 1 else phase or "of uncertain significance"
    return "uncertain", f"{gene}: {note}"

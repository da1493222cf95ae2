"""The phrases in which comparisons are written, and what each means.

ferritin >= 500 ug/L                                  a threshold
triglycerides >= 3.0 mmol/L or >= 265 mg/dL           one cut-off with two printed edges: the one in the reported unit decides
sil2r > 2 ULN                                         twice the laboratory's own upper limit (LLN: the lower one)
splenomegaly                                          a finding that is present
hemophagocytosis in marrow, spleen, lymph node        a finding with one of these values
platelets < 100 10*9/L at baseline                    a comparison with what was observed at the baseline (or: at previous)
ferritin falls >= 25 %                                a change from the baseline, in percent of it
sil2r rises > 2-fold                                  or as a multiple; `from nadir` and `from peak` ask for another start
crp rises from nadir                                  by any amount
ferritin stated normal                                a word where a number is measured; it decides where there is no number
genetics clear in PRF1, UNC13D                        variants in one of these genes
ferritin in ng/mL / esr in mm/h > 21.5                a ratio
-0.003 per 10*9/L of platelets                        a term of a score
"""

from __future__ import annotations

import re
from fractions import Fraction

from hlhcli import observables
from hlhcli.errors import UnknownName
from hlhcli.observables import GENETICS, PSEUDO, Observable, Unit
from hlhcli.quantity import COMPARATORS, BadQuantity, Operator, readings
from hlhcli.rules import FINDINGS, About, At, Change, Edge, Genotype, Leaf, Linear, Present, Ratio, Threshold, Word

LIMITS = {
    name: Unit(name, Fraction(1), apart=f"multiples of the laboratory's {which} limit")
    for name, which in (("ULN", "upper"), ("LLN", "lower"))
}

_THRESHOLD = re.compile(r"(\w+)\s*(?=[<>])")
_EDGE = re.compile(r"(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s+(\S.*)")
_PRESENT = re.compile(r"(\w+)(?:\s+in\s+(.+))?")
# Seldom needed, and compiled only then: every start pays for a pattern.
_GENOTYPE = rf"{GENETICS} ([\w, ]+) in (.+)"
_RATIO = r"(\w+) in (\S+) / (\w+) in (\S+) (<=|>=|<|>) (\d{1,9}(?:\.\d{1,9})?)"
_CHANGE = r"(\w+) (falls|rises)(?: (<=|>=|<|>) (\d{1,5}(?:\.\d{1,3})?)(?<! 0) ?(%|-fold))?(?: from (baseline|nadir|peak|previous))?"
_LEFT: dict[Operator, Operator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}  # what is left, where so much is lost
STARTS: tuple[At, ...] = ("baseline", "nadir", "peak", "previous")
_LONGEST = 600  # characters of a phrase
_LINEAR = r"(-?\d{1,9}(?:\.\d{1,9})?) per (\S.*?) of (\w+)"


def phrase(text: str, about: About) -> Leaf:
    """The comparison that `text` says. Raises BadQuantity or UnknownName, with what to write instead."""
    text = _checked(text)
    if " rises" in text or " falls" in text:
        return _change(text, about)
    if " at " in text:
        return _at(text, about)
    if " stated " in text:
        return _word(text, about)
    if " / " in text and (found := re.fullmatch(_RATIO, text)):
        return _ratio(found, text, about)
    if found := _THRESHOLD.match(text):
        observable = _quantity(found[1])
        edges = tuple(_edge(part, observable) for part in text[found.end() :].split(" or "))
        return Threshold(about, observable.name, edges, text)
    if text.startswith(GENETICS) and (found := re.fullmatch(_GENOTYPE, text)):
        return _genotype(found, text, about)
    if not (found := _PRESENT.fullmatch(text)):
        raise BadQuantity(f"'{text}' is no comparison; write for example 'ferritin >= 500 ug/L' or 'splenomegaly'")
    observable = observables.get(_name(found[1]))
    if observable.name == GENETICS:
        raise BadQuantity(f"write for example '{GENETICS} {FINDINGS[0]} in PRF1, UNC13D'")
    if observable.family is not None:
        raise BadQuantity(f"{observable.name} is a quantity; write for example '{observable.name} >= 1 {observable.conventional}'")
    values = observable.values or ("yes",)
    accepted = frozenset(part.strip() for part in found[2].split(",")) if found[2] else frozenset(values)
    if unknown := accepted - {*values, observable.negative}:
        raise BadQuantity(f"{observable.name} cannot be {', '.join(sorted(unknown))}; values are {', '.join(values)}")
    return Present(about, observable.name, accepted, text)


def stated(name: str, about: About) -> Present:
    """A finding that counts only where it is stated."""
    observable = observables.get(observables.resolve(_checked(name)))
    if observable.family is not None:
        raise BadQuantity(f"{observable.name} is a quantity; 'stated' takes a finding, such as molecular_diagnosis")
    return Present(about, observable.name, frozenset(observable.values or ("yes",)), f"{observable.name} stated", True)


def linear(text: str, about: About) -> Linear:
    """A term such as `-0.003 per 10*9/L of platelets`."""
    text = _checked(text)
    found = re.fullmatch(_LINEAR, text)
    if not found:
        raise BadQuantity(f"'{text}' gives no points; write {{18: immunosuppression}}, or '-0.003 per 10*9/L of platelets'")
    observable = _proportional(_quantity(found[3]))
    return Linear(about, observable.name, Fraction(found[1]), observable.units.require(found[2]), text)


def _checked(text: str) -> str:
    """The phrase with single spaces, if it is no longer than a phrase can be."""
    text = " ".join(text.split())
    if len(text) > _LONGEST:
        raise BadQuantity(f"a phrase of {len(text)} characters is too long (limit {_LONGEST}); write one comparison")
    return text


def _quantity(name: str) -> Observable:
    observable = observables.get(_name(name))
    if observable.family is None:
        raise BadQuantity(f"{observable.name} is a finding; it cannot be compared with a number")
    return observable


def _proportional(observable: Observable) -> Observable:
    if not observable.proportional:
        raise BadQuantity(f"{observable.name} has no natural zero; it cannot be multiplied or divided")
    return observable


def _name(text: str) -> str:
    return text if text in PSEUDO else observables.resolve(text)


def _edge(text: str, observable: Observable) -> Edge:
    found = _EDGE.fullmatch(text.strip())
    if not found and re.fullmatch(r"(<=|>=|<|>)\s*\d+(\.\d+)?", text.strip()):
        raise BadQuantity(f"'{text.strip()}' has no unit; write for example '{text.strip()} {observable.conventional}'")
    if not found:
        raise BadQuantity(
            f"'{text.strip()}' is no cut-off; write an operator, a number and a unit, such as '>= 500 {observable.conventional}'"
        )
    number = readings(found[2])[0].interval.lo
    assert number is not None
    return Edge(COMPARATORS[found[1]], number, LIMITS.get(found[3]) or observable.units.require(found[3]), text.strip())


def _ratio(found: re.Match[str], text: str, about: About) -> Ratio:
    over, under = _proportional(_quantity(found[1])), _proportional(_quantity(found[3]))
    units = over.units.require(found[2]), under.units.require(found[4])
    return Ratio(about, (over.name, under.name), units, COMPARATORS[found[5]], Fraction(found[6]), text)


def _at(text: str, about: About) -> Leaf:
    """A comparison with what was known at another time."""
    body, _, moment = text.rpartition(" at ")
    leaf = phrase(body, about)
    when = next((each for each in STARTS if each == moment), None)
    if when is None or not isinstance(leaf, (Threshold, Present, Word)) or leaf.at:
        raise BadQuantity(f"'{text}' cannot be read; write for example 'ferritin >= 500 ug/L at baseline'")
    return leaf._replace(at=when, text=text)


def _word(text: str, about: About) -> Word:
    name, _, level = text.partition(" stated ")
    if level not in ("normal", "elevated", "low"):
        raise BadQuantity(f"'{text}' cannot be read; write for example 'ferritin stated normal'")
    return Word(about, _quantity(name).name, level, text)


def _change(text: str, about: About) -> Change:
    found = re.fullmatch(_CHANGE, text)
    if not found:
        raise BadQuantity(f"'{text}' is no change; write for example 'ferritin falls >= 25 %', or 'sil2r rises > 2-fold'")
    observable = _proportional(_quantity(found[1]))
    falls = found[2] == "falls"
    against = next((each for each in STARTS if each == found[6]), STARTS[0])
    operator, number = COMPARATORS[found[3] or ">"], Fraction(found[4] or 0)
    if found[5] == "-fold" and number < 1:
        raise BadQuantity(f"'{text}' is no change: a fold is 1 or more; a fall to a half is 'falls >= 2-fold' or 'falls >= 50 %'")
    if found[5] == "%" and falls and number > 100:
        raise BadQuantity(f"'{text}' is no change: nothing falls by more than 100 %")
    if found[5] == "%" or not found[5]:  # falls by a quarter: three quarters are left
        share = 1 - number / 100 if falls else 1 + number / 100
    else:
        share = 1 / number if falls else number
    if falls:
        operator = _LEFT[operator]
    return Change(about, observable.name, falls, operator, share, against, text)


def _genotype(found: re.Match[str], text: str, about: About) -> Genotype:
    from hlhcli.genetics import symbols  # few definitions ask for genes, and every start pays for an import

    findings = frozenset(part.strip() for part in found[1].split(","))
    if not findings <= set(FINDINGS):
        raise BadQuantity(f"genetics cannot be {found[1]}; write one or more of {', '.join(FINDINGS)}")
    genes = [gene.strip() for gene in found[2].split(",")]
    for gene in genes:
        if gene.casefold() not in symbols():
            raise UnknownName("gene", gene, symbols().values())
    return Genotype(about, GENETICS, findings, tuple(symbols()[gene.casefold()] for gene in genes), text)

"""From what a file says of one observable to a value: a quantity, a finding, a word, or the reason why nothing is known."""

from __future__ import annotations

import decimal as decimals
import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, Union

from hlhcli import observables
from hlhcli.errors import did_you_mean, printable
from hlhcli.observables import Observable, Unit, get, likely
from hlhcli.quantity import COMPARATORS, BadQuantity, Decimal, Interval, Measure, NoNumber, fold, readings
from hlhcli.yamltree import Block, JsonNumber

if TYPE_CHECKING:
    from hlhcli.genetics import Genes

Convention = Literal["conventional", "si"]


class Quantity(NamedTuple):
    """A number with its unit, as the interval that is known of it. `reference` is the laboratory's own range, same unit."""

    interval: Interval
    unit: Unit
    text: str
    reference: Interval | None = None


class Finding(NamedTuple):
    """What was found: `yes`, `no`, or named values such as `marrow` or `low`."""

    values: frozenset[str]
    text: str


class Qualitative(NamedTuple):
    """A word where a number is measured (`normal`, `elevated, rising`): shown, decides nothing numeric by itself."""

    text: str

    @property
    def level(self) -> str:
        """`normal`, `elevated` or `low`; empty where only a trend is stated."""
        return next((word for word in self.text.split(", ") if word not in TRENDS), "")

    @property
    def trend(self) -> str:
        """`rising` or `falling`; empty where no trend is stated."""
        return next((word for word in self.text.split(", ") if word in TRENDS), "")


class Missing(NamedTuple):
    """Nothing is known, and why (`not done`, `pending`, `unreadable`, `unknown`, `not stated`)."""

    text: str


Observed: TypeAlias = Union[Quantity, Finding, Qualitative, Missing, "Genes"]
Position: TypeAlias = tuple[int, int]
NOT_STATED = Missing("not stated")
BLANK = ("", "~", "null")
PENDING = "pending"


class Observation(NamedTuple):
    """One observed value, where it stands in the file (line, column), and what was noted beside it."""

    value: Observed
    position: Position | None = None
    note: str | None = None
    doubt: str | None = None  # why the value is hardly possible, and what was probably meant
    day: Fraction | None = None  # of a value that was not observed on the day of the time point, but in its window
    assay: str | None = None  # of the laboratory; values of different assays are not compared with one another


_REASONS = {
    "not done": ["not done", "nd", "n.d.", "na", "n/a", "n.a.", "not sent", "not determined", "not measured", "not tested",
                 "not performed", "not obtained", "not available", "not assessed", "not evaluated", "unable to assess", "tnp",
                 "-", "--", "...", "(blank)"],
    PENDING: ["pending", "awaited", "in progress", "to follow", "sent"],
    "unreadable": ["unreadable", "hemolyzed", "haemolysed", "hemolysed", "haemolyzed", "clotted", "qns", "quantity not sufficient",
                   "specimen hemolyzed", "specimen clotted", "qns - quantity not sufficient", "invalid"],
    "unknown": ["unknown", "unk", "unclear", "?"],
    NOT_STATED.text: ["not stated", "not reported", "not mentioned", "null", "~", "", "none stated"],
}  # fmt: skip
_MISSING = {word: Missing(reason) for reason, words in _REASONS.items() for word in words}
WORDS = tuple(_MISSING)  # that say that nothing is known
YES = frozenset({"yes", "y", "true", "present", "positive", "pos", "+", "detected"})
NO = frozenset({"no", "n", "false", "absent", "negative", "neg", "none", "not detected"})
_WORDS = {
    "normal": ["normal", "wnl", "within normal limits", "within normal range", "not elevated", "not low", "unremarkable"],
    "elevated": ["elevated", "high", "increased", "raised", "markedly elevated"],
    "low": ["low", "decreased", "reduced", "markedly low"],
    "rising": ["rising", "rose", "rebounding", "rebounded", "climbing"],
    "falling": ["falling", "fell", "dropping", "declining"],
}
_SAID_OF_NUMBERS = re.compile(
    r"([~≈]|about|approx\.?|approximately|ca\.?|circa|peak|highest|max\.?|nadir|lowest|min\.?)\s*(\d.*)", re.I
)
_REMARKED = re.compile(r"(\w+)(?:\s*[,;]\s*|\s*\()(\w[\w /.,-]*?)\)?")  # a word, and apart from it what is said beside
_LENGTH = re.compile(r"\b(d|days?|wk|weeks?)$")
BARE = "1"  # the unit of a number that has none
TRENDS = ("rising", "falling")  # words that say where a value goes, and not where it is
_QUALITATIVE = {word: meaning for meaning, words in _WORDS.items() for word in words}


def answered(text: str) -> str | None:
    """`yes` or `no` for a word that says one of them, or None."""
    word = fold(text).casefold()
    return "yes" if word in YES else "no" if word in NO else None


def missing(text: str) -> Missing | None:
    """The reason that `text` gives for a value not being known, or None if it is a value."""
    return _MISSING.get(fold(text).casefold())


_ENTRY = ("value", "unit", "comparator", "reference", "assay", "note")


def scalar(raw: Any) -> str:
    """The text of a scalar, from a file (always text) or from Python. Raises BadQuantity for a mapping or list."""
    if isinstance(raw, Block):
        raise BadQuantity("write the value on one line; quote it if it starts with '>'")
    if isinstance(raw, str):
        return raw.strip()
    if raw is None or isinstance(raw, bool):
        return {None: "null", True: "yes", False: "no"}[raw]
    if isinstance(raw, (dict, list, tuple)):
        raise BadQuantity("expected one value here, not a list or mapping")
    return str(raw)


def read_entry(
    name: str, raw: Any, decimal: Decimal = "point", units: Convention | None = None, unit: str | None = None
) -> tuple[Observed, str | None]:
    """What one entry says: a scalar, a list of sites, or {value, unit, comparator, reference, assay, note}.

    A number without a unit is in `unit`, if that is given. Raises BadQuantity.
    """
    observable = get(name)
    if isinstance(raw, (list, tuple)) and observable.values:
        raw = ", ".join(map(scalar, raw))
    if not isinstance(raw, dict):
        return read(name, scalar(raw), mark_of(raw, decimal), units, unit), None
    for key in raw:
        if key not in _ENTRY and str(key)[:1].isdigit():
            entry = printable(str(key), 40)
            raise BadQuantity(
                f"inside {{ }} a comma separates entries, and '{entry}' is none; write the number without it, or quote it"
            )
        if key not in _ENTRY:
            raise BadQuantity(f"unknown key '{printable(str(key), 40)}'{did_you_mean(str(key), _ENTRY)}")
    note = str(raw.get("note") or "").strip() or None
    part = {key: text for key, value in raw.items() if key not in ("note", "assay") and (text := scalar(value)) not in BLANK}
    decimal = mark_of(raw.get("value"), decimal)
    if observable.family is None and raw.keys() & {"unit", "comparator", "reference", "assay"}:
        raise BadQuantity(f"{name} is a finding; it has no unit, comparator, reference or assay")
    if reason := missing(part.get("value", "")):
        return reason, note
    if "comparator" in part:
        part["comparator"] = fold(part["comparator"])
    if part.get("comparator", "<") not in COMPARATORS:
        raise BadQuantity(f"'{printable(part['comparator'], 40)}' is no comparator; write one of < <= > >=")
    text = f"{part['comparator']} {part['value']}" if "comparator" in part else part["value"]
    if "unit" in part and not qualitative(text):
        value: Observed = quantity(observable, text, decimal, units, part["unit"])
    else:
        value = read(name, text, decimal, units, unit)
    if isinstance(value, Quantity) and not missing(part.get("reference", "")):
        value = value._replace(reference=_reference(observable, part["reference"], value.unit, decimal))
    return value, note


def mark_of(raw: Any, decimal: Decimal) -> Decimal:
    """The decimal mark of a value: that of the file's texts, but a number of JSON or Python always has a point."""
    return "point" if isinstance(raw, (JsonNumber, int, float, decimals.Decimal)) else decimal


def _reference(observable: Observable, text: str, unit: Unit, decimal: Decimal) -> Interval:
    """The laboratory's reference range, in the unit of the value."""
    measure = readings(text, decimal)[0]
    stated = observable.units.require(measure.unit) if measure.unit else unit
    if not stated.convertible(unit):
        raise BadQuantity(f"the reference is in {stated.name}, which cannot be converted into {unit.name}")
    return stated.convert(measure.interval, unit)


def qualitative(text: str) -> Qualitative | None:
    """The word that `text` says of a quantity (`normal`, `elevated, rising`), or None."""
    word = fold(text).casefold()
    if word in _QUALITATIVE:
        return Qualitative(_QUALITATIVE[word])
    parts = [_QUALITATIVE.get(part.strip()) for part in word.replace(" and ", ",").split(",")]
    if None in parts or len(parts) != 2 or len({part in TRENDS for part in parts}) != 2:
        return None
    return Qualitative(", ".join(sorted(filter(None, parts), key=TRENDS.__contains__)))  # elevated, rising


def read(name: str, text: str, decimal: Decimal = "point", units: Convention | None = None, unit: str | None = None) -> Observed:
    """What `text` says of the observable `name`; a bare number is in `unit`, if that is given.

    Raises BadQuantity with what to write instead.
    """
    observable = get(name)
    if observable.family is None:
        return _finding(observable, text)
    found = missing(text) or qualitative(text)
    if found:
        return found
    try:
        return quantity(observable, text, decimal, units, unit)
    except BadQuantity:
        if unit is None:
            raise
        return quantity(observable, text, decimal)  # a value with a unit of its own


def quantity(
    observable: Observable, text: str, decimal: Decimal = "point", units: Convention | None = None, unit: str | None = None
) -> Quantity:
    """`text` as a number with a unit; `unit` is one that was given apart, `units` says what a bare number means."""
    try:
        found = readings(text, decimal)
    except NoNumber as error:
        advice = f"write for example 1 {observable.conventional}, or 'not done', 'pending', 'unknown'"
        if number := _SAID_OF_NUMBERS.fullmatch(text.strip()):
            advice = _beside(number[2], number[1])
        raise BadQuantity(f"{error}; {advice}") from None
    read: list[Quantity] = []
    problem: BadQuantity | None = None
    for measure in found:
        try:
            known = _unit(observable, measure, unit, units)
        except BadQuantity as error:
            problem = problem or error
            continue
        read.append(Quantity(measure.interval, known, f"{measure.text} {known.name}".removesuffix(f" {BARE}")))
    if len(read) > 1:
        ways = " or ".join(f"'{measure.text} {q.unit.name}'" for measure, q in zip(found, read, strict=True))
        raise BadQuantity(f"'{printable(text, 60)}' can be read in two ways; write {ways}")
    if not read:
        raise problem or BadQuantity("no number found")
    return read[0]


def _unit(observable: Observable, measure: Measure, apart: str | None, units: Convention | None) -> Unit:
    if apart is not None:
        if measure.unit and observable.units.find(measure.unit) is not observable.units.require(apart):
            raise BadQuantity("the unit is written twice, and differently")
        return observable.units.require(apart)
    if measure.unit:
        if measure.unit[0] in ",;(" and not observable.units.find(measure.unit):
            raise BadQuantity(
                f"after '{measure.text}' comes '{printable(measure.unit, 40)}'; write one value, and the rest into a note"
            )
        return observable.units.require(measure.unit)
    if units is not None:
        return observable.units.require(observable.conventional if units == "conventional" else observable.si)
    if bare := observable.units.units.get(BARE):
        return bare
    names = dict.fromkeys((observable.conventional, observable.si, *observable.units.units))
    fits = [name for name in names if likely(observable, measure.interval, observable.units.units[name])]
    example = f"{measure.text} {[*fits, observable.conventional][0]}"
    if measure.text[0] in "<>":
        example = f'"{example}"'
    raise BadQuantity(
        f"'{measure.text}' has no unit; write for example {example}"
        + (f" (accepted are {', '.join(observable.units.units)})" if len(observable.units.units) > 1 else "")
    )


def _beside(value: str, remark: str) -> str:
    """How a value is written with what is said of it."""
    return f'write {{value: "{printable(value, 40)}", note: "{printable(remark.strip(), 40)}"}}'


def _finding(observable: Observable, text: str) -> Observed:
    word = fold(text).casefold()
    word = observable.words.get(word, word)
    if word == "absent" and "absent" in observable.values:
        return Finding(frozenset({"absent"}), "absent")
    if observable.negative != "no":  # for these, yes and no would be ambiguous
        found = _named(observable, word) or ({observable.negative} if word in (observable.negative, "wnl") else set())
    elif word in NO:
        found = {"no"}
    elif word in YES:
        found = {observable.default or "yes"}
    else:
        found = _named(observable, word)
    if found:
        return Finding(frozenset(found), "yes" if word in YES else ", ".join(sorted(found)))
    reason = _MISSING.get(word)
    if reason is not None:
        return reason
    if (lasted := f"{observable.name}_duration") in observables.names() and _LENGTH.search(word):
        raise BadQuantity(f"{observable.name} is yes or no; write how long it lasted as {lasted}: 7 d")
    if observable.instead and word[:1].isdigit():
        measured = printable(" ".join(text.split()[:2]), 40)  # without what is said beside it
        raise BadQuantity(f"{observable.name} is yes or no; write a measured value as {observable.instead}: {measured}")
    accepted = (*observable.values, observable.negative) if observable.values else ("yes", "no")
    if observable.default:
        accepted = ("yes", *accepted)
    wrong = f"{observable.name} cannot be '{printable(text, 40)}'"
    said = _REMARKED.fullmatch(text.strip())
    if said and said[1].casefold() in (*accepted, *YES, *NO):
        raise BadQuantity(f"{wrong}; {_beside(said[1], said[2])}")
    others = f"write {', '.join(accepted)}, or 'not done', 'pending', 'unknown'"
    meant = did_you_mean(word, accepted, 0)
    raise BadQuantity(f"{wrong}{meant} Otherwise {others}" if meant else f"{wrong}; {others}")


def _named(observable: Observable, word: str) -> set[str]:
    """The named values that `word` lists (`marrow`, `bone marrow and liver`), or nothing if one of them is unknown."""
    parts = [part.strip() for part in word.replace(" and ", ",").replace("+", ",").replace(";", ",").split(",")]
    found = {observable.words.get(part, part) for part in parts}
    return found if found <= set(observable.values) else set()

"""The elements that the parts of a phenopacket share: fields, terms, units, times and ages. Another form reads as absent."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from hlhcli import observables
from hlhcli.age import in_days, read_age
from hlhcli.errors import printable
from hlhcli.observations import BARE
from hlhcli.quantity import BadQuantity
from hlhcli.readers import codes
from hlhcli.readers.placing import UNDATED

Json = dict[str, Any]
T = TypeVar("T")
UNREADABLE = "a time is stated that cannot be read"
_SHOWN = 120  # characters of a label in a note


def camel(key: str) -> str:
    """The name of a field in camel case: `phenotypic_features` is `phenotypicFeatures`."""
    return re.sub(r"(?<=[a-zA-Z0-9])_+([a-zA-Z0-9])", lambda found: found[1].upper(), key) if "_" in key else key


def fields(node: Any) -> Json:
    """The fields of a message by their names in camel case; null is absent. One that is written twice keeps its second spelling."""
    found: Json = {}
    if isinstance(node, dict):
        for key, value in node.items():
            name = camel(key)
            if value is not None:
                found[key if name in found or (name != key and name in node) else name] = value
    return found


def text(node: Any) -> str:
    """A string or number, as it was written."""
    return node.strip() if isinstance(node, str) else ""


def shown_key(key: str) -> str:
    """The name of a field that is not known here: shown where it looks like one."""
    return key if re.fullmatch(r"\w{1,40}", key, re.ASCII) else f"a name of {len(key)} characters"


class Term(NamedTuple):
    """An ontology class: its CURIE, the short name of its system (empty: not known here), the code in it, and its label."""

    id: str = ""
    system: str = ""
    code: str = ""
    label: str = ""

    @property
    def told(self) -> str:
        """The term in the account of what was not used."""
        if not re.fullmatch(r"[A-Za-z][\w.-]*:\S{1,40}", self.id, re.ASCII):
            return "a term without a code" if not self.id else f"a code of {len(self.id)} characters"
        return f"{self.id} {self.label}".strip()

    def known(self, function: Callable[[str, str], T]) -> T:
        """What the codes of this system say of the term."""
        return function(self.system, self.id if self.system == "hpo" else self.code)


def term(node: Any) -> Term:
    """An OntologyClass."""
    found = fields(node)
    whole = text(found.get("id"))
    prefix, _, code = whole.partition(":")
    return Term(whole, codes.system(prefix) or "" if code else "", code.strip(), printable(text(found.get("label")), _SHOWN))


class Age(NamedTuple):
    """An age in the words of a patient file, the days it may be, and the first whole unit after it."""

    words: str
    low: Fraction
    high: Fraction
    before: str


_NUMBER = r"(\d{1,4}(?:[.,]\d{1,6})?)"
_DURATION = re.compile(
    rf"P(?=[\dT])(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}W)?(?:{_NUMBER}D)?"
    r"(?:T(?=\d)(?:(\d{1,6})H)?(?:\d{1,6}M)?(?:\d{1,6}(?:[.,]\d+)?S)?)?",
    re.ASCII,
)
_UNITS = ("y", "mo", "wk", "d")


def age(node: Any) -> Age | None:
    """An Age (an ISO 8601 duration), in completed units; None where it cannot be read."""
    return _duration(text(fields(node).get("iso8601duration")))


@lru_cache(maxsize=1000)  # the same few ages stand at many features
def _duration(written: str) -> Age | None:
    found = _DURATION.fullmatch(written)
    if not found:
        return None
    stated = [(number.replace(",", "."), unit) for number, unit in zip(found.groups()[:4], _UNITS, strict=True) if number]
    if not stated:  # hours alone are completed days
        stated = [(str(int(found[5] or 0) // 24), "d")]
    if any("." in number for number, _ in stated[:-1]):
        return None
    parts = [part for part in stated if part[0].strip("0.")] or stated[-1:]
    if len(parts) > 1:  # an age of two units is in whole numbers; a third adds less than one of the second
        parts = [(number.partition(".")[0], unit) for number, unit in parts[:2]]
    words = " ".join(f"{number} {unit}" for number, unit in parts)
    try:
        days = in_days(read_age(words))
    except BadQuantity:
        return None
    if days.lo is None or days.hi is None:
        return None
    unit = observables.get(observables.AGE).units.require(parts[0][1])
    return Age(words, days.lo, days.hi, f"<{-(-days.hi // unit.factor)} {unit.name}")


class Time(NamedTuple):
    """A TimeElement: a date or the name of a time point, its place among others, and an age in the words of a patient file."""

    date: str = ""
    timepoint: str = ""
    text: str = ""
    note: str = ""
    age: str = ""
    before: str = ""  # an age that was not reached at this time
    low: Fraction | None = None  # days of age, from which the order follows
    bad: bool = False

    @property
    def told(self) -> str:
        return self.date or self.timepoint

    @property
    def stated(self) -> bool:
        return self.told != UNDATED

    @property
    def order(self) -> tuple[int, Fraction, str]:
        """First what is not placed in time, then by age, then by date."""
        return (2 if self.date else 0 if self.low is None else 1), self.low or Fraction(0), self.date


# The age at which each class of the HPO's onset hierarchy begins: its definition. The order of time points alone is read from it,
# for where a class ends differs between editions.
_ONSETS = {
    "HP:0003577": 0, "HP:0003623": 0, "HP:0003593": 28, "HP:0011463": 365, "HP:0003621": 5 * 365, "HP:0003581": 16 * 365,
    "HP:0011462": 16 * 365, "HP:0003596": 40 * 365, "HP:0003584": 60 * 365,
    "HP:0030674": -300, "HP:0011460": -300, "HP:0011461": -200,
}  # fmt: skip


def time(node: Any) -> Time:
    """A TimeElement. What cannot be read is not placed, and has a note."""
    if node is None:
        return Time(timepoint=UNDATED)
    found = fields(node)
    readers = {
        "age": _at_age,
        "ageRange": _in_range,
        "gestationalAge": _in_gestation,
        "ontologyClass": _in_class,
        "timestamp": moment,
        "interval": _between,
    }
    if len(found) == 1 and (key := next(iter(found))) in readers:
        return readers[key](found[key]) or _UNREAD
    return _UNREAD


_UNREAD = Time(timepoint=UNDATED, note=UNREADABLE, bad=True)


def _at_age(node: Any) -> Time | None:
    found = age(node)
    return found and Time(timepoint=f"at {found.words}", age=found.words, before=found.before, low=found.low)


def _in_range(node: Any) -> Time | None:
    found = fields(node)
    start, end = age(found.get("start")), age(found.get("end"))
    if start is None or end is None or end.high < start.low:
        return None
    words = f"{start.low // 1}-{-(-end.high // 1)} d"
    return Time(timepoint=f"between {start.words} and {end.words}", age=words, before=end.before, low=start.low)


def _in_gestation(node: Any) -> Time | None:
    found = fields(node)
    weeks, days = text(found.get("weeks")), text(found.get("days")) or "0"
    if not re.fullmatch(r"\d{1,2},\d", f"{weeks},{days}", re.ASCII):
        return None
    name = f"at {weeks} wk{f' {days} d' if days != '0' else ''} of gestation"
    return Time(timepoint=name, low=Fraction(int(weeks) * 7 + int(days) - 1000))


def _in_class(node: Any) -> Time | None:
    found = term(node)
    begins = _ONSETS.get(found.id.upper())
    name = found.label or found.id
    return Time(timepoint=printable(name, _SHOWN), low=None if begins is None else Fraction(begins)) if name else None


def moment(node: Any) -> Time | None:
    """A Timestamp: its date as it is written (no zone is applied)."""
    written = text(node)
    found = re.fullmatch(r"(\d{4}-\d{2}-\d{2})(?:[T ]\S{1,40})?", written, re.ASCII)
    try:
        return Time(date.fromisoformat(found[1]).isoformat(), text=written) if found else None
    except ValueError:
        return None


def _between(node: Any) -> Time | None:
    """A TimeInterval, at its start (or its end, where no start is stated)."""
    found = fields(node)
    start, end = (moment(found[key]) if key in found else Time() for key in ("start", "end"))
    if start is None or end is None or not (start.date or end.date):
        return None
    if start.date and end.date:
        between = f"between {start.date} and {end.date}" if start.date != end.date else ""
        return start._replace(note=between) if start.date <= end.date else None
    return start if start.date else end._replace(note=f"until {end.date}")


_AMOUNT = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)


def number(node: Any) -> str:
    """A number, as it was written; empty for what is none, such as NaN."""
    found = text(node)
    return found if _AMOUNT.fullmatch(found) else ""


def unit_text(node: Any) -> str:
    """A unit for people to read: its UCUM code, or what it is called."""
    coded, label = _unit(node)
    return coded or label


def unit_of(node: Any, observable: str) -> str | None:
    """The unit of a value of `observable`, by its UCUM code or by its label; None where they contradict one another."""
    family = observables.get(observable).units
    written = [each for each in _unit(node) if each]
    known = [unit for each in written if (unit := family.find(each) or family.find(re.sub(r"\{[^{}]*\}", "", each) or BARE))]
    if not known:
        return next(iter(written), "")
    return known[0].name if all(unit.same(known[0]) for unit in known) else None


def _unit(node: Any) -> tuple[str, str]:
    found = term(node)
    coded = found.code if found.system == "ucum" else "" if ":" in found.id else found.id
    return coded, found.label

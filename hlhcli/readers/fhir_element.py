"""The elements of FHIR R4 that several resources share. What has another form than FHIR gives it reads as absent.

A library with models of every FHIR resource would take as long to import as a whole check, validate what is never used, and refuse
files that are slightly wrong but clear; a reader of a dozen elements does not, and keeps each number as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from hlhcli import observables
from hlhcli.observations import BARE
from hlhcli.readers import codes

Json = dict[str, Any]
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?$", re.DOTALL | re.ASCII)
_PARTIAL = re.compile(r"(?!0000)\d{4}(?:-(?:0[1-9]|1[0-2]))?$", re.ASCII)


def obj(found: Any) -> Json:
    """An object, or an empty one."""
    return found if isinstance(found, dict) else {}


def items(found: Any) -> list[Json]:
    """The objects of a list."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def text(found: Any) -> str:
    """A string or number, as it was written."""
    return found.strip() if isinstance(found, str) else ""


class Coding(NamedTuple):
    """One code: the short name of its system (empty: not known here), the code, and what it is called."""

    system: str
    code: str
    display: str

    @property
    def told(self) -> str:
        return " ".join(filter(None, (self.system or "code of another system", self.code, self.display)))


def codings(concept: Any) -> list[Coding]:
    """The codes of a CodeableConcept."""
    return [
        Coding(codes.system(text(each.get("system"))) or "", text(each.get("code")), text(each.get("display")))
        for each in items(obj(concept).get("coding"))
        if text(each.get("code"))
    ]


def named(concept: Any) -> str:
    """What a CodeableConcept says for people to read."""
    return text(obj(concept).get("text")) or next((text(each.get("display")) for each in items(obj(concept).get("coding"))), "")


def spoken(concept: Any) -> str:
    """All that a CodeableConcept says, its text, and the name and code of each coding."""
    said = [text(each.get(part)) for each in items(obj(concept).get("coding")) for part in ("display", "code")]
    return " ".join(filter(None, (text(obj(concept).get("text")), *said)))


def told(concept: Any) -> str:
    """A CodeableConcept in the account of what was not used."""
    found = codings(concept)
    return found[0].told if found else "no code"


def status(concept: Any) -> str:
    """The code of a status, which some resources have as a concept and others as a word."""
    return text(concept) or next((each.code for each in codings(concept)), "")


class Local(NamedTuple):
    """What a mapping says of a hospital's own codes: the observable, the unit of a bare number, and what is not to be read."""

    names: Mapping[str, tuple[str, str]] = MappingProxyType({})
    ignored: frozenset[str] = frozenset()

    @staticmethod
    def keys(concept: Any) -> list[str]:
        """How a mapping can name the codes of a concept: with the system, or alone where the system is not known here."""
        found = []
        for each in items(obj(concept).get("coding")):
            system, code = text(each.get("system")), text(each.get("code"))
            found += [f"{system}|{code}", *([code] if codes.system(system) is None else [])]
        return found


class Reference(NamedTuple):
    """What a reference points to: the type of the resource (empty: not said) and its id, or the whole address of another server."""

    type: str
    id: str


def reference(found: Any) -> Reference:
    """A Reference, by its address or its identifier."""
    address = text(obj(found).get("reference")).rstrip("/")
    if "/_history/" in address:
        address = address.split("/_history/")[0]
    if not address:
        identifier = text(obj(obj(found).get("identifier")).get("value"))
        return Reference(text(obj(found).get("type")), identifier)
    if address.startswith("#"):
        return Reference("contained resource", address)
    if address.startswith("urn:"):
        return Reference(text(obj(found).get("type")), address.rsplit(":", 1)[-1])
    kind, _, last = address.rpartition("/")
    kind = kind.rpartition("/")[2]
    return Reference(kind, address if "://" in address else last)


class When(NamedTuple):
    """A moment: the date as it was written (no zone is applied), the last date of a period, and the whole text."""

    date: str = ""
    until: str = ""
    text: str = ""
    partial: str = ""  # a year or month without a day
    note: str = ""
    bad: bool = False


def moment(found: Any) -> When:
    """A dateTime or instant."""
    written = text(found)
    if match := _DATE.match(written):
        try:
            date.fromisoformat(match[1])
        except ValueError:
            return When(text=written, bad=True)
        return When(match[1], text=written)
    return When(text=written, partial=written) if _PARTIAL.match(written) else When(text=written, bad=bool(written))


def period(found: Any) -> When:
    """A Period, at its start (or its end, where no start is stated)."""
    start, end = moment(obj(found).get("start")), moment(obj(found).get("end"))
    if not start.text:
        return end
    if not end.date or not start.date or end.date < start.date:
        return start._replace(bad=start.bad or end.bad or bool(end.date and start.date))
    return start._replace(until=end.date if end.date != start.date else "")


def when(resource: Json, stem: str, otherwise: str = "") -> When:
    """The time of a resource: `stem` with DateTime, Period, Instant or Timing, else `otherwise` (such as `issued`)."""
    for ending in ("DateTime", "Instant"):
        if (written := resource.get(stem + ending)) is not None:
            return moment(written)
    if (written := resource.get(f"{stem}Period")) is not None:
        return period(written)
    if (written := resource.get(f"{stem}Timing")) is not None:
        events = obj(written).get("event")
        return moment(events[0]) if isinstance(events, list) and len(events) == 1 else When(text="timing", bad=True)
    if otherwise and resource.get(otherwise) is not None:
        return moment(resource.get(otherwise))._replace(note=f"time of {otherwise}")
    return When()


_ANNOTATION = re.compile(r"\{[^{}]*\}")
_COMPARATORS = ("<", "<=", ">", ">=")


class Amount(NamedTuple):
    """A Quantity as text, or what is wrong with it."""

    value: str = ""
    unit: str = ""
    wrong: str = ""


def amount(found: Any, observable: str) -> Amount:
    """A Quantity of `observable`; the unit by its UCUM code or by its text, which must not contradict one another."""
    quantity = obj(found)
    number, comparator = text(quantity.get("value")), text(quantity.get("comparator"))
    if not number:
        return Amount(wrong="no value")
    if (comparator and comparator not in _COMPARATORS) or ("comparator" in quantity and not comparator):
        return Amount(wrong="comparator not known here")
    stated = (text(quantity.get(key)) for key in ("system", "code", "unit"))
    unit = _unit(observable, *stated)
    return unit if unit.wrong else Amount(comparator + number, unit.unit)


@lru_cache(maxsize=4096)  # there are many quantities of few units
def _unit(observable: str, system: str, code: str, unit_text: str) -> Amount:
    """The unit of a quantity: by its code, where that is one of UCUM, and by its text."""
    family = observables.get(observable).family
    coded = code if not system or codes.system(system) == "ucum" else ""
    written = [each for each in dict.fromkeys((coded, unit_text)) if each]
    if family is None:
        return Amount(unit=next(iter(written), ""))
    found = [(each, _spelled(family, each)) for each in written]
    if coded and system and found[0][1] is None and len(found) > 1 and found[1][1] is not None:
        return Amount(wrong="unit whose code is not known here")
    known = {unit: unit.name for _, unit in found if unit is not None}
    known = {unit: name for unit, name in known.items() if not any(more.startswith(f"{name} ") for more in known.values())}  # FEU
    if len(known) > 1:
        first, second = known
        if not first.same(second):
            return Amount(wrong="unit and its code contradict one another")
    return Amount(unit=next(iter(known.values()), next(iter(written), "")))


def _spelled(family: observables.Family, text: str) -> observables.Unit | None:
    """The unit that a code or text spells; what stands in braces is part of it (`ng{FEU}/mL`) or says nothing (`{score}`)."""
    bare, marks = _ANNOTATION.sub("", text), "".join(_ANNOTATION.findall(text)).strip("{}")
    coded = [unit for unit in family.units.values() if unit.ucum == text]
    return (
        family.find(text) or family.find(f"{bare} {marks}") or family.find(bare or BARE) or (coded[0] if len(coded) == 1 else None)
    )


def limits(resource: Json, observable: str) -> str:
    """The laboratory's reference range, where the one that applies is clear: `200-900 U/mL`, `<1000`."""
    stated = items(resource.get("referenceRange"))
    ranges = [each for each in stated if not each.get("appliesTo") and not each.get("age") and not each.get("modifierExtension")]
    ranges = [each for each in ranges if status(each.get("type")) in ("", "normal", "recommended")]
    if len(ranges) != 1:
        return ""
    low, high = (amount(ranges[0].get(end), observable) for end in ("low", "high"))
    if low.value and high.value and low.unit == high.unit:
        return f"{low.value}-{high.value} {low.unit}".strip()
    if high.value and not low.value:
        return f"<={high.value} {high.unit}".strip()
    if low.value and not high.value:
        return f">={low.value} {low.unit}".strip()
    return text(ranges[0].get("text"))

"""Which version of a FHIR resource holds, where an input has several: the latest by its time or number, else by the order."""

from __future__ import annotations

from array import array
from datetime import UTC, datetime, timedelta

from hlhcli.readers.fhir_element import Json, obj, text

_CORRECTS = ("corrected", "amended", "entered-in-error", "cancelled")
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_PARTS = 16
_MOST = 10**12  # of a version's number, which is below every time


class Versions:
    """Enters each resource under a serial number, in a few bytes: an input can hold millions."""

    def __init__(self) -> None:
        self._labels = array("q")
        self._keys = array("q")  # of the label and the subject: ids of two patients can be the same by chance
        self._versions = array("q")
        self._corrections: list[int] = []  # places of those that hold for whatever subject

    def enter(self, label: str, subject: str, version: int, corrects: bool) -> int:
        """The serial number of one version of the resource."""
        self._labels.append(hash(label))
        self._keys.append(hash((label, subject)))
        self._versions.append(version)
        if corrects:
            self._corrections.append(len(self._labels) - 1)
        return len(self._labels)

    def outdated(self) -> set[int]:
        """The serial numbers of the versions that another took the place of."""
        old: set[int] = set()
        for places in _shared(self._keys):
            holds = places[0]
            for place in places[1:]:
                holds, other = (holds, place) if self._older(place, holds) else (place, holds)
                old.add(other + 1)
        corrected = {self._labels[place] for place in self._corrections}
        alike: dict[int, list[int]] = {}
        for place, label in enumerate(self._labels) if corrected else ():
            if label in corrected:
                alike.setdefault(label, []).append(place)
        for correction in self._corrections:
            for place in alike[self._labels[correction]]:
                if self._keys[place] != self._keys[correction] and self._precedes(place, correction):
                    old.add(place + 1)
        return old

    def _older(self, later: int, earlier: int) -> bool:
        """True if what comes later in the input is an older version."""
        return 0 < self._versions[later] < self._versions[earlier]

    def _precedes(self, place: int, correction: int) -> bool:
        both = self._versions[place] > 0 and self._versions[correction] > 0
        return self._versions[place] < self._versions[correction] if both else place < correction


def _shared(keys: array[int]) -> list[list[int]]:
    """The places of each key that stands in more than one; looked for in parts, for a million numbers as objects take much room."""
    several: set[int] = set()
    for part in range(_PARTS):
        seen: set[int] = set()
        for key in keys:
            if key % _PARTS == part:
                (several if key in seen else seen).add(key)
    found: dict[int, list[int]] = {}
    for place, key in enumerate(keys) if several else ():
        if key in several:
            found.setdefault(key, []).append(place)
    return list(found.values())


def version(resource: Json) -> int:
    """A number by which versions of a resource are ordered, 0 where neither time nor number is stated."""
    meta = obj(resource.get("meta"))
    return _time(text(meta.get("lastUpdated"))) or _number(text(meta.get("versionId")))


def _time(written: str) -> int:
    try:
        return (datetime.fromisoformat(written).astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return 0


def _number(written: str) -> int:
    return int(written) if written.isdecimal() and len(written) < len(str(_MOST)) else 0


def corrects(resource: Json) -> bool:
    """True for a version that says of itself that the earlier ones do not hold."""
    return text(resource.get("status")) in _CORRECTS

"""What an input says of each person, as text. Every reader makes charts; `draft` makes patient files of them."""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

CSF = "csf_cells"  # the one observable that is not of blood


class Place(NamedTuple):
    """Where something stands in the input, counted from 1, and what it is called there (`Observation/f1`; may be empty).

    `file` is the name of the file, where the input is a folder.
    """

    line: int = 1
    column: int = 1
    label: str = ""
    file: str = ""
    serial: int = 0  # of the resource, where later versions of it may follow


class Fact(NamedTuple):
    """One observed value as text. Numbers have a decimal point and no grouping; what is not stated is empty.

    `date` is year-month-day, `day` one of the course, `timepoint` the input's own name for the time point; all may be empty.
    `until` is the last date of a period in which a finding holds, `time` the moment as it was written. What is `named` has a
    label of its own: a later fact with the same label (and no older `version`) takes its place. What is `unread`, for the reason
    that stands there, has a value that is not known.
    """

    observable: str
    value: str
    unit: str = ""
    reference: str = ""
    assay: str = ""
    note: str = ""
    date: str = ""
    day: str = ""
    timepoint: str = ""
    until: str = ""
    time: str = ""
    place: Place = Place()
    named: bool = False
    version: str = ""
    unread: str = ""
    specimen: str = ""  # by which it can turn out, once all is read, that it was not of blood


class Given(NamedTuple):
    """A treatment that was given. `start` and `stop` are dates or days; `single` is one administration, of which others follow."""

    drug: str
    dose: str = ""
    start: str = ""
    stop: str = ""
    note: str = ""
    single: bool = False
    place: Place = Place()
    requested: bool = False  # and not known to have been given


class Found(NamedTuple):
    """A variant in a gene: zygosity and classification in the words of the patient file, empty where not stated."""

    gene: str
    variant: str = ""
    zygosity: str = ""
    classification: str = ""
    note: str = ""
    place: Place = Place()


class Remark(NamedTuple):
    """Text for the note of a time point: what decides nothing, and should be read."""

    text: str
    date: str = ""
    day: str = ""
    timepoint: str = ""
    place: Place = Place()


class Stated(NamedTuple):
    """What the input reports of a set of criteria: `key` is `verdict`, `count`, `score` or the id of an item."""

    criteria: str
    key: str
    value: str
    date: str = ""
    day: str = ""
    timepoint: str = ""
    place: Place = Place()


@dataclass(slots=True)
class Person:
    """Who: text in the words of the patient file, empty where not stated. `key` tells people apart whose ids are alike."""

    id: str = ""
    key: str = ""
    birth_date: str = ""
    age: str = ""
    onset: str = ""
    sex: str = ""
    place: Place = field(default_factory=Place)
    known: int = 0  # entries of the input that describe the person


class Facts:
    """Facts in the order in which they came, packed: as objects a million of them would not fit into a small machine."""

    __slots__ = ("_packed",)

    def __init__(self) -> None:
        self._packed = bytearray()

    def add(self, fact: Fact) -> None:
        time = fact.time.removeprefix(fact.date)  # which is mostly at its beginning
        packed = marshal.dumps((*fact[:10], time, time != fact.time, *fact.place, *fact[12:]))
        self._packed += len(packed).to_bytes(4, "little")
        self._packed += packed

    def __iter__(self) -> Iterator[Fact]:
        view, at = memoryview(self._packed), 0
        while at < len(view):
            size = int.from_bytes(view[at : at + 4], "little")
            texts = marshal.loads(view[at + 4 : at + 4 + size])
            time = f"{texts[6]}{texts[10]}" if texts[11] else texts[10]
            yield Fact._make((*texts[:10], time, Place(*texts[12:17]), *texts[17:]))
            at += 4 + size

    def __bool__(self) -> bool:
        return bool(self._packed)

    def extend(self, other: Facts) -> None:
        self._packed += other._packed


@dataclass(slots=True)
class Chart:
    """All that an input says of one person."""

    person: Person = field(default_factory=Person)
    facts: Facts = field(default_factory=Facts)
    always: list[Fact] = field(default_factory=list)  # findings that began on `date` (or before) and go on, such as a malignancy
    given: list[Given] = field(default_factory=list)
    tested: list[str] = field(default_factory=list)  # genes
    variants: list[Found] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    stated: list[Stated] = field(default_factory=list)
    outdated: set[int] = field(default_factory=set)  # serials of versions that another took the place of; one set for an input
    foreign: set[str] = field(default_factory=set)  # specimens that are not of blood

    def take(self, other: Chart) -> None:
        """All that another chart of the same person says."""
        self.facts.extend(other.facts)
        known = self.person.known + other.person.known
        self.person = replace(self.person if self.person.known or not other.person.known else other.person, known=known)
        for name in ("always", "given", "tested", "variants", "remarks", "stated"):
            getattr(self, name).extend(getattr(other, name))


class Charts:
    """The charts of an input by person, in the order in which the persons came."""

    def __init__(self) -> None:
        self._of: dict[str, Chart] = {}
        self._aliases: list[tuple[str, str]] = []

    def of(self, person: str) -> Chart:
        """The chart of the person with this id (may be empty: not stated)."""
        chart = self._of.get(person)
        if chart is None:
            chart = self._of[person] = Chart(Person(id=person, key=person))
        return chart

    def __iter__(self) -> Iterator[Chart]:
        return iter(self._of.values())

    @property
    def keys(self) -> list[str]:
        return list(self._of)

    def alias(self, other: str, person: str) -> None:
        """The input calls this person by another key too."""
        if other != person:
            self._aliases.append((other, person))

    def join(self, more: Iterable[tuple[str, str]] = ()) -> None:
        """Bring together what was said of one person under several keys, once everything is read."""
        for other, person in (*self._aliases, *more):
            if other in self._of and person in self._of and other != person:
                self._of[person].take(self._of.pop(other))
            elif other in self._of and other != person:
                self._of[person] = self._of.pop(other)

    def __len__(self) -> int:
        return len(self._of)


def latest(entries: Iterable[Fact]) -> tuple[list[Fact], list[Fact]]:
    """Those that hold, and those that a later one of the same name took the place of."""
    holds: dict[object, Fact] = {}
    replaced: list[Fact] = []
    for number, entry in enumerate(entries):
        key: object = (entry.place.label, entry.observable) if entry.named else number
        known = holds.get(key)
        if known is not None and entry.version and entry.version < known.version:
            replaced.append(entry)
            continue
        if known is not None:
            replaced.append(known)
        holds[key] = entry
    return list(holds.values()), replaced

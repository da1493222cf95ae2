"""The rows of a cohort worked out in plain Python, one person at a time: what every engine must equal.

Each value is read as a patient file reads it, the worst in the window of an anchor is chosen by `worst`, and `assess` decides. Of
values that are equal in every way and of one moment, the one whose text comes first (by code point) is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from hlhcli import age, observables, rules
from hlhcli.assessment import assess
from hlhcli.changes import LEVELS
from hlhcli.fields import duration
from hlhcli.genetics import Genes
from hlhcli.observables import AGE, AGE_AT_ONSET
from hlhcli.observations import (
    PENDING,
    Finding,
    Missing,
    Observation,
    Observed,
    Qualitative,
    Quantity,
    answered,
    missing,
    read_entry,
)
from hlhcli.outcome import Outcome
from hlhcli.patient import Timepoint
from hlhcli.quantity import BadQuantity, Interval, exact_text
from hlhcli.readers import codes
from hlhcli.rules import CriteriaSet, Node
from hlhcli.snapshot import Snapshot
from hlhcli.status import Status
from hlhcli.worst import Dated, extreme, may_be_worse, worst

Time = datetime | date | Fraction | int  # a moment, a day of the calendar, or a count of days
DAY = 86_400_000  # milliseconds
HOUR = DAY // 24
DAILY = "daily"
_EPOCH = datetime(1970, 1, 1)


class Row(NamedTuple):
    """One row of a long table."""

    person_id: str
    time: Time | None
    code: str
    value: str | None
    unit: str | None = None
    reference: str | None = None


class Anchor(NamedTuple):
    """A time at which a person is assessed."""

    person_id: str
    time: Time
    name: str | None = None


class Person(NamedTuple):
    person_id: str
    birth_date: date | None = None
    year_of_birth: int | None = None


class Rejected(NamedTuple):
    """A row, or one of the observables that it states, that cannot be read, and why."""

    row: Row
    reason: str


class Cohort(NamedTuple):
    """One row for each person, anchor and set of criteria; and what was left."""

    rows: list[dict[str, object]]
    rejected: list[Rejected]


class Reading(NamedTuple):
    """One value that was read. The `day` of its observation is in milliseconds here: of a second, a day has no exact decimals."""

    name: str
    millis: int
    observation: Observation
    counted: bool  # its time is a count of days


class Place(NamedTuple):
    """An anchor in time: its own moment, and the last that it takes (a whole day is taken to its end)."""

    anchor: Anchor
    at: int
    until: int

    @property
    def day(self) -> date | None:
        """The day of the calendar; a count of days has none."""
        time = self.anchor.time
        return time.date() if isinstance(time, datetime) else time if isinstance(time, date) else None


def reference(
    rows: Iterable[Row],
    anchors: Sequence[Anchor] | str,
    sets: Sequence[CriteriaSet],
    lookback: str,
    persons: Iterable[Person] = (),
) -> Cohort:
    """The rows that a cohort has. `anchors` may be `daily` or `on:ferritin`; `lookback` is `7d` or `12h`."""
    readings: dict[str, list[Reading]] = {}
    rejected: list[Rejected] = []
    for row in rows:
        found, left = read_row(row)
        readings.setdefault(row.person_id, []).extend(found)
        rejected += left
    places: dict[str, list[Place]] = {}
    for anchor in _days_with(readings, anchors, sets) if isinstance(anchors, str) else anchors:
        places.setdefault(anchor.person_id, []).append(_placed(anchor))
    people = {person.person_id: person for person in persons}
    columns = dict.fromkeys(rules.item_id(item) for criteria in sets for item in criteria.items)
    made = []
    for person_id, here in places.items():
        here.sort(key=lambda place: (place.at, place.until, place.anchor.name or ""))
        course = _Course(here, _in_order(readings.get(person_id, [])), people.get(person_id), lookback)
        made += [course.row(number, criteria, columns) for number in range(len(here)) for criteria in sets]
    return Cohort(made, rejected)


# Time


def millis(time: Time) -> int:
    """Milliseconds since 1970 of the wall-clock time as written; days are counted from there."""
    if isinstance(time, date):
        moment = time if isinstance(time, datetime) else datetime(time.year, time.month, time.day)
        return (moment.replace(tzinfo=None) - _EPOCH) // timedelta(milliseconds=1)
    return round(Fraction(time) * DAY)


def time_of(moment: int, counted: bool) -> datetime | Fraction:
    """The moment again, as a date with its time or as a count of days."""
    return Fraction(moment, DAY) if counted else _EPOCH + timedelta(milliseconds=moment)


def _placed(anchor: Anchor) -> Place:
    at = millis(anchor.time)
    whole = at % DAY == 0 and not isinstance(anchor.time, datetime)
    return Place(anchor, at, at + DAY - 1 if whole else at)


def _begin(place: Place, lookback: str) -> int:
    """The first moment that counts: of whole days the beginning of a day, of hours exactly so many before."""
    length = duration(lookback) * DAY
    assert length.denominator == 1
    if lookback.strip().endswith(("h", "hour", "hours")):
        return place.at - int(length)
    assert length % DAY == 0, "a look-back is of whole days or of hours"
    return place.at // DAY * DAY - int(length)


def _days_with(readings: Mapping[str, list[Reading]], which: str, sets: Sequence[CriteriaSet]) -> list[Anchor]:
    """Each day with a value of what is asked for; on:ferritin, with a ferritin that is not just stated as missing."""
    if which == DAILY:
        names = {name for criteria in sets for name in criteria.asks}
    else:
        names = {observables.resolve(which.removeprefix("on:"))}
    days = {
        (person, one.millis // DAY, one.counted)
        for person, found in readings.items()
        for one in found
        if one.name in names and isinstance(one.observation.value, (Quantity, Finding))
    }
    return [
        Anchor(person, Fraction(day) if counted else (_EPOCH + timedelta(days=day)).date()) for person, day, counted in sorted(days)
    ]


# From a row to what was observed


def read_row(row: Row) -> tuple[list[Reading], list[Rejected]]:
    """What the row states, by each observable that its code stands for; and what cannot be read of it."""
    value = (row.value or "").strip()
    meanings = meant(row.code)
    if row.person_id is None or row.time is None:
        return [], [Rejected(row, "no person" if row.person_id is None else "no time")] if meanings else []
    if value.casefold().lstrip("+-") in ("nan", "inf", "infinity"):
        return [], [Rejected(row, value)] if meanings else []
    if not meanings or not value:
        return [], [Rejected(row, "no value")] if meanings else []
    found, left = [], []
    for each in meanings:
        try:
            observed = _read(each, value, row)
        except _SaysNothing:
            left.append(Rejected(row, "denied, which says nothing of the whole finding"))
            continue
        except BadQuantity as error:  # a value that is there and not known: there may be a worse one than any other
            left.append(Rejected(row, str(error)))
            observed = Missing("unknown")
        moment = millis(row.time)
        counted = not isinstance(row.time, date)
        found.append(Reading(each.name, moment, Observation(observed, day=Fraction(moment)), counted))
    return found, left[:1] if len(left) == len(meanings) else []  # a row counts once, and is left if it says nothing at all


class Meaning(NamedTuple):
    """What a code stands for: an observable; of a laboratory code the kind of unit, of a finding the word that it states."""

    name: str
    kind: str = ""
    word: str = ""
    whole: bool = False  # where the code is denied, the finding is


def meant(code: str) -> list[Meaning]:
    """The observables of a code; of several codings the first that is known counts."""
    if "|" not in code:
        return _plain(code)
    return next((found for each in code.split() if (found := _coding(each))), [])


def _plain(text: str) -> list[Meaning]:
    try:
        return [Meaning(observables.resolve(text.strip()))]
    except ValueError:
        return [Meaning(*known)] if (known := codes.loinc(text)) else []


def _coding(coding: str) -> list[Meaning]:
    system, _, rest = coding.partition("|")
    short, code = codes.system(system), rest.partition("|")[0]
    if short == "hlhcli":
        return _plain(code)
    if short == "loinc":
        return [Meaning(*known)] if (known := codes.loinc(code)) else []
    whole = codes.is_whole(short or "", code)
    return [Meaning(name, "", word, whole) for name, word in codes.findings(short or "", code)]


class _SaysNothing(Exception):
    pass


def _read(of: Meaning, value: str, row: Row) -> Observed:
    """What the value says of the observable. Raises BadQuantity."""
    observable = observables.get(of.name)
    if of.word and (said := answered(value)):
        if said == "no" and not of.whole:
            raise _SaysNothing
        value = of.word if said == "yes" else observable.negative if observable.family is None else "normal"
    if observable.family is None:
        return read_entry(of.name, value)[0]
    entry = {"value": value}
    if unit := (row.unit or "").strip():
        entry["unit"] = codes.qualified(of.kind, of.name, unit)
    found = read_entry(of.name, entry)[0]
    if isinstance(found, Quantity) and not missing(row.reference or ""):
        try:  # limits that cannot be read take nothing from the value
            return read_entry(of.name, entry | {"reference": str(row.reference)})[0]
        except BadQuantity:
            return found
    return found


def _in_order(readings: list[Reading]) -> list[Reading]:
    """By time; of one moment what is not known yet first, then the worse word, then by the text."""

    def key(one: Reading) -> tuple[object, ...]:
        value = one.observation.value
        assert not isinstance(value, Genes)
        rank = 4
        if isinstance(value, Missing):
            rank = {PENDING: 0, "unknown": 1}.get(value.text, 2)
        elif isinstance(value, Qualitative):
            worse = "low" if observables.get(one.name).worse == "low" else "elevated"
            rank = {worse: 0, "": 1, "normal": 2}.get(value.level, 3)
        limits = value.reference if isinstance(value, Quantity) else None
        ends = () if limits is None else tuple((end is None, end or 0) for end in limits[:2])
        return one.millis, rank, value.text, limits is None, ends

    return sorted(readings, key=key)


# What is known at an anchor


class _Course:
    """The anchors of one person, in the order of time."""

    def __init__(self, places: list[Place], readings: list[Reading], person: Person | None, lookback: str) -> None:
        self.places = places
        self.counted = any(one.counted for one in readings) or not isinstance(places[0].anchor.time, date)
        self.ages = [_age(person, place.day) for place in places]
        self.known = [self._known(number, readings, lookback) for number in range(len(places))]

    def _known(self, number: int, readings: list[Reading], lookback: str) -> dict[str, Observation]:
        """The worst of each observable in the window; lasting findings of any time before."""
        place = self.places[number]
        begin, lasting = _begin(place, lookback), codes.lasting()
        inside: dict[str, list[Dated]] = {}
        for one in readings:
            if one.millis <= place.until and (begin <= one.millis or one.name in lasting):
                inside.setdefault(one.name, []).append(Dated(Fraction(one.millis), one.observation))
        for name in lasting.intersection(inside):  # an answer that lasts ends what was pending before it
            last = max((each.day for each in inside[name] if isinstance(each.observation.value, Finding)), default=None)
            inside[name] = [
                each for each in inside[name] if last is None or each.day > last or isinstance(each.observation.value, Finding)
            ]
        known = {name: worst(observables.get(name), found, Fraction(place.at)) for name, found in inside.items()}
        for name, one in list(known.items()):
            if _denied_elsewhen(name, one, known, inside):
                known[name] = Observation(Missing("unknown"))
        for name, stated in ((AGE, self.ages[number]), (AGE_AT_ONSET, self.ages[0])):
            if stated is not None:
                known[name] = Observation(stated)
        return known

    def past(self, number: int, criteria: CriteriaSet) -> dict[str, Observation]:
        """What the criteria ask of the anchors before, by a prefix."""
        found: dict[str, Observation] = {}
        now = self.known[number]
        for when, name in rules.asked_before(criteria.verdict):
            curve = [Dated(Fraction(place), known[name]) for place, known in enumerate(self.known) if name in known]
            one: Observation | None = None
            if when == "baseline":
                one = self.known[0].get(name)
            elif when == "previous":
                one = self.known[number - 1].get(name) if number else None
            elif when == "nadir":
                one = _furthest([each for each in curve if each.day < number], now.get(name), lowest=True)
            elif when == "peak":
                one = _furthest([each for each in curve if each.day <= number], now.get(name), lowest=False)
            if one is not None:
                found[f"{when}.{name}"] = one
        return found

    def row(self, number: int, criteria: CriteriaSet, columns: Iterable[str]) -> dict[str, object]:
        place, known = self.places[number], self.known[number] | self.past(number, criteria)
        of_days = {name: one._replace(day=one.day / DAY) if one.day is not None else one for name, one in known.items()}
        snapshot = Snapshot(Timepoint(name="-"), number, None, place.day, of_days, self.ages[0])
        found = assess(criteria, snapshot)
        score = found.score or Interval(None, None)
        groups = found.groups
        row: dict[str, object] = {
            "person_id": place.anchor.person_id,
            "anchor": place.anchor.name or _text(place.anchor.time),
            "criteria": criteria.id,
            "verdict": found.verdict,
            "met": sum(group.met for group in groups) if groups else None,
            "unknown": sum(group.unknown for group in groups) if groups else None,
            "required": groups[0].required if len(groups) == 1 else None,
            "score_min": score.lo,
            "score_max": score.hi,
            "by": found.by,
            "applicable": found.applicable,
            "anchor_time": time_of(place.at, self.counted),
        }
        for name in columns:
            row |= {name: None, f"{name}_value": None, f"{name}_time": None}
        for part in _outer(found.outcome):
            if any(part.node is item for item in criteria.items):
                row |= self._item(part, known)
        return row

    def _item(self, item: Outcome, known: Mapping[str, Observation]) -> dict[str, object]:
        name, found = rules.item_id(item.node), {}
        for key in deciding(item):
            one = known.get(key)
            if one is not None and isinstance(one.value, (Quantity, Finding)):
                found[key] = one
        asked = [each for each in rules.asked(item.node) if each not in observables.PSEUDO]
        alone = len(asked) < 2 or (len(asked) == 2 and observables.get(asked[0]).instead == asked[1])
        texts = [_shown(one) if alone else f"{key.replace('_', ' ')} {_shown(one)}" for key, one in found.items()]
        last = max((one.day for one in found.values() if one.day is not None), default=None)
        return {
            name: item.status.value,
            f"{name}_value": "; ".join(texts) or None,
            f"{name}_time": None if last is None else time_of(int(last), self.counted),
        }


def _shown(one: Observation) -> str:
    return ", ".join(sorted(one.value.values)) if isinstance(one.value, Finding) else one.value.text


def _denied_elsewhen(name: str, one: Observation, known: Mapping[str, Observation], inside: Mapping[str, list[Dated]]) -> bool:
    """True for a finding that comes and goes, denied on another day than that of a measurement, or at another time of it."""
    observable = observables.get(name)
    instead = observable.instead or ""
    denied = isinstance(one.value, Finding) and one.value.values == {observable.negative}
    if not observable.comes_and_goes or not denied or one.day is None:
        return False
    moments = [
        each.day
        for each in inside.get(instead, ())
        if each.observation.value in (Missing("unknown"), Missing("pending"))
        or may_be_worse(observables.get(instead), each.observation.value)
    ]
    moments = [max(moments)] if moments else []
    measured = known.get(instead)
    if measured is not None and isinstance(measured.value, Quantity) and measured.day is not None:
        moments.append(measured.day)
    return any(_elsewhen(one.day, each) for each in moments)


def _elsewhen(day: Fraction, other: Fraction) -> bool:
    timed = day % DAY and other % DAY  # at midnight no time is stated
    return bool(day // DAY != other // DAY or (timed and day != other))


def _furthest(found: list[Dated], now: Observation | None, lowest: bool) -> Observation | None:
    """The lowest or highest of the values that can be compared with that of now; where there is none now, of the words."""
    if now is None or not isinstance(now.value, Quantity):
        words = [
            each.observation for each in found if isinstance(each.observation.value, Qualitative) and each.observation.value.level
        ]
        return (min if lowest else max)(words, key=lambda one: LEVELS.index(one.value.level), default=None)
    alike = [
        each
        for each in found
        if isinstance(each.observation.value, Quantity) and each.observation.value.unit.convertible(now.value.unit)
    ]
    chosen = extreme(alike, lowest) if alike else None
    return chosen.observation if chosen else None


def _age(person: Person | None, day: date | None) -> Quantity | None:
    """The age on a day; of a year of birth alone, that of anybody who was born in it."""
    if person is None or day is None:
        return None
    if person.birth_date is not None:
        first = last = person.birth_date
    elif person.year_of_birth is not None:
        first, last = date(person.year_of_birth, 1, 1), date(person.year_of_birth, 12, 31)
    else:
        return None
    if day < first:
        return None
    lo = max((day - last).days, 0)
    interval = Interval(Fraction(lo), Fraction((day - first).days + 1), hi_open=True)
    return Quantity(interval, observables.get(AGE).units.first, age.text(interval))


# The value that decides an item


def _outer(outcome: Outcome) -> Iterable[Outcome]:
    yield outcome
    if not outcome.node.about.id:
        for child in outcome.children:
            yield from _outer(child)


def deciding(outcome: Outcome) -> list[str]:
    """The keys of what is known that the status of an item rests on, each once: what was observed, and now."""
    found = dict.fromkeys(key for leaf in _leaves(outcome) for key in _keys(leaf) if key not in observables.PSEUDO)
    asked = [name for name in rules.asked(outcome.node) if name not in observables.PSEUDO]
    if len(asked) == 1 and any(name in _keys(leaf) for leaf in rules.leaves(outcome.node) for name in asked):
        return asked  # an item about one observable shows its value, whatever it decides
    return [name for name in asked if name in found]


def _keys(leaf: Node) -> list[str]:
    if isinstance(leaf, rules.Ratio):
        return list(leaf.observables)
    if isinstance(leaf, (rules.Threshold, rules.Present, rules.Word)) and leaf.at:
        return []
    return rules.asked(leaf)


def _leaves(outcome: Outcome) -> list[Node]:
    node, parts = outcome.node, list(outcome.children)
    if not parts:
        return [node]
    if isinstance(node, rules.Points):
        met = [part for part in parts if part.status is Status.MET]
        parts = met[-1:] or parts
    elif isinstance(node, rules.AtLeast) or (isinstance(node, rules.Logic) and node.kind in ("all", "any")):
        parts = [part for part in parts if part.status is outcome.status]
    elif isinstance(node, rules.Logic) and node.kind == "agree":
        parts = parts[:1]
    elif isinstance(node, rules.Logic) and node.kind == "first_known":
        parts = [part for part in parts if part.status is not Status.UNKNOWN][:1] or parts
    elif isinstance(node, rules.Logic) and node.kind == "if":
        condition, then, otherwise = parts
        if condition.status is Status.MET:
            parts = [then]
        elif condition.status is Status.NOT_MET or then.status is otherwise.status:
            parts = [otherwise]
        else:
            parts = [then, otherwise, condition]
    return [leaf for part in parts for leaf in _leaves(part)]


def _text(time: Time) -> str:
    """An anchor without a name: `2024-01-31`, `2024-01-31 10:30:00`, or the day `3`."""
    if isinstance(time, datetime):
        return time.strftime("%Y-%m-%d %H:%M:%S")
    return time.isoformat() if isinstance(time, date) else exact_text(Fraction(time))

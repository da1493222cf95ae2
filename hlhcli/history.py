"""What was known when: time points and curves in one order, and what a rule may ask of the past."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from itertools import accumulate
from operator import itemgetter
from typing import NamedTuple

from hlhcli import observables
from hlhcli.changes import LEVELS
from hlhcli.observations import Finding, Missing, Observation, Observed, Qualitative, Quantity
from hlhcli.patient import Patient
from hlhcli.quantity import Interval, number_text
from hlhcli.rules import At
from hlhcli.snapshot import Snapshot, moments
from hlhcli.status import Status, any_of
from hlhcli.timeline import Calendar
from hlhcli.worst import STILL, Dated, extreme

Known = dict[str, Observation]


class Instant(NamedTuple):
    """One moment at which something was observed: at a time point, or on a day of a curve (`snapshot` is None).

    What the window of a time point brings from other days is not known there: it is a moment of its own.
    """

    day: Fraction | None
    snapshot: Snapshot | None
    known: Mapping[str, Observation]


def own(instant: Instant) -> Mapping[str, Observation]:
    """What was observed at the moment itself, without what a window or the background brings to a time point."""
    return instant.snapshot.timepoint.observations if instant.snapshot else instant.known


class History:
    """All moments of a patient in their order, with the patient's own values: under a treatment at most what was measured."""

    def __init__(self, patient: Patient, ordered: Sequence[Snapshot]) -> None:
        self.calendar = moments(patient)
        self.instants = _instants(patient, ordered, self.calendar)
        self.places = [place for place, each in enumerate(self.instants) if each.snapshot]  # of the time points
        self._curves: dict[str, list[tuple[int, Observation]]] = {}
        for place, instant in enumerate(self.instants):
            for name, one in instant.known.items():
                self._curves.setdefault(name, []).append((place, one._replace(day=instant.day if one.day is None else one.day)))
        self._treated: dict[str, list[tuple[Fraction | None, Fraction | None]]] = {}
        for therapy in patient.therapies:
            if (treatment := _treatment(therapy.drug)) is not None:
                days = (self.calendar.day(when) if when else None for when in (therapy.start, therapy.stop))
                self._treated.setdefault(treatment, []).append((next(days), next(days)))
        for name, curve in self._curves.items():
            if observables.get(name).raised_by or observables.get(name).lowered_by:
                self._curves[name] = [(place, self._own(name, one, place)) for place, one in curve]
        self._carried: dict[Hashable, list[_Extreme]] = {}
        dated = (place + 1 if each.snapshot and each.day is not None else 0 for place, each in enumerate(self.instants))
        self._dated = list(accumulate(dated, max, initial=0))  # the moment after the last time point before, whose day is known
        self._at: list[Known] = [{} for _ in self.instants]
        for name, curve in self._curves.items():
            for place, one in curve:
                self._at[place][name] = one
        self._looked_back: dict[int, Known] = {place: self._windowed(place) for place in self.places}

    def curve(self, name: str) -> list[tuple[int, Observation]]:
        """Every observation of `name` with the place of its moment."""
        return self._curves.get(name, [])

    def _windowed(self, place: int) -> Known:
        """What the window of a time point brings from other days."""
        snapshot = self.instants[place].snapshot
        found = snapshot.known.items() if snapshot else ()
        return {name: self._own(name, one, place) for name, one in found if snapshot and not _of_the_day(one, snapshot)}

    def past(self, place: int, baseline: int, asked: Iterable[tuple[At, str]], of_the_day: bool = False) -> Known:
        """What is known at `place`, and by a prefix what is `asked` of the past: baseline, previous, nadir since, peak so far.

        With `of_the_day`, a time point does not look back: a value of another day is none of this one.
        """
        known = dict(self._at[place]) | ({} if of_the_day else self._looked_back.get(place, {}))
        for when, name in asked:
            now = known.get(name)
            if when == "baseline":
                found = self._of_baseline(name, baseline)
            elif when == "previous":
                found = next(filter(_says, self._backwards(name, place)), None)
            elif when == "nadir":
                found = self._extreme(name, baseline, place, now, lowest=True).open_ended(lowest=True)
            else:
                before = self._extreme(name, 0, place, now, lowest=False)
                both = _extreme([one for one in (before.one, now) if one is not None], now, lowest=False)
                found = before._replace(one=both).open_ended(lowest=False)
            if found is not None:
                known[f"{when}.{name}"] = found
        return known

    def _of_baseline(self, name: str, place: int) -> Observation | None:
        """The value of a time point, or the last one in its window: a baseline is no peak."""
        instant = self.instants[place]
        own = self._at[place].get(name)
        window = instant.snapshot.timepoint.window if instant.snapshot else None
        if instant.day is None or window is None or (own is not None and _says(own)):
            return own
        for one in self._backwards(name, place):
            if one.day is not None and one.day < instant.day - window:
                break
            if _says(one):
                note = None if one.day in (None, instant.day) else f"day {number_text(one.day)}"
                return one._replace(note="; ".join(filter(None, (one.note, note))) or None)
        return own

    def _backwards(self, name: str, place: int) -> Iterator[Observation]:
        """The observations before the place, the last first."""
        curve = self.curve(name)
        for index in range(bisect_left(curve, place, key=itemgetter(0)) - 1, -1, -1):
            at, one = curve[index]
            if self._precedes(at, place):
                yield one

    def _extreme(self, name: str, since: int, place: int, now: Observation | None, lowest: bool) -> _Extreme:
        """The lowest or highest from a moment on and before the place."""
        if now is None or not isinstance(now.value, Quantity):
            first, last = self._slice(name, since, place)
            before = [one for at, one in self.curve(name)[first:last] if self._precedes(at, place)]
            return _Extreme(_extreme(before, now, lowest), frozenset())
        if self.instants[place].day is not None:
            found = self._carry(name, since, place, now, lowest)
        else:
            certain = self._carry(name, since, self._dated[place], now, lowest)
            after = self._carry(name, max(since, self._dated[place]), place, now, lowest, curves=False)
            found = certain.beside(after, now, lowest)
        return found

    def _carry(self, name: str, since: int, place: int, now: Observation, lowest: bool, curves: bool = True) -> _Extreme:
        """The extreme of what can be compared with the quantity of now, each carried on from the observation before."""
        assert isinstance(now.value, Quantity)
        first, last = self._slice(name, since, place)
        carried = self._carried.setdefault((name, first, lowest, curves, now.value.unit.apart, now.assay), [_NOTHING])
        for at, one in self.curve(name)[first + len(carried) - 1 : last]:
            counts = curves or self.instants[at].snapshot is not None
            found = _Extreme(one, frozenset(filter(None, (one.assay,)))) if counts and _alike(one, now) else _NOTHING
            found = found._replace(more=counts and _may_be_beyond(one.value, lowest))
            carried.append(carried[-1].beside(found, now, lowest))
        return carried[max(last - first, 0)]

    def _slice(self, name: str, since: int, place: int) -> tuple[int, int]:
        """Where the observations from one moment up to another stand in the curve."""
        curve = self.curve(name)
        return bisect_left(curve, since, key=itemgetter(0)), bisect_left(curve, place, key=itemgetter(0))

    def _precedes(self, at: int, place: int) -> bool:
        """True if an earlier moment is certainly before; a day of a curve may come after a time point without a day."""
        return self.instants[place].day is not None or self.instants[at].snapshot is not None or at < self._dated[place]

    def _own(self, name: str, one: Observation, place: int) -> Observation:
        """The patient's own value: at most what was measured where a treatment raised it, at least where one lowered it."""
        observable = observables.get(name)
        under = {each: self._under(place, one.day, each) for each in (*observable.raised_by, *observable.lowered_by)}
        sure = any_of(under.values())
        if sure is Status.NOT_MET or not isinstance(one.value, Quantity):
            return one
        given = next(each for each, status in under.items() if status is sure)
        raised, treatment = given in observable.raised_by, observables.inline(given)
        if sure is Status.MET:
            said = f"under {treatment}: the patient's own is at {'most' if raised else 'least'} that"
        else:
            said = f"whether it is under {treatment} is not known: the patient's own may be {'below' if raised else 'above'} that"
        note = "; ".join(filter(None, (one.note, said)))
        return one._replace(value=_open_ended(one.value, low=raised), note=note)

    def _under(self, place: int, day: Fraction | None, treatment: str) -> Status:
        """Whether the treatment was given on the day on which the value was measured, or shortly before."""
        found = Status.NOT_MET
        for start, stop in self._treated.get(treatment, ()):
            over = stop is not None and day is not None and day > stop + observables.raised_for()
            if over or (start is not None and day is not None and day < start):
                continue
            if start is not None and day is not None:
                return Status.MET
            found = Status.UNKNOWN
        for at, one in self.curve(treatment):
            denied = isinstance(one.value, Finding) and one.value.values == {"no"}
            still = isinstance(one.value, Missing) and one.value.text in STILL
            if at > place or denied or not (still or isinstance(one.value, Finding)):
                continue
            if at == place or (one.day is not None and day is not None and 0 <= day - one.day <= observables.raised_for()):
                if not still:
                    return Status.MET
                found = Status.UNKNOWN
        return found


def _instants(patient: Patient, ordered: Sequence[Snapshot], dated: Calendar) -> list[Instant]:
    """All moments; a day of a curve stands before the time point of the same day, and before one whose day is not known."""
    by_day: dict[Fraction, list[Known]] = {}
    for name, curve in patient.series.items():
        for when, observation in curve.points:
            if (day := dated.day(when)) is not None:
                moments = by_day.setdefault(day, [])
                free = next((known for known in moments if name not in known), None)  # several values of one day are kept
                if free is None:
                    moments.append({name: observation})
                else:
                    free[name] = observation
    left = deque((day, known) for day in sorted(by_day) for known in by_day[day])
    found: list[Instant] = []
    for place, snapshot in enumerate(ordered):
        until = next((each.day for each in ordered[place:] if each.day is not None), None)
        while left and (until is None or left[0][0] < until or left[0][0] == snapshot.day):
            day, known = left.popleft()
            found.append(Instant(day, None, known))
        of_the_day = {name: one for name, one in snapshot.known.items() if _of_the_day(one, snapshot)}
        found.append(Instant(snapshot.day, snapshot, dict(snapshot.timepoint.observations) | of_the_day))
    return found + [Instant(day, None, known) for day, known in left]


def _treatment(drug: str) -> str | None:
    """The treatment among the observables that a therapy is, such as a transfusion; None for another drug."""
    said = f"_{'_'.join(re.findall('[a-z0-9]+', drug.casefold()))}_"
    return next((name for alias, name in _treatments().items() if f"_{alias}_" in said), None)


@cache
def _treatments() -> dict[str, str]:
    """The names of what raises or lowers a value without recovery."""
    known = {each for name in observables.names() for each in (*observables.get(name).raised_by, *observables.get(name).lowered_by)}
    return {alias: name for alias, name in observables.aliases().items() if name in known}


def _of_the_day(one: Observation, snapshot: Snapshot) -> bool:
    """True for what a time point knows of its own day, and not of another one in its window."""
    return one.day is None or one.day == snapshot.day


def _extreme(found: list[Observation], now: Observation | None, lowest: bool) -> Observation | None:
    """The lowest or highest of the values that can be compared with that of now; of words the lowest or highest level."""
    if now is None or not isinstance(now.value, Quantity):
        words = [one for one in found if isinstance(one.value, Qualitative) and one.value.level]
        return (min if lowest else max)(words, key=_height, default=None)
    alike = [Dated(Fraction(0), one) for one in found if _alike(one, now)]
    chosen = extreme(alike, lowest) if alike else None
    return chosen.observation if chosen else None


def _alike(one: Observation, now: Observation) -> bool:
    """True if both are quantities that can be compared."""
    quantities = isinstance(one.value, Quantity) and isinstance(now.value, Quantity) and one.value.unit.convertible(now.value.unit)
    return quantities and (one.assay == now.assay or None in (one.assay, now.assay))


def _says(one: Observation) -> bool:
    """True for what says something of its moment: that a value is not known does, that none was sought does not."""
    return not isinstance(one.value, Missing) or one.value.text in STILL


def _may_be_beyond(value: Observed, lowest: bool) -> bool:
    """True for what is not known, and for a word that does not exclude a lower or higher value than any number."""
    if isinstance(value, Missing):
        return value.text in STILL
    return isinstance(value, Qualitative) and value.level not in (("elevated",) if lowest else ("low", "normal"))


def _open_ended(value: Quantity, low: bool) -> Quantity:
    """At most what was measured, or at least."""
    lo, hi, lo_open, hi_open = value.interval
    return value._replace(interval=Interval(None, hi, hi_open=hi_open) if low else Interval(lo, None, lo_open))


class _Extreme(NamedTuple):
    """The lowest or highest of several observations, and their assays; None for none, and across assays.

    `more`: there are others among them that may be lower or higher, but are not known.
    """

    one: Observation | None
    assays: frozenset[str]
    more: bool = False

    def beside(self, other: _Extreme, now: Observation, lowest: bool) -> _Extreme:
        assays = self.assays | other.assays
        found = [each for each in (self.one, other.one) if each is not None]
        return _Extreme(_extreme(found, now, lowest) if len(assays) <= 1 else None, assays, self.more or other.more)

    def open_ended(self, lowest: bool) -> Observation | None:
        """What is known of it with those that are not known."""
        if self.one is None or not self.more or not isinstance(self.one.value, Quantity):
            return self.one
        return self.one._replace(value=_open_ended(self.one.value, lowest))


_NOTHING = _Extreme(None, frozenset())


def _height(one: Observation) -> int:
    assert isinstance(one.value, Qualitative)
    return LEVELS.index(one.value.level)

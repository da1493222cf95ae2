"""What was known when: time points and curves in one order, and what a rule may ask of the past."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from operator import itemgetter
from typing import NamedTuple

from hlhcli import observables
from hlhcli.changes import LEVELS
from hlhcli.observations import Finding, Missing, Observation, Qualitative, Quantity
from hlhcli.patient import Patient
from hlhcli.quantity import Interval
from hlhcli.rules import At
from hlhcli.snapshot import Snapshot, moments
from hlhcli.timeline import Calendar
from hlhcli.worst import Dated, extreme

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
        for name, curve in self._curves.items():
            if observables.get(name).raised_by or observables.get(name).lowered_by:
                self._curves[name] = [(place, self._own(name, one, place)) for place, one in curve]
        self._alike = {name for name, curve in self._curves.items() if _are_alike([one for _, one in curve])}
        self._extremes: dict[tuple[str, int, bool], list[Observation | None]] = {}
        self._latest: list[Fraction | None] = [None]  # day of the time points before each place
        for each in self.instants:
            days = [day for day in (self._latest[-1], each.day if each.snapshot else None) if day is not None]
            self._latest.append(max(days, default=None))
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
        return {name: self._own(name, one, place) for name, one in found if name not in self._at[place]}

    def past(self, place: int, baseline: int, asked: Iterable[tuple[At, str]], of_the_day: bool = False) -> Known:
        """What is known at `place`, and by a prefix what is `asked` of the past: baseline, previous, nadir since, peak so far.

        With `of_the_day`, a time point does not look back: a value of another day is none of this one.
        """
        known = dict(self._at[place]) | ({} if of_the_day else self._looked_back.get(place, {}))
        for when, name in asked:
            now = known.get(name)
            if when == "baseline":
                found = self._at[baseline].get(name) or self._looked_back.get(baseline, {}).get(name)
            elif when == "previous":
                found = next((one for one in self._backwards(name, place) if not isinstance(one.value, Missing)), None)
            elif when == "nadir":
                found = self._extreme(name, baseline, place, now, lowest=True)
            else:
                found = self._extreme(name, 0, place, now, lowest=False)
                found = _extreme([one for one in (found, now) if one is not None], now, lowest=False)
            if found is not None:
                known[f"{when}.{name}"] = found
        return known

    def _backwards(self, name: str, place: int) -> Iterator[Observation]:
        """The observations before the place, the last first."""
        curve = self.curve(name)
        for index in range(bisect_left(curve, place, key=itemgetter(0)) - 1, -1, -1):
            at, one = curve[index]
            if self.instants[place].day is not None or self._precedes(at, place):
                yield one

    def _extreme(self, name: str, since: int, place: int, now: Observation | None, lowest: bool) -> Observation | None:
        """The lowest or highest from a moment on and before the place."""
        curve = self.curve(name)
        first, last = (bisect_left(curve, each, key=itemgetter(0)) for each in (since, place))
        if self.instants[place].day is None or name not in self._alike or not isinstance(now and now.value, Quantity):
            found = [one for at, one in curve[first:last] if self.instants[place].day is not None or self._precedes(at, place)]
            return _extreme(found, now, lowest)
        carried = self._extremes.setdefault((name, since, lowest), [None])  # of the first observations, as many as the place
        for _, one in curve[first + len(carried) - 1 : last]:
            carried.append(_extreme([each for each in (carried[-1], one) if each is not None], now, lowest))
        return carried[max(last - first, 0)]

    def _precedes(self, at: int, place: int) -> bool:
        """True if a moment is certainly before a time point without a day, which a day of a curve may come after."""
        if self.instants[at].snapshot is not None:
            return True
        day, latest = self.instants[at].day, self._latest[place]
        return day is not None and latest is not None and day <= latest

    def _own(self, name: str, one: Observation, place: int) -> Observation:
        """The patient's own value: at most what was measured where a treatment raised it, at least where one lowered it."""
        observable = observables.get(name)
        given = next((each for each in (*observable.raised_by, *observable.lowered_by) if self._given(place, one.day, each)), None)
        if given is None or not isinstance(one.value, Quantity):
            return one
        lo, hi, lo_open, hi_open = one.value.interval
        raised = given in observable.raised_by
        interval = Interval(None, hi, hi_open=hi_open) if raised else Interval(lo, None, lo_open)
        note = f"under {observables.inline(given)}: the patient's own is at {'most' if raised else 'least'} that"
        return one._replace(value=one.value._replace(interval=interval), note="; ".join(filter(None, (one.note, note))))

    def _given(self, place: int, day: Fraction | None, treatment: str) -> bool:
        """True if the treatment was given on the day on which the value was measured, or shortly before."""
        for at, found in self.curve(treatment):
            if at > place or not isinstance(found.value, Finding) or found.value.values == {"no"}:
                continue
            if at == place or (found.day is not None and day is not None and 0 <= day - found.day <= observables.raised_for()):
                return True
        return False


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
        of_the_day = {name: one for name, one in snapshot.known.items() if one.day is None or one.day == snapshot.day}
        found.append(Instant(snapshot.day, snapshot, of_the_day))
    return found + [Instant(day, None, known) for day, known in left]


def _extreme(found: list[Observation], now: Observation | None, lowest: bool) -> Observation | None:
    """The lowest or highest of the values that can be compared with that of now; of words the lowest or highest level."""
    if now is None or not isinstance(now.value, Quantity):
        words = [one for one in found if isinstance(one.value, Qualitative) and one.value.level]
        return (min if lowest else max)(words, key=_height, default=None)
    alike = [
        Dated(Fraction(0), one)
        for one in found
        if isinstance(one.value, Quantity)
        and one.value.unit.convertible(now.value.unit)
        and (one.assay == now.assay or None in (one.assay, now.assay))
    ]
    chosen = extreme(alike, lowest) if alike else None
    return chosen.observation if chosen else None


def _are_alike(curve: list[Observation]) -> bool:
    """True if all numbers of a curve can be compared with one another."""
    units = {one.value.unit.apart for one in curve if isinstance(one.value, Quantity)}
    return len(units) <= 1 and len({one.assay for one in curve} - {None}) <= 1


def _height(one: Observation) -> int:
    assert isinstance(one.value, Qualitative)
    return LEVELS.index(one.value.level)

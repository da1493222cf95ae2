"""The time that a time point looks back over: of each curve the worst value in it, and the day on which it was observed.

A curve is put in the order of time once. Of a window only those values are compared that can decide, or be named in a note, so that
many windows over a long curve cost little more than the curve.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from math import lcm
from typing import Any, NamedTuple, TypeAlias

from hlhcli import observables
from hlhcli.entries import Series
from hlhcli.observables import Observable
from hlhcli.observations import NOT_STATED, Finding, Missing, Observation, Quantity
from hlhcli.patient import Patient, Timepoint
from hlhcli.quantity import exact_text
from hlhcli.timeline import Calendar
from hlhcli.worst import STILL, Dated, End, ends, may_be_worse, worst

_Whole: TypeAlias = tuple[bool, int, bool]


class Windows:
    """The curves of a patient, for all windows over them."""

    def __init__(self, patient: Patient, dated: Calendar) -> None:
        self.curves = {name: _Curve(observables.get(name), curve, dated) for name, curve in patient.series.items()}

    def look_back(self, timepoint: Timepoint, day: Fraction | None, known: dict[str, Observation]) -> None:
        """Put into `known` the worst value of each curve, and of the time point itself, in the window of the time point.

        A value of the first day of the window counts, as does one of the time point's own day.
        """
        if day is None or timepoint.window is None:
            return
        for name, curve in self.curves.items():
            if found := curve.worst(day - timepoint.window, day, known.get(name)):
                known[name] = found
        known |= {name: one._replace(day=day) for name, one in known.items() if one.day is None and isinstance(one.value, Quantity)}
        for name, one in list(known.items()):
            observable = observables.get(name)
            denied = isinstance(one.value, Finding) and one.value.values == {observable.negative}
            if not observable.comes_and_goes or observable.instead is None or not denied:
                continue
            measured = known.get(observable.instead)
            days: list[Fraction | None] = (
                [_day(measured, day)] if measured is not None and isinstance(measured.value, Quantity) else []
            )
            if beside := self.curves.get(observable.instead):
                days.append(beside.left_open(day - timepoint.window, day))
            if any(each not in (None, _day(one, day)) for each in days):  # the denial of one day says nothing of another
                note = f"{one.value.text} on day {exact_text(_day(one, day))}; {observable.instead} was measured on another day"
                known[name] = one._replace(value=Missing("unknown"), note=note)


def _day(one: Observation, day: Fraction) -> Fraction:
    return day if one.day is None else one.day


class _Point(NamedTuple):
    place: int  # in the file
    dated: Dated


class _Curve:
    """One curve in the order of time, and within a day in that of the file."""

    def __init__(self, observable: Observable, curve: Series, dated: Calendar) -> None:
        self.observable = observable
        placed = ((place, dated.day(when), one) for place, (when, one) in enumerate(curve.points))
        points = [_Point(place, Dated(day, one)) for place, day, one in placed if day is not None]
        points.sort(key=lambda each: each.dated.day)
        groups: dict[Hashable, list[_Point]] = {}
        for point in points:
            value = point.dated.observation.value
            groups.setdefault(None if isinstance(value, Quantity) else value, []).append(point)
        measured = groups.pop(None, [])
        self.measured = _Measured(measured, observable.decides == "low") if measured else None
        self.said = [_Said(group) for group in groups.values()]  # each finding, word, or reason why nothing is known

    def worst(self, start: Fraction, day: Fraction, own: Observation | None) -> Observation | None:
        """The worst from `start` to `day`, the time point's own value included; None where the curve says nothing of that time."""
        number = 0
        telling: list[_Point] = []
        for part in (*([self.measured] if self.measured else []), *self.said):
            first, last = bisect_left(part.days, start), bisect_right(part.days, day)
            if first < last:
                telling += part.telling(first, last, day)
                number += (last - first) * part.counts(self.observable)
        if not telling:
            return None
        found = [each.dated for each in sorted(telling, key=lambda each: each.place)]
        if own is not None and own.value != NOT_STATED:
            found.append(Dated(day, own))
            number += isinstance(own.value, Finding if self.observable.family is None else Quantity)
        return worst(self.observable, found, day, number)

    def left_open(self, start: Fraction, day: Fraction) -> Fraction | None:
        """The last day from `start` to `day` of a value that may be worse than any that is known."""
        found = [
            part.days[last - 1]
            for part in self.said
            if (last := bisect_right(part.days, day)) and part.days[last - 1] >= start and part.is_open(self.observable)
        ]
        return max(found, default=None)


class _Part(ABC):
    """Points of a curve that are compared in the same way."""

    def __init__(self, points: list[_Point]) -> None:
        self.points = points
        self.days = [each.dated.day for each in points]

    @abstractmethod
    def telling(self, first: int, last: int, day: Fraction) -> Iterable[_Point]:
        """Those from `first` and before `last` that the worst of them, and what is said of it, follows from."""

    def counts(self, observable: Observable) -> bool:
        """True for values of which the worst is sought; the others only say what is not known."""
        return isinstance(self.points[0].dated.observation.value, Finding if observable.family is None else Quantity)


class _Said(_Part):
    """The points of a curve that say the same without a number."""

    def __init__(self, points: list[_Point]) -> None:
        super().__init__(points)
        self.earliest = _Highest([-each.place for each in points])

    def is_open(self, observable: Observable) -> bool:
        """True for what is not known, and for a word for a worse value than any number beside it."""
        value = self.points[0].dated.observation.value
        return value.text in STILL if isinstance(value, Missing) else may_be_worse(observable, value)

    def telling(self, first: int, last: int, day: Fraction) -> Iterable[_Point]:
        """The first in the file, and that of the last day."""
        return [self.points[at] for at in {self.earliest.among(first, last), bisect_left(self.days, self.days[last - 1])}]


class _Measured(_Part):
    """The numbers of a curve."""

    def __init__(self, points: list[_Point], lowest: bool) -> None:
        super().__init__(points)
        values = [value for each in points if isinstance(value := each.dated.observation.value, Quantity)]
        known = _whole([ends(value, values[0].unit, lowest) for value in values])
        self.worst = _Highest([(*both, day) for both, day in zip(known, _order(self.days), strict=True)])
        self.beyond = _Highest([end for _, end in known])
        self.limits = [at for at, value in enumerate(values) if value.reference]
        self.first_limits = _Highest([-points[at].place for at in self.limits])
        assays = [each.dated.observation.assay for each in points]
        self.assays = _Kinds([(at, assay) for at, assay in enumerate(assays) if assay is not None])
        self.scales = _Kinds([(at, value.unit.apart) for at, value in enumerate(values)])

    def telling(self, first: int, last: int, day: Fraction) -> Iterable[_Point]:
        """The worst, what may be beyond it, the first of its day and of the window's, limits, and what cannot be compared."""
        worst = self.worst.among(first, last)
        found = {worst, self.beyond.among(first, last), bisect_left(self.days, self.days[worst])}
        found |= {*self.assays.two(first, last), *self.scales.two(first, last)}
        if (of_the_day := bisect_left(self.days, day)) < last:
            found.add(of_the_day)
        begin, end = bisect_left(self.limits, first), bisect_left(self.limits, last)
        if begin < end:
            found.add(self.limits[self.first_limits.among(begin, end)])
        return [self.points[at] for at in found]


def _whole(known: list[tuple[End, End]]) -> list[tuple[_Whole, _Whole]]:
    """The same ends in whole numbers of one fraction, which are compared much faster."""
    scale = lcm(*{end.denominator for both in known for _, end, _ in both})

    def whole(one: End) -> _Whole:
        return one[0], one[1].numerator * (scale // one[1].denominator), one[2]

    return [(whole(lo), whole(hi)) for lo, hi in known]


def _order(days: list[Fraction]) -> Iterable[int]:
    """For each of the days, which rise, the number of those before it."""
    return accumulate((later != earlier for earlier, later in pairwise(days)), initial=0)


class _Highest:
    """Of any part of a list the place of the highest, of several the first: looked up, after a preparation of n log n."""

    def __init__(self, keys: Sequence[Any]) -> None:
        self.places = sorted(range(len(keys) - 1, -1, -1), key=keys.__getitem__)  # from the lowest on, of equal ones the last
        ranks = [0] * len(keys)
        for rank, place in enumerate(self.places):
            ranks[place] = rank
        self.rows = [ranks]  # the highest rank of 1, 2, 4, ... elements from each place on
        width = 1
        while 2 * width <= len(keys):
            row = self.rows[-1]
            self.rows.append(list(map(max, row, row[width:])))
            width *= 2

    def among(self, first: int, last: int) -> int:
        """The place of the highest from `first` and before `last`: the two longest parts that cover it are looked at."""
        power = (last - first).bit_length() - 1
        row = self.rows[power]
        return self.places[max(row[first], row[last - (1 << power)])]


class _Kinds:
    """Places and the kind of each: whether any part of a list holds two kinds."""

    def __init__(self, found: list[tuple[int, Hashable]]) -> None:
        self.places = [place for place, _ in found]
        self.others = [len(found)] * len(found)  # the next one of another kind
        for at in range(len(found) - 2, -1, -1):
            self.others[at] = self.others[at + 1] if found[at][1] == found[at + 1][1] else at + 1

    def two(self, first: int, last: int) -> list[int]:
        """The first place from `first` and before `last`, and the next one of another kind."""
        at = bisect_left(self.places, first)
        found = [at, self.others[at]] if at < len(self.places) else []
        return [self.places[each] for each in found if each < len(self.places) and self.places[each] < last]

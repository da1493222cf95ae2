"""Lines of therapy on the time axis: what belongs together, when it began, and with which time point it is compared."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

from hlhcli.patient import Patient, Therapy
from hlhcli.quantity import exact_text
from hlhcli.snapshot import Snapshot
from hlhcli.timeline import Calendar


class Placed(NamedTuple):
    """A therapy, and the days on which it began and ended as far as they are stated."""

    therapy: Therapy
    start: Fraction | None
    stop: Fraction | None


class Line(NamedTuple):
    """Drugs that are one line of therapy. `baseline` is the place of a time point, and `span` those of the time points after it.

    Without a baseline, `why_not` says why there is none.
    """

    name: str
    placed: tuple[Placed, ...]
    start: Fraction | None
    stop: Fraction | None
    baseline: int | None
    span: tuple[int, ...]
    why_not: str | None
    chosen: bool  # the file names the baseline
    guessed: bool  # that these drugs are one line follows from the time points alone
    until: Fraction | None  # when the next line began

    @property
    def length(self) -> Fraction | None:
        """The days from start to stop."""
        return None if self.start is None or self.stop is None else self.stop - self.start

    @property
    def last(self) -> int:
        """The place of the last time point of the line."""
        return max(self.span, default=self.baseline or 0)

    @property
    def drugs(self) -> str:
        return " + ".join(dict.fromkeys(each.therapy.drug for each in self.placed))


def placed(patient: Patient, calendar: Calendar) -> tuple[Placed, ...]:
    """All therapies in the order in which they began; those without a day come last."""
    found = [Placed(each, calendar.day(each.start), calendar.day(each.stop)) for each in patient.therapies]
    return tuple(sorted(found, key=lambda each: (each.start is None, each.start or Fraction(0))))


def lines(patient: Patient, calendar: Calendar, ordered: Sequence[Snapshot]) -> tuple[Line, ...]:
    """The lines of therapy. Drugs that do not name theirs are one line if the same time point comes before them."""
    days = _Days(ordered)
    groups: dict[tuple[str, str | int], list[Placed]] = {}
    for each in placed(patient, calendar):
        if each.therapy.line:
            groups.setdefault(("named", each.therapy.line.casefold()), []).append(each)
        elif each.start is not None:
            before = days.last_before(each.start)
            groups.setdefault(("after", -1 if before is None else before), []).append(each)
        else:
            groups.setdefault(("start not stated", 0), []).append(each)
    starts = [(min((one.start for one in group if one.start is not None), default=None), group) for group in groups.values()]
    starts.sort(key=lambda each: (each[0] is None, each[0] or Fraction(0)))
    moments = sorted({start for start, _ in starts if start is not None})
    bases = [_baseline(group, start, days) for start, group in starts]
    found = []
    for number, (start, group) in enumerate(starts):
        place, why_not, named = bases[number]
        later = [base for base, _, _ in bases[number + 1 :] if base is not None and place is not None and base > place]
        end = min(later, default=len(ordered) - 1)
        stops = [one.stop for one in group]
        stop = max((each for each in stops if each is not None), default=None) if None not in stops else None
        name = group[0].therapy.line or (f"line {number + 1}" if start is not None else "line of unknown place")
        guessed = not group[0].therapy.line and len({one.start for one in group}) > 1
        until = moments[at] if start is not None and (at := bisect_right(moments, start)) < len(moments) else None
        span = () if place is None else _span(ordered, range(place + 1, end + 1), start, until)
        found.append(Line(name, tuple(group), start, stop, place, span, why_not, named, guessed, until))
    return tuple(found)


def _span(ordered: Sequence[Snapshot], places: range, start: Fraction | None, until: Fraction | None) -> tuple[int, ...]:
    """The time points of a line; of those after another line began only the first."""
    found = [at for at in places if _not_before(ordered[at].day, start)]
    after = [at for at in found if until is not None and (day := ordered[at].day) is not None and day > until]
    return tuple(at for at in found if at not in after[1:])


def _not_before(day: Fraction | None, start: Fraction | None) -> bool:
    return day is None or start is None or day >= start


_FIRST = ("first", "first line", "first-line", "1", "1st", "1st line", "line 1", "induction")
_LATER = (
    "second",
    "third",
    "fourth",
    "2",
    "3",
    "4",
    "salvage",
    "rescue",
    "maintenance",
    "at recurrence",
    "recurrence",
    "relapse",
    "line ",
)


def first_of(found: Sequence[Line]) -> Line | None:
    """The first line of therapy: the one that is named so, else the earliest, if it is not named as a later one.

    None where a line without a start may be earlier.
    """
    names = {id(line): (line.placed[0].therapy.line or "").casefold() for line in found}
    named = next((line for line in found if names[id(line)] in _FIRST), None)
    if named or not found or any(line.start is None for line in found):
        return named
    return None if names[id(found[0])].startswith(_LATER) else found[0]


class _Days:
    """The places of the time points by name, and by day where that is known."""

    def __init__(self, ordered: Sequence[Snapshot]) -> None:
        self.named: dict[str, int] = {}
        for at, each in enumerate(ordered):
            self.named.setdefault(each.timepoint.name, at)
        found = sorted((each.day, at) for at, each in enumerate(ordered) if each.day is not None)
        self.days, self.places = [day for day, _ in found], [at for _, at in found]
        self.last = list(accumulate(self.places, max))  # of the places up to each day

    def last_before(self, start: Fraction) -> int | None:
        """The last time point before the day, or the first of that day: the others may be after the drug."""
        at = bisect_left(self.days, start)
        if at < len(self.days) and self.days[at] == start:
            return self.places[at]
        return self.last[at - 1] if at else None


def _baseline(group: list[Placed], start: Fraction | None, known: _Days) -> tuple[int | None, str | None, bool]:
    """The place of the baseline, or why there is none; and whether the file names it."""
    wanted = next((one.therapy.baseline for one in group if one.therapy.baseline), None)
    if wanted is not None:
        return known.named[wanted], None, True
    if start is None:
        return None, "the day on which it began is not stated", False
    place = known.last_before(start)
    if place is None:
        return None, f"no time point on or before day {exact_text(start)}, when it began", False
    return place, None, False

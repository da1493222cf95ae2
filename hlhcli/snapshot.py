"""What is known at each time point: its own observations, the background, and the patient's age then. Nothing is carried on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from hlhcli import age, observables
from hlhcli.observations import NOT_STATED, Missing, Observation, Quantity
from hlhcli.patient import Patient, Timepoint
from hlhcli.quantity import Interval, exact_text
from hlhcli.status import Status
from hlhcli.timeline import Calendar, calendar, disagree

if TYPE_CHECKING:
    from hlhcli.window import Windows

_Moment = TypeVar("_Moment", Fraction, date)

FIRST_IS_ONSET = "age at the first time point, taken as that at onset; write patient: {onset: …} if it began earlier"


class Snapshot(NamedTuple):
    """One time point: where it lies in the course, and what is known there by the name of the observable."""

    timepoint: Timepoint
    place: int  # in the file
    day: Fraction | None
    date: date | None
    known: Mapping[str, Observation]
    last_age: Quantity | None = None  # at the last time point up to this one at which it is known

    @property
    def of_other_days(self) -> dict[str, str]:
        """The day of what its window brought from another one, to be shown behind the value: ` (day -3)`."""
        other = {name: one.day for name, one in self.known.items() if one.day is not None and one.day != self.day}
        return {name: f" (day {exact_text(day)})" for name, day in other.items()}


def snapshots(patient: Patient) -> tuple[list[Snapshot], list[str]]:
    """The time points in the order of time, and what is worth a warning about their order, age and background.

    The order is by date or day where every time point can be placed, else as in the file.
    """
    timepoints = patient.timepoints
    dated = moments(patient)
    days = [dated.day(timepoint) for timepoint in timepoints]
    warnings = []
    if disagree(timepoints, dated):
        warnings.append("days and dates disagree between time points; each time point's day is used")
    if not patient.series and any(timepoint.window is not None for timepoint in timepoints):
        warnings.append("a window looks back at curves, and none stand under 'series:'; other time points are not looked at")
    warnings += _unplaced(patient, dated) if patient.therapies or patient.series else []
    order = list(range(len(days)))
    if all(day is not None for day in days):
        order.sort(key=lambda index: days[index] or Fraction(0))
        if order != sorted(order):
            warnings.append("the time points run backwards in the file; they are shown in the order of time")
    elif _backwards([t.day for t in timepoints]) or _backwards([t.date for t in timepoints]):
        warnings.append("the time points run backwards, but not all can be placed in time: the order is that of the file")
    ages = _ages(patient, order, days, dated)
    always = _always(patient, ages[order[0]], warnings)
    if patient.patient.birth_date and not any(ages):
        warnings.append("the age is unknown: there is a birth date, but no time point with a date after it")
    result = []
    last_age: Quantity | None = None
    windows: Windows | None = None
    for index in order:
        timepoint = timepoints[index]
        known = _known(patient, timepoint, warnings)
        if timepoint.window is not None:
            from hlhcli.window import Windows  # few patients have curves, and every start pays for an import

            windows = windows or Windows(patient, dated)
            windows.look_back(timepoint, days[index], known)
        if stated := ages[index]:
            known[observables.AGE] = Observation(stated)
        known |= always
        last_age = stated if stated and stated.interval.hi is not None else last_age
        result.append(Snapshot(timepoint, index, days[index], timepoint.date, known, last_age))
    return result, warnings


def _unplaced(patient: Patient, dated: Calendar) -> list[str]:
    """What has a moment that cannot be placed in the course."""
    named = [(each.drug, when) for each in patient.therapies for when in (each.start, each.stop) if when]
    named += [(name, when) for name, curve in patient.series.items() for when, _ in curve.points]
    lost = dict.fromkeys(name for name, when in named if dated.day(when) is None)
    say = "has a date where the time points count days: write both for one time point, or it cannot be placed"
    return [f"{name} {say}" for name in lost]


def moments(patient: Patient) -> Calendar:
    """The calendar of the patient's course."""
    others = (each for therapy in patient.therapies for each in (therapy.start, therapy.stop) if each)
    return calendar(patient.timepoints, (*others, *(when for curve in patient.series.values() for when, _ in curve.points)))


def _always(patient: Patient, first: Quantity | None, warnings: list[str]) -> dict[str, Observation]:
    """What is true at every time point: the age at onset (that at the first time point, unless it is stated) and genetics."""
    known = {}
    onset = patient.patient.onset
    if isinstance(onset, Quantity):
        days = age.in_days(onset)
        known[observables.AGE_AT_ONSET] = Observation(_quantity(days, onset.text))
        if first and days.lo is not None and first.interval.compare("<", days.lo) is Status.MET:
            warnings.append("the age at onset is above that at the first time point")
    elif onset:
        known[observables.AGE_AT_ONSET] = Observation(Missing("unknown"))
    elif first:
        known[observables.AGE_AT_ONSET] = Observation(first, note=FIRST_IS_ONSET)
    if patient.genetics:
        from hlhcli.genetics import Genes, misprint

        known[observables.GENETICS] = Observation(Genes(patient.genetics))
        if warning := misprint(patient.genetics):
            warnings.append(warning)
    return known


def _known(patient: Patient, timepoint: Timepoint, warnings: list[str]) -> dict[str, Observation]:
    """The time point's own observations, and the background where the time point says nothing of it."""
    known = dict(timepoint.observations)
    for name, holds in patient.background.items():
        own = known.get(name)
        if own is None or own.value == NOT_STATED or (isinstance(own.value, Missing) and not isinstance(holds.value, Missing)):
            known[name] = holds
        elif not isinstance(holds.value, Missing) and own.value != holds.value:
            said = f"{timepoint.name}: {name} is {own.value.text} here and {holds.value.text} in the background"
            warnings.append(f"{said}; the time point decides")
    return known


def _backwards(moments: Sequence[_Moment | None]) -> bool:
    """True if those that are stated do not rise."""
    stated = [moment for moment in moments if moment is not None]
    return any(later < earlier for earlier, later in pairwise(stated))


def _ages(patient: Patient, order: list[int], days: list[Fraction | None], dated: Calendar) -> list[Quantity | None]:
    """The age at each time point of the file, as far as it is known."""
    person, timepoints = patient.patient, patient.timepoints
    if person.birth_date:
        dates = [timepoint.date or dated.date(day) for timepoint, day in zip(timepoints, days, strict=True)]
        return [
            _quantity(age.since_birth(person.birth_date, then)) if then and then >= person.birth_date else None for then in dates
        ]
    if not person.age:
        return [None] * len(timepoints)
    first, start = age.in_days(person.age), days[order[0]]
    ages: list[Quantity | None] = [None] * len(timepoints)
    for position, index in enumerate(order):
        day = days[index]
        elapsed = day - start if day is not None and start is not None else Fraction(0) if position == 0 else None
        ages[index] = _quantity(age.at(first, elapsed), person.age.text if elapsed == 0 else None)
    return ages


def _quantity(interval: Interval, text: str | None = None) -> Quantity:
    return Quantity(interval, observables.get(observables.AGE).units.first, text or age.text(interval))


def age_at_first(patient: Patient) -> str | None:
    """The age at the first time point, for people to read."""
    if patient.patient.age:
        return patient.patient.age.text
    known = snapshots(patient)[0][0].known.get(observables.AGE)
    return known.value.text if known else None

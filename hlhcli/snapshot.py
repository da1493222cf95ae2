"""What is known at each time point: its own observations, the background, and the patient's age then. Nothing is carried on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

from hlhcli import age, observables
from hlhcli.entries import Observation
from hlhcli.observations import Quantity
from hlhcli.patient import Patient, Timepoint
from hlhcli.quantity import Interval


class Snapshot(NamedTuple):
    """One time point: where it lies in the course, and what is known there by the name of the observable."""

    timepoint: Timepoint
    place: int  # in the file
    day: Fraction | None
    date: date | None
    known: Mapping[str, Observation]


def snapshots(patient: Patient) -> tuple[list[Snapshot], list[str]]:
    """The time points in the order of time, and what is worth a warning about their order.

    The order is by date or day where every time point can be placed, else as in the file.
    """
    days, warnings = _days(patient.timepoints)
    order = list(range(len(days)))
    placed = [day for day in days if day is not None]
    if len(placed) == len(days):
        order.sort(key=lambda index: days[index] or Fraction(0))
        if order != sorted(order):
            warnings.append("the time points run backwards in the file; they are shown in the order of time")
    elif placed != sorted(placed):
        warnings.append("the time points run backwards, but some have neither a day nor a date: the order is that of the file")
    start = days[order[0]]
    first_date = _date_of(patient.timepoints, order[0], days)
    born = patient.patient.birth_date
    if born and not first_date:
        warnings.append("the age is unknown: there is a birth date, but no time point has a date")
    if born and first_date and born > first_date:
        warnings.append("the age is unknown: the birth date is after the first time point")
    result = []
    for position, index in enumerate(order):
        timepoint, day = patient.timepoints[index], days[index]
        elapsed = day - start if day is not None and start is not None else Fraction(0) if position == 0 else None
        known: dict[str, Observation] = {**patient.background, **timepoint.observations}
        if stated := _age(patient, first_date, elapsed):
            known[observables.AGE] = Observation(stated)
        result.append(Snapshot(timepoint, index, day, timepoint.date, known))
    return result, warnings


def age_at_first(patient: Patient) -> str | None:
    """The age at the first time point, for people to read."""
    if patient.patient.age:
        return patient.patient.age.text
    known = snapshots(patient)[0][0].known.get(observables.AGE)
    return known.value.text if known else None


def _age(patient: Patient, first_date: date | None, elapsed: Fraction | None) -> Quantity | None:
    person = patient.patient
    first: Interval | None = None
    if person.age:
        first = age.in_days(person.age)
    elif person.birth_date and first_date and person.birth_date <= first_date:
        first = age.since_birth(person.birth_date, first_date)
    if first is None:
        return None
    units = observables.get(observables.AGE).units
    text = person.age.text if person.age and elapsed == 0 else age.text(first, elapsed)
    return Quantity(age.at(first, elapsed), units.first, text)


def _days(timepoints: list[Timepoint]) -> tuple[list[Fraction | None], list[str]]:
    """The day of each time point; dates become days through one that has both, else through the first date."""
    anchors = [(t.date, t.day) for t in timepoints if t.date and t.day is not None]
    dates = [t.date for t in timepoints if t.date]
    warnings: list[str] = []
    if anchors:
        origin, offset = anchors[0]
        if any((then - origin).days != day - offset for then, day in anchors):
            warnings.append("days and dates disagree between time points; each time point's day is used")
    elif dates and all(t.day is None for t in timepoints):
        origin, offset = min(dates), Fraction(0)
    else:
        return [t.day for t in timepoints], warnings
    return [t.day if t.day is not None else offset + (t.date - origin).days if t.date else None for t in timepoints], warnings


def _date_of(timepoints: list[Timepoint], index: int, days: list[Fraction | None]) -> date | None:
    """The date of a time point, also if only another one has a date and both have a day."""
    if then := timepoints[index].date:
        return then
    day = days[index]
    for other, other_day in zip(timepoints, days, strict=True):
        if other.date and other_day is not None and day is not None:
            return other.date + timedelta(days=int(day - other_day))
    return None

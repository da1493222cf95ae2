"""The time that a time point looks back over: of each curve the worst value in it, and the day on which it was observed."""

from __future__ import annotations

from fractions import Fraction

from hlhcli import observables
from hlhcli.observations import NOT_STATED, Finding, Missing, Observation, Quantity
from hlhcli.patient import Patient, Timepoint
from hlhcli.quantity import exact_text
from hlhcli.timeline import Calendar
from hlhcli.worst import Dated, worst


def looked_back(
    patient: Patient, timepoint: Timepoint, day: Fraction | None, dated: Calendar, known: dict[str, Observation]
) -> None:
    """Put into `known` the worst value of each curve, and of the time point itself, in the window of the time point.

    A value of the first day of the window counts, as does one of the time point's own day.
    """
    if day is None or timepoint.window is None:
        return
    start = day - timepoint.window
    for name, curve in patient.series.items():
        inside = [Dated(then, one) for when, one in curve.points if (then := dated.day(when)) is not None and start <= then <= day]
        own = known.get(name)
        if inside and own is not None and own.value != NOT_STATED:
            inside.append(Dated(day, own))
        if inside:
            known[name] = worst(observables.get(name), inside, day)
    for name, one in list(known.items()):
        observable = observables.get(name)
        measured = known.get(observable.instead or "")
        if not observable.comes_and_goes or measured is None or not isinstance(measured.value, Quantity):
            continue
        denied = isinstance(one.value, Finding) and one.value.values == {observable.negative}
        if denied and _day(one, day) != _day(measured, day):  # the denial of one day says nothing of another
            note = f"{one.value.text} on day {exact_text(_day(one, day))}; {observable.instead} was measured on another day"
            known[name] = one._replace(value=Missing("unknown"), note=note)


def _day(one: Observation, day: Fraction) -> Fraction:
    return day if one.day is None else one.day

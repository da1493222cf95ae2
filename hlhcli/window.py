"""The worst value in the time that a time point looks back over, and the day on which it was observed."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple, TypeAlias

from hlhcli import observables
from hlhcli.entries import Observation
from hlhcli.observables import Observable, Unit
from hlhcli.observations import NOT_STATED, PENDING, Finding, Missing, Observed, Qualitative, Quantity
from hlhcli.patient import Patient, Timepoint
from hlhcli.quantity import Interval, exact_text
from hlhcli.timeline import Calendar

_End: TypeAlias = tuple[bool, Fraction, bool]  # of an interval, in an order in which the greater comes last


class Dated(NamedTuple):
    """An observation and its day."""

    day: Fraction
    observation: Observation


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


def worst(observable: Observable, found: list[Dated], day: Fraction) -> Observation:
    """The worst of several values of one observable. What is pending among them, or raised in words, can only make it worse."""
    of_value = [each for each in found if isinstance(each.observation.value, Finding if observable.family is None else Quantity)]
    if not of_value:
        return max(found, key=lambda each: (not isinstance(each.observation.value, Missing), each.day)).observation
    if observable.family is None:
        chosen: Dated | None = _worst_finding(observable, of_value)
    else:
        chosen = extreme(of_value, lowest=observable.worse == "low")
    if chosen is None:
        return Observation(Missing("unknown"), note="measured by assays that cannot be compared with one another")
    observation = chosen.observation
    still = any(each.observation.value == Missing(PENDING) for each in found)
    words = [each.observation.value.text for each in found if _may_be_worse(observable, each.observation.value)]
    if still or words:
        observation = observation._replace(value=_or_worse(observable, observation.value))
    notes = [f"day {exact_text(chosen.day)}, the worst of {len(of_value)} values in the window"] * (len(of_value) > 1)
    notes = notes or [f"day {exact_text(chosen.day)}"] * (chosen.day != day)
    notes += ["a result is pending"] * still + [f"another is {', '.join(dict.fromkeys(words))} without a number"] * bool(words)
    own = next(each.observation.value for each in of_value if each.day == chosen.day)
    beyond = (
        isinstance(own, Quantity)
        and isinstance(chosen.observation.value, Quantity)
        and own.interval != chosen.observation.value.interval
    )
    notes += ["another may be beyond it"] * (beyond and not still and not words)
    note = "; ".join(filter(None, (observation.note, *notes))) or None
    return observation._replace(note=note, day=chosen.day)


def _may_be_worse(observable: Observable, value: Observed) -> bool:
    """True for a word that does not exclude a worse value than any number beside it."""
    better = "elevated" if observable.worse == "low" else "low"
    return isinstance(value, Qualitative) and value.level not in ("normal", better)


def _worst_finding(observable: Observable, found: list[Dated]) -> Dated:
    """The worse finding, however often the other was made; the last of several."""
    worse = [each for each in found if (_values(each) != {observable.negative}) is not (observable.worse == observable.negative)]
    return max(worse or found, key=lambda each: each.day)


def _values(each: Dated) -> frozenset[str]:
    return each.observation.value.values if isinstance(each.observation.value, Finding) else frozenset()


def extreme(found: list[Dated], lowest: bool) -> Dated | None:
    """The highest or lowest of quantities; of intervals that overlap, all that is known of it. None across assays."""
    first = found[0].observation
    assert isinstance(first.value, Quantity)
    unit = first.value.unit
    if len({each.observation.assay for each in found} - {None}) > 1:
        return None
    known: list[tuple[_End, _End, Dated]] = []
    for each in found:
        value = each.observation.value
        assert isinstance(value, Quantity)
        if not value.unit.convertible(unit):
            return None
        here = value.unit.convert(value.interval, unit)
        lo, hi, lo_open, hi_open = _mirrored(here) if lowest else here
        known.append(((lo is not None, lo or Fraction(0), lo_open), (hi is None, hi or Fraction(0), not hi_open), each))
    (some, least, is_open), (none, most, closed) = max(one[0] for one in known), max(one[1] for one in known)
    chosen = max(known, key=lambda one: (one[0], one[1], one[2].day))[2]
    ends = Interval(least if some else None, None if none else most, is_open, not none and not closed)
    ends = _mirrored(ends) if lowest else ends
    value = chosen.observation.value
    assert isinstance(value, Quantity)
    interval = unit.convert(ends, value.unit)
    limits = value.reference or next(filter(None, (_limits(each.observation.value, value.unit) for each in found)), None)
    return chosen._replace(observation=chosen.observation._replace(value=value._replace(interval=interval, reference=limits)))


def _limits(value: Observed, unit: Unit) -> Interval | None:
    """The laboratory's limits beside a value of the same assay, in `unit`."""
    return value.unit.convert(value.reference, unit) if isinstance(value, Quantity) and value.reference else None


def _mirrored(interval: Interval) -> Interval:
    """Of every number the negative."""
    lo, hi = (None if end is None else -end for end in (interval.lo, interval.hi))
    return Interval(hi, lo, interval.hi_open, interval.lo_open)


def _or_worse(observable: Observable, value: Observed) -> Observed:
    """The value, or anything that is worse."""
    if isinstance(value, Finding) and (value.values == {observable.negative}) is not (observable.worse == observable.negative):
        return Missing(PENDING)
    if not isinstance(value, Quantity):
        return value
    lo, hi, lo_open, hi_open = value.interval
    open_end = Interval(None, hi, hi_open=hi_open) if observable.worse == "low" else Interval(lo, None, lo_open)
    return value._replace(interval=open_end)

"""The worst of several values: of what was measured at one moment, or in the time that a time point looks back over."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple, TypeAlias

from hlhcli.observables import Observable, Unit
from hlhcli.observations import PENDING, Finding, Missing, Observation, Observed, Qualitative, Quantity
from hlhcli.quantity import Interval, number_text

End: TypeAlias = tuple[bool, Fraction, bool]  # of an interval, in an order in which the greater comes last


class Dated(NamedTuple):
    """An observation and its day."""

    day: Fraction
    observation: Observation


def worst(observable: Observable, found: list[Dated], day: Fraction | None, number: int | None = None) -> Observation:
    """The worst of several values of one observable. What is not known among them, or raised in words, can only make it worse.

    `day` is that of a time point which looks back; None where all of them are of one moment. `number` is how many values there
    are, where only those of them are given that can decide.
    """
    of_value = [each for each in found if isinstance(each.observation.value, Finding if observable.family is None else Quantity)]
    if not of_value:
        return max(found, key=lambda each: (not isinstance(each.observation.value, Missing), each.day)).observation
    if observable.family is None:
        chosen: Dated | None = _worst_findings(observable, of_value)
    else:
        chosen = extreme(of_value, lowest=observable.decides == "low")
    if chosen is None:
        return Observation(Missing("unknown"), note="measured by assays that cannot be compared with one another")
    observation = chosen.observation
    still = next((reason for reason in STILL if any(each.observation.value == Missing(reason) for each in found)), "")
    words = [each.observation.value.text for each in found if may_be_worse(observable, each.observation.value)]
    if still or words:
        observation = observation._replace(value=_or_worse(observable, observation.value, still or PENDING))
    notes = _which(chosen, of_value, day, len(of_value) if number is None else number)
    notes += ([STILL[still]] if still else []) + [f"another is {', '.join(dict.fromkeys(words))} without a number"] * bool(words)
    own = next(each.observation.value for each in of_value if each.day == chosen.day)
    beyond = (
        isinstance(own, Quantity)
        and isinstance(chosen.observation.value, Quantity)
        and own.interval != chosen.observation.value.interval
    )
    notes += ["another may be beyond it"] * (beyond and not still and not words and day is not None)
    note = "; ".join(filter(None, (observation.note, *notes))) or None
    return observation._replace(note=note, day=None if day is None else chosen.day)


STILL = {PENDING: "a result is pending", "unknown": "another is not known"}  # reasons why there may be a worse value


def _which(chosen: Dated, of_value: list[Dated], day: Fraction | None, number: int) -> list[str]:
    """Which of several values this is."""
    if day is None:
        texts = dict.fromkeys(each.observation.value.text for each in of_value)
        return [f"the worst of {', '.join(texts)}"] * (len(texts) > 1)
    if number > 1:
        return [f"day {number_text(chosen.day)}, the worst of {number} values in the window"]
    return [f"day {number_text(chosen.day)}"] * (chosen.day != day)


def several(observable: Observable, found: list[Observation]) -> Observation:
    """What several values of one moment amount to: the worst of them; of named findings all that was found."""
    return worst(observable, [Dated(Fraction(0), each) for each in found], None)


def may_be_worse(observable: Observable, value: Observed) -> bool:
    """True for a word that does not exclude a worse value than any number beside it."""
    better = "elevated" if observable.decides == "low" else "low"
    return isinstance(value, Qualitative) and value.level not in ("normal", better)


def _worst_findings(observable: Observable, found: list[Dated]) -> Dated:
    """The worse finding, however often the other was made; of named ones all that was found; the last of several."""
    worse = [each for each in found if (_values(each) != {observable.negative}) is not (observable.decides == observable.negative)]
    last = max(worse or found, key=lambda each: each.day)
    named = frozenset().union(*map(_values, worse)) - {observable.negative}
    if not observable.values or named <= _values(last):
        return last
    observation = last.observation
    return last._replace(observation=observation._replace(value=Finding(named, ", ".join(sorted(named)))))


def _values(each: Dated) -> frozenset[str]:
    return each.observation.value.values if isinstance(each.observation.value, Finding) else frozenset()


def extreme(found: list[Dated], lowest: bool) -> Dated | None:
    """The highest or lowest of quantities; of intervals that overlap, all that is known of it. None across assays."""
    first = found[0].observation
    assert isinstance(first.value, Quantity)
    unit = first.value.unit
    if len({each.observation.assay for each in found} - {None}) > 1:
        return None
    known: list[tuple[End, End, Dated]] = []
    for each in found:
        value = each.observation.value
        assert isinstance(value, Quantity)
        if not value.unit.convertible(unit):
            return None
        known.append((*ends(value, unit, lowest), each))
    (some, least, is_open), (none, most, closed) = max(one[0] for one in known), max(one[1] for one in known)
    chosen = max(known, key=lambda one: (one[0], one[1], one[2].day))[2]
    reached = Interval(least if some else None, None if none else most, is_open, not none and not closed)
    reached = _mirrored(reached) if lowest else reached
    value = chosen.observation.value
    assert isinstance(value, Quantity)
    interval = unit.convert(reached, value.unit)
    limits = value.reference or next(filter(None, (_limits(each.observation.value, value.unit) for each in found)), None)
    return chosen._replace(observation=chosen.observation._replace(value=value._replace(interval=interval, reference=limits)))


def ends(value: Quantity, unit: Unit, lowest: bool) -> tuple[End, End]:
    """Both ends of what is known of the number in `unit`; where the lowest is sought, of its negative."""
    here = value.unit.convert(value.interval, unit)
    lo, hi, lo_open, hi_open = _mirrored(here) if lowest else here
    return (lo is not None, lo or Fraction(0), lo_open), (hi is None, hi or Fraction(0), not hi_open)


def _limits(value: Observed, unit: Unit) -> Interval | None:
    """The laboratory's limits beside a value of the same assay, in `unit`."""
    return value.unit.convert(value.reference, unit) if isinstance(value, Quantity) and value.reference else None


def _mirrored(interval: Interval) -> Interval:
    """Of every number the negative."""
    lo, hi = (None if end is None else -end for end in (interval.lo, interval.hi))
    return Interval(hi, lo, interval.hi_open, interval.lo_open)


def _or_worse(observable: Observable, value: Observed, reason: str) -> Observed:
    """The value, or anything that is worse; a finding is not known then, for this reason."""
    if isinstance(value, Finding) and (value.values == {observable.negative}) is not (observable.decides == observable.negative):
        return Missing(reason)
    if not isinstance(value, Quantity):
        return value
    lo, hi, lo_open, hi_open = value.interval
    open_end = Interval(None, hi, hi_open=hi_open) if observable.decides == "low" else Interval(lo, None, lo_open)
    return value._replace(interval=open_end)

"""The exact scale of an observable: every number, in whichever unit, is a whole number of ticks, which databases compare exactly.

A tick is half of a millionth of a unit that all units of the family are multiples of. Even ticks are numbers; the odd tick
between two of them is what lies strictly between. An open end of an interval is the odd tick beside its number, so that `lo` and
`hi` alone say everything: `>= T` is met if lo >= T and not met if hi < T, whether the ends are open or closed.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import floor, lcm
from typing import NamedTuple

from hlhcli import observables
from hlhcli.observables import Unit
from hlhcli.quantity import Interval

PLACES = 6  # decimals of a value in its own unit that are exact; what has more lies between two ticks
MICRO = 10**PLACES
LIMIT = 2**55  # ticks; an end that lies there is none


class Unitary(NamedTuple):
    """A unit on the scale: `value x 10^6 x times + plus` is half its ticks."""

    number: int  # in the table of the family
    unit: Unit
    times: int
    plus: int
    group: int  # of units that convert into one another

    @property
    def most(self) -> int:
        """The largest value in millionths that the scale holds."""
        return (LIMIT // 2 - 1 - self.plus) // self.times

    @property
    def least(self) -> int:
        """The smallest value in millionths that the scale holds."""
        return max(0, -(self.plus // self.times))


@cache
def units(observable: str) -> tuple[Unitary, ...]:
    """The units of a quantity on its scale, in the order of the table."""
    family = observables.get(observable).units.units.values()
    groups = list(dict.fromkeys(unit.apart for unit in family))
    found = []
    for number, unit in enumerate(family):
        alike = [each.factor for each in family if each.apart == unit.apart]
        common = lcm(*(factor.denominator for factor in alike))
        plus = -unit.less * unit.factor * common * MICRO
        found.append(Unitary(number, unit, int(unit.factor * common), int(plus), groups.index(unit.apart)))
    return tuple(found)


def unitary(observable: str, unit: Unit) -> Unitary:
    """The unit on the scale of the observable."""
    return next(each for each in units(observable) if each.unit is unit or each.unit.name == unit.name)


def half_ticks(number: Fraction, on: Unitary) -> Fraction:
    """Where a number of a unit lies, in half ticks."""
    return Fraction(number * on.times * MICRO + on.plus)


def edge(number: Fraction, on: Unitary) -> int:
    """The tick of a cut-off: odd where it lies between two numbers of the scale."""
    place = half_ticks(number, on)
    return 2 * floor(place) + (place.denominator != 1)


def ends(interval: Interval, on: Unitary) -> tuple[int, int]:
    """The ends of an interval in ticks; an end that is not known is 0 below, and LIMIT above."""
    lo, hi = 0, LIMIT
    if interval.lo is not None:
        place = half_ticks(interval.lo, on)
        lo = 2 * floor(place) + (place.denominator != 1 or interval.lo_open)
    if interval.hi is not None:
        place = half_ticks(interval.hi, on)
        hi = 2 * floor(place) + (1 if place.denominator != 1 else -1 if interval.hi_open else 0)
    return min(max(lo, 0), LIMIT - 1), min(max(hi, 0), LIMIT)

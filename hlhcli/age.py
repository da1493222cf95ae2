"""Age as an interval of days: `20 d` is the day from 20 to 21, `11 y` the year from 11 to 12, `1.6 y` that point."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction

from hlhcli.observables import AGE, get
from hlhcli.observations import Quantity, quantity
from hlhcli.quantity import BadQuantity, Decimal, Interval

_LATEST = 125  # years; older is a slip


def read_age(text: str, decimal: Decimal = "point") -> Quantity:
    """The age that `text` states, in the unit it was written in. A whole number is completed units of time."""
    observable = get(AGE)
    if parts := re.fullmatch(r"(\d+ ?[a-z]+)[ ,]+(\d+ ?[a-z]+)", text.strip().lower()):
        return _sum(read_age(parts[1]), read_age(parts[2]), text)
    stated = quantity(observable, text, decimal)
    interval = stated.interval
    if interval.is_point and interval.lo is not None and interval.lo.denominator == 1:
        interval = Interval(interval.lo, interval.lo + 1, hi_open=True)
    stated = Quantity(interval, stated.unit, stated.text)
    in_years = stated.unit.convert(interval, observable.units.require("y"))
    if in_years.lo is not None and in_years.lo > _LATEST:
        raise BadQuantity(f"an age of {stated.text} is not possible")
    return stated


def _sum(larger: Quantity, smaller: Quantity, text: str) -> Quantity:
    """`1 y 7 mo`: completed months beyond completed years."""
    rest = in_days(smaller)
    start = in_days(larger).lo
    if start is None or rest.lo is None or rest.hi is None or smaller.unit.factor >= larger.unit.factor:
        raise BadQuantity(f"'{text}' is no age; write for example '1 y 7 mo' or '19 mo'")
    interval = Interval(start + rest.lo, start + rest.hi, hi_open=True)
    return Quantity(interval, get(AGE).units.first, f"{larger.text} {smaller.text}")


def in_days(age: Quantity) -> Interval:
    """The age as an interval of days."""
    return age.unit.convert(age.interval, get(AGE).units.first)


def at(first: Interval, elapsed: Fraction | None) -> Interval:
    """The age `elapsed` days after the first time point; with None (not known how long after) only the lower end is known."""
    if elapsed is None:
        return Interval(first.lo, None, first.lo_open)
    return first.scaled(Fraction(1), elapsed)


def since_birth(birth: date, then: date) -> Interval:
    """The age on a calendar day, as an interval of days."""
    days = (then - birth).days
    return Interval(Fraction(days), Fraction(days + 1), hi_open=True)


def text(age: Interval) -> str:
    """The age for people to read, in completed units."""
    days = age.lo or Fraction(0)
    units = [get(AGE).units.require(name) for name in ("y", "mo", "d")]
    unit = next(unit for unit in units if unit.name == "d" or days >= 2 * unit.factor)
    return f"{'>=' if age.hi is None else ''}{days // unit.factor} {unit.name}"

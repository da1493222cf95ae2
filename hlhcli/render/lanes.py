"""Therapies, organ support and markers along one axis of days, as lines of text that fit a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import log
from typing import NamedTuple

from rich.cells import cell_len

from hlhcli import observables
from hlhcli.api import Result
from hlhcli.course import Course
from hlhcli.errors import printable
from hlhcli.history import Instant, own
from hlhcli.observations import BARE, Finding, Missing, Observed, Qualitative, Quantity
from hlhcli.quantity import Interval, decimal_text
from hlhcli.render.grid import UNITS

LABELS = 24  # characters of the labels' column
_FIRST = ("temperature", "ferritin", "crp", "sil2r")  # the panels of the figure; then what the criteria ask for
_DECADES = 30  # times the lowest; above this the heights are those of the logarithm
_WORDS = {"elevated": "h", "normal": "n", "low": "l"}
_TRENDS = {"rising": "/", "falling": "\\"}


class Signs(NamedTuple):
    """The characters of the drawing."""

    bar: str
    on: str
    above: str
    below: str
    heights: str


SIGNS = Signs("█", "▶", "▲", "▼", "▁▂▃▄▅▆▇█")
ASCII = Signs("=", ">", "^", "v", "12345678")


class Lane(NamedTuple):
    """A line of the drawing, its label, and what is written below it."""

    label: str
    drawn: str
    below: str = ""


class Lanes(NamedTuple):
    """The drawing: the axis, therapies and support, markers; and the legend of the signs that occur."""

    axis: Lane
    bars: tuple[Lane, ...]
    markers: tuple[Lane, ...]
    legend: str


class _Axis:
    """Days as columns."""

    def __init__(self, days: Sequence[Fraction], width: int) -> None:
        self.lo, self.hi, self.width = min(days), max(days), width

    def column(self, day: Fraction) -> int:
        return round((day - self.lo) * (self.width - 1) / (self.hi - self.lo))

    def row(self) -> list[str]:
        return [" "] * self.width


def lanes(result: Result, course: Course, width: int, plain: bool) -> Lanes | None:
    """The drawing, `width` columns wide; None where fewer than two days are known."""
    signs = ASCII if plain else SIGNS
    days = [each.day for each in course.history.instants if each.day is not None]
    days += [day for each in course.therapies for day in (each.start, each.stop) if day is not None]
    if len(set(days)) < 2:
        return None
    axis = _Axis(days, width)
    bars = [*_therapies(course, axis, signs), *_supports(course, axis, signs)]
    markers = [lane for name in _names(result, course) if (lane := _marker(name, course, axis, signs))]
    return Lanes(_scale(course, axis), tuple(bars), tuple(markers), _legend("".join(lane.drawn for lane in markers), signs))


def _legend(drawn: str, signs: Signs) -> str:
    """What the signs mean that occur."""
    words = ", ".join(f"{sign} {word}" for word, sign in (_WORDS | _TRENDS).items() if sign in drawn)
    bounds = {signs.above: "above what could be measured", signs.below: "below what could be measured"}
    return "   ".join([f"{words}: in words"] * bool(words) + [f"{sign} {text}" for sign, text in bounds.items() if sign in drawn])


def _scale(course: Course, axis: _Axis) -> Lane:
    """The days of the time points, as far as they do not run into one another."""
    row = axis.row()
    free = 0
    for snapshot in course.ordered:
        if snapshot.day is None:
            continue
        text = decimal_text(snapshot.day, 1)
        at = min(axis.column(snapshot.day), axis.width - len(text))
        if at >= free:
            row[at : at + len(text)] = text
            free = at + len(text) + 1
    return Lane("day", "".join(row))


def _therapies(course: Course, axis: _Axis, signs: Signs) -> Iterator[Lane]:
    for each in course.therapies:
        full = " ".join(filter(None, (each.therapy.drug, each.therapy.dose)))
        name = printable(full if cell_len(full) < LABELS else each.therapy.drug)
        if each.start is None:
            yield Lane(name, "(start cannot be placed)" if each.therapy.start else "(start not stated)")
            continue
        row = axis.row()
        first, last = axis.column(each.start), axis.column(axis.hi if each.stop is None else each.stop)
        row[first : last + 1] = signs.bar * (last + 1 - first)
        if each.stop is None:
            row[-1] = signs.on
        yield Lane(name, "".join(row))


def _supports(course: Course, axis: _Axis, signs: Signs) -> Iterator[Lane]:
    """Support is drawn from where it was seen to the next observation, and never beyond."""
    for name in observables.SUPPORT:
        seen = [
            (each.day, each.known[name].value) for each in course.history.instants if name in each.known and each.day is not None
        ]
        if not any(isinstance(value, Finding) and value.text == "yes" for _, value in seen):
            continue
        row = axis.row()
        for place, (day, value) in enumerate(seen):
            if isinstance(value, Finding) and value.text == "yes":
                until = seen[place + 1][0] if place + 1 < len(seen) else day
                first, last = axis.column(day), axis.column(until)
                row[first : max(last, first + 1)] = signs.bar * max(last - first, 1)
        yield Lane(observables.get(name).title, "".join(row))


def _names(result: Result, course: Course) -> list[str]:
    asked = {name for each in result.assessments for name in each.criteria.asks}
    names = dict.fromkeys([*_FIRST, *(name for name in observables.names() if name in asked)])
    return [name for name in names if observables.get(name).family is not None and len(course.history.curve(name)) > 1]


def _marker(name: str, course: Course, axis: _Axis, signs: Signs) -> Lane | None:
    points = [(each, each.known[name].value) for each in course.history.instants if name in each.known]
    if all(isinstance(value, Missing) for _, value in points):
        return None
    first = next((value.unit for _, value in points if isinstance(value, Quantity)), None)
    numbers = [
        value.unit.convert(value.interval, first)
        for _, value in points
        if first and isinstance(value, Quantity) and value.unit.convertible(first)
    ]
    ends = [end for each in numbers for end in (each.lo, each.hi) if end is not None]
    between = _scale_of(name, min(ends, default=Fraction(0)), max(ends, default=Fraction(0)))
    row = axis.row()
    for instant, value in points:
        if instant.day is not None and name in own(instant):
            alike = isinstance(value, Quantity) and first is not None and value.unit.convertible(first)
            interval = value.unit.convert(value.interval, first) if alike and isinstance(value, Quantity) and first else None
            row[axis.column(instant.day)] = _sign(value, interval, between, signs)
    unit = f" ({UNITS.get(first.name, first.name)})" if first and first.name != BARE else ""
    return Lane(f"{observables.get(name).short}{unit}", "".join(row), _numbers(points, first.name if first else ""))


def _scale_of(name: str, least: Fraction, most: Fraction) -> tuple[Fraction, Fraction]:
    """The ends of the heights: values that differ little stay at one height."""
    middle = (least + most) / 2
    if not observables.get(name).proportional:
        return min(least, middle - 2), max(most, middle + 2)
    return (middle * 2 / 3, middle * 4 / 3) if most < 2 * least else (least, most)


def _sign(value: Observed, interval: Interval | None, numbers: tuple[Fraction, Fraction], signs: Signs) -> str:
    if isinstance(value, Qualitative):
        return _TRENDS.get(value.trend) or _WORDS.get(value.level, "?")
    if interval is None:
        return " " if isinstance(value, Missing) else "?"
    if value.text[:1] in "<>":
        return signs.above if value.text[0] == ">" else signs.below
    return signs.heights[_height(interval, numbers)]


def _height(interval: Interval, numbers: tuple[Fraction, Fraction]) -> int:
    """From 0 to 7 between the lowest and the highest of the numbers."""
    (least, most), here = numbers, interval.hi
    if here is None:  # of several values, of which another is not known
        here = interval.lo or Fraction(0)
    if least == most:
        return 3
    if least > 0 and most / least > _DECADES:
        return round(7 * log(here / least) / log(most / least))
    return round(7 * (here - least) / (most - least))


def _numbers(points: list[tuple[Instant, Observed]], unit: str) -> str:
    """The values at the time points, in their order."""
    texts = [
        value.text if isinstance(value, Missing) else printable(value.text).removesuffix(f" {unit}")
        for instant, value in points
        if instant.snapshot
    ]
    return " → ".join(texts) if len(texts) > 1 else "".join(texts)

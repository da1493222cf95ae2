"""On what the rules for the course rest: every comparison under the readings that are told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hlhcli.course import Course
from hlhcli.errors import printable
from hlhcli.outcome import Evidence
from hlhcli.reading import Reading
from hlhcli.render.course import day_text, headlines
from hlhcli.status import Status


class Item(NamedTuple):
    """A rule that a class asks for, its status, and its comparisons."""

    title: str
    status: Status
    lines: tuple[Evidence, ...]
    said: tuple[str, ...] = ()


def course_evidence(course: Course) -> list[tuple[str, list[Item]]]:
    """The items of each reading that is told, under its rule and time point."""
    readings = [
        (f"{each.line.name}, ", reading)
        for each in course.lines
        for role in ("response", "refractory")
        for reading in headlines(each, role)
    ]
    readings += [("", reading) for each in course.recurrences for reading in each.readings]
    return [
        (printable(f"{name}{reading.rule.label}, {day_text(reading.snapshot)}"), list(_items(reading)))
        for name, reading in readings
    ]


def _items(reading: Reading) -> Iterator[Item]:
    shown = set()
    for one in reading.classes:
        outcome = one.counted or one.outcome
        parts = outcome.children if len(outcome.children) > 1 else (outcome,)
        if outcome.children not in shown:  # one class may count the markers of another
            for part in parts:
                title = f"{one.response.title}: {part.node.about.title}" if part.node.about.title else one.response.title
                yield Item(title, part.status, tuple(dict.fromkeys(part.evidence)))
        shown.add(outcome.children)

"""When something was first so after a line of therapy began: between the last observation against it and the first for it."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from hlhcli import rules
from hlhcli.evaluate import evaluate
from hlhcli.history import History, Instant
from hlhcli.quantity import Interval
from hlhcli.responses import ResponseClass, ResponseSet
from hlhcli.status import Status
from hlhcli.therapy import Line


class Event(NamedTuple):
    """An event with the days from the start of the line between which it came; the upper end is None where no day is stated.

    Not `reached`: it had not come when it was last looked for. `back` is the day on which it was no longer so.
    """

    event: ResponseClass
    days: Interval
    reached: bool
    back: Fraction | None = None


def events(rule: ResponseSet, line: Line, history: History) -> list[Event]:
    """The events of the line until the next one; none that was so from the start, or was never looked for."""
    if line.start is None or line.baseline is None:
        return []
    after = history.places[line.last + 1] if line.last + 1 < len(history.places) else None  # of the next line alone
    seen = [
        instant
        for instant in history.instants[history.places[line.baseline] : after]
        if line.until is None or instant.day is None or instant.day <= line.until
    ]
    return [event for each in rule.classes if (event := _event(each, line.start, seen))]


def _event(event: ResponseClass, start: Fraction, seen: list[Instant]) -> Event | None:
    names = set(rules.asked(event.node))
    denied: Fraction | None = None
    found: Event | None = None
    for instant in seen:
        if not names & instant.known.keys():
            continue
        status = evaluate(event.node, instant.known, {}).status
        if found is not None:
            if status is Status.NOT_MET and instant.day is not None:
                return found._replace(back=instant.day - start)
        elif status is Status.NOT_MET:
            denied = max(start if instant.day is None else instant.day, start if denied is None else denied)
        elif status is Status.MET and denied is None and (instant.day is None or instant.day > start):
            return None  # since when it was so is not known
        elif status is Status.MET and denied is not None:
            until = None if instant.day is None else instant.day - start
            found = Event(event, Interval(denied - start, until, lo_open=True), True)
    if found is not None:
        return found
    return None if denied is None else Event(event, Interval(denied - start, None, lo_open=True), False)

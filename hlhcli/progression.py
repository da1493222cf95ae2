"""Worsening: flags of progression at every moment that was observed, and what the clinician states."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

from hlhcli import observables, rules
from hlhcli.entries import STATE
from hlhcli.evaluate import evaluate
from hlhcli.history import History
from hlhcli.observations import Finding
from hlhcli.outcome import Outcome
from hlhcli.responses import ResponseClass, ResponseSet
from hlhcli.snapshot import Snapshot
from hlhcli.status import Status
from hlhcli.therapy import Line, Placed

Setting = Literal["on_therapy", "after_remission", "without_therapy", "not_known"]


class Remission(NamedTuple):
    """The first documented remission: the place of its time point, and by what it is documented."""

    place: int
    basis: str


class Flag(NamedTuple):
    """A flag, and the day on which it was first raised. Not `certain`: present, but whether it is new (or raised) is not known."""

    response: ResponseClass
    outcome: Outcome
    day: Fraction | None
    certain: bool


class Worsening(NamedTuple):
    """What worsened since the time point before: flags, and the clinician's statement; None after the last time point."""

    snapshot: Snapshot | None
    flags: tuple[Flag, ...]
    stated: str | None
    setting: Setting


def worsening(
    chosen: Sequence[ResponseSet],
    history: History,
    lines: Sequence[Line],
    therapies: Sequence[Placed],
    remission: Remission | None,
) -> list[Worsening]:
    """Every time point after the first by which a flag was raised, or at which the clinician states a worsening."""
    classes = [_Asking(each) for rule in chosen if rule.role == "progression" for each in rule.classes]
    bases = sorted({history.places[line.baseline] for line in lines if line.baseline is not None})
    ordinals = {place: ordinal for ordinal, place in enumerate(history.places)}
    found: list[Worsening] = []
    flags: dict[str, Flag] = {}
    seen: set[str] = set()
    for place, instant in enumerate(history.instants):
        raised = _raised(classes, history, place, _baseline(bases, place)) if place > history.places[0] else []
        for flag in raised:
            if flag.certain or flag.response.id not in seen:
                flags.setdefault(flag.response.id, flag)
            seen.add(flag.response.id)
        last = place + 1 == len(history.instants)
        if instant.snapshot is None and not last:
            continue
        stated = _worse(instant.snapshot) if instant.snapshot else None
        if flags or stated:
            ordinal = ordinals[place] if instant.snapshot else len(history.places)
            found.append(
                Worsening(instant.snapshot, tuple(flags.values()), stated, _setting(ordinal, instant.day, remission, therapies))
            )
        flags = {}
    return found


def state_of(snapshot: Snapshot) -> str | None:
    """The state of the disease that the clinician states at the time point."""
    found = snapshot.known.get(STATE)
    return None if found is None or not isinstance(found.value, Finding) else found.value.text


def _worse(snapshot: Snapshot) -> str | None:
    """The states of a worsening, of those that are stated."""
    found = snapshot.known.get(STATE)
    stated = found.value.values if found and isinstance(found.value, Finding) else frozenset()
    return ", ".join(word for word in observables.get(STATE).worse.split(", ") if word in stated) or None


def _baseline(bases: list[int], place: int) -> int:
    """The baseline of the line that runs: the last one before; without a line the first moment."""
    at = bisect_left(bases, place)
    return bases[at - 1] if at else 0


class _Asking:
    """A class, and what it asks for: now, and of the past."""

    def __init__(self, response: ResponseClass) -> None:
        self.response = response
        self.now, self.past = set(rules.asked(response.node)), set(rules.asked_before(response.node))


def _raised(classes: list[_Asking], history: History, place: int, baseline: int) -> list[Flag]:
    instant = history.instants[place]
    found = []
    for asking in classes:
        each = asking.response
        if not asking.now & instant.known.keys():
            continue
        outcome = evaluate(each.node, history.past(place, baseline, asking.past, of_the_day=True), {})
        if outcome.status is Status.MET:
            found.append(Flag(each, outcome, instant.day, True))
        elif _present(outcome):
            found.append(Flag(each, outcome, instant.day, False))
    return found


def _present(outcome: Outcome) -> bool:
    """True for what is there while something else that the flag asks for is not known: whether it is new, or raised."""
    both = isinstance(outcome.node, rules.Logic) and outcome.node.kind == "all"
    return both and outcome.status is Status.UNKNOWN and outcome.children[0].status is Status.MET


def _setting(ordinal: int, day: Fraction | None, remission: Remission | None, therapies: Sequence[Placed]) -> Setting:
    if remission is not None and ordinal > remission.place:
        return "after_remission"
    if day is None:
        return "not_known"
    if any(each.start is not None and each.start < day and (each.stop is None or each.stop >= day) for each in therapies):
        return "on_therapy"
    return "not_known" if any(each.start is None for each in therapies) else "without_therapy"

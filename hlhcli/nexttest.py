"""Which observables, once known, could settle a verdict that is open."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from hlhcli import rules
from hlhcli.evaluate import Outcome
from hlhcli.observations import PENDING
from hlhcli.status import Status

Sets = frozenset[frozenset[str]]
_DONE: Sets = frozenset({frozenset()})
_NEVER: Sets = frozenset()


def open_observables(outcome: Outcome) -> list[str]:
    """The observables whose values could still change an open result, in the order of the rule."""
    if outcome.status is not Status.UNKNOWN:
        return []
    if not outcome.children:
        return [outcome.evidence[0].observable]
    return list(dict.fromkeys(name for child in outcome.children for name in open_observables(child)))


def smallest_sets(outcome: Outcome, target: Status) -> list[tuple[str, ...]]:
    """The smallest sets of observables that could bring an open result to `target`; those of pending results first."""
    names = open_observables(outcome)
    pending = {line.observable for line in outcome.evidence if line.note == PENDING}
    order = {name: (name not in pending, position) for position, name in enumerate(names)}
    for limit in range(1, len(names) + 1):
        if found := _settle(outcome, target, limit):
            return sorted(
                (tuple(sorted(chosen, key=order.__getitem__)) for chosen in found),
                key=lambda chosen: [order[name] for name in chosen],
            )
    return []


def _settle(outcome: Outcome, target: Status, limit: int) -> Sets:
    """The sets of at most `limit` observables that could make the result `target`."""
    if outcome.status is not Status.UNKNOWN:
        return _DONE if outcome.status is target else _NEVER
    node, parts = outcome.node, outcome.children
    if not parts:
        return frozenset({frozenset({outcome.evidence[0].observable})})
    match node:
        case rules.Not():
            return _settle(parts[0], ~target, limit)
        case rules.All() | rules.Any() | rules.AtLeast():
            required = len(parts) if isinstance(node, rules.All) else 1 if isinstance(node, rules.Any) else node.required
            needed = required if target is Status.MET else len(parts) - required + 1
            return _some(parts, target, needed, limit)
        case rules.FirstKnown():  # whichever of them becomes known first
            return _minimal(chosen for part in parts for chosen in _settle(part, target, limit))
        case _:
            condition, then, otherwise = parts
            ways = [
                _both(_settle(condition, Status.MET, limit), _settle(then, target, limit), limit),
                _both(_settle(condition, Status.NOT_MET, limit), _settle(otherwise, target, limit), limit),
                _both(_settle(then, target, limit), _settle(otherwise, target, limit), limit),
            ]
            return _minimal(chosen for way in ways for chosen in way)


def _some(parts: tuple[Outcome, ...], target: Status, needed: int, limit: int) -> Sets:
    """The sets that could bring `needed` of the parts to `target`."""
    reached: list[Sets] = [_DONE, *[_NEVER] * needed]
    for part in parts:
        ways = _settle(part, target, limit)
        for count in range(needed, 0, -1):
            reached[count] = _minimal((*reached[count], *_both(reached[count - 1], ways, limit)))
    return reached[needed]


def _both(a: Sets, b: Sets, limit: int) -> Sets:
    return frozenset(union for x, y in product(a, b) if len(union := x | y) <= limit)


def _minimal(sets: Iterable[frozenset[str]]) -> Sets:
    distinct = frozenset(sets)
    return frozenset(chosen for chosen in distinct if not any(other < chosen for other in distinct))

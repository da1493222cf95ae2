"""Which observables, once known, could settle a verdict that is open."""

from __future__ import annotations

from collections.abc import Collection
from itertools import product

from hlhcli import rules
from hlhcli.evaluate import Outcome
from hlhcli.status import Status

Sets = frozenset[frozenset[str]]
_DONE: Sets = frozenset({frozenset()})
_NEVER: Sets = frozenset()
_IMPOSSIBLE = 10**6


def open_observables(outcome: Outcome) -> list[str]:
    """The observables whose values could still change an open result, in the order of the rule."""
    if outcome.status is not Status.UNKNOWN:
        return []
    if not outcome.children:
        return [outcome.evidence[0].observable]
    return list(dict.fromkeys(name for child in outcome.children for name in open_observables(child)))


def smallest_sets(outcome: Outcome, target: Status, pending: Collection[str]) -> list[tuple[str, ...]]:
    """The smallest sets of observables that could bring an open result to `target`; those of `pending` results first."""
    names = open_observables(outcome)
    order = {name: (name not in pending, position) for position, name in enumerate(names)}
    found = _settle(outcome, target, _enough(outcome, target))
    fewest = min(map(len, found), default=0)
    smallest = (tuple(sorted(chosen, key=order.__getitem__)) for chosen in found if len(chosen) == fewest)
    return sorted(smallest, key=lambda chosen: [order[name] for name in chosen])


def _enough(outcome: Outcome, target: Status) -> int:
    """A number of observables that suffices if it is possible at all: the fewest, where no two nodes share one."""
    if outcome.status is not Status.UNKNOWN:
        return 0 if outcome.status is target else _IMPOSSIBLE
    node, parts = outcome.node, outcome.children
    if not parts:
        return 1
    if isinstance(node, rules.Not):
        return _enough(parts[0], ~target)
    costs = [_enough(part, target) for part in parts]
    if isinstance(node, rules.FirstKnown):
        return min(costs)
    if isinstance(node, rules.Choose):
        met, not_met = _enough(parts[0], Status.MET), _enough(parts[0], Status.NOT_MET)
        return min(met + costs[1], not_met + costs[2], costs[1] + costs[2])
    return sum(sorted(costs)[: _needed(node, len(parts), target)])


def _needed(node: rules.Node, parts: int, target: Status) -> int:
    """How many parts must have the result for the node to have it."""
    required = parts if isinstance(node, rules.All) else node.required if isinstance(node, rules.AtLeast) else 1
    return required if target is Status.MET else parts - required + 1


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
            return _some(parts, target, _needed(node, len(parts), target), limit)
        case rules.FirstKnown():  # whichever of them becomes known first
            return frozenset().union(*(_settle(part, target, limit) for part in parts))
        case _:
            condition, then, otherwise = parts
            met, not_met = _settle(condition, Status.MET, limit), _settle(condition, Status.NOT_MET, limit)
            first, second = _settle(then, target, limit), _settle(otherwise, target, limit)
            return _both(met, first, limit) | _both(not_met, second, limit) | _both(first, second, limit)


def _some(parts: tuple[Outcome, ...], target: Status, needed: int, limit: int) -> Sets:
    """The sets that could bring `needed` of the parts to `target`."""
    reached: list[Sets] = [_DONE, *[_NEVER] * needed]
    for part in parts:
        ways = _settle(part, target, limit)
        for count in range(needed, 0, -1):
            reached[count] |= _both(reached[count - 1], ways, limit)
    return reached[needed]


def _both(a: Sets, b: Sets, limit: int) -> Sets:
    return frozenset(union for x, y in product(a, b) if len(union := x | y) <= limit)

"""Which observables, once known, could settle a verdict that is open."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction
from itertools import product

from hlhcli import rules
from hlhcli.outcome import Outcome
from hlhcli.status import Status

Sets = frozenset[frozenset[str]]
_DONE: Sets = frozenset({frozenset()})
_NEVER: Sets = frozenset()
_IMPOSSIBLE = 10**6
_MOST = 1000  # sets of tests that are followed at a time
_FAR = Fraction(10**12)  # beyond every score: what a measured value that is not yet known could add
_OPEN = -(_FAR**2)  # what an unknown measured value holds open: no other term makes up for it


def open_observables(outcome: Outcome) -> list[str]:
    """The observables whose values could still change an open result, in the order of the rule."""
    if not _is_open(outcome):
        return []
    if not outcome.children:
        return [line.observable for line in outcome.evidence if line.value is None] or [outcome.evidence[-1].observable]
    return list(dict.fromkeys(name for child in outcome.children for name in open_observables(child)))


def _is_open(outcome: Outcome) -> bool:
    """True for an unknown result, and for a term of a score whose points are not yet known."""
    if isinstance(outcome.node, (rules.Points, rules.Linear)):
        return outcome.range is not None and not outcome.range.is_point
    return outcome.status is Status.UNKNOWN


def smallest_sets(outcome: Outcome, target: Status, pending: Collection[str]) -> list[tuple[str, ...]]:
    """The smallest sets of observables that could bring an open result to `target`; those of `pending` results first."""
    names = open_observables(outcome)
    order = {name: (name not in pending, position) for position, name in enumerate(names)}
    found = _settle(outcome, target, _enough(outcome, target))
    fewest = min(map(len, found), default=0)
    smallest = (tuple(sorted(chosen, key=order.__getitem__)) for chosen in found if len(chosen) == fewest)
    return sorted(smallest, key=lambda chosen: [order[name] for name in chosen])


def could(outcome: Outcome, target: Status, tests: frozenset[str]) -> bool:
    """True if some answers to `tests` could bring an open result to `target`."""
    if outcome.status is not Status.UNKNOWN:
        return outcome.status is target
    node, parts = outcome.node, outcome.children
    if not parts:
        return tests.issuperset(open_observables(outcome))
    if isinstance(node, rules.Score):
        sign, closed = _direction(node, target)
        most = sum(max(gain for names, gain in _gains(part, sign) if names <= tests) for part in parts)
        return most > sign * node.cutoff or (closed and most == sign * node.cutoff)
    kind = node.kind if isinstance(node, rules.Logic) else None
    if kind == "not":
        return could(parts[0], ~target, tests)
    if kind == "if":
        first, second = could(parts[1], target, tests), could(parts[2], target, tests)
        met, not_met = could(parts[0], Status.MET, tests), could(parts[0], Status.NOT_MET, tests)
        return (first and second) or (met and first) or (not_met and second)
    needed = 1 if kind == "first_known" else _needed(node, len(parts), target)
    return needed is not None and sum(could(part, target, tests) for part in parts) >= needed


def _enough(outcome: Outcome, target: Status) -> int:
    """A number of observables that suffices if it is possible at all: the fewest, where no two nodes share one."""
    if outcome.status is not Status.UNKNOWN:
        return 0 if outcome.status is target else _IMPOSSIBLE
    node, parts = outcome.node, outcome.children
    if not parts or isinstance(node, (rules.Score, rules.Points)):
        return len(open_observables(outcome))
    if isinstance(node, rules.Logic) and node.kind == "not":
        return _enough(parts[0], ~target)
    costs = [_enough(part, target) for part in parts]
    if isinstance(node, rules.Logic) and node.kind == "first_known":
        return min(costs)
    if isinstance(node, rules.Logic) and node.kind == "if":
        met, not_met = _enough(parts[0], Status.MET), _enough(parts[0], Status.NOT_MET)
        return min(met + costs[1], not_met + costs[2], costs[1] + costs[2])
    needed = _needed(node, len(parts), target)
    return _IMPOSSIBLE if needed is None else sum(sorted(costs)[:needed])


def _needed(node: rules.Node, parts: int, target: Status) -> int | None:
    """How many parts must have the result for the node to have it; None where no number is published."""
    if isinstance(node, rules.AtLeast):
        required = node.required
    else:
        kind = node.kind if isinstance(node, rules.Logic) else None
        if kind == "agree":
            return parts
        required = parts if kind == "all" else 1
    return required if required is None or target is Status.MET else parts - required + 1


def _settle(outcome: Outcome, target: Status, limit: int) -> Sets:
    """The sets of at most `limit` observables that could make the result `target`."""
    if outcome.status is not Status.UNKNOWN:
        return _DONE if outcome.status is target else _NEVER
    node, parts = outcome.node, outcome.children
    if not parts:
        return frozenset({frozenset(open_observables(outcome))})
    if isinstance(node, rules.Score):
        return _score(node, parts, target, limit)
    kind = node.kind if isinstance(node, rules.Logic) else None
    if kind == "not":
        return _settle(parts[0], ~target, limit)
    if kind == "first_known":  # whichever of them becomes known first
        return frozenset().union(*(_settle(part, target, limit) for part in parts))
    if kind == "if":
        condition, then, otherwise = parts
        met, not_met = _settle(condition, Status.MET, limit), _settle(condition, Status.NOT_MET, limit)
        first, second = _settle(then, target, limit), _settle(otherwise, target, limit)
        return _both(met, first, limit) | _both(not_met, second, limit) | _both(first, second, limit)
    needed = _needed(node, len(parts), target)
    return _NEVER if needed is None else _some(parts, target, needed, limit)


def _some(parts: tuple[Outcome, ...], target: Status, needed: int, limit: int) -> Sets:
    """The sets that could bring `needed` of the parts to `target`."""
    reached: list[Sets] = [_DONE, *[_NEVER] * needed]
    for part in parts:
        ways = _settle(part, target, limit)
        for count in range(needed, 0, -1):
            reached[count] = _few(reached[count] | _both(reached[count - 1], ways, limit))
    return reached[needed]


def _few(sets: Sets) -> Sets:
    """The smaller ones, where there are more than anybody could read: in long lists of alike items every choice is one."""
    return sets if len(sets) <= _MOST else frozenset(sorted(sets, key=lambda each: (len(each), sorted(each)))[:_MOST])


def _both(a: Sets, b: Sets, limit: int) -> Sets:
    return frozenset(union for x, y in product(a, b) if len(union := x | y) <= limit)


def _score(node: rules.Score, parts: tuple[Outcome, ...], target: Status, limit: int) -> Sets:
    """The smallest sets that could bring the sum beyond the cut-off, or keep it from there."""
    sign, closed = _direction(node, target)
    ways = [list(_gains(part, sign)) for part in parts]
    for size in range(1, limit + 1):
        best: dict[frozenset[str], Fraction] = {frozenset(): Fraction(0)}
        for options in ways:
            step: dict[frozenset[str], Fraction] = {}
            for (chosen, total), (names, gain) in product(best.items(), options):
                union = chosen | names
                if len(union) <= size and (union not in step or step[union] < total + gain):
                    step[union] = total + gain
            best = _best(step)
        goal = sign * node.cutoff
        if found := frozenset(chosen for chosen, total in best.items() if total > goal or (closed and total == goal)):
            return found
    return _NEVER


def _best(sets: dict[frozenset[str], Fraction]) -> dict[frozenset[str], Fraction]:
    """The better ones of each size, where there are more than anybody could read."""
    if len(sets) <= _MOST:
        return sets
    kept: dict[frozenset[str], Fraction] = {}
    for size in range(max(map(len, sets)) + 1):
        alike = sorted((names for names in sets if len(names) == size), key=lambda names: (-sets[names], sorted(names)))
        kept |= {names: sets[names] for names in alike[: _MOST // 10]}
    return kept


def _direction(node: rules.Score, target: Status) -> tuple[int, bool]:
    """Which way the sum must go to reach the result, and whether the cut-off itself will do."""
    upward = (node.operator[0] == ">") is (target is Status.MET)
    return 1 if upward else -1, (node.operator in (">=", "<=")) is (target is Status.MET)


def _gains(part: Outcome, sign: int) -> Iterator[tuple[frozenset[str], Fraction]]:
    """What the term is sure to add in the direction of `sign`, without and with more observables known."""
    known = part.range
    assert known is not None
    sure = known.lo if sign > 0 else known.hi
    least = sign * sure if sure is not None else _OPEN
    yield frozenset(), least
    if isinstance(part.node, rules.Linear):
        if not known.is_point:
            best = known.hi if sign > 0 else known.lo
            beyond = _FAR if part.node.coefficient * sign > 0 else Fraction(0)  # a measured value is not negative
            yield frozenset(open_observables(part)), beyond if best is None else sign * best
        return
    assert isinstance(part.node, rules.Points)
    bins: list[tuple[Fraction, Outcome | None]] = [(Fraction(0), None), *zip(part.node.points, part.children, strict=True)]
    limit = len(open_observables(part))
    for index, (points, reached) in enumerate(bins):
        if sign * points <= least:
            continue
        ways = _settle(reached, Status.MET, limit) if reached else _DONE
        for worse, later in bins[index + 1 :]:  # a later bin that counts less must be ruled out
            if later and sign * worse < sign * points:
                ways = _both(ways, _settle(later, Status.NOT_MET, limit), limit)
        for names in ways:
            yield names, sign * points

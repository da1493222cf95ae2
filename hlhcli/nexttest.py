"""Which observables, once known, could settle a verdict that is open."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from fractions import Fraction
from functools import cache
from itertools import product
from math import lcm
from typing import TypeAlias

from hlhcli import observables, rules
from hlhcli.outcome import Outcome
from hlhcli.status import Status

Tests: TypeAlias = int  # a set of observables, as one bit for each: thousands of them are joined and compared
Sets = frozenset[Tests]
_Way: TypeAlias = Callable[[Tests], bool]
_DONE: Sets = frozenset({0})
_NEVER: Sets = frozenset()
_IMPOSSIBLE = 10**6
_MOST = 1000  # sets of tests that are followed at a time
_FAR = Fraction(10**12)  # beyond every score: what a measured value that is not yet known could add
_OPEN = -(_FAR**2)  # what an unknown measured value holds open: no other term makes up for it


def tests_of(names: Iterable[str]) -> Tests:
    """A set of observables."""
    bits, found = _bits(), 0
    for name in names:
        found |= bits.get(name) or bits.setdefault(name, 1 << len(bits))
    return found


@cache
def _bits() -> dict[str, Tests]:
    return {name: 1 << place for place, name in enumerate(observables.names())}


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


class Question:
    """An open result, and what was found of it so far."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.names = open_observables(outcome)
        self._tests = tests_of(self.names)
        self._sets: dict[Status, list[list[str]]] = {}
        self._ways: dict[Status, _Way] = {}
        self._could: dict[Status, dict[Tests, bool]] = {Status.MET: {}, Status.NOT_MET: {}}

    def smallest_sets(self, target: Status, pending: Collection[str]) -> list[tuple[str, ...]]:
        """The smallest sets of observables that could bring the result to `target`; those of `pending` results first."""
        if target not in self._sets:
            found = _settle(self.outcome, target, _enough(self.outcome, target))
            fewest = min(map(int.bit_count, found), default=0)
            smallest = [chosen for chosen in found if chosen.bit_count() == fewest]
            self._sets[target] = [[name for name in self.names if chosen & tests_of([name])] for chosen in smallest]
        order = {name: (name not in pending, position) for position, name in enumerate(self.names)}
        ordered = (tuple(sorted(chosen, key=order.__getitem__)) for chosen in self._sets[target])
        return sorted(ordered, key=lambda chosen: [order[name] for name in chosen])

    def could(self, target: Status, tests: Tests) -> bool:
        """True if some answers to `tests` could bring the result to `target`."""
        asked, known = tests & self._tests, self._could[target]
        if asked not in known:
            if target not in self._ways:
                self._ways[target] = _way(self.outcome, target)
            known[asked] = self._ways[target](asked)
        return known[asked]


def question(outcome: Outcome) -> Question:
    """What is asked by an open result: the same at every time point at which the same is known, and so thought through once."""
    shape = id(outcome.node), _shape(outcome)  # the question keeps the node, so that no other one has its number
    if shape not in _asked:
        if len(_asked) >= _KEPT:
            _asked.clear()
        _asked[shape] = Question(outcome)
    return _asked[shape]


_KEPT = 300
_asked: dict[tuple[int, Hashable], Question] = {}


def _shape(outcome: Outcome) -> Hashable:
    """All that the answer follows from, beside the rule: what is open, and what the terms of a score add."""
    if outcome.status is not Status.UNKNOWN and not isinstance(outcome.node, (rules.Points, rules.Linear)):
        return outcome.status
    if not outcome.children:
        return outcome.status, outcome.range, *((line.observable, line.value is None) for line in outcome.evidence)
    return outcome.status, outcome.range, *map(_shape, outcome.children)


def _way(outcome: Outcome, target: Status) -> _Way:
    """Whether some answers to given tests could bring a result to `target`; what is decided is left out once and for all."""
    if outcome.status is not Status.UNKNOWN:
        return _always if outcome.status is target else _never
    node, parts = outcome.node, outcome.children
    if not parts:
        needs = tests_of(open_observables(outcome))
        return lambda tests: tests & needs == needs
    if isinstance(node, rules.Score):
        return _could_add(node, parts, target)
    kind = node.kind if isinstance(node, rules.Logic) else None
    if kind == "not":
        return _way(parts[0], ~target)
    if kind == "if":
        first, second = _way(parts[1], target), _way(parts[2], target)
        met, not_met = _way(parts[0], Status.MET), _way(parts[0], Status.NOT_MET)
        return lambda tests: (first(tests) and (second(tests) or met(tests))) or (not_met(tests) and second(tests))
    needed = 1 if kind == "first_known" else _needed(node, len(parts), target)
    ways = [_way(part, target) for part in parts]
    return _never if needed is None else _several([way for way in ways if way is not _never], needed)


def _several(ways: list[_Way], needed: int) -> _Way:
    """So many of them."""
    left = needed - ways.count(_always)
    ways = [way for way in ways if way is not _always]
    if left <= 0 or len(ways) < left:
        return _always if left <= 0 else _never
    return ways[0] if len(ways) == 1 else lambda tests: sum(way(tests) for way in ways) >= left


def _could_add(node: rules.Score, parts: tuple[Outcome, ...], target: Status) -> _Way:
    terms, goal, closed = _terms(node, parts, target)

    def way(tests: Tests) -> bool:
        most = sum(max(gain for needs, gain in options if tests & needs == needs) for options in terms)
        return most > goal or (closed and most == goal)

    return way


def _always(tests: Tests) -> bool:
    return True


def _never(tests: Tests) -> bool:
    return False


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
        return frozenset({tests_of(open_observables(outcome))})
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
    return sets if len(sets) <= _MOST else frozenset(sorted(sets, key=lambda each: (each.bit_count(), each))[:_MOST])


def _both(a: Sets, b: Sets, limit: int) -> Sets:
    return frozenset({union for x in a for y in b if (union := x | y).bit_count() <= limit})


def _score(node: rules.Score, parts: tuple[Outcome, ...], target: Status, limit: int) -> Sets:
    """The smallest sets that could bring the sum beyond the cut-off, or keep it from there."""
    ways, goal, closed = _terms(node, parts, target)
    for size in range(1, limit + 1):
        best: dict[Tests, int] = {0: 0}
        for options in ways:
            step: dict[Tests, int] = {}
            for (chosen, total), (needs, gain) in product(best.items(), options):
                union = chosen | needs
                if union.bit_count() <= size and (union not in step or step[union] < total + gain):
                    step[union] = total + gain
            best = _best(step)
        if found := frozenset(chosen for chosen, total in best.items() if total > goal or (closed and total == goal)):
            return found
    return _NEVER


def _terms(node: rules.Score, parts: tuple[Outcome, ...], target: Status) -> tuple[list[list[tuple[Tests, int]]], int, bool]:
    """What each term could add towards the result, the sum to be reached, and whether that sum itself will do.

    All in whole numbers of one fraction, which are added much faster.
    """
    sign, closed = _direction(node, target)
    gains = [list(_gains(part, sign)) for part in parts]
    scale = lcm(node.cutoff.denominator, *{gain.denominator for options in gains for _, gain in options})
    whole = [[(needs, int(gain * scale)) for needs, gain in options] for options in gains]
    return whole, int(sign * node.cutoff * scale), closed


def _best(sets: dict[Tests, int]) -> dict[Tests, int]:
    """The better ones of each size, where there are more than anybody could read."""
    if len(sets) <= _MOST:
        return sets
    kept: dict[Tests, int] = {}
    for size in range(max(map(int.bit_count, sets)) + 1):
        alike = sorted((tests for tests in sets if tests.bit_count() == size), key=lambda tests: (-sets[tests], tests))
        kept |= {tests: sets[tests] for tests in alike[: _MOST // 10]}
    return kept


def _direction(node: rules.Score, target: Status) -> tuple[int, bool]:
    """Which way the sum must go to reach the result, and whether the cut-off itself will do."""
    upward = (node.operator[0] == ">") is (target is Status.MET)
    return 1 if upward else -1, (node.operator in (">=", "<=")) is (target is Status.MET)


def _gains(part: Outcome, sign: int) -> Iterator[tuple[Tests, Fraction]]:
    """What the term is sure to add in the direction of `sign`, without and with more observables known."""
    known = part.range
    assert known is not None
    sure = known.lo if sign > 0 else known.hi
    least = sign * sure if sure is not None else _OPEN
    yield 0, least
    if isinstance(part.node, rules.Linear):
        if not known.is_point:
            best = known.hi if sign > 0 else known.lo
            beyond = _FAR if part.node.coefficient * sign > 0 else Fraction(0)  # a measured value is not negative
            yield tests_of(open_observables(part)), beyond if best is None else sign * best
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
        for needs in ways:
            yield needs, sign * points

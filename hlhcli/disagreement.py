"""Several sets of criteria on one time point: where their verdicts differ and on account of which items, and what to test next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hlhcli import nexttest
from hlhcli.assessment import Assessment, Item
from hlhcli.status import Status


class Difference(NamedTuple):
    """An item that is not the same in two assessments; None where a set has no such item."""

    id: str
    title: str
    here: Item | None
    there: Item | None


class Disagreement(NamedTuple):
    """A verdict that is not that of the first set, and the items that make the difference."""

    first: Assessment
    other: Assessment
    items: tuple[Difference, ...]

    @property
    def contradicts(self) -> bool:
        """True where one is met and the other is not; for sets that count much the same items, also where only one is open."""
        shared = sum(1 for item in self.items if item.here and item.there)
        same = len(self.first.items) - sum(1 for item in self.items if item.here)
        alike = 2 * (shared + same) > max(len(self.first.items), len(self.other.items))
        counted = self.first.count is not None and self.other.count is not None
        return (alike and counted) or Status.UNKNOWN not in (self.first.status, self.other.status)


class Step(NamedTuple):
    """Observables that together could settle open verdicts: the sets that could then be met, and those that could be not met."""

    observables: tuple[str, ...]
    met: tuple[str, ...]
    not_met: tuple[str, ...]

    @property
    def most(self) -> int:
        """How many verdicts the same answers could settle: what meets one set seldom fails another."""
        return max(len(self.met), len(self.not_met))


class Comparison(NamedTuple):
    """All chosen sets on one time point. Tests are named for the open verdicts of sets that were made for this patient."""

    assessments: tuple[Assessment, ...]
    disagreements: tuple[Disagreement, ...]
    open_verdicts: int  # of the sets that tests are named for
    next_tests: tuple[Step, ...]
    all_open: Step | None  # few observables that could settle every one of them, all met or all not met

    @property
    def timepoint(self) -> str:
        return self.assessments[0].timepoint


def compare_sets(assessments: Iterable[Assessment]) -> list[Comparison]:
    """One comparison for each time point; nothing where only one set was chosen."""
    by_place: dict[int, list[Assessment]] = {}
    for assessment in assessments:
        by_place.setdefault(assessment.snapshot.place, []).append(assessment)
    return [_compare(tuple(each)) for each in by_place.values() if len(each) > 1]


def _compare(assessments: tuple[Assessment, ...]) -> Comparison:
    first, *others = assessments
    disagreements = tuple(
        Disagreement(first, other, _differences(first, other)) for other in others if first.status is not other.status
    )
    made_for = tuple(each for each in assessments if each.applicable)
    relevant = made_for or tuple(each for each in assessments if each.applicable is not False)
    open_ones = tuple(each for each in relevant if each.next_tests)
    steps = _steps(open_ones)
    return Comparison(assessments, disagreements, len(open_ones), steps, _together(open_ones, steps))


def _differences(first: Assessment, other: Assessment) -> tuple[Difference, ...]:
    """The items that differ in status, or that only one of the two has."""
    here, there = ({item.id: item for item in (*each.stated_asides, *each.items)} for each in (first, other))
    found = []
    for name in dict.fromkeys([*here, *there]):
        a, b = here.get(name), there.get(name)
        if a is None or b is None or a.status is not b.status:
            found.append(Difference(name, next(item.title for item in (a, b) if item), a, b))
    return tuple(found)


def _steps(open_ones: tuple[Assessment, ...]) -> tuple[Step, ...]:
    """The smallest sets of tests of each open verdict, with the other open verdicts that each could settle too."""
    pending = frozenset[str]().union(*(each.pending for each in open_ones))
    names = {frozenset(test.observables): test.observables for each in open_ones for test in each.next_tests}
    steps = [_step(tests, open_ones) for tests in names.values()]
    return tuple(sorted(steps, key=lambda step: (-step.most, len(step.observables), len({*step.observables} - pending))))


def _step(tests: tuple[str, ...], open_ones: tuple[Assessment, ...]) -> Step:
    met, not_met = (_settled(open_ones, tests, way) for way in (Status.MET, Status.NOT_MET))
    return Step(tests, met, not_met)


def _settled(open_ones: tuple[Assessment, ...], tests: Iterable[str], way: Status) -> tuple[str, ...]:
    asked = nexttest.tests_of(tests)
    return tuple(each.criteria.id for each in open_ones if each.question.could(way, asked))


def _together(open_ones: tuple[Assessment, ...], steps: tuple[Step, ...]) -> Step | None:
    """Found one after another, then without the tests that are not needed; the fewer of the two ways."""
    found = [step for way in (Status.MET, Status.NOT_MET) if (step := _every(open_ones, steps, way))]
    return min(found, key=lambda step: len(step.observables), default=None)


def _every(open_ones: tuple[Assessment, ...], steps: tuple[Step, ...], way: Status) -> Step | None:
    every = {each.criteria.id for each in open_ones}
    tests: frozenset[str] = frozenset()
    left = set(every)
    while left:
        best = max(
            steps,
            key=lambda step: (len(left.intersection(_ways(step, way))), -len({*step.observables} - tests)),
        )
        if not left.intersection(_ways(best, way)):
            return None
        tests |= {*best.observables}
        left -= {*_settled(open_ones, tests, way)}
    for name in sorted(tests):
        if every <= {*_settled(open_ones, tests - {name}, way)}:
            tests -= {name}
    order = dict.fromkeys(name for step in steps for name in step.observables)
    return _step(tuple(name for name in order if name in tests), open_ones) if tests else None


def _ways(step: Step, way: Status) -> tuple[str, ...]:
    return step.met if way is Status.MET else step.not_met

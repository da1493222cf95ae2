"""Several sets of criteria on one time point: where their verdicts differ and on account of which items, and what to test next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hlhcli import nexttest
from hlhcli.assessment import Assessment, Item
from hlhcli.status import Status, Verdict


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


class Step(NamedTuple):
    """Observables that together could settle open verdicts: which they are, and what they could become."""

    observables: tuple[str, ...]
    could_settle: tuple[tuple[str, Verdict], ...]  # id of the set, verdict


class Comparison(NamedTuple):
    """All chosen sets on one time point. Tests are named for the open verdicts of sets that were made for this patient."""

    assessments: tuple[Assessment, ...]
    disagreements: tuple[Disagreement, ...]
    open_verdicts: int  # of the sets that tests are named for
    next_tests: tuple[Step, ...]
    all_open: Step | None  # a set of observables that could settle every one of them

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
    disagreements = tuple(Disagreement(first, other, _differences(first, other)) for other in others if _disagree(first, other))
    relevant = tuple(each for each in assessments if each.applicable) or tuple(
        each for each in assessments if each.applicable is not False
    )
    steps = _steps(relevant)
    still_open = sum(1 for each in relevant if each.next_tests)
    return Comparison(assessments, disagreements, still_open, steps, _together(relevant, steps))


def _disagree(first: Assessment, other: Assessment) -> bool:
    """True where the verdicts contradict each other; between sets that are much alike, also where only one of them is open."""
    if first.status is other.status or other.applicable is False:
        return False
    ids, others = ({item.id for item in each.items} for each in (first, other))
    alike = 2 * len(ids & others) > max(len(ids), len(others)) and first.count is not None and other.count is not None
    return alike or Status.UNKNOWN not in (first.status, other.status)


def _differences(first: Assessment, other: Assessment) -> tuple[Difference, ...]:
    """The items that differ in status, or that only one of the two has."""
    here, there = ({item.id: item for item in (*each.stated_asides, *each.items)} for each in (first, other))
    found = []
    for name in dict.fromkeys([*here, *there]):
        a, b = here.get(name), there.get(name)
        if a is None or b is None or a.status is not b.status:
            found.append(Difference(name, next(item.title for item in (a, b) if item), a, b))
    return tuple(found)


def _steps(assessments: tuple[Assessment, ...]) -> tuple[Step, ...]:
    """The smallest sets of tests of each open verdict, and which other open verdicts each could settle too."""
    chosen = dict.fromkeys(frozenset(test.observables) for each in assessments for test in each.next_tests)
    names = {frozenset(test.observables): test.observables for each in assessments for test in each.next_tests}
    steps = [Step(names[tests], _settled(assessments, tests)) for tests in chosen]
    return tuple(sorted(steps, key=lambda step: (-len({name for name, _ in step.could_settle}), len(step.observables))))


def _settled(assessments: tuple[Assessment, ...], tests: frozenset[str]) -> tuple[tuple[str, Verdict], ...]:
    return tuple(
        (each.criteria.id, way.verdict)
        for each in assessments
        if each.status is Status.UNKNOWN
        for way in (Status.MET, Status.NOT_MET)
        if nexttest.could(each.outcome, way, tests)
    )


def _together(assessments: tuple[Assessment, ...], steps: tuple[Step, ...]) -> Step | None:
    """Few observables that could settle every open verdict: found one after another, then without those that are not needed."""
    open_ones = {each.criteria.id for each in assessments if each.next_tests}
    tests: frozenset[str] = frozenset()
    left = set(open_ones)
    while left:
        best = max(steps, key=lambda step: (len(left & _ids(step.could_settle)), -len(frozenset(step.observables) - tests)))
        if not left & _ids(best.could_settle):
            return None
        tests |= frozenset(best.observables)
        left -= _ids(_settled(assessments, tests))
    for name in sorted(tests):
        if _ids(_settled(assessments, tests - {name})) >= open_ones:
            tests -= {name}
    order = dict.fromkeys(name for step in steps for name in step.observables)
    return Step(tuple(name for name in order if name in tests), _settled(assessments, tests)) if tests else None


def _ids(settled: Iterable[tuple[str, Verdict]]) -> set[str]:
    return {name for name, _ in settled}

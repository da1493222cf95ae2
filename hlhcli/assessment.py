"""One set of criteria on one time point: verdict, count as a range, the items with their evidence, what would decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from hlhcli import nexttest, observables
from hlhcli.evaluate import Evidence, Outcome, evaluate
from hlhcli.observations import PENDING, Missing
from hlhcli.rules import AtLeast, CriteriaSet, Grade, item_id, leaves, worst
from hlhcli.snapshot import Snapshot
from hlhcli.status import Status, Verdict, at_least


class Count(NamedTuple):
    """How many of the criteria are met, not met and unknown; the true count lies from `min` to `max`."""

    required: int
    of: int
    met: int
    not_met: int
    unknown: int

    @property
    def min(self) -> int:
        return self.met

    @property
    def max(self) -> int:
        return self.met + self.unknown


class Item(NamedTuple):
    """One criterion: its status and every comparison under it. `reported`: decided by the authors' mark alone."""

    id: str
    title: str
    status: Status
    evidence: tuple[Evidence, ...]
    reported: bool


class ReportedVerdict(NamedTuple):
    """What the authors state, and whether it is compatible with ours (None: they state nothing)."""

    verdict: Status | None
    number: int | None
    agrees: bool | None


class ByValues(NamedTuple):
    """What the observations alone give, where marks of the authors decide some of the items."""

    status: Status
    counted: Count | None


class NextTest(NamedTuple):
    """Observables that together could settle the verdict, and the verdict that they could bring."""

    observables: tuple[str, ...]
    could_settle: Status


@dataclass(frozen=True, eq=False, repr=False)
class Assessment:
    """A set of criteria on a time point."""

    criteria: CriteriaSet
    snapshot: Snapshot
    outcome: Outcome
    count: Count | None
    items: tuple[Item, ...]
    by: str | None
    by_values: ByValues | None
    notes: tuple[str, ...]
    cautions: tuple[tuple[str, str], ...]  # the observable, or `reported.` and the id of an item; and the message
    reported: ReportedVerdict

    @property
    def timepoint(self) -> str:
        return self.snapshot.timepoint.name

    @property
    def day(self) -> Fraction | None:
        return self.snapshot.day

    @property
    def date(self) -> date | None:
        return self.snapshot.date

    @property
    def status(self) -> Status:
        return self.outcome.status

    @property
    def verdict(self) -> Verdict:
        """`met`, `not_met` or `indeterminate`."""
        return self.status.verdict

    @property
    def provenance(self) -> Grade:
        """The worst provenance of the numbers in the set."""
        return worst(self.criteria.verdict)

    @property
    def applicable(self) -> bool | None:
        """Whether the patient is of the population that the set was made for; None where that is not known."""
        return None if self.criteria.population else True

    @property
    def pending(self) -> frozenset[str]:
        """The observables of which a result is on its way."""
        return frozenset(name for name, observation in self.snapshot.known.items() if observation.value == Missing(PENDING))

    @property
    def doubtful(self) -> tuple[str, ...]:
        """The observables whose values are hardly possible and yet decide an item."""
        deciding = {line.observable for item in self.items for line in item.evidence if line.status is not Status.UNKNOWN}
        return tuple(name for name, observation in self.snapshot.known.items() if observation.doubt and name in deciding)

    @property
    def unused(self) -> tuple[str, ...]:
        """The observables that the file has values of and the set does not ask for."""
        asked = {leaf.observable for leaf in leaves(self.criteria.verdict)} | {
            report.observable for report in self.criteria.reports
        }
        known = self.snapshot.timepoint.observations
        return tuple(
            name for name, observation in known.items() if name not in asked and not isinstance(observation.value, Missing)
        )

    @cached_property
    def next_tests(self) -> tuple[NextTest, ...]:
        """The smallest sets of observables that could settle an open verdict, each way; the fewest first."""
        if self.status is not Status.UNKNOWN:
            return ()
        found = [
            NextTest(chosen, way)
            for way in (Status.MET, Status.NOT_MET)
            for chosen in nexttest.smallest_sets(self.outcome, way, self.pending)
        ]
        return tuple(sorted(found, key=lambda test: len(test.observables)))

    @cached_property
    def would_decide(self) -> tuple[str, ...]:
        """Every observable without which the verdict is open; those of the smallest sets first."""
        first = [name for test in self.next_tests for name in test.observables]
        return tuple(dict.fromkeys([*first, *nexttest.open_observables(self.outcome)]))


def assess(criteria: CriteriaSet, snapshot: Snapshot) -> Assessment:
    """The set of criteria on the snapshot."""
    stated = snapshot.timepoint.reported.get(criteria.id)
    outcome = evaluate(criteria.verdict, snapshot.known, stated.marks if stated else {})
    counted, count = _counted(outcome, criteria.counted)
    items = tuple(_item(child) for child in counted.children) if counted else ()
    by_values = None
    if any(item.reported for item in items):
        alone = evaluate(criteria.verdict, snapshot.known, {})
        by_values = ByValues(alone.status, _counted(alone, criteria.counted)[1])
    agrees = None
    if stated and (stated.verdict is not None or stated.count is not None):
        agrees = _agrees(outcome.status, count, stated.verdict, stated.count)
    return Assessment(
        criteria=criteria,
        snapshot=snapshot,
        outcome=outcome,
        count=count,
        items=items,
        by=_by(outcome, counted),
        by_values=by_values,
        notes=tuple(_notes(criteria, snapshot, outcome, count)),
        cautions=outcome.cautions,
        reported=ReportedVerdict(stated.verdict if stated else None, stated.count if stated else None, agrees),
    )


def _counted(outcome: Outcome, node: AtLeast | None) -> tuple[Outcome | None, Count | None]:
    """The outcome of the node that counts, and the count; nothing where the set does not count."""
    if node is None:
        return None, None
    found = next(each for each in _walk(outcome) if each.node is node)
    statuses = [child.status for child in found.children]
    met, not_met = statuses.count(Status.MET), statuses.count(Status.NOT_MET)
    return found, Count(node.required, len(statuses), met, not_met, len(statuses) - met - not_met)


def _walk(outcome: Outcome) -> Iterator[Outcome]:
    yield outcome
    for child in outcome.children:
        yield from _walk(child)


def _item(outcome: Outcome) -> Item:
    title = outcome.node.about.title or observables.get(outcome.evidence[0].observable).title
    return Item(item_id(outcome.node), title, outcome.status, outcome.evidence, outcome.reported)


def _by(outcome: Outcome, counted: Outcome | None) -> str | None:
    """What brought the verdict: the count, or the id of a path that suffices alone."""
    if outcome.status is Status.UNKNOWN:
        return None
    if outcome.status is Status.MET:
        for child in outcome.children:
            if child.status is Status.MET and child.node.about.id and child is not counted:
                return child.node.about.id
    return "count" if counted else None


def _agrees(verdict: Status, count: Count | None, stated: Status | None, number: int | None) -> bool:
    """The reported verdict (or the one that the reported count implies) is ours, or ours is open and could become it."""
    if stated is None and number is not None and count is not None:
        stated = Status.MET if number >= count.required else Status.NOT_MET
    if verdict is stated:
        return True
    return verdict is Status.UNKNOWN and (number is None or count is None or count.min <= number <= count.max)


def _notes(criteria: CriteriaSet, snapshot: Snapshot, outcome: Outcome, count: Count | None) -> list[str]:
    notes = []
    for path in (child for child in outcome.children if child.node.about.id and not child.children):
        line, about = path.evidence[0], path.node.about
        if path.status is Status.MET and count:
            by_count = at_least(count.required, [Status.MET] * count.met + [Status.UNKNOWN] * count.unknown)
            alone = "open" if by_count is Status.UNKNOWN else str(by_count)
            by_itself = f"by the count alone {alone} ({count.met} of {count.of} met)"
            notes.append(f"{about.title}: {line.value}; {by_itself}. {about.note or ''}".strip())
        elif line.note:
            notes.append(f"{about.title}: {line.note}")
    for report in criteria.reports:
        observation = snapshot.known.get(report.observable)
        if observation is None or isinstance(observation.value, Missing):
            continue
        if report.when is None or evaluate(report.when, snapshot.known, {}).status is Status.MET:
            notes.append(f"{observables.get(report.observable).title} {observation.value.text}: {report.say}")
    return notes

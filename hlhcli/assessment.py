"""One set of criteria on one time point: verdict, count or score as a range, the items with their evidence, what would decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from hlhcli import nexttest, population, remarks, rules
from hlhcli.entries import Reported
from hlhcli.evaluate import evaluate, totals
from hlhcli.observations import PENDING, Missing
from hlhcli.outcome import Evidence, Outcome
from hlhcli.quantity import Interval
from hlhcli.rules import CriteriaSet, Grade, Linear, Logic, Points, Report, asked, item_id, worst
from hlhcli.snapshot import Snapshot
from hlhcli.status import Status, Verdict

COUNT = "count"  # what can bring a verdict, beside the id of an aside


class Count(NamedTuple):
    """How many of the criteria are met, not met and unknown; the true count lies from `min` to `max`.

    `required` is None where the source counts, but states no number that suffices. `title` heads one group of several.
    """

    required: int | None
    of: int
    met: int
    not_met: int
    unknown: int
    title: str | None = None

    @property
    def min(self) -> int:
        return self.met

    @property
    def max(self) -> int:
        return self.met + self.unknown

    @property
    def text(self) -> str:
        """What the true count can be: `2 to 7`."""
        return f"{self.min} to {self.max}" if self.unknown else str(self.met)


class Item(NamedTuple):
    """One criterion: its status and every comparison under it. `reported`: decided by the authors' mark alone.

    `points`: what it adds to a score, as far as that is known.
    """

    id: str
    title: str
    status: Status
    evidence: tuple[Evidence, ...]
    reported: bool
    points: Interval | None = None


class ReportedVerdict(NamedTuple):
    """What the authors state, and whether it is compatible with ours (None: they state nothing)."""

    verdict: Status | None
    number: int | None
    score: Fraction | None
    agrees: bool | None


class ByValues(NamedTuple):
    """What the observations alone give, where marks of the authors decide some of the items."""

    status: Status
    counted: Count | None
    score: Interval | None


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
    groups: tuple[Count, ...]
    items: tuple[Item, ...]
    asides: tuple[Outcome, ...]
    by: str | None
    by_values: ByValues | None
    applicable: bool | None  # whether the patient is of the population that the set was made for; None where that is not known
    not_applicable: str | None  # why not, or why it is not known
    graded: tuple[tuple[Report, str], ...]  # the findings that the set grades, with the value
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
    def count(self) -> Count | None:
        """The count, where the set counts its criteria in one list."""
        return self.groups[0] if len(self.groups) == 1 else None

    @property
    def score(self) -> Interval | None:
        """What is known of the score, or of the ratio, that the set compares with its cut-off."""
        return self.outcome.range

    @property
    def probability(self) -> tuple[str, str] | None:
        """What is published for both ends of the score; None where nothing is published, or nothing is known."""
        known = self.score
        if not self.criteria.probability or known is None or not any(item.status is not Status.UNKNOWN for item in self.items):
            return None
        table = self.criteria.probability
        lo = table[0][0] if known.lo is None else known.lo
        hi = table[-1][0] if known.hi is None else known.hi
        return bracket(table, lo), bracket(table, hi)

    @property
    def provenance(self) -> Grade:
        """The worst provenance of the numbers in the set."""
        return worst(self.criteria.verdict)

    @property
    def least_certain(self) -> tuple[str, ...]:
        """The items (or the cut-off of the score) whose numbers have that provenance."""
        grade = self.provenance
        found = [item.title for item, node in zip(self.items, self.criteria.items, strict=True) if worst(node) == grade]
        found += [aside.node.about.title or "" for aside in self.asides if worst(aside.node) == grade]
        return ("cut-off",) if not found else () if len(found) > 2 else tuple(found)

    @property
    def stated_asides(self) -> tuple[Item, ...]:
        """What decides beside the items, where it is stated."""
        return tuple(_item(aside) for aside in self.asides if aside.evidence[0].value is not None)

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
        population = self.criteria.population
        names = self.criteria.asks | {*(asked(population.when) if population and population.when else ())}
        names |= {report.observable for report in self.criteria.reports}
        known = self.snapshot.timepoint.observations
        return tuple(
            name for name, observation in known.items() if name not in names and not isinstance(observation.value, Missing)
        )

    @cached_property
    def question(self) -> nexttest.Question:
        """What an open verdict asks for."""
        return nexttest.question(self.outcome)

    @cached_property
    def next_tests(self) -> tuple[NextTest, ...]:
        """The smallest sets of observables that could settle an open verdict, each way; the fewest first."""
        if self.status is not Status.UNKNOWN:
            return ()
        found = [
            NextTest(chosen, way)
            for way in (Status.MET, Status.NOT_MET)
            for chosen in self.question.smallest_sets(way, self.pending)
        ]
        return tuple(sorted(found, key=lambda test: len(test.observables)))

    @cached_property
    def would_decide(self) -> tuple[str, ...]:
        """Every observable without which the verdict is open; those of the smallest sets first."""
        if self.status is not Status.UNKNOWN:
            return ()
        first = [name for test in self.next_tests for name in test.observables]
        return tuple(dict.fromkeys([*first, *self.question.names]))


def bracket(table: tuple[tuple[Fraction, str], ...], score: Fraction) -> str:
    """What is published at `score`, or at the two scores around it; never more than the ends of the table say."""
    if score <= table[0][0]:
        return f"{table[0][1]}%"
    for (_, before), (upper, text) in pairwise(table):
        if score == upper:
            return f"{text}%"
        if score < upper:
            return f"{before}-{text}%"
    return f"{table[-1][1]}%"


def assess(criteria: CriteriaSet, snapshot: Snapshot) -> Assessment:
    """The set of criteria on the snapshot."""
    stated = snapshot.timepoint.reported.get(criteria.id)
    outcome = evaluate(criteria.verdict, snapshot.known, stated.marks if stated else {})
    parts = {id(part.node): part for part in _outer(outcome)}
    groups = _counts(criteria, parts)
    items = tuple(_item(parts[id(node)]) for node in criteria.items)
    by_values = None
    if any(item.reported for item in items):
        alone = evaluate(criteria.verdict, snapshot.known, {})
        counts = _counts(criteria, {id(part.node): part for part in _outer(alone)})
        by_values = ByValues(alone.status, counts[0] if len(counts) == 1 else None, alone.range)
    asides = tuple(parts[id(node)] for node in criteria.asides)
    applicable, why_not = population.applicable(criteria, snapshot)
    reported = _reported(outcome, groups, stated)
    said = [
        *remarks.of_asides(outcome, asides, groups),
        *remarks.of_what_is_taken(criteria, snapshot),
        *remarks.of_the_edge(criteria, outcome),
        *remarks.of_the_printed_score(reported, outcome),
    ]
    graded, reports = remarks.of_reports(criteria, snapshot)
    return Assessment(
        criteria=criteria,
        snapshot=snapshot,
        outcome=outcome,
        groups=groups,
        items=items,
        asides=asides,
        by=_by(criteria, outcome, asides, groups),
        by_values=by_values,
        applicable=applicable,
        not_applicable=why_not,
        graded=graded,
        notes=(*said, *([why_not] if why_not else []), *reports),
        cautions=outcome.cautions,
        reported=reported,
    )


def _outer(outcome: Outcome) -> Iterator[Outcome]:
    """The outcome and what it was made of, as far down as to the items."""
    yield outcome
    if not outcome.node.about.id:
        for child in outcome.children:
            yield from _outer(child)


def _counts(criteria: CriteriaSet, parts: dict[int, Outcome]) -> tuple[Count, ...]:
    counts = []
    titles = [node.about.title for node in criteria.groups]
    if len(titles) > 1 and (None in titles or len(set(titles)) < len(titles)):
        titles = [f"Group {number}" for number in range(1, len(titles) + 1)]
    for node, title in zip(criteria.groups, titles, strict=True):
        statuses = [child.status for child in parts[id(node)].children]
        met, not_met = statuses.count(Status.MET), statuses.count(Status.NOT_MET)
        counts.append(Count(node.required, len(statuses), met, not_met, len(statuses) - met - not_met, title))
    return tuple(counts)


def _item(outcome: Outcome) -> Item:
    title = rules.title(outcome.node)
    points = outcome.range if isinstance(outcome.node, (Points, Linear)) else None
    return Item(item_id(outcome.node), title, outcome.status, outcome.evidence, outcome.reported, points)


def _by(criteria: CriteriaSet, outcome: Outcome, asides: tuple[Outcome, ...], groups: tuple[Count, ...]) -> str | None:
    """What brought the verdict: the count, the id of what suffices (or must not be) beside it, or None where it is neither."""
    if outcome.status is Status.UNKNOWN:
        return None
    suffices = isinstance(outcome.node, Logic) and outcome.node.kind == "any"
    for aside in asides:
        if aside.status is outcome.status is (Status.MET if suffices else Status.NOT_MET):
            return item_id(aside.node)
    return COUNT if len(groups) == 1 and len(criteria.items) == groups[0].of else None


def _reported(outcome: Outcome, groups: tuple[Count, ...], stated: Reported | None) -> ReportedVerdict:
    if stated is None:
        return ReportedVerdict(None, None, None, None)
    verdict, number, score = stated.verdict, stated.count, stated.score
    agrees: bool | None = None
    if verdict is not None or number is not None:
        agrees = _agrees(outcome.status, groups[0] if len(groups) == 1 else None, verdict, number)
    if score is not None and outcome.range is not None:
        agrees = _could_be(outcome, outcome.range, score) and agrees is not False
    return ReportedVerdict(verdict, number, score, agrees)


def _could_be(outcome: Outcome, known: Interval, score: Fraction) -> bool:
    """True if some completion of what is unknown gives exactly this score."""
    sums = totals(outcome)
    if sums is not None:
        return score in sums
    return Status.NOT_MET not in (known.compare(">=", score), known.compare("<=", score))


def _agrees(verdict: Status, count: Count | None, stated: Status | None, number: int | None) -> bool:
    """The reported verdict (or the one that the reported count implies) is ours, or ours is open and could become it."""
    if stated is None and number is not None and count is not None and count.required is not None:
        stated = Status.MET if number >= count.required else Status.NOT_MET
    if verdict is stated:
        return True
    return verdict is Status.UNKNOWN and (number is None or count is None or count.min <= number <= count.max)

"""How the disease moved: response to each line of therapy, flags of progression, recurrence, events, criteria gained and lost."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Literal, NamedTuple

from hlhcli import observables, responses, rules
from hlhcli.assessment import Assessment, assess
from hlhcli.changes import Change, change
from hlhcli.comparisons import Outcome
from hlhcli.entries import Observation
from hlhcli.evaluate import evaluate
from hlhcli.events import Event, events
from hlhcli.history import History
from hlhcli.lines import Line, Placed, lines, placed
from hlhcli.observations import Finding, Qualitative, Quantity
from hlhcli.patient import Patient
from hlhcli.quantity import Interval
from hlhcli.responses import Due, ResponseClass, ResponseSet
from hlhcli.rules import At, Node
from hlhcli.snapshot import Snapshot, snapshots
from hlhcli.status import Status, Verdict

Timing = Literal["in time", "too early", "too late", "not known", "any time"]
RESTARTED, STATE = "hlh_therapy_restarted", "disease_state"
REMISSION = "remission"


class ClassOutcome(NamedTuple):
    """A class of response, or a flag, with its result."""

    response: ResponseClass
    outcome: Outcome

    @property
    def status(self) -> Status:
        return self.outcome.status

    @property
    def tally(self) -> tuple[int, int, int] | None:
        """How many of what is counted are met, and could be, of how many."""
        if not isinstance(self.outcome.node, rules.AtLeast):
            return None
        statuses = [child.status for child in self.outcome.children]
        met = statuses.count(Status.MET)
        return met, met + statuses.count(Status.UNKNOWN), len(statuses)


class Reading(NamedTuple):
    """A rule for the course, read at a time point against the baseline of a line of therapy.

    `elapsed` is in days since the line began. `floor` is the best class that is certain, `best` the best that is possible; None
    is no class at all.
    """

    rule: ResponseSet
    place: int
    snapshot: Snapshot
    elapsed: Interval | None
    timing: Timing
    classes: tuple[ClassOutcome, ...]
    analogy: bool

    @property
    def floor(self) -> ResponseClass | None:
        return next((each.response for each in self.classes if each.status is Status.MET), None)

    @property
    def best(self) -> ResponseClass | None:
        return next((each.response for each in self.classes if each.status is not Status.NOT_MET), None)

    @property
    def answer(self) -> Literal["class", "none", "indeterminate"]:
        """What the values say, whatever the time: a class, none of them, or several are possible."""
        if self.floor is not self.best:
            return "indeterminate"
        return "none" if self.floor is None else "class"

    @property
    def verdict(self) -> Verdict:
        """Of a rule with one class: met, not met or indeterminate."""
        return self.classes[0].status.verdict

    @property
    def due(self) -> str:
        """When the rule is read, in words."""
        return due_text(self.classes[0].response.due)


class Marker(NamedTuple):
    """How one quantity moved from the baseline to a time point. `better` is None where it cannot be said, or where it stayed."""

    observable: str
    before: Observation
    now: Observation
    change: Change
    better: bool | None


class LineCourse(NamedTuple):
    """One line of therapy: what each rule says at each time point of it, how the markers moved, and what happened when."""

    line: Line
    readings: tuple[Reading, ...]
    markers: tuple[tuple[int, tuple[Marker, ...]], ...]
    events: tuple[Event, ...]

    def of(self, place: int, *roles: str) -> list[Reading]:
        return [each for each in self.readings if each.place == place and each.rule.role in roles]

    def markers_at(self, place: int) -> tuple[Marker, ...]:
        return next((found for at, found in self.markers if at == place), ())


class Recurrence(NamedTuple):
    """The classes of recurrence at a time point, or why they do not apply."""

    rule: ResponseSet
    readings: tuple[Reading, ...]
    why_not: str | None


class Delta(NamedTuple):
    """What became of the criteria of a set between two time points that follow each other: ids of items."""

    criteria: str
    before: Snapshot
    after: Snapshot
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    open: tuple[str, ...]  # not known at one of them


class Course(NamedTuple):
    """All of it."""

    history: History
    ordered: tuple[Snapshot, ...]
    therapies: tuple[Placed, ...]
    lines: tuple[LineCourse, ...]
    recurrences: tuple[Recurrence, ...]
    worsening: tuple[Worsening, ...]
    deltas: tuple[Delta, ...]
    organ: tuple[Assessment, ...]


class Worsening(NamedTuple):
    """Flags of progression at a time point and what the clinician states; `setting`: on which therapy, or after what."""

    place: int
    snapshot: Snapshot
    flags: tuple[ClassOutcome, ...]
    stated: str | None
    setting: Literal["on therapy", "after remission", "without therapy", "not known"]


def course(patient: Patient, assessments: Sequence[Assessment], asked: Sequence[str] = ()) -> Course:
    """The course by the rules that are `asked` for by their ids, else by all that are not kept for request."""
    ordered = tuple(snapshots(patient)[0])
    history = History(patient, ordered)
    chosen = responses.chosen(asked)
    reader = _Reader(patient, ordered, history)
    found = lines(patient, history.calendar, ordered)
    first = next((line for line in found if line.start is not None), None)
    courses = []
    for line in found:
        of_line = [rule for rule in chosen if rule.scope == "every line" or (rule.scope == "first line" and line is first)]
        readings = [reading for rule in of_line if rule.role != "events" for reading in reader.readings(rule, line)]
        markers = [(at, reader.markers(line, at)) for at in line.span]
        happened = [event for rule in of_line if rule.role == "events" for event in events(rule, line, history)]
        courses.append(LineCourse(line, tuple(readings), tuple(markers), tuple(happened)))
    therapies = placed(patient, history.calendar)
    return Course(
        history,
        ordered,
        therapies,
        tuple(courses),
        tuple(reader.recurrence(rule, therapies, courses) for rule in chosen if rule.scope == "once"),
        tuple(reader.worsening(courses, therapies)),
        tuple(deltas(assessments)),
        tuple(_organ_dysfunction(ordered)),
    )


class _Reader:
    """Reads rules at the time points of one patient."""

    def __init__(self, patient: Patient, ordered: Sequence[Snapshot], history: History) -> None:
        self.patient, self.ordered, self.history = patient, ordered, history

    def readings(self, rule: ResponseSet, line: Line) -> list[Reading]:
        """The rule at each time point of the line; what is read at the baseline only where its time has come there."""
        if line.baseline is None:
            return []
        found = []
        for place in (line.baseline, *line.span):
            elapsed = self.elapsed(line, place)
            due = [
                each for each in rule.classes if place != line.baseline or (each.due and _timing(each.due, elapsed) == "in time")
            ]
            if rule.role == "flags":
                due = [each for each in due if _timing(each.due, elapsed) in ("in time", "any time", "not known")]
            if due:
                found.append(self.reading(rule, due, place, line.baseline, elapsed, not _made_for(rule, line.drugs)))
        return found

    def reading(
        self, rule: ResponseSet, classes: list[ResponseClass], place: int, baseline: int, elapsed: Interval | None, analogy: bool
    ) -> Reading:
        snapshot = self.ordered[place]
        asked = {each for response in classes for each in _past(response.node)}
        known = self.history.past(self.history.places[place], self.history.places[baseline], asked)
        if RESTARTED not in known and (begun := self.begun(snapshot)):
            known[RESTARTED] = Observation(Finding(frozenset({"yes"}), "yes"), note=f"{begun} begins here")
        stated = snapshot.timepoint.reported.values()
        marks = {name: mark for each in stated for name, mark in each.marks.items()} if rule.scope == "once" else {}
        outcomes = tuple(ClassOutcome(each, evaluate(each.node, known, marks)) for each in classes)
        return Reading(rule, place, snapshot, elapsed, _timing(classes[0].due, elapsed), outcomes, analogy)

    def begun(self, snapshot: Snapshot) -> str | None:
        """The therapy that begins on the day of the time point."""
        found = [
            each for each in placed(self.patient, self.history.calendar) if each.start is not None and each.start == snapshot.day
        ]
        return " + ".join(each.therapy.drug for each in found) or None

    def elapsed(self, line: Line, place: int) -> Interval | None:
        """The days since the line began: exact, or between what comes before and after; None where nothing is known."""
        if line.start is None:
            return None
        day = self.ordered[place].day
        if day is not None:
            return Interval(day - line.start, day - line.start)
        before = [each.day for each in self.history.instants[: self.history.places[place]] if each.day is not None]
        after = [each.day for each in self.history.instants[self.history.places[place] :] if each.day is not None]
        lo, hi = max(before, default=None), min(after, default=None)
        if lo is None and hi is None:
            return None
        return Interval(None if lo is None else max(lo - line.start, Fraction(0)), None if hi is None else hi - line.start)

    def markers(self, line: Line, place: int) -> tuple[Marker, ...]:
        """Every quantity that was measured both at the baseline of the line and at the time point."""
        assert line.baseline is not None
        names = [name for name in self.ordered[place].known if observables.get(name).worse in ("high", "low")]
        known = self.history.past(self.history.places[place], self.history.places[line.baseline], {("baseline", n) for n in names})
        found = []
        for name in names:
            before, now = known.get(f"baseline.{name}"), known[name]
            if before is None or not (_measured(before) and _measured(now)):
                continue
            moved = change(name, before, now)
            better = None if not moved.direction else (moved.direction > 0) is (observables.get(name).worse == "low")
            found.append(Marker(name, before, now, moved, better))
        return tuple(found)

    def recurrence(self, rule: ResponseSet, therapies: tuple[Placed, ...], courses: list[LineCourse]) -> Recurrence:
        """The rule at every time point after a transplant it is made for, or after a documented remission."""
        since = [each.start for each in therapies if each.start is not None and _made_for(rule, each.therapy.drug)]
        begun = min(since, default=None) if rule.published_for else None
        remission = self.remission(courses)
        found = []
        for place, snapshot in enumerate(self.ordered):
            after = begun is not None and snapshot.day is not None and snapshot.day > begun
            if place and (after or (remission is not None and place > remission)):
                elapsed = Interval(snapshot.day - begun, snapshot.day - begun) if after and snapshot.day and begun else None
                found.append(self.reading(rule, list(rule.classes), place, remission or 0, elapsed, not after))
        if found:
            return Recurrence(rule, tuple(found), None)
        why_not = "nothing was observed after it" if begun is not None or remission is not None else "no documented remission"
        return Recurrence(rule, (), why_not)

    def remission(self, courses: list[LineCourse]) -> int | None:
        """The first time point at which remission is stated, or complete response certain by a rule."""
        for place, snapshot in enumerate(self.ordered):
            if _stated(snapshot) == REMISSION:
                return place
            for each in courses:
                for reading in each.of(place, "response"):
                    if reading.floor and reading.floor is reading.rule.classes[0] and reading.floor.id in ("CR", "resolution"):
                        return place
        return None

    def worsening(self, courses: list[LineCourse], therapies: tuple[Placed, ...]) -> list[Worsening]:
        """Every time point with a flag of progression, or a worsening that the clinician states."""
        remission = self.remission(courses)
        found = []
        for place, snapshot in enumerate(self.ordered):
            flags = [
                each
                for one in courses
                for reading in one.of(place, "flags")
                if all(not response.due for response in reading.rule.classes)
                for each in reading.classes
                if each.status is Status.MET and reading.rule.id == PROGRESSION
            ]
            state = _stated(snapshot)
            stated = state if state in observables.get(STATE).worse.split(", ") else None
            if flags or stated:
                found.append(Worsening(place, snapshot, tuple(flags), stated, _setting(place, snapshot, remission, therapies)))
        return found


PROGRESSION = "early-progression"
_ORGANS = {"pf_ratio", "sf_ratio", "mean_arterial_pressure", "gcs"}


def _setting(
    place: int, snapshot: Snapshot, remission: int | None, therapies: tuple[Placed, ...]
) -> Literal["on therapy", "after remission", "without therapy", "not known"]:
    if remission is not None and place > remission:
        return "after remission"
    day = snapshot.day
    if day is None:
        return "not known"
    running = [
        each for each in therapies if each.start is not None and each.start < day and (each.stop is None or each.stop >= day)
    ]
    return "on therapy" if running else "without therapy"


def _stated(snapshot: Snapshot) -> str | None:
    """The state of the disease that the clinician states at the time point."""
    found = snapshot.known.get(STATE)
    return None if found is None or not isinstance(found.value, Finding) else found.value.text


def _measured(one: Observation) -> bool:
    return isinstance(one.value, (Quantity, Qualitative))


def _past(node: Node) -> set[tuple[At, str]]:
    """What a rule asks of the past."""
    found: set[tuple[At, str]] = set()
    for leaf in rules.leaves(node):
        if isinstance(leaf, rules.Change):
            found.add((leaf.against, leaf.observable))
        elif isinstance(leaf, (rules.Threshold, rules.Present)) and leaf.at:
            found.add((leaf.at, leaf.observable))
    return found


def _made_for(rule: ResponseSet, drugs: str) -> bool:
    """True if the rule was published for one of these drugs, or names none."""
    return not rule.published_for or any(word in drugs.casefold() for word in rule.published_for)


def due_text(due: Sequence[Due]) -> str:
    """When a rule is read: `day 14 ± 3`."""
    return " or ".join(each.text for each in due)


def _timing(due: Sequence[Due], elapsed: Interval | None) -> Timing:
    """Where `elapsed` lies: a window may be certain, out of reach, or open."""
    if not due:
        return "any time"
    if elapsed is None:
        return "not known"
    inside = [_inside(each.days, elapsed) for each in due]
    if Status.MET in inside:
        return "in time"
    if Status.UNKNOWN in inside:
        return "not known"
    first = min(each.days.lo or Fraction(0) for each in due)
    return "too early" if elapsed.compare("<", first) is Status.MET else "too late"


def _inside(window: Interval, elapsed: Interval) -> Status:
    sides = [elapsed.compare(">=", window.lo)] if window.lo is not None else []
    sides += [elapsed.compare("<=", window.hi)] if window.hi is not None else []
    if Status.NOT_MET in sides:
        return Status.NOT_MET
    return Status.UNKNOWN if Status.UNKNOWN in sides else Status.MET


def deltas(assessments: Sequence[Assessment]) -> list[Delta]:
    """Which criteria were gained and lost between time points that follow each other, for each set."""
    found = []
    for first, second in pairwise(assessments):
        if first.criteria is not second.criteria:
            continue
        pairs = [(item.id, item.status, other.status) for item, other in zip(first.items, second.items, strict=True)]
        gained = tuple(name for name, a, b in pairs if a is Status.NOT_MET and b is Status.MET)
        lost = tuple(name for name, a, b in pairs if a is Status.MET and b is Status.NOT_MET)
        unclear = tuple(name for name, a, b in pairs if (a is Status.UNKNOWN) is not (b is Status.UNKNOWN))
        found.append(Delta(first.criteria.id, first.snapshot, second.snapshot, gained, lost, unclear))
    return found


def _organ_dysfunction(ordered: Sequence[Snapshot]) -> list[Assessment]:
    """pSOFA at each time point where one of the values that no set of criteria for HLH asks for is known."""
    places = [place for place, each in enumerate(ordered) if each.known.keys() & _ORGANS]
    if not places:
        return []
    score = responses.organ_dysfunction()
    return [assess(score, ordered[place]) for place in places]

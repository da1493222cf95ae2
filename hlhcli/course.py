"""How the disease moved: response to each line of therapy, flags of progression, recurrence, events, criteria gained and lost."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

from hlhcli import observables, responses, rules
from hlhcli.assessment import Assessment, assess
from hlhcli.changes import Change, change
from hlhcli.entries import STATE, Observation
from hlhcli.evaluate import evaluate
from hlhcli.events import Event, events
from hlhcli.history import History
from hlhcli.lines import Line, Placed, lines, placed
from hlhcli.observations import Finding, Qualitative, Quantity
from hlhcli.patient import Patient
from hlhcli.quantity import Interval
from hlhcli.reading import ClassOutcome, Reading, made_for, of_the_past, timing
from hlhcli.responses import ResponseClass, ResponseSet
from hlhcli.snapshot import Snapshot, snapshots
from hlhcli.status import Status

RESTARTED = "hlh_therapy_restarted"
REMISSION = "remission"


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
    baseline: Snapshot | None
    readings: tuple[Reading, ...]
    markers: dict[int, tuple[Marker, ...]]  # at the time points of the line
    events: tuple[Event, ...]

    def of(self, place: int, *roles: str) -> list[Reading]:
        return [each for each in self.readings if each.place == place and each.rule.role in roles]

    def markers_at(self, place: int) -> tuple[Marker, ...]:
        return self.markers.get(place, ())


class Recurrence(NamedTuple):
    """The classes of recurrence at a time point, or why they do not apply."""

    rule: ResponseSet
    readings: tuple[Reading, ...]
    why_not: str | None


class Course(NamedTuple):
    """All of it."""

    history: History
    ordered: tuple[Snapshot, ...]
    therapies: tuple[Placed, ...]
    lines: tuple[LineCourse, ...]
    recurrences: tuple[Recurrence, ...]
    worsening: tuple[Worsening, ...]
    organ: tuple[Assessment, ...]


class Worsening(NamedTuple):
    """Flags of progression at a time point and what the clinician states; `setting`: on which therapy, or after what."""

    place: int
    snapshot: Snapshot
    flags: tuple[ClassOutcome, ...]
    stated: str | None
    setting: Literal["on_therapy", "after_remission", "without_therapy", "not_known"]


def course(patient: Patient, asked: Sequence[str] = ()) -> Course:
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
        markers = {at: reader.markers(line, at) for at in line.span}
        readings = [reading for rule in of_line if rule.role != "events" for reading in reader.readings(rule, line, markers)]
        happened = [event for rule in of_line if rule.role == "events" for event in events(rule, line, history)]
        base = None if line.baseline is None else ordered[line.baseline]
        courses.append(LineCourse(line, base, tuple(readings), markers, tuple(happened)))
    therapies = placed(patient, history.calendar)
    return Course(
        history,
        ordered,
        therapies,
        tuple(courses),
        tuple(reader.recurrence(rule, therapies, courses) for rule in chosen if rule.scope == "once"),
        tuple(reader.worsening(courses, therapies)),
        tuple(_organ_dysfunction(ordered)),
    )


class _Reader:
    """Reads rules at the time points of one patient."""

    def __init__(self, patient: Patient, ordered: Sequence[Snapshot], history: History) -> None:
        self.patient, self.ordered, self.history = patient, ordered, history

    def readings(self, rule: ResponseSet, line: Line, markers: dict[int, tuple[Marker, ...]]) -> list[Reading]:
        """The rule at each time point of the line; what is read at the baseline only where its time has come there."""
        if line.baseline is None:
            return []
        if rule.only and evaluate(rule.only, self.ordered[line.baseline].known, {}).status is Status.NOT_MET:
            return []
        found = []
        for place in (line.baseline, *line.span):
            elapsed = self.elapsed(line, place)
            due = [each for each in rule.classes if place != line.baseline or (each.due and timing(each.due, elapsed) == "in_time")]
            if rule.role in ("flags", "progression"):
                due = [each for each in due if timing(each.due, elapsed) in ("in_time", "any_time", "not_known")]
            if due:
                reading = self.reading(rule, due, place, line.baseline, elapsed, not made_for(rule, line.drugs))
                found.append(reading._replace(indicated=_indicated(reading, markers.get(place, ()))))
        return found

    def reading(
        self, rule: ResponseSet, classes: list[ResponseClass], place: int, baseline: int, elapsed: Interval | None, analogy: bool
    ) -> Reading:
        snapshot = self.ordered[place]
        asked = {each for response in classes for each in of_the_past(response.node)}
        known = self.history.past(self.history.places[place], self.history.places[baseline], asked)
        if RESTARTED not in known and (begun := self.begun(snapshot)):
            known[RESTARTED] = Observation(Finding(frozenset({"yes"}), "yes"), note=f"{begun} begins here")
        stated = snapshot.timepoint.reported.values()
        marks = {name: mark for each in stated for name, mark in each.marks.items()} if rule.scope == "once" else {}
        outcomes = tuple(ClassOutcome(each, evaluate(each.node, known, marks)) for each in classes)
        return Reading(rule, place, snapshot, elapsed, timing(classes[0].due, elapsed), outcomes, analogy, False)

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
        since = [each.start for each in therapies if each.start is not None and made_for(rule, each.therapy.drug)]
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
                for reading in one.of(place, "progression")
                for each in reading.classes
                if each.status is Status.MET
            ]
            state = _stated(snapshot)
            stated = state if state in observables.get(STATE).worse.split(", ") else None
            if flags or stated:
                found.append(Worsening(place, snapshot, tuple(flags), stated, _setting(place, snapshot, remission, therapies)))
        return found


_ORGANS = {"pf_ratio", "sf_ratio", "mean_arterial_pressure", "gcs"}


def _setting(
    place: int, snapshot: Snapshot, remission: int | None, therapies: tuple[Placed, ...]
) -> Literal["on_therapy", "after_remission", "without_therapy", "not_known"]:
    if remission is not None and place > remission:
        return "after_remission"
    day = snapshot.day
    if day is None:
        return "not_known"
    running = [
        each for each in therapies if each.start is not None and each.start < day and (each.stop is None or each.stop >= day)
    ]
    return "on_therapy" if running else "without_therapy"


def _indicated(reading: Reading, markers: tuple[Marker, ...]) -> bool:
    """True if enough markers moved the right way for the best class, some by words alone, and none the wrong way."""
    best = next((each.outcome for each in reading.classes if each.response is reading.best), None)
    if reading.answer != "indeterminate" or best is None or not isinstance(best.node, rules.AtLeast) or best.node.required is None:
        return False
    better = {marker.observable for marker in markers if marker.better}
    worse = any(marker.better is False for marker in markers)
    asked = [part for part in best.children if any(isinstance(leaf, rules.Change) for leaf in rules.leaves(part.node))]
    moved = [part for part in asked if part.status is Status.UNKNOWN and better & set(rules.asked(part.node))]
    met = sum(part.status is Status.MET for part in best.children)
    return not worse and bool(moved) and met + len(moved) >= best.node.required


def _stated(snapshot: Snapshot) -> str | None:
    """The state of the disease that the clinician states at the time point."""
    found = snapshot.known.get(STATE)
    return None if found is None or not isinstance(found.value, Finding) else found.value.text


def _measured(one: Observation) -> bool:
    return isinstance(one.value, (Quantity, Qualitative))


def _organ_dysfunction(ordered: Sequence[Snapshot]) -> list[Assessment]:
    """pSOFA at each time point where one of the values that no set of criteria for HLH asks for is known."""
    places = [place for place, each in enumerate(ordered) if each.known.keys() & _ORGANS]
    if not places:
        return []
    score = responses.organ_dysfunction()
    return [assess(score, ordered[place]) for place in places]

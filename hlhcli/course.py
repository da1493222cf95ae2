"""How the disease moved: response to each line of therapy, flags of progression, recurrence, events, criteria gained and lost."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from hlhcli import observables, responses, rules
from hlhcli.assessment import Assessment, assess
from hlhcli.changes import Change, change
from hlhcli.evaluate import evaluate
from hlhcli.events import Event, events
from hlhcli.history import History
from hlhcli.observations import Finding, Observation, Qualitative, Quantity
from hlhcli.patient import Patient
from hlhcli.progression import Remission, Worsening, state_of, worsening
from hlhcli.quantity import Interval
from hlhcli.reading import ClassOutcome, Reading, made_for, timing
from hlhcli.responses import Due, ResponseClass, ResponseSet
from hlhcli.snapshot import Snapshot, snapshots
from hlhcli.status import Status
from hlhcli.therapy import Line, Placed, first_of, lines, placed

RESTARTED = "hlh_therapy_restarted"
REMISSION = "remission"
COMPLETE = ("CR",)  # classes of response that document a remission


class Marker(NamedTuple):
    """How one quantity moved from the baseline to a time point. `better` is None where it cannot be said, or where it stayed."""

    observable: str
    before: Observation
    now: Observation
    change: Change
    better: bool | None
    treatments_stated: bool  # whether the file says if a treatment was given that raises it, where there is one


class LineCourse(NamedTuple):
    """One line of therapy: what each rule says at each time point of it, how the markers moved, and what happened when."""

    line: Line
    baseline: Snapshot | None
    readings: tuple[Reading, ...]
    markers: dict[int, tuple[Marker, ...]]  # at the time points of the line
    events: tuple[Event, ...]

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
    remission: Remission | None
    worsening: tuple[Worsening, ...]
    organ: tuple[Assessment, ...]


def course(patient: Patient, asked: Sequence[str] = ()) -> Course:
    """The course by the rules that are `asked` for by their ids, else by all that are not kept for request."""
    ordered = tuple(snapshots(patient)[0])
    history = History(patient, ordered)
    chosen = responses.chosen(asked)
    reader = _Reader(patient, ordered, history)
    found = lines(patient, history.calendar, ordered)
    first = first_of(found)
    courses = []
    for line in found:
        of_line = [rule for rule in chosen if rule.scope == "every line" or (rule.scope == "first line" and line is first)]
        if any(rule.scope == "once" and rule.published_for and made_for(rule, line.drugs) for rule in chosen):
            of_line = [rule for rule in of_line if rule.role == "events"]  # a transplant is no drug whose response is read
        markers = {at: reader.markers(line, at) for at in line.span}
        readings = [reading for rule in of_line if rule.role != "events" for reading in reader.readings(rule, line, markers)]
        happened = [event for rule in of_line if rule.role == "events" for event in events(rule, line, history)]
        base = None if line.baseline is None else ordered[line.baseline]
        courses.append(LineCourse(line, base, tuple(readings), markers, tuple(happened)))
    remission = _remission(ordered, courses)
    return Course(
        history,
        ordered,
        reader.therapies,
        tuple(courses),
        tuple(reader.recurrence(rule, remission) for rule in chosen if rule.scope == "once"),
        remission,
        tuple(worsening(chosen, history, found, reader.therapies, remission)),
        tuple(_organ_dysfunction(ordered)),
    )


class _Reader:
    """Reads rules at the time points of one patient."""

    def __init__(self, patient: Patient, ordered: Sequence[Snapshot], history: History) -> None:
        self.ordered, self.history = ordered, history
        self.therapies = placed(patient, history.calendar)
        self.beginning: dict[Fraction, list[Placed]] = {}
        for each in self.therapies:
            if each.start is not None:
                self.beginning.setdefault(each.start, []).append(each)
        self.asked: dict[int, set[tuple[rules.At, str]]] = {}  # of the past, by the nodes of the classes

    def readings(self, rule: ResponseSet, line: Line, markers: dict[int, tuple[Marker, ...]]) -> list[Reading]:
        """The rule at each time point of the line; what is read at the baseline only where its time has come there."""
        if line.baseline is None:
            return []
        if rule.only and evaluate(rule.only, self.ordered[line.baseline].known, {}).status is Status.NOT_MET:
            return []
        found: list[Reading] = []
        for place in (line.baseline, *line.span):
            elapsed = self.elapsed(line, place)
            at_start = place == line.baseline  # where nothing has changed yet
            classes = [each._replace(due=each.due_in(line.length)) for each in rule.classes if each.at_start is at_start]
            if at_start or rule.role == "flags":
                classes = [each for each in classes if timing(each.due, elapsed) in ("in_time", "any_time")]
            else:  # a class with a time of its own is no class outside it
                other = ("too_early", "too_late")
                classes = [each for each in classes if each.due == classes[0].due or timing(each.due, elapsed) not in other]
            overlap = self.overlap(line, place)
            if not classes or (rule.role == "refractory" and (overlap or _responded(found, classes[0].due, elapsed))):
                continue  # with another line begun, or after a response, it is no primary refractoriness
            reading = self.reading(rule, classes, place, line.baseline, elapsed, not made_for(rule, line.drugs))
            found.append(reading._replace(indicated=_indicated(reading, markers.get(place, ())), overlap=overlap))
        return found

    def overlap(self, line: Line, place: int) -> Fraction | None:
        """The day on which another line began, before the time point."""
        day = self.ordered[place].day
        return line.until if line.until is not None and day is not None and day > line.until else None

    def reading(
        self, rule: ResponseSet, classes: list[ResponseClass], place: int, baseline: int, elapsed: Interval | None, analogy: bool
    ) -> Reading:
        snapshot = self.ordered[place]
        asked = {each for response in classes for each in self.asked_by(response)}
        known = self.history.past(self.history.places[place], self.history.places[baseline], asked)
        if RESTARTED not in known and (begun := self.begun(snapshot)):
            known[RESTARTED] = Observation(Finding(frozenset({"yes"}), "yes"), note=f"{begun} begins here")
        reported = snapshot.timepoint.reported.get(rule.counts) if rule.counts else None
        marks = reported.marks if reported else {}
        outcomes = tuple(ClassOutcome(each, evaluate(each.node, known, marks)) for each in classes)
        return Reading(rule, place, snapshot, elapsed, timing(classes[0].due, elapsed), outcomes, analogy, False, None)

    def asked_by(self, response: ResponseClass) -> set[tuple[rules.At, str]]:
        node = id(response.node)  # the rules keep it
        if node not in self.asked:
            self.asked[node] = set(rules.asked_before(response.node))
        return self.asked[node]

    def begun(self, snapshot: Snapshot) -> str | None:
        """The therapy of a named line that begins on the day of the time point."""
        found = [each.therapy for each in self.beginning.get(snapshot.day, ())] if snapshot.day is not None else []
        return " + ".join(each.drug for each in found if each.line) or None

    def elapsed(self, line: Line, place: int) -> Interval | None:
        """The days since the line began: exact, or between what comes before and after; None where nothing is known."""
        if line.start is None:
            return None
        day = self.ordered[place].day
        if day is not None:
            return Interval(day - line.start, day - line.start)
        before = [each.day for each in self.ordered[:place] if each.day is not None]
        after = [each.day for each in self.ordered[place:] if each.day is not None]
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
            moved = change(name, before, now, improvement=True)
            better = None if not moved.direction else (moved.direction > 0) is (observables.get(name).worse == "low")
            raised_by = observables.get(name).raised_by
            stated = not raised_by or any(each in known and isinstance(known[each].value, Finding) for each in raised_by)
            found.append(Marker(name, before, now, moved, better, stated))
        return tuple(found)

    def recurrence(self, rule: ResponseSet, remission: Remission | None) -> Recurrence:
        """The rule at every time point after a transplant it is made for, or after a documented remission."""
        since = [each.start for each in self.therapies if each.start is not None and made_for(rule, each.therapy.drug)]
        begun = min(since, default=None) if rule.published_for else None
        found = []
        for place, snapshot in enumerate(self.ordered):
            days = None if begun is None or snapshot.day is None else snapshot.day - begun
            elapsed = Interval(days, days) if days is not None and days > 0 else None  # the day itself is not after it
            if elapsed or (remission is not None and place > remission.place):
                base = remission.place if remission else 0
                found.append(self.reading(rule, list(rule.classes), place, base, elapsed, elapsed is None))
        if found:
            return Recurrence(rule, tuple(found), None)
        why_not = (
            f"nothing was observed after the {'transplant' if begun is not None else 'remission'}"
            if begun is not None or remission is not None
            else "no documented remission"
        )
        return Recurrence(rule, (), why_not)


def _remission(ordered: Sequence[Snapshot], courses: list[LineCourse]) -> Remission | None:
    """The first time point at which remission is stated, or complete response is certain by a rule that is read then."""
    found: dict[int, list[Reading]] = {}
    for reading in (one for each in courses for one in each.readings if one.rule.role == "response"):
        found.setdefault(reading.place, []).append(reading)
    for place, snapshot in enumerate(ordered):
        if state_of(snapshot) == REMISSION:
            return Remission(place, "as stated")
        for reading in found.get(place, ()):
            complete = reading.floor is not None and reading.floor.id in COMPLETE
            if complete and reading.timing in ("in_time", "any_time") and not reading.rule.on_request:
                return Remission(place, f"complete response by {reading.rule.label}")
    return None


_ORGANS = {"pf_ratio", "sf_ratio", "mean_arterial_pressure", "gcs"}


def _responded(found: Sequence[Reading], due: Sequence[Due], elapsed: Interval | None) -> bool:
    """True where a refractory rule was denied before: in its time, or at any time once its days of grace are over."""
    denied = [one for one in found if one.verdict == "not_met"]
    over = elapsed is not None and all(elapsed.compare(">", each.day + each.grace) is Status.MET for each in due)
    return bool(denied) and (over or any(one.timing == "in_time" for one in denied))


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


def _measured(one: Observation) -> bool:
    return isinstance(one.value, (Quantity, Qualitative))


def _organ_dysfunction(ordered: Sequence[Snapshot]) -> list[Assessment]:
    """pSOFA at each time point where one of the values that no set of criteria for HLH asks for is known."""
    places = [place for place, each in enumerate(ordered) if each.known.keys() & _ORGANS]
    if not places:
        return []
    score = responses.organ_dysfunction()
    return [assess(score, ordered[place]) for place in places]

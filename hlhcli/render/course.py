"""The course in words and lanes, before it is drawn: shared by the terminal, Markdown and the report."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from hlhcli import observables
from hlhcli.entries import STATE
from hlhcli.errors import printable
from hlhcli.observations import Missing
from hlhcli.quantity import Interval, decimal_text, exact_text, range_text
from hlhcli.rules import AtLeast, Change, Logic, leaves
from hlhcli.status import Status

if TYPE_CHECKING:  # most files have no course, and every start pays for an import
    from hlhcli.api import Result
    from hlhcli.course import Course, LineCourse, Marker, Recurrence
    from hlhcli.deltas import Delta
    from hlhcli.events import Event
    from hlhcli.outcome import Outcome
    from hlhcli.progression import Flag, Worsening
    from hlhcli.reading import Reading
    from hlhcli.responses import Role
    from hlhcli.snapshot import Snapshot

_OPEN = {Status.MET: "yes", Status.NOT_MET: "no", Status.UNKNOWN: "open"}
STATE_HEADING = "State of the disease: stated, response, refractory, worsening, recurrence"
_ANALOGY = ", by analogy"
_FEW = 5  # names that are listed; of more JSON has all
_NO_NUMBER = "a flag, without a published number"


class Section(NamedTuple):
    """A heading, and what is said under it."""

    heading: str
    entries: tuple[str, ...]


class CourseView(NamedTuple):
    """The course in words; texts of the file are made safe for a terminal."""

    sections: tuple[Section, ...]
    course: Course | None  # None where criteria gained and lost are all there is

    @property
    def state(self) -> Section | None:
        """What matters first: what is stated, refractory, or worse."""
        return next((section for section in self.sections if section.heading == STATE_HEADING), None)


def course_view(result: Result) -> CourseView | None:
    """What is said of the course; None where there is none."""
    course = result.course
    sections = [] if course is None else _told(course)
    first = result.deltas[0].criteria if result.deltas else None
    changes = [text for each in result.deltas if each.criteria == first and (text := _delta(each))]
    sections += [Section("Criteria from one time point to the next", tuple(changes))] * bool(changes)
    if not sections and course is None:
        return None
    return CourseView(tuple(Section(printable(s.heading), tuple(map(printable, s.entries))) for s in sections), course)


def _told(course: Course) -> list[Section]:
    """What matters most first: worsening, recurrence, then each line of therapy."""
    worse = [f"{day_text(each)}: stated as {state}" for each in course.ordered if (state := _state(each))]
    worse += [text for each in course.lines for text in _classes(each)]
    worse += [text for each in course.lines for text in _by_time(each)]
    worse += [_worsening(each) for each in course.worsening if each.flags]
    again = [line for each in course.recurrences for line in _recurrence(each, course)]
    no_score = "no criterion of HLH; what is missing is unknown, not 0"
    organ = [f"{each.timepoint}: pSOFA {range_text(each.score)} ({no_score})" for each in course.organ if each.score]
    sections = [
        Section(STATE_HEADING, tuple(worse)),
        Section("Recurrence", tuple(again) if course.lines or course.remission else ()),
        *(_line(each, course) for each in course.lines),
        Section("Organ dysfunction", tuple(organ)),
    ]
    return [section for section in sections if section.entries]


def _classes(each: LineCourse) -> Iterator[str]:
    """The classes of response that are certain and read in their time, in a few words."""
    for reading in headlines(each, "response"):
        if reading.floor and reading.timing == "in_time":
            title = "at least " * (reading.answer != "class") + _title(reading.floor.title)
            by = f"{reading.rule.label}{_ANALOGY * reading.analogy}"
            worse = [observables.inline(marker.observable) for marker in each.markers_at(reading.place) if marker.better is False]
            beside = f", with worsening of {', '.join(worse[:_FEW])}" + " and others" * (len(worse) > _FEW) if worse else ""
            yield f"{day_text(reading.snapshot)}, {each.line.name}: {title} by {by}{beside}"


def _state(snapshot: Snapshot) -> str | None:
    observed = snapshot.known.get(STATE)
    return None if observed is None or isinstance(observed.value, Missing) else observed.value.text


def day_text(snapshot: Snapshot) -> str:
    """The name of a time point, and its day."""
    name = snapshot.timepoint.name
    return name if snapshot.day is None else f"{name} (day {exact_text(snapshot.day)})"


def _line(each: LineCourse, course: Course) -> Section:
    line = each.line
    when = f"from day {exact_text(line.start)}" if line.start is not None else "start not stated"
    when += f" to {exact_text(line.stop)}" if line.stop is not None else ""
    entries = []
    if line.why_not:
        entries.append(f"Response is not evaluable: {line.why_not}")
    elif not line.span:
        entries.append("Response is not evaluable: no time point after it began")
    else:
        entries += _response(each, course)
    return Section(f"{line.name}: {line.drugs}, {when}", tuple(entries))


def _response(each: LineCourse, course: Course) -> Iterator[str]:
    line = each.line
    if each.baseline:
        gap = line.start - each.baseline.day if line.start is not None and each.baseline.day is not None else None
        before = f", {decimal_text(gap, 2)} d before the start" if gap else ""
        yield f"Baseline: {day_text(each.baseline)}{before}{', named in the file' if line.chosen else ''}"
    if line.guessed:
        yield "Taken as one line because the same time point comes before these drugs; 'line:' in the file tells lines apart"
    idle: list[str] = []
    for reading in headlines(each, "response"):
        if _idle(reading):
            idle.append(f"{reading.rule.label} ({reading.due})" if reading.due else reading.rule.label)
        else:
            yield f"{_named(reading)}: {said(reading, each.markers_at(reading.place))}"
    if idle:
        names = ", ".join(dict.fromkeys(idle))
        yield f"Not evaluable, or nothing known that is asked for ('hlhcli criteria ID' says what): {names}"
    places = {reading.place for reading in headlines(each, "response") if reading.timing == "in_time"} or {line.last}
    for place in sorted(places):
        yield from _markers(each, place, course)
    yield from _flags(each)
    if each.events:
        yield f"In days from the start of the line: {'; '.join(map(_event, each.events))}"


def _by_time(each: LineCourse) -> Iterator[str]:
    """What the rules for refractory disease say."""
    for reading in headlines(each, "refractory"):
        yield f"{_named(reading)}: {said(reading, ())}"


def headlines(each: LineCourse, role: Role) -> list[Reading]:
    """For each rule of the role the readings in its time, else the last one."""
    rules = dict.fromkeys(reading.rule.id for reading in each.readings if reading.rule.role == role)
    found: list[Reading] = []
    for name in rules:
        of_rule = [reading for reading in each.readings if reading.rule.id == name]
        in_time = [reading for reading in of_rule if reading.timing == "in_time"]
        dues = of_rule[-1].classes[0].response.due
        nearest = [
            min(((_idle(one), one.off(due), one.place, one) for one in in_time), key=itemgetter(0, 1, 2))[3]
            for due in dues
            if in_time
        ]
        found += {reading.place: reading for reading in nearest}.values() or of_rule[-1:]
    return found


def _named(reading: Reading) -> str:
    return f"{reading.rule.label}{_ANALOGY * reading.analogy}, {day_text(reading.snapshot)}"


def _idle(reading: Reading) -> bool:
    """True where nothing that the rule asks for is decided, so that there is nothing to say but its time."""
    if reading.timing == "too_late":
        return True
    if reading.timing == "in_time":
        parts = [part for one in reading.classes for part in ((one.counted or one.outcome).children or (one.outcome,))]
        return all(part.status is Status.UNKNOWN for part in parts) and not reading.indicated
    decided = any(one.status is not Status.UNKNOWN or (one.tally and one.tally[0]) for one in reading.classes)
    return not decided and not reading.indicated


def said(reading: Reading, markers: tuple[Marker, ...]) -> str:
    """What a rule says at a time point: its time, the class or the range of classes, on what it rests, and what worsened."""
    timing = _timing(reading)
    if reading.answer == "class":
        assert reading.floor
        title = reading.floor.title
        text = (
            f"{_title(title) if timing else title.upper()}{_tally(reading, reading.floor.id)}{_rests_on(reading, reading.floor.id)}"
        )
    elif reading.answer == "none":
        text = reading.rule.otherwise
        text += _tally(reading, reading.classes[0].response.id)
    else:
        classes = [f"{_title(one.response.title)} {_OPEN[one.status]}{_tally(reading, one.response.id)}" for one in reading.classes]
        better = ", ".join(observables.inline(marker.observable) for marker in markers if marker.better)
        least = f"at least {_title(reading.floor.title)}: " if reading.floor else "indeterminate: "
        text = f"indicated, not computable ({better} better): " if reading.indicated else least
        text += ", ".join(classes) + _unknown(reading)
    worse = [_moved(marker) for marker in markers if marker.better is False]
    if worse and reading.floor and reading.rule.role == "response":
        text += f", with worsening of {', '.join(worse)}"
    if reading.overlap is not None:
        text += f" (another line began on day {decimal_text(reading.overlap, 2)}: not its effect alone)"
    return f"not evaluable ({timing}); by the values {text}" if timing else text


def _unknown(reading: Reading) -> str:
    """What keeps the best class that is open, where it is a short list."""
    best = next((one for one in reading.classes if one.status is Status.UNKNOWN), None)
    counted = (best.counted or best.outcome).children if best else ()
    names = [_open(part) for part in counted if part.status is Status.UNKNOWN and part.node.about.title]
    return f"; not known: {', '.join(names)}" if 0 < len(names) <= _FEW else ""


def _open(part: Outcome) -> str:
    """An item that is open, and a treatment on account of which it is."""
    why = next((line.note.split("; ")[-1] for line in part.evidence if line.note and "; " in line.note), "")
    return _title(part.node.about.title or "") + (f" ({why})" if why else "")


def _timing(reading: Reading) -> str:
    """Why it is not the time to read the rule; empty where it is."""
    if reading.timing in ("in_time", "any_time"):
        return ""
    day = "the day is not stated" if reading.elapsed is None or not reading.elapsed.is_point else f"day {_days(reading.elapsed)}"
    word = {"too_early": "not yet: ", "too_late": "outside its window: "}.get(reading.timing, "")
    return f"{word}{day}, read {'' if reading.due.startswith('from') else 'on '}{reading.due} of the line"


def _tally(reading: Reading, name: str) -> str:
    one = next(each for each in reading.classes if each.response.id == name)
    counted = one.counted
    if one.tally is None or counted is None or not isinstance(counted.node, AtLeast):
        return ""
    met, most, of = one.tally
    count = str(met) if met == most else f"{met} to {most}"
    name = "" if counted is one.outcome else f"{_title(counted.node.about.title or '')}: "
    return f" ({name}{count} of {of}, {counted.node.required} needed)"


def _rests_on(reading: Reading, name: str) -> str:
    """The items that are met, with the change where there is one."""
    one = next(each for each in reading.classes if each.response.id == name)
    parts = [part for part in one.outcome.children if part.status is Status.MET]
    texts = [f"{_title(part.node.about.title or '')} {_percent(part)}".strip() for part in parts if part.node.about.title]
    return f": {', '.join(texts)}" if texts else ""


def _title(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text


def _percent(part: Outcome) -> str:
    """The change that an item rests on; an item that only denies one has none to show."""
    if isinstance(part.node, AtLeast) or (isinstance(part.node, Logic) and part.node.kind == "not"):
        return ""
    change, found, _ = (part.evidence[-1].note or "").partition(" from ")
    return change if found and "%" in change else ""


def _markers(each: LineCourse, place: int, course: Course) -> Iterator[str]:
    """What became better and what became worse, side by side."""
    at = day_text(course.ordered[place])
    markers = each.markers_at(place)
    for word, which in (("Better", True), ("Worse", False)):
        found = [_moved(marker) for marker in markers if marker.better is which]
        if found:
            silent = [m.observable for m in markers if which and m.better and not m.treatments_stated]
            could = f" (whether treatment raised it is not stated: {', '.join(map(observables.inline, silent))})" if silent else ""
            yield f"{word} than at the baseline, {at}: {', '.join(found)}{could}"
    left_open = [
        f"{observables.inline(m.observable)} ({'; '.join(filter(None, (m.change.text, m.now.note)))})"
        for m in markers
        if m.better is None and m.change.ratio is not None and m.change.direction is None
    ]
    if left_open:
        yield f"Better or worse than at the baseline is not known, {at}: {', '.join(left_open)}"
    refused = [
        f"{observables.inline(m.observable)} ({m.change.why_not})"
        for m in markers
        if m.better is None and m.change.why_not and m.change.direction is None
    ]
    if refused:
        yield f"Not compared, {at}: {', '.join(refused)}"


def _moved(marker: Marker) -> str:
    """How a marker moved, in percent or in words."""
    moved = marker.change.text if marker.change.ratio is not None else f"({marker.before.value.text} to {marker.now.value.text})"
    return f"{observables.inline(marker.observable)} {moved}"


def _flags(each: LineCourse) -> Iterator[str]:
    """Flags that are raised, by rule: prognostic markers and context; those of progression stand under Worsening."""
    for reading in each.readings:
        if reading.rule.role != "flags":
            continue
        raised = [one.response.title for one in reading.classes if one.status is Status.MET]
        unknown = [one.response.title for one in reading.classes if one.status is Status.UNKNOWN and one.response.due]
        if raised or reading.timing == "in_time":
            said = "; ".join([*raised, *(f"not known: {title}" for title in unknown)]) or "none raised"
            yield f"{_named(reading)}: {said}"


def _event(event: Event) -> str:
    back = f", no longer on day {decimal_text(event.back, 2)}" if event.back is not None else ""
    return _reached(event) + back


def _reached(event: Event) -> str:
    title = _title(event.event.title)
    if not event.reached:
        return f"{title} not by day {_days(event.days)}" if event.days.lo else f"{title} not when last looked for"
    lo, hi = event.days.lo, event.days.hi
    if hi is None:
        return f"{title} after day {decimal_text(lo, 2)}, day not stated" if lo else f"{title}, day not stated"
    return (
        f"{title} within {decimal_text(hi, 2)} d"
        if not lo
        else f"{title} between day {decimal_text(lo, 2)} and {decimal_text(hi, 2)}"
    )


def _days(interval: Interval) -> str:
    return "?" if interval.lo is None else decimal_text(interval.lo, 2)


def _worsening(each: Worsening) -> str:
    at = day_text(each.snapshot) if each.snapshot else "After the last time point"
    settings = {"not_known": "", "after_remission": ", after a documented remission"}
    setting = settings.get(each.setting, f", {each.setting.replace('_', ' ')}")
    return f"{at}{setting}: {'; '.join(map(_flag, each.flags))} [{_NO_NUMBER}]"


def _flag(each: Flag) -> str:
    """A flag with the day on which it was first raised, and the numbers of a change."""
    on = f", day {decimal_text(each.day, 2)}" if each.day is not None else ""
    if not each.certain:
        change = any(isinstance(leaf, Change) for leaf in leaves(each.outcome.node))
        return f"{each.response.title}{on}: present, whether it is {'raised' if change else 'new'} is not known"
    number = next((line.note for line in each.outcome.evidence if line.note and ("%" in line.note or "×" in line.note)), None)
    words = each.outcome.evidence[0].value
    detail = number.split(";")[0] if number else words if words not in ("yes", None) else ""
    return f"{each.response.title}{on}{f' ({detail})' if detail else ''}"


def _recurrence(each: Recurrence, course: Course) -> Iterator[str]:
    if course.remission:
        yield f"Remission: {day_text(course.ordered[course.remission.place])}, {course.remission.basis}"
    if each.why_not:
        yield f"{each.rule.label}: not applicable, {each.why_not}"
        return
    told = [reading for reading in each.readings if not _idle(reading)]
    for reading in told:
        yield f"{_named(reading)}: {said(reading, ())}"
    if not told:
        yield f"{each.rule.label}: nothing is known that it asks for"


def _delta(each: Delta) -> str:
    parts = [f"gained {', '.join(map(_name, each.gained))}"] * bool(each.gained)
    parts += [f"lost {', '.join(map(_name, each.lost))}"] * bool(each.lost)
    parts += [f"not comparable {', '.join(map(_name, each.open))}"] * bool(each.open)
    if not parts:
        return ""
    return f"{each.before.timepoint.name} to {each.after.timepoint.name}: {'; '.join(parts)}"


def _name(item: str) -> str:
    return observables.inline(item) if item in observables.names() else item.replace("_", " ")

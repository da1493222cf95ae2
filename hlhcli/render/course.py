"""The course in words and lanes, before it is drawn: shared by the terminal, Markdown and the report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from hlhcli import observables
from hlhcli.errors import printable
from hlhcli.quantity import Interval, decimal_text, exact_text, range_text
from hlhcli.render.grid import lower
from hlhcli.rules import AtLeast
from hlhcli.status import Status

if TYPE_CHECKING:  # most files have no course, and every start pays for an import
    from hlhcli.api import Result
    from hlhcli.course import Course, LineCourse, Marker, Recurrence, Worsening
    from hlhcli.deltas import Delta
    from hlhcli.events import Event
    from hlhcli.reading import Reading
    from hlhcli.responses import Role
    from hlhcli.snapshot import Snapshot

_OPEN = {Status.MET: "yes", Status.NOT_MET: "no", Status.UNKNOWN: "open"}
_NO_NUMBER = "a flag, without a published number"


class Section(NamedTuple):
    """A heading, and what is said under it."""

    heading: str
    entries: tuple[str, ...]


class CourseView(NamedTuple):
    """The course in words; texts of the file are made safe for a terminal."""

    sections: tuple[Section, ...]


def course_view(result: Result) -> CourseView | None:
    """What is said of the course; None where there is none."""
    course = result.course
    sections = [] if course is None else _told(course)
    first = result.deltas[0].criteria if result.deltas else None
    changes = [text for each in result.deltas if each.criteria == first and (text := _delta(each))]
    sections += [Section("Criteria from one time point to the next", tuple(changes))] * bool(changes)
    if not sections:
        return None
    return CourseView(tuple(Section(printable(s.heading), tuple(map(printable, s.entries))) for s in sections))


def _told(course: Course) -> list[Section]:
    sections = [_line(each, course) for each in course.lines]
    worsening = [*(text for each in course.lines for text in _by_time(each)), *map(_worsening, course.worsening)]
    sections += [Section("Refractory or progressing", tuple(worsening))] * bool(worsening)
    sections += [Section("Recurrence", tuple(line for each in course.recurrences for line in _recurrence(each)))] * bool(
        course.lines
    )
    if course.organ:
        organ = tuple(
            f"{each.timepoint}: pSOFA {_score(each.score)} (no criterion of HLH; what is missing is unknown, not 0)"
            for each in course.organ
        )
        sections.append(Section("Organ dysfunction", organ))
    return sections


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
        yield f"Baseline: {day_text(each.baseline)}{', named in the file' if line.chosen else ''}"
    idle: dict[str, list[str]] = {}
    for reading in headlines(each, "response"):
        if _timing(reading) and reading.answer == "indeterminate" and not reading.indicated:
            idle.setdefault(f"at {day_text(reading.snapshot)}", []).append(f"{reading.rule.label} ({reading.due} of the line)")
        elif _idle(reading):
            idle.setdefault("for want of values", []).append(f"{reading.rule.label}, {day_text(reading.snapshot)}")
        else:
            yield f"{_named(reading)}: {said(reading, each.markers_at(reading.place))}"
    for why, names in idle.items():
        yield f"Not evaluable {why}: {', '.join(names)}"
    places = {reading.place for reading in headlines(each, "response") if reading.timing == "in_time"} or {line.last}
    for place in sorted(places):
        yield from _markers(each, place, course)
    yield from _flags(each)
    if each.events:
        yield f"From the start of the line: {'; '.join(map(_event, each.events))}"


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
        nearest = [min(in_time, key=lambda one: one.off(due)) for due in of_rule[0].classes[0].response.due if in_time]
        found += {reading.place: reading for reading in nearest}.values() or of_rule[-1:]
    return found


def _named(reading: Reading) -> str:
    return f"{reading.rule.label}{', by analogy' * reading.analogy}, {day_text(reading.snapshot)}"


def _idle(reading: Reading) -> bool:
    """True where nothing that the rule asks for is known, so that there is nothing to say but its time."""
    return (
        reading.answer == "indeterminate"
        and not reading.indicated
        and all(part.status is Status.UNKNOWN for one in reading.classes for part in (one.outcome.children or (one.outcome,)))
    )


def said(reading: Reading, markers: tuple[Marker, ...]) -> str:
    """What a rule says at a time point: its time, the class or the range of classes, on what it rests, and what worsened."""
    timing = _timing(reading)
    if reading.answer == "class":
        assert reading.floor
        text = f"{reading.floor.title.upper()}{_tally(reading, reading.floor.id)}{_rests_on(reading, reading.floor.id)}"
    elif reading.answer == "none":
        text = reading.rule.otherwise
        text += _tally(reading, reading.classes[0].response.id)
    else:
        classes = [f"{_title(one.response.title)} {_OPEN[one.status]}{_tally(reading, one.response.id)}" for one in reading.classes]
        text = "indicated, not computable: " if reading.indicated else "indeterminate: "
        text += ", ".join(classes)
    worse = [_moved(marker) for marker in markers if marker.better is False]
    if worse and reading.floor and reading.rule.role == "response":
        text += f", WITH WORSENING of {', '.join(worse)}"
    return f"not evaluable ({timing}); by the values {text}" if timing else text


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
    texts = [
        f"{_title(part.node.about.title or '')} {_percent(part.evidence[-1].note)}".strip()
        for part in parts
        if part.node.about.title
    ]
    return f": {', '.join(texts)}" if texts else ""


def _title(text: str) -> str:
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _percent(note: str | None) -> str:
    change, found, _ = (note or "").partition(" from ")
    return change if found and "%" in change else ""


def _markers(each: LineCourse, place: int, course: Course) -> Iterator[str]:
    """What became better and what became worse, side by side."""
    at = day_text(course.ordered[place])
    markers = each.markers_at(place)
    for word, which in (("Better", True), ("Worse", False)):
        found = [_moved(marker) for marker in markers if marker.better is which]
        if found:
            yield f"{word} than at the baseline, {at}: {', '.join(found)}"
    refused = [
        f"{lower(m.observable)} ({m.change.why_not})"
        for m in markers
        if m.better is None and m.change.why_not and m.change.direction is None
    ]
    if refused:
        yield f"Not compared, {at}: {', '.join(refused)}"


def _moved(marker: Marker) -> str:
    if marker.change.ratio is not None:
        return f"{lower(marker.observable)} {marker.change.text}"
    return f"{lower(marker.observable)} ({marker.before.value.text} to {marker.now.value.text})"


def _flags(each: LineCourse) -> Iterator[str]:
    """Flags that are raised, by rule: prognostic markers and context; those of progression stand under Worsening."""
    for reading in each.readings:
        if reading.rule.role != "flags":
            continue
        raised = [one.response.title for one in reading.classes if one.status is Status.MET]
        if raised:
            yield f"{reading.rule.label}, {day_text(reading.snapshot)}: {'; '.join(raised)}"


def _event(event: Event) -> str:
    title = _title(event.event.title)
    if not event.reached:
        return f"{title} not by day {_days(event.days)}"
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
    parts = [f"stated as {each.stated}"] * bool(each.stated)
    parts += [f"{one.response.title} ({one.outcome.evidence[0].value})" for one in each.flags]
    setting = {"not_known": "", "after_remission": " after a documented remission"}.get(
        each.setting, f" {each.setting.replace('_', ' ')}"
    )
    return f"{day_text(each.snapshot)}{setting}: {'; '.join(parts)} [{_NO_NUMBER}]"


def _recurrence(each: Recurrence) -> Iterator[str]:
    if each.why_not:
        yield f"{each.rule.label}: not applicable, {each.why_not}"
    for reading in each.readings:
        yield f"{_named(reading)}: {said(reading, ())}"


def _score(known: Interval | None) -> str:
    return range_text(known) if known else "not_known"


def _delta(each: Delta) -> str:
    parts = [f"gained {', '.join(map(_name, each.gained))}"] * bool(each.gained)
    parts += [f"lost {', '.join(map(_name, each.lost))}"] * bool(each.lost)
    parts += [f"not comparable {', '.join(map(_name, each.open))}"] * bool(each.open)
    if not parts:
        return ""
    return f"{each.before.timepoint.name} to {each.after.timepoint.name}: {'; '.join(parts)}"


def _name(item: str) -> str:
    return lower(item) if item in observables.names() else item.replace("_", " ")

"""The course as JSON, in the form of `course_contract.py`."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from hlhcli import observables
from hlhcli.assessment import Assessment
from hlhcli.course import Course, LineCourse, Marker, Recurrence
from hlhcli.events import Event
from hlhcli.history import own
from hlhcli.observations import Missing
from hlhcli.progression import Flag, Worsening, state_of
from hlhcli.quantity import Interval, number_text
from hlhcli.reading import ClassOutcome, Reading
from hlhcli.render.evidence_json import evidence_json
from hlhcli.snapshot import Snapshot
from hlhcli.therapy import Placed

if TYPE_CHECKING:  # types alone
    from hlhcli.render.course_contract import (
        ChangeJson,
        ClassJson,
        CourseJson,
        CurveJson,
        EventJson,
        FlagJson,
        LineJson,
        MomentJson,
        OrganJson,
        ReadingJson,
        RecurrenceJson,
        SpanJson,
        TherapyJson,
        WorseningJson,
    )

_GIVEN = ("rbc_transfusion", "platelet_transfusion", "plasma_transfusion", "fibrinogen_replacement", "gcsf")


def course_json(course: Course) -> CourseJson:
    """All of the course; numbers as exact text, ranges with null for an end that is not known."""
    return {
        "therapies": [_therapy(each) for each in course.therapies],
        "lines": [_line(each, course.ordered) for each in course.lines],
        "worsening": [_worsening(each) for each in course.worsening],
        "recurrence": [_recurrence(each) for each in course.recurrences],
        "remission": {**_moment(course.ordered[course.remission.place]), "basis": course.remission.basis}
        if course.remission
        else None,
        "stated": [{**_moment(each), "state": state} for each in course.ordered if (state := state_of(each))],
        "criteria_changes": [],
        "curves": [_curve(name, course) for name in _observed(course, findings=False)],
        "support": [_curve(name, course) for name in _observed(course, findings=True) if name in (*observables.SUPPORT, *_GIVEN)],
        "organ_dysfunction": [_organ(each) for each in course.organ],
    }


def _text(number: Fraction | None) -> str | None:
    return None if number is None else number_text(number)


def _span(interval: Interval | None) -> SpanJson:
    known = interval or Interval(None, None)
    return {"min": _text(known.lo), "max": _text(known.hi)}


def _moment(snapshot: Snapshot) -> MomentJson:
    return {"timepoint": snapshot.timepoint.name, "day": _text(snapshot.day)}


def _therapy(each: Placed) -> TherapyJson:
    return {
        "drug": each.therapy.drug,
        "line": each.therapy.line,
        "dose": each.therapy.dose,
        "start": _text(each.start),
        "stop": _text(each.stop),
    }


def _line(each: LineCourse, snapshots: tuple[Snapshot, ...]) -> LineJson:
    line = each.line
    return {
        "name": line.name,
        "drugs": [one.therapy.drug for one in line.placed],
        "start": _text(line.start),
        "stop": _text(line.stop),
        "baseline": _moment(each.baseline) if each.baseline else None,
        "baseline_named": line.chosen,
        "not_evaluable": line.why_not or (None if line.span else "no time point after it began"),
        "readings": [_reading(reading, each.markers_at(reading.place)) for reading in each.readings],
        "changes": [{**_moment(snapshots[at]), "markers": [_change(m) for m in found]} for at, found in each.markers.items()],
        "events": [_event(event) for event in each.events],
    }


def _reading(reading: Reading, markers: tuple[Marker, ...]) -> ReadingJson:
    known = {"class": reading.floor.id if reading.floor else "", "none": "none", "indeterminate": "indeterminate"}[reading.answer]
    flags = reading.rule.role in ("flags", "progression")
    evaluable = reading.timing in ("in_time", "any_time")
    return {
        **_moment(reading.snapshot),
        "rule": reading.rule.id,
        "rule_version": reading.rule.version,
        "title": reading.rule.title,
        "role": reading.rule.role,
        "provenance": reading.rule.provenance,
        "by_analogy": reading.analogy,
        "elapsed": _span(reading.elapsed),
        "due": reading.due or None,
        "timing": reading.timing,
        "response": None if flags else known if evaluable else "not_evaluable",
        "by_values": None if flags else known,
        "certain": reading.floor.id if reading.floor else None,
        "possible": reading.best.id if reading.best else None,
        "indicated": reading.indicated,
        "another_line_since": _text(reading.overlap),
        "worsened": [m.observable for m in markers if m.better is False],
        "classes": [_class(each) for each in reading.classes],
    }


def _class(each: ClassOutcome) -> ClassJson:
    tally = each.tally
    required = getattr(each.outcome.node, "required", None)
    parts = each.outcome.children if len(each.outcome.children) > 1 else (each.outcome,)
    return {
        "id": each.response.id,
        "title": each.response.title,
        "status": each.status.value,
        "required": required,
        "min": tally[0] if tally else None,
        "max": tally[1] if tally else None,
        "of": tally[2] if tally else None,
        "items": [
            {"id": part.node.about.id or "", "status": part.status.value, "evidence": evidence_json(part.evidence)}
            for part in parts
        ],
    }


def _change(marker: Marker) -> ChangeJson:
    ratio = marker.change.ratio
    ends = (None, None) if ratio is None else (ratio.lo, ratio.hi)
    lo, hi = (None if end is None else (end - 1) * 100 for end in ends)
    return {
        "observable": marker.observable,
        "before": marker.before.value.text,
        "now": marker.now.value.text,
        "percent": None if ratio is None else {"min": _text(lo), "max": _text(hi)},
        "text": marker.change.text,
        "direction": {1: "rose", 0: "unchanged", -1: "fell", None: None}[marker.change.direction],
        "better": marker.better,
        "note": marker.now.note,
    }


def _event(event: Event) -> EventJson:
    return {
        "id": event.event.id,
        "title": event.event.title,
        "reached": event.reached,
        "days": _span(event.days),
        "back": _text(event.back),
    }


def _worsening(each: Worsening) -> WorseningJson:
    return {
        "timepoint": each.snapshot.timepoint.name if each.snapshot else None,
        "day": _text(each.snapshot.day) if each.snapshot else None,
        "setting": each.setting,
        "stated": each.stated,
        "flags": [_flag(one) for one in each.flags],
    }


def _flag(each: Flag) -> FlagJson:
    return {
        "id": each.response.id,
        "title": each.response.title,
        "certain": each.certain,
        "since": _text(each.day),
        "evidence": evidence_json(each.outcome.evidence),
    }


def _recurrence(each: Recurrence) -> RecurrenceJson:
    return {
        "rule": each.rule.id,
        "applicable": each.why_not is None,
        "reason": each.why_not,
        "readings": [_reading(reading, ()) for reading in each.readings],
    }


def _observed(course: Course, findings: bool) -> list[str]:
    """What was observed over time, in the order of the table of observables."""
    seen = {name for instant in course.history.instants for name in own(instant)}
    return [name for name in observables.names() if name in seen and (observables.get(name).family is None) is findings]


def _curve(name: str, course: Course) -> CurveJson:
    points = [(instant, known[name]) for instant in course.history.instants if name in (known := own(instant))]
    return {
        "observable": name,
        "points": [
            {
                "day": _text(instant.day),
                "timepoint": instant.snapshot.timepoint.name if instant.snapshot else None,
                "value": None if isinstance(one.value, Missing) else one.value.text,
                "reason": one.value.text if isinstance(one.value, Missing) else None,
            }
            for instant, one in points
        ],
    }


def _organ(each: Assessment) -> OrganJson:
    return {**_moment(each.snapshot), "score": each.criteria.id, **_span(each.score)}

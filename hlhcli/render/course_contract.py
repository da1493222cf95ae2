"""The form of the course in the results as JSON."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from hlhcli.render.evidence_contract import EvidenceJson, GradeJson, StatusJson


class MomentJson(TypedDict):
    """A time point; `day` is null where it is not known."""

    timepoint: str
    day: str | None


class SpanJson(TypedDict):
    """A number between `min` and `max`, as exact text; null where an end is not known."""

    min: str | None
    max: str | None


class TherapyJson(TypedDict):
    """A therapy; `start` and `stop` are days of the course."""

    drug: str
    line: str | None
    dose: str | None
    start: str | None
    stop: str | None


class MarkerJson(TypedDict):
    """A rule that a class asks for, with what it rests on."""

    id: str
    status: StatusJson
    evidence: list[EvidenceJson]


class ClassJson(TypedDict):
    """A class of response or a flag. Where it counts: `min` to `max` `of` them are met, and `required` are needed."""

    id: str
    title: str
    status: StatusJson
    required: int | None
    min: int | None
    max: int | None
    of: int | None
    items: list[MarkerJson]


class ReadingJson(MomentJson):
    """A rule read at a time point, against the baseline of the line.

    `response` is the id of a class, `none`, `indeterminate`, or `not_evaluable` where it is not the time to read the rule;
    `by_values` is what the values say whatever the time, `certain` and `possible` the best class that is certain and possible.
    `indicated`: markers moved the right way, but some without numbers. Of `flags` each class is a flag, and `response` is null.
    """

    rule: str
    rule_version: str
    title: str
    role: Literal["response", "refractory", "progression", "flags", "recurrence", "events"]
    provenance: GradeJson
    by_analogy: bool
    elapsed: SpanJson
    due: str | None
    timing: Literal["in_time", "too_early", "too_late", "not_known", "any_time"]
    response: str | None
    by_values: str | None
    certain: str | None
    possible: str | None
    indicated: bool
    another_line_since: str | None
    worsened: list[str]
    classes: list[ClassJson]


class ChangeJson(TypedDict):
    """How a quantity moved from the baseline; `percent` is null where there is none, and `text` says why."""

    observable: str
    before: str
    now: str
    percent: SpanJson | None
    text: str
    direction: Literal["rose", "unchanged", "fell"] | None
    better: bool | None
    note: str | None


class ChangesJson(MomentJson):
    markers: list[ChangeJson]


class EventJson(TypedDict):
    """An event, and between which days from the start of the line it came; not `reached`: not yet when last looked for.

    `back`: the day from the start of the line on which it was no longer so.
    """

    id: str
    title: str
    reached: bool
    days: SpanJson
    back: str | None


class LineJson(TypedDict):
    """A line of therapy: its baseline, what each rule says at each time point of it, how the markers moved, events."""

    name: str
    drugs: list[str]
    start: str | None
    stop: str | None
    baseline: MomentJson | None
    baseline_named: bool
    not_evaluable: str | None
    readings: list[ReadingJson]
    changes: list[ChangesJson]
    events: list[EventJson]


class FlagJson(TypedDict):
    """A flag of progression and the day on which it was first raised; not `certain`: present, but perhaps not new."""

    id: str
    title: str
    certain: bool
    since: str | None
    evidence: list[EvidenceJson]


class WorseningJson(TypedDict):
    """What worsened since the time point before: flags, without a published number, and what the clinician states.

    `timepoint` is null for what was observed after the last one.
    """

    timepoint: str | None
    day: str | None
    setting: Literal["on_therapy", "after_remission", "without_therapy", "not_known"]
    stated: str | None
    flags: list[FlagJson]


class RemissionJson(MomentJson):
    """The first documented remission, and by what it is documented."""

    basis: str


class StatedJson(MomentJson):
    """The state of the disease, as the clinician states it."""

    state: str


class RecurrenceJson(TypedDict):
    """The classes of recurrence; they apply only after a transplant or a documented remission."""

    rule: str
    applicable: bool
    reason: str | None
    readings: list[ReadingJson]


DeltaJson = TypedDict(
    "DeltaJson",
    {"criteria": str, "from": str, "to": str, "gained": list[str], "lost": list[str], "unknown": list[str]},
)
DeltaJson.__doc__ = "Criteria gained and lost between two time points; `unknown` are those not known at one of them."


class PointJson(TypedDict):
    """One observation of a curve; `value` is null where nothing is known, and `reason` says why."""

    day: str | None
    timepoint: str | None
    value: str | None
    reason: str | None


class CurveJson(TypedDict):
    """All that was observed of one quantity or finding, time points and curves together."""

    observable: str
    points: list[PointJson]


class OrganJson(MomentJson):
    """A score of organ dysfunction, as a range."""

    score: str
    min: str | None
    max: str | None


class CourseJson(TypedDict):
    """How the disease moved."""

    therapies: list[TherapyJson]
    lines: list[LineJson]
    worsening: list[WorseningJson]
    recurrence: list[RecurrenceJson]
    remission: RemissionJson | None
    stated: list[StatedJson]
    criteria_changes: list[DeltaJson]
    curves: list[CurveJson]
    support: list[CurveJson]
    organ_dysfunction: list[OrganJson]

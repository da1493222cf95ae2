"""The results as JSON. The types are the contract: their JSON Schema is what `hlhcli schema results` prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypedDict

from hlhcli import __version__
from hlhcli.api import Result
from hlhcli.assessment import Assessment, Count
from hlhcli.errors import Problem
from hlhcli.quantity import exact_text
from hlhcli.snapshot import age_at_first
from hlhcli.status import Status

SCHEMA: Literal["hlhcli.results/1"] = "hlhcli.results/1"
StatusJson = Literal["met", "not_met", "unknown"]
VerdictJson = Literal["met", "not_met", "indeterminate"]


class EvidenceJson(TypedDict):
    """One comparison. `value` is what was observed, as text and unrounded; null where nothing was."""

    observable: str
    value: str | None
    rule: str
    status: StatusJson
    note: str | None


class ItemJson(TypedDict):
    """One criterion. `reported`: no observation decided it, a mark of the authors did."""

    id: str
    title: str
    status: StatusJson
    reported: bool
    evidence: list[EvidenceJson]


class CountJson(TypedDict):
    """How many criteria are met, not met, unknown; the true count lies from `min` to `max`."""

    required: int
    of: int
    met: int
    not_met: int
    unknown: int
    min: int
    max: int


class ReportedJson(TypedDict):
    """The authors' verdict and count; `agrees` is null where they state none."""

    verdict: VerdictJson | None
    count: int | None
    agrees: bool | None


class NextTestJson(TypedDict):
    """Observables that together could settle the verdict, and the verdicts that they could bring."""

    observables: list[str]
    could_settle: list[VerdictJson]


class AssessmentJson(TypedDict):
    """One set of criteria on one time point."""

    timepoint: str
    day: str | None
    date: str | None
    criteria: str
    criteria_version: str
    provenance: Literal["primary", "reproduction", "secondary", "code", "unverified"]
    applicable: bool | None
    verdict: VerdictJson
    by: str | None
    count: CountJson | None
    items: list[ItemJson]
    would_decide: list[str]
    next_tests: list[NextTestJson]
    reported: ReportedJson
    notes: list[str]


class PatientJson(TypedDict):
    """Who the patient is; the age is that at the first time point."""

    id: str | None
    age: str | None
    sex: str | None


class WarningJson(TypedDict):
    """Something noteworthy, and where it stands."""

    where: str
    message: str


class ErrorJson(TypedDict):
    """An input that could not be evaluated, and why."""

    source: str
    where: str
    message: str


class ResultJson(TypedDict):
    """Everything about one input."""

    source: str
    patient: PatientJson
    assessments: list[AssessmentJson]
    course: None
    warnings: list[WarningJson]


class ResultsJson(TypedDict):
    """What `hlhcli check --json` prints."""

    schema: Literal["hlhcli.results/1"]
    version: str
    results: list[ResultJson]
    errors: list[ErrorJson]


def results_json(results: Iterable[Result], problems: Iterable[Problem]) -> ResultsJson:
    """The whole document."""
    return {
        "schema": SCHEMA,
        "version": __version__,
        "results": [result_json(result) for result in results],
        "errors": [{"source": p.source, "where": p.where, "message": p.message} for p in problems],
    }


def result_json(result: Result) -> ResultJson:
    """One input: an element of `results`, and a line of JSON Lines."""
    person = result.patient.patient
    return {
        "source": result.source,
        "patient": {"id": person.id, "age": age_at_first(result.patient), "sex": person.sex},
        "assessments": [assessment_json(assessment) for assessment in result.assessments],
        "course": None,
        "warnings": [{"where": warning.where, "message": warning.message} for warning in result.warnings],
    }


def assessment_json(assessment: Assessment) -> AssessmentJson:
    stated = assessment.reported
    return {
        "timepoint": assessment.timepoint,
        "day": exact_text(assessment.day) if assessment.day is not None else None,
        "date": assessment.date.isoformat() if assessment.date else None,
        "criteria": assessment.criteria.id,
        "criteria_version": assessment.criteria.version,
        "provenance": assessment.provenance,
        "applicable": True,
        "verdict": verdict_word(assessment.verdict),
        "by": assessment.by,
        "count": _count(assessment.count) if assessment.count else None,
        "items": [
            {
                "id": item.id,
                "title": item.title,
                "status": item.status.value,
                "reported": item.reported,
                "evidence": [
                    {"observable": line.observable, "value": line.value, "rule": line.rule, "status": line.status.value, "note": line.note}
                    for line in item.evidence
                ],
            }
            for item in assessment.items
        ],
        "would_decide": list(assessment.would_decide),
        "next_tests": [
            {"observables": list(test.observables), "could_settle": [verdict_word(status) for status in test.could_settle]}
            for test in assessment.next_tests
        ],
        "reported": {"verdict": verdict_word(stated.verdict) if stated.verdict is not None else None, "count": stated.count, "agrees": stated.agrees},
        "notes": list(assessment.notes),
    }


def _count(count: Count) -> CountJson:
    return {
        "required": count.required,
        "of": count.of,
        "met": count.met,
        "not_met": count.not_met,
        "unknown": count.unknown,
        "min": count.min,
        "max": count.max,
    }


_VERDICTS: dict[Status, VerdictJson] = {Status.MET: "met", Status.NOT_MET: "not_met", Status.UNKNOWN: "indeterminate"}


def verdict_word(status: Status) -> VerdictJson:
    return _VERDICTS[status]


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the results."""
    from pydantic import TypeAdapter

    return TypeAdapter(ResultsJson).json_schema()

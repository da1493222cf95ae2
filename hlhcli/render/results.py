"""The results as JSON, in the form of `contract.py`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hlhcli import __version__
from hlhcli.api import Result
from hlhcli.assessment import Assessment, ByValues, Count
from hlhcli.errors import Problem
from hlhcli.quantity import exact_text
from hlhcli.snapshot import age_at_first

if TYPE_CHECKING:  # types alone; making them costs as much as drawing the table
    from hlhcli.render.contract import AssessmentJson, ByValuesJson, CountJson, ErrorJson, ResultJson, ResultsJson


def envelope(problems: Iterable[Problem]) -> ResultsJson:
    """The whole document but for its results."""
    errors: list[ErrorJson] = [{"source": p.source, "where": p.where, "message": p.message} for p in problems]
    return {"schema": "hlhcli.results/1", "version": __version__, "results": [], "errors": errors}


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
        "applicable": assessment.applicable,
        "verdict": assessment.verdict,
        "by": assessment.by,
        "count": _count(assessment.count) if assessment.count else None,
        "by_values": _by_values(assessment.by_values) if assessment.by_values else None,
        "items": [
            {
                "id": item.id,
                "title": item.title,
                "status": item.status.value,
                "reported": item.reported,
                "evidence": [
                    {
                        "observable": line.observable,
                        "value": line.value,
                        "rule": line.rule,
                        "status": line.status.value,
                        "note": line.note,
                    }
                    for line in item.evidence
                ],
            }
            for item in assessment.items
        ],
        "doubtful": list(assessment.doubtful),
        "would_decide": list(assessment.would_decide),
        "next_tests": [
            {"observables": list(test.observables), "could_settle": test.could_settle.verdict} for test in assessment.next_tests
        ],
        "reported": {
            "verdict": stated.verdict.verdict if stated.verdict is not None else None,
            "count": stated.number,
            "agrees": stated.agrees,
        },
        "notes": list(assessment.notes),
    }


def _by_values(by_values: ByValues) -> ByValuesJson:
    return {"verdict": by_values.status.verdict, "count": _count(by_values.counted) if by_values.counted else None}


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

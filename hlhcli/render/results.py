"""The results as JSON, in the form of `contract.py`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, TextIO

from hlhcli import __version__, rules
from hlhcli.api import Result
from hlhcli.assessment import Assessment, ByValues, Count, Item, ReportedVerdict
from hlhcli.errors import Problem
from hlhcli.quantity import Interval, exact_text
from hlhcli.render.evidence_json import evidence_json
from hlhcli.snapshot import age_at_first

if TYPE_CHECKING:  # types alone; making them costs as much as drawing the table
    from hlhcli.deltas import Delta
    from hlhcli.disagreement import Comparison, Step
    from hlhcli.readers.account import Account, Kind
    from hlhcli.render.contract import (
        AssessmentJson,
        ByValuesJson,
        ComparisonJson,
        CountJson,
        ErrorJson,
        InputJson,
        ItemJson,
        KindJson,
        PointsJson,
        ReportedJson,
        ResultJson,
        ResultsJson,
        ScoreJson,
        StepJson,
        StepVerdictJson,
    )
    from hlhcli.render.course_contract import CourseJson, DeltaJson


_WORDS = 10_000  # of JSON, that are written at a time


def write_json(results: Iterable[Result], problems: list[Problem], accounts: list[Account], stream: TextIO) -> None:
    """One document. The problems and accounts may still grow while `results` is consumed."""
    before, _ = json.dumps(envelope([], []), indent=2).split('"results": []')
    stream.write(f'{before}"results": [')
    number = 0
    for number, result in enumerate(results, 1):
        stream.write(("," if number > 1 else "") + "\n    ")
        words = json.JSONEncoder(indent=2).iterencode(result_json(result))
        while part := "".join(islice(words, _WORDS)):  # in parts, for the whole takes several times its size
            stream.write(part.replace("\n", "\n    "))
    _, after = json.dumps(envelope(problems, accounts), indent=2).split('"results": []')
    stream.write("\n  ]" if number else "]")
    stream.write(f"{after}\n")


def write_lines(results: Iterable[Result], stream: TextIO) -> None:
    """A document for each result, on a line."""
    for result in results:
        stream.write(json.dumps(result_json(result)) + "\n")


def envelope(problems: Iterable[Problem], accounts: Iterable[Account]) -> ResultsJson:
    """The whole document but for its results; `inputs` only where one of them was no patient file."""
    errors: list[ErrorJson] = [{"source": p.source, "where": p.where, "message": p.message} for p in problems]
    whole: ResultsJson = {"schema": "hlhcli.results/1", "version": __version__, "results": [], "errors": errors}
    if inputs := [_input(account) for account in accounts]:
        whole["inputs"] = inputs
    return whole


def _input(account: Account) -> InputJson:
    def kind(each: Kind) -> KindJson:
        return {"reason": each.reason, "what": each.what, "count": each.number, "first": account.where(each)}

    return {
        "source": account.source,
        "form": account.form,
        "entries": account.read,
        "used": account.used,
        "not_used": [kind(each) for each in account.left],
        "remarks": [kind(each) for each in account.remarks],
    }


def result_json(result: Result) -> ResultJson:
    """One input: an element of `results`, and a line of JSON Lines."""
    person = result.patient.patient
    return {
        "source": result.source,
        "patient": {"id": person.id, "age": age_at_first(result.patient), "sex": person.sex},
        "workup": dict(result.patient.workup),
        "assessments": [assessment_json(assessment) for assessment in result.assessments],
        "comparison": [_comparison(each) for each in result.comparisons],
        "course": _course(result),
        "warnings": [{"where": warning.where, "message": warning.message} for warning in result.warnings],
    }


def _course(result: Result) -> CourseJson | None:
    """Null where there is one time point and nothing else; without therapies and curves only the criteria gained and lost."""
    course, deltas = result.course, [_delta(each) for each in result.deltas]
    if course is not None:
        from hlhcli.render.course_json import course_json  # not every file has one, and every start pays for an import

        return {**course_json(course), "criteria_changes": deltas}
    return {**_NO_COURSE, "criteria_changes": deltas} if deltas else None


_NO_COURSE: CourseJson = {
    "therapies": [], "lines": [], "worsening": [], "recurrence": [], "remission": None, "stated": [], "criteria_changes": [],
    "curves": [], "support": [], "organ_dysfunction": [],
}  # fmt: skip


def _delta(each: Delta) -> DeltaJson:
    return {
        "criteria": each.criteria,
        "from": each.before.timepoint.name,
        "to": each.after.timepoint.name,
        "gained": list(each.gained),
        "lost": list(each.lost),
        "unknown": list(each.open),
    }


def assessment_json(assessment: Assessment) -> AssessmentJson:
    return {
        "timepoint": assessment.timepoint,
        "day": exact_text(assessment.day) if assessment.day is not None else None,
        "date": assessment.date.isoformat() if assessment.date else None,
        "criteria": assessment.criteria.id,
        "criteria_version": assessment.criteria.version,
        "provenance": assessment.provenance,
        "applicable": assessment.applicable,
        "applicable_reason": assessment.not_applicable,
        "verdict": assessment.verdict,
        "by": assessment.by,
        "count": _count(assessment.count) if assessment.count else None,
        "groups": [{**_count(count), "title": count.title} for count in assessment.groups if len(assessment.groups) > 1],
        "score": _score(assessment),
        "probability": {"min": probability[0], "max": probability[1]} if (probability := assessment.probability) else None,
        "by_values": _by_values(assessment.by_values) if assessment.by_values else None,
        "items": [_item(item) for item in assessment.items],
        "graded": [
            {"grade": report.grade or "", "observable": report.observable, "value": value, "say": report.say}
            for report, value in assessment.graded
        ],
        "doubtful": list(assessment.doubtful),
        "would_decide": list(assessment.would_decide),
        "next_tests": [
            {"observables": list(test.observables), "could_settle": test.could_settle.verdict} for test in assessment.next_tests
        ],
        "reported": _reported(assessment.reported),
        "notes": list(assessment.notes),
    }


def _reported(stated: ReportedVerdict) -> ReportedJson:
    verdict = stated.verdict.verdict if stated.verdict is not None else None
    reported: ReportedJson = {"verdict": verdict, "count": stated.number, "agrees": stated.agrees}
    if stated.score is not None:
        reported["score"] = _number(stated.score)
    return reported


def _item(item: Item) -> ItemJson:
    return {
        "id": item.id,
        "title": item.title,
        "status": item.status.value,
        "reported": item.reported,
        "points": _points(item.points) if item.points else None,
        "evidence": evidence_json(item.evidence),
    }


def _number(number: Fraction) -> int | float:
    """A computed number as JSON has it; every comparison was made before, on the exact one."""
    return number.numerator if number.denominator == 1 else number.numerator / number.denominator


def _points(interval: Interval) -> PointsJson:
    lo, hi = interval.lo, interval.hi
    return {"min": None if lo is None else _number(lo), "max": None if hi is None else _number(hi)}


def _score(assessment: Assessment) -> ScoreJson | None:
    if assessment.score is None:
        return None
    score = assessment.criteria.score
    ratio = next((node for node in rules.leaves(assessment.criteria.verdict) if isinstance(node, rules.Ratio)), None)
    cutoff = score.cutoff if score else ratio.number if ratio else Fraction(0)
    return {**_points(assessment.score), "cutoff": _number(cutoff)}


def _comparison(comparison: Comparison) -> ComparisonJson:
    return {
        "timepoint": comparison.timepoint,
        "verdicts": {each.criteria.id: each.verdict for each in comparison.assessments},
        "applicable": {each.criteria.id: each.applicable for each in comparison.assessments},
        "disagreements": [
            {
                "first": first.criteria.id,
                "other": other.criteria.id,
                "items": [
                    {
                        "id": item.id,
                        "title": item.title,
                        "first": item.here.status.value if item.here else None,
                        "other": item.there.status.value if item.there else None,
                    }
                    for item in items
                ],
            }
            for first, other, items in comparison.disagreements
        ],
        "next_tests": [_step(step) for step in comparison.next_tests],
        "all_open": _step(comparison.all_open) if comparison.all_open else None,
    }


def _step(step: Step) -> StepJson:
    settled: list[StepVerdictJson] = [{"criteria": name, "verdict": "met"} for name in step.met]
    settled += [{"criteria": name, "verdict": "not_met"} for name in step.not_met]
    return {"observables": list(step.observables), "could_settle": settled}


def _by_values(by_values: ByValues) -> ByValuesJson:
    return {
        "verdict": by_values.status.verdict,
        "count": _count(by_values.counted) if by_values.counted else None,
        "score": _points(by_values.score) if by_values.score else None,
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

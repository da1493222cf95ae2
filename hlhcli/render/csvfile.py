"""The results as CSV: one row per time point and set of criteria, for a spreadsheet or a data frame."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from hlhcli.api import Result
from hlhcli.errors import printable
from hlhcli.render.results import assessment_json
from hlhcli.rules import CriteriaSet, item_id
from hlhcli.spreadsheet import inert

if TYPE_CHECKING:
    from hlhcli.render.contract import AssessmentJson

_FIXED = [
    "source",
    "patient_id",
    "timepoint",
    "day",
    "date",
    "criteria",
    "applicable",
    "verdict",
    "by",
    "required",
    "of",
    "met",
    "not_met",
    "unknown",
    "min",
    "max",
    "score_min",
    "score_max",
    "cutoff",
    "probability_min",
    "probability_max",
    "verdict_by_values",
    "doubtful",
    "would_decide",
    "reported_verdict",
    "reported_count",
    "reported_score",
    "reported_agrees",
]


class CsvWriter:
    """A header, and the rows of one result after another; for each item its status and, in `<item>_value`, what it rests on."""

    def __init__(self, stream: TextIO, sets: Iterable[CriteriaSet]) -> None:
        items = list(dict.fromkeys(item_id(item) for each in sets for item in each.items))
        header = [*_FIXED, *(name for item in items for name in (item, f"{item}_value"))]
        self._writer = csv.DictWriter(stream, header, restval="", lineterminator="\n")
        self._writer.writeheader()

    def write(self, result: Result) -> None:
        for assessment in result.assessments:
            row = _row(result.source, result.patient.patient.id, assessment_json(assessment), assessment.snapshot.of_other_days)
            self._writer.writerow({key: _cell(value) for key, value in row.items()})


def _row(source: str, patient: str | None, assessment: AssessmentJson, days: dict[str, str]) -> dict[str, object]:
    row: dict[str, object] = {
        "source": source,
        "patient_id": patient,
        **{key: assessment[key] for key in ("timepoint", "day", "date", "criteria", "applicable", "verdict", "by")},
        **(assessment["count"] or {}),
        **{f"score_{key}" if key != "cutoff" else key: value for key, value in (assessment["score"] or {}).items()},
        **{f"probability_{key}": value for key, value in (assessment["probability"] or {}).items()},
        "verdict_by_values": assessment["by_values"] and assessment["by_values"]["verdict"],
        "doubtful": "; ".join(assessment["doubtful"]),
        "would_decide": "; ".join(assessment["would_decide"]),
        **{f"reported_{key}": value for key, value in assessment["reported"].items()},
    }
    for item in assessment["items"]:
        row[item["id"]] = item["status"]
        known = {line["observable"]: line["value"] for line in item["evidence"] if line["value"] is not None}  # once for all bins
        row[f"{item['id']}_value"] = "; ".join(f"{name} {value}{days.get(name, '')}" for name, value in known.items())
    return row


def _cell(value: object) -> object:
    """A cell on one line that no spreadsheet takes for a formula."""
    if value is None or isinstance(value, (int, bool, float)):
        return {True: "true", False: "false"}[value] if isinstance(value, bool) else value
    return inert(printable(str(value)))

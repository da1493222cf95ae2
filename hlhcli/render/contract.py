"""The form of the results as JSON: what scripts rely on, and what `hlhcli schema results` prints."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

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
    """Observables that together could settle the verdict, and the verdict that they could bring."""

    observables: list[str]
    could_settle: VerdictJson


class ByValuesJson(TypedDict):
    """What the observations alone give, without the marks that the authors state in words."""

    verdict: VerdictJson
    count: CountJson | None


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
    by_values: ByValuesJson | None
    items: list[ItemJson]
    doubtful: list[str]
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

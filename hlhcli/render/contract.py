"""The form of the results as JSON: what scripts rely on, and what `hlhcli schema results` prints."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from hlhcli.render.course_contract import CourseJson
from hlhcli.render.evidence_contract import EvidenceJson, GradeJson, StatusJson, VerdictJson


class PointsJson(TypedDict):
    """What is known of a number: it lies from `min` to `max` (null: unbounded)."""

    min: int | float | None
    max: int | float | None


class ItemJson(TypedDict):
    """One criterion. `reported`: no observation decided it, a mark of the authors did.

    A term of a score is met if it adds to it, not met if it adds nothing; `points` is what it adds, as far as that is known.
    """

    id: str
    title: str
    status: StatusJson
    reported: bool
    points: PointsJson | None
    evidence: list[EvidenceJson]


class CountJson(TypedDict):
    """How many criteria are met, not met, unknown; the true count lies from `min` to `max`.

    `required` is null where the source states no number that suffices.
    """

    required: int | None
    of: int
    met: int
    not_met: int
    unknown: int
    min: int
    max: int


class GroupJson(CountJson):
    """A count of its own, in a set that counts in several lists."""

    title: str | None


class ScoreJson(PointsJson):
    """The score (or ratio) as a range, and the cut-off that it is compared with."""

    cutoff: int | float


class ProbabilityJson(TypedDict):
    """What is published for both ends of the score; between two printed scores, both."""

    min: str
    max: str


class GradedJson(TypedDict):
    """A finding that the set grades beside its verdict."""

    grade: str
    observable: str
    value: str
    say: str


class _Reported(TypedDict):
    verdict: VerdictJson | None
    count: int | None
    agrees: bool | None


class ReportedJson(_Reported, total=False):
    """The authors' verdict and count, and for a score theirs; `agrees` is null where they state none."""

    score: int | float | None


class NextTestJson(TypedDict):
    """Observables that together could settle the verdict, and the verdict that they could bring."""

    observables: list[str]
    could_settle: VerdictJson


class ByValuesJson(TypedDict):
    """What the observations alone give, without the marks that the authors state in words."""

    verdict: VerdictJson
    count: CountJson | None
    score: PointsJson | None


class AssessmentJson(TypedDict):
    """One set of criteria on one time point."""

    timepoint: str
    day: str | None
    date: str | None
    criteria: str
    criteria_version: str
    provenance: GradeJson
    applicable: bool | None
    applicable_reason: str | None
    verdict: VerdictJson
    by: str | None
    count: CountJson | None
    groups: list[GroupJson]
    score: ScoreJson | None
    probability: ProbabilityJson | None
    by_values: ByValuesJson | None
    items: list[ItemJson]
    graded: list[GradedJson]
    doubtful: list[str]
    would_decide: list[str]
    next_tests: list[NextTestJson]
    reported: ReportedJson
    notes: list[str]


class StepVerdictJson(TypedDict):
    """A verdict that a set of criteria could come to."""

    criteria: str
    verdict: VerdictJson


class StepJson(TypedDict):
    """Observables that together could settle open verdicts of several sets; no answers need settle all of them at once."""

    observables: list[str]
    could_settle: list[StepVerdictJson]


class DifferenceJson(TypedDict):
    """An item that is not the same in two sets; null where a set has no such item."""

    id: str
    title: str
    first: StatusJson | None
    other: StatusJson | None


class DisagreementJson(TypedDict):
    """A verdict that is not that of the first set, and the items that make the difference."""

    first: str
    other: str
    items: list[DifferenceJson]


class ComparisonJson(TypedDict):
    """All chosen sets on one time point. `all_open`: a set of tests that could settle every open verdict."""

    timepoint: str
    verdicts: dict[str, VerdictJson]
    applicable: dict[str, bool | None]
    disagreements: list[DisagreementJson]
    next_tests: list[StepJson]
    all_open: StepJson | None


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
    """Everything about one input. `comparison` is empty where only one set of criteria was chosen.

    `course` is null where there is a single time point, and no therapy, curve or state of the disease.
    """

    source: str
    patient: PatientJson
    workup: dict[str, str]  # causes that were looked for, and the result
    assessments: list[AssessmentJson]
    comparison: list[ComparisonJson]
    course: CourseJson | None
    warnings: list[WarningJson]


class KindJson(TypedDict):
    """Entries of one kind: the reason, the code, column or unit, how many there are, and where the first stands."""

    reason: str
    what: str
    count: int
    first: str


class InputJson(TypedDict):
    """An input that is no patient file: how many entries it has, how many were used, and what was not, by its kind."""

    source: str
    form: str
    entries: int
    used: int
    not_used: list[KindJson]
    remarks: list[KindJson]


class ResultsJson(TypedDict):
    """What `hlhcli check --json` prints."""

    schema: Literal["hlhcli.results/1"]
    version: str
    results: list[ResultJson]
    errors: list[ErrorJson]
    inputs: NotRequired[list[InputJson]]

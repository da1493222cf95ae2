"""The form of a criteria file: what `hlhcli schema criteria` prints."""

from __future__ import annotations

from typing import Literal

from pydantic import with_config
from typing_extensions import TypedDict

from hlhcli.rules import Grade


class CitationFile(TypedDict, total=False):
    """Where the set was published."""

    text: str
    doi: str
    pmid: str | int
    url: str


class _Report(TypedDict):
    observable: str
    say: str


class ReportFile(_Report, total=False):
    """An observable of which something is said beside the verdict, where it is stated (and `when` is met); never counted.

    `grade` is what the finding amounts to by the set's own table, such as `strong suspicion`.
    """

    when: RuleFile | str
    grade: str


class _Population(TypedDict):
    text: str
    when: RuleFile | str


class PopulationFile(_Population, total=False):
    """For whom the set was made, and the rule that decides it from a patient file.

    `sufficient: no`: who does not fulfil the rule is none of them, but who does may still be none.
    """

    sufficient: Literal["yes", "no"] | bool


@with_config({"extra": "allow"})
class ExpectFile(TypedDict, total=False):
    """What the set must say: any of these, and items by their id with met, not met, unknown, or their points."""

    verdict: Literal["met", "not met", "indeterminate"]
    count: str
    score: str | int | float
    probability: str
    applicable: Literal["yes", "no", "unknown"] | bool
    warns: str
    warns_not: str


class _Case(TypedDict):
    name: str
    expect: ExpectFile


class CaseFile(_Case, total=False):
    """One case of the file's own specification; `hlhcli criteria test` runs it."""

    age: str
    onset: str
    observations: dict[str, object]
    genetics: dict[str, object]


class CautionFile(TypedDict):
    when: RuleFile | str
    say: str


CautionFile.__doc__ = "A warning that is given where `when` is met."

RuleFile = TypedDict(
    "RuleFile",
    {
        "id": str,
        "title": str,
        "provenance": Grade,
        "note": str,
        "caution": list[CautionFile],
        "when": str,
        "stated": str,
        "all": "list[RuleFile | str]",
        "any": "list[RuleFile | str]",
        "not": "RuleFile | str",
        "at_least": str | int,
        "of": "list[RuleFile | str]",
        "agree": "list[RuleFile | str]",
        "first_known": "list[RuleFile | str]",
        "score": str,
        "points": "str | dict[str, RuleFile | str]",
        "if": "RuleFile | str",
        "then": "RuleFile | str",
        "else": "RuleFile | str",
    },
    total=False,
)
RuleFile.__doc__ = """One rule: a phrase such as 'ferritin >= 500 ug/L' under `when`, or logic over other rules."""


class _Required(TypedDict):
    id: str
    title: str
    citation: CitationFile | str


class CriteriaFile(_Required, total=False):
    """A set of criteria, readable by a clinician: one with a `verdict`, or a variant that `extends` another set."""

    provenance: Grade
    verdict: RuleFile | str
    extends: str
    at_least: str | int
    score: str
    without: list[str]
    change: dict[str, RuleFile | str]
    add: list[RuleFile | str]
    version: str | int
    population: PopulationFile | str
    probability: dict[str, str | int]
    reports: list[ReportFile]
    not_computable: list[str]
    notes: list[str]
    cases: list[CaseFile]

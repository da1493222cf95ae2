"""The form of a criteria file: what `hlhcli schema criteria` prints."""

from __future__ import annotations

from typing_extensions import TypedDict

from hlhcli.rules import Grade


class CitationFile(TypedDict, total=False):
    """Where the set was published."""

    text: str
    doi: str
    pmid: str
    url: str


class _Report(TypedDict):
    observable: str
    say: str


class ReportFile(_Report, total=False):
    """An observable of which something is said beside the verdict, where it is stated (and `when` is met); never counted."""

    when: RuleFile | str


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
        "first_known": "list[RuleFile | str]",
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
    citation: CitationFile
    provenance: Grade
    verdict: RuleFile


class CriteriaFile(_Required, total=False):
    """A set of criteria: one file, readable by a clinician."""

    version: str | int
    population: str
    reports: list[ReportFile]
    not_computable: list[str]
    notes: list[str]

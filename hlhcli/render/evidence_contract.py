"""What several parts of the results as JSON are made of."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from hlhcli.rules import Grade

StatusJson = Literal["met", "not_met", "unknown"]
VerdictJson = Literal["met", "not_met", "indeterminate"]
GradeJson = Grade


class EvidenceJson(TypedDict):
    """One comparison. `value` is what was observed, as text and unrounded; null where nothing was."""

    observable: str
    value: str | None
    rule: str
    status: StatusJson
    note: str | None

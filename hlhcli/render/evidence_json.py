"""Evidence as JSON, in the form of `evidence_contract.py`: under an item and under a class of response."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hlhcli.outcome import Evidence

if TYPE_CHECKING:  # types alone
    from hlhcli.render.evidence_contract import EvidenceJson


def evidence_json(lines: Iterable[Evidence]) -> list[EvidenceJson]:
    """Each comparison once, in the order of the rule."""
    return [
        {"observable": line.observable, "value": line.value, "rule": line.rule, "status": line.status.value, "note": line.note}
        for line in dict.fromkeys(lines)
    ]

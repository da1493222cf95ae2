"""What can be reported of a set of criteria: its verdict, a count or score where it has one, and a mark for each of its items."""

from __future__ import annotations

from hlhcli.errors import did_you_mean, printable
from hlhcli.rules import CriteriaSet, Linear, Ratio, item_id, leaves


def misfit(found: CriteriaSet, key: str) -> str | None:
    """Why nothing can be reported of this set under `key`; None where it can."""
    measured = found.score is not None or any(isinstance(leaf, Ratio) for leaf in leaves(found.verdict))
    has = {"count": len(found.groups) == 1, "score": measured}
    if key == "verdict" or has.get(key):
        return None
    if key in has:
        instead = next((other for other, fits in has.items() if fits), "verdict")
        return f"{found.id} has no {key}; write the {instead}"
    items = [item_id(item) for item in found.items if not isinstance(item, (Linear, Ratio))]
    if key in items:
        return None
    known = [*items, "verdict", *(name for name, fits in has.items() if fits)]
    return f"'{printable(key, 60)}' is no item of {found.id}{did_you_mean(key, known)}"

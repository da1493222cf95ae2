"""Which criteria were gained and lost between time points that follow each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from hlhcli.assessment import Assessment
from hlhcli.snapshot import Snapshot
from hlhcli.status import Status


class Delta(NamedTuple):
    """What became of the criteria of a set between two time points that follow each other: ids of items."""

    criteria: str
    before: Snapshot
    after: Snapshot
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    open: tuple[str, ...]  # not known at one of them


def deltas(assessments: Sequence[Assessment]) -> list[Delta]:
    """Which criteria were gained and lost between time points that follow each other, for each set."""
    found = []
    for first, second in pairwise(assessments):
        if first.criteria is not second.criteria:
            continue
        pairs = [(item.id, item.status, other.status) for item, other in zip(first.items, second.items, strict=True)]
        gained = tuple(name for name, a, b in pairs if a is Status.NOT_MET and b is Status.MET)
        lost = tuple(name for name, a, b in pairs if a is Status.MET and b is Status.NOT_MET)
        unclear = tuple(name for name, a, b in pairs if (a is Status.UNKNOWN) is not (b is Status.UNKNOWN))
        found.append(Delta(first.criteria.id, first.snapshot, second.snapshot, gained, lost, unclear))
    return found

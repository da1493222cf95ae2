"""Three-valued (Kleene) logic: met, not met, unknown."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Literal, NoReturn

Verdict = Literal["met", "not_met", "indeterminate"]


class Status(Enum):
    """What is known of a criterion. There is no truth value: `if status:` is an error, so unknown can never pass as no."""

    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"

    __hash__ = object.__hash__  # each is one object; that of Enum hashes its name every time

    def __bool__(self) -> NoReturn:
        raise TypeError("a status is met, not met or unknown: compare it with Status.MET")

    @property
    def verdict(self) -> Verdict:
        """The word for it as a verdict: where it is unknown, the verdict is indeterminate."""
        return _VERDICTS[self]

    def __str__(self) -> str:
        return self.value.replace("_", " ")

    def __invert__(self) -> Status:
        return _NOT[self]


_VERDICTS: dict[Status, Verdict] = {Status.MET: "met", Status.NOT_MET: "not_met", Status.UNKNOWN: "indeterminate"}
_NOT = {Status.MET: Status.NOT_MET, Status.NOT_MET: Status.MET, Status.UNKNOWN: Status.UNKNOWN}


def all_of(statuses: Iterable[Status]) -> Status:
    """Met if all are met, not met as soon as one is not met, else unknown."""
    seen = set(statuses)
    if Status.NOT_MET in seen:
        return Status.NOT_MET
    return Status.UNKNOWN if Status.UNKNOWN in seen else Status.MET


def any_of(statuses: Iterable[Status]) -> Status:
    """Met as soon as one is met, not met if none can be, else unknown."""
    return ~all_of(~status for status in statuses)


def at_least(k: int, statuses: Iterable[Status]) -> Status:
    """Met if at least `k` are met, not met if no completion of the unknown ones could reach `k`, else unknown."""
    seen = list(statuses)
    met = seen.count(Status.MET)
    if met >= k:
        return Status.MET
    return Status.UNKNOWN if met + seen.count(Status.UNKNOWN) >= k else Status.NOT_MET

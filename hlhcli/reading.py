"""A rule for the course, read at a time point: its classes, three-valued, and whether it is the time to read it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

from hlhcli import rules
from hlhcli.outcome import Outcome
from hlhcli.quantity import Interval
from hlhcli.responses import Due, ResponseClass, ResponseSet
from hlhcli.snapshot import Snapshot
from hlhcli.status import Status, Verdict

Timing = Literal["in_time", "too_early", "too_late", "not_known", "any_time"]


_SHORT = 5  # letters of a word that must end what is written


class ClassOutcome(NamedTuple):
    """A class of response, or a flag, with its result."""

    response: ResponseClass
    outcome: Outcome

    @property
    def status(self) -> Status:
        return self.outcome.status

    @property
    def tally(self) -> tuple[int, int, int] | None:
        """How many of what is counted are met, and could be, of how many."""
        counted = self.counted
        if counted is None:
            return None
        statuses = [child.status for child in counted.children]
        met = statuses.count(Status.MET)
        return met, met + statuses.count(Status.UNKNOWN), len(statuses)

    @property
    def counted(self) -> Outcome | None:
        """What is counted: the class itself, or what it denies."""
        node = self.outcome.node
        denied = self.outcome.children[0] if isinstance(node, rules.Logic) and node.kind == "not" else self.outcome
        return denied if isinstance(denied.node, rules.AtLeast) else None


class Reading(NamedTuple):
    """A rule for the course, read at a time point against the baseline of a line of therapy.

    `elapsed` is in days since the line began. `floor` is the best class that is certain, `best` the best that is possible; None
    is no class at all.
    """

    rule: ResponseSet
    place: int
    snapshot: Snapshot
    elapsed: Interval | None
    timing: Timing
    classes: tuple[ClassOutcome, ...]
    analogy: bool
    indicated: bool  # what is not computable would be a class, if every marker that moved the right way moved enough
    overlap: Fraction | None  # the day on which another line of therapy began, before the time point

    @property
    def floor(self) -> ResponseClass | None:
        found = next((each.response for each in self.classes if each.status is Status.MET), None)
        return found if found is self.best or not (found and found.worse) else None

    @property
    def best(self) -> ResponseClass | None:
        return next((each.response for each in self.classes if each.status is not Status.NOT_MET), None)

    @property
    def answer(self) -> Literal["class", "none", "indeterminate"]:
        """What the values say, whatever the time: a class, none of them, or several are possible."""
        if self.floor is not self.best:
            return "indeterminate"
        return "none" if self.floor is None else "class"

    @property
    def verdict(self) -> Verdict:
        """Of a rule with one class: met, not met or indeterminate."""
        return self.classes[0].status.verdict

    def off(self, due: Due) -> Fraction:
        """How many days from the day on which the rule is read; of a rule that is read from a day on, the first is the nearest."""
        day = self.elapsed.lo if self.elapsed and self.elapsed.lo is not None else Fraction(0)
        return abs(day - due.day)

    @property
    def due(self) -> str:
        """When the rule is read, in words."""
        return due_text(self.classes[0].response.due)


def made_for(rule: ResponseSet, drugs: str) -> bool:
    """True if the rule was published for one of these drugs, or names none."""
    text = drugs.casefold()
    words = re.findall(r"\w+", text)
    ends = {word: any(each.endswith(word) for each in words) for word in rule.published_for}  # alloHCT is HCT, HCTZ is not
    named = (ends[word] or (word in text and len(word) > _SHORT) for word in rule.published_for)
    return not rule.published_for or any(named)


def due_text(due: Sequence[Due]) -> str:
    """When a rule is read: `day 14 ± 3`."""
    return " or ".join(each.text for each in due)


def timing(due: Sequence[Due], elapsed: Interval | None) -> Timing:
    """Where `elapsed` lies: a window may be certain, out of reach, or open."""
    if not due:
        return "any_time"
    if elapsed is None:
        return "not_known"
    inside = [_inside(each.days, elapsed) for each in due]
    if Status.MET in inside:
        return "in_time"
    if Status.UNKNOWN in inside:
        return "not_known"
    first = min(each.days.lo or Fraction(0) for each in due)
    return "too_early" if elapsed.compare("<", first) is Status.MET else "too_late"


def _inside(window: Interval, elapsed: Interval) -> Status:
    sides = [elapsed.compare(">=", window.lo)] if window.lo is not None else []
    sides += [elapsed.compare("<=", window.hi)] if window.hi is not None else []
    if Status.NOT_MET in sides:
        return Status.NOT_MET
    return Status.UNKNOWN if Status.UNKNOWN in sides else Status.MET

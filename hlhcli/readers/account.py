"""What was read of an input: how many entries, how many of them were used, and why the others were not.

Nothing is lost silently: `read` is always `used` and what was left together.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from hlhcli.errors import InputError, Problem, printable
from hlhcli.readers.chart import Place

_SHOWN = 60  # characters of a code, a name or a unit
_KINDS = 2000  # that are told apart
_ELSE = ("code not known here", "term not known here", "resource not read")  # the commonest, and the least of a loss


class Kind(NamedTuple):
    """Entries that were not used for one reason (or, as a remark, were used with a doubt), and where the first of them stands."""

    reason: str  # 'code not known here', 'no unit'
    what: str  # the code, column or unit; never a person's own text
    number: int
    first: Place
    expected: bool = False  # somebody said that these shall not be read, or nothing is lost with them


class Account:
    """The books of one input. An entry is what the form calls one: an Observation's value, a row, a cell."""

    def __init__(self, source: str, form: str) -> None:
        self.source = source
        self.form = form
        self.read = 0
        self.used = 0
        self._left: dict[tuple[str, str], Kind] = {}
        self._remarks: dict[tuple[str, str], Kind] = {}

    def leave(self, reason: str, what: str, place: Place, count: int = 1) -> None:
        """`count` entries that were read are not used."""
        _add(self._left, Kind(reason, printable(what, _SHOWN), count, place))

    def pass_over(self, reason: str, what: str, place: Place, count: int = 1) -> None:
        """`count` entries that were read are not used, as it should be: they were not meant to be."""
        _add(self._left, Kind(reason, printable(what, _SHOWN), count, place, expected=True))

    def remark(self, reason: str, what: str, place: Place, count: int = 1) -> None:
        """Something that was used, and is worth knowing."""
        _add(self._remarks, Kind(reason, printable(what, _SHOWN), count, place))

    @property
    def left(self) -> list[Kind]:
        """What was not used: first what may have been meant, the most frequent before the others."""
        return sorted(self._left.values(), key=lambda kind: (kind.expected, kind.reason in _ELSE, -kind.number))

    @property
    def remarks(self) -> list[Kind]:
        return sorted(self._remarks.values(), key=lambda kind: -kind.number)

    @property
    def unused(self) -> int:
        return sum(kind.number for kind in self._left.values())

    def where(self, kind: Kind) -> str:
        """Where the first of a kind stands."""
        return self.problem("", kind.first).where

    def summary(self, limit: int) -> list[str]:
        """What was not used, in lines for people to read, of at most `limit` kinds; and what was used with a doubt."""
        lines = []
        if self.left and limit:
            lines = [f"{self.source}: {self.used} of {self.read} entries used, {self.unused} not:"]
            lines += [f"  {kind.number} x {_said(kind)} (first: {_short(kind.first, self.form)})" for kind in self.left[:limit]]
            if rest := self.left[limit:]:
                lines.append(f"  {sum(kind.number for kind in rest)} x {len(rest)} more kinds (--json lists all)")
        lines += [
            f"{self.where(kind)}: note: {_said(kind)}{f' ({kind.number} x)' if kind.number > 1 else ''}" for kind in self.remarks
        ]
        return lines

    def insist(self) -> None:
        """Raises InputError if anything was not used that may have been meant."""
        if lost := [kind for kind in self.left if not kind.expected]:
            raise InputError(self.problem(f"not used ({kind.number} x): {_said(kind)}", kind.first) for kind in lost)

    def problem(self, message: str, place: Place) -> Problem:
        """A problem at this place of the input."""
        return Problem(str(Path(self.source, place.file)) if place.file else self.source, message, place.line, place.column)


def _short(place: Place, form: str) -> str:
    if form == "phenopacket":  # which is one value; its label is the path to the part
        return place.label
    return " ".join(filter(None, (place.file, f"line {place.line}", f"column {place.column}" * (place.column > 1))))


def _said(kind: Kind) -> str:
    return f"{kind.reason}: {kind.what}" if kind.what else kind.reason


def _add(kinds: dict[tuple[str, str], Kind], kind: Kind) -> None:
    if len(kinds) >= _KINDS and (kind.reason, kind.what) not in kinds:
        kind = kind._replace(what="others")
    known = kinds.get((kind.reason, kind.what))
    kinds[kind.reason, kind.what] = kind if known is None else known._replace(number=known.number + kind.number)

"""What can be wrong with an input, said once: where, what, and what to write instead."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from contextvars import ContextVar
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing wrong (or, as a warning, noteworthy) in an input. Lines and columns count from 1."""

    source: str
    message: str
    line: int | None = None
    column: int | None = None

    @property
    def where(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}:{self.column}"

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class InputError(Exception):
    """An input that could not be evaluated, with every problem found in it, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda p: (p.line or 0, p.column or 0))
        super().__init__("\n".join(map(str, self.problems)))


class TooManyRules(InputError):
    """A set that is too large; nothing more of it is read."""


class UnknownName(ValueError):
    """A name that does not exist where one of a known list was expected."""

    def __init__(self, what: str, name: str, known: Iterable[str], instead: str | None = None) -> None:
        advice = f"; {instead}" if instead else did_you_mean(name, known)
        if not advice and what == "observable":
            advice = "; 'hlhcli observables' lists them, and what is none of them goes into the 'note:' of its time point"
        super().__init__(f"unknown {what} '{printable(name, 60)}'{advice}")


_SUGGESTED = 100  # wrong names of one file for which one like it is looked for; more are never shown
_SHORT = 4  # letters of a name that is at most taken for one with the same first letter
_left: ContextVar[list[int] | None] = ContextVar("left", default=None)


class Suggesting:
    """Within it only so many names like a wrong one are looked for: each is compared with all that are known."""

    def __enter__(self) -> None:
        self.token = None if _left.get() else _left.set([_SUGGESTED])

    def __exit__(self, *raised: object) -> None:
        if self.token is not None:
            _left.reset(self.token)


def did_you_mean(name: str, known: Iterable[str], listed: int = 12) -> str:
    """`; did you mean 'ferritin'?`, or the list of what is known if that is short, or nothing."""
    names = list(known)
    if (left := _left.get()) is not None:
        left[0] -= 1
        if left[0] < 0:
            return ""
    meant = alike(name, names)
    if meant:
        return f"; did you mean '{printable(meant, 60)}'?"
    return f"; known are {', '.join(printable(each, 60) for each in names)}" if 0 < len(names) <= listed else ""


def alike(name: str, names: Iterable[str]) -> str | None:
    """The one of the names that is most like this one, if any is."""
    from difflib import get_close_matches

    folded = {candidate.casefold(): candidate for candidate in names}
    if len(name) <= _SHORT:  # a few letters are like many names
        folded = {word: candidate for word, candidate in folded.items() if word[:1] == name[:1].casefold()}
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


_OTHER_WORDS = {
    "change": ("override", "overrides", "items"), "without": ("remove", "drop", "exclude"), "at_least": ("required", "needed"),
    "when": ("finding", "threshold", "rule"), "caution": ("warn", "warning"), "score": ("sum", "cutoff"),
}  # fmt: skip


def meant(key: str, known: tuple[str, ...]) -> str:
    """What an unknown key of a criteria file was probably meant to be."""
    other = next((name for name, words in _OTHER_WORDS.items() if key in words and name in known), None)
    return f"; did you mean '{other}'?" if other else did_you_mean(key, known)


def why(error: OSError) -> str:
    """Why a file cannot be read or written, in words."""
    return (error.strerror or str(error)).lower()


def printable(text: str, limit: int | None = None) -> str:
    """`text` on one line and safe on a terminal: control, bidirectional and other invisible characters are escaped."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(c if c.isprintable() and unicodedata.category(c)[0] != "C" else _escape(c) for c in text)
    return text if limit is None or len(text) <= limit else text[: limit - 1] + "…"


def _escape(character: str) -> str:
    return " " if character in "\n\t\r\x0b\x0c\u2028\u2029" or character.isspace() else f"\\u{ord(character):04x}"

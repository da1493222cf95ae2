"""Writes results in the chosen form, one after another as they come, to the screen or to a file that is whole or not there."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, TextIO

from hlhcli.api import Result
from hlhcli.errors import Problem
from hlhcli.rules import CriteriaSet

if TYPE_CHECKING:
    from rich.console import Console

    from hlhcli.readers.account import Account


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    MARKDOWN = "markdown"


_STREAMS = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")  # also where they lead to a file, which may hold more
_NARROWEST = 40  # columns of a terminal that a table can be fitted to
_SUFFIXES = {
    ".json": Format.JSON,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".csv": Format.CSV,
    ".md": Format.MARKDOWN,
} | dict.fromkeys(("", ".txt", ".text", ".log"), Format.TABLE)


def format_of(path: Path | None) -> Format | None:
    """The form that a file's name asks for: a table where it asks for none, None where it asks for one that is not written."""
    if path is None or (not path.is_file() and path.exists()):
        return Format.TABLE
    return _SUFFIXES.get(path.suffix.lower())


class Screen(NamedTuple):
    """What the terminal can show: color (None: let it decide), and only ASCII (else by its encoding)."""

    color: bool | None = None
    ascii: bool = False


class Read(Protocol):
    """What was read for the results: the sets of criteria, what was wrong, and the books of inputs that are no patient files."""

    @property
    def sets(self) -> list[CriteriaSet]: ...
    @property
    def problems(self) -> list[Problem]: ...
    @property
    def accounts(self) -> list[Account]: ...


def write(form: Format, results: Iterable[Result], read: Read, stream: TextIO, screen: Screen) -> None:
    """Every result to the stream. The problems and accounts may still grow while `results` is consumed."""
    if form is Format.TABLE:
        _tables(results, stream, screen)
    elif form is Format.JSON:
        from hlhcli.render.results import write_json  # each form needs one of these, and every start pays for an import

        write_json(results, read.problems, read.accounts, stream)
    elif form is Format.JSONL:
        from hlhcli.render.results import write_lines

        write_lines(results, stream)
    elif form is Format.CSV:
        from hlhcli.render.csvfile import CsvWriter

        writer = CsvWriter(stream, read.sets)
        for result in results:
            writer.write(result)
    else:
        from hlhcli.render.markdown import markdown

        for index, result in enumerate(results):
            stream.write("\n" * bool(index) + markdown(result))


def _tables(results: Iterable[Result], stream: TextIO, screen: Screen) -> None:
    from hlhcli.render.table import draw, once_more

    console, plain = terminal(stream, screen)
    for index, result in enumerate(results):
        if index:
            console.print()
        if not stream.isatty():
            draw(result, console, plain)
            continue
        with console.capture() as drawn:
            draw(result, console, plain)
        stream.write(drawn.get())
        if drawn.get().count("\n") >= console.height:
            once_more(result, console, plain)


def terminal(stream: TextIO, screen: Screen) -> tuple[Console, bool]:
    """The stream as a screen to draw on, and whether it takes ASCII only."""
    from rich.console import Console

    plain = screen.ascii or not (stream.encoding or "utf-8").lower().startswith("utf")
    console = Console(
        file=stream,
        force_terminal=screen.color if screen.color is not None else stream.isatty(),
        no_color=not screen.color if screen.color is not None else None,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )
    console.width = max(console.width, _NARROWEST)
    return console, plain


@contextlib.contextmanager
def destination(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that appears under its name only once it is complete."""
    if path is None:
        yield sys.stdout
        return
    with in_bytes(path) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        yield text
        text.detach()


@contextlib.contextmanager
def in_bytes(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name only once it is complete."""
    if (path.exists() and not path.is_file()) or str(path).startswith(_STREAMS):  # a device or pipe cannot be replaced
        with path.open("ab") as stream:
            yield stream
        return
    from hlhcli.whole import whole  # most calls print, and every start pays for an import

    with whole(path) as stream:
        yield stream

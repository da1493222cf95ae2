"""Tables as text (CSV and its kin): encoding, delimiter and header found out, rows one after another."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import BinaryIO, NamedTuple

from hlhcli.errors import InputError, Problem, printable

DELIMITERS = "\t;|,"  # where two would do, the comma is more often part of a text or a number
MAX_ROW = 4 * 1024 * 1024  # characters of one row
MAX_CELLS = 16_384  # of one row; no spreadsheet holds more
BEYOND = "cells right of the last named column", "not read"
_CHUNK = 64 * 1024
_SAMPLE = 25  # lines from which the delimiter and the header are found
_FALLBACK = "cp1252"
_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_TITLES = {"utf-8": "UTF-8", "utf-16": "UTF-16", _FALLBACK: "Windows-1252"}

# Spaces, and characters that show nothing: zero-width, marks of direction, byte order mark.
_SPACES = "".join(c for c in map(chr, range(0x3001)) if c.isspace())
_AROUND = _SPACES + "\u200b\u200c\u200d\u200e\u200f\u2060\u2066\u2067\u2068\u2069\ufeff"


class Row(NamedTuple):
    """One row, as wide as the header. `line` is the line (or the row of the sheet) in which it begins, from 1.

    `missing` cells were not there and are blank now; `surplus` holds cells beyond the header, if any of them says something.
    Either can mean that values stand in the wrong column.
    """

    line: int
    cells: list[str]
    surplus: Sequence[str] = ()
    missing: int = 0


class Table:
    """A header and, once, its rows: they are read while they are walked through, and not kept.

    `remarks` are pairs of a reason and what it is about; they, `encoding` and `width_problems` (rows that have too few or too
    many cells) are complete only after the last row.
    """

    def __init__(
        self,
        rows: Iterator[tuple[int, list[str]]],
        source: str,
        delimiter: str = "",
        remarks: list[tuple[str, str]] | None = None,
        text: Text | None = None,
        ragged: bool = False,
        comments: dict[tuple[int, int], str] | None = None,
    ) -> None:
        self.delimiter = delimiter
        self.comments = comments or {}  # what was noted at a cell of a sheet, by its row and column
        self.remarks = [] if remarks is None else remarks
        self.width_problems: Counter[str] = Counter()
        self._text = text
        self._ragged = ragged  # a sheet: rows end with their last filled cell, and what stands beyond the header shifts nothing
        before = [next(rows, None)]
        while len(before) < _SAMPLE and before[-1] is not None and _filled(before[-1][1]) < 2:
            before.append(next(rows, None))
        found = [row for row in before if row is not None]
        if not found:
            raise InputError([Problem(source, "the table is empty; its first row must name the columns", 1, 1)])
        header = next((number for number, (_, cells) in enumerate(found) if _filled(cells) > 1), 0)
        if header:
            self.remarks.append(("title above the header", f"rows: {header}"))
        self.header_line, cells = found[header]
        self.header = _header(cells, self.header_line, source)
        self._rows = chain(found[header + 1 :], rows)

    @property
    def encoding(self) -> str:
        return self._text.encoding if self._text else ""

    def __iter__(self) -> Iterator[Row]:
        width = len(self.header)
        for line, cells in self._rows:
            found = len(cells)
            if found == width:
                yield Row(line, cells)
            elif found < width:
                if not self._ragged:
                    self.width_problems["too few cells"] += 1
                yield Row(line, cells + [""] * (width - found), missing=0 if self._ragged else width - found)
            elif any(cells[width:]) and self._ragged:
                if BEYOND not in self.remarks:
                    self.remarks.append(BEYOND)
                yield Row(line, cells[:width])
            elif any(cells[width:]):
                self.width_problems["too many cells"] += 1
                yield Row(line, cells[:width], cells[width:])
            else:
                yield Row(line, cells[:width])


def _filled(cells: list[str]) -> int:
    return sum(map(bool, cells))


def _header(cells: list[str], line: int, source: str) -> list[str]:
    names = [" ".join(name.split()) or f"column {number}" for number, name in enumerate(cells, 1)]
    first: dict[str, int] = {}
    problems = []
    for number, name in enumerate(names, 1):
        if first.setdefault(name, number) != number:
            message = f"the name of this column is there twice (columns {first[name]} and {number}); rename one of them"
            problems.append(Problem(source, message, line, number))
    if problems:
        raise InputError(problems)
    return names


def read(stream: BinaryIO, source: str, encoding: str | None = None, delimiter: str | None = None) -> Table:
    """The table in `stream`. What is not given is found out: the encoding from the bytes, the delimiter from the first lines.

    Raises InputError, also while the rows are walked through.
    """
    if delimiter is not None and (len(delimiter) != 1 or delimiter.isalnum() or delimiter in '"\r\n'):
        raise InputError([Problem(source, "a delimiter is one character, such as , or ; or a tab")])
    text = Text(stream, source, encoding)
    stated = text.stated_delimiter()
    delimiter = delimiter or stated or _detect(text.sample())
    return Table(_rows(text, delimiter, source), source, delimiter, text.remarks, text)


def _rows(text: Text, delimiter: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, trimmed, each with the line in which it begins."""
    reader = csv.reader(text, delimiter=delimiter, skipinitialspace=True, strict=True)
    while True:
        line = text.line + 1
        text.row_begins()
        try:
            raw = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError([Problem(source, _why(error), line, 1)]) from None
        if len(raw) > MAX_CELLS:
            raise InputError([Problem(source, f"a row of {len(raw)} cells (limit {MAX_CELLS})", line, 1)])
        cells = [trim(cell) for cell in raw]
        if any(cells):
            yield line, cells


def _why(error: csv.Error) -> str:
    words = str(error)
    if "field limit" in words:
        return f"a cell of more than {csv.field_size_limit()} characters; is a quotation mark not closed?"
    if "expected after" in words:
        return 'text follows a closing quotation mark; write a quotation mark inside of a quoted cell twice: ""'
    return "a quotation mark that opens here is not closed"


def trim(cell: str) -> str:
    """The cell without spaces and invisible characters around it."""
    return cell.strip() if cell.isascii() else cell.strip(_AROUND)


def _detect(sample: list[str]) -> str:
    """The delimiter under which most of the first rows are as wide as the header, and no quotation marks are left over."""

    def score(delimiter: str) -> tuple[bool, int, int, int]:
        rows: list[list[str]] = []
        reader = csv.reader(sample, delimiter=delimiter, skipinitialspace=True)
        with contextlib.suppress(csv.Error):  # the rows before it tell enough
            rows.extend(row for row in reader if any(map(str.strip, row)))
        width = next((len(row) for row in rows if len(row) > 1), 0)
        same = sum(len(row) == width for row in rows)
        stray = sum(cell.count('"') for row in rows for cell in row)
        return width > 1, same * 100 // max(len(rows), 1), -stray, width

    best = max(DELIMITERS, key=score)
    return best if score(best)[0] else ","


class Text:
    """The lines of a stream of bytes, decoded as they are needed."""

    def __init__(self, stream: BinaryIO, source: str, encoding: str | None) -> None:
        self.source = source
        self.remarks: list[tuple[str, str]] = []
        self.line = 0  # lines that were given out
        self._stream = stream
        self._ahead: deque[str] = deque()
        self._of_row = 0
        start = stream.read(_CHUNK)
        bom = next((mark for mark in _BOMS if start.startswith(mark)), b"")
        self._codec = encoding or _BOMS.get(bom, "utf-8")
        self._guessed = encoding is None and not bom  # another encoding is possible as long as all was ASCII
        self._lines = self._decode(start, self._decoder())
        first = next(self._lines, "").removeprefix("\ufeff")
        if first:
            self._ahead.append(first)

    @property
    def encoding(self) -> str:
        return _TITLES.get(self._codec, self._codec)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._ahead.popleft() if self._ahead else next(self._lines)
        self.line += 1
        self._of_row += len(line)
        if self._of_row > MAX_ROW:
            raise self._problem(f"a row of more than {MAX_ROW} characters; is a quotation mark not closed?", self.line)
        return line

    def row_begins(self) -> None:
        self._of_row = 0

    def sample(self) -> list[str]:
        """The first lines, which stay to be read."""
        while len(self._ahead) < _SAMPLE and (line := next(self._lines, "")):
            self._ahead.append(line)
        return list(self._ahead)

    def stated_delimiter(self) -> str | None:
        """The delimiter that a first line `sep=;` states, as Excel writes it; that line is no row."""
        first = trim(self._ahead[0]).strip('"') if self._ahead else ""
        if first[:4].lower() != "sep=" or len(first) > 5:
            return None
        next(self)
        return first[4:] if first[4:] and first[4] in DELIMITERS else "\t"

    def _decoder(self) -> codecs.IncrementalDecoder:
        try:
            b"a".decode(self._codec)
        except UnicodeError:
            pass  # one byte is no character there
        except (LookupError, ValueError):
            raise InputError([Problem(self.source, f"unknown encoding '{printable(self._codec, 40)}'")]) from None
        return codecs.getincrementaldecoder(self._codec)()

    def _decode(self, chunk: bytes, decoder: codecs.IncrementalDecoder) -> Iterator[str]:
        """The lines, each with its end; a line can end in one of three ways, also in the middle of a chunk."""
        rest, given = "", 0
        while True:
            try:
                text = decoder.decode(chunk, not chunk)
            except UnicodeDecodeError as error:
                good = error.object[: error.start]
                before = given + len(_split(rest + good.decode(self._codec, "replace") + "."))
                if not (self._guessed and good.isascii()):
                    raise self._problem(f"a byte that is not {self.encoding}; save all of the table as UTF-8", before) from None
                self._codec, self._guessed = _FALLBACK, False
                self.remarks.append(("encoding", self.encoding))
                decoder, chunk = self._decoder(), error.object
                continue
            except UnicodeError:
                raise self._problem(f"text that is not {self.encoding}", given + 1) from None
            self._guessed = self._guessed and text.isascii()
            if "\0" in text:
                before = given + len(_split(rest + text[: text.index("\0")] + "."))
                raise self._problem("a character of value zero; this is no table as text (or its encoding is another)", before)
            lines = _split(rest + text)
            rest = "" if not chunk or not lines or lines[-1].endswith("\n") else lines.pop()
            if len(rest) > MAX_ROW:
                raise self._problem(f"a line of more than {MAX_ROW} characters", given + len(lines) + 1)
            given += len(lines)
            yield from lines
            if not chunk:
                return
            chunk = self._stream.read(_CHUNK)

    def _problem(self, message: str, line: int) -> InputError:
        return InputError([Problem(self.source, message, line, 1)])


def _split(text: str) -> list[str]:
    return list(io.StringIO(text, newline=""))

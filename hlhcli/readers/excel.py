"""Tables of a workbook (.xlsx). Cells become the text that a person typed."""

from __future__ import annotations

import io
import posixpath
import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Context, Decimal
from functools import lru_cache
from typing import IO, Any, BinaryIO, NoReturn, cast
from xml.etree import ElementTree

from hlhcli.errors import InputError, Problem, printable
from hlhcli.readers.delimited import BEYOND, Table, trim
from hlhcli.yamltree import JsonNumber

MAX_BYTES = 200 * 1024 * 1024  # of the workbook unpacked
MAX_RATIO = 200  # unpacked to packed; sheets of numbers stay far below
MAX_ROWS = 1_048_576  # of a sheet
MAX_CELLS = 5_000_000  # that are read of a sheet, blank ones between others too
MAX_PART = 40 * 1024 * 1024  # of a part that is no sheet, such as the texts of all cells: they are held in memory
MAX_SHEETS = 200  # that are looked at
MAX_COMMENT = 200  # characters of a comment at a cell

_PIECE = 1024 * 1024  # bytes of XML that are parsed at a time
_FIRST_ROWS, _FIRST_COLUMNS = 1000, 200  # of a sheet, in which something has to stand
_TYPED = Context(prec=15)
_LITERAL = re.compile(r'"[^"]*"|_.|\*.|\[[^\]]*\]')
_AFFIXED = re.compile(r'(?:"([^"]*)")?[#0,.?]+\s?(?:"([^"]*)")?')
_THREADED = " Comment: "  # before the text of a comment that newer versions keep as a conversation
_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
_SHEETS = re.compile(r"xl/worksheets/[^/]+\.xml")


def read(stream: BinaryIO, source: str, sheet: str | None = None) -> Table:
    """The table of the sheet of this name, or of the first sheet that holds one.

    Raises InputError, also while the rows are walked through.
    """
    try:
        from openpyxl.reader.excel import ExcelReader
    except ImportError:
        raise InputError([Problem(source, "reading .xlsx needs openpyxl: pip install 'hlhcli[excel]'")]) from None
    content = stream.read(MAX_BYTES + 1)
    has_formulas = _inspect(content, source)

    def sheets(data_only: bool) -> list[Any]:
        reader = ExcelReader(io.BytesIO(content), read_only=True, data_only=data_only, keep_links=False)
        reader.archive = _Archive(io.BytesIO(content))
        reader.read()
        for each in reader.wb.worksheets:
            each.reset_dimensions()  # what the file says of its size may be wrong, and would hide rows
        return sorted(reader.wb.worksheets, key=lambda each: each.sheet_state != "visible")

    remarks: list[tuple[str, str]] = []
    with _Guard(source):
        chosen = _choose(sheets(True), source, sheet, remarks)
        formulas = next(each for each in sheets(False) if each.title == chosen.title) if has_formulas else None
    try:
        comments = _comments(content, chosen)
    except Exception:  # whatever a damaged part makes of the parser; the values are there without it
        comments = {}
        remarks.append(("cell comments are not read", "they are damaged"))
    return Table(_rows(chosen, formulas, source, remarks), source, remarks=remarks, ragged=True, comments=comments)


class _Archive(zipfile.ZipFile):
    """Gives its parts in large pieces: Expat before 2.6 reads what is not closed yet again with every piece."""

    def open(self, *named: Any, **more: Any) -> IO[bytes]:
        return _Pieces(cast("io.RawIOBase", super().open(*named, **more)))


class _Pieces(io.BufferedReader):
    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(-1 if size is None or size < 0 else max(size, _PIECE))


class _Guard:
    """Whatever a damaged workbook makes of openpyxl is one problem of the input; its warnings, which show values, are not shown."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.row: int | None = None

    def __enter__(self) -> None:
        self._warnings = warnings.catch_warnings()
        self._warnings.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._warnings.__exit__(None, None, None)
        if isinstance(error, Exception) and not isinstance(error, InputError):
            _refuse(self.source, "this workbook is damaged, or no workbook (.xlsx)", self.row)


def _refuse(source: str, message: str, row: int | None = None) -> NoReturn:
    raise InputError([Problem(source, message, row, None if row is None else 1)]) from None


def _inspect(content: bytes, source: str) -> bool:
    """Refuses what is no workbook or would unpack to too much; true if the sheets hold formulas."""
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        _refuse(source, "this is an old workbook (.xls), or one with a password; save it as .xlsx without a password")
    if len(content) > MAX_BYTES:
        _refuse(source, f"this workbook is larger than {MAX_BYTES // 1024**2} MB; save the sheet as CSV")
    with _Guard(source), zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        if any(part.flag_bits & 1 for part in parts):
            _refuse(source, "this workbook has a password; save it without one")
        size = sum(part.file_size for part in parts)
        if size > MAX_BYTES or size > MAX_RATIO * max(1, sum(part.compress_size for part in parts)):
            _refuse(source, f"this workbook unpacks to {size // 1024**2} MB (limit {MAX_BYTES // 1024**2}); save the sheet as CSV")
        largest = max((part.file_size for part in parts if not _SHEETS.fullmatch(part.filename)), default=0)
        if largest > MAX_PART:
            limit = f"{largest // 1024**2} MB (limit {MAX_PART // 1024**2})"
            _refuse(source, f"the texts, or another part, of this workbook unpack to {limit}; save the sheet as CSV")
        return any(_holds_formulas(archive, part.filename) for part in parts if _SHEETS.fullmatch(part.filename))


def _holds_formulas(archive: zipfile.ZipFile, name: str) -> bool:
    with archive.open(name) as part:
        before = b""
        while chunk := part.read(64 * 1024):
            if _FORMULA.search(before + chunk):
                return True
            before = chunk[-16:]
    return False


def _choose(sheets: list[Any], source: str, sheet: str | None, remarks: list[tuple[str, str]]) -> Any:
    """The sheet of this name, or the first that is not blank; a remark for each other that is not blank."""
    filled = [candidate for candidate in sheets[:MAX_SHEETS] if _has_cells(candidate)]
    if sheet is None:
        chosen = filled[0] if filled else _refuse(source, "no sheet of this workbook holds anything")
    else:
        named = [candidate for candidate in sheets if candidate.title.casefold() == sheet.casefold()]
        known = ", ".join(printable(candidate.title, 40) for candidate in sheets[:12])
        chosen = named[0] if named else _refuse(source, f"no sheet is named '{printable(sheet, 60)}'; there are {known}")
    if len(filled) > 1:  # the name of a sheet can be that of a person
        remarks.append(("other sheets are not read", f"{len(filled) - 1}; name one in the mapping (sheet:)"))
    return chosen


def _comments(content: bytes, sheet: Any) -> dict[tuple[int, int], str]:
    """The text of the comments at the cells of a sheet, by row and column."""
    from openpyxl.utils.cell import coordinate_to_tuple

    path = str(sheet._worksheet_path).lstrip("/")
    folder, name = posixpath.split(path)
    relations = f"{folder}/_rels/{name}.rels"
    found: dict[tuple[int, int], str] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if relations not in archive.namelist():
            return found
        for each in _xml(archive, relations):
            if not each.get("Type", "").endswith("/comments"):
                continue
            target = each.get("Target", "")
            part = posixpath.normpath(target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target))
            for comment in _xml(archive, part).iter():
                if comment.tag.endswith("}comment"):
                    texts = [run.text or "" for run in comment.iter() if run.tag.endswith("}t")]
                    text = " ".join("".join(texts).split())
                    text = text.partition(_THREADED)[2].strip() if text.startswith("[Threaded comment]") else text
                    if text:
                        found[coordinate_to_tuple(comment.get("ref", ""))] = printable(text, MAX_COMMENT)
    return found


def _xml(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    """A part of the workbook; one that declares entities, which could unfold without end, is refused."""
    content = archive.read(name)
    if b"<!DOCTYPE" in content or b"\0" in content:
        raise ValueError
    return ElementTree.fromstring(content)


def _has_cells(sheet: Any) -> bool:
    rows = sheet.iter_rows(max_row=_FIRST_ROWS, max_col=_FIRST_COLUMNS, values_only=True)
    return any(value is not None and str(value).strip() for row in rows for value in row)


def _rows(sheet: Any, formulas: Any, source: str, remarks: list[tuple[str, str]]) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, as text, without the blank cells at their end, and as wide as their header."""
    width = _Width(remarks)
    walk = width.narrowed(sheet).iter_rows(max_row=MAX_ROWS)
    beside = width.narrowed(formulas).iter_rows(max_row=MAX_ROWS) if formulas else iter(())
    guard = _Guard(source)
    total = 0
    for number in range(1, MAX_ROWS + 1):
        guard.row = number
        with guard:
            row = next(walk, None)
            if row is None:
                return
            total += len(row)
            if total > MAX_CELLS:
                _refuse(source, f"a sheet of more than {MAX_CELLS} cells; save it as CSV", number)
            cells = ["" if cell.value is None else _text(cell) for cell in row]
            if any(cell.data_type == "f" and not text for text, cell in zip(cells, next(beside, ()), strict=False)):
                remarks.append(("formula without a stored value", sheet.title))
                beside = iter(())  # told once
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            width.settle(cells)
            yield number, cells


class _Width:
    """How many columns are read: those up to the last name of the header. Cells right of them would make every row wide."""

    def __init__(self, remarks: list[tuple[str, str]]) -> None:
        self.columns = 0  # not known yet
        self.remarks = remarks

    def settle(self, cells: list[str]) -> None:
        """The header is the first row with more than one cell that is filled."""
        if not self.columns and sum(map(bool, cells)) > 1:
            self.columns = len(cells)

    def narrowed(self, sheet: Any) -> Any:
        """The sheet, with the cells of its rows up to the last column: openpyxl fills the gaps before a cell."""
        whole = sheet._get_row

        def narrow(row: list[dict[str, Any]], *bounds: Any, **more: Any) -> Any:
            if not self.columns or not row or row[-1]["column"] <= self.columns:
                return whole(row, *bounds, **more)
            if any(cell["column"] > self.columns and cell["value"] is not None for cell in row) and BEYOND not in self.remarks:
                self.remarks.append(BEYOND)
            return whole([cell for cell in row if cell["column"] <= self.columns], *bounds, **more)

        sheet._get_row = narrow
        return sheet


def _text(cell: Any) -> str:
    """The cell as text. A number is stored as a double: what was typed is the shortest decimal that gives the same one.

    Nobody can type more than fifteen digits, and none are shown: what comes after them in a calculated number is its error.
    A number is known as one (JsonNumber): it has a point, however the texts of the sheet are written.
    """
    value = cell.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        digits = repr(value)
        exact = Decimal(digits) if isinstance(value, int) else _TYPED.create_decimal(digits)
        return JsonNumber(_number(exact, cell.number_format or ""))
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return trim(str(value))


def _number(value: Decimal, shown_as: str) -> str:
    """A number in the form that its format gives it, apart from rounding: percents, and words that stand around it."""
    if not value.is_finite():
        return "#NUM!"
    percent, before, after = _format(shown_as)
    return f"{before}{_plain(value * 100 if percent else value)} {after}".strip()


@lru_cache(256)
def _format(shown_as: str) -> tuple[bool, str, str]:
    """Whether a format shows percents, and the words that it puts in front of a number and behind it."""
    first = re.sub(r"\\(.)", r'"\1"', shown_as.split(";")[0]).replace('""', "")  # a character after \ is as if in quotes
    if "%" in _LITERAL.sub("", first):
        return True, "", "%"
    around = _AFFIXED.fullmatch(first)
    return False, *((around[1] or "", (around[2] or "").strip()) if around else ("", ""))


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

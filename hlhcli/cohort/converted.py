"""CSV and NDJSON, read once into Parquet files of our own, so that every query sees the same rows, and every line is accounted for.

DuckDB leaves out the lines that it cannot split; here each of them is written down with its number and the reason.
"""

from __future__ import annotations

import csv
import glob
import gzip
import io
import json
import zlib
from collections.abc import Generator
from contextlib import closing
from itertools import islice
from pathlib import Path

import duckdb

from hlhcli.cohort.source import BROKEN
from hlhcli.cohort.sql import literal
from hlhcli.cohort.sql import quoted as quote
from hlhcli.errors import InputError, Problem, printable

NOT_JSON = "line that is no JSON object"
_REASONS = {
    "MISSING COLUMNS": "line with too few columns",
    "TOO MANY COLUMNS": "line with too many columns",
    "INVALID ENCODING": "line that is not UTF-8",
    "LINE SIZE OVER MAXIMUM": "line that is too long",
}
_REASON = "line whose quotes cannot be read"
_MARKS = ",;\t|"
_LONGEST = 32 * 1024 * 1024  # bytes of a line
_HEADING = 50  # lines in which a heading ends


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """The table of the lines that cannot be read."""
    connection.execute(f"CREATE TEMP TABLE {BROKEN} (file VARCHAR, line BIGINT, reason VARCHAR)")


def convert(connection: duckdb.DuckDBPyConnection, path: str, target: Path, is_json: bool) -> bool:
    """Write a file as Parquet, all of it text; False where nothing stands in it. Raises InputError."""
    return (_json if is_json else _csv)(connection, path, target)


def named(path: str) -> str:
    """A path as a literal that is no pattern."""
    return literal(glob.escape(path))


def _csv(connection: duckdb.DuckDBPyConnection, path: str, target: Path) -> bool:
    mark, names = _heading(connection, path)
    if not names:
        return False
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    options = f"columns = {{{columns}}}, delim = {literal(mark)}, header = true, nullstr = '', max_line_size = {_LONGEST}"
    read = (
        f"read_csv([{named(path)}], auto_detect = false, {options}, quote = '\"', escape = '\"',"
        " store_rejects = true, rejects_limit = 0, rejects_table = 'hlhcli_errors', rejects_scan = 'hlhcli_scans')"
    )
    try:
        connection.execute(f"COPY (SELECT * FROM {read}) TO {literal(str(target))} (FORMAT parquet)")
        _check_quotes(connection, path, target, names)
        reasons = " ".join(f"WHEN '{kind}' THEN '{reason}'" for kind, reason in _REASONS.items())
        connection.execute(
            f"INSERT INTO {BROKEN} SELECT {literal(path)}, line,"
            f" CASE MIN(CAST(error_type AS VARCHAR)) {reasons} ELSE '{_REASON}' END FROM hlhcli_errors GROUP BY line"
        )
    except duckdb.InvalidInputException as error:
        if "invalid state" in str(error):
            raise InputError([Problem(path, "cannot be read: its lines end in different ways (LF and CR LF)")]) from None
        raise
    finally:
        connection.execute("DROP TABLE IF EXISTS hlhcli_errors; DROP TABLE IF EXISTS hlhcli_scans")
    return True


def _lines(connection: duckdb.DuckDBPyConnection, path: str) -> Generator[str]:
    """The lines of a file, each byte as one character."""
    if path.lower().endswith(".zst"):  # which only DuckDB opens
        options = "header = false, columns = {'line': 'VARCHAR'}, delim = '\x1f', quote = '', escape = '', null_padding = true"
        found = connection.execute(f"SELECT line FROM read_csv([{named(path)}], auto_detect = false, {options}, parallel = false)")
        while row := found.fetchone():
            yield str(row[0] or "").encode().decode("latin-1")
        return
    packed = path.lower().endswith(".gz")
    with gzip.open(path) if packed else Path(path).open("rb") as file, io.TextIOWrapper(file, encoding="latin-1") as lines:
        yield from lines


def _heading(connection: duckdb.DuckDBPyConnection, path: str) -> tuple[str, list[str]]:
    """What parts the columns, and their names; none for an empty file. Raises InputError."""
    try:
        with closing(_lines(connection, path)) as first:
            lines = list(islice(first, _HEADING))
    except (OSError, EOFError, zlib.error):
        raise InputError([Problem(path, "cannot be read: it is broken")]) from None
    if not any(line.strip() for line in lines):
        return "", []
    try:
        head = lines[0].encode("latin-1").decode("utf-8-sig")
    except UnicodeDecodeError:
        head = "\0"
    if "\0" in head:
        raise InputError([Problem(path, "cannot be read: it is not text in UTF-8")])
    mark = max(_MARKS, key=head.count)
    rest = [line.encode("latin-1").decode("utf-8", "replace") for line in lines[1:]]
    try:
        found = [name.strip() for name in next(csv.reader([head, *rest], delimiter=mark), [])]
    except csv.Error:
        raise InputError([Problem(path, "cannot be read: its heading is longer than any heading is", 1, 1)]) from None
    names = [name or f"column {place}" for place, name in enumerate(found, 1)]
    folded = [name.casefold() for name in names]
    if twice := next((name for name in names if folded.count(name.casefold()) > 1), None):
        raise InputError([Problem(path, f"has the column '{printable(twice, 40)}' twice")])
    return mark, names


def _check_quotes(connection: duckdb.DuckDBPyConnection, path: str, target: Path, names: list[str]) -> None:
    """A quote that is not closed hides all lines up to the next one. Raises InputError."""
    errors = connection.execute(
        "SELECT COUNT(DISTINCT line), MIN(line) FILTER (error_type = 'UNQUOTED VALUE') FROM hlhcli_errors"
    ).fetchall()
    broken, first = errors[0]
    if first is None:
        return
    breaks = " + ".join(f"COALESCE(LENGTH({quote(name)}) - LENGTH(REPLACE({quote(name)}, chr(10), '')), 0)" for name in names)
    rows = connection.execute(f"SELECT COUNT(*) + COALESCE(SUM({breaks}), 0) FROM read_parquet({named(str(target))})").fetchall()
    lines = sum(1 for line in _lines(connection, path) if line.strip())
    if lines - 1 > int(rows[0][0]) + int(broken):
        raise InputError([Problem(path, "cannot be read: a quote is not closed, and hides the lines after it", int(first), 1)])


def _json(connection: duckdb.DuckDBPyConnection, path: str, target: Path) -> bool:
    lines = f"read_ndjson_objects([{named(path)}], ignore_errors = true, maximum_object_size = {_LONGEST})"
    objects = f"SELECT json FROM {lines} WHERE json_type(json) = 'OBJECT'"
    counted = connection.execute(f"SELECT COUNT(*), COUNT(*) FILTER (json_type(json) = 'OBJECT') FROM {lines}").fetchall()
    rows, read = counted[0]
    if rows and not read:
        raise InputError([Problem(path, "cannot be read: it has no line that is a JSON object")])
    if not rows:
        return False
    keys = [key for (key,) in connection.execute(f"SELECT DISTINCT UNNEST(json_keys(json)) FROM ({objects})").fetchall()]
    folded = [key.casefold() for key in keys]
    if twice := next((key for key in sorted(keys) if folded.count(key.casefold()) > 1), None):
        raise InputError([Problem(path, f"has the key '{printable(twice, 40)}' twice, in capital and in small letters")])
    columns = ", ".join(f"json ->> {literal('$.' + json.dumps(key, ensure_ascii=False))} AS {quote(key)}" for key in sorted(keys))
    connection.execute(f"COPY (SELECT {columns or 'NULL AS nothing'} FROM ({objects})) TO {literal(str(target))} (FORMAT parquet)")
    connection.execute(f"INSERT INTO {BROKEN} SELECT {literal(path)}, NULL, '{NOT_JSON}' FROM range({rows - read})")
    return True

"""The embedded engine: DuckDB in this process, which spills to disk where memory ends."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from hlhcli.cohort import converted
from hlhcli.cohort.dialects import Dialect, Embedded, Kind, Table
from hlhcli.cohort.source import BROKEN
from hlhcli.cohort.sql import literal, quoted
from hlhcli.errors import InputError, Problem
from hlhcli.spreadsheet import FORMULA, NUMBER, REPLACED

_KINDS: dict[str, Kind] = {
    "VARCHAR": "text", "DATE": "date", "BOOLEAN": "boolean", "DOUBLE": "double", "FLOAT": "double",
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"), "integer"),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"), "integer"),
}  # fmt: skip
_PARQUET, _CSV, _JSON = (".parquet", ".pq"), (".csv", ".tsv", ".txt"), (".ndjson", ".jsonl", ".json")
# A text of values hardly ever comes again: a dictionary of them would cost time and save nothing.
_PARQUET_FORM = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 5000"
_FORMS = {
    ".parquet": _PARQUET_FORM, ".pq": _PARQUET_FORM,
    ".csv": "FORMAT csv, HEADER", ".ndjson": "FORMAT json", ".jsonl": "FORMAT json",
}  # fmt: skip
_POLL = 0.2  # seconds between looks at the progress

_OF_THE_MACHINE = (duckdb.OutOfMemoryException, duckdb.InterruptException)
_FULL = "no space is left on the disk"
_KNOWN_ERRORS = {
    "No space left on device": _FULL,
    "File too large": _FULL,
    "failed to offload data block": _FULL,
    "Permission denied": "permission denied",
    "No magic bytes": "it is no whole Parquet file",
    "Maximum line size": "a line is longer than 32 MB",
    "not utf-8": "it is not text in UTF-8",
    "Out of Memory": "more memory is needed than --memory allows",
}

Column = tuple[str, str]


def connect(config: dict[str, Any] | None = None) -> duckdb.DuckDBPyConnection:
    """A database in memory that loads nothing from elsewhere: no extension is fetched, and no secret of the user's is read."""
    closed = ("autoinstall_known_extensions", "autoload_known_extensions", "allow_community_extensions", "allow_persistent_secrets")
    return duckdb.connect(config=(config or {}) | dict.fromkeys(closed, "false"))


class DuckDB:
    """A database of its own, in memory."""

    name = "duckdb"
    dialect: Dialect = Embedded()
    version = duckdb.__version__
    forms = tuple(_FORMS)

    def __init__(self, memory: str | None = None, spill: Path | None = None, threads: int | None = None) -> None:
        """Raises ValueError where `memory` is none."""
        config: dict[str, Any] = {"preserve_insertion_order": False}
        if memory:
            config["memory_limit"] = memory
        if spill:
            config["temp_directory"] = str(spill)
        if threads:
            config["threads"] = threads
        try:
            self.connection = connect(config)
        except duckdb.Error as error:
            raise ValueError(_said(error)) from None
        converted.prepare(self.connection)
        self._views = 0
        self._folder = Path(tempfile.mkdtemp(prefix="input.", dir=spill))
        self._parquet: list[str] = []  # files of others, which may be broken anywhere

    def close(self) -> None:
        self.connection.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def broken(self) -> list[tuple[str, str, int]]:
        """The lines that could not be split into columns: file, reason, how many."""
        sql = f"SELECT file, reason, COUNT(*) FROM {BROKEN} GROUP BY file, reason ORDER BY file, reason"
        return self.connection.execute(sql).fetchall()

    def table(self, paths: Sequence[str]) -> Table:
        """Files of one form as a table. Raises InputError."""
        self._views += 1
        name = f"input_{self._views}"
        relation = self._relation(paths)
        try:
            self.connection.execute(f"CREATE VIEW {name} AS {relation}")
            described = self.connection.execute(f"DESCRIBE {name}").fetchall()
        except duckdb.Error as error:
            raise InputError([Problem(self._culprit(paths) or paths[0], f"cannot be read: {_said(error)}")]) from None
        return Table(name, {column.lower(): _kind(kind) for column, kind, *_ in described})

    def _relation(self, paths: Sequence[str]) -> str:
        """Parquet files as they are; of other files a copy that is Parquet. Raises InputError."""
        form = _form(paths[0])
        if other := next((path for path in paths if _form(path) != form), None):
            raise InputError([Problem(other, f"is of another form than {paths[0]}: give files of one form")])
        for path in paths:
            if not os.access(path, os.R_OK):
                raise InputError([Problem(path, "cannot be read: permission denied")])
        if form is _PARQUET:
            self._parquet += paths
            return _all(paths)
        copies = []
        for number, path in enumerate(paths):
            copy = self._folder / f"{self._views}-{number}.parquet"
            try:
                if converted.convert(self.connection, path, copy, form is _JSON):
                    copies.append(str(copy))
            except duckdb.Error as error:
                raise InputError([Problem(path, f"cannot be read: {_said(error)}")]) from None
        if not copies:
            raise InputError([Problem(paths[0], "is empty")])
        return _all(copies)

    def _culprit(self, paths: Sequence[str]) -> str | None:
        """The first of several files that cannot be read."""
        for path in paths:
            try:
                with connect() as other:
                    other.execute(f"SELECT COUNT(*) FROM {_all([path]).removeprefix('SELECT * FROM ')} AS t WHERE hash(t) = 0")
            except duckdb.Error:
                return path
        return None

    def load(self, name: str, columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> None:
        """A small table of our own, for the rows to be joined with."""
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {name} ({', '.join(f'{column} {kind}' for column, kind in columns)})"
        )
        if not rows:
            return
        names = [column for column, _ in columns]
        content = json.dumps([dict(zip(names, row, strict=True)) for row in rows])
        structure = json.dumps([dict(columns)])
        self.connection.execute(
            f"INSERT INTO {name} SELECT UNNEST(from_json(?::JSON, {literal(structure)}), recursive := true)", [content]
        )

    def keep(self, name: str, sql: str) -> None:
        """The rows of a query as a table of our own. Raises InputError."""
        try:
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS\n{sql}")
        except duckdb.Error as error:
            raise InputError([self._problem(error, "the input", "be read")]) from None

    def rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, a few at a time. Raises InputError."""
        try:
            cursor = self.connection.execute(sql)
            while batch := cursor.fetchmany(10_000):
                yield from batch
        except duckdb.Error as error:
            raise InputError([self._problem(error, "the input", "be read")]) from None

    def _problem(self, error: duckdb.Error, source: str, what: str) -> Problem:
        if not isinstance(error, _OF_THE_MACHINE) and (culprit := self._culprit(self._parquet)):
            return Problem(culprit, f"cannot be read: {_said(error)}")
        return Problem(source, f"cannot {what}: {_said(error)}")

    def save(self, sql: str, path: Path | str, progress: Callable[[float], None] | None = None) -> int:
        """The rows of a query as a file; how many there are. Raises InputError where that fails."""
        path = Path(path)
        form = path.suffix.lower()
        try:
            rows = self._inert(sql) if form in _CSV else sql
            found = self._run(f"COPY ({rows}) TO {literal(str(path))} ({_FORMS[form]})", progress)
        except duckdb.Error as error:
            raise InputError([self._problem(error, path.name, "be written")]) from None
        return int(found[0][0])

    def _inert(self, sql: str) -> str:
        """The same rows with texts that no spreadsheet takes for a formula."""
        columns = []
        for name, kind, *_ in self.connection.execute(f"DESCRIBE {sql}").fetchall():
            column = quoted(name)
            safe = f"regexp_replace({column}, {literal(FORMULA)}, {literal(REPLACED)}, 'g')"
            number = f"regexp_full_match({column}, {literal(NUMBER)})"
            columns.append(f"CASE WHEN {number} THEN {column} ELSE {safe} END AS {column}" if _kind(kind) == "text" else column)
        return f"SELECT {', '.join(columns)} FROM (\n{sql}\n) AS written"

    def _run(self, sql: str, progress: Callable[[float], None] | None) -> list[Any]:
        """The result of a statement, with a look at how far it is."""
        if progress is None:
            return self.connection.execute(sql).fetchall()
        found: list[Any] = []
        problem: list[BaseException] = []

        def work() -> None:
            try:
                found.extend(self.connection.execute(sql).fetchall())
            except BaseException as error:
                problem.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                thread.join(_POLL)
                progress(self.connection.query_progress())
        except BaseException:
            self.connection.interrupt()
            thread.join()
            raise
        if problem:
            raise problem[0]
        return found


def rows_in(paths: Sequence[Path]) -> int:
    """How many rows Parquet files hold together."""
    listed = ", ".join(literal(str(path)) for path in paths)
    with connect() as here:
        found = here.execute(f"SELECT SUM(num_rows) FROM parquet_file_metadata([{listed}])").fetchall()
    return int(found[0][0])


def _kind(kind: str) -> Kind:
    if kind.startswith("DECIMAL"):
        return "decimal"
    if kind.startswith("TIMESTAMP"):
        return "timestamp"
    return _KINDS.get(kind, "text" if kind.startswith(("ENUM", "JSON")) else "other")


def _form(path: str) -> tuple[str, ...]:
    plain = path.lower().removesuffix(".gz").removesuffix(".zst")
    for form in (_PARQUET, _CSV, _JSON):
        if plain.endswith(form):
            return form
    raise InputError([Problem(path, "is of no form that is read here: .parquet, .csv, .tsv or .ndjson")])


def _all(paths: Sequence[str]) -> str:
    return f"SELECT * FROM read_parquet([{', '.join(map(converted.named, paths))}], union_by_name = true)"


def _said(error: duckdb.Error) -> str:
    """What an engine says, without anything that may come from the rows."""
    text = str(error)
    if found := next((said for words, said in _KNOWN_ERRORS.items() if words in text), None):
        return found
    return f"DuckDB stops with {type(error).__name__}"

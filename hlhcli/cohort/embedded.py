"""The embedded engine: DuckDB in this process, which spills to disk where memory ends."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from hlhcli.cohort.dialects import DIALECTS, Kind, Table
from hlhcli.cohort.sql import literal
from hlhcli.cohort.sql import quoted as quote
from hlhcli.errors import InputError, Problem

_KINDS: dict[str, Kind] = {
    "VARCHAR": "text", "DATE": "date", "BOOLEAN": "boolean", "DOUBLE": "double", "FLOAT": "double",
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"), "integer"),
}  # fmt: skip
_PARQUET, _CSV, _JSON = (".parquet", ".pq"), (".csv", ".tsv", ".txt"), (".ndjson", ".jsonl", ".json")
_PARQUET_FORM = "FORMAT parquet"
_FORMS = {".csv": "FORMAT csv, HEADER", ".ndjson": "FORMAT json", ".jsonl": "FORMAT json"}
_SAMPLE = 1000  # lines of JSON whose keys are the columns
_POLL = 0.2  # seconds between looks at the progress

Column = tuple[str, str]


class DuckDB:
    """A database of its own, in memory."""

    name = "duckdb"
    dialect = DIALECTS["duckdb"]
    version = duckdb.__version__

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
            self.connection = duckdb.connect(config=config)
        except duckdb.Error as error:
            raise ValueError(_first(error)) from None
        self._views = 0

    def close(self) -> None:
        self.connection.close()

    def table(self, paths: Sequence[str]) -> Table:
        """Files of one form as a table. Raises InputError."""
        self._views += 1
        name = f"input_{self._views}"
        try:
            self.connection.execute(f"CREATE VIEW {name} AS {self._reader(paths)}")
            described = self.connection.execute(f"DESCRIBE {name}").fetchall()
        except duckdb.Error as error:
            raise InputError([Problem(paths[0], f"cannot be read: {_first(error)}")]) from None
        return Table(name, {column.lower(): _kind(kind) for column, kind, *_ in described})

    def _reader(self, paths: Sequence[str]) -> str:
        quoted = f"[{', '.join(map(literal, paths))}]"
        plain = paths[0].lower().removesuffix(".gz").removesuffix(".zst")
        if plain.endswith(_PARQUET):
            return f"SELECT * FROM read_parquet({quoted}, union_by_name = true)"
        if plain.endswith(_CSV):
            return f"SELECT * FROM read_csv({quoted}, all_varchar = true, union_by_name = true, header = true, ignore_errors = true, nullstr = '')"
        if plain.endswith(_JSON):
            keys = self.connection.execute(
                f"SELECT DISTINCT UNNEST(json_keys(json)) FROM (SELECT json FROM read_ndjson_objects({quoted}, ignore_errors = true)"
                f" LIMIT {_SAMPLE})"
            ).fetchall()
            columns = ", ".join(f"json ->> {literal('$.' + json.dumps(key))} AS {quote(key)}" for (key,) in sorted(keys)) or "json"
            return f"SELECT {columns} FROM read_ndjson_objects({quoted}, ignore_errors = true)"
        raise InputError([Problem(paths[0], "is of no form that is read here: .parquet, .csv, .tsv or .ndjson")])

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

    def rows(self, sql: str, header: bool = False) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, a few at a time; the names of its columns before them if asked for. Raises InputError."""
        try:
            cursor = self.connection.execute(sql)
        except duckdb.Error as error:
            raise InputError([Problem("the input", f"cannot be read: {_first(error)}")]) from None
        if header:
            yield tuple(column[0] for column in cursor.description or ())
        while batch := cursor.fetchmany(10_000):
            yield from batch

    def save(self, sql: str, path: Path, progress: Callable[[float], None] | None = None) -> int:
        """The rows of a query as a file; how many there are. Raises InputError where that fails."""
        try:
            found = self._run(f"COPY ({sql}) TO {literal(str(path))} ({_FORMS.get(path.suffix, _PARQUET_FORM)})", progress)
        except duckdb.Error as error:
            raise InputError([Problem(path.name, f"cannot be evaluated: {_first(error)}")]) from None
        return int(found[0][0])

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


def _kind(kind: str) -> Kind:
    if kind.startswith("DECIMAL"):
        return "decimal"
    if kind.startswith("TIMESTAMP"):
        return "timestamp"
    return _KINDS.get(kind, "text" if kind.startswith(("ENUM", "JSON")) else "other")


def _first(error: Exception) -> str:
    """The first line of what an engine says, without the query."""
    return str(error).splitlines()[0]

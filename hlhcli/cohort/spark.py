"""Spark: in this process, on a cluster, or through Spark Connect. All of it is SQL, so that no worker needs Python."""

from __future__ import annotations

import json
import logging
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import functions
from pyspark.sql.types import (
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    FractionalType,
    IntegralType,
    StringType,
    TimestampNTZType,
    TimestampType,
)

from hlhcli.cohort.dialects import DIALECTS, Kind, Table
from hlhcli.cohort.rendered import staged
from hlhcli.errors import InputError, Problem
from hlhcli.spreadsheet import FORMULA, NUMBER, REPLACED

_PARQUET, _CSV, _JSON = (".parquet", ".pq"), (".csv", ".tsv", ".txt"), (".ndjson", ".jsonl", ".json")
_MARKS = (",", "\t", ";", "|")
_SAMPLE = 1000  # lines of JSON whose keys are the columns
_SESSION = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}
_START = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.legacy.parquet.nanosAsLong": "false",
}
_ALONE = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}  # nobody else on the network reaches it
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([KMGT])i?B?", re.IGNORECASE)
_KINDS: tuple[tuple[type[DataType], Kind], ...] = (
    (StringType, "text"), (BooleanType, "boolean"), (IntegralType, "integer"), (DecimalType, "decimal"), (FractionalType, "double"),
    (DateType, "date"), (TimestampType, "timestamp"), (TimestampNTZType, "timestamp"),
)  # fmt: skip
_PATTERN = re.compile(r"[*?\[\]{}\\]")  # what Hadoop takes for a pattern in a path


class Spark:
    """One session."""

    name = "spark"
    dialect = DIALECTS["spark"]

    def __init__(self, master: str | None = None, memory: str | None = None, options: Mapping[str, str] | None = None) -> None:
        """`master`: such as local[4], spark://host:7077 or sc://host; in this process without one.

        Raises InputError where it cannot be reached, ValueError where `memory` is none.
        """
        from pyspark.sql import SparkSession

        builder: Any = SparkSession.builder.appName("hlhcli")
        if master and master.startswith("sc://"):
            builder = builder.remote(master)
        else:
            logging.getLogger("SQLQueryContextLogger").disabled = True  # it would write queries and values
            builder = builder.master(master or "local[*]")
            start = _START | (_ALONE if not master or master.startswith("local") else {})
            for key, value in (start | ({"spark.driver.memory": _size(memory)} if memory else {})).items():
                builder = builder.config(key, value)
        for key, value in (options or {}).items():
            builder = builder.config(key, value)
        with _told(master or "spark", "be reached"):
            self.session: Any = builder.getOrCreate()
            for key, value in _SESSION.items():
                self.session.conf.set(key, value)
        if not (master and master.startswith("sc://")):
            self.session.sparkContext.setLogLevel("OFF")
        self.version = str(self.session.version)
        self._views = 0
        self._kept: dict[str, Any] = {}

    def close(self) -> None:
        self.session.stop()

    def table(self, paths: Sequence[str]) -> Table:
        """Files of one form. Raises InputError."""
        with _told(paths[0], "be read"):
            frame = self._frame(paths)
            kinds = {field.name.lower(): _kind(field.dataType) for field in frame.schema.fields}
            self._views += 1
            name = f"hlhcli_input_{self._views}"
            frame.createOrReplaceTempView(name)
        return Table(name, kinds)

    def _frame(self, paths: Sequence[str]) -> Any:
        plain = paths[0].lower().removesuffix(".gz").removesuffix(".zst")
        found = [_PATTERN.sub(r"\\\g<0>", path) for path in paths]
        if plain.endswith(_PARQUET):
            return self.session.read.option("mergeSchema", "true").parquet(*found)
        if plain.endswith(_CSV):
            return _united([self._csv(path) for path in found])
        if plain.endswith(_JSON):
            return self._json(found)
        raise InputError([Problem(paths[0], "is of no form that is read here: .parquet, .csv, .tsv or .ndjson")])

    def _csv(self, path: str) -> Any:
        """A file with a heading, all of it text."""
        first = self.session.read.text(path).first()
        head = first[0] if first else ""
        mark = max(_MARKS, key=head.count)
        reader = self.session.read.option("header", "true").option("sep", mark).option("escape", '"').option("quote", '"')
        return reader.option("enforceSchema", "false").option("nullValue", "").csv(path)

    def _json(self, paths: list[str]) -> Any:
        """A line of JSON for each row; the keys of the first lines are the columns, as text."""
        lines = self.session.read.text(paths)
        keys = lines.limit(_SAMPLE).select(functions.explode(functions.json_object_keys("value"))).distinct().collect()
        return lines.select([_of_key(key) for (key,) in sorted(keys)] or ["value"])

    def load(self, name: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]]) -> None:
        """A small table of our own: one literal, so that every worker has it."""
        kinds = ", ".join(f"{column}: {kind.replace('VARCHAR', 'STRING')}" for column, kind in columns)
        names = [column for column, _ in columns]
        content = json.dumps([dict(zip(names, row, strict=True)) for row in rows])
        frame = self.session.sql(f"SELECT INLINE(FROM_JSON(:content, 'ARRAY<STRUCT<{kinds}>>'))", {"content": content})
        frame.createOrReplaceTempView(name)

    def keep(self, name: str, sql: str) -> None:
        """The rows of a query as a table of our own. Raises InputError."""
        with _told("spark", "be evaluated"), self._frame_of(sql) as frame:
            found = frame.persist()
            found.count()  # now, while what it is made of is there
            found.createOrReplaceTempView(name)
        if before := self._kept.pop(name, None):
            before.unpersist()
        self._kept[name] = found

    @contextmanager
    def _frame_of(self, sql: str) -> Iterator[Any]:
        """The rows of a query, with moments that have no time zone. What several of its steps read is kept until the end."""
        stages, last = staged(sql, "spark")
        kept = []
        try:
            for table, stage in stages:
                kept.append(self.session.sql(stage).persist())
                kept[-1].createOrReplaceTempView(table)
            yield self._unzoned(self.session.sql(last))
        finally:
            for frame in kept:
                frame.unpersist()

    def _unzoned(self, found: Any) -> Any:
        zoned = {field.name for field in found.schema.fields if isinstance(field.dataType, TimestampType)}
        if not zoned:
            return found
        named = {name: _ticked(name) for name in found.columns}
        return found.selectExpr(
            *(f"CAST({quoted} AS TIMESTAMP_NTZ) AS {quoted}" if name in zoned else quoted for name, quoted in named.items())
        )

    def rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, a part at a time. Raises InputError."""
        with _told("spark", "be evaluated"), self._frame_of(sql) as frame:
            for row in frame.toLocalIterator(prefetchPartitions=True):
                yield tuple(row)

    def save(self, sql: str, path: Path | str, progress: Callable[[float], None] | None = None) -> int:
        """The rows of a query as one file, or a folder of parts where the name has no suffix; how many there are.

        Raises InputError.
        """
        with _told(str(path), "be written"), self._frame_of(sql) as frame:
            return self._here(frame, Path(path))

    def _here(self, frame: Any, path: Path) -> int:
        """Beside the target first, so that it is whole or not there. Raises InputError."""
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            parts = folder / "parts"
            one = bool(path.suffix)
            count = self._written(frame.repartition(1) if one else frame, str(parts.resolve()), path.name)
            found = sorted(parts.glob("part-*"))
            if not found:
                raise InputError([Problem(str(path), "was written on another machine; name a folder that all of them see")])
            (found[0] if one else parts).replace(path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return count

    def _written(self, frame: Any, where: str, name: str) -> int:
        if not name.lower().endswith(_CSV[:1]):
            frame.write.option("compression", "zstd").parquet(where)
            return int(self.session.read.parquet(where).count())
        texts = frame.select(*(_as_text(field) for field in frame.schema.fields))
        texts.write.option("header", "true").option("escape", '"').option("emptyValue", '""').csv(where)
        return int(self.session.read.option("header", "true").option("escape", '"').option("multiLine", "true").csv(where).count())


@contextmanager
def _told(source: str, what: str) -> Iterator[None]:
    """An error of Spark as one that is told: its kind, without the query and without values."""
    try:
        yield
    except PySparkException as error:
        raise InputError([Problem(source, f"cannot {what}: {_said(error)}")]) from None


def _said(error: PySparkException) -> str:
    said = (error.getCondition() or type(error).__name__).split(".")
    return " ".join(part.replace("_", " ").lower() for part in said)


def _size(memory: str) -> str:
    """4GB as Spark writes it. Raises ValueError."""
    found = _SIZE.fullmatch(memory.strip())
    if found is None:
        raise ValueError(f"'{memory}' is no size of memory; write for example 4GB")
    units = "KMGT"
    number, place = found[1], units.index(found[2].upper())
    if "." in number:
        whole, _, part = number.partition(".")
        number, place = str(int(whole) * 1024 + int(part) * 1024 // 10 ** len(part)), place - 1
    return f"{number}{units[place].lower()}" if place >= 0 else "1k"


def _united(frames: list[Any]) -> Any:
    """The rows of all files, by the names of their columns."""
    found = frames[0]
    for frame in frames[1:]:
        found = found.unionByName(frame, allowMissingColumns=True)
    return found


def _of_key(key: str) -> Any:
    path = "$['" + key.replace("'", "\\'") + "']"
    return functions.get_json_object("value", path).alias(key)


def _ticked(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _as_text(field: Any) -> Any:
    """A column of a CSV file as the other engines write it: no text is taken for a formula."""
    column = functions.col(_ticked(field.name)).cast("string")
    if isinstance(field.dataType, StringType):
        safe = functions.regexp_replace(column, FORMULA, re.sub(r"\\", "$", REPLACED))
        column = functions.when(column.rlike(rf"^(?:{NUMBER})\z"), column).otherwise(safe)
    return column.alias(field.name)


def _kind(of: DataType) -> Kind:
    return next((kind for each, kind in _KINDS if isinstance(of, each)), "other")

"""The command's work: open, read, evaluate, write whole outputs only, and keep the books."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from hlhcli.cohort import anchors as anchoring
from hlhcli.cohort import lookups, manifest, opening, packing, run, tables, values
from hlhcli.cohort.anchors import Chosen, Lookback
from hlhcli.cohort.dialects import DAY, Table
from hlhcli.cohort.embedded import rows_in
from hlhcli.cohort.opening import Opened
from hlhcli.cohort.run import Engine, Input, Read, Stored
from hlhcli.cohort.source import BROKEN, stated
from hlhcli.cohort.sql import literal, quoted, select
from hlhcli.cohort.verdicts import columns_of
from hlhcli.errors import InputError, Problem, printable
from hlhcli.rules import CriteriaSet
from hlhcli.spreadsheet import inert
from hlhcli.whole import move, sweep

Progress = Callable[[str, float], None]
_PARTS = 16  # at most: files that are not in the order of persons are read once for each
FILES = (".parquet", ".pq", ".csv", ".ndjson", ".jsonl")


class Job(NamedTuple):
    """What was asked for."""

    inputs: Sequence[str]
    sets: Sequence[CriteriaSet]
    anchors: str
    lookback: Lookback
    output: str | None  # None: standard output, as CSV
    persons: str | None = None
    mapping: Path | None = None
    rejects: Path | None = None
    partitions: int = 0
    first_met: bool = False
    force: bool = False


@runtime_checkable
class Splitting(Protocol):
    """An engine that counts the lines which it could not split into columns, in the table BROKEN."""

    forms: tuple[str, ...]  # endings of the files that it writes

    def broken(self) -> list[tuple[str, str, int]]:
        """File, reason and number of lines."""


class Done(NamedTuple):
    """What came of it."""

    manifest: dict[str, Any]
    read: Read
    resumed: int  # parts that were there already


class Query(NamedTuple):
    """How to ask for one part, or for all."""

    read: Read
    measured: run.Measured
    given: Input
    anchors: str | Chosen
    back: Lookback
    many: bool
    first_met: bool

    def parts(self, engine: Engine, number: int) -> list[str]:
        """Conditions that part the persons."""
        return run.parts(engine, self.read, self.anchors if isinstance(self.anchors, str) else self.given.source.readings, number)

    def sql(self, engine: Engine, part: str = "") -> str:
        """The query for one part, or for all persons: those of many rows by parts, so that it needs no more memory than for one."""
        rows, at_once = self.read.rows_in - self.read.not_asked, engine.dialect.at_once
        number = 1 if part or at_once is None else min(_PARTS, ceil(rows / at_once))
        conditions = self.parts(engine, number) if number > 1 else [part]
        return "\nUNION ALL\n".join(f"SELECT * FROM (\n{self._sql(engine, each)}\n) AS of_a_part" for each in conditions)

    def _sql(self, engine: Engine, part: str) -> str:
        sql = run.compose(engine.dialect, self.read, self.measured, self.given, self.anchors, self.back, part, self.many)
        return _first(sql, self.read.layout.sets) if self.first_met else sql


def _first(sql: str, sets: Sequence[CriteriaSet]) -> str:
    """Of each person and set the first assessment that is met."""
    order = "ROW_NUMBER() OVER (PARTITION BY person_id, criteria ORDER BY anchor_time, anchor) AS place"
    numbered = f"SELECT *, {order} FROM (\n{sql}\n) AS assessed WHERE verdict = 'met'"
    return f"SELECT {', '.join(map(quoted, columns_of(sets)))} FROM (\n{numbered}\n) AS of_the_met WHERE place = 1"


def screen(engine: Engine, job: Job, progress: Progress | None = None) -> Done:
    """Evaluate a whole cohort. Raises InputError for what cannot be read or written."""
    start = time.monotonic()
    started = manifest.now()
    chosen = anchoring.chosen(job.anchors)
    table = None if chosen else opening.file_table(engine, job.anchors)
    if table:
        tables.of_person(table, engine.dialect, job.anchors)
    found = opening.opened(engine, job.inputs, job.persons, job.mapping, table)
    files = [*found.files, *(Path(each) for each in (job.persons, None if chosen else job.anchors) if each)]
    described = {"name": engine.name, "version": engine.version}
    stored = isinstance(engine, Stored)
    if isinstance(engine, Stored):
        described["address"] = engine.address
    named = job.inputs if stored else ()
    plan = manifest.plan(files, named, job.sets, chosen.how if chosen else job.anchors, job.lookback.text, described)
    plan["first met only"] = job.first_met
    target = Path(job.output) if job.output else None
    _keep(job, files)
    if job.rejects:
        _refuse(job.rejects, job.force, engine)
    parts = _Parts(target, job, plan, lasting=not stored) if target and job.partitions else None
    to_a_table = target is not None and parts is None and target.suffix.lower() not in FILES
    in_database = to_a_table and isinstance(engine, Stored)
    if in_database:
        _refuse_table(engine, str(job.output), job.force)
    elif target and parts is None:
        _refuse(target, job.force, engine)
    read = run.profile(engine, found.given.source, job.sets, chosen)
    measured = run.load(engine, found.given.source, read)
    anchors, many, dropped = _anchors(engine, job, chosen or table, found)
    query = Query(read, measured, found.given, anchors, job.lookback, many, job.first_met)
    lines = [(Path(path), reason, number) for path, reason, number in engine.broken()] if isinstance(engine, Splitting) else []
    values = set(found.files) - set(found.beside)
    if job.rejects:
        _save(engine, rejected(found.given, read, engine, values if lines else ()), job.rejects, None)
    ageless = _without_birth(engine, found.given.persons) if job.persons else 0
    resumed = 0
    if parts is not None:
        rows, resumed = parts.run(engine, query, progress)
    elif in_database:
        rows = engine.save(query.sql(engine), str(job.output))
    elif target is not None:
        rows = _save(engine, query.sql(engine), target, _of(progress, "evaluating"))
    else:
        rows = _print(engine, query.sql(engine), job.sets)
    counted = {"count": rows // max(1, len(job.sets))} if not job.first_met else {}
    if dropped:
        counted["left"] = dropped
    aside = [{"name": str(path), "reason": reason, "lines": number} for path, reason, number in lines if path not in values]
    content = {
        **plan,
        "started": started,
        "seconds": round(time.monotonic() - start, 2),
        "anchors": {**plan["anchors"], **counted},
        "rows": manifest.books(read, [(reason, number) for path, reason, number in lines if path in values]),
        **({"other lines left": aside} if aside else {}),
        **({"columns not read": list(found.unread)} if found.unread else {}),
        **({"persons without a birth that can be read": ageless} if ageless else {}),
        "out": {"rows": rows},
        **({"partitions": {"of": job.partitions}} if job.partitions else {}),
    }
    if target is not None:
        with _written(target):
            manifest.write(Path(f"{job.output}.manifest.json") if in_database else manifest.beside(target), content)
    if parts:
        parts.finish()
    return Done(content, read, resumed)


def _without_birth(engine: Engine, persons: str | None) -> int:
    """How many of the persons of a table have no date or year of birth that can be read."""
    counted = f"SELECT COUNT(*) FROM (\n{persons}\n) AS persons WHERE NOT person_id IS NULL AND born_first IS NULL"
    return int(next(iter(engine.rows(counted)))[0]) if persons else 0


def _of(progress: Progress | None, what: str) -> Callable[[float], None] | None:
    return None if progress is None else lambda percent: progress(what, percent)


def _anchors(engine: Engine, job: Job, how: Chosen | Table | None, found: Opened) -> tuple[str | Chosen, bool, int]:
    """The anchors as SQL, whether a person has many of them, and how many cannot be read. Raises InputError."""
    if how is None or isinstance(how, Chosen):
        return how or Chosen(), True, 0
    given, table = found.given, how
    columns = tables.of_person(table, engine.dialect, job.anchors)
    if columns.days != given.days:
        what = ("days", "dates") if columns.days else ("dates", "days")
        raise InputError([Problem(job.anchors, f"counts {what[0]}, and the input {what[1]}: write both the same way")])
    sql = (
        f"SELECT COUNT(*), {engine.dialect.about_how_many(columns.person)}, COUNT({columns.time}),"
        f" SUM(CASE WHEN ({columns.time}) % {DAY} = 0 THEN 1 ELSE 0 END),"
        f" SUM(CASE WHEN {columns.person} IS NULL OR ({columns.time}) IS NULL THEN 1 ELSE 0 END) FROM {table.name}"
    )
    rows, persons, timed, at_midnight, dropped = next(iter(engine.rows(sql)))
    if not timed:
        raise InputError([Problem(job.anchors, "holds no time that can be read; write for example 2024-01-31 or 2024-01-31 10:30")])
    midnight = table.columns[columns.column] == "timestamp" and at_midnight == timed
    as_text = found.person == "text"
    written = anchoring.from_table(table, engine.dialect, job.anchors, job.lookback, given.persons or "", midnight, as_text)
    return written, rows > run.MANY * max(1, persons), dropped


def rejected(given: Input, read: Read, engine: Engine, split: Collection[Path] = ()) -> str:
    """The rows that were left, and why, as SQL; `split`: files of which some lines were not even rows."""
    columns = [(name, "VARCHAR") for name in ("code", "unit", "value", "reason")]
    engine.load("hlhcli_left", columns, [list(each) for each in read.lookups.left])
    readings = run.only(given.source.readings, {*read.asked, *(code for code, *_ in read.lookups.left)})
    never = f"s.t IS NULL OR s.t < {packing.FIRST} OR s.t > {packing.LAST}"
    nowhere = (literal(lookups.NO_PERSON), literal(lookups.NO_TIME))
    wrong = f"CASE WHEN s.person_id IS NULL THEN {nowhere[0]} WHEN {never} THEN {nowhere[1]} ELSE '' END"
    sql = select(
        [
            "s.person_id",
            f"{engine.dialect.timestamp('s.t')} AS time",
            "s.code",
            f"{stated('s.value')} AS value",
            "COALESCE(s.unit, '') AS unit",
            "l.reason",
        ],
        f"FROM (\nSELECT *, {values.shape(engine.dialect)} AS shape FROM (\n{readings}\n) AS readings\n) AS s\n"
        "JOIN hlhcli_left AS l ON l.code = s.code AND l.unit = COALESCE(s.unit, '')\n"
        "  AND COALESCE(l.value, '') = CASE WHEN s.shape IS NULL THEN COALESCE(s.value, '') ELSE '' END"
        " AND (l.value IS NULL) = (NOT s.shape IS NULL)\n"
        f"  AND {wrong} = CASE WHEN l.reason IN ({', '.join(nowhere)}) THEN l.reason ELSE '' END",
    )
    if not split:
        return sql
    listed = ", ".join(literal(str(path)) for path in sorted(split))
    where = "NULL, NULL, NULL, CAST(file || ', line ' || line AS VARCHAR), NULL, reason"
    return f"{sql}\nUNION ALL\nSELECT {where} FROM {BROKEN} WHERE file IN ({listed})"


def _keep(job: Job, files: Sequence[Path]) -> None:
    """Nothing that is read may be written over. Raises InputError."""
    read = {path.resolve() for path in files}
    for name in (job.output, job.rejects):
        if name and (Path(name).resolve() in read or (name is job.rejects and job.output and Path(name) == Path(job.output))):
            raise InputError([Problem(str(name), "is an input" if Path(name).resolve() in read else "is the output too")])


def _refuse_table(engine: Engine, name: str, force: bool) -> None:
    assert isinstance(engine, Stored)
    schema, _, table = name.rpartition(".")
    if not force and table.lower() in engine.tables(schema or None):
        raise InputError([Problem(name, "is a table that is there already; --force writes over it")])


def _refuse(target: Path, force: bool, engine: Engine) -> None:
    if isinstance(engine, Splitting) and target.suffix.lower() not in engine.forms:
        raise InputError([Problem(str(target), f"is of no form that is written here: {', '.join(engine.forms)}")])
    if target.exists() and not force:
        raise InputError([Problem(str(target), "is there already; --force writes over it")])
    if target.exists() and not target.is_file() and not target.is_dir():
        raise InputError([Problem(str(target), "is no file that could be replaced; name a file such as cohort.parquet")])
    if target.is_dir():
        raise InputError([Problem(str(target), "is a folder; name a file such as cohort.parquet, or ask for --partitions")])
    if not target.parent.is_dir():
        raise InputError([Problem(str(target), "cannot be written: there is no such folder")])


def _save(engine: Engine, sql: str, target: Path, progress: Callable[[float], None] | None) -> int:
    """A file, whole or not at all. Raises InputError."""
    with _written(target):
        sweep(target.parent, target.name)
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.{os.getpid()}.", suffix=".part", dir=target.parent))
        try:
            part = folder / target.name
            rows = engine.save(sql, part, progress)
            move(part, target)
            return rows
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _written(target: Path) -> Iterator[None]:
    """What hinders writing is said as such. Raises InputError."""
    try:
        yield
    except OSError as error:
        raise InputError([Problem(str(target), f"cannot be written: {(error.strerror or str(error)).lower()}")]) from None


def _print(engine: Engine, sql: str, sets: Sequence[CriteriaSet]) -> int:
    """The rows as CSV on standard output, in the order of persons and time; no cell acts on a terminal."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns_of(sets))
    number = 0
    for row in engine.rows(f"SELECT * FROM (\n{sql}\n) AS assessed ORDER BY person_id, anchor_time, criteria"):
        writer.writerow([inert(printable(each)) if isinstance(each, str) else _shown(each) for each in row])
        number += 1
    return number


def _shown(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


class _Parts:
    """An output in parts, by person: what is finished is kept, and not done again by the next run of the same plan."""

    def __init__(self, folder: Path, job: Job, plan: dict[str, Any], lasting: bool) -> None:
        """Not `lasting`: what is read may have changed since, so that no part is kept. Raises InputError."""
        self.folder = folder
        self.number = job.partitions
        self.plan = plan | {"partitions": {"of": job.partitions}}
        self._begun = folder / ".begun.json"
        if folder.suffix:
            raise InputError([Problem(str(folder), "names a file; with --partitions the output is a folder")])
        with _written(folder):
            if folder.is_dir():
                sweep(folder, self._begun.name)
                sweep(folder, "manifest.json")
            if job.force:
                self._clear()
        self._open()
        if not lasting and any(self.path(part).is_file() for part in range(self.number)):
            message = "holds parts of an earlier run, and a database may have changed since; --force writes over it"
            raise InputError([Problem(str(folder), message)])

    def _clear(self) -> None:
        """Remove the parts of an earlier run, and nothing else."""
        ours = (self._begun, self.folder / "manifest.json")
        here = list(self.folder.iterdir()) if self.folder.is_dir() else []
        foreign = [path for path in here if path not in ours and not path.name.startswith("part=")]
        if foreign or (here and not any(path in ours for path in here)):
            raise InputError([Problem(str(self.folder), "holds other files; name an empty folder")])
        for path in sorted(here, key=lambda path: path in ours):  # what says that the parts are ours goes last
            path.unlink() if path in ours else shutil.rmtree(path)

    def _open(self) -> None:
        try:
            self.folder.mkdir(exist_ok=True)
            here = [self._begun, self.folder / "manifest.json"]
            begun = next((path for path in here if path.is_file()), None)
            if begun is None:
                if any(self.folder.iterdir()):
                    raise InputError([Problem(str(self.folder), "holds other files; name an empty folder")])
                manifest.write(self._begun, self.plan)
                return
            other = json.loads(begun.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "its manifest cannot be read"
            raise InputError([Problem(str(self.folder), f"cannot be written: {reason.lower()}")]) from None
        keys = [key for key in self.plan if key not in ("anchors", "partitions")]
        same = all(other.get(key) == self.plan[key] for key in keys) and other["anchors"]["how"] == self.plan["anchors"]["how"]
        if not same or other["partitions"]["of"] != self.number:
            message = "holds the output of another run (other inputs, criteria or options); --force writes over it"
            raise InputError([Problem(str(self.folder), message)])

    def path(self, part: int) -> Path:
        return self.folder / f"part={part:04d}" / "data.parquet"

    def run(self, engine: Engine, query: Query, progress: Progress | None) -> tuple[int, int]:
        """All parts that are not there yet; the rows of all, and how many were there."""
        missing = [part for part in range(self.number) if not self.path(part).is_file()]
        conditions = query.parts(engine, self.number) if missing else []
        for part in missing:
            try:
                self.path(part).parent.mkdir(exist_ok=True)
            except OSError as error:
                raise InputError([Problem(str(self.folder), f"cannot be written: {(error.strerror or '').lower()}")]) from None
            shown = _of(progress, f"part {part + 1} of {self.number}")
            _save(engine, query.sql(engine, conditions[part]), self.path(part), shown)
        return rows_in([self.path(part) for part in range(self.number)]), self.number - len(missing)

    def finish(self) -> None:
        self._begun.unlink(missing_ok=True)

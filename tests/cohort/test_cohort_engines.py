"""Spark and PostgreSQL against the tables that a clinician can read, against the reference by chance, and against DuckDB's files.

Many cases share one query: their persons get the name of the case in front. EXAMPLES populations of each kind and DEFINITIONS
definitions are drawn, always the same; the environment variable HLHCLI_EXAMPLES multiplies both, and gives Spark all sets.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from command import interruptible

pytest.importorskip("duckdb")
pytest.importorskip("sqlglot")

import duckdb
from comparing import differences
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from plugged import counted, evaluate
from populations import LOOKBACKS, Population, definitions, populations
from reference_rows import reference
from spec_tables import Case, cases, check

from hlhcli import criteria
from hlhcli.cohort.anchors import lookback
from hlhcli.cohort.dialects import Table
from hlhcli.cohort.embedded import DuckDB
from hlhcli.cohort.printed import printed
from hlhcli.cohort.screen import Job, screen
from hlhcli.cohort.tables import long
from hlhcli.cohort.values import COMPARED, LONG, PLAIN
from hlhcli.cohort.verdicts import columns_of
from hlhcli.errors import InputError
from hlhcli.readers.said import NO_DOSE
from hlhcli.rules import CriteriaSet
from hlhcli.spreadsheet import inert

TIMES = int(os.environ.get("HLHCLI_EXAMPLES", "1"))
EXAMPLES, DEFINITIONS = 12 * TIMES, 5 * TIMES  # populations for each look-back, and definitions
MODES = (None, "daily", "on:ferritin")
SETS = [criteria.load(name) for name in criteria.ids()]


# The engines

_INTERPRETED = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """Spark in this process; skipped where Java or pyspark is not there."""
    pytest.importorskip("pyspark", reason="pyspark is not installed")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Java, which Spark needs, is not installed")
    from hlhcli.cohort.spark import Spark

    options = {
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        **_INTERPRETED,  # queries so small are over before it pays to compile them; those of `compiled` are
    }
    engine = Spark("local[2]", "2GB", options)
    yield engine
    engine.close()


@contextmanager
def compiled(engine: Any) -> Iterator[None]:
    """Spark with all that it does to a query of many rows."""
    if engine.name != "spark":
        yield
        return
    for key in _INTERPRETED:
        engine.session.conf.unset(key)
    yield
    for key, value in _INTERPRETED.items():
        engine.session.conf.set(key, value)


@pytest.fixture(scope="module")
def postgres(server: str) -> Iterator[Any]:
    """A session of that server."""
    pytest.importorskip("sqlalchemy", reason="sqlalchemy is not installed")
    from hlhcli.cohort.database import Database

    engine = Database(server)
    yield engine
    engine.close()


@pytest.fixture(scope="module", params=["spark", "postgres"])
def engine(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


# Many cases in one query


class Part(NamedTuple):
    """A population in a query with others."""

    name: str
    population: Population


def _rows(engine: Any, parts: Sequence[Part], sets: Sequence[CriteriaSet]) -> dict[str, list[dict[str, Any]]]:
    """The rows of each part, by its name. All parts have one way of anchors, and one to count time."""
    whole = _one(parts)
    columns = columns_of(sets)

    def fetch(engine: Any, sql: str) -> list[dict[str, Any]]:
        return [counted(dict(zip(columns, row, strict=True))) for row in engine.rows(sql)]

    found = evaluate(engine, fetch, whole.rows, whole.anchors, sets, whole.lookback, whole.persons)
    return _apart(parts, found.rows)


def _one(parts: Sequence[Part]) -> Population:
    """All parts as one population."""

    def named(field: str) -> tuple[Any, ...]:
        return tuple(
            each._replace(person_id=f"{part.name}/{each.person_id}") for part in parts for each in getattr(part.population, field)
        )

    first = parts[0].population
    anchors = first.anchors if isinstance(first.anchors, str) else named("anchors")
    return Population(named("rows"), anchors, first.lookback, named("persons"), first.counted)


def _apart(parts: Sequence[Part], rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {part.name: [] for part in parts}
    for row in rows:
        name, _, person = row["person_id"].rpartition("/")
        found[name].append(row | {"person_id": person})
    return found


def _population(case: Case) -> Population:
    times = [each.time for each in case.rows] + ([each.time for each in case.anchors] if not isinstance(case.anchors, str) else [])
    by_days = any(time is not None and not hasattr(time, "year") for time in times)
    anchors = case.anchors if isinstance(case.anchors, str) else tuple(case.anchors)
    return Population(tuple(case.rows), anchors, case.lookback, tuple(case.persons), by_days)


def test_the_tables_hold(engine: Any) -> None:
    """Every row of the tables of the cohort, by the query that the command runs."""
    wrong, together = [], {}
    for case in cases():
        population = _population(case)
        chosen = (population.anchors, *(each.id for each in case.sets)) if isinstance(population.anchors, str) else ()
        key = (population.lookback, population.counted, *chosen)  # of given anchors, the sets of all cases are evaluated at once
        together.setdefault(key, []).append((case, Part(case.id, population)))
    for alike in together.values():
        sets = {each.id: each for case, _ in alike for each in case.sets}
        found = _rows(engine, [part for _, part in alike], list(sets.values()))
        for case, part in alike:
            names = {each.id for each in case.sets}
            rows = [row for row in found[part.name] if row["criteria"] in names]
            wrong += [f"{case.id}: {said}" for said in check(case, lambda *_, rows=rows: rows)]
    assert wrong == []


def _drawn(strategy: st.SearchStrategy[Any], number: int) -> list[Any]:
    """So many examples, the same at every run."""
    found: list[Any] = []

    @settings(
        max_examples=number,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(one: Any) -> None:
        found.append(one)

    collect()
    return found


def _parts(number: int, lookback: str, mode: str | None, counted: bool) -> list[Part]:
    """Populations of one kind."""
    of_mode = populations(counted=counted).filter(lambda one: mode is not None or not isinstance(one.anchors, str))
    found = [one._replace(lookback=lookback) for one in _drawn(of_mode, number)]
    return [Part(str(place), one if mode is None else one._replace(anchors=mode)) for place, one in enumerate(found)]


def _differences(engine: Any, parts: Sequence[Part], sets: Sequence[CriteriaSet]) -> list[str]:
    found = _rows(engine, parts, sets)
    wrong = []
    for part in parts:
        rows, anchors, back, persons, _ = part.population
        wrong += differences(reference(rows, anchors, sets, back, persons).rows, found[part.name])
    return wrong


KINDS = [(back, MODES[place % 3], place % 4 == 3) for place, back in enumerate(LOOKBACKS)]


@pytest.mark.parametrize(("back", "mode", "counted"), KINDS)
def test_populations_by_chance_are_as_the_reference_says(engine: Any, back: str, mode: str | None, counted: bool) -> None:
    """Any population, all sets that ship in turn: status, range, value and time of every item, row by row."""
    sets = SETS[LOOKBACKS.index(back) :: len(LOOKBACKS)]
    if engine.name == "spark" and TIMES == 1:
        sets = sets[-1:]
    assert _differences(engine, _parts(EXAMPLES, back, mode, counted), sets) == []


DEFINED = [each._replace(id=f"random-{place}") for place, each in enumerate(_drawn(definitions(), DEFINITIONS))]


@pytest.mark.parametrize("definition", DEFINED, ids=lambda one: one.id)
def test_definitions_by_chance_are_as_the_reference_says(engine: Any, definition: CriteriaSet) -> None:
    """Any definition that the rule language can say."""
    back, mode, counted = KINDS[DEFINED.index(definition) % len(KINDS)]
    assert _differences(engine, _parts(EXAMPLES, back, mode, counted), [definition]) == []


# Files, tables and addresses


def _written(engine: Any, path: Path, folder: Path) -> list[Any]:
    """What an engine writes of a small population, as DuckDB reads it: its columns, their types, and its rows."""
    part = _parts(1, "7d", None, False)[0].population
    with compiled(engine):
        evaluate(engine, lambda engine, sql: [engine.save(sql, path)], part.rows, part.anchors, SETS[:2], "7d", part.persons)
    assert [each.name for each in folder.iterdir()] == [path.name], "something is left beside the file"
    reader = (
        f"read_csv('{path}', all_varchar = true)" if path.suffix == ".csv" else f"'{path if path.suffix else f'{path}/*.parquet'}'"
    )
    with duckdb.connect() as here:
        described = here.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()
        return [[each[:2] for each in described], sorted(here.execute(f"SELECT * FROM {reader}").fetchall(), key=str)]


def test_a_dose_of_nothing_says_the_same(engine: Any) -> None:
    """What is no dose in a patient's table is none on any engine."""
    words = ["0", "0.0", "0,00 mg", "0mg", "0 mg/kg", "000 mg/m2", "0.5 mg", "10", "0 mg twice", "0 1", "yes", "", "50 mg"]
    engine.load("given_doses", [("word", "VARCHAR")], [(word,) for word in words])
    found = engine.rows(f"SELECT word FROM given_doses WHERE {engine.dialect.matches('word', f'^{NO_DOSE}$')}")
    assert {word for (word,) in found} == {word for word in words if re.fullmatch(NO_DOSE, word)} == set(words[:6])


def test_what_is_a_time_says_the_same(engine: Any) -> None:
    """Moments and days that are written as text, as DuckDB reads them; what is cut short is none."""
    embedded = DuckDB(threads=1)
    texts = ["2024-01-31", "2024-01-31 10:30", "2024-01-31T10:30:15.5", "2024-01-31T10:30:15Z", "2024-01-31 10:30:00 UTC", "2024-01-31 ",
             "2024-01-31T23:30:00-05:00", "2024-01-31 10:30+01", "2024-01-31 11:30 PM", "2024-01-31 9:30", "2024-01-311", "2024-02-30",
             "2024-01-31/2024-02-01", "31.01.2024", "", "3", "-4.5", "45352", "99999.999999", "123456", "1e3", None]  # fmt: skip
    found = []
    for column in ("time", "day"):
        names = ("person_id", column, "code", "value", "unit")
        for each in (engine, embedded):
            rows = [(f"p{place}", text, "ferritin", "400", "ng/mL") for place, text in enumerate(texts)]
            each.load(f"given_{column}", [(name, "VARCHAR") for name in names], rows)
            source, _ = long(Table(f"given_{column}", dict.fromkeys(names, "text")), each.dialect, "rows")
            found.append(dict(each.rows(f"SELECT person_id, t FROM (\n{source.readings}\n) AS readings")))
    embedded.close()
    assert found[0] == found[1]
    assert found[2] == found[3]
    assert [place for place in range(len(texts)) if found[0][f"p{place}"] is not None] == [*range(8)]
    assert [texts[place] for place in range(len(texts)) if found[2][f"p{place}"] is not None] == [
        "3",
        "-4.5",
        "45352",
        "99999.999999",
    ]


def test_what_stands_beside_a_value_says_the_same(engine: Any) -> None:
    """Comparator, status and specimen, as DuckDB reads them."""
    embedded = DuckDB(threads=1)
    names = ("person_id", "time", "code", "value", "unit", "comparator", "status", "specimen")
    signs, states = ("≥", "=>", " over ", "about", "", "<", None), ("final", "entered-in-error", "", "odd", "Registered", None)
    found = []
    for each in (engine, embedded):
        rows = [
            (f"{sign}/{status}/{specimen}/{value}", "2024-01-31", "ferritin", value, "ng/mL", sign, status, specimen)
            for sign in signs
            for status in states
            for specimen in ("serum", "Pleural fluid", "odd", "", None)
            for value in ("400", "<400", "300-400", "normal", "!400", "?a|b", "", None)
        ]
        each.load("given_beside", [(name, "VARCHAR") for name in names], rows)
        source, _ = long(Table("given_beside", dict.fromkeys(names, "text")), each.dialect, "rows")
        found.append(dict(each.rows(f"SELECT person_id, value FROM (\n{source.readings}\n) AS readings")))
    embedded.close()
    assert found[0] == found[1]
    assert [found[0][f"{sign}/final/serum/400".strip()] for sign in ("≥", " over ", "about")] == [
        ">=400",
        ">400",
        "?comparator that is not understood|400",
    ]
    assert found[0]["/entered-in-error/serum/400"] == "!status entered-in-error"
    assert found[0]["//Pleural fluid/400"] == "!not a specimen of blood|400"


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_file_is_as_duckdb_writes_it(engine: Any, suffix: str, tmp_path: Path) -> None:
    """The same columns, types and values, and no other file left beside it."""
    (here := tmp_path / "here").mkdir()
    (there := tmp_path / "there").mkdir()
    embedded = DuckDB(threads=1)
    try:
        assert _written(engine, there / f"out{suffix}", there) == _written(embedded, here / f"out{suffix}", here)
    finally:
        embedded.close()


def test_parts_are_the_whole(engine: Any, tmp_path: Path) -> None:
    """Parts by person hold what one file of DuckDB holds; a run that finds some of them makes the others, except of a database."""
    labs = tmp_path / "labs.parquet"
    with duckdb.connect() as here:
        here.execute(
            "COPY (SELECT 'p' || (i // 9) AS person_id, TIMESTAMP '2024-01-01' + INTERVAL 9 HOUR * (i % 9) AS time, 'ferritin' AS code,"
            f" (i * 37 % 1000)::VARCHAR AS value, 'ng/mL' AS unit FROM range(450) AS r(i)) TO '{labs}'"
        )
    name = str(labs)
    if engine.name == "postgresql":
        name = "public.ward"
        engine.save(f"SELECT * FROM {engine.upload(str(labs)).name}", name)
    job = Job([name], [criteria.load("hlh-2004")], "daily", lookback("2d"), str(tmp_path / "parts"), partitions=3)
    embedded = DuckDB(threads=1)
    try:
        whole = screen(embedded, job._replace(inputs=[str(labs)], output=str(tmp_path / "whole.parquet"), partitions=0))
    finally:
        embedded.close()
    done = screen(engine, job)
    assert done.manifest["out"] == whole.manifest["out"]
    (tmp_path / "parts" / "part=0001" / "data.parquet").unlink()
    stored = engine.name == "postgresql"
    if stored:
        with pytest.raises(InputError, match="may have changed since; --force"):
            screen(engine, job)
        with pytest.raises(InputError, match="output of another run"):
            screen(engine, job._replace(inputs=["ward"]))
        assert done.manifest["inputs"] == [{"name": name}]
        assert re.fullmatch("postgresql://[^@]*/postgres", done.manifest["engine"]["address"])
    assert (again := screen(engine, job._replace(force=stored))).resumed == (0 if stored else 2)
    assert again.manifest["rows"] == whole.manifest["rows"]
    reader = f"read_parquet('{tmp_path}/parts/*/*.parquet', hive_partitioning = false)"
    with duckdb.connect() as here:
        found, expected = (here.execute(f"SELECT * FROM {each}").fetchall() for each in (reader, f"'{tmp_path}/whole.parquet'"))
    assert sorted(found, key=str) == sorted(expected, key=str) != []


def test_spark_writes_a_folder_where_the_name_has_no_suffix(spark: Any, tmp_path: Path) -> None:
    """Parts, for other programs to read."""
    (folder := tmp_path / "there").mkdir()
    assert len(_written(spark, folder / "out", folder)[1]) > 0


_LINES = 'person_id,time,code,value,unit\np1,2024-01-31,ferritin,>20000,ng/mL\n"p,2",2024-01-31 10:30,hb,"8 ""low""",\n'
_JSON = '{"person_id": "p1", "value": 8.50, "unit": null, "a b": {"c": 1}}\n{"person_id": "p2", "value": "<5"}\n'


@pytest.mark.parametrize(("name", "text"), [("rows.csv", _LINES), ("rows.tsv", _LINES.replace(",", "\t")), ("rows.ndjson", _JSON)])
def test_files_are_read_as_duckdb_reads_them(spark: Any, name: str, text: str, tmp_path: Path) -> None:
    """All of it text, empty cells NULL."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    embedded = DuckDB(threads=1)
    try:
        tables = [(each, each.table([str(path)])) for each in (spark, embedded)]
        columns = sorted(tables[1][1].columns)
        listed = ", ".join(f'"{column}"' for column in columns)
        (one, other) = (sorted(map(repr, engine.rows(f"SELECT {listed} FROM {table.name}"))) for engine, table in tables)
        assert (tables[0][1].columns, one) == (tables[1][1].columns, other)
    finally:
        embedded.close()


@pytest.mark.parametrize("name", ["labs[1].csv", "labs{1}.csv", "labs?.csv", "labs*.parquet", "labs\\1.csv"])
def test_a_name_is_no_pattern(spark: Any, name: str, tmp_path: Path) -> None:
    """The file of that name is read, and not one that a pattern would find."""
    for number, each in enumerate((name, f"labs1.{name.rpartition('.')[2]}")):
        with duckdb.connect() as here:
            here.execute(f"COPY (SELECT 'p{number}' AS person_id) TO '{tmp_path / each}'")
    assert list(spark.rows(f"SELECT person_id FROM {spark.table([str(tmp_path / name)]).name}")) == [("p0",)]


def test_spark_is_reached_from_this_machine_alone(spark: Any) -> None:
    """It listens where no other machine can ask."""
    for name in ("spark.driver.host", "spark.driver.bindAddress"):
        assert spark.session.sparkContext.getConf().get(name) == "127.0.0.1"


def test_spark_writes_no_formula(spark: Any, tmp_path: Path) -> None:
    """The cells of its CSV are those that the other engines write: a text that would be a formula is none, a number is a number."""
    texts = ["=1+1", "-3", "-3+4", "+7", "@x", " =1", '"=1', "a;=1", "a=1", "\uff1d1", "", "<5", "-1e5", "\u00a0=1"]
    rows = ", ".join(f"({number}, '{text}')" for number, text in enumerate(texts))
    assert spark.save(f"SELECT n, t FROM VALUES {rows} AS given(n, t)", tmp_path / "x.csv") == len(texts)
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        found = {int(number): text for number, text in list(csv.reader(file))[1:]}
    assert [found[number].strip(" ") for number in sorted(found)] == [inert(text).strip(" ") for text in texts]


def test_spark_says_what_it_cannot_read(spark: Any, tmp_path: Path) -> None:
    """One line, without the query."""
    with pytest.raises(InputError, match="cannot be read: path not found"):
        spark.table([str(tmp_path / "none.parquet")])


def test_a_database_makes_a_table(postgres: Any) -> None:
    """By name, whole or not at all; a table of something else is not replaced."""
    part = _parts(1, "7d", None, False)[0].population
    counts: list[int] = []

    def save(engine: Any, sql: str) -> list[Any]:
        counts.append(engine.save(sql, "public.cohort"))
        return []

    for _ in range(2):  # the second replaces the first
        evaluate(postgres, save, part.rows, part.anchors, SETS[:2], "7d", part.persons)
    (stored,) = postgres.rows("SELECT COUNT(*) FROM public.cohort")
    assert counts == [stored[0], stored[0]] != [0, 0]
    assert "cohort" in postgres.tables("public")
    assert postgres.table(["public.cohort"]).columns["anchor_time"] == "timestamp"
    with pytest.raises(InputError, match="DivisionByZero"):
        postgres.save("SELECT 1 // (met - met) AS n FROM public.cohort", "public.other")
    assert "other" not in postgres.tables("public")
    postgres.save("SELECT 1 AS n", "public.other")
    with pytest.raises(InputError, match="with other columns"):
        postgres.save("SELECT 2 AS n", "public.other")
    with pytest.raises(InputError, match="no such table"):
        postgres.table(["public.nothing"])


def test_a_database_takes_a_file_of_anchors(postgres: Any, tmp_path: Path) -> None:
    """Uploaded for the session, with the types that it has."""
    path = tmp_path / "anchors.parquet"
    with duckdb.connect() as here:
        here.execute(f"COPY (SELECT 'p1' AS person_id, DATE '2024-01-31' AS time, 'a' AS \"Name\") TO '{path}'")
    table = postgres.upload(str(path))
    assert table.columns == {"person_id": "text", "time": "date", "name": "text"}
    assert [str(each) for each in next(postgres.rows(f"SELECT person_id, time, name FROM {table.name}"))] == [
        "p1",
        "2024-01-31",
        "a",
    ]


def test_messages_hold_no_password_and_no_value(server: str, postgres: Any) -> None:
    """Neither of an address that does not answer, nor of a query that fails on a value."""
    from hlhcli.cohort.database import Database

    with pytest.raises(InputError) as unreachable:
        Database("postgresql://tester:secret-word@127.0.0.1:1/none?password=other-word")
    assert "secret-word" not in str(unreachable.value)
    assert "other-word" not in str(unreachable.value)
    with pytest.raises(InputError) as failed:
        list(postgres.rows("SELECT CAST(x AS INT) FROM (SELECT 'of a patient' AS x) AS y"))
    assert "patient" not in str(failed.value)


_SLOW = """
import signal, sys
from hlhcli.cohort.database import Database
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
try:
    Database(sys.argv[1]).save("SELECT 'hlhcli' AS slow FROM PG_SLEEP(60)", sys.argv[2])
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("target", ["out.parquet", "public.slow"])
@pytest.mark.parametrize(("sign", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_database_is_left_at_once(server: str, postgres: Any, tmp_path: Path, target: str, sign: int, code: int) -> None:
    """Who is stopped stops the server too, says nothing of it, and leaves nothing."""
    ran = subprocess.Popen(
        [sys.executable, "-c", _SLOW, server, target], stderr=subprocess.PIPE, text=True, cwd=tmp_path, preexec_fn=interruptible
    )
    active = "SELECT COUNT(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%PG_SLEEP(60)%' AND query NOT LIKE '%activity%'"

    def wait(number: int) -> None:
        for _ in range(300):
            if list(postgres.rows(active)) == [(number,)]:
                return
            time.sleep(0.1)
        raise AssertionError(f"not {number} queries")

    wait(1)
    ran.send_signal(sign)
    assert (ran.communicate(timeout=30)[1], ran.returncode) == ("", code)
    wait(0)
    assert [*tmp_path.iterdir()] == []
    assert "slow" not in postgres.tables("public")


@pytest.mark.parametrize("target", ["out.parquet", "public.slow", None])
def test_a_server_that_ends_is_told(server: str, postgres: Any, tmp_path: Path, target: str | None) -> None:
    """In one line, as anything else that cannot be read."""
    from hlhcli.cohort.database import Database

    engine = Database(server)
    ((session,),) = engine.rows("SELECT PG_BACKEND_PID()")
    end = threading.Timer(0.5, lambda: list(postgres.rows(f"SELECT PG_TERMINATE_BACKEND({session})")))
    end.start()
    slow = "SELECT 1 AS n FROM PG_SLEEP(30)"
    with pytest.raises(InputError, match="terminating connection"):
        list(engine.rows(slow)) if target is None else engine.save(slow, target if "public" in target else tmp_path / target)
    end.join()
    engine.close()
    assert [*tmp_path.iterdir()] == []


# The query that is printed


def _plain(part: Part) -> Part:
    """What the printed query promises to read: plain numbers, bounds and common words, observables and LOINC codes, births."""
    number = re.compile("|".join((PLAIN, COMPARED, LONG)))
    population = part.population
    rows = [
        row._replace(reference=None)
        for row in population.rows
        if row.value
        and (number.match(row.value) or row.value in ("yes", "no", "marrow", "normal", "low", "pending", "not done", "unknown"))
        if "|" not in row.code or row.code.startswith("LOINC|")
    ]
    persons = [person for person in population.persons if person.birth_date]
    return part._replace(population=population._replace(rows=tuple(rows), persons=tuple(persons)))


@pytest.mark.parametrize(("back", "mode"), [("7d", None), ("36h", "daily"), ("1d", "on:ferritin")])
@pytest.mark.parametrize("name", ["duckdb", "spark", "postgres"])
def test_the_printed_query_runs_as_it_stands(request: pytest.FixtureRequest, name: str, back: str, mode: str | None) -> None:
    """In a session that holds the tables which its head asks for; row by row as the reference says."""
    if name == "spark" and mode != "daily" and TIMES == 1:
        pytest.skip("takes long on Spark: set HLHCLI_EXAMPLES to more than 1")
    sets = [criteria.load(each) for each in ("hlh-2004", "hscore")][: 1 if name == "spark" else 2]
    parts = [_plain(part) for part in _parts(EXAMPLES, back, mode, False)]
    sql = printed(sets, mode or "anchors.csv", lookback(back), name)
    engine = DuckDB(threads=1) if name == "duckdb" else request.getfixturevalue(name)
    whole = _one(parts)
    kinds = {
        "readings": ("person_id", "time", "code", "value", "unit"),
        "anchors": ("person_id", "time", "name"),
        "persons": ("person_id", "birth_date"),
    }
    tables = {
        "readings": [(row.person_id, str(row.time), *row[2:5]) for row in whole.rows],
        "anchors": []
        if isinstance(whole.anchors, str)
        else [(each.person_id, str(each.time), each.name) for each in whole.anchors],
        "persons": [(person.person_id, str(person.birth_date)) for person in whole.persons],
    }
    for table, rows in tables.items():
        engine.load(table, [(column, "VARCHAR") for column in kinds[table]], rows)
    columns = columns_of(sets)
    with compiled(engine):
        found = _apart(parts, [dict(zip(columns, row, strict=True)) for row in _RAW[name](engine, sql)])
    wrong = []
    for part in parts:
        given_rows, anchors, _, persons, _ = part.population
        wrong += differences(reference(given_rows, anchors, sets, back, persons).rows, found[part.name])
    assert wrong == []


def _of_postgres(engine: Any, sql: str) -> list[Any]:
    return list(engine._connection.exec_driver_sql(sql))


_RAW: dict[str, Callable[[Any, str], list[Any]]] = {
    "duckdb": lambda engine, sql: engine.connection.execute(sql).fetchall(),
    "spark": lambda engine, sql: engine._unzoned(engine.session.sql(sql)).collect(),
    "postgres": _of_postgres,
}


def test_the_printed_query_says_what_it_needs() -> None:
    """Version, citation, look-back, the tables, and what is left open; each comparison beside its criterion."""
    sql = printed([criteria.load("hlh-2004")], "daily", lookback("7d"), "postgres")
    head = sql.partition("*/")[0]
    assert all(
        each in head
        for each in ("hlhcli ", "Henter JI", "looks back 7d", "readings(person_id, time, code, value, unit)", "left open")
    )
    assert "anchors(" not in head
    assert "/* ferritin >= 500 ug/L */" in sql
    assert "only translated" in printed([criteria.load("hlh-2004")], "daily", lookback("7d"), "snowflake")
    with pytest.raises(ValueError, match="no dialect"):
        printed([criteria.load("hlh-2004")], "daily", lookback("7d"), "klingon")

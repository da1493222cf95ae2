"""Engines behind one function, so that each can be held against the reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from reference_rows import Anchor, Person, Row, Time

from hlhcli.cohort import anchors as anchoring
from hlhcli.cohort import run, tables
from hlhcli.cohort.dialects import Table
from hlhcli.quantity import exact_text
from hlhcli.rules import CriteriaSet

Fetch = Callable[[Any, str], list[dict[str, Any]]]


class Found(NamedTuple):
    """The rows of an engine, and how many of the input it left."""

    rows: list[dict[str, Any]]
    rejected: range  # as long as there are rows that were left
    sql: str


def _text(time: Time | None) -> str | None:
    if isinstance(time, datetime):
        return time.isoformat(sep=" ")
    if isinstance(time, Fraction):
        return exact_text(time) if time >= 0 else f"-{exact_text(-time)}"
    return None if time is None else str(time)


def evaluate(
    engine: Any, fetch: Fetch, rows: Sequence[Row], anchors: Sequence[Anchor] | str, sets: Sequence[CriteriaSet], lookback: str,
    persons: Sequence[Person] = (),
) -> Found:  # fmt: skip
    """What `engine` makes of a small population, by the way that the command takes."""
    timed = [row.time for row in rows] + ([each.time for each in anchors] if not isinstance(anchors, str) else [])
    days = any(not isinstance(time, date) for time in timed if time is not None)
    moment = "day" if days else "time"
    names = ("person_id", moment, "code", "value", "unit", "reference")
    engine.load("given_rows", [(name, "VARCHAR") for name in names], [(row.person_id, _text(row.time), *row[2:]) for row in rows])
    long = Table("given_rows", dict.fromkeys(names, "text"))
    source, _ = tables.long(long, engine.dialect, "rows")
    births = [_birth(person) for person in persons]
    engine.load("given_births", [("person_id", "VARCHAR"), ("born_first", "BIGINT"), ("born_last", "BIGINT")], births)
    born = "SELECT * FROM given_births" if births else ""
    back = anchoring.lookback(lookback)
    chosen = anchoring.chosen(anchors) if isinstance(anchors, str) else None
    read = run.profile(engine, source, sets, chosen)
    measured = run.load(engine, source, read)
    which: Any = chosen
    if not isinstance(anchors, str):
        engine.load(
            "given_anchors", [(name, "VARCHAR") for name in ("person_id", moment, "name")],
            [(each.person_id, _text(each.time), each.name) for each in anchors],
        )  # fmt: skip
        which = anchoring.from_table(
            Table("given_anchors", dict.fromkeys(("person_id", moment, "name"), "text")), engine.dialect, "", back, born
        )
    sql = run.compose(engine.dialect, read, measured, run.Input(source, born or None, days), which, back)
    return Found(fetch(engine, sql), range(sum(read.lookups.reasons.values())), sql)


def _birth(person: Person) -> tuple[str, int | None, int | None]:
    if person.birth_date:
        first = last = person.birth_date
    elif person.year_of_birth:
        first, last = date(person.year_of_birth, 1, 1), date(person.year_of_birth, 12, 31)
    else:
        return person.person_id, None, None
    return person.person_id, (first - date(1970, 1, 1)).days, (last - date(1970, 1, 1)).days


def from_duckdb(engine: Any, sql: str) -> list[dict[str, Any]]:
    cursor = engine.connection.execute(sql)
    names = [column[0] for column in cursor.description]
    return [counted(dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def counted(row: dict[str, Any]) -> dict[str, Any]:
    """Days as exact numbers of milliseconds."""
    return {
        name: Fraction(round(value * 86_400_000), 86_400_000) if name.endswith("_time") and isinstance(value, float) else value
        for name, value in row.items()
    }


HERE = Path(__file__).parent

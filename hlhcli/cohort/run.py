"""A whole run: read once what the codes, units and texts of the input mean, then evaluate all of it in one query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from hlhcli.cohort import lookups, query, values
from hlhcli.cohort.anchors import Chosen, Lookback, from_rows
from hlhcli.cohort.dialects import DAY, Dialect, Table
from hlhcli.cohort.expressions import listed
from hlhcli.cohort.layout import Layout
from hlhcli.cohort.lookups import Group, Lookups, Target
from hlhcli.cohort.packing import FIRST, LAST, Packing, packing
from hlhcli.cohort.query import Query
from hlhcli.cohort.source import LEFT, NOT_JSON, Source, stated
from hlhcli.cohort.sql import among, indented, literal, select
from hlhcli.observations import WORDS
from hlhcli.readers.said import NO_DOSE, NOT_GIVEN
from hlhcli.rules import CriteriaSet

_SAMPLED = 2_000_000  # rows, from which on not all persons are looked at to part them
MANY = 20  # anchors of a person, from which on rows and anchors are brought together by buckets of time


@runtime_checkable
class Engine(Protocol):
    """Where the query runs."""

    name: str
    version: str
    dialect: Dialect

    def table(self, paths: Sequence[str]) -> Table:
        """Files of one form, or a table of the database."""

    def load(self, name: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]]) -> None:
        """A small table of our own."""

    def keep(self, name: str, sql: str) -> None:
        """The rows of a query as a table of our own."""

    def rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a query."""

    def save(self, sql: str, path: Path | str, progress: Callable[[float], None] | None = None) -> int:
        """The rows of a query as a file (of an engine that has tables also as a table), and how many there are."""

    def close(self) -> None:
        """The end."""


@runtime_checkable
class Stored(Protocol):
    """An engine whose tables are its own: files are brought to it, and the result may stay in it."""

    address: str  # as it may be shown

    def tables(self, schema: str | None = None) -> dict[str, str]:
        """The tables of a schema, by their names in small letters."""

    def upload(self, path: str) -> Table:
        """A file of this machine as a table."""


class Input(NamedTuple):
    """What is evaluated: the rows, and the persons' births (both as SQL); `days`: their time counts days."""

    source: Source
    persons: str | None
    days: bool


class Read(NamedTuple):
    """What was found in the input: the layout of what is there, its lookups, and the books."""

    layout: Layout
    lookups: Lookups
    asked: list[str]  # codes
    rows_in: int
    not_asked: int
    unknown_codes: Counter[str]
    drugs: dict[str, str]  # codes of drugs, where anchors ask for one


class Measured(NamedTuple):
    """How narrow the packed numbers can be, and the ends of intervals that occur, by observable."""

    packing: Packing
    others: dict[int, list[int]]


def profile(engine: Engine, source: Source, sets: Sequence[CriteriaSet], anchors: Chosen | None = None) -> Read:
    """What the codes, units and texts of a source mean."""
    also = [anchors.observable] if anchors and anchors.observable else []
    torn = f"SUM(CASE WHEN value = {literal(LEFT + NOT_JSON)} THEN 1 ELSE 0 END)" if source.form == "fhir" else "0"
    what = f"code, {torn}, COUNT(*), COUNT(CASE WHEN {query.in_time()} THEN 1 END)"
    found = list(engine.rows(f"SELECT {what} FROM (\n{source.readings}\n) AS readings GROUP BY code"))
    counts = [(code, rows - broken) for code, broken, rows, _ in found]
    everything = Layout(sets, also=also)
    meanings: dict[str, list[Target]] = {code: lookups.targets(code) if code else [] for code, _ in counts}
    asked = {
        code: wanted
        for code, targets in meanings.items()
        if (wanted := [target for target in targets if target.observable in everything.columns])
    }
    layout = Layout(sets, frozenset(target.observable for wanted in asked.values() for target in wanted), also)
    read = Lookups(layout, source.form)
    in_words = bool(asked) and any(column.in_words for column in layout.present)
    _find(engine, source, asked, in_words, any(code in asked and rows > placed for code, _, rows, placed in found))
    read.add(_groups(engine), asked)
    for code, broken, *_ in found:
        if broken:  # lines of which nobody knows whether they were asked for
            read.reasons[NOT_JSON] += broken
            read.left.append((code, "", LEFT + NOT_JSON, NOT_JSON))
    read.finish()
    if in_words:
        read.limit(_references(engine), asked)
    unknown = Counter({code or "(none)": rows for code, rows in counts if rows and not meanings[code]})
    not_asked = sum(rows for code, rows in counts if code not in asked)
    drugs = {code: name for code, _ in counts if anchors and anchors.drug and code and (name := lookups.drug(code))}
    return Read(layout, read, sorted(asked), sum(rows for _, _, rows, _ in found), not_asked, unknown, drugs)


_SEEN = "hlhcli_seen"  # the different values with their numbers


def _find(engine: Engine, source: Source, asked: Iterable[str], in_words: bool, some_nowhere: bool) -> None:
    """The different values, and how often each is there; apart, where there are some, for rows without a person or a time."""
    readings = only(source.readings, asked)
    nowhere = f"CASE WHEN person_id IS NULL THEN 1 WHEN t >= {FIRST} AND t <= {LAST} THEN 0 ELSE 2 END"
    keys = {"code": "code", "unit": "unit", "value": "value"}
    keys |= {"reference": "reference"} if in_words else {}
    keys |= {"nowhere": nowhere} if some_nowhere else {}
    columns = [f"{sql} AS {name}" for name, sql in keys.items()]
    places = ", ".join(map(str, range(1, len(keys) + 1)))
    counted = select([*columns, "COUNT(*) AS n"], f"FROM (\n{indented(readings)}\n) AS readings\nGROUP BY {places}")
    others = ["CAST(NULL AS VARCHAR) AS reference"] * (not in_words) + ["0 AS nowhere"] * (not some_nowhere)
    engine.keep(
        _SEEN, select(["*", *others, f"{values.shape(engine.dialect)} AS shape"], f"FROM (\n{indented(counted)}\n) AS counted")
    )


def _span(engine: Engine, source: Source, asked: Iterable[str]) -> tuple[int, int, bool]:
    """The first and the last moment of the rows, and whether all are whole seconds."""
    finer = "MAX(CASE WHEN t % 1000 <> 0 THEN 1 ELSE 0 END)"
    readings = only(source.readings, asked)
    sql = f"SELECT MIN(t), MAX(t), {finer} FROM (\n{readings}\n) AS readings WHERE {query.in_time()}"
    first, last, some_finer = next(iter(engine.rows(sql)))
    return first or 0, last or 0, not some_finer


def _groups(engine: Engine) -> Iterator[Group]:
    """Rows by code, unit and text."""
    text = "CASE WHEN shape IS NULL THEN value END"
    named = f"code, COALESCE(unit, ''), {text} AS text, shape IS NULL AS worded, nowhere"
    sql = f"SELECT {named}, SUM(n) FROM {_SEEN}\nGROUP BY 1, 2, 3, 4, 5"
    for code, unit, text, worded, nowhere, rows in engine.rows(sql):
        yield Group(code, unit, (text or "") if worded else None, int(rows), ("", lookups.NO_PERSON, lookups.NO_TIME)[nowhere])


def _references(engine: Engine) -> Iterator[tuple[str, str, str]]:
    yield from engine.rows(f"SELECT DISTINCT code, COALESCE(unit, ''), reference FROM {_SEEN} WHERE NOT reference IS NULL")


def only(readings: str, codes: Iterable[str]) -> str:
    """The rows of codes that are asked for."""
    listed = ", ".join(map(literal, sorted(codes)))
    return f"SELECT * FROM (\n{readings}\n) AS of_all_codes\nWHERE code IN ({listed or 'NULL'})"


def tables(read: Lookups) -> Iterator[tuple[str, list[tuple[str, str]], list[tuple[object, ...]]]]:
    """The lookups: name, columns and rows of each."""
    marks = [(f"marks{word}", "BIGINT") for word in range(read.layout.words)]
    code_and_unit = [("code", "VARCHAR"), ("unit", "VARCHAR")]
    scaled = [(name, "BIGINT") for name in ("number", "times", "plus", "least", "most", "said")]
    units = [*code_and_unit, ("obs", "INT"), ("low", "BOOLEAN"), *scaled, ("unit_shown", "VARCHAR"), *marks]
    yield "hlhcli_units", units, read.units
    ends = [(name, "BIGINT") for name in ("worse", "other", "form", "number")]
    words = [("shown", "VARCHAR"), ("said", "BIGINT"), ("word", "BIGINT")]
    yield "hlhcli_texts", [*code_and_unit, ("value", "VARCHAR"), ("obs", "INT"), *ends, *words, *marks], read.texts
    if read.limits:
        yield "hlhcli_limits", [*code_and_unit, ("reference", "VARCHAR"), ("upper", "BIGINT"), ("lower", "BIGINT")], read.limits


def load(engine: Engine, source: Source, read: Read) -> Measured:
    """The lookups as tables of the engine, and what each different value says; what is worth knowing of them."""
    for name, columns, rows in tables(read.lookups):
        engine.load(name, columns, rows)
    found = f"(SELECT * FROM {_SEEN} WHERE nowhere = 0) AS found"
    *steps, (name, last) = values.steps(found, read.layout.words, bool(read.lookups.texts), bool(read.lookups.limits))
    engine.keep(name, f"{query.with_steps(steps)}\n{last}")
    ranks, variants = next(iter(engine.rows(f"SELECT MAX(rank), MAX(variant) FROM {name}")))
    others: dict[int, list[int]] = {}
    for number, other in engine.rows(f"SELECT DISTINCT obs, other FROM {name} WHERE other > worse ORDER BY obs, other"):
        others.setdefault(number, []).append(other)
    return Measured(packing(ranks or 0, variants or 0, lambda: _span(engine, source, read.asked)), others)


def parts(engine: Engine, read: Read, persons: str, number: int) -> list[str]:
    """So many conditions on person_id, which part the persons of a relation into parts about as large.

    They are ranges, so that of files in the order of their persons each part reads no more than its own.
    """
    one_of = engine.dialect.part("person_id", max(1, read.rows_in // _SAMPLED))
    some = f"SELECT DISTINCT person_id FROM (\n{persons}\n) AS persons WHERE NOT person_id IS NULL AND {one_of} = 0"
    placed = f"SELECT person_id, NTILE({number}) OVER (ORDER BY person_id) AS place FROM (\n{some}\n) AS sampled"
    found = engine.rows(f"SELECT MIN(person_id) FROM (\n{placed}\n) AS placed GROUP BY place ORDER BY place")
    first = [str(each) if isinstance(each, int) else literal(str(each)) for (each,) in found][1:]
    conditions = [f"person_id >= {lo} AND person_id < {hi}" for lo, hi in pairwise(first)]
    if first:
        conditions = [f"person_id < {first[0]}", *conditions, f"person_id >= {first[-1]}"]
    return (conditions or ["TRUE"]) + ["FALSE"] * (number - len(first) - 1)


def compose(
    dialect: Dialect,
    read: Read,
    measured: Measured,
    given: Input,
    anchors: str | Chosen,
    back: Lookback,
    part: str = "",
    many: bool = False,
) -> str:
    """The query over all that was read. `anchors`: a SELECT, or what chooses them from the rows; `part`: which persons."""
    readings = only(given.source.readings, read.asked)
    if isinstance(anchors, Chosen):
        anchors = from_rows(_days(anchors, read, given.source, dialect), back, dialect, given.days, given.persons or "")
        many = True
    if part:
        readings, anchors = (f"SELECT * FROM (\n{sql}\n) AS of_all_parts\nWHERE {part}" for sql in (readings, anchors))
    layout = read.layout
    return query.build(
        Query(
            layout,
            dialect,
            readings,
            anchors,
            measured.packing,
            measured.others,
            bool(read.lookups.texts),
            bool(read.lookups.limits),
            max(back.millis + DAY, DAY) if many else None,
            given.days,
        )
    )


def _days(anchors: Chosen, read: Read, source: Source, dialect: Dialect) -> str:
    """The rows on whose days anchors lie, as a relation."""
    if anchors.drug:
        named = [code for code, drug in read.drugs.items() if drug == anchors.drug]
        said = f"COALESCE({stated('value')}, '')"
        word = f"LOWER(TRIM({said}))"
        none = [each for each in (*NOT_GIVEN, *WORDS) if each]
        given = f"NOT {said} LIKE '{LEFT}%' AND NOT {word} IN ({listed(none)}) AND NOT {dialect.matches(word, f'^{NO_DOSE}$')}"
        return f"(\n{only(source.readings, named)}\n) AS r\nWHERE {given}"
    columns = read.layout.columns
    names = {anchors.observable} if anchors.observable else {name for each in read.layout.sets for name in each.asks}
    numbers = sorted(columns[name].number for name in names if name in columns)
    return f"valued\nWHERE NOT base IS NULL AND {among('obs', numbers)}"

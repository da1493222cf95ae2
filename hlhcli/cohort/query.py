"""The whole query: rows to the worst value of each window, to items, to verdicts. Written as SQL that people can read.

Every step is a common table expression of its own; what decides something stands in a column that is named by its phrase.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count

from hlhcli.cohort import values
from hlhcli.cohort.dialects import Dialect
from hlhcli.cohort.known import LIMIT_BITS, Reaches, decoded, known, near, past
from hlhcli.cohort.layout import OPEN, Column, Layout
from hlhcli.cohort.packing import EPOCH, FIRST, LAST, Packing
from hlhcli.cohort.sql import among, case, indented, select
from hlhcli.cohort.verdicts import Verdicts, item_ids

_ANY = Packing()  # whatever the values and moments are
_MOST_REACHES = 48  # marks


@dataclass(frozen=True)
class Query:
    """What a query is made of. Tables are names of tables, views or CTEs."""

    layout: Layout
    dialect: Dialect
    readings: str  # a SELECT of person_id, t, code, value, unit, reference
    anchors: str  # a SELECT of person_id, moment, since, until, anchor, born_first, born_last
    packing: Packing = _ANY
    others: Mapping[int, Sequence[int]] | None = None  # the ends of intervals that occur, by observable (None: it is not known)
    worded: bool = True  # some text is looked up
    limits: bool = False  # the laboratory's own limits are looked up
    bucket: int | None = None  # milliseconds of a common clock by which rows and anchors are brought together
    days: bool = False  # moments are counts of days
    lists: tuple[tuple[str, str], ...] | None = None  # CTEs of what is looked up; None: VALUES is a table

    @cached_property
    def reaches(self) -> Reaches:
        """The ends of intervals that have a mark each; of the others of an observable the furthest is sought as a number."""
        chosen: dict[int, Sequence[int]] = {}
        for number, ends in sorted((self.others or {}).items(), key=lambda each: len(each[1])):
            if sum(map(len, chosen.values())) + len(ends) <= _MOST_REACHES:
                chosen[number] = ends
        word, bit = self.layout.room(sum(map(len, chosen.values())))
        bits = (1 << place for place in count(bit))
        return Reaches(word, {number: {end: next(bits) for end in ends} for number, ends in chosen.items()})

    @property
    def words(self) -> int:
        """How many words of marks there are."""
        return max(self.layout.words, self.reaches.word + 1) if self.reaches.bits else self.layout.words

    def is_open(self, column: Column) -> bool:
        """True where intervals occur whose ends have no marks."""
        return column.is_quantity and (self.others is None or column.number in self.others.keys() - self.reaches.bits.keys())

    @property
    def keys(self) -> list[str]:
        """What names an anchor: its place, of an engine that keeps the order of a table."""
        return ["place"] if self.dialect.numbers_rows else ["person_id", "anchor", "moment", "until"]


def build(query: Query) -> str:
    """The query as one SELECT with the columns of the contract."""
    steps = [*_steps(query)]
    last = "then_and_now" if query.layout.past else "known"
    sets = [Verdicts(criteria, query.layout, query.dialect, last, query.days) for criteria in query.layout.sets]
    for each in sets:
        steps += each.steps()
    names = item_ids(query.layout.sets)
    rows = "\nUNION ALL\n".join(each.rows(names) for each in sets)
    return f"{with_steps(steps)}\n\n{rows}"


def with_steps(steps: Sequence[tuple[str, str]]) -> str:
    """Steps as common table expressions."""
    return "WITH\n" + ",\n\n".join(f"{name} AS (\n{indented(sql)}\n)" for name, sql in steps)


def _steps(query: Query) -> Iterator[tuple[str, str]]:
    """From the rows of the input to what is known at each anchor."""
    layout = query.layout
    readings = query.readings
    if query.lists is not None:
        yield from query.lists
        yield "hlhcli_rows", readings
        found = f"SELECT DISTINCT code, unit, value, reference FROM hlhcli_rows\nWHERE {in_time()}"
        yield "hlhcli_found", f"SELECT *, {values.shape(query.dialect)} AS shape FROM (\n{indented(found)}\n) AS found"
        yield from values.steps("hlhcli_found", layout.words, query.worded, query.limits)
        readings = "SELECT * FROM hlhcli_rows"
    yield "meanings", _meanings(query)
    yield "valued", _valued(query, readings)
    yield "anchors", _anchors(query)
    yield "windowed", _windowed(query)
    yield "gathered", _gathered(query)
    gathered = [name for name, _ in _sought(query)]
    yield "decoded", decoded(layout, query.packing, query.dialect, query.keys, gathered, query.limits)
    yield "different", _different(query)
    yield "known", known(layout, gathered, query.reaches, query.worded, query.limits)
    if layout.past:
        yield "then_and_now", past(layout)


def in_time(of: str = "") -> str:
    """That a row has a person, and a moment that can be packed."""
    return f"NOT {of}person_id IS NULL AND {of}t >= {FIRST} AND {of}t <= {LAST}"


def _said(query: Query) -> dict[str, str]:
    """The columns of what a value says, over the table of the different values."""
    said = {"obs": "obs", "base": query.packing.base("rank", "variant", query.dialect)}
    said |= {f"marks{place}": sql for place, sql in enumerate(_marks(query))}
    passed = ["other"] * any(query.is_open(column) for column in query.layout.present)
    passed += ["said", "word"] * query.worded
    passed += ["rank", "upper", "lower"] * query.limits
    return said | {name: name for name in passed}


def _meanings(query: Query) -> str:
    """What each different value says, worked out once for all its rows."""
    named = ["code, unit, value"] + ["reference"] * query.limits
    said = (sql if sql == name else f"{sql} AS {name}" for name, sql in _said(query).items())
    return select([*named, *said], f"FROM {values.VALUES}")


def _marks(query: Query) -> Iterator[str]:
    """The words of marks of a value, with one for the other end of an interval."""
    word, bits = query.reaches
    for place in range(query.words):
        own = f"marks{place}" if place < query.layout.words else "0"
        if bits and place == word:
            marked = ((number, end, bit) for number, ends in bits.items() for end, bit in ends.items())
            pairs = ((f"obs = {number} AND other = {end}", str(bit)) for number, end, bit in marked)
            yield case(("other > worse", f"{own} + {case(*pairs, otherwise='0')}"), otherwise=own)
        else:
            yield own


def _valued(query: Query, readings: str) -> str:
    """Each row with what its value says."""
    alike = ["v.value = r.value", "v.code = r.code", "v.unit IS NOT DISTINCT FROM r.unit"]
    if query.limits:
        alike.append("v.reference IS NOT DISTINCT FROM r.reference")
    joined = f"FROM (\n{indented(readings)}\n) AS r\nJOIN meanings AS v ON {' AND '.join(alike)}"
    columns = ["r.person_id, r.t", *(f"v.{name}" for name in _said(query))]
    return select(columns, f"{joined}\nWHERE {in_time('r.')}")


def _anchors(query: Query) -> str:
    if not query.dialect.numbers_rows:
        return query.anchors
    return f"SELECT *, ROW_NUMBER() OVER () AS place FROM (\n{indented(query.anchors)}\n) AS given"


def _windowed(query: Query) -> str:
    """Rows in the window of each anchor."""
    layout, packing = query.layout, query.packing
    columns = [f"a.{key}" for key in query.keys]
    columns += ["r.obs", f"{packing.at('r.base', 'r.t')} AS worst", *(f"r.marks{word}" for word in range(query.words))]
    columns += ["r.other"] * any(query.is_open(column) for column in layout.present)
    columns += ["r.t"] * bool(layout.denied_elsewhen)
    if query.worded:
        columns += [f"(r.t + {EPOCH}) * 2 + r.said AS said", f"(r.t + {EPOCH}) * 4 + r.word AS word"]
    if query.limits:  # of the values that are as bad; a limit has no more than so many bits
        wide = query.dialect.wide
        columns += [
            f"CAST(r.rank AS {wide}) * {1 << LIMIT_BITS} + COALESCE(r.{limit}, 0) AS {limit}" for limit in ("upper", "lower")
        ]
    lasting = [column.number for column in layout.present if column.lasting]
    among_lasting = among("r.obs", lasting) if lasting else ""
    same = "a.person_id = r.person_id AND r.t <= a.until"
    if not query.bucket:
        since = f"(r.t >= a.since OR {among_lasting})" if lasting else "r.t >= a.since"
        return select(columns, f"FROM valued AS r\nJOIN anchors AS a ON {same} AND {since}")
    size = query.bucket
    both_buckets = (
        f"SELECT *, (until + {EPOCH}) // {size} AS bucket FROM anchors\nUNION ALL\n"
        f"SELECT *, (until + {EPOCH}) // {size} - 1 AS bucket FROM anchors"
    )
    joined = (
        f"FROM valued AS r\nJOIN (\n{indented(both_buckets)}\n) AS a ON {same}"
        f" AND a.bucket = (r.t + {EPOCH}) // {size} AND r.t >= a.since"
    )
    if not lasting:
        return select(columns, joined)
    return "\nUNION ALL\n".join(  # found whenever it was stated before, and not only in the window
        [
            select(columns, f"{joined}\nWHERE NOT ({among_lasting})"),
            select(columns, f"FROM valued AS r\nJOIN anchors AS a ON {same}\nWHERE {among_lasting}"),
        ]
    )


def _sought(query: Query) -> Iterator[tuple[str, str]]:
    """The columns of what is gathered: name, and of what the greatest (or all bits) is sought."""
    layout = query.layout
    for column in layout.present:
        wanted = ["worst"]
        wanted += ["other"] * query.is_open(column)
        wanted += ["said"] * (query.worded and column.stated)
        wanted += ["word"] * (query.worded and column.in_words)
        wanted += ["upper", "lower"] * (query.limits and column.in_words)
        for each in wanted:
            yield f"{column.name}_{each}", f"MAX({each}) FILTER (WHERE obs = {column.number})"
    for finding in layout.denied_elsewhen:
        measured = layout.columns[finding.observable.instead or ""]
        word, bit = layout.mark(measured.name, OPEN)
        yield f"{measured.name}_left_open", f"MAX(t) FILTER (WHERE obs = {measured.number} AND (marks{word} & {bit}) <> 0)"
    for word in range(query.words):
        yield f"marks{word}", f"BIT_OR(marks{word})"


def _gathered(query: Query) -> str:
    """The worst row of each observable at each anchor."""
    keys = ", ".join(query.keys)
    return select([keys, *(f"{sql} AS {name}" for name, sql in _sought(query))], f"FROM windowed\nGROUP BY {keys}")


def _different(query: Query) -> str:
    """The different values that a window may be decided by, each by its number."""
    quantities = [column.number for column in query.layout.present if column.is_quantity]
    value = query.packing.base("rank", "variant", query.dialect)
    return (
        f"SELECT DISTINCT obs, {value} AS value, {near(query.layout)} AS near, number, shown\n"
        f"FROM {values.VALUES}\nWHERE NOT rank IS NULL AND {among('obs', quantities or [0])}"
    )

"""The query for people who run it themselves, in their own warehouse: one SELECT that needs nothing but their tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import hlhcli
from hlhcli import observables
from hlhcli.cohort import anchors as anchoring
from hlhcli.cohort import query, run, values
from hlhcli.cohort.anchors import Chosen, Lookback
from hlhcli.cohort.dialects import DAY, DIALECTS, Dialect, Name, Table
from hlhcli.cohort.layout import Column, Layout
from hlhcli.cohort.lookups import NAN, Group, Lookups, Target, say
from hlhcli.cohort.query import Query
from hlhcli.cohort.rendered import rendered
from hlhcli.cohort.sql import among, literal, select, unmarked
from hlhcli.readers import codes
from hlhcli.rules import CriteriaSet
from hlhcli.yamltree import parse

_LIKE: dict[str, Name] = {"duckdb": "duckdb", "spark": "spark", "databricks": "spark", "postgres": "postgres"}
_TRIED = ("duckdb", "spark", "postgres")
_GIVEN = "given_anchors"  # the user's table of anchors, until the step of that name has another
_UNLISTED = "?"  # a unit or a text that the lists do not have: it leaves its observable open
_WORDS = (
    "yes", "no", "true", "false", "present", "absent", "positive", "negative", "detected", "not detected", "normal", "elevated",
    "high", "increased", "low", "decreased", "reduced", "rising", "falling", "pending", "awaited", "in progress", "unknown",
    "not done", "nd", "na", "n/a", "not measured", "not available", "not tested", "not assessed", "hemolyzed", "clotted",
)  # fmt: skip


def printed(sets: Sequence[CriteriaSet], anchors: str, back: Lookback, name: str) -> str:
    """The query in a dialect of SQL, with what it must be given in a comment before it.

    `anchors`: `daily`, `on:ferritin`, or anything else for a table. Raises ValueError for a dialect that is not known, and
    BadAnchor.
    """
    dialect = DIALECTS[_LIKE.get(name, "duckdb")]
    chosen = anchoring.chosen(anchors)
    if chosen and chosen.drug:
        raise anchoring.BadAnchor("anchors on a drug need its codes: list them in a table anchors(person_id, time, name)")
    layout = Layout(sets, also=[chosen.observable] if chosen and chosen.observable else [])
    lists = _Lists(layout)
    born = ""
    if layout.needs_age or layout.needs_onset:
        born = dialect.births(Table("persons", {"person_id": "text", "birth_date": "date"}), "person_id", "birth_date", None)
    sql = query.build(
        Query(
            layout,
            dialect,
            _readings(dialect),
            _anchors(chosen, layout, back, dialect, born),
            bucket=max(back.millis + DAY, DAY) if chosen else None,
            lists=tuple(lists.steps()),
        )
    )
    # A step must not have the name of a table that it reads.
    text = rendered(sql, name, renamed={"anchors": "assessments", _GIVEN: "anchors"})
    return f"/*\n{unmarked(_head(sets, chosen, back, name, bool(born)))}\n*/\n{text}"


def _anchors(chosen: Chosen | None, layout: Layout, back: Lookback, dialect: Dialect, born: str) -> str:
    if chosen is None:  # as text, a date has ten characters: it is a whole day
        given = f"(SELECT person_id, CAST(time AS VARCHAR) AS time, name FROM {_GIVEN}) AS given"
        return anchoring.from_table(Table(given, dict.fromkeys(("person_id", "time", "name"), "text")), dialect, "", back, born)
    names = {chosen.observable} if chosen.observable else {name for each in layout.sets for name in each.asks}
    numbers = sorted(layout.columns[name].number for name in names if name in layout.columns)
    return anchoring.from_rows(f"valued\nWHERE NOT base IS NULL AND {among('obs', numbers)}", back, dialect, False, born)


def _readings(dialect: Dialect) -> str:
    """The user's rows, with the one spelling of code, unit and word that the later steps know."""
    shapes = " OR ".join(dialect.matches("r.value", pattern) for pattern in (values.PLAIN, values.COMPARED, values.LONG))
    written = "REPLACE(REPLACE(LOWER(TRIM(CAST(code AS VARCHAR))), 'http://loinc.org|', ''), 'loinc|', '')"
    given = select(
        [
            f"person_id, {dialect.millis('CAST(time AS TIMESTAMP)', 'timestamp')} AS t, {written} AS written",
            "LOWER(TRIM(CAST(value AS VARCHAR))) AS value, COALESCE(TRIM(CAST(unit AS VARCHAR)), '') AS unit",
        ],
        "FROM readings",
    )
    return select(
        [
            "r.person_id, r.t, c.code",
            f"CASE WHEN {shapes} THEN r.value ELSE COALESCE(w.value, '{_UNLISTED}') END AS value",
            f"CASE WHEN {shapes} THEN COALESCE(u.unit, '{_UNLISTED}') ELSE '' END AS unit",
            "CAST(NULL AS VARCHAR) AS reference",
        ],
        f"FROM (\n{given}\n) AS r\nJOIN hlhcli_codes AS c ON c.written = r.written"
        "\nLEFT JOIN hlhcli_units AS u ON u.code = c.code AND u.unit = r.unit"
        "\nLEFT JOIN hlhcli_texts AS w ON w.code = c.code AND w.value = r.value"
        f"\nWHERE r.value <> '' AND NOT r.value IN ({', '.join(map(literal, sorted(NAN)))})",
    )


class _Lists:
    """What codes, units and words mean, as lists in the query itself."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.codes: list[tuple[object, ...]] = []
        self.lookups = Lookups(layout, "long")
        for column in layout.columns.values():
            for target in self._targets(column):
                self._add(column, target)
        self.lookups.finish()

    def _targets(self, column: Column) -> Iterator[Target]:
        """The observable, and once more for each kind of unit that the names of LOINC codes state."""
        kinds: dict[str, list[str]] = {"": [alias for alias, name in observables.aliases().items() if name == column.name]}
        for code in observables.codes(column.name, "loinc"):
            number = code.partition(":")[0]
            found = codes.loinc(number)
            if found and found[0] == column.name:
                kinds.setdefault(found[1] if self._matters(column, found[1]) else "", []).append(number)
        for kind, written in kinds.items():
            self.codes += [(each, _code(column, kind)) for each in sorted(written)]
            yield Target(column.name, kind)

    def _matters(self, column: Column, kind: str) -> bool:
        """True where what the name of a code states says which unit is meant."""
        return column.is_quantity and any(codes.qualified(kind, column.name, unit) != unit for unit in _spellings(column))

    def _add(self, column: Column, target: Target) -> None:
        code = _code(column, target.kind)
        words = dict.fromkeys((*_WORDS, *column.values, *column.observable.words))
        read = [word for word in words if not say(Group(code, "", word, 0), target, column, "long")[1]]
        units = [Group(code, unit, None, 0) for unit in [*(_spellings(column) if column.is_quantity else ()), _UNLISTED]]
        texts = [Group(code, "", word, 0) for word in [*read, _UNLISTED]]
        self.lookups.add([*units, *texts], {code: [target]})

    def steps(self) -> Iterator[tuple[str, str]]:
        yield "hlhcli_codes", _values([("written", "VARCHAR"), ("code", "VARCHAR")], self.codes)
        yield from ((name, _values(columns, rows)) for name, columns, rows in run.tables(self.lookups))


def _code(column: Column, kind: str) -> str:
    return f"{column.name} {kind}".strip()


@cache
def _spellings(column: Column) -> tuple[str, ...]:
    """How a unit of the observable is written; the empty text, where a bare number has one."""
    family = column.observable.units
    table: Any = parse(observables.TABLE.read_bytes(), observables.TABLE.name)
    found: dict[str, None] = {}
    for name, entry in table["families"][family.name].items():
        if name != "misprints":
            found |= dict.fromkeys([name, *entry.get("also", "").split(), *entry.get("exact", "").split()])
    for text in list(found):
        power = text.replace("10*", "10^")
        micro = [power.replace("u", sign, 1) for sign in "\u00b5\u03bc"] if text.startswith("u") or "/u" in text else []
        found |= dict.fromkeys(each for each in (power, f"x{power}", *micro) if family.find(each) is family.find(text))
    return (*found, "") if "1" in family.units else tuple(found)


def _values(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]]) -> str:
    """A list as a query; NULLs alone would have no type."""
    typed = [name if kind == "VARCHAR" else f"CAST({name} AS {kind}) AS {name}" for name, kind in columns]
    listed = ",\n".join(f"  ({', '.join(map(_cell, row))})" for row in rows)
    return f"SELECT {', '.join(typed)}\nFROM (VALUES\n{listed}\n) AS listed({', '.join(name for name, _ in columns)})"


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return "NULL" if value is None else literal(value) if isinstance(value, str) else str(value)


def _head(sets: Sequence[CriteriaSet], chosen: Chosen | None, back: Lookback, name: str, born: bool) -> str:
    cited = [f"  {each.id} (version {each.version}): {each.title}. {each.citation.text}" for each in sets]
    when = f"each day with a value of {_of(chosen)}" if chosen else "each row of the table anchors"
    lines = [
        f"hlhcli {hlhcli.__version__}: one row for each person, assessment and set of criteria.",
        *cited,
        f"Assessed is {when}; it looks back {back.text}, for the worst value.",
        "",
        "What it reads:",
        "  readings(person_id, time, code, value, unit): results that hold (none entered in error), of blood",
        "    time   a date or a timestamp, in the wall-clock time of the hospital",
        "    code   the name of an observable (ferritin), an alias of it, or a LOINC code: those of hlhcli_codes",
        "    value  a number as text, with a decimal point and with its comparator (>20000), or a word",
        "    unit   as in hlhcli_units",
    ]
    if chosen is None:
        lines.append("  anchors(person_id, time, name): a date is a whole day, a timestamp a moment; name may be NULL")
    if born:
        lines.append("  persons(person_id, birth_date)")
    lines += [
        "",
        "What is left open: a unit or a word that is not listed below, a range (20-50), a number with a thousands separator or an",
        "exponent leaves its observable unknown, never normal: add a row to hlhcli_units or hlhcli_texts. Rows of other codes are",
        "not read. Findings by codes of SNOMED, HPO or ICD, the laboratory's own limits, and genes are not evaluated here.",
    ]
    if name in ("spark", "databricks"):
        lines.append("Set the time zone of the session to UTC before: SET TIME ZONE 'UTC'.")
    if name == "postgres":
        lines.append("OFFSET 0 keeps the steps apart, which the planner would merge into one of many times the size.")
    if name not in _TRIED:
        lines.append(f"The query is held against the reference on {', '.join(_TRIED)}; for {name} it is only translated.")
    return "\n".join(line.replace("*/", "* /") for line in lines)


def _of(chosen: Chosen) -> str:
    return (chosen.observable or "what the criteria ask for").replace("_", " ")

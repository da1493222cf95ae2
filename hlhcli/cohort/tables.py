"""Tables of values as the canonical relation: long (one row per value) and wide (one column per observable)."""

from __future__ import annotations

from typing import NamedTuple

from hlhcli.cohort.dialects import Dialect, Kind, Table
from hlhcli.cohort.expressions import free
from hlhcli.cohort.source import Source
from hlhcli.cohort.sql import literal
from hlhcli.cohort.sql import quoted as quote
from hlhcli.errors import InputError, Problem, printable
from hlhcli.readers.headings import heading

PERSON = ("person_id", "patient_id", "subject_id", "patient", "person", "subject")
TIME = ("time", "datetime", "date", "timestamp", "charttime", "collected", "measurement_datetime")
DAY = ("day", "study_day")
CODE = ("code", "loinc", "analyte", "observable", "test", "name")
VALUE = ("value", "result")
UNIT = ("unit", "units", "valueuom")
REFERENCE = ("reference", "reference_range")
BESIDE = {  # in the order in which they are read
    "comparator": ("comparator", "operator", "qualifier"),
    "status": ("status", "result_status"),
    "specimen": ("specimen", "specimen_type", "sample_type", "fluid", "material", "matrix", "sample_material", "lbspec"),
}
_NUMBERS = ("integer", "decimal", "double")
_NO_TIME = ("boolean", "other")  # kinds of columns that hold a time at most in their text


class Columns(NamedTuple):
    """The columns of a table by what they hold, as SQL; `days` is true where the time is a count of days."""

    person: str
    time: str
    days: bool
    column: str  # of the time


def column(table: Table, names: tuple[str, ...]) -> str | None:
    """The column that goes by one of these names."""
    return next((name for name in names if name in table.columns), None)


def of_person(table: Table, dialect: Dialect, source: str) -> Columns:
    """Person and time of a table's rows. Raises InputError where it has no such columns."""
    person, time, day = column(table, PERSON), column(table, TIME), column(table, DAY)
    if person is None or (time or day) is None:
        missing = "person_id" if person is None else "time (or day)"
        raise InputError([Problem(source, f"no column {missing}; {_columns(table)}")])
    chosen = time or day or ""
    written = quote(chosen) if table.columns[chosen] not in _NO_TIME else f"CAST({quote(chosen)} AS VARCHAR)"
    moment = dialect.millis(written, _kind(table, chosen, time is None))
    return Columns(who(table, person), moment, _is_days(table, chosen), chosen)


def _columns(table: Table) -> str:
    """Which columns there are. Without headings the first line of a table is a patient's: names that are not known are not told."""
    known = {*PERSON, *TIME, *DAY, *CODE, *VALUE, *UNIT, *REFERENCE, *(name for names in BESIDE.values() for name in names)}
    found = [name for name in table.columns if name in known or heading(name).observable]
    if not found:
        return f"of its {len(table.columns)} columns none has a name that is known here: does its first line name them?"
    others = f" and {len(table.columns) - len(found)} more" if len(found) < len(table.columns) else ""
    return f"it has {', '.join(printable(name, 30) for name in found[:12])}{others}"


def who(table: Table, name: str) -> str:
    """Who a row is about, as SQL: without blanks around it, and NULL where nobody is named."""
    kind = table.columns[name]
    if kind == "text":
        return f"NULLIF(TRIM({quote(name)}), '')"
    return f"CASE WHEN LOWER(CAST({quote(name)} AS VARCHAR)) <> 'nan' THEN {quote(name)} END" if kind == "double" else quote(name)


def _kind(table: Table, name: str, is_day: bool) -> Kind:
    kind: Kind = "text" if table.columns[name] in _NO_TIME else table.columns[name]
    return "day" if is_day and kind == "text" else kind


def _is_days(table: Table, name: str) -> bool:
    """True where a column of moments counts days."""
    return table.columns[name] in _NUMBERS or name in DAY


def long(table: Table, dialect: Dialect, source: str) -> tuple[Source, bool]:
    """One row per value; and whether its times are days. Raises InputError."""
    columns = of_person(table, dialect, source)
    code, value = column(table, CODE), column(table, VALUE)
    if code is None or value is None:
        raise InputError([Problem(source, f"no column {'code' if code is None else 'value'}")])
    unit, reference = column(table, UNIT), column(table, REFERENCE)
    cells = {
        "person_id": columns.person,
        "t": columns.time,
        "code": dialect.text(quote(code), table.columns[code]),
        "value": _said(table, dialect, value),
        "unit": _text(table, dialect, unit),
        "reference": _text(table, dialect, reference),
    }
    more = {name: _text(table, dialect, found) for name, names in BESIDE.items() if (found := column(table, names))}
    listed = ",\n  ".join(f"{expression} AS {name}" for name, expression in {**cells, **more}.items())
    sql = f"SELECT\n  {listed}\nFROM {table.name}"
    for name in more:
        from hlhcli.cohort import beside  # most tables have none of them, and every start pays for an import

        others = ", ".join(each for each in (*cells, *more) if each != "value")
        sql = f"SELECT {beside.STEPS[name](dialect)} AS value, {others}\nFROM (\n{sql}\n) AS with_{name}"
    if more:
        sql = f"SELECT {', '.join(cells)}\nFROM (\n{sql}\n) AS cells"
    return Source(sql, None, "long"), columns.days


def _said(table: Table, dialect: Dialect, name: str) -> str:
    """A value as text, which cannot be taken for what this tool says of one."""
    plain = dialect.text(quote(name), table.columns[name])
    return plain if table.columns[name] in _NUMBERS else free(plain)


def _text(table: Table, dialect: Dialect, name: str | None) -> str:
    """A column as text, whatever it holds; a column of nothing has any type."""
    return dialect.text(quote(name), table.columns[name]) if name else "CAST(NULL AS VARCHAR)"


def wide(table: Table, dialect: Dialect, source: str) -> tuple[Source, bool]:
    """One column per observable, its unit in the heading: `ferritin (ng/mL)` or `ferritin_ng_ml`. Raises InputError."""
    columns = of_person(table, dialect, source)
    parts = []
    for name in table.columns:
        said = heading(name)
        if not said.observable:
            continue
        unit = literal(said.unit) if said.unit else "CAST(NULL AS VARCHAR)"
        parts.append(
            f"SELECT {columns.person} AS person_id, {columns.time} AS t, '{said.observable}' AS code,"
            f" {_said(table, dialect, name)} AS value, {unit} AS unit, CAST(NULL AS VARCHAR) AS reference FROM {table.name}"
        )
    if not parts:
        raise InputError([Problem(source, "neither columns 'code' and 'value', nor a column that names an observable")])
    return Source("\nUNION ALL\n".join(parts), None, "wide"), columns.days

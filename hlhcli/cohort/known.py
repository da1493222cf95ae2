"""What is known of each observable at each anchor: a quantity as an interval of ticks, a finding as the bits of its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hlhcli.cohort import scale
from hlhcli.cohort.dialects import DAY, Dialect
from hlhcli.cohort.layout import OPEN, PENDING, Column, Layout
from hlhcli.cohort.packing import EPOCH, Packing, whole_day
from hlhcli.cohort.shown import finding_text
from hlhcli.cohort.sql import among, case, indented, select
from hlhcli.observables import AGE, AGE_AT_ONSET


class Reaches(NamedTuple):
    """The marks of the other ends of intervals: the word in which they lie, and by observable the end and its bit."""

    word: int
    bits: dict[int, dict[int, int]]


LIMIT_BITS = 60  # of a laboratory's own limit


def decoded(layout: Layout, packing: Packing, dialect: Dialect, keys: Sequence[str], gathered: Sequence[str], limits: bool) -> str:
    """Every anchor, with the packed numbers taken apart."""
    columns = ["a.person_id, a.anchor, a.moment", f"{whole_day('a.moment')} - {EPOCH // DAY} AS day"]
    if layout.needs_age or layout.needs_onset:
        columns.append("a.born_first, a.born_last")
    for name in gathered:
        if name.startswith("marks"):
            columns.append(f"COALESCE(g.{name}, 0) AS {name}")
        elif not name.endswith(("_worst", "_upper", "_lower")):
            columns.append(f"g.{name}")
    for column in layout.present:
        worst = f"g.{column.name}_worst"
        columns.append(f"{packing.moment(worst, dialect)} AS {column.name}_at")
        if column.is_quantity:
            columns.append(f"{packing.value(worst, dialect)} AS {column.name}_value")
        if limits and column.in_words:
            columns += [
                f"NULLIF({dialect.field(f'g.{column.name}_{limit}', 0, LIMIT_BITS)}, 0) AS {column.name}_{limit}_tick"
                for limit in ("upper", "lower")
            ]
    same = " AND ".join(f"g.{key} = a.{key}" for key in keys)
    return select(columns, f"FROM anchors AS a\nLEFT JOIN gathered AS g ON {same}")


def known(layout: Layout, gathered: Sequence[str], reaches: Reaches, worded: bool, limits: bool) -> str:
    """One column for each end of an interval, for what was written, and when; by the name of the observable."""
    inner = ["d.person_id, d.anchor, d.moment, d.day"]
    if layout.needs_age or layout.needs_onset:
        inner.append("d.born_first, d.born_last")
    joins = ["FROM decoded AS d"]
    for column in layout.columns.values():
        if not column.present:
            inner += _nothing(column)
        elif column.is_quantity:
            inner += _quantity(column, layout, _far(column, gathered, reaches), worded, limits)
            joins.append(
                f"LEFT JOIN different AS {column.name}_ ON {column.name}_.value = d.{column.name}_value"
                f" AND {column.name}_.obs = {column.number}"
            )
        else:
            inner += _finding(column, layout, worded)
    inner += [f"d.{finding.observable.instead}_left_open" for finding in layout.denied_elsewhen]
    sql = _corrected(layout, select(inner, "\n".join(joins)))
    shown = [
        f"{finding_text(column) if column.present else 'CAST(NULL AS VARCHAR)'} AS {column.name}_text"
        for column in layout.columns.values()
        if not column.is_quantity
    ]
    return select(["k.*", *shown], f"FROM (\n{indented(sql)}\n) AS k") if shown else sql


def _corrected(layout: Layout, sql: str) -> str:
    """With the ages, and without what is denied on another day, or at another time of it, than that of a measurement."""
    ages = _ages(layout)
    replaced = {
        f"{column.name}_is": case((_denied_elsewhen(column), "NULL"), otherwise=f"{column.name}_is")
        for column in layout.denied_elsewhen
    }
    if not ages and not replaced:
        return sql
    names = [name for column in layout.columns.values() for name in _names(column) if name not in replaced]
    changed = [f"{value} AS {name}" for name, value in replaced.items()]
    return select(["person_id, anchor, moment, day", *names, *changed, *ages], f"FROM (\n{indented(sql)}\n) AS observed")


def _parts(column: Column) -> list[str]:
    if not column.is_quantity:
        return ["is", "at"]
    return ["lo", "hi", "unit", "text", "at", *(["word", "upper", "lower"] if column.in_words else [])]


def _names(column: Column) -> list[str]:
    return [f"{column.name}_{part}" for part in (*_parts(column), *(["pending"] if column.stated else []))]


def _nothing(column: Column) -> list[str]:
    """An observable of which the input holds no row."""
    pending = [f"FALSE AS {column.name}_pending"] if column.stated else []
    kinds = ((part, "VARCHAR" if part == "text" else "BIGINT") for part in _parts(column))
    return [*(f"CAST(NULL AS {kind}) AS {column.name}_{part}" for part, kind in kinds), *pending]


def _marked(layout: Layout, column: Column, *marks: str) -> str:
    word, bits = layout.mark(column.name, *marks)
    return f"(marks{word} & {bits})"


def _quantity(column: Column, layout: Layout, other: str, worded: bool, limits: bool) -> list[str]:
    name, near = column.name, f"{column.name}_.near"
    groups = [f"group {group}" for group in range(column.groups)] if column.groups > 1 else []
    apart = []
    if groups:  # values of assays that cannot be compared with one another
        several = _marked(layout, column, *groups)
        single = ", ".join(str(layout.mark(name, group)[1]) for group in groups)
        apart = [f"{several} = {layout.mark(name, *groups)[1]}" if len(groups) == 2 else f"NOT {several} IN (0, {single})"]
    is_open = f"{_marked(layout, column, OPEN)} <> 0"

    def unless(unknown: list[str], value: str) -> str:
        return case((" OR ".join(unknown), "NULL"), otherwise=value) if unknown else value

    ends = {"near": unless(apart, near), "far": unless([*apart, is_open], other)}
    found = [
        f"{ends['far' if column.low else 'near']} AS {name}_lo",
        f"{ends['near' if column.low else 'far']} AS {name}_hi",
        f"{unless(apart, f'{name}_.number')} AS {name}_unit",
        f"{unless(apart, f'{name}_.shown')} AS {name}_text",
        f"{unless(apart, f'{name}_at')} AS {name}_at",
    ]
    if column.in_words:
        word = f"{name}_word % 4" if worded else "NULL"
        found.append(f"CAST({case((f'{name}_.number IS NULL', word))} AS BIGINT) AS {name}_word")
        found += [f"{f'{name}_{end}_tick' if limits else 'CAST(NULL AS BIGINT)'} AS {name}_{end}" for end in ("upper", "lower")]
    return found


def near(layout: Layout) -> str:
    """The end of a value on its worse side, in ticks; NULL where nothing is known of it."""
    low = [column.number for column in layout.present if column.low]
    turned = f"CASE WHEN worse > 0 THEN {scale.LIMIT} - worse END"
    return case((among("obs", low), turned), otherwise="worse") if low else "worse"


def _far(column: Column, gathered: Sequence[str], reaches: Reaches) -> str:
    """The end of a window on its better side: the furthest of the ends of intervals; a number has none but its own."""
    name, near = column.name, f"{column.name}_.near"
    if f"{name}_other" in gathered:
        return f"{scale.LIMIT} - {name}_other" if column.low else f"NULLIF({name}_other, {scale.LIMIT})"
    marks, bits = f"marks{reaches.word}", reaches.bits.get(column.number, {})
    if not bits:
        return near
    found = [(f"({marks} & {sum(bits.values())}) = 0", near)]
    for end, bit in sorted(bits.items(), reverse=True):
        there = f"({marks} & {bit}) <> 0"
        if end == scale.LIMIT:
            found.append((there, "0" if column.low else "NULL"))
        elif column.low:
            found.append((f"{there} AND ({near} > {scale.LIMIT - end} OR {near} IS NULL)", str(scale.LIMIT - end)))
        else:
            found.append((f"{there} AND {near} < {end}", str(end)))
    return case(*found, otherwise=near)


def _finding(column: Column, layout: Layout, worded: bool) -> list[str]:
    name = column.name
    bits = {value: layout.mark(name, value)[1] for value in column.values}
    least = min(bits.values())
    negative = column.observable.negative
    worse = [value for value in bits if (value != negative) is not (column.observable.decides == negative)]
    found, bad = (_marked(layout, column, *values) for values in (tuple(bits), tuple(worse)))
    is_open, is_pending = (f"{_marked(layout, column, mark)} <> 0" for mark in (OPEN, PENDING))
    if column.lasting and column.stated:  # an answer that lasts ends what was pending before it
        later = f"{name}_said // 2 > {name}_at + {EPOCH}"
        is_open = f"({is_open} AND {later})" if worded else "FALSE"
        is_pending = f"({is_pending} AND {later} AND {name}_said % 2 = 1)" if worded else "FALSE"
    known = [
        f"{case((f'{bad} <> 0', f'{bad} // {least}'), (is_open, 'NULL'), (f'{found} <> 0', f'{found} // {least}'))} AS {name}_is",
        f"{name}_at",
    ]
    if column.stated:
        last = f"{name}_said % 2 = 1" if worded else "FALSE"
        pending = case((f"{bad} <> 0", "FALSE"), (f"{found} <> 0", is_pending), otherwise=f"COALESCE({last}, FALSE)")
        known.append(f"{pending} AS {name}_pending")
    return known


def _denied_elsewhen(column: Column) -> str:
    """What comes and goes is denied for its own day only; of a measurement on another day that says nothing."""
    name, measured = column.name, column.observable.instead

    def elsewhen(moment: str) -> str:
        timed = " AND ".join(f"({each} + {EPOCH}) % {DAY} <> 0" for each in (f"{name}_at", moment))  # at midnight none is stated
        return f"({whole_day(f'{name}_at')} <> {whole_day(moment)} OR {name}_at <> {moment} AND {timed})"

    known = f"NOT {measured}_unit IS NULL AND {elsewhen(f'{measured}_at')}"
    return f"{name}_is = 1 AND ({known} OR {elsewhen(f'{measured}_left_open')})"


def _ages(layout: Layout) -> list[str]:
    """The age in ticks of a day, as an interval: a day of birth is known to the day, a year of birth to the year."""
    ticks = 2 * scale.units(AGE)[0].times * scale.MICRO
    found = []
    if layout.needs_age:
        found += _age(AGE, "day", ticks)
    if layout.needs_onset:
        found += _age(AGE_AT_ONSET, "MIN(day) OVER (PARTITION BY person_id)", ticks)
    return found


def _age(name: str, day: str, ticks: int) -> list[str]:
    born = f"NOT {day} < born_first"
    youngest = f"GREATEST({day} - born_last, 0) * {ticks}"
    oldest = f"({day} - born_first + 1) * {ticks} - 1"
    return [f"{case((born, youngest))} AS {name}_lo", f"{case((born, oldest))} AS {name}_hi"]


def past(layout: Layout) -> str:
    """What was known at the anchors before, by the moment that a rule asks for."""
    columns = ["*"]
    for moment, name in layout.past:
        column = layout.columns[name]
        parts = [source for source in _names(column) if not source.endswith(("_text", "_at"))]
        columns += [f"{_then(source, moment, column)} AS {moment}_{source}" for source in parts]
    return select(columns, "FROM known")


_ORDER = "ORDER BY moment, anchor"


def _then(source: str, moment: str, column: Column) -> str:
    if moment == "baseline":
        return f"FIRST_VALUE({source}) OVER (PARTITION BY person_id {_ORDER} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    if moment == "previous":
        return f"LAG({source}) OVER (PARTITION BY person_id {_ORDER})"
    until = "1 PRECEDING" if moment == "nadir" else "CURRENT ROW"
    furthest = "MIN" if moment == "nadir" else "MAX"
    unit = f"{column.name}_unit"
    if source.endswith("_word"):
        frame = f"PARTITION BY person_id {_ORDER} ROWS BETWEEN UNBOUNDED PRECEDING AND {until}"
        return f"CASE WHEN {unit} IS NULL THEN {furthest}({source}) OVER ({frame}) END"
    if not source.endswith(("_lo", "_hi")):
        return source
    groups = [[each.number for each in scale.units(column.name) if each.group == group] for group in range(column.groups)]
    alike = case(*((among(unit, numbers), str(place)) for place, numbers in enumerate(groups)))
    frame = f"PARTITION BY person_id, {alike} {_ORDER} ROWS BETWEEN UNBOUNDED PRECEDING AND {until}"
    beyond = {"nadir": ("_lo", "-1"), "peak": ("_hi", str(scale.LIMIT))}[moment]  # an end that is not known is the furthest
    if not source.endswith(beyond[0]):
        return f"{furthest}({source}) OVER ({frame})"
    return f"NULLIF({furthest}(CASE WHEN NOT {unit} IS NULL THEN COALESCE({source}, {beyond[1]}) END) OVER ({frame}), {beyond[1]})"

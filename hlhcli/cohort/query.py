"""The whole query: rows to the worst value of each window, to items, to verdicts. Written as SQL that people can read.

Every step is a common table expression of its own; what decides something stands in a column that is named by its phrase.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hlhcli.cohort import scale, tags
from hlhcli.cohort.dialects import Dialect
from hlhcli.cohort.known import decoded, known, past
from hlhcli.cohort.layout import Layout
from hlhcli.cohort.sql import case, indented, select
from hlhcli.cohort.verdicts import Verdicts, item_ids

PLAIN = "^(0|[1-9][0-9]{0,5})([.][0-9]{1,6})?$"
NUMBER = "(0|[1-9][0-9]{0,8})"
COMPARED = f"^([<>]=?)?{NUMBER}([.][0-9]{{1,6}})?$"  # or as large as a count of cells can be
_BILLION = 1_000_000_000
LONG = f"^{NUMBER}[.][0-9]{{6}}[0-9]*[1-9]$"  # more decimals than six


class Query(NamedTuple):
    """What a query is made of. Tables are names of tables, views or CTEs."""

    layout: Layout
    dialect: Dialect
    readings: str  # a SELECT of person_id, t, code, value, unit, reference
    anchors: str  # a SELECT of person_id, moment, since, until, anchor, born_first, born_last
    texts: frozenset[str] | None = frozenset()  # the observables that have texts other than plain numbers (None: any)
    worded: bool = True  # some text is looked up
    limits: bool = False  # the laboratory's own limits are looked up
    bucket: int | None = None  # milliseconds of a common clock by which rows and anchors are brought together
    days: bool = False  # moments are counts of days
    lookups: tuple[tuple[str, str], ...] = ()  # CTEs for hlhcli_units and hlhcli_texts, where they are no tables


def build(query: Query) -> str:
    """The query as one SELECT with the columns of the contract."""
    steps = [*query.lookups, *_steps(query)]
    last = "then_and_now" if query.layout.past else "known"
    sets = [Verdicts(criteria, query.layout, query.dialect, last, query.days) for criteria in query.layout.sets]
    for each in sets:
        steps += each.steps()
    names = item_ids(query.layout.sets)
    rows = "\nUNION ALL\n".join(each.rows(names) for each in sets)
    body = ",\n\n".join(f"{name} AS (\n{indented(sql)}\n)" for name, sql in steps)
    return f"WITH\n{body}\n\n{rows}"


def _steps(query: Query) -> Iterator[tuple[str, str]]:
    """From the rows of the input to what is known at each anchor."""
    yield "numbers", numbers(query.readings, query.dialect)
    yield "scaled", _scaled(query)
    yield "ranked", _ranked(query)
    yield "anchors", query.anchors
    yield "windowed", _windowed(query)
    yield "gathered", _gathered(query)
    yield "decoded", decoded(query.layout, query.dialect, query.limits)
    yield "known", known(query.layout, query.texts, query.worded, query.limits)
    if query.layout.past:
        yield "then_and_now", past(query.layout)


def shaped(readings: str, dialect: Dialect) -> str:
    """The rows with the shape of their values: 0 a plain number, 1 a large one or one with a comparator, 2 one of many decimals."""
    compared = f"{dialect.matches('value', COMPARED)} AND {dialect.matches('value', '[1-9]')}"
    return select(
        [
            "person_id, t, code, COALESCE(unit, '') AS unit, value, reference",
            f"CASE WHEN {dialect.matches('value', PLAIN)} THEN 0 WHEN {compared} THEN 1"
            f" WHEN {dialect.matches('value', LONG)} THEN 2 END AS shape",
        ],
        f"FROM (\n{indented(readings)}\n) AS readings",
    )


def numbers(readings: str, dialect: Dialect) -> str:
    """Plain numbers in whole millionths, and how they were written; every other text is looked up."""
    decimals = "CASE WHEN STRPOS(value, '.') = 0 THEN 0 ELSE LENGTH(value) - STRPOS(value, '.') END"
    signs = [(tags.AT_LEAST, ">="), (tags.GREATER, ">"), (tags.AT_MOST, "<="), (tags.LESS, "<")]
    comparator = case(*((f"value LIKE '{sign}%'", str(form)) for form, sign in signs), otherwise="0")
    bare = "REPLACE(REPLACE(REPLACE(value, '<', ''), '>', ''), '=', '')"
    cut = "SUBSTRING(value, 1, STRPOS(value, '.') + 6)"

    def millionths(text: str, factor: str = str(scale.MICRO)) -> str:
        return f"CAST(CAST({text} AS DECIMAL(18, 6)) * {factor} AS BIGINT)"

    large = f"CAST({scale.MICRO} AS DECIMAL(20, 0))"
    rest = "CAST(RPAD(SUBSTRING(value, STRPOS(value, '.') + 7, 9), 9, '0') AS BIGINT)"  # of a millionth, in billionths
    plain, more, longer = "shape = 0", "shape = 1", "shape = 2"
    numbered = (plain, millionths("value")), (more, millionths(bare, large)), (longer, millionths(cut, large))

    return select(
        [
            "person_id, t, code, unit, value, reference",
            f"{case(*numbered)} AS millionths",
            f"{case((plain, decimals), (more, f'{comparator} + {decimals}'), (longer, str(tags.LONG)))} AS form",
            f"{case((longer, rest))} AS rest",
        ],
        f"FROM (\n{indented(shaped(readings, dialect))}\n) AS shaped",
    )


def _scaled(query: Query) -> str:
    """Each row on the exact scale of its observable (half ticks; see the documentation of the scale), or what its text says."""
    layout, texts = query.layout, query.worded
    half = "LEAST(GREATEST(n.millionths, u.least), u.most) * u.times + u.plus"
    words = range(layout.words)
    columns = [
        "n.person_id, n.t, n.form, u.number, u.low, u.times",
        f"{'COALESCE(w.obs, ' if texts else ''}CASE WHEN NOT n.millionths IS NULL THEN u.obs END{')' if texts else ''} AS obs",
        f"{case(('n.form = 7', f'{half} + n.rest * u.times // {_BILLION}'), ('NOT n.millionths IS NULL', half))} AS half",
        f"{case((f'n.form = 7 AND n.rest * u.times % {_BILLION} <> 0', '1'), otherwise='0')} AS beyond",
        *(f"{f'COALESCE(w.marks{word}, u.marks{word})' if texts else f'u.marks{word}'} AS marks{word}" for word in words),
    ]
    joins = ["FROM numbers AS n", "LEFT JOIN hlhcli_units AS u ON u.code = n.code AND u.unit = n.unit"]
    if texts:
        columns.append("w.top AS text_top, w.other AS text_other, w.tag AS text_tag, COALESCE(w.said, u.said) AS said, w.word")
        joins += [
            "LEFT JOIN hlhcli_texts AS w ON w.code = n.code AND w.unit = n.unit",
            "  AND w.value = CASE WHEN n.millionths IS NULL THEN n.value END",
        ]
    if query.limits:
        columns.append("r.upper, r.lower")
        joins.append("LEFT JOIN hlhcli_limits AS r ON r.code = n.code AND r.unit = n.unit AND r.reference = n.reference")
    return select(columns, "\n".join(joins))


def _ranked(query: Query) -> str:
    """How bad each row is: its place among the values of a window, by the worse end first (turned around where lower is worse)."""
    layout, texts = query.layout, query.worded
    limit = scale.LIMIT
    point = "2 * half + beyond"
    lo = case(("form < 8", point), ("form < 16", "2 * half + 1"), ("form < 24", "2 * half"), otherwise="0")
    hi = case(
        ("form < 8", point), ("form < 24", str(limit)),
        ("form < 32", "2 * half - 1"), otherwise="2 * half",
    )  # fmt: skip
    passed = ["person_id, t, obs", *(f"marks{word}" for word in range(layout.words))]
    if texts:
        passed.append("said, word")
    if query.limits:
        passed.append("upper, lower")
    ends = select(
        [
            "*",
            f"CASE WHEN half IS NULL THEN NULL WHEN low THEN {limit} - ({hi}) ELSE {lo} END AS worse",
            f"CASE WHEN half IS NULL THEN NULL WHEN low THEN {limit} - ({lo}) ELSE {hi} END AS other",
        ],
        f"FROM scaled\nWHERE NOT obs IS NULL AND t >= {tags.FIRST} AND t <= {tags.LAST} AND NOT person_id IS NULL",
    )
    rank = case(("worse = other", "0"), (f"other = {limit}", str(tags.RANKS - 1)), otherwise="1")
    top = case(("worse > 0", f"({limit} + worse) * {tags.RANKS} + {rank}"), otherwise=f"other * {tags.RANKS}")
    tag = f"form * {tags.UNITS} + number"
    return select(
        [
            *passed,
            f"{f'COALESCE(text_top, {top})' if texts else top} AS top",
            f"{'COALESCE(text_other, other)' if texts else 'other'} AS other",
            f"(t + {tags.EPOCH}) * {tags.TAGS} + {f'COALESCE(text_tag, {tag})' if texts else tag} AS written",
        ],
        f"FROM (\n{indented(ends)}\n) AS with_ends",
    )


def _windowed(query: Query) -> str:
    """Rows in the window of each anchor, and one row for the anchor itself, so that none is lost."""
    layout = query.layout
    wide = query.dialect.wide
    of_row = [
        "r.obs",
        f"CAST(r.top AS {wide}) * {tags.LOW} + r.written AS worst",
        "r.other",
        *(f"r.marks{word}" for word in range(layout.words)),
    ]
    empty = ["obs", f"CAST(NULL AS {wide}) AS worst", "other", *(f"marks{word}" for word in range(layout.words))]
    if query.worded:
        of_row += [f"(r.t + {tags.EPOCH}) * 2 + r.said AS said", f"(r.t + {tags.EPOCH}) * 4 + r.word AS word"]
        empty += ["said", "word"]
    if query.limits:
        of_row += [f"CAST(r.top AS {wide}) * {tags.LOW} + COALESCE(r.{limit}, 0) AS {limit}" for limit in ("upper", "lower")]
        empty += [f"CAST(NULL AS {wide}) AS upper", f"CAST(NULL AS {wide}) AS lower"]
    born = ["born_first", "born_last"] if layout.needs_age or layout.needs_onset else []
    nothing = [f"CAST(NULL AS BIGINT) AS {name}" if " " not in name else name for name in empty]
    rows = select(
        ["a.person_id, a.anchor, a.moment", *of_row, *(f"CAST(NULL AS BIGINT) AS {name}" for name in born)],
        "FROM ranked AS r\n" + _joined(query),
    )
    branches = [rows]
    lasting = [column.number for column in layout.present if column.lasting]
    if query.bucket and lasting:  # found whenever it was stated before, and not only in the window
        among = f"r.obs IN ({', '.join(map(str, lasting))})"
        branches[0] += f"\nWHERE NOT {among}"
        branches.append(
            select(
                ["a.person_id, a.anchor, a.moment", *of_row, *(f"CAST(NULL AS BIGINT) AS {name}" for name in born)],
                f"FROM ranked AS r\nJOIN anchors AS a ON a.person_id = r.person_id AND r.t <= a.until\nWHERE {among}",
            )
        )
    branches.append(select(["person_id, anchor, moment", *nothing, *born], "FROM anchors"))
    return "\nUNION ALL\n".join(branches)


def _joined(query: Query) -> str:
    lasting = [column.number for column in query.layout.present if column.lasting]
    if query.bucket:
        size = query.bucket
        both_buckets = (
            f"SELECT *, (until + {tags.EPOCH}) // {size} AS bucket FROM anchors\nUNION ALL\n"
            f"SELECT *, (until + {tags.EPOCH}) // {size} - 1 AS bucket FROM anchors"
        )
        return (
            f"JOIN (\n{indented(both_buckets)}\n) AS a ON a.person_id = r.person_id"
            f" AND a.bucket = (r.t + {tags.EPOCH}) // {size}\n  AND r.t <= a.until AND r.t >= a.since"
        )
    since = "r.t >= a.since"
    if lasting:
        since = f"(r.t >= a.since OR r.obs IN ({', '.join(map(str, lasting))}))"
    return f"JOIN anchors AS a ON a.person_id = r.person_id AND r.t <= a.until AND {since}"


def _gathered(query: Query) -> str:
    """The worst row of each observable at each anchor."""
    layout = query.layout
    columns = ["person_id, anchor, moment"]
    for column in layout.present:
        of = f"CASE WHEN obs = {column.number} THEN"
        columns.append(f"MAX({of} worst END) AS {column.name}_worst")
        if column.is_quantity:
            columns.append(f"MAX({of} other END) AS {column.name}_other")
        if query.worded and column.stated:
            columns.append(f"MAX({of} said END) AS {column.name}_said")
        if query.worded and column.in_words:
            columns.append(f"MAX({of} word END) AS {column.name}_word")
        if query.limits and column.in_words:
            columns += [f"MAX({of} {limit} END) AS {column.name}_{limit}" for limit in ("upper", "lower")]
    columns += [f"BIT_OR(marks{word}) AS marks{word}" for word in range(layout.words)]
    if layout.needs_age or layout.needs_onset:
        columns.append("MAX(born_first) AS born_first, MAX(born_last) AS born_last")
    return select(columns, "FROM windowed\nGROUP BY person_id, anchor, moment")

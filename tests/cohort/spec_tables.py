"""Reads tests/spec/cohort.md, whose head says how its tables are written, and holds the rows of any engine against them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from reference_rows import Anchor, Person, Row, Time, millis
from tables import SPEC

from hlhcli import criteria
from hlhcli.quantity import Interval, range_text
from hlhcli.rules import CriteriaSet

Evaluate = Callable[[list[Row], Sequence[Anchor] | str, Sequence[CriteriaSet], str, Sequence[Person]], Any]

FIRST = date(2024, 1, 1)  # day 1 of the tables
WHO = "p1"
_TIME = r"(d?-?\d+(?:\.\d+)?)(?: (\d\d:\d\d(?::\d\d)?))?"
_NUMBER = r"(?:[<>≥≤]=?\s?)?(?:\d[\d.,' ]*(?:e[+-]?\d+)?(?:\s?[-–]\s?[\d.]+)?|-?(?:NaN|nan|inf|Infinity))"
_STATUSES = {"met": "met", "not met": "not_met", "unknown": "unknown"}


class Case(NamedTuple):
    """One row of a table."""

    section: str
    id: str
    rows: list[Row]
    anchors: list[Anchor] | str
    sets: list[CriteriaSet]
    lookback: str
    persons: list[Person]
    expected: dict[str, list[str]]  # by the anchor, or without one

    def __str__(self) -> str:
        return self.id


def tables(name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The rows of every table of tests/spec/<name>.md by their headings, each with the section that it stands in."""
    section, head = "", []
    for line in (SPEC / f"{name}.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            section, head = line.lstrip("# "), []
        if not line.startswith("|"):
            head = []
            continue
        cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        if not head:
            head = cells
        elif not set("".join(cells)) <= {"-"}:
            assert len(cells) == len(head), f"a row of {section} has the wrong number of cells: {line}"
            yield section, dict(zip(head, cells, strict=True))


def cases() -> list[Case]:
    """Every row of tests/spec/cohort.md."""
    found = [_case(section, row) for section, row in tables("cohort")]
    names = [case.id for case in found]
    assert len(set(names)) == len(names), "two rows have one id"
    return found


def _case(section: str, row: Mapping[str, str]) -> Case:
    anchor = row["anchor"]
    anchors = anchor if anchor == "daily" or anchor.startswith("on:") else [_anchor(each) for each in anchor.split(", ")]
    sets = [criteria.load(name) for name in (row.get("criteria") or "hlh-2004").split(", ")]
    expected: dict[str, list[str]] = {}
    at = ""
    for part in parts(row["expected"]):
        if found := re.match(r"\[([^\]]*)\]\s*", part):
            at, part = found[1], part[found.end() :]
        expected.setdefault(at, []).append(part)
    observed = [_row(each) for each in parts(row["observed"])]
    persons = [_person(row["person"])] if row.get("person") else []
    return Case(section, row["id"], observed, anchors, sets, row["look-back"], persons, expected)


def parts(text: str) -> list[str]:
    """What stands between semicolons; those between backticks are of a value."""
    return [part.strip() for part in re.findall(r"(?:`[^`]*`|[^;`])+", text) if part.strip()]


def _time(day: str, hour: str | None) -> Time:
    if day.startswith("d"):
        return Fraction(day[1:])
    when = FIRST + timedelta(days=int(day) - 1)
    return when if hour is None else datetime.fromisoformat(f"{when} {hour}")


def _anchor(text: str) -> Anchor:
    found = re.fullmatch(rf'{_TIME}(?: "(.*)")?', text)
    assert found, text
    return Anchor(WHO, _time(found[1], found[2]), found[3])


def _person(text: str) -> Person:
    year = re.fullmatch(r"born in (\d{4})", text)
    return Person(WHO, year_of_birth=int(year[1])) if year else Person(WHO, date.fromisoformat(text.removeprefix("born ")))


def _row(text: str) -> Row:
    """`3 10:30 ferritin >500 ng/mL (30-400)`: time, code, value, unit, the laboratory's own limits."""
    found = re.fullmatch(rf"(?:{_TIME}|no time) (\S+)(?: (.*))?", text)
    assert found, text
    time = None if found[1] is None else _time(found[1], found[2])
    value, unit, limits = (found[4] or "").strip(), None, None
    if beside := re.search(r"\s+\(([^)]*)\)$", value):
        value, limits = value[: beside.start()], beside[1]
    if stated := re.fullmatch(rf"({_NUMBER})\s+([^\d\s].*|10\*.*|/.*|1)", value):
        value, unit = stated[1].strip(), stated[2]
    return Row(WHO, time, found[3], value or None, unit, limits)


# Holding an engine against it


def check(case: Case, evaluate_rows: Evaluate) -> list[str]:
    """Where the rows of an engine are not what the table says; nothing where they are.

    `evaluate_rows` gives the rows as a list, or in an object that has `rows` and may have `rejected`.
    """
    given = evaluate_rows(case.rows, case.anchors, case.sets, case.lookback, case.persons)
    rows: list[Mapping[str, Any]] = list(getattr(given, "rows", given))
    said = []
    for at, expectations in case.expected.items():
        name = _anchor(at).time if re.fullmatch(_TIME, at) else at
        here = [row for row in rows if not at or row["anchor"] == at or _is_at(row, name)]
        for expectation in expectations:
            wrong = _wrong(expectation, here, rows, getattr(given, "rejected", None))
            said += [f"[{at}] {expectation}: {wrong}"] if wrong else []
    return said


def _is_at(row: Mapping[str, Any], time: Time | str) -> bool:
    return not isinstance(time, str) and _millis(row["anchor_time"]) == millis(time)


def _millis(time: Any) -> int | None:
    return time if time is None or type(time) is int else millis(time)


def _wrong(expectation: str, here: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], rejected: Any) -> str:
    """What is wrong with what a part of the cell expects; empty where nothing is."""
    text, _, chosen = expectation.partition(" by ") if " by " in expectation and expectation[:3] != "by " else (expectation, "", "")
    if found := re.fullmatch(r"rows (\d+)", text):
        return "" if len(rows) == int(found[1]) else f"{len(rows)} rows"
    if found := re.fullmatch(r"rejected (\d+)", text):
        return "" if rejected is None or len(rejected) == int(found[1]) else f"{len(rejected)} rejected"
    if text == "none":
        return "" if not here else "a row"
    here = [row for row in here if not chosen or row["criteria"] == chosen]
    if not here:
        return "no row"
    return "; ".join(filter(None, (_wrong_in(text, row) for row in here)))


def _wrong_in(text: str, row: Mapping[str, Any]) -> str:
    for pattern, found_in in _COLUMNS:
        if found := re.fullmatch(pattern, text):
            shown = found_in(row)
            return "" if shown == found[1] else f"found {shown}"
    found = re.fullmatch(r"(\w+) (met|not met|unknown)(?: `([^`]*)`)?(?: @(\S+(?: \d\d:\d\d(?::\d\d)?)?))?", text)
    assert found, f"cannot be read: {text}"
    name, status, value, when = found.groups()
    if row[name] != _STATUSES[status]:
        return f"found {row[name]}, {row[f'{name}_value']}"
    if value is not None and (row[f"{name}_value"] or "") != value:
        return f"found {row[f'{name}_value']}"
    if when is not None:
        there, time = _anchor(when).time, _millis(row[f"{name}_time"])
        return "" if time == millis(there) else f"found at {row[f'{name}_time']}"
    return ""


def _score(row: Mapping[str, Any]) -> str:
    ends = [None if row[key] is None else Fraction(row[key]).limit_denominator(10**6) for key in ("score_min", "score_max")]
    return range_text(Interval(*ends))


def _count(row: Mapping[str, Any]) -> str:
    return "none" if row["met"] is None else f"{row['met']}..{row['met'] + row['unknown']}/{row['required'] or '-'}"


_WORDS = {None: "unknown", True: "yes", False: "no"}
_COLUMNS: list[tuple[str, Callable[[Mapping[str, Any]], str]]] = [
    (r"verdict (\w+)", lambda row: str(row["verdict"])),
    (r"by (\S+)", lambda row: str(row["by"] or "-")),
    (r"applicable (\w+)", lambda row: _WORDS[row["applicable"]]),
    (r"score (.+)", _score),
    (r"count (\S+)", _count),
    (r"anchor (.+)", lambda row: str(row["anchor"])),
]

"""At which moments each person is assessed, and how far back each of them looks."""

from __future__ import annotations

import re
from typing import NamedTuple

from hlhcli import observables
from hlhcli.cohort.dialects import DAY, Dialect, Table
from hlhcli.cohort.packing import EPOCH
from hlhcli.cohort.sql import indented, quoted, select
from hlhcli.cohort.tables import PERSON, column, of_person
from hlhcli.errors import UnknownName

_LOOKBACK = re.compile(r"(\d{1,4}) ?(d|day|days|h|hour|hours|wk|week|weeks)")
_HOUR = 3_600_000
NAME = ("name", "anchor", "label")


class BadAnchor(ValueError):
    """Anchors or a window that cannot be meant; the message says what to write instead."""


class Lookback(NamedTuple):
    """How far a window reaches back: `days` from the beginning of the day that lies so many days before, or exactly `millis`."""

    text: str
    millis: int
    whole_days: bool

    def since(self, at: str) -> str:
        """The first moment of the window of an anchor, as SQL."""
        if self.whole_days:
            return f"(({at} + {EPOCH}) // {DAY}) * {DAY} - {EPOCH} - {self.millis}"
        return f"{at} - {self.millis}"


def lookback(text: str) -> Lookback:
    """Such as `7d`, `12h`, `2wk`. Raises BadAnchor."""
    found = _LOOKBACK.fullmatch(text.strip().lower())
    if not found:
        raise BadAnchor(f"'{text}' is no time to look back; write for example 7d or 12h")
    number, unit = int(found[1]), found[2][0]
    return Lookback(text.strip(), number * {"d": DAY, "h": _HOUR, "w": 7 * DAY}[unit], unit != "h")


class Chosen(NamedTuple):
    """Anchors that come from the rows: each day with any value that is asked for, or with one of an observable (or a drug)."""

    observable: str | None = None
    drug: str | None = None

    @property
    def how(self) -> str:
        name = self.observable or self.drug
        return f"on:{name}" if name else "daily"


def chosen(text: str) -> Chosen | None:
    """What `daily` or `on:ferritin` says; None for a file. Raises BadAnchor."""
    if text == "daily":
        return Chosen()
    if not text.startswith("on:"):
        return None
    from hlhcli.readers import codes

    name = text.removeprefix("on:")
    try:
        return Chosen(observables.resolve(name))
    except UnknownName as error:
        if drug := codes.drug(name):
            return Chosen(drug=drug)
        raise BadAnchor(str(error)) from None


def from_table(
    table: Table, dialect: Dialect, source: str, back: Lookback, born: str = "", midnight: bool = False, as_text: bool = False
) -> str:
    """The anchors of a table with person_id, time (or day) and name. A date is a whole day; a time is a moment.

    `midnight`: all times are at midnight, as of dates that some program has no type for; `as_text`: persons are named by
    texts. Raises InputError.
    """
    columns = of_person(table, dialect, source)
    kind = table.columns[columns.column]
    written = quoted(columns.column)
    whole = "TRUE" if kind == "date" or midnight else f"LENGTH(TRIM({written})) = 10" if kind == "text" else "FALSE"
    if columns.days:
        whole = f"({columns.time}) % {DAY} = 0"
    person = columns.person
    if as_text:
        person = dialect.text(person, table.columns[column(table, PERSON) or ""])
    name = next((quoted(each) for each in NAME if each in table.columns), "CAST(NULL AS VARCHAR)")
    moment = (
        f"SELECT {person} AS person_id, {columns.time} AS moment, CAST({name} AS VARCHAR) AS name, {whole} AS whole"
        f" FROM {table.name}"
    )
    return _finished(moment, back, dialect, columns.days, born)


def from_rows(which: str, back: Lookback, dialect: Dialect, days: bool, born: str) -> str:
    """One anchor for each day of the rows that `which` chooses."""
    day = f"((t + {EPOCH}) // {DAY}) * {DAY} - {EPOCH}"
    moment = f"SELECT DISTINCT person_id, {day} AS moment, CAST(NULL AS VARCHAR) AS name, TRUE AS whole FROM {which}"
    return _finished(moment, back, dialect, days, born)


def _finished(moment: str, back: Lookback, dialect: Dialect, days: bool, born: str) -> str:
    if days:
        written = f"CASE WHEN moment % {DAY} = 0 THEN CAST(moment // {DAY} AS VARCHAR) ELSE {dialect.days('moment')} END"
    else:
        written = f"CASE WHEN whole THEN {dialect.iso('moment', False)} ELSE {dialect.iso('moment', True)} END"
    until = f"CASE WHEN whole THEN moment + {DAY - 1} ELSE moment END"
    joined = f"\nLEFT JOIN (\n{indented(born)}\n) AS p ON p.person_id = m.person_id" if born else ""
    births = [f"p.{name}" if born else f"CAST(NULL AS BIGINT) AS {name}" for name in ("born_first", "born_last")]
    window = [f"{back.since('moment')} AS since", f"{until} AS until"]
    return select(
        ["m.person_id", "moment", *window, f"COALESCE(name, {written}) AS anchor", *births],
        f"FROM (\n{indented(moment)}\n) AS m{joined}\nWHERE NOT moment IS NULL AND NOT m.person_id IS NULL",
    )

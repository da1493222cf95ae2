"""Pieces of SQL that the sources share: texts, ids, moments, and the tables of codes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from hlhcli import observables
from hlhcli.cohort.dialects import DAY, Dialect, Table
from hlhcli.cohort.source import ENDED, LEFT, NOT_KNOWN
from hlhcli.cohort.sql import literal
from hlhcli.readers import codes
from hlhcli.readers.dates import EARLIEST, LATEST
from hlhcli.readers.said import DOUBTS
from hlhcli.yamltree import parse

NONE = "CAST(NULL AS VARCHAR)"
_NULL = ("", "null", r"\n", "nan", "none", "na")  # how exports of databases write NULL
_NUMBER = "^[0-9]*[.]?[0-9]+([eE][+-]?[0-9]+)?$"


def free(text: str) -> str:
    """Words of the source, which must not look like what this tool says of a value."""
    plain = f"REPLACE({text}, '|', '/')"
    like = f"SUBSTRING({plain}, 1, 1) IN ('{LEFT}', '{NOT_KNOWN}') OR LOWER({plain}) = '{ENDED}'"
    return f"CASE WHEN {like} THEN ' ' || {plain} ELSE {plain} END"


def listed(texts: Iterable[str]) -> str:
    return ", ".join(map(literal, texts))


def rows(pairs: Iterable[Iterable[str]]) -> str:
    """A table of texts, for VALUES."""
    return ", ".join(f"({listed(each)})" for each in pairs)


@cache
def coded() -> Mapping[str, Any]:
    """The table of codes of other systems."""
    table: Any = parse(codes.TABLE.read_bytes(), codes.TABLE.name)
    return dict(table)


@cache
def not_of_blood() -> str:
    """A pattern for the small letters of a specimen that is not blood."""
    return _word(coded()["specimens"]["other"])


@cache
def of_blood() -> str:
    """A pattern for the small letters of a specimen that is blood, if it is not one of the others."""
    return _word(coded()["specimens"]["blood"])


def _word(words: str) -> str:
    return f"(^|[^a-z])({'|'.join(words.split())})([^a-z]|$)"


@cache
def doubts() -> str:
    """Words of a comment by which a value may be none, without what stands before them: `not` makes it no better here."""
    words = re.sub(r"\(\?<![^)]*\)", "", DOUBTS).removeprefix(r"\b").removesuffix(r"\b")
    return f"(^|[^a-z]){words.replace('?:', '')}([^a-z]|$)"


@cache
def of_other_fluids() -> tuple[str, ...]:
    """LOINC codes of what is measured in another specimen than blood, as it should be."""
    names = [name for name in observables.names() if codes.specimen(name.replace("_", " ")) is False]
    return tuple(each.partition(":")[0] for name in names for each in observables.codes(name, "loinc"))


class Columns:
    """The columns of a table as texts, ids and moments, whatever kinds they have. One that is not there is NULL."""

    def __init__(self, table: Table, alias: str, dialect: Dialect) -> None:
        self.table, self.alias, self.dialect = table, alias, dialect

    def __call__(self, name: str) -> str:
        """The column by its own name."""
        return f'{self.alias}."{name}"' if " " in name else f"{self.alias}.{name}"

    def is_number(self, name: str) -> bool:
        return self.table.columns.get(name) == "integer"

    def text(self, name: str) -> str:
        """The text of a column; NULL for the words that stand for it."""
        kind = self.table.columns.get(name)
        if kind is None:
            return NONE
        if kind == "text":
            plain = f"TRIM({self(name)})"
            return f"CASE WHEN LOWER({plain}) NOT IN ({listed(_NULL)}) THEN {plain} END"
        plain = self.dialect.text(self(name), kind)
        return f"CASE WHEN LOWER({plain}) <> 'nan' THEN {plain} END" if kind in ("double", "decimal") else plain

    def id(self, name: str) -> str:
        """An id as text: `12` for what some exports write as `12.0`."""
        return self.text(name) if self.is_number(name) else f"REGEXP_REPLACE({self.text(name)}, '[.]0+$', '')"

    def concept(self, name: str) -> str:
        """The id of a concept as text; NULL for 0, which is none."""
        return f"NULLIF({self.id(name)}, '0')"

    def number(self, name: str) -> str:
        """A whole number of few digits; NULL where it is none."""
        if self.is_number(name):
            return f"CAST({self(name)} AS BIGINT)"
        return f"CASE WHEN {self.dialect.matches(self.id(name), '^[0-9]{1,9}$')} THEN CAST({self.id(name)} AS BIGINT) END"

    def equal(self, name: str, other: Columns, their: str) -> str:
        """That two ids are the same, and not 0: of numbers without making texts of them."""
        if self.table.columns.get(name) is None:
            return "1 = 0"
        if self.is_number(name) and other.is_number(their):
            return f"{self(name)} = {other(their)} AND {self(name)} <> 0"
        return f"{self.concept(name)} = {other.id(their)}"

    def millis(self, name: str) -> str:
        """The moment, NULL where there is none or no year of a life."""
        kind = self.table.columns.get(name)
        if kind is None:
            return "CAST(NULL AS BIGINT)"
        return self.dialect.millis(self.text(name) if kind == "text" else self(name), kind)

    def stated(self, *names: str) -> str:
        """True where one of the columns holds something."""
        there = [f"{self.text(name)} IS NOT NULL" for name in names if self.table.has(name)]
        return f"({' OR '.join(there)})" if there else "(1 = 0)"


def clock(millis: str) -> str:
    """The time of day of a moment."""
    return f"MOD(MOD({millis}, {DAY}) + {DAY}, {DAY})"


def midnight(millis: str) -> str:
    """The beginning of the day of a moment."""
    return f"({millis} - {clock(millis)})"


def of_a_life(t: str) -> str:
    """The moment, if its year is one that can be meant."""
    first, last = (days(str(year), "1", "1") for year in (EARLIEST, LATEST + 1))
    return f"CASE WHEN {t} >= {first} * {DAY} AND {t} < {last} * {DAY} THEN {t} END"


def days(year: str, month: str, day: str) -> str:
    """Days since 1970 of a date of the calendar, by whole numbers alone: databases differ in how they make dates."""
    early = f"CASE WHEN {month} <= 2 THEN 1 ELSE 0 END"
    counted = f"({year} - {early})"
    months = f"({month} - 3 + 12 * {early})"
    leaps = f"{_floor(counted, 4)} - {_floor(counted, 100)} + {_floor(counted, 400)}"
    return f"(365 * {counted} + {leaps} + {_floor(f'(153 * {months} + 2)', 5)} + {day} - 719469)"


def _floor(number: str, by: int) -> str:
    return f"CAST(FLOOR({number} / {by}.0) AS BIGINT)"


def bounds(dialect: Dialect, low: str, high: str) -> str:
    """A reference range of its two ends, both of them numbers where they are stated."""
    odd = " OR ".join(f"NOT {dialect.matches(end, _NUMBER)}" for end in (low, high))
    return (
        f"CASE WHEN {odd} THEN NULL WHEN {low} IS NOT NULL AND {high} IS NOT NULL THEN {low} || '-' || {high} "
        f"WHEN {low} IS NOT NULL THEN '>=' || {low} WHEN {high} IS NOT NULL THEN '<=' || {high} END"
    )

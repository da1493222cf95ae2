"""What differs between the databases: how a moment becomes a number, how a number becomes text, and 128-bit integers.

Everything else of a query is the portable subset of SQL. It is written in DuckDB's dialect and rendered for the others by sqlglot.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Name = Literal["duckdb", "spark", "postgres"]
Kind = Literal["text", "integer", "decimal", "double", "boolean", "date", "timestamp", "day", "other"]  # day: a count, as text

DAY = 86_400_000  # milliseconds
ERA = 730_485 * DAY  # from a day before all dates to 1970, so that a remainder is never negative
_COUNT = "^-?[0-9]{1,5}([.][0-9]{1,6})?$"
_ISO = "[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?"
_WHOLE = f"^({_ISO}) *(Z|UTC|GMT|[-+][0-9]{{2}}(:?[0-9]{{2}})?)? *$"  # 11:30 PM is not 11:30
# Days that there are, for a database that can only try to make a date of a text, and fail.
_LEAP = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29"
_CALENDAR = (
    "(?!0000)([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
    f"|{_LEAP})"
)
_NO_CLOCK = "[ T]((2[4-9]|[3-9][0-9]):[0-9]{2}|[0-9]{2}:[6-9][0-9]|[0-9]{2}:[0-9]{2}:[6-9][0-9])"


class Table(NamedTuple):
    """A table or view that an engine can read, and the kinds of its columns by their names in small letters."""

    name: str
    columns: dict[str, Kind]

    def has(self, *names: str) -> bool:
        return all(name in self.columns for name in names)


def _quoted(name: str) -> str:
    return f'"{name}"'


class Dialect:
    """Expressions as SQL text of one database."""

    name: Name = "duckdb"
    wide = "HUGEINT"  # an integer of 38 digits
    numbers_rows = False  # a step is evaluated once, so that its rows can be counted in any order
    at_once: int | None = None  # rows, from which on the persons are taken in parts, one after the other

    def millis(self, expression: str, kind: Kind) -> str:
        """Milliseconds since 1970 of a moment, in the wall-clock time that is written; NULL where it is no moment.

        A number is a count of days.
        """
        if kind in ("integer", "decimal", "double"):
            return (
                f"CASE WHEN ABS({expression}) < 100000 THEN CAST(ROUND(CAST({expression} AS DECIMAL(20, 6)) * {DAY}) AS BIGINT) END"
            )
        if kind == "day":
            number = f"CASE WHEN {self.matches(expression, _COUNT)} THEN CAST({expression} AS DECIMAL(20, 6)) END"
            return f"CAST(ROUND(({number}) * {DAY}) AS BIGINT)"
        if kind == "date":
            return self._of_timestamp(f"CAST({expression} AS TIMESTAMP)")
        if kind == "timestamp":
            return self._of_timestamp(expression)
        return self._of_timestamp(self.parsed(expression))

    def parsed(self, text: str) -> str:
        """The timestamp that an ISO text says, without its zone; NULL where it is none."""
        return f"TRY_CAST(NULLIF(REPLACE(REGEXP_EXTRACT({text}, '{_WHOLE}', 1), 'T', ' '), '') AS TIMESTAMP)"

    def _of_timestamp(self, expression: str) -> str:
        return f"EPOCH_MS({expression})"

    def timestamp(self, millis: str) -> str:
        """The moment of so many milliseconds since 1970."""
        return f"MAKE_TIMESTAMP(({millis}) * 1000)"

    def iso(self, millis: str, with_time: bool) -> str:
        """The moment as text, such as 2024-01-31 or 2024-01-31 10:30:00."""
        return f"STRFTIME({self.timestamp(millis)}, '%Y-%m-%d{' %H:%M:%S' if with_time else ''}')"

    def days(self, millis: str) -> str:
        """The moment as text, in days."""
        return f"RTRIM(CAST(CAST({millis} AS DECIMAL(20, 4)) / {DAY} AS VARCHAR), '0')"

    def births(self, table: Table, person: str, date: str | None, year: str | None) -> str:
        """The first and the last day on which each person (SQL) of a table can have been born, in days since 1970."""
        day = "CAST(NULL AS BIGINT)"
        if date:
            day = f"(({self.millis(_quoted(date), table.columns[date])}) + {ERA}) // {DAY} - {ERA // DAY}"
        first = last = day
        if year:
            text = self.text(_quoted(year), table.columns[year])
            stated = f"CASE WHEN {self.matches(text, '^[0-9]{4}$')} THEN CAST({text} AS INT) END"
            first = f"COALESCE({day}, {self.new_year(stated)})"
            last = f"COALESCE({day}, {self.new_year(f'{stated} + 1')} - 1)"
        return f"SELECT {person} AS person_id, {first} AS born_first, {last} AS born_last FROM {table.name}"

    def new_year(self, year: str) -> str:
        """The first day of a year, in days since 1970."""
        before = f"({year} - 1)"  # of the Gregorian calendar: every fourth year, but not every hundredth, but every four hundredth
        return f"(365 * ({year} - 1970) + {before} // 4 - {before} // 100 + {before} // 400 - 477)"

    def part(self, person: str, parts: int) -> str:
        """To which of so many parts a person belongs."""
        return f"CAST(HASH(CAST({person} AS VARCHAR)) % {parts} AS INT)"

    def text(self, expression: str, kind: Kind) -> str:
        """A column as text; of a number its shortest digits, without an idle fraction."""
        if kind == "text":
            return expression
        plain = f"CAST({expression} AS VARCHAR)"
        if kind == "double":
            return f"REGEXP_REPLACE({plain}, '[.]0$', '')"
        return plain

    def field(self, key: str, place: int, bits: int) -> str:
        """So many bits of a packed number (packing.py), from a place on."""
        return f"CAST(({key} >> {place}) & {2**bits - 1} AS BIGINT)"

    def about_how_many(self, expression: str) -> str:
        """How many different ones there are, more or less."""
        return f"APPROX_COUNT_DISTINCT({expression})"

    def matches(self, text: str, pattern: str) -> str:
        """True where the whole pattern is found; the pattern itself says where it begins and ends."""
        return f"REGEXP_MATCHES({text}, '{pattern}')"


class Embedded(Dialect):
    """DuckDB in this process."""

    numbers_rows = True
    at_once = 30_000_000  # what a part of them holds in memory is about 1.5 GB


class Spark(Dialect):
    """Spark SQL from 3.5 on, with the session's time zone set to UTC."""

    name: Name = "spark"
    wide = "DECIMAL(38, 0)"

    def _of_timestamp(self, expression: str) -> str:
        return f"UNIX_MILLIS(CAST({expression} AS TIMESTAMP))"

    def timestamp(self, millis: str) -> str:
        return f"TIMESTAMP_MILLIS({millis})"

    def field(self, key: str, place: int, bits: int) -> str:
        low = f"({key} % {2 ** (place + bits)})"  # the quotient is a BIGINT, which holds no more than 63 bits
        return f"CAST({low} DIV {2**place} AS BIGINT)" if place else f"CAST({low} AS BIGINT)"

    def matches(self, text: str, pattern: str) -> str:
        return f"({text} RLIKE '{pattern}')"

    def parsed(self, text: str) -> str:
        return f"TRY_CAST(NULLIF(REPLACE(REGEXP_EXTRACT({text}, '{_WHOLE}', 1), 'T', ' '), '') AS TIMESTAMP)"

    def part(self, person: str, parts: int) -> str:
        return f"PMOD(HASH(CAST({person} AS STRING)), {parts})"

    def iso(self, millis: str, with_time: bool) -> str:
        return f"DATE_FORMAT({self.timestamp(millis)}, 'yyyy-MM-dd{' HH:mm:ss' if with_time else ''}')"


class Postgres(Dialect):
    """PostgreSQL from 14 on."""

    name: Name = "postgres"
    wide = "DECIMAL(38, 0)"

    def _of_timestamp(self, expression: str) -> str:
        return f"CAST(FLOOR(EXTRACT(EPOCH FROM CAST({expression} AS TIMESTAMP)) * 1000) AS BIGINT)"

    def field(self, key: str, place: int, bits: int) -> str:
        return f"CAST(CAST({key} AS {self.wide}) // {2**place} % {2**bits} AS BIGINT)"

    def timestamp(self, millis: str) -> str:
        return f"(TIMESTAMP '1970-01-01' + ({millis}) * INTERVAL '1 millisecond')"

    def matches(self, text: str, pattern: str) -> str:
        return f"REGEXP_MATCHES({text}, '{pattern}')"

    def part(self, person: str, parts: int) -> str:
        return f"MOD(ABS(CAST(HASHTEXT(CAST({person} AS VARCHAR)) AS BIGINT)), {parts})"

    def about_how_many(self, expression: str) -> str:
        return f"COUNT(DISTINCT {expression})"

    def iso(self, millis: str, with_time: bool) -> str:
        return f"TO_CHAR({self.timestamp(millis)}, 'YYYY-MM-DD{' HH24:MI:SS' if with_time else ''}')"

    def parsed(self, text: str) -> str:
        begin = f"REGEXP_REPLACE(SUBSTRING({text}, 1, 23), '^({_ISO}).*', '\\1')"  # finer than a millisecond: it would be rounded
        readable = f"{self.matches(text, f'^{_CALENDAR}(?!{_NO_CLOCK})')} AND {self.matches(text, _WHOLE)}"
        return f"CASE WHEN {readable} THEN CAST(REPLACE({begin}, 'T', ' ') AS TIMESTAMP) END"


DIALECTS: dict[Name, Dialect] = {"duckdb": Dialect(), "spark": Spark(), "postgres": Postgres()}

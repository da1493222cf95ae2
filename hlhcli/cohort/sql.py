"""Small pieces of SQL text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

UNKNOWN = "CAST(NULL AS BOOLEAN)"


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """The name of a column, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def case(*pairs: tuple[str, str], otherwise: str | None = None) -> str:
    """CASE of conditions and results; without `otherwise` the rest is NULL."""
    body = " ".join(f"WHEN {condition} THEN {result}" for condition, result in pairs)
    return f"CASE {body}{f' ELSE {otherwise}' if otherwise is not None else ''} END"


def truth(met: str, not_met: str) -> str:
    """True where it is met, false where it is not, else NULL."""
    return case((met, "TRUE"), (not_met, "FALSE"))


def joined(parts: Iterable[str], word: str) -> str:
    """All parts with AND or OR between them."""
    found = list(parts)
    return found[0] if len(found) == 1 else "(" + f" {word} ".join(found) + ")"


def among(column: str, numbers: Sequence[int]) -> str:
    return f"{column} = {numbers[0]}" if len(numbers) == 1 else f"{column} IN ({', '.join(map(str, numbers))})"


def select(columns: Sequence[str], rest: str) -> str:
    """A SELECT with a column on each line."""
    return "SELECT\n" + ",\n".join(f"  {column}" for column in columns) + f"\n{rest}"


def indented(sql: str) -> str:
    return "\n".join(f"  {line}" for line in sql.splitlines())


def commented(text: str) -> str:
    return f"  /* {unmarked(text)} */"


def unmarked(text: str) -> str:
    """A text that neither ends the comment in which it stands nor begins another."""
    return text.replace("*/", "* /").replace("/*", "/ *")

"""What stands beside a value in a long table, as SQL: its comparator, the status of the result, and the specimen."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from hlhcli.cohort.dialects import Dialect
from hlhcli.cohort.expressions import listed, not_of_blood, of_blood
from hlhcli.cohort.source import LEFT, NOT_BLOOD, NOT_KNOWN, UNKNOWN_SPECIMEN
from hlhcli.cohort.sql import case, literal
from hlhcli.observations import PENDING, WORDS, missing
from hlhcli.quantity import COMPARATORS, fold
from hlhcli.readers.said import EQUAL, NO_COMPARATOR, SPOILED, STATUSES

_SAID = (SPOILED, PENDING)  # reasons for no value that a status says, and that are not as if nothing stood there
_SINGLE = "<>≤≥⩽⩾≦≧"  # signs of one character, some of which are folded into two
_BLANK = "(value IS NULL OR TRIM(value) = '')"


def of_results(text: str) -> str:
    """True for a status that a result can have."""
    return f"{_status(text)} IN ({listed(STATUSES)})"


def _with_comparator(dialect: Dialect) -> str:
    """The value with its comparator; not known where that says nothing known, or something else than the value itself."""
    said = "LOWER(TRIM(comparator))"
    signs = " ".join(f"WHEN {literal(word)} THEN '{sign}'" for word, sign in _signs().items())
    sign = f"CASE {said} {signs} END"
    own = "SUBSTRING(TRIM(value), 1, CASE WHEN SUBSTRING(TRIM(value), 2, 1) = '=' THEN 2 ELSE 1 END)"
    doubted = f"'{NOT_KNOWN}{NO_COMPARATOR}|' || value"
    return case(
        (f"{_BLANK} OR comparator IS NULL OR {said} IN ({listed(EQUAL)})", "value"),
        (f"{sign} IS NULL", doubted),
        *(
            (f"TRIM(value) LIKE '{each}%'", f"CASE WHEN {sign} = '{found}' THEN value ELSE {doubted} END")
            for each, found in _folded()
        ),
        (f"NOT {dialect.matches('TRIM(value)', '^[<>.0-9]')}", "value"),
        ("TRIM(value) LIKE '<%' OR TRIM(value) LIKE '>%'", case((f"{own} = {sign}", "value"), otherwise=doubted)),
        ("value LIKE '%-%'", doubted),
        otherwise=f"{sign} || TRIM(value)",
    )


def _with_status(_: Dialect) -> str:
    """The value, unless its status says that it is none."""
    stated = _status("status")
    dropped, awaited = (listed(word for word, state in STATUSES.items() if state == each) for each in ("dropped", "awaited"))
    return case(
        (f"{stated} IN ({dropped})", f"'{LEFT}status ' || {stated}"),
        (f"NOT {stated} IN ({listed(STATUSES)})", f"'{LEFT}status not known here'"),
        (f"{stated} IN ({awaited}) AND {_BLANK}", literal(PENDING)),
        otherwise="value",
    )


def _with_specimen(dialect: Dialect) -> str:
    """The value, marked where it is not one of blood: whether that matters depends on what was measured."""
    stated = _stated("specimen", WORDS)
    marked = [f"'{LEFT}{reason}|' || COALESCE(value, '')" for reason in (NOT_BLOOD, UNKNOWN_SPECIMEN)]
    return case(
        (f"{stated} IS NULL", "value"),
        (dialect.matches(stated, not_of_blood()), marked[0]),
        (dialect.matches(stated, of_blood()), "value"),
        otherwise=marked[1],
    )


STEPS = {"comparator": _with_comparator, "status": _with_status, "specimen": _with_specimen}


def _status(text: str) -> str:
    """The words of a status, in small letters; NULL where none is stated."""
    return _stated(f"REPLACE({text}, '_', ' ')", [word for word in WORDS if not _says(word)])


def _stated(text: str, words: Iterable[str]) -> str:
    """The text in small letters; NULL for a word by which nothing is stated."""
    plain = f"LOWER(TRIM({text}))"
    return f"CASE WHEN NOT {plain} IN ({listed(words)}) THEN {plain} END"


def _says(word: str) -> bool:
    reason = missing(word)
    return reason is not None and reason.text in _SAID


@cache
def _signs() -> dict[str, str]:
    """Every way in which a comparator is written."""
    return {**COMPARATORS, **{each: COMPARATORS[fold(each)] for each in _SINGLE}}


def _folded() -> list[tuple[str, str]]:
    """The signs of one character that are folded into two, which may stand before a value."""
    return [(each, found) for each in _SINGLE if (found := COMPARATORS[fold(each)]) != each]

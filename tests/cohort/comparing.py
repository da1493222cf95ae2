"""Holds the rows of an engine against those of the reference."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from reference_rows import millis

from hlhcli import observables
from hlhcli.observations import quantity
from hlhcli.quantity import BadQuantity

KEY = ("person_id", "anchor", "anchor_time", "criteria")
_SAME = Fraction(1, 10**6)  # an engine shows a score as a binary fraction, of values to six decimals


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its times in milliseconds."""
    times = {key: millis(value) for key, value in row.items() if isinstance(value, (date, Fraction)) and key.endswith("_time")}
    return dict(row) | times


def differences(expected: Iterable[Mapping[str, Any]], found: Iterable[Mapping[str, Any]]) -> list[str]:
    """Where two cohorts differ, row by row; a column that only one of them has counts as empty in the other."""
    here: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    there: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for rows, by_key in ((expected, here), (found, there)):
        for row in map(plain, rows):
            by_key.setdefault(tuple(row[key] for key in KEY), []).append(row)
    said = [f"{key}: {len(here.get(key, []))} rows expected, {len(there.get(key, []))} found" for key in here.keys() | there.keys()
            if len(here.get(key, [])) != len(there.get(key, []))]  # fmt: skip
    for key in here.keys() & there.keys():
        for one, other in zip(here[key], there[key], strict=False):
            for column in dict.fromkeys([*one, *other]):
                alike = column.endswith("_value") and _alike(one.get(column), other.get(column))
                if not alike and not _equal(one.get(column), other.get(column)):
                    said.append(f"{key} {column}: {one.get(column)!r} expected, {other.get(column)!r} found")
    return sorted(said)


def _equal(one: Any, other: Any) -> bool:
    if None in (one, other) or isinstance(one, (str, bool)) or isinstance(other, (str, bool)):
        return one is other or (type(one) is type(other) and one == other)
    return abs(Fraction(one) - Fraction(other)) <= _SAME * max(1, abs(Fraction(one)))


def _alike(one: Any, other: Any) -> bool:
    """True for two texts of the same values: of values equal in every way and of one moment, either may be shown.

    Beyond six decimals an engine shows none.
    """
    if one is None or other is None:
        return one is other
    here, there = str(one).split("; "), str(other).split("; ")
    return len(here) == len(there) and all(a == b or _same_value(a, b) for a, b in zip(here, there, strict=True))


_CUT = re.compile(r"([.][0-9]{6})[0-9]*…?( |$)")


def _same_value(one: str, other: str) -> bool:
    name = next((each for each in map(_name, observables.names()) if one.startswith(each) and other.startswith(each)), "")
    one, other = (_CUT.sub(r"\1\2", text.removeprefix(name)) for text in (one, other))
    if one == other:
        return True
    for observable in map(observables.get, observables.names()):
        if observable.family is not None:
            try:
                a, b = (quantity(observable, text) for text in (one, other))
            except BadQuantity:
                continue
            if a.unit.convertible(b.unit) and b.unit.convert(b.interval, a.unit) == a.interval:
                return True
    return False


def _name(observable: str) -> str:
    return f"{observable.replace('_', ' ')} "

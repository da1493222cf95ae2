"""What the name of a column (or of a test) says by its text alone: the observable, and the unit where one stands beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from hlhcli import observables
from hlhcli.observables import Family
from hlhcli.quantity import fold
from hlhcli.readers import codes

MAX_NAME = 200  # characters; a longer text names nothing


class Heading(NamedTuple):
    """The observable that a name means, the unit beside it, and the kind of unit that its LOINC code states; each may be empty."""

    observable: str = ""
    unit: str = ""
    kind: str = ""


_LOINC = re.compile(r"(?:loinc[ :_-]*)?(\d{1,5}-\d)", re.IGNORECASE)
_BRACKETED = re.compile(r"([^(\[{]+?)[ ,_]*[(\[{](.+)[)\]}]")
_SEPARATOR = re.compile(r"[ ,_.:;/|-]+")
_BLOOD = frozenset({"blood", "serum", "plasma", "whole"})  # words that change nothing of what is read: quantities of blood


@lru_cache(4096)
def heading(text: str) -> Heading:
    """The meaning of `Ferritin (ng/mL)`, `ferritin_ng_ml`, `PLT x10^9/L`, `hb`, `2276-4`; empty where the text is not certain."""
    if len(text) > MAX_NAME:
        return Heading()
    folded = fold(text)
    if code := _LOINC.fullmatch(folded):
        name, kind = codes.loinc(code[1]) or ("", "")
        return Heading(name, "", kind)
    if name := named(folded):
        return Heading(name)
    parts = ((named(left) or _shorts().get(key(left), ""), right) for left, right in _parts(folded))
    found = {Heading(name, unit) for name, right in parts if name and (unit := unit_of(name, right))}
    return found.pop() if len(found) == 1 else Heading()


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """The ways to part a name and a unit."""
    if bracketed := _BRACKETED.fullmatch(text):
        yield bracketed[1], bracketed[2]
    else:
        for gap in _SEPARATOR.finditer(text):
            yield text[: gap.start()], text[gap.end() :]


def key(text: str) -> str:
    """The form in which names are compared: capitals, spaces, points and dashes do not matter."""
    return re.sub(r"[\s._-]+", "_", fold(text).casefold()).strip("_")


@cache
def _names() -> dict[str, str]:
    titles = {key(observables.get(name).title): name for name in observables.names()}
    return titles | {key(alias): name for alias, name in observables.aliases().items()}


@cache
def _shorts() -> dict[str, str]:
    """The short titles, which are names only with a unit beside them (`T (°C)`)."""
    return {key(observables.get(name).short): name for name in observables.names()}


def named(text: str) -> str:
    """The observable that a name, alias or title means, with or without `serum`, `plasma`, `blood`; empty if none."""
    found = _names().get(key(text))
    if found is None:
        words = _SEPARATOR.split(fold(text).replace("(", " ").replace(")", " ").strip().casefold())
        if not _BLOOD.isdisjoint(words):
            found = _names().get("_".join(word for word in words if word and word not in _BLOOD))
    return found or ""


def unit_of(observable: str, text: str) -> str:
    """The unit of the observable that `text` spells (`ng/mL`, `ng_ml`, `K per uL`); empty if none, or if it may be several."""
    family = observables.get(observable).family
    return "" if family is None else spelled(family, text)


def spelled(family: Family, text: str) -> str:
    """The unit of a family that `text` spells, where underscores and points may stand for a slash."""
    text = text.strip()
    if not re.search(r"[^\W\d]|%", text) or len(text) > MAX_NAME:
        return ""
    parts = [part for part in re.split(r"[ _./]+", text) if part and part.casefold() != "per"]
    ways = {text, "".join(parts), "/".join(parts)}
    ways |= {"".join(parts[:cut]) + "/" + "".join(parts[cut:]) for cut in range(1, min(len(parts), 8))}
    units = {unit.name: unit for way in ways if (unit := family.find(way))}
    if exact := family.find(text):
        return exact.name
    return next(iter(units)) if len(units) == 1 else ""

"""One entry of a patient file from one fact: the shortest that says what the fact says, with where it came from."""

from __future__ import annotations

import re
from typing import Any

from pydantic_core import ValidationError

from hlhcli import criteria, observables
from hlhcli.entries import read_reported
from hlhcli.errors import UnknownName, printable
from hlhcli.fields import Context
from hlhcli.observations import BARE, read_entry
from hlhcli.quantity import MAX_TEXT, BadQuantity
from hlhcli.readers.chart import Fact, Place, Stated
from hlhcli.readers.commented import Commented
from hlhcli.readers.jsontext import plain
from hlhcli.reported import misfit

MAX_NOTE = 300  # characters of one note
_UNIT = re.compile(r"\S{1,24}( \S{1,8})?")  # what can be shown of a unit: more words can be anything
_CLEAR = re.compile(r"[<>]?=?\d+(?:\.\d+)?", re.ASCII)  # a number to which no digit of a unit can be taken


def can_be_reported(each: Stated) -> bool:
    """True for what a set that ships has, in words that the patient file has."""
    try:
        if misfit(criteria.load(each.criteria), each.key):
            return False
        read_reported({each.key: each.value}, Context())
    except (UnknownName, ValidationError):
        return False
    return True


def entry(fact: Fact, note: str) -> Any:
    """The shortest entry that says what the fact says. Raises BadQuantity."""
    family = observables.get(fact.observable).family
    unit = fact.unit
    if family is not None and unit and (known := family.find(unit)) is not None:
        unit = "" if known.name == BARE else known.name
    whole = {"value": plain(fact.value)}
    if family is not None:
        whole |= {"unit": plain(unit), "reference": plain(fact.reference), "assay": plain(fact.assay)}
    whole |= {"note": shortened(note)}
    whole = {key: text for key, text in whole.items() if text}
    if not 0 < len(whole.get("value", "")) <= MAX_TEXT:
        raise BadQuantity("no value" if "value" not in whole else "too long for a value")
    try:
        read, _ = read_entry(fact.observable, whole)
    except BadQuantity:
        if "reference" not in whole:
            raise
        del whole["reference"]  # the value counts, also where the limits beside it cannot be read
        read, _ = read_entry(fact.observable, whole)
        whole["note"] = shortened("; ".join(filter(None, (note, "the laboratory's limits cannot be read"))))
    short = " ".join(filter(None, (whole["value"], whole.get("unit", ""))))
    if not whole.keys() - {"value", "unit"}:
        if _CLEAR.fullmatch(whole["value"]) and not whole.get("unit", "")[:3].isdigit():
            return short
        try:
            if read_entry(fact.observable, short)[0] == read:
                return short
        except BadQuantity:  # a unit that can only be written apart
            pass
    return mapping(fact.place, whole)


def why(fact: Fact) -> tuple[str, str]:
    """The reason why a value cannot be read, and of which kind it is."""
    family = observables.get(fact.observable).family
    if family is None:
        return "word not known here", fact.observable
    if not fact.unit and any(character.isdigit() for character in fact.value) and not any(c.isalpha() for c in fact.value):
        return "no unit", fact.observable
    if fact.unit and family.find(fact.unit) is None:
        shown = fact.unit if _UNIT.fullmatch(fact.unit) else f"a unit of {len(fact.unit)} characters"
        return "unit not known here", f"{fact.observable} in {shown}"
    return "value that cannot be read", fact.observable


def mapping(place: Place, texts: dict[str, str]) -> Commented:
    tree = Commented(place)
    for key, text in texts.items():
        if text:
            tree.put(key, text, place)
    return tree


def shortened(text: str) -> str:
    return printable(plain(" ".join(text.split())), MAX_NOTE)


def comment(fact: Fact) -> str:
    """Where a value came from, and its time of day."""
    where = fact.place.label or f"line {fact.place.line}"
    return ", ".join(filter(None, (where, fact.time if len(fact.time) > len("2016-05-02") else "")))

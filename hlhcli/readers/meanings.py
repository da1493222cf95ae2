"""From the text of a cell to what it says, given what its column (or test) means: values, words, reasons for unknown."""

from __future__ import annotations

import re
from collections.abc import Mapping as Keyed
from types import MappingProxyType
from typing import NamedTuple

from hlhcli import observables
from hlhcli.errors import printable
from hlhcli.observations import NOT_STATED, Finding, Missing, missing, read
from hlhcli.quantity import COMPARATORS, BadQuantity, Decimal, fold, readings
from hlhcli.readers import cells, codes
from hlhcli.readers.headings import heading, key
from hlhcli.readers.mapping import Column
from hlhcli.readers.said import DOUBTS, EQUAL, SPOILED, unbracketed
from hlhcli.yamltree import JsonNumber

UNKNOWN = "unknown"
_MARKS: tuple[Decimal, Decimal] = ("point", "comma")
_NONE: Keyed[str, str] = MappingProxyType({})
SHOWN = 60  # characters of a text that is not understood


class Meaning(NamedTuple):
    """What a column or a test means. Without an observable and a drug it is not known here."""

    observable: str = ""
    unit: str = ""
    kind: str = ""  # of unit, as its LOINC code states it
    reference: str = ""
    assay: str = ""
    drug: str = ""
    choices: Keyed[str, str] = _NONE
    coded: bool = False  # cells hold codes: what `choices` does not list has no meaning
    timepoint: str = ""
    day: str = ""
    disputed: bool = False  # two different units are stated

    @property
    def known(self) -> bool:
        return bool(self.observable or self.drug)


class Said(NamedTuple):
    """One value of a cell; `doubt` is what is worth a remark, `moment` the day or date that stands beside the value."""

    value: str
    unit: str = ""
    reference: str = ""
    note: str = ""
    doubt: str = ""
    moment: str = ""


def meaning(name: str, column: Column | None) -> Meaning:
    """What a header or the name of a test means: as the mapping says, and where it says nothing, as its text does."""
    said = heading(name)
    if column is None:
        drug = codes.drug(name) or ""
        return Meaning(said.observable, said.unit, said.kind, drug=drug if key(drug) == key(name) else "")
    same = said.observable == column.observable
    return Meaning(
        column.observable,
        column.unit or (said.unit if same else ""),
        said.kind if same else "",
        column.reference,
        column.assay,
        column.drug,
        {code.strip().casefold(): word for code, word in column.choices.items()},
        False,
        column.timepoint,
        column.day,
    )


def values(text: str, of: Meaning, decimal: Decimal | None) -> list[Said]:
    """What a cell that is not blank says, at least one value. What is not understood is shown in its note."""
    word = of.choices.get(text.casefold())
    written, decimal = str(text), exact(text, decimal) if word is None else decimal
    if of.coded and word is None and not any(text.casefold() == label.casefold() for label in of.choices.values()):
        return [_not_understood(written, *_CODE)]
    text = written if word is None else word
    if reason := missing(text):
        return [Said(UNKNOWN if reason == NOT_STATED else reason.text)]
    if observables.get(of.observable).family is None:
        return [_finding(text, of)]
    try:
        return [_quantity(piece, of) for piece in _pieces(text, decimal)] or [Said(UNKNOWN)]
    except cells.Unclear as error:
        return [_not_understood(text, str(error), "value that cannot be read")]


_CODE = "a code whose meaning is not stated", "code without a meaning"


def _not_understood(text: str, why: str, doubt: str) -> Said:
    return Said(UNKNOWN, note=f"'{printable(text, SHOWN)}': {why}", doubt=doubt)


def exact(text: str, decimal: Decimal | None) -> Decimal | None:
    """The decimal mark of a cell: that of the texts, but what a sheet holds as a number always has a point."""
    return "point" if isinstance(text, JsonNumber) else decimal


def _pieces(text: str, decimal: Decimal | None) -> list[cells.Piece]:
    """The values of a cell. Where the decimal mark is not known, only what is the same with either."""
    if decimal is not None:
        return cells.pieces(text, decimal)
    found: list[list[cells.Piece]] = []
    problem = cells.Unclear("no value")
    for mark in _MARKS:
        try:
            found.append(cells.pieces(text, mark))
        except cells.Unclear as error:
            problem = error
    if not found:
        raise problem
    if found[0] != found[-1]:
        raise cells.Unclear("a number that can be read in two ways; write `decimal: point` or `decimal: comma` in a mapping")
    return found[0]


def _finding(text: str, of: Meaning) -> Said:
    try:
        found = read(of.observable, text)
    except BadQuantity:
        if text.isdigit():
            return _not_understood(text, *_CODE)
        return _not_understood(text, "an answer that is not understood", "answer that is not understood")
    return Said(found.text if isinstance(found, (Finding, Missing)) else UNKNOWN)


def _quantity(piece: cells.Piece, of: Meaning) -> Said:
    if piece.value[:1] not in "<>.0123456789":
        return Said(piece.value, note=piece.note, moment=piece.moment)  # a word
    unit = united(of, piece.unit)
    if unit is None or of.disputed:
        written = f"'{printable(f'{piece.value} {piece.unit}'.strip(), SHOWN)}'"
        note = _joined(piece.note, f"{written}: two different units are stated")
        return Said(UNKNOWN, note=note, doubt="two different units", moment=piece.moment)
    note = doubt = ""
    unit = codes.qualified(of.kind, of.observable, unit)
    contradiction = codes.contradicts(of.kind, of.observable, unit)
    if contradiction:
        note, doubt = contradiction, "unit that its code contradicts"
    return Said(piece.value, unit, piece.reference or of.reference, _joined(piece.note, note), doubt, piece.moment)


def in_doubt(comment: str, of: Meaning) -> bool:
    """True for a comment that says that a value is of another person, of another specimen than blood, or spoiled."""
    if not comment or of.observable == "family_history":
        return False
    measured = bool(of.observable) and observables.get(of.observable).family is not None
    is_of_blood = measured and codes.specimen(of.observable) is not False
    reason = missing(comment)
    spoiled = re.search(DOUBTS, comment, re.IGNORECASE) is not None or (reason is not None and reason.text == SPOILED)
    return spoiled or (is_of_blood and codes.specimen(comment) is False)


def united(of: Meaning, stated: str) -> str | None:
    """The unit of a value whose cell states one, and its column perhaps too; None where they are different ones."""
    if not stated or not of.unit or stated == of.unit:
        return stated or of.unit
    family = observables.get(of.observable).units
    one, other = family.find(stated), family.find(of.unit)
    if one is None or other is None:
        return None
    return of.unit if one.same(other) else None


def bounds(low: str, high: str, decimal: Decimal | None) -> str:
    """A reference range from its two ends; empty where it cannot be read."""
    ends = [measured(text, exact(text, decimal)) for text in (low, high)]
    if all(ends):
        return measured(f"{ends[0]}-{ends[1]}", "point")
    return f">={ends[0]}" if ends[0] and not high.strip() else f"<={ends[1]}" if ends[1] and not low.strip() else ""


def measured(text: str, decimal: Decimal | None) -> str:
    """A number, comparator or range (and its unit) as the patient file writes it; empty where it cannot be read."""
    try:
        found = readings(unbracketed(text), exact(text, decimal) or "point")
    except BadQuantity:
        return ""
    return f"{found[0].text} {found[0].unit}".strip() if len(found) == 1 else ""


def compared(comparator: str, value: str) -> str:
    """The value with its comparator; empty where both say different things, or the comparator says nothing known."""
    sign = fold(comparator).casefold()
    if sign in EQUAL:
        return value
    known = COMPARATORS.get(sign)
    if known is None:
        return ""
    plain = fold(value)
    if not plain[:1].isdigit() and plain[:1] not in "<>.":
        return value
    if plain[:1] in ("<", ">"):
        return value if plain.startswith(known) and (len(known) == 2) == (plain[1:2] == "=") else ""
    return "" if "-" in value else type(value)(f"{known}{value}")  # a number stays an exact one


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)

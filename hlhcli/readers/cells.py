"""What one cell of a table says of a quantity: its values, each with what is written beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from hlhcli import observations
from hlhcli.observables import Family, family, get, names
from hlhcli.quantity import MAX_TEXT, BadQuantity, Decimal, Measure, NoNumber, fold, readings
from hlhcli.readers import dates


class Piece(NamedTuple):
    """One value as the patient file holds it, its unit if the cell states one, the reference range, and a note of the rest.

    `moment` is when it was measured, if the cell says so: a date, a day of the course, or another time as it is written.
    """

    value: str
    unit: str = ""
    reference: str = ""
    note: str = ""
    moment: str = ""


class Unclear(ValueError):
    """A cell that cannot be read for certain; the message says why and repeats no words of it."""


_BARE = re.compile(r"\d{1,12}(?:\.\d{1,12})?", re.ASCII)
_ERROR = re.compile(r"#(?:N/A|NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|SPILL!|CALC!|GETTING_DATA|ERROR!)", re.IGNORECASE)
_REDACTED = re.compile(r"_{2,}")
_HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202c\u2060\u2066-\u2069\ufeff]")  # show nothing, and change nothing that is shown
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉"

_TIMING = r"(?:(?:on|at)\s+)?(?:d|day|wk|week|h|hour|month)\.?\s?(?:[+-]\s?)?\d{1,4}(?:\.\d{1,3})?"
_LABEL = r"(?:nadir|peak|max(?:imum)?|min(?:imum)?|highest|lowest|initial(?:ly)?|first|last|baseline|then|later)"
_FLAG = r"(?:HH|LL|[HLAC*↑↓]|(?i:high|low|abnormal|critical))"
_ONE_NOTE = rf"(?:{_LABEL}|{_TIMING})"
_NOTE = re.compile(rf"{_ONE_NOTE}(?:[\s,;]+{_ONE_NOTE})*", re.IGNORECASE)
_OF_TIME = re.compile(rf"\b{_TIMING}", re.IGNORECASE)
_IN_FRONT = [
    (re.compile(rf"({_LABEL})\b\.?(?:\s?[:=]|\s+(?:of|was|is))?\s*(?=[\d.<>]|over|above|below|under)", re.IGNORECASE), ""),
    (re.compile(rf"({_TIMING})\s?[:=]\s*", re.IGNORECASE), ""),
    (re.compile(rf"({_FLAG})\s+(?=[\d.<>])"), "flag "),
]
_BEHIND = [
    (re.compile(rf"(?:\s+|(?<=[\d)%]))({_FLAG})$"), "flag "),
    (re.compile(r"(?<=\w)([*↑↓])$"), "flag "),
    (re.compile(rf"\s({_TIMING})$", re.IGNORECASE), ""),
    (re.compile(rf"\s({_LABEL})$", re.IGNORECASE), ""),
]
_BESIDE = re.compile(r"(?:\s*\(([^()]*)\)|(?<=[\s\d])\[([^\[\]]*)\])$")
_NAMED = re.compile(r"(?:ref(?:erence)?|normal|nl|n|rr)\.?(?:\s+(?:range|interval|values?))?\s?[:=]?\s*(?=[\d.<>])", re.IGNORECASE)
_POWER = r"(?:x?\s?10(?:\*\*|[*^x(e])*\d{1,2}\)?\s?)?"
_PER = r"(?:100\s?)?(?:[dcmMμunpf]?[lLgG]|mm\^?[23]|h|hr|min|s|kg|d|24\s?h)"
_SHAPE = re.compile(rf"{_POWER}[a-zA-Zμ]{{0,9}}\s?/\s?{_PER}|%|[munpfμ]?(?:g|mol|U|IU)|mEq", re.ASCII)
_ONE_OR_TWO = re.compile(r"(?<![\d.,] )(?<![\d.,])\d+, \d{1,2}(?![\d.]|, ?\d)")
_SLASHED = re.compile(r"[<>]?\s?[\d.,]+\s*/\s*[<>]?\s?\d")
_APPROXIMATE = re.compile(r"(?:~|≈|(?:ca|approx|approximately|about|around|circa)\b)", re.IGNORECASE)
_MOST_BESIDE = 4  # things written in front of one number, or behind it
_ROUNDING = Fraction(1, 10)  # °C by which a temperature and its conversion differ when both were rounded to one decimal


def pieces(text: str, decimal: Decimal = "point") -> list[Piece]:
    """What `text` says of one quantity; several values are several pieces, a blank cell is none. Raises Unclear."""
    if decimal == "point" and _BARE.fullmatch(text):  # most cells, and the quickest
        return [Piece(text)]
    if len(text) > MAX_TEXT:
        raise Unclear(f"a text of {len(text)} characters")
    shown = _HIDDEN.sub("", text)
    if any(c.isnumeric() and not c.isdecimal() and c not in _RAISED for c in shown):
        raise Unclear("a sign that is no digit stands for a number, such as ½ or ①")
    folded = fold(shown)
    if observations.missing(folded) == observations.NOT_STATED:
        return []
    if word := _word(folded):
        return [Piece(word)]
    if _ERROR.fullmatch(folded):
        return [Piece("unknown", note=folded)]
    if _REDACTED.fullmatch(folded):
        return [Piece("unknown", note="redacted")]
    if not folded.isdecimal() and _is_date(folded):
        raise Unclear("a date where a value is expected; a spreadsheet may have made it of a range")
    parts = [part for line in shown.splitlines() for part in _apart(fold(line))]
    found = [_piece(part, decimal) for part in parts]
    if len({bool(piece.unit) for piece in found if piece.value[:1] in "<>.0123456789"}) > 1:
        raise Unclear("several values, and a unit with only some of them")
    return found


def _word(text: str) -> str:
    """The word that stands for a value (`normal`, `elevated, rising`) or for its absence (`pending`), or nothing."""
    reason = observations.missing(text)
    if reason and reason != observations.NOT_STATED:
        return reason.text
    found = observations.qualitative(text)
    return found.text if found else ""


def _apart(text: str) -> list[str]:
    """The values of a list: with `;` between them, or with commas that no number can hold. What is in brackets stays together."""
    values = [value for part in _split(text, ";") for value in _split(part, r",\s")]
    if len(values) > 1 and _ONE_OR_TWO.search(text):
        raise Unclear("a comma and a space between digits; these may be two values, or one with a decimal comma")
    return values


def _split(text: str, mark: str) -> list[str]:
    outside = re.compile(rf"({mark})|[(\[][^()\[\]]*[)\]]")
    cuts = [match.span() for match in outside.finditer(text) if match[1]]
    starts, ends = [0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(text)]
    return [part for start, end in zip(starts, ends, strict=True) if (part := text[start:end].strip())]


def _piece(text: str, decimal: Decimal) -> Piece:
    body, notes = text, []
    for _ in range(_MOST_BESIDE):
        front = next(((match, kind) for pattern, kind in _IN_FRONT if (match := pattern.match(body))), None)
        if front is None:
            break
        notes.append(front[1] + (front[0][1] if front[1] else front[0][1].lower()))
        body = body[front[0].end() :]
    value, unit, reference, after = _value(body, decimal)
    notes += after
    return Piece(value, unit, reference, ", ".join(notes), next(filter(None, map(_moment, notes)), ""))


def _moment(note: str) -> str:
    """The date, or the day of the course, that a note states; a time of another kind as it is written."""
    try:
        found = dates.read(note, "day-first")
        return found.date or found.day
    except dates.BadDate:
        timing = _OF_TIME.search(note)
    if timing is None:
        return ""
    try:
        return dates.read(re.sub(r"^(?:on|at)\s+", "", timing[0], flags=re.IGNORECASE)).day
    except dates.BadDate:
        return timing[0]


def _value(body: str, decimal: Decimal) -> tuple[str, str, str, list[str]]:
    """The value that `body` begins with, its unit, the reference range, and notes: what stands behind is taken off one by one."""
    notes: list[str] = []
    beside: list[str] = []
    for _ in range(_MOST_BESIDE + 1):
        if word := _word(body):
            return word, *_told_apart(None, beside, notes, decimal)
        if measure := _measure(body, decimal):
            return measure.text, *_told_apart(measure, beside, notes, decimal)
        if match := _BESIDE.search(body):
            beside.insert(0, (match[1] if match[1] is not None else match[2]).strip())
        elif behind := next(((found, kind) for pattern, kind in _BEHIND if (found := pattern.search(body))), None):
            match = behind[0]
            notes.insert(0, behind[1] + match[1])
        else:
            break
        body = body[: match.start()].strip()
    raise Unclear(_why(body, beside))


def _why(body: str, beside: list[str]) -> str:
    if not body:
        return "a time, a mark or brackets without a value"
    if _SLASHED.match(body):
        several = any("/" in text for text in beside)
        return "several analytes in one cell" if several else "several numbers in one cell, and what each of them is is not said"
    if _APPROXIMATE.match(body):
        return "an approximate value; write a range"
    if re.match(r"(?:[<>]=?\s*)?[.,]?\d", body):
        return "a number with words or signs beside it that are not understood"
    if any(map(str.isdigit, body)):
        return "words before the number"
    return f"a text of {len(body)} characters, not a value"


def _measure(body: str, decimal: Decimal) -> Measure | None:
    """The number and unit that are all of `body`; None if something else is there. Raises Unclear."""
    try:
        found = readings(body, decimal)
    except NoNumber:
        return None
    except BadQuantity as error:
        raise Unclear(str(error)) from None
    likely = [measure for measure in found if not measure.unit or is_unit(measure.unit)]
    if len(likely) > 1:
        raise Unclear("a space that may group digits, or part the number from its unit")
    return likely[0] if likely else None


@lru_cache(4096)
def is_unit(text: str) -> bool:
    """True if `text` spells a unit of some observable, or has the shape of one: what else stands behind a number is no unit."""
    if not any(c.isalpha() or c == "%" for c in text):
        return False
    return _SHAPE.fullmatch(text) is not None or any(known.find(text) for known in _families())


@cache
def _families() -> list[Family]:
    observables = map(get, names())
    return list({observable.family.name: observable.family for observable in observables if observable.family}.values())


def _told_apart(measure: Measure | None, beside: list[str], notes: list[str], decimal: Decimal) -> tuple[str, str, list[str]]:
    """What stands in brackets behind a value: the unit, the reference range, and notes. `measure` is None behind a word."""
    unit, reference, said = measure.unit if measure else "", "", []
    for text in beside:
        if _NOTE.fullmatch(text) or _is_date(text):
            said.append(text)
        elif measure and is_unit(f"{unit} {text}".strip()):
            unit = f"{unit} {text}".strip()
        elif re.fullmatch(_FLAG, text):
            said.append(f"flag {text}")
        elif found := _reference(text, decimal):
            if reference:
                raise Unclear("two reference ranges")
            reference = found
        elif measure:
            said.append(_again(measure, text, decimal))
        else:
            raise Unclear("a word for a value, with something beside it that is not understood")
    return unit, reference, [*said, *notes]


def _is_date(text: str) -> bool:
    try:
        return bool(dates.read(text, "day-first").date)
    except dates.BadDate:
        return False


def _reference(text: str, decimal: Decimal) -> str:
    """The range or limit that `text` is, with a decimal point and without grouping; empty if it is none."""
    named = _NAMED.match(text)
    try:
        measure = _measure(text[named.end() :] if named else text, decimal)
    except Unclear:
        return ""
    if measure is None or (measure.interval.is_point and not named):
        return ""
    return f"{measure.text} {measure.unit}".strip()


def _again(measure: Measure, text: str, decimal: Decimal) -> str:
    """A note of the same temperature in the other unit. Raises Unclear if it is another, or no temperature."""
    other = _measure(text, decimal)
    if other is None:
        raise Unclear("words in brackets that are not understood")
    temperature = family("temperature")
    one, two = temperature.find(measure.unit), temperature.find(other.unit)
    if not (one and two and measure.interval.is_point and other.interval.is_point):
        raise Unclear("a second number in brackets, and what it is is not said")
    celsius = temperature.first
    first, second = one.convert(measure.interval, celsius).lo, two.convert(other.interval, celsius).lo
    if first is None or second is None or abs(first - second) > _ROUNDING:
        raise Unclear("two temperatures that do not agree")
    return f"also written as {other.text} {other.unit}"


_MARKED = re.compile(r"(?<![\w.,:/])(?:\d+(?:[.,]\d+)+|[.,]\d+)(?![.,]?\d|:|/\d)")
_GROUPS = re.compile(r"[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})*")


def decimal_mark(samples: Iterable[str], delimiter: str) -> tuple[Literal["point", "comma"] | None, int]:
    """The decimal mark that the numbers show, and how many cells can be read with either (`1,200`, `9.000`).

    None where some show a point and some a comma, and where a file with `;` between its cells (a habit of places that write
    commas) holds ambiguous ones only.
    """
    shown: set[Literal["point", "comma"]] = set()
    ambiguous = 0
    for sample in samples:
        marks = [_mark(number) for number in _MARKED.findall(fold(sample[:MAX_TEXT]))]
        shown.update(mark for mark in marks if mark in ("point", "comma"))
        ambiguous += "either" in marks
    if len(shown) == 1:
        return shown.pop(), ambiguous
    if shown or (ambiguous and delimiter == ";"):
        return None, ambiguous
    return "point", ambiguous


def _mark(number: str) -> Literal["point", "comma", "either"] | None:
    """The decimal mark that this number can only have."""
    points, commas = number.count("."), number.count(",")
    if points and commas:
        last = "." if number.rindex(".") > number.rindex(",") else ","
        whole = number[: number.rindex(last)]
        if not _GROUPS.fullmatch(whole):
            return None
        return "point" if last == "." else "comma"
    grouped = _GROUPS.fullmatch(number)
    if points + commas > 1:
        return None if not grouped else "comma" if points else "point"
    if grouped:
        return "either"
    return "point" if points else "comma"

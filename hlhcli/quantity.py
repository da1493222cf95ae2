"""Exact quantities: every observation is an interval of rational numbers, read from text without a float in the way."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from typing import Literal, NamedTuple

from hlhcli.errors import printable
from hlhcli.status import Status

Decimal = Literal["point", "comma"]
Operator = Literal["<", "<=", ">", ">="]

MAX_TEXT = 200  # characters of one value; longer text belongs into a note
MAX_DIGITS = 30  # more is no measurement, and bounds the arithmetic
MAX_EXPONENT = 15
_LONGEST = 600  # characters of a message


class BadQuantity(ValueError):
    """Text that is no quantity; the message, one printable line, says what to write instead."""

    def __init__(self, message: str = "") -> None:
        super().__init__(printable(message, _LONGEST))  # it repeats what was written


class NoNumber(BadQuantity):
    """Text in which no number was found."""


class Interval(NamedTuple):
    """All that is known of a number: it lies between `lo` and `hi` (None: unbounded), ends open or closed.

    `20.1` is the point [20.1, 20.1], `>20000` is (20000, ∞), `<5` is [0, 5), `13-21` is [13, 21].
    """

    lo: Fraction | None
    hi: Fraction | None
    lo_open: bool = False
    hi_open: bool = False

    @property
    def is_point(self) -> bool:
        return self.lo is not None and (self.lo is self.hi or self.lo == self.hi)

    def compare(self, operator: Operator, edge: Fraction) -> Status:
        """Met if every number of the interval satisfies `operator edge`, not met if none does, else unknown."""
        low = None if self.lo is None else _side(self.lo, edge)  # where the lower end lies: -1 below, 0 on, 1 above the edge
        high = low if self.hi is self.lo else None if self.hi is None else _side(self.hi, edge)
        if operator == ">=":
            every = low is not None and low >= 0
            none = high is not None and (high < 0 or (high == 0 and self.hi_open))
        elif operator == ">":
            every = low is not None and (low > 0 or (low == 0 and self.lo_open))
            none = high is not None and high <= 0
        elif operator == "<=":
            every = high is not None and high <= 0
            none = low is not None and (low > 0 or (low == 0 and self.lo_open))
        else:
            every = high is not None and (high < 0 or (high == 0 and self.hi_open))
            none = low is not None and low >= 0
        return Status.MET if every else Status.NOT_MET if none else Status.UNKNOWN

    def scaled(self, factor: Fraction, offset: Fraction | None = None) -> Interval:
        """The same interval in another unit: x → x · factor + offset, with factor > 0."""

        def there(end: Fraction) -> Fraction:
            return end * factor if offset is None else end * factor + offset

        lo = None if self.lo is None else there(self.lo)
        hi = lo if self.hi is self.lo else None if self.hi is None else there(self.hi)
        return Interval(lo, hi, self.lo_open, self.hi_open)


def _side(number: Fraction, edge: Fraction) -> int:
    """-1, 0 or 1 as `number` lies below, on or above `edge`, in whole numbers alone."""
    left, right = number.numerator * edge.denominator, edge.numerator * number.denominator
    return (left > right) - (left < right)


def point(number: Fraction | int) -> Interval:
    """The interval that holds one number."""
    exact = Fraction(number)
    return Interval(exact, exact)


class Measure(NamedTuple):
    """One way to read a text: an interval, the text of its unit (may be empty), and the number as it is shown."""

    interval: Interval
    unit: str
    text: str


def fold(text: str) -> str:
    """One spelling for the many of real charts: compatibility forms, micro signs, dashes, spaces, any script's digits."""
    if not text.isascii():
        text = _RAISED.sub(lambda run: ("^" if run[0][0] in _SUPERSCRIPT else "_") + run[0], text)  # 10⁹ is not 109
        text = unicodedata.normalize("NFKC", text)
        text = "".join(_FOLDED.get(c) or (str(unicodedata.decimal(c)) if c.isdecimal() else c) for c in text)
    return " ".join(text.split())


_FOLDED = dict.fromkeys("‐‑‒–—−﹣", "-") | dict.fromkeys("≥⩾≧", ">=") | dict.fromkeys("≤⩽≦", "<=")
_FOLDED |= {"×": "x", "✕": "x", "·": "*", "’": "'"}
_SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+|[₀₁₂₃₄₅₆₇₈₉]+")

COMPARATORS: dict[str, Operator] = {
    ">": ">", "<": "<", ">=": ">=", "=>": ">=", "<=": "<=", "=<": "<=",
    "over": ">", "above": ">", "exceeded": ">", "exceeds": ">", "more than": ">", "greater than": ">",
    "under": "<", "below": "<", "less than": "<", "at least": ">=", "at most": "<=", "up to": "<=",
}  # fmt: skip
_COMPARATOR = re.compile("(" + "|".join(sorted(map(re.escape, COMPARATORS), key=len, reverse=True)) + r")(?=[\s\d.,])\s*")
_GROUPED = r"\d{1,3}(?: \d{3})+(?:[.,]\d+)?(?![\d.,'])"
_PLAIN = r"(?:\d+(?:[.,']\d+)*|[.,]\d+)(?:[eE][+-]?\d+(?![\d/]))?"
_NUMBERS = [re.compile(_GROUPED), re.compile(_PLAIN)]
_RANGE = re.compile(r"\s*(?:-|to(?=\s))\s*(?=[.,]?\d)")
_NEGATIVE = re.compile(r"(?:[<>]=?\s*)?-\s*\d")


def readings(text: str, decimal: Decimal = "point") -> list[Measure]:
    """Every way in which `text` can be read as a number and a unit, the likelier first.

    Two readings arise only where a space may group digits or part number and unit (`90 103/uL`).
    Raises BadQuantity where there is none.
    """
    if len(text) > MAX_TEXT:
        raise BadQuantity(f"a value of {len(text)} characters is too long (limit {MAX_TEXT}); put text into a note")
    folded = fold(text)
    if _NEGATIVE.match(folded):
        raise BadQuantity("a negative value is not possible here")
    found = _COMPARATOR.match(folded.lower())
    comparator: Operator | None = COMPARATORS[found[1]] if found else None
    body = folded[found.end() :] if found else folded
    result: list[Measure] = []
    for pattern in _NUMBERS:
        first = pattern.match(body)
        if not first:
            continue
        rest = body[first.end() :]
        joint = _RANGE.match(rest)
        second = next((m for p in _NUMBERS if (m := p.match(rest, joint.end()))), None) if joint else None
        lo, lo_text = _number(first[0], decimal)
        if second is None:
            measure = Measure(_interval(comparator, lo), rest.strip(), f"{comparator or ''}{lo_text}")
        elif comparator:
            raise BadQuantity("a comparator and a range together cannot be read; write one of them")
        else:
            hi, hi_text = _number(second[0], decimal)
            if lo > hi:
                raise BadQuantity(f"the range is reversed; write {hi_text}-{lo_text}")
            measure = Measure(Interval(lo, hi), rest[second.end() :].strip(), f"{lo_text}-{hi_text}")
        if measure not in result:
            result.append(measure)
    if not result:
        raise NoNumber(f"no number found in '{text.strip()[:40]}'")
    return result


def _interval(comparator: Operator | None, number: Fraction) -> Interval:
    if comparator is None:
        return point(number)
    if comparator in (">", ">="):
        return Interval(number, None, lo_open=comparator == ">")
    if number == 0 and comparator == "<":
        raise BadQuantity("no value is below 0")
    return Interval(Fraction(0), number, hi_open=comparator == "<")


def _number(text: str, decimal: Decimal) -> tuple[Fraction, str]:
    """The exact number and its plain text (decimal point, no grouping)."""
    mark, group = (".", ",") if decimal == "point" else (",", ".")
    body, _, exponent = text.replace(" ", "").lower().partition("e")
    whole, *fraction = body.split(mark)
    for separator in (group, "'"):
        if separator in whole:
            if not re.fullmatch(rf"[1-9]\d{{0,2}}(?:{re.escape(separator)}\d{{3}})+", whole):
                raise BadQuantity(_misplaced(text, mark, group))
            whole = whole.replace(separator, "")
    if len(fraction) > 1 or any(not part.isdigit() for part in fraction):
        raise BadQuantity(_misplaced(text, mark, group))
    digits = whole + "".join(fraction)
    if len(digits) > MAX_DIGITS or len(exponent) > 4 or abs(int(exponent or 0)) > MAX_EXPONENT:
        raise BadQuantity(f"a number with so many digits is no measurement (limit {MAX_DIGITS})")
    whole = whole or "0"
    power = int(exponent or 0) - len("".join(fraction))
    number = int(digits) * Fraction(10) ** power
    return number, ".".join([whole, *fraction]) + (f"e{exponent}" if exponent else "")


def _misplaced(text: str, mark: str, group: str) -> str:
    other = "comma" if mark == "." else "point"
    if text.count(group) == 1 and mark not in text:
        advice = f"or set 'decimal: {other}' at the top, which changes how every number of the file is read"
        return f"'{text}' is ambiguous; write {text.replace(group, mark)}, {advice}"
    return f"'{text}' cannot be read; write digits with '{mark}' as the decimal mark, and set 'decimal: {other}' if it is not"


def decimal_text(number: Fraction, places: int) -> str:
    """`number` rounded to at most `places` decimals, for people to read; never compared with anything."""
    scaled = round(abs(number) * 10**places)
    whole, part = divmod(scaled, 10**places)
    sign = "-" if number < 0 and scaled else ""
    return f"{sign}{whole}" + (f".{part:0{places}d}".rstrip("0").rstrip(".") if places else "")


def exact_text(number: Fraction) -> str:
    """A number that came in as a decimal, as that decimal again, without rounding."""
    places = next(places for places in range(MAX_DIGITS) if 10**places % number.denominator == 0)
    return decimal_text(number, places)


def number_text(number: Fraction) -> str:
    """A computed number: exact where its decimals end, else to four places."""
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return exact_text(number) if rest == 1 and number.denominator < 10**12 else decimal_text(number, 4)


def range_text(interval: Interval) -> str:
    """What is known of a computed number, in words: `169`, `166 to 272`, `at least 400`, `above 400`, `not known`."""
    lo, hi = (None if end is None else number_text(end) for end in (interval.lo, interval.hi))
    if lo is not None and hi is not None:
        return lo if lo == hi else f"{lo} to {hi}"
    if lo is not None:
        return f"{'above' if interval.lo_open else 'at least'} {lo}"
    return "not known" if hi is None else f"{'below' if interval.hi_open else 'at most'} {hi}"

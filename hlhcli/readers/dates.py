"""Dates and days as they are written in tables. A date that can be read in two ways is not read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Literal, NamedTuple

from hlhcli.quantity import fold

Order = Literal["day-first", "month-first"]
EARLIEST, LATEST = 1850, 2200  # years

_LONGEST = 60  # characters of a moment


class Moment(NamedTuple):
    """A date as year-month-day, or a day of the course; `time` is the moment as it was written, where it has a time of day."""

    date: str = ""
    day: str = ""
    time: str = ""


class BadDate(ValueError):
    """Text that is no date; the message says why and never repeats the text."""


_ZONE = r"(?:\s*(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?))?"
_CLOCK = rf"(?P<h>\d{{1,2}}):(?P<m>\d\d)(?::(?P<s>\d\d)(?:[.,]\d{{1,9}})?)?(?:\s?[AP]M)?{_ZONE}"
_TIME = rf"(?:(?:T|,?\s+|,?\s+at\s+){_CLOCK})?"
_NAMES = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE | re.ASCII)


_YEAR_FIRST = _pattern(rf"(?P<y>\d{{4}})(?P<mark>[-/.])(?P<mo>\d{{1,2}})(?P=mark)(?P<d>\d{{1,2}}){_TIME}")
_BASIC = _pattern(rf"(?P<y>\d{{4}})(?P<mo>\d\d)(?P<d>\d\d)(?:T?(?P<h>\d\d)(?P<m>\d\d)(?P<s>\d\d)?(?:\.\d{{1,9}})?{_ZONE})?")
_DOTTED = _pattern(rf"(?P<d>\d{{1,2}})\.\s?(?P<mo>\d{{1,2}})\.\s?(?P<y>\d{{4}}){_TIME}")
_EITHER = _pattern(rf"(?P<a>\d{{1,2}})(?P<mark>[-/])(?P<b>\d{{1,2}})(?P=mark)(?P<y>\d{{4}}){_TIME}")
_DAY_NAMED = _pattern(rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?[-/\s.]*{_MONTH},?[-/\s]*(?P<y>\d{{4}}){_TIME}")
_NAMED_DAY = _pattern(rf"{_MONTH}[-/\s]*(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:,\s*|\s+|[-/])(?P<y>\d{{4}}){_TIME}")
_DAY = _pattern(rf"(?P<word>d(?:ay)?\.?\s*)?(?P<sign>[+-]?)\s?(?P<day>\d{{1,4}}(?:\.\d{{1,6}})?){_TIME}")
_SHORT = _pattern(rf"\d{{1,2}}\s*[-/.\s]\s*(?:\d{{1,2}}|{_MONTH})\s*[-/.\s]\s*\d\d(?!\d).*")
_SERIAL = _pattern(r"\d{5}(?:\.\d+)?")
_FORMS = (_YEAR_FIRST, _BASIC, _DOTTED, _DAY_NAMED, _NAMED_DAY)


def order_of(samples: Iterable[str]) -> Order | None:
    """What the dates with slashes or dashes show where one of the two numbers is above 12; None if nothing, or both."""
    found: set[Order] = set()
    for sample in samples:
        if len(sample) <= _LONGEST and (match := _EITHER.fullmatch(fold(sample))):
            day_first, month_first = _possible(match)
            if day_first != month_first:
                found.add("day-first" if day_first else "month-first")
    return found.pop() if len(found) == 1 else None


def _possible(match: re.Match[str]) -> tuple[bool, bool]:
    """Whether the date is in the calendar with the day first, and with the month first."""
    year, a, b = int(match["y"]), int(match["a"]), int(match["b"])
    return _date(year, b, a) is not None, _date(year, a, b) is not None


def read(text: str, order: Order | None = None) -> Moment:
    """The date or the day that `text` says. The date is taken as it is written, without regard to its zone.

    `order` says how 02/05/2016 is meant. Raises BadDate.
    """
    if len(text) > _LONGEST:
        raise BadDate(f"a text of {len(text)} characters is no date")
    folded = fold(text)
    for form in _FORMS:
        if match := form.fullmatch(folded):
            month = match["mo"] if "mo" in match.groupdict() else str(_NAMES.index(match["name"][:3].lower()) + 1)
            return _moment(match, int(month), int(match["d"]), folded)
    if match := _EITHER.fullmatch(folded):
        return _either(match, order, folded)
    if match := _DAY.fullmatch(folded):
        return _day(match, folded)
    if _SHORT.fullmatch(folded):
        raise BadDate("a year of two digits; write all four")
    if _SERIAL.fullmatch(folded):
        raise BadDate("the number of a spreadsheet's date; save the column as dates")
    raise BadDate("no date is understood here; write year-month-day, such as 2016-05-02, or a day such as 12 or d12")


def _either(match: re.Match[str], order: Order | None, text: str) -> Moment:
    day_first, month_first = _possible(match)
    a, b = int(match["a"]), int(match["b"])
    if day_first and month_first and a != b and order is None:
        raise BadDate("day and month can be read in two ways; declare `dates: day-first` or `dates: month-first`")
    if order is not None and day_first != month_first and day_first != (order == "day-first"):
        raise BadDate(f"not in the calendar if read {order}, as the other dates are")
    return _moment(match, *((b, a) if day_first and order != "month-first" else (a, b)), text)


def _moment(match: re.Match[str], month: int, day: int, text: str) -> Moment:
    year = int(match["y"])
    found = _date(year, month, day)
    if found is None:
        raise BadDate("not in the calendar")
    if not EARLIEST <= year <= LATEST:
        raise BadDate(f"a year before {EARLIEST} or after {LATEST}")
    return Moment(found.isoformat(), "", _time(match, text))


def _day(match: re.Match[str], text: str) -> Moment:
    whole, mark, part = match["day"].partition(".")
    bare = not match["word"] and not match["sign"]
    if bare and EARLIEST <= int(whole) <= LATEST and not mark:
        raise BadDate("a year alone, or a day that looks like one; write for example 2016-05-02, or 'day 2016'")
    if len(whole) > 1 and whole[0] == "0" and mark:
        raise BadDate("a date without its year")
    number = str(int(whole)) + (f".{part}" if part.strip("0") else "")
    return Moment("", f"-{number}" if match["sign"] == "-" and number != "0" else number, _time(match, text))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _time(match: re.Match[str], text: str) -> str:
    if match["h"] is None:
        return ""
    if int(match["h"]) > 24 or int(match["m"]) > 59 or int(match["s"] or 0) > 60:
        raise BadDate("a time of day that no clock shows")
    return text

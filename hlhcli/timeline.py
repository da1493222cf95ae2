"""Where everything lies in time: dates become days of the course, and days dates where one of them has both."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction
from math import floor
from typing import NamedTuple

from hlhcli.fields import Moment
from hlhcli.patient import Timepoint


class Calendar(NamedTuple):
    """Days counted from a date: `origin` is day `offset`. Without an origin, a date has no day."""

    origin: date | None = None
    offset: Fraction = Fraction(0)

    def day(self, moment: Moment | Timepoint | None) -> Fraction | None:
        """The day of the course, if it is known."""
        if moment is None:
            return None
        if moment.day is not None or moment.date is None or self.origin is None:
            return moment.day
        return self.offset + (moment.date - self.origin).days

    def date(self, day: Fraction | None) -> date | None:
        """The date of a day of the course, if it is known."""
        if day is None or self.origin is None:
            return None
        try:
            return self.origin + timedelta(days=floor(day - self.offset))
        except OverflowError:
            return None


def calendar(timepoints: list[Timepoint], others: Iterable[Moment] = ()) -> Calendar:
    """The calendar through a time point that has both day and date, else with the first date as day 0.

    Time points come before `others` (the moments of therapies and curves). Where days are counted but none of them has a date,
    dates cannot be placed.
    """
    anchor = next((t for t in timepoints if t.date and t.day is not None), None)
    if anchor and anchor.date and anchor.day is not None:
        return Calendar(anchor.date, anchor.day)
    if any(t.day is not None for t in timepoints):
        return Calendar()
    dates = [t.date for t in timepoints if t.date]
    if not dates:
        moments = list(others)
        dates = [] if any(m.day is not None for m in moments) else [m.date for m in moments if m.date]
    return Calendar(min(dates)) if dates else Calendar()


def disagree(timepoints: list[Timepoint], known: Calendar) -> bool:
    """True if a time point's date is not the one that its day has."""
    return any(t.date and t.day is not None and known.day(Moment(date=t.date)) != t.day for t in timepoints)

"""Dates of tables: each has one reading, or none is taken."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hlhcli.readers.dates import BadDate, Moment, order_of, read

DATES = [
    "2016-05-02", "2016-5-2", "2016/05/02", "2016.05.02", "20160502", "02.05.2016", "2.5.2016", "2. 5. 2016",
    "2 May 2016", "02-May-2016", "2-MAY-2016", "2nd May 2016", "May 2, 2016", "May 2 2016", "2 may, 2016",
]  # fmt: skip


@pytest.mark.parametrize("text", DATES)
def test_a_date_that_has_one_reading_is_read(text):
    """Year first, dots, and months by name need no declaration, and none changes them."""
    for order in (None, "day-first", "month-first"):
        assert read(text, order) == Moment("2016-05-02")


@pytest.mark.parametrize("separator", "/-")
def test_slashes_and_dashes_are_read_in_the_declared_order(separator):
    """02/05/2016 is a day in May or in February, and nothing says which but the file."""
    text = separator.join(("02", "05", "2016"))
    assert read(text, "day-first") == Moment("2016-05-02")
    assert read(text, "month-first") == Moment("2016-02-05")
    with pytest.raises(BadDate, match="declare `dates: day-first` or `dates: month-first`"):
        read(text)


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("13/05/2016", None, "2016-05-13"),
        ("05/13/2016", None, "2016-05-13"),
        ("05/05/2016", None, "2016-05-05"),  # the same either way
        ("13/05/2016", "day-first", "2016-05-13"),
        ("05/13/2016", "month-first", "2016-05-13"),
        ("12/12/2016", "month-first", "2016-12-12"),
    ],
)
def test_what_cannot_be_a_month_settles_the_order(text, order, expected):
    """A number above 12 can only be the day."""
    assert read(text, order).date == expected


@pytest.mark.parametrize(("text", "order"), [("05/13/2016", "day-first"), ("13/05/2016", "month-first")])
def test_a_date_against_the_declared_order_is_not_turned_around(text, order):
    """It is as likely a slip of the pen as a date in another order."""
    with pytest.raises(BadDate, match="not in the calendar if read"):
        read(text, order)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("12", "12"), ("-3", "-3"), ("+3", "3"), ("−3", "-3"), ("0", "0"), ("-0", "0"), ("d12", "12"), ("D+3", "3"), ("D-3", "-3"),
        ("day 12", "12"), ("Day 0", "0"), ("d 7", "7"), ("012", "12"), ("0.5", "0.5"), ("2.0", "2"), ("day 2016", "2016"), ("١٢", "12"),
    ],
)  # fmt: skip
def test_days_of_the_course(text, day):
    """A whole number is a day, with or without the word."""
    assert read(text) == Moment("", day)


@pytest.mark.parametrize(
    "text",
    [
        "2016-05-02T08:00", "2016-05-02 08:00:00", "2016-05-02T23:59:59.999+02:00", "2016-05-02T00:30:00Z", "20160502T0800", "201605020800",
        "02.05.2016 14:30", "2 May 2016 2:30 pm", "2016-05-02T08:00:00.000-0500",
    ],
)  # fmt: skip
def test_a_time_of_day_is_kept_as_written(text):
    """The date is the one that was written, whatever its zone."""
    assert read(text) == Moment("2016-05-02", "", text)


def test_a_day_can_have_a_time():
    """d3 08:00 is a moment of day 3."""
    assert read("d3 08:00") == Moment("", "3", "d3 08:00")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no date"), ("soon", "no date"), ("May 2016", "no date"), ("2016-05", "no date"), ("2016-W18", "no date"), ("week 2", "no date"),
        ("2016-02-30", "not in the calendar"), ("20160230", "not in the calendar"), ("31.04.2016", "not in the calendar"),
        ("05.13.2016", "not in the calendar"), ("13/13/2016", "not in the calendar"), ("30 Feb 2016", "not in the calendar"),
        ("2015-02-29", "not in the calendar"), ("00/05/2016", "not in the calendar"),
        ("02/05/16", "two digits"), ("02-May-16", "two digits"), ("2.5.16", "two digits"), ("16-05-02", "two digits"),
        ("1849-12-31", "before 1850"), ("2201-01-01", "after 2200"), ("0016-05-02", "before 1850"),
        ("2016", "a year alone"), ("02.05", "without its year"), ("42492", "spreadsheet"), ("42492.5", "spreadsheet"),
        ("2016-05-02 25:00", "no clock"), ("2016-05-02 10:60", "no clock"), ("x" * 61, "61 characters"),
    ],
)  # fmt: skip
def test_what_is_not_read_says_why(text, why):
    """No century, day or month is made up."""
    with pytest.raises(BadDate, match=why):
        read(text, "day-first")


@pytest.mark.parametrize(
    ("samples", "order"),
    [
        (["02/05/2016", "13/05/2016"], "day-first"),
        (["02-05-2016", "05-13-2016 08:00"], "month-first"),
        (["13/05/2016", "05/13/2016"], None),
        (["02/05/2016", "05/05/2016"], None),
        (["2016-05-13", "13.05.2016", "", "x", "31/31/2016", "d13", "13/05/16"], None),
        ([], None),
    ],
)
def test_the_order_that_a_file_shows(samples, order):
    """Only dates that have one reading count, and they must agree."""
    assert order_of(iter(samples)) == order


@given(st.dates(date(1850, 1, 1), date(2200, 12, 31)), st.sampled_from(["day-first", "month-first"]))
def test_every_date_comes_back(when, order):
    """What was written in the declared order is read as that date."""
    slashed = when.strftime("%d/%m/" if order == "day-first" else "%m/%d/") + f"{when.year:04}"
    assert (
        read(slashed, order)
        == read(when.isoformat())
        == read(when.strftime("%d %B ") + f"{when.year:04}")
        == Moment(when.isoformat())
    )
    assert order_of([slashed]) in (order, None)


@given(
    st.one_of(st.text(max_size=70), st.from_regex(r"[0-9dD/.\- :TZ+]{1,24}", fullmatch=True)),
    st.sampled_from([None, "day-first", "month-first"]),
)
def test_any_text_is_a_moment_or_a_bad_date(text, order):
    """Nothing else is raised, the text is not repeated, and what is read is in the calendar."""
    found: Moment | BadDate
    try:
        found = read(text, order)
    except BadDate as error:
        found = error
    if isinstance(found, BadDate):
        assert len(text.strip()) < 6 or text.strip() not in str(found)
        return
    assert bool(found.date) != bool(found.day)
    assert not found.date or date.fromisoformat(found.date).isoformat() == found.date

"""Time points: their order, and the age at each."""

import pytest

from hlhcli.api import evaluate_document, parse_document
from hlhcli.snapshot import age_at_first, snapshots


def read(text):
    return parse_document(text, "p").patient


@pytest.mark.parametrize(
    ("first", "second", "order", "days"),
    [
        ("day: 0", "day: 10", "ab", ["0", "10"]),
        ("day: 10", "day: 0", "ba", ["0", "10"]),
        ("date: 2016-05-02", "date: 2016-05-12", "ab", ["0", "10"]),
        ("date: 2016-05-12", "date: 2016-05-02", "ba", ["0", "10"]),
        ("day: -3", "day: 1.5", "ab", ["-3", "3/2"]),
        ("date: 2016-05-02, day: 1", "date: 2016-05-12", "ab", ["1", "11"]),
        ("day: 4", "date: 2016-05-12, day: 2", "ba", ["2", "4"]),
        ("note: x", "day: 3", "ab", ["None", "3"]),
        ("note: x", "note: y", "ab", ["None", "None"]),
    ],
)
def test_order(first, second, order, days):
    """By day or date where every time point has one, else as in the file."""
    found, warnings = snapshots(read(f"timepoints: [{{name: a, {first}}}, {{name: b, {second}}}]"))
    assert "".join(snapshot.timepoint.name for snapshot in found) == order
    assert [str(snapshot.day) for snapshot in found] == days
    assert bool(warnings) == (order == "ba")


def test_backwards_is_told():
    """A file whose dates run backwards is read in the order of time, and says so."""
    document = parse_document("timepoints:\n  - {name: a, day: 3}\n  - {name: b, day: 1}\n", "p.yaml")
    (warning,) = evaluate_document(document, []).warnings
    assert str(warning).startswith("p.yaml:2:3: the time points run backwards")


@pytest.mark.parametrize(
    ("person", "times", "ages"),
    [
        ("age: 20 d", ("day: 0", "day: 10"), ["20-21", "30-31"]),
        ("age: 20 d", ("note: x", "note: y"), ["20-21", "20-None"]),
        ("age: 3 wk", ("day: 0", "day: 7"), ["21-28", "28-35"]),
        ("age: 11 y", ("date: 2016-05-02", "date: 2017-05-02"), ["16071/4-4383", "17531/4-4748"]),
        ("age: 1.5 y", ("day: 0", "day: 0"), ["4383/8-4383/8", "4383/8-4383/8"]),
        ("age: <1 y", ("day: 0", "day: 1"), ["0-1461/4", "1-1465/4"]),
        ("birth_date: 2016-05-01", ("date: 2016-05-28", "date: 2016-05-29"), ["27-28", "28-29"]),
        ("birth_date: 2016-05-01", ("day: 0", "day: 1"), ["None", "None"]),
        ("birth_date: 2016-05-01", ("day: 0", "day: 1, date: 2016-05-29"), ["27-28", "28-29"]),
        ("birth_date: 2017-05-01", ("date: 2016-05-28", "date: 2016-05-29"), ["None", "None"]),
        ("sex: male", ("day: 0", "day: 1"), ["None", "None"]),
    ],
)
def test_age(person, times, ages):
    """Age is an interval of days: completed units at the first time point, advancing with days or dates."""
    found, _ = snapshots(read(f"patient: {{{person}}}\ntimepoints: [{{name: a, {times[0]}}}, {{name: b, {times[1]}}}]"))
    known = [snapshot.known.get("age") for snapshot in found]
    assert [f"{o.value.interval.lo}-{o.value.interval.hi}" if o else "None" for o in known] == ages


@pytest.mark.parametrize(
    ("person", "text"),
    [
        ("age: 11 y", "11 y"),
        ("birth_date: 2005-04-01", "11 y"),
        ("birth_date: 2016-04-12", "20 d"),
        ("birth_date: 2015-05-02", "12 mo"),
        ("birth_date: 2016-03-15", "48 d"),
        ("sex: male", None),
    ],
)
def test_age_for_people(person, text):
    """The age at the first time point, as a person would say it."""
    assert age_at_first(read(f"patient: {{{person}}}\ntimepoints: [{{name: a, date: 2016-05-02}}]")) == text

"""Time points: their order, and the age at each."""

import pytest

from hlhcli.api import evaluate_document, parse_document
from hlhcli.criteria import load
from hlhcli.population import applicable
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
        ("day: 0", "day: -0.5", "ba", ["-1/2", "0"]),
        ("day: 0.5", "day: 0", "ba", ["0", "1/2"]),
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
        ("age: 20 d", ("note: x", "day: 3"), ["20-21", "20-None"]),
        ("birth_date: 2016-05-28", ("date: 2016-05-28", "date: 2016-05-29"), ["0-1", "1-2"]),
        ("age: 3 wk", ("day: 0", "day: 7"), ["21-28", "28-35"]),
        ("age: 20 d", ("day: 3", "day: 13"), ["20-21", "30-31"]),
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


@pytest.mark.parametrize(
    ("background", "own", "shown", "warned"),
    [
        ("yes", None, "yes", False),
        ("yes", "no", "no", True),
        ("yes", "yes", "yes", False),
        ("yes", "pending", "yes", False),
        ("pending", "no", "no", False),
        ("pending", "not done", "not done", False),
    ],
)
def test_background(background, own, shown, warned):
    """It holds where the time point says nothing; where they differ the time point decides, and says so."""
    said = f"splenomegaly: {own}" if own else "fever: yes"
    (found,), warnings = snapshots(
        read(f"background: {{splenomegaly: {background}}}\ntimepoints: [{{name: a, observations: {{{said}}}}}]")
    )
    assert found.known["splenomegaly"].value.text == shown
    assert any("the time point decides" in each for each in warnings) is warned


@pytest.mark.parametrize(
    ("days", "warned"), [(("day: 5", "note: x", "day: 3"), True), (("day: 3", "note: x", "day: 3"), False), (("date: 2016-05-03", "note: x", "date: 2016-05-01"), True)]
)  # fmt: skip
def test_backwards_where_not_all_can_be_placed(days, warned):
    """The order is that of the file, and a warning says that it may be wrong."""
    found, warnings = snapshots(
        read("timepoints: [" + ", ".join(f"{{name: {n}, {day}}}" for n, day in zip("abc", days, strict=True)) + "]")
    )
    assert "".join(each.timepoint.name for each in found) == "abc"
    assert any("not all can be placed" in each for each in warnings) is warned


@pytest.mark.parametrize("start", ["0", "2016-05-02"])
def test_a_drug_that_cannot_be_placed_is_told(start):
    """A date is of no use where the time points count days."""
    _, warnings = snapshots(read(f"therapies: [{{drug: etoposide, start: {start}}}]\ntimepoints: [{{name: a, day: 0}}]"))
    assert any(each.startswith("etoposide has a date") for each in warnings) is (start != "0")


@pytest.mark.parametrize(
    ("age", "onset", "warned"),
    [
        ("3 y", "4 y", True),
        ("3 y", "3 y", False),
        ("3 y", "1 y", False),
        ("3 y", "5 y", True),
        ("1.6 y", "1.6 y", False),
        ("1.6 y", "20 mo", True),
    ],
)
def test_onset_after_the_first_time_point(age, onset, warned):
    """In the third year of life nothing can have begun in the fourth."""
    _, warnings = snapshots(read(f"patient: {{age: {age}, onset: {onset}}}\ntimepoints: [{{name: a, day: 0}}]"))
    assert ("the age at onset is above that at the first time point" in warnings) is warned


def test_the_first_time_point_has_the_age_as_written():
    """And that is the age at onset, unless another is stated; later time points have it computed."""
    first, later = snapshots(read("patient: {age: 11 y}\ntimepoints: [{name: a, day: 0}, {name: b, day: 800}]"))[0]
    assert [each.known["age"].value.text for each in (first, later)] == ["11 y", "13 y"]
    assert {each.known["age_at_onset"].value.text for each in (first, later)} == {"11 y"}
    assert (
        age_at_first(
            read("patient: {birth_date: 2005-04-01}\ntimepoints: [{name: a, date: 2016-05-02}, {name: b, date: 2018-05-02}]")
        )
        == "11 y"
    )


def test_an_age_in_weeks_stays_as_written():
    first, later = snapshots(read("patient: {age: 3 wk}\ntimepoints: [{name: a, day: 0}, {name: b, day: 1}]"))[0]
    assert [each.known["age"].value.text for each in (first, later)] == ["3 wk", "22 d"]


def test_the_last_age_that_is_known():
    """Each time point knows its own age, and where its day is not stated the last one before."""
    found, _ = snapshots(read("patient: {age: 20 d}\ntimepoints: [{name: a, day: 10}, {name: b, day: 0}]"))
    assert [snapshot.known["age"].value.text for snapshot in found] == ["20 d", "30 d"]
    assert [snapshot.last_age.text for snapshot in found] == ["20 d", "30 d"]
    found, _ = snapshots(read("patient: {age: 20 d}\ntimepoints: [{name: a, day: 0}, {name: b, day: 10}, {name: c}]"))
    assert [snapshot.last_age.text for snapshot in found] == ["20 d", "30 d", "30 d"]


def test_who_has_grown_too_old_stays_so():
    """A time point without a day comes after one at which the set was no longer made for the patient."""
    text = "patient: {age: 15 y}\ntimepoints: [{name: a, day: 0}, {name: b}, {name: c, day: 700}, {name: d}]"
    assert [applicable(load("hlh-2024"), each)[0] for each in snapshots(read(text))[0]] == [True, True, False, False]


@pytest.mark.parametrize(
    ("when", "told"),
    [("day: 0", True), ("date: 2016-05-02", False), ("date: 2016-04-30", True), ("day: 0, date: 2016-05-02", False)],
)
def test_a_birth_date_without_a_date_is_told(when, told):
    """Days of the course alone say nothing of the age."""
    _, warnings = snapshots(read(f"patient: {{birth_date: 2016-05-01}}\ntimepoints: [{{name: a, {when}}}]"))
    assert any("the age is unknown" in each for each in warnings) is told


@pytest.mark.parametrize(("more", "told"), [("", True), ("series: {ferritin: {unit: ng/mL, points: [[-1, 900]]}}\n", False)])
def test_a_window_without_curves_is_told(more, told):
    """It looks back at nothing: the values of other time points are theirs."""
    text = f"timepoints: [{{name: a, day: 0, observations: {{fever: yes}}}}, {{name: b, day: 2, window: 3 d}}]\n{more}"
    _, warnings = snapshots(read(text))
    assert any("a window looks back at curves" in each for each in warnings) is told

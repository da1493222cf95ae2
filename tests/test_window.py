"""Windows: the worst value of a curve in a stated time, with its day; and time points that are made of curves alone."""

import csv
import io
from random import Random

import pytest
from command import hlhcli as command

import hlhcli.window
import hlhcli.worst
from hlhcli import criteria, observables
from hlhcli.api import check, evaluate_document, parse_document
from hlhcli.errors import InputError
from hlhcli.observations import NOT_STATED, Finding, Missing, Quantity
from hlhcli.quantity import exact_text
from hlhcli.snapshot import snapshots
from hlhcli.worst import Dated, worst


def known(series, window="7 d", own="", name="ferritin"):
    """What is known of `name` at day 10 with these points."""
    text = f"series: {{{name}: {{points: {series}}}}}\ntimepoints:\n  - name: now\n    day: 10\n    window: {window}\n    observations: {{{own}}}\n"
    (snapshot,), _ = snapshots(parse_document(text, "p").patient)
    return snapshot.known.get(name)


@pytest.mark.parametrize(
    ("points", "window", "worst", "day"),
    [
        ('[[3, "900 ug/L"], [10, "500 ug/L"]]', "7 d", "900 ug/L", "3"),  # the first day of the window counts
        ('[[2.9, "900 ug/L"], [10, "500 ug/L"]]', "7 d", "500 ug/L", "10"),
        ('[[10, "500 ug/L"], [11, "900 ug/L"]]', "7 d", "500 ug/L", "10"),  # what comes later does not
        ('[[7, "900 ug/L"], [10, "500 ug/L"]]', "72 h", "900 ug/L", "7"),
        ('[[8, "900 ug/L"], [9, "0.9 nmol/L"]]', "1 wk", "900 ug/L", "8"),  # 0.9 nmol/L is 400 ug/L
        ('[[8, ">800 ug/L"], [9, "900 ug/L"]]', "7 d", "900 ug/L", "9"),  # the highest that is certain
        ('[[8, "900 ug/L"], [9, "900 ug/L"]]', "7 d", "900 ug/L", "9"),  # the later of equals
    ],
)
def test_the_worst_value_and_its_day(points, window, worst, day):
    """Of a quantity that is worse when high the highest counts, whenever it was in the window, and its day is kept."""
    found = known(points, window)
    assert (found.value.text, exact_text(found.day)) == (worst, day)


def test_worse_may_be_low():
    """Of platelets the lowest counts."""
    assert known("[[8, 40 G/L], [9, 20 K/uL], [10, 60 G/L]]", name="platelets").value.text == "20 10*3/uL"


def test_bounds_are_merged():
    """The higher of a value above 800 and one of 900 is 900 or more."""
    interval = known('[[8, ">800 ug/L"], [9, "900 ug/L"]]').value.interval
    assert (interval.lo, interval.hi) == (900, None)


def test_pending_can_only_be_worse():
    """A pending result in the window leaves the worst value open on the side of the disease."""
    assert known('[[8, "300 ug/L"], [9, pending]]').value.interval[:2] == (300, None)
    assert known("[[8, 300 G/L], [9, pending]]", name="platelets").value.interval[:2] == (None, 300)
    assert known("[[8, no], [9, pending]]", name="splenomegaly").value == Missing("pending")


def test_the_own_value_is_one_of_them():
    """What the time point states itself counts beside the curve."""
    assert known('[[8, "300 ug/L"]]', own="ferritin: 800 ug/L").value.text == "800 ug/L"
    assert known('[[8, "300 ug/L"]]', own="ferritin: 200 ug/L").value.text == "300 ug/L"
    assert known('[[8, "300 ug/L"]]', own="ferritin: pending").value.interval[:2] == (300, None)


def test_assays_are_not_mixed():
    """Of values that cannot be compared none is the worst."""
    assert known("[[8, 5000 U/mL], [9, 9000 pg/mL]]", name="sil2r").value == Missing("unknown")


def test_findings():
    """What was present at any time in the window counts."""
    assert known("[[4, yes], [9, no]]", name="fever").value == Finding(frozenset({"yes"}), "yes")
    assert known("[[4, no], [9, no]]", name="fever").value.text == "no"
    assert known("[[4, yes], [9, no]]", name="symptoms_resolved").value.text == "no"  # there, absent is worse


def test_without_a_window_nothing_is_taken():
    """A curve feeds a time point only where a window says so."""
    text = 'series: {ferritin: {points: [[0, "900 ug/L"]]}}\ntimepoints: [{name: now, day: 0}]\n'
    (assessment,) = check(parse_document(text, "p").patient)
    assert assessment.count.unknown == 8


def test_curves_alone():
    """A time point may be made of curves alone; the evidence says on which day the value was."""
    text = 'series: {ferritin: {points: [[-2, "900 ug/L"], [0, "100 ug/L"]]}}\ntimepoints: [{name: now, day: 0, window: 3 d}]\n'
    (assessment,) = evaluate_document(parse_document(text, "p"), [criteria.load("hlh-2004")]).assessments
    (line,) = next(item for item in assessment.items if item.id == "ferritin").evidence
    assert (line.value, line.note) == ("900 ug/L", "day -2, the worst of 2 values in the window")


@pytest.mark.parametrize(
    ("timepoint", "says"),
    [
        ("{name: a, window: 7 d}", "looks back from a 'day' or a 'date'"),
        ("{name: a, day: 0, window: 7}", "no length of time; write for example 7 d"),
        ("{name: a, day: 0, window: a week}", "no length of time"),
        ("{name: a, day: 0, window: -7 d}", "no length of time"),
    ],
)
def test_mistakes(timepoint, says):
    """A window needs a place in time and a length."""
    with pytest.raises(InputError) as caught:
        parse_document(f"timepoints: [{timepoint}]", "p")
    assert says in str(caught.value)


def test_an_assay_that_is_named_once():
    """A value without a named assay is compared with those of a named one; two named ones are not."""
    text = "series: {sil2r: {unit: U/mL, assay: A, points: [[8, 8000]]}}\ntimepoints:\n  - {name: now, day: 10, window: 7 d, observations: {sil2r: %s}}\n"
    for own, expected in (("9000 U/mL", "9000 U/mL"), ("{value: 9000 U/mL, assay: B}", "unknown")):
        (snapshot,), _ = snapshots(parse_document(text % own, "p").patient)
        assert snapshot.known["sil2r"].value.text == expected


def test_the_limits_stay():
    """A worse value in the window keeps the limits of the laboratory that stand beside another of the same assay."""
    found = known('[[9, "140 mg/dL"]]', own="fibrinogen: {value: 151 mg/dL, reference: 200-400}", name="fibrinogen")
    assert (found.value.text, found.value.reference.lo) == ("140 mg/dL", 200)


@pytest.mark.parametrize(
    ("name", "point", "word", "ends"),
    [
        ("ferritin", '"100 ug/L"', "elevated", (100, None)), ("ferritin", '"100 ug/L"', "falling", (100, None)),
        ("ferritin", '"100 ug/L"', "normal", (100, 100)), ("ferritin", '"100 ug/L"', "low", (100, 100)),
        ("platelets", "200 G/L", "low, falling", (None, 200)), ("platelets", "200 G/L", "elevated", (200, 200)),
    ],
)  # fmt: skip
def test_a_word_in_the_window(name, point, word, ends):
    """A value that is stated as raised, without a number, is not made normal by a number of the days before."""
    assert known(f"[[9, {point}]]", own=f"{name}: '{word}'", name=name).value.interval[:2] == ends


@pytest.mark.parametrize(
    ("values", "text", "ends", "note"),
    [
        ("[410 ug/L, 560 ug/L]", "560 ug/L", (560, 560), "the worst of 410 ug/L, 560 ug/L"),
        (
            "[{value: 410 ug/L, note: at 8}, {value: 560 ug/L, note: at 20}]",
            "560 ug/L",
            (560, 560),
            "at 20; the worst of 410 ug/L, 560 ug/L",
        ),
        ("[410 ug/L, pending]", "410 ug/L", (410, None), "a result is pending"),
        ("[410 ug/L, unknown]", "410 ug/L", (410, None), "another is not known"),
        ("[410 ug/L, not done]", "410 ug/L", (410, 410), None),
        ("[410 ug/L]", "410 ug/L", (410, 410), None),
    ],
)
def test_several_values_of_one_time_point(values, text, ends, note):
    """A list holds values of one moment: the worst counts, and one that is not known keeps it open."""
    found = (
        parse_document(f"timepoints: [{{name: a, observations: {{ferritin: {values}}}}}]", "p")
        .patient.timepoints[0]
        .observations["ferritin"]
    )
    assert (found.value.text, found.value.interval.lo, found.value.interval.hi, found.note) == (text, *ends, note)


def test_each_value_of_a_list_has_its_place():
    """A slip in a list is told where it stands; every one of them."""
    with pytest.raises(InputError) as caught:
        parse_document(
            'timepoints:\n- name: a\n  observations:\n    ferritin: [410 ug/L,\n      "9,2 ug/L", 560]\n    platelets: []\n', "p"
        )
    assert [(p.line, p.column, p.message[:20]) for p in caught.value.problems] == [
        (5, 7, "'9,2' is ambiguous; "),
        (5, 19, "'560' has no unit; w"),
        (6, 16, "an empty list; write"),
    ]


def test_a_point_can_say_more():
    """A point of a curve can have what a value at a time point has: limits, assay and a note."""
    found = known("[[9, {value: 4100 pg/mL, reference: <1000, assay: ELISA, note: repeat}]]", name="sil2r")
    assert (found.value.text, found.value.reference.hi, found.assay, found.note) == ("4100 pg/mL", 1000, "ELISA", "repeat; day 9")


def test_a_denial_of_one_day_is_none_of_the_window():
    """No fever on day 10, and 39.6 on day 8: in the window there was fever. A spleen that is gone on day 10 is gone."""
    text = "timepoints:\n  - {name: now, day: 10, window: 3 d, observations: {fever: no, splenomegaly: no}}\nseries:\n  temperature: {points: [[8, 39.6 C]]}\n  spleen_size: {points: [[8, 4 cm]]}\n"
    result = evaluate_document(parse_document(text, "p"), [criteria.load("hlh-2004")])
    items = {item.id: item.status.value for item in result.assessments[0].items}
    assert (items["fever"], items["splenomegaly"]) == ("met", "not_met")
    (same,) = evaluate_document(
        parse_document(text.replace("[8, 39.6 C]", "[10, 39.6 C]"), "p"), [criteria.load("hlh-2004")]
    ).assessments
    assert next(item.status.value for item in same.items if item.id == "fever") == "not_met"


@pytest.mark.parametrize(
    ("fever", "temperature", "expected"),
    [
        ("[[1, no]]", "[[2, unknown]]", "unknown"),
        ("[[1, no]]", "[[2, pending]]", "unknown"),
        ("[[1, no]]", "[[2, elevated]]", "unknown"),
        ("[[1, no]]", "[[1, 36.5 C], [2, unknown]]", "unknown"),
        ("[[2, no]]", "[[2, pending]]", "not_met"),
        ("[[1, no]]", "[[2, not done]]", "not_met"),
        ("[[1, no]]", "[[2, normal]]", "not_met"),
        ("[[1, no]]", "[[2, 36.5 C]]", "not_met"),
    ],
)
def test_a_denial_and_what_is_not_known_of_another_day(fever, temperature, expected):
    """No fever on one day says nothing of a temperature of another that is pending, cannot be read, or is elevated."""
    text = "timepoints: [{{name: now, day: 2, window: 2 d}}]\nseries: {{fever: {{points: {}}}, temperature: {{points: {}}}}}\n"
    (found,) = check(parse_document(text.format(fever, temperature), "p").patient)
    assert next(item.status.value for item in found.items if item.id == "fever") == expected


WRITTEN = {
    "ferritin": ["900 ug/L", "0.9 nmol/L", ">800 ug/L", "<2000 ug/L", "300-1500 ug/L", "40 IU/L", "high", "high, rising", "normal",
                 "pending", "unknown", "not done", "{value: 900 ug/L, assay: a}", "{value: 700 ug/L, reference: <300}"],
    "platelets": ["40 G/L", "<20 G/L", "10-90 G/L", "20 K/uL", "low", "unknown", "pending", "{value: 30 G/L, assay: b, reference: 150-400}"],
    "temperature": ["39 Cel", "102.2 degF", "37-40 Cel", "<39 Cel", "not done"],
    "fever": ["yes", "no", "unknown", "pending", "{value: yes, note: said}"],
    "hemophagocytosis": ["marrow", "liver", "no", "marrow, liver", "unknown", "spleen"],
}  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_a_window_is_the_worst_of_all_that_lies_in_it(seed):
    """Only the values that can decide are compared: the result is that of all of them, with its notes."""
    chance = Random(seed)
    name = chance.choice(list(WRITTEN))
    few = chance.sample(WRITTEN[name], min(len(WRITTEN[name]), chance.randint(1, 5)))
    points = [(chance.choice([chance.randint(0, 12), 2.5]), chance.choice(few)) for _ in range(chance.randint(1, 25))]
    own = {day: chance.choice(few) for day in range(14) if chance.random() < 0.3}
    text = f"series:\n  {name}:\n    points:\n" + "".join(f"    - [{day}, {_quoted(value)}]\n" for day, value in points)
    text += "timepoints:\n" + "".join(
        f"- {{name: t{day}, day: {day}, window: {chance.randint(1, 14)} d, observations: {{{name}: {_quoted(own[day])}}}}}\n"
        if day in own
        else f"- {{name: t{day}, day: {day}, window: {chance.randint(1, 14)} d}}\n"
        for day in range(14)
    )
    patient = parse_document(text, "p").patient
    for snapshot in snapshots(patient)[0]:
        day, timepoint = snapshot.day, snapshot.timepoint
        start = day - timepoint.window
        inside = [Dated(when.day, one) for when, one in patient.series[name].points if start <= when.day <= day]
        one = timepoint.observations.get(name)
        if inside and one is not None and one.value != NOT_STATED:
            inside.append(Dated(day, one))
        found = worst(observables.get(name), inside, day) if inside else one
        if found is not None and found.day is None and isinstance(found.value, Quantity):
            found = found._replace(day=day)
        assert snapshot.known.get(name) == found


def _quoted(value):
    return value if value.startswith("{") else f'"{value}"'


def test_many_windows_over_a_long_curve(monkeypatch):
    """The values of a curve are read once, and a few of them for each window: not all of them each time."""
    ends, calls = hlhcli.worst.ends, []
    monkeypatch.setattr(hlhcli.worst, "ends", lambda *one: calls.append(1) or ends(*one))
    monkeypatch.setattr(hlhcli.window, "ends", hlhcli.worst.ends)
    text = "series: {ferritin: {unit: ug/L, points: [" + ", ".join(f"[{i / 100}, {i % 977 + 1}]" for i in range(4000)) + "]}}\n"
    text += "timepoints:\n" + "".join(f"- {{name: t{i}, day: {i}, window: 9999 d}}\n" for i in range(100))
    last = snapshots(parse_document(text, "p").patient)[0][-1]
    assert last.known["ferritin"].note == "day 39.07, the worst of 4000 values in the window"
    assert len(calls) < 4000 + 100 * 8


@pytest.mark.parametrize(
    ("ferritin", "esr", "expected"),
    [
        ("[[4, 900], [10, 2000]]", "[[4, 100], [10, 20]]", "met"),  # 100 on day 10: of several values of ESR the lowest counts
        ("[[4, 2000], [10, 1900]]", "[[4, 100], [10, 20]]", "unknown"),  # the highest and the lowest are of different days
        ("[[9, 5000]]", "[[10, 20]]", "unknown"),
        ("[[10, 400]]", "[[10, 20]]", "not_met"),
        ("[[10.25, 5000]]", "[[10.75, 20]]", "met"),
    ],
)
def test_a_ratio_is_of_one_day(ferritin, esr, expected):
    """Ferritin over ESR is published for values of the same day, and so it is in a window."""
    text = (
        "timepoints: [{name: now, day: 10.9, window: 7 d, observations: {sjia: yes}}]\n"
        f"series: {{ferritin: {{unit: ng/mL, points: {ferritin}}}, esr: {{unit: mm/h, points: {esr}}}}}\n"
    )
    (found,) = check(parse_document(text, "p").patient, "ferritin-esr")
    assert found.items[0].status.value == expected
    notes = [line.note for line in found.items[0].evidence]
    assert any("the values are of different days: no ratio" in (note or "") for note in notes) is (expected == "unknown")


def test_the_day_of_a_value_stands_in_every_form(tmp_path):
    """A value of another day than that of its time point says so, on the screen and in a CSV file."""
    path = tmp_path / "p.yaml"
    path.write_text(
        "timepoints: [{name: now, day: 10, window: 7 d}]\nseries: {ferritin: {unit: ng/mL, points: [[7, 900], [10, 400]]},"
        " sil2r: {unit: U/mL, points: [[10, 3000]]}}\n"
    )
    (row,) = csv.DictReader(io.StringIO(command("check", path, "-f", "csv").out))
    assert (row["ferritin_value"], row["sil2r_value"]) == ("ferritin 900 ng/mL (day 7)", "sil2r 3000 U/mL")
    assert "900 ng/mL (day 7)" in command("check", path).out


def test_a_value_of_the_time_point_itself_has_its_day():
    """Beside what a window brings from another day, it is of another day."""
    text = (
        "timepoints: [{name: now, day: 10, window: 7 d, observations: {ferritin: 5000 ng/mL}}]\n"
        "series: {esr: {unit: mm/h, points: [[9, 20]]}}\n"
    )
    (found,) = check(parse_document(text, "p").patient, "ferritin-esr")
    assert found.items[0].status.value == "unknown"
    (found,) = check(parse_document(text.replace("[9, 20]", "[10, 20]"), "p").patient, "ferritin-esr")
    assert found.items[0].status.value == "met"

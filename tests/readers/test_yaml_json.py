"""Patient files: what is wrong is told for every mistake at once, at its place, with what to write instead."""

import pytest

from hlhcli.api import parse_document
from hlhcli.errors import InputError

HEAD = "timepoints:\n  - name: now\n    observations:\n"


def problems(text):
    with pytest.raises(InputError) as caught:
        parse_document(text, "p.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + "      feritin: 900 ng/mL\n", "p.yaml:4:7: unknown observable 'feritin'; did you mean 'ferritin'?"),
        (HEAD + "      ferritin: 900\n", "p.yaml:4:17: '900' has no unit; write for example 900 ng/mL"),
        (HEAD + "      ferritin: 900 ng/dL\n", "p.yaml:4:17: ng/dL is a misprint"),
        (HEAD + "      ferritin: 9,2 ng/mL\n", "p.yaml:4:17: '9,2' is ambiguous; write 9.2"),
        (HEAD + "      hb: 9 g/dL\n      hgb: 8 g/dL\n", "p.yaml:5:7: 'hgb' and 'hb' are the same observable"),
        (HEAD + "      ferritin: 600-400 ng/mL\n", "p.yaml:4:17: the range is reversed; write 400-600"),
        (HEAD + "      ferritin: 5 furlongs\n", "p.yaml:4:17: unknown unit 'furlongs'; accepted are ng/mL, ug/L, pmol/L, nmol/L"),
        (HEAD + "      splenomegaly: 5 cm\n", "p.yaml:4:21: splenomegaly is yes or no; write a measured value as spleen_size: 5 cm"),
        (HEAD + "      ferritin: {value: 3 ng/mL, unti: x}\n", "p.yaml:4:17: unknown key 'unti'; did you mean 'unit'?"),
        ("timepoints: []\n", "p.yaml:1:13: no time points"),
        ("patient: {id: 1}\n", "p.yaml:1:1: 'timepoints' is missing"),
        ("timepoints:\n  - day: 0\n", "p.yaml:2:5: 'name' is missing"),
        ("timepoints:\n  - {name: a}\n  - {name: a}\n", "p.yaml:3:12: a time point is already named 'a'"),
        ("timepoint:\n  - {name: a}\n", "p.yaml:1:1: unknown key 'timepoint'; did you mean 'timepoints'?"),
        ("timepoints:\n  - {name: a, obs: {}}\n", "p.yaml:2:15: unknown key 'obs'"),
        ("timepoints:\n  - {name: a, day: first}\n", "p.yaml:2:20: 'first' is no day"),
        ("timepoints:\n  - {name: a, date: 02/05/2016}\n", "p.yaml:2:21: '02/05/2016' is no date; write year-month-day"),
        ("timepoints:\n  - {name: a, date: 2016-02-30}\n", "p.yaml:2:21: 2016-02-30 is not in the calendar"),
        ("timepoints: {name: a}\n", "p.yaml:1:13: expected a list here"),
        ("timepoints:\n  - a\n", "p.yaml:2:5: expected a mapping here"),
        ("units: metric\ntimepoints: [{name: a}]\n", "p.yaml:1:8: expected 'conventional' or 'si' here"),
        ("patient: {age: 11}\ntimepoints: [{name: a}]\n", "p.yaml:1:16: '11' has no unit; write for example 11 y"),
        ("patient: {age: 900 y}\ntimepoints: [{name: a}]\n", "p.yaml:1:16: an age of 900 y is not possible"),
        ("patient: {age: 1 y, birth_date: 2005-01-01}\ntimepoints: [{name: a}]\n", "p.yaml:1:10: write either 'age' or 'birth_date'"),
        ("patient: {sex: q}\ntimepoints: [{name: a}]\n", "p.yaml:1:16: 'q' is no sex; known are male, female"),
        ("background: {ferritin: 5 ng/mL}\ntimepoints: [{name: a}]\n", "p.yaml:1:14: ferritin is measured at a time point"),
        ("therapies: [{dose: 3}]\ntimepoints: [{name: a}]\n", "p.yaml:1:13: 'drug' is missing"),
        ("therapies: [{drug: x, start: 5, stop: 3}]\ntimepoints: [{name: a}]\n", "p.yaml:1:13: 'stop' is before 'start'"),
        ("genetics: {variants: [{gene: PRF1, zygosity: both}]}\ntimepoints: [{name: a}]\n", "p.yaml:1:46: 'both' is no zygosity"),
        ("workup: {infectious: maybe}\ntimepoints: [{name: a}]\n", "p.yaml:1:22: 'maybe' is no result of a work-up"),
        ("series: {fever: {unit: d, points: []}}\ntimepoints: [{name: a}]\n", "p.yaml:1:17: unknown key 'unit'"),
        ("series: {crp: {unit: mg/L, points: [[0, 5], [1, x]]}}\ntimepoints: [{name: a}]\n", "p.yaml:1:49: no number found"),
        ("series: {crp: {unit: mg/L, points: [[0, 5, 6]]}}\ntimepoints: [{name: a}]\n", "p.yaml:1:37: a point is a pair"),
        ("timepoints: [{name: a, reported: {hlh-2004: {cytopenia: met}}}]\n", "p.yaml:1:46: 'cytopenia' is no item of hlh-2004; did you mean 'cytopenias'?"),
        ("timepoints: [{name: a, reported: {hlh2004: {verdict: met}}}]\n", "p.yaml:1:35: unknown criteria 'hlh2004'; did you mean 'hlh-2004'?"),
        ("timepoints: [{name: a, reported: {hlh-2004: {verdict: certain}}}]\n", "p.yaml:1:55: 'certain' is no verdict"),
        ("just text\n", "p.yaml:1:1: expected a patient"),
    ],
)  # fmt: skip
def test_one_mistake(text, expected):
    """One mistake is one message."""
    (found,) = problems(text)
    assert found.startswith(expected)


def test_all_mistakes_are_told_at_once():
    """Every mistake of a file is told, in the order of the file."""
    found = problems(HEAD + "      feritin: 9\n      hb: 9\n      fever: perhaps\npatient: {sex: q}\n")
    assert [message.split(": ")[0] for message in found] == ["p.yaml:4:7", "p.yaml:5:11", "p.yaml:6:14", "p.yaml:7:16"]


def test_yaml_and_json_are_the_same_patient():
    """The same content as YAML and as JSON gives the same patient."""
    yaml = HEAD + '      ferritin: ">500 ng/mL"\n      hemophagocytosis: no\n'
    json = '{"timepoints": [{"name": "now", "observations": {"ferritin": ">500 ng/mL", "hemophagocytosis": false}}]}'
    ours, theirs = (parse_document(text, "p").patient.timepoints[0].observations for text in (yaml, json))
    assert {name: o.value for name, o in ours.items()} == {name: o.value for name, o in theirs.items()}


def test_empty_keys_count_as_not_written():
    """A template half filled in is a patient of whom little is known."""
    document = parse_document("patient:\n  id: a\n  age:\ntherapies:\nseries:\n" + HEAD + "      ferritin:\n", "p")
    assert document.patient.patient.age is None
    assert document.patient.timepoints[0].observations["ferritin"].value.text == "not stated"


def test_decimal_comma():
    """`decimal: comma` turns both readings around."""
    document = parse_document("decimal: comma\n" + HEAD + "      hb: 9,8 g/dL\n      plt: 618.000 /mm3\n", "p")
    texts = [observation.value.text for observation in document.patient.timepoints[0].observations.values()]
    assert texts == ["9.8 g/dL", "618000 /uL"]


def test_a_doubtful_value_is_kept_and_flagged():
    """An implausible value is used as it is; the warning says where it stands and what was probably meant."""
    document = parse_document(HEAD + "      hb: 90 g/dL\n", "p.yaml")
    assert [str(warning) for warning in document.warnings] == [
        "p.yaml:4:11: hemoglobin 90 g/dL is hardly possible: did you mean 90 g/L?"
    ]
    assert document.patient.timepoints[0].observations["hemoglobin"].value.text == "90 g/dL"


def test_a_doubtful_value_of_a_series_is_flagged():
    """At its own place."""
    document = parse_document("timepoints: [{name: a}]\nseries: {hb: {unit: g/dL, points: [[0, 9], [1, 90]]}}\n", "p.yaml")
    assert [str(warning) for warning in document.warnings] == [
        "p.yaml:2:48: hemoglobin 90 g/dL is hardly possible: did you mean 90 g/L?"
    ]

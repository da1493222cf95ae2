"""HLH-2004: what its own cases cannot say: warnings, notes, marks of the authors, several time points."""

import json

import pytest
from command import hlhcli
from tables import patient_yaml

from hlhcli import criteria
from hlhcli.api import evaluate_document, parse_document


def assess(text):
    return evaluate_document(parse_document(text, "row"), [criteria.load("hlh-2004")])


def test_the_molecular_path_is_reported_apart():
    """A molecular diagnosis suffices without a criterion, and is named as what brought the verdict."""
    (assessment,) = assess(patient_yaml("molecular_diagnosis: yes")).assessments
    assert (assessment.by, assessment.count.met) == ("molecular_diagnosis", 0)
    (assessment,) = assess(
        patient_yaml("molecular_diagnosis: not done; fever: no; splenomegaly: no; hemophagocytosis: no; nk_activity: normal")
    ).assessments
    assert assessment.by == "count"
    assert "Molecular diagnosis: not done; the count decides" in assessment.notes


def test_a_molecular_verdict_is_no_bare_met():
    """The note says what the count alone would be, and that a genotype is not active disease."""
    (assessment,) = assess(
        patient_yaml("molecular_diagnosis: yes; fever: no; splenomegaly: no; hemophagocytosis: no; nk_activity: normal")
    ).assessments
    (note,) = [note for note in assessment.notes if note.startswith("Molecular")]
    assert "by the count alone not met (0 of 8 met)" in note
    assert "predisposition, not active disease" in note


def test_what_the_values_alone_give():
    """Where marks in words decide, the result without them stands beside it."""
    text = patient_yaml(
        "fever: yes; splenomegaly: yes", extra="    reported: {hlh-2004: {ferritin: met, sil2r: met, nk_activity: met}}\n"
    )
    (assessment,) = assess(text).assessments
    assert (str(assessment.verdict), assessment.count.met) == ("met", 5)
    assert (assessment.by_values.status.verdict, assessment.by_values.counted.met) == ("indeterminate", 2)


@pytest.mark.parametrize(
    ("observed", "says"),
    [
        ("temperature: 38.2 C", "other published thresholds"),
        ("temperature: 38.0 C", "other published thresholds"),
        ("temperature: 38.5 C", "other published thresholds"),
        ("temperature: 37.5-38.3 C", "other published thresholds"),
        ("temperature: <38.5 C", "other published thresholds"),
        ("tg: 265 mg/dL", "265 mg/dL is met by the printed cut-off >= 265 mg/dL, but not met by the printed >= 3.0 mmol/L"),
        ("tg: 265.7 mg/dL", "but not met"),
        ("tg: 2.992 mmol/L", "2.992 mmol/L is not met by the printed cut-off >= 3.0 mmol/L, but met by the printed >= 265 mg/dL"),
        ("fever: no; temperature: 39 C", "fever is stated as no, although 39 Cel would meet temperature >= 38.5 Cel"),
    ],
)
def test_warnings_at_the_edges(observed, says):
    """Where another published number would change an item, the reader is told, at the value's place in the file."""
    (warning,) = assess(patient_yaml(observed)).warnings
    assert says in warning.message
    assert warning.line == 5 + observed.count(";")


@pytest.mark.parametrize(
    "observed", ["temperature: 38.6 C", "temperature: 37.9 C", "tg: 266 mg/dL", "tg: 264 mg/dL", "fever: yes; temperature: 38.2 C"]
)
def test_no_warning_away_from_the_edges(observed):
    """A warning that changes nothing is noise."""
    assert not assess(patient_yaml(observed)).warnings


@pytest.mark.parametrize(
    ("observed", "note"),
    [
        ("ferritin: 500 ng/mL", "equals the cut-off"),
        ("ferritin: 1123 pmol/L", "within rounding of the cut-off; compared without rounding"),
        ("ferritin: \">450 ng/mL\"", "lies on both sides"),
        ("ferritin: 400-600 ng/mL", "lies on both sides"),
        ("sil2r: {value: 4100 pg/mL, reference: <1000}", "cannot be converted into U/mL; 4.1 × the laboratory's upper limit of 1000 pg/mL"),
        ("sil2r: {value: \">4100 pg/mL\", reference: 200-1000}", "at least 4.1 ×"),
        ("ferritin: elevated", "reported as elevated without a number"),
        ("hemophagocytosis: liver", "found in liver only, which this set does not list"),
        ("nk_activity: pending", "pending"),
    ],
)  # fmt: skip
def test_why(observed, note):
    """Every comparison that is unknown or on an edge says why."""
    result = assess(patient_yaml(observed))
    notes = [line.note for item in result.assessments[0].items for line in item.evidence if line.value or line.note != "not stated"]
    assert any(note in (text or "") for text in notes), notes


def test_reported_marks():
    """A mark decides an item only where no observation does; the values win over the authors."""
    text = patient_yaml(
        "splenomegaly: no; sil2r: 5000 pg/mL",
        extra="    reported: {hlh-2004: {verdict: met, count: 5, splenomegaly: met, sil2r: met, ferritin: not met, fever: unknown}}\n",
    )
    result = assess(text)
    (assessment,) = result.assessments
    items = {item.id: (str(item.status), item.reported) for item in assessment.items}
    assert items["splenomegaly"] == ("not met", False)
    assert items["sil2r"] == ("met", True)
    assert items["ferritin"] == ("not met", True)
    assert items["fever"] == ("unknown", False)
    assert ["the values decide" in warning.message for warning in result.warnings] == [True]


@pytest.mark.parametrize(
    ("reported", "agrees"),
    [
        ("verdict: met", True), ("verdict: met, count: 5", True), ("count: 3", True), ("count: 8", False), ("verdict: met, count: 8", False),
        ("verdict: not met, count: 4", True), ("ferritin: met", None),
    ],
)  # fmt: skip
def test_agreement_with_an_open_verdict(reported, agrees):
    """2 met, 1 not met, 5 unknown: any reported count from 2 to 7 is compatible."""
    text = patient_yaml("fever: yes; splenomegaly: yes; nk_activity: normal", extra=f"    reported: {{hlh-2004: {{{reported}}}}}\n")
    (assessment,) = assess(text).assessments
    assert assessment.reported.agrees is agrees


def test_agreement_with_a_known_verdict():
    """A known verdict agrees with the same verdict alone."""
    for stated, agrees in (("met", False), ("not met", True)):
        text = patient_yaml(
            "fever: no; splenomegaly: no; hemophagocytosis: no; nk_activity: normal",
            extra=f"    reported: {{hlh-2004: {{verdict: {stated}}}}}\n",
        )
        assert assess(text).assessments[0].reported.agrees is agrees


def test_nothing_is_carried_on():
    """A value at one time point says nothing about the next."""
    text = "timepoints:\n  - {name: a, observations: {ferritin: 900 ng/mL}}\n  - {name: b, observations: {}}\n"
    first, second = assess(text).assessments
    assert (first.count.met, second.count.met) == (1, 0)


def test_background_holds_everywhere_and_the_time_point_wins():
    """A background finding is known at every time point, unless the time point says otherwise."""
    text = "background: {splenomegaly: yes}\ntimepoints:\n  - {name: a}\n  - {name: b, observations: {splenomegaly: no}}\n"
    first, second = assess(text).assessments
    assert (first.count.met, second.count.not_met) == (1, 1)


def test_evidence_is_exact():
    """Values go out as they came in, unrounded."""
    result = hlhcli("check", "--json", "-", stdin=patient_yaml("ferritin: 340.5344240104487 ng/mL; plt: 26,000 /uL"))
    evidence = [line for item in result.json["results"][0]["assessments"][0]["items"] for line in item["evidence"] if line["value"]]
    assert {line["value"] for line in evidence} == {"340.5344240104487 ng/mL", "26000 /uL"}
    assert json.dumps(evidence)

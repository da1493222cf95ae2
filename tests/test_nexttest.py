"""Which tests could settle an open verdict: compared with trying every answer."""

from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tables import patient_yaml

from hlhcli import criteria, definition
from hlhcli.api import evaluate_document, parse_document
from hlhcli.status import Status

# Two decisive values for each observable: one that meets its criterion, one that does not.
VALUES = {
    "temperature": ("39 C", "37 C"),
    "fever": ("yes", "no"),
    "splenomegaly": ("yes", "no"),
    "hemoglobin": ("7 g/dL", "12 g/dL"),
    "platelets": ("20 G/L", "200 G/L"),
    "neutrophils": ("0.2 G/L", "2 G/L"),
    "triglycerides": ("4 mmol/L", "1 mmol/L"),
    "fibrinogen": ("1 g/L", "3 g/L"),
    "hemophagocytosis": ("marrow", "no"),
    "nk_activity": ("low", "normal"),
    "ferritin": ("900 ng/mL", "100 ng/mL"),
    "sil2r": ("5000 U/mL", "800 U/mL"),
}


def assess(known):
    text = patient_yaml("; ".join(f"{name}: {value}" for name, value in known.items()))
    return evaluate_document(parse_document(text, "p"), [criteria.load("hlh-2004")]).assessments[0]


def settles(known, names):
    """The verdicts that some answers to these tests would bring."""
    return {
        verdict
        for values in product(*(VALUES[name] for name in names))
        if (verdict := assess(known | dict(zip(names, values, strict=True))).status) is not Status.UNKNOWN
    }


@settings(max_examples=25)
@given(st.lists(st.sampled_from(list(VALUES)), min_size=6, unique=True), st.lists(st.booleans(), min_size=12, max_size=12))
def test_the_smallest_sets_are_smallest(names, answers):
    """For each verdict: no smaller set of tests could bring it, each named one could, and none of the same size is forgotten."""
    known = {name: VALUES[name][answer] for name, answer in zip(names, answers, strict=False)}
    assessment = assess(known)
    if assessment.status is not Status.UNKNOWN:
        assert assessment.next_tests == ()
        assert assessment.would_decide == ()
        return
    # A stated fever would overrule a temperature that has decided; the item is not open for that.
    missing = [name for name in VALUES if name not in known and not (name == "fever" and "temperature" in known)]
    for way in (Status.MET, Status.NOT_MET):
        named = {frozenset(test.observables) for test in assessment.next_tests if test.could_settle is way}
        size = len(next(iter(named)))
        brings = {n: {frozenset(s) for s in combinations(missing, n) if way in settles(known, s)} for n in range(1, size + 1)}
        assert not any(brings[smaller] for smaller in range(1, size))
        assert named == brings[size]


def test_the_smallest_sets_come_first():
    """With four met and one not, any one of the open tests settles it; they head `would_decide`."""
    assessment = assess(
        {name: VALUES[name][0] for name in ("fever", "splenomegaly", "ferritin", "nk_activity")} | {"hemophagocytosis": "no"}
    )
    assert [test.observables for test in assessment.next_tests if test.could_settle is Status.MET] == [
        ("triglycerides",),
        ("fibrinogen",),
        ("sil2r",),
    ]
    assert assessment.would_decide[:3] == ("triglycerides", "fibrinogen", "sil2r")
    assert set(assessment.would_decide[3:]) == {"hemoglobin", "platelets", "neutrophils"}


def test_a_pending_molecular_diagnosis_could_settle_it():
    """Pending keeps the verdict open, and the test is named."""
    assessment = assess(
        {"molecular_diagnosis": "pending", "fever": "no", "splenomegaly": "no", "hemophagocytosis": "no", "nk_activity": "normal"}
    )
    assert assessment.would_decide == ("molecular_diagnosis",)
    assert [test.could_settle for test in assessment.next_tests] == [Status.MET, Status.NOT_MET]


def test_pending_results_come_first():
    """Of sets of the same size, those that wait for a result that is on its way."""
    assessment = assess({"fever": "yes", "splenomegaly": "yes", "ferritin": "900 ng/mL", "nk_activity": "low", "sil2r": "pending"})
    assert assessment.next_tests[0].observables == ("sil2r",)


@pytest.mark.parametrize(("age", "asked"), [("unknown", True), ("11 y", False)])
def test_the_age_can_be_what_is_missing(age, asked):
    """Hemoglobin between the two edges: the age decides."""
    text = patient_yaml(
        "hb: 95 g/L; plt: 20 G/L; anc: 2 G/L; fever: yes; splenomegaly: yes; ferritin: 900 ng/mL; nk_activity: low", age
    )
    (assessment,) = evaluate_document(parse_document(text, "p"), [criteria.load("hlh-2004")]).assessments
    assert ("age" in assessment.would_decide) is asked


# Each observable of a small score with the values that matter: every answer can be tried.
SCORE = """\
id: small
title: Small
citation: {text: none}
provenance: primary
verdict:
  score: ">= 10"
  of:
    - {id: temperature, points: {3: temperature >= 38 Cel, 6: temperature > 39 Cel}}
    - {id: organs, points: {2: {any: [hepatomegaly, splenomegaly]}, 5: {all: [hepatomegaly, splenomegaly]}}}
    - {id: arthritis, points: {-4: active_arthritis}}
    - {id: ldh, points: 0.01 per U/L of ldh}
    - {id: counts, points: {1: at least 1, 3: at least 2}, of: [platelets < 100 10*9/L, leukocytes < 4 10*9/L]}
"""
ANSWERS = {
    "temperature": ("37 C", "38.5 C", "40 C"),
    "hepatomegaly": ("yes", "no"),
    "splenomegaly": ("yes", "no"),
    "active_arthritis": ("yes", "no"),
    "ldh": ("0 U/L", "5000 U/L"),
    "platelets": ("50 G/L", "200 G/L"),
    "leukocytes": ("2 G/L", "8 G/L"),
}
SMALL = definition.read(SCORE, "small.yaml")


def small(known):
    text = patient_yaml("; ".join(f"{name}: {value}" for name, value in known.items()))
    return evaluate_document(parse_document(text, "p"), [SMALL]).assessments[0]


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.sampled_from(list(ANSWERS)), st.integers(0, 2), min_size=2, max_size=6))
def test_smallest_sets_of_a_score(places):
    """Bins, a negative term, a measured term, a count: no smaller set of tests could settle it, and each named one could."""
    known = {name: ANSWERS[name][place % len(ANSWERS[name])] for name, place in places.items()}
    assessment = small(known)
    if assessment.status is not Status.UNKNOWN:
        assert assessment.next_tests == ()
        return
    missing = [name for name in ANSWERS if name not in known]
    for way in (Status.MET, Status.NOT_MET):
        named = {frozenset(test.observables) for test in assessment.next_tests if test.could_settle is way}
        brings = set()
        for size in range(1, len(missing) + 1):
            for names in combinations(missing, size):
                answers = product(*(ANSWERS[name] for name in names))
                if any(small(known | dict(zip(names, values, strict=True))).status is way for values in answers):
                    brings.add(frozenset(names))
            if brings:
                break
        assert named == brings

"""What must hold for every patient, whatever was observed."""

from hypothesis import given
from hypothesis import strategies as st

from hlhcli import criteria
from hlhcli.api import evaluate_document, parse_document
from hlhcli.status import Status

# For each observable, what a file may say of it, from exact values over bounds and ranges to nothing known.
TEMPERATURES = ["37 C", "38.5 C", "39 C", "101.3 F", "104 F", "38-39 C", ">38 C", "not done"]
WRITTEN = {
    "fever": ["yes", "no", "unknown"],
    "temperature": TEMPERATURES,
    "splenomegaly": ["yes", "no", "pending"],
    "hemoglobin": ["70 g/L", "8.9 g/dL", "90 g/L", "95 g/L", "100 g/L", "7 mmol/L", "<10 g/dL", "nd"],
    "platelets": ["20 G/L", "99 K/uL", "100 10*9/L", "133000 /uL", "80-120 G/L", "WNL"],
    "neutrophils": ["0.4 G/L", "999 /mm3", "1.0 ×10⁹/L", "<2 G/L", "hemolyzed"],
    "triglycerides": ["264.9 mg/dL", "265 mg/dL", "2.99 mmol/L", "3.0 mmol/L", "2.65 g/L", ">200 mg/dL", "high"],
    "fibrinogen": ["1.5 g/L", "151 mg/dL", "150 mg/dL", "<3 g/L", "normal"],
    "hemophagocytosis": ["yes", "no", "spleen", "liver", "not done"],
    "nk_activity": ["low", "absent", "normal", "pending"],
    "ferritin": ["499 ng/mL", "500 ug/L", "1123.5 pmol/L", ">20000 ng/mL", ">450 ng/mL", "400-600 ng/mL", "elevated"],
    "sil2r": ["2399 U/mL", "2400 U/mL", "5000 pg/mL", ">1000 U/mL"],
    "molecular_diagnosis": ["yes", "no", "pending", "unknown"],
    "malignancy": ["yes", "no"],
}
patients = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in WRITTEN.items()})
ages = st.sampled_from([None, "20 d", "27 d", "28 d", "0 mo", "11 y"])
marks = st.fixed_dictionaries(
    {}, optional={item.about.id: st.sampled_from(["met", "not met", "unknown"]) for item in criteria.load("hlh-2004").items}
)


def assess(observed, age=None, reported=None):
    lines = "".join(f"      {name}: '{value}'\n" for name, value in observed.items())
    person = f"patient: {{age: {age}}}\n" if age else ""
    stated = f"    reported: {{hlh-2004: {{{', '.join(f'{k}: {v}' for k, v in reported.items())}}}}}\n" if reported else ""
    text = f"{person}timepoints:\n  - name: now\n{stated}    observations:\n{lines}"
    return evaluate_document(parse_document(text, "p"), [criteria.load("hlh-2004")]).assessments[0]


@given(patients, ages, marks)
def test_the_count_is_the_items(observed, age, reported):
    """Met, not met and unknown add up to eight, agree with the items, and the verdict follows from the range."""
    assessment = assess(observed, age, reported)
    statuses = [item.status for item in assessment.items]
    count = assessment.count
    assert (count.met, count.not_met, count.unknown) == tuple(statuses.count(status) for status in Status)
    assert (count.of, count.required, count.min, count.max) == (8, 5, count.met, count.met + count.unknown)
    molecular = observed.get("molecular_diagnosis")
    if molecular == "yes" or count.min >= 5:
        assert assessment.status is Status.MET
    elif count.max < 5 and molecular != "pending":
        assert assessment.status is Status.NOT_MET
    else:
        assert assessment.status is Status.UNKNOWN
    assert bool(assessment.would_decide) == (assessment.status is Status.UNKNOWN)


@given(patients, ages, st.sampled_from(list(WRITTEN)), st.data())
def test_more_information_never_widens_the_range(observed, age, name, data):
    """One more thing known, or nothing: the range from min to max never gets wider."""
    known = observed | {name: data.draw(st.sampled_from(WRITTEN[name]))}
    less = {other: value for other, value in known.items() if other != name}
    before, after = assess(less, age).count, assess(known, age).count
    assert after.max - after.min <= before.max - before.min
    if name not in ("fever", "temperature"):  # there a stated finding may overrule a measured value
        assert before.min <= after.min
        assert after.max <= before.max


@given(patients, ages, st.randoms(use_true_random=False))
def test_order_changes_nothing(observed, age, random):
    """The order of the observations in the file is of no account."""
    shuffled = list(observed.items())
    random.shuffle(shuffled)
    first, second = assess(observed, age), assess(dict(shuffled), age)
    assert [(i.id, i.status, i.evidence) for i in first.items] == [(i.id, i.status, i.evidence) for i in second.items]
    assert first.would_decide == second.would_decide


SAME = {
    "platelets": [
        ("{} 10*9/L", 1),
        ("{} G/L", 1),
        ("{} ×10⁹/L", 1),
        ("{} K/µL", 1),
        ("{} 10^3/uL", 1),
        ("{} /uL", 1000),
        ("{} cells/cumm", 1000),
    ],
    "hemoglobin": [("{} g/dL", 1), ("{} gm/dl", 1), ("{} g/L", 10)],
    "ferritin": [("{} ng/mL", 1), ("{} µg/L", 1), ("{} μg/l", 1), ("{} mcg/L", 1)],
    "fibrinogen": [("{} g/L", 1), ("{} mg/dL", 100), ("{} gm/L", 1)],
    "triglycerides": [("{} g/L", 1), ("{} mg/dL", 100)],
}


@given(st.sampled_from(list(SAME)), st.decimals(min_value="0.5", max_value=2000, places=2), st.data())
def test_spelling_never_changes_a_status(name, number, data):
    """The same quantity in two spellings or decimal units gives the same result."""
    one, other = (data.draw(st.sampled_from(SAME[name])) for _ in range(2))
    rest = (
        {"fibrinogen": "3 g/L"}
        if name == "triglycerides"
        else {"triglycerides": "1 mmol/L"}
        if name == "fibrinogen"
        else {"neutrophils": "0.1 G/L"}
    )
    results = [assess(rest | {name: text.format(format(number * factor, "f"))}, "11 y") for text, factor in (one, other)]
    assert [item.status for item in results[0].items] == [item.status for item in results[1].items]


@given(st.integers(300, 700), st.integers(300, 700), st.integers(0, 100), st.sampled_from([">", ">=", "<", "<=", "-"]))
def test_a_bound_is_never_more_certain_than_the_values_in_it(one, other, share, kind):
    """Whatever a bound or a range decides, every value inside it decides the same."""
    lo, hi = sorted([one, other])
    inside = lo + (hi - lo) * share // 100
    written, value = {
        ">": (f">{lo}", inside + 1),
        ">=": (f">={lo}", inside),
        "<": (f"<{hi}", inside - 1),
        "<=": (f"<={hi}", inside),
        "-": (f"{lo}-{hi}", inside),
    }[kind]
    bound, point = (assess({"ferritin": f"{text} ng/mL"}).items[6].status for text in (written, value))
    assert bound in (Status.UNKNOWN, point)

"""pSOFA: every case that stands in its file, totals worked by hand, and what must hold whatever is observed."""

import itertools
from fractions import Fraction

import pytest
import yaml
from tables import patient_yaml

from hlhcli import cases, definition, responses, rules
from hlhcli.api import evaluate_document, parse_document
from hlhcli.quantity import Interval, range_text

PATH = responses.FOLDER.parent / "organ" / "psofa.yaml"
CONTENT = PATH.read_bytes()
NAMES = [case["name"] for case in yaml.load(CONTENT, yaml.BaseLoader)["cases"]]
PSOFA = responses.organ_dysfunction()
OUTCOMES = cases.run(CONTENT, PATH.name, PSOFA)
ITEMS = ["respiration", "coagulation", "liver", "cardiovascular", "neurological", "renal"]


def assess(observed, age="11 y"):
    (found,) = evaluate_document(parse_document(patient_yaml(observed, age), "p"), [PSOFA]).assessments
    return found


@pytest.mark.parametrize("place", range(len(NAMES)), ids=NAMES)
def test_case(place):
    assert [str(problem) for problem in OUTCOMES[place].problems] == []


def test_the_file():
    """Six items of up to four points; what is below `cases:` is no part of the definition."""
    assert len(set(NAMES)) == len(NAMES) == len(OUTCOMES)
    assert [rules.item_id(item) for item in PSOFA.items] == ITEMS
    assert {item.points for item in PSOFA.items} == {(1, 2, 3, 4)}
    assert definition.read(CONTENT, PATH.name) == PSOFA


def test_provenance():
    """The cut-off is of a preprint, the table is secondary, and both are said."""
    assert PSOFA.verdict.about.grade == "primary"
    assert {rules.worst(item) for item in PSOFA.items} == {"secondary"}
    assert "not peer-reviewed" in PSOFA.verdict.about.note
    assert any("0" in line and "unknown" in line for line in PSOFA.not_computable)


# Added up by hand from the printed table.
BY_HAND = [
    pytest.param(
        # 199 ventilated 3, 18 4, 3.1 2, norepinephrine 0.05 3, GCS 11 2, 1.5 at 60-143 months (1.1 to 1.7) 2
        "pf_ratio: 199 mmHg; mechanical_ventilation: yes; platelets: 18 10*9/L; bilirubin: 3.1 mg/dL; mean_arterial_pressure: 58 mmHg; "
        "dopamine: 0 ug/kg/min; dobutamine: 0 ug/kg/min; epinephrine: 0 ug/kg/min; norepinephrine: 0.05 ug/kg/min; gcs: 11; creatinine: 1.5 mg/dL",
        "11 y",
        [3, 4, 2, 3, 2, 2],
        "16",
        "met",
        id="a child of 11 years in shock",
    ),
    pytest.param(
        # S/F 240 2, 120 1, 1.9 1, 54 at 1-11 months (55) 1, GCS 15 0, 0.5 at 1-11 months (0.5 to 0.7) 2
        "sf_ratio: 240; mechanical_ventilation: no; noninvasive_ventilation: yes; platelets: 120 10*9/L; bilirubin: 1.9 mg/dL; "
        "mean_arterial_pressure: 54 mmHg; vasoactive_support: no; gcs: 15; creatinine: 0.5 mg/dL",
        "5 mo",
        [2, 1, 1, 1, 0, 2],
        "7",
        "not_met",
        id="an infant of 5 months on high flow",
    ),
    pytest.param(
        # 90 without support 2, 45 3, 12.0 4, 47 under one month (46) 0, GCS 6 3, 1.2 under one month (1.2 to 1.5) 3
        "pf_ratio: 90 mmHg; mechanical_ventilation: no; noninvasive_ventilation: no; platelets: 45 10*9/L; bilirubin: 12.0 mg/dL; "
        "mean_arterial_pressure: 47 mmHg; vasoactive_support: no; gcs: 6; creatinine: 1.2 mg/dL",
        "12 d",
        [2, 3, 4, 0, 3, 3],
        "15",
        "met",
        id="a newborn of 12 days",
    ),
]


@pytest.mark.parametrize(("observed", "age", "points", "total", "verdict"), BY_HAND)
def test_worked_by_hand(observed, age, points, total, verdict):
    found = assess(observed, age)
    assert [item.points for item in found.items] == [Interval(Fraction(p), Fraction(p)) for p in points]
    assert sum(points) == int(total)
    assert (range_text(found.score), found.verdict) == (total, verdict)


OBSERVED = BY_HAND[0].values[0].split("; ")


@pytest.mark.parametrize("left_out", [some for n in (1, 2, 3) for some in itertools.combinations(OBSERVED, n)])
def test_missing_is_a_range_around_what_is_known(left_out):
    """Leaving values out only widens the range; nothing that is missing is taken as 0."""
    known = assess("; ".join(one for one in OBSERVED if one not in left_out))
    assert known.score.lo <= 16 <= known.score.hi
    for item, whole in zip(known.items, BY_HAND[0].values[2], strict=True):
        assert item.points.lo <= whole <= item.points.hi
    if any(one.startswith(("platelets", "bilirubin", "gcs", "creatinine")) for one in left_out):
        assert known.score.lo < known.score.hi


MONTHS = [0, 1, 11, 12, 23, 24, 59, 60, 143, 144, 216, 217]
LIMITS = [46, 55, 55, 60, 60, 62, 62, 65, 65, 67, 67, 70]
CREATININE = {46: "0.8 1.0 1.2 1.6", 55: "0.3 0.5 0.8 1.2", 60: "0.4 0.6 1.1 1.5", 62: "0.6 0.9 1.6 2.3", 65: "0.7 1.1 1.8 2.6"} | {
    67: "1.0 1.7 2.9 4.2",
    70: "1.2 2.0 3.5 5.0",
}


@pytest.mark.parametrize(("months", "limit"), list(zip(MONTHS, LIMITS, strict=True)))
def test_the_bands_of_age_against_the_printed_table(months, limit):
    """Every pressure and every tenth of creatinine, in the first and the last month of each band."""
    lower = [Fraction(text) for text in CREATININE[limit].split()]
    for tenths in range(1, 55):
        value, pressure = Fraction(tenths, 10), 40 + tenths % 35
        found = assess(
            f"creatinine: {tenths / 10:.1f} mg/dL; mean_arterial_pressure: {pressure} mmHg; vasoactive_support: no", f"{months} mo"
        )
        points = {item.id: range_text(item.points) for item in found.items}
        assert points["renal"] == str(sum(value >= each for each in lower)), value
        assert points["cardiovascular"] == str(int(pressure < limit)), pressure

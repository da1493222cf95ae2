"""Changes from a baseline: signs, edges, what is refused, and that an interval of percentages holds every true one."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hlhcli.changes import change, percent_text
from hlhcli.evaluate import evaluate
from hlhcli.observations import Observation, read
from hlhcli.phrases import phrase
from hlhcli.quantity import Interval
from hlhcli.rules import About
from hlhcli.status import Status


def seen(name, text, reference=None, assay=None):
    value = read(name, text)
    if reference:
        value = value._replace(reference=reference)
    return Observation(value, assay=assay)


def status(rule, before, now, reference=None):
    name = rule.split()[0]
    known = {f"{start}.{name}": seen(name, before, reference) for start in ("baseline", "nadir", "peak", "previous")}
    return str(evaluate(phrase(rule, About("primary")), known | {name: seen(name, now)}, {}).status)


@pytest.mark.parametrize(
    ("name", "before", "now", "text"),
    [
        ("ferritin", "33316 ng/mL", "14435 ng/mL", "-56.7 %"),  # Eloseily 2020: a fall of 57 %, not the 43 % that remain
        ("crp", "206 mg/L", "68 mg/L", "-67 %"),  # Rajasekaran 2014 prints 67.1, from unrounded values
        ("platelets", "47.5 G/L", "85.5 G/L", "+80 %"),
        ("ferritin", ">20000 ng/mL", "500 ng/mL", "fall > 97.5 %"),
        ("ferritin", "400 ng/mL", ">20000 ng/mL", "rise > 4900 %"),
        ("ferritin", "1000 ng/mL", "500-1500 ng/mL", "between -50 % and +50 %"),
        ("ferritin", "1000 ng/mL", "1 ug/L", "-99.9 %"),
        ("ferritin", "<10 ng/mL", "5 ng/mL", "-50 % or above"),
        ("ferritin", "1000 ng/mL", "1000 ug/L", "0 %"),
    ],
)
def test_percent(name, before, now, text):
    """The change is of the baseline, with its sign; a bound gives a bound."""
    assert change(name, seen(name, before), seen(name, now)).text == text


@pytest.mark.parametrize(
    ("rule", "before", "now", "expected"),
    [
        ("sil2r falls > 1.5-fold", "9000 U/mL", "6000 U/mL", "not met"),  # exactly 1.5-fold
        ("sil2r falls > 1.5-fold", "9000 U/mL", "5999 U/mL", "met"),
        ("sil2r falls >= 1.5-fold", "9000 U/mL", "6000 U/mL", "met"),
        ("sil2r falls >= 25 %", "10000 U/mL", "7500 U/mL", "met"),
        ("sil2r falls < 25 %", "10000 U/mL", "7500 U/mL", "not met"),
        ("sil2r falls < 25 %", "10000 U/mL", "7501 U/mL", "met"),
        ("sil2r falls < 25 %", "10000 U/mL", "50000 U/mL", "met"),  # a rise is no fall of 25 %
        ("sil2r rises > 2-fold", "3000 U/mL", "6000 U/mL", "not met"),
        ("sil2r rises > 2-fold", "3000 U/mL", "6001 U/mL", "met"),
        ("neutrophils rises >= 100 %", "0.4 G/L", "800 /uL", "met"),
        ("neutrophils rises >= 100 %", "0.4 G/L", "799 /uL", "not met"),
        ("ferritin falls >= 25 %", "1000 ng/mL", "1685.25 pmol/L", "met"),  # 750 ng/mL to the last digit
        ("ferritin falls >= 25 %", "1000 ng/mL", "1685.26 pmol/L", "not met"),
        ("ferritin falls >= 25 %", ">1000 ng/mL", "750 ng/mL", "met"),
        ("ferritin falls >= 25 %", ">1000 ng/mL", "800 ng/mL", "unknown"),
        ("ferritin falls >= 25 %", "elevated", "100 ng/mL", "unknown"),
        ("ferritin falls >= 25 %", "1000 ng/mL", "normal", "unknown"),
        ("ferritin falls >= 25 %", "1000 ng/mL", "not done", "unknown"),
        ("ferritin falls >= 25 %", "pending", "100 ng/mL", "unknown"),
        ("ferritin falls >= 25 %", "0 ng/mL", "100 ng/mL", "unknown"),  # of nothing there is no percentage
        ("sil2r falls >= 25 %", "9000 U/mL", "900 pg/mL", "unknown"),  # another assay
        ("ferritin rises from nadir", "1000 ng/mL", "1001 ng/mL", "met"),
        ("ferritin rises from nadir", "1000 ng/mL", "1000 ng/mL", "not met"),
        ("ferritin rises from nadir", "normal", "elevated", "met"),
        ("ferritin rises from nadir", "1000 ng/mL", "rising", "met"),
        ("ferritin rises from nadir", "elevated", "elevated", "unknown"),
        ("ferritin falls >= 96 % from peak", "10000 ng/mL", "400 ng/mL", "met"),
        ("ferritin falls >= 96 % from peak", "10000 ng/mL", "401 ng/mL", "not met"),
        ("ferritin falls", "1000 ng/mL", "falling", "unknown"),  # a trend says nothing of the baseline
    ],
)
def test_edges(rule, before, now, expected):
    """Operators hold to the digit, and what cannot be said is unknown."""
    assert status(rule, before, now) == expected


def test_a_normal_baseline_gives_no_improvement():
    """Within the laboratory's limits a fall is no improvement; a rise from there is one to tell."""
    limits = Interval(None, Fraction(1000), hi_open=True)
    assert status("sil2r falls >= 25 %", "900 U/mL", "300 U/mL", limits) == "unknown"
    assert status("sil2r falls >= 25 %", "1000 U/mL", "300 U/mL", limits) == "met"
    assert status("sil2r rises > 2-fold", "900 U/mL", "4500 U/mL", limits) == "met"
    assert status("sil2r falls >= 25 %", "normal", "300 U/mL") == "unknown"


def test_assays():
    """Two assays that are named and differ are not compared, even in one unit."""
    assert change("sil2r", seen("sil2r", "9000 U/mL", assay="A"), seen("sil2r", "900 U/mL", assay="B")).ratio is None
    assert change("sil2r", seen("sil2r", "9000 U/mL", assay="A"), seen("sil2r", "900 U/mL", assay="A")).text == "-90 %"


def test_temperature_has_no_percentage():
    """39 °C is not 5 % more than 37 °C; that it fell can be said."""
    moved = change("temperature", seen("temperature", "39 C"), seen("temperature", "98.6 F"))
    assert (moved.ratio, moved.direction) == (None, -1)


numbers = st.integers(1, 40)


@st.composite
def intervals(draw):
    """An interval of positive numbers, and a number in it."""
    lo, hi = sorted((draw(numbers), draw(numbers)))
    inside = Fraction(draw(st.integers(lo * 7, hi * 7)), 7)
    form = draw(st.sampled_from(["point", "range", "above", "below"]))
    if form == "point":
        return str(lo), Fraction(lo)
    if form == "above":
        return f">{lo}", Fraction(hi + 1)
    if form == "below":
        return f"<{hi + 1}", inside
    return f"{lo}-{hi}", inside


@given(intervals(), intervals(), st.sampled_from([">=", ">", "<", "<="]), st.integers(1, 99), st.sampled_from(["falls", "rises"]))
def test_every_true_change_is_in_the_interval(before, now, operator, percent, word):
    """Whatever the true values are, their change lies in the interval, and a decided rule is right for them."""
    (was_text, was), (is_text, is_) = before, now
    found = change("ferritin", seen("ferritin", f"{was_text} ng/mL"), seen("ferritin", f"{is_text} ng/mL"))
    true = is_ / was
    assert found.ratio.compare(">=", true) is not Status.NOT_MET
    assert found.ratio.compare("<=", true) is not Status.NOT_MET
    assert found.direction in (None, (true > 1) - (true < 1))
    lost = (1 - true if word == "falls" else true - 1) * 100
    truly = {">=": lost >= percent, ">": lost > percent, "<": lost < percent, "<=": lost <= percent}[operator]
    said = status(f"ferritin {word} {operator} {percent} %", f"{was_text} ng/mL", f"{is_text} ng/mL")
    assert said in ("unknown", "met" if truly else "not met")


def test_percent_text_of_all_there_is():
    """Nothing known of the change is not written as a number."""
    assert percent_text(Interval(Fraction(0), None)) == "not known"

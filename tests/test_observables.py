"""The table of observables: exact factors, spellings, plausible limits."""

import json
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from command import hlhcli

from hlhcli import observables
from hlhcli.errors import UnknownName
from hlhcli.observations import read
from hlhcli.quantity import BadQuantity, point
from hlhcli.render.vocabulary import vocabulary
from hlhcli.yamltree import parse

FAMILIES = list(parse(observables.TABLE.read_bytes(), "observables.yaml")["families"])
ODDITIES = Path(__file__).parents[2] / "shared" / "data" / "formats" / "oddities.json"

# g/mol, for the families whose units lie on both sides of mass and amount: the factor must be the published one.
MOLAR_MASS = {
    ("triglycerides", "mg/dL"): "885.7",
    ("fibrinogen", "umol/L"): "340000",
    ("hemoglobin", "mmol/L"): "16113.4",
    ("ferritin", "pmol/L"): "445037",
    ("ferritin", "nmol/L"): "445037",
    ("bilirubin", "umol/L"): "584.66",
    ("creatinine", "umol/L"): "113.12",
    ("bun", "mmol/L"): "28.014",
}


@pytest.fixture(scope="module")
def registry():
    ucumvert = pytest.importorskip("ucumvert")
    return ucumvert.PintUcumRegistry(non_int_type=Decimal)


@pytest.mark.parametrize("name", FAMILIES)
def test_factors_agree_with_ucum(name, registry):
    """Every factor equals what UCUM says of the unit, computed in decimals; between mass and amount, through the molar mass."""
    family = observables.family(name)

    def one(code):
        made = registry.from_ucum(code)
        if isinstance(made, (int, Decimal)):  # some versions give a bare number for the unit 1
            return registry.Quantity(Decimal(made), "")
        return registry.Quantity(Decimal(str(getattr(made, "magnitude", 1))), getattr(made, "units", made))

    first = one(family.first.ucum)
    for unit in family.units.values():
        other = one(unit.ucum)
        if unit.less:
            assert registry.Quantity(Decimal("101.3"), other.units).to(first.units).magnitude == Decimal("38.5")
            assert unit.convert(point(Fraction("101.3")), family.first) == point(Fraction("38.5"))
        elif other.dimensionality == first.dimensionality:
            assert Fraction(other.to(first.units).magnitude / first.magnitude) == unit.factor, unit.name
        elif not unit.apart:
            mass = Fraction(MOLAR_MASS.get((name, unit.name)) or MOLAR_MASS[name, "mg/dL"])
            amount = {"mmol/L": 1, "umol/L": Fraction(1, 10**3), "nmol/L": Fraction(1, 10**6), "pmol/L": Fraction(1, 10**9)}
            in_mg = {"mg/dL": 10, "g/L": 1000, "g/dL": 10_000, "ng/mL": Fraction(1, 1000)}
            ours, theirs = unit.name, family.first.name
            expected = amount[ours] * mass / in_mg[theirs] if ours in amount else in_mg[ours] / (amount[theirs] * mass)
            assert abs(expected / unit.factor - 1) < Fraction(1, 20_000), unit.name


# Spellings of real reports, by the unit that they mean.
SPELLINGS = {
    (
        "platelets",
        "10*9/L",
    ): "G/L|G/l|10^9/L|×10⁹/L|x10^9/L|× 109/l|109/L|10e9/L|x10e9/L|10x9/L|x 10×9/L|10^9/ L|*10^9/L|cells*109L|count, ×10^9 /L",
    (
        "platelets",
        "10*3/uL",
    ): "K/uL|k/uL|K/µL|K/μl|K/mcL|k/cmm|×103/uL|x103/μL|103/µL|× 103/mm3|103/mm3|× 1000 cells/µL|x1000/μl|1000/ul"
    "|10e3/ul|10**3/ul|x10(3)/ul|10x3/mm3|10*3/uL|thou/mm3|thou/cumm|thousand/uL|Thousand/uL",
    ("platelets", "10*4/uL"): "104/μL|×104/µL|x104 /μL|10^4/uL|×10⁴/µL",
    ("platelets", "10*5/uL"): "lakh/cumm|lac/cumm|105/uL",
    ("platelets", "/uL"): "/mm3|/mm 3|/uL|/µL|cells/cumm|cel/μL|no/mm3|unit/uL|1/µL|per μL|mm^3|/cu.mm",
    ("hemoglobin", "g/dL"): "g/dl|gm/dL|g %|g%|G/DL",
    ("hemoglobin", "g/L"): "g/l|gm/L",
    ("ferritin", "ug/L"): "µg/L|μg/L|ug/l|mcg/L",
    ("ferritin", "ng/mL"): "ng/ml|NG/ML",
    ("triglycerides", "mg/dL"): "mg/dl|MG/DL",
    ("triglycerides", "g/L"): "g/l",
    ("fibrinogen", "g/L"): "g/l|gm/L",
    ("sil2r", "U/mL"): "units/ml|IU/ml|UI/mL|U/ml|[IU]/mL",
    ("sil2r", "ng/L"): "ng/l",
    ("ast", "U/L"): "IU/L|UI/L|UI/l|Units/L|unit/L|u/l",
    ("temperature", "Cel"): "°C|℃|oC|C|c|ºC|celsius|degrees Celsius",
    ("temperature", "degF"): "°F|℉|F|degF|[degF]|fahrenheit",
    ("crp", "mg/L"): "mg/l|ug/mL|µg/ml",
}


@pytest.mark.parametrize(
    ("name", "unit", "spelling"),
    [(name, unit, spelling) for (name, unit), spellings in SPELLINGS.items() for spelling in spellings.split("|")],
)
def test_spelling(name, unit, spelling):
    """The spellings of a unit are that unit, and the value stays as it was written."""
    value = read(name, f"37.5 {spelling}")
    assert value.unit.name == unit
    assert value.text == f"37.5 {unit}"


MISPRINTS = [
    ("platelets", "x103/mL"), ("platelets", "×103/L"), ("platelets", "g/L"), ("neutrophils", "%"), ("ferritin", "ng/dL"),
    ("ferritin", "mg/l"), ("ferritin", "µg/dl"), ("ferritin", "ml/ng"), ("fibrinogen", "U/L"), ("sil2r", "μg/mL"), ("ast", "µ/L"),
    ("ldh", "mmol/L"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "spelling"), MISPRINTS)
def test_a_unit_that_cannot_be_right_is_refused(name, spelling):
    """A misprinted unit is named or explained, never taken for the likely one."""
    with pytest.raises(BadQuantity, match=r"unknown unit|misprint|write|not an absolute count"):
        read(name, f"100 {spelling}")


@pytest.mark.skipif(not ODDITIES.exists(), reason="the collection of odd input is not here")
def test_collected_spellings():
    """Every unit seen in real tables is accepted, unless it is marked as an error there or says nothing of a unit."""
    kinds = {
        "count units": "count",
        "hemoglobin units": "hemoglobin",
        "fibrinogen units": "fibrinogen",
        "sIL-2R / sCD25 units": "sil2r",
    }
    refused = []
    for entry in json.loads(ODDITIES.read_text(encoding="utf-8")):
        if name := kinds.get(entry["kind"]):
            seen = [
                text
                for text in entry["seen"]
                if "error" not in text and " as " not in text and "row" not in text and "'" not in text
            ]
            refused += [text for text in seen if not observables.family(name).find(text.replace(" (UCUM)", ""))]
    assert not refused


@pytest.mark.parametrize(
    ("name", "text", "slip"),
    [
        ("hemoglobin", "90 g/dL", "90 g/L"),
        ("fibrinogen", "2.5 mg/dL", "2.5 g/L"),
        ("fibrinogen", "250 g/L", "250 mg/dL"),
        ("triglycerides", "265 mmol/L", "265 mg/dL"),
        ("temperature", "101.3 C", "101.3 degF"),
        ("temperature", "38.5 F", "38.5 Cel"),
        ("platelets", "133000 G/L", "133000 /uL"),
        ("platelets", "34 /uL", "34 10*9/L"),
        ("platelets", "250 /uL", "250 10*9/L"),
        ("hemoglobin", "12 g/L", "12 g/dL"),
        ("fibrinogen", "6 mg/dL", "6 g/L"),
        ("leukocytes", "9.000 /uL", "9.000 10*9/L"),
        ("ast", "0.8 U/L", "0.8 ukat/L"),
    ],
)
def test_the_likely_slip(name, text, slip):
    """A value that is hardly possible is flagged with the unit that was probably meant."""
    value = read(name, text)
    assert f"did you mean {slip}?" in observables.implausible(observables.get(name), value.interval, value.unit, value.text)


@pytest.mark.parametrize(
    ("name", "text"),
    [("leukocytes", "0 G/L"), ("platelets", "1 G/L"), ("ferritin", ">20000 ng/mL"), ("ferritin", "200000 ng/mL"), ("hemoglobin", "3 g/dL"),
     ("temperature", "102 F"), ("neutrophils", "0.0 /uL"), ("neutrophils", "50 /uL"), ("lymphocytes", "80 /uL"), ("fibrinogen", "20 mg/dL"), ("hemoglobin", "25 g/L"), ("sil2r", "35,300 U/mL")],
)  # fmt: skip
def test_the_tails_are_not_flagged(name, text):
    """HLH lives in the tails: extreme but possible values raise no doubt, and zero is a value."""
    value = read(name, text)
    assert observables.implausible(observables.get(name), value.interval, value.unit, value.text) is None


def test_an_unknown_observable_is_named():
    """A misspelled observable is answered with the nearest one."""
    with pytest.raises(UnknownName, match="did you mean 'ferritin'"):
        observables.resolve("feritin")


def test_aliases_are_unambiguous():
    """No alias stands for two observables, and every observable has units or values that can be read."""
    tree = parse(observables.TABLE.read_bytes(), "observables.yaml")["observables"]
    names = [name for key, entry in tree.items() for name in (key, *entry.get("aliases", "").split())]
    assert len(names) == len(set(names))
    for name in observables.names():
        observable = observables.get(name)
        if observable.family:
            assert observable.units.find(observable.conventional)
            assert observable.units.find(observable.si)


def test_no_spelling_means_two_units_of_a_family():
    """A spelling belongs to one unit only."""
    table = parse(observables.TABLE.read_bytes(), "observables.yaml")["families"]
    for name in FAMILIES:
        keys = {}
        for unit, entry in table[name].items():
            if unit != "misprints":
                for spelling in (unit, *entry.get("also", "").split()):
                    assert keys.setdefault(observables.unit_key(spelling), unit) == unit, (name, spelling)
        assert not {observables.unit_key(m) for m in table[name].get("misprints", {})} & set(keys)


LISTED = {
    name: [each.strip() for each in written.split(",")]
    for name, written in re.findall(r"^  (\w+) +(\S.*(?:\n {10}.*)*)", vocabulary(), re.MULTILINE)
}


def test_all_observables_are_listed():
    """With what may be written for each, in 80 columns."""
    assert sorted(LISTED) == sorted(observables.names())
    assert max(map(len, vocabulary().splitlines())) <= 80


@pytest.mark.parametrize("name", LISTED)
def test_what_the_list_says_can_be_written(name):
    """Each unit with a number, each word alone."""
    for each in [*LISTED[name], "pending", "not done", "unknown"]:
        quantity = observables.get(name).family and each in LISTED[name]
        assert read(name, f"12 {each.replace('a number', '')}".strip() if quantity else each) is not None


def test_one_observable():
    """By another of its names: all that is known of it, and what asks for it; a wrong name gets the right one."""
    said = hlhcli("observables", "scd25", "gcs").out
    first, second = said.split("\n\n")
    assert first.startswith("sIL-2R (sil2r)\n")
    assert "pg/mL, ng/L, ng/mL (a mass assay): not converted into the others" in first
    assert re.search(r"asked by +hlh-2004, ", first)
    assert second.splitlines()[0] == "Glasgow Coma Scale (gcs)"
    assert re.search(r"asked by +psofa$", second.strip())
    wrong = hlhcli("observables", "feritin")
    assert wrong.code == 2
    assert "did you mean 'ferritin'?" in wrong.err
    assert hlhcli("observables").out == vocabulary()

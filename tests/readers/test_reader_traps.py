"""What other tools get wrong with real inputs, each named by its row in the project's list of traps."""

import io
import json

import pytest

from hlhcli import criteria
from hlhcli.api import evaluate_document, read_input
from hlhcli.readers.detect import Source
from hlhcli.status import Status


def items(*resources):
    """The items of HLH-2004 at the first time point of these resources, and the books."""
    person = {"subject": {"reference": "Patient/p"}}
    lines = "\n".join(json.dumps(person | each) for each in resources) + "\n"
    loaded = read_input(Source("x", io.BytesIO(lines.encode())))
    result = evaluate_document(next(loaded.documents), [criteria.load("hlh-2004")])
    assert not list(loaded.documents)
    assert loaded.account.used + loaded.account.unused == loaded.account.read
    return {item.id: item for item in result.assessments[0].items}, loaded.account


def observation(code, value, unit=None, ucum=None, comparator=None, **more):
    quantity = {"value": value} | ({"unit": unit} if unit else {}) | ({"comparator": comparator} if comparator else {})
    quantity |= {"system": "http://unitsofmeasure.org", "code": ucum} if ucum else {}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "effectiveDateTime": "2016-05-02",
        "valueQuantity": quantity,
    } | more


FERRITIN, PLATELETS, TEMPERATURE, SIL2R = "2276-4", "777-3", "8310-5", "76039-7"


def test_e01_arbitrary_units_are_comparable_with_themselves():
    """U/mL and [IU]/mL of sIL-2R are one unit."""
    own = {"code": {"coding": [{"system": "urn:hlhcli:observable", "code": "sil2r"}]}}
    for unit in ("U/mL", "[IU]/mL", "[iU]/mL", "kU/L"):
        found, _ = items(observation(SIL2R, 9000, unit) | own)
        assert found["sil2r"].status is Status.MET


def test_e02_a_unit_without_a_code_is_a_unit():
    """US Core's blood counts have the unit as text alone."""
    found, _ = items(observation(PLATELETS, 38, "10*3/uL"), observation("718-7", 7.4, "g/dL"))
    assert found["cytopenias"].status is Status.MET


def test_e03_a_comparator_is_neither_refused_nor_dropped():
    """Above 300 can be above the cut-off or not; above 20,000 is."""
    assert items(observation(FERRITIN, 300, "ng/mL", comparator=">"))[0]["ferritin"].status is Status.UNKNOWN
    assert items(observation(FERRITIN, 20000, "ng/mL", comparator=">"))[0]["ferritin"].status is Status.MET
    assert items(observation(FERRITIN, 900, "ng/mL", comparator="<"))[0]["ferritin"].status is Status.UNKNOWN


def test_e04_another_dimension_is_never_compared():
    """A length is no mass per volume, and is told."""
    found, account = items(observation(FERRITIN, 900, "cm"))
    assert found["ferritin"].status is Status.UNKNOWN
    assert [kind.reason for kind in account.left] == ["unit not known here"]


def test_e09_zero_is_a_value():
    """No platelets are a count, not a gap."""
    found, _ = items(observation(PLATELETS, 0, "10*3/uL"), observation("751-8", 0, "10*3/uL"))
    assert found["cytopenias"].status is Status.MET


def test_u10_no_unit_is_unknown_and_never_a_guess():
    """38.9 is hardly Fahrenheit, and yet nobody said what it is."""
    found, account = items(observation(TEMPERATURE, 38.9))
    assert found["fever"].status is Status.UNKNOWN
    assert [kind.reason for kind in account.left] == ["no unit"]


def test_the_unit_is_not_inferred_from_the_code():
    """8310-5 says neither Celsius nor Fahrenheit; both are read as what they say."""
    assert items(observation(TEMPERATURE, 101.3, "[degF]"))[0]["fever"].status is Status.MET
    assert items(observation(TEMPERATURE, 101.2, "[degF]"))[0]["fever"].status is Status.NOT_MET
    assert items(observation(TEMPERATURE, 38.5, "Cel"))[0]["fever"].status is Status.MET


@pytest.mark.parametrize(
    "unit", ["K/uL", "x10^9/L", "G/L", "10*3/uL", "10*3{cells}/uL", "/mm3", "thou/mm3", "×10⁹/L", "{cells}/uL"]
)
def test_units_that_ucum_reads_otherwise_or_not_at_all(unit):
    """K/uL is no kelvin and G/L no gauss: a dictionary of spellings, not a grammar."""
    value = 38000 if unit in ("/mm3", "{cells}/uL") else 38
    found, account = items(observation(PLATELETS, value, unit), observation("718-7", 74, "g/L"))
    assert found["cytopenias"].status is Status.MET
    assert not account.left


def test_mmol_neutrophils_and_a_code_of_moles():
    """A contradiction between code and unit is told; the value is not silently either."""
    found, account = items(observation("751-8", 0.8, "mmol/L"))
    assert found["cytopenias"].status is Status.UNKNOWN
    assert account.left[0].what == "neutrophils in mmol/L"
    _, account = items(observation("14927-8", 310, "mg/dL"))
    assert account.remarks[0].reason == "unit that its code contradicts"


def test_a_correction_supersedes_and_an_error_goes():
    """The row that was right when it was sent is not right any more."""
    first = observation(FERRITIN, 9000, "ng/mL", id="f")
    assert items(first, observation(FERRITIN, 90, "ng/mL", id="f", status="corrected"))[0]["ferritin"].status is Status.NOT_MET
    found, account = items(
        first, observation(FERRITIN, 9000, "ng/mL", id="f", status="entered-in-error"), observation(PLATELETS, 38, "K/uL")
    )
    assert found["ferritin"].status is Status.UNKNOWN
    assert account.unused == 2


@pytest.mark.parametrize(
    "more",
    [{"modifierExtension": [{"url": "x", "valueBoolean": True}]}, {"implicitRules": "urn:x"}, {"status": "done"}, {"status": None}],
)
def test_a_value_whose_meaning_is_not_known_keeps_the_criterion_open(more):
    """300 beside a value that an extension or a strange status changes in its meaning does not exclude what that may be."""
    found, account = items(observation(FERRITIN, 300, "ng/mL"), observation(FERRITIN, 9000, "ng/mL", **more))
    assert found["ferritin"].status is Status.UNKNOWN
    assert account.unused == 1

"""What a text says of an observable: a value, a word, or the reason why nothing is known."""

import pytest

from hlhcli.observations import Finding, Missing, Qualitative, Quantity, read, read_entry
from hlhcli.quantity import BadQuantity


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *[(text, "not done") for text in ("not done", "nd", "ND", "NA", "N/A", "Not sent", "Not determined", "Not measured", "–", "−", "-", "…")],
        ("pending", "pending"), ("hemolyzed", "unreadable"), ("QNS – Quantity Not Sufficient", "unreadable"), ("unknown", "unknown"),
        ("", "not stated"), ("null", "not stated"), ("~", "not stated"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["ferritin", "splenomegaly", "nk_activity"])
def test_reasons_for_nothing_known(name, text, reason):
    """Not done, pending, unreadable and not stated are separate reasons, for a finding as for a quantity."""
    assert read(name, text) == Missing(reason)


@pytest.mark.parametrize(("text", "word"), [("normal", "normal"), ("WNL", "normal"), ("elevated", "elevated"), ("low", "low")])
def test_words_for_a_quantity(text, word):
    """A word where a number is measured is kept as a word."""
    value = read("fibrinogen", text)
    assert isinstance(value, Qualitative)
    assert value.text == word


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("splenomegaly", "yes", {"yes"}), ("splenomegaly", "Present", {"yes"}), ("splenomegaly", "negative", {"no"}),
        ("splenomegaly", "absent", {"no"}), ("hemophagocytosis", "yes", {"marrow"}), ("hemophagocytosis", "bone marrow", {"marrow"}),
        ("hemophagocytosis", "marrow and liver", {"marrow", "liver"}), ("hemophagocytosis", "absent", {"no"}),
        ("nk_activity", "absent", {"absent"}), ("nk_activity", "reduced", {"low"}), ("nk_activity", "normal", {"normal"}),
    ],
)  # fmt: skip
def test_findings(name, text, values):
    """Yes and no in their spellings; sites and levels by name. Absent NK activity is a finding, an absent spleen is none."""
    value = read(name, text)
    assert isinstance(value, Finding)
    assert value.values == values


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("splenomegaly", "5 cm", "spleen_size: 5 cm"), ("splenomegaly", "maybe", "write yes, no"), ("nk_activity", "yes", "write low, absent, normal"),
        ("hemophagocytosis", "marow", "did you mean 'marrow'"), ("ferritin", "12", "write for example 12 ng/mL"), ("ferritin", ">12", 'write for example ">12 ng/mL"'),
        ("ferritin", "12 ng/mL (d 3)", "unknown unit"), ("ferritin", "410, 560, 700", "write one value"), ("sil2r", "23 mmol/L", "accepted are U/mL"),
        ("ferritin", "lots", "no number"), ("platelets", "90 103/uL", "two ways"), ("ferritin", "x" * 300, "too long"),
    ],
)  # fmt: skip
def test_what_to_write_instead(name, text, hint):
    """Text that cannot be read is answered with what can."""
    with pytest.raises(BadQuantity) as caught:
        read(name, text)
    assert hint in str(caught.value)


def test_a_bare_number_means_what_the_file_declares():
    """With `units`, a number without a unit is in that convention; with neither it is refused."""
    assert read("triglycerides", "265", units="conventional").text == "265 mg/dL"
    assert read("triglycerides", "3.0", units="si").text == "3.0 mmol/L"
    with pytest.raises(BadQuantity, match="has no unit"):
        read("triglycerides", "265")


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"value": "4100 pg/mL", "reference": "<1000"}, "4100 pg/mL"),
        ({"value": 4100, "unit": "pg/mL", "comparator": ">"}, ">4100 pg/mL"),
        ({"value": "> 4,100", "unit": "pg/ml"}, ">4100 pg/mL"),
        ({"value": "not done"}, "not done"),
        ({"value": "elevated", "unit": "U/mL"}, "elevated"),
    ],
)
def test_entries_with_keys(entry, text):
    """A value may be written apart from its unit, comparator and reference."""
    assert read_entry("sil2r", entry)[0].text == text


def test_the_reference_is_in_the_unit_of_the_value():
    """A laboratory's range is kept, in the unit of the value."""
    value, note = read_entry("sil2r", {"value": "4.1 ng/mL", "reference": "200-1000 pg/mL", "note": "ELISA"})
    assert isinstance(value, Quantity)
    assert value.reference == read("sil2r", "0.2-1 ng/mL").interval
    assert note == "ELISA"


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        ({"valu": 3}, "did you mean 'value'"), ({"value": "3 U/mL", "unit": "pg/mL"}, "twice"), ({"value": [1, 2]}, "one value"),
        ({"value": "3 U/mL", "reference": "5 pg/mL"}, "cannot be converted"), ([3, 4], "expected one value here"),
    ],
)  # fmt: skip
def test_bad_entries(entry, hint):
    """A mistake inside an entry is told as such."""
    with pytest.raises(BadQuantity) as caught:
        read_entry("sil2r", entry)
    assert hint in str(caught.value)

"""Cells as they are in real tables: what is read, and what is left to a person."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hlhcli.observations import WORDS
from hlhcli.quantity import BadQuantity, fold, readings
from hlhcli.readers.cells import Piece, Unclear, decimal_mark, is_unit, pieces


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("31 (d 12)", [Piece("31", note="d 12", moment="12")]),
        ("9.4 (d3); nadir 6.1 (d11)", [Piece("9.4", note="d3", moment="3"), Piece("6.1", note="nadir, d11", moment="11")]),
        ("9.4 (d3); Nadir 6.1 (d11)", [Piece("9.4", note="d3", moment="3"), Piece("6.1", note="nadir, d11", moment="11")]),
        ("d3: 9.4; d11: 6.1", [Piece("9.4", note="d3", moment="3"), Piece("6.1", note="d11", moment="11")]),
        ("nadir of 6.1 day 11", [Piece("6.1", note="nadir, day 11", moment="11")]),
        ("6.1 (nadir, d11)", [Piece("6.1", note="nadir, d11", moment="11")]),
        ("9.4 at wk 2", [Piece("9.4", note="at wk 2", moment="at wk 2")]),
        ("9.4 (2016-05-02)", [Piece("9.4", note="2016-05-02", moment="2016-05-02")]),
        ("9 % (d14)", [Piece("9", "%", note="d14", moment="14")]),
        ("410, 560, 700", [Piece("410"), Piece("560"), Piece("700")]),
        ("9.4\n6.1", [Piece("9.4"), Piece("6.1")]),
        ("145,000 (8–140 µg/L)", [Piece("145000", reference="8-140 μg/L")]),
        ("145,000 µg/L (8–140 µg/L)", [Piece("145000", "μg/L", "8-140 μg/L")]),
        ("9.2 g/dL [12.0-16.0]", [Piece("9.2", "g/dL", "12.0-16.0")]),
        ("9.2 (N: 12-16) L", [Piece("9.2", reference="12-16", note="flag L")]),
        ("4100 U/mL (ref <1000)", [Piece("4100", "U/mL", "<1000")]),
        ("normal (150-400)", [Piece("normal", reference="150-400")]),
        ("not done (d3)", [Piece("not done", note="d3", moment="3")]),
        ("450 (ng/mL)", [Piece("450", "ng/mL")]),
        ("450 ng/mL (FEU)", [Piece("450", "ng/mL FEU")]),
        ("60 mm[Hg]", [Piece("60", "mm[Hg]")]),
        ("39.5°C (103.1°F)", [Piece("39.5", "°C", note="also written as 103.1 °F")]),
        ("101.4°F (38.6 °C)", [Piece("101.4", "°F", note="also written as 38.6 °C")]),
        ("pending; 9.4", [Piece("pending"), Piece("9.4")]),
    ],
)
def test_values_packed_with_other_content(text, expected):
    """The value, its unit and its reference range are told from the day, the flag and the words around them."""
    assert pieces(text) == expected


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        (">50,000", ">50000", ""), (">40,000", ">40000", ""), ("<70", "<70", ""), ("> 30.5", ">30.5", ""), ("exceeded 2,400", ">2400", ""),
        ("over 120 000", ">120000", ""), ("≥1500", ">=1500", ""), ("21 400", "21400", ""), ("400\u2009000", "400000", ""), ("400\u00a0000", "400000", ""),
        ("26,000", "26000", ""), ("9.000", "9.000", ""), ("77,455.2", "77455.2", ""), ("31 500.5", "31500.5", ""), ("13-21", "13-21", ""),
        ("13 – 21", "13-21", ""), ("0", "0", ""), ("0.0", "0.0", ""), ("12.3 g/dL", "12.3", "g/dL"), ("12.3g/dL", "12.3", "g/dL"), ("9.2 gm/dL", "9.2", "gm/dL"),
        ("9.2 g %", "9.2", "g %"), ("14 × 109/l", "14", "x 109/l"), ("14 ×10⁹/L", "14", "x10^9/L"), ("3.0×104/μL", "3.0", "x104/μL"),
        ("130 000/mm3", "130000", "/mm3"), ("130 k/cmm", "130", "k/cmm"), ("190000 thou/mm3", "190000", "thou/mm3"), ("1.4 lakh/cumm", "1.4", "lakh/cumm"),
        ("145 x103/mL", "145", "x103/mL"), ("145 ×103/L", "145", "x103/L"), ("500 ng/dL", "500", "ng/dL"), ("33 µ/L", "33", "μ/L"), ("21 ml/ng", "21", "ml/ng"),
        ("38.8 ℃", "38.8", "°C"), ("39 oC", "39", "oC"), ("39.5 C", "39.5", "C"), ("39.5 (C)", "39.5", "C"), ("١٠٠.٤ °F", "100.4", "°F"),
        ("\u200e12.3", "12.3", ""), ("73.4 %", "73.4", "%"), ("1e3", "1e3", ""),
    ],
)  # fmt: skip
def test_numbers_and_units_as_written(text, value, unit):
    """A number loses its grouping, and its unit is what is written, right or not: the unit table decides."""
    assert pieces(text) == [Piece(value, unit)]


@pytest.mark.parametrize("flag", ["H", "L", "HH", "LL", "*", "A", "high", "LOW", "↑", "↓", "abnormal"])
def test_flags_are_notes(flag):
    """The laboratory's mark changes no value, wherever it stands."""
    for text in (f"12.3 {flag}", f"12.3 ({flag})", f"{flag} 12.3", f"12.3 mmol/L {flag}"):
        assert pieces(text) == [Piece("12.3", "mmol/L" if "mmol" in text else "", note=f"flag {flag}")]


def test_a_unit_is_no_flag():
    """5.2 g/L is grams per litre, not low; C is degrees, but a flag behind another unit."""
    assert pieces("5.2 g / L") == [Piece("5.2", "g / L")]
    assert pieces("5.2 mmol/L C") == [Piece("5.2", "mmol/L", note="flag C")]
    assert pieces("12.3H") == [Piece("12.3", note="flag H")]
    with pytest.raises(Unclear):
        pieces("12.3 h")  # hours


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("nd", "not done"), ("NA", "not done"), ("N/A", "not done"), ("Not done", "not done"), ("Not sent", "not done"), ("Not determined", "not done"),
        ("Not measured", "not done"), ("–", "not done"), ("−", "not done"), ("-", "not done"), ("…", "not done"), ("(blank)", "not done"), ("TNP", "not done"),
        ("pending", "pending"), ("hemolyzed", "unreadable"), ("HAEMOLYSED", "unreadable"), ("QNS", "unreadable"), ("Specimen Clotted", "unreadable"),
        ("QNS – Quantity Not Sufficient", "unreadable"), ("unknown", "unknown"), ("?", "unknown"),
        ("WNL", "normal"), ("normal", "normal"), ("Elevated", "elevated"), ("high", "elevated"), ("low", "low"), ("elevated, rising", "elevated, rising"),
    ],
)  # fmt: skip
def test_words_of_the_patient_file(text, value):
    """What says that nothing is known keeps its reason; a word for a value is no number."""
    assert pieces(text) == [Piece(value)]


@pytest.mark.parametrize("text", ["", " ", "\u00a0", "\u200b", "null", "not stated", "Not reported"])
def test_blank_is_not_stated(text):
    """A blank cell says nothing: no value, and no reason either."""
    assert pieces(text) == []


@pytest.mark.parametrize("text", ["#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!"])
def test_a_spreadsheets_error_is_unknown(text):
    """Something was there, and it is not known what."""
    assert pieces(text) == [Piece("unknown", note=text)]


def test_a_redaction_is_unknown():
    """MIMIC writes ___ for what was taken out."""
    assert pieces("___") == [Piece("unknown", note="redacted")]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("410/560/700", "several numbers in one cell"), ("120/80", "several numbers"), ("198/103/526 (AST/ALT/ALP)", "several analytes in one cell"),
        ("Neutrophils 73.4 %", "words before"), ("segmented 64 % + bands 14 %", "words before"), ("52% segmentados", "not understood"),
        ("BT: 38.8°C", "words before"), ("fibrin 90", "words before"), ("some", "4 characters"), ('"numerous"', "10 characters"), ("+++", "3 characters"),
        ("3.0×104", "not understood"), ("3.0 x10^4", "not understood"), ("90 103/uL", "a space that may group"), ("14 103/mL", "a space that may group"),
        ("39.5°C (101.4°F)", "do not agree"), ("39.5 (103.1)", "second number"), ("9.4 (12)", "second number"), ("9.2 g/dL (92 g/L)", "second number"),
        ("9,2", "'9,2' is ambiguous"), ("0,4", "ambiguous"), ("9.2.1", "cannot be read"), ("21-13", "reversed"), (">13-21", "comparator and a range"),
        ("-5", "negative"), ("<0", "below 0"), ("~500", "approximate"), ("ca. 500", "approximate"), ("about 500", "approximate"),
        ("> 39 (temp)", "brackets"), (">12 (INR)", "brackets"), ("< 10 (CD4)", "brackets"), ("9.2 (CSF)", "brackets"), ("9.2 (urine)", "brackets"),
        ("9, 2", "a comma and a space"), ("12, 9 mg/dL", "a comma and a space"), ("9.4 g/dL; 6.1", "unit with only some"),
        ("2016-05-02", "a date"), ("02/05/2016", "a date"), ("2 May 2016", "a date"), ("12 h", "not understood"), ("9.2 stable", "not understood"),
        ("9①", "no digit"), ("½", "no digit"), ("9²", "not understood"), ("\u202e12", "words before"), ("1\u00ad3", "not understood"), ("(d3)", "without a value"),
        ("normal (12)", "beside it"), ("9 (1-2) (3-4)", "two reference ranges"), ("9" * 31, "digits"), ("x" * 201, "201 characters"),
    ],
)  # fmt: skip
def test_what_is_unclear_says_why(text, why):
    """Nothing is guessed, and the reason tells a person what to do."""
    with pytest.raises(Unclear, match=re.escape(why)):
        pieces(text)


@pytest.mark.parametrize(
    ("fahrenheit", "agrees"),
    [("103.1", True), ("103.0", True), ("103.28", True), ("103.29", False), ("102.92", True), ("102.91", False)],
)
def test_a_temperature_and_its_conversion_agree_within_rounding(fahrenheit, agrees):
    """39.5 °C is 103.1 °F; a tenth of a degree Celsius may be lost in rounding, and no more."""
    text = f"39.5 °C ({fahrenheit} °F)"
    if agrees:
        assert pieces(text)[0].value == "39.5"
    else:
        with pytest.raises(Unclear, match="do not agree"):
            pieces(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9,2", "9.2"),
        ("0,4 g/L", "0.4"),
        ("1.234,5", "1234.5"),
        ("9.000", "9000"),
        ("31 500,5", "31500.5"),
        (">1.500,5", ">1500.5"),
        ("9,2-10,1", "9.2-10.1"),
    ],
)
def test_a_decimal_comma_where_it_is_declared(text, value):
    """The value has a decimal point then, and no grouping."""
    assert pieces(text, "comma")[0].value == value


def test_a_large_number_is_no_date():
    """20160502 could be one, but not where a value is expected."""
    assert pieces("20160502", "comma") == pieces("20160502") == [Piece("20160502")]


def test_a_list_with_decimal_commas():
    """A comma and a space part two values, a comma alone does not."""
    assert pieces("9,2, 8,1; 7", "comma") == [Piece("9.2"), Piece("8.1"), Piece("7")]


@pytest.mark.parametrize("name", ["Smith", "Dr. Smith", "smith/jones", "Smith 1970"])
def test_free_text_is_neither_repeated_nor_taken_for_a_unit(name):
    """A name beside a number reaches no message."""
    for text in (name, f"9.2 {name}", f"9.2 ({name})", f"{name} 9.2", f"9.2 g/dL; {name}"):
        with pytest.raises(Unclear) as caught:
            pieces(text)
        assert "mith" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["g/dL", "10^9/L", "x103/μL", "mm/h", "%", "°C", "cells/mm3", "ug/kg/min", "x 1000 cells/μL", "thou/cumm", "IU/L"]
)
def test_units(text):
    """Spellings of the unit table, and what has the shape of a unit."""
    assert is_unit(text)


@pytest.mark.parametrize("text", ["", "1", "12", "400", "stable", "and rising", "/560/700", "(d3)", "d3", "H", "x104", "-", "?"])
def test_no_units(text):
    """Digits, days, flags and words are no units."""
    assert not is_unit(text)


@pytest.mark.parametrize(
    ("samples", "delimiter", "expected"),
    [
        (["9,2", "12", "10,5"], ";", ("comma", 0)),
        (["0,45"], ",", ("comma", 0)),
        (["0,450"], ";", ("comma", 0)),  # no group begins with 0
        (["1.234,5"], ";", ("comma", 0)),
        (["1.234.567"], ";", ("comma", 0)),
        (["1234,567"], ";", ("comma", 0)),
        (["9,2", "1.200"], ";", ("comma", 1)),
        (["9.2"], ";", ("point", 0)),
        (["9.2 g/dL (d3)", "1,200"], ";", ("point", 1)),
        (["77,455.2"], ",", ("point", 0)),
        (["1,234,567"], ";", ("point", 0)),
        (["9.4; nadir 6.1"], "\t", ("point", 0)),
        (["0,4", "0.6"], ",", (None, 0)),
        (["0,4", "0.6", "1.000"], ";", (None, 1)),
        (["1,200", "9.000"], ";", (None, 2)),
        (["1,200", "9.000"], ",", ("point", 2)),
        (["1,200"], "\t", ("point", 1)),
        (["1,200"], "", ("point", 1)),
        (["12", "", "WNL", ">500"], ";", ("point", 0)),
        (["02.05.2016", "2.5.16", "1.2,3", "12:30.5"], ";", ("point", 0)),
        ([], ";", ("point", 0)),
    ],
)
def test_the_decimal_mark_that_a_file_shows(samples, delimiter, expected):
    """Only numbers that have one reading count; dates and what is no number do not."""
    assert decimal_mark(iter(samples), delimiter) == expected


@given(st.decimals(0, 10**11, allow_nan=False, places=3), st.sampled_from(["point", "comma"]))
def test_a_plain_number_is_read_as_the_rest_of_the_tool_reads_it(number, decimal):
    """Whatever way a cell takes, its value is that of the quantity it spells."""
    text = f"{number:f}"
    try:
        expected = readings(text, decimal)[0].text
    except BadQuantity:
        with pytest.raises(Unclear):
            pieces(text, decimal)
    else:
        assert pieces(text, decimal) == [Piece(expected)]


FRAGMENTS = st.sampled_from(
    ["9.4", "12", "1,200", "0,4", "31 500", ">", "<", "(", ")", "[", "]", "; ", ", ", "/", " ", "-", "d3", "day 11", "nadir", "H", "g/dL", "%", "°C", "°F",
     "x10^9/L", "ref ", "pending", "___", "#N/A", "\n", "٣", "⁹", "µg/L", "normal", "."]
)  # fmt: skip
CELLS = st.one_of(st.text(max_size=40), st.lists(FRAGMENTS, max_size=8).map("".join), st.sampled_from(WORDS))


@given(CELLS, st.sampled_from(["point", "comma"]))
@example("9①", "point")
@example("(" * 200, "point")
@example("1 " * 100, "point")
@example("(d1) " * 40, "point")
@example("nadir " * 33, "comma")
@example("9 (" + "d 1 " * 45 + "!)", "point")  # must not take every way to part the days
def test_any_text_is_read_without_loss_or_is_unclear(text, decimal):
    """Nothing else is raised; the digits of a cell that is read are all in its pieces; what is read has a value."""
    try:
        found = pieces(text, decimal)
    except Unclear:
        return
    assert all(piece.value for piece in found)
    assert digits(text) <= digits(" ".join(" ".join(piece) for piece in found))


def digits(text: str) -> Counter[str]:
    return Counter(c for c in fold(text) if c.isdecimal())


@given(st.lists(CELLS, max_size=5), st.sampled_from(",;\t|"))
def test_the_decimal_mark_of_any_text(samples, delimiter):
    """Any cells have a mark or none, and no more ambiguous ones than there are cells."""
    mark, ambiguous = decimal_mark(samples, delimiter)
    assert mark in ("point", "comma", None)
    assert ambiguous <= len(samples)

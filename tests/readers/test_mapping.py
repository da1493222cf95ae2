"""Mapping files: what is wrong is told at its place; a guess is marked as one and reads back as the same mapping."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tabled import facts

from hlhcli import observables
from hlhcli.errors import InputError
from hlhcli.readers import guess, mapping, table
from hlhcli.readers.headings import heading


@pytest.mark.parametrize(
    ("name", "observable", "unit"),
    [
        ("Ferritin (ng/mL)", "ferritin", "ng/mL"),
        ("ferritin_ng_ml", "ferritin", "ng/mL"),
        ("Ferritin, µg/L", "ferritin", "ug/L"),
        ("Ferritin.ng.mL", "ferritin", "ng/mL"),
        ("Serum ferritin", "ferritin", ""),
        ("Hb [g/dL]", "hemoglobin", "g/dL"),
        ("hb_g_dl", "hemoglobin", "g/dL"),
        ("hb", "hemoglobin", ""),
        ("PLT x10^9/L", "platelets", "10*9/L"),
        ("plt_10e9_l", "platelets", "10*9/L"),
        ("Platelets (K/µL)", "platelets", "10*3/uL"),
        ("wbc_k_per_ul", "leukocytes", "10*3/uL"),
        ("WBC (G/L)", "leukocytes", "10*9/L"),
        ("sIL-2R ([IU]/mL)", "sil2r", "U/mL"),
        ("sIL2R (pg/mL)", "sil2r", "pg/mL"),
        ("temp_c", "temperature", "Cel"),
        ("T (°C)", "temperature", "Cel"),
        ("T", "", ""),
        ("T (h)", "", ""),
        ("Temperature (°F)", "temperature", "degF"),
        ("ALT (SGPT)", "", ""),
        ("ast_u_l", "ast", "U/L"),
        ("D-dimer (ng/mL FEU)", "d_dimer", "ng/mL FEU"),
        ("2276-4", "ferritin", ""),
        ("loinc_777-3", "platelets", ""),
        ("Albumin, Serum", "albumin", ""),
        ("esr_mm_h", "esr", "mm/h"),
        ("fever", "fever", ""),
        # What is not certain by its text is nothing: a percentage, another specimen, a statistic, a misprint, a date.
        ("Neutrophils (%)", "", ""),
        ("Hemoglobin (urine)", "", ""),
        ("Pleural albumin", "", ""),
        ("ferritin_max", "", ""),
        ("Ferritin (ng/dL)", "", ""),
        ("ferritin_date", "", ""),
        ("hb_a1c", "", ""),
        ("wbc_g_l", "", ""),
        ("gcs_1", "", ""),
        ("9999-9", "", ""),
        ("x" * 300, "", ""),
    ],
)
def test_the_name_of_a_column_says_only_what_its_text_says(name, observable, unit):
    """Observable and unit come from the words of the header alone."""
    assert heading(name)[:2] == (observable, unit)


def test_every_name_and_unit_is_read_from_a_header():
    """Each observable is found by its name, alias and title, with each of its units in brackets."""
    for alias, name in observables.aliases().items():
        assert heading(alias).observable == name
    for name in observables.names():
        observable = observables.get(name)
        for unit in observable.family.units if observable.family else ():
            if unit != "1":
                assert heading(f"{name} ({unit})")[:2] == (name, unit)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("laout: wide\n", "m.yaml:1:1: unknown key 'laout'; did you mean 'layout'?"),
        ("layout: broad\n", "m.yaml:1:9: expected 'long' or 'wide' here"),
        ("columns:\n  A: feritin\n", "m.yaml:2:6: unknown observable 'feritin'; did you mean 'ferritin'?"),
        ("columns:\n  A: {observable: ferritin, unti: x}\n", "m.yaml:2:29: unknown key 'unti'; did you mean 'unit'?"),
        ("columns:\n  A: {observable: ferritin, unit: furlong}\n", "m.yaml:2:6: unknown unit 'furlong'"),
        ("columns:\n  A: {observable: fever, unit: Cel}\n", "m.yaml:2:6: a unit, reference or assay belongs to"),
        ('columns:\n  A: {observable: fever, choices: {"1": hot}}\n', "m.yaml:2:6: fever cannot be 'hot'"),
        ("columns:\n  A: {drug: aspirin}\n", "m.yaml:2:13: 'aspirin' is none of the HLH-directed drugs known here"),
        ("columns: [A]\n", "m.yaml:1:10: expected a mapping here"),
        ("columns:\n  A: [x]\n", "m.yaml:2:6: expected {observable"),
        ("layout: long\nvalue: V\n", "a long table needs 'analyte:'"),
        ("unit: U\n", "'unit' belongs to a long table"),
        ("encoding: ebcdic\n", "m.yaml:1:11: unknown encoding 'ebcdic'"),
        ("delimiter: x\n", "m.yaml:1:12: write the delimiter as comma"),
        ('sexes: {"1": man-ish}\n', "m.yaml:1:8: 'man-ish' is no sex"),
        ("age: A\nage_unit: furlong\n", "unknown unit 'furlong'"),
        ("patient: {column: x}\n", "m.yaml:1:10: expected one text here"),
        ("- a\n", "m.yaml:1:1: expected a mapping: keys such as"),
        ("timepoints: []\n", "m.yaml:1:1: this is a patient file"),
    ],
)
def test_what_is_wrong_in_a_mapping_is_told_at_its_place(text, expected):
    """Line, column, and what to write instead."""
    with pytest.raises(InputError) as caught:
        mapping.read_text(text, "m.yaml")
    assert expected in str(caught.value.problems[0])


def test_a_mapping_that_names_no_column_of_the_table_is_told_in_the_mapping():
    """All names that the table does not have, each at its line, with the nearest one."""
    with pytest.raises(InputError) as caught:
        facts("id,Ferritin\n1,2\n", "patient: idd\ncolumns:\n  Feritin: {observable: ferritin, unit: ng/mL}\n")
    assert [str(problem) for problem in caught.value.problems] == [
        "m.yaml:1:10: the table has no column 'idd'; did you mean 'id'?",
        "m.yaml:3:3: the table has no column 'Feritin'; did you mean 'Ferritin'?",
    ]


def test_a_mapping_is_loaded_from_a_file(tmp_path):
    """The file is read as its text; one that is not there is one problem."""
    path = tmp_path / "m.yaml"
    path.write_text("patient: id\ncolumns: {A: hb}\n", encoding="utf-8")
    assert mapping.load(path).columns["A"].observable == "hemoglobin"
    with pytest.raises(InputError, match="cannot be read"):
        mapping.load(tmp_path / "none.yaml")


def guessed(text):
    return table.guessed(io.BytesIO(text.encode()), "t.csv")


GUESSES = [
    "mrn;date;Hb [g/dL];ferritin;Weird: col;etoposide\n1;02.05.2016;9,2;20;x;yes\n2;13.05.2016;9,1;22;x;no\n",
    "patient_id,dob,sex,age_years,date,test,value,unit,low,high,specimen,status\n1,2010-01-02,F,6,2016-05-02,GLU,3,mmol/L,,,serum,final\n",
    "record_id,redcap_event_name,fever,bm___1,labs_complete\n1,a,1,0,2\n",
    'id,"a ""q"" \\ b",#x,- y,Ferritin (ng/mL)\n1,2,3,4,5\n',
    "id\n1\n",
]


@pytest.mark.parametrize("text", GUESSES)
def test_a_guess_is_marked_and_reads_back(text):
    """Every line that says something is marked as a guess, and the file means what was guessed."""
    found = guessed(text)
    written = guess.text(found)
    assert mapping.read_text(written, "g.yaml") == found
    for line in written.splitlines():
        if line.endswith(":") or line.startswith(("    observable", "    unit: ")):
            continue  # it belongs to the marked line above it
        assert "#" in line


def test_what_could_not_be_guessed_is_there_to_be_written():
    """A unit that is not stated, a column that is not known, codes without a meaning, an order of dates that does not show."""
    written = guess.text(guessed(GUESSES[0]))
    assert "    unit:  # not stated in the file: write it, for example ng/mL" in written
    assert '  "Weird: col":  # not known: write an observable' in written
    assert "decimal: comma  # guess: by how the numbers are written" in written
    written = guess.text(guessed('id,fever,hb\n1,yes,"9,2"\n1,yes,8.1\n'))
    assert "    choices:  # what codes in the cells stand for" in written
    assert "decimal:  # not certain: write point (9.2) or comma (9,2)" in written
    written = guess.text(guessed("Kürzel,hb (g/dL)\nab,9\n"))
    assert "patient:  # write the column that tells the patients apart, or: one\n" in written


def test_a_guess_that_was_completed_is_used():
    """The line that the guess leaves open is filled in, and the value has its unit."""
    text = "id,hb\n1,9.2\n"
    assert facts(text) == [("hemoglobin", "9.2", "", "")]
    completed = guess.text(guessed(text)).replace("unit:  #", "unit: g/dL  #")
    assert facts(text, completed) == [("hemoglobin", "9.2", "g/dL", "")]


@given(
    st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=12), min_size=1, max_size=6),
    st.sampled_from([",", ";", "\t"]),
)
def test_any_header_makes_a_guess_that_reads_back(names, delimiter):
    """Whatever the columns are called, the file is YAML and says the same."""
    header = delimiter.join('"' + name.replace('"', '""') + '"' for name in [*names, "Ferritin"])
    try:
        found = guessed(header + "\n" + delimiter.join("1" * (len(names) + 1)) + "\n")
    except InputError:
        return
    assert mapping.read_text(guess.text(found), "g.yaml") == found


@given(st.text(max_size=200))
def test_any_text_is_a_mapping_or_a_problem(text):
    """No text does anything else than to be read, or to be refused."""
    try:
        found = mapping.read_text(text, "m.yaml")
    except InputError:
        return
    assert isinstance(found, mapping.Mapping)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("day: 14", None),
        ("day: -3", None),
        ("timepoint: week 2", None),
        (f"day: {'9' * 5000}", "is no day"),
        ("day: soon", "is no day"),
        ("day: 2016-05-02", "'day' is one of the course"),
        (f"timepoint: {'x' * 201}", "at most 200 characters"),
    ],
)
def test_the_moment_of_a_column_is_one(rule, expected):
    """A day of the course, or a name of reasonable length."""
    text = f"patient: id\ncolumns:\n  fer: {{observable: ferritin, {rule}}}\n"
    if expected is None:
        assert mapping.read_text(text, "m.yaml").columns["fer"].observable == "ferritin"
        return
    with pytest.raises(InputError, match=expected):
        mapping.read_text(text, "m.yaml")

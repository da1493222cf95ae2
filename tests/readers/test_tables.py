"""Long and wide tables: what a row or a cell says becomes a fact, or is counted with the reason why not."""

from __future__ import annotations

import datetime
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tabled import entries, facts, left, person, read, remarked

from hlhcli.errors import InputError
from hlhcli.readers import guess, table, therapies
from hlhcli.readers.account import Account
from hlhcli.readers.chart import latest
from hlhcli.readers.said import NO_COMPARATOR

LONG = "patient,date,test,value,unit\n"
WIDE = "patient,date,Ferritin (ng/mL),hb,fever\n"


def of_long(row, columns="", rules=None):
    return facts(f"patient,date,test,value,unit{columns}\n{row}\n", rules)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("1,2016-05-02,Ferritin,900,ng/mL", ("ferritin", "900", "ng/mL", "2016-05-02")),
        ('1,2016-05-02,2276-4,">20,000",ug/L', ("ferritin", ">20000", "ug/L", "2016-05-02")),
        ("1,2016-05-02,plt (10^9/L),20,", ("platelets", "20", "10*9/L", "2016-05-02")),
        ("1,2016-05-02,Platelets,20 K/uL,", ("platelets", "20", "K/uL", "2016-05-02")),
        ("1,2016-05-02,hb,9.2,", ("hemoglobin", "9.2", "", "2016-05-02")),
        ("1,2016-05-02,wbc,0,10*9/L", ("leukocytes", "0", "10*9/L", "2016-05-02")),
        ("1,2016-05-02,wbc,0.0,10*9/L", ("leukocytes", "0.0", "10*9/L", "2016-05-02")),
        ("1,2016-05-02,ast,13-21,U/L", ("ast", "13-21", "U/L", "2016-05-02")),
        ("1,2016-05-02,ferritin,pending,ng/mL", ("ferritin", "pending", "", "2016-05-02")),
        ("1,2016-05-02,ferritin,ND,ng/mL", ("ferritin", "not done", "", "2016-05-02")),
        ("1,2016-05-02,ferritin,hemolyzed,ng/mL", ("ferritin", "unreadable", "", "2016-05-02")),
        ("1,2016-05-02,ferritin,WNL,ng/mL", ("ferritin", "normal", "", "2016-05-02")),
        ("1,2016-05-02,ferritin,see the letter,ng/mL", ("ferritin", "unknown", "", "2016-05-02")),
        ("1,2016-05-02,fever,positive,", ("fever", "yes", "", "2016-05-02")),
        ("1,2016-05-02,hemophagocytosis,bone marrow,", ("hemophagocytosis", "marrow", "", "2016-05-02")),
        ("1,2016-05-02,fever,1,", ("fever", "unknown", "", "2016-05-02")),
        ("1,2016-05-02,ferritin,-5,ng/mL", ("ferritin", "unknown", "", "2016-05-02")),
    ],
)
def test_a_long_row_is_a_fact(row, expected):
    """The test by name, alias or LOINC code; the value and its unit as they are stated, never guessed."""
    assert of_long(row) == [expected]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,2016-05-02,Glucose,900,mg/dL", ("test not known here", "Glucose", 1)),
        ("1,2016-05-02,,900,mg/dL", ("no test named", "test", 1)),
        ("1,,Ferritin,900,ng/mL", ("no date", "date", 1)),
        ("1,2016-02-31,Ferritin,900,ng/mL", ("not in the calendar", "date", 1)),
        (",2016-05-02,Ferritin,900,ng/mL", ("no patient", "patient", 1)),
        ("1,2016-05-02,Ferritin,,ng/mL", ("no value", "ferritin", 1)),
        ("1,2016-05-02,Ferritin,1,200,ng/mL", ("row with more cells than the header: values may stand in the wrong column", "", 1)),
        ("1,2016-05-02,Hemoglobin (urine),1,g/dL", ("test not known here", "Hemoglobin (urine)", 1)),
    ],
)
def test_a_long_row_that_is_left_says_why(row, reason):
    """Each row is used or counted."""
    assert left(LONG + "1,2016-05-02,hb,9,g/dL\n" + row + "\n") == [reason]


@pytest.mark.parametrize(
    ("specimen", "test", "expected"),
    [
        ("Serum", "albumin", []),
        ("", "albumin", []),
        ("Pleural fluid", "albumin", [("not a specimen of blood", "albumin", 1)]),
        ("EDTA", "albumin", [("specimen not known here", "albumin", 1)]),
        ("CSF", "csf_cells", []),
        ("Bone marrow", "hemophagocytosis", []),
    ],
)
def test_quantities_are_of_blood_only(specimen, test, expected):
    """What was measured in another specimen is never taken; a finding may be of any."""
    value = "yes" if test == "hemophagocytosis" else "30"
    assert left(f"patient,date,test,value,specimen\n1,2016-05-02,{test},{value},{specimen}\n") == expected


@pytest.mark.parametrize(
    ("state", "used", "note"),
    [
        ("final", 1, ""),
        ("F", 1, ""),
        ("preliminary", 1, "preliminary result"),
        ("entered in error", 0, ""),
        ("in process", 1, "status in process"),
        ("Registered", 1, "status registered"),
        ("entered_in_error", 0, ""),
        ("Cancelled", 0, ""),
        ("X", 0, ""),
        ("strange", 0, ""),
    ],
)
def test_the_status_of_a_row_counts(state, used, note):
    """What was entered in error or cancelled is left; what is preliminary, or should have no value yet, says so."""
    rules = "layout: long\npatient: p\ntime: d\nanalyte: t\nvalue: v\nunit: u\nstatus: s\n"
    charts, _ = read(f"p,d,t,v,u,s\n1,2016-05-02,ferritin,900,ng/mL,{state}\n", rules)
    assert [fact.note for fact in entries(charts)] == [note] * used


def test_what_is_awaited_is_pending():
    """A row without a value, which is on its way."""
    assert facts("patient,date,test,value,status\n1,2016-05-02,sil2r,,registered\n") == [("sil2r", "pending", "", "2016-05-02")]


CORRECTED = "patient,date,test,value,unit,status\n"
FIRST, OTHER, SECOND = "1,2016-05-02,plt,90,K/uL,final\n", "1,2016-05-03,plt,80,K/uL,final\n", "1,2016-05-02,plt,9,K/uL,corrected\n"


@pytest.mark.parametrize("rows", [FIRST + OTHER + SECOND, SECOND + OTHER + FIRST, OTHER + FIRST + SECOND])
def test_a_correction_takes_the_place_of_its_row(rows):
    """In whatever order the rows stand; a row of another day stays."""
    charts, _ = read(CORRECTED + rows)
    holds, replaced = latest(entries(charts))
    assert sorted(fact.value for fact in holds) == ["80", "9"]
    assert [fact.value for fact in replaced] == ["90"]
    assert [fact.note for fact in holds if fact.value == "9"] == [
        f"corrected in row {2 + rows.split('corrected')[0].count('final')}"
    ]


def test_rows_of_one_day_do_not_replace_one_another():
    """Two final values of one day are two values; several values of one cell too."""
    charts, _ = read(CORRECTED + FIRST + FIRST.replace("90", "70") + '1,2016-05-02,ast,"31; 45",U/L,final\n')
    assert len(latest(entries(charts))[0]) == 4
    doubtful = "corrected, and several rows are of that moment: the last of them is replaced"
    assert doubtful in remarked(CORRECTED + FIRST + FIRST.replace("90", "70") + SECOND)


@pytest.mark.parametrize(
    ("columns", "cells", "expected"),
    [
        ("reference_range", "13-150", "13-150"),
        ("reference_range", "(13 - 150)", "13-150"),
        ("reference_range", "<1000", "<1000"),
        ("ref_range_lower,ref_range_upper", "13,150", "13-150"),
        ("ref_range_lower,ref_range_upper", ",150", "<=150"),
        ("ref_range_lower,ref_range_upper", "13,", ">=13"),
        ("reference_range", "see below", ""),
        ("ref_range_lower,ref_range_upper", "150,13", ""),
    ],
)
def test_the_reference_range_of_the_laboratory_is_kept(columns, cells, expected):
    """From one column or two; what cannot be read is told and not taken."""
    charts, account = read(f"patient,date,test,value,unit,{columns}\n1,2016-05-02,sil2r,900,U/mL,{cells}\n")
    assert [fact.reference for fact in entries(charts)] == [expected]
    assert ("reference range that is not understood" in [kind.reason for kind in account.remarks]) == (expected == "")


@pytest.mark.parametrize(
    ("comparator", "value", "expected"),
    [(">", "20000", ">20000"), ("", "20000", "20000"), ("=", "5", "5"), ("≤", "5", "<=5"), (">", ">5", ">5"), (">", "pending", "pending"),
     (">", "<5", None), ("~", "5", None), (">", "5-9", None)],
)  # fmt: skip
def test_the_comparator_has_a_column_of_its_own(comparator, value, expected):
    """It stands before the value; where it contradicts it, or is none, nothing is known of the value."""
    text = f"patient,date,test,comparator,value,unit\n1,2016-05-02,ferritin,{comparator},{value},ng/mL\n"
    assert [fact[1] for fact in facts(text)] == [expected or "unknown"]
    charts, account = read(text)
    assert account.left == []
    assert [each.reason for each in account.remarks if each.what == "ferritin"] == [NO_COMPARATOR] * (expected is None)
    assert [f"'{comparator}' beside {value} is not understood" in fact.note for fact in entries(charts)] == [expected is None]


@pytest.mark.parametrize(
    ("header", "cell", "unit", "value"),
    [
        ("Ferritin (ng/mL)", "900", "ng/mL", "900"),
        ("Ferritin (ng/mL)", "900 µg/L", "ng/mL", "900"),  # the same size
        ("Ferritin (ng/mL)", "900 pmol/L", "", "unknown"),
        ("Hb (g/L)", "9.2 g/dL", "", "unknown"),
    ],
)
def test_a_unit_that_is_stated_twice_and_differently_makes_the_value_unknown(header, cell, unit, value):
    """In the header and in the cell."""
    ((_, said, stated, _),) = facts(f"patient,date,{header}\n1,2016-05-02,{cell}\n")
    assert (said, stated) == (value, unit)


def test_the_unit_of_a_row_and_that_of_its_test_must_agree():
    """A test named with another unit than the row states."""
    assert of_long("1,2016-05-02,Hb (g/L),9.2,g/dL") == [("hemoglobin", "unknown", "", "2016-05-02")]
    rules = "layout: long\npatient: patient\ntime: date\nanalyte: test\nvalue: value\nunit: ng/mL\n"
    assert of_long("1,2016-05-02,ferritin,9,", rules=rules) == [("ferritin", "9", "ng/mL", "2016-05-02")]


def test_a_unit_that_the_code_contradicts_is_told():
    """Triglycerides under the code for moles, in mg/dL."""
    assert "unit that its code contradicts" in remarked(LONG + "1,2016-05-02,14927-8,200,mg/dL\n")


def test_local_codes_are_known_from_the_mapping():
    """With a unit, with choices; what is not listed stays unknown."""
    rules = (
        "layout: long\npatient: p\nday: d\nanalyte: t\nvalue: v\nmissing: ['-999']\n"
        "analytes:\n  '51200': {observable: ferritin, unit: ng/mL}\n  BM: {observable: hemophagocytosis, choices: {'1': spleen, '0': no}}\n"
    )
    text = "p,d,t,v\n1,0,51200,900\n1,0,bm,1\n1,3,BM,0\n1,3,51200,-999\n1,3,BM,7\n1,3,4,7\n"
    assert facts(text, rules) == [
        ("ferritin", "900", "ng/mL", "0"),
        ("hemophagocytosis", "spleen", "", "0"),
        ("hemophagocytosis", "no", "", "3"),
        ("ferritin", "unknown", "", "3"),
        ("hemophagocytosis", "unknown", "", "3"),
    ]
    assert left(text, rules) == [("test not known here", "4", 1)]


def test_a_wide_row_has_an_entry_for_each_cell_that_is_not_blank():
    """Blank is not stated: no fact, and nothing to count."""
    text = "mrn,date,Ferritin (ng/mL),hb,fever,Room,777-3\n1,2016-05-02,>20000,9.2,yes,12,\n2,2016-05-03,,,,,NA\n"
    assert facts(text) == [
        ("ferritin", ">20000", "ng/mL", "2016-05-02"),
        ("hemoglobin", "9.2", "", "2016-05-02"),
        ("fever", "yes", "", "2016-05-02"),
        ("platelets", "not done", "", "2016-05-03"),
    ]
    assert left(text) == [("column not known here", "Room", 1)]


@pytest.mark.parametrize(
    ("row", "reason", "number"),
    [
        ("1,2016-05-02,9,2,8,yes", "row with more cells than the header: values may stand in the wrong column", 4),
        (",2016-05-02,900,8,yes", "no patient", 3),
        ("1,,900,8,", "no date", 2),
        ("1,02/05/2016,900,8,", "day and month can be read in two ways; declare `dates: day-first` or `dates: month-first`", 2),
    ],
)
def test_the_cells_of_a_wide_row_that_is_left_are_counted(row, reason, number):
    """One reason for all cells of the row."""
    found = left(WIDE + row + "\n")
    assert {kind for kind, _, _ in found} == {reason}
    assert sum(count for _, _, count in found) == number


def test_codes_of_a_finding_are_read_by_the_mapping_alone():
    """1 is not yes: the words are, and what the mapping says."""
    text = "id,day,fever,splenomegaly\n1,0,1,no\n"
    assert facts(text) == [("fever", "unknown", "", "0"), ("splenomegaly", "no", "", "0")]
    assert "code without a meaning" in remarked(text)
    rules = 'patient: id\nday: day\ncolumns:\n  fever: {observable: fever, choices: {"1": yes, "0": no}}\n'
    assert facts(text, rules) == [("fever", "yes", "", "0"), ("splenomegaly", "no", "", "0")]


def test_a_column_can_belong_to_a_time_point():
    """One row for each patient, with a column for each day."""
    rules = "patient: id\ncolumns:\n  fer0: {observable: ferritin, unit: ng/mL, day: 0}\n  fer14: {observable: ferritin, unit: ng/mL, day: 14, reference: <300}\n"
    assert facts("id,fer0,fer14\n1,9000,700\n", rules) == [("ferritin", "9000", "ng/mL", "0"), ("ferritin", "700", "ng/mL", "14")]


def test_columns_that_shall_not_be_read_are_ignored_and_counted():
    """Also those whose name would be known."""
    assert left("id,day,hb\n1,0,9\n", "patient: id\nday: day\nignore: hb\n") == [("ignored by the mapping", "hb", 1)]


def test_treatments_are_read_from_columns():
    """Yes, a date, a dose; no is no treatment."""
    text = "id,date,etoposide,dex,Anakinra dose\n1,2016-05-02,yes,2016-04-30,100 mg\n2,2016-05-02,no,maybe,\n"
    rules = "patient: id\ntime: date\ncolumns:\n  dex: {drug: dexamethasone}\n  Anakinra dose: {drug: anakinra}\n"
    charts, _ = read(text, rules)
    assert [(each.drug, each.start, each.dose) for each in entries(charts)] == [
        ("etoposide", "2016-05-02", ""),
        ("dexamethasone", "2016-04-30", ""),
        ("anakinra", "2016-05-02", "100 mg"),
    ]
    assert left(text, rules) == [("treatment that was not given", "etoposide", 1), ("answer that is not understood", "dex", 1)]


@pytest.mark.parametrize("cell", ["0", "0 mg", "0.0 mg/kg", "0,0 mg/m2", "0mg", "no"])
def test_a_dose_of_nothing_is_no_treatment(cell):
    """Nor is it an answer that is not understood."""
    assert left(f'id,date,etoposide\n1,2016-05-02,"{cell}"\n') == [("treatment that was not given", "etoposide", 1)]


def test_a_treatment_that_is_ticked_at_each_visit_is_one_course():
    """From the first yes to the last, until a no."""
    text = "id,date,etoposide\n1,2016-05-02,yes\n1,2016-05-09,yes\n1,2016-05-16,no\n1,2016-08-01,yes\n"
    (chart,), account = read(text)
    courses = [(course.start, course.stop) for course in therapies.merged(chart.given, account)]
    assert courses == [("2016-05-02", "2016-05-09"), ("2016-08-01", "2016-08-01")]


@pytest.mark.parametrize(
    ("test", "comment", "doubted"),
    [
        ("platelets", "wrong patient!", True),
        ("platelets", "of the sibling", True),
        ("platelets", "Donor", True),
        ("platelets", "hemolyzed", True),
        ("platelets", "sample hämolytisch", True),
        ("platelets", "clotted", True),
        ("platelets", "invalid", True),
        ("albumin", "spot urine", True),
        ("albumin", "CSF", True),
        ("albumin", "pleural", True),
        ("fever", "mixed up", True),
        ("platelets", "not hemolyzed", False),
        ("platelets", "after transfusion", False),
        ("csf_cells", "CSF of the second tap", False),
        ("family_history", "a brother", False),
        ("platelets", "-", False),
    ],
)
def test_a_comment_can_put_a_value_in_doubt(test, comment, doubted):
    """Then it is left, and its words stay in the note."""
    value = "yes" if test in ("fever", "family_history") else "20"
    charts, _ = read(f"patient,date,test,value,comment\n1,2016-05-02,{test},{value},{comment}\n")
    (fact,) = entries(charts)
    assert fact.unread == ("comment that puts the value in doubt" if doubted else "")
    assert fact.note == (f"{value} ({comment})" if doubted else "" if comment == "-" else comment)


def test_a_treatment_in_doubt_is_left():
    """As a value is."""
    text = "patient,date,test,value,comment\n1,2016-05-02,etoposide,yes,wrong patient\n"
    assert left(text) == [("comment that puts the value in doubt", "etoposide", 1)]


def test_a_status_can_be_a_word_for_what_is_missing():
    """Hemolyzed is no status of a value that counts, and pending one of what is awaited."""
    rules = "layout: long\npatient: patient\ntime: date\nanalyte: test\nvalue: value\nstatus: status\n"
    text = "patient,date,test,value,status\n1,2016-05-02,plt,9,hemolyzed\n1,2016-05-02,sil2r,,pending\n"
    assert facts(text, rules) == [("sil2r", "pending", "", "2016-05-02")]
    assert left(text, rules) == [("status not known here", "platelets", 1)]


@pytest.mark.parametrize(
    ("day", "cell", "expected"),
    [
        ("0", "180 (d0); nadir 18 (d11)", [("180", "", "d0"), ("18", "value of another day in the cell", "18 10*3/uL (nadir, d11)")]),
        ("", "180 (d0); nadir 18 (d11)", [("180", "value of another day in the cell", "180 10*3/uL (d0)"), ("18", "value of another day in the cell", "18 10*3/uL (nadir, d11)")]),
        ("2016-05-02", "180 (2016-05-02); 18 (2016-05-13)", [("180", "", "2016-05-02"), ("18", "value of another day in the cell", "18 10*3/uL (2016-05-13)")]),
        ("0", "180; nadir 18", [("180", "", ""), ("18", "", "nadir")]),
        ("0", "31 (d 12)", [("31", "", "d 12")]),
    ],
)  # fmt: skip
def test_a_value_of_another_day_does_not_count_for_the_row(day, cell, expected):
    """Where a cell holds values of several days, those of others are left; its only value stays, and is told."""
    rules = "patient: id\ntime: day\ntimepoint: visit\n"
    text = f"id,day,visit,plt (K/uL)\n1,{day},v,{cell}\n"
    charts, _ = read(text, rules)
    assert [(fact.value, fact.unread, fact.note) for fact in entries(charts)] == expected
    assert ("value with a moment of its own in the cell" in remarked(text, rules)) == (len(expected) == 1)


def test_who_the_person_is():
    """Sex in words or by the mapping's codes, date of birth or age; what contradicts itself is not known."""
    head = "id,sex,dob,age_years,day,hb\n"
    found = person(head + "1,F,2010-03-04,6,0,9\n")
    assert (found.sex, found.birth_date, found.age) == ("female", "2010-03-04", "")
    found = person(head + "1,m,,6,0,9\n1,m,,7,300,9\n")
    assert (found.sex, found.birth_date, found.age) == ("male", "", "6 y")
    text = head + "1,m,2010-03-04,,0,9\n1,f,2011-03-04,,3,9\n1,m,2010-03-04,,5,9\n"
    assert (person(text).sex, person(text).birth_date) == ("", "")
    assert "sex that differs between the rows of one person" in remarked(text)
    assert person(head + "1,2,,,0,9\n").sex == ""
    rules = 'patient: id\nsex: sex\nsexes: {"1": male, "2": female}\nday: day\n'
    assert person(head + "1,2,,,0,9\n", rules).sex == "female"


@pytest.mark.parametrize(
    ("rows", "age"),
    [
        ("1,2 y,400,9\n1,11 mo,0,9\n1,1 y,100,9\n", "11 mo"),  # the newest row first
        ("1,6 y,2016-05-02,9\n1,5 y,2015-05-02,9\n", "5 y"),
        ("1,6 y,0,9\n1,6 y,300,9\n1,7 y,301,9\n", "6 y"),
        ("1,6.5 y,0,9\n1,6.6 y,10,9\n", "6.5 y"),
        ("1,6 y,0,9\n1,5 y,30,9\n", ""),
        ("1,6 y,0,9\n1,12 y,30,9\n", ""),
        ("1,6 y,0,9\n1,7 y,0,9\n", ""),
        ("1,6 y,0,9\n1,7 y,2016-05-02,9\n", ""),
    ],
)
def test_the_age_is_that_of_the_earliest_row(rows, age):
    """Whatever the order of the rows; ages that contradict one another are not known, and that is told."""
    rules = "patient: id\nage: age\ntime: when\n"
    assert person("id,age,when,hb\n" + rows, rules).age == age
    told = "ages of one person that contradict one another: none is taken"
    assert (told in remarked("id,age,when,hb\n" + rows, rules)) == (not age)


def test_ages_of_rows_without_a_time():
    """The same one is taken; of different ones nobody can say which came first."""
    assert person("id,age,visit,hb\n1,6 y,a,9\n1,6 y,b,9\n").age == "6 y"
    assert person("id,age,visit,hb\n1,6 y,a,9\n1,5 y,b,9\n").age == ""


def test_an_age_without_a_unit_is_not_guessed():
    """6 may be days or years."""
    text = "id,age,day,hb\n1,6,0,9\n"
    assert person(text).age == ""
    assert "age that is not understood" in remarked(text)
    assert person(text, "patient: id\nage: age\nage_unit: mo\nday: day\n").age == "6 mo"
    assert person("id,age,day,hb\n1,6 y,0,9\n").age == "6 y"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id;date;Hb (g/dL);Ferritin (ng/mL)\n1;2016-05-02;9,2;1.200\n", ["9.2", "1200"]),
        ("id,date,Hb (g/dL),Ferritin (ng/mL)\n1,2016-05-02,9.2,\"1,200\"\n", ["9.2", "1200"]),
        ("id\tdate\tHb (g/dL)\tFerritin (ng/mL)\n1\t2016-05-02\t9.2\t9,2\n", ["9.2", "9.2"]),  # both marks, each certain
        ("id;date;Hb (g/dL);Ferritin (ng/mL)\n1;2016-05-02;9;1.200\n", ["9", "unknown"]),  # not certain
    ],
)  # fmt: skip
def test_the_decimal_mark_is_found_from_the_numbers(text, expected):
    """And where it cannot be, what could be read in two ways is unknown."""
    assert [fact[1] for fact in facts(text)] == expected


def test_the_mapping_states_the_decimal_mark_and_the_order_of_dates():
    """What the mapping says outweighs what the table shows."""
    text = "id;date;Ferritin (ng/mL)\n1;02/05/2016;1.200\n"
    assert facts(text, "patient: id\ntime: date\ndecimal: comma\ndates: day-first\n") == [
        ("ferritin", "1200", "ng/mL", "2016-05-02")
    ]
    assert facts(text, "patient: id\ntime: date\ndecimal: point\ndates: month-first\n") == [
        ("ferritin", "1.200", "ng/mL", "2016-02-05")
    ]


def test_a_table_in_another_encoding_is_read():
    """Windows-1252, as spreadsheets write it."""
    text = "id;date;Temperature (°C);Ferritin (µg/L)\n1;2016-05-02;39,5;900\n".encode("cp1252")
    assert [fact[:3] for fact in facts(text)] == [("temperature", "39.5", "Cel"), ("ferritin", "900", "ug/L")]


def test_a_sheet_of_a_workbook_is_read():
    """The sheet that the mapping names; dates and numbers of the workbook are those that were typed."""
    book = pytest.importorskip("openpyxl").Workbook()
    book.active.append(["a", "b"])
    sheet = book.create_sheet("Labs")
    for cells in (["mrn", "date", "Hb (g/dL)"], ["1", datetime.date(2016, 5, 2), 9.2]):
        sheet.append(cells)
    book.save(stream := io.BytesIO())
    rules = "sheet: Labs\npatient: mrn\ntime: date\n"
    assert facts(stream.getvalue(), rules, excel=True) == [("hemoglobin", "9.2", "g/dL", "2016-05-02")]


def test_several_values_of_a_cell_are_several_facts():
    """Each counts, and keeps what stands beside it."""
    charts, account = read("id,date,Ferritin (ng/mL)\n1,2016-05-02,410; 560; 700\n")
    assert [fact.value for fact in entries(charts)] == ["410", "560", "700"]
    assert account.read == 3


def test_several_dates_in_a_row_are_told():
    """The first column that is filled counts."""
    rules = "patient: id\ntime: [drawn, resulted]\n"
    text = "id,drawn,resulted,hb\n1,2016-05-02,2016-05-03,9\n2,,2016-05-03,9\n"
    assert [fact[3] for fact in facts(text, rules)] == ["2016-05-02", "2016-05-03"]
    assert "row with several dates: the first counts" in remarked(text, rules)


def test_lasting_findings_without_a_time_hold_always():
    """A family history in a table without dates stands at no time point."""
    charts, _ = read("id,family_history,Ferritin (ng/mL)\n1,yes,900\n")
    (chart,) = charts
    assert [fact.observable for fact in chart.always] == ["family_history"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2\n", "no column is known here (2 columns); write"),
        ("Ferritin,Weird\n1,2\n", "no column is known to name the patient (columns: Weird)"),
        ("test,value\nferritin,2\n", "no column is known to name the patient"),
        ("id,patient_name,Ferritin\n1,A,2\n", "no column is known to name the patient (columns: id, patient_name)"),
        ("id,test,value\n1,hb,2\n2,plt,3\n3,hb,4\n", "no column is known to name the patient"),
        ("test,2016-05-02,2016-05-03\nferritin,2,3\n", "tests in rows"),
        ("hb,hb\n1,2\n", "is there twice"),
        ("", "the table is empty"),
    ],
)
def test_a_table_that_cannot_be_understood_is_refused(text, expected):
    """With what to write instead; patients are never run together because no column names them."""
    with pytest.raises(InputError) as caught:
        read(text)
    assert expected in str(caught.value)


def test_a_table_of_one_patient_needs_no_column_that_names_them():
    """If all of its columns are known."""
    assert len(facts("day,Ferritin (ng/mL),plt K/uL\n0,900,20\n3,800,30\n")) == 4


CHILDREN = "fever,splenomegaly,hb (g/dL)\nyes,no,7\nno,yes,9\nno,no,6\n"


@pytest.mark.parametrize(
    "text",
    [
        CHILDREN,
        "day,hb (g/dL)\n0,7\n0,8\n",  # two rows of one day
        "date,hb (g/dL)\n2016-05-02,7\n2016-05-02T10:00,8\n",
        "visit,hb (g/dL)\nfirst,7\nfirst,8\n",
        "day,sex,hb (g/dL)\n0,m,7\n3,f,8\n",
        "day,sex,hb (g/dL)\n0,1,7\n3,2,8\n",  # codes that nobody explained differ too
        "day,dob,hb (g/dL)\n0,2010-03-04,7\n3,2012-03-04,8\n",
        "day,age_years,hb (g/dL)\n0,4,7\n3,2,8\n",
        "day,age_years,hb (g/dL)\n0,2,7\n3,9,8\n",  # nobody grows so fast
        "day,age,hb (g/dL)\n0,2,7\n3,9,8\n",
        "age_months,hb (g/dL)\n2,7\n",
    ],
)
def test_rows_of_nobody_are_not_run_together(text):
    """One row is one patient; several are of one only if nothing speaks against it."""
    if text.count("\n") == 2:
        assert len(read(text)[0]) == 1
        return
    with pytest.raises(InputError, match=r"no column names the patient.*'patient: COLUMN' or 'patient: one'"):
        read(text)
    assert len(read(text, "patient: one\n")[0]) == 1


def test_a_table_without_a_header_shows_nothing_of_its_first_row():
    """What stands there is of a person."""
    for text in ("Mueller-XYZ,Geheim,7.8\n", "Mueller-XYZ,2016-05-02,Ferritin,900\n", "Mueller-XYZ,Geheim,Geheim\n"):
        with pytest.raises(InputError) as caught:
            read(text + "Meier,2016-05-02,Ferritin,900\n")
        assert "Mueller" not in str(caught.value)
        assert "Geheim" not in str(caught.value)
        assert "2016" not in str(caught.value)


def test_one_word_that_is_known_makes_a_column_that_of_the_status():
    """Rows with other words are left; a column without any known word is of something else."""
    text = "patient,date,test,value,unit,status\n1,2016-05-02,plt,9,K/uL,entered in error\n1,2016-05-02,plt,90,K/uL,Bestätigt\n1,2016-05-02,hb,9,g/dL,final\n"
    assert [fact[:2] for fact in facts(text)] == [("hemoglobin", "9")]
    assert sorted(left(text)) == [("status entered in error", "platelets", 1), ("status not known here", "platelets", 1)]
    assert len(facts("patient,date,test,value,unit,status\n1,2016-05-02,plt,9,K/uL,alive\n")) == 1


def test_what_is_told_of_a_table_repeats_no_value_and_no_name():
    """Reasons, columns and tests only; the text of a cell that is not understood stands in the note of its value."""
    text = "patient,date,Ferritin (ng/mL),fever,secret\nMueller-XYZ,2016-05-02,ask Dr Geheim,maybe Geheim,Geheim\n,2016-05-02,Geheim,Geheim,\n"
    charts, account = read(text)
    told = " ".join(f"{kind.reason} {kind.what}" for kind in [*account.left, *account.remarks])
    assert "Geheim" not in told
    assert "Mueller" not in told
    assert [fact.note for fact in entries(charts)] == [
        "'ask Dr Geheim': a text of 13 characters, not a value",
        "'maybe Geheim': an answer that is not understood",
    ]


@pytest.mark.parametrize(
    ("header", "cell", "note"),
    [
        ("plt (K/uL)", "34 (nach TK)", "'34 (nach TK)': words in brackets that are not understood"),
        ("plt (K/uL)", "x" * 99, "'" + "x" * 59 + "…': a text of 99 characters, not a value"),
        ("plt (K/uL)", "900 g/dL", "'900 g/dL': two different units are stated"),
        ("fever", "7", "'7': a code whose meaning is not stated"),
    ],
)
def test_a_cell_that_is_not_understood_stands_in_the_note(header, cell, note):
    """Shortened, in quotes, before the reason."""
    charts, _ = read(f"patient,date,{header}\n1,2016-05-02,{cell}\n")
    assert [(fact.value, fact.note) for fact in entries(charts)] == [("unknown", note)]


def test_the_columns_of_a_long_table_that_are_not_read_are_told_once():
    """Also in a guess; those that the mapping ignores are known to the user."""
    text = "patient,Name,date,test,value,Room\n1,A,2016-05-02,hb,9,3\n2,B,2016-05-02,hb,8,3\n"
    _, account = read(text)
    assert ("columns not read", "Name, Room", 1) in [(each.reason, each.what, each.number) for each in account.remarks]
    assert "# columns that are not read: Name, Room" in guess.text(table.guessed(io.BytesIO(text.encode()), "t.csv")).splitlines()
    rules = "layout: long\npatient: patient\ntime: date\nanalyte: test\nvalue: value\nignore: [Name, Room]\n"
    assert "columns not read" not in remarked(text, rules)


def test_what_was_not_meant_to_be_read_is_no_fault():
    """Columns under ignore, and boxes that are not ticked, are counted and stop nobody."""
    text = "record_id,hb (g/dL),Room,Hemophagocytosis (choice=Spleen)\n1,9,3,Unchecked\n"
    _, account = read(text, "patient: record_id\nignore: Room\n")
    assert (account.unused, account.insist()) == (2, None)


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ("time: date\n", "m.yaml:1:1: write 'patient:' with the column that tells the patients apart (columns: MRN No)"),
        ("time: date\npatient:\n", "m.yaml:2:"),
        ("time: date\npatient: one\n", None),
        ("time: date\npatient: ONE\n", None),
        ("time: date\npatient: MRN No\n", None),
    ],
)
def test_a_mapping_must_say_whose_the_rows_are(mapping, expected):
    """Rows are never run together because nobody was named."""
    text = "Kürzel,MRN No,date,Ferritin (ng/mL)\nab,1,2016-05-02,900\nab,2,2016-05-03,800\n"
    if expected is None:
        assert len(read(text, mapping)[0]) == (1 if "one" in mapping.casefold() else 2)
        return
    with pytest.raises(InputError) as caught:
        read(text, mapping)
    assert expected in str(caught.value)
    assert "or 'patient: one' if all rows are of one" in str(caught.value)


def test_a_column_may_be_called_one():
    """Then it tells the patients apart."""
    assert len(read("one,day,hb\nA,0,9\nB,0,8\n", "patient: one\nday: day\n")[0]) == 2


@pytest.mark.parametrize("name", ["Pat.-Nr.", "Patient ID", "Pat-ID", "MRN", "record_id", "Subject", "Patientennummer", "PATNR"])
def test_the_column_of_the_patient_is_known_by_its_name(name):
    """In the spellings of charts."""
    assert len(read(f"{name},day,hb\nA,0,9\nB,0,8\n")[0]) == 2


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"Blut": "02.05.2016"}, ["Blut"]),
        ({"Blut": "02.05.2016", "Geb.": "01.02.2010"}, ["Blut"]),  # a date of birth is none of the row
        ({"Geburt": "01.02.2010"}, []),
        ({"Blut": "02.05.2016", "Brief": "03.05.2016"}, []),  # which of them?
        ({"Blut": "bald"}, []),
        ({"date": "2016-05-02", "Blut": "03.05.2016"}, ["date"]),
        ({"etoposide": "02.05.2016"}, []),
    ],
)
def test_a_column_of_dates_alone_is_guessed_as_the_time(columns, expected):
    """As a guess to be checked, and never without a mapping: there its cells are left, and told."""
    text = f"id,hb (g/dL),{','.join(columns)}\n1,9,{','.join(columns.values())}\n2,8,{','.join(columns.values())}\n"
    found = table.guessed(io.BytesIO(text.encode()), "t.csv")
    assert found.time == expected
    if expected == ["Blut"]:
        assert "time: Blut  # guess: all of its cells are dates\n" in guess.text(found)
        assert ("column not known here", "Blut", 2) in left(text)


@pytest.mark.parametrize(("word", "sex"), [("w", "female"), ("Weiblich", "female"), ("femme", "female"), ("männlich", "male"), ("Homme", "male"),
                                           ("ma\u0308nnlich", "male"), ("h", ""), ("1", ""), ("k", "")])  # fmt: skip
def test_the_words_for_a_sex(word, sex):
    """Of some languages, where they can mean nothing else; the advice says what a code needs."""
    text = f"id,Geschlecht,hb\n1,{word},9\n"
    assert person(text).sex == sex
    advice = 'sex that is not understood; write in a mapping what the codes mean, such as sexes: {"1": female, "2": male}'
    assert (advice in remarked(text)) == (not sex)


def workbook(rows, comments=()):
    """A sheet with these rows, and comments at some of its cells."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cell, text in comments:
        book.active[cell].comment = openpyxl.comments.Comment(text, "Dr. X")
    book.save(stream := io.BytesIO())
    return stream.getvalue()


def test_numbers_of_a_sheet_have_a_point_and_its_texts_what_they_show():
    """7.8 is 7.8 also where the texts are written with a comma, and says nothing of how they are written."""
    head = ["id", "age_years", "visit", "hb (g/dL)", "plt (K/uL)"]
    content = workbook([head, [1, 6.5, 1, 7.8, "1,200"], [2, 7, 2, "9,2", 1.234]])
    expected = [("hemoglobin", "7.8"), ("platelets", "1.200"), ("hemoglobin", "9.2"), ("platelets", "1.234")]
    for rules in (None, "patient: id\nage: age_years\nage_unit: y\ntimepoint: visit\ndecimal: comma\n"):
        assert [fact[:2] for fact in facts(content, rules, excel=True)] == expected
    assert person(content, rules, excel=True).age == "6.5 y"
    found = table.guessed(io.BytesIO(workbook([head, [1, 6.5, 1, 7.8, 1.234]])), "t.xlsx", True)
    assert found.decimal == "point"


def test_numbers_of_a_long_sheet_are_exact_too():
    """With a comparator and a reference range in columns of their own."""
    head = ["id", "day", "test", "comparator", "value", "unit", "ref_low", "ref_high"]
    content = workbook([head, [1, 0, "hb", ">", 7.8, "g/dL", 11.5, 15.5], [1, 3, "hb", None, "7,2", "g/dL", "11,5", "15,5"]])
    charts, _ = read(content, excel=True)
    assert [(fact.value, fact.reference) for fact in entries(charts)] == [(">7.8", "11.5-15.5"), ("7.2", "11.5-15.5")]
    assert all(type(text) is str for fact in entries(charts) for text in (fact.value, fact.unit, fact.timepoint, fact.note))


def test_the_comment_at_a_cell_is_the_note_of_its_value():
    """Those elsewhere are counted."""
    rows = [["id", "day", "hb (g/dL)", "fever"], [1, 0, 7.8, None], [2, 0, 8, "yes"]]
    content = workbook(rows, [("C2", "after\ntransfusion"), ("D2", "not asked"), ("C1", "Sysmex"), ("D3", "x" * 999)])
    charts, account = read(content, excel=True)
    assert [(fact.value, fact.note) for fact in entries(charts)] == [
        ("7.8", "after transfusion"),
        ("8", ""),
        ("yes", "x" * 199 + "…"),
    ]
    assert ("cell comments that are not read", 2) in [(kind.reason, kind.number) for kind in account.remarks]


CELLS = st.one_of(
    st.sampled_from(["", "1", "2016-05-02", "ferritin", "2276-4", ">20,000", "9,2", "13-21", "yes", "NA", "410; 560", "ng/mL", "K/uL",
                     "corrected", "entered in error", "serum", "csf", "-999", "1e999", "½", "≥5", "0", "F", "6 y", "d12", "02/05/2016"]),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=8),
)  # fmt: skip
NAMES = st.sampled_from(
    ["patient", "date", "day", "visit", "test", "value", "unit", "status", "specimen", "reference_range", "comparator", "sex", "dob", "age",
     "Ferritin (ng/mL)", "hb", "fever", "fever___1", "redcap_event_name", "redcap_repeat_instrument", "labs_complete", "etoposide", "777-3", "x"]
)  # fmt: skip


@given(
    st.lists(NAMES, min_size=1, max_size=8, unique=True), st.lists(st.lists(CELLS, max_size=9), max_size=6), st.sampled_from(",;\t")
)
def test_any_table_is_read_or_refused_and_its_books_are_right(names, rows, delimiter):
    """Nothing but InputError is raised, and used and left together are what was read."""
    lines = [delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in [names, *rows]]
    try:
        read("\n".join(lines) + "\n")
    except InputError:
        return


WHOLE = (LONG + FIRST[:-7] + "\n" + WIDE).encode() + '1,2016-05-02,Ferritin,"1,200",µg/L\n1;é\t2\r\n'.encode()


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=8), st.booleans())
def test_any_bytes_are_read_or_refused(changes, is_workbook):
    """A table with some bytes changed, also if it is said to be a workbook."""
    content = bytearray(WHOLE)
    for place, byte in changes:
        content[place] = byte
    account = Account("t.csv", "csv")
    try:
        charts = table.read(io.BytesIO(bytes(content)), "t.csv", account, excel=is_workbook)
    except InputError:
        return
    assert len(entries(charts)) + account.unused == account.read


def test_a_status_with_underscores_is_one_without_a_mapping_too():
    """The column is guessed to be that of the results."""
    assert facts("patient,date,test,value,unit,status\n1,2016-05-02,ferritin,4000,ng/mL,entered_in_error\n") == []


@pytest.mark.parametrize(
    ("sign", "value", "kept"), [("<", "≥4000", False), (">=", "≥4000", True), (">=", "⩾4000", True), (">", "≥4000", False)]
)
def test_a_sign_before_the_value_and_one_of_its_own(sign, value, kept):
    """Both must say the same, however they are written."""
    found = facts(f"patient,date,test,comparator,value,unit\n1,2016-05-02,ferritin,{sign},{value},ng/mL\n")
    assert [text for _, text, *_ in found] == [">=4000" if kept else "unknown"]

"""OMOP CDM: codes and units through CONCEPT, operators and ranges kept, every row used or left with its reason."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tabled import entries

from hlhcli.errors import InputError
from hlhcli.readers import omop
from hlhcli.readers.account import Account

CONCEPT = """concept_id,concept_name,domain_id,vocabulary_id,concept_class_id,standard_concept,concept_code,valid_start_date,valid_end_date,invalid_reason
1,Ferritin,Measurement,LOINC,Lab Test,S,2276-4,1970-01-01,2099-12-31,
2,Hemoglobin,Measurement,LOINC,Lab Test,S,718-7,1970-01-01,2099-12-31,
3,Glucose,Measurement,LOINC,Lab Test,S,2339-0,1970-01-01,2099-12-31,
4,Body temperature,Measurement,LOINC,Clinical,S,8310-5,1970-01-01,2099-12-31,
5,Fever,Condition,SNOMED,Clinical Finding,S,386661006,1970-01-01,2099-12-31,
6,Malignant neoplastic disease,Condition,SNOMED,Clinical Finding,S,363346000,1970-01-01,2099-12-31,
7,Hemophagocytic syndrome,Condition,ICD10CM,4-char billing code,,D76.1,1970-01-01,2099-12-31,
8,Hepatosplenomegaly,Condition,SNOMED,Clinical Finding,S,36760000,1970-01-01,2099-12-31,
9,Cough,Condition,SNOMED,Clinical Finding,S,49727002,1970-01-01,2099-12-31,
10,High,Meas Value,SNOMED,Qualifier Value,S,75540009,1970-01-01,2099-12-31,
900,odd unit,Unit,UCUM,Unit,S,{cells}/uL,1970-01-01,2099-12-31,
901,gram per liter,Unit,UCUM,Unit,S,g/L,1970-01-01,2099-12-31,
"""
MEASUREMENT = "measurement_id,person_id,measurement_concept_id,measurement_date,measurement_datetime,operator_concept_id,value_as_number,value_as_concept_id,unit_concept_id,range_low,range_high,measurement_source_value,measurement_source_concept_id,unit_source_value,value_source_value\n"
NAMES = MEASUREMENT.strip().split(",")
CONDITION = "condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_start_datetime,condition_end_date,condition_source_value,condition_source_concept_id\n"
PERSON = "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,birth_datetime\n11,8507,2010,3,4,\n12,8532,2010,,,\n13,0,2011,1,2,2011-01-02 00:00:00\n"
USUAL = {"person_id": "11", "measurement_concept_id": "1", "measurement_date": "2016-05-02", "operator_concept_id": "0",
         "value_as_number": "900", "unit_concept_id": "8842"}  # fmt: skip


def row(**cells):
    return ",".join({**USUAL, **cells}.get(name, "") for name in NAMES) + "\n"


def cdm(folder: Path, measurements="", conditions="", **tables):
    for name, text in {"CONCEPT": CONCEPT, "PERSON": PERSON, "MEASUREMENT": measurements and MEASUREMENT + measurements,
                       "CONDITION_OCCURRENCE": conditions and CONDITION + conditions, **tables}.items():  # fmt: skip
        path = folder / f"{name}.csv"
        path.unlink(missing_ok=True)
        if text:
            path.write_text(text, encoding="utf-8")
    return folder


def read(path):
    account = Account(str(path), "omop")
    charts = omop.read(path, "cdm", account)
    assert len(entries(charts)) + account.unused == account.read
    return charts, account


@pytest.mark.parametrize(
    ("cells", "value", "unit", "reference"),
    [
        ({}, "900", "ng/mL", ""),
        ({"value_as_number": "0"}, "0", "ng/mL", ""),
        ({"value_as_number": "0.0"}, "0.0", "ng/mL", ""),
        ({"operator_concept_id": "4172704"}, ">900", "ng/mL", ""),
        ({"operator_concept_id": "99"}, "unknown", "", ""),  # it may be any value
        ({"operator_concept_id": "4171756"}, "<900", "ng/mL", ""),
        ({"operator_concept_id": "4171754"}, "<=900", "ng/mL", ""),
        ({"operator_concept_id": "4171755"}, ">=900", "ng/mL", ""),
        ({"operator_concept_id": "4172703"}, "900", "ng/mL", ""),
        ({"range_low": "13", "range_high": "150"}, "900", "ng/mL", "13-150"),
        ({"range_high": "150"}, "900", "ng/mL", "<=150"),
        ({"unit_concept_id": "8748"}, "900", "ug/L", ""),
        ({"unit_concept_id": "8748.0", "measurement_concept_id": "1.0"}, "900", "ug/L", ""),
        ({"unit_concept_id": "0", "unit_source_value": "pmol/L"}, "900", "pmol/L", ""),
        ({"unit_concept_id": "0"}, "900", "", ""),
        ({"unit_source_value": "ug/L"}, "900", "ng/mL", ""),  # another spelling of the same size
        ({"unit_source_value": "pmol/L"}, "unknown", "", ""),  # both stated, and different
        ({"unit_concept_id": "900"}, "900", "{cells}/uL", ""),
        ({"value_as_number": "", "value_source_value": '">40,000"'}, ">40000", "ng/mL", ""),
        ({"value_as_number": "NULL", "value_source_value": "pending"}, "pending", "", ""),
        ({"value_as_number": "", "value_as_concept_id": "10"}, "elevated", "", ""),
        ({"value_as_number": "", "value_source_value": "see letter", "value_as_concept_id": "10"}, "elevated", "", ""),
        ({"value_as_number": "", "value_source_value": "see letter"}, "unknown", "", ""),
        ({"value_as_number": "5", "value_source_value": "<5"}, "<5", "ng/mL", ""),  # the comparator was lost on the way
        ({"value_as_number": "5", "value_source_value": "5"}, "5", "ng/mL", ""),
        ({"value_as_number": "-1"}, "unknown", "", ""),
        ({"value_as_number": "0", "value_source_value": "hemolyzed"}, "unreadable", "", ""),
        ({"value_as_number": "600", "value_source_value": "clotted"}, "unreadable", "", ""),
        ({"value_as_number": "0.0", "value_source_value": "CANCELED"}, "unknown", "", ""),
        ({"value_as_number": "0", "value_source_value": "pending"}, "pending", "", ""),
        ({"value_as_number": "0", "value_source_value": "0 ng/mL"}, "0", "ng/mL", ""),
        ({"value_as_number": "5", "value_source_value": "see letter"}, "5", "ng/mL", ""),
        ({"measurement_concept_id": "0", "measurement_source_concept_id": "1"}, "900", "ng/mL", ""),
    ],
)
def test_a_measurement_is_a_fact(tmp_path, cells, value, unit, reference):
    """Number, comparator, unit and range come from columns of their own; 0 is a value."""
    charts, _ = read(cdm(tmp_path, row(**cells)))
    ((fact,),) = [entries([chart]) for chart in charts]
    assert (fact.observable, fact.value, fact.unit, fact.reference, fact.date) == ("ferritin", value, unit, reference, "2016-05-02")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"measurement_concept_id": "3"}, ("code not known here", "LOINC 2339-0 (Glucose)")),
        ({"measurement_concept_id": "77"}, ("concept that is not in CONCEPT", "77")),
        ({"measurement_concept_id": "0", "measurement_source_value": "2276-4"}, ("no concept (0)", "measurement_concept_id")),
        ({"value_as_number": ""}, ("no value", "ferritin")),
        ({"measurement_date": ""}, ("no date", "measurement_date")),
        ({"measurement_date": "2016-02-31"}, ("not in the calendar", "measurement_date")),
        ({"person_id": ""}, ("no patient", "person_id")),
        ({"value_source_value": "1,200"}, ("row with another number of cells than the header", "")),
    ],
)
def test_a_measurement_that_is_left_says_why(tmp_path, cells, reason):
    """Text is never matched blindly: a source value is no code."""
    charts, account = read(cdm(tmp_path, row(**cells)))
    assert entries(charts) == []
    assert [(kind.reason, kind.what) for kind in account.left] == [reason]


def test_the_time_of_day_is_kept_unless_it_is_midnight(tmp_path):
    """Midnight is what a CDM writes where no time is known."""
    rows = row(measurement_datetime="2016-05-02 08:30:00") + row(measurement_datetime="2016-05-02 00:00:00")
    charts, _ = read(cdm(tmp_path, rows))
    assert [fact.time for fact in entries(charts)] == ["2016-05-02 08:30:00", ""]


def test_conditions_are_findings_or_diagnoses(tmp_path):
    """One code may state two findings; what goes on holds always; a coded diagnosis is a note."""
    rows = (
        "1,11,5,2016-05-02,,2016-05-09,,0\n2,11,8,2016-05-02,,,,0\n3,11,6,2015-01-01,,,,0\n4,11,0,2016-05-03,,,,7\n5,11,9,2016-05-03,,,,0\n"
        "6,12,5,2016-05-02,,2016-04-01,,0\n7,12,5,,,,,0\n"
    )
    charts, account = read(cdm(tmp_path, conditions=rows))
    first, second = charts
    assert [(f.observable, f.value, f.date, f.until) for f in first.facts] == [
        ("fever", "yes", "2016-05-02", "2016-05-09"),
        ("splenomegaly", "yes", "2016-05-02", ""),
        ("hepatomegaly", "yes", "2016-05-02", ""),
    ]
    assert [(f.observable, f.date) for f in first.always] == [("malignancy", "2015-01-01")]
    assert [remark.text for remark in first.remarks] == ["diagnosis on record: Hemophagocytic lymphohistiocytosis"]
    assert [fact.until for fact in second.facts] == [""]
    assert account.read == 8
    assert sorted((kind.reason, kind.what) for kind in account.left) == [
        ("code not known here", "SNOMED 49727002 (Cough)"),
        ("no date", "condition_start_date"),
    ]


@pytest.mark.parametrize(
    ("status", "reason", "used"),
    [
        ("", "", 1),
        ("0", "", 1),
        ("32890", "", 1),
        ("32893", "", 1),
        ("32896", "", 1),
        ("32902", "", 1),
        ("32908", "", 1),
        ("", "recovered", 1),
        ("32899", "", 0),  # preliminary
        ("32906", "", 0),  # resolved
        ("77", "", 0),
        ("", "Ruled out", 0),
        ("", "refuted", 0),
    ],
)
def test_the_status_of_a_condition_counts(tmp_path, status, reason, used):
    """What is preliminary, resolved, ruled out or of another status is left: findings and diagnoses alike."""
    head = CONDITION.strip() + ",condition_status_concept_id,stop_reason\n"
    rows = "".join(f"{number},11,{concept},2016-05-02,,,,0,{status},{reason}\n" for number, concept in enumerate((5, 7)))
    charts, account = read(cdm(tmp_path, CONDITION_OCCURRENCE=head + rows))
    assert len(entries(charts)) == 2 * used
    told = ["status of the condition"] if status in ("32899", "32906", "77") else ["stop_reason that denies the condition"]
    assert [kind.reason for kind in account.left] == told * (not used)
    assert ("condition_status_concept_id" in [kind.what for kind in account.remarks]) == (status == "32890")


@pytest.mark.parametrize(
    ("born", "told"),
    [("2010,1,1,", True), ("2010,,,2010-01-01", True), ("2010,5,,2010-05-01", True), ("2010,5,1,", False), ("2010,1,2,", False)],
)
def test_a_birth_on_the_first_of_january_is_told(tmp_path, born, told):
    """It may stand for the year alone."""
    person = f"person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,birth_datetime\n11,8507,{born}\n"
    _, account = read(cdm(tmp_path, row(), PERSON=person))
    message = "a birth on the first of a month: may stand for the month, or the year, alone"
    assert (message in [kind.reason for kind in account.remarks]) == told


def test_the_person_has_sex_and_date_of_birth(tmp_path):
    """An incomplete date is none, and is told."""
    charts, account = read(cdm(tmp_path, "".join(row(person_id=number) for number in ("11", "12", "13", "14"))))
    assert [(chart.person.id, chart.person.sex, chart.person.birth_date) for chart in charts] == [
        ("11", "male", "2010-03-04"),
        ("12", "female", ""),
        ("13", "", "2011-01-02"),
        ("14", "", ""),
    ]
    assert [kind.reason for kind in account.remarks] == ["date of birth that is not complete"]


def test_the_tables_are_found_in_any_spelling(tmp_path):
    """A folder or one of its tables; small letters, other endings, tabs."""
    cdm(tmp_path, row())
    (tmp_path / "MEASUREMENT.csv").rename(tmp_path / "measurement.csv")
    (tmp_path / "CONCEPT.csv").unlink()
    (tmp_path / "concept.tsv").write_text(CONCEPT.replace(",", "\t"), encoding="utf-8")
    (tmp_path / "PERSON.csv").unlink()
    for path in (tmp_path, tmp_path / "measurement.csv"):
        charts, account = read(path)
        assert len(entries(charts)) == 1
        assert [kind.reason for kind in account.remarks] == ["no table PERSON beside it"]


def test_a_row_is_told_by_its_table(tmp_path):
    """In a folder by the name of the file too."""
    folder = cdm(tmp_path, row() + row(measurement_concept_id="3"))
    for path, where in ((folder, "cdm/MEASUREMENT.csv:3:1"), (folder / "MEASUREMENT.csv", "cdm:3:1")):
        account = Account("cdm", "omop")
        omop.read(path, "cdm", account)
        assert account.where(account.left[0]) == where


def test_a_single_table_is_read_by_itself(tmp_path):
    """Conditions alone, without the measurements that stand beside them."""
    charts, _ = read(cdm(tmp_path, row(), "1,11,5,2016-05-02,,,,0\n") / "CONDITION_OCCURRENCE.csv")
    assert [fact.observable for fact in entries(charts)] == ["fever"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("PERSON", "this is the table PERSON of OMOP, which holds no values that are read here; give the folder"),
        ("CONCEPT", "this is the table CONCEPT of OMOP"),
        ("OTHER", "this is none of the tables of OMOP"),
        ("NONE", "cannot be read"),
    ],
)
def test_a_table_without_values_says_what_it_is(tmp_path, name, expected):
    """And what to give instead."""
    cdm(tmp_path, row(), OTHER="a,b\n1,2\n")
    with pytest.raises(InputError, match=expected):
        read(tmp_path / f"{name}.csv")


@pytest.mark.parametrize(
    ("missing", "expected"),
    [("CONCEPT.csv", "CONCEPT.csv is needed beside it"), ("MEASUREMENT.csv", "no table MEASUREMENT or CONDITION")],
)
def test_a_folder_that_lacks_a_table_is_refused(tmp_path, missing, expected):
    """No code can be known without CONCEPT."""
    (cdm(tmp_path, row()) / missing).unlink()
    with pytest.raises(InputError, match=expected):
        read(tmp_path)


def test_a_header_tells_its_table():
    """By the columns that only it has."""
    assert omop.is_omop(NAMES) == "MEASUREMENT"
    assert omop.is_omop(["PERSON_ID", "Gender_Concept_Id", "YEAR_OF_BIRTH"]) == "PERSON"
    assert omop.is_omop(["person_id", "visit_occurrence_id", "visit_concept_id"]) == "VISIT_OCCURRENCE"
    assert omop.is_omop(["person_id", "date", "value"]) is None
    assert omop.is_omop([]) is None


CELL = st.sampled_from(
    [
        "",
        "0",
        "1",
        "2",
        "4",
        "11",
        "900",
        "901",
        "8842",
        "8713",
        "4172704",
        "<5",
        "1e999",
        "2016-05-02",
        "2016-05-02 10:00",
        "é",
        "-1",
        "x",
    ]
)


@given(st.lists(st.lists(CELL, min_size=1, max_size=17), max_size=6), st.lists(st.lists(CELL, min_size=1, max_size=9), max_size=4))
def test_any_rows_are_read_or_refused_and_the_books_are_right(tmp_path_factory, measurements, conditions):
    """Nothing but InputError is raised; each row is used or left."""
    folder = cdm(
        tmp_path_factory.getbasetemp(),
        "\n".join(map(",".join, [["9"], *measurements])),
        "\n".join(map(",".join, [["9"], *conditions])),
    )
    read(folder)


SYNTHETIC = Path(__file__).parents[3] / "shared" / "data" / "omop"  # the CDM Synthea27Nj of OHDSI/EunomiaDatasets, as CSV


@pytest.mark.skipif(not SYNTHETIC.is_dir(), reason="the synthetic CDM is not there")
def test_the_whole_of_a_synthetic_cdm_is_accounted_for():
    """Every row of both tables is used, or left with a reason; its ferritin is in ug/L."""
    folder = SYNTHETIC
    charts, account = read(folder)
    with (
        (folder / "MEASUREMENT.csv").open(encoding="utf-8") as one,
        (folder / "CONDITION_OCCURRENCE.csv").open(encoding="utf-8") as two,
    ):
        assert account.read == len(list(csv.reader(one))) + len(list(csv.reader(two))) - 2
    ferritin = [fact for fact in entries(charts) if getattr(fact, "observable", "") == "ferritin"]
    assert (len(ferritin), {fact.unit for fact in ferritin}) == (12, {"ug/L"})
    assert {kind.reason for kind in account.left} == {"code not known here"}

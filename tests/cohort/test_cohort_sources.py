"""OMOP, FHIR bulk files and MIMIC-IV as readings in SQL: what they say is what the readers of patient files say, row by row."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from readers.fhir_rows import expected, resources, to_json
import source_rows
from source_rows import resolved
from tables import rows

from hlhcli.cohort.dialects import DIALECTS, Table
from hlhcli.cohort.fhir import fhir
from hlhcli.cohort.mimic import mimic
from hlhcli.cohort.omop import omop
from hlhcli.cohort.source import unit_of
from hlhcli.readers import omop as omop_reader
from hlhcli.readers.account import Account
from hlhcli.readers.meanings import Said

duckdb = pytest.importorskip("duckdb")

SHARED = Path(__file__).parents[3] / "shared" / "data"



def ran(source, connection=None):
    """The rows of the readings."""
    return (connection or duckdb.connect()).execute(source.readings).fetchall()


def table(connection, name, text=None, **kinds):
    """A table of texts from CSV, or (with `kinds`: a column's kind) a typed one."""
    path = Path(tempfile.mkdtemp()) / f"{name}.csv"
    path.write_text(text, encoding="utf-8")
    read = f"SELECT * FROM read_csv('{path}', all_varchar = true, header = true, delim = ',')"
    names = [row[0].lower() for row in connection.execute(f"DESCRIBE {read}").fetchall()]
    types = {"integer": "BIGINT", "decimal": "DECIMAL(18, 4)", "double": "DOUBLE", "date": "DATE", "timestamp": "TIMESTAMP"}
    cast = ", ".join(f'CAST("{each}" AS {types.get(kinds.get(each), "VARCHAR")}) AS "{each}"' for each in names)
    connection.execute(f"CREATE TABLE {name} AS SELECT {cast} FROM ({read})")
    return Table(name, {each: kinds.get(each, "text") for each in names})


def facts(charts):
    """What the charts of a reader say, as the rows say it: (person, day, observable, text)."""
    found = []
    for chart in charts:
        for fact in [*chart.facts, *chart.always]:
            said = Said(fact.value, fact.unit)
            found.append((chart.person.id, fact.date, fact.observable, source_rows.text_of(fact.observable, said, fact.reference)))
    return Counter(found)


def told(form, found):
    """What the rows say."""
    return Counter(each for row in found for each in resolved(form, row))


# OMOP

CONCEPT = """concept_id,concept_name,vocabulary_id,concept_code
1,Ferritin,LOINC,2276-4
2,Hemoglobin,LOINC,718-7
3,Glucose,LOINC,2339-0
5,Fever,SNOMED,386661006
6,Malignant neoplastic disease,SNOMED,363346000
7,Hemophagocytic syndrome,ICD10CM,D76.1
8,Hepatosplenomegaly,SNOMED,36760000
9,Cough,SNOMED,49727002
10,High,SNOMED,75540009
11,Positive,SNOMED,10828004
12,Splenomegaly,ICD10CM,R16.1
20,Etoposide 20 MG/ML Injection,RxNorm,1734340
21,Intrathecal,SNOMED,72607000
8842,nanogram per milliliter,UCUM,ng/mL
8748,microgram per liter,UCUM,ug/L
900,odd unit,UCUM,{cells}/uL
"""
NAMES = "measurement_id,person_id,measurement_concept_id,measurement_date,measurement_datetime,operator_concept_id,value_as_number,value_as_concept_id,unit_concept_id,range_low,range_high,measurement_source_concept_id,unit_source_value,value_source_value".split(",")
USUAL = {"person_id": "11", "measurement_concept_id": "1", "measurement_date": "2016-05-02", "operator_concept_id": "0", "value_as_number": "900", "unit_concept_id": "8842"}
MEASURED = [
    *({"operator_concept_id": op, "value_as_number": number} for op in ("", "0", "4171756", "4171754", "4172703", "4172704", "4171755", "99") for number in ("900", "0", "0.0", "9.20", "1e2", "-1", "NULL", "nan", "inf", "1e-5")),
    *({"value_as_number": number, "value_source_value": f'"{text}"'} for number in ("", "5", "5.0", "0", "1200")
      for text in ("<5", "< 5.00", ">5 ng/mL", "less than 5", "≥5", "5", "<6", "<4-5", "pending", "CANCELED", "hemolyzed", "0 ng/mL", ">1,200", "see letter", "!odd", "?", "?5", "ended", "a|b", "5 (d 3)")),
    *({"unit_concept_id": concept, "unit_source_value": text} for concept in ("", "0", "8842", "8748", "900", "8842.0", "77") for text in ("", "ng/mL", "ug/L", "µg/L", "pmol/L", "NG / ML", "odd", "a|b")),
    *({"range_low": low, "range_high": high} for low in ("", "13", "1.50", "x") for high in ("", "150", "y")),
    *({"value_as_number": "", "value_as_concept_id": answer, "value_source_value": text} for answer in ("", "10", "11", "77") for text in ("", "high", "see letter", ">5")),
    *({"measurement_concept_id": one, "measurement_source_concept_id": other} for one in ("0", "1", "1.0", "2", "3", "5", "77", "") for other in ("", "0", "1", "3", "5")),
    *({"measurement_date": date_, "measurement_datetime": exact} for date_ in ("2016-05-02", "", "2016-02-31", "1700-01-01", "2016-05-02 10:00:00") for exact in ("", "2016-05-02 08:30:00", "2016-05-03 00:00:00", "2016-05-02T23:59:59", "x")),
    {"person_id": ""}, {"person_id": "12.0"}, {"measurement_date": "soon"},
]  # fmt: skip
CONDITIONS = "condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_end_date,condition_source_concept_id,condition_status_concept_id,stop_reason\n" + "".join(
    f"1,{number},{one},2016-05-02,{end},{other},{status},{stop}\n"
    for number, (one, other, end, status, stop) in enumerate([
        ("5", "", "", "", ""), ("8", "0", "2016-05-09", "0", ""), ("6", "", "", "32890", ""), ("6", "", "2016-04-01", "", ""), ("0", "7", "", "", ""),
        ("9", "", "", "", ""), ("5", "", "", "32899", ""), ("5", "", "", "", "Ruled out"), ("5", "", "", "", "recovered"), ("77", "", "", "", ""), ("0", "", "", "", ""),
        ("9", "12", "", "32902", ""), ("5", "12", "", "", ""),
    ])
)  # fmt: skip
PERSONS = "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,birth_datetime\n1,0,2010,3,4,\n2,0,2010,,,\n3,0,2011,1,2,2011-01-03 00:00:00\n4,0,2012,2,,\n5,0,2011,2,30,\n6,0,,,,\n7,0,2000,2,29,\n8,0,2010,12,,\n"
BORN = {"1": ("2010-03-04", "2010-03-04"), "2": ("2010-01-01", "2010-12-31"), "3": ("2011-01-03", "2011-01-03"), "4": ("2012-02-01", "2012-02-29"), "5": None, "6": None, "7": ("2000-02-29", "2000-02-29"), "8": ("2010-12-01", "2010-12-31")}  # fmt: skip


def measurements(cells=MEASURED):
    lines = (",".join({**USUAL, **each}.get(name, "") for name in NAMES) for each in cells)
    return "\n".join([",".join(NAMES), *lines]) + "\n"


def test_every_row_of_omop_says_what_the_reader_says(tmp_path):
    """Numbers, comparators, units, ranges, words, dates and codes in many combinations; one row in is one row out."""
    connection = duckdb.connect()
    texts = {"measurement": measurements(), "condition_occurrence": CONDITIONS, "concept": CONCEPT}
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    tables = {name: table(connection, name, text) for name, text in texts.items()}
    found = ran(omop(tables, DIALECTS["duckdb"]), connection)
    assert len(found) == len(MEASURED) + CONDITIONS.count("\n") - 1
    expected_ = facts(omop_reader.read(tmp_path, "cdm", Account("cdm", "omop")))
    got = told("omop", found)
    assert got - expected_ == Counter()
    assert expected_ - got == Counter()


# FHIR

VECTORS = [row for row in rows("fhir") if not row["id"].startswith(("cond-period", "proc-period"))]  # a row is of one day
NOTHING = {"subject-none": "a cohort needs persons", "same-twice": "two equal rows"}
UNDATED = ("time not stated", "background", "2015", "2016", "2016-05")


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    """What the rows of all vectors say in one file, by the id of the vector: (day, `observable: text`)."""
    path = tmp_path_factory.mktemp("fhir") / "bulk.ndjson"
    with path.open("w", encoding="utf-8") as file:
        for vector in VECTORS:
            for resource in resources(vector["FHIR"]):
                line = to_json(resource).replace('"Patient/p"', f'"Patient/{vector["id"]}"')
                file.write(re.sub(r'("id": "|Medication/|Specimen/|"#)(?=\w)', rf"\g<1>{vector['id']}.", line) + "\n")
    found = {}
    for row in ran(fhir([str(path)])):
        for person, day, name, text in resolved("fhir", row):
            found.setdefault(person, []).append((day, f"{name}: {text}"))
    return found


@pytest.mark.parametrize("row", VECTORS, ids=[row["id"] for row in VECTORS])
def test_a_vector_of_fhir_says_the_same(row, vectors):
    """The vectors of the FHIR reader, worked out by hand, as lines of a bulk file. What goes on is a row of the day of its start."""
    if row["id"] in NOTHING:
        return
    wanted = [each for each in expected(row["patient file"]) if each.where not in ("note", "therapy")]
    found = vectors.get(row["id"], [])
    texts = [re.sub(r" \(assay [^)]*\)", "", each.what).lower() for each in wanted]
    assert sorted(text.lower() for _, text in found) == sorted(texts)
    days = [None if each.where in UNDATED else each.where for each in wanted]
    if "lasting" not in row["id"] and not row["id"].startswith("cond-cancer"):
        assert sorted((day for day, _ in found), key=str) == sorted(days, key=str)

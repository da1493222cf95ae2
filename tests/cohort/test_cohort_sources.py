"""OMOP, FHIR bulk files and MIMIC-IV as readings in SQL: what they say is what the readers of patient files say, row by row."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import source_rows
from readers.fhir_rows import expected, resources, to_json
from source_rows import resolved
from tables import rows

from hlhcli.cohort.dialects import DIALECTS, Table
from hlhcli.cohort.fhir import fhir
from hlhcli.cohort.mimic import mimic
from hlhcli.cohort.omop import omop
from hlhcli.cohort.source import unit_of
from hlhcli.readers import fhir as fhir_reader
from hlhcli.readers import omop as omop_reader
from hlhcli.readers.account import Account
from hlhcli.readers.meanings import Said

duckdb = pytest.importorskip("duckdb")

SHARED = Path(__file__).parents[3] / "shared" / "data"


def ran(source, connection=None):
    """The rows of the readings."""
    return (connection or duckdb.connect()).execute(source.readings).fetchall()


def table(connection, name, text, **kinds):
    """A table of texts from CSV, or (with `kinds`: a column's kind) a typed one."""
    types = {"integer": "BIGINT", "decimal": "DECIMAL(18, 4)", "double": "DOUBLE", "date": "DATE", "timestamp": "TIMESTAMP"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        read = f"SELECT * FROM read_csv('{path}', all_varchar = true, header = true, delim = ',')"
        names = [row[0].lower() for row in connection.execute(f"DESCRIBE {read}").fetchall()]
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
NAMES = [
    "measurement_id",
    "person_id",
    "measurement_concept_id",
    "measurement_date",
    "measurement_datetime",
    "operator_concept_id",
    "value_as_number",
    "value_as_concept_id",
    "unit_concept_id",
    "range_low",
    "range_high",
    "measurement_source_concept_id",
    "unit_source_value",
    "value_source_value",
]
USUAL = {
    "person_id": "11",
    "measurement_concept_id": "1",
    "measurement_date": "2016-05-02",
    "operator_concept_id": "0",
    "value_as_number": "900",
    "unit_concept_id": "8842",
}
MEASURED = [
    *({"operator_concept_id": op, "value_as_number": number} for op in ("", "0", "4171756", "4171754", "4172703", "4172704", "4171755", "99") for number in ("900", "0", "0.0", "9.20", "1e2", "-1", "NULL", "nan", "inf", "1e-5")),
    *({"value_as_number": number, "value_source_value": f'"{text}"'} for number in ("", "5", "5.0", "0", "1200")
      for text in ("<5", "< 5.00", ">5 ng/mL", "less than 5", "≥5", "5", "<6", "<4-5", "pending", "CANCELED", "hemolyzed", "Clotted", "0 ng/mL", ">1,200", "see letter", "!odd", "?", "?5", "ended", "a|b", "5 (d 3)")),
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


TYPED = {
    "measurement": {**dict.fromkeys([*NAMES[:3], "operator_concept_id", "value_as_concept_id", "unit_concept_id", "measurement_source_concept_id"], "integer"),
                    "measurement_date": "date", "measurement_datetime": "timestamp", "value_as_number": "decimal", "range_low": "decimal", "range_high": "decimal"},
    "condition_occurrence": {**dict.fromkeys(["condition_occurrence_id", "person_id", "condition_concept_id", "condition_source_concept_id", "condition_status_concept_id"], "integer"),
                             "condition_start_date": "date", "condition_end_date": "date"},
    "drug_exposure": {**dict.fromkeys(["person_id", "drug_concept_id", "route_concept_id"], "integer"), "drug_exposure_start_date": "date", "drug_exposure_start_datetime": "timestamp"},
    "concept": {"concept_id": "integer"},
    "person": {**dict.fromkeys(PERSONS.split("\n")[0].split(",")[:5], "integer"), "birth_datetime": "timestamp"},
}  # fmt: skip
PLAIN = [  # measurements that typed columns can hold
    each for each in MEASURED
    if not {"NULL", "nan", "inf", "1e2", "1e-5", "x", "y", "1.0", "8842.0", "12.0", "soon", "2016-02-31", "2016-05-02 10:00:00"} & set(each.values())
]  # fmt: skip
DRUGS = "person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_start_datetime,route_concept_id\n1,20,2016-05-02,2016-05-02 08:00:00,0\n1,20,2016-05-02,,21\n1,0,2016-05-02,,\n1,77,2016-05-02,,\n1,20,,,\n"
CDM = {
    "measurement": measurements(PLAIN),
    "condition_occurrence": CONDITIONS,
    "drug_exposure": DRUGS,
    "concept": CONCEPT,
    "person": PERSONS,
}


def cdm(kinds):
    """The CDM in DuckDB, with columns of these kinds (texts where none is named)."""
    connection = duckdb.connect()
    return connection, {name: table(connection, name, text, **kinds.get(name, {})) for name, text in CDM.items()}


def test_typed_tables_say_what_texts_say():
    """Integers, decimals, dates and timestamps; the scale of a decimal column is part of its text."""
    found = []
    for kinds in ({}, TYPED):
        connection, tables = cdm(kinds)
        source = omop(tables, DIALECTS["duckdb"])
        found.append((told("omop", ran(source, connection)), sorted(connection.execute(source.persons).fetchall(), key=str)))
    plain = [
        Counter((*each[:3], re.sub(r"(?<=[.]\d)\d*|[.]0+(?=\D)", "", each[3])) for each in rows_.elements()) for rows_, _ in found
    ]
    assert found[0][1] == found[1][1]
    assert sum(plain[0].values()) == sum(plain[1].values()) > 100
    assert {each[2] for each in plain[0]} == {each[2] for each in plain[1]}
    assert Counter(each[:3] for each in plain[0].elements()) == Counter(each[:3] for each in plain[1].elements())


def test_the_persons_of_omop_have_a_day_of_birth_or_two():
    """A year gives its first and last day, a month too; a day that is in no calendar gives none."""
    connection, tables = cdm({})
    found = connection.execute(omop(tables, DIALECTS["duckdb"]).persons).fetchall()
    born = {
        number: None if first is None else tuple(str(date(1970, 1, 1) + timedelta(days=day)) for day in (first, last))
        for number, first, last in found
    }
    assert born == BORN


def test_a_drug_of_omop_has_its_name_and_route():
    """The route stands with the name, so that what is given locally is known by it."""
    connection, tables = cdm({})
    tables = {name: tables[name] for name in ("drug_exposure", "concept")}
    source = omop(tables, DIALECTS["duckdb"])
    name = "RxNorm|1734340|Etoposide_20_MG/ML_Injection"
    assert sorted((t, code, value) for _, t, code, value, *_ in ran(source, connection) if t) == [
        (1462147200000, "OMOP|0", "!no concept (0)"),
        (1462147200000, "OMOP|77", "!concept that is not in CONCEPT"),
        (1462147200000, f"{name}_(Intrathecal)", "present"),
        (1462176000000, name, "present"),
    ]
    assert [row[3] for row in ran(source, connection) if row[1] is None] == ["!no date that can be read"]
    assert source.persons is None


def test_an_ended_condition_is_said_to_be_over():
    """So that what goes on by its nature is not taken to go on."""
    connection, tables = cdm({})
    tables = {name: tables[name] for name in ("condition_occurrence", "concept")}
    found = ran(omop(tables, DIALECTS["duckdb"]), connection)
    assert [row[3] for row in sorted(found, key=lambda row: int(row[0]))][:4] == ["present", "ended", "present", "present"]


@pytest.mark.parametrize("names", [["measurement"], ["concept"], ["person", "concept"]])
def test_a_cdm_that_lacks_a_table_is_refused(names):
    """Without concepts no code is known."""
    with pytest.raises(ValueError, match="OMOP needs the table concept"):
        omop({name: Table(name, {}) for name in names}, DIALECTS["duckdb"])


@pytest.mark.skipif(not (SHARED / "omop").is_dir(), reason="the synthetic CDM is not there")
def test_a_synthetic_cdm_says_what_the_reader_says():
    """Every row of both tables, and every fact."""
    connection = duckdb.connect()
    tables = {}
    for name in ("measurement", "condition_occurrence", "person", "concept"):
        tables[name] = table(connection, name, (SHARED / "omop" / f"{name.upper()}.csv").read_text(encoding="utf-8"))
    source = omop(tables, DIALECTS["duckdb"])
    found = ran(source, connection)
    assert len(found) == sum(
        connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in ("measurement", "condition_occurrence")
    )
    charts = omop_reader.read(SHARED / "omop", "cdm", Account("cdm", "omop"))
    assert told("omop", found) == facts(charts)
    days = {number: date(1970, 1, 1) + timedelta(days=first) for number, first, _ in connection.execute(source.persons).fetchall()}
    assert {chart.person.id: chart.person.birth_date for chart in charts}.items() <= {
        number: str(day) for number, day in days.items()
    }.items()


def test_postgresql_says_what_duckdb_says(server):
    """The same tables in a schema of a real server, by the SQL that sqlglot renders."""
    psycopg, sqlglot = pytest.importorskip("psycopg"), pytest.importorskip("sqlglot")
    types = {"integer": "bigint", "decimal": "numeric(18, 4)", "date": "date", "timestamp": "timestamp", "text": "text"}
    connection, tables = cdm(TYPED)
    with psycopg.connect(server, autocommit=True) as there:
        there.execute("CREATE SCHEMA cdm")
        stored = {}
        for name, known in tables.items():
            listed = ", ".join(f"{column} {types[kind]}" for column, kind in known.columns.items())
            there.execute(f"CREATE TABLE cdm.{name} ({listed})")
            lines = connection.execute(f"SELECT * FROM {name}").fetchall()
            with there.cursor() as cursor:
                cursor.executemany(f"INSERT INTO cdm.{name} VALUES ({', '.join(['%s'] * len(known.columns))})", lines)
            stored[name] = Table(f"cdm.{name}", known.columns)
        here, source = omop(tables, DIALECTS["duckdb"]), omop(stored, DIALECTS["postgres"])
        for mine, theirs in ((here.readings, source.readings), (here.persons, source.persons)):
            rendered = sqlglot.transpile(theirs, read="duckdb", write="postgres")[0]
            assert Counter(there.execute(rendered).fetchall()) == Counter(connection.execute(mine).fetchall())
        there.execute("DROP SCHEMA cdm CASCADE")


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


def lines(tmp_path, text, name="bulk.ndjson"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def ferritin(value, more=""):
    return f'{{"resourceType": "Observation", "id": "a", "status": "final", "subject": {{"reference": "Patient/p"}}, "effectiveDateTime": "2016-05-02T23:30:00-11:00", "code": {{"coding": [{{"system": "http://loinc.org", "code": "2276-4"}}]}}, "valueQuantity": {{"value": {value}, "unit": "ng/mL"}}{more}}}\n'


@pytest.mark.parametrize(
    "digits", ["9.20", "1e2", "1.0E+5", "1234567890123456789012345", "0.1234567890123456789012345", "0", "-0.0", "100.000"]
)
def test_a_number_keeps_the_digits_of_the_file(tmp_path, digits):
    """No float stands between the file and the cut-off."""
    ((person, t, code, value, unit, reference),) = ran(fhir([lines(tmp_path, ferritin(digits))]))
    assert (person, code, value, unit, reference) == ("p", "http://loinc.org|2276-4", digits, "ng/mL", None)
    assert datetime.fromtimestamp(t / 1000, UTC).isoformat() == "2016-05-02T23:30:00+00:00"


def test_words_that_look_like_numbers_are_not_changed(tmp_path):
    """Only a number under a key of a value is made a text; what a text says of one stays."""
    text = ferritin(900).replace('"valueQuantity": {"value": 900, "unit": "ng/mL"}', '"valueString": "said \\"value\\": 1.50 of 2"')
    assert ran(fhir([lines(tmp_path, text)]))[0][3] == 'said "value": 1.50 of 2'


def test_hostile_lines_are_rows_that_are_left(tmp_path):
    """What is no JSON, no object, no resource, no text in UTF-8: each line is one row, and none stops the run."""
    torn = [b"not json", b'{"resourceType": "Observation"', b'{"a": 1} {"b": 2}', b'{"id": "\xff"}', b"[1, 2]", b'"text"', b"null", b"7", b"{}", b'{"resourceType": 5}',
            b'{"resourceType": "Observation", "component": 5, "valueQuantity": [], "code": "x", "subject": {"reference": "Patient/p"}}',
            b'{"resourceType": "Condition", "verificationStatus": 5, "code": {"coding": {"code": 1}}, "subject": 5}',
            b'{"resourceType": "MedicationRequest", "dosageInstruction": "x", "contained": {}, "subject": {"reference": 7}}']  # fmt: skip
    found = ran(
        fhir([lines(tmp_path, b"\n".join([*torn, ferritin(900).encode(), b"", ferritin("true").replace('"a"', '"b"').encode()]))])
    )
    assert len(found) == len(torn) + 2
    assert Counter(row[3] for row in found) >= Counter({"!not JSON": 4, "900": 1, "?no value": 1})
    assert all(row[3][0] in "!?" for row in found if row[3] != "900")


def test_other_resources_are_counted_and_not_read(tmp_path):
    """Their type stands where the code would; the Patient is in the other query."""
    text = "".join(
        f'{{"resourceType": "{kind}", "id": "x"}}\n' for kind in ("Encounter", "Patient", "Specimen", "no type", "Medication")
    )
    assert sorted((row[2], row[3]) for row in ran(fhir([lines(tmp_path, text)]))) == [
        ("Encounter", "!resource type not read"),
        ("Medication", "!read with the resources that refer to it"),
        ("Specimen", "!read with the resources that refer to it"),
        ("line", "!resource type not read"),
    ]


def test_words_of_the_source_are_not_taken_for_those_of_this_tool(tmp_path):
    """A text that begins as a reason for leaving begins with a space, and so no text of a person becomes a reason."""
    text = "".join(
        ferritin(1)
        .replace('"valueQuantity": {"value": 1, "unit": "ng/mL"}', f'"valueString": "{said}"')
        .replace('"id": "a"', f'"id": "of {said}"')
        for said in ("!me", "?me", "ended", "a|b")
    )
    assert sorted(row[3] for row in ran(fhir([lines(tmp_path, text)]))) == [" !me", " ?me", " ended", "a/b"]


def test_several_files_and_globs_are_one_source(tmp_path):
    """One file for each type, as a bulk export has them."""
    one, two = ferritin(900), ferritin(800).replace('"a"', '"b"')
    paths = [lines(tmp_path, one, "one.ndjson"), lines(tmp_path, two, "two.ndjson")]
    assert (
        Counter(row[3] for row in ran(fhir(paths)))
        == Counter(row[3] for row in ran(fhir([str(tmp_path / "*.ndjson")])))
        == Counter(["900", "800"])
    )


def test_versions_whose_order_is_not_stated_are_not_known(tmp_path):
    """Two that differ, without a time or number of their versions: neither counts, and the criterion stays open."""
    assert {row[3] for row in ran(fhir([lines(tmp_path, ferritin(900) + ferritin(90))]))} == {
        "?several versions, and which of them holds is not stated"
    }
    dated = ferritin(900) + ferritin(90, ', "meta": {"versionId": "2"}')
    assert {row[3] for row in ran(fhir([lines(tmp_path, dated)]))} == {"?several versions, and which of them holds is not stated"}
    both = ferritin(900, ', "meta": {"versionId": "1"}') + ferritin(90, ', "meta": {"versionId": "2"}')
    assert {row[3] for row in ran(fhir([lines(tmp_path, both)]))} == {"!another version takes its place", "90"}


def test_people_of_two_servers_are_not_mixed(tmp_path):
    """The same id at another address is another person; of one server the id is enough."""
    texts = [
        ferritin(value).replace("Patient/p", f"http://{server}/fhir/Patient/1").replace('"a"', f'"{value}"')
        for value, server in ((900, "a"), (90, "b"))
    ]
    assert {row[0] for row in ran(fhir([lines(tmp_path, "".join(texts))]))} == {
        "http://a/fhir/Patient/1",
        "http://b/fhir/Patient/1",
    }
    assert {row[0] for row in ran(fhir([lines(tmp_path, texts[0])]))} == {"1"}


def test_a_drug_of_fhir_has_all_its_names_and_its_route(tmp_path):
    """From the concept, from a Medication elsewhere or inside, and what is left says why."""
    base = '{{"resourceType": "{kind}", "id": "{id}", "status": "{status}", "intent": "order", "subject": {{"reference": "Patient/p"}}, "{time}": "2016-05-02", {more}}}\n'
    concept = '"medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "4179", "display": "Etoposide 50 MG"}], "text": "VP 16"}'
    made = [
        base.format(kind="MedicationAdministration", id="1", status="completed", time="effectiveDateTime", more=concept),
        base.format(
            kind="MedicationRequest",
            id="2",
            status="active",
            time="authoredOn",
            more='"medicationReference": {"reference": "Medication/m"}',
        ),
        base.format(
            kind="MedicationStatement",
            id="3",
            status="active",
            time="effectiveDateTime",
            more='"contained": [{"id": "k", "code": {"text": "Kineret"}}], "medicationReference": {"reference": "#k"}',
        ),
        base.format(
            kind="MedicationStatement",
            id="4",
            status="active",
            time="effectiveDateTime",
            more='"medicationReference": {"display": "Emapalumab 50 mg"}, "dosage": [{"route": {"text": "Intrathecal route"}}]',
        ),
        base.format(kind="MedicationStatement", id="5", status="not-taken", time="effectiveDateTime", more=concept),
        base.format(kind="MedicationDispense", id="6", status="completed", time="whenHandedOver", more=concept),
        '{"resourceType": "Medication", "id": "m", "code": {"text": "Ruxolitinib"}}\n',
    ]
    found = sorted((row[2], row[3]) for row in ran(fhir([lines(tmp_path, "".join(made))])))
    assert found == [
        ("FHIR|drug|Emapalumab_50_mg_Intrathecal_route", "present"),
        ("FHIR|drug|Kineret", "present"),
        ("FHIR|drug|Ruxolitinib", "present"),
        ("Medication", "!read with the resources that refer to it"),
        *[
            ("http://www.nlm.nih.gov/research/umls/rxnorm|4179|VP_16_Etoposide_50_MG", why)
            for why in ("!dispensed, which does not say when it was given", "!status not-taken", "present")
        ],
    ]


def test_a_patient_of_fhir_has_a_day_of_birth_or_two(tmp_path):
    """A year or a month gives its first and last day."""
    text = "".join(
        f'{{"resourceType": "Patient", "id": "{number}", "birthDate": "{born}"}}\n'
        for number, born in enumerate(("2016-05-02", "2016", "2016-02", "2016-13", ""))
    )
    found = duckdb.connect().execute(fhir([lines(tmp_path, text)]).persons).fetchall()
    born = {
        number: None if first is None else tuple(str(date(1970, 1, 1) + timedelta(days=day)) for day in (first, last))
        for number, first, last in found
    }
    assert born == {
        "0": ("2016-05-02", "2016-05-02"),
        "1": ("2016-01-01", "2016-12-31"),
        "2": ("2016-02-01", "2016-02-29"),
        "3": None,
        "4": None,
    }


@pytest.mark.skipif(not (SHARED / "fhir").is_dir(), reason="the FHIR samples are not there")
def test_a_synthetic_bulk_file_says_what_the_reader_says():
    """Every line, and every fact."""
    files = sorted((SHARED / "fhir").glob("*.ndjson"))
    source = fhir([str(path) for path in files])
    found = ran(source)
    persons = duckdb.connect().execute(source.persons).fetchall()
    assert len(found) + len(persons) == sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)
    charts = fhir_reader.read_files(files, "bulk", Account("bulk", "fhir"))
    assert told("fhir", found) == facts(charts)
    born = {number: str(date(1970, 1, 1) + timedelta(days=first)) for number, first, _ in persons}
    assert born == {chart.person.id: chart.person.birth_date for chart in charts}


@pytest.mark.parametrize(
    ("form", "unit", "expected_"),
    [
        ("omop", "ng/mL|ug/L", ("ng/mL", "")),
        ("omop", "ng/mL|pmol/L", ("", "two different units")),
        ("omop", "ng/mL|odd", ("ng/mL", "")),
        ("omop", "{cells}/uL|ng/mL", ("", "two different units")),
        ("omop", "ng/mL", ("ng/mL", "")),
        ("fhir", "ng/mL|µg/L", ("ng/mL", "")),
        ("fhir", "ng/mL|pmol/L", ("", "unit and its code contradict one another")),
        ("fhir", "odd|ng/mL", ("", "unit whose code is not known here")),
        ("fhir", "|odd|ng/mL", ("ng/mL", "")),
        ("fhir", "", ("", "")),
    ],
)
def test_a_unit_that_is_stated_twice(form, unit, expected_):
    """One of them counts where both are of one size; a code of FHIR must be known, unless its system is not stated."""
    assert unit_of(form, "ferritin", unit) == expected_


# MIMIC-IV

ITEMS = """itemid (omop_source_code),label,fluid,omop_vocabulary_id,omop_concept_code
1,Ferritin,Blood,LOINC,2276-4
2,Triglycerides,Ascites,LOINC,14447-7
3,Odd,Blood,,
4,CSF cells,Cerebrospinal Fluid,LOINC,26465-5
5,Ferritin,Q,LOINC,2276-4
6,Twice,Blood,LOINC,2276-4
6,Twice,Blood,LOINC,718-7
"""
EVENTS = "labevent_id,subject_id,itemid,charttime,value,valuenum,valueuom,ref_range_lower,ref_range_upper,comments\n"
PERSON_MIMIC = "subject_id,gender,anchor_age,anchor_year\n1,F,52,2180\n2,M,91,2110\n3,M,,2110\n"


def events(*cells):
    """The rows of these laboratory events: item, value, number, unit, low, high, comment."""
    connection = duckdb.connect()
    text = EVENTS + "".join(f"1,10,{item},2180-05-02 08:30:00,{','.join(more)}\n" for item, *more in cells)
    tables = {
        name: table(connection, name, each)
        for name, each in (("labevents", text), ("d_labitems_to_loinc", ITEMS), ("patients", PERSON_MIMIC))
    }
    return connection, mimic(tables, DIALECTS["duckdb"])


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (("1", "900", "900.0", "ng/mL", "13", "150", ""), ("LOINC|2276-4", "900", "ng/mL", "13-150")),
        (("1", ">20000", "", "ng/mL", "", "", ""), ("LOINC|2276-4", ">20000", "ng/mL", None)),
        (("1", "", "9.20", "ng/mL", "", "", ""), ("LOINC|2276-4", "9.20", "ng/mL", None)),
        (("1", "___", "9.20", "ng/mL", "", "", ""), ("LOINC|2276-4", "9.20", "ng/mL", None)),
        (("1", "___", "", "ng/mL", "", "", ""), ("LOINC|2276-4", "?taken out to protect the person", "ng/mL", None)),
        (("1", "", "", "ng/mL", "", "", ""), ("LOINC|2276-4", None, "ng/mL", None)),
        (("1", "900", "900", "ng/mL", "", "", "GROSSLY HEMOLYZED SPECIMEN."), ("LOINC|2276-4", "?comment that puts the value in doubt", "ng/mL", None)),
        (("1", "!x", "", "", "", "", ""), ("LOINC|2276-4", " !x", None, None)),
        (("2", "90", "90", "mg/dL", "", "", ""), ("LOINC|14447-7", "!not a specimen of blood", "mg/dL", None)),
        (("3", "90", "90", "", "", "", ""), ("MIMIC|3", "!item without a code of LOINC", None, None)),
        (("4", "9", "9", "#/uL", "", "", ""), ("LOINC|26465-5", "9", "#/uL", None)),
        (("5", "9", "9", "", "", "", ""), ("LOINC|2276-4", "!specimen not known here", None, None)),
        (("6", "9", "9", "", "", "", ""), ("LOINC|2276-4", "!item that is mapped in two ways", None, None)),
        (("7", "9", "9", "", "", "", ""), ("MIMIC|7", "!item without a code of LOINC", None, None)),
    ],
)  # fmt: skip
def test_a_laboratory_event_of_mimic(cells, wanted):
    """The text goes before the number; fluids other than blood are left."""
    connection, source = events(cells)
    ((person, t, *rest),) = ran(source, connection)
    assert (person, datetime.fromtimestamp(t / 1000, UTC).isoformat()) == ("10", "2180-05-02T08:30:00+00:00")
    assert tuple(rest) == wanted


def test_the_persons_of_mimic_have_a_year_of_birth():
    """The age at the year that is its anchor; 91 stands for all who are 90 or more."""
    connection, source = events()
    found = connection.execute(source.persons).fetchall()
    born = {
        number: None if first is None else tuple(str(date(1970, 1, 1) + timedelta(days=day)) for day in (first, last))
        for number, first, last in found
    }
    assert born == {"1": ("2128-01-01", "2128-12-31"), "2": ("1985-01-01", "2020-12-31"), "3": None}


def test_mimic_needs_the_mapping_of_its_items():
    """An item is no code."""
    with pytest.raises(ValueError, match="d_labitems_to_loinc"):
        mimic({"labevents": Table("labevents", {})}, DIALECTS["duckdb"])
    with pytest.raises(ValueError, match="omop_concept_code"):
        mimic({"labevents": Table("labevents", {}), "d_labitems_to_loinc": Table("d", {"itemid": "integer"})}, DIALECTS["duckdb"])


@pytest.mark.skipif(not (SHARED / "mimic").is_dir(), reason="the mapping of MIMIC is not there")
def test_the_published_mapping_of_mimic_is_read():
    """Ferritin of the blood is known by it, and every item is one row."""
    connection = duckdb.connect()
    items = (SHARED / "mimic" / "d_labitems_to_loinc.csv").read_text(encoding="utf-8")
    tables = {"d_labitems_to_loinc": table(connection, "d_labitems_to_loinc", items)}
    numbers = [row[0] for row in connection.execute('SELECT "itemid (omop_source_code)" FROM d_labitems_to_loinc').fetchall()]
    text = EVENTS + "".join(f"1,10,{number},2180-05-02 08:30:00,9,9,ng/mL,,,\n" for number in numbers)
    tables["labevents"] = table(connection, "labevents", text)
    found = ran(mimic(tables, DIALECTS["duckdb"]), connection)
    assert len(found) == len(numbers) == 1630
    assert [row[3] for row in found if row[2] == "LOINC|2276-4"] == ["9"]
    assert {row[3] for row in found} == {"9", "!not a specimen of blood", "!item without a code of LOINC"}

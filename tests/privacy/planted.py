"""Inputs of every form with a text of the test's own in every place that a file leaves free: names, ids, notes, labels, units."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Mark = Callable[[str], str]
CANARY = "Zaphod"

DAY, BORN = "2016-05-02", "1987-06-05"
NUMBER = "48151.62342"  # a value that is nowhere else
NASTY = (
    "\x1b[31m\x9b2J\x07\x08\x7f\u202e\u2066\u200b\r\n\x1b]8;;http://evil.example\x1b\\[red]b[/red][link=http://evil.example]l[/link]"
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>`|*_#&lt;{{7*7}}*/ DROP TABLE x; /*[l](javascript:alert(3))"
)


def canary(place: str) -> str:
    """A word that says where it came from."""
    return f"{CANARY}-{place}"


def nasty(place: str) -> str:
    """A text that would act on a terminal, a page, a spreadsheet or a database, if it were not shown as text."""
    return f"={place}{NASTY}"


def table(*rows: list[str]) -> str:
    """Rows as CSV."""
    made = io.StringIO()
    csv.writer(made).writerows(rows)
    return made.getvalue()


def plant(folder: Path, mark: Mark) -> Path:
    """Every input in a folder; `mark` makes the text for each kind of place."""
    lab = _fhir(mark)
    texts = {
        "patient.json": json.dumps(_patient(mark)),
        "patient.yaml": "# A comment is never shown\n" + json.dumps(_patient(mark), indent=1),  # JSON is YAML
        "own.yaml": json.dumps(_criteria(mark), indent=1),
        "folder/own.yaml": json.dumps(_criteria(mark) | {"id": "of-a-folder"}),
        "fhir.json": json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in lab]}),
        "fhir.map.yaml": json.dumps({"codes": {f"http://local|{mark('code')}": "ferritin"}}),
        "bulk/Patient.ndjson": json.dumps(lab[0]) + "\n",
        "bulk/Observation.ndjson": "".join(json.dumps(each) + "\n" for each in lab if each["resourceType"] == "Observation"),
        "packet.json": json.dumps(_phenopacket(mark)),
        "wide.csv": table(
            ["patient_id", "name", "date", "birth_date", "ferritin (ng/mL)", "platelets (G/L)", "splenomegaly", mark("column")],
            [mark("id"), mark("person"), DAY, BORN, NUMBER, mark("value"), mark("word"), mark("cell")],
            [mark("id"), mark("person"), "2016-05-09", BORN, "900", "80", "yes", mark("cell")],
        ),
        "long.csv": table(
            ["mrn", "who", "when", "test", "result", "unit", "reference", mark("column")],
            [mark("id"), mark("person"), DAY, "Ferritin", NUMBER, "ng/mL", "<150", mark("cell")],
            [mark("id"), mark("person"), DAY, mark("test"), "17", mark("unit"), mark("reference"), mark("cell")],
            [mark("id"), mark("person"), DAY, "Hemoglobin", mark("value"), mark("unit"), mark("reference"), mark("cell")],
        ),
        "long.map.yaml": json.dumps(
            {"layout": "long", "patient": "mrn", "time": "when", "analyte": "test", "value": "result", "unit": "unit"}
        ),
        "redcap.csv": table(
            ["record_id", "redcap_event_name", "visit_date", "ferr", "mrn", "history", "form_complete"],
            [mark("id"), "baseline_arm_1", DAY, NUMBER, mark("mrn"), mark("note"), "2"],
            [mark("id"), "followup_arm_1", "2016-05-09", mark("value"), mark("mrn"), mark("note"), "2"],
        ),
        "dictionary.csv": table(
            [
                "field_name",
                "form_name",
                "section_header",
                "field_type",
                "field_label",
                "select_choices_or_calculations",
                "field_note",
                "text_validation_type_or_show_slider_number",
                "identifier",
            ],
            ["record_id", "form", "", "text", "Record", "", "", "", ""],
            ["visit_date", "form", "", "text", "Date of visit", "", "", "date_ymd", ""],
            ["ferr", "form", mark("section"), "text", "Ferritin (ng/mL)", "", mark("note"), "number", ""],
            ["mrn", "form", "", "text", mark("label"), "", "", "", "y"],
            ["history", "form", "", "notes", mark("label"), "", mark("note"), "", ""],
        ),
        **{f"omop/{name}.csv": table(*rows) for name, rows in _omop(mark).items()},
        **{f"mimic/{name}.csv": table(*rows) for name, rows in _mimic(mark).items()},
        **_cohort(mark),
        "key.txt": f"{CANARY}-key" * 40,
    }
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    _book(folder / "book.xlsx", texts["wide.csv"])
    _parquet(folder)
    return folder


def _patient(mark: Mark) -> dict[str, Any]:
    return {
        "patient": {"id": mark("id"), "birth_date": BORN, "sex": "male"},
        "background": {"immunosuppression": "no"},
        "therapies": [
            {"drug": mark("drug"), "line": mark("line"), "dose": mark("dose"), "start": DAY, "stop": "2016-05-20", "note": mark("note")},
            {"drug": "ruxolitinib", "start": "2016-05-20", "baseline": mark("label")},
        ],
        "timepoints": [
            {"name": mark("label"), "date": DAY, "note": mark("note"),
             "observations": {"ferritin": {"value": f"{NUMBER} ng/mL", "note": mark("note")}, "hb": "90 g/dL", "fever": "yes",
                              "sil2r": {"value": "4100 pg/mL", "reference": "<1000", "assay": mark("assay")}}},
            {"name": "after", "date": "2016-05-21", "observations": {"ferritin": "900 ng/mL", "fever": "no"},
             "reported": {"hlh-2004": {"verdict": "not met"}}},
        ],
        "genetics": {"tested": [mark("gene")], "variants": [{"gene": mark("gene"), "variant": mark("variant"), "note": mark("note")}]},
        "workup": {"infectious": "negative"},
        "series": {"ferritin": {"unit": "ng/mL", "points": [[DAY, NUMBER], ["2016-05-12", ">20000"]]}},
    }  # fmt: skip


def _criteria(mark: Mark) -> dict[str, Any]:
    return {
        "id": "own-set",
        "title": mark("title"),
        "citation": {"text": mark("citation"), "url": "javascript:alert(1)"},
        "provenance": "secondary",
        "population": mark("population"),
        "verdict": {
            "at_least": 1,
            "of": [
                {"id": "fever", "title": mark("item"), "first_known": ["fever", "temperature >= 38.5 Cel"], "note": mark("note")},
                {"id": "ferritin", "title": mark("item"), "when": "ferritin >= 2000 ng/mL"},
            ],
        },
        "not_computable": [mark("note")],
        "notes": [mark("note")],
        "cases": [{"name": mark("case"), "observations": {"ferritin": "100 ng/mL"}, "expect": {"verdict": "met"}}],
    }


def _fhir(mark: Mark) -> list[dict[str, Any]]:
    who = {"reference": "Patient/p1", "display": mark("person"), "identifier": {"value": mark("mrn")}}

    def observation(number: int, code: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "resourceType": "Observation", "id": f"o{number}", "status": "final", "code": code, "subject": who,
            "effectiveDateTime": DAY, "note": [{"text": mark("note")}], "performer": [{"display": mark("doctor")}],
            "identifier": [{"value": mark("mrn")}], "text": {"status": "generated", "div": mark("note")}, **more,
        }  # fmt: skip

    def loinc(code: str) -> dict[str, Any]:
        return {"coding": [{"system": "http://loinc.org", "code": code, "display": mark("display")}], "text": mark("display")}

    return [
        {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": BORN, "name": [{"family": mark("person"), "text": mark("person")}],
         "identifier": [{"system": "urn:mrn", "value": mark("mrn")}], "telecom": [{"value": mark("phone")}], "address": [{"text": mark("address")}]},
        observation(1, loinc("2276-4"), valueQuantity={"value": NUMBER, "unit": "ng/mL"}),
        observation(2, loinc("718-7"), valueString=mark("value")),
        observation(3, loinc("777-3"), valueQuantity={"value": 80, "unit": mark("unit")}),
        observation(4, loinc("2823-3"), valueQuantity={"value": 4, "unit": "mmol/L"}),
        observation(5, {"coding": [{"system": "http://local", "code": "x1", "display": mark("display")}]}, valueString=mark("value")),
        observation(6, {"text": mark("display")}, valueString=mark("value")),
        observation(7, loinc("2571-8"), valueCodeableConcept={"text": mark("value")}),
        {"resourceType": "Condition", "id": "c1", "subject": who, "code": {"coding": [{"system": "http://snomed.info/sct", "code": "386661006", "display": mark("display")}], "text": mark("diagnosis")}, "onsetDateTime": DAY, "note": [{"text": mark("note")}]},
        {"resourceType": "MedicationAdministration", "id": "m1", "status": "completed", "subject": who, "medicationCodeableConcept": {"text": mark("drug")}, "effectiveDateTime": DAY, "dosage": {"text": mark("dose")}},
        {"resourceType": "DiagnosticReport", "id": "d1", "status": "final", "code": {"text": mark("display")}, "conclusion": mark("note"), "subject": who},
    ]  # fmt: skip


def _phenopacket(mark: Mark) -> dict[str, Any]:
    return {
        "id": mark("packet"),
        "subject": {"id": mark("id"), "alternateIds": [mark("mrn")], "sex": "FEMALE", "dateOfBirth": f"{BORN}T00:00:00Z",
                    "timeAtLastEncounter": {"age": {"iso8601duration": "P3Y"}}},
        "phenotypicFeatures": [
            {"type": {"id": "HP:0001744", "label": mark("display")}, "description": mark("phenotype"), "evidence": [{"reference": {"description": mark("note")}}]},
            {"type": {"id": "HP:9999999", "label": mark("phenotype")}, "description": mark("phenotype")},
        ],
        "measurements": [
            {"description": mark("note"), "assay": {"id": "LOINC:2276-4", "label": mark("display")}, "value": {"quantity": {"unit": {"id": "UCUM:ng/mL"}, "value": 9000}}},
            {"assay": {"id": "LOINC:718-7"}, "value": {"quantity": {"unit": {"id": "x", "label": mark("unit")}, "value": 9}}},
        ],
        "interpretations": [{"id": mark("note"), "summary": mark("note"), "diagnosis": {"disease": {"id": "OMIM:1", "label": mark("diagnosis")}}}],
        "diseases": [{"term": {"id": "MONDO:1", "label": mark("diagnosis")}}],
        "medicalActions": [{"treatment": {"agent": {"id": "X:1", "label": mark("drug")}}}],
        "files": [{"uri": mark("file")}],
        "metaData": {"phenopacketSchemaVersion": "2.0", "createdBy": mark("doctor")},
    }  # fmt: skip


def _omop(mark: Mark) -> dict[str, list[list[str]]]:
    head = [
        "measurement_id",
        "person_id",
        "measurement_concept_id",
        "measurement_date",
        "operator_concept_id",
        "value_as_number",
        "value_as_concept_id",
        "unit_concept_id",
        "measurement_source_value",
        "unit_source_value",
        "value_source_value",
    ]
    return {
        "person": [
            ["person_id", "gender_concept_id", "year_of_birth", "month_of_birth", "day_of_birth", "person_source_value"],
            ["7", "8507", "1987", "6", "5", mark("mrn")],
        ],
        "concept": [
            ["concept_id", "concept_name", "domain_id", "vocabulary_id", "concept_code"],
            ["11", mark("display"), "Measurement", "LOINC", "2276-4"],
            ["12", mark("display"), "Measurement", "LOINC", "718-7"],
            ["13", mark("display"), "Measurement", mark("system"), mark("code")],
        ],
        "measurement": [
            head,
            ["1", "7", "11", DAY, "", NUMBER, "", "8842", mark("source"), mark("unit"), mark("value")],
            ["2", "7", "12", DAY, "", "", "", "", mark("source"), mark("unit"), mark("value")],
            ["3", "7", "13", DAY, "", "3", "", "", mark("source"), mark("unit"), mark("value")],
            ["4", "7", "0", DAY, "", "3", "", "", mark("source"), mark("unit"), mark("value")],
        ],
    }


def _mimic(mark: Mark) -> dict[str, list[list[str]]]:
    return {
        "labevents": [
            ["labevent_id", "subject_id", "itemid", "charttime", "value", "valuenum", "valueuom", "ref_range_lower", "ref_range_upper", "comments"],
            ["1", "7", "50", f"{DAY} 07:00:00", NUMBER, NUMBER, "ng/mL", "", "150", mark("note")],
            ["2", "7", "51", f"{DAY} 07:00:00", mark("value"), "", mark("unit"), "", "", mark("note")],
        ],
        "items": [
            ["itemid", "label", "fluid", "omop_vocabulary_id", "omop_concept_code"],
            ["50", mark("display"), "Blood", "LOINC", "2276-4"],
            ["51", mark("display"), "Blood", "LOINC", "718-7"],
        ],
    }  # fmt: skip


def _cohort(mark: Mark) -> dict[str, str]:
    """The tables of a cohort: rows that can be read, and rows with a text where each column asks for something else."""
    rows = [
        [mark("id"), DAY, "ferritin", NUMBER, "ng/mL"],
        [mark("id"), DAY, "hemoglobin", mark("value"), "g/dL"],
        [mark("id"), DAY, "platelets", "20", mark("unit")],
        [mark("id"), mark("time"), "ferritin", "900", "ng/mL"],
        [mark("id"), DAY, mark("code"), "17", "ng/mL"],
        [mark("id"), DAY, "splenomegaly", mark("word"), ""],
    ]
    names = ["person_id", "time", "code", "value", "unit"]
    return {
        "labs.csv": table(names, *rows, [mark("torn")]),
        "labs.ndjson": "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows) + f'{{"{"torn"}\n',
        "anchors.csv": table(
            ["person_id", "time", "name"],
            [mark("id"), DAY, mark("label")],
            [mark("id"), mark("time"), mark("label")],
            [mark("torn")],
        ),
        "persons.csv": table(
            ["person_id", "birth_date", "year_of_birth"], [mark("id"), BORN, ""], [mark("other"), mark("time"), mark("year")]
        ),
    }


def _book(path: Path, text: str) -> None:
    import openpyxl
    from openpyxl.comments import Comment

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in csv.reader(io.StringIO(text)):
        sheet.append([openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", each) for each in row])
    for cell in (each for row in sheet.iter_rows() for each in row):
        cell.data_type = "s"  # a text, also where it begins with '='
    sheet["E2"].comment = Comment("a comment", "somebody")
    book.save(path)


def _parquet(folder: Path) -> None:
    import duckdb

    with (folder / "labs.csv").open(encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
    with duckdb.connect() as here:
        here.execute(f"CREATE TABLE labs ({', '.join(f'{name} VARCHAR' for name in names)})")
        here.executemany("INSERT INTO labs VALUES (?, ?, ?, ?, ?)", [row for row in rows if len(row) == len(names)])
        here.execute(f"COPY labs TO '{folder / 'labs.parquet'}' (FORMAT parquet)")

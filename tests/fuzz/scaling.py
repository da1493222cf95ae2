"""Seconds and memory as inputs double: python tests/fuzz/scaling.py [NAME …]. What more than doubles is shown with its factor.

Each input is made and read in a process of its own, up to several megabytes or the limit of its form.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import resource
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

from targets import PART, TARGETS  # noqa: E402

STEPS = (1, 2, 4)
PATIENT = "patient: {id: x, age: 3 y}\n"
ONE = PATIENT + "timepoints:\n- name: a\n  day: 0\n"


def _timepoints(n: int, inside: str = "  observations: {ferritin: 900 ng/mL, fever: yes}\n", dated: str = "  day: {i}\n") -> str:
    return "timepoints:\n" + "".join(f"- name: t{i}\n{dated.format(i=i)}{inside}" for i in range(n))


OBSERVED = ("ferritin: {} ng/mL", "fever: yes", "hb: {} g/L", "plt: {} 10*9/L", "anc: {}/uL", "tg: {} mg/dL", "fibrinogen: {} mg/dL", "splenomegaly: no", "sil2r: {} U/mL", "ast: {} U/L", "ldh: {} U/L", "crp: {} mg/L", "hemophagocytosis: no", "nk_activity: normal", "hepatomegaly: yes", "d_dimer: {} ng/mL", "sodium: {} mmol/L", "immunosuppression: no")  # fmt: skip


def _unlike(n: int, many: int = 0) -> str:
    """Time points of which each knows something else, or so many of the same."""
    known = [[one for bit, one in enumerate(OBSERVED) if (i * 7919 + 13) >> bit & 1] for i in range(n)]
    return "timepoints:\n" + "".join(
        f"- name: t{i}\n  day: {i}\n  observations: {{{', '.join(one.format(i + 90) for one in OBSERVED[:many] or known[i])}}}\n"
        for i in range(n)
    )


def _series(n: int, many: int = 1) -> str:
    names = ["ferritin: {unit: ng/mL", "platelets: {unit: 10*9/L", "sil2r: {unit: U/mL", "hemoglobin: {unit: g/dL"]
    return "series:\n" + "".join(
        f"  {name}, points: [{', '.join(f'[{i / 100}, {i}]' for i in range(n))}]}}\n" for name in names[:many]
    )


def _observation(number: int, **more: object) -> dict[str, object]:
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "subject": {"reference": f"Patient/{number % 7}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]},
        "effectiveDateTime": f"2016-{number % 12 + 1:02}-{number % 28 + 1:02}",
        "valueQuantity": {"value": number, "unit": "ng/mL"},
        **more,
    }


def _lines(found: list[dict[str, object]]) -> str:
    return "\n".join(json.dumps(each) for each in found) + "\n"


def _bundle(found: list[dict[str, object]]) -> str:
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in found]})


def _packet(**more: object) -> str:
    return json.dumps({"id": "p", "subject": {"id": "s", "timeAtLastEncounter": {"age": {"iso8601duration": "P3Y"}}}, "metaData": {"phenopacketSchemaVersion": "2.0"}, "phenotypicFeatures": [{"type": {"id": "HP:0001945"}}], **more})  # fmt: skip


def _measured(number: int) -> dict[str, object]:
    return {
        "assay": {"id": "LOINC:2276-4"},
        "value": {"quantity": {"unit": {"id": "UCUM:ng/mL"}, "value": number}},
        "timeObserved": {"timestamp": f"2016-{number % 12 + 1:02}-{number % 28 + 1:02}T00:00:00Z"},
    }


def _omop(n: int, concepts: int) -> str:
    concept = "concept_id,concept_name,domain_id,vocabulary_id,concept_class_id,standard_concept,concept_code\n1,Ferritin,Measurement,LOINC,Lab Test,S,2276-4\n"
    concept += "".join(f"{i + 2},x{i},Measurement,LOINC,Lab Test,S,{i}-1\n" for i in range(concepts))
    rows = "".join(
        f"{i},{i % 50},{1 if i % 2 else i % max(concepts, 1) + 2},2016-{i % 12 + 1:02}-{i % 28 + 1:02},{i},8842\n" for i in range(n)
    )
    return PART.decode().join((
        "measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,unit_concept_id\n" + rows, concept,
        "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth\n" + "".join(f"{i},8507,2010,3,4\n" for i in range(50)),
        "condition_occurrence_id,person_id,condition_concept_id,condition_start_date\n",
    ))  # fmt: skip


def _workbook(sheet: str, strings: str = "", of: str = "xl/worksheets/sheet1.xml") -> bytes:
    """A workbook with this sheet, packed as small as it gets."""
    from targets import _workbook as plain

    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain())) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for name in old.namelist():
            new.writestr(name, sheet if name == of else strings if strings and name == "xl/sharedStrings.xml" else old.read(name))
    return made.getvalue()


SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>patient</t></is></c><c r="B1" t="inlineStr"><is><t>date</t></is></c><c r="C1" t="inlineStr"><is><t>Ferritin (ng/mL)</t></is></c></row>{}</sheetData></worksheet>'
LONG = "patient,date,test,value,unit\n"
CRITERIA = "id: own\ntitle: Own\ncitation: none\n"

# name: (target, size, what is made of a size)
MADE: dict[str, tuple[str, int, Callable[[int], str | bytes]]] = {
    "time points": ("patient", 250, lambda n: PATIENT + _timepoints(n)),
    "time points, much observed": ("patient", 250, lambda n: PATIENT + _timepoints(n, "  observations: {ferritin: 900 ng/mL, fever: yes, hb: 7 g/dL, plt: 30 10*9/L, anc: 0.3 10*9/L, tg: 4 mmol/L, fibrinogen: 1 g/L, spleen: yes, ast: 300 U/L, sil2r: 4000 U/mL}\n")),
    "time points with therapies": ("patient", 250, lambda n: PATIENT + "therapies:\n" + "".join(f"- {{drug: d{i}, start: {i}}}\n" for i in range(n)) + _timepoints(n)),
    "time points without a day": ("patient", 250, lambda n: PATIENT + _timepoints(n, dated="")),
    "windows over a curve": ("patient", 250, lambda n: PATIENT + _timepoints(n, "  window: 9999 d\n") + _series(n * 10)),
    "points of a curve": ("patient", 7000, lambda n: ONE + _series(n)),
    "time points that each know something else": ("patient", 250, lambda n: PATIENT + _unlike(n)),
    "lines of therapy, much observed": ("patient", 250, lambda n: PATIENT + "therapies:\n" + "".join(f"- {{drug: d{i}, start: {i}, line: l{i}}}\n" for i in range(n)) + _unlike(n, 9)),
    "curves of two assays": ("patient", 250, lambda n: PATIENT + "therapies: [{drug: x, start: 1}]\n" + _timepoints(n, "  observations: {sil2r: 900 pg/mL}\n") + _series(n * 8, 4)),
    "time points without a day beside curves": ("patient", 250, lambda n: PATIENT + "therapies: [{drug: x, start: 1}]\n" + _timepoints(1) + "".join(f"- name: u{i}\n  observations: {{ferritin: {i} ng/mL, sil2r: {i} U/mL}}\n" for i in range(n - 1)) + _series(n * 8, 4)),
    "points of four curves, a therapy": ("patient", 1500, lambda n: PATIENT + "therapies: [{drug: x, start: 1}]\n" + _timepoints(100) + _series(n, 4)),
    "therapies": ("patient", 6000, lambda n: ONE + "therapies:\n" + "".join(f"- {{drug: d{i}, start: {i}}}\n" for i in range(n))),
    "therapies of named lines": ("patient", 4000, lambda n: ONE + "therapies:\n" + "".join(f"- {{drug: d{i}, start: {i}, line: l{i}}}\n" for i in range(n))),
    "therapies with a wrong baseline": ("patient", 3000, lambda n: PATIENT + _timepoints(n // 12) + "therapies:\n" + "".join(f"- {{drug: d, start: 1, baseline: u{i}}}\n" for i in range(n))),
    "unknown keys": ("patient", 9000, lambda n: ONE + "".join(f"unknown{i}: x\n" for i in range(n))),
    "unknown observables": ("patient", 9000, lambda n: ONE + "  observations:\n" + "".join(f"    feritine{i}: x\n" for i in range(n))),
    "unknown observables, long": ("patient", 2000, lambda n: ONE + "  observations:\n" + "".join(f"    {'ferritin' * 20}{i}: x\n" for i in range(n))),
    "unknown curves": ("patient", 9000, lambda n: ONE + "series:\n" + "".join(f"  feritine{i}: x\n" for i in range(n))),
    "unknown sets reported": ("patient", 9000, lambda n: ONE + "  reported:\n" + "".join(f"    hlh-20{i}: {{verdict: met}}\n" for i in range(n))),
    "unknown marks reported": ("patient", 9000, lambda n: ONE + "  reported:\n    hlh-2004:\n" + "".join(f"      fevr{i}: met\n" for i in range(n))),
    "unknown units": ("patient", 220, lambda n: PATIENT + _timepoints(n, "  observations: {ferritin: 900 ngml, hb: 7 gdl, plt: 30 xx, anc: 3 ly, tg: 4 mm, fibrinogen: 1 gg}\n")),
    "unknown keys of an entry": ("patient", 220, lambda n: PATIENT + _timepoints(n, "  observations: {ferritin: {valeu: 3}, hb: {unitt: 4}}\n")),
    "doubtful values": ("patient", 220, lambda n: PATIENT + _timepoints(n, "  observations: {ferritin: 0.001 ng/mL, hb: 90 g/dL, plt: 380000 10*9/L, anc: 3000 10*9/L, temperature: 20 Cel}\n")),
    "variants of genes": ("patient", 6000, lambda n: ONE + "genetics:\n  variants:\n" + "".join(f"  - {{gene: PRF1, variant: c.{i}A>G, zygosity: homozygous, classification: pathogenic}}\n" for i in range(n))),
    "genes tested": ("patient", 20000, lambda n: ONE + "genetics: {tested: [" + ", ".join(f"G{i}" for i in range(n)) + "]}\n"),
    "causes looked for": ("patient", 15000, lambda n: ONE + "workup:\n" + "".join(f"  c{i}: negative\n" for i in range(n))),
    "a long note": ("patient", 450_000, lambda n: ONE + "  note: " + "x " * (n // 2) + "\n"),
    "a long name": ("patient", 450_000, lambda n: PATIENT + "timepoints:\n- name: " + "x" * n + "\n"),
    "a long value": ("patient", 450_000, lambda n: ONE + "  observations: {ferritin: " + "9" * n + " ng/mL}\n"),
    "a list of values": ("patient", 20000, lambda n: ONE + "  observations: {ferritin: [" + ", ".join(f"{i} ng/mL" for i in range(n)) + "]}\n"),
    "aliases": ("patient", 20000, lambda n: ONE + "  note: &a x\n" + "workup:\n" + "".join(f"  c{i}: *a\n" for i in range(n))),
    "blocks": ("patient", 20000, lambda n: ONE + "workup:\n" + "".join(f"  c{i}: |\n   x\n" for i in range(n))),
    "a column of JSON on one line": ("patient", 20000, lambda n: json.dumps({"timepoints": [{"name": "a"}], "workup": {f"c{i}": "negative" for i in range(n)}})),
    "Observations (NDJSON)": ("fhir", 5000, lambda n: _lines([_observation(i) for i in range(n)])),
    "Observations (Bundle)": ("fhir", 5000, lambda n: _bundle([_observation(i) for i in range(n)])),
    "Observations, the same": ("fhir", 5000, lambda n: _lines([_observation(1, id=f"x{i}") for i in range(n)])),
    "Observations of a day": ("fhir", 5000, lambda n: _lines([_observation(i, effectiveDateTime="2016-05-02") for i in range(n)])),
    "Observations of unknown codes": ("fhir", 5000, lambda n: _lines([_observation(i, code={"coding": [{"system": "http://loinc.org", "code": f"{i}-9"}], "text": f"feritine {i}"}) for i in range(n)])),
    "Observations that refer in a chain": ("fhir", 5000, lambda n: _bundle([_observation(i, hasMember=[{"reference": f"Observation/o{i + 1}"}]) for i in range(n)])),
    "Observations that refer in a circle": ("fhir", 5000, lambda n: _bundle([_observation(i, hasMember=[{"reference": f"Observation/o{(i + 1) % n}"}], derivedFrom=[{"reference": f"Observation/o{i}"}]) for i in range(n)])),
    "one panel of all": ("fhir", 5000, lambda n: _bundle([_observation(i) for i in range(n)] + [{"resourceType": "Observation", "id": "p", "status": "final", "code": {"text": "panel"}, "hasMember": [{"reference": f"Observation/o{i}"} for i in range(n)]}])),
    "components": ("fhir", 5000, lambda n: json.dumps(_observation(1, component=[{"code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}, "valueQuantity": {"value": i, "unit": "g/dL"}} for i in range(n)]))),
    "codings of one code": ("fhir", 20000, lambda n: json.dumps(_observation(1, code={"coding": [{"system": "s", "code": f"c{i}"} for i in range(n)]}))),
    "reference ranges": ("fhir", 20000, lambda n: json.dumps(_observation(1, referenceRange=[{"text": f"{i}-{i + 1}"} for i in range(n)]))),
    "a long valueString": ("fhir", 900_000, lambda n: json.dumps({**_observation(1, valueString="9 " * (n // 2)), "valueQuantity": None})),
    "persons": ("fhir", 3000, lambda n: _lines([_observation(i, subject={"reference": f"Patient/p{i}"}) for i in range(n)])),
    "medications": ("fhir", 3000, lambda n: _lines([_observation(1), *({"resourceType": "MedicationAdministration", "id": f"m{i}", "status": "completed", "subject": {"reference": "Patient/1"}, "medicationCodeableConcept": {"text": "etoposide"}, "effectiveDateTime": f"20{i % 90 + 10}-{i % 12 + 1:02}-{i % 28 + 1:02}"} for i in range(n))])),
    "conditions": ("fhir", 3000, lambda n: _lines([_observation(1), *({"resourceType": "Condition", "id": f"m{i}", "subject": {"reference": "Patient/1"}, "code": {"coding": [{"system": "http://snomed.info/sct", "code": "386661006"}]}, "onsetDateTime": f"20{i % 90 + 10}-{i % 12 + 1:02}-{i % 28 + 1:02}"} for i in range(n))])),
    "deep JSON": ("fhir", 100_000, lambda n: '{"resourceType": "Bundle", "entry": ' + "[" * n),
    "deep JSON, closed": ("fhir", 900, lambda n: '{"resourceType": "Observation", "x": ' + "[" * n + "]" * n + "}"),
    "deep containers": ("fhir", 200, lambda n: '{"resourceType": "Observation", "status": "final", "contained": [' * n + "{}" + "]}" * n),
    "many digits": ("fhir", 200_000, lambda n: json.dumps(_observation(1)).replace('"value": 1', '"value": ' + "9" * n)),
    "features": ("phenopacket", 8000, lambda n: _packet(phenotypicFeatures=[{"type": {"id": "HP:0001945"}, "onset": {"timestamp": f"20{i % 90 + 10}-05-02T00:00:00Z"}} for i in range(n)])),
    "unknown features": ("phenopacket", 8000, lambda n: _packet(phenotypicFeatures=[{"type": {"id": f"HP:{i:07}", "label": f"feritine {i}"}} for i in range(n)])),
    "measurements": ("phenopacket", 5000, lambda n: _packet(measurements=[_measured(i) for i in range(n)])),
    "interpretations": ("phenopacket", 2000, lambda n: _packet(interpretations=[{"id": f"i{i}", "progressStatus": "SOLVED", "diagnosis": {"disease": {"id": "OMIM:267700"}, "genomicInterpretations": [{"subjectOrBiosampleId": "s", "interpretationStatus": "CAUSATIVE", "variantInterpretation": {"acmgPathogenicityClassification": "PATHOGENIC", "variationDescriptor": {"geneContext": {"symbol": "PRF1"}, "allelicState": {"id": "GENO:0000136"}}}}]}} for i in range(n)])),
    "members of a cohort": ("phenopacket", 2000, lambda n: json.dumps({"id": "c", "members": [json.loads(_packet(subject={"id": f"s{i}"})) for i in range(n)]})),
    "medical actions": ("phenopacket", 4000, lambda n: _packet(medicalActions=[{"treatment": {"agent": {"id": "X", "label": "etoposide"}, "doseIntervals": [{"interval": {"start": f"20{i % 90 + 10}-01-02T00:00:00Z", "end": f"20{i % 90 + 10}-02-02T00:00:00Z"}}]}} for i in range(n)])),
    "rows of a long table": ("table", 10000, lambda n: LONG + "".join(f"{i % 50},2016-{i % 12 + 1:02}-{i % 28 + 1:02},ferritin,{i},ng/mL\n" for i in range(n))),
    "rows of one person": ("table", 10000, lambda n: LONG + "".join(f"1,{1900 + i // 300}-{i % 12 + 1:02}-{i % 28 + 1:02},ferritin,{i},ng/mL\n" for i in range(n))),
    "rows of one day": ("table", 10000, lambda n: LONG + "".join(f"1,2016-05-02,ferritin,{i},ng/mL\n" for i in range(n))),
    "rows of unknown tests": ("table", 10000, lambda n: LONG + "1,2016-05-02,ferritin,900,ng/mL\n" + "".join(f"{i % 50},2016-05-02,feritine {i},{i},ng/mL\n" for i in range(n))),
    "rows of unknown units": ("table", 10000, lambda n: LONG + "1,2016-05-02,ferritin,900,ng/mL\n" + "".join(f"{i % 50},2016-05-02,ferritin,{i},ng/m{i}\n" for i in range(n))),
    "rows of unclear values": ("table", 10000, lambda n: LONG + "1,2016-05-02,ferritin,900,ng/mL\n" + "".join(f"{i % 50},2016-05-02,ferritin,approx. {i} or so,ng/mL\n" for i in range(n))),
    "rows of bad dates": ("table", 10000, lambda n: LONG + "1,2016-05-02,ferritin,900,ng/mL\n" + "".join(f"{i % 50},2016-13-{i},ferritin,{i},ng/mL\n" for i in range(n))),
    "persons in rows": ("table", 5000, lambda n: LONG + "".join(f"{i},2016-05-02,ferritin,{i},ng/mL\n" for i in range(n))),
    "columns": ("table", 4000, lambda n: "patient,date,Ferritin (ng/mL)," + ",".join(f"c{i}" for i in range(n)) + "\n" + "1,2016-05-02,900" + ",1" * n + "\n"),
    "columns of one observable": ("table", 4000, lambda n: "patient,date," + ",".join(f"Ferritin {i} (ng/mL)" for i in range(n)) + "\n1,2016-05-02" + ",900" * n + "\n"),
    "columns, too many": ("table", 50000, lambda n: "patient,date,Ferritin (ng/mL)," + ",".join(f"c{i}" for i in range(n)) + "\n" + "1,2016-05-02,900" + ",1" * n + "\n"),
    "columns and rows": ("table", 500, lambda n: "patient,date,Ferritin (ng/mL)," + ",".join(f"c{i}" for i in range(n)) + "\n" + ("1,2016-05-02,900" + ",1" * n + "\n") * n),
    "one cell": ("table", 1_000_000, lambda n: "patient,date,Ferritin (ng/mL)\n1,2016-05-02,\"" + "9" * n + '"\n'),
    "one open quotation": ("table", 1_000_000, lambda n: "patient,date,Ferritin (ng/mL)\n1,2016-05-02,\"" + "9\n" * (n // 2)),
    "cells near the limit": ("table", 8, lambda n: "patient,date,Ferritin (ng/mL)\n" + f"1,2016-05-02,{'9 ' * 65000}\n" * n),
    "a line without an end": ("table", 2_000_000, lambda n: "patient,date,Ferritin (ng/mL)\n" + "1" * n),
    "blank lines": ("table", 500_000, lambda n: "patient,date,Ferritin (ng/mL)\n" + "\n" * n + "1,2016-05-02,900\n"),
    "quotation marks": ("table", 500_000, lambda n: "patient,date,Ferritin (ng/mL)\n" + '"' * n),
    "a header alone": ("table", 100_000, lambda n: "a," * n),
    "values in one cell": ("table", 10000, lambda n: 'patient,date,Ferritin (ng/mL)\n1,2016-05-02,"' + ", ".join(str(i) for i in range(n)) + '"\n'),
    "columns of a mapping": ("columns", 4000, lambda n: "layout: wide\ncolumns:\n" + "".join(f"  c{i}: {{observable: ferritin, unit: ng/mL}}\n" for i in range(n))),
    "wrong columns of a mapping": ("columns", 4000, lambda n: "layout: wide\ncolumns:\n" + "".join(f"  c{i}: feritine{i}\n" for i in range(n))),
    "unknown keys of a mapping": ("columns", 9000, lambda n: "layout: wide\n" + "".join(f"colums{i}: x\n" for i in range(n))),
    "columns of a mapping that are not there": ("mapped", 4000, lambda n: "layout: wide\npatient: id\ntime: d\ncolumns:\n  f: {observable: ferritin, unit: ng/mL}\n" + "".join(f"  c{i}: ferritin\n" for i in range(n)) + PART.decode() + "id,d,f," + ",".join(f"e{i}" for i in range(100)) + "\n1,2016-05-02,900\n"),
    "rows of OMOP": ("omop", 5000, lambda n: _omop(n, 10)),
    "concepts of OMOP": ("omop", 10000, lambda n: _omop(100, n)),
    "rows of a sheet": ("workbook", 5000, lambda n: _workbook(SHEET.format("".join(f'<row r="{i}"><c r="A{i}"><v>{i % 50}</v></c><c r="B{i}" t="inlineStr"><is><t>2016-{i % 12 + 1:02}-{i % 28 + 1:02}</t></is></c><c r="C{i}"><v>{i}</v></c></row>' for i in range(2, n + 2))))),
    "empty rows of a sheet": ("workbook", 100_000, lambda n: _workbook(SHEET.format("<row/>" * n))),
    "a far row of a sheet": ("workbook", 250_000, lambda n: _workbook(SHEET.format(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>'))),
    "a far cell of each row": ("workbook", 100, lambda n: _workbook(SHEET.format("".join(f'<row r="{i}"><c r="A{i}"><v>{i}</v></c><c r="XFD{i}"><v>1</v></c></row>' for i in range(2, n + 2))))),
    "one text of a sheet": ("workbook", 10_000_000, lambda n: _workbook(SHEET.format('<row r="2"><c r="A2" t="inlineStr"><is><t>' + "".join(f"{i:07} " for i in range(n // 8)) + "</t></is></c></row>"))),
    "a comment in a sheet": ("workbook", 10_000_000, lambda n: _workbook(SHEET.format("<!--" + "".join(f"{i:07} " for i in range(n // 8)) + "-->"))),
    "nested parts of a sheet": ("workbook", 100_000, lambda n: _workbook(SHEET.format("<a>" * n + "</a>" * n))),
    "attributes of a sheet": ("workbook", 50_000, lambda n: _workbook(SHEET.format("<row " + " ".join(f'a{i}="1"' for i in range(n)) + "/>"))),
    "unfolding entities": ("workbook", 3, lambda n: _workbook('<!DOCTYPE a [<!ENTITY a0 "xxxxxxxxxx">' + "".join(f'<!ENTITY a{i + 1} "{f"&a{i};" * 10}">' for i in range(n * 2)) + "]>" + SHEET.format(f'<row><c t="inlineStr"><is><t>&a{n * 2};</t></is></c></row>'))),
    "a bomb": ("workbook", 50_000_000, lambda n: _workbook(SHEET.format(" " * n))),
    "columns of a sheet": ("workbook", 4000, lambda n: _workbook('<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row>' + "".join(f'<c t="inlineStr"><is><t>Ferritin {i} (ng/mL)</t></is></c>' for i in range(n)) + "</row><row>" + "<c><v>900</v></c>" * n + "</row></sheetData></worksheet>")),
    "items of a set": ("criteria", 1000, lambda n: CRITERIA + "verdict:\n  at_least: 3\n  of:\n" + "".join(f"  - {{id: i{i}, title: T, when: ferritin >= {i} ng/mL}}\n" for i in range(n))),
    "items of a score": ("criteria", 500, lambda n: CRITERIA + "verdict:\n  score: '>= 10'\n  of:\n" + "".join(f"  - {{id: i{i}, points: {{{i}: ferritin >= {i} ng/mL}}}}\n" for i in range(n))),
    "items with one id": ("criteria", 5000, lambda n: CRITERIA + "verdict:\n  at_least: 3\n  of:\n" + "  - {id: i, title: T, when: ferritin >= 3 ng/mL}\n" * n),
    "a set of nested logic": ("criteria", 4, lambda n: CRITERIA + "verdict: " + "{not: " * n + "fever" + "}" * n + "\n"),
    "a wide tree of logic": ("criteria", 2, lambda n: CRITERIA + "verdict: " + _tree(n * 3) + "\n"),
    "a tree by aliases": ("criteria", 3, lambda n: CRITERIA + "notes: [x]\npopulation: {text: x, when: {any: [{all: [&a0 {any: [fever, splenomegaly]}, " + ", ".join(f"&a{i + 1} {{any: [*a{i}, *a{i}]}}" for i in range(n)) + "]}]}}\nverdict: ferritin >= 500 ng/mL\n"),
    "unknown observables of a set": ("criteria", 3000, lambda n: CRITERIA + "verdict:\n  any:\n" + "".join(f"  - feritine{i} >= 5 ng/mL\n" for i in range(n))),
    "unknown keys of a set": ("criteria", 9000, lambda n: CRITERIA + "verdict: fever\n" + "".join(f"notess{i}: x\n" for i in range(n))),
    "edges of one phrase": ("criteria", 3000, lambda n: CRITERIA + "verdict: ferritin >= 500 ng/mL" + " or >= 600 ng/mL" * n + "\n"),
    "a long phrase": ("criteria", 100_000, lambda n: CRITERIA + "verdict: ferritin >= " + "9" * n + " ng/mL\n"),
    "cases": ("criteria", 2000, lambda n: CRITERIA + "verdict: ferritin >= 500 ng/mL\ncases:\n" + "".join(f"- {{name: c{i}, observations: {{ferritin: 900 ng/mL}}, expect: {{verdict: met}}}}\n" for i in range(n))),
    "wrong cases": ("criteria", 2000, lambda n: CRITERIA + "verdict: ferritin >= 500 ng/mL\ncases:\n" + "".join(f"- {{name: c{i}, observations: {{feritin{i}: 900 ng/mL}}, expect: {{verdikt: met}}}}\n" for i in range(n))),
    "probabilities": ("criteria", 5000, lambda n: CRITERIA + "verdict: {score: '>= 10', of: [{id: i, points: {10: fever}}]}\nprobability:\n" + "".join(f"  {i}: x\n" for i in range(n))),
    "changes of a variant": ("criteria", 5000, lambda n: CRITERIA + "extends: hlh-2004\nchange:\n" + "".join(f"  fevr{i}: fever\n" for i in range(n))),
    "added by a variant": ("criteria", 2000, lambda n: CRITERIA + "extends: hlh-2004\nadd:\n" + "".join(f"  - {{id: i{i}, when: ferritin >= {i} ng/mL}}\n" for i in range(n))),
}  # fmt: skip


def _tree(depth: int) -> str:
    return "fever" if not depth else "{any: [" + _tree(depth - 1) + ", " + _tree(depth - 1) + "]}"


def measured(name: str, size: int, pipe: multiprocessing.connection.Connection) -> None:
    target, _, make = MADE[name]
    made = make(size)
    content = made if isinstance(made, bytes) else made.encode()
    TARGETS[target](b"")  # what it imports is not the input's
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        said = TARGETS[target](content) or ""
    except AssertionError as error:
        said = f"FAILED {error}"
    except Exception as error:
        said = f"FAILED {type(error).__name__} {error}"
    spent = time.process_time() - start
    pipe.send((len(content), spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, before / 1024, said[:160]))


def main(names: list[str]) -> None:
    context = multiprocessing.get_context("spawn")
    for name in names or MADE:
        size, spent = MADE[name][1], []
        for step in STEPS:
            here, there = context.Pipe()
            process = context.Process(target=measured, args=(name, size * step, there))
            process.start()
            there.close()
            try:
                found = here.recv() if here.poll(300) else (0, 300, 0, 0, "more than five minutes")
            except EOFError:
                found = (0, 0, 0, 0, f"ended by {process.exitcode}")
            process.kill()
            process.join()
            spent.append(found)
        seconds = [f"{each[1]:.2f}" for each in spent]
        growth = spent[-1][1] / max(spent[0][1], 0.02)
        loud = "  <<<" if growth > 9 or spent[-1][1] > 5 or spent[-1][2] > 300 or "FAILED" in spent[-1][4] else ""
        print(
            f"{MADE[name][0]:11} {name:40} {spent[-1][0] / 1024:7.0f} kB  {' '.join(seconds):20} s  {spent[-1][2]:5.0f} MB (before {spent[-1][3]:.0f})  x{growth:.1f}{loud}  {spent[-1][4][:110]}",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])

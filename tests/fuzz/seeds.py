"""Writes inputs to begin with into a folder for each target: python tests/fuzz/seeds.py FOLDER."""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "readers"), str(ROOT)]

from dictionary import PHRASES, VALUES  # noqa: E402
from targets import PART  # noqa: E402

INPUTS = ROOT / "samples" / "inputs"
CRITERIA = ROOT / "hlhcli" / "criteria"


def seeds() -> dict[str, list[bytes]]:
    import test_omop
    import test_reader_mutations as tables
    import test_redcap

    bundle = (INPUTS / "fhir-bundle.json").read_bytes()
    packet = (INPUTS / "phenopacket.json").read_bytes()
    long = (INPUTS / "labs.csv").read_bytes()
    map_ = (INPUTS / "labs.columns.yaml").read_bytes()
    samples = [path.read_bytes() for path in sorted((ROOT / "samples").glob("*.yaml"))]
    small = [sample for sample in samples if len(sample) < 6000]
    template = (ROOT / "hlhcli" / "template.yaml").read_bytes()
    entries = [json.dumps(each["resource"]).encode() for each in json.loads(bundle)["entry"]]
    measured = (
        test_omop.MEASUREMENT
        + test_omop.row()
        + test_omop.row(measurement_concept_id="2", value_as_number="7.4", unit_concept_id="8713")
        + test_omop.row(operator_concept_id="4172704")
    )
    conditions = test_omop.CONDITION + "1,11,5,2016-05-02,,,x,0\n2,12,8,2016-05-03,,,y,0\n"
    cdm = PART.join(text.encode() for text in (measured, test_omop.CONCEPT, test_omop.PERSON, conditions))
    fields = test_redcap.OFFICIAL + "".join(
        f'{name},labs,,{kind},{label},"{choices}",{note},{check},,,{mark},,,,,,,\n'
        for name, kind, label, choices, note, check, mark in test_redcap.FIELDS
    )
    export = b"record_id,redcap_event_name,sex,visit_date,lab1,hgb,plt,wbc,fever,spm,bm_site___1,bm_site___2,signs___a,ferritin\n1,baseline_arm_1,1,2016-05-02,900,7.4,38,4.1,1,2,1,0,0,1\n1,day_7_arm_1,,2016-05-09,400,8.8,90,,0,1,0,0,0,\n"
    german = b"Fallnummer;Datum;Test;Ergebnis;Einheit\n1;02.05.2016;Ferritin;1.200,5;ng/mL\n1;02.05.2016;Thrombozyten;38;G/l\n2;03.05.2016;Hb;folgt;g/dl\n"
    wide_map = b"layout: wide\npatient: id\ntime: [taken, seen]\ncolumns:\n  f: {observable: ferritin, unit: ng/mL, timepoint: A, day: 3}\n  s: {observable: spleno, choices: {1: yes, 2: no}}\n  r: {drug: ruxolitinib}\nmissing: {x: pending}\nunchecked: no\n"
    wide = b"id,taken,seen,f,s,r\n1,2016-05-02,,900,1,2016-05-03\n2,,2016-05-02,x,2,yes\n"
    codes = b"codes: {'http://lab|F1': {observable: ferritin, unit: ng/mL}}\nignore: [X]\n"
    own = bundle.replace(b"2276-4", b"F1").replace(b"http://loinc.org", b"http://lab")
    values = [value.encode("utf-8", "replace") for value in (*VALUES, *PHRASES)]
    sheet = b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>patient</t></is></c><c r="B1" t="inlineStr"><is><t>date</t></is></c><c r="C1" t="inlineStr"><is><t>Ferritin (ng/mL)</t></is></c></row><row r="2"><c r="A2"><v>1</v></c><c r="B2" t="inlineStr"><is><t>2016-05-02</t></is></c><c r="C2"><v>900.5</v></c></row></sheetData></worksheet>'
    return {
        "patient": [*small, template],
        "fhir": [bundle, b"\n".join(entries) + b"\n", *entries],
        "phenopacket": [packet],
        "detected": [bundle, b"\n".join(entries) + b"\n", packet, long, tables.WIDE, tables.REDCAP, *small[:4]],
        "table": [tables.WIDE, tables.REDCAP, long, german],
        "mapped": [map_ + PART + long, map_ + PART + german, wide_map + PART + wide, codes + PART + own],
        "columns": [map_, wide_map, codes],
        "redcap": [fields.encode() + PART + export],
        "omop": [cdm],
        "workbook": [tables.workbook(), sheet],
        "criteria": [path.read_bytes() for path in sorted(CRITERIA.glob("*.yaml"))]
        + [(ROOT / "hlhcli" / "my-hospital.yaml").read_bytes()],
        "response": [path.read_bytes() for path in sorted((CRITERIA / "response").glob("*.yaml"))],
        "text": values,
    }


def main(folder: Path) -> None:
    for target, contents in seeds().items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for number, content in enumerate(contents):
            (folder / target / f"seed-{number:03}").write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

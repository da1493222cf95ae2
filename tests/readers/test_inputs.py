"""Inputs as a whole: from Python, in folders, under limits; and what is told of them in JSON."""

import json
import subprocess
import sys

import jsonschema
import pytest
from command import ROOT, SAMPLES, hlhcli

import hlhcli as package
from hlhcli import schemas
from hlhcli.api import load_input
from hlhcli.errors import InputError
from hlhcli.readers.inputs import Options
from hlhcli.readers.placing import plan

BUNDLE = SAMPLES / "inputs" / "fhir-bundle.json"


def observation(person, value, code="2276-4", unit="ng/mL", **more):
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": f"Patient/{person}"},
        "effectiveDateTime": "2016-05-02",
        "valueQuantity": {"value": value, "unit": unit},
    } | more


@pytest.fixture
def export(tmp_path):
    """A bulk export: a file for each type of resource."""
    people = [{"resourceType": "Patient", "id": each, "gender": "female", "birthDate": "2012-01-01"} for each in ("a", "b", "c")]
    values = [observation("b", 900), observation("a", 400), observation("a", 40, "777-3", "10*3/uL")]
    for name, resources in (("Patient", people), ("Observation", values)):
        (tmp_path / f"{name}.ndjson").write_text("".join(json.dumps(each) + "\n" for each in resources))
    return tmp_path


def test_a_folder_of_bulk_data_is_one_input(export):
    """Patients come from one file and their values from another; of a file alone it is said that something is missing."""
    loaded = load_input(export)
    patients = [document.patient.patient for document in loaded.documents]
    assert [(each.id, each.sex) for each in patients] == [("b", "female"), ("a", "female")]
    assert (loaded.account.read, loaded.account.used) == (6, 5)
    assert [(kind.reason, kind.number) for kind in loaded.account.remarks] == [("patients not assessed", 1)]
    alone = load_input(export / "Observation.ndjson")
    assert len(list(alone.documents)) == 2
    assert "read together, as their folder" in alone.account.remarks[0].reason


def test_from_python(export):
    """One patient with load, several with load_all; load refuses several."""
    assert package.load(BUNDLE).patient.id == "synthetic-2"
    assert [patient.patient.id for patient in package.load_all(export)] == ["b", "a"]
    with pytest.raises(package.InputError, match="holds 2 patients"):
        package.load(export)


def test_json_tells_what_was_not_used():
    """The books of an input that is no patient file follow the schema; patient files have none."""
    schema = schemas.schema("results")
    ran = hlhcli("check", "--json", BUNDLE, SAMPLES / "pmc3572670.yaml")
    jsonschema.validate(ran.json, schema)
    (books,) = ran.json["inputs"]
    assert books["entries"] == books["used"] + sum(kind["count"] for kind in books["not_used"]) == 21
    assert books["form"] == "fhir"
    assert all(kind["first"].startswith(f"{BUNDLE}:") for kind in books["not_used"])
    assert "inputs" not in hlhcli("check", "--json", SAMPLES / "pmc3572670.yaml").json


def test_a_patient_file_has_its_own_time_points():
    """Options that choose time points are not silently passed over."""
    with pytest.raises(InputError, match="are for other forms"):
        load_input(SAMPLES / "pmc3572670.yaml", Options(plan=plan(window="7d")))
    with pytest.raises(InputError, match="says nothing of codes"):
        load_input(BUNDLE, Options(mapping=SAMPLES / "inputs" / "labs.columns.yaml"))


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the peak memory of a process")
def test_a_small_text_cannot_hold_a_large_value(tmp_path):
    """A document of numbers, or of empty entries, is refused or read in little memory."""
    for body in (
        '{"resourceType": "Bundle", "x": [' + "1," * 3_000_000 + "1]}",
        '{"resourceType": "Bundle", "type": "collection", "entry": [' + "{}," * 300_000 + "{}]}",
    ):
        path = tmp_path / "big.json"
        path.write_text(body)
        code = (
            "import sys\nfrom hlhcli.api import load_input\nfrom hlhcli.errors import InputError\n"
            "try:\n    list(load_input(sys.argv[1]).documents)\nexcept InputError as error:\n    print(str(error)[-40:])\n"
            "peak = [line for line in open('/proc/self/status') if line.startswith('VmHWM')]\n"
            "print(int(peak[0].split()[1]) // 1024 if peak else 0)"
        )
        done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, cwd=ROOT, check=True)
        assert int(done.stdout.split()[-1]) < 150


@pytest.mark.parametrize("command", ["check", "figure", "report"])
def test_other_commands_take_other_forms(tmp_path, command):
    """A picture and a page of a Bundle, as of a patient file."""
    target = tmp_path / {"check": "x.txt", "figure": "x.svg", "report": "x.html"}[command]
    ran = hlhcli(command, BUNDLE, "-o", target)
    assert ran.code == 0, ran.err
    assert target.stat().st_size
    assert "18 of 21 entries used" in ran.err


def test_codes_of_a_hospital(tmp_path):
    """A mapping names local codes, with the unit of a bare number, and what shall not be read; that is no loss under --strict."""
    local = {"coding": [{"system": "urn:oid:1.2.3", "code": "1051", "display": "IL-2 receptor"}]}
    other = {"coding": [{"system": "urn:oid:1.2.3", "code": "7"}]}
    bare = observation("a", 4125, unit="") | {"code": local}
    path, columns = tmp_path / "x.ndjson", tmp_path / "codes.yaml"
    path.write_text("".join(json.dumps(each) + "\n" for each in (bare, observation("a", 5) | {"code": other})))
    assert load_input(path).account.left[0].reason.endswith("its name resembles sil2r")
    columns.write_text("codes: {'urn:oid:1.2.3|1051': {observable: sil2r, unit: U/mL}}\nignore: ['7']\n")
    loaded = load_input(path, Options(mapping=columns))
    (document,) = loaded.documents
    assert document.patient.timepoints[0].observations["sil2r"].value.text == "4125 U/mL"
    loaded.account.insist()
    assert [(kind.number, kind.expected) for kind in loaded.account.left] == [(1, True)]
    columns.write_text("codes: {'2276-4': sil2r}\n")  # alone, a code of a system that is known stays what it is
    path.write_text(json.dumps(observation("a", 900)) + "\n")
    assert "ferritin" in next(load_input(path, Options(mapping=columns)).documents).patient.timepoints[0].observations

"""hlhcli convert, as a user runs it: files that read back to the same assessments, pseudonyms, and inputs that are wrong."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest
from command import SAMPLES, Ran, hlhcli
from typer.testing import CliRunner

from hlhcli.cli_convert import app

PATIENT = {"resourceType": "Patient", "id": "a", "gender": "male", "birthDate": "2010-01-31"}


def observation(number, code, value, patient="a", when="2020-03-01", **more):
    found = value if isinstance(value, dict) else {"valueQuantity": {"value": value[0], "unit": value[1]}}
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": when,
        **found,
        **more,
    }


ONE = [
    PATIENT,
    observation(1, "2276-4", (9000, "ng/mL")),
    observation(2, "777-3", (80, "10*9/L"), when="2020-03-01T07:30:00+01:00"),
    observation(3, "718-7", (8.4, "g/dL"), when="2020-03-04"),
    observation(4, "2276-4", (21000, "ng/mL"), when="2020-03-09"),
    {"resourceType": "Condition", "id": "c1", "code": {"coding": [{"system": "http://snomed.info/sct", "code": "386661006"}]},
     "subject": {"reference": "Patient/a"}, "onsetDateTime": "2020-03-01"},
    {"resourceType": "Encounter", "id": "e1"},
]  # fmt: skip
TWO = [*ONE, observation(9, "2276-4", (12, "ng/mL"), patient="b", when="2020-05-01")]
PHENOPACKET = {
    "id": "packet",
    "subject": {"id": "ph", "sex": "FEMALE", "timeAtLastEncounter": {"age": {"iso8601duration": "P3Y"}}},
    "phenotypicFeatures": [{"type": {"id": "HP:0001744", "label": "Splenomegaly"}}],
    "measurements": [{"assay": {"id": "LOINC:2276-4"}, "value": {"quantity": {"unit": {"id": "UCUM:ng/mL"}, "value": 9000}}}],
    "metaData": {"phenopacketSchemaVersion": "2.0"},
}
CSV = "patient_id,date,ferritin (ng/mL),platelets (10^9/L),shoe size\na,2020-03-01,9000,80,38\na,2020-03-09,21000,,38\n"
OMOP = {
    "person.csv": "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth\n7,8507,2010,1,31\n",
    "concept.csv": "concept_id,concept_name,domain_id,vocabulary_id,concept_code\n11,Ferritin,Measurement,LOINC,2276-4\n",
    "measurement.csv": "measurement_id,person_id,measurement_concept_id,measurement_date,operator_concept_id,value_as_number,"
    "value_as_concept_id,unit_concept_id,measurement_source_value,unit_source_value,value_source_value\n"
    "1,7,11,2020-03-01,,9000,,8842,,,\n",
}


def bundle(resources):
    return json.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in resources]}, indent=1
    )


def ndjson(resources):
    return "".join(json.dumps(each) + "\n" for each in resources)


@pytest.fixture
def here(tmp_path):
    """Every form of input in a folder."""
    (tmp_path / "one.json").write_text(bundle(ONE))
    (tmp_path / "two.json").write_text(bundle(TWO))
    (tmp_path / "two.ndjson").write_text(ndjson(TWO))
    (tmp_path / "packet.json").write_text(json.dumps(PHENOPACKET))
    (tmp_path / "t.csv").write_text(CSV)
    (tmp_path / "omop").mkdir()
    for name, text in OMOP.items():
        (tmp_path / "omop" / name).write_text(text)
    (tmp_path / "bulk").mkdir()
    (tmp_path / "bulk" / "Patient.ndjson").write_text(ndjson([PATIENT]))
    (tmp_path / "bulk" / "Observation.ndjson").write_text(ndjson([each for each in TWO if each["resourceType"] == "Observation"]))
    return tmp_path


def run(here, *arguments, stdin="", code=0):
    """The command in the folder; whatever happens, it speaks in lines and leaves nothing half done."""
    ran = hlhcli(*arguments, stdin=stdin, cwd=here)
    assert "Traceback" not in ran.err + ran.out
    assert ran.code == code, ran.err
    assert not list(here.rglob("*.partial"))
    return ran


def assessed(ran):
    """What was decided, without where it was read."""
    return [(each["patient"], each["assessments"]) for each in ran.json["results"]]


def quickly(here, *arguments, code=0):
    """The same command without a process of its own, for the many ways in which an input or option can be wrong."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        done = CliRunner().invoke(app, [str(each) for each in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    assert done.exit_code == code, done.output
    assert not list(here.rglob("*.partial"))
    return Ran(done.exit_code, done.stdout, done.stderr)


FORMS = {"fhir": "one.json", "phenopacket": "packet.json", "csv": "t.csv", "omop": "omop"}


@pytest.mark.parametrize(("form", "name"), FORMS.items())
def test_it_reads_back(form, name, here):
    """The file that is written says what its input says, and beside each value where it came from."""
    run(here, "convert", name, "-o", "new/folder/out.yaml")
    made = run(here, "check", "--json", "new/folder/out.yaml")
    assert assessed(made) == assessed(run(here, "check", "--json", name))
    items = {item["id"]: item["status"] for item in made.json["results"][0]["assessments"][0]["items"]}
    assert items["ferritin"] == "met"
    text = (here / "new" / "folder" / "out.yaml").read_text()
    head, *lines = text.splitlines()
    assert head.startswith("# Written by hlhcli ")
    assert f"from {name} ({form})" in head
    places = {"fhir": "Observation/o1", "phenopacket": "measurements[0]", "csv": "row 2", "omop": "MEASUREMENT row 2"}
    assert [line for line in lines if "9000 ng/mL" in line and places[form] in line.partition("#")[2]]


def test_where_it_goes(here):
    """To the screen, a file, a folder that need not exist; several patients only to a folder, and nothing is written otherwise."""
    shown = run(here, "convert", "one.json").out
    assert "ferritin: 9000 ng/mL   # Observation/o1" in shown
    run(here, "convert", "one.json", "-o", "x.yaml")
    assert (here / "x.yaml").read_text() == shown
    for target in ([], ["-o", "y.yaml"]):
        ran = run(here, "convert", "two.json", *target, code=1)
        assert "holds several patients; give a folder to write them to, such as -o patients/" in ran.err
        assert ran.out == ""
    assert not (here / "y.yaml").exists()
    run(here, "convert", "two.json", "-o", "patients/")
    assert sorted(path.name for path in (here / "patients").iterdir()) == ["a.yaml", "b.yaml"]


def test_names_of_files(here):
    """Ids become names of files that are safe, and no two are one, wherever capitals do not matter."""
    ids = ["p/1", "p:1", "P/1", "..", "../../up", "-rf", "x" * 300, "Ü 1"]
    (here / "t.csv").write_text("patient_id,ferritin (ng/mL)\n" + "".join(f"{each},9000\n" for each in ids))
    (here / "out").mkdir()
    quickly(here, "convert", "t.csv", "-o", "out")
    names = [path.name for path in here.rglob("*.yaml")]
    assert len(names) == len({name.casefold() for name in names}) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_][\w.-]{0,85}\.yaml", name, re.ASCII) for name in names), names
    assert {path.parent for path in here.rglob("*.yaml")} == {here / "out"}


def test_time_points(here):
    """The time points that were asked for, each looking back; the other values are curves between them."""
    at = quickly(here, "convert", "one.json", "--at", "2020-03-01=Admission", "--at", "2020-03-09=Later", "--window", "7d").out
    assert re.findall(r"name: (\w+), date: (\S+), window: (\w+)", at) == [
        ("Admission", "2020-03-01", "7d"),
        ("Later", "2020-03-09", "7d"),
    ]
    anchored = quickly(here, "convert", "one.json", "--anchor", "first-ferritin", "--window", "7d").out
    assert re.findall(r"name: ([\w ]+), date: (\S+), window: (\w+)", anchored) == [("First ferritin", "2020-03-01", "7d")]
    assert "[2020-03-09, 21000 ng/mL]" in anchored
    quickly(here, "convert", "one.json", "--anchor", "last-ferritin", "--window", "6d", "-o", "x.yaml")
    (last,) = quickly(here, "check", "--json", "x.yaml").json["results"][0]["assessments"]
    evidence = {line["observable"]: line["value"] for item in last["items"] for line in item["evidence"]}
    assert (evidence["ferritin"], evidence["hemoglobin"], evidence["platelets"]) == ("21000 ng/mL", "8.4 g/dL", None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--at", "2020"], "no time point; write DATE=NAME"),
        (["--at", "2020-03-01=A", "--anchor", "first-ferritin"], "not both"),
        (["--at", "2020-03-01=A", "--at", "2020-03-02=A"], "one name"),
        (["--anchor", "ferritin"], "no anchor"),
        (["--anchor", "first-foo"], "unknown observable"),
        (["--window", "soon"], "no length of time"),
        (["--from", "hl7v2"], "choose from patient, fhir, phenopacket, csv, xlsx, omop"),
        (["--pseudonymize", "nowhere"], "cannot be read"),
        (["--pseudonymize", "short"], "a key has at least 16 characters"),
    ],
)
def test_wrong_usage(options, said, here):
    """Options that cannot be meant are refused with what to write instead, and nothing is written."""
    (here / "short").write_text("secret\n")
    ran = quickly(here, "convert", "one.json", *options, "-o", "x.yaml", code=2)
    assert said in " ".join(ran.err.split())
    assert not (here / "x.yaml").exists()


def test_the_form_can_be_named(here):
    """What is named is read as that, and told in lines where it is not; NDJSON is FHIR too."""
    run(here, "convert", "--from", "fhir", "two.ndjson", "-o", "out/")
    assert len(list((here / "out").iterdir())) == 2
    assert "9000 ng/mL" in run(here, "convert", "--from", "csv", "-", stdin=CSV).out
    for form in ("phenopacket", "xlsx", "csv"):
        assert quickly(here, "convert", "--from", form, "one.json", "-o", "x.yaml", code=1).err
    assert not (here / "x.yaml").exists()


def test_what_is_not_used_is_told(here):
    """On stderr, at the head of the file, and in JSON; with --strict it is an error and nothing is written."""
    ran = run(here, "convert", "one.json", "-o", "x.yaml")
    assert "one.json: 6 of 7 entries used, 1 not:" in ran.err
    assert "1 x resource not read: Encounter" in ran.err
    assert "1 x resource not read: Encounter" in (here / "x.yaml").read_text()
    (told,) = run(here, "check", "--json", "one.json").json["inputs"]
    assert (told["entries"], told["used"]) == (7, 6)
    assert [(kind["reason"], kind["what"], kind["count"]) for kind in told["not_used"]] == [("resource not read", "Encounter", 1)]
    (here / "out").mkdir()
    for source, target in (("one.json", "y.yaml"), ("two.json", "out"), ("t.csv", "y.yaml")):
        assert "not used (" in run(here, "convert", source, "--strict", "-o", target, code=1).err
    assert not (here / "y.yaml").exists()
    assert not list((here / "out").iterdir())


def test_a_guessed_mapping(here):
    """The mapping that is written reads back, and the table is converted by it as without it."""
    run(here, "convert", "t.csv", "--guess", "-o", "maps/m.yaml")
    mapping = (here / "maps" / "m.yaml").read_text()
    assert "guess" in mapping
    ran = run(here, "convert", "t.csv", "--map", "maps/m.yaml", "-o", "x.yaml")
    assert "guessed mapping" not in ran.err
    assert assessed(run(here, "check", "--json", "x.yaml")) == assessed(run(here, "check", "--json", "t.csv"))
    assert "a mapping is for tables" in run(here, "convert", "one.json", "--guess", "-o", "y.yaml", code=1).err
    assert not (here / "y.yaml").exists()
    run(here, "convert", "-", "--guess", stdin=CSV, code=2)
    (here / "bad.yaml").write_text("columns: {Ferritin: feritin}\n")
    assert "did you mean 'ferritin'?" in run(here, "convert", "t.csv", "--map", "bad.yaml", code=1).err


CANARIES = ["Zugvogel", "zv-4711", "2020-03-01", "2020-03-02", "2020-03-11", "2010-01-31", "1987", "07:30", "Kranich"]


def secretive(number="zv-4711"):
    """A patient with a name in every place that holds text."""
    note = {"note": [{"text": "seen by Zugvogel on 2020-03-01"}], "method": {"text": "Zugvogel 3000"}}
    return [
        {**PATIENT, "id": number, "name": [{"family": "Zugvogel"}]},
        {**observation("zv-4711-1", "2276-4", (9000, "ng/mL"), number, "2020-03-01T07:30:00+01:00"), **note},
        {**observation("zv-4711-2", "777-3", (80, "Zugvogel/L"), number, "2020-03-11"), **note},
        {**observation("zv-4711-3", "1975-2", {"valueString": "Zugvogel"}, number, "2020-03-11"), **note},
        {**observation("zv-4711-4", "2276-4", (100, "ng/mL"), number), "effectiveDateTime": "1987"},
        {**observation("zv-4711-5", "0-0", (1, "g"), number), "code": {"coding": [{"code": "x", "display": "Zugvogel"}], "text": "Zugvogel"}},
        {"resourceType": "MedicationStatement", "id": "zv-4711-6", "status": "active", "subject": {"reference": f"Patient/{number}"},
         "medicationCodeableConcept": {"text": "Anakinra for Zugvogel"}, "effectivePeriod": {"start": "2020-03-02"},
         "dosage": [{"text": "100 mg, ask Zugvogel"}], "note": [{"text": "Zugvogel"}]},
        {"resourceType": "Condition", "id": "zv-4711-7", "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "D76.1",
         "display": "Zugvogel"}], "text": "Zugvogel"}, "subject": {"reference": f"Patient/{number}"}, "recordedDate": "2020-03-02"},
        {"resourceType": "Zugvogel", "id": "zv-4711-8"},
    ]  # fmt: skip


@pytest.fixture
def keys(here):
    for name in "kl":
        (here / f"{name}.key").write_text(name * 32 + "\n")
    (here / "Kranich.json").write_text(bundle(secretive()))
    (here / "Kranich.csv").write_text(
        "patient_id,birth_date,date,visit,ferritin (ng/mL),bilirubin (mg/dL),Zugvogel\n"
        "zv-4711,2010-01-31,2020-03-01,Zugvogel visit,9000,Zugvogel 7,x\n"
        "zv-4711,2010-01-31,2020-03-11,second for Zugvogel,100,1.2,Zugvogel\n"
    )
    return here


@pytest.mark.parametrize("name", ["Kranich.json", "Kranich.csv"])
def test_pseudonyms(name, keys):
    """Nothing names the person; days between dates and the age stay; the same key makes the same file, another another."""
    made = [run(keys, "convert", name, "--pseudonymize", f"{key}.key").out for key in "kkl"]
    for text in made:
        assert not [canary for canary in CANARIES if canary.casefold() in text.casefold()], text
    assert made[0] == made[1]
    ids, dates = ([re.findall(pattern, text) for text in made] for pattern in (r"id: (p-\w{12})", r"\d{4}-\d\d-\d\d"))
    assert ids[0] != ids[2]
    assert len(ids[0]) == 1
    assert dates[0] != dates[2]
    days = [[(date.fromisoformat(one) - date.fromisoformat(of_one[0])).days for one in of_one] for of_one in dates]
    assert days[0] == days[2]
    assert 10 in {later - earlier for later in days[0] for earlier in days[0]}
    (keys / "p.yaml").write_text(made[0])
    ours, theirs = (assessed(run(keys, "check", "--json", each))[0] for each in ("p.yaml", name))
    assert ours[0] == {**theirs[0], "id": ids[0][0]}
    assert [each["verdict"] for each in ours[1]] == [each["verdict"] for each in theirs[1]]
    assert [each["count"] for each in ours[1]] == [each["count"] for each in theirs[1]]


def test_pseudonyms_of_many(keys):
    """Each person has a pseudonym, in the name of the file too; the same id has the same one in another input."""
    (keys / "many.ndjson").write_text(ndjson([*secretive(), *secretive("zv-4712")]))
    (keys / "out").mkdir()
    run(keys, "convert", "many.ndjson", "--pseudonymize", "k.key", "-o", "out")
    texts = {path.stem: path.read_text() for path in (keys / "out").iterdir()}
    assert len(texts) == 2
    for name, text in texts.items():
        assert f"id: {name}" in text
        assert not [canary for canary in CANARIES if canary.casefold() in text.casefold()], text
    alone = run(keys, "convert", "Kranich.json", "--pseudonymize", "k.key").out
    assert re.findall(r"id: (p-\w+)", alone)[0] in texts


def test_pseudonyms_at_stated_dates(keys):
    """The dates that are asked for are those of the input; they are moved with it, and the values are still found on them."""
    text = run(keys, "convert", "Kranich.json", "--pseudonymize", "k.key", "--at", "2020-03-01=Admission").out
    assert "2020-03-01" not in text
    (keys / "p.yaml").write_text(text)
    assessment = run(keys, "check", "--json", "p.yaml").json["results"][0]["assessments"][0]
    assert (assessment["timepoint"], {item["id"]: item["status"] for item in assessment["items"]}["ferritin"]) == (
        "Admission",
        "met",
    )


def test_pseudonyms_keep_what_decides(keys):
    """Two assays stay two, and two time points without a day stay two: neither may become one, and comparable."""
    sil2r = {"code": {"coding": [{"system": "urn:hlhcli:observable", "code": "sil2r"}]}}
    resources = [
        {**observation(1, "", (9000, "U/mL"), when="2019"), **sil2r, "method": {"text": "Zugvogel A"}},
        {**observation(2, "", (900, "U/mL"), when="2020-03"), **sil2r, "method": {"text": "Zugvogel B"}},
        {**observation(3, "", (800, "U/mL"), when="2020-03"), **sil2r, "method": {"text": "Zugvogel B"}},
    ]
    (keys / "s.json").write_text(bundle(resources))
    text = quickly(keys, "convert", "s.json", "--pseudonymize", "k.key").out
    assert "Zugvogel" not in text
    assert len(re.findall("- name:", text)) == 2
    assays = re.findall(r"assay: ([^,}]+)", text)
    assert len(assays) == 3
    assert len(set(assays)) == 2


def test_no_pseudonym_without_an_id(keys):
    """Whoever has no id gets none: two people without one must not look like one person."""
    (keys / "t.csv").write_text("date,ferritin (ng/mL)\n2020-03-01,9000\n")
    text = run(keys, "convert", "t.csv", "--pseudonymize", "k.key").out
    assert "9000 ng/mL" in text
    assert "id:" not in text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the input is empty"),
        (b"\x1f\x8b\x08\x00", "compressed (gzip); unpack it first"),
        (b"<Bundle xmlns='http://hl7.org/fhir'/>", "FHIR is read as JSON"),
        (b"%PDF-1.7", "a PDF"),
        (b"PAR1\x00\x00", "Parquet; export it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel file"),
        (b"PK\x03\x04 no workbook", "bad.bin"),
        (b'{"resourceType": "Bundle", "entry": [', "bad.bin"),
        (b'{"resourceType": "Bundle"}', "nothing about a patient was found"),
        (b'{"phenotypicFeatures": 7}', "bad.bin"),
        (b"name;shoe size\nx;38\n", "no column is known here"),
        (b"\x00\xff\xfe\x01", "bad.bin"),
    ],
)
def test_inputs_that_cannot_be_read(content, said, here):
    """One clear line, nothing on the screen, no file."""
    (here / "bad.bin").write_bytes(content)
    ran = quickly(here, "convert", "bad.bin", "-o", "x.yaml", code=1)
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1
    assert not (here / "x.yaml").exists()


def test_targets_that_cannot_be_written(here):
    """A file where a folder is needed, and a folder that cannot be made, are told; the input is never overwritten."""
    (here / "file").write_text("kept")
    assert "cannot be written" in quickly(here, "convert", "one.json", "-o", "file/x.yaml", code=1).err
    assert "cannot be written" in quickly(here, "convert", "two.json", "-o", "file/", code=1).err
    assert "cannot be written" in quickly(here, "convert", "one.json", "-o", "/proc/none/x.yaml", code=1).err
    assert (here / "file").read_text() == "kept"
    quickly(here, "convert", "one.json", "-o", "one.json", code=2)
    assert (here / "one.json").read_text() == bundle(ONE)


def test_what_needs_no_converting(here):
    """A patient file is one already; a folder of nothing, and a path of nothing, are told."""
    (here / "none").mkdir()
    assert "is a patient file already" in quickly(here, "convert", SAMPLES / "pmc3572670.yaml", "-o", "x.yaml", code=1).err
    assert "none: cannot be read: is a directory" in quickly(here, "convert", "none", "-o", "x.yaml", code=1).err
    assert "no such file" in quickly(here, "convert", "nowhere.json", "-o", "x.yaml", code=1).err
    assert not (here / "x.yaml").exists()


def test_folders_and_standard_input(here):
    """A bulk export brings together what its files say of a person; NDJSON, tables and phenopackets come through a pipe too."""
    run(here, "convert", "bulk", "-o", "out/")
    assert sorted(path.name for path in (here / "out").iterdir()) == ["a.yaml", "b.yaml"]
    assert "birth_date: 2010-01-31" in (here / "out" / "a.yaml").read_text()
    for text, wanted in ((ndjson(ONE), "Observation/o1"), (CSV, "row 2"), (json.dumps(PHENOPACKET), "measurements[0]")):
        assert f"9000 ng/mL   # {wanted}" in run(here, "convert", "-", stdin=text).out


def test_pictures_and_pages(here):
    """A figure and a report of the one patient of a Bundle; of several, what to do."""
    for command, output in (("figure", "x.svg"), ("report", "x.html")):
        run(here, command, "one.json", "-o", output)
        assert (here / output).stat().st_size > 10_000
        (here / output).unlink()
        ran = run(here, command, "two.json", "-o", output, code=1)
        assert "holds 2 patients; part them with hlhcli convert two.json -o patients" in ran.err
        assert not (here / output).exists()

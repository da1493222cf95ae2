"""FHIR R4 against vectors worked out by hand, and the ways in which resources come together: bundles, references, versions."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from pathlib import Path

import pytest
from command import hlhcli
from readers.fhir_rows import Number, bundle, expected, resources, said, to_json
from tables import rows

from hlhcli.api import evaluate_document, load_input
from hlhcli.criteria import SHIPPED
from hlhcli.errors import InputError

ROWS = rows("fhir")
FHIR = Path(__file__).parents[3] / "shared" / "data" / "fhir"
COUNTS = {  # entries read, used and not used, values, and of what; counted in the files by hand
    "bulk10_Patient.ndjson": (13, 0, 13, 0, []),
    "synthea_r4_Adolfo_labs.ndjson": (36, 10, 26, 9, ["hemoglobin", "leukocytes", "platelets", "triglycerides"]),
    "us-core_Observation-cbc-hemoglobin.json": (1, 1, 0, 1, ["hemoglobin"]),
    "us-core_Observation-cbc-leukocytes.json": (1, 1, 0, 1, ["leukocytes"]),
    "us-core_Observation-cbc-platelets.json": (1, 1, 0, 1, ["platelets"]),
}


class Read:
    """What was made of an input: the patients, the books, and why nothing was made of the rest."""

    def __init__(self, path, text):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.patients, self.errors = [], []
        try:
            loaded = load_input(path)
            self.account = loaded.account
            for document in loaded.documents:
                self.patients.append(document)
        except InputError as error:
            self.errors = [problem.message for problem in error.problems]
        assert self.account.read == self.account.used + self.account.unused

    @property
    def said(self):
        return [each for document in self.patients for each in said(document.tree)]

    @property
    def books(self):
        return f"{self.account.used}/{self.account.read}"

    @property
    def left(self):
        return {(kind.number, f"{kind.reason}: {kind.what}".casefold()) for kind in self.account.left}


@pytest.fixture
def read(tmp_path):
    def go(tree, name="input.json"):
        return Read(tmp_path / name, tree if isinstance(tree, (str, bytes)) else to_json(tree))

    return go


def told(cell):
    """What a cell asks to be told: (number or None for a note, words)."""
    found = []
    for text in filter(None, cell.split(";")):
        number = re.match(r"\s*(?:(\d+) x|note)\s*", text)
        found.append((int(number[1]) if number[1] else None, text[number.end() :].strip().casefold()))
    return found


def meets(row, got):
    wanted, found = expected(row["patient file"]), got.said
    plain = sorted((each.where, "" if each.where == "note" else each.what) for each in wanted)
    assert sorted((each.where, each.what) for each in found) == plain
    for each in wanted:
        notes = [other.note.casefold() for other in found if other.where == each.where and each.what in ("", other.what)]
        assert any(each.note.casefold() in note for note in notes), notes
    assert got.books == row["used"]
    left = list(got.left)
    remarks = [f"{kind.reason}: {kind.what}".casefold() for kind in got.account.remarks]
    for number, words in told(row["told"]):
        if number is None:
            assert any(words in remark for remark in remarks), remarks
            continue
        match = next((kind for kind in left if kind[0] == number and words in kind[1]), None)
        assert match, (number, words, left)
        left.remove(match)
    assert not left
    if not any(number is None for number, _ in told(row["told"])):
        assert not remarks


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
@pytest.mark.parametrize("form", ["bundle", "ndjson"])
def test_a_vector(row, form, read):
    """Each row of tests/spec/fhir.md, as a Bundle and as NDJSON."""
    made = resources(row["FHIR"])
    text = to_json(bundle(*made)) if form == "bundle" else "\n".join(map(to_json, made)) + "\n"
    meets(row, read(text, f"input.{'json' if form == 'bundle' else 'ndjson'}"))


def obs(code, value, unit, **more):
    """An Observation of patient p; `None` takes an element away."""
    made = resources(f"obs:{code} = {value} {unit}")[0] | more
    return {key: each for key, each in made.items() if each is not None}


PERSON = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "2010-03-04"}
FERRITIN = obs("2276-4", 900, "ng/mL")


def ids(got):
    return sorted(document.patient.patient.id or "" for document in got.patients)


@pytest.mark.parametrize("kind", ["collection", "transaction", "batch", "searchset", "history", "message", "document"])
def test_kinds_of_bundles(kind, read):
    """Every kind of Bundle holds its resources in entries."""
    tree = bundle(PERSON, FERRITIN, kind=kind)
    tree["entry"][1] |= {"search": {"mode": "match"}, "request": {"method": "PUT", "url": "Observation/r1"}}
    got = read(tree)
    assert got.books == "2/2"
    assert [each.what for each in got.said] == ["ferritin: 900 ng/mL"]


def test_one_resource(read):
    """A file of one Observation is one patient."""
    got = read(FERRITIN)
    assert (got.books, ids(got)) == ("1/1", ["p"])


@pytest.mark.parametrize(
    ("address", "name", "refers"),
    [
        ("urn:uuid:7f1c", None, "urn:uuid:7f1c"),
        ("urn:uuid:7f1c", "p", "urn:uuid:7f1c"),
        ("urn:oid:1.2.3", "p", "urn:oid:1.2.3"),
        ("http://a.org/fhir/Patient/p", "p", "Patient/p"),
        ("http://a.org/fhir/Patient/p", "p", "http://a.org/fhir/Patient/p"),
        ("http://a.org/fhir/Patient/p", "p", "Patient/p/_history/2"),
        ("http://a.org/fhir/Patient/p", "p", "http://a.org/fhir/Patient/p/_history/2"),
        ("", "p", "Patient/p"),
    ],
)
@pytest.mark.parametrize("last", [True, False])
def test_references(address, name, refers, last, read):
    """However a reference is written, the Observation is one of its patient, in whatever order they come."""
    person = {key: value for key, value in (PERSON | {"id": name}).items() if value}
    entries = [{"fullUrl": address, "resource": person}, {"resource": FERRITIN | {"subject": {"reference": refers}}}]
    entries = [{key: value for key, value in each.items() if value} for each in entries]
    got = read({"resourceType": "Bundle", "type": "transaction", "entry": entries[::-1] if last else entries})
    assert got.books == "2/2"
    assert [(str(each.patient.patient.sex), str(each.patient.patient.birth_date)) for each in got.patients] == [
        ("female", "2010-03-04")
    ]


def test_two_servers_have_the_same_id(read):
    """Patient/1 of one server is not Patient/1 of another; a relative reference is to the server of its own entry."""
    entries = []
    for server, value in (("http://a.org/fhir", 900), ("http://b.org/fhir", 90)):
        entries.append({"fullUrl": f"{server}/Patient/1", "resource": PERSON | {"id": "1"}})
        entries.append(
            {
                "fullUrl": f"{server}/Observation/1",
                "resource": obs("2276-4", value, "ng/mL", id="1", subject={"reference": "Patient/1"}),
            }
        )
    got = read({"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert len(got.patients) == 2
    assert got.books == "4/4"


def test_two_servers_with_absolute_references(read):
    """The same with absolute references."""
    made = [
        obs("2276-4", value, "ng/mL", id=None, subject={"reference": f"http://{server}.org/Patient/1"})
        for server, value in (("a", 900), ("b", 90))
    ]
    got = read(bundle(*made))
    assert (len(got.patients), got.books) == (2, "2/2")


def test_many_patients(read):
    """Values of several patients do not mix, with the same ids of resources in bundles and lines."""
    made = [
        each
        for number in range(5)
        for each in (
            PERSON | {"id": f"p{number}"},
            obs("2276-4", 100 * number, "ng/mL", id=f"f{number}", subject={"reference": f"Patient/p{number}"}),
        )
    ]
    for text, name in ((bundle(*made), "b.json"), ("\n".join(map(to_json, made)), "b.ndjson")):
        got = read(text, name)
        assert got.books == "10/10"
        assert [[each.what for each in said(one.tree)] for one in got.patients] == [
            [f"ferritin: {100 * number} ng/mL"] for number in range(5)
        ]


def test_a_correction_moves_a_value_to_another_patient(read):
    """A value that was filed under the wrong patient, and moved: it is no longer one of the first."""
    got = read(bundle(FERRITIN, FERRITIN | {"status": "corrected", "subject": {"reference": "Patient/q"}}))
    assert (ids(got), got.books) == (["q"], "1/2")


def test_withdrawn_under_another_patient(read):
    """A withdrawn version counts for every patient."""
    got = read(bundle(FERRITIN, FERRITIN | {"status": "entered-in-error", "subject": {"reference": "Patient/q"}}))
    assert (ids(got), got.books) == ([], "0/2")


def test_ids_are_of_a_type(read):
    """Observation/r1 and Condition/r1 are two resources, and a withdrawn Condition takes no Observation away."""
    condition = resources("cond:16294009")[0]
    condition["verificationStatus"] = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "entered-in-error"}]
    }
    got = read(bundle(FERRITIN, condition))
    assert [each.what for each in got.said] == ["ferritin: 900 ng/mL"]
    assert got.books == "1/2"


def test_history_has_the_latest_version_first(read):
    """A Bundle of type history is sorted with the oldest version last; without times and numbers this order holds."""
    got = read(bundle(obs("2276-4", 90, "ng/mL", status="corrected"), FERRITIN, kind="history"))
    assert [each.what for each in got.said] == ["ferritin: 90 ng/mL"]
    got = read(
        bundle(*(obs("2276-4", 90 * number, "ng/mL", meta={"versionId": str(number)}) for number in (10, 9, 1)), kind="history")
    )
    assert [each.what for each in got.said] == ["ferritin: 900 ng/mL"]


@pytest.mark.parametrize("first", [True, False])
def test_deleted(first, read):
    """What a history says was deleted counts no more."""
    gone = {
        "fullUrl": "http://a.org/Observation/r1",
        "request": {"method": "DELETE", "url": "Observation/r1"},
        "response": {"status": "204", "lastModified": "2016-06-01T00:00:00Z"},
    }
    there = {
        "fullUrl": "http://a.org/Observation/r1",
        "resource": FERRITIN | {"meta": {"lastUpdated": "2016-05-02T00:00:00Z"}},
        "request": {"method": "POST", "url": "Observation"},
    }
    other = {"resource": obs("777-3", 41, "10*3/uL", id="x")}
    got = read({"resourceType": "Bundle", "type": "history", "entry": [gone, there, other] if first else [other, there, gone]})
    assert [each.what for each in got.said] == ["platelets: 41 10*3/uL"]
    assert got.books == "1/3"


def test_entries_without_a_resource(read):
    """A link, a DELETE and nothing at all: counted, and told."""
    tree = bundle(FERRITIN)
    tree["entry"] += [
        {},
        {"fullUrl": "urn:uuid:1"},
        {"resource": {}},
        {"resource": None},
        {"resource": []},
        None,
        5,
        "text",
        [],
        {"request": {"method": "DELETE", "url": "Observation/z"}},
    ]
    got = read(tree)
    assert got.books == "1/11"


def test_bundles_in_bundles(read):
    """The entries of a Bundle in a Bundle count like its own."""
    got = read(bundle(bundle(FERRITIN, PERSON), bundle(bundle(obs("777-3", 41, "10*3/uL", id="x")))))
    assert sorted(each.what for each in got.said) == ["ferritin: 900 ng/mL", "platelets: 41 10*3/uL"]
    assert got.books == "3/3"


def test_an_empty_bundle(read):
    """Nothing about a patient: said, and not a patient without findings."""
    for tree in (bundle(), {"resourceType": "Bundle", "type": "searchset", "total": 0}):
        got = read(tree)
        assert (got.patients, got.books) == ([], "0/0")
        assert got.errors


def test_what_an_operation_outcome_alone_says(read):
    """The answer of a server that found nothing is not a patient."""
    got = read({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]})
    assert (got.patients, got.books) == ([], "0/1")


@pytest.mark.parametrize(
    ("person", "sex", "birth", "told_"),
    [
        ({"gender": "male", "birthDate": "2005-06-01"}, "male", "2005-06-01", []),
        ({"gender": "other", "birthDate": "2005-06-01"}, "other", "2005-06-01", []),
        ({"gender": "unknown"}, "None", "None", []),
        ({"gender": "M"}, "None", "None", []),
        ({"birthDate": "2005"}, "None", "None", ["birth"]),
        ({"birthDate": "2005-06"}, "None", "None", ["birth"]),
        ({"birthDate": "2005-02-30"}, "None", "None", ["birth"]),
        ({"birthDate": "long ago"}, "None", "None", ["birth"]),
    ],
)
def test_a_patient(person, sex, birth, told_, read):
    """Sex and date of birth as stated; what is not a whole date gives no age, and is told."""
    got = read(bundle({"resourceType": "Patient", "id": "p"} | person, FERRITIN))
    known = got.patients[0].patient.patient
    assert (str(known.sex), str(known.birth_date), got.books) == (sex, birth, "2/2")
    assert [word in kind.reason for kind, word in zip(got.account.remarks, told_, strict=True)] == [True] * len(told_)


@pytest.mark.parametrize("key", ["modifierExtension", "implicitRules"])
def test_a_patient_that_cannot_be_understood(key, read):
    """What may turn the meaning of a Patient around is not passed over."""
    got = read(bundle(PERSON | {key: [{"url": "x", "valueBoolean": True}] if key[0] == "m" else "urn:x"}, FERRITIN))
    assert got.patients[0].patient.patient.sex is None
    assert got.books == "1/2"


def test_a_patient_without_observations(read):
    """A patient of whom nothing was observed is not one without HLH: said exactly, and counted."""
    got = read(bundle(PERSON))
    assert (got.patients, got.books) == ([], "0/1")
    assert got.errors == ["1 patient not assessed: nothing was observed that this tool reads"]
    got = read(bundle(PERSON, FERRITIN, PERSON | {"id": "q"}))
    assert (ids(got), got.books, got.errors) == (["p"], "2/3", [])
    assert [kind.number for kind in got.account.remarks] == [1]


@pytest.mark.parametrize("form", ["relative", "absolute", "urn", "urn without id", "history"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("what", ["Specimen", "Medication"])
def test_what_is_referred_to(what, last, form, read):
    """A Specimen (and a Medication) is found however it is referred to, before and after; so fluid is not taken for blood."""
    address = "urn:uuid:55" if form.startswith("urn") else f"http://a.org/fhir/{what}/s"
    refers = {"relative": f"{what}/s", "absolute": address, "history": f"{what}/s/_history/1"}.get(form, address)
    thing = {"resourceType": what} | (
        {"type": {"text": "Pleural fluid"}} if what == "Specimen" else {"code": {"text": "Etoposide"}}
    )
    if form != "urn without id":
        thing["id"] = "s"
    if what == "Specimen":
        user = obs("1751-7", 2, "g/dL", specimen={"reference": refers}, id="a")
    else:
        user = resources("given {id: m}")[0] | {"medicationReference": {"reference": refers}}
    entries = [{"fullUrl": address, "resource": thing}, {"fullUrl": "urn:uuid:77", "resource": user}, {"resource": FERRITIN}]
    got = read({"resourceType": "Bundle", "type": "transaction", "entry": entries[::-1] if last else entries})
    found = sorted(each.what for each in got.said)
    assert found == (["ferritin: 900 ng/mL"] if what == "Specimen" else ["etoposide 2016-05-02..2016-05-02", "ferritin: 900 ng/mL"])


def variant(**more):
    """A heterozygous variant in PRF1, as the Genomics Reporting guide writes it."""
    parts = (("48018-6", "PRF1"), ("48004-6", "c.50delT"), ("53034-5", "heterozygous"), ("53037-8", "Pathogenic"))
    components = [
        {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "valueCodeableConcept": {"text": words}}
        for code, words in parts
    ]
    present = {"coding": [{"system": "http://loinc.org", "code": "LA9633-4"}]}
    return resources("obs:69548-6")[0] | {"id": "v", "valueCodeableConcept": present, "component": components} | more


def variants(got):
    return [dict(each) for document in got.patients for each in document.tree.get("genetics", {}).get("variants", [])]


def test_a_variant(read):
    """A variant with its gene, zygosity and classification."""
    got = read(bundle(FERRITIN, variant()))
    assert variants(got) == [{"gene": "PRF1", "variant": "c.50delT", "zygosity": "heterozygous", "classification": "pathogenic"}]
    assert got.books == "2/2"


@pytest.mark.parametrize(
    ("later", "number"),
    [({"status": "corrected"}, 1), ({}, 1), ({"status": "entered-in-error"}, 0), ({"status": "cancelled"}, 0), ({"id": "w"}, 2)],
)
def test_versions_of_a_variant(later, number, read):
    """One variant that is read twice is one: two heterozygous ones may be a molecular diagnosis. A withdrawn one is none."""
    got = read(bundle(FERRITIN, variant(), variant(**later)))
    assert len(variants(got)) == number


def test_a_variant_under_other_rules(read):
    """What may turn its meaning around, or is about a relative, is no variant of the patient."""
    for more in ({"implicitRules": "urn:x"}, {"modifierExtension": [{"url": "x"}]}, {"focus": [{"reference": "RelatedPerson/m"}]}):
        got = read(bundle(FERRITIN, variant(**more)))
        assert (variants(got), got.books) == ([], "1/2"), more


def test_onset_of_a_refuted_diagnosis(read):
    """A diagnosis that was refuted says nothing of the age at onset."""
    condition = resources('cond {code: {coding: [{system: "http://hl7.org/fhir/sid/icd-10-cm", code: D76.1}]}}')[0]
    condition |= {"onsetAge": {"value": Number("3"), "unit": "y", "system": "http://unitsofmeasure.org", "code": "a"}}
    condition.pop("onsetDateTime")
    assert read(bundle(FERRITIN, condition)).patients[0].patient.patient.onset is not None
    condition["verificationStatus"] = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "refuted"}]
    }
    assert read(bundle(FERRITIN, condition)).patients[0].patient.patient.onset is None


def status_of(got, item, timepoint=0):
    """The status of an item of HLH-2004."""
    result = evaluate_document(got.patients[0], [SHIPPED.load("hlh-2004")])
    return next(str(each.status) for each in result.assessments[timepoint].items if each.id == item)


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        ("obs:2276-4 = 300 ng/mL", "not met"),
        ("obs:2276-4 = 499.99999999999999999 ng/mL", "not met"),
        ("obs:2276-4 = 500.0 ug/L", "met"),
        ("obs:2276-4 = 5e2 ng/mL", "met"),
        ("obs:2276-4 = 300 ng/mL ++ obs:2276-4 = 900 ng/mL", "met"),
        ('obs:2276-4 = 300 ng/mL ++ obs:2276-4 = "hemolyzed"', "not met"),
        ('obs:2276-4 = 900 ng/mL ++ obs:2276-4 = "hemolyzed"', "met"),
        ("obs:2276-4 = 300 ng/mL ++ obs:2276-4 = 900", "unknown"),
        ("obs:2276-4 = 300 ng/mL ++ obs:2276-4 {status: registered}", "unknown"),
        ("obs:2276-4 = 300 ng/mL ++ obs:2276-4 {valueRatio: {numerator: {value: 900}}}", "unknown"),
        ("obs:2276-4 = 300 ng/mL ++ obs:2276-4 = 900 ng/mL {status: entered-in-error}", "not met"),
        ('obs:2276-4 = "9000 ng/mL, 300 ng/mL"', "met"),
        ('obs:2276-4 = "300 ng/mL, 9000 ng/mL"', "met"),
        ("obs:2276-4 = >400 ng/mL", "unknown"),
        ('obs:2276-4 = "normal"', "unknown"),
    ],
)
def test_what_is_assessed(cell, status, read):
    """The worst value of a day counts, to the last digit, and one that is not known keeps the criterion open."""
    assert status_of(read(bundle(*resources(cell))), "ferritin") == status


@pytest.mark.parametrize("file", sorted(FHIR.glob("*")) or [None], ids=lambda file: file.name if file else "none")
def test_files_of_others(file, read):
    """Each file that others wrote, with its exact counts."""
    if file is None:
        pytest.skip("the files are not here")
    loaded = load_input(file)
    found = []
    with pytest.raises(InputError) if file.name.startswith("bulk10") else nullcontext():
        for document in loaded.documents:
            found += said(document.tree)
    account = loaded.account
    names = sorted({each.what.partition(":")[0] for each in found})
    assert (account.read, account.used, account.unused, len(found), names) == COUNTS[file.name]


def test_the_command(tmp_path):
    """check, --strict, --json and convert on a Bundle: what was not used is told, and what was written reads back the same."""
    path, out = tmp_path / "bundle.json", tmp_path / "patient.yaml"
    made = [
        PERSON,
        *resources(
            'obs:2276-4 = 900 ng/mL ++ obs:2276-4 = "hemolyzed" {id: a} ++ obs:38445-3 = 5 ug/g ++ cond:16294009 ++ given:Etoposide ++ Foo'
        ),
    ]
    path.write_text(to_json(bundle(*made)), encoding="utf-8")
    ran = hlhcli("check", path, "--json")
    assert ran.code == 0
    assert "2 not" in ran.err
    told_ = ran.json["inputs"][0]
    assert (told_["form"], told_["entries"], told_["used"]) == ("fhir", 7, 5)
    assert sum(each["count"] for each in told_["not_used"]) == 2
    strict = hlhcli("check", path, "--strict")
    assert strict.code == 1
    assert "38445-3" in strict.err
    assert hlhcli("convert", path, "-o", out).code == 0
    back = hlhcli("check", out, "--json")
    assert [each["items"] for each in back.json["results"][0]["assessments"]] == [
        each["items"] for each in ran.json["results"][0]["assessments"]
    ]


def test_the_command_reads_lines_from_standard_input():
    """NDJSON through a pipe: a line that is no JSON is told with its number, and the others count."""
    ran = hlhcli("check", "-", "--json", stdin=to_json(PERSON) + "\n{broken\n" + to_json(FERRITIN) + "\n")
    assert (ran.code, ran.json["inputs"][0]["entries"], ran.json["inputs"][0]["used"]) == (0, 3, 2)
    assert ran.json["inputs"][0]["not_used"][0]["first"].endswith(":2:1")


def test_the_command_without_a_value():
    """A patient without observations is an input that could not be assessed, without a traceback and without the name."""
    ran = hlhcli("check", "-", stdin=to_json(bundle(PERSON | {"name": [{"family": "Doe"}]})))
    assert ran.code == 1
    assert "nothing was observed" in ran.err
    assert "Doe" not in ran.err + ran.out
    assert "Traceback" not in ran.err


def test_nothing_of_a_person_is_told(read):
    """Names, notes and texts of values are not repeated in the books."""
    made = resources(
        'obs:2276-4 = "Smith John tel 555" ++ obs = 5 g {code: {text: Ms Smith}} ++ cond {code: {text: Mr Smith}} ++ given:Smithomycin ++ obs:2276-4 = 900 ng/mL'
    )
    got = read(bundle(PERSON | {"name": [{"family": "Smith"}]}, *made))
    lines = " ".join([*got.account.summary(50), *got.errors])
    assert "mith" not in lines


@pytest.mark.parametrize(("display", "said"), [("Absent", "absent"), ("Absent (qualifier value)", "absent"), ("", "unknown")])
def test_absent_nk_activity_is_not_normal(tmp_path: Path, display: str, said: str) -> None:
    """The coded answer `absent` says of NK activity that there is none, and not that nothing was found."""
    coding = {"system": "http://snomed.info/sct", "code": "2667000"} | ({"display": display} if display else {})
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2024-03-01",
        "code": {"coding": [{"system": "urn:hlhcli:observable", "code": "nk_activity"}]},
        "valueCodeableConcept": {"coding": [coding]},
    }
    path = tmp_path / "nk.json"
    path.write_text(json.dumps(observation), encoding="utf-8")
    patient = next(load_input(path).documents).patient
    found = patient.timepoints[0].observations["nk_activity"].value
    assert found.text == said

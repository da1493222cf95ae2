"""FHIR from anywhere: whatever comes in, there is an answer or an error with its place, and the books balance."""

from __future__ import annotations

import copy
import io
import json
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from readers.fhir_rows import Number, bundle, resources, to_json

from hlhcli.api import evaluate_document, parse_document, read_input
from hlhcli.criteria import SHIPPED
from hlhcli.errors import InputError
from hlhcli.readers import yaml_writer
from hlhcli.readers.detect import Form, Source
from hlhcli.readers.inputs import Options

SETS = [SHIPPED.load("hlh-2004"), SHIPPED.load("hscore")]


def read(content, form=None):
    """The patients and the books, or None where the input is refused as a whole."""
    content = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    found = []
    try:
        loaded = read_input(Source("input", io.BytesIO(content)), Options(form=form))
    except InputError:
        return [], None
    with suppress(InputError):
        for document in loaded.documents:
            found.append(document)
    if (account := loaded.account) is not None:
        assert account.read == account.used + account.unused
    return found, account


def assessed(documents):
    """What is decided of each patient, at each time point."""
    found = []
    for document in documents:
        for each in evaluate_document(document, SETS).assessments:
            items = tuple((item.id, str(item.status)) for item in each.items)
            found.append((document.patient.patient.id, each.timepoint, each.criteria.id, str(each.verdict), items))
    return sorted(found, key=repr)


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20).map(lambda number: Number(str(number))),
    st.sampled_from(["", " ", "0", "-1", "1e999", "\ud800", "\udfff\ud800", "\x00", "a\x00b", "x" * 5000, "9" * 5000, "\u202e12", "½", "١٢", "2016-02-30", "9999-12-31", "0000-01-01", "#", "#x", "Patient/", "/", "://", "urn:", "urn:uuid:", "http://", "Bundle", "final", "entered-in-error", "ng/mL", "{", "}", "|", "\n- a: b", "'", '"', "!!python/object", "*a", "&a", "? x"]),
    st.sampled_from(["0", "1", "-0", "1E400", "1e-400", "0.1", "500.0", "1e3", "12345678901234567890123456789012345"]).map(Number),
    st.text(max_size=8),
)  # fmt: skip
KEYS = [
    "resourceType", "entry", "resource", "id", "status", "code", "coding", "system", "value", "valueQuantity", "valueString", "unit", "subject",
    "reference", "component", "meta", "lastUpdated", "contained", "extension", "effectiveDateTime", "effectivePeriod", "onsetAge", "referenceRange",
]  # fmt: skip
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=4)), inner, max_size=5)
    ),
    max_leaves=15,
)
CELLS = (
    "Patient:p {gender: female, birthDate: 2010-03-04}",
    "obs:2276-4 = >20000.50 ng/mL {id: a, meta: {lastUpdated: '2016-05-03T00:00:00Z'}}",
    "obs:2276-4 = \"410 ng/mL, 560 ng/mL\" {id: b, effectiveDateTime: '2016-05-04T10:00:00+02:00'}",
    "obs:76039-7 = 4100 pg/mL {id: c, status: preliminary, method: {text: ELISA}, referenceRange: [{low: {value: 200, unit: pg/mL}, high: {value: 1000, unit: pg/mL}}]}",
    "obs:58410-2 {id: d, component: [{code: {coding: [{system: 'http://loinc.org', code: 718-7}]}, valueQuantity: {value: 8, unit: g/dL}}, {code: {coding: [{system: 'http://loinc.org', code: 777-3}]}, valueQuantity: {value: 41, unit: 10*3/uL}}]}",
    "obs:386661006 {id: e, valueCodeableConcept: {coding: [{system: 'http://snomed.info/sct', code: '52101004'}]}, effectiveDateTime: null, effectivePeriod: {start: 2016-05-01, end: 2016-05-03}}",
    "obs:2571-8 = 300 mg/dL {id: f, specimen: {reference: Specimen/s}, effectiveDateTime: 2016-05}",
    "Specimen:s {type: {text: Serum}}",
    "obs:6690-2 {id: g, dataAbsentReason: {coding: [{code: error}]}}",
    "obs:777-3 = 12 10*3/uL {id: h, status: entered-in-error}",
    "cond:16294009 {id: i, abatementDateTime: 2016-05-04}",
    "cond:363346000 {id: j, onsetDateTime: 2014}",
    "cond {id: k, code: {coding: [{system: 'http://hl7.org/fhir/sid/icd-10-cm', code: D76.1}]}, onsetDateTime: null, onsetAge: {value: 6, code: a}}",
    "proc:26763009 {id: l, performedDateTime: null, performedPeriod: {start: 2016-05-02, end: 2016-05-04}}",
    "given:Etoposide {id: m, dosage: {dose: {value: 100, unit: mg}}}",
    "given {id: n, medicationReference: {reference: Medication/x}}",
    "Medication:x {code: {text: Ruxolitinib}}",
    "ordered:Dexamethasone {id: o}",
    "obs:69548-6 {id: q, valueCodeableConcept: {coding: [{system: 'http://loinc.org', code: LA9633-4}]}, component: [{code: {coding: [{system: 'http://loinc.org', code: 48018-6}]}, valueCodeableConcept: {text: PRF1}}]}",
    "Encounter:z {status: finished}",
)  # fmt: skip
RESOURCES = [each for cell in CELLS for each in resources(cell)]


def paths(tree, at=()):
    """Every place in a tree."""
    yield at
    for key, each in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from paths(each, (*at, key))


def changed(tree, at, kind, other):
    """The tree with one place removed, replaced, nested in a list or in an object of its own kind, or doubled."""
    if not at:
        return [tree] if kind == "list" else other
    holder = tree
    for key in at[:-1]:
        holder = holder[key]
    key, value = at[-1], holder[at[-1]]
    if kind == "remove":
        holder.pop(key)
    elif kind == "replace":
        holder[key] = other
    elif kind == "list":
        holder[key] = [value, value]
    elif kind == "nest":
        holder[key] = {"resource": value, key if isinstance(key, str) else "x": value}
    elif kind == "text":
        holder[key] = to_json(value)
    elif kind == "underscore" and isinstance(key, str):
        holder[f"_{key}"] = holder.pop(key)
    return tree


@st.composite
def mutated(draw, whole):
    tree = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        places = list(paths(tree))
        at = draw(st.sampled_from(places))
        tree = changed(tree, at, draw(st.sampled_from(["remove", "replace", "list", "nest", "text", "underscore"])), draw(trees))
    return tree


@given(trees)
@example([[[[]]]])
@example({"resourceType": "Bundle", "entry": {"resource": {}}})
@example(
    {
        "resourceType": "Bundle",
        "entry": [{"resource": {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": ["Observation"]}}]}}],
    }
)
@example(
    {"resourceType": "Observation", "status": {"coding": 5}, "code": [], "subject": [], "component": [[]], "referenceRange": {}}
)
def test_any_json(tree):
    """Any JSON is read, or refused with a message."""
    text = to_json(tree)
    for form in (None, Form.FHIR, Form.NDJSON):
        read(text, form)


@given(mutated(bundle(*RESOURCES)))
def test_a_bundle_that_went_wrong(tree):
    """A Bundle with places removed, swapped, doubled and nested is read, or refused; what is read can be assessed."""
    documents, _ = read(to_json(tree), Form.FHIR)
    assessed(documents)


@given(st.lists(st.sampled_from(RESOURCES).flatmap(mutated), min_size=1, max_size=6))
def test_lines_that_went_wrong(trees):
    """The same for lines of NDJSON, of which each stands for itself."""
    documents, account = read("\n".join(map(to_json, trees)), Form.NDJSON)
    assessed(documents)
    assert (
        account is None
        or account.read >= len(trees)
        or any(isinstance(each, dict) and each.get("resourceType") == "Bundle" for each in trees)
    )


@given(st.binary(max_size=200))
@example(b"\xff\xfe{\x00}\x00")
@example(b"\xef\xbb\xbf{}")
@example(b'{"resourceType":"Bundle","entry":[')
@example(b'{"resourceType":"Bundle","entry":[{}],"entry":[{}]}')
@example(b'{"resourceType":"Observation","resourceType":"Patient"}')
@example(b'{"resourceType":"Bundle","entry":[NaN]}')
@example(b'{"resourceType":"Observation","status":"final","status":"entered-in-error"}\n{"resourceType":"Patient"}')
def test_any_bytes(content):
    """Bytes that are no JSON are refused, or counted line by line."""
    for form in (None, Form.FHIR, Form.NDJSON):
        read(content, form)


@pytest.mark.parametrize("depth", [50, 900, 5000, 200_000])
@pytest.mark.parametrize("around", ['{"resourceType":"Bundle","entry":[%s]}', "%s"])
def test_deep_nesting(depth, around):
    """However deep: no overflow."""
    inner = '{"resource":{"resourceType":"Bundle","entry":[' * depth + "]}}" * depth
    read(around % inner, Form.FHIR)
    read(around % inner, Form.NDJSON)
    read(around % ("[" * depth + "]" * depth), Form.FHIR)


def test_a_key_that_is_written_twice():
    """Which of two statuses holds is not known: the line is not used, and told."""
    line = to_json(RESOURCES[1]).replace('"status": "final"', '"status": "entered-in-error", "status": "final"')
    documents, account = read(f"{line}\n{to_json(RESOURCES[0])}\n", Form.NDJSON)
    assert documents == []
    assert [kind.reason for kind in account.left if kind.what == "line"] == ["a key is written twice in one object"]


def test_the_example_is_understood():
    """What the properties below mutate is used whole, but for what is withdrawn and the Encounter."""
    documents, account = read(to_json(bundle(*RESOURCES)))
    assert len(documents) == 1
    assert sorted((kind.number, kind.reason) for kind in account.left) == [(1, "resource not read"), (1, "status entered-in-error")]


@given(st.permutations(RESOURCES))
@settings(max_examples=40)
def test_the_order_of_resources(shuffled):
    """Another order of the same resources gives the same assessment and the same counts."""
    documents, account = read(to_json(bundle(*shuffled)))
    first, books = read(to_json(bundle(*RESOURCES)))
    assert assessed(documents) == assessed(first)
    assert (account.read, account.used) == (books.read, books.used)


VERSIONS = [
    resources("obs:2276-4 = 9000 ng/mL {id: a, meta: {lastUpdated: '2016-05-03T10:00:00+02:00'}}")[0],
    resources("obs:2276-4 = 90 ng/mL {id: a, status: corrected, meta: {lastUpdated: '2016-05-03T09:00:00Z'}}")[0],
    resources("obs:718-7 = 8 g/dL {id: b, meta: {lastUpdated: '2016-05-03T09:00:00Z'}}")[0],
    resources("obs:718-7 = 8 g/dL {id: b, status: entered-in-error, meta: {lastUpdated: '2016-05-03T09:00:00.250Z'}}")[0],
    resources("obs:777-3 = 41 10*3/uL {id: c, meta: {versionId: '9'}}")[0],
    resources("obs:777-3 = 410 10*3/uL {id: c, status: amended, meta: {versionId: '10'}}")[0],
]


@given(st.permutations(VERSIONS))
def test_the_order_of_versions(shuffled):
    """Versions with a time or a number hold in whatever order they come."""
    documents, account = read(to_json(bundle(*shuffled)))
    tree = documents[0].tree["timepoints"][0]["observations"]
    assert {name: str(value) for name, value in tree.items()} == {"ferritin": "90 ng/mL", "platelets": "410 10*3/uL"}
    assert (account.read, account.used) == (6, 2)


@given(st.lists(st.sampled_from(RESOURCES), unique_by=id, min_size=1))
@settings(max_examples=60)
def test_bundle_lines_and_patient_file(chosen):
    """A Bundle, NDJSON, and the patient file that is written of them: one assessment."""
    from_bundle, books = read(to_json(bundle(*chosen)))
    from_lines, others = read("\n".join(map(to_json, chosen)), Form.NDJSON)
    assert assessed(from_bundle) == assessed(from_lines)
    if books is not None:
        assert (books.read, books.used) == (others.read, others.used)
    back = [parse_document(yaml_writer.write(document.tree, []), "back.yaml") for document in from_bundle]
    assert assessed(back) == assessed(from_bundle)


@given(mutated(bundle(*RESOURCES)))
@settings(max_examples=60)
def test_what_is_written_of_a_bundle_that_went_wrong_reads_back(tree):
    """Whatever became a patient file can be read again, and says the same."""
    documents, _ = read(to_json(tree), Form.FHIR)
    back = [parse_document(yaml_writer.write(document.tree, []).encode(), "back.yaml") for document in documents]
    assert assessed(back) == assessed(documents)


@given(st.text(max_size=40), st.sampled_from(["2276-4", "718-7", "777-3", "8310-5"]))
@example("0", "2276-4")
@example("١٢ ng/mL", "2276-4")
@example("-", "2276-4")
@example("<0 ng/mL", "2276-4")
def test_any_text_as_a_value(text, code):
    """A text is a value, a reason or unknown; never more than it says, and never an error."""
    tree = resources(f"obs:{code}")[0] | {"valueString": text}
    documents, account = read(json.dumps(bundle(tree)))
    assert account.read >= 1
    assert len(documents) <= 1

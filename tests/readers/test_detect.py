"""The form of an input is seen from how it begins, and what nothing here reads is told by its name."""

import io

import pytest

from hlhcli.errors import InputError
from hlhcli.readers.detect import HEAD, Form, Source, form_of


@pytest.mark.parametrize(
    ("head", "form"),
    [
        (b"patient: {id: a}\ntimepoints: []\n", Form.PATIENT),
        (b"# a comment, with commas\npatient: {id: a, sex: male}\n", Form.PATIENT),
        (b"---\npatient: {id: a}\n", Form.PATIENT),
        (b'{"patient": {"id": "a"}, "timepoints": []}', Form.PATIENT),
        (b"\xef\xbb\xbfpatient: {id: a}\n", Form.PATIENT),
        (b"", Form.PATIENT),
        (b"hello", Form.PATIENT),
        (b"feritin, 5\n", Form.CSV),
        (b"id,date,ferritin\n1,2016-05-02,900\n", Form.CSV),
        (b"\xef\xbb\xbfid;Datum;Ferritin (ng/mL)\n", Form.CSV),
        (b"id\tdate\tferritin\n", Form.CSV),
        ("id;Datum;Ferritin\n".encode("utf-16"), Form.CSV),
        (b"sep=;\nid;x\n", Form.CSV),
        (b"PK\x03\x04....", Form.XLSX),
        (b'{"resourceType": "Bundle", "entry": []}', Form.FHIR),
        (b'{\n  "resourceType": "Observation"\n}', Form.FHIR),
        (b'  {"id": "a", "resourceType" : "Observation"}', Form.FHIR),
        (b'{"resourceType":"Patient"}\n{"resourceType":"Observation"}\n', Form.NDJSON),
        (b'{"resourceType":"Observation", "x": "' + b"a" * HEAD, Form.NDJSON),
        (b'{"resourceType":"Bundle", "x": "' + b"a" * HEAD, Form.FHIR),
        (b'{"id": "p", "subject": {}, "phenotypicFeatures": []}', Form.PHENOPACKET),
        (b'{"id": "p", "phenopacket_schema_version": "2.0"}', Form.PHENOPACKET),
    ],
)
def test_the_form_is_seen_from_the_content(head, form):
    """Each form is told apart by its first bytes, whatever the file is called."""
    assert form_of(head[:HEAD]) is form


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"\x1f\x8b\x08", "gzip"),
        (b"%PDF-1.7", "PDF"),
        (b'<Bundle xmlns="http://hl7.org/fhir">', "FHIR is read as JSON"),
        (b"PAR1", "Parquet"),
        (b"\xd0\xcf\x11\xe0\xa1", "xlsx"),
    ],
)
def test_what_is_not_read_is_named(head, said):
    """A file of another kind gets one message with what to do instead."""
    with pytest.raises(InputError, match=said):
        Source("x", io.BytesIO(head)).form()


@pytest.mark.parametrize("size", [0, 1, HEAD - 1, HEAD, HEAD + 1, 3 * HEAD + 7])
def test_looking_at_an_input_takes_nothing_from_it(size):
    """The stream and the content hold all bytes, also those that were looked at."""
    whole = bytes(range(256)) * (size // 256 + 1)
    assert Source("x", io.BytesIO(whole[:size])).stream.read() == whole[:size]
    assert Source("x", io.BytesIO(whole[:size])).content(size) == whole[:size]
    assert len(Source("x", io.BytesIO(whole)).content(10)) >= min(11, len(whole))

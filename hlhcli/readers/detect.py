"""Which form an input has, from how it begins. A patient file is told apart without reading more than that."""

from __future__ import annotations

import io
import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from hlhcli.errors import InputError, Problem

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Form(StrEnum):
    """The forms that are read."""

    PATIENT = "patient"
    FHIR = "fhir"
    NDJSON = "fhir-ndjson"
    PHENOPACKET = "phenopacket"
    CSV = "csv"
    XLSX = "xlsx"
    OMOP = "omop"


HEAD = 64 * 1024  # bytes that are looked at
_KEYS = (
    rb"phenotypicFeatures|phenotypic_features|phenopacketSchemaVersion|phenopacket_schema_version|proband|members|medicalActions"
)
_SIGNATURES = {
    b"\x1f\x8b": "compressed (gzip); unpack it first",
    b"BZh": "compressed (bzip2); unpack it first",
    b"%PDF": "a PDF; no values can be read from it",
    b"\xd0\xcf\x11\xe0": "an old Excel file (.xls) or one with a password; save it as .xlsx or .csv",
    b"<": "XML or HTML; FHIR is read as JSON",
    b"PAR1": "Parquet; export it as CSV",
}


class Source:
    """An opened input: its name, its first bytes, and all of it as a stream."""

    def __init__(self, name: str, stream: BinaryIO, path: Path | None = None) -> None:
        self.name = name
        self.path = path
        self.head = stream.read(HEAD)
        self._rest = stream

    @property
    def stream(self) -> BinaryIO:
        """The whole input; to be read once."""
        return io.BufferedReader(_Rejoined(self.head, self._rest), HEAD)

    def content(self, limit: int) -> bytes:
        """The whole input, or as much of it as shows that it is larger than `limit`."""
        return self.head + self._rest.read(max(limit + 1 - len(self.head), 0))

    def form(self) -> Form:
        """The form that the input shows. Raises InputError for what nothing here reads."""
        if what := _unreadable(self.head):
            raise InputError([Problem(self.name, f"cannot be read: {what}")])
        return form_of(self.head)


class _Rejoined(io.RawIOBase):
    """The bytes that were looked at, and the rest of the stream after them."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self.head, self.rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        found = self.head[: len(view)] or self.rest.read(len(view))
        self.head = self.head[len(found) :]
        view[: len(found)] = found
        return len(found)


def form_of(head: bytes) -> Form:
    """The form of an input that begins with `head`. What is nothing else is a patient file, whose reader says what is wrong."""
    body = _body(head)
    if head.startswith(b"PK\x03\x04"):
        return Form.XLSX
    if body[:1] == b"{":
        if re.search(rb'"resourceType"\s*:', head):
            return Form.NDJSON if _is_lines(body) else Form.FHIR
        return Form.PHENOPACKET if re.search(rb'"(%s)"\s*:' % _KEYS, head) else Form.PATIENT
    return Form.CSV if body[:1] != b"[" and _is_table(body) else Form.PATIENT


def _body(head: bytes) -> bytes:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head.decode("utf-16", "replace").encode()
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()


def _unreadable(head: bytes) -> str | None:
    """What an input is that nothing here reads, and what to do instead."""
    body = _body(head)
    return next((what for sign, what in _SIGNATURES.items() if body.startswith(sign)), None)


def _is_lines(body: bytes) -> bool:
    """True for one resource on each line: the first line ends with its resource, and nothing or another one follows."""
    first, newline, rest = body.partition(b"\n")
    if not newline:
        return len(body) >= HEAD - len(b"\xef\xbb\xbf") and not re.match(rb'\{\s*"resourceType"\s*:\s*"Bundle"', body)
    return first.rstrip().endswith(b"}") and (not rest.strip() or rest.lstrip()[:1] == b"{")


def _is_table(body: bytes) -> bool:
    """True where the first line holds names with a delimiter between them, and is no line of YAML."""
    first = body.partition(b"\n")[0].rstrip()
    if first[:1] in (b"#", b"-", b"%") or re.match(rb"[\"']?[A-Za-z_]+[\"']?\s*:(?:\s|$)", first):
        return False
    return first.lower().startswith(b"sep=") or any(mark in first for mark in (b",", b";", b"\t", b"|"))

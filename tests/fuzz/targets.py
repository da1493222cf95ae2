"""What is fuzzed: one function for each form of input, which holds every input to the same properties.

An input is evaluated or refused: nothing is raised but InputError, each of its messages is one printable line with a place, the
books of what was read balance, and what was read of another form reads back from the patient file that it is written to.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from hlhcli import cases, criteria, definition, observables, responses
from hlhcli.api import Loaded, Result, evaluate_document, load_input, parse_document, read_input
from hlhcli.errors import InputError
from hlhcli.observations import read_entry
from hlhcli.quantity import BadQuantity, exact_text, range_text, readings
from hlhcli.readers import cells, dates, guess, mapping, table, yaml_writer
from hlhcli.readers.account import Account
from hlhcli.readers.detect import Form, Source
from hlhcli.readers.inputs import Options
from hlhcli.readers.placing import plan
from hlhcli.render import criteria as page
from hlhcli.render.csvfile import CsvWriter
from hlhcli.render.markdown import markdown
from hlhcli.render.output import Screen, terminal
from hlhcli.render.response_page import markdown_response_page, response_page
from hlhcli.render.results import envelope, result_json
from hlhcli.render.table import draw
from hlhcli.yamltree import MAX_BYTES

FOLDER = Path(__file__).parent.parent.parent / "samples" / "inputs"
CORPUS = Path(__file__).parent / "corpus"
PART = b"\n=====\n"  # between the files of an input that consists of several
LONGEST = 2000  # characters of one message
PLANS = [
    Options(),
    Options(plan=plan(anchor="first-ferritin", window="7d")),
    Options(plan=plan(["2016-05-02=A", "3=B"])),
    Options(key=b"k" * 20),
]
_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_PREFIX = "hlhcli-fuzz-"
drawn = False  # every result is printed in every form


def chosen(data: bytes, of: int) -> int:
    """A choice that belongs to the input, so that it is the same when the input is read again."""
    return zlib.crc32(data) % of


@cache
def sets(every: bool = False) -> list[criteria.CriteriaSet]:
    return [criteria.load(name) for name in ("hlh-2004", "hscore", "mas-2016", "hlh-2024", "ohi")[: 5 if every else 2]]


def one_line(text: str) -> None:
    assert text.strip(), repr(text)
    assert text.isprintable(), repr(text)
    assert len(text) <= LONGEST, text[:LONGEST]


def refused(error: InputError, placed: bool = True) -> str:
    """Every message is one printable line, and has its place where the form has lines."""
    assert error.problems
    for problem in error.problems:
        assert problem.message.strip()
        one_line(str(problem))
        assert not placed or (problem.line and problem.column), str(problem)
    return str(error.problems[0])


def shown(result: Result, every: bool = False) -> None:
    """All that is printed of a result."""
    for warning in result.warnings:
        one_line(str(warning))
    json.loads(json.dumps(result_json(result)))
    if not every:
        return
    stream = io.StringIO()
    for ascii_only in (False, True):
        draw(result, terminal(stream, Screen(False, ascii_only))[0], ascii_only)
    CsvWriter(stream, sets(True)).write(result)
    stream.write(markdown(result))
    text = stream.getvalue()
    if bad := _HIDDEN.search(text):
        raise AssertionError(repr(text[max(bad.start() - 60, 0) : bad.end() + 60]))


def evaluated(document: Any, data: bytes) -> None:
    """By one set or several, and printed in every form for some inputs (for all, where `drawn` is set)."""
    every = len(data) < 30_000 and chosen(data, 16) == 0
    several = sets(every) if every or chosen(data, 4) == 1 else sets()[:1]
    if drawn:
        every, several = True, sets()[:1]
    shown(evaluate_document(document, several), every)


def balanced(account: Account) -> None:
    """Everything that was read was used or is told, in printable lines."""
    assert account.read == account.used + account.unused, (account.read, account.used, account.left)
    assert min(account.read, account.used, *(kind.number for kind in (*account.left, *account.remarks))) >= 0
    for line in account.summary(8):
        one_line(line)
    json.dumps(envelope([], [account]))


def read(load: Callable[[], Loaded], data: bytes, placed: bool = True) -> str | None:
    """Reads and evaluates every patient, and writes each as a patient file. The message if the input was refused."""
    loaded, message = None, None
    try:
        loaded = load()
        for document in loaded.documents:
            evaluated(document, data)
            if loaded.account is not None and chosen(data, 3) == 0:
                written_back(document)
    except InputError as error:
        message = refused(error, placed)
    if loaded is not None and loaded.account is not None:
        balanced(loaded.account)
    return message


def written_back(document: Any) -> None:
    """The patient file that is written says the same."""
    text = yaml_writer.write(document.tree, ["made"])
    if yaml_writer.fits(text):
        again = parse_document(text, document.source)
        assert _said(again) == _said(document), text


def _said(document: Any) -> Any:
    """The result without the lines in which values stand."""
    found = result_json(evaluate_document(document, sets()))
    return {**found, "warnings": [warning["message"] for warning in found["warnings"]]}


def patient(data: bytes) -> str | None:
    """A patient file, YAML or JSON."""
    try:
        document = parse_document(data, "p.yaml")
    except InputError as error:
        return refused(error, placed=len(data) <= MAX_BYTES)
    evaluated(document, data)
    return None


def _input(data: bytes, form: Form | None = None) -> str | None:
    options = replace(PLANS[chosen(data, len(PLANS))], form=form)
    return read(lambda: read_input(Source("x", io.BytesIO(data)), options), data, placed=False)


def fhir(data: bytes) -> str | None:
    """A Bundle, a resource, or NDJSON."""
    return _input(data, Form.FHIR)


def phenopacket(data: bytes) -> str | None:
    return _input(data, Form.PHENOPACKET)


def detected(data: bytes) -> str | None:
    """Any input, of the form that it shows."""
    return _input(data)


def tabular(data: bytes) -> str | None:
    """A table as text, long, wide or of REDCap, without a mapping; and the mapping that is guessed of it."""
    try:
        found = table.guessed(io.BytesIO(data), "x.csv")
        said = guess.text(found)
        assert _HIDDEN.search(said) is None, said
        mapping.read_text(said, "guess.yaml")
    except InputError as error:
        if error.problems[0].source != "guess.yaml":
            refused(error)
        elif not any("twice" in problem.message or "limit" in problem.message for problem in error.problems):
            pass
    return _input(data, Form.CSV)


def mapped(data: bytes) -> str | None:
    """A table with the mapping that stands before it."""
    said, _, content = data.partition(PART)
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
        path = Path(folder, "m.yaml")
        path.write_bytes(said)
        form = Form.FHIR if content.lstrip()[:1] == b"{" else Form.CSV
        options = replace(PLANS[chosen(data, len(PLANS))], form=form, mapping=path)
        return read(lambda: read_input(Source("x.csv", io.BytesIO(content)), options), data, placed=False)


def columns(data: bytes) -> str | None:
    """A mapping file alone; what it says is kept when it is written."""
    try:
        found = mapping.read_text(data, "m.yaml")
    except InputError as error:
        return refused(error, placed=len(data) <= MAX_BYTES)
    assert _HIDDEN.search(guess.text(found)) is None
    return None


def redcap(data: bytes) -> str | None:
    """An export of REDCap behind its data dictionary."""
    said, _, content = data.partition(PART)
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
        path = Path(folder, "d.csv")
        path.write_bytes(said)
        options = replace(PLANS[chosen(data, len(PLANS))], form=Form.CSV, dictionary=path)
        return read(lambda: read_input(Source("x.csv", io.BytesIO(content)), options), data, placed=False)


def omop(data: bytes) -> str | None:
    """A folder of OMOP tables: MEASUREMENT, CONCEPT, PERSON, CONDITION_OCCURRENCE."""
    names = ("MEASUREMENT", "CONCEPT", "PERSON", "CONDITION_OCCURRENCE")
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
        for name, content in zip(names, data.split(PART), strict=False):
            Path(folder, f"{name}.csv").write_bytes(content)
        return read(lambda: load_input(folder, PLANS[chosen(data, len(PLANS))]), data, placed=False)


@cache
def _workbook() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    for row in csv.reader(["patient,date,Hb (g/dL),Ferritin (ng/mL)", "p1,2016-05-02,7.4,900"]):
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def workbook(data: bytes) -> str | None:
    """A workbook (.xlsx), or the XML of its sheet alone."""
    if not data.startswith(b"PK"):
        made = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(_workbook())) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                new.writestr(name, data if name == "xl/worksheets/sheet1.xml" else old.read(name))
        return _input(made.getvalue(), Form.XLSX)
    return _input(data, Form.XLSX)


def own_criteria(data: bytes) -> str | None:
    """A criteria file of one's own: read, shown, evaluated, and its cases run."""
    try:
        found = definition.read(data, "c.yaml", criteria.load, own=True)
    except InputError as error:
        return refused(error, placed=len(data) <= MAX_BYTES)
    base = criteria.load(found.extends) if found.extends else None
    said = page.page(found, base) + page.markdown_page(found, base, cases.table(data, "c.yaml"))
    said += page.difference(found, criteria.load("hlh-2004"))
    assert _HIDDEN.search(said) is None, repr(said)
    try:
        for ran in cases.run(data, "c.yaml", found):
            for problem in ran.problems:
                one_line(str(problem))
    except InputError as error:
        refused(error)
    for path in sorted(FOLDER.parent.glob("pmc3572670.yaml")):
        result = evaluate_document(parse_document(path.read_bytes(), path.name), [found])
        json.dumps(result_json(result))
        stream = io.StringIO()
        draw(result, terminal(stream, Screen(False, True))[0], True)
        stream.write(markdown(result))
    return None


def response(data: bytes) -> str | None:
    """A rule for the course, as they ship."""
    try:
        found = responses.read(data, "r.yaml")
    except InputError as error:
        return refused(error, placed=len(data) <= MAX_BYTES)
    response_page(found)
    markdown_response_page(found)
    return None


def text(data: bytes) -> str | None:
    """Each line as a quantity, a date, a cell, and a value of every observable."""
    said = None
    for written in data.decode("utf-8", "replace").split("\n"):
        said = _one_text(written) or said
    return said


def _one_text(written: str) -> str | None:
    said = None
    for decimal in ("point", "comma"):
        try:
            for measure in readings(written, decimal):
                range_text(measure.interval)
                for end in (measure.interval.lo, measure.interval.hi):
                    assert end is None or exact_text(end)
        except BadQuantity as error:
            said = str(error)
        try:
            for piece in cells.pieces(written, decimal):
                assert all(isinstance(each, str) for each in piece)
        except cells.Unclear as error:
            one_line(str(error))
        for name in observables.names():
            try:
                read_entry(name, written, decimal, "conventional")
            except BadQuantity as error:
                said = str(error)
    for order in (None, "day-first", "month-first"):
        try:
            moment = dates.read(written, order)
            assert moment.date or moment.day, written
        except dates.BadDate as error:
            one_line(str(error))
    dates.order_of([written])
    cells.decimal_mark([written], ";")
    return said


TARGETS: dict[str, Callable[[bytes], str | None]] = {
    "patient": patient,
    "fhir": fhir,
    "phenopacket": phenopacket,
    "detected": detected,
    "table": tabular,
    "mapped": mapped,
    "columns": columns,
    "redcap": redcap,
    "omop": omop,
    "workbook": workbook,
    "criteria": own_criteria,
    "response": response,
    "text": text,
}

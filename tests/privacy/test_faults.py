"""What is told where something is wrong: the place and the text at fault, and nothing else of the patient.

The rule: a message names the input as it was named, the line and column, and may quote the text at fault, of at most 60
characters: a key, a code, a unit, a word or number that cannot be read, the heading of a column, the label of a time point.
It never quotes an identifier, a name, a date of birth, a note or a value beside the one at fault, and of a cohort no row at all.
What nobody foresaw is told by its kind and its place in the program alone.
"""

from __future__ import annotations

import json

import pytest
from forked import calls
from planted import BORN, DAY, NUMBER, canary, nasty, plant, table
from test_forms import NAMES, told

from hlhcli import __version__

HEAD = f"patient: {{id: {canary('id')}, birth_date: {BORN}}}\n"
NOTE = canary("note")


def patient(observations: str, more: str = "") -> str:
    return f"{HEAD}timepoints:\n  - {{name: {canary('label')}, date: {DAY}, note: {NOTE}, observations: {{hb: 80 g/dL, {observations}}}}}\n{more}"


def fhir(**changes: object) -> str:
    who = {"resourceType": "Patient", "id": canary("id"), "birthDate": BORN, "name": [{"text": canary("person")}]}
    seen = {
        "resourceType": "Observation", "id": canary("id"), "status": "final", "subject": {"reference": f"Patient/{canary('id')}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]}, "effectiveDateTime": DAY, "note": [{"text": NOTE}],
        "valueQuantity": {"value": 900, "unit": "ng/mL"}, **changes,
    }  # fmt: skip
    return json.dumps({"resourceType": "Bundle", "entry": [{"resource": who}, {"resource": seen}]})


# An input with a mistake, and the places of which the message may quote the words.
BROKEN = [
    ("a.yaml", patient(f"{canary('key')}: 1"), {"key"}),
    ("b.yaml", patient(f"ferritin: {canary('value')}"), {"value"}),
    ("c.yaml", patient(f"ferritin: 900 {canary('unit')}"), {"unit", "value"}),
    ("d.yaml", patient(f"fever: {canary('word')}"), {"word"}),
    ("e.yaml", HEAD + canary("key") + ": 1\ntimepoints: [{name: a}]", {"key"}),
    ("f.yaml", HEAD.replace(BORN, canary("born")) + "timepoints: [{name: a}]", {"born"}),
    ("g.yaml", patient("ferritin: [1, 2") + f"{NOTE}: [", set()),
    ("h.yaml", patient("") + f"  - {{name: {canary('label')}, date: {DAY}}}\n", {"label"}),
    ("i.yaml", patient("", f"therapies: [{{drug: {canary('drug')}, start: {canary('start')}}}]"), {"start"}),
    ("j.yaml", patient("", f"therapies: [{{drug: x, baseline: {canary('baseline')}}}]"), {"baseline", "label"}),
    ("k.yaml", patient("", f"genetics: {{variants: [{{gene: {canary('gene')}, zygosity: {canary('word')}}}]}}"), {"word"}),
    ("l.yaml", patient("", f"series: {{ferritin: {{unit: ng/mL, points: [[{DAY}, {canary('value')}], [{canary('time')}, 1]]}}}}"), {"value", "time"}),
    ("m.yaml", patient(f"ferritin: {{value: {NUMBER}, unit: ng/mL, reference: {canary('reference')}}}"), {"reference"}),
    ("n.yaml", patient("", f"workup: {{infectious: {canary('word')}}}"), {"word"}),
    ("o.yaml", (HEAD + NOTE).encode() + b"\xff\xfe\n", set()),
    ("p.yaml", f"{HEAD}timepoints: &{canary('anchor')} [*{canary('alias')}]\n", {"anchor", "alias"}),
    ("q.json", json.dumps({"patient": {"id": canary("id")}, "timepoints": [{"name": NOTE}]})[:-9], set()),
    ("r.json", fhir()[:-40], set()),
    ("s.json", fhir(valueQuantity={"value": canary("value"), "unit": "ng/mL"}), {"value"}),
    ("t.json", fhir(effectiveDateTime=canary("time")), {"time"}),
    ("u.json", fhir(valueQuantity=canary("value")), {"value"}),
    ("v.json", fhir(subject={"reference": canary("other")}), set()),
    ("w.json", json.dumps({"id": canary("id"), "subject": {"id": canary("id"), "sex": canary("word")}, "phenotypicFeatures": canary("features")}), {"word", "features"}),
    ("x.csv", table(["patient_id", "date", "ferritin (ng/mL)"], [canary("id"), canary("time"), NUMBER], [canary("id"), DAY]), {"time"}),
    ("y.csv", f'patient_id,date,ferritin (ng/mL)\n{canary("id")},"{NOTE}\n', set()),
    ("z.xlsx", b"PK\x03\x04" + canary("cell").encode() * 40, set()),
]  # fmt: skip


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """What each command says of each broken input."""
    folder = tmp_path_factory.mktemp("broken")
    for name, content, _ in BROKEN:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    made = [[*command, name] for name, *_ in BROKEN for command in (["check", "-f", "csv"], ["convert"])]
    return {tuple(call): ran for call, ran in calls(made, folder)}


@pytest.mark.parametrize(("name", "allowed"), [(name, allowed) for name, _, allowed in BROKEN])
def test_a_mistake_is_told_by_what_is_wrong_alone(broken, name, allowed):
    """The text at fault may be quoted; identifiers, dates of birth, notes and other values are not."""
    said = [ran for call, ran in broken.items() if call[-1] == name]
    assert any(ran.code == 1 or ran.err for ran in said)
    for ran in said:
        assert told(ran.err) <= allowed, ran.err
        assert not {BORN, NUMBER} & {*ran.err.replace("'", " ").split()}, ran.err
        for line in ran.err.splitlines():
            assert line.startswith((name, "  ")), line
            assert len(line) < 400, line


INTERNAL = [
    ("hlhcli.readers.yaml_json.read_tree", ["check", "patient.yaml"]),
    ("hlhcli.evaluate.evaluate", ["check", "patient.yaml", "-o", "out.json"]),
    ("hlhcli.assessment.assess", ["check", "patient.yaml", "-f", "csv"]),
    ("hlhcli.render.grid.grids", ["check", "patient.yaml", "-f", "markdown", "-o", "out.md"]),
    ("hlhcli.course.course", ["check", "patient.yaml"]),
    ("hlhcli.errors.printable", ["check", "patient.yaml", "-o", "out.csv"]),
    ("hlhcli.render.report.html", ["report", "patient.yaml", "-o", "out.html"]),
    ("hlhcli.render.figure._draw", ["figure", "patient.yaml", "-o", "out.png"]),
    ("hlhcli.readers.fhir.read", ["convert", "fhir.json", "-o", "out.yaml"]),
    ("hlhcli.readers.table.read", ["check", "wide.csv"]),
    ("hlhcli.readers.yaml_writer.write", ["convert", "packet.json", "-o", "out.yaml"]),
    ("hlhcli.readers.pseudonym.pseudonymized", ["convert", "fhir.json", "--pseudonymize", "key.txt"]),
    ("hlhcli.cohort.run.profile", ["cohort", "labs.csv", "-o", "out.csv"]),
    ("hlhcli.cohort.embedded.DuckDB.load", ["cohort", "labs.csv", "-o", "out.parquet"]),
    ("hlhcli.cohort.embedded.DuckDB._run", ["cohort", "labs.csv", "--rejects", "out.csv"]),
    ("hlhcli.cohort.manifest.books", ["cohort", "labs.csv"]),
    ("hlhcli.cohort.summary.account", ["cohort", "summary", "whole.csv"]),
]
KINDS = ["KeyError(secret)", "ValueError(secret)", "RecursionError(secret)", "UnicodeDecodeError('utf-8', secret.encode(), 0, 1, secret)",
         "ExceptionGroup(secret, [KeyError(secret)])", "AssertionError(secret)", "duckdb.ConversionException(secret)"]  # fmt: skip


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """The planted inputs, and an output of the cohort command."""
    folder = plant(tmp_path_factory.mktemp("inputs"), canary)
    [(_, ran)] = calls([["cohort", "labs.csv", "-o", "whole.csv"]], folder)
    assert ran.code == 0, ran.err
    return folder


def failing(where: str, kind: str) -> str:
    """Python that lets a function fail with an error of this kind, with a cause, a note and data of a patient."""
    module, _, name = where.rpartition(".")
    return f"""
import importlib, sys, duckdb
def fail(*positional, **named):
    secret = {canary("secret")!r}
    try:
        raise LookupError(secret)
    except LookupError as cause:
        error = {kind}
        error.add_note(secret)
        raise error from cause
import hlhcli.cli_cohort, hlhcli.cli_convert, hlhcli.cli_pictures
words = {module!r}.split('.')
holder = importlib.import_module('.'.join(word for word in words if word.islower()))
for word in words:
    holder = holder if word.islower() else getattr(holder, word)
old = getattr(holder, {name!r})
for other in [each for each in sys.modules.values() if getattr(each, '__name__', '').startswith('hlhcli')] + [holder]:
    if getattr(other, {name!r}, None) is old:
        setattr(other, {name!r}, fail)
"""


def test_what_nobody_foresaw(inputs):
    """An error in the program itself is told in two lines, without its message, its causes, its notes and its data."""
    there = sorted(path.name for path in inputs.iterdir())
    kinds = [KINDS[number % len(KINDS)] for number in range(len(INTERNAL))]
    before = [failing(where, kind) for (where, _), kind in zip(INTERNAL, kinds, strict=True)]
    for (call, ran), kind in zip(calls([call for _, call in INTERNAL], inputs, before), kinds, strict=True):
        assert ran.code == 1, (call, ran)
        assert told(ran.err) <= NAMES, (call, ran.err)
        *_, failed, asked = ["", *ran.err.splitlines()]
        if "duckdb" in kind and failed == "":
            assert asked.endswith("DuckDB stops with ConversionException"), (call, ran.err)
            continue
        assert failed.startswith(f"hlhcli {__version__} failed: {kind.partition('(')[0].rpartition('.')[2]}"), (call, ran.err)
        assert asked.startswith("Please report these two lines"), (call, ran.err)
    assert sorted(path.name for path in inputs.iterdir()) == there


def test_memory_is_no_mistake_of_the_program(inputs):
    """Where memory ends, one line says so."""
    before = "import hlhcli.assessment as found\ndef fail(*_): raise MemoryError\nimport hlhcli.api\nhlhcli.api.assess = fail"
    [(_, ran)] = calls([["check", "patient.yaml"]], inputs, before)
    assert (ran.code, ran.err) == (1, "more memory is needed than there is\n")


ENGINE = [
    "ConversionException",
    "OutOfMemoryException",
    "IOException",
    "BinderException",
    "InvalidInputException",
    "InternalException",
]


def test_what_the_database_says_is_not_repeated(inputs):
    """Errors of DuckDB show rows and queries; here they are told by their kind."""
    before = [
        f"""
import duckdb, hlhcli.cohort.embedded as found
said = "Could not convert string '{canary("value")}' to INT32 in 'SELECT {canary("id")}' LINE 1: {canary("note")}"
def fail(self, *_): raise duckdb.{kind}(said)
found.DuckDB._run = fail
"""
        for kind in ENGINE
    ]
    for _, ran in calls([["cohort", "labs.csv", "-o", "out.parquet"]] * len(before), inputs, before):
        assert ran.code == 1
        assert told(ran.err) == set(), ran.err
        assert len(ran.err.splitlines()) == 1


def test_nasty_is_nasty():
    """The text that is planted to act holds what it should."""
    assert {"\x1b", "\x9b", "\u202e", "\u2066", "\u200b", "<", "|", "`", "\n"} <= {*nasty("x")}

"""Odd inputs, kept from fuzzing (tests/fuzz): each is evaluated or refused in one line, in 5 seconds and 300 MB, and nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command import ROOT, hlhcli

from hlhcli import criteria, definition, rules
from hlhcli.api import parse_document
from hlhcli.errors import InputError
from hlhcli.readers.placing import BadPlan, plan

FUZZ = ROOT / "tests" / "fuzz"
CORPUS = FUZZ / "corpus"
TARGETS = sorted(path.name for path in CORPUS.iterdir())
SECONDS, MEGABYTES = 5, 300

# What once failed, and what is said of it now (an empty text: it is evaluated, or read as a set).
SAID = {
    "patient/value-that-turns-the-line.yaml": "p.yaml:3:28: no number found in '\\u202e'; write for example 1 ng/mL, or 'not done', 'pending', 'unknown'",
    "patient/one-of-two-not-known.yaml": "",
    "fhir/bundles-in-bundles": "x: nothing about a patient was found",
    "table/long-name": "",
    "table/long-name-of-points": "",
    "table/long-name-of-boxes": "",
    "table/long-name-of-choices": "",
    "workbook/long-name": "",
    "criteria/at-twice.yaml": "c.yaml:4:10: 'ferritin >= 500 ug/L at previous at baseline' cannot be read; write for example 'ferritin >= 500 ug/L at baseline'",
    "criteria/at-very-often.yaml": "c.yaml:4:10: a phrase of 6620 characters is too long (limit 600); write one comparison",
    "criteria/long-phrase": "c.yaml:4:10: a phrase of 11999 characters is too long (limit 600); write one comparison",
    "criteria/long-unit": "c.yaml:4:10: a phrase of 3014 characters is too long (limit 600); write one comparison",
    "criteria/fold-of-nothing.yaml": "c.yaml:4:10: 'ferritin falls > 00-fold' is no change: a fold is 1 or more; a fall to a half is 'falls >= 2-fold' or 'falls >= 50 %'",
    "criteria/fall-by-more-than-all.yaml": "c.yaml:4:10: 'ferritin falls >= 150 %' is no change: nothing falls by more than 100 %",
    "criteria/case-that-turns-the-line.yaml": "",
}

_REPLAY = """
import json, sys, time, traceback
sys.path.insert(0, sys.argv[1])
import targets
from targets import CORPUS, TARGETS
targets.drawn = True
def memory():
    try:
        return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) // 1024
    except OSError:
        import resource
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
for path in sorted((CORPUS / sys.argv[2]).iterdir()):
    start, failed, said = time.process_time(), "", None
    try:
        said = TARGETS[sys.argv[2]](path.read_bytes())
    except Exception:
        failed = traceback.format_exc(limit=-3)
    print(json.dumps([path.name, said or "", failed, time.process_time() - start, memory()]))
"""


@pytest.mark.parametrize("target", TARGETS)
def test_each_is_evaluated_or_refused(target: str):
    """In a process of their own, whose time and memory are measured."""
    done = subprocess.run([sys.executable, "-c", _REPLAY, str(FUZZ), target], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(list((CORPUS / target).iterdir()))
    for name, said, failed, seconds, megabytes in found:
        assert not failed, (name, failed)
        assert seconds < SECONDS, name
        assert megabytes < MEGABYTES, name
        expected = SAID.get(f"{target}/{name}")
        assert expected is None or said == expected, name


def test_a_long_name_takes_no_longer_than_its_length():
    """The names of columns are read in a time that grows as they do: ten times as long, not a hundred times."""
    import io
    import time

    from hlhcli.readers import table

    spent = []
    for length in (10_000, 100_000):
        names = ",".join(mark * (length // len(mark)) + "!" for mark in ("_", ".", "a___", "a(choice="))
        start = time.process_time()
        table.guessed(io.BytesIO(f"patient,date,Ferritin (ng/mL),{names}\n1,2016-05-02,900,1,2,3,4\n".encode()), "x.csv")
        spent.append(time.process_time() - start)
    assert spent[1] < SECONDS


def test_time_points_outside_of_the_calendar():
    """A time point that is asked for lies in a year in which somebody can have lived."""
    with pytest.raises(BadPlan, match="'0001-01-02=A' is no time point: its year is not between 1850 and 2200"):
        plan(["0001-01-02=A"], window="7d")


def test_wrong_usage_cannot_act():
    """What is repeated of an option acts on no terminal."""
    ran = hlhcli("check", "--at", "\x1b[31m=A", "samples/inputs/fhir-bundle.json")
    assert ran.code == 2
    assert "\x1b" not in ran.err
    assert r"'\u001b[31m=A' is no time point" in " ".join(ran.err.split())


def test_the_height_of_a_value_beside_an_unknown_one():
    """In the lane of its quantity it stands as high as the value that is known."""
    ran = hlhcli("check", CORPUS / "patient" / "one-of-two-not-known.yaml")
    (lane,) = [line for line in ran.out.splitlines() if line.startswith("T (°C)")]
    assert lane.split()[2:] == ["▆", "▃"]


def test_the_table_names_files_that_are_there():
    """What is said of an input is said of one that is kept."""
    assert [name for name in SAID if not (CORPUS / name).is_file()] == []


def test_the_command_reads_them_all(tmp_path: Path):
    """All at once: exit 1, one document of JSON, and each input in its results, its books or its errors."""
    names = []
    for target in ("patient", "fhir", "phenopacket", "table", "detected"):
        for path in sorted((CORPUS / target).iterdir()):
            names.append(f"{target}-{path.name}")
            (tmp_path / names[-1]).write_bytes(path.read_bytes())
    ran = hlhcli("check", "--json", *names, cwd=tmp_path)
    assert ran.code == 1
    assert "Traceback" not in ran.err
    told = {each["source"] for key in ("results", "errors", "inputs") for each in ran.json[key]}
    assert told == set(names)


def test_the_command_reads_criteria(tmp_path: Path):
    """Files of criteria that are wrong are told, each in lines that begin with its name; as a choice they are wrong usage."""
    names = sorted(path.name for path in (CORPUS / "criteria").iterdir())
    ran = hlhcli("criteria", "test", *(f"./{name}" for name in names), cwd=CORPUS / "criteria")
    assert ran.code == 1
    assert all(line.startswith(tuple(names)) for line in ran.err.splitlines()), ran.err
    ran = hlhcli("check", "--json", "-c", CORPUS / "criteria" / "fold-of-nothing.yaml", "samples/pmc3572670.yaml")
    assert (ran.code, ran.out) == (2, "")


def test_many_wrong_names():
    """A like name is looked for among the first hundred wrong ones; each is told all the same."""
    names = "".join(f"    feritin{number}: x\n" for number in range(3000))
    with pytest.raises(InputError) as raised:
        parse_document(f"timepoints:\n- name: a\n  observations:\n{names}", "p.yaml")
    said = [problem.message for problem in raised.value.problems]
    assert (len(said), sum("did you mean 'ferritin'?" in each for each in said)) == (3000, 100)
    assert said[0] == "unknown observable 'feritin0'; did you mean 'ferritin'?"
    with pytest.raises(InputError, match="did you mean 'ferritin'"):  # counted anew for each file
        parse_document("timepoints: [{name: a, observations: {feritin: 3}}]", "p.yaml")


OWN = "id: own\ntitle: Own\ncitation: none\n"
ALIASES = ", ".join(f"&a{n + 1} {{any: [*a{n}, *a{n}]}}" for n in range(11))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("verdict:\n  any:\n" + "  - fever\n" * 25, "c.yaml:30:5: a list of more than 24 rules, the limit; write several files"),
        (f"verdict:\n  any: [&a0 {{any: [fever, splenomegaly]}}, {ALIASES}]\n", "more than 1000 rules, the limit for one set"),
        (
            "verdict:\n  any:\n" + "  - any:\n" + ("    - all: [" + ", ".join(["fever"] * 29) + "]\n") * 40,
            "c.yaml:31:7: a list of more than 24 rules",
        ),
    ],
)
def test_a_set_that_is_too_large(text, says):
    """It is refused where it becomes so, in one message."""
    with pytest.raises(InputError) as raised:
        definition.read(OWN + text, "c.yaml", criteria.load, own=True)
    assert len(raised.value.problems) == 1
    assert says in str(raised.value)


def test_the_sets_that_ship_are_far_smaller():
    """Less than half of the limit of items, and a tenth of that of rules."""
    for found in map(criteria.load, criteria.SHIPPED.ids()):
        assert len(found.items) * 2 < definition.MAX_ITEMS
        assert sum(1 for _ in rules.walk(found.verdict)) * 10 < definition.MAX_RULES

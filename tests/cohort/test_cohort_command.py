"""The cohort command as it is called: what it reads, writes, counts and refuses."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from command import ROOT, SAMPLES, Ran, hlhcli, interruptible
from typer.testing import CliRunner

duckdb = pytest.importorskip("duckdb")

from hlhcli.cli_cohort import app  # noqa: E402
from hlhcli.cohort.dialects import Embedded  # noqa: E402

SHARED = ROOT.parent / "shared" / "data"
OMOP, FHIR = SHARED / "omop", SHARED / "fhir"
HEAD = "person_id,time,code,value,unit\n"
ROW = "p1,2024-01-01,ferritin,900,ng/mL\n"
FIXED = [
    "person_id",
    "anchor",
    "criteria",
    "verdict",
    "met",
    "unknown",
    "required",
    "score_min",
    "score_max",
    "by",
    "applicable",
    "anchor_time",
]
SECRET = "Zaphod-4711"


def write(path, text):
    """A file with this text (or these bytes)."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def parquet(path, sql):
    """A Parquet file of the rows of a query."""
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({sql}) TO '{str(path).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)")
    return path


def table(text):
    """The rows of CSV."""
    before = csv.field_size_limit(10_000_000)
    try:
        return list(csv.DictReader(io.StringIO(text)))
    finally:
        csv.field_size_limit(before)


def read(path):
    """The rows of an output, as dicts."""
    reader = {".csv": "read_csv", ".ndjson": "read_json"}.get(path.suffix, "read_parquet")
    name = str(path / "part=*" / "*.parquet" if path.is_dir() else path).replace("'", "''")
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT * FROM {reader}('{name}'{', hive_partitioning = false' if path.is_dir() else ''})")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def run(*arguments, code=0, **more):
    """The command, which ends with this code, and with no trace of Python."""
    ran = hlhcli("cohort", *arguments, **more)
    assert ran.code == code, ran.err
    assert "Traceback" not in ran.err
    return ran


@pytest.fixture
def quick(monkeypatch):
    """The command in this process, where it is called many times for one question."""
    done = CliRunner()

    def call(command, *arguments, timeout=60, **environment):
        found = done.invoke(app, [command, *map(str, arguments)], env=environment)
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return Ran(found.exit_code, found.stdout, found.stderr)

    monkeypatch.setitem(globals(), "hlhcli", call)


def refused(*arguments, code=1, **more):
    """The one line on stderr with which the command refuses."""
    ran = run(*arguments, code=code, **more)
    assert ran.out == ""
    lines = ran.err.strip().splitlines()
    if code == 1:
        assert len(lines) == 1, ran.err
    return ran.err


def books(path):
    """The books in the manifest beside an output, after a look whether they add up."""
    found = json.loads((path / "manifest.json" if path.is_dir() else path.with_name(f"{path.name}.manifest.json")).read_text())
    rows = found["rows"]
    assert rows["in"] == rows["used"] + rows["not asked for"] + rows["left"]
    assert rows["left"] == sum(rows["left by reason"].values())
    assert found["out"]["rows"] == len(read(path))
    return rows


def ferritin(tmp_path, rows, *more, head=HEAD, name="labs.csv"):
    """The rows about ferritin that come out of a CSV file: by person and anchor its status and value."""
    ran = run(write(tmp_path / name, head + rows), *more)
    return {(row["person_id"], row["anchor"]): (row["ferritin"], row["ferritin_value"]) for row in table(ran.out)}


def left(tmp_path, content, name="labs.csv", *more):
    """What was left of a file, by reason; the same rows stand in the file of rejects."""
    source = content if isinstance(content, Path) else write(tmp_path / name, content)
    out, rejects = tmp_path / "out.parquet", tmp_path / "rejects.csv"
    ran = run(source, "-o", out, "--rejects", rejects, "--force", *more)
    rows = books(out)
    assert Counter(row["reason"] for row in table(rejects.read_text())) == rows["left by reason"]
    for reason in list(rows["left by reason"])[:8]:
        assert reason in ran.err
    return rows["left by reason"]


# What stands beside a value

BESIDE = "person_id,time,code,value,unit,status,specimen\n"


@pytest.mark.usefixtures("quick")
def test_a_comparator_of_its_own_column_counts(tmp_path):
    """Every sign and word that a patient file knows is one with the value; of one that is not understood nothing is known."""
    signs = {"≥": ">=", "=>": ">=", "over": ">", " > ": ">", "=<": "<=", "Up To": "<=", "⩾": ">=", "=": "", "none": "", "<": "<"}
    rows = "".join(f"p{number},2024-01-01,ferritin,{sign},400,ng/mL\n" for number, sign in enumerate(signs))
    doubted = (
        "a1,2024-01-01,ferritin,about,400,ng/mL\na2,2024-01-01,ferritin,>,<400,ng/mL\na3,2024-01-01,ferritin,>,300-400,ng/mL\n"
    )
    words = "w1,2024-01-01,ferritin,>,normal,ng/mL\nw2,2024-01-01,ferritin,>,>9000,ng/mL\nw3,2024-01-01,fever,about,yes,\n"
    head = "person_id,time,code,comparator,value,unit\n"
    found = ferritin(tmp_path, rows + doubted + words, "--anchors", anchor(tmp_path, 10), head=head)
    for number, sign in enumerate(signs.values()):
        assert found[f"p{number}", "a"] == ("unknown" if sign[:1] == ">" else "not_met", f"{sign}400 ng/mL")
    assert {found[f"a{number}", "a"] for number in (1, 2, 3)} == {("unknown", "")}
    assert [found[name, "a"] for name in ("w1", "w2")] == [("unknown", ""), ("met", ">9000 ng/mL")]
    assert left(tmp_path, head + rows + doubted + words) == {"comparator that is not understood": 3}


def anchor(tmp_path, number):
    """A table of anchors for the persons of the tests of comparators."""
    persons = [*(f"p{place}" for place in range(number)), "a1", "a2", "a3", "w1", "w2", "w3"]
    return write(tmp_path / "anchors.csv", "person_id,time,name\n" + "".join(f"{each},2024-01-01,a\n" for each in persons))


def test_comparators_are_those_of_the_readers():
    """Any comparator beside any value: the value that a patient file has, or none."""
    from hlhcli.cohort import beside
    from hlhcli.cohort.dialects import DIALECTS
    from hlhcli.quantity import COMPARATORS
    from hlhcli.readers.meanings import compared

    signs = [
        *COMPARATORS,
        "≤",
        "≥",
        "⩽",
        "⩾",
        "≦",
        "≧",
        "",
        "=",
        "==",
        "EQ",
        "n/a",
        "about",
        "~",
        "< =",
        "><",
        " over ",
        "Less Than",
    ]
    texts = ["400", ".5", "1e3", "<400", "<=400", ">400", ">=400", "≥400", "⩽400", "300-400", "normal", "-", "1,5"]
    pairs = [(sign, text) for sign in signs for text in texts]
    listed = ", ".join(f"('{sign}', '{text}')" for sign, text in pairs)
    sql = (
        f"SELECT comparator, value, {beside.STEPS['comparator'](DIALECTS['duckdb'])} FROM (VALUES {listed}) AS t(comparator, value)"
    )
    with duckdb.connect() as connection:
        found = connection.execute(sql).fetchall()
    assert len(found) == len(pairs)
    for sign, text, value in found:
        assert value == (compared(sign, text) or f"?comparator that is not understood|{text}"), (sign, text)


@pytest.mark.usefixtures("quick")
def test_rows_that_their_status_or_specimen_takes_out(tmp_path):
    """As of a patient file: an erroneous result and one of another specimen than blood count nothing, and are told."""
    rows = (
        "p1,2024-01-01,ferritin,4000,ng/mL,entered-in-error,\np1,2024-01-01,ferritin,300,ng/mL,final,serum\n"
        "p2,2024-01-01,ferritin,4000,ng/mL,final,pleural fluid\np2,2024-01-01,ferritin,300,ng/mL,Final,Serum\n"
        "p3,2024-01-01,ferritin,4000,ng/mL,on hold,\np3,2024-01-01,ferritin,300,ng/mL,,unknown\n"
        "p4,2024-01-01,ferritin,4000,ng/mL,corrected,sample\np4,2024-01-01,ferritin,300,ng/mL,n/a,EDTA plasma\n"
        "p5,2024-01-01,ferritin,,ng/mL,registered,\np5,2024-01-01,ferritin,300,ng/mL,,\n"
        "p6,2024-01-01,fever,yes,,final,urine\np6,2024-01-01,ferritin,300,ng/mL,Entered_In_Error,\n"
    )
    found = ferritin(tmp_path, rows, head=BESIDE)
    assert {name: found[name, "2024-01-01"] for name in ("p1", "p2", "p3", "p4")} == dict.fromkeys(
        ("p1", "p2", "p3", "p4"), ("not_met", "300 ng/mL")
    )
    assert found["p5", "2024-01-01"][0] == "unknown"  # a result is on its way
    assert found["p6", "2024-01-01"] == ("unknown", "")
    assert [row["fever"] for row in table(run(tmp_path / "labs.csv").out) if row["person_id"] == "p6"] == ["met"]
    assert left(tmp_path, BESIDE + rows) == {
        "status entered-in-error": 1,
        "not a specimen of blood": 1,
        "status not known here": 1,
        "specimen not known here": 1,
        "status entered in error": 1,
    }
    rejected = {row["reason"]: row["value"] for row in table((tmp_path / "rejects.csv").read_text())}
    assert (rejected["not a specimen of blood"], rejected["specimen not known here"]) == ("4000", "4000")


@pytest.mark.usefixtures("quick")
def test_a_status_of_something_else_is_told(tmp_path):
    """A column by that name without one word of a result is not read, which the books say; nor is one of a wide table."""
    rows = "p1,2024-01-01,ferritin,900,ng/mL,inpatient,\np2,2024-01-01,ferritin,900,ng/mL,outpatient,serum\n"
    wide = "person_id,time,ferritin (ng/mL),specimen\np1,2024-01-01,900,serum\n"
    for name, text, column in (("long.csv", BESIDE + rows, "status"), ("wide.csv", wide, "specimen")):
        out = tmp_path / f"{name}.parquet"
        ran = run(write(tmp_path / name, text), "-o", out)
        assert f"columns not read: {column}\n" in ran.err
        assert json.loads(out.with_name(f"{out.name}.manifest.json").read_text())["columns not read"] == [column]
        assert {row["ferritin_value"] for row in read(out)} == {"900 ng/mL"}
        assert books(out)["left"] == 0


# The sample


def test_sample_is_what_the_command_makes(tmp_path):
    """The committed result of the sample ward is made by the command that its manifest describes."""
    folder = SAMPLES / "cohort"
    out = tmp_path / "cohort.csv"
    run(
        folder / "labs.csv",
        "-c",
        "hlh-2004",
        "-c",
        "hscore",
        "--anchors",
        folder / "anchors.csv",
        "--persons",
        folder / "persons.csv",
        "--lookback",
        "7d",
        "-o",
        out,
    )
    made, kept = out.read_text().splitlines(), (folder / "cohort.csv").read_text().splitlines()
    assert made[0] == kept[0]
    assert sorted(made) == sorted(kept)
    said, now = (json.loads(Path(f"{each}.manifest.json").read_text()) for each in (folder / "cohort.csv", out))
    assert (said["rows"], said["criteria"]) == (books(out), now["criteria"])


def test_standard_output_equals_the_file(tmp_path):
    """Without -o the same rows come as CSV, those of a person in the order of time, and nothing but CSV."""
    folder = SAMPLES / "cohort"
    arguments = [folder / "labs.csv", "--lookback", "7d", "-c", "hlh-2004"]
    out = tmp_path / "cohort.csv"
    run(*arguments, "-o", out)
    printed = run(*arguments).out.splitlines()
    assert sorted(printed[1:]) == sorted(out.read_text().splitlines()[1:])
    assert printed[0] == out.read_text().splitlines()[0]
    rows = table("\n".join(printed))
    assert [(row["person_id"], row["anchor_time"]) for row in rows] == sorted(
        (row["person_id"], row["anchor_time"]) for row in rows
    )


# Contract


@pytest.mark.usefixtures("quick")
def test_columns_of_the_output(tmp_path):
    """The columns of the contract in their order, each item with its value and time, with their types."""
    out = tmp_path / "out.parquet"
    run(write(tmp_path / "labs.csv", HEAD + ROW), "-o", out, "-c", "hlh-2004", "-c", "hscore")
    with duckdb.connect() as connection:
        kinds = {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE SELECT * FROM '{out}'").fetchall()}
    names = list(kinds)
    assert names[: len(FIXED)] == FIXED
    items = names[len(FIXED) :]
    assert items[1::3] == [f"{name}_value" for name in items[::3]]
    assert items[2::3] == [f"{name}_time" for name in items[::3]]
    assert (kinds["applicable"], kinds["score_max"], kinds["anchor_time"], kinds["ferritin_time"]) == (
        "BOOLEAN",
        "DOUBLE",
        "TIMESTAMP",
        "TIMESTAMP",
    )
    assert {row["criteria"]: row["verdict"] for row in read(out)} == {"hlh-2004": "indeterminate", "hscore": "indeterminate"}


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".ndjson"])
@pytest.mark.usefixtures("quick")
def test_forms_of_the_output(tmp_path, suffix):
    """Each form of the output holds the same row."""
    out = tmp_path / f"out{suffix}"
    run(write(tmp_path / "labs.csv", HEAD + ROW), "-o", out)
    [row] = read(out)
    assert (row["person_id"], str(row["anchor"]), row["ferritin"], row["ferritin_value"]) == (
        "p1",
        "2024-01-01",
        "met",
        "900 ng/mL",
    )
    books(out)
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(["labs.csv", out.name, f"{out.name}.manifest.json"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--lookback", "bad"], "look back"),
        (["--lookback", "7"], "look back"),
        (["--lookback", "-1d"], "look back"),
        (["--anchors", "on:feritin"], "did you mean 'ferritin'"),
        (["--anchors", "on:"], "unknown observable"),
        (["-c", "hlh-2005"], "did you mean 'hlh-2004'"),
        (["--memory", "lots"], "size of memory"),
        (["--memory", "99999999999999999999TB"], "size of memory"),
        (["--engine", "oracle"], "is no engine"),
        (["--partitions", "-1"], "partitions"),
        (["--partitions", "3"], "-o FOLDER"),
        (["--nonsense"], "nonsense"),
    ],
)
@pytest.mark.usefixtures("quick")
def test_wrong_usage(tmp_path, arguments, says):
    """Wrong usage ends with code 2 and says what to write instead."""
    assert says in " ".join(refused(write(tmp_path / "labs.csv", HEAD + ROW), *arguments, code=2).replace("│", " ").split())


@pytest.mark.usefixtures("quick")
def test_rules_of_response_are_wrong_usage(tmp_path):
    """A rule for the course of one patient is no set for a cohort."""
    from hlhcli import responses

    assert responses.ids()
    for name in responses.ids():
        assert name in refused(write(tmp_path / "labs.csv", HEAD + ROW), "-c", name, code=2)


@pytest.mark.usefixtures("quick")
def test_own_criteria(tmp_path):
    """A criteria file of one's own, beside those that come along; and all of them."""
    source = write(tmp_path / "labs.csv", HEAD + ROW)
    own = tmp_path / "own.yaml"
    shown = hlhcli("criteria", "show", "hlh-2004", "--yaml")
    text = shown.out if shown.code == 0 else (ROOT / "hlhcli" / "criteria" / "hlh-2004.yaml").read_text()
    own.write_text(text.replace("id: hlh-2004", "id: my-hlh", 1))
    rows = table(run(source, "-c", own, "-c", "hlh-2004").out)
    assert {row["criteria"]: row["ferritin"] for row in rows} == {"my-hlh": "met", "hlh-2004": "met"}
    everything = table(run(source, "-c", "all").out)
    assert len({row["criteria"] for row in everything}) == len(everything) > 3


@pytest.mark.usefixtures("quick")
def test_existing_output(tmp_path):
    """An output that is there stays as it is, until --force is given."""
    source, out = write(tmp_path / "labs.csv", HEAD + ROW), write(tmp_path / "out.parquet", "mine")
    assert "--force" in refused(source, "-o", out)
    assert out.read_text() == "mine"
    run(source, "-o", out, "--force")
    assert len(read(out)) == 1


@pytest.mark.usefixtures("quick")
def test_nothing_that_is_read_is_written_over(tmp_path):
    """Neither the output nor the rejects may be an input, even with --force, nor one another."""
    source = write(tmp_path / "labs.csv", HEAD + ROW)
    anchors = write(tmp_path / "anchors.csv", "person_id,time\np1,2024-01-01\n")
    for name in ("-o", "--rejects"):
        for path in (source, anchors):
            assert "is an input" in refused(source, "--anchors", anchors, name, path, "--force")
    assert "too" in refused(source, "-o", tmp_path / "a.csv", "--rejects", tmp_path / "a.csv", "--force")
    rejects = write(tmp_path / "rejects.csv", "mine")
    assert "--force" in refused(source, "--rejects", rejects)
    assert (source.read_text(), rejects.read_text()) == (HEAD + ROW, "mine")


@pytest.mark.usefixtures("quick")
def test_outputs_that_cannot_be(tmp_path):
    """A folder that is missing, a folder as a file, and a form that is not written are refused before anything is read."""
    source = write(tmp_path / "labs.csv", HEAD + ROW)
    (tmp_path / "folder.parquet").mkdir()
    assert "there is no such folder" in refused(source, "-o", tmp_path / "none" / "out.parquet")
    assert "there is no such folder" in refused(source, "--rejects", tmp_path / "none" / "out.csv")
    assert "folder" in refused(source, "-o", tmp_path / "folder.parquet", "--force")
    for name in ("out.xlsx", "out", "out.tsv"):
        assert "no form that is written here" in refused(source, "-o", tmp_path / name)
    assert "names a file" in refused(source, "-o", tmp_path / "out.parquet", "--partitions", "2")


# Inputs that cannot be read


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", "", "is empty"),
        ("a.ndjson", "", "is empty"),
        ("a.json", '[\n{"person_id": 1,\n"code": 2}\n]\n', "JSON object"),
        ("a.csv", "a,b\n1,2\n", "no column person_id"),
        ("a.csv", "person_id,time,x\n1,2,3\n", "nor a column that names an observable"),
        ("a.csv", HEAD.replace("unit", "Value") + ROW, "twice"),
        ("a.csv", (HEAD + ROW).encode("utf-16"), "UTF-8"),
        ("a.csv", HEAD + ROW.replace("\n", "\r\n") + ROW, "lines end in different ways"),
        (
            "a.csv",
            HEAD + ROW * 3 + f'"{SECRET},2024-01-01,ferritin,900,ng/mL\n' + ROW * 3,
            ":5:1: cannot be read: a quote is not closed",
        ),
        ("a.parquet", b"PAR1 and no more", "no whole Parquet file"),
        ("a.xlsx", "x", "no form that is read here"),
        ("a.ndjson", '{"person_id": 1, "Person_ID": 2, "time": "2024-01-01", "code": "hb", "value": 1}\n', "twice"),
    ],
)
@pytest.mark.usefixtures("quick")
def test_files_that_cannot_be_read(tmp_path, name, content, says):
    """One line that names the file and says what is wrong with it; nothing of what stands in it."""
    said = refused(write(tmp_path / name, content), "-o", tmp_path / "out.parquet")
    assert says in said
    assert name in said
    assert SECRET not in said
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.usefixtures("quick")
def test_files_that_are_not_there(tmp_path):
    """Each kind of file that is missing, or a folder, is named as such."""
    source = write(tmp_path / "labs.csv", HEAD + ROW)
    for arguments in (["none.csv"], ["none-*.csv"], [source, "--anchors", "none.csv"], [source, "--persons", "none.csv"]):
        said = refused(*arguments)
        assert "none" in said
        assert "no such file" in said
    assert "folder" in refused(source, "--anchors", tmp_path)
    assert "MIMIC" in refused(source, "--map", source)
    (tmp_path / "empty").mkdir()
    assert "holds no file" in refused(tmp_path / "empty")
    assert "another form" in refused(source, write(tmp_path / "b.ndjson", '{"person_id": 1}\n'))


@pytest.mark.parametrize("cut", [3, 500, "middle", "unreadable", "text"])
@pytest.mark.usefixtures("quick")
def test_one_bad_file_among_several(tmp_path, cut):
    """Of several files the one that is broken is named, wherever it is broken, and no output is left."""
    for number in range(3):
        sql = f"SELECT 'p' || (i % 50) AS person_id, DATE '2024-01-01' AS time, 'ferritin' AS code, hash(i) % 3000 / 7.0 AS value, 'ng/mL' AS unit FROM range({number * 5000}, {number * 5000 + 5000}) AS r(i)"
        parquet(tmp_path / f"labs-{number}.parquet", sql)
    bad = tmp_path / "labs-1.parquet"
    content = bad.read_bytes()
    if cut == "unreadable":
        if os.geteuid() == 0:
            pytest.skip("root reads everything")
        bad.chmod(0)
    elif cut == "middle":
        bad.write_bytes(content[:200] + os.urandom(3000) + content[3200:])
    else:
        bad.write_bytes(b"person_id,time\n" if cut == "text" else content[:-cut])
    out = tmp_path / "out.parquet"
    said = refused(str(tmp_path / "labs-*.parquet"), "-o", out)
    assert "labs-1.parquet" in said
    assert "labs-0" not in said
    assert sorted(each.name for each in tmp_path.iterdir()) == [f"labs-{number}.parquet" for number in range(3)]


# Lines of CSV and NDJSON that are no rows


@pytest.mark.usefixtures("quick")
def test_lines_that_are_no_rows_are_counted(tmp_path):
    """Lines of CSV with too few or too many columns, of no UTF-8, or with odd quotes are left, each with its reason."""
    rows = (
        ROW.encode()
        + b"p2,2024-01-01\np3,2024-01-01,ferritin,1,2,3,4\n"
        + ROW.replace("ng", "\xb5g").encode("latin-1")
        + b'"p"4,2024-01-01,ferritin,9,ng/mL\n'
        + ROW.encode()
    )
    assert left(tmp_path, HEAD.encode() + rows) == {
        "line with too few columns": 1, "line with too many columns": 1, "line that is not UTF-8": 1, "line whose quotes cannot be read": 1,
    }  # fmt: skip


def test_lines_that_are_no_rows_late_in_a_long_file(tmp_path):
    """What comes after the lines by which a dialect would be guessed counts as well: quoted fields and short lines."""
    rows = "".join(f"p{number},2024-01-01,ferritin,900,ng/mL\n" for number in range(25_000))
    late = '"Prefect, F ""x""",2024-01-01,"ferritin","900",ng/mL\np,2024\n'
    assert left(tmp_path, HEAD + rows + late + ROW) == {"line with too few columns": 1}
    assert 'Prefect, F "x"' in {row["person_id"] for row in read(tmp_path / "out.parquet")}
    assert books(tmp_path / "out.parquet")["in"] == 25_003


@pytest.mark.usefixtures("quick")
def test_lines_that_are_no_objects(tmp_path):
    """Lines of NDJSON that are torn, or no objects, are left; an empty line is nothing."""
    good = json.dumps(dict(zip(HEAD.strip().split(","), ROW.strip().split(","), strict=True)))
    torn = f'{good}\n\n{{"person_id": "{SECRET}\n[1]\n"x"\n{good}{good}\n{good}\n{good[:-9]}'
    assert left(tmp_path, torn, "labs.ndjson") == {"line that is no JSON object": 5}
    assert books(tmp_path / "out.parquet")["used"] == 2


@pytest.mark.usefixtures("quick")
def test_keys_that_come_late(tmp_path):
    """A key that stands in the last line of NDJSON alone is read too."""
    early = json.dumps({"person_id": "p", "time": "2024-01-01", "code": "ferritin", "value": 900, "unit": "ng/mL"}) + "\n"
    late = (
        json.dumps({"person_id": "q", "time": "2024-01-01", "code": "ferritin", "value": 900, "unit": "ng/mL", "comparator": "<"})
        + "\n"
    )
    rows = table(run(write(tmp_path / "a.ndjson", early * 3000 + late)).out)
    assert {row["person_id"]: (row["ferritin"], row["ferritin_value"]) for row in rows} == {
        "p": ("met", "900 ng/mL"),
        "q": ("unknown", "<900 ng/mL"),
    }


def test_broken_lines_of_other_tables_are_told(tmp_path):
    """Lines of anchors that cannot be read are told, and anchors without a time or a person counted."""
    anchors = write(tmp_path / "anchors.csv", "person_id,time,name\np1,2024-01-01,a\nshort\np1,soon,b\n,2024-01-01,c\n")
    out = tmp_path / "out.parquet"
    ran = run(write(tmp_path / "labs.csv", HEAD + ROW), "--anchors", anchors, "-o", out)
    assert "anchors.csv: line with too few columns: 1" in ran.err
    assert "anchors without a person or a time that can be read: 2" in ran.err
    content = json.loads((tmp_path / "out.parquet.manifest.json").read_text())
    assert content["anchors"] == {"how": str(anchors), "count": 1, "left": 2}
    assert books(out) == {"in": 1, "used": 1, "not asked for": 0, "left": 0, "left by reason": {}}


@pytest.mark.usefixtures("quick")
def test_headings(tmp_path):
    """Semicolons, tabs, a BOM, capitals, spaces and quotes in the heading, CR LF, gzip; header only is no row."""
    for text in (
        "\ufeffperson_id;time;code;value;unit\np1;2024-01-01;ferritin;900;ng/mL\n",
        "PERSON_ID\tTime\tCODE\tValue\tUNIT\np1\t2024-01-01\tferritin\t900\tng/mL\n",
        '"person_id", time ,"code",value,unit,\r\np1,2024-01-01,ferritin,900,ng/mL,\r\n\r\n',
        'person_id,time,code,value,unit,"a\nremark"\np1,2024-01-01,ferritin,900,ng/mL,"two\nlines, "\n',
    ):
        [row] = table(run(write(tmp_path / "labs.csv", text)).out)
        assert (row["person_id"], row["ferritin_value"]) == ("p1", "900 ng/mL")
    packed = write(tmp_path / "labs.csv.gz", gzip.compress((HEAD + ROW).encode()))
    assert len(table(run(packed).out)) == 1
    assert table(run(write(tmp_path / "labs.csv", HEAD)).out) == []


@pytest.mark.usefixtures("quick")
def test_many_files_and_folders(tmp_path):
    """Files, patterns and a folder are read as one table, columns by their names; a file counts once."""
    folder = tmp_path / "a 'b' [c]; drop table x; --"
    folder.mkdir()
    write(folder / "one.csv", HEAD + ROW)
    write(folder / "two'.csv", "unit;value;code;time;person_id\nng/mL;900;ferritin;2024-01-01;p2\n")
    for inputs in ([folder], [folder / "one.csv", folder / "two'.csv", folder / "one.csv"]):
        assert [row["person_id"] for row in table(run(*inputs).out)] == ["p1", "p2"]
    out = folder / "out'; drop table x; --.parquet"
    run(folder / "one.csv", "-o", out, "--rejects", folder / "re'jects.csv")
    assert books(out)["in"] == 1


# Values, units, codes and persons


VALUES = {
    "900": "met", "499": "not_met", "9e2": "met", "0.1+0.2": "unknown", "-5": "unknown", "1e300": "unknown", ">20000": "met",
    "< 300": "not_met", "<900": "unknown", "NaN": "unknown", "inf": "unknown", "-Infinity": "unknown", "": "unknown", "pending": "unknown",
    "not done": "unknown", "'; drop table x; --": "unknown", "900 ng/mL": "met", "0.9 ": "not_met",
}  # fmt: skip


def test_values_as_text(tmp_path):
    """Numbers, comparators, words and nonsense as text: nothing that cannot be read becomes a number, and none is lost."""
    names = list(VALUES)
    rows = "".join(
        f'p{place},2024-01-01,ferritin,"{text}",ng/mL\np{place},2024-01-01,splenomegaly,no,\n' for place, text in enumerate(names)
    )
    out = tmp_path / "out.parquet"
    run(write(tmp_path / "labs.csv", HEAD + rows), "-o", out)
    assert {names[int(row["person_id"][1:])]: row["ferritin"] for row in read(out)} == VALUES
    assert books(out)["in"] == 2 * len(VALUES)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CAST('NaN' AS DOUBLE)", "unknown"), ("CAST('inf' AS DOUBLE)", "unknown"), ("-CAST('inf' AS DOUBLE)", "unknown"),
        ("CAST(0.1 AS DOUBLE) + CAST(0.2 AS DOUBLE)", "not_met"), ("CAST(1e300 AS DOUBLE)", "unknown"), ("CAST(-1 AS DOUBLE)", "unknown"),
        ("CAST(500 AS DOUBLE)", "met"), ("CAST(499.99 AS DECIMAL(18, 3))", "not_met"), ("CAST(500 AS DECIMAL(38, 10))", "met"), ("CAST(900 AS FLOAT)", "met"),
        ("CAST(900 AS USMALLINT)", "met"), ("CAST(900 AS HUGEINT)", "met"), ("TRUE", "unknown"), ("CAST(NULL AS INTEGER)", "unknown"),
        ("DATE '2024-01-01'", "unknown"), ("[900]", "unknown"), ("'900'", "met"), ("CAST('900' AS BLOB)", "met"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("quick")
def test_values_of_any_type(tmp_path, sql, expected):
    """A column of values may have any type; what is no number is left with a reason."""
    source = parquet(
        tmp_path / "labs.parquet",
        f"SELECT 'p1' AS person_id, DATE '2024-01-01' AS time, 'ferritin' AS code, {sql} AS value, 'ng/mL' AS unit UNION ALL SELECT 'p1', DATE '2024-01-01', 'ferritin', NULL, NULL",
    )
    found = left(tmp_path, source, "labs.parquet", "--anchors", write(tmp_path / "anchors.csv", "person_id,time\np1,2024-01-01\n"))
    assert [row["ferritin"] for row in read(tmp_path / "out.parquet")] == [expected]
    assert sum(found.values()) == (1 if expected != "unknown" else 2)


TIMES = {
    "2024-01-01": True, "2024-01-01T10:30": True, "2024-01-01 10:30:15.123456": True, "2024-01-01T10:30:00Z": True,
    "2024-01-01T23:30:00-05:00": True, "2024-01-01T00:00:00+14:00": True, "2024-02-30": False, "01.01.2024": False, "yesterday": False,
    "2024-01-01 11:30 PM": False, "2024-01-01 9:30": False, "2024-01-01 10h30": False, "2024-01-011": False, "2024-01-01/2024-03-05": False,
    "2024-01-01 10:30:00 UTC": True, "2024-01-01 10:30+0100": True, "2024-01-01T10:30:00+01": True, "2024-01-01 ": True,
    "": False, "0": False, "9999-99-99": False, "2024-01-01; drop table x": False, "1066-10-14": False, "-1": False,
}  # fmt: skip


@pytest.mark.usefixtures("quick")
def test_times_as_text(tmp_path):
    """The wall clock counts as it is written, whatever the zone; what is no time is left."""
    rows = "".join(f'p{place},"{text}",ferritin,900,ng/mL\n' for place, text in enumerate(TIMES))
    found = ferritin(tmp_path, rows)
    days = dict(found.keys())
    for place, (text, good) in enumerate(TIMES.items()):
        assert (f"p{place}" in days) is good, text
        assert not good or days[f"p{place}"] == "2024-01-01", text
    assert sum(left(tmp_path, tmp_path / "labs.csv").values()) == sum(not good for good in TIMES.values())


@pytest.mark.parametrize(
    ("name", "sql", "anchor"),
    [
        ("time", "DATE '2024-01-01'", "2024-01-01"), ("time", "TIMESTAMP '2024-01-01 23:59:59.999'", "2024-01-01"),
        ("time", "TIMESTAMPTZ '2024-01-01 12:00:00+00'", "2024-01-01"), ("time", "TIMESTAMP_NS '2024-01-01 12:00:00'", "2024-01-01"),
        ("time", "TIMESTAMP_S '2024-01-01 12:00:00'", "2024-01-01"), ("charttime", "'2024-01-01T08:00'", "2024-01-01"),
        ("day", "3", "3"), ("day", "-2", "-2"), ("day", "CAST(3.5 AS DECIMAL(9, 2))", "3"), ("day", "CAST(3.5 AS DOUBLE)", "3"), ("day", "'3'", "3"), ("day", "'-0.5'", "-1"),
        ("time", "TRUE", None), ("time", "[1]", None), ("time", "TIME '10:00'", None), ("day", "'soon'", None), ("day", "1e18", None), ("time", "CAST('nan' AS DOUBLE)", None),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("quick")
def test_times_of_any_type(tmp_path, name, sql, anchor):
    """Dates, timestamps and days of any type; a column of something else has no times, and its rows are left."""
    source = parquet(
        tmp_path / "labs.parquet", f"SELECT 'p1' AS person_id, {sql} AS {name}, 'ferritin' AS code, 900 AS value, 'ng/mL' AS unit"
    )
    out = tmp_path / "out.parquet"
    run(source, "-o", out, TZ="America/New_York")
    assert [row["anchor"] for row in read(out)] == ([anchor] if anchor else [])
    assert books(out)["left by reason"] == ({} if anchor else {"no time": 1})


@pytest.mark.usefixtures("quick")
def test_persons_of_any_name(tmp_path):
    """Persons go by quotes, unicode, long and empty names; without a person a row is left."""
    names = ["O'Brien", 'a "b"', "Зоя 🙂 \u202e", "x" * 5000, "a|b c", "007", "7", "'; drop table x; --", "NULL"]
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerows([name, "2024-01-01", "ferritin", "900", "ng/mL"] for name in [*names, ""])
    found = ferritin(tmp_path, rows.getvalue())
    # What acts on a screen or in a spreadsheet is shown and does not act; Parquet and NDJSON hold it as it is.
    shown = {names[2]: r"Зоя 🙂 \u202e", names[7]: "'; drop table x; '--"}
    assert {person for person, _ in found} == {shown.get(name, name) for name in names}
    assert left(tmp_path, tmp_path / "labs.csv") == {"no person": 1}


@pytest.mark.parametrize("kind", ["INTEGER", "BIGINT", "DOUBLE", "VARCHAR", "DECIMAL(9, 0)", "UUID"])
@pytest.mark.usefixtures("quick")
def test_persons_of_any_type(tmp_path, kind):
    """Persons are found in anchors and births of other types, and a person that is no number does no harm."""
    name = "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'" if kind == "UUID" else "7"
    source = parquet(
        tmp_path / "labs.parquet",
        f"SELECT CAST({name} AS {kind}) AS person_id, DATE '2024-01-01' AS time, 'ferritin' AS code, 900 AS value, 'ng/mL' AS unit",
    )
    person = name.strip("'")
    anchors = write(tmp_path / "anchors.csv", f"person_id,time\n{person},2024-01-01\n{SECRET},2024-01-01\n")
    persons = write(tmp_path / "persons.csv", f"person_id,birth_date\n{person},2015-01-01\n{SECRET},soon\n")
    out = tmp_path / "out.parquet"
    ran = run(source, "--anchors", anchors, "--persons", persons, "-o", out, "-c", "hscore")
    assert {str(row["person_id"]): (row["ferritin"], row["applicable"]) for row in read(out)} == {
        person: ("not_met", False),
        SECRET: ("unknown", None),
    }
    assert SECRET not in ran.err
    assert {str(row["person_id"]) for row in table(run(source, "--persons", persons).out)} <= {person, f"{person}.0"}


@pytest.mark.usefixtures("quick")
def test_a_blank_person_is_nobody(tmp_path):
    """Blanks around a name do not part a person, and alone they name nobody; nor does NaN."""
    found = left(
        tmp_path, HEAD + "a,2024-01-01,ferritin,600,ng/mL\n a ,2024-01-01,splenomegaly,yes,\n ,2024-01-01,ferritin,600,ng/mL\n"
    )
    assert found == {"no person": 1}
    assert [(row["person_id"], row["met"]) for row in read(tmp_path / "out.parquet")] == [("a", 2)]
    rows = "SELECT CAST({} AS DOUBLE) AS person_id, DATE '2024-01-01' AS time, 'ferritin' AS code, 600 AS value, 'ng/mL' AS unit"
    source = parquet(tmp_path / "labs.parquet", f"{rows.format(7)} UNION ALL {rows.format(chr(39) + 'NaN' + chr(39))}")
    assert left(tmp_path, source) == {"no person": 1}
    births = write(tmp_path / "persons.csv", "person_id,birth_date\n a,2023-12-20\n")
    rows = "a ,2024-01-01,hb,95,g/L\na,2024-01-01,plt,90,10*9/L\n"  # 12 days old: below 100 g/L
    (row,) = table(run(write(tmp_path / "one.csv", HEAD + rows), "--persons", births).out)
    assert row["cytopenias"] == "met"


@pytest.mark.parametrize(
    "value", ["!1200", "?1200", "120|12000", "see note|120", "!ask Dr. Miller", "?Jane Doe 1970-01-02", "!", "ended|900"]
)
def test_a_value_is_not_taken_for_what_is_said_of_one(tmp_path, value):
    """Marks that this tool uses itself leave a value unknown beside a lower one, and none of its text is told."""
    rows = f"a,2024-01-01,ferritin,300,ng/mL\na,2024-01-01,ferritin,{value},ng/mL\n"
    ran = run(write(tmp_path / "labs.csv", HEAD + rows), "-o", tmp_path / "out.csv")
    assert [row["ferritin"] for row in table((tmp_path / "out.csv").read_text())] == ["unknown"]
    counted = (tmp_path / "out.csv.manifest.json").read_text()
    for word in ("1200", "Miller", "Jane", "note", "ended"):
        assert word not in ran.err + counted
    wide = write(tmp_path / "wide.csv", f"person_id,time,ferritin (ng/mL)\na,2024-01-01 06:00,300\na,2024-01-01 07:00,{value}\n")
    assert [
        row["ferritin"]
        for row in table(run(wide, "--anchors", write(tmp_path / "anchors.csv", "person_id,time\na,2024-01-01\n")).out)
    ] == ["unknown"]


@pytest.mark.parametrize(
    ("code", "value", "unit", "reference", "expected"),
    [
        ("platelets", "149000", "/uL", "150-400 10*9/L", "met"),
        ("platelets", "151000", "/uL", "150-400 10*9/L", "not_met"),
        ("platelets", "149", "10*9/L", "(150 - 400)", "met"),
        ("creatinine", "90", "umol/L", "0.6-1.2 mg/dL", "not_met"),  # 106.08 umol/L
        ("creatinine", "107", "umol/L", "0.6-1.2 mg/dL", "met"),
        ("creatinine", "107", "umol/L", "0.6-1.2 furlongs", "unknown"),
        ("ast", "100", "U/L", "10-30; 10-40", "unknown"),
        ("ast", "100", "U/L", "10-40 H", "unknown"),
        ("ast", "100", "U/L", "10-40", "met"),
        ("sil2r", "1200", "U/mL", "<1000 pg/mL", "unknown"),
    ],
)
def test_the_laboratorys_limits_have_a_unit(tmp_path, code, value, unit, reference, expected):
    """They are read in their own unit, and not at all where they cannot be; as `check` does."""
    verdict = "any: [platelets < 1 LLN, creatinine > 1 ULN, ast > 1 ULN, sil2r > 1 ULN]"
    own = write(
        tmp_path / "own.yaml", f"id: own\ntitle: Own\ncitation: {{text: none}}\nprovenance: primary\nverdict: {{{verdict}}}\n"
    )
    labs = write(
        tmp_path / "labs.csv", f"person_id,time,code,value,unit,reference\na,2024-01-01,{code},{value},{unit},{reference}\n"
    )
    (row,) = table(run(labs, "-c", own).out)
    assert row[code] == expected
    ((found,),) = [each["assessments"] for each in hlhcli("check", labs, "-c", own, "--json").json["results"]]
    assert next(item["status"] for item in found["items"] if item["id"] == code) == expected


@pytest.mark.parametrize(
    ("code", "expected", "reasons"),
    [
        ("LOINC|2276-4 LOINC|777-3", "not_met", {"codes that contradict one another": 1}),
        ("LOINC|2276-4 LOINC|20567-4", "met", {}),  # both are ferritin
        ("local|x LOINC|2276-4", "met", {}),
    ],
)
def test_codes_of_one_row(tmp_path, code, expected, reasons):
    """Codes of two different tests say nothing; of the same test, or beside one that is not known, they count."""
    rows = f"a,2024-01-01,ferritin,100,ng/mL\na,2024-01-01,{code},600,ng/mL\n"
    assert left(tmp_path, HEAD + rows) == reasons
    assert [row["ferritin"] for row in read(tmp_path / "out.parquet")] == [expected]


def test_a_birth_that_cannot_be_read_is_told(tmp_path):
    """Without an age what depends on it is unknown: how many have none is said, and of nobody who."""
    persons = write(tmp_path / "persons.csv", "person_id,birth_date\na,31/12/1950\nb,1990-02-03\nc,\n")
    ran = run(write(tmp_path / "labs.csv", HEAD + ROW), "--persons", persons, "-o", tmp_path / "out.csv")
    assert "  persons without a date or year of birth that can be read: 2\n" in ran.err
    assert "1950" not in ran.err
    assert json.loads((tmp_path / "out.csv.manifest.json").read_text())["persons without a birth that can be read"] == 2
    good = write(tmp_path / "good.csv", "person_id,birth_date\nb,1990-02-03\n")
    assert "birth" not in run(tmp_path / "labs.csv", "--persons", good).err


def test_the_first_patient_is_no_line_of_headings(tmp_path):
    """Where a table has no headings, what stands in their place is not told."""
    rows = write(tmp_path / "labs.csv", "John Smith,2024-01-01,ferritin,600,ng/mL\nJane Doe,2024-01-01,ferritin,700,ng/mL\n")
    ran = run(rows, code=1)
    assert "no column person_id; it has ferritin and 4 more" in ran.err
    assert "smith" not in ran.err.casefold()
    ran = run(write(tmp_path / "other.csv", "John Smith,2024-01-01,600\n"), code=1)
    assert "of its 3 columns none has a name that is known here" in ran.err


@pytest.mark.parametrize("year", [1851, 2024, 2129, 2180, 2300])
def test_dates_of_other_centuries(tmp_path, year):
    """Shared data are moved to other years, to keep the persons unknown."""
    assert ferritin(tmp_path, f"p1,{year}-01-01,ferritin,900,ng/mL\n") == {("p1", f"{year}-01-01"): ("met", "900 ng/mL")}


@pytest.mark.parametrize(
    ("value", "given"),
    [("", True), ("yes", True), ("112.5", True), ("0.5 mg", True), ("no", False), ("0", False), ("0 mg", False), ("0mg/m2", False), ("0.0", False),
     ("not given", False), ("pending", False), ("not done", False)],
)  # fmt: skip
def test_an_anchor_on_a_drug_is_a_day_on_which_it_was_given(tmp_path, value, given):
    """A row that says that it was not given, or of nothing, is no such day."""
    rows = f"p1,2024-01-01,ferritin,900,ng/mL\np1,2024-01-02,etoposide,{value},\np1,2024-01-04,etoposide,yes,\n"
    days = {day for _, day in ferritin(tmp_path, rows, "--anchors", "on:etoposide", "--lookback", "7d")}
    assert days == ({"2024-01-02", "2024-01-04"} if given else {"2024-01-04"})


@pytest.mark.parametrize(
    ("note", "expected"),
    [("clotted", "unknown"), ("GROSSLY HEMOLYZED", "unknown"), ("sample of the donor", "unknown"), ("repeated", "met")],
)
def test_a_note_that_puts_a_result_in_doubt(tmp_path, note, expected):
    """A spoiled sample has no result, in FHIR as in a table; `check` says the same."""
    code = {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]}
    found = {"resourceType": "Observation", "id": "a", "status": "final", "subject": {"reference": "Patient/p"}, "code": code}
    found |= {"effectiveDateTime": "2024-01-01", "valueQuantity": {"value": 900, "unit": "ng/mL"}, "note": [{"text": note}]}
    path = write(tmp_path / "Observation.ndjson", json.dumps(found) + "\n")
    anchors = write(tmp_path / "anchors.csv", "person_id,time\np,2024-01-01\n")
    assert [row["ferritin"] for row in table(run(path, "--anchors", anchors).out)] == [expected]
    (result,) = hlhcli("check", path, "--json").json["results"]
    assert [item["status"] for item in result["assessments"][0]["items"] if item["id"] == "ferritin"] == [expected]


@pytest.mark.parametrize("day", ["11574", "11575", "12000", "45352", "99999", "99999.9"])
def test_large_counts_of_days(tmp_path, day):
    """A serial number of a spreadsheet, or an age in days, stops no run."""
    rows = f"a,{day},ferritin,600,ng/mL\nb,3,ferritin,600,ng/mL\n"
    found = ferritin(tmp_path, rows, head="person_id,day,code,value,unit\n")
    assert found["b", "3"] == ("met", "600 ng/mL")
    source = parquet(
        tmp_path / "labs.parquet",
        f"SELECT 'a' AS person_id, CAST({day} AS DOUBLE) AS day, 'ferritin' AS code, 600 AS value, 'ng/mL' AS unit",
    )
    assert [row["ferritin"] for row in table(run(source).out)] == ["met"]


def test_odd_codes_and_units(tmp_path):
    """Codes and units with quotes, pipes, spaces, unicode and SQL do no harm; those that are not known are counted."""
    odd = [
        "'",
        '"',
        "a|b|c",
        "LOINC|2276-4",
        "loinc|2276-4 x|y",
        "ferritín",
        "'); drop table x; --",
        "ferritin' or '1'='1",
        "🙂",
        " ",
        "|",
        "||",
        "x" * 10000,
        "!left",
        "?unknown",
    ]
    rows = io.StringIO()
    csv.writer(rows, lineterminator="\n").writerows(
        [f"c{place}", "2024-01-01", code, "900", "ng/mL"] for place, code in enumerate(odd)
    )
    csv.writer(rows, lineterminator="\n").writerows(
        [f"u{place}", "2024-01-01", "ferritin", "900", unit] for place, unit in enumerate(odd)
    )
    csv.writer(rows, lineterminator="\n").writerows(
        [f"v{place}", "2024-01-01", "ferritin", value, "ng/mL"] for place, value in enumerate(odd)
    )
    found = ferritin(tmp_path, rows.getvalue())
    assert {person for (person, _), (status, _) in found.items() if status == "met"} == {"c3", "c4"}
    out = tmp_path / "out.parquet"
    run(tmp_path / "labs.csv", "-o", out)
    counted = books(out)
    assert (counted["in"], counted["used"]) == (3 * len(odd), 2)


@pytest.mark.usefixtures("quick")
def test_columns_with_odd_names(tmp_path):
    """Columns that are not read may have any name, and do no harm."""
    head = HEAD.strip() + ',"\'; drop table x; --","a ""b""",,\n'
    assert ferritin(tmp_path, "p1,2024-01-01,ferritin,900,ng/mL,1,2,3,4\n", head=head) == {
        ("p1", "2024-01-01"): ("met", "900 ng/mL")
    }
    assert ferritin(tmp_path, "p1,2024-01-01,900,\n", head='person_id,time,Ferritin (ng/mL),"Hb (g/dL)"\n')[
        ("p1", "2024-01-01")
    ] == ("met", "900 ng/mL")


@pytest.mark.usefixtures("quick")
def test_a_very_long_value(tmp_path):
    """A value of a million characters is left, and what is beside it is read."""
    rows = f"p1,2024-01-01,ferritin,{'9' * 1_000_000},ng/mL\n{ROW}"
    assert ferritin(tmp_path, rows) == {("p1", "2024-01-01"): ("met", "900 ng/mL")}
    assert left(tmp_path, tmp_path / "labs.csv") == {"value that cannot be read": 1}


@pytest.mark.usefixtures("quick")
def test_columns_that_hold_nothing(tmp_path):
    """A unit or a reference of NULLs alone has whatever type a program gave it."""
    source = parquet(
        tmp_path / "labs.parquet",
        "SELECT 1 AS person_id, DATE '2024-01-01' AS time, 'ferritin' AS code, '900 ng/mL' AS value, CAST(NULL AS INTEGER) AS unit, CAST(NULL AS DOUBLE) AS reference, CAST(NULL AS INTEGER) AS comparator",
    )
    assert [row["ferritin"] for row in table(run(source).out)] == ["met"]


# Anchors and look-back


ROWS = "p1,2024-01-01 08:00,ferritin,900,ng/mL\np1,2024-01-03 12:00,ferritin,100,ng/mL\np1,2024-01-10,hb,80,g/L\np2,2024-01-02,hb,80,g/L\n"


def anchored(tmp_path, text, *more, name="anchors.csv"):
    """The status of ferritin by person and anchor, with these anchors."""
    path = text if isinstance(text, Path) else write(tmp_path / name, text)
    return {key: status for key, (status, _) in ferritin(tmp_path, ROWS, "--anchors", path, *more).items()}


@pytest.mark.parametrize("suffix", ["csv", "parquet", "ndjson"])
@pytest.mark.usefixtures("quick")
def test_forms_of_anchors(tmp_path, suffix):
    """Anchors come in each form, with or without names; a date is the whole day, a time a moment."""
    sql = "SELECT * FROM (VALUES ('p1', '2024-01-01', 'first'), ('p1', '2024-01-01 07:59', NULL), ('p1', '2024-01-01T08:00:00', NULL), ('nobody', '2024-01-01', 'lost')) AS t(person_id, time, name)"
    path = tmp_path / f"anchors.{suffix}"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT {'json' if suffix == 'ndjson' else suffix})")
    assert anchored(tmp_path, path) == {
        ("p1", "first"): "met", ("p1", "2024-01-01 07:59:00"): "unknown", ("p1", "2024-01-01 08:00:00"): "met", ("nobody", "lost"): "unknown",
    }  # fmt: skip


@pytest.mark.usefixtures("quick")
def test_anchors_of_dates_and_midnights(tmp_path):
    """A column of timestamps that are all at midnight holds dates; one with a single other time holds moments."""
    for values, expected in (
        ("(DATE '2024-01-01')", {"2024-01-01": "met"}),
        ("(TIMESTAMP '2024-01-01')", {"2024-01-01": "met"}),
        (
            "(TIMESTAMP '2024-01-01'), (TIMESTAMP '2024-01-03 12:00')",
            {"2024-01-01 00:00:00": "unknown", "2024-01-03 12:00:00": "not_met"},
        ),
    ):
        path = parquet(tmp_path / "anchors.parquet", f"SELECT 'p1' AS person_id, t AS time FROM (VALUES {values}) AS v(t)")
        assert anchored(tmp_path, path) == {("p1", anchor): status for anchor, status in expected.items()}


@pytest.mark.usefixtures("quick")
def test_anchors_twice_and_far_away(tmp_path):
    """An anchor that stands there twice is one; those of other centuries find nothing."""
    text = "person_id,time\np1,2024-01-01\np1,2024-01-01\np1,9999-12-31\np1,1200-01-01\np1,\n"
    found = anchored(tmp_path, text)
    assert found == {("p1", "2024-01-01"): "met", ("p1", "9999-12-31"): "unknown", ("p1", "1200-01-01"): "unknown"}
    assert "no time that can be read" in refused(
        tmp_path / "labs.csv", "--anchors", write(tmp_path / "anchors.csv", "person_id,time\np1,soon\n")
    )
    assert "counts days" in refused(tmp_path / "labs.csv", "--anchors", write(tmp_path / "anchors.csv", "person_id,day\np1,3\n"))
    assert "no column" in refused(tmp_path / "labs.csv", "--anchors", write(tmp_path / "anchors.csv", "who,when\np1,3\n"))


@pytest.mark.parametrize(
    ("lookback", "anchor", "expected"),
    [
        ("0d", "2024-01-02", "unknown"), ("1d", "2024-01-02", "met"), ("0d", "2024-01-01 09:00", "met"), ("1h", "2024-01-01 09:00", "met"),
        ("1h", "2024-01-01 09:01", "unknown"), ("7d", "2024-01-08", "met"), ("7d", "2024-01-09 23:00", "not_met"), ("1wk", "2024-01-08", "met"), ("12h", "2024-01-03", "not_met"),
        ("9999d", "2030-01-01", "met"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("quick")
def test_lookback(tmp_path, lookback, anchor, expected):
    """Days reach to the beginning of a day, hours exactly; the worst value counts."""
    [status] = anchored(tmp_path, f"person_id,time\np1,{anchor}\n", "--lookback", lookback).values()
    assert status == expected


@pytest.mark.usefixtures("quick")
def test_daily_on_and_first(tmp_path):
    """Each day with a value, each day with a ferritin, and the first day on which the criteria are met."""
    assert set(ferritin(tmp_path, ROWS)) == {("p1", "2024-01-01"), ("p1", "2024-01-03"), ("p1", "2024-01-10"), ("p2", "2024-01-02")}
    assert set(ferritin(tmp_path, ROWS, "--anchors", "on:Ferritin")) == {("p1", "2024-01-01"), ("p1", "2024-01-03")}
    good = "".join(
        f"p1,2024-01-0{day},{name},{value}\n"
        for day in (2, 4)
        for name, value in (
            ("temperature", "39,Cel"),
            ("splenomegaly", "yes,"),
            ("hb", "8,g/dL"),
            ("plt", "20,10*9/L"),
            ("ferritin", "900,ng/mL"),
            ("tg", "400,mg/dL"),
        )
    )
    assert set(ferritin(tmp_path, ROWS + good, "--first-met")) == {("p1", "2024-01-02")}
    assert set(ferritin(tmp_path, ROWS, "--first-met")) == set()
    out = tmp_path / "out.parquet"
    run(tmp_path / "labs.csv", "--first-met", "-o", out)
    books(out)


@pytest.mark.usefixtures("quick")
def test_persons(tmp_path):
    """Births as dates or years; a person with two different births may be of either age."""
    persons = write(
        tmp_path / "persons.csv",
        "person_id,birth_date,year_of_birth\na,2015-01-01,\nb,,1960\nc,2015-01-01,\nc,1950-01-01,\nd,soon,\ne,2999-01-01,\n",
    )
    rows = "".join(f"{person},2024-01-01,ferritin,900,ng/mL\n" for person in "abcdef")
    ran = run(write(tmp_path / "labs.csv", HEAD + rows), "--persons", persons, "-c", "hlh-2004", "-c", "hscore")
    found = {(row["person_id"], row["criteria"]): row["applicable"] for row in table(ran.out)}
    assert len(found) == 12
    assert found["a", "hscore"] == "false"
    assert found["b", "hscore"] == "true"
    assert {found[person, "hscore"] for person in "cdf"} == {""}
    assert "no column person_id" in refused(
        tmp_path / "labs.csv", "--persons", write(tmp_path / "persons.csv", "person_id,born\na,1\n")
    )


# Books of each source


@pytest.mark.usefixtures("quick")
def test_books_of_each_form(tmp_path):
    """Every row that goes in is used, of another test, or left with a reason."""
    rows = (
        HEAD
        + ROW
        + "p1,2024-01-01,sodium,140,mmol/L\np1,2024-01-01,hb,8,\np1,2024-01-01,hb,8,stone\n,2024-01-01,hb,8,g/dL\np1,,hb,8,g/dL\np1,2024-01-01,hb,,g/dL\np1,2024-01-01,hb,NaN,g/dL\np1,2024-01-01,hb,much,g/dL\n"
    )
    reasons = {
        "no unit": 1,
        "unknown unit": 1,
        "no person": 1,
        "no time": 1,
        "no value": 1,
        "NaN or infinity": 1,
        "value that cannot be read": 1,
    }
    assert left(tmp_path, rows) == reasons
    lines = "\n".join(json.dumps({key: value for key, value in row.items() if value}) for row in table(rows))
    assert left(tmp_path, lines, "labs.ndjson") == reasons
    assert left(tmp_path, "person_id,time,ferritin (ng/mL),hb_g_dl,weight\np1,2024-01-01,900,,1\np1,soon,,x,1\n", "wide.csv") == {
        "no value": 1,
        "no time": 2,
    }
    assert books(tmp_path / "out.parquet")["in"] == 4


def test_omop_folder(tmp_path):
    """An OMOP folder: no row is lost; the days of a drug are anchors too; births come from the person table."""
    if not OMOP.is_dir():
        pytest.skip("no OMOP data here")
    out = tmp_path / "out.parquet"
    run(OMOP, "--lookback", "7d", "-o", out, "--rejects", tmp_path / "rejects.csv")
    counted = books(out)
    total = sum(len(table((OMOP / f"{name}.csv").read_text())) for name in ("MEASUREMENT", "CONDITION_OCCURRENCE"))
    assert counted["in"] == total
    assert len(table((tmp_path / "rejects.csv").read_text())) == counted["left"]


@pytest.mark.usefixtures("quick")
def test_omop_days_of_a_drug(tmp_path):
    """Each day on which a drug was given is an anchor; broken lines of the concept table are told, and are no rows."""
    write(
        tmp_path / "concept.csv",
        "concept_id,concept_name,domain_id,vocabulary_id,concept_class_id,standard_concept,concept_code\n1,etoposide,Drug,RxNorm,Ingredient,S,4179\n2,Ferritin,Measurement,LOINC,Lab,S,2276-4\n3,ng/mL,Unit,UCUM,Unit,S,ng/mL\nbroken\n",
    )
    write(tmp_path / "drug_exposure.csv", "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date\n1,7,1,2024-01-05\n")
    write(
        tmp_path / "measurement.csv",
        "measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,unit_concept_id\n1,7,2,2024-01-04,900,3\n2,7,2,2024-01-01,9000,3\nbroken\n",
    )
    out = tmp_path.parent / f"{tmp_path.name}.parquet"
    ran = run(tmp_path, "--anchors", "on:etoposide", "--lookback", "1d", "-o", out)
    [row] = read(out)
    assert (row["person_id"], row["anchor"], row["ferritin_value"]) == ("7", "2024-01-05", "900 ng/mL")
    assert "concept.csv: line with too few columns: 1" in ran.err
    counted = books(out)
    assert (counted["in"], counted["left by reason"]) == (4, {"line with too few columns": 1})


def test_fhir_lines(tmp_path):
    """Bulk FHIR: no line is lost, torn ones neither, and file names are no patterns."""
    if not FHIR.is_dir():
        pytest.skip("no FHIR data here")
    for name in ("bulk10_Patient.ndjson", "synthea_r4_Adolfo_labs.ndjson"):
        (tmp_path / name.replace("_", "[1]*", 1)).write_bytes((FHIR / name).read_bytes())
    torn = next(tmp_path.glob("synthea*"))
    torn.write_bytes(torn.read_bytes() + b'{"resourceType": "Observation", "id": \n')
    out = tmp_path.parent / f"{tmp_path.name}.parquet"
    run(*sorted(tmp_path.iterdir()), "--lookback", "7d", "-o", out)
    assert books(out)["left by reason"]["not JSON"] == 1
    assert books(out)["used"] > 0


# Parts, kills and full disks


@pytest.fixture(scope="module")
def ward(tmp_path_factory):
    """300,000 rows of 10,000 persons, as Parquet."""
    folder = tmp_path_factory.mktemp("ward")
    sql = (
        "SELECT 'p' || (i // 30) AS person_id, TIMESTAMP '2024-01-01' + INTERVAL 1 HOUR * ((i % 30) * 13) AS time,"
        " ['ferritin', 'hb', 'plt', 'tg', 'temperature'][1 + i % 5] AS code, (hash(i) % 100000) / 10 AS value,"
        " ['ng/mL', 'g/L', '10*9/L', 'mg/dL', 'Cel'][1 + i % 5] AS unit FROM range(300000) AS r(i)"
    )
    return parquet(folder / "labs.parquet", sql)


def rows_of(path):
    """A checksum of an output, whatever its order."""
    name = f"{path}/part=*/*.parquet" if path.is_dir() else path
    with duckdb.connect() as connection:
        return connection.execute(
            f"SELECT COUNT(*), SUM(CAST(hash(t) AS HUGEINT)) FROM read_parquet('{name}', hive_partitioning = false) AS t"
        ).fetchone()


@pytest.fixture(scope="module")
def whole(ward):
    """The output for the ward in one piece."""
    out = ward.with_name("whole.parquet")
    run(ward, "--lookback", "7d", "-o", out)
    return rows_of(out)


def test_parts_are_the_whole_and_are_kept(ward, whole, tmp_path):
    """Parts hold what the whole holds; one that is gone is made again, the others stay as they are."""
    out = tmp_path / "parts"
    arguments = [ward, "--lookback", "7d", "-o", out, "--partitions", "4"]
    run(*arguments)
    assert len(list(out.glob("part=*/data.parquet"))) == 4
    books(out)
    stamps = {path: path.stat().st_mtime_ns for path in out.glob("part=*/data.parquet")}
    gone = out / "part=0002" / "data.parquet"
    gone.unlink()
    assert "3 parts were there already" in run(*arguments).err
    assert rows_of(out) == whole
    assert {path for path, stamp in stamps.items() if path.stat().st_mtime_ns != stamp} == {gone}
    for other in (["--lookback", "6d"], ["--partitions", "5"], ["--first-met"]):
        assert "output of another run" in refused(*arguments, *other)


@pytest.mark.usefixtures("quick")
def test_parts_of_another_population_are_not_kept(tmp_path):
    """A set whose population has another number, or suffices no longer, is another set."""
    source = write(tmp_path / "labs.csv", HEAD + ROW)
    own = "id: own\nversion: 1\ntitle: Own\ncitation: {{text: A paper}}\nprovenance: primary\nextends: hlh-2004\n"
    own += "population:\n  text: Children\n  when: age < {} y{}\n"
    arguments = (source, "-c", tmp_path / "own.yaml", "-o", tmp_path / "parts", "--partitions", "2")
    write(tmp_path / "own.yaml", own.format(2, ""))
    run(*arguments)
    assert "2 parts were there already" in run(*arguments).err
    for other in ((18, ""), (2, "\n  sufficient: no")):
        write(tmp_path / "own.yaml", own.format(*other))
        assert "output of another run" in refused(*arguments)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("more", [(), ("--anchors", "on:ferritin"), ("--first-met",)], ids=" ".join)
def test_what_is_too_large_at_once_is_the_whole(ward, tmp_path, monkeypatch, more):
    """Persons that are taken in parts one after the other, in one query, are in one file."""
    at_once, in_parts = tmp_path / "whole.parquet", tmp_path / "large.parquet"
    run(ward, "--lookback", "7d", *more, "-o", at_once)
    monkeypatch.setattr(Embedded, "at_once", 70_000)  # of 300,000 rows
    run(ward, "--lookback", "7d", *more, "-o", in_parts)
    assert rows_of(in_parts) == rows_of(at_once)
    assert books(in_parts) == books(at_once)


@pytest.mark.usefixtures("quick")
def test_force_removes_parts_and_nothing_else(tmp_path):
    """--force makes parts anew; a folder that holds anything else stays as it is."""
    source, out = write(tmp_path / "labs.csv", HEAD + ROW), tmp_path / "parts"
    run(source, "-o", out, "--partitions", "3")
    run(source, "-o", out, "--partitions", "2", "--force")
    assert len(list(out.glob("part=*"))) == 2
    mine = write(out / "mine.txt", "x")
    assert "holds other files" in refused(source, "-o", out, "--partitions", "4", "--force")
    assert "holds other files" in refused(source, "-o", tmp_path, "--partitions", "4", "--force")
    assert mine.exists()
    assert source.exists()
    assert len(list(out.glob("part=*/data.parquet"))) == 2


@pytest.mark.parametrize("parts", [0, 6])
def test_killed_at_any_moment(ward, whole, tmp_path, parts):
    """Killed again and again, nothing half-written has the name of an output; the next run cleans up, keeps parts and is whole."""
    out = tmp_path / ("parts" if parts else "out.parquet")
    arguments = ["cohort", str(ward), "--lookback", "7d", "-o", str(out), *(["--partitions", str(parts)] if parts else [])]
    moments = random.Random(7)
    finished = {}
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-m", "hlhcli", *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(moments.uniform(0.3, 1.6))
        process.send_signal(signal.SIGKILL)
        process.wait()
        done = [out] if not parts else list(out.glob("part=*/data.parquet"))
        for path in done:
            if path.exists():
                assert rows_of(path)[0] > 0
                assert finished.setdefault(path, path.stat().st_mtime_ns) == path.stat().st_mtime_ns
        if not parts and out.exists():
            break
    run(*arguments[1:], *(["--force"] if not parts else []))
    assert rows_of(out) == whole
    assert not parts or all(path.stat().st_mtime_ns == stamp for path, stamp in finished.items())
    assert list(tmp_path.rglob(".*")) == []
    books(out)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped(ward, tmp_path, number):
    """Stopped in the middle, the command ends without a trace of Python, and leaves nothing behind."""
    out = tmp_path / "out.parquet"
    arguments = ["cohort", str(ward), "--lookback", "7d", "-c", "all", "-o", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "hlhcli", *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=interruptible,
    )
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob(".*.part")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    assert process.returncode in (130, 143)
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def limited(size, *arguments):
    """The command where no file may grow beyond a size, as on a full disk."""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    environment = {key: value for key, value in os.environ.items() if key != "FORCE_COLOR"} | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "hlhcli", "cohort", *map(str, arguments)],
        cwd=ROOT,
        preexec_fn=limit,
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("size", [100, 20_000, 150_000])
def test_disk_full(ward, tmp_path, size):
    """Where the disk is full there is one line, code 1, no output and nothing left behind; finished parts are kept."""
    out = tmp_path / "out.parquet"
    ran = limited(size, ward, "--lookback", "7d", "-o", out)
    assert ran.returncode == 1, ran.stderr
    [line] = ran.stderr.strip().splitlines()
    assert "no space is left on the disk" in line or "file too large" in line
    assert list(tmp_path.iterdir()) == []


def test_disk_full_keeps_parts(ward, whole, tmp_path):
    """Parts that were finished before the disk was full are kept, and the next run goes on from there."""
    out = tmp_path / "parts"
    arguments = [ward, "--lookback", "7d", "-o", out, "--partitions", "2"]
    run(*arguments)
    kept = out / "part=0000" / "data.parquet"
    (out / "part=0001" / "data.parquet").unlink()
    ran = limited(kept.stat().st_size // 2, *arguments)
    assert ran.returncode == 1, ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1
    assert [path for path in out.rglob("*.parquet") if path.is_file()] == [kept]
    run(*arguments)
    assert rows_of(out) == whole


def test_disk_full_of_csv(tmp_path):
    """A CSV that cannot be copied because the disk is full is told so."""
    rows = "".join(f"p{number},2024-01-01,ferritin,{number / 7},ng/mL\n" for number in range(20_000))
    source = write(tmp_path / "labs.csv", HEAD + rows)
    ran = limited(5000, source, "-o", tmp_path / "out.parquet")
    assert ran.returncode == 1
    assert "no space is left on the disk" in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["labs.csv"]


def test_full_file_system(ward, tmp_path):
    """The same on a small file system of its own, which is really full."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a file system")
    small = tmp_path / "small"
    small.mkdir()
    command = " ".join(
        f"'{each}'" for each in (sys.executable, "-m", "hlhcli", "cohort", ward, "--lookback", "7d", "-o", small / "out.parquet")
    )
    script = f"mount -t tmpfs -o size=200k tmpfs '{small}' && touch '{tmp_path}/mounted' && {command}; code=$?; ls -A '{small}' >&2; exit $code"
    ran = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    if not (tmp_path / "mounted").exists():
        pytest.skip("no file system may be mounted here")
    assert ran.returncode == 1
    assert ran.stdout == ""
    [line] = ran.stderr.strip().splitlines()
    assert "no space" in line


# What is said, and what is not


def test_nothing_private_is_said(tmp_path):
    """No person, date, value or free text comes to stderr, whatever is wrong with the rows."""
    rows = f"{SECRET},1987-06-05,ferritin,{SECRET},{SECRET}\n{SECRET},{SECRET},hb,4711,{SECRET}\n{SECRET},1987-06-05,hb,{SECRET},g/dL\n{SECRET},1987\n"
    anchors = write(
        tmp_path / "anchors.csv", f"person_id,time,name\n{SECRET},{SECRET},{SECRET}\n{SECRET},1987-06-05,{SECRET}\n{SECRET}\n"
    )
    persons = write(tmp_path / "persons.csv", f"person_id,birth_date,year_of_birth\n{SECRET},{SECRET},{SECRET}\n{SECRET}\n")
    out = tmp_path / "out.csv"
    ran = run(write(tmp_path / "labs.csv", HEAD + rows), "--anchors", anchors, "--persons", persons, "-o", out)
    written = ran.err + (tmp_path / "out.csv.manifest.json").read_text()
    for word in (SECRET, "1987", "4711"):
        assert word not in written


def test_no_colors_and_no_bar_in_a_pipe(tmp_path):
    """In a pipe neither colors nor a progress bar are written."""
    source = write(tmp_path / "labs.csv", HEAD + ROW)
    for environment in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"}):
        ran = run(source, **environment)
        assert "\x1b" not in ran.out + ran.err
        assert "\r" not in ran.err
    process = subprocess.run(
        f"'{sys.executable}' -m hlhcli cohort '{source}' | head -1",
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.stdout.startswith("person_id,")
    assert "Traceback" not in process.stderr


def test_without_duckdb(tmp_path):
    """Without DuckDB the command says which extra to install."""
    write(tmp_path / "sitecustomize.py", "import sys\nsys.modules['duckdb'] = None\n")
    source = write(tmp_path / "labs.csv", HEAD + ROW)
    for arguments in (["cohort", source], ["cohort", "summary", source]):
        ran = hlhcli(*arguments, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
        assert ran.code == 1
        assert "pip install 'hlhcli[cohort]'" in ran.err
        assert "Traceback" not in ran.err


def test_summary_of_outputs(tmp_path):
    """The summary reads the file and the folder of parts alike."""
    folder = SAMPLES / "cohort"
    arguments = [folder / "labs.csv", "--lookback", "7d", "-c", "hlh-2004", "-c", "hscore"]
    run(*arguments, "-o", tmp_path / "out.parquet")
    run(*arguments, "-o", tmp_path / "parts", "--partitions", "3")
    found = [hlhcli("cohort", "summary", tmp_path / name, "--json") for name in ("out.parquet", "parts")]
    assert [each.code for each in found] == [0, 0]
    one, other = (each.json for each in found)
    assert one["criteria"] == other["criteria"]


@pytest.mark.usefixtures("quick")
def test_a_summary_has_one_format(tmp_path):
    """--json beside another format is refused in the words of check."""
    run(write(tmp_path / "labs.csv", HEAD + ROW), "-o", tmp_path / "out.csv")
    for form in ("table", "markdown"):
        ran = hlhcli("cohort summary", tmp_path / "out.csv", "--json", "--format", form)
        assert (ran.code, ran.out) == (2, "")
        assert f"--json and --format {form} contradict each other" in ran.err
    assert hlhcli("cohort summary", tmp_path / "out.csv", "--json", "--format", "json").json["criteria"]


@pytest.mark.usefixtures("quick")
def test_a_summary_names_what_cannot_be_read_or_written(tmp_path, monkeypatch):
    """The output where it cannot be read, the figure where it cannot be written."""
    from hlhcli.cohort import summary

    out = tmp_path / "out.csv"
    run(write(tmp_path / "labs.csv", HEAD + ROW), "-o", out)
    ran = hlhcli("cohort summary", out, "--figure", tmp_path / "none" / "flow.svg")
    assert (ran.code, ran.err) == (1, f"{tmp_path}/none/flow.svg: cannot be written: no such file or directory\n")

    def denied(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(summary, "_files", denied)
    ran = hlhcli("cohort summary", out)
    assert (ran.code, ran.err) == (1, f"{out}: cannot be read: permission denied\n")


def test_help_offers_no_rule_of_response():
    """What a cohort refuses is not offered."""
    assert "rule of response" not in " ".join(run("--help").out.replace("│", " ").split())

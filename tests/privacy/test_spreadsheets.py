"""No cell of a CSV file is taken for a formula by a spreadsheet, and numbers stay numbers."""

from __future__ import annotations

import csv
import io
import json

import pytest
from forked import calls
from hypothesis import given
from hypothesis import strategies as st
from planted import table

from hlhcli.spreadsheet import FORMULA, NUMBER, REPLACED, inert

STARTS = "=+-@\uff1d\uff0b\uff0d\uff20"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"), ("+1+1", "'+1+1"), ("-1+1", "'-1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        (" =1", " '=1"), ("\t=1", "\t'=1"), ("\r=1", "\r'=1"), ("\n=1", "\n'=1"), ('"=1', "\"'=1"), ("\u00a0=1", "\u00a0'=1"), ("\ufeff=1", "\ufeff'=1"),
        ("\uff1d1+1", "'\uff1d1+1"), ("\uff0b1", "'\uff0b1"), ("\uff0d1", "'\uff0d1"), ("\uff20x", "'\uff20x"), ("\u22121+1", "'\u22121+1"),
        ("a;=1", "a;'=1"), ("a\t=1", "a\t'=1"), ("a\n=1", "a\n'=1"),  # where another sign parts the columns
        ("-3", "-3"), ("+3", "+3"), ("-3.25", "-3.25"), ("-3,25", "-3,25"), ("-1e5", "-1e5"), (" -3 ", " -3 "), ("-3-4", "'-3-4"), ("-", "'-"),
        ("", ""), ("a=1", "a=1"), ("a - b", "a - b"), ("13-21", "13-21"), (">20000 ng/mL", ">20000 ng/mL"), ("<5", "<5"), ("'=1", "'=1"), ("ferritin 3; crp 4", "ferritin 3; crp 4"),
    ],
)  # fmt: skip
def test_a_cell(text, shown):
    """An apostrophe stands before the sign that would begin a formula; a number is no formula."""
    assert inert(text) == shown
    assert inert(shown) == shown


WORDS = st.text(st.sampled_from([*STARTS, *"\t\n\r;\"' ,.0123456789eEabµ", "\u00a0", "\ufeff"]), max_size=12)


@given(st.lists(WORDS, min_size=1, max_size=50))
def test_the_database_writes_the_same_cells(texts):
    """DuckDB, which writes the files of cohorts, follows the same two patterns."""
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as here:
        safe = "CASE WHEN regexp_full_match(t, ?) THEN t ELSE regexp_replace(t, ?, ?, 'g') END"
        found = here.execute(
            f"SELECT {safe} FROM (SELECT UNNEST(?::VARCHAR[]) AS t)", [NUMBER, FORMULA, REPLACED, texts]
        ).fetchall()
    assert [cell for (cell,) in found] == [inert(text) for text in texts]
    assert all(text[:1] not in (*STARTS,) or text.strip()[1:2].isdigit() or text[1:2] == "." for text in map(inert, texts) if text)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The cells of every CSV that is written, from inputs in which every text begins as a formula does."""
    folder = tmp_path_factory.mktemp("cells")
    evil = [f"{start}{lead}cmd|' /C calc'!A0" for start in STARTS for lead in ("", "1+")] + ["\t=2+1", ' "=3+1', "\n=4+1", "a;=5+1"]
    times = [{"name": text, "day": str(number - 3), "observations": {"ferritin": "900 ng/mL"}} for number, text in enumerate(evil)]
    person = {"patient": {"id": evil[0]}, "timepoints": times}
    (folder / "=p.yaml").write_text(json.dumps(person))
    names = ["person_id", "time", "code", "value", "unit"]
    rows = [[text, "2016-05-02", "ferritin", "900", "ng/mL"] for text in [*evil, "-5", "+7"]]
    bad = [[text, "2016-05-02", "ferritin", text, text] for text in evil]
    (folder / "labs.csv").write_text(table(names, *rows, *bad), newline="")
    anchors = [[text, "2016-05-02", text] for text in [*evil, "-5"]]
    (folder / "anchors.csv").write_text(table(["person_id", "time", "name"], *anchors), newline="")
    made = [
        ["check", "=p.yaml", "-f", "csv"], ["check", "=p.yaml", "-o", "checked.csv"],
        ["cohort", "labs.csv"], ["cohort", "labs.csv", "-o", "cohort.csv", "--rejects", "rejects.csv"],
        ["cohort", "labs.csv", "--anchors", "anchors.csv", "-o", "anchored.csv"],
        ["cohort", "labs.csv", "-o", "cohort.ndjson"],
    ]  # fmt: skip
    ran = calls(made, folder)
    assert [each.code for _, each in ran] == [0] * len(made), ran
    texts = {" ".join(call): each.out for call, each in ran if "-o" not in call}
    texts |= {path.name: path.read_text() for path in folder.glob("*.csv") if path.name not in ("labs.csv", "anchors.csv")}
    return folder, {name: list(csv.reader(io.StringIO(text, newline=""))) for name, text in texts.items()}


def test_no_cell_is_a_formula(written):
    """Of check, of cohort on the screen and in files, and of the rows that were left."""
    _, found = written
    assert len(found) == 6
    for name, rows in found.items():
        cells = [cell for row in rows for cell in row]
        assert len(rows) > 10, name
        for cell in cells:
            for part in cell.replace("\n", ";").replace("\t", ";").split(";"):
                bare = part.strip(' "\r\u00a0')
                assert bare[:1] not in (*STARTS,) or bare[1:].isdecimal(), (name, cell)


def test_numbers_and_other_forms_stay_as_they_are(written):
    """A negative day and an id that is a number have no apostrophe; NDJSON, which no spreadsheet runs, holds the texts themselves."""
    folder, found = written
    assert {row[0] for row in found["cohort.csv"]} >= {"-5", "+7"}
    assert [row[3] for row in found["checked.csv"]][1:4] == ["-3", "-2", "-1"]
    people = {json.loads(line)["person_id"] for line in (folder / "cohort.ndjson").read_text().splitlines()}
    assert any(person.startswith("=") for person in people)

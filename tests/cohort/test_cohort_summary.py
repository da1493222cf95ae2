"""The summary of a cohort: counts that follow from the columns alone, the books of the run, the table and the picture."""

from __future__ import annotations

import io
import json
import random
import re
import xml.etree.ElementTree as ElementTree
from datetime import datetime, timedelta
from itertools import combinations

import pytest
from rich.console import Console

from hlhcli.errors import InputError, UnknownName

duckdb = pytest.importorskip("duckdb")
pytest.importorskip("matplotlib")

from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402

from hlhcli.cohort.summary import FIXED, Both, as_json, summarize  # noqa: E402
from hlhcli.render import flow, flow_figure  # noqa: E402

ITEMS = ("fever", "ferritin", "platelets")
KINDS = {"met": "BIGINT", "unknown": "BIGINT", "required": "BIGINT", "score_min": "DOUBLE", "score_max": "DOUBLE"}
KINDS |= {"applicable": "BOOLEAN", "anchor_time": "TIMESTAMP"}
STATUSES = {"+": "met", "-": "not_met", "?": "unknown", " ": None}
MANIFEST = {
    "schema": "hlhcli.cohort-manifest/1",
    "version": "9.9",
    "engine": {"name": "duckdb", "version": "2"},
    "anchors": {"how": "daily", "count": 3},
    "lookback": "7d",
    "criteria": [{"id": "two-of-three", "version": "4"}],
    "rows": {"in": 10, "used": 6, "not asked for": 1, "left": 3, "left by reason": {"no unit": 2, "unknown unit": 1}},
}


def row(person, day, marks, *, criteria="two-of-three", verdict=None, required=2, applicable=True, **more):
    """One assessment by a set that needs two of three; `marks` are its items: + met, - not met, ? unknown."""
    met, unknown = marks.count("+"), marks.count("?")
    if verdict is None:
        verdict = "met" if met >= required else "not_met" if met + unknown < required else "indeterminate"
    found = {"person_id": person, "anchor": str(day), "criteria": criteria, "verdict": verdict, "met": met, "unknown": unknown}
    found |= {"required": required, "by": "count" if verdict != "indeterminate" else None, "applicable": applicable}
    found["anchor_time"] = None if day is None else datetime(2024, 1, 1) + timedelta(days=day)
    for item, mark in zip(ITEMS, marks, strict=True):
        found |= {item: STATUSES[mark], f"{item}_value": "x"}
    return found | more


def write(path, rows, manifest=None):
    """The rows as an output of the cohort command."""
    names = [*FIXED, *(name for item in ITEMS for name in (item, f"{item}_value", f"{item}_time"))]
    connection = duckdb.connect()
    columns = ", ".join('"{}" {}'.format(name, KINDS.get(name, "VARCHAR")) for name in names)
    connection.execute(f"CREATE TABLE out ({columns})")
    for each in rows:
        connection.execute(f"INSERT INTO out VALUES ({', '.join('?' * len(names))})", [each.get(name) for name in names])
    path.parent.mkdir(parents=True, exist_ok=True)
    form, target = "HEADER, FORMAT csv" if path.suffix == ".csv" else "FORMAT parquet", str(path).replace("'", "''")
    connection.execute(f"COPY out TO '{target}' ({form})")
    connection.close()
    if manifest is not None:
        path.with_name(f"{path.name}.manifest.json").write_text(json.dumps(manifest))
    return path


COHORT = [
    row("a", 0, "???"),  # nothing known
    row("a", 1, "+??"),  # one away by ferritin and platelets
    row("a", 4, "+?+"),  # met
    row("b", 0, "-??"),  # two away
    row("b", 1, "--?"),  # not met
    row("c", 0, "??-"),
    row("c", 2, "+?-"),  # one away by ferritin
    row("d", 0, "???"),
    row("e", 0, "++-", applicable=False),
    row("e", 1, "+--", applicable=None),
    row("f", 0, "++?", applicable=None),
]


@pytest.mark.parametrize("name", ["out.parquet", "out.csv", "odd [1]'*?.parquet", "parts/part=0/data.parquet"])
def test_the_flow(tmp_path, name):
    """Every assessment and every person ends in one place, whatever form the output has."""
    found = summarize(write(tmp_path / name, COHORT) if "/" not in name else write(tmp_path / name, COHORT).parents[1])
    (flow,) = found.sets
    assert flow.screened == Both(11, 6)
    assert flow.nothing_known == Both(2, 1)
    assert flow.assessable == Both(9, 5)
    assert (flow.not_made_for, flow.made_for, flow.population_unknown) == (Both(1, 0), Both(6, 3), Both(2, 2))
    assert flow.judged == Both(8, 5)
    assert (flow.met, flow.indeterminate, flow.not_met) == (Both(2, 2), Both(4, 2), Both(2, 1))
    assert [flow.unknown_among(each) for each in ("met", "indeterminate", "not_met")] == [Both(1, 1), Both(0, 0), Both(1, 1)]
    assert flow.could_be_met == Both(4, 2)
    assert [tuple(each) for each in flow.missing] == [("ferritin", 4, 2), ("platelets", 2, 1), ("fever", 1, 0)]
    assert flow.required == 2
    assert tuple(flow.first_met) == (2, 1, (0, 0, 4), 0)
    assert (flow.medians.met, flow.medians.met_at_most) == (1, 2)
    assert (flow.medians.score_min, flow.medians.score_max) == (None, None)


def test_random_cohorts_add_up(tmp_path):
    """The counts equal those of a plain count in Python, row by row and person by person."""
    chance = random.Random(6)
    for number in range(5):
        rows = [
            row(chance.choice("abcdefgh"), day, "".join(chance.choices("+-?", k=3)), applicable=chance.choice((True, None, False)))
            for day in range(40)
        ]
        (flow,) = summarize(write(tmp_path / f"{number}.parquet", rows)).sets
        places = {}
        for each in rows:
            known = any(each[item] != "unknown" for item in ITEMS)
            judged = known and each["applicable"] is not False
            words = ("not_met", "indeterminate", "met")
            place = 2 + words.index(each["verdict"]) if judged else int(known)
            places.setdefault(each["person_id"], []).append(place)
        best = [max(found) for found in places.values()]
        every = [place for found in places.values() for place in found]
        shown = (flow.nothing_known, flow.not_made_for, flow.not_met, flow.indeterminate, flow.met)
        assert [tuple(both) for both in shown] == [(every.count(place), best.count(place)) for place in range(5)]
        assert flow.screened == Both(40, len(places))
        opens = [each for each in rows if each["verdict"] == "indeterminate" and each["applicable"] is not False]
        opens = [each for each in opens if each["unknown"] < 3]
        for item, unknown, one_away in flow.missing:
            among = [each for each in opens if each[item] == "unknown"]
            assert (unknown, one_away) == (len(among), sum(each["met"] == 1 for each in among))


def test_a_verdict_beside_the_items(tmp_path):
    """What is met by a stated finding alone is assessable, and is named."""
    rows = [row("a", 0, "???", verdict="met", by="molecular_diagnosis"), row("b", 0, "++-"), row("b", 1, "+++")]
    summary = summarize(write(tmp_path / "out.parquet", rows))
    (found,) = summary.sets
    assert (found.met, found.nothing_known) == (Both(3, 2), Both(0, 0))
    assert found.met_by == (("count", 2), ("molecular_diagnosis", 1))
    assert "Met not by the count, but by molecular diagnosis 1 (assessments)" in flow.notes(found)


def test_one_away_is_not_claimed_where_the_count_is_not_of_all_items(tmp_path):
    """A count of some of the items, and a score, do not tell that one item would suffice."""
    part = row("a", 0, "??-", verdict="indeterminate", met=0, unknown=1, required=1)
    score = row("a", 0, "+?-", verdict="indeterminate", criteria="score", met=None, unknown=None, required=None, score_min=60.5)
    counted, scored = summarize(write(tmp_path / "out.parquet", [part, score])).sets[::-1]
    assert [each.one_away for each in counted.missing] == [None, None, None]
    assert [each.one_away for each in scored.missing] == [None, None, None]
    assert (scored.required, scored.could_be_met) == (None, Both(1, 1))
    assert tuple(scored.medians) == (None, None, 60.5, None)
    assert flow.notes(scored) == ["Score, median: lowest possible 60.5, highest possible unbounded"]


def test_the_count_alone_may_be_out_of_reach(tmp_path):
    """An open verdict whose count cannot suffice any more is open for another reason."""
    far = row("a", 0, "--?", verdict="indeterminate")
    (found,) = summarize(write(tmp_path / "out.parquet", [far, row("b", 0, "+-?")])).sets
    assert (found.indeterminate, found.could_be_met) == (Both(2, 2), Both(1, 1))
    assert "could still be met" in drawn(summarize(tmp_path / "out.parquet"))


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_when_no_time_is_known(tmp_path, suffix):
    """An anchor without a time leaves the first time unknown, and not zero."""
    rows = [row("a", None, "++-"), row("b", 0, "+??"), row("b", 3, "++?")]
    (found,) = summarize(write(tmp_path / f"out{suffix}", rows)).sets
    assert tuple(found.first_met) == (2, 0, (3, 3, 3), 1)
    assert "First met at a time that is not known: 1" in flow.notes(found)


def test_days_in_csv(tmp_path):
    """A time that is a day's number counts as days."""
    path = tmp_path / "out.csv"
    names = ["person_id", "anchor", "criteria", "verdict", "met", "unknown", "required", "score_min", "score_max", "by"]
    head = ",".join([*names, "applicable", "anchor_time", "fever", "fever_value"])
    path.write_text(f"{head}\na,0,x,indeterminate,1,1,2,,,,true,0,unknown,\na,9,x,met,2,0,2,,,count,true,9,met,y\n")
    (found,) = summarize(path).sets
    assert tuple(found.first_met) == (1, 0, (9, 9, 9), 0)
    assert found.nothing_known == Both(1, 0)


def test_the_books(tmp_path):
    """What was read, used and left comes from the manifest, with the version of each set."""
    summary = summarize(write(tmp_path / "out.parquet", COHORT, MANIFEST | {"out": {"rows": 11}}))
    assert summary.remarks == ()
    assert summary.sets[0].version == "4"
    assert summary.account.rows == (10, 6, 1, 3, (("no unit", 2), ("unknown unit", 1)))
    assert flow.remarks(summary) == [
        "Run: anchors daily, look-back 7d, engine duckdb 2, hlhcli 9.9",
        "Rows of the input: 10 read, 6 used, 1 not asked for, 3 left (no unit 2; unknown unit 1)",
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"rows": MANIFEST["rows"] | {"used": 5}},
            "rows of the input do not add up: 10 read, but 5 used, 1 not asked for and 3 left are 9",
        ),
        ({"rows": MANIFEST["rows"] | {"left by reason": {"no unit": 2}}}, "rows that were left do not add up: 3, but by reason 2"),
        ({"rows": None}, "does not say how many rows were read"),
        ({"rows": MANIFEST["rows"] | {"used": "6"}}, "does not say how many rows were read"),
        ({"out": {"rows": 12}}, "the manifest says 12 rows, and the output has 11"),
        ({"criteria": [{"id": "another"}]}, "the manifest knows nothing of two-of-three"),
        ({"schema": "something/1"}, "the manifest is not of the form hlhcli.cohort-manifest/1"),
    ],
)
def test_books_that_do_not_fit_are_told(tmp_path, change, says):
    """A manifest that does not add up, or is of another run, is said to be."""
    summary = summarize(write(tmp_path / "out.parquet", COHORT, MANIFEST | change))
    assert says in " ".join(summary.remarks)


def test_without_a_manifest(tmp_path):
    """The counts stand; that the input is not accounted for is said, and also where the manifest is no JSON."""
    path = write(tmp_path / "out.parquet", COHORT)
    summary = summarize(path)
    assert summary.account is None
    assert "no manifest" in summary.remarks[0]
    assert summary.sets[0].version is None
    path.with_name("out.parquet.manifest.json").write_text("{")
    assert "the manifest cannot be read" in summarize(path).remarks[0]
    folder = write(tmp_path / "parts" / "part=0" / "data.parquet", COHORT).parents[1]
    assert "some partitions may be missing" in summarize(folder).remarks[1]


def test_partitions_count_together(tmp_path):
    """A folder is one output; a half-written file in it is not read."""
    for number, each in enumerate((COHORT[:3], COHORT[3:])):
        folder = write(tmp_path / "parts" / f"part={number}" / "data.parquet", each).parents[1]
    (folder / "part=1" / ".data.parquet.1.partial").write_bytes(b"PAR1")
    (folder / "manifest.json").write_text(json.dumps(MANIFEST | {"out": {"rows": 11}}))
    summary = summarize(folder)
    assert summary.remarks == ()
    assert summary.sets[0].ends == summarize(write(tmp_path / "out.parquet", COHORT)).sets[0].ends


def test_an_output_without_rows(tmp_path):
    """No assessments are no error; the sets that were asked for stand with nothing."""
    summary = summarize(write(tmp_path / "out.parquet", [], MANIFEST))
    assert [(each.id, each.screened) for each in summary.sets] == [("two-of-three", Both(0, 0))]
    assert "Screened" in drawn(summary)
    (tmp_path / "out.parquet.manifest.json").unlink()
    assert "No assessments" in drawn(summarize(tmp_path / "out.parquet"))


@pytest.mark.parametrize(
    ("name", "sql", "says"),
    [
        (
            "out.parquet",
            "SELECT 1 AS person_id, 'x' AS criteria",
            "is no output of the cohort command: it has no column anchor, verdict",
        ),
        ("out.csv", "SELECT 1 AS a", "is no output of the cohort command: it has no column person_id"),
        ("out.txt", "SELECT 1 AS a", "is no output of the cohort command; give its .parquet or .csv"),
        ("part=0/other.parquet", "SELECT 1 AS a", "holds no output of the cohort command"),
    ],
)
def test_another_table_is_refused(tmp_path, name, sql, says):
    """What is no output gives one clear message."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    duckdb.connect().execute(
        f"COPY ({sql}) TO '{path}' ({'FORMAT csv, HEADER' if path.suffix != '.parquet' else 'FORMAT parquet'})"
    )
    with pytest.raises(InputError, match=re.escape(says)):
        summarize(path.parents[1] if "/" in name else path)


def test_what_cannot_be_read_is_refused(tmp_path):
    """No file, a broken file, no items, words of others: one message, which shows nothing of what stands in the file."""
    broken = tmp_path / "out.parquet"
    with pytest.raises(InputError, match="no such file"):
        summarize(broken)
    broken.write_bytes(b"PAR1 secret PAR1")
    with pytest.raises(InputError, match="cannot be read as an output") as caught:
        summarize(broken)
    assert "secret" not in str(caught.value)
    for wrong in (row("secret", 0, "+-?", verdict="secret"), row("a", 0, "+-?", fever="secret"), row("a", 0, "+-?", criteria=None)):
        with pytest.raises(InputError, match="verdicts or statuses of others") as caught:
            summarize(write(broken, [wrong]))
        assert "secret" not in str(caught.value)
    columns = ", ".join(f'NULL AS "{name}"' for name in FIXED)
    duckdb.connect().execute(f"COPY (SELECT {columns}) TO '{broken}' (FORMAT parquet)")
    with pytest.raises(InputError, match="it has no items"):
        summarize(broken)
    bad_number = write(tmp_path / "bad.csv", [row("a", 0, "+-?")])
    bad_number.write_text(bad_number.read_text().replace(",1,1,2,", ",secret,1,2,"))
    with pytest.raises(InputError, match="cannot be read as an output") as caught:
        summarize(bad_number)
    assert "secret" not in str(caught.value)


def test_json(tmp_path):
    """The JSON says the same, and holds nothing of a person."""
    said = as_json(summarize(write(tmp_path / "out.parquet", COHORT, MANIFEST)))
    text = json.dumps(said, allow_nan=False)
    assert said["schema"] == "hlhcli.cohort-summary/1"
    (found,) = said["criteria"]
    assert found["screened"] == {"assessments": 11, "persons": 6}
    assert found["met"] == {"assessments": 2, "persons": 2, "population_not_known": {"assessments": 1, "persons": 1}}
    assert found["population"]["not_applicable"] == {"assessments": 1, "persons": 0}
    assert found["missing"][0] == {"item": "ferritin", "unknown": 4, "one_away": 2}
    assert found["first_met"]["days_later"] == {"lower_quartile": 0, "median": 0, "upper_quartile": 4}
    assert said["account"]["rows"]["reasons"] == {"no unit": 2, "unknown unit": 1}
    assert "2024" not in text


def test_choosing_sets(tmp_path):
    """Sets are chosen by their ids; a wrong id is told."""
    summary = summarize(write(tmp_path / "out.parquet", [row("a", 0, "+-?", criteria=name) for name in "xyz"]))
    assert [each.id for each in summary.only(["z", "x", "z"]).sets] == ["z", "x"]
    with pytest.raises(UnknownName, match="known are x, y, z"):
        summary.only(["q"])


def drawn(summary, width=80, plain=False, **more):
    stream = io.StringIO()
    console = Console(file=stream, width=width, highlight=False, markup=False, emoji=False, **more)
    flow.draw(summary, console, plain)
    return stream.getvalue()


@pytest.mark.parametrize("width", [40, 59, 80, 120])
@pytest.mark.parametrize("plain", [True, False])
def test_the_table_fits(tmp_path, width, plain):
    """No line is wider than the terminal, no number is cut, and an ASCII terminal gets nothing else."""
    rows = [each | {"criteria": "größe"} for each in COHORT]
    summary = summarize(write(tmp_path / "out.parquet", rows, MANIFEST))
    sets = [each._replace(ends=tuple(Both(*(600 * n for n in end)) for end in each.ends)) for each in summary.sets]
    out = drawn(summary._replace(sets=tuple(sets)), width, plain)
    assert max(map(len, out.splitlines())) <= width
    assert out.isascii() is plain
    assert "1,200" in out
    assert "…" not in out


def test_the_table_says_what_was_counted(tmp_path):
    """Numbers of assessments and persons, with their shares, and the missing items with the one that would suffice."""
    out = drawn(summarize(write(tmp_path / "out.parquet", COHORT, MANIFEST)))
    lines = [line.split() for line in out.splitlines()]
    assert ["Screened", "11", "6"] in lines
    assert ["nothing", "known", "2", "18.2%", "1", "16.7%"] in lines
    assert ["of", "another", "population", "1", "11.1%", "0", "0%"] in lines
    assert ["indeterminate", "4", "50.0%", "2", "40.0%"] in lines
    (ferritin,) = [line for line in lines if line[:1] == ["ferritin"]]
    assert ferritin[1:4] == ["4", "100%", "2"]


def test_colour_adds_nothing(tmp_path):
    """The same words with colour and without."""
    summary = summarize(write(tmp_path / "out.parquet", COHORT, MANIFEST))
    coloured = drawn(summary, force_terminal=True, color_system="standard")
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == drawn(summary)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", drawn(summary, force_terminal=True, no_color=True))


def test_text_cannot_act(tmp_path):
    """Ids and reasons are shown, never obeyed, on the terminal, in Markdown and in the picture."""
    manifest = MANIFEST | {"rows": MANIFEST["rows"] | {"left by reason": {"[red]\x1b[31m|": 3}}}
    rows = [row("a", 0, "+??", criteria="<b>\x1b[31m\u202e|x")]
    summary = summarize(write(tmp_path / "out.parquet", rows, manifest | {"criteria": []}))
    for text in (drawn(summary, 200), flow.markdown(summary)):
        assert not set(text) & set("\x1b\u202e")
        assert "\\u001b" in text or "\\\\u001b" in text
    assert "\\<b\\>" in flow.markdown(summary)
    flow_figure.draw_flow(summary, tmp_path / "x.svg")
    assert "<b>" not in (tmp_path / "x.svg").read_text()


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ((True,), None),
        ((True, False), "Of the population"),
        ((True, None), "Of the population, or not known"),
        ((None, False), "Population not known"),
    ],
)
def test_whose_verdicts_are_counted(tmp_path, known, said):
    """What is known of the population stands above the verdicts, unless the set was made for all."""
    rows = [row(str(place), 0, "+??", applicable=each) for place, each in enumerate(known)]
    (found,) = summarize(write(tmp_path / "out.parquet", rows)).sets
    heads = [(step.label, step.number) for step in flow.steps(found) if step.depth == 0]
    counted = len(known) - (False in known)
    assert heads[2:] == ([(said, Both(counted, counted))] if said else [])


def test_markdown(tmp_path):
    """The same counts as tables of Markdown."""
    out = flow.markdown(summarize(write(tmp_path / "out.parquet", COHORT, MANIFEST)))
    assert "| – indeterminate | 4 | 50.0% | 2 | 40.0% |" in out
    assert "| ferritin | 4 | 100% | 2 |" in out
    assert "- Rows of the input: 10 read" in out


@pytest.mark.parametrize(
    ("number", "total", "said"),
    [(0, 7, "0%"), (7, 7, "100%"), (1, 3000, "<0.1%"), (2999, 3000, ">99.9%"), (1, 2, "50.0%"), (3, 0, "")],
)
def test_shares(number, total, said):
    """None and all are said only of none and all."""
    assert flow.share(number, total) == said


@pytest.mark.parametrize(("form", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
@pytest.mark.parametrize("sets", [1, 2, 3])
def test_the_picture(tmp_path, form, begins, sets):
    """One to three sets, in each form; the same bytes each time."""
    rows = [each | {"criteria": f"set-{number}"} for number in range(sets) for each in COHORT]
    summary = summarize(write(tmp_path / "out.parquet", rows))
    first, again = tmp_path / f"first.{form}", tmp_path / f"again.{form.upper()}"
    flow_figure.draw_flow(summary, first)
    flow_figure.draw_flow(summary, again)
    assert first.read_bytes().startswith(begins)
    assert first.read_bytes() == again.read_bytes()


def test_the_picture_says_what_it_shows(tmp_path):
    """As SVG it has a title and a description, and every count of the boxes as text."""
    summary = summarize(write(tmp_path / "out.parquet", COHORT, MANIFEST))
    flow_figure.draw_flow(summary, tmp_path / "x.svg")
    tree = ElementTree.parse(tmp_path / "x.svg").getroot()
    assert tree.get("role") == "img"
    assert {each.get("id") for each in tree.iter() if each.get("id")} >= set(tree.get("aria-labelledby").split())
    words = " ".join("".join(each.itertext()) for each in tree.iter("{http://www.w3.org/2000/svg}text"))
    for text in ("11 assessments", "Nothing known", "Of another population", "Indeterminate", "4 assessments (50.0%)", "ferritin"):
        assert text in words
    description = "".join(tree.find("{http://www.w3.org/2000/svg}desc").itertext())
    assert "indeterminate 4 assessments (2 persons)" in description


@pytest.mark.parametrize("many", [1, 3])
def test_no_text_of_the_picture_is_lost(tmp_path, many):
    """Long names and large numbers leave neither the picture nor their place in it, with one set and with three."""
    rows = [row("a", 0, "+??"), row("b", 0, "++-"), row("c", 0, "---"), row("d", 0, "???"), row("e", 0, "---", applicable=False)]
    rows = [each | {"criteria": f"a-set-with-a-long-name-of-many-words-{n}"} for n in range(many) for each in rows]
    summary = summarize(write(tmp_path / "out.parquet", rows, MANIFEST | {"criteria": []}))
    sets = [each._replace(ends=tuple(Both(*(10**8 * n for n in end)) for end in each.ends)) for each in summary.sets]
    with flow_figure.house_style():
        figure = flow_figure._draw(summary._replace(sets=tuple(sets)))
        FigureCanvasAgg(figure)
        places = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text()]
    page = figure.bbox
    assert all(page.x0 <= each.x0 and each.x1 <= page.x1 and page.y0 <= each.y0 and each.y1 <= page.y1 for each in places)
    shrunk = [each.shrunk(0.98, 0.8) for each in places]
    assert not [(one, other) for one, other in combinations(shrunk, 2) if one.overlaps(other)]


def test_more_sets_than_have_room(tmp_path):
    """Four sets are refused with their names, and so are another form and an empty output; no file is left behind."""
    summary = summarize(write(tmp_path / "out.parquet", [row("a", 0, "+-?", criteria=name) for name in "wxyz"]))
    for shown, name, says in (
        (summary, "x.png", "holds 4 sets of criteria, and a picture has room for 3; choose among w, x, y, z"),
        (summary.only(["w"]), "x.jpg", "choose a name that ends in .svg, .png or .pdf"),
        (summary._replace(sets=()), "x.png", "there is nothing to draw"),
    ):
        with pytest.raises(InputError, match=says):
            flow_figure.draw_flow(shown, tmp_path / name)
        assert not (tmp_path / name).exists()

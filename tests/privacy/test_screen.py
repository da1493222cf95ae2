"""Text of a file, of a file's name or of an argument never acts: on a terminal, in Markdown, on a page, in a picture, in SQL."""

from __future__ import annotations

import json
import re
import unicodedata
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from forked import calls
from forms import CALLS
from planted import NASTY, nasty, plant

for needed in ("duckdb", "matplotlib", "jinja2", "openpyxl"):
    pytest.importorskip(needed)

NAME = "a\x1b[31m\x9b2J\u202e\u2066\u200b[red]b[link=x]<b>`|*_&lt;\"'"  # of a file
COLOR = re.compile(r"\x1b\[[0-9;]*m")
# Drawn once as SVG is enough here; one call of each kind for all sets of criteria.
SHOWN = [
    call for call in CALLS if not {"figure.png", "figure.pdf", "flow.png", "flow.pdf", "key.txt"} & {*call} and "spark" not in call
]
SAID = [
    ["check", f"{NAME}.yaml"], ["check", f"{NAME}.yaml", "-f", "csv"], ["check", f"{NAME}.yaml", "-f", "markdown"], ["check", f"{NAME}.yaml", "--json"],
    ["check", f"{NAME}-gone.yaml", f"{NAME}-bad.yaml", NAME], ["check", NAME], ["check", "-c", NAME, "x"], ["check", "-c", f"{NAME}.yaml", "x"],
    ["check", "patient.yaml", "-f", NAME], ["check", "patient.yaml", f"--{NAME}"], ["check", "patient.yaml", "--from", NAME], ["check", "patient.yaml", "--at", NAME],
    ["check", "patient.yaml", "--anchor", NAME], ["check", "patient.yaml", "--window", NAME], ["check", "patient.yaml", "-o", f"{NAME}/x.json"], ["check", "patient.yaml", "-o", f"x.{NAME}"],
    ["check", "wide.csv", "--map", NAME], ["check", "redcap.csv", "--dictionary", NAME], ["check", "patient.yaml", "--criteria-dir", NAME],
    ["convert", NAME], ["convert", f"{NAME}.csv"], ["convert", f"{NAME}.csv", "--guess"], ["convert", "fhir.json", "--pseudonymize", NAME], ["convert", "fhir.json", "-o", f"{NAME}/"],
    ["criteria", NAME], ["criteria", f"{NAME}.yaml"], ["criteria", "test", f"{NAME}.yaml"], ["criteria", "--diff", NAME, NAME], ["schema", NAME], ["observables", NAME], ["init", "-o", f"{NAME}/x"], ["init", "-o", f"{NAME}.yaml"],
    ["figure", f"{NAME}.yaml", "-o", NAME], ["figure", f"{NAME}.yaml", "extra", NAME, "-o", "x.svg"], ["figure", f"{NAME}.yaml", "-o", "named.svg"], ["report", f"{NAME}.yaml", "-o", NAME], ["report", f"{NAME}.yaml", "-o", "named.html"],
    ["cohort", NAME], ["cohort", f"{NAME}.csv", "-o", f"{NAME}.parquet"], ["cohort", f"{NAME}.csv", "-o", NAME], ["cohort", f"{NAME}.csv", "--anchors", NAME], ["cohort", f"{NAME}.csv", "--lookback", NAME],
    ["cohort", f"{NAME}.csv", "--memory", NAME], ["cohort", f"{NAME}.csv", "--engine", NAME], ["cohort", f"{NAME}.csv", "--persons", NAME], ["cohort", f"{NAME}.csv", "--partitions", NAME], ["cohort", "--sql", NAME],
    ["cohort", f"{NAME}-columns.csv"], ["cohort", "summary", f"{NAME}.parquet"], ["cohort", "summary", NAME], ["cohort", "summary", "cohort.csv", "-c", NAME], ["cohort", "summary", "cohort.csv", "--figure", NAME], [NAME],
]  # fmt: skip


def acting(text: str) -> set[str]:
    """Characters that a terminal obeys, or that turn the order of others around."""
    return {character for character in text if character != "\n" and unicodedata.category(character)[0] == "C"}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """What every form shows of inputs in which every text would act."""
    folder = plant(tmp_path_factory.mktemp("nasty"), nasty)
    for name, other in ((".yaml", "patient.yaml"), (".csv", "labs.csv")):
        (folder / f"{NAME}{name}").write_bytes((folder / other).read_bytes())
    (folder / f"{NAME}-bad.yaml").write_text(
        json.dumps({nasty("key"): 1, "timepoints": [{"name": nasty("label"), nasty("key"): nasty("value")}]})
    )
    (folder / f"{NAME}-columns.csv").write_text(f'person_id,time,"{NASTY}"\n'.replace('""', '"'))
    return folder, calls([*SHOWN, *SAID], folder)


def test_nothing_acts_on_a_terminal(ran):
    """No control character, escape sequence, mark of direction or invisible character comes through; each shows as it is written."""
    _, found = ran
    for call, each in found:
        shown = COLOR.sub("", each.out) if "--color" in call else each.out
        assert not acting(shown), (call, acting(shown))
        assert not acting(each.err), (call, each.err)
        assert "Traceback" not in each.err, (call, each.err)
        assert "mistake in hlhcli" not in each.err, (call, each.err)
    table = next(each.out for call, each in found if call == ["check", "patient.yaml"])
    assert "u001b" in table
    assert "red" in table


def test_color_is_ours_alone(ran):
    """With color, no sequence but those of the table; markup of Rich is text."""
    _, found = ran
    text = next(each.out for call, each in found if "--color" in call)
    assert {*COLOR.findall(text)} <= {f"\x1b[{code}m" for code in ("0", "1", "2", "32", "33", "1;31", "1;32", "1;33")}
    assert "[red]" in COLOR.sub("", text).replace("\n", "")


def test_json_is_json(ran):
    """JSON is ASCII, and holds the text as it was."""
    _, found = ran
    for call, each in found:
        if "--json" in call and each.out:
            assert each.out.isascii(), call
            assert json.loads(each.out)
    [data] = [json.loads(each.out) for call, each in found if call == ["check", f"{NAME}.yaml", "--json"]]
    assert data["results"][0]["source"] == f"{NAME}.yaml"
    assert data["results"][0]["patient"]["id"] == nasty("id")


def test_markdown_shows_markup_as_text(ran):
    """No tag, link, table cell, code or entity comes from a text; of files and of the screen."""
    folder, found = ran
    texts = [each.out for call, each in found if "markdown" in call or "--markdown" in call]
    texts.append((folder / "out.md").read_text(encoding="utf-8"))
    assert len(texts) > 4
    for text in texts:
        assert not acting(text)
        planted = "\n".join(line for line in text.splitlines() if "red" in line)
        for markup in (r"<(script|img)", r"&lt;", r"\]\(javascript", r"`\|"):
            assert not re.search(rf"(?<!\\){markup}", planted), markup
        rows = [line for line in text.splitlines() if line.startswith("| ")]
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in rows if "mean" not in line}) <= 3


class Page(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_pages_and_pictures_run_nothing(ran):
    """A report has no script, no handler and no address but http(s) and its own anchors; an SVG is well-formed and as silent."""
    folder, _ = ran
    pages, pictures = sorted(folder.glob("*.html")), sorted(folder.glob("*.svg"))
    assert len(pages) > 3
    assert len(pictures) >= 4
    for path in pages:
        page = Page()
        page.feed(path.read_text(encoding="utf-8"))
        assert not {tag for tag, _ in page.found} & {"script", "img", "iframe", "object", "embed", "base", "form", "b"}
        for tag, attributes in page.found:
            assert not [name for name in attributes if name.startswith("on")], tag
            for name in ("href", "src", "xlink:href"):
                assert re.match(r"https?://|#", attributes.get(name) or "#"), (tag, attributes)
        assert not acting(path.read_text(encoding="utf-8").replace("\r", ""))
    for path in pictures:
        for element in ElementTree.fromstring(path.read_bytes()).iter():
            assert element.tag.rpartition("}")[2] not in ("script", "foreignObject", "a", "image"), path
            assert not [name for name in element.attrib if name.rpartition("}")[2].startswith("on")]
            assert not [value for name, value in element.attrib.items() if name.endswith("href") and not value.startswith("#")]


def test_sql_has_no_text_outside_comments(ran):
    """The title of a set of one's own neither ends the comment in which it stands nor opens another."""
    _, found = ran
    [text] = [each.out for call, each in found if call == ["cohort", "--sql", "postgres", "-c", "own.yaml"]]
    outside = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    assert "DROP TABLE" in text
    assert "DROP TABLE" not in outside
    assert "/*" not in re.sub(r"/\*(.*?)\*/", r"\1", text, flags=re.DOTALL)


def test_converted_files_read_back(ran):
    """What is converted holds the texts as they were, in YAML that is plain."""
    folder, _ = ran
    assert not acting((folder / "converted.yaml").read_text(encoding="utf-8"))
    [(_, again)] = calls([["check", "--json", "converted.yaml"]], folder)
    assert again.code == 0, again.err

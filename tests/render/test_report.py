"""The report: one page that stands for itself, shows the file's text without letting it act, and reads well everywhere."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jinja2", reason="the report needs jinja2")
pytest.importorskip("matplotlib", reason="the report needs matplotlib")

from command import ROOT, SAMPLES

from hlhcli import __version__, criteria
from hlhcli.api import evaluate_document, load_document, parse_document
from hlhcli.criteria import Library
from hlhcli.render.report import html, inline

SEED = SAMPLES / "broglie-2017.yaml"
NASTY = "<script>alert(1)</script>{{ 7*7 }}{% raw %}<img src=x onerror=alert(2)>\"'&lt;"
QUOTED = json.dumps(NASTY)
HOSTILE = f"""
patient: {{id: {QUOTED}, age: 3 y, sex: female}}
therapies:
  - {{drug: {QUOTED}, line: {QUOTED}, dose: {QUOTED}, start: 0, note: {QUOTED}}}
timepoints:
  - {{name: {QUOTED}, day: 0, note: {QUOTED}, observations: {{ferritin: {{value: 900 ng/mL, note: {QUOTED}}}, hemoglobin: 90 g/dL}}}}
  - {{name: "a \\u202e b\\u0007", day: 7, observations: {{ferritin: 300 ng/mL}}}}
series:
  ferritin: {{unit: ng/mL, assay: {QUOTED}, points: [[0, 900], [3, 700]]}}
"""
VOID = {"meta", "wbr", "br", "img", "link", "input", "hr"}


def result(path: Path, *sets: str, library: Library = criteria.SHIPPED):
    return evaluate_document(load_document(path, library), [library.load(name) for name in sets or ("hlh-2004",)])


def hostile():
    return evaluate_document(parse_document(HOSTILE, "<b>file.yaml"), [criteria.load("hlh-2004")])


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text; an element that is not closed where it should be is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.inside: list[str] = []
        self.feed(text)
        self.close()
        assert not self.inside

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.inside.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.inside and self.inside[-1] != "style":
            self.text += data

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture(scope="module")
def seed() -> str:
    return html(result(SEED))


def test_text_of_the_file_cannot_act():
    """Names, drugs, doses, notes and the file's name stand as text, whatever they hold; nothing of them is a tag or a template."""
    text = html(hostile())
    page = Page(text)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {
        "script",
        "img",
        "iframe",
        "object",
        "embed",
        "link",
        "base",
        "form",
        "b",
        "foreignobject",
        "image",
    }
    assert page.text.count("<script>alert(1)</script>{{ 7*7 }}{% raw %}<img src=x onerror=alert(2)>\"'&lt;") > 8
    assert "49" not in re.findall(r"\b\d+\b", page.text.split("Definitions and sources")[0].replace("7*7", ""))
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert "<b>file.yaml" in page.text
    assert not set(text) & set("\u202e\u0007")
    assert "\\u202e" in page.text


def test_nothing_is_loaded(seed):
    """No script, no frame, no font, no picture from elsewhere: links that a reader may follow are the only addresses."""
    page = Page(seed)
    assert not page.all("script", "link", "img", "iframe", "object", "embed", "source", "audio", "video", "base", "form", "image")
    for tag, attributes in page.elements:
        assert not attributes.keys() & {"src", "srcset", "action", "background", "style", "xlink:href"}, tag
        if (address := attributes.get("href")) and not address.startswith("#"):
            assert tag == "a"
            assert address.startswith("https://")
    assert "@import" not in seed
    assert not re.findall(r"url\((?!#)", seed)


def test_the_policy_allows_the_one_style_and_nothing_else(seed):
    """The Content-Security-Policy names the style by its digest; no script, no form, no base, and no referrer."""
    import base64
    import hashlib

    (style,) = re.findall(r"<style>(.*?)</style>", seed, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    metas = {each.get("http-equiv") or each.get("name"): each.get("content") for each in Page(seed).all("meta")}
    assert (
        metas["Content-Security-Policy"] == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert metas["referrer"] == "no-referrer"
    assert metas["color-scheme"] == "light dark"


def test_the_same_file_gives_the_same_bytes(tmp_path, monkeypatch, seed):
    """No date, no path, no order that changes: neither the folder nor the time of day is in the page."""
    assert html(result(SEED)) == seed
    shutil.copy(SEED, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert html(result(tmp_path / SEED.name)) == seed
    assert str(ROOT) not in seed


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_sample_renders(path):
    """Headings in order, ids that are one of a kind, links that lead somewhere, tables with caption and scope, regions with a name."""
    page = Page(html(result(path)))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = [name for _, each in page.elements for name in (each.get("aria-labelledby") or "").split()]
    wanted += [address[1:] for each in page.all("a", "use") if (address := each["href"] or "").startswith("#")]
    assert {*wanted} <= {*ids}
    assert len(page.all("caption")) == len(page.all("table")) > 2
    assert all(each.get("scope") in ("row", "col", "rowgroup") for each in page.all("th"))
    regions = [each for _, each in page.elements if each.get("class") == "scroll"]
    assert all(each["tabindex"] == "0" and each["role"] == "region" for each in regions)
    assert len({each.get("aria-labelledby") or each["aria-label"] for each in regions}) == len(regions) > len(page.all("table")) - 1


def test_the_verdict_in_words(seed):
    """Met, not met, indeterminate with its range, and what would decide; criteria, never a diagnosis."""
    text = " ".join(Page(seed).text.split())
    assert "Indeterminate 2 to 6 of 8 met, 5 needed" in text
    assert "Could become not met with: splenomegaly + NK activity" in text
    assert "Criteria met 5 to 8 of 8 met, 5 needed Rests on marks as reported; by values alone: indeterminate." in text
    assert "Criteria, not a diagnosis" in text
    assert not re.search(r"diagnosis (is )?(established|confirmed|made)", text)


def test_status_never_by_color_alone(seed):
    """Each cell of the criteria has a mark for the eye and a word for the ear."""
    cells = re.findall(
        r'<td class="(met|not_met|unknown)"><span class="mark" aria-hidden="true">(.)</span><span class="sr">([^<]*): </span>', seed
    )
    assert {(status, mark, word) for status, mark, word in cells} == {
        ("met", "X", "met"),
        ("not_met", "-", "not met"),
        ("unknown", "?", "unknown"),
    }
    assert len(cells) == 3 * 9


def test_evidence_for_every_item(seed):
    """Every comparison stands there with value, rule, result and note; where nothing was observed the page says so."""
    text = " ".join(Page(seed).text.split())
    for said in (
        "39-40 Cel temperature >= 38.5 Cel met",
        "nothing observed platelets < 100 10*9/L unknown not stated",
        "as reported",
    ):
        assert said in text
    for assessment in result(SEED).assessments:
        for item in assessment.items:
            assert all(line.rule in text for line in item.evidence)


def test_definitions_with_their_sources():
    """Each set with citation, DOI, version and provenance; a variant with what differs from the set that it extends."""
    text = html(result(SEED, "hlh-2004", "hlh-2024", "hscore"))
    page = Page(text)
    links = {each["href"] for each in page.all("a")}
    assert {
        "https://doi.org/10.1002/pbc.21039",
        "https://doi.org/10.1182/blood.2024025077",
        "https://pubmed.ncbi.nlm.nih.gov/24782338/",
    } <= links
    said = " ".join(page.text.split())
    for each in (
        "A variant of hlh-2004: Henter JI",
        "What differs from hlh-2004",
        "hscore, version 1. Source of its numbers, at worst: read in a source that",
    ):
        assert each in said
    assert f"hlhcli {__version__}" in said
    assert "It supports a decision and never makes one" in said


def test_sets_side_by_side():
    """Several sets stand in one table, with how they differ; one that was not made for the patient is no bare verdict."""
    said = " ".join(Page(html(result(SEED, "hlh-2004", "hscore"))).text.split())
    assert "The sets side by side" in said
    assert "Not made for this patient; it would read: indeterminate" in said
    assert "score 83 to 302, cut-off >= 169" in said


def test_rules_of_the_course_are_cited(seed):
    """What the course says comes with the rule that it rests on."""
    said = " ".join(Page(seed).text.split())
    assert "marsh-2013, version 1" in said
    assert "PMC3410971" in said
    assert "salvage: ruxolitinib" in said


def test_one_time_point_has_no_course():
    """A file with nothing but one time point has a page too, without a section on its course."""
    one = parse_document("timepoints: [{name: Admission, observations: {ferritin: 900 ng/mL}}]", "one.yaml")
    page = Page(html(evaluate_document(one, [criteria.load("hlh-2004")])))
    assert "course" not in {attributes.get("id") for _, attributes in page.elements}
    assert "Warnings None." in " ".join(page.text.split())


def test_many_time_points_fold():
    """Time points that do not fit side by side go on in further tables, none is left out."""
    text = "timepoints:\n" + "".join(f"  - {{name: Visit {day}, day: {day}}}\n" for day in range(12))
    said = Page(html(evaluate_document(parse_document(text, "many.yaml"), [criteria.load("hlh-2004")]))).text
    assert "Criteria by HLH-2004 diagnostic criteria (time points 11 to 12 of 12)" in said


def test_a_variant_of_ones_own(tmp_path):
    """A user's set that extends another of the user's is shown with it where the library is given, and without it else."""
    about = "citation: {text: Ward}\nprovenance: primary\n"
    (tmp_path / "a.yaml").write_text(f"id: ward-a\ntitle: Ward A\nextends: hlh-2004\nat_least: 4\n{about}", encoding="utf-8")
    (tmp_path / "b.yaml").write_text(f"id: ward-b\ntitle: Ward <i>B</i>\nextends: ward-a\nat_least: 3\n{about}", encoding="utf-8")
    library = Library([tmp_path])
    found = result(SEED, "ward-b", library=library)
    assert "What differs from ward-a" in html(found, library)
    assert "What differs from ward-a" not in html(found)
    assert "<i>" not in html(found)


def test_warnings_tell_where():
    """A warning says its line and column; the file's folder is nobody's business."""
    said = " ".join(Page(html(hostile())).text.split())
    assert re.search(r"line \d+, column \d+: .*90 g/dL", said)


def test_only_shapes_of_the_figure_are_kept():
    """Styles become attributes; scripts, handlers, foreign elements and addresses outside the page are left out."""
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 1 1" onload="alert(1)" role="img" '
        'aria-labelledby="t"><title id="t">a &lt;b&gt; {{ 7*7 }}</title><metadata>m</metadata><style>*{fill:red}</style><script>alert(1)</script>'
        '<foreignObject><p>x</p></foreignObject><image href="data:,x"/><path id="p" d="M0 0" style="fill: none; stroke: #000; behavior: url(x)"/>'
        '<g id="unused" clip-path="url(http://x/#a)" fill="url(#p)"><use xlink:href="#p" onclick="x()"/><use href="http://x/#p"/></g></svg>'
    )
    assert inline(svg) == (
        '<svg stroke-linejoin="round" stroke-linecap="butt" viewBox="0 0 1 1" role="img" aria-labelledby="t">'
        '<title id="t">a &lt;b&gt; {{ 7*7 }}</title><path id="p" d="M0 0" fill="none" stroke="#000" /><g fill="url(#p)"><use href="#p" /><use /></g></svg>'
    )


def test_fonts_of_older_matplotlib():
    """The shorthand `font` of a style, which is no attribute, is taken apart."""
    svg = "<svg><text style=\"font: italic bold 7px 'DejaVu Sans', sans-serif; text-anchor: end\">a</text></svg>"
    assert 'font-style="italic" font-weight="bold" font-size="7px" font-family="\'DejaVu Sans\', sans-serif"' in inline(svg)


def luminance(color: str) -> float:
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast(seed, scheme):
    """Every color of text on every ground that it stands on: 4.5 to 1 or more, in light and in dark."""
    palette = dict(re.findall(r"--([\w-]+): (#\w{6})", re.findall(r":root \{(.*?)\}", seed, re.DOTALL)[scheme]))
    pairs = [
        (text, ground)
        for text in ("ink", "soft", "link")
        for ground in ("page", "card", "head", "met-back", "no-back", "open-back")
    ]
    pairs += [("met", "met-back"), ("no", "no-back"), ("open", "open-back"), ("met", "head"), ("no", "head"), ("open", "head")]
    for text, ground in pairs:
        dark, light = sorted(luminance(palette[name]) for name in (text, ground))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)


# In a browser. HLHCLI_BROWSER names the one to use; where it is set, nothing below is skipped.

NAMED = os.environ.get("HLHCLI_BROWSER")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
WATCH = "window.refused = []; document.addEventListener('securitypolicyviolation', event => window.refused.push(event.violatedDirective))"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, without a network."""
    if NAMED:
        path = shutil.which(NAMED)
        assert path, f"HLHCLI_BROWSER is {NAMED}, which is no program"
    else:
        pytest.importorskip("playwright", reason="no playwright to look at the report with")
        path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if path is None:
            pytest.skip("no chromium to look at the report with; HLHCLI_BROWSER can name one")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory, seed) -> dict[str, Path]:
    """Reports as files: a case, several sets on a longer course, and text that tries to act."""
    found = {
        "case": seed,
        "sets": html(result(SAMPLES / "pmc10326766.yaml", "hlh-2004", "hscore")),
        "hostile": html(hostile()),
    }
    folder = tmp_path_factory.mktemp("reports")
    for name, text in found.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in found}


@pytest.fixture
def open_page(browser, files) -> Iterator[Any]:
    """Opens a report from its file; at the end nothing was asked of the network, complained of, or refused."""
    contexts, complaints, requests, pages = [], [], [], []

    def opened(name: str, **settings: Any) -> Any:
        context = browser.new_context(offline=True, service_workers="block", **settings)
        contexts.append(context)
        context.add_init_script(WATCH)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(files[name].as_uri(), wait_until="load")
        pages.append((page, files[name].as_uri()))
        return page

    yield opened
    refused = [each for page, _ in pages for each in page.evaluate("window.refused")]
    for context in contexts:
        context.close()
    assert complaints == []
    assert refused == []
    assert requests == [address for _, address in pages]


@pytest.mark.parametrize("name", ["case", "sets", "hostile"])
def test_opened_from_a_file(open_page, name):
    """The page opens from the disk as it is: one request, no complaint, the policy refuses nothing, and the figure has a size."""
    page = open_page(name)
    box = page.locator("figure svg").bounding_box()
    assert box["width"] > 300
    assert box["height"] > 200
    assert page.evaluate("getComputedStyle(document.body).marginTop") == "0px"  # the style holds
    strokes = page.evaluate("[...document.querySelectorAll('figure svg path')].map(e => getComputedStyle(e).stroke)")
    assert any(stroke not in ("none", "rgb(0, 0, 0)") for stroke in strokes)  # and so do the colors of the figure
    assert page.locator("script").count() == 0


def test_a_patient_named_script(open_page):
    """The name shows as what it is, in the title and on the page."""
    page = open_page("hostile")
    assert "<script>alert(1)</script>" in page.locator("h1").inner_text()
    assert "<script>alert(1)</script>" in page.title()


@pytest.mark.parametrize("name", ["case", "sets", "hostile"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible(open_page, name, scheme):
    """axe-core finds nothing to object to; in dark, where nothing but the colors differs, to the contrast."""
    if not NAMED:
        pytest.importorskip("axe_core_python", reason="no axe-core to check accessibility with")
    from axe_core_python.sync_playwright import Axe

    rules = {"runOnly": ["color-contrast"]} if scheme == "dark" else {}
    found = Axe().run(open_page(name, color_scheme=scheme), options=rules)
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found["violations"]] == []


@pytest.mark.parametrize("name", ["case", "sets", "hostile"])
def test_fits_the_screen(open_page, name):
    """The page itself never scrolls sideways: 320 px is a telephone, and 640 px what 1280 px are at 200 % zoom."""
    page = open_page(name)
    for width in (320, 375, 640, 1200):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)") <= width


def test_keyboard(open_page):
    """The first stop is the link past the contents, which shows when it has the focus; what scrolls can be reached and is outlined."""
    page = open_page("case", viewport={"width": 320, "height": 800})
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "region"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_prints(open_page):
    """The page becomes a PDF of several pages, without the contents that only a screen needs."""
    page = open_page("case")
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) > 2
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert page.locator("figure svg").is_visible()

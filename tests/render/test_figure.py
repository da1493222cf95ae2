"""The figure of a course: nothing is drawn that was not measured, and nothing of the file acts in it."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ET
from fractions import Fraction

import pytest
from command import ROOT

pytest.importorskip("matplotlib")

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hlhcli import criteria, rules
from hlhcli.api import Result, evaluate_document, load_document, parse_document
from hlhcli.render import figure

SAMPLES = sorted((ROOT / "samples").glob("*.yaml"))
HEAD = "patient: {id: x, age: 6 y}\n"
ONE = HEAD + "timepoints:\n  - {name: T, day: 0}\n"


def result(text: str, *names: str) -> Result:
    return evaluate_document(parse_document(text, "test"), [criteria.load(name) for name in names or ("hlh-2004",)])


def series(name: str, points: str, more: str = "") -> Figure:
    return figure.draw(result(f"{ONE}series:\n  {name}: {{{more}points: {points}}}\n"))


def lines(drawn: Figure, *labels: str) -> list[Line2D]:
    """The lines of the panels that stand for this, whether joined runs, ranges or arrows; none of the keys."""
    found = [line for axes in panels(drawn) for line in axes.lines]
    return [line for line in found if str(line.get_label()) in labels]


def panels(drawn: Figure) -> list[Axes]:
    return drawn.axes[1:]


def texts(drawn: Figure) -> list[str]:
    return [text.get_text() for axes in drawn.axes for text in axes.texts]


def days(line: Line2D) -> list[float]:
    return [float(day) for day in line.get_xdata(orig=False).tolist()]


def panel_of(drawn: Figure, label: str) -> Axes:
    return next(axes for axes in panels(drawn) if axes.get_ylabel().startswith(label))


@pytest.mark.parametrize("gap", ["pending", "not done", "unreadable", "unknown", "elevated", "'>900'", "'<5'", "13-21"])
def test_a_line_never_goes_over_a_gap(gap):
    """Values are joined only where no other observation stands between them: missing, in words, censored, or a range."""
    drawn = series("ferritin", f"[[0, 100], [1, 110], [2, {gap}], [3, 90], [4, 80]]", "unit: ng/mL, ")
    assert [days(run) for run in lines(drawn, "run")] == [[0, 1], [3, 4]]


def test_a_gap_on_a_day_with_a_value_is_none():
    """What is pending does not hide a value of the same day."""
    text = HEAD + "timepoints:\n  - {name: T, day: 2, observations: {ferritin: 95 ng/mL}}\n"
    drawn = figure.draw(result(text + "series:\n  ferritin: {unit: ng/mL, points: [[0, 100], [2, pending], [4, 80]]}\n"))
    assert [days(run) for run in lines(drawn, "run")] == [[0, 2, 4]]


def test_a_time_point_without_a_day_breaks_the_line_and_is_not_placed():
    """It stays in the grid and is named in a note; no value of it has a place, and none is joined over it."""
    text = HEAD + (
        "timepoints:\n"
        "  - {name: First, day: 0, observations: {ferritin: 900 ng/mL}}\n"
        "  - {name: Nowhere, observations: {ferritin: 4000 ng/mL}}\n"
        "  - {name: Last, day: 9, observations: {ferritin: 700 ng/mL}}\n"
    )
    drawn = figure.draw(result(text))
    assert [days(run) for run in lines(drawn, "run")] == [[0], [9]]
    shown = texts(drawn)
    assert {"T1 First", "T3 Last", "Nowhere", "no day", "Without a day, and not on the time axis: T2."} <= set(shown)
    assert not any("T2" in text for text in shown if text not in ("T2", "Without a day, and not on the time axis: T2."))


def test_what_lies_above_or_below_a_number_is_an_arrow_at_it():
    """A censored value is an open arrow in its direction at the number that is known, a range a bar between its ends."""
    drawn = series("sil2r", "[[0, '>12500'], [1, '<200'], [2, 4000-6000]]", "unit: U/mL, ")
    (above,), (below,), (bar,) = (lines(drawn, kind) for kind in ("above", "below", "range"))
    assert (days(above), list(above.get_ydata())) == ([0], [12500])
    assert (days(below), list(below.get_ydata())) == ([1], [200])
    assert list(bar.get_ydata()) == [4000, 6000]
    tips = [line.get_marker().vertices[:, 1] for line in (above, below)]
    assert tips[0].max() > 0 == tips[0].min()
    assert tips[1].min() < 0 == tips[1].max()


def test_below_stays_below_in_any_unit():
    """`<100 °F` is no range from the freezing point of a mixture: it is an arrow down, as in °C."""
    drawn = series("temperature", "[[0, '<100']]", "unit: degF, ")
    assert len(lines(drawn, "below")) == 1
    assert not lines(drawn, "range")


def test_words_stand_in_a_strip_and_never_at_a_height():
    """A word has a day but no number: it is text below the panel, and the panel says so where there is nothing else."""
    drawn = series("sil2r", "[[0, normal], [5, 'elevated, rising']]")
    shown = texts(drawn)
    assert {"normal", "elevated, rising", "sIL-2R in words", "sIL-2R: no numbers; in words below"} <= set(shown)
    assert not lines(drawn, "run", "range", "above", "below")


def test_fever_stands_with_the_words_of_the_temperature():
    """A stated fever without a number is shown, and so is its absence."""
    text = (
        HEAD + "timepoints:\n  - {name: A, day: 0, observations: {fever: yes}}\n  - {name: B, day: 9, observations: {fever: no}}\n"
    )
    assert {"fever", "no fever"} <= set(texts(figure.draw(result(text))))


def test_no_values():
    """A panel without values stays and says so, with one time point and nothing else."""
    shown = texts(figure.draw(result(HEAD + "timepoints:\n  - {name: T}\n")))
    assert {"Temperature: no values", "Ferritin and CRP: no values", "sIL-2R: no values"} <= set(shown)
    assert [axes for axes in panels(figure.draw(result(ONE))) if axes.get_xlabel() == "Day"]


@pytest.mark.parametrize("name", criteria.ids())
def test_cutoffs_are_those_of_the_definition(name):
    """Every line across a panel is a cut-off of the set, at its number and with its text; a set without one draws none."""
    observed = {"temperature": "37 Cel", "ferritin": "90 ng/mL", "sil2r": "900 U/mL"}
    drawn = figure.draw(
        result(HEAD + f"timepoints:\n  - {{name: T, day: 0, observations: {str(observed).replace(chr(39), '')}}}\n", name)
    )
    wanted = {
        (edge.number, edge.operator)
        for leaf in rules.leaves(criteria.load(name).verdict)
        if isinstance(leaf, rules.Threshold) and leaf.observable in observed and not leaf.at
        for edge in leaf.edges[:1]
        if edge.unit.name != "ULN"
    }
    drawn_at = [Fraction(str(line.get_ydata()[0])) for line in lines(drawn, "cut-off")]
    assert sorted(drawn_at) == sorted(number for number, _ in wanted)
    assert sum(text.endswith(f"({name})") for text in texts(drawn)) == len(wanted)


def test_a_cutoff_that_has_no_place_is_named():
    """A multiple of the laboratory's own limit, or a cut-off in a unit that cannot be converted, is no line but a note."""
    text = HEAD + "timepoints:\n  - {name: T, day: 0, observations: {sil2r: 900 pg/mL}}\n"
    drawn = figure.draw(result(text))
    assert not lines(drawn, "cut-off")
    assert "No line, as the axis has another unit: sil2r >= 2400 U/mL (hlh-2004)." in texts(drawn)


def test_a_cutoff_moves_to_the_unit_of_the_axis():
    """In °F the line of fever lies where it belongs, and its label says what is printed."""
    drawn = series("temperature", "[[0, 102.2], [1, 99]]", "unit: degF, ")
    (line,) = lines(drawn, "cut-off")
    assert line.get_ydata()[0] == pytest.approx(101.3)
    assert "≥ 38.5 °C (hlh-2004)" in texts(drawn)


def test_units_are_converted_and_assays_are_not_joined():
    """One unit for what can be converted; an assay of its own has its own marker and line; the rest is named in a note."""
    text = HEAD + (
        "timepoints:\n"
        "  - {name: A, day: 0, observations: {sil2r: 4000 U/mL, crp: 3 mg/dL}}\n"
        "  - {name: B, day: 1, observations: {sil2r: 5000 kU/L, crp: 60 mg/L}}\n"
        "  - {name: C, day: 2, observations: {sil2r: {value: 900 U/mL, assay: Lab B}, crp: 20 mg/L}}\n"
        "  - {name: D, day: 3, observations: {sil2r: 7000 pg/mL}}\n"
    )
    drawn = figure.draw(result(text))
    crp, ours, theirs = (lines(drawn, "run")[place] for place in (0, 1, 2))
    assert list(crp.get_ydata()) == [30, 60, 20]
    assert (list(ours.get_ydata()), list(theirs.get_ydata())) == ([4000, 5000], [900])
    assert ours.get_marker() != theirs.get_marker()
    assert ours.get_linestyle() != theirs.get_linestyle()
    assert "sIL-2R in a unit that cannot be converted, not drawn: day 3 7000 pg/mL." in texts(drawn)


def test_ferritin_is_logarithmic_where_it_spans_decades():
    """From 90 to 90000 the axis is logarithmic, from 90 to 120 it begins at zero; so it does where a value is zero."""
    assert panel_of(series("ferritin", "[[0, 90], [1, 90000]]", "unit: ng/mL, "), "Ferritin").get_yscale() == "log"
    for points in ("[[0, 690], [1, 720]]", "[[0, 0], [1, 90000]]"):
        axes = panel_of(series("ferritin", points, "unit: ng/mL, "), "Ferritin")
        assert (axes.get_yscale(), axes.get_ylim()[0]) == ("linear", 0)


def test_support_is_drawn_from_yes_to_what_is_known_next():
    """From an observed yes to the next observation; nothing before it, nothing after the last, nothing over what is not known."""
    text = f"{ONE}series:\n  mechanical_ventilation: {{points: [[1, no], [2, yes], [4, yes], [6, no], [8, yes], [9, unknown], [11, yes]]}}\n"
    drawn = figure.draw(result(text))
    assert [days(line) for line in lines(drawn, "given")] == [[2, 4], [4, 6]]
    noninvasive = figure.draw(result(f"{ONE}series:\n  noninvasive_ventilation: {{points: [[1, yes], [2, no]]}}\n"))
    assert [days(line) for line in lines(noninvasive, "given")] == [[1, 2]]
    assert not lines(figure.draw(result(f"{ONE}series:\n  dialysis: {{points: [[1, no]]}}\n")), "given")


def test_therapies_without_an_end_or_a_start():
    """Without an end a bar has an arrow; without a start it has no place and is named in a note."""
    text = "therapies:\n  - {drug: etoposide, dose: d1, start: 0, stop: 8}\n  - {drug: ruxolitinib, start: 3}\n  - {drug: anakinra, dose: one}\n"
    drawn = figure.draw(result(text + ONE))
    assert len(lines(drawn, "open end")) == 1
    shown = texts(drawn)
    assert {"etoposide", "ruxolitinib", "d1", "Given, without a stated start: anakinra one."} <= set(shown)
    assert "anakinra" not in shown


def test_dates():
    """Where the file has dates the axis counts days, and says which date one of them is."""
    drawn = figure.draw(result(HEAD + "timepoints:\n  - {name: A, date: 2016-05-02}\n  - {name: B, date: 2016-05-12}\n"))
    assert "Day (day 0 is 2016-05-02)" in [axes.get_xlabel() for axes in panels(drawn)]


def test_what_the_authors_state_is_marked():
    """A cell that rests on the authors' word alone has an asterisk."""
    shown = texts(figure.draw(evaluate_document(load_document(ROOT / "samples/broglie-2017.yaml"), [criteria.load("hlh-2004")])))
    assert {"X", "X*", "–*", "?"} <= set(shown)


NASTY = ["$x^2$", "$\\\\frac{", "</text><script>", "a & b", 'id=\\"a\\" url(#b)', "入院 العربية", "w" * 200, "_hidden"]


@pytest.mark.parametrize("written", NASTY)
def test_text_of_the_file_is_literal(written):
    """No mathematics, no markup, no crash: names, drugs, doses and assays are shown as they are, or cut."""
    text = (
        f'patient: {{id: "{written}"}}\ntherapies:\n  - {{drug: "{written}", dose: "{written}", start: 0}}\n  - {{drug: "{written}"}}\n'
        f'timepoints:\n  - {{name: "{written}", day: 0, observations: {{sil2r: {{value: 900 U/mL, assay: "{written}"}}}}}}\n'
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = figure.svg(result(text))
        figure.save(result(text), io.BytesIO(), "png")
        figure.save(result(text), io.BytesIO(), "pdf")
    shown = [element.text or "" for element in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]
    literal = written.replace('\\"', '"').replace("\\\\", "\\")
    assert any(literal[:8] in text for text in shown)
    assert all(len(text) < 180 for text in shown)
    assert "<script" not in drawn


def boxes(drawn: Figure) -> list[tuple[float, float, float, float]]:
    drawn.draw_without_rendering()
    found = [text.get_window_extent() for text in drawn.axes[0].texts if text.get_text()]
    return [(box.x0, box.y0, box.x1, box.y1) for box in found]


def overlaps(drawn: Figure) -> int:
    """How many pairs of texts cover each other by more than a sliver (the height of a line that no letter fills)."""
    placed = sorted(boxes(drawn))
    pairs = ((a, b) for place, a in enumerate(placed) for b in placed[place + 1 :] if b[0] < a[2] - 1)
    return sum(min(a[3], b[3]) - max(a[1], b[1]) > 3 for a, b in pairs)


@pytest.mark.parametrize("many", [1, 3, 6, 13, 40])
def test_texts_do_not_overlap(many):
    """Long names, many time points and many drugs: the texts beside the panels keep clear of one another and of the edge."""
    name = "Very long name of a time point " * 5
    text = (
        HEAD
        + "therapies:\n"
        + "".join(
            f"  - {{drug: a drug with a name of thirty {n}, dose: {n} mg per kg, start: {n}, stop: {n + 1}}}\n" for n in range(9)
        )
    )
    text += "timepoints:\n" + "".join(
        f"  - {{name: {name}{n}, day: {n * 1.5 - 4}, observations: {{ferritin: {900 + n} ng/mL, crp: elevated, sil2r: 'normal, rising'}}}}\n"
        for n in range(many)
    )
    drawn = figure.draw(result(text))
    assert overlaps(drawn) == 0
    width, height = drawn.get_size_inches() * drawn.dpi
    assert all(x0 >= 0 and x1 <= width + 1 and y0 >= 0 and y1 <= height + 1 for x0, y0, x1, y1 in boxes(drawn))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_is_drawn(path):
    """Each sample, by a count and by a score, without a warning and without texts that overlap."""
    for name in ("hlh-2004", "hscore"):
        found = evaluate_document(load_document(path), [criteria.load(name)])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            drawn = figure.draw(found)
            assert overlaps(drawn) == 0


def test_svg_for_a_page():
    """An element without declaration: named and described in words, with ids of its own, and no date and no foreign style."""
    found = evaluate_document(load_document(ROOT / "samples/broglie-2017.yaml"), [criteria.load("hlh-2004")])
    drawn = figure.svg(found)
    assert drawn.startswith("<svg ")
    root = ET.fromstring(drawn)
    assert root.get("role") == "img"
    title, described = root[0], root[1]
    assert (title.tag.rpartition("}")[2], described.tag.rpartition("}")[2]) == ("title", "desc")
    assert root.get("aria-labelledby") == f"{title.get('id')} {described.get('id')}"
    assert "broglie-2017" in str(title.text)
    assert "Refractory (day 10): MET" in str(described.text)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert all(str(each).startswith(str(root.get("id"))) for each in ids)
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', drawn)) <= set(ids)
    assert "<metadata" not in drawn
    assert not re.search(r"\b20\d\d-\d\d-\d\d", drawn)
    assert all(f"#{root.get('id')} " in style for style in re.findall(r"<style[^>]*>(.*?)</style>", drawn, re.DOTALL))
    other = re.search(r' id="(hlh-\w+)"', figure.svg(result(ONE)))
    assert other
    assert other[1] != root.get("id")


@pytest.mark.parametrize("form", ["svg", "png", "pdf"])
def test_the_same_bytes_twice(form):
    """No date, no random id: a figure is reproduced. Only the title of an SVG, which is read aloud, says whose it is."""
    found = result("patient: {id: p7, age: 6 y, sex: female}\n" + ONE.removeprefix(HEAD))
    first, second = io.BytesIO(), io.BytesIO()
    figure.save(found, first, form)
    figure.save(found, second, form)
    assert first.getvalue() == second.getvalue()
    assert b"CreationDate" not in first.getvalue()
    assert (b"Course of p7 by hlh-2004" if form == "svg" else b"Course by hlh-2004") in first.getvalue()
    assert form == "svg" or b"p7" not in first.getvalue()
    assert b"female" not in first.getvalue()


def test_the_set_that_is_drawn():
    """The first one of the result."""
    for names, heading in ((("hlh-2004", "hscore"), "HLH-2004"), (("hscore", "hlh-2004"), "HScore")):
        assert any(heading in text for text in texts(figure.draw(result(ONE, *names))))


def test_every_letter_can_be_read():
    """At the width of two columns no text is smaller than 7 points."""
    drawn = figure.draw(result(ONE))
    assert drawn.get_size_inches()[0] == 7
    assert min(text.get_fontsize() for axes in drawn.axes for text in [*axes.texts, *axes.get_xticklabels(), axes.yaxis.label]) >= 7


def test_matplotlib_is_left_as_it_was():
    """No pyplot, and none of its settings changed for whoever uses it too."""
    code = (
        "import sys, io, matplotlib\n"
        "settings = lambda: {key: matplotlib.rcParams[key] for key in matplotlib.rcParams if key != 'backend'}\nbefore = settings()\n"
        "from hlhcli import criteria\nfrom hlhcli.api import evaluate_document, load_document\nfrom hlhcli.render import figure\n"
        "result = evaluate_document(load_document('samples/broglie-2017.yaml'), [criteria.load('hlh-2004')])\n"
        "for form in ('svg', 'png', 'pdf'): figure.save(result, io.BytesIO(), form)\n"
        "assert 'matplotlib.pyplot' not in sys.modules\nassert 'pandas' not in sys.modules\nassert settings() == before\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, "")

"""The course of one patient as a picture: criteria, therapy, temperature, ferritin and CRP, soluble IL-2 receptor."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from hashlib import sha256
from io import BytesIO
from math import ceil
from typing import Any, BinaryIO, Literal
from xml.sax.saxutils import escape

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator

from hlhcli import observables
from hlhcli.api import Result
from hlhcli.errors import printable
from hlhcli.render.grid import MARKS, VERDICT, Column, grids
from hlhcli.render.panels import (
    GREY,
    LINE,
    SIZE,
    Record,
    Span,
    advance,
    curve,
    draw_lane,
    draw_panel,
    draw_support,
    in_words,
    number,
    support,
    therapy_lanes,
)
from hlhcli.status import Status
from hlhcli.therapy import placed

Form = Literal["svg", "png", "pdf"]
WIDTH = 7.0  # inches: two columns of a journal
EDGE, _RIGHT = 0.08, 0.75  # inches at the edges, and for the axis at the right
_LEAST, _MOST = 0.85, 1.9  # inches for names at the left
_WIDEST, _NARROW = 1.3, 0.5  # inches of a column of the grid at most, and below which it has no room for names
_SAMPLE = 0.35  # inches of a line in a key
_AT_ONCE, _TAGS = 40, 3  # columns of the grid side by side, and rows of names above the lines of time points
_PANELS = (("temperature",), ("ferritin", "crp"), ("sil2r",))
_SIGNS = {status: mark.replace("-", "–") for status, mark in MARKS.items()}
_FONT, _OTHERS = "DejaVu Sans", ("Noto Sans CJK JP", "Noto Sans CJK SC", "Droid Sans Fallback", "Noto Sans Arabic")
BOLD: dict[str, Any] = {"weight": "bold", "family": _FONT}


def draw(result: Result) -> Figure:
    """The figure by the first set of criteria of the result."""
    with house_style():
        return _draw(_Subject(result))


def save(result: Result, target: BinaryIO, form: Form) -> None:
    """Write the figure to a stream of bytes: the same for the same result, with no date in them."""
    if form == "svg":
        target.write(b'<?xml version="1.0" encoding="utf-8"?>\n' + svg(result).encode())
        return
    subject = _Subject(result)
    made: dict[str, Any] = {"CreationDate": None} if form == "pdf" else {}
    with house_style():
        _draw(subject).savefig(target, format=form, dpi=300, metadata={"Title": f"Course by {subject.criteria.id}", **made})


def svg(result: Result) -> str:
    """The figure as an SVG element for a page: with ids and style of its own, and in words what it shows."""
    subject, buffer = _Subject(result), BytesIO()
    with house_style():
        _draw(subject).savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    drawn = buffer.getvalue().decode()
    drawn = drawn[drawn.index("<svg") :].rstrip() + "\n"
    own = f"hlh-{sha256(drawn.encode()).hexdigest()[:8]}"
    drawn = re.sub(r"<[^>]*>", lambda tag: _scoped(tag[0], own), drawn)
    drawn = drawn.replace('<style type="text/css">*{', f'<style type="text/css">#{own} *{{', 1)
    said = f'<title id="{own}-title">{escape(subject.title)}</title>\n<desc id="{own}-desc">{escape(subject.description)}</desc>\n'
    head, _, body = drawn.partition(">")
    return f'{head} id="{own}" role="img" aria-labelledby="{own}-title {own}-desc">\n{said}{body.lstrip()}'


def _scoped(tag: str, own: str) -> str:
    """A tag with ids that no other figure has, and fonts for a reader who lacks ours."""
    return re.sub(r'(font-family: [^;"]+)', r"\1, Verdana, sans-serif", re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{own}-", tag))


@contextmanager
def house_style() -> Iterator[None]:
    """The look of the figure, whatever matplotlib is set to elsewhere; a character that no font has is drawn as a box."""
    known = {font.name for font in fontManager.ttflist}
    look: dict[Any, Any] = {k: v for k, v in matplotlib.rcParamsDefault.items() if k not in ("backend", "interactive")}
    look |= dict.fromkeys(("font.size", "axes.labelsize", "xtick.labelsize", "ytick.labelsize"), SIZE)
    look |= dict.fromkeys(("axes.linewidth", "xtick.major.width", "ytick.major.width", "ytick.minor.width"), 0.6)
    look |= dict.fromkeys(("axes.spines.top", "axes.spines.right", "text.parse_math"), False)
    look |= {"font.family": [_FONT, *(name for name in _OTHERS if name in known)]}
    look |= {"svg.fonttype": "none", "svg.hashsalt": "hlhcli", "pdf.fonttype": 42}
    with matplotlib.rc_context(look), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        yield


class _Subject:
    """What the figure is about: one patient, by one set of criteria."""

    def __init__(self, result: Result) -> None:
        self.criteria = result.assessments[0].criteria
        self.assessments = tuple(each for each in result.assessments if each.criteria is self.criteria)
        self.grid = grids(result._replace(assessments=self.assessments))[0]
        self.record = Record(result.patient, [each.snapshot for each in self.assessments])
        self.therapies = placed(result.patient, self.record.history.calendar)
        self.panels = [[curve(self.record, name, self.criteria) for name in names] for names in _PANELS]
        self.id = printable(result.patient.patient.id or "patient", 60)
        self.title = f"Course of {self.id} by {self.criteria.id}"

    @property
    def description(self) -> str:
        """What the figure shows, in words."""
        columns = [f"{each.name} ({each.when or 'no day'}): {each.summary[VERDICT]}" for each in self.grid.columns]
        shown = [
            f"{each.observable.title}, {len(each.values)} values" + f" and {len(each.words)} in words" * bool(each.words)
            for panel in self.panels
            for each in panel
        ]
        given = ", ".join(dict.fromkeys(printable(each.therapy.drug) for each in self.therapies)) or "none stated"
        return f"{self.grid.title}. {'; '.join(columns)}. Over time: {'; '.join(shown)}. Therapy: {given}."


class Page:
    """A figure that is filled from the top down, in inches; its height is known at the end."""

    def __init__(self) -> None:
        self.figure = Figure(figsize=(WIDTH, 1))
        self.sheet = self.figure.add_axes((0, 0, 1, 1), zorder=5, xlim=(0, WIDTH))  # of all that belongs to no panel
        self.sheet.set_axis_off()
        self.top = 0.02
        self.notes: list[str] = []
        self.names: list[str] = []
        self.signs: dict[str, str] = {}
        self._placed: list[tuple[Axes, float, float, Span]] = []

    def write(self, x: float, y: float, text: str, **look: Any) -> None:
        """One line of text, `y` below the top of the next block."""
        self.sheet.text(x, self.top + y + LINE / 2, text, **{"va": "center", **look})

    def label(self, span: Span, text: str, color: str = "black") -> None:
        """The name of a lane, at the left of it."""
        self.write(span.left - 0.06, 0, self.fit(text, span.left - 0.06 - EDGE), ha="right", color=color)

    def panel(self, span: Span, height: float) -> Axes:
        axes = self.figure.add_axes((0, 0, 1, 1), label=str(len(self._placed)), xlim=(span.first, span.last))
        axes.patch.set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(10, steps=[1, 2, 5, 10], integer=True))
        axes.tick_params(axis="x", length=2, labelbottom=False)
        self._placed.append((axes, self.top, height, span))
        self.top += height
        return axes

    def lane(self, span: Span, height: float) -> Axes:
        """A part of the time axis without a frame."""
        axes = self.panel(span, height)
        axes.yaxis.set_major_locator(NullLocator())
        axes.set_ylim(0, 1)
        axes.spines[:].set_visible(False)
        axes.tick_params(axis="x", length=0)
        return axes

    def beside(self, main: Axes) -> Axes:
        """Axes in the same place, with their height at the right."""
        twin = main.twinx()
        twin.spines["right"].set_visible(True)
        self._placed += [(twin, top, height, span) for axes, top, height, span in self._placed if axes is main]
        return twin

    def heading(self, letter: str, span: Span, handles: Sequence[Line2D]) -> None:
        """The letter of a panel, and the key to its lines in as many rows as that takes."""
        self.top += 0.1
        self.write(EDGE, 0, letter, size=9, **BOLD)
        x = span.left
        for handle in handles:
            sample = _SAMPLE * (handle.get_linestyle() != "None")
            text = self.fit(str(handle.get_label()), WIDTH - EDGE - span.left - sample)
            if x > span.left and x + sample + self.width_of(text) > WIDTH - EDGE:
                x, self.top = span.left, self.top + LINE
            if sample:
                handle.set_data([x, x + sample / 2 - 0.03, x + sample - 0.06], [self.top + LINE / 2] * 3)
                handle.set_markevery([1])
                self.sheet.add_line(handle)
            self.write(x + sample, 0, text)
            x += sample + self.width_of(text) + 0.15
        self.top += LINE + 0.06

    def rows(self, wanted: Sequence[tuple[float, float]], span: Span) -> list[tuple[int, float]]:
        """For texts by middle and width the row in which each touches no other, and its middle there, within the axis."""
        ends: list[float] = []
        found: dict[int, tuple[int, float]] = {}
        for place in sorted(range(len(wanted)), key=lambda place: wanted[place]):
            middle, half = wanted[place][0], wanted[place][1] / 2
            x = max(min(middle, span.left + span.width - half), span.left + half)
            row = next((row for row, end in enumerate(ends) if end + 0.08 <= x - half), len(ends))
            ends[row : row + 1] = [x + half]
            found[place] = (row, x)
        return [found[place] for place in range(len(wanted))]

    def width_of(self, text: str) -> float:
        """The width of one line of text in inches."""
        return sum(map(advance, text))

    def fit(self, text: str, width: float) -> str:
        """The text, cut to a width in inches."""
        if self.width_of(text) <= width:
            return text
        while text and self.width_of(text + "…") > width:
            text = text[:-1]
        return text.rstrip() + "…"

    def wrap(self, text: str, width: float) -> list[str]:
        """The lines of the text, none wider than `width` inches, broken between words where that is possible."""
        lines = [""]
        for word in text.split(" "):
            if self.width_of(f"{lines[-1]} {word}") <= width or not lines[-1]:
                lines[-1] = f"{lines[-1]} {word}".strip()
            else:
                lines.append(word)
            while self.width_of(lines[-1]) > width and len(lines[-1]) > 1:
                cut = self.fit(lines[-1], width)[:-1] or lines[-1][0]
                lines[-1:] = [cut, lines[-1][len(cut) :].strip()]
        return lines

    def finish(self) -> Figure:
        """Give the figure its height, and every part its place."""
        height = self.top + EDGE
        self.figure.set_size_inches(WIDTH, height)
        self.sheet.set_ylim(height, 0)
        for axes, top, tall, span in self._placed:
            axes.set_position((span.left / WIDTH, 1 - (top + tall) / height, span.width / WIDTH, tall / height))
        return self.figure


def _draw(subject: _Subject) -> Figure:
    page, history = Page(), subject.record.history
    page.write(WIDTH - EDGE, 0, subject.id, ha="right", color=GREY)
    _grid(page, subject)
    lanes = therapy_lanes(subject.therapies)
    given = {observables.get(name).title: seen for name in observables.SUPPORT if (seen := support(subject.record, name))}
    dated = [(place, each) for place, each in enumerate(subject.assessments, 1) if each.day is not None]
    days = [number(each.day) for _, each in dated if each.day is not None]
    ends = [day for each in subject.therapies for day in (each.start, each.stop)]
    ends += [day for seen in given.values() for day, _ in seen]
    found = [*days, *(number(day) for day in ends if day is not None)]
    found += [day for panel in subject.panels for each in panel for day in each.days]
    spoken = [in_words(each.observable.title) for panel in subject.panels for each in panel if each.words]
    span = _span(page, found, [*(label for label, _ in lanes), *given, *spoken])
    stack = [_tags(page, span, [(f"T{place}", printable(each.timepoint, 30)) for place, each in dated], days)]
    stack += [draw_lane(page, span, label, courses) for label, courses in lanes]
    stack += [draw_support(page, span, label, seen) for label, seen in given.items()]
    for letter, curves in zip("BCD", subject.panels, strict=True):
        stack += draw_panel(page, span, letter, curves, subject.criteria)
    for axes in stack:
        axes.vlines(days, 0, 1, transform=axes.get_xaxis_transform(), color="#999999", linewidth=0.6, linestyle=":", zorder=0)
        if not found:
            axes.xaxis.set_major_locator(NullLocator())
    stack[-1].tick_params(axis="x", length=2, labelbottom=True)
    start = min(found, default=0)
    zero = Fraction(0 if start <= 0 <= max(found, default=0) else ceil(start))
    date = history.calendar.date(zero)
    stack[-1].set_xlabel("No day is stated" if not found else f"Day (day {zero} is {date})" if date else "Day")
    page.top += 0.35
    _notes(page, subject)
    return page.finish()


def _span(page: Page, days: Sequence[float], labels: Sequence[str]) -> Span:
    """The time axis over these days with some room at both ends, and at its left for the names of the lanes."""
    first, last = min(days, default=0), max(days, default=0)
    pad = (last - first) * 0.04 or 1
    left = min(max([_LEAST, *(page.width_of(label) + 0.2 for label in labels)]), _MOST)
    return Span(first - pad, last + pad, left, WIDTH - left - _RIGHT)


def _tags(page: Page, span: Span, names: Sequence[tuple[str, str]], days: Sequence[float]) -> Axes:
    """The names of the time points above their lines, or their tags alone where the names do not fit."""
    page.top += 0.08
    for texts in ([f"{tag} {name}" for tag, name in names], [tag for tag, _ in names]):
        places = page.rows([(span.inches(day), page.width_of(text)) for text, day in zip(texts, days, strict=True)], span)
        rows = max((row for row, _ in places), default=0) + 1
        if rows < _TAGS:
            break
    for (row, x), text in zip(places, texts, strict=True):
        if row < _TAGS:
            page.write(x, (min(rows, _TAGS) - 1 - row) * LINE, text, ha="center", color=GREY)
    page.notes += ["Time points close to others stand without a name above their line."] * (rows > _TAGS)
    page.top += min(rows, _TAGS) * LINE
    return page.lane(span, 0.05)


def _grid(page: Page, subject: _Subject) -> None:
    """Panel A: the criteria at each time point, in as many blocks as it takes, and what stands below them."""
    grid = subject.grid
    page.write(EDGE, 0, "A", size=9, **BOLD)
    page.write(EDGE + 0.2, 0, page.fit(printable(grid.title), WIDTH - page.width_of(subject.id) - 0.6))
    page.top += 0.2
    labels = [each for each in grid.labels if each == VERDICT or re.match(r"Range|Score|Ratio|.*needed\)$", each)]
    left = min(max(page.width_of(text) for text in (*grid.rows, *labels)), _MOST) + 2 * EDGE
    at_once = min(len(grid.columns), _AT_ONCE)
    width = min((WIDTH - EDGE - left) / at_once, _WIDEST)
    for start in range(0, len(grid.columns), at_once):
        columns = list(enumerate(grid.columns, 1))[start : start + at_once]
        middles = [left + width * (place + 0.5) for place in range(len(columns))]
        _texts(page, "", middles, [_head(page, place, column, width - 0.06) for place, column in columns], width)
        for row, title in enumerate(grid.rows):
            page.write(EDGE, 0, page.fit(title, left - 2 * EDGE))
            met = [x - width / 2 for x, (_, column) in zip(middles, columns, strict=True) if column.cells[row].status is Status.MET]
            page.sheet.broken_barh([(x, width) for x in met], (page.top, LINE), facecolors="#fbe3d6", zorder=0)
            for x, (place, column) in zip(middles, columns, strict=True):
                strong = BOLD if column.cells[row].status is Status.MET else {}
                page.write(x, 0, _mark(subject, place, column, row), ha="center", **strong)
            page.top += LINE
        page.sheet.plot([EDGE, left + width * len(columns)], [page.top + 0.015] * 2, color="black", linewidth=0.6)
        page.top += 0.03
        for label in labels:
            page.write(EDGE, 0, page.fit(label, left - 2 * EDGE))
            _texts(page, label, middles, [_below(page, column, label, width - 0.06) for _, column in columns], width)
        page.top += 0.08


def _texts(page: Page, label: str, middles: Sequence[float], texts: Sequence[list[str]], width: float) -> None:
    """A row of the grid with lines of text; turned on their side where one of them is wider than its column."""
    widest = max(page.width_of(line) for lines in texts for line in lines)
    turned = widest > width
    for x, lines in zip(middles, texts, strict=True):
        for place, line in enumerate(lines):
            strong = BOLD if label == VERDICT or (not label and not place) else {}
            page.write(x, widest / 2 - LINE / 2 if turned else place * LINE, line, ha="center", rotation=90 * turned, **strong)
    page.top += 0.03 + (widest * 1.1 if turned else max(map(len, texts)) * LINE)


def _head(page: Page, place: int, column: Column, width: float) -> list[str]:
    """The tag of a time point, and its name and day where there is room for them; else they go into the notes."""
    name, when = column.name, column.when or "no day"
    lines = page.wrap(name, width) if width > _NARROW else []
    if not 0 < len(lines) <= 3:
        page.names.append(f"T{place} {printable(name, 80)} ({when})")
        lines = [page.fit(name, width)] * bool(lines)
    return [f"T{place}", *lines, *([page.fit(when, width)] if lines and when != name.casefold() else [])]


def _below(page: Page, column: Column, label: str, width: float) -> list[str]:
    """What stands below a column; the sign of its verdict where the words do not fit."""
    text = column.summary.get(label, "").capitalize()
    if label != VERDICT:
        return page.wrap(text, width) if width > _NARROW else [text]
    fits = all(page.width_of(word) * 1.15 <= width for word in text.split(" "))  # bold letters are wider
    return page.wrap(text, width / 1.15) if fits else [_SIGNS[column.verdict]]


def _mark(subject: _Subject, place: int, column: Column, row: int) -> str:
    """The mark of a cell: `*` where the authors state it without a value, `!` where its value is doubtful."""
    items = subject.assessments[place - 1].items
    item = row - (len(column.cells) - len(items))
    doubtful = any(line.endswith(" !") for line in column.cells[row].lines)
    return _SIGNS[column.cells[row].status] + "*" * (item >= 0 and items[item].reported) + "!" * doubtful


def _notes(page: Page, subject: _Subject) -> None:
    """How to read the figure, and what could not be placed in it."""
    said = ("counts", "counts nothing", "not yet known") if subject.criteria.score else ("met", "not met", "unknown")
    key = [f"{_SIGNS[status]} {word}" for status, word in zip((Status.MET, Status.NOT_MET, Status.UNKNOWN), said, strict=True)]
    cells = [(place, column, row) for place, column in enumerate(subject.grid.columns, 1) for row in range(len(column.cells))]
    marks = "".join(_mark(subject, *cell) for cell in cells)
    key += ["* as the authors state it, without a value"] * ("*" in marks) + ["! doubtful"] * ("!" in marks)
    kinds = {value.kind for panel in subject.panels for each in panel for value in each.values}
    read = ["Arrow: above or below that number."] * bool(kinds & {"above", "below"}) + ["Bar: range."] * ("range" in kinds)
    read += ["Lines join exact values that follow each other, measured alike."] * ("exact" in kinds)
    read += ["In words: " + ", ".join(f"{sign} {word}" for sign, word in page.signs.items()) + "."] * bool(page.signs)
    undated = ", ".join(f"T{place}" for place, each in enumerate(subject.assessments, 1) if each.day is None)
    loose = [each.therapy for each in subject.therapies if each.start is None]
    without = ", ".join(f"{therapy.drug} {therapy.dose or ''}".strip() for therapy in loose)
    notes = [
        f"{', '.join(key)}. Criteria: {subject.criteria.id} version {subject.criteria.version}; not a diagnosis.",
        " ".join(read),
        *[f"Without a day, and not on the time axis: {undated}."] * bool(undated),
        *[f"Given, without a stated start: {without}."] * bool(without),
        *[f"Time points: {'; '.join(page.names)}."] * bool(page.names),
        *page.notes,
    ]
    page.top += 0.06
    for line in [line for note in notes if note for line in page.wrap(printable(note), WIDTH - 2 * EDGE)]:
        page.write(EDGE, 0, line)
        page.top += LINE

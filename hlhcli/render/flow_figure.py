"""The summary of a cohort as a picture: from all that were screened to the verdicts, and what the indeterminate wait for."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, get_args
from xml.sax.saxutils import escape

from matplotlib.figure import Figure

from hlhcli.cohort.summary import Both, Flow, Summary
from hlhcli.errors import InputError, Problem, printable
from hlhcli.render.figure import BOLD, EDGE, WIDTH, Form, Page, house_style
from hlhcli.render.flow import definitions, head, missing, missing_head, notes, population, remarks, share
from hlhcli.render.output import in_bytes
from hlhcli.render.panels import GREY, LINE

SIDE_BY_SIDE = 3  # sets
_GAP = 0.18  # inches between boxes, and between sets
_INSIDE = 0.06  # inches between a box and its text
_LEAST = 1.3  # inches that a box needs at least, to stand beside others
_SPINE, _INDENT = 0.1, 0.28  # inches from the left to the line from which the boxes hang that have no room beside, and to them
_ITEMS = 16  # bars of a set
_BAR, _SHORTEST = 0.09, 1.0  # inches: the height of a bar, and the longest at least, where there is room for the counts beside it
_DARK, _LIGHT = "#0072B2", "#b3d4e8"  # dark and light also in print without color
_BOXES = {"Met": "#fbe3d6", "Indeterminate": "#fdf3cf", "Not met": "#ddefe7"}


class _Box(NamedTuple):
    """A box in inches from the left and from the top."""

    left: float
    top: float
    width: float
    height: float

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def middle(self) -> float:
        return self.left + self.width / 2


def draw_flow(summary: Summary, path: Path) -> None:
    """Write the picture to a file whose name ends in .svg, .png or .pdf: the same bytes for the same summary.

    Raises InputError where the name asks for another form, or there are more sets than have room.
    """
    form = next((form for form in get_args(Form) if path.suffix.lower() == f".{form}"), None)
    if form is None:
        raise InputError([Problem(str(path), "cannot be drawn; choose a name that ends in .svg, .png or .pdf")])
    picture = _picture(summary, form)
    with in_bytes(path) as stream:
        stream.write(picture)


def _picture(summary: Summary, form: Form) -> bytes:
    if not summary.sets:
        raise InputError([Problem(summary.source, "holds no assessments: there is nothing to draw")])
    if len(summary.sets) > SIDE_BY_SIDE:
        known = ", ".join(each.id for each in summary.sets)
        said = f"holds {len(summary.sets)} sets of criteria, and a picture has room for {SIDE_BY_SIDE}; choose among {known}"
        raise InputError([Problem(summary.source, printable(said))])
    title, buffer = _title(summary), BytesIO()
    made: dict[str, Any] = {"CreationDate": None} if form == "pdf" else {}
    if form == "svg":
        made = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with house_style():
        _draw(summary).savefig(buffer, format=form, dpi=300, metadata={"Title": title, **made})
    if form != "svg":
        return buffer.getvalue()
    drawn = buffer.getvalue().decode()
    opening, _, body = drawn[drawn.index("<svg") :].partition(">")
    said = f'<title id="title">{escape(title)}</title>\n<desc id="desc">{escape(_description(summary))}</desc>'
    lines = ['<?xml version="1.0" encoding="utf-8"?>', f'{opening} role="img" aria-labelledby="title desc">', said, body.lstrip()]
    return "\n".join(lines).encode()


def _title(summary: Summary) -> str:
    return f"Cohort by {', '.join(printable(each.id) for each in summary.sets)}"


def _description(summary: Summary) -> str:
    """What the picture shows, in words."""
    said = []
    for flow in summary.sets:
        counts = [("screened", flow.screened), ("assessable", flow.assessable), ("met", flow.met)]
        counts += [("indeterminate", flow.indeterminate), ("not met", flow.not_met)]
        said.append(f"{head(flow)}: {', '.join(f'{word} {_both(each)}' for word, each in counts)}")
        if found := missing(flow):
            said.append(f"{missing_head(flow)}: {', '.join(f'{printable(each.item)} {each.unknown:,}' for each in found)}")
    return ". ".join(said) + "."


def _both(each: Both) -> str:
    return f"{each.assessments:,} assessments ({each.persons:,} persons)"


def _draw(summary: Summary) -> Figure:
    page = Page()
    page.top += 0.06
    page.write(EDGE, 0, page.fit(_title(summary), WIDTH * 0.55), size=9, **BOLD)
    page.write(WIDTH - EDGE, 0, page.fit(printable(Path(summary.source).name), WIDTH * 0.4), ha="right", color=GREY)
    page.top += 0.24
    number = len(summary.sets)
    width = (WIDTH - 2 * EDGE - _GAP * (number - 1)) / number
    columns = [_Column(page, flow, EDGE + place * (width + _GAP), width) for place, flow in enumerate(summary.sets)]
    start = page.top
    middle = max(column.flow_chart(start) for column in columns) + 0.12
    page.top = max(column.bars(middle) for column in columns) + 0.08
    key = ["Shares are of the box before, or of the indeterminate."]
    if any(each.one_away for flow in summary.sets for each in missing(flow)):
        key.append("Dark: one away.")
    said = [" ".join([*key, definitions(summary)])]
    said += [f"{head(flow)}: {note}." for flow in summary.sets for note in notes(flow)]
    said += [f"{remark}." for remark in remarks(summary)]
    for line in [line for text in said for line in page.wrap(text, WIDTH - 2 * EDGE)]:
        page.write(EDGE, 0, line)
        page.top += LINE
    return page.finish()


class _Column:
    """One set of criteria, between two edges."""

    def __init__(self, page: Page, flow: Flow, left: float, width: float) -> None:
        self.page, self.flow, self.left, self.width = page, flow, left, width
        self.third = (width - 2 * _GAP) / 3
        self.hanging = self.third < _LEAST  # no box has room beside another
        self.main = width if self.hanging else width * 0.56

    def flow_chart(self, top: float) -> float:
        """The boxes from the top down; where they end."""
        flow, page = self.flow, self.page
        page.sheet.text(self.left, top + LINE / 2, page.fit(head(flow), self.width / 1.15), va="center", **BOLD)
        box = self._box(_Box(self.left, top + LINE + 0.06, self.main, 0), "Screened", flow.screened, None)
        box = self._next(box, "Nothing known", flow.nothing_known, "Assessable", flow.assessable, flow.screened)
        others = flow.not_made_for
        if others.assessments or flow.population_unknown.assessments:
            box = self._next(box, "Of another population", others, population(flow), flow.judged, flow.assessable)
        return self._verdicts(box)

    def _next(self, above: _Box, leaving: str, left: Both, label: str, count: Both, of: Both) -> _Box:
        """What leaves after a box, and the box of what goes on."""
        x = self.left + _SPINE if self.hanging else above.middle
        y = above.bottom + _GAP
        if left.assessments:
            indent = _INDENT if self.hanging else self.main + _GAP
            top = above.bottom + _INSIDE * self.hanging
            beside = self._box(_Box(self.left + indent, top, self.width - indent, 0), leaving, left, of)
            turn = beside.top + beside.height / 2
            self._arrow(x, turn, beside.left, turn)
            y = beside.bottom + _INSIDE * self.hanging
        box = self._box(_Box(self.left, y, self.main, 0), label, count, of)
        self._arrow(x, above.bottom, x, box.top)
        return box

    def _verdicts(self, above: _Box) -> float:
        """Met, indeterminate and not met, side by side or, where that is too narrow, below each other."""
        flow = self.flow
        counts = {"Met": flow.met, "Indeterminate": flow.indeterminate, "Not met": flow.not_met}
        if self.hanging:
            y, spine = above.bottom + _INSIDE, self.left + _SPINE
            turn = y
            for label, count in counts.items():
                box = self._box(_Box(self.left + _INDENT, y, self.width - _INDENT, 0), label, count, flow.judged, _BOXES[label])
                turn = box.top + box.height / 2
                self._arrow(spine, turn, box.left, turn)
                y = box.bottom + _INSIDE
            self._line([spine, spine], [above.bottom, turn])
            return y
        turn = above.bottom + 0.7 * _GAP
        lefts = [self.left + place * (self.third + _GAP) for place in range(len(counts))]
        self._line([above.middle, above.middle], [above.bottom, turn])
        self._line([lefts[0] + self.third / 2, lefts[-1] + self.third / 2], [turn, turn])
        y = above.bottom + 1.6 * _GAP
        for left, (label, count) in zip(lefts, counts.items(), strict=True):
            box = self._box(_Box(left, y, self.third, 0), label, count, flow.judged, _BOXES[label])
            self._arrow(box.middle, turn, box.middle, box.top)
        return box.bottom

    def _box(self, at: _Box, label: str, count: Both, of: Both | None, color: str = "white") -> _Box:
        """A box around a name and its numbers, as high as they need."""
        page, room = self.page, at.width - 2 * _INSIDE
        lines = [(line, True) for line in page.wrap(label, room / 1.15)]
        for word, number, total in zip(Both._fields, count, of or (0, 0), strict=True):
            part = f" ({share(number, total)})" if total else ""
            lines += [(line, False) for line in page.wrap(f"{number:,} {word}{part}", room)]
        box = at._replace(height=len(lines) * LINE + 2 * _INSIDE)
        page.sheet.broken_barh([(box.left, box.width)], (box.top, box.height), facecolors=color, edgecolor="black", linewidth=0.6)
        for place, (line, strong) in enumerate(lines):
            look = BOLD if strong else {}
            y = box.top + _INSIDE + (place + 0.5) * LINE
            page.sheet.text(box.left + _INSIDE, y, line, va="center", **look)
        return box

    def bars(self, top: float) -> float:
        """How often each item is unknown in the indeterminate assessments; where that ends."""
        flow, page, found = self.flow, self.page, missing(self.flow)
        if not found:
            return top
        for line in page.wrap(missing_head(flow), self.width):
            page.sheet.text(self.left, top + LINE / 2, line, va="center")
            top += LINE
        top += 0.04
        total, shown = flow.indeterminate.assessments, found[:_ITEMS]
        values = [f"{each.unknown:,} ({share(each.unknown, total)})" for each in shown]
        names = [page.fit(printable(each.item), self.width * 0.46) for each in shown]
        left = self.left + max(map(page.width_of, names)) + 0.06
        full = self.left + self.width - left - max(map(page.width_of, values)) - 0.06
        if full < _SHORTEST:
            values = [share(each.unknown, total) for each in shown]
            full = self.left + self.width - left - max(map(page.width_of, values)) - 0.06
        for name, value, each in zip(names, values, shown, strict=True):
            y, length = top + LINE / 2, full * each.unknown / total
            page.sheet.text(left - 0.05, y, name, va="center", ha="right")
            spans = [(length, _LIGHT), (full * (each.one_away or 0) / total, _DARK)]
            for long, color in spans:
                page.sheet.broken_barh([(left, long)], (y - _BAR / 2, _BAR), facecolors=color)
            page.sheet.text(left + length + 0.05, y, value, va="center")
            top += LINE
        self._line([left, left], [top - len(shown) * LINE, top])
        if len(found) > len(shown):
            page.sheet.text(self.left, top + LINE / 2, f"and {len(found) - len(shown)} more items", va="center", color=GREY)
            top += LINE
        return top

    def _line(self, x: list[float], y: list[float]) -> None:
        self.page.sheet.plot(x, y, color="black", linewidth=0.6)

    def _arrow(self, x: float, y: float, to_x: float, to_y: float) -> None:
        look = {"arrowstyle": "-|>", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 6, "facecolor": "black"}
        self.page.sheet.annotate("", (to_x, to_y), (x, y), arrowprops=look)

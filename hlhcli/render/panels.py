"""What the figure shows over time: curves that break where nothing was measured, cut-offs, words in a strip, lanes of therapy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache
from itertools import cycle, pairwise
from math import log10
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from hlhcli import observables, rules
from hlhcli.errors import printable
from hlhcli.history import History
from hlhcli.observables import Observable, Unit
from hlhcli.observations import Finding, Missing, Observation, Qualitative, Quantity
from hlhcli.patient import Patient
from hlhcli.quantity import exact_text, number_text, point
from hlhcli.render.grid import UNITS
from hlhcli.rules import CriteriaSet
from hlhcli.snapshot import Snapshot
from hlhcli.therapy import Placed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hlhcli.render.figure import Page

GREY, _DARK = "#555555", "#333333"
SIZE, LINE = 7, 0.125  # points of text, and inches from line to line
_LOOKS: tuple[tuple[str, str, Any], ...] = (  # of an assay: a color of Okabe and Ito, and a marker and a line for print without
    ("#0072B2", "o", "-"), ("#D55E00", "s", "--"), ("#009E73", "D", "-."), ("#CC79A7", "^", ":"),
    ("#56B4E9", "v", (0, (6, 1, 1, 1, 1, 1))), ("#E69F00", "P", (0, (1, 2))), ("#000000", "X", (0, (8, 2))),
)  # fmt: skip
_HOLLOW = "s^P"  # what lies behind stays visible
_DASHES = ((0, (5, 3)), (0, (1, 2)), (0, (7, 2, 1, 2)), (0, (2, 1)))  # of cut-offs, one after the other
_ARROW = ((-0.35, 0), (0.35, 0), (0, 0), (0, 1), (-0.3, 0.6), (0, 1), (0.3, 0.6))
_STROKES = [Path.MOVETO, Path.LINETO, Path.MOVETO, Path.LINETO, Path.MOVETO, Path.LINETO, Path.LINETO]
_ARROWS = {"above": Path(_ARROW, _STROKES), "below": Path([(x, -y) for x, y in _ARROW], _STROKES)}
_OPERATORS = {">=": "≥", "<=": "≤"}
_DECADES = 20  # the highest over the lowest value from which an axis is logarithmic
_ROOM = 0.14  # of an axis, above and below what it shows
_TALL, _LOW, _LANE = 1.2, 0.35, 0.14  # inches of a panel with numbers, of one without, and of a lane
_ROWS = 3  # of words under a panel at most; where they need more, signs take their place
_SHORT = {"normal": "N", "elevated": "H", "low": "L", "rising": "↗", "falling": "↘", "fever": "F", "no fever": "–"}

Kind = Literal["exact", "range", "above", "below"]
Look = tuple[str, str, Any]


class Span(NamedTuple):
    """The days of the time axis, and where in the figure it lies, in inches."""

    first: float
    last: float
    left: float
    width: float

    def inches(self, day: float) -> float:
        return self.left + (day - self.first) / (self.last - self.first) * self.width


class Value(NamedTuple):
    """A number on its day, for drawing alone. Of what lies only above or below a number, both ends are that number."""

    day: float
    low: float
    high: float
    kind: Kind
    doubtful: bool


class Group(NamedTuple):
    """The values of one assay: runs of exact ones, each joined by a line, and others, which no line reaches."""

    assay: str | None
    runs: list[list[Value]]
    others: list[Value]


class Curve(NamedTuple):
    """What was observed of one quantity, in `unit`: numbers by assay, words on their days, and as notes what is not drawn."""

    observable: Observable
    unit: Unit
    groups: list[Group]
    words: list[tuple[float, str]]
    notes: list[str]

    @property
    def values(self) -> list[Value]:
        return [value for group in self.groups for part in (*group.runs, group.others) for value in part]

    @property
    def days(self) -> list[float]:
        return [*(value.day for value in self.values), *(day for day, _ in self.words)]


class Record:
    """What a file states of a patient, in the order of time."""

    def __init__(self, patient: Patient, snapshots: Sequence[Snapshot]) -> None:
        self.patient, self.history = patient, History(patient, snapshots)

    def of(self, name: str) -> list[tuple[Fraction | None, Observation]]:
        """Every observation with its day, or None: nothing from a window, nothing adapted to a treatment."""
        series, holds = self.patient.series.get(name), self.patient.background.get(name)
        by_day: dict[Fraction | None, list[Observation]] = {}
        for when, one in series.points if series else ():
            by_day.setdefault(self.history.calendar.day(when), []).append(one)
        found: list[tuple[Fraction | None, Observation]] = []
        for day, snapshot, _ in self.history.instants:
            own = snapshot.timepoint.observations.get(name) if snapshot else None
            stated = holds if snapshot and (own is None or isinstance(own.value, Missing)) else own
            here = by_day.get(day, []) if snapshot is None else [each for each in (stated or own,) if each]
            found += [(day, one) for one in here]
        known = {day for day, one in found if day is not None and not isinstance(one.value, Missing)}
        found = [(day, one) for day, one in found if day not in known or not isinstance(one.value, Missing)]
        return found + [(None, one) for one in by_day.get(None, ())]


def number(exact: Fraction) -> float:
    """The nearest number, for a coordinate; never compared with a cut-off."""
    return exact.numerator / exact.denominator


def _unit_text(unit: Unit) -> str:
    return UNITS.get(unit.name, unit.name)


def _thresholds(criteria: CriteriaSet, name: str) -> list[rules.Threshold]:
    found = [leaf for leaf in rules.leaves(criteria.verdict) if isinstance(leaf, rules.Threshold)]
    return [leaf for leaf in found if leaf.observable == name and not leaf.at]


def cutoffs(criteria: CriteriaSet, curve: Curve) -> dict[str, float]:
    """Where each cut-off of the set lies, by what it says: the edge in the unit of the axis, else one converted exactly."""
    found = {}
    for leaf in _thresholds(criteria, curve.observable.name):
        edges = [edge for edge in leaf.edges if edge.unit.convertible(curve.unit)]
        for edge in sorted(edges, key=lambda edge: edge.unit is not curve.unit)[:1]:
            said = f"{_OPERATORS.get(edge.operator, edge.operator)} {number_text(edge.number)} {_unit_text(edge.unit)}"
            found[f"{said} ({criteria.id})"] = number(edge.unit.convert(point(edge.number), curve.unit).lo or Fraction(0))
    return found


def curve(record: Record, name: str, criteria: CriteriaSet) -> Curve:
    """What there is to draw of one quantity."""
    entries, observable = record.of(name), observables.get(name)
    unit = _unit(
        observable, [one.value.unit for day, one in entries if day is not None and isinstance(one.value, Quantity)], criteria
    )
    groups: dict[str | None, Group] = {}
    running: dict[str | None, list[Value]] = {}  # by assay, the run that the next value goes on
    words, elsewhere = [], []
    for day, one in entries:
        if day is None or not isinstance(one.value, Quantity):
            running = {}  # no line goes over what is missing, over a word, or over a value without a day
            words += [(number(day), one.value.text)] if day is not None and isinstance(one.value, Qualitative) else []
        elif not one.value.unit.convertible(unit):
            elsewhere.append(f"day {exact_text(day)} {one.value.text}")
        else:
            group = groups.setdefault(one.assay, Group(one.assay, [], []))
            value = _value(number(day), one, one.value, unit)
            if value.kind != "exact":
                running.pop(one.assay, None)
                group.others.append(value)
            elif one.assay in running:
                running[one.assay].append(value)
            else:
                running[one.assay] = [value]
                group.runs.append(running[one.assay])
    shown = "; ".join(elsewhere[:3]) + f"; and {len(elsewhere) - 3} more" * (len(elsewhere) > 3)
    notes = [f"{observable.title} in a unit that cannot be converted, not drawn: {shown}."] * bool(elsewhere)
    other = [leaf.text for leaf in _thresholds(criteria, name) if not any(edge.unit.convertible(unit) for edge in leaf.edges)]
    notes += [f"No line, as the axis has another unit: {'; '.join(other)} ({criteria.id})."] * bool(other and groups)
    series = record.patient.series.get(name)
    loose = [when for when, _ in series.points if record.history.calendar.day(when) is None] if series else []
    notes += [f"{observable.title}: {len(loose)} with a date that has no place among the days, not drawn."] * bool(loose)
    stated = [(day, one.value) for day, one in record.of("fever") if name == "temperature"]
    words += [
        (number(day), "no fever" if v.values == {"no"} else "fever")
        for day, v in stated
        if day is not None and isinstance(v, Finding)
    ]
    return Curve(observable, unit, list(groups.values()), sorted(words), notes)


def _unit(observable: Observable, units: list[Unit], criteria: CriteriaSet) -> Unit:
    """The unit most written among those to which most values can be converted; at a draw, those of the cut-off."""
    if not units:
        return observable.units.require(observable.conventional)
    wanted = {edge.unit.apart for leaf in _thresholds(criteria, observable.name) for edge in leaf.edges}
    alike = Counter(unit.apart for unit in units)
    family = max(alike, key=lambda apart: (alike[apart], apart in wanted))
    return Counter(unit for unit in units if unit.apart == family).most_common(1)[0][0]


def _value(day: float, one: Observation, quantity: Quantity, unit: Unit) -> Value:
    written, here = quantity.interval, quantity.unit.convert(quantity.interval, unit)
    low, high = number(here.lo or Fraction(0)), number(here.hi or Fraction(0))
    if written.hi is None:
        return Value(day, low, low, "above", bool(one.doubt))
    if not written.is_point and not written.lo:
        return Value(day, high, high, "below", bool(one.doubt))
    return Value(day, low, high, "exact" if written.is_point else "range", bool(one.doubt))


@cache
def advance(character: str) -> float:
    """How far a character moves on, in inches."""
    font = FontProperties(size=SIZE * 10)
    both, bare = (text_to_path.get_text_width_height_descent(text, font, False)[0] for text in (f"x{character}x", "xx"))
    return (both - bare) / 720 * 1.02  # at a low resolution a letter may be wider


def draw_panel(page: Page, span: Span, letter: str, curves: Sequence[Curve], criteria: CriteriaSet) -> list[Axes]:
    """A panel with one quantity, or two on twin axes, and the strips of words below it; its axes from top to bottom."""
    looks, dashes = cycle(_LOOKS), cycle(_DASHES)
    drawn = [[(group, next(looks)) for group in each.groups] for each in curves]
    cuts = [[(*cut, next(dashes)) for cut in cutoffs(criteria, each).items()] if each.values else [] for each in curves]
    handles = [handle for each, groups in zip(curves, drawn, strict=True) for handle in _key(each, groups)]
    handles += [Line2D([], [], color=GREY, linestyle=dash, linewidth=0.9, label=said) for lines in cuts for said, _, dash in lines]
    some = any(drawn)
    page.heading(letter, span, handles if some else [])
    main = page.panel(span, _TALL if some else _LOW)
    for place, (each, groups, lines) in enumerate(zip(curves, drawn, cuts, strict=True)):
        axes = main
        if place and groups:
            axes = page.beside(main)
        if groups or not place:
            _axis(axes, span, each, [height for _, height, _ in lines], place == 0)
        for _, height, dash in lines:
            axes.axhline(height, color=GREY, linestyle=dash, linewidth=0.9, zorder=1, label="cut-off")
        for group, look in groups:
            axes.yaxis.label.set_color(groups[0][1][0])
            _draw_group(axes, group, look)
    if not some:
        said = "no numbers; in words below" if any(each.words for each in curves) else "no values"
        said = f"{' and '.join(each.observable.title for each in curves)}: {said}"
        main.text(
            0.5, 0.5, said, transform=main.transAxes, ha="center", va="center", color=GREY, style="italic", family="DejaVu Sans"
        )
    page.notes += [note for each in curves for note in each.notes]
    return [main, *(_words(page, span, each.observable.title, each.words) for each in curves if each.words)]


def _key(each: Curve, drawn: Sequence[tuple[Group, Look]]) -> list[Line2D]:
    """What the key says of a quantity: its assays, or that there are no numbers."""
    title = each.observable.title
    if not drawn:
        return [Line2D([], [], linestyle="none", label=f"{title}: {'in words below' if each.words else 'no values'}")]
    names = [f"{title}, {printable(group.assay, 40)}" if group.assay else title for group, _ in drawn]
    return [Line2D([], [], label=name, **_look(look)) for name, (_, look) in zip(names, drawn, strict=True)]


def _look(look: Look) -> dict[str, Any]:
    color, marker, line = look
    face = "none" if marker in _HOLLOW else color
    return {"color": color, "marker": marker, "markersize": 4, "markerfacecolor": face, "linestyle": line, "linewidth": 1}


def _axis(axes: Axes, span: Span, each: Curve, cuts: list[float], left: bool) -> None:
    """Limits, ticks and label of the vertical axis: from zero, unless it is logarithmic or of a temperature."""
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]) if each.values else NullLocator())
    if not each.values:
        return
    axes.set_ylabel(f"{each.observable.title}\n({_unit_text(each.unit)})")
    axes.yaxis.set_label_coords(-0.58 / span.width if left else 1 + 0.46 / span.width, 0.5)
    ends = [*(end for value in each.values for end in (value.low, value.high)), *cuts]
    low, high = min(ends), max(ends)
    zero = each.observable.proportional
    if zero and left and low > 0 and high / low >= _DECADES:
        pad = log10(high / low) * _ROOM
        axes.set_yscale("log")
        axes.set_ylim(low / 10**pad, high * 10**pad)
        axes.yaxis.set_major_locator(LogLocator(subs=(1,) if high / low > 100 else (1, 2, 5), numticks=6))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        pad = (high if zero else high - low) * _ROOM or 1
        under = pad * any(value.kind == "below" for value in each.values)  # room for the arrow
        axes.set_ylim(-under if zero else low - pad, high + pad)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: "" if zero and tick < 0 else _tick(tick)))


def _tick(tick: float) -> str:
    return f"{tick:.3g}" if abs(tick) >= 10**6 else f"{tick:,.0f}" if tick == int(tick) else f"{tick:g}"


def _draw_group(axes: Axes, group: Group, look: Look) -> None:
    common: dict[str, Any] = {"color": look[0], "clip_on": False, "zorder": 3}
    for run in group.runs:
        days, heights = [value.day for value in run], [value.low for value in run]
        axes.plot(days, heights, label="run", **{**common, **_look(look)})
    for value in group.others:
        ends = [value.low, value.high]
        if value.kind == "range":
            axes.plot([value.day] * 2, ends, marker="_", markersize=6, linewidth=2, label="range", **common)
        else:
            arrow: dict[str, Any] = {
                "marker": _ARROWS[value.kind],
                "markersize": 22,
                "markerfacecolor": "none",
                "linestyle": "none",
            }
            axes.plot([value.day], ends[:1], label=value.kind, **arrow, **common)
    for value in [value for part in (*group.runs, group.others) for value in part if value.doubtful]:
        axes.annotate("!", (value.day, value.high), (4, 2), textcoords="offset points", color=look[0])


def in_words(title: str) -> str:
    return f"{title} in words"


def _words(page: Page, span: Span, title: str, words: Sequence[tuple[float, str]]) -> Axes:
    """Words on their days, in as many rows as they need side by side; as signs where they are too many."""
    shown = [text for _, text in words]
    places = page.rows([(span.inches(day), page.width_of(text)) for day, text in words], span)
    if max(row for row, _ in places) >= _ROWS:
        shown = ["".join(_SHORT.get(word, word) for word in text.split(", ")) for text in shown]
        page.signs |= {_SHORT[word]: word for _, text in words for word in text.split(", ") if word in _SHORT}
        places = page.rows([(span.inches(day), page.width_of(text)) for (day, _), text in zip(words, shown, strict=True)], span)
    left_out = sum(row >= _ROWS for row, _ in places)
    page.notes += [f"{in_words(title)}: {left_out} left out for want of room."] * bool(left_out)
    page.top += 0.03
    page.label(span, in_words(title), GREY)
    kept = [(row, x, text) for (row, x), text in zip(places, shown, strict=True) if row < _ROWS]
    for row, x, text in kept:
        page.write(x, row * LINE, text, ha="center")
    axes = page.lane(span, LINE * (max(row for row, _, _ in kept) + 1))
    axes.set_facecolor("#f2f2f2")
    axes.patch.set_visible(True)
    return axes


def therapy_lanes(therapies: Iterable[Placed]) -> list[tuple[str, list[Placed]]]:
    """What has a start, in lanes: one for each drug, or several where its courses overlap."""
    lanes: list[tuple[str, list[Placed]]] = []
    for each in therapies:
        if each.start is not None:
            drug = printable(each.therapy.drug)
            free = [had for name, had in lanes if name == drug and had[-1].stop is not None and had[-1].stop < each.start]
            if free:
                free[0].append(each)
            else:
                lanes.append((drug, [each]))
    return lanes


def draw_lane(page: Page, span: Span, label: str, courses: Sequence[Placed]) -> Axes:
    """The courses of one drug as bars, each with its dose in it or behind it; an arrow where no end is stated."""
    page.label(span, label)
    days = [(number(each.start or Fraction(0)), span.last if each.stop is None else number(each.stop)) for each in courses]
    nexts = [*(span.inches(start) for start, _ in days[1:]), span.left + span.width]
    for each, (start, stop), until in zip(courses, days, nexts, strict=True):
        dose, (left, right) = printable(each.therapy.dose or ""), (span.inches(start), span.inches(stop))
        wide = page.width_of(dose) + 0.1
        if wide <= max(right - left, until - right):
            page.write((left if wide <= right - left else right) + 0.05, 0.01, dose)
        elif dose:
            page.notes.append(f"{label} from day {start:g}: {dose}.")
    axes = page.lane(span, _LANE)
    for each, (start, stop) in zip(courses, days, strict=True):
        axes.broken_barh([(start, max(stop - start, 0))], (0.1, 0.8), facecolor="#d0d0d0", edgecolor=_DARK, linewidth=0.6)
        if each.stop is None:
            axes.plot([span.last], [0.5], marker=">", markersize=7, color=_DARK, clip_on=False, label="open end")
        elif stop <= start:
            axes.plot([start], [0.5], marker="|", markersize=8, markeredgewidth=2, color=_DARK)
    return axes


def support(record: Record, name: str) -> list[tuple[Fraction | None, bool | None]]:
    """Whether something was given on each day on which that is said (None: not known); empty if it never was."""
    found = [(day, None if isinstance(one.value, Missing) else one.value.text != "no") for day, one in record.of(name)]
    return found if any(given and day is not None for day, given in found) else []


def draw_support(page: Page, span: Span, label: str, seen: Sequence[tuple[Fraction | None, bool | None]]) -> Axes:
    """A square on each day, full for yes and open for no; from yes a line to what is known next, and nothing beyond."""
    page.label(span, label, GREY)
    axes = page.lane(span, _LANE)
    for (day, given), (then, after) in pairwise(seen):
        if given and after is not None and day is not None and then is not None:
            axes.plot([number(day), number(then)], [0.5, 0.5], color=_DARK, linewidth=3, solid_capstyle="butt", label="given")
    look: dict[str, Any] = {"linestyle": "none", "marker": "s", "markersize": 4.5, "color": _DARK, "clip_on": False}
    for said, face in ((True, _DARK), (False, "white")):
        days = [number(day) for day, given in seen if given is said and day is not None]
        axes.plot(days, [0.5] * len(days), markerfacecolor=face, **look)
    return axes

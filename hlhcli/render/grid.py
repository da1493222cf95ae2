"""The table of the criteria, before it is drawn: one column per time point, one row per criterion, and what stands below."""

from __future__ import annotations

from typing import NamedTuple

from hlhcli import observables
from hlhcli.api import Result
from hlhcli.assessment import Assessment, Item
from hlhcli.errors import printable
from hlhcli.quantity import exact_text
from hlhcli.render.results import verdict_word
from hlhcli.rules import AtLeast, CriteriaSet
from hlhcli.snapshot import age_at_first
from hlhcli.status import Status

MARKS = {Status.MET: "X", Status.NOT_MET: "-", Status.UNKNOWN: "?"}
VERDICT = "Verdict"
_COUNTS, _REPORTED, _AUTHORS, _SETTLE = "Met / not met / unknown", "of these as reported", "Reported by authors", "Could settle it"
LEGEND = "X met   - not met   ? unknown"
_UNITS = {
    "Cel": "°C", "degF": "°F", "10*9/L": "×10⁹/L", "10*3/uL": "×10³/µL", "10*4/uL": "×10⁴/µL", "10*5/uL": "×10⁵/µL",
    "10*6/L": "×10⁶/L", "/uL": "/µL", "ug/L": "µg/L", "umol/L": "µmol/L", "ukat/L": "µkat/L",
}  # fmt: skip


class Cell(NamedTuple):
    """One criterion at one time point: a mark, and the lines that say on what it rests."""

    status: Status
    lines: tuple[str, ...]

    @property
    def mark(self) -> str:
        return MARKS[self.status]


class Column(NamedTuple):
    """One time point: its heading, its cells from top to bottom, and the lines of the summary below."""

    name: str
    when: str
    cells: tuple[Cell, ...]
    summary: dict[str, str]
    verdict: Status


class Grid(NamedTuple):
    """One patient by one set of criteria."""

    heading: str
    source: str
    title: str
    rule: str
    rows: tuple[str, ...]
    columns: tuple[Column, ...]
    remarks: tuple[str, ...]


def grids(result: Result) -> list[Grid]:
    """A grid for each set of criteria of the result."""
    sets = {assessment.criteria.id: assessment.criteria for assessment in result.assessments}
    return [_grid(result, each, [a for a in result.assessments if a.criteria is each]) for each in sets.values()]


def _grid(result: Result, criteria: CriteriaSet, assessments: list[Assessment]) -> Grid:
    person = result.patient.patient
    heading = ", ".join(part for part in (person.id or "patient", age_at_first(result.patient), person.sex) if part)
    counted = criteria.counted
    paths = [child.about.title or child.about.id for child in getattr(criteria.verdict, "children", ()) if child.about.id]
    rule = " or ".join(
        [*(f"{path.lower()}" for path in paths if path), f"at least {counted.required} of {len(criteria.items)}"] if counted else []
    )
    columns = [_column(assessment) for assessment in assessments]
    labels = [label for label in _summary_labels(counted) if any(label in column.summary for column in columns)]
    filled = tuple(
        Column(c.name, c.when, c.cells, {label: c.summary.get(label, "") for label in labels}, c.verdict) for c in columns
    )
    rows = tuple(item.title for item in assessments[0].items)
    return Grid(
        printable(heading),
        printable(result.source),
        criteria.title,
        rule,
        rows,
        filled,
        tuple(map(printable, _remarks(result, assessments))),
    )


def _column(assessment: Assessment) -> Column:
    when = f"day {exact_text(assessment.day)}" if assessment.day is not None else ""
    if assessment.date:
        when = assessment.date.isoformat()
    return Column(
        printable(assessment.timepoint),
        when,
        tuple(_cell(item) for item in assessment.items),
        _summary(assessment),
        assessment.verdict,
    )


def _cell(item: Item) -> Cell:
    """The values behind a mark. Where the item is decided, what is missing beside it is not worth a line."""
    seen: dict[str, str | None] = {}
    reasons: dict[str, str] = {}
    for line in sorted(item.evidence, key=lambda line: line.status is not item.status):  # what decides comes first
        if line.observable == observables.AGE:
            if line.value is None:
                reasons[line.observable] = "age not stated"
            continue
        seen.setdefault(line.observable, line.value)
        if line.value is None:
            reasons[line.observable] = line.note or "unknown"
    lines = ["reported"] if item.reported else []
    lines += [_labelled(item, name, len(seen) > 1) + _pretty(value) for name, value in seen.items() if value is not None]
    missing = [name for name in seen if seen[name] is None]
    if item.status is Status.UNKNOWN and not item.reported:
        if len(missing) == len(seen) and len({reasons[name] for name in missing}) == 1:
            lines.append(reasons[missing[0]])
        else:
            lines += [_labelled(item, name, len(seen) > 1) + reasons[name] for name in missing]
        if observables.AGE in reasons:
            lines.append(reasons[observables.AGE])
    return Cell(item.status, tuple(map(printable, lines)) or ("",))


def _labelled(item: Item, name: str, several: bool) -> str:
    observable = observables.get(name)
    return f"{observable.short} " if several and observable.title != item.title else ""


def _pretty(value: str) -> str:
    number, _, unit = value.rpartition(" ")
    return f"{number} {_UNITS[unit]}" if number and unit in _UNITS else value


def _summary_labels(counted: AtLeast | None) -> list[str]:
    return [_COUNTS, _REPORTED, _range_label(counted.required if counted else 0), VERDICT, _AUTHORS, _SETTLE]


def _range_label(required: int) -> str:
    return f"Range ({required} needed)"


def _summary(assessment: Assessment) -> dict[str, str]:
    lines: dict[str, str] = {}
    if count := assessment.count:
        lines[_COUNTS] = f"{count.met} / {count.not_met} / {count.unknown}"
        by_words = [item.status for item in assessment.items if item.reported]
        if by_words:
            met, not_met = by_words.count(Status.MET), by_words.count(Status.NOT_MET)
            lines[_REPORTED] = f"{met} / {not_met}"
        lines[_range_label(count.required)] = f"{count.min} to {count.max}" if count.min != count.max else str(count.min)
    verdict = verdict_word(assessment.verdict).replace("_", " ").upper()
    lines[VERDICT] = f"{verdict} ({assessment.by.replace('_', ' ')})" if assessment.by not in (None, "count") else verdict
    stated = assessment.reported
    if stated.agrees is not None:
        words = [verdict_word(stated.verdict).replace("_", " ")] if stated.verdict is not None else []
        words += [f"{stated.number} criteria"] if stated.number is not None else []
        lines[_AUTHORS] = f"{', '.join(words)} ({'consistent' if stated.agrees else 'differs'})"
    if assessment.next_tests:
        lines[_SETTLE] = _next(assessment)
    return lines


def _next(assessment: Assessment) -> str:
    sets = [[_lower(name) for name in test.observables] for test in assessment.next_tests]
    needed = len(sets[0])
    if needed == 1:
        names = [names[0] for names in sets]
        return names[0] if len(names) == 1 else f"any one of: {', '.join(names)}"
    together = " + ".join(sets[0])
    return together if len(sets) == 1 else f"{needed} more results, e.g. {together}"


def _lower(name: str) -> str:
    title = observables.get(name).title
    return title if title[1:2].isupper() or not title[:1].isupper() else title[0].lower() + title[1:]


def _remarks(result: Result, assessments: list[Assessment]) -> list[str]:
    """What the table cannot show: why a value given is still unknown, notes, what was said about a time point."""
    remarks: dict[str, list[str]] = {}
    for assessment in assessments:
        for item in assessment.items:
            for line in item.evidence:
                if line.value is not None and line.status is Status.UNKNOWN and line.note:
                    text = f"{observables.get(line.observable).title} {_pretty(line.value)}: {line.note}"
                    remarks.setdefault(text, []).append(assessment.timepoint)
        for note in assessment.notes:
            remarks.setdefault(note, []).append(assessment.timepoint)
    everywhere = [assessment.timepoint for assessment in assessments]
    lines = [text if names == everywhere else f"{', '.join(dict.fromkeys(names))}: {text}" for text, names in remarks.items()]
    said = [f"{t.name}: {t.note}" for t in (a.snapshot.timepoint for a in assessments) if t.note]
    return [*lines, *said]

"""The table of the criteria, before it is drawn: one column per time point, one row per criterion, and what stands below."""

from __future__ import annotations

from typing import NamedTuple

from hlhcli import observables
from hlhcli.api import Result
from hlhcli.assessment import Assessment, Count, Item
from hlhcli.errors import printable
from hlhcli.quantity import exact_text
from hlhcli.rules import CriteriaSet, Node
from hlhcli.snapshot import age_at_first
from hlhcli.status import Status

MARKS = {Status.MET: "X", Status.NOT_MET: "-", Status.UNKNOWN: "?"}
VERDICT = "Verdict"
_COUNTS, _REPORTED, _VALUES, _AUTHORS = "Met / not met / unknown", "of these as reported", "By values alone", "Reported by authors"
_IF_ABNORMAL, _IF_NORMAL = "Met if abnormal", "Not met if normal"
_DOUBT = " !"
_UNITS = {
    "Cel": "°C", "degF": "°F", "10*9/L": "×10⁹/L", "10*3/uL": "×10³/µL", "10*4/uL": "×10⁴/µL", "10*5/uL": "×10⁵/µL",
    "10*6/L": "×10⁶/L", "/uL": "/µL", "ug/L": "µg/L", "umol/L": "µmol/L", "ukat/L": "µkat/L",
}  # fmt: skip


class Cell(NamedTuple):
    """One criterion at one time point: its status, and the lines that say on what it rests."""

    status: Status
    lines: tuple[str, ...]

    @property
    def mark(self) -> str:
        return MARKS[self.status]


class Column(NamedTuple):
    """One time point: its heading, its cells from top to bottom, and the lines of the summary below by their label."""

    name: str
    when: str
    cells: tuple[Cell, ...]
    summary: dict[str, str]
    verdict: Status


class Grid(NamedTuple):
    """One patient by one set of criteria: what stands above the table, in it, and below."""

    heading: str
    source: str
    title: str
    rows: tuple[str, ...]
    labels: tuple[str, ...]
    columns: tuple[Column, ...]
    legend: str
    remarks: tuple[str, ...]


def grids(result: Result) -> list[Grid]:
    """A grid for each set of criteria of the result."""
    sets = {assessment.criteria.id: assessment.criteria for assessment in result.assessments}
    return [_grid(result, each, [a for a in result.assessments if a.criteria is each]) for each in sets.values()]


def _grid(result: Result, criteria: CriteriaSet, assessments: list[Assessment]) -> Grid:
    person = result.patient.patient
    heading = ", ".join(part for part in (person.id or "patient", age_at_first(result.patient), person.sex) if part)
    counted = criteria.counted
    paths = [child.about.title.lower() for child in criteria.paths if child.about.title]
    rule = " or ".join([*paths, f"at least {counted.required} of {len(criteria.items)}"] if counted else paths)
    shown = [path for path in criteria.paths if any(_stated(assessment, path) for assessment in assessments)]
    columns = tuple(_column(assessment, shown) for assessment in assessments)
    order = [
        _COUNTS,
        _REPORTED,
        _range_label(counted.required if counted else 0),
        VERDICT,
        _VALUES,
        _AUTHORS,
        _IF_ABNORMAL,
        _IF_NORMAL,
    ]
    lines = [line for column in columns for cell in column.cells for line in cell.lines]
    legend = ["X met", "- not met", "? unknown", *["(…) speaks against the mark"] * any(line[:1] == "(" for line in lines)]
    legend += ["! doubtful, see Warnings"] * any(line.endswith(_DOUBT) for line in lines)
    grade = assessments[0].provenance
    remarks = [f"{criteria.id} version {criteria.version}; its least certain number: {grade}. Criteria, not a diagnosis."]
    remarks += ["Each time point stands for itself; nothing is carried from one to the next."] * (len(columns) > 1)
    unused = dict.fromkeys(_lower(name) for assessment in assessments for name in assessment.unused)
    remarks += [f"Read, but not part of this set: {', '.join(unused)}."] * bool(unused)
    return Grid(
        heading=printable(heading),
        source=printable(result.source),
        title=f"{criteria.title}: {rule}",
        rows=(*(path.about.title or "" for path in shown), *(item.title for item in assessments[0].items)),
        labels=tuple(label for label in order if any(label in column.summary for column in columns)),
        columns=columns,
        legend="   ".join(legend),
        remarks=tuple(map(printable, [*remarks, *_remarks(assessments)])),
    )


def _stated(assessment: Assessment, path: Node) -> bool:
    return any(part.node is path and part.evidence[0].value is not None for part in assessment.outcome.children)


def _column(assessment: Assessment, paths: list[Node]) -> Column:
    when = f"day {exact_text(assessment.day)}" if assessment.day is not None else ""
    parts = [part for path in paths for part in assessment.outcome.children if part.node is path]
    return Column(
        printable(assessment.timepoint),
        assessment.date.isoformat() if assessment.date else when,
        (*(Cell(part.status, (printable(part.evidence[0].value or "not stated"),)) for part in parts), *_cells(assessment)),
        _summary(assessment),
        assessment.status,
    )


def _cells(assessment: Assessment) -> list[Cell]:
    doubtful = {name for name, observation in assessment.snapshot.known.items() if observation.doubt}
    return [Cell(item.status, tuple(map(printable, _lines(item, doubtful))) or ("",)) for item in assessment.items]


def _lines(item: Item, doubtful: set[str]) -> list[str]:
    """The values behind a mark, those that decide first. Where an item is decided, what is missing is not worth a line."""
    evidence = sorted(item.evidence, key=lambda line: line.status is not item.status)
    observed = {line.observable: line for line in reversed(evidence) if line.observable != observables.AGE}
    several = len(observed) > 1
    lines = ["reported"] if item.reported else []
    for name, line in reversed(observed.items()):
        if line.value is not None:
            text = _label(item, name, several) + _pretty(line.value) + _DOUBT * (name in doubtful)
            against = item.status is not Status.UNKNOWN and line.status is not item.status and not item.reported
            lines.append(f"({text})" if against else text)
    if item.status is not Status.UNKNOWN:
        return lines
    missing = {name: line.note or "unknown" for name, line in reversed(observed.items()) if line.value is None}
    if len(missing) == len(observed) and len(set(missing.values())) == 1:
        return [*missing.values()][:1]
    lines += [_label(item, name, several) + reason for name, reason in missing.items()]
    if any(line.observable == observables.AGE and line.value is None for line in evidence):
        lines.append("age not stated")
    return lines


def _label(item: Item, name: str, several: bool) -> str:
    observable = observables.get(name)
    return f"{observable.short} " if several and observable.title != item.title else ""


def _pretty(value: str) -> str:
    number, _, unit = value.rpartition(" ")
    return f"{number} {_UNITS[unit]}" if number and unit in _UNITS else value


def _range_label(required: int) -> str:
    return f"Range ({required} needed)"


def _summary(assessment: Assessment) -> dict[str, str]:
    lines: dict[str, str] = {}
    if count := assessment.count:
        lines[_COUNTS] = f"{count.met} / {count.not_met} / {count.unknown}"
        lines[_range_label(count.required)] = _range(count)
    verdict = assessment.verdict.replace("_", " ").upper()
    by = f" ({assessment.by.replace('_', ' ')})" if assessment.by not in (None, "count") else ""
    lines[VERDICT] = verdict + by + _DOUBT * bool(assessment.doubtful)
    if alone := assessment.by_values:
        marks = [item.status for item in assessment.items if item.reported]
        lines[_REPORTED] = f"{marks.count(Status.MET)} / {marks.count(Status.NOT_MET)}"
        word = alone.status.verdict.replace("_", " ")
        lines[_VALUES] = f"{word}, {_range(alone.counted)}" if alone.counted else word
    stated = assessment.reported
    if stated.agrees is not None:
        words = [stated.verdict.verdict.replace("_", " ")] if stated.verdict is not None else []
        words += [f"{stated.number} criteria"] if stated.number is not None else []
        lines[_AUTHORS] = f"{', '.join(words)} ({'consistent' if stated.agrees else 'differs'})"
    for label, way in ((_IF_ABNORMAL, Status.MET), (_IF_NORMAL, Status.NOT_MET)):
        if sets := [test.observables for test in assessment.next_tests if test.could_settle is way]:
            lines[label] = _tests(
                [[_lower(name) + " (pending)" * (name in assessment.pending) for name in names] for names in sets]
            )
    return lines


def _range(count: Count) -> str:
    return f"{count.min} to {count.max}" if count.min != count.max else str(count.min)


def _tests(sets: list[list[str]]) -> str:
    """The smallest sets of tests in a few words; JSON has all of them."""
    first = " + ".join(sets[0])
    if len(sets) == 1:
        return first
    if len(sets[0]) == 1:
        return f"any of: {', '.join(names[0] for names in sets)}"
    return f"{len(sets[0])} more results, such as {first}"


def _lower(name: str) -> str:
    title = observables.get(name).title
    return title if title[1:2].isupper() or not title[:1].isupper() else title[0].lower() + title[1:]


def _remarks(assessments: list[Assessment]) -> list[str]:
    """What the table cannot show: why a value that is given is still unknown, notes, what the file says of a time point."""
    remarks: dict[str, list[str]] = {}
    for assessment in assessments:
        for item in assessment.items:
            for line in item.evidence:
                if line.value is not None and line.note and line.status is item.status is Status.UNKNOWN:
                    text = f"{observables.get(line.observable).title} {_pretty(line.value)}: {line.note}"
                    remarks.setdefault(text, []).append(assessment.timepoint)
        for note in assessment.notes:
            remarks.setdefault(note, []).append(assessment.timepoint)
    everywhere = [assessment.timepoint for assessment in assessments]
    lines = [text if names == everywhere else f"{', '.join(dict.fromkeys(names))}: {text}" for text, names in remarks.items()]
    return lines + [f"{a.timepoint}: {a.snapshot.timepoint.note}" for a in assessments if a.snapshot.timepoint.note]

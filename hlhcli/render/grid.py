"""The table of the criteria, before it is drawn: one column per time point, one row per criterion, and what stands below."""

from __future__ import annotations

from typing import NamedTuple

from hlhcli import observables, rules
from hlhcli.api import Result
from hlhcli.assessment import COUNT, Assessment, Count, Item
from hlhcli.errors import printable
from hlhcli.outcome import Outcome
from hlhcli.quantity import exact_text, number_text, range_text
from hlhcli.rules import CriteriaSet, Node
from hlhcli.snapshot import age_at_first
from hlhcli.status import Status

MARKS = {Status.MET: "X", Status.NOT_MET: "-", Status.UNKNOWN: "?"}
VERDICT = "Verdict"
_COUNTS, _REPORTED, _VALUES, _AUTHORS = "Met / not met / unknown", "of these as reported", "By values alone", "Reported by authors"
_PROBABILITY, _POPULATION = "Published probability", "Made for this patient"
_IF_ABNORMAL, _IF_NORMAL = "Met if abnormal", "Not met if normal"
_COULD_MEET, _COULD_FAIL = "Could be met by", "Could be not met by"  # where abnormal is not always what meets
_DOUBT = " !"
UNITS = {
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

    id: str
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
    shown = [place for place in range(len(criteria.asides)) if any(_stated(each.asides[place]) for each in assessments)]
    columns = tuple(_column(assessment, shown) for assessment in assessments)
    lines = [line for column in columns for cell in column.cells for line in cell.lines]
    legend = ["X counts", "- counts nothing", "? not yet known"] if criteria.score else ["X met", "- not met", "? unknown"]
    legend += ["(…) speaks against the mark"] * any(line[:1] == "(" for line in lines)
    legend += ["! doubtful, see Warnings"] * any(line.endswith(_DOUBT) for line in lines)
    grade, where = assessments[0].provenance, ", ".join(assessments[0].least_certain)
    least = f"{grade} ({where})" if where else grade
    remarks = [
        f"{criteria.id} version {criteria.version}; source of its numbers, at worst: {least}. "
        "Criteria, not a diagnosis: met does not prove, not met does not exclude."
    ]
    if any(_PROBABILITY in column.summary for column in columns):
        remarks.append("Probability: what is printed for the scores around the lowest and the highest that is possible.")
    remarks += ["Each time point stands for itself; nothing is carried from one to the next."] * (len(columns) > 1)
    unused = dict.fromkeys(observables.inline(name) for assessment in assessments for name in assessment.unused)
    remarks += [f"Read, but not part of this set: {', '.join(unused)}."] * bool(unused)
    causes = [f"{cause} {found}" for cause, found in result.patient.workup.items()]
    remarks += [f"Other causes that were looked for: {', '.join(causes)}."] * bool(causes)
    return Grid(
        id=criteria.id,
        heading=person(result),
        source=printable(result.source),
        title=f"{criteria.title}: {headline(criteria)}",
        rows=(*(rules.title(criteria.asides[place]) for place in shown), *(item.title for item in assessments[0].items)),
        labels=tuple(
            dict.fromkeys(label for label in _order(criteria, assessments[0].groups) for c in columns if label in c.summary)
        ),
        columns=columns,
        legend="   ".join(legend),
        remarks=tuple(map(printable, [*remarks, *_remarks(assessments)])),
    )


def person(result: Result) -> str:
    """Who the patient is, in a few words."""
    who = result.patient.patient
    return printable(", ".join(part for part in (who.id or "patient", age_at_first(result.patient), who.sex) if part))


def headline(criteria: CriteriaSet) -> str:
    """The rule in a few words: `molecular diagnosis or at least 5 of 8`."""
    outer = {id(node) for node in (*criteria.items, *criteria.asides)}

    def said(node: Node) -> str:
        if isinstance(node, rules.Score):
            return f"sum of points {node.text}"
        if isinstance(node, rules.AtLeast) and id(node) not in outer:
            title = f" {node.about.title.lower()}" if node.about.title else ""
            return f"{how_many(node)}{title}"
        if isinstance(node, rules.Logic) and (id(node) not in outer or not node.about.title):
            parts = [_bracketed(said(child), child, node) for child in node.children]
            if node.kind == "if":
                return f"{parts[1]} if {parts[0]}, else {parts[2]}"
            if node.kind == "not":
                return f"not {parts[0]}"
            return {"any": " or ", "all": " and ", "agree": " and, in agreement, "}.get(node.kind, ", else ").join(parts)
        title = rules.title(node)
        return title if title[1:2].isupper() else title[0].lower() + title[1:]

    return said(criteria.verdict)


def _bracketed(text: str, child: Node, parent: rules.Logic) -> str:
    """Logic inside other logic stands in brackets."""
    inner = isinstance(child, rules.Logic) and not child.about.id and (parent.kind == "not" or child.kind != parent.kind)
    return f"({text})" if inner else text


def how_many(node: rules.AtLeast) -> str:
    """`at least 5 of 8`, `all 5`."""
    if node.required is None:
        return f"a count of {len(node.children)} (no number that suffices is published)"
    return f"all {node.required}" if node.required == len(node.children) else f"at least {node.required} of {len(node.children)}"


def _stated(aside: Outcome) -> bool:
    return aside.evidence[0].value is not None


def _column(assessment: Assessment, shown: list[int]) -> Column:
    day = f"day {exact_text(assessment.day)}" if assessment.day is not None else ""
    when = assessment.date.isoformat() if assessment.date else day
    return Column(
        printable(assessment.timepoint),
        day if when == assessment.timepoint else when,  # a time point can be named for its date
        (*(_aside(assessment.asides[place]) for place in shown), *_cells(assessment)),
        _summary(assessment),
        assessment.status,
    )


def _aside(part: Outcome) -> Cell:
    line = part.evidence[0]
    negated = isinstance(part.node, rules.Logic) and part.node.kind == "not"
    name = f"{observables.get(line.observable).title.lower()} " if negated else ""
    return Cell(part.status, (printable(name + (line.value or line.note or "not stated")),))


def _cells(assessment: Assessment) -> list[Cell]:
    days = assessment.snapshot.of_other_days
    doubtful = {name for name, observation in assessment.snapshot.known.items() if observation.doubt}
    return [Cell(item.status, tuple(map(printable, _with_points(item, _lines(item, doubtful, days))))) for item in assessment.items]


def _with_points(item: Item, lines: list[str]) -> list[str]:
    """What the item adds to a score, before what it rests on."""
    first, *rest = lines or [""]
    return [f"{range_text(item.points)}: {first}", *rest] if item.points else [first, *rest]


def _lines(item: Item, doubtful: set[str], days: dict[str, str]) -> list[str]:
    """The values behind a mark, those that decide first. Where an item is decided, what is missing is not worth a line."""
    evidence = sorted(item.evidence, key=lambda line: line.status is not item.status)
    observed = {line.observable: line for line in reversed(evidence) if line.observable != observables.AGE}
    several = len(observed) > 1
    lines = ["reported"] if item.reported else []
    for name, line in reversed(observed.items()):
        if line.value is not None:
            text = _label(item, name, several) + _pretty(line.value) + days.get(name, "") + _DOUBT * (name in doubtful)
            against = item.status is not Status.UNKNOWN and line.status is not item.status and not item.reported
            lines.append(f"({text})" if against else text)
    open_points = item.points is not None and not item.points.is_point
    if item.status is not Status.UNKNOWN and not open_points:
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
    return f"{number} {UNITS[unit]}" if number and unit in UNITS else value


def _range_label(count: Count) -> str:
    return f"Range ({count.required} needed)" if count.required is not None else "Range (none published)"


def _group_label(count: Count) -> str:
    return f"{count.title} ({count.required if count.required is not None else 'none'} needed)"


def _score_label(criteria: CriteriaSet) -> str:
    return f"Score ({criteria.score.text})" if criteria.score else "Ratio"


def _order(criteria: CriteriaSet, groups: tuple[Count, ...]) -> list[str]:
    """The labels of the summary, from top to bottom."""
    counts = [_group_label(count) for count in groups if count.title]
    required = criteria.groups[0].required if criteria.groups else 0
    known = [_COUNTS, _REPORTED, _range_label(Count(required, 0, 0, 0, 0)), *counts, _score_label(criteria), _PROBABILITY]
    tests = [_IF_ABNORMAL, _IF_NORMAL, _COULD_MEET, _COULD_FAIL]
    return [*known, VERDICT, _POPULATION, _VALUES, _AUTHORS, *tests]


def _summary(assessment: Assessment) -> dict[str, str]:
    lines: dict[str, str] = {}
    for count in assessment.groups:
        if count.title:
            lines[_group_label(count)] = f"{count.met} met, {count.not_met} not, {count.unknown} unknown"
        else:
            lines[_COUNTS] = f"{count.met} / {count.not_met} / {count.unknown}"
            lines[_range_label(count)] = count.text
    if assessment.score:
        lines[_score_label(assessment.criteria)] = range_text(assessment.score)
    if assessment.probability and assessment.applicable is not False:
        lines[_PROBABILITY] = " to ".join(dict.fromkeys(assessment.probability))
    lines[VERDICT] = _verdict(assessment)
    if assessment.applicable is not True:
        lines[_POPULATION] = "not known" if assessment.applicable is None else "no"
    if alone := assessment.by_values:
        marks = [item.status for item in assessment.items if item.reported]
        lines[_REPORTED] = f"{marks.count(Status.MET)} / {marks.count(Status.NOT_MET)}"
        known = alone.counted.text if alone.counted else range_text(alone.score) if alone.score else None
        lines[_VALUES] = ", ".join(filter(None, (alone.status.verdict.replace("_", " "), known)))
    stated = assessment.reported
    if stated.agrees is not None:
        words = [stated.verdict.verdict.replace("_", " ")] if stated.verdict is not None else []
        words += [f"{stated.number} criteria"] if stated.number is not None else []
        words += [number_text(stated.score)] if stated.score is not None else []
        lines[_AUTHORS] = f"{', '.join(words)} ({'consistent' if stated.agrees else 'differs'})"
    negated = any(isinstance(node, rules.Logic) and node.kind == "not" for node in rules.walk(assessment.criteria.verdict))
    labels = (_COULD_MEET, _COULD_FAIL) if assessment.score or negated else (_IF_ABNORMAL, _IF_NORMAL)
    for label, way in zip(labels, (Status.MET, Status.NOT_MET), strict=True):
        if sets := [test.observables for test in assessment.next_tests if test.could_settle is way]:
            lines[label] = tests_text([[test_name(name, assessment) for name in names] for names in sets])
    return lines


def _verdict(assessment: Assessment) -> str:
    """The verdict, and what must not be overlooked beside it."""
    verdict = assessment.verdict.replace("_", " ")
    by = assessment.by.replace("_", " ") if assessment.by not in (None, COUNT) and assessment.by else ""
    score = assessment.criteria.score
    aside = [by] * bool(by) + ["unverified cut-off"] * (score is not None and score.about.grade == "unverified")
    words = f"NOT APPLICABLE ({verdict})" if assessment.applicable is False else verdict.upper()
    return words + f" ({', '.join(aside)})" * bool(aside) + _DOUBT * bool(assessment.doubtful)


def test_name(name: str, assessment: Assessment) -> str:
    """A test, and whether its result is on its way."""
    return observables.inline(name) + " (pending)" * (name in assessment.pending)


def tests_text(sets: list[list[str]]) -> str:
    """The smallest sets of tests in a few words; JSON has all of them."""
    first = " + ".join(sets[0])
    if len(sets) == 1:
        return first
    if len(sets[0]) == 1:
        return f"any of: {' / '.join(names[0] for names in sets)}"
    return f"{len(sets[0])} more results, such as {first}"


def _remarks(assessments: list[Assessment]) -> list[str]:
    """What the table cannot show: why a value that is given is still unknown, notes, what the file says of a time point."""
    remarks: dict[str, list[str]] = {}
    for assessment in assessments:
        for item in assessment.items:
            for line in item.evidence:
                open_one = line.note and line.status is item.status is Status.UNKNOWN
                known = assessment.snapshot.known.get(line.observable)
                noted = known is not None and known.note and line.note and known.note in line.note  # in the file
                if line.value is not None and (open_one or line.on_edge or noted):
                    at = f" ({line.rule})" if line.on_edge else ""
                    text = f"{observables.get(line.observable).title} {_pretty(line.value)}: {line.note}{at}"
                    remarks.setdefault(text, []).append(assessment.timepoint)
        for note in assessment.notes:
            remarks.setdefault(note, []).append(assessment.timepoint)
    everywhere = [assessment.timepoint for assessment in assessments]
    lines = [text if names == everywhere else f"{', '.join(dict.fromkeys(names))}: {text}" for text, names in remarks.items()]
    return lines + [f"{a.timepoint}: {a.snapshot.timepoint.note}" for a in assessments if a.snapshot.timepoint.note]

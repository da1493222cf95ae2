"""One patient as a page of HTML that stands for itself: no script, nothing loaded, the same bytes for the same file.

Every text goes through `_shown` and Jinja's escaping. What is not escaped is the style of the template, and the figure, of which
`inline` keeps shapes and text alone.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hlhcli import __version__, observables, responses, rules
from hlhcli.api import Result
from hlhcli.assessment import COUNT, Assessment
from hlhcli.criteria import SHIPPED, Library
from hlhcli.errors import UnknownName, printable
from hlhcli.fields import Moment
from hlhcli.observations import Observation
from hlhcli.outcome import Evidence
from hlhcli.patient import Timepoint
from hlhcli.quantity import exact_text, range_text
from hlhcli.render import criteria as criteria_page
from hlhcli.render import response_page
from hlhcli.render.course import course_view
from hlhcli.render.course_evidence import course_evidence
from hlhcli.render.figure import svg
from hlhcli.render.grid import VERDICT, Grid, grids, person, test_name, tests_text
from hlhcli.render.overview import overview
from hlhcli.responses import ResponseSet
from hlhcli.rules import Citation, CriteriaSet, Grade
from hlhcli.snapshot import Snapshot, age_at_first
from hlhcli.status import Status

_AT_ONCE = 5  # time points side by side; more are further tables, so that a sheet of paper holds them
_VERDICTS = {Status.MET: "Criteria met", Status.NOT_MET: "Criteria not met", Status.UNKNOWN: "Indeterminate"}
_COUNTS = {Status.MET: "counts", Status.NOT_MET: "counts nothing", Status.UNKNOWN: "not yet known"}
_GRADES: dict[Grade, str] = {
    "primary": "read in the original",
    "reproduction": "read in a source that reproduces the original",
    "secondary": "read in a secondary source",
    "code": "read in published code",
    "unverified": "not verified",
}
_SHAPES = {
    "svg", "g", "defs", "clipPath", "path", "use", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan",
    "title", "desc",
}  # fmt: skip
_PROPERTIES = {
    "role", "aria-labelledby", "x", "y", "x1", "y1", "x2", "y2", "dx", "dy", "r", "rx", "ry", "cx", "cy", "d", "points", "width",
    "height", "viewBox", "transform", "href", "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-linecap",
    "stroke-linejoin", "stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset", "stroke-opacity", "opacity", "clip-path",
    "clip-rule", "font-family", "font-size", "font-style", "font-weight", "font-stretch", "font-variant", "text-anchor",
}  # fmt: skip
_FONT = re.compile(r"(?P<style>italic |oblique )?(?P<weight>bold |\d{3} )?(?P<size>[\d.]+px) (?P<family>.+)")


class Verdict(NamedTuple):
    """A set of criteria at a time point: the verdict in words, what is known of its count, what would decide, what to mind."""

    timepoint: str
    status: Status
    words: str
    known: tuple[str, ...]
    tests: tuple[str, ...]
    cautions: tuple[str, ...]


class Block(NamedTuple):
    """Columns that fit side by side."""

    place: str  # which of several, such as ` (time points 1 to 5 of 9)`
    columns: Sequence[Any]


class EvidenceItem(NamedTuple):
    """An item with the comparisons that it rests on."""

    title: str
    status: Status
    said: tuple[str, ...]
    lines: tuple[Evidence, ...]


class Set(NamedTuple):
    """What the page says of one set of criteria."""

    id: str
    grid: Grid
    title: str
    blocks: list[Block]
    remarks: list[str]
    words: Mapping[Status, str]  # what a mark means
    verdicts: list[Verdict]
    evidence: list[tuple[str, list[EvidenceItem]]]


class Entry(NamedTuple):
    """A point of a list, what is said below it, and the points under it."""

    text: str
    below: tuple[str, ...]
    parts: list[Entry]


class Source(NamedTuple):
    """Where a rule was published; `links` are texts and addresses."""

    relation: str
    text: str
    links: list[tuple[str, str]]


class Definition(NamedTuple):
    """A rule as it is evaluated, with its source."""

    id: str
    title: str
    version: str
    provenance: str
    sources: list[Source]
    paragraphs: list[str]
    sections: list[tuple[str, list[Entry]]]


def html(result: Result, library: Library = SHIPPED) -> str:
    """The report on one patient. `library` knows the sets that those of the result extend."""
    patient, sets = result.patient, _criteria(result)
    snapshots = [each.snapshot for each in result.assessments if each.criteria is sets[0]]
    notes = [(_named(each), each.timepoint.note) for each in snapshots if each.timepoint.note]
    view = course_view(result)
    course = view.course if view else None
    organ = [each.criteria for each in course.organ[:1]] if course else []
    who = {"Patient": patient.patient.id, "Age at the first time point": age_at_first(patient), "Sex": patient.patient.sex}
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            person=person(result),
            who={label: text or "not stated" for label, text in who.items()} | {"File": Path(result.source).name},
            sets=[_set(each, grid, result) for each, grid in zip(sets, grids(result), strict=True)],
            verdict=VERDICT,
            overview=overview(result) if len(sets) > 1 else None,
            columns=_blocks([*enumerate(map(_named, snapshots))]),
            figure=inline(svg(result)),
            observed=list(dict.fromkeys(name for each in snapshots for name in each.known if name not in observables.PSEUDO)),
            known=[each.known for each in snapshots],
            curves={
                name: [f"{_when(at) or 'undated'}: {value(each)}" for at, each in patient.series[name].points]
                for name in patient.series
            },
            therapies=[(t.drug, t.line, t.dose, _when(t.start), _when(t.stop), t.note) for t in patient.therapies],
            course=view,
            readings=course_evidence(course) if course else [],
            words={status: str(status) for status in Status},
            definitions=[_definition(each, sets, library) for each in (*sets, *organ)],
            rules=[_course_rule(each) for each in responses.chosen(result.rules)] if course and course.lines else [],
            warnings=[(f"line {each.line}, column {each.column}" if each.line else "", each.message) for each in result.warnings],
            notes=notes,
            version=__version__,
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.filters |= {"sha256": _sha256, "value": value, "title_of": lambda name: observables.get(name).title}
    return environment


def _shown(content: object) -> str:
    """What the page shows: text, without characters that are invisible or turn the order of others around."""
    if isinstance(content, Markup):
        return content
    if not isinstance(content, (str, int, Status)):
        raise TypeError(f"{type(content).__name__} is no text")
    return printable(str(content))


def _sha256(text: str) -> str:
    """The digest by which a Content-Security-Policy knows the text of an element."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _criteria(result: Result) -> list[CriteriaSet]:
    return list({each.criteria.id: each.criteria for each in result.assessments}.values())


def _named(snapshot: Snapshot) -> str:
    """A time point, and when it was."""
    when, name = _when(snapshot.timepoint), snapshot.timepoint.name
    return f"{name} ({when})" if when and when != name else name


def _when(moment: Moment | Timepoint | None) -> str:
    if moment is None:
        return ""
    return moment.date.isoformat() if moment.date else f"day {exact_text(moment.day)}" if moment.day is not None else ""


def value(observation: Observation) -> str:
    """What was observed, and what the file notes beside it."""
    shown = observation.value.text
    if observation.day is not None:
        shown += f" (day {exact_text(observation.day)})"
    return f"{shown}; {observation.note}" if observation.note else shown


def _blocks(columns: Sequence[Any]) -> list[Block]:
    found = []
    for start in range(0, len(columns), _AT_ONCE):
        part = columns[start : start + _AT_ONCE]
        place = f" (time points {start + 1} to {start + len(part)} of {len(columns)})" if len(columns) > _AT_ONCE else ""
        found.append(Block(place, part))
    return found


def _set(criteria: CriteriaSet, grid: Grid, result: Result) -> Set:
    assessments = [each for each in result.assessments if each.criteria is criteria]
    notes = {printable(f"{each.timepoint}: {each.snapshot.timepoint.note}") for each in assessments}
    return Set(
        id=criteria.id,
        title=criteria.title,
        grid=grid,
        blocks=_blocks(grid.columns),
        remarks=[each for each in grid.remarks if each not in notes],  # they have a section of their own
        words=_COUNTS if criteria.score else {status: str(status) for status in Status},
        verdicts=[_verdict(each) for each in assessments],
        evidence=[(_named(each.snapshot), list(_evidence(each))) for each in assessments],
    )


def _verdict(assessment: Assessment) -> Verdict:
    status, words = assessment.status, _VERDICTS[assessment.status]
    if assessment.by not in (None, COUNT) and assessment.by:
        words += f", by {assessment.by.replace('_', ' ')}"
    if assessment.applicable is False:
        words = f"Not made for this patient; it would read: {words[0].lower()}{words[1:]}"
    return Verdict(
        _named(assessment.snapshot), status, words, tuple(_known(assessment)), _tests(assessment), tuple(_cautions(assessment))
    )


def _known(assessment: Assessment) -> Iterator[str]:
    """What is known of the count, the score and its probability."""
    for count in assessment.groups:
        needed = f"{count.required} needed" if count.required is not None else "no number that suffices is published"
        yield f"{count.title + ': ' if count.title else ''}{count.text} of {count.of} met, {needed}"
    if assessment.score:
        score = assessment.criteria.score
        yield f"score {range_text(assessment.score)}, cut-off {score.text}" if score else f"ratio {range_text(assessment.score)}"
    if assessment.probability and assessment.applicable is not False:
        yield f"published probability {' to '.join(dict.fromkeys(assessment.probability))}"


def _tests(assessment: Assessment) -> tuple[str, ...]:
    """What would decide an open verdict."""
    if assessment.status is not Status.UNKNOWN:
        return ("No criterion that is open can change it.",)
    found = []
    for way in (Status.MET, Status.NOT_MET):
        if sets := [test.observables for test in assessment.next_tests if test.could_settle is way]:
            tests = tests_text([[test_name(name, assessment) for name in names] for names in sets])
            found.append(f"Could become {way} with: {tests}")
    return tuple(found) or ("No open result is known to settle it.",)


def _cautions(assessment: Assessment) -> Iterator[str]:
    """What must not be overlooked beside the verdict."""
    if assessment.applicable is None:
        yield "It is not known whether the set was made for this patient."
    if assessment.doubtful:
        yield f"Rests on a value that is hardly possible: {', '.join(test_name(name, assessment) for name in assessment.doubtful)}."
    if assessment.criteria.score and assessment.criteria.score.about.grade == "unverified":
        yield "The cut-off is not verified."
    if assessment.by_values and assessment.by_values.status is not assessment.status:
        yield f"Rests on marks as reported; by values alone: {_VERDICTS[assessment.by_values.status].lower()}."
    if assessment.reported.agrees is False:
        yield "Differs from what the authors report."


def _evidence(assessment: Assessment) -> Iterator[EvidenceItem]:
    """What decides beside the items, and the items, with every comparison."""
    for aside in assessment.asides:
        yield EvidenceItem(rules.title(aside.node), aside.status, ("decides beside the items",), aside.evidence)
    for item in assessment.items:
        said = ["as reported"] * item.reported + ([f"points: {range_text(item.points)}"] if item.points else [])
        yield EvidenceItem(item.title, item.status, tuple(said), item.evidence)


def _definition(criteria: CriteriaSet, sets: list[CriteriaSet], library: Library) -> Definition:
    base = _base(criteria, sets, library)
    return Definition(
        id=criteria.id,
        title=criteria.title,
        version=criteria.version,
        provenance=_GRADES[rules.worst(criteria.verdict)],
        sources=[_source("", criteria.citation)] + ([_source(f"A variant of {base.id}: ", base.citation)] if base else []),
        paragraphs=criteria_page.head(criteria, None)[1:],
        sections=[(heading or "Rule", _nested(entries)) for heading, entries in criteria_page.sections(criteria, base)],
    )


def _course_rule(rule: ResponseSet) -> Definition:
    return Definition(
        id=rule.id,
        title=rule.title,
        version=rule.version,
        provenance=_GRADES[rule.provenance],
        sources=[_source("", rule.citation)],
        paragraphs=response_page.head(rule)[1:],
        sections=[(heading, _nested(entries)) for heading, entries in response_page.sections(rule)],
    )


def _base(criteria: CriteriaSet, sets: list[CriteriaSet], library: Library) -> CriteriaSet | None:
    """The set that this one extends; None also where it is a user's and neither given nor part of the result."""
    if criteria.extends is None:
        return None
    try:
        return next((each for each in sets if each.id == criteria.extends), None) or library.load(criteria.extends)
    except UnknownName:
        return None


def _source(relation: str, cited: Citation) -> Source:
    links = [(f"doi:{cited.doi}", f"https://doi.org/{cited.doi}")] if cited.doi else []
    links += [(f"PMID {cited.pmid}", f"https://pubmed.ncbi.nlm.nih.gov/{cited.pmid}/")] if cited.pmid else []
    links += [(cited.url, cited.url if cited.url.startswith(("https://", "http://")) else "")] if cited.url else []
    return Source(relation, f"{cited.text.rstrip('.')}.", links)


def _nested(entries: Iterable[criteria_page.Entry]) -> list[Entry]:
    """The points of a list that are indented under others as parts of them."""
    levels: list[list[Entry]] = [[]]
    for depth, text, below in entries:
        entry = Entry(text, below, [])
        levels[depth].append(entry)
        levels[depth + 1 :] = [entry.parts]
    return levels[0]


def inline(figure: str) -> Markup:
    """The figure as part of the page: its shapes and texts, without styles, which the page's policy would refuse.

    A property of a `style` attribute becomes an attribute of its own; what is neither shape nor property is left out, and so is
    an id that nothing refers to.
    """
    root = ElementTree.fromstring(figure)
    texts = " ".join(text for each in root.iter() for text in each.attrib.values())
    wanted = {*re.findall(r"#([\w-]+)", texts), *root.get("aria-labelledby", "").split()}
    return Markup(ElementTree.tostring(_shape(root, wanted), encoding="unicode"))


def _shape(element: ElementTree.Element, wanted: set[str]) -> ElementTree.Element:
    found = ElementTree.Element(_local(element.tag))
    found.text, found.tail = element.text, element.tail
    if found.tag == "svg":
        found.attrib |= {"stroke-linejoin": "round", "stroke-linecap": "butt"}  # what matplotlib's own style says
    given = {_local(name): text for name, text in element.attrib.items()}
    for name, text in (given | _declared(given.get("style", ""))).items():
        outside = not text.startswith("#") if name == "href" else "url(" in text and not text.startswith("url(#")
        if (name in _PROPERTIES and not outside) or (name == "id" and text in wanted):
            found.set(name, text)
    found.extend(_shape(child, wanted) for child in element if _local(child.tag) in _SHAPES)
    return found


def _declared(style: str) -> dict[str, str]:
    """The properties of a `style` attribute; `font`, which is no attribute, by its parts (matplotlib before 3.10 writes it)."""
    pairs = (declaration.partition(":") for declaration in style.split(";"))
    found = {name.strip(): text.strip() for name, _, text in pairs}
    if font := _FONT.fullmatch(found.get("font", "")):
        found |= {f"font-{name}": text.strip() for name, text in font.groupdict().items() if text}
    return found


def _local(name: str) -> str:
    return name.rpartition("}")[2]

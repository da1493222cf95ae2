"""A set of criteria as a page that can be held beside the paper, as text or Markdown; and how two sets differ."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from hlhcli import observables, rules
from hlhcli.errors import printable
from hlhcli.observables import Observable
from hlhcli.phrases import LIMITS
from hlhcli.quantity import decimal_text, number_text, point
from hlhcli.render.grid import headline, how_many
from hlhcli.rules import Citation, CriteriaSet, Edge, Node

WIDTH = 80
_ALSO = ("degF",)  # shown besides the conventional and the SI unit, where the family has it


class Entry(NamedTuple):
    """A bullet of the page: how deep it is indented, its text, and what is said below it."""

    depth: int
    text: str
    below: tuple[str, ...] = ()


class Section(NamedTuple):
    """A heading and its bullets."""

    heading: str
    entries: list[Entry]


def page(criteria: CriteriaSet, base: CriteriaSet | None = None) -> str:
    """Items, operators, cut-offs, provenance of every number, citation, population, and what cannot be computed."""
    lines = [f"{criteria.title} ({criteria.id}, version {criteria.version})", ""]
    for paragraph in head(criteria, base):
        lines += [*fill(paragraph, ""), ""]
    for heading, entries in sections(criteria, base):
        lines += [heading] if heading else []
        lines += [*bullets(entries), ""]
    return "\n".join(lines[:-1]) + "\n"


def bullets(entries: Sequence[Entry]) -> list[str]:
    """The lines of a section."""
    lines = []
    for depth, text, below in entries:
        indent = "  " * depth
        lines += fill(f"{indent}- {text}", f"{indent}  ")
        lines += [line for each in below for line in fill(f"{indent}    {each}", f"{indent}    ")]
    return lines


def markdown(title: str, subtitle: str, head: Sequence[str], sections: Iterable[Section]) -> str:
    """A page as Markdown."""
    lines = [f"# {_escape(title)}", "", subtitle, ""]
    for paragraph in head:
        lines += [_escape(paragraph), ""]
    for heading, entries in sections:
        lines += [f"## {heading or 'Rule'}", ""]
        for depth, text, below in entries:
            indent = "  " * depth
            lines += [f"{indent}- {_escape(text)}", *(f"{indent}  <br>*{_escape(each)}*" for each in below)]
        lines += [""]
    return "\n".join(lines[:-1]) + "\n"


def markdown_page(criteria: CriteriaSet, base: CriteriaSet | None = None, cases: Sequence[tuple[str, str, str]] = ()) -> str:
    """The same page as Markdown, and the cases that stand in the file as a table."""
    page = markdown(criteria.title, f"`{criteria.id}`, version {criteria.version}", head(criteria, base), sections(criteria, base))
    if not cases:
        return page
    lines = [
        page,
        "## Cases",
        "",
        "Met / not met / unknown where a count stands.",
        "",
        "| case | observed | expected |",
        "|---|---|---|",
    ]
    lines += [f"| {' | '.join(_escape(printable(cell)).replace('|', chr(92) + '|') for cell in row)} |" for row in cases]
    return "\n".join(lines) + "\n"


def listing(sets: list[CriteriaSet], default: str) -> str:
    """One line per set."""
    widest = max(len(each.id) for each in sets)
    return "".join(f"{each.id:<{widest}}  {each.title}{' (default)' if each.id == default else ''}\n" for each in sets)


def difference(a: CriteriaSet, b: CriteriaSet) -> str:
    """What is not the same in two sets: how many are needed, population, and each item by its id."""
    lines = [f"{a.id} and {b.id}"]
    for heading, one, other in _differences(a, b):
        lines += ["", heading]
        for name, text in ((a.id, one), (b.id, other)):
            lines += fill(f"  {name}: {text or 'not part of it'}", "      ")
    return "\n".join(lines if len(lines) > 1 else [*lines, "", "The same rule."]) + "\n"


def _differences(a: CriteriaSet, b: CriteriaSet) -> Iterator[tuple[str, str | None, str | None]]:
    facts: list[tuple[str, str | None, str | None]] = [
        ("Rule", headline(a), headline(b)),
        ("Population", _made_for(a), _made_for(b)),
    ]
    here, there = ({rules.item_id(node): node for node in (*each.asides, *each.items)} for each in (a, b))
    for name in dict.fromkeys([*here, *there]):
        one, other = (_full(nodes[name]) if name in nodes else None for nodes in (here, there))
        title = (here.get(name) or there[name]).about.title
        facts.append((f"{title} ({name})" if title else name, one, other))
    for heading, one, other in facts:
        if one != other:
            yield heading, one, other


def _made_for(criteria: CriteriaSet) -> str:
    return criteria.population.text if criteria.population else "not restricted"


def _full(node: Node) -> str:
    return f"{phrase(node)}  [{rules.worst(node)}]"


def cited(where: Citation) -> str:
    """A citation with its identifiers."""
    links = [f"doi:{where.doi}"] * bool(where.doi) + [f"PMID {where.pmid}"] * bool(where.pmid) + [where.url] * bool(where.url)
    return f"{where.text.rstrip('.')}. {' '.join(map(str, links))}".strip()


def head(criteria: CriteriaSet, base: CriteriaSet | None) -> list[str]:
    """What stands above the rule: citation, what it is a variant of, population."""
    found = [cited(criteria.citation)]
    if base:
        found.append(f"A variant of {base.id}: {cited(base.citation)}")
    if population := criteria.population:
        decided = " (not decided from a patient file)"
        if population.when:
            decided = f" (in a patient file{'' if population.sufficient else ', at least'}: {phrase(population.when)})"
        found.append(f"Made for: {population.text}{decided}")
    return found


def sections(criteria: CriteriaSet, base: CriteriaSet | None) -> Iterator[Section]:
    """The rule and what belongs to it, as sections of bullets."""
    if base:
        changes = [
            Entry(0, f"{heading}: {other or 'not part of it'}", (f"{base.id}: {one or 'not part of it'}",))
            for heading, one, other in _differences(base, criteria)
        ]
        yield Section(f"What differs from {base.id}", changes)
    yield Section("The whole rule" if base else "", list(_rule(criteria.verdict, 0)))
    if criteria.probability:
        table = "; ".join(f"{number_text(score)}: {text} %" for score, text in criteria.probability)
        between = "Between two scores both are shown; below the first and above the last nothing more is known."
        yield Section("Published probability", [Entry(0, table, (between,))])
    for heading, entries in (
        ("Graded, never counted", [_report(r) for r in criteria.reports if r.grade]),
        ("Reported, never counted", [_report(r) for r in criteria.reports if not r.grade]),
        ("What is not computed", criteria.not_computable),
        ("Notes", criteria.notes),
    ):
        if entries:
            yield Section(heading, [Entry(0, entry) for entry in entries])


def _report(report: rules.Report) -> str:
    if report.grade and report.when:
        return f"{phrase(report.when)}: {report.grade}; {report.say}"
    return f"{observables.get(report.observable).title}: {report.say}"


def rule_entries(node: Node) -> list[Entry]:
    """A rule as nested bullets."""
    return list(_rule(node, 0))


def _rule(node: Node, depth: int) -> Iterator[Entry]:
    name = f"{node.about.title}: " if node.about.title else ""
    parts = rules.children(node)
    cautions = node.about.cautions
    if isinstance(node, rules.Score) or (
        not isinstance(node, rules.Points) and any(rules.children(part) or part.about.title for part in parts)
    ):
        yield Entry(depth, f"{name}{_head_of(node)}", _below(node, cautions))
        for part in parts:
            yield from _rule(part, depth + 1)
    else:
        cautions = tuple(caution for each in rules.walk(node) for caution in each.about.cautions)
        yield Entry(depth, f"{name}{phrase(node)}  [{rules.worst(node)}]", _below(node, cautions))


def _below(node: Node, cautions: tuple[rules.Caution, ...]) -> tuple[str, ...]:
    note = (node.about.note,) if node.about.note else ()
    return (*note, *(f"Warns where {phrase(caution.when)}: {caution.say}" for caution in cautions))


def _head_of(node: Node) -> str:
    if isinstance(node, rules.Score):
        bins = any(len(child.children) > 1 for child in node.children if isinstance(child, rules.Points))
        highest = "; of several points for one item the most that apply" * bins
        return f"sum of points {node.text}{highest}  [{node.about.grade}]"
    if isinstance(node, rules.AtLeast):
        return how_many(node).replace(" of ", " of these ")
    kind = node.kind if isinstance(node, rules.Logic) else ""
    return {
        "all": "all of these",
        "first_known": "the first of these that is known",
        "not": "not",
        "if": "if the first of these is met the second, else the third",
        "agree": "what all of these say, else open",
    }.get(kind, "any of these")


def phrase(node: Node) -> str:
    """A rule in one line, each cut-off also in the other units in which it is commonly reported."""
    if isinstance(node, rules.Threshold):
        return node.text + _elsewhere(node)
    if isinstance(node, rules.Linear):
        return f"{node.text.split(' per ')[0]} points per {node.text.split(' per ')[1]}"
    if not isinstance(node, (rules.Logic, rules.AtLeast, rules.Points, rules.Score)):
        return node.text
    parts = [phrase(child) for child in node.children]
    if isinstance(node, rules.Points):
        lists = {child.children for child in node.children if isinstance(child, rules.AtLeast)}
        if len(lists) == 1 and all(isinstance(child, rules.AtLeast) for child in node.children):  # one list, and how many of it
            needed = [str(child.required) for child in node.children if isinstance(child, rules.AtLeast)]
            counts = [f"{_so_many(p)} if {k}" for p, k in zip(node.points, needed, strict=True)]
            return f"{', '.join(counts)} of: {', '.join(phrase(each) for each in lists.pop())}"
        return "; ".join(f"{_so_many(points)} if {part}" for points, part in zip(node.points, parts, strict=True))
    if isinstance(node, rules.AtLeast):
        return f"at least {node.required} of: {', '.join(parts)}"
    if isinstance(node, rules.Score):
        return f"sum {node.text} of: {'; '.join(parts)}"
    if node.kind == "first_known":
        known = "stated" if isinstance(node.children[0], rules.Present) else "known"
        return f"{parts[0]} if {known}; else {'; else '.join(parts[1:])}"
    if node.kind == "if":
        return f"{parts[1]} if {parts[0]}, else {parts[2]}"
    if node.kind == "not":
        return f"not ({parts[0]})"
    if node.kind == "agree":
        return f"{'; and '.join(parts)} (open where they differ)"
    return " and ".join(map(_grouped, node.children)) if node.kind == "all" else ", or ".join(parts)


def _so_many(points: Fraction) -> str:
    return f"{number_text(points)} point{'s' * (abs(points) != 1)}"


def _grouped(node: Node) -> str:
    text = phrase(node)
    return f"({text})" if isinstance(node, rules.Logic) and node.kind in ("any", "first_known", "if") else text


def _elsewhere(node: rules.Threshold) -> str:
    observable = observables.get(node.observable)
    printed = {edge.unit.name for edge in node.edges}
    edge = node.edges[0]
    if edge.unit.name in LIMITS or observable.family is None:
        return ""
    names = dict.fromkeys((observable.conventional, observable.si, *(name for name in _ALSO if name in observable.units.units)))
    texts = [_converted(edge, name, observable) for name in names if name not in printed]
    return f" ({', '.join(filter(None, texts))})" if any(texts) and observable.name not in observables.PSEUDO else ""


def _converted(edge: Edge, name: str, observable: Observable) -> str | None:
    unit = observable.units.units[name]
    if not edge.unit.convertible(unit):
        return None
    number = edge.unit.convert(point(edge.number), unit).lo
    assert number is not None
    text = decimal_text(number, 4)
    return f"{'=' if Fraction(text) == number else '≈'} {text} {name}"


def fill(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False)


def _escape(text: str) -> str:
    """Text in which nothing is markup; brackets stay as they are where they make no link."""
    return re.sub(r"[\\*<_&`]|\](?=[(:\[])", r"\\\g<0>", text).replace("  [", " [")

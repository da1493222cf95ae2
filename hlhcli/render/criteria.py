"""A set of criteria as a page that can be held beside the paper."""

from __future__ import annotations

import textwrap

from hlhcli import observables, rules
from hlhcli.rules import CriteriaSet, Node


def page(criteria: CriteriaSet, width: int = 80) -> str:
    """Items, operators, cut-offs, provenance of every number, citation, and what cannot be computed."""
    cited = criteria.citation
    links = [f"doi:{cited.doi}"] * bool(cited.doi) + [f"PMID {cited.pmid}"] * bool(cited.pmid) + [cited.url] * bool(cited.url)
    lines = [f"{criteria.title} ({criteria.id}, version {criteria.version})", ""]
    lines += _fill(f"{cited.text}. {' '.join(map(str, links))}", width)
    if criteria.population:
        lines += ["", *_fill(f"Made for: {criteria.population}", width)]
    lines += ["", *_rule(criteria.verdict, 0, width)]
    for heading, entries in (
        ("Reported, never counted", [f"{observables.get(r.observable).title}: {r.say}" for r in criteria.reports]),
        ("What is not computed", criteria.not_computable),
        ("Notes", criteria.notes),
    ):
        if entries:
            lines += ["", heading, *(line for entry in entries for line in _fill(f"- {entry}", width, "  "))]
    return "\n".join(lines) + "\n"


def listing(sets: list[CriteriaSet], default: str) -> str:
    """One line per set."""
    widest = max(len(each.id) for each in sets)
    return "".join(f"{each.id:<{widest}}  {each.title}{' (default)' if each.id == default else ''}\n" for each in sets)


def _rule(node: Node, depth: int, width: int) -> list[str]:
    indent = "  " * depth
    name = f"{node.about.title}: " if node.about.title else ""
    parts = rules.children(node)
    if any(rules.children(part) or part.about.title for part in parts):
        lines = _fill(f"{indent}- {name}{_head(node)}", width, indent + "  ")
        lines += [line for part in parts for line in _rule(part, depth + 1, width)]
        cautions = node.about.cautions
    else:
        lines = _fill(f"{indent}- {name}{phrase(node)}  [{rules.worst(node)}]", width, indent + "  ")
        cautions = tuple(caution for each in rules.walk(node) for caution in each.about.cautions)
    extra = [node.about.note] if node.about.note else []
    extra += [f"Warns where {phrase(caution.when)}: {caution.say}" for caution in cautions]
    return lines + [line for text in extra for line in _fill(f"{indent}    {text}", width, indent + "    ")]


def _head(node: Node) -> str:
    match node:
        case rules.AtLeast():
            return f"at least {node.required} of these {len(node.children)}"
        case rules.All():
            return "all of these"
        case rules.FirstKnown():
            return "the first of these that is known"
        case rules.Not():
            return "not"
        case _:
            return "any of these"


def phrase(node: Node) -> str:
    """A rule in one line."""
    if isinstance(node, (rules.Threshold, rules.Present, rules.Stated)):
        return node.text
    parts = [phrase(child) for child in rules.children(node)]
    match node:
        case rules.AtLeast():
            return f"at least {node.required} of: {'; '.join(parts)}"
        case rules.All():
            return " and ".join(parts)
        case rules.Any():
            return ", or ".join(parts)
        case rules.Not():
            return f"not ({parts[0]})"
        case rules.FirstKnown():
            return f"{parts[0]} if stated; else {'; else '.join(parts[1:])}"
        case _:
            return f"{parts[1]} if {parts[0]}, else {parts[2]}"


def _fill(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)

"""A rule for the course as a page that can be held beside the paper, as text or Markdown."""

from __future__ import annotations

from hlhcli.reading import due_text
from hlhcli.render.criteria import Entry, Section, bullets, cited, fill, markdown, rule_entries
from hlhcli.responses import ResponseSet
from hlhcli.rules import GRADES, AtLeast, Logic, Node, Present, children

_ROLES = {
    "response": "The first class that is met is the response",
    "refractory": "Whether the disease is refractory",
    "progression": "Flags, each for itself; none has a published number",
    "flags": "Markers and context, each for itself; no class of response",
    "recurrence": "The first class that is met is the kind of recurrence",
    "events": "Events, each with the time at which it was first so",
}


def response_page(rule: ResponseSet) -> str:
    """Classes with operators and cut-offs, when the rule is read, provenance, citation, and what cannot be computed."""
    lines = [f"{rule.title} ({rule.id}, version {rule.version})", ""]
    for paragraph in head(rule):
        lines += [*fill(paragraph, ""), ""]
    for section in sections(rule):
        lines += [section.heading, *bullets(section.entries), ""]
    return "\n".join(lines[:-1]) + "\n"


def markdown_response_page(rule: ResponseSet) -> str:
    """The same page as Markdown."""
    return markdown(rule.title, f"`{rule.id}`, version {rule.version}", head(rule), sections(rule))


def response_listing(rules: list[ResponseSet]) -> str:
    """One line per rule."""
    widest = max(len(each.id) for each in rules)
    on_request = {True: " (unverified transcription, on request)", False: ""}
    return "".join(f"{each.id:<{widest}}  {each.title}{on_request[each.on_request]}\n" for each in rules)


def head(rule: ResponseSet) -> list[str]:
    """What stands above the rule: citation, provenance, population, what it answers and when it is read."""
    found = [cited(rule.citation)]
    if rule.provenance == GRADES[-1]:
        found.append("UNVERIFIED TRANSCRIPTION: used only where it is asked for by its id, and marked wherever it shows.")
    if rule.population:
        found.append(f"Made for: {rule.population}")
    scope = {"first line": ", in the first line of therapy", "once": ", after a transplant or a documented remission"}.get(
        rule.scope, ""
    )
    found.append(
        f"{_ROLES[rule.role]}{scope}; else: {rule.otherwise}." if rule.role == "response" else f"{_ROLES[rule.role]}{scope}."
    )
    dues = {due_text(each.due) for each in rule.classes}
    if len(dues) == 1 and (due := dues.pop()):
        found.append(f"Read on: {due} of the line of therapy.")
    return found


def sections(rule: ResponseSet) -> list[Section]:
    """The classes and what belongs to them, as sections of bullets."""
    several = len({each.due for each in rule.classes}) > 1
    entries: list[Entry] = []
    shown: set[tuple[Node, ...]] = set()
    for each in rule.classes:
        first, *rest = rule_entries(_folded(each.node, dict(rule.borrowed), shown))
        when = f" (read on {due_text(each.due)})" if several and each.due else ""
        head = f"{each.title} ({each.id}){when}"
        text = first.text.removeprefix(f"{each.title}: ")
        entries += [Entry(0, f"{head}: {text}", first.below), *rest]
    found = [Section("Rule", entries)]
    for heading, texts in (("What is not computed", rule.not_computable), ("Notes", rule.notes)):
        if texts:
            found.append(Section(heading, [Entry(0, text) for text in texts]))
    return found


def _own(name: str) -> bool:
    """True for a list that stands in this rule."""
    return name.startswith("the markers of ") and " in " not in name


def _folded(node: Node, borrowed: dict[tuple[Node, ...], str], shown: set[tuple[Node, ...]]) -> Node:
    """The rule with lists that stand elsewhere told by their name; a list of this rule is shown where it stands first."""
    parts = children(node)
    if isinstance(node, AtLeast) and parts in borrowed and (parts in shown or not _own(borrowed[parts])):
        return Present(node.about, "", frozenset(), f"at least {node.required} of {borrowed[parts]}")
    shown.add(parts)
    if isinstance(node, (Logic, AtLeast)):
        return node._replace(children=tuple(_folded(part, borrowed, shown) for part in parts))
    return node

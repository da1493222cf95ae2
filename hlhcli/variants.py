"""A variant: the verdict of another set with some of its items changed, left out or added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from hlhcli.errors import did_you_mean, printable
from hlhcli.rules import (
    About,
    AtLeast,
    CriteriaSet,
    Grade,
    Linear,
    Logic,
    Node,
    Points,
    Score,
    asides,
    groups,
    item_id,
    items,
    walk,
)

if TYPE_CHECKING:
    from hlhcli.definition import Reader


class _Changes(NamedTuple):
    """What a variant says: items written anew by their id, items left out, items added, how many are needed, another cut-off."""

    nodes: Mapping[str, Node]
    without: frozenset[str]
    added: tuple[Node, ...]
    required: int | None
    score: Score | None


def varied(reader: Reader, base: CriteriaSet, grade: Grade) -> Node:
    """The verdict of `base` with the changes that the file says. Fails with the place of what cannot be done."""
    changes = _read(reader, base, grade)
    verdict = _vary(base, changes)
    if verdict is None or not (items(verdict) or asides(verdict)):
        reader.fail(f"nothing is left of {base.id}", "without")
    for group in groups(verdict):
        if group.required is not None and group.required > len(group.children):
            where = "at_least" if "at_least" in reader.tree else "without"
            reader.fail(f"{group.required} of {len(group.children)} items cannot be met; at_least is at most that", where)
    return verdict


def _read(reader: Reader, base: CriteriaSet, grade: Grade) -> _Changes:
    tree = reader.tree
    known = [item_id(node) for node in (*base.asides, *base.items)]
    without = reader.texts("without")
    if not isinstance(tree.get("change", {}), dict):
        reader.fail("expected items by their id, such as change: {ferritin: ferritin >= 3000 ng/mL}", "change")
    replaced = tree.get("change", {})
    for index, name in enumerate(without):
        if name not in known:
            reader.fail(f"'{printable(name, 60)}' is no item of {base.id}{did_you_mean(name, known)}", "without", index)
        if name not in _removable(base):
            reader.fail(
                f"'{name}' cannot be left out: the rule of {base.id} needs it; write it anew under 'change'", "without", index
            )
        if name in replaced:
            reader.fail(f"'{name}' is both left out and changed", "without", index)
    reader.ids |= {node.about.id for node in walk(base.verdict) if node.about.id} - {*without, *replaced}
    if base.score:
        reader.terms = (("change",), ("add",))
    nodes = {}
    for name in replaced:
        if name not in known:
            reader.fail(f"'{printable(name, 60)}' is no item of {base.id}{did_you_mean(name, known)}", "change", name, key=True)
        node = reader.node(replaced[name], grade, "change", name)
        if base.score and not isinstance(node, (Points, Linear)):
            reader.fail("an item of a score gives points, such as {points: {19: ast >= 30 U/L}}", "change", name)
        nodes[name] = node._replace(about=node.about._replace(id=name))
        reader.ids.add(name)
    if ("add" in tree or "at_least" in tree) and len(base.groups) != 1 and not (base.score and "at_least" not in tree):
        reader.fail(f"{base.id} does not count its items in one list", "add" if "add" in tree else "at_least", key=True)
    added = reader.nodes(grade, "add") if "add" in tree else ()
    for index, node in enumerate(added):
        if item_id(node) in set(known) - set(without):
            reader.fail(f"{base.id} has an item '{item_id(node)}' already; write it under 'change'", "add", index)
        if base.score and not isinstance(node, (Points, Linear)):
            reader.fail("an item of a score gives points, such as {points: {19: ast >= 30 U/L}}", "add", index)
    if "score" in tree and base.score is None:
        reader.fail(f"{base.id} is no score", "score", key=True)
    required = base.groups[0].required if base.groups else None
    if "at_least" in tree:
        group = base.groups[0].children
        left = sum(item_id(node) not in without for node in group) + len(added)
        required = reader.required(tree["at_least"], left, "at_least")
    score = reader.score(About(grade), base.score.children, "score") if "score" in tree and base.score else None
    return _Changes(nodes, frozenset(without), added, required, score)


def _removable(base: CriteriaSet) -> set[str]:
    """The items that a variant may leave out: those that are counted or summed, or stand beside others under any or all."""
    outer = {id(node) for node in (*base.items, *base.asides)}
    found: set[str] = set()
    left: list[Node] = [base.verdict]
    while left:
        node = left.pop()
        if id(node) in outer or (isinstance(node, Logic) and node.kind not in ("any", "all")):
            continue
        if isinstance(node, (Logic, AtLeast, Score)):
            found |= {item_id(child) for child in node.children if id(child) in outer}
            left += node.children
    return found


def _vary(base: CriteriaSet, changes: _Changes) -> Node | None:
    """An item that is written anew keeps its title where it has none of its own; what is left without any part goes too."""
    outer = {id(node) for node in (*base.items, *base.asides)}

    def changed(node: Node) -> Node | None:
        if id(node) in outer:
            name = item_id(node)
            if name in changes.without:
                return None
            new = changes.nodes.get(name, node)
            return new._replace(about=new.about._replace(title=new.about.title or node.about.title))
        if isinstance(node, Score):
            parts = [*map(changed, node.children), *changes.added]
            terms = tuple(term for term in parts if isinstance(term, (Points, Linear)))
            return (changes.score or node)._replace(children=terms) if terms else None
        assert isinstance(node, (Logic, AtLeast))
        left = tuple(child for each in node.children if (child := changed(each)))
        if isinstance(node, AtLeast):
            required = changes.required if len(base.groups) == 1 else node.required
            left += changes.added
            return node._replace(required=required, children=left) if left else None
        return node._replace(children=left) if len(left) > 1 or node.kind not in ("any", "all") else left[0] if left else None

    return changed(base.verdict)

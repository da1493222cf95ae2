"""A variant: the verdict of another set with some of its items changed, left out or added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hlhcli.rules import AtLeast, CriteriaSet, Linear, Logic, Node, Points, Score, item_id


class Changes(NamedTuple):
    """What a variant says: items written anew by their id, items left out, items added, how many are needed, another cut-off."""

    nodes: Mapping[str, Node]
    without: frozenset[str]
    added: tuple[Node, ...]
    required: int | None
    score: Score | None


def vary(base: CriteriaSet, changes: Changes) -> Node:
    """The verdict of `base` with the changes. An item that is written anew keeps its title where it has none of its own."""
    items = {id(node) for node in (*base.items, *base.asides)}

    def changed(node: Node) -> Node | None:
        if id(node) in items:
            name = item_id(node)
            if name in changes.without:
                return None
            new = changes.nodes.get(name, node)
            return new._replace(about=new.about._replace(title=new.about.title or node.about.title))
        if isinstance(node, Score):
            terms = tuple(term for child in node.children if isinstance(term := changed(child), (Points, Linear)))
            return (changes.score or node)._replace(children=terms)
        assert isinstance(node, (Logic, AtLeast))
        left = tuple(child for each in node.children if (child := changed(each)))
        if isinstance(node, AtLeast):
            required = changes.required if len(base.groups) == 1 else node.required
            return node._replace(required=required, children=left + changes.added)
        return left[0] if len(left) == 1 and node.kind in ("any", "all") else node._replace(children=left)

    verdict = changed(base.verdict)
    assert verdict is not None
    return verdict

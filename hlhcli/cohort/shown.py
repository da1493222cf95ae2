"""The value that decides an item, as text, and its time."""

from __future__ import annotations

from typing import NamedTuple

from hlhcli import rules
from hlhcli.cohort.columns import Rules
from hlhcli.cohort.layout import Column
from hlhcli.cohort.sql import case, joined, quoted
from hlhcli.observables import PSEUDO
from hlhcli.rules import Node


class Shown(NamedTuple):
    """The text and the moment (milliseconds) of what decides an item, as SQL."""

    text: str
    at: str
    by: dict[str, str]  # columns that say which of several observables it is


def finding_text(column: Column) -> str:
    """What was found, in words."""
    name = column.name
    values = {value: 1 << place for place, value in enumerate(column.values)}
    if len(values) <= 2:
        return case(*((f"{name}_is = {bit}", f"'{value}'") for value, bit in values.items()))
    found = (case((f"({name}_is & {values[value]}) <> 0", f"'{value}'")) for value in sorted(values))
    return f"NULLIF(CONCAT_WS(', ', {', '.join(found)}), '')"


def deciding(item: Node, of: Rules) -> Shown:
    """What decides the item."""
    found: dict[str, list[str]] = {}
    for name, conditions in _decide(item, of, ()):
        if name not in PSEUDO:
            found.setdefault(name, []).append(joined(conditions, "AND") if conditions else "TRUE")
    everything = [name for name in rules.asked(item) if name not in PSEUDO]
    asked = [name for name in everything if name in found]
    if not asked:
        return Shown("CAST(NULL AS VARCHAR)", "CAST(NULL AS BIGINT)", {})
    if len(everything) == 1:
        return Shown(f"{asked[0]}_text", _time(of.layout.columns[asked[0]]), {})
    columns = of.layout.columns
    asked = [name for name in asked if columns[name].present] or asked[:1]
    first = columns[everything[0]]
    same = len(everything) == 2 and first.observable.instead == everything[1]
    texts, times, by = [], [], {}
    for name in asked:
        when = quoted(f"{rules.item_id(item)} by {name}")
        by[when] = "TRUE" if "TRUE" in found[name] else joined(dict.fromkeys(found[name]), "OR")
        label = f"{name}_text" if same else f"'{name.replace('_', ' ')} ' || {name}_text"
        texts.append(case((when, label)))
        times.append(case((when, _time(columns[name]))))
    latest = f"GREATEST({', '.join(times)})" if len(times) > 1 else times[0]  # Spark takes the greatest of no less than two
    return Shown(f"NULLIF(CONCAT_WS('; ', {', '.join(texts)}), '')", latest, by)


def _time(column: Column) -> str:
    """The moment of what is shown; that of a finding which does not count is known too."""
    name = column.name
    return f"{name}_at" if column.is_quantity else case((f"NOT {name}_text IS NULL", f"{name}_at"))


_Path = tuple[str, ...]


def _decide(node: Node, of: Rules, path: _Path) -> list[tuple[str, _Path]]:
    """The observables that decide a node, each with the conditions under which it does."""
    if isinstance(node, rules.Ratio):
        return [(name, path) for name in node.observables]
    if isinstance(node, rules.Points):
        return _of_points(node, of, path)
    if isinstance(node, rules.AtLeast):
        return _alike(node, of, path)
    if not isinstance(node, rules.Logic):
        assert not isinstance(node, rules.Score)
        past = isinstance(node, (rules.Threshold, rules.Present, rules.Word)) and node.at
        return [] if past else [(node.observable, path)]
    if node.kind in ("not", "agree"):
        return _decide(node.children[0], of, path)
    if node.kind in ("all", "any"):
        return _alike(node, of, path)
    parts = [of.status(child) for child in node.children]
    if node.kind == "first_known":
        found = []
        for place, child in enumerate(node.children):
            before = [f"{part} IS NULL" for part in parts[:place]]
            here = [f"({parts[place]} IS NOT NULL OR {of.status(node)} IS NULL)"] if place < len(parts) - 1 else []
            found += _decide(child, of, (*path, *before, *here))
        return found
    condition, then, otherwise = parts
    differ = f"{condition} IS NULL AND {then} IS DISTINCT FROM {otherwise}"
    return [
        *_decide(node.children[1], of, (*path, f"({condition} OR {differ})")),
        *_decide(node.children[2], of, (*path, f"(NOT {condition} OR {condition} IS NULL)")),
        *_decide(node.children[0], of, (*path, f"({differ})")),
    ]


def _alike(node: rules.Logic | rules.AtLeast, of: Rules, path: _Path) -> list[tuple[str, _Path]]:
    """The children that say what the node says."""
    if len(node.children) == 1 and not (isinstance(node, rules.AtLeast) and node.required is None):
        return _decide(node.children[0], of, path)
    whole = of.status(node)
    return [
        each for child in node.children for each in _decide(child, of, (*path, f"{of.status(child)} IS NOT DISTINCT FROM {whole}"))
    ]


def _of_points(node: rules.Points, of: Rules, path: _Path) -> list[tuple[str, _Path]]:
    """The last part that is met, else all."""
    parts = [of.status(child) for child in node.children]
    none = " AND ".join(f"{part} IS NOT TRUE" for part in parts)
    found = []
    for place, child in enumerate(node.children):
        later = [f"{part} IS NOT TRUE" for part in parts[place + 1 :]]
        met = " AND ".join([parts[place], *later])
        found += _decide(child, of, (*path, f"(({met}) OR ({none}))"))
    return found

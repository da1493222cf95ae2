"""The table as Markdown, to paste into a note."""

from __future__ import annotations

import re

from hlhcli.api import Result
from hlhcli.errors import printable
from hlhcli.render.grid import Grid, grids, person

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def markdown(result: Result) -> str:
    """One result: a table for each set of criteria, remarks, and last the warnings."""
    parts = [_grid(grid) for grid in grids(result)]
    if len(parts) > 1:
        parts.append(_overview(result))
    parts += _course(result)
    if result.warnings:
        lines = [f"- {escape(printable(warning.where))}: {escape(printable(warning.message))}" for warning in result.warnings]
        parts.append("\n".join(["**Warnings**", "", *lines, ""]))
    return "\n".join(parts)


def _grid(grid: Grid) -> str:
    head = ["", *(f"{c.name} ({c.when})" if c.when else c.name for c in grid.columns)]
    body = [
        [title, *(f"{c.cells[row].mark} {'; '.join(c.cells[row].lines)}" for c in grid.columns)]
        for row, title in enumerate(grid.rows)
    ]
    foot = [[label, *(c.summary.get(label, "") for c in grid.columns)] for label in grid.labels]
    lines = [
        f"### {escape(grid.heading)}",
        "",
        f"{escape(grid.title)}. {escape(grid.legend)}. Source: {escape(grid.source)}",
        "",
    ]
    lines += [table_row(head), "|" + " --- |" * len(head), *map(table_row, body + foot), ""]
    lines += [f"- {escape(remark)}" for remark in grid.remarks] + [""] * bool(grid.remarks)
    return "\n".join(lines)


def _course(result: Result) -> list[str]:
    """What is said of the course, section by section."""
    if not result.moves:
        return []
    from hlhcli.render.course import course_view

    view = course_view(result)
    return [
        "\n".join([f"**{escape(section.heading)}**", "", *(f"- {escape(entry)}" for entry in section.entries), ""])
        for section in (view.sections if view else ())
    ]


def _overview(result: Result) -> str:
    """The sets of criteria side by side."""
    from hlhcli.render.overview import overview

    sets = overview(result)
    lines = [f"### {escape(person(result))}: the sets of criteria side by side", "", table_row(["", *sets.columns])]
    lines += [
        "|" + " --- |" * (len(sets.columns) + 1),
        *(table_row([name, *(text for text, _ in cells)]) for name, cells in sets.rows),
    ]
    return "\n".join([*lines, "", *(f"- {escape(remark)}" for remark in sets.remarks), ""])


def table_row(cells: list[str]) -> str:
    """A line of a table."""
    return "| " + " | ".join(map(escape, cells)) + " |"


def escape(text: str) -> str:
    """Text in which nothing is markup."""
    return _SPECIAL.sub(r"\\\1", text)

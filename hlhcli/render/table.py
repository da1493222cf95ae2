"""The table on a terminal, with Rich. Text from the file is never read as markup."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from rich.box import ASCII2, SIMPLE_HEAD
from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hlhcli.api import Result
from hlhcli.errors import printable
from hlhcli.render.grid import VERDICT, Cell, Column, Grid, grids, person
from hlhcli.status import Status

if TYPE_CHECKING:
    from hlhcli.render.overview import Overview

_LABELS = 24  # characters of the criteria's column
_NARROWEST, _WIDEST = 16, 40  # of a time point's column
_GAP = 2
_IN_FULL = 4  # sets; of more only the overview is shown
_LAST = 6  # time points whose verdict is said once more
_STYLES = {Status.MET: "bold red", Status.NOT_MET: "green", Status.UNKNOWN: "yellow"}
_PLAIN = str.maketrans(
    {"°": "", "µ": "u", "×": "x", "³": "^3", "⁴": "^4", "⁵": "^5", "⁶": "^6", "⁹": "^9", "…": "...", "→": "->", "±": "+/-"}
)


class _Line(NamedTuple):
    """One line of a cell; the first `styled` characters have the style."""

    text: str
    style: str = ""
    styled: int = 0


def draw(result: Result, console: Console, plain: bool) -> None:
    """One result: a table for each set of criteria, remarks, how the sets differ, and the warnings; `plain` means ASCII only."""
    if len({assessment.criteria.id for assessment in result.assessments}) == 1:
        for grid in grids(result):
            _draw_grid(grid, console, plain)
    else:
        _draw_several(result, console, plain)
    if result.moves:
        _draw_course(result, console, plain)
    if result.warnings:
        console.print(Text("Warnings", style="bold yellow"))
        listed((f"{printable(warning.where)}: {printable(warning.message)}" for warning in result.warnings), console, plain)


def once_more(result: Result, console: Console, plain: bool) -> None:
    """The verdicts of the last time points, where a terminal no longer shows them; of many sets they are too many to say."""
    drawn = grids(result)
    if len(drawn) > _IN_FULL:
        return
    several, left_out = len(drawn) > 1, len(drawn[0].columns) > _LAST
    heading = f"Verdict at the last {_LAST} time points" if left_out else "Verdict"
    console.print(Text(f"{heading} (the table stands above)", style="bold"))
    for grid in drawn:
        said = "; ".join(f"{column.name} {column.summary[VERDICT]}" for column in grid.columns[-_LAST:])
        listed([f"{grid.id}: {said}" if several else said], console, plain)


def _draw_grid(grid: Grid, console: Console, plain: bool) -> None:
    console.print(Text.assemble((fit(grid.heading, plain), "bold"), "   ", (fit(grid.source, plain), "dim")))
    console.print(Text(fit(grid.title, plain)))
    at_once = max(1, (console.width - _LABELS) // (_NARROWEST + _GAP))
    for start in range(0, len(grid.columns), at_once):
        if start:
            console.print()
        columns = grid.columns[start : start + at_once]
        width = min(_WIDEST, (console.width - _LABELS) // min(len(grid.columns), at_once) - _GAP)
        console.print(_table(grid, columns, max(width, _NARROWEST // 2), plain))
    console.print(Text(fit(grid.legend, plain), style="dim"))
    listed(grid.remarks, console, plain)


def _draw_course(result: Result, console: Console, plain: bool) -> None:
    """Therapies, support and markers along the axis of time, and what the rules for the course say."""
    from hlhcli.render.course import course_view  # not every file has a course, and every start pays for an import

    view = course_view(result)
    if view is None:
        return
    console.print(Text("Course", style="bold"))
    drawn = None
    if view.course is not None:
        from hlhcli.render.lanes import lanes

        drawn = lanes(result, view.course, console.width - _LABELS, plain)
    if drawn:
        for lane in (drawn.axis, *drawn.bars, *drawn.markers):
            style = "dim" if lane is drawn.axis else ""
            label = wrapped(fit(lane.label, plain), _LABELS - 1)[0]
            console.print(
                Text(f"{label}{' ' * (_LABELS - cell_len(label))}{lane.drawn.rstrip()}", style=style),
                overflow="ignore",
                no_wrap=True,
            )
            for line in wrapped(fit(lane.below, plain), console.width - _LABELS) if lane.below else ():
                console.print(Text(" " * _LABELS + line), overflow="ignore", no_wrap=True)
        if drawn.legend:
            console.print(Text("\n".join(wrapped(drawn.legend, console.width)), style="dim"))
    for section in view.sections:
        console.print(Text("\n".join(wrapped(fit(section.heading, plain), console.width)), style="bold"))
        listed(section.entries, console, plain)


def _draw_several(result: Result, console: Console, plain: bool) -> None:
    """Each of a few sets in full, and all of them side by side."""
    from hlhcli.render.overview import overview  # most calls are about one set, and every start pays for an import

    sets = overview(result)
    if len(sets.rows) <= _IN_FULL:
        for grid in grids(result):
            _draw_grid(grid, console, plain)
            console.print()
    _draw_overview(result, sets, console, plain)
    if len(sets.rows) > _IN_FULL:
        console.print(Text("hlhcli check --criteria ID shows one set in full", style="dim"))
    listed(sets.remarks, console, plain)


def _draw_overview(result: Result, sets: Overview, console: Console, plain: bool) -> None:
    console.print(Text.assemble((fit(person(result), plain), "bold"), "   ", (fit(printable(result.source), plain), "dim")))
    console.print(Text("The sets of criteria side by side"))
    labels = max(len(name) for name, _ in sets.rows) + 2
    at_once = max(1, (console.width - labels) // (_NARROWEST + _GAP))
    for start in range(0, len(sets.columns), at_once):
        names = sets.columns[start : start + at_once]
        width = max(min(_WIDEST, (console.width - labels) // min(len(sets.columns), at_once) - _GAP), _NARROWEST // 2)
        table = Table(box=ASCII2 if plain else SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
        table.add_column("", width=labels, no_wrap=True)
        for name in names:
            table.add_column(Text("\n".join(wrapped(fit(name, plain), width)), style="bold"), width=width, no_wrap=True)
        rows = [
            [
                [_Line(name)],
                *(
                    [_Line(line, _STYLES[status], width) for line in wrapped(fit(text, plain), width)]
                    for text, status in cells[start : start + at_once]
                ),
            ]
            for name, cells in sets.rows
        ]
        table.add_row(*_blocks(rows))
        console.print(table)


def _table(grid: Grid, columns: tuple[Column, ...], width: int, plain: bool) -> Table:
    table = Table(box=ASCII2 if plain else SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("", width=_LABELS, no_wrap=True)
    for column in columns:
        heading = [*wrapped(fit(column.name, plain), width), *wrapped(fit(column.when, plain), width)]
        table.add_column(Text("\n".join(filter(None, heading)), style="bold"), width=width, no_wrap=True)
    criteria = [
        [
            [_Line(line) for line in wrapped(fit(title, plain), _LABELS)],
            *(_cell(column.cells[row], width, plain) for column in columns),
        ]
        for row, title in enumerate(grid.rows)
    ]
    if criteria:
        table.add_row(*_blocks(criteria), end_section=True)
    summary = []
    for label in grid.labels:
        if any(label in column.summary for column in columns):
            row = [[_Line(line) for line in wrapped(fit(label, plain), _LABELS)]]
            for column in columns:
                styled = width if label == VERDICT else 0
                lines = wrapped(fit(column.summary.get(label, ""), plain), width)
                row.append([_Line(line, f"bold {_STYLES[column.verdict]}", styled) for line in lines])
            summary.append(row)
    table.add_row(*_blocks(summary))
    return table


def _cell(cell: Cell, width: int, plain: bool) -> list[_Line]:
    """The mark, and the lines beside it with a hanging indent."""
    first, *rest = [part for line in cell.lines for part in wrapped(fit(line, plain), width - 2)]
    return [_Line(f"{cell.mark} {first}", _STYLES[cell.status], 1), *(_Line(f"  {line}") for line in rest)]


def _blocks(rows: list[list[list[_Line]]]) -> list[Text]:
    """The rows as one text for each column, padded so that they stay side by side: a table of few cells is drawn fast."""
    blocks = [Text() for _ in rows[0]]
    for number, row in enumerate(rows):
        height = max(map(len, row))
        for block, lines in zip(blocks, row, strict=True):
            for position, (text, style, styled) in enumerate(lines + [_Line("")] * (height - len(lines))):
                block.append("\n" * bool(number or position))
                block.append(text[:styled], style)
                block.append(text[styled:])
    return blocks


def wrapped(text: str, width: int) -> list[str]:
    """The lines of `text`, none wider than `width`, broken between words where that is possible."""
    lines = [""]
    for word in text.split(" "):
        room = width - cell_len(lines[-1]) - bool(lines[-1])
        if cell_len(word) <= room:
            lines[-1] += " " * bool(lines[-1]) + word
            continue
        if lines[-1]:
            lines.append("")
        *full, last = chop_cells(word, width) or [""]
        lines[-1:] = [*full, last]
    return lines


def listed(entries: Iterable[str], console: Console, plain: bool) -> None:
    """Entries as a list, each in lines that fit."""
    lines = [part for entry in entries for part in ("- " + "\n  ".join(wrapped(fit(entry, plain), console.width - 2))).split("\n")]
    if lines:
        console.print(Text("\n".join(lines)), overflow="ignore", no_wrap=True)


def fit(text: str, plain: bool) -> str:
    """`text`, or what an ASCII terminal can show of it."""
    return text.translate(_PLAIN).encode("ascii", "backslashreplace").decode() if plain else text

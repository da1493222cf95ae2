"""The table on a terminal, with Rich. Text from the file is never read as markup."""

from __future__ import annotations

import textwrap

from rich.box import ASCII2, SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hlhcli.api import Result
from hlhcli.errors import printable
from hlhcli.render.grid import LEGEND, VERDICT, Cell, Column, Grid, grids
from hlhcli.status import Status

_LABELS = 24  # characters of the criteria's column
_NARROWEST, _WIDEST = 16, 40  # of a time point's column
_GAP = 2
_STYLES = {Status.MET: "bold red", Status.NOT_MET: "green", Status.UNKNOWN: "yellow"}
_PLAIN = str.maketrans({"°": "", "µ": "u", "×": "x", "³": "^3", "⁴": "^4", "⁵": "^5", "⁶": "^6", "⁹": "^9", "…": "..."})


def draw(result: Result, console: Console, plain: bool) -> None:
    """One result: a table for each set of criteria, remarks, and last the warnings; `plain` means ASCII only."""
    for grid in grids(result):
        _draw_grid(grid, console, plain)
    if result.warnings:
        console.print(Text("Warnings", style="bold yellow"))
        for warning in result.warnings:
            _bullet(f"{printable(warning.where)}: {printable(warning.message)}", console, plain)


def _draw_grid(grid: Grid, console: Console, plain: bool) -> None:
    console.print(Text.assemble((_fit(grid.heading, plain), "bold"), "   ", (_fit(grid.source, plain), "dim")))
    console.print(Text(_fit(f"{grid.title}: {grid.rule}", plain)))
    at_once = max(1, (console.width - _LABELS) // (_NARROWEST + _GAP))
    for start in range(0, len(grid.columns), at_once):
        if start:
            console.print()
        columns = grid.columns[start : start + at_once]
        width = min(_WIDEST, (console.width - _LABELS) // min(len(grid.columns), at_once) - _GAP)
        console.print(_table(grid, columns, max(width, _NARROWEST // 2), plain))
    console.print(Text(LEGEND, style="dim"))
    for remark in grid.remarks:
        _bullet(remark, console, plain)


def _table(grid: Grid, columns: tuple[Column, ...], width: int, plain: bool) -> Table:
    table = Table(box=ASCII2 if plain else SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("", width=_LABELS, overflow="fold")
    for column in columns:
        heading = "\n".join(filter(None, (_fit(column.name, plain), column.when)))
        table.add_column(Text(heading, style="bold"), width=width, overflow="fold")
    for row, title in enumerate(grid.rows):
        cells = [_cell(column.cells[row], width, plain) for column in columns]
        table.add_row(Text(title), *cells, end_section=row == len(grid.rows) - 1)
    for label in grid.columns[0].summary:
        if any(column.summary[label] for column in columns):
            style = [f"bold {_STYLES[column.verdict]}" if label == VERDICT else "" for column in columns]
            table.add_row(Text(label), *(Text(_fit(c.summary[label], plain), style=s) for c, s in zip(columns, style, strict=True)))
    return table


def _cell(cell: Cell, width: int, plain: bool) -> Text:
    """The mark, and the lines beside it with a hanging indent."""
    lines = [part for line in cell.lines for part in textwrap.wrap(_fit(line, plain), width - 2) or [""]]
    return Text.assemble((cell.mark, _STYLES[cell.status]), " " + "\n  ".join(lines))


def _bullet(text: str, console: Console, plain: bool) -> None:
    line = Table.grid(padding=(0, 1, 0, 0))
    line.add_row("-", Text(_fit(text, plain), overflow="fold"))
    console.print(line)


def _fit(text: str, plain: bool) -> str:
    """`text`, or what an ASCII terminal can show of it."""
    return text.translate(_PLAIN).encode("ascii", "backslashreplace").decode() if plain else text

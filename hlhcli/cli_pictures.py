"""The commands that make a picture or a page of one patient. They parse arguments, call and write.

Annotations are evaluated here as they stand: Typer reads them at every start, and as text they would be compiled each time.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal, get_args

import typer

from hlhcli.arguments import AnchorOption, At, Command, Criteria, Dictionary, Folder, From, Map, OneSet, Strict, Window
from hlhcli.cli import app
from hlhcli.commands import FAILED, Inputs, cannot_write, choose, fail, keep, reading, usage

if TYPE_CHECKING:
    from hlhcli.api import Result

Form = Literal["svg", "png", "pdf"]

_File = Annotated[str, typer.Argument(metavar="FILE", help="An input of one patient; '-' is standard input.")]


@app.command("figure", cls=Command, no_args_is_help=True, short_help="Draw the course of one patient in four panels.")
def figure(
    file: _File,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="PATH", help="The picture: .svg, .png or .pdf.")],
    criteria: OneSet = None,
    folder: Folder = None,
    form_in: From = None,
    mapping: Map = None,
    dictionary: Dictionary = None,
    at: At = None,
    anchor: AnchorOption = None,
    window: Window = None,
    strict: Strict = False,
) -> None:
    """
    \b
    Examples:
      hlhcli figure patient.yaml -o figure.svg
      hlhcli figure patient.yaml -o figure.png -c hscore

    Draw the course: the criteria at each time point, temperature, ferritin
    and CRP, and sIL-2R, with therapies above. Needs matplotlib.
    """
    form = next((form for form in get_args(Form) if output.suffix.lower() == f".{form}"), None)
    if form is None:
        usage(f"cannot draw {output}; choose a name that ends in .svg, .png or .pdf")
    keep(output, file, mapping, dictionary, *(criteria or ()))
    options = reading(form_in, mapping, dictionary, at, anchor, window)
    chosen = choose(criteria, folder)
    if len(chosen.sets) > 1:
        usage("a figure is drawn by one set of criteria; name one")
    result = _result(file, Inputs(chosen, options, strict))
    try:
        from hlhcli.render.figure import save
    except ImportError as error:
        if (error.name or "").startswith("hlhcli"):
            raise
        fail("a figure needs matplotlib: pip install matplotlib")
    _write(output, lambda stream: save(result, stream, form))


@app.command(
    "report", cls=Command, no_args_is_help=True, short_help="Write one page about one patient: table, figure, course, evidence."
)
def report(
    file: _File,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="PATH", help="The page, such as report.html.")],
    criteria: Criteria = None,
    folder: Folder = None,
    form_in: From = None,
    mapping: Map = None,
    dictionary: Dictionary = None,
    at: At = None,
    anchor: AnchorOption = None,
    window: Window = None,
    strict: Strict = False,
) -> None:
    """
    \b
    Examples:
      hlhcli report patient.yaml -o report.html
      hlhcli report patient.yaml -o report.html -c hlh-2004 -c hscore

    Write one HTML page that needs nothing else: summary, table, figure,
    course, the evidence for every item, definitions with their sources, and
    warnings. It holds what the file holds: handle it as you handle the file.
    Needs matplotlib and Jinja2.
    """
    if output.suffix.lower() not in (".html", ".htm"):
        usage(f"cannot write {output}; choose a name that ends in .html")
    chosen = choose(criteria, folder)
    keep(output, file, mapping, dictionary, *(criteria or ()))
    options = reading(form_in, mapping, dictionary, at, anchor, window)
    result = _result(file, Inputs(chosen, options, strict))
    try:
        from hlhcli.render.report import html
    except ImportError as error:
        if (error.name or "").startswith("hlhcli"):
            raise
        fail("a report needs matplotlib and Jinja2: pip install matplotlib jinja2")
    page = html(result, chosen.catalog)
    _write(output, lambda stream: stream.write(page.encode()))


def _result(file: str, inputs: Inputs) -> "Result":
    """The result of the one patient in the input."""
    found = list(inputs.results(file))
    if inputs.problems:
        raise typer.Exit(FAILED)
    if len(found) > 1:
        fail(f"{file}: holds {len(found)} patients; part them with hlhcli convert {file} -o patients/ and choose one")
    return found[0]


def _write(output: Path, write: Callable[[BinaryIO], object]) -> None:
    """The file, which appears only once it is complete."""
    from hlhcli.render.output import in_bytes

    try:
        with in_bytes(output) as stream:
            write(stream)
    except OSError as error:
        cannot_write(output, error)

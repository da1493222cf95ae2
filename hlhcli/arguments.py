"""What the commands have in common on the command line: the options of several of them, and how values are taken.

Texts, paths and flags are taken as they stand: Typer has Pydantic read each of them, whose import is half of a start; what else
there is stays Typer's. Annotations are evaluated here as they stand: Typer reads them at every start.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from typer.core import TyperCommand, TyperGroup


class Command(TyperCommand):
    """A command of texts, paths, flags and numbers that are left at their default."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _plainly(super().get_params(ctx), self.callback)


class Group(TyperGroup):
    """The commands together; what is wrong with a call is told without anything in it that acts on a terminal."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if isinstance(said := getattr(error, "message", None), str):  # of Click
                from hlhcli.errors import printable

                error.__dict__["message"] = printable(said)
            raise

    def get_params(self, ctx: Any) -> list[Any]:
        return _plainly(super().get_params(ctx), self.callback)


def _plainly(parameters: list[Any], callback: Any) -> list[Any]:
    annotations = getattr(callback, "__annotations__", {})
    for each in parameters:
        kind = _kind(annotations.get(each.name, bool))
        if kind in (str, Path, bool, int) and "process_value" not in vars(each):
            vars(each).update(process_value=partial(_process, each, kind, each.process_value))
    return parameters


def _kind(annotation: Any) -> Any:
    """Of what a parameter consists: of `Annotated[list[Path] | None, …]` Path."""
    while arguments := get_args(annotation):
        annotation = arguments[0]
    return annotation


def _process(parameter: Any, kind: Any, by_typer: Callable[[Any, Any], Any], context: Any, value: Any) -> Any:
    """The value of a parameter as its command expects it; Typer tells what is missing or wrong."""
    if value is None or value == ():
        if parameter.required:
            return by_typer(context, value)
        value = () if parameter.multiple or parameter.nargs == -1 else None
    elif kind in (bool, int):
        if not isinstance(value, kind):
            return by_typer(context, value)
    else:
        value = tuple(map(kind, value)) if isinstance(value, (tuple, list)) else kind(value)
    return value if parameter.callback is None else parameter.callback(context, parameter, value)


def _criteria(what: str) -> Any:
    return typer.Option("--criteria", "-c", metavar="ID|FILE", help=f"{what} [default: hlh-2004]")


Criteria = Annotated[list[str] | None, _criteria("Set of criteria, a criteria file, or a rule of response; repeatable; 'all'.")]
Sets = Annotated[list[str] | None, _criteria("Set of criteria, or a criteria file; repeatable; 'all'.")]
OneSet = Annotated[list[str] | None, _criteria("One set of criteria, or a criteria file, and rules of response; repeatable.")]
Folder = Annotated[
    list[Path] | None,
    typer.Option(
        "--criteria-dir", metavar="DIR", envvar="HLHCLI_CRITERIA", help="Folder of your own criteria files, known by their ids."
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="FORM", help="Form of the input: patient, fhir, phenopacket, csv, xlsx or omop. [default: by its content]"
    ),
]
Map = Annotated[
    Path | None, typer.Option("--map", metavar="FILE", help="A file that says which column of a table, or code of FHIR, is what.")
]
Dictionary = Annotated[Path | None, typer.Option("--dictionary", metavar="FILE", help="The data dictionary of a REDCap project.")]
At = Annotated[
    list[str] | None,
    typer.Option("--at", metavar="DATE=NAME", help="A time point (or DAY=NAME); repeatable. [default: one for each day]"),
]
AnchorOption = Annotated[
    str | None, typer.Option("--anchor", metavar="WHICH", help="The time point, such as first-ferritin or last-platelets.")
]
Window = Annotated[str | None, typer.Option("--window", metavar="TIME", help="How far each time point looks back, such as 7d.")]
Strict = Annotated[bool, typer.Option("--strict", help="An input of which something was not used is an error.")]

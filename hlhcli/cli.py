"""The commands: they parse arguments, call and print. Each imports what it needs when it runs, so that --help stays fast.

Annotations are evaluated here as they stand: Typer reads them at every start, and as text they would be compiled each time.
"""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hlhcli import __version__
from hlhcli.arguments import AnchorOption, At, Command, Criteria, Dictionary, Folder, From, Group, Map, Strict, Window
from hlhcli.commands import EVALUATED, FAILED, INDETERMINATE, NOT_MET, Inputs, cannot_write, choose, fail, keep, reading, say, usage

if TYPE_CHECKING:
    from hlhcli.api import Result

app = typer.Typer(
    name="hlhcli",
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"hlhcli {__version__}")  # noqa: T201
        raise typer.Exit


@app.callback(epilog="It supports a decision and never makes one. Nothing leaves this computer.")
def _hlhcli(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """
    \b
    Examples:
      hlhcli init > patient.yaml           a commented template to fill in
      hlhcli check patient.yaml            which criteria are met or unknown
      hlhcli check --json *.yaml | jq .    the same for scripts
      hlhcli figure patient.yaml -o x.svg  the course in four panels
      hlhcli report patient.yaml -o x.html all of it on one page
      hlhcli criteria hlh-2004             the definition, with its sources

    Evaluate published criteria for hemophagocytic lymphohistiocytosis (HLH)
    on what was observed in a patient. Unknown is a value: what was not
    observed is never taken as normal.
    """


@app.command("check", cls=Command, no_args_is_help=True, short_help="Decide which criteria are met, not met or unknown.")
def check(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE", help="Patient files, or FHIR, phenopackets, tables, folders of bulk data; '-' is standard input."
        ),
    ],
    criteria: Criteria = None,
    folder: Folder = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORM",
            help="table, json, jsonl, csv or markdown. [default: by the name after -o, else table]",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write to a file, which appears only once it is complete.")
    ] = None,
    form_in: From = None,
    mapping: Map = None,
    dictionary: Dictionary = None,
    at: At = None,
    anchor: AnchorOption = None,
    window: Window = None,
    strict: Strict = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit 10 if not met, 11 if indeterminate at the last time point.")
    ] = False,
    color: Annotated[bool, typer.Option("--color", help="Color, whatever the terminal and NO_COLOR say.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No color.")] = False,
    ascii_only: Annotated[bool, typer.Option("--ascii", help="No other characters than ASCII in the table.")] = False,
) -> None:
    """
    \b
    Examples:
      hlhcli check patient.yaml
      hlhcli check -c hscore -c mas-2016 patient.yaml
      hlhcli check -c all patient.yaml              where the sets disagree
      hlhcli check -c marsh-2013 patient.yaml       one rule of response
      hlhcli check -c my-hospital.yaml patient.yaml your own criteria
      hlhcli check ward/*.yaml --format csv -o ward.csv
      hlhcli check --json patient.yaml | jq '.results[].assessments[].verdict'
      cat patient.json | hlhcli check -
      hlhcli check bundle.json --anchor first-ferritin --window 7d
      hlhcli check labs.csv --map columns.yaml      a table; see hlhcli convert

    Decide which criteria were met, not met or cannot be known yet, at each
    time point, and how the disease moved between them.

    \b
    Exit status:
      0  every input was evaluated, whatever the verdict
      1  an input could not be evaluated; the others still were
      2  wrong usage, or criteria that cannot be read
      10, 11  only with --exit-code: not met, indeterminate
      130  interrupted
    """
    from hlhcli.render.output import Format, Screen, destination, format_of, write

    if form is not None and form not in list(Format):
        usage(f"'{form}' is no format; choose from {', '.join(Format)}")
    if as_json and form not in (None, Format.JSON):
        usage(f"--json and --format {form} contradict each other")
    if color and no_color:
        usage("--color and --no-color contradict each other")
    if files.count("-") > 1:
        usage("standard input ('-') can be read only once")
    if len(files) > 1:  # main() starts without garbage collection, which one file does not need
        gc.freeze()
        gc.enable()
    options = reading(form_in, mapping, dictionary, at, anchor, window)
    keep(output, *files, mapping, dictionary, *(criteria or ()))
    inputs = Inputs(choose(criteria, folder), options, strict)
    codes: set[int] = set()
    chosen = Format.JSON if as_json else Format(form) if form else format_of(output)
    if chosen is None:
        usage(f"cannot write {output}; choose a --format, or a name that ends in .json, .jsonl, .csv, .md or .txt")
    results = _evaluated(files, inputs, codes, warn=chosen is Format.CSV)
    try:
        with destination(output) as stream:
            write(chosen, results, inputs, stream, Screen(True if color else False if no_color else None, ascii_only))
            if output and not codes and chosen is not Format.JSON:  # JSON says under `errors` why it is empty
                fail(f"{output}: not written: no input could be evaluated")
    except OSError as error:
        if output is None:  # standard output is main's affair
            raise
        cannot_write(output, error)
    if inputs.problems:
        raise typer.Exit(FAILED)
    if exit_code:
        raise typer.Exit(INDETERMINATE if INDETERMINATE in codes else NOT_MET if NOT_MET in codes else EVALUATED)


def _evaluated(files: list[str], inputs: Inputs, codes: set[int], warn: bool) -> "Iterator[Result]":
    """The result of each patient that can be evaluated."""
    from hlhcli.status import Status

    for result in (result for name in files for result in inputs.results(name)):
        for warning in result.warnings if warn else ():  # the form has no place for them
            say(f"{warning.where}: warning: {warning.message}")
        for each in inputs.chosen.sets:
            last = [assessment for assessment in result.assessments if assessment.criteria is each][-1].status
            codes.add({Status.MET: EVALUATED, Status.NOT_MET: NOT_MET, Status.UNKNOWN: INDETERMINATE}[last])
        yield result

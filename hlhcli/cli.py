"""The commands: they parse arguments, call and print. Each imports what it needs when it runs, so that --help stays fast.

Annotations are evaluated here as they stand: Typer reads them at every start, and as text they would be compiled each time.
"""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from hlhcli import __version__

if TYPE_CHECKING:
    from hlhcli.api import Result
    from hlhcli.criteria import Library
    from hlhcli.errors import Problem
    from hlhcli.rules import CriteriaSet

EVALUATED, FAILED, USAGE = 0, 1, 2
NOT_MET, INDETERMINATE = 10, 11
_SHOWN = 20  # problems of one input on stderr; JSON holds all

app = typer.Typer(
    name="hlhcli",
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
      hlhcli criteria hlh-2004             the definition, with its sources

    Evaluate published criteria for hemophagocytic lymphohistiocytosis (HLH)
    on what was observed in a patient. Unknown is a value: what was not
    observed is never taken as normal.
    """


def _criteria_ids(incomplete: str) -> list[str]:
    from hlhcli import criteria

    return [name for name in (*criteria.ids(), "all") if name.startswith(incomplete)]


_Folder = Annotated[
    list[Path] | None,
    typer.Option(
        "--criteria-dir", metavar="DIR", envvar="HLHCLI_CRITERIA", help="Folder of your own criteria files, known by their ids."
    ),
]


@app.command("check", no_args_is_help=True, short_help="Decide which criteria are met, not met or unknown.")
def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Patient files (YAML or JSON); '-' is standard input.")],
    criteria: Annotated[
        list[str] | None,
        typer.Option(
            "--criteria",
            "-c",
            metavar="ID|FILE",
            autocompletion=_criteria_ids,
            help="Set of criteria, or a criteria file; repeatable; 'all'. [default: hlh-2004]",
        ),
    ] = None,
    folder: _Folder = None,
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
      hlhcli check -c my-hospital.yaml patient.yaml your own criteria
      hlhcli check ward/*.yaml --format csv -o ward.csv
      hlhcli check --json patient.yaml | jq '.results[].assessments[].verdict'
      cat patient.json | hlhcli check -

    Decide which criteria were met, not met or cannot be known yet, at each
    time point.

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
        _usage(f"'{form}' is no format; choose from {', '.join(Format)}")
    if as_json and form not in (None, Format.JSON):
        _usage(f"--json and --format {form} contradict each other")
    if color and no_color:
        _usage("--color and --no-color contradict each other")
    if files.count("-") > 1:
        _usage("standard input ('-') can be read only once")
    if len(files) > 1:  # main() starts without garbage collection, which one file does not need
        gc.freeze()
        gc.enable()
    library, sets = _sets(criteria, folder)
    problems: list[Problem] = []
    codes: set[int] = set()
    chosen = Format.JSON if as_json else Format(form) if form else format_of(output)
    if chosen is None:
        _usage(f"cannot write {output}; choose a --format, or a name that ends in .json, .jsonl, .csv, .md or .txt")
    results = _evaluated(files, library, sets, problems, codes, warn=chosen is Format.CSV)
    try:
        with destination(output) as stream:
            write(chosen, results, problems, sets, stream, Screen(True if color else False if no_color else None, ascii_only))
            if output and not codes and chosen is not Format.JSON:  # JSON says under `errors` why it is empty
                _fail(f"{output}: not written: no input could be evaluated")
    except OSError as error:
        if output is None:  # standard output is main's affair
            raise
        _fail(f"{output}: cannot be written: {(error.strerror or str(error)).lower()}")
    if problems:
        raise typer.Exit(FAILED)
    if exit_code:
        raise typer.Exit(INDETERMINATE if INDETERMINATE in codes else NOT_MET if NOT_MET in codes else EVALUATED)


def _evaluated(
    files: list[str], library: "Library", sets: "list[CriteriaSet]", problems: "list[Problem]", codes: set[int], warn: bool
) -> "Iterator[Result]":
    """The result of each input that can be evaluated; what is wrong with the others goes to stderr and `problems`."""
    from hlhcli import api
    from hlhcli.errors import InputError
    from hlhcli.status import Status

    for name in files:
        try:
            document = (
                api.parse_document(_standard_input(), "<stdin>", library) if name == "-" else api.load_document(name, library)
            )
            result = api.evaluate_document(document, sets)
        except InputError as error:
            problems += error.problems
            for problem in error.problems[:_SHOWN]:
                _say(str(problem))
            if len(error.problems) > _SHOWN:
                _say(f"{error.problems[0].source}: and {len(error.problems) - _SHOWN} more problems (--json lists all)")
            continue
        for warning in result.warnings if warn else ():  # the form has no place for them
            _say(f"{warning.where}: warning: {warning.message}")
        for each in sets:
            last = [assessment for assessment in result.assessments if assessment.criteria is each][-1].status
            codes.add({Status.MET: EVALUATED, Status.NOT_MET: NOT_MET, Status.UNKNOWN: INDETERMINATE}[last])
        yield result


def _standard_input() -> bytes:
    from hlhcli.yamltree import MAX_BYTES

    if sys.stdin is None:
        return b""
    if sys.stdin.isatty():
        _say("reading a patient from the terminal; end with Ctrl-D")
    return sys.stdin.buffer.read(MAX_BYTES + 1)


def _sets(names: list[str] | None, folders: list[Path] | None = None, quiet: bool = False) -> "tuple[Library, list[CriteriaSet]]":
    """The library of sets, and those that were asked for: by id, by file, or all. Not `quiet`: tells of files left out."""
    from hlhcli.criteria import DEFAULT, Library
    from hlhcli.errors import InputError, UnknownName

    if folder := next((name for name in names or () if _is_folder(name)), None):
        _usage(f"{folder} is a folder; use --criteria-dir {folder}")
    try:
        paths = {name: Path(name) for name in names or () if _is_file(name)}
        library = Library(folders or (), paths.values())
        for problem in library.problems if not quiet else ():
            _say(f"{problem} (this set is left out)")
        names = [DEFAULT] if names is None else names
        chosen = [library.add(paths[name]).id if name in paths else name.lower() for name in names]
        return library, [library.load(name) for name in dict.fromkeys(library.ids() if "all" in chosen else chosen)]
    except UnknownName as error:
        _usage(str(error))
    except InputError as error:
        for problem in error.problems:
            _say(str(problem))
        raise typer.Exit(USAGE) from None


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except OSError:  # a name that is too long to be one
        return False


def _is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml", ".json")) or "/" in name or "\\" in name


@app.command("criteria", short_help="List the sets of criteria, show one with its sources, test or compare them.")
def show_criteria(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID|FILE",
            autocompletion=_criteria_ids,
            help="The set to show; or 'test', to run the cases that stand in criteria files. Without it, all sets are listed.",
        ),
    ] = None,
    diff: Annotated[
        tuple[str, str] | None, typer.Option("--diff", metavar="A B", help="Show how two sets differ.", show_default=False)
    ] = None,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="The page as Markdown.")] = False,
    folder: _Folder = None,
) -> None:
    """
    \b
    Examples:
      hlhcli criteria                               list the sets
      hlhcli criteria hlh-2004                      cut-offs, citation, provenance
      hlhcli criteria --diff hlh-2004 hlh-2024      how two sets differ
      hlhcli criteria my-hospital.yaml              your own
      hlhcli criteria test my-hospital.yaml         run the cases in the file

    Show a set of criteria as it is evaluated: every item with its operator,
    cut-off and unit, how sure each number is, for whom it was made, and what
    cannot be computed.
    """
    from hlhcli.criteria import DEFAULT
    from hlhcli.render import criteria as render

    if diff:
        if names:
            _usage("--diff takes two sets and nothing else")
        sets = _sets(list(diff), folder)[1]
        sys.stdout.write(render.difference(sets[0], sets[-1]))
    elif not names:
        sys.stdout.write(render.listing(_sets(["all"], folder)[1], DEFAULT))
    elif names[0] == "test":
        _test_criteria(names[1:], folder)
    elif len(names) > 1:
        _usage("one set at a time; to compare two, write --diff A B")
    else:
        library, (found, *_) = _sets(names, folder)
        base = library.load(found.extends) if found.extends else None
        if as_markdown:
            from hlhcli.cases import table

            path = library.path(found.id)
            sys.stdout.write(render.markdown_page(found, base, table(path.read_bytes(), str(path))))
        else:
            sys.stdout.write(render.page(found, base))


def _test_criteria(names: list[str], folders: list[Path] | None) -> None:
    """Run the cases of criteria files; those that differ go to stderr."""
    from hlhcli import cases
    from hlhcli.criteria import FOLDER
    from hlhcli.errors import InputError

    paths = [Path(name) for name in names if _is_file(name) or _is_folder(name)]
    files = [path for each in paths for path in (sorted(each.glob("*.y*ml")) if each.is_dir() else [each])]
    library, sets = _sets([name for name in names if Path(name) not in paths] or ([] if paths else ["all"]), folders, quiet=True)
    sets += library.gather(files)
    problems = library.problems
    for criteria in sets:
        path = library.path(criteria.id)
        try:
            outcomes = cases.run(path.read_bytes(), str(path) if path.parent != FOLDER else path.name, criteria)
        except InputError as error:
            outcomes = [cases.Ran("cases", tuple(error.problems))]
        problems += [problem for outcome in outcomes for problem in outcome.problems]
        differ = sum(1 for outcome in outcomes if outcome.problems)
        said = f"{differ} of {len(outcomes)} cases differ" if differ else f"{len(outcomes)} cases, all as expected"
        typer.echo(f"{criteria.id}: {said if outcomes else 'no cases in its file'}")
    for problem in dict.fromkeys(problems):
        _say(str(problem))
    if problems:
        raise typer.Exit(FAILED)


@app.command("init", short_help="Print a commented template of a patient file.")
def init(
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write to this new file.")] = None,
    criteria: Annotated[bool, typer.Option("--criteria", help="An example of a criteria file of your own instead.")] = False,
) -> None:
    """
    \b
    Examples:
      hlhcli init > patient.yaml
      hlhcli init -o patient.yaml                 refuses to overwrite
      hlhcli init --criteria > my-hospital.yaml   your own criteria

    Print a commented template of a patient file, or of a criteria file.
    """
    text = Path(__file__).with_name("my-hospital.yaml" if criteria else "template.yaml").read_text(encoding="utf-8")
    if output is None:
        sys.stdout.write(text)
        return
    try:
        with output.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        _fail(f"{output} exists already; choose another name")
    except OSError as error:
        _fail(f"{output}: cannot be written: {(error.strerror or str(error)).lower()}")


@app.command("hazards", short_help="Print the hazard log: what could go wrong, and what is done about it.")
def hazards() -> None:
    """
    \b
    Examples:
      hlhcli hazards | less

    Print the hazard log that ships with the package: for each hazard its
    cause and effect, what the software does about it, what remains, and
    the tests that show it.
    """
    sys.stdout.write(Path(__file__).with_name("hazards.md").read_text(encoding="utf-8"))


_SCHEMAS = ("patient", "results", "criteria")


@app.command("schema", short_help="Print the JSON Schema of a file or of the results.")
def schema(
    name: Annotated[str, typer.Argument(metavar="[patient|results|criteria]", help="Whose schema.")] = "patient",
) -> None:
    """
    \b
    Examples:
      hlhcli schema > patient.schema.json     for completion in the editor
      hlhcli schema results                   what check --json prints
      hlhcli schema criteria                  the form of a criteria file

    Print a JSON Schema.
    """
    import json

    from hlhcli.schemas import schema as of

    if name not in _SCHEMAS:
        _usage(f"there is no schema '{name}'; choose from {', '.join(_SCHEMAS)}")
    sys.stdout.write(json.dumps(of(name), indent=2) + "\n")


def _say(message: str) -> None:
    from hlhcli.errors import printable

    typer.echo(printable(message), err=True)


def _fail(message: str) -> NoReturn:
    _say(message)
    raise typer.Exit(FAILED)


def _usage(message: str) -> NoReturn:
    raise typer.BadParameter(message)

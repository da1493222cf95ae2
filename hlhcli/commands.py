"""What the commands share: choosing sets of criteria, and speaking on stderr.

Annotations are evaluated here as they stand: Typer reads them at every start, and as text they would be compiled each time.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, NoReturn

import typer

if TYPE_CHECKING:
    from hlhcli.api import Result
    from hlhcli.criteria import Library
    from hlhcli.errors import Problem
    from hlhcli.rules import CriteriaSet

EVALUATED, FAILED, USAGE = 0, 1, 2
NOT_MET, INDETERMINATE = 10, 11
_SHOWN = 20  # problems of one input on stderr; JSON holds all


def criteria_ids(incomplete: str) -> list[str]:
    from hlhcli import criteria, responses

    return [name for name in (*criteria.ids(), *responses.ids(), "all") if name.startswith(incomplete)]


class Chosen(NamedTuple):
    """The sets that are known, those that were chosen, and the rules for the course (none: those that are not kept for request)."""

    catalog: "Library"
    sets: "list[CriteriaSet]"
    rules: tuple[str, ...]


Criteria = Annotated[
    list[str] | None,
    typer.Option(
        "--criteria",
        "-c",
        metavar="ID|FILE",
        autocompletion=criteria_ids,
        help="Set of criteria, a criteria file, or a rule of response; repeatable; 'all'. [default: hlh-2004]",
    ),
]
Folder = Annotated[
    list[Path] | None,
    typer.Option(
        "--criteria-dir", metavar="DIR", envvar="HLHCLI_CRITERIA", help="Folder of your own criteria files, known by their ids."
    ),
]


def choose(names: list[str] | None, folders: list[Path] | None = None, quiet: bool = False) -> Chosen:
    """What was asked for: by id, by file, or all. Not `quiet`: tells of files left out."""
    from hlhcli.criteria import DEFAULT, Library, is_for_course
    from hlhcli.errors import InputError, UnknownName

    if folder := next((name for name in names or () if is_folder(name)), None):
        usage(f"{folder} is a folder; use --criteria-dir {folder}")
    try:
        paths = {name: Path(name) for name in names or () if is_file(name)}
        library = Library(folders or (), paths.values())
        for problem in library.problems if not quiet else ():
            say(f"{problem} (this set is left out)")
        asked = [library.add(paths[name]).id if name in paths else name.lower() for name in names or ()]
        rules = tuple(dict.fromkeys(name for name in asked if is_for_course(name)))
        found = [name for name in asked if name not in rules]
        if names is None or (rules and not found):
            found = [DEFAULT]
        return Chosen(library, [library.load(name) for name in dict.fromkeys(library.ids() if "all" in found else found)], rules)
    except UnknownName as error:
        usage(str(error))
    except InputError as error:
        for problem in error.problems:
            say(str(problem))
        raise typer.Exit(USAGE) from None


def is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except OSError:  # a name that is too long to be one
        return False


def is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml", ".json")) or "/" in name or "\\" in name


def evaluated(name: str, chosen: Chosen, problems: "list[Problem]") -> "Result | None":
    """The result of one input (`-` is standard input); what is wrong with it goes to stderr and `problems`."""
    from hlhcli import api
    from hlhcli.errors import InputError

    try:
        library = chosen.catalog
        document = api.parse_document(_standard_input(), "<stdin>", library) if name == "-" else api.load_document(name, library)
        return api.evaluate_document(document, chosen.sets, chosen.rules)
    except InputError as error:
        problems += error.problems
        for problem in error.problems[:_SHOWN]:
            say(str(problem))
        if len(error.problems) > _SHOWN:
            say(f"{error.problems[0].source}: and {len(error.problems) - _SHOWN} more problems (--json lists all)")
        return None


def _standard_input() -> bytes:
    from hlhcli.yamltree import MAX_BYTES

    if sys.stdin is None:
        return b""
    if sys.stdin.isatty():
        say("reading a patient from the terminal; end with Ctrl-D")
    return sys.stdin.buffer.read(MAX_BYTES + 1)


def say(message: str) -> None:
    from hlhcli.errors import printable

    typer.echo(printable(message), err=True)


def fail(message: str) -> NoReturn:
    say(message)
    raise typer.Exit(FAILED)


def usage(message: str) -> NoReturn:
    raise typer.BadParameter(message)

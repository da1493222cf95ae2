"""What the commands share: choosing sets of criteria, and speaking on stderr.

Annotations are evaluated here as they stand: Typer reads them at every start, and as text they would be compiled each time.
"""

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hlhcli.api import Result
    from hlhcli.criteria import Library
    from hlhcli.errors import Problem
    from hlhcli.readers.account import Account
    from hlhcli.readers.detect import Source
    from hlhcli.readers.inputs import Options
    from hlhcli.readers.yaml_json import Document
    from hlhcli.rules import CriteriaSet

EVALUATED, FAILED, USAGE = 0, 1, 2
NOT_MET, INDETERMINATE = 10, 11
_SHOWN = 20  # problems of one input on stderr; JSON holds all
_KINDS = 8  # of what was not used


class Chosen(NamedTuple):
    """The sets that are known, those that were chosen, and the rules for the course (none: those that are not kept for request)."""

    catalog: "Library"
    sets: "list[CriteriaSet]"
    rules: tuple[str, ...]


def choose(names: list[str] | None, folders: list[Path] | None = None, quiet: bool = False) -> Chosen:
    """What was asked for: by id, by file, or all. Not `quiet`: tells of files left out."""
    from hlhcli.criteria import DEFAULT, Library, is_for_course
    from hlhcli.errors import InputError, UnknownName

    try:
        paths = {name: Path(name) for name in names or () if is_file(name) and not is_folder(name)}
        library = Library(folders or (), paths.values())
        for name in filter(is_folder, names or ()):
            if name.lower() not in ("all", *library.ids()) and not is_for_course(name.lower()):
                usage(f"{name} is a folder; use --criteria-dir {name}")
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


def keep(output: Path | str | None, *inputs: Path | str | None) -> None:
    """What is read is not written over; a file in a folder that is read may be part of it."""
    if output is None or not is_there(output):
        return
    target = Path(output)
    for name in inputs:
        if name is None or not Path(name).exists():
            continue
        if Path(name).samefile(target):
            usage(f"{output} is an input; write to another file")
        if Path(name).is_dir() and Path(name).resolve() in target.resolve().parents:
            usage(f"{output} lies in the folder that is read; write elsewhere, or remove it")


def is_there(path: Path | str) -> bool:
    try:
        return Path(path).is_file()
    except OSError:  # a name that is too long to be one
        return False


def is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except OSError:  # a name that is too long to be one
        return False


def is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml", ".json")) or "/" in name or "\\" in name


class Inputs:
    """Reads inputs one after another: results as they come, and what was wrong or not used, which goes to stderr too."""

    def __init__(self, chosen: Chosen, options: "Options | None" = None, strict: bool = False) -> None:
        self.chosen = chosen
        self.options = options
        self.strict = strict
        self.problems: list[Problem] = []
        self.accounts: list[Account] = []
        self.account: Account | None = None  # of the input that is being read

    @property
    def sets(self) -> "list[CriteriaSet]":
        return self.chosen.sets

    def results(self, name: str) -> "Iterator[Result]":
        """The result of each patient in an input (`-` is standard input)."""
        from hlhcli import api

        for document in self.documents(name):
            yield api.evaluate_document(document, self.chosen.sets, self.chosen.rules)

    def documents(self, name: str) -> "Iterator[Document]":
        """Each patient in an input, up to what cannot be read."""
        from hlhcli import api
        from hlhcli.errors import InputError

        self.account = None
        loaded = None
        try:
            library = self.chosen.catalog
            if name == "-":
                loaded = api.read_input(standard_input(), self.options, library)
            else:
                loaded = api.load_input(name, self.options, library)
            self.account = loaded.account
            if self.strict and loaded.account is not None:
                found = list(loaded.documents)
                loaded.account.insist()
                yield from found
            else:
                yield from loaded.documents
        except InputError as error:
            self.problems += error.problems
            tell(error.problems)
        finally:
            if loaded is not None and loaded.account is not None:
                self.accounts.append(loaded.account)
                for line in loaded.account.summary(0 if self.strict else _KINDS):
                    say(line)


def tell(problems: "list[Problem]") -> None:
    """The problems of one input, on stderr."""
    for problem in problems[:_SHOWN]:
        say(str(problem))
    if len(problems) > _SHOWN:
        say(f"{problems[0].source}: and {len(problems) - _SHOWN} more problems (--json lists all)")


def standard_input() -> "Source":
    import io

    from hlhcli.readers.detect import Source

    if sys.stdin is None:
        return Source("<stdin>", io.BytesIO())
    if sys.stdin.isatty():
        say("reading a patient from the terminal; end with Ctrl-D")
    return Source("<stdin>", sys.stdin.buffer)


def reading(
    form: str | None,
    mapping: Path | None,
    dictionary: Path | None,
    at: list[str] | None,
    anchor: str | None,
    window: str | None,
    key: bytes | None = None,
) -> "Options | None":
    """How the inputs are to be read; None where nothing is said of it."""
    if not any((form, mapping, dictionary, at, anchor, window, key)):
        return None
    from hlhcli.readers.detect import Form
    from hlhcli.readers.inputs import Options
    from hlhcli.readers.placing import BadPlan, plan

    if form is not None and form not in list(Form):
        usage(f"'{form}' is no form; choose from {', '.join(each for each in Form if each is not Form.NDJSON)}")
    try:
        return Options(Form(form) if form else None, mapping, dictionary, plan(at or (), anchor, window), key)
    except BadPlan as error:
        usage(str(error))


def say(message: str) -> None:
    """A line on stderr. Where nobody reads it any more, or the disk under it is full, the work goes on."""
    from hlhcli.errors import printable

    before = signal.signal(signal.SIGPIPE, signal.SIG_IGN) if hasattr(signal, "SIGPIPE") else None
    try:
        typer.echo(printable(message), err=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    finally:
        if before is not None:
            signal.signal(signal.SIGPIPE, before)


def fail(message: str) -> NoReturn:
    say(message)
    raise typer.Exit(FAILED)


def cannot_write(path: "Path | str", error: OSError) -> NoReturn:
    from hlhcli.errors import why

    fail(f"{path}: cannot be written: {why(error)}")


def usage(message: str) -> NoReturn:
    from hlhcli.errors import printable

    raise typer.BadParameter(printable(message))

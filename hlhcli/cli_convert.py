"""The command that writes patient files from what hospitals and papers have.

Annotations are evaluated here as they stand: Typer reads them at every start, and as text they would be compiled each time.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hlhcli import __version__
from hlhcli.arguments import AnchorOption, At, Command, Dictionary, From, Map, Strict, Window
from hlhcli.cli import app
from hlhcli.commands import FAILED, Inputs, cannot_write, choose, fail, keep, reading, say, tell, usage

if TYPE_CHECKING:
    from hlhcli.readers.account import Account
    from hlhcli.readers.yaml_json import Document

_KINDS = 20  # of what was not used, in the head of a file
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in range(1, 10))}  # by Windows


@app.command("convert", cls=Command, no_args_is_help=True, short_help="Write patient files from FHIR, phenopackets and tables.")
def convert(
    file: Annotated[str, typer.Argument(metavar="IN", help="The input, or a folder of bulk data; '-' is standard input.")],
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="PATH", help="The file; of several patients a folder. [default: the screen]"),
    ] = None,
    form: From = None,
    mapping: Map = None,
    dictionary: Dictionary = None,
    guess: Annotated[bool, typer.Option("--guess", help="Write a first mapping file for a table, every guess marked.")] = False,
    at: At = None,
    anchor: AnchorOption = None,
    window: Window = None,
    pseudonymize: Annotated[
        Path | None,
        typer.Option(
            "--pseudonymize", metavar="KEYFILE", help="Replace ids and move dates, by the key in this file; leave out free text."
        ),
    ] = None,
    strict: Strict = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """
    \b
    Examples:
      hlhcli convert bundle.json -o patient.yaml
      hlhcli convert bulk-export/ -o patients/            a folder of NDJSON
      hlhcli convert labs.csv --guess -o columns.yaml     which column is what
      hlhcli convert labs.csv --map columns.yaml -o patients/
      hlhcli convert bundle.json --at 2016-05-02=Admission --window 7d
      hlhcli convert bundle.json --pseudonymize key.txt -o case.yaml

    Read FHIR (Bundle, resource, NDJSON), GA4GH phenopackets, CSV, TSV, XLSX,
    REDCap exports and OMOP CDM tables, and write patient files: each value
    with a comment that says where it came from. What was not understood is
    told on stderr. The file reads back to the same assessment.
    """
    from hlhcli.errors import InputError

    keep(output, file, mapping, dictionary, pseudonymize)
    options = reading(form, mapping, dictionary, at, anchor, window, _key(pseudonymize) if pseudonymize else None)
    try:
        if guess:
            if output:
                _refuse_old(Path(output), force)
            _write(Path(output) if output else None, _guessed(file, dictionary))
            return
        _convert(file, output, Inputs(choose(None), options, strict), pseudonymize is not None, force)
    except InputError as error:
        tell(error.problems)
        raise typer.Exit(FAILED) from None
    except OSError as error:
        if output is None:
            raise
        cannot_write(output, error)


def _key(path: Path) -> bytes:
    from hlhcli.errors import why
    from hlhcli.readers.pseudonym import LEAST_KEY, MOST_KEY

    try:
        with path.open("rb") as file:
            key = file.read(MOST_KEY + 1).strip()
    except OSError as error:
        usage(f"{path}: cannot be read: {why(error)}")
    if len(key) > MOST_KEY:
        usage(f"{path}: is no key; a key has at most {MOST_KEY} characters")
    if len(key) < LEAST_KEY:
        usage(f"{path}: a key has at least {LEAST_KEY} characters; make one with: openssl rand -hex 32 > {path}")
    return key


def _guessed(file: str, dictionary: Path | None) -> str:
    """A mapping file for a table."""
    from hlhcli.errors import InputError, Problem, why
    from hlhcli.readers import guess, table
    from hlhcli.readers.detect import Form, Source

    if file == "-":
        usage("a mapping is guessed from a file, not from standard input")
    try:
        with Path(file).open("rb") as stream:
            source = Source(file, stream)
            form = source.form()
            if form not in (Form.CSV, Form.XLSX):
                raise InputError([Problem(file, "a mapping is for tables (CSV, TSV, XLSX); this input needs none")])
            return guess.text(table.guessed(source.stream, file, form is Form.XLSX, dictionary))
    except OSError as error:
        raise InputError([Problem(file, f"cannot be read: {why(error)}")]) from None


def _refuse_old(target: Path, force: bool) -> None:
    """What was converted before may have been corrected since."""
    if target.is_symlink():
        fail(f"{target}: is a link; write elsewhere")
    if target.is_file() and not force:
        fail(f"{target}: is there already; --force writes over it")


def _convert(file: str, output: str | None, inputs: Inputs, private: bool, force: bool) -> None:
    """Each patient as a file; one alone on the screen or under the name that was asked for."""
    from hlhcli.readers import yaml_writer

    several = output is not None and (Path(output).is_dir() or output.endswith(("/", "\\")))
    found: list[Document] = []
    names: dict[str, int] = {}
    written = 0
    for document in inputs.documents(file):
        if inputs.account is None:
            fail(f"{file}: is a patient file already")
        if several and output is not None:
            head = _head(None if private else file, inputs.account, whole=False)
            target = Path(output, _name(document, names))
            _refuse_old(target, force)
            _write(target, _checked(yaml_writer.write(document.tree, head), file))
            written += 1
        elif found:
            fail(f"{file}: holds several patients; give a folder to write them to, such as -o patients/")
        else:
            found.append(document)
    if found and inputs.account is not None and not (inputs.problems and inputs.strict):
        head = _head(None if private else file, inputs.account, whole=True)
        if output:
            _refuse_old(Path(output), force)
        _write(Path(output) if output else None, _checked(yaml_writer.write(found[0].tree, head), file))
    if written:
        say(f"{written} patient file{'s' * (written > 1)} written to {output}")
    if inputs.problems:
        raise typer.Exit(FAILED)


def _checked(text: str, file: str) -> str:
    from hlhcli.readers import yaml_writer

    if not yaml_writer.fits(text):
        fail(f"{file}: the patient file would be too large to be read back; choose time points with --at or --anchor, and --window")
    return text


def _head(file: str | None, account: "Account", whole: bool) -> list[str]:
    """The comment at the top: what the file was made from, and what was not used."""
    made = f"Written by hlhcli {__version__} from {Path(file).name if file else 'an input'} ({account.form})"
    if not whole:
        return [f"{made}. What was not used was told when it was written."]
    if not account.left:
        return [f"{made}: all {account.read} entries used."]
    used = f"{made}: {account.used} of {account.read} entries used."
    if file is None:  # names of codes and columns can name a person
        return [f"{used} What was not used was told when it was written."]
    return [f"{used} Not used:", *(f"  {kind.number} x {kind.reason}: {kind.what}" for kind in account.left[:_KINDS])]


def _name(document: "Document", taken: dict[str, int]) -> str:
    """A file name from the patient's id, which no other patient has, and which every system takes."""
    stem = re.sub(r"[^\w.-]+", "-", document.patient.patient.id or "patient", flags=re.ASCII).strip("-.")[:80] or "patient"
    if stem.partition(".")[0].upper() in _RESERVED:
        stem = f"patient-{stem}"
    name, number = stem, taken.get(stem.casefold(), 1)
    while name.casefold() in taken:
        number += 1
        name = f"{stem}-{number}"
    taken[stem.casefold()] = number
    taken[name.casefold()] = 1
    return f"{name}.yaml"


def _write(output: Path | None, text: str) -> None:
    """The text on the screen, or in a file that appears only once it is complete."""
    from hlhcli.render.output import destination

    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
    with destination(output) as stream:
        stream.write(text)

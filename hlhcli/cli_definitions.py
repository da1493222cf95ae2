"""The commands about definitions: criteria, init, observables, hazards, schema. They parse arguments, call and print.

Annotations are evaluated here as they stand: Typer reads them at every start, and as text they would be compiled each time.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from hlhcli.arguments import Command, Folder
from hlhcli.cli import app
from hlhcli.commands import FAILED, cannot_write, choose, fail, is_file, is_folder, say, usage


@app.command("criteria", cls=Command, short_help="List the sets of criteria, show one with its sources, test or compare them.")
def show_criteria(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID|FILE",
            help="The set to show; or 'test', to run the cases that stand in criteria files. Without it, all sets are listed.",
        ),
    ] = None,
    diff: Annotated[
        tuple[str, str] | None, typer.Option("--diff", metavar="A B", help="Show how two sets differ.", show_default=False)
    ] = None,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="The page as Markdown.")] = False,
    folder: Folder = None,
) -> None:
    """
    \b
    Examples:
      hlhcli criteria                               list the sets
      hlhcli criteria hlh-2004                      cut-offs, citation, provenance
      hlhcli criteria marsh-2013                    a rule of response
      hlhcli criteria --diff hlh-2004 hlh-2024      how two sets differ
      hlhcli criteria my-hospital.yaml              your own
      hlhcli criteria test my-hospital.yaml         run the cases in the file

    Show a set of criteria, or a rule for the course, as it is evaluated: every item with its operator,
    cut-off and unit, how sure each number is, for whom it was made, and what
    cannot be computed.
    """
    from hlhcli import responses
    from hlhcli.criteria import DEFAULT
    from hlhcli.render import criteria as render

    if diff:
        if names:
            usage("--diff takes two sets and nothing else")
        _, sets, rules = choose(list(diff), folder)
        if rules:
            usage(f"--diff compares sets of criteria; {rules[0]} is a rule for the course")
        sys.stdout.write(render.difference(sets[0], sets[-1]))
    elif not names:
        from hlhcli.render.response_page import response_listing

        sys.stdout.write(render.listing(choose(["all"], folder).sets, DEFAULT))
        sys.stdout.write(f"\nRules for the course:\n{response_listing([responses.load(name) for name in responses.ids()])}")
    elif names[0] == "test":
        _test_criteria(names[1:], folder)
    elif len(names) == 1 and names[0].lower() in responses.ids():
        from hlhcli.render.response_page import markdown_response_page, response_page

        rule = responses.load(names[0].lower())
        sys.stdout.write(markdown_response_page(rule) if as_markdown else response_page(rule))
    elif len(names) > 1:
        usage("one set at a time; to compare two, write --diff A B")
    else:
        library, (found, *_), _ = choose(names, folder)
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

    paths = [Path(name) for name in names if is_file(name) or is_folder(name)]
    files = [path for each in paths for path in (sorted(each.glob("*.y*ml")) if each.is_dir() else [each])]
    library, sets, rules = choose(
        [name for name in names if Path(name) not in paths] or ([] if paths else ["all"]), folders, quiet=True
    )
    if rules:
        usage(f"{rules[0]} is a rule for the course, whose file has no cases; name sets of criteria")
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
        say(str(problem))
    if problems:
        raise typer.Exit(FAILED)


@app.command("init", cls=Command, short_help="Print a commented template of a patient file.")
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
    if output.exists() or output.is_symlink():
        fail(f"{output} exists already; choose another name")
    from hlhcli.render.output import destination

    try:
        with destination(output) as stream:
            stream.write(text)
    except OSError as error:
        cannot_write(output, error)


@app.command("observables", cls=Command, short_help="List what can be observed, with the units and words that are read.")
def show_observables(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="What to show. Without it, all are listed.")] = None,
) -> None:
    """
    \b
    Examples:
      hlhcli observables              what may stand in a patient file
      hlhcli observables sil2r hb     their units, other names and codes

    List what can be observed, with the units and words that are read, and
    show which sets of criteria, and which rules for the course, ask for it.
    """
    from hlhcli.errors import UnknownName
    from hlhcli.render.vocabulary import entry, vocabulary

    wrong: list[str] = []
    for place, name in enumerate(names or ()):
        try:
            sys.stdout.write("\n" * bool(place) + entry(name))
        except UnknownName as error:
            wrong.append(str(error))
    if not names:
        sys.stdout.write(vocabulary())
    if wrong:
        usage("; ".join(wrong))


@app.command("hazards", cls=Command, short_help="Print the hazard log: what could go wrong, and what is done about it.")
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


@app.command("schema", cls=Command, short_help="Print the JSON Schema of a file or of the results.")
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
        usage(f"there is no schema '{name}'; choose from {', '.join(_SCHEMAS)}")
    sys.stdout.write(json.dumps(of(name), indent=2) + "\n")

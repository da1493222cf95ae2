"""The commands for whole cohorts. They parse arguments, call and print.

Annotations are evaluated here as they stand: Typer reads them at every start, and as text they would be compiled each time.
"""

import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hlhcli.arguments import Command, Folder, Sets
from hlhcli.cli import app
from hlhcli.commands import FAILED, choose, fail, say, tell, usage

if TYPE_CHECKING:
    from hlhcli.cohort.run import Engine
    from hlhcli.cohort.screen import Done, Job
    from hlhcli.rules import CriteriaSet

_INTERRUPTED = 130
_SHOWN = 8  # reasons for which rows were left
_MEMORY = r"\d+(\.\d+)? ?([KMGT]i?B)"


@app.command("cohort", cls=Command, no_args_is_help=True, short_help="Evaluate whole cohorts, where the data is.")
def cohort(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="IN",
            help="Parquet, CSV or NDJSON files, patterns, a folder of OMOP or FHIR; with a database its tables.",
            show_default=False,
        ),
    ] = None,
    criteria: Sets = None,
    folder: Folder = None,
    anchors: Annotated[
        str,
        typer.Option(
            "--anchors",
            metavar="FILE|daily|on:NAME",
            help="When each person is assessed: a table, each day with a value, or each day with one of NAME.",
        ),
    ] = "daily",
    lookback: Annotated[
        str, typer.Option("--lookback", metavar="TIME", help="How far an assessment looks back for the worst value: 7d, 12h.")
    ] = "0d",
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="The result: .parquet, .csv or .ndjson; with --partitions a folder; with a database also a table."
            " [default: CSV on the screen]",
        ),
    ] = None,
    persons: Annotated[
        str | None,
        typer.Option("--persons", metavar="FILE", help="A table of person_id and birth_date (or year_of_birth), for the age."),
    ] = None,
    mapping: Annotated[Path | None, typer.Option("--map", metavar="FILE", help="MIMIC-IV: which LOINC code each item has.")] = None,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", metavar="FILE", help="Write the rows that could not be read, with the reason.")
    ] = None,
    first_met: Annotated[
        bool, typer.Option("--first-met", help="Only the first assessment of each person at which a set is met.")
    ] = False,
    partitions: Annotated[
        int,
        typer.Option(
            "--partitions",
            metavar="N",
            min=0,
            max=10000,
            help="Write a folder of N parts, by person; run again, it goes on where it ended.",
        ),
    ] = 0,
    engine: Annotated[
        str,
        typer.Option(
            "--engine", metavar="ENGINE", help="duckdb, spark, a Spark address (spark://..., sc://...), or the URL of a database."
        ),
    ] = "duckdb",
    memory: Annotated[
        str | None,
        typer.Option("--memory", metavar="SIZE", help="How much memory may be used, such as 4GB; the rest goes to disk."),
    ] = None,
    sql: Annotated[
        str | None,
        typer.Option("--sql", metavar="DIALECT", help="Print the query instead, for your own warehouse: duckdb, spark, postgres."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over an output that is there.")] = False,
) -> None:
    """
    \b
    Examples:
      hlhcli cohort labs.parquet --anchors daily --lookback 7d -o cohort.parquet
      hlhcli cohort 'labs-*.parquet' -c hlh-2004 -c hscore --anchors anchors.csv
             --lookback 7d --persons persons.csv -o cohort.parquet
      hlhcli cohort omop/ --anchors on:ferritin --lookback 7d -o cohort.parquet
      hlhcli cohort export/*.ndjson --lookback 7d -o cohort.parquet   bulk FHIR
      hlhcli cohort cdm --engine postgresql://host/db -o public.hlh
      hlhcli cohort --sql postgres -c hlh-2004 --lookback 7d > hlh.sql
      hlhcli cohort summary cohort.parquet              what came of it

    Evaluate the same definitions on every person of a hospital or registry:
    one row for each person, assessment and set of criteria, with the value
    that decides each item and its time. Rows that cannot be read are counted,
    and leave their criterion unknown, never normal. Beside the output stands
    a manifest with the counts. Needs: pip install 'hlhcli[cohort]'.
    """
    from hlhcli.errors import InputError

    chosen = choose(criteria, folder)
    if chosen.rules:
        usage(f"{chosen.rules[0]} is a rule of the course of one patient, for hlhcli check; cohorts take sets of criteria")
    sets = chosen.sets
    if sql is not None:
        _print_sql(sets, anchors, lookback, sql)
        return
    if not inputs:
        usage("name the input: files, a folder, or with --engine URL the tables of a database")
    if output is None and partitions:
        usage("--partitions needs a folder: -o FOLDER")
    try:
        _run(inputs, sets, anchors, lookback, output, persons, mapping, rejects, first_met, partitions, engine, memory, force)
    except InputError as error:
        tell(error.problems)
        raise typer.Exit(FAILED) from None
    except ImportError as error:
        _missing(error)


def _missing(error: ImportError) -> None:
    extras = {"pyspark": "spark", "sqlalchemy": "database", "psycopg": "database", "sqlglot": "database"}
    extra = extras.get(str(error.name).partition(".")[0], "cohort")
    fail(f"this needs {error.name}: pip install 'hlhcli[{extra}]'")


def _print_sql(sets: "list[CriteriaSet]", anchors: str, lookback: str, dialect: str) -> None:
    try:
        from hlhcli.cohort.anchors import BadAnchor
        from hlhcli.cohort.anchors import lookback as read_lookback
        from hlhcli.cohort.printed import printed

        typer.echo(printed(sets, anchors, read_lookback(lookback), dialect))
    except (BadAnchor, ValueError) as error:
        usage(str(error))
    except ImportError as error:
        _missing(error)


def _run(
    inputs: list[str],
    sets: "list[CriteriaSet]",
    anchors: str,
    lookback: str,
    output: str | None,
    persons: str | None,
    mapping: Path | None,
    rejects: Path | None,
    first_met: bool,
    partitions: int,
    engine: str,
    memory: str | None,
    force: bool,
) -> None:
    from hlhcli.cohort.anchors import BadAnchor, chosen
    from hlhcli.cohort.anchors import lookback as read_lookback
    from hlhcli.cohort.screen import Job

    try:
        back = read_lookback(lookback)
        chosen(anchors)
    except BadAnchor as error:
        usage(str(error))
    job = Job(inputs, sets, anchors, back, output, persons, mapping, rejects, partitions, first_met, force)
    with ExitStack() as stack:
        spill = _spill(Path(output or "cohort"), bool(output))
        stack.callback(shutil.rmtree, spill, ignore_errors=True)
        opened = _engine(engine, memory, spill)
        stack.callback(opened.close)
        bar = _Bar() if sys.stderr.isatty() else None
        if bar:
            stack.callback(bar.close)
        done = _screened(opened, job, bar)
    _told(done, output)


def _screened(engine: "Engine", job: "Job", bar: "_Bar | None") -> "Done":
    from hlhcli.cohort.screen import screen

    try:
        return screen(engine, job, bar)
    except RuntimeError as error:  # as DuckDB says it, whatever the signal was
        if str(error) != "Query interrupted":
            raise
        raise typer.Exit(_INTERRUPTED) from None


def _spill(output: Path, beside: bool) -> Path:
    """A folder of our own, beside the output, for what does not fit into memory; nobody else can read it."""
    from hlhcli.whole import sweep

    parent = output.parent if beside and output.parent.is_dir() else Path(tempfile.gettempdir())
    sweep(parent, output.name)
    sweep(parent, f"{output.name}.manifest.json")
    try:
        return Path(tempfile.mkdtemp(prefix=f".{output.name}.{os.getpid()}.", suffix=".spill", dir=parent))
    except OSError as error:
        fail(f"{output}: cannot be written: {(error.strerror or str(error)).lower()}")


def _engine(name: str, memory: str | None, spill: Path) -> "Engine":
    import re

    if memory is not None and not re.fullmatch(_MEMORY, memory, re.IGNORECASE):
        usage(f"'{memory}' is no size of memory; write for example 4GB")
    if name == "duckdb":
        from hlhcli.cohort.embedded import DuckDB

        try:
            return DuckDB(memory, spill)
        except ValueError:
            usage(f"'{memory}' is no size of memory; write for example 4GB")
    if name == "spark" or name.startswith(("spark://", "sc://", "local", "yarn", "k8s://")):
        from hlhcli.cohort.spark import Spark

        here = name == "spark" or name.startswith("local")
        return Spark(None if name == "spark" else name, memory, {"spark.local.dir": str(spill)} if here else None)
    if "://" not in name:
        usage(f"'{name}' is no engine; write duckdb, spark, or the URL of a database such as postgresql://host/name")
    from hlhcli.cohort.database import Database

    return Database(name)


class _Bar:
    """How far the run is, on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task("reading", total=100)
        self._progress.start()

    def __call__(self, what: str, percent: float) -> None:
        self._progress.update(self._task, description=what, completed=max(0.0, percent))

    def close(self) -> None:
        self._progress.stop()


def _told(done: "Done", output: str | None) -> None:
    """What came of it, on stderr."""
    content: dict[str, Any] = done.manifest
    rows = content["rows"]
    resumed = f" ({done.resumed} parts were there already)" if done.resumed else ""
    say(f"{output or 'standard output'}: {content['out']['rows']:,} rows{resumed}")
    say(f"{rows['in']:,} rows read: {rows['used']:,} used, {rows['not asked for']:,} of other tests, {rows['left']:,} left")
    reasons = list(rows["left by reason"].items())
    for reason, number in reasons[:_SHOWN]:
        say(f"  left: {reason}: {number:,}")
    if len(reasons) > _SHOWN:
        say(f"  and {len(reasons) - _SHOWN} more reasons: see the manifest")
    for other in content.get("other lines left", ()):
        say(f"  {other['name']}: {other['reason']}: {other['lines']:,}")
    if unread := content.get("columns not read"):
        say(f"  columns not read: {', '.join(unread)}")
    if ageless := content.get("persons without a birth that can be read"):
        say(f"  persons without a date or year of birth that can be read: {ageless:,}")
    if dropped := content["anchors"].get("left"):
        say(f"  anchors without a person or a time that can be read: {dropped:,}")
    for remark, number in rows.get("used with a doubt", {}).items():
        say(f"  used with a doubt: {remark}: {number:,}")
    if rows["in"] and not rows["used"]:
        say("  no row was used: are the codes LOINC, or names such as ferritin?")


@app.command("cohort summary", cls=Command, no_args_is_help=True, short_help="Say what came of a cohort.")
def summary(
    result: Annotated[Path, typer.Argument(metavar="OUT", help="What `hlhcli cohort` wrote: a file, or the folder of its parts.")],
    criteria: Annotated[
        list[str] | None, typer.Option("--criteria", "-c", metavar="ID", help="Only these sets; repeatable.")
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="table, json or markdown. [default: table]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    figure: Annotated[Path | None, typer.Option("--figure", metavar="PATH", help="Draw the flow: .svg, .png or .pdf.")] = None,
    ascii_only: Annotated[bool, typer.Option("--ascii", help="No other characters than ASCII in the table.")] = False,
) -> None:
    """
    \b
    Examples:
      hlhcli cohort summary cohort.parquet
      hlhcli cohort summary cohort.parquet --json | jq .
      hlhcli cohort summary cohort.parquet -c hlh-2004 --figure flow.svg

    From screened to assessable to met, not met or indeterminate, by persons
    and by assessments; and by which missing test verdicts are open.
    """
    import json

    from hlhcli.errors import InputError, UnknownName, why

    if form not in (None, "table", "json", "markdown"):
        usage(f"'{form}' is no format; choose from table, json, markdown")
    if as_json and form not in (None, "json"):
        usage(f"--json and --format {form} contradict each other")
    failed = f"{result}: cannot be read"
    try:
        from hlhcli.cohort.summary import as_json as to_json
        from hlhcli.cohort.summary import summarize

        found = summarize(result)
        found = found.only(criteria) if criteria else found
        if figure:
            from hlhcli.render.flow_figure import draw_flow

            failed = f"{figure}: cannot be written"
            draw_flow(found, figure)
    except UnknownName as error:
        usage(str(error))
    except InputError as error:
        tell(error.problems)
        raise typer.Exit(FAILED) from None
    except OSError as error:
        fail(f"{failed}: {why(error)}")
    except ImportError as error:
        extra = "figure" if str(error.name).startswith("matplotlib") else "cohort"
        fail(f"this needs {error.name}: pip install 'hlhcli[{extra}]'")
    if as_json or form == "json":
        typer.echo(json.dumps(to_json(found), indent=2))
        return
    from hlhcli.render import flow

    if form == "markdown":
        typer.echo(flow.markdown(found))
        return
    from hlhcli.render.output import Screen, terminal

    console, plain = terminal(sys.stdout, Screen(ascii=ascii_only))
    flow.draw(found, console, plain)

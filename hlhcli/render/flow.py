"""The summary of a cohort as a table on a terminal and as Markdown: who was screened, and how that ended, set by set."""

from __future__ import annotations

from typing import NamedTuple

from rich.box import ASCII2, SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hlhcli.cohort.summary import Both, Flow, MissingItem, Summary
from hlhcli.errors import printable
from hlhcli.render.markdown import escape, table_row
from hlhcli.render.table import fit, listed, wrapped

_ROOMY = 60  # characters of a terminal from which shares are shown
_LABELS = 32  # characters of what is counted, there
_MOST_BAR = 24
_STYLES = {"met": "bold red", "indeterminate": "yellow", "not met": "green"}
_RULE = "| --- | ---: | ---: | ---: |"


class Step(NamedTuple):
    """One line of the flow: what is counted, how deep it stands, how many, and of how many that is a share."""

    label: str
    depth: int
    number: Both
    of: Both


def steps(flow: Flow) -> list[Step]:
    """From all that were screened to the verdicts; what holds for none is left out, except for the verdicts."""
    nothing, of_them, others = flow.nothing_known, flow.made_for, flow.not_made_for
    found = [Step("Screened", 0, flow.screened, Both()), Step("nothing known", 1, nothing, flow.screened)]
    found.append(Step("Assessable", 0, flow.assessable, flow.screened))
    asked = [
        Step(label, 1, number, flow.assessable)
        for label, number in (
            ("of another population", others),
            ("of the population", of_them),
            ("population not known", flow.population_unknown),
        )
        if number.assessments
    ]
    if others.assessments or flow.population_unknown.assessments:
        found += asked * (len(asked) > 1)  # one alone is all of them
        found.append(Step(population(flow), 0, flow.judged, flow.assessable))
    for verdict, number in (("met", flow.met), ("indeterminate", flow.indeterminate), ("not met", flow.not_met)):
        found.append(Step(verdict, 1, number, flow.judged))
        if verdict == "indeterminate" and flow.could_be_met != number:
            found.append(Step("could still be met", 2, flow.could_be_met, number))
        unknown = flow.unknown_among(verdict.replace(" ", "_"))
        if of_them.assessments and unknown.assessments:
            found.append(Step("population not known", 2, unknown, number))
    return found


def population(flow: Flow) -> str:
    """Whose verdicts are counted."""
    if not flow.made_for.assessments:
        return "Population not known"
    return "Of the population, or not known" if flow.population_unknown.assessments else "Of the population"


def share(number: int, total: int) -> str:
    """A percentage that says 0% and 100% only of none and all."""
    if not total:
        return ""
    if 0 < number * 1000 < total:
        return "<0.1%"
    if total * 999 < number * 1000 < total * 1000:
        return ">99.9%"
    return f"{number / total:.1%}".replace(".0%", "%") if number in (0, total) else f"{number / total:.1%}"


def notes(flow: Flow) -> list[str]:
    """What is said below the counts of one set."""
    said = []
    beside = [f"{_words(by)} {number:,}" for by, number in flow.met_by if by != "count"]
    if beside:
        said.append(f"Met not by the count, but by {', '.join(beside)} (assessments)")
    first = flow.first_met
    if first.persons == first.at_first > 0:
        said.append(f"First met: {first.persons:,} persons, all at their first assessment")
    elif first.days:
        low, middle, high = first.days
        said.append(
            f"First met: {first.persons:,} persons, {first.at_first:,} of them at their first assessment; "
            f"days from that to the first time, median {middle:,} (quartiles {low:,} to {high:,})"
        )
    if first.undated:
        said.append(f"First met at a time that is not known: {first.undated:,}")
    medians = flow.medians
    if medians.met is not None:
        most = "" if medians.met_at_most is None else f", and at most {medians.met_at_most} with what is unknown"
        needed = f" of {flow.required} needed" if flow.required is not None else ""
        said.append(f"Criteria met, median: {medians.met}{needed}{most}")
    if medians.score_min is not None or medians.score_max is not None:
        ends = [f"{each:g}" if each is not None else "unbounded" for each in (medians.score_min, medians.score_max)]
        said.append(f"Score, median: lowest possible {ends[0]}, highest possible {ends[1]}")
    return said


def remarks(summary: Summary) -> list[str]:
    """What is said of the run and of its input."""
    said = []
    if summary.account is not None:
        account = summary.account
        run = [f"anchors {account.anchors}"] * bool(account.anchors) + [f"look-back {account.lookback}"] * bool(account.lookback)
        run += [f"engine {account.engine}"] * bool(account.engine) + [f"hlhcli {account.version}"] * bool(account.version)
        said += [f"Run: {', '.join(run)}"] * bool(run)
        if rows := account.rows:
            why = "; ".join(f"{reason} {number:,}" for reason, number in rows.reasons)
            said.append(
                f"Rows of the input: {rows.read:,} read, {rows.used:,} used, {rows.not_asked:,} not asked for, "
                f"{rows.left:,} left" + f" ({why})" * bool(why)
            )
    said += [f"{remark[:1].upper()}{remark[1:]}" for remark in summary.remarks]
    return [printable(each) for each in said]


def definitions(summary: Summary) -> str:
    """What the words stand for."""
    said = "A person counts where the best of their assessments ends: met before indeterminate before not met."
    said += " Assessable: at least one item is known, or the verdict is."
    if any(flow.not_made_for.assessments for flow in summary.sets):
        said += " Of another population: the set was not made for them, and its verdict is not counted."
    if any(each.one_away is not None for flow in summary.sets for each in flow.missing):
        said += " One away: one more criterion would make the count, and this one is unknown."
    return said


def head(flow: Flow) -> str:
    """The set's name and version."""
    return printable(f"{flow.id} version {flow.version}" if flow.version else flow.id)


def missing(flow: Flow) -> list[MissingItem]:
    """The items that are unknown in indeterminate assessments."""
    return [each for each in flow.missing if each.unknown]


def missing_head(flow: Flow) -> str:
    """What stands above them."""
    return f"Unknown in the {flow.indeterminate.assessments:,} indeterminate assessments"


def draw(summary: Summary, console: Console, plain: bool) -> None:
    """The summary on a terminal; `plain` means ASCII only."""
    console.print(Text.assemble(("Cohort", "bold"), "   ", (fit(printable(summary.source), plain), "dim")))
    if not summary.sets:
        console.print(Text("No assessments"))
    for flow in summary.sets:
        console.print()
        console.print(Text(fit(head(flow), plain), style="bold"))
        console.print(_flow_table(flow, console.width, plain))
        if missing(flow):
            console.print()
            console.print(Text(missing_head(flow)))
            console.print(_missing_table(flow, console.width, plain))
        listed(notes(flow), console, plain)
    console.print()
    console.print(Text("\n".join(wrapped(definitions(summary), console.width)), style="dim"))
    listed(remarks(summary), console, plain)


def _table(plain: bool) -> Table:
    return Table(box=ASCII2 if plain else SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)


def _flow_table(flow: Flow, width: int, plain: bool) -> Table:
    """Assessments and persons side by side, with their shares where there is room for them."""
    table, roomy = _table(plain), width >= _ROOMY
    table.add_column("", min_width=_LABELS * roomy)
    for heading in ("Assessments", "Persons"):
        table.add_column(heading, justify="right", no_wrap=True, min_width=len("Assessments") * roomy)
        if roomy:
            table.add_column("", justify="right", no_wrap=True)
    for step in steps(flow):
        style = ("bold", _STYLES.get(step.label, ""), "dim")[step.depth]
        lines = wrapped(step.label, _LABELS if roomy else len("indeterminate"))
        cells = [Text("\n".join("  " * step.depth + line for line in lines), style=style)]
        for number, total in zip(step.number, step.of, strict=True):
            cells += [Text(f"{number:,}"), *[Text(share(number, total))] * roomy]
        table.add_row(*cells)
    return table


def _missing_table(flow: Flow, width: int, plain: bool) -> Table:
    """The items that are missing, with a bar for how often."""
    table, found, roomy = _table(plain), missing(flow), width >= _ROOMY
    counted = any(each.one_away is not None for each in found)
    total = flow.indeterminate.assessments
    table.add_column("", min_width=_LABELS * roomy, overflow="fold")
    table.add_column("Unknown", justify="right", no_wrap=True, min_width=len("Assessments") * roomy)
    if roomy:
        table.add_column("", justify="right", no_wrap=True)
    if counted:
        table.add_column("One away", justify="right", no_wrap=True)
    bar = min(_MOST_BAR, width - _LABELS - 35) * roomy
    if bar > 0:
        table.add_column("", width=bar, no_wrap=True)
    for each in found:
        cells = [Text(fit(printable(each.item), plain)), Text(f"{each.unknown:,}"), *[Text(share(each.unknown, total))] * roomy]
        cells += [Text("" if each.one_away is None else f"{each.one_away:,}")] * counted
        cells += [Text(("#" if plain else "█") * max(1, round(bar * each.unknown / total)), style="yellow")] * (bar > 0)
        table.add_row(*cells)
    return table


def markdown(summary: Summary) -> str:
    """The summary as Markdown, to paste into a note."""
    lines = [f"### Cohort {escape(printable(summary.source))}", ""]
    for flow in summary.sets:
        lines += [
            f"**{escape(head(flow))}**",
            "",
            table_row(["", "Assessments", "", "Persons", ""]),
            "| --- | ---: | ---: | ---: | ---: |",
        ]
        for step in steps(flow):
            cells = [
                text for number, total in zip(step.number, step.of, strict=True) for text in (f"{number:,}", share(number, total))
            ]
            lines.append(table_row([f"{'– ' * step.depth}{step.label}", *cells]))
        if found := missing(flow):
            total = flow.indeterminate.assessments
            lines += ["", table_row([missing_head(flow), "", "", "One away"]), _RULE]
            for each in found:
                one = "" if each.one_away is None else f"{each.one_away:,}"
                lines.append(table_row([printable(each.item), f"{each.unknown:,}", share(each.unknown, total), one]))
        lines += ["", *(f"- {escape(note)}" for note in notes(flow)), ""]
    return "\n".join([*lines, escape(definitions(summary)), "", *(f"- {escape(each)}" for each in remarks(summary)), ""])


def _words(name: str) -> str:
    return printable(name.replace("_", " "))

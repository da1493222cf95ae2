"""The manual page and the list of commands that completion reads, both made of what `--help` says.

    python -m hlhcli.manual | man -l -    the page
    python -m hlhcli.manual --write       both files, after a help text was changed

The commands are read as Typer built them; how it words them differs from one version to the next, and is not used.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hlhcli import __version__

RELEASED = "2026-11-23"  # of __version__; the day of a build would make each build another one
PAGE = Path(__file__).parent / "share" / "hlhcli.1"
LIST = Path(__file__).with_name("commands.tsv")

_FILES = {
    "patient.yaml": "What was observed in a patient. hlhcli init prints a commented template, hlhcli schema its form.",
    "my-hospital.yaml": "Criteria of your own, for -c or in a folder of --criteria-dir. hlhcli init --criteria prints an example.",
    "*.manifest.json": "Beside what hlhcli cohort wrote: what was read, what was left, and why.",
}
_ENVIRONMENT = {
    "NO_COLOR": "If it is set, tables have no color.",
    "COLUMNS": "The width of tables, where it cannot be asked of a terminal.",
    "TMPDIR": "Where hlhcli cohort puts what does not fit into memory, if it writes to the screen.",
}


class Option(NamedTuple):
    """An option, or an argument of a command (without names)."""

    names: tuple[str, ...]
    metavar: str
    help: str
    values: int  # that it takes; a flag takes none
    many: bool
    required: bool
    variable: str | None


class Command(NamedTuple):
    """A command as its help describes it; the name of the program itself is empty."""

    name: str
    short: str
    text: str
    arguments: tuple[Option, ...]
    options: tuple[Option, ...]

    @property
    def usage(self) -> str:
        said = [f"{each.metavar}..." if each.many else each.metavar for each in self.arguments]
        shown = [text if each.required else f"[{text}]" for text, each in zip(said, self.arguments, strict=True)]
        return " ".join(["[OPTIONS]", *shown] if self.options else shown)

    @property
    def examples(self) -> list[str]:
        return next((lines[1:] for lines in self.blocks if lines[0] == "Examples:"), [])

    @property
    def statuses(self) -> list[tuple[str, str]]:
        """Exit statuses and what they mean, where the help lists them."""
        lines = next((lines[1:] for lines in self.blocks if lines[0] == "Exit status:"), [])
        return [(code, meaning) for code, _, meaning in (line.strip().partition("  ") for line in lines)]

    @property
    def prose(self) -> list[str]:
        return [paragraph for paragraph in self.text.split("\n\n") if not paragraph.startswith("\b")]

    @property
    def blocks(self) -> list[list[str]]:
        """The paragraphs that stand as they are: a heading, and its lines."""
        return [paragraph[2:].rstrip().split("\n") for paragraph in self.text.split("\n\n") if paragraph.startswith("\b")]


def commands() -> list[Command]:
    """The program, then its commands, as `--help` lists them."""
    import typer

    import hlhcli.cli_cohort
    import hlhcli.cli_convert
    import hlhcli.cli_definitions
    import hlhcli.cli_pictures  # noqa: F401
    from hlhcli.cli import app

    group: Any = typer.main.get_command(app)
    return [_command("", group), *(_command(name, each) for name, each in group.commands.items())]


def _command(name: str, found: Any) -> Command:
    parameters = [(each, _option(each)) for each in found.params if not getattr(each, "hidden", False)]
    arguments = tuple(option for each, option in parameters if each.param_type_name == "argument")
    options = tuple(option for each, option in parameters if each.param_type_name == "option")
    asked = Option(("--help", "-h"), "", "Show the help and exit.", 0, False, False, None)
    return Command(name, found.short_help or "", found.help, arguments, options if name else (*options, asked))


def _option(found: Any) -> Option:
    flag = getattr(found, "is_flag", False)
    text = " ".join(found.help.split())
    if not flag and isinstance(found.default, (str, int)) and found.default not in ("", 0):
        text += f" [default: {found.default}]"
    return Option(
        names=tuple(found.opts) if found.param_type_name == "option" else (),
        metavar=(found.metavar or "").removesuffix("...").strip("[]"),
        help=text,
        values=0 if flag else found.nargs,
        many=found.nargs == -1,
        required=found.required,
        variable=found.envvar,
    )


def listing(found: list[Command]) -> str:
    """One line for each command, and under it one for each option: names, how many values it takes, what it is."""
    lines = []
    for command in found:
        lines.append(f"{command.name}\t{command.short}")
        lines += [f"\t{' '.join(each.names)}\t{each.values}\t{_sentence(each.help)}" for each in command.options]
    return "\n".join([*lines, ""])


def _sentence(text: str) -> str:
    """The first sentence, or what stands before the first semicolon: there is one line for it."""
    return re.split(r"[.;](?= |$)", text)[0]


def page(found: list[Command]) -> str:
    """The manual page, in the macros that every man understands."""
    return "\n".join([*_lines(found), ""])


def _lines(found: list[Command]) -> Iterator[str]:
    program, *others = found
    yield r".\" Made of the help texts by python -m hlhcli.manual --write"
    yield f'.TH HLHCLI 1 {RELEASED} "hlhcli {__version__}" "User Commands"'
    yield from (".nh", ".ad l")  # a name that is broken in two cannot be copied
    yield from (".SH NAME", r"hlhcli \- evaluate published criteria for hemophagocytic lymphohistiocytosis", ".SH SYNOPSIS", ".nf")
    yield from (f"\\fBhlhcli {_text(each.name)}\\fR {_text(each.usage)}" for each in others)
    yield from (".fi", ".SH EXAMPLES", *_verbatim(program.examples), ".SH DESCRIPTION", *_filled(" ".join(program.prose)))
    yield ".SH COMMANDS"
    for each in others:
        yield from (f'.SS "hlhcli {_text(each.name)} {_text(each.usage)}"', *_verbatim(each.examples))
        for paragraph in each.prose:
            yield from (".PP", *_filled(paragraph))
        for option in (*each.arguments, *each.options):
            yield from _tagged(option)
    yield from (".SH OPTIONS", "Of the program itself:")
    for option in program.options:
        yield from _tagged(option)
    yield ".SH EXIT STATUS"
    for code, meaning in (status for each in found for status in each.statuses):
        yield from (".TP", rf"\fB{_text(code)}\fR", *_filled(meaning))
    yield ".SH FILES"
    for name, meaning in _FILES.items():
        yield from (".TP", rf"\fI{_text(name)}\fR", *_filled(meaning))
    yield ".SH ENVIRONMENT"
    own = {each.variable: each.help for command in others for each in command.options if each.variable}
    for name, meaning in (own | _ENVIRONMENT).items():
        yield from (".TP", rf"\fB{_text(name)}\fR", *_filled(meaning))
    yield from (
        ".SH SEE ALSO",
        r"\fBhlhcli hazards\fR prints the hazard log,",
        r"\fBhlhcli criteria\fR the sets with their sources.",
    )


def _tagged(option: Option) -> Iterator[str]:
    names = ", ".join(rf"\fB{_text(name)}\fR" for name in option.names)
    yield ".TP"
    yield f"{names} {_text(option.metavar)}".strip() if names else rf"\fI{_text(option.metavar)}\fR"
    yield from _filled(option.help + (f" [environment: {option.variable}]" if option.variable else ""))


def _verbatim(lines: list[str]) -> list[str]:
    """Lines as they stand, a little to the left: they are as long as the help may be."""
    return [".in 4n", ".nf", *(_text(line.removeprefix("  ")) for line in lines), ".fi", ".in"]


def _filled(text: str) -> list[str]:
    return [_text(line) for line in textwrap.wrap(text, 72, break_long_words=False, break_on_hyphens=False)]


def _text(text: str) -> str:
    """The characters themselves: roff reads some as commands, and makes others pretty, so that they cannot be copied."""
    text = text.replace("\\", r"\e")
    for plain, name in {"-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti", '"': r"\(dq"}.items():
        text = text.replace(plain, name)
    return rf"\&{text}" if text.startswith(".") else text


if __name__ == "__main__":
    made = commands()
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page(made), encoding="utf-8", newline="\n")
        LIST.write_text(listing(made), encoding="utf-8", newline="\n")
    else:
        sys.stdout.write(page(made))

"""The project keeps its promises about itself: README, imports, names."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap

import pytest
from command import ROOT, hlhcli

from hlhcli import criteria, definition, responses
from hlhcli.api import parse_document

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    "check",
    "cohort",
    "cohort summary",
    "convert",
    "criteria",
    "figure",
    "hazards",
    "observables",
    "init",
    "report",
    "schema",
]


def test_every_command_is_in_the_readme():
    """No command and no set of criteria that ships is left out."""
    listed = re.findall(r"^  (\w+(?: \w+)?)  ", hlhcli("--help").out.split("Commands:")[1], re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS)
    for name in (*COMMANDS, *criteria.ids(), *responses.ids()):
        assert name in README


@pytest.mark.parametrize(
    ("command", "output"),
    re.findall(r"```console\n\$ (hlhcli [^\n|]*)\n(.*?)```", README, re.DOTALL),
    ids=lambda text: text[:40].strip(),
)
def test_the_readme_shows_real_output(command, output):
    """What the README prints under a command is what the command prints."""
    ran = hlhcli(*command.split()[1:], COLUMNS="80")
    assert words(ran.out + ran.err) == words(output)


def test_the_readme_shows_the_file_of_ones_own():
    """The criteria file in the README is the one that is tested."""
    assert (ROOT / "hlhcli" / "my-hospital.yaml").read_text(encoding="utf-8").strip() in README


@pytest.mark.parametrize("text", [textwrap.dedent(block) for block in re.findall(r" *```yaml\n(.*?) *```", README, re.DOTALL)])
def test_the_readme_shows_files_that_are_right(text):
    """Every YAML file in the README is read without a mistake: patients, criteria, and a variant."""
    if "provenance:" in text:
        assert definition.read(text, "README", criteria.load).items
    elif not text.startswith("#"):
        assert parse_document(text, "README").patient.timepoints


def words(text: str) -> list[list[str]]:
    """The words of each line; how wide a rule is drawn is the table library's affair."""
    return [re.sub("─+", "─", line).split() for line in text.splitlines()]


def loaded(*arguments: str) -> set[str]:
    code = f"import sys; sys.argv = ['hlhcli', *{arguments!r}]\nfrom hlhcli.__main__ import main\ntry:\n    main()\nexcept SystemExit:\n    pass\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--version"], {"rich", "pydantic", "yaml", "hlhcli.patient", "hlhcli.api"}),
        (["--help"], {"rich", "pydantic", "yaml", "hlhcli.patient", "hlhcli.api"}),
        (["check", "--json", "samples/broglie-2017.yaml"], {"rich", "jsonschema", "hlhcli.render.table", "hlhcli.render.contract"}),
        (
            ["check", "samples/broglie-2017.yaml"],
            {
                "jsonschema",
                "hlhcli.render.contract",
                "hlhcli.render.csvfile",
                "pint",
                "pandas",
                "openpyxl",
                "hlhcli.readers.inputs",
                "hlhcli.readers.fhir",
                "hlhcli.readers.table",
                "hlhcli.readers.phenopacket",
                "hlhcli.readers.draft",
            },
        ),
    ],
)
def test_a_command_imports_only_what_it_needs(arguments, absent):
    """Start-up stays fast because nothing is imported that the command does not use."""
    assert not loaded(*arguments) & absent


def imports() -> dict[str, set[str]]:
    found = {}
    for path in (ROOT / "hlhcli").rglob("*.py"):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        text = re.sub(r"^if TYPE_CHECKING:.*?\n(?=\S)", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        found[name] = {
            m
            for line in re.findall(r"^ *from (hlhcli[\w.]*) import ([^\n(]+|\([^)]*\))", text, re.MULTILINE)
            for m in [line[0], *(f"{line[0]}.{n}" for n in re.findall(r"\w+", line[1]))]
        }
    return {name: modules & set(found) for name, modules in found.items()}


def test_dependencies_point_one_way():
    """No module imports itself around a corner, and nothing below the commands knows how results are shown."""
    graph = {name: modules - {name} for name, modules in imports().items() if name not in ("hlhcli", "hlhcli.__main__")}
    below = {name for name in graph if not name.startswith(("hlhcli.render", "hlhcli.cli", "hlhcli.schemas"))}
    assert not {(name, other) for name in below for other in graph[name] if other.startswith("hlhcli.render")}
    order: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path, name])
        if name not in order:
            for other in graph.get(name, ()):
                visit(other, (*path, name))
            order.append(name)

    for name in graph:
        visit(name, ())


def test_no_threshold_in_python():
    """Cut-offs live in hlhcli/criteria alone."""
    numbers = {"38.5", "38.0", "500", "2400", "265", "1.5", "3.0"}
    for path in (ROOT / "hlhcli").rglob("*.py"):
        code = re.sub(r'""".*?"""|#[^\n]*|"[^"\n]*"', "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not set(re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", code)) & numbers, path
        assert "float(" not in code, path


def test_modules_stay_small():
    """A module that grows past 400 lines is two ideas."""
    for path in (ROOT / "hlhcli").rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path


def test_every_hazard_is_shown_by_a_test():
    """Each hazard has its cause, effect, control and what remains, and names tests that exist."""
    hazards = re.split(r"^## ", (ROOT / "hlhcli" / "hazards.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert len(hazards) >= 10
    for hazard in hazards:
        assert re.findall(r"^- (\w+):", hazard, re.MULTILINE) == ["Cause", "Effect", "Control", "Remains", "Tests"], hazard[:40]
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", hazard)
        assert named, hazard[:40]
        for path, name in named:
            assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), name
    assert hlhcli("hazards").out == (ROOT / "hlhcli" / "hazards.md").read_text(encoding="utf-8")

"""What each command imports, as `tests/spec/imports.md` lists it: every start pays for it, so a careless import fails here.

`python tests/test_imports.py` prints the list as it is now.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIST = ROOT / "tests" / "spec" / "imports.md"
PACKAGES = [
    "duckdb",
    "jinja2",
    "jsonschema",
    "matplotlib",
    "numpy",
    "openpyxl",
    "pandas",
    "psycopg",
    "pyarrow",
    "pydantic",
    "pydantic_core",
    "pygments",
    "pyspark",
    "rich",
    "sqlalchemy",
    "sqlglot",
    "typer",
    "yaml",
]
EVERY = "every command"
COMMANDS = [
    "hlhcli --version",
    "hlhcli --help",
    "hlhcli check --json samples/pmc4608169.yaml",
    "hlhcli check samples/pmc4608169.yaml",
    "hlhcli check samples/synthetic-course.yaml",
    "hlhcli check --format csv samples/pmc4608169.yaml",
    "hlhcli check samples/inputs/fhir-bundle.json",
    "hlhcli check samples/inputs/phenopacket.json",
    "hlhcli convert samples/inputs/labs.csv --map samples/inputs/labs.columns.yaml",
    "hlhcli criteria hlh-2004",
    "hlhcli init",
    "hlhcli schema",
    "hlhcli observables",
    "hlhcli figure samples/synthetic-course.yaml -o {folder}/figure.svg",
    "hlhcli report samples/synthetic-course.yaml -o {folder}/report.html",
    "hlhcli cohort samples/cohort/labs.csv --anchors samples/cohort/anchors.csv -o {folder}/cohort.csv",
    "hlhcli cohort summary {folder}/cohort.csv",
]
LOADED = """
import sys
sys.argv = sys.argv[1:]
from hlhcli.__main__ import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(*sys.modules, file=sys.stderr)
"""


def loaded(command: str, folder: Path) -> tuple[set[str], set[str]]:
    """The packages and the modules of hlhcli that a command imports."""
    arguments = command.format(folder=folder).split()
    done = subprocess.run([sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, cwd=ROOT, check=True)
    names = done.stderr.splitlines()[-1].split()
    own = {name.removeprefix("hlhcli.") for name in names if name.startswith("hlhcli.")}
    return {name for name in names if name in PACKAGES}, own


def listed() -> dict[str, tuple[set[str], set[str]]]:
    """What the list says of each command."""
    found = {}
    for section in re.split(r"^## ", LIST.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, _, text = section.partition("\n")
        packages, modules = (
            set(part.split()) for part in re.findall(r"^(?:Packages|Modules):((?:.|\n(?!\n))*)", text, re.MULTILINE)
        )
        found[title.strip("`")] = packages, modules
    every = found.pop(EVERY)
    return {command: (packages | every[0], modules | every[1]) for command, (packages, modules) in found.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("imports")


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_command_imports(command, folder):
    for needed in ("matplotlib", "jinja2", "duckdb"):
        if needed in listed()[command][0]:
            pytest.importorskip(needed)
    packages, modules = loaded(command, folder)
    assert (packages - {"pygments"}, modules) == listed()[command]


def test_the_list_is_whole():
    """It names each command that is measured, and no other."""
    assert list(listed()) == COMMANDS


def main() -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        found = {command: loaded(command, Path(name)) for command in COMMANDS}
    packages, modules = (set.intersection(*(parts[kind] for parts in found.values())) for kind in (0, 1))
    sections = {EVERY: (packages, modules)} | {f"`{command}`": (p - packages, m - modules) for command, (p, m) in found.items()}
    lines = [__doc__.splitlines()[0].replace(", as `tests/spec/imports.md` lists it", "")]
    for title, parts in sections.items():
        lines += ["", f"## {title}"]
        for label, names in zip(("Packages", "Modules"), parts, strict=True):
            lines += ["", *textwrap.wrap(f"{label}: {' '.join(sorted(names))}", 120, break_on_hyphens=False)]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

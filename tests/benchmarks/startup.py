"""Whole processes beside their floor: time (best of many, interleaved) or instructions.

`--against FOLDER` adds the same commands of another checkout, and the ratio to them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SCRIPT = shutil.which("hlhcli") or sys.exit("install the package first")
PLAIN = str(ROOT / "samples" / "pmc4608169.yaml")  # one time point, without therapies and curves
COURSE = str(ROOT / "samples" / "synthetic-course.yaml")
COMMANDS = {
    "floor": [str(HERE / "floor.py")],
    "check": [SCRIPT, "check", PLAIN],
    "check --json": [SCRIPT, "check", "--json", PLAIN],
    "check, with a course": [SCRIPT, "check", COURSE],
    "figure (PNG)": [SCRIPT, "figure", COURSE, "-o", str(Path(tempfile.gettempdir()) / "hlhcli-benchmark.png")],
    "check, FHIR": [SCRIPT, "check", str(ROOT / "samples" / "inputs" / "fhir-bundle.json")],
    "--help": [SCRIPT, "--help"],
    "--version": [SCRIPT, "--version"],
    "completion": [SCRIPT],
}
COMPLETION = {"_HLHCLI_COMPLETE": "complete_bash", "COMP_WORDS": "hlhcli check -c hl", "COMP_CWORD": "3"}
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPATH": str(ROOT)}


def environment(arguments: list[str], root: Path) -> dict[str, str]:
    return ENVIRONMENT | {"PYTHONPATH": str(root)} | (COMPLETION if arguments == COMMANDS["completion"] else {})


def seconds(arguments: list[str], root: Path = ROOT) -> float:
    start = time.perf_counter()
    out = subprocess.DEVNULL
    subprocess.run([sys.executable, *arguments], stdout=out, stderr=out, check=True, env=environment(arguments, root))
    return time.perf_counter() - start


def instructions(arguments: list[str], root: Path = ROOT) -> float:
    """Millions of instructions, which repeat where times do not."""
    tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, *arguments]
    text = subprocess.run(tool, capture_output=True, text=True, check=True, env=environment(arguments, root)).stderr
    found = re.search(r"Collected : (\d+)", text) or re.search(r"refs:\s+([\d,]+)", text)
    assert found
    return int(found[1].replace(",", "")) / 1e6


def main() -> None:
    for arguments in COMMANDS.values():
        seconds(arguments)
    if "--instructions" in sys.argv:
        figures, unit = {name: instructions(arguments) for name, arguments in COMMANDS.items()}, "M instructions"
    else:
        rounds = [{name: seconds(arguments) for name, arguments in COMMANDS.items()} for _ in range(30)]
        figures, unit = {name: min(each[name] for each in rounds) * 1000 for name in COMMANDS}, "ms"
    print(f"| process | {unit} | of the floor |\n|---|---|---|")
    for name, figure in figures.items():
        print(f"| {name} | {figure:.0f} | {figure / figures['floor']:.2f} |")
    if "--against" in sys.argv:
        against(Path(sys.argv[sys.argv.index("--against") + 1]).resolve())


def against(other: Path) -> None:
    """The default check of this checkout beside that of another one."""
    arguments = ["-m", "hlhcli", "check", PLAIN]
    for root in (ROOT, other):
        seconds(arguments, root)
    if "--instructions" in sys.argv:
        ours, theirs = instructions(arguments), instructions(arguments, other)
    else:
        rounds = [(seconds(arguments), seconds(arguments, other)) for _ in range(60)]
        ours, theirs = (min(each) for each in zip(*rounds, strict=True))
    print(f"check here is {ours / theirs:.3f} of check there")


main()

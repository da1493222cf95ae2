"""Whole processes beside their floor: time (best of many, interleaved) or instructions."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SCRIPT = shutil.which("hlhcli") or sys.exit("install the package first")
SEED = str(ROOT / "samples" / "broglie-2017.yaml")
COMMANDS = {
    "floor": [str(HERE / "floor.py")],
    "check": [SCRIPT, "check", SEED],
    "check --json": [SCRIPT, "check", "--json", SEED],
    "--help": [SCRIPT, "--help"],
    "--version": [SCRIPT, "--version"],
}
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPATH": str(ROOT)}


def seconds(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True, env=ENVIRONMENT)
    return time.perf_counter() - start


def instructions(arguments: list[str]) -> float:
    """Millions of instructions, which repeat where times do not."""
    tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, *arguments]
    text = subprocess.run(tool, capture_output=True, text=True, check=True, env=ENVIRONMENT).stderr
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


main()

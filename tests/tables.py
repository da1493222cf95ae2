"""Reads the tables of tests/spec, which clinicians can read, and the patients that their rows describe."""

from __future__ import annotations

import re
from pathlib import Path

SPEC = Path(__file__).parent / "spec"


def rows(name: str) -> list[dict[str, str]]:
    """The rows of the one table in tests/spec/<name>.md, by the headings of its columns."""
    lines = [line for line in (SPEC / f"{name}.md").read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    head, _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert all(len(cells) == len(head) for cells in body), f"a row of {name} has the wrong number of cells"
    return [dict(zip(head, cells, strict=True)) for cells in body]


def patient_yaml(observed: str, age: str = "", extra: str = "") -> str:
    """A patient file with one time point; `observed` is `name: value; name: value`."""
    person = f"patient: {{id: row, age: {age or '11 y'}}}\n" if age != "unknown" else "patient: {id: row}\n"
    lines = "".join(f"      {entry.strip()}\n" for entry in re.split(r";\s", observed) if entry.strip())
    return f"{person}timepoints:\n  - name: now\n{extra}    observations:\n{lines}"

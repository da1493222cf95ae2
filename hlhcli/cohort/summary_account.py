"""What the manifest of a run says of its input: rows in, used, not asked for, left and why; and whether that adds up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hlhcli.cohort.form import SCHEMA


class InputRows(NamedTuple):
    """Rows of the input, and what became of them."""

    read: int
    used: int
    not_asked: int
    left: int
    reasons: tuple[tuple[str, int], ...]


class Account(NamedTuple):
    """The books of one run."""

    version: str | None
    engine: str | None
    anchors: str | None
    lookback: str | None
    criteria: dict[str, str | None]
    rows: InputRows | None
    out: int | None

    def differences(self, rows: int, sets: Sequence[str]) -> list[str]:
        """What does not fit an output of so many rows, of these sets."""
        said = []
        if self.out is not None and self.out != rows:
            said.append(f"the manifest says {self.out} rows, and the output has {rows}: they are not of one whole run")
        if strange := [name for name in sets if self.criteria and name not in self.criteria]:
            said.append(f"the manifest knows nothing of {', '.join(strange)}")
        return said

    def as_json(self) -> dict[str, Any]:
        rows = self.rows
        return {
            "version": self.version,
            "engine": self.engine,
            "anchors": self.anchors,
            "lookback": self.lookback,
            "rows": None if rows is None else {**rows._asdict(), "reasons": dict(rows.reasons)},
        }


def manifest_of(output: Path) -> Path:
    """Where the manifest of an output lies."""
    return output / "manifest.json" if output.is_dir() else output.with_name(f"{output.name}.manifest.json")


def account(path: Path) -> tuple[Account | None, list[str]]:
    """What the manifest says (None: it cannot be had), and what is wrong with it."""
    try:
        said = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None, ["there is no manifest beside the output: what was read and what was left is not known"]
    except (OSError, ValueError, RecursionError):
        return None, ["the manifest cannot be read: what was read and what was left is not known"]
    if not isinstance(said, dict) or said.get("schema") != SCHEMA:
        return None, [f"the manifest is not of the form {SCHEMA}: what was read and what was left is not known"]
    rows, remarks = _rows(said.get("rows"))
    criteria = {
        str(each["id"]): _text(each.get("version"))
        for each in _list(said.get("criteria"))
        if isinstance(each, dict) and "id" in each
    }
    engine = " ".join(filter(None, (_text(_dict(said.get("engine")).get(key)) for key in ("name", "version"))))
    found = Account(
        version=_text(said.get("version")),
        engine=engine or None,
        anchors=_text(_dict(said.get("anchors")).get("how")),
        lookback=_text(said.get("lookback")),
        criteria=criteria,
        rows=rows,
        out=_number(_dict(said.get("out")).get("rows")),
    )
    return found, remarks


def _rows(said: object) -> tuple[InputRows | None, list[str]]:
    stated = _dict(said)
    numbers = [_number(stated.get(key)) for key in ("in", "used", "not asked for", "left")]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers):
        return None, ["the manifest does not say how many rows were read, used and left"]
    read, used, not_asked, left = known
    reasons = {
        str(why): count for why, given in _dict(stated.get("left by reason")).items() if (count := _number(given)) is not None
    }
    remarks = []
    if used + not_asked + left != read:
        remarks.append(
            f"the rows of the input do not add up: {read} read, but {used} used, {not_asked} not asked for "
            f"and {left} left are {used + not_asked + left}"
        )
    if sum(reasons.values()) != left:
        remarks.append(f"the rows that were left do not add up: {left}, but by reason {sum(reasons.values())}")
    ordered = sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
    return InputRows(read, used, not_asked, left, tuple(ordered)), remarks


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None

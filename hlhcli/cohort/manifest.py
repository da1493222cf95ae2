"""What a run was made of: written beside its output, so that anybody can say later where the numbers come from."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hlhcli import __version__, rules
from hlhcli.cohort.form import SCHEMA
from hlhcli.cohort.run import Read
from hlhcli.rules import CriteriaSet, Node
from hlhcli.whole import whole

_WHOLE = 64 * 2**20  # bytes up to which a file is read for its fingerprint; of a larger one its two ends
_END = 4 * 2**20
_CODES = 20  # that are not known here, by name
_FEWEST = 5  # rows of a code that is named: what stands there by mistake may be a person's


def beside(output: Path) -> Path:
    """Where the manifest of an output lies."""
    return output / "manifest.json" if output.suffix == "" else output.with_name(f"{output.name}.manifest.json")


def fingerprint(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of a file; of a large one the SHA-256 of its size and both ends."""
    size = path.stat().st_size
    digest = hashlib.sha256()
    with path.open("rb") as file:
        if size <= _WHOLE:
            for block in iter(lambda: file.read(2**20), b""):
                digest.update(block)
            return {"name": str(path), "bytes": size, "fingerprint": f"sha256:{digest.hexdigest()}"}
        digest.update(str(size).encode())
        digest.update(file.read(_END))
        file.seek(-_END, os.SEEK_END)
        digest.update(file.read(_END))
    return {"name": str(path), "bytes": size, "fingerprint": f"sha256-of-size-and-ends:{digest.hexdigest()}"}


def definition(criteria: CriteriaSet) -> dict[str, str]:
    """The version of a set, and a fingerprint of its rules: two that differ in any number or operator differ here."""
    said = _said(criteria.verdict)
    if criteria.population and criteria.population.when:
        said += [f"population sufficient {criteria.population.sufficient}", *_said(criteria.population.when)]
    digest = hashlib.sha256("\n".join(said).encode()).hexdigest()
    return {"id": criteria.id, "version": criteria.version, "fingerprint": f"sha256:{digest}"}


def _said(rule: Node) -> list[str]:
    return [
        " ".join(str(getattr(node, part, "")) for part in ("kind", "required", "points", "operator", "cutoff", "text"))
        + f" {type(node).__name__} {node.about.id} {len(rules.children(node))}"
        for node in rules.walk(rule)
    ]


def plan(
    files: Iterable[Path],
    tables: Sequence[str],
    sets: Sequence[CriteriaSet],
    anchors: str,
    lookback: str,
    engine: dict[str, str],
) -> dict[str, Any]:
    """What a run is to do; two runs with one plan give one output, if no row of a table of a database was changed between."""
    return {
        "schema": SCHEMA,
        "version": __version__,
        "engine": engine,
        "inputs": [*({"name": name} for name in tables), *map(fingerprint, files)],
        "anchors": {"how": anchors},
        "lookback": lookback,
        "criteria": [definition(each) for each in sets],
    }


def books(read: Read, broken: Iterable[tuple[str, int]] = ()) -> dict[str, Any]:
    """The rows of the input: what was used, what was of other tests, and what was left. They add up.

    `broken`: lines that were not even rows, by reason.
    """
    lines: Counter[str] = Counter()
    for reason, number in broken:
        lines[reason] += number
    left = dict((read.lookups.reasons + lines).most_common())
    found: dict[str, Any] = {
        "in": read.rows_in + lines.total(),
        "used": read.lookups.used,
        "not asked for": read.not_asked,
        "left": sum(left.values()),
        "left by reason": left,
    }
    if read.lookups.remarks:
        found["used with a doubt"] = dict(read.lookups.remarks)
    if read.unknown_codes:
        unknown = read.unknown_codes
        named = {code: rows for code, rows in unknown.most_common(_CODES) if rows >= _FEWEST}
        found["codes not known here"] = {"rows": sum(unknown.values()), "codes": len(unknown), "such as": named}
    return found


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def write(path: Path, content: dict[str, Any]) -> None:
    """The manifest, whole or not at all."""
    with whole(path) as stream:
        stream.write((json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())

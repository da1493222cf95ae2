"""The rows of tests/spec/response.md without the command: each patient is read once, and the course is told as its JSON."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from command import ROOT
from test_response_vectors import ON_REQUEST, ROWS, check, entries, patient

from hlhcli import criteria
from hlhcli.api import evaluate_document, parse_document
from hlhcli.readers.yaml_json import Document
from hlhcli.render.results import result_json

BY_ID = {row["id"]: row for row in ROWS}


@cache
def document(name: str) -> Document:
    """The patient of the row with this id."""
    row = BY_ID[name]
    sample = row["treatment and curves"]
    text = (ROOT / sample).read_text(encoding="utf-8") if sample.endswith(".yaml") else patient(row)
    return parse_document(text, f"{name}.yaml")


def told(row: dict[str, str], rules: tuple[str, ...] | None = None) -> Any:
    """What the JSON says of the row, by these rules of response, or by those that the command would read for it."""
    named = row["rule"].split(", ")
    chosen = named if ON_REQUEST & set(named) else []
    if rules is None:
        rules = tuple(name for name in chosen if criteria.is_for_course(name))
    sets = [name for name in chosen if not criteria.is_for_course(name)] or [criteria.DEFAULT]
    result = evaluate_document(document(row["id"]), [criteria.load(name) for name in sets], rules)
    return json.loads(json.dumps(result_json(result)))


def first_wrong(row: dict[str, str], rules: tuple[str, ...] | None = None) -> str | None:
    """The first expectation of the row that does not hold."""
    result = told(row, rules)
    for expectation in entries(row["expected"]):
        try:
            check(result, row, expectation)
        except (AssertionError, ValueError, TypeError, KeyError, AttributeError) as problem:
            return f"{expectation}: {type(problem).__name__} {problem}"
    return None

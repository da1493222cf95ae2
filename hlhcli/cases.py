"""The cases that stand in a criteria file: what is observed, and what the set must say of it. The file is its own specification."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from hlhcli.api import Result, evaluate_document
from hlhcli.assessment import Assessment
from hlhcli.errors import InputError, Problem, did_you_mean, printable
from hlhcli.quantity import range_text
from hlhcli.readers.yaml_json import Document, read_tree
from hlhcli.rules import CriteriaSet, item_id
from hlhcli.yamltree import Mapping, Sequence, mark_of, parse

_CASE = ("name", "age", "onset", "observations", "genetics", "expect")
_EXPECT = ("verdict", "count", "score", "probability", "applicable", "warns", "warns_not")
_NONE = "none"
_LONGEST = 1000  # characters of a message


class Ran(NamedTuple):
    """One case: its name, and what differs from what it expects (nothing: as expected)."""

    name: str
    problems: tuple[Problem, ...]


def run(content: bytes | str, source: str, criteria: CriteriaSet) -> list[Ran]:
    """Every case in the criteria file. Raises InputError where the list of cases itself cannot be read."""
    tree = parse(content, source)
    entries: Any = tree.get("cases", []) if isinstance(tree, Mapping) else []
    if not isinstance(entries, list):
        raise InputError([Problem(source, "expected a list of cases here", *mark_of(tree, ("cases",)))])
    return [_run(entry, source, criteria, mark_of(tree, ("cases", index))) for index, entry in enumerate(entries)]


def table(content: bytes | str, source: str) -> list[tuple[str, str, str]]:
    """Name, what is observed, and what is expected, of each case: for people to read."""
    tree = parse(content, source)
    entries: Any = tree.get("cases", []) if isinstance(tree, Mapping) else []
    return [
        (
            _text(case["name"]),
            "; ".join(
                [f"{key} {_text(case[key])}" for key in ("age", "onset") if key in case]
                + [*_said(case, "observations"), *_variants(case)]
            ),
            "; ".join(_said(case, "expect")),
        )
        for case in entries
        if isinstance(case, Mapping) and "name" in case
    ]


def _said(case: Mapping, key: str) -> list[str]:
    said = case.get(key)
    return [f"{_text(name)}: {_text(value)}" for name, value in said.items()] if isinstance(said, Mapping) else []


def _variants(case: Mapping) -> list[str]:
    genetics = case.get("genetics")
    if not isinstance(genetics, Mapping):
        return []
    variants, tested = genetics.get("variants", []), genetics.get("tested", [])
    found = [" ".join(map(_text, variant.values())) for variant in variants if isinstance(variant, Mapping)]
    return found + [f"tested: {_text(tested)}"] * bool(tested)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_text(key)} {_text(each)}" for key, each in value.items())
    return ", ".join(map(_text, value)) if isinstance(value, list) else printable(value)


def _run(case: Any, source: str, criteria: CriteriaSet, start: tuple[int, int]) -> Ran:
    known = [item_id(item) for item in criteria.items]
    problems: list[Problem] = []
    name = _text(case.get("name", "")) if isinstance(case, Mapping) else ""
    if not isinstance(case, Mapping) or not name or not isinstance(case.get("expect"), Mapping) or not case["expect"]:
        return Ran(name or "?", (Problem(source, "expected {name: …, observations: {…}, expect: {verdict: met}}", *start),))
    for where, names in (((), _CASE), (("expect",), (*_EXPECT, *known))):
        for key in case if not where else case["expect"]:
            if key not in names:
                message = f"unknown key '{printable(key, 60)}'{did_you_mean(key, names)}"
                problems.append(Problem(source, message, *mark_of(case, (*where, key), key=True)))
    if problems:
        return Ran(name, tuple(problems))
    try:
        for key, expected, found in different(case, document(case, source), criteria):
            message = f"{name}: {key} is {found or 'empty'}, expected {_text(expected)}"
            problems.append(Problem(source, printable(message, _LONGEST), *mark_of(case, ("expect", key))))
    except InputError as error:
        return Ran(name, tuple(error.problems))
    return Ran(name, tuple(problems))


def document(case: Mapping, source: str) -> Document:
    """The patient of a case. Raises InputError."""
    return read_tree(_patient(case), source)


def different(case: Mapping, patient: Document, criteria: CriteriaSet) -> Iterator[tuple[str, str, str]]:
    """What the set does not say as the case expects: the key, what is expected, and what was found."""
    result = evaluate_document(patient, [criteria])
    for key, expected in case["expect"].items():
        found = _found(key, result)
        said = bool(expected) and str(expected) in found
        wrong = not said if key == "warns" else said if key == "warns_not" else _plain(expected) != _plain(found)
        if wrong:
            yield key, expected, found


def _plain(text: Any) -> str:
    words = " ".join(str(text).replace("_", " ").split())
    return {"true": "yes", "false": "no"}.get(words, words)


def _found(key: str, result: Result) -> str:
    """What the assessment says of `key`, in the words of a case."""
    (assessment,) = result.assessments
    if key in ("warns", "warns_not"):
        return "; ".join((*(warning.message for warning in result.warnings), *assessment.notes, *_evidence_notes(assessment)))
    if key == "verdict":
        return assessment.verdict
    if key == "count":
        count = assessment.count
        return f"{count.met} / {count.not_met} / {count.unknown}" if count else _NONE
    if key == "score":
        return range_text(assessment.score) if assessment.score else _NONE
    if key == "probability":
        return " to ".join(dict.fromkeys(assessment.probability or (_NONE,)))
    if key == "applicable":
        return {True: "yes", False: "no", None: "unknown"}[assessment.applicable]
    item = next(item for item in assessment.items if item.id == key)
    return range_text(item.points) if item.points else str(item.status)


def _evidence_notes(assessment: Assessment) -> Iterator[str]:
    return (line.note for item in assessment.items for line in item.evidence if line.note)


def _patient(case: Mapping) -> Mapping:
    """The patient file that the case abbreviates; every value keeps its place."""
    timepoint = _pick(case, "name", "observations")
    timepoints = Sequence(case.start)
    timepoints.append(timepoint)
    timepoints.value_marks.append(case.start)
    whole = _pick(case, "genetics")
    for key, value in (("patient", _pick(case, "age", "onset")), ("timepoints", timepoints)):
        whole[key] = value
        whole.key_marks[key] = whole.value_marks[key] = case.start
    return whole


def _pick(case: Mapping, *keys: str) -> Mapping:
    picked = Mapping(case.start)
    for key in keys:
        if key in case:
            picked[key] = case[key]
            picked.key_marks[key], picked.value_marks[key] = case.key_marks[key], case.value_marks[key]
    return picked

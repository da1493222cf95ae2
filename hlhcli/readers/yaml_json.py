"""The patient file: YAML or JSON."""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic_core import ValidationError

from hlhcli import observables
from hlhcli.errors import InputError, Problem, Suggesting, alike, did_you_mean, printable
from hlhcli.fields import Context
from hlhcli.model import MAPPING, Model
from hlhcli.patient import MAX_TIMEPOINTS, Genetics, Patient, Person, Therapy, Timepoint, Variant
from hlhcli.yamltree import Mapping, Node, mark_of, parse

# The model that stands under each key, to suggest the nearest of its keys.
_MODELS: dict[str, type[Model]] = {
    "patient": Person,
    "therapies": Therapy,
    "timepoints": Timepoint,
    "genetics": Genetics,
    "variants": Variant,
}


class Document(NamedTuple):
    """A patient, where each value stands in the file, and what is worth a warning."""

    source: str
    patient: Patient
    tree: Node
    warnings: tuple[Problem, ...]

    def where(self, *path: str | int, key: bool = False) -> tuple[int, int]:
        """Line and column of what stands at `path` (of its key, with `key`)."""
        return mark_of(self.tree, path, key)


def read(content: bytes | str, source: str) -> Document:
    """The patient in `content`. Raises InputError with every problem found, each with line and column."""
    with Suggesting():
        return read_tree(parse(content, source), source)


def read_tree(tree: Node, source: str) -> Document:
    """The patient in a parsed file."""
    if not isinstance(tree, Mapping):
        raise InputError([Problem(source, "expected a patient: keys such as 'patient:' and 'timepoints:' (see hlhcli init)", 1, 1)])
    if "citation" in tree and "timepoints" not in tree:
        message = "this is a file of criteria, not of a patient; use it with --criteria"
        raise InputError([Problem(source, message, *tree.start)])
    context = Context()
    try:
        patient = Patient.read(tree, context)
    except ValidationError as error:
        details = _worth_telling(error.errors(include_url=False, include_input=False))
        raise InputError(_problem(source, tree, detail) for detail in details) from None
    problems = _doubled_names(source, tree, patient)
    if problems:
        raise InputError(problems)
    warnings = tuple(Problem(source, message, *(mark or (None, None))) for message, mark in context.warnings)
    return Document(source, patient, tree, warnings)


def _doubled_names(source: str, tree: Node, patient: Patient) -> list[Problem]:
    first: dict[str, int] = {}
    problems = []
    for index, timepoint in enumerate(patient.timepoints):
        if first.setdefault(timepoint.name, index) != index:
            mark = mark_of(tree, ("timepoints", index, "name"))
            problems.append(
                Problem(source, f"a time point is already named '{printable(timepoint.name, 60)}'; give it another name", *mark)
            )
    return problems


def _worth_telling(details: list[Any]) -> list[Any]:
    """Without the keys that are missing only because they are misspelled: the misspelling is told."""
    unknown = [detail["loc"] for detail in details if detail["type"] == "extra_forbidden"]

    def misspelled(loc: tuple[str | int, ...]) -> bool:
        return any(other[:-1] == loc[:-1] and alike(str(other[-1]), [str(loc[-1])]) for other in unknown)

    return [detail for detail in details if detail["type"] != "missing" or not misspelled(detail["loc"])]


def _problem(source: str, tree: Node, detail: Any) -> Problem:
    """One of Pydantic's errors, said in the words of the file and placed in it."""
    path, kind = tuple(detail["loc"]), detail["type"]
    if kind == "extra_forbidden":
        inside = [step for step in path[:-1] if isinstance(step, str)]
        model: type[Model] = _MODELS.get(inside[-1] if inside else "", Patient)
        known = model.names()
        advice = did_you_mean(str(path[-1]), known)
        if model is Patient and path[-1] in Person.names():
            advice = f"; '{path[-1]}' belongs under 'patient:'"
        elif model is Person and path[-1] == "note":
            advice = "; a note belongs to a time point, beside 'observations:'"
        elif str(path[-1]).casefold().replace(" ", "_") in observables.aliases():
            advice = f"; '{path[-1]}' is an observable: indent it under 'observations:'"
        message = f"unknown key '{printable(str(path[-1]), 60)}'{advice}"
        return Problem(source, message, *mark_of(tree, path, key=True))
    if kind == "dict_type" and path[-1] == "reported":
        return Problem(source, "write what is reported as {hlh-2004: {verdict: met, count: 5}}", *mark_of(tree, path))
    message = {
        "missing": f"'{path[-1]}' is missing" + (": a patient has at least one time point" if path == ("timepoints",) else ""),
        "too_short": "no time points: a patient has at least one",
        "too_long": f"more than {MAX_TIMEPOINTS} time points, the limit for one file; put curves into series",
        "dict_type": f"expected {MAPPING}",
        "list_type": "expected a list here (lines that start with '- ')",
        "literal_error": f"expected {detail.get('ctx', {}).get('expected', 'another word')} here",
    }.get(kind, detail["msg"])
    return Problem(source, message, *mark_of(tree, path, key=kind == "key"))

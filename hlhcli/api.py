"""Load a patient and check criteria on it: what the command does, as functions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from hlhcli import criteria
from hlhcli.assessment import Assessment, assess
from hlhcli.errors import InputError, Problem, UnknownName, did_you_mean, printable
from hlhcli.patient import Patient
from hlhcli.readers.yaml_json import Document, read
from hlhcli.rules import CriteriaSet, item_id
from hlhcli.snapshot import Snapshot, snapshots
from hlhcli.yamltree import MAX_BYTES


class Result(NamedTuple):
    """All that was found for one input: the assessments of each time point by each set of criteria, and the warnings."""

    document: Document
    assessments: tuple[Assessment, ...]
    warnings: tuple[Problem, ...]

    @property
    def source(self) -> str:
        return self.document.source

    @property
    def patient(self) -> Patient:
        return self.document.patient


def load(path: str | Path) -> Patient:
    """The patient in a YAML or JSON file. Raises InputError with file, line and column of every problem."""
    return load_document(path).patient


def check(patient: Patient, *ids: str) -> list[Assessment]:
    """Every time point of the patient, by each of the criteria (default: hlh-2004). Raises UnknownName for an unknown id."""
    return _assess(snapshots(patient)[0], [criteria.load(name) for name in ids or (criteria.DEFAULT,)])


def load_document(path: str | Path) -> Document:
    """The patient file with the places of its values. Raises InputError, also where it cannot be opened."""
    source = str(path)
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        advice = f"; name its files, such as {source.rstrip('/')}/*.yaml" if Path(source).is_dir() else ""
        raise InputError([Problem(source, f"cannot be read: {(error.strerror or str(error)).lower()}{advice}")]) from None
    return parse_document(content, source)


def parse_document(content: bytes | str, source: str) -> Document:
    """The patient in `content`; what it reports must be items of criteria that exist."""
    document = read(content, source)
    problems = list(_reported_problems(document))
    if problems:
        raise InputError(problems)
    return document


def evaluate_document(document: Document, sets: Iterable[CriteriaSet]) -> Result:
    """Every time point of the document by every set of criteria."""
    ordered, remarks = snapshots(document.patient)
    start = document.where("timepoints")
    warnings = [*document.warnings, *(Problem(document.source, remark, *start) for remark in remarks)]
    assessments = _assess(ordered, list(sets))
    for assessment in assessments:
        for name, message in assessment.cautions:
            problem = Problem(document.source, f"{assessment.timepoint}: {name}: {message}", *_place(document, assessment, name))
            if problem not in warnings:
                warnings.append(problem)
    return Result(document, tuple(assessments), tuple(warnings))


def _assess(ordered: list[Snapshot], sets: list[CriteriaSet]) -> list[Assessment]:
    return [assess(each, snapshot) for each in sets for snapshot in ordered]


def _place(document: Document, assessment: Assessment, name: str) -> tuple[int, int]:
    """Where the file says what a warning is about: the mark of an item, or the value of an observable."""
    path = ("timepoints", assessment.snapshot.place)
    if name.startswith("reported."):
        return document.where(*path, "reported", assessment.criteria.id, name.removeprefix("reported."))
    observation = assessment.snapshot.known.get(name)
    return (observation.position if observation else None) or document.where(*path)


def _reported_problems(document: Document) -> Iterable[Problem]:
    for index, timepoint in enumerate(document.patient.timepoints):
        for name, stated in timepoint.reported.items():
            path = ("timepoints", index, "reported", name)
            try:
                items = [item_id(item) for item in criteria.load(name).items]
            except UnknownName as error:
                yield Problem(document.source, str(error), *document.where(*path, key=True))
                continue
            for mark in stated.marks:
                if mark not in items:
                    message = f"'{printable(mark, 60)}' is no item of {name}{did_you_mean(mark, [*items, 'verdict', 'count'])}"
                    yield Problem(document.source, message, *document.where(*path, mark, key=True))

"""Load a patient and check criteria on it: what the command does, as functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hlhcli import criteria
from hlhcli.assessment import Assessment, assess
from hlhcli.entries import STATE
from hlhcli.errors import InputError, Problem, Suggesting, UnknownName, did_you_mean, printable, why
from hlhcli.patient import Patient
from hlhcli.readers.detect import Form, Source
from hlhcli.readers.yaml_json import Document, read
from hlhcli.reported import misfit
from hlhcli.rules import CriteriaSet, asked_before
from hlhcli.snapshot import Snapshot, snapshots
from hlhcli.yamltree import MAX_BYTES

if TYPE_CHECKING:
    from hlhcli.course import Course
    from hlhcli.deltas import Delta
    from hlhcli.disagreement import Comparison
    from hlhcli.readers.account import Account
    from hlhcli.readers.inputs import Options


_SUGGESTED = 100  # time points among which one of a like name is looked for


class Result(NamedTuple):
    """All that was found for one input: the assessments of each time point by each set of criteria, and the warnings."""

    document: Document
    assessments: tuple[Assessment, ...]
    warnings: tuple[Problem, ...]
    rules: tuple[str, ...] = ()  # for the course, by their ids; none: all that are not kept for request

    @property
    def course(self) -> Course | None:
        """How the disease moved; None where no therapy, curve or state of the disease is stated."""
        if not self._states_a_course:
            return None
        from hlhcli.course import course  # not every file has one, and every start pays for an import

        return course(self.document.patient, self.rules)

    @property
    def moves(self) -> bool:
        """True where there is something to tell over time: a course, or criteria gained and lost between time points."""
        return self._states_a_course or len(self.document.patient.timepoints) > 1

    @property
    def _states_a_course(self) -> bool:
        patient = self.document.patient
        return bool(patient.therapies or patient.series) or any(STATE in each.observations for each in patient.timepoints)

    @property
    def deltas(self) -> list[Delta]:
        """Which criteria were gained and lost between time points, for each set."""
        if len(self.document.patient.timepoints) < 2:
            return []
        from hlhcli.deltas import deltas  # not every file has several time points, and every start pays for an import

        return deltas(self.assessments)

    @property
    def source(self) -> str:
        return self.document.source

    @property
    def comparisons(self) -> list[Comparison]:
        """Where the sets of criteria differ and what to test next, at each time point; empty where there is one set."""
        if len({assessment.criteria.id for assessment in self.assessments}) < 2:
            return []
        from hlhcli.disagreement import compare_sets  # most calls are about one set, and every start pays for an import

        return compare_sets(self.assessments)

    @property
    def patient(self) -> Patient:
        return self.document.patient


def load(path: str | Path) -> Patient:
    """The one patient in a file: YAML or JSON, FHIR, a phenopacket, a table. Raises InputError with the place of every problem."""
    return load_document(path).patient


def load_all(path: str | Path, options: Options | None = None) -> Iterator[Patient]:
    """Every patient in a file or folder of any form that is read. Raises InputError."""
    return (document.patient for document in load_input(path, options).documents)


def check(patient: Patient, *names: str | Path) -> list[Assessment]:
    """Every time point of the patient, by each of the criteria (default: hlh-2004): ids, or paths of criteria files.

    Raises UnknownName for an unknown id, InputError for a file that is wrong.
    """
    library = criteria.Library(files=[name for name in names if isinstance(name, Path)])
    sets = [library.add(name) if isinstance(name, Path) else library.load(name) for name in names or (criteria.DEFAULT,)]
    return _assess(snapshots(patient)[0], sets)


def follow(patient: Patient, *rules: str) -> Course:
    """How the disease moved, by the rules of these ids (default: all but the unverified ones). Raises UnknownName."""
    from hlhcli.course import course

    return course(patient, rules)


def load_document(path: str | Path, library: criteria.Library = criteria.SHIPPED) -> Document:
    """The one patient in a file with the places of its values. Raises InputError."""
    return alone(list(load_input(path, None, library).documents), str(path))


def alone(documents: list[Document], source: str) -> Document:
    """The one patient of an input. Raises InputError where it holds several."""
    if len(documents) != 1:
        raise InputError([Problem(source, f"holds {len(documents)} patients where one is expected; hlhcli convert parts them")])
    return documents[0]


class Loaded(NamedTuple):
    """What an input holds: patients, to be walked through once, and the books about what was read (None for a patient file)."""

    documents: Iterator[Document]
    account: Account | None = None


def load_input(path: str | Path, options: Options | None = None, library: criteria.Library = criteria.SHIPPED) -> Loaded:
    """The patients in a file or folder of any form that is read. Raises InputError, also where it cannot be opened."""
    source = str(path)
    try:
        if Path(path).is_dir():
            return _folder(Path(path), options)
        with Path(path).open("rb") as file:
            return read_input(Source(source, file, Path(path)), options, library)
    except OSError as error:
        raise InputError([Problem(source, f"cannot be read: {why(error)}")]) from None


def read_input(source: Source, options: Options | None = None, library: criteria.Library = criteria.SHIPPED) -> Loaded:
    """The patients in an opened input. Raises InputError."""
    form = source.form()
    chosen = options.form if options and options.form else None
    if (chosen or form) is Form.PATIENT and not (options and options.mapping):
        if options and not options.plan.daily:
            message = (
                "--at, --anchor and --window are for other forms; write 'window: 7 d' or another time point into the patient file"
            )
            raise InputError([Problem(source.name, message)])
        return Loaded(iter([parse_document(source.content(MAX_BYTES), source.name, library)]))
    from hlhcli.readers import inputs  # a patient file needs none of the other readers, and every start pays for an import

    options = options or inputs.Options()
    charts, account = inputs.read(source, form, options)
    return Loaded(inputs.documents(charts, account, options), account)


def _folder(path: Path, options: Options | None) -> Loaded:
    from hlhcli.readers import inputs

    options = options or inputs.Options()
    found = inputs.folder(path, options)
    if found is None:
        advice = f"name its files, such as {str(path).rstrip('/')}/*.yaml"
        raise InputError([Problem(str(path), f"cannot be read: is a directory; {advice}")])
    charts, account = found
    return Loaded(inputs.documents(charts, account, options), account)


def parse_document(content: bytes | str, source: str, library: criteria.Library = criteria.SHIPPED) -> Document:
    """The patient in `content`; what it reports must be items of criteria that exist."""
    with Suggesting():
        document = read(content, source)
        problems = [*_reported_problems(document, library), *_baseline_problems(document)]
    if problems:
        raise InputError(problems)
    return document


def evaluate_document(document: Document, sets: Iterable[CriteriaSet], rules: tuple[str, ...] = ()) -> Result:
    """Every time point of the document by every set of criteria; `rules` for the course, if not all but those on request."""
    ordered, remarks = snapshots(document.patient)
    start = document.where("timepoints")
    warnings = [*document.warnings, *(Problem(document.source, remark, *start) for remark in remarks)]
    sets = list(sets)
    for each in sets:
        if asked := asked_before(each.verdict):
            names = ", ".join(dict.fromkeys(name for _, name in asked))
            message = f"{each.id} asks how it was before ({names}): a time point stands for itself; 'hlhcli cohort' reads such sets"
            warnings.append(Problem(document.source, message, *start))
    assessments = _assess(ordered, sets)
    for assessment in assessments:
        for name, message in assessment.cautions:
            problem = Problem(document.source, f"{assessment.timepoint}: {name}: {message}", *_place(document, assessment, name))
            if problem not in warnings:
                warnings.append(problem)
    return Result(document, tuple(assessments), tuple(warnings), rules)


def _assess(ordered: list[Snapshot], sets: list[CriteriaSet]) -> list[Assessment]:
    return [assess(each, snapshot) for each in sets for snapshot in ordered]


def _place(document: Document, assessment: Assessment, name: str) -> tuple[int, int]:
    """Where the file says what a warning is about: the mark of an item, or the value of an observable."""
    path = ("timepoints", assessment.snapshot.place)
    if name.startswith("reported."):
        return document.where(*path, "reported", assessment.criteria.id, name.removeprefix("reported."))
    observation = assessment.snapshot.known.get(name)
    return (observation.position if observation else None) or document.where(*path)


def _baseline_problems(document: Document) -> Iterable[Problem]:
    names = [timepoint.name for timepoint in document.patient.timepoints]
    named: dict[str, str] = {}
    for index, therapy in enumerate(document.patient.therapies):
        if therapy.line and therapy.baseline and named.setdefault(therapy.line.casefold(), therapy.baseline) != therapy.baseline:
            message = "another drug of this line names another baseline; a line has one"
            yield Problem(document.source, message, *document.where("therapies", index, "baseline"))
        if therapy.baseline is not None and therapy.baseline not in names:
            message = f"'{printable(therapy.baseline, 60)}' is no time point{did_you_mean(therapy.baseline, names[:_SUGGESTED])}"
            yield Problem(document.source, message, *document.where("therapies", index, "baseline"))


def _reported_problems(document: Document, library: criteria.Library) -> Iterable[Problem]:
    for index, timepoint in enumerate(document.patient.timepoints):
        for name, stated in timepoint.reported.items():
            path = ("timepoints", index, "reported", name)
            try:
                found = library.load(name)
            except UnknownName as error:
                yield Problem(document.source, str(error), *document.where(*path, key=True))
                continue
            for key in (*stated.marks, *(key for key in ("count", "score") if getattr(stated, key) is not None)):
                if message := misfit(found, key):
                    yield Problem(document.source, message, *document.where(*path, key, key=True))

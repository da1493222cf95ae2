"""A mapping file: what the columns of a table mean where their names do not say it. Written by people, or begun by a guess.

Annotations are evaluated here as they stand: the models are built from them.
"""

from collections.abc import Mapping as Keyed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic_core import ValidationError

from hlhcli import observables, yamltree
from hlhcli.errors import InputError, Problem, Suggesting, did_you_mean, printable, why
from hlhcli.fields import choice, moment, refuse
from hlhcli.model import After, Before, Model, is_blank
from hlhcli.observations import missing, read
from hlhcli.quantity import BadQuantity, readings
from hlhcli.readers import codes
from hlhcli.yamltree import Node, mark_of, parse

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1250", "cp1251", "cp1252", "iso-8859-1", "iso-8859-2", "iso-8859-15", "latin-1",
             "mac-roman", "shift_jis", "gb18030")  # fmt: skip
ONE = "one"  # `patient: one`: all rows are of one person
_LONGEST = 200  # characters of the name of a time point
DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


def _observable(text: str) -> str:
    try:
        return observables.resolve(text)
    except ValueError as error:
        raise refuse(str(error)) from None


def _delimiter(text: str) -> str:
    found = DELIMITERS.get(text.casefold(), "\t" if text == r"\t" else text)
    if found not in DELIMITERS.values():
        raise refuse("write the delimiter as comma, semicolon, tab or pipe")
    return found


def _encoding(text: str) -> str:
    name = text.strip().casefold().replace("_", "-")
    found = next((known for known in ENCODINGS if known.replace("_", "-") == name), None)
    if found is None:
        raise refuse(f"unknown encoding '{printable(text, 40)}'{did_you_mean(text, ENCODINGS, 20)}")
    return found


def _sexes(choices: dict[str, str]) -> dict[str, str]:
    try:
        return {
            code: choice("sex", "male", "female", "other", "unknown", m="male", f="female")(word) for code, word in choices.items()
        }
    except BadQuantity as error:
        raise refuse(str(error)) from None


def _listed(raw: Any) -> Any:
    """One text stands for a list of one."""
    return [raw] if isinstance(raw, str) else raw


def _drug(text: str) -> str:
    found = codes.drug(text)
    if found is None:
        raise refuse(f"'{printable(text, 40)}' is none of the HLH-directed drugs known here")
    return found


@dataclass(frozen=True, kw_only=True)
class Column(Model):
    """What one column (or one test of a long table) means; without an observable or a drug it is not read."""

    observable: Annotated[str, After(_observable)] = ""
    drug: Annotated[str, After(_drug)] = ""
    unit: str = ""
    reference: str = ""
    assay: str = ""
    choices: dict[str, str] = field(default_factory=dict)  # what a code in the cells stands for
    timepoint: str = ""  # of a column that belongs to one time point (ferritin_day14)
    day: str = ""

    @property
    def says(self) -> bool:
        """False for a column that only stands there to be filled in."""
        return bool(self.observable or self.drug)

    def __post_init__(self) -> None:
        try:
            self._check()
        except BadQuantity as error:
            raise refuse(str(error)) from None

    def _check(self) -> None:
        if self.day and moment(self.day, "point").day is None:
            raise BadQuantity("'day' is one of the course, such as 0 or 14; a date stands in the column of the time")
        if len(self.timepoint) > _LONGEST:
            raise BadQuantity(f"the name of a time point has at most {_LONGEST} characters")
        if self.observable and self.drug:
            raise BadQuantity("write either 'observable' or 'drug', not both")
        family = observables.get(self.observable).family if self.observable else None
        if family is None and (self.unit or self.reference or self.assay):
            raise BadQuantity("a unit, reference or assay belongs to an observable that is measured")
        if family is not None and self.unit:
            family.require(self.unit)
        if self.reference:
            readings(self.reference)
        for word in self.choices.values() if self.observable and family is None else ():
            read(self.observable, word)


def _column(raw: Any) -> Any:
    """`Ferritin: ferritin` is short for {observable: ferritin}; a column with nothing after it is not known."""
    return {} if is_blank(raw) else {"observable": raw} if isinstance(raw, str) else raw


def _columns(raw: Any) -> Any:
    return {key: _column(value) for key, value in raw.items()} if isinstance(raw, Keyed) else raw


def _reasons(raw: Any) -> Any:
    """A list of words says that a value is not known; a mapping says why (`-999: not done`)."""
    raw = _listed(raw)
    return {str(word): "unknown" for word in raw} if isinstance(raw, list) else raw


def _known_reasons(reasons: dict[str, str]) -> dict[str, str]:
    found = {word: missing(reason) for word, reason in reasons.items()}
    if wrong := next((reasons[word] for word, reason in found.items() if reason is None), None):
        raise refuse(f"'{printable(wrong, 40)}' is no reason; write pending, not done, unreadable or unknown")
    return {word: reason.text for word, reason in found.items() if reason}


Texts = Annotated[list[str], Before(_listed)]
Meanings = Annotated[dict[str, Column], Before(_columns)]


@dataclass(kw_only=True)
class Guess:
    """What is told beside a mapping that was guessed."""

    reasons: dict[str, str] = field(default_factory=dict)  # why, of a role that was not known by the name of the column
    said: list[str] = field(default_factory=list)  # lines about the table
    hints: dict[str, str] = field(default_factory=dict)  # what could be written beside a column that is not known


@dataclass(kw_only=True)
class Mapping(Model):
    """The whole file. What names a column is the text of its header; `analytes` and `columns` say what the table does not."""

    layout: Literal["long", "wide"] | None = None  # one row per value, or one column per observable
    sheet: str = ""
    delimiter: Annotated[str, After(_delimiter)] = ""
    encoding: Annotated[str, After(_encoding)] = ""
    decimal: Literal["point", "comma"] | None = None
    dates: Literal["day-first", "month-first"] | None = None
    patient: str = ""
    sex: str = ""
    sexes: Annotated[dict[str, str], After(_sexes)] = field(default_factory=dict)
    birth_date: str = ""
    age: str = ""
    age_unit: str = ""
    time: Texts = field(default_factory=list)  # the first of them that is filled counts
    day: str = ""
    timepoint: str = ""
    missing: Annotated[dict[str, str], Before(_reasons), After(_known_reasons)] = field(default_factory=dict)  # words of no value
    analyte: str = ""
    value: str = ""
    unit: str = ""
    comparator: str = ""
    reference: str = ""
    reference_low: str = ""
    reference_high: str = ""
    specimen: str = ""
    status: str = ""
    note: str = ""
    analytes: Meanings = field(default_factory=dict)
    columns: Meanings = field(default_factory=dict)
    codes: Meanings = field(default_factory=dict)  # of FHIR: `system|code`, or a code of any system that is not known here
    ignore: Texts = field(default_factory=list)
    unchecked: Literal["no"] | None = None  # what a box that is not ticked states
    _source: str = field(default="", init=False, compare=False)
    _tree: Node = field(default="", init=False, compare=False)
    _guess: Guess = field(default_factory=Guess, init=False, compare=False)

    def __post_init__(self) -> None:
        if self.is_long:
            for role in ("analyte", "value"):
                if not getattr(self, role):
                    raise refuse(f"a long table needs '{role}:', the name of a column")
        elif stray := [role for role in LONG if getattr(self, role)]:
            raise refuse(f"'{stray[0]}' belongs to a long table; write 'layout: long', and its 'analyte' and 'value'")
        if self.age_unit:
            try:
                observables.get("age").units.require(self.age_unit)
            except BadQuantity as error:
                raise refuse(str(error)) from None

    @property
    def guess(self) -> Guess:
        """What is told beside the mapping, if it was guessed."""
        return self._guess

    def with_guess(self, guess: Guess) -> Self:
        """The mapping, as one that was guessed."""
        self._guess = guess
        return self

    @property
    def is_long(self) -> bool:
        return self.layout == "long" or (self.layout is None and bool(self.analyte))

    def problem(self, message: str, table: str, *path: str | int, key: bool = False) -> Problem:
        """A problem with what the mapping says at `path`: in its file, or (guessed) in the table that is read."""
        if not self._source:
            return Problem(table, message, 1, 1)
        return Problem(self._source, message, *mark_of(self._tree, path, key))


LONG = (
    "analyte",
    "value",
    "unit",
    "comparator",
    "reference",
    "reference_low",
    "reference_high",
    "specimen",
    "status",
    "note",
    "analytes",
)
ROLES = ("patient", "sex", "birth_date", "age", "day", "timepoint", *LONG[:-1])  # that name one column


def load(path: Path) -> Mapping:
    """The mapping in a file. Raises InputError with every problem found, each with line and column."""
    try:
        with path.open("rb") as file:
            content = file.read(yamltree.MAX_BYTES + 1)
    except OSError as error:
        raise InputError([Problem(printable(str(path)), f"cannot be read: {why(error)}")]) from None
    return read_text(content, str(path))


def read_text(content: bytes | str, source: str) -> Mapping:
    """The mapping in `content`, as `load`."""
    tree = parse(content, source)
    if not isinstance(tree, yamltree.Mapping):
        raise InputError([Problem(source, "expected a mapping: keys such as 'layout:', 'patient:' and 'columns:'", 1, 1)])
    if "timepoints" in tree:
        message = "this is a patient file, not a mapping of columns; read it with hlhcli check"
        raise InputError([Problem(source, message, *tree.start)])
    try:
        mapping = Mapping.validate(tree)
    except ValidationError as error:
        with Suggesting():
            raise InputError(
                _problem(source, tree, each) for each in error.errors(include_url=False, include_input=False)
            ) from None
    mapping._source, mapping._tree = source, tree
    return mapping


def _problem(source: str, tree: Node, detail: Any) -> Problem:
    """One of Pydantic's errors, said in the words of the file and placed in it."""
    path, kind = tuple(detail["loc"]), detail["type"]
    if kind == "extra_forbidden":
        model: type[Model] = Column if len(path) > 1 else Mapping
        message = f"unknown key '{printable(str(path[-1]), 60)}'{did_you_mean(str(path[-1]), model.names())}"
        return Problem(source, message, *mark_of(tree, path, key=True))
    of_column = len(path) == 2 and path[0] in ("analytes", "columns", "codes")
    message = {
        "dict_type": "expected {observable: …, unit: …} here, or the name of an observable"
        if of_column
        else "expected a mapping here (lines such as 'COLUMN: observable')",
        "list_type": "expected a list here, such as [A, B]",
        "string_type": "expected one text here",
        "literal_error": f"expected {detail.get('ctx', {}).get('expected', 'another word')} here",
    }.get(kind, detail["msg"])
    return Problem(source, message, *mark_of(tree, path))

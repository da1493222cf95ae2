"""Exports of REDCap: records and events, raw codes and labels, boxes to tick, and the data dictionary that tells what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Keyed
from pathlib import Path
from typing import NamedTuple

from hlhcli import observables
from hlhcli.errors import InputError, Problem, printable, why
from hlhcli.observations import Finding, read
from hlhcli.quantity import BadQuantity
from hlhcli.readers import codes, delimited
from hlhcli.readers.chart import Place
from hlhcli.readers.dates import Moment
from hlhcli.readers.delimited import Row
from hlhcli.readers.frame import Frame
from hlhcli.readers.headings import MAX_NAME, Heading, heading, key, unit_of
from hlhcli.readers.mapping import ONE
from hlhcli.readers.meanings import Meaning, meaning, united
from hlhcli.readers.wide import IGNORED, NOT_KNOWN, Wide

EVENTS = ("redcap_event_name", "event_name")
IDENTIFIER = "identifier"
NO_QUESTION = "box whose question is not known here"
ELSEWHERE = "field of a section on others or on another time"
_INSTRUMENT = ("redcap_repeat_instrument", "repeat_instrument")
_INSTANCE = ("redcap_repeat_instance", "repeat_instance")
_OTHER = ("redcap_data_access_group", "data_access_group", "redcap_survey_identifier", "survey_identifier", "complete?")
_STATES = frozenset({"", "0", "1", "2", "incomplete", "unverified", "complete"})
_CODE = re.compile(r"-?\w+")
_UNITS = re.compile(r"(?:units?\s*(?:are|is)?\s*[:=]?|in|measured in|\()\s*", re.IGNORECASE)
_MOST_CHOICES = 4  # that are listed in a hint
_SHOWN = 90  # characters of a label and its choices
_MAX_RECORD = 20_000  # rows of one record that are read together
_PROSE = frozenset({"notes", "descriptive", "file", "signature"})  # types of fields that hold no value
BORN = r"birth|born|\bdob\b|\bgeb(?:\b|oren|urt)|naiss|nacim|nascit"  # of a date that is none of a row
_ENDS = re.compile(r"(?:[\s,]*(?:levels?|values?|results?|present)|[\s:?*.])+$", re.IGNORECASE)  # of a label; they change nothing
# A section of a form that speaks of others, or of another time: "Splenomegaly" in it is no finding of the row.
_OTHERS = re.compile(r"famil|relatives?\b|siblings?\b|brothers?\b|sisters?\b|mothers?\b|fathers?\b|parents?\b|donors?\b")
_ELSEWHEN = re.compile(r"\b(?:history|anamnesis|previous|past|prior|indications?|differential|exclu\w+|planned)\b")
_ANSWERS = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}


class Field(NamedTuple):
    """One field of a data dictionary."""

    name: str
    kind: str = ""  # of field: text, radio, checkbox, yesno …
    label: str = ""
    choices: dict[str, str] = {}  # noqa: RUF012 - never changed
    note: str = ""
    validation: str = ""
    is_identifier: bool = False
    form: str = ""
    section: str = ""  # the last header above it in its form

    @property
    def is_date(self) -> bool:
        """True for a date that may be that of the row: not one of birth."""
        about = f"{self.name.replace('_', ' ')} {self.label}".casefold()
        return self.validation.startswith("date") and not self.is_identifier and not re.search(BORN, about)

    def is_elsewhere(self, observable: str) -> bool:
        """True where the section (or the form) says that the observable is of others, or of another time."""
        about = f"{self.form.replace('_', ' ')} {self.section}".casefold()
        if _OTHERS.search(about):
            return observable != "family_history"
        return _ELSEWHEN.search(self.section.casefold()) is not None and observable not in codes.lasting()

    @property
    def observable(self) -> str:
        """What the field is of, if its label is understood as a whole (where it has none: its name)."""
        of, label = heading(self.name).observable, self.heading.observable
        return "" if (self.label and not label) or (of and label and of != label) else label or of

    @property
    def heading(self) -> Heading:
        """What the label says."""
        return heading(_ENDS.sub("", self.label) if len(self.label) <= MAX_NAME else self.label)


def is_redcap(header: Sequence[str], samples: Sequence[Row]) -> bool:
    """True where the header is one of REDCap's."""
    names = [key(name) for name in header]
    if any(name in (EVENTS[0], _INSTRUMENT[0], _INSTANCE[0]) for name in names) or {EVENTS[1], _INSTRUMENT[1]} <= {*names}:
        return True
    if any(_box(name) or _labelled(name) for name in header):
        return True
    states = [number for number, name in enumerate(names) if name.endswith("_complete") or name == "complete?"]
    return bool(states) and all(row.cells[number].casefold() in _STATES for row in samples for number in states)


def _box(name: str) -> tuple[str, str] | None:
    """The field and the code of a box to tick, such as `site___1`. A pattern would take the square of a long name's length."""
    field, _, code = name.rpartition("___")
    return (field, code) if field and _CODE.fullmatch(code) else None


def _labelled(name: str) -> tuple[str, str] | None:
    """The label and the choice of a box to tick, such as `Site (choice=Marrow)`."""
    label, _, choice = name.partition("(choice=")
    return (label.rstrip(), choice[:-1]) if label.strip() and len(choice) > 1 and choice.endswith(")") else None


def dictionary(path: Path) -> dict[str, Field]:
    """The fields of a data dictionary (CSV as downloaded, or metadata of the API) by name. Raises InputError."""
    source = str(path)
    try:
        with path.open("rb") as stream:
            table = delimited.read(stream, source)
            names = [re.sub("[^a-z]+", "_", name.casefold()).strip("_") for name in table.header]
            found = [next((n for n, name in enumerate(names) if any(map(name.endswith, ends))), None) for ends in _COLUMNS]
            if found[0] is None or found[1] is None:
                message = "this is no data dictionary of REDCap: its columns begin with Variable / Field Name, Form Name"
                raise InputError([Problem(source, message, table.header_line, 1)])
            fields = [_field(*("" if n is None else row.cells[n] for n in found)) for row in table]
    except OSError as error:
        raise InputError([Problem(printable(source), f"cannot be read: {why(error)}")]) from None
    named: dict[str, Field] = {}
    last = Field("")
    for field in fields:
        section = field.section or (last.section if last.form == field.form else "")
        last = field._replace(section=section)
        if field.name:
            named[field.name] = last
    return named


# What the names of the columns end with, in the order of `_field`.
_COLUMNS = (
    ("variable_field_name", "field_name"),
    ("field_type",),
    ("field_label",),
    ("choices_calculations_or_slider_labels", "select_choices_or_calculations"),
    ("field_note",),
    ("text_validation_type_or_show_slider_number",),
    ("identifier",),
    ("form_name",),
    ("section_header",),
)


def _field(
    name: str, kind: str, label: str, choices: str, note: str, validation: str, identifier: str, form: str, section: str
) -> Field:
    kind = kind.casefold()
    listed = _ANSWERS.get(kind) or (_choices(choices) if kind in ("radio", "dropdown", "checkbox") else {})
    return Field(
        name.casefold(),
        kind,
        _plain(label),
        listed,
        _plain(note),
        validation.casefold(),
        identifier.casefold() in ("y", "yes", "1"),
        form,
        _plain(section),
    )


def _choices(text: str) -> dict[str, str]:
    """`1, Marrow | 2, Spleen` by code."""
    pairs = (part.partition(",") for part in text.split("|"))
    return {code.strip().casefold(): _plain(label) for code, comma, label in pairs if comma and code.strip()}


def _plain(text: str) -> str:
    return " ".join(re.sub(r"<[^<>]{0,200}>", " ", text).split())


class Records(Wide):
    """An export: the rows of a record belong together, and those of one event are one time point."""

    def __init__(self, frame: Frame, fields: dict[str, Field]) -> None:
        self.fields = fields
        names = [key(name) for name in frame.header]
        self._forms = {name.removesuffix("_complete") for name in names if name.endswith("_complete")}
        self._event = frame.roles.get("timepoint", _first(names, EVENTS))
        self._instrument, self._instance = _first(names, _INSTRUMENT), _first(names, _INSTANCE)
        if frame.mapping.patient.casefold() != ONE:
            frame.roles.setdefault("patient", 0)
        sex = fields.get(frame.header[frame.roles["sex"]].casefold()) if "sex" in frame.roles else None
        frame.sexes = (sex.choices if sex else {}) | frame.sexes
        self._dates = [
            number
            for number, name in enumerate(frame.header)
            if (field := fields.get(name.casefold())) and field.is_date and number not in {*frame.roles.values(), *frame.times}
        ]
        super().__init__(frame)
        self._leave_doubles()

    def _leave_doubles(self) -> None:
        """Fields of one form with one label (ferritin at admission, on day 14) are of different times: a mapping says of which."""
        alike: dict[tuple[str, str, str, str], list[int]] = {}
        for number, of in self.meanings.items():
            field = self.fields.get(self.frame.header[number].casefold())
            if field is not None and of.observable and number not in self.boxes and number not in self.frame.columns:
                alike.setdefault((field.form, of.observable, of.timepoint, of.day), []).append(number)
        for number in (number for same in alike.values() if len(same) > 1 for number in same):
            del self.meanings[number]
            self.left[number] = "several fields of one label: a mapping must say of which time each is", self.frame.header[number]

    def place(self, number: int, name: str) -> None:
        """What the column means: as the mapping says, as its name or its label says, as its choices say."""
        plain = key(name)
        form = next((plain.removesuffix(end) for end in ("_complete", "_timestamp") if plain.endswith(end)), None)
        field = self.fields.get(name.casefold())
        if plain in (*EVENTS, *_INSTRUMENT, *_INSTANCE, *_OTHER) or (field is None and form in self._forms):
            self.structure.add(number)
        elif number in self.frame.ignored:
            self.left[number] = IGNORED, name
        elif field is not None and field.is_identifier and number not in self.frame.columns:
            self.left[number] = IDENTIFIER, "columns that the dictionary marks"
        elif (box := self._split(name)) is not None:
            self._box_of(number, name, *box)
        else:
            self._field(number, name, field)

    def _split(self, name: str) -> tuple[str, Field, str] | None:
        """The name, the field, and the label of the choice (may be empty), if the column is a box to tick."""
        if labelled := _labelled(name):
            label, choice = labelled
            return label, Field(label, "checkbox", label), choice
        if not (box := _box(name)):
            return None
        plain, ticked = box
        field = self.fields.get(plain.casefold(), Field(plain, "checkbox"))
        labels = {re.sub(r"\W", "_", code): label for code, label in field.choices.items()}
        return plain, field, labels.get(ticked.casefold(), "")

    def _box_of(self, number: int, name: str, plain: str, field: Field, label: str) -> None:
        """What a tick states: what the mapping says, or the choice as a value of the field.

        A choice is none of a field whose question is not known: "Biopsy taken from: Spleen" is no finding.
        """
        column = self.frame.columns.get(number)
        if column is not None:
            of = meaning(name, column)
            self.meanings[number] = of._replace(choices={})
            self.boxes[number] = of.choices.get("1", of.choices.get("checked", "yes"))
            return
        observable = field.observable
        self.unasked.add(number)
        if not label:
            self.left[number] = "box whose choice is not known: use the data dictionary", name
        elif not observable or field.is_elsewhere(observable):
            shown = f"{plain} ({field.label})" if field.label not in ("", plain) else plain
            self.left[number] = ELSEWHERE if observable else NO_QUESTION, shown
        elif _fits(observable, label):
            self.meanings[number], self.boxes[number] = Meaning(observable), label
        else:
            self.left[number] = NOT_KNOWN, name

    def _field(self, number: int, name: str, field: Field | None) -> None:
        column = self.frame.columns.get(number)
        of = meaning(name, column)
        if field is not None:
            of = self._described(of, field) if column is None else of
            if field.choices and not (column and column.choices):
                of = of._replace(choices=field.choices, coded=True)
        if of.known and field is not None and column is None and field.is_elsewhere(of.observable):
            self.left[number] = ELSEWHERE, name
        elif of.known:
            self.meanings[number] = of
        else:
            self.left[number] = NOT_KNOWN, name

    def _described(self, of: Meaning, field: Field) -> Meaning:
        """With what the label and the note of the field add."""
        label, observable = field.heading, field.observable
        family = observables.get(observable).family if observable else None
        is_value = field.kind not in _PROSE and (family is None or field.kind not in (*_ANSWERS, "checkbox"))
        if not observable or not is_value or of.drug:
            return Meaning()
        of = of._replace(observable=observable)
        note = unit_of(observable, _UNITS.sub("", field.note, count=1).strip(" .)"))
        for stated in (label.unit, note):
            unit = united(of, stated) if family is not None else ""
            of = of._replace(disputed=True) if unit is None else of._replace(unit=unit)
        return of

    def hint(self, name: str) -> str:
        """What a mapping could say of a column that is not known; its label and its choices are told."""
        box = self._split(name)
        plain, field, label = box or (name, self.fields.get(name.casefold(), Field(name)), "")
        codes = ["1"] if box else [*field.choices][:_MOST_CHOICES]
        about = "; ".join(filter(None, (field.label if field.label != plain else "", label, _listed(field.choices) * (not box))))
        stated = f" ({about[:_SHOWN]})" * bool(about)
        about_sites = "phagocyt" in f"{plain} {field.label}".casefold()
        observable, answer = ("hemophagocytosis", "spleen") if about_sites else ("…", "yes" if box else "…")
        if not codes:
            return f"not known{stated}: write an observable (such as ferritin)"
        return f"not known{stated}: write {{observable: {observable}, choices: {{{_pairs(codes, answer)}}}}}"

    def read(self, rows: Iterator[Row]) -> None:
        """All rows, record by record."""
        together: list[Row] = []
        for row in rows:
            if together and (self.frame.person(row) != self.frame.person(together[0]) or len(together) >= _MAX_RECORD):
                self._record(together)
                together = []
            together.append(row)
        self._record(together)
        self.close()

    def _record(self, rows: list[Row]) -> None:
        """An event has the date of its own row; a repeated form with a date is a time point of its own."""
        moments = [self._moment(row) for row in rows]
        dated: dict[str, Moment] = {}
        for row, when in zip(rows, moments, strict=True):
            if isinstance(when, Moment) and (when.date or when.day) and not self._repeated(row):
                dated.setdefault(self._name(row), when)
        for row, when in zip(rows, moments, strict=True):
            name, of_event = self._name(row), dated.get(self._name(row), Moment())
            if isinstance(when, str):
                self.cells(row, when, name)
            elif not (when.date or when.day):
                if not (of_event.date or of_event.day):
                    self._undated(row)
                self.cells(row, of_event, name)
            else:
                apart = self._repeated(row) and (when.date, when.day) != (of_event.date, of_event.day)
                self.cells(row, when, "" if apart else name)

    def _undated(self, row: Row) -> None:
        """A row without a time, beside which a date stands that may be it."""
        if names := [self.frame.header[number] for number in self._dates if row.cells[number]]:
            told = f"{', '.join(names)}; write time: [{', '.join(names)}]"
            self.account.remark("no date of the row is used, and a field looks like one", told, Place(row.line))

    def _moment(self, row: Row) -> Moment | str:
        when = self.frame.moment(row)
        return Moment() if when == "no date" else when

    def _repeated(self, row: Row) -> bool:
        return self._instrument is not None and bool(row.cells[self._instrument])

    def _name(self, row: Row) -> str:
        """The name of the event; a repeated event has a number."""
        event = "" if self._event is None else row.cells[self._event]
        instance = "" if self._instance is None or self._repeated(row) else row.cells[self._instance]
        return f"{event} {instance}".strip()


def _first(names: list[str], known: tuple[str, ...]) -> int | None:
    return next((number for number, name in enumerate(names) if name in known), None)


def _listed(choices: Keyed[str, str]) -> str:
    return ", ".join(f"{code} = {label}" for code, label in choices.items())


def _pairs(codes: Sequence[str], word: str) -> str:
    return ", ".join(f'"{code}": {word}' for code in codes)


def _fits(observable: str, word: str) -> bool:
    """True where the word is an answer of the finding."""
    if not word or observables.get(observable).family is not None:
        return False
    try:
        return isinstance(read(observable, word), Finding)
    except BadQuantity:
        return False

"""OMOP CDM as CSV: measurements and conditions, their codes through CONCEPT, and the persons."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from hlhcli import observables
from hlhcli.errors import InputError, Problem, printable, why
from hlhcli.observations import Missing, missing
from hlhcli.quantity import BadQuantity, readings
from hlhcli.readers import codes, dates, delimited
from hlhcli.readers.account import Account
from hlhcli.readers.chart import Chart, Charts, Fact, Place, Remark
from hlhcli.readers.delimited import Row
from hlhcli.readers.meanings import UNKNOWN, Meaning, Said, bounds, compared, united, values
from hlhcli.readers.said import SPOILED

MEASUREMENT, CONDITION, PERSON, CONCEPT = "MEASUREMENT", "CONDITION_OCCURRENCE", "PERSON", "CONCEPT"
_READ = (MEASUREMENT, CONDITION)
_SUFFIXES = ("", ".csv", ".tsv", ".txt")
_NULL = ("", "null", r"\n", "nan", "none", "na")
_SEXES = {"8507": "male", "8532": "female"}
_FINDINGS = ("snomed", "icd10", "hpo")
# Statuses of a condition that say when or how firmly it was diagnosed (vocabulary Condition Status): admission, confirmed,
# discharge, primary (admission, discharge), secondary. Preliminary (32899) and resolved (32906) are none of the day.
_ADMISSION = "32890"
STATUSES = frozenset({"", _ADMISSION, "32893", "32896", "32901", "32902", "32903", "32908"})
DENIED = re.compile(r"rule(?:d)?[ _-]?out|refut|exclu|not confirmed|unconfirmed|misdiagnos|in[ _-]error")

# Columns by which a table is known, wherever they stand in its header.
_TABLES = {
    MEASUREMENT: ("person_id", "measurement_concept_id"),
    CONDITION: ("person_id", "condition_concept_id"),
    PERSON: ("person_id", "year_of_birth"),
    CONCEPT: ("concept_id", "concept_code", "vocabulary_id"),
    "DRUG_EXPOSURE": ("person_id", "drug_concept_id"),
    "PROCEDURE_OCCURRENCE": ("person_id", "procedure_concept_id"),
    "DEVICE_EXPOSURE": ("person_id", "device_concept_id"),
    "OBSERVATION": ("person_id", "observation_concept_id"),
    "OBSERVATION_PERIOD": ("person_id", "observation_period_id"),
    "VISIT_OCCURRENCE": ("person_id", "visit_concept_id"),
    "VISIT_DETAIL": ("person_id", "visit_detail_concept_id"),
    "SPECIMEN": ("person_id", "specimen_concept_id"),
    "NOTE": ("person_id", "note_type_concept_id"),
    "DEATH": ("person_id", "death_date"),
    "EPISODE": ("person_id", "episode_concept_id"),
    "CDM_SOURCE": ("cdm_source_name",),
    "CONCEPT_RELATIONSHIP": ("concept_id_1", "relationship_id"),
    "CONCEPT_ANCESTOR": ("ancestor_concept_id",),
    "CONCEPT_SYNONYM": ("concept_id", "concept_synonym_name"),
    "VOCABULARY": ("vocabulary_id", "vocabulary_concept_id"),
    "LOCATION": ("location_id", "state"),
    "CARE_SITE": ("care_site_id", "care_site_name"),
    "PROVIDER": ("provider_id", "provider_name"),
}


def is_omop(header: Sequence[str]) -> str | None:
    """Which table of OMOP has such a header; None if none."""
    names = {name.strip().casefold() for name in header}
    return next((table for table, known in _TABLES.items() if names.issuperset(known)), None)


class _Concept(NamedTuple):
    vocabulary: str
    code: str
    name: str

    @property
    def shown(self) -> str:
        return f"{self.vocabulary} {self.code}" + (f" ({self.name})" if self.name else "")


class _Line(NamedTuple):
    """A row by the names of its columns."""

    number: int
    columns: dict[str, int]
    cells: list[str]

    def get(self, name: str) -> str:
        """The text of a column; empty where it is NULL or there is no such column."""
        number = self.columns.get(name)
        text = "" if number is None else self.cells[number]
        return "" if text.casefold() in _NULL else text

    def id(self, name: str) -> str:
        """A concept's id; empty for 0, which is none."""
        text = re.sub(r"\.0+$", "", self.get(name))
        return "" if text == "0" else text


def read(path: Path, source: str, account: Account) -> Charts:
    """The charts of all persons with measurements or conditions. `path` is the folder of the CDM, or one of these tables in it."""
    files = _files(path, source)
    charts = Charts()
    concepts = _concepts(files[CONCEPT], _wanted(files))
    if MEASUREMENT in files:
        _Measurements(account, charts, concepts, path.is_dir()).read(files[MEASUREMENT])
    if CONDITION in files:
        _Conditions(account, charts, concepts, path.is_dir()).read(files[CONDITION])
    if PERSON in files:
        _describe(files[PERSON], charts, account, files[PERSON].name if path.is_dir() else "")
    else:
        account.remark("no table PERSON beside it", "age and sex are not stated", Place())
    return charts


def _files(path: Path, source: str) -> dict[str, Path]:
    """The tables that are needed, in any spelling of their names. Raises InputError where one is not there."""
    try:
        folder = path if path.is_dir() else path.parent
        found = {
            each.stem.upper(): each for each in sorted(folder.iterdir()) if each.suffix.lower() in _SUFFIXES and each.is_file()
        }
        found = {name: each for name, each in found.items() if name in (*_READ, PERSON, CONCEPT)}
        if not path.is_dir():
            found = {name: each for name, each in found.items() if name not in _READ} | {_single(path, source): path}
    except OSError as error:
        raise InputError([Problem(source, f"cannot be read: {why(error)}")]) from None
    if found.keys().isdisjoint(_READ):
        raise InputError([Problem(source, "no table MEASUREMENT or CONDITION_OCCURRENCE of OMOP (CSV) is in this folder")])
    if CONCEPT not in found:
        message = "CONCEPT.csv is needed beside it: it tells which laboratory code and which unit each number of OMOP stands for"
        raise InputError([Problem(source, message)])
    return found


def _single(path: Path, source: str) -> str:
    """The table that a file is, if it is one that can be given by itself."""
    with path.open("rb") as stream:
        name = is_omop(delimited.read(stream, str(path)).header)
    if name not in _READ:
        what = f"this is the table {name} of OMOP" if name else "this is none of the tables of OMOP"
        advice = "give the folder, or MEASUREMENT.csv or CONDITION_OCCURRENCE.csv with CONCEPT.csv and PERSON.csv beside it"
        raise InputError([Problem(source, f"{what}, which holds no values that are read here; {advice}", 1, 1)])
    return name


def _lines(path: Path, account: Account | None = None, file: str = "") -> Iterator[_Line]:
    """The rows of a table. With an account, those with too many cells are left: their values may stand in the wrong column."""
    try:
        with path.open("rb") as stream:
            table = delimited.read(stream, printable(str(path)))
            columns = {name.casefold(): number for number, name in enumerate(table.header)}
            for row in table:
                if account is not None:
                    account.read += 1
                    if _is_shifted(row):
                        account.leave("row with another number of cells than the header", "", Place(row.line, file=file))
                        continue
                yield _Line(row.line, columns, row.cells)
    except OSError as error:
        raise InputError([Problem(printable(str(path)), f"cannot be read: {why(error)}")]) from None


def _is_shifted(row: Row) -> bool:
    return bool(row.surplus) or row.missing > 0


_COLUMNS = {
    MEASUREMENT: ("measurement_concept_id", "measurement_source_concept_id", "unit_concept_id", "value_as_concept_id"),
    CONDITION: ("condition_concept_id", "condition_source_concept_id", "condition_status_concept_id"),
}


def _wanted(files: dict[str, Path]) -> set[str]:
    """The concepts that the tables speak of: CONCEPT itself can hold millions."""
    return {line.id(name) for table in _READ if table in files for line in _lines(files[table]) for name in _COLUMNS[table]} - {""}


def _concepts(path: Path, wanted: set[str]) -> dict[str, _Concept]:
    lines = ((line.id("concept_id"), line) for line in _lines(path))
    return {
        number: _Concept(line.get("vocabulary_id"), line.get("concept_code"), line.get("concept_name"))
        for number, line in lines
        if number in wanted
    }


class _Reader(ABC):
    """What both tables share: concepts, charts, books."""

    table = ""
    prefix = ""

    def __init__(self, account: Account, charts: Charts, concepts: dict[str, _Concept], in_folder: bool) -> None:
        self.account = account
        self.in_folder = in_folder
        self.charts = charts
        self.concepts = concepts

    def read(self, path: Path) -> None:
        """All rows, one entry each."""
        file = path.name if self.in_folder else ""
        for line in _lines(path, self.account, file):
            self.one(line, Place(line.number, 1, f"{self.table} row {line.number}", file))

    @abstractmethod
    def one(self, line: _Line, place: Place) -> None:
        """One row."""

    def coded(self, line: _Line) -> list[_Concept]:
        """What the row is of: the concept, and the one of the source's own code."""
        ids = [line.id(f"{self.prefix}_concept_id"), line.id(f"{self.prefix}_source_concept_id")]
        return [self.concepts[number] for number in dict.fromkeys(ids) if number in self.concepts]

    def not_known(self, line: _Line, found: list[_Concept], place: Place) -> None:
        number = line.id(f"{self.prefix}_concept_id")
        if found:
            self.account.leave("code not known here", found[0].shown, place)
        elif number:
            self.account.leave("concept that is not in CONCEPT", _digits(number), place)
        else:
            self.account.leave("no concept (0)", f"{self.prefix}_concept_id", place)

    def chart(self, line: _Line, place: Place) -> Chart | None:
        """The chart of the person; None (and the row is left) where no person is stated."""
        person = re.sub(r"\.0+$", "", line.get("person_id"))
        if not person:
            self.account.leave("no patient", "person_id", place)
            return None
        chart = self.charts.of(person)
        if not chart.person.place.label:
            chart.person.place = place
        return chart

    def moment(self, line: _Line, name: str, place: Place) -> dates.Moment | None:
        """The date, and the time of day if it is not midnight; None (and the row is left) where there is none."""
        written, exact = line.get(f"{name}_date"), line.get(f"{name}_datetime")
        try:
            found = dates.read(written or exact)
            if exact and not re.search(r"[ T]00:00(?::00(?:\.0+)?)?\b", exact):
                found = found._replace(time=dates.read(exact).time)
        except dates.BadDate as error:
            self.account.leave(str(error) if written or exact else "no date", f"{name}_date", place)
            return None
        if not found.date:
            self.account.leave("no date", f"{name}_date", place)
            return None
        return found


class _Measurements(_Reader):
    table, prefix = MEASUREMENT, "measurement"

    def one(self, line: _Line, place: Place) -> None:
        """A measurement: code, comparator, number, unit and range, each in a column of its own."""
        found = self.coded(line)
        known = next((named for each in found if each.vocabulary == "LOINC" and (named := codes.loinc(each.code))), None)
        if known is None:
            self.not_known(line, found, place)
            return
        name, kind = known
        operator = line.id("operator_concept_id")
        comparator = codes.operator(operator) if operator else ""
        of = self._with_unit(
            line, Meaning(name, kind=kind, reference=bounds(line.get("range_low"), line.get("range_high"), "point"))
        )
        said = self._said(line, of, comparator or "", place)
        if said and comparator is None:
            note = f"{said[0].value}, with an operator that is not known here ({_digits(operator)})"
            said = [Said(UNKNOWN, note=note, doubt="operator not known here")]
        if not said:
            self.account.leave("no value", name, place)
            return
        when = self.moment(line, "measurement", place)
        chart = self.chart(line, place) if when else None
        if when is None or chart is None:
            return
        self.account.read += len(said) - 1
        for each in said:
            if each.doubt:
                self.account.remark(each.doubt, name, place)
            chart.facts.add(
                Fact(name, each.value, each.unit, each.reference, note=each.note, date=when.date, time=when.time, place=place)
            )

    def _with_unit(self, line: _Line, of: Meaning) -> Meaning:
        """The unit of the concept, else of the source; where both are known and differ, neither counts."""
        family = observables.get(of.observable).family
        number, source = line.id("unit_concept_id"), line.get("unit_source_value")
        concept = self.concepts.get(number)
        unit = codes.unit_concept(number) or (concept.code if concept and concept.vocabulary == "UCUM" else "")
        if unit and source and family is not None and family.find(source) is not None:
            both = united(of._replace(unit=unit), source)
            return of._replace(disputed=True) if both is None else of._replace(unit=both)
        return of._replace(unit=unit or source)

    def _said(self, line: _Line, of: Meaning, comparator: str, place: Place) -> list[Said]:
        number, source = line.get("value_as_number"), line.get("value_source_value")
        is_word = bool(source) and not any(map(str.isdigit, source))
        if number and is_word and (_ZERO.fullmatch(number) or missing(source) == Missing(SPOILED)):
            return values(source, of, "point")  # CANCELED: the zero stands for no value; hemolyzed: no number counts
        if number:
            text = compared(comparator, number)
            if not comparator and (whole := _compared_source(number, source)):
                self.account.remark("comparator that only value_source_value holds", of.observable, place)
                text = whole
            return values(text, of, "point")
        concept = self.concepts.get(line.id("value_as_concept_id"))
        answer = (codes.answer(codes.system(concept.vocabulary) or "", concept.code) or concept.name) if concept else ""
        tried = [values(compared(comparator, text) or text, of, "point") for text in (source, answer) if text]
        return next((said for said in tried if not any(each.doubt for each in said)), tried[0] if tried else [])


_ZERO = re.compile(r"[+-]?0*(?:\.0*)?(?:e[+-]?\d+)?", re.IGNORECASE)


def _compared_source(number: str, source: str) -> str:
    """`<5` where the table holds 5 and its source the comparator too; empty where the source says the same, or something else."""
    try:
        whole, bare = readings(source)[0], readings(number)[0]
    except BadQuantity:
        return ""
    ends = (whole.interval.lo, whole.interval.hi)
    return whole.text if whole.text[:1] in ("<", ">") and bare.interval.is_point and bare.interval.lo in ends else ""


class _Conditions(_Reader):
    table, prefix = CONDITION, "condition"

    def one(self, line: _Line, place: Place) -> None:
        """A condition: findings that its code states, or a diagnosis for the notes."""
        coded = self.coded(line)
        systems = [(system, each.code) for each in coded if (system := codes.system(each.vocabulary))]
        found = next((found for system, code in systems if system in _FINDINGS and (found := codes.findings(system, code))), [])
        title = next((title for system, code in systems if (title := codes.diagnosis(system, code))), None)
        if not found and title is None:
            self.not_known(line, coded, place)
            return
        status = line.id("condition_status_concept_id")
        if status not in STATUSES:
            concept = self.concepts.get(status)
            self.account.leave("status of the condition", concept.shown if concept else _digits(status), place)
            return
        if status == _ADMISSION:
            self.account.remark(
                "diagnosis of the admission, which may be one that was suspected", "condition_status_concept_id", place
            )
        if DENIED.search(line.get("stop_reason").casefold()):
            self.account.leave("stop_reason that denies the condition", "stop_reason", place)
            return
        when = self.moment(line, "condition_start", place)
        chart = self.chart(line, place) if when else None
        if when is None or chart is None:
            return
        if title is not None:
            chart.remarks.append(Remark(f"diagnosis on record: {title}", when.date, place=place))
            self.account.read += len(found)
        else:
            self.account.read += len(found) - 1
        for name, value in found:
            fact = Fact(name, value, date=when.date, until=self._until(line, when.date, place), time=when.time, place=place)
            if name in codes.lasting() and not fact.until:
                chart.always.append(fact)
            else:
                chart.facts.add(fact)

    def _until(self, line: _Line, start: str, place: Place) -> str:
        """The last date; empty where none is stated, or it cannot be."""
        written = line.get("condition_end_date") or line.get("condition_end_datetime")
        try:
            end = dates.read(written).date if written else ""
        except dates.BadDate:
            end = ""
        if written and end < start:
            self.account.remark("end of a condition that cannot be", "condition_end_date", place)
            return ""
        return end


def _describe(path: Path, charts: Charts, account: Account, file: str) -> None:
    """Sex and date of birth of the persons who have values."""
    known = {chart.person.id: chart.person for chart in charts}
    for line in _lines(path):
        person = known.get(re.sub(r"\.0+$", "", line.get("person_id")))
        if person is None:
            continue
        person.sex = _SEXES.get(line.id("gender_concept_id"), "")
        parts = [re.sub(r"\.0+$", "", line.get(f"{part}_of_birth")) for part in ("year", "month", "day")]
        written = line.get("birth_datetime") or "-".join(parts)
        place = Place(line.number, file=file)
        try:
            person.birth_date = dates.read(written).date
        except dates.BadDate:
            account.remark("date of birth that is not complete", PERSON, place)
        if person.birth_date.endswith("-01") and (person.birth_date.endswith("-01-01") or not all(parts)):
            account.remark("a birth on the first of a month: may stand for the month, or the year, alone", PERSON, place)


def _digits(text: str) -> str:
    """An id as it may be shown: only if it is a number."""
    return text if text.isdigit() and len(text) <= 12 else "not a number"

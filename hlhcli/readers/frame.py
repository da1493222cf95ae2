"""Where a table says who and when: the columns that a mapping names, the person and the moment of each row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from hlhcli import observables
from hlhcli.age import in_days, read_age
from hlhcli.errors import InputError, Problem, did_you_mean, printable
from hlhcli.observations import missing
from hlhcli.quantity import BadQuantity, Decimal, fold
from hlhcli.readers import cells, codes, dates
from hlhcli.readers.account import Account
from hlhcli.readers.chart import Chart, Charts, Fact, Given, Person, Place
from hlhcli.readers.delimited import Row, Table
from hlhcli.readers.mapping import LONG, ONE, ROLES, Mapping
from hlhcli.readers.meanings import UNKNOWN, Meaning, Said, exact, in_doubt, values
from hlhcli.readers.said import DOUBTED, NO_DOSE, NOT_GIVEN
from hlhcli.yamltree import JsonNumber

ANOTHER_DAY = "value of another day in the cell"
SHIFTED = "row with more cells than the header: values may stand in the wrong column"
_SEXES = {
    "male": "male m man boy männlich maennlich mann junge masculin homme garçon hombre masculino maschio maschile mannelijk manlig",
    "female": "female f woman girl w weiblich frau mädchen maedchen féminin feminin femme fille mujer femenino feminino femmina "
    "femminile vrouw vrouwelijk kvinna kvinde kvinne",
    "other": "other divers",
    UNKNOWN: UNKNOWN,
}
SEXES = {word: sex for sex, words in _SEXES.items() for word in words.split()}
_NEVER = -100_000  # the day of what has none
_FEW = 3  # names that are not counted beside
_YES = ("yes", "y", "true", "given", "checked")


class Frame:
    """The columns of one table by the role that the mapping gives them, and what its rows share: person, moment, books."""

    def __init__(self, table: Table, mapping: Mapping, account: Account, samples: Sequence[Row]) -> None:
        self.account = account
        self.mapping = mapping
        self.charts = Charts()
        self.header = table.header
        self.header_line = table.header_line
        self._index = {name: number for number, name in enumerate(table.header)}
        self._folded = {_key(name): number for name, number in reversed(self._index.items())}
        self.sexes = {code.casefold(): sex for code, sex in mapping.sexes.items()}
        self.comments = table.comments
        self.noted: set[tuple[int, int]] = set()  # the cells whose comment became a note
        self.contradicted: set[tuple[str, str]] = set()  # persons, and what is said of them in two ways
        self._ages: dict[str, dict[str, tuple[str, str]]] = {}  # of each person the moments at which it is first and last stated
        self._problems: list[Problem] = []
        self._source = account.source
        self.roles = {role: number for role in ROLES if (number := self._role(role)) is not None}
        self.times = [number for place, name in enumerate(mapping.time) if (number := self._named(name, "time", place)) is not None]
        for name in mapping.columns:
            self._named(name, "columns", name, key=True)
        if self._problems:
            raise InputError(self._problems)
        self.columns = {self._number(name): column for name, column in mapping.columns.items() if column.says}
        self.ignored = {self._number(name) for name in mapping.ignore}
        self._missing = {word.strip().casefold(): reason for word, reason in mapping.missing.items()}
        dated = [*self.times, *(self.roles[role] for role in ("birth_date",) if role in self.roles)]
        self.order: dates.Order | None = mapping.dates or dates.order_of(row.cells[number] for row in samples for number in dated)
        self.decimal: Decimal | None = mapping.decimal

    def _role(self, role: str) -> int | None:
        name: str = getattr(self.mapping, role)
        if role == "unit" and name and self._number(name) is None and _is_unit(name):
            return None  # one unit for all rows
        if role == "patient" and name.casefold() == ONE and self._number(name) is None:
            return None  # all rows are of one person
        return self._named(name, role) if name and (role not in LONG or self.mapping.is_long) else None

    def _named(self, name: str, *path: str | int, key: bool = False) -> int | None:
        """The number of the column with this name."""
        number = self._number(name)
        if number is None:
            message = f"the table has no column '{printable(name, 60)}'{did_you_mean(name, self.header)}"
            self._problems.append(self.mapping.problem(message, self._source, *path, key=key))
        return number

    def _number(self, name: str) -> int | None:
        return self._index.get(name, self._folded.get(_key(name)))

    def unlisted(self) -> str:
        """The columns that have no role, in words; empty where there are none."""
        known = {*self.roles.values(), *self.times, *self.ignored}
        names = [name for number, name in enumerate(self.header) if number not in known]
        return f"{len(names)}: " * (len(names) > _FEW) + ", ".join(names)  # the account shortens it

    def settle_decimal(self, samples: Iterable[str], delimiter: str) -> None:
        """How numbers are written, from the numbers themselves where the mapping does not say."""
        if self.decimal is None:
            texts = (text for text in samples if not isinstance(text, JsonNumber))
            self.decimal, ambiguous = cells.decimal_mark(texts, delimiter)
            if ambiguous:
                taken = (
                    f"read with a decimal {self.decimal}"
                    if self.decimal
                    else "write `decimal: point` or `decimal: comma` in a mapping"
                )
                self.account.remark("numbers such as 1,200 or 9.000 that can be read in two ways", taken, Place(), ambiguous)

    def cell(self, row: Row, role: str) -> str:
        """What stands in the column with this role; empty where there is none, or it says that nothing is known."""
        number = self.roles.get(role)
        text = "" if number is None else row.cells[number]
        return "" if not text or text.casefold() in self._missing or missing(text) is not None else text

    def is_missing(self, text: str) -> bool:
        """True where the text is one of the mapping's words for a value that is not known."""
        return text.casefold() in self._missing

    def person(self, row: Row) -> str | None:
        """Whose row it is; None where the column that should say so is blank."""
        if "patient" not in self.roles:
            return ""
        return str(row.cells[self.roles["patient"]]) or None

    def chart(self, person: str, row: Row, when: dates.Moment) -> Chart:
        """The chart of the row's person, with what the row says of them."""
        chart = self.charts.of(person)
        if not chart.person.place.label:
            chart.person.place = Place(row.line, 1 + self.roles.get("patient", 0), f"row {row.line}")
        if sex := self.cell(row, "sex"):
            word = self.sexes.get(sex.casefold(), sex)
            self._state(chart.person, "sex", SEXES.get(fold(word).casefold(), ""), row)
        if born := self.cell(row, "birth_date"):
            try:
                self._state(chart.person, "birth_date", dates.read(born, self.order).date, row)
            except dates.BadDate:
                self._state(chart.person, "birth_date", "", row)
        if age := self.cell(row, "age"):
            self._grow(chart.person, self.age(age), when, row)
        return chart

    def _grow(self, person: Person, age: str, when: dates.Moment, row: Row) -> None:
        """Keeps what age is stated when: which of them is that of the first time point is known after the last row."""
        if not age:
            self.account.remark("age that is not understood", self.header[self.roles["age"]], self._at(row, "age"))
            return
        known = self._ages.setdefault(person.id, {})
        moment = when.date or when.day
        first, last = known.get(age, (moment, moment))
        known[age] = min(first, moment, key=_order), max(last, moment, key=_order)

    def settle_ages(self) -> None:
        """The age of each person is that of the earliest row; ages that do not grow as time goes by are not known."""
        for person, stated in self._ages.items():
            ages = sorted(stated, key=lambda age: _order(stated[age][0]))
            if all(_grows(one, stated[one][1], two, stated[two][0]) for one, two in pairwise(ages)):
                self.charts.of(person).person.age = ages[0]
            else:
                self.contradicted.add((person, "age"))
                name, place = self.header[self.roles["age"]], self.charts.of(person).person.place
                self.account.remark("ages of one person that contradict one another: none is taken", name, place)
        self._ages.clear()

    def age(self, text: str) -> str:
        """The age as the patient file has it; empty where it is not understood."""
        mark = exact(text, self.decimal)
        for written in (str(text), f"{text} {self.mapping.age_unit}"):
            try:
                read_age(written, mark or "point")
            except BadQuantity:
                continue
            return written.replace(",", ".") if mark == "comma" else written
        return ""

    def _at(self, row: Row, role: str) -> Place:
        return Place(row.line, 1 + self.roles[role])

    def _state(self, person: Person, what: Literal["sex", "birth_date"], value: str, row: Row) -> None:
        """Takes what is said of the person. What is said in two ways is not known."""
        place = self._at(row, what)
        name, known = self.header[self.roles[what]], getattr(person, what)
        if not value:
            self.account.remark(f"{_TITLES[what]} that is not understood{_ADVICE.get(what, '')}", name, place)
        elif (person.id, what) not in self.contradicted and value != known:
            if not known:
                setattr(person, what, value)
                return
            self.account.remark(f"{_TITLES[what]} that differs between the rows of one person", name, place)
            self.contradicted.add((person.id, what))
            setattr(person, what, "")

    def moment(self, row: Row) -> dates.Moment | str:
        """When; or why the row's time cannot be used."""
        filled = dict.fromkeys(
            text for number in self.times if (text := row.cells[number]) and not (missing(text) or self.is_missing(text))
        )
        if len(filled) > 1:
            self.account.remark("row with several dates: the first counts", self.header[self.times[0]], Place(row.line))
        written = next(iter(filled), "")
        day = self.cell(row, "day")
        try:
            found = dates.read(written, self.order) if written else dates.Moment()
            if day:
                found = found._replace(day=dates.read(day).day)
                if not found.day:
                    return "day that cannot be read"
        except dates.BadDate as error:
            return str(error)
        if not (written or day or self.cell(row, "timepoint")) and (self.times or "day" in self.roles):
            return "no date"
        return found

    def take(
        self, text: str, of: Meaning, name: str, when: dates.Moment, timepoint: str, chart: Chart, place: Place, **more: str
    ) -> None:
        """Puts what a cell says into the chart; the cell itself is counted by who calls."""
        day, timepoint = of.day or when.day, of.timepoint or str(timepoint)
        comment = self.comments.get((place.line, place.column), "") if self.comments else ""
        if comment:
            self.noted.add((place.line, place.column))
        comment = "; ".join(filter(None, (more.get("note", ""), comment)))
        doubted = DOUBTED if in_doubt(comment, of) else ""
        if of.drug:
            if doubted:
                self.account.leave(doubted, name, place)
            else:
                self._give(text, of, name, when, day, chart, place)
            return
        reason = self._missing.get(text.casefold())
        said = [Said(reason)] if reason is not None else values(text, of, self.decimal)
        self.account.read += len(said) - 1
        for number, each in enumerate(said):
            if each.doubt:
                self.account.remark(each.doubt, name, place)
            unread = doubted
            if each.moment and each.moment not in (when.date, day):
                if len(said) > 1:
                    unread = doubted or ANOTHER_DAY
                else:
                    self.account.remark("value with a moment of its own in the cell", name, place)
            note = "; ".join(filter(None, (each.note, comment)))
            fact = Fact(
                of.observable,
                each.value,
                each.unit,
                more.get("reference") or each.reference,
                of.assay,
                f"{each.value} {each.unit}".strip() + f" ({note})" * bool(note) if unread else note,
                when.date,
                day,
                timepoint,
                time=when.time,
                place=place._replace(label=f"{place.label}, value {number + 1}") if number else place,
                named="version" in more,
                version=more.get("version", ""),
                unread=unread,
            )
            if of.observable in codes.lasting() and not (when.date or day or timepoint):
                chart.always.append(fact)
            else:
                chart.facts.add(fact)

    def _give(self, text: str, of: Meaning, name: str, when: dates.Moment, day: str, chart: Chart, place: Place) -> None:
        """A treatment: yes (then it began at the row's moment), the date of its begin, or a dose."""
        word = of.choices.get(text.casefold(), text).casefold()
        start = when.date or day
        if word in NOT_GIVEN or missing(word) is not None or self.is_missing(text) or re.fullmatch(NO_DOSE, word):
            self.account.leave("treatment that was not given", name, place)
        elif word in _YES:
            chart.given.append(Given(of.drug, start=start, single=True, place=place))  # then; whether it went on, other rows say
        elif begun := self._begun(word):
            chart.given.append(Given(of.drug, start=begun, place=place))
        elif word[:1].isdigit() and any(character.isalpha() for character in word) and len(word) <= 60:
            chart.given.append(Given(of.drug, dose=word, start=start, place=place))
        else:
            self.account.leave("answer that is not understood", name, place)

    def _begun(self, text: str) -> str:
        try:
            return dates.read(text, self.order).date
        except dates.BadDate:
            return ""


_TITLES = {"sex": "sex", "birth_date": "date of birth"}
_ADVICE = {"sex": '; write in a mapping what the codes mean, such as sexes: {"1": female, "2": male}'}


def _order(moment: str) -> tuple[bool, Fraction]:
    """By which moments are in order: dates, and days of the course; none stands before all."""
    is_date = moment.count("-") == 2
    return is_date, Fraction(date.fromisoformat(moment).toordinal()) if is_date else Fraction(moment or _NEVER)


def _grows(one: str, until: str, two: str, since: str) -> bool:
    """True where the first age can have become the second, from its last moment to the first one of the other."""
    (is_date, start), (other, end) = _order(until), _order(since)
    if not (until and since and is_date == other and start < end):
        return False
    stated = read_age(one), read_age(two)
    younger, older = map(in_days, stated)
    if younger.lo is None or younger.hi is None or older.lo is None or older.hi is None:
        return False
    falls = older.hi < younger.lo or (older.hi_open and older.hi == younger.lo)
    passed, rounding = end - start, max(age.unit.factor for age in stated) / 2
    return not falls and older.hi >= younger.lo + passed - rounding and older.lo <= younger.hi + passed + rounding


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()


def _is_unit(text: str) -> bool:
    """True where some observable is measured in the unit."""
    found = (observables.get(name).family for name in observables.names())
    return any(family is not None and family.find(text) is not None for family in found)

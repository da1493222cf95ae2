"""What codes, units and texts of an input mean: each different one is read once, by the readers of patient files.

The database holds the answers as tables that the rows are joined with. Plain numbers never come here: their unit does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hlhcli import observables
from hlhcli.cohort import scale, values
from hlhcli.cohort.columns import LEVELS
from hlhcli.cohort.layout import OPEN, PENDING, Column, Layout
from hlhcli.cohort.source import ABSENT, ENDED, LEFT, NOT_KNOWN, OF_MEASURED, PRESENT, Form, unit_of
from hlhcli.errors import UnknownName
from hlhcli.observations import PENDING as IS_PENDING
from hlhcli.observations import Finding, Missing, Observed, Qualitative, Quantity, answered, missing, qualitative, quantity, read
from hlhcli.quantity import BadQuantity, NoNumber, readings
from hlhcli.readers import codes
from hlhcli.readers.said import NO_COMPARATOR, unbracketed
from hlhcli.worst import may_be_worse

NAN = frozenset({"nan", "inf", "infinity", "-inf", "-infinity", "+inf", "+infinity"})
NO_VALUE, NO_UNIT, UNKNOWN_UNIT, UNREADABLE, NOT_A_NUMBER = (
    "no value", "no unit", "unknown unit", "value that cannot be read", "NaN or infinity",
)  # fmt: skip
NO_PERSON, NO_TIME = "no person", "no time"
CONTRADICTORY = "codes that contradict one another"


class Target(NamedTuple):
    """An observable that a code is about. `kind`: of its unit, by the code's name; `implied`: the value that it stands for."""

    observable: str
    kind: str = ""
    implied: str | None = None
    denied: str | None = None  # the value where it is absent; None where that says nothing
    wrong: str = ""  # why the code says nothing of it


def targets(code: str) -> list[Target]:
    """The observables that a code of the input, of one or more codings, is about; none for a code that is not known here."""
    known = [found for coding in code.split(" ") if (found := _targets(coding))]
    single = {found[0].observable: found[0] for found in reversed(known) if len(found) == 1}
    if len(single) > 1:
        return [each._replace(wrong=CONTRADICTORY) for each in single.values()]
    return list(single.values()) or (known[0] if known else [])


def _targets(coding: str) -> list[Target]:
    system, bar, rest = coding.partition("|")
    if not bar:
        try:
            return [Target(observables.resolve(coding))]
        except UnknownName:
            system, rest = "loinc", coding
    short = codes.system(system) or ""
    number = rest.partition("|")[0]
    if short == "loinc" and (found := codes.loinc(number)):
        return [Target(*found)]
    if short == "hlhcli" and number in observables.aliases():
        return [Target(observables.resolve(number))]
    whole = codes.is_whole(short, number)
    return [Target(name, "", value, _contrary(name) if whole else None) for name, value in codes.findings(short, number)]


def drug(code: str) -> str | None:
    """The HLH-directed drug that a code of the input names."""
    return next((found for coding in code.split(" ") if (found := codes.drug(coding.replace("|", " ").replace("_", " ")))), None)


def _contrary(name: str) -> str:
    observable = observables.get(name)
    return "normal" if observable.family else observable.negative


class Group(NamedTuple):
    """Rows of one code and unit; `text` is None for plain numbers, of which there may be many."""

    code: str
    unit: str
    text: str | None
    rows: int
    wrong: str = ""  # why none of them can be placed


class Said(NamedTuple):
    """What a text says of an observable, in the columns of the lookup table."""

    observable: str
    worse: int | None = None  # of a quantity its ends in ticks, turned around where lower is worse; of a finding 1 where it is bad
    other: int | None = None
    unit: int = 0
    marks: tuple[str, ...] = ()
    said: int | None = None
    word: int | None = None
    shown: str = ""


class Lookups:
    """The tables, and the books about what was read with them."""

    def __init__(self, layout: Layout, form: Form) -> None:
        self.layout = layout
        self.form = form
        self.units: list[tuple[object, ...]] = []
        self.texts: list[tuple[object, ...]] = []
        self.limits: list[tuple[object, ...]] = []
        self.left: list[tuple[str, str, str | None, str]] = []  # code, unit, text (None: plain numbers), reason
        self.used = 0
        self.reasons: Counter[str] = Counter()
        self.remarks: Counter[str] = Counter()
        self._said: dict[str, list[tuple[str, str, str, Said]]] = {}

    def add(self, groups: Iterable[Group], asked: Mapping[str, list[Target]]) -> None:
        """Rows of codes that are asked for."""
        for group in groups:
            columns = [(target, self.layout.columns.get(target.observable)) for target in asked[group.code]]
            reasons = [self._one(group, target, column) for target, column in columns if column is not None]
            if "" in reasons:
                self.used += group.rows
            else:
                self.reasons[reasons[0]] += group.rows
                self.left.append((group.code, group.unit, group.text, reasons[0]))

    def _one(self, group: Group, target: Target, column: Column) -> str:
        """What one of the observables of the code is said to be; or why the row says nothing of it."""
        if group.wrong or target.wrong:
            return group.wrong or target.wrong
        return self._plain(group, target, column) if group.text is None else self._text(group, target, column)

    def _plain(self, group: Group, target: Target, column: Column) -> str:
        """Plain numbers: of a unit on the scale, or of none that is known; the reason why they are left."""
        if target.implied is not None or not column.is_quantity:
            self._open(group, column)
            return UNREADABLE
        unit, wrong = unit_of(self.form, column.name, group.unit)
        if wrong:
            self._open(group, column)
            return wrong
        unit = codes.qualified(target.kind, column.name, unit)
        family = column.observable.units
        found = family.units.get("1") if not unit else family.find(unit)
        if found is None:
            self._open(group, column)
            return UNKNOWN_UNIT if unit else NO_UNIT
        if unit and codes.contradicts(target.kind, column.name, unit):
            self.remarks["unit that its code contradicts"] += group.rows
        on = scale.unitary(column.name, found)
        marks = (f"group {on.group}",) if column.groups > 1 else ()
        shown = f" {found.name}" if found.name != "1" else ""
        self._unit(group, column, (on.number, on.times, on.plus, on.least, on.most, None, shown), marks)
        return ""

    def _unit(self, group: Group, column: Column, on: tuple[int | str | None, ...], marks: tuple[str, ...]) -> None:
        self.units.append((group.code, group.unit, column.number, column.low, *on, *self._marks(column, marks)))

    def _open(self, group: Group, column: Column) -> None:
        """A value that is not known, so that a worse one than any other may exist."""
        self._unit(group, column, (*(None,) * 5, 0, None), (OPEN,))

    def _marks(self, column: Column, marks: tuple[str, ...]) -> list[int]:
        found = [0] * self.layout.words
        for mark in marks:
            word, bit = self.layout.mark(column.name, mark)
            found[word] |= bit
        return found

    def _text(self, group: Group, target: Target, column: Column) -> str:
        """Any other text; the reason why it is left."""
        said, reason = say(group, target, column, self.form)
        if said is not None:
            self._said.setdefault(column.name, []).append((group.code, group.unit, group.text or "", said))
        return reason

    def finish(self) -> None:
        """The table of texts. Each different one of an observable has a place of its own, in the order of the alphabet."""
        for name, entries in self._said.items():
            column = self.layout.columns[name]
            shown = sorted({said.shown for *_, said in entries if said.shown})
            forms = {text: values.FIRST_TEXT + place for place, text in enumerate(shown)}
            self.texts += [
                (
                    *(code, unit, text, column.number),
                    *(said.worse, said.other, forms.get(said.shown), said.unit, said.shown or None, said.said, said.word),
                    *self._marks(column, said.marks),
                )
                for code, unit, text, said in entries
            ]

    def limit(self, references: Iterable[tuple[str, str, str]], asked: Mapping[str, list[Target]]) -> None:
        """The laboratory's own limits, where a rule asks for them."""
        for code, unit, reference in references:
            for target in asked[code]:
                column = self.layout.columns.get(target.observable)
                if column is not None and column.in_words and column.is_quantity:
                    upper, lower = limits(reference, unit, column)
                    if upper or lower:
                        self.limits.append((code, unit, reference, upper, lower))


def say(group: Group, target: Target, column: Column, form: Form) -> tuple[Said | None, str]:
    """What a text says of an observable, and why the row is left, if it is."""
    first, _, second = (group.text or "").partition("|")
    if second and first[1:] in OF_MEASURED and first[0] in (LEFT, NOT_KNOWN):
        of_blood = codes.specimen(column.name) is not False
        if not column.is_quantity or not (of_blood or first[1:] == NO_COMPARATOR):
            return say(group._replace(text=second), target, column, form)
        second = ""
    said, reason = _say(first, group.unit, target, column, form)
    if reason and second:
        return _say(second, group.unit, target, column, form)
    return said, reason


def _say(stated: str, unit: str, target: Target, column: Column, form: Form) -> tuple[Said | None, str]:
    name = column.name
    opened = Said(name, marks=(OPEN,), said=0)  # something was said that is not known: a worse value may exist
    text = stated.strip()
    if not text:
        return None, NO_VALUE
    if stated[0] == LEFT:
        return None, text[1:].strip()
    if stated[0] == NOT_KNOWN and len(text) > 1:
        return opened, text[1:].strip()
    if text.casefold() in NAN:
        return None, NOT_A_NUMBER
    if target.implied is not None:
        implied, reason = _implied(stated, target, column)
        if implied is None:
            return None, reason
        text = implied
    unit, wrong = unit_of(form, name, unit)
    if wrong:
        return opened, wrong
    try:
        value = _value(text, codes.qualified(target.kind, name, unit), column)
    except NoUnit:
        return opened, NO_UNIT
    except UnknownUnit:
        return opened, UNKNOWN_UNIT
    except BadQuantity:
        return opened, UNREADABLE
    return packed(column, value), ""


def _implied(stated: str, target: Target, column: Column) -> tuple[str | None, str]:
    """What a code stands for by itself, where it is present or absent; or why that says nothing."""
    word, text = stated.casefold(), stated.strip()
    if word == ENDED and column.lasting:
        return None, "over by then"
    answer = {PRESENT: "yes", ENDED: "yes", ABSENT: "no"}.get(word) or answered(text)
    if answer == "yes":
        return target.implied, ""
    if answer == "no":
        return target.denied, "denied, which says nothing of the whole finding"
    return text, ""


class NoUnit(BadQuantity):
    """A number without a unit."""


class UnknownUnit(BadQuantity):
    """A number with a unit that is not known."""


def _value(text: str, unit: str, column: Column) -> Observed:
    if not column.is_quantity:
        return read(column.name, text)
    if found := missing(text) or qualitative(text):
        return found
    observable = column.observable
    if unit and observable.units.find(unit) is None:
        raise UnknownUnit
    try:
        return quantity(observable, text, unit=unit or None)
    except NoNumber:
        raise
    except BadQuantity:
        if not unit and all(not measure.unit for measure in readings(text)):
            raise NoUnit from None
        raise


def packed(column: Column, value: Observed) -> Said:
    """An observed value in the columns of the lookup table."""
    name = column.name
    if isinstance(value, Quantity):
        on = scale.unitary(name, value.unit)
        worse, other = scale.ends(value.interval, on)
        if column.low:
            worse, other = scale.LIMIT - other, scale.LIMIT - worse
        marks: tuple[str, ...] = (f"group {on.group}",) if column.groups > 1 else ()
        return Said(name, worse, other, on.number, marks, shown=value.text)
    if isinstance(value, Finding):
        is_worse = (value.values != {column.observable.negative}) is not (column.observable.decides == column.observable.negative)
        return Said(name, int(is_worse), None, 0, tuple(sorted(value.values)))
    if isinstance(value, Qualitative):
        marks = (OPEN,) if may_be_worse(column.observable, value) else ()
        return Said(name, marks=marks, word=LEVELS.index(value.level) if value.level else None)
    assert isinstance(value, Missing)
    is_pending = value.text == IS_PENDING
    opens = is_pending or value.text == "unknown"
    marks = (*((OPEN,) if opens else ()), *((PENDING,) if is_pending and not column.is_quantity else ()))
    return Said(name, marks=marks, said=int(is_pending))


def limits(reference: str, unit: str, column: Column) -> tuple[int | None, int | None]:
    """The laboratory's upper and lower limit in ticks; None for one that is not stated."""
    found = column.observable.units.find(unit)
    try:
        measures = readings(unbracketed(reference))
    except BadQuantity:
        return None, None
    own = column.observable.units.find(measures[0].unit) if measures[0].unit else found
    if found is None or own is None or not own.convertible(found) or len(measures) > 1:
        return None, None
    interval, on = measures[0].interval, scale.unitary(column.name, own)
    upper = None if interval.hi is None else 2 * int(scale.half_ticks(interval.hi, on))
    lower = None if not interval.lo else 2 * int(scale.half_ticks(interval.lo, on))
    return upper, lower

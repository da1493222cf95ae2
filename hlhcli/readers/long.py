"""Long tables: one row per value, with its test, unit, reference range, specimen and status."""

from __future__ import annotations

from collections.abc import Iterator

from hlhcli import observables
from hlhcli.errors import printable
from hlhcli.observations import PENDING, missing
from hlhcli.readers import codes
from hlhcli.readers.account import Account
from hlhcli.readers.chart import Place
from hlhcli.readers.dates import Moment
from hlhcli.readers.delimited import Row
from hlhcli.readers.frame import SHIFTED, Frame
from hlhcli.readers.meanings import SHOWN, UNKNOWN, Meaning, bounds, compared, meaning, measured, united
from hlhcli.readers.said import NO_COMPARATOR, SPOILED, STATUSES, status

_KEPT = 10_000  # names of tests whose meaning is remembered
_LONGEST = 400  # characters of a comment that is kept


class Long:
    """One row per value."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.account = frame.account
        mapping = frame.mapping
        self._listed = {name.strip().casefold(): column for name, column in mapping.analytes.items()}
        self._meanings: dict[str, Meaning] = {}
        self._fixed = mapping.unit if "unit" not in frame.roles else ""
        self._corrections = Corrections(frame.account)

    def read(self, rows: Iterator[Row]) -> None:
        """All rows, one entry each."""
        if others := self.frame.unlisted():
            self.account.remark("columns not read", others, Place(self.frame.header_line))
        for row in rows:
            self.account.read += 1
            self._row(row)

    def _meaning(self, name: str) -> Meaning:
        known = self._meanings.get(name)
        if known is None:
            column = self._listed.get(name.casefold())
            known = meaning(name, column if column and column.says else None)
            if len(self._meanings) < _KEPT:
                self._meanings[name] = known
        return known

    def _row(self, row: Row) -> None:
        frame, place = self.frame, Place(row.line, 1 + self.frame.roles["value"], f"row {row.line}")
        name = str(row.cells[frame.roles["analyte"]])
        of = self._meaning(name)
        if row.surplus:
            self.account.leave(SHIFTED, "", place)
        elif not name:
            self.account.leave("no test named", frame.header[frame.roles["analyte"]], place)
        elif not of.known:
            self.account.leave("test not known here", name if name in self._meanings else "other tests", place)
        elif (person := frame.person(row)) is None:
            self.account.leave("no patient", frame.header[frame.roles["patient"]], place)
        elif wrong := self._specimen(row, of, name):
            self.account.leave(wrong, of.observable, place)
        elif isinstance(when := frame.moment(row), str):
            self.account.leave(when, frame.header[(frame.times or [frame.roles.get("day", 0)])[0]], place)
        else:
            self._value(row, of, when, person, place)

    def _specimen(self, row: Row, of: Meaning, name: str) -> str:
        """Why the row's value is not one of blood; empty where it is. Findings may be of any specimen."""
        if not of.observable or observables.get(of.observable).family is None or codes.specimen(of.observable) is False:
            return ""
        text = self.frame.cell(row, "specimen")
        found = codes.specimen(text) if text else None
        if found is False or codes.specimen(name.replace("_", " ")) is False:
            return "not a specimen of blood"
        return "specimen not known here" if text and found is None else ""

    def _value(self, row: Row, of: Meaning, when: Moment, person: str, place: Place) -> None:
        frame = self.frame
        written = status(self._beside(row, "status"))
        state = STATUSES.get(written, "")
        text = row.cells[frame.roles["value"]]
        name = of.observable or of.drug
        if state == "dropped":
            self.account.leave(f"status {written}", name, place)
            return
        if written and not state:
            self.account.leave("status not known here", name, place)
            return
        if not text and state == "awaited":
            text = PENDING
        if not text:
            self.account.leave("no value", name, place)
            return
        said = {"preliminary": "preliminary result", "corrected": f"corrected in row {row.line}", "awaited": f"status {written}"}
        notes = [said.get(state, "") if text != PENDING else "", self._beside(row, "note")[:_LONGEST]]
        if of.observable and observables.get(of.observable).family is not None:
            sign = str(row.cells[frame.roles["comparator"]]) if "comparator" in frame.roles else ""
            whole = text if frame.is_missing(text) else compared(sign, text)
            if not whole:
                self.account.remark(NO_COMPARATOR, name, place)
                notes.append(f"'{printable(sign, SHOWN)}' beside {printable(text, SHOWN)} is not understood")
            text, of = whole or UNKNOWN, self._with_unit(row, of)
        more = {"reference": self._reference(row, of, place), "note": "; ".join(filter(None, notes))}
        if "status" in frame.roles:
            timepoint = frame.cell(row, "timepoint")
            if when.date or when.day or timepoint:
                place, more["version"] = self._corrections.place((person, name, when, timepoint), state == "corrected", name, place)
        frame.take(text, of, name, when, frame.cell(row, "timepoint"), frame.chart(person, row, when), place, **more)

    def _beside(self, row: Row, role: str) -> str:
        """What stands beside the value; words such as hemolyzed or pending say something of it there."""
        text = row.cells[self.frame.roles[role]] if role in self.frame.roles else ""
        reason = missing(text)
        return str(text) if reason and reason.text in (SPOILED, PENDING) else self.frame.cell(row, role)

    def _with_unit(self, row: Row, of: Meaning) -> Meaning:
        stated = str(self.frame.cell(row, "unit")) or self._fixed
        unit = united(of, stated)
        return of._replace(disputed=True) if unit is None else of._replace(unit=unit)

    def _reference(self, row: Row, of: Meaning, place: Place) -> str:
        """The laboratory's own range, from one column or two."""
        if not of.observable or observables.get(of.observable).family is None:
            return ""
        frame = self.frame
        text, low, high = (frame.cell(row, role) for role in ("reference", "reference_low", "reference_high"))
        found = measured(text, frame.decimal) if text else bounds(low, high, frame.decimal) if low or high else ""
        if not found and (text or low or high):
            self.account.remark("reference range that is not understood", of.observable, place)
        return found


class Corrections:
    """Which rows take the place of others: a corrected one that of the same person, test and moment."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._labels: dict[int, str] = {}  # by person, test and moment, of the latest row
        self._waiting: set[int] = set()  # for the row that was corrected
        self._corrected: set[int] = set()
        self._several: set[int] = set()

    def place(self, of: tuple[str, str, Moment, str], corrected: bool, name: str, place: Place) -> tuple[Place, str]:
        """The place with the label that the row shares with what it replaces, or that replaces it; and its version."""
        key = hash(of)
        label = self._labels.get(key)
        if corrected:
            if key in self._several:
                self.account.remark("corrected, and several rows are of that moment: the last of them is replaced", name, place)
            if key in self._corrected:
                self.account.remark("corrected more than once: the later row counts", name, place)
            self._corrected.add(key)
            if label is None:
                self._labels[key] = label = place.label
                self._waiting.add(key)
        elif key in self._waiting and label is not None:
            self._waiting.discard(key)
        else:
            if label is not None:
                self._several.add(key)
            self._labels[key] = label = place.label
        return place._replace(label=label), "2" if corrected else "1"

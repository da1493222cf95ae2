"""Wide tables: one column per observable, one entry for each cell that is not blank."""

from __future__ import annotations

from collections.abc import Iterator

from hlhcli.readers.chart import Place
from hlhcli.readers.dates import Moment
from hlhcli.readers.delimited import Row
from hlhcli.readers.frame import SHIFTED, Frame
from hlhcli.readers.meanings import UNKNOWN, Meaning, meaning

_TICKED, _UNTICKED = ("1", "checked", "yes", "true"), ("0", "unchecked", "no", "false")
NOT_KNOWN = "column not known here"
IGNORED, NOT_TICKED = "ignored by the mapping", "box not ticked"  # as it was to be expected


class Wide:
    """The columns of a wide table by number: what each means, and why what is not read is not."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.account = frame.account
        self.structure = {*frame.roles.values(), *frame.times}
        self.meanings: dict[int, Meaning] = {}
        self.boxes: dict[int, str] = {}  # columns of boxes to tick, with what a tick states
        self.unasked: set[int] = set()  # columns of boxes whose question or choice is not known
        self.left: dict[int, tuple[str, str]] = {}  # the reason and the name that is told
        self._counts: dict[tuple[str, str], tuple[int, Place]] = {}
        for number, name in enumerate(frame.header):
            if number not in self.structure:
                self.place(number, name)

    def place(self, number: int, name: str) -> None:
        """What the column means."""
        of = meaning(name, self.frame.columns.get(number))
        if number in self.frame.ignored:
            self.left[number] = IGNORED, name
        elif of.known:
            self.meanings[number] = of
        else:
            self.left[number] = NOT_KNOWN, name

    def read(self, rows: Iterator[Row]) -> None:
        """All rows."""
        for row in rows:
            self.row(row)
        self.close()

    def close(self) -> None:
        """Puts into the books what was left, column by column."""
        for (reason, what), (count, place) in self._counts.items():
            enter = self.account.pass_over if reason in (IGNORED, NOT_TICKED) else self.account.leave
            enter(reason, what, place, count)
        self._counts.clear()

    def row(self, row: Row) -> None:
        """One person at one moment."""
        self.cells(row, self.frame.moment(row), self.frame.cell(row, "timepoint"))

    def cells(self, row: Row, when: Moment | str, timepoint: str) -> None:
        """The cells of a row, whose moment is known (or why it is not)."""
        frame = self.frame
        person = frame.person(row)
        wrong = SHIFTED if row.surplus else "no patient" if person is None else when if isinstance(when, str) else ""
        chart = None if wrong or person is None or isinstance(when, str) else frame.chart(person, row, when)
        for number, text in enumerate(row.cells):
            if not text or number in self.structure:
                continue
            self.account.read += 1
            place = Place(row.line, number + 1, f"row {row.line}")
            if number in self.left:
                unticked = number in self.unasked and text.casefold() in _UNTICKED
                self.leave(*((NOT_TICKED, frame.header[number]) if unticked else self.left[number]), place)
            elif chart is None or isinstance(when, str):
                self.leave(wrong, frame.header[number], place)
            else:
                of = self.meanings[number]
                if number in self.boxes and not frame.is_missing(text):
                    text = self._box(number, text)
                if text:
                    frame.take(text, of, frame.header[number], when, timepoint, chart, place)
                else:
                    self.leave(NOT_TICKED, frame.header[number], place)
        if row.surplus:
            filled = sum(map(bool, row.surplus))
            self.account.read += filled
            self.leave(SHIFTED, "", Place(row.line, len(row.cells) + 1), filled)

    def _box(self, number: int, text: str) -> str:
        """What a box states; nothing where it is not ticked, for the boxes of a form that nobody opened are not ticked either."""
        word, value = text.casefold(), self.boxes[number]
        if word in _TICKED:
            return value
        if word in _UNTICKED:
            return "no" if self.frame.mapping.unchecked == "no" and value == "yes" else ""
        return UNKNOWN

    def leave(self, reason: str, what: str, place: Place, count: int = 1) -> None:
        """Counts what is left; the books get it at the end."""
        before, first = self._counts.get((reason, what), (0, place))
        self._counts[reason, what] = before + count, first

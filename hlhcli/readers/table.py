"""Tables of values, long (one row per value) or wide (one column per observable), from text or a workbook."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from hlhcli import observables
from hlhcli.readers import delimited, excel, redcap
from hlhcli.readers import guess as guesses
from hlhcli.readers.account import Account
from hlhcli.readers.chart import Charts, Place
from hlhcli.readers.delimited import Row, Table
from hlhcli.readers.frame import Frame
from hlhcli.readers.long import Long
from hlhcli.readers.mapping import Mapping
from hlhcli.readers.wide import Wide

SAMPLE = 2000  # rows from which is found out how numbers and dates are written
GUESSED = "read by a guessed mapping"


def opened(stream: BinaryIO, source: str, mapping: Mapping | None = None, is_workbook: bool = False) -> Table:
    """The table in `stream`, read as the mapping says."""
    if is_workbook:
        return excel.read(stream, source, (mapping.sheet if mapping else "") or None)
    return delimited.read(
        stream, source, (mapping.encoding if mapping else "") or None, (mapping.delimiter if mapping else "") or None
    )


def guessed(stream: BinaryIO, source: str, is_workbook: bool = False, dictionary: Path | None = None) -> Mapping:
    """A mapping for the table in `stream`, as far as its header and first rows tell."""
    table = opened(stream, source, None, is_workbook)
    return guesses.guess(table, list(islice(table, SAMPLE)), redcap.dictionary(dictionary) if dictionary else None)


def read(
    stream: BinaryIO,
    source: str,
    account: Account,
    mapping: Mapping | None = None,
    excel: bool = False,
    dictionary: Path | None = None,
) -> Charts:
    """The charts of all persons in a table. Without a mapping, what the header says for certain is used. Raises InputError."""
    fields = redcap.dictionary(dictionary) if dictionary else {}
    table = opened(stream, source, mapping, excel)
    rows = iter(table)
    samples = list(islice(rows, SAMPLE))
    is_redcap = bool(fields) or redcap.is_redcap(table.header, samples)
    if mapping is None:
        mapping = guesses.guess(table, samples, fields, certain=True)
        if not is_redcap:
            guesses.refuse_uncertain(mapping, table, samples, source)
        account.remark(GUESSED, "see hlhcli convert --guess", Place(table.header_line))
    elif not mapping.patient and not is_redcap:
        guesses.refuse_nobody(mapping, table, source)
    frame = Frame(table, mapping, account, samples)
    _reader(frame, table, samples, fields if is_redcap else None).read(chain(samples, rows))
    frame.settle_ages()
    for chart in frame.charts:
        if chart.person.birth_date:
            chart.person.age = ""  # it says less
    for reason, what in table.remarks:
        account.remark(reason, what, Place(table.header_line))
    if unread := len(table.comments) - len(frame.noted):
        account.remark("cell comments that are not read", "at cells without a value", Place(table.header_line), unread)
    if short := table.width_problems["too few cells"]:
        account.remark("rows with fewer cells than the header", "read as blank at their end", Place(), short)
    return frame.charts


def _reader(frame: Frame, table: Table, samples: Sequence[Row], fields: dict[str, redcap.Field] | None) -> Long | Wide:
    if frame.mapping.is_long:
        reader: Long | Wide = Long(frame)
        numbers = [frame.roles["value"]]
    else:
        reader = Wide(frame) if fields is None else redcap.Records(frame, fields)
        numbers = [n for n, of in reader.meanings.items() if of.observable and observables.get(of.observable).family is not None]
    frame.settle_decimal((row.cells[number] for row in samples for number in numbers if row.cells[number]), table.delimiter)
    return reader

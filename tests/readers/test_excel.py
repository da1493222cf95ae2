"""Workbooks: what a person typed is what is read."""

from __future__ import annotations

import builtins
import io
import warnings
import zipfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hlhcli.errors import InputError
from hlhcli.readers import excel
from hlhcli.readers.delimited import Row
from hlhcli.yamltree import JsonNumber

openpyxl = pytest.importorskip("openpyxl")


def book(*sheets, formats=None, states=None):
    """The bytes of a workbook; each sheet is a list of rows."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for number, rows in enumerate(sheets, 1):
        sheet = made.create_sheet(f"S{number}")
        for row in rows:
            sheet.append(row)
        for cell, shown_as in (formats or {}).items():
            sheet[cell].number_format = shown_as
        sheet.sheet_state = (states or {}).get(f"S{number}", "visible")
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


def replaced(content, name, change):
    """The workbook with one of its parts changed."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            data = old.read(part)
            new.writestr(part, change(data) if part == name else data)
    return changed.getvalue()


def swap(old, new):
    """A change of a part: other bytes for some that are there."""

    def change(part):
        assert old in part
        return part.replace(old, new)

    return change


def table(content, sheet=None):
    return excel.read(io.BytesIO(content), "t.xlsx", sheet)


def cells(content):
    return [row.cells for row in table(content)]


def cell(value, shown_as="General"):
    """How one cell is read."""
    return cells(book([["id", "value"], [1, value]], formats={"B2": shown_as}))[0][1]


def problem(content, sheet=None):
    with pytest.raises(InputError) as caught:
        list(table(content, sheet))
    assert len(caught.value.problems) == 1
    return str(caught.value)


GOOD = book([["id", "hb"], [1, 8.5]])


def test_a_sheet_is_a_table():
    """The same parts as a table as text; rows are those of the sheet, and blank ones are skipped."""
    found = table(book([["id", "hb", "plt"], [1, 9.2], [], [2, None, 30]]))
    assert (found.header, found.header_line, found.delimiter, found.encoding) == (["id", "hb", "plt"], 1, "", "")
    assert list(found) == [Row(2, ["1", "9.2", ""]), Row(4, ["2", "", "30"])]
    assert found.remarks == []
    assert not found.width_problems


@pytest.mark.parametrize(
    ("value", "shown_as", "text"),
    [
        (9.2, "General", "9.2"), (20000, "General", "20000"), (20000.0, "#,##0", "20000"), (0, "General", "0"), (0.1, "0.000", "0.1"),
        (1e-7, "General", "0.0000001"), (1e22, "General", "10000000000000000000000"), (-3, "General", "-3"), (499.99, "0", "499.99"),
        (0.095, "0.0%", "9.5 %"), (1, "0%", "100 %"), (0.07, "0.00%;[Red]-0.00%", "7 %"), (0.29, "0%", "29 %"), (9.5, '0.0" %"', "9.5 %"), (9.5, r"0.0\ \%", "9.5 %"),
        (9.2, '0.0" g/dL"', "9.2 g/dL"), (9.2, '0.0" g/dL";-0.0" low"', "9.2 g/dL"), (5000, '">"0', ">5000"), (9.2, r"0.0\ \g\/\d\L", "9.2 g/dL"), (9.2, '_-* #,##0.00_-;"%"', "9.2"),
        (True, "General", "true"), (False, "General", "false"), ("  31 (d 12)\u00a0", "General", "31 (d 12)"), ("012", "@", "012"), (">20,000", "General", ">20,000"),
        (datetime(2016, 5, 2), "yyyy-mm-dd", "2016-05-02"), (datetime(2016, 5, 2, 14, 30), "yyyy-mm-dd hh:mm", "2016-05-02T14:30:00"), (date(2016, 5, 2), "dd/mm/yyyy", "2016-05-02"),
        (9.2, "dd/mm/yyyy", "1900-01-09T04:48:00"), (time(8, 5), "hh:mm", "08:05:00"), (timedelta(hours=30), "[h]:mm:ss", "1 day, 6:00:00"),
        ("#N/A", "General", "#N/A"), ("#DIV/0!", "General", "#DIV/0!"), ("two\nlines", "General", "two\nlines"),
    ],
)  # fmt: skip
def test_a_cell_is_what_was_typed(value, shown_as, text):
    """Numbers in full and exactly, dates as dates, percents as percents, errors as they are; the width of a column rounds nothing."""
    assert cell(value, shown_as) == text


@pytest.mark.parametrize("stored", [b"9.1999999999999993", b"9.2000000000000011"])
def test_the_error_of_a_double_is_not_shown(stored):
    """Excel stores 9.2 as the first, and 0.92*10 as the second; it shows 9.2 for both."""
    content = replaced(GOOD, "xl/worksheets/sheet1.xml", swap(b">8.5<", b">" + stored + b"<"))
    assert cells(content) == [["1", "9.2"]]


@settings(max_examples=50)
@given(st.decimals(-(10**9), 10**9, allow_nan=False, places=4))
@example(Decimal("0.07"))
def test_every_number_that_is_typed_comes_back(number):
    """Up to fifteen digits nothing is lost, as a number and as a percent."""
    read = cells(book([["id", "a", "b"], [1, float(number), float(number)]], formats={"C2": "0%"}))[0]
    assert Decimal(read[1]) == number
    assert Decimal(read[2].removesuffix(" %")) == number * 100


def test_the_first_sheet_with_cells_is_read():
    """Other sheets are counted in a remark, blank ones are not; a hidden sheet comes last."""
    found = table(book([["x", "y"]], [], [["id", "hb"], [1, 2]], [["more", "here"]], states={"S1": "hidden"}))
    assert (found.header, list(found)) == (["id", "hb"], [Row(2, ["1", "2"])])
    assert found.remarks == [("other sheets are not read", "2; name one in the mapping (sheet:)")]


def test_a_sheet_can_be_named():
    """Case does not matter; a name that does not exist is told with those that do."""
    content = book([["x", "y"]], [["id", "hb"], [1, 2]])
    assert table(content, "s2").header == ["id", "hb"]
    assert table(content, "S2").remarks == [("other sheets are not read", "1; name one in the mapping (sheet:)")]
    assert problem(content, "S3") == "t.xlsx: no sheet is named 'S3'; there are S1, S2"


def test_merged_titles_are_passed_over():
    """The header is the first row that names more than one column."""
    made = openpyxl.load_workbook(io.BytesIO(book([["Our cohort"], [], ["id", "hb"], [1, 9.2]])))
    made.active.merge_cells("A1:D1")
    content = io.BytesIO()
    made.save(content)
    found = table(content.getvalue())
    assert (found.header, found.header_line, [row.line for row in found]) == (["id", "hb"], 3, [4])
    assert found.remarks == [("title above the header", "rows: 1")]


def test_cells_beside_the_table_shift_nothing():
    """A comment to the right of the last named column is told once, and is no sign that the row is broken."""
    found = table(book([["id", "hb"], [1, 9.2, None, "see below"], [2, 8.1, "x"]]))
    assert list(found) == [Row(2, ["1", "9.2"]), Row(3, ["2", "8.1"])]
    assert found.remarks == [("cells right of the last named column", "not read")]


def test_the_header_names_every_column_once():
    """As in a table as text."""
    assert table(book([["id", None, "hb"]])).header == ["id", "column 2", "hb"]
    assert (
        problem(book([["id", "hb", "hb"]]))
        == "t.xlsx:1:3: the name of this column is there twice (columns 2 and 3); rename one of them"
    )


def test_a_formula_has_its_stored_value():
    """Or none, where no program has calculated it: blank then, and told once for the sheet."""
    content = book([["id", "hb", "plt"], [1, "=9+0.2", 30], [2, "=9+0.1", 20]])
    found = table(content)
    assert [row.cells for row in found] == [["1", "", "30"], ["2", "", "20"]]
    assert found.remarks == [("formula without a stored value", "S1")]
    stored = replaced(
        content,
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"</f><v></v>", b"</f><v>9.2</v>").replace(b"</f><v />", b"</f><v>9.2</v>"),
    )
    found = table(stored)
    assert [row.cells for row in found] == [["1", "9.2", "30"], ["2", "9.2", "20"]]
    assert found.remarks == []


def test_the_size_that_a_sheet_states_hides_no_rows():
    """Some programs write a dimension of one cell."""
    content = book([["id", "hb"], [1, 9.2], [2, 8.1]])
    assert cells(replaced(content, "xl/worksheets/sheet1.xml", swap(b'ref="A1:B3"', b'ref="A1"'))) == [
        ["1", "9.2"],
        ["2", "8.1"],
    ]


def test_no_warning_shows_a_value():
    """What openpyxl warns of would go to the terminal, with the cell."""
    content = book([["id", "when"], [1, 99999999999]], formats={"B2": "yyyy-mm-dd"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cells(content) == [["1", "#VALUE!"]]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "damaged, or no workbook"),
        (b"id,hb\n1,9.2\n", "damaged, or no workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "an old workbook (.xls), or one with a password"),
        (GOOD[: len(GOOD) // 2], "damaged, or no workbook"),
        (book([]), "no sheet of this workbook holds anything"),
        (replaced(GOOD, "xl/worksheets/sheet1.xml", lambda xml: xml[:-40]), "damaged, or no workbook"),
        (replaced(GOOD, "xl/worksheets/sheet1.xml", swap(b">8.5<", b">nine<")), "damaged, or no workbook"),
        (replaced(GOOD, "xl/worksheets/sheet1.xml", swap(b'r="B2"', b'r="2B"')), "damaged, or no workbook"),
        (replaced(GOOD, "xl/workbook.xml", lambda xml: b"<x/>"), "no sheet of this workbook"),
        (replaced(GOOD, "docProps/core.xml", lambda xml: b"\0" * 10_000_000), "unpacks to"),
        (replaced(GOOD, "xl/worksheets/sheet1.xml", lambda xml: b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "' + b"&b;" * 9 + b'">]><a>&c;</a>'), "t.xlsx: "),
    ],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_workbook_is_one_problem(content, expected):
    """Damaged, encrypted, or made to fill the memory: refused in words."""
    assert expected in problem(content)


def test_a_password_in_the_zip_is_told():
    """An encrypted part cannot be read."""
    flagged = bytearray(GOOD)
    at = 0
    while (at := flagged.find(b"PK\x01\x02", at)) >= 0:
        flagged[at + 8] |= 1
        at += 4
    assert "has a password" in problem(bytes(flagged))


def test_more_than_the_limit_is_refused(monkeypatch):
    """Both the file and what it unpacks to are bounded."""
    monkeypatch.setattr(excel, "MAX_BYTES", 1000)
    assert "larger than" in problem(GOOD)
    monkeypatch.setattr(excel, "MAX_BYTES", len(GOOD))
    assert "unpacks to" in problem(GOOD)


def test_without_openpyxl_it_is_told_what_to_install(monkeypatch):
    """The rest of the tool does not need it."""
    real = builtins.__import__

    def refuse(name, *more):
        if name.startswith("openpyxl"):
            raise ImportError
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert problem(GOOD) == "t.xlsx: reading .xlsx needs openpyxl: pip install 'hlhcli[excel]'"


def test_rows_come_one_by_one(monkeypatch):
    """A damaged end is met only when the rows before it were given, and is told with its row."""
    content = book([["id", "hb"], *([number, 9.2] for number in range(5000))])
    found = iter(table(replaced(content, "xl/worksheets/sheet1.xml", lambda xml: xml[:-4000])))
    assert [next(found).line for _ in range(4000)] == list(range(2, 4002))
    with pytest.raises(InputError, match=r"t\.xlsx:\d+:1: this workbook is damaged"):
        list(found)


@settings(max_examples=60)
@given(st.data())
def test_any_damage_is_a_table_or_a_problem(data):
    """Bytes changed anywhere, in the file or in one of its parts, raise nothing else."""
    part = data.draw(
        st.sampled_from(
            [None, "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml", "[Content_Types].xml"]
        )
    )

    def damaged(content):
        at = data.draw(st.integers(0, len(content) - 1))
        return content[:at] + data.draw(st.binary(max_size=4)) + content[at + data.draw(st.integers(0, 4)) :]

    content = damaged(GOOD) if part is None else replaced(GOOD, part, damaged)
    try:
        found = table(content)
        width = len(found.header)
        given = list(found)
    except InputError:
        return
    assert all(len(row.cells) == width > 0 for row in given)


def commented(text="after transfusion"):
    """A workbook with a comment at one cell."""
    made = openpyxl.load_workbook(io.BytesIO(book([["id", "hb"], [1, 9.2]], [["id", "hb"], [1, 8]])))
    made["S1"]["B2"].comment = openpyxl.comments.Comment(text, "A. Author")
    made["S2"]["A1"].comment = openpyxl.comments.Comment("of another sheet", "A. Author")
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("after\n transfusion", "after transfusion"),
        ("x" * 999, "x" * 199 + "…"),
        ("[Threaded comment]\n\nYour version of Excel shows it.\n\nComment:\n    rerun", "rerun"),
    ],
)
def test_comments_stand_beside_their_cells(text, expected):
    """Those of the sheet that is read, on one line and shortened; newer versions keep an explanation in front."""
    assert table(commented(text)).comments == {(2, 2): expected}
    assert table(commented(text), "S2").comments == {(1, 1): "of another sheet"}
    assert table(GOOD).comments == {}


def test_large_parts_are_parsed_in_large_pieces(monkeypatch):
    """An old parser of XML reads a comment of 8 MB from its start with every piece: there are few, and the sheet is whole."""
    pieces = []
    feed = ElementTree.XMLPullParser.feed
    monkeypatch.setattr(ElementTree.XMLPullParser, "feed", lambda self, data: (pieces.append(len(data)), feed(self, data))[1])
    long = "<!--" + "".join(f"{number:07} " for number in range(1024 * 1024)) + "--><sheetData>"
    content = replaced(book([["id", "ferritin"], ["a", 500]]), "xl/worksheets/sheet1.xml", swap(b"<sheetData>", long.encode()))
    assert cells(content) == [["a", "500"]]
    assert max(pieces) >= 1024 * 1024
    assert sum(pieces) // len(pieces) > 200 * 1024


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("xl/comments/comment1.xml", lambda xml: xml[:-9]),
        ("xl/comments/comment1.xml", lambda xml: b'<!DOCTYPE a [<!ENTITY b "bb">]>' + xml),
        ("xl/comments/comment1.xml", swap(b'ref="B2"', b'ref="2B"')),
        ("xl/worksheets/_rels/sheet1.xml.rels", lambda xml: xml.replace(b"comment1.xml", b"none.xml")),
    ],
    ids=range(4),
)
def test_damaged_comments_leave_the_values(part, change):
    """It is told that they are not read."""
    found = table(replaced(commented(), part, change))
    assert (found.comments, [row.cells for row in found]) == ({}, [["1", "9.2"]])
    assert ("cell comments are not read", "they are damaged") in found.remarks


def test_a_number_is_known_as_one():
    """Its decimal mark is a point, whatever the texts of the sheet show."""
    number, text = cells(book([["a", "b"], [7.8, "7,8"]]))[0]
    assert (number, isinstance(number, JsonNumber)) == ("7.8", True)
    assert (text, isinstance(text, JsonNumber)) == ("7,8", False)


def filled(*rows):
    """A sheet of the cells that are given, by their names."""
    made = openpyxl.Workbook()
    for name, value in rows:
        made.active[name] = value
    made.save(content := io.BytesIO())
    return content.getvalue()


def test_a_cell_far_to_the_right_makes_no_row_wide():
    """It is right of the last name of the header, and told once."""
    rows = [("A1", "id"), ("B1", "hb")]
    rows += [(f"{column}{row}", row) for row in range(2, 400) for column in ("A", "XFD")]
    found = table(filled(*rows))
    assert [len(row.cells) for row in found] == [2] * 398
    assert found.remarks == [("cells right of the last named column", "not read")]


def test_the_cells_of_a_sheet_are_limited(monkeypatch):
    """Those between others count too."""
    monkeypatch.setattr(excel, "MAX_CELLS", 50_000)
    content = filled(("A1", "id"), ("XFD1", "hb"), *((f"XFD{row}", 1) for row in range(2, 5)))
    with pytest.raises(InputError, match="more than 50000 cells; save it as CSV"):
        list(table(content))


def test_the_texts_of_a_workbook_are_limited(monkeypatch):
    """They, and all parts but the sheets, are held in memory."""
    content = book([["id", "hb"], *([f"{number}" * 30, number] for number in range(2000))])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sizes = {part.filename: part.file_size for part in archive.infolist()}
    sheet = sizes.pop("xl/worksheets/sheet1.xml")
    monkeypatch.setattr(excel, "MAX_PART", max(sizes.values()))
    assert sheet > excel.MAX_PART
    assert len(list(table(content))) == 2000
    monkeypatch.setattr(excel, "MAX_PART", max(sizes.values()) - 1)
    assert "the texts, or another part, of this workbook unpack to" in problem(content)


def test_the_sheets_that_are_looked_at_are_limited(monkeypatch):
    """One that is named is found behind them; of one that is not named, the first rows must hold something."""
    monkeypatch.setattr(excel, "MAX_SHEETS", 2)
    content = book([], [], [["id", "hb"], [1, 9]])
    assert "no sheet of this workbook holds anything" in problem(content)
    assert [row.cells for row in table(content, "S3")] == [["1", "9"]]
    assert "no sheet of this workbook holds anything" in problem(filled(("A1001", "id"), ("B1001", "hb")))

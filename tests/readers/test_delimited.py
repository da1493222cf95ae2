"""Tables as text: encodings, delimiters, and rows that are not as wide as the header."""

from __future__ import annotations

import csv
import io
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hlhcli.errors import InputError
from hlhcli.readers.delimited import MAX_CELLS, MAX_ROW, Row, read


def table(content, **more):
    return read(io.BytesIO(content if isinstance(content, bytes) else content.encode()), "t.csv", **more)


def rows(content, **more):
    return [row.cells for row in table(content, **more)]


def problem(content, **more):
    with pytest.raises(InputError) as caught:
        list(table(content, **more))
    return str(caught.value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter):
    """The header and the rows say what parts the cells."""
    text = "id,date,hb\n1,2016-05-02,9.2\n2,2016-05-03,\n".replace(",", delimiter)
    found = table(text)
    assert (found.delimiter, found.header, found.header_line, found.encoding) == (delimiter, ["id", "date", "hb"], 1, "UTF-8")
    assert list(found) == [Row(2, ["1", "2016-05-02", "9.2"]), Row(3, ["2", "2016-05-03", ""])]
    assert found.remarks == []
    assert not found.width_problems


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("id;hb\n1;9,2\n2;8,1\n", ";"),  # a decimal comma in every row
        ('id;name, first;hb, g/dL\n1;"a, b";9,2\n', ";"),
        ('id,note\n1,"a;b;c"\n2,"d;e;f"\n', ","),
        ("id,hb;pre\n1,9\n2,8\n", ","),
        ("id\tnote\n1\ta, b, c\n2\td\n", "\t"),
        ("a title, of two parts\nid;hb;plt\n1;9,2;30\n2;8,1;20\n", ";"),
        ('note,"id;x"\nb,"1;a"\n', ","),
        ("hb\n9.2\n", ","),  # one column
    ],
)
def test_other_marks_in_the_cells_do_not_mislead(text, delimiter):
    """What parts all the rows alike is the delimiter; quoted cells are left alone."""
    assert table(text).delimiter == delimiter


def test_a_declared_delimiter_wins():
    """Even over `sep=`, and one that is not looked for."""
    assert rows("a:b\n1:2\n", delimiter=":") == [["1", "2"]]
    assert table("sep=;\na,b;c\n1,2;3\n", delimiter=",").header == ["a", "b;c"]
    for wrong in ("", "ab", "x", '"', "\n"):
        assert "one character" in problem("a,b\n", delimiter=wrong)


@pytest.mark.parametrize(("line", "delimiter"), [("sep=;", ";"), ("SEP=|", "|"), ('"sep=,"', ","), ("sep=\t", "\t")])
def test_the_first_line_of_excel_states_the_delimiter(line, delimiter):
    """`sep=;` is no row, and the lines are still counted from the first."""
    found = table(f"{line}\r\n" + "id,hb\r\n1,9.2\r\n".replace(",", delimiter))
    assert (found.delimiter, found.header, found.header_line) == (delimiter, ["id", "hb"], 2)
    assert [row.line for row in found] == [3]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("id,µ\n1,°C\n".encode(), "UTF-8"),
        ("id,µ\n1,°C\n".encode("utf-8-sig"), "UTF-8"),
        ("id,µ\n1,°C\n".encode("utf-16"), "UTF-16"),
        (b"\xfe\xff" + "id,µ\n1,°C\n".encode("utf-16-be"), "UTF-16"),
        ("id,µ\n1,°C\n".encode("cp1252"), "Windows-1252"),
        (b"id,\xb5\n1,\xb0C", "Windows-1252"),
    ],
)
def test_the_encoding_is_found(content, encoding):
    """UTF-8, UTF-16 with its mark, and else Windows-1252, which is told."""
    found = table(content)
    assert (found.header, list(found)) == (["id", "µ"], [Row(2, ["1", "°C"])])
    assert found.encoding == encoding
    assert found.remarks == ([("encoding", "Windows-1252")] if encoding == "Windows-1252" else [])


@pytest.mark.parametrize("length", [1, 3, 65_530, 65_534, 65_535, 65_536, 200_000])
def test_the_first_other_byte_decides_wherever_it_stands(length):
    """A table that is ASCII up to there is read as Windows-1252 from there on, also across the borders of what is read at once."""
    found = table(b"id,note\n1," + b"x" * (length % 100_000) + b"\n" * (length // 2 + 1) + b"2,\xe9t\xe9\n3,\xc3")
    assert [row.cells[1] for row in found][1:] == ["été", "Ã"]
    assert found.remarks == [("encoding", "Windows-1252")]


def test_a_mixture_of_encodings_is_refused():
    """Valid UTF-8 and then a byte that is none: one of them would be read wrongly."""
    assert problem("id,hb\n1,µ\n".encode() + b"2,\xb5\n").startswith("t.csv:3:1: a byte that is not UTF-8")
    assert problem(b"\xef\xbb\xbfid,hb\n2,\xb5\n").startswith("t.csv:2:1: a byte that is not UTF-8")
    assert problem(b"id,hb\n1,\xb5\n2,\x81\n").startswith("t.csv:3:1: a byte that is not Windows-1252")
    assert "not UTF-16" in problem("id,hb\n".encode("utf-16") + b"x")


def test_a_declared_encoding_is_used():
    """And an unknown one is an error, not a traceback."""
    assert table("id,ö\n".encode("mac-roman"), encoding="mac-roman").header == ["id", "ö"]
    assert table("id,ö\n".encode("utf-16-le"), encoding="utf-16-le").header == ["id", "ö"]
    assert problem("id,ö\n".encode(), encoding="ascii").startswith("t.csv:1:1: a byte that is not ascii")
    for wrong in ("no-such", "base64", "rot13", "\0", "é"):
        assert "unknown encoding" in problem("id,hb\n", encoding=wrong)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_in_three_ways(end):
    """Blank lines are skipped and counted; a quoted cell may hold lines, and its row begins where it begins."""
    text = 'id,note\n\n1,"two\nlines"\n , \n2,x\n\n'.replace("\n", end)
    assert [(row.line, row.cells[0]) for row in table(text)] == [(3, "1"), (6, "2")]
    assert rows(text)[0][1].split() == ["two", "lines"]
    assert rows(text + "3,y")[-1] == ["3", "y"]


def test_a_line_may_end_between_two_chunks():
    """The two characters that end a line are one end, wherever they stand."""
    text = "id,note\r\n1," + "x" * 65_524 + "\r\n2,y\r\n"
    assert text[65_535] == "\r"
    assert [row.line for row in table(text)] == [2, 3]


def test_cells_are_trimmed():
    """Spaces, non-breaking spaces and characters without width around a cell are not part of it; those inside are."""
    assert rows('\ufeffid , hb\n\u200b1\u200e,\u00a09 2\u00a0\n"2 ", " x, y "\n') == [["1", "9 2"], ["2", "x, y"]]


def test_rows_of_another_width_are_kept_and_told():
    """A short row is filled up, and what is beyond the header is handed over, unless it is blank."""
    found = table("id,hb,plt\n1,9.2\n2,9.2,30,\n3,9,2,30\n4,9.2,30,,x\n5,9.2,30\n")
    assert list(found) == [
        Row(2, ["1", "9.2", ""], missing=1),
        Row(3, ["2", "9.2", "30"]),
        Row(4, ["3", "9", "2"], ["30"]),
        Row(5, ["4", "9.2", "30"], ["", "x"]),
        Row(6, ["5", "9.2", "30"]),
    ]
    assert found.width_problems == {"too few cells": 1, "too many cells": 2}


def test_the_header_names_every_column_once():
    """A column without a name gets its number; a name that is there twice is an error."""
    assert table('id,,"Hb\n(g/dL)",\n').header == ["id", "column 2", "Hb (g/dL)", "column 4"]
    assert problem("\nid,hb,plt, hb\n") == "t.csv:2:4: the name of this column is there twice (columns 2 and 4); rename one of them"
    assert "columns 2 and 3" in problem("id,,column 2\n")


def test_titles_above_the_header_are_passed_over():
    """The first row with two filled cells names the columns."""
    found = table("Our cohort,,\n\n2016,,\nid,hb,plt\n1,9.2,30\n")
    assert (found.header, found.header_line, [row.line for row in found]) == (["id", "hb", "plt"], 4, [5])
    assert found.remarks == [("title above the header", "rows: 2")]
    assert [row.cells for row in table("id\n1\n2\n")] == [["1"], ["2"]]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "t.csv:1:1: the table is empty"),
        (" \n\n", "t.csv:1:1: the table is empty"),
        ("sep=;\n", "t.csv:1:1: the table is empty"),
        ("id,hb\n1,9\n2,\0\n", "t.csv:3:1: a character of value zero"),
        ('id,hb\n1,9\n2,"9\n3,8\n', "t.csv:3:1: a quotation mark that opens here is not closed"),
        ('id,hb\n1,"9" x\n', "t.csv:2:1: text follows a closing quotation mark"),
        ('id,hb\n1,"' + "x\n" * 80_000, "t.csv:2:1: a cell of more than"),
        ("id,hb\n1," + "x" * 140_000 + "\n", "t.csv:2:1: a cell of more than"),
        ("id,hb\n1," + "x" * (MAX_ROW + 200_000), f"t.csv:2:1: a line of more than {MAX_ROW} characters"),
        ("id,hb\n" + "1," * (MAX_CELLS + 1) + "\n", f"t.csv:2:1: a row of {MAX_CELLS + 2} cells"),
        ("id,hb\n" + '"\n",' * (MAX_ROW // 4) + "\n", f"a row of more than {MAX_ROW} characters"),
        ("id,hb\n".encode("utf-32"), "t.csv:1:1: a character of value zero"),
        ("id,hb\n".encode("utf-16-le"), "t.csv:1:1: a character of value zero"),
    ],
    ids=range(13),
)
def test_what_is_no_table_is_one_problem_with_its_line(content, expected):
    """Hostile or broken input ends in words."""
    assert expected in problem(content)


class Long(io.RawIOBase):
    """A table that is made while it is read."""

    def __init__(self, rows):
        self.left = rows
        self.next = b"id,date,hb\n"

    def read(self, size=-1):
        given, number = self.next, min(self.left, 2000)
        self.left -= number
        self.next = b"123,2016-05-02,9.2\n" * number
        return given


def test_rows_are_not_kept():
    """A hundred times as many rows need no more memory."""

    def peak(count):
        tracemalloc.start()
        assert sum(1 for _ in read(Long(count), "t.csv")) == count
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak(300_000) < 2 * peak(2_000)


def test_nothing_is_read_ahead_of_need():
    """The first rows come while most of the table is still unread."""
    stream = Long(1_000_000)
    found = iter(read(stream, "t.csv"))
    assert next(found).cells == ["123", "2016-05-02", "9.2"]
    assert stream.left > 900_000


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Z"]), max_size=6)


@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_was_written_is_read(written, delimiter, encoding):
    """Every cell of a table comes back, in its column."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([["id", "a", "b"], *written])
    assert rows(text.getvalue().encode(encoding), delimiter=delimiter) == [row for row in written if any(row)]


@given(
    st.one_of(st.binary(max_size=300), st.text('a1,;\t|"\n\r \ufeffµ\0=', max_size=80).map(str.encode)),
    st.sampled_from([None, "utf-8", "utf-16", "cp1252", "utf-7", "punycode"]),
)
@example(b'"', None)
@example(b"\xef\xbb", None)
@example(b"\xff\xfe\x00", None)
@example(b"sep=", None)
def test_any_bytes_are_a_table_or_a_problem(content, encoding):
    """Nothing else is raised, and every row is as wide as the header."""
    try:
        found = table(content, encoding=encoding)
        width = len(found.header)
        given = list(found)
    except InputError:
        return
    assert all(len(row.cells) == width > 0 and row.line > found.header_line > 0 for row in given)

"""JSON is read with exact numbers, piece by piece, and what is wrong is told with its place."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hlhcli.errors import InputError
from hlhcli.readers import jsontext
from hlhcli.readers.jsontext import BadJson
from hlhcli.yamltree import JsonNumber

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "number", ["500.0", "340.5344240104487", "0.30000000000000004", "1e3", "-0", "123456789012345678901234567890"]
)
def test_numbers_stay_as_they_were_written(number):
    """A number is the text that stands there, told apart from a string."""
    found = jsontext.parse(f'{{"value": {number}}}', "x")["value"]
    assert found == number
    assert isinstance(found, JsonNumber)
    assert not isinstance(jsontext.parse(f'["{number}"]', "x")[0], JsonNumber)


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ('{"a": 1,\n "a": 2}', (1, 1), "written twice"),
        ('{"a":\n NaN}', (1, 1), "NaN is no number"),
        ('{"a": 1} x', (1, 9), "follows the end"),
        ('{"a": 1,\n "b" 2}', (2, 6), "not valid JSON"),
        ("[" * 100_000, (1, 1), "nested too deeply"),
        ("", (1, 1), "not valid JSON"),
    ],
)
def test_what_is_wrong_has_a_place(text, where, said):
    """Text that is no JSON is refused with line and column."""
    with pytest.raises(InputError, match=said) as caught:
        jsontext.parse(text, "x")
    assert (caught.value.problems[0].line, caught.value.problems[0].column) == where


def test_lines_are_read_one_by_one():
    """A line that is wrong does not hide the others; blank lines are passed over, and each keeps its number."""
    content = b'\xef\xbb\xbf{"a": 1}\n\n{"a"\n{"b": 2.50}\r\n"\xff"\n{"c": 3}'
    found = [(number, each if not isinstance(each, BadJson) else "bad") for number, each in jsontext.lines(io.BytesIO(content))]
    assert found == [(1, {"a": "1"}), (3, "bad"), (4, {"b": "2.50"}), (5, "bad"), (6, {"c": "3"})]


def test_a_line_without_end_is_passed_over(monkeypatch):
    """A line longer than the limit is told and skipped as a whole."""
    monkeypatch.setattr(jsontext, "MAX_LINE", 20)
    found = list(jsontext.lines(io.BytesIO(b'{"a": "' + b"x" * 100 + b'"}\n{"b": 1}\n')))
    assert isinstance(found[0][1], BadJson)
    assert found[1] == (2, {"b": "1"})


def test_members_are_read_one_by_one_with_their_places():
    """The entries of a Bundle come one after another, each with line and column."""
    text = '{"resourceType": "Bundle",\n "entry": [{"a": 1},\n   {"b": 2}], "type": "collection"}'
    found = [(key, member, (place.line, place.column)) for key, member, place in jsontext.members(text, "x", "entry")]
    assert found == [
        ("resourceType", "Bundle", (1, 18)),
        ("entry", {"a": "1"}, (2, 12)),
        ("entry", {"b": "2"}, (3, 4)),
        ("type", "collection", (3, 23)),
    ]


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=4), st.lists(VALUES, max_size=4), st.sampled_from([None, 1]))
def test_members_are_all_there(rest, entries, indent):
    """Piece by piece or as a whole: the same object."""
    whole = {**{key: value for key, value in rest.items() if key != "entry"}, "entry": entries}
    text = json.dumps(whole, indent=indent)
    found: dict = {"entry": []}
    for key, member, _ in jsontext.members(text, "x", "entry"):
        if key == "entry":
            found["entry"].append(member)
        else:
            found[key] = member
    assert found == jsontext.parse(text, "x")


@given(st.text(alphabet='{}[]",:0123 aeE.-\n\\u', max_size=40))
def test_any_text_is_read_or_refused(text):
    """Nothing but InputError comes out, of the whole or of its members, and both agree on what is JSON."""
    outcomes = []
    for read in (lambda: jsontext.parse(text, "x"), lambda: list(jsontext.members(text, "x", "entry"))):
        try:
            outcomes.append(read())
        except InputError:
            outcomes.append(None)
    if isinstance(outcomes[0], dict):
        assert outcomes[1] is not None
    elif outcomes[0] is None:
        assert outcomes[1] is None

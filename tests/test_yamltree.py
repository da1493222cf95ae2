"""YAML and JSON as text, with places; what could be misread or could hurt is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hlhcli.errors import InputError
from hlhcli.yamltree import Mapping, Sequence, mark_of, parse


@pytest.mark.parametrize("text", ["no", "on", "012", "12:30", "1e3", "0x1F", "2026-03-01", ".5", "1_000", "null", "=", "1.50"])
def test_scalars_stay_as_written(text):
    """YAML's own typing is never asked."""
    assert parse(f"a: {text}", "f")["a"] == text


def test_every_value_knows_its_place():
    """Line and column count from 1, for keys, values and list elements."""
    tree = parse("a: 1\nb:\n  - x\n  - c: 2\n", "f")
    assert mark_of(tree, ("a",), key=True) == (1, 1)
    assert mark_of(tree, ("a",)) == (1, 4)
    assert mark_of(tree, ("b", 1, "c")) == (4, 8)
    assert mark_of(tree, ("b", 1, "missing")) == (4, 5)


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("a: >20000\n", "f:1:6", "quote values that start with '>'"),
        ("a: > 20000\n", "f:1:6", "quote values that start with '>'"),
        ("a: >=1500\n", "f:1:5", "quote values that start with '>'"),
        ("a: >5\nb: 1\n", "f:1:4", "quote values that start with '>'"),
        ("a: [1, >5]\n", "f:1:8", "quote values that start with '>'"),
        ("a: 1\nb: 2\na: 3\n", "f:3:1", "'a' is written twice (first in line 1; what follows was not read)"),
        ('{"a": 1, "a": 2}', "f:1:10", "written twice"),
        ("a: 1\n---\nb: 1\n", "f:2:1", "more than one YAML document"),
        ("a: !!python/object:os.system x\n", "f:1:4", "tags"),
        ("a:\n\tb: 1\n", "f:2:1", "tab"),
        ("a: \x01b\n", "f:1:4", "control character"),
        ("a: *b\n", "f:1:4", "not defined"),
        ("a: &x [*x]\n", "f:1:8", "not defined"),
        ("? [a]\n: 1\n", "f:1:3", "plain text"),
        ("a: b: c\n", "f:1:5", "not valid YAML or JSON"),
        ('{"a": }', None, None),
        ('{"a": [1, 2}', "f:1:12", "not valid YAML or JSON"),
        ("", "f:1:1", "empty"),
        ("# nothing\n", "f:1:1", "empty"),
        ("[" * 100 + "]" * 100, "f:1:25", "nested deeper"),
        ("- " * 50_000 + "a", "f:1:49", "nested deeper"),
        ("[" + "a," * 150_000 + "]", "f:1:200000", "more than 100000 values"),
        ("x: 1\n" * 600_000, None, "larger than 2048 KiB"),
        ("k" * 500 + ": 1", "f:1:1", "a key is longer"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_refused(text, where, says):
    """What is wrong is told once, with line and column."""
    if says is None:
        assert parse(text, "f") == {"a": ""}
        return
    with pytest.raises(InputError) as caught:
        parse(text, "f")
    (problem,) = caught.value.problems
    assert says in problem.message
    assert where is None or problem.where == where


def test_aliases_are_counted_when_repeated():
    """Aliases work, and cannot multiply into more than the limit."""
    assert parse("a: &x [1, 2]\nb: *x\n", "f")["b"] == ["1", "2"]
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9))
    with pytest.raises(InputError, match="more than 100000 values"):
        parse(bomb, "f")


def test_not_utf8():
    """Text in another encoding is refused at the first byte that is not UTF-8; a byte order mark is no error."""
    with pytest.raises(InputError, match=r"^f:2:6: .*save it as UTF-8"):
        parse("a: 1\nb: 38°\n".encode("latin-1"), "f")
    assert parse("\ufeffa: 1\r\nb: 2\r\n".encode(), "f") == {"a": "1", "b": "2"}


values = st.recursive(
    st.text(max_size=8), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
)


@given(values.filter(lambda value: isinstance(value, (dict, list))), st.sampled_from([None, 1]), st.booleans())
def test_json_reads_back(value, indent, ascii_only):
    """Any JSON of texts is read as itself, escapes and characters beyond the basic plane included."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    if not ascii_only and any(
        (0x7F <= ord(c) < 0xA0 and ord(c) != 0x85) or 0xD800 <= ord(c) < 0xE000 or ord(c) in (0xFFFE, 0xFFFF, 0xFEFF) for c in text
    ):
        return  # what YAML does not allow unescaped
    if any(0xD800 <= ord(c) < 0xE000 for c in json.loads(text).__repr__()):
        return

    def plain(node):
        if isinstance(node, Mapping):
            return {key: plain(inner) for key, inner in node.items()}
        return [plain(inner) for inner in node] if isinstance(node, Sequence) else node

    assert plain(parse(text, "f")) == value


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    """No text fails in another way than by an InputError of one line."""
    try:
        parse(text, "f")
    except InputError as error:
        (problem,) = error.problems
        assert problem.line
        assert "\n" not in problem.message

"""What is written as YAML reads back as it was, whatever it holds."""

import yaml
from hypothesis import given
from hypothesis import strategies as st

from hlhcli.readers import yaml_writer
from hlhcli.readers.chart import Place
from hlhcli.readers.commented import Commented, CommentedList
from hlhcli.yamltree import parse

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
TREES = st.recursive(
    TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)


def commented(tree, note):
    """The same tree, with a comment beside everything."""
    if isinstance(tree, dict):
        made = Commented()
        for key, value in tree.items():
            made.put(key, commented(value, note), Place(), note)
        return made
    if isinstance(tree, list):
        many = CommentedList()
        for value in tree:
            many.put(commented(value, note), Place(), note)
        return many
    return tree


@given(
    st.dictionaries(st.sampled_from(["a", "b", "note: x", "no", "#"]), TREES, min_size=1, max_size=4),
    st.sampled_from(["", "Observation/1, 08:00", "# x: [\n- y"]),
)
def test_what_is_written_reads_back(tree, note):
    """The same texts in the same places; comments change nothing."""
    text = yaml_writer.write(commented(tree, note), ["a head: [", "of \u202e lines\nand more"])
    assert parse(text, "x") == tree


@given(TEXTS)
def test_a_text_is_a_text_for_other_tools_too(text):
    """Outside this tool the file is YAML all the same."""
    assert yaml.load(f"- {yaml_writer.scalar(text)}\n", yaml.BaseLoader) == [text]


def test_plain_words_have_no_quotes():
    """What people read most stands as people write it."""
    assert [yaml_writer.scalar(text) for text in ("900 ng/mL", "38 10*3/uL", "yes", "not done")] == [
        "900 ng/mL",
        "38 10*3/uL",
        "yes",
        "not done",
    ]
    assert yaml_writer.scalar(">20000 ng/mL") == '">20000 ng/mL"'

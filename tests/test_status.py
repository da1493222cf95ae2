"""Kleene logic, row by row."""

import pytest
from tables import rows

from hlhcli.status import Status, all_of, any_of, at_least

WORDS = {str(status): status for status in Status}


@pytest.mark.parametrize("row", rows("kleene"), ids=lambda row: f"{row['a']}, {row['b']}")
def test_truth_table(row):
    """and, or and not of three-valued statuses are Kleene's."""
    a, b = WORDS[row["a"]], WORDS[row["b"]]
    assert all_of([a, b]) is WORDS[row["a and b"]]
    assert any_of([a, b]) is WORDS[row["a or b"]]
    assert ~a is WORDS[row["not a"]]


def test_a_status_has_no_truth_value():
    """`if status:` cannot be written by mistake: unknown would pass as yes."""
    with pytest.raises(TypeError):
        bool(Status.UNKNOWN)


@pytest.mark.parametrize(
    ("met", "not_met", "unknown", "expected"),
    [(5, 3, 0, "met"), (4, 4, 0, "not met"), (4, 3, 1, "unknown"), (5, 0, 3, "met"), (0, 4, 4, "not met"), (0, 3, 5, "unknown")],
)
def test_at_least_five_of_eight(met, not_met, unknown, expected):
    """k of n is met at k, not met once k cannot be reached, else unknown."""
    statuses = [Status.MET] * met + [Status.NOT_MET] * not_met + [Status.UNKNOWN] * unknown
    assert at_least(5, statuses) is WORDS[expected]

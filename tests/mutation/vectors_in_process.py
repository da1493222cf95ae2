"""Every row of tests/spec/response.md, without a process of its own; for mutants of the modules."""

import pytest
from vectors import ROWS, first_wrong


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_row(row):
    assert first_wrong(row) is None

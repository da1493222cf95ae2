"""DuckDB against the reference evaluator: the tables that a clinician can read, and populations and definitions by chance."""

from __future__ import annotations

import os

import pytest

pytest.importorskip("duckdb")

from comparing import differences
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from plugged import evaluate, from_duckdb
from populations import definitions, populations
from reference_rows import reference
from spec_tables import Case, cases, check

from hlhcli import criteria
from hlhcli.cohort.embedded import DuckDB

ENGINE = DuckDB(memory="1GB", threads=2)
EXAMPLES = 60 * int(os.environ.get("HLHCLI_EXAMPLES", "1"))
CHANCE = settings(  # without shrinking: a population is small, and to make it smaller takes minutes
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
SETS = [criteria.load(name) for name in criteria.ids()]


@pytest.mark.parametrize("case", cases(), ids=str)
def test_the_tables_hold_on_duckdb(case: Case) -> None:
    """Every row of the tables of the cohort, by the query that the command runs."""
    assert check(case, lambda *given: evaluate(ENGINE, from_duckdb, *given)) == []


def _same(population, sets) -> list[str]:
    rows, anchors, lookback, persons = population.rows, population.anchors, population.lookback, population.persons
    expected = reference(rows, anchors, sets, lookback, persons)
    found = evaluate(ENGINE, from_duckdb, rows, anchors, sets, lookback, persons)
    return differences(expected.rows, found.rows)


@CHANCE
@given(population=populations(), chosen=st.lists(st.sampled_from(SETS), min_size=1, max_size=3, unique_by=lambda one: one.id))
def test_populations_by_chance_are_as_the_reference_says(population, chosen) -> None:
    """Any population, any of the sets that ship: status, range, value and time of every item, row by row."""
    assert _same(population, chosen) == []


@CHANCE
@given(population=populations(), definition=definitions())
def test_definitions_by_chance_are_as_the_reference_says(population, definition) -> None:
    """Any definition that the rule language can say."""
    assert _same(population, [definition]) == []

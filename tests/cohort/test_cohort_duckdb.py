"""DuckDB against the reference evaluator: the tables that a clinician can read, and populations and definitions by chance."""

from __future__ import annotations

import os
from collections import Counter

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
from hlhcli.cohort import packing, query, run
from hlhcli.cohort.embedded import DuckDB
from hlhcli.cohort.layout import Layout
from hlhcli.cohort.lookups import Lookups
from hlhcli.cohort.sql import literal

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


@pytest.mark.parametrize(("bits", "ends"), [(63, 0), (48, 48), (20, 3)], ids=["no end has a mark", "narrow moments", "38 digits"])
@settings(CHANCE, max_examples=EXAMPLES // 3)
@given(population=populations(), chosen=st.sampled_from(SETS))
def test_what_does_not_fit_is_packed_otherwise(bits, ends, population, chosen) -> None:
    """More different values than 64 bits hold beside a moment, and more ends of intervals than have marks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "_MOST_BITS", bits)
        patch.setattr(query, "_MOST_REACHES", ends)
        assert _same(population, [chosen]) == []


@settings(deadline=None)
@given(
    persons=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3), max_size=30)
    | st.lists(st.integers(-9, 99)),
    rows=st.integers(0, 9_000_000),
    number=st.integers(1, 9),
)
def test_parts_hold_every_person_once(persons, rows, number) -> None:
    """Whatever names the persons, however few there are, and also where not all are looked at."""
    layout = Layout([SETS[0]])
    read = run.Read(layout, Lookups(layout, "long"), [], rows, 0, Counter(), {})
    listed = ", ".join(f"({literal(each) if isinstance(each, str) else each})" for each in persons)
    relation = f"SELECT * FROM (VALUES {listed}) AS t(person_id)" if persons else "SELECT NULL AS person_id WHERE FALSE"
    conditions = run.parts(ENGINE, read, relation, number)
    assert len(conditions) == number
    counted = " + ".join(f"CASE WHEN {condition} THEN 1 ELSE 0 END" for condition in conditions)
    assert all(places == 1 for (places,) in ENGINE.rows(f"SELECT {counted} FROM ({relation}) AS persons"))

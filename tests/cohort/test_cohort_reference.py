"""What a cohort says, by the tables that clinicians can read and by what must hold for every population."""

from __future__ import annotations

from fractions import Fraction

import pytest
from comparing import differences
from hypothesis import given, settings
from hypothesis import strategies as st
from populations import CUTS, FINDINGS, Population, definitions, populations
from reference_rows import Anchor, Cohort, Row, read_row, reference
from spec_tables import Case, cases, check

from hlhcli import criteria, rules
from hlhcli.assessment import assess
from hlhcli.patient import Patient
from hlhcli.quantity import Interval
from hlhcli.readers import codes
from hlhcli.rules import CriteriaSet
from hlhcli.snapshot import snapshots

SETS = [criteria.load(name) for name in criteria.ids()]


@pytest.mark.parametrize("case", cases(), ids=str)
def test_a_row_of_the_tables(case: Case) -> None:
    """The reference says what was worked out by hand."""
    assert not check(case, reference)


def of(population: Population, *sets: CriteriaSet) -> Cohort:
    return reference(population.rows, population.anchors, sets, population.lookback, population.persons)


@given(populations())
def test_a_row_for_every_anchor_and_set(population: Population) -> None:
    """Nobody is lost: each person, anchor and set has one row, and its items count what the row says."""
    found = of(population, *SETS)
    anchors = population.anchors if not isinstance(population.anchors, str) else {(r["person_id"], r["anchor"]) for r in found.rows}
    assert len(found.rows) == len(anchors) * len(SETS)
    by_id = {each.id: each for each in SETS}
    for row in found.rows:
        own = [rules.item_id(item) for item in by_id[row["criteria"]].items]
        statuses = [row[name] for name in own]
        assert {*statuses} <= {"met", "not_met", "unknown"}
        assert all(
            value is None for name, value in row.items() if name.endswith("_value") and name.removesuffix("_value") not in own
        )
        if row["met"] is not None and row["criteria"] == "hlh-2004":
            assert (row["met"], row["unknown"]) == (statuses.count("met"), statuses.count("unknown"))


@given(populations())
def test_the_order_of_the_rows_says_nothing(population: Population) -> None:
    """A table has no order: turned around it gives the same rows."""
    turned = population._replace(rows=population.rows[::-1])
    assert not differences(of(population, *SETS).rows, of(turned, *SETS).rows)


@given(populations(), definitions())
def test_persons_do_not_touch(population: Population, definition: CriteriaSet) -> None:
    """What is known of one person says nothing of another."""
    together = of(population, definition).rows
    for person in {row["person_id"] for row in together}:
        anchors = population.anchors
        if not isinstance(anchors, str):
            anchors = tuple(anchor for anchor in anchors if anchor.person_id == person)
        rows = tuple(row for row in population.rows if row.person_id == person)
        alone = of(population._replace(rows=rows, anchors=anchors), definition).rows
        assert not differences([row for row in together if row["person_id"] == person], alone)


@given(populations(), definitions())
def test_without_rows_nothing_was_observed(population: Population, definition: CriteriaSet) -> None:
    """Without a row no item has a time, no count and no score is missing that another row of the set has."""
    nothing = of(population._replace(rows=()), definition).rows
    assert all(row[f"{rules.item_id(item)}_time"] is None for row in nothing for item in definition.items)
    counted = {row["met"] is None for row in of(population, definition).rows}
    assert not nothing or not counted or {row["met"] is None for row in nothing} == counted


@given(populations(counted=True), st.sampled_from(["0d", "1d", "7d"]))
def test_a_patient_file_with_a_window_says_the_same(population: Population, lookback: str) -> None:
    """What is read from a curve in the window of a time point is what the rows of the same days give."""
    for person in {anchor.person_id for anchor in population.anchors} if not isinstance(population.anchors, str) else ():
        days = sorted({anchor.time // 1 for anchor in population.anchors if anchor.person_id == person})
        rows = [row._replace(time=Fraction(row.time // 1)) for row in population.rows if row.person_id == person]
        rows = [row for row in rows if row.code in {*CUTS, *FINDINGS} - codes.lasting() and not read_row(row)[1]]
        rows.sort(key=lambda row: (row.value not in ("pending", "unknown"), row.value, row.unit or "", row.reference or ""))
        curves: dict[str, list[list[object]]] = {}
        for row in rows:
            limits = {} if row.reference in (None, "see note") else {"reference": row.reference}
            entry = {"value": row.value} | ({"unit": row.unit} if row.unit else {}) | (limits if row.code in CUTS else {})
            curves.setdefault(row.code, []).append([str(row.time), entry])
        timepoints = [{"name": f"day {day}", "day": str(day), "window": lookback} for day in days]
        series = {name: {"points": points} for name, points in curves.items()}
        patient = Patient.read({"timepoints": timepoints, "series": series})
        expected = [assess(each, snapshot) for snapshot in snapshots(patient)[0] for each in SETS]
        found = reference(rows, [Anchor(person, day) for day in days], SETS, lookback).rows
        assert len(expected) == len(found)
        for one, row in zip(expected, found, strict=True):
            score = one.score or Interval(None, None)
            assert (row["criteria"], row["verdict"], row["by"]) == (one.criteria.id, one.verdict, one.by)
            assert (row["score_min"], row["score_max"], row["applicable"]) == (score.lo, score.hi, one.applicable)
            assert {item.id: row[item.id] for item in one.items} == {item.id: item.status.value for item in one.items}


def test_differences_are_seen() -> None:
    """Two cohorts that are not the same are told apart, by row and by column."""
    rows = [Row("p1", 3, "ferritin", "900 ng/mL")]
    here, there = (reference(rows, [Anchor("p1", day)], SETS[:1], "0d").rows for day in (3, 4))
    assert len(differences(here, there)) == 2
    assert "met: 1 expected, 8 found" in differences(here, [here[0] | {"met": 8}])[0]
    assert "ferritin_time" in differences(here, [here[0] | {"ferritin_time": None}])[0]
    assert not differences(here, [dict(here[0])])


def test_the_definitions_are_of_every_kind() -> None:
    """Nothing of the rule language is left out by the random definitions."""
    seen: set[str] = set()

    @settings(max_examples=300, database=None)
    @given(definitions())
    def collect(definition: CriteriaSet) -> None:
        for node in rules.walk(definition.verdict):
            seen.add(node.kind if isinstance(node, rules.Logic) else type(node).__name__)
            if isinstance(node, (rules.Threshold, rules.Present)) and node.at:
                seen.add(node.at)
            if isinstance(node, rules.Change):
                seen.add(f"from {node.against}")
            if isinstance(node, rules.Threshold):
                seen.update({"two edges"} if len(node.edges) > 1 else {node.edges[0].unit.name} & {"ULN", "LLN"})
            if isinstance(node, rules.AtLeast) and node.required is None:
                seen.add("unpublished")

    collect()
    nodes = "all any not agree first_known if AtLeast Points Linear Score Threshold Present Word Ratio Change"
    assert seen >= {*nodes.split(), "baseline", "previous", "from nadir", "from peak", "two edges", "ULN", "LLN", "unpublished"}

"""Criteria files: read as data, every mistake told by line and column."""

import re
import typing

import jsonschema
import pytest
import yaml
from command import hlhcli

from hlhcli import cases, criteria, criteria_file, definition, rules, schemas
from hlhcli.errors import InputError

HEAD = "id: mine\ntitle: Mine\ncitation: {text: none}\nprovenance: primary\nverdict:\n"


def read(text):
    return definition.read(text, "c.yaml", criteria.load)


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("  when: feritin >= 500 ng/mL\n", "c.yaml:6:9: unknown observable 'feritin'; did you mean 'ferritin'?"),
        ("  when: ferritin >= 500\n", "c.yaml:6:9: '>= 500' has no unit; write for example '>= 500 ng/mL'"),
        ("  when: ferritin >= 500 furlongs\n", "c.yaml:6:9: unknown unit 'furlongs'"),
        ("  when: ferritin\n", "c.yaml:6:9: ferritin is a quantity"),
        ("  when: splenomegaly >= 3 cm\n", "c.yaml:6:9: splenomegaly is a finding"),
        ("  when: hemophagocytosis in brain\n", "c.yaml:6:9: hemophagocytosis cannot be brain; values are marrow, spleen"),
        ("  when: ferritin = 500 ng/mL\n", "c.yaml:6:9: 'ferritin = 500 ng/mL' is no comparison"),
        ("  stated: moleculr\n", "c.yaml:6:11: unknown observable 'moleculr'"),
        ("  any: []\n", "c.yaml:6:8: expected at least one rule"),
        ("  any: fever\n", "c.yaml:6:8: expected a list"),
        ("  al: [fever]\n", "c.yaml:6:3: unknown key 'al'; did you mean 'all'?"),
        ("  {all: [fever], any: [fever]}\n", "c.yaml:6:3: a rule says exactly one of"),
        ("  {id: x}\n", "c.yaml:6:3: a rule says exactly one of"),
        ("  {at_least: 3, of: [fever]}\n", "c.yaml:6:14: at_least is a whole number from 1 to 1"),
        ("  {at_least: 3}\n", "c.yaml:6:3: 'of' is missing"),
        ("  {if: fever, then: fever}\n", "c.yaml:6:3: 'else' is missing"),
        ("  {all: [fever], of: [fever]}\n", "c.yaml:6:3: 'of' does not belong to 'all'"),
        ("  {all: [{id: a, when: fever}, {id: a, when: splenomegaly}]}\n", "c.yaml:6:37: the id 'a' is used twice"),
        ("  {when: fever, provenance: sure}\n", "c.yaml:6:29: 'sure' is no grade of provenance"),
        ("  {when: fever, caution: [{when: fever}]}\n", "c.yaml:6:27: 'say' is missing"),
        ("  - fever\n", "c.yaml:6:3: expected a rule"),
    ],
)
def test_mistakes(verdict, expected):
    """A mistake in a rule is told at its place."""
    with pytest.raises(InputError) as caught:
        read(HEAD + verdict)
    assert str(caught.value).startswith(expected)


def test_a_set_of_ones_own():
    """A few lines make a set: phrases, logic, inherited provenance."""
    mine = read(HEAD + "  at_least: 2\n  of: [fever, {when: ferritin > 3000 ng/mL, provenance: secondary}, splenomegaly]\n")
    assert [group.required for group in mine.groups] == [2]
    assert [rules.worst(item) for item in mine.items] == ["primary", "secondary", "primary"]


def test_what_a_rule_asks_of_the_past():
    """Changes and what was so before, each once, in the order of the rule; what is asked of now is none of it."""
    now = ["platelets < 100 G/L", "splenomegaly"]
    past = ["ferritin falls >= 25 % from baseline", "fever at baseline", "crp rises from previous", "ferritin falls from baseline"]
    mine = read(f"{HEAD}  any:\n" + "".join(f"    - {{id: r{n}, when: {each}}}\n" for n, each in enumerate([*past, *now])))
    assert rules.asked_before(mine.verdict) == [("baseline", "ferritin"), ("baseline", "fever"), ("previous", "crp")]


def test_the_reader_and_the_schema_know_the_same_keys():
    """The keys that are accepted are those of the published form."""
    hints = typing.get_type_hints
    assert set(definition._RULE) == set(hints(criteria_file.RuleFile))
    assert set(definition._SET) == set(hints(criteria_file.CriteriaFile))
    assert set(definition._REQUIRED) == set(hints(criteria_file._Required))
    assert set(definition._CITATION) == set(hints(criteria_file.CitationFile))
    assert set(definition._REPORT) == set(hints(criteria_file.ReportFile))
    assert set(definition._CAUTION) == set(hints(criteria_file.CautionFile))
    assert set(definition._POPULATION) == set(hints(criteria_file.PopulationFile))
    assert set(cases._CASE) == set(hints(criteria_file.CaseFile))
    assert set(cases._EXPECT) == set(hints(criteria_file.ExpectFile))


@pytest.mark.parametrize("name", criteria.ids())
def test_built_in_sets_follow_the_schema(name):
    """Every set that ships validates against `hlhcli schema criteria`."""
    text = (criteria.FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    jsonschema.validate(yaml.load(text, yaml.BaseLoader), schemas.schema("criteria"))


@pytest.mark.parametrize("name", criteria.ids())
def test_sets_that_ship_say_where_their_numbers_come_from(name):
    """A user may leave the provenance out; a set that ships may not."""
    assert re.search(r"^provenance: ", (criteria.FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("name", criteria.ids())
def test_every_number_has_a_grade_and_none_is_unverified(name):
    """Provenance ships with every number; what was not verified is marked, and never part of the default set."""
    doubtful = {
        node.text for node in rules.walk(criteria.load(name).verdict)
        if node.about.grade not in rules.GRADES[:3] and not isinstance(node, (rules.Logic, rules.AtLeast))
    }  # fmt: skip
    known = {"mh-score": {">= 60"}, "mas-2016": {"temperature >= 38.0 Cel", "temperature >= 38.5 Cel"}}
    assert doubtful == known.get(name, set())
    assert not doubtful or "at worst: unverified" in hlhcli("check", "-c", name, "samples/broglie-2017.yaml").out


def test_hlh_2004_is_what_was_published():
    """Cut-offs, operators and units of the set, written once more by hand from the original table."""
    found = {leaf.text for leaf in rules.walk(criteria.load("hlh-2004").verdict) if not rules.children(leaf)}
    assert found == {
        "molecular_diagnosis stated", "fever", "temperature >= 38.5 Cel", "splenomegaly", "age < 4 wk", "hemoglobin < 100 g/L",
        "hemoglobin < 90 g/L", "platelets < 100 10*9/L", "neutrophils < 1.0 10*9/L", "triglycerides >= 3.0 mmol/L or >= 265 mg/dL",
        "fibrinogen <= 1.5 g/L", "hemophagocytosis in marrow, spleen, lymph node", "nk_activity in low, absent", "ferritin >= 500 ug/L",
        "sil2r >= 2400 U/mL",
    }  # fmt: skip

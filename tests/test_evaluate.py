"""The evaluator, node by node, on sets made for the purpose."""

import pytest

from hlhcli import definition, rules
from hlhcli.evaluate import evaluate, totals
from hlhcli.observations import Observation, read
from hlhcli.status import Status

HEAD = "id: mine\ntitle: Mine\ncitation: {text: none}\nprovenance: primary\nverdict: "
YES, NO, UNKNOWN = "yes", "no", "unknown"


def outcome(rule, marks=None, **known):
    node = definition.read(HEAD + rule + "\n", "c").verdict
    return evaluate(node, {name: Observation(read(name, text)) for name, text in known.items()}, marks or {})


@pytest.mark.parametrize(
    ("rule", "fever", "spleen", "expected"),
    [
        ("{all: [fever, splenomegaly]}", YES, YES, Status.MET),
        ("{all: [fever, splenomegaly]}", YES, UNKNOWN, Status.UNKNOWN),
        ("{all: [fever, splenomegaly]}", NO, UNKNOWN, Status.NOT_MET),
        ("{any: [fever, splenomegaly]}", NO, UNKNOWN, Status.UNKNOWN),
        ("{any: [fever, splenomegaly]}", YES, UNKNOWN, Status.MET),
        ("{any: [fever, splenomegaly]}", NO, NO, Status.NOT_MET),
        ("{not: fever}", YES, UNKNOWN, Status.NOT_MET),
        ("{not: fever}", UNKNOWN, YES, Status.UNKNOWN),
        ("{not: fever}", NO, YES, Status.MET),
        ("{first_known: [fever, splenomegaly]}", UNKNOWN, YES, Status.MET),
        ("{first_known: [fever, splenomegaly]}", NO, YES, Status.NOT_MET),
        ("{first_known: [fever, splenomegaly]}", UNKNOWN, UNKNOWN, Status.UNKNOWN),
        ("{if: fever, then: splenomegaly, else: {not: splenomegaly}}", YES, YES, Status.MET),
        ("{if: fever, then: splenomegaly, else: {not: splenomegaly}}", NO, YES, Status.NOT_MET),
        ("{if: fever, then: splenomegaly, else: {not: splenomegaly}}", UNKNOWN, YES, Status.UNKNOWN),
        ("{if: fever, then: splenomegaly, else: splenomegaly}", UNKNOWN, YES, Status.MET),
        ("{stated: fever}", UNKNOWN, YES, Status.NOT_MET),
        ("{stated: fever}", "pending", YES, Status.UNKNOWN),
        ("{stated: fever}", YES, YES, Status.MET),
        ("{at_least: 1, of: [fever, splenomegaly]}", UNKNOWN, NO, Status.UNKNOWN),
        ("{at_least: 2, of: [fever, splenomegaly]}", UNKNOWN, NO, Status.NOT_MET),
    ],
)
def test_node(rule, fever, spleen, expected):
    """Each kind of logic, three-valued."""
    assert outcome(rule, fever=fever, splenomegaly=spleen).status is expected


def test_the_edge_of_the_reported_unit_decides():
    """Of several printed edges, the one in the reported unit (or a power of ten of it) is used; else the first."""
    rule = "{when: triglycerides >= 3.0 mmol/L or >= 265 mg/dL}"
    assert outcome(rule, triglycerides="265 mg/dL").status is Status.MET
    assert outcome(rule, triglycerides="2.65 g/L").status is Status.MET
    assert outcome(rule, triglycerides="2.999 mmol/L").status is Status.NOT_MET
    single = "{when: triglycerides >= 3.0 mmol/L}"
    assert outcome(single, triglycerides="265 mg/dL").status is Status.NOT_MET
    assert outcome(single, triglycerides="265.71 mg/dL").status is Status.MET


def test_a_choice_shows_the_branch_that_was_taken():
    """The evidence holds the cut-off that applied, and both where the condition is unknown."""
    rule = "{if: malignancy, then: hemoglobin < 100 g/L, else: hemoglobin < 90 g/L}"
    taken = outcome(rule, malignancy="no", hemoglobin="95 g/L")
    assert [line.rule for line in taken.evidence] == ["hemoglobin < 90 g/L"]
    either = outcome(rule, hemoglobin="95 g/L")
    assert [line.rule for line in either.evidence] == ["hemoglobin < 100 g/L", "hemoglobin < 90 g/L", "malignancy"]


def test_marks_decide_only_what_is_open():
    """A mark fills an unknown item and is told apart; against a known one it is only a caution."""
    rule = "{at_least: 1, of: [{id: a, when: fever}, {id: b, when: splenomegaly}]}"
    filled = outcome(rule, {"a": Status.MET}, splenomegaly="no")
    assert (filled.status, filled.children[0].reported) == (Status.MET, True)
    kept = outcome(rule, {"b": Status.MET}, splenomegaly="no")
    assert (kept.children[1].status, kept.children[1].reported) == (Status.NOT_MET, False)
    assert "the values decide" in kept.cautions[0][1]


def test_nodes_are_a_closed_set():
    """Every node has children or is a leaf; walking finds them all."""
    node = definition.read(HEAD + "{any: [fever, {all: [splenomegaly, {not: malignancy}]}]}\n", "c").verdict
    assert sum(1 for _ in rules.walk(node)) == 6


@pytest.mark.parametrize(("mark", "low", "high"), [(Status.MET, 5, 9), (Status.NOT_MET, 0, 0), (Status.UNKNOWN, 0, 9)])
def test_a_mark_narrows_the_points_that_are_open(mark, low, high):
    """Reported as met: some of its points, never none of them; reported as not met: none."""
    found = outcome("{score: '>= 3', of: [{id: a, points: {5: fever, 9: splenomegaly}}]}", {"a": mark})
    assert found.range == (low, high, False, False)


@pytest.mark.parametrize(
    ("marks", "known", "sums"),
    [
        ({}, {"fever": UNKNOWN, "splenomegaly": YES}, {7, 12}),
        ({}, {"fever": NO, "splenomegaly": YES}, {7}),
        ({}, {"fever": NO, "splenomegaly": NO}, {0}),
        ({"a": Status.MET}, {"splenomegaly": YES}, {12}),
        ({}, {}, {0, 5, 7, 12}),
    ],
)
def test_the_sums_that_a_score_could_have(marks, known, sums):
    """Every sum of points that are open, and no other."""
    rule = "{score: '>= 6', of: [{id: a, points: {5: fever}}, {id: b, points: {7: splenomegaly}}]}"
    assert totals(outcome(rule, marks, **known)) == sums


def test_a_weighted_quantity_has_no_list_of_sums():
    assert totals(outcome("{score: '>= 6', of: [{id: a, points: 0.001 per U/L of ldh}]}", ldh="300 U/L")) is None


@pytest.mark.parametrize(
    ("caution", "known", "said"),
    [
        ("ferritin >= 500 ug/L", {"ferritin": "600 ng/mL"}, True),
        ("ferritin >= 500 ug/L", {"ferritin": ">400 ng/mL"}, True),
        ("ferritin >= 500 ug/L", {"ferritin": "400 ng/mL"}, False),
        ("ferritin >= 500 ug/L", {"ferritin": "elevated"}, False),
        ("ferritin >= 500 ug/L", {}, False),
        ("sil2r >= 2400 U/mL", {"sil2r": "5000 pg/mL"}, False),
        ("splenomegaly", {"splenomegaly": YES}, True),
        ("ferritin in ng/mL / esr in mm/h > 20", {"ferritin": "5000 ng/mL", "esr": "10 mm/h"}, True),
        ("ferritin in ng/mL / esr in mm/h > 20", {"ferritin": "5000 ng/mL", "esr": "0 mm/h"}, False),
    ],
)
def test_a_caution_needs_something_to_compare(caution, known, said):
    """Given where its rule is met or may be; not for words, for another assay, for an undefined ratio, or for nothing."""
    found = outcome(f"{{id: x, when: fever, caution: [{{when: {caution}, say: look}}]}}", fever=YES, **known)
    assert bool(found.cautions) is said


@pytest.mark.parametrize(
    ("name", "rule", "word", "mark", "warned"),
    [
        ("ferritin", "ferritin >= 500 ug/L", "normal", Status.MET, True),
        ("ferritin", "ferritin >= 500 ug/L", "normal", Status.NOT_MET, False),
        ("ferritin", "ferritin >= 500 ug/L", "elevated", Status.NOT_MET, True),
        ("ferritin", "ferritin >= 500 ug/L", "elevated", Status.MET, False),
        ("hemoglobin", "hemoglobin < 90 g/L", "low", Status.NOT_MET, True),
        ("hemoglobin", "hemoglobin < 90 g/L", "low", Status.MET, False),
        ("hemoglobin", "hemoglobin < 90 g/L", "elevated", Status.NOT_MET, False),
    ],
)
def test_a_mark_against_a_word_is_told(name, rule, word, mark, warned):
    """The mark decides, for a word has no number; where the word says the opposite there is a warning."""
    found = outcome(f"{{id: x, when: {rule}}}", {"x": mark}, **{name: word})
    assert found.status is mark
    assert any("the mark decides" in say for _, say in found.cautions) is warned


def test_cutoffs_that_differ_leave_one_line_of_evidence():
    """The value between two published cut-offs is shown once, by the first of them, with what each says."""
    (line,) = outcome("{agree: [temperature >= 38.0 Cel, temperature >= 38.5 Cel]}", temperature="38.2 Cel").evidence
    assert (line.rule, line.status) == ("temperature >= 38.0 Cel", Status.UNKNOWN)
    assert line.note == "open: met by temperature >= 38.0 Cel, but not met by temperature >= 38.5 Cel"


def test_what_is_stated_is_told_against_the_value():
    """The first finding that decides is named; what is not known is not listed beside it."""
    rule = "{first_known: [{all: [fever, splenomegaly]}, temperature >= 38.5 Cel]}"
    ((about, say),) = outcome(rule, fever=NO, splenomegaly=YES, temperature="39 Cel").cautions
    assert about == "temperature"
    assert say == "fever is stated as no, although 39 Cel would meet temperature >= 38.5 Cel"
    shown = outcome("{first_known: [fever, temperature >= 38.5 Cel]}", fever=YES).evidence
    assert [line.observable for line in shown] == ["fever"]


def test_beside_what_decides_only_known_values_are_shown():
    rule = "{first_known: [fever, {any: [temperature >= 38.5 Cel, splenomegaly]}]}"
    assert [line.observable for line in outcome(rule, fever=YES, temperature="39 Cel").evidence] == ["fever", "temperature"]


@pytest.mark.parametrize(
    ("fever", "temperature", "warned"),
    [("no", "39 C", True), ("no", "37 C", False), ("yes", "39 C", False), ("yes", "37 C", False)],
)
def test_only_a_value_that_would_meet_what_is_denied_is_told(fever, temperature, warned):
    """A stated absence against a value that says otherwise; nothing else is worth a warning."""
    found = outcome("{id: fever, first_known: [fever, temperature >= 38.5 Cel]}", fever=fever, temperature=temperature)
    assert bool(found.cautions) is warned


@pytest.mark.parametrize(
    ("rule", "identity", "title"),
    [
        ("{not: fever}", "fever", "No fever"),
        ("ferritin >= 500 ug/L", "ferritin", "Ferritin"),
        ("{id: high, when: ferritin >= 500 ug/L}", "high", "Ferritin"),
        ("{id: high, title: Very high, when: ferritin >= 500 ug/L}", "high", "Very high"),
        ("{if: fever, then: splenomegaly, else: ferritin >= 500 ug/L}", "fever", "Fever"),
        ("ferritin in ng/mL / esr in mm/h > 21.5", "ferritin", "Ferritin"),
    ],
)
def test_what_heads_an_item(rule, identity, title):
    """Its own id and title, else those of the first observable that it is about."""
    node = definition.read(HEAD + rule + "\n", "c").verdict
    assert (rules.item_id(node), rules.title(node)) == (identity, title)


def test_a_set_of_comparisons_is_listed_by_its_items():
    """Each comparison is an item, and what stands beside the count is none."""
    found = definition.read(
        HEAD + "{any: [{stated: molecular_diagnosis}, {at_least: 1, of: [fever, ferritin >= 500 ug/L]}]}\n", "c"
    )
    assert [rules.item_id(item) for item in found.items] == ["fever", "ferritin"]


def test_a_rule_on_another_time():
    """All of its comparisons are asked of that time, and it says so; what is about the present cannot be."""
    node = rules.at(definition.read(HEAD + "{all: [ferritin >= 500 ug/L, fever]}\n", "c").verdict, "baseline")
    assert [(leaf.at, leaf.text) for leaf in rules.leaves(node)] == [
        ("baseline", "ferritin >= 500 ug/L at baseline"),
        ("baseline", "fever at baseline"),
    ]
    assert node.about.id is None
    with pytest.raises(ValueError, match="about the present"):
        rules.at(definition.read(HEAD + "ferritin in ng/mL / esr in mm/h > 21.5\n", "c").verdict, "baseline")


def test_ratios_under_other_cutoffs_and_other_ratios():
    """What agrees on one ratio has its range; of two ratios there is no one range."""
    values = {"ferritin": "1000 ng/mL", "esr": "10 mm/h", "crp": "5 mg/L"}
    assert (
        outcome("{agree: [ferritin in ng/mL / esr in mm/h > 21.5, ferritin in ng/mL / esr in mm/h >= 21.5]}", **values).range.lo
        == 100
    )
    assert (
        outcome("{agree: [ferritin in ng/mL / esr in mm/h > 21.5, ferritin in ng/mL / crp in mg/L > 21.5]}", **values).range is None
    )


def test_an_item_without_an_id_goes_by_its_first_observable():
    """Of a ratio that above the line."""
    node = definition.read(HEAD + "ferritin in ng/mL / esr in mm/h > 21.5\n", "c").verdict
    assert rules.item_id(node._replace(about=node.about._replace(id=None))) == "ferritin"

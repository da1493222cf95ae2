"""The evaluator, node by node, on sets made for the purpose."""

import pytest

from hlhcli import definition, rules
from hlhcli.evaluate import evaluate
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

"""The cases of the files that use every kind of rule, without a process of their own; for mutants of the modules."""

import pytest

from hlhcli import cases, criteria, responses

SETS = {name: criteria.load(name) for name in ("hlh-2004", "hscore", "ms-score", "ferritin-esr", "mas-2016", "hlh-2024")}


@pytest.mark.parametrize("name", SETS)
def test_cases(name):
    for ran in cases.run((criteria.FOLDER / f"{name}.yaml").read_bytes(), name, SETS[name]):
        assert not ran.problems, ran.name


def test_organ_dysfunction():
    path = criteria.FOLDER / "organ" / "psofa.yaml"
    for ran in cases.run(path.read_bytes(), path.name, responses.organ_dysfunction()):
        assert not ran.problems, ran.name

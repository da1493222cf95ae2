"""Every case that stands in a criteria file: by the evaluator, and by the real command."""

import json

import pytest
import yaml
from command import hlhcli

from hlhcli import cases, criteria, definition

CONTENT = {name: (criteria.FOLDER / f"{name}.yaml").read_bytes() for name in criteria.ids()}
CASES = {name: yaml.load(text, yaml.BaseLoader)["cases"] for name, text in CONTENT.items()}
OUTCOMES = {name: cases.run(text, f"{name}.yaml", criteria.load(name)) for name, text in CONTENT.items()}
EVERY = [(name, place) for name, found in CASES.items() for place in range(len(found))]


@pytest.mark.parametrize(("name", "place"), EVERY, ids=lambda value: str(value))
def test_case(name, place):
    """What the set says of the case is what the case expects."""
    assert [str(problem) for problem in OUTCOMES[name][place].problems] == []


@pytest.mark.parametrize("name", criteria.ids())
def test_a_set_specifies_itself(name):
    """Every set carries cases; each has a name of its own; the cut at the cases changes nothing of the definition."""
    names = [case["name"] for case in CASES[name]]
    assert len(names) >= 20
    assert len(set(names)) == len(names)
    assert definition.read(CONTENT[name], f"{name}.yaml", criteria.load) == criteria.load(name)


@pytest.mark.parametrize("name", criteria.ids())
def test_the_command_says_the_same(name, tmp_path):
    """All cases of a set in one call of `hlhcli check --json`, read as a script would read them."""
    files = []
    for place, case in enumerate(CASES[name]):
        patient = {key: case[key] for key in ("age", "onset") if key in case}
        timepoint = {"name": "now", "observations": case.get("observations", {})}
        genetics = {"genetics": case["genetics"]} if "genetics" in case else {}
        files.append(tmp_path / f"{place:03}.json")
        files[-1].write_text(json.dumps({"patient": patient, "timepoints": [timepoint], **genetics}), encoding="utf-8")
    ran = hlhcli("check", "--json", "--criteria", name, *files)
    assert ran.code == 0, ran.err
    results = ran.json["results"]
    assert len(results) == len(files)
    for case, result in zip(CASES[name], results, strict=True):
        (found,) = result["assessments"]
        for key, expected in case["expect"].items():
            if key not in ("warns", "warns_not"):
                assert said(found, key) == expected.replace("above", "at least"), (case["name"], key)  # JSON knows no open ends


def said(assessment, key):
    """The same words as in a case, made from the JSON alone."""
    if key == "verdict":
        return assessment["verdict"].replace("_", " ")
    if key == "applicable":
        return {True: "yes", False: "no", None: "unknown"}[assessment["applicable"]]
    if key == "count":
        return " / ".join(str(assessment["count"][name]) for name in ("met", "not_met", "unknown"))
    if key == "probability":
        both = assessment["probability"]
        return "none" if both is None else " to ".join(dict.fromkeys((both["min"], both["max"])))
    if key == "score":
        return between(assessment["score"])
    (item,) = [item for item in assessment["items"] if item["id"] == key]
    return item["status"].replace("_", " ") if item["points"] is None else between(item["points"])


def between(known):
    lo, hi = known["min"], known["max"]
    if lo is None or hi is None:
        return "not known" if lo is hi else f"at least {lo}" if hi is None else f"at most {hi}"
    return str(lo) if lo == hi else f"{lo} to {hi}"


def test_a_case_that_differs_is_told_at_its_place(tmp_path):
    """What is wrong with a case, or with its expectation, is told with line and column, and the others still run."""
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "id: mine\ntitle: Mine\ncitation: {text: none}\nprovenance: primary\nverdict: {when: ferritin >= 500 ng/mL}\ncases:\n"
        "  - {name: right, observations: {ferritin: 600 ng/mL}, expect: {verdict: met}}\n"
        "  - {name: wrong, observations: {ferritin: 600 ng/mL}, expect: {verdict: not met}}\n"
        "  - {name: misspelled, observations: {feritin: 600 ng/mL}, expect: {verdict: met}}\n"
        "  - {name: no such item, observations: {}, expect: {feritin: met}}\n"
        "  - {name: expects nothing, observations: {}}\n",
        encoding="utf-8",
    )
    ran = hlhcli("criteria", "test", "mine.yaml", cwd=tmp_path)
    assert ran.code == 1
    assert ran.out == "mine: 4 of 5 cases differ\n"
    lines = ran.err.splitlines()
    assert lines[0] == "mine.yaml:8:74: wrong: verdict is met, expected not met"
    assert lines[1].startswith("mine.yaml:9:39: unknown observable 'feritin'; did you mean 'ferritin'?")
    assert lines[2].startswith("mine.yaml:10:53: unknown key 'feritin'; did you mean 'ferritin'?")
    assert lines[3].startswith("mine.yaml:11:5: expected {name:")


def test_the_command_runs_all_cases():
    """`hlhcli criteria test` without a name runs every set that ships."""
    ran = hlhcli("criteria", "test")
    assert ran.code == 0, ran.err
    assert [line.split(":")[0] for line in ran.out.splitlines()] == list(criteria.ids())
    assert ran.out.count("all as expected") == len(criteria.ids())

"""Criteria of one's own: files, folders, variants, comparison; and the pages that are made from the sets that ship."""

import re

import jsonschema
import pytest
import yaml
from command import ROOT, SAMPLES, hlhcli
from tables import patient_yaml

from hlhcli import cases, criteria, schemas
from hlhcli.api import check, evaluate_document, load, parse_document
from hlhcli.errors import InputError
from hlhcli.render.criteria import markdown_page

SEED = "samples/broglie-2017.yaml"
MINE = (ROOT / "tests" / "data" / "my-hospital.yaml").read_text(encoding="utf-8")


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "my-hospital.yaml"
    path.write_text(MINE, encoding="utf-8")
    return path


def test_a_file_of_ones_own(mine):
    """Under 30 lines, no Python: checked, shown, tested, and valid by the schema."""
    assert len(MINE.splitlines()) < 30
    ran = hlhcli("check", "--json", "--criteria", mine, SEED)
    assert ran.code == 0, ran.err
    first, *_ = ran.json["results"][0]["assessments"]
    assert (first["criteria"], first["count"]["met"], first["verdict"]) == ("my-hospital", 2, "indeterminate")
    assert "ast > 3 ULN" in hlhcli("criteria", mine).out
    assert hlhcli("criteria", "test", mine).out == "my-hospital: 2 cases, all as expected\n"
    jsonschema.validate(yaml.load(MINE, yaml.BaseLoader), schemas.schema("criteria"))


def test_a_folder_of_ones_own(mine):
    """By an option or an environment variable the sets of a folder are known by their ids, to `all` too, and to what is reported."""
    variant = mine.with_name("stricter.yaml")
    variant.write_text(
        "id: stricter\nextends: my-hospital\ntitle: Stricter\ncitation: {text: none}\nprovenance: secondary\nat_least: 4\n",
        encoding="utf-8",
    )
    for arguments, environment in ((["--criteria-dir", mine.parent], {}), ([], {"HLHCLI_CRITERIA": str(mine.parent)})):
        ran = hlhcli("check", "--json", "-c", "stricter", "-c", "my-hospital", *arguments, SEED, **environment)
        assert ran.code == 0, ran.err
        required = [each["count"]["required"] for each in ran.json["results"][0]["assessments"]]
        assert required == [4, 4, 4, 3, 3, 3]
        assert hlhcli("criteria", *arguments, **environment).out.count("\n") == len(criteria.ids()) + 2
    reported = patient_yaml("", extra="    reported: {my-hospital: {verdict: met}}\n")
    assert hlhcli("check", "-", stdin=reported).code == 1
    assert hlhcli("check", "--criteria-dir", mine.parent, "-", stdin=reported).code == 0


def test_from_python(mine):
    """A path is as good as an id."""
    found = check(load(SAMPLES / "broglie-2017.yaml"), mine, "hscore")
    assert [each.criteria.id for each in found] == ["my-hospital"] * 3 + ["hscore"] * 3


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("id: my-hospital", "id: hlh-2004"), "the id 'hlh-2004' belongs to a set that ships; choose another"),
        (("id: my-hospital", "id: My Hospital"), ":1:5: the id of a set is made of small letters"),
        (("ferritin >= 2000 ng/mL", "feritin >= 2000 ng/mL"), ":9:45: unknown observable 'feritin'; did you mean 'ferritin'?"),
        (("at_least: 3", "at_least: 6"), ":6:13: at_least is a whole number from 1 to 5"),
        (("provenance: secondary", "provenance: sure"), ":4:13: 'sure' is no grade of provenance"),
        (("title: When we call hematology", "title: [a]"), ":2:8: expected text here"),
        (("verdict:", "extends: hlh-2004\nverdict:"), "write either 'verdict'"),
        (("verdict:", "at_least: 3\nverdict:"), ":5:1: 'at_least' belongs to a variant"),
    ],
)
def test_mistakes_are_told_at_their_place(mine, change, expected):
    """Wrong usage: exit 2, one line with file, line and column; nothing is evaluated."""
    mine.write_text(MINE.replace(*change, 1), encoding="utf-8")
    ran = hlhcli("check", "-c", mine, SEED)
    assert (ran.code, ran.out) == (2, "")
    assert expected in ran.err
    assert str(mine) in ran.err
    assert len(ran.err.splitlines()) == 1


VARIANT = "id: v\ntitle: V\ncitation: {text: none}\nprovenance: primary\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("extends: hlh2004\n", "v.yaml:5:10: unknown criteria 'hlh2004'; did you mean 'hlh-2004'?"),
        ("extends: hlh-2004\nwithout: [nk]\n", "v.yaml:6:11: 'nk' is no item of hlh-2004"),
        ("extends: hlh-2004\nchange: {feritin: {when: ferritin > 3000 ng/mL}}\n", "v.yaml:6:10: 'feritin' is no item of hlh-2004; did you mean 'ferritin'?"),
        ("extends: hlh-2004\nadd: [{id: ferritin, when: ferritin > 1 ug/L}]\n", "v.yaml:6:7: hlh-2004 has an item 'ferritin' already"),
        ("extends: hlh-2004\nat_least: 9\n", "v.yaml:6:11: at_least is a whole number from 1 to 8"),
        ("extends: hlh-2004\nwithout: [fever, splenomegaly, ferritin, sil2r]\n", "v.yaml:6:10: 5 of 4 items cannot be met"),
        ("extends: hscore\nat_least: 3\n", "v.yaml:6:1: hscore does not count its items in one list"),
        ("extends: hlh-2004\nscore: '>= 3'\n", "v.yaml:6:1: hlh-2004 is no score"),
        ("extends: hscore\nscore: about 3\n", "v.yaml:6:8: 'about 3' is no cut-off of a score"),
        ("extends: v\n", "extends itself"),
    ],
)  # fmt: skip
def test_mistakes_in_a_variant(tmp_path, text, expected):
    """What a variant may say is checked against the set that it extends."""
    (tmp_path / "v.yaml").write_text(VARIANT + text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        criteria.Library([tmp_path]).load("v")
    assert expected in str(caught.value)


def test_a_variant_of_a_score(tmp_path):
    """Another cut-off, an item left out: in three lines."""
    (tmp_path / "v.yaml").write_text(VARIANT + "extends: hscore\nscore: '>= 168'\nwithout: [ast]\n", encoding="utf-8")
    (assessment,) = evaluate("", criteria.Library([tmp_path]).load("v"))
    assert (assessment.criteria.score.cutoff, len(assessment.items), assessment.score.hi) == (168, 8, 318)
    assert assessment.criteria.probability == criteria.load("hscore").probability


def evaluate(observed, *sets, age="11 y"):
    return evaluate_document(parse_document(patient_yaml(observed, age), "p"), sets).assessments


def test_diff_shows_only_what_differs():
    """`criteria --diff`: the rule, the population, and the items that are not the same."""
    out = hlhcli("criteria", "--diff", "hlh-2004", "hlh-2004-knaak-2020").out
    assert re.findall(r"^\w.*", out, re.MULTILINE) == [
        "hlh-2004 and hlh-2004-knaak-2020", "Rule", "Population", "Fever (fever)", "Ferritin (ferritin)",
    ]  # fmt: skip
    assert "ferritin >= 3000 ug/L" in out
    assert hlhcli("criteria", "--diff", "hscore", "hscore").out.endswith("The same rule.\n")


def test_all_shows_where_the_sets_disagree():
    """Five met with NK activity: met by HLH-2004, not by HLH-2024, on account of the item that only one of them has."""
    five = "fever: yes; splenomegaly: yes; hb: 8 g/dL; plt: 60 G/L; ferritin: 900 ng/mL; nk_activity: low; tg: 1.5 mmol/L; fibrinogen: 3.0 g/L; hemophagocytosis: no; sil2r: 800 U/mL"
    ran = hlhcli("check", "--json", "-c", "all", "-", stdin=patient_yaml(five))
    (comparison,) = ran.json["results"][0]["comparison"]
    assert (comparison["verdicts"]["hlh-2004"], comparison["verdicts"]["hlh-2024"]) == ("met", "not_met")
    (found,) = [each for each in comparison["disagreements"] if each["other"] == "hlh-2024"]
    assert found["items"] == [{"id": "nk_activity", "title": "NK activity", "first": "met", "other": None}]
    shown = " ".join(hlhcli("check", "-c", "all", "-", stdin=patient_yaml(five)).out.split())
    assert "hlh-2004 met, hlh-2024 not met: only in hlh-2004: NK activity (met)" in shown
    assert "o-hlh-2004" not in shown.partition("now: ")[2]  # made for adults with a malignancy, and not for this patient
    stated = patient_yaml(five.replace("hemophagocytosis", "malignancy: yes; hemophagocytosis"), "40 y")
    shown = " ".join(hlhcli("check", "-c", "hlh-2004", "-c", "o-hlh-2004", "-", stdin=stated).out.split())
    assert "Ferritin met, but not met in o-hlh-2004 (ferritin > 1000 ng/mL; 900 ng/mL)" in shown


def test_next_tests_over_all_criteria():
    """The tests that could settle most open verdicts come first, and each set named could really come to that verdict."""
    known = "fever: yes; splenomegaly: yes; ferritin: 9000 ng/mL; plt: 60 G/L; hb: 8 g/dL; tg: 2 mmol/L; sjia: yes"
    ran = hlhcli("check", "--json", "-c", "hlh-2004", "-c", "hscore", "-c", "mas-2016", "-", stdin=patient_yaml(known))
    (comparison,) = ran.json["results"][0]["comparison"]
    assert comparison["verdicts"] == {"hlh-2004": "indeterminate", "hscore": "indeterminate", "mas-2016": "met"}
    steps = [(set(step["observables"]), {each["criteria"] for each in step["could_settle"]}) for step in comparison["next_tests"]]
    assert ({"fibrinogen"}, {"hlh-2004"}) in steps
    assert "hscore" not in {name for _, names in steps for name in names}  # made for adults; this patient is 11
    grown = hlhcli("check", "--json", "-c", "hlh-2004", "-c", "hscore", "-", stdin=patient_yaml(known, "40 y"))
    (comparison,) = grown.json["results"][0]["comparison"]
    assert {each["criteria"] for each in comparison["all_open"]["could_settle"]} == {"hlh-2004", "hscore"}


def test_one_set_has_nothing_to_compare():
    """The results of a single set hold an empty comparison."""
    assert hlhcli("check", "--json", SEED).json["results"][0]["comparison"] == []


@pytest.mark.parametrize(
    ("name", "observed", "age", "applicable", "reason"),
    [
        ("hlh-2024", "fever: yes", "17 y", False, "Not made for this patient, but for familial HLH in children under 16 years. Here Age: 17 y"),
        ("hlh-2024", "fever: yes", "unknown", None, "whether this patient is one is open. Here Age: not stated"),
        ("hlh-2024", "fever: yes", "15 y", True, None),
        ("mas-2016", "sjia: no", "8 y", False, "Here Systemic JIA: no"),
        ("ohi", "malignancy: yes", "60 y", True, None),
        ("ohi", "malignancy: yes", "6 y", False, "Here Age: 6 y"),
        ("ohi", "", "60 y", None, "Here Malignancy: not stated"),
        ("mh-score", "", "1 y", None, "a patient file cannot say"),
        ("mh-score", "", "60 y", False, "Here Age: 60 y"),
        ("hlh-2004-lorenz-2020", "intensive_care: yes", "60 y", None, "a patient file cannot say"),
    ],
)  # fmt: skip
def test_population(name, observed, age, applicable, reason):
    """Outside its population a set still shows its figures, says that it was not made for this patient, and why."""
    (assessment,) = evaluate(observed, criteria.load(name), age=age)
    assert assessment.applicable is applicable
    assert (assessment.not_applicable is None) if reason is None else (reason in assessment.not_applicable)
    assert reason is None or assessment.not_applicable in assessment.notes


def test_a_later_time_point_does_not_change_who_the_patient_is():
    """Where only the first time point has a day, the age later is open upwards; the population goes by the age at the first."""
    text = "patient: {age: 3 y}\ntimepoints:\n  - {name: a, day: 0}\n  - {name: later}\n"
    found = evaluate_document(parse_document(text, "p"), [criteria.load("hscore")]).assessments
    assert [each.applicable for each in found] == [False, False]


def test_genetics_beside_a_set_that_reads_a_statement():
    """HLH-2004 reads molecular_diagnosis; variants that are listed without it are not passed over in silence."""
    text = patient_yaml("") + "genetics: {variants: [{gene: PRF1, zygosity: homozygous, classification: pathogenic}]}\n"
    (assessment,) = evaluate_document(parse_document(text, "p"), [criteria.load("hlh-2004")]).assessments
    assert any("PRF1 homozygous pathogenic: this set reads molecular_diagnosis" in note for note in assessment.notes)
    for answer, said in (("yes", False), ("no", True)):
        stated = text.replace("    observations:\n", f"    observations: {{molecular_diagnosis: {answer}}}\n")
        (assessment,) = evaluate_document(parse_document(stated, "p"), [criteria.load("hlh-2004")]).assessments
        assert any("this set reads" in note for note in assessment.notes) is said


def test_what_speaks_against_is_not_called_abnormal():
    """A pending malignancy could make HLH-94 not met: the lines below the table do not call that normal."""
    known = "temperature: 39 C; fever_duration: 9 d; spleen_size: 5 cm; hb: 7 g/dL; plt: 50 G/L; tg: 4 mmol/L; hemophagocytosis: marrow; malignancy: pending"
    shown = hlhcli("check", "-c", "hlh-94", "-", stdin=patient_yaml(known)).out
    assert "if abnormal" not in shown
    assert "Could be not met by" in shown


def test_the_age_at_onset_that_is_taken_is_said():
    """Without an onset the age at the first time point stands for it, and every output says so."""
    known = "anc: 1 G/L; fibrinogen: 100 mg/dL; splenomegaly: no; plt: 90 G/L; hb: 9 g/dL"
    shown = " ".join(hlhcli("check", "-c", "mh-score", "-", stdin=patient_yaml(known, "5 y")).out.split())
    assert "Age at onset 5 y: age at the first time point, taken as that at onset" in shown


def test_not_applicable_is_no_bare_verdict():
    """The table says NOT APPLICABLE where the verdict would stand."""
    shown = hlhcli(
        "check", "-c", "hlh-2024", "-", stdin=patient_yaml("fever: no; splenomegaly: no; hemophagocytosis: no", "30 y")
    ).out
    assert "NOT APPLICABLE" in shown
    assert "Made for this patient" in shown


def test_an_unverified_cutoff_is_marked_where_it_decides():
    """The cut-off of the MH score was transcribed without its source."""
    shown = hlhcli(
        "check", "-c", "mh-score", "-", stdin=patient_yaml("anc: 1 G/L; fibrinogen: 100 mg/dL; splenomegaly: yes", "6 mo")
    ).out
    assert "unverified cut-off" in " ".join(shown.split())
    assert "its least certain number: unverified" in " ".join(shown.split())


@pytest.mark.parametrize("name", criteria.ids())
def test_the_page_beside_the_definition(name):
    """The Markdown page in the repository is what the definition gives; `hlhcli criteria ID --markdown` writes it."""
    found = criteria.load(name)
    base = criteria.load(found.extends) if found.extends else None
    rows = cases.table((criteria.FOLDER / f"{name}.yaml").read_bytes(), f"{name}.yaml")
    page = (criteria.FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert markdown_page(found, base, rows) == page
    for node in found.items:
        assert node.about.title.replace("_", "\\_") in page


def test_the_page_shows_both_unit_systems():
    """Cut-offs stand in the printed unit, and in the others in which they are commonly reported."""
    page = hlhcli("criteria", "hscore").out
    for text in ("38.4 Cel (= 101.12 degF)", "hemoglobin <= 9.2 g/dL (= 92 g/L)", "1.5 mmol/L (= 132.855 mg/dL)"):
        assert text in " ".join(page.split())
    assert "156 mg/dL (≈ 1.7613 mmol/L)" in hlhcli("criteria", "mas-2016").out


def test_nothing_in_python_names_a_set():
    """A new set needs no Python: no module asks for one of them by name, but for the default."""
    for path in (ROOT / "hlhcli").rglob("*.py"):
        code = re.sub(r'""".*?"""|#[^\n]*', "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        named = {name for name in criteria.ids() if re.search(rf'(?<!hlhcli/)"{re.escape(name)}"', code)}
        assert named <= ({"hlh-2004"} if path.name == "__init__.py" else set()), path

"""Criteria of one's own: files, folders, variants, comparison; and the pages that are made from the sets that ship."""

import re

import jsonschema
import pytest
import yaml
from command import ROOT, SAMPLES, hlhcli
from tables import patient_yaml

from hlhcli import cases, criteria, definition, schemas
from hlhcli.api import check, evaluate_document, load, parse_document
from hlhcli.errors import InputError
from hlhcli.render import csvfile
from hlhcli.render.criteria import markdown_page
from hlhcli.render.grid import headline

SEED = "samples/broglie-2017.yaml"
MINE = (ROOT / "hlhcli" / "my-hospital.yaml").read_text(encoding="utf-8")


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
        assert hlhcli("criteria", *arguments, **environment).out.partition("\nRules")[0].count("\n") == len(criteria.ids()) + 2
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
        (("id: my-hospital", "id: My Hospital"), ":2:5: the id of a set is made of small letters"),
        (("ferritin >= 2000 ng/mL", "feritin >= 2000 ng/mL"), ":10:45: unknown observable 'feritin'; did you mean 'ferritin'?"),
        (("at_least: 3", "at_least: 6"), ":7:13: at_least is a whole number from 1 to 5"),
        (("provenance: secondary ", "provenance: sure "), ":5:13: 'sure' is no grade of provenance"),
        (("title: When we call hematology", "title: [a]"), ":3:8: expected text here"),
        (("verdict:", "extends: hlh-2004\nverdict:"), "write either 'verdict'"),
        (("verdict:", "at_least: 3\nverdict:"), ":6:1: 'at_least' belongs to a variant"),
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
        ("extends: hlh-2004\nadd: [ferritin > 1 ug/L]\n", "v.yaml:6:7: hlh-2004 has an item 'ferritin' already"),
        ("extends: hlh-2004\nadd: [{id: ferritin, when: ferritin > 1 ug/L}]\n", "v.yaml:6:12: the id 'ferritin' is used twice"),
        ("extends: hlh-2004\nchange: {ferritin: {any: [{id: sil2r, when: fever}, splenomegaly]}}\n", "v.yaml:6:32: the id 'sil2r' is used twice"),
        ("extends: hlh-2004\nwithout: [ferritin]\nchange: {ferritin: ferritin > 1 ug/L}\n", "v.yaml:6:11: 'ferritin' is both left out and changed"),
        ("extends: hlh-2004\nat_least: unpublished\nwithout: [molecular_diagnosis, fever, splenomegaly, cytopenias, lipids, hemophagocytosis, nk_activity, ferritin, sil2r]\n", "v.yaml:7:10: nothing is left of hlh-2004"),
        ("extends: jsle-mas\nwithout: [cytopenias, ast, ldh, fibrinogen, triglycerides]\n", "v.yaml:6:10: 2 of 1 items cannot be met"),
        ("extends: ferritin-esr\nwithout: [ratio]\n", "v.yaml:6:11: 'ratio' cannot be left out: the rule of ferritin-esr needs it"),
        ("extends: hscore\nchange: {ferritin: ferritin >= 500 ng/mL}\n", "v.yaml:6:20: an item of a score gives points"),
        ("verdict: {all: [ferritin > 5 ng/mL, ferritin < 9 ng/mL]}\n", "v.yaml:5:10: two items go by the name 'ferritin'"),
        ("verdict: {any: [{id: verdict, when: fever}, splenomegaly]}\n", "v.yaml:5:22: the id 'verdict' has a meaning of its own"),
        ("verdict: {any: [{id: a, points: {5: fever}}, splenomegaly]}\n", "v.yaml:5:17: points belong to the items of a score"),
        ("verdict: {score: '>= 3', of: [{id: a, points: {5: fever, -5: splenomegaly}}]}\n", "expected points of one sign"),
        ("verdict: {score: '>= 3', of: [{id: a, points: 2 per Cel of temperature}]}\n", "temperature has no natural zero"),
        ("verdict: genetics clear in PFR1\n", "v.yaml:5:10: unknown gene 'PFR1'; did you mean 'PRF1'?"),
        ("verdict: {stated: genetics}\n", "v.yaml:5:19: unknown observable 'genetics'"),
        ("verdict: {at_least: " + "9" * 5000 + ", of: [fever]}\n", "v.yaml:5:21: at_least is a whole number from 1 to 1"),
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
    """Another cut-off keeps what is published for the score; with other items it is another score, and nothing is published for it."""
    (tmp_path / "v.yaml").write_text(VARIANT + "extends: hscore\nscore: '>= 168'\n", encoding="utf-8")
    (tmp_path / "w.yaml").write_text(VARIANT.replace("id: v", "id: w") + "extends: v\nwithout: [ast]\n", encoding="utf-8")
    library = criteria.Library([tmp_path])
    cutoff, fewer = (evaluate("", library.load(name))[0] for name in "vw")
    assert (cutoff.criteria.score.cutoff, len(cutoff.items), cutoff.score.hi) == (168, 9, 337)
    assert cutoff.criteria.probability == criteria.load("hscore").probability
    assert (fewer.criteria.score.cutoff, len(fewer.items), fewer.score.hi) == (168, 8, 318)
    assert fewer.criteria.probability == ()


def test_bins_have_no_order():
    """A mapping may come in any order: the bin with the most points that is met decides."""
    head = VARIANT + "verdict: {score: '>= 40', of: [{id: a, points: {50: ferritin > 6000 ng/mL, 35: ferritin >= 2000 ng/mL}}]}\n"
    (assessment,) = evaluate("ferritin: 9000 ng/mL", definition.read(head, "v.yaml"))
    assert (assessment.score.lo, assessment.verdict) == (50, "met")


def test_a_wrong_file_in_a_folder_is_told_and_left_out(mine):
    """The other sets of the folder, and those that ship, are used; a folder that does not exist is wrong usage."""
    (mine.parent / "broken.yaml").write_text("id: broken\n", encoding="utf-8")
    (mine.parent / "folder.yaml").mkdir()
    ran = hlhcli("check", "--json", "--criteria-dir", mine.parent, "-c", "my-hospital", SEED)
    assert ran.code == 0
    assert ran.err.count("(this set is left out)") == len(ran.err.splitlines()) > 0
    assert hlhcli("check", "--criteria-dir", mine.parent / "nowhere", SEED).code == 2


def test_files_in_any_order(mine):
    """A file may extend one that is named after it."""
    variant = mine.with_name("stricter.yaml")
    variant.write_text(
        "id: stricter\nextends: my-hospital\ntitle: Stricter\ncitation: {text: none}\nprovenance: secondary\n", encoding="utf-8"
    )
    assert hlhcli("check", "-c", variant, "-c", mine, SEED).code == 0


def test_texts_of_a_file_are_safe_on_a_terminal(mine):
    """Escape sequences and reversed text of a criteria file are shown, not obeyed."""
    mine.write_text(
        MINE.replace("title: Fever", 'title: "F\\e[31m\\u202ever"').replace("When we call", '"W\\e[1m"  #'), encoding="utf-8"
    )
    for arguments in (
        ["check", "-c", mine, SEED],
        ["criteria", mine],
        ["criteria", mine, "--markdown"],
        ["check", "--ascii", "-c", mine, SEED],
    ):
        out = hlhcli(*arguments).out
        assert "\x1b" not in out
        assert "\u202e" not in out
    assert hlhcli("check", "--ascii", "-c", mine, SEED).out.isascii()


def test_long_lists_of_alike_items_end(tmp_path):
    """Ten of twenty unknown items: the sets of tests are too many to list, and a part of them is named in time."""
    names = ["fever", "splenomegaly", "hepatomegaly", "hemorrhage", "cns_involvement", "active_arthritis", "sjia", "jsle", "malignancy",
             "immunosuppression", "dialysis", "intensive_care", "vasoactive_support", "mechanical_ventilation", "rbc_transfusion",
             "platelet_transfusion", "plasma_transfusion", "family_history", "sil2r_above_2sd", "fibrinogen_below_3sd"]  # fmt: skip
    for rule in (
        f"{{at_least: 10, of: [{', '.join(names)}]}}",
        f"{{score: '>= 55', of: [{', '.join(f'{{points: {{{i + 1}: {n}}}}}' for i, n in enumerate(names))}]}}",
    ):
        found = definition.read(VARIANT + f"verdict: {rule}\n", "v.yaml")
        (assessment,) = evaluate("", found)
        assert 0 < len(assessment.next_tests) <= 2000
        assert len(assessment.next_tests[0].observables) == (10 if found.groups else 3)


def test_the_opposite_rule_is_not_the_same(tmp_path):
    """`--diff` and the heading of the table say how the items are joined."""
    for name, logic in (("a", "any"), ("b", "all")):
        text = VARIANT.replace("id: v", f"id: {name}") + f"verdict: {{{logic}: [fever, splenomegaly]}}\n"
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    assert (
        "a: fever or splenomegaly\n  b: fever and splenomegaly"
        in hlhcli("criteria", "--criteria-dir", tmp_path, "--diff", "a", "b").out
    )
    negated = definition.read(VARIANT + "verdict: {not: {any: [fever, splenomegaly]}}\n", "v.yaml")
    assert headline(negated) == "not (fever or splenomegaly)"


def test_no_item_takes_the_name_of_a_column():
    """The fixed columns of CSV, and the keys of a case, are no ids of items."""
    assert {*csvfile._FIXED, *cases._EXPECT} <= definition.RESERVED


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
    assert (comparison["applicable"]["hlh-2024"], comparison["applicable"]["hscore"]) == (True, False)
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
    assert any("PRF1 homozygous pathogenic: shown only; this set reads molecular_diagnosis" in note for note in assessment.notes)
    for answer, said in (("yes", False), ("no", True)):
        stated = text.replace("    observations:\n", f"    observations: {{molecular_diagnosis: {answer}}}\n")
        (assessment,) = evaluate_document(parse_document(stated, "p"), [criteria.load("hlh-2004")]).assessments
        assert any("this set reads molecular_diagnosis" in note for note in assessment.notes) is said


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
    assert "source of its numbers, at worst: unverified" in " ".join(shown.split())


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


def test_all_mistakes_of_a_list_are_told_at_once(mine):
    """Three wrong rules are three lines; missing keys are one."""
    mine.write_text(
        MINE.replace("when: ferritin", "when: feritin")
        .replace("ast > 3 ULN", "ast > 3")
        .replace("- splenomegaly", "- spleno megaly"),
        encoding="utf-8",
    )
    assert len(hlhcli("criteria", mine).err.splitlines()) == 3
    mine.write_text("id: a\nverdict: fever\n", encoding="utf-8")
    assert "'title' and 'citation' are missing" in hlhcli("criteria", mine).err


def test_numbers_without_a_source_are_unverified(tmp_path):
    """Provenance may be left out of one's own file; nothing is taken for better than it is."""
    found = definition.read("id: a\ntitle: b\ncitation: ours\nverdict: ferritin > 9 ng/mL\n", "a.yaml")
    assert evaluate("", found)[0].provenance == "unverified"


def test_cases_of_a_folder(mine):
    """`criteria test` takes folders; one broken file is told and does not keep the others from being run."""
    (mine.parent / "broken.yaml").write_text("id: broken\n", encoding="utf-8")
    ran = hlhcli("criteria", "test", mine.parent)
    assert (ran.code, ran.out) == (1, "my-hospital: 2 cases, all as expected\n")
    assert "broken.yaml:1:1: 'title' and 'citation' are missing" in ran.err
    assert "use --criteria-dir" in hlhcli("check", "-c", mine.parent, SEED).err


def test_a_criteria_file_is_no_patient(mine):
    """Given as a patient, a file of criteria is called what it is."""
    ran = hlhcli("check", mine)
    assert (ran.code, len(ran.err.splitlines())) == (1, 1)
    assert "this is a file of criteria, not of a patient; use it with --criteria" in ran.err


def test_open_points_name_what_is_missing():
    """An item of a score that counts already, but not yet fully, says what is missing."""
    shown = hlhcli("check", "-c", "hscore", "-", stdin=patient_yaml("splenomegaly: yes; hb: 8 g/dL; plt: 60 G/L", "40 y")).out
    assert "X 23 to 38: Splenomegaly yes" in shown
    assert "Hepatomegaly not stated" in shown
    assert "WBC not stated" in shown

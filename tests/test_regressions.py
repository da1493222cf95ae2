"""What hostile input once got wrong, one test each."""

import os
import stat
import subprocess
import sys

import pytest
from command import ROOT, hlhcli
from tables import patient_yaml

from hlhcli import criteria
from hlhcli.api import evaluate_document, parse_document
from hlhcli.errors import InputError

SEED = "samples/broglie-2017.yaml"


def assess(text):
    return evaluate_document(parse_document(text, "p"), [criteria.load("hlh-2004")])


def status(text, item):
    return [str(i.status) for a in assess(text).assessments for i in a.items if i.id == item]


def message(text):
    with pytest.raises(InputError) as caught:
        parse_document(text, "p")
    return str(caught.value)


@pytest.mark.parametrize("number", ["1e00099999999", "1e-00099999999", "1e9999", "9" * 31])
def test_an_enormous_number_is_refused_at_once(number):
    """No power is computed before its size is known."""
    assert "so many digits" in message(patient_yaml(f"ferritin: {number} ng/mL"))


@pytest.mark.parametrize("text", ["400¹ ng/mL", "450² ng/mL", "5⁰⁰ ng/mL", "₅₀₀ ng/mL"])
def test_a_footnote_mark_is_no_digit(text):
    """Raised and lowered digits never become part of a number."""
    assert "p:5:17" in message(patient_yaml(f"ferritin: {text}"))


def test_a_superscript_power_is_unambiguous():
    """150 10³/µL is 150 thousand per microlitre."""
    (assessment,) = assess(patient_yaml("plt: 150 10³/µL; hb: 5 g/dL")).assessments
    assert "150 10*3/uL" in [line.value for item in assessment.items for line in item.evidence]


@pytest.mark.parametrize("own", ["", "not done", "pending", "unknown"])
def test_a_blank_does_not_erase_the_background(own):
    """What holds at every time point holds where the time point says nothing of it."""
    text = (
        f"background: {{molecular_diagnosis: yes}}\ntimepoints:\n  - name: a\n    observations:\n      molecular_diagnosis: {own}\n"
    )
    assert str(assess(text).assessments[0].verdict) == "met"


def test_a_pending_result_is_not_lost_behind_an_unknown_background():
    """Of two ways of not knowing, the time point's own stands; a blank one is no statement."""
    text = "background: {{molecular_diagnosis: {}}}\ntimepoints:\n  - {{name: a, observations: {{molecular_diagnosis: {}, fever: no, splenomegaly: no, hemophagocytosis: no, nk_activity: normal}}}}\n"
    assert assess(text.format("unknown", "pending")).assessments[0].would_decide == ("molecular_diagnosis",)
    assert assess(text.format("pending", '""')).assessments[0].would_decide == ("molecular_diagnosis",)


def test_a_doubtful_value_marks_the_verdict_only_where_it_decides():
    """`!` stands at the value in any case, and at the verdict when an item rests on it."""
    (decides,) = assess(patient_yaml("fibrinogen: 2.5 mg/dL")).assessments
    assert decides.doubtful == ("fibrinogen",)
    (open_,) = assess(patient_yaml("sil2r: {value: 3 pg/mL, note: repeat}")).assessments
    assert open_.doubtful == ()
    assert "3 pg/mL !" in hlhcli("check", "-", stdin=patient_yaml("sil2r: 3 pg/mL")).out


def test_a_time_point_against_the_background_is_told():
    """The time point decides, and the contradiction is a warning."""
    result = assess("background: {splenomegaly: yes}\ntimepoints:\n  - {name: a, observations: {splenomegaly: no}}\n")
    assert "splenomegaly is no here and yes in the background" in result.warnings[0].message


def test_age_by_birth_date_uses_the_time_points_own_date():
    """With dates out of order and a time point without one, an infant's age is still that of the day."""
    values = "{hb: 95 g/L, plt: 150 G/L, anc: 0.5 G/L}"
    text = f"patient: {{birth_date: 2016-04-10}}\ntimepoints:\n  - {{name: A, date: 2016-05-10}}\n  - {{name: B, date: 2016-05-01, observations: {values}}}\n  - {{name: C, day: 3}}\n"
    assert status(text, "cytopenias")[1] == "met"
    assert any("backwards" in warning.message for warning in assess(text).warnings)
    undated = f"patient: {{birth_date: 2016-04-10}}\ntimepoints:\n  - {{name: A}}\n  - {{name: B, date: 2016-05-01, observations: {values}}}\n"
    assert status(undated, "cytopenias")[1] == "met"


def test_days_that_lead_out_of_the_calendar():
    """A day so early that it has no date makes the age unknown, not a crash."""
    assess("patient: {birth_date: 2015-05-02}\ntimepoints:\n  - {name: A, day: -99999}\n  - {name: B, day: 0, date: 0002-05-02}\n")
    assert "is no day" in message("timepoints: [{name: A, day: -999999}]")


def test_decimal_comma_holds_for_ages_and_days():
    """`decimal: comma` turns both readings around, everywhere in the file."""
    document = parse_document('decimal: comma\npatient: {age: "1,5 y"}\ntimepoints: [{name: a, day: "1,5"}]\n', "p")
    assert document.patient.patient.age.text == "1.5 y"
    assert str(document.patient.timepoints[0].day) == "3/2"


def test_a_number_of_json_has_a_decimal_point():
    """Whatever the file says of its texts."""
    text = '{"decimal": "comma", "timepoints": [{"name": "a", "observations": {"hemoglobin": {"value": 9.123, "unit": "g/dL"}}}]}'
    assert parse_document(text, "p").patient.timepoints[0].observations["hemoglobin"].value.text == "9.123 g/dL"


@pytest.mark.parametrize("entry", ["{value: 600, unit: unknown}", '{value: 600, unit: "?"}', "{value: 600, unit: not stated}"])
def test_an_unknown_unit_is_not_the_conventional_one(entry):
    """A unit that is said to be unknown is refused, not guessed."""
    assert "unknown unit" in message("units: conventional\n" + patient_yaml(f"ferritin: {entry}"))


@pytest.mark.parametrize("comparator", ["na", "?", "about"])
def test_an_unreadable_comparator_is_refused(comparator):
    """A comparator is never dropped."""
    assert "is no comparator" in message(patient_yaml(f"ferritin: {{value: 900, unit: ng/mL, comparator: '{comparator}'}}"))


def test_a_value_on_the_next_line_after_an_angle_bracket_is_refused():
    """`ferritin: >` followed by a line is YAML for folded text; the comparator would be lost."""
    assert "write the value on one line" in message(
        "timepoints:\n  - name: a\n    observations:\n      ferritin: >\n        500 ng/mL\n"
    )


def test_a_mark_against_a_word_is_told():
    """`ferritin: normal` with the mark met: the mark decides, with a warning."""
    text = patient_yaml("ferritin: normal", extra="    reported: {hlh-2004: {ferritin: met}}\n")
    assert "ferritin is normal here" in assess(text).warnings[0].message


def test_a_very_long_name_of_criteria(tmp_path):
    """It is unknown like any other; the next file is still evaluated."""
    (tmp_path / "long.yaml").write_text(f"timepoints: [{{name: a, reported: {{{'é' * 190}: {{}}}}}}]", encoding="utf-8")
    (tmp_path / "good.yaml").write_text(patient_yaml("ferritin: 900 ng/mL"), encoding="utf-8")
    ran = hlhcli("check", "--json", "long.yaml", "good.yaml", cwd=tmp_path)
    assert [result["source"] for result in ran.json["results"]] == ["good.yaml"]
    assert ran.err.startswith("long.yaml:1:35: unknown criteria")
    assert hlhcli("check", SEED, "--criteria", "a" * 300).code == 2


@pytest.mark.parametrize(
    "arguments", [["check", SEED, "-f", "markdown"], ["check", SEED, "-f", "csv"], ["check", SEED], ["criteria", "hlh-2004"]]
)
def test_a_terminal_with_ascii_only(arguments):
    """What it cannot show is escaped."""
    ran = hlhcli(*arguments, PYTHONIOENCODING="ascii")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.isascii()


@pytest.mark.skipif(sys.platform == "win32", reason="no such shell")
@pytest.mark.parametrize(
    ("shell", "code", "err"),
    [
        (f"check {SEED} >&-", 0, ""),
        ("check - <&-", 1, "<stdin>:1:1: the input is empty\n"),
        (f"check {SEED} >/dev/full", 1, "standard output: cannot be written: no space left on device\n"),
        ("criteria hlh-2004 >/dev/full", 1, "standard output: cannot be written: no space left on device\n"),
        (f"check {SEED} 2>&-", 0, ""),
    ],
)
def test_streams_that_are_closed_or_full(shell, code, err):
    """One line at most, and no traceback."""
    if "/dev/full" in shell and not os.path.exists("/dev/full"):  # noqa: PTH110
        pytest.skip("no /dev/full here")
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m hlhcli {shell}"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stderr) == (code, err)


@pytest.mark.parametrize("width", ["1", "2", "10"])
def test_a_terminal_too_narrow_for_anything(width):
    """The table is drawn all the same."""
    assert hlhcli("check", SEED, COLUMNS=width).code == 0


def test_a_good_file_is_not_replaced_by_nothing(tmp_path):
    """Where no input could be evaluated, an earlier output stays."""
    target = tmp_path / "out.txt"
    target.write_text("earlier")
    ran = hlhcli("check", "nowhere.yaml", "-o", target)
    assert (ran.code, target.read_text()) == (1, "earlier")
    assert not list(tmp_path.glob(".*"))


def test_a_private_file_stays_private(tmp_path):
    """Replacing a file keeps its mode."""
    target = tmp_path / "out.json"
    target.write_text("{}")
    target.chmod(0o600)
    assert hlhcli("check", SEED, "-o", target).code == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_note_on_a_value_is_kept():
    """It goes with the evidence."""
    (assessment,) = assess(patient_yaml("ferritin: {value: 900 ng/mL, note: after transfusion}")).assessments
    assert assessment.items[6].evidence[0].note == "after transfusion"


def test_a_long_note_is_shown_whole():
    """Nothing of the file's text is cut."""
    note = "word " * 400 + "end"
    assert hlhcli("check", "-", stdin=f"timepoints: [{{name: a, note: {note}}}]").out.rstrip().endswith("end")


def test_too_many_time_points():
    """A limit, told as such."""
    text = "timepoints:\n" + "".join(f"  - {{name: T{number}}}\n" for number in range(1001))
    assert "more than 1000 time points" in message(text)


def test_a_wrong_unit_of_a_series_is_told_at_the_unit():
    """Not at each of its points."""
    assert message("timepoints: [{name: a}]\nseries: {crp: {unit: furlong, points: [[0, 5]]}}") == (
        "p:2:22: unknown unit 'furlong'; accepted are mg/L, mg/dL"
    )


def test_a_blank_name_is_refused():
    """A time point needs a name to head its column."""
    assert "expected some text" in message('timepoints: [{name: "  "}]')


@pytest.mark.parametrize(("sign", "text"), [("≥", ">=400 ng/mL"), ("≤", "<=400 ng/mL"), (">", ">400 ng/mL")])
def test_the_sign_of_an_entry_as_it_is_printed(sign, text):
    """As in a text, and as the schema says."""
    source = f"timepoints: [{{name: a, observations: {{ferritin: {{value: 400 ng/mL, comparator: '{sign}'}}}}}}]\n"
    assert parse_document(source, "p").patient.timepoints[0].observations["ferritin"].value.text == text


def test_causes_that_were_looked_for_are_shown():
    """In every form that people read, and in JSON."""
    text = "workup: {infectious: negative, oncologic: pending}\ntimepoints: [{name: a}]\n"
    for form in ("table", "markdown"):
        assert "Other causes that were looked for: infectious negative, oncologic pending." in hlhcli(
            "check", "-f", form, "-", stdin=text
        ).out.replace("\n  ", " ")
    (found,) = hlhcli("check", "--json", "-", stdin=text).json["results"]
    assert found["workup"] == {"infectious": "negative", "oncologic": "pending"}


def test_a_folder_that_is_named_as_a_set(tmp_path):
    """The id is meant; a folder of another name is no set."""
    (tmp_path / "hscore").mkdir()
    (tmp_path / "mine").mkdir()
    ran = hlhcli("check", "--json", "-c", "hscore", "-", stdin="timepoints: [{name: a}]\n", cwd=tmp_path)
    assert ran.json["results"][0]["assessments"][0]["criteria"] == "hscore"
    ran = hlhcli("check", "-c", "mine", "-", stdin="timepoints: [{name: a}]\n", cwd=tmp_path)
    assert (ran.code, "mine is a folder; use --criteria-dir mine" in ran.err) == (2, True)


def test_what_takes_one_set_takes_no_more(tmp_path):
    """A figure has one table, and a rule for the course has no cases."""
    ran = hlhcli("figure", "-c", "hscore", "-c", "hlh-2004", "-o", tmp_path / "x.svg", "-", stdin="timepoints: [{name: a}]\n")
    assert (ran.code, "by one set of criteria" in ran.err, [*tmp_path.iterdir()]) == (2, True, [])
    ran = hlhcli("criteria", "test", "marsh-2013")
    assert (ran.code, "marsh-2013 is a rule for the course" in ran.err, ran.out) == (2, True, "")


def test_the_reason_of_a_file_that_cannot_be_read(tmp_path):
    """In the same words wherever it is named."""
    (tmp_path / "t.csv").write_text("patient,date,Ferritin (ng/mL)\n1,2016-05-02,900\n", encoding="utf-8")
    for arguments in (["none.yaml"], ["--map", "none.yaml", "t.csv"], ["--dictionary", "none.csv", "t.csv"]):
        assert ": cannot be read: no such file or directory" in hlhcli("check", *arguments, cwd=tmp_path).err


def test_another_item_of_the_same_id():
    """hlh-94 asks for seven days of fever: what is met is named as what it is."""
    text = "timepoints: [{name: a, observations: {fever: yes}}]\n"
    shown = " ".join(hlhcli("check", "-c", "hlh-2004", "-c", "hlh-94", "-c", "hscore", "-", stdin=text, COLUMNS="200").out.split())
    assert "Fever (7 days or more) met" not in shown


def test_sets_side_by_side_say_what_they_rest_on():
    """A doubtful value, and marks of the authors, are told in the overview as in the table."""
    values = "fever: yes, plt: 9.000 /uL, hb: 7 g/dL, ferritin: elevated, spleen: yes, tg: 4 mmol/L"
    text = (
        f"patient: {{age: 9 y}}\ntimepoints: [{{name: a, observations: {{{values}}}, reported: {{hlh-2004: {{ferritin: met}}}}}}]\n"
    )
    shown = hlhcli("check", "-c", "all", "-", stdin=text, COLUMNS="200").out
    rows = {line.split()[0]: line.split(maxsplit=1)[1].strip() for line in shown.splitlines() if line.startswith(("hlh-", "ohi"))}
    assert rows["hlh-2004"] == "met, 5 to 8 of 8; by values open !"
    assert rows["hlh-2024"] == "open, 4 to 7 of 7 !"
    assert rows["ohi"] == "n/a (open)"
    assert "!: rests on a doubtful value, see Warnings" in shown

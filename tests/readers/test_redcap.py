"""REDCap exports: raw and labels, events, repeated forms, boxes to tick, the data dictionary. A blank or unticked cell is never a no."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tabled import entries, facts, left, person, read, remarked

from hlhcli.errors import InputError
from hlhcli.readers import guess, redcap, table
from hlhcli.readers.account import Account

HEAD = "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,"
OFFICIAL = (
    '"Variable / Field Name","Form Name","Section Header","Field Type","Field Label","Choices, Calculations, OR Slider Labels",'
    '"Field Note","Text Validation Type OR Show Slider Number","Text Validation Min","Text Validation Max",Identifier?,'
    '"Branching Logic (Show field only if...)","Required Field?","Custom Alignment","Question Number (surveys only)",'
    '"Matrix Group Name","Matrix Ranking?","Field Annotation"\n'
)
FIELDS = [
    ("record_id", "text", "Record ID", "", "", "", ""),
    ("sex", "radio", "Sex", "1, Male | 2, Female", "", "", ""),
    ("visit_date", "text", "Date of visit", "", "", "date_ymd", ""),
    ("lab1", "text", "Ferritin (ng/mL)", "", "", "number", ""),
    ("hgb", "text", "Hemoglobin", "", "Units: g/dL", "number", ""),
    ("plt", "text", "<b>Platelets</b> (G/L)", "", "K/uL", "number", ""),
    ("wbc", "text", "Leukocytes (G/L)", "", "in 10*6/L", "number", ""),
    ("fever", "yesno", "Fever", "", "", "", ""),
    ("spm", "radio", "Splenomegaly", "1, Present | 2, Absent | 9, Not assessed", "", "", ""),
    ("bm_site", "checkbox", "Hemophagocytosis", "0, None seen | 1, Bone marrow | 2, Spleen | 9, Skin", "", "", ""),
    ("signs", "checkbox", "Signs", "a, Hepatomegaly | b, Rash", "", "", ""),
    ("ferritin", "yesno", "Ferritin elevated?", "", "", "", ""),
    ("mrn", "text", "MRN", "", "", "", "y"),
    ("history", "notes", "Family history of HLH", "", "", "", ""),
]


def dictionary(folder, official=True):
    """The data dictionary as it is downloaded, or as the API gives it."""
    path = folder / "dictionary.csv"
    if official:
        lines = [f'{n},form,,{k},"{label}","{c}",{note},{v},,,{i},,,,,,,' for n, k, label, c, note, v, i in FIELDS]
        path.write_text("\ufeff" + OFFICIAL + "\n".join(lines) + "\n", encoding="utf-8")
    else:
        head = "field_name,form_name,section_header,field_type,field_label,select_choices_or_calculations,field_note,text_validation_type_or_show_slider_number,identifier\n"
        lines = [f'{n},form,,{k},"{label}","{c}",{note},{v},{i}' for n, k, label, c, note, v, i in FIELDS]
        path.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("official", [True, False])
@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("lab1", "900", ("ferritin", "900", "ng/mL")),
        ("hgb", "9.2", ("hemoglobin", "9.2", "g/dL")),
        ("plt", "20", ("platelets", "20", "10*9/L")),  # two spellings of one size
        ("wbc", "20", ("leukocytes", "unknown", "")),  # the label and the note differ
        ("fever", "1", ("fever", "yes", "")),
        ("fever", "0", ("fever", "no", "")),
        ("fever", "Yes", ("fever", "yes", "")),
        ("fever", "3", ("fever", "unknown", "")),
        ("spm", "2", ("splenomegaly", "no", "")),
        ("spm", "9", ("splenomegaly", "not done", "")),
        ("spm", "Present", ("splenomegaly", "yes", "")),
        ("bm_site___1", "1", ("hemophagocytosis", "marrow", "")),
        ("bm_site___2", "Checked", ("hemophagocytosis", "spleen", "")),
        ("bm_site___0", "1", ("hemophagocytosis", "no", "")),
    ],
)
def test_the_dictionary_tells_what_a_field_means(tmp_path, official, column, cell, expected):
    """Label, unit, choices; as raw codes and as labels."""
    found = facts(f"record_id,{column},form_complete\n1,{cell},2\n", dictionary=dictionary(tmp_path, official))
    assert [fact[:3] for fact in found] == [expected]


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("bm_site___1", "0", ("box not ticked", "bm_site___1", 1)),
        ("bm_site___1", "Unchecked", ("box not ticked", "bm_site___1", 1)),
        ("bm_site___9", "0", ("box not ticked", "bm_site___9", 1)),
        ("signs___a", "0", ("box not ticked", "signs___a", 1)),
        ("bm_site___9", "1", ("column not known here", "bm_site___9", 1)),
        ("signs___a", "1", ("box whose question is not known here", "signs (Signs)", 1)),
        ("ferritin", "1", ("column not known here", "ferritin", 1)),
        ("mrn", "12345", ("identifier", "columns that the dictionary marks", 1)),
        ("history", "an uncle", ("column not known here", "history", 1)),
        ("other", "3", ("column not known here", "other", 1)),
    ],
)
def test_what_a_field_does_not_say_is_left(tmp_path, column, cell, expected):
    """A box that is not ticked is no answer: a form that nobody opened exports 0 too."""
    assert left(f"record_id,{column},form_complete\n1,{cell},2\n", dictionary=dictionary(tmp_path)) == [expected]


def described(folder, *fields):
    """A dictionary of these fields: name, form, section, type, label, choices, validation."""
    path = folder / "described.csv"
    head = "field_name,form_name,section_header,field_type,field_label,select_choices_or_calculations,text_validation_type_or_show_slider_number\n"
    path.write_text(head + "".join(",".join(f'"{text}"' for text in field) + "\n" for field in fields), encoding="utf-8")
    return path


ORGANS = "1, Spleen | 2, Liver | 3, Splenomegaly | 4, Hepatomegaly | 5, Fever"
QUESTION = "box whose question is not known here"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("bx", "Biopsy taken from:"),
        ("fam", "Family history of:"),
        ("mri", "Indication for MRI:"),
        ("signs", "Signs"),
        ("splenomegaly", "Indication for splenectomy"),  # the name alone says too little where there is a label
        ("spleen", "Hemophagocytosis"),  # the name and the label say different things
    ],
)
def test_a_box_counts_only_if_its_question_is_known(tmp_path, name, label):
    """What is ticked beside "Biopsy taken from" was not found there: raw, and as labels."""
    path = described(tmp_path, (name, "form", "", "checkbox", label, ORGANS, ""))
    boxes = [f"{name}___{code}" for code in range(1, 6)]
    assert left(f"record_id,{','.join(boxes)}\n1,1,1,1,1,1\n", dictionary=path) == [(QUESTION, f"{name} ({label})", 5)]
    if name in ("bx", "fam", "mri", "signs"):
        assert left(f'record_id,"{label} (choice=Splenomegaly)"\n1,Checked\n') == [(QUESTION, label, 1)]
    rules = f"patient: record_id\ncolumns: {{{name}___3: splenomegaly}}\n"
    assert facts(f"record_id,{name}___3\n1,1\n", rules, dictionary=path) == [("splenomegaly", "yes", "", "")]


@pytest.mark.parametrize("kind", ["text", "radio", "dropdown", "yesno", "truefalse"])
@pytest.mark.parametrize(
    ("name", "label", "expected"),
    [
        ("f", "Fever", "yes"),
        ("fever", "", "yes"),
        ("fever", "Fever present?", "yes"),
        ("fever", "Fever:", "yes"),
        ("fever", "History of fever in family", None),
        ("fever", "No fever for 48 h", None),
        ("f", "No fever for 48 h", None),
        ("fever", "Fever excluded?", None),
        ("fever", "Splenomegaly", None),
        ("fever", "." * 5000 + "x", None),
    ],
)
def test_a_field_counts_only_if_its_label_is_understood_as_a_whole(tmp_path, kind, name, label, expected):
    """A name is not enough where a label says more."""
    choices = "1, Yes | 0, No" if kind in ("radio", "dropdown") else ""
    path = described(tmp_path, (name, "form", "", kind, label, choices, ""))
    cell = "yes" if kind in ("text", "truefalse") else "1"
    text = f"record_id,{name},form_complete\n1,{'1' if kind == 'truefalse' else cell},2\n"
    if expected is None:
        assert left(text, dictionary=path) == [("column not known here", name, 1)]
    else:
        assert facts(text, dictionary=path) == [("fever", expected, "", "")]


@pytest.mark.parametrize(
    ("form", "section", "observable", "is_read"),
    [
        ("form", "Physical examination", "splenomegaly", True),
        ("history_and_physical", "", "splenomegaly", True),
        ("form", "Family history", "splenomegaly", False),
        ("sibling_form", "", "malignancy", False),
        ("form", "Indication for imaging", "splenomegaly", False),
        ("form", "Past medical history", "fever", False),
        ("form", "Past medical history", "malignancy", True),  # it goes on
        ("form", "Family history", "family_history", True),
    ],
)
def test_a_section_on_others_or_on_another_time_is_not_of_the_row(tmp_path, form, section, observable, is_read):
    """A header holds for the fields below it, in its form."""
    fields = [("a", form, section, "text", "A", "", ""), (observable, form, "", "yesno", "", "", "")]
    path = described(tmp_path, *fields, ("hb", "next", "", "text", "Hemoglobin (g/dL)", "", ""))
    text = f"record_id,{observable},hb\n1,1,9\n"
    assert {fact[0] for fact in facts(text, dictionary=path)} == {"hemoglobin", *[observable] * is_read}
    reasons = [(reason, what) for reason, what, _ in left(text, dictionary=path)]
    assert reasons == [("field of a section on others or on another time", observable)] * (not is_read)


DATED = [
    ("record_id", "labs", "", "text", "Record", "", ""),
    ("dob", "labs", "", "text", "Date of birth", "", "date_dmy"),
    ("lab_day", "labs", "", "text", "Drawn on", "", "date_ymd"),
    ("hb", "labs", "", "text", "Hemoglobin", "", "number"),
    ("ex_date", "exam", "", "text", "Examined on", "", "date_ymd"),
    ("fever", "exam", "", "yesno", "Fever", "", ""),
    ("bx", "exam", "", "checkbox", "Biopsy taken from:", "1, Spleen", ""),
    ("hlh_bm", "exam", "", "checkbox", "Hemophagocytosis seen in", "1, Marrow", ""),
    ("sent_on", "letters", "", "text", "Sent on", "", "date_ymd"),
]
EXPORT = "record_id,dob,lab_day,hb,ex_date,fever,bx___1,hlh_bm___1,sent_on,exam_complete\n1,2010-01-02,2016-05-02,9,2016-05-03,1,0,0,2016-06-06,2\n"


def test_dates_of_the_dictionary_are_guessed_and_not_taken_unasked(tmp_path):
    """Those of forms with values; a guess is checked by a person, and without one the row has no date and says so."""
    path = described(tmp_path, *DATED)
    written = guess.text(table.guessed(io.BytesIO(EXPORT.encode()), "t.csv", dictionary=path))
    assert "time: [lab_day, ex_date]  # guess: date fields of the dictionary\n" in written
    assert [fact[3] for fact in facts(EXPORT, dictionary=path)] == ["", ""]
    _, account = read(EXPORT, dictionary=path)
    told = {kind.reason: kind.what for kind in account.remarks}
    assert told["no date of the row is used, and a field looks like one"].startswith(
        "lab_day, ex_date, sent_on; write time: [lab_day,"
    )
    rules = "patient: record_id\ntime: [lab_day, ex_date]\n"
    assert [fact[3] for fact in facts(EXPORT, rules, dictionary=path)] == ["2016-05-02"] * 2
    assert "no date of the row is used, and a field looks like one" not in remarked(EXPORT, rules, dictionary=path)


def test_a_guess_lists_what_the_dictionary_explains(tmp_path):
    """And hints with the choices of the field itself; that of hemophagocytosis stands only where that is asked for."""
    path = described(tmp_path, *DATED, ("grade", "exam", "", "radio", "Grade of fever", "1, Low | 2, High", ""))
    text = EXPORT.replace("exam_complete", "grade,exam_complete").replace(",2\n", ",2,2\n")
    written = guess.text(table.guessed(io.BytesIO(text.encode()), "t.csv", dictionary=path)).splitlines()
    assert "# from the dictionary: hb: hemoglobin, no unit stated" in written
    assert "# from the dictionary: fever: fever (1 = Yes, 0 = No)" in written
    lines = {line.split(":")[0].strip(): line.partition("#")[2] for line in written if line.startswith("  ")}
    write = ", or put the name under ignore"
    assert lines["bx___1"] == f' not known (Biopsy taken from:; Spleen): write {{observable: …, choices: {{"1": yes}}}}{write}'
    assert lines["hlh_bm___1"].endswith(f'{{observable: hemophagocytosis, choices: {{"1": spleen}}}}{write}')
    assert lines["grade"].endswith(
        f'(Grade of fever; 1 = Low, 2 = High): write {{observable: …, choices: {{"1": …, "2": …}}}}{write}'
    )


def test_an_export_of_one_person_may_say_so():
    """Else the first column is the record, also with a mapping that names none."""
    text = "record_id,redcap_event_name,hb\n1,a,9\n2,b,8\n"
    assert len(read(text)[0]) == len(read(text, "decimal: point\n")[0]) == 2
    assert len(read(text, "patient: one\nignore: record_id\n")[0]) == 1


def test_the_mapping_may_say_what_an_unticked_box_means(tmp_path):
    """`unchecked: no` holds for findings of their own, not for the sites of a finding."""
    rules = "patient: record_id\nunchecked: no\ncolumns: {signs___a: hepatomegaly}\n"
    path = dictionary(tmp_path)
    text = "record_id,signs___a,bm_site___2\n1,0,0\n"
    assert facts(text, rules, dictionary=path) == [("hepatomegaly", "no", "", "")]
    assert left(text, rules, dictionary=path) == [("box not ticked", "bm_site___2", 1)]


def test_without_a_dictionary_a_code_has_no_meaning():
    """fever___1 may be the box for no: only the mapping can tell, or a header with labels."""
    text = "record_id,fever___1,fever,Hemophagocytosis (choice=Spleen),hgb\n1,1,1,Checked,\n"
    assert [fact[:2] for fact in facts(text)] == [("fever", "unknown"), ("hemophagocytosis", "spleen")]
    assert left(text) == [("box whose choice is not known: use the data dictionary", "fever___1", 1)]
    assert "code without a meaning" in remarked(text)
    rules = 'patient: record_id\ncolumns:\n  fever___1: fever\n  fever: {observable: fever, choices: {"1": yes}}\n'
    assert [fact[:2] for fact in facts(text, rules)] == [("fever", "yes"), ("fever", "yes"), ("hemophagocytosis", "spleen")]
    rules = 'patient: record_id\ncolumns:\n  fever___1: {observable: hemophagocytosis, choices: {"1": liver}}\n'
    assert ("hemophagocytosis", "liver") in [fact[:2] for fact in facts(text, rules)]


def test_rows_of_one_event_are_one_time_point():
    """The event's date holds for a repeated form without one; a repeated form with a date stands for itself."""
    text = (
        HEAD + "visit_date,hgb (g/dL),form_complete\n"
        "7,day_0_arm_1,labs,1,2016-05-04,8,2\n"
        "7,day_0_arm_1,labs,2,,7,2\n"
        "7,day_0_arm_1,,,2016-05-02,9,2\n"
        "7,day_9_arm_1,,,,6,2\n"
        "8,day_0_arm_1,,,,5,0\n"
    )
    charts, account = read(text)
    assert [(fact.value, fact.date, fact.timepoint) for fact in entries(charts)] == [
        ("8", "2016-05-04", ""),
        ("7", "2016-05-02", "day_0_arm_1"),
        ("9", "2016-05-02", "day_0_arm_1"),
        ("6", "", "day_9_arm_1"),
        ("5", "", "day_0_arm_1"),
    ]
    assert account.read == 5  # record, event, date and state of the form are structure


def test_a_repeated_event_has_a_number():
    """Unscheduled visits are told apart."""
    text = HEAD + "hgb,form_complete\n7,visit,,1,9,2\n7,visit,,2,8,2\n"
    assert [fact[3] for fact in facts(text)] == ["visit 1", "visit 2"]


@pytest.mark.parametrize("name", ["IPP", "a01_id", "part_id", "hgb_study"])
def test_the_first_column_is_the_record_whatever_its_name(name):
    """Projects rename it."""
    charts, _ = read(f"{name},redcap_event_name,hgb\nX1,a,9\n")
    assert [chart.person.id for chart in charts] == ["X1"]


def test_labels_as_headers_are_read():
    """An export of labels, with events and repeats."""
    text = "Record ID,Event Name,Repeat Instrument,Repeat Instance,Hemoglobin (g/dL),Complete?\n1,Event 1,,,9,Complete\n"
    assert facts(text) == [("hemoglobin", "9", "g/dL", "Event 1")]


def test_blank_cells_are_never_zero_or_no(tmp_path):
    """An event in which nothing was entered has no facts."""
    charts, account = read("record_id,lab1,fever,bm_site___1,form_complete\n1,,,,0\n", dictionary=dictionary(tmp_path))
    assert entries(charts) == []
    assert account.read == 0


def test_the_sex_of_a_raw_export_is_told_by_the_dictionary(tmp_path):
    """2 is female only where the choices say so."""
    text = "record_id,sex,hgb,form_complete\n1,2,9,2\n"
    assert person(text, dictionary=dictionary(tmp_path)).sex == "female"
    assert person(text).sex == ""


def test_a_date_that_cannot_be_read_leaves_the_row():
    """It is not put at the event instead."""
    text = HEAD + "visit_date,hgb\n7,day_0,,,2016-05-02,9\n7,day_1,,,soon,9\n"
    assert [fact[3] for fact in facts(text)] == ["2016-05-02"]
    assert len(left(text)) == 1


def test_the_guess_for_an_export_repeats_nothing_that_the_dictionary_tells(tmp_path):
    """What is left to be said is listed."""
    text = "record_id,redcap_event_name,visit_date,lab1,spleen_size,other,bm_site___1,mrn,form_complete\n1,a,2016-05-02,900,3,1,0,77,2\n"
    found = table.guessed(io.BytesIO(text.encode()), "t.csv", dictionary=dictionary(tmp_path))
    assert (found.patient, found.timepoint, found.time) == ("record_id", "redcap_event_name", ["visit_date"])
    assert {name: column.observable for name, column in found.columns.items()} == {"spleen_size": "spleen_size", "other": ""}


def test_what_is_no_dictionary_is_refused(tmp_path):
    """A file of another kind, or none."""
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="no data dictionary"):
        redcap.dictionary(path)
    with pytest.raises(InputError, match="cannot be read"):
        redcap.dictionary(tmp_path / "none.csv")


def test_a_table_with_a_column_complete_is_no_export_by_that_alone():
    """Its cells must be the states of a form."""
    assert facts("remission_complete,patient,Ferritin (ng/mL)\nmaybe,1,900\n")[0][:2] == ("ferritin", "900")
    charts, _ = read("remission_complete,patient,Ferritin (ng/mL)\nmaybe,1,900\n")
    assert [chart.person.id for chart in charts] == ["1"]


COLUMNS = ["redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", "visit_date", "sex", "lab1", "hgb", "fever", "spm",
           "bm_site___1", "bm_site___2", "bm_site___77", "signs___a", "mrn", "form_complete", "form_timestamp"]  # fmt: skip


@given(
    st.lists(st.sampled_from(COLUMNS), unique=True),
    st.lists(
        st.lists(st.sampled_from(["", "0", "1", "2", "Checked", "2016-05-02", "labs", "x", "9.2", "-1", "é"]), max_size=18),
        max_size=8,
    ),
)
def test_any_export_is_read_or_refused_and_its_books_are_right(tmp_path_factory, columns, rows):
    """Nothing but InputError is raised, and used and left together are what was read."""
    fields = redcap.dictionary(dictionary(tmp_path_factory.getbasetemp()))
    lines = [",".join(row) for row in [["record_id", *columns, "x___1"], *rows]]
    account = Account("t.csv", "csv")
    path = tmp_path_factory.getbasetemp() / "dictionary.csv"
    assert fields
    try:
        charts = table.read(io.BytesIO(("\n".join(lines) + "\n").encode()), "t.csv", account, dictionary=path)
    except InputError:
        return
    assert len(entries(charts)) + account.unused == account.read


def test_the_example_of_the_page_is_true(tmp_path):
    """The dictionary and the export of the page make the guess of the page, and with what it asks for, the values."""
    page = (Path(redcap.__file__).parent / "reading.md").read_text(encoding="utf-8")
    blocks = [block.partition("```")[0] for block in page.partition("### An export of REDCap")[2].split("```text\n")[1:]]
    names, export, shown = blocks[:3]
    path = tmp_path / "dictionary.csv"
    path.write_text(names.replace(",Choices,", ',"Choices, Calculations, OR Slider Labels",'), encoding="utf-8")
    written = guess.text(table.guessed(io.BytesIO(export.encode()), "t.csv", dictionary=path))
    assert [line for line in shown.splitlines() if line not in written.splitlines()] == []
    rules = written[: written.index("columns:")] + "ignore: [bx___1, bx___2]\n"
    assert facts(export, rules, dictionary=path) == [
        ("hemoglobin", "7.8", "g/dL", "2016-05-02"),
        ("splenomegaly", "yes", "", "2016-05-02"),
        ("hemophagocytosis", "marrow", "", "2016-05-02"),
    ]
    _, account = read(export, rules, dictionary=path)
    account.insist()


def test_fields_of_one_label_are_of_different_times(tmp_path):
    """Ferritin at admission and on day 14, both labelled as ferritin, in one row: neither is taken before a mapping says which is which."""
    path = tmp_path / "dictionary.csv"
    lines = [f'{name},labs,,text,"Ferritin (ng/mL)",,,number,,,,,,,,,,' for name in ("fer_adm", "fer_d14")]
    path.write_text(OFFICIAL + "\n".join(lines) + "\n", encoding="utf-8")
    text = "record_id,redcap_event_name,fer_adm,fer_d14\n1,baseline_arm_1,900,9000\n"
    charts, account = read(text, dictionary=path)
    assert not entries(charts)
    assert [(kind.number, "several fields of one label" in kind.reason) for kind in account.left] == [(1, True), (1, True)]

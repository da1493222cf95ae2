"""The command as scripts and people use it: output, exit status, messages."""

import csv
import io
import json
import os
import stat
import sys

import jsonschema
import pytest
from command import ROOT, SAMPLES, hlhcli, interruptible
from tables import patient_yaml

from hlhcli import __version__, schemas

SEED = "samples/broglie-2017.yaml"
GOOD = patient_yaml("temperature: 39 C; ferritin: 900 ng/mL")
MET = patient_yaml("fever: yes; splenomegaly: yes; ferritin: 900 ng/mL; nk_activity: low; hemophagocytosis: yes")
NOT_MET = patient_yaml("fever: no; splenomegaly: no; nk_activity: normal; hemophagocytosis: no")


@pytest.fixture
def files(tmp_path):
    """A good file, a bad one, and one that is not there."""
    (tmp_path / "good.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "met.yaml").write_text(MET, encoding="utf-8")
    (tmp_path / "not-met.yaml").write_text(NOT_MET, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("timepoints:\n  - name: a\n    observations: {feritin: 1}\n", encoding="utf-8")
    return tmp_path


def test_version_and_help():
    """Help leads with examples; so does the help of each command."""
    assert hlhcli("--version").out == f"hlhcli {__version__}\n"
    for command in ([], ["check"], ["criteria"], ["init"], ["schema"]):
        ran = hlhcli(*command, "--help")
        assert ran.code == 0
        body = ran.out.split("\n\n", 1)[1]
        assert body.lstrip().startswith("Examples:"), command
        assert hlhcli(*command, "-h").out == ran.out


def test_json_follows_its_schema():
    """What `check --json` prints validates against `hlhcli schema results`, and nothing else is on stdout."""
    ran = hlhcli("check", "--json", *sorted(SAMPLES.glob("*.yaml")), "nowhere.yaml")
    assert ran.code == 1
    jsonschema.validate(ran.json, json.loads(hlhcli("schema", "results").out))
    assert [error["source"] for error in ran.json["errors"]] == ["nowhere.yaml"]


def test_json_contract():
    """The keys on which scripts rely."""
    data = hlhcli("check", "--json", SEED).json
    assert list(data) == ["schema", "version", "results", "errors"]
    assert data["schema"] == "hlhcli.results/1"
    (result,) = data["results"]
    assert result["source"] == SEED
    assert result["patient"] == {"id": "broglie-2017", "age": "11 y", "sex": "male"}
    assessment = result["assessments"][0]
    assert {"timepoint", "day", "criteria", "verdict", "by", "count", "items", "would_decide", "reported"} <= set(assessment)
    assert (assessment["timepoint"], assessment["day"], assessment["criteria"]) == ("Initial diagnosis", "0", "hlh-2004")
    assert set(assessment["count"]) == {"required", "of", "met", "not_met", "unknown", "min", "max"}
    fever = assessment["items"][0]
    assert fever["evidence"] == [
        {"observable": "temperature", "value": "39-40 Cel", "rule": "temperature >= 38.5 Cel", "status": "met", "note": None}
    ]
    ids = ["fever", "splenomegaly", "cytopenias", "lipids", "hemophagocytosis", "nk_activity", "ferritin", "sil2r"]
    assert [item["id"] for item in assessment["items"]] == ids


def test_one_bad_input_does_not_stop_the_others(files):
    """Exit 1, the message on stderr and under `errors`, the others evaluated."""
    ran = hlhcli("check", "--json", files / "bad.yaml", files / "missing.yaml", files / "good.yaml", files)
    assert ran.code == 1
    assert [result["source"] for result in ran.json["results"]] == [str(files / "good.yaml")]
    lines = ran.err.splitlines()
    assert lines[0] == f"{files}/bad.yaml:3:20: unknown observable 'feritin'; did you mean 'ferritin'?"
    assert lines[1] == f"{files}/missing.yaml: cannot be read: no such file or directory"
    assert lines[2] == f"{files}: cannot be read: is a directory; name its files, such as {files}/*.yaml"
    assert [error["where"] for error in ran.json["errors"]] == [line.split(": ")[0] for line in lines]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["good.yaml"], 0), (["good.yaml", "--exit-code"], 11), (["met.yaml", "--exit-code"], 0), (["not-met.yaml", "--exit-code"], 10),
        (["met.yaml", "not-met.yaml", "--exit-code"], 10), (["not-met.yaml", "good.yaml", "--exit-code"], 11), (["bad.yaml", "good.yaml", "--exit-code"], 1),
        (["bad.yaml"], 1), (["good.yaml", "-c", "hlh-2004", "-c", "hlh-2004"], 0), (["good.yaml", "-c", "all"], 0),
        (["good.yaml", "--criteria", "hlh2004"], 2), (["good.yaml", "--format", "xml"], 2), (["good.yaml", "--json", "--format", "csv"], 2),
        (["good.yaml", "--colour"], 2), (["-", "-"], 2), ([], 2),
    ],
)  # fmt: skip
def test_exit_status(files, arguments, code):
    """0 evaluated, 1 an input failed, 2 wrong usage; 10 and 11 only on request."""
    ran = hlhcli("check", *arguments, cwd=files)
    assert ran.code == code
    assert "Traceback" not in ran.err


def test_an_unknown_set_is_answered_with_the_nearest():
    """Wrong usage names what was meant."""
    assert "did you mean 'hlh-2004'?" in hlhcli("check", SEED, "-c", "hlh2004").err
    assert "did you mean 'hlh-2004'?" in hlhcli("criteria", "hlh2004").err


def test_standard_input():
    """`-` reads a patient, as YAML or JSON."""
    assert hlhcli("check", "--json", "-", stdin=GOOD).json["results"][0]["source"] == "<stdin>"
    assert hlhcli("check", "--json", "-", stdin='{"timepoints": [{"name": "a"}]}').code == 0
    bad = hlhcli("check", "-", stdin="timepoints: [{nam: a}]")
    assert (bad.code, bad.err) == (1, "<stdin>:1:15: unknown key 'nam'; did you mean 'name'?\n")


def test_json_lines():
    """Each line is an element of `results`."""
    whole = hlhcli("check", "--json", SEED, "samples/pmc4608169.yaml").json["results"]
    lines = hlhcli("check", "--format", "jsonl", SEED, "samples/pmc4608169.yaml").out.splitlines()
    assert [json.loads(line) for line in lines] == whole


def test_csv(files):
    """One row per time point, statuses and the values behind them, and no cell that a spreadsheet would run."""
    (files / "formula.yaml").write_text(
        "patient: {id: '=1+1'}\ntimepoints:\n  - {name: '@SUM(A1)', day: -3, observations: {ferritin: '>500 ng/mL'}}\n"
    )
    rows = list(csv.DictReader(io.StringIO(hlhcli("check", "-f", "csv", files / "formula.yaml", SEED).out)))
    assert len(rows) == 4
    assert (rows[0]["patient_id"], rows[0]["timepoint"], rows[0]["day"]) == ("'=1+1", "'@SUM(A1)", "-3")
    assert (rows[0]["ferritin"], rows[0]["ferritin_value"]) == ("met", "ferritin >500 ng/mL")
    assert [row["verdict"] for row in rows[1:]] == ["indeterminate", "met", "indeterminate"]


def test_markdown():
    """A table that a note can hold, with the file's text escaped."""
    out = hlhcli("check", "-f", "markdown", "-", stdin="timepoints: [{name: 'a|b <b>*c*'}]").out
    assert "| a\\|b \\<b\\>\\*c\\* |" in out
    assert "| Verdict | INDETERMINATE |" in out


@pytest.mark.parametrize(
    ("name", "start"),
    [("x.json", '{\n  "schema"'), ("x.jsonl", '{"source"'), ("x.csv", "source,"), ("x.md", "### "), ("x.txt", "row, 11 y")],
)
def test_output_file(files, name, start):
    """-o writes the form that the name asks for; nothing goes to stdout."""
    ran = hlhcli("check", "good.yaml", "-o", name, cwd=files)
    assert (ran.code, ran.out) == (0, "")
    assert (files / name).read_text(encoding="utf-8").startswith(start)
    assert stat.S_IMODE((files / name).stat().st_mode) == 0o666 & ~_umask()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_output_replaces_at_once_or_not_at_all(files):
    """An earlier file stays whole when writing fails, and no partial file is left behind."""
    target = files / "out.json"
    target.write_text("earlier")
    ran = hlhcli("check", "good.yaml", "-o", target / "inside.json", cwd=files)
    assert ran.code == 1
    assert "cannot be written" in ran.err
    assert target.read_text() == "earlier"
    assert hlhcli("check", "good.yaml", "-o", target, cwd=files).code == 0
    assert json.loads(target.read_text())["errors"] == []
    assert not list(files.glob(".*"))


def test_output_to_a_device():
    """What cannot be replaced is written to."""
    assert hlhcli("check", SEED, "-o", os.devnull).code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no such shell")
def test_a_closed_pipe_is_no_error(files):
    """`| head -1` ends the command without a message."""
    script = f'{sys.executable} -m hlhcli check --json {SEED} {SEED} {SEED} | head -1; echo "${{PIPESTATUS[0]}}"'
    import subprocess

    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == "{"


def test_init_is_a_patient(tmp_path):
    """The template checks as it is, and is not written over a file."""
    template = hlhcli("init").out
    assert hlhcli("check", "--json", "-", stdin=template).json["results"][0]["assessments"][0]["count"]["unknown"] == 8
    assert hlhcli("init", "-o", "p.yaml", cwd=tmp_path).code == 0
    assert (tmp_path / "p.yaml").read_text(encoding="utf-8") == template
    again = hlhcli("init", "-o", "p.yaml", cwd=tmp_path)
    assert (again.code, again.err) == (1, "p.yaml exists already; choose another name\n")


def test_criteria_page():
    """A set is shown with every cut-off, its grade, the citation, and what is not computed."""
    assert "hlh-2004" in hlhcli("criteria").out
    page = hlhcli("criteria", "hlh-2004").out
    for text in (
        "ferritin >= 500 ug/L (= 500 ng/mL)  [reproduction]",
        "[secondary]",
        "10.1002/pbc.21039",
        "What is not computed",
        "triglycerides >= 3.0 mmol/L or >= 265 mg/dL",
    ):
        assert text in page
    assert max(map(len, page.splitlines())) <= 80


def test_warnings_are_last_and_in_json(files):
    """A doubtful value is flagged below the table and in JSON, with its place."""
    text = patient_yaml("hb: 90 g/dL")
    table = hlhcli("check", "-", stdin=text).out.rstrip().splitlines()
    assert table[-2:] == ["Warnings", "- <stdin>:5:11: hemoglobin 90 g/dL is hardly possible: did you mean 90 g/L?"]
    warnings = hlhcli("check", "--json", "-", stdin=text).json["results"][0]["warnings"]
    assert warnings == [{"where": "<stdin>:5:11", "message": "hemoglobin 90 g/dL is hardly possible: did you mean 90 g/L?"}]
    assert "hardly possible" in hlhcli("check", "-f", "csv", "-", stdin=text).err


def test_schema_accepts_the_samples():
    """Every sample validates against the JSON Schema that editors use, as a YAML 1.2 editor types it."""
    import yaml

    def typed(node):
        """Scalars as YAML 1.2 types them: `no` is text, numbers and null are not."""
        if isinstance(node, dict):
            return {key: typed(value) for key, value in node.items()}
        if isinstance(node, list):
            return [typed(value) for value in node]
        if node in ("", "null", "~"):
            return None
        try:
            return int(node) if node.isascii() and node.isdigit() else float(node) if set(node) <= set("0123456789.-") else node
        except ValueError:
            return node

    schema = schemas.schema("patient")
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for path in [*sorted(SAMPLES.glob("*.yaml")), ROOT / "hlhcli" / "template.yaml"]:
        validator.validate(typed(yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)))


@pytest.mark.parametrize(
    "text",
    [
        '{"timepoints": [{"name": "a", "observations": {"feritin": "5 ng/mL"}}]}', '{"timepoints": []}', '{"patient": {}}',
        '{"timepoints": [{"name": "a", "observatons": {}}]}', '{"timepoints": [{"name": "a"}], "unit": "si"}',
        '{"timepoints": [{"name": "a", "observations": {"ferritin": {"vale": 3}}}]}', '{"timepoints": [{"name": "a", "observations": {"ferritin": "lots"}}]}',
        '{"timepoints": [{"name": "a", "observations": {"fever": "perhaps"}}]}', '{"timepoints": [{"name": "a", "day": "first"}]}', '{"patient": {"age": "19-month-old"}, "timepoints": [{"name": "a"}]}',
        '{"patient": {"sex": "girlx"}, "timepoints": [{"name": "a"}]}', '{"timepoints": [{"name": "a", "reported": {"hlh-2004": {"verdict": "fulfilled"}}}]}', '{"timepoints": [{"name": "a"}], "background": {"ferritin": "5 ng/mL"}}',
    ],
)  # fmt: skip
def test_schema_refuses_what_check_refuses(text):
    """Misspelled keys are underlined in the editor as they are refused by the command."""
    assert hlhcli("check", "-", stdin=text).code == 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(text), schemas.schema("patient"))


def test_no_schema_of_that_name():
    """Wrong usage is 2."""
    assert hlhcli("schema", "patients").code == 2


def test_interrupted(tmp_path):
    """Ctrl-C ends with 130 and without a traceback."""
    import os
    import signal
    import subprocess

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [sys.executable, "-m", "hlhcli", "check", str(pipe)], stderr=subprocess.PIPE, cwd=ROOT, preexec_fn=interruptible
    )
    with pipe.open("wb"):  # which waits until it is read
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Traceback" not in err


def test_a_set_that_asks_of_the_past_is_told(tmp_path):
    """A time point stands for itself: what a set asks of those before stays unknown, and a warning says so."""
    own = tmp_path / "own.yaml"
    rule = "verdict: {when: ferritin falls >= 25 % from baseline}"
    own.write_text(f"id: own\ntitle: Own\ncitation: {{text: none}}\nprovenance: primary\n{rule}\n")
    (found,) = hlhcli("check", "-c", own, SAMPLES / "synthetic-course.yaml", "--json").json["results"]
    assert {each["verdict"] for each in found["assessments"]} == {"indeterminate"}
    assert any("own asks how it was before (ferritin)" in each["message"] for each in found["warnings"])

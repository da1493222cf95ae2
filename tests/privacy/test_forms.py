"""Every form of every command on planted inputs: no connection is opened, and nothing is told, kept or left that names a patient."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from command import ROOT
from forked import calls
from forms import CALLS
from guard import FORBIDDEN, seals
from planted import BORN, CANARY, NUMBER, canary, plant

pytest.importorskip("duckdb")
matplotlib = pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")
pytest.importorskip("openpyxl")

from hlhcli import cli_cohort, cli_convert, cli_definitions, cli_pictures  # noqa: E402, F401
from hlhcli.cli import app  # noqa: E402
from hlhcli.render.output import Format  # noqa: E402

# What names a kind of thing may be told where it is not known; what says something of a person is not.
NAMES = {"code", "system", "display", "term", "phenotype", "diagnosis", "drug", "unit", "test", "column", "case"}


def test_every_command_and_option_has_a_form():
    """A command, an option or a format that is added belongs in the table of forms."""
    commands = typer.main.get_command(app).commands
    called = {name: [call for call in CALLS if _command(call) == name] for name in commands}
    for name, command in commands.items():
        words = {word for call in called[name] for word in call}
        assert called[name], f"no form of {name}"
        for option in (each for each in command.params if each.param_type_name == "option" and each.name != "help"):
            assert words & {*option.opts}, f"no form of {name} with {option.opts}"
    formats = {call[place + 1] for call in called["check"] for place, word in enumerate(call) if word in ("-f", "--format")}
    endings = {Path(call[call.index("-o") + 1]).suffix for call in called["check"] if "-o" in call}
    assert formats | {"table", "json"} == {*Format}
    assert endings >= {".json", ".jsonl", ".csv", ".md", ".txt"}


def _command(call: list[str]) -> str:
    return "cohort summary" if call[:2] == ["cohort", "summary"] else call[0]


def test_no_connection_and_no_patient_told(tmp_path):
    """No socket is opened and no program started; stderr, manifests, metadata and what is left behind name nobody."""
    work, home, temporary = (tmp_path / name for name in ("work", "home", "temporary"))
    for folder in (work, home, temporary):
        folder.mkdir()
    plant(work, canary)
    before = {path: path.read_bytes() for path in work.rglob("*") if path.is_file()}
    kept = {"HOME": str(home), "TMPDIR": str(temporary), "XDG_CACHE_HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    kept["MPLCONFIGDIR"] = matplotlib.get_cachedir()  # its list of fonts, which takes long to make
    for call, ran in calls(CALLS, work, "import guard; guard.forbid()", **kept):
        assert ran.code in ((1, 11) if fails(call) else (0,)), (call, ran.code, ran.err)
        assert not re.search(r"Traceback|mistake in hlhcli|forbidden", ran.err), (call, ran.err)
        assert told(ran.err) <= NAMES, (call, ran.err)
        assert NUMBER not in ran.err, (call, ran.err)
        assert BORN not in ran.err, (call, ran.err)
    assert {path: path.read_bytes() for path in before} == before
    assert [path.name for path in work.rglob(".*")] == []
    assert [*temporary.rglob("*"), *home.rglob("*")] == []
    manifests = [*work.rglob("*manifest.json")]
    assert len(manifests) > 5
    for path in manifests:
        assert not re.search(rf"{CANARY}|{NUMBER}|{BORN}|1987", path.read_text()), path
        assert json.loads(path.read_text())["rows"]["in"] > 0
    for path in (*work.glob("*.png"), *work.glob("*.pdf")):  # what is drawn is packed, and what is written about it is not
        assert CANARY.encode() not in path.read_bytes(), path
    assert CANARY.encode() not in (work / "case.yaml").read_bytes()


def fails(call: list[str]) -> bool:
    """True for the calls that are meant to end with another status than 0."""
    return "--strict" in call or "--exit-code" in call or call in (["check", "-"], ["criteria", "test", "own.yaml"])


def told(text: str) -> set[str]:
    """The places whose planted words stand in a text."""
    return set(re.findall(rf"{CANARY}-(\w+)", text))


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("import socket; socket.socket()", FORBIDDEN),
        ("import socket; socket.getaddrinfo('localhost', 80)", FORBIDDEN),
        ("import socket; a, b = socket.socketpair(); a.close(); b.close()", 0),
        ("import subprocess; subprocess.run(['true'])", FORBIDDEN),
        ("import urllib.request; urllib.request.urlopen('http://localhost')", FORBIDDEN),
        ("import ctypes; ctypes.CDLL(None).socket(2, 1, 0)", -31),
        ("import ctypes; ctypes.CDLL(None).socket(10, 2, 0)", -31),
        ("import ctypes; ctypes.CDLL(None).socket(1, 1, 0)", 0),
    ],
)
def test_the_guard_guards(code, status):
    """The guard ends what asks for a network, in Python and beside it, and leaves what stays on the machine."""
    if status == -31 and not seals():
        pytest.skip("the kernel is not asked here")
    done = subprocess.run(
        [sys.executable, "-c", f"import guard; guard.forbid(); {code}"], cwd=Path(__file__).parent, capture_output=True, check=False
    )
    assert done.returncode == status, done.stderr


def test_duckdb_fetches_nothing():
    """No extension comes from elsewhere by itself, and every database is opened at one place."""
    import duckdb

    from hlhcli.cohort.embedded import connect

    with connect() as here:
        asked = "SELECT name FROM duckdb_settings() WHERE name IN ('autoinstall_known_extensions', 'autoload_known_extensions', 'allow_community_extensions') AND value <> 'false'"
        assert here.execute(asked).fetchall() == []
        with pytest.raises(duckdb.Error):
            here.execute("SELECT * FROM read_parquet('https://localhost:1/x.parquet')")
    for path in (ROOT / "hlhcli").rglob("*.py"):
        number = path.read_text(encoding="utf-8").count("duckdb.connect(")
        assert number == (path.name == "embedded.py"), path

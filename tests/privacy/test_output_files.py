"""What is written is whole or not there, as private as it was or as the user's umask says, and never in the place of what is read."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from command import ROOT
from forked import calls
from planted import canary, plant

for needed in ("duckdb", "matplotlib", "jinja2", "openpyxl"):
    pytest.importorskip(needed)
if sys.platform == "win32":
    pytest.skip("signals and modes of Unix", allow_module_level=True)

# Every command that writes a file; the name of the file is the last argument.
WRITERS = [
    ["check", "patient.yaml", "-o", "out.json"],
    ["check", "patient.yaml", "-o", "out.csv"],
    ["check", "patient.yaml", "-o", "out.txt"],
    ["check", "patient.yaml", "-o", "out.md"],
    ["check", "patient.yaml", "-o", "out.jsonl"],
    ["convert", "fhir.json", "--force", "-o", "out.yaml"],
    ["convert", "wide.csv", "--guess", "--force", "-o", "out.yaml"],
    ["figure", "patient.yaml", "-o", "out.svg"],
    ["figure", "patient.yaml", "-o", "out.pdf"],
    ["report", "patient.yaml", "-o", "out.html"],
    ["cohort", "labs.csv", "--force", "-o", "out.csv"],
    ["cohort", "labs.csv", "--force", "-o", "out.parquet"],
    ["cohort", "labs.csv", "--force", "--rejects", "out.csv"],
    ["cohort", "summary", "whole.csv", "--figure", "out.svg"],
    ["init", "-o", "out.yaml"],
]  # fmt: skip
FEW = [WRITERS[0], WRITERS[5], WRITERS[11]]
OLD = "what was there before\n"


def label(call: list[str]) -> str:
    return " ".join(call)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The planted inputs, and an output of the cohort command."""
    folder = plant(tmp_path_factory.mktemp("source"), canary)
    [(_, ran)] = calls([["cohort", "labs.csv", "-o", "whole.csv"]], folder)
    assert ran.code == 0, ran.err
    return folder


@pytest.fixture
def work(source, tmp_path):
    """A copy of the inputs."""
    return Path(shutil.copytree(source, tmp_path / "work"))


def aside(writers: list[list[str]], fresh: bool = False) -> list[list[str]]:
    """The same calls, each with an output of its own; `fresh`: those that refuse a file that is there too."""
    wanted = [call for call in writers if fresh or call[0] != "init"]
    return [[*call[:-1], f"{number}-{call[-1]}"] for number, call in enumerate(wanted)]


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob(".*"))


@pytest.mark.parametrize(("mask", "writers"), [(0o077, WRITERS), (0o022, FEW), (0o027, FEW)])
def test_the_umask_of_the_user_holds(work, mask, writers):
    """A new file, and the manifest beside it, has the rights that the user gives; nothing else is left."""
    before = {path.name for path in work.iterdir()}
    made = aside(writers, fresh=True)
    for call, ran in calls(made, work, f"import os; os.umask({mask})"):
        assert ran.code == 0, (call, ran.err)
        assert stat.S_IMODE((work / call[-1]).stat().st_mode) == 0o666 & ~mask, call
    new = {path.name: stat.S_IMODE(path.stat().st_mode) for path in work.iterdir() if path.name not in before}
    assert set(new.values()) == {0o666 & ~mask}
    assert hidden(work) == []


def test_what_was_private_stays_private(work):
    """A file that is replaced keeps its rights, whatever the umask."""
    made = aside(WRITERS)
    for call in made:
        (work / call[-1]).write_text(OLD)
        (work / call[-1]).chmod(0o600)
    for call, ran in calls(made, work, "import os; os.umask(0o022)"):
        assert ran.code == 0, (call, ran.err)
        assert (work / call[-1]).read_bytes() != OLD.encode()
        assert stat.S_IMODE((work / call[-1]).stat().st_mode) == 0o600, call


SIZE = 350  # bytes that a file may have
FULL = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({SIZE}, {SIZE}))"


def test_a_full_disk(work):
    """One line, status 1, what was there before, and nothing beside it."""
    made = aside(WRITERS)
    for call in made:
        (work / call[-1]).write_text(OLD)
    [(_, fresh)] = calls([["init", "-o", "new.yaml"]], work, FULL)
    assert (fresh.code, (work / "new.yaml").exists()) == (1, False)
    for call, ran in calls(made, work, FULL):
        assert ran.code == 1, (call, ran.err)
        assert "cannot be " in ran.err or len(ran.err) >= SIZE, (call, ran.err)  # what is said is limited too
        assert "Traceback" not in ran.err
        assert (work / call[-1]).read_text() == OLD, call
    assert hidden(work) == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_stopped_before_the_end(work, number, code):
    """A process that is stopped leaves the old file whole; what it wrote is hidden, or gone, and the next run sweeps it."""
    writers = WRITERS if number == signal.SIGTERM else FEW
    made = aside(writers)
    for call in made:
        (work / call[-1]).write_text(OLD)
    # A shell starts what runs in the background with SIGINT ignored.
    stop = f"import os, pathlib, signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\npathlib.Path.replace = lambda *_: os.kill(os.getpid(), {int(number)})"
    for call, ran in calls(made, work, stop):
        assert ran.code == code, (call, ran)
        assert "Traceback" not in ran.err
        assert (work / call[-1]).read_text() == OLD, call
        left = [name for name in hidden(work) if call[-1] in name]
        assert bool(left) == (number == signal.SIGKILL), (call, left)
        assert all(name.endswith((".part", ".partial", ".spill")) for name in left), left
    if number == signal.SIGKILL:
        assert {ran.code for _, ran in calls(made, work)} == {0}
    assert hidden(work) == []


# Root may write everywhere by its capabilities, which are given up here.
DENIED = "import ctypes; ctypes.CDLL(None).capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())"


def test_a_folder_that_may_not_be_written(work):
    """One line, status 1, and what was there before."""
    if sys.platform != "linux" and os.geteuid() == 0:
        pytest.skip("root may write everywhere here")
    made = aside(WRITERS)
    for call in made:
        (work / call[-1]).write_text(OLD)
    work.chmod(0o555)
    try:
        [(_, fresh), *found] = calls([["init", "-o", "new.yaml"], *made], work, DENIED)
    finally:
        work.chmod(0o755)
    assert (fresh.code, fresh.err) == (1, "new.yaml: cannot be written: permission denied\n")
    for call, ran in found:
        assert ran.code == 1, (call, ran)
        assert "permission denied" in ran.err.splitlines()[-1], (call, ran.err)
        assert (work / call[-1]).read_text() == OLD
    assert hidden(work) == []


# An output that is an input too: the call, and the file that must stay as it is.
SAME = [
    (["check", "patient.json", "-o", "patient.json"], 2), (["check", "patient.yaml", "patient.json", "-o", "./patient.json"], 2),
    (["check", "patient.yaml", "-o", "link.json"], 2), (["check", "wide.csv", "-o", "wide.csv"], 2),
    (["check", "bulk", "-o", "bulk/Patient.ndjson"], 2), (["check", "patient.yaml", "-c", "own.json", "-o", "own.json"], 2),
    (["check", "long.csv", "--map", "map.json", "-o", "map.json"], 2), (["check", "redcap.csv", "--dictionary", "dictionary.csv", "-o", "dictionary.csv"], 2),
    (["convert", "fhir.json", "--force", "-o", "fhir.json"], 2), (["convert", "long.csv", "--map", "map.json", "--force", "-o", "map.json"], 2),
    (["convert", "fhir.json", "--pseudonymize", "key.txt", "--force", "-o", "key.txt"], 2), (["convert", "wide.csv", "--guess", "--force", "-o", "wide.csv"], 2),
    (["figure", "patient.svg", "-o", "patient.svg"], 2), (["report", "patient.html", "-o", "patient.html"], 2),
    (["cohort", "labs.csv", "--force", "-o", "labs.csv"], 1), (["cohort", "labs.csv", "--force", "-o", "out.csv", "--rejects", "labs.csv"], 1),
    (["cohort", "labs.csv", "--anchors", "anchors.csv", "--force", "-o", "anchors.csv"], 1),
    (["cohort", "labs.csv", "--persons", "persons.csv", "--force", "-o", "persons.csv"], 1),
    (["cohort", "mimic/labevents.csv", "--map", "mimic/items.csv", "--force", "-o", "mimic/items.csv"], 1),
]  # fmt: skip


def test_what_is_read_is_not_written_over(work):
    """By its name, another name or a link; the table of a cohort, its anchors, births and mapping as well as a patient file."""
    for name, other in (
        ("patient.svg", "patient.yaml"),
        ("patient.html", "patient.yaml"),
        ("map.json", "long.map.yaml"),
        ("own.json", "own.yaml"),
    ):
        shutil.copy(work / other, work / name)
    (work / "link.json").symlink_to("patient.yaml")
    before = {path: path.read_bytes() for path in work.rglob("*") if path.is_file()}
    for (call, ran), (_, code) in zip(calls([call for call, _ in SAME], work), SAME, strict=True):
        assert ran.code == code, (call, ran)
        assert {path: path.read_bytes() for path in before} == before, call


def test_targets_that_are_no_plain_files(work):
    """A link stays a link, a folder is refused, and what cannot be replaced is written to."""
    (work / "real.json").write_text(OLD)
    (work / "link.json").symlink_to("real.json")
    (work / "nowhere.json").symlink_to("not-yet.json")
    (work / "folder.json").mkdir()
    os.mkfifo(work / "fifo.csv")
    made = [
        ["check", "patient.yaml", "-o", name] for name in ("link.json", "nowhere.json", "folder.json", "/dev/null", "/dev/stdout")
    ]
    made += [
        ["convert", "fhir.json", "--force", "-o", "link.json"],
        ["cohort", "labs.csv", "--force", "-o", "fifo.csv"],
        ["init", "-o", "nowhere.json"],
    ]
    link, nowhere, folder, null, screen, refused, fifo, init = (ran for _, ran in calls(made, work))
    assert (link.code, nowhere.code, null.code, screen.code) == (0, 0, 0, 0)
    assert (work / "link.json").is_symlink()
    assert (work / "real.json").read_text().startswith("{")
    assert (work / "not-yet.json").read_text().startswith("{")
    assert (folder.code, folder.err) == (1, "folder.json: cannot be written: is a directory\n")
    assert "is a link" in refused.err
    assert (fifo.code, init.code) == (1, 1)
    assert stat.S_ISFIFO((work / "fifo.csv").lstat().st_mode)
    assert "Verdict" in screen.out
    assert hidden(work) == []


def test_a_pipe_with_a_name(work):
    """A reader at the other end of a FIFO gets all of it."""
    os.mkfifo(work / "pipe")
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append((work / "pipe").read_text()))
    reader.start()
    [(_, ran)] = calls([["check", "patient.yaml", "-f", "json", "-o", "pipe"]], work)
    reader.join(timeout=30)
    assert ran.code == 0, ran.err
    assert found[0].rstrip().endswith("}")


def test_standard_output_by_its_name_is_appended_to(work):
    """`-o /dev/stdout >> log` keeps what stands in the log."""
    (work / "log").write_text(OLD)
    [(_, ran)] = calls([["check", "patient.yaml", "-o", "/dev/stdout"]], work, streams=("", str(work / "log"), ""))
    assert ran.code == 0
    assert ran.out.startswith(OLD)
    assert "Verdict" in (work / "log").read_text()
    assert (work / "log").read_text().startswith(OLD)


PRINTERS = [
    ["check", "patient.yaml"], ["check", "patient.yaml", "-c", "all", "--json"], ["check", "patient.yaml", "-f", "csv"],
    ["convert", "fhir.json"], ["criteria", "hlh-2004"], ["criteria"], ["schema", "results"], ["hazards"], ["observables"], ["init"], ["--help"],
    ["cohort", "labs.csv"], ["cohort", "--sql", "duckdb"], ["cohort", "summary", "whole.csv"], ["cohort", "summary", "whole.csv", "--json"],
]  # fmt: skip


@pytest.mark.parametrize(
    ("streams", "codes", "lines"),
    [
        (("", "full", ""), {1}, 1),
        (("", "gone", ""), {-signal.SIGPIPE, 1}, 0),
        (("", "closed", ""), {0}, 0),
        (("", "full", "full"), {1}, 0),
        (("closed", "", ""), {0}, 0),
    ],
)
def test_streams(source, streams, codes, lines):
    """A full disk under standard output is one line and status 1; a reader that is gone ends it quietly; a closed one is nothing."""
    for call, ran in calls(PRINTERS, source, streams=streams):
        assert ran.code in codes, (call, ran)
        assert "Traceback" not in ran.err
        said = [line for line in ran.err.splitlines() if "standard output: cannot" in line]
        assert len(said) == lines, (call, ran.err)


@pytest.mark.parametrize("error", ["full", "gone", "closed"])
def test_nobody_reads_the_messages(work, error):
    """Where what is said goes nowhere, what was asked for is written all the same."""
    writers = [call for call in aside(WRITERS, fresh=True) if not call[-1].endswith((".svg", ".pdf", ".txt"))]
    for call, ran in calls(writers, work, streams=("", "", error)):
        assert ran.code == 0, (call, ran)
        assert (work / call[-1]).stat().st_size > 100, call
    assert hidden(work) == []


def test_a_refused_run_leaves_nothing(work):
    """Options that are wrong, and engines that are not there, leave no folder behind."""
    before = sorted(path.name for path in work.iterdir())
    options = [
        ["--memory", "lots"],
        ["--memory", "99999999999999999999TB"],
        ["--engine", "none"],
        ["--lookback", "x"],
        ["--anchors", "none.csv"],
        ["-c", "none"],
    ]
    for call, ran in calls([["cohort", "labs.csv", "-o", "out.csv", *each] for each in options], work):
        assert ran.code in (1, 2), (call, ran)
        assert sorted(path.name for path in work.iterdir()) == before, call


def test_head(source):
    """`| head -1` gets its line, and there is no message."""
    for command in ("check -c all --json patient.yaml", "schema", "cohort --sql duckdb"):
        script = f"'{sys.executable}' -m hlhcli {command} | head -1"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=source,
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            check=True,
        )
        assert len(done.stdout.splitlines()) == 1
        assert done.stderr == ""

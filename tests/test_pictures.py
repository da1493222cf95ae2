"""The commands `figure` and `report`, as a user calls them."""

import subprocess
import sys

import pytest
from command import ROOT, hlhcli

SEED = "samples/broglie-2017.yaml"
HEADS = {"svg": b"<?xml", "png": b"\x89PNG\r\n", "pdf": b"%PDF-", "html": b"<!doctype html>"}


@pytest.mark.parametrize("form", HEADS)
def test_each_form(tmp_path, form):
    """The name of the file says what is drawn; nothing goes to stdout."""
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    target = tmp_path / f"x.{form}"
    ran = hlhcli("report" if form == "html" else "figure", SEED, "-o", target)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert target.read_bytes().lower().startswith(HEADS[form].lower())
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["figure", SEED, "-o", "x.jpg"], 2, "choose a name that ends in .svg, .png or .pdf"),
        (["figure", SEED], 2, "Missing option"),
        (["figure", "missing.yaml", "-o", "x.svg"], 1, "missing.yaml: cannot be read"),
        (["figure", SEED, "-o", "missing/x.svg"], 1, "missing/x.svg: cannot be written: no such file or directory"),
        (["report", SEED, "-o", "missing/x.html"], 1, "missing/x.html: cannot be written"),
        (["report", "-c", "nothing", SEED, "-o", "x.html"], 2, "nothing"),
    ],
)
def test_mistakes(tmp_path, arguments, code, says):
    """One line, and the exit status of the other commands; no file is left behind."""
    for name in ("matplotlib", "jinja2"):
        pytest.importorskip(name)
    paths = [str(ROOT / each) if each == SEED else each for each in arguments]
    ran = hlhcli(*paths, cwd=tmp_path)
    assert ran.code == code
    assert says in ran.err
    assert "Traceback" not in ran.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("command", "library"), [("figure", "matplotlib"), ("report", "jinja2")])
def test_what_is_missing_is_named(tmp_path, command, library):
    """Without the extra the message says what to install."""
    hidden = tmp_path / library
    hidden.mkdir()
    (hidden / "__init__.py").write_text("raise ImportError('hidden')\n")
    ran = hlhcli(command, SEED, "-o", tmp_path / ("x.svg" if command == "figure" else "x.html"), PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert ran.code == 1
    assert "pip install matplotlib" in ran.err


def test_check_needs_no_extra():
    """Neither matplotlib nor Jinja2 is imported for the table."""
    code = "import sys; sys.argv = ['hlhcli', 'check', 'samples/synthetic-course.yaml']\nfrom hlhcli.__main__ import main\ntry:\n    main()\nexcept SystemExit:\n    pass\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert not {"matplotlib", "numpy", "jinja2", "hlhcli.render.figure"} & set(done.stderr.split())

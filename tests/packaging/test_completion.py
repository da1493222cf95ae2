"""What a shell completes is what the commands take, and costs next to nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from command import ROOT, hlhcli

from hlhcli import completion, criteria, observables, responses
from hlhcli.cohort.printed import _TRIED
from hlhcli.readers.detect import Form
from hlhcli.render.output import Format

SHARE = ROOT / "hlhcli" / "share"
IDS = {*criteria.ids(), *responses.ids()}


def offered(line: str) -> list[str]:
    *words, current = line.split(" ")[1:]
    return [value for value, _ in completion.candidates(words, current)]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("hlhcli ", ["check", "cohort", "convert", "criteria", "init", "observables", "hazards", "schema", "figure", "report"]),
        ("hlhcli co", ["cohort", "convert"]),
        ("hlhcli --v", ["--version"]),
        ("hlhcli check --f", ["--format", "--from"]),
        ("hlhcli check ", []),
        ("hlhcli check -o ", []),
        ("hlhcli check -- -", []),
        ("hlhcli check -c hsc", ["hscore"]),
        ("hlhcli check -c hscore -c mas", ["mas-2016"]),
        ("hlhcli check -c al", ["all"]),
        ("hlhcli check --criteria=hsc", ["--criteria=hscore"]),
        ("hlhcli check --json=", []),
        ("hlhcli check --format ", [*Format]),
        ("hlhcli check -f ma", ["markdown"]),
        ("hlhcli check --from ", [form for form in Form if form is not Form.NDJSON]),
        ("hlhcli check --anchor first-ferr", ["first-ferritin"]),
        ("hlhcli cohort ", []),
        ("hlhcli cohort su", ["summary"]),
        ("hlhcli cohort summary --format ", ["table", "json", "markdown"]),
        ("hlhcli cohort summary ", []),
        ("hlhcli cohort --anchors d", ["daily"]),
        ("hlhcli cohort --anchors on:ferr", ["on:ferritin"]),
        ("hlhcli cohort --sql ", [*_TRIED]),
        ("hlhcli criteria te", ["test"]),
        ("hlhcli criteria --diff hlh-2004 hlh-20", [name for name in sorted(IDS) if name.startswith("hlh-20")]),
        ("hlhcli criteria --diff hlh-2004 hlh-2024 hsc", ["hscore"]),
        ("hlhcli init --criteria ", []),
        ("hlhcli schema r", ["results"]),
        ("hlhcli observables ferr", ["ferritin"]),
        ("hlhcli no-command x", []),
    ],
)
def test_what_may_stand_there(line, found):
    """Commands, options, ids, forms and observables; nothing where a file may stand."""
    assert sorted(offered(line)) == sorted(found)


def test_every_id_and_observable_has_its_title():
    """As the definitions themselves say it: the files are only scanned here."""
    found = dict(completion.candidates(["criteria"], ""))
    assert {name: found[name] for name in IDS} == {
        name: (criteria.load(name) if name in criteria.ids() else responses.load(name)).title for name in IDS
    }
    assert set(found) == IDS | {"test"}
    named = dict(completion.candidates(["cohort", "--anchors"], "on:"))
    assert named == {f"on:{each}": f"Each day with a value: {observables.get(each).title}" for each in observables.names()}


def test_ones_own_criteria_are_offered(tmp_path, monkeypatch):
    """From the folders that are named in the line or in the environment."""
    (tmp_path / "ours.yaml").write_text("id: our-hospital\ntitle: 'Ours'\n", encoding="utf-8")
    (tmp_path / "broken.yaml").write_bytes(b"\xff\xfe: [")
    assert ("our-hospital", "Ours") in completion.candidates(["check", "--criteria-dir", str(tmp_path), "-c"], "our")
    assert offered("hlhcli check -c our") == []
    monkeypatch.setenv("HLHCLI_CRITERIA", os.pathsep.join([str(tmp_path / "none"), str(tmp_path)]))
    assert offered("hlhcli check -c our") == ["our-hospital"]


def test_what_is_offered_is_taken():
    """No value is offered that the command refuses."""
    sample = ROOT / "samples" / "broglie-2017.yaml"
    for value in offered("hlhcli check --format "):
        assert hlhcli("check", "--format", value, sample).code == 0
    for value in offered("hlhcli schema "):
        assert hlhcli("schema", value).code == 0
    assert hlhcli("check", "--from", "patient", "-c", "all", sample).code == 0


def asked(shell: str, line: str, **more: str) -> str:
    words = line.split(" ")
    return hlhcli(
        _HLHCLI_COMPLETE=f"complete_{shell}",
        COMP_WORDS="\n".join(words),
        COMP_CWORD=str(len(words) - 1),
        _TYPER_COMPLETE_ARGS=line,
        **more,
    ).out


def test_each_shell_is_answered_in_its_form():
    """With a title where it shows one; files where there is nothing to say."""
    assert asked("bash", "hlhcli check -c hsc") == "hscore\n"
    assert asked("bash", "hlhcli cohort --anchors on : ferr") == "ferritin\n"
    assert asked("bash", "hlhcli check --format = js") == "json\njsonl\n"
    assert asked("bash", "hlhcli check --format =").split() == [*Format]
    assert asked("bash", "hlhcli check ") == "\n"
    assert asked("zsh", "hlhcli check -c mas") == f'_arguments \'*: :(("mas-2016":"{criteria.load("mas-2016").title}"))\'\n'
    assert '"on\\\\:ferritin":"Each day with a value\\\\: Ferritin"' in asked("zsh", "hlhcli cohort --anchors on:ferr")
    assert asked("zsh", "hlhcli check 'a file.yaml' -c hsc").count("hscore") == 1
    assert asked("zsh", "hlhcli check 'half a na") == "_files\n"
    assert asked("fish", "hlhcli check -c hsc", _TYPER_COMPLETE_FISH_ACTION="get-args") == "hscore\tHScore\n"
    assert asked("powershell", "hlhcli check -c hsc") == "hscore:::HScore\n"
    assert hlhcli(_HLHCLI_COMPLETE="complete_tcsh").code == 1


def test_nothing_is_imported_for_it():
    """Somebody waits for it at each key: neither Typer nor anything that reads a patient."""
    code = "import sys\nfrom hlhcli.__main__ import main\nmain()\nprint(*sys.modules, file=sys.stderr)"
    environment = {"_HLHCLI_COMPLETE": "complete_bash", "COMP_WORDS": "hlhcli\ncheck\n-c\nhl", "COMP_CWORD": "3"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True, env=os.environ | environment
    )
    assert "hlh-2004" in done.stdout.split()
    loaded = set(done.stderr.split())
    assert not loaded & {"typer", "pydantic", "rich", "yaml", "json", "shlex"}
    assert {name for name in loaded if name.startswith("hlhcli")} == {"hlhcli", "hlhcli.__main__", "hlhcli.completion"}


@pytest.fixture
def path(tmp_path, monkeypatch):
    """The command on the path, as a shell finds it."""
    (tmp_path / "hlhcli").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hlhcli "$@"\n', encoding="utf-8")
    (tmp_path / "hlhcli").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


@pytest.mark.parametrize(
    ("shell", "code", "said"),
    [
        ("bash", "source {}; COMP_WORDS=(hlhcli criteria mas); COMP_CWORD=2; _hlhcli hlhcli; echo ${{COMPREPLY[@]}}", "mas-2016"),
        ("bash", "source {}; COMP_WORDS=(hlhcli check ''); COMP_CWORD=2; _hlhcli hlhcli; echo ${{#COMPREPLY[@]}}", "0"),
        ("zsh", "_arguments() {{ print -r $@ }}; words=(hlhcli criteria hsc); CURRENT=3; source {}", '*: :(("hscore":"HScore"))'),
        ("zsh", "_files() {{ print files }}; words=(hlhcli check ''); CURRENT=3; source {}", "files"),
        ("fish", "source {}; complete --do-complete 'hlhcli criteria hsc'", "hscore\tHScore"),
        ("fish", "source {}; complete --do-complete 'hlhcli check samples/brogl'", "samples/broglie-2017.yaml"),
    ],
)
def test_the_scripts_that_ship_work_in_their_shell(shell, code, said, path):
    """The scripts of the package, read by the shell itself."""
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not here")
    plain = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    command = [shell, *plain, "-c", code.format(SHARE / f"hlhcli.{shell}")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout.strip() == said, done.stderr

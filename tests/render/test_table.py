"""The table on a terminal: fits, folds, and shows the file's text without letting it act."""

import os
import re
import subprocess
import sys

import pytest
from command import ROOT, hlhcli

SEED = "samples/broglie-2017.yaml"


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_fits_the_terminal(width):
    """No line is wider than the terminal, with three time points or six."""
    for sample in (SEED, "samples/pmc10326766.yaml"):
        lines = hlhcli("check", sample, COLUMNS=str(width)).out.splitlines()
        assert max(map(len, lines)) <= width


def test_three_time_points_side_by_side_at_80_columns():
    """The table of the case: three columns, X where met."""
    lines = hlhcli("check", SEED, COLUMNS="80").out.splitlines()
    (fever,) = [line for line in lines if line.startswith("Fever")]
    assert fever.split() == ["Fever", "X", "39-40", "°C", "X", "yes", "-", "no"]
    (counts,) = [line for line in lines if line.startswith("Met / not met")]
    assert "2 / 2 / 4" in counts
    assert "5 / 0 / 3" in counts
    assert "0 / 3 / 5" in counts
    (verdict,) = [line for line in lines if line.startswith("Verdict")]
    assert verdict.split() == ["Verdict", "INDETERMINATE", "MET", "INDETERMINATE"]


def test_ten_time_points_fold():
    """Ten columns fold into blocks that each repeat the criteria."""
    text = "timepoints:\n" + "".join(f"  - {{name: Day {day}, day: {day}}}\n" for day in range(10))
    out = hlhcli("check", "-", stdin=text, COLUMNS="80").out
    assert out.count("Splenomegaly") == 4
    assert all(f"Day {day} " in out for day in range(10))


def test_meaning_never_by_color_alone():
    """Color adds nothing that the text does not say; it is off in a pipe and with NO_COLOR, and on by request."""
    plain = hlhcli("check", SEED).out
    colored = hlhcli("check", SEED, "--color").out
    assert "\x1b[" not in plain
    assert "\x1b[" in colored
    import re

    assert [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", colored).splitlines()] == [
        line.rstrip() for line in plain.splitlines()
    ]
    assert "\x1b[" not in hlhcli("check", SEED, NO_COLOR="1").out


def test_ascii():
    """Where the terminal has no more than ASCII, nothing else is printed."""
    for ran in (hlhcli("check", SEED, "--ascii"), hlhcli("check", SEED, PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")):
        assert ran.code == 0
        assert ran.out.isascii()
        assert "39-40 C" in ran.out


NASTY = {
    "markup": ("[bold red]x[/] [link=http://a]y[/link]", "[bold red]x[/] [link=http://a]y[/link]"),
    "ansi": ("a\\e[31mb\\e]8;;http://x\\e\\\\", "\\u001b[31m"),
    "bell": ("a\\ab", "\\u0007"),
    "bidi": ("a\\u202eb", "\\u202e"),
    "zero width": ("a\\u200bb", "\\u200b"),
    "line": ("a\\nb", "a b"),
}


@pytest.mark.parametrize("kind", NASTY)
@pytest.mark.parametrize("form", ["table", "markdown", "csv"])
def test_text_of_the_file_cannot_act(kind, form):
    """Markup, control characters, ANSI, hyperlinks and bidirectional marks are shown, never obeyed."""
    written, shown = NASTY[kind]
    text = f'patient: {{id: "{written}"}}\ntimepoints:\n  - {{name: "{written}", note: "{written}"}}\n'
    ran = hlhcli("check", "-", "-f", form, stdin=text, COLUMNS="160")
    assert ran.code == 0
    raw = set(ran.out) & set("\x1b\x07\u202e\u200b")
    assert not raw
    assert (shown if form != "markdown" else "a" if kind != "markup" else "\\[bold red\\]") in ran.out


def test_messages_cannot_act():
    """The same for errors, also where the file's name is to blame."""
    ran = hlhcli("check", "a\x1b[31m\u202e.yaml", "-", stdin='timepoints: [{name: a, "x\\e[31m\\u202e": 1}]')
    assert ran.code == 1
    assert not set(ran.err) & set("\x1b\u202e")
    assert len(ran.err.splitlines()) == 2


def test_wide_and_combining_characters():
    """East Asian and combining characters keep the columns aligned."""
    out = hlhcli("check", "-", stdin="timepoints:\n  - {name: 診断時の検査結果一覧表です, day: 0}\n  - {name: é, day: 1}\n").out
    assert "診断時" in out


def on_a_terminal(*arguments, lines, columns=80, stdin=""):
    """What a terminal of this many lines is sent, without colors."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    size = {"LINES": str(lines), "COLUMNS": str(columns), "TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
    ran = subprocess.Popen(
        [sys.executable, "-m", "hlhcli", *arguments],
        stdin=subprocess.PIPE,
        stdout=theirs,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **size},
    )
    os.close(theirs)
    ran.stdin.write(stdin.encode())
    ran.stdin.close()
    sent = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so where the other end is closed
            part = b""
        if not part:
            break
        sent += part
    os.close(ours)
    assert ran.wait(timeout=60) == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", sent.decode()).replace("\r\n", "\n")


def test_the_verdict_once_more_where_the_table_has_left_the_screen():
    """On a terminal that is too short for all of it; not on one that is long enough, and never in a pipe or of many sets."""
    once = "\nVerdict (the table stands above)\n"
    short, long, piped = on_a_terminal("check", SEED, lines=24), on_a_terminal("check", SEED, lines=400), hlhcli("check", SEED).out
    said = "- Initial diagnosis INDETERMINATE; Refractory MET; After ruxolitinib\n  INDETERMINATE\n"
    assert short == long + once.removeprefix("\n") + said
    assert long == piped
    two = on_a_terminal("check", "-c", "hlh-2004", "-c", "hlh-2024", SEED, lines=24)
    _, verdicts = two.split(once)
    assert [line.split()[1] for line in verdicts.splitlines() if line.startswith("- ")] == ["hlh-2004:", "hlh-2024:"]
    assert "After ruxolitinib\n  NOT MET" in verdicts
    assert once not in on_a_terminal("check", "-c", "all", SEED, lines=24)


def test_the_verdict_once_more_of_the_last_time_points():
    """Of many time points the last ones."""
    text = "timepoints:\n" + "".join(f"  - {{name: Day {day}, day: {day}}}\n" for day in range(10))
    _, said = on_a_terminal("check", "-", stdin=text, lines=24).split(
        "\nVerdict at the last 6 time points (the table stands above)\n"
    )
    assert re.findall(r"Day (\d) INDETERMINATE", said.replace("\n  ", " ")) == [*"456789"]

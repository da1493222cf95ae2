"""The manual page and what completion reads are what the help says, and every man reads the page without a word."""

from __future__ import annotations

import re
import shutil
import subprocess

import bill
import pytest
from command import hlhcli

from hlhcli import __version__, manual


def test_both_files_are_what_the_help_says():
    """After a help text was changed: python -m hlhcli.manual --write."""
    found = manual.commands()
    assert manual.PAGE.read_text(encoding="utf-8") == manual.page(found)
    assert manual.LIST.read_text(encoding="utf-8") == manual.listing(found)
    assert f'"hlhcli {__version__}"' in manual.page(found)


def test_the_page_leads_with_examples_and_leaves_nothing_out():
    """Each command with its examples, options and statuses, and what it asks of the environment."""
    page = manual.PAGE.read_text(encoding="utf-8")
    sections = re.findall(r"^\.SH (.*)$", page, re.MULTILINE)
    assert sections[:5] == ["NAME", "SYNOPSIS", "EXAMPLES", "DESCRIPTION", "COMMANDS"]
    assert sections[5:] == ["OPTIONS", "EXIT STATUS", "FILES", "ENVIRONMENT", "SEE ALSO"]
    plain = page.replace("\\-", "-").replace("\\(aq", "'").replace("\\fB", "").replace("\\fR", "")
    for command in manual.commands()[1:]:
        shown = hlhcli(*command.name.split(), "--help").out
        for name in re.findall(r"^  (?:-\w, )?(--[\w-]+)", shown, re.MULTILINE):
            assert name in plain
        for line in command.examples:
            assert line.strip() in plain
            assert line.strip() in shown
    assert "HLHCLI_CRITERIA" in page


@pytest.mark.parametrize(
    "reader",
    [["mandoc", "-Tlint", "-Wstyle"], ["groff", "-man", "-ww", "-z", "-Tutf8"], ["man", "--warnings", "-E", "UTF-8", "-l"]],
)
def test_the_page_is_read_without_a_warning(reader):
    """By mandoc's lint, and by groff with every warning."""
    if not shutil.which(reader[0]):
        pytest.skip(f"{reader[0]} is not here")
    done = subprocess.run([*reader, manual.PAGE], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert not done.stderr
    assert reader[0] == "man" or not done.stdout


def test_the_page_fits_a_terminal():
    """No line of an example is longer than 76 characters, which with its indent fits into 80."""
    for command in manual.commands():
        assert all(len(line) <= 78 for line in command.examples)


def test_the_bill_of_materials_is_what_the_project_asks_for():
    """After a dependency was changed: python tests/packaging/bill.py --write."""
    assert bill.BILL.read_text(encoding="utf-8") == bill.bill()

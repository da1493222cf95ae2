"""What is built is the same byte for byte wherever and whenever it is built, and holds what it should and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from command import ROOT

pytest.importorskip("hatchling", reason="the build backend is not here")

TREE = ("hlhcli", "tests", "samples", ".ci")
FILES = ("pyproject.toml", "README.md", "LICENSE", ".gitignore")
CODE = "import os, sys; os.umask(int(sys.argv[2], 8)); from hatchling import build; print(getattr(build, sys.argv[1])(sys.argv[3]))"
JUNK = ("__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "build", "dist")
SHIPPED = (".py", ".yaml", ".md", ".j2", ".tsv", "/py.typed")


def build(what: str, tree: Path, out: Path, umask: str = "022", **environment: str) -> Path:
    """The wheel or sdist of a tree."""
    out.mkdir(exist_ok=True)
    plain = {key: value for key, value in os.environ.items() if key not in ("SOURCE_DATE_EPOCH", "PYTHONPATH")}
    command = [sys.executable, "-c", CODE, f"build_{what}", umask, str(out)]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False, env=plain | environment)
    assert done.returncode == 0, done.stderr
    return out / done.stdout.split()[-1]


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """Two copies of the project: one as it is, one elsewhere, with other times and permissions, and with litter in it."""
    found = []
    for name in ("plain", "another place, ürgüp"):
        tree = tmp_path_factory.mktemp("build") / name
        for folder in TREE:
            shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns(*JUNK))
        for file in FILES:
            shutil.copy(ROOT / file, tree / file)
        found.append(tree)
    for path in found[1].rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)
        os.utime(path, (86400, 86400 * 400))
    for litter in ("hlhcli/__pycache__/cli.cpython-311.pyc", ".hypothesis/x", "notes.txt", "tests/.pytest_cache/x", ".venv/x.py"):
        (found[1] / litter).parent.mkdir(exist_ok=True, parents=True)
        (found[1] / litter).write_text("litter", encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def built(trees, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    one = [build(what, trees[0], out / "one") for what in ("sdist", "wheel")]
    other = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "7", "USER": "nobody", "HOME": str(out)}
    two = [build(what, trees[1], out / "two", "077", **other) for what in ("sdist", "wheel")]
    return one, two


def test_the_same_byte_for_byte(built, tmp_path):
    """From another folder, time, mask, language, user and seed; and the wheel from the sdist is the wheel from the tree."""
    one, two = built
    assert [sha(path) for path in one] == [sha(path) for path in two]
    with tarfile.open(one[0]) as archive:
        archive.extractall(tmp_path, filter="data")
    (tree,) = tmp_path.iterdir()
    assert sha(build("wheel", tree, tmp_path / "out")) == sha(one[1])


def test_the_sdist_holds_the_project(built):
    """Every file of the tree that is not litter, so that its tests run."""
    with tarfile.open(built[0][0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    expected = {
        path.relative_to(ROOT).as_posix()
        for folder in TREE
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not set(path.parts) & set(JUNK) and path.suffix != ".pyc"
    }
    assert names == expected | set(FILES) | {"PKG-INFO"}


def test_the_wheel_holds_the_package_and_nothing_else(built):
    """Modules, definitions, pages and templates; beside them the manual, completions, the license and the bill of materials."""
    with zipfile.ZipFile(built[0][1]) as archive:
        names = set(archive.namelist())
        bill = next(name for name in names if name.endswith(".dist-info/sboms/hlhcli.cdx.json"))
        assert json.loads(archive.read(bill))["bomFormat"] == "CycloneDX"
        metadata = archive.read(bill.split("/")[0] + "/METADATA").decode()
    assert "License-Expression: Apache-2.0\nLicense-File: LICENSE\n" in metadata
    package = {name for name in names if name.startswith("hlhcli/")}
    expected = {path.relative_to(ROOT).as_posix() for path in (ROOT / "hlhcli").rglob("*") if path.is_file()}
    assert package == {name for name in expected if "/share/" not in name and "__pycache__" not in name}
    assert all(name.endswith(SHIPPED) for name in package)
    assert {name.partition("/")[2] for name in names - package} == {
        "METADATA",
        "WHEEL",
        "RECORD",
        "entry_points.txt",
        "licenses/LICENSE",
        "sboms/hlhcli.cdx.json",
        "data/share/man/man1/hlhcli.1",
        "data/share/bash-completion/completions/hlhcli",
        "data/share/zsh/site-functions/_hlhcli",
        "data/share/fish/vendor_completions.d/hlhcli.fish",
    }


CONSUMER = """\
import hlhcli

patient: hlhcli.Patient = hlhcli.load("case.yaml")
assessments: list[hlhcli.Assessment] = hlhcli.check(patient)
status: hlhcli.Status = assessments[0].status
course: hlhcli.Course = hlhcli.follow(patient)
print(hlhcli.__version__, status, course.lines, hlhcli.InputError, hlhcli.Problem)
reveal_type(hlhcli.load_all)
wrong: int = hlhcli.load("case.yaml")
"""


def test_the_types_are_known_to_those_who_use_it(built, tmp_path):
    """mypy --strict on the installed wheel: what is right passes, and what is wrong is told."""
    pytest.importorskip("mypy", reason="mypy is not here")
    site = tmp_path / "site"
    with zipfile.ZipFile(built[0][1]) as archive:
        archive.extractall(site)
    (tmp_path / "consumer.py").write_text(CONSUMER, encoding="utf-8")
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    (packages,) = venv.rglob("site-packages")
    own = [path for path in sys.path if path.endswith("-packages")]
    shutil.copytree(site, packages, dirs_exist_ok=True)
    (packages / "others.pth").write_text("\n".join(own), encoding="utf-8")
    python = next(path for path in (venv / "bin" / "python", venv / "Scripts" / "python.exe") if path.exists())
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "consumer.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(errors) == 1, done.stdout
    assert errors[0].startswith("consumer.py:9: error: Incompatible types in assignment")
    assert "Patient]" in done.stdout

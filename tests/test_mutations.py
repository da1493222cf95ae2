"""A thousand damaged patient files: each is evaluated or refused in one line, quickly, and in little memory."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from command import ROOT, SAMPLES

from hlhcli import criteria
from hlhcli.api import evaluate_document, parse_document
from hlhcli.errors import InputError

COUNT = 1000
TEXTS = [path.read_bytes() for path in sorted(SAMPLES.glob("*.yaml"))]
PIECES = [b">", b"<", b"{", b"}", b"[", b"]", b": ", b"\n", b"\t", b"- ", b"&a ", b"*a", b"!!x ", b"---\n", b"'", b'"', b"#", b"%", b"\x00", b"\x1b[31m",
          b"\xff\xfe", "‮".encode(), "⁹".encode(), b"1e999999", b"9" * 400, b",", b"0x", b"null", b"~", b"|", b"? ", b"<<: ", b"\r", b"nan", b"inf", b"-1"]  # fmt: skip


def mutated(seed: int) -> bytes:
    """A sample with one to six random changes: bytes, pieces of syntax, lines moved, doubled, cut or re-indented."""
    chance = random.Random(seed)
    text = bytearray(chance.choice(TEXTS))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(text)) if text else 0
        kind = chance.randrange(7)
        if kind == 0:
            text[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            text[at:at] = chance.choice(PIECES)
        elif kind == 2:
            del text[at : at + chance.randint(1, 40)]
        elif kind == 3:
            del text[at:]
        else:
            lines = text.split(b"\n")
            one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
            if kind == 4:
                lines.insert(one, lines[other])
            elif kind == 5:
                lines[one] = b" " * chance.randint(0, 12) + lines[one].lstrip()
            else:
                lines[one], lines[other] = lines[other], lines[one]
            text = bytearray(b"\n".join(lines))
    return bytes(text)


def test_each_is_evaluated_or_refused():
    """In process: nothing but an InputError, every message one printable line with its place."""
    refused = 0
    for seed in range(COUNT):
        try:
            evaluate_document(parse_document(mutated(seed), "p.yaml"), [criteria.load("hlh-2004")])
        except InputError as error:
            refused += 1
            for problem in error.problems:
                assert problem.line, (seed, str(problem))
                assert "\n" not in problem.message, (seed, str(problem))
    assert COUNT // 4 < refused < COUNT  # the damage is neither harmless nor total


@pytest.mark.skipif(sys.platform == "win32", reason="measures memory with getrusage")
def test_the_command_survives_them_all(tmp_path: Path):
    """Through the command, all at once: exit 1, no traceback, every line names its file, under 300 MB."""
    import os

    for seed in range(COUNT):
        (tmp_path / f"{seed:04}.yaml").write_bytes(mutated(seed))
    names = sorted(path.name for path in tmp_path.iterdir())
    out, err = tmp_path / "out.json", tmp_path / "err.txt"
    # A small process in between: what a child has used counts the memory of the process that forked it.
    between = "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode; print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    command = [sys.executable, "-c", between, sys.executable, "-m", "hlhcli", "check", "-o", str(out), *names]
    with err.open("wb") as stream:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=stream, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True
        )
    code, most = map(int, done.stdout.split())
    assert code == 1
    lines = err.read_text(encoding="utf-8").splitlines()
    assert all(line[:9] in names for line in lines), next(line for line in lines if line[:9] not in names)
    assert most < 300 * 1024
    import json

    data = json.loads(out.read_text(encoding="utf-8"))
    failed = {error["source"] for error in data["errors"]}
    assert {result["source"] for result in data["results"]} | failed == set(names)
    assert {line[:9] for line in lines} == failed

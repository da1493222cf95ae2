"""Runs the real command, as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "samples"


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def interruptible() -> None:
    """For a new process: Ctrl-C ends it, also where the tests run in the background of a shell, which has it ignored."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)


def hlhcli(*arguments: str | Path, stdin: str | bytes = b"", cwd: Path = ROOT, timeout: float = 60, **environment: str) -> Ran:
    """The command with these arguments; more keywords are environment variables."""
    plain = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "FORCE_COLOR", "LINES")}
    done = subprocess.run(
        [sys.executable, "-m", "hlhcli", *map(str, arguments)],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        cwd=cwd,
        timeout=timeout,
        env=plain | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"} | environment,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))

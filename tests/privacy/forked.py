"""Many calls of the command, each in a process of its own that is forked from one which has loaded everything: fast, and apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from command import ROOT, Ran

HERE = Path(__file__).parent


def calls(
    arguments: Sequence[Sequence[str]], folder: Path, before: str = "", stdin: str = "", **environment: str
) -> list[tuple[list[str], Ran]]:
    """The calls one after another in a folder. `before`: Python that runs first, once."""
    made = [list(each) for each in arguments]
    plain = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "FORCE_COLOR", "LINES")}
    done = subprocess.run(
        [sys.executable, str(HERE / "forked.py")],
        input=json.dumps({"calls": made, "before": before, "stdin": stdin}),
        capture_output=True,
        text=True,
        cwd=folder,
        env=plain | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(HERE), str(HERE.parent))), "PYTHONIOENCODING": "utf-8"} | environment,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [(each, Ran(*found)) for each, found in zip(made, json.loads(done.stdout), strict=True)]


def _main() -> None:
    given = json.load(sys.stdin)
    import duckdb  # noqa: F401
    import matplotlib.figure  # noqa: F401
    import typer.core  # noqa: F401

    import hlhcli.api
    import hlhcli.patient
    import hlhcli.render.report  # noqa: F401

    exec(given["before"], {})
    print(json.dumps([_call(each, given["stdin"]) for each in given["calls"]]))


def _call(arguments: list[str], stdin: str) -> tuple[int, str, str]:
    streams = [os.memfd_create(name) if hasattr(os, "memfd_create") else _temporary() for name in ("in", "out", "err")]
    os.write(streams[0], stdin.encode())
    os.lseek(streams[0], 0, os.SEEK_SET)
    child = os.fork()
    if not child:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        sys.argv = ["hlhcli", *arguments]
        code = 0
        try:
            from hlhcli.__main__ import main

            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            import traceback

            traceback.print_exc()
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    _, status = os.waitpid(child, 0)
    texts = []
    for stream in streams[1:]:
        os.lseek(stream, 0, os.SEEK_SET)
        with open(stream, "rb") as file:
            texts.append(file.read().decode("utf-8", "backslashreplace"))
    os.close(streams[0])
    return os.waitstatus_to_exitcode(status), texts[0], texts[1]


def _temporary() -> int:
    import tempfile

    return os.dup(tempfile.TemporaryFile().fileno())


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """The variables of this process and more."""
    return dict(os.environ) | dict(more)


if __name__ == "__main__":
    _main()

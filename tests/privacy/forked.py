"""Many calls of the command, each in a process of its own that is forked from one which has loaded everything: fast, and apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from command import ROOT, Ran

HERE = Path(__file__).parent


def calls(
    arguments: Sequence[Sequence[str]],
    folder: Path,
    before: str | Sequence[str] = "",
    streams: Sequence[str] = ("", "", ""),
    **environment: str,
) -> list[tuple[list[str], Ran]]:
    """The calls one after another in a folder. `before`: Python that runs first, once; or one for each call.

    `streams`: what stands for standard input, output and error, if not empty: full (disk), gone (reader), closed, or a path.
    """
    made = [list(each) for each in arguments]
    plain = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "FORCE_COLOR", "LINES")}
    done = subprocess.run(
        [sys.executable, str(HERE / "forked.py")],
        input=json.dumps({"calls": made, "before": before if isinstance(before, str) else list(before), "streams": list(streams)}),
        capture_output=True,
        text=True,
        cwd=folder,
        env=plain
        | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(HERE), str(HERE.parent))), "PYTHONIOENCODING": "utf-8"}
        | environment,
        timeout=900,
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

    once, each = (given["before"], "") if isinstance(given["before"], str) else ("", given["before"])
    exec(once, {})
    found = [_call(call, given["streams"], each[number] if each else "") for number, call in enumerate(given["calls"])]
    sys.stdout.write(json.dumps(found))


def _call(arguments: list[str], streams: list[str], before: str) -> tuple[int, str, str]:
    opened = [_opened(*each) for each in enumerate(streams)]
    child = os.fork()
    if not child:
        for number, stream in enumerate(opened):
            os.dup2(stream, number)
            if streams[number] == "closed":
                os.close(number)
                setattr(sys, ("stdin", "stdout", "stderr")[number], None)
        sys.argv = ["hlhcli", *arguments]
        os._exit(_ended(before))
    _, status = os.waitpid(child, 0)
    texts = []
    for stream in opened[1:]:
        texts.append(_read(stream))
        os.close(stream)
    os.close(opened[0])
    return os.waitstatus_to_exitcode(status), texts[0], texts[1]


def _ended(before: str) -> int:
    """The exit status of the command."""
    code: object = 0
    try:
        exec(before, {})
        from hlhcli.__main__ import main

        main()
    except SystemExit as end:
        code = end.code
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            code = 120  # as Python ends then
    return code if isinstance(code, int) else int(code is not None)


def _opened(number: int, what: str) -> int:
    if what == "full":
        return os.open("/dev/full", os.O_WRONLY)
    if what == "gone":
        read, write = os.pipe()
        os.close(read)
        return write
    if what and what != "closed":
        return os.open(what, os.O_RDONLY if number == 0 else os.O_RDWR | os.O_CREAT | os.O_APPEND)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _read(stream: int) -> str:
    try:
        return os.pread(stream, 100_000_000, 0).decode("utf-8", "backslashreplace")
    except OSError:  # a pipe, or a device
        return ""


if __name__ == "__main__":
    _main()

"""A PostgreSQL of our own, for the tests that need one."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def _program(name: str) -> str | None:
    """A program of PostgreSQL, which distributions keep out of the way."""
    here = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3].split(".")[0]))
    return str(here[-1]) if here else shutil.which(name)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL of our own, on a socket; skipped where there is none."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    initdb, control = _program("initdb"), _program("pg_ctl")
    if initdb is None or control is None:
        pytest.skip("PostgreSQL is not installed")
    other: dict[str, Any] = {}
    folder = Path(tempfile.mkdtemp(prefix="hlhcli-"))
    if os.geteuid() == 0:  # the server refuses to run as root
        user = next((found for name in ("postgres", "nobody") if (found := _user(name)) is not None), None)
        if user is None:
            pytest.skip("PostgreSQL cannot run as root, and there is no other user for it")
        other = {"user": user[0], "group": user[1], "extra_groups": []}
        os.chown(folder, *user)

    def run(*command: str) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **other)

    data = str(folder / "data")
    run(initdb, "-D", data, "-A", "trust", "-U", "tester", "--no-sync", "-E", "UTF8", "--locale=C")
    run(control, "-D", data, "-w", "-l", str(folder / "log"), "-o", f"-k {folder} -c listen_addresses='' -c fsync=off", "start")
    yield f"postgresql://tester@/postgres?host={folder}"
    run(control, "-D", data, "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)


def _user(name: str) -> tuple[int, int] | None:
    import pwd

    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return None
    return found.pw_uid, found.pw_gid

"""Files that are whole or not there: written beside their place under a hidden name, and moved into it at the end."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_OURS = re.compile(r"\.(?P<process>\d+)(\.[a-z0-9_]+)?\.(part|partial|spill)")


@contextlib.contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name only once it is complete, in the place of the one that is there; a link stays a link."""
    target = path.resolve()
    if target.is_dir():
        raise IsADirectoryError(21, "is a directory")
    sweep(target.parent, target.name)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    stream = partial.open("xb")
    try:
        with stream:
            if target.is_file():
                partial.chmod(stat.S_IMODE(target.stat().st_mode))  # before anything stands in it
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        _replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def move(finished: Path, target: Path) -> None:
    """Put a file that is finished into its place, as private as the one that was there."""
    if target.is_file():
        finished.chmod(stat.S_IMODE(target.stat().st_mode))
    _sync(finished)
    _replace(finished, target)


def _replace(finished: Path, target: Path) -> None:
    finished.replace(target)
    with contextlib.suppress(OSError):  # not every file system can, and the file is in its place
        _sync(target.parent)


def _sync(path: Path) -> None:
    """What was written is on the disk, also if the power fails now."""
    if os.name == "posix":
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def sweep(folder: Path, name: str) -> None:
    """Remove what processes that were killed left in a folder when they wrote a file of this name."""
    if not folder.is_dir():
        return
    with contextlib.suppress(PermissionError):  # a folder that may be written to, and not be read
        for old in list(folder.iterdir()):
            found = _OURS.fullmatch(old.name.removeprefix(f".{name}")) if old.name.startswith(f".{name}.") else None
            if found is None or _alive(int(found["process"])):
                continue
            if old.is_dir() and not old.is_symlink():
                shutil.rmtree(old, ignore_errors=True)
            else:
                old.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except PermissionError:
        return True  # of somebody else
    except OSError:
        return False
    return True

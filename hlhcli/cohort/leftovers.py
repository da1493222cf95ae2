"""What a run that was killed leaves behind: hidden files and folders that carry the number of its process."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

_OURS = re.compile(r"\.(?P<process>\d+)(\.[a-z0-9_]+)?\.(part|spill)")


def sweep(folder: Path, name: str) -> None:
    """Remove what dead processes left in a folder when they wrote a file of this name."""
    if not folder.is_dir():
        return
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

"""The published sets of criteria that ship with the package, one YAML file each."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hlhcli.definition import read
from hlhcli.errors import UnknownName
from hlhcli.rules import CriteriaSet

DEFAULT = "hlh-2004"
_FOLDER = Path(__file__).parent


@cache
def ids() -> tuple[str, ...]:
    """The ids of all sets, the default first."""
    found = sorted(path.stem for path in _FOLDER.glob("*.yaml"))
    return (DEFAULT, *(name for name in found if name != DEFAULT))


@cache
def load(name: str) -> CriteriaSet:
    """The set with this id. Raises UnknownName, with a suggestion."""
    if name not in ids():
        raise UnknownName("criteria", name, ids())
    return read((_FOLDER / f"{name}.yaml").read_bytes(), f"{name}.yaml")

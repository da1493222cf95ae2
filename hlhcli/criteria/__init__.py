"""The sets of criteria: those that ship with the package, one YAML file each, and those of a user."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from hlhcli.definition import read
from hlhcli.errors import InputError, Problem, UnknownName
from hlhcli.rules import CriteriaSet

DEFAULT = "hlh-2004"
FOLDER = Path(__file__).parent


@cache
def shipped() -> tuple[str, ...]:
    """The ids of the sets that ship, the default first."""
    found = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    return (DEFAULT, *(name for name in found if name != DEFAULT))


class Library:
    """Sets by their id: those that ship, and those in a user's files and folders (read when first asked for)."""

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        self._folders = list(folders)
        self._sets: dict[str, CriteriaSet] = {}
        self._own: dict[str, Path] = {}
        self._loading: list[str] = []

    def ids(self) -> tuple[str, ...]:
        """The ids of all sets: those that ship, then the user's. Raises InputError where a user's folder holds a wrong file."""
        while self._folders:
            self._add_folder(self._folders.pop())
        return (*shipped(), *self._own)

    def load(self, name: str) -> CriteriaSet:
        """The set with this id. Raises UnknownName with a suggestion, InputError where a user's file is wrong."""
        if name in self._sets:
            return self._sets[name]
        if name not in shipped():
            known = self.ids()  # which reads the user's files
            if name not in self._own:
                raise UnknownName("criteria", name, known)
            return self._sets.get(name) or self.add(self._own[name])
        # The cases that stand at the end of a file are for `hlhcli criteria test`; every start would pay for reading them.
        definition, _, _ = (FOLDER / f"{name}.yaml").read_bytes().partition(b"\ncases:")
        self._sets[name] = read(definition, f"{name}.yaml", self.load)
        return self._sets[name]

    def path(self, name: str) -> Path:
        """The file of the set with this id."""
        return self._own.get(name) or FOLDER / f"{name}.yaml"

    def add(self, path: Path) -> CriteriaSet:
        """The set in a user's file, from now on known by its id. Raises InputError."""
        key = str(path.resolve())
        if key in self._loading:
            raise InputError([Problem(str(path), "this set extends itself, by way of another")])
        self._loading.append(key)
        try:
            found = read(content_of(path), str(path), self.load)
        finally:
            self._loading.pop()
        same = self._own.get(found.id)
        if found.id in shipped() or (same and same.resolve() != path.resolve()):
            raise InputError([Problem(str(path), f"the id '{found.id}' belongs to {same or 'a set that ships'}; choose another")])
        self._own[found.id], self._sets[found.id] = path, found
        return found

    def _add_folder(self, folder: Path) -> None:
        """All sets of a folder, whichever extends which: their ids first, then each as it is asked for."""
        paths = sorted(path for path in folder.glob("*.y*ml") if path.suffix in (".yaml", ".yml"))
        if not folder.is_dir():
            raise InputError([Problem(str(folder), "is no folder of criteria files")])
        for path in paths:
            self._own.setdefault(_id_of(path), path)
        problems: list[Problem] = []
        for path in paths:
            try:
                self.add(path)
            except InputError as error:
                problems += error.problems
        if problems:
            raise InputError(dict.fromkeys(problems))


def _id_of(path: Path) -> str:
    from hlhcli.yamltree import Mapping, parse

    tree = parse(content_of(path), str(path))
    return str(tree.get("id")) if isinstance(tree, Mapping) else path.stem


def content_of(path: Path) -> bytes:
    """What stands in a criteria file. Raises InputError if it cannot be opened."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError([Problem(str(path), f"cannot be read: {(error.strerror or str(error)).lower()}")]) from None


SHIPPED = Library()
ids, load = SHIPPED.ids, SHIPPED.load

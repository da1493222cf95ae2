"""The sets of criteria: those that ship with the package, one YAML file each, and those of a user."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from hlhcli.definition import read
from hlhcli.errors import InputError, Problem, UnknownName, why
from hlhcli.rules import CriteriaSet
from hlhcli.yamltree import Mapping, mark_of, parse

DEFAULT = "hlh-2004"
FOLDER = Path(__file__).parent
_LONGEST = 100  # characters of an id


@cache
def shipped() -> tuple[str, ...]:
    """The ids of the sets that ship, the default first."""
    found = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    return (DEFAULT, *(name for name in found if name != DEFAULT))


def _ships(name: str) -> bool:
    """True for the id of a set that ships; looks at one name, where `shipped` reads the folder."""
    plain = name.removeprefix("response/").replace("-", "a").isalnum()
    return len(name) < _LONGEST and plain and name.islower() and (FOLDER / f"{name}.yaml").is_file()


def is_for_course(name: str) -> bool:
    """True for the id of a rule of response, refractoriness or recurrence (responses.py)."""
    return _ships(f"response/{name}")


class Library:
    """Sets by their id: those that ship, and those in a user's files and folders.

    A wrong file in a folder does not keep the others from being used: `problems` says what is wrong with it.
    """

    def __init__(self, folders: Iterable[Path] = (), files: Iterable[Path] = ()) -> None:
        """Raises InputError where a folder does not exist, or one of the files is wrong."""
        self.problems: list[Problem] = []
        self._sets: dict[str, CriteriaSet] = {}
        self._own: dict[str, Path] = {}
        self._loading: list[str] = []
        given = list(files)
        for folder in folders:
            if not folder.is_dir():
                raise InputError([Problem(str(folder), "is no folder of criteria files")])
            found = sorted(path for path in folder.glob("*.y*ml") if path.suffix in (".yaml", ".yml") and path.is_file())
            self.gather(found)
        self._register(given)
        for path in given:
            self.add(path)

    def gather(self, paths: list[Path]) -> list[CriteriaSet]:
        """The sets in these files; what is wrong with a file goes to `problems`, and the others are read all the same."""
        self._register(paths)
        sets = []
        for path in paths:
            try:
                sets.append(self.add(path))
            except InputError as error:
                self.problems += [problem for problem in error.problems if problem not in self.problems]
        return sets

    def ids(self) -> tuple[str, ...]:
        """The ids of all sets: those that ship, then the user's."""
        return (*shipped(), *(name for name in self._own if name in self._sets))

    def load(self, name: str) -> CriteriaSet:
        """The set with this id. Raises UnknownName with a suggestion, InputError where a user's file is wrong."""
        if name in self._sets:
            return self._sets[name]
        if name in self._own:
            return self.add(self._own[name])
        if not _ships(name):
            raise UnknownName("criteria", name, self.ids())
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
            raise InputError([_at(path, "extends", "this set extends itself, by way of another")])
        self._loading.append(key)
        try:
            found = read(content_of(path), str(path), self.load, own=True)
        finally:
            self._loading.pop()
        other = self._own.get(found.id, path)
        if _ships(found.id) or other.resolve() != path.resolve():
            owner = "a set that ships" if _ships(found.id) else str(other)
            raise InputError([_at(path, "id", f"the id '{found.id}' belongs to {owner}; choose another")])
        self._own[found.id], self._sets[found.id] = path, found
        return found

    def _register(self, paths: list[Path]) -> None:
        """The ids of files before any is read, so that each may extend any other."""
        for path in paths:
            try:
                tree = parse(content_of(path), str(path))
            except InputError:
                continue  # told when it is read
            if isinstance(tree, Mapping) and isinstance(tree.get("id"), str) and not _ships(tree["id"]):
                self._own.setdefault(tree["id"], path)


def _at(path: Path, key: str, message: str) -> Problem:
    return Problem(str(path), message, *mark_of(parse(content_of(path), str(path)), (key,)))


def content_of(path: Path) -> bytes:
    """What stands in a criteria file. Raises InputError if it cannot be opened."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError([Problem(str(path), f"cannot be read: {why(error)}")]) from None


SHIPPED = Library()
ids, load = SHIPPED.ids, SHIPPED.load

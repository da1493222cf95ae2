"""Rules for the course: response, refractoriness, flags, recurrence. One YAML file each in criteria/response, in the same language.

They ask of a time point, against the baseline of a line of therapy:

normalized: platelets > 100 10*9/L                    true now, and not at the baseline
new: mechanical_ventilation                           present now, and absent when it was last known
class: marsh-2013 PR                                  what another set calls so
at_least: 5, of: hlh-2004                             so many of the criteria of a set
at_least: 1, of: PR                                   so many of the markers of an earlier class of this set
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any as AnyType
from typing import Literal, NamedTuple, get_args

from hlhcli import criteria, definition, rules
from hlhcli.definition import ABOUT, Reader
from hlhcli.errors import InputError, Problem, UnknownName, printable
from hlhcli.fields import duration
from hlhcli.quantity import BadQuantity, Interval, exact_text
from hlhcli.rules import GRADES, AtLeast, Citation, Grade, Logic, Node
from hlhcli.yamltree import Mapping, parse

FOLDER = Path(__file__).parent / "criteria" / "response"

Role = Literal["response", "refractory", "progression", "flags", "recurrence", "events"]
Scope = Literal["every line", "first line", "once"]


class Due(NamedTuple):
    """When a rule is read, in days of the line of therapy: a day with a tolerance, or any time from a day on."""

    day: Fraction
    tolerance: Fraction | None
    or_end: Fraction | None = None  # or at the end of the line, if that is earlier, and not before this day
    ended: bool = False  # the day is the end of the line
    grace: Fraction = Fraction(0)  # so many days after the day it is read even where the opposite was seen before

    @property
    def days(self) -> Interval:
        if self.ended:
            return Interval(self.day, self.day + (self.tolerance or 0))
        return Interval(self.day - (self.tolerance or 0), None if self.tolerance is None else self.day + self.tolerance)

    @property
    def text(self) -> str:
        if self.tolerance is None:
            return f"from day {exact_text(self.day)}"
        sign = "+" if self.ended else "±"
        return f"day {exact_text(self.day)}" + (f" {sign} {exact_text(self.tolerance)}" if self.tolerance else "")


class ResponseClass(NamedTuple):
    """A class of response, or a flag: when it applies, and when it is read."""

    id: str
    title: str
    node: Node
    due: tuple[Due, ...]
    worse: bool = False  # progressive disease, and no degree of response

    @property
    def at_start(self) -> bool:
        """True if it is read at the baseline."""
        return any(each.day == 0 and each.tolerance is not None for each in self.due)

    def due_in(self, length: Fraction | None) -> tuple[Due, ...]:
        """When it is read in a line that lasted so many days."""
        return tuple(
            each._replace(day=length, ended=True)
            if length is not None and each.or_end is not None and each.or_end <= length < each.day
            else each
            for each in self.due
        )


class ResponseSet(NamedTuple):
    """A published rule for the course.

    Of a `response`, `refractory` or `recurrence` rule the first class that is met is the answer; of flags (of `progression`, or
    `flags` that only inform) and `events` every one.
    `published_for`: the drugs of the regimen it was made for; with others it is an analogy.
    """

    id: str
    version: str
    title: str
    citation: Citation
    role: Role
    scope: Scope
    classes: tuple[ResponseClass, ...]
    otherwise: str
    published_for: tuple[str, ...]
    on_request: bool
    only: Node | None  # the rule is not read for a patient who is known not to fulfil this
    population: str | None
    not_computable: tuple[str, ...]
    notes: tuple[str, ...]
    borrowed: tuple[tuple[tuple[Node, ...], str], ...]  # lists that stand elsewhere, and their names

    @property
    def provenance(self) -> Grade:
        """The worst provenance of its numbers."""
        return max((rules.worst(each.node) for each in self.classes), key=GRADES.index)

    @property
    def counts(self) -> str | None:
        """The set of criteria that it counts."""
        return next((name.rpartition(" ")[2] for _, name in self.borrowed if "criteria of" in name), None)

    @property
    def label(self) -> str:
        """The id, and that it is unverified where it is."""
        return f"{self.id} (unverified transcription)" if self.provenance == GRADES[-1] else self.id


_REQUIRED = ("id", "title", "citation", "role", "classes")
_TEXTS = (
    "version",
    "provenance",
    "scope",
    "due",
    "otherwise",
    "published_for",
    "on_request",
    "only",
    "population",
    "not_computable",
    "notes",
)
_SET = (*_REQUIRED, *_TEXTS)
_CLASS = ("id", "title", "due", "worse", "when")
_DUE = ("day", "tolerance", "from", "or_end", "grace")


class _Reader(Reader):
    """A file of classes on its way to a ResponseSet."""

    def __init__(self, source: str, tree: Mapping) -> None:
        super().__init__(source, tree, criteria.load, own=False)
        self.found: dict[str, Node] = {}  # the classes so far
        self.borrowed: dict[tuple[Node, ...], str] = {}

    def responses(self) -> ResponseSet:
        tree = self.tree
        self.keys(tree, _SET, _REQUIRED)
        grade = self.grade(tree["provenance"], "provenance") if "provenance" in tree else GRADES[-1]
        due = self.dues("due") if "due" in tree else ()
        classes = tuple(self.response_class(index, grade, due) for index in range(len(self.sequence("classes"))))
        return ResponseSet(
            id=self.text("id"),
            version=self.text("version", default="1"),
            title=self.text("title"),
            citation=self.citation(),
            role=self.one_of(get_args(Role), "role"),
            scope=self.one_of(get_args(Scope), "scope", default="every line"),
            classes=classes,
            otherwise=self.text("otherwise", default="none of these"),
            published_for=self.texts("published_for"),
            on_request=self.text("on_request", default="no") == "yes",
            only=self.node(tree["only"], grade, "only") if "only" in tree else None,
            population=self.text("population") if "population" in tree else None,
            not_computable=self.texts("not_computable"),
            notes=self.texts("notes"),
            borrowed=tuple(self.borrowed.items()),
        )

    def one_of(self, known: tuple[AnyType, ...], *path: str | int, default: str | None = None) -> AnyType:
        text = self.text(*path, default=default)
        if text not in known:
            self.fail(f"expected one of {', '.join(known)}", *path)
        return text

    def response_class(self, index: int, grade: Grade, due: tuple[Due, ...]) -> ResponseClass:
        path = ("classes", index)
        raw = self.at(*path)
        if not isinstance(raw, Mapping):
            self.fail("expected a class: {id: PR, title: Partial response, when: …}", *path)
        self.keys(raw, _CLASS, ("id", "title", "when"), *path)
        self.ids = set()  # the classes may ask for the same items
        name = self.text(*path, "id")
        node = self.node(raw["when"], grade, *path, "when")
        if not node.about.title:
            node = node._replace(about=node.about._replace(title=self.text(*path, "title")))
        self.found[name] = node
        due = self.dues(*path, "due") if "due" in raw else due
        return ResponseClass(name, self.text(*path, "title"), node, due, self.text(*path, "worse", default="no") == "yes")

    def dues(self, *path: str | int) -> tuple[Due, ...]:
        raw = self.at(*path)
        places = [(*path, index) for index in range(len(raw))] if isinstance(raw, list) else [path]
        return tuple(self.due(*place) for place in places)

    def due(self, *path: str | int) -> Due:
        self.keys(self.mapping(*path), _DUE, (), *path)
        try:
            if "from" in self.mapping(*path):
                grace = duration(self.text(*path, "grace")) if "grace" in self.mapping(*path) else Fraction(0)
                return Due(duration(self.text(*path, "from")), None, grace=grace)
            or_end = duration(self.text(*path, "or_end")) if "or_end" in self.mapping(*path) else None
            return Due(duration(self.text(*path, "day")), duration(self.text(*path, "tolerance")), or_end)
        except BadQuantity as error:
            self.fail(str(error), *path)

    def node(self, raw: AnyType, grade: Grade, *path: str | int) -> Node:
        if isinstance(raw, Mapping):
            if "provenance" in raw:
                grade = self.grade(raw["provenance"], *path, "provenance")
            for key, make in (("normalized", self.normalized), ("new", self.new), ("class", self.other_class)):
                if key in raw:
                    self.keys(raw, (*ABOUT, key), (), *path)
                    return self.described(make(grade, *path, key), raw, *path)
            if "at_least" in raw and isinstance(raw.get("of"), str):
                self.keys(raw, (*ABOUT, "at_least", "of"), (), *path)
                nodes = self.members(raw["of"], *path, "of")
                required = self.required(raw["at_least"], len(nodes), *path, "at_least")
                return self.described(AtLeast(rules.About(grade), required, nodes), raw, *path)
        return super().node(raw, grade, *path)

    def described(self, node: Node, raw: Mapping, *path: str | int) -> Node:
        """The node with the id, title and note that stand beside it."""
        title, note = self.optional(raw, "title", *path), self.optional(raw, "note", *path)
        about = node.about._replace(id=self.id(raw, *path), title=title or node.about.title, note=note or node.about.note)
        return node._replace(about=about)

    def normalized(self, grade: Grade, *path: str | int) -> Node:
        node = self.node(self.at(*path), grade, *path)
        before = Logic(rules.About(grade), "not", (rules.at(node, "baseline"),))
        return Logic(rules.About(grade), "all", (before, node))

    def new(self, grade: Grade, *path: str | int) -> Node:
        node = self.node(self.at(*path), grade, *path)
        before = Logic(rules.About(grade), "not", (rules.at(node, "previous"),))
        return Logic(rules.About(grade), "all", (node, before))

    def other_class(self, grade: Grade, *path: str | int) -> Node:
        name, _, wanted = self.text(*path).partition(" ")
        try:
            node = next(each.node for each in load(name).classes if each.id == wanted)
            if isinstance(node, AtLeast):
                self.borrowed[node.children] = f"the markers of {wanted} in {name}"
            return node
        except (UnknownName, StopIteration):
            said = f"there is no class '{printable(wanted, 60)}' of '{printable(name, 60)}'"
            self.fail(f"{said}; write for example 'class: marsh-2013 PR'", *path)

    def members(self, name: str, *path: str | int) -> tuple[Node, ...]:
        """The markers of an earlier class, or the criteria of a set."""
        node = self.found.get(name)
        if isinstance(node, AtLeast):
            self.borrowed[node.children] = f"the markers of {name}"
            return node.children
        try:
            groups = criteria.load(name).groups
        except UnknownName as error:
            self.fail(str(error), *path)
        if len(groups) != 1:
            self.fail(f"{name} does not count its items in one list", *path)
        self.borrowed[groups[0].children] = f"the {len(groups[0].children)} criteria of {name}"
        return groups[0].children


@cache
def ids() -> tuple[str, ...]:
    """The ids of all rules for the course."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


@cache
def load(name: str) -> ResponseSet:
    """The rule with this id. Raises UnknownName."""
    if name not in ids():
        raise UnknownName("rule for the course", name, ids())
    path = FOLDER / f"{name}.yaml"
    return read(path.read_bytes(), path.name)


def read(content: bytes | str, source: str) -> ResponseSet:
    """The rule in `content`. Raises InputError with file, line and column."""
    tree = parse(content, source)
    if not isinstance(tree, Mapping):
        raise InputError([Problem(source, "expected a rule for the course: keys such as 'id:', 'role:' and 'classes:'", 1, 1)])
    return _Reader(source, tree).responses()


@cache
def organ_dysfunction() -> rules.CriteriaSet:
    """The score of organ dysfunction that is shown beside the course."""
    path = FOLDER.parent / "organ" / "psofa.yaml"
    return definition.read(path.read_bytes().partition(b"\ncases:")[0], path.name)


def chosen(asked: Iterable[str] = ()) -> list[ResponseSet]:
    """The rules that were asked for by their ids, else all that are not kept for request."""
    wanted = list(dict.fromkeys(asked))
    return [load(name) for name in wanted] or [each for each in map(load, ids()) if not each.on_request]

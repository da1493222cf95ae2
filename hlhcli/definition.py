"""Reading a criteria file: YAML to a CriteriaSet, with every mistake told by line and column."""

from __future__ import annotations

from typing import Any as AnyType
from typing import NoReturn, TypedDict

from hlhcli import observables, rules
from hlhcli.errors import InputError, Problem, UnknownName, did_you_mean, printable
from hlhcli.quantity import BadQuantity
from hlhcli.rules import GRADES, Base, Caution, Citation, CriteriaSet, Grade, Node, Report
from hlhcli.yamltree import Mapping, Sequence, mark_of, parse


class CitationFile(TypedDict, total=False):
    """Where the set was published."""

    text: str
    doi: str
    pmid: str
    url: str


class ReportFile(TypedDict):
    """An observable that is shown beside the verdict and never counted."""

    observable: str
    say: str


CautionFile = TypedDict("CautionFile", {"when": "RuleFile | str", "say": str})
CautionFile.__doc__ = "A warning that is given where `when` is met."

RuleFile = TypedDict(
    "RuleFile",
    {
        "id": str,
        "title": str,
        "provenance": Grade,
        "note": str,
        "caution": list[CautionFile],
        "when": str,
        "stated": str,
        "all": "list[RuleFile | str]",
        "any": "list[RuleFile | str]",
        "not": "RuleFile | str",
        "at_least": str | int,
        "of": "list[RuleFile | str]",
        "first_known": "list[RuleFile | str]",
        "if": "RuleFile | str",
        "then": "RuleFile | str",
        "else": "RuleFile | str",
    },
    total=False,
)
RuleFile.__doc__ = """One rule: a phrase such as 'ferritin >= 500 ug/L' under `when`, or logic over other rules."""


class _Required(TypedDict):
    id: str
    title: str
    citation: CitationFile
    provenance: Grade
    verdict: RuleFile


class CriteriaFile(_Required, total=False):
    """A set of criteria: one file, readable by a clinician."""

    version: str | int
    population: str
    reports: list[ReportFile]
    not_computable: list[str]
    notes: list[str]


_META = ("id", "title", "provenance", "note", "caution")
_LOGIC = [key for key in RuleFile.__annotations__ if key not in (*_META, "of", "then", "else")]
_WITH = {"at_least": ("of",), "if": ("then", "else")}


def read(content: bytes | str, source: str) -> CriteriaSet:
    """The set of criteria in `content`. Raises InputError with file, line and column."""
    tree = parse(content, source)
    if not isinstance(tree, Mapping):
        raise InputError([Problem(source, "expected a set of criteria: keys such as 'id:', 'title:' and 'verdict:'", 1, 1)])
    return _Reader(source, tree).criteria()


class _Reader:
    def __init__(self, source: str, tree: Mapping) -> None:
        self.source = source
        self.tree = tree
        self.ids: set[str] = set()

    def fail(self, message: str, *path: str | int, key: bool = False) -> NoReturn:
        raise InputError([Problem(self.source, message, *mark_of(self.tree, path, key))]) from None

    def criteria(self) -> CriteriaSet:
        known = [*CriteriaFile.__annotations__]
        self.keys(self.tree, known, [*_Required.__annotations__])
        grade = self.grade(self.tree["provenance"], "provenance")
        citation = self.mapping("citation")
        self.keys(citation, [*CitationFile.__annotations__], ["text"], "citation")
        return CriteriaSet(
            id=self.text("id"),
            version=self.text("version", default="1"),
            title=self.text("title"),
            citation=Citation(**citation),
            verdict=self.node(self.tree["verdict"], grade, "verdict"),
            population=self.text("population", default="") or None,
            reports=tuple(self.report(index) for index in range(len(self.sequence("reports")))),
            not_computable=tuple(map(str, self.sequence("not_computable"))),
            notes=tuple(map(str, self.sequence("notes"))),
            source=self.source,
        )

    def keys(self, node: Mapping, known: list[str], required: list[str], *path: str | int) -> None:
        for key in node:
            if key not in known:
                self.fail(f"unknown key '{printable(key, 60)}'{did_you_mean(key, known)}", *path, key, key=True)
        for key in required:
            if key not in node:
                self.fail(f"'{key}' is missing", *path)

    def text(self, key: str, default: str | None = None) -> str:
        value = self.tree.get(key, default)
        if not isinstance(value, str):
            self.fail("expected text here", key)
        return value

    def mapping(self, key: str) -> Mapping:
        value = self.tree[key]
        if not isinstance(value, Mapping):
            self.fail("expected a mapping here (lines such as 'key: value')", key)
        return value

    def sequence(self, *path: str | int) -> Sequence | list[AnyType]:
        node: AnyType = self.tree
        for step in path:
            node = node.get(step, []) if isinstance(node, Mapping) else node[step]
        if not isinstance(node, list):
            self.fail("expected a list here (lines that start with '- ')", *path)
        return node

    def grade(self, text: AnyType, *path: str | int) -> Grade:
        if text not in GRADES:
            self.fail(f"'{printable(str(text), 40)}' is no grade of provenance{did_you_mean(str(text), GRADES)}", *path)
        return text  # type: ignore[no-any-return]

    def report(self, index: int) -> Report:
        entry = self.sequence("reports")[index]
        if not isinstance(entry, Mapping):
            self.fail("expected {observable: …, say: …}", "reports", index)
        self.keys(entry, [*ReportFile.__annotations__], [*ReportFile.__annotations__], "reports", index)
        try:
            return Report(observables.resolve(entry["observable"]), entry["say"])
        except UnknownName as error:
            self.fail(str(error), "reports", index, "observable")

    def node(self, raw: AnyType, grade: Grade, *path: str | int) -> Node:
        """One rule, with the provenance that it inherits."""
        if isinstance(raw, str):
            return self.phrase(raw, Base(grade=grade), *path)
        if not isinstance(raw, Mapping):
            self.fail("expected a rule: a phrase such as 'ferritin >= 500 ug/L', or all:, any:, at_least: …", *path)
        known = [*RuleFile.__annotations__]
        self.keys(raw, known, [], *path)
        logic = [key for key in _LOGIC if key in raw]
        if len(logic) != 1:
            self.fail(f"a rule says exactly one of {', '.join(_LOGIC)}" + (f" (here: {', '.join(logic)})" if logic else ""), *path)
        kind = logic[0]
        for key in (key for keys in _WITH.values() for key in keys):
            if (key in raw) != (key in _WITH.get(kind, ())):
                self.fail(f"'{key}' is missing" if key not in raw else f"'{key}' does not belong to '{kind}'", *path)
        if "provenance" in raw:
            grade = self.grade(raw["provenance"], *path, "provenance")
        base = Base(id=self.id(raw, *path), title=raw.get("title"), grade=grade, note=raw.get("note"),
                    cautions=self.cautions(raw, grade, *path))  # fmt: skip
        if kind == "when":
            return self.phrase(raw["when"], base, *path, "when")
        named = {"id": base.id, "title": base.title, "grade": grade, "note": base.note, "cautions": base.cautions}
        return self.logic(kind, raw, grade, named, *path)

    def logic(self, kind: str, raw: Mapping, grade: Grade, named: dict[str, AnyType], *path: str | int) -> Node:
        if kind == "stated":
            try:
                observable = observables.resolve(str(raw["stated"]))
            except UnknownName as error:
                self.fail(str(error), *path, "stated")
            return rules.Stated(observable=observable, text=f"{observable} stated", **named)
        if kind == "not":
            return rules.Not(children=(self.node(raw["not"], grade, *path, "not"),), **named)
        if kind == "if":
            condition, then, otherwise = (self.node(raw[key], grade, *path, key) for key in ("if", "then", "else"))
            return rules.Choose(children=(condition, then, otherwise), **named)
        under = "of" if kind == "at_least" else kind
        entries = self.sequence(*path, under)
        if not entries:
            self.fail("expected at least one rule here", *path, under)
        nodes = tuple(self.node(entry, grade, *path, under, index) for index, entry in enumerate(entries))
        if kind == "at_least":
            required = str(raw["at_least"])
            if not required.isdecimal() or not 1 <= int(required) <= len(nodes):
                self.fail(f"at_least is a whole number from 1 to {len(nodes)}", *path, "at_least")
            return rules.AtLeast(required=int(required), children=nodes, **named)
        return {"all": rules.All, "any": rules.Any, "first_known": rules.FirstKnown}[kind](children=nodes, **named)

    def phrase(self, text: AnyType, base: Base, *path: str | int) -> Node:
        try:
            return rules.phrase(str(text), base)
        except (BadQuantity, UnknownName) as error:
            self.fail(str(error), *path)

    def id(self, raw: Mapping, *path: str | int) -> str | None:
        name = raw.get("id")
        if name is None:
            return None
        if not isinstance(name, str) or not name.replace("_", "a").isalnum() or not name.isascii():
            self.fail("an id is made of letters, digits and '_'", *path, "id")
        if name in self.ids:
            self.fail(f"the id '{name}' is used twice", *path, "id")
        self.ids.add(name)
        return name

    def cautions(self, raw: Mapping, grade: Grade, *path: str | int) -> tuple[Caution, ...]:
        entries = self.sequence(*path, "caution")
        result = []
        for index, entry in enumerate(entries):
            if not isinstance(entry, Mapping):
                self.fail("expected {when: …, say: …}", *path, "caution", index)
            self.keys(entry, [*CautionFile.__annotations__], [*CautionFile.__annotations__], *path, "caution", index)
            result.append(Caution(self.node(entry["when"], grade, *path, "caution", index, "when"), str(entry["say"])))
        return tuple(result)

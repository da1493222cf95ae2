"""Reading a criteria file: YAML to a CriteriaSet, with every mistake told by line and column."""

from __future__ import annotations

from typing import Any as AnyType
from typing import NoReturn

from hlhcli import observables, rules
from hlhcli.errors import InputError, Problem, UnknownName, did_you_mean, printable
from hlhcli.quantity import BadQuantity
from hlhcli.rules import GRADES, About, Caution, Citation, CriteriaSet, Grade, Node, Report
from hlhcli.yamltree import Mapping, Sequence, mark_of, parse

_CITATION = ("text", "doi", "pmid", "url")
_REPORTS = ("observable", "say")
_REPORT = (*_REPORTS, "when")
_CAUTION = ("when", "say")
_REQUIRED = ("id", "title", "citation", "provenance", "verdict")
_SET = (*_REQUIRED, "version", "population", "reports", "not_computable", "notes")
_ABOUT = ("id", "title", "provenance", "note", "caution")
_LOGIC = ("when", "stated", "all", "any", "not", "at_least", "first_known", "if")
_WITH = {"at_least": ("of",), "if": ("then", "else")}  # the keys that go with a kind of logic
_RULE = (*_ABOUT, *_LOGIC, *(key for keys in _WITH.values() for key in keys))


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
        self.keys(self.tree, _SET, _REQUIRED)
        grade = self.grade(self.tree["provenance"], "provenance")
        citation = self.mapping("citation")
        self.keys(citation, _CITATION, ("text",), "citation")
        return CriteriaSet(
            id=self.text("id"),
            version=self.text("version", default="1"),
            title=self.text("title"),
            citation=Citation(**citation),
            verdict=self.node(self.tree["verdict"], grade, "verdict"),
            population=self.text("population", default="") or None,
            reports=tuple(self.report(index, grade) for index in range(len(self.sequence("reports")))),
            not_computable=tuple(map(str, self.sequence("not_computable"))),
            notes=tuple(map(str, self.sequence("notes"))),
        )

    def keys(self, node: Mapping, known: tuple[str, ...], required: tuple[str, ...], *path: str | int) -> None:
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
            node = node.get(str(step), []) if isinstance(node, Mapping) else node[step]
        if not isinstance(node, list):
            self.fail("expected a list here (lines that start with '- ')", *path)
        return node

    def grade(self, text: AnyType, *path: str | int) -> Grade:
        grade = next((grade for grade in GRADES if grade == text), None)
        if grade is None:
            self.fail(f"'{printable(str(text), 40)}' is no grade of provenance{did_you_mean(str(text), GRADES)}", *path)
        return grade

    def report(self, index: int, grade: Grade) -> Report:
        entry = self.sequence("reports")[index]
        if not isinstance(entry, Mapping):
            self.fail("expected {observable: …, say: …}", "reports", index)
        self.keys(entry, _REPORT, _REPORTS, "reports", index)
        when = self.node(entry["when"], grade, "reports", index, "when") if "when" in entry else None
        try:
            return Report(observables.resolve(entry["observable"]), entry["say"], when)
        except UnknownName as error:
            self.fail(str(error), "reports", index, "observable")

    def node(self, raw: AnyType, grade: Grade, *path: str | int) -> Node:
        """One rule, with the provenance that it inherits."""
        if isinstance(raw, str):
            return self.phrase(raw, About(grade), *path)
        if not isinstance(raw, Mapping):
            self.fail("expected a rule: a phrase such as 'ferritin >= 500 ug/L', or all:, any:, at_least: …", *path)
        self.keys(raw, _RULE, (), *path)
        logic = [key for key in _LOGIC if key in raw]
        if len(logic) != 1:
            self.fail(f"a rule says exactly one of {', '.join(_LOGIC)}" + (f" (here: {', '.join(logic)})" if logic else ""), *path)
        kind = logic[0]
        for key in (key for keys in _WITH.values() for key in keys):
            if (key in raw) != (key in _WITH.get(kind, ())):
                self.fail(f"'{key}' is missing" if key not in raw else f"'{key}' does not belong to '{kind}'", *path)
        if "provenance" in raw:
            grade = self.grade(raw["provenance"], *path, "provenance")
        about = About(grade, self.id(raw, *path), raw.get("title"), raw.get("note"), self.cautions(raw, grade, *path))
        if kind == "when":
            return self.phrase(raw["when"], about, *path, "when")
        return self.logic(kind, raw, about, *path)

    def logic(self, kind: str, raw: Mapping, about: About, *path: str | int) -> Node:
        if kind == "stated":
            try:
                observable = observables.resolve(str(raw["stated"]))
            except UnknownName as error:
                self.fail(str(error), *path, "stated")
            return rules.Stated(about, observable, f"{observable} stated")
        if kind == "not":
            return rules.Not(about, (self.node(raw["not"], about.grade, *path, "not"),))
        if kind == "if":
            condition, then, otherwise = (self.node(raw[key], about.grade, *path, key) for key in ("if", "then", "else"))
            return rules.Choose(about, (condition, then, otherwise))
        under = "of" if kind == "at_least" else kind
        entries = self.sequence(*path, under)
        if not entries:
            self.fail("expected at least one rule here", *path, under)
        nodes = tuple(self.node(entry, about.grade, *path, under, index) for index, entry in enumerate(entries))
        if kind == "at_least":
            required = str(raw["at_least"])
            if not required.isdecimal() or not 1 <= int(required) <= len(nodes):
                self.fail(f"at_least is a whole number from 1 to {len(nodes)}", *path, "at_least")
            return rules.AtLeast(about, int(required), nodes)
        if kind == "first_known":
            return rules.FirstKnown(about, nodes)
        return rules.All(about, nodes) if kind == "all" else rules.Any(about, nodes)

    def phrase(self, text: AnyType, about: About, *path: str | int) -> Node:
        try:
            return rules.phrase(str(text), about)
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
            self.keys(entry, _CAUTION, _CAUTION, *path, "caution", index)
            result.append(Caution(self.node(entry["when"], grade, *path, "caution", index, "when"), str(entry["say"])))
        return tuple(result)

"""Reading a criteria file: YAML to a CriteriaSet, with every mistake told by line and column."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any as AnyType
from typing import NoReturn, get_args

from hlhcli import observables, phrases, rules
from hlhcli.errors import InputError, Problem, Suggesting, TooManyRules, UnknownName, did_you_mean, meant, printable
from hlhcli.observables import PSEUDO
from hlhcli.quantity import COMPARATORS, BadQuantity
from hlhcli.rules import GRADES, About, AtLeast, Caution, Citation, CriteriaSet, Grade, Kind, Node, Population, Report, Score
from hlhcli.yamltree import Mapping, Sequence, mark_of, parse

Find = Callable[[str], CriteriaSet]

_CITATION = ("text", "doi", "pmid", "url")
_REPORTS = ("observable", "say")
_REPORT = (*_REPORTS, "when", "grade")
_CAUTION = ("when", "say")
_POPULATIONS = ("text", "when")
_POPULATION = (*_POPULATIONS, "sufficient")
_REQUIRED = ("id", "title", "citation")
_CHANGES = ("at_least", "score", "without", "change", "add")  # what goes with `extends`
_TEXTS = ("provenance", "version", "population", "probability", "reports", "not_computable", "notes", "cases")
_SET = (*_REQUIRED, "verdict", "extends", *_CHANGES, *_TEXTS)
ABOUT = ("id", "title", "provenance", "note", "caution")
_KINDS: tuple[Kind, ...] = get_args(Kind)
_LOGIC = ("when", "stated", *_KINDS, "at_least", "score", "points")
_WITH = {"at_least": ("of",), "score": ("of",), "points": (), "if": ("then", "else")}  # the keys that go with a kind of logic
_RULE = (*ABOUT, *_LOGIC, "of", "then", "else")
_DIGITS = 3  # of a count
MAX_ITEMS, MAX_RULES = 24, 1000  # of one list, and of one set; no published set comes near
_UNPUBLISHED = "unpublished"  # a count for which the source states no number that suffices


# Ids of items that would read as something else, in a case, under `reported`, or as the heading of a column.
_COLUMNS = (
    "source patient_id timepoint day date criteria by required of met not_met unknown min max score_min score_max cutoff "
    "probability_min probability_max verdict_by_values doubtful would_decide reported_verdict reported_count reported_score "
    "reported_agrees"
)
RESERVED = frozenset(f"verdict count score probability applicable warns warns_not {_COLUMNS}".split())
_NO_SET = ("all", "test")  # what the commands mean by these is no set


def read(content: bytes | str, source: str, find: Find | None = None, own: bool = False) -> CriteriaSet:
    """The set of criteria in `content`; `find` gives the set that it extends. Raises InputError with file, line and column.

    `own`: of a user's file, whose texts are made safe for a terminal.
    """
    tree = parse(content, source)
    if not isinstance(tree, Mapping):
        raise InputError([Problem(source, "expected a set of criteria: keys such as 'id:', 'title:' and 'verdict:'", 1, 1)])
    with Suggesting():
        return Reader(source, tree, find, own).criteria()


class Reader:
    """One criteria file on its way to a set; every method fails with the place of what it reads."""

    def __init__(self, source: str, tree: Mapping, find: Find | None, own: bool) -> None:
        self.source = source
        self.tree = tree
        self.find = find
        self.own = own
        self.ids: set[str] = set()
        self.rules = 0  # read so far
        self.terms: tuple[tuple[str | int, ...], ...] = ()  # where the items of a score stand

    def problem(self, message: str, *path: str | int, key: bool = False) -> Problem:
        return Problem(self.source, message, *mark_of(self.tree, path, key))

    def fail(self, message: str, *path: str | int, key: bool = False) -> NoReturn:
        raise InputError([self.problem(message, *path, key=key)]) from None

    def criteria(self) -> CriteriaSet:
        tree = self.tree
        self.keys(tree, _SET, _REQUIRED)
        if ("verdict" in tree) is ("extends" in tree):
            self.fail("write either 'verdict' (a set of its own) or 'extends' (a variant of another set)")
        for key in _CHANGES:
            if key in tree and "extends" not in tree:
                self.fail(f"'{key}' belongs to a variant, which says what it 'extends'", key, key=True)
        name = self.text("id")
        if not name.isascii() or name in _NO_SET or not all(part.isalnum() and part == part.lower() for part in name.split("-")):
            self.fail("the id of a set is made of small letters, digits and '-', such as my-hospital-2026", "id")
        grade = self.grade(tree["provenance"], "provenance") if "provenance" in tree else GRADES[-1]
        base = self.base() if "extends" in tree else None
        if base:
            from hlhcli.variants import varied  # most sets are none, and every start pays for an import

            verdict = varied(self, base, grade)
        else:
            verdict = self.node(tree["verdict"], grade, "verdict")
        verdict = rules.identified(verdict)
        self.distinct(verdict)
        reports = tuple(self.report(index, grade) for index in range(len(self.sequence("reports"))))
        not_computable = self.texts("not_computable")
        return CriteriaSet(
            id=name,
            version=self.text("version", default="1"),
            title=self.text("title"),
            citation=self.citation(),
            verdict=verdict,
            items=rules.items(verdict),
            groups=rules.groups(verdict),
            asides=rules.asides(verdict),
            asks=frozenset(rules.asked(verdict)),
            population=self.population(grade) if "population" in tree else base.population if base else None,
            reports=reports if "reports" in tree or not base else base.reports,
            not_computable=not_computable if "not_computable" in tree or not base else base.not_computable,
            notes=self.texts("notes"),
            probability=self.probability(base, verdict),
            extends=base.id if base else None,
        )

    def distinct(self, verdict: Node) -> None:
        """Two items cannot go by one name."""
        names = [rules.item_id(node) for node in (*rules.asides(verdict), *rules.items(verdict))]
        counted = Counter(names)
        twice = next((name for name in names if counted[name] > 1), None)
        if twice:
            where = "verdict" if "verdict" in self.tree else "add" if "add" in self.tree else "change"
            self.fail(f"two items go by the name '{twice}'; give each an id of its own", where)
        if not names:
            self.fail("nothing is left to decide by", "without" if "without" in self.tree else "verdict")

    def keys(self, node: Mapping, known: tuple[str, ...], required: tuple[str, ...], *path: str | int) -> None:
        problems = [
            self.problem(f"unknown key '{printable(key, 60)}'{meant(key, known)}", *path, key, key=True)
            for key in node
            if key not in known
        ]
        if not problems and (missing := [key for key in required if key not in node]):
            named = " and ".join(f"'{key}'" for key in missing)
            problems.append(self.problem(f"{named} {'is' if len(missing) == 1 else 'are'} missing", *path))
        if problems:
            raise InputError(problems)

    def at(self, *path: str | int) -> AnyType:
        """What stands at `path`, or None."""
        node: AnyType = self.tree
        for step in path:
            node = node.get(str(step)) if isinstance(node, Mapping) else node[step]
        return node

    def text(self, *path: str | int, default: str | None = None) -> str:
        value = self.at(*path)
        return self.checked(default if value is None else value, *path)

    def checked(self, value: AnyType, *path: str | int) -> str:
        """`value`, which stands at `path` and must be text."""
        if not isinstance(value, str) or not value.strip():
            self.fail("expected text here", *path)
        return printable(value.strip()) if self.own else value

    def optional(self, raw: Mapping, key: str, *path: str | int) -> str | None:
        return self.checked(raw[key], *path, key) if key in raw else None

    def mapping(self, *path: str | int) -> Mapping:
        value = self.at(*path)
        if not isinstance(value, Mapping):
            self.fail("expected a mapping here (lines such as 'key: value')", *path)
        return value

    def sequence(self, *path: str | int) -> Sequence | list[AnyType]:
        node = self.at(*path)
        if node is None:
            return []
        if not isinstance(node, list):
            self.fail("expected a list here (lines that start with '- ')", *path)
        return node

    def texts(self, *path: str | int) -> tuple[str, ...]:
        return tuple(self.text(*path, index) for index in range(len(self.sequence(*path))))

    def grade(self, text: AnyType, *path: str | int) -> Grade:
        grade = next((grade for grade in GRADES if grade == text), None)
        if grade is None:
            known = did_you_mean(str(text), GRADES)
            self.fail(f"'{printable(str(text), 40)}' is no grade of provenance{known}", *path)
        return grade

    def number(self, text: AnyType, *path: str | int, key: bool = False) -> Fraction:
        if not isinstance(text, str) or not re.fullmatch(r"-?\d{1,9}(\.\d{1,9})?", text, re.ASCII):
            self.fail(f"'{printable(str(text), 40)}' is no number; write for example 18 or 2.44", *path, key=key)
        return Fraction(text)

    def citation(self) -> Citation:
        if isinstance(self.tree["citation"], str):
            return Citation(self.text("citation"))
        cited = self.mapping("citation")
        self.keys(cited, _CITATION, ("text",), "citation")
        return Citation(**{key: self.text("citation", key) for key in cited})

    def population(self, grade: Grade) -> Population:
        if isinstance(self.tree["population"], str):
            return Population(self.text("population"))
        self.keys(self.mapping("population"), _POPULATION, _POPULATIONS, "population")
        when = self.node(self.at("population", "when"), grade, "population", "when")
        sufficient = self.at("population", "sufficient")
        if sufficient not in (None, "yes", "no"):
            self.fail("expected yes or no: whether fulfilling 'when' is enough to be one of them", "population", "sufficient")
        return Population(self.text("population", "text"), when, sufficient != "no")

    def probability(self, base: CriteriaSet | None, verdict: Node) -> tuple[tuple[Fraction, str], ...]:
        """What is printed for each score; a variant that only moves the cut-off keeps what is published for its base."""
        if "probability" not in self.tree:
            kept = base and base.score and isinstance(verdict, Score) and base.score.children == verdict.children
            return base.probability if base and kept else ()
        nodes = self.mapping("probability")
        found = tuple((self.number(score, "probability", score, key=True), self.text("probability", score)) for score in nodes)
        if len(found) < 2 or list(found) != sorted(found, key=lambda node: node[0]):
            self.fail(
                "expected at least two scores in ascending order, each with its probability, such as {90: <1, 100: 1}",
                "probability",
            )
        return found

    def report(self, index: int, grade: Grade) -> Report:
        path = ("reports", index)
        entry = self.at(*path)
        if not isinstance(entry, Mapping):
            self.fail("expected {observable: …, say: …}", *path)
        self.keys(entry, _REPORT, _REPORTS, *path)
        when = self.node(entry["when"], grade, *path, "when") if "when" in entry else None
        name = self.text(*path, "observable")
        try:
            observable = name if name in PSEUDO else observables.resolve(name)
        except UnknownName as error:
            self.fail(str(error), *path, "observable")
        return Report(observable, self.text(*path, "say"), when, self.optional(entry, "grade", *path))

    def node(self, raw: AnyType, grade: Grade, *path: str | int) -> Node:
        """One rule, with the provenance that it inherits."""
        self.counted(1, *path)
        if isinstance(raw, str):
            return self.phrase(raw, About(grade), *path)
        if not isinstance(raw, Mapping):
            self.fail("expected a rule: a phrase such as 'ferritin >= 500 ug/L', or all:, any:, at_least: …", *path)
        self.keys(raw, _RULE, (), *path)
        logic = [key for key in _LOGIC if key in raw]
        if len(logic) != 1:
            self.fail(f"a rule says exactly one of {', '.join(_LOGIC)}" + (f" (here: {', '.join(logic)})" if logic else ""), *path)
        kind = logic[0]
        binned = kind == "points" and isinstance(raw["points"], Mapping)
        lineages = binned and all(re.fullmatch(r"at least \d+", str(text)) for text in raw["points"].values())
        belongs = ("of",) if lineages else _WITH.get(kind, ())
        for key in ("of", "then", "else"):
            if (key in raw) != (key in belongs):
                self.fail(f"'{key}' is missing" if key not in raw else f"'{key}' does not belong to '{kind}'", *path)
        if "provenance" in raw:
            grade = self.grade(raw["provenance"], *path, "provenance")
        title, note = self.optional(raw, "title", *path), self.optional(raw, "note", *path)
        about = About(grade, self.id(raw, *path), title, note, self.cautions(raw, grade, *path))
        if kind == "points" and path[:-1] not in self.terms:
            self.fail(
                'points belong to the items of a score: {score: ">= 10", of: [{id: ast, points: {19: ast >= 30 U/L}}]}', *path
            )
        if kind in ("when", "stated") or (kind == "points" and not binned):
            return self.phrase(raw[kind], about, *path, kind, kind=kind)
        if kind == "points":
            return self.points(raw, about, lineages, *path)
        return self.logic(kind, raw, about, *path)

    def counted(self, number: int, *path: str | int) -> None:
        """Fails where a set becomes larger than anybody could read, as it does by aliases of aliases."""
        self.rules += number
        if self.rules > MAX_RULES:
            say = (
                f"more than {MAX_RULES} rules, the limit for one set (what is repeated by '*' counts each time); write several sets"
            )
            raise TooManyRules([self.problem(say, *path)])

    def logic(self, kind: str, raw: Mapping, about: About, *path: str | int) -> Node:
        if kind == "at_least":
            nodes = self.nodes(about.grade, *path, "of")
            return AtLeast(about, self.required(raw["at_least"], len(nodes), *path, "at_least"), nodes)
        if kind == "score":
            if path != ("verdict",):
                self.fail("a score is the whole verdict; it cannot stand inside another rule", *path)
            self.terms = (("verdict", "of"),)
            terms = self.nodes(about.grade, *path, "of")
            for index, term in enumerate(terms):
                if not isinstance(term, (rules.Points, rules.Linear)):
                    self.fail(
                        "a term of a score gives 'points', such as {id: ast, points: {19: ast >= 30 U/L}}", *path, "of", index
                    )
            return self.score(
                about, tuple(term for term in terms if isinstance(term, (rules.Points, rules.Linear))), *path, "score"
            )
        name = next(each for each in _KINDS if each == kind)
        if kind == "not":
            return rules.Logic(about, name, (self.node(raw[kind], about.grade, *path, kind),))
        if kind == "if":
            return rules.Logic(about, name, tuple(self.node(raw[key], about.grade, *path, key) for key in ("if", "then", "else")))
        return rules.Logic(about, name, self.nodes(about.grade, *path, kind))

    def nodes(self, grade: Grade, *path: str | int) -> tuple[Node, ...]:
        entries = self.sequence(*path)
        if not entries:
            self.fail("expected at least one rule here", *path)
        if len(entries) > MAX_ITEMS:
            self.fail(
                f"a list of more than {MAX_ITEMS} rules, the limit; write several files, each with a part of them", *path, MAX_ITEMS
            )
        found, problems = [], []
        for index, entry in enumerate(entries):
            try:
                found.append(self.node(entry, grade, *path, index))
            except TooManyRules:
                raise
            except InputError as error:
                problems += error.problems  # the others are read too, so that all mistakes are told at once
        if problems:
            raise InputError(problems)
        return tuple(found)

    def required(self, text: AnyType, most: int, *path: str | int) -> int | None:
        if text == _UNPUBLISHED:
            return None
        if not str(text).isdecimal() or len(text) > _DIGITS or not 1 <= int(text) <= most:
            self.fail(f"at_least is a whole number from 1 to {most} ('{_UNPUBLISHED}' if the source states none)", *path)
        return int(text)

    def score(self, about: About, terms: tuple[rules.Points | rules.Linear, ...], *path: str | int) -> Score:
        text = self.text(*path)
        found = re.fullmatch(r"(<=|>=|<|>)\s*(-?\d{1,9}(?:\.\d{1,9})?)", text.strip(), re.ASCII)
        if not found:
            self.fail(f"'{printable(text, 40)}' is no cut-off of a score; write for example \">= 169\"", *path)
        return Score(about, COMPARATORS[found[1]], Fraction(found[2]), " ".join(found.groups()), terms)

    def points(self, raw: Mapping, about: About, lineages: bool, *path: str | int) -> Node:
        """Points by bins: each with its rule, or by how many of one list are met."""
        bins = raw["points"]
        numbers = tuple(self.number(text, *path, "points", text, key=True) for text in bins)
        if not numbers or len(set(numbers)) < len(numbers) or min(numbers) < 0 < max(numbers):
            self.fail("expected points of one sign here, each once, such as {18: immunosuppression}", *path, "points")
        if lineages:
            nodes = self.nodes(about.grade, *path, "of")
            self.counted(len(bins) * len(nodes), *path, "points")
            needed = [self.required(text.split()[-1], len(nodes), *path, "points", key) for key, text in bins.items()]
            children: list[Node] = [AtLeast(About(about.grade), each, nodes) for each in needed]
        else:
            children = [self.node(rule, about.grade, *path, "points", key) for key, rule in bins.items()]
        ordered = sorted(zip(numbers, children, strict=True), key=lambda one: abs(one[0]))  # a mapping has no order
        return rules.Points(about, tuple(number for number, _ in ordered), tuple(child for _, child in ordered))

    def phrase(self, text: AnyType, about: About, *path: str | int, kind: str = "when") -> Node:
        try:
            if kind == "stated":
                return phrases.stated(str(text), about)
            return phrases.linear(str(text), about) if kind == "points" else phrases.phrase(str(text), about)
        except (BadQuantity, UnknownName) as error:
            self.fail(str(error), *path)

    def id(self, raw: Mapping, *path: str | int) -> str | None:
        name = raw.get("id")
        if name is None:
            return None
        if not isinstance(name, str) or not name.replace("_", "a").isalnum() or not name.isascii():
            self.fail("an id is made of letters, digits and '_'", *path, "id")
        if name in RESERVED or name.endswith("_value"):
            self.fail(f"the id '{name}' has a meaning of its own in the results; choose another", *path, "id")
        if name in self.ids:
            self.fail(f"the id '{name}' is used twice", *path, "id")
        self.ids.add(name)
        return name

    def cautions(self, raw: Mapping, grade: Grade, *path: str | int) -> tuple[Caution, ...]:
        if "caution" not in raw:
            return ()
        result = []
        for index, entry in enumerate(self.sequence(*path, "caution")):
            where = (*path, "caution", index)
            if not isinstance(entry, Mapping):
                self.fail("expected {when: …, say: …}", *where)
            self.keys(entry, _CAUTION, _CAUTION, *where)
            result.append(Caution(self.node(entry["when"], grade, *where, "when"), self.text(*where, "say")))
        return tuple(result)

    def base(self) -> CriteriaSet:
        name = self.text("extends")
        try:
            if self.find is None:
                raise UnknownName("criteria", name, ())
            return self.find(name)
        except UnknownName as error:
            self.fail(str(error), "extends")

"""The rule language: a closed set of nodes, and what can be asked of them. `phrases` reads the comparisons."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias, get_args

from hlhcli.observables import Unit, get
from hlhcli.quantity import Operator

Grade = Literal["primary", "reproduction", "secondary", "code", "unverified"]
GRADES: tuple[Grade, ...] = get_args(Grade)  # from the best to the worst

At = Literal["", "baseline", "previous", "nadir", "peak"]  # the time that a comparison is about: now, or before

Kind = Literal["all", "any", "not", "agree", "first_known", "if"]


class About(NamedTuple):
    """What every node carries: the provenance of its numbers; an id makes it an item, a title heads it."""

    grade: Grade
    id: str | None = None
    title: str | None = None
    note: str | None = None
    cautions: tuple[Caution, ...] = ()


class Edge(NamedTuple):
    """One printed edge of a cut-off: operator, exact number, unit, and the text of it."""

    operator: Operator
    number: Fraction
    unit: Unit
    text: str


class Threshold(NamedTuple):
    """A quantity against a cut-off; several edges are the same cut-off printed in several units."""

    about: About
    observable: str
    edges: tuple[Edge, ...]
    text: str
    at: At = ""


class Present(NamedTuple):
    """A finding that has one of the `accepted` values. `stated`: it counts only where the file states it, else it is not met."""

    about: About
    observable: str
    accepted: frozenset[str]
    text: str
    stated: bool = False
    at: At = ""


class Word(NamedTuple):
    """A quantity that is stated as normal, elevated or low, without a number. Met where it is; anything else leaves it open."""

    about: About
    observable: str
    level: str
    text: str
    at: At = ""


FINDINGS = ("clear", "probable", "uncertain", "carrier", "untested", "negative")  # what genetics can amount to, the most first


class Genotype(NamedTuple):
    """Variants of the patient in `genes` that amount to one of `findings` (see genetics.py)."""

    about: About
    observable: str
    findings: frozenset[str]
    genes: tuple[str, ...]
    text: str


class Ratio(NamedTuple):
    """One quantity over another, each in its unit, against a number."""

    about: About
    observables: tuple[str, str]
    units: tuple[Unit, Unit]
    operator: Operator
    number: Fraction
    text: str


class Linear(NamedTuple):
    """A term of a score: `coefficient` for each `unit` of a quantity."""

    about: About
    observable: str
    coefficient: Fraction
    unit: Unit
    text: str


class Change(NamedTuple):
    """A quantity now over what it was `against`, compared with `number`; `falls` or `rises` is the direction that is asked for."""

    about: About
    observable: str
    falls: bool
    operator: Operator
    number: Fraction
    against: At
    text: str


class Logic(NamedTuple):
    """Other rules under a connective.

    all, any, not    Kleene logic
    agree            what all children say; unknown where they differ, as where published cut-offs differ
    first_known      the first child of which something is known decides
    if               if the first child is met the second decides, else the third; where the first is unknown they must agree
    """

    about: About
    kind: Kind
    children: tuple[Node, ...]


class AtLeast(NamedTuple):
    """At least `required` of the children; None where the source counts but states no number that suffices."""

    about: About
    required: int | None
    children: tuple[Node, ...]


class Points(NamedTuple):
    """A term of a score: the points of the last child that is met, else none."""

    about: About
    points: tuple[Fraction, ...]
    children: tuple[Node, ...]


class Score(NamedTuple):
    """The sum of the terms against a cut-off."""

    about: About
    operator: Operator
    cutoff: Fraction
    text: str
    children: tuple[Points | Linear, ...]


Momentary: TypeAlias = Threshold | Present | Word | Genotype | Ratio | Linear  # with what is known at one moment
Leaf: TypeAlias = Momentary | Change
Node: TypeAlias = Leaf | Logic | AtLeast | Points | Score
_INNER = (Logic, AtLeast, Points, Score)


class Caution(NamedTuple):
    """A warning that a definition asks for where `when` is met, for example close to another published cut-off."""

    when: Node
    say: str


class Citation(NamedTuple):
    text: str
    doi: str | None = None
    pmid: str | None = None
    url: str | None = None


class Report(NamedTuple):
    """Something said beside the verdict where an observable is stated (and `when` is met); never counted.

    `grade`: how much the finding says by the set's own table, such as `strong suspicion`.
    """

    observable: str
    say: str
    when: Node | None = None
    grade: str | None = None


class Population(NamedTuple):
    """For whom the set was made; `when` decides it as far as a patient file can, None where it cannot.

    Not `sufficient`: who does not fulfil `when` is none of them, but who does may still be none.
    """

    text: str
    when: Node | None = None
    sufficient: bool = True


class CriteriaSet(NamedTuple):
    """One published set of criteria, or one of a user's own."""

    id: str
    version: str
    title: str
    citation: Citation
    verdict: Node
    items: tuple[Node, ...]  # the criteria, each a row of the table
    groups: tuple[AtLeast, ...]  # the nodes whose children are counted
    asides: tuple[Node, ...]  # what decides beside the items: what suffices alone, or must not be
    asks: frozenset[str]  # the observables that the verdict rests on
    population: Population | None = None
    reports: tuple[Report, ...] = ()
    not_computable: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    probability: tuple[tuple[Fraction, str], ...] = ()  # scores in ascending order, and what is printed beside them
    extends: str | None = None

    @property
    def score(self) -> Score | None:
        """The verdict as a score, if the set is one."""
        return self.verdict if isinstance(self.verdict, Score) else None


def groups(verdict: Node) -> tuple[AtLeast, ...]:
    """The nodes whose children are counted."""
    return tuple(node for node in _outer(verdict) if isinstance(node, AtLeast) and not node.about.id)


def asides(verdict: Node) -> tuple[Node, ...]:
    """What decides beside the items: a finding that counts only where it is stated, or a genotype."""
    return tuple(node for node in _outer(verdict) if _is_item(node) and _is_aside(node))


def items(verdict: Node) -> tuple[Node, ...]:
    """The criteria: nodes with an id, and comparisons that stand for themselves."""
    return tuple(node for node in _outer(verdict) if _is_item(node) and not _is_aside(node))


def identified(node: Node) -> Node:
    """The rule with an id for every item: that of its observable, where the definition gives none."""
    if _is_item(node):
        return node if node.about.id else node._replace(about=node.about._replace(id=asked(node)[0]))
    if isinstance(node, Score):
        terms = tuple(each for each in map(identified, node.children) if isinstance(each, (Points, Linear)))
        return node._replace(children=terms)
    assert isinstance(node, (Logic, AtLeast))
    return node._replace(children=tuple(map(identified, node.children)))


def _outer(node: Node) -> Iterator[Node]:
    """The node and what stands under it, as far down as to the items."""
    yield node
    if not _is_item(node):
        for child in children(node):
            yield from _outer(child)


def _is_item(node: Node) -> bool:
    if node.about.id or not isinstance(node, (Logic, AtLeast, Score)):
        return True
    return isinstance(node, Logic) and node.kind not in ("all", "any")


def _is_aside(node: Node) -> bool:
    return all(isinstance(leaf, Genotype) or (isinstance(leaf, Present) and leaf.stated) for leaf in leaves(node))


def children(node: Node) -> tuple[Node, ...]:
    return node.children if isinstance(node, _INNER) else ()


def leaves(node: Node) -> Iterator[Leaf]:
    """The comparisons under the node."""
    return (each for each in walk(node) if not isinstance(each, _INNER))


def asked(node: Node) -> list[str]:
    """The observables that the rule asks for, in its order."""
    names = (leaf.observables if isinstance(leaf, Ratio) else (leaf.observable,) for leaf in leaves(node))
    return list(dict.fromkeys(name for pair in names for name in pair))


def asked_before(node: Node) -> list[tuple[At, str]]:
    """What the rule asks of the past: of when, and for which observable."""
    found: list[tuple[At, str]] = []
    for leaf in leaves(node):
        if isinstance(leaf, Change):
            found.append((leaf.against, leaf.observable))
        elif isinstance(leaf, (Threshold, Present, Word)) and leaf.at:
            found.append((leaf.at, leaf.observable))
    return list(dict.fromkeys(found))


def at(node: Node, moment: At) -> Node:
    """The same rule on what was known at another time. No item of its own: without ids."""
    about = node.about._replace(id=None, cautions=())
    if isinstance(node, (Threshold, Present, Word)):
        return node._replace(about=about, at=moment, text=f"{node.text} at {moment}")
    if isinstance(node, (Logic, AtLeast)):
        return node._replace(about=about, children=tuple(at(child, moment) for child in node.children))
    raise ValueError(f"{type(node).__name__} is about the present")


def item_id(node: Node) -> str:
    """The id of an item, or the observable that it is about."""
    return node.about.id or asked(node)[0]


def title(node: Node) -> str:
    """What heads an item: its title, or the observable that it is about."""
    if node.about.title:
        return node.about.title
    name = get(asked(node)[0]).title
    return f"No {name[0].lower()}{name[1:]}" if isinstance(node, Logic) and node.kind == "not" else name


def walk(node: Node) -> Iterator[Node]:
    """The node and everything under it, from the top."""
    yield node
    for child in children(node):
        yield from walk(child)


def worst(node: Node) -> Grade:
    """The worst provenance of the numbers under `node`."""
    return max((each.about.grade for each in walk(node) if not isinstance(each, (Logic, AtLeast))), key=GRADES.index)

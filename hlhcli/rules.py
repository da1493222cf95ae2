"""The rule language: a closed set of nodes, and the phrases in which comparisons are written.

    ferritin >= 500 ug/L                                  a threshold
    triglycerides >= 3.0 mmol/L or >= 265 mg/dL           one cut-off with two printed edges: the one in the reported unit decides
    splenomegaly                                          a finding that is present
    hemophagocytosis in marrow, spleen, lymph node        a finding with one of these values

Logic is written as structure: all, any, not, at_least (k of n), first_known, if/then/else, stated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias, get_args

from hlhcli import observables
from hlhcli.observables import AGE, Unit
from hlhcli.quantity import COMPARATORS, BadQuantity, Operator, readings

Grade = Literal["primary", "reproduction", "secondary", "code", "unverified"]
GRADES: tuple[Grade, ...] = get_args(Grade)  # from the best to the worst


class About(NamedTuple):
    """What every node carries: the provenance of its numbers; an id and title make it an item."""

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


class Present(NamedTuple):
    """A finding that has one of the `accepted` values."""

    about: About
    observable: str
    accepted: frozenset[str]
    text: str


class Stated(NamedTuple):
    """A finding that counts only where it is stated: not stated is not met, pending is unknown."""

    about: About
    observable: str
    text: str


class All(NamedTuple):
    about: About
    children: tuple[Node, ...]


class Any(NamedTuple):
    about: About
    children: tuple[Node, ...]


class Not(NamedTuple):
    about: About
    children: tuple[Node]


class AtLeast(NamedTuple):
    """At least `required` of the children."""

    about: About
    required: int
    children: tuple[Node, ...]


class FirstKnown(NamedTuple):
    """The first child of which something is known decides."""

    about: About
    children: tuple[Node, ...]


class Choose(NamedTuple):
    """If the first child is met the second decides, else the third; where the first is unknown they must agree."""

    about: About
    children: tuple[Node, Node, Node]


Node: TypeAlias = Threshold | Present | Stated | All | Any | Not | AtLeast | FirstKnown | Choose
Leaf: TypeAlias = Threshold | Present | Stated


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
    """An observable of which something is said beside the verdict, where it is stated (and `when` is met); never counted."""

    observable: str
    say: str
    when: Node | None = None


class CriteriaSet(NamedTuple):
    """One published set of criteria."""

    id: str
    version: str
    title: str
    citation: Citation
    verdict: Node
    population: str | None = None
    reports: tuple[Report, ...] = ()
    not_computable: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def counted(self) -> AtLeast | None:
        """The node whose children are the items that are counted, if the set counts."""
        return next((node for node in walk(self.verdict) if isinstance(node, AtLeast)), None)

    @property
    def paths(self) -> tuple[Node, ...]:
        """What suffices alone, beside the count."""
        return tuple(child for child in children(self.verdict) if isinstance(child, Stated) and child.about.id)

    @property
    def items(self) -> tuple[Node, ...]:
        counted = self.counted
        return counted.children if counted else ()


def children(node: Node) -> tuple[Node, ...]:
    return () if isinstance(node, (Threshold, Present, Stated)) else node.children


def leaves(node: Node) -> Iterator[Leaf]:
    """The comparisons under the node."""
    return (each for each in walk(node) if isinstance(each, (Threshold, Present, Stated)))


def item_id(node: Node) -> str:
    """The id of an item, or the observable that it is about."""
    return node.about.id or next(leaves(node)).observable


def walk(node: Node) -> Iterator[Node]:
    """The node and everything under it, from the top."""
    yield node
    for child in children(node):
        yield from walk(child)


def worst(node: Node) -> Grade:
    """The worst provenance of the numbers under `node`."""
    return max((leaf.about.grade for leaf in leaves(node)), key=GRADES.index)


_THRESHOLD = re.compile(r"(\w+)\s*(?=[<>])")
_EDGE = re.compile(r"(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s+(\S.*)")
_PRESENT = re.compile(r"(\w+)(?:\s+in\s+(.+))?")


def phrase(text: str, about: About) -> Threshold | Present:
    """The comparison that `text` says. Raises BadQuantity or UnknownName, with what to write instead."""
    text = " ".join(text.split())
    if found := _THRESHOLD.match(text):
        observable = observables.get(_name(found[1]))
        if observable.family is None:
            raise BadQuantity(f"{observable.name} is a finding; it cannot be compared with a number")
        edges = tuple(_edge(part, observable) for part in text[found.end() :].split(" or "))
        return Threshold(about, observable.name, edges, text)
    if not (found := _PRESENT.fullmatch(text)):
        raise BadQuantity(f"'{text}' is no comparison; write for example 'ferritin >= 500 ug/L' or 'splenomegaly'")
    observable = observables.get(_name(found[1]))
    if observable.family is not None:
        raise BadQuantity(f"{observable.name} is a quantity; write for example '{observable.name} >= 1 {observable.conventional}'")
    accepted = frozenset(part.strip() for part in found[2].split(",")) if found[2] else frozenset(observable.values or ("yes",))
    if unknown := accepted - set(observable.values or ("yes",)):
        raise BadQuantity(
            f"{observable.name} cannot be {', '.join(sorted(unknown))}; values are {', '.join(observable.values or ('yes',))}"
        )
    return Present(about, observable.name, accepted, text)


def _name(text: str) -> str:
    return AGE if text == AGE else observables.resolve(text)


def _edge(text: str, observable: observables.Observable) -> Edge:
    found = _EDGE.fullmatch(text.strip())
    if not found:
        raise BadQuantity(
            f"'{text.strip()}' is no cut-off; write an operator, a number and a unit, such as '>= 500 {observable.conventional}'"
        )
    number = readings(found[2])[0].interval.lo
    assert number is not None
    return Edge(COMPARATORS[found[1]], number, observable.units.require(found[3]), text.strip())

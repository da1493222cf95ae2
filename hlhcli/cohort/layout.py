"""Which columns hold what is known of each observable: the plan that the query, the lookups and the rules share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from hlhcli import observables, rules
from hlhcli.cohort import scale
from hlhcli.observables import AGE, AGE_AT_ONSET, MOLECULAR, PSEUDO, Observable
from hlhcli.phrases import LIMITS
from hlhcli.readers import codes
from hlhcli.rules import CriteriaSet, Node

OPEN, PENDING = "open", "pending"  # marks: a worse value may exist; a result is on its way


class Column(NamedTuple):
    """One observable that the chosen sets ask for. `number` names it in the lookups; `present`: some row is about it."""

    name: str
    number: int
    present: bool
    stated: bool  # some rule counts it only where it is stated, or it lasts: the last word of it counts
    in_words: bool  # some rule takes a word such as `elevated`

    @property
    def observable(self) -> Observable:
        return observables.get(self.name)

    @property
    def is_quantity(self) -> bool:
        return self.observable.family is not None

    @property
    def low(self) -> bool:
        """True where lower is worse."""
        return self.observable.decides == "low"

    @property
    def lasting(self) -> bool:
        return self.name in codes.lasting()

    @property
    def values(self) -> tuple[str, ...]:
        """The named values of a finding, the negative one first."""
        return (self.observable.negative, *(self.observable.values or ("yes",)))

    @property
    def groups(self) -> int:
        """How many groups of units there are that do not convert into one another."""
        return 1 + max(each.group for each in scale.units(self.name)) if self.is_quantity else 0

    @property
    def marks(self) -> tuple[str, ...]:
        """What is marked by a bit of each row: the values of a finding, the group of a unit, and what leaves the value open."""
        if self.is_quantity:
            return (OPEN, *(f"group {group}" for group in range(self.groups) if self.groups > 1))
        return (*self.values, OPEN, PENDING)


class Layout:
    """The columns of a query, and where their marks lie: 60 in each word of 64 bits."""

    _WORD = 60  # bits

    def __init__(self, sets: Sequence[CriteriaSet], present: frozenset[str] | None = None, also: Sequence[str] = ()) -> None:
        """`present`: the observables that the input holds (None: it is not known); `also`: others that are needed."""
        self.sets = tuple(sets)
        roots = [root for each in sets for root in _roots(each)]
        nodes = [node for root in roots for node in rules.walk(root)]
        asked = dict.fromkeys([*(name for root in roots for name in rules.asked(root)), *also])
        if any(isinstance(node, rules.Genotype) for node in nodes):
            asked[MOLECULAR] = None
        for name in list(asked):
            observable = observables.get(name)
            if observable.comes_and_goes and observable.instead:
                asked.setdefault(observable.instead, None)
        stated = {node.observable for node in nodes if isinstance(node, rules.Present) and node.stated} | {MOLECULAR}
        in_words = {node.observable for node in nodes if isinstance(node, (rules.Word, rules.Threshold)) and _by_word(node)}
        self.needs_age = AGE in asked
        self.needs_onset = AGE_AT_ONSET in asked
        self.columns = {
            name: Column(name, number, present is None or name in present, name in stated | codes.lasting(), name in in_words)
            for number, name in enumerate((each for each in asked if each not in PSEUDO), start=1)
        }
        for node in nodes:
            if not isinstance(node, rules.Change) and getattr(node, "at", "") in ("nadir", "peak"):
                raise ValueError(f"'{getattr(node, 'text', '')}' is not for cohorts: write that something falls or rises from then")
        self.past = tuple(dict.fromkeys(found for root in roots for found in rules.asked_before(root)))

    @property
    def present(self) -> list[Column]:
        return [column for column in self.columns.values() if column.present]

    @property
    def denied_elsewhen(self) -> list[Column]:
        """Findings that come and go, of which the measurement is there: its value of another time speaks against a denial."""
        own = (column for column in self.present if column.observable.comes_and_goes and column.observable.instead)
        return [column for column in own if self.columns[column.observable.instead or ""].present]

    @cached_property
    def _places(self) -> dict[tuple[str, str], tuple[int, int]]:
        places: dict[tuple[str, str], tuple[int, int]] = {}
        word = bit = 0
        for column in self.present:
            if bit + len(column.marks) > self._WORD:
                word, bit = word + 1, 0
            for mark in column.marks:
                places[column.name, mark] = word, bit
                bit += 1
        return places

    @property
    def words(self) -> int:
        """How many words of marks there are."""
        return 1 + max((word for word, _ in self._places.values()), default=0)

    def room(self, bits: int) -> tuple[int, int]:
        """The word in which so many bits more have room, and the first of them."""
        word, bit = max(self._places.values(), default=(0, -1))
        return (word, bit + 1) if bit + 1 + bits <= self._WORD else (word + 1, 0)

    def mark(self, name: str, *marks: str) -> tuple[int, int]:
        """The word in which these marks of an observable lie, and their bits."""
        found = [self._places[name, mark] for mark in marks]
        return found[0][0], sum(1 << bit for _, bit in found)


def _roots(criteria: CriteriaSet) -> Iterable[Node]:
    yield criteria.verdict
    if criteria.population and criteria.population.when:
        yield criteria.population.when


def _by_word(node: rules.Word | rules.Threshold) -> bool:
    return isinstance(node, rules.Word) or any(edge.unit.name in LIMITS for edge in node.edges)

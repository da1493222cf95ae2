"""Rules as columns: every node of the rule language as an SQL expression that is true, false, or NULL where it is unknown.

The SQL is DuckDB's, in the subset that Spark and PostgreSQL run as well: comparisons of integers, CASE, AND, OR, NOT and sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import lcm
from typing import NamedTuple, TypeGuard

from hlhcli import observables, rules
from hlhcli.cohort import scale
from hlhcli.cohort.layout import Layout
from hlhcli.cohort.packing import whole_day
from hlhcli.cohort.sql import UNKNOWN, among, case, joined, quoted, truth
from hlhcli.observables import AGE, MOLECULAR, PSEUDO
from hlhcli.outcome import edge_for
from hlhcli.phrases import LIMITS
from hlhcli.quantity import Operator
from hlhcli.rules import CriteriaSet, Edge, Node

LEVELS = ("low", "normal", "elevated")
_WAYS: dict[Operator, tuple[str, str]] = {">=": (">=", "<"), ">": (">", "<="), "<=": ("<=", ">"), "<": ("<", ">=")}  # met, not met
_NAME = 60  # bytes of a column's name that PostgreSQL keeps, and some to spare


def compared(operator: Operator, tick: str, lo: str, hi: str) -> str:
    """An interval of ticks against a tick (see scale.py)."""
    met, not_met = _WAYS[operator]
    first, second = (lo, hi) if operator[0] == ">" else (hi, lo)
    return truth(f"{first} {met} {tick}", f"{second} {not_met} {tick}")


class Range(NamedTuple):
    """A score or a term of it: SQL for both ends (NULL: unbounded), as a multiple of a common unit, and whether an end is open."""

    lo: str
    hi: str
    lo_open: str | None = None
    hi_open: str | None = None


class Rules:
    """One set of criteria as columns. `leaves`, `terms` and `items` are filled as the rules are walked through."""

    def __init__(self, criteria: CriteriaSet, layout: Layout, wide: str = "HUGEINT") -> None:
        self.criteria = criteria
        self.layout = layout
        self.wide = wide
        self.leaves: dict[str, tuple[str, str]] = {}  # column, its SQL, the phrase
        self.counts = {id(group): f" {place}" if place else "" for place, group in enumerate(criteria.groups)}
        self.per_unit = _common(criteria.verdict)  # of a score: points times this are whole numbers
        self.items = {id(node): rules.item_id(node) for node in (*criteria.asides, *criteria.items)}
        self._above = set(self._above_items(criteria.verdict))
        self._parts: dict[int, tuple[int, str, str]] = {}  # what items are made of: step, column, its SQL

    def item(self, node: Node) -> str:
        """The status of an item, from the columns of its comparisons."""
        if not isinstance(node, (rules.Points, rules.Linear)):
            return self._logic(node)
        name = rules.item_id(node)
        lo, hi = quoted(f"{name} min"), quoted(f"{name} max")
        if isinstance(node, rules.Points):  # of one sign
            least, most = (f"{lo} > 0", f"{hi} = 0") if node.points[-1] > 0 else (f"{hi} < 0", f"{lo} = 0")
            return case((most, "FALSE"), (least, "TRUE"))
        some = [f"{lo} > 0", f"{hi} < 0"]  # an open end is not reached
        some += [f"{lo} = 0 AND {quoted(f'{name} min open')}", f"{hi} = 0 AND {quoted(f'{name} max open')}"]
        return case((f"{lo} = 0 AND {hi} = 0", "FALSE"), (" OR ".join(some), "TRUE"))

    def verdict(self, node: Node) -> str:
        """The verdict, from the columns of the items."""
        if isinstance(node, rules.Score):
            total = Range(*(quoted(f"score {end}") for end in ("min", "max", "min open", "max open")))
            return self._score_against(node, total)
        return self.status(node)

    def status(self, node: Node) -> str:
        """A node above the items; an item, and what it is made of, by its column."""
        if id(node) in self.items:
            return quoted(f"{self.items[id(node)]}?")
        return self._part(node) if _is_whole(node) and id(node) not in self._above else self._logic(node)

    def parts(self) -> Iterator[list[str]]:
        """The columns of what items are made of, by steps: each needs no more than those before it."""
        for step in sorted({step for step, *_ in self._parts.values()}):
            yield [f"{sql} AS {column}" for at, column, sql in self._parts.values() if at == step]

    def _part(self, node: rules.Logic | rules.AtLeast) -> str:
        if id(node) not in self._parts:
            sql = self._logic(node)
            before = [self._parts[id(child)][0] for child in node.children if id(child) in self._parts]
            what = f"at least {node.required} of" if isinstance(node, rules.AtLeast) else node.kind
            self._parts[id(node)] = 1 + max(before, default=0), quoted(f"{what} ({len(self._parts) + 1})"), sql
        return self._parts[id(node)][1]

    def _above_items(self, node: Node) -> Iterator[int]:
        if id(node) not in self.items and _is_whole(node):
            yield id(node)
            for child in node.children:
                yield from self._above_items(child)

    def _logic(self, node: Node) -> str:
        if isinstance(node, rules.AtLeast):
            return self._at_least(node)
        if not isinstance(node, rules.Logic):
            return self.leaf(node)
        parts = [self.status(child) for child in node.children]
        if node.kind in ("all", "any"):
            return joined(parts, "AND" if node.kind == "all" else "OR")
        if node.kind == "not":
            return f"(NOT {parts[0]})"
        if node.kind == "first_known":
            return f"COALESCE({', '.join(parts)})" if len(parts) > 1 else parts[0]
        if node.kind == "agree":
            return truth(joined(parts, "AND"), joined((f"NOT {part}" for part in parts), "AND"))
        condition, then, otherwise = parts
        return case(
            (condition, then),
            (f"NOT {condition}", otherwise),
            (f"{then} AND {otherwise}", "TRUE"),
            (f"NOT {then} AND NOT {otherwise}", "FALSE"),
        )

    def _at_least(self, node: rules.AtLeast) -> str:
        if node.required is None:
            return UNKNOWN
        parts = [self.status(child) for child in node.children]
        if node.required == 1:
            return joined(parts, "OR")
        if id(node) in self.counts:
            met, possible = self.counted(node)
        else:
            met, possible = count_met(parts), count_possible(parts)
        return truth(f"{met} >= {node.required}", f"{possible} < {node.required}")

    def counted(self, group: rules.AtLeast) -> tuple[str, str]:
        """The columns that hold how many of a group are met, and how many can be."""
        return quoted(f"met{self.counts[id(group)]}"), quoted(f"possible{self.counts[id(group)]}")

    def leaf(self, node: Node) -> str:
        """The column of a comparison, which is added where it is not there yet."""
        assert isinstance(node, (rules.Threshold, rules.Present, rules.Word, rules.Genotype, rules.Ratio, rules.Change))
        text = node.text
        name = text if len(text.encode()) <= _NAME else f"{text[: _NAME - 12]} ({len(self.leaves) + 1})"
        known = next((column for column, (_, phrase) in self.leaves.items() if phrase == text), None)
        if known is None:
            self.leaves[quoted(name)] = (self._compare(node), text)
            return quoted(name)
        return known

    def _compare(self, node: Node) -> str:
        if isinstance(node, rules.Threshold):
            return self._threshold(node)
        if isinstance(node, rules.Present):
            return self._present(node)
        if isinstance(node, rules.Word):
            return case((f"{_at(node.at)}{node.observable}_word = {LEVELS.index(node.level)}", "TRUE"))
        if isinstance(node, rules.Genotype):
            pending = f"{MOLECULAR}_pending"
            return case((pending, UNKNOWN), otherwise="FALSE")
        if isinstance(node, rules.Ratio):
            return self._ratio(node)
        assert isinstance(node, rules.Change)
        return self._change(node)

    def _threshold(self, node: rules.Threshold) -> str:
        name = f"{_at(node.at)}{node.observable}"
        if node.observable in PSEUDO:
            on = scale.unitary(AGE, node.edges[0].unit)
            return compared(node.edges[0].operator, str(scale.edge(node.edges[0].number, on)), f"{name}_lo", f"{name}_hi")
        used: dict[Edge, list[scale.Unitary]] = {}
        for unitary in scale.units(node.observable):
            used.setdefault(edge_for(node, unitary.unit), []).append(unitary)
        pairs = []
        for edge, reported in used.items():
            if edge.unit.name in LIMITS:
                pairs.append((reported, self._by_limit(node, edge, name)))
                continue
            on = scale.unitary(node.observable, edge.unit)
            alike = [unitary for unitary in reported if unitary.group == on.group]
            if alike:
                pairs.append((alike, compared(edge.operator, str(scale.edge(edge.number, on)), f"{name}_lo", f"{name}_hi")))
        everything = len(scale.units(node.observable))
        if len(pairs) == 1 and (len(pairs[0][0]) == everything or node.edges[0].unit.name in LIMITS):
            return pairs[0][1]
        return case(*((among(f"{name}_unit", [each.number for each in reported]), sql) for reported, sql in pairs))

    def _by_limit(self, node: rules.Threshold, edge: Edge, name: str) -> str:
        """Against a multiple of the laboratory's own limit, or by a word that says on which side of it the value is."""
        upper = edge.unit.name == "ULN"
        limit = f"{name}_{'upper' if upper else 'lower'}"
        number = edge.number
        lo, hi = (f"CAST({name}_{end} AS {self.wide}) * {number.denominator}" for end in ("lo", "hi"))
        tick = f"CAST({limit} AS {self.wide}) * {number.numerator}"
        if shifted := [on for on in scale.units(node.observable) if on.plus]:  # a multiple is one in the unit that was reported
            zero = 2 * (number.denominator - number.numerator)
            tick += f" + {case(*((f'{name}_unit = {on.number}', str(on.plus * zero)) for on in shifted), otherwise='0')}"
        found = compared(edge.operator, tick, lo, hi)
        if number != 1 or edge.operator[0] != (">" if upper else "<"):
            return found
        beyond = LEVELS.index("elevated" if upper else "low")
        within = [level for level in range(len(LEVELS)) if level != beyond]
        words = [(f"{name}_word = {beyond}", "TRUE")]
        if edge.operator in ("<", ">"):
            words.append((among(f"{name}_word", within), "FALSE"))
        return case(*words, otherwise=found)

    def _present(self, node: rules.Present) -> str:
        column = self.layout.columns[node.observable]
        name = f"{_at(node.at)}{node.observable}"
        bits = {value: 1 << place for place, value in enumerate(column.values)}
        accepted = sum(bit for value, bit in bits.items() if value in node.accepted)
        pairs = [(f"({name}_is & {accepted}) <> 0", "TRUE")]
        if column.observable.default:
            pairs.append((f"{name}_is = {bits[column.observable.negative]}", "FALSE"))
        else:
            pairs.append((f"{name}_is IS NOT NULL", "FALSE"))
        if node.stated:  # what is not stated does not count; what is pending is not yet known
            pairs.append((f"{name}_is IS NULL AND {name}_pending IS NOT TRUE", "FALSE"))
        return case(*pairs)

    def points(self, node: rules.Points) -> Range:
        """The least and the most that a term can add, by bins in ascending order."""
        parts = [self.status(child) for child in node.children]
        numbers = [int(points * self.per_unit) for points in node.points]
        pairs = list(zip(parts, numbers, strict=True))[::-1]
        least = case(*((part, str(number)) for part, number in pairs), otherwise="0")
        most = "0"
        for part, number in reversed(pairs):
            most = case((f"NOT {part}", most), otherwise=str(number))
        return Range(least, most) if numbers[-1] > 0 else Range(most, least)

    def linear(self, node: rules.Linear) -> Range:
        """A term that is a multiple of a quantity."""
        on = scale.unitary(node.observable, node.unit)
        factor = abs(node.coefficient) * self.per_unit / (2 * on.times * scale.MICRO)
        assert factor.denominator == 1
        name = node.observable
        lo, hi = f"{name}_lo", f"{name}_hi"
        if len({each.group for each in scale.units(name)}) > 1:
            alike = among(f"{name}_unit", [each.number for each in scale.units(name) if each.group == on.group])
            lo, hi = (case((alike, end)) for end in (lo, hi))
        ends = Range(
            f"CAST({lo} - {lo} % 2 AS {self.wide}) * {factor}",
            f"CAST({hi} + {hi} % 2 AS {self.wide}) * {factor}",
            f"({lo} % 2 = 1)",
            f"({hi} % 2 = 1)",
        )
        return ends if node.coefficient >= 0 else Range(f"-({ends.hi})", f"-({ends.lo})", ends.hi_open, ends.lo_open)

    def _score_against(self, node: rules.Score, total: Range) -> str:
        edge = node.cutoff * self.per_unit
        assert edge.denominator == 1
        if not any(isinstance(term, rules.Linear) for term in node.children):
            return compared(node.operator, str(edge), total.lo, total.hi)
        lo = f"2 * {total.lo} + {case((str(total.lo_open), '1'), otherwise='0')}"
        hi = f"2 * {total.hi} - {case((str(total.hi_open), '1'), otherwise='0')}"
        return compared(node.operator, str(2 * edge.numerator), f"({lo})", f"({hi})")

    def _ratio(self, node: rules.Ratio) -> str:
        over, under = ((scale.unitary(name, unit), name) for name, unit in zip(node.observables, node.units, strict=True))
        found = self._quotient(node.operator, node.number, over, under, "")
        return case((joined([*_convertible(node), _of_one_day(node)], "AND"), found))

    def _change(self, node: rules.Change) -> str:
        """Now over before; by any amount where there is no natural zero."""
        now, before = node.observable, f"{_at(node.against)}{node.observable}"
        on = scale.units(node.observable)
        if not observables.get(node.observable).proportional:
            if node.number != 1:
                return UNKNOWN
            rose, fell = f"{now}_lo > {before}_hi", f"{now}_hi < {before}_lo"
            same = f"{now}_lo = {now}_hi AND {before}_lo = {before}_hi AND {now}_lo = {before}_lo"
            met, other = (fell, rose) if node.falls else (rose, fell)
            return truth(met, f"{other} OR ({same})")
        alike = [
            joined((among(f"{which}_unit", [each.number for each in on if each.group == group]) for which in (now, before)), "AND")
            for group in dict.fromkeys(each.group for each in on)
        ]
        found = self._quotient(node.operator, node.number, (on[0], now), (on[0], node.observable), _at(node.against))
        return found if len(alike) == 1 else case((joined(alike, "OR"), found))

    def _quotient(
        self, operator: Operator, number: Fraction, over: tuple[scale.Unitary, str], under: tuple[scale.Unitary, str], at: str
    ) -> str:
        """One quantity over another against a number, multiplied out; what is below may be anything from nothing up."""
        (above, name), (below, other) = over, under
        other = f"{at}{other}"
        factor = number * above.times / below.times
        lo, lo_open = _whole(f"{name}_lo", -1)
        hi, hi_open = _whole(f"{name}_hi", 1)
        least, least_open = _whole(f"{other}_lo", -1)
        most, most_open = _whole(f"{other}_hi", 1)

        def times(end: str, by: int) -> str:
            return f"CAST({end} AS {self.wide}) * {2 * by}"

        low = f"{times(lo, factor.denominator)} + {case((f'{lo_open} OR {most_open}', '1'), otherwise='0')}"
        high = f"{times(hi, factor.denominator)} - {case((f'{hi_open} OR {least_open}', '1'), otherwise='0')}"
        against_low, against_high = (
            times(most, factor.numerator),
            f"CASE WHEN {least} > 0 THEN {times(least, factor.numerator)} END",
        )
        first, second = _WAYS[operator]
        if operator[0] == ">":
            met, not_met = f"{low} {first} {against_low}", f"{high} {second} {against_high}"
        else:
            met, not_met = f"{high} {first} {against_high}", f"{low} {second} {against_low}"
        return case((f"{other}_hi = 0 OR {other}_hi IS NULL AND {other}_lo IS NULL", UNKNOWN), (met, "TRUE"), (not_met, "FALSE"))

    def ratio_ends(self, node: rules.Ratio) -> tuple[str, str]:
        """What is known of a ratio, for people to read."""
        (over, under), units = node.observables, node.units
        above, below = (scale.unitary(name, unit).times for name, unit in zip(node.observables, units, strict=True))

        def divided(end: str, by: str) -> str:
            return f"CASE WHEN {by} > 0 THEN CAST({end} AS DOUBLE) * {below} / (CAST({by} AS DOUBLE) * {above}) END"

        lo = divided(_whole(f"{over}_lo", -1)[0], _whole(f"{under}_hi", 1)[0])
        known = " AND ".join([f"{over}_lo IS NOT NULL AND {under}_lo IS NOT NULL", *_convertible(node), _of_one_day(node)])
        return case((known, f"COALESCE({lo}, 0)")), case((known, divided(_whole(f"{over}_hi", 1)[0], _whole(f"{under}_lo", -1)[0])))


def _is_whole(node: Node) -> TypeGuard[rules.Logic | rules.AtLeast]:
    """True for a rule that is made of others."""
    return isinstance(node, (rules.Logic, rules.AtLeast))


def _convertible(node: rules.Ratio) -> list[str]:
    """That the values of a ratio are in units that convert into its own; nothing where all do."""
    found = []
    for name, unit in zip(node.observables, node.units, strict=True):
        every, group = scale.units(name), scale.unitary(name, unit).group
        alike = [each.number for each in every if each.group == group]
        if len(alike) < len(every):
            found.append(among(f"{name}_unit", alike))
    return found


def _of_one_day(node: rules.Ratio) -> str:
    """That both values of a ratio are of the same day, as they were published."""
    over, under = (whole_day(f"{name}_at") for name in node.observables)
    return f"{over} = {under}"


def _whole(end: str, way: int) -> tuple[str, str]:
    """The number of an end, and whether the end is open."""
    return f"({end} {'+' if way > 0 else '-'} {end} % 2)", f"{end} % 2 = 1"


def _at(moment: rules.At) -> str:
    return f"{moment}_" if moment else ""


def count_met(parts: Iterable[str]) -> str:
    """How many are true."""
    return "(" + " + ".join(case((part, "1"), otherwise="0") for part in parts) + ")"


def count_possible(parts: Iterable[str]) -> str:
    """How many are true or unknown."""
    return "(" + " + ".join(case((f"NOT {part}", "0"), otherwise="1") for part in parts) + ")"


def _common(verdict: Node) -> int:
    """The least number that makes all points, and all multiples of quantities, whole numbers."""
    if not isinstance(verdict, rules.Score):
        return 1
    found = [verdict.cutoff.denominator]
    for term in verdict.children:
        if isinstance(term, rules.Points):
            found += [points.denominator for points in term.points]
        else:
            on = scale.unitary(term.observable, term.unit)
            found.append((term.coefficient / (2 * on.times * scale.MICRO)).denominator)
    return lcm(*found)

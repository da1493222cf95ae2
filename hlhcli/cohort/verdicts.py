"""From what is known at each anchor to the rows of the output: comparisons, items, counts or scores, verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hlhcli.cohort.columns import Rules, count_met, count_possible
from hlhcli.cohort.dialects import DAY, Dialect
from hlhcli.cohort.form import FIXED
from hlhcli.cohort.layout import Layout
from hlhcli.cohort.shown import deciding
from hlhcli.cohort.sql import case, commented, joined, quoted, select
from hlhcli.rules import CriteriaSet, Linear, Logic, Node, Points, Ratio, Score, item_id, leaves


def item_ids(sets: Sequence[CriteriaSet]) -> list[str]:
    """The ids of the items of all sets, each once."""
    return list(dict.fromkeys(item_id(node) for each in sets for node in each.items))


def columns_of(sets: Sequence[CriteriaSet]) -> list[str]:
    """The columns of the output, in their order."""
    return [*FIXED, *(column for name in item_ids(sets) for column in (name, f"{name}_value", f"{name}_time"))]


class Verdicts:
    """One set of criteria."""

    def __init__(self, criteria: CriteriaSet, layout: Layout, dialect: Dialect, known: str, days: bool) -> None:
        self.criteria = criteria
        self.dialect = dialect
        self.rules = Rules(criteria, layout, dialect.wide)
        self.known = known
        self.days = days
        self.name = criteria.id.replace("-", "_")

    def steps(self) -> Iterator[tuple[str, str]]:
        """Comparisons, terms of a score, items, and the verdict, each step a CTE."""
        verdict = self.criteria.verdict
        terms = verdict.children if isinstance(verdict, Score) else ()
        points = [column for term in terms for column in self._term(term)]
        items = [
            f"{self.rules.item(node)} AS {quoted(item_id(node) + '?')}" for node in (*self.criteria.asides, *self.criteria.items)
        ]
        totals = self._totals(terms)
        shown = [self._shown(node) for node in self.criteria.items]
        population = self._applicable()
        decides = self.rules.verdict(verdict)
        leaves = [f"{sql} AS {column}{commented(phrase)}" for column, (sql, phrase) in self.rules.leaves.items()]
        before = self.known
        counts = [*self._counted(), *(by for each, _ in shown for by in each)]
        parts = [(f"parts_{step}", columns) for step, columns in enumerate(self.rules.parts(), start=1)]
        for suffix, columns in (("rules", leaves), *parts, ("terms", points), ("items", [*items, *totals]), ("counts", counts)):
            if columns:
                yield f"{self.name}_{suffix}", select(["*", *columns], f"FROM {before}")
                before = f"{self.name}_{suffix}"
        columns = [f'{decides} AS "verdict?"', f'{population} AS "applicable?"', *(column for _, each in shown for column in each)]
        yield f"{self.name}_verdict", select(["*", *columns], f"FROM {before}")

    def _term(self, term: Points | Linear) -> Iterator[str]:
        name = item_id(term)
        found = self.rules.points(term) if isinstance(term, Points) else self.rules.linear(term)
        yield f"{found.lo} AS {quoted(f'{name} min')}"
        yield f"{found.hi} AS {quoted(f'{name} max')}"
        if found.lo_open:
            yield f"{found.lo_open} AS {quoted(f'{name} min open')}"
            yield f"{found.hi_open} AS {quoted(f'{name} max open')}"

    def _totals(self, terms: Sequence[Points | Linear]) -> Iterator[str]:
        """The sum of the terms, and whether one of its ends is open."""
        if not terms:
            return
        for end in ("min", "max"):
            parts = " + ".join(quoted(f"{item_id(term)} {end}") for term in terms)
            yield f"{parts} AS {quoted(f'score {end}')}"
            is_open = [quoted(f"{item_id(term)} {end} open") for term in terms if isinstance(term, Linear)]
            if is_open:
                yield f"{joined(is_open, 'OR')} AS {quoted(f'score {end} open')}"

    def _counted(self) -> Iterator[str]:
        """How many of each group are met, and how many can be."""
        for group in self.criteria.groups:
            parts = [self.rules.status(child) for child in group.children]
            for column, count in zip(self.rules.counted(group), (count_met(parts), count_possible(parts)), strict=True):
                yield f"{count} AS {column}"

    def _shown(self, node: Node) -> tuple[list[str], list[str]]:
        """What decides an item: of several observables which of them, and then the text and the time."""
        found = deciding(node, self.rules)
        name = item_id(node)
        by = [f"{sql} AS {column}" for column, sql in found.by.items()]
        return by, [f"{found.text} AS {quoted(f'{name} value')}", f"{found.at} AS {quoted(f'{name} at')}"]

    def _applicable(self) -> str:
        population = self.criteria.population
        if population is None:
            return "TRUE"
        if population.when is None:
            return "CAST(NULL AS BOOLEAN)"
        status = self.rules.status(population.when)
        return status if population.sufficient else case((f"NOT {status}", "FALSE"))

    def rows(self, names: Sequence[str]) -> str:
        """The rows of the set, with the columns of all sets."""
        mine = {item_id(node) for node in self.criteria.items}
        columns = [
            "person_id",
            "anchor",
            f"'{self.criteria.id}' AS criteria",
            f"""{case(('"verdict?"', "'met'"), ('NOT "verdict?"', "'not_met'"), otherwise="'indeterminate'")} AS verdict""",
            *self._counts(),
            *self._score(),
            f"{self._by()} AS by",
            '"applicable?" AS applicable',
            f"{self._moment('moment')} AS anchor_time",
        ]
        for name in names:
            if name in mine:
                status = case((quoted(f"{name}?"), "'met'"), (f"NOT {quoted(f'{name}?')}", "'not_met'"), otherwise="'unknown'")
                columns.append(f"{status} AS {name}{commented(self._title(name))}")
                columns.append(f"{quoted(f'{name} value')} AS {name}_value")
                columns.append(f"{self._moment(quoted(f'{name} at'))} AS {name}_time")
            else:
                columns += [f"CAST(NULL AS VARCHAR) AS {name}", f"CAST(NULL AS VARCHAR) AS {name}_value"]
                columns.append(f"CAST(NULL AS {'DOUBLE' if self.days else 'TIMESTAMP'}) AS {name}_time")
        return select(columns, f"FROM {self.name}_verdict")

    def _moment(self, millis: str) -> str:
        """A moment in the output: a time, or a number of days."""
        return f"CAST({millis} AS DOUBLE) / {DAY}" if self.days else self.dialect.timestamp(millis)

    def _title(self, name: str) -> str:
        node = next(node for node in self.criteria.items if item_id(node) == name)
        phrases = [each.text for each in leaves(node)]
        return f"{node.about.title or name}: {'; '.join(dict.fromkeys(phrases))}"

    def _counts(self) -> list[str]:
        groups = self.criteria.groups
        if not groups:
            return [f"CAST(NULL AS INT) AS {name}" for name in ("met", "unknown", "required")]
        met, possible = (" + ".join(columns) for columns in zip(*(self.rules.counted(group) for group in groups), strict=True))
        required = groups[0].required if len(groups) == 1 else None
        return [
            f"CAST({met} AS INT) AS met",
            f"CAST({possible} - ({met}) AS INT) AS unknown",
            f"CAST({'NULL' if required is None else required} AS INT) AS required",
        ]

    def _score(self) -> list[str]:
        verdict = self.criteria.verdict
        if isinstance(verdict, Score):
            by = self.rules.per_unit
            ends = [quoted(f"score {end}") for end in ("min", "max")]
            texts = [f"CAST({end} AS DOUBLE)" + (f" / {by}" if by != 1 else "") for end in ends]
        elif (ratio := _ratio(verdict)) is not None:
            texts = list(self.rules.ratio_ends(ratio))
        else:
            texts = ["CAST(NULL AS DOUBLE)"] * 2
        return [f"{text} AS {name}" for text, name in zip(texts, ("score_min", "score_max"), strict=True)]

    def _by(self) -> str:
        """What brought the verdict: what suffices beside the count (or must not be), or the count."""
        groups, asides, verdict = self.criteria.groups, self.criteria.asides, self.criteria.verdict
        suffices = isinstance(verdict, Logic) and verdict.kind == "any"
        pairs = []
        for aside in asides:
            name = quoted(item_id(aside) + "?")
            decided = f'{name} AND "verdict?"' if suffices else f'NOT {name} AND NOT "verdict?"'
            pairs.append((decided, f"'{item_id(aside)}'"))
        counted = len(groups) == 1 and len(self.criteria.items) == len(groups[0].children)
        if counted:
            pairs.append(('NOT "verdict?" IS NULL', "'count'"))
        return f"CAST({case(*pairs)} AS VARCHAR)" if pairs else "CAST(NULL AS VARCHAR)"


def _ratio(node: Node) -> Ratio | None:
    """The ratio that a verdict is about."""
    if isinstance(node, Logic) and node.kind == "agree":
        return _ratio(node.children[0])
    return node if isinstance(node, Ratio) else None

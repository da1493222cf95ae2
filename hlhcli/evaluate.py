"""The reference evaluator: one rule on one snapshot, three-valued and exact. Every other evaluator must equal this one."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from hlhcli import observables, rules
from hlhcli.observations import NOT_STATED, Missing, Qualitative, Quantity
from hlhcli.outcome import ANYTHING, Known, Outcome, adds, compare
from hlhcli.quantity import Interval
from hlhcli.rules import Node
from hlhcli.status import Status, all_of, any_of, at_least

Marks = Mapping[str, Status]


def evaluate(node: Node, known: Known, marks: Marks) -> Outcome:
    """The result of `node` on what is `known`; a mark decides an item of which the observations leave the result open."""
    mark = marks.get(node.about.id, Status.UNKNOWN) if node.about.id else Status.UNKNOWN
    if isinstance(node, (rules.Logic, rules.AtLeast)):
        outcome = _combine(node, known, marks)
    elif isinstance(node, (rules.Score, rules.Points)):
        parts = tuple(evaluate(child, known, marks) for child in node.children)
        outcome = _sum(node, parts) if isinstance(node, rules.Score) else _points(node, parts)
    elif isinstance(node, rules.Change):
        from hlhcli.changes import changed  # most sets ask for no change, and every start pays for an import

        outcome = changed(node, known)
    else:
        outcome = compare(node, known)
    for caution in node.about.cautions:
        possible = evaluate(caution.when, known, {})
        if possible.status is not Status.NOT_MET and all(_comparable(leaf, known) for leaf in rules.leaves(caution.when)):
            outcome = _warn(outcome, caution.when, caution.say)
    if mark is Status.UNKNOWN:
        return outcome
    if outcome.status is Status.UNKNOWN:
        outcome = _contradicted(outcome, mark)._replace(status=mark, reported=True)
        if isinstance(node, rules.Points):
            marked = [points for points in _possible(node, outcome.children) if (points != 0) is (mark is Status.MET)]
            outcome = outcome._replace(range=_span(marked))
        return outcome
    if outcome.status is not mark:
        say = f"{mark} as reported, but the values say {outcome.status}: the values decide"
        outcome = outcome._replace(cautions=(*outcome.cautions, (f"reported.{node.about.id}", say)))
    return outcome


def _comparable(leaf: rules.Leaf, known: Known) -> bool:
    """True where what is known of the value was held against the number: no word such as `elevated`, no other assay."""
    values = [known[name].value if name in known else NOT_STATED for name in rules.asked(leaf)]
    if any(isinstance(value, (Missing, Qualitative)) for value in values):
        return False
    *_, value = values  # of a ratio what it is divided by
    if isinstance(leaf, rules.Ratio) and isinstance(value, Quantity):
        return value.interval.lo != 0
    if isinstance(leaf, rules.Threshold) and isinstance(value, Quantity):
        return any(value.unit.convertible(edge.unit) for edge in leaf.edges)
    return True


def _contradicted(outcome: Outcome, mark: Status) -> Outcome:
    """A word such as `normal` decides nothing by itself, but a mark that says the opposite deserves a warning."""
    for line in outcome.evidence:
        worse = "elevated" if observables.get(line.observable).worse == "high" else "low"
        means = {"normal": Status.NOT_MET, worse: Status.MET}.get((line.value or "").partition(",")[0])
        if means is ~mark:
            say = f"{mark} as reported, although {line.observable} is {line.value} here: the mark decides"
            outcome = outcome._replace(cautions=(*outcome.cautions, (f"reported.{outcome.node.about.id}", say)))
    return outcome


def _combine(node: rules.Logic | rules.AtLeast, known: Known, marks: Marks) -> Outcome:
    parts = tuple(evaluate(child, known, marks) for child in node.children)
    statuses = [part.status for part in parts]
    shown = parts
    measured: Interval | None = None
    cautions: tuple[tuple[str, str], ...] = ()
    if isinstance(node, rules.AtLeast):
        status = Status.UNKNOWN if node.required is None else at_least(node.required, statuses)
    elif node.kind == "all":
        status = all_of(statuses)
    elif node.kind == "any":
        status = any_of(statuses)
    elif node.kind == "not":
        (denied,) = statuses
        status = ~denied
    elif node.kind == "agree":
        status, shown = _agree(parts)
        ranges = {part.range for part in parts}
        measured = ranges.pop() if len(ranges) == 1 else None  # of one ratio under several cut-offs
    elif node.kind == "first_known":
        status, shown, cautions = _first_known(parts)
    else:
        status, shown = _choose(parts)
    evidence = tuple(line for part in shown for line in part.evidence)
    cautions += tuple(caution for part in shown for caution in part.cautions)
    return Outcome(node, status, parts, evidence, cautions, range=measured)


def _agree(parts: tuple[Outcome, ...]) -> tuple[Status, tuple[Outcome, ...]]:
    """What all say; where they differ, the evidence says so."""
    statuses = {part.status for part in parts}
    first, *_ = parts
    if len(statuses) == 1:
        return first.status, (first,)
    if Status.UNKNOWN in statuses:
        return Status.UNKNOWN, parts
    said = ", but ".join(f"{part.status} by {line.rule}" for part in parts for line in part.evidence)
    evidence = tuple(line._replace(status=Status.UNKNOWN, note=f"open: {said}") for line in first.evidence)
    return Status.UNKNOWN, (first._replace(evidence=evidence),)


def _points(node: rules.Points, parts: tuple[Outcome, ...]) -> Outcome:
    """A term of a score, by bins."""
    evidence = tuple(dict.fromkeys(line for part in parts for line in part.evidence))
    cautions = tuple(dict.fromkeys(caution for part in parts for caution in part.cautions))
    known = _span(_possible(node, parts))
    return Outcome(node, adds(known), parts, evidence, cautions, range=known)


def totals(outcome: Outcome) -> set[Fraction] | None:
    """Every sum that a score could have, given what is known; None where it is not made of points alone."""
    found = {Fraction(0)}
    for part in outcome.children:
        if not isinstance(part.node, rules.Points) or part.range is None:
            return None
        open_points = [
            p for p in _possible(part.node, part.children) if part.range.lo is None or part.range.lo <= p <= (part.range.hi or 0)
        ]
        found = {total + points for total in found for points in open_points}
    return found


def _possible(node: rules.Points, parts: tuple[Outcome, ...]) -> list[Fraction]:
    """The points of every part that may be met while none after it is."""
    possible = []
    for points, part in zip(reversed(node.points), reversed(parts), strict=True):
        if part.status is not Status.NOT_MET:
            possible.append(points)
        if part.status is Status.MET:
            return possible
    return [*possible, Fraction(0)]


def _span(numbers: list[Fraction]) -> Interval:
    return Interval(min(numbers), max(numbers))


def _sum(node: rules.Score, parts: tuple[Outcome, ...]) -> Outcome:
    ranges = [part.range or ANYTHING for part in parts]
    lows, highs = [each.lo for each in ranges], [each.hi for each in ranges]
    known = Interval(
        None if None in lows else sum(filter(None, lows), Fraction(0)),
        None if None in highs else sum(filter(None, highs), Fraction(0)),
        any(each.lo_open for each in ranges),
        any(each.hi_open for each in ranges),
    )
    evidence = tuple(line for part in parts for line in part.evidence)
    cautions = tuple(caution for part in parts for caution in part.cautions)
    return Outcome(node, known.compare(node.operator, node.cutoff), parts, evidence, cautions, range=known)


def _first_known(parts: tuple[Outcome, ...]) -> tuple[Status, tuple[Outcome, ...], tuple[tuple[str, str], ...]]:
    decided = [part for part in parts if part.status is not Status.UNKNOWN]
    if not decided:
        return Status.UNKNOWN, parts, ()
    first, *others = decided
    name = first.evidence[0].observable
    cautions = tuple(
        (line.observable, f"{name} is stated as {first.evidence[0].value}, although {line.value} would meet {line.rule}")
        for other in others
        for line in other.evidence
        if first.status is Status.NOT_MET and other.status is Status.MET
    )
    return first.status, (first, *(_unused(other, name) for other in others)), cautions


def _unused(part: Outcome, decides: str) -> Outcome:
    """What is known beside the part that decides: shown, without warnings of its own."""
    evidence = tuple(
        line._replace(note=f"not used: {decides} decides") for line in part.evidence if line.observable != decides and line.value
    )
    return part._replace(cautions=(), evidence=evidence)


def _choose(parts: tuple[Outcome, ...]) -> tuple[Status, tuple[Outcome, ...]]:
    condition, then, otherwise = parts
    if condition.status is Status.MET:
        return then.status, (then,)
    if condition.status is Status.NOT_MET:
        return otherwise.status, (otherwise,)
    if then.status is otherwise.status:
        return then.status, (otherwise,)
    return Status.UNKNOWN, (then, otherwise, condition)


def _warn(outcome: Outcome, at: Node, message: str) -> Outcome:
    return outcome._replace(cautions=(*outcome.cautions, (rules.asked(at)[0], message)))

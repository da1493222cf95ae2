"""The reference evaluator: one rule on one snapshot, three-valued and exact. Every other evaluator must equal this one."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from hlhcli import observables, rules
from hlhcli.entries import Observation
from hlhcli.observables import Unit
from hlhcli.observations import NOT_STATED, PENDING, Finding, Missing, Observed, Quantity
from hlhcli.quantity import decimal_text
from hlhcli.rules import Edge, Leaf, Node, Threshold
from hlhcli.status import Status, all_of, any_of, at_least

Known = Mapping[str, Observation]
Marks = Mapping[str, Status]


class Evidence(NamedTuple):
    """One comparison: what was observed (None: nothing), the rule it was held against, the result, and why."""

    observable: str
    value: str | None
    rule: str
    status: Status
    note: str | None = None


class Outcome(NamedTuple):
    """A node of the rule with its result. `reported`: no observation decided it, a mark of the authors did."""

    node: Node
    status: Status
    children: tuple[Outcome, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    cautions: tuple[tuple[str, str], ...] = ()  # the observable, or `reported.` and the id of an item; and the message
    reported: bool = False


def evaluate(node: Node, known: Known, marks: Marks) -> Outcome:
    """The result of `node` on what is `known`; a mark decides an item of which the observations leave the result open."""
    if isinstance(node, (rules.Threshold, rules.Present, rules.Stated)):
        outcome = _compare(node, known)
    else:
        outcome = _combine(node, known, marks)
    for caution in node.about.cautions:
        possible = evaluate(caution.when, known, {})
        if possible.status is not Status.NOT_MET and all(line.value is not None for line in possible.evidence):
            outcome = _warn(outcome, caution.when, caution.say)
    mark = marks.get(node.about.id) if node.about.id else None
    if mark is None or mark is Status.UNKNOWN:
        return outcome
    if outcome.status is Status.UNKNOWN:
        return _contradicted(outcome, mark)._replace(status=mark, reported=True)
    if outcome.status is not mark:
        say = f"{mark} as reported, but the values say {outcome.status}: the values decide"
        outcome = outcome._replace(cautions=(*outcome.cautions, (f"reported.{node.about.id}", say)))
    return outcome


def _contradicted(outcome: Outcome, mark: Status) -> Outcome:
    """A word such as `normal` decides nothing by itself, but a mark that says the opposite deserves a warning."""
    for line in outcome.evidence:
        worse = "elevated" if observables.get(line.observable).worse == "high" else "low"
        means = {"normal": Status.NOT_MET, worse: Status.MET}.get(line.value or "")
        if means is ~mark:
            say = f"{mark} as reported, although {line.observable} is {line.value} here: the mark decides"
            outcome = outcome._replace(cautions=(*outcome.cautions, (f"reported.{outcome.node.about.id}", say)))
    return outcome


def _combine(node: Node, known: Known, marks: Marks) -> Outcome:
    parts = tuple(evaluate(child, known, marks) for child in rules.children(node))
    statuses = [part.status for part in parts]
    shown = parts
    cautions: tuple[tuple[str, str], ...] = ()
    match node:
        case rules.All():
            status = all_of(statuses)
        case rules.Any():
            status = any_of(statuses)
        case rules.Not():
            status = ~statuses[0]
        case rules.AtLeast():
            status = at_least(node.required, statuses)
        case rules.FirstKnown():
            status, shown, cautions = _first_known(parts)
        case _:
            status, shown = _choose(parts)
    evidence = tuple(line for part in shown for line in part.evidence)
    cautions += tuple(caution for part in shown for caution in part.cautions)
    return Outcome(node, status, parts, evidence, cautions)


def _first_known(parts: tuple[Outcome, ...]) -> tuple[Status, tuple[Outcome, ...], tuple[tuple[str, str], ...]]:
    decided = [part for part in parts if part.status is not Status.UNKNOWN]
    if not decided:
        return Status.UNKNOWN, parts, ()
    first, *others = decided
    stated = f"{first.evidence[0].observable} is stated as {first.evidence[0].value}"
    cautions = tuple(
        (line.observable, f"{stated}, although {line.value} would meet {line.rule}")
        for other in others
        for line in other.evidence
        if first.status is Status.NOT_MET and other.status is Status.MET
    )
    return first.status, (first, *map(_unused, others)), cautions


def _unused(part: Outcome) -> Outcome:
    """What is known beside the part that decides: shown, without warnings of its own."""
    evidence = tuple(line._replace(note="not used: a stated finding decides") for line in part.evidence)
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


def _compare(node: Leaf, known: Known) -> Outcome:
    observation = known.get(node.observable)
    value: Observed = observation.value if observation else NOT_STATED
    caution: str | None = None
    shown: str | None = None
    if isinstance(node, rules.Stated):
        status, note = _stated(value)
    elif isinstance(value, Missing):
        status, note = Status.UNKNOWN, value.text
    elif isinstance(node, rules.Present):
        status, note = _present(node, value)
    else:
        status, note, caution = _threshold(node, value)
    if not isinstance(value, Missing):
        shown = value.text
    said = [part for part in (note, observation and observation.doubt, observation and observation.note) if part]
    evidence = Evidence(node.observable, shown, node.text, status, "; ".join(said) or None)
    return Outcome(node, status, (), (evidence,), ((node.observable, caution),) if caution else ())


def _stated(value: Observed) -> tuple[Status, str | None]:
    if isinstance(value, Finding):
        return (Status.MET if "yes" in value.values else Status.NOT_MET), None
    if isinstance(value, Missing) and value.text == PENDING:
        return Status.UNKNOWN, value.text
    return Status.NOT_MET, f"{value.text}; the count decides"


def _present(node: rules.Present, value: Observed) -> tuple[Status, str | None]:
    assert isinstance(value, Finding)
    if value.values & node.accepted:
        site = observables.get(node.observable).default
        return Status.MET, f"site not stated, read as {site}" if site and value.text == "yes" else None
    if value.values == {observables.get(node.observable).negative}:
        return Status.NOT_MET, None
    return Status.UNKNOWN, f"found in {value.text} only, which this set does not list"


def _threshold(node: Threshold, value: Observed) -> tuple[Status, str | None, str | None]:
    """Status, note and caution of a quantity against a cut-off."""
    if not isinstance(value, Quantity):
        return Status.UNKNOWN, f"reported as {value.text} without a number", None
    edge = _edge_for(node, value.unit)
    if not value.unit.convertible(edge.unit):
        return Status.UNKNOWN, _not_comparable(value, edge), None
    interval = value.unit.convert(value.interval, edge.unit)
    status = interval.compare(edge.operator, edge.number)
    note = None
    if status is Status.UNKNOWN:
        note = "what is known of the value lies on both sides of the cut-off"
    elif interval.is_point and interval.lo == edge.number:
        note = "equals the cut-off"
    elif interval.is_point and interval.lo is not None and abs(interval.lo - edge.number) <= _last_place(value, edge.unit):
        note = "within rounding of the cut-off; compared without rounding"
    return status, note, _edges_disagree(node, value, edge, status)


def _edge_for(node: Threshold, unit: Unit) -> Edge:
    """The edge printed in the reported unit, or in a power of ten of it, else the first that is printed."""
    if len(node.edges) == 1:
        return node.edges[0]
    same = [edge for edge in node.edges if edge.unit.name == unit.name]
    return (same or [edge for edge in node.edges if edge.unit.same_scale(unit)] or node.edges)[0]


def _not_comparable(value: Quantity, edge: Edge) -> str:
    note = f"{value.unit.name} ({value.unit.apart}) cannot be converted into {edge.unit.name}"
    limit = value.reference.hi if value.reference else None
    lo, hi = value.interval.lo, value.interval.hi
    if not limit:
        return note
    ends = [decimal_text(end / limit, 1) if end else None for end in (lo, hi)]
    if value.interval.is_point:
        ratio = ends[0]
    elif None in ends:
        ratio = f"at least {ends[0]}" if ends[0] else f"at most {ends[1]}"
    else:
        ratio = " to ".join(map(str, ends))
    return f"{note}; {ratio} × the laboratory's upper limit of {decimal_text(limit, 4)} {value.unit.name}"


def _last_place(value: Quantity, unit: Unit) -> Fraction:
    """What one step of the last written digit is in `unit`; nothing where no conversion took place."""
    if value.unit is unit or value.unit.factor == unit.factor:
        return Fraction(0)
    digits = value.text.split()[0].partition(".")[2]
    return Fraction(1, 10 ** len(digits)) * value.unit.factor / unit.factor


def _edges_disagree(node: Threshold, value: Quantity, used: Edge, status: Status) -> str | None:
    for edge in node.edges:
        if edge is not used and value.unit.convertible(edge.unit):
            other = value.unit.convert(value.interval, edge.unit).compare(edge.operator, edge.number)
            if other is not status:
                ours = f"{value.text} is {status} by the printed cut-off {used.text}"
                return f"{ours}, but {other} by the printed {edge.text}; the reported unit decides"
    return None


def _warn(outcome: Outcome, at: Node, message: str) -> Outcome:
    return outcome._replace(cautions=(*outcome.cautions, (next(rules.leaves(at)).observable, message)))

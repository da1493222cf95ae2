"""One comparison: a quantity, finding, genotype or ratio against what a rule says of it, three-valued and exact."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from hlhcli import observables, rules
from hlhcli.observables import MOLECULAR, Unit
from hlhcli.observations import NOT_STATED, PENDING, Finding, Missing, Observation, Observed, Qualitative, Quantity
from hlhcli.phrases import LIMITS
from hlhcli.quantity import Interval, decimal_text, point, range_text
from hlhcli.rules import Edge, Momentary, Node, Threshold
from hlhcli.status import Status

Known = Mapping[str, Observation]
ANYTHING = Interval(None, None)
_NOW = (rules.Genotype, rules.Linear)  # what is never asked of the past


class Evidence(NamedTuple):
    """One comparison: what was observed (None: nothing), the rule it was held against, the result, and why."""

    observable: str
    value: str | None
    rule: str
    status: Status
    note: str | None = None
    on_edge: bool = False  # the value equals the cut-off, or lies within rounding of it


class Outcome(NamedTuple):
    """A node of the rule with its result. `reported`: no observation decided it, a mark of the authors did.

    `range`: what is known of a score, of a term of it, or of a ratio. A term is met if it adds to the score, not met if it adds
    nothing.
    """

    node: Node
    status: Status
    children: tuple[Outcome, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    cautions: tuple[tuple[str, str], ...] = ()  # the observable, or `reported.` and the id of an item; and the message
    reported: bool = False
    range: Interval | None = None


def compare(node: Momentary, known: Known) -> Outcome:
    """The result of one comparison on what is `known`."""
    if isinstance(node, rules.Ratio):
        return _ratio(node, known)
    observation = known.get(node.observable if isinstance(node, _NOW) or not node.at else f"{node.at}.{node.observable}")
    value: Observed = observation.value if observation else NOT_STATED
    caution: str | None = None
    on_edge = False
    measured: Interval | None = None
    if isinstance(node, rules.Genotype):
        status, note = _genotype(node, value, known)
        caution = _without_variants(value, known)
    elif isinstance(node, rules.Word):
        stated = isinstance(value, Qualitative) and value.level == node.level
        status, note = (Status.MET, None) if stated else (Status.UNKNOWN, f"not stated as {node.level}")
    elif isinstance(node, rules.Linear):
        status, note, measured = _linear(node, value)
    elif isinstance(value, Missing):
        counts_if_stated = isinstance(node, rules.Present) and node.stated
        status, note = _not_stated(value) if counts_if_stated else (Status.UNKNOWN, value.text)
    elif isinstance(node, rules.Present):
        status, note = _present(node, value)
    else:
        status, note, caution, on_edge = _threshold(node, value)
    evidence = Evidence(node.observable, _shown(value), node.text, status, _said(note, observation), on_edge)
    return Outcome(
        node,
        status,
        (),
        (evidence,),
        ((MOLECULAR if isinstance(node, rules.Genotype) else node.observable, caution),) if caution else (),
        range=measured,
    )


def _shown(value: Observed) -> str | None:
    return None if isinstance(value, Missing) else value.text


def _said(note: str | None, observation: Observation | None) -> str | None:
    said = [part for part in (note, observation and observation.doubt, observation and observation.note) if part]
    return "; ".join(said) or None


def _not_stated(value: Missing) -> tuple[Status, str | None]:
    """A finding that counts only where it is stated: without a statement it is not met, but pending is not yet known."""
    if value.text == PENDING:
        return Status.UNKNOWN, value.text
    return Status.NOT_MET, f"{value.text}; the count decides"


def _present(node: rules.Present, value: Observed) -> tuple[Status, str | None]:
    assert isinstance(value, Finding)
    observable = observables.get(node.observable)
    if value.values & node.accepted:
        site = observable.default
        return Status.MET, f"site not stated, read as {site}" if site and value.text == "yes" else None
    if value.values == {observable.negative} or not observable.default:
        return Status.NOT_MET, None
    return Status.UNKNOWN, f"found in {value.text} only, which this set does not list"


def _genotype(node: rules.Genotype, value: Observed, known: Known) -> tuple[Status, str | None]:
    """Variants that are known decide; a diagnosis that is pending leaves it open."""
    from hlhcli.genetics import UNTESTED, Genes, amounts_to  # few patients have genetics, and every start pays for an import

    note: str | None = "not stated; the count decides"
    if isinstance(value, Genes):
        possible, note = amounts_to(value.genetics, node.genes)
        if "negative" in node.findings and UNTESTED in possible - node.findings:
            return Status.UNKNOWN, f"not all of {', '.join(node.genes)} were tested"
        if possible & node.findings:
            return (Status.MET if possible <= node.findings else Status.UNKNOWN), note
        note = f"not all of {', '.join(node.genes)} were tested" if UNTESTED in possible else None
    stated = known.get(MOLECULAR)
    if stated and stated.value == Missing(PENDING):
        return Status.UNKNOWN, PENDING
    return Status.NOT_MET, note


def _without_variants(value: Observed, known: Known) -> str | None:
    """A molecular diagnosis that is stated without its variants does not count here, which must not be overlooked."""
    stated = known.get(MOLECULAR)
    if (
        stated is None
        or not isinstance(stated.value, Finding)
        or "yes" not in stated.value.values
        or not isinstance(value, Missing)
    ):
        return None
    return "a molecular diagnosis is stated, but not its variants, and this set reads nothing else: write them under 'genetics'"


def _measured(value: Observed, unit: Unit) -> tuple[Interval | None, str | None]:
    """What is known of a number in `unit`, or why nothing is."""
    if isinstance(value, Missing):
        return None, value.text
    if not isinstance(value, Quantity):
        return None, f"reported as {value.text} without a number"
    if not value.unit.convertible(unit):
        return None, f"{value.unit.name} ({value.unit.apart}) cannot be converted into {unit.name}"
    return value.unit.convert(value.interval, unit), None


def _linear(node: rules.Linear, value: Observed) -> tuple[Status, str | None, Interval]:
    interval, note = _measured(value, node.unit)
    if interval is None:
        return Status.UNKNOWN, note, ANYTHING
    known = interval.scaled(abs(node.coefficient))
    if node.coefficient < 0:
        known = Interval(known.hi and -known.hi, known.lo and -known.lo, known.hi_open, known.lo_open)
    return adds(known), note, known


def _ratio(node: rules.Ratio, known: Known) -> Outcome:
    """One quantity over another; what is below may be anything from nothing up, and over nothing there is no ratio."""
    observations = [known.get(name) for name in node.observables]
    values: list[Observed] = [each.value if each else NOT_STATED for each in observations]
    (over, why), (under, why_not) = (_measured(value, unit) for value, unit in zip(values, node.units, strict=True))
    notes = [why, why_not]
    ratio = ANYTHING
    days = {one.day // 1 for one in observations if one is not None and one.day is not None}
    if len(days) > 1:
        over = under = None
        notes = ["the values are of different days: no ratio"] * 2
    if under is not None and under.hi is not None and under.hi <= 0:
        notes[1] = f"{node.observables[1]} is 0: the ratio is undefined"
    elif over is not None and under is not None:
        lo = Fraction(0) if over.lo is None or under.hi is None else over.lo / under.hi
        hi = None if over.hi is None or not under.lo else over.hi / under.lo
        ratio = Interval(
            lo, lo if over.is_point and under.is_point else hi, over.lo_open or under.hi_open, over.hi_open or under.lo_open
        )
        notes[0] = f"the ratio is {range_text(ratio)}"
    status = ratio.compare(node.operator, node.number)
    if ratio == point(node.number):
        notes[0] = f"{notes[0]}, equal to the cut-off"
    evidence = tuple(
        Evidence(name, _shown(value), node.text, status, _said(note, observation))
        for name, value, note, observation in zip(node.observables, values, notes, observations, strict=True)
    )
    return Outcome(node, status, (), evidence, range=ratio)


def _threshold(node: Threshold, value: Observed) -> tuple[Status, str | None, str | None, bool]:
    """Status, note and caution of a quantity against a cut-off, and whether it lies on the edge."""
    edge = edge_for(node, value.unit) if isinstance(value, Quantity) else node.edges[0]
    if edge.unit.name in LIMITS:
        return (*_by_limit(edge, value), None, False)
    if not isinstance(value, Quantity):
        return Status.UNKNOWN, f"reported as {value.text} without a number", None, False
    if not value.unit.convertible(edge.unit):
        return Status.UNKNOWN, _not_comparable(value, edge), None, False
    interval = value.unit.convert(value.interval, edge.unit)
    status = interval.compare(edge.operator, edge.number)
    note = None
    if status is Status.UNKNOWN:
        note = "what is known of the value lies on both sides of the cut-off"
    elif interval.is_point and interval.lo == edge.number:
        note = "equals the cut-off"
    elif interval.is_point and interval.lo is not None and abs(interval.lo - edge.number) <= _last_place(value, edge.unit):
        note = "within rounding of the cut-off; compared without rounding"
    return status, note, _edges_disagree(node, value, edge, status), bool(note) and status is not Status.UNKNOWN


def _by_limit(edge: Edge, value: Observed) -> tuple[Status, str | None]:
    """A cut-off in multiples of the laboratory's own limit; a word such as `elevated` says on which side of it the value is."""
    upper = edge.unit.name == "ULN"
    if isinstance(value, Qualitative):
        if not value.level:
            return Status.UNKNOWN, f"reported as {value.text} without a number"
        beyond = value.level == ("elevated" if upper else "low")
        if edge.number == 1 and edge.operator[0] == (">" if upper else "<") and (beyond or edge.operator in ("<", ">")):
            return (Status.MET if beyond else Status.NOT_MET), None
        return Status.UNKNOWN, f"reported as {value.text} without a number"
    assert isinstance(value, Quantity)
    limit = value.reference and (value.reference.hi if upper else value.reference.lo)
    if not limit:
        return Status.UNKNOWN, f"the laboratory's {'upper' if upper else 'lower'} limit is not stated"
    status = value.interval.scaled(1 / limit).compare(edge.operator, edge.number)
    return status, f"the laboratory's limit is {decimal_text(limit, 4)} {value.unit.name}"


def edge_for(node: Threshold, unit: Unit) -> Edge:
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
    """What half a step of the last written digit is in `unit`; nothing where no conversion took place."""
    if value.unit is unit or value.unit.factor == unit.factor:
        return Fraction(0)
    digits = value.text.split()[0].partition(".")[2]
    return Fraction(1, 2 * 10 ** len(digits)) * value.unit.factor / unit.factor


def _edges_disagree(node: Threshold, value: Quantity, used: Edge, status: Status) -> str | None:
    for edge in node.edges:
        if edge is not used and value.unit.convertible(edge.unit):
            other = value.unit.convert(value.interval, edge.unit).compare(edge.operator, edge.number)
            if other is not status:
                ours = f"{value.text} is {status} by the printed cut-off {used.text}"
                return f"{ours}, but {other} by the printed {edge.text}; the reported unit decides"
    return None


def adds(known: Interval) -> Status:
    """Met if the term adds to the score (or takes off), not met if it is nothing, else unknown."""
    if known == point(0):
        return Status.NOT_MET
    return Status.MET if Status.MET in (known.compare(">", Fraction(0)), known.compare("<", Fraction(0))) else Status.UNKNOWN

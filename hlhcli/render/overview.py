"""Several sets of criteria side by side: verdicts by set and time point, where they differ and why, what to test next."""

from __future__ import annotations

from typing import NamedTuple

from hlhcli.api import Result
from hlhcli.assessment import COUNT, Assessment, Item
from hlhcli.disagreement import Comparison, Disagreement, Step
from hlhcli.errors import printable
from hlhcli.quantity import range_text
from hlhcli.render.grid import test_name
from hlhcli.status import Status

_LEGEND = [
    ("open", "open: indeterminate; what is unknown could still change it"),
    ("n/a (", "n/a: not made for this patient; what it would say stands in brackets"),
    ("by values ", "by values: what the values alone say, without the marks that are reported"),
    (" !", "!: rests on a doubtful value, see Warnings"),
    ("? (", "?: the file does not say whether it was made for this patient"),
]
_ORDER = {True: 0, None: 1, False: 2}  # sets that were made for this patient come first


class Overview(NamedTuple):
    """A row for each set with a cell for each time point, and what is to be said below."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, Status], ...]], ...]
    remarks: tuple[str, ...]


def overview(result: Result) -> Overview:
    """The sets side by side; there must be more than one."""
    comparisons = result.comparisons
    rows = []
    for place, assessment in enumerate(comparisons[0].assessments):
        cells = tuple((_cell(each.assessments[place]), each.assessments[place].status) for each in comparisons)
        rank = min(_ORDER[each.assessments[place].applicable] for each in comparisons)
        rows.append((rank, (assessment.criteria.id, cells)))
    ordered = tuple(row for _, row in sorted(rows, key=lambda each: each[0]))
    remarks = [legend for mark, legend in _LEGEND if any(mark in text for _, cells in ordered for text, _ in cells)]
    remarks += dict.fromkeys(f"{a.criteria.id}: {a.not_applicable}" for a in comparisons[0].assessments if a.not_applicable)
    for each in comparisons:
        remarks += [_disagreement(one) for one in each.disagreements if one.contradicts and one.other.applicable is not False]
        remarks += _next(each)
    return Overview(tuple(printable(each.timepoint) for each in comparisons), ordered, tuple(map(printable, remarks)))


def _word(status: Status) -> str:
    return "open" if status is Status.UNKNOWN else str(status)


def _cell(assessment: Assessment) -> str:
    words = _word(assessment.status)
    count = assessment.count
    if assessment.by not in (None, COUNT) and assessment.by:
        words += f" by {assessment.by.replace('_', ' ')}"
    elif count and count.of == len(assessment.items):
        words += f", {count.text} of {count.of}"
    elif (known := assessment.score) and (known.lo, known.hi) != (None, None):
        words += f", {range_text(known)}"
    if assessment.by_values and assessment.by_values.status is not assessment.status:
        words += f"; by values {_word(assessment.by_values.status)}"
    words += " !" * bool(assessment.doubtful)
    marks = {True: words, False: f"n/a ({words})", None: f"? ({words})"}
    return marks[assessment.applicable]


def _disagreement(each: Disagreement) -> str:
    first, other = each.first, each.other
    here, there = first.criteria.id, other.criteria.id
    needed = [a.count.required if a.count else None for a in (first, other)]
    parts = [f"{needed[1]} needed instead of {needed[0]}"] * (None not in needed and needed[0] != needed[1])
    parts += [_difference(item.here, item.there, there) for item in each.items if item.here and item.there]
    only = [(here, [item.here for item in each.items if item.here and not item.there])]
    only += [(there, [item.there for item in each.items if item.there and not item.here])]
    parts += [f"only in {name}: {', '.join(f'{item.title} ({item.status})' for item in items)}" for name, items in only if items]
    verdicts = [a.verdict.replace("_", " ") for a in (first, other)]
    return f"{first.timepoint}: {here} {verdicts[0]}, {there} {verdicts[1]}: {'; '.join(parts)}".removesuffix(": ")


def _difference(here: Item, there: Item, name: str) -> str:
    deciding = next((line for line in there.evidence if line.value is not None), None)
    rule = f" ({deciding.rule}; {deciding.value})" if deciding else ""
    said = [f"{item.status}{' as reported' if item.reported else ''}" for item in (here, there)]
    other = f"{there.title} {said[1]}" if there.title != here.title else said[1]  # the same id may ask for something else there
    return f"{here.title} {said[0]}, but {other} in {name}{rule}"


def _next(each: Comparison) -> list[str]:
    """One line: what could settle most of the open verdicts, and what could settle all of them."""
    if not each.next_tests:
        return []
    best = each.next_tests[0]
    ways = [f"{len(ids)} {word}" for ids, word in ((best.met, "met"), (best.not_met, "not met")) if ids]
    said = f"{each.timepoint}: next: {_tests(best, each)}: of {each.open_verdicts} open verdicts it could make {' or '.join(ways)}"
    if each.all_open and best.most < each.open_verdicts:
        said += f"; all of them could be settled by {_tests(each.all_open, each)}"
    return [said]


def _tests(step: Step, each: Comparison) -> str:
    return " + ".join(test_name(name, each.assessments[0]) for name in step.observables)

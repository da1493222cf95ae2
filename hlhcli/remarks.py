"""What is said beside a verdict: of findings that decide without being counted, of edges, of what stands for something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hlhcli import observables
from hlhcli.evaluate import evaluate
from hlhcli.observations import Missing
from hlhcli.outcome import Outcome
from hlhcli.quantity import number_text, point, range_text
from hlhcli.rules import CriteriaSet, Logic, Report
from hlhcli.snapshot import Snapshot
from hlhcli.status import Status, at_least

if TYPE_CHECKING:
    from hlhcli.assessment import Count, ReportedVerdict


def of_asides(outcome: Outcome, asides: tuple[Outcome, ...], groups: tuple[Count, ...]) -> list[str]:
    """What is to be said of the findings that decide beside the count."""
    notes = []
    suffices = isinstance(outcome.node, Logic) and outcome.node.kind == "any"
    for aside in asides:
        line, about = aside.evidence[0], aside.node.about
        name = observables.get(line.observable).title
        title, value = about.title or name, line.value or "not stated"
        if suffices and aside.status is Status.MET and len(groups) == 1 and groups[0].required is not None:
            count = groups[0]
            by_count = at_least(groups[0].required, [Status.MET] * count.met + [Status.UNKNOWN] * count.unknown)
            alone = "open" if by_count is Status.UNKNOWN else str(by_count)
            by_itself = f"by the count alone {alone} ({count.met} of {count.of} met)"
            notes.append(f"{title}: {value}; {by_itself}. {about.note or ''}".strip())
        elif not suffices and line.value is None:
            notes.append(f"{name} {line.note.partition(';')[0] if line.note else value}: not excluded. {about.note or ''}".strip())
        elif not suffices and aside.status is Status.NOT_MET:
            notes.append(f"{title}: {name.lower()} {value}. {about.note or ''}".strip())
        elif line.note:
            notes.append(f"{title}: {line.note}")
    return notes


def of_the_edge(criteria: CriteriaSet, outcome: Outcome) -> list[str]:
    """That a score lies exactly on its cut-off."""
    if criteria.score is None or outcome.range != point(criteria.score.cutoff):
        return []
    return [f"The score equals the cut-off of {number_text(criteria.score.cutoff)}"]


def of_what_is_taken(criteria: CriteriaSet, snapshot: Snapshot) -> list[str]:
    """What stands for something that is not stated, where the set asks for it."""
    onset = snapshot.known.get(observables.AGE_AT_ONSET)
    if onset is None or onset.note is None or observables.AGE_AT_ONSET not in criteria.asks:
        return []
    return [f"Age at onset {onset.value.text}: {onset.note}"]


def of_the_printed_score(reported: ReportedVerdict, outcome: Outcome) -> list[str]:
    """Why a score that the authors print is not ours."""
    if reported.score is None or reported.agrees is not False or outcome.range is None:
        return []
    printed, ours = number_text(reported.score), range_text(outcome.range)
    inside = Status.NOT_MET not in (outcome.range.compare(">=", reported.score), outcome.range.compare("<=", reported.score))
    why = "no combination of what is unknown gives it" if inside else "it lies outside"
    return [f"The authors print {printed}; what is stated gives {ours}, and {why}."]


def of_reports(criteria: CriteriaSet, snapshot: Snapshot) -> tuple[tuple[tuple[Report, str], ...], list[str]]:
    """The findings that the set grades, and what else it says of an observable that is stated."""
    graded, notes = [], []
    possible: dict[str, list[str]] = {}  # grades that are still open, by observable
    for report in criteria.reports:
        observation = snapshot.known.get(report.observable)
        if observation is None or isinstance(observation.value, Missing):
            continue
        found = evaluate(report.when, snapshot.known, {}) if report.when else None
        value, title = observation.value.text, observables.get(report.observable).title
        if found is None or found.status is Status.MET:
            grade = f"{report.grade}: " if report.grade else ""
            notes.append(f"{title} {value}: {grade}{report.say}")
            if report.grade:
                graded.append((report, value))
        elif found.status is Status.UNKNOWN and report.grade and found.evidence[0].value is not None:
            possible.setdefault(f"{title} {value}: {found.evidence[0].note or ''}", []).append(report.grade)
    notes += [f"{said}; could be {' or '.join(dict.fromkeys(grades))}" for said, grades in possible.items() if len(grades) > 1]
    return tuple(graded), notes

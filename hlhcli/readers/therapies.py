"""Administrations of a drug, brought together into courses with a start and a stop."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from hlhcli.readers.account import Account
from hlhcli.readers.chart import Given, Place

GAP = 14  # days between two administrations that still belong to one course; this tool's own choice, and said so beside it


class Course(NamedTuple):
    """A drug as the patient file has it."""

    drug: str
    dose: str
    start: str
    stop: str
    note: str
    place: Place


def merged(given: list[Given], account: Account) -> list[Course]:
    """The courses, in the order of their start; each entry is used. A change of dose begins no course of its own."""
    known = {each.drug for each in given if not each.requested}
    found: list[Course] = []
    single: dict[str, list[Given]] = {}
    for each in given:
        if each.requested and each.drug in known:
            account.leave("requested; when it was given is known", each.drug, each.place)
            continue
        account.used += 1
        if each.single and _day(each.start) is not None:
            single.setdefault(each.drug, []).append(each)
        else:
            stop = each.stop if not each.start or not each.stop or _ordered(each.start, each.stop) else ""
            note = each.note if stop == each.stop else "; ".join(filter(None, (each.note, "the stop lies before the start")))
            found.append(Course(each.drug, each.dose, each.start, stop, note, each.place))
    for drug, doses in single.items():
        found += _courses(drug, sorted(doses, key=lambda each: each.start))
    return sorted(found, key=lambda course: course.start)


def _courses(drug: str, given: list[Given]) -> list[Course]:
    runs: list[list[Given]] = []
    for each in given:
        if runs and (_day(each.start) or 0) - (_day(runs[-1][-1].start) or 0) <= GAP:
            runs[-1].append(each)
        else:
            runs.append([each])
    return [
        Course(
            drug,
            ", later ".join(dict.fromkeys(each.dose for each in run if each.dose)),
            run[0].start,
            max(each.stop or each.start for each in run),
            "; ".join(dict.fromkeys(filter(None, (*(each.note for each in run), f"{len(run)} administrations" * (len(run) > 1))))),
            run[0].place,
        )
        for run in runs
    ]


def _day(text: str) -> int | None:
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        return None


def _ordered(start: str, stop: str) -> bool:
    first, last = _day(start), _day(stop)
    return first is None or last is None or first <= last

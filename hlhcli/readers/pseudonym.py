"""Pseudonyms: another id and other dates for each person, from a key; the same key gives the same ones again.

Dates of one person all move by the same number of days, so that what lies between them stays. Free text, labels and times of day
are left out, for they can name a person. Whoever has the key can find the ids again: keep it as you keep the patients' names.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256

from hlhcli.readers.chart import Chart, Fact, Facts, Place
from hlhcli.readers.placing import Plan

LEAST_KEY = 16  # bytes
MOST_KEY = 4096
_MOST = 364  # days, back in time
_YEAR = re.compile(r"\d{4}")
_DOSE = re.compile(r"\d+(\.\d+)? ?[A-Za-zµ%/0-9*^²]{1,12}")  # what is no free text
_SYMBOL = re.compile(r"[A-Za-z0-9_.:>()*=+?;,-]{1,80}")


def pseudonymized(chart: Chart, key: bytes, plan: Plan) -> tuple[Chart, Plan]:
    """The chart of somebody who cannot be told by id, dates, labels and free text, and the time points asked for, moved with it.

    Whoever has no id gets none: two people without one must not look like one person.
    """
    who = chart.person.key or chart.person.id
    days = -1 - int(_digest(key, "days", who)[:16], 16) % _MOST
    pseudonym = f"p-{_digest(key, 'person', who)[:12]}" if who else ""
    person = replace(chart.person, id=pseudonym, key="", birth_date=_moved(chart.person.birth_date, days))
    names = _Names()
    facts = Facts()
    for fact in chart.facts:
        facts.add(_fact(fact, days, key, names))
    moved = replace(plan, at=tuple((_moved(when, days), name) for when, name in plan.at))
    hidden = replace(
        chart,
        person=person,
        facts=facts,
        always=[_fact(each, days, key, names) for each in chart.always],
        given=[
            each._replace(
                start=_moved(each.start, days),
                stop=_moved(each.stop, days),
                dose=each.dose if _DOSE.fullmatch(each.dose) else "",
                note="",
                place=_unnamed(each.place, bool(each.place.serial), key),
            )
            for each in chart.given
        ],
        tested=[gene for gene in chart.tested if _SYMBOL.fullmatch(gene)],
        variants=[
            each._replace(gene=_symbol(each.gene), variant=_symbol(each.variant), note="", place=_bare(each.place))
            for each in chart.variants
        ],
        remarks=[
            each._replace(date=_moved(each.date, days), timepoint=names.of(each.timepoint), place=_bare(each.place))
            for each in chart.remarks
        ],
        stated=[
            each._replace(date=_moved(each.date, days), timepoint=names.of(each.timepoint), place=_bare(each.place))
            for each in chart.stated
        ],
    )
    return hidden, moved


def _fact(fact: Fact, days: int, key: bytes, names: _Names) -> Fact:
    return fact._replace(
        note="",
        assay=fact.assay and f"assay {_digest(key, 'assay', fact.assay)[:6]}",  # two assays stay two
        date=_moved(fact.date, days),
        until=_moved(fact.until, days),
        timepoint=names.of(fact.timepoint),
        time="",
        place=_unnamed(fact.place, fact.named or bool(fact.place.serial), key),
    )


def _symbol(text: str) -> str:
    """A gene or variant, unless it holds free text."""
    return text if _SYMBOL.fullmatch(text) else "not stated" if text else ""


def _moved(text: str, days: int) -> str:
    """A date, moved; a day of the course stays."""
    try:
        return (date.fromisoformat(text) + timedelta(days=days)).isoformat()
    except (ValueError, OverflowError):
        return text if not _YEAR.search(text) else ""


class _Names:
    """Names of time points of one person, which can hold anything: numbered in the order in which they come."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {"": ""}

    def of(self, text: str) -> str:
        return self._known.setdefault(text, f"time point {len(self._known)}")


def _unnamed(place: Place, named: bool, key: bytes) -> Place:
    """The place without the name of what stands there; what is named keeps a name of its own."""
    return place._replace(label=f"entry {_digest(key, 'entry', place.label)[:12]}" if named else "", file="")


def _bare(place: Place) -> Place:
    return Place(place.line, serial=place.serial)


def _digest(key: bytes, what: str, text: str) -> str:
    return hmac.new(key, f"{what}\0{text}".encode("utf-8", "replace"), sha256).hexdigest()

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

LEAST_KEY = 16  # bytes
_MOST = 364  # days, back in time
_YEAR = re.compile(r"\d{4}")


def pseudonymized(chart: Chart, key: bytes) -> Chart:
    """The chart of somebody who cannot be told by id, dates, labels and free text."""
    name = chart.person.id.encode("utf-8", "replace")
    digest = hmac.new(key, b"person\0" + name, sha256).hexdigest()
    days = -1 - int.from_bytes(hmac.new(key, b"days\0" + name, sha256).digest()[:8], "big") % _MOST
    person = replace(chart.person, id=f"p-{digest[:12]}", birth_date=_moved(chart.person.birth_date, days))
    facts = Facts()
    for fact in chart.facts:
        facts.add(_fact(fact, days, key))
    return replace(
        chart,
        person=person,
        facts=facts,
        always=[_fact(each, days, key) for each in chart.always],
        given=[
            each._replace(
                start=_moved(each.start, days), stop=_moved(each.stop, days), note="", place=_unnamed(each.place, each.named, key)
            )
            for each in chart.given
        ],
        variants=[each._replace(note="", place=Place(each.place.line)) for each in chart.variants],
        remarks=[
            each._replace(date=_moved(each.date, days), timepoint=_name(each.timepoint), place=Place(each.place.line))
            for each in chart.remarks
        ],
        stated=[
            each._replace(date=_moved(each.date, days), timepoint=_name(each.timepoint), place=Place(each.place.line))
            for each in chart.stated
        ],
    )


def _fact(fact: Fact, days: int, key: bytes) -> Fact:
    return fact._replace(
        note="",
        assay=fact.assay and "as stated",
        date=_moved(fact.date, days),
        until=_moved(fact.until, days),
        timepoint=_name(fact.timepoint),
        time="",
        place=_unnamed(fact.place, fact.named, key),
    )


def _moved(text: str, days: int) -> str:
    """A date, moved; a day of the course stays."""
    try:
        return (date.fromisoformat(text) + timedelta(days=days)).isoformat()
    except (ValueError, OverflowError):
        return text if not _YEAR.search(text) else ""


def _name(text: str) -> str:
    """The name of a time point, unless it holds a year."""
    return "date not stated" if _YEAR.search(text) else text


def _unnamed(place: Place, named: bool, key: bytes) -> Place:
    """The place without the name of what stands there; what is named keeps a name of its own."""
    digest = hmac.new(key, b"entry\0" + place.label.encode("utf-8", "replace"), sha256).hexdigest()
    return place._replace(label=f"entry {digest[:12]}" if named else "")

"""Reads a table that a test writes, and checks that its books are right."""

from __future__ import annotations

import io

from hlhcli.readers import mapping, table
from hlhcli.readers.account import Account


def entries(charts):
    """All that the charts hold, chart by chart."""
    return [each for chart in charts for each in [*chart.facts, *chart.always, *chart.given, *chart.remarks]]


def read(text, rules=None, **more):
    """The charts and the account of a table; what is used and left together is what was read."""
    account = Account("t.csv", "csv")
    content = text if isinstance(text, bytes) else text.encode()
    charts = table.read(io.BytesIO(content), "t.csv", account, mapping.read_text(rules, "m.yaml") if rules else None, **more)
    assert len(entries(charts)) + account.unused == account.read
    return charts, account


def facts(text, rules=None, **more):
    """The facts as tuples: observable, value, unit, and date (or day, or the name of the time point)."""
    charts, _ = read(text, rules, **more)
    return [
        (f.observable, f.value, f.unit, f.date or f.day or f.timepoint) for chart in charts for f in [*chart.facts, *chart.always]
    ]


def left(text, rules=None, **more):
    """What was left: reason, what, how many."""
    _, account = read(text, rules, **more)
    return [(kind.reason, kind.what, kind.number) for kind in account.left]


def remarked(text, rules=None, **more):
    """The reasons of the remarks."""
    _, account = read(text, rules, **more)
    return [kind.reason for kind in account.remarks]


def person(text, rules=None, **more):
    """What is said of the first person."""
    charts, _ = read(text, rules, **more)
    return next(iter(charts)).person

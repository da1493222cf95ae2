"""Which time points a patient file gets from dated values: one for each day, or those that were asked for, each looking back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from hlhcli import observables
from hlhcli.errors import UnknownName
from hlhcli.fields import duration
from hlhcli.fields import moment as read_moment
from hlhcli.observations import missing
from hlhcli.quantity import BadQuantity
from hlhcli.readers.chart import Fact, Place
from hlhcli.readers.dates import EARLIEST, LATEST

UNDATED = "time not stated"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class BadPlan(ValueError):
    """Time points that cannot be meant; the message says what to write instead."""


class Anchor(NamedTuple):
    """The first or last value of an observable, on whose day a time point lies."""

    which: str
    observable: str


@dataclass(frozen=True)
class Plan:
    """How time points are chosen: at stated dates or days, at an anchor, else one for each day; and how far each looks back."""

    at: tuple[tuple[str, str], ...] = ()  # date or day, name
    anchor: Anchor | None = None
    window: str = ""

    @property
    def daily(self) -> bool:
        return not (self.at or self.anchor or self.window)


@dataclass
class Slot:
    """A time point in the making."""

    name: str
    date: str = ""
    day: str = ""
    window: str = ""
    facts: list[Fact] = field(default_factory=list)
    place: Place = field(default_factory=Place)


def plan(at: Iterable[str] = (), anchor: str | None = None, window: str | None = None) -> Plan:
    """The plan that options such as `2016-05-02=Admission`, `first-ferritin` and `7d` describe. Raises BadPlan."""
    stated = []
    for each in at:
        moment, _, name = each.partition("=")
        if not name.strip() or not (_DATE.fullmatch(moment) or re.fullmatch(r"-?\d{1,5}", moment)):
            raise BadPlan(f"'{each}' is no time point; write DATE=NAME, such as 2016-05-02=Admission, or DAY=NAME")
        try:
            when = read_moment(moment, "point").date
        except BadQuantity as error:
            raise BadPlan(str(error)) from None
        if when and not EARLIEST <= when.year <= LATEST:
            raise BadPlan(f"'{each}' is no time point: its year is not between {EARLIEST} and {LATEST}")
        stated.append((moment, name.strip()))
    if len({name for _, name in stated}) < len(stated):
        raise BadPlan("two time points have one name; give each a name of its own")
    if stated and anchor:
        raise BadPlan("time points are at stated dates or at an anchor, not both")
    if window:
        try:
            duration(window)
        except BadQuantity as error:
            raise BadPlan(str(error)) from None
    return Plan(tuple(stated), _anchor(anchor) if anchor else None, window or "")


def _anchor(text: str) -> Anchor:
    which, _, name = text.partition("-")
    if which not in ("first", "last") or not name:
        raise BadPlan(f"'{text}' is no anchor; write for example first-ferritin or last-platelets")
    try:
        return Anchor(which, observables.resolve(name))
    except UnknownName as error:
        raise BadPlan(str(error)) from None


def slots(facts: list[Fact], chosen: Plan) -> list[Slot]:
    """The time points, in the order of time; the values of dated days are in them only where there is one for each day."""
    dated = _stated(facts, chosen) if chosen.at or chosen.anchor else _days(facts, chosen)
    names = {slot.name: slot for slot in dated}
    for slot in _by_name(fact for fact in facts if not _moment(fact)):
        if slot.name in names:  # the same time point, of which the input dates only some values
            names[slot.name].facts += slot.facts
        else:
            dated.append(slot)
    return dated


def _moment(fact: Fact) -> str:
    return fact.date or fact.day


def _days(facts: list[Fact], chosen: Plan) -> list[Slot]:
    """One for each day; where the input names its time points, one for each name and day."""
    found: dict[tuple[str, str], Slot] = {}
    for fact in facts:
        if moment := _moment(fact):
            slot = found.setdefault((fact.timepoint, moment), Slot("", fact.date, fact.day, chosen.window, place=fact.place))
            if not chosen.window:
                slot.facts.append(fact)
    days: dict[str, set[str]] = {}
    for name, moment in found:
        days.setdefault(name, set()).add(moment)
    for (name, moment), slot in found.items():
        shown = moment if slot.date else f"day {moment}"
        slot.name = name if name and len(days[name]) == 1 else ", ".join(filter(None, (name, shown)))
    return sorted(found.values(), key=lambda slot: (slot.date, _number(slot.day)))


def _number(day: str) -> tuple[int, str]:
    found = re.match(r"-?\d+", day)
    return (int(found[0]) if found else 0, day)


def _stated(facts: list[Fact], chosen: Plan) -> list[Slot]:
    """The time points that were asked for."""
    if chosen.anchor:
        valued = [
            fact for fact in facts if fact.observable == chosen.anchor.observable and not fact.unread and not missing(fact.value)
        ]
        moments = sorted({fact.date for fact in valued if fact.date})
        if not moments:
            return []
        moment = moments[0 if chosen.anchor.which == "first" else -1]
        named = [(moment, f"{chosen.anchor.which.capitalize()} {observables.inline(chosen.anchor.observable)}")]
    else:
        named = list(chosen.at)
        kinds = {bool(fact.date) for fact in facts if _moment(fact)}
        if kinds and kinds.isdisjoint(bool(_DATE.fullmatch(when)) for when, _ in named):
            raise BadPlan(f"the values have {'dates' if True in kinds else 'days'}, and --at names none")
    window = chosen.window or "0 d"
    made = [
        Slot(name, when if _DATE.fullmatch(when) else "", "" if _DATE.fullmatch(when) else when, window) for when, name in named
    ]
    return sorted(made, key=lambda slot: (slot.date, _number(slot.day)))


def _by_name(facts: Iterable[Fact]) -> list[Slot]:
    found: dict[str, Slot] = {}
    for fact in facts:
        name = fact.timepoint or UNDATED
        found.setdefault(name, Slot(name, place=fact.place)).facts.append(fact)
    return list(found.values())

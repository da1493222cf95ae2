"""From a chart to a patient file: every value is tried, placed at its time point or in a curve, and says where it came from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, timedelta
from math import ceil
from typing import Any, NoReturn

from pydantic_core import ValidationError

from hlhcli import observables
from hlhcli.fields import Context, duration
from hlhcli.patient import MAX_TIMEPOINTS, Person
from hlhcli.quantity import BadQuantity
from hlhcli.readers import therapies
from hlhcli.readers.account import Account
from hlhcli.readers.chart import CSF, Chart, Fact, Found, Given, Remark, Stated, latest
from hlhcli.readers.commented import Commented, CommentedList
from hlhcli.readers.entry import can_be_reported, comment, entry, mapping, shortened, why
from hlhcli.readers.jsontext import plain
from hlhcli.readers.placing import UNDATED, BadPlan, Plan, Slot, slots

OUTDATED = "another version takes its place"
_KINDS: dict[type, str] = {Fact: "finding", Given: "therapy", Found: "variant", Remark: "diagnosis", Stated: "report"}


class NoTimepoint(ValueError):
    """A chart from which no patient can be made; the message says why. `lost` where it holds values."""

    def __init__(self, why: str, lost: bool) -> None:
        self.lost = lost
        super().__init__(why)


def draft(chart: Chart, plan: Plan, account: Account, quiet: bool = False) -> Commented:
    """The patient file that the chart makes, as a tree of text. What cannot be used is entered in the account.

    With `quiet`, nothing is repeated of a value that cannot be read. Raises NoTimepoint where there is nothing to assess.
    """
    return _Draft(chart, plan, account, quiet).tree()


class _Draft:
    def __init__(self, chart: Chart, plan: Plan, account: Account, quiet: bool) -> None:
        self.chart = chart
        self.quiet = quiet
        self.plan = plan
        self.account = account

    def tree(self) -> Commented:
        self.outdated()
        facts = self.holding()
        try:
            made = self.with_stated(slots(facts, self.plan))
        except BadPlan as error:
            self.refuse(facts, str(error))
        if why := self.why_not(made, facts):
            self.refuse(facts, why)
        made = made or [Slot(UNDATED)]  # of findings that go on alone
        self.doubts(made, facts)
        entries = {id(fact): self.entry(fact) for fact in facts}
        measured: dict[str, dict[str, set[str]]] = {}  # when each quantity was, by its name and day
        for fact in facts:
            if fact.date:
                measured.setdefault(fact.observable, {}).setdefault(fact.date, set()).add(fact.time)
        entries = {id(fact): self.denied(fact, measured, entries) for fact in facts}
        tree = Commented(self.chart.person.place)
        person = self.person()
        if person:
            tree.put("patient", person, self.chart.person.place)
        self.lasting(tree, made, entries)
        given = therapies.merged(self.chart.given, self.account)
        if given:
            tree.put("therapies", _therapies(given), given[0].place)
        tree.put("timepoints", self.timepoints(made, facts, entries), self.chart.person.place)
        if genetics := self.genetics():
            tree.put("genetics", genetics, self.chart.person.place)
        if series := self.series(made, facts, entries):
            tree.put("series", series, self.chart.person.place)
        return tree

    def outdated(self) -> None:
        """Take out what versions said that do not hold any more."""
        chart, old = self.chart, self.chart.outdated
        entries: list[Fact | Given | Found | Remark | Stated]
        entries = [*chart.always, *chart.given, *chart.variants, *chart.remarks, *chart.stated]
        for each in entries if old else ():
            if each.place.serial in old:
                self.account.leave(OUTDATED, _KINDS[type(each)], each.place)
        chart.always = [each for each in chart.always if each.place.serial not in old]
        chart.given = [each for each in chart.given if each.place.serial not in old]
        chart.variants = [each for each in chart.variants if each.place.serial not in old]
        chart.remarks = [each for each in chart.remarks if each.place.serial not in old]
        chart.stated = [each for each in chart.stated if each.place.serial not in old]

    def holding(self) -> list[Fact]:
        """The facts that hold: neither replaced by a later version nor of another specimen."""
        holds, replaced = latest(self.chart.facts)
        for fact in replaced:
            self.account.leave(OUTDATED, fact.observable, fact.place)
        found = []
        for fact in holds:
            if fact.place.serial in self.chart.outdated:
                self.account.leave(OUTDATED, fact.observable, fact.place)
            elif fact.specimen and fact.specimen in self.chart.foreign and fact.observable != CSF:
                self.account.leave("not a specimen of blood", fact.observable, fact.place)
            else:
                found.append(fact)
        return found

    def doubts(self, made: list[Slot], facts: list[Fact]) -> None:
        """What looks like a slip: values before birth, and a time point that was asked for and has none."""
        born = self.chart.person.birth_date
        for fact in facts if born else ():
            if fact.date and fact.date < born:
                self.account.remark("before the date of birth", fact.observable, fact.place)
        dates = sorted(fact.date for fact in facts if fact.date)
        for slot in made if self.plan.at and dates else ():
            first = date.fromisoformat(slot.date) - timedelta(days=ceil(duration(slot.window))) if slot.date else None
            if first is not None and not any(first.isoformat() <= each <= slot.date for each in dates):
                self.account.remark("no value at a time point that was asked for", slot.name, slot.place)

    def why_not(self, made: list[Slot], facts: list[Fact]) -> str:
        """Why no patient can be made of the chart; empty where one can."""
        if not made and not facts:
            return "" if self.chart.always else "nothing was observed that this tool reads"
        if not made:
            anchor = self.plan.anchor.observable if self.plan.anchor else "value"
            return f"no {anchor} with a date, at which the time point would lie"
        if len(made) > MAX_TIMEPOINTS:
            return f"values on {len(made)} days, more than a patient file holds ({MAX_TIMEPOINTS}); choose with --at or --anchor"
        return ""

    def refuse(self, facts: list[Fact], why: str) -> NoReturn:
        """A chart that makes no patient: all that it holds is entered as left."""
        chart = self.chart
        reason = "of a patient without a time point"
        if chart.person.known:
            self.account.leave(reason, "patient", chart.person.place, chart.person.known)
        for fact in (*facts, *chart.always):
            self.account.leave(reason, fact.observable, fact.place)
        others: list[Given | Found | Remark | Stated] = [*chart.given, *chart.variants, *chart.remarks, *chart.stated]
        for each in others:
            self.account.leave(reason, _KINDS[type(each)], each.place)
        raise NoTimepoint(why, bool(facts))

    def person(self) -> Commented:
        person, tree = self.chart.person, Commented(self.chart.person.place)
        self.account.used += person.known
        for key in ("id", "birth_date", "age", "onset", "sex"):
            value = getattr(person, key)
            if not value:
                continue
            try:
                Person.validate({key: plain(value)}, Context())
            except ValidationError:
                self.account.remark("not understood, and left out", f"{key} of the patient", person.place)
                continue
            tree.put(key, plain(value), person.place)
        return tree

    def entry(self, fact: Fact) -> Any:
        """The entry of a fact in the patient file; of one that cannot be read, that its value is not known, and why."""
        notes = fact.note
        if fact.unread:
            self.account.leave(fact.unread, fact.observable, fact.place)
            return mapping(fact.place, {"value": "unknown", "note": "not read" if self.quiet else shortened(f"not read: {notes}")})
        try:
            made = entry(fact, notes)
        except BadQuantity as error:
            reason, what = why(fact)
            self.account.leave(reason, what, fact.place)
            said = f"{reason}: {fact.value} {fact.unit}".rstrip() if "unit" in reason else f"not read: {error}"
            notes = "not read" if self.quiet else "; ".join(filter(None, (said, notes)))
            return mapping(fact.place, {"value": "unknown", "note": shortened(notes)})
        self.account.used += 1
        return made

    def lasting(self, tree: Commented, made: list[Slot], entries: dict[int, Any]) -> None:
        """Findings that go on: in the background, or from their date on where a time point lies before it."""
        background = Commented()
        holds, replaced = latest(self.chart.always)
        for fact in replaced:
            self.account.leave(OUTDATED, fact.observable, fact.place)
        dates = [slot.date for slot in made if slot.date]
        seen: set[tuple[str, str]] = set()
        for fact in sorted(holds, key=lambda fact: (fact.value == observables.get(fact.observable).negative, fact.date)):
            if fact.date and dates and min(dates) < fact.date:
                if fact.date > max(dates):
                    self.account.leave("after the last time point", fact.observable, fact.place)
                    continue
                if (fact.observable, fact.value) in seen or fact.observable in background:  # that began earlier
                    self.account.leave("stated more than once", fact.observable, fact.place)
                    continue
                seen.add((fact.observable, fact.value))
                entries[id(fact)] = self.entry(fact)
                for slot in made:
                    if slot.date and slot.date >= fact.date:
                        slot.facts.append(fact)
            elif fact.observable in background:
                self.account.leave("stated more than once", fact.observable, fact.place)
            else:
                background.put(fact.observable, self.entry(fact), fact.place, comment(fact))
        if background:
            tree.put("background", background, self.chart.person.place)

    def timepoints(self, made: list[Slot], facts: list[Fact], entries: dict[int, Any]) -> CommentedList:
        lasting = [fact for fact in facts if fact.until]
        notes = self.notes(made)
        stated = self.stated(made)
        found = CommentedList(self.chart.person.place)
        for number, slot in enumerate(made):
            tree = Commented(slot.place)
            tree.put("name", plain(slot.name), slot.place)
            for key in ("date", "day", "window"):
                if value := getattr(slot, key):
                    tree.put(key, value, slot.place)
            here = [*slot.facts, *(fact for fact in lasting if slot.date and fact.date < slot.date <= fact.until)]
            if here:
                tree.put("observations", _observations(here, entries), slot.place)
            if number in stated:
                tree.put("reported", stated[number], slot.place)
            if number in notes:
                tree.put("note", shortened("; ".join(notes[number])), slot.place)
            found.put(tree, slot.place)
        return found

    def denied(self, fact: Fact, measured: dict[str, dict[str, set[str]]], entries: dict[int, Any]) -> Any:
        """The entry of a finding; one that was denied is not known where its quantity was measured at another time of that day.

        Somebody's "no fever" of the morning says nothing of a temperature of the evening; the measured value decides.
        """
        observable = observables.get(fact.observable)
        if fact.value != observable.negative or observable.instead not in measured or not fact.date:
            return entries[id(fact)]
        others = {time for time in measured[observable.instead].get(fact.date, ()) if time not in (fact.date, fact.time, "")}
        if fact.time in (fact.date, "") or not others:  # no time of day is stated, or they have the same
            return entries[id(fact)]
        said = "denied, and measured at another time of that day: the measured value decides"
        self.account.remark(said, fact.observable, fact.place)
        note = f"{fact.value} by one entry; {observable.instead} was measured at another time"
        return mapping(fact.place, {"value": "unknown", "note": note})

    def with_stated(self, made: list[Slot]) -> list[Slot]:
        """The time points, with one for each moment at which something is reported and nothing was observed."""
        known = _Index(made)
        for each in self.chart.stated:
            if known.of(each) is None and self.plan.daily and len(made) <= MAX_TIMEPOINTS:
                made.append(Slot(each.timepoint or each.date or UNDATED, each.date, each.day, place=each.place))
                known.add(made[-1])
        return made

    def notes(self, made: list[Slot]) -> dict[int, list[str]]:
        """Remarks at the time point of their day, else at the last before it, else at the first."""
        found: dict[int, dict[str, None]] = {}
        known = _Index(made)
        dated = sorted((slot.date, number) for number, slot in enumerate(made) if slot.date)
        for remark in self.chart.remarks:
            place = known.of(remark)
            if place is None:
                before = bisect_right(dated, (remark.date, len(made)))
                place = dated[before - 1][1] if before else 0
            when = remark.date or remark.timepoint
            said = f"{when}: {remark.text}" if when and made[place].date != remark.date else remark.text
            found.setdefault(place, {})[said] = None
            self.account.used += 1
        return {place: list(said) for place, said in found.items()}

    def stated(self, made: list[Slot]) -> dict[int, Commented]:
        found: dict[int, Commented] = {}
        known = _Index(made)
        for each in self.chart.stated:
            place = known.of(each)
            if place is None:
                self.account.leave("reported at no time point", each.criteria, each.place)
                continue
            if not can_be_reported(each):
                self.account.leave("reported, and not understood", "criteria, item or value", each.place)
                continue
            sets = found.setdefault(place, Commented(each.place))
            if each.criteria not in sets:
                sets.put(each.criteria, Commented(each.place), each.place)
            if each.key in sets[each.criteria]:
                self.account.leave("reported more than once", f"{each.criteria} {each.key}", each.place)
                continue
            sets[each.criteria].put(each.key, each.value, each.place, each.place.label)
            self.account.used += 1
        return found

    def genetics(self) -> Commented | None:
        if not self.chart.tested and not self.chart.variants:
            return None
        tree = Commented(self.chart.person.place)
        tested = list(dict.fromkeys([*self.chart.tested, *(each.gene for each in self.chart.variants)]))
        genes = CommentedList(self.chart.person.place)
        for gene in tested:
            genes.put(plain(gene), self.chart.person.place)
        tree.put("tested", genes, self.chart.person.place)
        if self.chart.variants:
            variants = CommentedList(self.chart.person.place)
            for each in self.chart.variants:
                variants.put(_variant(each), each.place, each.place.label)
                self.account.used += 1
            tree.put("variants", variants, self.chart.person.place)
        return tree

    def series(self, made: list[Slot], facts: list[Fact], entries: dict[int, Any]) -> Commented:
        """The values that are in no time point of their own, as curves."""
        placed = {id(fact) for slot in made for fact in slot.facts}
        curves = Commented(self.chart.person.place)
        for fact in sorted(facts, key=lambda fact: (fact.date, fact.time)):
            if id(fact) in placed:
                continue
            if fact.observable not in curves:
                curve = Commented(fact.place)
                curve.put("points", CommentedList(fact.place), fact.place)
                curves.put(fact.observable, curve, fact.place)
            point = CommentedList(fact.place)
            point.put(fact.date or fact.day, fact.place)
            point.put(entries[id(fact)], fact.place)
            curves[fact.observable]["points"].put(point, fact.place, comment(fact))
        return curves


class _Index:
    """Time points by their name, and by their day."""

    def __init__(self, made: list[Slot]) -> None:
        self._names: dict[str, int] = {}
        self._moments: dict[str, int] = {}
        self._number = 0
        for slot in made:
            self.add(slot)

    def add(self, slot: Slot) -> None:
        self._names.setdefault(slot.name, self._number)
        if moment := slot.date or slot.day:
            self._moments.setdefault(moment, self._number)
        self._number += 1

    def of(self, each: Remark | Stated) -> int | None:
        """The time point of that name, else of that day."""
        found = self._names.get(each.timepoint) if each.timepoint else None
        moment = each.date or each.day
        if found is not None or moment:
            return self._moments.get(moment) if found is None else found
        return self._names.get(UNDATED)


def _observations(facts: Iterable[Fact], entries: dict[int, Any]) -> Commented:
    tree = Commented()
    by_name: dict[str, list[Fact]] = {}
    for fact in facts:
        by_name.setdefault(fact.observable, []).append(fact)
    for name, several in by_name.items():
        first = several[0]
        if len(several) == 1:
            tree.put(name, entries[id(first)], first.place, comment(first))
            continue
        values = CommentedList(first.place)
        for fact in several:
            entry = entries[id(fact)]
            if isinstance(entry, str) and observables.get(name).values:  # words alone would be read as a list of sites
                entry = mapping(fact.place, {"value": entry})
            values.put(entry, fact.place, comment(fact))
        tree.put(name, values, first.place)
    return tree


def _variant(found: Found) -> Commented:
    named = ("gene", found.gene), ("variant", found.variant), ("zygosity", found.zygosity)
    texts = dict([*named, ("classification", found.classification), ("note", found.note)])
    return mapping(found.place, {key: plain(text) for key, text in texts.items()})


def _therapies(given: list[therapies.Course]) -> CommentedList:
    found = CommentedList(given[0].place)
    for each in given:
        tree = Commented(each.place)
        for key in ("drug", "dose", "start", "stop", "note"):
            if value := getattr(each, key):
                tree.put(key, plain(value), each.place)
        found.put(tree, each.place, each.place.label)
    return found

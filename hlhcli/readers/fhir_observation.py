"""FHIR Observations: which observable, which value, when, on which specimen; and what is said where nothing was measured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from hlhcli import observables
from hlhcli.observations import PENDING
from hlhcli.readers import codes
from hlhcli.readers.account import Account
from hlhcli.readers.chart import CSF, Chart, Fact, Place, Stated
from hlhcli.readers.fhir_element import (
    Coding,
    Json,
    Local,
    When,
    codings,
    items,
    named,
    obj,
    reference,
    spoken,
    text,
    told,
    when,
)
from hlhcli.readers.fhir_genetics import VARIANT
from hlhcli.readers.fhir_value import UNKNOWN, Named, Said, values
from hlhcli.readers.said import DOUBTED, DOUBTS

DROPPED = ("entered-in-error", "cancelled")
_DOUBTED = {"preliminary": "preliminary result", "unknown": "status of the result not known", "registered": ""}
VALID = ("final", "amended", "corrected", *_DOUBTED)
STATUS, NO_STATUS = "status not known here", "no status"
MODIFIED = "modified in its meaning by an extension not known here"
_UNSURE = (STATUS, NO_STATUS, MODIFIED)
_FINDINGS = ("hpo", "snomed", "icd10")
IGNORED = "not to be read, as the mapping says"
NOTHING = Local()
_KEPT = 10_000  # codes whose meaning is remembered


class Coded(NamedTuple):
    """What a code means: observables, or why there is none; or the id of criteria of which something is reported."""

    told: str
    names: Sequence[Named] = ()
    wrong: str = ""
    criteria: str = ""
    is_variant: bool = False


class Whole(NamedTuple):
    """The resource that a value is in: its time, and why nothing of it is used (empty where it is)."""

    resource: Json
    written: When
    wrong: str
    place: Place
    chart: Chart


class Observations:
    """Reads Observations into charts; remembers what each code means, for there are many of few kinds."""

    def __init__(self, account: Account, local: Local = NOTHING) -> None:
        self.account = account
        self.local = local
        self._codes: dict[tuple[object, ...], Coded] = {}

    def add(self, resource: Json, place: Place, chart: Chart) -> None:
        """The Observation's own value, and each of its components."""
        holders = self._holders(resource)
        self.account.read += len(holders)
        written = when(resource, "effective", "issued")
        wrong = self._refused(resource) or ("time that cannot be read" if written.bad else "")
        whole = Whole(resource, written, wrong, place, chart)
        for holder in holders:
            code = self._coded(holder.get("code"))
            if code.criteria:
                self._stated(code.criteria, holder, whole)
                continue
            if code.wrong:
                leave = self.account.pass_over if code.wrong == IGNORED else self.account.leave
                leave(code.wrong if code.wrong == IGNORED else wrong or code.wrong, code.told, place)
                continue
            self.account.read += len(code.names) - 1
            for each in code.names:
                self._one(each, code, holder, whole)

    @staticmethod
    def _holders(resource: Json) -> list[Json]:
        """What can have a value: the components, and the Observation itself where it has a value or nothing else."""
        components = items(resource.get("component"))
        own = any(key.lstrip("_").startswith("value") for key in resource) or "dataAbsentReason" in resource
        return [*([resource] if own or not components else []), *components]

    @staticmethod
    def _refused(resource: Json) -> str:
        """Why nothing of the Observation is used; empty where it is."""
        state = text(resource.get("status"))
        if state in DROPPED:
            return f"status {state}"
        if state not in VALID:
            return STATUS if state else NO_STATUS
        parts = [resource, *items(resource.get("component"))]
        if any(part.get("modifierExtension") for part in parts) or resource.get("implicitRules"):
            return MODIFIED
        return "about somebody or something else than the patient" if resource.get("focus") else ""

    @staticmethod
    def _specimen(resource: Json) -> str:
        """What the Observation itself says of its specimen."""
        inside = {text(each.get("id")): each for each in items(resource.get("contained"))}
        stated = obj(resource.get("specimen"))
        held = obj(inside.get(text(stated.get("reference")).removeprefix("#")))
        said = text(stated.get("display")), spoken(held.get("type")), spoken(resource.get("bodySite"))
        return " ".join(filter(None, said))

    def is_variant(self, resource: Json) -> bool:
        """True for a genetic variant, which another reader reads."""
        return self._coded(resource.get("code")).is_variant

    def _coded(self, concept: object) -> Coded:
        stated = items(obj(concept).get("coding"))
        key = tuple(text(each.get(part)) for each in stated for part in ("system", "code", "display"))
        known = self._codes.get(key)
        if known is None:
            if len(self._codes) >= _KEPT:
                self._codes.clear()
            known = self._codes[key] = self._meaning(concept)
        return known

    def _meaning(self, concept: object) -> Coded:
        found, told_as, keys = codings(concept), told(concept), Local.keys(concept)
        if not self.local.ignored.isdisjoint(keys):
            return Coded(told_as, wrong=IGNORED)
        if found and found[0].system == "hlhcli-reported":
            return Coded(told_as, criteria=found[0].code)
        own = {self.local.names[key] for key in keys if key in self.local.names}
        names = _named(found, [Named(name, unit=unit) for name, unit in own])
        is_variant = any(each.system == "loinc" and each.code == VARIANT for each in found)
        return Coded(told_as, wrong=names, is_variant=is_variant) if isinstance(names, str) else Coded(told_as, names)

    def _one(self, of: Named, code: Coded, holder: Json, whole: Whole) -> None:
        resource, written, wrong, place, chart = whole
        if of.observable != CSF and ("specimen" in resource or "bodySite" in resource):
            sampled = self._specimen(resource)
            if codes.specimen(sampled) is False and observables.get(of.observable).family is not None:
                wrong = wrong or "not a specimen of blood"
            elif codes.specimen(sampled) is None and sampled and "specimen" in resource:
                self.account.remark("specimen not known here, taken for the one that the code names", code.told, place)
        state = text(resource.get("status"))
        if wrong in _UNSURE and written.date:  # there is a value, and what it means is not known
            said = [Said(UNKNOWN, note=wrong, unread=wrong)]
        else:
            said = [Said(wrong=wrong)] if wrong else [Said(PENDING)] if state == "registered" else values(holder, of)
        self.account.read += len(said) - 1
        is_finding = observables.get(of.observable).family is None
        for one in said:
            if one.wrong:
                self.account.leave(one.wrong, code.told, place)
                continue
            if one.doubt:
                self.account.remark(one.doubt, code.told, place)
            doubted = "" if is_finding or "note" not in resource else _doubted(resource)
            if doubted:
                self.account.remark(doubted, code.told, place)
            over = f"from {written.date} to {written.until}" if written.until and not is_finding else ""
            notes = [one.note, _DOUBTED.get(state, ""), written.note, over, _noted(resource) if "note" in resource else ""]
            if doubt := codes.contradicts(of.kind, of.observable, one.unit):
                notes.append(doubt)
                self.account.remark("unit that its code contradicts", f"{code.told}: {one.unit}", place)
            note = "; ".join(filter(None, notes))
            fact = Fact(
                of.observable,
                one.value,
                codes.qualified(of.kind, of.observable, one.unit or (of.unit if one.value[-1:].isdigit() else "")),
                one.reference,
                _assay(of.observable, resource) if "method" in resource else "",
                f"{one.value} {one.unit}".strip() + f" ({note})" if doubted else note,
                written.date,
                timepoint=written.partial,
                until=written.until if is_finding and one.value != observables.get(of.observable).negative else "",
                time=written.text,
                place=place,
                specimen=reference(resource["specimen"]).id if "specimen" in resource else "",
                unread=one.unread or doubted,
            )
            if not written.text and of.observable in codes.lasting():
                chart.always.append(fact)
            else:
                chart.facts.add(fact)

    def _stated(self, criteria: str, holder: Json, whole: Whole) -> None:
        """What somebody reports of a set of criteria, in the code system of this tool."""
        key = next((each.code for each in codings(holder.get("code")) if each.system == "hlhcli-item"), "verdict")
        value = text(holder.get("valueString")) or text(holder.get("valueInteger"))
        if whole.wrong or not value:
            self.account.leave(whole.wrong or "no value", f"reported {criteria}", whole.place)
            return
        when_ = whole.written
        whole.chart.stated.append(Stated(criteria, key, value, when_.date, timepoint=when_.partial, place=whole.place))


def _named(found: list[Coding], own: list[Named]) -> list[Named] | str:
    """The observables that the codes name together, with what a mapping says; else why they name none."""
    names = {each.observable: each for each in own}
    several: list[Named] = []
    for coding in found:
        if coding.system == "hlhcli":
            try:
                names.setdefault(name := observables.resolve(coding.code), Named(name))
            except ValueError:
                return "name not known here"
        elif coding.system == "loinc" and (known := codes.loinc(coding.code)):
            names.setdefault(known[0], Named(*known))
        elif coding.system in _FINDINGS:
            found_here = codes.findings(coding.system, coding.code)
            whole = codes.is_whole(coding.system, coding.code)
            stated = [Named(name, value=value, whole=whole) for name, value in found_here]
            several = stated if len(stated) > 1 else several
            for each in stated if len(stated) == 1 else ():
                names.setdefault(each.observable, each)
    if len(names) > 1:
        return "codes that contradict one another"
    if not names and not several:
        like = next(filter(None, (codes.resembles(each.display) for each in found)), None)
        return (f"code not known here, and its name resembles {like}" if like else "code not known here") if found else "no code"
    return list(names.values()) or several


def _doubted(resource: Json) -> str:
    """Why a note puts the value in doubt: it names a spoiled sample, or another person; empty where none does."""
    return DOUBTED if re.search(DOUBTS, _noted(resource), re.IGNORECASE) else ""


def _noted(resource: Json) -> str:
    return " ".join(filter(None, (text(each.get("text")) for each in items(resource.get("note")))))


def _assay(name: str, resource: Json) -> str:
    """The method, where values of different methods cannot be compared with one another."""
    family = observables.get(name).family
    return named(resource.get("method")) if family and any(unit.apart for unit in family.units.values()) else ""

"""FHIR Observations: which observable, which value, when, on which specimen; and what is said where nothing was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hlhcli import observables
from hlhcli.observations import PENDING
from hlhcli.readers import cells, codes
from hlhcli.readers.account import Account
from hlhcli.readers.chart import CSF, Chart, Fact, Place, Stated
from hlhcli.readers.fhir_element import (
    Coding,
    Json,
    When,
    amount,
    codings,
    items,
    limits,
    named,
    obj,
    reference,
    status,
    text,
    told,
    version,
    when,
)
from hlhcli.readers.fhir_genetics import VARIANT

DROPPED = ("entered-in-error", "cancelled")
_DOUBTED = {"preliminary": "preliminary result", "unknown": "status of the result not known", "registered": ""}
_KNOWN = ("final", "amended", "corrected", *_DOUBTED)
_ABSENT = {"temp-unknown": PENDING, "not-performed": "not done", "error": "unreadable", "not-a-number": "unreadable"}
_INTERPRETED = {"H": "elevated", "HH": "elevated", "HU": "elevated", "L": "low", "LL": "low", "LU": "low", "N": "normal"}
_FINDINGS = ("hpo", "snomed", "icd10")
_KEPT = 10_000  # codes whose meaning is remembered


class Named(NamedTuple):
    """What an Observation is of: the observable, the kind of unit that its code states, and the value that `true` stands for."""

    observable: str
    kind: str = ""
    value: str = ""


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


class Said(NamedTuple):
    """One value on its way to a fact, or why there is none."""

    value: str = ""
    unit: str = ""
    reference: str = ""
    note: str = ""
    wrong: str = ""


class Observations:
    """Reads Observations into charts; remembers what each code means, for there are many of few kinds."""

    def __init__(self, account: Account) -> None:
        self.account = account
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
                self.account.leave(code.wrong, code.told, place)
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
        if state not in _KNOWN:
            return "status not known here" if state else "no status"
        parts = [resource, *items(resource.get("component"))]
        if any(part.get("modifierExtension") for part in parts) or resource.get("implicitRules"):
            return "modified in its meaning by an extension not known here"
        return "about somebody or something else than the patient" if resource.get("focus") else ""

    @staticmethod
    def _specimen(resource: Json) -> str:
        """What the Observation itself says of its specimen."""
        inside = {text(each.get("id")): each for each in items(resource.get("contained"))}
        stated = obj(resource.get("specimen"))
        held = obj(inside.get(text(stated.get("reference")).removeprefix("#")))
        return f"{text(stated.get('display'))} {named(held.get('type'))}"

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
            known = self._codes[key] = _meaning(codings(concept), told(concept))
        return known

    def _one(self, of: Named, code: Coded, holder: Json, whole: Whole) -> None:
        resource, written, wrong, place, chart = whole
        if of.observable != CSF and "specimen" in resource and codes.specimen(self._specimen(resource)) is False:
            wrong = wrong or "not a specimen of blood"
        said = [Said(wrong=wrong)] if wrong else _values(holder, of)
        self.account.read += len(said) - 1
        state = text(resource.get("status"))
        void = state in DROPPED
        for one in said:
            if one.wrong:
                self.account.leave(one.wrong, code.told, place)
                if not void:
                    continue
            notes = [one.note, _DOUBTED.get(state, ""), written.note, _noted(resource) if "note" in resource else ""]
            if doubt := codes.contradicts(of.kind, of.observable, one.unit):
                notes.append(doubt)
                self.account.remark("unit that its code contradicts", f"{code.told}: {one.unit}", place)
            fact = Fact(
                of.observable,
                one.value,
                codes.qualified(of.kind, of.observable, one.unit),
                one.reference,
                _assay(of.observable, resource) if "method" in resource else "",
                "; ".join(filter(None, notes)),
                written.date,
                timepoint=written.partial,
                until=written.until,
                time=written.text,
                place=place,
                named=bool(text(resource.get("id"))),
                version=version(resource) if "meta" in resource else "",
                void=void,
                specimen=reference(resource.get("specimen")).id,
            )
            if not written.text and of.observable in codes.lasting() and not void:
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


def _meaning(found: list[Coding], told_as: str) -> Coded:
    if found and found[0].system == "hlhcli-reported":
        return Coded(told_as, criteria=found[0].code)
    names = _named(found)
    is_variant = any(each.system == "loinc" and each.code == VARIANT for each in found)
    return Coded(told_as, wrong=names, is_variant=is_variant) if isinstance(names, str) else Coded(told_as, names)


def _named(found: list[Coding]) -> list[Named] | str:
    """The observables that the codes name together; else why they name none."""
    names: dict[str, Named] = {}
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
            stated = [Named(name, value=value) for name, value in codes.findings(coding.system, coding.code)]
            several = stated if len(stated) > 1 else several
            for each in stated if len(stated) == 1 else ():
                names.setdefault(each.observable, each)
    if len(names) > 1:
        return "codes that contradict one another"
    if not names and not several:
        return "code not known here" if found else "no code"
    return list(names.values()) or several


def _values(holder: Json, of: Named) -> list[Said]:
    """What is said of the observable: one value, or several in one text."""
    keys = [key for key in holder if key.lstrip("_").startswith("value") and (not key.startswith("_") or key[1:] not in holder)]
    reason = next((each.code for each in codings(holder.get("dataAbsentReason"))), text(holder.get("dataAbsentReason")))
    if len(keys) > 1:
        return [Said(wrong="several values in one element")]
    if not keys or keys[0].startswith("_"):
        return [_without(holder, of, reason if not keys else reason or _extended(holder[keys[0]]))]
    key, value = keys[0], holder[keys[0]]
    is_finding = observables.get(of.observable).family is None
    if key == "valueQuantity":
        return [_quantity(holder, of) if not is_finding else Said(wrong="a number where a finding is expected")]
    if key == "valueRange":
        return [_range(holder, of)]
    if key == "valueBoolean" and isinstance(value, bool):
        return [_answered("yes" if value else "no", of)]
    if key == "valueCodeableConcept":
        return [_coded(value, of)]
    if key == "valueInteger":
        return [Said(text(value))]
    if key == "valueString":
        return _from_text(text(value), of, is_finding)
    return [Said(wrong=f"{key} is not read")]


def _quantity(holder: Json, of: Named) -> Said:
    found = amount(holder["valueQuantity"], of.observable)
    if found.wrong == "no value":
        return _without(holder, of, _extended(obj(holder["valueQuantity"]).get("_value")) or "unknown")
    if found.wrong:
        return Said("unknown", note=found.wrong)
    return Said(found.value, found.unit, limits(holder, of.observable))


def _range(holder: Json, of: Named) -> Said:
    low, high = (amount(obj(holder["valueRange"]).get(end), of.observable) for end in ("low", "high"))
    if low.value and high.value and low.unit == high.unit:
        return Said(f"{low.value}-{high.value}", low.unit, limits(holder, of.observable))
    if bool(low.value) is not bool(high.value):
        known = low if low.value else high
        return Said(f"{'>=' if low.value else '<='}{known.value}", known.unit, limits(holder, of.observable))
    return Said("unknown", note="a range that cannot be read")


def _coded(concept: object, of: Named) -> Said:
    answers = {codes.answer(each.system, each.code) for each in codings(concept)} - {None}
    if len(answers) == 1:
        return _answered(str(answers.pop()), of)
    if answers:
        return Said(wrong="answers that contradict one another")
    words = named(concept).partition(" (")[0]
    return (
        _answered({"true": "yes", "false": "no"}.get(words.casefold(), words), of) if words else Said(wrong="answer not known here")
    )


def _answered(word: str, of: Named) -> Said:
    """A word for a finding; `yes` is what the code stands for, and `no` its contrary."""
    observable = observables.get(of.observable)
    if observable.family is not None and word in ("yes", "no"):
        return Said(of.value if word == "yes" else "normal") if of.value else Said(wrong="yes or no where a number is expected")
    if word == "yes":
        return Said(of.value or ("yes" if observable.negative == "no" else "unknown"))
    return Said(observable.negative if word == "no" else word)


def _from_text(written: str, of: Named, is_finding: bool) -> list[Said]:
    if not written:
        return [Said(wrong="no value")]
    if is_finding:
        return [Said(written)]
    try:
        return [Said(piece.value, piece.unit, piece.reference, piece.note) for piece in cells.pieces(written)]
    except cells.Unclear as error:
        return [Said("unknown", note=str(error))]


def _without(holder: Json, of: Named, reason: str) -> Said:
    """Nothing was measured: the reason, or at least how a laboratory judged it."""
    if reason:
        return Said(_ABSENT.get(reason, "unknown"), note=f"absent: {reason}")
    judged = {_INTERPRETED.get(status(each), "") for each in items(holder.get("interpretation"))} - {""}
    if len(judged) == 1 and observables.get(of.observable).family is not None:
        return Said(judged.pop(), note="the laboratory's judgement")
    if text(holder.get("status")) == "registered":
        return Said(PENDING)
    return Said(wrong="no value")


def _extended(element: object) -> str:
    """The reason that an extension gives for a value that is not there."""
    extensions = items(obj(element).get("extension"))
    reasons = (text(each.get("valueCode")) for each in extensions if str(each.get("url")).endswith("data-absent-reason"))
    return next(reasons, "unknown")


def _noted(resource: Json) -> str:
    return " ".join(filter(None, (text(each.get("text")) for each in items(resource.get("note")))))


def _assay(name: str, resource: Json) -> str:
    """The method, where values of different methods cannot be compared with one another."""
    family = observables.get(name).family
    return named(resource.get("method")) if family and any(unit.apart for unit in family.units.values()) else ""

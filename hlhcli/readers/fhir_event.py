"""FHIR Conditions, Procedures and medications: findings with their time, notes, and the therapies of a patient."""

from __future__ import annotations

from collections.abc import Callable

from hlhcli import observables
from hlhcli.readers import codes
from hlhcli.readers.account import Account
from hlhcli.readers.chart import Chart, Fact, Given, Place, Remark
from hlhcli.readers.fhir_element import (
    Json,
    When,
    codings,
    items,
    moment,
    obj,
    period,
    reference,
    status,
    text,
    told,
    version,
    when,
)

VOID = "entered-in-error"
_DOUBTFUL = ("unconfirmed", "provisional", "differential")
_OVER = ("inactive", "resolved", "remission")
_DONE = ("completed", "in-progress")
_MEDICATIONS = {  # where the time stands, the states in which a drug was given, and what is to be said beside it
    "MedicationAdministration": ("effective occurence occurrence", ("in-progress", "completed", "stopped"), ""),
    "MedicationStatement": ("effective", ("active", "completed", "stopped", "recorded"), "as stated, not as administered"),
    "MedicationRequest": ("", ("active", "completed", "stopped"), "as requested, not as administered"),
    "MedicationDispense": ("", (), ""),
}
_INTENTS = ("order", "original-order", "reflex-order", "filler-order", "instance-order")


class Events:
    """Reads what happened to a patient into charts."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._medications: dict[str, Json] = {}
        self._waiting: list[tuple[str, Json, Place, Chart]] = []

    def reader(self, kind: str) -> Callable[[Json, Place, Chart], None] | None:
        """What reads resources of this type, if anything does."""
        if kind in _MEDICATIONS:
            return lambda resource, place, chart: self.medication(kind, resource, place, chart)
        return {"Condition": self.condition, "Procedure": self.procedure}.get(kind)

    def condition(self, resource: Json, place: Place, chart: Chart) -> None:
        self.account.read += 1
        found = [(each.system, each.code) for each in codings(resource.get("code"))]
        stated = list(dict.fromkeys(pair for each in found for pair in codes.findings(*each)))
        title = next(filter(None, (codes.diagnosis(*each) for each in found)), None)
        verified = status(resource.get("verificationStatus"))
        written = when(resource, "onset", "recordedDate")
        wrong = self._refused(resource, verified) or ("not confirmed" if verified in _DOUBTFUL else "")
        wrong = wrong or ("time that cannot be read" if written.bad else "")
        if not wrong and not stated and title is None:
            wrong = "code not known here" if found else "no code"
        refuted = verified == "refuted"
        if not wrong and refuted and len(stated) > 1:
            wrong = "refuted as a whole, which excludes none of its parts"
        if wrong:
            self._left(wrong, f"Condition {told(resource.get('code'))}", place, chart)
            return
        if title is not None:
            said = f"{'diagnosis refuted' if refuted else 'diagnosis on record'}: {title}"
            chart.remarks.append(Remark(said, written.date, timepoint=written.partial, place=place))
            self._began(resource, chart)
        self.account.read += len(stated) - 1 + (title is not None)
        over = status(resource.get("clinicalStatus")) in _OVER
        ends = (
            moment(resource.get("abatementDateTime"))
            if "abatementDateTime" in resource
            else period(resource.get("abatementPeriod"))
        )
        for name, value in stated:
            word = observables.get(name).negative if refuted else value
            lasts = name in codes.lasting() and not ends.text and not over
            written = written._replace(until=ends.date if ends.date > written.date else written.until)
            self._finding(name, word, written, place, chart, lasts, resource)

    @staticmethod
    def _began(resource: Json, chart: Chart) -> None:
        """The age at onset, where the diagnosis states it."""
        onset = obj(resource.get("onsetAge"))
        unit = {"a": "y", "mo": "mo", "wk": "wk", "d": "d"}.get(text(onset.get("code")), "")
        if text(onset.get("value")) and unit and not onset.get("comparator"):
            chart.person.onset = f"{text(onset.get('value'))} {unit}"

    def procedure(self, resource: Json, place: Place, chart: Chart) -> None:
        self.account.read += 1
        stated = [pair for each in codings(resource.get("code")) for pair in codes.findings(each.system, each.code)]
        stated = list(dict.fromkeys(stated))
        state = text(resource.get("status"))
        written = when(resource, "occurrence" if any(key.startswith("occurrence") for key in resource) else "performed")
        wrong = self._refused(resource, state) or ("" if state in _DONE else f"status {state or 'not stated'}")
        wrong = wrong or ("time that cannot be read" if written.bad else "")
        if wrong or not stated:
            self._left(wrong or "code not known here", f"Procedure {told(resource.get('code'))}", place, chart)
            return
        self.account.read += len(stated) - 1
        for name, value in stated:
            self._finding(name, value, written, place, chart, False, resource)

    def _finding(self, name: str, value: str, written: When, place: Place, chart: Chart, lasts: bool, resource: Json) -> None:
        fact = Fact(
            name,
            value,
            note=written.note,
            date=written.date,
            timepoint=written.partial,
            until=written.until,
            time=written.text,
            place=place,
            named=bool(text(resource.get("id"))),
            version=version(resource),
        )
        if lasts:
            chart.always.append(fact)
        else:
            chart.facts.add(fact)

    def _left(self, wrong: str, what: str, place: Place, chart: Chart) -> None:
        self.account.leave(wrong, what, place)
        if VOID in wrong:
            chart.voided.add(place.label)

    def _refused(self, resource: Json, state: str) -> str:
        if state == VOID:
            return f"status {VOID}"
        if resource.get("modifierExtension") or resource.get("implicitRules"):
            return "modified in its meaning by an extension not known here"
        return ""

    def described(self, resource: Json) -> None:
        """A Medication, which others refer to."""
        self._medications[text(resource.get("id"))] = resource

    def medication(self, kind: str, resource: Json, place: Place, chart: Chart) -> None:
        self.account.read += 1
        state = text(resource.get("status"))
        _, given, _ = _MEDICATIONS[kind]
        wrong = self._refused(resource, state) or ("" if state in given else f"status {state or 'not stated'}")
        if resource.get("doNotPerform") not in (None, False):
            wrong = "not to be given"
        if kind == "MedicationRequest" and text(resource.get("intent")) not in _INTENTS:
            wrong = wrong or f"intent {text(resource.get('intent')) or 'not stated'}"
        if kind == "MedicationDispense":
            wrong = "dispensed, which does not say when it was given"
        if wrong:
            self._left(wrong, kind, place, chart)
        else:
            self._waiting.append((kind, resource, place, chart))

    def finish(self) -> None:
        """Therapies, once every Medication is known."""
        for kind, resource, place, chart in self._waiting:
            self._given(kind, resource, place, chart)

    def _given(self, kind: str, resource: Json, place: Place, chart: Chart) -> None:
        concept = obj(resource.get("medicationCodeableConcept"))
        link = obj(resource.get("medicationReference"))
        newer = obj(resource.get("medication"))  # R5
        concept, link = concept or obj(newer.get("concept")), link or obj(newer.get("reference"))
        if link and not concept:
            inside = {text(each.get("id")): each for each in items(resource.get("contained"))}
            target = text(link.get("reference"))
            last = reference(link).id.rpartition("/")[2]
            held = inside.get(target[1:]) if target.startswith("#") else self._medications.get(last)
            concept = obj(obj(held).get("code")) or {"text": text(link.get("display"))}
        names = dict.fromkeys([text(concept.get("text")), *(each.display for each in codings(concept))])
        drugs = {codes.drug(name) for name in names if name} - {None}
        if len(drugs) != 1:
            reason = "no drug that is directed against HLH" if not drugs else "drug not clear"
            self.account.leave(reason, f"{kind} {next((each.told for each in codings(concept)), 'without a code')}", place)
            return
        stems, _, note = _MEDICATIONS[kind]
        written = next((found for stem in stems.split() if (found := when(resource, stem)).text), When())
        if kind == "MedicationRequest":
            written = moment(resource.get("authoredOn"))
        if written.bad:
            self.account.leave("time that cannot be read", kind, place)
            return
        single = kind == "MedicationAdministration"
        going = text(resource.get("status")) in ("active", "in-progress")
        stop = written.until or (written.date if single or (not going and "effectivePeriod" in resource) else "")
        chart.given.append(
            Given(
                str(drugs.pop()),
                _dose(resource),
                written.date,
                stop,
                "; ".join(filter(None, (note, f"from {written.partial}" if written.partial else ""))),
                single,
                place,
                bool(text(resource.get("id"))),
                version(resource),
            )
        )


def _dose(resource: Json) -> str:
    """The dose as text, where one is stated."""
    dosage = obj(resource.get("dosage")) or next(
        iter([*items(resource.get("dosage")), *items(resource.get("dosageInstruction"))]), {}
    )
    rate = next(iter(items(dosage.get("doseAndRate"))), {})
    stated = dosage.get("dose"), rate.get("doseQuantity"), dosage.get("rateQuantity"), rate.get("rateQuantity")
    for quantity in map(obj, stated):
        if text(quantity.get("value")):
            return f"{text(quantity.get('value'))} {text(quantity.get('unit')) or text(quantity.get('code'))}".strip()
    return text(dosage.get("text"))

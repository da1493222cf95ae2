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
    named,
    obj,
    reference,
    status,
    text,
    told,
    when,
)

VOID = "entered-in-error"
REFUTED, _PAST = "refuted", "past"
_VERIFICATION = {  # codes of HL7, SNOMED CT (as in GECCO) and the German ICD-10-GM, and words
    "confirmed": "", "410605003": "", "g": "",
    "refuted": REFUTED, "410594000": REFUTED, "723511001": REFUTED, "a": REFUTED, "ruled out": REFUTED,
    "unconfirmed": "doubtful", "provisional": "doubtful", "differential": "doubtful", "415684004": "doubtful", "v": "doubtful",
    "z": _PAST, VOID: VOID,
}  # fmt: skip
_OVER = ("inactive", "resolved", "remission")
_DONE = ("completed", "in-progress")
_MEDICATIONS = {  # where the time stands, the states in which a drug was given, and what is to be said beside it
    "MedicationAdministration": ("effective occurence occurrence", ("in-progress", "completed", "stopped"), ""),
    "MedicationStatement": ("effective", ("active", "completed", "stopped", "recorded"), "as stated, not as administered"),
    "MedicationRequest": ("", ("active", "completed", "stopped"), "as requested, not as administered"),
    "MedicationDispense": ("", (), ""),
}
_STATES = (
    "not-done", "on-hold", "stopped", "entered-in-error", "unknown", "preparation", "not-taken", "intended", "cancelled", "draft",
    "declined", "plan", "proposal", "option", "filler-order",
)  # fmt: skip
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
        verified = _verified(resource)
        written = when(resource, "onset", "recordedDate")
        ends, over = when(resource, "abatement"), status(resource.get("clinicalStatus")) in _OVER or verified == _PAST
        if not written.text and ends.text:  # still there on the day on which it ended
            written = ends
        wrong = self._refused(resource) or {"": "", REFUTED: "", _PAST: "", VOID: f"status {VOID}"}.get(verified, "not confirmed")
        wrong = wrong or ("time that cannot be read" if written.bad or ends.bad else "")
        if not wrong and not stated and title is None:
            wrong = "code not known here" if found else "no code"
        if not wrong and verified == REFUTED and len(stated) > 1:
            wrong = "refuted as a whole, which excludes none of its parts"
        if not wrong and verified == REFUTED and stated and not any(codes.is_whole(*each) for each in found):
            wrong = "refuted, but only one form of the finding"
        if not wrong and over and stated and (not written.text or written.note):
            wrong = "resolved, and when it was present is not stated"
        if wrong:
            self.account.leave(wrong, f"Condition {told(resource.get('code'))}", place)
            return
        if title is not None:
            said = f"{'diagnosis refuted' if verified == REFUTED else 'diagnosis on record'}: {title}{', resolved' * over}"
            chart.remarks.append(Remark(said, written.date, timepoint=written.partial, place=place))
            if verified != REFUTED:
                self._began(resource, chart)
        self.account.read += len(stated) - 1 + (title is not None)
        ended = over or any(key.startswith("abatement") for key in resource)
        note = "on record as resolved" if over else ""
        written = written._replace(
            until=ends.date if ends.date > written.date else written.until, note="; ".join(filter(None, (written.note, note)))
        )
        for name, value in stated:
            word = observables.get(name).negative if verified == REFUTED else value
            lasts = name in codes.lasting()
            which = "; ".join(filter(None, (written.note, named(resource.get("code")) if lasts else "")))  # of many malignancies
            self._finding(name, word, written._replace(note=which), place, chart, lasts and not ended)

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
        wrong = self._refused(resource) or ("" if state in _DONE else _state(state))
        wrong = wrong or ("time that cannot be read" if written.bad else "")
        if wrong or not stated:
            self.account.leave(wrong or "code not known here", f"Procedure {told(resource.get('code'))}", place)
            return
        self.account.read += len(stated) - 1
        for name, value in stated:
            self._finding(name, value, written, place, chart, False)

    def _finding(self, name: str, value: str, written: When, place: Place, chart: Chart, lasts: bool) -> None:
        fact = Fact(
            name,
            value,
            note=written.note,
            date=written.date,
            timepoint=written.partial,
            until=written.until,
            time=written.text,
            place=place,
        )
        if lasts:
            chart.always.append(fact)
        else:
            chart.facts.add(fact)

    def _refused(self, resource: Json) -> str:
        if resource.get("modifierExtension") or resource.get("implicitRules"):
            return "modified in its meaning by an extension not known here"
        if "family" in " ".join(named(each) or told(each) for each in items(resource.get("category"))).casefold():
            return "of the family, not of the patient"
        return ""

    def described(self, resource: Json, address: str) -> None:
        """A Medication, which others refer to by its id or by the address of its entry."""
        for key in (text(resource.get("id")), reference({"reference": address}).id):
            if key:
                self._medications[key.rpartition("/")[2]] = resource

    def medication(self, kind: str, resource: Json, place: Place, chart: Chart) -> None:
        self.account.read += 1
        state = text(resource.get("status"))
        _, given, _ = _MEDICATIONS[kind]
        wrong = self._refused(resource) or ("" if state in given else _state(state))
        if resource.get("doNotPerform") not in (None, False):
            wrong = "not to be given"
        if kind == "MedicationRequest" and text(resource.get("intent")) not in _INTENTS:
            wrong = wrong or _state(text(resource.get("intent"))).replace("status", "intent")
        if kind == "MedicationDispense":
            wrong = "dispensed, which does not say when it was given"
        if wrong:
            self.account.leave(wrong, kind, place)
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
            inside_it = [obj(each.get("itemCodeableConcept")) for each in items(obj(held).get("ingredient"))]
            concept = obj(obj(held).get("code")) or next(iter(inside_it), {}) or {"text": text(link.get("display"))}
        names = dict.fromkeys([text(concept.get("text")), *(text(each.get("display")) for each in items(concept.get("coding")))])
        drugs = {codes.drug(name) for name in names if name} - {None}
        dosage = _dosage(resource)
        if codes.is_local(" ".join((named(dosage.get("route")), named(dosage.get("method")), *names))):
            self.account.leave("given locally, not against HLH", kind, place)
            return
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
        state = text(resource.get("status"))
        single = kind == "MedicationAdministration" and not (state == "in-progress" and "effectivePeriod" in resource)
        stop = written.until or (written.date if single else "")
        if not stop and state in ("completed", "stopped"):
            note = "; ".join(filter(None, (note, f"{state}, the end is not stated")))
        dose = _dose(dosage)
        if dose.partition(" ")[0].strip("0.") == "" and dose[:1] == "0":
            self.account.leave("dose of zero", kind, place)
            return
        requested = kind == "MedicationRequest"
        chart.given.append(
            Given(
                str(drugs.pop()),
                f"{dose} (requested)".strip() if requested else dose,
                written.date,
                stop,
                "; ".join(filter(None, (note, f"from {written.partial}" if written.partial else ""))),
                single,
                place,
                requested,
            )
        )


def _state(stated: str) -> str:
    """A status that is none of those in which something was done or given."""
    return f"status {stated}" if stated in _STATES else "status not known here" if stated else "status not stated"


def _dosage(resource: Json) -> Json:
    stated = [*items(resource.get("dosage")), *items(resource.get("dosageInstruction"))]
    return obj(resource.get("dosage")) or next(iter(stated), {})


def _dose(dosage: Json) -> str:
    """The dose as text, where one is stated."""
    rate = next(iter(items(dosage.get("doseAndRate"))), {})
    stated = dosage.get("dose"), rate.get("doseQuantity"), dosage.get("rateQuantity"), rate.get("rateQuantity")
    for quantity in map(obj, stated):
        if text(quantity.get("value")):
            return f"{text(quantity.get('value'))} {text(quantity.get('unit')) or text(quantity.get('code'))}".strip()
    return text(dosage.get("text"))


def _verified(resource: Json) -> str:
    """Whether a Condition is there: empty for confirmed (or nothing said), refuted, past; else a word that says it is not sure."""
    stated = resource.get("verificationStatus")
    words = [each.code for each in codings(stated)] or [text(stated) or named(stated)]
    found = {_VERIFICATION.get(word.casefold(), "not known here") for word in words} if stated is not None else set()
    for extended in (resource, *items(obj(resource.get("code")).get("coding"))):
        for each in items(extended.get("extension")):
            if str(each.get("url")).casefold().endswith("diagnosesicherheit"):  # of ICD-10-GM: excluded, suspected, confirmed, past
                code = text(obj(each.get("valueCoding")).get("code")) or text(each.get("valueCode"))
                found.add(_VERIFICATION.get(code.casefold(), "not known here"))
    return found.pop() if len(found) == 1 else "" if not found else "contradicting"

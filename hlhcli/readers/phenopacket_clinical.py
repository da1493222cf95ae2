"""Measurements and medical actions of a phenopacket."""

from __future__ import annotations

from typing import Any

from hlhcli import observables
from hlhcli.observations import Missing, Qualitative, read
from hlhcli.quantity import BadQuantity, readings
from hlhcli.readers import codes
from hlhcli.readers.chart import Fact, Given, Place
from hlhcli.readers.phenopacket_element import Json, Term, Time, fields, moment, number, term, text, unit_of, unit_text
from hlhcli.readers.phenopacket_part import FORM, Part

_MEASUREMENT = {"description", "assay", "value", "complexValue", "timeObserved", "procedure"}
_PROCEDURE = {"code", "bodySite", "performed"}
_TREATMENT = {"agent", "routeOfAdministration", "doseIntervals", "drugType", "cumulativeDose"}
_DOSE = {"quantity", "scheduleFrequency", "interval"}
_ACTIONS = {"procedure", "treatment", "radiationTherapy", "therapeuticRegimen"}
_ABOUT = {"treatmentTarget", "treatmentIntent", "responseToTreatment", "adverseEvents", "treatmentTerminationReason"}


def measurement(found: Json, place: Place, part: Part) -> None:
    """A Measurement: one value, or the quantities of a complex one."""
    assay, procedure = term(found.get("assay")), fields(found.get("procedure"))
    part.unknown(found, _MEASUREMENT, "measurements", place)
    when = part.when(found.get("timeObserved") or procedure.get("performed"), "measurements.timeObserved", place)
    sampled = " ".join((assay.label, term(procedure.get("code")).label, term(procedure.get("bodySite")).label))
    if "complexValue" not in found:
        _measured(assay, fields(found.get("value")), sampled, when, place, part)
        return
    typed = fields(found["complexValue"]).get("typedQuantities")
    if "value" in found or not isinstance(typed, list) or not typed:
        part.account.leave("no value" if "value" not in found else "several values in one element", assay.told, place)
        return
    part.account.read += len(typed) - 1
    for each in typed:
        one = fields(each)
        of = term(one.get("type"))
        value = {"quantity": one["quantity"]} if "quantity" in one else {}
        _measured(of, value, f"{sampled} {of.label}", when, place, part)


def _measured(of: Term, value: Json, sampled: str, when: Time, place: Place, part: Part) -> None:
    known = codes.loinc(of.code) if of.system == "loinc" else None
    wrong = ""
    if known is None:
        wrong = "code not known here" if of.id else "no code"
    elif codes.specimen(sampled) is False and known[0] != "csf_cells":
        wrong = "not a specimen of blood"
    elif len(value) != 1:
        wrong = "several values in one element" if value else "no value"
    if wrong or known is None:
        part.account.leave(wrong, of.told, place)
        return
    if "quantity" in value:
        _quantity(*known, of, fields(value["quantity"]), when, place, part)
    elif "ontologyClass" in value:
        _answer(known[0], of, term(value["ontologyClass"]), when, place, part)
    else:
        part.account.leave(FORM, "measurements.value", place)


def _quantity(name: str, kind: str, of: Term, found: Json, when: Time, place: Place, part: Part) -> None:
    """A Quantity. One without a value is not zero, though protobuf leaves out a zero: which of them it is cannot be told."""
    amount, notes = number(found.get("value")), [when.note]
    if observables.get(name).family is None:
        part.account.leave("a number where a finding is expected", of.told, place)
        return
    if not amount:
        part.account.leave("no value, or a zero that was left out" if "value" not in found else "no number", of.told, place)
        return
    part.unknown(found, {"unit", "value", "referenceRange"}, "measurements.quantity", place)
    unit = unit_of(found.get("unit"), name)
    if unit is None:
        amount, unit = "unknown", ""
        notes.append("the unit and its code contradict one another")
        part.account.remark("unit and its code contradict one another", of.told, place)
    elif doubt := codes.contradicts(kind, name, unit):
        notes.append(doubt)
        part.account.remark("unit that its code contradicts", f"{of.told}: {unit}", place)
    unit = codes.qualified(kind, name, unit)
    fact = Fact(
        name, amount, unit, _reference(found, name, unit, of, place, part), note="; ".join(filter(None, notes)), place=place
    )
    part.add(fact, when)


def _reference(found: Json, name: str, unit: str, of: Term, place: Place, part: Part) -> str:
    """The reference range with its unit, where that is another; an end that is not stated is open."""
    limits = fields(found.get("referenceRange"))
    if not limits:
        return ""
    low, high = number(limits.get("low")), number(limits.get("high"))
    shown = f"{low}-{high}" if low and high else f"<={high}" if high else f">={low}"
    other = unit_of(limits.get("unit"), name) if "unit" in limits else unit
    family = observables.get(name).units
    stated, own = family.find(other or ""), family.find(unit)
    try:
        interval = readings(shown)[0].interval
        known = interval.hi is None or interval.hi > 0
    except BadQuantity:
        known = False
    if not known or other is None or (other and other != unit and (stated is None or own is None or not stated.convertible(own))):
        part.account.remark("reference range that cannot be read", of.told, place)
        return ""
    return f"{shown} {other}" if other and other != unit else shown


def _answer(name: str, of: Term, answer: Term, when: Time, place: Place, part: Part) -> None:
    """A value that is a term: yes or no of a finding, or a word such as normal."""
    observable = observables.get(name)
    coded = codes.answer(answer.system, answer.code) if answer.system else None
    if observable.family is None and observable.negative != "no":
        coded = None  # `absent` of NK activity is no `no`: it is what the word says
    word = observable.negative if coded == "no" else coded or answer.label
    try:
        value = read(name, word)
    except BadQuantity:
        value = None
    if value is None or not word or (observable.family is not None and not isinstance(value, (Qualitative, Missing))):
        part.account.leave("answer not known here", of.told, place)
    else:
        part.add(Fact(name, word.casefold(), note=when.note, place=place), when)


def action(found: Json, place: Place, part: Part) -> None:
    """A MedicalAction: a procedure, or the doses of a treatment."""
    kinds = [key for key in found if key in _ACTIONS]
    if len(kinds) != 1 or kinds[0] not in ("procedure", "treatment"):
        reason = f"{kinds[0]} is not read" if len(kinds) == 1 else FORM if kinds else "no action that is known here"
        part.account.leave(reason, "medicalActions", place)
        return
    part.unknown(found, _ACTIONS | _ABOUT, "medicalActions", place)
    inner = fields(found[kinds[0]])
    if kinds[0] == "procedure":
        _procedure(inner, place, part)
    else:
        _treatment(inner, found, place, part)


def _procedure(found: Json, place: Place, part: Part) -> None:
    of = term(found.get("code"))
    stated = of.known(codes.findings)
    if not stated:
        part.account.leave("code not known here" if of.id else "no code", of.told, place)
        return
    part.unknown(found, _PROCEDURE, "medicalActions.procedure", place)
    when = part.when(found.get("performed"), "medicalActions.procedure.performed", place)
    part.account.read += len(stated) - 1
    for name, value in stated:
        part.add(Fact(name, value, note="; ".join(filter(None, (of.label, when.note))), place=place), when)


def _treatment(found: Json, about: Json, place: Place, part: Part) -> None:
    """Each dose of a drug that is directed against HLH, by itself."""
    agent = term(found.get("agent"))
    drug = codes.drug(agent.label)
    if drug is None:
        part.account.leave("no drug that is directed against HLH", agent.told, place)
        return
    part.unknown(found, _TREATMENT, "medicalActions.treatment", place)
    doses = found.get("doseIntervals", [])
    if not isinstance(doses, list):
        part.account.remark(FORM, "medicalActions.treatment.doseIntervals", place)
        doses = []
    labels = {"response": "responseToTreatment", "ended": "treatmentTerminationReason"}
    notes = [f"{word}: {label}" for word, key in labels.items() if (label := term(about.get(key)).label)]
    if total := _amount(found.get("cumulativeDose")):
        notes.append(f"cumulative dose {total}")
    part.account.read += max(len(doses) - 1, 0)
    for each in doses or [{}]:
        part.chart.given.append(_dose(drug, fields(each), notes, place, part))


def _dose(drug: str, found: Json, notes: list[str], place: Place, part: Part) -> Given:
    part.unknown(found, _DOSE, "medicalActions.treatment.doseIntervals", place)
    interval = fields(found.get("interval"))
    start, stop = (_date(interval, end, place, part) for end in ("start", "end"))
    if start and stop and stop < start:
        part.account.remark("a treatment that ends before it starts", drug, place)
        notes, stop = [*notes, "its end is stated to be before its start"], ""
    dose = " ".join(filter(None, (_amount(found.get("quantity")), term(found.get("scheduleFrequency")).label)))
    return Given(drug, dose, start, stop, "; ".join(notes), place=place)


def _date(interval: Json, end: str, place: Place, part: Part) -> str:
    if end not in interval:
        return ""
    found = moment(interval[end])
    if found is None:
        part.account.remark("time that cannot be read", f"medicalActions.treatment.doseIntervals.interval.{end}", place)
    return found.date if found else ""


def _amount(node: Any) -> str:
    found = fields(node)
    value = text(found.get("value")) if number(found.get("value")) else ""
    return f"{value} {unit_text(found.get('unit'))}".strip() if value else ""

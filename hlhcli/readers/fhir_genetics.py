"""Genetic variants as Observations of the HL7 Genomics Reporting guide (Genetic variant assessment, LOINC 69548-6)."""

from __future__ import annotations

from hlhcli.readers import codes
from hlhcli.readers.account import Account
from hlhcli.readers.chart import Chart, Found, Place
from hlhcli.readers.fhir_element import Json, codings, items, named, obj, text

VARIANT = "69548-6"
_GENE, _CHANGE, _STATE, _MEANING = "48018-6", "48004-6", "53034-5", "53037-8"
_STATES = ("heterozygous", "homozygous", "hemizygous", "compound heterozygous")
_MEANINGS = {
    "pathogenic": "pathogenic",
    "likely pathogenic": "likely pathogenic",
    "uncertain significance": "VUS",
    "vus": "VUS",
    "likely benign": "likely benign",
    "benign": "benign",
}


def variant(resource: Json, place: Place, chart: Chart, account: Account) -> None:
    """A variant that is present, or a gene in which none was found."""
    account.read += 1
    parts = {
        each.code: component
        for component in items(resource.get("component"))
        for each in codings(component.get("code"))
        if each.system == "loinc"
    }
    said = {code: _said(component) for code, component in parts.items()}
    gene = said.get(_GENE, "")
    present = _present(resource)
    wrong = ""
    if text(resource.get("status")) not in ("final", "amended", "corrected", "preliminary"):
        wrong = f"status {text(resource.get('status')) or 'not stated'}"
    elif any(part.get("modifierExtension") or part.get("implicitRules") for part in (resource, *items(resource.get("component")))):
        wrong = "modified in its meaning by an extension not known here"
    elif resource.get("focus"):
        wrong = "about somebody or something else than the patient"
    elif not gene or present is None:
        wrong = "variant without its gene" if not gene else "variant neither present nor absent"
    if wrong:
        account.leave(wrong, f"loinc {VARIANT}", place)
    elif not present:
        chart.tested.append(gene)
        account.used += 1
    else:
        state, meaning = said.get(_STATE, "").casefold(), _MEANINGS.get(said.get(_MEANING, "").casefold(), "")
        note = f"stated: {said[_MEANING]}" if said.get(_MEANING) and not meaning else ""
        chart.variants.append(Found(gene, said.get(_CHANGE, ""), state if state in _STATES else "", meaning, note, place))


def _said(component: Json) -> str:
    concept = component.get("valueCodeableConcept")
    first = next((each.display or each.code for each in codings(concept)), "")
    return text(component.get("valueString")) or text(obj(concept).get("text")) or first


def _present(resource: Json) -> bool | None:
    """True where the variant was found, False where it was not."""
    concept = resource.get("valueCodeableConcept")
    answers = {codes.answer(each.system, each.code) for each in codings(concept)} - {None}
    word = {"present": "yes", "absent": "no", "detected": "yes", "not detected": "no"}.get(named(concept).casefold())
    said = answers.pop() if len(answers) == 1 else word
    return None if said is None else said == "yes"

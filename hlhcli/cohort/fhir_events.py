"""FHIR Conditions, Procedures and medications: why they are left, when they were, and what they state, as DuckDB reads them."""

from __future__ import annotations

from hlhcli.cohort.expressions import listed
from hlhcli.cohort.fhir_value import Paths, each, first, words
from hlhcli.cohort.source import ABSENT, ENDED, LEFT, PRESENT
from hlhcli.readers import fhir_event
from hlhcli.readers.fhir_event import REFUTED, VOID

MODIFIED = "modified in its meaning by an extension not known here"
MEDICATIONS = tuple(fhir_event._MEDICATIONS)
_PAST = "past"
_CERTAINTY = "diagnosesicherheit"  # of ICD-10-GM: excluded, suspected, confirmed, past


def when(at: Paths, stem: str, otherwise: str = "") -> str:
    """The text of the time: of a period its start, else its end; `timing` where it is one of several events."""
    once = f"CASE WHEN {at(f'{stem}Timing.event[1]')} IS NULL THEN {at(f'{stem}Timing.event[0]')} END"
    period = f"COALESCE({at.said(f'{stem}Period.start')}, {at.said(f'{stem}Period.end')})"
    texts = [at.said(f"{stem}DateTime"), at.said(f"{stem}Instant"), period]
    timing = f"CASE WHEN {at(f'{stem}Timing')} IS NOT NULL THEN COALESCE({once}, 'timing') END"
    return f"COALESCE({', '.join([*texts, timing, *([at.said(otherwise)] if otherwise else [])])})"


def reversed_(at: Paths, stem: str) -> str:
    """True for a period that ends before it starts."""
    start, end = (f"SUBSTRING({at.said(f'{stem}Period.{side}')}, 1, 10)" for side in ("start", "end"))
    return f"COALESCE({end} < {start} AND LENGTH({start}) = 10 AND LENGTH({end}) = 10, false)"


def refused(at: Paths, document: str) -> str:
    """A condition for WHEN: why nothing of the resource is used."""
    return (
        f"WHEN {at.has('modifierExtension')} OR {at.has('implicitRules')} THEN '{LEFT}{MODIFIED}' "
        f"WHEN {words(document, 'category[*]')} LIKE '%family%' THEN '{LEFT}of the family, not of the patient' "
    )


def condition(at: Paths, document: str, bad: str) -> str:
    """Whether the condition was there; `bad` is a time that cannot be read."""
    verified = _verified(document)
    plain = f"[CASE WHEN {at('clinicalStatus')} NOT LIKE '{{%' THEN {at('clinicalStatus')} END]"
    state = first(f"{plain} || {each(document, 'clinicalStatus.coding[*].code')}")
    over = f"(COALESCE({state} IN ({listed(fhir_event._OVER)}), false) OR {verified} = ['{_PAST}'])"
    unstated = f"{when(at, 'onset')} IS NULL AND ({at.said('recordedDate')} IS NOT NULL OR {when(at, 'abatement')} IS NULL)"
    gone = " OR ".join(
        f"{at(f'abatement{kind}')} IS NOT NULL" for kind in ("DateTime", "Period", "Age", "Range", "String", "Boolean")
    )
    return (
        f"CASE {refused(at, document)} WHEN {verified} = ['{VOID}'] THEN '{LEFT}status {VOID}' "
        f"WHEN len({verified}) > 1 OR {verified}[1] NOT IN ('', '{REFUTED}', '{_PAST}') THEN '{LEFT}not confirmed' "
        f"WHEN {bad} THEN '{LEFT}time that cannot be read' "
        f"WHEN {over} AND {unstated} THEN '{LEFT}resolved, and when it was present is not stated' "
        f"WHEN {verified} = ['{REFUTED}'] THEN '{ABSENT}' WHEN {over} OR {gone} THEN '{ENDED}' ELSE '{PRESENT}' END"
    )


def _verified(document: str) -> str:
    """What the verification says, as a list of the different things; an empty one says nothing."""
    known = " ".join(f"WHEN '{word}' THEN '{meaning}'" for word, meaning in fhir_event._VERIFICATION.items())
    stated = f"json_extract_string({document}, '$.verificationStatus')"
    coded = each(document, "verificationStatus.coding[*].code")
    word = f"COALESCE(json_extract_string({document}, '$.verificationStatus.text'), {stated})"
    words_ = f"CASE WHEN {stated} IS NULL THEN [] WHEN len({coded}) > 0 THEN {coded} ELSE [{word}] END"
    extensions = " || ".join(f"COALESCE(json_extract({document}, '$.{path}extension[*]'), [])" for path in ("", "code.coding[*]."))
    certain = f"list_filter({extensions}, lambda y: ends_with(LOWER(y ->> '$.url'), '{_CERTAINTY}'))"
    codes = f"list_transform({certain}, lambda y: COALESCE(y ->> '$.valueCoding.code', y ->> '$.valueCode', '?'))"
    return f"list_distinct(list_transform({words_} || {codes}, lambda y: CASE LOWER(TRIM(y)) {known} ELSE 'not known here' END))"


def procedure(at: Paths, document: str, bad: str) -> str:
    done = f"COALESCE({at('status')} IN ({listed(fhir_event._DONE)}), false)"
    return (
        f"CASE {refused(at, document)} WHEN NOT {done} THEN {_state(at('status'))} "
        f"WHEN {bad} THEN '{LEFT}time that cannot be read' ELSE '{PRESENT}' END"
    )


def _state(status: str, word: str = "status") -> str:
    return (
        f"CASE WHEN {status} IN ({listed(fhir_event._STATES)}) THEN '{LEFT}{word} ' || {status} "
        f"WHEN {status} IS NULL THEN '{LEFT}{word} not stated' ELSE '{LEFT}{word} not known here' END"
    )


def medication(at: Paths, document: str, bad: str) -> str:
    """A drug that was given, or requested."""
    given = " ".join(
        f"WHEN '{kind}' THEN {at('status')} IN ({listed(states)})"
        for kind, (_, states, _) in fhir_event._MEDICATIONS.items()
        if states
    )
    intent = (
        f"{at('resourceType')} = 'MedicationRequest' AND NOT COALESCE({at('intent')} IN ({listed(fhir_event._INTENTS)}), false)"
    )
    paths = (
        "dosage.dose",
        "dosage[0].doseAndRate[0].doseQuantity",
        "dosageInstruction[0].doseAndRate[0].doseQuantity",
        "dosage.rateQuantity",
    )
    dose = f"COALESCE({', '.join(at.said(f'{path}.value') for path in paths)})"
    return (
        f"CASE WHEN {at('resourceType')} = 'MedicationDispense' THEN '{LEFT}dispensed, which does not say when it was given' "
        f"{refused(at, document)} WHEN COALESCE({at('doNotPerform')}, 'false') <> 'false' THEN '{LEFT}not to be given' "
        f"WHEN NOT COALESCE(CASE {at('resourceType')} {given} END, false) THEN {_state(at('status'))} "
        f"WHEN {intent} THEN {_state(at('intent'), 'intent')} WHEN {bad} THEN '{LEFT}time that cannot be read' "
        f"WHEN REGEXP_MATCHES({dose}, '^0[.0]*$') THEN '{LEFT}dose of zero' ELSE '{PRESENT}' END"
    )


def drug(at: Paths, document: str, held: str) -> str:
    """`system|code|names of the drug`, its route among them: what stays local is no treatment. `held` is a Medication elsewhere."""
    own = "".join(
        f"WHEN {at(path)} IS NOT NULL THEN json_extract({document}, '$.{path}') "
        for path in ("medicationCodeableConcept", "medication.concept")
    )
    reference = f"COALESCE({at('medicationReference.reference')}, {at('medication.reference.reference')})"
    inside = f"list_filter(json_extract({document}, '$.contained[*]'), lambda y: '#' || (y ->> '$.id') = {reference})[1]"
    shown = f"json_object('text', {at('medicationReference.display')})"
    named = f"CASE {own}ELSE COALESCE({_of(f'({inside})')}, {_of(held)}, {shown}) END"
    texts = [
        f"[json_extract_string({named}, '$.text')]", each(named, "coding[*].display"),
        *(f"[{at(f'{dosage}.{part}.text')}, {at(f'{dosage}.{part}.coding[0].display')}]"
          for dosage in ("dosage", "dosage[0]", "dosageInstruction[0]") for part in ("route", "method")),
    ]  # fmt: skip
    name = f"array_to_string(list_filter({' || '.join(texts)}, lambda y: y <> ''), ' ')"
    system, code = (
        f"COALESCE(json_extract_string({named}, '$.coding[0].{part}'), '{otherwise}')"
        for part, otherwise in (("system", "FHIR"), ("code", "drug"))
    )
    plain = [f"REPLACE(REPLACE({text}, '|', '/'), ' ', '_')" for text in (system, code, name)]
    return " || '|' || ".join(plain)


def _of(resource: str) -> str:
    """What a Medication is called, or what is in it."""
    return f"COALESCE(json_extract({resource}, '$.code'), json_extract({resource}, '$.ingredient[0].itemCodeableConcept'))"

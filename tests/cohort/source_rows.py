"""Reads the rows of a source as the resolver of a cohort must: codes, units, values, by the readers of patient files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hlhcli import observables
from hlhcli.cohort.source import unit_of
from hlhcli.observations import Finding, Missing, answered, missing, quantity, read
from hlhcli.quantity import BadQuantity
from hlhcli.readers import codes
from hlhcli.readers.meanings import Meaning, values


def named(form, code):
    """The observables that the codes name together: (name, kind of unit, the value that the code stands for, whether it is whole)."""
    found, several = {}, []
    for coding in (code or "").split():
        system, _, rest = coding.partition("|")
        system, number = codes.system(system) or "", rest.partition("|")[0]
        if system == "hlhcli" and number in observables.names():
            found.setdefault(number, (number, "", "", True))
        elif system == "loinc" and (known := codes.loinc(number)):
            found.setdefault(known[0], (*known, "", True))
        elif system in ("snomed", "icd10", "hpo"):
            stated = [(name, "", value, codes.is_whole(system, number)) for name, value in codes.findings(system, number)]
            several = stated if len(stated) > 1 else several
            for each in stated if len(stated) == 1 else ():
                found.setdefault(each[0], each)
    if form == "omop":  # the standard concept before the one of the source
        return list(found.values())[:1] or several
    return [] if len(found) > 1 else list(found.values()) or several


def _finding(name, stated, whole, value):
    observable = observables.get(name)
    said = answered("present" if value == "ended" else value) if stated or observable.negative == "no" else None
    if said == "yes" and (stated or observable.family is None):
        return stated or "yes"
    if said == "no" and observable.family is None:
        return observable.negative if whole else None
    if said == "no" and stated:
        return "normal" if whole else None
    try:
        found = read(name, value)
    except BadQuantity:
        return "unknown"
    return found.text if isinstance(found, (Finding, Missing)) else "unknown"


def resolved(form, row):
    """What a row says: (person, day, observable, text)."""
    person, t, code, value, unit, reference = row
    day = None if t is None else (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=t)).date().isoformat()
    if value is None or value.startswith("!"):
        return []
    return [
        (person, day, name, text)
        for name, kind, stated, whole in named(form, code)
        for text in _texts(form, name, kind, stated, whole, value, unit, reference)
    ]


def _texts(form, name, kind, stated, whole, value, unit, reference):
    family = observables.get(name).family
    if value.startswith("?"):
        return ["unknown"]
    if family is None or stated:
        text = _finding(name, stated, whole, value)
        return [] if text is None else [text]
    if form == "fhir" and missing(value) == Missing("not stated"):
        return []
    unit, wrong = unit_of(form, name, unit or "")
    if wrong:
        return ["unknown"]
    tried = [values(each, Meaning(name, unit, kind), "point") for each in value.split("|")]
    said = next((found for found in tried if not any(each.doubt for each in found)), tried[0])
    return [text_of(name, each, reference) for each in said]


def text_of(name, said, reference):
    """The value as a patient file has it: in the spelling of its unit, or unknown."""
    if observables.get(name).family is None or said.value[:1] not in "<>.0123456789":
        return said.value
    try:
        text = quantity(observables.get(name), said.value, unit=said.unit or None).text
    except BadQuantity:
        return "unknown"
    return f"{text} (reference {reference})" if reference else text

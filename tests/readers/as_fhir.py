"""Writes a patient as the FHIR R4 that a hospital would send: coded Observations, Conditions, Procedures, MedicationStatements."""

from __future__ import annotations

import json
from datetime import date, timedelta
from fractions import Fraction
from itertools import count, cycle

from hlhcli import observables
from hlhcli.observations import Finding, Missing, Qualitative, Quantity
from hlhcli.quantity import exact_text
from hlhcli.readers import codes

START = date(2020, 3, 2)  # day 0 of a course that counts days
GAP = 20  # days between time points of which no day is stated; longer than any window
LOINC, UCUM, SNOMED = "http://loinc.org", "http://unitsofmeasure.org", "http://snomed.info/sct"
OWN, REPORTED, ITEM = "urn:hlhcli:observable", "urn:hlhcli:reported", "urn:hlhcli:item"
ABSENT_SYSTEM = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
ABSENT = {"not done": "not-performed", "pending": "temp-unknown", "unreadable": "error", "unknown": "unknown"}

# What a hospital records as a diagnosis or as something done, rather than as an observation. A code says that it is there.
CONDITIONS = {"fever": "386661006", "splenomegaly": "16294009", "hepatomegaly": "80515008", "malignancy": "363346000"}
PROCEDURES = {
    "mechanical_ventilation": "26763009",
    "dialysis": "265764009",
    "platelet_transfusion": "12719002",
    "noninvasive_ventilation": "428311008",
    "ecmo": "233573008",
}
NOT_IN_UCUM = {"FEU": "{FEU}", "DDU": "{DDU}"}  # UCUM has these only as annotations


class Writer:
    """The resources of one patient, and the dates of the time points."""

    def __init__(self, patient):
        self.patient = patient
        self.id = patient.patient.id or "patient"
        self.dates = dates_of(patient)
        self.resources = []
        self._number = count(1)
        self._words = cycle(("valueString", "valueCodeableConcept"))
        self._times = cycle(("", "T07:30:00+01:00"))
        self.person()
        for name, one in patient.background.items():
            self.observation(name, one, None)
        for timepoint, when in zip(patient.timepoints, self.dates, strict=True):
            for name, one in timepoint.observations.items():
                self.observed(name, one, when)
            for criteria, stated in timepoint.reported.items():
                self.reported(criteria, stated, when)
        for name, curve in patient.series.items():
            for moment, one in curve.points:
                self.observed(name, one, date_of(moment))
        for therapy in patient.therapies:
            self.therapy(therapy)
        if patient.genetics:
            self.genetics(patient.genetics)

    @property
    def at(self):
        """The options that name the time points."""
        named = zip(self.dates, self.patient.timepoints, strict=True)
        return [f"{when}={timepoint.name}" for when, timepoint in named]

    def bundle(self):
        """One document."""
        entries = [{"fullUrl": f"urn:uuid:{each['id']}", "resource": each} for each in self.resources]
        return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}, indent=1)

    def ndjson(self):
        """One resource on a line."""
        return "".join(json.dumps(each) + "\n" for each in self.resources)

    def add(self, kind, **parts):
        """A resource of the patient, without the parts that are None."""
        written = {"resourceType": kind, "id": f"r{next(self._number)}", **parts}
        self.resources.append({key: part for key, part in written.items() if part is not None})

    @property
    def subject(self):
        return {"reference": f"Patient/{self.id}"}

    def person(self):
        person = self.patient.patient
        born = birth_date(self.patient, self.dates)
        self.resources.append({"resourceType": "Patient", "id": self.id})
        if person.sex:
            self.resources[0]["gender"] = person.sex
        if born:
            self.resources[0]["birthDate"] = born.isoformat()
        if person.onset:
            self.condition({"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "D76.1"}]}, None, person.onset)

    def observed(self, name, one, when):
        """What was observed on a day, as a hospital would file it."""
        there = isinstance(one.value, Finding) and one.value.text == "yes"
        if there and name in CONDITIONS:
            self.condition({"coding": [{"system": SNOMED, "code": CONDITIONS[name]}]}, when)
        elif there and name in PROCEDURES:
            code = {"coding": [{"system": SNOMED, "code": PROCEDURES[name]}]}
            self.add("Procedure", status="completed", code=code, subject=self.subject, performedDateTime=self.time(when))
        else:
            self.observation(name, one, when)

    def condition(self, code, when, onset=None):
        age = None
        if onset is not None:
            unit = {"y": "a", "mo": "mo", "wk": "wk", "d": "d"}[onset.unit.name]
            age = {"value": number(onset.interval.lo), "unit": onset.unit.name, "system": UCUM, "code": unit}
        self.add(
            "Condition",
            verificationStatus={"coding": [{"code": "confirmed"}]},
            code=code,
            subject=self.subject,
            onsetDateTime=when and when.isoformat(),
            onsetAge=age,
        )

    def observation(self, name, one, when):
        value = one.value
        if value == Missing("not stated"):
            return
        self.add(
            "Observation",
            status="final",
            code={"coding": [coding(name, value)]},
            subject=self.subject,
            effectiveDateTime=self.time(when),
            method={"text": one.assay} if one.assay else None,
            **self.value(name, value),
        )

    def value(self, name, value):
        """The elements that hold a value, or say why there is none."""
        if isinstance(value, Missing):
            return {"dataAbsentReason": {"coding": [{"system": ABSENT_SYSTEM, "code": ABSENT[value.text]}]}}
        if isinstance(value, Quantity):
            return measured(value)
        if isinstance(value, Finding) and value.text in ("yes", "no"):
            return {"valueBoolean": value.text == "yes"}
        assert isinstance(value, (Finding, Qualitative))
        key = next(self._words)
        return {key: value.text if key == "valueString" else {"text": value.text}}

    def reported(self, criteria, stated, when):
        parts = {"verdict": stated.verdict, "count": stated.count, "score": stated.score, **stated.marks}
        for key, value in parts.items():
            if value is not None:
                self.add(
                    "Observation",
                    status="final",
                    code={"coding": [{"system": REPORTED, "code": criteria}, {"system": ITEM, "code": key}]},
                    subject=self.subject,
                    effectiveDateTime=self.time(when),
                    valueString=exact_text(value) if isinstance(value, Fraction) else str(value),
                )

    def therapy(self, therapy):
        start, stop = (each and date_of(each).isoformat() for each in (therapy.start, therapy.stop))
        self.add(
            "MedicationStatement",
            status="completed" if stop else "active",
            medicationCodeableConcept={"text": therapy.drug},
            subject=self.subject,
            effectivePeriod={"start": start, **({"end": stop} if stop else {})} if start else None,
            dosage=[{"text": therapy.dose}] if therapy.dose else None,
        )

    def genetics(self, genetics):
        """A variant in each gene in which one was found; in the others that there is none."""
        found = {variant.gene for variant in genetics.variants}
        for gene in genetics.tested:
            if gene not in found:
                self.variant("Absent", "LA9634-2", {"48018-6": gene})
        for each in genetics.variants:
            parts = {"48018-6": each.gene, "48004-6": each.variant, "53034-5": each.zygosity, "53037-8": each.classification}
            self.variant("Present", "LA9633-4", parts)

    def variant(self, word, answer, parts):
        self.add(
            "Observation",
            status="final",
            code={"coding": [{"system": LOINC, "code": "69548-6", "display": "Genetic variant assessment"}]},
            subject=self.subject,
            valueCodeableConcept={"coding": [{"system": LOINC, "code": answer, "display": word}]},
            component=[
                {"code": {"coding": [{"system": LOINC, "code": code}]}, "valueCodeableConcept": {"text": text}}
                for code, text in parts.items()
                if text
            ],
        )

    def time(self, when):
        """A date, or a moment of that day."""
        return None if when is None else f"{when}{next(self._times)}"


def coding(name, value):
    """The LOINC code whose own name fits the unit; for what has none, the name in this tool."""
    for code in observables.codes(name, "loinc"):
        code, _, kind = code.partition(":")
        unit = value.unit.name if isinstance(value, Quantity) else ""
        fits = codes.contradicts(kind, name, unit) is None and codes.qualified(kind, name, unit) == unit
        if fits and not isinstance(value, Finding):
            return {"system": LOINC, "code": code}
    return {"system": OWN, "code": name}


def measured(value):
    """A number, as valueQuantity or valueRange, with the laboratory's limits."""
    lo, hi, lo_open, hi_open = value.interval
    parts = {}
    if value.interval.is_point:
        parts["valueQuantity"] = quantity(lo, value.unit)
    elif lo is None or hi is None or (lo == 0 and value.text.startswith("<")):
        comparator = (">" if lo_open else ">=") if hi is None else ("<" if hi_open else "<=")
        parts["valueQuantity"] = {"comparator": comparator, **quantity(lo if hi is None else hi, value.unit)}
    else:
        assert not lo_open
        assert not hi_open
        parts["valueRange"] = {"low": quantity(lo, value.unit), "high": quantity(hi, value.unit)}
    if value.reference:
        parts["referenceRange"] = [limits(value.reference, value.unit)]
    return parts


def limits(reference, unit):
    """The laboratory's limits; FHIR's ends are of the range, so that one that is not can only be said in a text."""
    lo, hi, lo_open, hi_open = reference
    if hi_open or lo_open:
        return {"text": f"<{exact_text(hi)} {unit.name}" if hi_open else f">{exact_text(lo)} {unit.name}"}
    ends = {"low": lo if lo or hi is None else None, "high": hi}
    return {key: quantity(end, unit) for key, end in ends.items() if end is not None}


def quantity(value, unit):
    """A Quantity with the text of its unit and the code of UCUM."""
    mark = next((mark for word, mark in NOT_IN_UCUM.items() if unit.name.endswith(word)), "")
    return {"value": number(value), "unit": unit.name, "system": UCUM, "code": f"{unit.ucum}{mark}"}


def number(value):
    """A number that JSON writes with the digits that it has."""
    written = int(value) if value.denominator == 1 else float(value)
    assert Fraction(repr(written)) == value
    return written


def date_of(moment):
    """The date of a day of the course, or the date that is stated."""
    return moment.date or START + timedelta(days=int(moment.day))


def dates_of(patient):
    """A date for each time point: its own, that of its day, or one that keeps it in its place among the others."""
    dates = [date_of(each) if each.date or each.day is not None else None for each in patient.timepoints]
    moments = [moment for curve in patient.series.values() for moment, _ in curve.points]
    moments += [moment for each in patient.therapies for moment in (each.start, each.stop) if moment]
    latest = max([*filter(None, dates), *map(date_of, moments)], default=START)
    for place, when in enumerate(dates):
        if when is not None:
            continue
        after = next(((ahead, later) for ahead, later in enumerate(dates[place:]) if later), None)
        before = dates[place - 1] if place else None
        if after is None:
            dates[place] = (latest if before is None else max(before, latest)) + timedelta(days=GAP)
        elif before is None:
            dates[place] = after[1] - timedelta(days=GAP * after[0])
        else:
            dates[place] = before + (after[1] - before) / (after[0] + 1)
    assert len(set(dates)) == len(dates)
    return dates


def birth_date(patient, dates):
    """A date of birth with which the age is in the middle of what is stated of it."""
    if patient.patient.birth_date or not patient.patient.age:
        return patient.patient.birth_date
    age = patient.patient.age
    interval = age.unit.convert(age.interval, observables.get("age").units.first)
    lo = interval.lo or Fraction(0)
    return min(dates) - timedelta(days=int((lo + (interval.hi or lo + 2)) / 2))

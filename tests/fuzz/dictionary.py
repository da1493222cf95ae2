"""Words that the forms are made of, for the mutators; and the same as a file for libFuzzer (`python dictionary.py > FILE`)."""

from __future__ import annotations

import sys

from hlhcli import observables

VALUES = """0 1 -1 7.4 9,2 900 20000 38 38.5 1e3 1e15 1e16 1e999999999 -0 0.0 .5 5. 1,200 20,000 20.000,5 1'000 00012 0x10 1_000 ²³ ٣ １２
>20,000 <5 <=1 >=500 ≥500 ≤1 => 13-21 21-13 1--2 5-5 ~5 ± nan NaN inf -inf Infinity 99999999999999999999999999999999999999
1.000000000000000000000000000001 40 Cel °C °F F g/dL g/L mmol/L mg/dL ng/mL µg/L μg/L ug/L U/mL 10*9/L 10^9/L 10⁹/L K/uL /uL x10E9/L pg/mL FEU
% mm/h cm 90 103/uL 40 C 104 F 7.4 g/dL 900 ng/mL >20000 ng/mL 5.0 ng/mL FEU
yes no true false present absent positive negative normal low elevated rising falling WNL pending unknown null ~ not done N/A - ? + TNP
marrow spleen lymph node liver csf low, rising 31 (d 12) 410, 560 7.4 L 7.4* 1+ trace <LOD #N/A #NUM! ---
20 d 3 wk 18 mo 11 y 0 d 999 y 11.5 y 7 d 72 h 2 wk 0 h 9999 wk
0 10 -3 99999 -99999 2.5 1e2 day 3 d12 D-1 2016-05-02 2016-02-30 2016-02-29 0000-01-01 0001-01-01 1849-12-31 1850-01-01 2200-12-31
9999-12-31 10000-01-01 2016-05-02T10:00:00Z 2016-05-02T23:59:60Z 2016-05-02T24:00 2016-05-02T10:00:00+14:00 2016-05-02T10:00:00.123456789-12:00
20160502 2016 2016-05 02/05/2016 13/05/2016 05/13/2016 1.2.2016 2 May 2016 May 2, 2016 42492 42492.5 2/5/16
male female m f other 8507 one PRF1 UNC13D c.1A>G p.(Arg1*) homozygous heterozygous compound heterozygous pathogenic VUS hemizygous
met not_met not met indeterminate hlh-2004 hscore mas-2016 hlh-2024 marsh-2013 3/8 5 169 "" '' [] {} [a] {a: b}
etoposide dexamethasone ruxolitinib emapalumab 112.5 mg/m2 first line salvage baseline previous""".replace(
    "\n", " "
).split(" ")
PHRASES = [
    "not done", "40 Cel", "104 F", "7.4 g/dL", "900 ng/mL", ">20,000 ng/mL", "90 103/uL", "38 10*9/L", "3.1 mmol/L", "1.2 g/L",
    "5 ng/mL FEU", "4100 U/mL", "lymph node", "low, rising", "31 (d 12)", "410, 560", "11 y", "3 wk", "18 mo", "20 d", "7 d",
    "72 h", "day 3", "2 May 2016", "May 2, 2016", "compound heterozygous", "112.5 mg/m2", "first line", "not met",
    "ferritin >= 500 ng/mL", "temperature >= 38.5 Cel", "platelets < 100 10*9/L", "triglycerides >= 3.0 mmol/L or >= 265 mg/dL",
    "fibrinogen <= 1.5 g/L", "ferritin > 2 x upper limit", "ferritin at baseline >= 1 ug/L", "ferritin falls by >= 50 %",
    "age < 28 d", "hemoglobin < 90 g/L", "0.5 * ferritin", "2.44 * hemoglobin", "at least 2", "hemophagocytosis in marrow",
    "9" * 40, "9" * 5000, "x" * 250, "\u202e", "\x1b[31m", "\\ud800", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "\ufeff", "\u2028", "\x85", "\xa0", "\u200b", "İ", "ß", "ﬁ", "①", "½", "\U000e0041",
]  # fmt: skip
KEYS = """patient id age birth_date onset sex units conventional si decimal comma point background therapies drug line dose start stop
baseline note timepoints name day date window observations reported verdict count score genetics tested variants gene variant zygosity
classification workup infectious rheumatologic oncologic series unit points value reference assay comparator
title citation text doi pmid url provenance primary secondary unverified extends at_least of when stated all any agree first_known not if
then else without change add version population sufficient probability reports observable say grade not_computable notes cases expect
applicable warns caution role scope due otherwise published_for on_request only classes worse from tolerance or_end grace normalized new class
layout long wide delimiter semicolon tab pipe encoding utf-16 cp1252 dates day-first month-first sexes time timepoint missing analyte
reference_low reference_high specimen status analytes columns codes ignore choices unchecked age_unit sheet
resourceType Bundle Observation Patient Condition DiagnosticReport MedicationAdministration MedicationRequest Procedure Specimen Encounter
entry resource fullUrl subject reference code coding system http://loinc.org http://snomed.info/sct http://unitsofmeasure.org 2276-4 718-7
777-3 8310-5 valueQuantity valueString valueCodeableConcept valueInteger valueBoolean valueRange low high valueRatio component
interpretation dataAbsentReason referenceRange effectiveDateTime effectivePeriod effectiveInstant issued final preliminary
entered-in-error cancelled amended contained hasMember derivedFrom gender birthDate extension modifierExtension identifier
clinicalStatus verificationStatus onsetDateTime abatementDateTime display bodySite method multipleBirth deceasedBoolean
phenotypicFeatures type excluded modifiers subjectId timeAtLastEncounter age iso8601duration P11Y P3W P0D measurements assay
quantity timeObserved timestamp ontologyClass interpretations diagnosis genomicInterpretations variantInterpretation metaData
phenopacketSchemaVersion medicalActions treatment agent doseIntervals interval family proband cohort members HP:0001945
person_id measurement_concept_id measurement_date value_as_number unit_concept_id operator_concept_id record_id redcap_event_name
redcap_repeat_instrument redcap_repeat_instance site___1 labs_complete patient_id test result""".split()


def words() -> list[str]:
    """Keys, names of observables, values."""
    return [*dict.fromkeys([*KEYS, *observables.names(), *(value for value in VALUES if value), *PHRASES])]


def main() -> None:
    for word in words():
        encoded = word.encode("utf-8", "replace")
        if len(encoded) <= 64:
            print('"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in encoded) + '"')


if __name__ == "__main__":
    sys.exit(main())

"""Every sample, written as the FHIR that a hospital would send and read again, is assessed as the sample itself."""

from __future__ import annotations

import pytest
from command import SAMPLES, hlhcli
from readers.as_fhir import Writer
from typer.testing import CliRunner

from hlhcli import cli_convert, criteria, observables
from hlhcli.api import evaluate_document, load_document, load_input, parse_document
from hlhcli.commands import reading
from hlhcli.patient import Patient

FILES = sorted(SAMPLES.glob("*.yaml"))
ALL = [criteria.load(name) for name in criteria.ids()]

# Curves are looked back over by the windows of the time points, and the command has one window for all of them.
# The synthetic course has some of two days and some of three; three days see the same values.
WINDOWS = {"synthetic-course.yaml": "3d"}

# Drugs of the samples that are not read: none of them is directed against HLH, or no drug is named.
OTHER_DRUGS = {"pmc5776167.yaml": 1, "pmc6910033.yaml": 2}  # clindamycin; plasma exchange and "steroids"

# What no sample has: variants, an onset, limits and assays, other units, results that cannot be had, findings of a background.
MADE = """
patient: {id: made, birth_date: 2018-11-30, onset: 8 mo, sex: male}
background: {family_history: yes, sjia: no, malignancy: yes, immunosuppression: unknown, jsle: not done}
therapies:
  - {drug: emapalumab, dose: 3 mg/kg, start: 2020-03-02, stop: 2020-03-09}
  - {drug: ruxolitinib, start: 2020-03-20}
timepoints:
  - name: Admission, "first" = day 0
    date: 2020-03-01
    observations:
      temperature: 102.4 degF
      sil2r: {value: ">=7500", unit: U/mL, reference: 200-900, assay: CLIA}
      ferritin: {value: "<5", unit: nmol/L}
      csf_cells: ">5 /uL"
      d_dimer: 3000 ng/mL FEU
      gcs: 14
      fibrinogen: {value: 4.4, unit: umol/L, reference: ">5.9"}
      nk_activity: absent
      exocytosis: defective
      perforin: low
      hemoglobin: unreadable
      platelets: 2.2 lakh/mm3
      creatinine: 88 umol/L
      bun: 9 mmol/L
      triglycerides: 2-4 mmol/L
      esr: 18 mm/h
      sodium: 128 mmol/L
      dialysis: yes
      hemophagocytosis: liver, csf
      disease_state: flare
      cns_involvement: yes
      fever: pending
    reported:
      hlh-2004: {verdict: indeterminate, count: 4, ferritin: unknown, nk_activity: met}
      hscore: {score: 169.5}
  - name: Later
    date: 2020-03-20
    observations:
      ferritin: falling
      crp: low
      sil2r: {value: 700, unit: pg/mL, reference: "<858"}
      disease_state: remission
      active_arthritis: no
      splenomegaly: no
      noninvasive_ventilation: yes
      platelet_transfusion: yes
genetics:
  tested: [PRF1, UNC13D, STX11, XIAP]
  variants:
    - {gene: PRF1, variant: "NM_001083116.3:c.50del", zygosity: compound heterozygous, classification: pathogenic}
    - {gene: PRF1, variant: "NM_001083116.3:c.272C>T", zygosity: compound heterozygous, classification: VUS}
    - {gene: XIAP, zygosity: hemizygous, classification: likely benign}
"""


def decided(document):
    """Whatever the criteria decide of a patient, by time point and set."""
    return {
        (each.timepoint, each.criteria.id): {
            "verdict": each.verdict,
            "by": each.by,
            "counts": each.groups,
            "score": each.outcome.range,
            "applicable": each.applicable,
            "agrees": each.reported.agrees,
            "items": {item.id: (item.status, item.reported, item.points) for item in each.items},
        }
        for each in evaluate_document(document, ALL).assessments
    }


def options(at, window=None):
    """How the command reads an input with these options."""
    return reading(None, None, None, at, None, window)


def documents():
    return [pytest.param(path, id=path.name) for path in FILES] + [pytest.param(None, id="made")]


def loaded(path):
    return load_document(path) if path else parse_document(MADE, "made")


@pytest.mark.parametrize("path", documents())
@pytest.mark.parametrize("form", ["bundle", "ndjson", "converted"])
def test_round_trip(form, path, tmp_path):
    """The same verdicts, counts, scores, items and agreement, as a Bundle, as NDJSON, and through a file that convert wrote."""
    document = loaded(path)
    writer = Writer(document.patient)
    window = WINDOWS.get(path.name) if path else None
    sent = tmp_path / "sent"
    sent.write_text(writer.ndjson() if form == "ndjson" else writer.bundle(), encoding="utf-8")
    if form == "converted":
        wanted = [each for option in writer.at for each in ("--at", option)] + (["--window", window] if window else [])
        ran = CliRunner().invoke(cli_convert.app, ["convert", str(sent), "-o", str(tmp_path / "converted.yaml"), *wanted])
        assert ran.exit_code == 0, ran.output
        found = load_document(tmp_path / "converted.yaml")
    else:
        read = load_input(sent, options(writer.at, window))
        (found,) = read.documents
        assert read.account.read == read.account.used + read.account.unused
        reasons = {kind.reason for kind in read.account.left}
        assert read.account.unused == (OTHER_DRUGS.get(path.name, 0) if path else 0), reasons
        assert reasons <= {"no drug that is directed against HLH"}
        assert not read.account.remarks
    expected, result = decided(document), decided(found)
    assert list(result) == list(expected)
    for key, of_one in expected.items():
        assert result[key] == of_one, key


@pytest.mark.parametrize(("name", "form"), [("broglie-2017.yaml", "bundle"), ("synthetic-course.yaml", "ndjson")])
def test_round_trip_of_the_command(name, form, tmp_path):
    """The real command says of the FHIR, and of the file that it makes of it, what it says of the sample."""
    writer = Writer(load_document(SAMPLES / name).patient)
    sent, made = tmp_path / "sent", tmp_path / "made" / "patient.yaml"
    sent.write_text(getattr(writer, form)(), encoding="utf-8")
    wanted = [f"--at={option}" for option in writer.at] + ([f"--window={WINDOWS[name]}"] if name in WINDOWS else [])
    assert hlhcli("convert", sent, "-o", made, *wanted).code == 0
    expected = [told(each) for each in of(hlhcli("check", "--json", SAMPLES / name))]
    assert expected
    assert [told(each) for each in of(hlhcli("check", "--json", sent, *wanted))] == expected
    assert [told(each) for each in of(hlhcli("check", "--json", made))] == expected


def of(ran):
    assert ran.code == 0, ran.err
    return ran.json["results"][0]["assessments"]


def told(assessment):
    """What a script reads of an assessment, but for the day, which became a date, and the words of the notes."""
    items = [(item["id"], item["status"], item["reported"], item["points"]) for item in assessment["items"]]
    same = ("timepoint", "criteria", "verdict", "by", "count", "score", "reported", "by_values", "applicable", "would_decide")
    return {key: assessment[key] for key in same} | {"items": items}


# What FHIR cannot say, or this reader does not take, of one value.
NUMBERS = ("7", "7.25", "0", "<5", "<=5", ">20", ">=20", "2-4")
WORDS = ("normal", "elevated", "low", "rising", "falling", "elevated, rising", "low, falling")
REASONS = ("not done", "pending", "unreadable", "unknown")


def values_of(observable):
    """Every kind of value that a patient file can have of an observable."""
    if observable.family is None:
        yes = ["yes"] if observable.negative == "no" else []
        several = [", ".join(observable.values)] if len(observable.values) > 1 else []
        return [*yes, *observable.values, observable.negative, *several, *REASONS]
    numbers = [{"value": value, "unit": unit} for unit in observable.units.units for value in NUMBERS]
    limits = [{"value": "7.25", "unit": observable.conventional, "reference": text} for text in ("1-9", "<9", "<=9", ">=1", ">1")]
    apart = any(unit.apart for unit in observable.units.units.values())
    assay = [{"value": "7.25", "unit": observable.conventional, "assay": "CLIA"}] if apart else []
    return [*numbers, *limits, *assay, *WORDS, *REASONS]


@pytest.mark.parametrize("name", observables.names())
def test_every_value(name, tmp_path):
    """Each number in each unit, each bound, range, limit, word, site and reason of each observable comes back as it was."""
    values = values_of(observables.get(name))
    patient = Patient.read(
        {"timepoints": [{"name": f"{n}", "day": f"{n}", "observations": {name: v}} for n, v in enumerate(values)]}
    )
    writer = Writer(patient)
    sent = tmp_path / "sent"
    sent.write_text(writer.bundle(), encoding="utf-8")
    read = load_input(sent, options([], None))
    (document,) = read.documents
    assert (read.account.unused, read.account.remarks) == (0, [])
    found = {each.name: each.observations.get(name) for each in document.patient.timepoints}
    if name in document.patient.background:  # a finding that goes on once it is there
        found[str(writer.dates[0])] = document.patient.background[name]
    for when, timepoint, value in zip(writer.dates, patient.timepoints, values, strict=True):
        assert said(found[str(when)]) == said(timepoint.observations[name]), value


def said(one):
    """What an observation says, without how it is shown."""
    value = one.value
    number = (value.interval, value.unit, value.reference) if hasattr(value, "interval") else ()
    return type(value), number or value, one.assay


def test_the_writer_uses_all_of_fhir():
    """The round trip is of everything that the reader takes: no kind of resource and of value is left out."""
    written = [each for path in [*FILES, None] for each in Writer(loaded(path).patient).resources]
    kinds = {each["resourceType"] for each in written}
    assert kinds == {"Patient", "Observation", "Condition", "Procedure", "MedicationStatement"}
    elements = {key for each in written for key in each}
    assert elements >= {"valueQuantity", "valueRange", "valueBoolean", "valueString", "valueCodeableConcept", "dataAbsentReason"}
    assert elements >= {"referenceRange", "method", "component", "onsetAge", "birthDate", "effectivePeriod"}

"""Phenopackets: what is excluded is no, what is absent is unknown, and ages put what was observed in order."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hlhcli.age import read_age
from hlhcli.errors import InputError
from hlhcli.readers.account import Account
from hlhcli.readers.phenopacket import is_phenopacket, read
from hlhcli.yamltree import JsonNumber

STORE = Path(__file__).parents[3] / "shared" / "data" / "phenopackets"
META = {"phenopacketSchemaVersion": "2.0.2"}


def parsed(tree):
    """The tree as a JSON file gives it: every number is its text."""
    return json.loads(json.dumps(tree), parse_float=JsonNumber, parse_int=JsonNumber)


def reading(tree):
    account = Account("p.json", "phenopacket")
    charts = list(read(parsed(tree), "p.json", account))
    balance(account, charts)
    return charts, account


def balance(account, charts):
    """Every entry is used or left."""
    used = sum(
        len(list(c.facts)) + len(c.always) + len(c.given) + len(c.variants) + len(c.remarks) + len(c.stated) + c.person.known
        for c in charts
    )
    assert account.read == used + account.unused


def packet(**parts):
    return {"id": "x", "subject": {"id": "a"}, "metaData": META, **parts}


def one(**parts):
    charts, account = reading(packet(**parts))
    assert len(charts) == 1
    return charts[0], account


def facts(chart):
    return [(fact.observable, fact.value, fact.date or fact.timepoint) for fact in chart.facts]


def left(account):
    return [kind[0] for kind in account.left]


def remarked(account):
    return {(kind[0], kind[1]) for kind in account.remarks}


def at(duration):
    return {"age": {"iso8601duration": duration}}


def feature(code, label="", **more):
    return {"type": {"id": code, "label": label}, **more}


@pytest.mark.parametrize(
    ("code", "excluded", "expected", "reason"),
    [
        ("HP:0001945", False, [("fever", "yes")], []),
        ("HP:0001945", True, [("fever", "no")], []),
        ("HP:0001903", False, [("hemoglobin", "low")], []),
        ("HP:0001903", True, [("hemoglobin", "normal")], []),
        ("HP:0003281", False, [("ferritin", "elevated")], []),
        ("HP:0001433", False, [("splenomegaly", "yes"), ("hepatomegaly", "yes")], []),
        ("HP:0001433", True, [], ["excluded as a whole, which excludes none of its parts"]),
        ("HP:0012156", False, [("hemophagocytosis", "yes")], []),
        ("HP:0012156", True, [("hemophagocytosis", "no")], []),
        ("HP:0034799", False, [("hemophagocytosis", "spleen")], []),
        ("HP:0034799", True, [], ["excluded, but only one form of the finding"]),
        ("HP:0012178", False, [("nk_activity", "low")], []),
        ("HP:0012178", True, [("nk_activity", "normal")], []),
        ("HP:0001250", True, [], ["excluded, but only one form of the finding"]),
        ("HP:0000252", True, [], ["term not known here"]),
        ("", False, [], ["no term"]),
        ("HP:0001945", "true", [], ["neither excluded nor not: true or false is expected"]),
    ],
)
def test_a_feature(code, excluded, expected, reason):
    """A term is present or excluded; its absence says no more than what it names."""
    chart, account = one(phenotypicFeatures=[feature(code, excluded=excluded)])
    assert facts(chart) == [(name, value, "time not stated") for name, value in expected]
    assert left(account) == reason


def test_a_term_that_is_not_listed_is_unknown():
    """Nothing is said of what the phenopacket does not mention."""
    chart, _ = one(phenotypicFeatures=[feature("HP:0001945")])
    assert [fact.observable for fact in chart.facts] == ["fever"]


def test_what_a_feature_says_beside_its_term():
    """Severity, modifiers, resolution and a site that is not stated stand in the note."""
    features = [
        feature("HP:0012156", "Hemophagocytosis", severity={"id": "HP:0012828", "label": "Severe"}, resolution=at("P2Y")),
        feature("HP:0001250", "Seizure", modifiers=[{"id": "HP:0025204", "label": "Triggered by"}], onset=at("P1Y")),
        feature(
            "HP:0001945", "Fever", onset={"timestamp": "2020-01-02T00:00:00Z"}, resolution={"timestamp": "2020-01-09T00:00:00Z"}
        ),
        feature("HP:0001903", "Anemia", excluded=True),
    ]
    chart, _ = one(phenotypicFeatures=features)
    notes = {fact.observable: (fact.note, fact.until) for fact in chart.facts}
    assert notes == {
        "hemophagocytosis": ("site not stated; Severe; resolved at 2 y", ""),
        "cns_involvement": ("Seizure; Triggered by", ""),
        "fever": ("", "2020-01-09"),
        "hemoglobin": ("Anemia excluded", ""),
    }


@pytest.mark.parametrize(
    ("onset", "expected", "age"),
    [
        (at("P22Y"), "at 22 y", "22 y"),
        (at("P1Y7M"), "at 1 y 7 mo", "1 y 7 mo"),
        (at("P20D"), "at 20 d", "20 d"),
        (at("P3W"), "at 3 wk", "3 wk"),
        (at("P40Y10M05D"), "at 40 y 10 mo", "40 y 10 mo"),
        (at("P22Y0M0D"), "at 22 y", "22 y"),
        (at("P0Y0M0D"), "at 0 d", "0 d"),
        (at("PT36H"), "at 1 d", "1 d"),
        (at("P0.5Y"), "at 0.5 y", "0.5 y"),
        (
            {"ageRange": {"start": {"iso8601duration": "P2Y"}, "end": {"iso8601duration": "P3Y"}}},
            "between 2 y and 3 y",
            "730-1461 d",
        ),
        ({"timestamp": "2020-03-01T10:00:00.5Z"}, "2020-03-01", ""),
        ({"interval": {"start": "2020-03-01T00:00:00Z", "end": "2020-03-09T00:00:00Z"}}, "2020-03-01", ""),
        ({"interval": {"end": "2020-03-09T00:00:00Z"}}, "2020-03-09", ""),
        ({"gestationalAge": {"weeks": 32, "days": 3}}, "at 32 wk 3 d of gestation", ""),
        ({"ontologyClass": {"id": "HP:0003623", "label": "Neonatal onset"}}, "Neonatal onset", ""),
        (None, "time not stated", ""),
    ],
)
def test_a_time(onset, expected, age):
    """Each way to state a time becomes a date or the name of a time point; an age reads as one of a patient file."""
    chart, account = one(phenotypicFeatures=[feature("HP:0001945", onset=onset)])
    assert facts(chart) == [("fever", "yes", expected)]
    assert chart.person.age == age
    assert not remarked(account)
    if age:
        assert read_age(age)


@pytest.mark.parametrize(
    "onset",
    [
        at("22Y"), at("P"), at("PT"), at("P1Y2"), at("P900Y"), at("-P1Y"), at("P1.5Y2M"), at("two years"), at(22), {}, "P22Y", 22, [],
        {"age": "P22Y"}, {"timestamp": "2020-02-30T00:00:00Z"}, {"timestamp": "yesterday"}, {"ontologyClass": {}},
        {"gestationalAge": {"weeks": "many"}}, {"epoch": 3}, {**at("P1Y"), "timestamp": "2020-01-01T00:00:00Z"}, {"ageRange": {}},
        {"ageRange": {"start": {"iso8601duration": "P3Y"}, "end": {"iso8601duration": "P1Y"}}}, {"interval": {}},
        {"interval": {"start": "2020-03-09T00:00:00Z", "end": "2020-03-01T00:00:00Z"}},
    ],
)  # fmt: skip
def test_a_time_that_cannot_be_read(onset):
    """The finding is kept without a time, and says so."""
    chart, account = one(phenotypicFeatures=[feature("HP:0001945", onset=onset)])
    assert facts(chart) == [("fever", "yes", "time not stated")]
    assert next(iter(chart.facts)).note == "a time is stated that cannot be read"
    assert remarked(account) == {("time that cannot be read", "phenotypicFeatures.onset")}


def test_time_points_come_in_order():
    """Without a time, before birth, by age in any unit, and by date."""
    onsets = [
        {"timestamp": "2021-01-01T00:00:00Z"}, at("P2Y"), at("P13M"), at("P400D"), None, {"gestationalAge": {"weeks": 30}},
        {"ontologyClass": {"id": "HP:0003621", "label": "Juvenile onset"}}, {"timestamp": "2020-01-01T00:00:00Z"}, at("P3Y"),
    ]  # fmt: skip
    chart, _ = one(phenotypicFeatures=[feature("HP:0001945", **({"onset": onset} if onset else {})) for onset in onsets])
    assert [when for _, _, when in facts(chart)] == [
        "time not stated", "at 30 wk of gestation", "at 13 mo", "at 400 d", "at 2 y", "at 3 y", "Juvenile onset", "2020-01-01", "2021-01-01",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("onsets", "encounter", "expected"),
    [
        (["P24Y", "P22Y"], at("P27Y"), "22 y"),
        (["P24Y", "P22Y"], None, "22 y"),
        ([None, "P22Y"], at("P27Y"), "<28 y"),
        ([None, "P22Y"], None, ""),
        ([None], at("P27Y"), "<28 y"),
        ([None], at("P25Y6M"), "<26 y"),
        ([None], at("P1Y18M"), "<3 y"),
        ([None], at("P2M14D"), "<3 mo"),
        ([None], at("P5D"), "<6 d"),
        ([None], {"ageRange": {"start": {"iso8601duration": "P2Y"}, "end": {"iso8601duration": "P3Y"}}}, "<4 y"),
        ([None], {"timestamp": "2020-01-01T00:00:00Z"}, ""),
        ([None], None, ""),
    ],
)
def test_the_age(onsets, encounter, expected):
    """The age at the first time point, or an age that was not reached."""
    features = [feature("HP:0001945", **({"onset": at(onset)} if onset else {})) for onset in onsets]
    chart, _ = one(subject={"id": "a", "timeAtLastEncounter": encounter}, phenotypicFeatures=features)
    assert chart.person.age == expected
    assert not expected or read_age(expected)


def test_the_subject():
    """Id, sex and date of birth; with a date of birth there is no age beside it."""
    subject = {"id": "p-7", "sex": "FEMALE", "dateOfBirth": "2018-03-05T00:00:00Z", "timeAtLastEncounter": at("P3Y")}
    chart, account = one(subject=subject)
    person = chart.person
    assert (person.id, person.sex, person.birth_date, person.age, person.known) == ("p-7", "female", "2018-03-05", "", True)
    assert not remarked(account)
    chart, account = one(
        subject={"sex": "SOME", "dateOfBirth": "2018-01-01T00:00:00Z", "vitalStatus": {"status": "DECEASED"}, "shoe": 44}
    )
    assert (chart.person.id, chart.person.sex, chart.person.birth_date) == ("", "", "2018-01-01")
    assert {what for _, what in remarked(account)} == {"subject.sex", "subject.dateOfBirth", "subject.vitalStatus", "subject.shoe"}
    assert reading({"phenotypicFeatures": [feature("HP:0001945")]})[0][0].person.known == 0
    chart, account = one(subject={"dateOfBirth": "in spring"})
    assert (chart.person.birth_date, remarked(account)) == ("", {("date of birth that cannot be read", "subject.dateOfBirth")})


@pytest.mark.parametrize(
    ("word", "expected"), [("MALE", "male"), ("OTHER_SEX", "other"), ("UNKNOWN_SEX", ""), (2, "male"), (1, "female")]
)
def test_the_sex(word, expected):
    """By name, or by the number of the enumeration."""
    assert one(subject={"id": "a", "sex": word})[0].person.sex == expected


FERRITIN = {"id": "LOINC:2276-4", "label": "Ferritin [Mass/volume] in Serum or Plasma"}


def quantity(value, unit="UCUM:ng/mL", **more):
    return {"quantity": {"value": value, "unit": {"id": unit, "label": "a unit"}, **more}}


@pytest.mark.parametrize(
    ("assay", "value", "expected"),
    [
        ("LOINC:2276-4", quantity(20000), ("ferritin", "20000", "ng/mL", "")),
        ("loinc:2276-4", quantity(12.50), ("ferritin", "12.5", "ng/mL", "")),
        ("LOINC:2276-4", quantity("1e3"), ("ferritin", "1e3", "ng/mL", "")),
        ("LOINC:2276-4", quantity(0), ("ferritin", "0", "ng/mL", "")),
        ("LOINC:2276-4", quantity(5, "NCIT:C67306"), ("ferritin", "5", "a unit", "")),
        ("LOINC:2276-4", {"quantity": {"value": 5}}, ("ferritin", "5", "", "")),
        ("LOINC:777-3", quantity(24, "UCUM:10*3/uL{cells}"), ("platelets", "24", "10*3/uL", "")),
        ("LOINC:9269-2", quantity(14, "UCUM:{score}"), ("gcs", "14", "1", "")),
        ("LOINC:2276-4", quantity(800, referenceRange={"low": 10.0, "high": 300.5}), ("ferritin", "800", "ng/mL", "10.0-300.5")),
        ("LOINC:2276-4", quantity(800, referenceRange={"high": 300}), ("ferritin", "800", "ng/mL", "<=300")),
        (
            "LOINC:2276-4",
            quantity(800, referenceRange={"unit": {"id": "UCUM:pmol/L"}, "low": 1, "high": 3}),
            ("ferritin", "800", "ng/mL", "1-3 pmol/L"),
        ),
        ("LOINC:2276-4", {"ontologyClass": {"id": "NCIT:C14165", "label": "Normal"}}, ("ferritin", "normal", "", "")),
    ],
)
def test_a_measurement(assay, value, expected):
    """A number with its unit and reference range, or a word."""
    chart, account = one(
        measurements=[{"assay": {"id": assay}, "value": value, "timeObserved": {"timestamp": "2020-10-01T10:54:20Z"}}]
    )
    fact = next(iter(chart.facts))
    assert (fact.observable, fact.value, fact.unit, fact.reference) == expected
    assert (fact.date, fact.time, fact.timepoint) == ("2020-10-01", "2020-10-01T10:54:20Z", "")
    assert not left(account)
    assert not remarked(account)


@pytest.mark.parametrize(
    ("measurement", "reason"),
    [
        ({"assay": FERRITIN}, "no value"),
        ({"assay": FERRITIN, "value": {"quantity": {"unit": {"id": "UCUM:ng/mL"}}}}, "no value, or a zero that was left out"),
        ({"assay": FERRITIN, "value": quantity("NaN")}, "no number"),
        ({"assay": FERRITIN, "value": quantity(True)}, "no number"),
        ({"assay": FERRITIN, "value": {**quantity(3), "ontologyClass": {"label": "normal"}}}, "several values in one element"),
        ({"assay": FERRITIN, "value": {"ontologyClass": {"id": "SNOMED:10828004", "label": "Positive"}}}, "answer not known here"),
        ({"assay": FERRITIN, "value": {"ontologyClass": {}}}, "answer not known here"),
        ({"assay": FERRITIN, "value": {"text": "3"}}, "not in the form of a phenopacket"),
        ({"assay": FERRITIN, "complexValue": {}}, "no value"),
        ({"assay": FERRITIN, "value": quantity(3), "complexValue": {}}, "several values in one element"),
        ({"assay": {"id": "LOINC:1668-3"}, "value": quantity(3)}, "code not known here"),
        ({"assay": {"id": "CMO:0000015"}, "value": quantity(3)}, "code not known here"),
        ({"value": quantity(3)}, "no code"),
        ({"assay": {**FERRITIN, "label": "Ferritin in Pleural fluid"}, "value": quantity(3)}, "not a specimen of blood"),
        (
            {
                "assay": FERRITIN,
                "value": quantity(3),
                "procedure": {"code": {"label": "Lumbar puncture"}, "bodySite": {"label": "spinal fluid"}},
            },
            "not a specimen of blood",
        ),
        ("ferritin", "not in the form of a phenopacket"),
    ],
)
def test_a_measurement_that_is_left(measurement, reason):
    """No value is guessed, no other specimen is taken, and a missing number is not zero."""
    chart, account = one(measurements=[measurement])
    assert not chart.facts
    assert left(account) == [reason]


@pytest.mark.parametrize(
    ("value", "told", "reference"),
    [
        (quantity(5, "UCUM:pmol/L"), "unit that its code contradicts", ""),
        (
            {"quantity": {"value": 5, "unit": {"id": "UCUM:ng/mL", "label": "nmol/L"}}},
            "unit and its code contradict one another",
            "",
        ),
        (quantity(5, referenceRange={"low": 9, "high": 3}), "reference range that cannot be read", ""),
        (quantity(5, referenceRange={"low": 0, "high": 0}), "reference range that cannot be read", ""),
        (quantity(5, referenceRange={"unit": {"id": "UCUM:furlong"}, "high": 3}), "reference range that cannot be read", ""),
    ],
)
def test_a_measurement_with_a_doubt(value, told, reference):
    """What contradicts itself is kept, and told; contradictory units make the value unknown."""
    chart, account = one(measurements=[{"assay": FERRITIN, "value": value}])
    fact = next(iter(chart.facts))
    assert fact.value == ("unknown" if told.startswith("unit and") else "5")
    assert fact.reference == reference
    assert bool(fact.note) == told.startswith("unit")
    assert {reason for reason, _ in remarked(account)} == {told}


def test_a_complex_measurement():
    """Each quantity is an entry under its own code."""
    typed = [
        {"type": {"id": "LOINC:8478-0", "label": "Mean blood pressure"}, "quantity": {"value": 60, "unit": {"id": "UCUM:mm[Hg]"}}},
        {"type": {"id": "LOINC:8480-6", "label": "Systolic"}, "quantity": {"value": 90, "unit": {"id": "UCUM:mm[Hg]"}}},
        {"type": {"id": "LOINC:8478-0"}},
    ]
    chart, account = one(
        measurements=[{"assay": {"id": "CMO:1"}, "complexValue": {"typedQuantities": typed}, "timeObserved": at("P3Y")}]
    )
    assert facts(chart) == [("mean_arterial_pressure", "60", "at 3 y")]
    assert sorted(left(account)) == ["code not known here", "no value"]


def test_diseases():
    """HLH is a remark with its onset, a malignancy lasts, and what else is excluded or unknown is left."""
    diseases = [
        {"term": {"id": "OMIM:603553", "label": "FHL2"}, "onset": at("P22Y")},
        {"term": {"id": "MONDO:0015545", "label": "MAS"}, "excluded": True},
        {"term": {"id": "ICD10:C81.9", "label": "Hodgkin lymphoma"}, "onset": at("P20Y")},
        {"term": {"id": "ICD10:R50.9", "label": "Fever"}, "onset": at("P22Y")},
        {"term": {"id": "SNOMED:363346000", "label": "Malignant neoplasm"}, "excluded": True},
        {"term": {"id": "OMIM:214500", "label": "Another"}},
        {"term": {}, "excluded": 1},
    ]
    chart, account = one(diseases=diseases)
    assert [(remark.text, remark.timepoint) for remark in chart.remarks] == [
        ("diagnosis: Hemophagocytic lymphohistiocytosis", "at 22 y"),
        ("diagnosis excluded: Macrophage activation syndrome", ""),
    ]
    assert chart.person.onset == "22 y"
    assert [(fact.observable, fact.value, fact.note) for fact in chart.always] == [
        ("malignancy", "yes", "Hodgkin lymphoma; onset at 20 y")
    ]
    assert facts(chart) == [("fever", "yes", "at 22 y")]
    assert sorted(left(account)) == [
        "excluded, but only one form of the finding", "neither excluded nor not: true or false is expected", "term not known here",
    ]  # fmt: skip


def test_a_diagnosis_stands_at_its_onset():
    """An age or a date, and nothing where no onset is stated."""
    onsets = [at("P3M"), {"timestamp": "2020-01-01T00:00:00Z"}, None, {"timestamp": "late"}]
    chart, _ = one(diseases=[{"term": {"id": "OMIM:603553"}, "onset": onset} for onset in onsets])
    assert [(remark.date, remark.timepoint) for remark in chart.remarks] == [
        ("", "at 3 mo"),
        ("2020-01-01", ""),
        ("", ""),
        ("", ""),
    ]
    assert chart.person.onset == "3 mo"


def genomic(**more):
    descriptor = {
        "geneContext": {"valueId": "HGNC:9360", "symbol": "PRF1"},
        "expressions": [{"syntax": "hgvs.p", "value": "p.(Trp374Ter)"}, {"syntax": "hgvs.c", "value": "NM_001083116.3:c.1122G>A"}],
        "allelicState": {"id": "GENO:0000136", "label": "homozygous"},
    }
    call = {"acmgPathogenicityClassification": "PATHOGENIC", "variationDescriptor": descriptor}
    return {"subjectOrBiosampleId": "a", "interpretationStatus": "CAUSATIVE", "variantInterpretation": call, **more}


def interpreted(*found, **more):
    diagnosis = {"disease": {"id": "OMIM:603553", "label": "FHL2"}, "genomicInterpretations": list(found)}
    return [{"id": "i", "progressStatus": "SOLVED", "diagnosis": diagnosis, **more}]


def changed(**more):
    """A genomic interpretation whose variant is described otherwise."""
    found = genomic()
    for key, value in more.items():
        target = found["variantInterpretation"]
        (target if key in target else target["variationDescriptor"])[key] = value
    return found


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (genomic(), ("PRF1", "NM_001083116.3:c.1122G>A", "homozygous", "pathogenic", "")),
        (changed(allelicState={"id": "GENO:0000135"}), ("PRF1", "NM_001083116.3:c.1122G>A", "heterozygous", "pathogenic", "")),
        (
            changed(allelicState={"id": "GENO:0000402"}),
            ("PRF1", "NM_001083116.3:c.1122G>A", "compound heterozygous", "pathogenic", ""),
        ),
        (changed(allelicState={"id": "GENO:0000134"}), ("PRF1", "NM_001083116.3:c.1122G>A", "hemizygous", "pathogenic", "")),
        (
            changed(allelicState={"id": "GENO:0000135", "label": "homozygous"}),
            ("PRF1", "NM_001083116.3:c.1122G>A", "unknown", "pathogenic", ""),
        ),
        (changed(allelicState={"id": "GENO:9"}), ("PRF1", "NM_001083116.3:c.1122G>A", "", "pathogenic", "")),
        (changed(acmgPathogenicityClassification="NOT_PROVIDED"), ("PRF1", "NM_001083116.3:c.1122G>A", "homozygous", "", "")),
        (
            changed(acmgPathogenicityClassification="UNCERTAIN_SIGNIFICANCE"),
            ("PRF1", "NM_001083116.3:c.1122G>A", "homozygous", "VUS", ""),
        ),
        (changed(acmgPathogenicityClassification="terrible"), ("PRF1", "NM_001083116.3:c.1122G>A", "homozygous", "", "")),
        (changed(expressions=[], label="exon 2 deletion"), ("PRF1", "exon 2 deletion", "homozygous", "pathogenic", "")),
        (
            changed(expressions=None, vcfRecord={"genomeAssembly": "hg38", "chrom": "chr10", "pos": 7, "ref": "C", "alt": "T"}),
            ("PRF1", "hg38 chr10:7 C>T", "homozygous", "pathogenic", ""),
        ),
        (
            genomic(interpretationStatus="CANDIDATE"),
            ("PRF1", "NM_001083116.3:c.1122G>A", "homozygous", "pathogenic", "a candidate"),
        ),
        (
            genomic(interpretationStatus=None),
            ("PRF1", "NM_001083116.3:c.1122G>A", "homozygous", "pathogenic", "not stated to be causative"),
        ),
        (
            genomic(variantInterpretation=None, gene={"symbol": "RAB27A"}),
            ("RAB27A", "", "", "", "the gene alone is stated"),
        ),
        (
            genomic(subjectOrBiosampleId="s1"),
            ("PRF1", "NM_001083116.3:c.1122G>A", "homozygous", "pathogenic", "found in a biosample"),
        ),
    ],
)
def test_a_variant(found, expected):
    """The gene, the expression in a transcript before others, the allelic state and the class."""
    chart, account = one(interpretations=interpreted(found), biosamples=[{"id": "s1"}])
    assert [variant[:5] for variant in chart.variants] == [expected]
    assert left(account) == ["biosamples are not read"]


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (genomic(interpretationStatus="REJECTED"), "interpretation rejected"),
        (genomic(interpretationStatus=1), "interpretation rejected"),
        (genomic(interpretationStatus="rejected?"), "status of the interpretation not known here"),
        (genomic(gene={"symbol": "PRF1"}), "not in the form of a phenopacket"),
        (changed(geneContext={}), "variant without its gene"),
        (genomic(subjectOrBiosampleId="mother"), "variant of another person or sample"),
        (genomic(subjectOrBiosampleId="tumor"), "variant of a tumor"),
        (None, "variant without its gene"),
    ],
)
def test_a_variant_that_is_left(found, reason):
    """A rejected variant, or one of somebody else or of a tumor, is no finding in the patient."""
    samples = [{"id": "tumor", "histologicalDiagnosis": {"id": "NCIT:C39853"}}]
    chart, account = one(interpretations=interpreted(found), biosamples=samples)
    assert not chart.variants
    assert reason in left(account)


def test_a_diagnosis_under_an_interpretation_alone():
    """It is told, unless the diseases list it already."""
    listed = [{"term": {"id": "OMIM:603553"}}]
    assert [r.text for r in one(interpretations=interpreted(genomic()), diseases=listed)[0].remarks] == [
        "diagnosis: Hemophagocytic lymphohistiocytosis"
    ]
    chart, _ = one(interpretations=interpreted(genomic(), progressStatus="UNSOLVED"))
    assert [r.text for r in chart.remarks] == [
        "diagnosis of an interpretation (the case is unsolved): Hemophagocytic lymphohistiocytosis"
    ]
    assert chart.variants[0].note == "the case is unsolved"
    _, account = one(
        interpretations=[
            {"id": "i"},
            {"diagnosis": {"disease": {"id": "OMIM:214500"}}},
            {"diagnosis": {"genomicInterpretations": 3}},
        ]
    )
    assert sorted(left(account)) == [
        "an interpretation without variants",
        "not in the form of a phenopacket",
        "term not known here",
    ]


def dose(start, end, value=150):
    return {
        "quantity": {"value": value, "unit": {"id": "UCUM:mg/m2", "label": "milligram per square meter"}},
        "scheduleFrequency": {"id": "NCIT:C64576", "label": "Twice Weekly"},
        "interval": {"start": start, "end": end},
    }


def test_treatments():
    """Each dose of a drug that is directed against HLH by itself; others are left."""
    first, last = dose("2020-01-01T00:00:00Z", "2020-01-15T00:00:00Z"), dose("2020-02-15T00:00:00Z", "2020-02-01T00:00:00Z", 75)
    actions = [
        {"treatment": {"agent": {"id": "DrugCentral:1083", "label": "Etoposide"}, "doseIntervals": [first, last]}},
        {"treatment": {"agent": {"label": "dexamethasone"}}, "treatmentTerminationReason": {"label": "Progression"}},
        {"treatment": {"agent": {"id": "DrugCentral:1610", "label": "losartan"}, "doseIntervals": [first, last]}},
        {"radiationTherapy": {"modality": {"id": "NCIT:1"}}},
        {"procedure": {"code": {"id": "SNOMED:302497006", "label": "Hemodialysis"}, "performed": at("P22Y")}},
        {"procedure": {"code": {"id": "NCIT:C80473", "label": "Assist device"}}},
        {"procedure": {}, "treatment": {}},
        {"treatmentIntent": {"label": "Cure"}},
    ]
    chart, account = one(medicalActions=actions)
    assert [given[:5] for given in chart.given] == [
        ("etoposide", "150 mg/m2 Twice Weekly", "2020-01-01", "2020-01-15", ""),
        ("etoposide", "75 mg/m2 Twice Weekly", "2020-02-15", "", "its end is stated to be before its start"),
        ("dexamethasone", "", "", "", "ended: Progression"),
    ]
    assert facts(chart) == [("dialysis", "yes", "at 22 y")]
    assert sorted(left(account)) == [
        "code not known here", "no action that is known here", "no drug that is directed against HLH", "not in the form of a phenopacket",
        "radiationTherapy is not read",
    ]  # fmt: skip
    assert remarked(account) == {("a treatment that ends before it starts", "etoposide")}


def test_treatments_with_a_doubt():
    """What is not in the form of a dose, or has no readable time, is told; the drug is kept."""
    late = {"interval": {"start": "in spring"}, "quantity": {"value": "much"}}
    actions = [
        {
            "treatment": {
                "agent": {"label": "etoposide"},
                "doseIntervals": {"a": 1},
                "cumulativeDose": {"value": 900, "unit": {"label": "mg"}},
            }
        },
        {"treatment": {"agent": {"label": "anakinra"}, "doseIntervals": [late]}, "responseToTreatment": {"label": "Partial"}},
    ]
    chart, account = one(medicalActions=actions)
    assert [given[:5] for given in chart.given] == [
        ("etoposide", "", "", "", "cumulative dose 900 mg"),
        ("anakinra", "", "", "", "response: Partial"),
    ]
    assert remarked(account) == {
        ("not in the form of a phenopacket", "medicalActions.treatment.doseIntervals"),
        ("time that cannot be read", "medicalActions.treatment.doseIntervals.interval.start"),
    }


@pytest.mark.parametrize("key", ["subject", "phenotypicFeatures", "measurements", "diseases", "interpretations", "medicalActions"])
@pytest.mark.parametrize("wrong", ["text", 3, {"a": 1}, [["x"]]])
def test_a_part_of_another_form(key, wrong):
    """A part that is no list of messages is one entry that is left."""
    if key == "subject" and isinstance(wrong, dict):
        wrong = True
    charts, account = reading({**packet(), key: wrong})
    assert left(account) == ["not in the form of a phenopacket"]
    assert len(charts) == 1


def test_a_family():
    """The proband is read; the others are told."""
    tree = {"id": "f", "proband": packet(phenotypicFeatures=[feature("HP:0001945")]), "relatives": [packet(), packet()], "metaData": META,
            "pedigree": {"persons": []}, "consanguinousParents": True, "files": [{"uri": "x"}]}  # fmt: skip
    (chart,), account = reading(tree)
    assert facts(chart) == [("fever", "yes", "time not stated")]
    assert {(kind[0], kind[1], kind[2]) for kind in account.left} == {
        ("a relative: the proband alone is read", "relatives", 2),
        ("a pedigree is not read", "pedigree", 1),
        ("not read", "consanguinousParents", 1),
        ("files are not read", "files", 1),
    }
    assert next(iter(chart.facts)).place.label == "proband.phenotypicFeatures[0]"


def test_a_cohort():
    """Each member is a person; the same id twice, or none, makes no one person of two."""
    members = [
        packet(),
        packet(),
        {"id": "x", "subject": {}},
        {"subject": {}},
        packet(subject={"id": "b"}),
        packet(subject={"id": "a (2)"}),
    ]
    charts, account = reading({"id": "c", "description": "text", "members": members, "metaData": META})
    assert [chart.person.id for chart in charts] == ["a", "a (2)", "x", "member 4", "b", "a (2) (2)"]
    assert ("the same id in several phenopackets: kept apart", "subject") in remarked(account)
    assert left(account) == ["free text is not read"]


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (packet(metaData={"phenopacketSchemaVersion": "1.0.0-RC3"}), "a phenopacket of schema version 1;"),
        (packet(metaData={"phenopacketSchemaVersion": 1.0}), "a phenopacket of schema version 1;"),
        (packet(metaData={"phenopacketSchemaVersion": "3.0"}), "a phenopacket of schema version 3;"),
        (packet(phenotypicFeatures=[feature("HP:0001945", negated=True)]), "a phenopacket of schema version 1;"),
        ({"subject": {}, "htsFiles": []}, "a phenopacket of schema version 1;"),
        ({"proband": packet(), "metaData": {"phenopacketSchemaVersion": "1.0.0"}}, "a phenopacket of schema version 1;"),
        ({"proband": packet(metaData={"phenopacketSchemaVersion": "1.0.0"})}, "a phenopacket of schema version 1;"),
        ({"proband": [], "subject": {}}, "expected a phenopacket under 'proband'"),
        ({"members": []}, "a cohort without members"),
        ({"members": [3]}, "expected a phenopacket under 'members[0]'"),
        ([], "expected a phenopacket: keys such as"),
        ({"timepoints": []}, "expected a phenopacket: keys such as"),
        (packet(subject={"taxonomy": {"id": "NCBITaxon:10090"}}), "the subject of a phenopacket is not human"),
    ],
)
def test_an_input_that_is_refused(tree, message):
    """Another version, another species or another form is one clear message."""
    with pytest.raises(InputError) as caught:
        reading(tree)
    (problem,) = caught.value.problems
    assert problem.message.startswith(message)


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (packet(), True), ({"subject": {"id": "a"}}, True), ({"phenotypic_features": []}, True), ({"members": []}, True),
        ({"proband": {}}, True), ({"meta_data": {"phenopacket_schema_version": "2.0"}}, True),
        ({"resourceType": "Observation", "subject": {}}, False), ({"timepoints": [], "subject": {}}, False), ({"patient": {}}, False),
        ({"subject": "a"}, False), ({}, False), ([], False), ("subject", False), (None, False), (True, False),
    ],
)  # fmt: skip
def test_what_is_a_phenopacket(tree, expected):
    """FHIR resources and patient files are none."""
    assert is_phenopacket(parsed(tree)) is expected


FULL = packet(
    subject={"id": "a", "sex": "MALE", "timeAtLastEncounter": at("P27Y"), "taxonomy": {"id": "NCBITaxon:9606"}},
    phenotypicFeatures=[
        feature("HP:0001876", "Pancytopenia", onset=at("P22Y"), severity={"label": "Severe"}),
        feature("HP:0001744", excluded=True),
        feature("HP:0000252", onset={"ontologyClass": {"id": "HP:0003623", "label": "Neonatal onset"}}),
    ],
    measurements=[
        {"assay": FERRITIN, "value": quantity(800, referenceRange={"low": 10, "high": 300}), "timeObserved": {"timestamp": "2020-10-01T10:54:20Z"}},
        {"assay": {"id": "LOINC:1"}, "complexValue": {"typedQuantities": [{"type": FERRITIN, **quantity(3)}]}},
    ],
    diseases=[{"term": {"id": "OMIM:603553"}, "onset": at("P22Y")}, {"term": {"id": "ICD10:C81"}, "excluded": False}],
    interpretations=interpreted(genomic(), genomic(interpretationStatus="REJECTED")),
    medicalActions=[{"treatment": {"agent": {"label": "etoposide"}, "doseIntervals": [dose("2020-01-01T00:00:00Z", "2020-01-15T00:00:00Z")]}}],
    biosamples=[{"id": "s"}],
)  # fmt: skip


def snake(node):
    if isinstance(node, list):
        return [snake(each) for each in node]
    if isinstance(node, dict):
        return {"".join(f"_{c.lower()}" if c.isupper() else c for c in key): snake(value) for key, value in node.items()}
    return node


def told(tree):
    charts, account = reading(tree)
    contents = [(c.person, list(c.facts), c.always, c.given, c.variants, c.remarks) for c in charts]
    return contents, account.read, account.left, account.remarks


def test_field_names_of_both_kinds():
    """Protobuf's JSON may write phenotypicFeatures or phenotypic_features."""
    assert told(snake(FULL)) == told(FULL)
    assert told({key: value if value else None for key, value in {**FULL, "files": []}.items()}) == told(FULL)


def test_fields_that_are_not_known_are_told():
    """A field of nobody's is left, inside something used it is remarked, and one that is written twice is not lost."""
    tree = packet(
        shoes=[1, 2], phenotypicFeatures=[feature("HP:0001945", colour="red", description="warm")], phenotypic_features=[3]
    )
    tree["a name, of somebody"] = 1
    _, account = reading(tree)
    assert {(kind[0], kind[1], kind[2]) for kind in account.left} == {
        ("field not known here", "shoes", 2),
        ("field not known here", "phenotypic_features", 1),
        ("field not known here", "a name of 19 characters", 1),
    }
    assert remarked(account) == {
        ("field not known here", "phenotypicFeatures.colour"),
        ("free text is not read", "phenotypicFeatures.description"),
    }


def test_the_account_names_no_person():
    """Ids, dates and free text of a person stand in no line of the account."""
    secret = "Secret-Name"
    tree = packet(
        id=secret,
        subject={"id": secret, "alternateIds": [secret], "dateOfBirth": "1999-09-09T00:00:00Z", "sex": secret},
        phenotypicFeatures=[feature("HP:0001945", description=secret, onset={"timestamp": secret}), feature(secret, secret)],
        measurements=[
            {"assay": {"id": secret, "label": secret}, "value": quantity(secret)},
            {"assay": FERRITIN, "value": quantity(secret)},
        ],
        interpretations=interpreted(genomic(subjectOrBiosampleId=secret + "2"), summary=secret),
        medicalActions=[{"treatment": {"agent": {"id": secret, "label": secret}}}],
        biosamples=[{"id": secret, "description": secret}],
    )
    _, account = reading(tree)
    lines = " ".join(f"{kind[0]} {kind[1]} {kind[3]}" for kind in (*account.left, *account.remarks))
    assert secret not in lines
    assert "1999" not in lines


def test_published_phenopackets():
    """Every published file is read to the last entry, and the ages of two siblings are in order."""
    if not STORE.is_dir():
        pytest.skip("the published phenopackets are not here")
    charts = {}
    for path in sorted(STORE.glob("*.json")):
        (charts[path.name],), account = reading(json.loads(path.read_text(encoding="utf-8")))
        assert account.read > 10
        assert charts[path.name].person.sex
        assert len(charts[path.name].variants) in (1, 2)
    chart = charts["PRF1__PMID_12229880_Case_1.json"]
    assert (chart.person.age, chart.person.onset) == ("22 y", "22 y")
    assert list(dict.fromkeys(fact.timepoint for fact in chart.facts)) == ["at 22 y", "at 24 y"]
    assert ("hemophagocytosis", "yes", "at 24 y") in facts(chart)
    assert [(v.gene, v.zygosity, v.classification) for v in chart.variants] == [("PRF1", "heterozygous", "pathogenic")] * 2


JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=6) | st.integers(-5, 99).map(lambda n: JsonNumber(n)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


def spots(node, path=()):
    """The path of everything in a tree."""
    yield path
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield from spots(value, (*path, key))


SPOTS = [path for path in spots(FULL) if path]


def survives(tree):
    account = Account("p.json", "phenopacket")
    try:
        charts = list(read(tree, "p.json", account))
    except InputError:
        return
    balance(account, charts)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(SPOTS), st.none() | JSON | st.sampled_from(["delete", "wrap", "HP:0001945"])), max_size=4)
)
def test_mutated_phenopackets(mutations):
    """Whatever is removed, wrapped or replaced, every entry is used or left, or the input is refused."""
    tree = parsed(copy.deepcopy(FULL))
    for path, new in mutations:
        node = tree
        try:
            for step in path[:-1]:
                node = node[step]
            if new == "delete":
                del node[path[-1]]
            elif isinstance(node, (dict, list)):
                node[path[-1]] = [node[path[-1]]] if new == "wrap" else new
        except (KeyError, IndexError, TypeError):
            continue
    survives(tree)


KEYS = ["id", "subject", "sex", "metaData", "phenotypicFeatures", "measurements", "diseases", "interpretations", "medicalActions",
        "members", "proband", "type", "term", "value", "quantity", "unit", "onset", "age", "iso8601duration", "excluded", "label"]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        JSON | st.sampled_from(["HP:0001876", "LOINC:2276-4", "P3Y", "OMIM:603553", "etoposide"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
        max_leaves=30,
    )
)
def test_any_tree(tree):
    """No tree is a traceback."""
    survives(tree)


def test_what_goes_on_holds_from_its_age_on():
    """Systemic JIA from 15 years on is none at 3 years; where everything was seen after its onset, it is of the background."""
    disease = {"term": {"id": "SNOMEDCT:201796004", "label": "Systemic onset JIA"}, "onset": at("P15Y")}
    chart, account = one(
        phenotypicFeatures=[feature("HP:0001945", onset=at("P3Y")), feature("HP:0001744", onset=at("P16Y"))], diseases=[disease]
    )
    assert [(fact.observable, fact.timepoint) for fact in chart.facts if fact.observable == "sjia"] == [("sjia", "at 16 y")]
    assert not chart.always
    chart, account = one(phenotypicFeatures=[feature("HP:0001744", onset=at("P16Y"))], diseases=[disease])
    assert [fact.observable for fact in chart.always] == ["sjia"]
    chart, account = one(phenotypicFeatures=[feature("HP:0001945", onset=at("P3Y"))], diseases=[disease])
    assert [kind.reason for kind in account.left] == ["began after the last time point"]

"""The interpretations of a phenopacket: variants in genes, and the diagnosis that they stand under."""

from __future__ import annotations

from typing import Any

from hlhcli.errors import printable
from hlhcli.readers import codes
from hlhcli.readers.chart import Found, Place
from hlhcli.readers.phenopacket_element import Json, Time, fields, shown_key, term, text
from hlhcli.readers.phenopacket_part import FORM, Part
from hlhcli.readers.placing import UNDATED

_INTERPRETATION = {"id", "progressStatus", "diagnosis", "summary"}
_GENOMIC = {"subjectOrBiosampleId", "interpretationStatus", "gene", "variantInterpretation"}
_STATUSES = {  # of a genomic interpretation, by name or number: what is noted; REJECTED is not read
    "": "not stated to be causative", "UNKNOWN_STATUS": "not stated to be causative", "0": "not stated to be causative",
    "CANDIDATE": "a candidate", "2": "a candidate", "CONTRIBUTORY": "", "3": "", "CAUSATIVE": "", "4": "",
}  # fmt: skip
_REJECTED = ("REJECTED", "1")
_UNSOLVED, _UNDER_WAY = "the case is unsolved", "interpretation in progress"
_PROGRESS = {"UNSOLVED": _UNSOLVED, "4": _UNSOLVED, "IN_PROGRESS": _UNDER_WAY, "1": _UNDER_WAY}
_CLASSES = {
    "BENIGN": "benign", "LIKELY_BENIGN": "likely benign", "UNCERTAIN_SIGNIFICANCE": "VUS", "LIKELY_PATHOGENIC": "likely pathogenic",
    "PATHOGENIC": "pathogenic", "1": "benign", "2": "likely benign", "3": "VUS", "4": "likely pathogenic", "5": "pathogenic",
    "NOT_PROVIDED": "", "0": "", "": "",
}  # fmt: skip
_STATES = {  # terms of GENO; simple heterozygous is heterozygous, and hemizygous is also X-linked, Y-linked or by insertion
    "GENO:0000135": "heterozygous", "GENO:0000458": "heterozygous", "GENO:0000136": "homozygous",
    "GENO:0000402": "compound heterozygous", "GENO:0000134": "hemizygous", "GENO:0000604": "hemizygous",
    "GENO:0000605": "hemizygous", "GENO:0000606": "hemizygous", "GENO:0000137": "unknown",
}  # fmt: skip
_SYNTAXES = ("hgvs.c", "hgvs.g", "hgvs.m", "hgvs.n", "hgvs.r", "hgvs.p", "hgvs", "iscn")  # the first of them is taken
_TUMOR = {  # what is said of a sample of a tumor alone
    "tumorProgression", "tumorGrade", "pathologicalStage", "pathologicalTnmFinding", "diagnosticMarkers", "histologicalDiagnosis",
}  # fmt: skip
_SHOWN = 120


def interpretation(found: Json, place: Place, part: Part) -> None:
    """An Interpretation: each of its genomic interpretations, and a diagnosis that is listed nowhere else."""
    part.unknown(found, _INTERPRETATION, "interpretations", place)
    diagnosis = fields(found.get("diagnosis"))
    genomic = diagnosis.get("genomicInterpretations", [])
    disease = term(diagnosis.get("disease"))
    if not isinstance(genomic, list):
        part.account.leave(FORM, "interpretations.diagnosis.genomicInterpretations", place)
        return
    apart = bool(disease.id) and disease.id not in part.diseases
    progress = _PROGRESS.get(text(found.get("progressStatus")), "")
    part.account.read += len(genomic) + apart - 1
    if not genomic and not apart:
        part.account.read += 1
        part.account.leave("an interpretation without variants", "interpretations", place)
    if apart and (title := disease.known(codes.diagnosis)):
        said = f"diagnosis of an interpretation{progress and f' ({progress})'}: {title}"
        part.diagnosed(said, Time(timepoint=UNDATED), place)
    elif apart:
        part.account.leave("term not known here", disease.told, place)
    for index, each in enumerate(genomic):
        at = Place(label=f"{place.label}.diagnosis.genomicInterpretations[{index}]")
        _genomic(fields(each), progress, at, part)


def _genomic(found: Json, progress: str, place: Place, part: Part) -> None:
    """A GenomicInterpretation."""
    state, whose = text(found.get("interpretationStatus")), text(found.get("subjectOrBiosampleId"))
    call = fields(found.get("variantInterpretation"))
    descriptor = fields(call.get("variationDescriptor"))
    named = fields(descriptor.get("geneContext") if call else found.get("gene"))
    gene = printable(text(named.get("symbol")), _SHOWN)
    sample = part.samples.get(whose) if whose and whose != part.subject else None
    wrong = ""
    if state in _REJECTED:
        wrong = "interpretation rejected"
    elif state not in _STATUSES:
        wrong = "status of the interpretation not known here"
    elif "gene" in found and "variantInterpretation" in found:
        wrong = FORM
    elif not gene:
        wrong = "variant without its gene"
    elif sample is not None and sample.keys() & _TUMOR:
        wrong = "variant of a tumor"
    elif sample is None and whose and part.subject and whose != part.subject:
        wrong = "variant of another person or sample"
    if wrong:
        part.account.leave(wrong, "genomicInterpretations" if wrong == FORM or not gene else gene, place)
        return
    part.unknown(found, _GENOMIC, "genomicInterpretations", place)
    notes = [_STATUSES[state], progress]
    notes += ["found in a biosample"] * (sample is not None) + ["the gene alone is stated"] * (not call)
    zygosity = _zygosity(descriptor.get("allelicState"), gene, place, part)
    stated = text(call.get("acmgPathogenicityClassification"))
    if stated not in _CLASSES:
        part.account.remark("classification not known here", shown_key(stated), place)
    note = "; ".join(filter(None, notes))
    part.chart.variants.append(Found(gene, _variant(descriptor), zygosity, _CLASSES.get(stated, ""), note, place))


def _zygosity(node: Any, gene: str, place: Place, part: Part) -> str:
    """The allelic state; unknown where its id and its label contradict one another."""
    state = term(node)
    by_id, label = _STATES.get(state.id.upper()), state.label.casefold()
    by_label = label if label in _STATES.values() else None
    if by_id and by_label and by_id != by_label:
        part.account.remark("allelic state that its label contradicts", gene, place)
        return "unknown"
    if state.id and not by_id and not by_label:
        part.account.remark("allelic state not known here", state.told, place)
    return by_id or by_label or ""


def _variant(descriptor: Json) -> str:
    """The name of a variant: its expression in a transcript, else another, else what there is."""
    expressions = descriptor.get("expressions")
    written: dict[str, str] = {}
    for each in map(fields, expressions if isinstance(expressions, list) else []):
        if value := text(each.get("value")):
            written.setdefault(text(each.get("syntax")).casefold(), value)
    record = fields(descriptor.get("vcfRecord"))
    parts = [text(record.get(key)) for key in ("genomeAssembly", "chrom", "pos", "ref", "alt")]
    found = next((written[syntax] for syntax in _SYNTAXES if syntax in written), "")
    found = found or text(descriptor.get("label")) or term(descriptor.get("structuralType")).label
    if not found and all(parts[1:]):
        found = f"{parts[0]} {parts[1]}:{parts[2]} {parts[3]}>{parts[4]}".strip()
    return printable(found, _SHOWN)

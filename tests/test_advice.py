"""What a clinician types first, as papers print it, and what the message says to write instead."""

from __future__ import annotations

import pytest

from hlhcli.api import parse_document
from hlhcli.errors import InputError

TIMEPOINT = "timepoints:\n  - name: ED\n    observations:\n      "


def told(text: str) -> list[str]:
    with pytest.raises(InputError) as error:
        parse_document(text, "p")
    return [str(problem) for problem in error.value.problems]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("TLC: 14,200 /uL", "p:4:7: unknown observable 'TLC'; it is the total leukocyte count (wbc) or the total lymphocyte count (alc); write the one that is meant"),
        ("hepatosplenomegaly: yes", "p:4:7: unknown observable 'hepatosplenomegaly'; write both, 'hepatomegaly: yes' and 'splenomegaly: yes'"),
        ("AST/ALT: 198/103 U/L", "p:4:7: unknown observable 'AST/ALT'; write each by itself, 'ast: ...' and 'alt: ...'"),
        ("AST: 198/103/526 IU/L", "p:4:12: several values stand here; write each under the name of its own observable"),
        ("pancytopenia: yes", "p:4:7: unknown observable 'pancytopenia'; write the counts; what is stated without them goes under 'reported:' as cytopenias"),
        ("alkaline phosphatase: 526 U/L", "p:4:7: unknown observable 'alkaline phosphatase'; no set of criteria asks for it; it goes into the 'note:' of its time point"),
        ("PT: 15 s", "p:4:7: unknown observable 'PT'; no set of criteria asks for it; it goes into the 'note:' of its time point"),
        ("CSF: 12 /uL", "p:4:7: unknown observable 'CSF'; write the cells of it as 'csf_cells: 12 /uL'"),
        ("RA: yes", "p:4:7: unknown observable 'RA'; 'hlhcli observables' lists them, and what is none of them goes into the 'note:' of its time point"),
        ("hbg: 7 g/dL", "p:4:7: unknown observable 'hbg'; did you mean 'hb'?"),
        ("marrow: yes", "p:4:7: unknown observable 'marrow'; write what was seen, 'hemophagocytosis: marrow' or 'hemophagocytosis: no'"),
        ("confusion: yes", "p:4:7: unknown observable 'confusion'; write 'cns_involvement: yes' if that is how it was judged"),
        ("hemophagocytosis: marrow+", "p:4:25: hemophagocytosis cannot be 'marrow+'; did you mean 'marrow'? Otherwise write yes, marrow, spleen, lymph node, liver, csf, no, or 'not done', 'pending', 'unknown'"),
        ("ferritin: ~12000 ng/mL", "p:4:17: no number found in '~12000 ng/mL'; write {value: \"12000 ng/mL\", note: \"~\"}"),
        ("ferritin: peak 84,000 ng/mL", "p:4:17: no number found in 'peak 84,000 ng/mL'; write {value: \"84,000 ng/mL\", note: \"peak\"}"),
        ("ferritin: rose by 500 ng/mL", "p:4:17: no number found in 'rose by 500 ng/mL'; write for example 1 ng/mL, or 'not done', 'pending', 'unknown'"),
        ("spleen: yes (CT)", "p:4:15: splenomegaly cannot be 'yes (CT)'; write {value: \"yes\", note: \"CT\"}"),
        ("nk_activity: low, on repeat", "p:4:20: nk_activity cannot be 'low, on repeat'; write {value: \"low\", note: \"on repeat\"}"),
        ("hemophagocytosis: marrow (biopsy, day 3)", "p:4:25: hemophagocytosis cannot be 'marrow (biopsy, day 3)'; write {value: \"marrow\", note: \"biopsy, day 3\"}"),
        ("spleen: no data", "p:4:15: splenomegaly cannot be 'no data'; write yes, no, or 'not done', 'pending', 'unknown'"),
        ("note: dyspnea", "p:4:7: unknown observable 'note'; a 'note:' stands at the time point, beside 'observations:'"),
        ("fever: 7 days", "p:4:14: fever is yes or no; write how long it lasted as fever_duration: 7 d"),
        ("fever: 39.4 C", "p:4:14: fever is yes or no; write a measured value as temperature: 39.4 C"),
        ("spleen: 4 cm below costal margin", "p:4:15: splenomegaly is yes or no; write a measured value as spleen_size: 4 cm"),
        ("procalcitonine_ratio: 5", "p:4:7: unknown observable 'procalcitonine_ratio'; 'hlhcli observables' lists them, and what is none of them goes into the 'note:' of its time point"),
    ],
)  # fmt: skip
def test_of_an_observation(line, said):
    assert told(TIMEPOINT + line) == [said]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("timepoints: [{name: ED, date: 2016-05-02 18:00}]", "p:1:31: a time of day is not read; write the date alone, and values of one day as a list"),
        ("timepoints: [{name: ED, temperature: 39 C}]", "p:1:25: unknown key 'temperature'; 'temperature' is an observable: indent it under 'observations:'"),
        ("patient: {note: x}\ntimepoints: [{name: ED}]", "p:1:11: unknown key 'note'; a note belongs to a time point, beside 'observations:'"),
        ("timepoints:\n  - name: ED\n    name: ICU", "p:3:5: 'name' is written twice (first in line 2; what follows was not read)"),
    ],
)  # fmt: skip
def test_of_the_file(text, said):
    assert told(text) == [said]


def test_a_drug_whose_date_cannot_be_placed(tmp_path):
    """It was written, and is not said to be missing."""
    from command import hlhcli

    path = tmp_path / "p.yaml"
    path.write_text(
        "therapies: [{drug: etoposide, start: 2016-05-03}]\ntimepoints: [{name: a, day: 0}, {name: b, day: 3}]\n", encoding="utf-8"
    )
    out = hlhcli("check", path).out
    assert "(start cannot be placed)" in out

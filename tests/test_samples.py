"""The samples: the seed case as it must read, and published cases beside what was worked out by hand from the papers."""

import re

import pytest
from command import SAMPLES, hlhcli
from tables import rows

from hlhcli import criteria
from hlhcli.api import evaluate_document, load_document

FILES = sorted(SAMPLES.glob("*.yaml"))
PUBLISHED = rows("published_cases")
ITEMS = [item.about.id for item in criteria.load("hlh-2004").items]


def assessments(name):
    return evaluate_document(load_document(SAMPLES / name), [criteria.load("hlh-2004")]).assessments


def test_the_seed_case():
    """Initial diagnosis 2/2/4, refractory 5/0/3 with three marks that rest on words, after ruxolitinib 0/3/5."""
    ran = hlhcli("check", "--json", "samples/broglie-2017.yaml")
    assert ran.code == 0
    first, refractory, after = ran.json["results"][0]["assessments"]
    counts = [
        (a["count"]["met"], a["count"]["not_met"], a["count"]["unknown"], a["count"]["min"], a["count"]["max"])
        for a in (first, refractory, after)
    ]
    assert counts == [(2, 2, 4, 2, 6), (5, 0, 3, 5, 8), (0, 3, 5, 0, 5)]
    assert [a["verdict"] for a in (first, refractory, after)] == ["indeterminate", "met", "indeterminate"]
    assert first["reported"] == {"verdict": "met", "count": None, "agrees": True}
    assert [item["id"] for item in refractory["items"] if item["reported"]] == ["splenomegaly", "ferritin", "sil2r"]
    assert [item["id"] for item in after["items"] if item["reported"]] == ["ferritin", "sil2r"]
    numbers = [
        line["value"] for a in (first, refractory, after) for item in a["items"] for line in item["evidence"] if line["value"]
    ]
    assert {value for value in numbers if any(c.isdigit() for c in value)} == {"39-40 Cel", ">20000 ng/mL"}


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row['file']} {row['time point']}")
def test_published_case(row):
    """Each criterion at each time point of a published case, as worked out by hand."""
    (assessment,) = [a for a in assessments(row["file"]) if a.timepoint == row["time point"]]
    found = {item.id: f"{item.status}{' (reported)' if item.reported else ''}" for item in assessment.items}
    assert found == {item: row[item] for item in ITEMS}
    assert [assessment.count.met, assessment.count.not_met, assessment.count.unknown] == [
        int(row[key]) for key in ("met", "not met", "unknown")
    ]
    assert assessment.verdict.replace("_", " ") == row["verdict"]
    stated = assessment.reported
    assert (str(stated.verdict) if stated.verdict is not None else "") == row["authors' verdict"]
    assert (str(stated.number) if stated.number is not None else "") == row["authors' count"]


def test_every_sample_is_in_the_table():
    """All time points of all published samples stand in the table, and there are at least fifteen cases."""
    shown = {(row["file"], row["time point"]) for row in PUBLISHED}
    files = [path for path in FILES if path.name in {file for file, _ in shown}]
    assert len(files) >= 15
    assert {(path.name, a.timepoint) for path in files for a in assessments(path.name)} == shown


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_sample_names_its_source(path):
    """A published case carries its citation, an invented one says that it is."""
    head = path.read_text(encoding="utf-8").split("patient:")[0]
    assert head.startswith("# SYNTHETIC") or re.search(r"PMC\d+|doi|PMID|https?://|Blood Adv", head)


def test_disagreements_are_explained():
    """Where the authors' verdict or count is not ours, a reason stands in the table."""
    for row in PUBLISHED:
        (assessment,) = [a for a in assessments(row["file"]) if a.timepoint == row["time point"]]
        if assessment.reported.agrees is False:
            assert row["why they differ"], (row["file"], row["time point"])

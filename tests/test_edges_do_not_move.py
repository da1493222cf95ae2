"""No published edge moves unseen: with any number, operator, count, point, day or connective of a criteria file changed by one
step, a case at the end of that file, or a row of tests/spec/response.md, has another clinical result than the one expected there.

How the changes are made, and what counts as noticing, is in tests/mutation/criteria_mutants.py.
"""

from __future__ import annotations

import pytest
from mutation.criteria_mutants import FILES, mutants, noticed_by

# What changes nothing, and why. Left of the colon the place, right of it what is written there and what instead.
SAME_OPEN = "read only where the comparison before it is open, and where that is open this one is open too"
NO_SITE = "a site that the set does not list is unknown, and the remark is made only where hemophagocytosis is known to be absent"
NADIR = "what rises above the value before rises above the nadir, which never lies above the value before"
HARMLESS = {
    "hlh-2004": {
        "not: hemophagocytosis in marrow, spleen, lymph node → hemophagocytosis in spleen, lymph node": NO_SITE,
        "not: hemophagocytosis in marrow, spleen, lymph node → hemophagocytosis in marrow, lymph node": NO_SITE,
        "not: hemophagocytosis in marrow, spleen, lymph node → hemophagocytosis in marrow, spleen": NO_SITE,
    },
    "hlh-2004-lorenz-2020": {
        "all: temperature >= 38.5 Cel → temperature < 38.5 Cel": SAME_OPEN,
    },
    "hlh-94": {
        "fever.all: temperature >= 38.5 Cel → temperature < 38.5 Cel": SAME_OPEN,
        "splenomegaly.all: spleen_size >= 3 cm → spleen_size < 3 cm": SAME_OPEN,
        "reports: age < 4 wk → age <= 4 wk": "an age of 28 days lasts a day: whether it is more than four weeks is open, and no remark is made",
    },
    "jsle-mas": {
        "fever.all: temperature > 38 Cel → temperature <= 38 Cel": SAME_OPEN,
        "hepatomegaly.all: liver_size >= 3 cm → liver_size < 3 cm": SAME_OPEN,
        "splenomegaly.all: spleen_size >= 3 cm → spleen_size < 3 cm": SAME_OPEN,
    },
    "organ/psofa": {
        "cardiovascular.all: dopamine > 0 ug/kg/min → dopamine <= 0 ug/kg/min": SAME_OPEN,
        "cardiovascular.all: dopamine > 5 ug/kg/min → dopamine <= 5 ug/kg/min": SAME_OPEN,
        "cardiovascular.all: dopamine > 15 ug/kg/min → dopamine <= 15 ug/kg/min": SAME_OPEN,
        "cardiovascular.all: dobutamine > 0 ug/kg/min → dobutamine <= 0 ug/kg/min": SAME_OPEN,
        "cardiovascular.all: epinephrine > 0 ug/kg/min → epinephrine <= 0 ug/kg/min": SAME_OPEN,
        "cardiovascular.all: epinephrine > 0.1 ug/kg/min → epinephrine <= 0.1 ug/kg/min": SAME_OPEN,
        "cardiovascular.all: norepinephrine > 0 ug/kg/min → norepinephrine <= 0 ug/kg/min": SAME_OPEN,
        "cardiovascular.all: norepinephrine > 0.1 ug/kg/min → norepinephrine <= 0.1 ug/kg/min": SAME_OPEN,
    },
    "response/early-progression": {
        "ferritin_rebound.all: all … ferritin rises from nadir → left out": NADIR,
        "sil2r_rebound.all: all … sil2r rises from nadir → left out": NADIR,
        "crp_rebound.all: all … crp rises from nadir → left out": NADIR,
    },
}  # fmt: skip


@pytest.mark.parametrize("file", FILES)
def test_every_change_is_noticed(file):
    """All but those that change nothing, which are listed above with the reason; none of these is listed in vain."""
    unnoticed = [mutant.name for mutant in mutants(file) if noticed_by(mutant) is None]
    assert sorted(set(unnoticed)) == sorted(HARMLESS.get(file, {}))

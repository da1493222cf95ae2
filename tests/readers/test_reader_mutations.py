"""Damaged inputs of every form: each is read or refused, quickly, and every entry that was read is used or told."""

from __future__ import annotations

import contextlib
import io
import json
import random
import time
import zipfile
from dataclasses import replace

import pytest
from command import SAMPLES

from hlhcli import criteria
from hlhcli.api import evaluate_document, read_input
from hlhcli.errors import InputError
from hlhcli.readers.detect import Source
from hlhcli.readers.inputs import Options
from hlhcli.readers.placing import plan

FOLDER = SAMPLES / "inputs"
MAPPING = FOLDER / "labs.columns.yaml"
BUNDLE = (FOLDER / "fhir-bundle.json").read_bytes()
LINES = b"\n".join(json.dumps(entry["resource"]).encode() for entry in json.loads(BUNDLE)["entry"]) + b"\n"
WIDE = b'patient,date,Hb (g/dL),PLT (x10^9/L),Ferritin (ng/mL),spleen,note\np1,2016-05-02,7.4,38,>16500,yes,x\np1,2016-05-05,8.8,"410, 560",TNP,no,\np2,2016-05-02,9.1 L,WNL,31 (d 12),,\n'
REDCAP = b"record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,lab_date,ferritin_ng_ml,fever,site___1,labs_complete\n1,baseline_arm_1,,,2016-05-02,900,yes,1,2\n1,day_7_arm_1,labs,1,2016-05-09,400,no,0,2\n"


def workbook() -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in WIDE.decode().splitlines():
        book.active.append(row.split(","))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


FORMS = {
    "bundle": BUNDLE,
    "lines": LINES,
    "phenopacket": (FOLDER / "phenopacket.json").read_bytes(),
    "long": (FOLDER / "labs.csv").read_bytes(),
    "wide": WIDE,
    "redcap": REDCAP,
}
PIECES = [b'"', b"{", b"}", b"[", b"]", b":", b",", b";", b"\n", b"\r", b"\t", b"null", b"true", b"1e999", b"-1", b"NaN", b"\x00", b"\xff", "\u202e".encode(), b"\\ud800", b"\x1b[31m", b"<5", b">", b"9" * 300, b"0", b"''", b"=1+1", b"2016-13-99", b"entered-in-error"]  # fmt: skip
PLANS = [
    Options(),
    Options(plan=plan(anchor="first-ferritin", window="7d")),
    Options(plan=plan(["2016-05-02=A"])),
    Options(key=b"k" * 20),
]
SETS = [criteria.load("hlh-2004")]


def damaged(content: bytes, chance: random.Random) -> bytes:
    """One to six changes: bytes, pieces of syntax, cuts, doubled and moved lines or parts."""
    text = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(text)) if text else 0
        kind = chance.randrange(6)
        if kind == 0:
            text[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            text[at:at] = chance.choice(PIECES)
        elif kind == 2:
            del text[at : at + chance.randint(1, 40)]
        elif kind == 3:
            other = chance.randrange(len(text)) if text else 0
            text[at:at] = text[other : other + chance.randint(1, 200)]
        elif kind == 4:
            del text[at:]
        else:
            text[at : at + 8] = chance.choice(PIECES)
    return bytes(text)


def read(content: bytes, options: Options) -> None:
    """Reads and evaluates; the books must balance, whatever the input was."""
    start = time.monotonic()
    loaded = None
    with contextlib.suppress(InputError):
        loaded = read_input(Source("x", io.BytesIO(content)), options)
        for document in loaded.documents:
            evaluate_document(document, SETS)
    if loaded is not None and loaded.account is not None:
        assert loaded.account.read == loaded.account.used + loaded.account.unused
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("form", FORMS)
def test_damaged_inputs(form):
    """Two hundred of each form: nothing but a result or a message, and no entry lost."""
    for seed in range(200):
        chance = random.Random(f"{form} {seed}")
        options = chance.choice(PLANS)
        read(damaged(FORMS[form], chance), replace(options, mapping=MAPPING) if form == "long" else options)


def test_damaged_workbooks():
    """Of a workbook the archive, and what is inside of it."""
    whole = workbook()
    for seed in range(60):
        chance = random.Random(seed)
        if seed % 2:
            read(damaged(whole, chance), chance.choice(PLANS))
            continue
        made = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(made, "w") as new:
            hit = chance.choice(old.namelist())
            for name in old.namelist():
                new.writestr(name, damaged(old.read(name), chance) if name == hit else old.read(name))
        read(made.getvalue(), chance.choice(PLANS))


@pytest.mark.parametrize("form", FORMS)
def test_what_is_undamaged_is_used(form):
    """The inputs that are damaged above are read when they are whole."""
    loaded = read_input(Source("x", io.BytesIO(FORMS[form])), Options(mapping=MAPPING) if form == "long" else Options())
    assert list(loaded.documents)
    assert loaded.account.used > loaded.account.unused

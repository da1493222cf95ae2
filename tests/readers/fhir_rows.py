"""Reads the vectors of tests/spec/fhir.md: resources in a short notation, and what must be made of them."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import yaml

LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
PATIENT, DAY = {"reference": "Patient/p"}, "2016-05-02"
_STATUS = "http://terminology.hl7.org/CodeSystem/condition-"
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_MORE = re.compile(r"(.*?)(?: (\{.*\}))?")
_QUANTITY = re.compile(r"(<=|>=|<|>)?\s*(\S+)(?: (\S+))?")


class Number(str):
    """A number as its text, so that it reaches the file with every digit."""


def to_json(tree: Any) -> str:
    """JSON text in which each Number stands as it was written."""
    if isinstance(tree, Number):
        return str(tree)
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {to_json(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, (list, tuple)):
        return "[" + ", ".join(map(to_json, tree)) + "]"
    return json.dumps(tree)


def bundle(*resources: dict[str, Any], kind: str = "collection", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": each} for each in resources], **more}


def coded(code: str, system: str = LOINC) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def _plain(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {key.value: _plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each) for each in node.value]
    if node.style is None and _NUMBER.fullmatch(node.value):
        return Number(node.value)
    return {"true": True, "false": False, "null": None}.get(node.value, node.value) if node.style is None else node.value


def _base(kind: str, code: str, number: int) -> dict[str, Any]:
    made: dict[str, Any] = {"id": f"r{number}", "subject": PATIENT}
    if kind == "obs":
        made |= {"resourceType": "Observation", "status": "final", "effectiveDateTime": DAY}
    elif kind == "cond":
        made |= {"resourceType": "Condition", "onsetDateTime": DAY}
        made |= {
            "clinicalStatus": coded("active", f"{_STATUS}clinical"),
            "verificationStatus": coded("confirmed", f"{_STATUS}ver-status"),
        }
    elif kind == "proc":
        made |= {"resourceType": "Procedure", "status": "completed", "performedDateTime": DAY}
    elif kind == "given":
        made |= {"resourceType": "MedicationAdministration", "status": "completed", "effectiveDateTime": DAY}
    elif kind == "taken":
        made |= {"resourceType": "MedicationStatement", "status": "active", "effectivePeriod": {"start": DAY}}
    elif kind == "ordered":
        made |= {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "authoredOn": DAY}
    else:
        return {"resourceType": kind, **({"id": code} if code else {})}
    if code and kind in ("given", "taken", "ordered"):
        made["medicationCodeableConcept"] = {"text": code.replace("_", " ")}
    elif code:
        made["code"] = coded(code, LOINC if kind == "obs" and re.search(r"-\d$", code) else SNOMED)
    return made


def _value(text: str) -> dict[str, Any]:
    if text[0] == '"':
        return {"valueString": text.strip('"')}
    if text in ("true", "false"):
        return {"valueBoolean": text == "true"}
    found = _QUANTITY.fullmatch(text)
    assert found, text
    quantity = {"value": Number(found[2])} | ({"comparator": found[1]} if found[1] else {})
    return {"valueQuantity": quantity | ({"unit": found[3], "system": UCUM, "code": found[3]} if found[3] else {})}


def resources(cell: str) -> list[dict[str, Any]]:
    """The resources of a cell: `kind:code = value {more}`, with ` ++ ` between them; `null` takes an element away."""
    made = []
    for number, text in enumerate(cell.split(" ++ "), 1):
        split = _MORE.fullmatch(text.strip())
        assert split, text
        what, _, value = split[1].partition(" = ")
        kind, _, code = what.strip().partition(":")
        resource = _base(kind, code, number) | (_value(value.strip()) if value else {})
        if split[2]:
            resource |= _plain(yaml.compose(split[2], Loader=yaml.SafeLoader))
        made.append({key: each for key, each in resource.items() if each is not None})
    return made


class Said(NamedTuple):
    """One thing that a patient file says: where (a time point's name, `background`, `therapy`, `note`), what, and its note."""

    where: str
    what: str
    note: str


def _said(name: str, entry: Any, where: str) -> list[Said]:
    if isinstance(entry, list):
        return [each for one in entry for each in _said(name, one, where)]
    if not isinstance(entry, dict):
        return [Said(where, f"{name}: {entry}", "")]
    words = [entry.get("value", ""), entry.get("unit", "")]
    words += [f"({key} {entry[key]})" for key in ("reference", "assay") if key in entry]
    return [Said(where, f"{name}: {' '.join(filter(None, words))}", entry.get("note", ""))]


def said(tree: Any) -> list[Said]:
    """All that the tree of a patient file says, observables and findings one by one."""
    found = [each for name, entry in tree.get("background", {}).items() for each in _said(name, entry, "background")]
    for each in tree.get("therapies", []):
        words = [each["drug"], each.get("dose", ""), f"{each.get('start', '')}..{each.get('stop', '')}"]
        found.append(Said("therapy", " ".join(filter(None, words)), each.get("note", "")))
    for point in tree["timepoints"]:
        for name, entry in point.get("observations", {}).items():
            found += _said(name, entry, point["name"])
        if "note" in point:
            found.append(Said("note", "", point["note"]))
    for name, curve in tree.get("series", {}).items():
        found += [each for when, entry in curve["points"] for each in _said(name, entry, f"curve {when}")]
    return found


def expected(cell: str) -> list[Said]:
    """What a cell asks for: `[where] observable: value ~ words of the note`, with `; ` between; `nothing`."""
    found = []
    for text in [] if cell == "nothing" else cell.split("; "):
        where = re.match(r"\[([^]]+)\]\s*", text)
        what, _, note = (text[where.end() :] if where else text).partition("~")
        found.append(Said(where[1] if where else DAY, what.strip(), note.strip()))
    return found

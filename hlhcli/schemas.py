"""The JSON Schemas, made from the models and types that validate and print."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a `patient` file, of the `results`, or of a `criteria` file."""
    return {"$schema": _DIALECT, "$id": f"hlhcli.{name}/1", **_build(name)}


def _build(name: str) -> dict[str, Any]:
    if name == "patient":
        from hlhcli.patient import Patient

        made = TypeAdapter(Patient).json_schema()
        for model in (made, *made["$defs"].values()):
            for key, value in model.get("properties", {}).items():
                if key not in model.get("required", ()):
                    model["properties"][key] = _or_empty(value)
        return made
    if name == "results":
        from hlhcli.render.contract import ResultsJson

        return TypeAdapter(ResultsJson).json_schema()
    from hlhcli.criteria_file import CriteriaFile

    return TypeAdapter(CriteriaFile).json_schema()


def _or_empty(value: dict[str, Any]) -> dict[str, Any]:
    """A key that is left empty counts as not written, so an editor must not object to it."""
    described = {key: value[key] for key in ("description", "title", "default") if key in value}
    rest = {key: part for key, part in value.items() if key not in described}
    return described | {"anyOf": [rest, {"type": "null"}]}

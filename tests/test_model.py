"""The models are one source: what Pydantic itself builds from them reads the same patients and refuses the same files."""

from __future__ import annotations

import pytest
from command import SAMPLES
from pydantic import BaseModel, TypeAdapter
from pydantic_core import ValidationError
from test_mutations import mutated

from hlhcli.errors import InputError
from hlhcli.fields import Context
from hlhcli.model import Model
from hlhcli.patient import Patient, Person, Timepoint
from hlhcli.yamltree import parse

BY_PYDANTIC = TypeAdapter(Patient)


def by_pydantic(tree) -> Patient | None:
    """As Pydantic reads it, with what `Patient.read` takes from the top of the file."""
    decimal = tree.get("decimal") if isinstance(tree, dict) else None
    units = tree.get("units") if isinstance(tree, dict) else None
    context = Context("comma" if decimal == "comma" else "point", units if units in ("conventional", "si") else None)
    try:
        return BY_PYDANTIC.validate_python(tree, context=context)
    except ValidationError:
        return None


def by_us(tree) -> Patient | None:
    try:
        return Patient.read(tree)
    except ValidationError:
        return None


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_samples(path):
    tree = parse(path.read_bytes(), path.name)
    assert by_us(tree) is not None
    assert by_us(tree) == by_pydantic(tree)


def test_damaged_files():
    """Both read, with the same result, or both refuse."""
    compared = refused = 0
    for seed in range(1000, 1400):
        try:
            tree = parse(mutated(seed), "p.yaml")
        except InputError:
            continue
        compared += 1
        refused += by_us(tree) is None
        assert by_us(tree) == by_pydantic(tree), seed
    assert 20 < refused < compared - 20


def test_inside_a_model_of_ones_own():
    """A registry that uses Pydantic can hold patients."""

    class Entry(BaseModel):
        number: int
        patient: Patient

    made = Entry.model_validate(
        {"number": 1, "patient": {"patient": {"age": "11 y", "sex": ""}, "timepoints": [{"name": "now"}]}}, context=Context()
    )
    assert made.patient.patient.age.text == "11 y"
    assert "Timepoint" in Entry.model_json_schema()["$defs"]


def test_rules_between_fields_hold_in_python_too():
    """What the reader refuses cannot be made by hand either."""
    age = Patient.read({"patient": {"age": "11 y"}, "timepoints": [{"name": "now"}]}).patient.age
    birth = Patient.read({"patient": {"birth_date": "2005-01-02"}, "timepoints": [{"name": "now"}]}).patient.birth_date
    with pytest.raises(ValueError, match="either 'age' or 'birth_date'"):
        Person(age=age, birth_date=birth)
    with pytest.raises(ValueError, match="'window' looks back"):
        Timepoint(name="now", window=7)
    with pytest.raises(AttributeError):
        Person().age = age


def test_what_no_model_can_hold():
    """A field of a kind that the file cannot have is a mistake of ours, told at once."""
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Wrong(Model):
        number: complex = 0j

    with pytest.raises(TypeError, match="no model can hold"):
        Wrong.validate({})

"""The floor of a start: the libraries that a check needs, and Pydantic's own models of the patient file."""

import pydantic
import rich.table  # noqa: F401
import typer  # noqa: F401
import yaml  # noqa: F401

import hlhcli.patient

pydantic.TypeAdapter(hlhcli.patient.Patient)

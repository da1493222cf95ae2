"""The floor of a start: the libraries that a check needs, and the models of the patient file."""

import pydantic  # noqa: F401
import rich.table  # noqa: F401
import typer  # noqa: F401
import yaml  # noqa: F401

import hlhcli.patient  # noqa: F401

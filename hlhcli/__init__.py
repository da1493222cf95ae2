"""Evaluate published criteria for hemophagocytic lymphohistiocytosis (HLH) on what was observed in a patient.

    >>> import hlhcli
    >>> patient = hlhcli.load("samples/broglie-2017.yaml")
    >>> for assessment in hlhcli.check(patient):
    ...     print(assessment.timepoint, assessment.verdict, assessment.count)
    >>> for each in hlhcli.follow(patient).lines:
    ...     print(each.line.name, [(one.rule.id, one.timing, one.answer) for one in each.readings])

Unknown is a value: what was not observed is never taken as normal.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from hlhcli.api import check, follow, load, load_all
    from hlhcli.assessment import Assessment
    from hlhcli.course import Course
    from hlhcli.errors import InputError, Problem
    from hlhcli.patient import Patient
    from hlhcli.status import Status

__all__ = [
    "Assessment",
    "Course",
    "InputError",
    "Patient",
    "Problem",
    "Status",
    "__version__",
    "check",
    "follow",
    "load",
    "load_all",
]

_HOME = {
    "Assessment": "hlhcli.assessment",
    "Course": "hlhcli.course",
    "InputError": "hlhcli.errors",
    "Patient": "hlhcli.patient",
    "Problem": "hlhcli.errors",
    "Status": "hlhcli.status",
    "check": "hlhcli.api",
    "follow": "hlhcli.api",
    "load": "hlhcli.api",
    "load_all": "hlhcli.api",
}


def __getattr__(name: str) -> Any:
    """Import the public names on first use, so that `hlhcli --version` stays fast."""
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'hlhcli' has no attribute {name!r}")

"""What a source of a cohort is: two queries, and how what SQL cannot decide is handed on to be read.

In the relation `readings` (one row for each value of the source) a text may say more than a value:

- a value that begins with `!` is none: the row is left, for the reason that follows;
- a value that begins with `?` is there, and what it says is not known, for the reason that follows;
- a value `a|b` is stated twice: `a` counts where it can be read, else `b`;
- of a value `!not a specimen of blood|4000` (a reason of OF_MEASURED) the reason is for what is measured, the rest for a finding;
- the values `present`, `ended` and `absent` are of what the code stands for. `ended`: it was present at that time, and is over;
- a unit `a|b` is stated twice, and `unit_of` says which one it is.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from hlhcli import observables
from hlhcli.readers.said import NO_COMPARATOR

Form = Literal["omop", "fhir", "mimic", "long", "wide"]

LEFT, NOT_KNOWN = "!", "?"  # how a value begins that is none, and one that is not known
PRESENT, ENDED, ABSENT = "present", "ended", "absent"
NO_DATE, NO_PERSON = f"{LEFT}no date that can be read", f"{LEFT}no patient"
NOT_BLOOD, UNKNOWN_SPECIMEN = "not a specimen of blood", "specimen not known here"
OF_MEASURED = (NOT_BLOOD, UNKNOWN_SPECIMEN, NO_COMPARATOR)
NOT_JSON = "not JSON"
BROKEN = "hlhcli_broken"  # a table of the lines that are no rows: file, line, reason


class Source(NamedTuple):
    """Where the values and the persons come from, as SQL.

    `readings` gives person_id, t, code, value, unit, reference; `persons` (None: there are none) person_id, born_first and
    born_last, the first and last day on which the person can have been born, in days since 1970.
    """

    readings: str
    persons: str | None
    form: Form


def stated(value: str) -> str:
    """The value that stands behind a reason of OF_MEASURED, or the value itself, as SQL."""
    return f"REGEXP_REPLACE({value}, '^[{LEFT}{NOT_KNOWN}]({'|'.join(OF_MEASURED)})[|]', '')"


def unit_of(form: Form, observable: str, unit: str) -> tuple[str, str]:
    """The unit of a value of this observable, and what is wrong with it (empty where nothing is)."""
    family = observables.get(observable).family
    first, mark, second = unit.partition("|")
    if form == "fhir" and family is not None:
        from hlhcli.readers.fhir_element import amount  # a table needs none of the readers, and each costs time

        code, _, text = second.partition("|") if mark and not first else (first, mark, second)
        system = "ucum" if first else ""
        found = amount({"value": "1", "system": system, "code": code, "unit": text}, observable)
        return found.unit, found.wrong
    if not mark or family is None or family.find(second) is None:
        return first, ""
    from hlhcli.readers.meanings import Meaning, united

    both = united(Meaning(observable, unit=first), second)
    return ("", "two different units") if both is None else (both, "")

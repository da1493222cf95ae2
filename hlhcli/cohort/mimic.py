"""MIMIC-IV as readings: the laboratory events of its module hosp, through a table that names the LOINC code of each item.

Neither the diagnoses (ICD codes of a whole stay, without a day) nor chartevents, microbiology and the emergency module are read.
The dates are shifted, by the same time for all events of a person: what lies between them is true, and no date is.
"""

from __future__ import annotations

from collections.abc import Mapping

from hlhcli.cohort.dialects import Dialect, Table
from hlhcli.cohort.expressions import (
    Columns,
    bounds,
    days,
    doubts,
    free,
    listed,
    not_of_blood,
    of_a_life,
    of_blood,
    of_other_fluids,
)
from hlhcli.cohort.source import LEFT, NO_DATE, NO_PERSON, NOT_BLOOD, NOT_KNOWN, UNKNOWN_SPECIMEN, Source
from hlhcli.readers.said import DOUBTED

EVENTS, PATIENTS, ITEMS = "labevents", "patients", "d_labitems_to_loinc"
_OLDEST = 91  # what is written for all who are 90 or more
_LONGEST_LIFE = 125  # years


def mimic(tables: Mapping[str, Table], dialect: Dialect) -> Source:
    """The laboratory events; `d_labitems_to_loinc` is the mapping of the items, and needed. `patients` may be absent."""
    if EVENTS not in tables or ITEMS not in tables:
        raise ValueError(f"MIMIC-IV needs the tables {EVENTS} and {ITEMS}, which names the LOINC code of each item")
    persons = _persons(Columns(tables[PATIENTS], "p", dialect)) if PATIENTS in tables else None
    return Source(_events(Columns(tables[EVENTS], "m", dialect), tables[ITEMS], dialect), persons, "mimic")


def _events(event: Columns, items: Table, dialect: Dialect) -> str:
    item = Columns(items, "i", dialect)
    own = next((name for name in items.columns if name.startswith("itemid")), None)
    if own is None or not items.has("omop_concept_code", "fluid"):
        raise ValueError(f"{items.name} needs the columns itemid, fluid, omop_vocabulary_id and omop_concept_code")
    system, code = item.text("omop_vocabulary_id"), item.text("omop_concept_code")
    # One row for each item, whatever the mapping repeats; what it says of an item in two ways, it does not say.
    coding = f"CASE WHEN {code} IS NOT NULL THEN COALESCE({system}, 'LOINC') || '|' || REPLACE({code}, ' ', '_') END"
    mapped = (
        f"SELECT {item.id(own)} AS item, MIN({coding}) AS code, MAX({coding}) AS other,\n"
        f"  MIN(LOWER(COALESCE({item.text('fluid')}, ''))) AS fluid, MAX(LOWER(COALESCE({item.text('fluid')}, ''))) AS second\n"
        f"FROM {items.name} AS i GROUP BY {item.id(own)}"
    )
    cells = {
        "person_id": event.id("subject_id"),
        "t": of_a_life(event.millis("charttime")),
        "item": event.id("itemid"),
        "written": free(event.text("value")),
        "number": event.text("valuenum"),
        "unit": event.text("valueuom"),
        "low": event.text("ref_range_lower"),
        "high": event.text("ref_range_upper"),
        "comment": f"LOWER({event.text('comments')})",
    }
    listed_ = ",\n  ".join(f"{expression} AS {name}" for name, expression in cells.items())
    stated = f"CASE WHEN {dialect.matches('written', '^_+$')} THEN NULL ELSE written END"
    value = (
        f"CASE WHEN i.code IS NULL THEN '{LEFT}item without a code of LOINC' "
        f"WHEN i.code <> i.other OR i.fluid <> i.second THEN '{LEFT}item that is mapped in two ways'\n"
        f"  WHEN i.code NOT IN ({listed(f'LOINC|{each}' for each in of_other_fluids())}) AND "
        f"{dialect.matches('i.fluid', not_of_blood())} THEN '{LEFT}{NOT_BLOOD}'\n"
        f"  WHEN i.code NOT IN ({listed(f'LOINC|{each}' for each in of_other_fluids())}) AND "
        f"NOT {dialect.matches('i.fluid', of_blood())} THEN '{LEFT}{UNKNOWN_SPECIMEN}'\n"
        f"  WHEN t IS NULL THEN '{NO_DATE}' WHEN person_id IS NULL THEN '{NO_PERSON}'\n"
        f"  WHEN {dialect.matches('comment', doubts())} THEN '{NOT_KNOWN}{DOUBTED}'\n"
        f"  WHEN {stated} IS NOT NULL THEN {stated}\n"
        f"  WHEN number IS NULL AND written IS NOT NULL THEN '{NOT_KNOWN}taken out to protect the person' ELSE number END"
    )
    reference = bounds(dialect, "low", "high")
    return (
        f"SELECT person_id, t, COALESCE(i.code, 'MIMIC|' || e.item) AS code, {value} AS value, unit, {reference} AS reference\n"
        f"FROM (SELECT {listed_}\nFROM {event.table.name} AS m) AS e\nLEFT JOIN (\n{mapped}\n) AS i ON e.item = i.item"
    )


def _persons(person: Columns) -> str:
    """The year of birth; of those who are 90 or more only that it was so long before."""
    inner = (
        f"SELECT {person.id('subject_id')} AS person_id, {person.number('anchor_year')} AS y, {person.number('anchor_age')} AS age"
    )
    earliest = days(f"(y - CASE WHEN age >= {_OLDEST} THEN {_LONGEST_LIFE} ELSE age END)", "1", "1")
    latest = days(f"(y + 1 - CASE WHEN age >= {_OLDEST} THEN {_OLDEST - 1} ELSE age END)", "1", "1")
    return (
        f"SELECT person_id, {earliest} AS born_first, {latest} - 1 AS born_last\n"
        f"FROM ({inner} FROM {person.table.name} AS p) AS births\nWHERE person_id IS NOT NULL"
    )

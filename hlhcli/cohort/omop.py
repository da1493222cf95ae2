"""The OMOP CDM as readings: measurements, conditions and drugs, their codes through the concept table, and the persons."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from hlhcli.cohort.dialects import DAY, Dialect, Table
from hlhcli.cohort.expressions import NONE, Columns, bounds, clock, coded, days, free, listed, midnight, of_a_life, rows
from hlhcli.cohort.source import ENDED, LEFT, NO_DATE, NO_PERSON, NOT_KNOWN, PRESENT, Source
from hlhcli.cohort.sql import literal
from hlhcli.observations import WORDS, missing
from hlhcli.quantity import COMPARATORS
from hlhcli.readers.omop import DENIED, STATUSES
from hlhcli.readers.said import NO_COMPARATOR, SPOILED

MEASUREMENT, CONDITION, DRUG, PERSON, CONCEPT = "measurement", "condition_occurrence", "drug_exposure", "person", "concept"
READ = (MEASUREMENT, CONDITION, DRUG)
_LOINC = "LOINC|%"
_ZERO = "^[+-]?0*([.]0*)?([eE][+-]?[0-9]+)?$"


def omop(tables: Mapping[str, Table], dialect: Dialect) -> Source:
    """The values of the tables that are there, by their names in small letters; `concept` must be."""
    made = {MEASUREMENT: _measurements, CONDITION: _conditions, DRUG: _drugs}
    if CONCEPT not in tables or tables.keys().isdisjoint(READ):
        raise ValueError(f"OMOP needs the table {CONCEPT}, and one of {', '.join(READ)}")
    parts = [query(_Cdm(tables, name, dialect)) for name, query in made.items() if name in tables]
    persons = _persons(Columns(tables[PERSON], "p", dialect)) if PERSON in tables else None
    return Source("\nUNION ALL\n".join(parts), persons, "omop")


class _Cdm:
    """One table of events, and the concepts that its rows are joined with."""

    def __init__(self, tables: Mapping[str, Table], name: str, dialect: Dialect) -> None:
        self.dialect = dialect
        self.row = Columns(tables[name], "m", dialect)
        self._concept = tables[CONCEPT]
        self._joins: list[str] = []

    def concept(self, alias: str, column: str) -> Columns:
        """The concept that a column names; NULLs where there is none, or it is 0."""
        found = Columns(self._concept, alias, self.dialect)
        self._joins.append(f"LEFT JOIN {self._concept.name} AS {alias} ON {self.row.equal(column, found, 'concept_id')}")
        return found

    def lookup(self, alias: str, names: str, table: str, on: str) -> None:
        """A small table of this tool's own."""
        self._joins.append(f"LEFT JOIN (VALUES {table}) AS {alias}({names}) ON {on}")

    def coding(self, concept: Columns, name: str = NONE) -> str:
        """`LOINC|2276-4`, with a name `RxNorm|1234|etoposide_20_MG`."""
        parts = [f"REPLACE(REPLACE({concept.text(each)}, ' ', '_'), '|', '_')" for each in ("vocabulary_id", "concept_code")]
        named = "" if name == NONE else f" || '|' || COALESCE(REPLACE(REPLACE({name}, ' ', '_'), '|', '_'), '')"
        return f"{parts[0]} || '|' || {parts[1]}{named}"

    def query(self, cells: Mapping[str, str], value: str, unit: str = NONE, reference: str = NONE) -> str:
        """One row of the relation for each row of the table.

        `cells` are columns by the names under which the other three speak of them; t, number, standard and source among them.
        """
        table = self.row.table.name
        listed_ = ",\n  ".join(f"{expression} AS {name}" for name, expression in cells.items())
        joins = "\n".join(self._joins)
        code = (
            "CASE WHEN standard IS NULL OR standard = source THEN COALESCE(source, 'OMOP|' || COALESCE(number, '0')) "
            "WHEN source IS NULL THEN standard ELSE standard || ' ' || source END"
        )
        unknown = f"WHEN number IS NULL THEN '{LEFT}no concept (0)' ELSE '{LEFT}concept that is not in CONCEPT' END"
        why = (
            f"CASE WHEN standard IS NULL AND source IS NULL THEN CASE {unknown} "
            f"WHEN value IS NULL OR value LIKE '{LEFT}%' THEN value "
            f"WHEN t IS NULL THEN '{NO_DATE}' WHEN person_id IS NULL THEN '{NO_PERSON}' ELSE value END"
        )
        return (
            f"SELECT person_id, t, {code} AS code, {why} AS value, unit, reference\n"
            f"FROM (SELECT person_id, {of_a_life('t')} AS t, number, standard, source,\n"
            f"  {value} AS value,\n  {unit} AS unit, {reference} AS reference\n"
            f"FROM (SELECT {self.row.id('person_id')} AS person_id,\n  {listed_}\nFROM {table} AS m\n{joins}) AS cells) AS stated"
        )

    def moment(self, stem: str) -> str:
        """The date, and the time of day if the other column states one."""
        columns = [name for name in (f"{stem}_date", f"{stem}_datetime") if self.row.table.has(name)]
        if not columns:
            return "CAST(NULL AS BIGINT)"
        found = [self.row.millis(name) for name in columns]
        texts = [name for name in columns if self.row.table.columns[name] == "text"]
        torn = [f"({self.row.text(name)} IS NOT NULL AND {self.row.millis(name)} IS NULL)" for name in texts]
        if len(columns) == 1:
            t = midnight(found[0]) if columns[0].endswith("_date") else found[0]
        else:
            t = f"COALESCE({midnight(found[0])} + COALESCE({clock(found[1])}, 0), {found[1]})"
        return f"CASE WHEN NOT ({' OR '.join(torn)}) THEN {t} END" if torn else t


def _measurements(cdm: _Cdm) -> str:
    row = cdm.row
    standard, source = cdm.concept("c", "measurement_concept_id"), cdm.concept("s", "measurement_source_concept_id")
    unit, answer = cdm.concept("u", "unit_concept_id"), cdm.concept("a", "value_as_concept_id")
    cdm.lookup("k", "id, unit", rows(coded()["unit_concepts"].items()), f"{row.concept('unit_concept_id')} = k.id")
    system = f"LOWER({answer.text('vocabulary_id')})"
    cdm.lookup("w", "system, code, word", _answers(), f"{system} = w.system AND {answer.text('concept_code')} = w.code")
    operator = row.concept("operator_concept_id")
    cells = {
        "t": cdm.moment("measurement"),
        "number": row.concept("measurement_concept_id"),
        "standard": _first_of_loinc(standard, cdm.coding(standard), source),
        "source": _first_of_loinc(source, cdm.coding(source), standard),
        "operator": operator,
        "comparator": _comparator(operator),
        "measured": row.text("value_as_number"),
        "written": free(row.text("value_source_value")),
        "sign": _sign(cdm.dialect, row.text("value_source_value")),
        "bare": _bare(row.text("value_source_value")),
        "answer": free(f"COALESCE(w.word, {answer.text('concept_name')})"),
        "ucum": f"CASE WHEN {unit.text('vocabulary_id')} = 'UCUM' THEN {unit.text('concept_code')} END",
        "known": "k.unit",
        "spelled": f"REPLACE({row.text('unit_source_value')}, '|', '/')",
        "low": row.text("range_low"),
        "high": row.text("range_high"),
    }
    value = (
        f"CASE WHEN COALESCE(standard, '') NOT LIKE '{_LOINC}' AND COALESCE(source, '') NOT LIKE '{_LOINC}' "
        f"THEN '{LEFT}code not known here'\n"
        f"  WHEN operator NOT IN ({listed(coded()['operators'])}) AND NOT COALESCE(measured, written, answer) IS NULL "
        f"THEN '{NOT_KNOWN}operator not known here'\n"
        f"  {_value(cdm.dialect)} END"
    )
    both = (
        "CASE WHEN known IS NULL AND ucum IS NULL THEN spelled "
        "WHEN spelled IS NULL OR spelled = ucum OR spelled = known THEN COALESCE(known, ucum) "
        "ELSE COALESCE(known, ucum) || '|' || spelled END"
    )
    return cdm.query(cells, value, both, bounds(cdm.dialect, "low", "high"))


def _first_of_loinc(concept: Columns, coding: str, other: Columns) -> str:
    """The coding, unless it is none of LOINC and the other one is: nothing else says what was measured."""
    of_loinc = [f"COALESCE({each.text('vocabulary_id')}, '') = 'LOINC'" for each in (concept, other)]
    return f"CASE WHEN {of_loinc[0]} OR NOT {of_loinc[1]} THEN {coding} END"


def _comparator(operator: str) -> str:
    known = {number: "" if sign == "=" else sign for number, sign in coded()["operators"].items()}
    cases = " ".join(f"WHEN {literal(number)} THEN {literal(sign)}" for number, sign in known.items())
    return f"COALESCE(CASE {operator} {cases} END, '')"


@cache
def _answers() -> str:
    """The codes that mean yes or no, under each name of their system."""
    systems, answers = coded()["systems"], coded()["answers"]
    found = (
        (name, code, word) for short, table in answers.items() for code, word in table.items() for name in _names(systems, short)
    )
    return rows(found)


def _names(systems: Mapping[str, str], short: str) -> list[str]:
    """The names of a system that are no addresses, in small letters."""
    return list(dict.fromkeys(each.lower() for each in (short, *systems.get(short, "").split()) if ":" not in each))


def _value(dialect: Dialect) -> str:
    """What a measurement says: its number with the comparator, else the text of the source and the answer that is coded."""
    words = [
        f"CASE WHEN comparator <> '' AND {dialect.matches(each, '^[0-9.][^-]*$')} THEN comparator || {each} ELSE {each} END"
        for each in ("written", "answer")
    ]
    is_zero, is_word = dialect.matches("measured", _ZERO), f"NOT {dialect.matches('written', '[0-9]')}"
    return (
        f"WHEN {is_zero} AND {is_word} THEN written\n"  # CANCELED, hemolyzed: the zero stands for no value
        f"  WHEN LOWER(TRIM(written)) IN ({listed(_spoiled())}) THEN written\n"
        f"  WHEN measured IS NOT NULL AND comparator = '' AND sign IS NOT NULL AND ({_plain('measured')} = {_plain('bare')} "
        f"OR {is_zero} AND sign IN ('<', '<=')) THEN sign || bare\n"  # of `<5`, exports keep the 5, or 0
        f"  WHEN measured IS NOT NULL AND (comparator = '' OR NOT {dialect.matches('measured', '^[0-9.]')}) THEN measured\n"
        f"  WHEN measured LIKE '%-%' THEN '{NOT_KNOWN}{NO_COMPARATOR}'\n"
        f"  WHEN measured IS NOT NULL THEN comparator || measured\n"
        f"  WHEN written IS NULL THEN {words[1]}\n  WHEN answer IS NULL OR answer = written THEN {words[0]}\n"
        f"  ELSE {words[0]} || '|' || {words[1]}"
    )


def _spoiled() -> list[str]:
    """Words for a sample of which there is no result, whatever number stands beside."""
    return [word for word in WORDS if (reason := missing(word)) is not None and reason.text == SPOILED]


def _sign(dialect: Dialect, source: str) -> str:
    """The comparator with which the text of the source begins, and which the number of the table may have lost."""
    signs: dict[str, list[str]] = {}
    for word, sign in COMPARATORS.items():
        signs.setdefault(sign, []).append(word)
    for sign, more in (("<=", "≤⩽≦"), (">=", "≥⩾≧")):
        signs[sign] += list(more)
    patterns = {sign: f"^({'|'.join(words)}) *[.]?[0-9]" for sign, words in signs.items()}
    cases = " ".join(f"WHEN {dialect.matches(f'LOWER({source})', pattern)} THEN '{sign}'" for sign, pattern in patterns.items())
    return f"CASE WHEN {dialect.matches(source, '[0-9] *(-|–|to ) *[.]?[0-9]')} THEN NULL {cases} END"


def _bare(source: str) -> str:
    """The first number of a text, without the commas that group it."""
    return f"REGEXP_REPLACE(REGEXP_REPLACE(REPLACE({source}, ',', ''), '^[^0-9.]+', ''), '[^0-9.].*$', '')"


def _plain(number: str) -> str:
    """A number without idle zeros, to compare texts."""
    whole = f"REGEXP_REPLACE({number}, '^0+', '')"
    return f"CASE WHEN {number} LIKE '%.%' THEN REGEXP_REPLACE({whole}, '[.]?0*$', '') ELSE {whole} END"


def _conditions(cdm: _Cdm) -> str:
    """A condition is present at its start; an end that is stated says that it did not go on."""
    row = cdm.row
    standard, source = (cdm.concept(alias, f"condition{each}_concept_id") for alias, each in (("c", ""), ("s", "_source")))
    cells = {
        "t": cdm.moment("condition_start"),
        "number": row.concept("condition_concept_id"),
        "standard": cdm.coding(standard),
        "source": cdm.coding(source),
        "status": row.concept("condition_status_concept_id"),
        "stopped": f"LOWER({row.text('stop_reason')})",
        "ended": midnight(cdm.moment("condition_end")),
    }
    value = (
        f"CASE WHEN status NOT IN ({listed(sorted(STATUSES - {''}))}) THEN '{LEFT}status of the condition'\n"
        f"  WHEN {cdm.dialect.matches('stopped', DENIED.pattern.replace('?:', ''))} "
        f"THEN '{LEFT}stop_reason that denies the condition'\n"
        f"  WHEN ended >= {midnight('t')} THEN '{ENDED}' ELSE '{PRESENT}' END"
    )
    return cdm.query(cells, value)


def _drugs(cdm: _Cdm) -> str:
    """A drug by its name, with the route by which it was given: what stays local is no treatment of the disease."""
    row = cdm.row
    route = f"COALESCE({cdm.concept('r', 'route_concept_id').text('concept_name')}, {row.text('route_source_value')})"
    found = (cdm.concept(alias, f"drug{each}_concept_id") for alias, each in (("c", ""), ("s", "_source")))
    standard, source = (cdm.coding(each, f"{each.text('concept_name')} || COALESCE(' (' || {route} || ')', '')") for each in found)
    number = row.concept("drug_concept_id")
    cells = {"t": cdm.moment("drug_exposure_start"), "number": number, "standard": standard, "source": source}
    return cdm.query(cells, f"'{PRESENT}'")


def _persons(person: Columns) -> str:
    """The day of birth, else the first and last day of the month or year."""
    year, month, day = (person.number(f"{part}_of_birth") for part in ("year", "month", "day"))
    exact = f"({midnight(of_a_life(person.millis('birth_datetime')))} / {DAY})"
    born = f"CAST({exact} AS BIGINT)" if person.table.has("birth_datetime") else "CAST(NULL AS BIGINT)"
    first, after = (
        days("y", "m", "1"),
        days("CASE WHEN m = 12 THEN y + 1 ELSE y END", "CASE WHEN m = 12 THEN 1 ELSE m + 1 END", "1"),
    )
    known = f"d BETWEEN 1 AND {after} - {first} AND m BETWEEN 1 AND 12"
    whole = f"CASE WHEN m IS NOT NULL AND d IS NOT NULL AND {known} THEN {days('y', 'm', 'd')} "
    by_month = "WHEN m BETWEEN 1 AND 12 AND d IS NULL THEN "
    firsts = f"{whole}{by_month}{first} WHEN m IS NULL THEN {days('y', '1', '1')} END"
    lasts = f"{whole}{by_month}{after} - 1 WHEN m IS NULL THEN {days('(y + 1)', '1', '1')} - 1 END"
    inner = f"SELECT {person.id('person_id')} AS person_id, {year} AS y, {month} AS m, {day} AS d, {born} AS born"
    return (
        f"SELECT person_id, COALESCE(born, {firsts}) AS born_first, COALESCE(born, {lasts}) AS born_last\n"
        f"FROM ({inner} FROM {person.table.name} AS p) AS births\nWHERE person_id IS NOT NULL"
    )

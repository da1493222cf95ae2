"""What a FHIR Observation, or a component of one, says: its value, unit and reference range, as DuckDB reads them from JSON."""

from __future__ import annotations

from hlhcli.cohort.expressions import coded, free, listed
from hlhcli.cohort.source import NOT_KNOWN
from hlhcli.observations import NO, WORDS, YES
from hlhcli.readers.fhir_value import ABSENT, INTERPRETED, OTHER, UNKNOWN


class Paths:
    """Places in a JSON text, all of them read at once: each reading by itself would parse the text again."""

    def __init__(self, document: str, name: str) -> None:
        self.document, self.name = document, name
        self.paths: list[str] = []

    def __call__(self, path: str) -> str:
        """The text of a place (of an object its JSON), NULL where there is nothing."""
        if path not in self.paths:
            self.paths.append(path)
        return f"{self.name}[{self.paths.index(path) + 1}]"

    def said(self, path: str) -> str:
        """The text of a place without the spaces around it, NULL where nothing is left."""
        return f"NULLIF(TRIM({self(path)}), '')"

    def has(self, path: str) -> str:
        """True where something is there that is not empty."""
        return f"(COALESCE({self(path)}, '') NOT IN ('', '[]', '{{}}', 'false'))"

    @property
    def texts(self) -> str:
        """All of them, as one list; to be written when all have been asked for."""
        return f"json_extract_string({self.document}, [{listed(f'$.{path}' for path in self.paths)}])"

    @property
    def column(self) -> str:
        return f"{self.texts} AS {self.name}"


def each(document: str, path: str) -> str:
    """The texts of all places of a list; an empty list where there are none."""
    return f"COALESCE(json_extract_string({document}, '$.{path}'), [])"


def words(document: str, path: str) -> str:
    """All that a CodeableConcept says, or all of a list of them, in small letters."""
    text = each(document, f"{path}.text") if "*" in path else f"[json_extract_string({document}, '$.{path}.text')]"
    parts = [text, *(each(document, f"{path}.coding[*].{end}") for end in ("display", "code"))]
    return f"COALESCE(LOWER(array_to_string({' || '.join(parts)}, ' ')), '')"


def first(texts: str) -> str:
    """The first of a list of texts that holds something."""
    return f"list_filter({texts}, lambda y: TRIM(y) <> '')[1]"


def unit(at: Paths, quantity: str) -> str:
    """The unit by its code, and its text where that is another one; `|code|text` for a code without a system."""
    system, code, text = (at.said(f"{quantity}.{part}") for part in ("system", "code", "unit"))
    ucum = f"RTRIM(LOWER({system}), '/') IN ({listed(each.lower() for each in ('ucum', *coded()['systems']['ucum'].split()))})"
    known = f"REPLACE(CASE WHEN {system} IS NULL OR {ucum} THEN {code} END, '|', '/')"
    written = f"REPLACE({text}, '|', '/')"
    return (
        f"CASE WHEN {known} IS NULL THEN {written} WHEN {written} IS NULL OR {written} = {known} THEN {known} "
        f"ELSE CASE WHEN {system} IS NULL THEN '|' ELSE '' END || {known} || '|' || {written} END"
    )


def _bare_unit(at: Paths, quantity: str) -> str:
    """The unit of the end of a range: its code, else its text."""
    return f"COALESCE({at.said(f'{quantity}.code')}, {at.said(f'{quantity}.unit')}, '')"


def _number(at: Paths, quantity: str) -> str:
    """The number of a quantity as it was written; NULL for what is none (true, a list)."""
    return f"CASE WHEN REGEXP_MATCHES({at(f'{quantity}.value')}, '^ *[<>=+.0-9-]') THEN {at.said(f'{quantity}.value')} END"


def _ends(at: Paths, holder: str, otherwise: str) -> str:
    low, high = (
        f"COALESCE({at.said(f'{holder}.{end}.comparator')}, '') || {_number(at, f'{holder}.{end}')}" for end in ("low", "high")
    )
    same = f"{_bare_unit(at, f'{holder}.low')} = {_bare_unit(at, f'{holder}.high')}"
    return (
        f"CASE WHEN {low} IS NOT NULL AND {high} IS NOT NULL AND {same} THEN {low} || '-' || {high} "
        f"WHEN {low} IS NOT NULL AND {high} IS NULL THEN '>=' || {low} "
        f"WHEN {high} IS NOT NULL AND {low} IS NULL THEN '<=' || {high} ELSE {otherwise} END"
    )


def ranges(holder: str) -> str:
    """The reference ranges that apply to everybody, and are the normal ones."""
    clear = " AND ".join(
        f"COALESCE(y ->> '$.{part}', '[]') IN ('[]', '{{}}', '')" for part in ("appliesTo", "age", "modifierExtension")
    )
    kind = "COALESCE(y ->> '$.type.coding[0].code', '') IN ('', 'normal', 'recommended')"
    return f"list_filter(json_extract({holder}, '$.referenceRange[*]'), lambda y: {clear} AND {kind})"


def limits(at: Paths) -> str:
    """The text of the range that `at` reads, its unit behind it."""
    ends = _ends(at, "range", "NULL")
    unit_ = f"COALESCE(NULLIF({_bare_unit(at, 'range.high')}, ''), {_bare_unit(at, 'range.low')})"
    return f"COALESCE(RTRIM({ends} || ' ' || {unit_}), {at.said('range.text')})"


def value(holder: str, at: Paths, keys: str) -> str:
    """The value of the Observation or component; `keys` are those of its values."""
    key = f"{keys}[1]"
    absent = at("dataAbsentReason")
    other = " ".join(f"WHEN '{name}' THEN '{NOT_KNOWN}{name} is not read'" for name in OTHER)
    extended = _reason(each(f"json_extract({holder}, '$.' || {key})", "extension[*].valueCode"))
    return (
        f"CASE WHEN len({keys}) > 1 THEN '{NOT_KNOWN}several values in one element' "
        f"WHEN len({keys}) = 0 AND {absent} IS NOT NULL THEN {_absent(holder, at)} "
        f"WHEN len({keys}) = 0 THEN {_judged(holder)} "
        f"WHEN {absent} IS NOT NULL AND NOT starts_with({key}, '_') THEN '{NOT_KNOWN}a value, and a reason why there is none' "
        f"WHEN starts_with({key}, '_') THEN COALESCE({extended}, '{NOT_KNOWN}value that cannot be read') "
        f"ELSE CASE {key} WHEN 'valueQuantity' THEN {_quantity(holder, at)} "
        f"WHEN 'valueString' THEN {free(at.said('valueString'))} "
        f"WHEN 'valueInteger' THEN COALESCE({free(at.said('valueInteger'))}, '{NOT_KNOWN}value that cannot be read') "
        f"WHEN 'valueBoolean' THEN CASE WHEN json_type({holder}, '$.valueBoolean') = 'BOOLEAN' THEN {at('valueBoolean')} "
        f"ELSE '{NOT_KNOWN}value of another kind is not read' END "
        f"WHEN 'valueCodeableConcept' THEN {_concept(holder, at)} "
        f"WHEN 'valueRange' THEN {_range(at)} {other} ELSE '{NOT_KNOWN}value of another kind is not read' END END"
    )


def _quantity(holder: str, at: Paths) -> str:
    number, comparator = _number(at, "valueQuantity"), at("valueQuantity.comparator")
    reasons = " || ".join(each(holder, f"valueQuantity.{path}extension[*].valueCode") for path in ("", "_value."))
    scale = f"list_distinct(list_filter({_interpreted(holder)}, lambda y: y IN ('<', '>')))"
    bare = f"SUBSTRING({number}, 1, 1) NOT IN ('<', '>')"
    off = f"CASE WHEN {at('interpretation')} IS NULL THEN '' WHEN len({scale}) = 1 AND {bare} THEN {scale}[1] ELSE '' END"
    return (
        f"CASE WHEN {at('valueQuantity.value')} IS NULL AND json_type({holder}, '$.valueQuantity') = 'OBJECT' "
        f"THEN COALESCE({_reason(reasons)}, '{UNKNOWN}') WHEN {number} IS NULL THEN '{NOT_KNOWN}no value' "
        f"WHEN {comparator} NOT IN ('<', '<=', '>', '>=') THEN '{NOT_KNOWN}comparator not known here' "
        f"ELSE COALESCE({comparator}, {off}) || {number} END"
    )


def _range(at: Paths) -> str:
    nothing = f"CASE WHEN {at('valueRange')} = '{{}}' THEN '{UNKNOWN}' ELSE '{NOT_KNOWN}a range that cannot be read' END"
    return _ends(at, "valueRange", nothing)


def _reason(texts: str) -> str:
    """The word for a reason why there is no value; NULL where none is given."""
    known = " ".join(f"WHEN '{code}' THEN '{word}'" for code, word in ABSENT.items())
    found = first(texts)
    return f"CASE WHEN {found} IS NOT NULL THEN CASE {found} {known} ELSE '{UNKNOWN}' END END"


def _absent(holder: str, at: Paths) -> str:
    said = first(f"[{at('dataAbsentReason.text')}] || {each(holder, 'dataAbsentReason.coding[*].display')}")
    by_word = f"CASE WHEN LOWER({said}) IN ({listed(word for word in WORDS if word)}) THEN {said} ELSE '{UNKNOWN}' END"
    return f"COALESCE({_reason(each(holder, 'dataAbsentReason.coding[*].code'))}, {by_word})"


def _interpreted(holder: str) -> str:
    """The codes of how the laboratory judged the value."""
    return each(holder, "interpretation[*].coding[0].code")


def _judged(holder: str) -> str:
    """No number: at least how the laboratory judged it, if it says one thing."""
    known = " ".join(f"WHEN '{code}' THEN '{word}'" for code, word in INTERPRETED.items())
    found = (
        f"list_distinct(list_filter(list_transform({_interpreted(holder)}, lambda y: CASE y {known} END), lambda y: y IS NOT NULL))"
    )
    return f"CASE WHEN len({found}) = 1 THEN {found}[1] END"


def _concept(holder: str, at: Paths) -> str:
    """An answer: yes or no by its codes and words, which must not contradict one another; else its words."""
    pairs = {word: [f"{name}|{code}" for name, code in _answers(word)] for word in ("yes", "no")}
    found = f"json_extract({holder}, '$.valueCodeableConcept.coding[*]')"
    codes = f"list_transform(COALESCE({found}, []), lambda y: RTRIM(LOWER(y ->> '$.system'), '/') || '|' || TRIM(y ->> '$.code'))"
    said = first(f"[{at('valueCodeableConcept.text')}] || {each(holder, 'valueCodeableConcept.coding[*].display')}")
    spoken = f"TRIM(split_part({said}, ' (', 1))"
    yes, no = (f"list_has_any({codes}, [{listed(pairs[word])}])" for word in ("yes", "no"))
    by_word = {word: f"LOWER({spoken}) IN ({listed(sorted(known))})" for word, known in (("yes", YES), ("no", NO))}
    contradict = f"({yes} AND ({no} OR COALESCE({by_word['no']}, false))) OR ({no} AND COALESCE({by_word['yes']}, false))"
    return (
        f"CASE WHEN {contradict} THEN '{NOT_KNOWN}answers that contradict one another' WHEN {yes} THEN 'yes' WHEN {no} THEN 'no' "
        f"WHEN {spoken} <> '' THEN {free(spoken)} ELSE '{NOT_KNOWN}answer not known here' END"
    )


def _answers(word: str) -> list[tuple[str, str]]:
    systems, answers = coded()["systems"], coded()["answers"]
    return [
        (name.lower().rstrip("/"), code)
        for short, table in answers.items()
        for code, said in table.items()
        if said == word
        for name in (short, *systems[short].split())
    ]

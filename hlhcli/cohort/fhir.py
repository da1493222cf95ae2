"""FHIR R4 bulk NDJSON as readings, by DuckDB's JSON reader: Observations, Conditions, Procedures, medications, and the Patients.

Bundles, genetic variants and what is reported of criteria are not read: their lines are rows that are left, with a reason.
"""

from __future__ import annotations

from collections.abc import Sequence

from hlhcli import observables
from hlhcli.cohort import fhir_events as events
from hlhcli.cohort import fhir_value as values
from hlhcli.cohort.dialects import DAY
from hlhcli.cohort.expressions import coded, doubts, listed, not_of_blood, of_other_fluids
from hlhcli.cohort.fhir_value import Paths, each
from hlhcli.cohort.source import LEFT, NOT_BLOOD, NOT_JSON, NOT_KNOWN, Source
from hlhcli.cohort.sql import literal
from hlhcli.observations import PENDING
from hlhcli.readers.chart import CSF
from hlhcli.readers.fhir_event import REFUTED
from hlhcli.readers.fhir_observation import DROPPED, MODIFIED, NO_STATUS, STATUS, VALID
from hlhcli.readers.said import DOUBTED

_LARGEST = 32 * 1024 * 1024  # bytes of a line
_READ = ("Observation", "Condition", "Procedure", *events.MEDICATIONS)
_BESIDE = ("Specimen", "Medication")  # read with the resources that refer to them
_MEASURED = ("valueQuantity", "valueRange", "valueInteger", "valueString")
_CORRECTS = ("corrected", "amended", "entered-in-error", "cancelled")
# A number under these keys becomes a text before anything else reads it, and keeps its digits.
_NUMBER = r'"(value|valueInteger|valueString)"\s*:\s*(-?[0-9][0-9.eE+-]*)'
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?$"
_CLOCK = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?)?"
_PARTIAL = r"^[0-9]{4}(-(0[1-9]|1[0-2]))?$"


def fhir(files: Sequence[str]) -> Source:
    """The resources of these files (globs too), one on each line."""
    lines = (
        f"SELECT json IS NULL AS torn, regexp_replace(json, {literal(_NUMBER)}, '\"\\1\":\"\\2\"', 'g') AS doc "
        f"FROM read_ndjson_objects([{listed(files)}], ignore_errors = true, maximum_object_size = {_LARGEST})"
    )
    return Source(_readings(lines), _persons(lines), "fhir")


def _readings(lines: str) -> str:
    at, part = Paths("doc", "x"), Paths("part", "y")
    event = Paths("doc", "e")  # places that only other resources than Observations have: most lines are Observations
    kind, limits = at("resourceType"), Paths("{'range': ranges[1]}", "z")
    of_kind = {
        "Observation": _observation(at),
        "Condition": events.condition(event, "doc", "bad"),
        "Procedure": events.procedure(event, "doc", "bad"),
    }
    of_kind |= dict.fromkeys(events.MEDICATIONS, events.medication(event, "doc", "bad"))
    stated = " ".join(f"WHEN '{name}' THEN {value}" for name, value in of_kind.items() if name not in events.MEDICATIONS)
    state = (
        f"CASE WHEN torn THEN '{LEFT}{NOT_JSON}' WHEN {kind} IS NULL THEN '{LEFT}not a resource'\n"
        f"  WHEN {kind} IN ({listed(_BESIDE)}) THEN '{LEFT}read with the resources that refer to it'\n"
        f"  WHEN {kind} NOT IN ({listed(_READ)}) THEN '{LEFT}resource type not read'\n"
        f"  WHEN {_foreign(at)} THEN '{LEFT}subject is no patient' WHEN person IS NULL THEN '{LEFT}no patient'\n"
        f"  ELSE CASE {kind} {stated} ELSE {of_kind[events.MEDICATIONS[0]]} END END"
    )
    own = "len(list_filter(json_keys(doc), lambda k: starts_with(LTRIM(k, '_'), 'value') OR k = 'dataAbsentReason')) > 0"
    several = "json_extract(doc, '$.component[*]')"
    parts = f"CASE WHEN {own} OR len({several}) = 0 THEN [doc] ELSE [] END || {several}"
    of_drug = f"CASE WHEN {kind} IN ({listed(events.MEDICATIONS)}) THEN {events.drug(event, 'doc', 'm.held')} END"
    sampled = _sampled(at)
    address, time, specimen, medication = _address(at), _time(at, event), at("specimen.reference"), _medication(event)
    observed = f"{kind} = 'Observation'"
    codings = _codings()
    plain = "NOT starts_with(k, '_') OR NOT list_contains(names, k[2:])"
    keys = f"list_filter(names, lambda k: starts_with(LTRIM(k, '_'), 'value') AND ({plain}))"
    value = values.value("part", part, "keys")
    of_ends = ", ".join(values.unit(part, f"valueRange.{end}") for end in ("low", "high"))
    unit = (
        f"CASE WHEN len(keys) <> 1 THEN NULL WHEN keys[1] = 'valueQuantity' THEN {values.unit(part, 'valueQuantity')}\n"
        f"  WHEN keys[1] = 'valueRange' THEN COALESCE({of_ends}) END"
    )
    reference = values.limits(limits)
    noted = f"{at('note')} IS NOT NULL AND REGEXP_MATCHES(LOWER({at('note')}), {literal(doubts())})"
    doubted = f"{noted} AND keys[1] IN ({listed(_MEASURED)})"  # what somebody found is not of a sample
    of_range = listed(f"$.{path.removeprefix('range.')}" for path in limits.paths)
    of_fluid, of_site = f"NOT {_is_of('codings', _csf())}", f"NOT {_is_of('codings', _findings())}"
    query = f"""WITH lines AS ({lines}),
{_others()},
resources AS (SELECT torn, doc, <x> AS x FROM lines),
told AS (SELECT *, CASE WHEN NOT {observed} THEN <e> END AS e FROM resources WHERE COALESCE({kind}, '') <> 'Patient'),
addressed AS (SELECT *, {address} AS address, {_identifier(at)} AS identifier, {time} AS time FROM told),
timed AS (SELECT *, {_millis("time")} AS t,
  COALESCE({_last("address")}, identifier) AS subject,
  CASE WHEN (SELECT servers FROM several) > 1 AND address LIKE '%://%' THEN address
  ELSE COALESCE({_last("address")}, identifier) END AS person FROM addressed),
judged AS (SELECT *, {_is_bad("time", "t")} OR {_is_reversed(at, event)} AS bad,
  {_version(at)} AS version, hash(doc) AS fingerprint FROM timed),
joined AS (SELECT j.person, j.t, j.doc, j.x, j.e, {of_drug} AS drug, {state} AS state, {sampled} AS foreign_site,
  s.id IS NOT NULL AS foreign_specimen, {_outdated()} AS version_state
  FROM judged AS j LEFT JOIN versions AS v ON v.key = hash({kind}, {at("id")}, j.subject)
  LEFT JOIN corrections AS c ON c.label = hash({kind}, {at("id")}) AND {kind} IN ({listed(_READ)})
  LEFT JOIN specimens AS s ON {observed} AND s.id = {_last(specimen)} LEFT JOIN medications AS m ON m.id = {_last(medication)}),
pieces AS (SELECT * EXCLUDE (doc),
  UNNEST(CASE WHEN {observed} AND {at("component")} IS NOT NULL THEN {parts} ELSE [doc] END) AS part FROM joined),
named AS (SELECT *, {codings} AS codings, <y> AS y, CASE WHEN {observed} THEN json_keys(part) END AS names FROM pieces),
cells AS (SELECT *, {keys} AS keys,
  CASE WHEN {part("referenceRange")} IS NOT NULL THEN {values.ranges("part")} END AS ranges FROM named),
limited AS (SELECT *, CASE WHEN len(ranges) = 1 THEN json_extract_string(ranges[1], [{of_range}]) END AS z FROM cells)
SELECT person AS person_id, t, COALESCE(drug, NULLIF(array_to_string(codings, ' '), ''), {_type(kind)}) AS code,
  CASE WHEN state LIKE '{LEFT}%' THEN state WHEN version_state IS NOT NULL THEN version_state
  WHEN state IS NOT NULL THEN CASE WHEN drug IS NULL AND len(codings) = 0 THEN '{LEFT}no code' ELSE state END
  WHEN len(codings) = 0 THEN '{LEFT}no code'
  WHEN {of_fluid} AND (foreign_specimen OR foreign_site AND {of_site}) THEN '{LEFT}{NOT_BLOOD}'
  WHEN {at("status")} = 'registered' THEN '{PENDING}'
  WHEN {doubted} THEN '{NOT_KNOWN}{DOUBTED}'
  ELSE {value} END AS value,
  CASE WHEN {observed} THEN {unit} END AS unit, CASE WHEN {observed} THEN {reference} END AS reference
FROM limited"""
    # The lists of places are written last, when every place has been asked for.
    return query.replace("<x>", at.texts).replace("<e>", event.texts).replace("<y>", part.texts)


def _others() -> str:
    """What other resources say of one: which of its versions holds, its specimen, the name of its drug."""
    kind, status = "(doc ->> '$.resourceType')", "(doc ->> '$.status')"  # DuckDB 1 binds IN closer
    at = Paths("doc", "x")
    address = _address(at)
    places = [at("resourceType"), at("id"), at("status")]
    verified = at("verificationStatus.coding[0].code")
    rank = f"(version * 2 + CASE WHEN COALESCE({places[2]}, {verified}) IN ({listed((*_CORRECTS, REFUTED))}) THEN 1 ELSE 0 END)"
    foreign = f"REGEXP_MATCHES({values.words('doc', 'type')}, {literal(not_of_blood())})"
    version = _version(at)
    identifier = _identifier(at)
    subject = f"COALESCE({_last(address)}, {identifier})"
    told = f"SELECT *, {subject} AS subject, {version} AS version FROM (SELECT doc, {at.column} FROM lines"
    return f"""beside AS MATERIALIZED (SELECT * FROM ({told}
  WHERE {kind} IN ({listed(_BESIDE)}) OR {status} IN ({listed(_CORRECTS)})) AS r) AS r),
specimens AS (SELECT {places[1]} AS id FROM beside WHERE {places[0]} = 'Specimen' AND {foreign} GROUP BY 1),
medications AS (SELECT {places[1]} AS id, ANY_VALUE(doc) AS held FROM beside WHERE {places[0]} = 'Medication' GROUP BY 1),
corrections AS (SELECT hash({places[0]}, {places[1]}) AS label,
  MIN(COALESCE(subject, '')) AS one, MAX(COALESCE(subject, '')) AS other, MAX(version) AS version
  FROM beside WHERE {places[2]} IN ({listed(_CORRECTS)}) AND {places[1]} IS NOT NULL GROUP BY 1),
versions AS (SELECT key, MAX(rank) AS top, MIN(version) = 0 AND MAX(version) > 0 AS mixed,
  MAX({{'r': rank, 'f': fingerprint}}).f AS holds, -(MAX({{'r': rank, 'f': -fingerprint}}).f) AS also
  FROM (SELECT hash({places[0]}, {places[1]}, subject) AS key, {rank} AS rank, version, CAST(hash(doc) AS HUGEINT) AS fingerprint
  FROM ({told}) AS r) AS r WHERE {places[0]} IN ({listed(_READ)}) AND {places[1]} IS NOT NULL) AS r
  GROUP BY key HAVING COUNT(*) > 1 AND MIN(fingerprint) <> MAX(fingerprint)),
several AS (SELECT COUNT(DISTINCT REGEXP_REPLACE({address}, '/[A-Za-z]+/[^/]+$', '')) AS servers
  FROM (SELECT doc, {at.column} FROM lines WHERE doc LIKE '%://%/Patient/%') AS r WHERE {address} LIKE '%://%')"""


def _outdated() -> str:
    """Whether another version of the resource takes its place; without times and numbers of versions that may not be known."""
    old, unclear = (
        f"'{LEFT}another version takes its place'",
        f"'{NOT_KNOWN}several versions, and which of them holds is not stated'",
    )
    other = "COALESCE(c.one <> COALESCE(j.subject, '') OR c.other <> COALESCE(j.subject, ''), false)"
    return (
        f"CASE WHEN v.key IS NOT NULL AND (v.mixed OR (v.holds <> v.also AND j.version = v.top // 2)) THEN {unclear} "
        f"WHEN v.key IS NOT NULL AND CAST(j.fingerprint AS HUGEINT) <> v.holds THEN {old} "
        f"WHEN {other} AND (j.version = 0 OR c.version = 0) THEN {unclear} WHEN {other} AND j.version < c.version THEN {old} END"
    )


def _version(at: Paths) -> str:
    """A number by which versions are ordered; 0 where none is stated."""
    return f"COALESCE(EPOCH_US(TRY_CAST({at('meta.lastUpdated')} AS TIMESTAMPTZ)), TRY_CAST({at('meta.versionId')} AS BIGINT), 0)"


def _address(at: Paths) -> str:
    """The reference to the patient, without its version."""
    written = f"COALESCE({at.said('subject.reference')}, {at.said('patient.reference')})"
    return f"NULLIF(REGEXP_REPLACE(RTRIM({written}, '/'), '/_history/.*$', ''), '')"


def _identifier(at: Paths) -> str:
    """The number by which a patient is named to whom no reference leads."""
    return f"COALESCE({at.said('subject.identifier.value')}, {at.said('patient.identifier.value')})"


def _last(address: str) -> str:
    """The id at the end of an address."""
    return f"split_part(split_part(REGEXP_REPLACE({address}, '/_history/.*$', ''), '/', -1), ':', -1)"


def _foreign(at: Paths) -> str:
    """True for a subject that is not a patient."""
    named = f"COALESCE({at('subject.type')}, {at('patient.type')}, '')"
    typed = f"CASE WHEN address LIKE '%/%' AND address NOT LIKE 'urn:%' THEN split_part(address, '/', -2) ELSE {named} END"
    return f"(address LIKE '#%' OR COALESCE({typed}, '') NOT IN ('', 'Patient'))"


def _medication(at: Paths) -> str:
    return f"COALESCE({at('medicationReference.reference')}, {at('medication.reference.reference')})"


def _time(at: Paths, event: Paths) -> str:
    """The text of the time, by the type of the resource."""
    given = f"COALESCE({', '.join(events.when(event, stem) for stem in ('effective', 'occurence', 'occurrence'))})"
    present = f"COALESCE({events.when(event, 'onset', 'recordedDate')}, {events.when(event, 'abatement')})"
    done = f"COALESCE({events.when(event, 'occurrence')}, {events.when(event, 'performed')})"
    return (
        f"CASE {at('resourceType')} WHEN 'Observation' THEN {events.when(at, 'effective', 'issued')} "
        f"WHEN 'Condition' THEN {present} WHEN 'Procedure' THEN {done} "
        f"WHEN 'MedicationRequest' THEN {event.said('authoredOn')} ELSE {given} END"
    )


def _millis(time: str) -> str:
    """The wall-clock time as it is written, without its zone."""
    exact = f"TRY_CAST(REPLACE(REGEXP_EXTRACT({time}, {literal(_CLOCK)}), 'T', ' ') AS TIMESTAMP)"
    day = f"TRY_CAST(SUBSTRING({time}, 1, 10) AS TIMESTAMP)"
    return f"CASE WHEN REGEXP_MATCHES({time}, {literal(_DATE)}) THEN EPOCH_MS(COALESCE({exact}, {day})) END"


def _is_bad(time: str, t: str) -> str:
    return f"({time} IS NOT NULL AND {t} IS NULL AND NOT REGEXP_MATCHES({time}, {literal(_PARTIAL)}))"


def _is_reversed(at: Paths, event: Paths) -> str:
    stems = ("effective", "onset", "occurrence", "performed")
    return " OR ".join([events.reversed_(at, "effective"), *(events.reversed_(event, stem) for stem in stems)])


def _observation(at: Paths) -> str:
    """Why nothing of the Observation is used, or known; NULL where something is."""
    status = at.said("status")
    parts = f"len(list_filter({each('doc', 'component[*].modifierExtension')}, lambda y: y NOT IN ('[]', ''))) > 0"
    modified = f"{at.has('modifierExtension')} OR {at.has('implicitRules')} OR ({at('component')} IS NOT NULL AND {parts})"
    return (
        f"CASE WHEN {status} IN ({listed(DROPPED)}) THEN '{LEFT}status ' || {status} "
        f"WHEN {status} IS NULL THEN '{NOT_KNOWN}{NO_STATUS}' WHEN {status} NOT IN ({listed(VALID)}) "
        f"THEN '{NOT_KNOWN}{STATUS}' WHEN {modified} THEN '{NOT_KNOWN}{MODIFIED}' "
        f"WHEN {at.has('focus')} THEN '{LEFT}about somebody or something else than the patient' "
        f"WHEN bad THEN '{LEFT}time that cannot be read' END"
    )


def _sampled(at: Paths) -> str:
    """True where the Observation itself names another specimen than blood, or a site of the body."""
    inside = (
        f"list_filter(json_extract(doc, '$.contained[*]'), lambda c: (c ->> '$.id') = LTRIM({at('specimen.reference')}, '#'))[1]"
    )
    texts = [values.words(f"({inside})", "type"), values.words("doc", "bodySite")]
    said = f"LOWER(COALESCE({at('specimen.display')}, '')) || ' ' || {texts[0]} || ' ' || {texts[1]}"
    stated = f"{at('specimen')} IS NOT NULL OR {at('bodySite')} IS NOT NULL"
    return f"CASE WHEN {stated} THEN REGEXP_MATCHES({said}, {literal(not_of_blood())}) ELSE false END"


def _codings() -> str:
    """The codes of an Observation, a component, a Condition or a Procedure, as texts."""
    plain = [f"REPLACE(REPLACE(TRIM(COALESCE(c ->> '$.{key}', '')), ' ', '_'), '|', '_')" for key in ("system", "code")]
    there = "list_filter(COALESCE(json_extract(part, '$.code.coding[*]'), []), lambda c: TRIM(c ->> '$.code') <> '')"
    return f"list_transform({there}, lambda c: {plain[0]} || '|' || {plain[1]})"


def _is_of(codings: str, codes: Sequence[str]) -> str:
    return f"list_has_any(list_transform({codings}, lambda c: UPPER(split_part(c, '|', 2))), [{listed(codes)}])"


def _csf() -> list[str]:
    return [*of_other_fluids(), *(name.upper() for name in observables.names() if name == CSF)]


def _findings() -> list[str]:
    """Codes of findings, which may be made anywhere: a marrow is where hemophagocytosis is looked for."""
    names = [name for name in observables.names() if observables.get(name).family is None]
    stated = coded()["findings"]
    found = [code for name in names for code in " ".join([*observables.codes(name, "hpo"), *stated.get(name, {}).values()]).split()]
    return [*(code.partition("=")[0].upper() for code in found), *(name.upper() for name in names)]


def _type(kind: str) -> str:
    """The type of a resource as it is told: what has another form can be anything."""
    return f"CASE WHEN REGEXP_MATCHES({kind}, '^[A-Z][A-Za-z]{{2,40}}$') THEN {kind} ELSE 'line' END"


def _persons(lines: str) -> str:
    """The day of birth; of a year or month alone its first and last day. What several versions say is all possible."""
    at = Paths("doc", "x")
    born, name = at.said("birthDate"), at.said("id")
    whole = f"TRY_CAST(SUBSTRING({born}, 1, 10) AS DATE)"
    day = f"CASE WHEN REGEXP_MATCHES({born}, {literal(_DATE)}) THEN EPOCH_MS(CAST({whole} AS TIMESTAMP)) // {DAY} END"
    partial = f"REGEXP_MATCHES({born}, {literal(_PARTIAL)})"
    start = f"CASE WHEN {partial} THEN TRY_CAST(SUBSTRING({born} || '-01-01', 1, 10) AS DATE) END"
    end = f"{start} + CASE WHEN LENGTH({born}) = 4 THEN INTERVAL 1 YEAR ELSE INTERVAL 1 MONTH END"
    first, last = (f"EPOCH_MS(CAST({each_} AS TIMESTAMP)) // {DAY}" for each_ in (start, end))
    modified = f"{at.has('modifierExtension')} OR {at.has('implicitRules')}"
    kind = at("resourceType")
    return (
        f"SELECT {name} AS person_id, MIN(COALESCE({day}, {first})) AS born_first, MAX(COALESCE({day}, {last} - 1)) AS born_last\n"
        f"FROM (SELECT doc, {at.column} FROM ({lines}) AS lines WHERE doc LIKE '%Patient%') AS r\n"
        f"WHERE {kind} = 'Patient' AND {name} IS NOT NULL AND NOT ({modified}) GROUP BY 1"
    )

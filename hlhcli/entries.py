"""The parts of a patient file that are keyed by name: observations, background findings and series by observable, and what is
reported by the items of a set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, NamedTuple

from pydantic_core import InitErrorDetails, ValidationError

from hlhcli import observables
from hlhcli.errors import did_you_mean, printable
from hlhcli.fields import MARK, REPORTED, Context, Moment, ReadsEntry, moment, refuse
from hlhcli.model import MAPPING, About, After, Before, is_blank
from hlhcli.observations import BLANK, TRENDS, WORDS, Observation, Observed, Position, Quantity, read_entry, scalar
from hlhcli.quantity import BadQuantity
from hlhcli.status import Status

STATE = "disease_state"  # as the clinician states it


class Series(NamedTuple):
    """What was observed of one quantity or finding over time."""

    points: tuple[tuple[Moment, Observation], ...]


@dataclass(frozen=True)
class Reported:
    """What a chart or paper states of a set without giving values: verdict, count or score, and a mark for each item by its id."""

    verdict: Status | None
    count: int | None
    score: Fraction | None
    marks: dict[str, Status]


class _Entry(NamedTuple):
    """An entry on its way: the observable that its key names, or what is wrong with the key."""

    name: str
    raw: Any
    position: Position | None
    problem: str | None = None


def _name_entries(raw: Any) -> Any:
    if isinstance(raw, str) and raw in BLANK:
        return {}
    if not isinstance(raw, Mapping):
        raise refuse("expected observables with their values here, such as 'ferritin: 900 ng/mL'")
    positions = getattr(raw, "value_marks", {})
    seen: dict[str, str] = {}
    entries: dict[str, _Entry] = {}
    for key, value in raw.items():
        key, name, problem = str(key), str(key), None
        try:
            name = observables.resolve(key)
            if (first := seen.setdefault(name, key)) != key:
                problem = f"'{key}' and '{first}' are the same observable; keep one of them"
        except ValueError as error:
            problem = str(error)
        entries[key] = _Entry(name, value, positions.get(key), problem)
    return entries


def _by_name(entries: dict[str, Any]) -> dict[str, Any]:
    return {observables.resolve(key): value for key, value in entries.items()}


def _read_observation(entry: _Entry, context: Context) -> Observation:
    if entry.problem:
        raise refuse(entry.problem, "key")
    observable = observables.get(entry.name)
    if not isinstance(entry.raw, (list, tuple)) or (observable.values and not any(isinstance(each, Mapping) for each in entry.raw)):
        return _one(entry.name, entry.raw, entry.position, context)
    if not entry.raw:
        raise refuse("an empty list; write what was observed, or leave the line out")
    positions = getattr(entry.raw, "value_marks", [entry.position] * len(entry.raw))
    problems, found = [], []
    for index, raw in enumerate(entry.raw):
        try:
            found.append(_one(entry.name, raw, positions[index], context))
        except BadQuantity as error:
            problems.append(InitErrorDetails(type=refuse(str(error)), loc=(index,), input=None))
    if problems:
        raise ValidationError.from_exception_data("observations", problems)
    from hlhcli.worst import several  # few files have several values of one moment, and every start pays for an import

    return several(observable, found)


def _one(name: str, raw: Any, position: Position | None, context: Context, unit: str | None = None) -> Observation:
    """One value; a number without a unit is in `unit`, if that is given. Raises BadQuantity."""
    value, note = read_entry(name, raw, context.decimal, context.units, unit)
    assay = _stated(raw, "assay") if isinstance(raw, Mapping) else None
    return Observation(value, position, note, _doubt(name, value, position, context), assay=assay)


def _doubt(name: str, value: Observed | None, position: Position | None, context: Context) -> str | None:
    """Why the value is hardly possible, which is a warning too."""
    if not isinstance(value, Quantity):
        return None
    doubt = observables.implausible(observables.get(name), value.interval, value.unit, value.text)
    if doubt:
        context.warnings.append((doubt, position))
    return doubt


def _read_finding(entry: _Entry, context: Context) -> Observation:
    if not entry.problem and observables.get(entry.name).family is not None:
        raise refuse(f"{entry.name} is measured at a time point; the background holds findings that are true at each", "key")
    return _read_observation(entry, context)


def _read_series(entry: _Entry, context: Context) -> Series:
    if entry.problem:
        raise refuse(entry.problem, "key")
    observable = observables.get(entry.name)
    example = "{unit: ng/mL, points: [[0, 8000], [3, 5200]]}" if observable.family else "{points: [[0, yes], [3, no]]}"
    if not isinstance(entry.raw, Mapping) or not isinstance(entry.raw.get("points"), (list, tuple)):
        raise refuse(f"expected {example}")
    known = _CURVE if observable.family else ("points",)
    for key in entry.raw:
        if key not in known:
            raise refuse(f"unknown key '{printable(str(key), 40)}'{did_you_mean(str(key), known)}")
    unit = None if (stated := _stated(entry.raw, "unit")) is None else _unit(observable, stated)
    points: list[tuple[Moment, Observation]] = []
    problems: list[InitErrorDetails] = []
    for index, pair in enumerate(entry.raw["points"]):
        loc: tuple[str | int, ...] = ("points", index)
        try:
            if not isinstance(pair, (list, tuple)) or len(pair) != 2:
                raise BadQuantity(f"a point is a pair of a day (or date) and a value: {example}")
            loc = ("points", index, 0)
            when = moment(scalar(pair[0]), context.decimal)
            loc = ("points", index, 1)
            one = _one(entry.name, pair[1], getattr(pair, "value_marks", [None, entry.position])[1], context, unit)
            points.append((when, one._replace(assay=one.assay or _stated(entry.raw, "assay"))))
        except BadQuantity as error:
            problems.append(InitErrorDetails(type=refuse(str(error)), loc=loc, input=None))
    if problems:
        raise ValidationError.from_exception_data("series", problems)
    return Series(tuple(points))


_CURVE = ("unit", "assay", "points")


def read_reported(raw: Any, context: Context) -> Reported:
    """Raises PydanticCustomError, or ValidationError with the place of each mistake."""
    if not isinstance(raw, Mapping):
        raise refuse(f"expected {MAPPING}")
    problems: list[InitErrorDetails] = []
    found: dict[str, Any] = {}
    for key, value in raw.items():
        if is_blank(value):
            continue
        try:
            found[key] = REPORTED.get(key, MARK).call(value, context)
        except BadQuantity as error:
            problems.append(InitErrorDetails(type=refuse(str(error)), loc=(key,), input=None))
    if problems:
        raise ValidationError.from_exception_data("reported", problems)
    return Reported(found.pop("verdict", None), found.pop("count", None), found.pop("score", None), found)


def _stated(raw: Mapping[str, Any], key: str) -> str | None:
    text = scalar(raw.get(key))
    return None if text in BLANK else text


def _unit(observable: observables.Observable, text: str) -> str:
    try:
        return observable.units.require(text).name
    except BadQuantity as error:
        wrong = InitErrorDetails(type=refuse(str(error)), loc=("unit",), input=None)
        raise ValidationError.from_exception_data("series", [wrong]) from None


class _Schema:
    """The JSON Schema of a mapping keyed by observable, built only when one is asked for."""

    def __init__(self, build: Callable[[], dict[str, Any]]) -> None:
        self.build = build

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return self.build()


def _observations_schema(findings_only: bool = False) -> dict[str, Any]:
    chosen = [o for o in map(observables.get, observables.names()) if o.family is None or not findings_only]
    return _keyed_schema({o.name: _observable_schema(o) for o in chosen})


def _series_schema() -> dict[str, Any]:
    scalar_schema = {"type": ["string", "number", "boolean", "null", "object"]}
    pair = {"type": "array", "items": scalar_schema, "minItems": 2, "maxItems": 2}
    points = {"type": "array", "items": pair, "description": "[day or date, value]"}
    text = {"type": ["string", "null"]}

    def curve(properties: dict[str, Any]) -> dict[str, Any]:
        return {"type": "object", "properties": properties, "required": ["points"], "additionalProperties": False}

    of_quantity, of_finding = curve({"unit": text, "assay": text, "points": points}), curve({"points": points})
    every = map(observables.get, observables.names())
    return _keyed_schema({o.name: of_finding if o.family is None else of_quantity for o in every})


def _keyed_schema(properties: dict[str, Any]) -> dict[str, Any]:
    """A mapping with the observables as keys; aliases are accepted but not offered for completion."""
    spellings: dict[str, list[str]] = {}
    for alias, name in observables.aliases().items():
        if alias != name and name in properties:
            spellings.setdefault(name, []).append(alias)
    patterns = {f"^({'|'.join(other)})$": {"description": f"the same as {name}"} for name, other in spellings.items()}
    return {"type": ["object", "null"], "properties": properties, "patternProperties": patterns, "additionalProperties": False}


def _reported_schema() -> dict[str, Any]:
    properties = {name: reads.build() for name, reads in REPORTED.items()}
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": MARK.build()}


def _observable_schema(observable: observables.Observable) -> dict[str, Any]:
    note = {"type": ["string", "number", "null"]}
    unknown: list[Any] = [
        word for word in WORDS if word in ("not done", "pending", "unknown", "nd", "na", "not stated", "unreadable")
    ]
    if observable.family is None:
        named = [*observable.values, observable.negative] if observable.values else ["yes", "no"]
        named = ["yes", *named] if observable.default else named
        also = [
            *observable.words,
            *([] if observable.negative != "no" else ["present", "absent", "positive", "negative", True, False]),
        ]
        words = {"enum": list(dict.fromkeys([*named, *also, *unknown, None]))}
        sites = {"type": "string", "pattern": f"^({'|'.join(observable.values)})([,+;]| and |$)"}
        entry = {"type": "object", "properties": {"value": words, "note": note}, "additionalProperties": False}
        return {
            "description": f"{observable.title}: {', '.join(named)}, or 'not done', 'pending', 'unknown'",
            "anyOf": [words, entry, *([sites] if observable.values else []), _several([words, entry])],
        }
    units = list(observable.units.units)
    number = {
        "anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\s*([<>]=?|[≥≤]|over |above |below |under )?\s*[\d.,]"}]
    }
    words = {"enum": ["normal", "WNL", "elevated", "high", "low", *TRENDS, *unknown, None]}
    both = {"type": "string", "pattern": rf"^(elevated|high|normal|low)(,| and) ?({'|'.join(TRENDS)})$"}
    value = {"anyOf": [*number["anyOf"], words, both]}
    entry = {
        "type": "object",
        "properties": {
            "value": value,
            "unit": {"anyOf": [{"enum": units}, {"type": "string"}]},
            "comparator": {"enum": ["<", "<=", ">", ">=", "≤", "≥"]},
            "reference": number | {"description": "The laboratory's own range, such as '<1000' or '200-900'"},
            "assay": {"type": ["string", "null"], "description": "Values of different assays are not compared with one another"},
            "note": note,
        },
        "additionalProperties": False,
    }
    return {
        "description": f"{observable.title} in {', '.join(units)}; or normal, elevated, low, 'not done', 'pending', 'unknown'",
        "anyOf": [*value["anyOf"], entry, _several([*value["anyOf"], entry])],
    }


def _several(one: list[Any]) -> dict[str, Any]:
    """Several values of one moment."""
    return {"type": "array", "items": {"anyOf": one}, "minItems": 1}


_BY_NAME = (Before(_name_entries), After(_by_name))

Observations = Annotated[
    dict[str, Annotated[Observation, ReadsEntry(_read_observation, dict)]], *_BY_NAME, _Schema(_observations_schema)
]
Findings = Annotated[
    dict[str, Annotated[Observation, ReadsEntry(_read_finding, dict)]], *_BY_NAME, _Schema(lambda: _observations_schema(True))
]
Curves = Annotated[dict[str, Annotated[Series, ReadsEntry(_read_series, dict)]], *_BY_NAME, _Schema(_series_schema)]
ReportedSets = Annotated[
    dict[str, Annotated[Reported, ReadsEntry(read_reported, _reported_schema)]],
    About("What the authors state, by the id of the criteria"),
]

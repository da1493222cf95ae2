"""Hypothesis strategies: small populations as real tables hold them, and random definitions in the rule language."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from hypothesis import reject
from hypothesis import strategies as st
from reference_rows import Anchor, Person, Row, Time

from hlhcli import definition, observables
from hlhcli.errors import InputError
from hlhcli.observables import Unit
from hlhcli.rules import CriteriaSet

FIRST = date(2024, 2, 25)  # a leap day lies in the first week
LOOKBACKS = ("0d", "1d", "7d", "12h", "36h", "2 wk")

# Of each quantity the cut-offs of published sets, as number and unit: values lie on both sides of them, and on them, in every unit.
CUTS: dict[str, tuple[tuple[str, str], ...]] = {
    "temperature": (("38.5", "Cel"), ("38.4", "Cel"), ("39.4", "Cel"), ("102.92", "degF")),
    "hemoglobin": (("90", "g/L"), ("100", "g/L"), ("9.2", "g/dL"), ("5.5", "mmol/L")),
    "platelets": (("100", "10*9/L"), ("110", "10*9/L"), ("181", "10*9/L")),
    "neutrophils": (("1.0", "10*9/L"), ("500", "/uL")),
    "leukocytes": (("5.0", "10*9/L"), ("4", "10*9/L")),
    "triglycerides": (("3.0", "mmol/L"), ("265", "mg/dL"), ("1.5", "mmol/L"), ("4", "mmol/L"), ("156", "mg/dL")),
    "fibrinogen": (("1.5", "g/L"), ("2.5", "g/L"), ("360", "mg/dL")),
    "ferritin": (("500", "ug/L"), ("2000", "ng/mL"), ("6000", "ng/mL"), ("684", "ng/mL")),
    "sil2r": (("2400", "U/mL"), ("9000", "pg/mL")),
    "ast": (("30", "U/L"), ("48", "U/L")),
    "ldh": (("400", "U/L"),),
    "esr": (("20", "mm/h"),),
    "creatinine": (("1.2", "mg/dL"), ("106", "umol/L")),
    "d_dimer": (("500", "ng/mL FEU"), ("1", "mg/L DDU")),
    "gcs": (("8", "1"),),
}
FINDINGS: dict[str, tuple[str, ...]] = {
    "fever": ("yes", "no", "afebrile"),
    "splenomegaly": ("yes", "no", "absent"),
    "hepatomegaly": ("yes", "no"),
    "hemophagocytosis": ("yes", "no", "marrow", "spleen", "lymph node", "liver", "csf", "marrow and liver"),
    "nk_activity": ("low", "absent", "normal"),
    "molecular_diagnosis": ("yes", "no"),
    "immunosuppression": ("yes", "no"),
    "malignancy": ("yes", "no"),
    "sjia": ("yes", "no"),
    "cns_involvement": ("yes", "no"),
    "hemorrhage": ("yes", "no"),
    "active_arthritis": ("yes", "no"),
    "symptoms_resolved": ("yes", "no"),
    "disease_state": ("remission", "flare", "response, stable", "progression"),
}
REASONS = ("pending", "not done", "unknown", "hemolyzed", "n/a")
WORDS = ("elevated", "normal", "low", "rising", "elevated, rising", "falling")
GARBAGE = ("NaN", "nan", "inf", "-inf", "Infinity", "see report", "8,2", "-5", "1.2.3", "++", "1e99", "!status cancelled", "<", "")
BAD_UNITS = (None, "", "furlongs", "%", "mg")
LIMITS = (None, None, "200-900", "<1000", "30-400", "0-5", "<= 37.5", "see note")
CODES: dict[str, tuple[str, ...]] = {
    "temperature": ("temp", "LOINC|8310-5"),
    "hemoglobin": ("hb", "718-7", "LOINC|718-7"),
    "platelets": ("plt", "http://loinc.org|777-3", "LOCAL|PLT LOINC|777-3"),
    "neutrophils": ("anc", "LOINC|751-8"),
    "leukocytes": ("wbc",),
    "triglycerides": ("tg", "LOINC|2571-8", "LOINC|14927-8"),
    "ferritin": ("2276-4", "LOINC|2276-4", "urn:hlhcli:observable|ferritin", "LOCAL|FER|Ferritin LOINC|14723-1"),
    "sil2r": ("scd25", "LOINC|76039-7"),
    "d_dimer": ("LOINC|48065-7", "LOINC|48066-5"),
}
CONDITIONS = (
    "SNOMED|386661006", "SNOMED|16294009", "SNOMED|36760000", "ICD10CM|R509", "ICD10|C91.0", "HP|HP:0012156", "HP|HP:6000980",
    "HP|HP:0034797", "HP|HP:0003281", "HP|HP:0001876", "HP|HP:0012178", "LOCAL|X SNOMED|363346000", "LOINC|99999-9", "RxNorm|1|etoposide",
)  # fmt: skip


class Population(NamedTuple):
    """A long table with its anchors. `counted`: its times are counts of days, and no dates."""

    rows: tuple[Row, ...]
    anchors: tuple[Anchor, ...] | str
    lookback: str
    persons: tuple[Person, ...]
    counted: bool


# Values


def _in(unit: Unit, number: str, given: Unit) -> Fraction:
    """A number of the unit `given` in `unit`."""
    exact = Fraction(number)
    return (exact - given.less) * given.factor / unit.factor + unit.less


def _decimal(number: Fraction, places: int) -> str:
    whole, part = divmod(abs(round(number * 10**places)), 10**places)
    return f"{whole}.{part:0{places}d}" if places else str(whole)


@st.composite
def _numbers(draw: st.DrawFn, name: str, unit: Unit) -> str:
    """A number around a cut-off: on it (or next to it, where it has no end of decimals), or a little or far to one side."""
    number, printed = draw(st.sampled_from(CUTS[name]))
    given = observables.get(name).units.require(printed)
    edge = _in(unit, number, given) if unit.convertible(given) else Fraction(number)
    places = draw(st.sampled_from((0, 1, 2, 4, 7, 9)))
    step = Fraction(draw(st.integers(-2, 2)), 10**places)
    factor = draw(st.sampled_from((Fraction(1), Fraction(1), Fraction(1), Fraction(1, 2), Fraction(3, 2), Fraction(10))))
    found = max(edge * factor + step, Fraction(0))
    text = _decimal(found, places)
    if draw(st.integers(0, 9)) == 0:
        text = f"{text}e0"
    return text.rstrip("0").rstrip(".") if "." in text and draw(st.booleans()) else text


@st.composite
def _quantities(draw: st.DrawFn, name: str) -> tuple[str, str]:
    """A value with its unit: a number, a bound, or a range."""
    family = observables.get(name).units
    unit = draw(st.sampled_from(list(family.units.values())))
    text = draw(_numbers(name, unit))
    kind = draw(st.integers(0, 9))
    if kind < 3:
        text = draw(st.sampled_from((">", "<", ">=", "<=", "≥", "> "))) + text
    elif kind == 3:
        ends = sorted((text, draw(_numbers(name, unit))), key=lambda end: Fraction(end.partition("e")[0] or "0"))
        text = "-".join(ends)
    spellings = (unit.name, unit.name, *({"ug/L": ("µg/L", "mcg/L"), "10*9/L": ("G/L",), "10*3/uL": ("K/uL",)}.get(unit.name, ())))
    return text, draw(st.sampled_from(spellings))


@st.composite
def _rows(draw: st.DrawFn, person: str, time: Time) -> Row:
    """One row: mostly a value of a quantity or a finding; at times a word, a condition by its code, or what cannot be read."""
    kind = draw(st.integers(0, 19))
    if kind < 9:
        name = draw(st.sampled_from(list(CUTS)))
        value, unit = draw(_quantities(name))
        code = draw(st.sampled_from((name, name, *CODES.get(name, ()))))
        return Row(person, time, code, value, unit, draw(st.sampled_from(LIMITS)))
    if kind < 14:
        name = draw(st.sampled_from(list(FINDINGS)))
        return Row(person, time, name, draw(st.sampled_from(FINDINGS[name])))
    if kind == 14:
        return Row(person, time, draw(st.sampled_from(CONDITIONS)), draw(st.sampled_from(("present", "present", "absent"))))
    if kind == 15:
        return Row(person, time, draw(st.sampled_from(list(CUTS))), draw(st.sampled_from(WORDS)))
    if kind < 18:
        return Row(person, time, draw(st.sampled_from((*CUTS, *FINDINGS))), draw(st.sampled_from(REASONS)))
    name = draw(st.sampled_from((*CUTS, *FINDINGS, "no such thing")))
    if name in CUTS and kind == 18:
        return Row(person, time, name, draw(_quantities(name))[0], draw(st.sampled_from(BAD_UNITS)))
    unit = observables.get(name).conventional if name in CUTS else None
    return Row(person, time, name, draw(st.sampled_from((*GARBAGE, None))) or None, unit)


@st.composite
def populations(draw: st.DrawFn, counted: bool | None = None, most: int = 14) -> Population:
    """One to four persons with up to three anchors each (or daily, or on:ferritin), and at most so many rows each."""
    by_days = draw(st.booleans()) and draw(st.booleans()) if counted is None else counted
    with_time = draw(st.booleans())
    rows: list[Row] = []
    anchors: list[Anchor] = []
    persons: list[Person] = []
    for number in range(draw(st.integers(1, 4))):
        person = f"p{number}"
        times = [draw(_times(by_days, None)) for _ in range(draw(st.integers(1, 5)))]  # few, so that many values share one
        rows += [draw(_rows(person, draw(st.sampled_from(times)))) for _ in range(draw(st.integers(0, most)))]
        here = draw(st.lists(_times(by_days, with_time), min_size=1, max_size=3, unique=True))
        anchors += [Anchor(person, each, draw(st.sampled_from((None, None, f"A{place}")))) for place, each in enumerate(here)]
        if not by_days and draw(st.integers(0, 3)):
            persons.append(draw(_people(person, here[0])))
    chosen: Any = draw(st.sampled_from((tuple(anchors), tuple(anchors), "daily", "on:ferritin")))
    order = draw(st.permutations(rows)) if len(rows) < 30 else rows
    return Population(tuple(order), chosen, draw(st.sampled_from(LOOKBACKS)), tuple(persons), by_days)


@st.composite
def _times(draw: st.DrawFn, by_days: bool, with_time: bool | None) -> Time:
    """A day, or a moment; of anchors all alike, of values mixed."""
    day = draw(st.integers(-1, 12))
    clock = draw(st.sampled_from((None, (0, 0, 0, 0), (8, 0, 0, 0), (12, 0, 0, 0), (20, 0, 0, 0), (23, 59, 59, 999_000))))
    if by_days:
        return Fraction(day) + (draw(st.sampled_from((0, Fraction(1, 4), Fraction(1, 2)))) if with_time is not False else 0)
    when = FIRST + timedelta(days=day)
    if with_time is False or (with_time is None and clock is None):
        return when
    return datetime(when.year, when.month, when.day, *(clock or (0, 0, 0, 0)))


@st.composite
def _people(draw: st.DrawFn, person: str, time: Time) -> Person:
    """A person whose age at an anchor is around 28 days, 16 or 18 years, or unborn."""
    assert isinstance(time, date)
    day = time.date() if isinstance(time, datetime) else time
    if draw(st.booleans()):
        return Person(person, year_of_birth=day.year - draw(st.sampled_from((0, 1, 15, 16, 17, 18, 19, 40))))
    days = draw(st.sampled_from((28, 28, 584, 5844, 6574, 15000))) + draw(st.integers(-2, 2))
    return Person(person, birth_date=day - timedelta(days=draw(st.sampled_from((days, days, days, -1)))))


# Definitions

_OPERATORS = st.sampled_from(("<", "<=", ">", ">="))
_AGES = ("age < 4 wk", "age < 16 y", "age >= 18 y", "age_at_onset <= 1.6 y", "age < 28 d")
_RATIOS = (
    "ferritin in ng/mL / esr in mm/h > 21.5",
    "ast in U/L / platelets in 10*9/L >= 0.3",
    "ferritin in pmol/L / ldh in U/L <= 2.247",
)
_ITEMS = tuple(f"item_{number}" for number in range(1, 9))


@st.composite
def _thresholds(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(list(CUTS)))
    operator = draw(_OPERATORS)
    if draw(st.integers(0, 5)) == 0:
        return f"{name} {operator} {draw(st.sampled_from(('1', '2', '0.5')))} {draw(st.sampled_from(('ULN', 'LLN')))}"
    number, unit = draw(st.sampled_from(CUTS[name]))
    edges = [f"{operator} {number} {unit}"]
    family = observables.get(name).units
    if draw(st.integers(0, 3)) == 0:
        other = draw(st.sampled_from(list(family.units.values())))
        if other.name != unit and other.convertible(family.require(unit)):
            edges.append(f"{operator} {_decimal(_in(other, number, family.require(unit)), 2)} {other.name}")  # rounded, as in print
    return f"{name} {' or '.join(edges)}"


@st.composite
def _present(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(list(FINDINGS)))
    observable = observables.get(name)
    values = [*observable.values, observable.negative]
    if not observable.values or draw(st.booleans()):
        return name
    return f"{name} in {', '.join(draw(st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)))}"


@st.composite
def _changes(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from([each for each in CUTS if each != "temperature"]))
    way = draw(st.sampled_from(("falls", "rises")))
    much = draw(st.sampled_from(("", " >= 25 %", " > 50 %", " > 2-fold", " >= 1.5-fold", " < 10 %")))
    return f"{name} {way}{much}{draw(st.sampled_from(('', ' from baseline', ' from nadir', ' from peak', ' from previous')))}"


@st.composite
def _leaves(draw: st.DrawFn) -> Any:
    kind = draw(st.integers(0, 19))
    if kind < 8:
        return draw(_thresholds())
    if kind < 12:
        return draw(_present())
    if kind == 12:
        return {"stated": draw(st.sampled_from(list(FINDINGS)))}
    if kind == 13:
        return f"{draw(st.sampled_from(list(CUTS)))} stated {draw(st.sampled_from(('normal', 'elevated', 'low')))}"
    if kind == 14:
        return draw(st.sampled_from(_RATIOS))
    if kind == 15:
        return draw(st.sampled_from(_AGES))
    if kind < 18:
        return draw(_changes())
    moment = draw(st.sampled_from(("baseline", "previous")))
    return f"{draw(st.one_of(_thresholds(), _present()))} at {moment}"


def _inner(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(children, min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda kind, of: {kind: of}, st.sampled_from(("all", "any", "first_known", "agree")), several),
        st.builds(lambda one: {"not": one}, children),
        st.builds(lambda a, b, c: {"if": a, "then": b, "else": c}, children, children, children),
        several.flatmap(
            lambda of: st.builds(
                lambda k: {"at_least": k, "of": of}, st.sampled_from([*map(str, range(1, len(of) + 1)), "unpublished"])
            )
        ),
    )


_NODES = st.recursive(_leaves(), _inner, max_leaves=5)


def _item(name: str, node: Any) -> dict[str, Any]:
    return {"id": name} | (node if isinstance(node, dict) else {"when": node})


@st.composite
def _terms(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A term of a score: bins, lineages, or so many points for each unit."""
    kind = draw(st.integers(0, 3))
    sign = draw(st.sampled_from((1, 1, -1)))
    points = sorted(draw(st.sets(st.sampled_from((1, 2, 18, 33, Fraction(1, 2), Fraction(244, 100))), min_size=1, max_size=3)))
    texts = [f"{'-' if sign < 0 else ''}{_decimal(Fraction(each), 2)}" for each in points]
    if kind == 0:
        found = draw(st.sampled_from([each for each in CUTS if each != "temperature"]))
        unit = draw(st.sampled_from(list(observables.get(found).units.units)))
        coefficient = draw(st.sampled_from(("0.003", "-0.003", "1", "-1.5", "0")))
        return {"id": name, "points": f"{coefficient} per {unit} of {found}"}
    if kind == 1:
        of = draw(st.lists(_leaves(), min_size=len(texts), max_size=3))
        return {"id": name, "points": {text: f"at least {k + 1}" for k, text in enumerate(texts)}, "of": of}
    return {"id": name, "points": {text: draw(_NODES) for text in texts}}


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Any]:
    """A criteria file as a tree."""
    names = _ITEMS[: draw(st.integers(1, 4))]
    kind = draw(st.integers(0, 4))
    if kind == 0:
        verdict: Any = {"score": f"{draw(_OPERATORS)} {draw(st.sampled_from(('0', '18', '-2.1', '34.5')))}"}
        verdict["of"] = [draw(_terms(name)) for name in names]
    else:
        items = [_item(name, draw(_NODES)) for name in names]
        required = draw(st.sampled_from([*map(str, range(1, len(items) + 1)), "unpublished"]))
        counted = {"at_least": required, "of": items}
        aside = _item("aside", {"stated": draw(st.sampled_from(("molecular_diagnosis", "malignancy")))})
        no_aside = {"id": "aside", "not": {"stated": "malignancy"}}
        verdict = [counted, {"any": [aside, counted]}, {"all": [no_aside, counted]}, {"all": items}, {"any": items}][
            draw(st.integers(0, 4))
        ]
    population = draw(st.sampled_from((None, *_AGES, "sjia")))
    tree = {"id": "random", "title": "Random", "citation": "none", "verdict": verdict}
    if population:
        tree["population"] = {"text": "some", "when": population}
    return tree


@st.composite
def definitions(draw: st.DrawFn) -> CriteriaSet:
    """A random definition that the project reads without a mistake."""
    try:
        return definition.read(json.dumps(draw(trees())), "random.yaml")
    except InputError:
        reject()
        raise

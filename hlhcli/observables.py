"""What can be observed: names, units with their exact factors, plausible limits. Read from observables.yaml, never typed here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from hlhcli.errors import UnknownName, printable
from hlhcli.quantity import BadQuantity, Interval, fold, point, readings
from hlhcli.yamltree import parse

TABLE = Path(__file__).with_name("observables.yaml")
AGE, AGE_AT_ONSET, GENETICS = "age", "age_at_onset", "genetics"
MOLECULAR = "molecular_diagnosis"
SUPPORT = ("mechanical_ventilation", "noninvasive_ventilation", "vasoactive_support", "dialysis", "ecmo")  # of organs
PSEUDO = (AGE, AGE_AT_ONSET, GENETICS)  # what the rules may ask of the patient besides what was observed


class Unit(NamedTuple):
    """A unit of a family: one of it is `factor` of the family's first unit, after `less` was taken off."""

    name: str
    factor: Fraction
    less: Fraction = Fraction(0)
    apart: str | None = None
    ucum: str = ""

    def convertible(self, other: Unit) -> bool:
        return self.apart == other.apart

    def same(self, other: Unit) -> bool:
        """True where both are one unit by two names, such as ng/mL and ug/L."""
        return (self.factor, self.less, self.apart) == (other.factor, other.less, other.apart)

    def same_scale(self, other: Unit) -> bool:
        """True where one unit is a power of ten of the other, so that an edge printed in one reads the same in the other."""
        if not self.convertible(other) or self.less != other.less:
            return False
        ratio = self.factor / other.factor
        return re.fullmatch("10*", str(max(ratio, 1 / ratio))) is not None

    def convert(self, interval: Interval, to: Unit) -> Interval:
        """`interval` of this unit in `to`, exactly. Both must be convertible into each other."""
        if self is to or self.same(to):
            return interval
        factor = self.factor / to.factor
        return interval.scaled(factor, to.less - self.less * factor if self.less or to.less else None)


class Observable(NamedTuple):
    """One thing that can be observed. `family` is None for a finding; `values` are a finding's named values, if it has any."""

    name: str
    title: str
    short: str
    family: Family | None = None
    values: tuple[str, ...] = ()
    negative: str = "no"
    default: str | None = None
    words: Mapping[str, str] = MappingProxyType({})
    plausible: Interval | None = None
    plausible_text: str = ""
    conventional: str = ""
    si: str = ""
    instead: str | None = None
    slips: Mapping[str, str] = MappingProxyType({})
    worse: str = ""
    raised_by: tuple[str, ...] = ()  # treatments under which the patient's own value is at most what is measured
    lowered_by: tuple[str, ...] = ()  # or at least what is measured
    comes_and_goes: bool = False  # within hours, so that its absence once says nothing of another time
    several: str = ""

    @property
    def units(self) -> Family:
        """The family of units of a quantity; a finding has none."""
        if self.family is None:
            raise ValueError(f"{self.name} is a finding and has no units")
        return self.family

    @property
    def decides(self) -> str:
        """Which of several values of one time counts: that in the direction of disease, unless the rules turn on the other."""
        return self.several or self.worse

    @property
    def proportional(self) -> bool:
        """True for a quantity of which twice as much means something: one with a natural zero, as a temperature has none."""
        return not any(unit.less for unit in self.units.units.values())


class Family:
    """Units that are written for the same quantity, and every spelling of them."""

    def __init__(self, name: str, table: dict[str, Any]) -> None:
        self.name = name
        self._table = table
        self.units = {name: _unit(name, entry) for name, entry in table.items() if name != "misprints"}

    @property
    def first(self) -> Unit:
        """The unit in which the factors of the others are given."""
        return next(iter(self.units.values()))

    def find(self, text: str) -> Unit | None:
        """The unit that `text` spells, or None."""
        return self.units.get(text) or self._exact.get(_compact(text)) or self._folded.get(unit_key(text))

    def require(self, text: str) -> Unit:
        """The unit that `text` spells. Raises BadQuantity, which names the accepted ones."""
        unit = self.find(text)
        if unit is None:
            misprints = {unit_key(spelling): message for spelling, message in self._table.get("misprints", {}).items()}
            if re.match(r"/\s*\d", text):
                raise BadQuantity("several values stand here; write each under the name of its own observable")
            raise BadQuantity(
                misprints.get(unit_key(text)) or f"unknown unit '{printable(text, 40)}'; accepted are {', '.join(self.units)}"
            )
        return unit

    @cached_property
    def _exact(self) -> dict[str, Unit]:
        """The spellings in which capitals matter."""
        return {
            _compact(spelling): unit for unit in self.units.values() for spelling in self._table[unit.name].get("exact", "").split()
        }

    @cached_property
    def _folded(self) -> dict[str, Unit]:
        spellings = {name: [name, *self._table[name].get("also", "").split()] for name in self.units}
        return {unit_key(spelling): self.units[name] for name, also in reversed(spellings.items()) for spelling in also}


def _unit(name: str, entry: dict[str, str]) -> Unit:
    return Unit(name, _fraction(entry.get("is", "1")), _fraction(entry.get("less", "0")), entry.get("apart"), entry["ucum"])


_POWER = re.compile(r"^x?10[*^x(]*e?([1-9])\)?(?=\D|$)")
_VOLUME = re.compile(r"mm\^?3|cu\.?mm|cmm")


def _compact(text: str) -> str:
    """The spelling without what never matters: spaces, a leading `×` or `count,`; a power of ten as `10^n`."""
    text = re.sub(r"^(count,)?[x*]*", "", fold(text).replace(" ", ""))
    return _POWER.sub(r"10^\1", text)


def unit_key(text: str) -> str:
    """The form in which spellings of a unit are compared, where capitals do not matter either."""
    key = _VOLUME.sub("mm3", _compact(_compact(text).lower()))
    key = re.sub(r"\bmc(?=[gl])|μ(?=[a-z])", "u", key)
    return re.sub(r"(?<=\D)10[*^x(]*([1-9])", r"10^\1", key).strip(".")


def _fraction(text: str) -> Fraction:
    """An exact factor such as `1/88.57`."""
    over, _, under = text.partition("/")
    return Fraction(over) / Fraction(under or "1")


@cache
def _tables() -> tuple[dict[str, Any], dict[str, Any], dict[str, str], str, dict[str, str]]:
    tree: Any = parse(TABLE.read_bytes(), TABLE.name)
    names = {
        _name_key(alias): name for name, entry in tree["observables"].items() for alias in (name, *entry.get("aliases", "").split())
    }
    return tree["families"], tree["observables"], names, tree["raised_for_days"], tree["instead"]


def _name_key(text: str) -> str:
    return text.casefold().replace("-", "_").replace(" ", "_")


def names() -> list[str]:
    """The names of all observables, in the order of the table."""
    return list(_tables()[1])


def aliases() -> dict[str, str]:
    """Every accepted name of an observable, and the name that it stands for."""
    return dict(_tables()[2])


def resolve(name: str) -> str:
    """The observable that `name` or an alias means. Raises UnknownName, with a suggestion."""
    found = _tables()[2].get(_name_key(name))
    if found is None:
        raise UnknownName("observable", name, _tables()[2], _tables()[4].get(_name_key(name)))
    return found


@cache
def family(name: str) -> Family:
    return Family(name, _tables()[0][name])


@cache
def get(name: str) -> Observable:
    """The observable of this name (no alias), or what is known of the patient: age, age at onset, genetics."""
    if name in PSEUDO:
        title = name.replace("_", " ").capitalize()
        return Observable(name, title, title.lower(), family("age") if name != GENETICS else None, conventional="y", si="y")
    entry: dict[str, Any] = _tables()[1][name]
    limits = entry.get("plausible")
    return Observable(
        name,
        entry["title"],
        entry.get("short", entry["title"]),
        family(entry["family"]) if "family" in entry else None,
        tuple(filter(None, entry.get("values", "").split(", "))),
        entry.get("negative", "no"),
        entry.get("default"),
        dict(entry.get("words", {})),
        readings(limits)[0].interval if limits else None,
        limits or "",
        entry.get("conventional", ""),
        entry.get("si", ""),
        entry.get("instead"),
        entry.get("slips", {}),
        entry.get("worse", ""),
        tuple(entry.get("raised_by", "").split()),
        tuple(entry.get("lowered_by", "").split()),
        "comes_and_goes" in entry,
        entry.get("several", ""),
    )


def codes(name: str, system: str) -> list[str]:
    """What the table lists for an observable under `loinc` or `hpo`."""
    return str(_tables()[1][name].get(system, "")).split()


def inline(name: str) -> str:
    """The title of an observable inside a sentence: without its capital, unless it is an abbreviation or a name."""
    title = get(name).title
    return title[0].lower() + title[1:] if title[1:2].isalpha() and title[1:] == title[1:].lower() else title


def raised_for() -> Fraction:
    """For how many days after a treatment a value counts as raised by it."""
    return Fraction(_tables()[3])


def implausible(observable: Observable, interval: Interval, unit: Unit, text: str) -> str | None:
    """Why a value is hardly possible, or may be read wrongly, with the likely slip; None for a value like others."""
    if observable.family is None or interval == point(0):
        return None
    if likely(observable, interval, unit):
        return _grouped(observable, interval, unit, text)
    slip = next((u for u in observable.units.units.values() if u.apart == unit.apart and likely(observable, interval, u)), None)
    name = observable.title.lower() if observable.title.istitle() else observable.title
    if slip is None:
        usual = f"{observable.plausible_text} {observable.units.first.name}"
        return f"{name} {text} is hardly possible (usual is {usual}): please check the value and its unit"
    return f"{name} {text} is hardly possible: did you mean {text.removesuffix(unit.name)}{slip.name}?"


_THREE = re.compile(r"([<>]=?)?([1-9]\d{0,2})\.(\d{3}) ")


def _grouped(observable: Observable, interval: Interval, unit: Unit, text: str) -> str | None:
    """16.500 where 16500 would be just as likely: the mark may have been meant to group thousands."""
    found = _THREE.match(text)
    if not found or not likely(observable, interval.scaled(Fraction(1000)), unit):
        return None
    return f"{observable.name} is read as {found[2]} and a fraction; if the mark groups thousands, write {found[2]}{found[3]}"


def likely(observable: Observable, interval: Interval, unit: Unit) -> bool:
    """True if some number of the interval is plausible for the observable in this unit."""
    converted = unit.convert(interval, observable.units.first)
    if observable.plausible and not _overlap(converted, observable.plausible):
        return False
    least = observable.slips.get(unit.name)
    return least is None or interval.hi is None or interval.hi >= Fraction(least)


def _overlap(a: Interval, b: Interval) -> bool:
    apart = (a.hi is not None and b.lo is not None and a.hi < b.lo) or (b.hi is not None and a.lo is not None and b.hi < a.lo)
    return not apart

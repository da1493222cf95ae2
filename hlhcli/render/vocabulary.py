"""What can be observed, for people who write a patient file: names, other names, units and words; and what asks for it."""

from __future__ import annotations

import textwrap

from hlhcli import criteria, observables, responses, rules
from hlhcli.observables import Observable

WIDTH = 80
_NONE = "1"  # the unit of what has none
_BEYOND = "; a value beyond is kept, and told"
_LAST = """
For any of them: pending, not done, unknown.
More of one of them: hlhcli observables ferritin
"""


def vocabulary() -> str:
    """Every observable with what may be written for it."""
    every = [observables.get(name) for name in observables.names()]
    wide = max(len(each.name) for each in every) + 2
    lines = ["A number with its unit, such as ferritin: 900 ng/mL", ""]
    lines += [_wrapped(f"  {each.name:<{wide}}", _units(each)) for each in every if each.family]
    lines += ["", "A word, such as splenomegaly: yes", ""]
    lines += [_wrapped(f"  {each.name:<{wide}}", _words(each)) for each in every if not each.family]
    return "\n".join(lines) + "\n" + _LAST


def entry(name: str) -> str:
    """One observable, by its name or another of its names. Raises UnknownName."""
    one = observables.get(observables.resolve(name))
    also = [alias for alias, found in observables.aliases().items() if found == one.name != alias]
    told = {
        "also read": ", ".join(also),
        "units": _units(one) if one.family else "",
        "words": "" if one.family else _words(one),
        "apart": "; ".join(_apart(one)),
        "usual": f"{one.plausible_text} {one.units.first.name}".removesuffix(f" {_NONE}") + _BEYOND if one.plausible else "",
        "LOINC": ", ".join(code.partition(":")[0] for code in observables.codes(one.name, "loinc")),
        "HPO": ", ".join(code.partition("=")[0] for code in observables.codes(one.name, "hpo")),
        "asked by": ", ".join(_asked_by(one.name)) or "nothing that ships, by itself",
    }
    return (
        "\n".join([f"{one.title} ({one.name})", *(_wrapped(f"  {label:<11}", text) for label, text in told.items() if text)]) + "\n"
    )


def _units(one: Observable) -> str:
    return ", ".join(map(_unit, one.units.units))


def _unit(name: str) -> str:
    return "a number" if name == _NONE else name


def _words(one: Observable) -> str:
    return ", ".join([*(one.values or ["yes"]), *(["yes"] if one.default else []), one.negative])


def _apart(one: Observable) -> list[str]:
    """The units that are not converted into the first ones, by the reason."""
    apart: dict[str, list[str]] = {}
    for unit in one.units.units.values() if one.family else ():
        if unit.apart != one.units.first.apart:
            apart.setdefault(unit.apart or "", []).append(unit.name)
    return [f"{', '.join(names)} ({why}): not converted into the others" for why, names in apart.items()]


def _asked_by(name: str) -> list[str]:
    """The sets of criteria and the rules for the course that ask for it."""
    asks = {each: criteria.load(each).asks for each in criteria.ids()}
    courses = [responses.load(each) for each in responses.ids()]
    asks |= {each.id: frozenset(ask for one in each.classes for ask in rules.asked(one.node)) for each in courses}
    organs = responses.organ_dysfunction()
    return [each for each, asked in {**asks, organs.id: organs.asks}.items() if name in asked]


def _wrapped(label: str, text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=label, subsequent_indent=" " * len(label), break_on_hyphens=False)

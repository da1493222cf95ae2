"""Mutation testing of the criteria: every number, operator, count, point, span of time and connective, changed by one step.

    python tests/mutation/criteria_mutants.py                 the table of the README, and what nothing noticed
    python tests/mutation/criteria_mutants.py hscore          of some files, with what noticed each mutant

A mutant is noticed where a case at the end of its file, or for the rules of response a row of tests/spec/response.md, gives another
clinical result than the one that is expected there.
"""

from __future__ import annotations

import copy
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent.parent)]

from test_response_vectors import entries
from vectors import ROWS, document, first_wrong

from hlhcli import cases, criteria, definition, observables, responses
from hlhcli.errors import InputError, UnknownName
from hlhcli.yamltree import parse

DIAGNOSTIC = sorted(path.stem for path in criteria.FOLDER.glob("*.yaml"))
RESPONSE = sorted(path.stem for path in responses.FOLDER.glob("*.yaml"))
FILES = [*DIAGNOSTIC, "organ/psofa", *(f"response/{name}" for name in RESPONSE)]

OPERATORS = ("<", "<=", ">", ">=")
PROSE = ("id", "title", "note", "say", "provenance", "text", "observable", "grade")
CONNECTIVES = {"any": ("all",), "all": ("any",), "first_known": ("any", "all"), "agree": ("any", "all")}
WORDS = {" falls": " rises", " rises": " falls", " from nadir": " from peak", " from peak": " from nadir", " at baseline": "",
         "stated normal": "stated elevated", "stated elevated": "stated normal", " ULN": " LLN", " LLN": " ULN"}  # fmt: skip
SWITCHES = {"worse": ("no",), "scope": ("every line", "first line"), "sufficient": ("yes",)}


class Mutant(NamedTuple):
    """One change: where it stands (by the ids on the way), what is written there, and what instead."""

    file: str
    where: str
    before: str
    after: str
    read: Any

    @property
    def name(self) -> str:
        return f"{self.where}: {self.before} → {self.after}"


@cache
def tree(file: str) -> Any:
    """The definition, as texts; without its cases, which are the tests."""
    found = yaml.load((criteria.FOLDER / f"{file}.yaml").read_bytes(), yaml.CBaseLoader)
    found.pop("cases", None)
    return found


def mutants(file: str) -> Iterator[Mutant]:
    """Every mutant of a file that can still be read; each differs from the file in one place."""
    for path, before, after, changed in _changes(file):
        try:
            yield Mutant(file, ".".join(_way(tree(file), path)), before, after, read(file, changed))
        except InputError:
            continue


def read(file: str, changed: Any) -> Any:
    """The set, or the rule of response, that the changed file says. Raises InputError."""
    text = json.dumps(changed)
    return responses.read(text, file) if file.startswith("response/") else definition.read(text, file, criteria.load)


def _way(node: Any, path: tuple[Any, ...]) -> Iterator[str]:
    """The ids of what stands around the place, and the key there."""
    for step in path[:-1]:
        node = node[step]
        if isinstance(node, dict) and "id" in node:
            yield node["id"]
    named = [step for step in path if isinstance(step, str) and step not in ("of", "when", "classes", "verdict")]
    yield named[-1] if named else str(path[-1])


def _changes(file: str) -> Iterator[tuple[tuple[Any, ...], str, str, Any]]:
    whole = tree(file)
    for path, node in _evaluated(whole, ()):
        if isinstance(node, str):
            for after in dict.fromkeys(_texts(path, node)):
                yield path, node, after, _with(whole, path, after)
            if _is_rule(whole, path) and re.fullmatch(r"\w+( in [\w, ]+)?", node):
                yield path, node, f"not {node}", _with(whole, path, {"not": node})
        elif isinstance(node, dict):
            for key, instead in _keys(path, node):
                renamed = {instead if name == key else name: value for name, value in node.items()}
                yield (*path, key), key, instead, _with(whole, path, renamed)
            if "not" in node and set(node) == {"not"}:
                yield (*path, "not"), "not", "without not", _with(whole, path, node["not"])
            if "if" in node:
                yield (
                    (*path, "if"),
                    "then, else",
                    "else, then",
                    _with(whole, path, node | {"then": node["else"], "else": node["then"]}),
                )
        elif len(node) > 1 and path[-1] in CONNECTIVES:
            for index, one in enumerate(node):
                said = one if isinstance(one, str) else json.dumps(one)
                yield (*path, index), f"{path[-1]} … {said}", "left out", _with(whole, path, node[:index] + node[index + 1 :])


def _evaluated(node: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every place that decides a result, from the top."""
    if not path:
        keys = (
            "verdict",
            "change",
            "add",
            "at_least",
            "score",
            "probability",
            "population",
            "reports",
            "classes",
            "due",
            "only",
            "scope",
        )
        for key in keys:
            if key in node:
                yield from _evaluated(node[key], (key,))
        return
    if path == ("population",) and isinstance(node, str):
        return
    yield path, node
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in PROSE or path[-1] in ("points", "probability", "change"):
                yield from _evaluated(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _evaluated(value, (*path, index))


def _is_rule(whole: Any, path: tuple[Any, ...]) -> bool:
    return path[-1] in ("when", "not", "if", "then", "else") or (len(path) > 1 and path[-2] in CONNECTIVES) or (
        len(path) > 1 and path[-2] == "of" and isinstance(path[-1], int)
    )  # fmt: skip


def _steps(number: str) -> Iterator[str]:
    """One unit of the last written digit more, and less."""
    step = Decimal(1).scaleb(Decimal(number).as_tuple().exponent)
    for other in (Decimal(number) + step, Decimal(number) - step):
        if number.startswith("-") or other >= 0:
            yield str(other)


def _texts(path: tuple[Any, ...], text: str) -> Iterator[str]:
    """What a text could say instead."""
    if path[-1] in SWITCHES:
        yield from (other for other in SWITCHES[path[-1]] if other != text)
        return
    if path[0] == "probability":
        last = list(re.finditer(r"\d+", text))[-1]
        yield from (text[: last.start()] + other + text[last.end() :] for other in _steps(last[0]))
        return
    for found in re.finditer(r"(?:(?:<=|>=|<|>) ?|at least |^)(-?\d+(?:\.\d+)?)(?= |$)", text):
        for other in _steps(found[1]):
            yield text[: found.start(1)] + other + text[found.end(1) :]
    for found in re.finditer(r"<=|>=|<|>", text):
        yield from (text[: found.start()] + other + text[found.end() :] for other in OPERATORS if other != found[0])
    for word, other in WORDS.items():
        if word in text:
            yield text.replace(word, other)
    if found := re.fullmatch(r"(.*\w+ in )([\w ]+(?:, [\w ]+)+)(| at \w+)", text):
        values = found[2].split(", ")
        yield from (found[1] + ", ".join(values[:n] + values[n + 1 :]) + found[3] for n in range(len(values)))
    if (found := re.fullmatch(r"(\w+) (?:<=|>=|<|>) [\d.]+ (\S+)(| at \w+)", text)) and (other := _unit(found[1], found[2])):
        yield text[: found.start(2)] + other + text[found.end(2) :]


def _unit(name: str, unit: str) -> str | None:
    """Another unit of the quantity, of another size, that converts into this one."""
    try:
        units = observables.get(name if name in observables.PSEUDO else observables.resolve(name)).units
        own = units.require(unit)
    except (UnknownName, ValueError):
        return None
    others = [
        text for text, each in units.units.items() if each.convertible(own) and (each.factor, each.less) != (own.factor, own.less)
    ]
    return others[0] if others else None


def _keys(path: tuple[Any, ...], node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Keys that decide: connectives, points, and scores with their probability."""
    for key in node:
        if path[-1] in ("points", "probability"):
            near = list(_steps(key))
            taken = [other for other in near if other in node]
            half = [str((Decimal(key) + Decimal(other)) / 2) for other in taken]  # between the two, where the next is taken
            yield from ((key, other) for other in (*(each for each in near if each not in node), *half))
        else:
            yield from ((key, other) for other in CONNECTIVES.get(key, ()))


def _with(whole: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The whole with another value at one place; what is not on the way is shared."""
    if not path:
        return value
    changed = copy.copy(whole)
    changed[path[0]] = _with(whole[path[0]], path[1:], value)
    return changed


# What notices a mutant


@cache
def _prepared(file: str) -> list[tuple[Any, Any]]:
    """The cases of a file, each with its patient."""
    source = f"{file}.yaml"
    written: Any = parse((criteria.FOLDER / source).read_bytes(), source)
    return [(case, cases.document(case, source)) for case in written["cases"]]


def noticed_by(mutant: Mutant) -> str | None:
    """The case or row that gives another result with the mutant, and what of it; None where none does."""
    return _row(mutant) if mutant.file.startswith("response/") else _case(mutant)


def _case(mutant: Mutant) -> str | None:
    words = set(re.findall(r"\w+", f"{mutant.where} {mutant.before}"))

    def likely(one: tuple[Any, Any]) -> int:
        case, patient = one
        return -len(words & set(case["expect"])) - len(words & set(patient.patient.timepoints[0].observations))

    for case, patient in sorted(_prepared(mutant.file), key=likely):
        try:
            for key, _, found in cases.different(case, patient, mutant.read):
                return f"{case['name']}: {key} is {found}"
        except RuntimeError:  # an item that the case expects is no item any more
            return f"{case['name']}: an item is gone"
    return None


@contextmanager
def _instead(name: str, changed: Any) -> Iterator[None]:
    """The rule of response with this id is `changed`."""
    shipped = responses.load
    responses.load = lambda wanted: changed if wanted == name else shipped(wanted)
    try:
        yield
    finally:
        responses.load = shipped


@cache
def _rows(name: str) -> list[tuple[dict[str, str], tuple[str, ...] | None]]:
    """The rows about a rule of response, each with the rules that it needs (none: as the command chooses)."""
    found = []
    for row in ROWS:
        if name in row["rule"].split(", "):
            document(row["id"])
            found.append((row, (name,) if first_wrong(row, (name,)) is None else None))
    return found


def _row(mutant: Mutant) -> str | None:
    name = mutant.file.removeprefix("response/")
    words = set(re.findall(r"\w+", f"{mutant.where} {mutant.before}"))

    def likely(one: tuple[dict[str, str], Any]) -> tuple[int, int]:
        expected = one[0]["expected"]
        return -len(words & set(re.findall(r"\w+", expected))), len(entries(one[0]["later"]))

    rows = sorted(_rows(name), key=likely)
    with _instead(name, mutant.read):
        for row, rules in rows:
            if wrong := first_wrong(row, rules):
                return f"{row['id']}: {wrong}"
    return None


def main() -> None:
    named = [one for one in sys.argv[1:] if one != "-v"]
    total = [0, 0]
    lost = []
    for file in [one for one in FILES if not named or one in named]:
        found = [(mutant, noticed_by(mutant)) for mutant in mutants(file)]
        killed = sum(by is not None for _, by in found)
        total = [total[0] + len(found), total[1] + killed]
        lost += [mutant for mutant, by in found if by is None]
        print(f"| {file} | {len(found)} | {killed} | {100 * killed / len(found) if found else 100:.1f} |", flush=True)
        for mutant, by in found if named else ():
            if not by or "-v" in sys.argv:
                print(f"    {mutant.name}    {by or 'NOT NOTICED'}", flush=True)
    print(f"| all | {total[0]} | {total[1]} | {100 * total[1] / total[0]:.1f} |\n")
    for mutant in lost:
        print(f"{mutant.file}: {mutant.name}")


if __name__ == "__main__":
    main()

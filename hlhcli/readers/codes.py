"""The codes of other systems: which observable, finding, diagnosis or drug they name. Read from codes.yaml and observables.yaml."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from hlhcli import observables
from hlhcli.yamltree import parse

TABLE = Path(__file__).with_name("codes.yaml")


@cache
def _table() -> dict[str, Any]:
    table: Any = parse(TABLE.read_bytes(), TABLE.name)
    return dict(table)


def _split(codes: str) -> list[tuple[str, str]]:
    """`a b=value` as pairs of a code and the value that it stands for (may be empty)."""
    return [(code, value.replace("_", " ")) for code, _, value in (each.partition("=") for each in codes.split())]


@cache
def _systems() -> dict[str, str]:
    return {name.casefold(): short for short, names in _table()["systems"].items() for name in (short, *names.split())}


def system(name: str) -> str | None:
    """The short name of a code system (`loinc`, `snomed`, `hpo`) from its URI, OID or prefix; None if it is not known here."""
    return _systems().get(name.strip().casefold().rstrip("/"))


@cache
def _loinc() -> dict[str, tuple[str, str]]:
    coded = ((code, name) for name in observables.names() for code in observables.codes(name, "loinc"))
    return {code: (name, kind) for (code, _, kind), name in ((each.partition(":"), name) for each, name in coded)}


def loinc(code: str) -> tuple[str, str] | None:
    """The observable that a LOINC code names in blood, and the unit whose kind the code's own name states (may be empty)."""
    return _loinc().get(code.strip())


@lru_cache(maxsize=1024)
def contradicts(kind: str, observable: str, unit: str) -> str | None:
    """What is wrong where a code says one kind of unit (moles, mass) and the value has another; None where nothing is."""
    family = observables.get(observable).family
    if family and kind and " " in unit and unit.split()[-1] != kind and family.find(f"{unit.split()[0]} {kind}") is not None:
        return f"the code is of a value in {kind}, and the unit is {unit}: please check"
    expected, stated = (family.find(text) for text in (kind, unit)) if family and kind and unit else (None, None)
    if expected is None or stated is None or (stated.convertible(expected) and stated.same_scale(expected)):
        return None
    return f"the code is of a value in units such as {expected.name}, and the unit is {stated.name}: please check"


@lru_cache(maxsize=1024)
def qualified(kind: str, observable: str, unit: str) -> str:
    """The unit with what the code's name adds to it: D-dimer in ng/mL under a code for FEU is in ng/mL FEU."""
    family = observables.get(observable).family
    if family is None or not kind or not unit or family.find(kind) is not None:
        return unit
    return f"{unit} {kind}" if family.find(f"{unit} {kind}") is not None else unit


@cache
def _findings() -> dict[tuple[str, str], list[tuple[str, str]]]:
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for name in observables.names():
        for code, value in _split(" ".join(observables.codes(name, "hpo"))):
            found.setdefault(("hpo", code.casefold()), []).append((name, value or _abnormal(name)))
    for name, by_system in _table()["findings"].items():
        for short, codes in by_system.items():
            for code, value in _split(codes):
                found.setdefault((short, code.casefold()), []).append((name, value or _abnormal(name)))
    return found


def _abnormal(name: str) -> str:
    """The word for an observable that is abnormal: of a quantity the direction of disease, of a finding `yes`."""
    observable = observables.get(name)
    return {"high": "elevated", "low": "low"}.get(observable.worse, "yes") if observable.family else "yes"


def _by_code(table: dict[tuple[str, str], Any], short: str, code: str) -> Any:
    """What stands for the code, or for a group that it belongs to (`C*`)."""
    key = _normal(short, code)
    found = table.get((short, key))
    for end in range(len(key), 0, -1) if found is None and short.startswith("icd") else ():
        if (found := table.get((short, f"{key[:end]}*"))) is not None:
            break
    return found


def _normal(short: str, code: str) -> str:
    """The code as the tables write it: with the prefix of HPO, without that of OMIM and Orphanet, ICD-10 with its point."""
    key = code.strip().casefold()
    if short == "hpo":
        return re.sub(r"^(hp[:_])?", "hp:", key)
    if short == "icd10" and len(key) > 3 and "." not in key:
        return f"{key[:3]}.{key[3:]}"
    return re.sub(r"^(omim|mim|orpha|orphanet|mondo)[:_]", "", key)


def findings(short: str, code: str) -> list[tuple[str, str]]:
    """The observables that a condition, procedure or phenotypic term states, each with its value; of a quantity only a word."""
    return list(_by_code(_findings(), short, code) or ())


def is_whole(short: str, code: str) -> bool:
    """True for a code that is all of what its finding stands for: where it is absent, the finding is."""
    return _normal(short, code) in {_normal(short, each) for each in _table()["whole"].get(short, "").split()}


@lru_cache(maxsize=1024)
def resembles(text: str) -> str | None:
    """The observable that a name may mean, though its code is not known: by all words of one of its names."""
    words = frozenset(re.findall(r"[a-z0-9]+", text.casefold()))
    found = [(len(each), name) for each, name in _words() if each <= words]
    return max(found)[1] if found else None


@cache
def _words() -> list[tuple[frozenset[str], str]]:
    named = ((frozenset(alias.split("_")), name) for alias, name in observables.aliases().items())
    return [(words, name) for words, name in named if len(words) > 1 or len(min(words)) >= _CLEAR]


_CLEAR = 4  # letters of a name that stands alone; shorter ones mean too much


def lasting() -> frozenset[str]:
    """Findings that go on once they are there: of the background of a patient, not of one day."""
    return frozenset(_table()["lasting"].split())


@cache
def _diagnoses() -> dict[tuple[str, str], str]:
    return {
        (short, code.casefold()): entry["title"]
        for entry in _table()["diagnoses"].values()
        for short, codes in entry.items()
        if short != "title"
        for code in codes.split()
    }


def diagnosis(short: str, code: str) -> str | None:
    """The name of a diagnosis that is worth a note; it decides no criterion."""
    found = _by_code(_diagnoses(), short, code)
    return None if found is None else str(found)


@cache
def _drugs() -> tuple[re.Pattern[str], dict[str, str]]:
    names = {
        name.replace("_", " "): generic.replace("_", " ")
        for generic, others in _table()["drugs"].items()
        for name in (generic, *others.split())
    }
    longest = sorted(map(re.escape, names), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])({'|'.join(longest)})(?![\w-])"), names


def drug(text: str) -> str | None:
    """The HLH-directed drug that `text` names (`Etoposide 20 MG/ML Injection`); None for others, and where it names several."""
    pattern, names = _drugs()
    folded = " ".join(text.casefold().split())
    found = {names[match] for match in pattern.findall(folded)}
    denied = re.search(rf"\b(?:no|not|without|kein\w*|ohne) (?:more )?{pattern.pattern}", folded)
    return found.pop() if len(found) == 1 and not denied and not is_local(folded) else None


def is_local(text: str) -> bool:
    """True for a route or form by which a drug does not reach the whole body: drops, ointment, intrathecal."""
    return not frozenset(_table()["local"].split()).isdisjoint(re.findall(r"[a-z]+", text.casefold()))


@cache
def _specimens() -> tuple[frozenset[str], frozenset[str]]:
    table = _table()["specimens"]
    return frozenset(table["blood"].split()), frozenset(table["other"].split())


def specimen(text: str) -> bool | None:
    """True for blood, serum or plasma, False for another specimen; None where the text does not say."""
    blood, other = _specimens()
    words = set(re.findall(r"[a-z]+", text.casefold()))
    return False if words & other else True if words & blood else None


def answer(short: str, code: str) -> str | None:
    """`yes` or `no` for a coded answer such as positive or not detected."""
    found = _table()["answers"].get(short, {}).get(code.strip())
    return None if found is None else str(found)


def unit_concept(concept: str) -> str | None:
    """The unit that an OMOP unit concept stands for."""
    found = _table()["unit_concepts"].get(concept.strip())
    return None if found is None else str(found)


def operator(concept: str) -> str | None:
    """The comparator that an OMOP operator concept stands for; empty for equality."""
    found = _table()["operators"].get(concept.strip())
    return None if found is None else str(found).replace("=", "") if found == "=" else str(found)

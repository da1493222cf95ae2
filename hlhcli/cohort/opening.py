"""From what the user names to a source: which form each input has, and the tables in it."""

from __future__ import annotations

import glob
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hlhcli.cohort import tables
from hlhcli.cohort.dialects import Dialect, Table
from hlhcli.cohort.run import Engine, Input
from hlhcli.cohort.source import Source
from hlhcli.errors import InputError, Problem

_OMOP = ("measurement", "condition_occurrence", "drug_exposure", "person", "concept")
_MIMIC = ("labevents", "patients")
_COMPRESSED = (".gz", ".zst")
_JSON = (".ndjson", ".jsonl", ".json")
_READ = (".parquet", ".pq", ".csv", ".tsv", ".txt", *_JSON)
_MAPPING = "d_labitems_to_loinc"


class Opened(NamedTuple):
    """What is evaluated, and the files that it stands in."""

    given: Input
    files: list[Path]


def files_of(names: Sequence[str]) -> list[Path]:
    """The files that the names, patterns and folders stand for. Raises InputError where there are none."""
    found: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            here = sorted(each for each in path.rglob("*") if each.is_file() and _suffix(each) in _READ and each.name[0] not in "._")
            if not here:
                raise InputError([Problem(name, "holds no file that is read here: .parquet, .csv, .tsv or .ndjson")])
        elif path.is_file():
            here = [path]
        else:
            here = sorted(Path(each) for each in glob.glob(name, recursive=True))
            if not here:
                raise InputError([Problem(name, "cannot be read: no such file or directory")])
        found += here
    return list(dict.fromkeys(found))


def _suffix(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz").removesuffix(".zst")).suffix


def _stem(path: Path) -> str:
    name = path.name.lower()
    for end in (*_COMPRESSED, *_READ):
        name = name.removesuffix(end)
    return name


def opened(engine: Engine, names: Sequence[str], persons: str | None, mapping: Path | None) -> Opened:
    """The source in these files. Raises InputError."""
    files = files_of(names)
    stems = {_stem(path): path for path in files}
    born = _births(engine, persons) if persons else None
    if "concept" in stems and stems.keys() & set(_OMOP[:3]):
        from hlhcli.cohort.omop import omop

        used = {name: stems[name] for name in _OMOP if name in stems}
        source = omop({name: engine.table([str(path)]) for name, path in used.items()}, engine.dialect)
        return Opened(Input(source, born or source.persons, False), list(used.values()))
    if "labevents" in stems:
        return _mimic(engine, stems, mapping, born)
    if all(_suffix(path) in _JSON for path in files) and _is_fhir(files):
        from hlhcli.cohort.fhir import fhir

        source = fhir([str(path) for path in files])
        return Opened(Input(source, born or source.persons, False), files)
    table = engine.table([str(path) for path in files])
    source, days = of_table(table, engine.dialect, names[0])
    return Opened(Input(source, born, days), files)


def of_table(table: Table, dialect: Dialect, source: str) -> tuple[Source, bool]:
    """A long or a wide table. Raises InputError."""
    is_long = tables.column(table, tables.CODE) and tables.column(table, tables.VALUE)
    return tables.long(table, dialect, source) if is_long else tables.wide(table, dialect, source)


def _mimic(engine: Engine, stems: dict[str, Path], mapping: Path | None, born: str | None) -> Opened:
    from hlhcli.cohort.mimic import mimic

    used = {name: stems[name] for name in _MIMIC if name in stems}
    items = mapping or stems.get(_MAPPING)
    if items is None:
        message = "MIMIC-IV names its tests by numbers: --map d_labitems_to_loinc.csv says which LOINC code each of them has"
        raise InputError([Problem(str(stems["labevents"]), message)])
    used[_MAPPING] = items
    source = mimic({name: engine.table([str(path)]) for name, path in used.items()}, engine.dialect)
    return Opened(Input(source, born or source.persons, False), list(used.values()))


def _is_fhir(files: Sequence[Path]) -> bool:
    """True where the first line of the first file that has any is a FHIR resource."""
    for path in files:
        if path.suffix.lower() in _COMPRESSED:
            return "." in path.stem and path.stem.split(".")[0][:1].isupper()
        with path.open("rb") as file:
            line = next((line for line in file if line.strip()), b"")
        if line:
            try:
                return isinstance(found := json.loads(line), dict) and "resourceType" in found
            except ValueError:
                return False
    return False


def _births(engine: Engine, path: str) -> str:
    """Who was born when, from a table with person_id and birth_date or year_of_birth. Raises InputError."""
    return births(engine.table([path]), engine.dialect, path)


def births(table: Table, dialect: Dialect, source: str) -> str:
    """The first and the last day on which each person can have been born, in days since 1970, as SQL."""
    person = tables.column(table, tables.PERSON)
    date = tables.column(table, ("birth_date", "birthdate", "date_of_birth", "dob", "birth_datetime"))
    year = tables.column(table, ("year_of_birth", "birth_year"))
    if person is None or (date is None and year is None):
        raise InputError([Problem(source, "no column person_id with birth_date or year_of_birth")])
    return dialect.births(table, person, date, year)

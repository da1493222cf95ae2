"""From what the user names to a source: which form each input has, and the tables in it."""

from __future__ import annotations

import glob
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hlhcli.cohort import tables
from hlhcli.cohort.dialects import Dialect, Kind, Table
from hlhcli.cohort.run import Engine, Input, Stored
from hlhcli.cohort.sql import quoted
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
    beside: tuple[Path, ...] = ()  # those of them that hold no values
    person: Kind = "text"  # what the rows name the persons by
    unread: tuple[str, ...] = ()  # columns that would say something of a value, and are not read


def files_of(names: Sequence[str]) -> list[Path]:
    """The files that the names, patterns and folders stand for. Raises InputError where there are none."""
    found: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            here = sorted(each for each in path.rglob("*") if each.is_file() and _suffix(each) in _READ)
            here = [each for each in here if each.name[0] not in "._"]
            if not here:
                raise InputError([Problem(name, "holds no file that is read here: .parquet, .csv, .tsv or .ndjson")])
        elif path.is_file():
            here = [path]
        else:
            here = sorted(Path(each) for each in glob.glob(name, recursive=True))  # noqa: PTH207  (of any folder)
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


def opened(engine: Engine, names: Sequence[str], persons: str | None, mapping: Path | None, anchors: Table | None = None) -> Opened:
    """The source in these files, and who was born when. Raises InputError.

    `anchors`: their table. Where one file names persons by numbers and another by texts, all are named by texts.
    """
    found = _stored(engine, names) if isinstance(engine, Stored) else _source(engine, files_of(names), names[0], mapping)
    born = file_table(engine, persons) if persons else None
    given = found.given._replace(persons=births(born, engine.dialect, persons)) if born and persons else found.given
    kinds = {found.person, *(table.columns[tables.column(table, tables.PERSON) or ""] for table in (born, anchors) if table)}
    if len(kinds) > 1:
        readings = f"SELECT {engine.dialect.text('person_id', found.person)} AS person_id, t, code, value, unit, reference"
        source = given.source._replace(readings=f"{readings}\nFROM (\n{given.source.readings}\n) AS named")
        kind = born.columns[tables.column(born, tables.PERSON) or ""] if born else found.person
        given = given._replace(source=source, persons=given.persons and _as_text(given.persons, engine.dialect, kind))
    return found._replace(given=given, person="text" if len(kinds) > 1 else found.person)


def _as_text(born: str, dialect: Dialect, kind: Kind) -> str:
    return f"SELECT {dialect.text('person_id', kind)} AS person_id, born_first, born_last\nFROM (\n{born}\n) AS named"


def file_table(engine: Engine, path: str) -> Table:
    """A file as a table of the engine. Raises InputError."""
    return engine.upload(one_file(path)) if isinstance(engine, Stored) else engine.table([one_file(path)])


def _stored(engine: Stored, names: Sequence[str]) -> Opened:
    """A table of a database, or a schema that holds an OMOP CDM. Raises InputError."""
    assert isinstance(engine, Engine)
    if len(names) > 1:
        raise InputError([Problem(names[1], "is a second input; with a database name one table, or the schema of an OMOP CDM")])
    there = engine.tables(names[0]) if "." not in names[0] else {}
    if "concept" in there and there.keys() & set(_OMOP[:3]):
        from hlhcli.cohort.omop import omop

        source = omop({name: engine.table([there[name]]) for name in _OMOP if name in there}, engine.dialect)
        return Opened(Input(source, source.persons, False), [], (), "integer")
    table = engine.table([names[0]])
    return _of_table(engine, table, names[0], [])


def one_file(name: str) -> str:
    """The file of this name. Raises InputError where there is none."""
    if not Path(name).is_file():
        raise InputError([Problem(name, "is a folder" if Path(name).is_dir() else "cannot be read: no such file or directory")])
    return name


def _source(engine: Engine, files: list[Path], first: str, mapping: Path | None) -> Opened:
    stems = {_stem(path): path for path in files}
    if "concept" in stems and stems.keys() & set(_OMOP[:3]):
        from hlhcli.cohort.omop import omop

        used = {name: stems[name] for name in _OMOP if name in stems}
        source = omop({name: engine.table([str(path)]) for name, path in used.items()}, engine.dialect)
        beside = tuple(path for name, path in used.items() if name in ("person", "concept"))
        return Opened(Input(source, source.persons, False), list(used.values()), beside)
    if "labevents" in stems:
        return _mimic(engine, stems, mapping)
    if mapping is not None:
        raise InputError([Problem(str(mapping), "is of use with MIMIC-IV only (labevents)")])
    if all(_suffix(path) in _JSON for path in files) and _is_fhir(files):
        from hlhcli.cohort.fhir import fhir

        source = fhir([glob.escape(str(path)) for path in files])
        return Opened(Input(source, source.persons, False), files)
    table = engine.table([str(path) for path in files])
    return _of_table(engine, table, first, files)


def _of_table(engine: Engine, table: Table, source: str, files: list[Path]) -> Opened:
    """A long or a wide table. Raises InputError."""
    is_long = tables.column(table, tables.CODE) and tables.column(table, tables.VALUE)
    unread = tuple(name for names in tables.BESIDE.values() if (name := tables.column(table, names)))
    if is_long:
        unread = tuple(name for name in unread if name in tables.BESIDE["status"] and _is_of_others(engine, table, name))
        table = table._replace(columns={name: kind for name, kind in table.columns.items() if name not in unread})
    made, days = (tables.long if is_long else tables.wide)(table, engine.dialect, source)
    return Opened(Input(made, None, days), files, (), table.columns[tables.column(table, tables.PERSON) or ""], unread)


def _is_of_others(engine: Engine, table: Table, status: str) -> bool:
    """True where no row has a status that a result can have: the column is about something else."""
    from hlhcli.cohort import beside

    found = beside.of_results(engine.dialect.text(quoted(status), table.columns[status]))
    return not list(engine.rows(f"SELECT 1 AS found FROM {table.name} WHERE {found} LIMIT 1"))


def _mimic(engine: Engine, stems: dict[str, Path], mapping: Path | None) -> Opened:
    from hlhcli.cohort.mimic import mimic

    used = {name: stems[name] for name in _MIMIC if name in stems}
    items = mapping or stems.get(_MAPPING)
    if items is None:
        message = "MIMIC-IV names its tests by numbers: --map d_labitems_to_loinc.csv says which LOINC code each of them has"
        raise InputError([Problem(str(stems["labevents"]), message)])
    used[_MAPPING] = items
    source = mimic({name: engine.table([str(path)]) for name, path in used.items()}, engine.dialect)
    beside = tuple(path for name, path in used.items() if name != "labevents")
    return Opened(Input(source, source.persons, False), list(used.values()), beside)


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


def births(table: Table, dialect: Dialect, source: str) -> str:
    """The first and the last day on which each person can have been born, in days since 1970, as SQL."""
    person = tables.column(table, tables.PERSON)
    date = tables.column(table, ("birth_date", "birthdate", "date_of_birth", "dob", "birth_datetime"))
    year = tables.column(table, ("year_of_birth", "birth_year"))
    if person is None or (date is None and year is None):
        raise InputError([Problem(source, "no column person_id with birth_date or year_of_birth")])
    born = dialect.births(table, tables.who(table, person), date, year)
    least = "MIN(born_first) AS born_first, MAX(born_last) AS born_last"  # a person may stand there twice, with two days
    return f"SELECT person_id, {least}\nFROM (\n{born}\n) AS born\nGROUP BY person_id"

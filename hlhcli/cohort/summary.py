"""What came of a cohort, in counts: screened, assessable, met, not met, indeterminate, and which items the latter wait for.

It says what the columns of the output say, and of what was read and left what stands in the manifest beside it.
"""

from __future__ import annotations

import glob
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import duckdb

from hlhcli.cohort.dialects import DAY, DIALECTS, Kind
from hlhcli.cohort.embedded import connect
from hlhcli.cohort.form import FIXED
from hlhcli.cohort.sql import literal, quoted
from hlhcli.cohort.summary_account import Account, account, manifest_of
from hlhcli.errors import InputError, Problem, UnknownName

_VALUE = "_value"
_FORMS = (".parquet", ".csv")
_QUARTILES = ("lower_quartile", "median", "upper_quartile")

# Where an assessment ends, from the worst to the best; a person counts where the best of theirs ends. In each pair the
# second is of the population that the set was made for, the first is not known to be.
_NOTHING_KNOWN, _NOT_MADE_FOR, _NOT_MET, _FAR, _COULD, _MET = 0, 1, 2, 4, 6, 8
_ENDS = 10


class Both(NamedTuple):
    """A number of assessments, and of persons."""

    assessments: int = 0
    persons: int = 0


class MissingItem(NamedTuple):
    """In how many indeterminate assessments an item is unknown, and in how many of these one more criterion met would suffice.

    `one_away` is None where the columns do not tell: the set compares no single count of its items with a number.
    """

    item: str
    unknown: int
    one_away: int | None


class FirstMet(NamedTuple):
    """When persons met the criteria first: at their first assessment, or how many days later (quartiles over all who did)."""

    persons: int
    at_first: int
    days: tuple[int, int, int] | None
    undated: int


class Medians(NamedTuple):
    """Over all that were judged: criteria met, and with what is unknown; the ends of the score (None: none, or unbounded)."""

    met: int | None = None
    met_at_most: int | None = None
    score_min: float | None = None
    score_max: float | None = None


class Flow(NamedTuple):
    """One set of criteria: how many assessments, and persons, ended where."""

    id: str
    version: str | None
    ends: tuple[Both, ...]
    required: int | None
    met_by: tuple[tuple[str, int], ...]
    missing: tuple[MissingItem, ...]
    first_met: FirstMet
    medians: Medians

    def _sum(self, ends: Iterable[int]) -> Both:
        chosen = [self.ends[end] for end in ends]
        return Both(sum(each.assessments for each in chosen), sum(each.persons for each in chosen))

    @property
    def screened(self) -> Both:
        return self._sum(range(_ENDS))

    @property
    def nothing_known(self) -> Both:
        """Without a single item that is known; they are open, and stay so."""
        return self.ends[_NOTHING_KNOWN]

    @property
    def assessable(self) -> Both:
        return self._sum(range(_NOT_MADE_FOR, _ENDS))

    @property
    def not_made_for(self) -> Both:
        """Assessable, but not of the population that the set was made for; their verdicts are not counted."""
        return self.ends[_NOT_MADE_FOR]

    @property
    def made_for(self) -> Both:
        return self._sum(range(_NOT_MET + 1, _ENDS, 2))

    @property
    def population_unknown(self) -> Both:
        return self._sum(range(_NOT_MET, _ENDS, 2))

    @property
    def judged(self) -> Both:
        """Assessable, and not known to be of another population: met, indeterminate or not met."""
        return self._sum(range(_NOT_MET, _ENDS))

    @property
    def met(self) -> Both:
        return self._sum(range(_MET, _ENDS))

    @property
    def indeterminate(self) -> Both:
        return self._sum(range(_FAR, _MET))

    @property
    def could_be_met(self) -> Both:
        """Indeterminate, and what is unknown would suffice if it were all met."""
        return self._sum(range(_COULD, _MET))

    @property
    def not_met(self) -> Both:
        return self._sum(range(_NOT_MET, _FAR))

    def unknown_among(self, verdict: str) -> Both:
        """Of `met`, `indeterminate` or `not_met` those of whom the population is not known."""
        first, after = {"met": (_MET, _ENDS), "indeterminate": (_FAR, _MET), "not_met": (_NOT_MET, _FAR)}[verdict]
        return self._sum(range(first, after, 2))


class Summary(NamedTuple):
    """What an output of the cohort command says, set by set, and what its manifest says (None: there is none)."""

    source: str
    rows: int
    sets: tuple[Flow, ...]
    account: Account | None
    remarks: tuple[str, ...]

    def only(self, ids: Sequence[str]) -> Summary:
        """The same with these sets alone. Raises UnknownName."""
        known = {each.id: each for each in self.sets}
        for name in ids:
            if name not in known:
                raise UnknownName("criteria", name, known)
        return self._replace(sets=tuple(known[name] for name in dict.fromkeys(ids)))


def summarize(path: Path) -> Summary:
    """The summary of an output: one file of Parquet or CSV, or a folder of partitions. Raises InputError."""
    files = _files(path)
    told, remarks = account(manifest_of(path))
    with TemporaryDirectory(prefix="hlhcli-") as spill:
        connection = connect({"temp_directory": spill})
        try:
            found = _Output(connection, files, str(path)).flows(told)
        except duckdb.Error:  # its own message may show what stands in the file
            raise InputError([Problem(str(path), "cannot be read as an output of the cohort command")]) from None
        finally:
            connection.close()
    rows = sum(each.screened.assessments for each in found)
    if told is not None:
        remarks += told.differences(rows, [each.id for each in found])
    elif path.is_dir():
        remarks += ["a run writes its manifest last: without it some partitions may be missing"]
    return Summary(str(path), rows, tuple(found), told, tuple(remarks))


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(each for each in path.glob("part=*/data.*") if each.suffix in _FORMS and each.is_file())
        if not found:
            raise InputError([Problem(str(path), "holds no output of the cohort command (part=0/data.parquet ...)")])
        if len({each.suffix for each in found}) > 1:
            raise InputError([Problem(str(path), "holds partitions of Parquet and of CSV; they are not of one run")])
        return found
    if not path.is_file():
        raise InputError([Problem(str(path), "cannot be read: no such file or directory")])
    if path.suffix.lower() not in _FORMS:
        raise InputError([Problem(str(path), "is no output of the cohort command; give its .parquet or .csv file, or its folder")])
    return [path]


class _Output:
    """The rows of an output as the view `flow`, with the place where each ends."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, files: list[Path], source: str) -> None:
        self.connection, self.source = connection, source
        names = ", ".join(literal(glob.escape(str(each))) for each in files)
        form = "read_parquet([{}], union_by_name=true, hive_partitioning=false)"
        if files[0].suffix.lower() == ".csv":
            form = "read_csv([{}], union_by_name=true, hive_partitioning=false, header=true, delim=',', all_varchar=true)"
        connection.execute(f"CREATE TEMP VIEW output AS SELECT * FROM {form.format(names)}")
        kinds = {row[0]: row[1] for row in self._ask("DESCRIBE output")}
        lacking = [name for name in FIXED if name not in kinds]
        self.items = [name for name in kinds if name not in FIXED and name + _VALUE in kinds]
        if lacking or not self.items:
            lack = f"it has no column {', '.join(lacking)}" if lacking else "it has no items"
            raise InputError([Problem(source, f"is no output of the cohort command: {lack}")])
        connection.execute(self._view(kinds["anchor_time"]))

    def _view(self, time: str) -> str:
        """The rows with numbers that are numbers, whatever file they stood in."""
        columns = [f"CAST({quoted(item)} AS VARCHAR)" for item in self.items]
        named = ", ".join(f"{column} AS i{place}" for place, column in enumerate(columns))
        wrong = " OR ".join(f"COALESCE({each} NOT IN ('met', 'not_met', 'unknown'), FALSE)" for each in columns)
        known = " OR ".join(f"COALESCE({each} <> 'unknown', FALSE)" for each in columns)
        met, unknown = (
            " + ".join(f"CAST(COALESCE({each} = '{status}', FALSE) AS INTEGER)" for each in columns)
            for status in ("met", "unknown")
        )
        return f"""
            CREATE TEMP VIEW flow AS
            SELECT *, CASE
                WHEN NOT valid THEN NULL
                WHEN verdict = 'indeterminate' AND NOT known THEN {_NOTHING_KNOWN}
                WHEN NOT applicable THEN {_NOT_MADE_FOR}
                ELSE CASE
                    WHEN verdict = 'met' THEN {_MET}
                    WHEN verdict = 'not_met' THEN {_NOT_MET}
                    WHEN met + unknown < required THEN {_FAR}
                    ELSE {_COULD} END + CAST(applicable IS NOT NULL AS INTEGER) END AS ends
            FROM (
                SELECT
                    criteria, person_id, verdict, CAST("by" AS VARCHAR) AS "by", {named},
                    CAST(met AS BIGINT) AS met, CAST(unknown AS BIGINT) AS unknown, CAST(required AS BIGINT) AS required,
                    CAST(score_min AS DOUBLE) AS score_min, CAST(score_max AS DOUBLE) AS score_max,
                    CAST(applicable AS BOOLEAN) AS applicable, {_millis(time)} AS t,
                    {known} AS known,
                    {met} = CAST(met AS BIGINT) AND {unknown} = CAST(unknown AS BIGINT) AS counts_items,
                    criteria IS NOT NULL AND COALESCE(verdict IN ('met', 'not_met', 'indeterminate'), FALSE)
                        AND NOT ({wrong}) AS valid
                FROM output)"""

    def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    def flows(self, told: Account | None) -> list[Flow]:
        """A flow for each set: those of the manifest in its order, then others."""
        versions: Mapping[str, str | None] = told.criteria if told else {}
        assessments: dict[str, dict[int, int]] = {}
        for criteria, end, number in self._ask("SELECT criteria, ends, COUNT(*) FROM flow GROUP BY criteria, ends"):
            if end is None:
                raise InputError(
                    [Problem(self.source, "is no output of the cohort command: it holds verdicts or statuses of others")]
                )
            assessments.setdefault(criteria, {})[end] = number
        persons, firsts = self._persons()
        met_by: dict[str, list[tuple[str, int]]] = {}
        for criteria, by, number in self._ask(f"""
            SELECT criteria, "by", COUNT(*) FROM flow
            WHERE ends >= {_MET} AND "by" IS NOT NULL GROUP BY criteria, "by" ORDER BY 3 DESC, 2"""):
            met_by.setdefault(criteria, []).append((by, number))
        items = self._items()
        flows = []
        for name in dict.fromkeys([*versions, *sorted(assessments)]):
            here, whose = assessments.get(name, {}), persons.get(name, {})
            required, missing, medians = items.get(name, (None, (), Medians()))
            flows.append(
                Flow(
                    name,
                    versions.get(name),
                    tuple(Both(here.get(end, 0), whose.get(end, 0)) for end in range(_ENDS)),
                    required,
                    tuple(met_by.get(name, ())),
                    missing,
                    firsts.get(name, FirstMet(0, 0, None, 0)),
                    medians,
                )
            )
        return flows

    def _persons(self) -> tuple[dict[str, dict[int, int]], dict[str, FirstMet]]:
        """How many persons ended where at best; and by set, when they met the criteria first."""
        ends: dict[str, dict[int, int]] = {}
        firsts: dict[str, FirstMet] = {}
        for criteria, best, number, met, at_first, dated, days in self._ask(f"""
            WITH persons AS (
                SELECT criteria, person_id, MAX(ends) AS best, MIN(t) AS first, MIN(t) FILTER (ends >= {_MET}) AS met_at
                FROM flow GROUP BY criteria, person_id)
            SELECT criteria, best, COUNT(*), COUNT(*) FILTER (best >= {_MET}), COUNT(*) FILTER (met_at = first), COUNT(met_at),
                QUANTILE_DISC((met_at - first) // {DAY}, [0.25, 0.5, 0.75])
            FROM persons GROUP BY GROUPING SETS ((criteria, best), (criteria))"""):
            if best is None:  # all of the set
                firsts[criteria] = FirstMet(met, at_first, (days[0], days[1], days[2]) if dated else None, met - dated)
            else:
                ends.setdefault(criteria, {})[best] = number
        return ends, firsts

    def _items(self) -> dict[str, tuple[int | None, tuple[MissingItem, ...], Medians]]:
        """By set what it requires, its items with how often they are missing, most often first, and the medians."""
        open_ = f"ends >= {_FAR} AND ends < {_MET}"
        parts = []
        for item in (f"i{place}" for place in range(len(self.items))):
            parts.append(f"COUNT({item})")
            parts.append(f"COUNT(*) FILTER ({open_} AND {item} = 'unknown')")
            parts.append(f"COUNT(*) FILTER ({open_} AND {item} = 'unknown' AND met + 1 = required)")
        judged = f"FILTER (ends >= {_NOT_MET})"
        found = {}
        for criteria, least, most, countless, met, at_most, low, high, *counts in self._ask(f"""
            SELECT criteria, MIN(required), MAX(required),
                COUNT(*) FILTER ({open_} AND (required IS NULL OR NOT COALESCE(counts_items, FALSE))),
                QUANTILE_DISC(met, 0.5) {judged}, QUANTILE_DISC(met + unknown, 0.5) {judged},
                QUANTILE_DISC(COALESCE(score_min, CAST('-inf' AS DOUBLE)), 0.5) {judged},
                QUANTILE_DISC(COALESCE(score_max, CAST('inf' AS DOUBLE)), 0.5) {judged},
                {", ".join(parts)}
            FROM flow GROUP BY criteria"""):
            missing = [
                MissingItem(item, unknown, None if countless else one)
                for item, (stated, unknown, one) in zip(self.items, zip(*[iter(counts)] * 3, strict=True), strict=True)
                if stated
            ]
            missing.sort(key=lambda each: -each.unknown)
            medians = Medians(met, at_most, _finite(low), _finite(high))
            found[criteria] = (least if least == most else None, tuple(missing), medians)
        return found


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _millis(kind: str) -> str:
    """The anchor's time; in CSV it is a text, and a number is a day."""
    duck = DIALECTS["duckdb"]
    if kind == "VARCHAR":
        day = duck.millis("TRY_CAST(anchor_time AS DECIMAL(18, 6))", "decimal")
        return f"COALESCE({day}, {duck.millis('anchor_time', 'text')})"
    known: Kind = "timestamp" if kind.startswith("TIMESTAMP") else "date" if kind == "DATE" else "decimal"
    return duck.millis("anchor_time", known)


def as_json(summary: Summary) -> dict[str, Any]:
    """The summary as JSON, to a contract."""
    return {
        "schema": "hlhcli.cohort-summary/1",
        "source": summary.source,
        "rows": summary.rows,
        "criteria": [_set_json(each) for each in summary.sets],
        "account": None if summary.account is None else summary.account.as_json(),
        "remarks": list(summary.remarks),
    }


def _set_json(flow: Flow) -> dict[str, Any]:
    verdicts = {"met": flow.met, "indeterminate": flow.indeterminate, "not_met": flow.not_met}
    first = flow.first_met
    return {
        "id": flow.id,
        "version": flow.version,
        "required": flow.required,
        "screened": flow.screened._asdict(),
        "nothing_known": flow.nothing_known._asdict(),
        "assessable": flow.assessable._asdict(),
        "population": {
            "applicable": flow.made_for._asdict(),
            "not_applicable": flow.not_made_for._asdict(),
            "not_known": flow.population_unknown._asdict(),
        },
        "judged": flow.judged._asdict(),
        **{
            verdict: {**both._asdict(), "population_not_known": flow.unknown_among(verdict)._asdict()}
            for verdict, both in verdicts.items()
        },
        "met_by": dict(flow.met_by),
        "could_be_met": flow.could_be_met._asdict(),
        "missing": [each._asdict() for each in flow.missing],
        "first_met": {
            "persons": first.persons,
            "at_first_assessment": first.at_first,
            "days_later": dict(zip(_QUARTILES, first.days, strict=True)) if first.days else None,
            "time_not_known": first.undated,
        },
        "medians": flow.medians._asdict(),
    }

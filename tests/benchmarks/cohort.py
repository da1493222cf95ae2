"""The cohort command beside SQL written by hand for the same work, on a population that is made for it.

python tests/benchmarks/cohort.py --persons 1000000 [--criteria hscore] [--memory 4GB] [--repeat 3] [--folder FOLDER]
python tests/benchmarks/cohort.py --start      # whole process for 3,000 rows, beside the import of DuckDB
python tests/benchmarks/cohort.py --growth     # 1 and 10 million persons under 4 GB: time for each of them
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPATH": str(ROOT)}
PARTS = 8
FEW = 119  # persons with 3,000 rows
STARTS = 20
MILLION = 1_000_000

# DuckDB runs in processes of its own only: what a process has used before it starts another counts as the other's peak on Linux.
BY_HAND = """
import sys, duckdb
config = {"preserve_insertion_order": False, "temp_directory": sys.argv[2]}
if sys.argv[3]:
    config["memory_limit"] = sys.argv[3]
print(duckdb.connect(config=config).execute(sys.argv[1]).fetchall())
"""
AGREE = """
import sys, duckdb
hand, command, spill = sys.argv[1:]
con = duckdb.connect(config={"preserve_insertion_order": False, "temp_directory": spill})
con.execute(f"CREATE VIEW hand AS FROM '{hand}'; CREATE VIEW command AS FROM '{command}'")
columns = [name for name, *_ in con.execute("DESCRIBE hand").fetchall()]
others = {name for name, *_ in con.execute("DESCRIBE command").fetchall()}
said = [f"no column {name}" for name in columns if name not in others]
said += [f"a column {name} more" for name in sorted(others - set(columns))]
columns = [f'"{name}"' for name in columns if name in others]
rows = [con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in ("hand", "command")]
said += [f"{rows[0]:,} rows by hand, {rows[1]:,} by the command"] * (rows[0] != rows[1])
listed = ", ".join(columns)
for one, other in (("hand", "command"), ("command", "hand")):
    n = con.execute(f"SELECT count(*) FROM (SELECT {listed} FROM {one} EXCEPT SELECT {listed} FROM {other})").fetchall()[0][0]
    said += [f"{n:,} rows of {one} are not in {other}"] * (n > 0)
if said:
    both = "hand JOIN command USING (person_id, anchor)"
    for name in columns:
        if name not in ('"person_id"', '"anchor"'):
            n, *example = con.execute(
                f"SELECT count(*), any_value(person_id), any_value(hand.{name}), any_value(command.{name}) FROM {both}"
                f" WHERE hand.{name} IS DISTINCT FROM command.{name}").fetchall()[0]
            said += [f"{name}: {n:,} rows, such as {example}"] * (n > 0)
print("\\n".join(said) or f"both agree in all {rows[0]:,} rows and {len(columns)} columns")
sys.exit(bool(said))
"""


class Used(NamedTuple):
    """What a process took."""

    wall: float
    cpu: float
    peak: float  # MB


class Files(NamedTuple):
    """A population, and where its results go."""

    persons: int
    folder: Path

    def path(self, name: str) -> str:
        return str(self.folder / f"cohort-{self.persons}-{name}.parquet")

    @property
    def spill(self) -> str:
        return str(self.folder / "spill")


def run(arguments: Sequence[str]) -> Used:
    """A process of its own, with all that it used; its output is shown only where it fails."""
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen([sys.executable, *arguments], stdout=said, stderr=said, cwd=ROOT, env=ENVIRONMENT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(f"failed: {arguments[-1]}\n{said.read().decode(errors='replace')[-3000:]}")
    return Used(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def sql(name: str, files: Files, out: str = "") -> str:
    text = (HERE / name).read_text(encoding="utf-8")
    values = {"long": files.path("long"), "anchors": files.path("anchors"), "out": out, "persons": str(files.persons)}
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", value)
    return text


def generate(files: Files) -> None:
    """The population, if it is not there yet."""
    if not Path(files.path("anchors")).exists():
        print(f"making {files.persons:,} persons", file=sys.stderr)
        run(["-c", BY_HAND, sql("cohort_population.sql", files), files.spill, "8GB"])


def by_hand(files: Files, criteria: str, memory: str) -> list[str]:
    text = sql("cohort_by_hand.sql", files) + sql(f"cohort_by_hand_{criteria}.sql", files, files.path(f"hand-{criteria}"))
    return ["-c", BY_HAND, text, files.spill, memory]


def command(files: Files, criteria: str, memory: str, parts: int = 0) -> list[str]:
    given = ["--criteria", criteria, "--anchors", files.path("anchors"), "--lookback", "7d"]
    limit = ["--memory", memory] if memory else []
    output = files.path(f"command-{criteria}")
    to = ["--partitions", str(parts), "-o", output.removesuffix(".parquet")] if parts else ["-o", output]
    return ["-m", "hlhcli", "cohort", files.path("long"), *given, *limit, *to, "--force"]


def rows_of(files: Files) -> int:
    counted = ["-c", "import sys, duckdb; print(duckdb.execute(f\"SELECT count(*) FROM '{sys.argv[1]}'\").fetchall()[0][0])"]
    done = subprocess.run([sys.executable, *counted, files.path("long")], capture_output=True, text=True, check=True)
    return int(done.stdout)


def middle(found: Sequence[Used]) -> Used:
    return Used(median(one.wall for one in found), median(one.cpu for one in found), max(one.peak for one in found))


def ratio(ours: Sequence[Used], theirs: Sequence[Used], of: Callable[[Used], float]) -> float:
    """The median of the ratios of the pairs that ran one after the other: what slows the machine slows both."""
    return median(of(one) / of(other) for one, other in zip(ours, theirs, strict=True))


def wall(used: Used) -> float:
    return used.wall


def cpu(used: Used) -> float:
    return used.cpu


def compare(files: Files, criteria: str, memory: str, repeat: int) -> dict[str, Used]:
    """Both in turn, a table of them, and whether they agree."""
    generate(files)
    rows = rows_of(files)
    both = {"by hand": by_hand(files, criteria, memory), "command": command(files, criteria, memory)}
    found: dict[str, list[Used]] = {name: [] for name in both}
    for number in range(repeat):
        for name in list(both)[:: 1 if number % 2 else -1]:
            found[name].append(run(both[name]))
    for name, used in ((name, middle(each)) for name, each in found.items()):
        print(
            f"| {criteria} | {files.persons:,} | {rows:,} | {name} | {used.wall:.2f} | {used.cpu:.2f} | {rows / used.wall / 1e6:.1f} | {used.peak:.0f} |",
            flush=True,
        )
    ratios = [ratio(found["command"], found["by hand"], of) for of in (wall, cpu)]
    print(f"| {criteria} | {files.persons:,} | | ratio | {ratios[0]:.3f} | {ratios[1]:.3f} | | |", flush=True)
    return {name: middle(each) for name, each in found.items()}


def agree(files: Files, criteria: str) -> int:
    """Row by row, in both directions."""
    results = [files.path(f"{name}-{criteria}") for name in ("hand", "command")]
    return subprocess.run([sys.executable, "-c", AGREE, *results, files.spill]).returncode


def start(files: Files, criteria: str, repeat: int) -> None:
    """Whole processes for a few rows, beside the import of DuckDB."""
    generate(files)
    processes = {
        "import duckdb": ["-c", "import duckdb"],
        "by hand": by_hand(files, criteria, ""),
        "command": command(files, criteria, ""),
    }
    for arguments in processes.values():
        run(arguments)
    rounds = [{name: run(arguments) for name, arguments in processes.items()} for _ in range(repeat)]
    floor = [each["import duckdb"] for each in rounds]
    print(f"{rows_of(files):,} rows\n\n| process | ms | CPU ms | of the import, wall | CPU | peak MB |\n|---|---|---|---|---|---|")
    for name in processes:
        here = [each[name] for each in rounds]
        used = middle(here)
        over = f"{ratio(here, floor, wall):.2f} | {ratio(here, floor, cpu):.2f}"
        print(f"| {name} | {used.wall * 1000:.0f} | {used.cpu * 1000:.0f} | {over} | {used.peak:.0f} |")


def growth(folder: Path, sizes: Sequence[int], criteria: str, memory: str) -> None:
    """The time for each person in a small population and in a large one: as one file, and in parts by person."""
    small, large = (Files(size, folder) for size in sizes)
    floor = None
    for files, parts in ((small, 0), (large, PARTS), (large, 0)):
        generate(files)
        used = run(command(files, criteria, memory, parts))
        floor = floor or used
        each = [of(used) / of(floor) * small.persons / files.persons for of in (wall, cpu)]
        name = f"command, {parts} parts" if parts else "command"
        figures = f"{used.wall:.1f} | {used.cpu:.1f} | {used.peak:.0f} | {each[0]:.2f} | {each[1]:.2f}"
        print(f"| {criteria} | {files.persons:,} | {name} | {figures} |", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=MILLION)
    parser.add_argument("--criteria", choices=("hlh-2004", "hscore"), default="hlh-2004")
    parser.add_argument("--memory", default="", help="limit of DuckDB, such as 4GB")
    parser.add_argument("--repeat", type=int)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir(), "hlhcli-cohort"), help="keeps the populations")
    parser.add_argument("--start", action="store_true")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--hand", action="store_true", help="only what was written by hand")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    files = Files(FEW if given.start else given.persons, given.folder.resolve())
    if given.start:
        start(files, given.criteria, given.repeat or STARTS)
        return 0
    if given.hand:
        generate(files)
        for _ in range(given.repeat or 3):
            print(
                "wall {:.2f} s, CPU {:.2f} s, peak {:.0f} MB".format(*run(by_hand(files, given.criteria, given.memory))), flush=True
            )
        return 0
    if given.growth:
        print(
            "| criteria | persons | process | wall s | CPU s | peak MB | wall for each | CPU |\n|---|---|---|---|---|---|---|---|"
        )
        growth(files.folder, (given.persons, 10 * given.persons), given.criteria, given.memory or "4GB")
        return 0
    print(
        "| criteria | persons | rows | process | wall s | CPU s | M rows/s | peak MB |\n|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    compare(files, given.criteria, given.memory, given.repeat or 3)
    return agree(files, given.criteria)


if __name__ == "__main__":
    sys.exit(main())

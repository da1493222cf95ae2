"""One time point in process, and how the time of one call grows with the number of files."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import timeit
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from hlhcli import criteria  # noqa: E402
from hlhcli.api import load_document  # noqa: E402
from hlhcli.assessment import assess  # noqa: E402
from hlhcli.snapshot import snapshots  # noqa: E402

SAMPLE = ROOT / "samples" / "pmc8488189.yaml"


def main() -> None:
    definition = criteria.load("hlh-2004")
    fullest = max(snapshots(load_document(SAMPLE).patient)[0], key=lambda snapshot: len(snapshot.known))
    runs = 2000
    best = min(timeit.repeat(lambda: assess(definition, fullest), number=runs, repeat=5)) / runs
    print(f"evaluation of one time point: {best * 1e6:.0f} µs")
    with tempfile.TemporaryDirectory() as folder:
        text = SAMPLE.read_text(encoding="utf-8")
        for number in range(1000):
            (Path(folder) / f"{number:04}.yaml").write_text(text, encoding="utf-8")
        names = sorted(os.listdir(folder))
        times = {}
        for count in (100, 1000):
            command = [sys.executable, "-m", "hlhcli", "check", "--json", *names[:count]]
            environment = os.environ | {"PYTHONPATH": str(ROOT)}
            rounds = []
            for _ in range(3):
                start = time.perf_counter()
                subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True, env=environment)
                rounds.append(time.perf_counter() - start)
            times[count] = min(rounds)
            print(f"{count} files in one call: {times[count]:.2f} s")
        print(f"ten times the files take {times[1000] / times[100]:.2f} times the time")


main()

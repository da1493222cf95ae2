"""FHIR Observations in one NDJSON file: time for each of them and peak memory, beside `json.loads` of the same lines.

python tests/benchmarks/reading.py 10000 100000 1000000
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SEED = 20161129
PER_PERSON = 100
TESTS = [
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 6, 14),
    ("777-3", "Platelets [#/volume] in Blood by Automated count", "10*3/uL", 15, 350),
    ("751-8", "Neutrophils [#/volume] in Blood by Automated count", "10*3/uL", 0, 9),
    ("2276-4", "Ferritin [Mass/volume] in Serum or Plasma", "ng/mL", 50, 20000),
    ("2571-8", "Triglyceride [Mass/volume] in Serum or Plasma", "mg/dL", 60, 500),
    ("3255-7", "Fibrinogen [Mass/volume] in Platelet poor plasma by Coagulation assay", "mg/dL", 60, 600),
    ("8310-5", "Body temperature", "Cel", 36, 41),
    ("1920-8", "Aspartate aminotransferase [Enzymatic activity/volume] in Serum or Plasma", "U/L", 10, 900),
    ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 3, 6),
    ("789-8", "Erythrocytes [#/volume] in Blood by Automated count", "10*6/uL", 2, 6),
]
STEPS = {
    "json.loads": "for line in open(path, 'rb'): json.loads(line)",
    "read": "from hlhcli.readers import inputs, detect\nwith open(path, 'rb') as file: charts, account = inputs.read(detect.Source('x', file), detect.Form.NDJSON, inputs.Options())",
    "read and draft": "from hlhcli import api\nfor document in api.load_input(path).documents: pass",
    "check": "from hlhcli import api, criteria\nsets = [criteria.load('hlh-2004')]\nfor document in api.load_input(path).documents: api.evaluate_document(document, sets)",
}


def observation(number: int, chance: random.Random) -> dict[str, object]:
    """One Observation as a hospital's server writes it; a person has a hundred of them, ten on a day."""
    code, display, unit, low, high = TESTS[number % len(TESTS)]
    person, day = divmod(number, PER_PERSON)
    value = {"value": round(chance.uniform(low, high), 1), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    if chance.random() < 0.01:
        value["comparator"] = ">"
    return {
        "resourceType": "Observation",
        "id": f"{number:08x}-0000-4000-8000-{person:012x}",
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": display}], "text": display},
        "subject": {"reference": f"Patient/{person:08d}"},
        "effectiveDateTime": f"2016-05-{1 + day // len(TESTS):02d}T08:{day % 60:02d}:00+00:00",
        "valueQuantity": value,
    }


def write(path: Path, count: int) -> None:
    chance = random.Random(SEED)
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            file.write(json.dumps(observation(number, chance)) + "\n")


def measured(step: str, path: Path) -> tuple[float, float]:
    """Seconds after the imports, and the peak memory of the process in MB."""
    code = (
        "import json, resource, sys, time, gc\nfrom hlhcli import api, criteria\nfrom hlhcli.readers import detect, inputs, fhir\n"
        f"path = sys.argv[1]\nstart = time.perf_counter()\n{STEPS[step]}\n"
        "print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, cwd=ROOT, check=True)
    seconds, peak = done.stdout.split()[-2:]
    return float(seconds), float(peak)


def main() -> None:
    print("| Observations | step | µs for each | of json.loads | peak MB |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for count in map(int, sys.argv[1:] or ["10000", "100000"]):
            path = Path(folder, f"{count}.ndjson")
            write(path, count)
            floor = 0.0
            for step in STEPS:
                seconds, peak = measured(step, path)
                floor = floor or seconds
                print(f"| {count:,} | {step} | {seconds / count * 1e6:.1f} | {seconds / floor:.1f} | {peak:.0f} |", flush=True)
            path.unlink()


if __name__ == "__main__":
    main()

"""The course of the disease against vectors worked out by hand from the published rules: every row of tests/spec/response.md.

Each row becomes a patient file, the real command reads it, and each expectation of the row is looked up in its JSON. The rows name
the rule that they rest on; how a row is written is explained at the head of the table.
"""

from __future__ import annotations

import re
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from command import ROOT, hlhcli
from tables import rows

ROWS = [row for row in rows("response") if row["id"] != "id" and not set(row["id"]) <= {"-"}]
ON_REQUEST = {"dep-2015-markers", "hlh-2004-states", "hlh-2004-reactivation", "hlh-2004-jordan-2011"}

SETS = {
    "panel": "ferritin: 10000 ng/mL; sil2r: 9000 U/mL; triglycerides: 4.0 mmol/L; fibrinogen: 1.0 g/L; platelets: 40 10*9/L; "
    "hemoglobin: 8.0 g/dL; neutrophils: 0.8 10*9/L; spleen_size: 5 cm; alt: 300 U/L; fever: no",
    "active": "fever: yes; splenomegaly: yes; neutrophils: 0.5 10*9/L; platelets: 30 10*9/L; ferritin: 10000 ng/mL; "
    "fibrinogen: 1.0 g/L; d_dimer: 3000 ng/mL FEU; cns_involvement: yes; sil2r: 8000 U/mL",
    "quiet": "fever: no; splenomegaly: no; neutrophils: 1.01 10*9/L; platelets: 101 10*9/L; ferritin: 1999 ng/mL; "
    "fibrinogen: 1.51 g/L; d_dimer: 499 ng/mL FEU; cns_involvement: no; sil2r: 8000 U/mL",
    "none of 8": "fever: no; splenomegaly: no; hemoglobin: 14 g/dL; platelets: 250 10*9/L; neutrophils: 3 10*9/L; "
    "triglycerides: 1.0 mmol/L; fibrinogen: 3 g/L; hemophagocytosis: no; nk_activity: normal; ferritin: 100 ng/mL; sil2r: 500 U/mL",
    "in range": "hemoglobin: {value: 12 g/dL, reference: 12-16}; platelets: {value: 150 10*9/L, reference: 150-400}; "
    "neutrophils: {value: 2.0 10*9/L, reference: 1.5-7.5}; leukocytes: {value: 5 10*9/L, reference: 4-10}; "
    "ferritin: {value: 400 ng/mL, reference: 30-400}; sil2r: {value: 500 U/mL, reference: <1000}; "
    "triglycerides: {value: 1.2 mmol/L, reference: <1.7}; fibrinogen: {value: 2.5 g/L, reference: 2-4}; "
    "ldh: {value: 200 U/L, reference: <250}",
    "out of range": "hemoglobin: {value: 7 g/dL, reference: 12-16}; platelets: {value: 20 10*9/L, reference: 150-400}; "
    "neutrophils: {value: 0.4 10*9/L, reference: 1.5-7.5}; leukocytes: {value: 1 10*9/L, reference: 4-10}; "
    "ferritin: {value: 9000 ng/mL, reference: 30-400}; sil2r: {value: 9000 U/mL, reference: <1000}; "
    "triglycerides: {value: 5 mmol/L, reference: <1.7}; fibrinogen: {value: 1.0 g/L, reference: 2-4}; "
    "ldh: {value: 2000 U/L, reference: <250}",
}


# From a row to a patient file


def entries(text: str) -> list[str]:
    return [entry.strip() for entry in text.split(";") if entry.strip()]


def observations(text: str) -> dict[str, str]:
    """The observations of one time point; a later one of the same name replaces an earlier."""
    found: dict[str, str] = {}
    for entry in entries(text):
        if entry in SETS:
            found |= observations(SETS[entry])
        else:
            name, value = entry.split(": ", 1)
            found[name] = value
    return found


def timepoints(before: str, later: str) -> list[str]:
    lines = []
    text = (before if before.startswith("[") else f"[day 0] {before}") + " " + later
    for head, seen in re.findall(r"\[((?:day|[A-Z])[^\]]*)\] ((?:(?!\[(?:day|[A-Z])).)*)", text):
        name, *more = head.split(", ")
        day = [f"    day: {name.removeprefix('day ')}"] if name.startswith("day ") else []
        lines += [f"  - name: {name}", *day, *(f"    {key}" for key in more), "    observations:"]
        lines += [f"      {key}: {value}" for key, value in observations(seen).items()]
    return lines


def patient(row: dict[str, str]) -> str:
    age, therapies, curves = "11 y", [], []
    for entry in entries(row["treatment and curves"] or "alemtuzumab, start: 0"):
        if entry.startswith("age "):
            age = entry.removeprefix("age ")
        elif entry.startswith("curve "):
            curves.append(f"  {entry.removeprefix('curve ')}")
        else:
            therapies.append(f"  - {{drug: {entry}}}")
    person = f"{{id: {row['id']}}}" if age == "unknown" else f"{{id: {row['id']}, age: {age}}}"
    parts = [f"patient: {person}", "therapies:", *therapies, "timepoints:", *timepoints(row["before"], row["later"])]
    return "\n".join(parts + (["series:", *curves] if curves else [])) + "\n"


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> dict[str, Any]:
    """What the command says about every row, by id: one run for all default rules, and one for each choice of others."""
    folder = tmp_path_factory.mktemp("vectors")
    runs: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    for row in ROWS:
        rules = tuple(row["rule"].split(", "))
        chosen = rules if ON_REQUEST & set(rules) else ()
        if row["treatment and curves"].endswith(".yaml"):
            path = ROOT / row["treatment and curves"]
        else:
            path = folder / f"{row['id']}.yaml"
            path.write_text(patient(row), encoding="utf-8")
        runs[chosen][row["id"]] = str(path)
    found: dict[str, Any] = {}
    for chosen, paths in runs.items():
        once = sorted(set(paths.values()))
        ran = hlhcli("check", "--json", *(f"--criteria={rule}" for rule in chosen), *once, timeout=300)
        by_source = {result["source"]: result for result in ran.json["results"] + ran.json["errors"]}
        found |= {name: by_source[path] for name, path in paths.items()}
    return found


# From an expectation to the JSON

STATUS = {"met": {"met"}, "not met": {"not_met"}, "unknown": {"unknown"}, "not counted": {"not_met", "unknown"}}
STATUS_WORDS = "not counted|not met|met|unknown"


class Course:
    """The course of one result, and what one expectation of the row is about."""

    def __init__(self, result: dict[str, Any], row: dict[str, str], scope: str):
        self.result, self.course = result, result["course"]
        self.rule = row["rule"].split(", ")[0]
        assessed = [assessment["timepoint"] for assessment in result["assessments"]]
        self.names = assessed or re.findall("- name: (.+)", patient(row))
        self.timepoint = self.names[-1]
        self.line = self.course["lines"][0] if self.course["lines"] else None
        for token in filter(None, scope.split("@")):
            lines = [line for line in self.course["lines"] if line["name"] == token]
            if token in self.names:
                self.timepoint = token
            elif lines:
                (self.line,) = lines
            else:
                assert token in row["rule"].split(", "), f"{token} is no time point, line or rule of this row"
                self.rule = token

    @property
    def all_readings(self) -> list[dict[str, Any]]:
        ours = self.line["readings"] if self.line else []
        return [*ours, *(r for block in self.course["recurrence"] for r in block["readings"])]

    @property
    def readings(self) -> list[dict[str, Any]]:
        return [r for r in self.all_readings if (r["rule"], r["timepoint"]) == (self.rule, self.timepoint)]

    @property
    def reading(self) -> dict[str, Any]:
        assert len(self.readings) == 1, f"{len(self.readings)} readings of {self.rule} at {self.timepoint}"
        return self.readings[0]

    def a_class(self, name: str) -> dict[str, Any]:
        (found,) = [c for c in self.reading["classes"] if c["id"] == name]
        return found

    def change(self, name: str) -> dict[str, Any] | None:
        markers = [m for c in self.line["changes"] if c["timepoint"] == self.timepoint for m in c["markers"]]
        found = [marker for marker in markers if marker["observable"] == name]
        return found[0] if found else None

    @property
    def worsening(self) -> dict[str, Any] | None:
        found = [w for w in self.course["worsening"] if w["timepoint"] == self.timepoint]
        return found[0] if found else None

    def raised(self, flag: str) -> bool:
        """Whether the flag stands at the time point as new for certain."""
        return any(f["id"] == flag and f["certain"] for f in (self.worsening or {"flags": []})["flags"])

    def delta(self, kind: str) -> list[str]:
        (found,) = [d for d in self.course["criteria_changes"] if (d["criteria"], d["to"]) == ("hlh-2004", self.timepoint)]
        return found[kind]


def number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def span(minimum: str, maximum: str) -> tuple[Decimal | None, Decimal | None]:
    return number(minimum or None), number(maximum or None)


def ends(of: dict[str, str]) -> tuple[Decimal | None, Decimal | None]:
    return number(of["min"]), number(of["max"])


def check_class(course: Course, name: str, item: str | None, status: str, low: str | None, high: str | None) -> None:
    found = course.a_class(name)
    if item:
        (found,) = [part for part in found["items"] if part["id"] == item]
    assert found["status"] in STATUS[status], found["status"]
    if low is not None:
        assert found["min"] == int(low)
    if high:
        assert found["max"] == int(high)


def check_change(course: Course, name: str, said: str) -> None:
    """`-25 %`, `-67.1 % ± 0.15`, `< -97.5 %`, `> 4900 %`, `-30..-20 %`, `refused`, `rose`, `fell`, `better`, `worse`, `says …`."""
    change = course.change(name)
    assert change, f"{name} is not listed"
    for part in said.split(", "):
        if part == "refused":
            assert change["percent"] is None
        elif part in ("rose", "fell"):
            assert change["direction"] == part
        elif part in ("better", "worse"):
            assert change["better"] is (part == "better")
        elif part.startswith("says "):
            assert part.removeprefix("says ") in f"{change['text']} {change['note']}"
        elif match := re.fullmatch(r"([<>]) (\S+) %", part):
            low, high = ends(change["percent"])
            assert (high if match[1] == "<" else low) == Decimal(match[2])
            assert match[1] == "<" or high is None
        elif match := re.fullmatch(r"(-?[\d.]+?)\.\.(-?[\d.]+) %", part):
            assert ends(change["percent"]) == span(match[1], match[2])
        else:
            match = re.fullmatch(r"(\S+) %(?: ± (\S+))?", part)
            assert match, part
            low, high = ends(change["percent"])
            assert low is not None
            assert high is not None
            assert max(abs(low - Decimal(match[1])), abs(high - Decimal(match[1]))) <= Decimal(match[2] or 0)


def check_event(course: Course, name: str, reached: bool, low: str, high: str) -> None:
    (event,) = [event for event in course.line["events"] if event["id"] == name]
    assert event["reached"] is reached
    assert ends(event["days"]) == span(low, high)


def check_reading(course: Course, field: str, negated: str | None, value: str) -> None:
    found = course.reading[field.replace(" ", "_")]
    assert (found != value) if negated else (found == value), found


def check_due(course: Course, text: str) -> None:
    assert text in course.reading["due"]


def check_worsened(course: Course, negated: str | None, name: str) -> None:
    listed = course.reading["worsened"]
    if name == "nothing":
        assert not listed
    else:
        assert (name in listed) is not bool(negated), listed


def check_no_percentage(course: Course, name: str) -> None:
    change = course.change(name)
    assert change is None or change["percent"] is None


def check_not_decided(course: Course, name: str) -> None:
    """Nowhere on the line is the class decided by a reading at its time."""
    for reading in course.all_readings:
        decided = [c for c in reading["classes"] if reading["rule"] == course.rule and c["id"] == name and c["status"] != "unknown"]
        assert not decided or reading["response"] == "not_evaluable", (reading["timepoint"], decided)


def check_open_flag(course: Course, name: str) -> None:
    assert [f["certain"] for f in course.worsening["flags"] if f["id"] == name] == [False]


def check_flag(course: Course, name: str, negated: str | None) -> None:
    assert course.raised(name) is not bool(negated)


def check_setting(course: Course, field: str, value: str) -> None:
    assert course.worsening, "no worsening listed"
    assert course.worsening[field] == value


def check_criteria(course: Course, criteria: str, item: str, status: str) -> None:
    (found,) = [a for a in course.result["assessments"] if (a["criteria"], a["timepoint"]) == (criteria, course.timepoint)]
    (part,) = [part for part in found["items"] if part["id"] == item]
    assert part["status"] in STATUS[status], part["status"]


def check_delta(course: Course, negated: str | None, kind: str, item: str) -> None:
    assert (item in course.delta({"uncertain": "unknown"}.get(kind, kind))) is not bool(negated)


def check_recurrence(course: Course, negated: str | None) -> None:
    (found,) = [block for block in course.course["recurrence"] if block["rule"] == "hartz-2016"]
    assert found["applicable"] is not bool(negated)


def check_support(course: Course, name: str, values: str) -> None:
    (curve,) = [curve for curve in course.course["support"] if curve["observable"] == name]
    assert [point["value"] for point in curve["points"]] == values.split()


def check_analogy(course: Course, negated: str | None) -> None:
    assert course.reading["by_analogy"] is not bool(negated)


def check_graded(course: Course, grade: str) -> None:
    assert course.reading["provenance"] == grade


def check_indicated(course: Course) -> None:
    assert course.reading["indicated"] is True


def check_never(course: Course, response: str) -> None:
    assert response not in [r["response"] for line in course.course["lines"] for r in line["readings"]]


def check_no_reading(course: Course) -> None:
    assert not course.readings


def check_no_class(course: Course, name: str) -> None:
    assert name not in [c["id"] for r in course.readings for c in r["classes"]]


def check_no_rule(course: Course, rule: str) -> None:
    assert rule not in [r["rule"] for line in course.course["lines"] for r in line["readings"]]
    assert rule not in [block["rule"] for block in course.course["recurrence"]]


def check_without(course: Course, name: str, item: str) -> None:
    assert item not in [part["id"] for part in course.a_class(name)["items"]]


def check_baseline(course: Course, name: str) -> None:
    if name == "named":
        assert course.line["baseline_named"] is True
    else:
        assert course.line["baseline"]["timepoint"] == name


def check_no_baseline(course: Course) -> None:
    assert course.line["baseline"] is None


def check_line(course: Course) -> None:
    assert course.line["not_evaluable"]


def check_elapsed(course: Course, low: str, high: str) -> None:
    assert ends(course.reading["elapsed"]) == span(low, high)


def check_warning(course: Course, text: str) -> None:
    assert any(text in warning["message"].lower() for warning in course.result["warnings"])


CHECKS = [  # the first pattern that fits the whole expectation
    (rf"(\w+)(?:\.(\w+))? ({STATUS_WORDS})(?: (\d+)\.\.(\d*))?", check_class),
    (r"(response|timing|certain|possible|by values) (not )?(\S+)", check_reading),
    (r"due (.+)", check_due),
    (r"change (\S+) (.+)", check_change),
    (r"no percentage (\S+)", check_no_percentage),
    (r"(not )?worsened (\S+)", check_worsened),
    (r"flag (\S+) (not )?raised", check_flag),
    (r"flag (\S+) open", check_open_flag),
    (r"(setting|stated) (\S+)", check_setting),
    (r"event (\S+) (not by) (\d+)", lambda course, name, _, day: check_event(course, name, False, day, "")),
    (r"event (\S+) (\d+)\.\.(\d*)", lambda course, name, low, high: check_event(course, name, True, low, high)),
    (rf"criteria (\S+) (\S+) ({STATUS_WORDS})", check_criteria),
    (r"(not )?(gained|lost|uncertain) (\S+)", check_delta),
    (r"recurrence (not )?applicable", check_recurrence),
    (r"support (\S+) (.+)", check_support),
    (r"(not )?by analogy", check_analogy),
    (r"graded (\S+)", check_graded),
    (r"indicated", check_indicated),
    (r"never (\S+)", check_never),
    (r"no reading", check_no_reading),
    (r"no class (\S+)", check_no_class),
    (r"no rule (\S+)", check_no_rule),
    (r"(\S+) without (\S+)", check_without),
    (r"no baseline", check_no_baseline),
    (r"baseline (.+)", check_baseline),
    (r"line not evaluable", check_line),
    (r"elapsed (\d+)\.\.(\d+)", check_elapsed),
    (r"warning (\S+)", check_warning),
    (r"(\S+) not decided", check_not_decided),
]


def check(result: dict[str, Any], row: dict[str, str], expectation: str) -> None:
    said, _, scope = expectation.partition(" @")
    course = Course(result, row, scope)
    for pattern, function in CHECKS:
        if match := re.fullmatch(pattern, said):
            return function(course, *match.groups())
    raise LookupError(f"nobody knows how to check {said!r}")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_vector(row, results):
    """Every expectation of the row holds; `why` in the row names the rule and the section of the reference."""
    result = results[row["id"]]
    assert "message" not in result, result
    wrong = []
    for expectation in entries(row["expected"]):
        try:
            check(result, row, expectation)
        except (AssertionError, ValueError, TypeError, KeyError) as problem:
            wrong.append(f"{expectation}: {type(problem).__name__} {problem}")
    assert not wrong, f"{row['why']}\n" + "\n".join(wrong)


def test_the_table_is_sound():
    """Ids are unique, every row expects something and says why, and the samples that rows name are there."""
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row["expected"], row["id"]
        assert row["why"], row["id"]
        sample = row["treatment and curves"]
        assert not sample.endswith(".yaml") or (ROOT / sample).is_file(), row["id"]

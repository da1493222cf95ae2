"""The course: lines of therapy and their baselines, when a rule is read, worsening, recurrence, events; and the founding case."""

import re
from datetime import date, timedelta

import jsonschema
import pytest
from command import SAMPLES, hlhcli
from hypothesis import given, settings
from hypothesis import strategies as st

import hlhcli as hlhcli_package
from hlhcli import criteria, responses, schemas
from hlhcli.api import evaluate_document, parse_document
from hlhcli.errors import UnknownName
from hlhcli.render.course import course_view
from hlhcli.render.response_page import markdown_response_page
from hlhcli.render.results import result_json
from hlhcli.rules import GRADES

RESULTS = jsonschema.Draft202012Validator(schemas.schema("results"))
FILES = sorted(SAMPLES.glob("*.yaml"))


def result(text, *rules):
    return evaluate_document(parse_document(text, "p"), [criteria.load("hlh-2004")], rules)


def course(text, *rules):
    return result_json(result(text, *rules))["course"]


def reading(found, rule, timepoint, line=0):
    return next(one for one in found["lines"][line]["readings"] if (one["rule"], one["timepoint"]) == (rule, timepoint))


def said(text, *rules):
    return "\n".join(
        entry for section in course_view(result(text, *rules)).sections for entry in (section.heading, *section.entries)
    )


SEED = (SAMPLES / "broglie-2017.yaml").read_text(encoding="utf-8")


def test_the_founding_case_on_day_10():
    """Day 10 is not evaluable by the rule of 14 days; it progresses by the flags: support back, new hemophagocytosis, rebound."""
    found = course(SEED)
    time_rule = reading(found, "dep-2015", "Refractory")
    assert (time_rule["response"], time_rule["timing"], time_rule["due"]) == ("not_evaluable", "too_early", "from day 14")
    assert reading(found, "marsh-2013", "Refractory")["response"] == "not_evaluable"
    (worse,) = found["worsening"]
    assert (worse["timepoint"], worse["setting"], worse["stated"]) == ("Refractory", "on_therapy", "refractory")
    assert [flag["id"] for flag in worse["flags"] if flag["certain"]] == [
        "ventilation", "vasoactive", "hemophagocytosis", "ferritin_rebound", "sil2r_rebound", "crp_rebound",
    ]  # fmt: skip
    emapalumab = reading(found, "emapalumab-2020", "Refractory")
    assert {one["id"]: one["status"] for one in emapalumab["classes"]}["CR"] == "not_met"
    assert all(one["timepoint"] != "Refractory" or one["rule"] != "verkamp-2023" for one in found["lines"][0]["readings"])


def test_the_founding_case_after_ruxolitinib():
    """Marsh is indicated and not computable; complete response is open, partial response has two items for certain; no recurrence."""
    found = course(SEED)
    marsh = reading(found, "marsh-2013", "After ruxolitinib", 1)
    assert (marsh["response"], marsh["timing"], marsh["indicated"]) == ("not_evaluable", "not_known", True)
    emapalumab = {one["id"]: one for one in reading(found, "emapalumab-2020", "After ruxolitinib", 1)["classes"]}
    assert emapalumab["CR"]["status"] == "unknown"
    assert (emapalumab["PR"]["status"], emapalumab["PR"]["min"], emapalumab["PR"]["required"]) == ("unknown", 2, 3)
    assert [each["id"] for each in emapalumab["PR"]["items"] if each["status"] == "met"] == ["fever", "ferritin"]
    assert [(each["rule"], each["applicable"], each["reason"]) for each in found["recurrence"]] == [
        ("hartz-2016", False, "no documented remission")
    ]


def test_the_founding_case_organ_support():
    """On, off on day 3, on again about day 10; off inotropes within a day and off the ventilator within three of ruxolitinib."""
    first, salvage = course(SEED)["lines"]
    events = [{event["id"]: event for event in line["events"]} for line in (first, salvage)]
    assert (events[0]["extubated"]["days"], events[0]["extubated"]["back"]) == ({"min": "0", "max": "3"}, "10")
    assert events[0]["afebrile"]["reached"] is False
    assert events[1]["afebrile"]["days"] == {"min": "0", "max": "1"}
    assert events[1]["off_vasoactives"]["days"]["max"] == "1"
    assert events[1]["extubated"]["days"]["max"] == "3"


def test_the_founding_case_in_words():
    """What the terminal says of it, in the order of what matters."""
    text = said(SEED)
    assert text.index("stated as refractory") < text.index("dep-2015") < text.index("first line:")
    assert "not evaluable (not yet: day 10, read from day 14 of the line)" in text
    assert "indicated, not computable (ferritin, sIL-2R, CRP better)" in text
    assert "off vasoactives within 3 d, no longer on day 10" in text


def line_names(therapies, timepoints="[{name: a, day: 0}, {name: b, day: 14}, {name: c, day: 40}]"):
    found = course(f"therapies: {therapies}\ntimepoints: {timepoints}\n")
    return [
        (line["name"], line["drugs"], line["baseline"] and line["baseline"]["timepoint"], line["not_evaluable"])
        for line in found["lines"]
    ]


@pytest.mark.parametrize(
    ("therapies", "expected"),
    [
        ("[{drug: x, start: 0}, {drug: y, start: 3}]", [("line 1", ["x", "y"], "a", None)]),
        ("[{drug: x, start: 0}, {drug: y, start: 14}]", [("line 1", ["x"], "a", None), ("line 2", ["y"], "b", None)]),
        ("[{drug: y, start: 14, line: one}, {drug: x, start: 0, line: one}]", [("one", ["x", "y"], "a", None)]),
        ("[{drug: x, start: 15, line: s, baseline: a}]", [("s", ["x"], "a", None)]),
        ("[{drug: x, start: -5}]", [("line 1", ["x"], None, "no time point on or before day -5, when it began")]),
        ("[{drug: x}]", [("line of unknown place", ["x"], None, "the day on which it began is not stated")]),
        ("[{drug: x, start: 41}]", [("line 1", ["x"], "c", "no time point after it began")]),
    ],
)
def test_lines(therapies, expected):
    """Drugs that follow the same time point are one line unless they name theirs; the baseline is the last time point before it."""
    assert line_names(therapies) == expected


def test_a_time_point_later_on_the_same_day_is_no_baseline():
    """Of two time points on the day on which a line began, the second may be after the drug."""
    found = line_names("[{drug: x, start: 0}]", "[{name: before, day: 0}, {name: evening, day: 0}, {name: later, day: 9}]")
    assert found == [("line 1", ["x"], "before", None)]


@pytest.mark.parametrize("timepoint", ["bseline", "''"])
def test_a_baseline_must_exist(timepoint):
    """A baseline that is no time point is a mistake, with its place."""
    ran = hlhcli(
        "check", "-", stdin=f"therapies:\n  - {{drug: x, start: 0, baseline: {timepoint}}}\ntimepoints: [{{name: baseline}}]\n"
    )
    assert (ran.code == 1) is (timepoint != "''")
    assert ("<stdin>:2:35: 'bseline' is no time point; did you mean 'baseline'?" in ran.err) is (ran.code == 1)


def test_dates_that_cannot_be_placed_are_told():
    """A date is of no use where the time points count days, and the reader is told."""
    text = "therapies: [{drug: x, start: 2020-01-05}]\ntimepoints: [{name: a, day: 0}]\n"
    assert any("x has a date where the time points count days" in each.message for each in result(text).warnings)
    anchored = text.replace("day: 0", "day: 0, date: 2020-01-01")
    assert course(anchored)["therapies"][0]["start"] == "4"
    assert not result(anchored).warnings


ACTIVE = "{ferritin: 10000 ng/mL, sil2r: 9000 U/mL, platelets: 20 G/L, fibrinogen: 0.9 g/L, triglycerides: 4 mmol/L, hemoglobin: 7 g/dL, neutrophils: 0.4 G/L, spleen_size: 5 cm}"
BETTER = ACTIVE.replace("10000", "5000").replace("9000", "4000")


def timeline(*points, therapies="[{drug: etoposide, start: 0}]"):
    rows = "".join(f"  - {{name: d{day}, day: {day}, observations: {known}}}\n" for day, known in points)
    return f"therapies: {therapies}\ntimepoints:\n{rows}"


@pytest.mark.parametrize(
    ("day", "timing"), [(10, "too_early"), (11, "in_time"), (13, "in_time"), (14, "in_time"), (17, "in_time"), (18, "too_late")]
)
def test_when_a_rule_is_read(day, timing):
    """Two weeks with a tolerance of three days: from day 11 to day 17, both included."""
    found = reading(course(timeline((0, ACTIVE), (day, BETTER))), "marsh-2013", f"d{day}")
    assert found["timing"] == timing
    assert found["response"] == ("PR" if timing == "in_time" else "not_evaluable")
    assert found["by_values"] == "PR"


@pytest.mark.parametrize(
    ("day", "response"), [(10, "not_evaluable"), (13, "not_evaluable"), (14, "refractory"), (30, "refractory")]
)
def test_refractory_by_time(day, response):
    """Less than partial response from day 14 on; before then nothing is said."""
    assert reading(course(timeline((0, ACTIVE), (day, ACTIVE))), "dep-2015", f"d{day}")["response"] == response


def test_a_lost_response_is_not_refractory():
    """After a partial response the disease may come back, but it was not refractory."""
    found = course(timeline((0, ACTIVE), (14, BETTER), (45, ACTIVE)))
    assert reading(found, "dep-2015", "d14")["response"] == "none"
    assert [one["timepoint"] for one in found["lines"][0]["readings"] if one["rule"] == "dep-2015"] == ["d14"]


def test_another_line_is_told():
    """A response after another line has begun is not credited to the first alone, nor is its failure."""
    therapies = "[{drug: etoposide, start: 0, line: one}, {drug: ruxolitinib, start: 3, line: two}]"
    found = course(timeline((0, ACTIVE), (14, BETTER), therapies=therapies))
    assert reading(found, "marsh-2013", "d14")["another_line_since"] == "3"
    assert not [one for one in found["lines"][0]["readings"] if one["rule"] == "dep-2015"]
    assert "another line began on day 3" in said(timeline((0, ACTIVE), (14, BETTER), therapies=therapies))


def test_an_unplaced_line_may_have_been_the_first():
    """Where a drug has no start, nobody knows that another line was the first."""
    therapies = "[{drug: etoposide}, {drug: emapalumab, start: 0}]"
    found = course(timeline((0, ACTIVE), (14, ACTIVE), therapies=therapies))
    assert not [one for line in found["lines"] for one in line["readings"] if one["rule"] == "dep-2015"]
    named = therapies.replace("start: 0", "start: 0, line: first line")
    found = course(timeline((0, ACTIVE), (14, ACTIVE), therapies=named))
    assert [one for line in found["lines"] for one in line["readings"] if one["rule"] == "dep-2015"]


def test_flags_between_time_points():
    """A finer chart raises flags too: support that came and went between two time points is told with its day."""
    text = (
        timeline((0, "{mechanical_ventilation: no}"), (10, "{fever: no}"))
        + "series: {mechanical_ventilation: {points: [[4, yes], [9, no]]}}\n"
    )
    (worse,) = course(text)["worsening"]
    assert [(flag["id"], flag["since"]) for flag in worse["flags"]] == [("ventilation", "4")]


def test_a_later_time_point_without_a_day():
    """A curve may go on after a time point without a day; what it says there is not taken for its past."""
    text = (
        "therapies: [{drug: x, start: 0}]\ntimepoints:\n  - {name: a, day: 0, observations: {ferritin: 9000 ng/mL}}\n"
        "  - {name: later, observations: {ferritin: 4000 ng/mL}}\nseries: {ferritin: {unit: ng/mL, points: [[300, 60]]}}\n"
    )
    found = course(text)
    assert reading(found, "marsh-2013", "later")["timing"] == "not_known"
    assert not found["worsening"]


def test_remission_comes_first():
    """Worsening before any remission is on therapy; after a stated remission it is a recurrence, by analogy without a transplant."""
    worse = "{fever: yes, splenomegaly: yes, ferritin: 9000 ng/mL, sil2r: 9000 U/mL, platelets: 20 G/L, hemoglobin: 70 g/L, cns_involvement: yes}"
    before = course(timeline((0, "{cns_involvement: no}"), (20, worse)))
    assert [each["applicable"] for each in before["recurrence"]] == [False]
    assert before["worsening"][0]["setting"] == "on_therapy"
    after = course(timeline((0, "{cns_involvement: no}"), (20, "{disease_state: remission, cns_involvement: no}"), (60, worse)))
    (recurrence,) = after["recurrence"]
    assert (recurrence["applicable"], recurrence["readings"][0]["response"]) == (True, "systemic_reactivation")
    assert recurrence["readings"][0]["by_analogy"]
    assert after["remission"] == {"timepoint": "d20", "day": "20", "basis": "as stated"}
    assert after["worsening"][0]["setting"] == "after_remission"


def test_response_loss_and_response_again():
    """A flare on the drug that helped is told as such, not as a relapse: no remission was documented before it."""
    text = (
        "patient: {age: 24 y, sex: female}\n"
        "therapies: [{drug: HLH-94, start: 0, line: first line}, {drug: ruxolitinib 5 mg, start: 10, line: salvage}, {drug: ruxolitinib 20 mg, start: 26, line: escalated}]\n"
        "timepoints:\n  - {name: start, day: 0, observations: {ferritin: 58505 ng/mL, fever: yes}}\n"
        "  - {name: before, day: 10, observations: {fever: yes}}\n"
        "  - {name: 48 h, day: 12, observations: {fever: no, disease_state: response}}\n"
        "  - {name: hemolysis, day: 26, observations: {fever: no, disease_state: flare}}\n"
        "  - {name: resolved, day: 60, observations: {fever: no, disease_state: remission}}\n"
    )
    found = course(text)
    assert [(each["timepoint"], each["state"]) for each in found["stated"]] == [
        ("48 h", "response"), ("hemolysis", "flare"), ("resolved", "remission"),
    ]  # fmt: skip
    assert [(each["timepoint"], each["stated"], each["setting"]) for each in found["worsening"]] == [
        ("hemolysis", "flare", "on_therapy")
    ]
    assert [each["reason"] for each in found["recurrence"]] == ["nothing was observed after the remission"]
    assert found["lines"][1]["events"][0]["days"] == {"min": "0", "max": "2"}


def test_unverified_rules_only_on_request():
    """Transcriptions without their source show only where they are asked for, and are marked."""
    text = timeline((0, ACTIVE), (14, BETTER))
    unverified = [name for name in responses.ids() if responses.load(name).on_request]
    assert sorted(unverified) == ["dep-2015-markers", "hlh-2004-reactivation", "hlh-2004-states"]
    assert all((responses.load(name).provenance == GRADES[-1]) is (name in unverified) for name in responses.ids())
    assert not any(name in said(text) for name in unverified)
    afebrile = text.replace("{ferritin", "{fever: no, ferritin")
    assert "dep-2015-markers (unverified transcription), by analogy, d14 (day 14): PARTIAL" in said(afebrile, "dep-2015-markers")
    assert "UNVERIFIED TRANSCRIPTION" in hlhcli("criteria", "hlh-2004-states").out


def test_one_rule_is_asked_for():
    """`-c` takes rules for the course beside sets of criteria; the default set stays where none is named."""
    ran = hlhcli("check", "--json", "-c", "marsh-2013", "samples/synthetic-course.yaml").json["results"][0]
    assert {each["criteria"] for each in ran["assessments"]} == {"hlh-2004"}
    assert {one["rule"] for line in ran["course"]["lines"] for one in line["readings"]} == {"marsh-2013"}
    assert hlhcli("check", "-c", "marsh-2031", "samples/synthetic-course.yaml").code == 2


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_samples(path):
    """Every sample keeps to the schema of the results, and its course fits a terminal."""
    ran = hlhcli("check", "--json", path)
    RESULTS.validate(ran.json)
    plain = hlhcli("check", "--ascii", path, COLUMNS="60").out
    assert plain.isascii()
    for width, text in ((60, plain), (100, hlhcli("check", path, COLUMNS="100").out)):
        assert max(map(len, text.splitlines())) <= width


def test_the_pages_are_those_of_the_rules():
    """The page of each rule beside its file is generated from it."""
    for name in responses.ids():
        page = (responses.FOLDER / f"{name}.md").read_text(encoding="utf-8")
        assert markdown_response_page(responses.load(name)) == page, name
    assert hlhcli("criteria", "marsh-2013", "--markdown").out.startswith("# Response two weeks after treatment")


def test_without_a_course_nothing_is_told():
    """One time point without therapies and curves has none; two have the criteria gained and lost."""
    assert course("timepoints: [{name: a, observations: {ferritin: 900 ng/mL}}]") is None
    found = course("timepoints: [{name: a, observations: {ferritin: 100 ng/mL}}, {name: b, observations: {ferritin: 900 ng/mL}}]")
    assert [(each["gained"], each["lost"]) for each in found["criteria_changes"]] == [(["ferritin"], [])]
    assert found["lines"] == []


# The same course in days, in dates, and in dates that are moved.
days = st.lists(st.integers(0, 60), min_size=2, max_size=5, unique=True).map(sorted)
values = st.sampled_from(["9000", "4500", "6750", "400", "rising", "elevated", "pending", "'>20000'"])
supports = st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["yes", "no"])), max_size=4)


@st.composite
def courses(draw):
    """Time points, curves and therapies, as a function from a day to what the file says of it."""
    points = draw(days)
    ferritin = [draw(values) for _ in points]
    curve = draw(st.lists(st.tuples(st.integers(0, 60), values), max_size=5))
    given_ = draw(supports)
    drugs = draw(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), min_size=1, max_size=3))
    window = draw(st.sampled_from(["", ", window: 3 d"]))

    def write(moment, key):
        rows = "".join(
            f"  - {{name: t{n}, {key}: {moment(day)}{window}, observations: {{ferritin: {_unit(value)}}}}}\n"
            for n, (day, value) in enumerate(zip(points, ferritin, strict=True))
        )
        therapies = ", ".join(
            f"{{drug: d{n}, start: {moment(start)}, stop: {moment(start + length)}}}" for n, (start, length) in enumerate(drugs)
        )
        curves = ", ".join(f"[{moment(day)}, {value}]" for day, value in curve)
        support = ", ".join(f"[{moment(day)}, {value}]" for day, value in given_)
        series = f"series: {{ferritin: {{unit: ng/mL, points: [{curves}]}}, dialysis: {{points: [{support}]}}}}\n"
        return f"therapies: [{therapies}]\ntimepoints:\n{rows}{series}"

    return points[0], write


def _unit(value):
    return f"'{value.strip(chr(39))} ng/mL'" if any(c.isdigit() for c in value) else value


def without_dates(text):
    found = result_json(result(text))
    for assessment in found["assessments"]:
        assessment["date"] = None
    return found


@given(courses(), st.integers(-20000, 20000))
@settings(max_examples=60, deadline=None)
def test_days_and_dates_are_one(drawn, shift):
    """Days and dates give the same result, and moving all dates changes nothing but the dates."""
    first, write = drawn
    origin = date(2020, 3, 1)
    in_days = without_dates(write(lambda day: day - first, "day"))
    in_dates = without_dates(write(lambda day: origin + timedelta(days=day), "date"))
    moved = without_dates(write(lambda day: origin + timedelta(days=day + shift), "date"))
    for found in (in_days, in_dates, moved):
        for each in found["warnings"]:
            each["where"] = re.sub(r":\d+$", "", each["where"])  # a date is wider than a day
    assert in_days == in_dates == moved


def test_from_python():
    """The course is a function too, and an unknown rule is a mistake."""
    found = hlhcli_package.follow(hlhcli_package.load(SAMPLES / "synthetic-course.yaml"), "marsh-2013")
    assert [one.floor.id for one in found.lines[1].readings if one.timing == "in_time"] == ["PR"]
    with pytest.raises(UnknownName):
        hlhcli_package.follow(hlhcli_package.load(SAMPLES / "synthetic-course.yaml"), "marsh")


QUIET = "{temperature: 37 Cel, splenomegaly: no, neutrophils: 3 G/L, platelets: 200 G/L, ferritin: 900 ng/mL, fibrinogen: 3 g/L, d_dimer: 100 ng/mL FEU, cns_involvement: no, sil2r: 1000 U/mL}"


def test_a_single_dose_is_no_response():
    """A line that began and ended on one day is not read at its own baseline, and documents no remission."""
    found = course(timeline((0, QUIET), (14, "{ferritin: 9000 ng/mL}"), therapies="[{drug: anakinra, start: 0, stop: 0}]"))
    assert {one["timepoint"] for one in found["lines"][0]["readings"] if one["role"] == "response"} == {"d14"}
    assert found["remission"] is None


def test_treatments_before_the_value():
    """A count of the day after a transfusion is the patient's own at most, also where a window brings it to a later time point."""
    text = (
        "therapies: [{drug: alemtuzumab, start: 0}]\ntimepoints:\n  - {name: d0, day: 0, observations: {platelets: 20 G/L, ferritin: 9000 ng/mL}}\n"
        "  - {name: d14, day: 14, window: 4 d, observations: {ferritin: 100 ng/mL}}\n"
        "series: {platelets: {points: [[10, 80 G/L]]}, platelet_transfusion: {points: [[9, yes]]}}\n"
    )
    assert reading(course(text), "marsh-2013", "d14")["possible"] == "PR"
    assert reading(course(text), "marsh-2013", "d14")["certain"] == "single_marker"
    assert reading(course(text.replace("[9, yes]", "[6, yes]")), "marsh-2013", "d14")["certain"] == "PR"


def test_a_treatment_that_is_not_stated_is_told():
    """Whether platelets rose by a transfusion is not stated by a word for not stated."""
    text = timeline((0, "{platelets: 20 G/L}"), (14, "{platelets: 80 G/L, platelet_transfusion: not done}"))
    assert "platelets +300 % (whether treatment raised it is not stated: platelets)" in said(text)
    assert "not stated" not in said(text.replace("not done", "no"))


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ("pending", "whether it is under platelet transfusion is not known: the patient's own may be below that"),
        ("unknown", "whether it is under platelet transfusion is not known: the patient's own may be below that"),
        ("yes", "under platelet transfusion: the patient's own is at most that"),
    ],
)
def test_a_treatment_that_is_not_known_leaves_it_open(stated, told):
    """A rise that a transfusion may have made is no improvement yet; it is told, with the reason."""
    text = timeline((0, "{platelets: 20 G/L}"), (14, f"{{platelets: 80 G/L, platelet_transfusion: {stated}}}"))
    assert f"Better or worse than at the baseline is not known, d14 (day 14): platelets (at most +300 %; {told})" in said(text)
    assert reading(course(text), "marsh-2013", "d14")["certain"] is None
    assert reading(course(text), "marsh-2013", "d14")["possible"] == "PR"
    assert (
        reading(course(text.replace(f"transfusion: {stated}", "transfusion: no")), "marsh-2013", "d14")["certain"]
        == "single_marker"
    )


@pytest.mark.parametrize(
    ("drug", "name", "improves"),
    [
        ("platelet transfusion", "platelets", False),
        ("Platelet concentrate, 1 unit", "platelets", False),
        ("FFP", "platelets", True),
        ("fresh frozen plasma", "fibrinogen", False),
        ("G-CSF 5 ug/kg", "neutrophils", False),
        ("pegfilgrastim", "neutrophils", False),
        ("anakinra", "neutrophils", True),
    ],
)
def test_a_treatment_among_the_therapies(drug, name, improves):
    """A transfusion, a factor or G-CSF that is written as a therapy raises what it raises, as one that is written as observed."""
    unit = {"fibrinogen": "g/L"}.get(name, "10*9/L")
    therapies = f"[{{drug: etoposide, line: first, start: 0}}, {{drug: '{drug}', line: support, start: 13, stop: 13}}]"
    text = timeline((0, f"{{{name}: 0.4 {unit}}}"), (14, f"{{{name}: 4 {unit}}}"), therapies=therapies)
    marker = next(one for one in course(text)["lines"][0]["changes"][0]["markers"] if one["observable"] == name)
    assert marker["better"] is (True if improves else None)
    later = course(text.replace("start: 13, stop: 13", "start: 9, stop: 10"))
    assert next(one for one in later["lines"][0]["changes"][0]["markers"] if one["observable"] == name)["better"] is True
    ended = course(text.replace("start: 13, stop: 13", "stop: 10"))
    assert next(one for one in ended["lines"][0]["changes"][0]["markers"] if one["observable"] == name)["better"] is True
    open_ = course(text.replace(", start: 13, stop: 13", ""))
    assert open_["lines"][0]["changes"][0]["markers"][0]["better"] is (True if improves else None)


@pytest.mark.parametrize(
    ("between", "certain"), [("800 ng/mL", True), ("pending", False), ("unknown", False), ("not done", True), (">900 ng/mL", False)]
)
def test_what_is_pending_is_not_passed_over(between, certain):
    """Ferritin rises from the value before; where that is pending it may have been higher."""
    text = timeline((0, "{ferritin: 1000 ng/mL}"), (5, f"{{ferritin: '{between}'}}"), (7, "{ferritin: 1300 ng/mL}"))
    flags = {one["id"]: one["certain"] for each in course(text)["worsening"] if each["day"] == "7" for one in each["flags"]}
    assert flags.get("ferritin_rebound") is certain


@pytest.mark.parametrize(
    ("earlier", "flag"),
    [("1000", "raised"), ("pending", None), ("unknown", None), ("elevated", None), ("normal", "raised"), ("not done", "raised")],
)
def test_a_peak_that_is_not_known(earlier, flag):
    """A fall by less than half from the peak is certain only where no value before may have been higher."""
    one = "1000 ng/mL" if earlier == "1000" else earlier
    text = timeline((0, f"{{ferritin: {one}}}"), (7, "{ferritin: 600 ng/mL}"), (14, "{ferritin: 550 ng/mL}"))
    classes = {each["id"]: each["status"] for each in reading(course(text), "ferritin-decline", "d14")["classes"]}
    assert classes["fall_below_50"] == ("met" if flag else "unknown")
    alone = reading(course(text.replace("{ferritin: 600 ng/mL}", "{}")), "ferritin-decline", "d14")["classes"]
    assert {each["status"] for each in alone if each["id"] in ("fall_96", "fall_below_50")} == (
        {"unknown"} if flag is None else {"not_met"} if earlier in ("normal", "not done") else {"met", "not_met"}
    )


def test_the_baseline_is_the_last_value_before_the_drug():
    """A window brings no peak to the baseline: of the days before, the last value counts, and that of the day itself before it."""
    text = (
        "therapies: [{{drug: alemtuzumab, start: 0}}]\ntimepoints:\n  - {{name: d0, day: 0, window: 3 d{}}}\n"
        "  - {{name: d14, day: 14, observations: {{ferritin: 9500 ng/mL}}}}\n"
        "series: {{ferritin: {{unit: ng/mL, points: [[-4, 90000], [-3, 40000], {}]}}}}\n"
    )

    def moved(own, points):
        (one,) = course(text.format(own, points))["lines"][0]["changes"][0]["markers"]
        return one["before"], one["percent"] and one["percent"]["min"]

    assert moved("", "[0, 10000]") == ("10000 ng/mL", "-5")
    assert moved("", "[-1, 10000]") == ("10000 ng/mL", "-5")
    assert moved("", "[5, 10000]") == ("40000 ng/mL", "-76.25")
    assert moved(", observations: {ferritin: 10000 ng/mL}", "[-1, 12000]") == ("10000 ng/mL", "-5")
    assert moved("", "[-1, not done]") == ("40000 ng/mL", "-76.25")
    assert moved(", observations: {ferritin: not done}", "[-1, 10000]") == ("10000 ng/mL", "-5")
    assert course(text.format("", "[-1, pending]"))["lines"][0]["changes"][0]["markers"] == []


def test_an_early_response_does_not_stop_the_rule_of_two_weeks():
    """What was seen before the day of the rule decides nothing."""
    found = course(timeline((0, ACTIVE), (3, BETTER), (14, ACTIVE)))
    assert reading(found, "dep-2015", "d14")["response"] == "refractory"


@pytest.mark.parametrize(
    ("name", "is_first"),
    [("second line", False), ("salvage", False), ("line 10", False), ("12th line", True), ("HLH-94", True), ("first line", True)],
)
def test_which_line_is_the_first(name, is_first):
    """A line that is named as a later one is not the first, even where it is the only one."""
    found = course(timeline((0, ACTIVE), (14, ACTIVE), therapies=f"[{{drug: etoposide, line: {name}, start: 0}}]"))
    assert bool([one for one in found["lines"][0]["readings"] if one["rule"] == "dep-2015"]) is is_first


def test_a_bound_is_no_word():
    """A ferritin above 1000 is not known to be above 2000, whatever the laboratory's own limit."""
    text = timeline(
        (0, "{ferritin: {value: '>1000 ng/mL', reference: <300}}"),
        (56, "{ferritin: 100 ng/mL}"),
        therapies="[{drug: emapalumab, start: 0}]",
    )
    pr = next(one for one in reading(course(text), "emapalumab-2020", "d56")["classes"] if one["id"] == "PR")
    assert next(item for item in pr["items"] if item["id"] == "ferritin")["status"] == "unknown"


def test_events_that_begin_on_day_0():
    """Day 0 is a day."""
    rows = timeline((-5, "{fever: yes}"), (0, "{fever: yes}"), (3, "{fever: no}"), therapies="[{drug: x, start: -5}]")
    (event,) = course(rows)["lines"][0]["events"]
    assert event["days"] == {"min": "5", "max": "8"}


def test_after_a_transplant():
    """The first time point after a transplant is one, and its days are counted from day 0 too."""
    sick = "{temperature: 40 Cel, splenomegaly: yes, platelets: 20 G/L, hemoglobin: 6 g/dL, ferritin: 9000 ng/mL, hemophagocytosis: marrow, fibrinogen: 0.5 g/L}"
    for start, day in ((-30, 0), (0, 30)):
        (recurrence,) = course(timeline((day, sick), therapies=f"[{{drug: HSCT, start: {start}}}]"))["recurrence"]
        (only,) = recurrence["readings"]
        assert (only["response"], only["elapsed"]["min"], only["by_analogy"]) == ("systemic_reactivation", "30", False)


def test_at_diagnosis_is_not_long_before():
    """Adverse markers at diagnosis are those of the baseline, if that is not long before the line."""
    old = timeline((-300, "{ferritin: 9000 ng/mL}"), (14, "{ferritin: 500 ng/mL}"), therapies="[{drug: etoposide, start: 0}]")
    assert "at diagnosis" not in said(old)
    assert "at diagnosis" in said(old.replace("-300", "-2"))


def test_curves_alone_are_drawn():
    """A patient with curves and nothing else to say still has a Course block."""
    ran = hlhcli(
        "check", "-", stdin="timepoints: [{name: a, day: 0}]\nseries: {ferritin: {unit: ng/mL, points: [[-1, 900], [0, 800]]}}\n"
    )
    assert "Ferritin (ng/mL)" in ran.out
    assert "Course" in ran.out


def test_an_early_response_that_was_lost_is_not_refractory_later():
    """A partial response on day 11 that is lost by day 28 is a lost response; at two weeks the rule is read all the same."""
    lost = course(timeline((0, ACTIVE), (11, BETTER), (28, ACTIVE)))
    assert [one["timepoint"] for one in lost["lines"][0]["readings"] if one["rule"] == "dep-2015"] == ["d11"]
    never = course(timeline((0, ACTIVE), (11, ACTIVE), (28, ACTIVE)))
    assert reading(never, "dep-2015", "d28")["response"] == "refractory"


def test_cns_beside_systemic_criteria():
    """New CNS signs beside one to four criteria are told as such: neither isolated, nor a systemic flare without them."""
    none = "fever: no, splenomegaly: no, platelets: 200 G/L, hemoglobin: 120 g/L, neutrophils: 3 G/L, triglycerides: 1 mmol/L, fibrinogen: 3 g/L, hemophagocytosis: no, nk_activity: normal, sil2r: 500 U/mL"
    before = "{cns_involvement: no}"
    for ferritin, therapy, expected in (
        ("300", "no", "isolated_cns"), ("720", "yes", "cns_with_systemic"), ("720", "no", "cns_with_systemic"),
    ):  # fmt: skip
        after = f"{{cns_involvement: yes, ferritin: {ferritin} ng/mL, hlh_therapy_restarted: {therapy}, {none}}}"
        found = course(timeline((10, before), (60, after), therapies="[{drug: HSCT, start: 0}]"))["recurrence"][0]["readings"]
        assert found[-1]["response"] == expected
    flare = after.replace("cns_involvement: yes", "cns_involvement: no").replace("restarted: no", "restarted: yes")
    found = course(timeline((10, before), (60, flare), therapies="[{drug: HSCT, start: 0}]"))["recurrence"][0]["readings"]
    assert found[-1]["response"] == "partial_flare"


def test_progressive_disease_is_no_degree_of_response():
    """Where partial response is open and progressive disease is met, the answer is open, and not `at least` the latter."""
    text = "patient: {age: 40 y}\n" + timeline((0, ACTIVE), (28, "{cbc_recovered: no, hlh_labs_normal: no}"))
    found = reading(course(text), "yoon-2019", "d28")
    assert (found["response"], found["certain"], found["possible"]) == ("indeterminate", None, "PR")
    assert "at least progressive" not in said(text)


def test_prognostic_markers_say_what_is_not_known():
    """Nothing raised, and nothing known, are two things."""
    text = timeline((0, "{sil2r: 10000 U/mL}"), (7, "{sil2r: 7500 U/mL}"), (14, "{ferritin: 500 ng/mL}"))
    assert "verkamp-2023, d7 (day 7): none raised" in said(text)
    assert "trottestam-2012, d14 (day 14): not known: Platelets below 40" in said(text)
    assert "verkamp-2023, d7 (day 7): not known: Unfavorable" in said(text.replace("sil2r: 7500 U/mL", "fever: no"))


def test_values_that_differ_little_stay_at_one_height():
    """410 and 395 mg/dL are not drawn as a fall from top to bottom, nor are 40.1 and 39.4 °C."""
    out = hlhcli(
        "check",
        "-",
        stdin=timeline(
            (0, "{triglycerides: 410 mg/dL, temperature: 40.1 C}"), (14, "{triglycerides: 395 mg/dL, temperature: 39.4 C}")
        ),
    ).out
    for label in ("TG (mg/dL)", "T (°C)"):
        (line,) = [line for line in out.splitlines() if line.startswith(label)]
        heights = ["▁▂▃▄▅▆▇█".index(sign) for sign in line[24:].split()]
        assert max(heights) - min(heights) <= 2


@pytest.mark.parametrize(
    ("drug", "after"), [("allo-HSCT", True), ("Retransplantation", True), ("SCT", True), ("alloHCT", True), ("HCTZ", False)]
)
def test_what_is_a_transplant(drug, after):
    """The short words end what is written: hydrochlorothiazide is no transplant."""
    found = course(timeline((10, "{fever: no}"), therapies=f"[{{drug: {drug}, start: 0}}]"))
    assert found["recurrence"][0]["applicable"] is after


def test_a_window_is_no_moment_of_the_course():
    """Two time points that look back over the same peak: ferritin fell, and nothing of the peak's day is new on the later one."""
    text = """
    therapies: [{drug: dexamethasone, start: 1}]
    timepoints: [{name: A, day: 0, window: 7 d}, {name: B, day: 1, window: 7 d}, {name: C, day: 7, window: 7 d}]
    series:
      ferritin: {unit: ng/mL, points: [[0, 4210], [1, 40000], [7, 2100]]}
      temperature: {unit: Cel, points: [[0, 39.6], [1, 39.1], [7, 37.2]]}
    """
    result = evaluate_document(parse_document(text, "p"), [criteria.load("hlh-2004")])
    assert [line.value for line in result.assessments[2].items[6].evidence] == ["40000 ng/mL"]  # the criteria look back
    assert not [flag for worse in result.course.worsening for flag in worse.flags if flag.day == 7]
    assert result.course.history.curve("ferritin")[-1][1].value.text == "2100 ng/mL"


AFTER_TRANSPLANT = """therapies: [{drug: transplant, start: 0}@therapy@]
timepoints:
  - {name: before, day: -30, observations: {fever: no}}
  - {name: after, day: 100, observations: {fever: yes, splenomegaly: yes, hb: 7 g/dL, plt: 50 G/L, tg: 1 mmol/L, fibrinogen: 3 g/L, hemophagocytosis: no, nk_activity: normal, ferritin: 6000 ng/mL, sil2r: 400 U/mL, cns_involvement: no@stated@}}
"""


@pytest.mark.parametrize(
    ("therapy", "stated", "flare", "noted"),
    [
        (", {drug: etoposide, line: salvage, start: 100}", "", "met", True),
        (", {drug: etoposide, line: salvage, start: 100}, {drug: dexamethasone, line: salvage, start: 100}", "", "met", True),
        (", {drug: etoposide, line: salvage, start: 100}", ", hlh_therapy_restarted: no", "not_met", False),
        (", {drug: etoposide, line: salvage, start: 90}", "", "unknown", False),
        (", {drug: etoposide, start: 100}", "", "unknown", False),
        (", {drug: etoposide, line: salvage}", "", "unknown", False),
        ("", "", "unknown", False),
    ],
)
def test_a_named_line_that_begins_is_therapy_for_the_recurrence(therapy, stated, flare, noted):
    """On the day on which it begins, and where the file does not say otherwise; a drug of no line may be for anything."""
    found = course(AFTER_TRANSPLANT.replace("@therapy@", therapy).replace("@stated@", stated), "hartz-2016")
    (rule,) = found["recurrence"]
    (one,) = rule["readings"]
    classes = {each["id"]: each for each in one["classes"]}
    assert classes["partial_flare"]["status"] == flare
    assert (re.search("etoposide( \\+ dexamethasone)? begins here", str(one)) is not None) is noted


def test_of_a_transplant_only_its_events_are_read():
    """It is no drug whose response is read."""
    (line, *_) = course(AFTER_TRANSPLANT.replace("@therapy@", "").replace("@stated@", ""))["lines"]
    assert line["readings"] == []
    assert line["events"]


def test_marks_of_the_set_that_is_counted():
    """What the authors state of HLH-2004 counts in a rule that counts its criteria."""
    marks = "fever: met, splenomegaly: met, cytopenias: met, ferritin: met, sil2r: met"
    text = f"therapies: [{{drug: transplant, start: 0}}]\ntimepoints: [{{name: a, day: -30}}, {{name: b, day: 100, reported: {{hlh-2004: {{{marks}}}}}}}]\n"
    (one,) = course(text, "hartz-2016")["recurrence"][0]["readings"]
    assert {each["id"]: each["status"] for each in one["classes"]}["systemic_reactivation"] == "met"


@pytest.mark.parametrize(
    ("days", "rule", "timing"),
    [
        (("0", None, "5"), "dep-2015", "too_early"),
        (("0", None, "20"), "dep-2015", "not_known"),
        (("0", "20", None), "dep-2015", "in_time"),
        (("0", "20", None), "marsh-2013", "too_late"),
        (("0", "5", None), "marsh-2013", "not_known"),
        (("0", None, "10"), "marsh-2013", "too_early"),
        (("0", "12", None, "16"), "marsh-2013", "in_time"),
        (("-5", None, "5"), "marsh-2013", "too_early"),
        ((None, None, "5"), "marsh-2013", "too_early"),
        ((None, None, "20"), "marsh-2013", "not_known"),
        ((None, None, None), "marsh-2013", "not_known"),
    ],
)
def test_a_time_point_without_a_day_lies_between_its_neighbours(days, rule, timing):
    """What comes before and after it in the file says how many days of the line it can be."""
    points = "".join(
        f"  - {{name: t{index}, {'' if day is None else f'day: {day}, '}observations: {{ferritin: {9000 - index} ng/mL, sil2r: {9000 - index} U/mL}}}}\n"
        for index, day in enumerate(days)
    )
    found = course(f"therapies: [{{drug: etoposide, line: first line, start: 0, baseline: t0}}]\ntimepoints:\n{points}", rule)
    assert reading(found, rule, f"t{days.index(None, 1)}")["timing"] == timing


def test_a_line_has_no_days_before_it_began():
    """A time point without a day, between the baseline and day 5, is on day 0 of the line at the earliest."""
    points = "{name: a, day: -5, observations: {ferritin: 9000 ng/mL}}, {name: b, observations: {ferritin: 900 ng/mL}}, {name: c, day: 5}"
    text = f"therapies: [{{drug: etoposide, line: first line, start: 0}}]\ntimepoints: [{points}]\n"
    assert reading(course(text, "marsh-2013"), "marsh-2013", "b")["elapsed"] == {"min": "0", "max": "5"}


def test_days_count_from_where_the_line_began():
    """Not from day 0 of the course."""
    points = "".join(
        f"  - {{name: t{i}, {day}observations: {{ferritin: {9000 - i} ng/mL}}}}\n"
        for i, day in enumerate(("day: 10, ", "", "day: 20, "))
    )
    found = course(f"therapies: [{{drug: etoposide, line: first line, start: 10}}]\ntimepoints:\n{points}", "marsh-2013")
    assert reading(found, "marsh-2013", "t1")["timing"] == "too_early"


def test_a_marker_is_measured_at_both_times():
    """What is known at one of them alone is none, and does not hide the others."""
    found = course(
        "therapies: [{drug: etoposide, line: first line, start: 0}]\ntimepoints:\n"
        "  - {name: a, day: 0, observations: {crp: pending, ferritin: 9000 ng/mL}}\n"
        "  - {name: b, day: 10, observations: {crp: 5 mg/L, ferritin: 500 ng/mL}}\n",
        "marsh-2013",
    )
    (changes,) = found["lines"][0]["changes"]
    assert [marker["observable"] for marker in changes["markers"]] == ["ferritin"]


@pytest.mark.parametrize(
    ("before", "now", "indicated"),
    [
        ("ferritin: elevated, sil2r: elevated", "ferritin: normal, sil2r: normal", True),
        ("ferritin: 9000 ng/mL, sil2r: elevated", "ferritin: 300 ng/mL, sil2r: normal", True),
        ("ferritin: elevated, sil2r: elevated", "ferritin: normal, sil2r: elevated", False),
        ("ferritin: elevated", "ferritin: normal", False),
        ("ferritin: elevated, sil2r: elevated, plt: 100 G/L", "ferritin: normal, sil2r: normal, plt: 20 G/L", False),
    ],
)
def test_what_words_indicate(before, now, indicated):
    """Two markers that moved the right way, one of them in words, and none the wrong way: a partial response that cannot be computed."""
    text = f"therapies: [{{drug: etoposide, line: first line, start: 0}}]\ntimepoints: [{{name: a, day: 0, observations: {{{before}}}}}, {{name: b, day: 14, observations: {{{now}}}}}]\n"
    found = reading(course(text, "marsh-2013"), "marsh-2013", "b")
    assert (found["response"], found["indicated"]) == ("indeterminate", indicated)


@pytest.mark.parametrize(
    ("rule", "values", "response"),
    [
        ("marsh-2013", ("ferritin: 9000 ng/mL, sil2r: 9000 U/mL, triglycerides: elevated", "ferritin: 900 ng/mL, sil2r: 900 U/mL, triglycerides: normal"), "PR"),
        ("emapalumab-2020", ("ferritin: elevated, sil2r: elevated", "ferritin: normal, sil2r: normal"), "not_evaluable"),
        ("hlh-2004-states", ("fever: yes", "fever: no"), "indeterminate"),
    ],
)  # fmt: skip
def test_what_is_certain_or_cannot_be_counted_is_not_indicated(rule, values, response):
    """A class that is reached needs no hint, and where all of a list is asked for, some of it hints at nothing."""
    points = ", ".join(
        f"{{name: {name}, day: {day}, observations: {{{seen}}}}}" for name, day, seen in zip("ab", (0, 14), values, strict=True)
    )
    text = f"therapies: [{{drug: etoposide, line: first line, start: 0}}]\ntimepoints: [{points}]\n"
    found = reading(course(text, rule), rule, "b")
    assert (found["response"], found["indicated"]) == (response, False)


@pytest.mark.parametrize(
    ("day", "state", "remission"),
    [(28, "symptoms_resolved: yes, cbc_recovered: yes, hlh_labs_normal: yes", "b"), (40, "symptoms_resolved: yes, cbc_recovered: yes, hlh_labs_normal: yes", None),
     (28, "symptoms_resolved: no, cbc_recovered: yes, hlh_labs_normal: yes", None), (40, "disease_state: remission", "b")],
)  # fmt: skip
def test_a_remission_is_stated_or_a_complete_response_in_its_time(day, state, remission):
    """Recurrence is read after it."""
    text = f"patient: {{age: 40 y}}\ntherapies: [{{drug: etoposide, line: first line, start: 0}}]\ntimepoints: [{{name: a, day: 0, observations: {{fever: yes}}}}, {{name: b, day: {day}, observations: {{{state}}}}}, {{name: c, day: 90, observations: {{fever: yes}}}}]\n"
    found = course(text)
    assert (found["remission"] and found["remission"]["timepoint"]) == remission
    (rule,) = found["recurrence"]
    assert [one["timepoint"] for one in rule["readings"]] == (["c"] if remission else [])


def test_the_day_of_the_transplant_is_not_after_it():
    """Recurrence is read from the next day on."""
    text = AFTER_TRANSPLANT.replace("@therapy@", "").replace("@stated@", "").replace("day: -30", "day: 0")
    (rule,) = course(text, "hartz-2016")["recurrence"]
    assert [one["timepoint"] for one in rule["readings"]] == ["after"]


def test_recurrence_from_the_day_after_the_transplant():
    """Day 1 is after it."""
    text = "therapies: [{drug: transplant, start: 0}]\ntimepoints: [{name: a, day: 0}, {name: b, day: 1}, {name: c}]\n"
    (rule,) = course(text, "hartz-2016")["recurrence"]
    assert [(one["timepoint"], one["by_analogy"], one["indicated"]) for one in rule["readings"]] == [("b", False, False)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("timepoints: [{name: a, day: 0}]", "no documented remission"),
        ("timepoints: [{name: a, day: 0, observations: {disease_state: remission}}]", "nothing was observed after the remission"),
        ("therapies: [{drug: transplant, start: 0}]\ntimepoints: [{name: a, day: 0}]", "nothing was observed after the transplant"),
        ("therapies: [{drug: transplant, start: 5}]\ntimepoints: [{name: a, day: 0, observations: {disease_state: remission}}]", "nothing was observed after the transplant"),
    ],
)  # fmt: skip
def test_why_recurrence_does_not_apply(text, reason):
    """What is missing is named."""
    (rule,) = course(f"therapies: [{{drug: etoposide, start: 0}}]\n{text}\n" if "therapies" not in text else text, "hartz-2016")[
        "recurrence"
    ]
    assert (rule["applicable"], rule["reason"]) == (False, reason)


def test_a_remission_before_a_transplant():
    """What is seen between the two is read by analogy, and what comes after the transplant as published."""
    text = (
        "therapies: [{drug: transplant, start: 10}]\ntimepoints: [{name: a, day: 0, observations: {disease_state: remission}}, "
        "{name: b, day: 5}, {name: c, day: 20}]\n"
    )
    (rule,) = course(text, "hartz-2016")["recurrence"]
    assert [(one["timepoint"], one["day"], one["by_analogy"]) for one in rule["readings"]] == [
        ("b", "5", True),
        ("c", "20", False),
    ]


def test_organ_dysfunction_where_an_organ_was_looked_at():
    """The score of organs is told at those time points, and at no other."""
    text = "patient: {age: 4 y}\ntherapies: [{drug: etoposide}]\ntimepoints: [{name: a, observations: {gcs: 9}}, {name: b, observations: {ferritin: 900 ng/mL}}]\n"
    assert [each["timepoint"] for each in course(text)["organ_dysfunction"]] == ["a"]


def test_several_states_of_a_worsening():
    """Both are stated, and both are told."""
    found = course("timepoints: [{name: a, day: 0}, {name: b, day: 3, observations: {disease_state: [refractory, progression]}}]\n")
    assert [(each["timepoint"], each["stated"]) for each in found["worsening"]] == [("b", "progression, refractory")]


def test_a_state_of_a_single_time_point_is_shown():
    """In the terminal and in Markdown as in JSON."""
    text = "timepoints: [{name: a, observations: {disease_state: refractory}}]\n"
    assert course(text)["stated"]
    for form in ("table", "markdown"):
        assert "a: stated as refractory" in hlhcli("check", "-f", form, "-", stdin=text).out

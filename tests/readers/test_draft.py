"""From a chart to a patient file: nothing is lost, nothing that is not known becomes normal, and everything says where it came from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hlhcli import observables
from hlhcli.api import evaluate_document, parse_document
from hlhcli.criteria import load
from hlhcli.observations import Finding, Missing, Qualitative, Quantity
from hlhcli.readers import codes, yaml_writer
from hlhcli.readers.account import Account
from hlhcli.readers.chart import Chart, Fact, Found, Given, Person, Place, Remark, Stated
from hlhcli.readers.draft import NoTimepoint, draft
from hlhcli.readers.placing import BadPlan, Plan, plan
from hlhcli.readers.yaml_json import read_tree


def drafted(*facts, how=None, **more):
    """The patient that these facts make, and the books."""
    chart = Chart(Person("p"), **more)
    for fact in facts:
        chart.facts.add(fact)
    account = Account("x", "test")
    account.read = len(facts) + sum(len(more.get(part, ())) for part in ("always", "given", "variants", "remarks", "stated"))
    document = read_tree(draft(chart, how or Plan(), account), "x")
    assert account.used + account.unused == account.read
    again = parse_document(yaml_writer.write(document.tree, ["head"]), "again")
    assert again.tree == document.tree
    return document.patient, account


def one(*facts, name="ferritin", **more):
    """The value of one observable at the only time point."""
    patient, _ = drafted(*facts, **more)
    (timepoint,) = patient.timepoints
    return timepoint.observations[name]


def fact(value, unit="ng/mL", name="ferritin", date="2016-05-02", **more):
    return Fact(name, value, unit, date=date, **more)


def test_one_time_point_for_each_day():
    """Values of one day stand together, the days in their order."""
    patient, _ = drafted(fact("900", date="2016-05-03"), fact("38", "10*3/uL", "platelets"), fact("500"))
    assert [(t.name, str(t.date), sorted(t.observations)) for t in patient.timepoints] == [
        ("2016-05-02", "2016-05-02", ["ferritin", "platelets"]),
        ("2016-05-03", "2016-05-03", ["ferritin"]),
    ]


@pytest.mark.parametrize(
    ("values", "text", "ends"),
    [
        (["410", "560", "700"], "700 ng/mL", (700, 700)),
        (["410", ">560"], ">560 ng/mL", (560, None)),
        (["410", "pending"], "410 ng/mL", (410, None)),
        (["410", "unknown"], "410 ng/mL", (410, None)),
        (["410", "x-ray"], "410 ng/mL", (410, None)),  # what cannot be read may be worse
        (["410", "not done"], "410 ng/mL", (410, 410)),  # what was not done is not
        (["410", "unreadable"], "410 ng/mL", (410, 410)),  # nor is a specimen that had to be taken again
        (["410", "elevated"], "410 ng/mL", (410, None)),
        (["410", "normal"], "410 ng/mL", (410, 410)),
    ],
)
def test_of_several_values_of_a_day_the_worst_counts(values, text, ends):
    """What is not known among them keeps the value open on the side of the disease."""
    found = one(*(fact(value) for value in values)).value
    assert (found.text, found.interval.lo, found.interval.hi) == (text, *ends)


def test_several_findings_of_a_day():
    """A finding that was made once that day was made; of several sites all count."""
    assert one(*(fact(value, "", "splenomegaly") for value in ("no", "yes")), name="splenomegaly").value.text == "yes"
    assert one(*(fact(value, "", "splenomegaly") for value in ("no", "unknown")), name="splenomegaly").value == Missing("unknown")
    sites = one(*(fact(value, "", "hemophagocytosis") for value in ("liver", "no", "marrow")), name="hemophagocytosis").value
    assert sites.values == {"liver", "marrow"}


@pytest.mark.parametrize(
    ("value", "unit", "name", "reason", "what"),
    [
        ("900", "", "ferritin", "no unit", "ferritin"),
        ("900", "furlong", "ferritin", "unit not known here", "ferritin in furlong"),
        ("900", "mg/L", "ferritin", "unit not known here", "ferritin in mg/L"),
        ("9,2", "g/dL", "hemoglobin", "value that cannot be read", "hemoglobin"),
        ("-4", "g/dL", "hemoglobin", "value that cannot be read", "hemoglobin"),
        ("perhaps", "", "splenomegaly", "word not known here", "splenomegaly"),
        ("9" * 300, "ng/mL", "ferritin", "value that cannot be read", "ferritin"),
    ],
)
def test_what_cannot_be_read_is_unknown_and_told(value, unit, name, reason, what):
    """A value without a unit, with a strange one, or that is none is kept as not known, and entered as not used."""
    patient, account = drafted(Fact(name, value, unit, date="2016-05-02", place=Place(7)))
    assert patient.timepoints[0].observations[name].value == Missing("unknown")
    assert [(kind.reason, kind.what, kind.number, kind.first.line) for kind in account.left] == [(reason, what, 1, 7)]


def test_zero_is_a_value():
    """No leukocytes are no missing leukocytes."""
    assert one(fact("0.0", "10*3/uL", "leukocytes"), name="leukocytes").value.interval.hi == 0


def test_a_reference_that_cannot_be_read_costs_only_itself():
    """The value counts, and it is said that the laboratory's limits do not."""
    kept = one(fact("4100", "pg/mL", "sil2r", reference="<1000"), name="sil2r")
    assert kept.value.reference.hi == 1000
    lost = one(fact("4100", "pg/mL", "sil2r", reference="see report"), name="sil2r")
    assert (lost.value.text, lost.value.reference) == ("4100 pg/mL", None)
    assert "limits cannot be read" in lost.note


def test_a_later_version_takes_the_place_of_an_earlier_one():
    """Corrected values replace; what was entered in error goes, with all that it was before."""
    named = {"named": True, "place": Place(1, 1, "Observation/a")}
    assert one(fact("900", **named), fact("90", **named)).value.text == "90 ng/mL"
    assert one(fact("900", version="2016-06-01", **named), fact("90", version="2016-05-01", **named)).value.text == "900 ng/mL"
    old = Place(1, 1, "Observation/a", serial=7)
    patient, account = drafted(fact("900", place=old), fact("38", "10*3/uL", "platelets"), outdated={7})
    assert sorted(patient.timepoints[0].observations) == ["platelets"]
    assert [kind.reason for kind in account.left] == ["another version takes its place"]


def test_a_specimen_that_turns_out_to_be_of_no_blood():
    """What was measured in a pleural effusion is no value of the blood, but the cells of the CSF are of no blood at all."""
    _, account = drafted(fact("900", specimen="s"), fact("5", "/uL", "csf_cells", specimen="s"), foreign={"s"})
    assert [(kind.reason, kind.what) for kind in account.left] == [("not a specimen of blood", "ferritin")]


def test_a_period_holds_on_every_assessed_day_of_it():
    """Ventilated from the second to the fourth: also on the third, if it is assessed."""
    ventilated = Fact("mechanical_ventilation", "yes", date="2016-05-02", until="2016-05-04")
    patient, _ = drafted(ventilated, *(fact("900", date=f"2016-05-0{day}") for day in (1, 3, 4, 5)))
    on = [str(t.date) for t in patient.timepoints if "mechanical_ventilation" in t.observations]
    assert on == ["2016-05-02", "2016-05-03", "2016-05-04"]


def test_what_goes_on_is_background():
    """A malignancy is of every time point, or of those from its day on; one that began later is told."""
    begun = {date: Fact("malignancy", "yes", date=date) for date in ("", "2016-05-01", "2016-05-03", "2016-05-09")}
    days = [fact("900", date=f"2016-05-0{day}") for day in (2, 4)]
    assert drafted(*days, always=[begun[""]])[0].background["malignancy"].value.text == "yes"
    assert drafted(*days, always=[begun["2016-05-01"]])[0].background["malignancy"].value.text == "yes"
    later, _ = drafted(*days, always=[begun["2016-05-03"]])
    assert [("malignancy" in t.observations) for t in later.timepoints] == [False, True]
    never, account = drafted(*days, always=[begun["2016-05-09"]])
    assert not never.background
    assert account.left[0].reason == "after the last time point"


def test_administrations_become_courses():
    """Doses that follow one another within two weeks are one course; a long pause begins another."""
    dates = ["2016-05-02", "2016-05-05", "2016-05-19", "2016-07-01"]
    patient, _ = drafted(fact("900"), given=[Given("etoposide", "100 mg", day, day, single=True) for day in dates])
    assert [(str(t.start.date), str(t.stop.date), t.note) for t in patient.therapies] == [
        ("2016-05-02", "2016-05-19", "3 administrations"),
        ("2016-07-01", "2016-07-01", None),
    ]


def test_remarks_reports_and_genetics():
    """A diagnosis is a note that decides nothing; what is reported and the variants stand where they belong."""
    patient, _ = drafted(
        fact("900"),
        remarks=[Remark("diagnosis on record: Hemophagocytic lymphohistiocytosis", "2016-05-09")],
        stated=[Stated("hlh-2004", "verdict", "met", "2016-05-02"), Stated("hlh-2004", "count", "5", "2016-05-02")],
        variants=[Found("PRF1", "c.1122G>A", "homozygous", "pathogenic")],
    )
    (timepoint,) = patient.timepoints
    assert timepoint.note == "2016-05-09: diagnosis on record: Hemophagocytic lymphohistiocytosis"
    assert timepoint.reported["hlh-2004"].count == 5
    assert patient.genetics.variants[0].gene == "PRF1"


def test_time_points_that_were_asked_for():
    """At stated dates or at an anchor, looking back; all values stay in the curves."""
    facts = [
        fact("900"),
        fact("2000", date="2016-05-05"),
        fact("300", date="2016-05-20"),
        fact("38", "10*3/uL", "platelets", "2016-05-04"),
    ]
    for how, names, window in (
        (plan(["2016-05-05=Peak", "2016-05-20=After"]), ["Peak", "After"], 0),
        (plan(anchor="first-ferritin", window="7d"), ["First ferritin"], 7),
        (plan(anchor="last-plt"), ["Last platelets"], 0),
        (plan(window="1 wk"), ["2016-05-02", "2016-05-04", "2016-05-05", "2016-05-20"], 7),
    ):
        patient, _ = drafted(*facts, how=how)
        assert [t.name for t in patient.timepoints] == names
        assert {t.window for t in patient.timepoints} == {window}
        assert len(patient.series["ferritin"].points) == 3
    document = read_tree(draft(_chart(*facts), plan(["2016-05-05=Peak"], window="3d"), Account("x", "test")), "x")
    (assessment,) = evaluate_document(document, [load("hlh-2004")]).assessments
    assert [(line.observable, line.value) for item in assessment.items for line in item.evidence if line.value] == [
        ("platelets", "38 10*3/uL"),
        ("ferritin", "2000 ng/mL"),
    ]


def _chart(*facts):
    chart = Chart(Person("p"))
    for each in facts:
        chart.facts.add(each)
    return chart


def test_named_time_points_without_a_date():
    """What the input calls its time points stays their name; values of one name are of one time point."""
    events = [
        fact("900", date="", timepoint="Event 1"),
        fact("300", date="", timepoint="Event 2"),
        fact("38", "10*3/uL", "platelets", "", timepoint="Event 1"),
    ]
    assert [(t.name, len(t.observations)) for t in drafted(*events)[0].timepoints] == [("Event 1", 2), ("Event 2", 1)]
    dated = [
        fact("900", timepoint="Event 1"),
        fact("38", "10*3/uL", "platelets", "", timepoint="Event 1"),
        fact("1", date="2016-05-09", timepoint="Visit"),
        fact("2", date="2016-05-10", timepoint="Visit"),
    ]
    assert [(t.name, len(t.observations)) for t in drafted(*dated)[0].timepoints] == [
        ("Event 1", 2),
        ("Visit, 2016-05-09", 1),
        ("Visit, 2016-05-10", 1),
    ]
    assert [t.name for t in drafted(fact("900", date=""), fact("38", date="", timepoint="time not stated"))[0].timepoints] == [
        "time not stated"
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"at": ["2016-05-02"]}, "DATE=NAME"),
        ({"at": ["2.5.2016=A"]}, "DATE=NAME"),
        ({"at": ["2016-05-02=A", "2016-05-03=A"]}, "one name"),
        ({"at": ["2016-13-02=A"]}, "calendar"),
        ({"anchor": "ferritin"}, "first-ferritin"),
        ({"anchor": "first-feritin"}, "did you mean 'ferritin'"),
        ({"at": ["2016-05-02=A"], "anchor": "first-ferritin"}, "not both"),
        ({"window": "soon"}, "length of time"),
    ],
)
def test_time_points_that_cannot_be_meant(options, said):
    """A slip in the options says what to write instead."""
    with pytest.raises(BadPlan, match=said):
        plan(**options)


def test_a_chart_without_a_time_point():
    """Nothing that was read, an anchor that is not there, too many days: refused, and all of it entered as not used."""
    for facts, how, said, lost in (
        ([], Plan(), "nothing was observed", False),
        ([fact("38", "10*3/uL", "platelets")], plan(anchor="first-ferritin"), "no ferritin with a date", True),
        ([fact("900")], plan(["5=A"]), "the values have dates", True),
        ([fact("9", date=f"{1000 + year}-05-02") for year in range(1001)], Plan(), "1001 days", True),
    ):
        account = Account("x", "test")
        chart = _chart(*facts)
        chart.given.append(Given("etoposide"))
        with pytest.raises(NoTimepoint, match=said) as caught:
            draft(chart, how, account)
        assert caught.value.lost is lost
        assert (account.used, account.unused) == (0, len(facts) + 1)


WORDS = st.sampled_from(
    [
        "",
        "900",
        "0",
        ">20000",
        "<5",
        "13-21",
        "9,2",
        "1 200",
        "yes",
        "no",
        "marrow",
        "low",
        "absent",
        "normal",
        "elevated",
        "pending",
        "not done",
        "unknown",
        "90 103",
        "1e3",
        "x",
        "\u202e",
        "{",
        "a: b",
        "\ud800",
    ]
)
FACTS = st.builds(
    Fact,
    st.sampled_from(observables.names()),
    WORDS,
    st.sampled_from(["", "ng/mL", "g/dL", "10*3/uL", "103/uL", "Cel", "%", "pg/mL", "U/mL", "x"]),
    st.sampled_from(["", "<1000", "200-900", "x"]),
    note=st.sampled_from(["", "a note: [", "two\nlines"]),
    date=st.sampled_from(["", "2016-05-02", "2016-05-03", "2016-05-04"]),
    timepoint=st.sampled_from(["", "Event 1", "no"]),
    day=st.just(""),
    assay=st.sampled_from(["", "ELISA"]),
    version=st.sampled_from(["", "2016-05-02", "2016-05-03"]),
    specimen=st.sampled_from(["", "s"]),
    until=st.sampled_from(["", "2016-05-04"]),
    time=st.sampled_from(["", "2016-05-02T08:00:00Z"]),
    place=st.builds(
        Place, st.integers(1, 9), st.just(1), file=st.just(""), label=st.sampled_from(["", "Observation/a", "Observation/b"])
    ),
    named=st.booleans(),
    unread=st.sampled_from(["", "a reason"]),
)


@given(
    st.lists(FACTS, max_size=8), st.sampled_from([Plan(), plan(window="2d"), plan(["2016-05-03=A"]), plan(anchor="last-ferritin")])
)
def test_whatever_the_facts_the_books_balance_and_the_file_reads_back(facts, how):
    """Every fact is used or told, every draft is a patient file, and what is written is what was assessed."""
    account = Account("x", "test")
    try:
        tree = draft(_chart(*facts), how, account)
    except NoTimepoint:
        assert account.used == 0
        assert account.unused == len(facts)
        return
    assert account.used + account.unused == len(facts)
    document = read_tree(tree, "x")
    text = yaml_writer.write(document.tree, [])
    again = parse_document(text, "again")
    first, second = (evaluate_document(each, [load("hlh-2004")]).assessments for each in (document, again))
    assert [(a.timepoint, a.verdict, [i.status for i in a.items]) for a in first] == [
        (a.timepoint, a.verdict, [i.status for i in a.items]) for a in second
    ]


def test_every_code_stands_for_something():
    """The table of codes names observables, values and drugs that exist, and no LOINC code stands for two observables."""
    loinc = [each.partition(":")[0] for name in observables.names() for each in observables.codes(name, "loinc")]
    assert len(loinc) == len(set(loinc))
    for code in loinc:
        assert codes.loinc(code)
    for (system, code), found in codes._findings().items():
        for name, value in found:
            read = one(Fact(name, value, date="2016-05-02"), name=name).value
            assert isinstance(read, Qualitative if observables.get(name).family else Finding), (system, code)
    assert codes.drug("Etoposide 20 MG/ML Injectable Solution") == "etoposide"
    assert codes.drug("VP-16") == "etoposide"
    assert codes.drug("Etoposide and dexamethasone") is None
    assert codes.drug("Omeprazole") is None


def test_the_kind_that_a_code_states_is_compared_with_the_unit():
    """Moles under a code of mass are flagged; mass in another power of ten is not. FEU stands in a code's name."""
    assert codes.contradicts("mmol/L", "triglycerides", "mg/dL")
    assert codes.contradicts("mg/dL", "triglycerides", "g/L") is None
    assert codes.contradicts("g/dL", "hemoglobin", "g/L") is None
    assert codes.contradicts("", "ferritin", "pmol/L") is None
    assert codes.qualified("FEU", "d_dimer", "ng/mL") == "ng/mL FEU"
    assert codes.qualified("FEU", "d_dimer", "furlong") == "furlong"
    assert codes.qualified("mg/dL", "triglycerides", "mmol/L") == "mmol/L"


def test_specimens():
    """Blood, serum and plasma are blood; a word for another fluid outweighs them."""
    assert [
        codes.specimen(text)
        for text in (
            "Serum",
            "venous blood",
            "Pleural fluid",
            "blood-stained ascites",
            "Cerebrospinal fluid sample",
            "",
            "sample 7",
        )
    ] == [True, True, False, False, False, None, None]


def test_a_quantity_is_exact():
    """No float on the way: the edge is the edge."""
    value = one(fact("500.00000000000000001", "ug/L")).value
    assert isinstance(value, Quantity)
    assert value.interval.lo > 500


def test_a_denial_of_the_morning_does_not_outvote_the_evening():
    """No fever at six and 39.6 in the evening: the temperature decides, at a time point and in a window; stated at one time, the finding does."""
    denied = Fact("fever", "no", date="2016-05-02", time="2016-05-02T06:00")
    evening = Fact("temperature", "39.6", "Cel", date="2016-05-02", time="2016-05-02T18:40")
    for how, facts, status in (
        (Plan(), (denied, evening), "met"),
        (plan(["2016-05-03=A"], window="2d"), (denied, evening), "met"),
        (Plan(), (denied, evening._replace(time=denied.time)), "not_met"),
        (Plan(), (denied, evening._replace(date="2016-05-03")), "not_met"),
    ):
        document = read_tree(draft(_chart(*facts), how, Account("x", "test")), "x")
        first = evaluate_document(document, [load("hlh-2004")]).assessments[0]
        assert next(item.status.value for item in first.items if item.id == "fever") == status

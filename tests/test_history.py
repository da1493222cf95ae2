"""What a rule asks of the past: carried on from observation to observation, it is what all of them together say."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from hlhcli.api import parse_document
from hlhcli.history import History
from hlhcli.observations import Missing, Qualitative, Quantity
from hlhcli.quantity import Interval
from hlhcli.snapshot import snapshots
from hlhcli.worst import Dated, extreme

UNITS = ("U/mL", "pg/mL")
PENDING = Missing("pending")
VALUE = st.one_of(
    st.builds("{{value: \"{}{} {}\"{}}}".format, st.sampled_from(["", "> ", "< "]), st.integers(300, 330), st.sampled_from(UNITS),
              st.sampled_from(["", ", assay: A", ", assay: B"])),
    st.sampled_from(["elevated", "normal", "pending", "pending"]),
)  # fmt: skip
DAY = st.none() | st.integers(-4, 6)
CURVE = st.lists(st.tuples(st.integers(-8, 12), st.integers(300, 330)), max_size=8, unique_by=lambda point: point[0])


def history(points, curve, unit):
    text = "timepoints:\n" + "".join(
        f"  - {{name: t{number}, {'' if day is None else f'day: {day}, '}observations: {{sil2r: {value}}}}}\n"
        for number, (day, value) in enumerate(points)
    )
    if curve:
        text += f"series:\n  sil2r: {{unit: {unit}, points: [{', '.join(f'[{day / 2}, {value}]' for day, value in curve)}]}}\n"
    patient = parse_document(text, "p").patient
    return History(patient, snapshots(patient)[0])


def before(found, place):
    """The observations that were certainly made before, one after another."""
    instants = found.instants
    days = [each.day for each in instants[:place] if each.snapshot and each.day is not None]
    for at, one in found.curve("sil2r"):
        certain = instants[at].snapshot or (instants[at].day is not None and any(instants[at].day <= day for day in days))
        if at < place and (certain or instants[place].day is not None):
            yield at, one


def of_all(observations, now, lowest):
    """The lowest or highest of all that can be compared with that of now, at once."""
    if now is None or not isinstance(now.value, Quantity):
        order = [one for one in observations if isinstance(one.value, Qualitative) and one.value.level]
        return (min if lowest else max)(order, key=lambda one: ("low", "normal", "elevated").index(one.value.level), default=None)
    alike = [
        Dated(Fraction(0), one)
        for one in observations
        if isinstance(one.value, Quantity)
        and one.value.unit.convertible(now.value.unit)
        and (one.assay == now.assay or None in (one.assay, now.assay))
    ]
    found = extreme(alike, lowest) if alike else None
    return found.observation if found else None


def anywhere(one):
    """Of equal values it does not matter which one it is."""
    return one._replace(position=None) if one else None


def opened(one, observations, lowest):
    """What is known of it with those that are not known."""
    excluded = ("elevated",) if lowest else ("low", "normal")
    words = (isinstance(each.value, Qualitative) and each.value.level not in excluded for each in observations)
    if one is None or not isinstance(one.value, Quantity) or not (any(words) or PENDING in [each.value for each in observations]):
        return one
    lo, hi, lo_open, hi_open = one.value.interval
    interval = Interval(None, hi, hi_open=hi_open) if lowest else Interval(lo, None, lo_open)
    return one._replace(value=one.value._replace(interval=interval))


@settings(max_examples=400)
@given(st.lists(st.tuples(DAY, VALUE), min_size=1, max_size=7), CURVE, st.sampled_from(UNITS), st.randoms(use_true_random=False))
def test_the_past_is_what_all_of_it_says(points, curve, unit, random):
    """Nadir, peak and the value before, in whatever order the moments are asked for."""
    found = history(points, curve, unit)
    asked = [(place, since) for place in range(len(found.instants)) for since in {0, place // 2}]
    random.shuffle(asked)
    for place, since in asked:
        known = found.past(place, since, [(when, "sil2r") for when in ("nadir", "peak", "previous")])
        now, earlier = known.get("sil2r"), list(before(found, place))
        since_then = [one for at, one in earlier if at >= since]
        assert anywhere(known.get("nadir.sil2r")) == anywhere(opened(of_all(since_then, now, lowest=True), since_then, lowest=True))
        before_now = [one for _, one in earlier]
        highest = of_all(before_now, now, lowest=False)
        highest = of_all([one for one in (highest, now) if one is not None], now, lowest=False)
        assert anywhere(known.get("peak.sil2r")) == anywhere(opened(highest, before_now, lowest=False))
        last = [one for _, one in earlier if not isinstance(one.value, Missing) or one.value == PENDING]
        assert known.get("previous.sil2r") == (last[-1] if last else None)

"""Numbers and intervals, exact from the text on."""

import contextlib
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import rows

from hlhcli.quantity import BadQuantity, Interval, decimal_text, exact_text, fold, point, range_text, readings
from hlhcli.status import Status


@pytest.mark.parametrize("row", rows("intervals"), ids=lambda row: row["written"])
def test_interval(row):
    """A comparison is met if every number of the interval satisfies it, not met if none does, else unknown."""
    interval = readings(row["written"])[0].interval
    assert str(interval.lo) == row["lowest"]
    assert (str(interval.hi) if interval.hi is not None else "") == row["highest"]
    for operator in (">=", ">", "<=", "<"):
        assert str(interval.compare(operator, Fraction(500))) == row[f"`{operator} 500`"], operator


@pytest.mark.parametrize("mode", ["point", "comma"])
@pytest.mark.parametrize("row", rows("numbers"), ids=lambda row: row["written"])
def test_number(row, mode):
    """Grouping and decimal marks mean what the file says they mean; whatever else is refused with what to write."""
    expected = row[f"decimal {mode}"]
    if expected.startswith("error:"):
        with pytest.raises(BadQuantity, match=f".*{expected.removeprefix('error:').strip()}"):
            only(readings(row["written"], mode))
    else:
        assert only(readings(row["written"], mode)) == point(Fraction(expected))


def only(found):
    """The interval, if the whole text is one number."""
    if found[0].unit:
        raise BadQuantity(f"left over: {found[0].unit}")
    return found[0].interval


decimals = st.decimals(min_value=0, max_value=10**7, allow_nan=False, allow_infinity=False, places=4)


@given(decimals)
def test_decimals_are_exact(number: Decimal):
    """A decimal of the file is the same rational number in the comparison, and comes out as the same decimal."""
    lo = readings(format(number, "f"))[0].interval.lo
    assert lo == Fraction(number)
    assert Fraction(exact_text(lo)) == Fraction(number)


bounds = st.fractions(min_value=0, max_value=1000, max_denominator=50)


@st.composite
def intervals(draw):
    lo, hi = sorted([draw(bounds), draw(bounds)])
    if lo == hi:
        return point(lo)
    return Interval(draw(st.sampled_from([lo, None])), draw(st.sampled_from([hi, None])), draw(st.booleans()), draw(st.booleans()))


@given(intervals(), bounds, st.sampled_from([">=", ">", "<=", "<"]), st.fractions(min_value=0, max_value=1))
def test_compare_agrees_with_every_number_inside(interval, edge, operator, share):
    """Whatever number of the interval is picked, a known result holds for it."""
    lo = interval.lo if interval.lo is not None else Fraction(-10)
    hi = interval.hi if interval.hi is not None else Fraction(2000)
    number = lo + share * (hi - lo)
    if (number == lo and interval.lo_open) or (number == hi and interval.hi_open):
        return
    holds = {">=": number >= edge, ">": number > edge, "<=": number <= edge, "<": number < edge}[operator]
    status = interval.compare(operator, edge)
    assert status is Status.UNKNOWN or (status is Status.MET) == holds


@given(intervals(), bounds, st.fractions(min_value="1/1000", max_value=1000), st.fractions(min_value=-50, max_value=50))
def test_a_change_of_unit_changes_no_comparison(interval, edge, factor, offset):
    """Scaling interval and edge alike leaves every comparison as it was."""
    for operator in (">=", ">", "<=", "<"):
        scaled = interval.scaled(factor, offset).compare(operator, edge * factor + offset)
        assert scaled is interval.compare(operator, edge)


def test_the_two_readings_of_an_ambiguous_space():
    """A space may group digits or part the number from its unit; both readings are found."""
    assert [(m.text, m.unit) for m in readings("90 103/uL")] == [("90103", "/uL"), ("90", "103/uL")]


@pytest.mark.parametrize(
    ("number", "places", "text"),
    [
        ("2.992", 1, "3"),
        ("0.05", 1, "0"),
        ("4.1", 1, "4.1"),
        ("1000", 4, "1000"),
        ("-0.5", 1, "-0.5"),
        ("-0.01", 1, "0"),
        ("0", 1, "0"),
    ],
)
def test_rounded_for_people(number, places, text):
    """Rounding is for display only."""
    assert decimal_text(Fraction(number), places) == text


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text):
    """No text makes the reader fail in any other way than by saying what is wrong."""
    with contextlib.suppress(BadQuantity):
        for measure in readings(text):
            assert measure.interval.lo is None or measure.interval.lo >= 0


@pytest.mark.parametrize(
    ("within", "beyond"),
    [
        ("1" * 30, "1" * 31),
        ("1e15", "1e16"),
        ("1e-15", "1e-16"),
        ("5 " + "x" * 198, "5 " + "x" * 199),
    ],
)
def test_limits_of_what_is_a_measurement(within, beyond):
    """Thirty digits, an exponent of fifteen, two hundred characters; one more is refused."""
    assert readings(within)
    with pytest.raises(BadQuantity):
        readings(beyond)


def test_raised_and_lowered_digits_stay_apart():
    """10⁹ is a power, never 109, and a lowered digit is none."""
    assert fold("10⁹/L") == "10^9/L"
    assert fold("B₁₂") == "B_12"


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (point(169), "169"),
        (Interval(Fraction(166), Fraction(272)), "166 to 272"),
        (Interval(Fraction(400), None), "at least 400"),
        (Interval(Fraction(400), None, lo_open=True), "above 400"),
        (Interval(None, Fraction(5)), "at most 5"),
        (Interval(None, Fraction(5), hi_open=True), "below 5"),
        (Interval(None, None), "not known"),
        (point(Fraction(1, 3)), "0.3333"),
        (point(Fraction(1, 8)), "0.125"),
        (point(Fraction(1, 5**5)), "0.00032"),
        (point(Fraction(1, 2**40)), "0"),
        (point(Fraction(1, 5 * 10**11)), "0.000000000002"),
        (point(Fraction(1, 10**12)), "0"),
        (point(Fraction(12345677, 10**7 * 3)), "0.4115"),
    ],
)
def test_what_is_known_of_a_number_in_words(interval, text):
    """Exact where the decimals end, else to four places; each kind of end has its word."""
    assert range_text(interval) == text


@pytest.mark.parametrize(("text", "allowed"), [("<0", False), ("<=0", True), (">0", True), ("<1", True), ("0", True)])
def test_nothing_is_below_zero(text, allowed):
    if allowed:
        assert readings(text)
    else:
        with pytest.raises(BadQuantity, match="no value is below 0"):
            readings(text)


def test_longer_words_of_comparison_are_read_first():
    """`>=` is not `>` with something after it; the advice names the other decimal mark."""
    assert readings(">= 5")[0].interval == Interval(Fraction(5), None)
    with pytest.raises(BadQuantity, match="decimal: comma"):
        readings("9,2")


@pytest.mark.parametrize(
    ("low", "high", "is_one"),
    [("5", "5", True), ("1/2", "2/4", True), ("1", "2", False), ("1", None, False), (None, "1", False), (None, None, False)],
)
def test_one_number(low, high, is_one):
    """An interval is one number where both its ends are known and the same."""
    ends = [None if end is None else Fraction(end) for end in (low, high)]
    assert Interval(*ends).is_point is is_one


@pytest.mark.parametrize(("text", "said"), [("9,2", "is ambiguous"), ("1,5.2", "cannot be read"), ("1,5,2", "cannot be read")])
def test_a_comma_that_could_be_either(text, said):
    """One comma alone may be a decimal mark or group digits; beside a point, or beside another, it is out of place."""
    with pytest.raises(BadQuantity, match=said):
        readings(text)


def test_messages_stay_short():
    """Of what is no number forty characters are repeated; no message is longer than six hundred."""
    with pytest.raises(BadQuantity, match=f"'{'x' * 40}'"):
        readings("x" * 50)
    assert len(str(BadQuantity("y" * 700))) == 600

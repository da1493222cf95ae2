"""How much a quantity changed: exact percentages of a baseline, as intervals, or the reason why there is none."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from hlhcli import observables, rules
from hlhcli.observations import NOT_STATED, TRENDS, Missing, Observation, Qualitative, Quantity
from hlhcli.outcome import Evidence, Known, Outcome
from hlhcli.quantity import Interval, decimal_text
from hlhcli.status import Status

_RISING = TRENDS[0]
LEVELS = ("low", "normal", "elevated")  # words, from the lowest


class Change(NamedTuple):
    """What a quantity is now over what it was; None where that cannot be said, and why.

    `direction` is 1, 0 or -1 where it rose, stayed, or fell, and None where that is not known.
    """

    ratio: Interval | None
    why_not: str | None
    direction: int | None

    @property
    def text(self) -> str:
        """The change in percent, for people to read: `-56.7 %`, `fall > 97.5 %`, `between -20 % and +15 %`."""
        return self.why_not or "" if self.ratio is None else percent_text(self.ratio)


def change(
    name: str, before: Observation | None, now: Observation | None, improvement: bool = False, trend: bool = False
) -> Change:
    """From `before` to `now`. No ratio across units or assays that are not comparable, nor of nothing.

    `improvement`: of interest only as one, so that there is none from a baseline that is normal. `trend`: a word such as `rising`
    decides, which says where a value goes from what it was shortly before, and not from the baseline.
    """
    was, is_ = (each.value if each else NOT_STATED for each in (before, now))
    if not isinstance(was, Quantity) or not isinstance(is_, Quantity) or before is None or now is None:
        return Change(None, _without_number(was, is_), _by_words(was, is_, trend))
    if not was.unit.convertible(is_.unit):
        return Change(None, f"{was.unit.name} and {is_.unit.name} are different assays: not compared", None)
    if before.assay != now.assay and None not in (before.assay, now.assay):
        return Change(None, f"the assay changed ({before.assay}, {now.assay}): not compared", None)
    start, end = was.interval, is_.unit.convert(is_.interval, was.unit)
    direction = _direction(start, end)
    if not observables.get(name).proportional:
        return Change(None, "no natural zero: no percentage", direction)
    if start.hi == 0:
        return Change(None, "the baseline is 0: no percentage", direction)
    if improvement and normal(was):
        return Change(None, f"the baseline {was.text} is within the laboratory's limits: no percentage", direction)
    lo = Fraction(0) if start.hi is None or end.lo is None else end.lo / start.hi
    hi = None if not start.lo or end.hi is None else end.hi / start.lo
    lo_open = (start.hi_open or end.lo_open) if start.hi is not None else end.lo != 0
    return Change(Interval(lo, hi, lo_open, hi is not None and (start.lo_open or end.hi_open)), None, direction)


def normal(value: Quantity) -> bool:
    """True if the value is known to lie within the laboratory's own limits."""
    limits = value.reference
    if limits is None:
        return False
    above = limits.lo is None or value.interval.compare(">" if limits.lo_open else ">=", limits.lo) is Status.MET
    below = limits.hi is None or value.interval.compare("<" if limits.hi_open else "<=", limits.hi) is Status.MET
    return above and below


def _without_number(was: object, is_: object) -> str:
    parts = []
    for what, value in (("before", was), ("now", is_)):
        if isinstance(value, Missing):
            parts.append(f"{what} {value.text}")
        elif isinstance(value, Qualitative):
            parts.append(f"{what} {value.text} without a number")
    return f"{', '.join(parts)}: no percentage"


def _by_words(was: object, is_: object, trend: bool) -> int | None:
    """The direction that words state: a trend, or from one word to another."""
    if trend and isinstance(is_, Qualitative) and is_.trend:
        return 1 if is_.trend == _RISING else -1
    places = []
    for value in (was, is_):
        if isinstance(value, Qualitative) and value.level:
            places.append(LEVELS.index(value.level))
        elif isinstance(value, Quantity) and (level := _level(value)):
            places.append(LEVELS.index(level))
    if len(places) < 2 or places[0] == places[1]:
        return None
    return 1 if places[1] > places[0] else -1


def _level(value: Quantity) -> str | None:
    """The word for a value by the laboratory's own limits, if they are stated."""
    limits = value.reference
    if limits is None:
        return None
    if limits.hi is not None and value.interval.compare(">=" if limits.hi_open else ">", limits.hi) is Status.MET:
        return "elevated"
    if limits.lo is not None and value.interval.compare("<=" if limits.lo_open else "<", limits.lo) is Status.MET:
        return "low"
    return "normal" if normal(value) else None


def _direction(start: Interval, end: Interval) -> int | None:
    if start.is_point and start == end:
        return 0
    if end.lo is not None and start.hi is not None and (end.lo, end.lo_open or start.hi_open) > (start.hi, False):
        return 1
    if end.hi is not None and start.lo is not None and (-end.hi, end.hi_open or start.lo_open) > (-start.lo, False):
        return -1
    return None


def _percent(change: Fraction) -> str:
    return ("+" if change > 0 else "") + decimal_text(change, 1) + " %"


def percent_text(ratio: Interval) -> str:
    """A ratio as the change in percent."""
    lo, hi = (None if end is None else (end - 1) * 100 for end in (ratio.lo, ratio.hi))
    if lo is not None and ratio.is_point:
        return _percent(lo)
    texts = [None if end is None else _percent(end) for end in (lo, hi)]
    if hi is not None and hi <= 0 and lo == -100:
        return f"fall {'>' if ratio.hi_open else '>='} {str(texts[1]).removeprefix('-')}"
    if hi is None and lo is not None and lo >= 0:
        return f"rise {'>' if ratio.lo_open else '>='} {str(texts[0]).removeprefix('+')}"
    if hi is None:
        return "not known" if lo == -100 else f"{texts[0]} or above"
    if lo == -100:
        return f"at most {texts[1]}"
    return f"between {texts[0]} and {texts[1]}"


def changed(node: rules.Change, known: Known) -> Outcome:
    """The result of one change on what is `known` now and was known before."""
    before, now = known.get(f"{node.against}.{node.observable}"), known.get(node.observable)
    better = node.falls == (observables.get(node.observable).worse == "high")
    found = change(node.observable, before, now, better and node.against == "baseline", trend=node.against in ("nadir", "previous"))
    status = Status.UNKNOWN
    if found.ratio is not None:
        status = found.ratio.compare(node.operator, node.number)
    elif node.number == 1 and found.direction is not None:  # by any amount
        status = Status.MET if found.direction == (-1 if node.falls else 1) else Status.NOT_MET
    if found.ratio is not None and before is not None:
        was_normal = isinstance(before.value, Quantity) and normal(before.value)
        moved = f"{_fold(found.ratio)} the normal" if was_normal else f"{found.text} from"  # no percentage of what is normal
        notes = [f"{moved} {before.value.text} ({_when(before, node.against)})"]
    else:
        notes = [found.text]
    notes += [each for each in (now and now.note, before and before.note) if each]
    shown = None if now is None or isinstance(now.value, Missing) else now.value.text
    evidence = Evidence(node.observable, shown, node.text, status, "; ".join(dict.fromkeys(notes)))
    return Outcome(node, status, (), (evidence,), range=found.ratio)


def _fold(ratio: Interval) -> str:
    lo, hi = (None if end is None else decimal_text(end, 2) for end in (ratio.lo, ratio.hi))
    return f"{lo} ×" if lo == hi else f"{lo or 0} × or more" if hi is None else f"{lo or 0} to {hi} ×"


def _when(before: Observation, against: str) -> str:
    return against if before.day is None else f"{against}, day {decimal_text(before.day, 2)}"

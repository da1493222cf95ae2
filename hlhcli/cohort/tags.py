"""How a row is packed into one number of 126 bits: the greatest of a window is the worst value, its moment and its form.

top (63 bits)           how bad: of a quantity its worse end, and how much worse it may be; of a finding 1 where it is the worse one
moment (43 bits)        milliseconds, counted from about 1850; of values as bad, the last counts
tag (19 bits)           the form in which a plain number was written, or the place of its text; and its unit
"""

from __future__ import annotations

from hlhcli.cohort import scale
from hlhcli.cohort.dialects import DAY

UNIT_BITS, FORM_BITS, MOMENT_BITS, RANK_BITS, PLACE_BITS = 4, 15, 43, 6, 57
UNITS = 1 << UNIT_BITS  # of a family, at most
TAGS = UNITS * (1 << FORM_BITS)
MOMENTS = 1 << MOMENT_BITS
LOW = MOMENTS * TAGS  # what the moment and the tag take
RANKS = 1 << RANK_BITS  # of values with the same worse end
FORM_PLACE, MOMENT_PLACE, TOP_PLACE, WORST_PLACE = 4, 19, 62, 68  # where the parts begin
EPOCH = 43_830 * DAY  # from the first moment to 1970
FIRST, LAST = -EPOCH, MOMENTS - EPOCH - 1  # moments that can be packed

FORMS = ("", ">", ">=", "<", "<=")
FORM = 8  # forms are counted by comparator, and within it by decimals
GREATER, AT_LEAST, LESS, AT_MOST = (FORM * number for number in range(1, 5))
LONG = scale.PLACES + 1  # decimals: more than are exact
FIRST_TEXT = FORM * len(FORMS)  # from here on: the place in the table of texts
MOST_TEXTS = TAGS // UNITS - FIRST_TEXT  # of one observable


def turned(lo: int, hi: int, low: bool) -> tuple[int, int]:
    """The worse end and the other, turned around where lower is worse, so that more is worse."""
    return (scale.LIMIT - hi, scale.LIMIT - lo) if low else (lo, hi)


def top(worse: int, other: int, rank: int) -> int:
    """How bad a quantity is; where nothing is known of the worse end, by the other."""
    return (scale.LIMIT + worse) * RANKS + rank if worse > 0 else other * RANKS

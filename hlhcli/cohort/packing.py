"""How what decides a window is packed into one number, so that the greatest of a window is the worst value with its moment.

From the top: the rank of the value among those of its observable (values.py), so that more is worse; the moment, so that of
values as bad the last counts; and the variant, which tells values of one rank apart that are written in another way or unit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from hlhcli.cohort.dialects import DAY, Dialect

_MOMENT_BITS = 44  # to the year 2407: MIMIC-IV moves its dates into the 22nd century
_MOST_BITS = 63  # of an integer of 64
EPOCH = 43_830 * DAY  # from the first moment that can be packed, about 1850, to 1970
FIRST, LAST = -EPOCH, (1 << _MOMENT_BITS) - EPOCH - 1  # moments that can be packed, in milliseconds since 1970


def whole_day(moment: str) -> str:
    """SQL for the day of a moment, counted from the first that can be packed."""
    return f"({moment} + {EPOCH}) // {DAY}"


class Packing(NamedTuple):
    """Where the parts lie. What is not measured before is given all the room that there may be, and a number of 38 digits."""

    first: int = FIRST  # the moment that counts as 0
    step: int = 1  # milliseconds
    moment_bits: int = _MOMENT_BITS
    variant_bits: int = 16
    wide: bool = True

    @property
    def _shift(self) -> int:
        return self.moment_bits + self.variant_bits

    def base(self, rank: str, variant: str, dialect: Dialect) -> str:
        """The number without its moment."""
        whole = f"CAST({rank} AS {dialect.wide})" if self.wide else rank
        return f"{whole} * {1 << self._shift} + {variant}"

    def at(self, base: str, t: str) -> str:
        """The number with its moment."""
        since = f"({t} - {self.first})" if self.step == 1 else f"(({t} - {self.first}) // {self.step})"
        return f"{base} + {since} * {1 << self.variant_bits}"

    def moment(self, key: str, dialect: Dialect) -> str:
        """The moment of a number, in milliseconds since 1970."""
        count = self._field(key, self.variant_bits, self.moment_bits, dialect)
        return f"{count}{f' * {self.step}' if self.step > 1 else ''} + {self.first}"

    def value(self, key: str, dialect: Dialect) -> str:
        """The number without its moment, as `base` writes it."""
        moments = (1 << self._shift) - (1 << self.variant_bits)
        if not self.wide:
            return f"{key} & {(1 << _MOST_BITS) - 1 - moments}"
        return f"{key} - {self._field(key, self.variant_bits, self.moment_bits, dialect)} * {1 << self.variant_bits}"

    def _field(self, key: str, place: int, bits: int, dialect: Dialect) -> str:
        return dialect.field(key, place, bits) if self.wide else f"(({key} >> {place}) & {(1 << bits) - 1})"


def packing(ranks: int, variants: int, span: Callable[[], tuple[int, int, bool]]) -> Packing:
    """As narrow as what is there allows.

    `ranks`, `variants`: the greatest of each; `span`: the first and the last moment, and whether all are whole seconds, which is
    asked only where there is no room for all moments.
    """
    variant_bits = max(1, variants.bit_length())
    taken = ranks.bit_length() + variant_bits
    if taken + _MOMENT_BITS <= _MOST_BITS:
        return Packing(variant_bits=variant_bits, wide=False)
    first, last, whole_seconds = span()
    step = 1000 if whole_seconds else 1
    first = first // step * step
    moment_bits = max(1, ((last - first) // step).bit_length())
    return Packing(first, step, moment_bits, variant_bits, taken + moment_bits > _MOST_BITS)

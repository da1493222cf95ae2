"""What a spreadsheet would run: a cell of a CSV file that begins as a formula does."""

from __future__ import annotations

import re

# The start of a cell, or what another reader of the file may take for one; then spaces and quotes, which are trimmed; then a sign.
FORMULA = '(^|[\t\n\r;])([\\s\u00a0\u2000-\u200f\u3000\ufeff"]*)([=+@\uff1d\uff0b\uff20\uff0d\u2212\ufe62\ufe63\ufe66\ufe6b-])'
NUMBER = r"\s*[+-]?[0-9]+([.,][0-9]+)?([eE][+-]?[0-9]+)?\s*"
REPLACED = r"\1\2'\3"
_FORMULA, _NUMBER = re.compile(FORMULA), re.compile(NUMBER)


def inert(text: str) -> str:
    """`text` as a cell that is never taken for a formula: an apostrophe stands before the sign, unless all of it is a number."""
    return text if _NUMBER.fullmatch(text) else _FORMULA.sub(REPLACED, text)

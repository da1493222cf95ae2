"""Each different value of the input, read once: where it lies on the exact scale, how bad it is beside all others, and its text.

A hospital writes millions of results, but not many different ones. So rows are only joined with what their value was found to be.
"""

from __future__ import annotations

from collections.abc import Iterator

from hlhcli.cohort import scale
from hlhcli.cohort.dialects import Dialect
from hlhcli.cohort.sql import case, select

VALUES = "hlhcli_values"  # the table of them

PLAIN = "^(0|[1-9][0-9]{0,5})([.][0-9]{1,6})?$"
NUMBER = "(0|[1-9][0-9]{0,8})"
COMPARED = f"^([<>]=?)?{NUMBER}([.][0-9]{{1,6}})?$"  # or as large as a count of cells can be
LONG = f"^{NUMBER}[.][0-9]{{6}}[0-9]*[1-9]$"  # more decimals than six
_BILLION = 1_000_000_000
_UNIT = "COALESCE(n.unit, '')"  # in the lookups, which have no NULL

FORM = 8  # how a number is written is counted by comparator, and within it by decimals
GREATER, AT_LEAST, LESS, AT_MOST = (FORM * number for number in range(1, 5))
_SIGNS = {GREATER: ">", AT_LEAST: ">=", LESS: "<", AT_MOST: "<="}
MORE = scale.PLACES + 1  # decimals: more than are exact
FIRST_TEXT = FORM * (len(_SIGNS) + 1)  # from here on: a text that is no plain number, by its place


def shape(dialect: Dialect) -> str:
    """0 a plain number, 1 a large one or one with a comparator, 2 one of many decimals; NULL for any other text."""
    compared = f"{dialect.matches('value', COMPARED)} AND {dialect.matches('value', '[1-9]')}"
    return (
        f"CASE WHEN {dialect.matches('value', PLAIN)} THEN 0 WHEN {compared} THEN 1"
        f" WHEN {dialect.matches('value', LONG)} THEN 2 END"
    )


def steps(found: str, words: int, texts: bool, limits: bool) -> Iterator[tuple[str, str]]:
    """From the different values to what they say, each step a CTE; the last is VALUES.

    `found`: a relation of them with their shape; `words`: of marks; `texts`: some are looked up; `limits`: of laboratories too.
    """
    yield "numbers", _numbers(found)
    yield "scaled", _scaled(words, texts, limits)
    yield "ends", _ends(words, limits)
    yield VALUES, _ranked()


def _numbers(found: str) -> str:
    """Plain numbers in whole millionths, and how they were written; every other text is looked up."""
    decimals = "CASE WHEN STRPOS(value, '.') = 0 THEN 0 ELSE LENGTH(value) - STRPOS(value, '.') END"
    signs = sorted(_SIGNS.items(), key=lambda pair: -len(pair[1]))
    comparator = case(*((f"value LIKE '{sign}%'", str(form)) for form, sign in signs), otherwise="0")
    bare = "REPLACE(REPLACE(REPLACE(value, '<', ''), '>', ''), '=', '')"
    cut = "SUBSTRING(value, 1, STRPOS(value, '.') + 6)"

    def millionths(text: str, factor: str = str(scale.MICRO)) -> str:
        return f"CAST(CAST({text} AS DECIMAL(18, 6)) * {factor} AS BIGINT)"

    large = f"CAST({scale.MICRO} AS DECIMAL(20, 0))"
    rest = "CAST(RPAD(SUBSTRING(value, STRPOS(value, '.') + 7, 9), 9, '0') AS BIGINT)"  # of a millionth, in billionths
    plain, more, longer = "shape = 0", "shape = 1", "shape = 2"
    numbered = (plain, millionths("value")), (more, millionths(bare, large)), (longer, millionths(cut, large))
    return select(
        [
            "code, unit, value, reference",
            f"{case(*numbered)} AS millionths",
            f"{case((plain, decimals), (more, f'{comparator} + {decimals}'), (longer, str(MORE)))} AS form",
            f"{case((longer, rest))} AS rest",
        ],
        f"FROM {found}",
    )


def _scaled(words: int, texts: bool, limits: bool) -> str:
    """Each number on the exact scale of its observable (half ticks; see the documentation of the scale), or what its text says."""
    held = "LEAST(GREATEST(n.millionths, u.least), u.most)"
    half = f"{held} * u.times + u.plus"
    columns = ["n.code, n.unit, n.value, n.reference"]
    of_text = ("worse", "other", "shown", "word")
    if texts:
        columns += [
            "COALESCE(w.obs, CASE WHEN NOT n.millionths IS NULL THEN u.obs END) AS obs",
            "COALESCE(w.number, u.number) AS number, COALESCE(w.form, n.form) AS form, COALESCE(w.said, u.said) AS said",
            *(f"w.{name} AS text_{name}" for name in of_text),
            *(f"COALESCE(w.marks{word}, u.marks{word}) AS marks{word}" for word in range(words)),
        ]
    else:
        columns += [
            "CASE WHEN NOT n.millionths IS NULL THEN u.obs END AS obs, u.number, n.form, u.said",
            *(f"CAST(NULL AS {'VARCHAR' if name == 'shown' else 'BIGINT'}) AS text_{name}" for name in of_text),
            *(f"u.marks{word}" for word in range(words)),
        ]
    columns += [
        "u.low, u.unit_shown",
        f"{held} AS millionths",
        f"{case((f'n.form = {MORE}', f'{half} + n.rest * u.times // {_BILLION}'), ('NOT n.millionths IS NULL', half))} AS half",
        f"{case((f'n.form = {MORE} AND n.rest * u.times % {_BILLION} <> 0', '1'), otherwise='0')} AS beyond",
    ]
    joins = ["FROM numbers AS n", f"LEFT JOIN hlhcli_units AS u ON u.code = n.code AND u.unit = {_UNIT}"]
    if texts:
        joins += [
            f"LEFT JOIN hlhcli_texts AS w ON w.code = n.code AND w.unit = {_UNIT}",
            "  AND w.value = CASE WHEN n.millionths IS NULL THEN n.value END",
        ]
    if limits:
        columns.append("r.upper, r.lower")
        joins.append(f"LEFT JOIN hlhcli_limits AS r ON r.code = n.code AND r.unit = {_UNIT} AND r.reference = n.reference")
    return select(columns, "\n".join(joins))


def _ends(words: int, limits: bool) -> str:
    """The two ends in ticks, the worse one first (turned around where lower is worse), and the text."""
    limit = scale.LIMIT
    point = "2 * half + beyond"
    lo = case(
        (f"form < {GREATER}", point), (f"form < {AT_LEAST}", "2 * half + 1"), (f"form < {LESS}", "2 * half"), otherwise="0",
    )  # fmt: skip
    hi = case(
        (f"form < {GREATER}", point), (f"form < {LESS}", str(limit)),
        (f"form < {AT_MOST}", "2 * half - 1"), otherwise="2 * half",
    )  # fmt: skip
    sign = case(*((f"form >= {form}", f"'{sign}'") for form, sign in reversed(_SIGNS.items())), otherwise="''")
    fraction = f"SUBSTRING(LPAD(CAST(millionths % {scale.MICRO} AS VARCHAR), {scale.PLACES}, '0'), 1, CAST(form % {FORM} AS INT))"
    written = [
        sign,
        f"CAST(millionths // {scale.MICRO} AS VARCHAR)",
        case((f"form % {FORM} > 0", f"'.' || {fraction}"), otherwise="''"),
        case((f"form = {MORE}", "'…'"), otherwise="''"),
        "unit_shown",
    ]
    is_number = "NOT half IS NULL"
    return select(
        [
            "code, unit, value, reference, obs, form, number, said, text_word AS word",
            *(f"marks{word}" for word in range(words)),
            *(["upper, lower"] if limits else []),
            f"{case((f'{is_number} AND low', f'{limit} - ({hi})'), (is_number, lo), otherwise='text_worse')} AS worse",
            f"{case((f'{is_number} AND low', f'{limit} - ({lo})'), (is_number, hi), otherwise='text_other')} AS other",
            f"{case((is_number, ' || '.join(written)), otherwise='text_shown')} AS shown",
        ],
        "FROM scaled\nWHERE NOT obs IS NULL",
    )


def _ranked() -> str:
    """How bad each is beside the others of its observable: by the worse end, and where that is alike by how much worse it may be.

    `variant` tells apart what has one rank.
    """
    ranked = "NOT worse IS NULL"
    return select(
        [
            "*",
            f"{case((ranked, 'DENSE_RANK() OVER (PARTITION BY obs ORDER BY worse, other)'))} AS rank",
            "DENSE_RANK() OVER (PARTITION BY obs, worse, other ORDER BY form, number) - 1 AS variant",
        ],
        "FROM ends",
    )

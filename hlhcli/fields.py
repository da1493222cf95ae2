"""The scalar fields of a patient file: each reads text into a value, and knows its JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Annotated, Any, NamedTuple

from pydantic_core import PydanticCustomError, core_schema

from hlhcli.age import read_age
from hlhcli.errors import did_you_mean, printable
from hlhcli.observations import PENDING, Convention, Missing, Position, Quantity, mark_of, missing, scalar
from hlhcli.quantity import BadQuantity, Decimal, fold
from hlhcli.status import Status


class Moment(NamedTuple):
    """A point in time: a day of the course, or a calendar date."""

    day: Fraction | None = None
    date: date | None = None


@dataclass(slots=True)
class Context:
    """What is carried along while a file is read: how its numbers are written, and what is worth a warning."""

    decimal: Decimal = "point"
    units: Convention | None = None
    warnings: list[tuple[str, Position | None]] = field(default_factory=list)

    @classmethod
    def of(cls, context: Any) -> Context:
        if not isinstance(context, Context):
            raise TypeError("use Patient.read(data), which knows how the file writes numbers")
        return context


class Reads:
    """A field that `function` reads from text; BadQuantity becomes the message at that place.

    `build` makes its JSON Schema, only when a schema is asked for.
    """

    def __init__(self, function: Callable[..., Any], build: Callable[[], dict[str, Any]]) -> None:
        self.function = function
        self.build = build

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return self.build()

    def read(self, raw: Any, info: Any) -> Any:
        try:
            return self.call(raw, Context.of(info.context))
        except BadQuantity as error:
            raise refuse(str(error)) from None

    def call(self, raw: Any, context: Context) -> Any:
        return self.function(scalar(raw))


class ReadsProse(Reads):
    """A field of text, on one line or more."""

    def call(self, raw: Any, context: Context) -> Any:
        return self.function(str(raw).strip() if isinstance(raw, str) else scalar(raw))


class ReadsNumber(Reads):
    """A field that `function` reads from text and the file's decimal mark."""

    def call(self, raw: Any, context: Context) -> Any:
        return self.function(scalar(raw), mark_of(raw, context.decimal))


class ReadsEntry(Reads):
    """A field that `function` reads from whatever stands there, and the context."""

    def call(self, raw: Any, context: Context) -> Any:
        return self.function(raw, context)


def refuse(message: str, kind: str = "value") -> PydanticCustomError:
    """The error that the models raise; with kind `key` it belongs to the key and not to the value."""
    return PydanticCustomError(kind, "{message}", {"message": message})


def _day(text: str, decimal: Decimal = "point") -> Fraction:
    number = text.replace(",", ".") if decimal == "comma" else text
    if not re.fullmatch(r"[+-]?\d{1,5}(\.\d{1,6})?", number, re.ASCII):
        raise BadQuantity(f"'{printable(text, 40)}' is no day; write a number such as 0, 10 or -3, or use date: 2016-05-02")
    return Fraction(number)


def _date(text: str) -> date:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return date.fromisoformat(text)
    except ValueError:
        raise BadQuantity(f"{text} is not in the calendar") from None
    if re.match(r"\d{4}-\d{2}-\d{2}[T ]", text):
        raise BadQuantity("a time of day is not read; write the date alone, and values of one day as a list")
    raise BadQuantity(f"'{printable(text, 40)}' is no date; write year-month-day, such as 2016-05-02")


def moment(text: str, decimal: Decimal) -> Moment:
    """A day (`10`) or a date (`2016-05-02`)."""
    if re.match(r"\d+[-./]\d+[-./]", text):
        return Moment(date=_date(text))
    try:
        return Moment(day=_day(text, decimal))
    except BadQuantity:
        raise BadQuantity(
            f"'{printable(text, 40)}' is no day; write a number such as 0, 10 or -3, or a date such as 2016-05-02"
        ) from None


def duration(text: str, decimal: Decimal = "point") -> Fraction:
    """A length of time in days: `7 d`, `72 h`, `2 wk`."""
    found = re.fullmatch(
        r"(\d{1,4}(?:\.\d{1,3})?)\s*(h|hours?|d|days?|wk|w|weeks?)", text.replace(",", ".") if decimal == "comma" else text
    )
    if not found:
        raise BadQuantity(f"'{printable(text, 40)}' is no length of time; write for example 7 d, 72 h or 2 wk")
    return Fraction(found[1]) * _DAYS[found[2][0]]


_DAYS = {"h": Fraction(1, 24), "d": Fraction(1), "w": Fraction(7)}


def _age(text: str, decimal: Decimal) -> Quantity | None:
    return None if missing(text) else read_age(text, decimal)


def _onset(text: str, decimal: Decimal) -> Quantity | Missing:
    return missing(text) or read_age(text, decimal)


def _result(text: str) -> str:
    if reason := missing(text):
        return {PENDING: PENDING, "not done": "not done"}.get(reason.text, "unknown")
    return _RESULTS(text)


def choice(what: str, *names: str, **also: str) -> Callable[[str], str]:
    """A reader that accepts `names`, and further spellings `also` with the name that each stands for."""
    accepted = {name.casefold(): name for name in names} | {spelling.replace("_", " "): name for spelling, name in also.items()}

    def choose(text: str) -> str:
        found = accepted.get(fold(text).casefold().replace("_", " "))
        if found is None:
            raise BadQuantity(f"'{printable(text, 40)}' is no {what}{did_you_mean(text, names)}")
        return found

    return choose


def _status(text: str) -> Status:
    return Status(_STATUSES(text).replace(" ", "_"))


def _count(text: str) -> int:
    found = re.fullmatch(r"(\d{1,2})(?:\s*(?:/|of)\s*\d{1,2})?", text, re.ASCII)  # 5, 5/8, 5 of 8
    if not found:
        raise BadQuantity(f"'{printable(text, 40)}' is no count of criteria; write a whole number")
    return int(found[1])


def _score(text: str, decimal: Decimal = "point") -> Fraction:
    number = text.replace(",", ".") if decimal == "comma" else text
    if not re.fullmatch(r"[+-]?\d{1,6}(\.\d{1,6})?", number, re.ASCII):
        raise BadQuantity(f"'{printable(text, 40)}' is no score; write the number that is printed, such as 169")
    return Fraction(number)


def _words(*names: str | bool) -> Callable[[], dict[str, Any]]:
    return lambda: {"enum": [*names, None]}


def _typed(*types: str, **more: str) -> Callable[[], dict[str, Any]]:
    return lambda: {"type": list(types), **more}


_DAY = r"^[+-]?\d{1,5}([.,]\d{1,6})?$"
_CALENDAR = r"^\d{4}-\d{2}-\d{2}$"
_AGE = r"^\s*([<>]=?)?\s*\d+([.,]\d+)?\s*(d|days?|wk|w|weeks?|mo|mth|months?|y|yrs?|years?)\b[\s\d,a-z]*$|^(unknown|not stated)$"


def _as_written(text: str) -> str:
    if not text:
        raise BadQuantity("expected some text here")
    return text


_SEXES = {"m": "male", "f": "female", "boy": "male", "girl": "female", "man": "male", "woman": "female"}
_SEX = ("male", "female", "other", "unknown")
_ZYGOSITY = ("heterozygous", "homozygous", "hemizygous", "compound heterozygous", "unknown")
_CLASSIFICATION = ("pathogenic", "likely pathogenic", "VUS", "likely benign", "benign", "unknown")
_RESULT = ("negative", "positive", "pending", "not done", "unknown")
_RESULTS = choice("result of a work-up", *_RESULT, neg="negative", pos="positive", no="negative", yes="positive")
_STATUSES = choice("verdict", "met", "not met", "unknown", yes="met", no="not met", indeterminate="unknown")
_VERDICT = ("met", "not met", "not_met", "unknown", "indeterminate", "yes", "no", True, False)

Text = Annotated[str, ReadsProse(_as_written, _typed("string", "number", "boolean"))]
OptionalText = Annotated[str | None, ReadsProse(_as_written, _typed("string", "number", "boolean", "null"))]
Day = Annotated[
    Fraction | None,
    ReadsNumber(_day, _typed("number", "string", "null", description="Day of the course, for example 0, 10 or -3", pattern=_DAY)),
]
Date = Annotated[
    date | None, Reads(_date, _typed("string", "null", description="Calendar date, year-month-day", pattern=_CALENDAR))
]
When = Annotated[
    Moment | None,
    ReadsNumber(
        moment, _typed("number", "string", "null", description="A day of the course, or a date", pattern=f"{_DAY}|{_CALENDAR}")
    ),
]
Duration = Annotated[
    Fraction | None,
    ReadsNumber(
        duration, _typed("string", "null", description="Such as 7 d, 72 h or 2 wk", pattern=r"^\d+([.,]\d+)?\s*[hdw][a-z]*$")
    ),
]
_AGES = _typed("string", "null", description="For example '20 d', '3 wk', '18 mo' or '11 y'", pattern=_AGE)
Age = Annotated[Quantity | None, ReadsNumber(_age, _AGES)]
Onset = Annotated[Quantity | Missing | None, ReadsNumber(_onset, _AGES)]
Sex = Annotated[
    str | None,
    Reads(choice("sex", *_SEX, **_SEXES), _words(*_SEX, *_SEXES, "M", "F")),
]
Zygosity = Annotated[
    str | None,
    Reads(
        choice("zygosity", *_ZYGOSITY, het="heterozygous", hom="homozygous", hemi="hemizygous", biallelic="homozygous"),
        _words(*_ZYGOSITY, "het", "hom", "hemi", "biallelic"),
    ),
]
Classification = Annotated[
    str | None,
    Reads(
        choice(
            "classification",
            *_CLASSIFICATION,
            uncertain_significance="VUS",
            variant_of_uncertain_significance="VUS",
            p="pathogenic",
            lp="likely pathogenic",
            lb="likely benign",
            b="benign",
        ),
        _words(*_CLASSIFICATION, "P", "LP", "LB", "B"),
    ),
]
WorkupResult = Annotated[str, Reads(_result, _words(*_RESULT, "neg", "pos", "yes", "no", True, False))]

# What is reported of a set of criteria; every other key is an item with its mark.
REPORTED = {
    "verdict": Reads(_status, _words(*_VERDICT)),
    "count": Reads(_count, _typed("integer", "string", "null", pattern=r"^\d{1,2}( ?(/|of) ?\d{1,2})?$")),
    "score": ReadsNumber(_score, _typed("number", "string", "null")),
}
MARK = Reads(_status, _words(*_VERDICT))

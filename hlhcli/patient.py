"""What a patient file holds: the one source of its validation, its JSON Schema, and the Python objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hlhcli.entries import Curves, Findings, Observations
from hlhcli.fields import (
    Age,
    Classification,
    Count,
    Date,
    Day,
    Duration,
    Mark,
    Moment,
    OptionalText,
    Reading,
    Score,
    Sex,
    Text,
    Verdict,
    When,
    WorkupResult,
    Zygosity,
    refuse,
)
from hlhcli.observations import BLANK
from hlhcli.status import Status

MAX_TIMEPOINTS = 1000


class Model(BaseModel):
    """Strict keys; a key that is left empty counts as not written."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_blank(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            blank = {key for key, value in data.items() if value is None or (isinstance(value, str) and value in BLANK)}
            known = data if cls.model_config.get("extra") == "allow" else cls.model_fields
            return {key: value for key, value in data.items() if key not in blank or key not in known}
        return data


class Person(Model):
    """Who the patient is. Age is the age at the first time point; write `age` or `birth_date`. `onset` is the age at onset."""

    id: OptionalText = None
    age: Age = None
    birth_date: Date = None
    onset: Age = None
    sex: Sex = None

    @model_validator(mode="after")
    def _one_age(self) -> Person:
        if self.age and self.birth_date:
            raise refuse("write either 'age' or 'birth_date', not both")
        return self


class Therapy(Model):
    """A drug and when it was given, in days of the course or as dates; without `stop` it goes on.

    `line` groups the drugs of one line of therapy, such as `first line` or `salvage`; without it, drugs that start together are
    one line. `baseline` names the time point with which its response is compared, where that is not the last one before it.
    """

    drug: Text
    line: OptionalText = None
    dose: OptionalText = None
    start: When = None
    stop: When = None
    baseline: OptionalText = None
    note: OptionalText = None

    @model_validator(mode="after")
    def _in_order(self) -> Therapy:
        a, b = self.start or Moment(), self.stop or Moment()
        if (a.day is not None and b.day is not None and b.day < a.day) or (a.date and b.date and b.date < a.date):
            raise refuse("'stop' is before 'start'")
        return self


class Variant(Model):
    """A variant found in a gene."""

    gene: Text
    variant: OptionalText = None
    zygosity: Zygosity = None
    classification: Classification = None
    note: OptionalText = None


class Genetics(Model):
    """Genes that were tested, and the variants found in them."""

    tested: list[Text] = []
    variants: list[Variant] = []


class Reported(Model):
    """What a chart or paper states of a set without giving values: verdict, count or score, and a mark per criterion."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Mark]

    verdict: Verdict = None
    count: Count = None
    score: Score = None

    @property
    def marks(self) -> dict[str, Status]:
        """The marks by the id of the item."""
        return self.__pydantic_extra__


class Timepoint(Model):
    """What was observed at one time point. The name heads its column; `day` or `date` places it in the course.

    `window` is how far back it looks: of each curve under `series`, the worst value in that time counts.
    """

    name: Text
    day: Day = None
    date: Date = None
    window: Duration = None
    observations: Observations = Field(default_factory=dict)
    reported: Annotated[dict[str, Reported], Field(description="What the authors state, by the id of the criteria")] = {}
    note: OptionalText = None

    @model_validator(mode="after")
    def _placed(self) -> Timepoint:
        if self.window is not None and self.day is None and self.date is None:
            raise refuse("a 'window' looks back from a 'day' or a 'date'; write one of them too")
        return self


class Patient(Model):
    """One patient: who, what was observed at each time point, what was given."""

    patient: Person = Person()
    units: Annotated[Literal["conventional", "si"] | None, Field(description="What a number without a unit means")] = None
    decimal: Annotated[Literal["point", "comma"], Field(description="How this file writes decimals")] = "point"
    background: Annotated[Findings, Field(description="Findings that hold at every time point")] = Field(default_factory=dict)
    therapies: list[Therapy] = []
    timepoints: Annotated[list[Timepoint], Field(min_length=1, max_length=MAX_TIMEPOINTS)]
    genetics: Genetics | None = None
    workup: Annotated[dict[str, WorkupResult], Field(description="Causes that were looked for, and the result")] = {}
    series: Annotated[Curves, Field(description="Curves over time, by observable")] = Field(default_factory=dict)

    @classmethod
    def read(cls, data: Any, reading: Reading | None = None) -> Patient:
        """The patient that `data` (text in mappings and lists, as in a file) describes.

        Raises pydantic.ValidationError; what is worth a warning is added to `reading`.
        """
        reading = reading or Reading()
        if isinstance(data, Mapping):
            reading.decimal = "comma" if data.get("decimal") == "comma" else "point"
            units = data.get("units")
            reading.units = units if units in ("conventional", "si") else None
        return cls.model_validate(data, context=reading)

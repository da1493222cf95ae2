"""What a patient file holds: the one source of its validation, its JSON Schema, and the Python objects.

Annotations are evaluated here as they stand: the models are built from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

from hlhcli.entries import Curves, Findings, Observations, ReportedSets
from hlhcli.fields import (
    Age,
    Classification,
    Context,
    Date,
    Day,
    Duration,
    Moment,
    Onset,
    OptionalText,
    Sex,
    Text,
    When,
    WorkupResult,
    Zygosity,
    refuse,
)
from hlhcli.model import About, Model

MAX_TIMEPOINTS = 1000


@dataclass(frozen=True, kw_only=True)
class Person(Model):
    """Who the patient is. Age is the age at the first time point; write `age` or `birth_date`. `onset` is the age at onset."""

    id: OptionalText = None
    age: Age = None
    birth_date: Date = None
    onset: Onset = None
    sex: Sex = None

    def __post_init__(self) -> None:
        if self.age and self.birth_date:
            raise refuse("write either 'age' or 'birth_date', not both")


@dataclass(frozen=True, kw_only=True)
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

    def __post_init__(self) -> None:
        a, b = self.start or Moment(), self.stop or Moment()
        if (a.day is not None and b.day is not None and b.day < a.day) or (a.date and b.date and b.date < a.date):
            raise refuse("'stop' is before 'start'")


@dataclass(frozen=True, kw_only=True)
class Variant(Model):
    """A variant found in a gene."""

    gene: Text
    variant: OptionalText = None
    zygosity: Zygosity = None
    classification: Classification = None
    note: OptionalText = None


@dataclass(frozen=True, kw_only=True)
class Genetics(Model):
    """Genes that were tested, and the variants found in them."""

    tested: list[Text] = field(default_factory=list)
    variants: list[Variant] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Timepoint(Model):
    """What was observed at one time point. The name heads its column; `day` or `date` places it in the course.

    `window` is how far back it looks: of each curve under `series`, the worst value in that time counts.
    """

    name: Text
    day: Day = None
    date: Date = None
    window: Duration = None
    observations: Observations = field(default_factory=dict)
    reported: ReportedSets = field(default_factory=dict)
    note: OptionalText = None

    def __post_init__(self) -> None:
        if self.window is not None and self.day is None and self.date is None:
            raise refuse("a 'window' looks back from a 'day' or a 'date'; write one of them too")


@dataclass(frozen=True, kw_only=True)
class Patient(Model):
    """One patient: who, what was observed at each time point, what was given."""

    patient: Person = Person()
    units: Annotated[Literal["conventional", "si"] | None, About("What a number without a unit means")] = None
    decimal: Annotated[Literal["point", "comma"], About("How this file writes decimals")] = "point"
    background: Annotated[Findings, About("Findings that hold at every time point")] = field(default_factory=dict)
    therapies: list[Therapy] = field(default_factory=list)
    timepoints: Annotated[list[Timepoint], About(least=1, most=MAX_TIMEPOINTS)]
    genetics: Genetics | None = None
    workup: Annotated[dict[str, WorkupResult], About("Causes that were looked for, and the result")] = field(default_factory=dict)
    series: Annotated[Curves, About("Curves over time, by observable")] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Any, context: Context | None = None) -> Self:
        """The patient that `data` (text in mappings and lists, as in a file) describes.

        Raises pydantic_core.ValidationError; what is worth a warning is added to `context`.
        """
        context = context or Context()
        if isinstance(data, Mapping):
            context.decimal = "comma" if data.get("decimal") == "comma" else "point"
            units = data.get("units")
            context.units = units if units in ("conventional", "si") else None
        return cls.validate(data, context)

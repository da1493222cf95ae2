"""Models of a file: dataclasses whose fields carry their readers, validated by Pydantic's core.

Pydantic's own machinery builds the same validators from the same declarations, and makes the JSON Schema. It is imported for
that alone: at the start of each command it would cost more than all else together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from functools import partial
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, Self, Union, get_args, get_origin

from pydantic_core import CoreSchema, SchemaValidator, core_schema

from hlhcli.observations import BLANK

MAPPING = "a mapping here (lines such as 'key: value')"  # what is expected where something else stands


class Model:
    """A mapping with strict keys; a key that is left empty counts as not written. Its classes are dataclasses.

    Their annotations are evaluated where they stand. A field whose name begins with `_` is no key.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "arbitrary_types_allowed": True}

    @classmethod
    def validate(cls, data: Any, context: Any = None) -> Self:
        """What `data` (text in mappings and lists) describes. Raises pydantic_core.ValidationError."""
        validator = _VALIDATORS.get(cls)
        if validator is None:
            validator = _VALIDATORS[cls] = SchemaValidator(_core(cls))
        found: Self = validator.validate_python(data, context=context)
        return found

    @classmethod
    def names(cls) -> list[str]:
        """The keys that its mapping may have."""
        return [field.name for field in _fields(cls)]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Callable[[Any], CoreSchema]) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(cls._read, handler(source))

    @classmethod
    def _read(cls, data: Any, inner: Callable[[Any], Any]) -> Any:
        if isinstance(data, cls):
            return data
        if isinstance(data, Mapping):
            known = cls.names()
            data = {key: value for key, value in data.items() if not (is_blank(value) and key in known)}
        return inner(data)


class Before:
    """Of a field: what is read is first put through `function`."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], CoreSchema]) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.function, handler(source))


class After(Before):
    """Of a field: what was read is put through `function`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], CoreSchema]) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.function, handler(source))


class About:
    """What is said of a field in its JSON Schema, and how many entries it takes."""

    def __init__(self, description: str | None = None, least: int | None = None, most: int | None = None) -> None:
        self.described = {} if description is None else {"description": description}
        self.limits: Any = {} if least is None and most is None else {"min_length": least, "max_length": most}

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], CoreSchema]) -> Any:
        made: dict[str, Any] = dict(handler(source))
        return made | self.limits

    def __get_pydantic_json_schema__(self, schema: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return handler(schema) | self.described


def is_blank(value: Any) -> bool:
    """True for what stands after a key that is left empty."""
    return value is None or (isinstance(value, str) and value in BLANK)


_VALIDATORS: dict[type[Model], SchemaValidator] = {}  # made when they are first used


def _core(kind: Any) -> CoreSchema:
    """The schema of a field's type, by Pydantic's protocol, for the few kinds of which a file is made."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        handler = _core
        for marker in kind.__metadata__:
            if build := getattr(marker, "__get_pydantic_core_schema__", None):
                handler = partial(build, handler=handler)
        return handler(arguments[0])
    if kind is str:
        return core_schema.str_schema()
    if origin is list:
        return core_schema.list_schema(_core(arguments[0]))
    if origin is dict:
        return core_schema.dict_schema(core_schema.str_schema(), _core(arguments[1]))
    if origin is Literal:
        return core_schema.literal_schema(list(arguments))
    if origin in (Union, UnionType) and arguments[1:] == (type(None),):
        return core_schema.nullable_schema(_core(arguments[0]))
    if isinstance(kind, type) and issubclass(kind, Model):
        return kind.__get_pydantic_core_schema__(kind, _object)
    raise TypeError(f"no model can hold {kind!r}")


def _object(model: type[Model]) -> CoreSchema:
    found = {field.name: core_schema.typed_dict_field(_core(field.type), required=_required(field)) for field in _fields(model)}
    mapping = core_schema.typed_dict_schema(found, extra_behavior="forbid")
    return core_schema.no_info_after_validator_function(lambda given: model(**given), mapping)


def _fields(model: Any) -> tuple[Field[Any], ...]:
    return tuple(field for field in fields(model) if not field.name.startswith("_"))


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING

"""The tree of a patient file in the making: mappings and lists that know where each part came from, with a comment for people."""

from __future__ import annotations

from typing import Any

from hlhcli.readers.chart import Place
from hlhcli.yamltree import Mapping, Sequence


class Commented(Mapping):
    """A mapping with a comment for each of its keys, for people who read the file."""

    __slots__ = ("comments",)

    def __init__(self, place: Place = Place()) -> None:  # noqa: B008
        super().__init__((place.line, place.column))
        self.comments: dict[str, str] = {}

    def put(self, key: str, value: Any, place: Place, comment: str = "") -> None:
        self[key] = value
        self.key_marks[key] = self.value_marks[key] = (place.line, place.column)
        if comment:
            self.comments[key] = comment


class CommentedList(Sequence):
    """A list with a comment for each of its elements."""

    __slots__ = ("comments",)

    def __init__(self, place: Place = Place()) -> None:  # noqa: B008
        super().__init__((place.line, place.column))
        self.comments: list[str] = []

    def put(self, value: Any, place: Place, comment: str = "") -> None:
        self.append(value)
        self.value_marks.append((place.line, place.column))
        self.comments.append(comment)

"""JSON with exact numbers: whole documents, the entries of a Bundle one by one, and NDJSON line by line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

from hlhcli.errors import InputError, Problem
from hlhcli.readers.chart import Place
from hlhcli.yamltree import JsonNumber, decoded

MAX_DOCUMENT = 32 * 1024 * 1024  # bytes of a document that is read as a whole
MAX_LINE = 4 * 1024 * 1024  # bytes of one line of NDJSON

MAX_NODES = 500_000  # objects, keys and numbers of one value: a resource, a phenopacket

_BLANK = re.compile(r"[ \t\r\n]*")
_SURROGATE = re.compile("[\ud800-\udfff]")


class BadJson(ValueError):
    """Text that is no JSON, with the offset where it ends to be."""

    def __init__(self, message: str, offset: int = 0) -> None:
        self.offset = offset
        super().__init__(message)


class _Budget:
    """How many objects and numbers one value may still hold: a small text can make many."""

    left = 0


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _Budget.left -= 1 + len(pairs)
    if _Budget.left < 0:
        raise BadJson(f"more than {MAX_NODES} values in one piece")
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadJson("a key is written twice in one object")
    return found


def _no_number(name: str) -> NoReturn:
    raise BadJson(f"{name} is no number")


def _number(text: str) -> JsonNumber:
    _Budget.left -= 1
    if _Budget.left < 0:
        raise BadJson(f"more than {MAX_NODES} values in one piece")
    return JsonNumber(text)


_DECODER = json.JSONDecoder(parse_float=_number, parse_int=_number, parse_constant=_no_number, object_pairs_hook=_unique)


def value(text: str, at: int = 0) -> tuple[Any, int]:
    """The JSON value that starts at `at`, and where it ends. Every number is the text as it was written. Raises BadJson."""
    _Budget.left = MAX_NODES
    try:
        return _DECODER.raw_decode(text, at)
    except BadJson as error:
        raise BadJson(str(error), at) from None
    except json.JSONDecodeError as error:
        raise BadJson(f"not valid JSON: {error.msg.lower()}", error.pos) from None
    except RecursionError:
        raise BadJson("nested too deeply", at) from None


def _whole(text: str) -> Any:
    found, end = value(text, _skip(text, 0))
    if _skip(text, end) < len(text):
        raise BadJson("something follows the end of the JSON value", end)
    return found


def document(stream: BinaryIO, source: str) -> str:
    """The text of a whole document."""
    content = stream.read(MAX_DOCUMENT + 1)
    if len(content) > MAX_DOCUMENT:
        message = f"a JSON document larger than {MAX_DOCUMENT // 1024 // 1024} MiB; write NDJSON, one resource on a line"
        raise InputError([Problem(source, message)])
    return decoded(content, source)


def parse(text: str, source: str) -> Any:
    """The one value in the text."""
    try:
        return _whole(text)
    except BadJson as error:
        raise InputError([Problem(source, str(error), *_position(text, error.offset))]) from None


def lines(stream: BinaryIO) -> Iterator[tuple[int, Any | BadJson]]:
    """Each line of NDJSON with its number: the value on it, or what is wrong with it. Blank lines are passed over."""
    number = 0
    while content := stream.readline(MAX_LINE + 1):
        number += 1
        if len(content) > MAX_LINE:
            while content and not content.endswith(b"\n"):
                content = stream.readline(MAX_LINE)
            yield number, BadJson(f"a line longer than {MAX_LINE // 1024 // 1024} MiB")
            continue
        if not content.strip():
            continue
        try:
            text = content.decode("utf-8-sig" if number == 1 else "utf-8")
            yield number, _whole(text)
        except UnicodeDecodeError:
            yield number, BadJson("not UTF-8 text")
        except BadJson as error:
            yield number, error


def members(text: str, source: str, streamed: str) -> Iterator[tuple[str, Any, Place]]:
    """The members of the object in `text`; those of its list `streamed` one by one, with where each stands."""
    places = _Places(text)
    try:
        at = _skip(text, 0)
        if text[at : at + 1] != "{":
            raise BadJson("expected an object", at)
        seen: set[str] = set()
        at = _skip(text, at + 1)
        while text[at : at + 1] != "}":
            key, at = value(text, at)
            if not isinstance(key, str) or isinstance(key, JsonNumber) or key in seen:
                raise BadJson("a key is written twice in one object" if isinstance(key, str) else "expected a key", at)
            seen.add(key)
            at = _skip(text, _expect(text, _skip(text, at), ":"))
            if key == streamed and text[at : at + 1] == "[":
                at = _skip(text, at + 1)
                while text[at : at + 1] != "]":
                    place = places.of(at)
                    member, at = value(text, at)
                    yield key, member, place
                    at = _next(text, at, "]")
                at += 1
            else:
                place = places.of(at)
                member, at = value(text, at)
                yield key, member, place
            at = _next(text, at, "}")
        if _skip(text, at + 1) < len(text):
            raise BadJson("something follows the end of the JSON value", at + 1)
    except BadJson as error:
        raise InputError([Problem(source, str(error), *_position(text, error.offset))]) from None


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _expect(text: str, at: int, mark: str) -> int:
    if text[at : at + 1] != mark:
        raise BadJson(f"not valid JSON: expected '{mark}'", at)
    return at + 1


def _next(text: str, at: int, end: str) -> int:
    """Past the comma to the next member, or to the end of the list or object."""
    at = _skip(text, at)
    if text[at : at + 1] == end:
        return at
    at = _skip(text, _expect(text, at, ","))
    if text[at : at + 1] == end:
        raise BadJson("not valid JSON: nothing follows the comma", at)
    return at


class _Places:
    """Line and column of offsets that rise."""

    def __init__(self, text: str) -> None:
        self.text, self.line, self.start, self.done = text, 1, 0, 0

    def of(self, at: int) -> Place:
        self.line += self.text.count("\n", self.done, at)
        newline = self.text.rfind("\n", self.done, at)
        self.start = newline + 1 if newline >= 0 else self.start
        self.done = at
        return Place(self.line, at - self.start + 1)


def _position(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def plain(text: str) -> str:
    """Text in which half of a surrogate pair, which JSON can spell and no file can hold, is replaced."""
    return _SURROGATE.sub("\ufffd", text) if not text.isascii() else text

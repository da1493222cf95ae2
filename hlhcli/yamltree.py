"""YAML and JSON as text: every scalar is a string as it was written, every value knows its line and column.

YAML's own typing is never asked (`no` stays 'no', `012` stays '012', `1e3` stays '1e3'). Built on libyaml's events, without
recursion; duplicate keys, tags, several documents, and excessive size, depth or aliases are refused.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn, TypeAlias

import yaml

from hlhcli.errors import InputError, Problem, printable

MAX_BYTES = 2 * 1024 * 1024
MAX_NODES = 100_000
MAX_DEPTH = 24
MAX_KEY = 200

Mark: TypeAlias = tuple[int, int]
Node: TypeAlias = "str | Mapping | Sequence"

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SURROGATES = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_ADVICE = {
    "mapping values are not allowed": "a ':' cannot stand here; quote a text that holds ': ', and check the indentation",
    "could not find expected ':'": "a key needs a ':' after it; check this line and the one before, and the quotes",
    "did not find expected key": "this line fits none of those above; check the indentation, quotes and brackets",
    "did not find expected <document start>": "this line fits none of those above; check the indentation",
    "did not find expected '-' indicator": "this line is not part of the list above; check the indentation",
    "did not find expected ',' or": "a ',' or a closing bracket is missing before this",
    "found unexpected end of stream": "a quote is not closed",
    "found character that cannot start any token": "this character has a meaning of its own in YAML; quote the text",
}
_UNQUOTED = re.compile(r"[>|][-+]?\d|>\s*=?\s*[\d.]")


class Block(str):
    """A scalar written as a block (`>` or `|`): prose, never a value."""


class JsonNumber(str):
    """A scalar that stood in JSON without quotes: its decimal mark is a point, whatever the file says of texts."""


class Mapping(dict[str, Any]):
    """A mapping with the marks of its keys and values; `start` is where it begins."""

    __slots__ = ("key_marks", "start", "value_marks")

    def __init__(self, start: Mark) -> None:
        super().__init__()
        self.start = start
        self.key_marks: dict[str, Mark] = {}
        self.value_marks: dict[str, Mark] = {}


class Sequence(list[Any]):
    """A list with the marks of its elements; `start` is where it begins."""

    __slots__ = ("start", "value_marks")

    def __init__(self, start: Mark) -> None:
        super().__init__()
        self.start = start
        self.value_marks: list[Mark] = []


def parse(content: bytes | str, source: str) -> Node:
    """The one document in `content`. Raises InputError with file, line and column."""
    return _Builder(source).build(_text(content, source))


def mark_of(root: Node, path: tuple[str | int, ...], key: bool = False) -> Mark:
    """Line and column of what stands at `path` (of its key, with `key`), or of the nearest thing around it."""
    node: Any = root
    mark: Mark = getattr(root, "start", (1, 1))
    for step in path:
        if isinstance(node, Mapping) and step in node:
            last = step == path[-1]
            mark = (node.key_marks if key and last else node.value_marks)[str(step)]
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node):
            mark = node.value_marks[step]
        else:
            break
        node = node[step]
    return mark


def _text(content: bytes | str, source: str) -> str:
    if len(content) > MAX_BYTES:
        raise InputError([Problem(source, f"the input is larger than {MAX_BYTES // 1024} KiB, the limit for one file")])
    text = content if isinstance(content, str) else decoded(content, source)
    if text.lstrip()[:1] in ("{", "["):  # JSON writes characters beyond the basic plane as surrogate pairs, which YAML refuses
        text = _SURROGATES.sub(lambda m: chr(0x10000 + ((int(m[1], 16) & 0x3FF) << 10) + (int(m[2], 16) & 0x3FF)), text)
    return text


def decoded(content: bytes, source: str) -> str:
    """UTF-8 text, with or without a mark at its start. Raises InputError."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise InputError([Problem(source, "the input is not UTF-8 text; save it as UTF-8", line, column)]) from None


class _Builder:
    """Folds libyaml's events into Mapping, Sequence and str."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.nodes = 0
        self.json = False
        self.lines: list[str] = []

    def fail(self, message: str, mark: Mark) -> NoReturn:
        raise InputError([Problem(self.source, message, *mark)]) from None

    def build(self, text: str) -> Node:
        self.lines = text.splitlines()
        self.json = text.lstrip()[:1] in ("{", "[")
        try:
            return self.fold(text)
        except yaml.reader.ReaderError:
            before = text[: _offset(text)]
            mark = before.count("\n") + 1, len(before) - before.rfind("\n")
            self.fail("a control character is not allowed here; remove it", mark)
        except yaml.MarkedYAMLError as error:
            at = error.problem_mark or error.context_mark
            self.fail(self.explain(error, at.line if at else 0), (at.line + 1, at.column + 1) if at else (1, 1))

    def explain(self, error: yaml.MarkedYAMLError, line: int) -> str:
        written = self.lines[line] if line < len(self.lines) else ""
        if re.search(r"[:,\[-]\s*[>≥]\s*=?\s*[\d.]", written):
            return "quote values that start with '>', for example ferritin: \">20000 ng/mL\""
        if "\t" in written[: len(written) - len(written.lstrip())]:
            return "a tab cannot indent YAML; use spaces"
        what = error.problem or "cannot be read"
        for problem, advice in _ADVICE.items():
            if problem in what:
                return f"not valid YAML or JSON: {advice} (what follows was not read)"
        return f"not valid YAML or JSON: {what}" + (f" ({error.context})" if error.context else "")

    def fold(self, text: str) -> Node:
        root: Node | None = None
        parent: Mapping | Sequence | None = None  # the innermost open container
        key: str | None = None  # its pending key, and where that stands
        key_mark = (0, 0)
        outer: list[tuple[Mapping | Sequence | None, str | None, int]] = []  # around it: container, anchor, nodes before it
        documents = 0
        loader = _LOADER(text)
        while (event := loader.get_event()) is not None:
            kind = type(event)
            mark = event.start_mark.line + 1, event.start_mark.column + 1
            opened: Mapping | Sequence | None = None
            node: Node
            if kind is yaml.ScalarEvent:
                node = self.scalar(event, mark)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self.refuse_tag(event, mark)
                node = opened = Mapping(mark) if kind is yaml.MappingStartEvent else Sequence(mark)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                closed = parent
                parent, anchor, before = outer.pop()
                if anchor and closed is not None:
                    self.anchors[anchor] = closed, self.nodes - before
                continue
            elif kind is yaml.AliasEvent:
                node = self.alias(event.anchor, mark)
            else:
                documents += kind is yaml.DocumentStartEvent
                if documents > 1:
                    self.fail("more than one YAML document; put each patient into a file of its own", mark)
                continue
            self.count(1, mark)
            if parent is None:
                root = node
            elif isinstance(parent, Sequence):
                parent.append(node)
                parent.value_marks.append(mark)
            elif key is None:
                key, key_mark = self.key(parent, node, mark), mark
                continue
            else:
                parent[key] = node
                parent.key_marks[key] = key_mark
                parent.value_marks[key] = mark
                key = None
            if opened is not None:
                outer.append((parent, event.anchor, self.nodes))
                parent = opened
                if len(outer) > MAX_DEPTH:
                    self.fail(f"nested deeper than {MAX_DEPTH} levels", mark)
        if root is None:
            raise InputError([Problem(self.source, "the input is empty", 1, 1)])
        return root

    def scalar(self, event: yaml.ScalarEvent, mark: Mark) -> str:
        if event.tag is not None:
            self.refuse_tag(event, mark)
        if event.style in (">", "|") and _UNQUOTED.match(self.lines[mark[0] - 1][mark[1] - 1 :]):
            self.fail("quote values that start with '>', for example ferritin: \">20000 ng/mL\"", mark)
        value = str(event.value)
        if event.style in (">", "|"):
            value = Block(value)
        elif self.json and not event.style and value[:1] in "-0123456789":
            value = JsonNumber(value)
        if event.anchor:
            self.anchors[event.anchor] = value, 1
        return value

    def alias(self, anchor: str, mark: Mark) -> Node:
        if anchor not in self.anchors:
            self.fail(
                f"'*{printable(anchor, 60)}' repeats something that is not defined before it; quote text that starts with '*'", mark
            )
        node, size = self.anchors[anchor]
        self.count(size, mark)
        return node

    def count(self, nodes: int, mark: Mark) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            self.fail(f"more than {MAX_NODES} values, the limit for one file", mark)

    def refuse_tag(self, event: Any, mark: Mark) -> None:
        if event.tag is not None and event.tag != "!":
            self.fail("YAML tags ('!…') are not supported; write the plain value", mark)

    def key(self, parent: Mapping, node: Node, mark: Mark) -> str:
        if not isinstance(node, str):
            self.fail("a key must be plain text", mark)
        if len(node) > MAX_KEY:
            self.fail(f"a key is longer than {MAX_KEY} characters", mark)
        if node in parent:
            first = parent.key_marks[node][0]
            self.fail(f"'{printable(node, 60)}' is written twice (first in line {first}; what follows was not read)", mark)
        return node


def _offset(text: str) -> int:
    """libyaml tells the byte or the character position; the first character that YAML refuses is looked up instead."""
    found = re.search("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    return found.start() if found else 0

"""Writes the tree of a patient file as YAML, with a comment beside each value that says where it came from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from hlhcli.errors import printable
from hlhcli.yamltree import MAX_BYTES, MAX_NODES

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/*%+()°µ-]*", re.ASCII)  # needs no quotes, wherever it stands
_HIDDEN = re.compile(
    "[^ -~\u00a1-\u167f\u1681-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff01-\uffef]"
)
_WIDTH = 100


def write(tree: Any, header: list[str]) -> str:
    """The text of the file; it reads back as the same tree. `header` are lines of comment at its top."""
    lines = [f"# {_comment(line)}".rstrip() for line in header]
    return "\n".join([*lines, *_block(tree, "")]) + "\n"


def fits(text: str) -> bool:
    """True where the file is small enough to be read back."""
    return len(text.encode()) <= MAX_BYTES and text.count("\n") * 4 < MAX_NODES


def scalar(text: str) -> str:
    """A text as YAML that reads back as it is."""
    if _PLAIN.fullmatch(text) and not text.endswith(" "):
        return text
    return _HIDDEN.sub(_escaped, json.dumps(text, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def _comment(text: str) -> str:
    return printable(text, 200)


def _block(node: Any, indent: str) -> Iterator[str]:
    """The lines of a mapping or list, one entry on each where it has comments or is long."""
    comments = getattr(node, "comments", {})
    entries = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in entries:
        comment = comments[key] if isinstance(node, list) else comments.get(key, "")
        start = f"{indent}{scalar(str(key))}: " if isinstance(node, dict) else f"{indent}- "
        beside = f"   # {_comment(comment)}" if comment else ""
        flow = _flow(value) if not _has_comments(value) else ""
        if isinstance(value, str) or not value or (flow and len(start) + len(flow) <= _WIDTH):
            yield f"{start}{flow}{beside}"
        elif isinstance(node, list):
            first, *rest = _block(value, indent + "  ")
            yield f"{start}{first.lstrip()}{beside}"
            yield from rest
        else:
            yield f"{start.rstrip()}{beside}"
            yield from _block(value, indent + "  ")


def _flow(node: Any) -> str:
    if isinstance(node, dict):
        return "{" + ", ".join(f"{scalar(key)}: {_flow(value)}" for key, value in node.items()) + "}"
    if isinstance(node, list):
        return "[" + ", ".join(map(_flow, node)) + "]"
    return scalar(node)


def _has_comments(node: Any) -> bool:
    """True where something inside has a comment, and so needs a line of its own; time points always have theirs."""
    if isinstance(node, str):
        return False
    comments = getattr(node, "comments", {})
    inside = node.values() if isinstance(node, dict) else node
    return any(comments.values() if isinstance(comments, dict) else comments) or any(map(_has_comments, inside))

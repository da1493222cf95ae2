"""Coverage-guided fuzzing of one target (needs atheris): python tests/fuzz/fuzz.py TARGET [options of libFuzzer]."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import re
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import atheris

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

with atheris.instrument_imports(include=["hlhcli"]):
    from targets import PART, TARGETS

from dictionary import words  # noqa: E402

WORDS = words()
SLOW = 4  # seconds of one input
SYNTAX = [b'"', b"'", b"{", b"}", b"[", b"]", b": ", b",", b";", b"\n", b"\r", b"\t", b"- ", b"&a ", b"*a", b"<<: ", b"!!x ", b"---\n", b"#", b"|", b">", b"? ",
          b"%", b"~", b"\x00", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\x85", b"\xe2\x80\xa8", b"sep=;\n", PART]  # fmt: skip
YAML = ("patient", "columns", "criteria", "response")
JSON = ("fhir", "phenopacket")
ROWS = ("table", "redcap", "omop", "mapped")


def odd(chance: random.Random) -> Any:
    """A JSON value that hardly belongs anywhere."""
    return chance.choice(
        [None, True, False, 0, -1, 10**40, 1.5, "", " ", [], {}, [[]], [{}], [None], {"": ""}, {"a": {"a": {}}}, "x" * 300, chance.choice(WORDS), chance.choice(WORDS)]
    )  # fmt: skip


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container in the tree with each key of it."""
    found, todo = [], [tree]
    while todo:
        node = todo.pop()
        inside = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
        found += [(node, key) for key, _ in inside]
        todo += [value for _, value in inside]
    return found


def in_tree(tree: Any, chance: random.Random) -> Any:
    known = places(tree)
    if not known:
        return tree
    node, key = chance.choice(known)
    kind = chance.randrange(9)
    if kind == 0:
        del node[key]
    elif kind == 1:
        node[key] = odd(chance)
    elif kind == 2:
        other, there = chance.choice(known)
        if there in other if isinstance(other, dict) else there < len(other):
            node[key] = json.loads(json.dumps(other[there]))
    elif kind == 3 and isinstance(node, list):
        node.insert(key, json.loads(json.dumps(node[key])))
    elif kind == 3:
        node[chance.choice(WORDS)] = json.loads(json.dumps(node[key]))
    elif kind == 4 and isinstance(node, dict):
        node[chance.choice(WORDS)] = node.pop(key)
    elif kind == 5:
        node[key] = [node[key]]
    elif kind == 6:
        node[key] = {chance.choice(WORDS): node[key]}
    elif isinstance(node[key], str):
        node[key] = in_text(node[key], chance)
    else:
        node[key] = chance.choice(WORDS)
    return tree


def in_text(text: str, chance: random.Random) -> str:
    """Another value, or a word put into it."""
    if chance.random() < 0.6:
        return chance.choice(WORDS)
    at = chance.randint(0, len(text))
    return text[:at] + chance.choice((" ", "", "-", "/", ",", ".")) + chance.choice(WORDS) + text[at:]


def in_rows(data: bytes, chance: random.Random) -> bytes:
    parts = data.split(PART)
    number = chance.randrange(len(parts))
    text = parts[number].decode("utf-8", "replace")
    delimiter = max(",;\t|", key=text.partition("\n")[0].count)
    rows = list(csv.reader(io.StringIO(text.replace("\0", "")), delimiter=delimiter)) or [[""]]
    row = chance.choice(rows) or [""]
    at = chance.randrange(len(row)) if row else 0
    kind = chance.randrange(8)
    if kind <= 2 and row:
        row[at] = in_text(row[at], chance)
    elif kind == 3:
        rows.insert(chance.randrange(len(rows)), list(chance.choice(rows)))
    elif kind == 4:
        rows.remove(chance.choice(rows))
    elif kind == 5:
        for each in rows:
            each.insert(at, chance.choice(each) if each else "")
    elif kind == 6:
        row.insert(at, chance.choice(WORDS))
    else:
        for each in rows:
            if len(each) > at:
                del each[at]
    made = io.StringIO()
    csv.writer(
        made,
        delimiter=chance.choice(",;\t|") if chance.random() < 0.05 else delimiter,
        lineterminator=chance.choice(("\n", "\n", "\n", "\r\n", "\r")),
    ).writerows(rows)
    parts[number] = made.getvalue().encode("utf-8", "replace")
    return PART.join(parts)


def in_lines(data: bytes, chance: random.Random) -> bytes:
    """Lines of YAML doubled, moved, cut, indented; scalars replaced."""
    kind = chance.randrange(8)
    if kind <= 3:
        scalars = list(re.finditer(rb"[^\s:,{}\[\]#\"][^\n:,{}\[\]#\"]*", data))
        if scalars:
            hit = chance.choice(scalars)
            word = chance.choice(WORDS).encode("utf-8", "replace")
            word = b'"%s"' % word if chance.random() < 0.4 else word
            return data[: hit.start()] + word + data[hit.end() :]
    lines = data.split(b"\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    indent = lines[other][: len(lines[other]) - len(lines[other].lstrip())]
    if kind == 4:
        lines.insert(one, lines[other])
    elif kind == 5:
        lines.insert(one, indent + chance.choice(WORDS).encode() + b": " + chance.choice(WORDS).encode("utf-8", "replace"))
    elif kind == 6:
        lines[one] = indent + lines[one].lstrip()
    else:
        del lines[one : one + chance.randint(1, 4)]
    return b"\n".join(lines)


def mutator(target: str) -> Any:
    def mutate(data: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)
        for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
            how = chance.random()
            if how < 0.12:
                data = atheris.Mutate(data, most)
            elif how < 0.22:
                at = chance.randint(0, len(data))
                data = data[:at] + chance.choice(SYNTAX) + data[at:]
            elif how < 0.28:
                at = chance.randint(0, len(data))
                data = data[:at] + chance.choice(WORDS).encode("utf-8", "replace") + data[at + chance.randint(0, 8) :]
            else:
                data = by_form(data, chance)
        return data[:most]

    def by_form(data: bytes, chance: random.Random) -> bytes:
        head, mark, rest = data.partition(PART)
        if target == "mapped" and mark and chance.random() < 0.5:
            return in_lines(head, chance) + mark + rest
        if target == "mapped" and mark and rest.lstrip()[:1] == b"{":
            return head + mark + as_json(rest, chance)
        if target in ROWS or (target == "detected" and data[:1] not in b"{[" and b"," in data.partition(b"\n")[0]):
            try:
                return in_rows(data, chance)
            except csv.Error:
                return data
        if target in JSON or data.lstrip()[:1] == b"{":
            return as_json(data, chance)
        return (
            in_text(data.decode("utf-8", "replace"), chance).encode("utf-8", "replace")
            if target == "text"
            else in_lines(data, chance)
        )

    def as_json(data: bytes, chance: random.Random) -> bytes:
        lines = data.split(b"\n") if data.count(b"\n{") else [data]
        at = chance.randrange(len(lines))
        try:
            lines[at] = json.dumps(in_tree(json.loads(lines[at]), chance)).encode("utf-8", "replace")
        except (ValueError, RecursionError):
            return in_lines(data, chance)
        return b"\n".join(lines)

    return mutate


def keeping(once: Any, folder: Path) -> Any:
    """Runs a target on, and keeps the smallest input of each failure in the folder; slow inputs too."""
    known: dict[str, int] = {}

    def run(data: bytes) -> None:
        data, start, name = bytes(data), time.process_time(), ""
        try:
            once(data)
        except Exception as error:
            where = [
                each
                for each in traceback.extract_tb(error.__traceback__)
                if "targets.py" in each.filename or "hlhcli" in each.filename
            ]
            name = "-".join([type(error).__name__, *(f"{Path(each.filename).stem}.{each.lineno}" for each in where[-2:])])
        if time.process_time() - start > SLOW:
            name = "slow"
        if name and len(data) < known.get(name, sys.maxsize):
            known[name] = len(data)
            (folder / name).write_bytes(data)
            print("FOUND", name, len(data), flush=True)

    return run


def main() -> None:
    target = sys.argv[1]
    arguments = [sys.argv[0], *sys.argv[2:]]
    folder = os.environ.get("FOUND")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    atheris.Setup(
        arguments,
        keeping(TARGETS[target], Path(folder)) if folder else lambda data: TARGETS[target](bytes(data)) and None,
        custom_mutator=mutator(target),
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()

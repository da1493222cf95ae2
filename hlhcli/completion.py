"""What a shell may complete, from files that are read as lines: nothing else is imported, as somebody waits at every key.

It answers the scripts that `hlhcli --install-completion` installs. Where it has nothing to say, the shell offers files.
"""

import os
import sys

_FOLDER = os.path.dirname(__file__)  # noqa: PTH120 - pathlib would take longer than all the rest
_HEAD = 1024  # bytes of a criteria file, in which its id and title stand
_VALUES = {
    "--format": "table json jsonl csv markdown",
    "cohort summary --format": "table json markdown",
    "--from": "patient fhir phenopacket csv xlsx omop",
    "--engine": "duckdb spark",
    "--sql": "duckdb spark postgres",
    "schema": "patient results criteria",
}
_SETS = ("--criteria", "--diff", "criteria")

Found = list[tuple[str, str]]  # what may stand there, and what it is


class _Command:
    """A line of commands.tsv and those under it: the options by each of their names, with how many values they take."""

    def __init__(self, name: str, short: str) -> None:
        self.name = name
        self.short = short
        self.options: dict[str, tuple[str, int]] = {}
        self.shown: Found = []


def _commands() -> dict[str, _Command]:
    found: dict[str, _Command] = {}
    for line in _read(f"{_FOLDER}/commands.tsv").splitlines():
        first, *rest = line.split("\t")
        if len(rest) == 1:
            found[first] = last = _Command(first, rest[0])
        else:
            names, values, about = rest
            for name in names.split():
                last.options[name] = (names.split()[0], int(values))
                last.shown.append((name, about))
    return found


def candidates(words: list[str], current: str) -> Found:
    """What may stand for `current`, after these words; nothing where it may be a file, or anything."""
    commands = _commands()
    name = ""
    folders = os.environ.get("HLHCLI_CRITERIA", "").split(os.pathsep)
    pending: list[str] = []  # the option that waits for its values, once for each
    ended = False
    for word in words:
        if pending:
            if pending.pop() == "--criteria-dir":
                folders.append(word)
        elif not ended and word.startswith("-"):
            ended = word == "--"
            option, values = commands[name].options.get(word, ("", 0))
            pending = [option] * values
        elif f"{name} {word}".strip() in commands:
            name = f"{name} {word}".strip()
        elif not name:
            return []
    known = commands[name]
    joined = ""
    if pending:
        found = _values(pending[-1], known, folders)
    elif not ended and current.startswith("--") and "=" in current:
        joined, _, _ = current.partition("=")
        option, values = known.options.get(joined, ("", 0))
        found = [(f"{joined}={value}", about) for value, about in (_values(option, known, folders) if values else [])]
    elif not ended and current.startswith("-"):
        found = known.shown
    elif not name:
        found = [(each.name, each.short) for each in commands.values() if each.name and " " not in each.name]
    else:
        found = _values("", known, folders)
        # `cohort` takes files; its second word is offered where one has begun to write it.
        found += [(two.partition(" ")[2], each.short) for two, each in commands.items() if current and two.startswith(f"{name} ")]
    return [each for each in found if each[0].startswith(current)]


def _values(option: str, command: _Command, folders: list[str]) -> Found:
    """What an option may have, or (without one) what may be an argument of the command."""
    asked = option or command.name
    if asked in _SETS:
        others = [("test", "Run the cases that stand in criteria files")] if not option else []
        return _sets(folders) + ([("all", "Every set")] if option == "--criteria" else others)
    if asked == "observables":
        return _observables()
    if asked == "--anchor":
        return [
            (f"{which}-{name}", f"{which.capitalize()} value: {title}")
            for which in ("first", "last")
            for name, title in _observables()
        ]
    if asked == "--anchors":
        on = [(f"on:{name}", f"Each day with a value: {title}") for name, title in _observables()]
        return [("daily", "Each day with a value"), *on]
    values = _VALUES.get(f"{command.name} {option}") or _VALUES.get(asked, "")
    return [(value, "") for value in values.split()]


def _sets(folders: list[str]) -> Found:
    """The sets and rules that ship, then those in the folders of a user: the id and the title of each."""
    found = []
    for folder in (f"{_FOLDER}/criteria", f"{_FOLDER}/criteria/response", *filter(None, folders)):
        try:
            names = sorted(os.listdir(folder))  # noqa: PTH208
        except OSError:
            continue
        for name in names:
            if name.endswith((".yaml", ".yml")):
                lines = _read(f"{folder}/{name}", _HEAD).splitlines()
                said = dict(line.split(": ", 1) for line in lines if line.startswith(("id: ", "title: ")))
                if "id" in said:
                    found.append((said["id"].strip("\"' "), said.get("title", "").strip("\"' ")))
    return found


def _observables() -> Found:
    _, _, text = _read(f"{_FOLDER}/observables.yaml").partition("\nobservables:\n")
    found = []
    for line in text.splitlines():
        if line.startswith("  ") and not line.startswith("   ") and ": {title: " in line:
            name, _, rest = line.strip().partition(": {title: ")
            found.append((name, rest.partition(",")[0].strip("\"'} ")))
    return found


def _read(path: str, size: int = -1) -> str:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(size).decode("utf-8", "ignore")
    except OSError:
        return ""


def complete(shell: str) -> None:
    """Print what may stand where the cursor is, in the form that the script of the shell expects."""
    if shell not in _SHOWN:
        sys.exit(f"there is no completion for {shell}; choose from {', '.join(_SHOWN)}")
    asked, words = _asked(shell)
    current = words.pop() if words else ""
    found = candidates(words, current)
    if shell == "fish" and asked == "is-args":
        sys.exit(0 if found else 1)
    sys.stdout.write("\n".join(_SHOWN[shell](found, current)) + "\n")


def _asked(shell: str) -> tuple[str, list[str]]:
    """What is asked for, and the words after the program, with the one that is being written."""
    if shell == "bash":
        words = _split(os.environ.get("COMP_WORDS", ""))
        at = int(os.environ.get("COMP_CWORD", "0"))
        return "", _whole([*words, ""][1 : at + 1])
    text = os.environ.get("_TYPER_COMPLETE_ARGS", "")
    words = _split(text)[1:]
    return os.environ.get("_TYPER_COMPLETE_FISH_ACTION", ""), [*words, ""] if text[-1:].isspace() else words


def _whole(words: list[str]) -> list[str]:
    """Words that Bash parts at = and :, put together."""
    whole: list[str] = []
    for word in words:
        if whole and (word in ("=", ":") or (whole[-1][-1:] in ("=", ":") and len(whole[-1]) > 1)):
            whole[-1] += word
        else:
            whole.append(word)
    return whole


def _split(text: str) -> list[str]:
    """The words of a line that may end within a quotation."""
    if not any(mark in text for mark in "\"'\\"):
        return text.split()
    import shlex

    found = shlex.shlex(text, posix=True, punctuation_chars=False)
    found.whitespace_split, found.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(found)
    except ValueError:  # the quotation is still open
        words.append(found.token)
    return words


def _bash(found: Found, current: str) -> list[str]:
    """Values alone; of one with = or : only what is behind it, which is the word that Bash replaces."""
    start = 1 + max(current.rfind("="), current.rfind(":"))
    return [value[start:] for value, _ in found]


def _zsh(found: Found, _: str) -> list[str]:
    """A call of `_arguments` in single quotes, and in that a list in double quotes, of which a colon ends the value."""

    def quoted(text: str) -> str:
        for mark in "\\\"'$`":
            text = text.replace(mark, "")
        return '"' + text.replace(":", r"\\:") + '"'

    shown = [f"{quoted(value)}:{quoted(about)}" if about else quoted(value) for value, about in found]
    return ["_arguments '*: :((" + "\n".join(shown) + "))'"] if shown else ["_files"]


def _fish(found: Found, _: str) -> list[str]:
    return [f"{value}\t{about}" if about else value for value, about in found]


def _powershell(found: Found, _: str) -> list[str]:
    return [f"{value}:::{about or ' '}" for value, about in found]


_SHOWN = {"bash": _bash, "zsh": _zsh, "fish": _fish, "powershell": _powershell, "pwsh": _powershell}

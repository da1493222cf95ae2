"""Mutation testing of the modules that decide: every small change of their code must be noticed by a test.

    python tests/mutation/module_mutants.py quantity evaluate -o mutants.jsonl      one line for each mutant, as it is done
    python tests/mutation/module_mutants.py --summary mutants.jsonl                 the table of the README

The operators are those of cosmic-ray (pip install cosmic-ray); of its pairs of operators those that ask a question of their own: an
edge that moves, a comparison that is denied or turned round, another arithmetic. Each mutant lives in a process of its own, forked from one that has
imported pytest but nothing of hlhcli; the command that tests call runs inside that process too.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib.abc
import importlib.util
import io
import json
import os
import runpy
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import ModuleType, SimpleNamespace

import cosmic_ray.plugins
from cosmic_ray.mutating import mutate_code

ROOT = Path(__file__).parent.parent.parent
TESTS = ROOT / "tests"
LIMIT = 10  # times what the unchanged module takes, for one mutant: an endless loop is noticed too
NOT_FOR_IT = {  # tests of files, pictures, imports and damage, which say nothing of a verdict, or say it again slowly
    "test_house.py", "test_mutations.py", "test_pictures.py", "test_imports.py",
}  # fmt: skip
FIRST = {
    "quantity": ["test_quantity.py"],
    "rules": ["test_evaluate.py", "test_definition.py"],
    "evaluate": ["test_evaluate.py", "cases_in_process.py"],
    "snapshot": ["test_snapshot.py", "test_window.py"],
    "course": ["vectors_in_process.py", "test_course.py"],
}
SECOND = {
    "quantity": ["test_evaluate.py", "test_changes.py"],
    "course": [],
    "snapshot": ["test_evaluate.py"],
    "evaluate": [],
    "rules": [],
}
THEN = [
    "test_evaluate.py",
    "test_observations.py",
    "test_scores.py",
    "test_snapshot.py",
    "test_window.py",
    "test_changes.py",
    "vectors_in_process.py",
]


PAIRS = {
    "Comparison": "Eq_NotEq NotEq_Eq Is_IsNot IsNot_Is Lt_LtE Lt_GtE Lt_Gt LtE_Lt LtE_Gt LtE_GtE Gt_GtE Gt_LtE Gt_Lt GtE_Gt GtE_Lt GtE_LtE",
    "Binary": "Add_Sub Sub_Add Mul_Div Div_Mul FloorDiv_Mul Mod_Mul Pow_Mul BitOr_BitAnd BitAnd_BitOr",
}


def _asks(name: str) -> bool:
    """Whether the operator is one of those that are used."""
    if name in ("VariableInserter", "VariableReplacer"):  # need to be told names
        return False
    kind, _, pair = name.removeprefix("Replace").partition("Operator_")
    return kind not in PAIRS or pair in PAIRS[kind].split()


def mutants(source: str) -> list[tuple[str, int, str, str]]:
    """Operator, line, the changed line and the changed module, of every mutant that is another program."""
    seen = {_program(source)}
    found = []
    for name in sorted(cosmic_ray.plugins.operator_names()):
        if not _asks(name.removeprefix("core/")):
            continue
        for occurrence in range(10_000):
            changed = mutate_code(source, cosmic_ray.plugins.get_operator(name)(), occurrence)
            if changed is None:
                break
            program = _program(changed)
            if program in seen:
                continue
            seen.add(program)
            pairs = zip(source.splitlines(), changed.splitlines(), strict=False)
            line, text = next((n, new) for n, (old, new) in enumerate(pairs, 1) if old != new)
            found.append((name.removeprefix("core/"), line, text.strip(), changed))
    return sorted(found, key=lambda one: one[1])


def _program(source: str) -> str:
    """What runs: without annotations, which no module here evaluates, and without docstrings."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return source
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.returns = None
        elif isinstance(node, ast.AnnAssign) and not ast.unparse(node.annotation).endswith("TypeAlias"):
            node.annotation = ast.Constant(None)
    return ast.dump(tree)


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module with another source."""

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self, origin=str(_path(self.name))) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(_path(self.name))
        exec(compile(self.source, module.__file__, "exec"), module.__dict__)


def _path(name: str) -> Path:
    return ROOT / f"{name.replace('.', '/')}.py"


def in_process(*arguments, stdin=b"", cwd=ROOT, timeout=60.0, **environment):
    """What tests/command.py does, without a process of its own."""
    streams = sys.stdin, sys.stdout, sys.stderr, sys.argv
    kept, before = dict(os.environ), Path.cwd()
    text = stdin.encode() if isinstance(stdin, str) else stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(text), encoding="utf-8")
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace") for _ in "12")
    sys.stdout, sys.stderr, sys.argv = out, err, ["hlhcli", *map(str, arguments)]
    code = 0
    try:
        os.environ.update(environment)
        os.chdir(cwd)
        sys.modules.pop("hlhcli.cli", None)  # which says what commands there are, and is changed by a start
        for name in [each for each in sys.modules if each.startswith("hlhcli.cli_")]:
            del sys.modules[name]
        runpy.run_module("hlhcli", run_name="__main__", alter_sys=False)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception as error:  # what a real process would end with
        err.write(f"Traceback: {error!r}")
        code = 1
    finally:
        for name, own in ((signal.SIGPIPE, signal.SIG_IGN), (signal.SIGTERM, signal.SIG_DFL), (signal.SIGHUP, signal.SIG_DFL)):
            signal.signal(name, own)
        sys.stdin, sys.stdout, sys.stderr, sys.argv = streams
        os.environ.clear()
        os.environ.update(kept)
        os.chdir(before)
        out.flush()
        err.flush()
    texts = [each.buffer.getvalue().decode("utf-8", "replace") for each in (out, err)]
    return SimpleNamespace(code=code, out=texts[0], err=texts[1])


def relevant(module: str) -> list[list[str]]:
    """The files of tests for a module, in stages: what notices most, then all the others."""
    every = sorted(path.name for path in TESTS.glob("test_*.py") if path.name not in NOT_FOR_IT)
    chosen = [name for name in FIRST.get(module, []) if (TESTS / name).exists() or (TESTS / "mutation" / name).exists()]
    second = [name for name in SECOND.get(module, THEN) if name not in chosen]
    return [chosen, second, [name for name in every if name not in chosen + second]]


def _file(name: str) -> str:
    return str(TESTS / name if (TESTS / name).exists() else TESTS / "mutation" / name)


def notice(stages: list[list[str]]) -> str | None:
    """The first test that fails, or None; run in a process of its own."""
    import command
    import pytest

    class Told:
        failed: str | None = None

        def pytest_runtest_logreport(self, report):
            if report.failed:
                self.failed = self.failed or report.nodeid

        def pytest_collectreport(self, report):
            if report.failed:
                self.failed = self.failed or f"{report.nodeid} (import)"

    command.Ran = lambda code, out, err: SimpleNamespace(code=code, out=out, err=err, json=None)
    command.hlhcli = lambda *a, **k: _with_json(in_process(*a, **k))
    for stage in stages:
        if not stage:
            continue
        told = Told()
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--import-mode=importlib", "--no-header", "--tb=no"]
        code = pytest.main([*options, *map(_file, stage)], plugins=[told])
        if code != 0:
            return told.failed or f"pytest: {code}"
    return None


def _with_json(ran):
    class Ran(SimpleNamespace):
        @property
        def json(self):
            return json.loads(self.out)

    return Ran(**vars(ran))


def run(module: str, source: str, stages: list[list[str]], limit: float = 600) -> tuple[str | None, float]:
    """What noticed the mutant (None: nothing), and the seconds it took."""
    began = time.monotonic()
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        os.close(read_end)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        sys.meta_path.insert(0, Mutated(f"hlhcli.{module}", source))
        try:
            said = notice(stages) or ""
        except BaseException as error:
            said = f"import: {type(error).__name__}"
        with contextlib.suppress(OSError):
            os.write(write_end, said.encode()[:2000])
        os._exit(0)
    os.close(write_end)
    said = None
    while said is None:
        done, _ = os.waitpid(child, os.WNOHANG)
        if done:
            said = os.read(read_end, 2000).decode()
        elif time.monotonic() - began > limit:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            said = "time"
        else:
            time.sleep(0.02)
    os.close(read_end)
    return said or None, time.monotonic() - began


def prepare() -> None:
    """Imports what tests need, and nothing of hlhcli, so that a fork starts quickly."""
    sys.path[:0] = [str(ROOT), str(TESTS), str(TESTS / "mutation")]
    sys.dont_write_bytecode = True
    for name in (
        "pytest",
        "hypothesis",
        "hypothesis.strategies",
        "pydantic",
        "typer",
        "rich.console",
        "rich.table",
        "yaml",
        "jsonschema",
        "command",
    ):
        importlib.import_module(name)
    assert not any(name.startswith("hlhcli") for name in sys.modules), "hlhcli must be imported by each mutant anew"


def summary(path: Path) -> None:
    """The table, and the survivors."""
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    count = Counter(one["module"] for one in found)
    killed = Counter(one["module"] for one in found if one["noticed"])
    for module in count:
        print(f"| {module}.py | {count[module]} | {killed[module]} | {100 * killed[module] / count[module]:.1f} |")
    print(f"| all | {len(found)} | {sum(killed.values())} | {100 * sum(killed.values()) / len(found):.1f} |")
    for one in found:
        if not one["noticed"]:
            print(f"{one['module']}.py:{one['line']}: {one['text']}    ({one['operator']})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*")
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--summary", type=Path)
    parser.add_argument("--list", action="store_true", help="only say how many there are")
    parser.add_argument("--all", action="store_true", help="what survives the quick tests meets all the others")
    parser.add_argument("--only", type=Path, help="of these results, those that survived")
    parser.add_argument("--part", default="0/1", help="such as 0/2 and 1/2: every second mutant, for two processes")
    given = parser.parse_args()
    if given.summary:
        summary(given.summary)
        return
    prepare()
    again = [json.loads(line) for line in given.only.read_text(encoding="utf-8").splitlines()] if given.only else []
    keep = {(one["module"], one["operator"], one["text"]) for one in again if not one["noticed"]}  # lines may have moved
    part, parts = map(int, given.part.split("/"))
    for module in given.modules:
        source = (ROOT / "hlhcli" / f"{module}.py").read_text(encoding="utf-8")
        found = [one for one in mutants(source) if not given.only or (module, one[0], one[2]) in keep][part::parts]
        print(f"{module}.py: {len(found)} mutants", flush=True)
        if given.list:
            continue
        stages = relevant(module)[: None if given.all else 2]
        noticed, whole = run(module, source, stages)
        assert noticed is None, f"the unchanged module fails {noticed}"
        print(f"unchanged: {whole:.1f} s", flush=True)
        with given.output.open("a", encoding="utf-8") as file:
            for operator, line, text, changed in found:
                noticed, seconds = run(module, changed, stages, 10 + LIMIT * whole)
                told = {
                    "module": module,
                    "operator": operator,
                    "line": line,
                    "text": text,
                    "noticed": noticed,
                    "seconds": round(seconds, 1),
                }
                file.write(json.dumps(told) + "\n")
                file.flush()


if __name__ == "__main__":
    main()

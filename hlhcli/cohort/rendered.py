"""A query in the dialect of another database: it is written in DuckDB's, and rendered by sqlglot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_WIDTH = 132  # of a line, where it can be broken
_SOURCE = "readings"  # the relation that the input is; what stands in it is left as it is


def rendered(sql: str, name: str, pretty: bool = True, renamed: Mapping[str, str] | None = None) -> str:
    """The query in the dialect `name` of sqlglot, with its comments; `renamed`: other names of steps and tables.

    Raises ValueError for a dialect that sqlglot does not know.
    """
    tree = _parsed(sql, name)
    for old, new in (renamed or {}).items():
        for node in [*tree.find_all(exp.Table), *tree.find_all(exp.CTE)]:
            which = node.this if isinstance(node, exp.Table) else node.args["alias"].this
            if which.name == old:
                which.replace(exp.to_identifier(new))
    return tree.sql(dialect=name, pretty=pretty, unsupported_level=sqlglot.ErrorLevel.IGNORE, max_text_width=_WIDTH)


def _parsed(sql: str, name: str) -> exp.Expr:
    try:
        sqlglot.Dialect.get_or_raise(name)
    except ValueError:
        known = ", ".join(sorted(each.value for each in sqlglot.Dialects if each.value))
        raise ValueError(f"'{name}' is no dialect of SQL; known are {known}") from None
    try:
        tree = sqlglot.parse_one(sql, read="duckdb")
    except SqlglotError as error:
        raise ValueError(f"the query cannot be said in the dialect {name}: {str(error).splitlines()[0]}") from None
    _CHANGES.get(name, _nothing)(tree)
    return tree


def staged(sql: str, name: str) -> tuple[list[tuple[str, str]], str]:
    """The query for a database that evaluates a step again for each step that reads it.

    Steps that several others read become queries of their own, by the name of a table each, for the next to read. Raises
    ValueError.
    """
    tree = _parsed(sql, name)
    clause = tree.args.get("with_")
    steps = {step.alias: step for step in clause.expressions} if clause else {}
    readers = Counter(table.name for table in tree.find_all(exp.Table))
    stages: list[tuple[str, str]] = []
    for alias, step in steps.items():
        if readers[alias] > 1:
            table = f"hlhcli_step_{alias}"
            stages.append((table, _with(steps, step.this).sql(dialect=name)))
            step.set("this", exp.select("*").from_(table))
    if not stages:
        return [], tree.sql(dialect=name)
    last = tree.copy()
    last.set("with_", None)
    return stages, _with(steps, last).sql(dialect=name)


def _with(steps: Mapping[str, exp.Expr], query: exp.Expr) -> exp.Expr:
    """The query with those of the steps that it needs."""
    needed: set[str] = set()
    unread = [query]
    while unread:
        names = {table.name for table in unread.pop().find_all(exp.Table)} & steps.keys() - needed
        needed |= names
        unread += [steps[name].this for name in names]
    whole = query.copy()
    if needed:
        whole.set("with_", exp.With(expressions=[step.copy() for name, step in steps.items() if name in needed]))
    return whole


def _nothing(tree: exp.Expr) -> None:
    pass


def _for_postgres(tree: exp.Expr) -> None:
    """Whole numbers are divided by `/`, and the planner must not merge the steps.

    It would put the expression of a column in the place of the column, wherever a later step names it: of a query in twenty
    steps nothing would be left but copies of copies. OFFSET 0 keeps a step one step, and still lets it run in parallel.
    """
    for division in list(tree.find_all(exp.IntDiv)):
        if not _is_wide(division.this):
            division.replace(exp.Div(this=division.this, expression=division.expression, typed=True))
    for step in list(_steps(tree)):
        if not step.args.get("group") and not step.args.get("distinct"):
            step.set("offset", exp.Offset(expression=exp.Literal.number(0)))


def _is_wide(number: exp.Expr) -> bool:
    """True for what dialects.py marks as a number of 38 digits: integers have another division."""
    return isinstance(number, exp.Cast) and number.to.is_type(exp.DType.DECIMAL)


def _steps(tree: exp.Expr) -> Iterator[exp.Expr]:
    """The queries of all steps, and those that stand inside them, but not what the input itself is."""
    clause = tree.args.get("with_")
    for step in clause.expressions if clause else ():
        yield from _within(step.this)


def _within(query: exp.Expr) -> Iterator[exp.Expr]:
    yield query
    for branch in _branches(query):
        clause = branch.args.get("from_")
        if clause is not None and isinstance(clause.this, exp.Subquery) and clause.this.alias != _SOURCE:
            yield from _within(clause.this.this)


def _branches(query: exp.Expr) -> Iterator[exp.Expr]:
    """The parts of a UNION; of anything else itself."""
    if isinstance(query, exp.SetOperation):
        yield from _branches(query.left)
        yield from _branches(query.right)
    else:
        yield query


_CHANGES: dict[str, Callable[[exp.Expr], None]] = {"postgres": _for_postgres}

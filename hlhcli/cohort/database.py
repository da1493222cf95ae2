"""Any database that SQLAlchemy can reach, PostgreSQL first: the work happens where the data is, and only its result leaves."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import exc, types

from hlhcli.cohort.dialects import DIALECTS, Kind, Table
from hlhcli.cohort.embedded import DuckDB
from hlhcli.cohort.form import FIXED
from hlhcli.cohort.rendered import rendered
from hlhcli.cohort.sql import literal, quoted
from hlhcli.errors import InputError, Problem

Rows = Iterable[Sequence[object]]
_Type = type[types.TypeEngine[Any]]

_LIKE_POSTGRES = ("postgresql", "cockroachdb", "redshift")
_OTHERWISE = {"mssql": "tsql"}  # what sqlglot calls a dialect of SQLAlchemy
_PARQUET, _CSV = (".parquet", ".pq"), ".csv"
_BATCH = 10_000  # rows
_HERE: dict[Kind, tuple[str, _Type]] = {
    "integer": ("BIGINT", types.BigInteger), "decimal": ("DECIMAL(38, 9)", types.Numeric), "double": ("DOUBLE", types.Double),
    "boolean": ("BOOLEAN", types.Boolean), "date": ("DATE", types.Date), "timestamp": ("TIMESTAMP", types.DateTime),
}  # fmt: skip
_TEXT: tuple[str, _Type] = ("VARCHAR", types.Text)
_OURS: dict[str, _Type] = {"VARCHAR": types.Text, "BIGINT": types.BigInteger, "INT": types.Integer, "BOOLEAN": types.Boolean}
_OF_POSTGRES = {
    16: "BOOLEAN", 20: "BIGINT", 21: "SMALLINT", 23: "INTEGER", 700: "FLOAT", 701: "DOUBLE", 1082: "DATE", 1114: "TIMESTAMP",
    1700: "DECIMAL(38, 9)",
}  # fmt: skip


class Database:
    """One session of a database."""

    def __init__(self, url: str) -> None:
        """Raises InputError where the database cannot be reached, ValueError for a URL that names none."""
        try:
            address = sqlalchemy.make_url(url.replace("postgres://", "postgresql://", 1))
        except exc.ArgumentError:
            raise ValueError("this is no URL of a database; write for example postgresql://host/name") from None
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        self.name = address.get_backend_name()
        shown = sqlalchemy.URL.create(self.name, host=address.host, port=address.port, database=address.database)
        self.address = shown.render_as_string()
        self._secrets = [text for text in (address.password, *address.query.values()) if isinstance(text, str) and text]
        self._copies = address.drivername == "postgresql+psycopg"
        self.dialect = DIALECTS["postgres" if self.name in _LIKE_POSTGRES else "duckdb"]
        self._written = "postgres" if self.name in _LIKE_POSTGRES else _OTHERWISE.get(self.name, self.name)
        self._made = 0
        try:
            self._engine = sqlalchemy.create_engine(address, execution_options={"no_parameters": True})
        except exc.NoSuchModuleError:
            raise ValueError(f"no driver for '{address.drivername}' is installed") from None
        self._connection: Any = None
        with self._told("be reached"):
            self._connection = self._engine.connect()
            self._driver: Any = self._connection.connection.driver_connection
        self._stop: Any = self._driver.pgconn.get_cancel() if self._copies else None  # it outlives the session it is for
        self.version = ".".join(map(str, self._connection.dialect.server_version_info or ()))
        if self.name in _LIKE_POSTGRES:
            self._run("SET TIME ZONE 'UTC'")
        if self.name == "postgresql":
            self._run("SET jit = off")  # to compile so many expressions takes longer than to evaluate them
            self._run("SET enable_nestloop = off")  # how many rows a step has is guessed too low, and all joins are of equals

    def close(self) -> None:
        self._connection.close()
        self._engine.dispose()

    @contextmanager
    def _told(self, what: str, name: str = "") -> Iterator[None]:
        """An error of the database as one that is told, in one line, without passwords and without values."""
        try:
            yield
        except (exc.SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
            if self._connection is not None:
                self._back()
            raise InputError([Problem(name or self.address, f"cannot {what}: {self._said(error)}")]) from None
        except (KeyboardInterrupt, SystemExit):
            if self._connection is not None:
                self._leave()
            raise

    def _leave(self) -> None:
        """The end of what the server is doing, and of the session."""
        if self._stop:
            with suppress(self._engine.dialect.loaded_dbapi.Error):  # the server may be gone
                self._stop.cancel()
        self._connection.invalidate()

    def _commit(self) -> None:
        """The end of a transaction, whether SQLAlchemy or the driver itself began it."""
        self._connection.commit()
        self._driver.commit()

    def _back(self) -> None:
        """The end of one that failed, or of a session that is lost."""
        try:
            self._connection.rollback()
            self._driver.rollback()
        except (exc.SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error):
            self._connection.invalidate()

    def _said(self, error: Exception) -> str:
        cause = getattr(error, "orig", None) or error
        state = str(getattr(cause, "sqlstate", None) or "")
        if state.startswith(("22", "23")):  # these messages quote the value that is wrong
            return f"{type(cause).__name__} ({state})"
        said = next(iter(str(cause).strip().splitlines()), type(cause).__name__)
        for secret in self._secrets:
            said = said.replace(secret, "***")
        return said

    def _run(self, sql: str) -> None:
        self._connection.exec_driver_sql(sql)
        self._commit()

    def table(self, names: Sequence[str]) -> Table:
        """A table or view, as `name` or `schema.name`. Raises InputError."""
        schema, _, name = names[0].rpartition(".")
        if len(names) > 1:
            raise InputError([Problem(names[1], "is a second table; name one, or make a view of both")])
        try:
            with self._told("be read", names[0]):
                columns = sqlalchemy.inspect(self._connection).get_columns(name, schema or None)
                self._commit()
        except InputError:
            if self._is_there(name, schema):
                raise
            raise InputError([Problem(names[0], f"no such table or view in {self.address}")]) from None
        kinds = {column["name"]: _kind(column["type"]) for column in columns}
        whole = ".".join(quoted(part) for part in (schema, name) if part)
        if all(column == column.lower() for column in kinds):
            return Table(whole, kinds)
        view = self._next("input")
        listed = ", ".join(f"{quoted(column)} AS {quoted(column.lower())}" for column in kinds)
        self._run(rendered(f"CREATE TEMPORARY VIEW {view} AS SELECT {listed} FROM {whole}", self._written))
        return Table(view, {column.lower(): kind for column, kind in kinds.items()})

    def _is_there(self, name: str, schema: str) -> bool:
        with self._told("be read", name):
            return bool(sqlalchemy.inspect(self._connection).has_table(name, schema or None))

    def _next(self, what: str) -> str:
        self._made += 1
        return f"hlhcli_{what}_{self._made}"

    def tables(self, schema: str | None = None) -> dict[str, str]:
        """The tables and views of a schema by their names in small letters; the values are for `table`. Raises InputError."""
        with self._told("be read", schema or ""):
            found = sqlalchemy.inspect(self._connection)
            names = [*found.get_table_names(schema), *found.get_view_names(schema)]
            self._commit()
        return {name.lower(): f"{schema}.{name}" if schema else name for name in names}

    def load(self, name: str, columns: Sequence[tuple[str, str]], rows: Rows) -> None:
        """A small table of our own, of this session."""
        self._fill(name, [(column, _OURS[kind]) for column, kind in columns], rows)

    def keep(self, name: str, sql: str) -> None:
        """The rows of a query as a table of our own, of this session. Raises InputError."""
        said = rendered(sql, self._written, pretty=False)
        with self._told("be evaluated"):
            self._connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
            self._connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {name} AS\n{said}")
            if self._copies:
                self._connection.exec_driver_sql(f"ANALYZE {name}")
            self._commit()

    def upload(self, path: str) -> Table:
        """A file of this machine as a table of this session. Raises InputError."""
        local = DuckDB()
        try:
            read, name = local.table([path]), self._next("file")
            kinds: dict[str, Kind] = {column: kind if kind in _HERE else "text" for column, kind in read.columns.items()}
            types_of = {column: _HERE.get(kind, _TEXT) for column, kind in kinds.items()}
            listed = ", ".join(f"CAST({quoted(column)} AS {stored})" for column, (stored, _) in types_of.items())
            self._fill(
                name, [(column, made) for column, (_, made) in types_of.items()], local.rows(f"SELECT {listed} FROM {read.name}")
            )
        finally:
            local.close()
        return Table(name, kinds)

    def _fill(self, name: str, columns: Sequence[tuple[str, _Type]], rows: Rows) -> None:
        """A temporary table with these rows: by COPY where there is one."""
        made = sqlalchemy.Table(
            name, sqlalchemy.MetaData(), *(sqlalchemy.Column(column, kind()) for column, kind in columns), prefixes=["TEMPORARY"]
        )
        with self._told("be written", name):
            self._connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
            made.create(self._connection)
            if self._copies:
                with self._driver.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
                self._connection.exec_driver_sql(f"ANALYZE {name}")
            else:
                self._insert(made, rows)
            self._commit()

    def _insert(self, made: sqlalchemy.Table, rows: Rows) -> None:
        names = [column.name for column in made.columns]
        remaining = iter(rows)
        while batch := list(islice(remaining, _BATCH)):
            self._connection.execute(made.insert(), [dict(zip(names, row, strict=True)) for row in batch])

    def rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, as they come. Raises InputError."""
        said = rendered(sql, self._written)
        with self._told("be evaluated"):
            if self._copies:  # not by a cursor of the server, for which it plans no parallel workers
                with self._driver.cursor() as cursor:
                    yield from cursor.stream(said)
            else:
                streamed = self._connection.exec_driver_sql(said, execution_options={"stream_results": True, "yield_per": _BATCH})
                yield from (tuple(row) for row in streamed)
            self._commit()

    def save(self, sql: str, target: Path | str, progress: Callable[[float], None] | None = None) -> int:
        """The rows of a query as a file, or as a table of the database; how many there are. Raises InputError."""
        path = Path(target)
        if path.suffix in (*_PARQUET, _CSV):
            return self._file(rendered(sql, self._written), path)
        return self._stored(rendered(sql, self._written, pretty=False), str(target))

    def _stored(self, said: str, target: str) -> int:
        """A table, whole or not at all; only another cohort of that name is replaced."""
        schema, _, name = target.rpartition(".")
        before = f"{quoted(schema)}." if schema else ""
        whole, part = f"{before}{quoted(name)}", f"{name[:40]}_unfinished"
        with self._told("be written", target):
            found = sqlalchemy.inspect(self._connection)
            there = found.has_table(name, schema or None)
            if there and not {*FIXED} <= {column["name"] for column in found.get_columns(name, schema or None)}:
                raise InputError([Problem(target, "is a table with other columns; name another one")])
            made = self._connection.exec_driver_sql(f"CREATE TABLE {before}{quoted(part)} AS\n{said}").rowcount
            if there:
                self._connection.exec_driver_sql(f"DROP TABLE {whole}")
            self._connection.exec_driver_sql(f"ALTER TABLE {before}{quoted(part)} RENAME TO {quoted(name)}")
            self._commit()
        return int(made if made >= 0 else next(self.rows(f"SELECT COUNT(*) FROM {whole}"))[0])

    def _file(self, said: str, path: Path) -> int:
        """A file on this machine: the rows come as text, and DuckDB writes them with their types."""
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            between, whole = Path(folder, "rows"), Path(folder, path.name)
            with self._told("be evaluated"):
                columns = self._copied(said, between) if self._copies else self._written_out(said, between)
                self._commit()
            kinds = ", ".join(f"{literal(column)}: {literal(kind)}" for column, kind in columns.items())
            reader = (
                f"read_csv({literal(str(between))}, header = true, columns = {{{kinds}}}, delim = ',', quote = '\"', escape = '\"',"
                f" nullstr = '', allow_quoted_nulls = false, auto_detect = false, hive_partitioning = false)"
            )
            local = DuckDB(spill=Path(folder))
            try:
                count = local.save(f"SELECT * FROM {reader}", whole)
            finally:
                local.close()
            whole.replace(path)
        return count

    def _copied(self, said: str, path: Path) -> dict[str, str]:
        """The rows as CSV, by the server's own COPY; the columns and their types."""
        with self._driver.cursor() as cursor:
            cursor.execute(f"SELECT * FROM (\n{said}\n) AS cohort LIMIT 0")
            columns = {column.name: _OF_POSTGRES.get(column.type_code, "VARCHAR") for column in cursor.description}
            with path.open("wb") as file, cursor.copy(f"COPY (\n{said}\n) TO STDOUT (FORMAT csv, HEADER)") as copy:
                for block in copy:
                    file.write(block)
        return columns

    def _written_out(self, said: str, path: Path) -> dict[str, str]:
        """The rows as CSV, a batch at a time; the columns, and the types of what stands in them."""
        streamed = self._connection.exec_driver_sql(said, execution_options={"stream_results": True, "yield_per": _BATCH})
        columns = dict.fromkeys(streamed.keys(), "")
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(",".join(map(_cell, columns)) + "\n")
            for row in streamed:
                file.write(",".join(map(_cell, row)) + "\n")
                kinds = (_BY_VALUE.get(type(value), "") for value in row)
                columns = {name: columns[name] or kind for name, kind in zip(columns, kinds, strict=True)}
        return {name: kind or "VARCHAR" for name, kind in columns.items()}


_BY_VALUE = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE", datetime: "TIMESTAMP", date: "DATE"}


def _cell(value: object) -> str:
    """A value of a CSV file: nothing at all for NULL, and texts between quotation marks."""
    if value is None:
        return ""
    return quoted(value) if isinstance(value, str) else str(value)


def _kind(of: types.TypeEngine[Any]) -> Kind:
    """The kind of a column, by its type."""
    kinds: list[tuple[_Type, Kind]] = [
        (types.Boolean, "boolean"), (types.Float, "double"), (types.Numeric, "decimal"), (types.Integer, "integer"),
        (types.DateTime, "timestamp"), (types.Date, "date"), (types.String, "text"),
    ]  # fmt: skip
    return next((kind for each, kind in kinds if isinstance(of, each)), "other")

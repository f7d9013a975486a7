"""The instrument ``db``: what is really in the database, read over the judge's own connection.

The judge reads as a role that can read everything and write nothing, with an empty ``search_path``;
names are looked up in the catalogue and only ordinary tables are read, so that a view, a rule or a
row policy put in a table's place is found out instead of believed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import DictRow

from grader.checks.verdict import NotPassed
from grader.judge_sessions import JudgeSessions
from grader.results import Failure, Reason
from grader.text import clean, literal

Rows = list[dict[str, Any]]
MOST_ROWS, MOST_MEGABYTES = 200_000, 64
"""Of a table that a check reads: PostgreSQL stores a long text in a hundredth of its length."""
_SMALL = 1 << 19
"""Bytes of a table in which there cannot be so much."""
_AT_ONCE = 500
"""Rows that one statement stores; it may have 65,535 values."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of one table's rows between two moments."""

    inserted: Rows = field(default_factory=list)
    updated: list[tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    """Each row as it was, and as it is."""
    deleted: Rows = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every row of every table at one moment, by primary key (or by the whole row, where there is
    none).
    """

    tables: Mapping[str, Mapping[tuple[Any, ...], dict[str, Any]]]
    """By name; the name of one that is not in ``public`` has its schema in front."""


class Database:
    """State of this check's database.

    Args:
        sessions: the judge's own; the author's is used by `insert` alone.
        author: gives a session to use instead of the author's.
    """

    def __init__(
        self,
        sessions: JudgeSessions,
        author: Callable[[], AbstractContextManager[psycopg.Connection[DictRow]]] | None = None,
    ) -> None:
        self._sessions = sessions
        self._author = author

    def insert(self, table: str, *rows: Mapping[str, Any]) -> Rows:
        """Put rows into a table, as the exercise's author.

        Args:
            rows: column names and values; left-out columns get their defaults. A dict is stored as
                JSON.

        Returns:
            The rows as they are in the table, defaults included.

        Raises:
            NotPassed: the table is of the submission's own making, and does not take them.
        """
        if self._author is None:
            return self._insert(sql.Identifier("public", table), rows)
        try:
            return self._insert(self._table(table), rows)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except psycopg.Error as error:
            raise NotPassed(_not_stored(table, error)) from error

    def _insert(self, table: sql.Identifier, rows: Sequence[Mapping[str, Any]]) -> Rows:
        stored: Rows = []
        # A trigger of a submission's can tell one statement from several: there it is one a row.
        together = list(_alike(rows, at_most=_AT_ONCE if self._author is None else 1))
        with (
            self.author() as connection,
            connection.transaction() if len(together) > 1 else nullcontext(),  # one is whole anyway
            connection.cursor() as cursor,
        ):
            for some in together:
                values = [value for row in some for value in row.values()]
                statement = sql.SQL("INSERT INTO {} {} RETURNING *").format(
                    table, _values(list(some[0]), len(some))
                )
                stored += cursor.execute(statement, values).fetchall()
        return stored

    def rows(self, table: str, *, order_by: str | None = None, **equals: Any) -> Rows:
        """The rows of a table whose columns have these values; None asks for NULL."""
        statement = _select(self._readable(table, equals), equals)
        if order_by:
            statement += sql.SQL(" ORDER BY {}").format(sql.Identifier(order_by))
        return self._fetch(statement, list(equals.values()))

    def one(self, table: str, **equals: Any) -> dict[str, Any] | None:
        """The one row with these values, or None where there is none.

        Raises:
            ValueError: there are several; the check asked too loosely.
        """
        found = self.rows(table, **equals)
        if len(found) > 1:
            msg = f"{len(found)} rows of {table} match {equals}"
            raise ValueError(msg)
        return found[0] if found else None

    def count(self, table: str, **equals: Any) -> int:
        """How many rows of a table have these values."""
        statement = sql.SQL("SELECT pg_catalog.count(*) AS n FROM {}{}").format(
            self._table(table), _where(equals)
        )
        return int(self._fetch(statement, list(equals.values()))[0]["n"])

    def query(self, statement: LiteralString, parameters: Sequence[Any] = ()) -> Rows:
        """The rows that a query of the author's gives; tables are written ``public.users``."""
        return self._fetch(sql.SQL(statement), parameters)

    def snapshot(self) -> Snapshot:
        """Every row of every ordinary table of every schema but PostgreSQL's own.

        Raises:
            NotPassed: one of them has rules on it, so that its rows prove nothing.
        """
        tables: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
        for schema, table, key in self._tables():
            seen: Counter[tuple[Any, ...]] = Counter()
            by_key: dict[tuple[Any, ...], dict[str, Any]] = {}
            for row in self._fetch(_select(self._readable(table, {}, schema), {}), ()):
                values = tuple(literal(row[column]) for column in key or row)
                seen[values] += 1
                # Where there is no key, rows may be the same: the second one is another row.
                by_key[*values, seen[values]] = row
            tables[_name(schema, table)] = by_key
        return Snapshot(tables)

    def changes(self, before: Snapshot) -> dict[str, Changes]:
        """What has changed since a snapshot: only the tables in which something did, by name;
        those that are not in ``public`` with their schema in front, ``audit.log``.
        """
        after = self.snapshot().tables
        changed: dict[str, Changes] = {}
        for name in sorted({*before.tables, *after}):
            old, new = before.tables.get(name, {}), after.get(name, {})
            changes = Changes(
                inserted=[row for key, row in new.items() if key not in old],
                updated=[
                    (old[k], row) for k, row in new.items() if k in old and _differ(old[k], row)
                ],
                deleted=[row for key, row in old.items() if key not in new],
            )
            if changes != Changes():
                changed[name] = changes
        return changed

    @property
    def reader(self) -> psycopg.Connection[DictRow]:
        """The connection that can read everything and write nothing."""
        return self._sessions.reader

    def author(self) -> AbstractContextManager[psycopg.Connection[DictRow]]:
        """A session of those who own the exercise's tables."""
        return self._author() if self._author else nullcontext(self._sessions.author)

    def _fetch(self, statement: sql.SQL | sql.Composed, parameters: Sequence[Any]) -> Rows:
        with self.reader.cursor() as cursor:
            return cursor.execute(statement, parameters or None).fetchall()

    def _tables(self) -> list[tuple[str, str, list[str]]]:
        """Ordinary tables with their schemas and the columns of their primary keys, in order.

        First those of ``public``: one that is called ``audit.log`` there does not take the place
        of another schema's.
        """
        found = self._fetch(
            sql.SQL(
                "SELECT n.nspname AS schema, c.relname AS name, ("
                "SELECT pg_catalog.array_agg(a.attname::text ORDER BY a.attnum)"
                " FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a"
                " ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)"
                " WHERE i.indrelid = c.oid AND i.indisprimary) AS key"
                " FROM pg_catalog.pg_class c"
                " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'"
                " AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
                " ORDER BY n.nspname <> 'public', 1, 2"
            ),
            (),
        )
        return [(row["schema"], row["name"], row["key"] or []) for row in found]

    def _readable(
        self, name: str, equals: Mapping[str, Any], schema: str = "public"
    ) -> sql.Identifier:
        """A table, if the rows with these values are not too much to be read."""
        table, is_small = self._looked_up(name, schema)
        if is_small:
            return table
        try:
            measure = _MEASURE.format(table, _where(equals), sql.Literal(MOST_ROWS + 1))
            [found] = self._fetch(measure, list(equals.values()))
        except (psycopg.errors.QueryCanceled, psycopg.errors.ProgramLimitExceeded) as error:
            raise NotPassed(_too_much(_name(schema, name))) from error
        if found["rows"] > MOST_ROWS or found["bytes"] > MOST_MEGABYTES * 1024 * 1024:
            raise NotPassed(_too_much(_name(schema, name)))
        return table

    def _table(self, name: str, schema: str = "public") -> sql.Identifier:
        return self._looked_up(name, schema)[0]

    def _looked_up(self, name: str, schema: str) -> tuple[sql.Identifier, bool]:
        """A table, and whether there cannot be much in it."""
        kinds = self._fetch(
            sql.SQL(
                "SELECT c.relkind::text AS kind, c.relhasrules AS rules,"
                " c.relkind = 'r' AND pg_catalog.pg_table_size(c.oid) <= %s AS small"
                " FROM pg_catalog.pg_class c"
                " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname = %s AND c.relname = %s"
            ),
            [_SMALL, schema, name],
        )
        told, wanted = _name(schema, name), f"{schema}.{name}"
        if not kinds:
            raise NotPassed(_no_table(f"There is no table {name} in the schema {schema}.", wanted))
        ordinary = kinds[0]["kind"] in ("r", "p")
        if not ordinary or kinds[0]["rules"]:
            what = "a table with rules on it" if ordinary else "not an ordinary table"
            raise NotPassed(_no_table(f"{told} is {what}, so its rows prove nothing.", wanted))
        return sql.Identifier(schema, name), kinds[0]["small"]


_MEASURE = sql.SQL(
    "SELECT pg_catalog.count(*) AS rows, coalesce(pg_catalog.sum(pg_catalog.octet_length("
    "pg_catalog.textin(pg_catalog.record_out(read)))), 0) AS bytes"
    " FROM (SELECT * FROM {}{} LIMIT {}) AS read"
)


def _too_much(table: str) -> Failure:
    return Failure(
        Reason.LIMIT,
        f"There is more in {table} than a check reads: it stops at {MOST_ROWS:,} rows and"
        f" {MOST_MEGABYTES} MB.",
        question="How many rows should there be, and how long is what stands in them?",
    )


def _name(schema: str, table: str) -> str:
    """What a table is called where it is not said in which schema it is."""
    return table if schema == "public" else f"{schema}.{table}"


def _no_table(message: str, wanted: str) -> Failure:
    return Failure(Reason.ASSERTION, message, expected=f"an ordinary table {wanted}")


def _not_stored(table: str, error: psycopg.Error) -> Failure:
    return Failure(
        Reason.ASSERTION,
        f"The rows that this check needs cannot be stored in {table}.",
        misconception="",
        question="Which rows does the README say that your table must take?",
        actual=clean(str(error), 600),
    )


def _select(table: sql.Identifier, equals: Mapping[str, Any]) -> sql.Composed:
    return sql.SQL("SELECT * FROM {}{}").format(table, _where(equals))


def _where(equals: Mapping[str, Any]) -> sql.SQL | sql.Composed:
    if not equals:
        return sql.SQL("")
    same = "{} IS NOT DISTINCT FROM %s"
    return sql.SQL(" WHERE ") + sql.SQL(" AND ").join(
        sql.SQL(same).format(sql.Identifier(column)) for column in equals
    )


def _alike(
    rows: Sequence[Mapping[str, Any]], *, at_most: int
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """The rows in their order, those together that one statement can store: they follow each other
    and name the same columns. Of rows that name none it can store one.
    """
    for columns, group in groupby(rows, key=tuple):
        alike, most = list(group), at_most if columns else 1
        yield from (alike[start : start + most] for start in range(0, len(alike), most))


def _values(columns: Sequence[str], rows: int) -> sql.SQL | sql.Composed:
    if not columns:
        return sql.SQL("DEFAULT VALUES")
    row = sql.SQL("({})").format(sql.SQL(", ").join(sql.Placeholder() * len(columns)))
    return sql.SQL("({}) VALUES {}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(", ").join([row] * rows)
    )


def _differ(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a row has changed; not a number stays not a number."""
    return old != new and literal(old) != literal(new)

"""Inserts rows of which a check names only the columns that it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from grader.checks import probe_words as words
from grader.checks.filling import CANDIDATES, Filling
from grader.checks.refusals import Refusal, refusal
from grader.checks.schema import Schema
from grader.checks.verdict import NotPassed
from grader.delegate import Delegate
from pglab.relations import Column, ForeignKey, Relation

Row = dict[str, Any]
_DEEPEST = 6
_NOW = sql.SQL("SET CONSTRAINTS ALL IMMEDIATE")


class Refused(Exception):
    """PostgreSQL refused a statement of a probe."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class Inserter:
    """Sends statements inside a transaction of the delegate's, and looks at every rule at once.

    Args:
        delegate: the session with the rights of the student's role.
        schema: what the tables are like.
        filling: values for the columns that are not named.
        has_routines: whether the student has made functions.
    """

    def __init__(
        self,
        delegate: Delegate,
        schema: Schema,
        filling: Filling,
        has_routines: Callable[[], bool],
    ) -> None:
        self._delegate = delegate
        self._schema = schema
        self._filling = filling
        self._has_routines = has_routines
        self._relations: dict[str, Relation] = {}

    def forget(self) -> None:
        """Look at the tables anew."""
        self._relations.clear()

    def relation(self, table: str) -> Relation:
        """The ordinary table of this name, without rules that rewrite what is sent to it."""
        if table not in self._relations:
            relation = self._schema.table(table).relation
            if relation.rules:
                raise NotPassed(words.has_rules(table, relation.rules[0]))
            self._relations[table] = relation
        return self._relations[table]

    def insert(self, relation: Relation, row: Mapping[str, Any], depth: int = 0) -> Row:
        """Insert a row with its open columns filled.

        Raises:
            Refused: by a rule that the named columns break, or by a function.
            NotPassed: nothing was stored, or the open columns cannot be filled.

        What other values in the open columns can prevent is no refusal.
        """
        attempts: dict[str, int] = {}
        filled = self._open_columns(relation, row, attempts, depth)
        for _ in range(CANDIDATES):
            values = {**row, **filled}
            statement = sql.SQL("INSERT INTO {} {} RETURNING *").format(
                sql.Identifier("public", relation.name), _values(values)
            )
            try:
                with self._delegate.connection.transaction():
                    stored = self.send(relation, statement, list(values.values()))
            except Refused as refused:
                last = refused
                ours = self._ours(relation, refused.refusal, row)
                if not ours:
                    raise
                for column in ours:
                    attempts[column.name] = attempts.get(column.name, -1) + 1
                    filled[column.name] = self._filling.value(
                        column, relation, attempts[column.name]
                    )
            else:
                if not stored:
                    raise NotPassed(words.swallowed(relation.name, row))
                return stored[0]
        if last.refusal.columns & row.keys():
            raise last
        raise NotPassed(words.cannot_fill(relation.name, last.refusal))

    def _ours(self, relation: Relation, refused: Refusal, row: Mapping[str, Any]) -> list[Column]:
        """The columns of a broken rule whose values are not the check's but made up."""
        if refused.by_code or refused.table not in ("", relation.name):
            return []
        keys = {column for key in relation.foreign_keys for column in key.columns}
        return [
            column
            for column in relation.columns
            if column.name in refused.columns - row.keys() - keys
            and not (column.identity or column.generated)
        ]

    def _open_columns(
        self, relation: Relation, row: Mapping[str, Any], attempts: dict[str, int], depth: int
    ) -> Row:
        """Values for the columns that need one and are not named; parents are made."""
        filled: Row = {}
        for column in relation.columns:
            if column.name in row or column.nullable or column.fills_itself:
                continue
            if column.name in filled:
                continue
            if parents := [k for k in relation.foreign_keys if column.name in k.columns]:
                filled |= self._parent(relation, parents[0].target, row, depth, parents[0])
                continue
            if not self._filling.knows(column):
                raise NotPassed(words.unknown_type(relation.name, column))
            attempts[column.name] = 0
            filled[column.name] = self._filling.value(column, relation, 0)
        return {name: value for name, value in filled.items() if name not in row}

    def _parent(
        self, relation: Relation, target: str, row: Mapping[str, Any], depth: int, key: ForeignKey
    ) -> Row:
        """Make the row that a foreign key needs; the values that point to it."""
        if depth >= _DEEPEST:
            raise NotPassed(words.too_deep(relation.name, key.columns))
        pairs = list(zip(key.columns, key.target_columns, strict=True))
        known = {there: row[here] for here, there in pairs if here in row}
        try:
            parent = self.insert(self.relation(target), known, depth + 1)
        except Refused as refused:
            raise NotPassed(words.should_accept(target, known, refused.refusal, "")) from None
        return {here: parent[there] for here, there in pairs}

    def send(
        self, relation: Relation, statement: sql.Composed, parameters: Sequence[Any]
    ) -> list[Row]:
        """The rows that a statement returns once every rule has been looked at."""
        try:
            rows = self._delegate.execute(statement, parameters).fetchall()
            self._delegate.execute(_NOW)
        except psycopg.errors.QueryCanceled as error:
            raise NotPassed(words.too_slow(relation.name)) from error
        except psycopg.errors.LockNotAvailable:
            raise
        except psycopg.Error as error:
            if error.sqlstate is None or self._delegate.connection.broken:
                raise
            code = bool(relation.triggers) or self._has_routines()
            raise Refused(refusal(error, relation, code_is_there=code)) from error
        return rows


def _values(row: Mapping[str, Any]) -> sql.Composable:
    if not row:
        return sql.SQL("DEFAULT VALUES")
    return sql.SQL("({}) VALUES ({})").format(
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(sql.Placeholder() * len(row)),
    )

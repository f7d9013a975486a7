"""The instrument ``probe``: rows that must be accepted or refused, and what a delete takes along.

    def test_one_account_per_address(probe):
        probe.accepts("users", {"email": "ada@example.org"})
        probe.refuses(
            "users",
            {"email": "ada@example.org"},
            {"email": "ada@example.org"},
            sqlstate="23505",
            because="With two accounts for one address, whose password is reset?",
        )

Probes are sent with the rights of the student's own role, over a session of the judge's: they do
not count as the student's statements. Each is one transaction that is rolled back, unless it is to
be kept, and rules that may wait until the end of a transaction are looked at before that.

A probe names the columns that the exercise is about. Columns that must have a value and are not
named get a plausible one, and the rows that they point to are made.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from grader.checks import probe_words as words
from grader.checks.data import Data
from grader.checks.filling import Filling
from grader.checks.inserting import Inserter, Refused, Row
from grader.checks.refusals import INTEGRITY, Refusal
from grader.checks.schema import Schema
from grader.checks.verdict import NotPassed
from grader.delegate import Delegate
from pglab.relations import Relation

# Rules that say the same have several codes: EXCLUDE (… WITH =) keeps rows apart as UNIQUE does,
# RESTRICT refuses as a foreign key does (with a code of its own from version 18 on), and
# CHECK (… IS NOT NULL) refuses as NOT NULL does.
_SAME_RULE = {"23505": "23P01", "23503": "23001", "23502": "23514"}


class Probe:
    """The instrument ``probe``.

    Args:
        delegate: the session with the rights of the student's role.
        schema: what the tables are like.
        data: where values for open columns come from.
        has_routines: whether the student has made functions.
    """

    def __init__(
        self,
        delegate: Delegate,
        schema: Schema,
        data: Data,
        has_routines: Callable[[], bool] = lambda: False,
    ) -> None:
        self._delegate = delegate
        self._schema = schema
        self._inserter = Inserter(delegate, schema, Filling(data), has_routines)

    def row(self, table: str, **values: Any) -> Row:
        """Store one row that stays, and the rows that it needs; for what comes after.

        Args:
            values: the columns that matter; the others that need a value get one.

        Returns:
            The row as it is in the table.

        Raises:
            NotPassed: PostgreSQL refused it.
        """
        return self.accepts(table, values, keep=True)

    def accepts(
        self, table: str, *rows: Mapping[str, Any], because: str = "", keep: bool = False
    ) -> Row:
        """Insert rows, one after the other, in one transaction: all of them must be accepted.

        Args:
            because: why it matters, for the learner.
            keep: whether they stay.

        Returns:
            The last row, as it was in the table.

        Raises:
            NotPassed: PostgreSQL refused one; the message says by which rule.
        """
        stored: Row = {}
        with self._transaction(keep=keep):
            relation = self._inserter.relation(table)
            for row in rows:
                try:
                    stored = self._inserter.insert(relation, row)
                except Refused as refused:
                    raise NotPassed(
                        words.should_accept(table, row, refused.refusal, because)
                    ) from None
        return stored

    def refuses(
        self,
        table: str,
        *rows: Mapping[str, Any],
        sqlstate: str | tuple[str, ...] | None = None,
        because: str = "",
        by_code: bool = False,
    ) -> Refusal:
        """Insert rows, one after the other: the last must be refused, those before it accepted.

        Args:
            sqlstate: with which code, or one of which; by default any code of class 23 (a rule of
                the table is broken). A value that an enum does not have is ``22P02``, and one that
                is too long ``22001``: name them as well where such a type is an answer.
            because: why it matters, for the learner.
            by_code: whether a trigger or function of the student's may refuse it as well. Such a
                one cannot see what other transactions do at the same moment.

        Returns:
            The refusal.

        Raises:
            NotPassed: the last row was accepted or refused for another reason, or one before it was
                refused.
        """
        wanted = (sqlstate,) if isinstance(sqlstate, str) else sqlstate
        refused, stored, relation = self._insert_all(table, rows, because)
        last = rows[-1]
        if refused is not None:
            told = words.told(last)
            return _as_wanted(refused, wanted, table, told, because, by_code=by_code)
        told = words.told({**last, **{k: v for k, v in stored.items() if k in last}})
        raise NotPassed(words.should_refuse(relation, f"the row {told}", wanted, because))

    def refusal(self, table: str, *rows: Mapping[str, Any], because: str = "") -> Refusal | None:
        """What PostgreSQL says to the last of these rows, for checks that judge it themselves.

        Args:
            because: why the rows before it should be accepted, for the learner.

        Returns:
            The refusal, or None where it was accepted.

        Raises:
            NotPassed: a row before the last was refused.
        """
        return self._insert_all(table, rows, because)[0]

    def _insert_all(
        self, table: str, rows: Sequence[Mapping[str, Any]], because: str
    ) -> tuple[Refusal | None, Row, Relation]:
        """Insert rows of which only the last may be refused, and roll back."""
        *before, last = rows
        with self._transaction():
            relation = self._inserter.relation(table)
            for row in before:
                try:
                    self._inserter.insert(relation, row)
                except Refused as refused:
                    raise NotPassed(
                        words.should_accept(table, row, refused.refusal, because)
                    ) from None
            try:
                stored = self._inserter.insert(relation, last)
            except Refused as refused:
                return refused.refusal, {}, relation
        return None, stored, relation

    def updates(
        self,
        table: str,
        where: Mapping[str, Any],
        changes: Mapping[str, Any],
        *,
        refused: str | tuple[str, ...] | None = None,
        because: str = "",
        keep: bool = False,
    ) -> list[Row]:
        """Change rows; that must be accepted, or with ``refused`` refused.

        Args:
            where: which rows: columns and their values; None asks for NULL.
            refused: with which SQLSTATE, or one of which, it must be refused.

        Returns:
            The rows as they were afterwards; none where they were refused.

        Raises:
            NotPassed: it went otherwise, or no row changed.
        """
        statement = sql.SQL("UPDATE {} SET {}{} RETURNING *").format(
            sql.Identifier("public", table),
            sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(c)) for c in changes),
            _where(where),
        )
        what = f"the change to {words.told(changes)} in {_rows(where)}"
        parameters = [*changes.values(), *_given(where)]
        return self._change(
            table, statement, parameters, what=what, refused=refused, because=because, keep=keep
        )

    def deletes(
        self,
        table: str,
        where: Mapping[str, Any],
        *,
        refused: str | tuple[str, ...] | None = None,
        because: str = "",
        keep: bool = False,
    ) -> dict[str, int]:
        """Delete rows; that must be accepted, or with ``refused`` refused.

        Returns:
            How many rows each table lost, this one included; tables that lost none are left out.

        Raises:
            NotPassed: it went otherwise, or no row was deleted.
        """
        statement = sql.SQL("DELETE FROM {}{} RETURNING *").format(
            sql.Identifier("public", table), _where(where)
        )
        what = f"the deletion of {_rows(where)}"
        lost: dict[str, int] = {}
        self._change(
            table,
            statement,
            _given(where),
            what=what,
            refused=refused,
            because=because,
            keep=keep,
            lost=lost,
        )
        return lost

    def _change(
        self,
        table: str,
        statement: sql.Composed,
        parameters: Sequence[Any],
        *,
        what: str,
        refused: str | tuple[str, ...] | None,
        because: str,
        keep: bool,
        lost: dict[str, int] | None = None,
    ) -> list[Row]:
        wanted = (refused,) if isinstance(refused, str) else refused
        with self._transaction(keep=keep and not wanted):
            relation = self._inserter.relation(table)
            before = self._counts() if lost is not None else {}
            try:
                changed = self._inserter.send(relation, statement, parameters)
            except Refused as told:
                if wanted:
                    _as_wanted(told.refusal, wanted, table, what, because, by_code=False)
                    return []
                raise NotPassed(words.should_accept(table, what, told.refusal, because)) from None
            if not changed:
                raise NotPassed(words.nothing_happened(table, what))
            if lost is not None:
                after = self._counts()
                lost |= {t: n - after.get(t, 0) for t, n in before.items() if n > after.get(t, 0)}
            if wanted:
                raise NotPassed(words.should_refuse(relation, what, wanted, because))
        return changed

    def _counts(self) -> dict[str, int]:
        """How many rows each table has, as this transaction sees it, policies or not."""
        self._delegate.execute(sql.SQL("SET LOCAL row_security = off"))
        counts: dict[str, int] = {}
        for name in self._schema.tables:
            count = sql.SQL("SELECT pg_catalog.count(*) AS n FROM {}")
            statement = count.format(sql.Identifier("public", name))
            try:
                counts[name] = self._delegate.execute(statement).fetchall()[0]["n"]
            except psycopg.errors.InsufficientPrivilege as error:
                raise NotPassed(words.hidden_rows(name)) from error
        return counts

    @contextlib.contextmanager
    def _transaction(self, *, keep: bool = False) -> Iterator[None]:
        self._inserter.forget()
        with self._delegate.transaction(keep=keep):
            yield


def _as_wanted(
    refused: Refusal,
    wanted: tuple[str, ...] | None,
    table: str,
    told: str,
    because: str,
    *,
    by_code: bool,
) -> Refusal:
    """The refusal, where it is the one that was asked for."""
    codes = {code for one in wanted or () for code in (one, _SAME_RULE.get(one))}
    right = refused.sqlstate in codes if wanted else refused.sqlstate.startswith(INTEGRITY)
    if right and (by_code or not refused.by_code):
        return refused
    if by_code and refused.by_code:
        return refused
    raise NotPassed(words.other_refusal(table, told, refused, wanted, because))


def _rows(where: Mapping[str, Any]) -> str:
    return f"the rows with {words.told(where)}" if where else "all rows"


def _where(where: Mapping[str, Any]) -> sql.Composable:
    if not where:
        return sql.SQL("")
    return sql.SQL(" WHERE ") + sql.SQL(" AND ").join(
        sql.SQL("{} IS NULL" if value is None else "{} = %s").format(sql.Identifier(column))
        for column, value in where.items()
    )


def _given(where: Mapping[str, Any]) -> list[Any]:
    return [value for value in where.values() if value is not None]

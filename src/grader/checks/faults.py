"""The instrument ``faults``: a write or a statement fails, the connection is lost, nobody gets in.

Example::

    @check("Enrolment is all or nothing", points=3, misconception="commit-in-loop")
    def test_nothing_is_left_behind(student, db, faults):
        faults.fail_insert("lesson_progress", at=3)
        student.call("enroll", user_id=1, track_id=7, expect=Raises)
        assert db.count("lesson_progress") == 0, hint("Two lessons were saved before the third …")

A check that never met its fault has seen nothing, so it does not pass: the learner is told how far
their code came. Faults are made in this check's database, by the owner of its tables.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import psycopg
from psycopg import sql

from grader.checks.statement_faults import StatementFault, StatementFaults
from grader.checks.verdict import NotPassed
from grader.results import Failure, Reason
from pglab import faults as lab
from pglab.faults import LOST_CONNECTION, Fault
from pglab.servers.server import connect

if TYPE_CHECKING:
    from grader.examination import Examination

Event = Literal["insert", "update", "delete"]
_PATIENCE_S = 5.0
_PARTICIPLES = {"insert": "inserted", "update": "updated", "delete": "deleted"}
_WHERE = {"insert": "into", "update": "in", "delete": "from"}


@dataclass(frozen=True)
class _How:
    event: Event
    at: int
    times: int | None
    sqlstate: str
    on_commit: bool


class Faults:
    """Faults of one check.

    In the methods that are about a table ``at`` counts the rows that are written to it from now on,
    from 1, also by other processes and in transactions that are rolled back; in those about
    statements, what the process that `student` calls sends from now on over the engine of its
    session, transaction control apart. ``needed`` says that the check means nothing unless the
    fault struck.
    """

    def __init__(self, examination: Examination) -> None:
        self._examination = examination
        self._needed: list[Fault] = []
        self._needed_statements: list[StatementFault] = []
        self._lab: lab.Faults | None = None
        self._statements = StatementFaults(examination)
        examination.must_hold(self._all_struck)

    def fail_insert(
        self,
        table: str,
        *,
        at: int = 1,
        times: int | None = 1,
        sqlstate: str = "53100",
        on_commit: bool = False,
        needed: bool = True,
    ) -> Fault:
        """Let the ``at``-th row that is inserted into a table fail.

        Args:
            times: how many rows fail, one after another: ``times=2, sqlstate="40001"`` is passed by
                whoever tries a third time; None for all from then on.
            sqlstate: ``40001``, ``40P01``, ``57014`` (statement timeout), ``55P03`` (lock timeout)
                and ``53100`` (disk full) come with PostgreSQL's own messages.
            on_commit: fail when the transaction is committed and not before, as the loser of two
                serializable transactions may.

        Returns:
            The fault; its ``hits`` and ``writes`` tell what became of it.
        """
        how = _How("insert", at, times, sqlstate, on_commit)
        return self._fail(table, how, needed=needed)

    def fail_update(
        self,
        table: str,
        *,
        at: int = 1,
        times: int | None = 1,
        sqlstate: str = "53100",
        on_commit: bool = False,
        needed: bool = True,
    ) -> Fault:
        """The same for rows that are updated."""
        how = _How("update", at, times, sqlstate, on_commit)
        return self._fail(table, how, needed=needed)

    def fail_delete(
        self,
        table: str,
        *,
        at: int = 1,
        times: int | None = 1,
        sqlstate: str = "53100",
        on_commit: bool = False,
        needed: bool = True,
    ) -> Fault:
        """The same for rows that are deleted."""
        how = _How("delete", at, times, sqlstate, on_commit)
        return self._fail(table, how, needed=needed)

    def lose_connection(
        self,
        table: str,
        *,
        event: Event = "insert",
        at: int = 1,
        times: int | None = 1,
        on_commit: bool = False,
        needed: bool = True,
    ) -> Fault:
        """End the session that writes the ``at``-th row, in the middle of its statement."""
        how = _How(event, at, times, LOST_CONNECTION, on_commit)
        return self._fail(table, how, needed=needed)

    def fail_statement(
        self,
        at: int = 1,
        *,
        times: int | None = 1,
        kind: str | None = None,
        sqlstate: str = "40001",
        needed: bool = True,
    ) -> StatementFault:
        """Let the ``at``-th statement fail that is sent over the session, whatever it does.

        It never reaches the server, so `statements` does not have it. Between two calls only.

        Args:
            times: how many statements fail, one after another; None for all from then on.
            kind: counts only those of one command, such as ``SELECT`` or ``CREATE``; a statement
                that begins with WITH is named after its main part.
            sqlstate: as for `fail_insert`.

        Returns:
            The fault; its ``hits`` and ``sent`` tell what became of it.

        Raises:
            NotPassed: the submission's process gives no answer any more.
        """
        fault = self._statements.fail(at, times=times, kind=kind, sqlstate=sqlstate)
        if needed:
            self._needed_statements.append(fault)
        return fault

    def lose_connection_at(
        self,
        at: int = 1,
        *,
        times: int | None = 1,
        kind: str | None = None,
        needed: bool = True,
    ) -> StatementFault:
        """End the session at the ``at``-th statement that is sent over it."""
        return self.fail_statement(
            at, times=times, kind=kind, sqlstate=LOST_CONNECTION, needed=needed
        )

    def disconnect(self) -> int:
        """End all sessions of the submission now; how many there were."""
        with self._admin() as admin:
            return self._end_sessions(admin)

    def restart(self, *, seconds: float = 0.1) -> int:
        """Do to the submission what a restart of the server does: all its sessions end with
        ``57P01``, for a moment nobody gets in, and then again. The server itself goes on.

        Args:
            seconds: how long the moment lasts.

        Returns:
            How many sessions ended.
        """
        with self._shut() as ended:
            time.sleep(seconds)
            return ended

    @contextlib.contextmanager
    def outage(self) -> Iterator[None]:
        """As long as this lasts the submission has no session and gets no new one."""
        with self._shut():
            yield

    @contextlib.contextmanager
    def _shut(self) -> Iterator[int]:
        """Nobody has a session; how many had one."""
        self._examination.state.query("SELECT 1")  # the judge's own session stays
        database = sql.Identifier(self._examination.database.name)
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        with self._admin() as admin:
            admin.execute(allow.format(database, sql.SQL("false")))
            try:
                yield self._end_sessions(admin)
            finally:
                admin.execute(allow.format(database, sql.SQL("true")))

    @property
    def hits(self) -> int:
        """How often faults struck in this check since the last `clear`."""
        return (self._lab.hits if self._lab else 0) + self._statements.hits

    def clear(self) -> None:
        """Take all faults out; those that never struck are forgotten."""
        if self._lab:
            self._lab.clear()
        self._statements.clear()
        self._needed.clear()
        self._needed_statements.clear()

    def _fail(self, table: str, how: _How, *, needed: bool) -> Fault:
        self._examination.state.count(table)  # which says what is wrong where it is no table

        def plant() -> Fault:
            return self._laboratory().fail(
                table,
                how.event,
                at=how.at,
                times=how.times,
                sqlstate=how.sqlstate,
                on_commit=how.on_commit,
            )

        fault = self._permitted(table, plant)
        if needed:
            self._needed.append(fault)
        return fault

    def _permitted(self, table: str, plant: Callable[[], Fault]) -> Fault:
        """Plant as the author. A table that the submission made has to be opened to him first."""
        if self._examination.exercise.makes_tables:
            grant = sql.SQL("GRANT TRIGGER ON {} TO {}").format(
                sql.Identifier("public", table),
                sql.Identifier(self._examination.judge.author.name),
            )
            with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
                self._examination.delegate.connection.execute(grant)
        return plant()

    def _laboratory(self) -> lab.Faults:
        """Connected as the author when the first fault is planted."""
        if self._lab is None:
            examination = self._examination
            url = examination.database.url_for(examination.judge.author)
            connection = connect(url)
            examination.at_end(connection.close)
            connection.execute("SET lock_timeout = '2s'")
            self._lab = lab.Faults(connection)
        return self._lab

    @contextlib.contextmanager
    def _admin(self) -> Iterator[psycopg.Connection]:
        """A session at the server, outside the submission's database."""
        with connect(self._examination.judge.server.admin_url) as connection:
            yield connection

    def _end_sessions(self, admin: psycopg.Connection) -> int:
        """End the submission's sessions and wait until they are gone."""
        query = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = %s AND usename = %s"
        )
        parameters = (self._examination.database.name, self._examination.role.name)
        deadline = time.monotonic() + _PATIENCE_S
        most = 0
        while True:
            row = admin.execute(query, parameters).fetchone()
            assert row is not None
            most = max(most, int(row[0]))
            if row[0] == 0 or time.monotonic() > deadline:
                return most
            time.sleep(0.001)

    def _all_struck(self) -> None:
        for fault in self._needed:
            if not fault.hits:
                raise NotPassed(_never_struck(fault))
        for statement_fault in self._needed_statements:
            statement_fault.must_have_struck()


def _never_struck(fault: Fault) -> Failure:
    done, where = _PARTICIPLES[fault.event], _WHERE[fault.event]
    rows = {0: "no row", 1: "1 row"}.get(fault.writes, f"{fault.writes} rows")
    return Failure(
        Reason.ASSERTION,
        f"In this check row number {fault.at} that is {done} {where} {fault.table} fails, and your "
        f"code {done} {rows} there. So what it does when something fails was never seen.",
        question="Which rows should this call write, and when?",
        misconception="",
        expected=f"at least {fault.at} rows {done} {where} {fault.table}",
        actual=f"{rows} {done}",
    )

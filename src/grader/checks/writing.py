"""Somebody who writes to a table while a migration runs, for the instrument ``migrations``.

A session of the judge's sets a column of one row to what it is, in a transaction of its own that is
rolled back, and begins anew. Another session looks whether it waits, for whom, and what that one is
doing.

Source: PostgreSQL manual, "Explicit Locking" and "System Information Functions".
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.rows import DictRow

from grader.checks.verdict import NotPassed
from grader.results import Failure, Reason
from grader.text import clean
from pglab.servers.server import connect

if TYPE_CHECKING:
    from grader.examination import Examination

_BETWEEN_S = 0.005
"""Between two writes, so that the writer itself is in nobody's way for long."""
_LOOK_S = 0.005
_PATIENCE_S = 2.0
# A column of a key would lock the row against those who refer to it as well.
_COLUMN = """
SELECT a.attname::text AS name FROM pg_catalog.pg_attribute a
 WHERE a.attrelid = %s::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped
   AND a.attgenerated = '' AND a.attidentity <> 'a'
 ORDER BY EXISTS (SELECT FROM pg_catalog.pg_index i
                   WHERE i.indrelid = a.attrelid AND a.attnum = ANY (i.indkey)), a.attnum LIMIT 1
"""
_WRITE = sql.SQL(
    "UPDATE {table} SET {column} = {column} WHERE ctid = (SELECT ctid FROM {table} LIMIT 1)"
)
_LOOK = """
SELECT a.query, %(writer)s = ANY (pg_blocking_pids(a.pid)) AS waits_too
  FROM unnest(pg_blocking_pids(%(writer)s)) AS held_by (pid) JOIN pg_stat_activity a USING (pid)
 WHERE a.usename = %(role)s
"""


@dataclass
class Writers:
    """What became of the writes. The numbers grow for as long as there is writing."""

    longest: float = 0.0
    """Seconds that the write took which waited longest for the submission; 0.0 if none waited."""
    writes: int = 0
    """How many went through."""
    failed: Counter[str] = field(default_factory=Counter)
    """How many did not, by SQLSTATE: ``55P03`` for those that gave up waiting."""
    stopped_by: list[str] = field(default_factory=list)
    """Statements of the submission that ran, or had run last, where a write waited for it; each
    once and at most 1 kB of it.
    """


@contextlib.contextmanager
def writing(
    examination: Examination, owner: psycopg.Connection[DictRow], table: str
) -> Iterator[Writers]:
    """Write to a table for as long as this lasts.

    Args:
        owner: a session of the owner of the table, for this alone.
        table: in the schema ``public``.

    Raises:
        NotPassed: it is no table, or takes no write even now.
    """
    examination.state.count(table)  # which says what is wrong where it is no table
    patience_s = examination.exercise.seconds
    owner.execute(sql.SQL("SET lock_timeout = {}").format(int(patience_s * 1000)))
    owner.execute(sql.SQL("SET statement_timeout = {}").format(int((patience_s + 1) * 1000)))
    with connect(examination.judge.server.admin_url) as observer:
        writer = _Writer(owner, observer, table, examination.role.name)
        threads = [threading.Thread(target=f, daemon=True) for f in (writer.go_on, writer.watch)]
        for thread in threads:
            thread.start()
        try:
            if not writer.has_written.wait(patience_s + _PATIENCE_S) or writer.found.failed:
                raise NotPassed(_takes_nothing(table, writer.said))
            yield writer.found
        finally:
            writer.stops.set()
            threads[0].join(patience_s + _PATIENCE_S)
            if threads[0].is_alive():  # what waits in the table can catch the error of a limit
                observer.execute("SELECT pg_terminate_backend(%s)", [writer.pid])
                threads[0].join(_PATIENCE_S)
            writer.has_stopped.set()
            threads[1].join(_PATIENCE_S)


class _Writer:
    def __init__(
        self,
        connection: psycopg.Connection[DictRow],
        observer: psycopg.Connection,
        table: str,
        role: str,
    ) -> None:
        self._connection = connection
        self._observer = observer
        self._table = sql.Identifier("public", table)
        self._role = role
        self._is_stopped = False
        self._statement: sql.Composed | None = None
        self.pid = connection.info.backend_pid
        self.found = Writers()
        self.said = ""
        """What PostgreSQL said to the last write that failed."""
        self.has_written = threading.Event()
        self.stops = threading.Event()
        self.has_stopped = threading.Event()

    def go_on(self) -> None:
        """Write until that is to stop, or the session has ended."""
        while not (self.stops.wait(_BETWEEN_S) or self._connection.closed):
            self.write()
            self.has_written.set()

    def write(self) -> None:
        """One write, and note what became of it."""
        self._is_stopped = False
        began = time.monotonic()
        try:
            if self._statement is None:
                self._statement = self._update()
            with self._connection.transaction(force_rollback=True):
                self._connection.execute(self._statement)
            self.found.writes += 1
        except NotPassed as error:  # the session was hung up on
            self.said = error.failure.message
            self.found.failed[""] += 1
        except psycopg.Error as error:
            self.said = str(error)
            self.found.failed[error.sqlstate or ""] += 1
            if isinstance(error, psycopg.errors.UndefinedColumn):
                self._statement = None
        if self._is_stopped:
            self.found.longest = max(self.found.longest, time.monotonic() - began)

    def watch(self) -> None:
        """Look whether the writer waits for the submission, until it has stopped."""
        parameters = {"writer": self.pid, "role": self._role}
        while not self.has_stopped.wait(_LOOK_S):
            for query, waits_too in self._observer.execute(_LOOK, parameters).fetchall():
                self._is_stopped = True
                if query not in self.found.stopped_by:
                    self.found.stopped_by.append(query)
                if waits_too:
                    # A deadlock. PostgreSQL would end whoever looks first, and the migration is
                    # not to be judged by that.
                    self._observer.execute("SELECT pg_cancel_backend(%s)", [self.pid])

    def _update(self) -> sql.Composed:
        """What is to be sent, by the columns that there are now."""
        name = self._table.as_string(self._connection)
        row = self._connection.execute(_COLUMN, [name]).fetchone()
        if row is None:
            raise psycopg.errors.UndefinedColumn(f"{name} has no column that can be written")
        return _WRITE.format(table=self._table, column=sql.Identifier(row["name"]))


def _takes_nothing(table: str, said: str) -> Failure:
    return Failure(
        Reason.ASSERTION,
        f"No row of {table} can be written, even while no migration runs.",
        misconception="",
        question="What do your tables do to those who only want to store a row?",
        actual=clean(said, 600),
    )

"""A session of the judge's own that has the rights of a submission's role, and no others.

Probes and plans must run with the student's rights: whatever trigger, rule or default expression
waits in the tables then runs with those rights too. They must not be taken for the student's work,
though. So a login role is made whose only right is to be the student's role: the server's log calls
its statements by the name of the login, and the tables know the student's.

Code that waits in a table can leave the role (``SET ROLE NONE``), give the login a password of its
own, lift time limits, catch their errors, or end the session. It gains nothing: the login has no
rights besides the student's, only one session may be open, which is the judge's, every statement
gets its time limit anew, and the judge hangs up where even that does not help.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import JsonbDumper

from grader.checks.verdict import NotPassed
from grader.results import Failure, Reason
from pglab.scratch import Database, Role, Scratch

STATEMENT_MS = 5_000
LOCK_MS = 2_000
PATIENCE_S = 20.0
"""After so long the judge hangs up, whatever the server does."""
_SECONDS_TO_CONNECT = 10
_TERMINATED = "57P01"
_AGAIN = sql.SQL("SET statement_timeout = {}").format(STATEMENT_MS)


class _Impatient(psycopg.Connection[DictRow]):
    """Hangs up on a statement that comes to no end."""

    def execute(self, *args: Any, **kwargs: Any) -> psycopg.Cursor[DictRow]:
        with _patience(self, frozenset()):
            return super().execute(*args, **kwargs)


class Delegate:
    """The session; opened when it is first used.

    Args:
        scratch: makes the login role.
        database: where to connect.
        role: whose rights to have.
        retire: gets the login role when it is no longer used.
        note: is told the login's name, which differs in every run.
    """

    def __init__(
        self,
        scratch: Scratch,
        database: Database,
        role: Role,
        *,
        retire: Callable[[Role], None],
        note: Callable[[str], None],
    ) -> None:
        self._scratch = scratch
        self._database = database
        self._role = role
        self._retire = retire
        self._note = note
        self._login: Role | None = None
        self._connection: psycopg.Connection[DictRow] | None = None

    @property
    def connection(self) -> psycopg.Connection[DictRow]:
        """The connection, outside of any transaction."""
        if self._connection is None:
            self._login = self._scratch.role(member_of=self._role.name, connection_limit=1)
            self._note(self._login.name)
            options = (
                f"-c role={self._role.name} -c statement_timeout={STATEMENT_MS}"
                f" -c lock_timeout={LOCK_MS}"
            )
            self._connection = _Impatient.connect(
                self._database.url_for(self._login),
                autocommit=True,
                row_factory=dict_row,
                options=options,
                connect_timeout=_SECONDS_TO_CONNECT,
            )
            self._connection.prepare_threshold = None
            self._connection.adapters.register_dumper(dict, JsonbDumper)
        return self._connection

    @contextlib.contextmanager
    def session(self) -> Iterator[psycopg.Connection[DictRow]]:
        """The connection, for a while.

        Raises:
            NotPassed: what waits in the tables ended the session, or never let go of it.
        """
        connection = self.connection
        with _patience(connection, frozenset({_TERMINATED})):
            # What code in the tables has set for the session before goes first.
            connection.execute("RESET ALL")
            connection.execute("RESET ROLE")
            yield connection

    @contextlib.contextmanager
    def transaction(self, *, keep: bool = False) -> Iterator[None]:
        """One transaction, rolled back at its end unless it is to be kept.

        Raises:
            NotPassed: as for `session`.
        """
        with self.session() as connection, connection.transaction(force_rollback=not keep):
            yield

    def execute(
        self, statement: sql.Composable, parameters: Sequence[Any] = ()
    ) -> psycopg.Cursor[DictRow]:
        """Send one statement, with a time limit that nothing before it can have lifted."""
        self.connection.execute(_AGAIN)
        composed = sql.Composed([statement])
        return self.connection.execute(composed, list(parameters) or None)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._login is not None:
            self._retire(self._login)
            self._login = None


@contextlib.contextmanager
def _patience(connection: psycopg.Connection[DictRow], ended_by: Collection[str]) -> Iterator[None]:
    """A function can catch the error of a statement's time limit, and go on.

    Args:
        ended_by: SQLSTATEs of errors that tell as well that the session was ended.

    Raises:
        NotPassed: as for `Delegate.session`.
    """
    hung_up = threading.Event()
    watch = threading.Timer(PATIENCE_S, _hang_up, (connection, hung_up))
    watch.daemon = True
    watch.start()
    try:
        yield
    except psycopg.Error as error:
        if hung_up.is_set() or error.sqlstate in ended_by:
            raise NotPassed(_ended()) from error
        raise
    finally:
        watch.cancel()


def _hang_up(connection: psycopg.Connection[DictRow], hung_up: threading.Event) -> None:
    hung_up.set()
    with (
        contextlib.suppress(OSError, psycopg.Error),
        socket.socket(fileno=os.dup(connection.fileno())) as line,
    ):
        line.shutdown(socket.SHUT_RDWR)


def _ended() -> Failure:
    return Failure(
        Reason.LIMIT,
        "What waits in your tables (a trigger, a default, a function) ended the session that wrote "
        "to them, or never came to an end.",
        question="What does your trigger do to those who only want to store a row?",
    )

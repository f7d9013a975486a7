"""Which statements did a role really send: read from the server's own JSON log.

A client cannot lie to the server's log. PostgreSQL writes each statement of a role whose
``log_statement`` is ``all`` before it runs it (manual, "Error Reporting and Logging"), and only a
superuser can change that setting. The log collector writes a moment later than the client gets its
answer; so the witness sends a marker of its own and reads until it finds that.
"""

from __future__ import annotations

import secrets
import threading
import time
from types import TracebackType
from typing import Self

from pglab.errors import StatementsUnavailable
from pglab.serverlog import Position, SqlLogFiles, bytes_between, find_line
from pglab.servers.server import Server, capabilities_of, connect
from pglab.speaking import doing
from pglab.statements import Statement, StatementReader

__all__ = ["Mark", "Statement", "Witness"]

_PATIENCE_S = 10.0


class Mark(Position):
    """A moment: whatever was logged earlier stands before this place in the log."""


class Witness:
    """Reads a server's log over a connection of its own; may be used by several threads."""

    def __init__(self, server: Server) -> None:
        """Connect.

        Raises:
            StatementsUnavailable: the log cannot be read there; the message says what it takes.
        """
        self._mutex = threading.Lock()
        with doing("connecting to read its log"):
            self._connection = connect(server.admin_url)
            capabilities = capabilities_of(self._connection)
        self._files = SqlLogFiles(self._connection)
        if not capabilities.log_access:
            self._connection.close()
            raise StatementsUnavailable(
                "This server does not let the kit read which statements were sent. That takes a "
                "JSON log (logging_collector = on, log_destination = jsonlog) and an administrator "
                "that may read it, such as a superuser. The embedded server has both: "
                "--database embedded"
            )

    def mark(self) -> Mark:
        """The moment now: what was sent and answered earlier is before it in the log."""
        token = f"kit mark {secrets.token_hex(12)}"
        with self._mutex, doing("reading its log"):
            # RAISE LOG and not a logged SELECT, because it needs no setting: so the witness's own
            # reading is not logged.
            start = self._files.end(f"DO $$BEGIN RAISE LOG '{token}'; END$$")
            found = find_line(self._files, token.encode(), start, patience_s=_PATIENCE_S)
        return Mark(found.file, found.offset)

    def statements(
        self,
        since: Mark,
        *,
        role: str | None = None,
        database: str | None = None,
        until: Mark | None = None,
    ) -> list[Statement]:
        """The statements logged between two marks, complete and in the order of the log.

        Args:
            since: where to begin.
            role: only those of this role; without it, of all whose statements are logged.
            database: only those in this database.
            until: where to end; without it, now.

        Raises:
            StatementsLost: a part of the log is gone.
            TooManyStatements: there are more than can be held.
        """
        end = until or self.mark()
        reader = StatementReader(role=role, database=database)
        with self._mutex, doing("reading its log"):
            for chunk in bytes_between(self._files, since, end):
                reader.feed(chunk)
        return reader.finish()

    def wait_until_idle(self, role: str, *, timeout_s: float = 5.0) -> bool:
        """Wait until no session of a role runs a statement; whether that came in time.

        A client can send statements without waiting for their answers (pipelining, a thread left
        behind). A mark set while they run would stand before some of them.
        """
        deadline = time.monotonic() + timeout_s
        query = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND state = 'active'"
        while True:
            with self._mutex, doing("reading its log"):
                row = self._connection.execute(query, (role,)).fetchone()
            if row is not None and row[0] == 0:
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)

    def close(self) -> None:
        """Disconnect; safe to call twice."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

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
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from psycopg import sql

from pglab.errors import StatementsLost, StatementsUnavailable
from pglab.servers.server import Server, capabilities_of, connect
from pglab.statements import Statement, StatementReader

__all__ = ["Mark", "Statement", "Witness"]

_CHUNK = 1 << 20
_PATIENCE_S = 10.0


@dataclass(frozen=True)
class Mark:
    """A moment in the server's log: all that was logged before is before it."""

    file: str
    offset: int
    """Bytes from the beginning of the file to the line after the marker."""


class Witness:
    """Reads a server's log; may be used by several threads."""

    def __init__(self, server: Server) -> None:
        self._mutex = threading.Lock()
        self._connection = connect(server.admin_url)
        capabilities = capabilities_of(self._connection)
        if not capabilities.log_access:
            self._connection.close()
            raise StatementsUnavailable(
                "This server does not let the kit read which statements were sent. That takes a "
                "JSON log (logging_collector = on, log_destination = jsonlog, PostgreSQL 15 or "
                "later) and an administrator that may read it (a superuser). The embedded server "
                "has both: --database embedded"
            )

    def mark(self) -> Mark:
        """The moment now: what was sent and answered before is before it in the log."""
        token = f"kit mark {secrets.token_hex(12)}"
        with self._mutex:
            file, offset = self._end_of_log()
            # RAISE LOG and not a logged SELECT: it needs no setting, so that the witness's own
            # reading is not logged too.
            self._connection.execute(
                sql.SQL("DO {}").format(sql.Literal(f"BEGIN RAISE LOG '{token}'; END"))
            )
            return self._find(token.encode(), file, offset)

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
            role: only those of this role; without it those of all roles.
            database: only those in this database.
            until: where to end; without it, now.
        """
        end = until or self.mark()
        reader = StatementReader(role=role, database=database)
        with self._mutex:
            for chunk in self._between(since, end):
                reader.feed(chunk)
        return reader.finish()

    def close(self) -> None:
        """Disconnect; safe to call twice."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _end_of_log(self) -> tuple[str, int]:
        row = self._connection.execute(
            "SELECT file, (pg_stat_file(file)).size FROM pg_current_logfile('jsonlog') AS file"
        ).fetchone()
        if row is None or row[0] is None:
            raise StatementsUnavailable("The server writes no JSON log at the moment.")
        return row[0], row[1]

    def _find(self, token: bytes, file: str, offset: int) -> Mark:
        deadline = time.monotonic() + _PATIENCE_S
        rest = b""
        while True:
            chunk = self._read(file, offset, _CHUNK)
            rest += chunk
            offset += len(chunk)
            found = rest.find(token)
            end = rest.find(b"\n", found)
            if found >= 0 and end >= 0:
                return Mark(file, offset - len(rest) + end + 1)
            if chunk:
                rest = rest[max(0, rest.rfind(b"\n") + 1) :]
                continue
            if (next_file := self._after(file)) is not None and not self._read(file, offset, 1):
                file, offset, rest = next_file, 0, b""
                continue
            if time.monotonic() > deadline:
                raise StatementsUnavailable("The server's log does not show what was logged.")
            time.sleep(0.0003)

    def _between(self, since: Mark, end: Mark) -> Iterator[bytes]:
        file, offset = since.file, since.offset
        while True:
            limit = end.offset - offset if file == end.file else _CHUNK
            chunk = self._read(file, offset, min(limit, _CHUNK)) if limit > 0 else b""
            if chunk:
                offset += len(chunk)
                yield chunk
                continue
            if file == end.file:
                if limit > 0:
                    raise StatementsLost(f"The log file {file} is shorter than it was.")
                return
            next_file = self._after(file)
            if next_file is None:
                raise StatementsLost(f"The log file after {file} is gone.")
            file, offset = next_file, 0

    def _after(self, file: str) -> str | None:
        directory, _, name = file.rpartition("/")
        row = self._connection.execute(
            "SELECT min(name) FROM pg_ls_dir(%s) AS name WHERE name LIKE '%%.json' AND name > %s",
            (directory or ".", name),
        ).fetchone()
        if row is None or row[0] is None:
            return None
        return f"{directory}/{row[0]}" if directory else str(row[0])

    def _read(self, file: str, offset: int, length: int) -> bytes:
        row = self._connection.execute(
            "SELECT pg_read_binary_file(%s, %s, %s, true)", (file, offset, length), binary=True
        ).fetchone()
        if row is None or row[0] is None:
            raise StatementsLost(f"The log file {file} is gone.")
        return bytes(row[0])

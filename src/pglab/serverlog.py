"""The files of a server's JSON log, read forward from a place, over the rotation of files.

The log collector is one process and writes one file at a time, so once there is a later file an
earlier one is whole.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import psycopg

from pglab.errors import StatementsLost, StatementsUnavailable

__all__ = ["CHUNK", "LogFiles", "Position", "SqlLogFiles", "bytes_between", "find_line"]

CHUNK = 1 << 20
"""Bytes read at a time."""
_PAUSE_S = 0.0003


@dataclass(frozen=True)
class Position:
    """A place in the log."""

    file: str
    offset: int
    """Bytes from the beginning of the file."""


class LogFiles(Protocol):
    """Where the bytes of a log come from."""

    def end(self) -> Position:
        """The present end of the log; may be in the middle of a line that is being written."""

    def read(self, file: str, offset: int, length: int) -> bytes | None:
        """At most ``length`` bytes of a file; empty at its end, None where it does not exist."""

    def after(self, file: str) -> str | None:
        """The file that follows, if there is one by now."""


def find_line(files: LogFiles, token: bytes, start: Position, *, patience_s: float) -> Position:
    """Read forward from a place until a line holds the token; where the next line begins.

    Waits for the log collector, which writes a moment after a statement has been answered.

    Raises:
        StatementsUnavailable: the line does not come.
    """
    deadline = time.monotonic() + patience_s
    file, offset, rest = start.file, start.offset, b""
    while True:
        chunk = files.read(file, offset, CHUNK)
        if chunk:
            offset += len(chunk)
            rest += chunk
            at = rest.find(token)
            newline = rest.find(b"\n", at) if at >= 0 else -1
            if newline >= 0:
                return Position(file, offset - len(rest) + newline + 1)
            # The token is shorter than what is kept, so one that is cut in two is still found.
            rest = rest[at:] if at >= 0 else rest[-len(token) :]
            continue
        if chunk is None:
            raise StatementsLost(f"The file {file} of the server's log was removed too early.")
        following = files.after(file)
        # Look again: the last bytes may have come between the two questions.
        if following is not None and not files.read(file, offset, 1):
            file, offset, rest = following, 0, b""
            continue
        if time.monotonic() > deadline:
            raise StatementsUnavailable(
                f"The server did not write to its log within {patience_s:.0f} seconds. Is its "
                "disk full? What was sent cannot be known."
            )
        time.sleep(_PAUSE_S)


def bytes_between(files: LogFiles, start: Position, end: Position) -> Iterator[bytes]:
    """The bytes from one place to another, in pieces of at most ``CHUNK``.

    Raises:
        StatementsLost: a part of them has been removed.
    """
    file, offset = start.file, start.offset
    while file != end.file or offset < end.offset:
        length = min(CHUNK, end.offset - offset) if file == end.file else CHUNK
        chunk = files.read(file, offset, length)
        if chunk:
            offset += len(chunk)
            yield chunk
            continue
        following = files.after(file)
        if chunk is None or file == end.file or following is None:
            raise StatementsLost(
                "A part of the server's log was removed before it was read: more was logged than "
                "is kept. What was sent cannot be known in full."
            )
        file, offset = following, 0


class SqlLogFiles:
    """The log's files read through a connection, so that it works wherever the server is.

    Source: PostgreSQL manual, "Generic File Access Functions".
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def end(self, then: str = "") -> Position:
        """The present end of the log.

        Args:
            then: SQL to be run as soon as the end is known.
        """
        where = "SELECT file, (pg_stat_file(file)).size FROM pg_current_logfile('jsonlog') AS file"
        # In one round trip; without parameters both are sent as one simple query.
        row = self._connection.execute(f"{where}; {then}".encode()).fetchone()
        if row is None or row[0] is None:
            raise StatementsUnavailable(
                "The server writes no JSON log at the moment; pg_current_logfile('jsonlog') is "
                "empty. Restart the server."
            )
        return Position(row[0], row[1])

    def read(self, file: str, offset: int, length: int) -> bytes | None:
        """At most ``length`` bytes of a file."""
        row = self._connection.execute(
            "SELECT pg_read_binary_file(%s, %s, %s, true)", (file, offset, length), binary=True
        ).fetchone()
        return None if row is None or row[0] is None else bytes(row[0])

    def after(self, file: str) -> str | None:
        """The file that follows, if there is one by now.

        By the time of its last change and not by name alone: a server that is not ours may name
        its files after the days of the week.
        """
        directory, slash, name = file.rpartition("/")
        row = self._connection.execute(
            """
            WITH files AS (
                SELECT modification, name COLLATE "C" AS name FROM pg_ls_logdir()
                WHERE name LIKE '%%.json')
            SELECT name FROM files
            WHERE (modification, name) > (SELECT f.modification, f.name FROM files f
                                          WHERE f.name = %(name)s)
              AND pg_current_logfile('jsonlog') <> %(file)s
            ORDER BY modification, name LIMIT 1
            """,
            {"name": name, "file": file},
        ).fetchone()
        return None if row is None else f"{directory}{slash}{row[0]}"

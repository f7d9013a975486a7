"""A limit on what a clone may hold, since PostgreSQL has none."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

import psycopg

from pglab.errors import PglabError
from pglab.servers.server import connect
from pglab.speaking import doing

if TYPE_CHECKING:
    from pglab.scratch import Scratch

__all__ = ["Quota"]


class Quota:
    """Looks at the clones of a scratch again and again, and shuts out who fills one too much.

    A statement can write about a gigabyte in the second between two looks: a quota keeps a loop
    from filling the disk of the server, it does not measure to the byte.
    """

    def __init__(self, scratch: Scratch, *, megabytes: int = 512, look_s: float = 0.5) -> None:
        """Begin to look, in a thread of its own.

        Args:
            scratch: whose clones.
            megabytes: the most that one of them may hold, with its indexes.
            look_s: seconds between two looks.
        """
        self._scratch = scratch
        self._bytes = megabytes << 20
        self._look_s = look_s
        self._over = threading.Event()
        self._exceeded: set[str] = set()
        self._thread = threading.Thread(target=self._watch, name="quota", daemon=True)
        self._thread.start()

    @property
    def megabytes(self) -> int:
        """The most that a clone may hold."""
        return self._bytes >> 20

    @property
    def exceeded(self) -> frozenset[str]:
        """The names of the clones whose users were shut out."""
        return frozenset(self._exceeded)

    def close(self) -> None:
        """Stop looking; safe to call twice."""
        self._over.set()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _watch(self) -> None:
        connection: psycopg.Connection | None = None
        while not self._over.wait(self._look_s):
            try:
                if connection is None or connection.closed:
                    with doing("watching the size of databases"):
                        connection = connect(self._scratch.server.admin_url)
                self._look(connection)
            except PglabError:
                continue  # the server is gone or too busy; who works there will be told
        if connection is not None:
            connection.close()

    def _look(self, connection: psycopg.Connection) -> None:
        with doing("watching the size of databases"):
            rows = connection.execute(
                "SELECT datname FROM pg_database WHERE datname ~ %s AND datallowconn "
                "AND pg_database_size(oid) > %s",
                (self._scratch.clone_pattern, self._bytes),
            ).fetchall()
        for (name,) in rows:
            self._exceeded.add(name)  # first: whoever is shut out may ask why
            self._scratch.shut_out(connection, name)

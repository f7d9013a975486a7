"""The judge's own sessions in a check's database: one that reads everything, one of the author's.

They have an empty ``search_path`` and a time limit for every statement and every lock, so that
nothing that a submission leaves behind can speak in a table's place or keep the judge waiting.
"""

from __future__ import annotations

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import JsonbDumper

from pglab.scratch import Database, Role

STATEMENT_MS = 10_000
LOCK_MS = 2_000
_LIMITS = f"-c statement_timeout={STATEMENT_MS} -c lock_timeout={LOCK_MS} -c search_path="
_READ_ONLY = " -c default_transaction_read_only=on -c row_security=off"


class JudgeSessions:
    """Each is opened when it is first used, or by `open`, and stays until the check is over.

    Args:
        database: the check's.
        reader: may read everything and write nothing.
        author: owns the exercise's tables.
    """

    def __init__(self, database: Database, *, reader: Role, author: Role) -> None:
        self._database = database
        self._reader = reader
        self._author = author
        self._opened: dict[Role, psycopg.Connection[DictRow]] = {}

    @property
    def reader(self) -> psycopg.Connection[DictRow]:
        """The session that can read everything and write nothing."""
        return self._session(self._reader, _LIMITS + _READ_ONLY)

    @property
    def author(self) -> psycopg.Connection[DictRow]:
        """The session of those who own the exercise's tables."""
        return self._session(self._author, _LIMITS)

    def open(self, *, author: bool) -> None:
        """Open the reader's, and the author's where that is wanted, before anybody asks.

        Raises:
            psycopg.Error: the server lets nobody in.
        """
        _ = self.reader
        if author:
            _ = self.author

    def close(self) -> None:
        for connection in self._opened.values():
            connection.close()
        self._opened.clear()

    def _session(self, role: Role, options: str) -> psycopg.Connection[DictRow]:
        if role not in self._opened:
            connection = psycopg.connect(
                self._database.url_for(role),
                autocommit=True,
                row_factory=dict_row,
                options=options,
            )
            connection.prepare_threshold = None  # hardly anything is asked often enough to gain
            connection.adapters.register_dumper(dict, JsonbDumper)
            self._opened[role] = connection
        return self._opened[role]

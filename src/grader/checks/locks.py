"""A migration seen from outside: the locks that it holds, the transactions that it sends.

Source: PostgreSQL manual, "Table-Level Locks".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from grader.checks.sent import Sent
from pglab.witness import Statement

# From the weakest to the strongest; and whom each of them stops.
MODES = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
STOP: dict[str, tuple[str, ...]] = {"reads": MODES[7:], "writes": MODES[4:]}
_NOTE = re.compile(
    r"\s*(INSERT INTO alembic_version \(version_num\) VALUES \('[^';]*'\)( RETURNING [\w.]+)?"
    r"|UPDATE alembic_version SET version_num='[^';]*' WHERE [\w.]+ = '[^';]*'"
    r"|DELETE FROM alembic_version WHERE [\w.]+ = '[^';]*'"
    r"|SELECT alembic_version\.version_num \s*FROM alembic_version"
    r"|CREATE TABLE alembic_version \([^;]*\))\s*"
)
_LOOK = "SELECT pg_catalog.pg_class.relname"
_ENDS = ("COMMIT", "ROLLBACK")


@dataclass(frozen=True, slots=True)
class Pause:
    """A migration that has done its work and has not committed it yet."""

    locks: dict[str, str]
    """By table, the strongest lock that it holds: ``AccessExclusiveLock``, ``ShareLock`` …"""
    statements: Sent
    """What it has sent so far."""
    locked_rows: dict[str, int]
    """By table, how many rows nobody else can change as long as it goes on; for tables whose
    writers are not stopped altogether."""
    wanted: dict[str, str]
    """By table, the strongest lock that it stands in line for: whoever comes later and cannot have
    a lock beside that one stands in line behind it."""

    def stops(self, whom: Literal["reads", "writes"], table: str) -> bool:
        """Whether those who read a table, or write to it, have to wait for it now."""
        return bool({self.locks.get(table), self.wanted.get(table)} & set(STOP[whom]))


def transactions(statements: list[Statement]) -> Iterator[list[Statement]]:
    """Statements in groups that were committed or rolled back together."""
    group: list[Statement] = []
    is_open = False
    for statement in statements:
        if statement.kind == "BEGIN":
            is_open = True
        elif statement.kind in _ENDS and is_open:
            is_open = False
        elif not statement.is_transaction_control:
            group.append(statement)
        if not is_open and group:
            yield group
            group = []
    if group:
        yield group


def without_notes(statements: Iterable[Statement]) -> list[Statement]:
    """Statements without those by which Alembic finds out and notes where it is."""
    return [s for s in statements if not (_NOTE.fullmatch(s.text) or _looks_for_notes(s))]


def _looks_for_notes(statement: Statement) -> bool:
    """Whether it asks the catalog if there is a table of versions yet."""
    return statement.text.startswith(_LOOK) and "alembic_version" in statement.parameters

"""The instrument ``sessions``: what a submission has open at the server, and what for.

Example::

    @check("Twenty calls in a row need no more than two connections", points=2)
    def test_connections(student, sessions):
        student.drive(twenty_calls)                # which opens connections of its own
        assert sessions.used <= 2, hint(f"{sessions.used} connections were opened for …")

The connection that the kit has opened for the submission when the check began is left out. Those of
the processes of `rivals` are not.

Source: PostgreSQL manual, "The Cumulative Statistics System", ``pg_stat_activity``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pglab.servers.server import connect

if TYPE_CHECKING:
    from grader.examination import Examination

_LOOK_S = 0.002
_REST_S = 0.05
_PATIENCE_S = 2.0
_QUERY = """
SELECT pid, CASE WHEN state LIKE 'idle in transaction%%' THEN 'in transaction'
                WHEN state <> 'active' THEN 'idle'
                WHEN wait_event_type = 'Lock' THEN 'waiting' ELSE 'working' END
  FROM pg_catalog.pg_stat_activity
 WHERE datname = %s AND usename = %s AND backend_type = 'client backend'
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """The connections of a submission at one moment."""

    pids: frozenset[int]
    """Server processes, one for each connection."""
    in_transaction: frozenset[int]
    """Those that have begun a transaction and do nothing in it."""
    waiting: frozenset[int]
    """Those that wait for a lock."""
    working: frozenset[int]
    """Those that run a statement and wait for no lock."""

    @property
    def count(self) -> int:
        return len(self.pids)


class Sessions:
    """Connections of one check's submission."""

    def __init__(self, examination: Examination) -> None:
        self._examination = examination
        self._watching = connect(examination.judge.server.admin_url)
        examination.at_end(self._watching.close)
        self._known: frozenset[int] = frozenset()
        self._known = self.now.pids

    @property
    def now(self) -> Seen:
        """What is open at this moment."""
        wanted = (self._examination.database.name, self._examination.role.name)
        by_kind: dict[str, set[int]] = {}
        for pid, kind in self._watching.execute(_QUERY, wanted):
            if pid not in self._known:
                by_kind.setdefault(kind, set()).add(pid)
        return Seen(
            pids=frozenset().union(*by_kind.values()),
            in_transaction=frozenset(by_kind.get("in transaction", ())),
            waiting=frozenset(by_kind.get("waiting", ())),
            working=frozenset(by_kind.get("working", ())),
        )

    def when(self, wanted: Callable[[Seen], bool], *, seconds: float = _PATIENCE_S) -> Seen:
        """Look until it is as wanted, or these seconds are over; what was seen last.

        The server needs a moment to see that a client has gone, and a client to come.
        """
        deadline = time.monotonic() + seconds
        while not wanted(seen := self.now) and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
        return seen

    def settled(self) -> Seen:
        """What is open when nobody works, and nobody has come or gone for a twentieth of a second.

        Waits for that two seconds at most.
        """
        deadline = time.monotonic() + _PATIENCE_S
        seen, since = self.now, time.monotonic()
        while (now := time.monotonic()) < deadline and (seen.working or now - since < _REST_S):
            time.sleep(_LOOK_S)
            before, seen = seen, self.now
            since = since if seen == before else time.monotonic()
        return seen

    @property
    def used(self) -> int:
        """How many different connections sent a statement in the last call, whatever became of
        them since.
        """
        return len({statement.session_id for statement in self._examination.statements.last})

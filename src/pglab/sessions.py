"""Named sessions stepped through an interleaving, with real locks and no sleeps.

Example::

    with Interleaving(url) as stage:
        alice, bob = stage.enter("alice", "bob")
        alice.begin()
        alice.run("UPDATE tracks SET seats = seats - 1 WHERE id = 1")
        bob.run("UPDATE tracks SET seats = seats - 1 WHERE id = 1")   # waits for alice
        alice.commit()                                                # bob goes on
        print("\\n".join(map(str, stage.events)))

Each step returns when its statement has ended or waits for a lock, and when everything that it set
free has come to rest too. So the same steps give the same events, however fast the machine is.

Sources: PostgreSQL manual, "Explicit Locking", "Transaction Isolation" and ``pg_blocking_pids`` in
"System Information Functions".
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

import psycopg

from pglab.errors import PglabError

__all__ = ["OBSERVER", "Event", "Interleaving", "Session", "SessionError", "blockers"]

Level = Literal["read committed", "repeatable read", "serializable"]
Rows = list[tuple[Any, ...]]
OBSERVER = "observer"
"""``application_name`` of the connection that looks who waits for whom."""

_LOOK_S = 0.001
_DEADLOCK_TIMEOUT_MS = 20


class SessionError(PglabError):
    """A step cannot be taken, or never comes to rest."""


@dataclass(frozen=True)
class Event:
    """What became of a statement: at its step, or at a later one that let it go on."""

    step: int
    """Which step of the interleaving it belongs to, from 1; what a step sets free has its
    number."""
    session: str
    statement: str
    outcome: Literal["done", "waits", "failed"]
    waits_for: tuple[str, ...] = ()
    """Names of the sessions whose locks it waits for; ``another session`` for one outside."""
    resumed: bool = False
    """It had been waiting, and somebody else's step let it go on."""
    rows: Rows | None = None
    """What a query gave."""
    affected: int | None = None
    """How many rows a statement gave or changed."""
    tag: str = ""
    """What the server calls what it did: ``ROLLBACK`` also for the COMMIT of what had failed."""
    sqlstate: str | None = None
    message: str = ""

    def __str__(self) -> str:
        told = {
            "done": "done" if self.affected is None else f"done, rows: {self.affected}",
            "waits": f"waits for {' and '.join(self.waits_for)}",
            "failed": f"failed with SQLSTATE {self.sqlstate}: {self.message}",
        }[self.outcome]
        again = " (had waited)" if self.resumed else ""
        return f"{self.step}. {self.session}: {self.statement}{again} → {told}"


def blockers(connection: psycopg.Connection[Any], pids: Iterable[int]) -> dict[int, list[int]]:
    """Which of these backends wait for a lock, and for whom. Who waits for this very question to
    end, as CREATE INDEX CONCURRENTLY does in the same database, waits for nobody.
    """
    query = (
        "SELECT pid, array_remove(pg_blocking_pids(pid), pg_backend_pid()) AS held_by"
        " FROM unnest(%s::int[]) AS _ (pid)"
    )
    with connection.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        found = cursor.execute(query, [list(pids)]).fetchall()
    return {pid: held_by for pid, held_by in found if held_by}


class Session:
    """One of the sessions; made by `Interleaving.enter`."""

    def __init__(self, stage: Interleaving, name: str, connection: psycopg.Connection) -> None:
        self._stage = stage
        self.name = name
        self.connection = connection
        self.pid = connection.info.backend_pid
        self.statement = ""
        """The one that was sent last."""
        self.pending: Future[tuple[Rows | None, int | None, str]] | None = None
        """Its statement, until it has ended and that was told."""
        self.told_to_wait = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> Event:
        """Send a statement; an error of PostgreSQL's is an event, not an exception.

        Returns:
            What became of it: done, failed, or it waits. What it let go on is in
            `Interleaving.events`.

        Raises:
            SessionError: the session still waits with the statement before, or this one neither
                ends nor waits for a lock within the patience of the interleaving.
        """
        if self.pending is not None:
            raise SessionError(
                f"{self.name} still waits with: {self.statement}. Take a step that lets it go on."
            )
        self.statement = statement
        self.told_to_wait = False
        self.pending = self._thread.submit(_send, self.connection, statement, parameters)
        return self._stage.settle(self)

    def begin(self, level: Level = "read committed") -> Event:
        """Begin a transaction at an isolation level."""
        return self.run(f"BEGIN ISOLATION LEVEL {level.upper()}")

    def commit(self) -> Event:
        return self.run("COMMIT")

    def rollback(self) -> Event:
        return self.run("ROLLBACK")

    @property
    def is_waiting(self) -> bool:
        """Whether its statement has not ended yet."""
        return self.pending is not None

    def cancel(self) -> None:
        """End what it still does, and wait for that."""
        if self.pending is not None and not self.pending.done():
            with contextlib.suppress(psycopg.Error):
                self.connection.cancel_safe(timeout=5)
            wait([self.pending], timeout=5)

    def close(self) -> None:
        """Disconnect; nothing may be going on any more."""
        self._thread.shutdown()
        self.connection.close()


class Interleaving:
    """A stage for sessions on one database.

    Args:
        url: libpq URI.
        patience_s: seconds within which a statement must end or wait for a lock.
    """

    def __init__(self, url: str, *, patience_s: float = 30) -> None:
        self._url = url
        self._patience_s = patience_s
        self._steps = 0
        self._sessions: list[Session] = []
        self._timers_run_out = False
        self.events: list[Event] = []
        """Everything that happened, in order."""
        self._observer = psycopg.connect(url, autocommit=True, application_name=OBSERVER)

    def enter(self, *names: str) -> list[Session]:
        """New sessions of these names, in autocommit."""
        entered = [Session(self, name, self._connect(name)) for name in names]
        self._sessions += entered
        return entered

    def settle(self, stepped: Session) -> Event:
        """Wait until every session is at rest and note what became of each.

        Returns:
            The event of the session that took the step.
        """
        self._steps += 1
        graph = self._at_rest()
        ordered = [stepped, *(s for s in self._sessions if s is not stepped)]
        for session in ordered:
            if session.pending is None:
                continue
            if session.pending.done():
                self.events.append(self._ended(session, resumed=session is not stepped))
            elif not session.told_to_wait:
                session.told_to_wait = True
                self.events.append(self._waits(session, graph))
        return next(e for e in reversed(self.events) if e.session == stepped.name)

    def close(self) -> None:
        """End all sessions; what was not committed is rolled back."""
        # First those that wait: when whom they wait for lets go, they would go on.
        for session in self._sessions:
            session.cancel()
        for session in self._sessions:
            session.close()
        self._sessions.clear()
        self._observer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _connect(self, name: str) -> psycopg.Connection:
        connection = psycopg.connect(self._url, autocommit=True, application_name=name)
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege):  # only a superuser may
            connection.execute(f"SET deadlock_timeout = {_DEADLOCK_TIMEOUT_MS}")
            self._timers_run_out = True
        return connection

    def _at_rest(self) -> Mapping[int, list[int]]:
        """Wait until each statement has ended or waits for one who does not wait for it.

        Raises:
            SessionError: that takes too long.
        """
        deadline = time.monotonic() + self._patience_s
        while True:
            running = [s for s in self._sessions if s.pending and not s.pending.done()]
            graph = blockers(self._observer, [s.pid for s in running])
            if all(s.pid in graph for s in running) and not _has_cycle(graph):
                if self._timers_run_out and any(not s.told_to_wait for s in running):
                    # Let the timer of who has begun to wait run out. If later there is a deadlock,
                    # it is found, and ended with an error, by whoever closed the circle.
                    time.sleep(_DEADLOCK_TIMEOUT_MS * 3 / 1000)
                return graph
            if time.monotonic() > deadline:
                late = next(s for s in running if s.pid not in graph or _has_cycle(graph))
                raise SessionError(
                    f"{late.name} neither ended nor waits for a lock within {self._patience_s:g} "
                    f"seconds: {late.statement}"
                )
            time.sleep(_LOOK_S)

    def _ended(self, session: Session, *, resumed: bool) -> Event:
        assert session.pending is not None
        pending, session.pending = session.pending, None
        try:
            rows, affected, tag = pending.result()
        except psycopg.Error as error:
            return Event(
                self._steps,
                session.name,
                session.statement,
                "failed",
                resumed=resumed,
                sqlstate=error.sqlstate,
                message=error.diag.message_primary or str(error),
            )
        return Event(
            self._steps,
            session.name,
            session.statement,
            "done",
            resumed=resumed,
            rows=rows,
            affected=affected,
            tag=tag,
        )

    def _waits(self, session: Session, graph: Mapping[int, list[int]]) -> Event:
        names = {s.pid: s.name for s in self._sessions}
        found = {names.get(pid, "another session") for pid in graph[session.pid]}
        return Event(
            self._steps, session.name, session.statement, "waits", waits_for=tuple(sorted(found))
        )


def _send(
    connection: psycopg.Connection, statement: str, parameters: Sequence[Any]
) -> tuple[Rows | None, int | None, str]:
    cursor = connection.execute(statement.encode(), parameters or None)
    affected = cursor.rowcount if cursor.rowcount >= 0 else None
    rows = cursor.fetchall() if cursor.description else None
    return rows, affected, cursor.statusmessage or ""


def _has_cycle(graph: Mapping[int, Sequence[int]]) -> bool:
    """Whether some wait for each other, directly or by way of others."""
    for start in graph:
        seen: set[int] = set()
        pending = list(graph[start])
        while pending:
            pid = pending.pop()
            if pid == start:
                return True
            if pid not in seen:
                seen.add(pid)
                pending += graph.get(pid, ())
    return False

"""The instrument ``rivals``: several processes of a submission in the middle of a call, at the same
time, with real locks and no sleeps.

Example::

    @check("The last seat is taken once", points=3, misconception="read-modify-write")
    def test_one_seat_for_two(db, rivals):
        a, b = rivals.enter(2)
        with rivals.gate("enrollments"):           # who writes there waits; who reads goes on
            a.start("enroll", user_id=1, track_id=7)
            b.start("enroll", user_id=2, track_id=7)
        results = rivals.finish()
        assert [r.answered for r in results].count(True) == 1, hint("Both got the last seat. …")
        assert db.count("enrollments") == 1

A **gate** is a lock of the judge's on a table. Rivals that come to it wait in the middle of their
call, and when it opens all of them go on from there. To **hold** is to be a rival oneself: the
judge's own session has begun something, keeps its locks, and ends it when the check says so.

Source: PostgreSQL manual, "Explicit Locking".
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, Literal, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row

from grader.checks.rival import Holder, Result, Rival
from grader.checks.student import failure_of
from grader.checks.verdict import NotPassed
from grader.errors import CheckError
from grader.results import Failure, Reason
from grader.sandbox.outcomes import Ended, Outcome
from pglab.servers.server import connect
from pglab.sessions import blockers
from pglab.witness import Statement

if TYPE_CHECKING:
    from grader.examination import Examination

Stops = Literal["writes", "row locks", "reads"]
_MODES: dict[Stops, sql.SQL] = {
    "writes": sql.SQL("SHARE"),
    "row locks": sql.SQL("EXCLUSIVE"),
    "reads": sql.SQL("ACCESS EXCLUSIVE"),
}
_MOST = 6
_LOOK_S = 0.001


class Rivals:
    """Rivals of one check."""

    def __init__(self, examination: Examination) -> None:
        self._examination = examination
        self._entered: list[Rival] = []
        self._observer: psycopg.Connection | None = None
        self._before: set[int] = set()
        examination.must_hold(self._all_are_finished)

    def enter(self, number: int = 2) -> list[Rival]:
        """So many processes of the submission, beside `student`; each has its own connections.

        They are called A, B, … in what learners read.
        """
        if not 1 <= number <= _MOST:
            raise CheckError(f"{number} rivals cannot be had: from 1 to {_MOST}.")
        entered = []
        for _ in range(number):
            name = chr(ord("A") + len(self._entered))
            before: set[int] = set()
            student = self._examination.idle_student()
            if student is None:
                before = self._sessions()
                student = self._examination.another_student(counted=False)
            rival = Rival(self, name, student, self._sessions() - before)
            self._entered.append(rival)
            entered.append(rival)
        return entered

    @contextlib.contextmanager
    def gate(self, table: str, *, stops: Stops = "writes") -> Iterator[None]:
        """Stop whoever comes to a table for as long as this lasts.

        Args:
            stops: ``writes``: INSERT, UPDATE and DELETE wait, reading goes on, and rows can still
                be locked by SELECT … FOR UPDATE; ``row locks``: that waits too; ``reads``: all
                wait.
        """
        self._examination.state.count(table)  # which says what is wrong where it is no table
        lock = sql.SQL("LOCK TABLE {} IN {} MODE").format(
            sql.Identifier("public", table), _MODES[stops]
        )
        with self.owner() as owner, owner.transaction(force_rollback=True):
            owner.execute(lock)
            yield

    @contextlib.contextmanager
    def holding(
        self, statement: LiteralString, parameters: Sequence[Any] = (), *, commit: bool = True
    ) -> Iterator[Holder]:
        """Send a statement as the owner of the tables and keep its locks for as long as this lasts.

        Example::

            with rivals.holding("SELECT FROM public.tracks WHERE id = %s FOR UPDATE", [7]) as judge:
                a.start("enroll", user_id=1, track_id=7)      # reads one free seat, then waits
                judge.execute("UPDATE public.tracks SET seats = 0 WHERE id = %s", [7])
            a.finish(expect=Raises("SoldOut"))                # and must look again

        Args:
            commit: whether what was done stays when this ends.
        """
        with self.owner() as owner, owner.transaction(force_rollback=not commit):
            holder = Holder(owner)
            holder.execute(statement, parameters)
            yield holder

    def finish(self) -> list[Result]:
        """Wait for the ends of all calls that were started, in the order of their names."""
        return [rival.result() for rival in self._entered if rival.is_pending]

    # What rivals ask for.

    def starts(self, rival: Rival) -> None:
        """Note the moment at which a rival is started."""
        rival.since, rival.until = self._examination.judge.witness.mark(), None

    def settle(self, rival: Rival) -> None:
        """Wait until a rival's call has ended or waits for a lock."""
        deadline = time.monotonic() + self._examination.exercise.seconds
        while not rival.student.has_answered(_LOOK_S):
            held_by = self._look()
            self._take_in(rival, held_by.keys())
            if _is_stopped(held_by, rival.pids):
                return
            if time.monotonic() > deadline:
                raise NotPassed(self._late(rival))

    def outcome(self, rival: Rival) -> Outcome:
        """Wait for the end of a rival's call, and let the others print meanwhile."""
        if not rival.is_pending:
            raise CheckError(f"{rival.name} has no call to finish; start() comes first.")
        deadline = time.monotonic() + self._examination.exercise.seconds
        while not rival.student.has_answered(_LOOK_S):
            for other in self._entered:
                if other.is_pending and other is not rival:
                    other.student.has_answered()
            if time.monotonic() > deadline:
                raise NotPassed(self._late(rival))
        outcome = rival.student.outcome()
        rival.is_pending = False
        rival.until = self._examination.judge.witness.mark()
        if not any(other.is_pending for other in self._entered):
            self._examination.called()
        return outcome

    def held_by(self, rival: Rival) -> set[int]:
        """The backends for whose locks a rival waits."""
        graph = blockers(self._watching(), rival.pids)
        return {pid for held_by in graph.values() for pid in held_by}

    def sessions(self) -> tuple[int, int]:
        """How many sessions of the submission wait for a lock, whoever they belong to, and how
        many others run a statement.
        """
        working = [held_by for held_by in self._look().values() if held_by is not None]
        waiting = sum(map(bool, working))
        return waiting, len(working) - waiting

    def sent(self, rival: Rival) -> list[Statement]:
        """The statements of a rival's sessions in its last call, transaction control included."""
        if rival.since is None:
            return []
        found = self._examination.judge.witness.statements(
            rival.since,
            until=rival.until,
            role=self._examination.role.name,
            database=self._examination.database.name,
        )
        return [s for s in found if _pid(s.session_id) in rival.pids]

    def _take_in(self, rival: Rival, sessions: Set[int]) -> None:
        """Sessions that have appeared while only this rival moves are its own."""
        known = {pid for other in self._entered for pid in other.pids}
        rival.pids |= sessions - known - self._before

    def _late(self, rival: Rival) -> Failure:
        """It never came to an end: say for whom it waits, if it does."""
        held_by = self.held_by(rival)
        rival.is_pending = False
        rival.student.outcome(0)  # whatever comes later is no answer
        seconds = self._examination.exercise.seconds
        ended = Ended(Reason.TIMEOUT, f"There was no answer within {seconds:g} seconds.")
        failure = failure_of(ended, rival.title, "")
        names = [o.name for o in self._entered if not o.pids.isdisjoint(held_by)]
        if not held_by:
            return failure
        whose = f"rival {' and '.join(names)}" if names else "this check"
        return dataclasses.replace(
            failure,
            message=f"{failure.message} It was still waiting for a lock that {whose} holds.",
            question="When does each of your transactions end, and what does it hold until then?",
        )

    def _sessions(self) -> set[int]:
        return set(self._look())

    def _look(self) -> dict[int, list[int] | None]:
        """The submission's sessions: for whose locks each of them waits, and None where it does
        nothing. Who works for nobody's lock has an empty list.
        """
        query = (
            "SELECT pid, state = 'active', pg_blocking_pids(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND usename = %s"
        )
        parameters = (self._examination.database.name, self._examination.role.name)
        found = self._watching().execute(query, parameters)
        return {pid: held_by if held_by or works else None for pid, works, held_by in found}

    def _watching(self) -> psycopg.Connection:
        """The judge's view of who waits for whom, from outside the submission's database."""
        if self._observer is None:
            self._observer = connect(self._examination.judge.server.admin_url)
            self._examination.at_end(self._observer.close)
            self._before = self._sessions()
        return self._observer

    @contextlib.contextmanager
    def owner(self) -> Iterator[psycopg.Connection[DictRow]]:
        """A new session of the owner of the tables."""
        examination = self._examination
        if examination.exercise.makes_tables:
            delegate = examination.judge.delegate(examination.database, examination.role)
            try:
                yield delegate.connection
            finally:
                delegate.close()
            return
        url = examination.database.url_for(examination.judge.author)
        options = "-c lock_timeout=2s -c search_path="
        with psycopg.connect(url, autocommit=True, row_factory=dict_row, options=options) as owner:
            yield owner

    def _all_are_finished(self) -> None:
        if pending := [rival.name for rival in self._entered if rival.is_pending]:
            raise CheckError(
                f"The check ended and never asked what became of {', '.join(pending)}: "
                "call finish()."
            )


def _is_stopped(held_by: Mapping[int, list[int] | None], pids: Set[int]) -> bool:
    """Whether one of these sessions waits for a lock and none of the others does anything."""
    working = [held_by[pid] for pid in pids if held_by.get(pid) is not None]
    return bool(working) and all(working)


def _pid(session_id: str) -> int:
    """The backend of a session, from its id in the log: start time and process id, both in hex."""
    return int(session_id.rpartition(".")[2] or "0", 16)

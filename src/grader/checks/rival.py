"""One process of a submission among several, as `grader.checks.rivals` steps them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
from psycopg.rows import DictRow

from grader.checks.sent import Sent
from grader.checks.student import MISSING, Student
from grader.checks.verdict import Raises
from grader.errors import CheckError
from grader.sandbox.outcomes import Raised
from pglab.witness import Mark, Statement

if TYPE_CHECKING:
    from grader.checks.rivals import Rivals


@dataclass(frozen=True, slots=True)
class Result:
    """How a rival's call ended: with an answer, or with an exception."""

    rival: str
    value: Any = None
    raised: Raised | None = None

    @property
    def answered(self) -> bool:
        return self.raised is None

    @property
    def sqlstate(self) -> str | None:
        """Of the exception, where PostgreSQL's error was at its bottom."""
        return self.raised.sqlstate if self.raised else None


class Holder:
    """A session of the judge's that has begun a transaction."""

    def __init__(self, connection: psycopg.Connection[DictRow]) -> None:
        self._connection = connection

    def execute(self, statement: LiteralString, parameters: Sequence[Any] = ()) -> list[DictRow]:
        """Send one more statement in its transaction; tables are written ``public.tracks``."""
        cursor = self._connection.execute(statement, list(parameters) or None)
        return cursor.fetchall() if cursor.description else []


class Rival:
    """One process of the submission; made by `Rivals.enter`."""

    def __init__(self, rivals: Rivals, name: str, student: Student, pids: set[int]) -> None:
        self._rivals = rivals
        self.name = name
        self.student = student
        self.pids = pids
        """Its sessions in PostgreSQL, as far as they are known."""
        self.title = ""
        """What its call is called in messages."""
        self.since: Mark | None = None
        self.until: Mark | None = None
        self.is_pending = False
        """Whether it was started and nobody has asked yet what became of it."""

    def start(self, function: str, *args: Any, commit: bool | None = None, **kwargs: Any) -> None:
        """Call a function, as `student.call` does, and return as soon as the call has ended or
        waits for a lock.

        Raises:
            NotPassed: neither comes within the time that a call may take.
        """
        self._start(
            f"{function} (rival {self.name})",
            lambda: self.student.begin(function, *args, commit=commit, **kwargs),
        )

    def start_driver(self, title: str, driver: Callable[..., Any], *args: Any) -> None:
        """The same for a driver (see `student.drive`), called ``title`` in messages."""
        self._start(title, lambda: self.student.begin_drive(driver, *args))

    @property
    def is_waiting(self) -> bool:
        """Whether its call has not ended and waits for a lock."""
        return self.is_pending and not self.student.has_answered() and bool(self._held_by())

    def waits_for(self, other: Rival) -> bool:
        """Whether it waits for a lock of this other one's."""
        return self.is_waiting and not other.pids.isdisjoint(self._held_by())

    def finish(self, *, expect: type[Raises] | Raises | None = None) -> Any:
        """Wait for the end of its call: what it returned, or with ``expect`` what it raised.

        Raises:
            NotPassed: as `student.call`.
        """
        return self.student.judged(self._rivals.outcome(self), expect, name=self.title)

    def result(self) -> Result:
        """Wait for the end of its call, and take an answer as well as an exception.

        Raises:
            NotPassed: there was neither.
        """
        outcome = self._rivals.outcome(self)
        if isinstance(outcome, Raised) and outcome.type != MISSING:
            return Result(self.name, raised=outcome)
        return Result(self.name, value=self.student.judged(outcome, name=self.title))

    @property
    def statements(self) -> Sent:
        """What it sent in its last call."""
        return Sent(self.raw_statements)

    @property
    def raw_statements(self) -> list[Statement]:
        """The same as the server's log has them, transaction control included, in order."""
        return self._rivals.sent(self)

    def _start(self, title: str, begin: Callable[[], None]) -> None:
        if self.is_pending:
            raise CheckError(f"{self.name} was started twice; finish() comes between.")
        self.title = title
        self._rivals.starts(self)
        begin()
        self.is_pending = True
        self._rivals.settle(self)

    def _held_by(self) -> set[int]:
        return self._rivals.held_by(self)

"""Faults at the n-th statement that a submission sends, for the instrument ``faults``.

A function of the kit's in the submission's process waits at the engine of the session that the
submission is given. When it is a statement's turn, it sends another one in its place, over the same
connection: one that does nothing but fail. So the error is PostgreSQL's own, and the transaction is
aborted by it. The process is not trusted: whether the fault struck is read from the server's log.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grader.checks.inside import meet_statements, spare_statements
from grader.checks.sent import Sent
from grader.checks.student import Student
from grader.checks.verdict import NotPassed
from grader.results import Failure, Reason
from pglab.faults import LOST_CONNECTION, failing
from pglab.witness import Statement

if TYPE_CHECKING:
    from grader.examination import Examination


@dataclass(frozen=True)
class StatementFault:
    """A fault that waits for its statement."""

    at: int
    """Which statement sent since then is the first that it meets, from 1."""
    times: int | None
    """How many statements it meets one after another; None for all from then on."""
    kind: str
    """The command that counts, such as ``SELECT``; empty where all do."""
    sqlstate: str
    _text: str
    _read: Callable[[], list[Statement]]

    @property
    def hits(self) -> int:
        """How often it struck, as the server's log tells."""
        return sum(s.text == self._text and s.sqlstate == self.sqlstate for s in self._read())

    @property
    def sent(self) -> int:
        """Statements that reached the server since then, over whichever connection."""
        theirs = Sent(s for s in self._read() if s.text != self._text)
        return sum(self.kind in {"", s.kind} for s in theirs)

    def must_have_struck(self) -> None:
        """See to it that it was met.

        Raises:
            NotPassed: it was not; the learner is told how far their code came.
        """
        if not self.hits:
            raise NotPassed(self._never_struck())

    def _never_struck(self) -> Failure:
        what, sent = self.kind or "statement", self.sent
        lost = self.sqlstate == LOST_CONNECTION
        fails = "loses the connection" if lost else "fails"
        came = f"of the {sent} that it sent, too few went there" if sent else "it sent none"
        if 0 < sent < self.at:
            came = f"it sent {sent}"
        return Failure(
            Reason.ASSERTION,
            f"In this check {what} number {self.at} that your code sends over its session {fails}, "
            f"and {came}. So what it does then was never seen.",
            question="Which statements should this call send, and over which session?",
            misconception="",
            expected=f"{what} number {self.at} over the session that your code is given",
            actual=f"{sent} sent",
        )


class StatementFaults:
    """Plants such faults in the process that `student` calls."""

    def __init__(self, examination: Examination) -> None:
        self._examination = examination
        self._planted: list[StatementFault] = []

    def fail(
        self, at: int, *, times: int | None, kind: str | None, sqlstate: str
    ) -> StatementFault:
        """Let statements fail; see `grader.checks.faults.Faults.fail_statement`."""
        examination, command = self._examination, (kind or "").upper()
        text = failing(sqlstate, f"h{secrets.token_hex(12)}")
        examination.leave_out(text)
        since = examination.judge.witness.mark()

        def read() -> list[Statement]:
            return examination.judge.witness.statements(
                since, role=examination.role.name, database=examination.database.name
            )

        self._drive(meet_statements, text, at, times, command)
        fault = StatementFault(at, times, command, sqlstate, text, read)
        self._planted.append(fault)
        return fault

    @property
    def hits(self) -> int:
        """How often they struck, together."""
        return sum(fault.hits for fault in self._planted)

    def clear(self) -> None:
        """Take all of them out again."""
        if self._planted:
            self._drive(spare_statements)
            self._planted.clear()

    def _drive(self, driver: Callable[..., Any], *args: Any) -> None:
        """Run a driver between two calls, as none of them."""
        examination = self._examination
        student = Student(
            examination.student.runner,
            module=f"{examination.exercise.module}.py",
            seconds=examination.exercise.seconds,
            commits=False,
        )
        student.drive(driver, *args)

"""One check at a desk: its database, its process, its instruments, and what is said at the end."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

import psycopg

from grader import findings, instruments
from grader.catalog import CheckSpec
from grader.checks.locks import without_notes
from grader.checks.sent import Sent, Statements, to_show
from grader.checks.state import Database as State
from grader.checks.student import Student
from grader.checks.verdict import Hint, NotPassed
from grader.delegate import Delegate
from grader.results import Failure, Reason
from grader.sandbox import Runner
from grader.sitting import Sitting
from grader.text import clean, literal, lower_first
from pglab.scratch import Database, Role
from pglab.witness import Mark, Statement

if TYPE_CHECKING:
    from grader.desk import Desk

_IDLE_SECONDS = 2.0


def _nothing() -> None:
    pass


class Examination:
    """One check on one submission. As a context manager it has all that it needs while inside.

    Raises:
        NeverImports: on entry, where the submission cannot be imported.
        GraderError, PglabError: on entry, where the machine is at fault.

    Attributes:
        database: this check's own.
        role: the submission's in PostgreSQL.
        student: the submission in the process that was started first.
        delegate: a session of the judge's own with the rights of the submission's role.
        state: what is in the database.
        statements: what the submission sends.
    """

    sitting: Sitting
    database: Database
    role: Role
    student: Student
    delegate: Delegate
    state: State
    statements: Statements

    def __init__(self, desk: Desk, spec: CheckSpec) -> None:
        self.desk = desk
        self.spec = spec
        self.judge = desk.judge
        self.exercise = desk.exercise
        self._rules: list[Callable[[], None]] = []
        self._start: Mark | None = None
        self._before_last: Mark | None = None
        self._after_last: Mark | None = None
        self._answer: tuple[int, Callable[[], Failure]] | None = None
        self._first_is_idle = instruments.CALLERS.isdisjoint(spec.wants)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._enter(stack)
            self._stack = stack.pop_all()
        return self

    def _enter(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self.judge.prepare(self.exercise)  # while the zygote imports its libraries
        self.sitting = self.desk.sit()
        stack.callback(self.sitting.close)
        self.database = self.sitting.database
        self.role = self.sitting.seat.role
        self.student = self._student(self.sitting.runner)
        self.student.heard(self.sitting.printed)
        self.delegate = self.judge.delegate(self.database, self.role, self.desk.note_login)
        stack.callback(self.delegate.close)
        # An exercise about tables has tables of the submission's own, which only its role may fill.
        owner = self.delegate.session if self.exercise.makes_tables else None
        self.state = State(self.sitting.sessions, owner)
        self.statements = Statements(self._last, self._all, self.routines)
        self._start = self._before_last = self.judge.witness.mark()

    def another_student(self, *descriptors: int, counted: bool = True) -> Student:
        """The submission in one more process of the same cell, on the same database.

        Args:
            descriptors: to be left open in it; see `grader.sandbox.cell.Cell.runner`.
            counted: whether each of its calls becomes what `statements.last` tells of. Without it
                whoever asked says so by `called`.

        Raises:
            NeverImports: as on entry.
            GraderError: the sandbox gives no further process.
        """
        self._first_is_idle = False
        runner = self.sitting.seat.another_runner(*descriptors)
        self._stack.callback(runner.close)
        self.sitting.open(runner)
        return self._student(runner, counted=counted)

    def idle_student(self) -> Student | None:
        """The submission in the process that was started first, for an instrument that would start
        one more: where this check does not call it itself, and no other was started, so that all
        sessions of the submission are this process's. Once; its calls are not counted.
        """
        if not self._first_is_idle:
            return None
        self._first_is_idle = False
        return self._student(self.sitting.runner, counted=False)

    def at_end(self, close: Callable[[], object]) -> None:
        """Have something closed when the check is over; what was asked last comes first."""
        self._stack.callback(close)

    def must_hold(self, rule: Callable[[], None]) -> None:
        """Have a rule looked at when the check has found nothing; it raises where it is broken."""
        self._rules.append(rule)

    def _student(self, runner: Runner, *, counted: bool = True) -> Student:
        return Student(
            runner,
            module=f"{self.exercise.module}.py",
            seconds=self.exercise.seconds,
            commits=self.exercise.commits,
            before_call=self._refuse_late_statements if counted else _nothing,
            after_call=self.called if counted else _nothing,
        )

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self) -> Failure | None:
        """None where the check holds; else why not, with the statements that were sent."""
        wanted = {name: instruments.make(name, self) for name in self.spec.wants}
        said: object = None
        try:
            self.spec.function(**wanted)
            self._refuse_late_statements()
            for rule in self._rules:
                rule()
            return None
        except AssertionError as error:
            said = error.args[0] if error.args else None
            failure = findings.from_hint(self.spec, said)
        except NotPassed as error:
            failure = error.failure
        except findings.LOCKED:
            failure = findings.still_locked()
        except findings.IN_THE_WAY as error:
            failure = findings.in_the_way(error)
        except findings.SHAPE as error:
            failure = self._misshapen(error)
        except psycopg.Error as error:
            failure = self._misshapen_in_query(error)
        return self._complete(failure, said)

    def called(self) -> None:
        """Note that a call has ended: what was sent since the one before is the last call's."""
        self._before_last, self._after_last = (
            self._after_last or self._start,
            self.judge.witness.mark(),
        )

    def answered(self, misshapen: Callable[[], Failure]) -> None:
        """Note that the submission's application has answered.

        Args:
            misshapen: tells what is wrong if the check cannot do with the answer what it should.
        """
        self._answer = len(self.student.calls), misshapen

    def _refuse_late_statements(self) -> None:
        """Where statements count, none may be sent after the call has answered.

        Raises:
            NotPassed: some were: by a thread, or by a pipeline that nobody waited for.
        """
        if "statements" not in self.spec.wants or self._after_last is None:
            return
        self.judge.witness.wait_until_idle(self.role.name, timeout_s=_IDLE_SECONDS)
        if late := Sent(self._read(self._after_last, None)).all:
            raise NotPassed(findings.sent_late(late[0].kind))

    def _last(self) -> list[Statement]:
        return self._read(self._before_last, self._after_last)

    def _all(self) -> list[Statement]:
        return self._read(self._start, self._after_last)

    def _read(self, since: Mark | None, until: Mark | None) -> list[Statement]:
        assert since is not None
        return self.judge.witness.statements(
            since, until=until, role=self.role.name, database=self.database.name
        )

    def routines(self) -> list[str]:
        """Functions that the submission has made: what they send inside is not in the log."""
        rows = self.state.query(
            "SELECT p.proname::text AS name FROM pg_catalog.pg_proc p"
            " JOIN pg_catalog.pg_roles r ON r.oid = p.proowner WHERE r.rolname = %s ORDER BY 1",
            [self.role.name],
        )
        return [row["name"] for row in rows]

    def _complete(self, failure: Failure, said: object) -> Failure:
        """The failure with the statements that tell most and the check's misconception."""
        chosen = (
            said.show if isinstance(said, Hint) and said.show is not None else Sent(self._last())
        )
        statements = without_notes(chosen)
        misconception = failure.misconception
        if failure.reason is Reason.ASSERTION and misconception is None:
            misconception = self.spec.misconception
        return dataclasses.replace(
            failure,
            misconception=misconception or None,
            statements=to_show(statements),
            statements_total=len(statements),
        )

    def _misshapen(self, error: Exception) -> Failure:
        """An answer of another shape; before any answer came, the check itself is at fault."""
        calls = self.student.calls
        if self._answer is not None and self._answer[0] == len(calls):
            return self._answer[1]()
        if not calls:
            raise error
        call = calls[-1]
        return findings.misshapen(
            f"What {lower_first(call.function)} returned",
            "Which keys and types does the README ask for, and what did you return?",
            clean(f"returned {literal(call.value)}", 600) if call.answered else "",
        )

    def _misshapen_in_query(self, error: psycopg.Error) -> Failure:
        # Without an SQLSTATE it is psycopg that does not know how to send the value.
        unknown = isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None
        if not (unknown or isinstance(error, findings.QUERY_SHAPE)):
            raise error
        return self._misshapen(error)

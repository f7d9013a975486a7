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
from grader.checks.student import Said, Student
from grader.checks.verdict import Hint, NotPassed
from grader.delegate import Delegate
from grader.errors import CheckError
from grader.results import Failure, Reason
from grader.sandbox import Runner
from grader.sitting import NeverImports, Sitting
from grader.text import clean, literal, lower_first
from pglab.errors import TooManyStatements
from pglab.scratch import Database, Role
from pglab.servers.server import connect
from pglab.witness import Mark, Statement

if TYPE_CHECKING:
    from grader.desk import Desk

_IDLE_SECONDS = 2.0
_END_WORK = """
SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity
 WHERE datname = %s AND usename = %s AND state = 'active'
"""
_END_MS = 2_000


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
        self._students: list[Student] = []
        self._left_out: set[str] = set()
        self._since: Mark
        """From where on the log is what the next call sends."""
        self._calls: list[tuple[Mark, Mark]] = []
        """From where to where it is what each call has sent."""
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
        self.statements = Statements(self._last, self._all, self._each, self.routines)
        self._since = self.judge.witness.mark()

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
        return self._student(self._another_runner(*descriptors), counted=counted)

    def another(self) -> Student:
        """A second worker: its calls are counted, and noted with those of `student`.

        Raises:
            NotPassed, GraderError: as `start`.
        """
        student = self._student(self.start(), said=self.student.said)
        student.heard(student.runner.output)
        return student

    def start(self) -> Runner:
        """One more process, for a check that restarts the submission or wants a second worker.
        What the submission sends while it is imported is no call's.

        Raises:
            NotPassed: it cannot be imported a second time.
            GraderError: the sandbox gives no further process.
        """
        try:
            runner = self._another_runner()
        except NeverImports as error:
            self.student.heard(self.sitting.printed)
            raise NotPassed(error.failure) from error
        self._since = self.judge.witness.mark()
        return runner

    def end(self, student: Student) -> None:
        """Kill a process of the submission, as a machine that fails does. Where it is in the middle
        of a call, the server no longer works for it either when this returns.

        Raises:
            CheckError: others are in the middle of a call too, and nobody knows whom it works for.
        """
        if student.is_busy and any(s.is_busy for s in self._students if s is not student):
            raise CheckError("While rivals are in a call, a process can be ended only between two.")
        self.sitting.seat.end(student.runner)
        if student.is_busy:
            with connect(self.judge.server.admin_url) as admin:
                admin.execute(_END_WORK, (_END_MS, self.database.name, self.role.name))

    def _another_runner(self, *descriptors: int) -> Runner:
        self._first_is_idle = False
        runner = self.sitting.seat.another_runner(*descriptors)
        self._stack.callback(runner.close)
        self.sitting.open(runner)
        return runner

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

    def leave_out(self, text: str) -> None:
        """Take a statement of exactly this text for the kit's own, although the submission's role
        sends it.
        """
        self._left_out.add(text)

    def _student(
        self, runner: Runner, *, counted: bool = True, said: Said | None = None
    ) -> Student:
        student = Student(
            runner,
            module=f"{self.exercise.module}.py",
            seconds=self.exercise.seconds,
            commits=self.exercise.commits,
            before_call=self._refuse_late_statements if counted else _nothing,
            after_call=self.called if counted else _nothing,
            processes=self if counted else None,
            said=said,
        )
        self._students.append(student)
        return student

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
        since, self._since = self._since, self.judge.witness.mark()
        self._calls.append((since, self._since))

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
        if "statements" not in self.spec.wants or not self._calls:
            return
        self.judge.witness.wait_until_idle(self.role.name, timeout_s=_IDLE_SECONDS)
        if late := Sent(self._read(self._since)).all:
            raise NotPassed(findings.sent_late(late[0].kind))

    def _last(self) -> list[Statement]:
        return self._read(*self._calls[-1]) if self._calls else self._read(self._since)

    def _all(self) -> list[Statement]:
        return [s for sent in self._each() for s in sent] if self._calls else self._last()

    def _each(self) -> list[list[Statement]]:
        return [self._read(*call) for call in self._calls]

    def _read(self, since: Mark, until: Mark | None = None) -> list[Statement]:
        try:
            found = self.judge.witness.statements(
                since, until=until, role=self.role.name, database=self.database.name
            )
        except TooManyStatements as error:  # all of them are the submission's own
            raise NotPassed(findings.too_many_statements()) from error
        return [statement for statement in found if statement.text not in self._left_out]

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
        if not calls and self._calls:  # of rivals, or of migrations
            return findings.misshapen(
                "What your code left in the database",
                "Which tables, columns and rows does the README ask for?",
                "",
            )
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

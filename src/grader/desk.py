"""One submission at one exercise: whatever it does, each check has a result."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

import psycopg

from grader import findings
from grader.catalog import CheckSpec, Exercise
from grader.checks.verdict import NotPassed
from grader.errors import GraderError
from grader.examination import Examination
from grader.results import CheckResult, Failure, Outcome, Reason
from grader.sitting import NeverImports, Seat, Sitting
from grader.steady import steady
from grader.submissions import Submission
from grader.text import clean
from pglab.errors import PglabError

if TYPE_CHECKING:
    from grader.judge import Judge


class Desk:
    """Runs the checks of one exercise on one submission, one after the other."""

    def __init__(self, judge: Judge, submission: Submission, exercise: Exercise) -> None:
        self.judge = judge
        self.submission = submission
        self.exercise = exercise
        self._seats: list[Seat] = []
        self._ahead: Sitting | None = None
        self._never_imports: NeverImports | None = None
        self._names: dict[str, str] = {}
        self._database = ""
        """The name of the last check's."""

    def run(
        self, spec: CheckSpec, *, more: bool = False, meanwhile: Callable[[], None] | None = None
    ) -> CheckResult:
        """Run one check. Whatever the submission does, there is a result.

        Args:
            more: another check will follow at this desk, and may be made ready meanwhile.
            meanwhile: what else can be made ready, where none follows; raises nothing.
        """
        output = ""
        try:
            if self._never_imports:
                raise self._never_imports
            with Examination(self, spec) as examination:
                self._database = examination.database.name
                if more:
                    self._prepare()
                elif meanwhile:
                    meanwhile()
                try:
                    failure = examination.run()
                finally:
                    output = examination.student.printed
        except NeverImports as error:
            self._never_imports = error  # no later check would find otherwise
            failure, output = error.failure, error.output
        except NotPassed as error:
            failure = error.failure
        except Exception as error:
            if isinstance(error, findings.MACHINE):
                self._discard()
            failure = findings.check_broke(spec, error) or _kit_error(error)
        return self._result(spec, failure, output)

    def make_ready(self) -> None:
        """Begin what the first check needs, while a check at another desk runs: all but the
        submission's own code, which could take of the machine what that check is judged by.
        """
        self._prepare(imports=False)

    def sit(self) -> Sitting:
        """The submission, imported in a process of its own on a fresh database; close it at the
        end of the check.

        Raises:
            NeverImports: it cannot be imported.
            GraderError, PglabError: the machine is at fault.
        """
        ahead, self._ahead = self._ahead or self._laid(), None
        if ahead is not None:
            with contextlib.ExitStack() as stack:
                stack.callback(ahead.close)
                if ahead.is_open():
                    stack.pop_all()
                    return ahead
        with contextlib.ExitStack() as stack:
            sitting = self._sitting()
            stack.callback(sitting.close)
            sitting.open()
            stack.pop_all()
        return sitting

    def note_login(self, name: str) -> None:
        """Call a login that the judge made ``student`` in what is reported."""
        self._names[name] = "student"

    def close(self) -> None:
        """Give up everything that the submission had."""
        self._discard()
        for seat in self._seats:
            seat.close()
        self._seats.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare(self, *, imports: bool = True) -> None:
        """Begin what the next check needs. What does not work out now is done again then."""
        with (
            contextlib.suppress(GraderError, PglabError, psycopg.Error, OSError),
            contextlib.ExitStack() as stack,
        ):
            sitting = self._laid() or self._sitting()
            stack.callback(sitting.close)
            sitting.begin(imports=imports)
            stack.pop_all()
            self._ahead = sitting

    def _sitting(self) -> Sitting:
        """A process that has not begun yet."""
        seat = next((seat for seat in self._seats if seat.is_free), None)
        if seat is None:
            seat = Seat(self.judge, self.exercise)
            self._seats.append(seat)
        return self._taken(Sitting(seat, self.exercise))

    def _laid(self) -> Sitting | None:
        """A process that has begun and waits for a submission, where there is one."""
        sitting = self.judge.laid(self.exercise)
        if sitting is None:
            return None
        self._seats.append(sitting.seat)
        return self._taken(sitting)

    def _taken(self, sitting: Sitting) -> Sitting:
        # The course's own files stand over the student's.
        sitting.files = {**self.submission.files[self.exercise.name], **self.exercise.given_files()}
        # These names differ in every run.
        self._names[sitting.seat.role.name] = "student"
        self._names[sitting.database.name] = "database"
        return sitting

    def _discard(self) -> None:
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.close()
        for seat in self._seats:
            seat.discard_cell()

    def _result(self, spec: CheckSpec, failure: Failure | None, output: str) -> CheckResult:
        if failure is not None and self.judge.sandbox.is_closed:
            # The grading is broken off: what ended was ended.
            failure = Failure(Reason.KIT, "The sandbox was closed while this check ran.")
        elif failure is not None and self._database in self.judge.quota.exceeded:
            # Whatever broke after that broke because nobody is let into the database any more.
            failure = findings.database_full(self.judge.quota.megabytes)
        failure, output = steady((failure, output), self._names)
        return _result(spec, failure, output)


def not_taken(spec: CheckSpec, problem: Failure) -> CheckResult:
    """The result where the submission's files could not be taken."""
    return _result(spec, problem, "")


def _result(spec: CheckSpec, failure: Failure | None, output: str) -> CheckResult:
    outcome = Outcome.PASSED if failure is None else Outcome.FAILED
    if failure is not None and failure.reason in (Reason.CHECK, Reason.KIT):
        outcome = Outcome.ERROR
    return CheckResult(
        name=spec.name,
        title=spec.title,
        points=spec.points,
        earned=spec.points if failure is None else 0,
        outcome=outcome,
        visible=spec.visible,
        failure=failure,
        output=output,
    )


def _kit_error(error: Exception) -> Failure:
    """The kit is at fault: shown as such, never a zero that the student must explain."""
    return Failure(Reason.KIT, clean(f"{type(error).__name__}: {error}", 1000))

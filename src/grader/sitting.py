"""Where a submission works: a seat that it keeps for all its checks, and a sitting for each."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from grader import wire
from grader.catalog import Exercise
from grader.checks.student import import_failure
from grader.errors import JudgeError, SandboxError
from grader.results import Failure, Reason
from grader.sandbox import Answer, Cell, Runner
from grader.sandbox.outcomes import Outcome
from grader.text import clean
from pglab.scratch import Role

if TYPE_CHECKING:
    from grader.judge import Judge

_OPEN_SECONDS = 20.0


class NeverImports(Exception):
    """The submission's module cannot be imported."""

    def __init__(self, failure: Failure, output: str) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.output = output


class Seat:
    """A role in PostgreSQL and a cell in the sandbox that only one submission uses.

    Attributes:
        is_free: nobody sits there.
    """

    def __init__(self, judge: Judge, exercise: Exercise) -> None:
        self.judge = judge
        self.is_free = True
        self.role: Role = judge.role_for(exercise)
        self._given = exercise.importable_beforehand
        self._cell: Cell | None = None

    def cell(self) -> Cell:
        """The cell, with nothing running in it. One that cannot be so is given up."""
        if self._cell is not None:
            try:
                self._cell.wait_ready()
            except SandboxError:
                self.discard_cell()
        if self._cell is None:
            self._cell = self.judge.sandbox.cell()
            if self._given:
                self._cell.begin_preload(self._given)
        return self._cell

    def runner(self) -> Runner:
        """The first process in the cell. A cell that dies at that moment is given up as well.

        Raises:
            SandboxError: there is none to be had.
        """
        try:
            return self.cell().runner()
        except SandboxError:
            self.discard_cell()
            return self.cell().runner()

    def another_runner(self, *descriptors: int) -> Runner:
        """One more process beside those that run in the cell; see `Cell.runner`."""
        assert self._cell is not None
        return self._cell.runner(*descriptors)

    def end(self, runner: Runner) -> None:
        """Kill one of its processes; see `Cell.end`."""
        assert self._cell is not None
        self._cell.end(runner)

    def processor_seconds(self, runner: Runner) -> float:
        """What one of its processes has used so far; see `Cell.processor_seconds`."""
        assert self._cell is not None
        return self._cell.processor_seconds(runner)

    def leave(self) -> None:
        """Have the cell end what a check left running, while the judge goes on."""
        self.is_free = True
        if self._cell is not None:
            try:
                self._cell.begin_reset()
            except SandboxError:
                self.discard_cell()

    def discard_cell(self) -> None:
        if self._cell is not None:
            self._cell.close()
            self._cell = None

    def close(self) -> None:
        self.discard_cell()
        self.judge.retire(self.role)


class Sitting:
    """A freshly forked process of the submission and a fresh database, for one check.

    Args:
        seat: a free one.

    Attributes:
        files: the submission's, which stand in the sandbox, by name; none at first.
        database: a fresh one that the seat's role can enter.
        runner: the process.
        sessions: the judge's own in that database.
        printed: what importing the submission printed.

    Raises:
        GraderError, PglabError: the machine is at fault.
    """

    def __init__(self, seat: Seat, exercise: Exercise) -> None:
        self.seat = seat
        self.files: Mapping[str, bytes] = {}
        self.printed = b""
        self._exercise = exercise
        self._is_asked = self._is_connected = self._begun_import = False
        with contextlib.ExitStack() as stack:
            self.runner = seat.runner()
            seat.is_free = False
            stack.callback(seat.leave)
            stack.callback(self.runner.close)
            self.database = seat.judge.take(exercise, seat.role)
            stack.callback(self.database.drop)
            self.sessions = seat.judge.sessions(self.database)
            stack.callback(self.sessions.close)
            self._stack = stack.pop_all()
        self._connect = {"op": "connect", "url": seat.judge.url_inside(self.database, seat.role)}

    def lay(self) -> None:
        """Open all that a check needs of the server before it is known whose check it will be.

        Raises:
            JudgeError, psycopg.Error: the database cannot be reached.
        """
        self.runner.begin(self._connect)
        # Who makes tables owns them: rows are put into them with the rights of the submission.
        self.sessions.open(author=not self._exercise.makes_tables)
        _must_be_connected(self.runner.finish(_OPEN_SECONDS))
        self._is_connected = True

    def begin(self, *, imports: bool = True) -> None:
        """Have the process connect and import the submission, without waiting for it.

        Args:
            imports: False leaves that to `is_open`, so that no student code runs until then.
        """
        if imports:
            whole = {**self._connect, **self._import, "op": "open"}
            self.runner.begin(self._import if self._is_connected else whole)
        elif not self._is_connected:
            self.runner.begin(self._connect)
        self._is_asked = imports or not self._is_connected
        self._begun_import = imports

    def is_open(self) -> bool:
        """Whether what was begun has worked out. If not, why is found by `open` elsewhere.

        Raises:
            NeverImports: the submission was to be imported only now, and cannot be.
        """
        if self._is_asked:
            outcome = self.runner.finish(self._exercise.seconds)
            self.printed = self.runner.output
            if not isinstance(outcome, Answer):
                return False
        if not self._begun_import:
            try:
                self._import_into(self.runner)
            except NeverImports as error:
                if error.failure.reason is Reason.KILLED:  # perhaps before it was asked
                    return False
                raise
        return True

    def open(self, runner: Runner | None = None) -> None:
        """Connect a process to the database, then have it import the submission.

        Args:
            runner: the sitting's own, unless it is another of the same seat.

        Raises:
            NeverImports: it cannot be imported.
            JudgeError: the database cannot be reached.
        """
        runner = runner or self.runner
        _must_be_connected(runner.ask(self._connect, _OPEN_SECONDS))
        self._import_into(runner)

    def close(self) -> None:
        """Drop the database, and have every process of the seat ended."""
        self._stack.close()

    def _import_into(self, runner: Runner) -> None:
        imported = runner.ask(self._import, self._exercise.seconds)
        self.printed = runner.output
        if not isinstance(imported, Answer):
            failure = import_failure(imported, f"{self._exercise.module}.py")
            raise NeverImports(failure, clean(self.printed))

    @property
    def _import(self) -> dict[str, Any]:
        return {
            "op": "import",
            "files": {name: wire.encode(content) for name, content in self.files.items()},
            "module": self._exercise.module,
        }


def _must_be_connected(outcome: Outcome) -> None:
    if not isinstance(outcome, Answer):
        raise JudgeError(f"the sandbox cannot reach the database: {outcome}")

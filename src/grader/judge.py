"""The judge: runs one check on one submission and says what PostgreSQL showed.

A `Judge` holds what all submissions share: the server, the sandbox, template databases and the
witness. A `Desk` is one submission at one exercise: a role in PostgreSQL and a cell in the sandbox
that nobody else uses. An `_Examination` is one check at that desk: a fresh database, a freshly
forked process, and the instruments.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import psycopg
from psycopg import sql

from grader import wire
from grader.catalog import CheckSpec, Exercise
from grader.checks.data import Data
from grader.checks.sent import Sent, Statements, to_show
from grader.checks.state import Database as State
from grader.checks.student import Student, import_failure
from grader.checks.verdict import Hint, NotPassed
from grader.errors import GraderError
from grader.results import CheckResult, Failure, Outcome, Reason
from grader.sandbox import Answer, Cell, Runner, Sandbox
from grader.submissions import Submission
from grader.text import clean, literal, show
from pglab.clonepool import ClonePool
from pglab.errors import PglabError
from pglab.scratch import Database, Role, Scratch
from pglab.servers import Server
from pglab.servers.server import connect
from pglab.urls import database_url, sqlalchemy_url
from pglab.witness import Mark, Statement, Witness

AUTHOR_GROUP = "kit_author"
"""Owns the tables of every exercise."""
STUDENT_GROUP = "kit_student"
"""May read and write the rows of an exercise's tables; every submission's role is a member."""
_OPEN_SECONDS = 20.0
_ROLES_KEPT = 8
# What a check file runs into when an answer does not have the shape that the exercise describes.
_SHAPE = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError)


class NeverImports(Exception):
    """The submission's module cannot be imported."""

    def __init__(self, failure: Failure, output: str) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.output = output


class Judge:
    """Everything that the submissions of one process share.

    Args:
        server: started, with its log readable.
        sandbox: started.
        seed: of the run; `Data` is made from it.
        clones_ahead: databases that are prepared ahead of need, per exercise.
    """

    def __init__(
        self, server: Server, sandbox: Sandbox, *, seed: int, clones_ahead: int = 2
    ) -> None:
        self.server = server
        self.sandbox = sandbox
        self.seed = seed
        self._clones_ahead = clones_ahead
        self._stack = contextlib.ExitStack()
        self.scratch = Scratch(server)
        self._stack.callback(self.scratch.close)
        self.witness = Witness(server)
        self._stack.callback(self.witness.close)
        self._admin = self._stack.enter_context(connect(server.admin_url))
        self._pools: dict[str, ClonePool] = {}
        self._retired: deque[Role] = deque()
        self._reader = self._role("pg_read_all_data")
        self._author = self._role(AUTHOR_GROUP)

    def desk(self, submission: Submission, exercise: Exercise) -> Desk:
        """A place for one submission at one exercise; close it afterwards."""
        return Desk(self, submission, exercise)

    def take(self, exercise: Exercise, role: Role) -> Database:
        """A fresh database of the exercise that ``role`` may enter."""
        if exercise.name not in self._pools:
            template = self.scratch.template(template_key(exercise), _builder(exercise))
            pool = self.scratch.pool(template, ahead=self._clones_ahead)
            self._stack.callback(pool.close)
            self._pools[exercise.name] = pool
        database = self._pools[exercise.name].take(role.name)
        allow = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}, {}").format(
            *map(sql.Identifier, (database.name, self._reader.name, self._author.name))
        )
        self._admin.execute(allow)
        return database

    def retire(self, role: Role) -> None:
        """Drop a role a little later, when its databases are gone.

        They are dropped in the background, and dropping a role that can still enter one has to
        change many rows of ``pg_database`` at once, which can deadlock with other judges' work.
        """
        self._retired.append(role)
        while len(self._retired) > _ROLES_KEPT:
            self.scratch.drop_role(self._retired.popleft())

    def state(self, database: Database) -> State:
        return State(database.url_for(self._reader), database.url_for(self._author))

    def close(self) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _role(self, group: str) -> Role:
        role = self.scratch.role(member_of=group)
        self._stack.callback(self.scratch.drop_role, role)
        return role


class Desk:
    """One submission at one exercise: its own role, its own cell."""

    def __init__(self, judge: Judge, submission: Submission, exercise: Exercise) -> None:
        self.judge = judge
        self.submission = submission
        self.exercise = exercise
        self.role = judge.scratch.role(member_of=STUDENT_GROUP)
        self._cell: Cell | None = None
        self._never_imports: NeverImports | None = None

    def run(self, spec: CheckSpec) -> CheckResult:
        """Run one check. Whatever the submission does, there is a result."""
        output = ""
        try:
            if self._never_imports:
                raise self._never_imports
            with _Examination(self, spec) as examination:
                try:
                    failure = examination.run()
                finally:
                    output = examination.student.printed
        except NeverImports as error:
            failure, output = error.failure, error.output
        except NotPassed as error:
            failure = error.failure
        except (GraderError, PglabError, psycopg.Error, OSError) as error:
            self._discard_cell()
            return _errored(spec, f"{type(error).__name__}: {error}", output)
        except Exception as error:
            return _errored(
                spec, f"the check itself broke: {type(error).__name__}: {error}", output
            )
        if failure is None:
            return _result(spec, Outcome.PASSED, spec.points, None, output)
        return _result(spec, Outcome.FAILED, 0, failure, output)

    def files(self) -> dict[str, bytes]:
        """What stands in the sandbox: the student's files, and the course's own over them."""
        return {**self.submission.files[self.exercise.name], **self.exercise.given_files()}

    def cell(self) -> Cell:
        if self._cell is None:
            self._cell = self.judge.sandbox.cell()
        return self._cell

    def never_imports(self, reason: NeverImports) -> None:
        """Remember that the module cannot be imported: no later check would find otherwise."""
        self._never_imports = reason

    def close(self) -> None:
        self._discard_cell()
        self.judge.retire(self.role)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _discard_cell(self) -> None:
        if self._cell is not None:
            self._cell.close()
            self._cell = None


class _Examination:
    """One check at a desk: its database, its process, its instruments."""

    def __init__(self, desk: Desk, spec: CheckSpec) -> None:
        self._desk = desk
        self._spec = spec
        self._judge = desk.judge
        self._exercise = desk.exercise
        self._stack = contextlib.ExitStack()
        self._start: Mark | None = None
        self._before_last: Mark | None = None
        self._after_last: Mark | None = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._enter(stack)
            self._stack = stack.pop_all()
        return self

    def _enter(self, stack: contextlib.ExitStack) -> None:
        self._database = self._judge.take(self._exercise, self._desk.role)
        stack.callback(self._database.drop)
        cell = self._desk.cell()
        stack.callback(cell.reset)
        runner = cell.runner()
        stack.callback(runner.close)
        self.student = Student(
            runner,
            module=f"{self._exercise.module}.py",
            seconds=self._exercise.seconds,
            commits=self._exercise.commits,
            after_call=self._called,
        )
        self._connect(runner)
        self.state = self._judge.state(self._database)
        stack.callback(self.state.close)
        self._start = self._before_last = self._judge.witness.mark()

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self) -> Failure | None:
        """None where the check holds; else why not, with the statements that were sent."""
        instruments: Mapping[str, Any] = {
            "student": self.student,
            "db": self.state,
            "statements": Statements(self._last, self._all),
            "data": Data(f"{self._judge.seed}:{self._exercise.name}:{self._spec.name}"),
        }
        try:
            self._spec.function(**{name: instruments[name] for name in self._spec.wants})
        except AssertionError as error:
            said = error.args[0] if error.args else None
            return self._complete(_from_hint(self._spec, said), said)
        except NotPassed as error:
            return self._complete(error.failure, None)
        except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
            return self._complete(_still_locked(), None)
        except _SHAPE as error:
            if not self.student.calls:
                raise
            return self._complete(self._misshapen(error), None)
        return None

    def _connect(self, runner: Runner) -> None:
        """Connect the runner to its database, then have it import the submission."""
        url = database_url(
            self._database.name,
            user=self._desk.role.name,
            password=self._desk.role.password,
            host=self._judge.sandbox.socket_dir_inside,
            port=self._judge.server.port,
        )
        connected = runner.ask({"op": "connect", "url": sqlalchemy_url(url)}, _OPEN_SECONDS)
        if not isinstance(connected, Answer):
            raise GraderError(f"the sandbox cannot reach the database: {connected}")
        files = {name: wire.encode(content) for name, content in self._desk.files().items()}
        request = {"op": "import", "files": files, "module": self._exercise.module}
        imported = runner.ask(request, self._exercise.seconds)
        self.student.heard(runner.output)
        if not isinstance(imported, Answer):
            failure = import_failure(imported, f"{self._exercise.module}.py")
            reason = NeverImports(failure, self.student.printed)
            self._desk.never_imports(reason)
            raise reason

    def _called(self) -> None:
        self._before_last, self._after_last = (
            self._after_last or self._start,
            self._judge.witness.mark(),
        )

    def _last(self) -> list[Statement]:
        return self._read(self._before_last, self._after_last)

    def _all(self) -> list[Statement]:
        return self._read(self._start, self._after_last)

    def _read(self, since: Mark | None, until: Mark | None) -> list[Statement]:
        assert since is not None
        return self._judge.witness.statements(
            since, until=until, role=self._desk.role.name, database=self._database.name
        )

    def _complete(self, failure: Failure, said: object) -> Failure:
        """The failure with the statements that tell most and the check's misconception."""
        chosen = (
            said.show if isinstance(said, Hint) and said.show is not None else Sent(self._last())
        )
        statements = list(chosen)
        misconception = failure.misconception
        if failure.reason is Reason.ASSERTION and misconception is None:
            misconception = self._spec.misconception
        return dataclasses.replace(
            failure,
            misconception=misconception or None,
            statements=to_show(statements),
            statements_total=len(statements),
        )

    def _misshapen(self, error: Exception) -> Failure:
        call = self.student.calls[-1]
        return Failure(
            Reason.ASSERTION,
            f"What {call.function} returned does not have the shape that the README describes.",
            misconception="",  # the check did not come as far as what it is about
            question="Which keys and types does the README ask for, and what did you return?",
            actual=clean(f"returned {literal(call.value)}", 600) if call.answered else "",
        )


def template_key(exercise: Exercise) -> str:
    """What an exercise's template database is known by: a hash of everything that builds it."""
    return hashlib.sha256(
        f"{AUTHOR_GROUP}\0{STUDENT_GROUP}\0{exercise.schema}".encode()
    ).hexdigest()


def _builder(exercise: Exercise) -> Callable[[str], None]:
    """Builds the template: tables owned by the author's group, rows open to the students' group."""
    author, student = sql.Identifier(AUTHOR_GROUP), sql.Identifier(STUDENT_GROUP)
    prepare = sql.SQL(
        "GRANT CREATE, USAGE ON SCHEMA public TO {author}; "
        "GRANT USAGE ON SCHEMA public TO {student}; "
        "SET ROLE {author}"
    )
    grant = sql.SQL(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {student}; "
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {student}; RESET ROLE; ANALYZE"
    )

    def build(url: str) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(prepare.format(author=author, student=student))
            connection.execute(exercise.schema.encode())
            connection.execute(grant.format(author=author, student=student))

    return build


@contextlib.contextmanager
def stopwatch(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Add the time that a block takes to ``seconds[name]``."""
    started = time.perf_counter()
    try:
        yield
    finally:
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - started


def not_taken(spec: CheckSpec, problem: Failure) -> CheckResult:
    """The result where the submission's files could not be taken."""
    return _result(spec, Outcome.FAILED, 0, problem, "")


def _result(
    spec: CheckSpec, outcome: Outcome, earned: float, failure: Failure | None, output: str
) -> CheckResult:
    return CheckResult(
        name=spec.name,
        title=spec.title,
        points=spec.points,
        earned=earned,
        outcome=outcome,
        visible=spec.visible,
        failure=failure,
        output=output,
    )


def _errored(spec: CheckSpec, message: str, output: str) -> CheckResult:
    """The kit is at fault: shown as such, never a zero that the student must explain."""
    failure = Failure(Reason.KIT, clean(message, 1000))
    return _result(spec, Outcome.ERROR, 0, failure, output)


def _from_hint(spec: CheckSpec, said: object) -> Failure:
    if not isinstance(said, Hint):
        return Failure(Reason.ASSERTION, show(said) or f"This does not hold yet: {spec.title}.")
    return Failure(
        Reason.ASSERTION,
        clean(said.message, 1500),
        question=clean(said.question, 500),
        expected=show(said.expected),
        actual=show(said.actual),
        misconception=said.misconception,
    )


def _still_locked() -> Failure:
    return Failure(
        Reason.LIMIT,
        "After your code had answered, something of it still held locks: nobody else could go on.",
        question="Is there a connection or a transaction of your own that nobody ends?",
    )

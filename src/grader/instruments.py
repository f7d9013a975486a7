"""Makes the instruments that a check asks for, by name.

An instrument is made when a check wants it and from nothing but the `Examination`: the judge, the
exercise, the submission's database and role, its processes, and a stack for what must be closed at
the end. To add one, add its name here and to `grader.checks.INSTRUMENTS`. Each is imported when the
first check asks for it: a learner's check waits for none that it does not use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.checks.api import Api
    from grader.checks.data import Data
    from grader.checks.faults import Faults
    from grader.checks.migrations import Migrations
    from grader.checks.oracle import Oracle
    from grader.checks.plan import Plans
    from grader.checks.probe import Probe
    from grader.checks.rivals import Rivals
    from grader.checks.schema import Schema
    from grader.checks.sessions import Sessions
    from grader.checks.sqlfile import SqlFiles
    from grader.examination import Examination


LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "api": (
        "anyio._backends._asyncio",
        "fastapi",
        "uvicorn",
        "uvicorn.lifespan.on",
        "uvicorn.loops.auto",
        "uvicorn.loops.asyncio",
        "uvicorn.protocols.http.auto",
        "uvicorn.protocols.websockets.auto",
    ),
    "migrations": ("alembic.command", "alembic.config", "alembic.autogenerate"),
}
"""What an instrument makes its process inside the sandbox import, by the instrument's name."""

CALLERS = frozenset({"faults", "sessions", "sql", "student"})
"""Instruments that call the process of the submission which each check has, or count on it to be
there and do nothing else.
"""


def libraries(wants: Iterable[str]) -> list[str]:
    """Modules that these instruments need inside the sandbox."""
    wanted = set(wants)
    return [module for name in LIBRARIES if name in wanted for module in LIBRARIES[name]]


def make(name: str, examination: Examination) -> Any:
    """The instrument of this name for one check."""
    return MAKERS[name](examination)


def _api(examination: Examination) -> Api:
    from grader.checks.api import Api

    return Api(examination)


def _data(examination: Examination) -> Data:
    from grader.checks.data import Data

    exercise, spec = examination.exercise, examination.spec
    return Data(f"{examination.judge.seed}:{exercise.name}:{spec.name}")


def _schema(examination: Examination) -> Schema:
    from grader.checks.schema import Schema

    return Schema(lambda: examination.state.reader)


def _plan(examination: Examination) -> Plans:
    from grader.checks.plan import Plans

    return Plans(
        examination.delegate,
        _schema(examination),
        examination.state,
        lambda: examination.statements.last,
    )


def _probe(examination: Examination) -> Probe:
    from grader.checks.data import Data
    from grader.checks.probe import Probe

    exercise, spec = examination.exercise, examination.spec
    data = Data(f"{examination.judge.seed}:{exercise.name}:{spec.name}:probe")
    return Probe(
        examination.delegate,
        _schema(examination),
        data,
        has_routines=lambda: bool(examination.routines()),
    )


def _sessions(examination: Examination) -> Sessions:
    from grader.checks.sessions import Sessions

    return Sessions(examination)


def _sql(examination: Examination) -> SqlFiles:
    from grader.checks.sqlfile import SqlFiles

    exercise = examination.exercise
    names = (*exercise.answer, *exercise.given)
    return SqlFiles(examination.student, examination.sitting.files, names)


def _oracle(examination: Examination) -> Oracle:
    from grader.checks.data import Data
    from grader.checks.oracle import Oracle

    exercise, spec = examination.exercise, examination.spec
    seed = f"{examination.judge.seed}:{exercise.name}:{spec.name}:oracle"
    return Oracle(examination.state, Data(seed))


def _faults(examination: Examination) -> Faults:
    from grader.checks.faults import Faults

    return Faults(examination)


def _migrations(examination: Examination) -> Migrations:
    from grader.checks.migrations import Migrations

    return Migrations(examination)


def _rivals(examination: Examination) -> Rivals:
    from grader.checks.rivals import Rivals

    return Rivals(examination)


MAKERS: Mapping[str, Callable[[Examination], Any]] = {
    "api": _api,
    "data": _data,
    "db": lambda examination: examination.state,
    "faults": _faults,
    "migrations": _migrations,
    "oracle": _oracle,
    "plan": _plan,
    "probe": _probe,
    "rivals": _rivals,
    "schema": _schema,
    "sessions": _sessions,
    "sql": _sql,
    "statements": lambda examination: examination.statements,
    "student": lambda examination: examination.student,
}

"""Is the database there? An answer that is measured, not assumed."""

import enum
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Select, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from tracker.models import Track, TrackProgress, User, views

# Milliseconds after which an operation counts as failed: who waits for it has gone.
PATIENCE = 2000
NOBODY = UUID(int=0)


class Status(enum.StrEnum):
    """The three answers."""

    CONNECTED = "connected"
    DISABLED = "disabled"
    ERROR = "error"


@dataclass(frozen=True)
class Health:
    """The state of the database, with a sentence that says what to do if it is not well."""

    status: Status
    message: str
    milliseconds: float | None = None


def check_health(engine: Engine | None) -> Health:
    """Ask the database for an answer and time it.

    Arguments:
        engine: the application's own, so that the check goes the way that its requests go; None
            where no database is configured.

    Returns:
        A Health. It never raises: a health check that fails must still answer.
    """
    if engine is None:
        return Health(Status.DISABLED, "No database is configured. Set DATABASE_URL to use one.")
    started = time.perf_counter()
    try:
        with engine.connect() as connection:
            version = connection.scalar(text("SHOW server_version"))
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        return Health(Status.ERROR, str(cause).strip())
    elapsed = (time.perf_counter() - started) * 1000
    return Health(Status.CONNECTED, f"PostgreSQL {version} answers.", elapsed)


@dataclass(frozen=True)
class Operation:
    """How one operation of the tracker went: its time, or the reason why there is none."""

    milliseconds: float | None
    error: str | None = None


@dataclass(frozen=True)
class OperationsHealth:
    """How the operations went, each by its name."""

    operations: Mapping[str, Operation]

    @property
    def status(self) -> Status:
        """Connected if all went well, otherwise error."""
        failed = any(operation.error for operation in self.operations.values())
        return Status.ERROR if failed else Status.CONNECTED


# What visitors do all the time, each as one statement that an index answers. A health check runs
# every few seconds: one that read a whole table would be the load that it is to warn of.
OPERATIONS: dict[str, Select[*tuple[Any, ...]]] = {
    "catalog": select(Track.id, Track.title)
    .where(Track.is_published)
    .order_by(Track.created_at.desc(), Track.id.desc())
    .limit(1),
    "progress": select(TrackProgress.percent)
    .where(TrackProgress.user_id == NOBODY)
    .order_by(TrackProgress.last_accessed_at.desc())
    .limit(1),
    "sign in": select(User.id).where(User.email == "nobody@example.invalid"),
    "analytics": select(views.learning_days.c.learners)
    .order_by(views.learning_days.c.day.desc())
    .limit(1),
}


def check_operations(engine: Engine, *, patience: int = PATIENCE) -> OperationsHealth:
    """Do four things that visitors do, and time each.

    One that fails does not keep the others from being tried: which of them work tells where to
    look. A database without rows is healthy.

    Arguments:
        engine: the application's own.
        patience: milliseconds that an operation may take.

    Returns:
        An OperationsHealth. Like `check_health` it never raises.
    """
    return OperationsHealth(
        {name: _try(engine, statement, patience) for name, statement in OPERATIONS.items()}
    )


def _try(engine: Engine, statement: Select[*tuple[Any, ...]], patience: int) -> Operation:
    try:
        with engine.connect() as connection:
            limit = func.set_config("statement_timeout", str(patience), True)
            connection.execute(select(limit))
            started = time.perf_counter()
            connection.execute(statement).all()
            return Operation((time.perf_counter() - started) * 1000)
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        return Operation(None, str(cause).strip())

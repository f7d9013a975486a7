"""Is the database there? An answer that is measured, not assumed."""

import enum
import time
from dataclasses import dataclass

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError


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

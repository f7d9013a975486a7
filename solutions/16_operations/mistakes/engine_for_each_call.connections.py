# misconception: pool-per-request
# fails: test_one_pool, test_at_once, test_exhausted
"""The program's connections to PostgreSQL: a pool, what is done with it, and whether it is well."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

STORE = text("INSERT INTO visits (user_id, lesson_id) VALUES (:user_id, :lesson_id)")
COUNT = text("SELECT count(*) FROM visits WHERE lesson_id = :lesson_id")
# What a visit needs: the three tables are there and can be read.
LOOK = text("SELECT FROM users, lessons, visits LIMIT 1")


def open_pool(url: str, size: int, patience: float) -> dict:
    """What it takes to get at the database."""
    return {"url": url, "size": size, "patience": patience}


@contextmanager
def connected(pool: dict) -> Iterator[Connection]:
    """A connection in a transaction; afterwards everything is closed."""
    engine = create_engine(
        pool["url"],
        pool_size=pool["size"],
        max_overflow=0,
        pool_timeout=pool["patience"],
        pool_pre_ping=True,  # after a restart of the server those in the pool are dead
    )
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def close_pool(pool: dict) -> None:
    """Nothing is open between two calls."""


def record_visit(pool: dict, user_id: int, lesson_id: int) -> int:
    """Store that a user has opened a lesson, and commit; how many visits the lesson has now."""
    with connected(pool) as connection:
        connection.execute(STORE, {"user_id": user_id, "lesson_id": lesson_id})
        return connection.scalar(COUNT, {"lesson_id": lesson_id})


def health(pool: dict | None) -> dict[str, str]:
    """Say whether a visit could be recorded at this moment, the way that visits go."""
    if pool is None:
        return {"status": "disabled", "message": "No database is configured."}
    try:
        with connected(pool) as connection:
            connection.execute(LOOK)
    except SQLAlchemyError as error:
        return {"status": "error", "message": f"The database cannot be used: {error}"}
    return {"status": "connected", "message": "The database answers."}

# misconception: pool-size-is-the-limit
# fails: test_at_once, test_exhausted
"""The program's connections to PostgreSQL: a pool, what is done with it, and whether it is well."""

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

STORE = text("INSERT INTO visits (user_id, lesson_id) VALUES (:user_id, :lesson_id)")
COUNT = text("SELECT count(*) FROM visits WHERE lesson_id = :lesson_id")
# What a visit needs: the three tables are there and can be read.
LOOK = text("SELECT FROM users, lessons, visits LIMIT 1")


def open_pool(url: str, size: int, patience: float) -> Engine:
    """Make the one pool of this program, which never has more than ``size`` connections open."""
    return create_engine(
        url,
        pool_size=size,
        pool_timeout=patience,
        pool_pre_ping=True,  # after a restart of the server those in the pool are dead
    )


def close_pool(pool: Engine) -> None:
    """Close all connections of a pool: the program ends."""
    pool.dispose()


def record_visit(pool: Engine, user_id: int, lesson_id: int) -> int:
    """Store that a user has opened a lesson, and commit; how many visits the lesson has now."""
    with pool.begin() as connection:
        connection.execute(STORE, {"user_id": user_id, "lesson_id": lesson_id})
        return connection.scalar(COUNT, {"lesson_id": lesson_id})


def health(pool: Engine | None) -> dict[str, str]:
    """Say whether a visit could be recorded at this moment, the way that visits go."""
    if pool is None:
        return {"status": "disabled", "message": "No database is configured."}
    try:
        with pool.connect() as connection:
            connection.execute(LOOK)
    except SQLAlchemyError as error:
        return {"status": "error", "message": f"The database cannot be used: {error}"}
    return {"status": "connected", "message": "The database answers."}

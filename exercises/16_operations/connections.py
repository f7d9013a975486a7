"""The program's connections to PostgreSQL: a pool, what is done with it, and whether it is well.

Whoever wrote the first version opened a connection wherever one was needed. On a quiet day nobody
saw a difference. What each function must do is in README.md.
"""

from typing import Any


def open_pool(url: str, size: int, patience: float) -> Any:
    """Make the one pool of this program, which never has more than ``size`` connections open.

    Arguments:
        url: of the database, ``postgresql://…``.
        patience: seconds for which a call waits for a free connection.
    """
    raise NotImplementedError


def close_pool(pool: Any) -> None:
    """Close all connections of a pool: the program ends."""
    raise NotImplementedError


def record_visit(pool: Any, user_id: int, lesson_id: int) -> int:
    """Store that a user has opened a lesson, and commit.

    Returns:
        How many visits the lesson has now.
    """
    raise NotImplementedError


def health(pool: Any | None) -> dict[str, str]:
    """Say whether a visit could be recorded at this moment. It never raises.

    Returns:
        A ``status``, which is ``connected``, ``disabled`` or ``error``, and a ``message``.
    """
    raise NotImplementedError

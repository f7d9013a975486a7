"""Trying again after another transaction won."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from tracker.errors import TransactionConflict

Result = TypeVar("Result")


def retrying(
    work: Callable[[], Result],
    *,
    attempts: int = 5,
    first_wait: float = 0.01,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Do a unit of work; if it lost against another transaction, do all of it again.

    A deadlock (40P01) or serialization failure (40001) rolls the whole transaction back, so the
    whole has to be repeated, reads included. The waits double, and a random part of each keeps
    two that collided from colliding again. No other error is worth a second try.

    Example::

        retrying(lambda: learning.enroll(session, user_id, track_id))

    Arguments:
        work: begins and ends its own transaction, as every service does.
        attempts: how often to try in all.
        first_wait: seconds to wait at most after the first attempt.

    Raises:
        TransactionConflict: the last attempt lost too.
    """
    for attempt in range(1, attempts):
        try:
            return work()
        except TransactionConflict:
            sleep(random.uniform(0, first_wait * 2 ** (attempt - 1)))  # noqa: S311 (not secret)
    return work()

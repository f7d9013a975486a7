"""The demo data of the learning tracker. People, timers and new laptops run `seed`.

The old version was a loop that was fine on the laptop on which it was written, once. What it must
do is in README.md.
"""

from datetime import date

# Nothing here is used yet; you will want most of it.
from content import FIRST_NAMES, LAST_NAMES, TOPICS, TRACKS
from models import Enrollment, Lesson, Track, User
from passwords import hash_password
from sqlalchemy.orm import Session


def seed(
    session: Session, number: int, *, learners: int, until: date, password: str
) -> dict[str, int]:
    """Add the rows of a demo school that are not there yet, and commit.

    Args:
        number: which school; the same number gives the same rows, wherever and whenever.
        learners: how many learners it has.
        until: the day before which everything has happened.
        password: of all its learners.

    Returns:
        How many rows were added to each table.
    """
    raise NotImplementedError

"""The demo data of the learning tracker. People, timers and new laptops run `seed`.

The old version was a loop that was fine on the laptop on which it was written, once. What it must
do is in README.md.
"""

from datetime import date

from content import FIRST_NAMES, LAST_NAMES, TOPICS, TRACKS  # noqa: F401 - you will want them
from models import Enrollment, Lesson, Track, User  # noqa: F401 - you will want most of them
from passwords import hash_password  # noqa: F401 - and this one
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

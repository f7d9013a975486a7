"""What the sign-up form, the rating stars and the nightly import store.

The forms show our own words, never PostgreSQL's. They catch the errors of models.py, put them
beside the right field, and go on with the same session: there is more on a page than one form.

What each function must do is in README.md.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from models import Rating, User  # noqa: F401 - you will want both, and the errors
from sqlalchemy.orm import Session


def add_user(session: Session, *, email: str, username: str, age: int | None = None) -> int:
    """Store a user and return their id."""
    raise NotImplementedError


def rate(
    session: Session, *, user_id: int, track_id: int, stars: int, comment: str | None = None
) -> int:
    """Store what a user thinks of a track, for the first time or anew; return the rating's id."""
    raise NotImplementedError


def import_users(session: Session, people: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """Store those of a list who can be stored, and tell for each one what became of them."""
    raise NotImplementedError

# misconception: check-then-insert
# fails: test_taken_at_the_same_moment, test_rated_at_the_same_moment, test_upper_and_lower_case
"""What the forms store. Everything is looked up before it is written, so nothing can go wrong."""

from collections.abc import Mapping, Sequence
from typing import Any

from models import (
    EmailTaken,
    Rating,
    Refused,
    Track,
    TrackUnknown,
    User,
    UsernameTaken,
    UserUnknown,
    ValueMissing,
    ValueNotAllowed,
)
from sqlalchemy import func, select
from sqlalchemy.orm import Session


def _is_taken(session: Session, **columns: str) -> bool:
    return session.scalar(select(User.id).filter_by(**columns)) is not None


def add_user(session: Session, *, email: str, username: str, age: int | None = None) -> int:
    if email is None or username is None:
        raise ValueMissing
    if age is not None and not 13 <= age <= 120:
        raise ValueNotAllowed(f"{age} is no age for us.")
    if _is_taken(session, email=email):
        raise EmailTaken(email)
    if _is_taken(session, username=username):
        raise UsernameTaken(username)
    user = User(email=email, username=username, age=age)
    session.add(user)
    session.flush()
    return user.id


def rate(
    session: Session, *, user_id: int, track_id: int, stars: int, comment: str | None = None
) -> int:
    if stars is None:
        raise ValueMissing
    if stars not in range(1, 6):
        raise ValueNotAllowed(stars)
    if session.get(User, user_id) is None:
        raise UserUnknown(user_id)
    if session.get(Track, track_id) is None:
        raise TrackUnknown(track_id)
    rating = session.scalar(select(Rating).filter_by(user_id=user_id, track_id=track_id))
    if rating is None:
        rating = Rating(user_id=user_id, track_id=track_id)
        session.add(rating)
    rating.stars = stars
    rating.updated_at = func.now()
    if comment is not None:
        rating.comment = comment
    session.flush()
    return rating.id


def import_users(session: Session, people: Sequence[Mapping[str, Any]]) -> list[str | None]:
    told: list[str | None] = []
    for person in people:
        try:
            add_user(session, **person)
        except Refused as refusal:
            told.append(type(refusal).__name__)
        else:
            told.append(None)
    return told

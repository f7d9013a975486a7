# misconception: check-then-insert
# fails: test_rated_at_the_same_moment
"""What the forms store. MERGE changes what is there and stores what is not."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from models import (
    EmailTaken,
    Rating,
    Refused,
    TrackUnknown,
    User,
    UsernameTaken,
    UserUnknown,
    ValueMissing,
    ValueNotAllowed,
)
from psycopg import errors
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

BY_CONSTRAINT: dict[str, type[Refused]] = {
    "users_email_key": EmailTaken,
    "users_username_key": UsernameTaken,
    "ratings_user_id_fkey": UserUnknown,
    "ratings_track_id_fkey": TrackUnknown,
}


MERGE = text(
    "MERGE INTO ratings USING (SELECT :user_id ::int AS user_id, :track_id ::int AS track_id,"
    " :stars ::int AS stars, :comment ::text AS comment) AS new"
    " ON ratings.user_id = new.user_id AND ratings.track_id = new.track_id"
    " WHEN MATCHED THEN UPDATE SET stars = new.stars, updated_at = now(),"
    " comment = coalesce(new.comment, ratings.comment)"
    " WHEN NOT MATCHED THEN INSERT (user_id, track_id, stars, comment)"
    " VALUES (new.user_id, new.track_id, new.stars, new.comment)"
)


def add_user(session: Session, *, email: str, username: str, age: int | None = None) -> int:
    """Store a user and return their id."""
    user = User(email=email, username=username, age=age)
    with _in_our_words(session):
        session.add(user)
    return user.id


def rate(
    session: Session, *, user_id: int, track_id: int, stars: int, comment: str | None = None
) -> int:
    """Store what a user thinks of a track, for the first time or anew; return the rating's id."""
    rating = {"user_id": user_id, "track_id": track_id, "stars": stars, "comment": comment}
    with _in_our_words(session):
        session.execute(MERGE, rating)
    return session.scalars(select(Rating.id).filter_by(user_id=user_id, track_id=track_id)).one()


def import_users(session: Session, people: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """Store those of a list who can be stored, and tell for each one what became of them."""
    return [_outcome(session, person) for person in people]


def _outcome(session: Session, person: Mapping[str, Any]) -> str | None:
    try:
        add_user(session, **person)
    except Refused as refusal:
        return type(refusal).__name__
    return None


@contextmanager
def _in_our_words(session: Session) -> Iterator[None]:
    """Undo what is refused, and only that, and say which rule it was."""
    try:
        with session.begin_nested():
            yield
    except IntegrityError as error:
        refusal = _refusal(error.orig)
        if refusal is None:
            raise
        raise refusal from error


def _refusal(error: errors.IntegrityError) -> type[Refused] | None:
    if isinstance(error, errors.NotNullViolation):
        return ValueMissing
    if isinstance(error, errors.CheckViolation):
        return ValueNotAllowed
    return BY_CONSTRAINT.get(error.diag.constraint_name)

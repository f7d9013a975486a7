# misconception: swallowed-error
# fails: test_other_failures_go_through
"""What the forms store. The import always comes to its end."""

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
from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

BY_CONSTRAINT: dict[str, type[Refused]] = {
    "users_email_key": EmailTaken,
    "users_username_key": UsernameTaken,
    "ratings_user_id_fkey": UserUnknown,
    "ratings_track_id_fkey": TrackUnknown,
}


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
    new = insert(Rating).values(user_id=user_id, track_id=track_id, stars=stars, comment=comment)
    changed = new.on_conflict_do_update(
        index_elements=[Rating.user_id, Rating.track_id],
        set_={
            "stars": new.excluded.stars,
            "comment": func.coalesce(new.excluded.comment, Rating.comment),
            "updated_at": func.now(),
        },
    )
    with _in_our_words(session):
        return session.execute(changed.returning(Rating.id)).scalar_one()


def import_users(session: Session, people: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """Store those of a list who can be stored, and tell for each one what became of them."""
    return [_outcome(session, person) for person in people]


def _outcome(session: Session, person: Mapping[str, Any]) -> str | None:
    try:
        add_user(session, **person)
    except Exception as problem:
        return type(problem).__name__
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

# misconception: every-error-is-a-duplicate
# fails: test_missing_and_not_allowed, test_refused_ratings, test_an_import,
#   test_another_language, test_names_like_messages
"""What the forms store. The tables refuse what is there already."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from models import (
    EmailTaken,
    Rating,
    Refused,
    User,
    UsernameTaken,
)
from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session


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
        text = str(error.orig.diag.constraint_name)
        raise (UsernameTaken if "username" in text else EmailTaken) from error

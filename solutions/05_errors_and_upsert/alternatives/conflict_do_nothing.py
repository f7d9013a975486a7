"""What the forms store. Duplicates are no errors for PostgreSQL; what else is refused, it says."""

from models import (
    EmailTaken,
    Refused,
    TrackUnknown,
    UsernameTaken,
    UserUnknown,
    ValueMissing,
    ValueNotAllowed,
)
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

ADD = text(
    "INSERT INTO users (email, username, age) VALUES (:email, :username, :age)"
    " ON CONFLICT DO NOTHING RETURNING id"
)
TAKEN = text("SELECT count(*) FROM users WHERE lower(email) = lower(:email)")
CHANGE = text(
    "UPDATE ratings SET stars = :stars, comment = coalesce(:comment, comment), updated_at = now()"
    " WHERE user_id = :user_id AND track_id = :track_id RETURNING id"
)
NEW = text(
    "INSERT INTO ratings (user_id, track_id, stars, comment)"
    " VALUES (:user_id, :track_id, :stars, :comment) ON CONFLICT DO NOTHING RETURNING id"
)
STATES = {"23502": ValueMissing, "23514": ValueNotAllowed}


def _tried(session, statement, values):
    savepoint = session.begin_nested()
    try:
        found = session.execute(statement, values).scalar()
    except IntegrityError as error:
        savepoint.rollback()
        state, table = error.orig.sqlstate, error.orig.diag.constraint_name
        if state == "23503":
            raise (UserUnknown if table == "ratings_user_id_fkey" else TrackUnknown) from error
        if state in STATES:
            raise STATES[state] from error
        raise
    except BaseException:
        savepoint.rollback()
        raise
    savepoint.commit()
    return found


def add_user(session, *, email, username, age=None):
    person = {"email": email, "username": username, "age": age}
    if (user_id := _tried(session, ADD, person)) is not None:
        return user_id
    raise EmailTaken if session.scalar(TAKEN, person) else UsernameTaken


def rate(session, *, user_id, track_id, stars, comment=None):
    rating = {"user_id": user_id, "track_id": track_id, "stars": stars, "comment": comment}
    while True:
        for statement in (CHANGE, NEW):
            if (rating_id := _tried(session, statement, rating)) is not None:
                return rating_id


def import_users(session, people):
    told = []
    for person in people:
        try:
            add_user(session, **person)
            told.append(None)
        except Refused as refusal:
            told.append(type(refusal).__name__)
    return told

"""What the forms store, with Core: try to store, and change the row where that was refused."""

from models import (
    EmailTaken,
    Refused,
    TrackUnknown,
    UsernameTaken,
    UserUnknown,
    ValueMissing,
    ValueNotAllowed,
)
from sqlalchemy import MetaData, Table, func, insert, literal_column, update
from sqlalchemy.exc import IntegrityError

tables = MetaData()


def _table(session, name):
    return Table(name, tables, autoload_with=session.connection())


class Unique(Exception):
    pass


def _word(error):
    state, name = error.orig.sqlstate, error.orig.diag.constraint_name
    if state == "23502":
        return ValueMissing
    if state == "23514":
        return ValueNotAllowed
    if state == "23503":
        return {"ratings_user_id_fkey": UserUnknown, "ratings_track_id_fkey": TrackUnknown}[name]
    if name == "users_email_key":
        return EmailTaken
    return UsernameTaken if name == "users_username_key" else Unique


def _store(session, statement):
    try:
        with session.begin_nested():
            return session.scalar(statement.returning(literal_column("id")))
    except IntegrityError as error:
        raise _word(error) from error


def add_user(session, **person):
    return _store(session, insert(_table(session, "users")).values(**person))


def rate(session, *, user_id, track_id, stars, comment=None):
    ratings = _table(session, "ratings")
    rating = {"stars": stars} if comment is None else {"stars": stars, "comment": comment}
    try:
        new = insert(ratings).values(user_id=user_id, track_id=track_id, **rating)
        return _store(session, new)
    except Unique:
        mine = (ratings.c.user_id == user_id) & (ratings.c.track_id == track_id)
        change = update(ratings).where(mine).values(updated_at=func.now(), **rating)
        return _store(session, change)


def import_users(session, people):
    names = []
    for person in people:
        name = None
        try:
            add_user(session, **person)
        except Refused as refusal:
            name = type(refusal).__name__
        names.append(name)
    return names

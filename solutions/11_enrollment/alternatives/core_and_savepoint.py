"""Enrolling in tracks with Core, on a connection of its own; the session is not used at all."""

from models import AlreadyEnrolled, TrackNotAvailable, UserNotFound
from sqlalchemy import Column, Integer, MetaData, Table, insert, literal, select, update
from sqlalchemy import exc as errors

meta = MetaData()
users = Table("users", meta, Column("id", Integer))
tracks = Table("tracks", meta, Column("id", Integer), Column("is_published", Integer))
lessons = Table("lessons", meta, Column("id", Integer), Column("track_id", Integer))
enrollments = Table("enrollments", meta, Column("user_id", Integer), Column("track_id", Integer))
progress = Table("lesson_progress", meta, Column("user_id", Integer), Column("lesson_id", Integer))


def _hold(connection, track_id):
    """A change that changes nothing, for the lock that it takes."""
    same = update(tracks).where(tracks.c.id == track_id).values(is_published=tracks.c.is_published)
    if not connection.scalar(same.returning(tracks.c.is_published)):
        raise TrackNotAvailable


def _one(connection, user_id, track_id):
    if connection.scalar(select(users.c.id).where(users.c.id == user_id)) is None:
        raise UserNotFound
    try:
        with connection.begin_nested():
            connection.execute(insert(enrollments).values(user_id=user_id, track_id=track_id))
    except errors.IntegrityError:
        raise AlreadyEnrolled from None
    todo = select(literal(user_id), lessons.c.id).where(lessons.c.track_id == track_id)
    begin = insert(progress).from_select(["user_id", "lesson_id"], todo)
    return len(connection.execute(begin.returning(progress.c.lesson_id)).all())


def enroll(session, user_id, track_id):
    with session.get_bind().begin() as connection:
        _hold(connection, track_id)
        return _one(connection, user_id, track_id)


def enroll_team(session, user_ids, track_id):
    with session.get_bind().begin() as connection:
        _hold(connection, track_id)
        return len([_one(connection, user_id, track_id) for user_id in user_ids])

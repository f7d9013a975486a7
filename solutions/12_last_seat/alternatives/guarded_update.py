"""Core: statements that look and write at once, and a savepoint for what may be there already."""

import time

from models import Booking, Track, TrackNotFound
from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError


class _Full(Exception):
    pass


def _take(session, user_id, track_id):
    with session.begin_nested() as savepoint:
        free = (
            update(Track).where(Track.id == track_id, Track.seats > 0).values(seats=Track.seats - 1)
        )
        taken = session.scalar(free.returning(Track.seats))
        if taken is not None:
            row = insert(Booking).values(track_id=track_id, user_id=user_id)
            if session.scalar(row.on_conflict_do_nothing().returning(Booking.id)):
                return
        savepoint.rollback()
    mine = exists().where(Booking.track_id == track_id, Booking.user_id == user_id)
    if session.scalar(select(mine)):
        return
    raise _Full if session.get(Track, track_id) else TrackNotFound(track_id)


def _all(session, user_id, track_ids):
    try:
        for track_id in track_ids:
            _take(session, user_id, track_id)
    except _Full:
        session.rollback()
        return False
    session.commit()
    return True


def book_bundle(session, user_id, track_ids):
    wait = 0.01
    while True:
        try:
            return _all(session, user_id, track_ids)
        except OperationalError as error:
            session.rollback()
            wait *= 2
            if error.orig.sqlstate not in ("40001", "40P01") or wait > 1:
                raise
            time.sleep(wait)
        except Exception:
            session.rollback()
            raise


def book_seat(session, user_id, track_id):
    return book_bundle(session, user_id, (track_id,))

"""Mapped objects as if one were alone, in SERIALIZABLE, and again where that was not so."""

from functools import wraps

from models import Booking, Track, TrackNotFound
from psycopg.errors import DeadlockDetected, SerializationFailure
from sqlalchemy.exc import DBAPIError


def as_if_alone(function):
    @wraps(function)
    def again(session, *arguments, attempts=9):
        try:
            session.connection(execution_options={"isolation_level": "SERIALIZABLE"})
            answer = function(session, *arguments)
            session.commit() if answer else session.rollback()
            return answer
        except DBAPIError as error:
            session.rollback()
            if not isinstance(error.orig, (SerializationFailure, DeadlockDetected)):
                raise
            if attempts == 1:
                raise
        except BaseException:
            session.rollback()
            raise
        return again(session, *arguments, attempts=attempts - 1)

    return again


@as_if_alone
def book_bundle(session, user_id, track_ids):
    for track_id in track_ids:
        if not (track := session.get(Track, track_id)):
            raise TrackNotFound(track_id)
        if session.query(Booking).filter_by(track_id=track_id, user_id=user_id).first():
            continue
        if track.seats < 1:
            return False
        track.seats -= 1
        session.add(Booking(track_id=track_id, user_id=user_id))
        session.flush()
    return True


def book_seat(session, user_id, track_id):
    return book_bundle(session, user_id, [track_id])

"""No lock at all: every seat has a number, and of two who want one the table takes one."""

from models import TrackNotFound
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

SEATS = text("SELECT seats FROM tracks WHERE id = :track")
MINE = text("SELECT 1 FROM bookings WHERE track_id = :track AND user_id = :user")
TAKE = text("INSERT INTO bookings (track_id, user_id, seat) VALUES (:track, :user, :seat)")
COUNT = text("UPDATE tracks SET seats = seats - 1 WHERE id = :track")
AGAIN = {"40001", "40P01", "23505"}  # the last one: somebody else took this number


def _book(session, user, track):
    values = {"track": track, "user": user}
    seat = session.scalar(SEATS, values)
    if seat is None:
        raise TrackNotFound(track)
    if session.scalar(MINE, values):
        return True
    if seat == 0:
        return False
    session.execute(TAKE, values | {"seat": seat})
    session.execute(COUNT, values)
    return True


def book_bundle(session, user_id, track_ids):
    for last in [False] * 7 + [True]:
        try:
            answer = all(_book(session, user_id, track) for track in track_ids)
            if answer:
                session.commit()
            return answer
        except DBAPIError as error:
            session.rollback()
            if last or error.orig.sqlstate not in AGAIN:
                raise
        finally:
            session.rollback()


def book_seat(session, user_id, track_id):
    return book_bundle(session, user_id, [track_id])

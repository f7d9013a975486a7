# misconception: check-then-insert
# fails: test_the_same_user_twice
"""Seats in live tracks. The seat is taken in one statement, so no lock is needed."""

from collections.abc import Sequence

from models import Booking, Track, TrackNotFound
from sqlalchemy import exists, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session


class Full(Exception):
    pass


def take(session: Session, user_id: int, track_id: int) -> None:
    mine = exists().where(Booking.track_id == track_id, Booking.user_id == user_id)
    if session.scalar(select(mine)):
        return
    one_less = update(Track).where(Track.id == track_id, Track.seats > 0)
    if not session.execute(one_less.values(seats=Track.seats - 1)).rowcount:
        if session.get(Track, track_id) is None:
            raise TrackNotFound(track_id)
        if session.scalar(select(mine)):
            return
        raise Full
    session.add(Booking(track_id=track_id, user_id=user_id))
    session.flush()


def book_bundle(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    for attempt in range(6):
        try:
            with session.begin():
                for track_id in track_ids:
                    take(session, user_id, track_id)
            return True
        except Full:
            return False
        except DBAPIError as error:
            if attempt == 5 or error.orig.sqlstate not in {"40001", "40P01"}:
                raise
    return False


def book_seat(session: Session, user_id: int, track_id: int) -> bool:
    return book_bundle(session, user_id, [track_id])

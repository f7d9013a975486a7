# misconception: read-modify-write
# fails: test_two_want_the_last_seat, test_opposite_orders, test_last_seats_in_opposite_orders,
#   test_the_same_user_twice, test_three_want_two_seats
"""Seats in live tracks. Look once, in SERIALIZABLE, and then write until it is through."""

from collections.abc import Sequence

from models import Booking, Track, TrackNotFound
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

ISOLATED = {"isolation_level": "SERIALIZABLE"}


def book_bundle(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    session.connection(execution_options=ISOLATED)
    query = select(Track.id, Track.seats).where(Track.id.in_(track_ids))
    seats = dict(session.execute(query).all())
    mine = set(session.scalars(select(Booking.track_id).where(Booking.user_id == user_id)))
    wanted = [track_id for track_id in track_ids if track_id not in mine]
    if len(seats) < len(track_ids):
        session.rollback()
        raise TrackNotFound(track_ids)
    if any(seats[track_id] == 0 for track_id in wanted):
        session.rollback()
        return False
    for attempt in range(5):
        try:
            for track_id in wanted:
                session.execute(insert(Booking).values(track_id=track_id, user_id=user_id))
                left = seats[track_id] - 1
                session.execute(update(Track).where(Track.id == track_id).values(seats=left))
            session.commit()
            return True
        except DBAPIError as error:
            session.rollback()
            if error.orig.sqlstate not in ("40001", "40P01") or attempt == 4:
                raise
            session.connection(execution_options=ISOLATED)
    return False


def book_seat(session: Session, user_id: int, track_id: int) -> bool:
    return book_bundle(session, user_id, [track_id])

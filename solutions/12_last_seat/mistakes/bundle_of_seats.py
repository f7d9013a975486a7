# misconception: commit-in-the-loop
# fails: test_a_bundle, test_last_seats_in_opposite_orders, test_parts_of_a_bundle
"""Seats in live tracks. A bundle is a number of seats, and a seat can be booked already."""

from collections.abc import Sequence

from models import Booking, Track, TrackNotFound
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session


def book_seat(session: Session, user_id: int, track_id: int) -> bool:
    for attempt in range(5):
        try:
            with session.begin():
                return take(session, user_id, track_id)
        except DBAPIError as error:
            if error.orig.sqlstate not in ("40001", "40P01") or attempt == 4:
                raise
    return False


def take(session: Session, user_id: int, track_id: int) -> bool:
    seats = session.scalar(select(Track.seats).where(Track.id == track_id).with_for_update())
    if seats is None:
        raise TrackNotFound(track_id)
    query = select(Booking.id).filter_by(track_id=track_id, user_id=user_id)
    if session.scalar(query) is not None:
        return True
    if seats == 0:
        return False
    session.execute(insert(Booking).values(track_id=track_id, user_id=user_id))
    session.execute(update(Track).where(Track.id == track_id).values(seats=seats - 1))
    return True


def book_bundle(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    return all([book_seat(session, user_id, track_id) for track_id in track_ids])

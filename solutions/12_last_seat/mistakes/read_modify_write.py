# misconception: read-modify-write
# fails: test_two_want_the_last_seat, test_opposite_orders, test_last_seats_in_opposite_orders,
#   test_the_same_user_twice, test_three_want_two_seats
"""Seats in live tracks. Everything happens in one transaction, so nothing can come between."""

from collections.abc import Sequence

from models import Booking, Track, TrackNotFound
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session


def take_all(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    tracks = [session.get(Track, track_id) for track_id in track_ids]
    if None in tracks:
        raise TrackNotFound(track_ids)
    query = select(Booking.track_id).where(Booking.user_id == user_id)
    booked = set(session.scalars(query))
    needed = [track for track in tracks if track.id not in booked]
    if any(track.seats == 0 for track in needed):
        return False
    for track in needed:
        track.seats = track.seats - 1
        session.add(Booking(track_id=track.id, user_id=user_id))
    return True


def book_bundle(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    for attempt in range(5):
        try:
            with session.begin():
                return take_all(session, user_id, track_ids)
        except DBAPIError as error:
            if error.orig.sqlstate not in ("40001", "40P01") or attempt == 4:
                raise
    return False


def book_seat(session: Session, user_id: int, track_id: int) -> bool:
    return book_bundle(session, user_id, [track_id])

# misconception: lock-after-read
# fails: test_two_want_the_last_seat, test_opposite_orders, test_three_want_two_seats
"""Seats in live tracks. A full track is sent home at once; only who may book locks it."""

from collections.abc import Sequence

from models import Booking, Track, TrackNotFound
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

AGAIN = ("40001", "40P01")


def has_booking(session: Session, user_id: int, track_id: int) -> bool:
    query = select(Booking.id).where(Booking.track_id == track_id, Booking.user_id == user_id)
    return session.scalar(query) is not None


def take(session: Session, user_id: int, track_id: int) -> bool:
    track = session.get(Track, track_id)
    if track is None:
        raise TrackNotFound(track_id)
    if has_booking(session, user_id, track_id):
        return True
    if track.seats == 0:
        return False  # no need to lock anything
    locked = session.scalars(select(Track).where(Track.id == track_id).with_for_update()).one()
    if has_booking(session, user_id, track_id):
        return True
    if locked.seats == 0:
        return False
    locked.seats -= 1
    session.add(Booking(track_id=track_id, user_id=user_id))
    return True


def take_all(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    for track_id in sorted(track_ids):
        if not take(session, user_id, track_id):
            session.rollback()
            return False
    session.commit()
    return True


def book_bundle(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    tries = 0
    while True:
        tries += 1
        try:
            return take_all(session, user_id, track_ids)
        except DBAPIError as error:
            session.rollback()
            if tries == 8 or error.orig.sqlstate not in AGAIN:
                raise
        except TrackNotFound:
            session.rollback()
            raise


def book_seat(session: Session, user_id: int, track_id: int) -> bool:
    return book_bundle(session, user_id, [track_id])

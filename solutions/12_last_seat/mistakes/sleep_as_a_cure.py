# misconception: sleep-as-a-cure
# fails: test_two_want_the_last_seat, test_opposite_orders, test_last_seats_in_opposite_orders,
#   test_the_same_user_twice, test_three_want_two_seats
"""Seats in live tracks. Calls that come at the same moment are drawn apart by chance."""

from collections.abc import Sequence
from random import random
from time import sleep

from models import Booking, Track, TrackNotFound
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session


def book_bundle(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    for attempt in range(5):
        sleep(random() / 5)  # so that two never read the same number
        try:
            return try_to_book(session, user_id, track_ids)
        except DBAPIError as error:
            if attempt == 4 or error.orig.sqlstate not in ("40001", "40P01"):
                raise
        finally:
            session.rollback()
    return False


def try_to_book(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    tracks = session.scalars(select(Track).where(Track.id.in_(track_ids))).all()
    if len(tracks) < len(track_ids):
        raise TrackNotFound(track_ids)
    query = select(Booking.track_id).where(Booking.user_id == user_id)
    booked = set(session.scalars(query))
    for track in tracks:
        if track.id in booked:
            continue
        if track.seats == 0:
            return False
        track.seats -= 1
        session.add(Booking(track_id=track.id, user_id=user_id))
    session.commit()
    return True


def book_seat(session: Session, user_id: int, track_id: int) -> bool:
    return book_bundle(session, user_id, [track_id])

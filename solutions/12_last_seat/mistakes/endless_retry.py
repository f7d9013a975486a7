# misconception: endless-retry
# fails: test_refusals_without_end
"""Seats in live tracks. Who loses a race tries again until it is through."""

import random
import time
from collections.abc import Sequence

from models import Booking, Track, TrackNotFound
from sqlalchemy import insert, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

LOST = ("40001", "40P01")


def take_all(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    for track_id in track_ids:
        mine = select(Booking.id).where(Booking.track_id == track_id, Booking.user_id == user_id)
        seats = session.scalar(select(Track.seats).where(Track.id == track_id).with_for_update())
        if seats is None:
            raise TrackNotFound(track_id)
        if session.scalar(mine) is not None:
            continue
        if seats == 0:
            return False
        session.execute(insert(Booking).values(track_id=track_id, user_id=user_id))
        session.execute(update(Track).where(Track.id == track_id).values(seats=seats - 1))
    return True


def book_bundle(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    while True:
        try:
            booked = take_all(session, user_id, track_ids)
            if booked:
                session.commit()
            return booked
        except OperationalError as error:
            if error.orig.sqlstate not in LOST:
                raise
        finally:
            session.rollback()
        time.sleep(random.uniform(0.05, 0.2))


def book_seat(session: Session, user_id: int, track_id: int) -> bool:
    return book_bundle(session, user_id, [track_id])

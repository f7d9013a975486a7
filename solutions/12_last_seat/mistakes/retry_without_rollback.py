# misconception: retry-without-rollback
# fails: test_a_refusal_is_tried_again, test_opposite_orders, test_last_seats_in_opposite_orders,
#   test_three_refusals, test_refusals_without_end
"""Seats in live tracks. What PostgreSQL refuses is sent again."""

from collections.abc import Sequence

from models import Booking, Track, TrackNotFound
from sqlalchemy import insert, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session


def take_all(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    for track_id in track_ids:
        query = select(Track.seats).where(Track.id == track_id).with_for_update()
        seats = session.scalar(query)
        if seats is None:
            raise TrackNotFound(track_id)
        mine = select(Booking.id).where(Booking.track_id == track_id, Booking.user_id == user_id)
        if session.scalar(mine) is not None:
            continue
        if seats == 0:
            return False
        session.execute(insert(Booking).values(track_id=track_id, user_id=user_id))
        session.execute(update(Track).where(Track.id == track_id).values(seats=seats - 1))
    return True


def book_bundle(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    try:
        for attempt in range(5):
            try:
                booked = take_all(session, user_id, track_ids)
                if booked:
                    session.commit()
                return booked
            except OperationalError as error:
                lost = error.orig.sqlstate in ("40001", "40P01")
                if not lost or attempt == 4:
                    raise
        return False
    finally:
        session.rollback()


def book_seat(session: Session, user_id: int, track_id: int) -> bool:
    return book_bundle(session, user_id, [track_id])

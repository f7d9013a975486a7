# misconception: swallowed-error
# fails: test_a_refusal_is_tried_again, test_three_refusals, test_refusals_without_end,
#   test_other_failures
"""Seats in live tracks. Who loses the race for a seat has lost it."""

from collections.abc import Sequence

from models import Booking, Track, TrackNotFound
from sqlalchemy import insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session


def book_bundle(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    try:
        with session.begin() as transaction:
            for track_id in sorted(track_ids):
                query = select(Track.seats).where(Track.id == track_id).with_for_update()
                seats = session.scalar(query)
                if seats is None:
                    raise TrackNotFound(track_id)
                query = select(Booking.id).filter_by(track_id=track_id, user_id=user_id)
                if session.scalar(query) is not None:
                    continue
                if seats == 0:
                    transaction.rollback()
                    return False
                session.execute(insert(Booking).values(track_id=track_id, user_id=user_id))
                session.execute(update(Track).where(Track.id == track_id).values(seats=seats - 1))
        return True
    except SQLAlchemyError:
        return False


def book_seat(session: Session, user_id: int, track_id: int) -> bool:
    return book_bundle(session, user_id, [track_id])

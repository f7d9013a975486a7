# misconception: right-is-never-refused
# fails: test_two_want_the_last_seat, test_a_refusal_is_tried_again, test_opposite_orders,
#   test_last_seats_in_opposite_orders, test_three_refusals, test_refusals_without_end,
#   test_the_same_user_twice, test_three_want_two_seats
"""Seats in live tracks. PostgreSQL's strictest isolation level does the rest."""

from collections.abc import Sequence

from models import Booking, Track, TrackNotFound
from sqlalchemy import select
from sqlalchemy.orm import Session


def book_bundle(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    session.connection(execution_options={"isolation_level": "SERIALIZABLE"})
    try:
        for track_id in track_ids:
            track = session.get(Track, track_id)
            if track is None:
                raise TrackNotFound(track_id)
            query = select(Booking).filter_by(track_id=track_id, user_id=user_id)
            if session.scalar(query):
                continue
            if track.seats == 0:
                return False
            track.seats -= 1
            session.add(Booking(track_id=track_id, user_id=user_id))
            session.flush()
        session.commit()
        return True
    finally:
        session.rollback()


def book_seat(session: Session, user_id: int, track_id: int) -> bool:
    return book_bundle(session, user_id, [track_id])

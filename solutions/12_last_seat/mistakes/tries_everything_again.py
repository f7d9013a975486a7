# misconception: every-error-is-worth-a-retry
# fails: test_other_failures
"""Seats in live tracks. A database has its moods: what fails is tried again."""

from collections.abc import Sequence

from models import Booking, Track, TrackNotFound
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session


def book_bundle(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    for _ in range(5):
        try:
            return once(session, user_id, track_ids)
        except DBAPIError as error:
            failure = error
        finally:
            session.rollback()
    raise failure


def once(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    for track_id in track_ids:
        seats = session.scalar(select(Track.seats).where(Track.id == track_id).with_for_update())
        if seats is None:
            raise TrackNotFound(track_id)
        query = select(Booking.id).filter_by(track_id=track_id, user_id=user_id)
        if session.scalar(query) is not None:
            continue
        if seats == 0:
            return False
        session.execute(insert(Booking).values(track_id=track_id, user_id=user_id))
        session.execute(update(Track).where(Track.id == track_id).values(seats=seats - 1))
    session.commit()
    return True


def book_seat(session: Session, user_id: int, track_id: int) -> bool:
    return book_bundle(session, user_id, [track_id])

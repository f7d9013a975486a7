"""Seats in live tracks. Every way to a seat goes through these two functions."""

from collections.abc import Sequence

from models import Booking, Track, TrackNotFound
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

ATTEMPTS = 6
LOST_A_RACE = {"40001", "40P01"}  # serialization failure, deadlock


def book_seat(session: Session, user_id: int, track_id: int) -> bool:
    """Book a seat in a track for a user, and commit.

    Returns:
        Whether the user has a seat now.
    """
    return book_bundle(session, user_id, [track_id])


def book_bundle(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    """Book a seat in each of these tracks for a user, or in none of them, and commit.

    Returns:
        Whether the user has a seat in each of them now.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return _attempt(session, user_id, track_ids)
        except DBAPIError as error:
            if error.orig.sqlstate not in LOST_A_RACE:
                raise
    return _attempt(session, user_id, track_ids)


def _attempt(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    """All of it in a transaction of its own, which has ended when this returns or raises."""
    with session.begin():
        return _book(session, user_id, track_ids)


def _book(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    """Look and write. Nobody changes these tracks between the two, until the transaction ends."""
    locked = select(Track.id, Track.seats).where(Track.id.in_(track_ids))
    # Always in the same order: who locks in the order of the wish meets others half way.
    seats = dict(session.execute(locked.order_by(Track.id).with_for_update()).all())
    if missing := set(track_ids) - seats.keys():
        raise TrackNotFound(missing)
    theirs = select(Booking.track_id).where(Booking.user_id == user_id)
    wanted = sorted(seats.keys() - set(session.scalars(theirs)))
    if any(seats[track_id] == 0 for track_id in wanted):
        return False
    if wanted:
        session.execute(insert(Booking), [{"track_id": t, "user_id": user_id} for t in wanted])
        session.execute(update(Track).where(Track.id.in_(wanted)).values(seats=Track.seats - 1))
    return True

"""Seats in live tracks. Every way to a seat goes through these two functions.

They are called by many processes at once, most of all in the minute in which booking opens. The
caller hands over a session on which nothing has begun, and never commits.

The old version was right whenever somebody looked at it. What each function must do is in
README.md.
"""

from collections.abc import Sequence

from models import Booking, Track, TrackNotFound  # noqa: F401 - you will want most of them
from sqlalchemy.orm import Session


def book_seat(session: Session, user_id: int, track_id: int) -> bool:
    """Book a seat in a track for a user, and commit.

    Returns:
        Whether the user has a seat now.
    """
    raise NotImplementedError


def book_bundle(session: Session, user_id: int, track_ids: Sequence[int]) -> bool:
    """Book a seat in each of these tracks for a user, or in none of them, and commit.

    Returns:
        Whether the user has a seat in each of them now.
    """
    raise NotImplementedError

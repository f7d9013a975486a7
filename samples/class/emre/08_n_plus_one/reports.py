"""The four reports on the front page of the learning tracker.

They are right: we compared every number by hand when the school opened, with three tracks and five
people. Since then the page has become a little slower every week. README.md says what each report
must give, and how many statements it may send.
"""

from typing import Any

from models import Lesson, Track, User
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload


def catalog(session: Session) -> list[dict[str, Any]]:
    tracks = session.scalars(
        select(Track)
        .where(Track.is_published)
        .order_by(Track.id)
        .options(joinedload(Track.author), selectinload(Track.lessons))
    )
    return [
        {
            "title": track.title,
            "author": track.author.username,
            "lessons": [lesson.title for lesson in track.lessons],
        }
        for track in tracks
    ]


def track_totals(session: Session) -> list[dict[str, Any]]:
    """Return every track with its lessons, minutes, reviews and average stars counted up."""
    totals = []
    for track in session.scalars(select(Track).order_by(Track.id)):
        stars = [review.stars for review in track.reviews]
        totals.append(
            {
                "title": track.title,
                "lessons": len(track.lessons),
                "minutes": sum(lesson.minutes for lesson in track.lessons),
                "reviews": len(stars),
                "stars": sum(stars) / len(stars) if stars else None,
            }
        )
    return totals


def lesson_menu(session: Session, track_id: int) -> list[dict[str, Any]]:
    """Return title and minutes of a track's lessons, in their order."""
    lessons = session.scalars(
        select(Lesson).where(Lesson.track_id == track_id).order_by(Lesson.position)
    )
    return [{"title": lesson.title, "minutes": lesson.minutes} for lesson in lessons]


def badges(session: Session, user_ids: list[int]) -> list[str | None]:
    """Return the username for each id, in the order of the ids; None where nobody has it."""
    names: list[str | None] = []
    for user_id in user_ids:
        user = session.get(User, user_id)
        names.append(user.username if user else None)
    return names

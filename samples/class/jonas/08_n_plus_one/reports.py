"""jonas"""

from typing import Any

from models import Lesson, Review, Track, User
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, load_only, selectinload


def catalog(session: Session) -> list[dict[str, Any]]:
    tracks = session.scalars(
        select(Track)
        .where(Track.is_published)
        .order_by(Track.id)
        .options(joinedload(Track.author), selectinload(Track.lessons).load_only(Lesson.title))
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
    # Each collection is counted by itself, before it meets the other.
    lessons = (
        select(
            Lesson.track_id, func.count().label("number"), func.sum(Lesson.minutes).label("minutes")
        )
        .group_by(Lesson.track_id)
        .subquery()
    )
    reviews = (
        select(Review.track_id, func.count().label("number"), func.avg(Review.stars).label("stars"))
        .group_by(Review.track_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Track.title,
            func.coalesce(lessons.c.number, 0).label("lessons"),
            func.coalesce(lessons.c.minutes, 0).label("minutes"),
            func.coalesce(reviews.c.number, 0).label("reviews"),
            reviews.c.stars,
        )
        .outerjoin(lessons, lessons.c.track_id == Track.id)
        .outerjoin(reviews, reviews.c.track_id == Track.id)
        .order_by(Track.id)
    )
    return [dict(row) for row in rows.mappings()]


def lesson_menu(session: Session, track_id: int) -> list[dict[str, Any]]:
    lessons = session.scalars(
        select(Lesson)
        .where(Lesson.track_id == track_id)
        .order_by(Lesson.position)
        .options(load_only(Lesson.title, Lesson.minutes))
    )
    return [{"title": lesson.title, "minutes": lesson.minutes} for lesson in lessons]


def badges(session: Session, user_ids: list[int]) -> list[str | None]:
    """Return the username for each id, in the order of the ids; None where nobody has it."""
    names: list[str | None] = []
    for user_id in user_ids:
        user = session.get(User, user_id)
        names.append(user.username if user else None)
    return names

# misconception: joined-two-collections
# fails: test_totals_are_right_and_cheap, test_equal_values_count_each
"""The four reports, made fast."""

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
    rows = session.execute(
        select(Track.id, Track.title, Lesson.minutes, Review.stars)
        .outerjoin(Lesson, Lesson.track_id == Track.id)
        .outerjoin(Review, Review.track_id == Track.id)
        .order_by(Track.id)
    ).all()
    totals = {}
    for track_id, title, minutes, stars in rows:
        total = totals.setdefault(track_id, {"title": title, "lessons": [], "ratings": []})
        if minutes is not None:
            total["lessons"].append(minutes)
        if stars is not None:
            total["ratings"].append(stars)
    return [
        {
            "title": total["title"],
            "lessons": len(total["lessons"]),
            "minutes": sum(total["lessons"]),
            "reviews": len(total["ratings"]),
            "stars": sum(total["ratings"]) / len(total["ratings"]) if total["ratings"] else None,
        }
        for total in totals.values()
    ]


def lesson_menu(session: Session, track_id: int) -> list[dict[str, Any]]:
    lessons = session.scalars(
        select(Lesson)
        .where(Lesson.track_id == track_id)
        .order_by(Lesson.position)
        .options(load_only(Lesson.title, Lesson.minutes))
    )
    return [{"title": lesson.title, "minutes": lesson.minutes} for lesson in lessons]


def badges(session: Session, user_ids: list[int]) -> list[str | None]:
    rows = session.execute(select(User.id, User.username).where(User.id.in_(user_ids)))
    names = dict(rows.all())
    return [names.get(user_id) for user_id in user_ids]

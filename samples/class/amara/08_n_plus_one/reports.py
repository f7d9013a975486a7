"""Reports, with selectinload. Amara"""

from sqlalchemy import select
from sqlalchemy.orm import load_only, selectinload

from models import Lesson, Review, Track, User


def catalog(session):
    query = (
        select(Track)
        .where(Track.is_published)
        .options(
            selectinload(Track.author),
            selectinload(Track.lessons).load_only(Lesson.title, Lesson.position),
        )
        .order_by(Track.id)
    )
    return [
        {"title": t.title, "author": t.author.username, "lessons": [l.title for l in t.lessons]}
        for t in session.scalars(query)
    ]


def track_totals(session):
    query = (
        select(Track)
        .options(
            selectinload(Track.lessons).load_only(Lesson.minutes),
            selectinload(Track.reviews).load_only(Review.stars),
        )
        .order_by(Track.id)
    )
    rows = []
    for t in session.scalars(query):
        stars = [r.stars for r in t.reviews]
        rows.append(
            {
                "title": t.title,
                "lessons": len(t.lessons),
                "minutes": sum(l.minutes for l in t.lessons),
                "reviews": len(stars),
                "stars": sum(stars) / len(stars) if stars else None,
            }
        )
    return rows


def lesson_menu(session, track_id):
    query = (
        select(Lesson)
        .options(load_only(Lesson.title, Lesson.minutes))
        .where(Lesson.track_id == track_id)
        .order_by(Lesson.position)
    )
    return [{"title": l.title, "minutes": l.minutes} for l in session.scalars(query)]


def badges(session, user_ids):
    users = session.scalars(select(User).where(User.id.in_(user_ids)))
    name_of = {u.id: u.username for u in users}
    return [name_of.get(i) for i in user_ids]

"""ORM with other loaders: joined and subquery eager loading, deferred text, bundles."""

from models import Lesson, Track, User
from sqlalchemy import any_, select
from sqlalchemy.orm import (
    Bundle,
    aliased,
    contains_eager,
    defer,
    joinedload,
    raiseload,
    subqueryload,
)


def catalog(session):
    track, author = aliased(Track), aliased(User)
    query = (
        select(track)
        .join(author, track.author)
        .options(
            contains_eager(track.author.of_type(author)),
            joinedload(track.lessons).options(defer(Lesson.content, raiseload=True)),
            raiseload("*"),
        )
        .where(track.is_published)
        .order_by(track.id)
    )
    return [
        {
            "title": t.title,
            "author": t.author.username,
            "lessons": [item.title for item in t.lessons],
        }
        for t in session.scalars(query).unique()
    ]


def track_totals(session):
    query = (
        select(Track)
        .options(
            subqueryload(Track.lessons).options(defer(Lesson.content)),
            subqueryload(Track.reviews),
        )
        .order_by(Track.id)
    )
    totals = []
    for track in session.scalars(query):
        minutes = sum(lesson.minutes for lesson in track.lessons)
        stars = [review.stars for review in track.reviews]
        average = sum(stars) / len(stars) if stars else None
        totals.append(
            {
                "id": track.id,
                "title": track.title,
                "lessons": len(track.lessons),
                "minutes": minutes,
                "reviews": len(stars),
                "stars": average,
            }
        )
    return totals


def lesson_menu(session, track_id):
    entry = Bundle("entry", Lesson.title, Lesson.minutes)
    rows = session.execute(
        select(entry).where(Lesson.track_id == track_id).order_by(Lesson.position)
    )
    return [{"title": row.entry.title, "minutes": row.entry.minutes} for row in rows]


def badges(session, user_ids):
    # Fills the session with everybody asked for; get() then answers from there without a statement.
    kept = session.scalars(select(User).where(User.id == any_(list(user_ids)))).all()
    known = {user.id for user in kept}
    return [session.get(User, i).username if i in known else None for i in user_ids]

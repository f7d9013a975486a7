"""Imani Otieno, exercise 08"""

from collections import defaultdict
from statistics import fmean

from models import Lesson, Review, Track, User
from sqlalchemy import select

users, tracks = User.__table__, Track.__table__
lessons, reviews = Lesson.__table__, Review.__table__


def catalog(session):
    titles = defaultdict(list)
    for track_id, title in session.execute(
        select(lessons.c.track_id, lessons.c.title).order_by(lessons.c.track_id, lessons.c.position)
    ):
        titles[track_id].append(title)
    listed = session.execute(
        select(tracks.c.id, tracks.c.title, users.c.username)
        .join_from(tracks, users, tracks.c.author_id == users.c.id)
        .where(tracks.c.is_published.is_(True))
        .order_by(tracks.c.id)
    )
    return [{"title": t, "author": a, "lessons": titles[i]} for i, t, a in listed]


def track_totals(session):
    minutes, stars = defaultdict(list), defaultdict(list)
    for track_id, length in session.execute(select(lessons.c.track_id, lessons.c.minutes)):
        minutes[track_id].append(length)
    for track_id, given in session.execute(select(reviews.c.track_id, reviews.c.stars)):
        stars[track_id].append(given)
    return [
        {
            "title": title,
            "lessons": len(minutes[i]),
            "minutes": sum(minutes[i]),
            "reviews": len(stars[i]),
            "stars": round(fmean(stars[i]), 2) if stars[i] else None,
        }
        for i, title in session.execute(select(tracks.c.id, tracks.c.title).order_by(tracks.c.id))
    ]


def lesson_menu(session, track_id):
    query = select(lessons.c.title, lessons.c.minutes).filter_by(track_id=track_id)
    return session.execute(query.order_by(lessons.c.position)).mappings().all()


def badges(session, user_ids):
    if not user_ids:
        return []
    names = dict(session.execute(select(users.c.id, users.c.username)).all())
    return [names.get(user_id) for user_id in user_ids]

# Bilal. Core only, one trip each.
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from models import Lesson, Review, Track, User

user, track = User.__table__, Track.__table__
lesson, review = Lesson.__table__, Review.__table__


def catalog(session):
    titles = (
        select(func.json_agg(aggregate_order_by(lesson.c.title, lesson.c.position)))
        .where(lesson.c.track_id == track.c.id)
        .correlate(track)
        .scalar_subquery()
    )
    rows = session.execute(
        select(track.c.title, user.c.username.label("author"), titles.label("lessons"))
        .join_from(track, user)
        .where(track.c.is_published)
        .order_by(track.c.id)
    )
    return [{**row, "lessons": row["lessons"] or []} for row in rows.mappings()]


def track_totals(session):
    def count_up(table, *columns):
        return select(*columns).where(table.c.track_id == track.c.id).correlate(track).lateral()

    lessons = count_up(
        lesson,
        func.count().label("lessons"),
        func.coalesce(func.sum(lesson.c.minutes), 0).label("minutes"),
    )
    reviews = count_up(
        review, func.count().label("reviews"), func.avg(review.c.stars).label("stars")
    )
    return (
        session.execute(
            select(
                track.c.title, lessons.c.lessons, lessons.c.minutes, reviews.c.reviews, reviews.c.stars
            )
            .select_from(track)
            .join(lessons, onclause=track.c.id.is_not(None))
            .join(reviews, onclause=track.c.id.is_not(None))
            .order_by(track.c.id)
        )
        .mappings()
        .all()
    )


def lesson_menu(session, track_id):
    return session.execute(
        select(lesson.c.title, lesson.c.minutes)
        .where(lesson.c.track_id == track_id)
        .order_by(lesson.c.position)
    ).all()


def badges(session, user_ids):
    asked = func.unnest(list(user_ids)).table_valued("id", with_ordinality="place").render_derived()
    if not user_ids:
        return []
    query = (
        select(user.c.username)
        .select_from(asked)
        .join(user, user.c.id == asked.c.id, isouter=True)
        .order_by(asked.c.place)
    )
    return session.scalars(query).all()

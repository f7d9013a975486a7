"""Plain rows from the database; everything is added up in Python."""

from collections import namedtuple
from fractions import Fraction

from models import Enrollment, Lesson, LessonProgress, Track
from sqlalchemy import select

Progress = namedtuple("Progress", "track lessons completed minutes percent score")


def user_progress(session, user_id):
    tracks = session.scalars(
        select(Track)
        .where(Track.id.in_(select(Enrollment.track_id).where(Enrollment.user_id == user_id)))
        .order_by(Track.id)
    ).all()
    lessons = session.scalars(
        select(Lesson).where(Lesson.track_id.in_([track.id for track in tracks]))
    ).all()
    opened = {
        row.lesson_id: row
        for row in session.scalars(select(LessonProgress).filter_by(user_id=user_id))
    }
    return [_progress(t, [x for x in lessons if x.track_id == t.id], opened) for t in tracks]


def _progress(track, lessons, opened):
    mine = [(lesson, opened[lesson.id]) for lesson in lessons if lesson.id in opened]
    completed = [lesson for lesson, row in mine if row.is_completed]
    scores = [row.score for _, row in mine if row.score is not None]
    return Progress(
        track.title,
        len(lessons),
        len(completed),
        sum(lesson.minutes or 0 for lesson in completed),
        round(float(Fraction(100 * len(completed), len(lessons))), 2) if lessons else None,
        sum(scores) / len(scores) if scores else None,
    )

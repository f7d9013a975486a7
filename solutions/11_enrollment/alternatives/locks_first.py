"""Enrolling in tracks: everybody concerned is locked first, then there is time to look."""

from models import (
    AlreadyEnrolled,
    Enrollment,
    Lesson,
    LessonProgress,
    Track,
    TrackNotAvailable,
    User,
    UserNotFound,
)
from sqlalchemy import select


class Enrolling:
    """One enrollment, of one user or of several."""

    def __init__(self, session, track_id):
        self.session = session
        self.track_id = track_id
        self.lessons = []

    def __enter__(self):
        track = self.session.get(Track, self.track_id, with_for_update=True)
        if not (track and track.is_published):
            self.session.rollback()
            raise TrackNotAvailable(self.track_id)
        self.lessons = self.session.query(Lesson).filter_by(track_id=self.track_id).all()
        return self

    def __exit__(self, kind, error, traceback):
        if kind is None:
            try:
                self.session.commit()
            except BaseException:
                self.session.rollback()
                raise
        else:
            self.session.rollback()

    def add(self, user_ids):
        wanted = set(user_ids)
        there = select(User.id).where(User.id.in_(wanted)).order_by(User.id).with_for_update()
        if wanted - set(self.session.scalars(there)):
            raise UserNotFound(wanted)
        taken = select(Enrollment.id).where(
            Enrollment.track_id == self.track_id, Enrollment.user_id.in_(wanted)
        )
        if self.session.scalars(taken).first():
            raise AlreadyEnrolled(wanted)
        for user_id in user_ids:
            self.session.add(Enrollment(user_id=user_id, track_id=self.track_id))
            for lesson in self.lessons:
                self.session.merge(LessonProgress(user_id=user_id, lesson_id=lesson.id))


def enroll(session, user_id, track_id):
    with Enrolling(session, track_id) as enrolling:
        enrolling.add([user_id])
    return len(enrolling.lessons)


def enroll_team(session, user_ids, track_id):
    with Enrolling(session, track_id) as enrolling:
        enrolling.add(user_ids)
    return len(user_ids)

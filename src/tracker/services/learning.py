"""Enrolling in tracks and working through their lessons."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from tracker.db import unit_of_work
from tracker.errors import NotAvailable, NotEnrolled, NotFound
from tracker.models import LessonProgress, Track
from tracker.repositories import lessons, progress


@dataclass(frozen=True)
class Enrolled:
    """What an enrollment made."""

    track_id: UUID
    lesson_count: int


def enroll(session: Session, user_id: UUID, track_id: UUID) -> Enrolled:
    """Enroll a user in a track: a progress record for every published lesson, or none at all.

    Raises:
        NotFound: there is no such track.
        NotAvailable: the track, or every lesson of it, is a draft.
        AlreadyEnrolled: the user is in it already. Two calls at once cannot both succeed: the
            unique constraint decides, not a look beforehand.
        MissingReference: there is no such user.
    """
    with unit_of_work(session):
        # FOR SHARE: until this commits, nobody can withdraw or delete the track.
        is_published = session.scalar(
            select(Track.is_published).where(Track.id == track_id).with_for_update(read=True)
        )
        if is_published is None:
            raise NotFound("track", track_id)
        if not is_published:
            raise NotAvailable("This track is not published yet, so nobody can enroll in it.")
        published = lessons.of_track(session, track_id, is_published=True)
        if not published:
            raise NotAvailable("This track has no published lessons yet.")
        progress.start(session, user_id, [lesson.id for lesson in published])
        return Enrolled(track_id, len(published))


def complete_lesson(
    session: Session,
    user_id: UUID,
    lesson_id: UUID,
    *,
    minutes: int = 0,
    score: Decimal | None = None,
) -> LessonProgress:
    """Record that a user finished a lesson. Doing it again adds minutes and keeps the best score.

    Arguments:
        minutes: time spent since the last call.
        score: percent, or None where nothing was assessed.

    Raises:
        NotEnrolled: the user has not enrolled in the lesson's track.
        InvalidData: the score is not between 0 and 100.
    """
    with unit_of_work(session):
        record = progress.complete(session, user_id, lesson_id, minutes=minutes, score=score)
        if record is None:
            raise NotEnrolled("The user is not enrolled in the track of this lesson. Enroll first.")
        return record

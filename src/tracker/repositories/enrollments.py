"""Enrollments, and the progress by track that belongs to each."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session, joinedload

from tracker.errors import domain_errors
from tracker.models import Enrollment, EnrollmentStatus, Lesson, LessonProgress, TrackProgress


def create(session: Session, user_id: UUID, track_id: UUID, *, total_lessons: int) -> Enrollment:
    """Add an enrollment, and the record of its progress.

    Raises:
        AlreadyEnrolled: the user has an enrollment in this track, in whatever status.
        MissingReference: there is no such user or track.
    """
    enrollment = Enrollment(user_id=user_id, track_id=track_id)
    enrollment.progress = TrackProgress(total_lessons=total_lessons)
    session.add(enrollment)
    with domain_errors():
        session.flush()
    return enrollment


def get(session: Session, user_id: UUID, track_id: UUID) -> Enrollment | None:
    """Return the user's enrollment in a track with its progress, or None."""
    return session.scalar(
        select(Enrollment)
        .where(Enrollment.user_id == user_id, Enrollment.track_id == track_id)
        .options(joinedload(Enrollment.progress))
        .execution_options(populate_existing=True)
    )


def of_user(
    session: Session, user_id: UUID, *, status: EnrollmentStatus | None = None
) -> Sequence[Enrollment]:
    """Return a user's enrollments with track and progress, in one statement; last used first.

    Arguments:
        status: only those in this status.
    """
    statement = (
        select(Enrollment)
        .outerjoin(Enrollment.progress)
        .where(Enrollment.user_id == user_id)
        .options(joinedload(Enrollment.track), joinedload(Enrollment.progress))
        .order_by(TrackProgress.last_accessed_at.desc(), Enrollment.id)
    )
    if status is not None:
        statement = statement.where(Enrollment.status == status)
    return session.scalars(statement).all()


def lock_for_lesson(session: Session, user_id: UUID, lesson_id: UUID) -> Enrollment | None:
    """Return the user's enrollment in the track of a lesson, or None, and lock its row.

    Until the transaction ends, no other one can work on the same enrollment, so what is computed
    from several rows of progress stays true until it is written.
    """
    return session.scalar(
        select(Enrollment)
        .join(Lesson, Lesson.track_id == Enrollment.track_id)
        .where(Enrollment.user_id == user_id, Lesson.id == lesson_id)
        .with_for_update(of=Enrollment, key_share=True)
        .execution_options(populate_existing=True)
    )


def seats_taken(session: Session, track_id: UUID) -> int:
    """Count the active enrollments of a track."""
    return (
        session.scalar(
            select(func.count()).where(
                Enrollment.track_id == track_id, Enrollment.status == EnrollmentStatus.ACTIVE
            )
        )
        or 0
    )


def roll_up(session: Session, user_id: UUID, track_id: UUID) -> TrackProgress:
    """Count the completed lessons of a user in a track again, in one statement.

    Counting anew costs a little more than adding one, and cannot drift.
    """
    published = (Lesson.track_id == track_id, Lesson.is_published)
    total = select(func.count()).where(*published).scalar_subquery()
    completed = (
        select(func.count())
        .select_from(LessonProgress)
        .join(LessonProgress.lesson)
        .where(LessonProgress.user_id == user_id, LessonProgress.completed, *published)
        .scalar_subquery()
    )
    # clock_timestamp(), since now() is when the transaction began, maybe before the enrollment.
    finished = case((completed == total, func.clock_timestamp()))
    return session.execute(
        update(TrackProgress)
        .where(TrackProgress.user_id == user_id, TrackProgress.track_id == track_id)
        .values(
            total_lessons=total,
            completed_lessons=completed,
            last_accessed_at=func.clock_timestamp(),
            completed_at=func.coalesce(TrackProgress.completed_at, finished),
        )
        .returning(TrackProgress)
        .execution_options(populate_existing=True)
    ).scalar_one()


def expire(session: Session) -> int:
    """Mark the active enrollments whose time is over, and return how many there were."""
    over = (Enrollment.status == EnrollmentStatus.ACTIVE, Enrollment.expires_at < func.now())
    expired = session.scalars(
        update(Enrollment)
        .where(*over)
        .values(status=EnrollmentStatus.EXPIRED)
        .returning(Enrollment.id)
    )
    return len(expired.all())

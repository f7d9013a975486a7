"""Progress of users in lessons."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, insert, select, true, update
from sqlalchemy.orm import Session, joinedload

from tracker.errors import domain_errors
from tracker.models import Lesson, LessonProgress


def start(session: Session, user_id: UUID, lesson_ids: Sequence[UUID]) -> None:
    """Open a progress record for each lesson, in one statement whatever their number.

    Raises:
        AlreadyEnrolled: the user has a record for one of them.
        MissingReference: there is no such user, or no such lesson.
    """
    if not lesson_ids:
        return
    with domain_errors():
        session.execute(
            insert(LessonProgress),
            [{"user_id": user_id, "lesson_id": lesson_id} for lesson_id in lesson_ids],
        )


def get(session: Session, user_id: UUID, lesson_id: UUID) -> LessonProgress | None:
    """Return the user's record for a lesson, or None."""
    return session.scalar(
        select(LessonProgress).where(
            LessonProgress.user_id == user_id, LessonProgress.lesson_id == lesson_id
        )
    )


def of_user(
    session: Session, user_id: UUID, *, track_id: UUID | None = None
) -> Sequence[LessonProgress]:
    """Return a user's records with lesson and track, in one statement.

    Arguments:
        track_id: only those of this track, which then stand in the order of its lessons.
    """
    statement = (
        select(LessonProgress)
        .join(LessonProgress.lesson)
        .where(LessonProgress.user_id == user_id)
        .options(joinedload(LessonProgress.lesson).joinedload(Lesson.track))
        .order_by(Lesson.track_id, Lesson.position)
    )
    if track_id is not None:
        statement = statement.where(Lesson.track_id == track_id)
    return session.scalars(statement).all()


def complete(
    session: Session,
    user_id: UUID,
    lesson_id: UUID,
    *,
    minutes: int = 0,
    score: Decimal | None = None,
) -> LessonProgress | None:
    """Mark a lesson as completed, in one statement, so that two calls at once lose nothing.

    The first completion sets the date and later ones leave it; minutes add up; the best score
    stays.

    Arguments:
        minutes: time spent since the last call.
        score: percent, or None where nothing was assessed.

    Returns:
        The record, or None if the user has none for this lesson.

    Raises:
        InvalidData: the score is not between 0 and 100, or the minutes are negative in all.
    """
    with domain_errors():
        return session.scalar(
            update(LessonProgress)
            .where(LessonProgress.user_id == user_id, LessonProgress.lesson_id == lesson_id)
            .values(
                completed=true(),
                completed_at=func.coalesce(LessonProgress.completed_at, func.now()),
                time_spent_minutes=LessonProgress.time_spent_minutes + minutes,
                score=func.greatest(LessonProgress.score, score),  # ignores NULLs
            )
            .returning(LessonProgress)
            .execution_options(populate_existing=True)
        )

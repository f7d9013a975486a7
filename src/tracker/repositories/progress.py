"""Progress of users in lessons."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
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
    at: datetime | None = None,
) -> LessonProgress:
    """Mark a lesson as completed, in one statement, so that two calls at once lose nothing.

    The first completion sets the date and later ones leave it; minutes add up; the best score
    stays. Where there is no record yet, one is made.

    Arguments:
        minutes: time spent since the last call.
        score: percent, or None where nothing was assessed.
        at: when that was, where it is told later; now if not given.

    Raises:
        InvalidData: the score is not between 0 and 100, or the minutes are negative in all.
        MissingReference: there is no such user or lesson.
    """
    moment = at or func.clock_timestamp()
    new = insert(LessonProgress).values(
        user_id=user_id,
        lesson_id=lesson_id,
        completed=True,
        completed_at=moment,
        time_spent_minutes=minutes,
        score=score,
        last_accessed_at=moment,
    )
    statement = new.on_conflict_do_update(
        index_elements=["user_id", "lesson_id"],
        set_={
            "completed": True,
            "completed_at": func.coalesce(LessonProgress.completed_at, moment),
            "time_spent_minutes": LessonProgress.time_spent_minutes + minutes,
            "score": func.greatest(LessonProgress.score, score),  # ignores NULLs
            "last_accessed_at": func.greatest(LessonProgress.last_accessed_at, moment),
        },
    ).returning(LessonProgress)
    with domain_errors():
        return session.scalars(statement, execution_options={"populate_existing": True}).one()


def visit(
    session: Session,
    user_id: UUID,
    lesson_id: UUID,
    *,
    score: Decimal | None = None,
    at: datetime | None = None,
) -> LessonProgress:
    """Note that a user was at a lesson and did not finish it, in one statement.

    The best score stays, and so does a completion. Where there is no record yet, one is made.

    Arguments:
        score: percent, or None where nothing was assessed.
        at: when that was, where it is told later; now if not given.

    Raises:
        InvalidData: the score is not between 0 and 100.
        MissingReference: there is no such user or lesson.
    """
    moment = at or func.clock_timestamp()
    new = insert(LessonProgress).values(
        user_id=user_id, lesson_id=lesson_id, score=score, last_accessed_at=moment
    )
    statement = new.on_conflict_do_update(
        index_elements=["user_id", "lesson_id"],
        set_={
            "score": func.greatest(LessonProgress.score, score),  # ignores NULLs
            "last_accessed_at": func.greatest(LessonProgress.last_accessed_at, moment),
        },
    ).returning(LessonProgress)
    with domain_errors():
        return session.scalars(statement, execution_options={"populate_existing": True}).one()

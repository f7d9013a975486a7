"""Taking quizzes."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tracker.db import unit_of_work
from tracker.errors import NoAttemptsLeft, NotAvailable, NotEnrolled, NotFound
from tracker.models import (
    Enrollment,
    EnrollmentStatus,
    Question,
    QuestionKind,
    Quiz,
    QuizAttempt,
)
from tracker.repositories import quizzes


def start_attempt(session: Session, user_id: UUID, quiz_id: UUID) -> QuizAttempt:
    """Begin an attempt at a quiz, or go on with the one that is open.

    Raises:
        NotFound: there is no such quiz.
        NotEnrolled: the user is not enrolled in the quiz's track.
        NoAttemptsLeft: the user has used all of them.
    """
    with unit_of_work(session):
        quiz = quizzes.get(session, quiz_id)
        _lock_enrollment(session, user_id, quiz)
        attempts = quizzes.attempts_of(session, user_id, quiz_id)
        if attempts and attempts[-1].completed_at is None:
            return attempts[-1]
        if len(attempts) >= quiz.max_attempts:
            raise NoAttemptsLeft(f"All {quiz.max_attempts} attempts at this quiz are used.")
        attempt = QuizAttempt(quiz_id=quiz_id, user_id=user_id, number=len(attempts) + 1)
        session.add(attempt)
        session.flush()
        session.refresh(attempt)
        return attempt


def submit_attempt(session: Session, attempt_id: UUID, answers: Mapping[UUID, str]) -> QuizAttempt:
    """Hand an attempt in, and grade it.

    After the time limit nothing counts any more: the attempt ends with a score of 0.

    Arguments:
        answers: by identifier of the question. Case and surrounding spaces do not matter.

    Raises:
        NotFound: there is no such attempt.
        NotAvailable: it was handed in before.
    """
    with unit_of_work(session):
        attempt = session.scalar(
            select(QuizAttempt).where(QuizAttempt.id == attempt_id).with_for_update()
        )
        if attempt is None:
            raise NotFound("quiz attempt", attempt_id)
        if attempt.completed_at is not None:
            raise NotAvailable("This attempt was handed in before. Start another one.")
        moment = session.scalars(select(func.clock_timestamp())).one()
        limit = attempt.quiz.time_limit_minutes
        in_time = limit is None or moment - attempt.started_at <= timedelta(minutes=limit)
        questions = quizzes.questions_with_answers(session, attempt.quiz_id)
        attempt.answers = {str(question): answer for question, answer in answers.items()}
        attempt.score = score_of(questions, answers) if in_time else Decimal(0)
        attempt.passed = attempt.score >= attempt.quiz.passing_score
        attempt.completed_at = moment
        return attempt


def score_of(questions: Sequence[Question], answers: Mapping[UUID, str]) -> Decimal:
    """Return the percentage of points that the answers earn, to two decimals.

    An essay needs a reader, so it counts neither for nor against; a quiz of nothing else gives 0.
    """
    graded = [question for question in questions if question.kind is not QuestionKind.ESSAY]
    total = sum(question.points for question in graded)
    earned = sum(
        question.points
        for question in graded
        if _same(answers.get(question.id, ""), question.correct_answer or "")
    )
    if not total:
        return Decimal(0)
    return (Decimal(100 * earned) / total).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _same(given: str, correct: str) -> bool:
    return given.strip().casefold() == correct.strip().casefold()


def _lock_enrollment(session: Session, user_id: UUID, quiz: Quiz) -> None:
    """Make sure that the user is enrolled, and let one attempt of theirs start at a time."""
    status = session.scalar(
        select(Enrollment.status)
        .where(Enrollment.user_id == user_id, Enrollment.track_id == quiz.track_id)
        .with_for_update(key_share=True)
    )
    if status not in (EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED):
        raise NotEnrolled("The user is not enrolled in the track of this quiz.")

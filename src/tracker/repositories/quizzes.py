"""Quizzes, their questions, and attempts at them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload, undefer

from tracker.errors import NotFound, domain_errors
from tracker.models import Question, QuestionKind, Quiz, QuizAttempt


def create(
    session: Session,
    *,
    track_id: UUID,
    title: str,
    module_id: UUID | None = None,
    passing_score: int = 70,
    max_attempts: int = 3,
    time_limit_minutes: int | None = None,
) -> Quiz:
    """Add a quiz without questions.

    Arguments:
        passing_score: percent.

    Raises:
        MissingReference: there is no such track or module.
        InvalidData: a value breaks a rule.
    """
    quiz = Quiz(
        track_id=track_id,
        title=title,
        module_id=module_id,
        passing_score=passing_score,
        max_attempts=max_attempts,
        time_limit_minutes=time_limit_minutes,
    )
    session.add(quiz)
    with domain_errors():
        session.flush()
    return quiz


def add_question(
    session: Session,
    quiz_id: UUID,
    kind: QuestionKind,
    prompt: str,
    *,
    options: list[str] | None = None,
    correct_answer: str | None = None,
    points: int = 1,
) -> Question:
    """Add a question at the end of a quiz.

    Raises:
        MissingReference: there is no such quiz.
        InvalidData: a multiple choice has no options, or a question other than an essay no answer.
    """
    last = session.scalar(select(func.max(Question.position)).where(Question.quiz_id == quiz_id))
    question = Question(
        quiz_id=quiz_id,
        kind=kind,
        prompt=prompt,
        options=options,
        correct_answer=correct_answer,
        points=points,
        position=(last or 0) + 1,
    )
    session.add(question)
    with domain_errors():
        session.flush()
    return question


def get(session: Session, quiz_id: UUID) -> Quiz:
    """Return a quiz with its questions in order, without their answers.

    Raises:
        NotFound: there is none with this identifier.
    """
    quiz = session.scalar(
        select(Quiz).where(Quiz.id == quiz_id).options(selectinload(Quiz.questions))
    )
    if quiz is None:
        raise NotFound("quiz", quiz_id)
    return quiz


def questions_with_answers(session: Session, quiz_id: UUID) -> Sequence[Question]:
    """Return the questions of a quiz with their correct answers, to grade an attempt by."""
    return session.scalars(
        select(Question)
        .where(Question.quiz_id == quiz_id)
        .options(undefer(Question.correct_answer))
        .order_by(Question.position)
        .execution_options(populate_existing=True)
    ).all()


def attempts_of(session: Session, user_id: UUID, quiz_id: UUID) -> Sequence[QuizAttempt]:
    """Return the attempts of a user at a quiz, in order."""
    return session.scalars(
        select(QuizAttempt)
        .where(QuizAttempt.quiz_id == quiz_id, QuizAttempt.user_id == user_id)
        .order_by(QuizAttempt.number)
    ).all()

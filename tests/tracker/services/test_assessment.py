from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session, sessionmaker

from tracker.errors import InvalidData, NoAttemptsLeft, NotAvailable, NotEnrolled, NotFound
from tracker.models import QuestionKind, Track, User
from tracker.repositories import quizzes
from tracker.seeding import seed
from tracker.services import assessment, learning


@dataclass
class Exam:
    user_id: UUID
    quiz_id: UUID
    choice: UUID
    truth: UUID
    essay: UUID


@pytest.fixture
def exam(
    session: Session, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> Exam:
    track, user = make_track(lessons=1), make_user()
    learning.enroll(session, user.id, track.id)
    quiz = quizzes.create(session, track_id=track.id, title="Final", max_attempts=2)
    choice = quizzes.add_question(
        session,
        quiz.id,
        QuestionKind.MULTIPLE_CHOICE,
        "Which?",
        options=["A", "B"],
        correct_answer="A",
        points=2,
    )
    truth = quizzes.add_question(
        session, quiz.id, QuestionKind.TRUE_FALSE, "Is it?", correct_answer="true"
    )
    essay = quizzes.add_question(session, quiz.id, QuestionKind.ESSAY, "Why?", points=7)
    session.commit()
    return Exam(user.id, quiz.id, choice.id, truth.id, essay.id)


def test_an_attempt_is_graded_by_points_and_an_essay_counts_for_nothing(
    session: Session, exam: Exam
) -> None:
    first = assessment.start_attempt(session, exam.user_id, exam.quiz_id)
    done = assessment.submit_attempt(
        session, first.id, {exam.choice: " a ", exam.truth: "false", exam.essay: "Because."}
    )
    assert (done.number, done.score, done.passed) == (1, Decimal("66.67"), False)
    second = assessment.start_attempt(session, exam.user_id, exam.quiz_id)
    done = assessment.submit_attempt(session, second.id, {exam.choice: "A", exam.truth: "TRUE"})
    assert (done.number, done.score, done.passed) == (2, Decimal(100), True)
    assert done.answers[str(exam.choice)] == "A"


def test_the_attempts_are_limited(session: Session, exam: Exam) -> None:
    for _ in range(2):
        attempt = assessment.start_attempt(session, exam.user_id, exam.quiz_id)
        assessment.submit_attempt(session, attempt.id, {})
    with pytest.raises(NoAttemptsLeft, match="All 2 attempts"):
        assessment.start_attempt(session, exam.user_id, exam.quiz_id)


def test_an_open_attempt_is_gone_on_with(session: Session, exam: Exam) -> None:
    first = assessment.start_attempt(session, exam.user_id, exam.quiz_id)
    assert assessment.start_attempt(session, exam.user_id, exam.quiz_id).id == first.id


def test_an_attempt_is_handed_in_once(session: Session, exam: Exam) -> None:
    attempt = assessment.start_attempt(session, exam.user_id, exam.quiz_id)
    assessment.submit_attempt(session, attempt.id, {exam.truth: "true"})
    with pytest.raises(NotAvailable):
        assessment.submit_attempt(session, attempt.id, {exam.choice: "A", exam.truth: "true"})
    assert quizzes.attempts_of(session, exam.user_id, exam.quiz_id)[0].score == Decimal("33.33")


def test_after_the_time_limit_nothing_counts(session: Session, exam: Exam) -> None:
    session.execute(text("UPDATE quizzes SET time_limit_minutes = 10"))
    attempt = assessment.start_attempt(session, exam.user_id, exam.quiz_id)
    session.execute(text("UPDATE quiz_attempts SET started_at = now() - interval '11 minutes'"))
    session.expire_all()
    done = assessment.submit_attempt(session, attempt.id, {exam.choice: "A", exam.truth: "true"})
    assert (done.score, done.passed) == (Decimal(0), False)


def test_a_quiz_is_for_those_who_are_enrolled(
    session: Session, exam: Exam, make_user: Callable[..., User], stranger: UUID
) -> None:
    outsider = make_user().id
    session.commit()
    with pytest.raises(NotEnrolled):
        assessment.start_attempt(session, outsider, exam.quiz_id)
    with pytest.raises(NotFound):
        assessment.start_attempt(session, exam.user_id, stranger)
    with pytest.raises(NotFound):
        assessment.submit_attempt(session, stranger, {})


def test_what_a_learner_gets_does_not_hold_the_answers(session: Session, exam: Exam) -> None:
    session.expunge_all()
    for question in quizzes.get(session, exam.quiz_id).questions:
        assert "correct_answer" in inspect(question).unloaded


def test_a_question_that_cannot_be_graded_is_refused(session: Session, exam: Exam) -> None:
    for kind, options, answer in (
        (QuestionKind.MULTIPLE_CHOICE, None, "A"),
        (QuestionKind.TRUE_FALSE, None, None),
        (QuestionKind.ESSAY, None, "an answer"),
    ):
        with pytest.raises(InvalidData), session.begin_nested():
            quizzes.add_question(
                session, exam.quiz_id, kind, "?", options=options, correct_answer=answer
            )


def test_of_many_clients_who_start_at_once_all_get_the_same_attempt(
    sessions: sessionmaker[Session],
) -> None:
    with sessions() as session:
        seed(session)
        user_id, track_id = session.execute(
            text("SELECT user_id, track_id FROM enrollments LIMIT 1")
        ).one()
        quiz_id = quizzes.create(session, track_id=track_id, title="Final").id
        session.commit()

    def start(_: int) -> UUID:
        with sessions() as session:
            return assessment.start_attempt(session, user_id, quiz_id).id

    with ThreadPoolExecutor(10) as pool:
        assert len(set(pool.map(start, range(10)))) == 1

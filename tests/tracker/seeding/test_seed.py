from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from pglab.scratch import Database, Scratch
from tracker.db import connected
from tracker.errors import SeedingError
from tracker.maintenance import integrity
from tracker.models import QuizAttempt, User
from tracker.passwords import verify_password
from tracker.repositories import quizzes, users
from tracker.seeding import DEMO_PASSWORD, checksum, seed
from tracker.services import accounts
from tracker.services.assessment import score_of


def test_the_same_number_gives_the_same_rows_in_any_database(
    scratch: Scratch, template: str, database: Database
) -> None:
    other = scratch.clone(template)
    sums = []
    for url in (database.url, other.url):
        with connected(url) as sessions, sessions() as session:
            seed(session, number=7)
            sums.append(checksum(session))
    other.drop()
    assert sums[0] == sums[1]


def test_another_number_gives_other_rows(sessions: sessionmaker[Session], session: Session) -> None:
    with sessions() as first:
        seed(first, number=1)
        assert checksum(first) != checksum(session)
        seed(session, number=2)
        assert checksum(first) != checksum(session)


def test_a_second_run_changes_nothing(session: Session) -> None:
    assert seed(session).inserted["users"] > 20
    before = checksum(session)
    assert set(seed(session).inserted.values()) == {0}
    assert checksum(session) == before


def test_a_second_run_keeps_what_somebody_has_edited_and_brings_back_what_is_missing(
    session: Session,
) -> None:
    seed(session)
    session.execute(
        text("UPDATE users SET bio = 'Edited', email = 'new@example.com' WHERE username = 'bob'")
    )
    session.execute(text("DELETE FROM lessons WHERE title = 'Joins'"))
    assert seed(session).inserted["lessons"] == 1
    assert session.scalar(text("SELECT bio FROM users WHERE username = 'bob'")) == "Edited"


def test_the_checksum_notices_any_change(session: Session) -> None:
    seed(session)
    before = checksum(session)
    session.execute(text("UPDATE lessons SET content = content || '.' WHERE title = 'Joins'"))
    assert checksum(session) != before


def test_every_demo_user_can_sign_in_with_the_demo_password_and_one_hash_serves_all(
    session: Session,
) -> None:
    seed(session)
    hashes = set(session.scalars(text("SELECT password_hash FROM users")))
    assert len(hashes) == 1
    assert verify_password(hashes.pop(), DEMO_PASSWORD)
    assert accounts.authenticate(session, "alice", DEMO_PASSWORD)


def test_the_demo_data_has_something_of_everything(session: Session) -> None:
    seed(session)
    for table, condition in (
        ("users", "role = 'admin'"),
        ("users", "role = 'instructor'"),
        ("users", "NOT is_active"),
        ("users", "last_name LIKE '%\\%%'"),
        ("tracks", "NOT is_published"),
        ("lesson_progress", "completed AND score IS NOT NULL"),
        ("lesson_progress", "NOT completed"),
        ("users", "organization_id IS NOT NULL AND role = 'student'"),
        ("tracks", "organization_id IS NOT NULL"),
        ("sections", "kind = 'activity'"),
        ("section_progress", "completed"),
        ("quizzes", "module_id IS NOT NULL"),
        ("questions", "kind = 'multiple_choice'"),
        ("questions", "kind = 'true_false'"),
        ("questions", "kind = 'essay'"),
        ("quiz_attempts", "passed"),
        ("quiz_attempts", "NOT passed AND number = 1"),
    ):
        assert session.scalar(text(f"SELECT count(*) FROM {table} WHERE {condition}")), condition


def test_every_lesson_is_in_a_module_and_has_sections(session: Session) -> None:
    seed(session)
    for condition in (
        "module_id IS NULL",
        "NOT EXISTS (SELECT FROM sections s WHERE s.lesson_id = lessons.id)",
    ):
        assert not session.scalar(text(f"SELECT count(*) FROM lessons WHERE {condition}"))


def test_attempts_at_quizzes_are_graded_as_those_of_real_learners(session: Session) -> None:
    seed(session)
    attempts = session.scalars(select(QuizAttempt)).all()
    assert len({attempt.score for attempt in attempts}) > 3
    for attempt in attempts:
        questions = quizzes.questions_with_answers(session, attempt.quiz_id)
        answers = {UUID(question): answer for question, answer in attempt.answers.items()}
        assert attempt.score == score_of(questions, answers)
        assert attempt.passed == (attempt.score >= attempt.quiz.passing_score)


def test_a_class_is_the_small_data_with_more_learners(session: Session) -> None:
    small = seed(session).inserted
    more = seed(session, size="class").inserted
    assert more["users"] == 280
    assert {more[table] for table in ("organizations", "tracks", "lessons", "questions")} == {0}
    for table in ("enrollments", "lesson_progress", "quiz_attempts", "payments"):
        assert more[table] > 5 * small[table] > 0
    assert integrity.disagreements(session) == []
    assert set(seed(session, size="class").inserted.values()) == {0}


def test_the_views_show_what_was_seeded(session: Session) -> None:
    inserted = seed(session).inserted
    enrollments = session.scalar(text("SELECT sum(enrollments) FROM track_completion"))
    assert enrollments == inserted["enrollments"]


def test_a_demo_name_that_belongs_to_somebody_else_stops_the_seeding_before_it_changes_anything(
    session: Session,
) -> None:
    session.add(User(email="me@example.com", username="bob", password_hash="…"))
    session.commit()
    with pytest.raises(SeedingError, match="bob"):
        seed(session)
    assert users.find(session).total == 1


def test_data_that_is_not_right_is_named_and_nothing_is_kept(session: Session) -> None:
    session.add(User(email="me@example.com", username="me", password_hash="plain text"))
    session.commit()
    with pytest.raises(SeedingError, match="argon2id"):
        seed(session)
    assert users.find(session).total == 1


def test_an_unknown_size_is_refused_with_the_sizes_that_there_are(session: Session) -> None:
    with pytest.raises(SeedingError, match="small"):
        seed(session, size="enormous")

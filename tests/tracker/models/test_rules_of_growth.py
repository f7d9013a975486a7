"""The rules of the tables that came later, tried with SQL that no model has seen."""

from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from tracker.analytics import views
from tracker.models import Base
from tracker.seeding import seed

HASH = "sha256('x')"

# A row of each table that the demo data leaves empty, and an attempt that is open, hung on whatever
# the demo data has.
ROWS = [
    f"""INSERT INTO login_sessions (user_id, token_hash, expires_at)
        SELECT id, {HASH}, now() + interval '1 day' FROM users WHERE username = 'bob'""",
    f"""INSERT INTO verification_tokens (user_id, purpose, token_hash, expires_at)
        SELECT id, 'sign_in', {HASH}, now() + interval '1 day' FROM users WHERE username = 'bob'""",
    """INSERT INTO oauth_accounts (user_id, provider, provider_account_id)
       SELECT id, 'github', '1' FROM users WHERE username = 'bob'""",
    "INSERT INTO media (kind, url, lesson_id) SELECT 'video', '…', id FROM lessons LIMIT 1",
    """INSERT INTO ai_interactions (user_id, kind, query, response)
       SELECT id, 'hint', '?', '!' FROM users WHERE username = 'bob'""",
    """INSERT INTO quiz_attempts (quiz_id, user_id, number)
       SELECT q.id, u.id, 9 FROM quizzes q, users u WHERE u.username = 'bob' LIMIT 1""",
    "INSERT INTO track_analytics (track_id) SELECT id FROM tracks",
    f"""INSERT INTO exercise_attempts
          (source, earned, points, work_sha256, seed, kit_version, user_id, lesson_id)
        SELECT 'check', 1, 2, encode({HASH}, 'hex'), 1, '1.0', u.id, l.id
          FROM users u, lessons l WHERE u.username = 'bob' LIMIT 1""",
    """INSERT INTO check_results
         (attempt_id, name, title, position, points, earned, outcome, misconception)
       SELECT a.id, c.* FROM exercise_attempts a, (VALUES
         ('first', 'It works', 1, 1, 1, 'passed'::check_outcome, NULL),
         ('second', 'Twice, too', 2, 1, 0, 'failed', 'off-by-one')) c""",
    """INSERT INTO hints_taken (misconception, rung, user_id, lesson_id)
       SELECT 'off-by-one', 1, u.id, l.id FROM users u, lessons l
        WHERE u.username = 'bob' LIMIT 1""",
    """INSERT INTO predictions (question, kind, answer, confidence, is_correct, user_id, lesson_id)
       SELECT 'rows', 'number', '-1.5e3', 80, false, u.id, l.id
         FROM users u, lessons l WHERE u.username = 'bob' LIMIT 1""",
    """INSERT INTO track_prerequisites (track_id, prerequisite_id)
       SELECT a.id, b.id FROM tracks a, tracks b WHERE a.id < b.id LIMIT 1""",
]

REFUSED = [
    ("exercise_attempts", "earned = 2.01", "earned_in_range"),
    ("exercise_attempts", "earned = -1", "earned_in_range"),
    ("exercise_attempts", "work_sha256 = upper(work_sha256)", "work_sha256_is_hexadecimal"),
    ("exercise_attempts", "kit_version = ''", "kit_version_not_empty"),
    ("check_results", "name = '' WHERE position = 1", "name_not_empty"),
    ("check_results", "position = position - 1", "position_positive"),
    ("check_results", "earned = 1.5", "earned_in_range"),
    ("check_results", "misconception = 'off-by-one'", "only_failed_has_misconception"),
    ("hints_taken", "misconception = ''", "misconception_not_empty"),
    ("hints_taken", "rung = 0", "rung_positive"),
    ("predictions", "question = ''", "question_not_empty"),
    ("predictions", "confidence = 101", "confidence_is_percent"),
    ("predictions", "confidence = -1", "confidence_is_percent"),
    ("predictions", "answer = 'many'", "number_is_a_number"),
    ("predictions", "answer = ''", "number_is_a_number"),
    ("predictions", "answer = '1,5'", "number_is_a_number"),
    ("organizations", "name = ''", "name_not_empty"),
    ("organizations", "slug = 'With Spaces'", "slug_is_url_part"),
    ("organizations", "domain = 'Example.com'", "domain_lower_case"),
    ("users", "retain_until = created_at", "retain_until_after_created_at"),
    ("tracks", "slug = '-'", "slug_is_url_part"),
    ("tracks", "price_cents = -1", "price_cents_not_negative"),
    ("tracks", "currency = 'usd'", "currency_is_iso_4217"),
    ("tracks", "capacity = 0", "capacity_positive"),
    ("tracks", "is_published = true, published_at = NULL", "published_has_date"),
    ("track_prerequisites", "prerequisite_id = track_id", "not_its_own_prerequisite"),
    ("login_sessions", "token_hash = 'short'", "token_hash_is_sha256"),
    ("login_sessions", "expires_at = created_at", "expires_at_after_created_at"),
    ("verification_tokens", "token_hash = 'short'", "token_hash_is_sha256"),
    ("verification_tokens", "expires_at = created_at", "expires_at_after_created_at"),
    ("modules", "title = ''", "title_not_empty"),
    ("modules", "duration_minutes = 0", "duration_minutes_positive"),
    ("modules", "position = 0", "position_positive"),
    ("sections", "title = ''", "title_not_empty"),
    ("sections", "position = 0", "position_positive"),
    ("media", "duration_seconds = 0", "duration_seconds_positive"),
    ("media", "size_bytes = -1", "size_bytes_not_negative"),
    ("enrollments", "completed_at = NULL, status = 'completed'", "completed_has_date"),
    ("enrollments", "enrolled_at = completed_at + interval '1 s'", "completed_after_enrolled"),
    ("enrollments", "expires_at = enrolled_at", "expires_after_enrolled"),
    ("track_progress", "completed_lessons = total_lessons + 1", "completed_lessons_in_range"),
    ("track_progress", "completed_lessons = -1", "completed_lessons_in_range"),
    ("track_progress", "last_accessed_at = started_at - interval '1 s'", "last_accessed_after"),
    ("track_progress", "completed_at = started_at - interval '1 s'", "completed_after_started"),
    ("section_progress", "completed = NOT completed", "completed_has_date"),
    ("section_progress", "time_spent_seconds = -1", "time_spent_seconds_not_negative"),
    ("section_progress", "score = 101", "score_is_percent"),
    ("quizzes", "title = ''", "title_not_empty"),
    ("quizzes", "passing_score = 101", "passing_score_is_percent"),
    ("quizzes", "time_limit_minutes = 0", "time_limit_minutes_positive"),
    ("quizzes", "max_attempts = 0", "max_attempts_positive"),
    ("questions", "points = 0", "points_positive"),
    ("questions", "position = 0", "position_positive"),
    ("questions", "kind = 'multiple_choice', options = '{}'", "multiple_choice_has_options"),
    ("questions", "correct_answer = NULL", "all_but_essay_have_answer"),
    ("quiz_attempts", "number = 0", "number_positive"),
    ("quiz_attempts", "score = 50", "completed_has_result"),
    ("quiz_attempts", "score = 101, passed = true, completed_at = now()", "score_is_percent"),
    (
        "quiz_attempts",
        "score = 1, passed = false, completed_at = started_at - interval '1 s'",
        "completed_after_started",
    ),
    ("certificates", "expires_at = issued_at", "expires_after_issued"),
    ("payments", "amount_cents = 0", "amount_cents_positive"),
    ("payments", "currency = 'eur'", "currency_is_iso_4217"),
    ("payments", "completed_at = NULL", "completed_has_date"),
    ("payments", "refunded_at = now()", "refunded_has_date"),
    (
        "payments",
        "status = 'refunded', refunded_at = completed_at - interval '1 s'",
        "refunded_after_completed",
    ),
    ("track_analytics", "active_enrollments = 1", "active_enrollments_in_range"),
    ("track_analytics", "completion_rate = 101", "completion_rate_is_percent"),
    ("track_analytics", "average_progress = -1", "average_progress_is_percent"),
    ("track_analytics", "total_revenue_cents = -1", "total_revenue_cents_not_negative"),
    ("track_analytics", "average_rating = 0.5", "average_rating_in_range"),
]


@pytest.fixture
def filled(session: Session, connection: Connection) -> Connection:
    """A connection to a database with at least one row in every table."""
    fill(session)
    return connection


def fill(session: Session) -> None:
    seed(session)
    for row in ROWS:
        session.execute(text(row))
    views.refresh(session)
    for table in Base.metadata.sorted_tables:
        assert session.scalar(text(f"SELECT count(*) FROM {table.name}")), table.name


def constraint_broken_by(connection: Connection, statement: str, **values: Any) -> str:
    with pytest.raises(IntegrityError) as caught, connection.begin_nested():
        connection.execute(text(statement), values)
    assert isinstance(caught.value.orig, psycopg.Error)
    return caught.value.orig.diag.constraint_name or ""


def test_every_value_that_breaks_a_rule_is_refused_by_the_rule_it_breaks(
    filled: Connection,
) -> None:
    for table, change, rule in REFUSED:
        broken = constraint_broken_by(filled, f"UPDATE {table} SET {change}")
        assert broken.startswith(f"ck_{table}_{rule}"), change


def test_every_check_of_every_table_is_tried_by_some_test(connection: Connection) -> None:
    from_here = {(table, rule) for table, _, rule in REFUSED}
    core = {"users", "tracks", "lessons", "lesson_progress"}
    untried = [
        name
        for table, name in connection.execute(
            text(
                "SELECT conrelid::regclass::text, conname FROM pg_constraint"
                " WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
            )
        )
        if table not in core
        and not any(name.startswith(f"ck_{table}_{rule}") for t, rule in from_here if t == table)
    ]
    assert untried == []


def test_a_status_takes_only_the_steps_that_are_allowed(filled: Connection) -> None:
    for table, change in (
        ("enrollments", "status = 'active', completed_at = NULL WHERE status = 'completed'"),
        ("enrollments", "status = 'expired', completed_at = NULL WHERE status = 'completed'"),
        ("payments", "status = 'pending', completed_at = NULL"),
        ("payments", "status = 'failed', completed_at = NULL"),
    ):
        broken = constraint_broken_by(filled, f"UPDATE {table} SET {change}")
        assert broken == "status_transition", change
    filled.execute(text("UPDATE enrollments SET status = status"))


def test_a_lesson_cannot_be_in_a_module_of_another_track(filled: Connection) -> None:
    broken = constraint_broken_by(
        filled,
        "UPDATE lessons l SET module_id ="
        " (SELECT id FROM modules m WHERE m.track_id <> l.track_id LIMIT 1)",
    )
    assert broken == "fk_lessons_track_id_module_id"
    filled.execute(
        text(
            "UPDATE lessons l SET module_id ="
            " (SELECT id FROM modules m WHERE m.track_id = l.track_id LIMIT 1)"
        )
    )


def test_there_is_no_progress_in_a_track_without_an_enrollment(filled: Connection) -> None:
    broken = constraint_broken_by(
        filled,
        "INSERT INTO track_progress (user_id, track_id, total_lessons)"
        " SELECT u.id, t.id, 1 FROM users u, tracks t WHERE u.username = 'ada' LIMIT 1",
    )
    assert broken == "fk_track_progress_user_id_track_id"
    filled.execute(text("DELETE FROM enrollments"))
    assert filled.scalar(text("SELECT count(*) FROM track_progress")) == 0


def test_the_percentage_is_computed_by_the_server(filled: Connection) -> None:
    filled.execute(text("UPDATE track_progress SET completed_lessons = 1, total_lessons = 3"))
    assert set(filled.scalars(text("SELECT percent FROM track_progress"))) == {33}
    filled.execute(text("UPDATE track_progress SET completed_lessons = 0, total_lessons = 0"))
    assert set(filled.scalars(text("SELECT percent FROM track_progress"))) == {0}


def test_at_most_one_attempt_at_a_quiz_is_open(filled: Connection) -> None:
    again = "INSERT INTO quiz_attempts (quiz_id, user_id, number) SELECT quiz_id, user_id, 10 FROM "
    of_bob = "quiz_attempts WHERE number = 9"
    assert constraint_broken_by(filled, again + of_bob) == "uq_quiz_attempts_open"
    filled.execute(text("UPDATE quiz_attempts SET score = 1, passed = false, completed_at = now()"))
    filled.execute(text(again + of_bob))


def test_an_organization_with_members_cannot_be_deleted(filled: Connection) -> None:
    broken = constraint_broken_by(filled, "DELETE FROM organizations")
    assert broken == "fk_users_organization_id"


def test_a_deleted_user_leaves_payments_and_nothing_else_of_their_own(
    sessions: sessionmaker[Session],
) -> None:
    # Two transactions: PostgreSQL looks at all foreign keys of a row that it stored in the same one
    # when it takes the user from it, and the track may have gone already.
    with sessions() as session:
        fill(session)
        paid = session.scalar(text("SELECT count(*) FROM payments"))
        session.commit()
    with sessions.begin() as session:
        session.execute(text("DELETE FROM users"))
        assert session.scalar(text("SELECT count(*) FROM payments WHERE user_id IS NULL")) == paid
        session.execute(text("SELECT refresh_analytics()"))
        left = {
            table.name
            for table in Base.metadata.sorted_tables
            if session.scalar(text(f"SELECT count(*) FROM {table.name}"))
        }
    # Tracks go with their authors; a media file is still there, and still to be paid for.
    assert left == {"organizations", "payments", "media", "view_refreshes"}


def test_a_deleted_track_leaves_payments_and_certificates_with_its_title(
    filled: Connection,
) -> None:
    filled.execute(text("DELETE FROM tracks"))
    for table in ("payments", "certificates"):
        query = f"SELECT count(*), count(track_id), count(track_title) FROM {table}"
        rows, tracks, titles = filled.execute(text(query)).one()
        assert rows == titles > 0
        assert tracks == 0


def test_every_foreign_key_has_an_index_that_begins_with_its_columns(
    connection: Connection,
) -> None:
    # Without one, each DELETE of a parent reads the whole child table.
    query = """
        SELECT c.conname FROM pg_constraint c
         WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
           AND NOT EXISTS (
               SELECT FROM pg_index i
                WHERE i.indrelid = c.conrelid AND i.indpred IS NULL
                  AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)"""
    without = set(connection.scalars(text(query)))
    # A module is found by its own column; track_id beside it only proves that the track is the
    # same.
    assert without == {"fk_lessons_track_id_module_id"}


def test_no_index_is_the_beginning_of_another(connection: Connection) -> None:
    query = """
        SELECT a.indexrelid::regclass::text, b.indexrelid::regclass::text
          FROM pg_index a JOIN pg_index b USING (indrelid)
         WHERE a.indexrelid <> b.indexrelid AND NOT a.indisunique
           AND a.indrelid::regclass::text NOT LIKE 'pg_%'
           AND a.indpred IS NULL AND b.indpred IS NULL
           AND a.indclass[0] = b.indclass[0]
           AND (b.indkey::int2[])[0:a.indnkeyatts - 1] = (a.indkey::int2[])[0:a.indnkeyatts - 1]"""
    assert connection.execute(text(query)).all() == []

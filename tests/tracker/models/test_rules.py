"""The rules that the database keeps, tried with SQL that no model has seen."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from tracker.models import Lesson, LessonProgress, Track, User

USER = (
    "INSERT INTO users (email, username, password_hash)"
    " VALUES (:email, :username, '…') RETURNING id"
)
TRACK = "INSERT INTO tracks (title, slug, author_id) VALUES ('T', 't', :author) RETURNING id"
LESSON = (
    "INSERT INTO lessons (title, content, duration_minutes, position, track_id)"
    " VALUES ('L', '…', 30, :position, :track) RETURNING id"
)
PROGRESS = "INSERT INTO lesson_progress (user_id, lesson_id) VALUES (:user, :lesson) RETURNING id"


@pytest.fixture
def row(connection: Connection) -> dict[str, Any]:
    """One row of each table, made with nothing but the columns that must be given."""
    user = connection.scalar(text(USER), {"email": "a@example.com", "username": "a"})
    track = connection.scalar(text(TRACK), {"author": user})
    lesson = connection.scalar(text(LESSON), {"position": 1, "track": track})
    progress = connection.scalar(text(PROGRESS), {"user": user, "lesson": lesson})
    return {"user": user, "track": track, "lesson": lesson, "progress": progress}


def test_the_server_fills_in_every_default(connection: Connection, row: dict[str, Any]) -> None:
    user = connection.execute(text("SELECT * FROM users")).one()
    assert (user.is_active, user.role, user.bio) == (True, "student", None)
    track = connection.execute(text("SELECT * FROM tracks")).one()
    assert (track.difficulty, track.tags) == ("beginner", [])
    assert (track.estimated_hours, track.is_published) == (1, False)
    lesson = connection.execute(text("SELECT * FROM lessons")).one()
    assert (lesson.is_preview, lesson.is_published) == (False, False)
    progress = connection.execute(text("SELECT * FROM lesson_progress")).one()
    assert (progress.completed, progress.completed_at) == (False, None)
    assert (progress.time_spent_minutes, progress.score) == (0, None)
    for made in (user, track, lesson, progress):
        assert made.id.version == 7
        assert made.created_at == made.updated_at == connection.scalar(text("SELECT now()"))


def test_the_servers_identifiers_carry_the_moment_and_sort_by_it(connection: Connection) -> None:
    before, first, after = connection.execute(
        text("SELECT clock_timestamp(), uuid7(), clock_timestamp()")
    ).one()
    moment = datetime.fromtimestamp((first.int >> 80) / 1000, UTC)
    assert before - timedelta(milliseconds=1) <= moment <= after + timedelta(milliseconds=1)
    connection.execute(text("SELECT pg_sleep(0.002)"))
    assert connection.scalar(text("SELECT uuid7()")) > first


REFUSED = [
    ("users", "email = 'Alice@example.com'", "ck_users_email_lower_case"),
    ("users", "email = '@example.com'", "ck_users_email_has_at_sign"),
    ("users", "username = 'Alice'", "ck_users_username_lower_case"),
    ("users", "username = ''", "ck_users_username_is_one_word"),
    ("users", "username = 'bob@example.com'", "ck_users_username_is_one_word"),
    ("tracks", "title = ''", "ck_tracks_title_not_empty"),
    ("tracks", "estimated_hours = 0", "ck_tracks_estimated_hours_positive"),
    ("lessons", "slug = '04_repository'", "ck_lessons_slug_is_url_part"),
    ("lessons", "title = ''", "ck_lessons_title_not_empty"),
    ("lessons", "duration_minutes = 0", "ck_lessons_duration_minutes_positive"),
    ("lessons", "position = 0", "ck_lessons_position_positive"),
    ("lesson_progress", "completed = true", "ck_lesson_progress_completed_has_date"),
    ("lesson_progress", "completed_at = now()", "ck_lesson_progress_completed_has_date"),
    ("lesson_progress", "score = 100.01", "ck_lesson_progress_score_is_percent"),
    ("lesson_progress", "score = -0.01", "ck_lesson_progress_score_is_percent"),
    ("lesson_progress", "time_spent_minutes = -1", "ck_lesson_progress_time_spent"),
]  # fmt: skip


@pytest.mark.usefixtures("row")
@pytest.mark.parametrize(("table", "change", "constraint"), REFUSED)
def test_a_value_that_breaks_a_rule_is_refused(
    connection: Connection, table: str, change: str, constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        connection.execute(text(f"UPDATE {table} SET {change}"))


@pytest.mark.usefixtures("row")
@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("users", "email = repeat('a', 250) || '@b.cd'"),
        ("users", "username = repeat('a', 51)"),
        ("tracks", "title = repeat('a', 201)"),
        ("users", "role = 'owner'"),
        ("tracks", "difficulty = 'impossible'"),
    ],
)
def test_a_text_that_is_too_long_or_not_a_label_is_refused(
    connection: Connection, table: str, change: str
) -> None:
    with pytest.raises(DataError):
        connection.execute(text(f"UPDATE {table} SET {change}"))


def test_what_must_be_unique_is_unique(connection: Connection, row: dict[str, Any]) -> None:
    duplicates = [
        (USER, {"email": "a@example.com", "username": "b"}, "uq_users_email"),
        (USER, {"email": "b@example.com", "username": "a"}, "uq_users_username"),
        (LESSON, {"position": 1, "track": row["track"]}, "uq_lessons_track_id_position"),
        (PROGRESS, row, "uq_lesson_progress_user_id_lesson_id"),
    ]
    for statement, values, constraint in duplicates:
        with pytest.raises(IntegrityError, match=constraint), connection.begin_nested():
            connection.execute(text(statement), values)


def test_two_lessons_may_trade_places_in_one_statement(
    connection: Connection, row: dict[str, Any]
) -> None:
    connection.execute(text(LESSON), {"position": 2, "track": row["track"]})
    connection.execute(text("UPDATE lessons SET position = 3 - position"))
    connection.execute(text("UPDATE lessons SET position = position + 1"))


@pytest.mark.parametrize(
    ("deleted", "left"),
    [
        ("lesson_progress", {"users": 1, "tracks": 1, "lessons": 1, "lesson_progress": 0}),
        ("lessons", {"users": 1, "tracks": 1, "lessons": 0, "lesson_progress": 0}),
        ("tracks", {"users": 1, "tracks": 0, "lessons": 0, "lesson_progress": 0}),
        ("users", {"users": 0, "tracks": 0, "lessons": 0, "lesson_progress": 0}),
    ],
)
@pytest.mark.usefixtures("row")
def test_a_deletion_takes_along_what_belongs_to_the_row_and_nothing_else(
    connection: Connection, deleted: str, left: dict[str, int]
) -> None:
    connection.execute(text(f"DELETE FROM {deleted}"))
    for table, count in left.items():
        assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == count, table


@pytest.mark.parametrize("table", ["users", "tracks", "lessons", "lesson_progress"])
@pytest.mark.usefixtures("row")
def test_any_update_sets_updated_at_and_leaves_created_at(
    connection: Connection, table: str
) -> None:
    connection.execute(
        text(f"UPDATE {table} SET created_at = '2020-01-01Z', updated_at = '2020-01-01Z'")
    )
    created, updated, now = connection.execute(
        text(f"SELECT created_at, updated_at, now() FROM {table}")
    ).one()
    assert created == datetime(2020, 1, 1, tzinfo=UTC)
    assert updated == now


def test_the_orm_knows_the_new_updated_at_without_asking_again(
    session: Session,
    make_user: Callable[..., User],
    statements: Callable[..., Any],
) -> None:
    user = make_user(
        created_at=datetime(2020, 1, 1, tzinfo=UTC), updated_at=datetime(2020, 1, 1, tzinfo=UTC)
    )
    user.bio = "Changed."
    with statements() as sent:
        session.flush()
        assert user.updated_at > user.created_at
    assert len(sent) == 1


def test_no_query_reads_a_password_hash_unless_it_names_it(
    session: Session, make_user: Callable[..., User], statements: Callable[..., Any]
) -> None:
    make_user()
    session.expunge_all()
    with statements() as sent:
        session.scalars(select(User)).all()
    assert "password_hash" not in sent[0]


def test_the_relationships_lead_from_each_end_to_the_other(
    session: Session, make_track: Callable[..., Track]
) -> None:
    track = make_track(lessons=2)
    session.add(LessonProgress(user=track.author, lesson=track.lessons[0]))
    session.flush()
    session.expire_all()
    record = session.scalars(select(LessonProgress)).one()
    assert record.lesson.track.author is record.user
    assert record.user.tracks == [track]
    assert record.user.progress == [record]
    assert [lesson.position for lesson in track.lessons] == [1, 2]
    assert track.lessons[0].progress == [record]


def test_a_lesson_taken_out_of_its_track_is_deleted(
    session: Session, make_track: Callable[..., Track]
) -> None:
    track = make_track(lessons=2)
    del track.lessons[0]
    session.flush()
    assert [lesson.position for lesson in session.scalars(select(Lesson))] == [2]

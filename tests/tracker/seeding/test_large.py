"""The large size, in little: everything that is special about it but the number of rows."""

import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from pglab.scratch import Database, Scratch
from tracker.analytics import views
from tracker.caching import make_cache
from tracker.db import connected
from tracker.errors import DatabaseUnavailable, SeedingError
from tracker.maintenance import indexes, integrity
from tracker.models import User
from tracker.passwords import verify_password
from tracker.seeding import DEMO_PASSWORD, SIZES, LargeSize, checksum, loading, seed
from tracker.seeding.packed import lesson_progress
from tracker.seeding.school import School
from tracker.services import learning
from tracker.settings import Settings

LITTLE = LargeSize(users=200, tracks=40)

SCHEMA = """
    SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) || convalidated::text
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) || tgenabled::text
      FROM pg_trigger WHERE NOT tgisinternal
    ORDER BY 1, 2, 3"""


def schema(session: Session) -> list[tuple[str, str, str]]:
    return [tuple(row) for row in session.execute(text(SCHEMA))]


def counts(session: Session) -> Counter[str]:
    return Counter(
        {table: session.scalar(text(f"SELECT count(*) FROM {table}")) for table in loading.TABLES}
    )


def test_a_large_size_comes_with_all_its_rows_and_every_rule_holds(session: Session) -> None:
    inserted = seed(session, size=LITTLE).inserted
    assert inserted == counts(session)
    assert inserted["users"] == inserted["enrollments"] == inserted["track_progress"] == 200
    assert inserted["tracks"] == 40
    assert inserted["lessons"] == 800
    assert inserted["lesson_progress"] == 200 * 20
    assert all(inserted.values())
    assert integrity.orphans(session.connection()) == []
    assert integrity.out_of_range(session.connection()) == []
    assert integrity.disagreements(session) == []


def test_the_large_size_has_a_million_rows_of_progress() -> None:
    large = SIZES["large"]
    assert isinstance(large, LargeSize)
    assert (large.users, large.tracks) == (50_000, 1_000)
    assert len(School(1, large).taken) * 20 == 1_000_000


def test_the_same_number_gives_the_same_rows_and_another_one_others(
    scratch: Scratch, template: str
) -> None:
    sums = []
    for number in (7, 7, 8):
        database = scratch.clone(template)
        with connected(database.url) as sessions, sessions() as session:
            seed(session, number, LITTLE)
            sums.append(checksum(session))
        database.drop()
    assert sums[0] == sums[1] != sums[2]


def test_the_rows_of_tables_that_were_empty_need_no_vacuum(
    session: Session, make_user: Callable[..., User]
) -> None:
    pages = text("SELECT relpages, relallvisible FROM pg_class WHERE oid = CAST(:t AS regclass)")
    make_user()
    session.commit()
    seed(session, size=LITTLE, beside_others=True)
    for table in ("lessons", "lesson_progress"):
        all_pages, visible_to_all = session.execute(pages, {"t": table}).one()
        # A page that one batch begins and the next one fills may be left out.
        assert visible_to_all > 0.9 * all_pages > 0
    assert session.execute(pages, {"t": "users"}).one().relallvisible == 0


def test_a_second_run_changes_nothing(session: Session) -> None:
    seed(session, size=LITTLE)
    before = checksum(session)
    assert set(seed(session, size=LITTLE).inserted.values()) == {0}
    assert checksum(session) == before


def test_keys_indexes_and_triggers_are_as_they_were(session: Session) -> None:
    before = schema(session)
    seed(session, size=LITTLE)
    assert schema(session) == before
    assert indexes.invalid(session.connection()) == []


def test_keys_and_indexes_that_were_added_by_hand_come_back_too(session: Session) -> None:
    for statement in (
        "CREATE INDEX by_hand ON users (lower(last_name) DESC) WHERE bio LIKE '%100\\%%'",
        'ALTER TABLE lesson_progress ADD CONSTRAINT "Odd ""name"" %s" UNIQUE (id, score)',
        "CREATE TABLE notes (user_id uuid REFERENCES users DEFERRABLE INITIALLY DEFERRED)",
    ):
        session.connection().exec_driver_sql(statement.replace("%", "%%"))
    before = schema(session)
    seed(session, size=LITTLE)
    assert schema(session) == before


def test_the_planner_and_the_views_know_of_the_rows(session: Session) -> None:
    seed(session, size=LITTLE)
    estimate = "SELECT reltuples FROM pg_class WHERE relname = 'lesson_progress'"
    assert session.scalar(text(estimate)) == 4000
    assert session.scalar(text("SELECT sum(enrollments) FROM track_completion")) == 200
    assert None not in views.refreshed_at(session).values()


def test_everybody_can_sign_in_and_a_learner_can_go_on(session: Session) -> None:
    seed(session, size=LITTLE)
    hashes = session.scalars(text("SELECT DISTINCT password_hash FROM users")).all()
    assert len(hashes) == 1
    assert verify_password(hashes[0], DEMO_PASSWORD)
    open_lesson = """
        SELECT p.user_id, p.lesson_id FROM lesson_progress p JOIN lessons l ON l.id = p.lesson_id
          JOIN enrollments e ON e.user_id = p.user_id AND e.track_id = l.track_id
         WHERE NOT p.completed AND e.status = 'active' ORDER BY p.id LIMIT 1"""
    user_id, lesson_id = session.execute(text(open_lesson)).one()
    assert learning.complete_lesson(session, user_id, lesson_id).lesson.completed


def test_there_is_something_of_everything(session: Session) -> None:
    seed(session, size=LargeSize(users=2000, tracks=40))
    for table, condition in (
        ("users", "organization_id IS NOT NULL"),
        ("users", "role = 'admin'"),
        ("tracks", "NOT is_published"),
        ("tracks", "is_featured"),
        ("enrollments", "status = 'active'"),
        ("enrollments", "status = 'completed'"),
        ("enrollments", "status = 'cancelled'"),
        ("enrollments", "status = 'expired'"),
        ("payments", "status = 'completed'"),
        ("payments", "status = 'failed'"),
        ("payments", "status = 'pending'"),
        ("payments", "status = 'refunded'"),
        ("quiz_attempts", "NOT passed"),
        ("lesson_progress", "NOT completed AND score IS NULL"),
        ("lesson_progress", "completed AND score = 100 AND time_spent_minutes > 0"),
    ):
        assert session.scalar(text(f"SELECT count(*) FROM {table} WHERE {condition}")), condition


def test_a_large_size_stands_beside_the_small_one_of_the_same_number(session: Session) -> None:
    small = seed(session, number=3).inserted
    large = seed(session, number=3, size=LITTLE).inserted
    assert counts(session)["users"] == small["users"] + large["users"]


def test_a_database_of_others_is_refused_unless_told(session: Session) -> None:
    session.add(User(email="me@example.com", username="me", password_hash="$argon2id$…"))
    session.commit()
    before = schema(session)
    with pytest.raises(SeedingError, match="1 users who are not of the demo data"):
        seed(session, size=LITTLE)
    assert schema(session) == before
    seed(session, size=LITTLE, beside_others=True)
    assert counts(session)["users"] == 201


def test_a_name_that_somebody_has_stops_it_and_the_schema_is_whole(
    sessions: sessionmaker[Session],
) -> None:
    with sessions() as session:
        session.add(
            User(email="m@example.com", username="member000007", password_hash="$argon2id$")
        )
        session.commit()
        before = schema(session)
        with pytest.raises(SeedingError, match="member000007"):
            seed(session, size=LITTLE, beside_others=True)
        assert schema(session) == before
        assert counts(session).total() == 1


def test_killed_in_the_middle_it_leaves_the_schema_whole_and_no_row(
    sessions: sessionmaker[Session], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sessions() as session:
        before = schema(session)

    def killed_on_the_way(school: School) -> Iterator[bytes]:
        for place, rows in enumerate(lesson_progress(school)):
            if place == 100:
                kill_the_loader(database.url)
            yield rows

    monkeypatch.setattr(loading, "lesson_progress", killed_on_the_way)
    with sessions() as session, pytest.raises(DatabaseUnavailable):
        seed(session, size=LITTLE)
    with sessions() as session:
        assert schema(session) == before
        assert counts(session).total() == 0
        monkeypatch.undo()
        assert seed(session, size=LITTLE).inserted == counts(session)


def kill_the_loader(url: str) -> None:
    with psycopg.connect(url) as connection:
        killed = connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_progress_copy"
            " WHERE datname = current_database()"
        ).fetchall()
    assert killed == [(True,)]


def test_whoever_uses_the_tables_is_named_as_the_reason_why_it_cannot_be(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "LONGEST_WAIT", "50ms")
    with sessions() as other, sessions() as session:
        other.execute(text("SELECT count(*) FROM users"))
        with pytest.raises(SeedingError, match="Others are using the tables"):
            seed(session, size=LITTLE)


def test_a_cache_that_is_given_forgets_what_it_knew(sessions: sessionmaker[Session]) -> None:
    cache = make_cache(sessions, Settings())
    assert cache.catalog().total == 0
    with sessions() as session:
        seed(session, size=LITTLE, cache=cache)
    assert cache.catalog().total == 38


def test_rows_are_made_while_they_are_copied_and_not_kept() -> None:
    school = School(1, LargeSize(users=1000, tracks=40))
    assert len(school.taken) == 1000
    tracemalloc.start()
    length = sum(len(row) for row in lesson_progress(school))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert length > 2_000_000
    assert peak < length / 10

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session, sessionmaker

from tracker.analytics import views
from tracker.caching import make_cache
from tracker.maintenance import Item, State, daily, indexes, integrity, storage, weekly
from tracker.maintenance.integrity import Finding
from tracker.models import Track, User
from tracker.monitoring import Monitor
from tracker.seeding import seed
from tracker.services import learning
from tracker.settings import Settings


def test_the_demo_data_breaks_no_rule(session: Session) -> None:
    seed(session)
    assert integrity.orphans(session.connection()) == []
    assert integrity.out_of_range(session.connection()) == []
    assert integrity.disagreements(session) == []
    assert set(integrity.clean_up(session).values()) == {0}


@pytest.fixture
def enrolled(
    session: Session, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> tuple[UUID, Track]:
    user, track = make_user(), make_track(lessons=2)
    learning.enroll(session, user.id, track.id)
    learning.complete_lesson(session, user.id, track.lessons[0].id)
    return user.id, track


def without_triggers(session: Session, *statements: str) -> None:
    """What a restore that switched the triggers off may leave behind."""
    session.execute(text("SET LOCAL session_replication_role = replica"))
    for statement in statements:
        session.execute(text(statement))
    session.execute(text("SET LOCAL session_replication_role = origin"))


def test_rows_whose_parent_is_gone_are_found_and_removed_with_theirs(
    session: Session, enrolled: tuple[UUID, Track]
) -> None:
    user_id, _ = enrolled
    without_triggers(
        session,
        "UPDATE payments SET user_id = uuid7()",
        "INSERT INTO payments (amount_cents, currency, provider, provider_payment_id, track_title,"
        " user_id) VALUES (1, 'USD', 'test', '1', 'T', uuid7())",
        f"DELETE FROM users WHERE id = '{user_id}'",
    )
    found = integrity.orphans(session.connection())
    assert {(finding.table, finding.rows) for finding in found} == {
        ("enrollments", 1),
        ("lesson_progress", 2),
        ("payments", 1),
    }
    # Two records of lessons, the enrollment, and the payment's reference.
    assert integrity.clean_up(session)["orphans removed"] == 4
    assert integrity.orphans(session.connection()) == []
    assert session.scalar(text("SELECT count(*) FROM track_progress")) == 0
    assert session.scalar(text("SELECT count(*) FROM payments WHERE user_id IS NULL")) == 1


def test_values_out_of_range_are_found_and_brought_into_it(
    session: Session, enrolled: tuple[UUID, Track]
) -> None:
    rule = "ck_lesson_progress_score_is_percent"
    for statement in (
        f"ALTER TABLE lesson_progress DROP CONSTRAINT {rule}",
        "UPDATE lesson_progress SET score = CASE WHEN completed THEN 140 ELSE -3 END",
        f"ALTER TABLE lesson_progress ADD CONSTRAINT {rule}"
        " CHECK (score BETWEEN 0 AND 100) NOT VALID",
    ):
        session.execute(text(statement))
    assert integrity.out_of_range(session.connection()) == [Finding("lesson_progress", rule, 2)]
    assert integrity.clean_up(session)["scores brought into range"] == 2
    assert integrity.out_of_range(session.connection()) == []
    assert set(session.scalars(text("SELECT score FROM lesson_progress"))) == {0, 100}


def test_what_disagrees_is_found_and_progress_is_counted_again(
    session: Session, enrolled: tuple[UUID, Track], make_track: Callable[..., Track]
) -> None:
    make_track(title="Empty")
    session.execute(text("UPDATE track_progress SET completed_lessons = 2"))
    session.execute(text("UPDATE enrollments SET status = 'completed', completed_at = 'infinity'"))
    other = make_track(lessons=1)
    session.execute(
        text("INSERT INTO lesson_progress (user_id, lesson_id) VALUES (:user, :lesson)"),
        {"user": enrolled[0], "lesson": other.lessons[0].id},
    )
    found = {(finding.table, finding.rows) for finding in integrity.disagreements(session)}
    assert found == {
        ("lesson_progress", 1),
        ("track_progress", 1),
        ("enrollments", 1),
        ("tracks", 1),
    }
    assert integrity.clean_up(session)["progress counted again"] == 1
    assert session.scalar(text("SELECT completed_lessons FROM track_progress")) == 1


def test_our_own_schema_lacks_no_index_and_has_none_too_many(connection: Connection) -> None:
    assert indexes.redundant(connection) == []
    assert indexes.missing(connection) == []
    assert indexes.invalid(connection) == []


def test_an_index_that_a_longer_one_makes_needless_is_found(connection: Connection) -> None:
    for statement in (
        "CREATE INDEX short ON enrollments (user_id)",  # the unique constraint begins with it
        "CREATE INDEX twin ON enrollments (track_id, status)",
        "CREATE INDEX descending ON enrollments (track_id DESC)",
        "CREATE INDEX partial ON enrollments (track_id) WHERE status = 'active'",
        "CREATE UNIQUE INDEX strict ON enrollments (track_id) WHERE status = 'expired'",
        "CREATE INDEX lowered ON users (lower(email))",
    ):
        connection.execute(text(statement))
    found = {finding.index for finding in indexes.redundant(connection)}
    assert found == {"short", "twin"}


def test_a_foreign_key_without_an_index_is_found(connection: Connection) -> None:
    connection.execute(text("DROP INDEX ix_enrollments_track_id_status"))
    (finding,) = indexes.missing(connection)
    assert finding.table == "enrollments"
    assert "fk_enrollments_track_id" in finding.reason


def test_a_large_table_that_is_read_whole_again_and_again_is_found(
    sessions: sessionmaker[Session],
) -> None:
    with sessions() as session:
        session.execute(text("CREATE TABLE big AS SELECT n FROM generate_series(1, 20000) n"))
        session.commit()
        for _ in range(12):
            session.execute(text("SELECT count(*) FROM big"))
        session.execute(text("SELECT pg_stat_force_next_flush()"))
        session.commit()
        session.execute(text("ANALYZE big"))
        session.execute(text("SELECT pg_stat_force_next_flush()"))
        session.commit()
        (finding,) = indexes.missing(session.connection())
    assert (finding.table, finding.index) == ("big", None)
    assert "20000 rows" in finding.reason


def test_an_index_is_unused_until_a_query_uses_it(sessions: sessionmaker[Session]) -> None:
    def unused(session: Session) -> set[str | None]:
        return {finding.index for finding in indexes.unused(session.connection())}

    with sessions() as session:
        assert "ix_enrollments_expires_at" in unused(session)
        assert "uq_users_email" not in unused(session)
        session.execute(text("SET LOCAL enable_seqscan = off"))
        session.execute(
            text("SELECT id FROM lessons WHERE module_id = uuid7() OR module_id IS NULL")
        )
        session.execute(text("SELECT id FROM lessons WHERE module_id IS NULL")).all()
        session.execute(text("SELECT pg_stat_force_next_flush()"))
        session.commit()
        assert "ix_lessons_module_id" not in unused(session)


def test_where_little_was_asked_no_index_is_called_unused(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> Item:
        return next(item for item in weekly(sessions) if item.name == "Unused indexes")

    assert found().state is State.UNKNOWN
    assert "Not enough use yet" in found().found
    monkeypatch.setattr(indexes, "ENOUGH_USE", 5)
    for _ in range(5):
        with sessions() as session:
            session.execute(text("SET LOCAL enable_seqscan = off"))
            session.execute(text("SELECT id FROM lessons WHERE module_id IS NULL"))
            session.execute(text("SELECT pg_stat_force_next_flush()"))
            session.commit()
    assert found().state is State.ATTENTION
    assert "ix_enrollments_expires_at: No query has used it" in found().found


def test_an_index_that_was_never_finished_is_found(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        session.execute(text("CREATE TABLE twice AS SELECT 1 AS n FROM generate_series(1, 2)"))
        session.commit()
    engine = sessions.kw["bind"].execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        with pytest.raises(Exception, match="could not create unique index"):
            connection.execute(text("CREATE UNIQUE INDEX CONCURRENTLY once ON twice (n)"))
        assert [finding.index for finding in indexes.invalid(connection)] == ["once"]


def test_dead_rows_are_seen_as_work_for_vacuum_and_as_waste(
    sessions: sessionmaker[Session],
) -> None:
    engine = sessions.kw["bind"].execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in (
            "CREATE TABLE big (n int, filler text) WITH (autovacuum_enabled = off)",
            "INSERT INTO big SELECT n, repeat('x', 500) FROM generate_series(1, 30000) n",
            "ANALYZE big",
        ):
            connection.execute(text(statement))
        assert not sized(connection, "big").is_bloated
        for statement in ("DELETE FROM big WHERE n > 100", "SELECT pg_stat_force_next_flush()"):
            connection.execute(text(statement))
        (advice,) = [x for x in storage.vacuum_advice(connection) if x.table == "big"]
        assert advice.command == "VACUUM (ANALYZE)"
        assert "29,900 dead rows" in advice.reason
        connection.execute(text("ANALYZE big"))
        assert sized(connection, "big").is_bloated
        connection.execute(text("VACUUM (FULL, ANALYZE) big"))
        assert not sized(connection, "big").is_bloated
        assert not [x for x in storage.vacuum_advice(connection) if x.table == "big"]
        assert storage.database_bytes(connection) > 0


def sized(connection: Connection, name: str) -> storage.TableSize:
    (found,) = [size for size in storage.sizes(connection) if size.table == name]
    return found


def states(items: list[Item]) -> dict[str, State]:
    return {item.name: item.state for item in items}


def test_the_daily_checklist_says_what_it_cannot_see(sessions: sessionmaker[Session]) -> None:
    found = states(daily(sessions))
    assert {name for name, state in found.items() if state is State.UNKNOWN} == {
        "Slow statements",
        "Backup",
        "Cache",
    }
    assert set(found) == {"Slow statements", "Pool", "Server", "Backup", "Cache"}


def test_the_daily_checklist_calls_attention_to_what_went_wrong(
    sessions: sessionmaker[Session],
) -> None:
    now = iter(range(1000))
    monitor = Monitor(lambda: float(next(now)))  # every statement takes a second and more
    engine = sessions.kw["bind"]
    monitor.watch(engine)
    with engine.connect() as connection:
        now = iter(range(0, 1000, 2))
        connection.execute(text("SELECT id FROM users"))
    cache = make_cache(sessions, Settings(_env_file=None))
    cache.catalog()
    yesterday = datetime.now(UTC) - timedelta(days=2)
    items = daily(sessions, monitor=monitor, cache=cache, last_backup=yesterday)
    found = states(items)
    for name in ("Slow statements", "Backup", "Cache"):
        assert found[name] is State.ATTENTION, items
    recent = states(daily(sessions, last_backup=datetime.now(UTC)))
    assert recent["Backup"] is State.OK


def test_the_weekly_checklist_of_a_database_that_is_looked_after_is_in_order(
    sessions: sessionmaker[Session],
) -> None:
    with sessions() as session:
        seed(session)
        session.execute(text("DELETE FROM view_refreshes"))
        session.commit()
    before = states(weekly(sessions))
    assert before["Views"] is State.ATTENTION
    with sessions() as session:
        views.refresh(session)
        session.execute(text("SELECT pg_stat_force_next_flush()"))
        session.commit()
        session.execute(text("ANALYZE"))
        session.commit()
    items = weekly(sessions)
    after = states(items)
    assert after.pop("Unused indexes") is State.UNKNOWN  # nobody has asked anything yet
    assert set(after.values()) == {State.OK}, items
    assert set(after) == {
        "Indexes",
        "Views",
        "Rows that break a rule",
        "Bloat",
        "Vacuum",
        "Growth",
    }


def test_the_weekly_checklist_names_what_is_wrong(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        seed(session)
        session.execute(text("DROP INDEX ix_enrollments_track_id_status"))
        session.execute(text("UPDATE track_progress SET completed_lessons = 0"))
        session.commit()
    items = {item.name: item for item in weekly(sessions)}
    assert "fk_enrollments_track_id" in items["Indexes"].found
    assert "track_progress" in items["Rows that break a rule"].found

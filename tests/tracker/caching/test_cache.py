import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest
from pydantic import SecretStr
from redis import Redis
from sqlalchemy import delete, insert, select, text, true, update
from sqlalchemy.orm import Session, sessionmaker

from pglab.scratch import Database
from tracker.analytics import views
from tracker.caching import LIFETIMES, Cache, Kind, make_cache
from tracker.caching import cache as cache_module
from tracker.caching.stores import Bounded
from tracker.db import make_engine, make_sessions
from tracker.errors import ConfigurationError, InvalidData, NotFound
from tracker.models import (
    Base,
    Enrollment,
    Lesson,
    LessonProgress,
    Module,
    Section,
    Track,
    TrackProgress,
    User,
)
from tracker.repositories import content, lessons, tracks, users
from tracker.services import catalog, learning, privacy
from tracker.settings import Settings

# dogpile.cache 1.5 calls it.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")

Asked = Callable[[], list[str]]
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class School:
    """A track with two lessons, somebody who is enrolled in it, and somebody who is not."""

    def __init__(self, session: Session) -> None:
        people = [
            users.create(session, email=f"{name}@example.com", username=name, password_hash="!")
            for name in ("author", "learner", "other")
        ]
        self.author, self.learner, self.other = (person.id for person in people)
        drafts = [catalog.LessonDraft(f"Lesson {n}", "…", 10) for n in (1, 2)]
        track = catalog.create_track_with_lessons(
            session, self.author, catalog.TrackDraft("SQL"), drafts
        )
        self.track = catalog.publish_track(session, track.id).id
        self.lessons = [lesson.id for lesson in track.lessons]
        learning.enroll(session, self.learner, self.track)
        spend_time(session, self)
        session.commit()


@pytest.fixture
def school(sessions: sessionmaker[Session]) -> School:
    with sessions() as session:
        return School(session)


def in_memory(sessions: sessionmaker[Session]) -> Cache:
    return make_cache(sessions, Settings(_env_file=None, redis_url=None))


def read_all(cache: Cache, school: School) -> dict[str, object]:
    """All that a visitor can see."""
    shown: dict[str, object] = {
        "catalog": cache.catalog(),
        "completion": cache.completion(),
        "progress": [cache.progress(user) for user in (school.learner, school.other)],
        "summary": [
            cache.learning_summary(user, LONG_AGO) for user in (school.learner, school.other)
        ],
    }
    try:
        shown["content"] = cache.content(school.track)
    except NotFound:
        shown["content"] = None
    return shown


def test_an_answer_is_loaded_once_and_equal_ever_after(
    cache: Cache, school: School, asked: Asked
) -> None:
    first = read_all(cache, school)
    asked()
    assert read_all(cache, school) == first
    # Only how old the view is was asked.
    assert [sent for sent in asked() if "view_refreshes" not in sent] == []
    counts = cache.statistics()
    assert (counts[Kind.PROGRESS].hits, counts[Kind.PROGRESS].misses) == (2, 2)
    assert counts[Kind.CONTENT].hit_rate == 0.5


def test_other_arguments_are_another_answer(cache: Cache, school: School) -> None:
    assert cache.catalog().total == 1
    assert cache.catalog(search="nothing").total == 0
    assert cache.progress(school.learner) != cache.progress(school.other)
    with pytest.raises(InvalidData):
        cache.catalog(page=0)


def test_what_is_not_there_is_not_kept(cache: Cache, stranger: UUID) -> None:
    for _ in range(2):
        with pytest.raises(NotFound):
            cache.content(stranger)


def rename(session: Session, school: School) -> None:
    tracks.update_fields(session, school.track, {"title": "New"})


def rename_by_statement(session: Session, school: School) -> None:
    session.execute(update(Track).where(Track.id == school.track).values(title="New"))


def rename_all(session: Session, school: School) -> None:
    session.execute(update(Track).values(title="New"))


def rename_by_text(session: Session, school: School) -> None:
    session.execute(text("UPDATE tracks SET title = 'New'"))


def add_section(session: Session, school: School) -> None:
    content.add_section(session, school.lessons[0], "Section", "…")


def move_to_a_new_module(session: Session, school: School) -> None:
    module = content.add_module(session, school.track, "Module")
    content.move_to_module(session, school.lessons[0], module.id)


def edit_an_expired_lesson(session: Session, school: School) -> None:
    lesson = session.get_one(Lesson, school.lessons[0])
    session.expire(lesson)
    lesson.content = "New"


def edit_lessons_by_key(session: Session, school: School) -> None:
    session.execute(update(Lesson), [{"id": lesson, "content": "New"} for lesson in school.lessons])


def insert_lessons(session: Session, school: School) -> None:
    row = {"track_id": school.track, "title": "L", "content": "…", "duration_minutes": 1}
    session.execute(insert(Lesson), [{**row, "position": n, "is_published": True} for n in (8, 9)])


def spend_time(session: Session, school: School) -> None:
    session.execute(
        update(LessonProgress)
        .where(LessonProgress.user_id == school.learner, ~LessonProgress.completed)
        .values(time_spent_minutes=LessonProgress.time_spent_minutes + 7)
    )


def copy_enrollments(session: Session, school: School) -> None:
    rows = select(User.id, Track.id).join(Track, true()).where(User.id == school.other)
    session.execute(insert(Enrollment).from_select(["user_id", "track_id"], rows))


def give_progress_away(session: Session, school: School) -> None:
    session.execute(delete(TrackProgress).where(TrackProgress.user_id == school.other))
    session.execute(
        update(LessonProgress)
        .where(LessonProgress.user_id == school.learner)
        .values(user_id=school.other)
    )


def rename_author(session: Session, school: School) -> None:
    users.update_fields(session, school.author, {"username": "somebody"})


NAMED = (
    rename,
    rename_by_statement,
    rename_all,
    rename_by_text,
    add_section,
    move_to_a_new_module,
    edit_an_expired_lesson,
    edit_lessons_by_key,
    insert_lessons,
    spend_time,
    copy_enrollments,
    give_progress_away,
    rename_author,
)
WRITES: dict[str, Callable[[Session, School], object]] = {
    **{write.__name__: write for write in NAMED},
    "add_lesson": lambda session, school: lessons.create(
        session, track_id=school.track, title="L", content="…", duration_minutes=1
    ),
    "remove_track": lambda session, school: tracks.remove(session, school.track),
    "remove_author": lambda session, school: users.remove(session, school.author),
    "delete_author": lambda session, school: session.delete(session.get_one(User, school.author)),
    "delete_lesson": lambda session, school: session.delete(
        session.get_one(Lesson, school.lessons[0])
    ),
    "enroll": lambda session, school: learning.enroll(session, school.other, school.track),
    "complete_lesson": lambda session, school: learning.complete_lesson(
        session, school.learner, school.lessons[0]
    ),
    "cancel": lambda session, school: learning.cancel_enrollment(
        session, school.learner, school.track
    ),
    "withdraw": lambda session, school: catalog.withdraw_track(session, school.track),
    "erase_author": lambda session, school: privacy.erase_user(session, school.author),
    "refresh": lambda session, school: views.refresh(session),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_after_a_write_every_answer_is_what_the_database_says(
    sessions: sessionmaker[Session], school: School, write: Callable[[Session, School], object]
) -> None:
    cache, fresh = in_memory(sessions), in_memory(sessions)
    cache.watch(sessions)
    before = read_all(cache, school)
    with sessions() as session:
        write(session, school)
        session.commit()
    after = read_all(cache, school)
    assert after == read_all(fresh, school)
    assert after != before, "a write that changes no answer tests nothing"


def test_what_one_learner_does_leaves_the_answers_of_others(
    cache: Cache, sessions: sessionmaker[Session], school: School, asked: Asked
) -> None:
    read_all(cache, school)
    with sessions() as session:
        learning.complete_lesson(session, school.learner, school.lessons[0])
    asked()
    cache.progress(school.other)
    cache.catalog()
    cache.content(school.track)
    assert asked() == []
    assert cache.progress(school.learner)[0].percent == 50


def test_nothing_is_kept_while_somebody_is_writing_and_a_rollback_opens_it_again(
    cache: Cache, sessions: sessionmaker[Session], school: School, asked: Asked
) -> None:
    with sessions() as session:
        rename(session, school)
        assert cache.catalog().items[0].title == "SQL"
        session.rollback()
    assert cache.statistics()[Kind.CATALOG].bypassed == 1
    cache.catalog()
    asked()
    assert cache.catalog().items[0].title == "SQL"
    assert asked() == []


def test_a_savepoint_does_not_open_what_its_transaction_still_writes(
    cache: Cache, sessions: sessionmaker[Session], school: School
) -> None:
    with sessions() as session:
        with session.begin_nested():
            rename(session, school)
        assert cache.catalog().items[0].title == "SQL"
        session.commit()
    assert cache.catalog().items[0].title == "New"


def test_a_slow_reader_keeps_nothing_old(
    cache: Cache, sessions: sessionmaker[Session], school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader has asked the database before the write, and keeps its answer after it."""
    find = tracks.find

    def find_and_be_overtaken(session: Session, **filters: object) -> object:
        answer = find(session, **filters)
        with sessions() as writer:
            rename(writer, school)
            writer.commit()
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(tracks, "find", find_and_be_overtaken)
        assert cache.catalog().items[0].title == "SQL"
    assert cache.catalog().items[0].title == "New"


def test_many_at_once_ask_the_database_once(cache: Cache, school: School, asked: Asked) -> None:
    together = Barrier(10)

    def read(_: int) -> object:
        together.wait()
        return cache.content(school.track)

    asked()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(read, range(10)))
    assert all(answer == answers[0] for answer in answers)
    assert len([sent for sent in asked() if "FROM tracks" in sent]) == 1


def test_readers_and_writers_at_once_leave_nothing_stale(
    cache: Cache, sessions: sessionmaker[Session], school: School
) -> None:
    """Whoever asks after their own write has returned sees it, or something later."""

    def write_and_read(number: int) -> None:
        for step in range(5):
            with sessions() as session:
                session.execute(
                    update(Track)
                    .where(Track.id == school.track)
                    .values(estimated_hours=Track.estimated_hours + 1)
                    .returning(Track.estimated_hours)
                )
                written = session.scalar(select(Track.estimated_hours))
                session.commit()
            seen = cache.catalog().items[0].estimated_hours
            assert seen >= written, (number, step)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write_and_read, range(4)))
    assert cache.catalog().items[0].estimated_hours == 21


def test_clearing_forgets_what_was_written_behind_the_back_of_all_sessions(
    cache: Cache, sessions: sessionmaker[Session], school: School
) -> None:
    cache.catalog()
    with sessions.kw["bind"].begin() as connection:
        connection.execute(text("UPDATE tracks SET title = 'New'"))
    assert cache.catalog().items[0].title == "SQL"
    cache.clear()
    assert cache.catalog().items[0].title == "New"


def test_warming_loads_what_visitors_ask_for_first(
    cache: Cache, school: School, stranger: UUID, asked: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    assert cache.warm() == 3
    asked()
    cache.catalog()
    cache.content(school.track)
    assert asked() == []
    assert cache.warm([stranger]) == 2
    assert str(stranger) in caplog.text


def test_the_answers_of_each_kind_are_kept_for_their_own_time(cache: Cache) -> None:
    minutes = {kind: lifetime / timedelta(minutes=1) for kind, lifetime in LIFETIMES.items()}
    assert minutes == {"catalog": 15, "progress": 5, "content": 60, "analytics": 240}
    for kind, lifetime in LIFETIMES.items():
        assert cache._regions[kind].expiration_time == lifetime.total_seconds()


def test_a_memory_that_is_full_drops_the_oldest() -> None:
    kept = Bounded(2)
    for number in range(4):
        kept[str(number)] = number
    assert dict(kept) == {"2": 2, "3": 3}


# Redis

KILLED = """
import os, signal, sys
from pydantic import SecretStr
from sqlalchemy import event, update
from tracker.caching import make_cache
from tracker.db import make_engine, make_sessions
from tracker.models import Track
from tracker.settings import Settings

url, redis = sys.argv[1:]
sessions = make_sessions(make_engine(url))
cache = make_cache(sessions, Settings(_env_file=None, redis_url=SecretStr(redis)))
cache.watch(sessions)
with sessions() as session:
    session.execute(update(Track).values(title="New"))
    # After the commit has reached the server, before the cache hears of it.
    event.listen(session, "after_commit", lambda _: os.kill(os.getpid(), signal.SIGKILL))
    session.commit()
"""


@pytest.fixture
def redis_cache(sessions: sessionmaker[Session], redis_socket: Path, redis: Redis) -> Cache:
    cache = make_cache(sessions, settings_for(redis_socket))
    cache.watch(sessions)
    return cache


def settings_for(socket: Path) -> Settings:
    return Settings(_env_file=None, redis_url=SecretStr(f"unix://{socket}"))


@pytest.mark.redis
def test_what_one_process_writes_no_other_process_shows_old(
    redis_cache: Cache, database: Database, redis_socket: Path, school: School
) -> None:
    engine = make_engine(database.url)
    elsewhere = make_sessions(engine)
    make_cache(elsewhere, settings_for(redis_socket)).watch(elsewhere)
    redis_cache.catalog()
    with elsewhere() as session:
        rename(session, school)
        session.commit()
    engine.dispose()
    assert redis_cache.catalog().items[0].title == "New"


@pytest.mark.redis
@pytest.mark.usefixtures("school")
def test_a_writer_that_is_killed_after_its_commit_leaves_nothing_stale(
    redis_cache: Cache,
    database: Database,
    redis_socket: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: Asked,
) -> None:
    redis_cache.catalog()
    command = [sys.executable, "-c", KILLED, database.url, f"unix://{redis_socket}"]
    assert subprocess.run(command, env={**os.environ}, check=False).returncode == -signal.SIGKILL
    assert redis_cache.catalog().items[0].title == "New"
    assert redis_cache.statistics()[Kind.CATALOG].bypassed == 1
    monkeypatch.setattr(cache_module, "LONGEST_WRITE", timedelta())
    redis_cache.catalog()  # opens it again
    redis_cache.catalog()
    asked()
    redis_cache.catalog()
    assert asked() == []


@pytest.mark.redis
def test_what_is_kept_in_redis_is_json_that_ends(
    redis_cache: Cache, redis: Redis, school: School
) -> None:
    read_all(redis_cache, school)
    keys = redis.keys("tracker:content:*")
    assert len(keys) == 1
    _, _, payload = redis.get(keys[0]).partition(b"|")
    assert payload.startswith(b'{"id":"')
    assert all(0 < redis.ttl(key) <= 2 * 24 * 3600 for key in redis.keys("*"))


@pytest.mark.redis
def test_without_redis_the_database_answers_and_what_was_kept_before_is_not_shown_after(
    redis_cache: Cache, sessions: sessionmaker[Session], redis: Redis, school: School
) -> None:
    redis_cache.catalog()
    unreachable = redis_cache._tokens.backend.reader_client.connection_pool
    path = unreachable.connection_kwargs["path"]
    unreachable.disconnect()
    unreachable.connection_kwargs["path"] = "/nonexistent"
    with sessions() as session:
        rename(session, school)
        session.commit()
    assert redis_cache.catalog().items[0].title == "New"
    unreachable.connection_kwargs["path"] = path
    assert redis_cache.catalog().items[0].title == "New"
    assert redis_cache.statistics()[Kind.CATALOG].misses == 2


def test_a_redis_url_without_its_package_says_how_to_install_it(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "redis.exceptions", None)
    with pytest.raises(ConfigurationError, match=r"kit\[cache\]"):
        make_cache(sessions, settings_for(Path("/nonexistent")))


def test_every_model_that_an_answer_shows_is_watched() -> None:
    from tracker.caching import tags

    shown = {Track, Lesson, Module, Section, User, Enrollment, TrackProgress, LessonProgress}
    assert shown <= tags._RULES.keys() <= {mapper.class_ for mapper in Base.registry.mappers}

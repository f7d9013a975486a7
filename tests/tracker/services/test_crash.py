"""A server that is killed while hundreds of people enroll."""

import os
import signal
import threading
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from pglab.scratch import Scratch
from pglab.servers import Server, open_server
from tracker import migrations
from tracker.db import make_engine, make_sessions
from tracker.errors import DatabaseUnavailable
from tracker.models import Lesson, Track, User
from tracker.services import learning

LEARNERS, LESSONS, CLIENTS, BEFORE_THE_KILL = 400, 5, 4, 100

HALVES = text(
    """
    SELECT count(*) FROM users u
     WHERE role = 'student'
       AND (SELECT count(*) FROM enrollments e WHERE e.user_id = u.id)::text
        || (SELECT count(*) FROM track_progress t WHERE t.user_id = u.id)
        || (SELECT count(*) FROM lesson_progress p WHERE p.user_id = u.id)
           NOT IN ('000', '115')
    """
)


@pytest.fixture
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this test's own, on this machine: it will be killed."""
    home = tmp_path_factory.mktemp("victim")
    with open_server("embedded", home=home, disposable=True) as server:
        yield server


def test_a_killed_server_leaves_no_half_enrollment_and_the_rest_can_go_on(victim: Server) -> None:
    scratch = Scratch(victim, prefix="crash")
    url = scratch.clone("template0").url
    migrations.upgrade(url)
    # A throw-away server says yes before the log is written; here a yes must be one.
    sessions = make_sessions(make_engine(f"{url}&options=-c%20synchronous_commit%3Don"))
    with sessions.begin() as session:
        author = User(email="t@example.com", username="t", password_hash="…", role="instructor")
        track = Track(title="T", author=author, is_published=True, published_at=text("now()"))
        track.lessons = [
            Lesson(title="L", content="…", duration_minutes=1, position=place, is_published=True)
            for place in range(1, LESSONS + 1)
        ]
        learners = [
            User(email=f"l{n}@example.com", username=f"l{n}", password_hash="…")
            for n in range(LEARNERS)
        ]
        session.add_all([track, *learners])
        session.flush()
        track_id, waiting = track.id, [learner.id for learner in learners]
    told_yes: list[UUID] = []
    lost: list[UUID] = []
    some_are_in, killed = threading.Event(), threading.Event()

    def enroll_until_the_server_dies() -> None:
        while waiting and not killed.is_set():
            user_id = waiting.pop()
            if len(told_yes) >= BEFORE_THE_KILL:
                some_are_in.set()
            try:
                with sessions() as session:
                    learning.enroll(session, user_id, track_id)
                told_yes.append(user_id)
            except DatabaseUnavailable:
                lost.append(user_id)
                return

    clients = [threading.Thread(target=enroll_until_the_server_dies) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    some_are_in.wait()
    # One backend killed outright: the server ends all others and recovers from its log, since the
    # memory that they share may be damaged. PostgreSQL manual, "Shutting Down the Server".
    kill_a_backend(url)
    for client in clients:
        client.join()
    killed.set()
    assert lost

    wait_until_it_answers(url)
    with sessions() as session:
        assert session.scalar(HALVES) == 0
        enrolled = set(session.scalars(text("SELECT user_id FROM enrollments")))
    assert set(told_yes) <= enrolled
    assert len(told_yes) >= BEFORE_THE_KILL
    assert len(enrolled) < LEARNERS
    for user_id in {*lost, *waiting} - enrolled:
        with sessions() as session:
            learning.enroll(session, user_id, track_id)
    with sessions() as session:
        assert session.scalar(HALVES) == 0
        assert session.scalar(text("SELECT count(*) FROM enrollments")) == LEARNERS


def kill_a_backend(url: str) -> None:
    with psycopg.connect(url) as connection:
        os.kill(connection.info.backend_pid, signal.SIGKILL)


def wait_until_it_answers(url: str) -> None:
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            continue
        return

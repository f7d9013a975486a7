"""A server that is killed while many people enroll."""

import contextlib
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psutil
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from pglab.scratch import Scratch
from pglab.servers import Server, open_server
from pglab.servers.account import server_account
from pglab.servers.durable import DurableServer
from pglab.servers.places import temporary_place
from pglab.servers.postmaster import postmaster_of
from tracker import migrations
from tracker.db import make_engine, make_sessions
from tracker.errors import DatabaseUnavailable
from tracker.models import Lesson, Track, User
from tracker.services import learning

LESSONS, CLIENTS = 5, 4

# An enrollment is an enrollment, its progress by track, and one by lesson for each of them.
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


@dataclass
class Rush:
    """Learners who enroll in a track, by several clients at once."""

    sessions: sessionmaker[Session]
    track_id: UUID
    waiting: list[UUID]
    told_yes: list[UUID] = field(default_factory=list)
    lost: list[UUID] = field(default_factory=list)

    def until(self, enough: int, kill: Callable[[], None]) -> None:
        """Enroll, kill the server when enough of them are in, and wait for the clients to see."""
        enough_are_in = threading.Event()

        def enroll_until_the_server_dies() -> None:
            while self.waiting and not self.lost:
                user_id = self.waiting.pop()
                try:
                    with self.sessions() as session:
                        learning.enroll(session, user_id, self.track_id)
                    self.told_yes.append(user_id)
                except DatabaseUnavailable:
                    self.lost.append(user_id)
                if len(self.told_yes) >= enough:
                    enough_are_in.set()

        clients = [threading.Thread(target=enroll_until_the_server_dies) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        assert enough_are_in.wait(120)
        kill()
        for client in clients:
            client.join()

    def go_on(self) -> None:
        """Enroll those who are not in yet."""
        with self.sessions() as session:
            enrolled = set(session.scalars(text("SELECT user_id FROM enrollments")))
        for user_id in {*self.lost, *self.waiting} - enrolled:
            with self.sessions() as session:
                learning.enroll(session, user_id, self.track_id)


@pytest.fixture
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this test's own, on this machine: it will be killed."""
    home = tmp_path_factory.mktemp("victim")
    with open_server("embedded", home=home, disposable=True) as server:
        yield server


@pytest.fixture
def durable_victim() -> Iterator[DurableServer]:
    """A server such as the learner's own, whose data outlives it."""
    home = Path(tempfile.mkdtemp(prefix="kit-victim-", dir=temporary_place(server_account())))
    home.chmod(0o711)
    server = DurableServer(home).start()
    yield server
    server.stop()
    shutil.rmtree(home)


def test_a_killed_backend_leaves_no_half_enrollment_and_the_rest_can_go_on(victim: Server) -> None:
    url = migrated(victim)
    # A throw-away server says yes before the log is written; here a yes must be one.
    rush = make_rush(f"{url}&options=-c%20synchronous_commit%3Don", learners=400)
    # One backend killed outright: the server ends all others and recovers from its log, since the
    # memory that they share may be damaged. PostgreSQL manual, "Shutting Down the Server".
    rush.until(100, kill=lambda: kill_a_backend(url))
    wait_until_it_answers(url)
    assert_nothing_is_half(rush, learners=400)


@pytest.mark.slow
def test_a_killed_server_leaves_no_half_enrollment_among_a_thousand_and_the_rest_can_go_on(
    durable_victim: DurableServer,
) -> None:
    rush = make_rush(migrated(durable_victim), learners=1000)
    rush.until(500, kill=lambda: kill_all_of(durable_victim))
    assert postmaster_of(durable_victim.data_dir) is None
    durable_victim.start()
    assert_nothing_is_half(rush, learners=1000)


def assert_nothing_is_half(rush: Rush, learners: int) -> None:
    with rush.sessions() as session:
        assert session.scalar(HALVES) == 0
        enrolled = set(session.scalars(text("SELECT user_id FROM enrollments")))
    assert rush.lost
    assert set(rush.told_yes) <= enrolled
    assert len(enrolled) < learners
    rush.go_on()
    with rush.sessions() as session:
        assert session.scalar(HALVES) == 0
        assert session.scalar(text("SELECT count(*) FROM enrollments")) == learners


def migrated(server: Server) -> str:
    url = Scratch(server, prefix="crash").clone("template0").url
    migrations.upgrade(url)
    return url


def make_rush(url: str, learners: int) -> Rush:
    sessions = make_sessions(make_engine(url))
    with sessions.begin() as session:
        author = User(email="t@example.com", username="t", password_hash="…", role="instructor")
        track = Track(title="T", author=author, is_published=True, published_at=text("now()"))
        track.lessons = [
            Lesson(title="L", content="…", duration_minutes=1, position=place, is_published=True)
            for place in range(1, LESSONS + 1)
        ]
        people = [
            User(email=f"l{n}@example.com", username=f"l{n}", password_hash="…")
            for n in range(learners)
        ]
        session.add_all([track, *people])
        session.flush()
        return Rush(sessions, track.id, [person.id for person in people])


def kill_a_backend(url: str) -> None:
    with psycopg.connect(url) as connection:
        os.kill(connection.info.backend_pid, signal.SIGKILL)


def kill_all_of(server: DurableServer) -> None:
    """Kill the postmaster and all its children, as a power failure would."""
    postmaster = postmaster_of(server.data_dir)
    assert postmaster is not None
    family = [postmaster, *postmaster.children(recursive=True)]
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):  # a child ends when its parent is gone
            process.kill()
    for process in family:
        process.wait(30)


def wait_until_it_answers(url: str) -> None:
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            continue
        return

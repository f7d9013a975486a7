"""A cache in memory, and one in a Redis of the test's own."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis import Redis
from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

from tracker.caching import Cache, make_cache
from tracker.settings import Settings


@pytest.fixture(scope="session")
def redis_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The Unix socket of a Redis that keeps nothing on disk; for tests marked `redis`."""
    folder = tmp_path_factory.mktemp("redis")
    socket = folder / "s"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(
        ["redis-server", *options], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    while not socket.exists():
        assert server.poll() is None, "redis-server did not start"
        time.sleep(0.01)
    yield socket
    server.terminate()
    server.wait()


@pytest.fixture
def redis(redis_socket: Path) -> Iterator[Redis]:
    """A client of that Redis, which is empty."""
    client = Redis(unix_socket_path=str(redis_socket))
    client.flushall()
    yield client
    client.close()


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
def settings(request: pytest.FixtureRequest) -> Settings:
    """Settings for a cache of each kind."""
    if request.param == "memory":
        return Settings(_env_file=None, redis_url=None)
    request.getfixturevalue("redis")
    return redis_settings(request.getfixturevalue("redis_socket"))


def redis_settings(socket: Path) -> Settings:
    return Settings(_env_file=None, redis_url=SecretStr(f"unix://{socket}"))


@pytest.fixture
def cache(sessions: sessionmaker[Session], settings: Settings) -> Cache:
    """A cache that notices what the sessions of the test write."""
    cache = make_cache(sessions, settings)
    cache.watch(sessions)
    return cache


@pytest.fixture
def asked(sessions: sessionmaker[Session]) -> Iterator[Callable[[], list[str]]]:
    """The statements sent since the last call."""
    sent: list[str] = []
    engine = sessions.kw["bind"]

    def note(_c: object, _k: object, statement: str, *_: object) -> None:
        sent.append(statement)

    def taken() -> list[str]:
        found = sent[:]
        sent.clear()
        return found

    event.listen(engine, "before_cursor_execute", note)
    yield taken
    event.remove(engine, "before_cursor_execute", note)

"""Which server one gets, and what is said about it."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pglab.errors import ContainerEngineError, PglabError
from pglab.servers import Server, open_server
from pglab.servers.durable import DurableServer
from pglab.servers.engine import ensure_image, open_engine
from pglab.urls import parameters_of


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DOCKER_HOST", "KIT_POSTGRES_IMAGE", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)


class FakeEngine:
    """A container engine's socket behind which somebody behaves as a test wants."""

    def __init__(self, path: Path, answer: bytes | None) -> None:
        self._answer = answer
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(8)
        self._kept: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._answer is None:
                self._kept.append(client)
                continue
            client.recv(65536)
            client.sendall(self._answer)
            client.close()

    def close(self) -> None:
        self._listener.close()
        for client in self._kept:
            client.close()


@pytest.fixture
def engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[bytes | None], None]]:
    engines: list[FakeEngine] = []

    def start(answer: bytes | None) -> None:
        engines.append(FakeEngine(tmp_path / "engine.sock", answer))
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")

    yield start
    for each in engines:
        each.close()


def refuse(disposable: bool) -> Server:
    raise ContainerEngineError("The container engine is on holiday. Come back later.")


def test_auto_takes_the_url_of_the_environment(
    server: Server, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setenv("DATABASE_URL", server.admin_url)
    with open_server(home=home, disposable=True, say=said.append) as found:
        assert found.kind == "url"
        assert found.version == server.version
    (line,) = said
    assert "because DATABASE_URL is set" in line
    assert parameters_of(server.admin_url)["password"] not in line


def test_auto_for_a_learner_is_the_embedded_server(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(DurableServer, "start", lambda self: self)
    found = open_server(home=home, disposable=False, say=said.append)
    assert isinstance(found, DurableServer)
    assert said == ["Database: your own embedded PostgreSQL; it keeps what you store."]


def test_auto_for_grading_falls_back_to_embedded_and_says_why(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("pglab.servers.choice._container", refuse)
    with open_server(home=home, disposable=True, say=said.append) as found:
        assert (found.kind, found.durable) == ("embedded", False)
    assert said == [
        "Database: a throw-away embedded PostgreSQL, because: The container engine is on holiday."
    ]


def test_auto_does_not_wait_for_an_engine_that_hangs(
    home: Path, engine: Callable[[bytes | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine(None)
    monkeypatch.setattr("pglab.servers.engine.PING_S", 1)
    said: list[str] = []
    with open_server(home=home, disposable=True, say=said.append) as found:
        assert found.kind == "embedded"
    (line,) = said
    assert "did not answer within 1 seconds" in line


def test_an_engine_that_hangs_is_an_error_where_a_container_was_asked_for(
    home: Path, engine: Callable[[bytes | None], None]
) -> None:
    engine(None)
    with pytest.raises(ContainerEngineError, match="did not answer within 3 seconds"):
        open_server("container", home=home, disposable=True)


def test_an_engine_that_talks_nonsense_is_an_error(
    home: Path, engine: Callable[[bytes | None], None]
) -> None:
    engine(b"nonsense\r\n\r\n")
    with pytest.raises(ContainerEngineError, match="not running"):
        open_server("container", home=home, disposable=True)


def test_an_engine_that_fails_is_an_error(
    home: Path, engine: Callable[[bytes | None], None]
) -> None:
    engine(b"HTTP/1.1 500 Oh no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    with pytest.raises(ContainerEngineError, match="--database embedded"):
        open_server("container", home=home, disposable=True)


def test_a_machine_without_an_engine_is_told_so_at_once(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(ContainerEngineError, match="not running"):
        open_engine()
    monkeypatch.setattr("pglab.servers.engine._surely_absent", lambda: True)
    monkeypatch.setitem(sys.modules, "testcontainers.core.docker_client", None)
    with pytest.raises(ContainerEngineError, match="no container engine"):
        open_engine()


def test_without_the_package_for_containers_its_name_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pglab.servers.engine._surely_absent", lambda: False)
    monkeypatch.setitem(sys.modules, "testcontainers.core.docker_client", None)
    with pytest.raises(ContainerEngineError, match=r"pip install 'kit\[grade\]'"):
        open_engine()


def test_an_image_that_cannot_be_pulled_is_named(
    engine: Callable[[bytes | None], None],
) -> None:
    def reply(status: str, body: bytes) -> bytes:
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n"
        return (head + f"Api-Version: 1.44\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body

    engine(reply("404 Not Found", b'{"message": "no such image"}'))
    with pytest.raises(ContainerEngineError):
        ensure_image("no/such:image")


def test_a_container_cannot_be_a_learners_own_server(home: Path) -> None:
    with pytest.raises(PglabError, match="thrown away"):
        open_server("container", home=home, disposable=False)


@pytest.mark.parametrize("choice", ["", "sqlite", "mysql://u:s3cret@h/d", "Embedded"])
def test_an_unknown_kind_of_server_is_refused_with_the_known_ones(home: Path, choice: str) -> None:
    with pytest.raises(PglabError, match="auto, embedded or container") as caught:
        open_server(choice, home=home, disposable=True)
    assert "s3cret" not in str(caught.value)

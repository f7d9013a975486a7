"""Servers of others, given by URL."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from pglab.errors import ServerUnavailable
from pglab.scratch import Database, Role
from pglab.servers import Server
from pglab.servers.attached import AttachedServer, Attachment
from pglab.servers.relay import Relay
from pglab.servers.url import UrlServer
from pglab.urls import parameters_of


class UnixToTcp:
    """The shared server on a TCP port of loopback, as a server elsewhere would be."""

    def __init__(self, server: Server) -> None:
        self._path = str(server.socket_dir / f".s.PGSQL.{server.port}")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        from pglab.servers.relay import _pump

        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            target = socket.socket(socket.AF_UNIX)
            target.connect(self._path)
            for pair in ((client, target), (target, client)):
                threading.Thread(target=_pump, args=pair, daemon=True).start()

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def tcp(server: Server) -> Iterator[int]:
    bridge = UnixToTcp(server)
    yield bridge.port
    bridge.close()


@pytest.fixture
def tcp_url(server: Server, tcp: int) -> str:
    password = parameters_of(server.admin_url)["password"]
    return f"postgresql://postgres:{password}@127.0.0.1:{tcp}/postgres?sslmode=disable"


def refusal_of(url: str) -> str:
    with pytest.raises(ServerUnavailable) as caught:
        UrlServer(url).start()
    assert caught.value.__cause__ is None  # the cause may repeat the password
    return str(caught.value)


def test_a_server_by_url_is_used_as_it_is(server: Server) -> None:
    with UrlServer(server.admin_url) as same:
        assert (same.kind, same.durable) == ("url", True)
        assert same.version == server.version
        assert same.capabilities() == server.capabilities()
        assert (same.socket_dir, same.port) == (server.socket_dir, server.port)
    with psycopg.connect(server.admin_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_server_by_tcp_is_lent_by_a_socket(
    tcp_url: str, server: Server, clone: Database, student: Role
) -> None:
    with UrlServer(tcp_url) as remote:
        directory = remote.socket_dir
        assert directory == remote.socket_dir
        assert (directory / f".s.PGSQL.{remote.port}").is_socket()
        with psycopg.connect(
            host=str(directory),
            port=remote.port,
            dbname=clone.name,
            user=student.name,
            password=student.password,
        ) as connection:
            assert connection.execute("SELECT body FROM notes").fetchone() == ("first",)
    assert not directory.exists()


def test_a_wrong_password_is_named_and_never_shown(tcp: int) -> None:
    said = refusal_of(f"postgresql://postgres:s3cret@127.0.0.1:{tcp}/postgres")
    assert "did not let the user 'postgres' in" in said
    assert "s3cret" not in said


def test_a_missing_password_is_named(tcp: int) -> None:
    assert "has none" in refusal_of(f"postgresql://postgres@127.0.0.1:{tcp}/postgres")


def test_a_missing_database_is_named(server: Server) -> None:
    assert 'database "nowhere" does not exist' in refusal_of(server.url("nowhere"))


def test_a_port_where_nobody_listens_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    said = refusal_of(f"postgresql://u:s3cret@127.0.0.1:{port}/d")
    assert f"No PostgreSQL server answers at 127.0.0.1:{port}" in said
    assert "s3cret" not in said


def test_an_unknown_name_is_named() -> None:
    said = refusal_of("postgresql://u:s3cret@no-such-computer.invalid/d")
    assert "No computer is called no-such-computer.invalid" in said


def test_a_socket_that_is_not_there_is_named() -> None:
    assert "No PostgreSQL server answers" in refusal_of("postgresql://u:p@/d?host=/nowhere")


def test_a_server_that_is_too_old_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pglab.servers.url.OLDEST", 19)
    said = refusal_of(server.admin_url)
    assert "is PostgreSQL 18, and the kit needs 19 or later" in said
    assert parameters_of(server.admin_url)["password"] not in said


@pytest.mark.parametrize("url", ["postgresql://u:s3cret@[/d", "s3cret"])
def test_what_is_no_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ServerUnavailable, match="cannot be read") as caught:
        UrlServer(url)
    assert "s3cret" not in str(caught.value)


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from pglab.servers import url as module

    real = module.connect
    monkeypatch.setattr(module, "connect", lambda url: real(url, timeout_s=2))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert "did not answer" in refusal_of(f"postgresql://u:p@127.0.0.1:{port}/d")


def test_large_amounts_pass_the_relay_both_ways_at_once(tcp_url: str) -> None:
    with UrlServer(tcp_url) as remote:
        url = f"{remote.url('postgres').split('@')[0]}@/postgres?host={remote.socket_dir}"
        with psycopg.connect(url) as connection:
            large = "x" * 8_000_000
            row = connection.execute("SELECT %s::text, repeat('y', 8000000)", [large]).fetchone()
            assert row == (large, "y" * 8_000_000)


def test_a_statement_is_cancelled_through_the_relay(tcp_url: str) -> None:
    with UrlServer(tcp_url) as remote:
        url = f"{remote.url('postgres').split('@')[0]}@/postgres?host={remote.socket_dir}"
        with psycopg.connect(url, autocommit=True) as connection:
            pid = connection.info.backend_pid

            def cancel() -> None:
                asleep = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'"
                with psycopg.connect(tcp_url, autocommit=True) as other:
                    while not other.execute(asleep, [pid]).fetchone():
                        time.sleep(0.01)
                connection.cancel_safe()

            canceller = threading.Thread(target=cancel)
            canceller.start()
            with pytest.raises(psycopg.errors.QueryCanceled):
                connection.execute("SELECT pg_sleep(60)")
            canceller.join()


def test_closing_the_relay_cuts_its_connections(tcp_url: str) -> None:
    remote = UrlServer(tcp_url).start()
    url = f"{remote.url('postgres').split('@')[0]}@/postgres?host={remote.socket_dir}"
    connection = psycopg.connect(url, autocommit=True)
    remote.stop()
    remote.stop()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")


def test_a_relay_whose_server_is_gone_closes_the_connection() -> None:
    def refuse() -> socket.socket:
        raise ConnectionRefusedError

    relay = Relay(refuse)
    try:
        for _ in range(3):
            with pytest.raises(psycopg.OperationalError, match="closed the connection"):
                psycopg.connect(host=str(relay.directory), user="u", dbname="d")
    finally:
        relay.close()


def test_a_relay_gives_its_places_back(tcp: int) -> None:
    relay = Relay(lambda: socket.create_connection(("127.0.0.1", tcp)), limit=2)
    try:
        for _ in range(6):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(host=str(relay.directory), user="postgres", dbname="postgres")
    finally:
        relay.close()


def test_another_process_can_attach_to_a_server(server: Server) -> None:
    plain = Attachment.of(server).to_plain()
    assert {type(value) for value in plain.values()} <= {str, int}
    with AttachedServer(Attachment(**plain)) as attached:
        assert attached.admin_url == server.admin_url
        assert (attached.socket_dir, attached.port) == (server.socket_dir, server.port)
        assert (attached.kind, attached.version) == (server.kind, server.version)
    with psycopg.connect(server.admin_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)

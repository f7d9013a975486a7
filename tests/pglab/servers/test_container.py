"""A server in a container behaves as the embedded one does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pglab.errors import ContainerEngineError
from pglab.scratch import Scratch
from pglab.servers import Server, open_server
from pglab.servers.container import ContainerServer, sweep_containers
from pglab.servers.engine import ensure_image, open_engine
from pglab.witness import Witness

pytestmark = pytest.mark.container


@pytest.fixture(scope="module")
def contained() -> Iterator[Server]:
    """A server in a container that the tests of this module share."""
    with ContainerServer() as running:
        yield running


def containers() -> set[str]:
    client = open_engine()
    try:
        return {
            str(c.name) for c in client.containers.list(all=True, filters={"label": "kit.host"})
        }
    finally:
        client.close()


def test_auto_chooses_a_container_for_grading_and_says_so(home: Path) -> None:
    said: list[str] = []
    with open_server(home=home, disposable=True, say=said.append) as found:
        assert (found.kind, found.durable) == ("container", False)
    assert said == [
        "Database: a throw-away PostgreSQL in a container, because a container engine answers."
    ]


def test_it_answers_as_administrator_and_has_what_the_kit_needs(contained: Server) -> None:
    with psycopg.connect(contained.admin_url) as connection:
        row = connection.execute(
            "SELECT current_user, current_setting('fsync'), current_setting('server_encoding')"
        ).fetchone()
    assert row == ("postgres", "off", "UTF8")
    found = contained.capabilities()
    assert (found.superuser, found.create_database, found.log_access) == (True, True, True)
    assert found.version_num >= 150_000


def test_nobody_gets_in_without_the_password(contained: Server) -> None:
    with psycopg.connect(contained.admin_url) as connection:
        methods = connection.execute(
            "SELECT DISTINCT auth_method FROM pg_hba_file_rules"
        ).fetchall()
        assert methods == [("scram-sha-256",)]
    for password in (None, "wrong"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(contained.url("postgres", "postgres", password))


def test_clones_roles_and_the_witness_work_in_it(contained: Server) -> None:
    with Scratch(contained) as scratch, Witness(contained) as witness:
        template = scratch.template("empty", lambda url: None)
        role = scratch.role()
        with scratch.pool(template) as pool:
            database = pool.take(role.name)
            since = witness.mark()
            with psycopg.connect(database.url_for(role), autocommit=True) as connection:
                connection.execute("SELECT %s::text", ["it's é"])
                with pytest.raises(psycopg.errors.DivisionByZero):
                    connection.execute("SELECT 1 / 0")
            found = witness.statements(since, role=role.name)
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(contained.url("postgres", role.name, role.password))
    assert [(s.text, s.parameters, s.sqlstate) for s in found] == [
        ("SELECT $1::text", ("it's é",), None),
        ("SELECT 1 / 0", (), "22012"),
    ]


def test_statements_are_complete_over_the_rotation_of_its_log(contained: Server) -> None:
    with Scratch(contained) as scratch, Witness(contained) as witness:
        role = scratch.role()
        database = scratch.clone(scratch.template("empty", lambda url: None), grantee=role.name)
        since = witness.mark()
        with psycopg.connect(database.url_for(role), autocommit=True) as connection:
            connection.execute("SELECT 1")
            with psycopg.connect(contained.admin_url, autocommit=True) as admin:
                while witness.mark().file == since.file:
                    admin.execute("SELECT pg_rotate_logfile(), pg_sleep(0.1)")
            connection.execute("SELECT 2")
        texts = [s.text for s in witness.statements(since, role=role.name)]
    assert texts == ["SELECT 1", "SELECT 2"]


def test_its_socket_can_be_lent(contained: Server) -> None:
    assert (contained.socket_dir / f".s.PGSQL.{contained.port}").is_socket()
    with psycopg.connect(contained.url("postgres"), host=str(contained.socket_dir)) as connection:
        assert connection.execute("SELECT inet_client_addr()").fetchone() == (None,)


def test_where_the_mounted_socket_does_not_work_a_relay_takes_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ContainerServer, "_mounted_socket", lambda self: None)
    with ContainerServer() as server:
        url = f"{server.admin_url.split('@')[0]}@/postgres?host={server.socket_dir}"
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT inet_client_addr() IS NULL").fetchone() == (False,)
        with psycopg.connect(server.admin_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        directory = server.socket_dir
    assert not directory.exists()


def test_its_port_is_open_to_this_machine_only(contained: Server) -> None:
    assert isinstance(contained, ContainerServer)
    assert contained._container is not None
    wrapped = contained._container.get_wrapped_container()
    wrapped.reload()
    addresses = {binding["HostIp"] for binding in wrapped.ports["5432/tcp"]}
    assert addresses.isdisjoint({"0.0.0.0", "::"})
    assert len(addresses) == 1


def test_stopping_removes_the_container_and_the_directory() -> None:
    before = containers()
    server = ContainerServer().start()
    assert server.start() is server
    directory = server.socket_dir.parent
    assert len(containers() - before) == 1
    server.stop()
    server.stop()
    assert containers() <= before
    assert not directory.exists()


OWNER = """
import sys, time
from pglab.servers.container import ContainerServer
server = ContainerServer().start()
print(server.socket_dir.parent, flush=True)
{then}
"""


@pytest.fixture
def owner() -> Iterator[Callable[[str], tuple[subprocess.Popen[str], Path]]]:
    started: list[subprocess.Popen[str]] = []

    def start(then: str) -> tuple[subprocess.Popen[str], Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", OWNER.format(then=then)], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        return process, Path(process.stdout.readline().strip())

    yield start
    for process in started:
        process.kill()
        process.wait()
    sweep_containers()


def test_a_container_of_a_killed_owner_is_swept_and_that_of_a_living_one_is_not(
    owner: Callable[[str], tuple[subprocess.Popen[str], Path]], contained: Server
) -> None:
    before = containers()
    process, directory = owner("time.sleep(600)")
    (theirs,) = containers() - before
    assert sweep_containers() == []
    assert theirs in containers()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert sweep_containers() == [theirs]
    assert containers() == before
    assert not directory.exists()
    with psycopg.connect(contained.admin_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_an_owner_that_just_ends_leaves_nothing(
    owner: Callable[[str], tuple[subprocess.Popen[str], Path]],
) -> None:
    before = containers()
    process, directory = owner("")
    assert process.wait() == 0
    assert containers() <= before
    assert not directory.exists()


def test_the_oldest_logs_in_the_container_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pglab.servers.container._LOGS_KEPT", 2)
    monkeypatch.setattr("pglab.servers.container._LOOK_S", 0.1)
    with ContainerServer() as server, psycopg.connect(server.admin_url) as connection:
        for number in range(4):
            name = f"log/postgresql-20000101-00000{number}.json"
            connection.execute(f"COPY (SELECT 1) TO PROGRAM 'cat > {name}'".encode())
        query = "SELECT count(*) FROM pg_ls_logdir() WHERE name LIKE '%.json'"
        deadline = time.monotonic() + 30
        while connection.execute(query).fetchone() != (2,):
            assert time.monotonic() < deadline
        connection.execute("SELECT pg_stat_file(pg_current_logfile('jsonlog'))")


def test_an_image_that_is_not_there_is_named() -> None:
    with pytest.raises(
        ContainerEngineError, match=r"localhost:1/no/such:image is not on this machine"
    ):
        ContainerServer("localhost:1/no/such:image").start()


def test_an_image_that_is_no_server_is_named_with_what_it_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = containers()
    monkeypatch.setattr("pglab.servers.container.as_arguments", lambda settings: ["--nonsense"])
    with pytest.raises(ContainerEngineError, match=r"did not become a PostgreSQL server.*nonsense"):
        ContainerServer().start()
    assert containers() <= before


def test_an_image_that_lets_everybody_in_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pglab.servers.container._INITDB_ARGUMENTS", "--auth=trust")
    with pytest.raises(ContainerEngineError, match="without a password"):
        ContainerServer().start()


def test_an_image_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pglab.servers.container.OLDEST", 99)
    with pytest.raises(Exception, match="needs 99 or later"):
        ContainerServer().start()


def test_an_image_that_is_here_is_not_pulled() -> None:
    ensure_image(os.environ.get("KIT_POSTGRES_IMAGE", "postgres:18"))

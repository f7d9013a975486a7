"""``kit serve``, as a process that is asked and ended."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from kit import database
from kit.errors import WrongUsage
from kit.web import server as webserver
from pglab.servers.durable import DurableServer
from tests.kit.conftest import Kit

USER = {"email": "ada-by-http@example.com", "username": "ada-by-http", "password": "correct horse"}


@contextmanager
def serving(kit: Kit, *words: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen]]:
    """Gives the address that `kit serve` printed, and its process."""
    process = subprocess.Popen(
        kit.command("serve", "--port", "0", *words),
        env=kit.environment | {"PYTHONUNBUFFERED": "1"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
    finally:
        process.kill()
        process.wait()


def ask(method: str, address: str, **options: object) -> httpx2.Response:
    # The server answers a moment after it printed where.
    transport = httpx2.HTTPTransport(retries=8)
    with httpx2.Client(transport=transport, timeout=30) as client:
        return client.request(method, address, **options)


def test_what_is_in_memory_is_there_until_the_end(kit: Kit) -> None:
    with serving(kit, "--memory") as (address, process):
        assert address.startswith("http://127.0.0.1:")
        assert ask("POST", f"{address}/users", json=USER).status_code == 201
        assert ask("GET", f"{address}/users").json()["total"] == 1
        health = ask("GET", f"{address}/healthz").json()
        assert health["checks"]["database"]["status"] == "disabled"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert '"POST /users HTTP/1.1" 201' in err
    assert "Traceback" not in err
    assert USER["password"] not in err


def test_what_is_in_the_database_is_there_for_the_next(kit: Kit, learners_home: Path) -> None:
    environment = {"KIT_HOME": str(learners_home)}
    with serving(kit, **environment) as (address, _process):
        made = ask("POST", f"{address}/users", json=USER)
        assert made.status_code == 201, made.text
        path = made.headers["location"]
    with serving(kit, **environment) as (address, _process):
        assert ask("GET", address + path).json()["user"]["username"] == USER["username"]
        assert ask("DELETE", address + path).status_code == 204


@pytest.mark.slow
def test_of_an_organization_nothing_else_is_served(
    kit: Kit, learners_home: Path, server: DurableServer
) -> None:
    database.reset(server)  # other tests may have left it without organizations
    environment = {"KIT_HOME": str(learners_home)}
    with serving(kit, "--organization", "branch-of-nobody", **environment) as (_, process):
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "There is no organization “branch-of-nobody”. There are: " in err
    slug = err.split("There are: ")[1].split(",")[0].rstrip(".\n")
    with serving(kit, "--organization", slug, **environment) as (address, process):
        assert address, process.communicate(timeout=60)
        members = ask("GET", f"{address}/users").json()
        assert ask("GET", f"{address}/healthz").status_code == 200
    with serving(kit, **environment) as (address, _process):
        all_users = ask("GET", f"{address}/users").json()["total"]
    assert 0 < members["total"] < all_users
    assert kit("serve", "--memory", "--organization", slug).code == 2


def test_bytes_that_are_no_text_are_refused_and_the_server_goes_on(kit: Kit) -> None:
    with serving(kit, "--memory") as (address, _process):
        assert ask("GET", f"{address}/users").status_code == 200
        host, _, port = address.removeprefix("http://").partition(":")
        requests = (
            b"GET /users?search=\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET /users/%00%ff%ed%a0%80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"\x00\xff\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n",
        )
        for request in requests:
            with socket.create_connection((host, int(port)), 30) as connection:
                connection.sendall(request)
                answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 4") or b"200 OK" in answer, answer
        assert ask("GET", f"{address}/users").status_code == 200


def test_another_name_of_this_machine_is_turned_away(kit: Kit) -> None:
    with serving(kit, "--memory") as (address, _process):
        answer = ask("GET", f"{address}/users", headers={"host": "evil.example"})
        assert answer.status_code == 400


def test_a_taken_port_is_named_with_another_one(kit: Kit) -> None:
    with webserver.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        ended = kit("serve", "--memory", "--port", str(port))
    assert ended.code == 2
    assert f"Port {port} is in use" in ended.err
    assert f"--port {port + 1}" in ended.err
    assert ended.out == ""


def test_an_address_of_another_machine_cannot_be_answered_at() -> None:
    with pytest.raises(WrongUsage, match=r"192\.0\.2\.1"):  # reserved for documentation: nobody's
        webserver.listen("192.0.2.1", 0)
    with pytest.raises(WrongUsage, match="no such host"):
        webserver.listen("no such host", 0)

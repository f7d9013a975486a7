"""What the tests of the laboratory share: one throw-away server of each version."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pglab.scratch import Database, Role, Scratch
from pglab.servers import Server, open_server
from pglab.servers.account import server_account
from pglab.servers.places import scratch_place
from pglab.witness import Witness


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A home of the kit that other accounts can enter, as a server started by root needs it."""
    account = server_account()
    place = Path(tempfile.mkdtemp(prefix="kit-test-home-", dir=scratch_place(account)))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place)


@pytest.fixture(scope="session")
def server(home: Path) -> Iterator[Server]:
    """A throw-away PostgreSQL 18 that all tests share."""
    with open_server("embedded", home=home, disposable=True) as running:
        yield running


@pytest.fixture(scope="session")
def server16(home: Path) -> Iterator[Server]:
    """A throw-away PostgreSQL 16 that all tests share."""
    with open_server("embedded", home=home, disposable=True, version=16) as running:
        yield running


@pytest.fixture(params=[18, 16])
def each_server(request: pytest.FixtureRequest) -> Server:
    """PostgreSQL 18, then 16."""
    name = {18: "server", 16: "server16"}[request.param]
    found: Server = request.getfixturevalue(name)
    return found


@pytest.fixture
def scratch(server: Server) -> Iterator[Scratch]:
    with Scratch(server) as one:
        yield one


@pytest.fixture
def witness(server: Server) -> Iterator[Witness]:
    with Witness(server) as one:
        yield one


@pytest.fixture
def notes(scratch: Scratch) -> str:
    """A template with one table that members of ``kit_test_students`` may read and write."""
    return scratch.template("notes", build_notes)


def build_notes(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE notes (id int PRIMARY KEY, body text)")
        connection.execute("INSERT INTO notes VALUES (1, 'first')")
        connection.execute(
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kit_test_students')"
            " THEN CREATE ROLE kit_test_students NOLOGIN; END IF; END $$"
        )
        connection.execute("GRANT ALL ON notes TO kit_test_students")


@pytest.fixture
def student(scratch: Scratch) -> Role:
    return scratch.role(member_of="kit_test_students")


@pytest.fixture
def clone(scratch: Scratch, notes: str, student: Role) -> Database:
    """A clone of ``notes`` that the student can enter."""
    return scratch.clone(notes, grantee=student.name)


@pytest.fixture
def query(server: Server) -> Callable[..., list[tuple[object, ...]]]:
    """Ask the shared server something as its administrator."""

    def ask(text: str, *parameters: object) -> list[tuple[object, ...]]:
        with psycopg.connect(server.admin_url, autocommit=True) as connection:
            return connection.execute(text.encode(), parameters or None).fetchall()

    return ask

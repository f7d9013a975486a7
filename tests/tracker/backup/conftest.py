"""A database with something in it, and the programs that back it up."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pglab.errors import ServerStartError
from pglab.scratch import Database, Scratch
from pglab.servers import Server
from pglab.servers.binaries import find_binaries
from tests.tracker.test_row_level_security import populate
from tracker.db import connected


@pytest.fixture(scope="session")
def programs(server: Server) -> Path | None:
    """The directory of the programs of the server's version; None: they are on the PATH."""
    try:
        return find_binaries(int(server.version.split(".")[0])).program("pg_dump").parent
    except ServerStartError:
        assert shutil.which("pg_dump")
        return None


@pytest.fixture
def filled(database: Database) -> str:
    """The URL of a database with rows in every table that has a policy."""
    with connected(database.url) as sessions, sessions() as session:
        populate(session, "a")
        populate(session, "b")
    return database.url


@pytest.fixture
def empty(scratch: Scratch) -> Iterator[str]:
    """The URL of a database with nothing in it."""
    database = scratch.clone("template0")
    yield database.url
    database.drop()

"""What tests of commands share: the learner's server with the course's database, and a place for
temporary files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from kit import database
from pglab.servers.durable import DurableServer


@pytest.fixture
def server(learners_home: Path) -> DurableServer:
    return DurableServer(learners_home).start()


@pytest.fixture
def tracker(server: DurableServer) -> Iterator[psycopg.Connection]:
    """A connection to the course's database, which is there."""
    url = database.ensure(server, say=lambda _line: None)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def temporary(kit_home_for_servers: Path) -> Path:
    """A folder for the temporary files of one command, which root's servers may enter."""
    folder = kit_home_for_servers / "temporary"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder

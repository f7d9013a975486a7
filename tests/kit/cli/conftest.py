"""The learner's server that tests of ``kit db`` share, and the course's database on it."""

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

"""Every notebook on another server than the one whose outputs are stored: in a container, older
where Debian's PostgreSQL 15 is what there is an image of, and given by URL.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pglab.servers import Server, open_server

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("[0-9][0-9]_*.ipynb"))


@pytest.fixture(scope="module")
def elsewhere(learner: Path) -> Iterator[Server]:
    """The server of the container tests, with an empty database that the kit is to fill."""
    with open_server("container", home=learner, disposable=True) as server:
        with psycopg.connect(server.admin_url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE tracker")
        yield server


@pytest.mark.container
@pytest.mark.notebook
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_the_same_on_another_server(
    path: Path,
    elsewhere: Server,
    nbval: Callable[[Path, dict[str, str]], subprocess.CompletedProcess[str]],
    kernel_environment: dict[str, str],
) -> None:
    ran = nbval(path, kernel_environment | {"DATABASE_URL": elsewhere.url("tracker")})
    assert ran.returncode == 0, ran.stdout[-4000:]

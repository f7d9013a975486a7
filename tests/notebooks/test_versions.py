"""Every notebook on other servers than the one whose outputs are stored: older, and by URL."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pglab.servers import Server, open_server

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("[0-9][0-9]_*.ipynb"))


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("embedded", marks=pytest.mark.slow),
        pytest.param("container", marks=pytest.mark.container),
    ],
)
def older(request: pytest.FixtureRequest, learner: Path) -> Iterator[Server]:
    """The wheel's PostgreSQL 16, or that of the container tests (15 where Debian's is taken)."""
    with open_server(request.param, home=learner, disposable=True, version=16) as server:
        with psycopg.connect(server.admin_url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE tracker")  # which the kit is to fill
        yield server


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_the_same_on_another_server(
    path: Path,
    older: Server,
    nbval: Callable[[Path, dict[str, str]], subprocess.CompletedProcess[str]],
    kernel_environment: dict[str, str],
) -> None:
    ran = nbval(path, kernel_environment | {"DATABASE_URL": older.url("tracker")})
    assert ran.returncode == 0, ran.stdout[-4000:]

"""One throw-away server for the tests of exercises, and the course as it stands."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pglab.servers import Server, open_server

ROOT = Path(__file__).parents[2]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-golden",
        action="store_true",
        help="write the messages that mistakes are shown now, instead of comparing them",
    )


@pytest.fixture(scope="session")
def course_root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kit")


@pytest.fixture(scope="session")
def server(home: Path) -> Iterator[Server]:
    with open_server("embedded", home=home, disposable=True) as server:
        yield server

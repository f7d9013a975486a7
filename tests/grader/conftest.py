"""What the tests of the grader share: one throw-away server, and sandboxes of both kinds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.judge import Judge
from grader.results import CheckResult
from grader.sandbox import BACKENDS, ProcessSandbox, Sandbox
from pglab.scratch import Database, Role, Scratch
from pglab.servers import Server, open_server
from tests.grader.courses import SOLUTION
from tests.grader.examining import Course, Examine
from tests.grader.laboratory import Laboratory, Submission

Submit = Callable[..., Submission]
WALLED = [
    pytest.param("bubblewrap", marks=pytest.mark.sandbox),
    pytest.param("container", marks=pytest.mark.container),
]
"""The backends that shut in other people's code."""


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A home of the kit that other accounts can enter, as a server started by root needs it."""
    place = Path(tempfile.mkdtemp(prefix="kit-test-home-"))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place)


@pytest.fixture(scope="session")
def server(home: Path) -> Iterator[Server]:
    """A throw-away PostgreSQL that all tests share."""
    with open_server("embedded", home=home, disposable=True) as running:
        yield running


@pytest.fixture(scope="session")
def scratch(server: Server) -> Iterator[Scratch]:
    with Scratch(server) as one:
        yield one


@pytest.fixture(scope="session")
def student_role(scratch: Scratch) -> Role:
    return scratch.role()


@pytest.fixture(scope="session")
def student_database(scratch: Scratch, student_role: Role) -> Database:
    """A database that the student's role can enter."""
    template = scratch.template("nothing in it", lambda url: None)
    return scratch.clone(template, grantee=student_role.name)


@pytest.fixture(
    scope="session",
    params=[*WALLED, "process"],
)
def lab(
    request: pytest.FixtureRequest, server: Server, student_role: Role, student_database: Database
) -> Iterator[Laboratory]:
    """A laboratory in each kind of sandbox."""
    with BACKENDS[request.param](server.socket_dir).start() as sandbox:
        yield Laboratory(server, sandbox, student_role, student_database)


@pytest.fixture(scope="session", params=WALLED)
def walled(
    request: pytest.FixtureRequest, server: Server, student_role: Role, student_database: Database
) -> Iterator[Laboratory]:
    """A laboratory in each kind of sandbox that shuts in other people's code."""
    with BACKENDS[request.param](server.socket_dir).start() as sandbox:
        yield Laboratory(server, sandbox, student_role, student_database)


@pytest.fixture
def fresh_lab(lab: Laboratory) -> Iterator[Laboratory]:
    """The same with a sandbox of the test's own, which it may break."""
    with type(lab.sandbox)(lab.server.socket_dir).start() as sandbox:
        yield Laboratory(lab.server, sandbox, lab.role, lab.database)


@pytest.fixture(scope="session")
def plain_sandbox(server: Server) -> Iterator[Sandbox]:
    with ProcessSandbox(server.socket_dir).start() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def judge(server: Server, plain_sandbox: Sandbox) -> Iterator[Judge]:
    """A judge with the sandbox that works everywhere."""
    with Judge(server, plain_sandbox, seed=1) as judge:
        yield judge


@pytest.fixture
def submit(lab: Laboratory) -> Iterator[Submit]:
    """Submits source text: ``submit(source, memory_bytes=…).value("function", …)``."""
    opened: list[Submission] = []

    def submit(source: str, **limits: int) -> Submission:
        opened.append(lab.submit(source, **limits))
        return opened[-1]

    yield submit
    for one in opened:
        one.close()


@pytest.fixture
def course(tmp_path: Path, judge: Judge) -> Iterator[Course]:
    yield Course(tmp_path, judge)
    while judge._pools:
        judge._pools.popitem()[1].close()


@pytest.fixture
def examine(course: Course) -> Examine:
    """Run one check, given as source text, on one answer."""

    def examine(check: str, answer: str = SOLUTION, **files: str) -> CheckResult:
        with course.desk(check, answer, **files) as desk:
            return desk.run(desk.exercise.checks[0])

    return examine

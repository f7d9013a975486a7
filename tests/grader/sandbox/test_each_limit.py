"""Every limit in every sandbox: going over it ends the work, and what is said names the limit.

The page on threats has a table of them. Its rows are held against what is tried here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from grader.judge import DATABASE_MEGABYTES, Judge
from grader.results import Reason
from grader.sandbox import Answer, Ended, Raised, Sandbox
from grader.worker.limits import Limits
from pglab.scratch import Database, Role, Scratch
from pglab.servers import Server
from tests.grader.examining import Course, failed
from tests.grader.laboratory import Laboratory, Submission

MB = 1024 * 1024
HEAD = "import os, threading, time\nfrom sqlalchemy import create_engine, text\nkept = []\n"


@dataclass(frozen=True)
class Case:
    """One limit, and a function that goes over it.

    Attributes:
        name: what the page calls it.
        body: of the function; answers ``over`` where nothing has stopped it.
        says: what is said, by the limits.
        amount: what is said besides, of a limit that PostgreSQL names itself.
        lower: limits that are soon reached.
        seconds: how long the call may take.
        walls: whether it takes a sandbox that shuts in.
    """

    name: str
    body: str
    says: Callable[[Limits], str]
    amount: str = ""
    lower: dict[str, int] = field(default_factory=dict)
    seconds: float = 60
    walls: bool = False


KERNELS = (
    Case("Time of a call", "time.sleep(600)", lambda _: "There was no answer within", seconds=0.5),
    Case(
        "Processor time of a process",
        "while True: pass",
        lambda had: f"It used more than {_counted(had.cpu_seconds, 'second')} of processor time.",
        lower={"cpu_seconds": 1},
    ),
    Case(
        "Memory of all processes together",
        "while True: kept.append(bytearray(b'x' * 1024 ** 2))",
        lambda had: f"It used more than {had.memory_bytes // MB} MB of memory.",
        lower={"memory_bytes": 300 * MB},
    ),
    Case(
        "Address space of a process",
        "kept.append(bytearray(3 * 1024 ** 3))",
        lambda had: f"a process has {had.address_space_bytes // MB} MB of memory",
    ),
    Case(
        "Processes and threads",
        "[threading.Thread(target=time.sleep, args=[9], daemon=True).start() for _ in range(20)]",
        lambda had: f"{had.processes} processes and threads may run at a time",
        lower={"processes": 12},
        walls=True,
    ),
    Case(
        "Open files of a process",
        "kept.extend(open('/dev/null') for _ in range(99))",
        lambda had: f"{had.open_files} files may be open at a time",
        lower={"open_files": 64},
    ),
    Case(
        "Size of a file",
        "open('large', 'wb').write(b'x' * 5 * 1024 ** 2)",
        lambda had: f"a file may have {had.file_bytes // MB} MB",
        lower={"file_bytes": 4 * MB},
    ),
    Case(
        "Size and number of all files in a folder",
        "[open(f'{n}', 'wb').write(b'x' * 1024 ** 2) for n in range(12)]",
        lambda had: f"its folders hold {had.disk_bytes // MB} MB and {had.disk_files} files each",
        lower={"disk_bytes": 8 * MB},
        walls=True,
    ),
    Case(
        "What is printed",
        "while True: print('x' * 10_000)",
        lambda had: f"It printed more than {had.output_bytes // MB} MB.",
        lower={"output_bytes": 2 * MB},
    ),
)
SERVERS = (
    Case(
        "Connections",
        "[kept.append(create_engine(session.get_bind().url).connect()) for _ in range(9)]",
        lambda had: f"{had.connections} connections may be open at a time",
        lower={"connections": 3},
    ),
    Case(
        "Time of a statement",
        "session.execute(text('SELECT pg_sleep(60)'))",
        lambda had: f"a statement may take {had.statement_seconds} seconds",
        lower={"statement_seconds": 2},
    ),
    Case(
        "Temporary files of a session",
        "session.execute(text('SELECT count(*) FROM "
        "(SELECT g FROM generate_series(1, 3000000) AS g ORDER BY g::text) AS s'))",
        lambda _: "temporary file size exceeds",
        "(1024kB)",
        seconds=120,
    ),
)
DATABASE = "Size of the database"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def source(case: Case) -> str:
    return f"{HEAD}def f(session):\n    {case.body}\n    return 'over'\n"


def goes_over(lab: Laboratory, case: Case) -> None:
    """Let a submission go over a limit: it is told which, and the next check finds all in order."""
    limits = Limits(**case.lower)
    one = Submission(lab, {"m.py": source(case)}, limits)
    outcome = one.call("f", seconds=case.seconds)
    assert isinstance(outcome, Ended | Raised), outcome
    assert case.says(limits) in outcome.message
    assert case.amount in outcome.message
    if isinstance(outcome, Ended):
        wall_time = case.seconds < 60
        assert outcome.reason is (Reason.TIMEOUT if wall_time else Reason.LIMIT)
    assert one.again() == Answer(None)
    one.close()


@pytest.mark.parametrize("case", [c for c in KERNELS if not c.walls], ids=lambda c: c.name)
def test_a_limit_of_every_sandbox_is_named(lab: Laboratory, case: Case) -> None:
    goes_over(lab, case)


@pytest.mark.parametrize("case", [c for c in KERNELS if c.walls], ids=lambda c: c.name)
def test_a_limit_of_sandboxes_that_shut_in_is_named(walled: Laboratory, case: Case) -> None:
    goes_over(walled, case)


@pytest.mark.parametrize("case", [c for c in KERNELS if c.walls], ids=lambda c: c.name)
def test_a_mere_process_does_not_hold_them(plain_lab: Laboratory, case: Case) -> None:
    one = plain_lab.submit(
        f"{HEAD}def f(session):\n    {case.body}\n    return 'over'", **case.lower
    )
    assert one.value("f") == "over"
    one.close()


@pytest.mark.parametrize("case", SERVERS, ids=lambda c: c.name)
def test_a_limit_of_the_server_is_named_in_every_sandbox(
    lab: Laboratory, narrow: tuple[Role, Database], case: Case
) -> None:
    goes_over(Laboratory(lab.server, lab.sandbox, *narrow), case)


LASTS = """
import os
import psycopg

ENGINE = create_engine(os.environ["DATABASE_URL"])

def f(session, kind, lower=None):
    sleep = text("SELECT pg_sleep(60)")
    if lower:
        session.execute(text("SELECT pg_sleep(1.9)"))
        session.execute(text(f"SET LOCAL statement_timeout = {lower}"))
    if kind == "given":
        session.execute(sleep)
    if kind == "own":
        with ENGINE.connect() as connection:
            connection.execute(sleep)
    if kind == "raised":
        session.execute(text("SELECT pg_sleep(1)"))
        session.execute(text("DO $$BEGIN RAISE USING ERRCODE = '57014', MESSAGE ="
                             " 'canceling statement due to statement timeout'; END$$"))
    with psycopg.connect(os.environ["DATABASE_URL"].replace("+psycopg", "")) as connection:
        connection.execute("SELECT pg_sleep(60)")
"""


def test_only_a_statement_that_reached_the_limit_is_told_its_amount(
    lab: Laboratory, narrow: tuple[Role, Database]
) -> None:
    lab = Laboratory(lab.server, lab.sandbox, *narrow)
    one = Submission(lab, {"m.py": HEAD + LASTS}, Limits(statement_seconds=2))
    timeout = "canceling statement due to statement timeout"
    named = f"{timeout} (a limit of the sandbox: a statement may take 2 seconds)"
    for arguments, is_named in {
        ("given",): True,
        ("own",): True,
        ("given", 300): False,  # its own limit, although the call took longer than the kit's
        ("raised",): False,
        ("psycopg",): False,  # not by SQLAlchemy: nobody knows how long it lasted
    }.items():
        outcome = one.call("f", *arguments)
        assert isinstance(outcome, Raised), outcome
        assert (outcome.sqlstate, outcome.message.startswith(timeout)) == ("57014", True)
        assert (outcome.message == named) is is_named, (arguments, outcome.message)
        assert ("sandbox" in outcome.message) is is_named
    one.close()


def test_who_fills_the_database_is_told_in_every_sandbox(
    lab: Laboratory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = "def test_it(student):\n    student.call('fill')\n"
    answer = """
from sqlalchemy import text

ROWS = text("INSERT INTO notes (body) SELECT repeat('x', 1000) FROM generate_series(1, 1000)")

def fill(session):
    while True:
        session.execute(ROWS)
        session.commit()
"""
    with Judge(lab.server, lab.sandbox, seed=1) as judge:
        monkeypatch.setattr(judge.quota, "_bytes", 20 * MB)
        with Course(tmp_path, judge).desk(check, answer) as desk:
            result = desk.run(desk.exercise.checks[0])
        while judge._pools:
            judge._pools.popitem()[1].close()
    assert "filled the database with more than 20 MB" in failed(result, Reason.LIMIT)


def test_the_page_has_every_limit_where_it_holds_and_what_is_said(root: Path) -> None:
    page = (root / "docs" / "threats.md").read_text(encoding="utf-8")
    section = re.search(r"^## Limits\n(.*?)^## ", page, re.MULTILINE | re.DOTALL)
    assert section
    rows = [tuple(re.split(r" \| ", row)) for row in re.findall(r"^\| (.+) \|$", section[1], re.M)]
    told = {name: (columns, said.strip("“”")) for name, _, *columns, said in rows[2:]}
    had = Limits()
    expected = {
        case.name: (["yes", "yes", "no" if case.walls else "yes"], case.says(had))
        for case in (*KERNELS, *SERVERS)
    }
    filled = f"filled the database with more than {DATABASE_MEGABYTES} MB"
    expected[DATABASE] = (["yes"] * 3, filled)
    assert told == expected


@pytest.fixture(scope="session")
def narrow(scratch: Scratch) -> tuple[Role, Database]:
    """A role that soon reaches its limits, and a database that it can enter."""
    role = scratch.role(connection_limit=3, statement_timeout_ms=2000, temp_file_limit_kb=1024)
    template = scratch.template("nothing in it", lambda url: None)
    return role, scratch.clone(template, grantee=role.name)


@pytest.fixture
def plain_lab(
    server: Server, plain_sandbox: Sandbox, student_role: Role, student_database: Database
) -> Laboratory:
    return Laboratory(server, plain_sandbox, student_role, student_database)

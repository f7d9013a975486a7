"""What one check costs, and what its parts would cost by themselves: ratios of one run.

    python bench/checks.py [--submissions N] [--sandbox bubblewrap|process]

Prints seconds per item and, in the last column, how many times a fork of the warm zygote each
takes. A submission has five checks, fewer than in any exercise of this course.
The *floor* is what no grader of this kind can avoid, one thing after the other: a clone, a fork, an
import and a call that writes one row, a drop. The last lines are about whole runs of the grader: a
check on average, what a run starts and ends included, and each that a class has more than one of a
fifth of its size, where that is left out.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from grader import wire
from grader.batch import grade
from grader.sandbox import Answer, Sandbox, open_sandbox
from pglab.scratch import Scratch
from pglab.servers import Server, open_server
from pglab.urls import database_url, sqlalchemy_url

CHECKS = 5
SCHEMA = "CREATE TABLE notes (body text NOT NULL);"
NOTE = (
    "from sqlalchemy import text\n\n\ndef add(session, body):\n"
    '    session.execute(text("INSERT INTO notes VALUES (:body)"), {"body": body})\n'
)
CHECK = """

@check("Note {number} is stored")
def test_stored_{number}(student, db, data):
    student.call("add", data.text())
    assert db.count("notes") == 1, hint("Nothing was stored.")
"""
EXERCISE = {
    "exercises/01_note/exercise.toml": (
        'title = "A note"\nnotebook = "00_start"\nminutes = 1\nanswer = ["note.py"]\n'
        'schema = "schema.sql"\n[worker]\nmodule = "note"\n'
    ),
    "exercises/01_note/schema.sql": SCHEMA,
    "exercises/01_note/note.py": NOTE,
    "exercises/01_note/test_visible.py": "from grader.checks import check, hint\n"
    + "".join(CHECK.format(number=number) for number in range(CHECKS)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=100)
    parser.add_argument("--sandbox", default="bubblewrap")
    options = parser.parse_args()
    if options.submissions < 2:
        parser.error("--submissions: two at least, for the cost of one more")
    with tempfile.TemporaryDirectory(prefix="kit-bench-") as folder:
        rows = measure(Path(folder), options.submissions, options.sandbox)
    seconds = dict(rows)
    for name, each_s in rows:
        print(f"{name:45} {each_s * 1000:9.1f} ms {each_s / seconds[FORK]:8.1f} x")
    for name in RUNS:
        print(
            f"{name}: {seconds[name] / seconds[FLOOR]:.2f} times the floor; "
            f"{1 / seconds[name]:.0f} checks a second"
        )


FORK = "fork of the warm zygote, and its end"
FLOOR = "floor: clone, fork, one call, drop"
RUNS = (
    "a whole check, one process",
    "a whole check, two processes",
    "one more check, one process",
    "one more check, two processes",
)


def measure(root: Path, submissions: int, sandbox_name: str) -> list[tuple[str, float]]:
    for name, content in EXERCISE.items():
        path = root / "course" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    few = max(submissions // 5, 1)
    for number in range(submissions):
        for size in (few, submissions):
            if number < size:
                target = root / f"class of {size}" / f"student{number}" / "01_note"
                target.mkdir(parents=True)
                (target / "note.py").write_text(NOTE, encoding="utf-8")
    rows = [("fresh interpreter that imports SQLAlchemy", each(5, fresh_interpreter))]
    with open_server("embedded", home=root / "home", disposable=True) as server:
        sandbox = open_sandbox(sandbox_name, socket_dir=server.socket_dir, own_work=True)
        with sandbox, Scratch(server) as scratch:
            rows += [
                (name, each(submissions, part)) for name, part in parts(server, sandbox, scratch)
            ]
    seconds = {
        (size, jobs): graded(root, size, jobs, sandbox_name)
        for jobs in (1, 2)
        for size in (few, submissions)
    }
    each_s = [seconds[submissions, jobs] / submissions for jobs in (1, 2)]
    each_s += [
        (seconds[submissions, jobs] - seconds[few, jobs]) / (submissions - few) for jobs in (1, 2)
    ]
    return rows + [(name, taken / CHECKS) for name, taken in zip(RUNS, each_s, strict=True)]


def graded(root: Path, size: int, jobs: int, sandbox_name: str) -> float:
    """Seconds that it takes to grade a class, from the start of its server to its end."""
    started = time.perf_counter()
    grading = grade(
        [root / f"class of {size}"],
        course_root=root / "course",
        home=root / "home",
        database="embedded",
        sandbox=sandbox_name,
        own_work=True,
        seed=1,
        jobs=jobs,
    )
    assert all(s.earned == s.points for s in grading.submissions)
    return time.perf_counter() - started


def parts(
    server: Server, sandbox: Sandbox, scratch: Scratch
) -> list[tuple[str, Callable[[], None]]]:
    """What is to be timed, by name."""
    role = scratch.role()

    def inside(database: str) -> str:
        return sqlalchemy_url(
            database_url(
                database,
                user=role.name,
                password=role.password,
                host=sandbox.socket_dir_inside,
                port=server.port,
            )
        )

    def build(url: str) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"{SCHEMA} GRANT INSERT ON notes TO PUBLIC".encode())

    template = scratch.template("bench", build)
    known = scratch.clone(template, grantee=role.name)
    sandbox.meet(lambda: contextlib.nullcontext(inside(known.name)))
    known.drop()
    cell = sandbox.cell()

    def fork() -> None:
        cell.runner().close()
        cell.reset()

    def floor() -> None:
        database = scratch.clone(template, grantee=role.name)
        runner = cell.runner()
        opened = runner.ask(
            {
                "op": "open",
                "url": inside(database.name),
                "files": {"note.py": wire.encode(NOTE.encode())},
                "module": "note",
            },
            20,
        )
        called = runner.ask(
            {
                "op": "call",
                "function": "add",
                "args": wire.encode(["a note"]),
                "kwargs": wire.encode({}),
                "commit": True,
            },
            20,
        )
        assert isinstance(opened, Answer), opened
        assert isinstance(called, Answer), called
        runner.close()
        cell.reset()
        database.drop()

    return [(FORK, fork), (FLOOR, floor)]


def each(times: int, work: Callable[[], None]) -> float:
    """Seconds that one of ``times`` rounds takes on average."""
    started = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - started) / times


def fresh_interpreter() -> None:
    subprocess.run([sys.executable, "-c", "import sqlalchemy.orm, psycopg"], check=True)


if __name__ == "__main__":
    main()

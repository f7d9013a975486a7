"""What one check costs, and what its parts would cost by themselves: ratios of one run.

    python bench/checks.py [--checks N] [--sandbox bubblewrap|process]

Prints seconds per item and, in the last column, how many times a fork of the warm zygote each
takes.
The *floor* is what no grader of this kind can avoid: a clone, a fork, one call, a drop.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from grader.batch import grade
from grader.sandbox import open_sandbox
from pglab.scratch import Scratch
from pglab.servers import open_server

EXERCISE = {
    "exercises/01_note/exercise.toml": (
        'title = "A note"\nnotebook = "00_start"\nminutes = 1\nanswer = ["note.py"]\n'
        'schema = "schema.sql"\n[worker]\nmodule = "note"\n'
    ),
    "exercises/01_note/schema.sql": "CREATE TABLE notes (body text NOT NULL);",
    "exercises/01_note/note.py": (
        "from sqlalchemy import text\n\n\ndef add(session, body):\n"
        '    session.execute(text("INSERT INTO notes VALUES (:body)"), {"body": body})\n'
    ),
    "exercises/01_note/test_visible.py": (
        "from grader.checks import check, hint\n\n\n"
        '@check("A note is stored")\ndef test_stored(student, db, data):\n'
        '    student.call("add", data.text())\n'
        '    assert db.count("notes") == 1, hint("Nothing was stored.")\n'
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checks", type=int, default=100)
    parser.add_argument("--sandbox", default="bubblewrap")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kit-bench-") as folder:
        root = Path(folder)
        rows = measure(root, options.checks, options.sandbox)
    fork = dict(rows)["fork of the warm zygote, and its end"]
    for name, seconds in rows:
        print(f"{name:45} {seconds * 1000:9.1f} ms {seconds / fork:8.1f} x")
    floor, check = dict(rows)["floor: clone, fork, drop"], dict(rows)["a whole check, one process"]
    print(f"a whole check is {check / floor:.2f} times the floor; {1 / check:.0f} checks a second")


def measure(root: Path, checks: int, sandbox_name: str) -> list[tuple[str, float]]:
    for name, content in EXERCISE.items():
        path = root / "course" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    for number in range(checks):
        target = root / "class" / f"student{number}" / "01_note"
        target.mkdir(parents=True)
        (target / "note.py").write_text(EXERCISE["exercises/01_note/note.py"], encoding="utf-8")
    rows = [("fresh interpreter that imports SQLAlchemy", each(5, fresh_interpreter))]
    with open_server("embedded", home=root / "home", disposable=True) as server:
        sandbox = open_sandbox(sandbox_name, socket_dir=server.socket_dir, own_work=True)
        try:
            cell = sandbox.cell()

            def fork() -> None:
                cell.runner().close()
                cell.reset()

            rows.append(("fork of the warm zygote, and its end", each(checks, fork)))
            scratch = Scratch(server)
            template = scratch.template("bench", lambda url: None)

            def floor() -> None:
                database = scratch.clone(template)
                fork()
                database.drop()

            rows.append(("floor: clone, fork, drop", each(checks, floor)))
            scratch.close()
        finally:
            sandbox.close()
    for jobs, name in ((1, "a whole check, one process"), (2, "a whole check, two processes")):
        started = time.perf_counter()
        grading = grade(
            [root / "class"],
            course_root=root / "course",
            home=root / "home",
            database="embedded",
            sandbox=sandbox_name,
            own_work=True,
            seed=1,
            jobs=jobs,
        )
        rows.append((name, (time.perf_counter() - started) / checks))
        assert all(s.earned == s.points for s in grading.submissions)
    return rows


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

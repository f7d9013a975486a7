"""The same small assignment by this kit and by three other graders, in one run.

    python bench/peers.py [--submissions N] [--venvs DIR]

Three exercises: store a row, read lists without a statement for each, move an amount in one
transaction. Every submission is right, so that each grader runs all of it. All of them use the same
PostgreSQL, and each works as its documents say:

- this kit: ``kit grade`` in its sandbox, with a database for each check;
- nbgrader: ``nbgrader autograde`` over the class, whose notebooks each make the tables anew;
- Otter: ``otter run`` for each submission, which makes the tables anew;
- pytest: one process for each submission, a database by ``create_all`` for each.

The others run student code as the account that grades, with no sandbox, in one process. They are
installed from PyPI into environments of their own, which stay in --venvs for the next time.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from pglab.databases import Database
from pglab.scratch import Scratch
from pglab.servers import Server, open_server

PINNED = {
    "nbgrader": ("nbgrader==0.9.5", "jupyter-client<9"),
    "otter": ("otter-grader==6.1.6", "jupyter-client<9", "ipykernel"),
    "pytest": ("pytest>=9,<10",),
}
"""What each of the others is installed from, beside SQLAlchemy and psycopg."""
DRIVERS = ("sqlalchemy>=2.0,<2.2", "psycopg[binary]>=3.2,<4")

ADD = """from sqlalchemy import text


def add_learner(session, name):
    session.execute(text("INSERT INTO learners (name) VALUES (:name)"), {"name": name})
"""
LISTS = """from sqlalchemy import text


def lessons_by_course(session):
    rows = session.execute(
        text(
            "SELECT courses.title, array_agg(lessons.title ORDER BY lessons.title)"
            " FROM courses JOIN lessons ON lessons.course_id = courses.id"
            " GROUP BY courses.title ORDER BY courses.title"
        )
    )
    return [[title, list(lessons)] for title, lessons in rows]
"""
TRANSFER = """from sqlalchemy import text


def transfer(session, source, target, amount):
    for account, change in ((target, amount), (source, -amount)):
        session.execute(
            text("UPDATE accounts SET balance = balance + :change WHERE id = :id"),
            {"change": change, "id": account},
        )
    session.commit()
"""
ANSWERS = {
    "01_add": ("add.py", ADD),
    "02_lists": ("lists.py", LISTS),
    "03_transfer": ("transfer.py", TRANSFER),
}
TABLES = {
    "01_add": (
        "CREATE TABLE learners (id integer GENERATED ALWAYS AS IDENTITY, name text NOT NULL);"
    ),
    "02_lists": (
        "CREATE TABLE courses (id integer PRIMARY KEY, title text NOT NULL);\n"
        "CREATE TABLE lessons (course_id integer NOT NULL REFERENCES courses, title text NOT NULL);"
    ),
    "03_transfer": (
        "CREATE TABLE accounts (id integer PRIMARY KEY,"
        " balance integer NOT NULL CHECK (balance >= 0));"
    ),
}
CHECKS = {
    "01_add": """
@check("A learner is stored")
def test_stored(student, db, data):
    name = data.word()
    student.call("add_learner", name)
    assert db.count("learners", name=name) == 1, hint("The learner was not stored.")
""",
    "02_lists": """
@check("All lists are read at once")
def test_lists(student, db, statements, data):
    titles = ["a", "b", "c"]
    db.insert("courses", *({"id": n, "title": t} for n, t in enumerate(titles)))
    db.insert("lessons", *({"course_id": n, "title": f"{n} {m}"} for n in range(3) for m in (1, 2)))
    got = student.call("lessons_by_course")
    assert got == [[t, [f"{n} 1", f"{n} 2"]] for n, t in enumerate(titles)], hint("Other lists.")
    assert statements.last.count <= 2, hint("A statement for each course.")
""",
    "03_transfer": """
@check("An amount is moved whole or not at all")
def test_moved(student, db):
    db.insert("accounts", {"id": 1, "balance": 10}, {"id": 2, "balance": 0})
    student.call("transfer", 1, 2, 7)
    student.call("transfer", 1, 2, 7, expect=Raises())
    assert db.one("accounts", id=1, balance=3), hint("The first account has another balance.")
    assert db.one("accounts", id=2, balance=7), hint("The second account has another balance.")
""",
}
HARNESS = '''"""What the tests of the others share: tables made anew, and a counted session."""

import contextlib
import os

from sqlalchemy import (
    CheckConstraint, Column, ForeignKey, Identity, Integer, MetaData, Table, Text, create_engine,
    event, text,
)
from sqlalchemy.orm import Session

tables = MetaData()
Table("learners", tables, Column("id", Integer, Identity(always=True)),
      Column("name", Text, nullable=False))
Table("courses", tables, Column("id", Integer, primary_key=True),
      Column("title", Text, nullable=False))
Table("lessons", tables, Column("course_id", ForeignKey("courses.id"), nullable=False),
      Column("title", Text, nullable=False))
Table("accounts", tables, Column("id", Integer, primary_key=True),
      Column("balance", Integer, CheckConstraint("balance >= 0"), nullable=False))
engine = create_engine(os.environ["BENCH_URL"])


@contextlib.contextmanager
def fresh():
    """A session on tables made anew, and the statements that are sent meanwhile."""
    tables.drop_all(engine)
    tables.create_all(engine)
    sent = []

    def note(connection, cursor, statement, *rest):
        sent.append(statement)

    with Session(engine) as session:
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield session, sent
        finally:
            event.remove(engine, "before_cursor_execute", note)
'''
TESTS = {
    "01_add": """with fresh() as (session, sent):
    add_learner(session, "Ada")
    session.commit()
    assert session.scalar(text("SELECT count(*) FROM learners WHERE name = 'Ada'")) == 1
""",
    "02_lists": """with fresh() as (session, sent):
    for n, title in enumerate("abc"):
        _ = session.execute(text("INSERT INTO courses VALUES (:n, :title)"),
                            {"n": n, "title": title})
        for m in (1, 2):
            _ = session.execute(text("INSERT INTO lessons VALUES (:n, :title)"),
                                {"n": n, "title": f"{n} {m}"})
    session.commit()
    sent.clear()
    got = lessons_by_course(session)
    assert got == [[t, [f"{n} 1", f"{n} 2"]] for n, t in enumerate("abc")]
    assert len(sent) <= 2
""",
    "03_transfer": """with fresh() as (session, sent):
    _ = session.execute(text("INSERT INTO accounts VALUES (1, 10), (2, 0)"))
    session.commit()
    transfer(session, 1, 2, 7)
    try:
        _ = transfer(session, 1, 2, 7)
    except Exception:
        session.rollback()
    balances = session.execute(text("SELECT balance FROM accounts ORDER BY id")).scalars().all()
    assert balances == [3, 7]
""",
}
IMPORTS = "from harness import fresh\nfrom sqlalchemy import text\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=40)
    parser.add_argument("--venvs", type=Path, default=Path("build/peers"))
    options = parser.parse_args()
    if options.submissions < 2:
        parser.error("--submissions: two at least, for the cost of one more")
    pythons = {name: installed(options.venvs.absolute(), name) for name in PINNED}
    few, many = max(options.submissions // 4, 1), options.submissions
    with tempfile.TemporaryDirectory(prefix="kit-bench-") as name:
        root = Path(name)
        root.chmod(0o755)
        (root / "harness.py").write_text(HARNESS, encoding="utf-8")
        with open_server("embedded", home=root / "home", disposable=True) as server:
            kits = {"this kit": 1, "this kit, --jobs 2": 2}
            seconds: dict[str, list[float]] = {title: [] for title in kits}
            for count in (few, many):
                kit = Kit(root / f"kit{count}", server, count)
                for title, jobs in kits.items():
                    seconds[title].append(timed(partial(kit.grade, jobs=jobs)))
            scratch = Scratch(server)
            database = scratch.clone(scratch.template("peers", lambda url: None))
            environment = outside(server, database, root)
            for title, grade in (
                ("pytest", pytest_each),
                ("nbgrader autograde", nbgrader_all),
                ("otter run", otter_each),
            ):
                python = pythons[title.split()[0]]
                # Where an environment's programs are looked for once it is activated.
                path = os.pathsep.join([str(python.parent), environment["PATH"]])
                seconds[title] = []
                for count in (few, many):
                    place = root / f"{title.split()[0]}{count}"
                    place.mkdir()
                    seconds[title].append(grade(python, place, count, environment | {"PATH": path}))
            scratch.close()
    tell(seconds, few, many)


def tell(seconds: Mapping[str, Sequence[float]], few: int, many: int) -> None:
    """Seconds of each submission of the larger class, and of each that it has more than the
    smaller: what a command takes to start is in the first and not in the second.
    """
    each = {title: taken[1] / many for title, taken in seconds.items()}
    further = {title: (taken[1] - taken[0]) / (many - few) for title, taken in seconds.items()}
    kit = "this kit"
    print(f"{many} submissions of three exercises       a submission      each after {few}")
    for title in seconds:
        print(
            f"{title:24}{each[title]:18.3f} s {each[title] / each[kit]:6.1f} x"
            f"{further[title]:12.3f} s {further[title] / further[kit]:6.1f} x"
        )


def installed(venvs: Path, name: str) -> Path:
    """The interpreter of an environment that holds one of the others, made when first asked for."""
    place = venvs / name
    python = place / "bin" / "python"
    ready = place / "ready.json"
    wanted = [*PINNED[name], *DRIVERS]
    if not ready.exists() or json.loads(ready.read_text(encoding="utf-8")) != wanted:
        print(f"Installing {PINNED[name][0]} into {place} …", file=sys.stderr)
        shutil.rmtree(place, ignore_errors=True)
        venv.create(place, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
        ready.write_text(json.dumps(wanted), encoding="utf-8")
    return python


def outside(server: Server, database: Database, root: Path) -> dict[str, str]:
    """The environment variables of the others."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "BENCH_URL": database.url.replace("postgresql://", "postgresql+psycopg://", 1),
        "PYTHONPATH": str(root),
        "JUPYTER_PLATFORM_DIRS": "1",
    }


def timed(work: Callable[[], None]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def run(words: list[Any], place: Path, environment: Mapping[str, str]) -> None:
    """Run a command, and show what it said only where it fails."""
    ended = subprocess.run(
        list(map(str, words)),
        cwd=place,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ended.returncode:
        print(ended.stdout, file=sys.stderr)
        raise SystemExit(f"{words[1:4]} ended with exit status {ended.returncode}.")


class Kit:
    """A course of this kit with the three exercises, and a class that solved them."""

    def __init__(self, place: Path, server: Server, count: int) -> None:
        self._place = place
        self._server = server
        self._count = count
        for exercise, (file, answer) in ANSWERS.items():
            described = (
                f'title = "{exercise}"\nnotebook = "00_start"\nminutes = 1\nanswer = ["{file}"]\n'
                f'schema = "schema.sql"\n[worker]\nmodule = "{file.removesuffix(".py")}"\n'
            )
            if exercise == "03_transfer":
                described += 'transaction = "callee"\n'
            folder = place / "course" / "exercises" / exercise
            folder.mkdir(parents=True)
            (folder / "exercise.toml").write_text(described, encoding="utf-8")
            (folder / "schema.sql").write_text(TABLES[exercise], encoding="utf-8")
            (folder / file).write_text(answer, encoding="utf-8")
            checks = "from grader.checks import Raises, check, hint\n\n" + CHECKS[exercise]
            (folder / "test_visible.py").write_text(checks, encoding="utf-8")
            for number in range(count):
                handed_in = place / "class" / f"student{number:03}" / exercise
                handed_in.mkdir(parents=True)
                shutil.copy(folder / file, handed_in)

    def grade(self, *, jobs: int) -> None:
        """Grade the class, and see that all points were given."""
        out = self._place / f"out{jobs}"
        options = ["--database", self._server.admin_url, "--jobs", jobs, "--out", out]
        words = [sys.executable, "-m", "kit", "grade", self._place / "class", *options]
        kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        run(words, self._place / "course", kept | {"KIT_HOME": str(self._place / "home")})
        results = json.loads((out / "results.json").read_text(encoding="utf-8"))["submissions"]
        assert len(results) == self._count
        assert all(each["earned"] == each["points"] for each in results)


def pytest_each(python: Path, place: Path, count: int, environment: Mapping[str, str]) -> float:
    """One pytest process for each submission."""
    for number in range(count):
        folder = place / f"student{number:03}"
        folder.mkdir()
        for file, answer in ANSWERS.values():
            (folder / file).write_text(answer, encoding="utf-8")
        imports = IMPORTS + "".join(
            f"from {file.removesuffix('.py')} import *\n" for file, _ in ANSWERS.values()
        )
        tests = "".join(
            f"\n\ndef test_{name}():\n" + indented(test, "    ") for name, test in TESTS.items()
        )
        (folder / "test_answers.py").write_text(imports + tests, encoding="utf-8")

    def grade() -> None:
        for number in range(count):
            run([python, "-m", "pytest", "-q"], place / f"student{number:03}", environment)

    return timed(grade)


def nbgrader_all(python: Path, place: Path, count: int, environment: Mapping[str, str]) -> float:
    """One command for the class; making the assignment is not counted."""
    config = "c = get_config()\nc.CourseDirectory.course_id = 'bench'\n"
    (place / "nbgrader_config.py").write_text(config, encoding="utf-8")
    notebook = solved()
    for cell, exercise in zip(
        notebook.cells[1:], [e for e in ANSWERS for _ in range(2)], strict=True
    ):
        is_test = cell.source.startswith("with ")
        cell.metadata["nbgrader"] = {
            "schema_version": 3,
            "grade_id": f"{'test' if is_test else 'answer'}_{exercise}",
            "grade": is_test,
            "locked": is_test,
            "solution": not is_test,
            "task": False,
            **({"points": 1} if is_test else {}),
        }
    written(notebook, place / "source" / "ps1" / "answers.ipynb")
    nbgrader = [python, "-m", "nbgrader"]
    run([*nbgrader, "generate_assignment", "ps1"], place, environment)
    for number in range(count):
        written(notebook, place / "submitted" / f"student{number:03}" / "ps1" / "answers.ipynb")
    seconds = timed(lambda: run([*nbgrader, "autograde", "ps1"], place, environment))
    run([*nbgrader, "export"], place, environment)
    grades = (place / "grades.csv").read_text(encoding="utf-8").splitlines()
    column = grades[0].split(",").index("score")
    scores = [float(line.split(",")[column]) for line in grades[1:]]
    assert scores == [3.0] * count, scores
    return seconds


def otter_each(python: Path, place: Path, count: int, environment: Mapping[str, str]) -> float:
    """One command for each submission; making the autograder is not counted."""
    tests = place / "tests"
    tests.mkdir()
    for exercise, test in TESTS.items():
        lines = (IMPORTS + test).splitlines()
        code = "\n".join(
            (">>> " if not line.startswith((" ", ")")) else "... ") + line for line in lines
        )
        case = {
            "name": exercise,
            "points": 1,
            "suites": [{"cases": [{"code": code}], "type": "doctest"}],
        }
        (tests / f"q_{exercise}.py").write_text(
            f"OK_FORMAT = True\n\ntest = {case!r}\n", encoding="utf-8"
        )
    otter = [python, "-m", "otter"]
    run([*otter, "generate", "-t", tests, "-o", place / "autograder.zip"], place, environment)
    for number in range(count):
        written(solved(with_tests=False), place / f"student{number:03}.ipynb")

    def grade() -> None:
        for number in range(count):
            out = place / f"out{number:03}"
            out.mkdir()
            options = ["-a", place / "autograder.zip", "-o", out, "--no-logo"]
            run([*otter, "run", *options, place / f"student{number:03}.ipynb"], place, environment)

    seconds = timed(grade)
    for number in range(count):
        results = json.loads(
            (place / f"out{number:03}" / "results.json").read_text(encoding="utf-8")
        )
        earned = sum(test.get("score", 0) for test in results["tests"])
        assert earned == len(ANSWERS), results
    return seconds


def solved(*, with_tests: bool = True) -> Any:
    """A notebook that answers all three exercises, each followed by its test."""
    cells = [new_code_cell(IMPORTS)]
    for exercise, (_, answer) in ANSWERS.items():
        cells.append(new_code_cell(answer))
        if with_tests:
            cells.append(new_code_cell(TESTS[exercise]))
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return new_notebook(cells=cells, metadata=kernel)


def written(notebook: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def indented(code: str, by: str) -> str:
    return "".join(by + line for line in code.splitlines(keepends=True))


if __name__ == "__main__":
    main()

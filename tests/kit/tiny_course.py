"""A course of one small exercise, so that whole commands run in a moment."""

from __future__ import annotations

from pathlib import Path

EXERCISE = "01_greetings"

FILES = {
    f"exercises/{EXERCISE}/exercise.toml": """
title = "Greetings"
notebook = "00_start"
minutes = 1
answer = ["greetings.py"]
schema = "schema.sql"
[worker]
module = "greetings"
""",
    f"exercises/{EXERCISE}/README.md": "Store greetings.\n",
    f"exercises/{EXERCISE}/schema.sql": """
CREATE TABLE greetings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    words text NOT NULL
);
""",
    f"exercises/{EXERCISE}/greetings.py": "def greet(session, words):\n    ...\n",
    f"exercises/{EXERCISE}/test_visible.py": """
from grader.checks import check, hint


@check("A greeting is stored", points=1)
def test_a_greeting_is_stored(student, db, data):
    words = data.text(3)
    student.call("greet", words)
    assert db.count("greetings", words=words) == 1, hint(
        "The greeting is not in the table.", question="Which statement stores a row?"
    )


@check("Nothing else is stored", points=1)
def test_nothing_else_is_stored(student, db, data):
    student.call("greet", data.text(3))
    assert db.count("greetings") < 2, hint("There is more than one row.")
""",
    f"solutions/{EXERCISE}/test_hidden.py": """
from grader.checks import check, hint


@check("Two greetings are two rows", points=2, misconception="one-for-all")
def test_two_greetings_are_two_rows(student, db):
    student.call("greet", "hello")
    student.call("greet", "hello")
    assert db.count("greetings") == 2, hint("Two calls should store two rows.")
""",
    f"solutions/{EXERCISE}/mistakes/once.py": """# misconception: one-for-all
# fails: test_two_greetings_are_two_rows
from sqlalchemy import text


def greet(session, words):
    session.execute(
        text("INSERT INTO greetings (words) SELECT :w WHERE NOT EXISTS (SELECT FROM greetings)"),
        {"w": words},
    )
""",
    "docs/misconceptions/one-for-all.md": """+++
title = "One row for all"
notebook = "00_start"
hints = ["What is a row?", "Look at INSERT.", "Insert for each call."]
+++
A row stands for one fact.
""",
}

RIGHT = """
from sqlalchemy import text


def greet(session, words):
    session.execute(text("INSERT INTO greetings (words) VALUES (:w)"), {"w": words})
"""

WRONG = """
def greet(session, words):
    print("stored:", words)
"""

ENDLESS = """
from sqlalchemy import text


def greet(session, words):
    session.execute(text("SELECT pg_sleep(600)"))
"""


def make_course(root: Path) -> Path:
    """Write the course's files; its solution is `RIGHT`."""
    for name, content in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.lstrip("\n"), encoding="utf-8")
    solution = root / "solutions" / EXERCISE
    (solution / "greetings.py").write_text(RIGHT, encoding="utf-8")
    return root


def hand_in(folder: Path, student: str, answer: str | bytes) -> None:
    """Write a student's answer as it is handed in."""
    place = folder / student / EXERCISE
    place.mkdir(parents=True)
    content = answer if isinstance(answer, bytes) else answer.encode()
    (place / "greetings.py").write_bytes(content)


def answer_own(course: Path, answer: str | bytes) -> None:
    """Write the learner's own answer in the course's folder."""
    content = answer if isinstance(answer, bytes) else answer.encode()
    (course / "exercises" / EXERCISE / "greetings.py").write_bytes(content)

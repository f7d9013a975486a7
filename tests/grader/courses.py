"""A course of one small exercise, written to a folder, with whatever a test wants otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

EXERCISE = "01_notes"
HERE = f"exercises/{EXERCISE}"
BEHIND = f"solutions/{EXERCISE}"

TOML = """title = "Notes"
notebook = "00_start"
minutes = 5
answer = ["notes.py"]
schema = "schema.sql"
[worker]
module = "notes"
seconds = 5
"""

SCHEMA = """
CREATE TABLE notes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    body text NOT NULL,
    pinned boolean NOT NULL DEFAULT false
);
"""

STARTER = """
def add_note(session, body):
    raise NotImplementedError


def find_notes(session, word):
    raise NotImplementedError
"""

SOLUTION = """
from sqlalchemy import text


def add_note(session, body):
    return session.scalar(
        text("INSERT INTO notes (body) VALUES (:body) RETURNING id"), {"body": body}
    )


def find_notes(session, word):
    found = session.scalars(
        text("SELECT body FROM notes WHERE position(:word in body) > 0 ORDER BY body"),
        {"word": word},
    )
    return found.all()
"""

VISIBLE = """
from grader.checks import check, hint


@check("A note is stored", points=2)
def test_a_note_is_stored(student, db, data):
    body = data.text(3)
    student.call("add_note", body)
    assert db.count("notes", body=body) == 1, hint("The table holds no such note.")
"""

HIDDEN = """
from grader.checks import check, hint


@check("Notes are found by a word, in order", points=3, misconception="in-any-order")
def test_notes_are_found(student, db, data):
    word = data.word()
    bodies = [f"{data.word()} {word}" for _ in range(4)]
    db.insert("notes", *({"body": body} for body in bodies))
    found = student.call("find_notes", word)
    assert sorted(found) == sorted(bodies), hint("Other notes were found.", misconception="")
    assert found == sorted(bodies), hint(
        "They come in another order.", expected=sorted(bodies), actual=found
    )
"""

# Never in order by luck, as rows without ORDER BY may be.
WITHOUT_ORDER = """# misconception: in-any-order
# fails: test_notes_are_found
""" + SOLUTION.replace(" ORDER BY body", " ORDER BY body DESC")

PAGE = """+++
title = "Rows come in the order in which they were stored"
notebook = "05_crud"
hints = ["Which order?", "Look at ORDER BY.", "Add ORDER BY body."]
+++
A table has no order.
"""

FILES = {
    f"{HERE}/exercise.toml": TOML,
    f"{HERE}/README.md": "Store notes and find them.\n",
    f"{HERE}/schema.sql": SCHEMA,
    f"{HERE}/notes.py": STARTER,
    f"{HERE}/test_visible.py": VISIBLE,
    f"{BEHIND}/notes.py": SOLUTION,
    f"{BEHIND}/test_hidden.py": HIDDEN,
    f"{BEHIND}/mistakes/without_order.py": WITHOUT_ORDER,
    f"{BEHIND}/alternatives/plain.py": SOLUTION.replace("session.scalars", "session.scalars  "),
    "docs/misconceptions/in-any-order.md": PAGE,
}


def write_files(root: Path, files: Mapping[str, str | bytes | None]) -> Path:
    """Write files by their paths below ``root``; None removes one."""
    for name, content in files.items():
        path = root / name
        if content is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def make_course(root: Path, **changes: str | None) -> Path:
    """The course, with some files otherwise.

    Args:
        changes: ``toml``, ``schema``, ``visible``, ``hidden``, ``starter``, ``solution``, ``page``.
    """
    places = {
        "toml": f"{HERE}/exercise.toml",
        "schema": f"{HERE}/schema.sql",
        "visible": f"{HERE}/test_visible.py",
        "starter": f"{HERE}/notes.py",
        "hidden": f"{BEHIND}/test_hidden.py",
        "solution": f"{BEHIND}/notes.py",
        "page": "docs/misconceptions/in-any-order.md",
    }
    return write_files(root, FILES) and write_files(
        root, {places[name]: content for name, content in changes.items()}
    )


def make_class(root: Path, answers: Mapping[str, str | bytes]) -> Path:
    """One folder per student, each with this ``notes.py``."""
    root.mkdir(parents=True, exist_ok=True)
    return write_files(
        root, {f"{student}/{EXERCISE}/notes.py": answer for student, answer in answers.items()}
    )

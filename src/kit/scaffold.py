"""The files of a new exercise: small, complete and right, and marked where its author must write.

What is written can be proved at once (`grader.verify`): the solution passes, the starter earns
nothing, the mistake fails as its header says. What is left to write is marked with ``WRITE:``, and
`kit exercise verify` names every such line.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from kit import bundle
from kit.course import exercise_names
from kit.errors import WrongUsage

_NAME = re.compile(r"(?:(?P<number>\d{2})_)?(?P<slug>[a-z][a-z0-9_]*)\Z")


def full_name(root: Path, asked: str) -> str:
    """The name of a new exercise: with the next free number, if none is given.

    Raises:
        WrongUsage: it is no name, or its number or slug is taken.
    """
    match = _NAME.match(asked)
    if match is None:
        msg = f"“{asked}” is no name for an exercise. Call it like 18_soft_delete, or soft_delete."
        raise WrongUsage(msg)
    taken = dict(reversed(name.partition("_")[::2]) for name in exercise_names(root))
    slug = match["slug"]
    if slug in taken:
        msg = f"There is an exercise {taken[slug]}_{slug} already. Choose another name."
        raise WrongUsage(msg)
    number = match["number"] or f"{max(map(int, taken.values()), default=0) + 1:02}"
    if other := [s for s, n in taken.items() if n == number]:
        msg = f"Number {number} is that of {number}_{other[0]}. Choose another one."
        raise WrongUsage(msg)
    return f"{number}_{slug}"


def files_for(name: str) -> dict[str, str]:
    """The files of a new exercise by their paths in the course."""
    slug = name.partition("_")[2]
    words = {
        "name": name,
        "slug": slug,
        "title": slug.replace("_", " ").capitalize(),
        "number": name[:2],
        "page": slug.replace("_", "-") + "-misconception",
    }
    return {_filled(path, words): _filled(text, words) for path, text in _TEMPLATES.items()}


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write new files into a course: all of them, or none.

    Raises:
        WrongUsage: one of them is there already, or cannot be written.
    """
    folders: dict[Path, dict[str, bytes]] = {}
    for path, text in files.items():
        is_page = path.startswith("docs/")
        top = Path(path) if is_page else Path(*Path(path).parts[:2])
        inside = Path(path).relative_to(top).as_posix()
        folders.setdefault(root / top, {})[inside] = text.encode()
    for target in folders:
        if target.exists():
            msg = f"{target} is there already. Nothing was written."
            raise WrongUsage(msg)
    written: list[Path] = []
    try:
        for target, content in folders.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            written.append(target)
            if set(content) == {"."}:
                target.write_bytes(content["."])
            else:
                bundle.write(content, target)
    except BaseException as error:
        for target in written:
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(target) if target.is_dir() else target.unlink()
        if isinstance(error, OSError):
            msg = f"{root} cannot be written to: {error.strerror}. Nothing was written."
            raise WrongUsage(msg) from error
        raise


def _filled(text: str, words: Mapping[str, str]) -> str:
    for key, value in words.items():
        text = text.replace(f"@{key}@", value)
    return text.removeprefix("\n")


_TEMPLATES = {
    "exercises/@name@/exercise.toml": """
title = "@title@"
notebook = "00_start"  # WRITE: the notebook that it belongs to
minutes = 30
answer = ["@slug@.py"]
schema = "schema.sql"

[worker]
module = "@slug@"
transaction = "caller"
seconds = 5
""",
    "exercises/@name@/README.md": """
# @title@

WRITE: the story, in two or three sentences: who needs this, and what goes wrong today.

Edit **`@slug@.py`**. `schema.sql` shows the table; it is given and stays as it is.

## What to build

```python
add_note(session, body: str) -> int
```

`add_note` stores a note and gives its id.

WRITE: each function with its types, its errors and an example.

## How it is graded

2 points. `kit check @name@` shows you the checks for half of them.

WRITE: the points, and where the other half looks.

## Left open

WRITE: what may be done in one way or another.

About 30 minutes. The notebook is `00_start`.
""",
    "exercises/@name@/schema.sql": """
-- WRITE: the tables of your exercise.
CREATE TABLE notes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    body text NOT NULL
);
""",
    "exercises/@name@/@slug@.py": '''
"""Notes. WRITE: what a learner finds here."""

from sqlalchemy.orm import Session


def add_note(session: Session, body: str) -> int:
    """Store a note and give its id."""
    raise NotImplementedError
''',
    "exercises/@name@/test_visible.py": '''
"""What @slug@.py must do. WRITE: the specification, a check for each sentence of it."""

from grader.checks import check, hint


@check("A note is stored, and its id is given", points=1)
def test_a_note_is_stored(student, db, data):
    body = data.text(3)
    note_id = student.call("add_note", body)
    stored = db.rows("notes", body=body)
    assert [row["id"] for row in stored] == [note_id], hint(
        "The table does not hold this note once, with the id that add_note gave.",
        question="Which statement stores a row, and how does one learn the id of it?",
        expected=note_id,
        actual=stored,
    )
''',
    "solutions/@name@/@slug@.py": '''
"""Notes. WRITE: the answer that you would like to see."""

from sqlalchemy import text
from sqlalchemy.orm import Session


def add_note(session: Session, body: str) -> int:
    """Store a note and give its id."""
    stored = session.execute(
        text("INSERT INTO notes (body) VALUES (:body) RETURNING id"), {"body": body}
    )
    return stored.scalar_one()
''',
    "solutions/@name@/test_hidden.py": '''
"""What only instructors hold. WRITE: where learners do not look: empty, hostile, at once."""

from grader.checks import check, hint


@check("Two notes with the same words are two notes", points=1, misconception="@page@")
def test_two_notes_with_the_same_words(student, db, data):
    body = data.text(3)
    ids = [student.call("add_note", body) for _ in range(2)]
    stored = db.rows("notes", body=body)
    assert sorted(row["id"] for row in stored) == sorted(ids), hint(
        f"The same words were stored twice, and the table holds them {len(stored)} times.",
        question="What makes two notes two: their words, or that somebody wrote them?",
        expected=ids,
        actual=stored,
    )
''',
    "solutions/@name@/alternatives/orm.py": '''
"""WRITE: right answers that look nothing like yours; three of them at least."""

from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str]


def add_note(session: Session, body: str) -> int:
    note = Note(body=body)
    session.add(note)
    session.flush()
    return note.id
''',
    "solutions/@name@/mistakes/same_words_same_note.py": '''
# misconception: @page@
# fails: test_two_notes_with_the_same_words
"""WRITE: what learners who believe something that is not so would honestly write; five at least."""

from sqlalchemy import text
from sqlalchemy.orm import Session


def add_note(session: Session, body: str) -> int:
    there = session.scalar(text("SELECT id FROM notes WHERE body = :body"), {"body": body})
    if there is not None:
        return there
    return session.scalar(
        text("INSERT INTO notes (body) VALUES (:body) RETURNING id"), {"body": body}
    )
''',
    "docs/misconceptions/@page@.md": """
+++
title = "What has the same value is the same thing"
notebook = "00_start"
hints = [
    "WRITE: a question. Two people write the same words: how many notes are that?",
    "WRITE: a pointer. What does your function do with words that are in the table already?",
    "WRITE: a worked step. An INSERT stores one more row each time; its id says which one.",
]
+++

# What has the same value is the same thing

**What you see.** WRITE: what happens, as the learner meets it.

**Why one believes it.** WRITE: where it holds, and why it sounds right.

**Five lines that refute it.**

```python
>>> "a" == "a"  # WRITE: an experiment that gives another result than the belief foretells
True
>>> [1] is [1]
False
```

WRITE: what the experiment shows.

**The cure.** WRITE: what to do in its place.
""",
}

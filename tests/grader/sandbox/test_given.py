"""What the course gives beside an answer is imported once for a cell, and every runner has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from grader.sandbox import Raised
from tests.grader.laboratory import Laboratory, Submission

Handed = Callable[..., Submission]

MODELS = """
import os, time
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

HERE, IMPORTED_BY = os.listdir(os.path.dirname(__file__)), os.getpid()
FOUND = {}

class Base(DeclarativeBase):
    pass

class Course(Base):
    __tablename__ = "courses"
    id: Mapped[int] = mapped_column(primary_key=True)

def refuse(course):
    raise ValueError("It has a title already.")
"""
ANSWER = """
import os
import models
from sqlalchemy import inspect, select

def imported_by(session):
    return models.IMPORTED_BY == os.getpid()

def files(session):
    return sorted(os.listdir(".")), os.path.dirname(models.__file__) == os.getcwd()

def note(session, word):
    models.FOUND[word] = True
    return sorted(models.FOUND)

def statement(session):
    return str(select(models.Course)), inspect(models.Course).relationships.keys()

def refuse(session):
    models.refuse(None)
"""


@pytest.fixture
def hand_in(lab: Laboratory) -> Iterator[Handed]:
    handed_in: list[Submission] = []

    def hand_in(given: Mapping[str, str], answer: str = ANSWER, *, early: bool) -> Submission:
        files = {**given, "m.py": answer}
        one = Submission(lab, files, beforehand=given if early else None)
        handed_in.append(one)
        return one

    yield hand_in
    for one in handed_in:
        one.close()


def test_a_runner_does_not_import_what_its_cell_has(hand_in: Handed) -> None:
    late = hand_in({"models.py": MODELS}, early=False)
    early = hand_in({"models.py": MODELS}, early=True)
    assert late.value("imported_by") is True
    assert early.value("imported_by") is False
    assert early.value("statement") == late.value("statement")


def test_it_looks_as_if_it_had_been_imported_there(hand_in: Handed) -> None:
    early = hand_in({"models.py": MODELS}, early=True)
    assert early.value("files") == [["m.py", "models.py"], True]
    early.again()
    assert early.value("files") == [["m.py", "models.py"], True]
    assert early.value("imported_by") is False


def test_an_error_in_it_is_told_as_ever(hand_in: Handed) -> None:
    late, early = (
        hand_in({"models.py": MODELS}, early=early).call("refuse") for early in (False, True)
    )
    assert isinstance(early, Raised)
    assert early == late
    assert [frame["file"] for frame in early.frames] == ["m.py", "models.py"]
    assert early.frames[-1]["code"] == 'raise ValueError("It has a title already.")'


def test_what_one_check_does_to_it_the_next_does_not_see(hand_in: Handed) -> None:
    early = hand_in({"models.py": MODELS}, early=True)
    assert early.value("note", "first") == ["first"]
    early.again()
    assert early.value("note", "second") == ["second"]


@pytest.mark.parametrize(
    "broken",
    ["1 / 0\n", "def unfinished(:\n", "import there_is_no_such_module\n"],
    ids=["raises", "no-python", "no-module"],
)
def test_what_cannot_be_imported_is_told_by_the_runner(hand_in: Handed, broken: str) -> None:
    late, early = (hand_in({"models.py": broken}, early=early).imported for early in (False, True))
    assert isinstance(early, Raised)
    assert early == late


OPEN_ENDED = MODELS.replace(
    "primary_key=True)", 'primary_key=True)\n    lessons = relationship("Lesson")'
)


def test_mapped_classes_may_wait_for_one_of_the_submissions(hand_in: Handed) -> None:
    answer = ANSWER.replace(
        "import models\n",
        """import models
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

class Lesson(models.Base):
    __tablename__ = "lessons"
    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))
""",
    )
    early = hand_in({"models.py": OPEN_ENDED}, answer, early=True)
    assert early.value("imported_by") is False
    _, relationships = early.value("statement")
    assert relationships == ["lessons"]


def test_those_that_wait_in_vain_are_told_of_as_ever(hand_in: Handed) -> None:
    late, early = (
        hand_in({"models.py": OPEN_ENDED}, early=early).call("statement") for early in (False, True)
    )
    assert isinstance(early, Raised)
    assert "'Lesson'" in early.message
    assert early == late

"""A grading that is done again agrees with the first, or it is said what is otherwise."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from grader.batch import grade
from grader.errors import SandboxError, SubmissionError
from grader.replay import Replayed, replay
from grader.results import Grading
from pglab.servers import Server
from tests.grader.courses import (
    BEHIND,
    EXERCISE,
    HIDDEN,
    SOLUTION,
    STARTER,
    WITHOUT_ORDER,
    make_class,
    make_course,
    write_files,
)

CLASS: dict[str, str | bytes] = {"ada": SOLUTION, "bob": STARTER, "eve": WITHOUT_ORDER}
TEST = f"{EXERCISE}: test_notes_are_found"
FICKLE = SOLUTION.replace(
    "def find_notes(session, word):",
    "def find_notes(session, word):\n    import random\n    if random.random() < ODDS: return []",
)


class Replayer:
    """A class that was graded, which can be replayed."""

    def __init__(self, root: Path, server: Server, home: Path) -> None:
        self.course = make_course(root / "course")
        self.folder = make_class(root / "class", CLASS)
        self._settings: dict[str, Any] = {
            "course_root": self.course,
            "home": home,
            "database": server.admin_url,
            "sandbox": "process",
        }
        self.then = self.graded()

    def graded(self) -> Grading:
        return grade([self.folder], seed=7, **self._settings)

    def __call__(self, *students: str, **options: Any) -> dict[str, Replayed]:
        paths = [self.folder / name for name in students] or [self.folder]
        found = replay(self.then, paths, **self._settings | options)
        return {one.student: one for one in found}


@pytest.fixture
def replayed(tmp_path: Path, server: Server, home: Path) -> Replayer:
    return Replayer(tmp_path, server, home)


def test_a_class_that_is_graded_again_gets_the_same_verdicts(replayed: Replayer) -> None:
    found = replayed()
    assert list(found) == ["ada", "bob", "eve"]
    for one in found.values():
        assert (one.checks, one.verdicts, one.words, one.conditions) == (2, (), (), ())
        assert not one.error


@pytest.mark.slow
def test_one_student_is_graded_alone(replayed: Replayer) -> None:
    assert list(replayed("eve")) == ["eve"]


def test_another_answer_is_told_by_its_hash_and_its_verdicts(replayed: Replayer) -> None:
    make_class(replayed.folder, {"eve": SOLUTION})
    eve = replayed("eve")["eve"]
    assert eve.verdicts == (f"{TEST}: failed (0 of 3) then, passed (3 of 3) now",)
    [files] = eve.conditions
    assert files.startswith(
        f"the files of the submission: {replayed.then.submissions[2].sha256[:12]}"
    )


@pytest.mark.slow
def test_another_answer_with_the_same_verdicts_is_told_by_its_hash_alone(
    replayed: Replayer,
) -> None:
    make_class(replayed.folder, {"ada": SOLUTION + "\n# the same\n"})
    ada = replayed("ada")["ada"]
    assert ada.verdicts == ()
    assert len(ada.conditions) == 1


@pytest.mark.slow
def test_another_exercise_is_told_by_name(replayed: Replayer) -> None:
    changed = HIDDEN.replace("points=3", "points=4").replace("in another order", "otherwise")
    write_files(replayed.course, {f"{BEHIND}/test_hidden.py": changed})
    found = replayed()
    assert found["ada"].verdicts == (f"{TEST}: passed (3 of 3) then, passed (4 of 4) now",)
    told = f"{TEST}: failed (0 of 3) then, failed (0 of 4) now. They come otherwise."
    assert found["eve"].verdicts == (told,)
    assert found["eve"].conditions[0].startswith(f"the exercise {EXERCISE}: ")


@pytest.mark.slow
def test_the_same_verdict_in_other_words_is_no_difference_of_verdicts(replayed: Replayer) -> None:
    changed = HIDDEN.replace("They come in another order.", "Another order.")
    write_files(replayed.course, {f"{BEHIND}/test_hidden.py": changed})
    eve = replayed("eve")["eve"]
    assert (eve.verdicts, eve.words) == ((), (TEST,))


@pytest.mark.slow
def test_a_check_that_only_one_of_them_has_is_told(replayed: Replayer) -> None:
    renamed = HIDDEN.replace("test_notes_are_found", "test_found")
    write_files(replayed.course, {f"{BEHIND}/test_hidden.py": renamed})
    assert replayed("ada")["ada"].verdicts == (
        f"{TEST}: passed (3 of 3) then, not there now",
        f"{EXERCISE}: test_found: not there then, passed (3 of 3) now",
    )


@pytest.mark.slow
def test_other_versions_are_told(replayed: Replayer) -> None:
    evidence = dataclasses.replace(
        replayed.then.evidence,
        kit_version="0.0.9",
        server="container",
        server_version="16.1",
        surroundings={**replayed.then.evidence.surroundings, "sqlalchemy": "2.0.1"},
    )
    replayed.then = dataclasses.replace(replayed.then, evidence=evidence)
    ada = replayed("ada")["ada"]
    assert ada.verdicts == ()
    kit, server, postgres, sqlalchemy = ada.conditions
    assert kit.startswith("the kit: 0.0.9 then, ")
    assert server == "the server: container then, url now"
    assert postgres.startswith("PostgreSQL: 16.1 then, 18.")
    assert sqlalchemy.startswith("SQLAlchemy: 2.0.1 then, 2.1")


@pytest.mark.slow
def test_a_submission_that_rolls_dice_is_found_out(replayed: Replayer) -> None:
    make_class(replayed.folder, {"ada": FICKLE.replace("ODDS", "-1")})
    replayed.then = replayed.graded()
    make_class(replayed.folder, {"ada": FICKLE.replace("ODDS", "2")})
    ada = replayed("ada")["ada"]
    assert ada.verdicts == (
        f"{TEST}: passed (3 of 3) then, failed (0 of 3) now. Other notes were found.",
    )


@pytest.mark.slow
def test_a_student_who_was_not_graded_is_an_error_before_anything_starts(
    replayed: Replayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_class(replayed.folder, {"kim": SOLUTION})
    monkeypatch.setattr("grader.replay.grade", _never)
    with pytest.raises(SubmissionError, match=r"'kim' is not in these .* them: ada, bob, eve\."):
        replayed()


@pytest.mark.slow
def test_what_had_no_sandbox_gets_one_unless_it_is_named(
    replayed: Replayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.replay.grade", _never)
    with pytest.raises(SandboxError, match="give --sandbox process"):
        replayed(sandbox="auto")


@pytest.mark.slow
def test_seed_server_and_sandbox_are_those_of_then(
    replayed: Replayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def watched(paths: Any, **options: Any) -> Grading:
        asked.update(options)
        return replayed.then

    monkeypatch.setattr("grader.replay.grade", watched)
    for server, database in (("embedded", "embedded"), ("container", "container"), ("url", "auto")):
        evidence = dataclasses.replace(replayed.then.evidence, sandbox="bubblewrap", server=server)
        replayed.then = dataclasses.replace(replayed.then, evidence=evidence)
        replayed(sandbox="auto", database="auto")
        assert (asked["database"], asked["sandbox"], asked["seed"]) == (database, "bubblewrap", 7)
        assert asked["exercises"] == [EXERCISE]


def _never(*_: object, **__: object) -> None:
    raise AssertionError("something was graded")

"""A class is graded completely, the same way every time, and leaves nothing behind."""

from __future__ import annotations

import gc
import itertools
import json
import os
import platform
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import sqlalchemy

from grader import machine, session, submissions
from grader.batch import grade
from grader.catalog import CheckSpec
from grader.desk import Desk
from grader.errors import CatalogError, JudgeError, SubmissionError
from grader.examination import Examination
from grader.results import CheckResult, Failure, Grading, Outcome, Reason, SubmissionResult, to_json
from pglab.servers import Server, open_server
from tests.grader.courses import (
    BEHIND,
    EXERCISE,
    HERE,
    SOLUTION,
    STARTER,
    WITHOUT_ORDER,
    make_class,
    make_course,
    write_files,
)

Graded = Callable[..., Grading]
TALKATIVE = """
from sqlalchemy import text

def add_note(session, body):
    print({"to", "be", "or", "not"}, session.scalar(text("SELECT current_database()")))
    raise ValueError(session.scalar(text("SELECT current_user")))

def find_notes(session, word):
    return {"a", "set", "of", "words", word}
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return make_course(tmp_path / "course")


@pytest.fixture
def graded(course: Path, server: Server, home: Path, tmp_path: Path) -> Graded:
    """Grades a class, given as answers by student, on the server that all tests share."""
    made = 0

    def graded(answers: dict[str, str | bytes] | Path, **options: Any) -> Grading:
        nonlocal made
        made += 1
        folder = answers
        if not isinstance(folder, Path):
            folder = make_class(tmp_path / f"class{made}", folder)
        wanted = {"database": server.admin_url, "sandbox": "process", "seed": 7} | options
        return grade([folder], course_root=course, home=home, **wanted)

    return graded


def of(grading: Grading, student: str) -> SubmissionResult:
    [submission] = [s for s in grading.submissions if s.student == student]
    return submission


def checks(submission: SubmissionResult) -> list[CheckResult]:
    return [check for exercise in submission.exercises for check in exercise.checks]


def outcomes(grading: Grading) -> dict[str, list[Outcome]]:
    return {s.student: [check.outcome for check in checks(s)] for s in grading.submissions}


def told(submission: SubmissionResult) -> list[str]:
    return [check.failure.message for check in checks(submission) if check.failure]


def as_bytes(grading: Grading) -> bytes:
    plain = to_json(grading)
    assert plain.pop("timings")
    return json.dumps(plain).encode()


P, F, E = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR


def test_everybody_gets_what_they_earned_in_the_order_of_their_names(graded: Graded) -> None:
    grading = graded(
        {
            "zoe": SOLUTION,
            "ada": WITHOUT_ORDER,
            "bob": STARTER,
            "eve": "def (",
            "kim": b"\xff",
            "lea": "",
        }
    )
    assert [s.student for s in grading.submissions] == ["ada", "bob", "eve", "kim", "lea", "zoe"]
    assert [s.earned for s in grading.submissions] == [2, 0, 0, 0, 0, 5]
    assert {s.points for s in grading.submissions} == {5}
    assert outcomes(grading)["ada"] == [P, F]
    assert of(grading, "ada").exercises[0].misconceptions == ("in-any-order",)
    assert told(of(grading, "ada")) == ["They come in another order."]
    assert set(told(of(grading, "kim"))) == {
        "notes.py is not UTF-8 text. Save it as UTF-8 and hand it in again."
    }
    assert [c.name for c in checks(of(grading, "zoe"))] == [
        "test_a_note_is_stored",
        "test_notes_are_found",
    ]
    assert [c.visible for c in checks(of(grading, "zoe"))] == [True, False]
    assert (grading.evidence.seed, grading.evidence.sandbox) == (7, "process")
    assert (grading.evidence.server, grading.evidence.server_version[:2]) == ("url", "18")
    assert grading.evidence.surroundings["python"] == platform.python_version()
    assert grading.evidence.surroundings["sqlalchemy"] == sqlalchemy.__version__
    assert grading.timings["checks"] == 10
    assert not any(s.has_errors for s in grading.submissions)


def test_who_handed_in_nothing_gets_nothing_and_is_shown_as_such(
    graded: Graded, tmp_path: Path
) -> None:
    folder = write_files(
        tmp_path / "class", {"ada/README.txt": "ill", f"bob/{EXERCISE}/other.py": "x = 1"}
    )
    grading = graded(folder)
    ada, bob = (of(grading, name).exercises[0] for name in ("ada", "bob"))
    assert (ada.handed_in, ada.earned, ada.points) == (False, 0, 5)
    assert (bob.handed_in, bob.earned, bob.points) == (True, 0, 5)
    assert set(told(of(grading, "bob"))) == {"There is no notes.py among the files."}
    assert {c.failure.reason for c in checks(of(grading, "bob")) if c.failure} == {Reason.MISSING}


def test_visible_checks_may_be_run_alone(graded: Graded) -> None:
    grading = graded({"ada": SOLUTION}, visible_only=True)
    assert [c.name for c in checks(of(grading, "ada"))] == ["test_a_note_is_stored"]
    assert of(grading, "ada").points == 2


def test_progress_is_told_before_the_first_check_and_after_every_one(graded: Graded) -> None:
    told: list[tuple[int, int]] = []
    graded({"ada": SOLUTION, "bob": "x = (", "eve": b"\xff"}, progress=lambda *p: told.append(p))
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_what_was_collected_is_left_out_of_the_search_for_garbage_until_the_end(
    graded: Graded,
) -> None:
    gc.unfreeze()
    try:
        counts: list[int] = []
        graded({"ada": SOLUTION}, progress=lambda *_: counts.append(gc.get_freeze_count()))
        assert counts[0] == 0 < counts[-1]
        assert gc.get_freeze_count() == 0
        gc.freeze()
        before = gc.get_freeze_count()
        graded({"ada": SOLUTION})
        assert gc.get_freeze_count() > before / 2  # what others froze stays so
    finally:
        gc.freeze()


def test_the_next_submission_is_made_ready_during_the_last_check_of_the_one_before(
    graded: Graded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_LANES", 1)
    happened: list[str] = []
    run, make_ready, retire = Examination.run, Desk.make_ready, Desk.close

    def noted(self: Examination) -> Failure | None:
        happened.append(f"{self.spec.name} of {self.desk.submission.student}")
        return run(self)

    def readied(self: Desk) -> None:
        happened.append(f"{self.submission.student} made ready")
        make_ready(self)

    def closed(self: Desk) -> None:
        happened.append(f"{self.submission.student} closed")
        retire(self)

    monkeypatch.setattr(Examination, "run", noted)
    monkeypatch.setattr(Desk, "make_ready", readied)
    monkeypatch.setattr(Desk, "close", closed)
    grading = graded({"ada": SOLUTION, "bob": SOLUTION})
    assert {s.earned for s in grading.submissions} == {of(grading, "ada").points}
    *_, last = (check.name for check in checks(of(grading, "ada")))
    i = happened.index("bob made ready")
    assert happened[i + 1 : i + 3] == [f"{last} of ada", "ada closed"]
    assert happened[-1] == "bob closed"
    assert happened.count("bob made ready") == 1


CLASS: dict[str, str | bytes] = {
    "ada": SOLUTION,
    "bob": TALKATIVE,
    "eve": WITHOUT_ORDER,
    "kim": "import os; os._exit(0)",
    "lea": "raise ValueError({'a', 'b', 'c', 'd'})",
}


def test_two_processes_find_what_one_finds_to_the_byte(graded: Graded, tmp_path: Path) -> None:
    folder = make_class(tmp_path / "class", CLASS)
    one, two = graded(folder, jobs=1), graded(folder, jobs=2)
    assert as_bytes(one) == as_bytes(two)
    assert of(one, "ada").earned == 5
    assert b"kit_" not in as_bytes(one).replace(b"kit_version", b"")


def test_the_same_seed_finds_the_same_and_another_seed_other_data(
    graded: Graded, tmp_path: Path
) -> None:
    folder = make_class(tmp_path / "class", CLASS)
    first, again, other = graded(folder), graded(folder), graded(folder, seed=8)
    assert as_bytes(first) == as_bytes(again)
    assert outcomes(first) == outcomes(other)
    shown = [checks(of(g, "eve"))[1].failure for g in (first, other)]
    assert shown[0] is not None
    assert shown[1] is not None
    assert shown[0].expected != shown[1].expected


def test_a_seed_is_drawn_and_told_where_none_is_given(graded: Graded) -> None:
    seeds = {graded({"ada": SOLUTION}, seed=None).evidence.seed for _ in range(2)}
    assert len(seeds) == 2


@pytest.mark.slow
@pytest.mark.sandbox
def test_bubblewrap_finds_what_a_process_finds_to_the_byte(graded: Graded, tmp_path: Path) -> None:
    folder = make_class(tmp_path / "class", CLASS)
    for grading in (walled := graded(folder, sandbox="bubblewrap"), graded(folder)):
        assert grading.evidence.sandbox in {"bubblewrap", "process"}
    plain = json.loads(as_bytes(walled))
    assert plain["evidence"].pop("sandbox") == "bubblewrap"
    other = json.loads(as_bytes(graded(folder)))
    assert other["evidence"].pop("sandbox") == "process"
    assert plain == other


def never(*_: object, **__: object) -> None:
    raise AssertionError("a server was started")


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({f"{HERE}/test_visible.py": "def ("}, (CatalogError, "is not valid Python")),
        (
            {f"{BEHIND}/test_hidden.py": "\n1 / 0"},
            (CatalogError, "py, line 2 cannot be imported: Zero"),
        ),
        ({f"{HERE}/exercise.toml": "title ="}, (CatalogError, "not valid TOML")),
        ({"docs/misconceptions/x.md": "+++\n"}, (CatalogError, "the front matter has no end")),
        ({"class/ada/x": None}, (SubmissionError, "holds no submission")),
    ],
)
def test_what_is_wrong_beforehand_is_told_before_a_server_is_started(
    course: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, str | None],
    problem: tuple[type[Exception], str],
) -> None:
    error, message = problem
    folder = make_class(tmp_path / "class", {} if error is SubmissionError else {"ada": SOLUTION})
    write_files(course, {name: text for name, text in files.items() if text is not None})
    monkeypatch.setattr(machine, "ServerStart", never)
    monkeypatch.setattr(machine, "open_sandbox", never)
    with pytest.raises(error, match=message):
        grade([folder], course_root=course, home=tmp_path / "home")


def test_a_submission_that_breaks_its_reader_is_an_error_and_the_class_goes_on(
    graded: Graded, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = submissions._take

    def breaks(source: Any, exercise: Any) -> Any:
        if source._path.name == "eve":
            raise IndexError("x")
        return take(source, exercise)

    monkeypatch.setattr(submissions, "_take", breaks)
    grading = graded({"ada": SOLUTION, "eve": SOLUTION})
    assert outcomes(grading) == {"ada": [P, P], "eve": [E, E]}
    assert of(grading, "eve").kit_failed


def test_a_check_that_breaks_is_no_students_fault(graded: Graded, course: Path) -> None:
    text = "from grader.checks import check\n\n\n@check('T')\ndef test_x(student):\n    {}['x']\n"
    write_files(course, {f"{HERE}/test_visible.py": text})
    grading = graded({"ada": SOLUTION, "bob": STARTER})
    assert outcomes(grading) == {"ada": [E, P], "bob": [E, F]}
    assert told(of(grading, "ada")) == ["test_visible.py, line 6: KeyError: 'x'"]
    assert of(grading, "ada").broken_checks == (
        f"{EXERCISE}, test_x: test_visible.py, line 6: KeyError: 'x'",
    )
    assert not of(grading, "ada").kit_failed
    assert of(grading, "ada").has_errors
    assert of(grading, "ada").earned == 3


def test_a_result_that_is_lost_is_an_error_and_never_a_pass(
    graded: Graded, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Desk.run

    def lose(self: Desk, spec: Any, **options: Any) -> CheckResult:
        if self.submission.student == "bob":
            raise RuntimeError("lost on the way")
        return run(self, spec, **options)

    monkeypatch.setattr(Desk, "run", lose)
    grading = graded({"ada": SOLUTION, "bob": SOLUTION})
    assert outcomes(grading) == {"ada": [P, P], "bob": [E, E]}
    assert of(grading, "bob").earned == 0
    assert told(of(grading, "bob"))[0].startswith("The result of this check did not arrive (")
    assert "lost on the way" in told(of(grading, "bob"))[0]


CRASHING = """
import os
from grader.checks import check

@check("It survives", points=2)
def test_it_survives(student):
    if student.call("add_note", "x") == "crash":
        os._exit(1)
"""


@pytest.mark.slow
def test_a_process_that_crashes_costs_nobody_else_anything(graded: Graded, course: Path) -> None:
    write_files(course, {f"{HERE}/test_visible.py": CRASHING})
    crashing = "def add_note(session, body): return 'crash'\ndef find_notes(session, w): return []"
    answers: dict[str, str | bytes] = dict.fromkeys(("ada", "eve", "kim", "zoe"), SOLUTION)
    grading = graded({**answers, "bob": crashing}, jobs=2)
    bob = outcomes(grading).pop("bob")
    assert bob[0] is E
    assert of(grading, "bob").earned == 0
    assert {s: o for s, o in outcomes(grading).items() if s != "bob"} == {
        student: [P, P] for student in answers
    }


def test_a_server_that_goes_away_leaves_errors_and_what_was_found_before(
    course: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_LANES", 1)
    folder = make_class(tmp_path / "class", dict.fromkeys(("ada", "bob", "eve"), SOLUTION))
    gone, begun, run = threading.Event(), itertools.count(1), Desk.run

    def wait_until_gone(self: Desk, spec: CheckSpec, **how: Any) -> CheckResult:
        if next(begun) == 4:
            assert gone.wait(60)
        return run(self, spec, **how)

    def told(done: int, total: int) -> None:
        if done == 3:
            own.stop()
            gone.set()

    monkeypatch.setattr(Desk, "run", wait_until_gone)
    with open_server("embedded", home=home, disposable=True) as own:
        grading = grade(
            [folder],
            course_root=course,
            home=home,
            database=own.admin_url,
            sandbox="process",
            progress=told,
        )
    found = outcomes(grading)
    assert found["ada"] == [P, P]
    assert found["bob"] == [P, E]
    assert found["eve"] == [E, E]


def test_submissions_that_change_meanwhile_are_not_graded_by_processes_that_read_them_again(
    graded: Graded, tmp_path: Path
) -> None:
    """Results go by number: one folder more, and everybody after it would get another's points."""
    folder = make_class(tmp_path / "class", {"bob": SOLUTION, "eve": STARTER})

    def change(done: int, total: int) -> None:
        make_class(folder, {"ada": STARTER})

    with pytest.raises(JudgeError, match=r"graded\. Submissions or exercises changed meanwhile"):
        graded(folder, jobs=2, progress=change)


def test_one_process_grades_what_it_has_read(graded: Graded, tmp_path: Path) -> None:
    folder = make_class(tmp_path / "class", {"bob": SOLUTION, "eve": STARTER})

    def change(done: int, total: int) -> None:
        make_class(folder, {"ada": SOLUTION, "bob": STARTER})

    assert outcomes(graded(folder, progress=change)) == {"bob": [P, P], "eve": [F, F]}


def test_the_order_is_that_of_the_names_that_were_given(
    course: Path, server: Server, home: Path, tmp_path: Path
) -> None:
    make_class(tmp_path / "class", {"ada": SOLUTION, "bob": STARTER})
    (tmp_path / "zoe").symlink_to(tmp_path / "class" / "ada")
    grading = grade(
        [tmp_path / "zoe", tmp_path / "class" / "bob"],
        course_root=course,
        home=home,
        database=server.admin_url,
        sandbox="process",
    )
    assert [(s.student, s.earned) for s in grading.submissions] == [("bob", 0), ("zoe", 5)]


def test_more_processes_than_desks_are_not_started(
    graded: Graded, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    main = pytest.main

    def watched(arguments: list[str], **options: Any) -> Any:
        asked.append(arguments)
        return main(arguments, **options)

    monkeypatch.setattr(session.pytest, "main", watched)
    assert of(graded({"ada": SOLUTION}, jobs=8), "ada").earned == 5
    assert "-n" not in asked[0]


def test_a_class_in_which_nobody_handed_in_anything_is_graded(
    graded: Graded, tmp_path: Path
) -> None:
    grading = graded(write_files(tmp_path / "class", {"ada/x.txt": "", "bob/x.txt": ""}))
    assert [s.earned for s in grading.submissions] == [0, 0]


def test_pytest_settings_of_the_user_do_not_matter(
    graded: Graded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only -k nothing")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    assert of(graded({"ada": SOLUTION}), "ada").earned == 5


def test_conftest_files_beside_submissions_are_not_read(graded: Graded, tmp_path: Path) -> None:
    folder = make_class(tmp_path / "class", {"ada": SOLUTION})
    evil = "import os; os._exit(3)"
    for name in ("conftest.py", "ada/conftest.py", f"ada/{EXERCISE}/conftest.py"):
        write_files(folder, {name: evil})
    assert of(graded(folder), "ada").earned == 5


@pytest.fixture
def made(server: Server) -> Callable[[], set[str]]:
    """What the kit has on the server, apart from templates."""

    def made() -> set[str]:
        with psycopg.connect(server.admin_url, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT datname FROM pg_database WHERE datname ~ '^kit_c_'"
                " UNION SELECT rolname FROM pg_roles WHERE rolname ~ '^kit_r_'"
            ).fetchall()
        return {row[0] for row in rows}

    return made


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary directory of this process and its children."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_long_run_leaves_nothing(
    graded: Graded, made: Callable[[], set[str]], temporary: Path, jobs: int
) -> None:
    answers: dict[str, str | bytes] = {
        f"student{n:02}": [SOLUTION, STARTER, TALKATIVE, "import os; os.fork(); os.setsid()"][n % 4]
        for n in range(60)
    }
    graded({"warm": SOLUTION}, jobs=jobs)
    before = made()
    descriptors = len(os.listdir("/proc/self/fd"))
    children = {p.pid for p in psutil.Process().children(recursive=True)}
    grading = graded(answers, jobs=jobs)
    assert [s.earned for s in grading.submissions] == [5, 0, 0, 0] * 15
    assert not any(s.has_errors for s in grading.submissions)
    assert made() == before
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert list(temporary.iterdir()) == []
    deadline = time.monotonic() + 30
    while {p.pid for p in psutil.Process().children(recursive=True)} - children:
        assert time.monotonic() < deadline
        time.sleep(0.05)

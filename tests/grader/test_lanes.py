"""Checks side by side find what they find one after the other."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict, Unpack

import psutil
import psycopg
import pytest

from grader import batch
from grader.catalog import load_course
from grader.desk import Desk
from grader.gathered import Found
from grader.results import Grading, Outcome, to_json
from grader.standby import Standby
from grader.submissions import read_submissions
from pglab.servers.disposable import DisposableServer
from tests.kit.tiny_course import ENDLESS, EXERCISE, RIGHT, WRONG, answer_own, make_course


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DisposableServer]:
    with DisposableServer(tmp_path_factory.mktemp("home")) as started:
        yield started


class How(TypedDict, total=False):
    first: tuple[str, ...]
    found: Found


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return make_course(tmp_path / "tiny")


def checked(server: DisposableServer, course: Path, lanes: int, **how: Unpack[How]) -> Grading:
    standby = Standby(server.socket_dir, choice="process", seed=7, lanes=lanes)
    with standby:
        standby.attach(server)
        standby.prepare(load_course(course).select([EXERCISE]))
        return batch.check([EXERCISE], course_root=course, home=Path(), standby=standby, **how)


def told(grading: Grading) -> str:
    return json.dumps({n: v for n, v in to_json(grading).items() if n != "timings"})


@pytest.mark.slow
@pytest.mark.parametrize("answer", [RIGHT, WRONG, "import nothing_of_the_kind\n", "def greet(:\n"])
def test_side_by_side_they_find_the_same(
    server: DisposableServer, course: Path, answer: str
) -> None:
    answer_own(course, answer)
    one, two, many = (checked(server, course, lanes) for lanes in (1, 2, 5))
    assert told(two) == told(one)
    assert told(many) == told(one)


def test_some_may_be_run_first_and_each_is_told_as_soon_as_it_is_known(
    server: DisposableServer, course: Path
) -> None:
    answer_own(course, WRONG)
    names = ["test_a_greeting_is_stored", "test_nothing_else_is_stored"]
    asked: dict[tuple[str, ...], list[tuple[str, str, Outcome]]] = {(): [], (names[1],): []}
    gradings = [
        checked(
            server,
            course,
            1,
            first=first,
            found=lambda exercise, check, told=told: told.append(
                (exercise, check.name, check.outcome)
            ),
        )
        for first, told in asked.items()
    ]
    failed, passed = (EXERCISE, names[0], Outcome.FAILED), (EXERCISE, names[1], Outcome.PASSED)
    assert list(asked.values()) == [[failed, passed], [passed, failed]]
    assert told(gradings[0]) == told(gradings[1])


def test_the_seconds_of_a_check_are_its_own_and_not_those_that_were_waited_for_it(
    server: DisposableServer, course: Path
) -> None:
    answer_own(
        course, RIGHT.replace("    session", "    import time; time.sleep(0.5)\n    session")
    )
    grading = checked(server, course, 2)
    seconds = [s for by_name in grading.timings["by_check"]["exercises"].values()
               for s in by_name.values()]  # fmt: skip
    assert len(seconds) == 2
    assert min(seconds) >= 0.5


def test_checks_really_run_at_the_same_time(server: DisposableServer, course: Path) -> None:
    """Each waits until the other has begun."""
    answer_own(course, RIGHT)
    visible = course / "exercises" / EXERCISE / "test_visible.py"
    visible.write_text(
        visible.read_text("utf-8").replace(
            "    student.call(", "    MEETING.wait(60)\n    student.call("
        )
        + "\nimport threading\nMEETING = threading.Barrier(2)\n",
        encoding="utf-8",
    )
    (submission,) = checked(server, course, 2).submissions
    assert submission.earned == 2


def test_all_is_laid_for_this_exercise_and_for_no_other(
    server: DisposableServer, course: Path
) -> None:
    exercise = load_course(course).exercises[EXERCISE]
    with Standby(server.socket_dir, choice="process", seed=7) as standby:
        standby.attach(server)
        before = logins(server)
        standby.prepare([exercise])
        ready = logins(server) - before
        (judge,) = standby.lend()[1].judges
        visible = course / "exercises" / EXERCISE / "test_visible.py"
        visible.write_text(visible.read_text("utf-8") + "# changed\n", encoding="utf-8")
        changed = load_course(course).exercises[EXERCISE]
        assert judge.laid(changed) is None
        laid = judge.laid(exercise)
        assert laid is not None
        assert laid.seat.role.name in ready
        assert laid.sessions.reader.execute("SELECT current_database()").fetchall() == [
            {"current_database": laid.database.name}
        ]
        laid.close()
        laid.seat.close()
    assert not logins(server) & ready


@contextlib.contextmanager
def at_a_desk(server: DisposableServer, course: Path) -> Iterator[Desk]:
    """A right answer at a desk of a judge for whom everything is ready."""
    answer_own(course, RIGHT)
    exercise = load_course(course).exercises[EXERCISE]
    (submission,) = read_submissions([course / "exercises"], [exercise])
    with Standby(server.socket_dir, choice="process", seed=7) as standby:
        standby.attach(server)
        standby.prepare([exercise])
        (judge,) = standby.lend()[1].judges
        with judge.desk(submission, exercise) as desk:
            yield desk


def test_a_check_takes_what_is_laid(server: DisposableServer, course: Path) -> None:
    with at_a_desk(server, course) as desk:
        before = logins(server)
        for check in desk.exercise.checks:
            assert desk.run(check, more=True).outcome is Outcome.PASSED
        assert logins(server) == before
        taken = {seat.role.name for seat in desk._seats}
        assert taken < before
    assert not logins(server) & taken


def is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.parametrize("dies", ["runner", "cell"])
def test_what_was_laid_and_has_died_is_done_anew(
    server: DisposableServer, course: Path, dies: str
) -> None:
    with at_a_desk(server, course) as desk:
        for laid in itertools.chain(*desk.judge._laid.values()):
            runner = psutil.Process(laid.runner.pid)
            parent = runner.parent()
            assert parent is not None
            (parent if dies == "cell" else runner).kill()
            while is_alive(runner):  # it does not outlive its cell
                time.sleep(0.01)
        found = [desk.run(check, more=True) for check in desk.exercise.checks]
    assert [check.failure for check in found] == [None] * len(found)
    assert found


@pytest.mark.slow
def test_what_is_laid_takes_no_memory_from_the_submission(
    server: DisposableServer, course: Path
) -> None:
    answer_own(course, "held = b'1' * 500_000_000\n" + RIGHT)
    (submission,) = checked(server, course, 1).submissions
    assert submission.earned == 2


@pytest.mark.parametrize("answer", ["import nothing_of_the_kind\n", "import os; os._exit(3)\n"])
def test_an_answer_that_cannot_be_imported_is_told_as_without_anything_laid(
    server: DisposableServer, course: Path, answer: str
) -> None:
    answer_own(course, f"print('imported')\n{answer}")
    laid = checked(server, course, 1)
    with Standby(server.socket_dir, choice="process", seed=7) as standby:
        standby.attach(server)
        fresh = batch.check([EXERCISE], course_root=course, home=Path(), standby=standby)
    assert told(laid) == told(fresh)
    (submission,) = laid.submissions
    assert [check.outcome for check in submission.exercises[0].checks] == [Outcome.FAILED] * 2


def logins(server: DisposableServer) -> set[str]:
    with psycopg.connect(server.admin_url) as connection:
        return {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}


def test_a_server_that_dies_is_the_kits_fault_in_every_check(tmp_path: Path, course: Path) -> None:
    answer_own(course, ENDLESS)
    with DisposableServer(tmp_path) as server:

        def stop() -> None:
            time.sleep(1)
            server.stop()

        standby = Standby(server.socket_dir, choice="process", seed=7, lanes=2)
        with standby:
            standby.attach(server)
            stopping = threading.Thread(target=stop)
            stopping.start()
            grading = batch.check([EXERCISE], course_root=course, home=Path(), standby=standby)
            stopping.join()
    (exercise,) = grading.submissions[0].exercises
    assert len(exercise.checks) == 2
    assert not any(check.outcome is Outcome.PASSED for check in exercise.checks)
    assert grading.submissions[0].has_errors

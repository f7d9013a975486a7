"""Checks side by side find what they find one after the other."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypedDict, Unpack

import psutil
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import batch
from grader.catalog import CheckSpec, load_course
from grader.desk import Desk
from grader.gathered import Found, Judged
from grader.judge import AUTHOR_GROUP, STUDENT_GROUP, Judge
from grader.lanes import Lanes, Opened, Row
from grader.results import CheckResult, Grading, Outcome, to_json
from grader.sandbox import ProcessSandbox
from grader.standby import Standby
from grader.submissions import read_submissions
from grader.work import CheckKey
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


def test_the_first_check_has_the_machine_for_itself_where_somebody_waits_for_it(
    server: DisposableServer, course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    run = Desk.run

    def noting(self: Desk, spec: CheckSpec, **how: Any) -> CheckResult:
        events.append(f"{spec.name} begins")
        time.sleep(0.1)  # the other one would have begun by then
        try:
            return run(self, spec, **how)
        finally:
            events.append(f"{spec.name} ends")

    monkeypatch.setattr(Desk, "run", noting)
    answer_own(course, WRONG)
    one, other = "test_a_greeting_is_stored", "test_nothing_else_is_stored"
    checked(server, course, 2, first=(other,))
    assert events == [f"{n} {what}" for n in (other, one) for what in ("begins", "ends")]


def test_it_has_not_where_the_check_that_is_waited_for_is_of_another_exercise(
    server: DisposableServer, course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = threading.Barrier(2)
    run = Desk.run

    def meet(self: Desk, spec: CheckSpec, **how: Any) -> CheckResult:
        meeting.wait(60)
        return run(self, spec, **how)

    monkeypatch.setattr(Desk, "run", meet)
    answer_own(course, RIGHT)
    (submission,) = checked(server, course, 2, first=("test_of_another_exercise",)).submissions
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
        (judge,) = standby._judges
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
        (judge,) = standby._judges
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


class StubDesk:
    """Finds what a table says."""

    def __init__(self, judge: StubJudge, submission: Any, exercise: Any) -> None:
        self.judge, self.row = judge, (int(submission.student), exercise.name)

    def make_ready(self) -> None:
        self.judge.said.append(("ready", *self.row))

    def run(self, spec: Any, *, more: bool, meanwhile: Any) -> CheckResult:
        self.judge.said.append(("run", *self.row, spec.name, more))
        if meanwhile:
            meanwhile()
        outcome = self.judge.outcomes[(*self.row, spec.name)]
        if outcome is None:
            raise RuntimeError("broken")
        return CheckResult(spec.name, spec.name, 1, 0, outcome, visible=True, failure=None)

    def close(self) -> None:
        self.judge.said.append(("close", *self.row))
        if self.row[0] == self.judge.falls_at:
            raise RuntimeError("fallen")


class StubJudge:
    sandbox = None

    def __init__(self, outcomes: Mapping[CheckKey, Outcome | None]) -> None:
        self.outcomes = outcomes
        self.said: list[tuple[Any, ...]] = []
        self.falls_at = -1

    def desk(self, submission: Any, exercise: Any) -> StubDesk:
        return StubDesk(self, submission, exercise)


def todo_of(sizes: Iterable[int]) -> Any:
    """Rows of so many checks each."""
    rows: Any = Row
    return [
        rows(
            (number, "one"),
            SimpleNamespace(student=str(number)),
            SimpleNamespace(name="one"),
            [SimpleNamespace(name=f"check{n}") for n in range(size)],
        )
        for number, size in enumerate(sizes)
    ]


@given(
    rows=st.lists(
        st.lists(
            st.sampled_from([Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, None]), max_size=4
        ),
        max_size=6,
    ),
    judges=st.integers(1, 4),
    broken=st.integers(0, 4),
    until_failure=st.booleans(),
)
def test_each_check_is_run_once_and_told_in_the_order_of_its_desk(
    rows: list[list[Outcome | None]], judges: int, broken: int, until_failure: bool
) -> None:
    outcomes = {
        (number, "one", f"check{n}"): outcome
        for number, row in enumerate(rows)
        for n, outcome in enumerate(row)
    }
    todo = todo_of(map(len, rows))
    whole: list[Any] = [StubJudge(outcomes) for _ in range(judges)]

    @contextlib.contextmanager
    def refused() -> Iterator[Any]:
        raise RuntimeError("none to be had")
        yield

    opened: list[Opened] = [
        *[refused] * broken,
        *[lambda judge=judge: contextlib.nullcontext(judge) for judge in whole],
    ]
    with contextlib.closing(Lanes(opened, todo, until_failure=until_failure)) as lanes:
        told = list(lanes)
    assert sorted(key for key, _ in told) == sorted(outcomes)
    run = [said[1:4] for judge in whole for said in judge.said if said[0] == "run"]
    assert len(run) == len(set(run))
    refused_checks = sum(str(found) == "none to be had" for _, found in told)
    assert refused_checks <= broken or until_failure or not run
    for number, row in enumerate(rows):
        mine = [(key, found) for key, found in told if key[0] == number]
        assert [key[2] for key, _ in mine] == [f"check{n}" for n in range(len(row))]
        has_failed = False
        for (key, found), outcome in zip(mine, row, strict=True):
            if str(found) == "none to be had":
                assert key not in run
            elif has_failed and until_failure:
                assert (found, key in run) == (None, False)
            elif outcome is None:
                assert isinstance(found, RuntimeError)
                assert key in run
            else:
                assert isinstance(found, Judged)
                assert found.result.outcome is outcome
            has_failed = has_failed or (outcome is Outcome.FAILED and key in run)
    for judge in whole:
        at = [said[1:3] for said in judge.said if said[0] == "run"]
        closed = [said[1:3] for said in judge.said if said[0] == "close"]
        assert closed == [desk for desk, _ in itertools.groupby(at)]


@pytest.mark.parametrize("until_failure", [False, True])
@pytest.mark.parametrize("judges", [1, 2])
def test_a_judge_that_falls_takes_nothing_along_unsaid(judges: int, until_failure: bool) -> None:
    passed = dict.fromkeys(
        [(number, "one", f"check{n}") for number in range(4) for n in range(3)], Outcome.PASSED
    )
    falling = [StubJudge(passed) for _ in range(judges)]
    for judge in falling:
        judge.falls_at = 1
    opened: Any = [lambda judge=judge: contextlib.nullcontext(judge) for judge in falling]
    with contextlib.closing(Lanes(opened, todo_of([3] * 4), until_failure=until_failure)) as lanes:
        told = dict(lanes)
    assert told.keys() == passed.keys()
    fallen = [key for key, found in told.items() if str(found) == "fallen"]
    assert all(isinstance(told[key], Judged) for key in passed if key not in fallen)
    assert fallen or judges == 2


def test_what_still_runs_is_broken_off_at_once_and_leaves_nothing(
    server: DisposableServer, course: Path
) -> None:
    answer_own(course, ENDLESS)
    exercise = load_course(course).exercises[EXERCISE]
    (submission,) = read_submissions([course / "exercises"], [exercise])
    before = logins(server) - {AUTHOR_GROUP, STUDENT_GROUP}, processes()
    with ProcessSandbox(server.socket_dir).start() as sandbox:
        rows = [
            Row((n, EXERCISE), dataclasses.replace(submission, student=f"s{n}"), exercise,
                exercise.checks)
            for n in range(3)
        ]  # fmt: skip
        lanes = Lanes([lambda: Judge(server, sandbox, seed=1)] * 2, rows)
        while not is_running(server):
            time.sleep(0.01)
        threads = list(lanes._threads)
        lanes.close()
        assert not any(thread.is_alive() for thread in threads)
    assert logins(server) - {AUTHOR_GROUP, STUDENT_GROUP} == before[0]
    while processes() - before[1]:
        time.sleep(0.01)


def is_running(server: DisposableServer) -> bool:
    """Whether a submission is connected."""
    with psycopg.connect(server.admin_url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity a JOIN pg_auth_members m"
            " ON m.member = a.usesysid JOIN pg_roles g ON g.oid = m.roleid WHERE g.rolname = %s",
            [STUDENT_GROUP],
        ).fetchone()
    return row is not None and row[0] > 0


def processes() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


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

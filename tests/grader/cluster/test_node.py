"""A node by itself: what it is given, what it answers, and that it goes when nobody needs it."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.catalog import Exercise, load_course
from grader.cluster import node
from grader.cluster.client import _agreed, _orders
from grader.cluster.orders import Delivery, Greeting, Order, Setup, pack, unpack
from grader.errors import ClusterError
from grader.evidence import surroundings
from grader.gathered import decoded
from grader.results import Evidence, Outcome
from grader.submissions import Submission
from grader.work import Work
from tests.grader.courses import EXERCISE, SOLUTION, STARTER, WITHOUT_ORDER, make_course

CHECKS = ("test_a_note_is_stored", "test_notes_are_found")


@pytest.fixture
def exercises(tmp_path: Path) -> tuple[Exercise, ...]:
    return load_course(make_course(tmp_path / "course")).select([])


@pytest.fixture
def setup(exercises: tuple[Exercise, ...], home: Path) -> Setup:
    return Setup(pack(exercises), (EXERCISE,), lambda: home, "embedded", "process", 7, False)


@pytest.fixture
def installed(setup: Setup) -> Iterator[Greeting]:
    yield node.install("run", setup)
    node.close("run")


def order(number: int, answer: str, **options: bool) -> Order:
    files = {EXERCISE: {"notes.py": answer.encode()}}
    wanted = {"until_failure": False} | options
    return Order(number, f"student{number}", files, {EXERCISE: CHECKS}, **wanted)


def outcomes(delivery: object) -> list[Outcome]:
    assert isinstance(delivery, Delivery)
    assert delivery.problems == {}
    return [one.result.outcome for one in decoded(delivery.judged[EXERCISE])]


P, F = Outcome.PASSED, Outcome.FAILED


def test_an_exercise_that_went_over_is_the_exercise_it_was(
    exercises: tuple[Exercise, ...], tmp_path: Path
) -> None:
    unpack(pack(exercises), tmp_path / "there")
    [there] = load_course(tmp_path / "there").select([])
    [here] = exercises
    assert there.sha256 == here.sha256
    assert [c.name for c in there.checks] == [c.name for c in here.checks] == list(CHECKS)


def test_a_node_greets_and_grades(installed: Greeting) -> None:
    assert installed.problem == ""
    assert installed.evidence is not None
    assert installed.evidence.surroundings == surroundings()
    assert (installed.evidence.server, installed.evidence.sandbox) == ("embedded", "process")
    assert outcomes(node.grade_there("run", order(0, SOLUTION))) == [P, P]
    assert outcomes(node.grade_there("run", order(1, WITHOUT_ORDER))) == [P, F]
    assert outcomes(node.grade_there("run", order(2, STARTER))) == [F, F]
    assert outcomes(node.grade_there("run", order(3, STARTER, until_failure=True))) == [F]


def test_several_threads_grade_side_by_side(installed: Greeting) -> None:
    found: dict[int, list[Outcome]] = {}

    def grade(number: int, answer: str) -> None:
        found[number] = outcomes(node.grade_there("run", order(number, answer)))

    answers = [SOLUTION, STARTER, WITHOUT_ORDER, SOLUTION]
    threads = [threading.Thread(target=grade, args=one) for one in enumerate(answers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {0: [P, P], 1: [F, F], 2: [P, F], 3: [P, P]}


def test_a_judge_that_breaks_loses_the_checks_that_are_left_and_says_why(
    installed: Greeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grader.desk import Desk

    run = Desk.run

    def fail(self: Desk, spec: object, **more: bool) -> object:
        if spec.name == CHECKS[1]:
            raise RuntimeError("tired")
        return run(self, spec, **more)

    monkeypatch.setattr(Desk, "run", fail)
    delivery = node.grade_there("run", order(0, SOLUTION))
    assert isinstance(delivery, Delivery)
    assert [one.result.name for one in decoded(delivery.judged[EXERCISE])] == [CHECKS[0]]
    assert delivery.problems == {(EXERCISE, CHECKS[1]): "RuntimeError: tired"}


def test_a_node_that_nobody_asks_any_more_closes_itself(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "IDLE_S", 0.2)
    monkeypatch.setattr(node, "_LOOK_S", 0.05)
    assert node.install("deserted", setup).problem == ""
    there = node._nodes["deserted"]
    until = time.monotonic() + 60
    while "deserted" in node._nodes or there.server.runs():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_node_that_is_closed_while_it_grades_breaks_that_off(
    setup: Setup, tmp_path: Path
) -> None:
    """Nobody waits for the rest, and a submission at all exercises takes a minute."""
    assert node.install("busy", setup).problem == ""
    there = node._nodes["busy"]
    begun = tmp_path / "begun"
    slow = f"open({str(begun)!r}, 'w').close()\n" + SOLUTION.replace(
        "    return session", "    import time; time.sleep(3)\n    return session"
    )
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(there.grade(order(0, slow))))
    thread.start()
    while not begun.exists():
        time.sleep(0.01)
    node.close("busy")
    thread.join()
    (delivery,) = found
    assert isinstance(delivery, Delivery)
    assert delivery.has_errors
    assert all(one.result.outcome is not P for one in decoded(delivery.judged[EXERCISE]))
    assert not there.server.runs()


def test_a_machine_that_cannot_grade_says_why(setup: Setup, home: Path) -> None:
    broken = dataclasses.replace(setup, sandbox="bubblewrap", database="nonsense")
    greeting = node.install("broken", broken)
    assert greeting.evidence is None
    assert "There is no kind of server called 'nonsense'" in greeting.problem
    with pytest.raises(ClusterError, match="The node tcp://a:1 cannot grade: There is no kind of"):
        _agreed({"tcp://a:1": greeting})


EVIDENCE = Evidence("0.1.0", 7, "bubblewrap", "embedded", "18.4", surroundings())


def test_nodes_that_would_find_other_things_are_refused() -> None:
    good = Greeting(EVIDENCE)
    assert _agreed({"tcp://a:1": good, "tcp://b:1": good}) == EVIDENCE
    older = Greeting(dataclasses.replace(EVIDENCE, server_version="16.2"))
    with pytest.raises(ClusterError, match=r"The node tcp://b:1 grades with .*16\.2.* others with"):
        _agreed({"tcp://a:1": good, "tcp://b:1": older})
    with_another = {**surroundings(), "sqlalchemy": "2.0.1"}
    other = Greeting(dataclasses.replace(EVIDENCE, surroundings=with_another))
    with pytest.raises(ClusterError, match=r"The node tcp://b:1 has sqlalchemy 2\.0\.1, and this"):
        _agreed({"tcp://a:1": good, "tcp://b:1": other})


def test_only_what_is_left_is_sent(exercises: tuple[Exercise, ...]) -> None:
    files = {EXERCISE: {"notes.py": b"x"}}
    names = ("ada", "bob", "eve")
    submissions = (*(Submission(name, files) for name in names), Submission("kim", {}))
    work = Work(submissions, exercises)
    sent = [one.student for one in _orders(work, {(1, EXERCISE)})]
    assert sent == ["ada", "eve"]
    only_visible = dataclasses.replace(work, visible_only=True)
    assert all(one.checks == {EXERCISE: CHECKS[:1]} for one in _orders(only_visible, set()))

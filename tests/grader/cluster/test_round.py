"""How work is handed out when nodes come and go, with futures that a test decides about."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest
from distributed import KilledWorker

from grader.catalog import load_course
from grader.cluster import client
from grader.cluster.client import _Round
from grader.cluster.orders import Absent, Delivery, Order
from grader.errors import ClusterError
from grader.gathered import Gathered, Judged, encoded
from grader.results import Outcome
from grader.submissions import Submission
from grader.work import Work
from tests.grader.courses import EXERCISE, make_course
from tests.grader.reports.demo import check

CHECKS = ("test_a_note_is_stored", "test_notes_are_found")
NAMES = ("ada", "bob", "eve", "kim")


class Future:
    """What the scheduler gives for an order: an answer, or an exception."""

    def __init__(self, key: str, answer: object) -> None:
        self.key = key
        self._answer = answer

    def add_done_callback(self, tell: Callable[[Future], None]) -> None:
        tell(self)

    def result(self) -> object:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def cancel(self) -> None:
        pass


class Cluster:
    """Answers each order with what the test has ready for its student, in turn."""

    def __init__(self, answers: dict[str, list[object]]) -> None:
        self.answers = answers
        self.sent: list[str] = []
        self.installed: list[str] = []
        self.is_connected = True
        self.there = 2

    def submit(self, function: object, order: Order) -> Future:
        self.sent.append(order.student)
        ready = self.answers.get(order.student, [])
        return Future(str(len(self.sent)), ready.pop(0) if ready else delivery(order))

    def install(self, address: str) -> None:
        self.installed.append(address)

    def threads(self) -> int:
        return self.there


def delivery(order: Order) -> Delivery:
    found = [Judged(check(Outcome.PASSED, name=name), 0.1) for name in CHECKS]
    return Delivery(order.number, {EXERCISE: encoded(found)}, {}, has_errors=False)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    course = load_course(make_course(tmp_path / "course"))
    files = {EXERCISE: {"notes.py": b"x"}}
    return Work(tuple(Submission(name, files) for name in NAMES), course.select([]))


def outcomes(work: Work, cluster: Any) -> dict[str, set[Outcome]]:
    gathered = Gathered(work, lambda done, total: None)
    _Round(cluster, work, (), gathered).run()
    return {
        submission.student: {c.outcome for e in submission.exercises for c in e.checks}
        for submission in gathered.submission_results()
    }


P, E = {Outcome.PASSED}, {Outcome.ERROR}


def killed() -> KilledWorker:
    return KilledWorker("task", "worker", 4)


def test_an_order_over_which_nodes_have_ended_comes_last_and_by_itself(work: Work) -> None:
    cluster = Cluster({"ada": [killed()], "bob": [killed()]})
    assert outcomes(work, cluster) == dict.fromkeys(NAMES, P)
    assert cluster.sent == ["ada", "bob", "eve", "kim", "ada", "bob"]


def test_one_over_which_they_end_again_is_an_error_of_the_kit(work: Work) -> None:
    cluster = Cluster({"ada": [killed(), killed()]})
    assert outcomes(work, cluster) == {"ada": E, "bob": P, "eve": P, "kim": P}
    assert cluster.sent.count("ada") == 2


def test_a_node_whose_server_ends_over_a_submission_again_is_not_tried_for_ever(
    work: Work,
) -> None:
    lost = Absent("tcp://a:1", lost=True)
    cluster = Cluster({"bob": [lost, lost], "eve": [lost]})
    assert outcomes(work, cluster) == {"ada": P, "bob": E, "eve": P, "kim": P}
    assert cluster.installed == ["tcp://a:1"] * 3


def test_a_node_that_has_joined_is_got_ready_and_the_order_sent_again(work: Work) -> None:
    cluster = Cluster({"ada": [Absent("tcp://a:1")] * 3})
    assert outcomes(work, cluster) == dict.fromkeys(NAMES, P)
    assert cluster.installed == ["tcp://a:1"] * 3
    assert sorted(cluster.sent) == ["ada"] * 4 + ["bob", "eve", "kim"]


def test_what_a_node_could_not_judge_says_why(work: Work) -> None:
    def partly(order: Order) -> Delivery:
        found = [Judged(check(Outcome.PASSED, name=CHECKS[0]), 0.1)]
        problems = {(EXERCISE, CHECKS[1]): "RuntimeError: tired"}
        return Delivery(order.number, {EXERCISE: encoded(found)}, problems, has_errors=True)

    cluster = Cluster({"bob": [partly(Order(1, "bob", {}, {}, False))]})
    gathered = Gathered(work, lambda done, total: None)
    _Round(cluster, work, (), gathered).run()
    bob = gathered.submission_results()[1].exercises[0]
    assert [c.outcome for c in bob.checks] == [Outcome.PASSED, Outcome.ERROR]
    assert bob.checks[1].failure is not None
    assert "RuntimeError: tired" in bob.checks[1].failure.message


def test_a_scheduler_that_goes_ends_the_grading_and_says_how_to_go_on(work: Work) -> None:
    cluster = Cluster({"ada": [CancelledError()]})
    with pytest.raises(ClusterError, match=r"is lost.*--resume"):
        outcomes(work, cluster)


@pytest.mark.parametrize(
    ("connected", "told"), [(False, "is lost"), (True, "has lost all its workers")]
)
def test_it_does_not_wait_for_ever_for_nobody(
    work: Work, monkeypatch: pytest.MonkeyPatch, connected: bool, told: str
) -> None:
    monkeypatch.setattr(client, "_LOOK_S", 0.01)
    monkeypatch.setattr(client, "_GONE_S", 0.05)
    monkeypatch.setattr(Future, "add_done_callback", lambda self, tell: None)
    cluster = Cluster({})
    cluster.is_connected, cluster.there = connected, 0
    with pytest.raises(ClusterError, match=told):
        outcomes(work, cluster)

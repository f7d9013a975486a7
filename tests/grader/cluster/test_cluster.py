"""A class graded on a real Dask cluster, and what becomes of it when nodes are lost."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.batch import grade
from grader.cluster import client
from grader.cluster.orders import Nodes
from grader.errors import ClusterError
from grader.folders import temporary_folder
from grader.logbook import read_logbook
from grader.results import Grading, Outcome, to_json
from tests.grader.cluster.conftest import PATIENCE_S, Cluster, home_of_a_node
from tests.grader.courses import (
    HERE,
    SOLUTION,
    STARTER,
    WITHOUT_ORDER,
    make_class,
    make_course,
    write_files,
)

SLOW = SOLUTION.replace("    found =", "    import time; time.sleep(0.3)\n    found =")
CLASS: dict[str, str | bytes] = {
    "ada": SOLUTION,
    "bob": STARTER,
    "eve": WITHOUT_ORDER,
    "kim": "import os; os._exit(0)",
    "lea": "raise ValueError({'a', 'b', 'c', 'd'})",
    "mia": b"\xff",
    **{f"slow{number}": SLOW for number in range(6)},
}
Graded = Callable[..., Grading]


@pytest.fixture
def graded(home: Path, tmp_path: Path) -> Graded:
    """Grades a class, on embedded servers."""
    course = make_course(tmp_path / "course")
    folder = make_class(tmp_path / "class", CLASS)

    def graded(**options: Any) -> Grading:
        wanted = {"database": "embedded", "sandbox": "process", "seed": 7} | options
        return grade([folder], course_root=course, home=home, **wanted)

    return graded


def as_bytes(grading: Grading) -> bytes:
    plain = to_json(grading)
    assert plain.pop("timings")
    return json.dumps(plain).encode()


def wait_until(holds: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def kits(folder: Path) -> list[Path]:
    """What the kit has in a folder for temporary files."""
    return list(folder.glob("kit-*"))


@pytest.mark.slow
def test_nodes_find_what_this_machine_finds_to_the_byte_and_leave_nothing(
    graded: Graded, cluster: Cluster
) -> None:
    for _ in range(2):
        cluster.add_worker("--no-nanny")
    cluster.wait_for_workers(2)
    said: list[str] = []
    here, there = graded(jobs=2), graded(nodes=cluster.nodes, say=said.append)
    assert as_bytes(there) == as_bytes(here)
    assert said == [f"Dask: 2 nodes at {cluster.nodes.address}, each with a server of its own."]
    assert not any(submission.has_errors for submission in there.submissions)
    assert cluster.servers() == []
    assert kits(cluster.temporary) == []
    assert all(worker.poll() is None for worker in cluster.workers)


@pytest.mark.slow
def test_what_a_node_had_that_is_lost_is_graded_again_elsewhere(
    graded: Graded, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = graded(jobs=2)
    for _ in range(2):
        cluster.add_worker("--no-nanny")
    cluster.wait_for_workers(2)
    lost = cluster.workers[0]
    seen: list[int] = []

    def told(done: int, total: int) -> None:
        seen.append(done)
        if len(seen) == 6:
            assert len(cluster.servers()) == 2
            cluster.kill(lost)

    there = graded(nodes=cluster.nodes, progress=told)
    assert lost.poll() == -signal.SIGKILL
    assert as_bytes(there) == as_bytes(here)
    assert seen[-1] == 22
    # The lost one's server has ended with it; its copy of the course goes with the next grading.
    wait_until(lambda: {p.name[:12] for p in kits(cluster.temporary)} == {"kit-grading-"})
    monkeypatch.setattr("tempfile.tempdir", str(cluster.temporary))
    with temporary_folder():
        pass
    assert kits(cluster.temporary) == []


@pytest.mark.slow
def test_a_node_that_joins_later_or_again_takes_part(graded: Graded, cluster: Cluster) -> None:
    """A nanny starts a new process in the place of the one that was killed."""
    here = graded(jobs=2)
    cluster.add_worker("--nanny")
    seen: list[int] = []

    def told(done: int, total: int) -> None:
        seen.append(done)
        if len(seen) == 4:
            [server] = cluster.servers()
            # postgres, its watchman, and then the worker's own process
            os.kill(psutil.Process(server.ppid()).ppid(), signal.SIGKILL)

    assert as_bytes(graded(nodes=cluster.nodes, progress=told)) == as_bytes(here)
    assert sorted(seen) == list(range(23))


@pytest.mark.slow
def test_a_node_whose_server_is_killed_gets_another_and_nobody_an_error(
    graded: Graded, cluster: Cluster
) -> None:
    here = graded(jobs=2)
    cluster.add_worker("--no-nanny")
    seen: list[int] = []

    def told(done: int, total: int) -> None:
        seen.append(done)
        if len(seen) == 4:
            [server] = cluster.servers()
            server.kill()

    there = graded(nodes=cluster.nodes, progress=told)
    assert as_bytes(there) == as_bytes(here)
    assert cluster.servers() == []


CRASHING = """
import os
from grader.checks import check

@check("It survives", points=2)
def test_it_survives(student):
    if student.call("add_note", "x") == "crash":
        os._exit(1)
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("cluster", [0], indirect=True)
def test_a_submission_that_ends_every_node_is_the_kits_error_and_costs_nobody_else_anything(
    cluster: Cluster, home: Path, tmp_path: Path
) -> None:
    course = write_files(make_course(tmp_path / "course"), {f"{HERE}/test_visible.py": CRASHING})
    crashing = "def add_note(session, body): return 'crash'\ndef find_notes(session, w): return []"
    answers: dict[str, str | bytes] = dict.fromkeys(("ada", "eve"), SOLUTION)
    folder = make_class(tmp_path / "class", {**answers, "bob": crashing})
    cluster.add_worker("--nanny")
    grading = grade(
        [folder],
        course_root=course,
        home=home,
        database="embedded",
        sandbox="process",
        nodes=cluster.nodes,
    )
    found = {s.student: [c.outcome for c in s.exercises[0].checks] for s in grading.submissions}
    assert found.pop("bob") == [Outcome.ERROR, Outcome.ERROR]
    assert found == {student: [Outcome.PASSED, Outcome.PASSED] for student in answers}
    [bob] = [s for s in grading.submissions if s.student == "bob"]
    assert bob.earned == 0
    failure = bob.exercises[0].checks[0].failure
    assert failure is not None
    assert "the machines that graded it have ended" in failure.message


@pytest.mark.slow
def test_a_grading_on_nodes_is_broken_off_and_goes_on_here(
    graded: Graded, cluster: Cluster, tmp_path: Path
) -> None:
    cluster.add_worker("--no-nanny")
    logbook = tmp_path / "unfinished.log"

    def told(done: int, total: int) -> None:
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        graded(nodes=cluster.nodes, logbook=logbook, progress=told)
    wait_until(lambda: cluster.servers() == [] and kits(cluster.temporary) == [])
    kept = read_logbook(logbook)
    assert kept is not None
    assert len(kept[1]) == 4
    said: list[str] = []
    gone_on = graded(logbook=logbook, resume=True, say=said.append)
    assert "Going on: 4 of 11 answers are graded already." in said
    assert as_bytes(gone_on) == as_bytes(graded())


@pytest.mark.slow
def test_a_scheduler_without_workers_says_how_to_start_them(
    graded: Graded, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_NODES_S", 0.5)
    with pytest.raises(ClusterError, match=r"has no workers.*\n?.*dask worker tcp://"):
        graded(nodes=cluster.nodes)


def test_where_no_scheduler_answers_it_is_said_how_to_start_one(
    graded: Graded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_CONNECT_S", 0.5)
    with pytest.raises(ClusterError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        graded(nodes=Nodes("tcp://127.0.0.1:9", home_of_a_node))

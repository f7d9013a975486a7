"""A class graded by real processes that are killed in the middle: nothing is left, nothing is lost,
and the judge takes no more memory for many than for few. `bench/class_of_1000.py` does it at
length.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.class_of_1000 import (
    ANSWERS,
    Break,
    Process,
    Run,
    interrupt,
    kill_a_process_of_the_judge,
    kill_postgresql,
    kill_the_judge,
)
from pglab.servers import Server, open_server

pytestmark = [pytest.mark.slow, pytest.mark.sandbox, pytest.mark.timeout(900)]

MANY, FEW = 84, 24
POINTS = [2, 0, 0, 0]
"""What each of the bench's answers earns."""


@pytest.fixture
def server(kit_home_for_servers: Path) -> Iterator[Server]:
    """A server that somebody else runs."""
    with open_server("embedded", home=kit_home_for_servers, disposable=True) as running:
        yield running


def earned(run: Run) -> list[float]:
    """What everybody earned, which must be final."""
    results = json.loads((run.out / "results.json").read_text(encoding="utf-8"))
    outcomes = {
        check["outcome"]
        for submission in results["submissions"]
        for exercise in submission["exercises"]
        for check in exercise["checks"]
    }
    assert outcomes == {"passed", "failed"}
    return [submission["earned"] for submission in results["submissions"]]


def least(run: Run, process: subprocess.Popen[str]) -> list[Process]:
    """The least that each process of the judge takes within some checks: while the last one of a
    submission runs, the next submission is made ready, and both have their files.
    """
    looks = []
    for _ in range(10):
        looks.append(run.measured(process))
        time.sleep(0.015)
    return [
        Process(min(p.megabytes for p in each), min(p.files for p in each))
        for each in zip(*looks, strict=True)
    ]


def test_the_judge_takes_no_more_for_many_than_for_few_and_leaves_nothing(
    server: Server, kit_home_for_servers: Path
) -> None:
    run = Run(kit_home_for_servers, MANY, server=server)
    with run.started() as process:
        run.until_graded(process, MANY // 4)
        few = least(run, process)
        run.until_graded(process, MANY - 24)
        many = least(run, process)
    assert process.returncode == 0
    assert len(few) == len(many) == 3
    for before, after in zip(few, many, strict=True):
        assert after.megabytes < before.megabytes + 8
        assert after.files <= before.files + 4  # it may be in the middle of something
    assert not run.left()
    assert earned(run) == POINTS * (MANY // len(ANSWERS))


@pytest.mark.parametrize(
    "break_off", [interrupt, kill_a_process_of_the_judge, kill_the_judge, kill_postgresql]
)
def test_whatever_is_killed_in_the_middle_nothing_is_left_and_the_rest_is_graded(
    server: Server, kit_home_for_servers: Path, break_off: Break
) -> None:
    own = break_off is kill_postgresql
    run = Run(kit_home_for_servers, FEW, server=None if own else server)
    with run.started() as process:
        run.until_graded(process, FEW // 3)
        break_off(run, process)
    assert process.returncode in {interrupt: {130}, kill_the_judge: {-9}}.get(break_off, {0, 3})
    # On a server that goes on, what a killed judge had is dropped by the next grading there.
    assert break_off is kill_the_judge or not run.left()
    with run.started("--resume") as process:
        pass
    assert process.returncode == 0
    assert not run.left()
    assert earned(run) == POINTS * (FEW // len(ANSWERS))

"""A small course, and a home in which a checker may stay ready."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from grader.results import Grading, to_json
from kit.standby import client
from tests.kit.tiny_course import EXERCISE, make_course

PATIENCE_S = 60.0


def wait_until(condition: Callable[[], object], what: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, f"in vain waited until {what}"
        time.sleep(0.02)


def told(grading: Grading) -> dict[str, object]:
    """What a grading says, without how long it took."""
    return {name: value for name, value in to_json(grading).items() if name != "timings"}


@dataclass
class Warm:
    """A home, and a course to check there."""

    home: Path
    course: Path

    @property
    def exercise(self) -> Path:
        return self.course / "exercises" / EXERCISE

    def check(self, *, sandbox: str = "process", seed: int | None = 7) -> Grading | None:
        """By the checker that stays ready."""
        return client.check(
            [EXERCISE], course_root=self.course, home=self.home, sandbox=sandbox, seed=seed
        )

    def checked(self, *, sandbox: str = "process", seed: int | None = 7) -> Grading:
        """The same, where the checker must be there."""
        grading = self.check(sandbox=sandbox, seed=seed)
        log = self.home / "standby" / "log.txt"
        assert grading is not None, log.read_text("utf-8") if log.exists() else "no checker"
        return grading

    def keeper(self) -> psutil.Process:
        """The process that stays."""
        status = client.status(self.home)
        assert status is not None
        return psutil.Process(status["pid"])

    def family(self) -> list[psutil.Process]:
        """The process that stays with all that it has started."""
        keeper = self.keeper()
        return [keeper, *keeper.children(recursive=True)]


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


@pytest.fixture
def warm(
    kit_home_for_servers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Warm]:
    monkeypatch.setenv("KIT_WARM", "5")
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    home = kit_home_for_servers / "home"
    home.mkdir()
    yield Warm(home, make_course(tmp_path / "tiny"))
    with contextlib.suppress(OSError):
        os.chmod(home / "standby", 0o700)
    client.end(home)

"""How long a learner waits: kit --help, kit check with and without the checker that stays ready,
and kit watch from a save to the first verdict and to the whole report.

    python bench/first_check.py [--rounds N] [--exercise 04_repository | --all]

Whole processes, from start to end, on a copy of the course with the solution in its place; a save
that is watched mends a mistake, one that a visible check finds. Prints the median and the least of
each in seconds, and how many times less it is than a check without the checker. On a machine that
does other work the least tells more.
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self

from grader.catalog import load_course
from grader.verify import samples

PROJECT = Path(__file__).resolve().parents[1]
KIT = (sys.executable, "-m", "kit")
GETTING_READY_S = 1.5
"""Between two checks: a learner thinks for longer."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--exercise", default="04_repository")
    parser.add_argument("--all", action="store_true", help="each exercise, a line for each")
    options = parser.parse_args()
    if options.all:
        every(options.rounds)
    else:
        one(options.exercise, options.rounds)


def one(exercise: str, rounds: int) -> None:
    with Bench(exercise, rounds) as bench:
        rows = {
            "kit --help": bench.times(lambda: bench.kit("--help")),
            "kit check, without a checker": bench.times(lambda: bench.check("0")),
            "kit check, the first with one": bench.times(lambda: bench.check("5"), bench.end),
            "kit check, each later one": bench.times(lambda: bench.check("5"), bench.rest),
        }
        mended = bench.watched()
        rows["kit watch, from a save to a verdict"] = [each.first_s for each in mended]
        rows["kit watch, to the whole report"] = [each.whole_s for each in mended]
    cold = rows["kit check, without a checker"]
    print(f"{'seconds':40}{'median':>10}{'least':>10}{'quicker':>10}")
    for name, seconds in rows.items():
        median, least = statistics.median(seconds), min(seconds)
        ratio = "" if "help" in name else f"{statistics.median(cold) / median:9.1f}x"
        print(f"{name:40}{median:10.2f}{least:10.2f}{ratio:>10}")


def every(rounds: int) -> None:
    heads = ("checks", "no checker", "with it", "watch: first", "whole")
    print("medians in seconds    " + "".join(f"{head:>14}" for head in heads))
    for folder in sorted((PROJECT / "exercises").glob("[0-9]*")):
        with Bench(folder.name, rounds) as bench:
            cold = bench.times(lambda: bench.check("0"))
            bench.check("5")
            warm = bench.times(lambda: bench.check("5"), bench.rest)
            mended = bench.watched()
        checks = (folder / "test_visible.py").read_text(encoding="utf-8").count("\n@check(")
        first, whole = [each.first_s for each in mended], [each.whole_s for each in mended]
        taken = (cold, warm, first, whole)
        medians = "".join(f"{statistics.median(seconds):14.2f}" for seconds in taken)
        print(f"{folder.name:22}{checks:14}{medians}", flush=True)


class Mended(NamedTuple):
    """How many seconds after a save the first verdict was to be read, and the whole report."""

    first_s: float
    whole_s: float


class Bench:
    """A course in which an exercise is solved, and a home of its own."""

    def __init__(self, exercise: str, rounds: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="kit-bench-")
        folder = Path(self._folder.name)
        folder.chmod(0o755)
        self.exercise = exercise
        self.rounds = rounds
        self.course = folder / "course"
        self.home = folder / "home"
        self.right, self.wrong = self._answers()
        self.save(self.right)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("KIT_", "CI"))}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        self.environment = kept | {"KIT_HOME": str(self.home), "PYTHONUTF8": "1"}
        self.kit("check", exercise, KIT_WARM="0")  # makes what is made once on a machine

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._folder.cleanup()

    def _answers(self) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """The files of the solution, and those of a mistake that a visible check finds."""
        shutil.copytree(PROJECT / "exercises", self.course / "exercises")
        shutil.copytree(PROJECT / "docs" / "misconceptions", self.course / "docs/misconceptions")
        exercise = load_course(PROJECT).exercises[self.exercise]
        visible = {check.name for check in exercise.checks if check.visible}
        known = list(samples(exercise))
        right = next(sample for sample in known if sample.kind == "solution")
        wrong = next(sample for sample in known if sample.fails & visible)
        one, other = (
            {name: path.read_bytes() for name, path in sample.files.items()}
            for sample in (right, wrong)
        )
        return one, other

    def save(self, answer: dict[str, bytes]) -> None:
        """Save what is not so already, as editors do: beside the file, then in its place."""
        folder = self.course / "exercises" / self.exercise
        for name, content in answer.items():
            file = folder / name
            if file.read_bytes() != content:
                new = folder / ".new"
                new.write_bytes(content)
                new.replace(file)

    def kit(self, *words: str, **environment: str) -> None:
        subprocess.run(
            [*KIT, *words],
            cwd=self.course,
            env=self.environment | environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def check(self, minutes: str) -> None:
        self.kit("check", self.exercise, KIT_WARM=minutes)

    def end(self) -> None:
        self.kit("db", "down")

    def rest(self) -> None:
        time.sleep(GETTING_READY_S)

    def times(
        self, work: Callable[[], None], before: Callable[[], None] = lambda: None
    ) -> list[float]:
        found = []
        for _ in range(self.rounds):
            before()
            began = time.perf_counter()
            work()
            found.append(time.perf_counter() - began)
        return found

    def watched(self) -> list[Mended]:
        """Mend a mistake again and again while kit watch has a terminal."""
        with self._watching() as terminal:
            _read(terminal, _WHOLE)
            self.rest()
            return [self._mend(terminal) for _ in range(self.rounds)]

    @contextmanager
    def _watching(self) -> Iterator[int]:
        leader, follower = pty.openpty()
        with subprocess.Popen(
            [*KIT, "watch", self.exercise],
            cwd=self.course,
            env=self.environment | {"KIT_WARM": "5"},
            stdout=follower,
            stderr=subprocess.DEVNULL,
        ) as process:
            os.close(follower)
            yield leader
            process.send_signal(signal.SIGINT)
        os.close(leader)

    def _mend(self, terminal: int) -> Mended:
        self.save(self.wrong)
        _read(terminal, _WHOLE, _read(terminal, _BROKEN))
        self.rest()
        began = time.perf_counter()
        self.save(self.right)
        so_far = _read(terminal, _VERDICT)
        first_s = time.perf_counter() - began
        _read(terminal, _WHOLE, so_far)
        return Mended(first_s, time.perf_counter() - began)


_VERDICT = re.compile(rb"Now right")
_BROKEN = re.compile(rb"No longer right")
_WHOLE = re.compile(rb"[0-9] of [0-9]+ checks?\b")
"""In the heading of a report, which is written at once."""


def _read(terminal: int, wanted: re.Pattern[bytes], so_far: bytes = b"") -> bytes:
    """Read until something has been written; all that was."""
    while not wanted.search(so_far):
        chunk = os.read(terminal, 65_536)
        if not chunk:
            raise SystemExit(f"kit watch ended: {so_far.decode()}")
        so_far += chunk
    return so_far


if __name__ == "__main__":
    main()

"""How long a learner waits: kit --help, kit check with and without the checker that stays ready,
and kit watch from a save to the verdict.

    python bench/first_check.py [--rounds N] [--exercise 04_repository | --all]

Whole processes, from start to end, on a copy of the course with the solution in its place. Prints
the median and the least of each in seconds, and how many times less it is than a check without the
checker. On a machine that does other work the least tells more.
"""

from __future__ import annotations

import argparse
import os
import select
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
from typing import Self

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
        with bench.watch() as saved:
            rows["kit watch, from a save to the verdict"] = bench.times(saved, bench.rest)
    cold = rows["kit check, without a checker"]
    print(f"{'seconds':40}{'median':>10}{'least':>10}{'quicker':>10}")
    for name, seconds in rows.items():
        median, least = statistics.median(seconds), min(seconds)
        ratio = "" if "help" in name else f"{statistics.median(cold) / median:9.1f}x"
        print(f"{name:40}{median:10.2f}{least:10.2f}{ratio:>10}")


def every(rounds: int) -> None:
    heads = ("checks", "no checker", "with it", "watch")
    print("medians in seconds    " + "".join(f"{head:>12}" for head in heads))
    for folder in sorted((PROJECT / "exercises").glob("[0-9]*")):
        with Bench(folder.name, rounds) as bench:
            cold = bench.times(lambda: bench.check("0"))
            bench.check("5")
            warm = bench.times(lambda: bench.check("5"), bench.rest)
            with bench.watch() as saved:
                watched = bench.times(saved, bench.rest)
        checks = (folder / "test_visible.py").read_text(encoding="utf-8").count("\n@check(")
        medians = "".join(f"{statistics.median(taken):12.2f}" for taken in (cold, warm, watched))
        print(f"{folder.name:22}{checks:12}{medians}", flush=True)


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
        self.answer = self._solve()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("KIT_", "CI"))}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        self.environment = kept | {"KIT_HOME": str(self.home), "PYTHONUTF8": "1"}
        self.kit("check", exercise, KIT_WARM="0")  # makes what is made once on a machine

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._folder.cleanup()

    def _solve(self) -> Path:
        shutil.copytree(PROJECT / "exercises", self.course / "exercises")
        shutil.copytree(PROJECT / "docs" / "misconceptions", self.course / "docs/misconceptions")
        solution = PROJECT / "solutions" / self.exercise
        place = self.course / "exercises" / self.exercise
        answers = [file for file in solution.iterdir() if (place / file.name).is_file()]
        for file in answers:
            shutil.copyfile(file, place / file.name)
        return place / answers[0].name

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

    @contextmanager
    def watch(self) -> Iterator[Callable[[], None]]:
        """Gives a function that saves the answer and waits for the verdict."""
        content = self.answer.read_bytes()
        comment = "--" if self.answer.suffix == ".sql" else "#"
        with subprocess.Popen(
            [*KIT, "watch", self.exercise],
            cwd=self.course,
            env=self.environment | {"KIT_WARM": "5", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdout is not None
            output = process.stdout.fileno()
            self._read_verdict(output)
            number = 0

            def saved() -> None:
                nonlocal number
                number += 1
                new = self.answer.with_name(".new")
                new.write_bytes(content + f"\n{comment} {number}\n".encode())
                new.replace(self.answer)
                self._read_verdict(output)

            yield saved
            process.send_signal(signal.SIGINT)

    def _read_verdict(self, output: int) -> None:
        """Read a report: until its heading, with the points, has come and nothing more comes at
        once.
        """
        text = b""
        while b"checks\n" not in text or select.select([output], [], [], 0)[0]:
            chunk = os.read(output, 65_536)
            if not chunk:
                raise SystemExit(f"kit watch ended: {text.decode()}")
            text += chunk


if __name__ == "__main__":
    main()

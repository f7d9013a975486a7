"""A class over the whole course: its time, which exercises take it, and what it scales with.

    python bench/whole_class.py [--students N] [--few N] [--sandbox NAME]

Every student hands in all seventeen exercises: in turn the solution, the other right answers and
the mistakes that the course is proved with. The class is graded by `kit grade` in one process, with
a judge for each of two processors; a few of it likewise, by two processes, by a worker of a Dask
cluster on this machine that has two threads, and by two workers of one. The judge's processes are
looked at four times a second.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from class_of_1000 import judges
from distributed import LocalCluster

from grader.catalog import load_course
from grader.verify import Sample, lay_out, samples

COURSE = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Graded:
    """One grading."""

    seconds: float
    results: dict[str, Any]
    peak_mb: float
    """Resident memory of the largest of the judge's processes."""
    quarters_mb: tuple[float, ...]
    """The same after one, two and three quarters of the time."""

    @property
    def checks(self) -> dict[str, list[float]]:
        """Seconds of each check, by exercise."""
        found = defaultdict(list)
        for exercises in self.results["timings"]["by_check"].values():
            for exercise, checks in exercises.items():
                found[exercise] += checks.values()
        return found

    @property
    def by_check(self) -> dict[str, Any]:
        """What each check found."""
        return {
            f"{submission['student']}, {exercise['exercise']}, {check['name']}": check
            for submission in self.results["submissions"]
            for exercise in submission["exercises"]
            for check in exercise["checks"]
        }

    @property
    def count(self) -> int:
        return sum(map(len, self.checks.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=60)
    parser.add_argument("--few", type=int, default=6)
    parser.add_argument("--sandbox", default="auto")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kit-bench-") as name:
        root = Path(name)
        root.chmod(0o755)
        few = hand_in(root / "few", options.few)
        how = ("--sandbox", options.sandbox)
        scaling = {"one process": grade(few, root, "--jobs", "1", *how)}
        scaling["two processes"] = grade(few, root, "--jobs", "2", *how)
        for title, workers, threads in (("a Dask worker", 1, 2), ("two Dask workers", 2, 1)):
            with LocalCluster(
                n_workers=workers, threads_per_worker=threads, dashboard_address=None
            ) as cluster:
                scaling[title] = grade(few, root, "--dask", cluster.scheduler_address, *how)
        whole = grade(hand_in(root / "whole", options.students), root, "--jobs", "1", *how)
    compare(scaling, options.few)
    tell(whole, options.students)


def hand_in(folder: Path, students: int) -> Path:
    """A class in which every answer of the course's proof comes up in turn."""
    for exercise in load_course(COURSE).exercises.values():
        answers: Sequence[Sample] = [s for s in samples(exercise) if s.kind != "starter"]
        for number in range(students):
            lay_out(answers[number % len(answers)], folder / f"student{number:03}")
    return folder


def grade(folder: Path, root: Path, *options: str) -> Graded:
    out = root / "out"
    words = ("grade", folder, "--out", out, "--seed", "7", "--database", "embedded", *options)
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    began = time.perf_counter()
    seen: list[float] = []
    with subprocess.Popen(
        [sys.executable, "-m", "kit", *map(str, words)],
        cwd=COURSE,
        env=kept | {"KIT_HOME": str(root / "home")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as process:
        while process.poll() is None:
            time.sleep(0.25)
            try:
                seen.append(max(p.memory_info().rss for p in judges(process)) / 1e6)
            except psutil.Error:  # one of them has just ended
                continue
    assert process.returncode == 0, process.returncode
    seconds = time.perf_counter() - began
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    quarters = tuple(seen[len(seen) * quarter // 4] for quarter in (1, 2, 3))
    return Graded(seconds, results, max(seen), quarters)


def compare(gradings: dict[str, Graded], students: int) -> None:
    [(_, first), *_] = gradings.items()
    print(f"{students} students, {first.count} checks")
    for name, graded in gradings.items():
        rate, faster = graded.count / graded.seconds, first.seconds / graded.seconds
        print(f"  {name:18}{graded.seconds:8.1f} s{rate:8.1f} checks a second{faster:7.2f} x")
        for check in unlike(first, graded):
            print(f"    another result than by one process: {check}")


def unlike(one: Graded, other: Graded) -> list[str]:
    """The checks that two gradings found different things for."""
    left, right = one.by_check, other.by_check
    return [
        f"{name}: {left.get(name)} and {right.get(name)}"
        for name in sorted(left | right)
        if left.get(name) != right.get(name)
    ]


def tell(whole: Graded, students: int) -> None:
    each = whole.seconds / students
    print(f"\n{students} students, {whole.count} checks in {whole.seconds:.0f} s in one process,")
    print(f"  {whole.count / whole.seconds:.1f} checks and {1 / each:.2f} students a second;")
    print(f"  300 students would take {300 * each / 60:.0f} min")
    print(
        f"  the largest of the judge's processes: {whole.peak_mb:.0f} MB at its peak,"
        f" {', '.join(f'{mb:.0f}' for mb in whole.quarters_mb)} MB after each quarter"
    )
    print(f"\n{'exercise':20}{'checks':>8}{'median':>12}{'longest':>12}{'of the time':>14}")
    total = sum(sum(seconds) for seconds in whole.checks.values())
    for exercise, seconds in sorted(whole.checks.items()):
        print(
            f"{exercise:20}{len(seconds) // students:8}{statistics.median(seconds) * 1000:9.0f} ms"
            f"{max(seconds) * 1000:9.0f} ms{sum(seconds) / total:12.0%}"
        )


if __name__ == "__main__":
    main()

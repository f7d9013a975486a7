"""Checks a learner's own work: by the checker that stays ready, or else in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kit import home
from kit.standby import client

if TYPE_CHECKING:
    from grader.gathered import Found
    from grader.results import ExerciseResult, Grading


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found, and how long the parts of finding it took."""

    grading: Grading
    seconds: Mapping[str, float]
    """By name, without what the checks themselves took."""


def check(
    exercises: Sequence[str],
    *,
    course_root: Path,
    database: str = "auto",
    sandbox: str = "auto",
    seed: int | None = None,
    first: Sequence[str] = (),
    say: Callable[[str], None] = lambda line: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    found: Found = lambda exercise, result: None,
    outdated: Callable[[], bool] = lambda: False,
) -> Checked:
    """Check the learner's own files against the visible checks; see `grader.batch.check`.

    Args:
        outdated: asked every now and then whether the answer is still wanted; not where the check
            is done in this process.

    Raises:
        Outdated: it is not.
        KitError, GraderError, PglabError: the course or the machine is not as it must be.
    """
    place = home.prepare()
    began = time.perf_counter()
    if database in ("auto", "embedded") and sandbox != "container":  # no container is kept waiting
        grading = client.check(
            exercises,
            course_root=course_root,
            home=place,
            sandbox=sandbox,
            seed=seed,
            first=first,
            progress=progress,
            found=found,
            outdated=outdated,
        )
        if grading is not None:
            whole = time.perf_counter() - began
            waited = max(0.0, whole - grading.timings["total_seconds"])
            return Checked(grading, {"reach the checker that stays ready": waited})
        began = time.perf_counter()
    from grader import batch

    imported = time.perf_counter() - began
    grading = batch.check(
        exercises,
        course_root=course_root,
        home=place,
        database=database,
        sandbox=sandbox,
        seed=seed,
        first=first,
        say=say,
        progress=progress,
        found=found,
    )
    seconds = {
        "import the grader": imported,
        "find or start the server": grading.timings["server_seconds"],
    }
    return Checked(grading, seconds)


def praise(result: ExerciseResult, course_root: Path) -> str:
    """What is said when every check that the learner has is right, and how many points others hold;
    empty where one is not.
    """
    from grader.reports import tutor
    from grader.results import Outcome
    from kit.course import worth_of

    if not result.checks or any(check.outcome is not Outcome.PASSED for check in result.checks):
        return ""
    return tutor.praise(result, worth_of(course_root, result.exercise))

"""Grades classes and checks a learner's own work: starts what is needed, runs pytest, gathers the
results.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.assignment import Assignment
from grader.catalog import CheckSpec, Course, Exercise, load_course
from grader.desk import not_taken
from grader.plan import Plan, fingerprint
from grader.results import (
    CheckResult,
    Evidence,
    ExerciseResult,
    Failure,
    Grading,
    Outcome,
    Reason,
    SubmissionResult,
)
from grader.roster import read_roster
from grader.sandbox import open_sandbox
from grader.scores import scores
from grader.starting import ServerStart
from grader.submissions import Submission, read_submissions
from grader.text import clean
from pglab.errors import PglabError
from pglab.scratch import Scratch
from pglab.servers import Server
from pglab.servers.attached import Attachment

if TYPE_CHECKING:
    from grader.plugin import Prestarted
    from grader.session import Gathered
    from grader.standby import Standby

Progress = Callable[[int, int], None]
"""Told after every check: how many are done, of how many."""


def grade(
    paths: Sequence[Path],
    *,
    course_root: Path,
    home: Path,
    database: str = "auto",
    sandbox: str = "auto",
    seed: int | None = None,
    exercises: Sequence[str] = (),
    assignment: str | None = None,
    roster: Path | None = None,
    jobs: int = 1,
    own_work: bool = False,
    visible_only: bool = False,
    until_failure: bool = False,
    say: Callable[[str], None] = lambda line: None,
    progress: Progress = lambda done, total: None,
) -> Grading:
    """Grade submissions on a server of their own and return what was found.

    Args:
        paths: classes (folders with one folder per student) or single submissions.
        course_root: the folder with ``exercises/`` and ``solutions/``.
        home: where the kit keeps its state.
        database: ``auto``, ``embedded``, ``container`` or a URL.
        sandbox: ``auto``, ``bubblewrap`` or ``process``.
        seed: of the run's data; drawn at random where None is given, and part of the result.
        exercises: names; those of the assignment where none is given, or all of the course.
        assignment: name of one in ``course.toml``, for weights, due date and what lateness costs.
        roster: a CSV file that says who is in the class (`grader.roster`).
        jobs: processes.
        own_work: the code is the user's own, so that a mere process may do as sandbox.
        visible_only: leave out the checks that only instructors hold.
        until_failure: at each exercise of a submission, leave out the checks after the first one
            that fails. They are missing in the result.
        say: told in a line what was chosen and why.
        progress: told after every check.

    Raises:
        GraderError: the course, a path or the machine is not as it must be; the message says what
            to do.
        PglabError: no server can be had.
    """
    course = load_course(course_root)
    asked = course.assignment(assignment) if assignment else Assignment()
    entries = read_roster(roster, asked.time_zone) if roster else ()
    chosen = tuple(course.select(exercises or asked.exercises))
    how = _How(
        home=home,
        database=database,
        sandbox=sandbox,
        seed=_drawn(seed),
        jobs=jobs,
        own_work=own_work,
        visible_only=visible_only,
        standby=None,
        until_failure=until_failure,
        say=say,
        progress=progress,
    )
    grading = _grade(course, chosen, paths, how)
    if not (entries or asked.due or asked.weights):
        return grading  # scores would only say the points again
    return dataclasses.replace(grading, scores=scores(grading, asked, entries))


@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    """The settings of `grade` that do not say what is graded."""

    home: Path
    database: str
    sandbox: str
    seed: int
    jobs: int
    own_work: bool
    visible_only: bool
    standby: Standby | None
    until_failure: bool
    say: Callable[[str], None]
    progress: Progress


def _grade(
    course: Course, chosen: tuple[Exercise, ...], paths: Sequence[Path], how: _How
) -> Grading:
    began, started = datetime.now(UTC), time.perf_counter()
    for exercise in chosen:
        _ = exercise.checks  # a broken check file is found before anything is started
    submissions = tuple(read_submissions(paths, chosen))
    with contextlib.ExitStack() as stack:
        server, prestarted = how.standby.lend() if how.standby else _start(how, stack)
        from grader.session import Gathered, run

        ready = time.perf_counter()
        sandbox = prestarted.sandbox.name
        evidence = Evidence(version("kit"), how.seed, sandbox, server.kind, server.version)
        plan = Plan(
            course_root=str(course.root.resolve()),
            paths=tuple(os.path.abspath(p) for p in paths),
            exercises=tuple(e.name for e in chosen),
            visible_only=how.visible_only,
            until_failure=how.until_failure,
            seed=how.seed,
            sandbox=sandbox,
            own_work=how.own_work,
            server=Attachment.of(server).to_plain(),
            fingerprint=fingerprint(submissions, chosen),
        )
        gathered = Gathered(how.progress, _total(submissions, chosen, how.visible_only))
        desks = sum(len(submission.files) for submission in submissions)
        run(plan, min(how.jobs, desks), gathered, prestarted)
    results = [
        _submission_result(submission, number, chosen, gathered, how)
        for number, submission in enumerate(submissions)
    ]
    timings = {
        "started": began.isoformat(timespec="seconds"),
        "total_seconds": round(time.perf_counter() - started, 3),
        "server_seconds": round(ready - started, 3),
        "checks": len(gathered.results),
        **_seconds(submissions, gathered),
    }
    return Grading(course.title, evidence, tuple(results), course.misconceptions, timings)


def _start(how: _How, stack: contextlib.ExitStack) -> tuple[Server, Prestarted]:
    """Start a server and a sandbox, which end with the stack."""
    start = stack.enter_context(ServerStart(how.database, home=how.home, say=how.say))
    sandbox = open_sandbox(
        how.sandbox, socket_dir=start.socket_dir(), own_work=how.own_work, seed=how.seed
    )
    stack.callback(sandbox.close)
    # pytest takes a while to import; server and sandbox start meanwhile.
    from grader.plugin import Prestarted

    server = start.server()
    if server.durable:
        _sweep(server)
    return server, Prestarted(sandbox)


def check(
    exercises: Sequence[str],
    *,
    course_root: Path,
    home: Path,
    database: str = "auto",
    sandbox: str = "auto",
    seed: int | None = None,
    standby: Standby | None = None,
    say: Callable[[str], None] = lambda line: None,
    progress: Progress = lambda done, total: None,
) -> Grading:
    """Check the learner's own files in ``exercises/`` against the visible checks.

    The checks get a throw-away server of their own, which is embedded unless ``database`` says
    otherwise: quick to start, and what a learner keeps on their own server is not touched. With a
    ``standby`` they get its server, sandbox and seed instead of those that are named here.
    """
    course = load_course(course_root)
    how = _How(
        home=home,
        database="embedded" if database == "auto" else database,
        sandbox=sandbox,
        seed=standby.seed if standby else _drawn(seed),
        jobs=1,
        own_work=True,
        visible_only=True,
        until_failure=False,
        standby=standby,
        say=say,
        progress=progress,
    )
    chosen = tuple(course.select(exercises))
    return _grade(course, chosen, [course_root / "exercises"], how)


def _drawn(seed: int | None) -> int:
    return secrets.randbelow(2**31) if seed is None else seed


def _sweep(server: Server) -> None:
    """Drop what killed gradings left on a server that outlives them."""
    with contextlib.suppress(PglabError), Scratch(server) as scratch:
        scratch.sweep()


def _total(
    submissions: Sequence[Submission], exercises: Sequence[Exercise], visible_only: bool
) -> int:
    """How many checks there are to run."""
    each = {e.name: len(_specs(e, visible_only)) for e in exercises}
    return sum(each[name] for submission in submissions for name in submission.files)


def _specs(exercise: Exercise, visible_only: bool) -> list[CheckSpec]:
    return [spec for spec in exercise.checks if spec.visible or not visible_only]


def _submission_result(
    submission: Submission,
    number: int,
    exercises: Sequence[Exercise],
    gathered: Gathered,
    how: _How,
) -> SubmissionResult:
    graded = []
    for exercise in exercises:
        specs = _specs(exercise, how.visible_only)
        problem = submission.problems.get(exercise.name)
        handed_in = exercise.name in submission.files or problem is not None
        if exercise.name in submission.files:
            keys = [(number, exercise.name, spec.name) for spec in specs]
            checks = [
                gathered.results.get(key) or _lost(spec, gathered.problems.get(key, ""))
                for spec, key in zip(specs, keys, strict=True)
            ]
            if how.until_failure:
                checks = _until_failure(checks)
        else:
            checks = [not_taken(spec, problem or _NOTHING) for spec in specs]
        graded.append(
            ExerciseResult(exercise.name, exercise.title, tuple(checks), handed_in, exercise.sha256)
        )
    return SubmissionResult(submission.student, tuple(graded), submission.sha256)


def _until_failure(checks: list[CheckResult]) -> list[CheckResult]:
    failed = [number for number, c in enumerate(checks) if c.outcome is Outcome.FAILED]
    return checks[: failed[0] + 1] if failed else checks


_NOTHING = Failure(Reason.MISSING, "Nothing was handed in for this exercise.")


def _lost(spec: CheckSpec, why: str) -> CheckResult:
    """A result that never arrived: not a pass, and not the student's fault."""
    because = f" ({why})" if why else ""
    message = f"The result of this check did not arrive{because}. Grade this submission again."
    return CheckResult(
        name=spec.name,
        title=spec.title,
        points=spec.points,
        earned=0,
        outcome=Outcome.ERROR,
        visible=spec.visible,
        failure=Failure(Reason.KIT, clean(message, 1000)),
    )


def _seconds(submissions: Sequence[Submission], gathered: Gathered) -> dict[str, Any]:
    """Seconds by student, and by student, exercise and check."""
    by_student = {submission.student: 0.0 for submission in submissions}
    by_check: dict[str, dict[str, dict[str, float]]] = {}
    for (number, exercise, name), seconds in sorted(gathered.seconds.items()):
        student = submissions[number].student
        by_student[student] = round(by_student[student] + seconds, 3)
        by_check.setdefault(student, {}).setdefault(exercise, {})[name] = round(seconds, 3)
    return {"by_student": by_student, "by_check": by_check}

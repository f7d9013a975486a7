"""Grades classes and checks a learner's own work: starts what is needed, runs pytest, gathers the
results.
"""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.assignment import Assignment
from grader.catalog import Course, Exercise, load_course
from grader.gathered import Found, Gathered, Progress
from grader.logbook import Heading, Logbook, open_logbook
from grader.machine import Machine, Workplace
from grader.results import Grading
from grader.roster import read_roster
from grader.scores import scores
from grader.submissions import read_submissions
from grader.work import Work

if TYPE_CHECKING:
    from grader.cluster.orders import Nodes
    from grader.standby import Standby


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
    nodes: Nodes | None = None,
    own_work: bool = False,
    visible_only: bool = False,
    until_failure: bool = False,
    logbook: Path | None = None,
    resume: bool = False,
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
        nodes: of a cluster, which grade in place of this machine. ``database`` is then ``auto``,
            ``embedded`` or ``container``, and each node has one; ``jobs`` does not matter.
        own_work: the code is the user's own, so that a mere process may do as sandbox.
        visible_only: leave out the checks that only instructors hold.
        until_failure: at each exercise of a submission, leave out the checks after the first one
            that fails. They are missing in the result.
        logbook: a file that gets what is found as soon as it is (`grader.logbook`). It stays when
            the grading is done; who has the result removes it.
        resume: take from the logbook what is there already, and grade what is left.
        say: told in a line what was chosen and why.
        progress: told before the first check and after every one.

    Raises:
        GraderError: the course, a path or the machine is not as it must be; the message says what
            to do.
        PglabError: no server can be had.
    """
    course = load_course(course_root)
    asked = course.assignment(assignment) if assignment else Assignment()
    entries = read_roster(roster, asked.time_zone) if roster else ()
    chosen = tuple(course.select(exercises or asked.exercises))
    book, drawn = None, _drawn(seed)
    if logbook:
        heading = Heading(course.title, assignment or "", tuple(e.name for e in chosen), drawn)
        book = open_logbook(logbook, heading, resume=resume, any_seed=seed is None, say=say)
        drawn = book.heading.seed
    settings: dict[str, Any] = {
        "database": database,
        "sandbox": sandbox,
        "seed": drawn,
        "own_work": own_work,
        "say": say,
    }
    place: Workplace
    if nodes:
        from grader.cluster.client import Cluster  # it takes seconds to import

        place = Cluster(nodes, chosen, **settings)
    else:
        place = Machine(course.root, paths, home=home, jobs=jobs, **settings)
    how = _How(visible_only, until_failure, book, progress=progress)
    found = _grade(course, chosen, paths, place, how)
    grading = dataclasses.replace(found, assignment=asked.title)
    if not (entries or asked.due or asked.weights):
        return grading  # scores would only say the points again
    return dataclasses.replace(grading, scores=scores(grading, asked, entries))


@dataclass(frozen=True, slots=True)
class _How:
    """The settings of `grade` that say neither what is graded nor where."""

    visible_only: bool
    until_failure: bool
    book: Logbook | None = None
    first: Sequence[str] = ()
    progress: Progress = lambda done, total: None
    found: Found = lambda exercise, result: None


def _grade(
    course: Course,
    chosen: tuple[Exercise, ...],
    paths: Sequence[Path],
    workplace: Workplace,
    how: _How,
) -> Grading:
    began, started = datetime.now(UTC), time.perf_counter()
    for exercise in chosen:
        _ = exercise.checks  # a broken check file is found before anything is started
    submissions = tuple(read_submissions(paths, chosen))
    work = Work(submissions, chosen, how.visible_only, how.until_failure, tuple(how.first))
    with workplace as place:
        ready = time.perf_counter()
        if how.book:
            known = how.book.open(place.evidence, work)
            gathered = Gathered(work, how.progress, keep=how.book.keep, known=known)
        else:
            known, gathered = {}, Gathered(work, how.progress, found=how.found)
        try:
            place.run(work, known.keys(), gathered)
        finally:
            if how.book:
                how.book.close()
    timings = {
        "started": began.isoformat(timespec="seconds"),
        "total_seconds": round(time.perf_counter() - started, 3),
        "server_seconds": round(ready - started, 3),
        "checks": len(gathered.judged),
        **gathered.seconds(),
    }
    results = gathered.submission_results()
    return Grading(course.title, place.evidence, results, course.misconceptions, timings)


def check(
    exercises: Sequence[str],
    *,
    course_root: Path,
    home: Path,
    database: str = "auto",
    sandbox: str = "auto",
    seed: int | None = None,
    standby: Standby | None = None,
    first: Sequence[str] = (),
    say: Callable[[str], None] = lambda line: None,
    progress: Progress = lambda done, total: None,
    found: Found = lambda exercise, result: None,
) -> Grading:
    """Check the learner's own files in ``exercises/`` against the visible checks.

    The checks get a throw-away server of their own, which is embedded unless ``database`` says
    otherwise: quick to start, and what a learner keeps on their own server is not touched. With a
    ``standby`` they get its server, sandbox and seed instead of those that are named here.

    Args:
        first: names of checks that are run before the others of their exercise.
        found: told what each check found, as soon as it is known.
    """
    course = load_course(course_root)
    place = Machine(
        course.root,
        [course_root / "exercises"],
        home=home,
        database="embedded" if database == "auto" else database,
        sandbox=sandbox,
        seed=standby.seed if standby else _drawn(seed),
        jobs=1,
        own_work=True,
        standby=standby,
        say=say,
    )
    how = _How(visible_only=True, until_failure=False, first=first, progress=progress, found=found)
    chosen = tuple(course.select(exercises))
    return _grade(course, chosen, [course_root / "exercises"], place, how)


def _drawn(seed: int | None) -> int:
    return secrets.randbelow(2**31) if seed is None else seed

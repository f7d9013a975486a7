"""What a class was graded with, in the tracker: in a database that the instructor names.

Students become users, the course a track, its exercises lessons, each graded exercise an attempt,
and full points complete a lesson. A grading is recorded whole or not at all, and once, however
often it is sent: the identifiers of its attempts follow from what was graded and when.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg

from grader.results import Grading, SubmissionResult
from kit.database import migrate
from kit.errors import KitError, WrongUsage
from kit.journal import Attempt, attempts_of
from kit.outline import Plan, plan_of, plan_of_events
from kit.records import recordables, set_up
from pglab.urls import masked
from tracker import migrations
from tracker.db import connected
from tracker.errors import TrackerError
from tracker.identifiers import uuid7_from
from tracker.services import practice
from tracker.services.practice import Person

_TABLES = """
SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""
_LONGEST = 50
"""Characters of a username."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of it."""

    students: int
    attempts: int
    """Those that were not there before."""


def prepare(url: str, say: Callable[[str], None]) -> None:
    """Make sure, before anything is graded, that a database can take the records.

    Args:
        url: of the database; an empty one gets the tracker's tables.
        say: told where something is done.

    Raises:
        WrongUsage: there is no such database, or it holds something else.
        TrackerError: it has migrations that this kit does not know.
    """
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            row = connection.execute(_TABLES).fetchone()
    except psycopg.Error as error:
        msg = (
            f"{masked(url)} cannot be used to record results: {masked(str(error).strip())} "
            "Name a database that is there; an empty one will do (createdb)."
        )
        raise WrongUsage(msg) from error
    at, head = migrations.current(url), migrations.head()
    if at is None and row and row[0]:
        msg = (
            f"{masked(url)} holds tables that are not the tracker's. Name an empty database "
            "(createdb), or one of the tracker."
        )
        raise WrongUsage(msg)
    if at != head:
        done = "Making the tracker's tables" if at is None else f"Migrating from {at} to {head}"
        say(f"{done} in {masked(url)}.")
        migrate(url)


def record(grading: Grading, url: str, root: Path | None = None) -> Recorded:
    """Record a grading, with everybody in it, in one transaction.

    Args:
        grading: of a class.
        url: of a database that is prepared.
        root: the course's folder, which tells the lessons that nobody handed in as well.

    Raises:
        KitError: the database would not have it; nothing of the grading was recorded.
    """
    by_student = {one.student: list(_graded(grading, one)) for one in grading.submissions}
    attempts = [attempt for some in by_student.values() for attempt in some]
    plan = plan_of(root, attempts) if root else plan_of_events(grading.course, attempts)
    done: defaultdict[Person, list[Attempt]] = defaultdict(list)
    for person, submission in _people(grading):
        done[person] += _own(by_student[submission], person)
    try:
        return _record(url, plan, {who: some for who, some in done.items() if some})
    except TrackerError as error:
        msg = f"The results could not be recorded in {masked(url)}: {masked(str(error))}"
        raise KitError(msg) from error


def _record(url: str, plan: Plan, done: dict[Person, list[Attempt]]) -> Recorded:
    if not done:
        return Recorded(0, 0)
    with connected(url) as sessions, sessions() as session:
        users = practice.register(session, list(done))
        course = set_up(session, plan)
        for user_id in users.values():
            practice.join(session, user_id, course.track_id)
        events = {}
        for person, attempts in done.items():
            made, refused = recordables(attempts, course.lessons)
            assert not refused, "a grading holds what the tracker knows"
            events[users[person.username]] = made
        written = practice.record_all(session, events)
        return Recorded(len(done), written.attempts)


def _graded(grading: Grading, submission: SubmissionResult) -> Iterator[Attempt]:
    at = datetime.fromisoformat(str(grading.timings["started"])).astimezone(UTC)
    return attempts_of(grading, submission, at=at, graded=True)


def _own(attempts: list[Attempt], person: Person) -> Iterator[Attempt]:
    """The attempts as one person's: whoever handed in together has them each."""
    from dataclasses import replace

    for attempt in attempts:
        yield replace(attempt, id=_identifier(attempt, person.username))


def _identifier(attempt: Attempt, who: str) -> UUID:
    what = "\0".join([who, attempt.exercise, attempt.work_sha256, str(attempt.seed)])
    bits = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8])
    return uuid7_from(int(attempt.at.timestamp() * 1_000_000) * 1000, bits)


def _people(grading: Grading) -> Iterator[tuple[Person, str]]:
    """Everybody, each with the name of a submission of theirs; several for a group."""
    known = {submission.student for submission in grading.submissions}
    told = set()
    for score in grading.scores.people if grading.scores else ():
        person = Person(username(score.id), score.name[:100] or None, email=score.email or None)
        for attempt in score.attempts:
            if attempt.submission in known:
                told.add(attempt.submission)
                yield person, attempt.submission
    for student in sorted(known - told):
        yield Person(username(student), student[:100]), student


def username(student: str) -> str:
    """The username of a student: the identifier itself where it can be one.

    Two identifiers never become the same name.
    """
    plain = re.sub(r"[@\s]+", "-", student.casefold()).strip("-") or "student"
    if plain == student and len(plain) <= _LONGEST:
        return plain
    mark = hashlib.sha256(student.encode()).hexdigest()[:8]
    return f"{plain[: _LONGEST - 9]}-{mark}"

"""What a learner did, in the tracker: in a database of their own on their own server.

The database is called ``practice`` and has the tracker's tables. It is not ``tracker``, the one
that lessons work in: there, everybody has the same example data, and may delete all of it. The
journal (`kit.journal`) is brought in whenever somebody looks; what is there already stays, so it
can be brought in as often as one likes, also into a new database. Nothing leaves the machine.
"""

from __future__ import annotations

import contextlib
import getpass
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from kit import database
from kit.errors import KitError
from kit.journal import Attempt, Check, Event, Finished, Hint, Journal, Prediction
from kit.outline import Plan, plan_of, plan_of_events, slug_of
from pglab.servers import Server
from pglab.servers.locks import FileLock
from tracker import migrations
from tracker.db import connected, unit_of_work
from tracker.errors import InvalidData
from tracker.identifiers import uuid7
from tracker.models import AttemptSource, CheckOutcome, PredictionKind
from tracker.repositories import practice as stored
from tracker.repositories.practice import AttemptMade, CheckSeen, PredictionMade, RungClimbed
from tracker.services import practice
from tracker.services.practice import CourseSetUp, LessonFinished, Person
from tracker.services.practice import Event as Recordable
from tracker.slugs import slugify

NAME = "practice"
"""The database on the learner's server."""

_CENT = Decimal("0.01")

AUTHOR = Person("course", first_name="The course")
"""Who wrote it: somebody must have."""


@dataclass(frozen=True, slots=True)
class Learner:
    """Who learns on this machine."""

    id: UUID
    name: str

    @property
    def person(self) -> Person:
        """The account in the tracker; its name is unique also where several share a server."""
        username = f"{slugify(self.name)[:40]}-{self.id.hex[-6:]}"
        return Person(username, first_name=self.name, id=self.id)


@dataclass(frozen=True)
class Records:
    """A session on what the learner did, brought up to date."""

    session: Session
    user_id: UUID
    track_id: UUID
    """Of the course that was asked for."""
    refused: int
    """Events that the tracker would not take."""


@contextlib.contextmanager
def open_records(
    server: Server, *, home: Path, root: Path, say: Callable[[str], None]
) -> Iterator[Records]:
    """Bring the journal into the learner's database, and give a session on it.

    Args:
        server: the learner's own, running.
        home: the kit's.
        root: the course's folder.
        say: told what is done, where something is.

    Raises:
        KitError, TrackerError: there is no database to be had, or the journal cannot be read.
    """
    url = database.ensure(server, seed=None, say=say, name=NAME)
    if migrations.current(url) != migrations.head():
        database.migrate(url)
    events = Journal(home).read()
    who = learner_of(home)
    with connected(url) as sessions, sessions() as session:
        user_id = practice.register(session, [who.person])[who.person.username]
        track_id, refused = _bring(session, user_id, plan_of(root, events), events)
        yield Records(session, user_id, track_id, refused)


def learner_of(home: Path) -> Learner:
    """Who learns on this machine; the first call settles it.

    The identifier stays when the database is made anew, so what was done stays theirs.

    Args:
        home: the kit's.

    Raises:
        KitError: the file that says so cannot be written or read.
    """
    path = home / "learner.json"
    try:
        with FileLock(home / "journal.lock"):
            if not path.exists():
                new = {"id": str(uuid7()), "name": _name()}
                partial = path.with_suffix(".new")
                partial.write_text(json.dumps(new) + "\n", encoding="utf-8")
                partial.replace(path)
            data = json.loads(path.read_text(encoding="utf-8"))
            return Learner(UUID(data["id"]), str(data["name"]))
    except (OSError, ValueError, LookupError, TypeError) as error:
        msg = (
            f"{path}, which says who learns here, cannot be read ({error}). Mend it, or remove it: "
            "then a new learner begins, and what the journal holds is theirs."
        )
        raise KitError(msg) from error


def _name() -> str:
    try:
        return getpass.getuser()[:100]
    except (OSError, KeyError):
        return "learner"


def _bring(
    session: Session, user_id: UUID, plan: Plan, events: Sequence[Event]
) -> tuple[UUID, int]:
    """Record all events; returns the track of the plan, and how many were refused."""
    plans = {plan.title: plan}
    for title in dict.fromkeys(event.course for event in events):
        of_course = [event for event in events if event.course == title]
        plans.setdefault(title, plan_of_events(title, of_course))
    refused = 0
    tracks = {}
    with unit_of_work(session):
        settled = stored.known(session, user_id)
    for title, one in plans.items():
        course = set_up(session, one)
        tracks[title] = course.track_id
        practice.join(session, user_id, course.track_id)
        new = [event for event in events if event.course == title and event.id not in settled]
        done, not_understood = recordables(new, course.lessons)
        refused += not_understood + _record(session, user_id, done)
    return tracks[plan.title], refused


def set_up(session: Session, plan: Plan) -> CourseSetUp:
    """Make the course's track and lessons, or bring them up to date.

    Raises:
        TrackerError: the database would not have it.
    """
    author = practice.register(session, [AUTHOR])[AUTHOR.username]
    return practice.set_up_course(
        session, author_id=author, slug=plan.slug, title=plan.title, outlines=plan.lessons
    )


def recordables(
    events: Sequence[Event], lessons: Mapping[str, UUID]
) -> tuple[list[Recordable], int]:
    """Events as the tracker takes them, and how many it cannot.

    Args:
        lessons: identifiers by slug.
    """
    made = []
    for event in events:
        with contextlib.suppress(ValueError, ArithmeticError):
            made.append(_recordable(event, lessons[slug_of(event) or ""]))
    return made, len(events) - len(made)


def _recordable(event: Event, lesson_id: UUID) -> Recordable:
    match event:
        case Attempt():
            return AttemptMade(
                lesson_id,
                event.at,
                tuple(map(_check, event.checks)),
                seed=event.seed,
                kit_version=event.kit_version,
                source=AttemptSource.GRADING if event.graded else AttemptSource.CHECK,
                work_sha256=event.work_sha256 or None,
                id=event.id,
            )
        case Hint():
            return RungClimbed(lesson_id, event.at, event.misconception, event.rung, event.id)
        case Prediction():
            return PredictionMade(
                lesson_id,
                event.at,
                event.question,
                PredictionKind(event.kind),
                event.answer,
                event.confidence,
                event.is_correct,
                event.id,
            )
        case Finished():
            return LessonFinished(lesson_id, event.at)
    raise ValueError(event)


def _check(check: Check) -> CheckSeen:
    points, earned = (Decimal(str(n)).quantize(_CENT) for n in (check.points, check.earned))
    outcome = CheckOutcome(check.outcome)
    return CheckSeen(check.name, check.title, points, earned, outcome, check.misconception)


def _record(session: Session, user_id: UUID, events: Sequence[Recordable]) -> int:
    """Record events together, or, where one is refused, each alone; returns how many were."""
    if not events:
        return 0
    try:
        practice.record(session, user_id, events)
    except InvalidData:
        if len(events) == 1:
            return 1
        return sum(_record(session, user_id, [event]) for event in events)
    return 0

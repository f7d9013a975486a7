"""A course to practice in: its lessons, and what learners do at them."""

import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tracker.db import unit_of_work
from tracker.errors import AlreadyEnrolled, NotEnrolled, NotFound, domain_errors
from tracker.identifiers import uuid7
from tracker.models import Enrollment, EnrollmentStatus, Lesson, Track, User
from tracker.passwords import hash_password
from tracker.repositories import enrollments, lessons, practice, progress
from tracker.repositories.practice import AttemptMade, PredictionMade, RungClimbed
from tracker.services import learning

NO_MAIL = "practice.invalid"
"""The domain of those whose address nobody told; RFC 2606 keeps it from ever being real."""


@dataclass(frozen=True)
class Outline:
    """What a course says about one of its lessons."""

    slug: str
    title: str
    content: str
    duration_minutes: int


@dataclass(frozen=True)
class LessonFinished:
    """Somebody came to the end of a lesson in which nothing is assessed."""

    lesson_id: UUID
    at: datetime


@dataclass(frozen=True)
class Person:
    """Somebody who practices, or who wrote a course."""

    username: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    id: UUID = field(default_factory=uuid7)


@dataclass(frozen=True)
class CourseSetUp:
    """A course that is there now."""

    track_id: UUID
    lessons: dict[str, UUID]  # by slug


Event = AttemptMade | RungClimbed | PredictionMade | LessonFinished


@dataclass(frozen=True)
class Recorded:
    """How much was written that was not there before."""

    attempts: int
    hints: int
    predictions: int


def register(session: Session, people: Sequence[Person]) -> dict[str, UUID]:
    """Make accounts for those who have none; nobody can sign in to one without a new password.

    Whoever has an account of that username keeps it as it is.

    Returns:
        The identifiers of all of them, by username.

    Raises:
        EmailTaken: somebody else has the email address of one of them.
        InvalidData: a value breaks a rule.
    """
    names = [person.username for person in people]
    with unit_of_work(session):
        there = _users_of(session, names)
    new = [person for person in people if person.username not in there]
    if not new:
        return there
    nobody_knows = hash_password(secrets.token_urlsafe())  # slow, so once, and before it begins
    rows = [
        {
            "id": person.id,
            "username": person.username,
            "email": (person.email or f"{person.username}@{NO_MAIL}").lower(),
            "first_name": person.first_name,
            "last_name": person.last_name,
            "password_hash": nobody_knows,
        }
        for person in sorted(new, key=lambda person: person.username)
    ]
    with unit_of_work(session):
        session.execute(insert(User).on_conflict_do_nothing(index_elements=["username"]), rows)
        return _users_of(session, names)


def _users_of(session: Session, names: Sequence[str]) -> dict[str, UUID]:
    rows = session.execute(select(User.username, User.id).where(User.username.in_(names)))
    return dict(rows.all())


def set_up_course(
    session: Session, *, author_id: UUID, slug: str, title: str, outlines: Sequence[Outline]
) -> CourseSetUp:
    """Make a track with its lessons, or bring the one that is there up to date.

    Lessons are found by their slug. New ones come last; one that is not in the outlines stays, as
    does the progress in it.

    Arguments:
        author_id: of a new track.
        slug: of the track.
        outlines: of the lessons, in order.

    Raises:
        MissingReference: there is no such author.
        InvalidData: a value breaks a rule.
    """
    with unit_of_work(session):
        track = _lock_track(session, slug, title, author_id)
        track.title = title
        there = {lesson.slug: lesson for lesson in lessons.of_track(session, track.id)}
        last = max((lesson.position for lesson in there.values()), default=0)
        for outline in outlines:
            lesson = there.get(outline.slug)
            if lesson is None:
                last += 1
                lesson = Lesson(track_id=track.id, slug=outline.slug, position=last)
                session.add(lesson)
                there[outline.slug] = lesson
            lesson.title, lesson.content = outline.title, outline.content
            lesson.duration_minutes, lesson.is_published = outline.duration_minutes, True
        session.flush()
        ids = {slug: lesson.id for slug, lesson in there.items() if slug is not None}
        return CourseSetUp(track.id, ids)


def _lock_track(session: Session, slug: str, title: str, author_id: UUID) -> Track:
    """The track, made if need be; of two who do this at once, the second waits for the first."""
    new = insert(Track).values(
        slug=slug, title=title, author_id=author_id, is_published=True, published_at=func.now()
    )
    with domain_errors():
        session.execute(new.on_conflict_do_nothing(index_elements=["slug"]))
        return session.scalars(
            select(Track).where(Track.slug == slug).with_for_update(key_share=True)
        ).one()


def join(session: Session, user_id: UUID, track_id: UUID) -> Enrollment:
    """Enroll a user in a track, unless they are: whoever practices need not ask.

    Raises:
        NotEnrolled: the user's enrollment has ended.
        NotFound, NotAvailable, TrackFull, PaymentRequired, MissingReference: as `learning.enroll`.
    """
    enrollment = _enrollment_of(session, user_id, track_id)
    if enrollment is None:
        try:
            return learning.enroll(session, user_id, track_id)
        except AlreadyEnrolled:  # by somebody else, at the same time
            enrollment = _enrollment_of(session, user_id, track_id)
    if enrollment is None:
        raise NotEnrolled("The enrollment in this track is gone again.")
    if enrollment.status in (EnrollmentStatus.EXPIRED, EnrollmentStatus.CANCELLED):
        raise NotEnrolled(f"The enrollment in this track is {enrollment.status}.")
    return enrollment


def _enrollment_of(session: Session, user_id: UUID, track_id: UUID) -> Enrollment | None:
    with unit_of_work(session):
        return enrollments.get(session, user_id, track_id)


def record(session: Session, user_id: UUID, events: Sequence[Event]) -> Recorded:
    """Write what a user did; see `record_all`."""
    return record_all(session, {user_id: events})


def record_all(session: Session, done: Mapping[UUID, Sequence[Event]]) -> Recorded:
    """Write what users did, and what follows from it for their progress: all of it, or nothing.

    What is there already, by its identifier, is left as it is, so the same events may be sent
    again. An attempt counts as a visit of its lesson with the percentage of its points as score;
    one with all points completes it.

    Arguments:
        done: events by user, at lessons of one or several tracks in which they are enrolled.

    Raises:
        NotEnrolled: the user is not enrolled in the track of a lesson, or no longer.
        NotFound: there is no such lesson.
        InvalidData: an attempt has no checks, or a value breaks a rule.
    """
    with unit_of_work(session):
        written = [_record(session, user_id, done[user_id]) for user_id in sorted(done)]
    return Recorded(
        attempts=sum(one.attempts for one in written),
        hints=sum(one.hints for one in written),
        predictions=sum(one.predictions for one in written),
    )


def _record(session: Session, user_id: UUID, events: Sequence[Event]) -> Recorded:
    locked = _lock_enrollments(session, user_id, {event.lesson_id for event in events})
    attempts = [event for event in events if isinstance(event, AttemptMade)]
    rungs = [event for event in events if isinstance(event, RungClimbed)]
    guesses = [event for event in events if isinstance(event, PredictionMade)]
    new_attempts = practice.add_attempts(session, user_id, attempts)
    hints = practice.add_hints(session, user_id, rungs)
    predictions = practice.add_predictions(session, user_id, guesses)
    _progress_by_attempts(
        session, user_id, [attempt for attempt in attempts if attempt.id in new_attempts]
    )
    for event in events:
        if isinstance(event, LessonFinished):
            progress.complete(session, user_id, event.lesson_id, at=event.at)
    for enrollment in locked:
        learning.sum_up(session, enrollment)
    return Recorded(len(new_attempts), len(hints), len(predictions))


def _lock_enrollments(session: Session, user_id: UUID, lesson_ids: set[UUID]) -> list[Enrollment]:
    """The enrollments in the tracks of these lessons, locked in the order of the tracks."""
    tracks = session.execute(
        select(Lesson.track_id, Lesson.id)
        .where(Lesson.id.in_(lesson_ids))
        .order_by(Lesson.track_id)
    ).all()
    if missing := lesson_ids - {lesson_id for _, lesson_id in tracks}:
        raise NotFound("lesson", min(missing))
    lesson_of = dict(tracks)
    return [
        learning.lock_enrollment(session, user_id, lesson_id) for lesson_id in lesson_of.values()
    ]


def _progress_by_attempts(session: Session, user_id: UUID, attempts: Sequence[AttemptMade]) -> None:
    by_lesson: defaultdict[UUID, list[AttemptMade]] = defaultdict(list)
    for attempt in sorted(attempts, key=lambda attempt: attempt.at):
        by_lesson[attempt.lesson_id].append(attempt)
    for lesson_id, made in by_lesson.items():
        best = max(percent(attempt.earned, attempt.points) for attempt in made)
        last = made[-1].at
        full = next((attempt for attempt in made if attempt.earned == attempt.points), None)
        if full:
            progress.complete(session, user_id, lesson_id, score=best, at=full.at)
        progress.visit(session, user_id, lesson_id, score=best, at=last)


def percent(earned: Decimal, points: Decimal) -> Decimal:
    """Return the percentage, to two decimals; rounded down, so that only all points make 100."""
    if not points:
        return Decimal(100)
    return (100 * earned / points).quantize(Decimal("0.01"), ROUND_DOWN)

"""What is kept: plain values that can be written as JSON, and how to ask the database for them.

No objects of the ORM: they belong to a session, and a change made to one would change the answer of
everybody else. And JSON, not pickle: who can write to the cache could otherwise run code here.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from tracker.models import EnrollmentStatus, Lesson, LessonKind, SectionKind
from tracker.repositories import content, enrollments


@dataclass(frozen=True)
class TrackOfLearner:
    """A track on the dashboard of somebody who is enrolled in it."""

    track_id: UUID
    slug: str
    title: str
    status: EnrollmentStatus
    percent: int
    completed_lessons: int
    total_lessons: int
    last_accessed_at: datetime | None


@dataclass(frozen=True)
class SectionContent:
    """A section as its readers see it."""

    id: UUID
    title: str
    kind: SectionKind
    content: str


@dataclass(frozen=True)
class LessonContent:
    """A published lesson as its readers see it."""

    id: UUID
    module_id: UUID | None
    title: str
    kind: LessonKind
    content: str
    duration_minutes: int
    sections: list[SectionContent]


@dataclass(frozen=True)
class ModuleContent:
    """A chapter heading."""

    id: UUID
    title: str


@dataclass(frozen=True)
class TrackContent:
    """A track with all that is in it."""

    id: UUID
    slug: str
    title: str
    description: str | None
    author: str  # username
    modules: list[ModuleContent]
    lessons: list[LessonContent]


def progress_of(session: Session, user_id: UUID) -> list[TrackOfLearner]:
    """Return the tracks that a user is enrolled in, last used first, in one statement."""
    return [
        TrackOfLearner(
            enrollment.track_id,
            enrollment.track.slug,
            enrollment.track.title,
            enrollment.status,
            record.percent if record else 0,
            record.completed_lessons if record else 0,
            record.total_lessons if record else 0,
            record.last_accessed_at if record else None,
        )
        for enrollment in enrollments.of_user(session, user_id)
        for record in (enrollment.progress,)
    ]


def content_of(session: Session, track_id: UUID) -> TrackContent:
    """Return a track with its published lessons, in four statements.

    Raises:
        NotFound: there is no such track.
    """
    track = content.read_track(session, track_id)
    return TrackContent(
        track.id,
        track.slug,
        track.title,
        track.description,
        track.author.username,
        [ModuleContent(module.id, module.title) for module in track.modules],
        [_lesson(lesson) for lesson in track.lessons if lesson.is_published],
    )


def _lesson(lesson: Lesson) -> LessonContent:
    return LessonContent(
        lesson.id,
        lesson.module_id,
        lesson.title,
        lesson.kind,
        lesson.content,
        lesson.duration_minutes,
        [
            SectionContent(section.id, section.title, section.kind, section.content)
            for section in lesson.sections
        ],
    )

"""Modules, sections and media: what tracks and lessons consist of."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from tracker.errors import NotFound, domain_errors
from tracker.models import Lesson, Media, MediaKind, Module, Section, SectionKind, Track

Row = TypeVar("Row", Module, Section, Media)


def add_module(
    session: Session, track_id: UUID, title: str, *, description: str | None = None
) -> Module:
    """Add a module at the end of a track.

    Raises:
        MissingReference: there is no such track.
        InvalidData: a value is too long or breaks a rule.
    """
    last = session.scalar(select(func.max(Module.position)).where(Module.track_id == track_id))
    module = Module(
        track_id=track_id, title=title, description=description, position=(last or 0) + 1
    )
    return _add(session, module)


def add_section(
    session: Session,
    lesson_id: UUID,
    title: str,
    content: str,
    *,
    kind: SectionKind = SectionKind.TEXT,
    is_required: bool = True,
) -> Section:
    """Add a section at the end of a lesson.

    Raises:
        MissingReference: there is no such lesson.
        InvalidData: a value is too long or breaks a rule.
    """
    last = session.scalar(select(func.max(Section.position)).where(Section.lesson_id == lesson_id))
    section = Section(
        lesson_id=lesson_id,
        title=title,
        content=content,
        kind=kind,
        is_required=is_required,
        position=(last or 0) + 1,
    )
    return _add(session, section)


def add_media(
    session: Session,
    kind: MediaKind,
    url: str,
    *,
    lesson_id: UUID | None = None,
    title: str | None = None,
    mime_type: str | None = None,
    duration_seconds: int | None = None,
    size_bytes: int | None = None,
) -> Media:
    """Add a media file that is kept elsewhere.

    Raises:
        MissingReference: there is no such lesson.
        InvalidData: a value is too long or breaks a rule.
    """
    media = Media(
        kind=kind,
        url=url,
        lesson_id=lesson_id,
        title=title,
        mime_type=mime_type,
        duration_seconds=duration_seconds,
        size_bytes=size_bytes,
    )
    return _add(session, media)


def move_to_module(session: Session, lesson_id: UUID, module_id: UUID | None) -> Lesson:
    """Put a lesson into a module of its track, or take it out of any.

    Raises:
        NotFound: there is no such lesson.
        MissingReference: there is no such module in the lesson's track.
    """
    lesson = session.get(Lesson, lesson_id)
    if lesson is None:
        raise NotFound("lesson", lesson_id)
    lesson.module_id = module_id
    with domain_errors():
        session.flush()
    return lesson


def read_track(session: Session, track_id: UUID) -> Track:
    """Return a track with author, modules, lessons and their sections, in four statements.

    One statement for each collection (`selectinload`), not one join of all: joined, every module
    would come once for every section of every lesson.

    Raises:
        NotFound: there is none with this identifier.
    """
    track = session.scalar(
        select(Track)
        .where(Track.id == track_id)
        .options(
            joinedload(Track.author),
            selectinload(Track.modules),
            selectinload(Track.lessons).selectinload(Lesson.sections),
        )
        .execution_options(populate_existing=True)
    )
    if track is None:
        raise NotFound("track", track_id)
    return track


def media_of_lesson(session: Session, lesson_id: UUID) -> Sequence[Media]:
    """Return the media of a lesson, oldest first."""
    return session.scalars(
        select(Media).where(Media.lesson_id == lesson_id).order_by(Media.created_at, Media.id)
    ).all()


def _add(session: Session, row: Row) -> Row:
    session.add(row)
    with domain_errors():
        session.flush()
    return row

from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tracker.errors import MissingReference, NotFound
from tracker.models import Lesson, MediaKind, SectionKind, Track
from tracker.repositories import content


def test_modules_and_sections_are_added_at_the_end(
    session: Session, make_track: Callable[..., Track]
) -> None:
    track = make_track(lessons=1)
    lesson_id = track.lessons[0].id
    assert [content.add_module(session, track.id, "M").position for _ in range(3)] == [1, 2, 3]
    sections = [content.add_section(session, lesson_id, "S", "…") for _ in range(3)]
    assert [section.position for section in sections] == [1, 2, 3]
    assert (sections[0].kind, sections[0].is_required) == (SectionKind.TEXT, True)


def test_a_lesson_moves_between_the_modules_of_its_own_track(
    session: Session, make_track: Callable[..., Track], stranger: UUID
) -> None:
    track, other = make_track(lessons=1), make_track()
    own = content.add_module(session, track.id, "Own")
    foreign = content.add_module(session, other.id, "Foreign")
    lesson_id = track.lessons[0].id
    content.move_to_module(session, lesson_id, own.id)
    session.expire_all()
    assert [lesson.id for lesson in own.lessons] == [lesson_id]
    with pytest.raises(MissingReference), session.begin_nested():
        content.move_to_module(session, lesson_id, foreign.id)
    content.move_to_module(session, lesson_id, None)
    session.expire_all()
    assert own.lessons == []
    with pytest.raises(NotFound):
        content.move_to_module(session, stranger, None)


def test_a_deleted_module_takes_its_lessons_along_and_leaves_the_others(
    session: Session, make_track: Callable[..., Track]
) -> None:
    track = make_track(lessons=3)
    module = content.add_module(session, track.id, "M")
    content.move_to_module(session, track.lessons[0].id, module.id)
    session.delete(module)
    session.flush()
    assert session.scalar(select(func.count()).select_from(Lesson)) == 2


def test_media_outlive_their_lesson(session: Session, make_track: Callable[..., Track]) -> None:
    track = make_track(lessons=1)
    media = content.add_media(
        session,
        MediaKind.VIDEO,
        "https://example.com/v",
        lesson_id=track.lessons[0].id,
        size_bytes=5_000_000_000,
    )
    assert content.media_of_lesson(session, track.lessons[0].id) == [media]
    session.delete(track.lessons[0])
    session.flush()
    session.refresh(media)
    assert (media.lesson_id, media.size_bytes) == (None, 5_000_000_000)


def test_a_whole_track_is_read_in_four_statements_whatever_its_size(
    session: Session,
    make_track: Callable[..., Track],
    statements: Callable[[], AbstractContextManager[list[str]]],
    stranger: UUID,
) -> None:
    counts = []
    for size in (2, 8):
        track = make_track(lessons=size)
        for lesson in track.lessons:
            content.add_module(session, track.id, "M")
            for _ in range(size):
                content.add_section(session, lesson.id, "S", "…")
        session.expunge_all()
        with statements() as sent:
            read = content.read_track(session, track.id)
            assert len(read.modules) == size
            assert [len(lesson.sections) for lesson in read.lessons] == [size] * size
            assert read.author.username
        counts.append(len(sent))
    assert counts == [4, 4]
    with pytest.raises(NotFound):
        content.read_track(session, stranger)

from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tracker.errors import InvalidData, MissingReference, NotAvailable, NotFound, SlugTaken
from tracker.models import Difficulty, User
from tracker.services.catalog import (
    LessonDraft,
    TrackDraft,
    create_track_with_lessons,
    publish_track,
    withdraw_track,
)

LESSONS = [
    LessonDraft("Variables", "…", 45, is_preview=True, is_published=True),
    LessonDraft("Functions", "…", 60),
    LessonDraft("Arrays", "…", 50, video_url="https://example.com/arrays"),
]


def test_a_track_and_its_lessons_are_saved_in_order(
    session: Session, make_user: Callable[..., User]
) -> None:
    author = make_user()
    draft = TrackDraft("Python", "Basics", Difficulty.BEGINNER, ["python"], 10)
    track = create_track_with_lessons(session, author.id, draft, LESSONS)
    assert (track.title, track.tags, track.estimated_hours) == ("Python", ["python"], 10)
    assert track.author.id == author.id
    assert [(lesson.position, lesson.title) for lesson in track.lessons] == [
        (1, "Variables"),
        (2, "Functions"),
        (3, "Arrays"),
    ]
    assert [lesson.is_preview for lesson in track.lessons] == [True, False, False]


def test_a_track_may_start_without_lessons(
    session: Session, make_user: Callable[..., User]
) -> None:
    track = create_track_with_lessons(session, make_user().id, TrackDraft("Python"), [])
    assert track.lessons == []


def test_one_wrong_lesson_leaves_no_track_and_no_lesson(
    session: Session, make_user: Callable[..., User]
) -> None:
    author_id = make_user().id
    session.commit()
    with pytest.raises(InvalidData, match="duration_minutes"):
        create_track_with_lessons(
            session, author_id, TrackDraft("Python"), [*LESSONS, LessonDraft("None", "…", 0)]
        )
    assert session.scalar(text("SELECT count(*) FROM tracks")) == 0
    assert session.scalar(text("SELECT count(*) FROM lessons")) == 0


def test_an_author_who_does_not_exist_is_refused(session: Session, stranger: UUID) -> None:
    with pytest.raises(MissingReference):
        create_track_with_lessons(session, stranger, TrackDraft("Python"), LESSONS)


def test_the_number_of_statements_does_not_grow_with_the_lessons(
    session: Session,
    make_user: Callable[..., User],
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    author_id = make_user().id
    counts = []
    for lessons in (LESSONS, LESSONS * 10):
        with statements() as sent:
            create_track_with_lessons(session, author_id, TrackDraft("Python"), lessons)
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_publishing_opens_all_lessons_and_keeps_the_first_date(
    session: Session, make_user: Callable[..., User]
) -> None:
    author_id = make_user().id
    track = create_track_with_lessons(session, author_id, TrackDraft("Python"), LESSONS)
    assert not track.is_published
    track = publish_track(session, track.id)
    first = track.published_at
    assert first is not None
    assert all(lesson.is_published for lesson in track.lessons)
    withdrawn = withdraw_track(session, track.id)
    assert (withdrawn.is_published, withdrawn.published_at) == (False, first)
    assert publish_track(session, track.id).published_at == first


def test_a_track_without_lessons_cannot_be_published(
    session: Session, make_user: Callable[..., User], stranger: UUID
) -> None:
    track = create_track_with_lessons(session, make_user().id, TrackDraft("Python"), [])
    with pytest.raises(NotAvailable):
        publish_track(session, track.id)
    with pytest.raises(NotFound):
        publish_track(session, stranger)


def test_a_slug_is_made_from_the_title_and_a_given_one_is_taken_once(
    session: Session, make_user: Callable[..., User]
) -> None:
    author_id = make_user().id
    session.commit()
    made = create_track_with_lessons(session, author_id, TrackDraft("Débuter en SQL!"), [])
    assert made.slug.startswith("debuter-en-sql-")
    create_track_with_lessons(session, author_id, TrackDraft("Python", slug="python"), [])
    with pytest.raises(SlugTaken):
        create_track_with_lessons(session, author_id, TrackDraft("Python", slug="python"), [])

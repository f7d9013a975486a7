from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from tracker.errors import InvalidData, MissingReference, NotFound, PositionTaken
from tracker.models import Lesson, Track
from tracker.repositories import lessons


def create(session: Session, track_id: UUID, position: int | None = None) -> Lesson:
    return lessons.create(
        session, track_id=track_id, title="L", content="…", duration_minutes=5, position=position
    )


def test_a_lesson_without_a_position_goes_to_the_end(
    session: Session, make_track: Callable[..., Track]
) -> None:
    track = make_track()
    assert [create(session, track.id).position for _ in range(3)] == [1, 2, 3]
    create(session, track.id, position=9)
    assert create(session, track.id).position == 10


def test_a_position_is_given_once(session: Session, make_track: Callable[..., Track]) -> None:
    track = make_track(lessons=2)
    with pytest.raises(PositionTaken):
        create(session, track.id, position=2)


def test_a_lesson_needs_a_track_that_exists(session: Session, stranger: UUID) -> None:
    with pytest.raises(MissingReference):
        create(session, stranger)


def test_the_lessons_of_a_track_stand_in_order_and_can_be_narrowed(
    session: Session, make_track: Callable[..., Track]
) -> None:
    track = make_track(lessons=3)
    make_track(lessons=1)
    lessons.update_fields(session, track.lessons[1].id, {"is_published": False})
    assert [lesson.position for lesson in lessons.of_track(session, track.id)] == [1, 2, 3]
    published = lessons.of_track(session, track.id, is_published=True)
    assert [lesson.position for lesson in published] == [1, 3]


def test_lessons_can_be_put_in_any_order(
    session: Session, make_track: Callable[..., Track]
) -> None:
    track = make_track(lessons=4)
    wanted = [track.lessons[index].id for index in (2, 0, 3, 1)]
    lessons.reorder(session, track.id, wanted)
    session.expire_all()
    assert [lesson.id for lesson in lessons.of_track(session, track.id)] == wanted


def test_a_new_order_must_name_every_lesson_once(
    session: Session, make_track: Callable[..., Track]
) -> None:
    track = make_track(lessons=2)
    first, second = (lesson.id for lesson in track.lessons)
    foreign = make_track(lessons=1).lessons[0].id
    for wrong in ([], [first], [first, first], [first, second, second], [first, foreign]):
        with pytest.raises(InvalidData):
            lessons.reorder(session, track.id, wrong)


def test_an_update_can_empty_the_video_and_leaves_the_rest(
    session: Session, make_track: Callable[..., Track]
) -> None:
    lesson = make_track(lessons=1).lessons[0]
    lessons.update_fields(session, lesson.id, {"video_url": "https://example.com/v"})
    lessons.update_fields(session, lesson.id, {"video_url": None})
    assert (lesson.video_url, lesson.title) == (None, "Lesson 1")


def test_which_lesson_is_not_there_is_named_in_the_error(session: Session, stranger: UUID) -> None:
    for attempt in (
        lambda: lessons.get(session, stranger),
        lambda: lessons.update_fields(session, stranger, {"title": "x"}),
        lambda: lessons.remove(session, stranger),
    ):
        with pytest.raises(NotFound, match=str(stranger)):
            attempt()


def test_a_removed_lesson_leaves_the_others(
    session: Session, make_track: Callable[..., Track]
) -> None:
    track = make_track(lessons=3)
    lessons.remove(session, track.lessons[1].id)
    assert [lesson.position for lesson in lessons.of_track(session, track.id)] == [1, 3]

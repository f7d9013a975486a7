from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tracker.errors import (
    AlreadyEnrolled,
    InvalidData,
    MissingReference,
    NotAvailable,
    NotEnrolled,
    NotFound,
    TrackerError,
)
from tracker.models import Track, User
from tracker.repositories import lessons, progress
from tracker.seeding import seed
from tracker.services import learning

ROWS = text("SELECT count(*) FROM lesson_progress")


def test_enrolling_opens_a_record_for_every_published_lesson(
    session: Session, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    track, user = make_track(lessons=3), make_user()
    lessons.update_fields(session, track.lessons[1].id, {"is_published": False})
    assert learning.enroll(session, user.id, track.id) == learning.Enrolled(track.id, 2)
    records = progress.of_user(session, user.id, track_id=track.id)
    assert [record.lesson.position for record in records] == [1, 3]
    assert not any(record.completed for record in records)


def test_enrolling_twice_is_refused_and_changes_nothing(
    session: Session, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    track, user = make_track(lessons=3), make_user()
    learning.enroll(session, user.id, track.id)
    with pytest.raises(AlreadyEnrolled):
        learning.enroll(session, user.id, track.id)
    assert session.scalar(ROWS) == 3


def test_a_draft_an_empty_track_and_no_track_cannot_be_enrolled_in(
    session: Session,
    make_track: Callable[..., Track],
    make_user: Callable[..., User],
    stranger: UUID,
) -> None:
    user_id = make_user().id
    draft, empty = make_track(lessons=1, is_published=False).id, make_track().id
    published = make_track(lessons=2).id
    session.commit()
    for track_id, error in ((draft, NotAvailable), (empty, NotAvailable), (stranger, NotFound)):
        with pytest.raises(error):
            learning.enroll(session, user_id, track_id)
    with pytest.raises(MissingReference):
        learning.enroll(session, stranger, published)
    assert session.scalar(ROWS) == 0


def test_an_enrollment_that_fails_at_its_last_lesson_leaves_nothing(
    session: Session, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    track, user = make_track(lessons=3), make_user()
    progress.start(session, user.id, [track.lessons[2].id])
    session.commit()
    with pytest.raises(AlreadyEnrolled):
        learning.enroll(session, user.id, track.id)
    assert session.scalar(ROWS) == 1


def test_of_twenty_clients_who_enroll_one_user_at_once_one_succeeds(
    sessions: sessionmaker[Session],
) -> None:
    with sessions() as session:
        seed(session)
        user_id = session.scalar(text("SELECT id FROM users WHERE username = 'ingrid'"))
        track_id = session.scalar(text("SELECT id FROM tracks WHERE title = 'Python basics'"))

    def attempt(_: int) -> str:
        with sessions() as session:
            try:
                learning.enroll(session, user_id, track_id)
            except TrackerError as error:
                return type(error).__name__
            return "enrolled"

    with ThreadPoolExecutor(20) as pool:
        outcomes = sorted(pool.map(attempt, range(20)))
    assert outcomes == ["AlreadyEnrolled"] * 19 + ["enrolled"]
    with sessions() as session:
        assert len(progress.of_user(session, user_id)) == 4


def test_completing_sets_the_date_once_adds_minutes_and_keeps_the_best_score(
    session: Session, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    track, user = make_track(lessons=2), make_user()
    learning.enroll(session, user.id, track.id)
    lesson_id = track.lessons[0].id
    first = learning.complete_lesson(session, user.id, lesson_id, minutes=20)
    assert (first.completed, first.time_spent_minutes, first.score) == (True, 20, None)
    date = first.completed_at
    learning.complete_lesson(session, user.id, lesson_id, minutes=5, score=Decimal("95.5"))
    last = learning.complete_lesson(session, user.id, lesson_id, minutes=5, score=Decimal(60))
    assert (last.time_spent_minutes, last.score, last.completed_at) == (30, Decimal("95.5"), date)
    other = progress.get(session, user.id, track.lessons[1].id)
    assert other is not None
    assert not other.completed


def test_a_lesson_can_be_completed_only_by_who_is_enrolled(
    session: Session, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    track = make_track(lessons=1)
    with pytest.raises(NotEnrolled):
        learning.complete_lesson(session, make_user().id, track.lessons[0].id)


@pytest.mark.parametrize(
    "wrong", [{"score": Decimal(101)}, {"score": Decimal(-1)}, {"minutes": -1}]
)
def test_a_completion_with_an_impossible_value_changes_nothing(
    session: Session,
    make_track: Callable[..., Track],
    make_user: Callable[..., User],
    wrong: dict[str, Decimal],
) -> None:
    track, user = make_track(lessons=1), make_user()
    learning.enroll(session, user.id, track.id)
    with pytest.raises(InvalidData):
        learning.complete_lesson(session, user.id, track.lessons[0].id, **wrong)  # type: ignore[arg-type]
    session.expire_all()
    assert not progress.of_user(session, user.id)[0].completed


def test_minutes_of_many_clients_at_once_all_count(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        seed(session)
        user_id, lesson_id = session.execute(
            text("SELECT user_id, lesson_id FROM lesson_progress WHERE NOT completed LIMIT 1")
        ).one()

    def study(_: int) -> None:
        with sessions() as session:
            learning.complete_lesson(session, user_id, lesson_id, minutes=3)

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(study, range(30)))
    with sessions() as session:
        record = progress.get(session, user_id, lesson_id)
        assert record is not None
        assert record.time_spent_minutes == 90

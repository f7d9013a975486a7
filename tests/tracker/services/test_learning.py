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
    InvalidTransition,
    MissingReference,
    NotAvailable,
    NotEnrolled,
    NotFound,
    PaymentRequired,
    TrackerError,
    TrackFull,
    domain_errors,
)
from tracker.models import EnrollmentStatus, Track, User
from tracker.repositories import certificates, enrollments, lessons, progress, tracks, users
from tracker.seeding import seed
from tracker.services import learning, payments
from tracker.services.retry import retrying

ROWS = text("SELECT count(*) FROM lesson_progress")


def test_enrolling_opens_a_record_for_every_published_lesson(
    session: Session, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    track, user = make_track(lessons=3), make_user()
    lessons.update_fields(session, track.lessons[1].id, {"is_published": False})
    enrollment = learning.enroll(session, user.id, track.id)
    assert (enrollment.user_id, enrollment.track_id) == (user.id, track.id)
    assert enrollment.status is EnrollmentStatus.ACTIVE
    assert enrollment.progress is not None
    assert (enrollment.progress.completed_lessons, enrollment.progress.total_lessons) == (0, 2)
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
    first = learning.complete_lesson(session, user.id, lesson_id, minutes=20).lesson
    assert (first.completed, first.time_spent_minutes, first.score) == (True, 20, None)
    date = first.completed_at
    learning.complete_lesson(session, user.id, lesson_id, minutes=5, score=Decimal("95.5"))
    last = learning.complete_lesson(
        session, user.id, lesson_id, minutes=5, score=Decimal(60)
    ).lesson
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
        learning.complete_lesson(session, user.id, track.lessons[0].id, **wrong)
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


def test_progress_of_the_track_is_rolled_up_and_the_last_lesson_completes_it(
    session: Session, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    track, user = make_track(lessons=3), make_user()
    learning.enroll(session, user.id, track.id)
    percents = []
    for lesson in track.lessons:
        done = learning.complete_lesson(session, user.id, lesson.id)
        percents.append(done.track.percent)
    assert percents == [33, 66, 100]
    enrollment = enrollments.get(session, user.id, track.id)
    assert enrollment is not None
    assert enrollment.status is EnrollmentStatus.COMPLETED
    assert enrollment.completed_at == done.track.completed_at
    assert done.certificate is not None
    assert done.certificate.track_title == track.title


def test_a_completed_track_gives_one_certificate_however_often_its_lessons_are_repeated(
    session: Session, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    track, user = make_track(lessons=1), make_user()
    learning.enroll(session, user.id, track.id)
    first = learning.complete_lesson(session, user.id, track.lessons[0].id).certificate
    again = learning.complete_lesson(session, user.id, track.lessons[0].id).certificate
    assert first is not None
    assert again is not None
    assert first.number == again.number


def test_a_lesson_published_later_can_be_completed_and_counts(
    session: Session, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    track, user = make_track(lessons=1), make_user()
    learning.enroll(session, user.id, track.id)
    new = lessons.create(
        session,
        track_id=track.id,
        title="New",
        content="…",
        duration_minutes=5,
        is_published=True,
    )
    first = learning.complete_lesson(session, user.id, track.lessons[0].id)
    assert (first.track.percent, first.certificate) == (50, None)
    second = learning.complete_lesson(session, user.id, new.id)
    assert second.track.percent == 100
    assert second.certificate is not None


def test_who_has_cancelled_can_no_longer_complete_lessons_and_gives_the_seat_back(
    session: Session, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    track, first, second = make_track(lessons=2, capacity=1), make_user(), make_user()
    session.commit()
    learning.enroll(session, first.id, track.id)
    with pytest.raises(TrackFull, match="All 1 seats"):
        learning.enroll(session, second.id, track.id)
    learning.cancel_enrollment(session, first.id, track.id)
    learning.enroll(session, second.id, track.id)
    with pytest.raises(NotEnrolled, match="cancelled"):
        learning.complete_lesson(session, first.id, track.lessons[0].id)
    cancelled = enrollments.get(session, first.id, track.id)
    assert cancelled is not None
    cancelled.status = EnrollmentStatus.ACTIVE
    with pytest.raises(InvalidTransition, match="from cancelled to active"), domain_errors():
        session.flush()


def test_a_track_with_a_price_is_for_those_who_paid(
    session: Session, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    track, user = make_track(lessons=1, price_cents=4900), make_user()
    session.commit()
    with pytest.raises(PaymentRequired):
        learning.enroll(session, user.id, track.id)
    payments.take_payment(
        session, user_id=user.id, track_id=track.id, provider="p", provider_payment_id="1"
    )
    with pytest.raises(PaymentRequired):
        learning.enroll(session, user.id, track.id)
    payments.complete_payment(session, "p", "1")
    assert learning.enroll(session, user.id, track.id).status is EnrollmentStatus.ACTIVE


def test_only_active_enrollments_whose_time_is_over_expire(
    session: Session, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    track, early, late = make_track(lessons=1), make_user(), make_user()
    for user in (early, late):
        learning.enroll(session, user.id, track.id)
    session.execute(
        text(
            "UPDATE enrollments SET enrolled_at = now() - interval '9 days',"
            " expires_at = now() + CASE WHEN user_id = :early THEN -1 ELSE 1 END * interval '1 day'"
        ),
        {"early": early.id},
    )
    assert learning.expire_enrollments(session) == 1
    assert learning.expire_enrollments(session) == 0
    found = enrollments.get(session, early.id, track.id)
    assert found is not None
    assert found.status is EnrollmentStatus.EXPIRED


def test_of_twenty_clients_for_the_last_three_seats_three_succeed(
    sessions: sessionmaker[Session],
) -> None:
    with sessions() as session:
        seed(session)
        track_id = session.scalar(text("SELECT id FROM tracks WHERE title = 'Python basics'"))
        taken = enrollments.seats_taken(session, track_id)
        tracks.update_fields(session, track_id, {"capacity": taken + 3})
        clients = [
            users.create(
                session, email=f"c{n}@example.com", username=f"c{n}", password_hash="$argon2id$"
            ).id
            for n in range(20)
        ]
        session.commit()

    def attempt(user_id: UUID) -> str:
        with sessions() as session:
            try:
                learning.enroll(session, user_id, track_id)
            except TrackerError as error:
                return type(error).__name__
            return "enrolled"

    with ThreadPoolExecutor(20) as pool:
        outcomes = sorted(pool.map(attempt, clients))
    assert outcomes == ["TrackFull"] * 17 + ["enrolled"] * 3
    with sessions() as session:
        assert enrollments.seats_taken(session, track_id) == taken + 3
        halves = text(
            "SELECT count(*) FROM users u WHERE username ~ '^c[0-9]+$' AND"
            " (SELECT count(*) FROM lesson_progress p WHERE p.user_id = u.id) NOT IN (0, 4)"
        )
        assert session.scalar(halves) == 0


def test_clients_who_complete_all_lessons_at_once_end_with_all_counted_and_one_certificate(
    sessions: sessionmaker[Session],
) -> None:
    with sessions() as session:
        seed(session)
        user_id = session.scalar(text("SELECT id FROM users WHERE username = 'ingrid'"))
        track_id = session.scalar(text("SELECT id FROM tracks WHERE title = 'Python basics'"))
        learning.enroll(session, user_id, track_id)
        lesson_ids = [lesson.id for lesson in lessons.of_track(session, track_id)]

    def study(lesson_id: UUID) -> None:
        with sessions() as session:
            retrying(lambda: learning.complete_lesson(session, user_id, lesson_id, minutes=1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(study, lesson_ids * 3))
    with sessions() as session:
        enrollment = enrollments.get(session, user_id, track_id)
        assert enrollment is not None
        assert enrollment.progress is not None
        assert (enrollment.progress.percent, enrollment.status) == (100, "completed")
        assert len(certificates.of_user(session, user_id)) == 1


def test_two_lessons_completed_in_overlapping_transactions_both_count(
    sessions: sessionmaker[Session],
) -> None:
    with sessions() as session:
        seed(session)
        user_id = session.scalar(text("SELECT id FROM users WHERE username = 'ingrid'"))
        track_id = session.scalar(text("SELECT id FROM tracks WHERE title = 'Python basics'"))
        learning.enroll(session, user_id, track_id)
        first, second, *_ = [lesson.id for lesson in lessons.of_track(session, track_id)]

    def complete_the_second() -> int:
        with sessions() as session:
            done = learning.complete_lesson(session, user_id, second)
            return done.track.completed_lessons

    with sessions() as session, ThreadPoolExecutor(1) as pool:
        enrollments.lock_for_lesson(session, user_id, first)
        progress.complete(session, user_id, first)
        enrollments.roll_up(session, user_id, track_id)
        other = pool.submit(complete_the_second)
        wait_until_somebody_waits_for_a_row(sessions)
        session.commit()
        assert other.result() == 2


def wait_until_somebody_waits_for_a_row(sessions: sessionmaker[Session]) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with sessions() as watcher:
        while not watcher.scalar(waiting):
            watcher.rollback()  # what it shows is fixed for the length of a transaction

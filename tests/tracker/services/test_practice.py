from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from tracker.errors import EmailTaken, InvalidData, MissingReference, NotEnrolled, NotFound
from tracker.identifiers import uuid7
from tracker.models import (
    Certificate,
    CheckOutcome,
    CheckResult,
    ExerciseAttempt,
    Lesson,
    PredictionKind,
    Track,
    User,
)
from tracker.repositories import enrollments, practice, progress
from tracker.repositories.practice import AttemptMade, CheckSeen, PredictionMade, RungClimbed
from tracker.seeding.checks import problems
from tracker.services import accounts, learning
from tracker.services import practice as service
from tracker.services.practice import LessonFinished, Outline, Person

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OUTLINES = [
    Outline("notebook-05-crud", "Create, read", "notebooks/05_crud.ipynb", 60),
    Outline("exercise-04-repository", "A repository", "exercises/04_repository", 40),
]


@pytest.fixture
def course(session: Session, make_user: Callable[..., User]) -> dict[str, UUID]:
    author = make_user().id
    return service.set_up_course(
        session, author_id=author, slug="course", title="Course", outlines=OUTLINES
    ).lessons


@pytest.fixture
def learner(session: Session, course: dict[str, UUID], make_user: Callable[..., User]) -> UUID:
    user = make_user().id
    service.join(session, user, track_of(session))
    return user


def track_of(session: Session) -> UUID:
    return session.scalars(select(Track.id).where(Track.slug == "course")).one()


def attempt(lesson_id: UUID, *earned: int, hours: int = 0, **fields: object) -> AttemptMade:
    """An attempt whose checks are worth two points each."""
    checks = tuple(
        CheckSeen(
            f"check_{number}",
            f"Check {number}",
            Decimal(2),
            Decimal(points),
            CheckOutcome.PASSED if points == 2 else CheckOutcome.FAILED,
            None if points == 2 else "off-by-one",
        )
        for number, points in enumerate(earned)
    )
    made = AttemptMade(lesson_id, NOON + timedelta(hours=hours), checks, seed=7, kit_version="1")
    return replace(made, **fields)


def test_an_attempt_is_kept_with_its_checks_and_scores_its_lesson(
    session: Session, course: dict[str, UUID], learner: UUID
) -> None:
    exercise = course["exercise-04-repository"]
    done = service.record(session, learner, [attempt(exercise, 2, 0, 1)])
    assert (done.attempts, done.hints, done.predictions) == (1, 0, 0)
    (kept,) = practice.attempts_of(session, learner, exercise)
    assert (kept.earned, kept.points, kept.seed, kept.kit_version) == (3, 6, 7, "1")
    assert kept.attempted_at == NOON
    assert [(c.name, c.earned, c.outcome, c.misconception) for c in kept.checks] == [
        ("check_0", 2, "passed", None),
        ("check_1", 0, "failed", "off-by-one"),
        ("check_2", 1, "failed", "off-by-one"),
    ]
    record = progress.get(session, learner, exercise)
    assert record is not None
    assert (record.score, record.completed) == (Decimal("50.00"), False)


def test_all_points_complete_the_lesson_and_all_lessons_the_course(
    session: Session, course: dict[str, UUID], learner: UUID
) -> None:
    notebook, exercise = course.values()
    service.record(session, learner, [attempt(exercise, 2, 2), attempt(exercise, 0, 2, hours=2)])
    record = progress.get(session, learner, exercise)
    assert record is not None
    assert (record.completed_at, record.score) == (NOON, 100)  # what was reached stays
    enrollment = enrollments.get(session, learner, track_of(session))
    assert enrollment is not None
    assert enrollment.progress is not None
    assert (enrollment.progress.percent, enrollment.status) == (50, "active")
    service.record(session, learner, [LessonFinished(notebook, NOON)])
    session.refresh(enrollment)
    assert (enrollment.progress.percent, enrollment.status) == (100, "completed")
    assert session.scalar(select(func.count()).select_from(Certificate)) == 1
    service.record(session, learner, [attempt(exercise, 0, 0, hours=3)])  # one may go on
    assert session.scalar(select(func.count()).select_from(ExerciseAttempt)) == 3


def test_only_all_points_round_to_a_hundred_percent() -> None:
    assert service.percent(Decimal("9999.99"), Decimal(10000)) == Decimal("99.99")
    assert service.percent(Decimal("0.01"), Decimal("0.01")) == 100
    assert service.percent(Decimal(0), Decimal(0)) == 100


def test_what_is_sent_again_is_written_once(
    session: Session, course: dict[str, UUID], learner: UUID
) -> None:
    notebook, exercise = course.values()
    events = [
        attempt(exercise, 1),
        RungClimbed(exercise, NOON, "off-by-one", 1),
        PredictionMade(notebook, NOON, "rows", PredictionKind.NUMBER, "3", 80, is_correct=True),
        LessonFinished(notebook, NOON),
    ]
    first = service.record(session, learner, events)
    again = service.record(session, learner, events)
    assert (first.attempts, first.hints, first.predictions) == (1, 1, 1)
    assert (again.attempts, again.hints, again.predictions) == (0, 0, 0)
    assert session.scalar(select(func.count()).select_from(CheckResult)) == 1
    (prediction,) = practice.predictions_of(session, learner, notebook)
    assert (prediction.answer, prediction.confidence, prediction.is_correct) == ("3", 80, True)


def test_a_rung_is_climbed_once_however_often_it_is_read(
    session: Session, course: dict[str, UUID], learner: UUID
) -> None:
    exercise = course["exercise-04-repository"]
    for hour in range(2):
        at = NOON + timedelta(hours=hour)
        service.record(session, learner, [RungClimbed(exercise, at, "off-by-one", 1)])
    service.record(session, learner, [RungClimbed(exercise, at, "off-by-one", 2)])
    assert [(h.rung, h.taken_at) for h in practice.hints_of(session, learner, exercise)] == [
        (1, NOON),
        (2, at),
    ]


def test_nothing_of_a_batch_is_written_where_one_event_is_wrong(
    session: Session, course: dict[str, UUID], learner: UUID, stranger: UUID
) -> None:
    notebook, exercise = course.values()
    good = attempt(exercise, 2)
    guess = PredictionMade(notebook, NOON, "rows", PredictionKind.NUMBER, "many")
    for bad, error in (
        (attempt(exercise), InvalidData),  # no checks
        (attempt(exercise, 3), InvalidData),  # more than there is to earn
        (attempt(exercise, 1, kit_version="x" * 51), InvalidData),
        (attempt(stranger, 2), NotFound),
        (RungClimbed(exercise, NOON, "off-by-one", 0), InvalidData),
        (guess, InvalidData),
        (replace(guess, answer="3", confidence=101), InvalidData),
        (replace(guess, answer="3\0"), InvalidData),
    ):
        with pytest.raises(error):
            service.record(session, learner, [good, bad])
        for table in ("exercise_attempts", "hints_taken", "predictions"):
            assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    assert progress.get(session, learner, exercise).completed is False


def test_only_those_who_are_enrolled_practice(
    session: Session,
    course: dict[str, UUID],
    learner: UUID,
    make_user: Callable[..., User],
    stranger: UUID,
) -> None:
    outsider = make_user().id
    session.commit()
    events = [attempt(course["exercise-04-repository"], 2)]
    for nobody in (outsider, stranger):
        with pytest.raises(NotEnrolled):
            service.record(session, nobody, events)
    with pytest.raises(MissingReference):
        service.join(session, stranger, track_of(session))
    learning.cancel_enrollment(session, learner, track_of(session))
    with pytest.raises(NotEnrolled, match="cancelled"):
        service.record(session, learner, events)
    with pytest.raises(NotEnrolled, match="cancelled"):
        service.join(session, learner, track_of(session))


def test_a_course_grows_and_nothing_in_it_is_lost(
    session: Session, course: dict[str, UUID], learner: UUID
) -> None:
    notebook, exercise = course.values()
    service.record(session, learner, [attempt(exercise, 2), LessonFinished(notebook, NOON)])
    renamed = [replace(OUTLINES[0], title="Create, read, update")]
    added = Outline("exercise-08-n-plus-one", "The N+1 problem", "exercises/08_n_plus_one", 30)
    author = session.scalars(select(Track.author_id)).one()
    grown = service.set_up_course(
        session, author_id=author, slug="course", title="Renamed", outlines=[*renamed, added]
    ).lessons
    assert grown == {**course, "exercise-08-n-plus-one": grown["exercise-08-n-plus-one"]}
    lessons = session.scalars(select(Lesson).order_by(Lesson.position)).all()
    assert [lesson.title for lesson in lessons] == [
        "Create, read, update", "A repository", "The N+1 problem",
    ]  # fmt: skip
    service.record(session, learner, [attempt(grown["exercise-08-n-plus-one"], 0)])
    enrollment = enrollments.get(session, learner, track_of(session))
    assert enrollment is not None
    assert enrollment.progress is not None
    assert (enrollment.progress.completed_lessons, enrollment.progress.total_lessons) == (2, 3)
    assert enrollment.progress.completed_at is not None


def test_a_class_is_recorded_whole_or_not_at_all(
    session: Session, course: dict[str, UUID], learner: UUID, make_user: Callable[..., User]
) -> None:
    exercise = course["exercise-04-repository"]
    outsider = make_user().id
    session.commit()
    with pytest.raises(NotEnrolled):
        service.record_all(
            session, {learner: [attempt(exercise, 2)], outsider: [attempt(exercise, 2)]}
        )
    assert session.scalar(select(func.count()).select_from(ExerciseAttempt)) == 0
    service.join(session, outsider, track_of(session))
    done = {user: [attempt(exercise, 2), attempt(exercise, 0)] for user in (learner, outsider)}
    assert service.record_all(session, done).attempts == 4


def test_accounts_are_made_for_those_who_have_none_and_nobody_can_sign_in_to_them(
    session: Session, make_user: Callable[..., User]
) -> None:
    old = make_user(username="ana", first_name="Ana")
    session.commit()
    people = [
        Person("ana", first_name="Somebody"),
        Person("bo", first_name="Bo", email="Bo@Example.com"),
        Person("cy"),
    ]
    ids = service.register(session, people)
    assert ids["ana"] == old.id
    assert ids == service.register(session, people)
    names = select(User.username, User.first_name, User.email).order_by(User.username)
    assert session.execute(names).all() == [
        ("ana", "Ana", old.email),
        ("bo", "Bo", "bo@example.com"),
        ("cy", None, "cy@practice.invalid"),
    ]
    assert problems(session) == ["There is no active administrator."]
    for password in ("", "bo", "!"):
        assert accounts.authenticate(session, "bo", password) is None
    with pytest.raises(EmailTaken):
        service.register(session, [Person("other", email="bo@example.com")])
    with pytest.raises(InvalidData):
        service.register(session, [Person("two words")])


def test_many_events_take_as_many_statements_as_few(
    session: Session,
    course: dict[str, UUID],
    learner: UUID,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    notebook, exercise = course.values()
    counts = []
    for size in (2, 20):
        events = [attempt(exercise, 1, 0, hours=hour) for hour in range(size)]
        guesses = [
            PredictionMade(notebook, NOON, f"q{n}", PredictionKind.TEXT, "?") for n in range(size)
        ]
        with statements() as sent:
            service.record(session, learner, [*events, *guesses])
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_of_many_who_set_up_and_record_at_once_nothing_is_lost_or_twice_there(
    sessions: sessionmaker[Session],
) -> None:
    with sessions() as session:
        author = User(email="a@b", username="a", password_hash="$argon2id$")
        session.add(author)
        session.commit()
    shared = uuid7()

    def work(number: int) -> None:
        with sessions() as session:
            course = service.set_up_course(
                session, author_id=author.id, slug="course", title="Course", outlines=OUTLINES
            )
            exercise = course.lessons["exercise-04-repository"]
            service.join(session, author.id, course.track_id)
            own, same = attempt(exercise, 1, hours=number), attempt(exercise, 2, id=shared)
            service.record(session, author.id, [own, same])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(ExerciseAttempt)) == 9
        assert session.scalar(select(func.count()).select_from(Lesson)) == 2


batches = st.lists(
    st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=3), min_size=1, max_size=3),
    min_size=1,
    max_size=4,
)


@given(batches)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_progress_is_the_best_of_all_attempts_however_they_arrive(
    shared_engine: Engine, batches: list[list[list[int]]]
) -> None:
    with shared_engine.connect() as connection, connection.begin() as outer:
        session = Session(connection, join_transaction_mode="create_savepoint")
        user = User(email="a@b", username="a", password_hash="$argon2id$")
        session.add(user)
        session.flush()
        course = service.set_up_course(
            session, author_id=user.id, slug="course", title="Course", outlines=OUTLINES
        )
        service.join(session, user.id, track_of(session))
        exercise = course.lessons["exercise-04-repository"]
        shares = []
        for batch in batches:
            made = [attempt(exercise, *earned) for earned in batch]
            shares += [service.percent(a.earned, a.points) for a in made]
            service.record(session, user.id, made)
        record = progress.get(session, user.id, exercise)
        assert record is not None
        session.refresh(record)
        assert (record.score, record.completed) == (max(shares), max(shares) == 100)
        session.close()
        outer.rollback()

"""Figures about practice, against what plain Python says of the same events."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tracker.analytics import practice as figures
from tracker.models import CheckOutcome, PredictionKind, User
from tracker.repositories import practice as stored
from tracker.repositories.practice import AttemptMade, CheckSeen, PredictionMade, RungClimbed
from tracker.services import practice
from tracker.services.practice import Outline

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SLUGS = ("notebook-05", "exercise-04-repository", "exercise-08-n-plus-one")


def course_of(session: Session, user_id: UUID) -> tuple[UUID, list[UUID]]:
    outlines = [Outline(slug, slug.title(), "…", 30) for slug in SLUGS]
    course = practice.set_up_course(
        session, author_id=user_id, slug="course", title="Course", outlines=outlines
    )
    practice.join(session, user_id, course.track_id)
    return course.track_id, [course.lessons[slug] for slug in SLUGS]


def attempt(lesson: UUID, hour: int, earned: int, *misconceptions: str) -> AttemptMade:
    """An attempt of four points, with a failed check for each misconception."""
    passed = [
        CheckSeen("sum", "Sum", Decimal(4), Decimal(earned), CheckOutcome.PASSED),
    ]
    failed = [
        CheckSeen(f"c{n}", "C", Decimal(0), Decimal(0), CheckOutcome.FAILED, misconception)
        for n, misconception in enumerate(misconceptions)
    ]
    at = NOON + timedelta(hours=hour)
    return AttemptMade(lesson, at, (*passed, *failed), seed=1, kit_version="1")


def guess(lesson: UUID, name: str, sure: int | None, right: bool | None) -> PredictionMade:
    return PredictionMade(lesson, NOON, name, PredictionKind.TEXT, "?", sure, right)


@pytest.fixture
def learner(make_user: Callable[..., User]) -> UUID:
    return make_user().id


def test_a_learner_who_did_nothing_has_a_row_for_each_lesson(
    session: Session, learner: UUID
) -> None:
    track, _ = course_of(session, learner)
    rows = figures.by_lesson(session, learner, track)
    assert [row.slug for row in rows] == list(SLUGS)
    assert {(r.completed, r.best_score, r.attempts, tuple(r.scores), r.hints) for r in rows} == {
        (False, None, 0, (), 0)
    }
    assert figures.calibration(session, learner, track) == figures.Calibration(0, None, ())
    assert figures.open_misconceptions(session, learner, track) == []


def test_no_join_multiplies_attempts_hints_and_predictions(
    session: Session, learner: UUID, make_user: Callable[..., User]
) -> None:
    track, (notebook, repository, _) = course_of(session, learner)
    other = make_user().id
    practice.join(session, other, track)
    events = [
        attempt(repository, 3, 4),
        attempt(repository, 1, 1, "m", "m", "n"),
        attempt(repository, 2, 3, "m"),
        *(RungClimbed(repository, NOON, "m", rung) for rung in (1, 2, 3)),
        guess(notebook, "05-a", 80, True),
        guess(notebook, "05-a", 90, False),
        guess(notebook, "05-b", 80, None),
    ]
    practice.record(session, learner, events)
    practice.record(session, other, [attempt(repository, 9, 0, "m")])
    seen, tried, _ = figures.by_lesson(session, learner, track)
    assert (seen.predictions, seen.attempts, seen.hints) == (2, 0, 0)
    assert (tried.attempts, tried.hints, tried.predictions, tried.completed) == (3, 3, 0, True)
    assert (tried.earned, tried.points, tried.best_score) == (4, 4, 100)
    assert tried.scores == [Decimal("25.00"), Decimal("75.00"), Decimal("100.00")]
    assert tried.last_attempt_at == NOON + timedelta(hours=3)


def test_a_misconception_is_open_until_the_last_attempt_no_longer_shows_it(
    session: Session, learner: UUID
) -> None:
    track, (_, repository, loading) = course_of(session, learner)
    practice.record(session, learner, [attempt(repository, 1, 0, "m", "n"), attempt(loading, 1, 4)])
    practice.record(session, learner, [attempt(repository, 2, 1, "m", "m")])
    assert figures.open_misconceptions(session, learner, track) == [
        figures.OpenMisconception(SLUGS[1], "m", 2, NOON + timedelta(hours=1))
    ]
    practice.record(session, learner, [attempt(repository, 3, 1)])
    assert figures.open_misconceptions(session, learner, track) == []


def test_whether_a_prediction_came_so_may_be_told_later_and_once(
    session: Session, learner: UUID
) -> None:
    _, (notebook, *_) = course_of(session, learner)
    made = guess(notebook, "05-a", 80, None)
    for right, kept in ((None, None), (True, True), (False, True)):
        practice.record(session, learner, [replace(made, is_correct=right)])
        (found,) = stored.predictions_of(session, learner)
        session.refresh(found)
        assert found.is_correct is kept
        assert stored.known(session, learner) == ({made.id} if kept else set())


def test_figures_take_one_statement_each(
    session: Session, learner: UUID, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    track, (notebook, repository, _) = course_of(session, learner)
    practice.record(
        session, learner, [attempt(repository, 1, 1, "m"), guess(notebook, "05-a", 50, True)]
    )
    with statements() as sent:
        figures.by_lesson(session, learner, track)
        figures.calibration(session, learner, track)
        figures.open_misconceptions(session, learner, track)
    assert len(sent) == 3


guesses = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d", "e", "f"]),
        st.none() | st.integers(0, 100),
        st.none() | st.booleans(),
    ),
    max_size=12,
)


@given(guesses)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_calibration_counts_the_first_prediction_of_each_question(
    shared_engine: Engine, made: list[tuple[str, int | None, bool | None]]
) -> None:
    with shared_engine.connect() as connection, connection.begin() as outer:
        session = Session(connection, join_transaction_mode="create_savepoint")
        user = User(email="a@b", username="a", password_hash="$argon2id$")
        session.add(user)
        session.flush()
        track, (notebook, *_) = course_of(session, user.id)
        practice.record(session, user.id, [guess(notebook, *one) for one in made])
        found = figures.calibration(session, user.id, track)
        session.close()
        outer.rollback()
    first: dict[str, tuple[int | None, bool | None]] = {}
    for name, sure, right in made:
        first.setdefault(name, (sure, right))
    known = [(s, r) for s, r in first.values() if s is not None and r is not None]
    assert found.predictions == len(known)
    expected = []
    for low, high in figures.BINS:
        those = [(s, r) for s, r in known if low <= s <= high]
        if those:
            expected.append(
                (low, high, len(those), round(100 * sum(r for _, r in those) / len(those), 2))
            )
    assert [
        (b.lowest, b.highest, b.predictions, float(b.percent_right)) for b in found.bins
    ] == expected
    if known:
        brier = sum((s / 100 - r) ** 2 for s, r in known) / len(known)
        assert float(found.brier_score or 0) == pytest.approx(brier, abs=1e-4)

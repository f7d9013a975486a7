"""Figures about one learner's practice. One row stands for one exercise, bin or misconception."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Numeric, Select, and_, case, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, distinct_on
from sqlalchemy.orm import Session

from tracker.models import (
    CheckResult,
    ExerciseAttempt,
    HintTaken,
    Lesson,
    LessonProgress,
    Prediction,
)

BINS = ((0, 39), (40, 59), (60, 79), (80, 94), (95, 100))
"""Percent: how sure, taken together; few groups, because there are few predictions."""


@dataclass(frozen=True)
class LessonPractice:
    """What a learner did at one lesson of a track; all zero where they did nothing."""

    slug: str
    title: str
    completed: bool
    best_score: Decimal | None  # percent; None: nothing was assessed yet
    attempts: int
    scores: Sequence[Decimal]  # percent, of each attempt in order
    earned: Decimal | None  # in the last attempt
    points: Decimal | None
    hints: int
    predictions: int
    last_attempt_at: datetime | None


@dataclass(frozen=True)
class CalibrationBin:
    """How often a learner was right who was about this sure."""

    lowest: int  # percent
    highest: int
    predictions: int
    mean_confidence: Decimal
    percent_right: Decimal


@dataclass(frozen=True)
class Calibration:
    """How well a learner knows what they know."""

    predictions: int  # compared with what happened
    brier_score: Decimal | None  # 0: sure and right; 0.25: as good as a coin; 1: sure and wrong
    bins: tuple[CalibrationBin, ...]


@dataclass(frozen=True)
class OpenMisconception:
    """A misconception that the last attempt at an exercise still showed."""

    slug: str
    misconception: str
    attempts: int  # at this exercise that showed it
    first_seen_at: datetime


def by_lesson(session: Session, user_id: UUID, track_id: UUID) -> list[LessonPractice]:
    """Return what a learner did at each lesson of a track that has a slug, in order.

    In one statement: attempts, hints and predictions are summed up by lesson before they are
    joined, or each would multiply the others.
    """
    made = _attempts(user_id).subquery()
    last = _last_attempts(user_id).subquery()
    hints = _count(HintTaken, user_id).subquery()
    guesses = _count(Prediction, user_id, func.distinct(Prediction.question)).subquery()
    at_lesson = and_(LessonProgress.lesson_id == Lesson.id, LessonProgress.user_id == user_id)
    rows = session.execute(
        select(
            Lesson.slug,
            Lesson.title,
            func.coalesce(LessonProgress.completed, False),
            LessonProgress.score,
            func.coalesce(made.c.attempts, 0),
            func.coalesce(made.c.scores, literal([], ARRAY(Numeric))),
            last.c.earned,
            last.c.points,
            func.coalesce(hints.c.rows, 0),
            func.coalesce(guesses.c.rows, 0),
            last.c.attempted_at,
        )
        .outerjoin(LessonProgress, at_lesson)
        .outerjoin(made, made.c.lesson_id == Lesson.id)
        .outerjoin(last, last.c.lesson_id == Lesson.id)
        .outerjoin(hints, hints.c.lesson_id == Lesson.id)
        .outerjoin(guesses, guesses.c.lesson_id == Lesson.id)
        .where(Lesson.track_id == track_id, Lesson.slug.is_not(None))
        .order_by(Lesson.position)
    )
    return [LessonPractice(*row) for row in rows.all()]


def calibration(session: Session, user_id: UUID, track_id: UUID) -> Calibration:
    """Compare how sure a learner was with how often they were right, in one statement.

    The first prediction for each question counts: whoever has seen the outcome predicts no more.

    The score is that of G. W. Brier (Verification of forecasts expressed in terms of probability,
    1950): the mean square of the distance between how sure somebody was and what came.
    """
    first = (
        select(Prediction.confidence, Prediction.is_correct)
        .join(Lesson, Lesson.id == Prediction.lesson_id)
        .where(Prediction.user_id == user_id, Lesson.track_id == track_id)
        .ext(distinct_on(Prediction.lesson_id, Prediction.question))
        .order_by(Prediction.lesson_id, Prediction.question, Prediction.predicted_at, Prediction.id)
        .subquery()
    )
    number = case(*((first.c.confidence <= high, n) for n, (_, high) in enumerate(BINS)))
    right = case((first.c.is_correct, 100), else_=0)
    distance = (first.c.confidence - right) / Decimal(100)
    rows = session.execute(
        select(
            number.label("bin"),
            func.count(),
            func.round(func.avg(first.c.confidence), 2),
            func.round(func.avg(right), 2),
            func.sum(distance * distance),
        )
        .where(first.c.confidence.is_not(None), first.c.is_correct.is_not(None))
        .group_by("bin")
        .order_by("bin")
    ).all()
    bins = tuple(
        CalibrationBin(*BINS[n], predictions, sure, share)
        for n, predictions, sure, share, _ in rows
    )
    counted = sum(one.predictions for one in bins)
    brier = sum(row[-1] for row in rows) / counted if counted else None
    return Calibration(counted, None if brier is None else round(brier, 4), bins)


def open_misconceptions(session: Session, user_id: UUID, track_id: UUID) -> list[OpenMisconception]:
    """Return what the last attempt at each exercise showed, in the track's order.

    In one statement; a misconception that several checks of an attempt found is there once.
    """
    last = _last_attempts(user_id).subquery()
    now = (
        select(last.c.lesson_id, CheckResult.misconception)
        .join(last, last.c.id == CheckResult.attempt_id)
        .where(CheckResult.misconception.is_not(None))
        .distinct()
        .subquery()
    )
    rows = session.execute(
        select(
            Lesson.slug,
            now.c.misconception,
            func.count(func.distinct(ExerciseAttempt.id)),
            func.min(ExerciseAttempt.attempted_at),
        )
        .join(now, now.c.lesson_id == Lesson.id)
        .join(
            ExerciseAttempt,
            and_(ExerciseAttempt.lesson_id == Lesson.id, ExerciseAttempt.user_id == user_id),
        )
        .join(
            CheckResult,
            and_(
                CheckResult.attempt_id == ExerciseAttempt.id,
                CheckResult.misconception == now.c.misconception,
            ),
        )
        .where(Lesson.track_id == track_id)
        .group_by(Lesson.id, now.c.misconception)
        .order_by(Lesson.position, now.c.misconception)
    )
    return [OpenMisconception(*row) for row in rows.all()]


def _attempts(user_id: UUID) -> Select[UUID, int, Sequence[Any]]:
    """One row for each lesson: how many attempts, and the score of each."""
    score = func.trunc(100 * ExerciseAttempt.earned / func.nullif(ExerciseAttempt.points, 0), 2)
    in_order = aggregate_order_by(
        func.coalesce(score, 100), ExerciseAttempt.attempted_at, ExerciseAttempt.id
    )
    return (
        select(
            ExerciseAttempt.lesson_id,
            func.count().label("attempts"),
            func.array_agg(in_order).label("scores"),
        )
        .where(ExerciseAttempt.user_id == user_id)
        .group_by(ExerciseAttempt.lesson_id)
    )


def _last_attempts(user_id: UUID) -> Select[UUID, UUID, Decimal, Decimal, datetime]:
    """One row for each lesson: its last attempt."""
    return (
        select(
            ExerciseAttempt.id,
            ExerciseAttempt.lesson_id,
            ExerciseAttempt.earned,
            ExerciseAttempt.points,
            ExerciseAttempt.attempted_at,
        )
        .where(ExerciseAttempt.user_id == user_id)
        .ext(distinct_on(ExerciseAttempt.lesson_id))
        .order_by(
            ExerciseAttempt.lesson_id,
            ExerciseAttempt.attempted_at.desc(),
            ExerciseAttempt.id.desc(),
        )
    )


def _count(
    model: type[HintTaken | Prediction], user_id: UUID, what: ColumnElement[Any] | None = None
) -> Select[UUID, int]:
    """One row for each lesson: how many there are."""
    counted = func.count() if what is None else func.count(what)
    return (
        select(model.lesson_id, counted.label("rows"))
        .where(model.user_id == user_id)
        .group_by(model.lesson_id)
    )

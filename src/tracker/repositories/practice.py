"""Attempts at exercises, hints, predictions. They are written once and never changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, select, union_all, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload

from tracker.errors import InvalidData, domain_errors
from tracker.identifiers import uuid7
from tracker.models import (
    AttemptSource,
    Base,
    CheckOutcome,
    CheckResult,
    ExerciseAttempt,
    HintTaken,
    Prediction,
    PredictionKind,
)


@dataclass(frozen=True)
class CheckSeen:
    """What one check found."""

    name: str
    title: str
    points: Decimal
    earned: Decimal
    outcome: CheckOutcome
    misconception: str | None = None


@dataclass(frozen=True)
class AttemptMade:
    """A look at somebody's work on an exercise.

    Whoever notes an event gives it its identifier, so that what is sent twice is written once.
    """

    lesson_id: UUID
    at: datetime
    checks: tuple[CheckSeen, ...]
    seed: int
    kit_version: str
    source: AttemptSource = AttemptSource.CHECK
    work_sha256: str | None = None
    id: UUID = field(default_factory=uuid7)

    @property
    def points(self) -> Decimal:
        return sum((check.points for check in self.checks), Decimal(0))

    @property
    def earned(self) -> Decimal:
        return sum((check.earned for check in self.checks), Decimal(0))


@dataclass(frozen=True)
class RungClimbed:
    """A hint that somebody took; the rungs of a ladder are counted from 1."""

    lesson_id: UUID
    at: datetime
    misconception: str
    rung: int
    id: UUID = field(default_factory=uuid7)


@dataclass(frozen=True)
class PredictionMade:
    """What somebody expected."""

    lesson_id: UUID
    at: datetime
    question: str
    kind: PredictionKind
    answer: str
    confidence: int | None = None  # percent
    is_correct: bool | None = None
    id: UUID = field(default_factory=uuid7)


def add_attempts(session: Session, user_id: UUID, attempts: Sequence[AttemptMade]) -> set[UUID]:
    """Write attempts with their checks, in two statements whatever their number.

    Returns:
        The identifiers of those that were not there before.

    Raises:
        InvalidData: an attempt has no check, or a value breaks a rule.
        MissingReference: there is no such user or lesson.
    """
    if empty := [attempt for attempt in attempts if not attempt.checks]:
        raise InvalidData(f"The attempt {empty[0].id} has no checks.")
    new = _insert(
        session,
        ExerciseAttempt,
        [
            {
                "id": attempt.id,
                "source": attempt.source,
                "attempted_at": attempt.at,
                "earned": attempt.earned,
                "points": attempt.points,
                "work_sha256": attempt.work_sha256,
                "seed": attempt.seed,
                "kit_version": attempt.kit_version,
                "user_id": user_id,
                "lesson_id": attempt.lesson_id,
            }
            for attempt in attempts
        ],
    )
    checks = [
        {
            "attempt_id": attempt.id,
            "name": check.name,
            "title": check.title,
            "position": position,
            "points": check.points,
            "earned": check.earned,
            "outcome": check.outcome,
            "misconception": check.misconception,
        }
        for attempt in attempts
        if attempt.id in new
        for position, check in enumerate(attempt.checks, start=1)
    ]
    if checks:
        with domain_errors():
            session.execute(insert(CheckResult), checks)
    return new


def add_hints(session: Session, user_id: UUID, rungs: Sequence[RungClimbed]) -> set[UUID]:
    """Write hints, in one statement; a rung that the user has climbed before is left as it is.

    Returns:
        The identifiers of those that were not there before.

    Raises:
        InvalidData: a value breaks a rule.
        MissingReference: there is no such user or lesson.
    """
    rows = [
        {
            "id": rung.id,
            "misconception": rung.misconception,
            "rung": rung.rung,
            "taken_at": rung.at,
            "user_id": user_id,
            "lesson_id": rung.lesson_id,
        }
        for rung in rungs
    ]
    return _insert(session, HintTaken, rows)


def add_predictions(
    session: Session, user_id: UUID, predictions: Sequence[PredictionMade]
) -> set[UUID]:
    """Write predictions, in a constant number of statements.

    Whether one came so may be told later: sent again, it fills that in, once.

    Returns:
        The identifiers of those that were not there before.

    Raises:
        InvalidData: a value breaks a rule.
        MissingReference: there is no such user or lesson.
    """
    rows = [
        {
            "id": made.id,
            "question": made.question,
            "kind": made.kind,
            "answer": made.answer,
            "confidence": made.confidence,
            "is_correct": made.is_correct,
            "predicted_at": made.at,
            "user_id": user_id,
            "lesson_id": made.lesson_id,
        }
        for made in predictions
    ]
    new = _insert(session, Prediction, rows)
    told = [row for row in rows if row["id"] not in new and row["is_correct"] is not None]
    for right in (True, False):
        ids = [row["id"] for row in told if row["is_correct"] is right]
        open_ones = (
            Prediction.user_id == user_id,
            Prediction.id.in_(ids),
            Prediction.is_correct.is_(None),
        )
        if ids:
            session.execute(update(Prediction).where(*open_ones).values(is_correct=right))
    return new


def known(session: Session, user_id: UUID) -> set[UUID]:
    """Return the identifiers of a user's events that are written and settled, in one statement."""
    statements = (
        select(ExerciseAttempt.id).where(ExerciseAttempt.user_id == user_id),
        select(HintTaken.id).where(HintTaken.user_id == user_id),
        select(Prediction.id).where(
            Prediction.user_id == user_id, Prediction.is_correct.is_not(None)
        ),
    )
    return set(session.scalars(union_all(*statements)))


def _insert(session: Session, model: type[Base], rows: list[dict[str, Any]]) -> set[UUID]:
    """Insert the rows that are not there yet, by whatever unique constraint."""
    if not rows:
        return set()
    table = cast("Table", model.__table__)
    # The order of the keys, so that two who write the same rows at once wait and do not deadlock.
    rows = sorted(rows, key=lambda row: row["id"])
    statement = insert(table).on_conflict_do_nothing().returning(table.c.id)
    with domain_errors():
        return set(session.execute(statement, rows).scalars())


def attempts_of(
    session: Session, user_id: UUID, lesson_id: UUID | None = None
) -> Sequence[ExerciseAttempt]:
    """Return the attempts of a user with their checks, in order.

    In two statements, whatever their number.

    Arguments:
        lesson_id: only at this exercise.
    """
    statement = (
        select(ExerciseAttempt)
        .where(ExerciseAttempt.user_id == user_id)
        .order_by(ExerciseAttempt.attempted_at, ExerciseAttempt.id)
        .options(selectinload(ExerciseAttempt.checks))
    )
    if lesson_id is not None:
        statement = statement.where(ExerciseAttempt.lesson_id == lesson_id)
    return session.scalars(statement).all()


def hints_of(session: Session, user_id: UUID, lesson_id: UUID | None = None) -> Sequence[HintTaken]:
    """Return the hints that a user took, in order.

    Arguments:
        lesson_id: only at this exercise.
    """
    statement = (
        select(HintTaken)
        .where(HintTaken.user_id == user_id)
        .order_by(HintTaken.taken_at, HintTaken.id)
    )
    if lesson_id is not None:
        statement = statement.where(HintTaken.lesson_id == lesson_id)
    return session.scalars(statement).all()


def predictions_of(
    session: Session, user_id: UUID, lesson_id: UUID | None = None
) -> Sequence[Prediction]:
    """Return what a user predicted, in order.

    Arguments:
        lesson_id: only in this lesson.
    """
    statement = (
        select(Prediction)
        .where(Prediction.user_id == user_id)
        .order_by(Prediction.predicted_at, Prediction.id)
    )
    if lesson_id is not None:
        statement = statement.where(Prediction.lesson_id == lesson_id)
    return session.scalars(statement).all()

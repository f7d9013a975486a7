"""Rows that should not be there, and rows that disagree with each other.

A foreign key or CHECK that is in force lets no wrong row in. One that was added as NOT VALID, or
that was switched off for a restore, does: PostgreSQL then never looks at the old rows again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Select,
    TableClause,
    and_,
    case,
    column,
    delete,
    exists,
    func,
    inspect,
    literal_column,
    not_,
    or_,
    select,
    table,
    update,
)
from sqlalchemy.orm import Session

from tracker.db import unit_of_work
from tracker.models import (
    Certificate,
    Enrollment,
    EnrollmentStatus,
    Lesson,
    LessonProgress,
    QuizAttempt,
    SectionProgress,
    Track,
    TrackProgress,
)


@dataclass(frozen=True)
class Finding:
    """Some rows of a table that break a rule."""

    table: str
    rule: str
    rows: int


def orphans(connection: Connection) -> list[Finding]:
    """Count the rows whose foreign key points at nothing, for every foreign key there is."""
    found = []
    for key in _foreign_keys(connection):
        count = select(func.count()).select_from(key.child).where(key.points_at_nothing)
        found.append(Finding(key.child.name, key.name, connection.scalar(count) or 0))
    return [finding for finding in found if finding.rows]


def out_of_range(connection: Connection) -> list[Finding]:
    """Count the rows that break a CHECK constraint, for every one there is."""
    inspector = inspect(connection)
    found = []
    for name in inspector.get_table_names():
        for check in inspector.get_check_constraints(name):
            rule: ColumnElement[bool] = literal_column(f"({check['sqltext']})", Boolean)
            count = select(func.count()).select_from(table(name)).where(not_(rule))
            found.append(Finding(name, str(check["name"]), connection.scalar(count) or 0))
    return [finding for finding in found if finding.rows]


def disagreements(session: Session) -> list[Finding]:
    """Count the rows that no constraint forbids, and that still cannot be right."""
    counts = {
        ("lesson_progress", "belongs to an enrollment"): _unenrolled(),
        ("track_progress", "counts the lessons that are completed"): _miscounted(),
        ("enrollments", "has a certificate if completed"): _uncertified(),
        ("tracks", "has a published lesson if published"): _empty(),
    }
    return [
        Finding(name, rule, rows)
        for (name, rule), statement in counts.items()
        if (rows := session.scalar(statement) or 0)
    ]


def clean_up(session: Session) -> dict[str, int]:
    """Mend what can be mended without asking anybody, in one transaction.

    Orphans are deleted, or their reference is emptied, as their foreign key says; scores are
    brought into 0 to 100; what a track's progress counts is counted again.

    Returns:
        How many rows were changed, by what was done to them.
    """
    with unit_of_work(session):
        scored = sum(_rows(session, statement) for statement in _scores_into_range())
        return {
            "orphans removed": _remove_orphans(session.connection()),
            "scores brought into range": scored,
            "progress counted again": _rows(session, _recount()),
        }


def _rows(session: Session, statement: Any) -> int:
    return len(session.execute(statement.returning(literal_column("1"))).all())


@dataclass(frozen=True)
class _ForeignKey:
    name: str
    child: TableClause
    columns: list[str]
    points_at_nothing: ColumnElement[bool]
    sets_null: bool


def _foreign_keys(connection: Connection) -> list[_ForeignKey]:
    inspector = inspect(connection)
    return [
        _foreign_key(name, described)
        for name in inspector.get_table_names()
        for described in inspector.get_foreign_keys(name)
    ]


def _foreign_key(child_name: str, described: Mapping[str, Any]) -> _ForeignKey:
    here, there = described["constrained_columns"], described["referred_columns"]
    child = table(child_name, *map(column, here))
    parent = table(described["referred_table"], *map(column, there)).alias("parent")
    same = and_(*(parent.c[b] == child.c[a] for a, b in zip(here, there, strict=True)))
    # A foreign key of several columns holds if one of them is NULL (MATCH SIMPLE).
    given = and_(*(child.c[name].is_not(None) for name in here))
    parents = exists().select_from(parent).where(same).correlate(child)
    return _ForeignKey(
        described["name"],
        child,
        here,
        and_(given, ~parents),
        described["options"].get("ondelete") == "SET NULL",
    )


def _remove_orphans(connection: Connection) -> int:
    removed = 0
    while True:  # removing a row can make orphans of those that point at it
        before = removed
        for key in _foreign_keys(connection):
            mend: Any = delete(key.child)
            if key.sets_null:
                mend = update(key.child).values(dict.fromkeys(key.columns))
            mended = mend.where(key.points_at_nothing).returning(literal_column("1"))
            removed += len(connection.execute(mended).all())
        if removed == before:
            return removed


def _scores_into_range() -> list[Any]:
    return [
        update(model)
        .where(or_(model.score < 0, model.score > 100))
        .values(score=case((model.score < 0, 0), else_=100))
        for model in (LessonProgress, SectionProgress, QuizAttempt)
    ]


def _completed_lessons() -> ColumnElement[int]:
    return (
        select(func.count())
        .select_from(LessonProgress)
        .join(LessonProgress.lesson)
        .where(
            LessonProgress.user_id == TrackProgress.user_id,
            Lesson.track_id == TrackProgress.track_id,
            LessonProgress.completed,
            Lesson.is_published,
        )
        .correlate(TrackProgress)
        .scalar_subquery()
    )


def _recount() -> Any:
    done = _completed_lessons()
    return (
        update(TrackProgress)
        .where(TrackProgress.completed_lessons != done)
        .values(
            completed_lessons=done,
            total_lessons=func.greatest(TrackProgress.total_lessons, done),
        )
    )


def _miscounted() -> Select[int]:
    return (
        select(func.count())
        .select_from(TrackProgress)
        .where(TrackProgress.completed_lessons != _completed_lessons())
    )


def _unenrolled() -> Select[int]:
    enrolled = exists().where(
        Enrollment.user_id == LessonProgress.user_id, Enrollment.track_id == Lesson.track_id
    )
    return (
        select(func.count())
        .select_from(LessonProgress)
        .join(LessonProgress.lesson)
        .where(~enrolled)
    )


def _uncertified() -> Select[int]:
    certified = exists().where(
        Certificate.user_id == Enrollment.user_id, Certificate.track_id == Enrollment.track_id
    )
    return (
        select(func.count())
        .select_from(Enrollment)
        .where(Enrollment.status == EnrollmentStatus.COMPLETED, ~certified)
    )


def _empty() -> Select[int]:
    readable = exists().where(Lesson.track_id == Track.id, Lesson.is_published)
    return select(func.count()).select_from(Track).where(Track.is_published, ~readable)

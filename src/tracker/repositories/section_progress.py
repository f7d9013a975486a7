"""Progress of users in the sections of lessons."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tracker.errors import InvalidData, domain_errors
from tracker.models import Section, SectionKind, SectionProgress


@dataclass(frozen=True)
class SectionVisit:
    """What a learner has just done in a section."""

    section_id: UUID
    seconds: int = 0
    score: Decimal | None = None  # percent; None: nothing was assessed
    completed: bool = False


@dataclass(frozen=True)
class SectionState:
    """A section of a lesson, and how far the user is with it; all zero if they never opened it."""

    section_id: UUID
    title: str
    kind: SectionKind
    position: int
    is_required: bool
    completed: bool
    completed_at: datetime | None
    time_spent_seconds: int
    score: Decimal | None


def record(
    session: Session, user_id: UUID, visits: Sequence[SectionVisit]
) -> Sequence[SectionProgress]:
    """Record visits to any number of sections, in one statement.

    The first completion sets the date, and what is completed stays so; seconds add up; the best
    score stays.

    Arguments:
        visits: at most one to each section.

    Returns:
        The records, in no particular order.

    Raises:
        InvalidData: a section is there twice, or a value breaks a rule.
        MissingReference: there is no such user or section.
    """
    if not visits:
        return []
    if len({visit.section_id for visit in visits}) < len(visits):
        raise InvalidData("A section was visited twice. Add its visits up first.")
    moment = func.clock_timestamp()
    rows = []
    for visit in visits:
        row = asdict(visit)
        row["time_spent_seconds"] = row.pop("seconds")
        completed_at = moment if visit.completed else None
        rows.append({**row, "user_id": user_id, "completed_at": completed_at})
    new = insert(SectionProgress).values(rows)
    old, given = SectionProgress, new.excluded
    statement = new.on_conflict_do_update(
        index_elements=["user_id", "section_id"],
        set_={
            "completed": or_(old.completed, given.completed),
            "completed_at": func.coalesce(old.completed_at, given.completed_at),
            "time_spent_seconds": old.time_spent_seconds + given.time_spent_seconds,
            "score": func.greatest(old.score, given.score),  # ignores NULLs
            "last_accessed_at": moment,
        },
    )
    with domain_errors():
        return session.scalars(
            statement.returning(SectionProgress), execution_options={"populate_existing": True}
        ).all()


def of_lesson(
    session: Session, user_id: UUID, lesson_id: UUID, *, only_required: bool = False
) -> Sequence[SectionState]:
    """Return every section of a lesson in order with the user's progress, in one statement."""
    statement = (
        select(
            Section.id,
            Section.title,
            Section.kind,
            Section.position,
            Section.is_required,
            func.coalesce(SectionProgress.completed, False),
            SectionProgress.completed_at,
            func.coalesce(SectionProgress.time_spent_seconds, 0),
            SectionProgress.score,
        )
        # In ON, not in WHERE, which would drop the sections that the user never opened.
        .outerjoin(
            SectionProgress,
            and_(SectionProgress.section_id == Section.id, SectionProgress.user_id == user_id),
        )
        .where(Section.lesson_id == lesson_id)
        .order_by(Section.position)
    )
    if only_required:
        statement = statement.where(Section.is_required)
    return [SectionState(*row) for row in session.execute(statement)]


def required_left(session: Session, user_id: UUID, lesson_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Count, for each lesson, the required sections that the user has not completed.

    In one statement whatever the number of lessons; a lesson without such sections counts 0.
    """
    is_open = and_(Section.is_required, SectionProgress.completed.is_not(True))
    rows = session.execute(
        select(Section.lesson_id, func.count(case((is_open, 1))))
        .outerjoin(
            SectionProgress,
            and_(SectionProgress.section_id == Section.id, SectionProgress.user_id == user_id),
        )
        .where(Section.lesson_id.in_(lesson_ids))
        .group_by(Section.lesson_id)
    )
    return dict.fromkeys(lesson_ids, 0) | dict(rows.all())

"""Materialized views: answers that are kept until somebody refreshes them.

Each has one row for each track, day or learner, and holds figures only. Names and titles are joined
when it is read, so what was renamed or erased is so at once, and not at the next refresh. For the
same reason none of them says "active in the last week": that changes while nobody writes anything.

A unique index over all rows is what `REFRESH MATERIALIZED VIEW CONCURRENTLY` needs, which lets
others read the view while it is computed anew.

Source: PostgreSQL manual, REFRESH MATERIALIZED VIEW.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Connection,
    Date,
    Index,
    MetaData,
    Numeric,
    Select,
    String,
    Subquery,
    Table,
    cast,
    event,
    extract,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import CreateView

from tracker.models.accounts import Role, User
from tracker.models.base import Base
from tracker.models.catalog import Track
from tracker.models.content import Lesson
from tracker.models.learning import Enrollment, EnrollmentStatus, LessonProgress, TrackProgress

_is_completed = Enrollment.status == EnrollmentStatus.COMPLETED
_hours = extract("epoch", Enrollment.completed_at - Enrollment.enrolled_at) / Decimal(3600)

# An enrollment has at most one progress record, so no join here gives an enrollment twice.
TRACK_COMPLETION = (
    select(
        Track.id.label("track_id"),
        func.count(Enrollment.id).label("enrollments"),
        func.count().filter(_is_completed).label("completions"),
        # Without enrollments there is no rate: NULL, not 0.
        func.round(
            100 * func.count().filter(_is_completed) / func.nullif(func.count(Enrollment.id), 0),
            2,
            type_=Numeric(5, 2),
        ).label("completion_rate"),
        func.round(func.avg(TrackProgress.percent), 2, type_=Numeric(5, 2)).label(
            "average_percent"
        ),
        func.round(func.avg(_hours).filter(_is_completed), 2, type_=Numeric).label(
            "average_hours_to_complete"
        ),
    )
    .select_from(Track)
    .outerjoin(Enrollment, Enrollment.track_id == Track.id)
    .outerjoin(Enrollment.progress)
    .group_by(Track.id)
)

# Counted by the day of completion, which never changes. The day of the last visit would: a learner
# who comes back today would be gone from yesterday.
_day = cast(func.timezone("UTC", LessonProgress.completed_at), Date)
LEARNING_DAYS = (
    select(
        _day.label("day"),
        func.count(LessonProgress.user_id.distinct()).label("learners"),
        func.count().label("lessons_completed"),
        func.count(Lesson.track_id.distinct()).label("tracks"),
        func.round(func.avg(LessonProgress.time_spent_minutes), 2, type_=Numeric).label(
            "average_minutes"
        ),
        func.round(func.avg(LessonProgress.score), 2, type_=Numeric(5, 2)).label("average_score"),
    )
    .select_from(LessonProgress)
    .join(LessonProgress.lesson)
    .where(LessonProgress.completed)
    .group_by(_day)
)


def _enrollments_by_user() -> Subquery:
    return (
        select(
            Enrollment.user_id,
            func.count().label("tracks_enrolled"),
            func.count().filter(_is_completed).label("tracks_completed"),
            func.max(TrackProgress.last_accessed_at).label("last_active_at"),
        )
        .outerjoin(Enrollment.progress)
        .group_by(Enrollment.user_id)
        .subquery("enrolled")
    )


def _lessons_by_user() -> Subquery:
    return (
        select(
            LessonProgress.user_id,
            func.count().filter(LessonProgress.completed).label("lessons_completed"),
            func.sum(LessonProgress.time_spent_minutes).label("minutes_spent"),
            func.round(func.avg(LessonProgress.score), 2, type_=Numeric(5, 2)).label(
                "average_score"
            ),
        )
        .group_by(LessonProgress.user_id)
        .subquery("learned")
    )


# Enrollments and lessons are summed up by user first and joined then. Joined first, every
# enrollment would count once for every lesson, and every lesson once for every enrollment.
_enrolled, _learned = _enrollments_by_user(), _lessons_by_user()
LEARNER_ENGAGEMENT = (
    select(
        User.id.label("user_id"),
        func.coalesce(_enrolled.c.tracks_enrolled, 0).label("tracks_enrolled"),
        func.coalesce(_enrolled.c.tracks_completed, 0).label("tracks_completed"),
        func.coalesce(_learned.c.lessons_completed, 0).label("lessons_completed"),
        func.coalesce(_learned.c.minutes_spent, 0).label("minutes_spent"),
        _learned.c.average_score,
        _enrolled.c.last_active_at,
    )
    .select_from(User)
    .outerjoin(_enrolled, _enrolled.c.user_id == User.id)
    .outerjoin(_learned, _learned.c.user_id == User.id)
    .where(User.role == Role.STUDENT)
)


def _materialized(name: str, definition: Select[*tuple[Any, ...]], key: str) -> Table:
    view = CreateView(definition, name, metadata=Base.metadata, materialized=True).table
    Index(None, view.c[key], unique=True)
    return view


# How many began a track, how many completed it, and how long that took.
track_completion = _materialized("track_completion", TRACK_COMPLETION, "track_id")
# What was completed on a day, in UTC; a day on which nothing was has no row.
learning_days = _materialized("learning_days", LEARNING_DAYS, "day")
# What a learner has done in all, and when they were last seen.
learner_engagement = _materialized("learner_engagement", LEARNER_ENGAGEMENT, "user_id")
# analytics.learners.engagement(): who was seen last; those who never were come at the end
Index(
    "ix_learner_engagement_last_active_at",
    learner_engagement.c.last_active_at.desc().nulls_last(),
)


class ViewRefresh(Base):
    """When a view was last refreshed: it holds all that was committed by then."""

    __tablename__ = "view_refreshes"

    view_name: Mapped[str] = mapped_column(String(63), primary_key=True)
    refreshed_at: Mapped[datetime]


CREATE_REFRESH_ANALYTICS = """
CREATE OR REPLACE FUNCTION refresh_analytics() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    view_name text;
    moment timestamptz;
BEGIN
    FOREACH view_name IN ARRAY ARRAY['track_completion', 'learning_days', 'learner_engagement'] LOOP
        moment := clock_timestamp();
        EXECUTE format('REFRESH MATERIALIZED VIEW CONCURRENTLY %I', view_name);
        INSERT INTO view_refreshes AS r (view_name, refreshed_at) VALUES (view_name, moment)
            ON CONFLICT ON CONSTRAINT pk_view_refreshes DO UPDATE SET refreshed_at = moment;
    END LOOP;
END
$$
"""


@event.listens_for(Base.metadata, "after_create")
def _create_refresh(_metadata: MetaData, connection: Connection, **_: Any) -> None:
    connection.execute(text(CREATE_REFRESH_ANALYTICS))

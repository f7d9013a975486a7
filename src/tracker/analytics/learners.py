"""Figures about learners. One row stands for one learner, or for one learner in one track."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, select, true
from sqlalchemy.orm import Session

from tracker.models import (
    Enrollment,
    EnrollmentStatus,
    LessonProgress,
    SectionProgress,
    Track,
    TrackProgress,
    User,
    views,
)
from tracker.repositories.pages import Page, paged, total_of

ACTIVE_WITHIN = timedelta(days=7)
INACTIVE_WITHIN = timedelta(days=30)


class Engagement(enum.StrEnum):
    """How lately a learner was seen."""

    ACTIVE = "active"  # in the last 7 days
    INACTIVE = "inactive"  # in the last 30 days
    DORMANT = "dormant"  # longer ago, or never


@dataclass(frozen=True)
class UserProgress:
    """What a user has done in all lessons together."""

    total_lessons: int
    completed_lessons: int
    minutes_spent: int
    average_score: Decimal | None  # percent; None: nothing was assessed


@dataclass(frozen=True)
class LearningSummary:
    """What a user has done since some moment."""

    tracks_enrolled: int
    tracks_completed: int
    average_percent: Decimal | None
    lessons_completed: int
    minutes_spent: int
    average_score: Decimal | None
    sections_completed: int


@dataclass(frozen=True)
class EngagedLearner:
    """A learner with what they have done in all."""

    user_id: UUID
    username: str
    engagement: Engagement
    tracks_enrolled: int
    tracks_completed: int
    lessons_completed: int
    minutes_spent: int
    average_score: Decimal | None
    last_active_at: datetime | None


@dataclass(frozen=True)
class UnfinishedTrack:
    """A learner who has not come back to a track that they began."""

    user_id: UUID
    username: str
    track_id: UUID
    title: str
    percent: int
    last_accessed_at: datetime


def user_progress(session: Session, user_id: UUID) -> UserProgress:
    """Return what a user has done, in one statement; all zero for one who has done nothing."""
    row = session.execute(
        select(
            func.count(),
            func.count().filter(LessonProgress.completed),
            func.coalesce(func.sum(LessonProgress.time_spent_minutes), 0),
            func.round(func.avg(LessonProgress.score), 2),
        ).where(LessonProgress.user_id == user_id)
    ).one()
    return UserProgress(*row)


def learning_summary(session: Session, user_id: UUID, since: datetime) -> LearningSummary:
    """Return what a user has done since a moment, in one statement.

    Tracks, lessons and sections are summed up apart, each in a row of its own, and the three rows
    are put side by side. Joined by user before they are summed up, 2 tracks, 10 lessons and 30
    sections would be 600 rows, and every sum and count many times too large.

    Arguments:
        since: only what the user opened or completed at this moment or later.
    """
    tracks = _tracks_since(user_id, since).subquery()
    lessons = _lessons_since(user_id, since).subquery()
    sections = (
        select(func.count().filter(SectionProgress.completed).label("completed"))
        .where(SectionProgress.user_id == user_id, SectionProgress.last_accessed_at >= since)
        .subquery()
    )
    side_by_side = tracks.join(lessons, true()).join(sections, true())
    row = session.execute(select(*tracks.c, *lessons.c, *sections.c).select_from(side_by_side))
    return LearningSummary(*row.one())


def _tracks_since(user_id: UUID, since: datetime) -> Select[*tuple[Any, ...]]:
    return select(
        func.count().label("enrolled"),
        func.count(TrackProgress.completed_at).label("completed"),
        func.round(func.avg(TrackProgress.percent), 2).label("percent"),
    ).where(TrackProgress.user_id == user_id, TrackProgress.last_accessed_at >= since)


def _lessons_since(user_id: UUID, since: datetime) -> Select[*tuple[Any, ...]]:
    return select(
        func.count().filter(LessonProgress.completed).label("completed"),
        func.coalesce(func.sum(LessonProgress.time_spent_minutes), 0).label("minutes"),
        func.round(func.avg(LessonProgress.score), 2).label("score"),
    ).where(LessonProgress.user_id == user_id, LessonProgress.last_accessed_at >= since)


def engagement(
    session: Session,
    *,
    only: Engagement | None = None,
    page: int = 1,
    limit: int = 10,
) -> Page[EngagedLearner]:
    """Read from its view what learners have done, who was seen last first.

    Figures are as old as the view. Who is active and who is not is decided now: a learner does not
    stay active because nobody refreshed the view.

    Arguments:
        only: only learners who are this engaged.
        page: counted from 1.
        limit: learners on a page, at most 100.
    """
    level = _engagement()
    statement = select(
        User.id,
        User.username,
        level,
        views.learner_engagement.c.tracks_enrolled,
        views.learner_engagement.c.tracks_completed,
        views.learner_engagement.c.lessons_completed,
        views.learner_engagement.c.minutes_spent,
        views.learner_engagement.c.average_score,
        views.learner_engagement.c.last_active_at,
    ).join(User, User.id == views.learner_engagement.c.user_id)
    if only is not None:
        statement = statement.where(level == only)
    last_first = statement.order_by(
        views.learner_engagement.c.last_active_at.desc().nulls_last(), User.id.desc()
    )
    rows = session.execute(paged(last_first, page, limit)).all()
    items = [
        EngagedLearner(user_id, username, Engagement(name), *figures)
        for user_id, username, name, *figures in rows
    ]
    return Page(items, page, limit, total_of(session, statement))


def _engagement() -> ColumnElement[str]:
    seen = views.learner_engagement.c.last_active_at
    return case(
        (seen >= func.now() - ACTIVE_WITHIN, Engagement.ACTIVE.value),
        (seen >= func.now() - INACTIVE_WITHIN, Engagement.INACTIVE.value),
        else_=Engagement.DORMANT.value,
    ).label("engagement")


def inactive_learners(
    session: Session, idle_for: timedelta, *, page: int = 1, limit: int = 10
) -> Page[UnfinishedTrack]:
    """List who has left a track unfinished for longer than this, the longest first.

    One row stands for one learner in one track: who left two tracks is there twice. Ended
    enrollments are left out, and so are people whose account is not active.

    Arguments:
        idle_for: time since the track was last opened.
        page: counted from 1.
        limit: rows on a page, at most 100.
    """
    statement = (
        select(
            User.id,
            User.username,
            Track.id,
            Track.title,
            TrackProgress.percent,
            TrackProgress.last_accessed_at,
        )
        .join(TrackProgress.enrollment)
        .join(Enrollment.user)
        .join(Enrollment.track)
        .where(
            TrackProgress.completed_at.is_(None),
            TrackProgress.last_accessed_at < func.now() - idle_for,
            Enrollment.status == EnrollmentStatus.ACTIVE,
            User.is_active,
        )
    )
    longest_first = statement.order_by(TrackProgress.last_accessed_at, TrackProgress.id)
    rows = session.execute(paged(longest_first, page, limit)).all()
    return Page([UnfinishedTrack(*row) for row in rows], page, limit, total_of(session, statement))

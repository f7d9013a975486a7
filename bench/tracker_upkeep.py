"""What the maintenance report says of our own indexes after the tracker's own queries.

    python bench/tracker_upkeep.py [--rounds N] [--users N --tracks N]

Seeds the large demo data, lets the tracker do what it does (pages, searches, dashboards, figures,
sign-ins, payments, deletions), and prints which indexes are unused, redundant, missing or broken.
Only with the large size does the report mean anything: a small table is read whole, whatever
indexes it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, delete, select, text, update
from sqlalchemy.orm import Session
from tracker_seeding import durable_scratch, read_options

from tracker import migrations, search
from tracker.analytics import learners, trends
from tracker.analytics import tracks as figures
from tracker.db import connected
from tracker.maintenance import indexes
from tracker.models import (
    Difficulty,
    Enrollment,
    EnrollmentStatus,
    Lesson,
    LessonProgress,
    Module,
    Organization,
    Payment,
    Quiz,
    Role,
    Section,
    TokenPurpose,
    Track,
    User,
)
from tracker.repositories import (
    certificates,
    content,
    enrollments,
    payments,
    progress,
    sign_in,
    tracks,
    users,
)
from tracker.seeding import seed
from tracker.seeding.rows import UNTIL
from tracker.services import learning


def main() -> None:
    size, options = read_options(__doc__, rounds=20)
    with durable_scratch() as scratch:
        database = scratch.clone("template0")
        migrations.upgrade(database.url)
        with connected(database.url) as sessions:
            with sessions() as session:
                seed(session, 1, size)
                asked = pick(session, options.rounds)
                session.execute(text("SELECT pg_stat_reset()"))  # none of that was a use
                session.commit()
            with sessions() as session:
                for page, picked in enumerate(asked, start=1):
                    read(session, picked, page)
                    write(session, picked)
                session.execute(text("SELECT pg_stat_force_next_flush()"))
                session.commit()
            with sessions() as session:
                report(session)
        database.drop()


@dataclass(frozen=True)
class Picked:
    """Whom and what one round asks about."""

    learner: UUID
    payer: UUID
    track: UUID
    lesson: UUID
    author: UUID
    open_lesson: tuple[UUID, UUID]  # the learner's, and the lesson's


def pick(session: Session, rounds: int) -> list[Picked]:
    """Pick others for every round; a few tracks and authors may come again."""
    some = [
        session.scalars(select(column).limit(rounds)).all()
        for column in (Enrollment.user_id, Payment.user_id, Track.id, Lesson.id, Track.author_id)
    ]
    open_lessons = (
        select(LessonProgress.user_id, LessonProgress.lesson_id)
        .join(LessonProgress.lesson)
        .join(
            Enrollment,
            and_(
                Enrollment.user_id == LessonProgress.user_id,
                Enrollment.track_id == Lesson.track_id,
            ),
        )
        .where(Enrollment.status == EnrollmentStatus.ACTIVE, ~LessonProgress.completed)
        .limit(rounds)
    )
    pairs = [(row.user_id, row.lesson_id) for row in session.execute(open_lessons)]
    return [Picked(*ids) for ids in zip(*some, pairs, strict=True)]


def read(session: Session, picked: Picked, page: int) -> None:
    """Ask all that pages, dashboards and reports ask."""
    tracks.find(session, page=page)
    tracks.find_after(session)
    tracks.find(session, is_featured=True)
    tracks.find(session, difficulty=Difficulty.EXPERT, is_published=False)
    tracks.find(session, tag="kurtosis")
    tracks.find(session, author_id=picked.author)
    tracks.get(session, picked.track)
    content.read_track(session, picked.track)
    search.find_tracks(session, "kurtosis")
    search.find_lessons(session, "kurtosis")
    users.find(session, page=page)
    users.find(session, is_active=False, role=Role.INSTRUCTOR)
    users.get_detail(session, picked.learner)
    enrollments.of_user(session, picked.learner)
    enrollments.seats_taken(session, picked.track)
    progress.of_user(session, picked.learner)
    progress.get(session, picked.learner, picked.lesson)
    certificates.of_user(session, picked.learner)
    payments.of_user(session, picked.payer)
    payments.pending_longer_than(session, timedelta(days=1))
    learners.user_progress(session, picked.learner)
    learners.learning_summary(session, picked.learner, UNTIL - timedelta(days=60))
    learners.engagement(session)
    learners.inactive_learners(session, timedelta(days=400))
    figures.completion_of(session, picked.track)
    trends.learning_days(session)
    trends.revenue_by_month(session, since=UNTIL - timedelta(days=60))
    session.rollback()


def write(session: Session, picked: Picked) -> None:
    """Sign in, learn, clean up; then delete one of each kind of row that others refer to."""
    sign_in.open_session(session, picked.learner, timedelta(hours=1))
    sign_in.issue_token(session, picked.learner, TokenPurpose.RESET_PASSWORD, timedelta(hours=1))
    sign_in.close_all_sessions(session, picked.learner)
    sign_in.remove_expired(session)
    session.commit()
    learning.expire_enrollments(session)
    learning.complete_lesson(session, *picked.open_lesson)
    content.add_section(session, picked.lesson, "To delete", "…")
    for model in (Section, Lesson, Module, Quiz, Track, User, Organization):
        first = select(model.id).order_by(model.id.desc()).limit(1).scalar_subquery()
        if model is Organization:  # not while it has members
            session.execute(update(User).where(User.organization_id == first).values(NO_BRANCH))
        session.execute(delete(model).where(model.id == first))
    session.commit()


NO_BRANCH = {"organization_id": None}


def report(session: Session) -> None:
    connection = session.connection()
    for title, found in (
        ("unused", indexes.unused(connection)),
        ("redundant", indexes.redundant(connection)),
        ("missing", indexes.missing(connection)),
        ("never finished", indexes.invalid(connection)),
    ):
        print(f"{title}: {len(found) or 'none'}")
        for finding in found:
            print(f"  {finding.table} {finding.index or ''}: {finding.reason}")


if __name__ == "__main__":
    main()

"""The store that stays: PostgreSQL, through the repositories and services."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tracker.analytics import learners
from tracker.analytics import tracks as track_analytics
from tracker.analytics.learners import UserProgress
from tracker.analytics.tracks import Completion, PopularTrack
from tracker.db import confine, make_sessions, unit_of_work
from tracker.errors import NotFound
from tracker.health import Health, check_health
from tracker.models import EnrollmentStatus, Track
from tracker.repositories import certificates, enrollments, lessons, payments, tracks, users
from tracker.repositories.pages import Page, Position
from tracker.repositories.tracks import TrackChanges, TrackSummary
from tracker.repositories.users import UserChanges, UserDetail, UserSummary
from tracker.services import accounts, catalog, learning
from tracker.services import payments as paying
from tracker.services.catalog import LessonDraft, TrackDraft
from tracker.services.retry import retrying
from tracker.stores.store import (
    CertificateSummary,
    EnrollmentSummary,
    LessonDetail,
    LessonOutcome,
    PaymentSummary,
    Registration,
    TrackDetail,
    TrackQuery,
    UserQuery,
)
from tracker.stores.summaries import (
    certificate_summary,
    enrollment_summary,
    lesson_detail,
    payment_summary,
    track_detail,
)


class PostgresStore:
    """A `Store` on the tracker's database. Every method is a transaction of its own.

    Arguments:
        engine: the application's one engine, whose pool all requests share.
        organization_id: the store has the rows of this organization and no others, and what is
            made in it belongs to the organization. None: the rows of all.
    """

    def __init__(self, engine: Engine, organization_id: UUID | None = None) -> None:
        self.engine = engine
        self.organization_id = organization_id
        self._make_session = make_sessions(engine)

    def _session(self) -> Session:
        session = self._make_session()
        if self.organization_id is not None:
            confine(session, self.organization_id)
        return session

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with self._session() as session, unit_of_work(session):
            yield session

    def health(self) -> Health:
        return check_health(self.engine)

    # Users

    def register(self, registration: Registration) -> UserSummary:
        with self._session() as session:
            return accounts.register(
                session, **asdict(registration), organization_id=self.organization_id
            )

    def user(self, user_id: UUID) -> UserDetail:
        with self._transaction() as session:
            return users.get_detail(session, user_id)

    def users(self, query: UserQuery) -> Page[UserSummary]:
        with self._transaction() as session:
            return users.find(session, **asdict(query))

    def change_user(self, user_id: UUID, changes: UserChanges) -> UserSummary:
        with self._transaction() as session:
            return users.update_fields(session, user_id, changes)

    def deactivate_user(self, user_id: UUID) -> None:
        with self._transaction() as session:
            users.deactivate(session, user_id)

    def remove_user(self, user_id: UUID) -> None:
        with self._transaction() as session:
            users.remove(session, user_id)

    # Tracks

    def create_track(
        self, author_id: UUID, draft: TrackDraft, lessons: Sequence[LessonDraft]
    ) -> TrackDetail:
        draft = replace(draft, organization_id=self.organization_id or draft.organization_id)
        with self._session() as session:
            return track_detail(
                catalog.create_track_with_lessons(session, author_id, draft, lessons)
            )

    def track(self, track_id: UUID) -> TrackDetail:
        with self._transaction() as session:
            return track_detail(tracks.get(session, track_id))

    def tracks(self, query: TrackQuery) -> Page[TrackSummary]:
        with self._transaction() as session:
            return tracks.find(session, **asdict(query))

    def tracks_after(self, track_id: UUID | None, *, limit: int = 20) -> Sequence[TrackSummary]:
        with self._transaction() as session:
            position = None
            if track_id is not None:
                last = session.get(Track, track_id)
                if last is None:
                    raise NotFound("track", track_id)
                position = Position(last.created_at, last.id)
            return tracks.find_after(session, position, limit=limit).items

    def change_track(self, track_id: UUID, changes: TrackChanges) -> TrackDetail:
        with self._transaction() as session:
            tracks.update_fields(session, track_id, changes)
            return track_detail(tracks.get(session, track_id))

    def publish_track(self, track_id: UUID) -> TrackDetail:
        with self._session() as session:
            return track_detail(catalog.publish_track(session, track_id))

    def withdraw_track(self, track_id: UUID) -> TrackDetail:
        with self._session() as session:
            return track_detail(catalog.withdraw_track(session, track_id))

    def remove_track(self, track_id: UUID) -> None:
        with self._transaction() as session:
            tracks.remove(session, track_id)

    def lesson(self, lesson_id: UUID) -> LessonDetail:
        with self._transaction() as session:
            return lesson_detail(lessons.get(session, lesson_id))

    # Learning

    def enroll(self, user_id: UUID, track_id: UUID) -> EnrollmentSummary:
        with self._session() as session:
            return enrollment_summary(retrying(lambda: learning.enroll(session, user_id, track_id)))

    def enrollments(
        self, user_id: UUID, *, status: EnrollmentStatus | None = None
    ) -> Sequence[EnrollmentSummary]:
        with self._transaction() as session:
            users.get(session, user_id)
            return [
                enrollment_summary(one)
                for one in enrollments.of_user(session, user_id, status=status)
            ]

    def cancel_enrollment(self, user_id: UUID, track_id: UUID) -> EnrollmentSummary:
        with self._session() as session:
            return enrollment_summary(learning.cancel_enrollment(session, user_id, track_id))

    def complete_lesson(
        self, user_id: UUID, lesson_id: UUID, *, minutes: int = 0, score: Decimal | None = None
    ) -> LessonOutcome:
        with self._session() as session:
            done = retrying(
                lambda: learning.complete_lesson(
                    session, user_id, lesson_id, minutes=minutes, score=score
                )
            )
        assert done.lesson.completed_at is not None  # the database requires it of what is completed
        return LessonOutcome(
            lesson_id=lesson_id,
            completed_at=done.lesson.completed_at,
            time_spent_minutes=done.lesson.time_spent_minutes,
            score=done.lesson.score,
            track_id=done.track.track_id,
            completed_lessons=done.track.completed_lessons,
            total_lessons=done.track.total_lessons,
            percent=done.track.percent,
            certificate=done.certificate.number if done.certificate else None,
        )

    def certificates(self, user_id: UUID) -> Sequence[CertificateSummary]:
        with self._transaction() as session:
            users.get(session, user_id)
            return [certificate_summary(one) for one in certificates.of_user(session, user_id)]

    def certificate(self, number: str) -> CertificateSummary:
        with self._transaction() as session:
            found = certificates.find_by_number(session, number)
            if found is None:
                raise NotFound("certificate", number)
            return certificate_summary(found)

    # Paying

    def take_payment(
        self, provider: str, provider_payment_id: str, *, user_id: UUID, track_id: UUID
    ) -> PaymentSummary:
        with self._session() as session:
            return payment_summary(
                paying.take_payment(
                    session,
                    user_id=user_id,
                    track_id=track_id,
                    provider=provider,
                    provider_payment_id=provider_payment_id,
                )
            )

    def complete_payment(self, provider: str, provider_payment_id: str) -> PaymentSummary:
        with self._session() as session:
            return payment_summary(paying.complete_payment(session, provider, provider_payment_id))

    def fail_payment(self, provider: str, provider_payment_id: str, reason: str) -> PaymentSummary:
        with self._session() as session:
            return payment_summary(
                paying.fail_payment(session, provider, provider_payment_id, reason)
            )

    def refund_payment(self, provider: str, provider_payment_id: str) -> PaymentSummary:
        with self._session() as session:
            return payment_summary(paying.refund_payment(session, provider, provider_payment_id))

    def payment(self, provider: str, provider_payment_id: str) -> PaymentSummary:
        with self._transaction() as session:
            found = payments.find(session, provider, provider_payment_id)
            if found is None:
                raise NotFound(f"payment of {provider}", provider_payment_id)
            return payment_summary(found)

    def payments(self, user_id: UUID) -> Sequence[PaymentSummary]:
        with self._transaction() as session:
            users.get(session, user_id)
            return [payment_summary(one) for one in payments.of_user(session, user_id)]

    # Figures

    def user_progress(self, user_id: UUID) -> UserProgress:
        with self._transaction() as session:
            users.get(session, user_id)
            return learners.user_progress(session, user_id)

    def completion(self, track_id: UUID) -> Completion:
        with self._transaction() as session:
            return track_analytics.completion_of(session, track_id)

    def popular_tracks(self, *, limit: int = 10) -> Sequence[PopularTrack]:
        with self._transaction() as session:
            return track_analytics.popular_tracks(session, limit=limit)

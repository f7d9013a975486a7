"""The store that stays: PostgreSQL, through the repositories and services."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tracker.analytics import learners
from tracker.analytics import tracks as track_analytics
from tracker.analytics.learners import UserProgress
from tracker.analytics.tracks import Completion, PopularTrack
from tracker.db import make_sessions, unit_of_work
from tracker.errors import NotFound
from tracker.health import Health, check_health
from tracker.models import Certificate, Difficulty, Enrollment, EnrollmentStatus, Role, Track
from tracker.repositories import certificates, enrollments, lessons, tracks, users
from tracker.repositories.pages import Page, Position
from tracker.repositories.tracks import TrackChanges, TrackSummary
from tracker.repositories.users import UserChanges, UserDetail, UserSummary
from tracker.services import accounts, catalog, learning
from tracker.services.catalog import LessonDraft, TrackDraft
from tracker.services.retry import retrying
from tracker.stores.store import (
    CertificateSummary,
    EnrollmentSummary,
    LessonDetail,
    LessonOutcome,
    LessonSummary,
    Registration,
    TrackDetail,
)


class PostgresStore:
    """A `Store` on the tracker's database. Every method is a transaction of its own.

    Arguments:
        engine: the application's one engine, whose pool all requests share.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._sessions = make_sessions(engine)

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with self._sessions() as session, unit_of_work(session):
            yield session

    def health(self) -> Health:
        return check_health(self.engine)

    # Users

    def register(self, registration: Registration) -> UserSummary:
        with self._sessions() as session:
            return accounts.register(session, **asdict(registration))

    def user(self, user_id: UUID) -> UserDetail:
        with self._transaction() as session:
            return users.get_detail(session, user_id)

    def users(
        self,
        *,
        search: str | None = None,
        role: Role | None = None,
        is_active: bool | None = True,
        page: int = 1,
        limit: int = 10,
    ) -> Page[UserSummary]:
        with self._transaction() as session:
            return users.find(
                session, search=search, role=role, is_active=is_active, page=page, limit=limit
            )

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
        with self._sessions() as session:
            return _track(catalog.create_track_with_lessons(session, author_id, draft, lessons))

    def track(self, track_id: UUID) -> TrackDetail:
        with self._transaction() as session:
            return _track(tracks.get(session, track_id))

    def tracks(
        self,
        *,
        search: str | None = None,
        difficulty: Difficulty | None = None,
        tag: str | None = None,
        author_id: UUID | None = None,
        is_published: bool | None = True,
        page: int = 1,
        limit: int = 10,
    ) -> Page[TrackSummary]:
        with self._transaction() as session:
            return tracks.find(
                session,
                search=search,
                difficulty=difficulty,
                tag=tag,
                author_id=author_id,
                is_published=is_published,
                page=page,
                limit=limit,
            )

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
            return _track(tracks.get(session, track_id))

    def publish_track(self, track_id: UUID) -> TrackDetail:
        with self._sessions() as session:
            return _track(catalog.publish_track(session, track_id))

    def withdraw_track(self, track_id: UUID) -> TrackDetail:
        with self._sessions() as session:
            return _track(catalog.withdraw_track(session, track_id))

    def remove_track(self, track_id: UUID) -> None:
        with self._transaction() as session:
            tracks.remove(session, track_id)

    def lesson(self, lesson_id: UUID) -> LessonDetail:
        with self._transaction() as session:
            found = lessons.get(session, lesson_id)
            return LessonDetail(
                id=found.id,
                title=found.title,
                duration_minutes=found.duration_minutes,
                position=found.position,
                is_preview=found.is_preview,
                is_published=found.is_published,
                track_id=found.track_id,
                content=found.content,
                video_url=found.video_url,
            )

    # Learning

    def enroll(self, user_id: UUID, track_id: UUID) -> EnrollmentSummary:
        with self._sessions() as session:
            return _enrollment(retrying(lambda: learning.enroll(session, user_id, track_id)))

    def enrollments(
        self, user_id: UUID, *, status: EnrollmentStatus | None = None
    ) -> Sequence[EnrollmentSummary]:
        with self._transaction() as session:
            users.get(session, user_id)
            return [
                _enrollment(one) for one in enrollments.of_user(session, user_id, status=status)
            ]

    def cancel_enrollment(self, user_id: UUID, track_id: UUID) -> EnrollmentSummary:
        with self._sessions() as session:
            return _enrollment(learning.cancel_enrollment(session, user_id, track_id))

    def complete_lesson(
        self, user_id: UUID, lesson_id: UUID, *, minutes: int = 0, score: Decimal | None = None
    ) -> LessonOutcome:
        with self._sessions() as session:
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
            return [_certificate(one) for one in certificates.of_user(session, user_id)]

    def certificate(self, number: str) -> CertificateSummary:
        with self._transaction() as session:
            found = certificates.find_by_number(session, number)
            if found is None:
                raise NotFound("certificate", number)
            return _certificate(found)

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


def _track(track: Track) -> TrackDetail:
    return TrackDetail(
        id=track.id,
        slug=track.slug,
        title=track.title,
        description=track.description,
        difficulty=track.difficulty,
        tags=track.tags,
        estimated_hours=track.estimated_hours,
        price_cents=track.price_cents,
        currency=track.currency,
        capacity=track.capacity,
        learning_objectives=track.learning_objectives,
        is_published=track.is_published,
        published_at=track.published_at,
        created_at=track.created_at,
        author_id=track.author_id,
        author=track.author.username,
        lessons=[
            LessonSummary(
                id=lesson.id,
                title=lesson.title,
                duration_minutes=lesson.duration_minutes,
                position=lesson.position,
                is_preview=lesson.is_preview,
                is_published=lesson.is_published,
            )
            for lesson in track.lessons
        ],
    )


def _enrollment(enrollment: Enrollment) -> EnrollmentSummary:
    progress = enrollment.progress
    return EnrollmentSummary(
        user_id=enrollment.user_id,
        track_id=enrollment.track_id,
        track_title=enrollment.track.title,
        status=enrollment.status,
        enrolled_at=enrollment.enrolled_at,
        completed_at=enrollment.completed_at,
        completed_lessons=progress.completed_lessons if progress else 0,
        total_lessons=progress.total_lessons if progress else 0,
        percent=progress.percent if progress else 0,
    )


def _certificate(certificate: Certificate) -> CertificateSummary:
    return CertificateSummary(
        number=certificate.number,
        user_id=certificate.user_id,
        track_id=certificate.track_id,
        track_title=certificate.track_title,
        issued_at=certificate.issued_at,
        expires_at=certificate.expires_at,
    )

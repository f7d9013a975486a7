"""The protocol of a store, and what goes in and comes out of one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from tracker.analytics.learners import UserProgress
from tracker.analytics.tracks import Completion, PopularTrack
from tracker.health import Health
from tracker.models import Difficulty, EnrollmentStatus, PaymentStatus, Role
from tracker.repositories.pages import Page
from tracker.repositories.tracks import TrackChanges, TrackSummary
from tracker.repositories.users import UserChanges, UserDetail, UserSummary
from tracker.services.catalog import LessonDraft, TrackDraft


@dataclass(frozen=True)
class Registration:
    """What somebody gives to get an account."""

    email: str
    username: str
    password: str = field(repr=False)
    first_name: str | None = None
    last_name: str | None = None
    role: Role = Role.STUDENT


@dataclass(frozen=True)
class LessonSummary:
    """A lesson as the page of its track shows it."""

    id: UUID
    title: str
    duration_minutes: int
    position: int
    is_preview: bool
    is_published: bool


@dataclass(frozen=True)
class LessonDetail(LessonSummary):
    """A lesson to be read."""

    track_id: UUID
    content: str
    video_url: str | None


@dataclass(frozen=True)
class TrackDetail:
    """A track with its lessons in order."""

    id: UUID
    slug: str
    title: str
    description: str | None
    difficulty: Difficulty
    tags: list[str]
    estimated_hours: int
    price_cents: int
    currency: str
    capacity: int | None
    learning_objectives: list[str]
    is_published: bool
    published_at: datetime | None
    created_at: datetime
    author_id: UUID
    author: str  # username
    lessons: list[LessonSummary]


@dataclass(frozen=True)
class EnrollmentSummary:
    """A user's place in a track, and how far they are."""

    user_id: UUID
    track_id: UUID
    track_title: str
    status: EnrollmentStatus
    enrolled_at: datetime
    completed_at: datetime | None
    completed_lessons: int
    total_lessons: int
    percent: int


@dataclass(frozen=True)
class LessonOutcome:
    """What the completion of a lesson led to."""

    lesson_id: UUID
    completed_at: datetime
    time_spent_minutes: int
    score: Decimal | None  # percent
    track_id: UUID
    completed_lessons: int
    total_lessons: int
    percent: int
    certificate: str | None  # its number, if the track is complete


@dataclass(frozen=True)
class CertificateSummary:
    """A certificate as anybody who knows its number may see it."""

    number: str
    user_id: UUID
    track_id: UUID | None
    track_title: str
    issued_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class PaymentSummary:
    """What somebody paid, or tried to pay. It stays when the user or the track is gone."""

    provider: str
    provider_payment_id: str
    user_id: UUID | None
    track_id: UUID | None
    track_title: str
    amount_cents: int
    currency: str
    status: PaymentStatus
    created_at: datetime
    completed_at: datetime | None = None
    refunded_at: datetime | None = None
    failure_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class UserQuery:
    """Which users, and which page of them. None asks for either kind."""

    search: str | None = None
    role: Role | None = None
    is_active: bool | None = True
    page: int = 1
    limit: int = 10


@dataclass(frozen=True, kw_only=True)
class TrackQuery:
    """Which tracks, and which page of them. None asks for either kind."""

    search: str | None = None
    difficulty: Difficulty | None = None
    tag: str | None = None
    author_id: UUID | None = None
    is_published: bool | None = True
    page: int = 1
    limit: int = 10


class Store(Protocol):
    """What the API needs of a place to keep data. Each method is done wholly or not at all.

    Every method raises NotFound where an identifier of its own belongs to nothing, and
    MissingReference where what it is to write would refer to nothing.
    """

    def health(self) -> Health: ...

    def register(self, registration: Registration) -> UserSummary: ...

    def user(self, user_id: UUID) -> UserDetail: ...

    def users(self, query: UserQuery) -> Page[UserSummary]:
        """Return a page of users, newest first."""
        ...

    def change_user(self, user_id: UUID, changes: UserChanges) -> UserSummary: ...

    def deactivate_user(self, user_id: UUID) -> None: ...

    def remove_user(self, user_id: UUID) -> None: ...

    def create_track(
        self, author_id: UUID, draft: TrackDraft, lessons: Sequence[LessonDraft]
    ) -> TrackDetail: ...

    def track(self, track_id: UUID) -> TrackDetail: ...

    def tracks(self, query: TrackQuery) -> Page[TrackSummary]:
        """Return a page of tracks, newest first."""
        ...

    def tracks_after(self, track_id: UUID | None, *, limit: int = 20) -> Sequence[TrackSummary]:
        """Read the published tracks on from one that was read before, newest first."""
        ...

    def change_track(self, track_id: UUID, changes: TrackChanges) -> TrackDetail: ...

    def publish_track(self, track_id: UUID) -> TrackDetail: ...

    def withdraw_track(self, track_id: UUID) -> TrackDetail: ...

    def remove_track(self, track_id: UUID) -> None: ...

    def lesson(self, lesson_id: UUID) -> LessonDetail: ...

    def enroll(self, user_id: UUID, track_id: UUID) -> EnrollmentSummary: ...

    def enrollments(
        self, user_id: UUID, *, status: EnrollmentStatus | None = None
    ) -> Sequence[EnrollmentSummary]:
        """Return a user's enrollments, last used first."""
        ...

    def cancel_enrollment(self, user_id: UUID, track_id: UUID) -> EnrollmentSummary: ...

    def complete_lesson(
        self, user_id: UUID, lesson_id: UUID, *, minutes: int = 0, score: Decimal | None = None
    ) -> LessonOutcome: ...

    def certificates(self, user_id: UUID) -> Sequence[CertificateSummary]:
        """Return a user's certificates, newest first."""
        ...

    def certificate(self, number: str) -> CertificateSummary: ...

    def take_payment(
        self, provider: str, provider_payment_id: str, *, user_id: UUID, track_id: UUID
    ) -> PaymentSummary:
        """Begin a payment, or find that it was begun. Like the others below, it may be repeated."""
        ...

    def complete_payment(self, provider: str, provider_payment_id: str) -> PaymentSummary: ...

    def fail_payment(
        self, provider: str, provider_payment_id: str, reason: str
    ) -> PaymentSummary: ...

    def refund_payment(self, provider: str, provider_payment_id: str) -> PaymentSummary: ...

    def payment(self, provider: str, provider_payment_id: str) -> PaymentSummary: ...

    def payments(self, user_id: UUID) -> Sequence[PaymentSummary]:
        """Return a user's payments, newest first."""
        ...

    def user_progress(self, user_id: UUID) -> UserProgress: ...

    def completion(self, track_id: UUID) -> Completion: ...

    def popular_tracks(self, *, limit: int = 10) -> Sequence[PopularTrack]: ...

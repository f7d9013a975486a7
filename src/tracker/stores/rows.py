"""What the store in memory keeps in place of rows."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from tracker.models import Difficulty, EnrollmentStatus
from tracker.repositories.tracks import TrackSummary
from tracker.stores.store import LessonDetail, LessonSummary, TrackDetail
from tracker.stores.summaries import shown_as


@dataclass(frozen=True, kw_only=True)
class LessonRow:
    """A lesson, at its place in its track."""

    id: UUID
    track_id: UUID
    position: int
    title: str
    content: str
    duration_minutes: int
    video_url: str | None
    is_preview: bool
    is_published: bool

    def detail(self) -> LessonDetail:
        return shown_as(LessonDetail, self)


@dataclass(frozen=True, kw_only=True)
class TrackRow:
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
    created_at: datetime
    author_id: UUID
    lessons: list[LessonRow]
    is_published: bool = False
    published_at: datetime | None = None
    is_featured: bool = False
    organization_id: UUID | None = None

    def summary(self, author: str) -> TrackSummary:
        return shown_as(TrackSummary, self, author=author, lesson_count=len(self.lessons))

    def detail(self, author: str) -> TrackDetail:
        lessons = [shown_as(LessonSummary, lesson) for lesson in self.lessons]
        return shown_as(TrackDetail, self, author=author, lessons=lessons)


@dataclass
class Seat:
    """A user's place in a track."""

    enrolled_at: datetime
    last_accessed_at: datetime
    total_lessons: int
    completed_lessons: int = 0
    status: EnrollmentStatus = EnrollmentStatus.ACTIVE
    completed_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        return self.status is EnrollmentStatus.ACTIVE

    @property
    def percent(self) -> int:
        return 100 * self.completed_lessons // max(self.total_lessons, 1)

    def count(self, total: int, completed: int, moment: datetime) -> None:
        """Take the lessons down as counted, and complete the enrollment if that was all."""
        self.total_lessons, self.completed_lessons, self.last_accessed_at = total, completed, moment
        if completed == total and self.is_active:
            self.status, self.completed_at = EnrollmentStatus.COMPLETED, moment


@dataclass
class Study:
    """A user's record for a lesson."""

    minutes: int = 0
    score: Decimal | None = None
    completed_at: datetime | None = None

    def add(self, moment: datetime, minutes: int, score: Decimal | None) -> None:
        """Complete the lesson: minutes add up, the best score and the first date stay."""
        self.minutes += minutes
        self.completed_at = self.completed_at or moment
        if score is not None:
            rounded = score.quantize(Decimal("0.01"), ROUND_HALF_UP)
            self.score = max(rounded, self.score or rounded)

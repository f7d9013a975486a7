"""The store that forgets: dictionaries, with the rules that PostgreSQL keeps by constraints."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from tracker.analytics.learners import UserProgress
from tracker.analytics.tracks import Completion, PopularTrack
from tracker.errors import (
    AlreadyEnrolled,
    InvalidTransition,
    MissingReference,
    NotAvailable,
    NotEnrolled,
    NotFound,
    PaymentRequired,
    TrackFull,
)
from tracker.health import Health, check_health
from tracker.models import EnrollmentStatus
from tracker.repositories.certificates import as_written, new_number
from tracker.stores.memory_catalog import alone, now
from tracker.stores.memory_payments import MemoryPayments
from tracker.stores.rows import Seat, Study, TrackRow
from tracker.stores.store import (
    CertificateSummary,
    EnrollmentSummary,
    LessonOutcome,
)
from tracker.stores.summaries import shown_as


class MemoryStore(MemoryPayments):
    """A `Store` in this process. Every method checks all rules before it changes anything."""

    def __init__(self) -> None:
        super().__init__()
        self._certificates: dict[str, CertificateSummary] = {}

    def health(self) -> Health:
        return check_health(None)

    # What takes learning along

    @alone
    def remove_user(self, user_id: UUID) -> None:
        self._user(user_id)
        for track in [one for one in self._tracks.values() if one.author_id == user_id]:
            self.remove_track(track.id)
        del self._users[user_id], self._password_hashes[user_id]
        self._outlive(user_id)
        self._seats = {key: seat for key, seat in self._seats.items() if key[0] != user_id}
        self._studies = {key: study for key, study in self._studies.items() if key[0] != user_id}
        self._certificates = {
            number: one for number, one in self._certificates.items() if one.user_id != user_id
        }

    @alone
    def remove_track(self, track_id: UUID) -> None:
        gone = {lesson.id for lesson in self._track(track_id).lessons}
        del self._tracks[track_id]
        self._outlive(track_id)
        self._seats = {key: seat for key, seat in self._seats.items() if key[1] != track_id}
        self._studies = {key: one for key, one in self._studies.items() if key[1] not in gone}
        for number, certificate in self._certificates.items():
            if certificate.track_id == track_id:
                self._certificates[number] = replace(certificate, track_id=None)

    # Learning

    @alone
    def enroll(self, user_id: UUID, track_id: UUID) -> EnrollmentSummary:
        track = self._track(track_id)
        if not track.is_published:
            raise NotAvailable("This track is not published, so nobody can enroll in it.")
        published = [lesson for lesson in track.lessons if lesson.is_published]
        if not published:
            raise NotAvailable("This track has no published lessons yet.")
        if user_id not in self._users:
            raise MissingReference(f"There is no user {user_id} to enroll.")
        if (user_id, track_id) in self._seats:
            raise AlreadyEnrolled("The user is already enrolled in this track.")
        taken = [s for (_, of), s in self._seats.items() if of == track_id and s.is_active]
        if track.capacity is not None and len(taken) >= track.capacity:
            raise TrackFull(f"All {track.capacity} seats of this track are taken.")
        if track.price_cents and not self._has_paid(user_id, track_id):
            raise PaymentRequired("This track has a price. Pay it first, then enroll.")
        moment = now()
        self._seats[user_id, track_id] = Seat(moment, moment, total_lessons=len(published))
        for lesson in published:
            self._studies[user_id, lesson.id] = Study()
        return self._enrollment(user_id, track_id)

    @alone
    def enrollments(
        self, user_id: UUID, *, status: EnrollmentStatus | None = None
    ) -> Sequence[EnrollmentSummary]:
        self._user(user_id)
        own = [(seat, of) for (who, of), seat in self._seats.items() if who == user_id]
        last_used_first = sorted(own, key=lambda pair: pair[0].last_accessed_at, reverse=True)
        return [
            self._enrollment(user_id, track_id)
            for seat, track_id in last_used_first
            if status in (None, seat.status)
        ]

    @alone
    def cancel_enrollment(self, user_id: UUID, track_id: UUID) -> EnrollmentSummary:
        seat = self._seats.get((user_id, track_id))
        if seat is None:
            raise NotEnrolled("The user is not enrolled in this track.")
        if seat.status not in (EnrollmentStatus.ACTIVE, EnrollmentStatus.CANCELLED):
            raise InvalidTransition(f"An enrollment that is {seat.status} cannot be cancelled.")
        seat.status = EnrollmentStatus.CANCELLED
        return self._enrollment(user_id, track_id)

    @alone
    def complete_lesson(
        self, user_id: UUID, lesson_id: UUID, *, minutes: int = 0, score: Decimal | None = None
    ) -> LessonOutcome:
        seat, track = self._seat_for_lesson(user_id, lesson_id)
        moment = now()
        study = self._studies.setdefault((user_id, lesson_id), Study())
        study.add(moment, minutes, score)
        published = [lesson.id for lesson in track.lessons if lesson.is_published]
        studied = [self._studies.get((user_id, one)) for one in published]
        seat.count(len(published), sum(1 for one in studied if one and one.completed_at), moment)
        certificate = None
        if seat.completed_lessons == seat.total_lessons:
            certificate = self._certify(user_id, track, moment).number
        return LessonOutcome(
            lesson_id=lesson_id,
            completed_at=study.completed_at or moment,
            time_spent_minutes=study.minutes,
            score=study.score,
            track_id=track.id,
            completed_lessons=seat.completed_lessons,
            total_lessons=seat.total_lessons,
            percent=seat.percent,
            certificate=certificate,
        )

    @alone
    def certificates(self, user_id: UUID) -> Sequence[CertificateSummary]:
        self._user(user_id)
        own = [one for one in self._certificates.values() if one.user_id == user_id]
        return sorted(own, key=lambda one: one.issued_at, reverse=True)

    @alone
    def certificate(self, number: str) -> CertificateSummary:
        written = as_written(number)
        if written in self._certificates:
            return self._certificates[written]
        raise NotFound("certificate", number)

    # Figures

    @alone
    def user_progress(self, user_id: UUID) -> UserProgress:
        self._user(user_id)
        own = [study for (who, _), study in self._studies.items() if who == user_id]
        return UserProgress(
            total_lessons=len(own),
            completed_lessons=sum(1 for study in own if study.completed_at),
            minutes_spent=sum(study.minutes for study in own),
            average_score=average([s.score for s in own if s.score is not None]),
        )

    @alone
    def completion(self, track_id: UUID) -> Completion:
        track = self._track(track_id)
        seats = [seat for (_, of), seat in self._seats.items() if of == track_id]
        hours = [
            Decimal((seat.completed_at - seat.enrolled_at).total_seconds()) / 3600
            for seat in seats
            if seat.completed_at
        ]
        rate = rounded(Decimal(100 * len(hours)) / len(seats)) if seats else None
        percents = [Decimal(seat.percent) for seat in seats]
        return Completion(
            track_id, track.title, len(seats), len(hours), rate, average(percents), average(hours)
        )

    @alone
    def popular_tracks(self, *, limit: int = 10) -> Sequence[PopularTrack]:
        learners = dict.fromkeys(self._tracks, 0)
        for (_, track_id), seat in self._seats.items():
            learners[track_id] += seat.status is not EnrollmentStatus.CANCELLED
        most_first = sorted(self._tracks.values(), key=lambda one: (-learners[one.id], one.id))
        return [
            PopularTrack(
                track.id,
                track.title,
                track.difficulty,
                self._users[track.author_id].username,
                len(track.lessons),
                learners[track.id],
            )
            for track in most_first
            if track.is_published
        ][:limit]

    # What several methods need

    def _seat_for_lesson(self, user_id: UUID, lesson_id: UUID) -> tuple[Seat, TrackRow]:
        for (who, track_id), seat in self._seats.items():
            track = self._tracks[track_id]
            if who == user_id and any(lesson.id == lesson_id for lesson in track.lessons):
                if seat.status in (EnrollmentStatus.EXPIRED, EnrollmentStatus.CANCELLED):
                    raise NotEnrolled(
                        f"The enrollment in the track of this lesson is {seat.status}."
                    )
                return seat, track
        raise NotEnrolled("The user is not enrolled in the track of this lesson. Enroll first.")

    def _enrollment(self, user_id: UUID, track_id: UUID) -> EnrollmentSummary:
        seat = self._seats[user_id, track_id]
        return shown_as(
            EnrollmentSummary,
            seat,
            user_id=user_id,
            track_id=track_id,
            track_title=self._tracks[track_id].title,
        )

    def _certify(self, user_id: UUID, track: TrackRow, moment: datetime) -> CertificateSummary:
        for certificate in self._certificates.values():
            if (certificate.user_id, certificate.track_id) == (user_id, track.id):
                return certificate
        new = CertificateSummary(new_number(), user_id, track.id, track.title, moment, None)
        self._certificates[new.number] = new
        return new


def average(values: Sequence[Decimal]) -> Decimal | None:
    return rounded(sum(values, Decimal(0)) / len(values)) if values else None


def rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)

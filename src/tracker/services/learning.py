"""Enrolling in tracks and working through their lessons."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from tracker.db import unit_of_work
from tracker.errors import NotAvailable, NotEnrolled, NotFound, PaymentRequired, TrackFull
from tracker.models import (
    Certificate,
    Enrollment,
    EnrollmentStatus,
    LessonProgress,
    Track,
    TrackProgress,
)
from tracker.repositories import certificates, enrollments, lessons, payments, progress


@dataclass(frozen=True)
class LessonCompleted:
    """What the completion of a lesson led to."""

    lesson: LessonProgress
    track: TrackProgress
    certificate: Certificate | None  # if that was the last lesson of the track


def enroll(session: Session, user_id: UUID, track_id: UUID) -> Enrollment:
    """Enroll a user in a track, with a progress record for every published lesson, or not at all.

    Raises:
        NotFound: there is no such track.
        NotAvailable: the track, or every lesson of it, is a draft.
        TrackFull: every seat is taken.
        PaymentRequired: the track has a price, and the user has not paid it.
        AlreadyEnrolled: the user has been enrolled before. Two calls at once cannot both succeed:
            the unique constraint decides, not a look beforehand.
        MissingReference: there is no such user.
    """
    with unit_of_work(session):
        track = _lock_track(session, track_id)
        if not track.is_published:
            raise NotAvailable("This track is not published, so nobody can enroll in it.")
        published = lessons.of_track(session, track_id, is_published=True)
        if not published:
            raise NotAvailable("This track has no published lessons yet.")
        enrollment = enrollments.create(session, user_id, track_id, total_lessons=len(published))
        # Counted after the lock was granted, so no other enrollment can slip in between.
        if (
            track.capacity is not None
            and enrollments.seats_taken(session, track_id) > track.capacity
        ):
            raise TrackFull(f"All {track.capacity} seats of this track are taken.")
        if track.price_cents and not payments.is_paid(session, user_id, track_id):
            raise PaymentRequired("This track has a price. Pay it first, then enroll.")
        progress.start(session, user_id, [lesson.id for lesson in published])
        return enrollment


def _lock_track(session: Session, track_id: UUID) -> Track:
    """Let one enrollment in a track through at a time, and nobody withdraw it meanwhile.

    FOR NO KEY UPDATE (`key_share=True`) excludes others who want the same, but not those who only
    refer to the track, such as somebody who is just completing a lesson of it.
    """
    track = session.scalar(
        select(Track)
        .where(Track.id == track_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if track is None:
        raise NotFound("track", track_id)
    return track


def complete_lesson(
    session: Session,
    user_id: UUID,
    lesson_id: UUID,
    *,
    minutes: int = 0,
    score: Decimal | None = None,
) -> LessonCompleted:
    """Record that a user finished a lesson, and what follows from it for the track.

    Doing it again adds minutes and keeps the best score. The last lesson completes the enrollment
    and issues the certificate, once.

    Arguments:
        minutes: time spent since the last call.
        score: percent, or None where nothing was assessed.

    Raises:
        NotEnrolled: the user is not enrolled in the lesson's track, or no longer.
        InvalidData: the score is not between 0 and 100.
    """
    with unit_of_work(session):
        enrollment = lock_enrollment(session, user_id, lesson_id)
        record = progress.complete(session, user_id, lesson_id, minutes=minutes, score=score)
        track_progress, certificate = sum_up(session, enrollment)
        return LessonCompleted(record, track_progress, certificate)


def lock_enrollment(session: Session, user_id: UUID, lesson_id: UUID) -> Enrollment:
    """Return the enrollment by which a user may work on a lesson; a part of a unit of work.

    Until that ends, no other one can work on the same enrollment.

    Raises:
        NotEnrolled: the user is not enrolled in the lesson's track, or no longer.
    """
    enrollment = enrollments.lock_for_lesson(session, user_id, lesson_id)
    if enrollment is None:
        raise NotEnrolled("The user is not enrolled in the track of this lesson. Enroll first.")
    if enrollment.status in (EnrollmentStatus.EXPIRED, EnrollmentStatus.CANCELLED):
        raise NotEnrolled(f"The enrollment in the track of this lesson is {enrollment.status}.")
    return enrollment


def sum_up(session: Session, enrollment: Enrollment) -> tuple[TrackProgress, Certificate | None]:
    """Count what a user has completed of a track, and draw the consequences; a part of a unit.

    Arguments:
        enrollment: locked.
    """
    user_id = enrollment.user_id
    track_progress = enrollments.roll_up(session, user_id, enrollment.track_id)
    if track_progress.completed_lessons < track_progress.total_lessons:
        return track_progress, None
    certificate = certificates.issue(session, user_id, enrollment.track)
    if enrollment.status is EnrollmentStatus.ACTIVE:
        enrollment.status = EnrollmentStatus.COMPLETED
        enrollment.completed_at = track_progress.completed_at
    return track_progress, certificate


def cancel_enrollment(session: Session, user_id: UUID, track_id: UUID) -> Enrollment:
    """Give a seat back. What was learned stays on record.

    Raises:
        NotEnrolled: the user is not enrolled in this track.
        InvalidTransition: the enrollment is not active any more.
    """
    with unit_of_work(session):
        enrollment = enrollments.get(session, user_id, track_id)
        if enrollment is None:
            raise NotEnrolled("The user is not enrolled in this track.")
        enrollment.status = EnrollmentStatus.CANCELLED
        return enrollment


def expire_enrollments(session: Session) -> int:
    """End the active enrollments whose time is over, and return how many there were."""
    with unit_of_work(session):
        return enrollments.expire(session)

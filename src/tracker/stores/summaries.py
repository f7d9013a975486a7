"""From what a store keeps to what it returns."""

from dataclasses import fields
from typing import Any, TypeVar

from tracker.models import Certificate, Enrollment, Lesson, Payment, Track
from tracker.stores.store import (
    CertificateSummary,
    EnrollmentSummary,
    LessonDetail,
    LessonSummary,
    PaymentSummary,
    TrackDetail,
)

Kind = TypeVar("Kind")


def shown_as(kind: type[Kind], kept: object, **others: Any) -> Kind:
    """Return a dataclass whose fields are the attributes of the same name.

    Arguments:
        others: the fields that what is kept has not, or has in another form.
    """
    names = {field.name for field in fields(kind)} - others.keys()  # type: ignore[arg-type]
    return kind(**{name: getattr(kept, name) for name in names}, **others)


def track_detail(track: Track) -> TrackDetail:
    lessons = [shown_as(LessonSummary, lesson) for lesson in track.lessons]
    return shown_as(TrackDetail, track, author=track.author.username, lessons=lessons)


def lesson_detail(lesson: Lesson) -> LessonDetail:
    return shown_as(LessonDetail, lesson)


def enrollment_summary(enrollment: Enrollment) -> EnrollmentSummary:
    progress = enrollment.progress
    return shown_as(
        EnrollmentSummary,
        enrollment,
        track_title=enrollment.track.title,
        completed_lessons=progress.completed_lessons if progress else 0,
        total_lessons=progress.total_lessons if progress else 0,
        percent=progress.percent if progress else 0,
    )


def certificate_summary(certificate: Certificate) -> CertificateSummary:
    return shown_as(CertificateSummary, certificate)


def payment_summary(payment: Payment) -> PaymentSummary:
    return shown_as(PaymentSummary, payment)

"""From rows to what a store returns."""

from tracker.models import Certificate, Enrollment, Lesson, Payment, Track
from tracker.stores.store import (
    CertificateSummary,
    EnrollmentSummary,
    LessonDetail,
    LessonSummary,
    PaymentSummary,
    TrackDetail,
)


def track_detail(track: Track) -> TrackDetail:
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
        lessons=[lesson_summary(lesson) for lesson in track.lessons],
    )


def lesson_summary(lesson: Lesson) -> LessonSummary:
    return LessonSummary(
        id=lesson.id,
        title=lesson.title,
        duration_minutes=lesson.duration_minutes,
        position=lesson.position,
        is_preview=lesson.is_preview,
        is_published=lesson.is_published,
    )


def lesson_detail(lesson: Lesson) -> LessonDetail:
    return LessonDetail(
        **vars(lesson_summary(lesson)),
        track_id=lesson.track_id,
        content=lesson.content,
        video_url=lesson.video_url,
    )


def enrollment_summary(enrollment: Enrollment) -> EnrollmentSummary:
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


def certificate_summary(certificate: Certificate) -> CertificateSummary:
    return CertificateSummary(
        number=certificate.number,
        user_id=certificate.user_id,
        track_id=certificate.track_id,
        track_title=certificate.track_title,
        issued_at=certificate.issued_at,
        expires_at=certificate.expires_at,
    )


def payment_summary(payment: Payment) -> PaymentSummary:
    return PaymentSummary(
        provider=payment.provider,
        provider_payment_id=payment.provider_payment_id,
        user_id=payment.user_id,
        track_id=payment.track_id,
        track_title=payment.track_title,
        amount_cents=payment.amount_cents,
        currency=payment.currency,
        status=payment.status,
        created_at=payment.created_at,
        completed_at=payment.completed_at,
        refunded_at=payment.refunded_at,
        failure_reason=payment.failure_reason,
    )

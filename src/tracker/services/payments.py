"""Paying for tracks.

A provider tells us by a web hook, and may tell us twice, late, or twice at once. So each function
may be called again with the same payment, and the second call finds that there is nothing left to
do.
"""

from uuid import UUID

from sqlalchemy import func
from sqlalchemy.orm import Session

from tracker.db import unit_of_work
from tracker.errors import NotAvailable, NotFound, PaymentMismatch
from tracker.models import EnrollmentStatus, Payment, PaymentStatus, Track
from tracker.repositories import enrollments, payments


def take_payment(
    session: Session,
    *,
    user_id: UUID,
    track_id: UUID,
    provider: str,
    provider_payment_id: str,
) -> Payment:
    """Begin a payment of the track's price. It is pending until the provider says more.

    Raises:
        NotFound: there is no such track.
        PaymentMismatch: the provider's payment is known, but of another user or for another track.
        NotAvailable: the track costs nothing.
        MissingReference: there is no such user.
    """
    with unit_of_work(session):
        track = session.get(Track, track_id)
        if track is None:
            raise NotFound("track", track_id)
        # What was begun is found again, whatever has become of the price meanwhile.
        payment = payments.find(session, provider, provider_payment_id)
        if payment is None:
            if not track.price_cents:
                raise NotAvailable("This track is free. Enroll without a payment.")
            payment = payments.take(
                session,
                user_id=user_id,
                track=track,
                provider=provider,
                provider_payment_id=provider_payment_id,
            )
        if (payment.user_id, payment.track_id) != (user_id, track_id):
            raise PaymentMismatch(
                f"{provider} has used the name {provider_payment_id} for another payment."
            )
        return payment


def complete_payment(session: Session, provider: str, provider_payment_id: str) -> Payment:
    """Record that the money has arrived.

    Raises:
        NotFound: nothing is known of such a payment.
        InvalidTransition: it has failed or was refunded.
    """
    with unit_of_work(session):
        payment = payments.lock(session, provider, provider_payment_id)
        if payment.status is not PaymentStatus.COMPLETED:
            payment.status = PaymentStatus.COMPLETED
            payment.completed_at = func.clock_timestamp()
        return payment


def fail_payment(session: Session, provider: str, provider_payment_id: str, reason: str) -> Payment:
    """Record that the money will not arrive, and why.

    Raises:
        NotFound: nothing is known of such a payment.
        InvalidTransition: it is completed or was refunded.
    """
    with unit_of_work(session):
        payment = payments.lock(session, provider, provider_payment_id)
        if payment.status is not PaymentStatus.FAILED:
            payment.status = PaymentStatus.FAILED
            payment.failure_reason = reason
        return payment


def refund_payment(session: Session, provider: str, provider_payment_id: str) -> Payment:
    """Record that the money was given back, and end the enrollment that it paid for.

    A track that is completed stays completed.

    Raises:
        NotFound: nothing is known of such a payment.
        InvalidTransition: it is not completed.
    """
    with unit_of_work(session):
        payment = payments.lock(session, provider, provider_payment_id)
        if payment.status is not PaymentStatus.REFUNDED:
            payment.status = PaymentStatus.REFUNDED
            payment.refunded_at = func.clock_timestamp()
            _end_enrollment(session, payment)
        return payment


def _end_enrollment(session: Session, payment: Payment) -> None:
    if payment.user_id is None or payment.track_id is None:
        return
    enrollment = enrollments.get(session, payment.user_id, payment.track_id)
    if enrollment is not None and enrollment.status is EnrollmentStatus.ACTIVE:
        enrollment.status = EnrollmentStatus.CANCELLED

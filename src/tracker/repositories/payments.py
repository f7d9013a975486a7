"""Payments."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tracker.errors import NotFound, PaymentMismatch, domain_errors
from tracker.models import Payment, PaymentStatus, Track


def take(
    session: Session, *, user_id: UUID, track: Track, provider: str, provider_payment_id: str
) -> Payment:
    """Return the payment that the provider knows by this name; add it, pending, if it is new.

    The second of two that arrive at once waits for the first, and finds what it added.

    Raises:
        InvalidData: the track costs nothing.
        MissingReference: there is no such user.
        PaymentMismatch: the payment is of another organization, to which the session is not let.
    """
    statement = (
        insert(Payment)
        .values(
            user_id=user_id,
            track_id=track.id,
            track_title=track.title,
            amount_cents=track.price_cents,
            currency=track.currency,
            provider=provider,
            provider_payment_id=provider_payment_id,
        )
        .on_conflict_do_nothing(index_elements=["provider", "provider_payment_id"])
    )
    with domain_errors():
        session.execute(statement)
    payment = _locked(session, provider, provider_payment_id)
    if payment is None:  # it is of somebody whom this session must not see (`tracker.db.confine`)
        raise PaymentMismatch(
            f"{provider} has used the name {provider_payment_id} for another payment."
        )
    return payment


def find(session: Session, provider: str, provider_payment_id: str) -> Payment | None:
    """Return the payment that the provider knows by this name, if there is one."""
    return session.scalar(_named(provider, provider_payment_id))


def lock(session: Session, provider: str, provider_payment_id: str) -> Payment:
    """Return a payment by the name that its provider gave it, and lock its row.

    Raises:
        NotFound: nothing is known of such a payment.
    """
    payment = _locked(session, provider, provider_payment_id)
    if payment is None:
        raise NotFound(f"payment of {provider}", provider_payment_id)
    return payment


def _locked(session: Session, provider: str, provider_payment_id: str) -> Payment | None:
    return session.scalar(
        _named(provider, provider_payment_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _named(provider: str, provider_payment_id: str) -> Select[Payment]:
    return select(Payment).where(
        Payment.provider == provider, Payment.provider_payment_id == provider_payment_id
    )


def is_paid(session: Session, user_id: UUID, track_id: UUID) -> bool:
    """Return whether the user has a completed payment for the track."""
    paid = select(Payment.id).where(
        Payment.user_id == user_id,
        Payment.track_id == track_id,
        Payment.status == PaymentStatus.COMPLETED,
    )
    return session.scalar(paid.limit(1)) is not None


def of_user(session: Session, user_id: UUID) -> Sequence[Payment]:
    """Return the payment history of a user, newest first."""
    return session.scalars(
        select(Payment)
        .where(Payment.user_id == user_id)
        .order_by(Payment.created_at.desc(), Payment.id.desc())
    ).all()


def pending_longer_than(session: Session, age: timedelta) -> Sequence[Payment]:
    """Return the payments that have been pending for longer than this, the oldest first."""
    return session.scalars(
        select(Payment)
        .where(Payment.status == PaymentStatus.PENDING, Payment.created_at < func.now() - age)
        .order_by(Payment.created_at)
    ).all()

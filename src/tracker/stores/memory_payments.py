"""Payments in a dictionary, with the rules that PostgreSQL keeps by constraints."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from tracker.errors import (
    InvalidTransition,
    MissingReference,
    NotAvailable,
    NotFound,
    PaymentMismatch,
)
from tracker.models import EnrollmentStatus, PaymentStatus
from tracker.stores.memory_catalog import MemoryCatalog, alone, now
from tracker.stores.rows import Seat
from tracker.stores.store import PaymentSummary


class MemoryPayments(MemoryCatalog):
    """The payments of a `MemoryStore`, and the seats that a refund ends."""

    def __init__(self) -> None:
        super().__init__()
        self._seats: dict[tuple[UUID, UUID], Seat] = {}  # by user and track
        self._payments: dict[tuple[str, str], PaymentSummary] = {}  # by provider and its name

    @alone
    def take_payment(
        self, provider: str, provider_payment_id: str, *, user_id: UUID, track_id: UUID
    ) -> PaymentSummary:
        track = self._track(track_id)
        known = self._payments.get((provider, provider_payment_id))
        if known and (known.user_id, known.track_id) == (user_id, track_id):
            return known
        if known:
            raise PaymentMismatch(
                f"{provider} has used the name {provider_payment_id} for another payment."
            )
        if not track.price_cents:
            raise NotAvailable("This track is free. Enroll without a payment.")
        if user_id not in self._users:
            raise MissingReference(f"There is no user {user_id} to pay.")
        return self._keep(
            PaymentSummary(
                provider=provider,
                provider_payment_id=provider_payment_id,
                user_id=user_id,
                track_id=track_id,
                track_title=track.title,
                amount_cents=track.price_cents,
                currency=track.currency,
                status=PaymentStatus.PENDING,
                created_at=now(),
            )
        )

    @alone
    def complete_payment(self, provider: str, provider_payment_id: str) -> PaymentSummary:
        payment = self.payment(provider, provider_payment_id)
        if payment.status is PaymentStatus.COMPLETED:
            return payment
        _require(payment, PaymentStatus.PENDING, PaymentStatus.COMPLETED)
        return self._keep(replace(payment, status=PaymentStatus.COMPLETED, completed_at=now()))

    @alone
    def fail_payment(self, provider: str, provider_payment_id: str, reason: str) -> PaymentSummary:
        payment = self.payment(provider, provider_payment_id)
        if payment.status is PaymentStatus.FAILED:
            return payment
        _require(payment, PaymentStatus.PENDING, PaymentStatus.FAILED)
        return self._keep(replace(payment, status=PaymentStatus.FAILED, failure_reason=reason))

    @alone
    def refund_payment(self, provider: str, provider_payment_id: str) -> PaymentSummary:
        payment = self.payment(provider, provider_payment_id)
        if payment.status is PaymentStatus.REFUNDED:
            return payment
        _require(payment, PaymentStatus.COMPLETED, PaymentStatus.REFUNDED)
        for place, seat in self._seats.items():
            if place == (payment.user_id, payment.track_id) and seat.is_active:
                seat.status = EnrollmentStatus.CANCELLED
        return self._keep(replace(payment, status=PaymentStatus.REFUNDED, refunded_at=now()))

    @alone
    def payment(self, provider: str, provider_payment_id: str) -> PaymentSummary:
        found = self._payments.get((provider, provider_payment_id))
        if found is None:
            raise NotFound(f"payment of {provider}", provider_payment_id)
        return found

    @alone
    def payments(self, user_id: UUID) -> Sequence[PaymentSummary]:
        self._user(user_id)
        own = [payment for payment in self._payments.values() if payment.user_id == user_id]
        return own[::-1]  # in the order in which they were made, so the newest comes first

    # What the rest of the store needs

    def _has_paid(self, user_id: UUID, track_id: UUID) -> bool:
        return any(
            (payment.user_id, payment.track_id) == (user_id, track_id)
            and payment.status is PaymentStatus.COMPLETED
            for payment in self._payments.values()
        )

    def _outlive(self, gone: UUID) -> None:
        """Keep the payments of a user, or for a track, that is removed; let them refer to none."""
        for payment in list(self._payments.values()):
            if payment.user_id == gone:
                self._keep(replace(payment, user_id=None))
            elif payment.track_id == gone:
                self._keep(replace(payment, track_id=None))

    def _keep(self, payment: PaymentSummary) -> PaymentSummary:
        self._payments[payment.provider, payment.provider_payment_id] = payment
        return payment


def _require(payment: PaymentSummary, before: PaymentStatus, after: PaymentStatus) -> None:
    if payment.status is not before:
        raise InvalidTransition(f"The status cannot change from {payment.status} to {after}.")

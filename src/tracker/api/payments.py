"""Paying for a track: what the shop and the payment provider tell.

A provider tells its news by a web hook, and may tell it twice, late, or twice at once. So every
request names the payment as the provider does, and may be repeated.
"""

from typing import Annotated

from fastapi import APIRouter, Path

from tracker.api.dependencies import TheStore
from tracker.api.documents import Failed, NewPayment
from tracker.api.problems import described
from tracker.stores import PaymentSummary

router = APIRouter(
    prefix="/payments/{provider}/{payment}", tags=["payments"], responses=described(400, 404, 422)
)

Provider = Annotated[
    str, Path(max_length=50, pattern="^[a-z0-9][a-z0-9_-]*$", description="Such as stripe")
]
Name = Annotated[
    str,
    Path(
        max_length=255,
        pattern="^[A-Za-z0-9][A-Za-z0-9._:-]*$",
        description="What the provider calls the payment",
    ),
]


@router.put("", responses=described(409))
def take_payment(
    provider: Provider, payment: Name, new: NewPayment, store: TheStore
) -> PaymentSummary:
    """Begin a payment of a track's price. It is pending until the provider says more."""
    return store.take_payment(provider, payment, user_id=new.user_id, track_id=new.track_id)


@router.get("")
def read_payment(provider: Provider, payment: Name, store: TheStore) -> PaymentSummary:
    """Return a payment. It is kept when its user or its track is gone."""
    return store.payment(provider, payment)


@router.put("/completion", responses=described(409))
def complete_payment(provider: Provider, payment: Name, store: TheStore) -> PaymentSummary:
    """Record that the money has arrived. Now the user can enroll."""
    return store.complete_payment(provider, payment)


@router.put("/failure", responses=described(409))
def fail_payment(
    provider: Provider, payment: Name, failed: Failed, store: TheStore
) -> PaymentSummary:
    """Record that the money will not arrive, and why."""
    return store.fail_payment(provider, payment, failed.reason)


@router.put("/refund", responses=described(409))
def refund_payment(provider: Provider, payment: Name, store: TheStore) -> PaymentSummary:
    """Record that the money was given back. It ends an active enrollment in the track."""
    return store.refund_payment(provider, payment)

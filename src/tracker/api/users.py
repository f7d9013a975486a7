"""Users: who they are and what they have done."""

from collections.abc import Sequence
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Query, Response

from tracker.analytics.learners import UserProgress
from tracker.api.dependencies import TheStore
from tracker.api.documents import Listing, NewUser, UserFilter, UserPatch
from tracker.api.problems import described
from tracker.models import EnrollmentStatus
from tracker.repositories.users import UserChanges, UserDetail, UserSummary
from tracker.stores import (
    CertificateSummary,
    EnrollmentSummary,
    PaymentSummary,
    Registration,
    UserQuery,
)

router = APIRouter(prefix="/users", tags=["users"], responses=described(400, 422))


@router.post("", status_code=201, responses=described(409))
def register(new: NewUser, store: TheStore, response: Response) -> UserSummary:
    """Make an account. The password goes in and never comes out."""
    fields = new.model_dump() | {"password": new.password.get_secret_value()}
    user = store.register(Registration(**fields))
    response.headers["Location"] = f"/users/{user.id}"
    return user


@router.get("")
def list_users(store: TheStore, wanted: Annotated[UserFilter, Query()]) -> Listing[UserSummary]:
    """List users, newest first."""
    return Listing.of(store.users(UserQuery(**wanted.model_dump())))


@router.get("/{user_id}", responses=described(404))
def read_user(user_id: UUID, store: TheStore) -> UserDetail:
    """Return a user with the tracks they wrote and the lessons they completed."""
    return store.user(user_id)


@router.patch("/{user_id}", responses=described(404, 409))
def change_user(user_id: UUID, patch: UserPatch, store: TheStore) -> UserSummary:
    """Change the given fields, and only those."""
    return store.change_user(user_id, cast(UserChanges, patch.model_dump(exclude_unset=True)))


@router.delete("/{user_id}", status_code=204, responses=described(404))
def remove_user(user_id: UUID, store: TheStore) -> None:
    """Delete a user for good, with the tracks they wrote and all they did."""
    store.remove_user(user_id)


@router.delete("/{user_id}/activation", status_code=204, responses=described(404))
def deactivate_user(user_id: UUID, store: TheStore) -> None:
    """Take a user out of all lists, and keep what they wrote and did."""
    store.deactivate_user(user_id)


@router.get("/{user_id}/progress", responses=described(404))
def read_progress(user_id: UUID, store: TheStore) -> UserProgress:
    """Return what a user has done in all lessons together."""
    return store.user_progress(user_id)


@router.get("/{user_id}/enrollments", responses=described(404))
def list_enrollments(
    user_id: UUID, store: TheStore, status: EnrollmentStatus | None = None
) -> Sequence[EnrollmentSummary]:
    """List a user's enrollments, last used first."""
    return store.enrollments(user_id, status=status)


@router.get("/{user_id}/payments", responses=described(404))
def list_payments(user_id: UUID, store: TheStore) -> Sequence[PaymentSummary]:
    """List what a user paid, or tried to pay, newest first."""
    return store.payments(user_id)


@router.get("/{user_id}/certificates", responses=described(404))
def list_certificates(user_id: UUID, store: TheStore) -> Sequence[CertificateSummary]:
    """List a user's certificates, newest first."""
    return store.certificates(user_id)

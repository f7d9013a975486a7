"""Enrolling, learning, and the certificate at the end."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from tracker.api.dependencies import TheStore
from tracker.api.documents import Completed, NewEnrollment
from tracker.api.problems import described
from tracker.stores import CertificateSummary, EnrollmentSummary, LessonOutcome

router = APIRouter(tags=["learning"], responses=described(400, 422))


@router.post("/enrollments", status_code=201, responses=described(402, 404, 409))
def enroll(new: NewEnrollment, store: TheStore) -> EnrollmentSummary:
    """Enroll a user in a published track that has a free seat: once, wholly or not at all."""
    return store.enroll(new.user_id, new.track_id)


@router.delete("/users/{user_id}/enrollments/{track_id}", responses=described(409))
def cancel_enrollment(user_id: UUID, track_id: UUID, store: TheStore) -> EnrollmentSummary:
    """Give a seat back. What was learned stays on record."""
    return store.cancel_enrollment(user_id, track_id)


@router.post("/users/{user_id}/lessons/{lesson_id}/completions", responses=described(409))
def complete_lesson(
    user_id: UUID, lesson_id: UUID, completed: Completed, store: TheStore
) -> LessonOutcome:
    """Record that a user finished a lesson. Again: minutes add up, and the best score stays."""
    score = None if completed.score is None else Decimal(str(completed.score))
    return store.complete_lesson(user_id, lesson_id, minutes=completed.minutes, score=score)


@router.get("/certificates/{number}", responses=described(404))
def read_certificate(
    number: Annotated[str, Path(max_length=40)], store: TheStore
) -> CertificateSummary:
    """Let a stranger check a certificate by its number."""
    return store.certificate(number)

"""Where the API keeps its data: one protocol, in memory or in PostgreSQL.

Both keep the same rules and raise the same errors (see `tracker.errors`). What is in memory is gone
when its process ends; that is the whole difference a user of the API can see.
"""

from tracker.stores.memory import MemoryStore
from tracker.stores.postgres import PostgresStore
from tracker.stores.store import (
    CertificateSummary,
    EnrollmentSummary,
    LessonDetail,
    LessonOutcome,
    LessonSummary,
    PaymentSummary,
    Registration,
    Store,
    TrackDetail,
    TrackQuery,
    UserQuery,
)

__all__ = [
    "CertificateSummary",
    "EnrollmentSummary",
    "LessonDetail",
    "LessonOutcome",
    "LessonSummary",
    "MemoryStore",
    "PaymentSummary",
    "PostgresStore",
    "Registration",
    "Store",
    "TrackDetail",
    "TrackQuery",
    "UserQuery",
]

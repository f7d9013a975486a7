"""What can go wrong in the tracker, in its own words.

::

    TrackerError
    ├── NotFound                  no row has this identifier
    ├── AlreadyExists             a unique constraint said no
    │   ├── EmailTaken
    │   ├── UsernameTaken
    │   ├── SlugTaken
    │   ├── DomainTaken
    │   ├── AccountLinked
    │   ├── PositionTaken
    │   ├── AlreadyEnrolled
    │   └── PaymentMismatch
    ├── InvalidData               a CHECK, NOT NULL, length or range said no
    │   └── InvalidTransition
    ├── MissingReference          a foreign key points at nothing, or a row is still pointed at
    ├── NotAvailable              the rules of the tracker do not allow it now
    │   ├── NotEnrolled
    │   ├── TrackFull
    │   ├── PaymentRequired
    │   └── NoAttemptsLeft
    ├── TransactionConflict       another transaction won (40001, 40P01): try again
    ├── DatabaseUnavailable       no connection, or it was lost
    ├── ConfigurationError        a setting is missing or wrong
    ├── MigrationError            Alembic cannot do what was asked
    ├── BackupError               a backup could not be made or put back
    │   ├── BackupBroken          its files are not what its manifest says
    │   └── TargetNotEmpty        a restore would mix with what is there
    └── SeedingError              the demo data is not what it should be

The server reports a failure as an SQLSTATE of five characters, and the name of the constraint.
Both are stable across versions and languages; the wording of the message is not. Source:
PostgreSQL manual, Appendix A.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError


class TrackerError(Exception):
    """The base of all errors of the tracker."""


class NotFound(TrackerError):
    """No row has this identifier."""

    def __init__(self, kind: str, identifier: object) -> None:
        super().__init__(f"There is no {kind} {identifier}.")


class AlreadyExists(TrackerError):
    """A unique constraint refused a second row with the same value."""


class EmailTaken(AlreadyExists):
    """Another user has this email address."""


class UsernameTaken(AlreadyExists):
    """Another user has this username."""


class PositionTaken(AlreadyExists):
    """Another lesson, module, section or question stands at this position."""


class SlugTaken(AlreadyExists):
    """Another track, lesson of the track, or organization has this slug."""


class DomainTaken(AlreadyExists):
    """Another organization has this domain."""


class AccountLinked(AlreadyExists):
    """The account at another provider is linked to another user."""


class PaymentMismatch(AlreadyExists):
    """The provider's payment is known, but with another user, track or amount."""


class AlreadyEnrolled(AlreadyExists):
    """The user is enrolled in this track."""


class InvalidData(TrackerError):
    """A value breaks a rule that the database keeps."""


class InvalidTransition(InvalidData):
    """This status cannot follow the one that the row has."""


class MissingReference(TrackerError):
    """A foreign key points at a row that does not exist, or a row is still pointed at.

    To a session that is confined to an organization, the rows of others do not exist.
    """


class NotAvailable(TrackerError):
    """The rules of the tracker do not allow this now."""


class NotEnrolled(NotAvailable):
    """The user is not enrolled in the lesson's track."""


class TrackFull(NotAvailable):
    """Every seat of the track is taken."""


class PaymentRequired(NotAvailable):
    """The track has a price, and the user has not paid it."""


class NoAttemptsLeft(NotAvailable):
    """The user has used all attempts at the quiz."""


class TransactionConflict(TrackerError):
    """Another transaction won; nothing was changed, and the same work may be tried again."""


class DatabaseUnavailable(TrackerError):
    """There is no connection to the database, or it was lost."""


class ConfigurationError(TrackerError):
    """A setting is missing or wrong."""


class MigrationError(TrackerError):
    """Alembic cannot do what was asked; nothing was changed."""


class BackupError(TrackerError):
    """A backup could not be made or put back; nothing half-made is left."""


class BackupBroken(BackupError):
    """The files of a backup are not what its manifest says."""


class TargetNotEmpty(BackupError):
    """A restore goes into an empty database, and this one is not."""


class SeedingError(TrackerError):
    """The demo data in the database is not what it should be."""


_BY_CONSTRAINT: dict[str, tuple[type[TrackerError], str]] = {
    "uq_users_email": (EmailTaken, "This email address belongs to another user."),
    "uq_users_username": (UsernameTaken, "This username is taken. Choose another."),
    "uq_tracks_slug": (SlugTaken, "Another track has this slug. Choose another."),
    "uq_lessons_track_id_slug": (
        SlugTaken,
        "The track has another lesson with this slug. Choose another.",
    ),
    "uq_organizations_slug": (SlugTaken, "Another organization has this slug. Choose another."),
    "uq_organizations_domain": (
        DomainTaken,
        "This domain belongs to another organization.",
    ),
    "uq_oauth_accounts_provider_provider_account_id": (
        AccountLinked,
        "This account is linked to another user.",
    ),
    "uq_enrollments_user_id_track_id": (
        AlreadyEnrolled,
        "The user is already enrolled in this track.",
    ),
    "uq_lessons_track_id_position": (
        PositionTaken,
        "The track has a lesson at this position. Choose a free one, or move the other first.",
    ),
    "uq_modules_track_id_position": (
        PositionTaken,
        "The track has a module at this position. Choose a free one, or move the other first.",
    ),
    "uq_sections_lesson_id_position": (
        PositionTaken,
        "The lesson has a section at this position. Choose a free one, or move the other first.",
    ),
    "uq_questions_quiz_id_position": (
        PositionTaken,
        "The quiz has a question at this position. Choose a free one, or move the other first.",
    ),
    "uq_lesson_progress_user_id_lesson_id": (
        AlreadyEnrolled,
        "The user is already enrolled in this track.",
    ),
}

_BY_SQLSTATE: dict[str, type[TrackerError]] = {
    "23505": AlreadyExists,  # unique_violation
    "23503": MissingReference,  # foreign_key_violation
    "23001": MissingReference,  # restrict_violation: what ON DELETE RESTRICT raises since 18
    "23514": InvalidData,  # check_violation
    "23502": InvalidData,  # not_null_violation
    "22001": InvalidData,  # string_data_right_truncation: too long
    "22003": InvalidData,  # numeric_value_out_of_range
    "22P02": InvalidData,  # invalid_text_representation: not a uuid, not a label of the enum
    "22021": InvalidData,  # character_not_in_repertoire
    "40001": TransactionConflict,  # serialization_failure
    "40P01": TransactionConflict,  # deadlock_detected
    "57P01": DatabaseUnavailable,  # admin_shutdown
    "57P02": DatabaseUnavailable,  # crash_shutdown
    "57P03": DatabaseUnavailable,  # cannot_connect_now
}


def domain_error(error: DBAPIError) -> TrackerError | None:
    """Return the tracker's word for an error of the database, or None where it has no word for it.

    A name of a constraint is more exact than an SQLSTATE, so it is asked first.
    """
    cause = error.orig
    if not isinstance(cause, psycopg.Error):
        return None
    constraint, sqlstate = cause.diag.constraint_name, cause.sqlstate
    message = cause.diag.message_primary or str(cause).strip()
    if sqlstate == "23505" and constraint in _BY_CONSTRAINT:
        kind, message = _BY_CONSTRAINT[constraint]
    elif constraint == "status_transition":
        kind = InvalidTransition
    elif sqlstate == "42501" and cause.diag.source_function == "ExecWithCheckOptions":
        # A policy refused a row. The server's words may be translated, its functions are not.
        kind, message = MissingReference, "It refers to what this organization does not have."
    elif sqlstate in _BY_SQLSTATE:
        kind = _BY_SQLSTATE[sqlstate]
    elif sqlstate is None and isinstance(cause, psycopg.DataError):
        kind = InvalidData  # psycopg itself refused it: a NUL character in a text
    elif error.connection_invalidated or (sqlstate or "08").startswith("08"):
        kind = DatabaseUnavailable
    else:
        return None
    return kind(message)


@contextmanager
def domain_errors() -> Iterator[None]:
    """Raise the tracker's errors in place of SQLAlchemy's.

    What the tracker has no word for (a missing table, a denied permission) passes unchanged: it
    is a fault of the program or of the installation, and its own message is the most useful one.
    """
    try:
        yield
    except DBAPIError as error:
        known = domain_error(error)
        if known is None:
            raise
        raise known from error

"""Each SQLSTATE that the tracker has a word for, provoked on a real server."""

import inspect

import pytest
from sqlalchemy import UniqueConstraint, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session, sessionmaker

from tracker import errors
from tracker.errors import domain_errors
from tracker.models import Base


@pytest.mark.parametrize(
    ("sqlstate", "expected"),
    [
        ("23505", errors.AlreadyExists),
        ("23503", errors.MissingReference),
        ("23514", errors.InvalidData),
        ("23502", errors.InvalidData),
        ("22001", errors.InvalidData),
        ("22003", errors.InvalidData),
        ("22P02", errors.InvalidData),
        ("40001", errors.TransactionConflict),
        ("40P01", errors.TransactionConflict),
        ("57P01", errors.DatabaseUnavailable),
        ("08006", errors.DatabaseUnavailable),
    ],
)
def test_an_sqlstate_becomes_the_trackers_own_error(
    session: Session, sqlstate: str, expected: type[Exception]
) -> None:
    raising = text(f"DO $$ BEGIN RAISE EXCEPTION 'because' USING ERRCODE = '{sqlstate}'; END $$")
    with pytest.raises(expected, match="because") as caught, domain_errors():
        session.execute(raising)
    assert type(caught.value) is expected
    assert caught.value.__cause__ is not None


def test_whoever_takes_what_another_row_has_is_told_what() -> None:
    """Values that people choose have an error of their own; the others nobody can choose."""
    drawn = {"uq_login_sessions_token_hash", "uq_verification_tokens_token_hash"}
    counted = {
        "uq_certificates_number",
        "uq_certificates_user_id_track_id",
        "uq_payments_provider_provider_payment_id",
        "uq_check_results_attempt_id_position",
        "uq_hints_taken_user_id_lesson_id_misconception_rung",
        "uq_quiz_attempts_quiz_id_user_id_number",
        "uq_section_progress_user_id_section_id",
        "uq_track_progress_user_id_track_id",
    }
    reference = {"uq_modules_track_id_id"}
    unique = {
        constraint.name
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    }
    assert unique - drawn - counted - reference == set(errors._BY_CONSTRAINT)


def test_what_the_tracker_has_no_word_for_passes_unchanged(session: Session) -> None:
    with pytest.raises(ProgrammingError, match="no_such_table"), domain_errors():
        session.execute(text("SELECT * FROM no_such_table"))


def test_a_connection_that_the_server_ended_is_unavailable(
    sessions: sessionmaker[Session], session: Session
) -> None:
    with sessions() as victim:
        pid = victim.scalar(text("SELECT pg_backend_pid()"))
        session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises(errors.DatabaseUnavailable), domain_errors():
            victim.execute(text("SELECT 1"))


def test_the_tree_in_the_documentation_names_every_error_in_its_place() -> None:
    drawn = {
        line.split()[-1] if "  " not in line.strip(" │├└─") else line.strip(" │├└─").split()[0]
        for line in (errors.__doc__ or "").splitlines()
        if "──" in line or line.strip() == "TrackerError"
    }
    defined = {
        name
        for name, value in inspect.getmembers(errors, inspect.isclass)
        if issubclass(value, errors.TrackerError)
    }
    assert drawn == defined

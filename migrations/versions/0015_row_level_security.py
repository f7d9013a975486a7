"""Row-level security: the role of the application sees one organization's rows at a time

Revision ID: 0015
Revises: 0014
"""

from collections.abc import Sequence
from typing import NamedTuple

from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A role belongs to the whole server, and other databases may have it, or make it at this moment.
CREATE_APP_ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tracker_app') THEN
        CREATE ROLE tracker_app NOLOGIN;
        GRANT tracker_app TO CURRENT_USER;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL;
    WHEN insufficient_privilege THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('%I may not make the missing role tracker_app', current_user),
            HINT = 'Ask an administrator of the server to run: CREATE ROLE tracker_app NOLOGIN';
END
$$
"""

# After a transaction that set it, a setting is not missing but empty: hence nullif().
CREATE_CURRENT_ORGANIZATION = """
CREATE FUNCTION current_organization() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CAST(nullif(current_setting('tracker.organization_id', true), '') AS uuid)
"""

ALL = "SELECT, INSERT, UPDATE, DELETE"


class Policy(NamedTuple):
    table: str
    visible: str
    writable: str
    allowed: str = ALL


def _sees(table: str, column: str, parent: str) -> str:
    return f"EXISTS (SELECT FROM {parent} WHERE {parent}.id = {table}.{column})"


def _sees_or_none(table: str, column: str, parent: str) -> str:
    return f"({table}.{column} IS NULL OR {_sees(table, column, parent)})"


def _through(table: str, column: str, parent: str, *others: str) -> Policy:
    """A row belongs to the parent's organization; `others` is asked of rows that are written."""
    visible = _sees(table, column, parent)
    return Policy(table, visible, " AND ".join([visible, *others]))


_OWN = "organization_id = current_organization()"
_PAYER = _sees("payments", "user_id", "users")
_PAID_FOR = _sees("payments", "track_id", "tracks")

POLICIES = (
    # Organizations come and go by the platform's hand, not by that of their members.
    Policy(
        "organizations", "id = current_organization()", "id = current_organization()",
        allowed="SELECT, UPDATE",
    ),
    Policy("users", _OWN, _OWN),
    Policy("tracks", _OWN, f"{_OWN} AND {_sees('tracks', 'author_id', 'users')}"),
    _through(
        "track_prerequisites", "track_id", "tracks",
        _sees("track_prerequisites", "prerequisite_id", "tracks"),
    ),
    _through("track_analytics", "track_id", "tracks"),
    _through("modules", "track_id", "tracks"),
    _through("lessons", "track_id", "tracks"),  # its module is one of the same track
    _through("sections", "lesson_id", "lessons"),
    _through("media", "lesson_id", "lessons"),
    _through("quizzes", "track_id", "tracks", _sees_or_none("quizzes", "module_id", "modules")),
    _through("questions", "quiz_id", "quizzes"),
    _through("oauth_accounts", "user_id", "users"),
    _through("login_sessions", "user_id", "users"),
    _through("verification_tokens", "user_id", "users"),
    _through("ai_interactions", "user_id", "users"),
    _through("enrollments", "user_id", "users", _sees("enrollments", "track_id", "tracks")),
    _through("track_progress", "user_id", "users", _sees("track_progress", "track_id", "tracks")),
    _through(
        "lesson_progress", "user_id", "users", _sees("lesson_progress", "lesson_id", "lessons")
    ),
    _through(
        "section_progress", "user_id", "users", _sees("section_progress", "section_id", "sections")
    ),
    _through("quiz_attempts", "user_id", "users", _sees("quiz_attempts", "quiz_id", "quizzes")),
    _through(
        "certificates", "user_id", "users", _sees_or_none("certificates", "track_id", "tracks")
    ),
    # A payment outlives the user and the track. Whose it was when both are gone, nobody can say.
    Policy(
        "payments",
        f"{_PAYER} OR {_PAID_FOR}",
        f"({_PAYER} OR {_PAID_FOR}) AND {_sees_or_none('payments', 'user_id', 'users')}"
        f" AND {_sees_or_none('payments', 'track_id', 'tracks')}",
    ),
)  # fmt: skip


def upgrade() -> None:
    op.execute(CREATE_APP_ROLE)
    op.execute(CREATE_CURRENT_ORGANIZATION)
    for table, visible, writable, allowed in POLICIES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_organization ON {table} TO tracker_app"
            f" USING ({visible}) WITH CHECK ({writable})"
        )
        op.execute(f"GRANT {allowed} ON {table} TO tracker_app")


def downgrade() -> None:
    for table, *_ in POLICIES:
        op.execute(f"REVOKE ALL ON {table} FROM tracker_app")
        op.execute(f"DROP POLICY one_organization ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute("DROP FUNCTION current_organization()")
    # The role stays. Other databases of the server may use it, and without a grant it can do
    # nothing here.

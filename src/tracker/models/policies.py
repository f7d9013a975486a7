"""Row-level security: one organization never sees the rows of another.

The application works as the role `tracker_app` and tells the server, in each transaction, whose
rows it is after (`tracker.db.confine`). The server adds these conditions to every statement that it
sends, so a WHERE that somebody forgot gives no rows in place of other people's.

- Reading, changing and deleting ask for one thing: does the row belong to the organization, or to a
  row that does? The subqueries are under the same rules, so a section asks its lesson, and the
  lesson its track. With EXISTS the planner chooses: for few rows it looks each parent up by its
  key, for many it reads the organization's parents once.
- Writing asks for more: everything that the row points at must be visible too. A foreign key does
  not ask: its check is made as the owner of the tables and sees all rows.
- The owner is not under these rules (no FORCE): migrations, backups, and the refresh of the
  materialized views work on the rows of all organizations.
- A materialized view cannot have rules. `tracker_app` may not read any.
- What a unique constraint covers is taken in all organizations: somebody who tries an email address
  learns whether there is an account.

Source: PostgreSQL manual, chapter 5.9 (Row Security Policies).
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, MetaData, event, text

from tracker.models.base import Base

# A role belongs to the whole server, and other databases may have it, or make it at this moment.
CREATE_APP_ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tracker_app') THEN
        CREATE ROLE tracker_app NOLOGIN;
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

# Whoever works with this database must be able to become the role, also where another database had
# made it before. Not everybody may grant that; `tracker.db.confine` says what to ask for.
JOIN_APP_ROLE = """
DO $$
BEGIN
    GRANT tracker_app TO CURRENT_USER;
EXCEPTION
    WHEN insufficient_privilege OR unique_violation THEN
        NULL;
END
$$
"""

# After a transaction that set it, a setting is not missing but empty: hence nullif().
CREATE_CURRENT_ORGANIZATION = """
CREATE OR REPLACE FUNCTION current_organization() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CAST(nullif(current_setting('tracker.organization_id', true), '') AS uuid)
"""

ALL = "SELECT, INSERT, UPDATE, DELETE"


@dataclass(frozen=True)
class Policy:
    """Which rows of a table the application may see, which it may write, and what it may do."""

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
    _through(
        "exercise_attempts", "user_id", "users", _sees("exercise_attempts", "lesson_id", "lessons")
    ),
    _through("check_results", "attempt_id", "exercise_attempts"),
    _through("hints_taken", "user_id", "users", _sees("hints_taken", "lesson_id", "lessons")),
    _through("predictions", "user_id", "users", _sees("predictions", "lesson_id", "lessons")),
    # A payment outlives the user and the track. Whose it was when both are gone, nobody can say.
    Policy(
        "payments",
        f"{_PAYER} OR {_PAID_FOR}",
        f"({_PAYER} OR {_PAID_FOR}) AND {_sees_or_none('payments', 'user_id', 'users')}"
        f" AND {_sees_or_none('payments', 'track_id', 'tracks')}",
    ),
)  # fmt: skip


def _protect(policy: Policy) -> tuple[str, ...]:
    return (
        f"ALTER TABLE {policy.table} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY one_organization ON {policy.table} TO tracker_app"
        f" USING ({policy.visible}) WITH CHECK ({policy.writable})",
        f"GRANT {policy.allowed} ON {policy.table} TO tracker_app",
    )


@event.listens_for(Base.metadata, "after_create")
def _protect_all(_metadata: MetaData, connection: Connection, **_: Any) -> None:
    statements = [CREATE_APP_ROLE, JOIN_APP_ROLE, CREATE_CURRENT_ORGANIZATION]
    for policy in POLICIES:
        statements += _protect(policy)
    for statement in statements:
        connection.execute(text(statement))

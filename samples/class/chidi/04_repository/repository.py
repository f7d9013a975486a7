"""Chidi: SQL is a perfectly good language."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models import UserNotFound


@dataclass
class PublicUser:
    id: UUID
    email: str
    username: str
    first_name: str | None
    last_name: str | None
    avatar: str | None
    bio: str | None
    role: str
    is_active: bool
    created_at: datetime
    updated_at: datetime


COLUMNS = ", ".join(PublicUser.__dataclass_fields__)

MATCHING = """
    (%(is_active)s::boolean IS NULL OR is_active = %(is_active)s)
    AND (%(role)s::text IS NULL OR role = %(role)s)
    AND (%(search)s::text IS NULL
         OR position(lower(%(search)s) IN lower(username)) > 0
         OR position(lower(%(search)s) IN lower(first_name)) > 0
         OR position(lower(%(search)s) IN lower(last_name)) > 0)
"""


def sql(session, statement, **values):
    return session.connection().exec_driver_sql(statement, values)


def create_user(session, *, email, username, password_hash, first_name=None, last_name=None):
    row = sql(
        session,
        "INSERT INTO users (email, username, password_hash, first_name, last_name)"
        " VALUES (%(email)s, %(username)s, %(password_hash)s, %(first_name)s, %(last_name)s)"
        " RETURNING " + COLUMNS,
        email=email,
        username=username,
        password_hash=password_hash,
        first_name=first_name,
        last_name=last_name,
    ).one()
    return PublicUser(*row)


def find_user(session, user_id):
    row = sql(session, f"SELECT {COLUMNS} FROM users WHERE id = %(id)s", id=user_id).first()
    return PublicUser(*row) if row else None


def list_users(session, *, search=None, role=None, is_active=True, page=1, page_size=10):
    values = {"search": search or None, "role": role, "is_active": is_active}
    rows = sql(
        session,
        f"SELECT {COLUMNS} FROM users WHERE {MATCHING}"
        " ORDER BY created_at DESC, id LIMIT %(n)s OFFSET %(skip)s",
        **values,
        n=page_size,
        skip=page_size * (page - 1),
    ).all()
    total = sql(session, f"SELECT count(*) FROM users WHERE {MATCHING}", **values).scalar_one()
    return {"total": total, "users": [PublicUser(*row) for row in rows]}


def update_user(session, user_id, changes):
    if set(changes) - {"first_name", "last_name", "avatar", "bio"}:
        raise ValueError(f"cannot change {', '.join(changes)}")
    values = {field: changes.get(field) for field in ("first_name", "last_name", "avatar", "bio")}
    given = {f"set_{field}": field in changes for field in values}
    row = sql(
        session,
        "UPDATE users SET updated_at = now(), "
        + ", ".join(
            f"{field} = CASE WHEN %(set_{field})s THEN %({field})s ELSE {field} END"
            for field in values
        )
        + f" WHERE id = %(id)s RETURNING {COLUMNS}",
        **values,
        **given,
        id=user_id,
    ).first()
    if row is None:
        raise UserNotFound(user_id)
    return PublicUser(*row)


def soft_delete_user(session, user_id):
    hit = sql(
        session,
        "UPDATE users SET is_active = false, updated_at = clock_timestamp()"
        " WHERE id = %(id)s RETURNING id",
        id=user_id,
    )
    if hit.first() is None:
        raise UserNotFound(user_id)


def hard_delete_user(session, user_id):
    sql(session, "DELETE FROM tracks WHERE author_id = %(id)s", id=user_id)
    if sql(session, "DELETE FROM users WHERE id = %(id)s RETURNING id", id=user_id).first() is None:
        raise UserNotFound(user_id)


def user_exists(session, identifier):
    return sql(
        session,
        "SELECT EXISTS (SELECT FROM users WHERE email = %(who)s UNION ALL"
        " SELECT FROM users WHERE username = %(who)s)",
        who=identifier,
    ).scalar_one()

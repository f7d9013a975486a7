# misconception: and-or-precedence
# fails: test_search_and_filters_all_hold
"""The users of the learning tracker, in plain SQL."""

from models import UserNotFound
from sqlalchemy import text

PUBLIC = "id, email, username, first_name, last_name, avatar, bio, role, is_active, created_at, updated_at"
PROFILE = ("first_name", "last_name", "avatar", "bio")

MATCHING = """
    FROM users
    WHERE (CAST(:is_active AS boolean) IS NULL OR is_active = :is_active)
      AND (CAST(:role AS text) IS NULL OR role = :role)
      AND strpos(lower(username), lower(:search)) > 0
       OR strpos(lower(first_name), lower(:search)) > 0
       OR strpos(lower(last_name), lower(:search)) > 0
"""
EVERYBODY = """
    FROM users
    WHERE (CAST(:is_active AS boolean) IS NULL OR is_active = :is_active)
      AND (CAST(:role AS text) IS NULL OR role = :role)
"""


def create_user(session, *, email, username, password_hash, first_name=None, last_name=None):
    return _one(
        session,
        f"""INSERT INTO users (email, username, password_hash, first_name, last_name)
            VALUES (:email, :username, :hash, :first, :last) RETURNING {PUBLIC}""",
        email=email,
        username=username,
        hash=password_hash,
        first=first_name,
        last=last_name,
    )


def find_user(session, user_id):
    return _one(session, f"SELECT {PUBLIC} FROM users WHERE id = :id", id=user_id)


def list_users(session, *, search=None, role=None, is_active=True, page=1, page_size=10):
    values = {"role": role, "is_active": is_active}
    matching = EVERYBODY
    if search:
        matching = MATCHING
        values["search"] = search
    total = session.execute(text(f"SELECT count(*) {matching}"), values).scalar()
    rows = session.execute(
        text(
            f"SELECT {PUBLIC} {matching} ORDER BY created_at DESC, id LIMIT :limit OFFSET :offset"
        ),
        {**values, "limit": page_size, "offset": (page - 1) * page_size},
    )
    return {"users": [dict(row) for row in rows.mappings()], "total": total}


def update_user(session, user_id, changes):
    for field in changes:
        if field not in PROFILE:
            raise ValueError(field)
    sets = "".join(f", {field} = :{field}" for field in changes)
    user = _one(
        session,
        f"UPDATE users SET updated_at = clock_timestamp(){sets} WHERE id = :id RETURNING {PUBLIC}",
        id=user_id,
        **changes,
    )
    if not user:
        raise UserNotFound(user_id)
    return user


def soft_delete_user(session, user_id):
    if not _one(
        session,
        "UPDATE users SET is_active = false, updated_at = now() WHERE id = :id RETURNING id",
        id=user_id,
    ):
        raise UserNotFound(user_id)


def hard_delete_user(session, user_id):
    if not _one(session, "DELETE FROM users WHERE id = :id RETURNING id", id=user_id):
        raise UserNotFound(user_id)


def user_exists(session, identifier):
    found = _one(session, "SELECT 1 FROM users WHERE :who IN (email, username)", who=identifier)
    return found is not None


def _one(session, sql, **values):
    row = session.execute(text(sql), values).mappings().first()
    return dict(row) if row else None

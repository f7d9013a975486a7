# Goran's repository. Plain SQL, no magic.

from models import UserNotFound
from sqlalchemy import text

PUBLIC = "id, email, username, first_name, last_name, avatar, bio, role, is_active, created_at, updated_at"
PROFILE = ("first_name", "last_name", "avatar", "bio")


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
    where = "true"
    if search:
        s = search.lower()
        where += f" AND lower(username) LIKE '%{s}%'"
        where += f" OR lower(first_name) LIKE '%{s}%' OR lower(last_name) LIKE '%{s}%'"
    if role:
        where += f" AND role = '{role}'"
    if is_active is not None:
        where += f" AND is_active = {is_active}"
    rows = session.execute(
        text(
            f"SELECT {PUBLIC} FROM users WHERE {where} ORDER BY created_at DESC, id"
            f" LIMIT {page_size} OFFSET {(page - 1) * page_size}"
        )
    )
    total = session.execute(text(f"SELECT count(*) FROM users WHERE {where}")).scalar()
    return {"users": [dict(row) for row in rows.mappings()], "total": total}


def update_user(session, user_id, changes):
    for field in changes:
        if field not in PROFILE:
            raise ValueError(field)
    sets = ", ".join(f"{field} = :{field}" for field in changes)
    if not sets:
        return find_user(session, user_id)
    user = _one(
        session,
        f"UPDATE users SET {sets} WHERE id = :id RETURNING {PUBLIC}",
        id=user_id,
        **changes,
    )
    if not user:
        raise UserNotFound(user_id)
    return user


def soft_delete_user(session, user_id):
    if not _one(
        session,
        "UPDATE users SET is_active = false WHERE id = :id RETURNING id",
        id=user_id,
    ):
        raise UserNotFound(user_id)


def hard_delete_user(session, user_id):
    if not _one(session, "DELETE FROM users WHERE id = :id RETURNING id", id=user_id):
        raise UserNotFound(user_id)


def user_exists(session, identifier):
    sql = f"SELECT 1 FROM users WHERE email = '{identifier}' OR username = '{identifier}'"
    return session.execute(text(sql)).first() is not None


def _one(session, sql, **values):
    row = session.execute(text(sql), values).mappings().first()
    return dict(row) if row else None

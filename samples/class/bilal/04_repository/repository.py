# Bilal. I do not trust ORMs, so this is Core only.

from models import User, UserNotFound
from sqlalchemy import delete, func, insert, literal, select, update

users = User.__table__
shown = [column for column in users.c if column.name != "password_hash"]


def create_user(session, **fields):
    return session.execute(insert(users).values(**fields).returning(*shown)).one()


def find_user(session, user_id):
    return session.execute(select(*shown).where(users.c.id == user_id)).one_or_none()


def list_users(session, *, search=None, role=None, is_active=True, page=1, page_size=10):
    conditions = []
    if search:
        haystacks = (users.c.username, users.c.first_name, users.c.last_name)
        needle = func.lower(search)
        found = literal(False)
        for haystack in haystacks:
            found |= func.strpos(func.lower(func.coalesce(haystack, "")), needle) > 0
        conditions.append(found)
    if role is not None:
        conditions.append(users.c.role == role)
    if is_active is not None:
        conditions.append(users.c.is_active.is_(is_active))
    total = session.execute(select(func.count(users.c.id)).where(*conditions)).scalar_one()
    rows = session.execute(
        select(*shown)
        .where(*conditions)
        .order_by(users.c.created_at.desc(), users.c.id.asc())
        .slice((page - 1) * page_size, page * page_size)
    )
    return {"users": rows.all(), "total": total}


def update_user(session, user_id, changes):
    allowed = {"first_name", "last_name", "avatar", "bio"}
    if not allowed.issuperset(changes):
        raise ValueError("only the profile can be changed")
    statement = (
        update(users)
        .where(users.c.id == user_id)
        .values(**changes, updated_at=func.statement_timestamp())
        .returning(*shown)
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        raise UserNotFound(f"no user {user_id}")
    return row._asdict()


def soft_delete_user(session, user_id):
    changed = session.execute(
        update(users).where(users.c.id == user_id).values(is_active=False)
    )  # updated_at moves by the column's onupdate, in Core too
    if changed.rowcount == 0:
        raise UserNotFound(f"no user {user_id}")


def hard_delete_user(session, user_id):
    if session.execute(delete(users).where(users.c.id == user_id)).rowcount == 0:
        raise UserNotFound(f"no user {user_id}")


def user_exists(session, identifier):
    taken = select(users.c.id).where(
        (users.c.email == identifier) | (users.c.username == identifier)
    )
    return session.scalar(select(taken.exists()))

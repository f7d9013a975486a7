"""Repository by Hana. Returns the users themselves, so the pages can use everything they have."""

from models import User, UserNotFound
from sqlalchemy import func, or_, select


def create_user(session, **fields):
    user = User(**fields)
    session.add(user)
    session.flush()
    return user


def find_user(session, user_id):
    return session.get(User, user_id)


def list_users(session, *, search=None, role=None, is_active=True, page=1, page_size=10):
    query = select(User)
    if is_active:
        query = query.where(User.is_active)
    if role:
        query = query.where(User.role == role)
    if search:
        in_user = User.username.icontains(search, autoescape=True)
        in_first = User.first_name.icontains(search, autoescape=True)
        in_last = User.last_name.icontains(search, autoescape=True)
        query = query.where(or_(in_user, in_first, in_last))
    total = session.scalar(select(func.count()).select_from(query.subquery()))
    start = (page - 1) * page_size
    users = session.scalars(
        query.order_by(User.created_at.desc(), User.id).offset(start).limit(page_size)
    ).all()
    return {"users": users, "total": total}


def update_user(session, user_id, changes):
    user = get_or_fail(session, user_id)
    for field, value in changes.items():
        setattr(user, field, value)
    session.flush()
    session.refresh(user)
    return user


def soft_delete_user(session, user_id):
    get_or_fail(session, user_id).is_active = False


def hard_delete_user(session, user_id):
    session.delete(get_or_fail(session, user_id))


def user_exists(session, identifier):
    query = select(User.id).where((User.email == identifier) | (User.username == identifier))
    return session.execute(query).first() is not None


def get_or_fail(session, user_id):
    user = session.get(User, user_id)
    if user is None:
        raise UserNotFound(user_id)
    return user

"""Mapped objects as answers, their hash deferred and never loaded; regular expressions."""

import re
from typing import NamedTuple

from models import User, UserNotFound
from sqlalchemy import exists, func, inspect, select
from sqlalchemy.orm import defer

NO_HASH = defer(User.password_hash, raiseload=True)
PROFILE = frozenset({"first_name", "last_name", "avatar", "bio"})


class UserPage(NamedTuple):
    users: list
    total: int


def create_user(session, **fields):
    user = User(**fields)
    with session.begin_nested():  # a savepoint of its own, and the flush that comes with it
        session.add(user)
    session.expire(user)
    return find_user(session, inspect(user).identity[0])


def find_user(session, user_id):
    statement = select(User).where(User.id == user_id).options(NO_HASH)
    return session.scalars(statement.execution_options(populate_existing=True)).one_or_none()


def list_users(session, search=None, role=None, is_active=True, page=1, page_size=10):
    query = select(User).options(NO_HASH)
    if search:
        pattern = re.sub(r"(\W)", r"\\\1", search, flags=re.ASCII)
        query = query.filter(
            User.username.regexp_match(pattern, "i")
            | User.first_name.regexp_match(pattern, "i")
            | User.last_name.regexp_match(pattern, "i")
        )
    if role:
        query = query.filter_by(role=role)
    if is_active is not None:
        query = query.filter_by(is_active=is_active)
    total = session.scalar(query.with_only_columns(func.count(User.id)))
    first = page_size * (page - 1)
    newest_first = query.order_by(User.created_at.desc(), User.id)
    users = session.scalars(newest_first.offset(first).limit(page_size))
    return UserPage(list(users), total)


def update_user(session, user_id, changes):
    refused = [field for field in changes if field not in PROFILE]
    if refused:
        raise ValueError(refused)
    user = _must(find_user(session, user_id), user_id)
    for field in PROFILE & set(changes):
        setattr(user, field, changes[field])
    session.flush()
    session.refresh(user, ["updated_at"])
    return user


def soft_delete_user(session, user_id):
    user = _must(find_user(session, user_id), user_id)
    user.is_active = False
    return user


def hard_delete_user(session, user_id):
    session.delete(_must(find_user(session, user_id), user_id))
    session.flush()


def user_exists(session, identifier):
    return any(
        session.scalar(select(exists().where(column == identifier)))
        for column in (User.email, User.username)
    )


def _must(user, user_id):
    if user is None:
        raise UserNotFound(user_id)
    return user

"""What the forms store: the tables are locked against other writers, then there is time to look."""

from models import (
    EmailTaken,
    Rating,
    Refused,
    Track,
    TrackUnknown,
    User,
    UsernameTaken,
    UserUnknown,
    ValueMissing,
    ValueNotAllowed,
)
from sqlalchemy import func, text


def _alone(session, statement):
    session.execute(text(statement))


def _must(value, allowed=None, optional=False):
    if value is None and not optional:
        raise ValueMissing
    if value is not None and allowed and value not in allowed:
        raise ValueNotAllowed(value)


def add_user(session, *, email, username, age=None):
    _must(email)
    _must(username)
    _must(age, range(13, 121), optional=True)
    _alone(session, "LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
    users = session.query(User)
    if users.filter(func.lower(User.email) == func.lower(email)).first():
        raise EmailTaken(email)
    if users.filter_by(username=username).count():
        raise UsernameTaken(username)
    user = User(email=email, username=username, age=age)
    session.add(user)
    session.flush([user])
    return user.id


def rate(session, *, user_id, track_id, stars, comment=None):
    _must(stars, range(1, 6))
    _alone(session, "LOCK TABLE ratings IN SHARE ROW EXCLUSIVE MODE")
    if not session.get(User, user_id):
        raise UserUnknown(user_id)
    if not session.get(Track, track_id):
        raise TrackUnknown(track_id)
    rating = session.query(Rating).filter_by(user_id=user_id, track_id=track_id).one_or_none()
    if rating is None:
        rating = Rating(user_id=user_id, track_id=track_id, stars=stars, comment=comment)
        session.add(rating)
    else:
        rating.stars = stars
        rating.comment = rating.comment if comment is None else comment
        rating.updated_at = func.now()
    session.flush()
    return rating.id


def import_users(session, people):
    told = dict.fromkeys(range(len(people)))
    for number, person in enumerate(people):
        try:
            add_user(session, **person)
        except Refused as refusal:
            told[number] = type(refusal).__name__
    return [told[number] for number in range(len(people))]

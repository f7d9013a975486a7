"""As if one were alone: SERIALIZABLE, and again from the beginning where PostgreSQL refuses."""

import functools
import time

import models
import sqlalchemy as sa
from contract import (
    AlreadyEnrolled,
    EmailTaken,
    NotEnrolled,
    NotFound,
    NotPublished,
    TrackFull,
    Unavailable,
)
from models import enrollments, lesson_progress, tracks, users
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

parts = models.lessons
SHOWN = (
    tracks.c.id,
    tracks.c.title,
    tracks.c.difficulty,
    tracks.c.price_cents,
    tracks.c.seats,
    tracks.c.published,
)


def open_store(url):
    engine = sa.create_engine(
        url,
        isolation_level="SERIALIZABLE",
        pool_size=3,
        max_overflow=2,
        pool_recycle=600,
    )
    return CoreStore(engine)


def alone(method):
    """A method as if nobody else were there."""

    @functools.wraps(method)
    def attempts(self, *arguments, **named):
        last = None
        for n in range(20):
            try:
                with self.begin() as connection:
                    return method(self, connection, *arguments, **named)
            except IntegrityError:
                if n > 2:
                    raise
            except OperationalError as error:
                last = error
                if error.orig.sqlstate in ("40001", "40P01"):
                    time.sleep(0.01 * n)
                elif not error.connection_invalidated or n > 0:
                    break  # a connection that had died is tried once more with a new one
            except DBAPIError as error:
                last = error
                break
        raise Unavailable("Later, perhaps.") from last

    return attempts


class CoreStore:
    def __init__(self, engine):
        self.begin = engine.begin
        self.close = engine.dispose

    @alone
    def add_user(self, connection, email, name):
        if connection.scalar(sa.select(users.c.id).where(users.c.email == email)):
            raise EmailTaken(email)
        new = users.insert().values(email=email, name=name).returning(users)
        return connection.execute(new).mappings().one()

    @alone
    def user(self, connection, user_id):
        return self._user(connection, user_id)

    @alone
    def add_track(self, connection, title, difficulty, price_cents, seats, lessons):
        fields = {
            "title": title,
            "difficulty": difficulty,
            "price_cents": price_cents,
            "seats": seats,
        }
        track = connection.scalar(tracks.insert().values(fields).returning(tracks.c.id))
        rows = [{**part, "track_id": track, "position": n} for n, part in enumerate(lessons, 100)]
        if rows:
            connection.execute(parts.insert(), rows)
        return self._track(connection, track)

    @alone
    def track(self, connection, track_id):
        return self._track(connection, track_id)

    @alone
    def change_track(self, connection, track_id, changes):
        self._track(connection, track_id)
        if changes:
            connection.execute(tracks.update().where(tracks.c.id == track_id).values(changes))
        return self._track(connection, track_id)

    @alone
    def tracks(self, connection, search, difficulty, page, limit):
        wanted = sa.select(*SHOWN).where(tracks.c.published).order_by(-tracks.c.id)
        if search:
            for special in "\\%_":
                search = search.replace(special, "\\" + special)
            wanted = wanted.where(tracks.c.title.ilike(f"%{search}%"))
        if difficulty:
            wanted = wanted.where(tracks.c.difficulty == difficulty)
        total = connection.scalar(sa.select(sa.func.count()).select_from(wanted.subquery()))
        rows = connection.execute(wanted.offset((page - 1) * limit).limit(limit)).mappings().all()
        ids = [row["id"] for row in rows]
        have = self._numbers(connection, parts, ids)
        learn = self._numbers(connection, enrollments, ids)
        items = [
            {**row, "lessons": have.get(row["id"], 0), "learners": learn.get(row["id"], 0)}
            for row in rows
        ]
        return {"items": items, "total": total}

    @alone
    def enroll(self, connection, user_id, track_id):
        self._user(connection, user_id)
        track = self._track(connection, track_id)
        if not track["published"]:
            raise NotPublished(track_id)
        of_track = enrollments.c.track_id == track_id
        learners = set(connection.scalars(sa.select(enrollments.c.user_id).where(of_track)))
        if user_id in learners:
            raise AlreadyEnrolled(track_id)
        if track["seats"] and len(learners) >= track["seats"]:
            raise TrackFull(track_id)
        connection.execute(enrollments.insert(), {"user_id": user_id, "track_id": track_id})
        for lesson in track["lessons"]:
            row = {"user_id": user_id, "lesson_id": lesson["id"]}
            connection.execute(lesson_progress.insert(), row)
        return {"user_id": user_id, "track_id": track_id, "lessons": len(track["lessons"])}

    @alone
    def enrollments(self, connection, user_id):
        self._user(connection, user_id)
        mine = sa.select(tracks.c.id, tracks.c.title).join(enrollments)
        found = connection.execute(mine.where(enrollments.c.user_id == user_id)).all()
        records = connection.execute(
            sa.select(parts.c.track_id, lesson_progress.c.completed_at)
            .join(parts)
            .where(lesson_progress.c.user_id == user_id)
        ).all()
        return [
            {
                "track_id": track,
                "title": title,
                "lessons": sum(of == track for of, _ in records),
                "completed": sum(of == track and at is not None for of, at in records),
            }
            for track, title in sorted(found)
        ]

    @alone
    def study(self, connection, user_id, lesson_id, minutes, score):
        self._user(connection, user_id)
        if not connection.scalar(sa.select(parts.c.id).where(parts.c.id == lesson_id)):
            raise NotFound(lesson_id)
        mine = (lesson_progress.c.user_id == user_id) & (lesson_progress.c.lesson_id == lesson_id)
        record = connection.execute(sa.select(lesson_progress).where(mine)).one_or_none()
        if record is None:
            raise NotEnrolled(lesson_id)
        scores = [one for one in (record.score, score) if one is not None]
        now = {"minutes": record.minutes + minutes, "score": max(scores) if scores else None}
        done = {"completed_at": record.completed_at or sa.func.now()}
        connection.execute(lesson_progress.update().where(mine).values({**now, **done}))
        return {"lesson_id": lesson_id, **now}

    @alone
    def progress(self, connection, user_id):
        self._user(connection, user_id)
        mine = sa.select(lesson_progress).where(lesson_progress.c.user_id == user_id)
        records = connection.execute(mine).all()
        of_user = enrollments.c.user_id == user_id
        enrolled = sa.select(sa.func.count()).select_from(enrollments).where(of_user)
        return {
            "tracks": connection.scalar(enrolled),
            "lessons": len(records),
            **figures(records),
        }

    @alone
    def popular(self, connection, limit):
        rows = connection.execute(sa.select(tracks.c.id, tracks.c.title).where(tracks.c.published))
        found = rows.all()
        ids = [track for track, _ in found]
        have = self._numbers(connection, parts, ids)
        learn = self._numbers(connection, enrollments, ids)
        first = sorted(found, key=lambda row: (-learn.get(row.id, 0), row.id))[:limit]
        wanted = sa.select(lesson_progress, parts.c.track_id).join(parts)
        chosen = parts.c.track_id.in_([row.id for row in first])
        records = connection.execute(wanted.where(chosen)).all()
        return [
            {
                "track_id": track,
                "title": title,
                "lessons": have.get(track, 0),
                "learners": learn.get(track, 0),
                **figures([record for record in records if record.track_id == track]),
            }
            for track, title in first
        ]

    @alone
    def health(self, connection):
        return connection.scalar(sa.text("SHOW server_version"))

    def _user(self, connection, user_id):
        found = connection.execute(sa.select(users).where(users.c.id == user_id)).mappings()
        return found.one_or_none() or missing(user_id)

    def _track(self, connection, track_id):
        found = connection.execute(sa.select(*SHOWN).where(tracks.c.id == track_id)).mappings()
        track = found.one_or_none() or missing(track_id)
        wanted = sa.select(parts.c.id, parts.c.title, parts.c.minutes)
        ordered = wanted.where(parts.c.track_id == track_id).order_by(parts.c.position)
        return {**track, "lessons": [dict(r) for r in connection.execute(ordered).mappings()]}

    def _numbers(self, connection, table, ids):
        of = table.c.track_id
        grouped = sa.select(of, sa.func.count()).where(of.in_(ids)).group_by(of)
        return dict(connection.execute(grouped).tuples().all())


def figures(records):
    scores = [record.score for record in records if record.score is not None]
    return {
        "completed": sum(record.completed_at is not None for record in records),
        "minutes": sum(record.minutes for record in records),
        "average_score": sum(scores) / len(scores) if scores else None,
    }


def missing(number):
    raise NotFound(number)

"""Mapped objects and Python, with an advisory lock where two could meet."""

import contextlib

from contract import (
    AlreadyEnrolled,
    EmailTaken,
    NotEnrolled,
    NotFound,
    NotPublished,
    TrackFull,
    Unavailable,
)
from models import Enrollment, Lesson, LessonProgress, Track, User
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session, joinedload, selectinload


def open_store(url):
    return ObjectStore(create_engine(url, pool_size=2, max_overflow=3, pool_pre_ping=True))


class ObjectStore:
    def __init__(self, bind, **options):
        self.bind, self.options = bind, options

    def work(self):
        return Work(self.bind, **self.options)

    def add_user(self, email, name):
        with self.work() as session:
            user = User(email=email, name=name)
            try:
                with session.begin_nested():
                    session.add(user)
            except IntegrityError as error:
                if error.orig.diag.constraint_name != "users_email_key":
                    raise
                raise EmailTaken(email) from error
            return shown_user(user)

    def user(self, user_id):
        with self.work() as session:
            return shown_user(found(session, User, user_id))

    def add_track(self, title, difficulty, price_cents, seats, lessons):
        with self.work() as session:
            track = Track(title=title, difficulty=difficulty, seats=seats)
            track.price_cents = price_cents
            track.lessons += [Lesson(position=n, **lesson) for n, lesson in enumerate(lessons)]
            session.add(track)
            session.flush()
            return shown_track(track)

    def track(self, track_id):
        with self.work() as session:
            return shown_track(found(session, Track, track_id))

    def change_track(self, track_id, changes):
        with self.work() as session:
            track = found(session, Track, track_id)
            for name in ("title", "difficulty", "price_cents", "seats", "published"):
                if name in changes:
                    setattr(track, name, changes[name])
            return shown_track(track)

    def tracks(self, search, difficulty, page, limit):
        with self.work() as session:
            wanted = select(Track).where(Track.published.is_(True)).order_by(Track.id.desc())
            if difficulty is not None:
                wanted = wanted.filter_by(difficulty=difficulty)
            if search is not None:
                lowered = func.lower(Track.title)
                wanted = wanted.where(func.strpos(lowered, search.lower()) > 0)
            total = func.count().over().label("total")
            rows = session.execute(
                wanted.add_columns(total)
                .options(selectinload(Track.lessons))
                .slice((page - 1) * limit, page * limit)
            ).all()
            if rows:
                every = rows[0].total
            else:
                every = session.scalar(select(func.count()).select_from(wanted.subquery()))
            learners = self.learners(session, [track for track, _ in rows])
            return {
                "items": [
                    shown_track(track)
                    | {"lessons": len(track.lessons), "learners": learners.get(track.id, 0)}
                    for track, _ in rows
                ],
                "total": every,
            }

    def enroll(self, user_id, track_id):
        with self.work() as session:
            found(session, User, user_id)
            session.execute(
                text("SELECT pg_advisory_xact_lock(17, hashint8(:id))"), {"id": track_id}
            )
            track = found(session, Track, track_id)
            if not track.published:
                raise NotPublished(track_id)
            if session.get(Enrollment, {"user_id": user_id, "track_id": track_id}) is not None:
                raise AlreadyEnrolled(track_id)
            taken = self.learners(session, [track]).get(track_id, 0)
            if track.seats is not None and track.seats <= taken:
                raise TrackFull(track_id)
            session.add(Enrollment(user_id=user_id, track_id=track_id))
            session.add_all(
                LessonProgress(user_id=user_id, lesson_id=lesson.id) for lesson in track.lessons
            )
            return {"user_id": user_id, "track_id": track_id, "lessons": len(track.lessons)}

    def enrollments(self, user_id):
        with self.work() as session:
            found(session, User, user_id)
            tracks = session.scalars(
                select(Track)
                .where(Track.id.in_(select(Enrollment.track_id).filter_by(user_id=user_id)))
                .options(joinedload(Track.lessons))
            ).unique()
            done = set(
                session.scalars(
                    select(LessonProgress.lesson_id).where(
                        LessonProgress.user_id == user_id, LessonProgress.completed_at.is_not(None)
                    )
                )
            )
            return [
                {
                    "track_id": track.id,
                    "title": track.title,
                    "lessons": len(track.lessons),
                    "completed": sum(lesson.id in done for lesson in track.lessons),
                }
                for track in sorted(tracks, key=lambda track: track.id)
            ]

    def study(self, user_id, lesson_id, minutes, score):
        with self.work() as session:
            found(session, User, user_id)
            found(session, Lesson, lesson_id)
            record = session.get(LessonProgress, (user_id, lesson_id), with_for_update=True)
            if record is None:
                raise NotEnrolled(lesson_id)
            record.minutes += minutes
            if score is not None and (record.score is None or score > record.score):
                record.score = score
            if record.completed_at is None:
                record.completed_at = func.now()
            return {"lesson_id": lesson_id, "minutes": record.minutes, "score": record.score}

    def progress(self, user_id):
        with self.work() as session:
            found(session, User, user_id)
            records = session.scalars(select(LessonProgress).filter_by(user_id=user_id)).all()
            tracks = session.scalars(select(Enrollment).filter_by(user_id=user_id)).all()
            return {"tracks": len(tracks), "lessons": len(records)} | figures(records)

    def popular(self, limit):
        with self.work() as session:
            tracks = session.scalars(
                select(Track).where(Track.published).options(selectinload(Track.lessons))
            ).all()
            learners = self.learners(session, tracks)
            first = sorted(tracks, key=lambda t: (-learners.get(t.id, 0), t.id))[:limit]
            of = {lesson.id: track.id for track in first for lesson in track.lessons}
            records = {track.id: [] for track in first}
            for record in session.scalars(
                select(LessonProgress).where(LessonProgress.lesson_id.in_(of))
            ):
                records[of[record.lesson_id]].append(record)
            return [
                {
                    "track_id": track.id,
                    "title": track.title,
                    "lessons": len(track.lessons),
                    "learners": learners.get(track.id, 0),
                }
                | figures(records[track.id])
                for track in first
            ]

    def health(self):
        with self.work() as session:
            return f"{session.scalar(select(func.count(User.id)))} users"

    def close(self):
        getattr(self.bind, "dispose", lambda: None)()

    def learners(self, session, tracks):
        ids = [track.id for track in tracks]
        rows = session.execute(
            select(Enrollment.track_id, func.count())
            .where(Enrollment.track_id.in_(ids))
            .group_by(Enrollment.track_id)
        )
        return dict(rows.tuples().all())


class Work(contextlib.ExitStack):
    """A session and its transaction; what goes wrong with the connection has a name."""

    def __init__(self, bind, **options):
        super().__init__()
        self.session = Session(bind, **options)

    def __enter__(self):
        super().__enter__()
        self.enter_context(self.session)
        self.enter_context(self.session.begin())
        return self.session

    def __exit__(self, kind, error, trace):
        try:
            super().__exit__(kind, error, trace)
        except OperationalError as late:
            raise Unavailable("away") from late
        if isinstance(error, OperationalError):
            raise Unavailable("away") from error
        return False


def found(session, kind, number):
    there = session.get(kind, number)
    if there is None:
        raise NotFound(f"{kind.__name__} {number}")
    return there


def shown_user(user):
    return {"id": user.id, "email": user.email, "name": user.name}


def shown_track(track):
    names = ("id", "title", "difficulty", "price_cents", "seats", "published")
    parts = [{"id": one.id, "title": one.title, "minutes": one.minutes} for one in track.lessons]
    return {name: getattr(track, name) for name in names} | {"lessons": parts}


def figures(records):
    scores = [record.score for record in records if record.score is not None]
    return {
        "completed": len([record for record in records if record.completed_at]),
        "minutes": sum(record.minutes for record in records),
        "average_score": sum(scores) / len(scores) if scores else None,
    }

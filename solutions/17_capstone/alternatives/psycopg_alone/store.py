"""A store in SQL: psycopg, a handful of connections that take turns, and row locks."""

import contextlib
import queue

import psycopg
from contract import (
    AlreadyEnrolled,
    EmailTaken,
    NotEnrolled,
    NotFound,
    NotPublished,
    TrackFull,
    Unavailable,
)
from psycopg.rows import dict_row


def open_store(url):
    return Store(Connections(url.replace("+psycopg", "", 1)))


class Connections:
    """Four at most; who finds none waits for one."""

    def __init__(self, url):
        self.url = url
        self.free = queue.LifoQueue()
        for _ in range(4):
            self.free.put(None)

    @contextlib.contextmanager
    def one(self):
        connection = self.free.get()
        try:
            if connection is None or not self.lives(connection):
                connection = None
                connection = psycopg.connect(self.url, autocommit=True, row_factory=dict_row)
            yield connection
        finally:
            self.free.put(connection)

    def lives(self, connection):
        try:
            connection.execute("")
        except psycopg.OperationalError:
            connection.close()
            return False
        return True

    def close(self):
        while not self.free.empty():
            connection = self.free.get()
            if connection is not None:
                connection.close()


class Store:
    def __init__(self, connections):
        self.connections = connections

    @contextlib.contextmanager
    def cursor(self):
        try:
            with (
                self.connections.one() as connection,
                connection.transaction(),
                connection.cursor() as cursor,
            ):
                yield cursor
        except psycopg.OperationalError as error:
            raise Unavailable("PostgreSQL is not there.") from error

    def add_user(self, email, name):
        with self.cursor() as cursor:
            try:
                cursor.execute(
                    "INSERT INTO users (email, name) VALUES (%s, %s) RETURNING id, email, name",
                    [email, name],
                )
            except psycopg.errors.UniqueViolation:
                raise EmailTaken(email) from None
            return cursor.fetchone()

    def user(self, user_id):
        with self.cursor() as cursor:
            return one_user(cursor, user_id)

    def add_track(self, title, difficulty, price_cents, seats, lessons):
        with self.cursor() as cursor:
            cursor.execute(
                "INSERT INTO tracks (title, difficulty, price_cents, seats)"
                " VALUES (%s, %s, %s, %s) RETURNING id",
                [title, difficulty, price_cents, seats],
            )
            track = cursor.fetchone()["id"]
            with cursor.copy(
                "COPY lessons (track_id, position, title, minutes) FROM STDIN"
            ) as rows:
                for position, lesson in enumerate(lessons, start=1):
                    rows.write_row((track, position, lesson["title"], lesson["minutes"]))
            return one_track(cursor, track)

    def track(self, track_id):
        with self.cursor() as cursor:
            return one_track(cursor, track_id)

    def change_track(self, track_id, changes):
        with self.cursor() as cursor:
            for field, value in changes.items():
                name = psycopg.sql.Identifier(field)
                update = psycopg.sql.SQL("UPDATE tracks SET {} = %s WHERE id = %s").format(name)
                cursor.execute(update, [value, track_id])
            return one_track(cursor, track_id)

    def tracks(self, search, difficulty, page, limit):
        with self.cursor() as cursor:
            cursor.execute(
                """
                WITH found AS (
                    SELECT * FROM tracks
                    WHERE published
                      AND strpos(lower(title), lower(%(search)s)) > 0
                      AND difficulty = coalesce(%(difficulty)s, difficulty)
                )
                SELECT (SELECT count(*) FROM found) AS total,
                       (SELECT coalesce(json_agg(shown), '[]') FROM (
                           SELECT id, title, difficulty, price_cents, seats, published,
                               (SELECT count(*) FROM lessons WHERE track_id = found.id) AS lessons,
                               (SELECT count(*) FROM enrollments e WHERE e.track_id = found.id)
                                   AS learners
                           FROM found ORDER BY id DESC LIMIT %(limit)s OFFSET %(skip)s
                       ) shown) AS items
                """,
                {
                    "search": search or "",
                    "difficulty": difficulty,
                    "limit": limit,
                    "skip": (page - 1) * limit,
                },
            )
            return cursor.fetchone()

    def enroll(self, user_id, track_id):
        with self.cursor() as cursor:
            one_user(cursor, user_id)
            cursor.execute(
                "SELECT published, seats FROM tracks WHERE id = %s FOR UPDATE", [track_id]
            )
            track = cursor.fetchone()
            if track is None:
                raise NotFound(track_id)
            if not track["published"]:
                raise NotPublished(track_id)
            # Counted by a statement that begins after the lock was granted.
            cursor.execute("SELECT user_id FROM enrollments WHERE track_id = %s", [track_id])
            learners = [row["user_id"] for row in cursor]
            if user_id in learners:
                raise AlreadyEnrolled(track_id)
            if track["seats"] is not None and len(learners) >= track["seats"]:
                raise TrackFull(track_id)
            cursor.execute(
                """
                WITH enrolled AS (INSERT INTO enrollments (user_id, track_id) VALUES (%s, %s))
                INSERT INTO lesson_progress (user_id, lesson_id)
                SELECT %s, id FROM lessons WHERE track_id = %s
                """,
                [user_id, track_id, user_id, track_id],
            )
            return {"user_id": user_id, "track_id": track_id, "lessons": cursor.rowcount}

    def enrollments(self, user_id):
        with self.cursor() as cursor:
            one_user(cursor, user_id)
            cursor.execute(
                """
                SELECT t.id AS track_id, t.title, count(l.id) AS lessons,
                       count(*) FILTER (WHERE p.completed_at IS NOT NULL) AS completed
                FROM enrollments e JOIN tracks t ON t.id = e.track_id
                LEFT JOIN lessons l ON l.track_id = t.id
                LEFT JOIN lesson_progress p ON p.lesson_id = l.id AND p.user_id = e.user_id
                WHERE e.user_id = %s GROUP BY t.id ORDER BY t.id
                """,
                [user_id],
            )
            return cursor.fetchall()

    def study(self, user_id, lesson_id, minutes, score):
        with self.cursor() as cursor:
            one_user(cursor, user_id)
            cursor.execute("SELECT FROM lessons WHERE id = %s", [lesson_id])
            if not cursor.rowcount:
                raise NotFound(lesson_id)
            cursor.execute(
                "SELECT minutes, score FROM lesson_progress"
                " WHERE user_id = %s AND lesson_id = %s FOR UPDATE",
                [user_id, lesson_id],
            )
            record = cursor.fetchone()
            if record is None:
                raise NotEnrolled(lesson_id)
            minutes += record["minutes"]
            if score is None or (record["score"] or 0) > score:
                score = record["score"]
            cursor.execute(
                "UPDATE lesson_progress SET minutes = %s, score = %s, completed_at = now()"
                " WHERE user_id = %s AND lesson_id = %s",
                [minutes, score, user_id, lesson_id],
            )
            return {"lesson_id": lesson_id, "minutes": minutes, "score": score}

    def progress(self, user_id):
        with self.cursor() as cursor:
            one_user(cursor, user_id)
            cursor.execute(
                """
                SELECT count(*) AS lessons, count(completed_at) AS completed,
                       coalesce(sum(minutes), 0) AS minutes, avg(score)::float AS average_score,
                       (SELECT count(*) FROM enrollments WHERE user_id = %(user)s) AS tracks
                FROM lesson_progress WHERE user_id = %(user)s
                """,
                {"user": user_id},
            )
            return cursor.fetchone()

    def popular(self, limit):
        with self.cursor() as cursor:
            cursor.execute(
                """
                SELECT t.id AS track_id, t.title,
                       (SELECT count(*) FROM lessons WHERE track_id = t.id) AS lessons,
                       (SELECT count(*) FROM enrollments WHERE track_id = t.id) AS learners,
                       count(p.completed_at) AS completed, coalesce(sum(p.minutes), 0) AS minutes,
                       avg(p.score)::float AS average_score
                FROM tracks t
                LEFT JOIN lessons l ON l.track_id = t.id
                LEFT JOIN lesson_progress p ON p.lesson_id = l.id
                WHERE t.published GROUP BY t.id ORDER BY learners DESC, t.id LIMIT %s
                """,
                [limit],
            )
            return cursor.fetchall()

    def health(self):
        with self.cursor() as cursor:
            return cursor.execute("SELECT version() AS version").fetchone()["version"]

    def close(self):
        self.connections.close()


def one_user(cursor, user_id):
    cursor.execute("SELECT id, email, name FROM users WHERE id = %s", [user_id])
    return cursor.fetchone() or nobody(user_id)


def one_track(cursor, track_id):
    cursor.execute(
        "SELECT id, title, difficulty, price_cents, seats, published FROM tracks WHERE id = %s",
        [track_id],
    )
    track = cursor.fetchone() or nobody(track_id)
    cursor.execute(
        "SELECT id, title, minutes FROM lessons WHERE track_id = %s ORDER BY position", [track_id]
    )
    return track | {"lessons": cursor.fetchall()}


def nobody(number):
    raise NotFound(f"There is nothing with the id {number}.")

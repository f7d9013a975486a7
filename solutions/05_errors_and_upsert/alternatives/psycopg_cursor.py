"""What the forms store, on the psycopg connection below the session, by classes of errors."""

import models
from psycopg import errors
from psycopg.pq import TransactionStatus

WORDS = {
    (errors.UniqueViolation, "users_email_key"): models.EmailTaken,
    (errors.UniqueViolation, "users_username_key"): models.UsernameTaken,
    (errors.ForeignKeyViolation, "ratings_user_id_fkey"): models.UserUnknown,
    (errors.ForeignKeyViolation, "ratings_track_id_fkey"): models.TrackUnknown,
    (errors.CheckViolation, "users_age_check"): models.ValueNotAllowed,
    (errors.CheckViolation, "ratings_stars_check"): models.ValueNotAllowed,
}
ADD = "INSERT INTO users (email, username, age) VALUES (%s, %s, %s) RETURNING id"
RATE = """
INSERT INTO ratings AS old (user_id, track_id, stars, comment)
VALUES (%(user_id)s, %(track_id)s, %(stars)s, %(comment)s)
ON CONFLICT ON CONSTRAINT ratings_user_id_track_id_key DO UPDATE
SET stars = EXCLUDED.stars, updated_at = clock_timestamp(),
    comment = CASE WHEN EXCLUDED.comment IS NULL THEN old.comment ELSE EXCLUDED.comment END
RETURNING id
"""


def _id(session, statement, parameters):
    connection = session.connection().connection.driver_connection
    if connection.info.transaction_status == TransactionStatus.IDLE:
        connection.execute("SELECT")  # or transaction() would be no savepoint, and commit
    try:
        with connection.transaction():
            return connection.execute(statement, parameters).fetchone()[0]
    except errors.NotNullViolation as error:
        raise models.ValueMissing(error.diag.column_name) from None
    except errors.IntegrityError as error:
        word = WORDS.get((type(error), error.diag.constraint_name))
        if word:
            raise word from None
        raise


def add_user(session, *, email, username, age=None):
    return _id(session, ADD, (email, username, age))


def rate(session, **rating):
    return _id(session, RATE, {"comment": None} | rating)


def import_users(session, people):
    def one(person):
        try:
            add_user(session, **person)
        except models.Refused as refusal:
            return refusal.__class__.__name__

    return [*map(one, people)]

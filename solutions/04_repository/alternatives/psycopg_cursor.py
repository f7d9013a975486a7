"""No SQLAlchemy statements: a psycopg cursor on the session's own connection."""

import re

from models import UserNotFound
from psycopg import sql
from psycopg.rows import dict_row

HIDDEN = {"password_hash"}
PROFILE = ["first_name", "last_name", "avatar", "bio"]


def _run(session, query, values=None):
    connection = session.connection().connection.driver_connection
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(query, values)
        return [_shown(row) for row in cursor.fetchall()] if cursor.description else cursor.rowcount


def _shown(row):
    return {name: value for name, value in row.items() if name not in HIDDEN}


def create_user(session, *, email, username, password_hash, first_name=None, last_name=None):
    values = (email, username, password_hash, first_name, last_name)
    query = """INSERT INTO users (email, username, password_hash, first_name, last_name)
               VALUES (%s, %s, %s, %s, %s) RETURNING *"""
    return _run(session, query, values)[0]


def find_user(session, user_id):
    return next(iter(_run(session, "SELECT * FROM users WHERE id = %s", [user_id])), None)


def list_users(session, *, search=None, role=None, is_active=True, page=1, page_size=10):
    conditions, values = [], []
    if search is not None:
        pattern = re.sub(r"([%_!])", r"!\1", search)
        conditions.append(
            "(username ILIKE %s ESCAPE '!' OR first_name ILIKE %s ESCAPE '!'"
            " OR last_name ILIKE %s ESCAPE '!')"
        )
        values += [f"%{pattern}%"] * 3
    for column, value in (("role", role), ("is_active", is_active)):
        if value is not None:
            conditions.append(f"{column} = %s")
            values.append(value)
    where = " WHERE " + " AND ".join(conditions) if conditions else ""
    # One statement for both: the page hangs on the count, so an empty page has a total too.
    rows = _run(
        session,
        f"""WITH matching AS MATERIALIZED (SELECT * FROM users{where}),
                 page AS (SELECT * FROM matching ORDER BY created_at DESC, id LIMIT %s OFFSET %s)
            SELECT page.*, counted.total
            FROM (SELECT count(*) AS total FROM matching) AS counted LEFT JOIN page ON true
            ORDER BY page.created_at DESC, page.id""",
        [*values, page_size, (page - 1) * page_size],
    )
    total = rows[0]["total"]
    for row in rows:
        del row["total"]
    return {"users": [row for row in rows if row["id"]], "total": total}


def update_user(session, user_id, changes):
    if any(field not in PROFILE for field in changes):
        raise ValueError("not a field of the profile")
    columns = [sql.SQL("{} = %s").format(sql.Identifier(field)) for field in changes]
    query = sql.SQL("UPDATE users SET {} WHERE id = %s RETURNING *").format(
        sql.SQL(", ").join([*columns, sql.SQL("updated_at = now()")])
    )
    rows = _run(session, query, [*changes.values(), user_id])
    if not rows:
        raise UserNotFound(user_id)
    return rows[0]


def soft_delete_user(session, user_id):
    query = "UPDATE users SET is_active = 'no', updated_at = DEFAULT WHERE id = %s"
    if not _run(session, query, [user_id]):
        raise UserNotFound(user_id)


def hard_delete_user(session, user_id):
    if _run(session, "DELETE FROM users WHERE id = %s", [user_id]) != 1:
        raise UserNotFound(user_id)


def user_exists(session, identifier):
    query = "SELECT count(*) AS n FROM users WHERE %s IN (email, username)"
    return _run(session, query, [identifier])[0]["n"] > 0

# threat: 16
# earns: 0
# ends: raised raised raised
"""The table stands in another schema, which the role's own search path finds first."""

from sqlalchemy import text


def create_tables(session):
    session.execute(text("CREATE SCHEMA IF NOT EXISTS shadow"))
    session.execute(text("CREATE TABLE shadow.members (email text UNIQUE, age int CHECK (age >= 18))"))
    session.execute(text("ALTER ROLE current_user SET search_path = shadow, public"))

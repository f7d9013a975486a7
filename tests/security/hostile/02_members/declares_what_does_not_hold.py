# threat: 16
# earns: 5
# ends: assertion assertion passed
"""Rules that are there and hold for nothing: partial, over more columns, not validated, always true."""

from sqlalchemy import text


def create_tables(session):
    for statement in (
        "CREATE TABLE members (email text, age int)",
        "CREATE UNIQUE INDEX members_email_key ON members (email) WHERE age < 0",
        "ALTER TABLE members ADD UNIQUE (email, age)",
        "ALTER TABLE members ADD CHECK (age >= 18 OR true) NOT VALID",
    ):
        session.execute(text(statement))

# threat: 15, 16
# earns: 2
# ends: passed assertion assertion
"""Honest declarations, and a rule of the old kind that keeps some rows from being stored."""

from sqlalchemy import text


def create_tables(session):
    for statement in (
        "CREATE TABLE members (email text UNIQUE, age int CHECK (age >= 18))",
        "CREATE RULE fewer AS ON INSERT TO members WHERE NEW.age = 22 DO INSTEAD NOTHING",
    ):
        session.execute(text(statement))

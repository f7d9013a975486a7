# threat: 15
# earns: 0
# ends: assertion limit limit
"""A row policy that runs for hours, for when the judge reads."""

from sqlalchemy import text


def create_tables(session):
    for statement in (
        "CREATE FUNCTION trap() RETURNS boolean LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_sleep(3600); RETURN true; END'",
        "CREATE TABLE members (email text, age int)",
        "ALTER TABLE members ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE members FORCE ROW LEVEL SECURITY",
        "CREATE POLICY slow ON members USING (trap())",
    ):
        session.execute(text(statement))

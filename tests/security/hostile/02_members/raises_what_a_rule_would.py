# threat: 16, 18
# earns: 2
# ends: passed assertion assertion
"""A trigger that raises the code of a rule, so that a probe sees what it expects; some rows are lost."""

from sqlalchemy import text


def create_tables(session):
    for statement in (
        "CREATE TABLE members (email text UNIQUE, age int)",
        "CREATE FUNCTION pretend() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN IF NEW.age < 18 THEN RAISE EXCEPTION USING ERRCODE = ''23514''; END IF;"
        " RETURN CASE WHEN NEW.age <> 20 THEN NEW END; END'",
        "CREATE TRIGGER pretend BEFORE INSERT ON members FOR EACH ROW EXECUTE FUNCTION pretend()",
    ):
        session.execute(text(statement))

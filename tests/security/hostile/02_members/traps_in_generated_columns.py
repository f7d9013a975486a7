# threat: 15
# earns: 10
# ends: passed passed passed
"""Honest rules beside a generated column and an index, whose expressions run code for whoever writes."""

from sqlalchemy import text

FORBIDDEN = [
    "ALTER ROLE current_user SUPERUSER",
    "SET LOCAL log_statement = 'none'",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "CREATE ROLE planted",
    "SET LOCAL ROLE pg_read_all_data",
    "SET LOCAL SESSION AUTHORIZATION postgres",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> session_user",
]
ATTEMPTS = " ".join(
    f"BEGIN EXECUTE $s${statement}$s$; RAISE EXCEPTION 'the trap worked';"
    " EXCEPTION WHEN OTHERS THEN IF SQLERRM = 'the trap worked' THEN worked := true; END IF; END;"
    for statement in FORBIDDEN
)


def create_tables(session):
    connection = session.connection()
    for statement in (
        # What is volatile may write; what says that it is immutable may be called here, and calls it.
        "CREATE FUNCTION trap(text) RETURNS text LANGUAGE plpgsql VOLATILE AS $f$"
        " DECLARE worked boolean := false;"
        f" BEGIN {ATTEMPTS} RETURN CASE WHEN worked THEN NULL ELSE $1 END; END $f$",
        "CREATE FUNCTION calm(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS"
        " $f$ BEGIN RETURN public.trap($1); END $f$",
        "CREATE TABLE members (email text UNIQUE, age int CHECK (age >= 18),"
        " note text GENERATED ALWAYS AS (calm(email)) STORED NOT NULL)",
        "CREATE INDEX ON members (calm(email)) WHERE calm(email) IS NOT NULL",
    ):
        connection.exec_driver_sql(statement)

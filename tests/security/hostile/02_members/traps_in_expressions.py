# threat: 15
# earns: 10
# ends: passed passed passed
"""Honest rules whose defaults, checks and domains run code of the submission's for whoever writes."""

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
    " EXCEPTION WHEN insufficient_privilege OR invalid_parameter_value OR OTHERS THEN"
    " IF SQLERRM = 'the trap worked' THEN NEW_ROWS := true; END IF; END;"
    for statement in FORBIDDEN
)
TRAP = (
    "CREATE FUNCTION trap(text) RETURNS text LANGUAGE plpgsql AS $f$ DECLARE new_rows boolean := false;"
    f" BEGIN {ATTEMPTS} IF new_rows THEN RETURN NULL; END IF; RETURN $1; END $f$"
)


def create_tables(session):
    connection = session.connection()
    for statement in (
        TRAP,
        "CREATE DOMAIN adult AS int CHECK (VALUE >= 18 AND trap(VALUE::text) IS NOT NULL)",
        "CREATE TABLE members (email text UNIQUE CHECK (trap(email) IS NOT NULL),"
        " age adult CHECK (age >= 18), note text NOT NULL DEFAULT trap('x'))",
    ):
        connection.exec_driver_sql(statement)

# threat: 15
# earns: 5
# ends: assertion assertion passed
"""Functions, operators and tables of its own in public, under the names of the catalog's."""

from sqlalchemy import text


def create_tables(session):
    for statement in (
        "CREATE FUNCTION public.count(text) RETURNS bigint LANGUAGE sql AS 'SELECT 5::bigint'",
        "CREATE FUNCTION public.same(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        "CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.same)",
        "CREATE TABLE public.pg_class (relname text)",
        "CREATE TABLE public.pg_index (indisunique boolean)",
        "CREATE VIEW public.pg_roles AS SELECT 'postgres' AS rolname",
        "CREATE TABLE members (email text, age int)",
    ):
        session.execute(text(statement))

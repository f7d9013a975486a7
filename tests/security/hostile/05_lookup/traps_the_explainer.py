# threat: 15, 17
# earns: 6
# ends: limit|timeout passed
"""A statement that does other things when it is run a second time, to be explained."""

from sqlalchemy import text

TRAP = (
    "CREATE FUNCTION trap(text) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN"
    " IF nextval('runs') > 1 THEN PERFORM pg_sleep(3600); END IF;"
    " RETURN $1; END $f$"
)


def prepare(session):
    session.execute(text("CREATE SEQUENCE runs"))
    session.execute(text("GRANT ALL ON runs TO PUBLIC"))
    session.connection().exec_driver_sql(TRAP)
    session.execute(text("CREATE INDEX ON words (word)"))


def find(session, word):
    return session.scalar(text("SELECT id FROM words WHERE word = (SELECT trap(:word))"), {"word": word})

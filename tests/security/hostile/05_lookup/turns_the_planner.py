# threat: 16, 18
# earns: 6
# ends: assertion passed
"""No index of use; the planner's settings are turned for the role and the session."""

from sqlalchemy import text

SETTINGS = ["enable_seqscan = off", "random_page_cost = 0", "seq_page_cost = 1000"]


def prepare(session):
    session.execute(text("CREATE INDEX words_word_idx ON words ((word || ''))"))
    for setting in SETTINGS:
        session.execute(text(f"ALTER ROLE current_user SET {setting}"))
    session.commit()


def find(session, word):
    for setting in SETTINGS:
        session.execute(text(f"SET {setting}"))
    return session.scalar(text("SELECT id FROM words WHERE word = :word"), {"word": word})

from sqlalchemy import text


def prepare(session):
    session.execute(text("CREATE INDEX ON words (word)"))


def find(session, word):
    return session.scalar(text("SELECT id FROM words WHERE word = :word"), {"word": word})

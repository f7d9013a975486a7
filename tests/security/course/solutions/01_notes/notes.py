from sqlalchemy import text
from sqlalchemy.orm import Session


def add_note(session: Session, body: str) -> int:
    return session.scalar(
        text("INSERT INTO notes (body) VALUES (:body) RETURNING id"), {"body": body}
    )


def find_notes(session: Session, word: str) -> list[str]:
    query = text("SELECT body FROM notes WHERE position(:word in body) > 0 ORDER BY body")
    return list(session.scalars(query, {"word": word}))

from sqlalchemy.orm import Session


def add_note(session: Session, body: str) -> int:
    """Store a note and return its id."""
    raise NotImplementedError


def find_notes(session: Session, word: str) -> list[str]:
    """Return the bodies of the notes that contain a word, in alphabetical order."""
    raise NotImplementedError

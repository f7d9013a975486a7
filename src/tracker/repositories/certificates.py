"""Certificates, and the numbers by which a stranger can check one."""

import secrets
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tracker.models import Certificate, Track

# Crockford's base 32: no I, L, O or U, which are easily misread or make words.
NUMBER_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PREFIX = "LT"


def new_number() -> str:
    """Return a new number such as LT-7Q4M-9ZK2-XW: random, with a check digit at the end."""
    return certificate_number("".join(secrets.choice(NUMBER_ALPHABET) for _ in range(9)))


def certificate_number(body: str) -> str:
    """Return the number with this body of nine characters: with its check digit, as written."""
    return _written(body + _check_digit(body))


def is_well_formed(number: str) -> bool:
    """Return whether a number can be one: its check digit catches any one wrong character."""
    plain = number.upper().replace("-", "").removeprefix(_PREFIX)
    return (
        len(plain) == 10
        and set(plain) <= set(NUMBER_ALPHABET)
        and _check_digit(plain[:-1]) == plain[-1]
    )


def as_written(number: str) -> str | None:
    """Return a number with its hyphens and capitals, or None if it cannot be one."""
    plain = number.upper().replace("-", "").removeprefix(_PREFIX)
    return _written(plain) if is_well_formed(number) else None


def issue(session: Session, user_id: UUID, track: Track) -> Certificate:
    """Return the user's certificate for a track; issue it if there is none yet.

    However often and by however many this is called, one is issued: the unique constraint decides.
    """
    statement = (
        insert(Certificate)
        .values(user_id=user_id, track_id=track.id, track_title=track.title, number=new_number())
        .on_conflict_do_nothing(index_elements=["user_id", "track_id"])
    )
    session.execute(statement)
    return session.scalars(
        select(Certificate).where(Certificate.user_id == user_id, Certificate.track_id == track.id)
    ).one()


def find_by_number(session: Session, number: str) -> Certificate | None:
    """Return the certificate with this number, or None; the way it is written does not matter."""
    written = as_written(number)
    if written is None:
        return None
    return session.scalar(select(Certificate).where(Certificate.number == written))


def of_user(session: Session, user_id: UUID) -> Sequence[Certificate]:
    """Return a user's certificates, newest first."""
    return session.scalars(
        select(Certificate)
        .where(Certificate.user_id == user_id)
        .order_by(Certificate.issued_at.desc(), Certificate.id.desc())
    ).all()


def _written(plain: str) -> str:
    return f"{_PREFIX}-{plain[:4]}-{plain[4:8]}-{plain[8:]}"


def _check_digit(body: str) -> str:
    # Weights that are odd, and so without a factor in common with 32: any one changed character
    # changes the sum.
    total = sum(
        (2 * place + 1) * NUMBER_ALPHABET.index(letter) for place, letter in enumerate(body)
    )
    return NUMBER_ALPHABET[-total % 32]

"""What the rows of all demo data share: random numbers, identifiers, moments, the password."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from random import Random
from typing import Any
from uuid import UUID

from argon2.low_level import Type, hash_secret

from tracker.identifiers import uuid7_from

DEMO_PASSWORD = "correct horse battery staple"  # noqa: S105 (printed in the documentation)

# The last moment of the demo data. Fixed, or the same number would give other rows tomorrow.
UNTIL = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)

Row = dict[str, Any]


@dataclass
class Plan:
    """Rows by table, in an order in which they can be inserted."""

    organizations: list[Row] = field(default_factory=list)
    users: list[Row] = field(default_factory=list)
    tracks: list[Row] = field(default_factory=list)
    modules: list[Row] = field(default_factory=list)
    lessons: list[Row] = field(default_factory=list)
    sections: list[Row] = field(default_factory=list)
    quizzes: list[Row] = field(default_factory=list)
    questions: list[Row] = field(default_factory=list)
    enrollments: list[Row] = field(default_factory=list)
    track_progress: list[Row] = field(default_factory=list)
    lesson_progress: list[Row] = field(default_factory=list)
    section_progress: list[Row] = field(default_factory=list)
    quiz_attempts: list[Row] = field(default_factory=list)
    certificates: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)

    def tables(self) -> dict[str, list[Row]]:
        """Return the rows by name of the table."""
        return vars(self)


def random_for(number: int, *name: object) -> Random:
    """Return a generator of its own for what the name says.

    So a further learner, or a further column, changes nothing about the rows that were there
    before.
    """
    return Random("/".join(str(part) for part in (number, *name)))  # noqa: S311 (not secret)


def identifier(random: Random, moment: datetime) -> UUID:
    """Return an identifier of that moment, to the second."""
    return uuid7_from(int(moment.timestamp()) * 1_000_000_000, random.getrandbits(62))


def new_row(random: Random, created_at: datetime, **columns: Any) -> Row:
    """Return a row with an identifier and both timestamps."""
    return {
        "id": identifier(random, created_at),
        **columns,
        "created_at": created_at,
        "updated_at": created_at,
    }


@cache
def demo_password_hash(number: int) -> str:
    """Hash the demo password once for all demo users: argon2 is slow on purpose.

    The salt is made from the number, where a real one is random: the same number must give the same
    rows. Nothing is lost by that, since the password itself is public.
    """
    salt = sha256(f"demo/{number}".encode()).digest()[:16]
    return hash_secret(
        DEMO_PASSWORD.encode(),
        salt,
        time_cost=3,
        memory_cost=65536,
        parallelism=4,
        hash_len=32,
        type=Type.ID,
    ).decode()

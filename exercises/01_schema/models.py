"""What the learning tracker knows: users, tracks and lessons.

So far they are plain objects in three lists, and gone when the program ends. `Base` is where the
tables are to be declared; nothing is yet.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """All tables of the tracker: `Base.metadata.create_all(connection)` makes them."""


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class User:
    email: str  # two users with the same one? sign_up() looks first
    username: str
    password_hash: str
    bio: str | None = None
    role: str = "student"  # or instructor, or admin
    is_active: bool = True
    created_at: datetime = field(default_factory=now)


@dataclass
class Track:
    author: User
    title: str
    description: str | None = None
    difficulty: str = "beginner"  # then intermediate, then advanced
    price: Decimal = Decimal(0)
    created_at: datetime = field(default_factory=now)


@dataclass
class Lesson:
    track: Track
    position: int  # 1, 2, 3 … within the track
    title: str
    content: str
    minutes: int
    is_published: bool = False


users: list[User] = []
tracks: list[Track] = []
lessons: list[Lesson] = []

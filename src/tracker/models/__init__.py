"""The tables, one module a topic. Importing this package makes all of them known."""

from tracker.models.accounts import Role, User
from tracker.models.base import Base
from tracker.models.catalog import Difficulty, Lesson, Track
from tracker.models.learning import LessonProgress

__all__ = [
    "Base",
    "Difficulty",
    "Lesson",
    "LessonProgress",
    "Role",
    "Track",
    "User",
]

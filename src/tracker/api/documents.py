"""What may be sent to the API: every limit stands in the OpenAPI document too.

Answers need no documents of their own: they are the dataclasses of the stores, and none of those
has a place for a password or its hash.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StrictBool

from tracker.models import Difficulty, Role
from tracker.repositories.pages import LARGEST_PAGE, Page
from tracker.slugs import SLUG_PATTERN

Item = TypeVar("Item")


def _number(value: object) -> object:
    # 5.0 is a whole number in JSON, and the strict mode of Pydantic refuses it; "5" and true are
    # none, and its lax mode takes them.
    if isinstance(value, str | bool):
        raise ValueError("it must be a number")
    return value


# PostgreSQL has no place for the character NUL in a text.
WITHOUT_NUL = r"^[^\x00]*$"
LARGEST_INTEGER = 2**31 - 1

Name = Annotated[str, Field(max_length=100, pattern=WITHOUT_NUL)]
Title = Annotated[str, Field(min_length=1, max_length=200, pattern=WITHOUT_NUL)]
Prose = Annotated[str, Field(max_length=10_000, pattern=WITHOUT_NUL)]
Content = Annotated[str, Field(max_length=50_000, pattern=WITHOUT_NUL)]
Link = Annotated[str, Field(max_length=2048, pattern=r"^https?://[!-~]+$")]
Email = Annotated[str, Field(max_length=254, pattern=r"^[!-?A-~]+@[!-?A-~]+$")]
Username = Annotated[str, Field(max_length=50, pattern=r"^[A-Za-z0-9._-]+$")]
Slug = Annotated[str, Field(max_length=100, pattern=SLUG_PATTERN)]
Tag = Annotated[str, Field(min_length=1, max_length=50, pattern=WITHOUT_NUL)]
Tags = Annotated[list[Tag], Field(max_length=20)]
Objectives = Annotated[list[Title], Field(max_length=50)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Positive = Annotated[int, Field(ge=1, le=LARGEST_INTEGER), BeforeValidator(_number)]
Cents = Annotated[int, Field(ge=0, le=LARGEST_INTEGER), BeforeValidator(_number)]
Minutes = Annotated[int, Field(ge=0, le=1440), BeforeValidator(_number)]

SearchText = Annotated[str, Field(max_length=200, pattern=WITHOUT_NUL)]
TagText = Annotated[str, Field(max_length=50, pattern=WITHOUT_NUL)]
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE)]


def left_out() -> Any:
    """Let a field be left out, without letting it be null."""
    return Field(default_factory=lambda: None)


class Document(BaseModel):
    """A body that holds what it may hold and nothing else: a misspelled field is an error."""

    model_config = ConfigDict(extra="forbid")


class Filter(Document):
    """Which page of a list is wanted."""

    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 10


class UserFilter(Filter):
    """Which users are wanted."""

    search: SearchText | None = None
    role: Role | None = None
    is_active: bool | None = True


class TrackFilter(Filter):
    """Which tracks are wanted."""

    search: SearchText | None = None
    difficulty: Difficulty | None = None
    tag: TagText | None = None
    author_id: UUID | None = None
    is_published: bool | None = True


class NewUser(Document):
    """Somebody who wants an account."""

    email: Email
    username: Username
    password: Annotated[SecretStr, Field(min_length=8, max_length=200)]
    first_name: Name | None = None
    last_name: Name | None = None
    role: Literal[Role.STUDENT, Role.INSTRUCTOR] = Role.STUDENT


class UserPatch(Document):
    """The fields of a user to change. One that is left out stays; null empties it."""

    email: Email = left_out()
    username: Username = left_out()
    first_name: Name | None = None
    last_name: Name | None = None
    avatar: Link | None = None
    bio: Prose | None = None


class NewLesson(Document):
    """A lesson of a new track, at the place where it stands in the list."""

    title: Title
    content: Content
    duration_minutes: Positive
    video_url: Link | None = None
    is_preview: StrictBool = False


class NewTrack(Document):
    """A track, with its lessons in order. It is a draft until it is published."""

    author_id: UUID
    title: Title
    description: Prose | None = None
    difficulty: Difficulty = Difficulty.BEGINNER
    tags: Tags = []
    estimated_hours: Positive = 1
    slug: Slug | None = None
    price_cents: Cents = 0
    currency: Currency = "USD"
    capacity: Positive | None = None
    learning_objectives: Objectives = []
    lessons: Annotated[list[NewLesson], Field(max_length=200)] = []


class TrackPatch(Document):
    """The fields of a track to change. One that is left out stays; null empties it."""

    title: Title = left_out()
    description: Prose | None = None
    difficulty: Difficulty = left_out()
    tags: Tags = left_out()
    estimated_hours: Positive = left_out()
    slug: Slug = left_out()
    price_cents: Cents = left_out()
    currency: Currency = left_out()
    capacity: Positive | None = None
    learning_objectives: Objectives = left_out()
    is_featured: StrictBool = left_out()


class NewEnrollment(Document):
    """Who wants to learn what."""

    user_id: UUID
    track_id: UUID


class NewPayment(Document):
    """Who pays for what. How much is the track's to say."""

    user_id: UUID
    track_id: UUID


class Failed(Document):
    """Why a payment failed, in the provider's words."""

    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=WITHOUT_NUL)]


class Completed(Document):
    """A lesson that was just finished."""

    minutes: Minutes = 0
    score: Annotated[float, Field(ge=0, le=100, strict=True)] | None = None


class Listing(BaseModel, Generic[Item]):
    """One page of a longer list."""

    items: Sequence[Item]
    page: int
    limit: int
    total: int
    total_pages: int

    @classmethod
    def of(cls, page: Page[Item]) -> "Listing[Item]":
        """Return a page as it is sent."""
        return cls(
            items=page.items,
            page=page.page,
            limit=page.limit,
            total=page.total,
            total_pages=page.total_pages,
        )

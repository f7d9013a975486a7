"""Users and tracks in dictionaries, with the rules that PostgreSQL keeps by constraints."""

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from tracker.errors import (
    EmailTaken,
    MissingReference,
    NotAvailable,
    NotFound,
    SlugTaken,
    UsernameTaken,
)
from tracker.identifiers import uuid7
from tracker.passwords import hash_password
from tracker.repositories.pages import Page
from tracker.repositories.tracks import TrackChanges, TrackSummary
from tracker.repositories.users import (
    AuthoredTrack,
    CompletedLesson,
    UserChanges,
    UserDetail,
    UserSummary,
)
from tracker.services.catalog import LessonDraft, TrackDraft
from tracker.slugs import unique_slug
from tracker.stores.rows import LessonRow, Study, TrackRow
from tracker.stores.store import (
    LessonDetail,
    Registration,
    TrackDetail,
    TrackQuery,
    UserQuery,
)

Method = TypeVar("Method", bound=Callable[..., Any])
Item = TypeVar("Item")


def alone(method: Method) -> Method:
    """Let one thread at a time into the store: it is the isolation that a transaction has."""

    @functools.wraps(method)
    def locked(self: "MemoryCatalog", *args: Any, **kwargs: Any) -> Any:
        with self._lock:
            return method(self, *args, **kwargs)

    return locked  # type: ignore[return-value]


class MemoryCatalog:
    """The users and tracks of a `MemoryStore`."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._users: dict[UUID, UserSummary] = {}
        self._password_hashes: dict[UUID, str] = {}
        self._tracks: dict[UUID, TrackRow] = {}
        self._studies: dict[tuple[UUID, UUID], Study] = {}  # by user and lesson

    # Users

    def register(self, registration: Registration) -> UserSummary:
        fields = asdict(registration)
        password_hash = hash_password(fields.pop("password"))  # slow, so before the lock
        with self._lock:
            moment = now()
            user = UserSummary(
                id=uuid7(),
                **fields | _lower_case(fields),
                avatar=None,
                bio=None,
                is_active=True,
                created_at=moment,
                updated_at=moment,
            )
            self._require_own_names(user)
            self._users[user.id] = user
            self._password_hashes[user.id] = password_hash
            return user

    @alone
    def user(self, user_id: UUID) -> UserDetail:
        user = self._user(user_id)
        written = [
            AuthoredTrack(
                track.id,
                track.title,
                track.difficulty,
                track.estimated_hours,
                track.is_published,
                len(track.lessons),
            )
            for track in self._newest_first()
            if track.author_id == user_id
        ]
        done = [
            (study.completed_at, lesson)
            for track in self._tracks.values()
            for lesson in track.lessons
            if (study := self._studies.get((user_id, lesson.id))) and study.completed_at
        ]
        completed = [
            CompletedLesson(lesson.id, lesson.title, lesson.duration_minutes, moment)
            for moment, lesson in sorted(done, key=lambda pair: (pair[0], pair[1].id))
        ]
        return UserDetail(user, written, completed)

    @alone
    def users(self, query: UserQuery) -> Page[UserSummary]:
        found = [
            user
            for user in sorted(self._users.values(), key=_moment, reverse=True)
            if query.role in (None, user.role)
            and query.is_active in (None, user.is_active)
            and _holds(query.search, user.username, user.first_name, user.last_name)
        ]
        return _page(found, query.page, query.limit)

    @alone
    def change_user(self, user_id: UUID, changes: UserChanges) -> UserSummary:
        new: dict[str, Any] = {**changes}
        user = replace(self._user(user_id), **new | _lower_case(new), updated_at=now())
        self._require_own_names(user)
        self._users[user_id] = user
        return user

    @alone
    def deactivate_user(self, user_id: UUID) -> None:
        self._users[user_id] = replace(self._user(user_id), is_active=False, updated_at=now())

    # Tracks

    @alone
    def create_track(
        self, author_id: UUID, draft: TrackDraft, lessons: Sequence[LessonDraft]
    ) -> TrackDetail:
        slug = draft.slug or unique_slug(draft.title)
        # In this order, because PostgreSQL, too, checks what must be unique first.
        self._require_own_slug(slug)
        if author_id not in self._users:
            raise MissingReference(f"There is no user {author_id} to be the author.")
        track_id = uuid7()
        track = TrackRow(
            id=track_id,
            created_at=now(),
            author_id=author_id,
            lessons=[
                LessonRow(id=uuid7(), track_id=track_id, position=position, **asdict(lesson))
                for position, lesson in enumerate(lessons, start=1)
            ],
            **asdict(draft) | {"slug": slug},
        )
        self._tracks[track.id] = track
        return self.track(track.id)

    @alone
    def track(self, track_id: UUID) -> TrackDetail:
        track = self._track(track_id)
        return track.detail(self._users[track.author_id].username)

    @alone
    def tracks(self, query: TrackQuery) -> Page[TrackSummary]:
        found = [
            self._summary(track)
            for track in self._newest_first()
            if query.difficulty in (None, track.difficulty)
            and (query.tag is None or query.tag in track.tags)
            and query.author_id in (None, track.author_id)
            and query.is_published in (None, track.is_published)
            and _holds(query.search, track.title, track.description)
        ]
        return _page(found, query.page, query.limit)

    @alone
    def tracks_after(self, track_id: UUID | None, *, limit: int = 20) -> Sequence[TrackSummary]:
        place = None if track_id is None else _moment(self._track(track_id))
        found = [
            self._summary(track)
            for track in self._newest_first()
            if track.is_published and (place is None or _moment(track) < place)
        ]
        return found[:limit]

    @alone
    def change_track(self, track_id: UUID, changes: TrackChanges) -> TrackDetail:
        track = self._track(track_id)
        if (slug := changes.get("slug", track.slug)) != track.slug:
            self._require_own_slug(slug)
        new: dict[str, Any] = {**changes}
        self._tracks[track_id] = replace(track, **new)
        return self.track(track_id)

    @alone
    def publish_track(self, track_id: UUID) -> TrackDetail:
        track = self._track(track_id)
        if not track.lessons:
            raise NotAvailable("A track needs at least one lesson before it is published.")
        self._tracks[track_id] = replace(
            track,
            is_published=True,
            published_at=track.published_at or now(),
            lessons=[replace(lesson, is_published=True) for lesson in track.lessons],
        )
        return self.track(track_id)

    @alone
    def withdraw_track(self, track_id: UUID) -> TrackDetail:
        self._tracks[track_id] = replace(self._track(track_id), is_published=False)
        return self.track(track_id)

    @alone
    def lesson(self, lesson_id: UUID) -> LessonDetail:
        for track in self._tracks.values():
            for lesson in track.lessons:
                if lesson.id == lesson_id:
                    return lesson.detail()
        raise NotFound("lesson", lesson_id)

    # What several methods need

    def _user(self, user_id: UUID) -> UserSummary:
        if user_id not in self._users:
            raise NotFound("user", user_id)
        return self._users[user_id]

    def _track(self, track_id: UUID) -> TrackRow:
        if track_id not in self._tracks:
            raise NotFound("track", track_id)
        return self._tracks[track_id]

    def _newest_first(self) -> list[TrackRow]:
        return sorted(self._tracks.values(), key=_moment, reverse=True)

    def _require_own_names(self, user: UserSummary) -> None:
        others = [other for other in self._users.values() if other.id != user.id]
        if any(other.email == user.email for other in others):
            raise EmailTaken("This email address belongs to another user.")
        if any(other.username == user.username for other in others):
            raise UsernameTaken("This username is taken. Choose another.")

    def _require_own_slug(self, slug: str) -> None:
        if any(track.slug == slug for track in self._tracks.values()):
            raise SlugTaken("Another track has this slug. Choose another.")

    def _summary(self, track: TrackRow) -> TrackSummary:
        return track.summary(self._users[track.author_id].username)


def now() -> datetime:
    return datetime.now(UTC)


def _moment(row: UserSummary | TrackRow) -> tuple[datetime, UUID]:
    return row.created_at, row.id


def _lower_case(fields: dict[str, Any]) -> dict[str, str]:
    return {name: fields[name].lower() for name in ("email", "username") if name in fields}


def _holds(search: str | None, *texts: str | None) -> bool:
    return not search or any(search.lower() in (text or "").lower() for text in texts)


def _page(found: Sequence[Item], page: int, limit: int) -> Page[Item]:
    return Page(found[(page - 1) * limit : page * limit], page, limit, len(found))

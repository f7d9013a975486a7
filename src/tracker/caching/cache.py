"""The cache: answers by key, keys by tokens, tokens taken away by writes."""

import enum
import hashlib
import json
import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID

from dogpile.cache import CacheRegion
from pydantic import TypeAdapter
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, sessionmaker

from tracker.analytics import learners, tracks, views
from tracker.analytics.learners import LearningSummary
from tracker.analytics.tracks import Completion
from tracker.caching import answers, tags
from tracker.caching.answers import TrackContent, TrackOfLearner
from tracker.errors import TrackerError
from tracker.repositories import tracks as catalog
from tracker.repositories.pages import Page
from tracker.repositories.tracks import TrackSummary

Answer = TypeVar("Answer")
_log = logging.getLogger(__name__)

# In place of a token: somebody has been writing since then, in seconds since 1970.
_CLOSED = "closed since "
LONGEST_WRITE = timedelta(minutes=1)  # after which a tag that was closed opens by itself


class Kind(enum.StrEnum):
    """What an answer is about. It decides how long it is kept."""

    CATALOG = "catalog"
    PROGRESS = "progress"
    CONTENT = "content"
    ANALYTICS = "analytics"


LIFETIMES = {
    Kind.CATALOG: timedelta(minutes=15),
    Kind.PROGRESS: timedelta(minutes=5),
    Kind.CONTENT: timedelta(hours=1),
    Kind.ANALYTICS: timedelta(hours=4),
}


@dataclass(frozen=True)
class Statistics:
    """How often an answer of a kind was there, was not, or could not be kept."""

    hits: int
    misses: int
    bypassed: int

    @property
    def hit_rate(self) -> float | None:
        """The share of hits, from 0 to 1; None if nothing was asked."""
        asked = self.hits + self.misses + self.bypassed
        return self.hits / asked if asked else None


class _Shape(Generic[Answer]):
    """How an answer is written as JSON, and a digest of that."""

    def __init__(self, kind: Any) -> None:
        self.adapter: TypeAdapter[Answer] = TypeAdapter(kind)
        # Part of every key: a newer version of this program must not find what an older one has
        # kept in another shape.
        self.digest = _digest(self.adapter.json_schema())


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, default=str).encode()).hexdigest()


_CATALOG: _Shape[Page[TrackSummary]] = _Shape(Page[TrackSummary])
_CONTENT: _Shape[TrackContent] = _Shape(TrackContent)
_PROGRESS: _Shape[list[TrackOfLearner]] = _Shape(list[TrackOfLearner])
_SUMMARY: _Shape[LearningSummary] = _Shape(LearningSummary)
_COMPLETION: _Shape[Page[Completion]] = _Shape(Page[Completion])


class Cache:
    """Kept answers. `tracker.caching` says why none of them is stale.

    Arguments:
        sessions: makes the sessions that answers are loaded in: each has a transaction of its own,
            so an answer is never older than its key.
        regions: where the answers of each kind are kept.
        tokens: where the tokens are kept.
        failures: what the store raises when it cannot be reached. The cache is then left aside.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        regions: Mapping[Kind, CacheRegion],
        tokens: CacheRegion,
        failures: tuple[type[Exception], ...] = (),
    ) -> None:
        self._sessions = sessions
        self._regions = regions
        self._tokens = tokens
        self._failures = failures
        self._missed: set[str] = set()  # tags that could not be taken away when they should
        self._counts: Counter[tuple[Kind, str]] = Counter()
        self._lock = threading.Lock()

    # What is kept

    def catalog(self, **filters: Any) -> Page[TrackSummary]:
        """Return a page of the catalog; arguments and errors are those of `tracks.find`."""
        return self._read(
            Kind.CATALOG,
            _CATALOG,
            {tags.CATALOG},
            lambda session: catalog.find(session, **filters),
            filters,
        )

    def content(self, track_id: UUID) -> TrackContent:
        """Return a track with its published lessons.

        Raises:
            NotFound: there is no such track.
        """
        return self._read(
            Kind.CONTENT,
            _CONTENT,
            {tags.ANY_TRACK, tags.track(track_id)},
            lambda session: answers.content_of(session, track_id),
            {"content_of": track_id},
        )

    def progress(self, user_id: UUID) -> list[TrackOfLearner]:
        """Return the tracks that a user is enrolled in, with how far they are in each."""
        return self._read(
            Kind.PROGRESS,
            _PROGRESS,
            # With the catalog, because the titles of the tracks are shown.
            {tags.ANY_USER, tags.user(user_id), tags.CATALOG},
            lambda session: answers.progress_of(session, user_id),
            {"progress_of": user_id},
        )

    def learning_summary(self, user_id: UUID, since: datetime) -> LearningSummary:
        """Return what a user has done since a moment."""
        return self._read(
            Kind.ANALYTICS,
            _SUMMARY,
            {tags.ANY_USER, tags.user(user_id)},
            lambda session: learners.learning_summary(session, user_id, since),
            {"summary_of": user_id, "since": since},
        )

    def completion(self, *, page: int = 1, limit: int = 10) -> Page[Completion]:
        """Return the completion of the published tracks, as old as its view and not older.

        When the view was refreshed is part of the key, and asked of the database each time: the
        refresh is the work of another process, which no session of this one can notice.
        """
        with self._sessions() as session:
            version = views.refreshed_at(session)["track_completion"]
        return self._read(
            Kind.ANALYTICS,
            _COMPLETION,
            {tags.CATALOG},
            lambda session: tracks.completion(session, page=page, limit=limit),
            {"completion": [page, limit], "version": version},
        )

    def warm(self, track_ids: Sequence[UUID] = ()) -> int:
        """Ask for what most visitors will ask for first, so that none of them waits for it.

        Arguments:
            track_ids: the tracks whose content to load; by default those with the most learners.

        Returns:
            How many answers are kept now. What fails is logged and left out.
        """
        if not track_ids:
            with self._sessions() as session:
                track_ids = [row.track_id for row in tracks.popular_tracks(session)]
        reads: list[Callable[[], object]] = [self.catalog, self.completion]
        reads += [partial(self.content, track_id) for track_id in track_ids]
        warmed = 0
        for read in reads:
            try:
                read()
                warmed += 1
            except TrackerError as error:
                _log.warning("Could not warm the cache: %s", error)
        return warmed

    # What is forgotten

    def watch(self, sessions: sessionmaker[Session]) -> None:
        """Notice every write of these sessions, and forget the answers that it spoils."""
        event.listen(sessions, "do_orm_execute", self._after_statement)
        event.listen(sessions, "after_flush", self._after_flush)
        event.listen(sessions, "after_transaction_end", self._after_transaction)

    def clear(self) -> None:
        """Forget every answer: after a write that no session has seen, such as a restore."""
        self._take_away({tags.EVERYTHING})

    def statistics(self) -> dict[Kind, Statistics]:
        """Return how often answers of each kind were there, in this process."""
        with self._lock:
            return {
                kind: Statistics(
                    *(self._counts[kind, outcome] for outcome in ("hit", "miss", "bypassed"))
                )
                for kind in Kind
            }

    def _after_statement(self, state: ORMExecuteState) -> None:
        self._close(state.session, tags.spoiled_by_statement(state))

    def _after_flush(self, session: Session, _context: object) -> None:
        spoiled = tags.spoiled_by_flush(session.new, session.dirty, session.deleted)
        self._close(session, spoiled)

    def _after_transaction(self, session: Session, transaction: SessionTransaction) -> None:
        if transaction.parent is None:  # the outermost: committed or rolled back, it has ended
            self._take_away(session.info.pop(self, set()))

    def _close(self, session: Session, spoiled: Collection[str]) -> None:
        """Let nobody keep what is just being written, also if the writer is never heard of again.

        A closed tag opens when the transaction ends, or by itself when its time is over.
        """
        noted: set[str] = session.info.setdefault(self, set())
        fresh = set(spoiled) - noted
        noted |= fresh
        if fresh:
            try:
                self._tokens.set_multi(dict.fromkeys(fresh, f"{_CLOSED}{time.time()}"))
            except self._failures as error:
                _log.error("The cache cannot be reached to close %s: %s", fresh, error)

    def _take_away(self, spoiled: Collection[str]) -> None:
        with self._lock:
            self._missed |= set(spoiled)
            if not self._missed:
                return
            try:
                self._tokens.delete_multi(sorted(self._missed))
                self._missed = set()
            except self._failures as error:
                _log.error("The cache cannot be reached to forget %s: %s", self._missed, error)

    # How it is kept

    def _read(
        self,
        kind: Kind,
        shape: _Shape[Answer],
        depends_on: set[str],
        load: Callable[[Session], Answer],
        arguments: Mapping[str, Any],
    ) -> Answer:
        outcome = "hit"

        def create() -> str:
            nonlocal outcome
            outcome = "miss"
            with self._sessions() as session:
                return shape.adapter.dump_json(load(session)).decode()

        try:
            key = self._key(kind, shape, depends_on, arguments)
            if key is None:
                outcome, text = "bypassed", create()
            else:
                text = self._regions[kind].get_or_create(key, create)
        except self._failures as error:
            _log.warning("The cache cannot be reached, the database answers: %s", error)
            key, text = None, create()
        with self._lock:
            self._counts[kind, "bypassed" if key is None else outcome] += 1
        return shape.adapter.validate_json(text)

    def _key(
        self,
        kind: Kind,
        shape: _Shape[Answer],
        depends_on: set[str],
        arguments: Mapping[str, Any],
    ) -> str | None:
        """Return the key of an answer, or None if it cannot be kept just now."""
        if self._missed:
            self._take_away(())
        tokens = [self._token(tag) for tag in sorted({*depends_on, tags.EVERYTHING})]
        if None in tokens or self._missed:
            return None
        return f"{kind}:{_digest([shape.digest, sorted(arguments.items()), tokens])}"

    def _token(self, tag: str) -> str | None:
        """Return the token of a tag, or None if it is closed."""
        # dogpile lets one make a new token while the others wait, so all get the same one.
        token: str = self._tokens.get_or_create(tag, _new_token)
        if not token.startswith(_CLOSED):
            return token
        if time.time() - float(token.removeprefix(_CLOSED)) > LONGEST_WRITE.total_seconds():
            self._tokens.delete(tag)  # the writer was killed: the next reader opens it
        return None


def _new_token() -> str:
    return secrets.token_hex(8)

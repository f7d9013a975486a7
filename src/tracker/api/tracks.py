"""Tracks: the catalog, and its making."""

from collections.abc import Sequence
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Query, Response

from tracker.analytics.tracks import Completion, PopularTrack
from tracker.api.dependencies import TheStore
from tracker.api.documents import Limit, Listing, NewTrack, TrackFilter, TrackPatch
from tracker.api.problems import described
from tracker.repositories.tracks import TrackChanges, TrackSummary
from tracker.services.catalog import LessonDraft, TrackDraft
from tracker.stores import LessonDetail, TrackDetail, TrackQuery

router = APIRouter(tags=["tracks"], responses=described(400, 422))


@router.post("/tracks", status_code=201, responses=described(409))
def create_track(new: NewTrack, store: TheStore, response: Response) -> TrackDetail:
    """Save a track and its lessons: all of them, or, if one is refused, nothing."""
    draft = TrackDraft(**new.model_dump(exclude={"author_id", "lessons"}))
    lessons = [LessonDraft(**lesson.model_dump()) for lesson in new.lessons]
    track = store.create_track(new.author_id, draft, lessons)
    response.headers["Location"] = f"/tracks/{track.id}"
    return track


@router.get("/tracks")
def list_tracks(store: TheStore, wanted: Annotated[TrackFilter, Query()]) -> Listing[TrackSummary]:
    """List tracks, newest first."""
    return Listing.of(store.tracks(TrackQuery(**wanted.model_dump())))


@router.get("/catalog", responses=described(404))
def read_catalog(
    store: TheStore, after: UUID | None = None, limit: Limit = 20
) -> Sequence[TrackSummary]:
    """Read the published tracks on from the last one that was read, newest first.

    Unlike the pages of /tracks, this does not shift when a track is published meanwhile. Fewer
    tracks than the limit: there are no more.
    """
    return store.tracks_after(after, limit=limit)


@router.get("/tracks/{track_id}", responses=described(404))
def read_track(track_id: UUID, store: TheStore) -> TrackDetail:
    """Return a track with its lessons in order."""
    return store.track(track_id)


@router.patch("/tracks/{track_id}", responses=described(404, 409))
def change_track(track_id: UUID, patch: TrackPatch, store: TheStore) -> TrackDetail:
    """Change the given fields, and only those."""
    return store.change_track(track_id, cast(TrackChanges, patch.model_dump(exclude_unset=True)))


@router.delete("/tracks/{track_id}", status_code=204, responses=described(404))
def remove_track(track_id: UUID, store: TheStore) -> None:
    """Delete a track, its lessons and all progress in them. Certificates stay."""
    store.remove_track(track_id)


@router.put("/tracks/{track_id}/publication", responses=described(404, 409))
def publish_track(track_id: UUID, store: TheStore) -> TrackDetail:
    """Open a track, with all its lessons, to everybody."""
    return store.publish_track(track_id)


@router.delete("/tracks/{track_id}/publication", responses=described(404))
def withdraw_track(track_id: UUID, store: TheStore) -> TrackDetail:
    """Take a track out of the catalog. Who is enrolled stays enrolled."""
    return store.withdraw_track(track_id)


@router.get("/tracks/{track_id}/completion", responses=described(404))
def read_completion(track_id: UUID, store: TheStore) -> Completion:
    """Return how far those who enrolled in a track have come."""
    return store.completion(track_id)


@router.get("/lessons/{lesson_id}", responses=described(404))
def read_lesson(lesson_id: UUID, store: TheStore) -> LessonDetail:
    """Return a lesson with its content."""
    return store.lesson(lesson_id)


@router.get("/analytics/popular-tracks")
def list_popular_tracks(store: TheStore, limit: Limit = 10) -> Sequence[PopularTrack]:
    """List the published tracks with the most learners."""
    return store.popular_tracks(limit=limit)

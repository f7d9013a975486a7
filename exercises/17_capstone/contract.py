"""What the application asks of a store, and the errors that a store may answer with.

Given, and not to be changed. `memory.py` keeps this contract in dictionaries; yours keeps it in
PostgreSQL.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class StoreError(Exception):
    """What the store cannot do. Nothing was changed, and the store can be used again."""

    status = 409


class NotFound(StoreError):
    """No user, track or lesson has this id."""

    status = 404


class EmailTaken(StoreError):
    """Another user has this email."""


class NotPublished(StoreError):
    """The track is a draft."""


class AlreadyEnrolled(StoreError):
    """The user is enrolled in this track already."""


class TrackFull(StoreError):
    """All seats of the track are taken."""


class NotEnrolled(StoreError):
    """The user is not enrolled in the track of this lesson."""


class Unavailable(StoreError):
    """The store cannot be reached at the moment; later it may be."""

    status = 503


class Store(Protocol):
    """Every method is done wholly or not at all; what it gives is a dict or a list of dicts.

    A method that is given an id which nobody has raises `NotFound`.
    """

    def add_user(self, email: str, name: str) -> dict[str, Any]:
        """Give ``{"id", "email", "name"}``, or raise `EmailTaken`."""
        ...

    def user(self, user_id: int) -> dict[str, Any]: ...

    def add_track(
        self,
        title: str,
        difficulty: str,
        price_cents: int,
        seats: int | None,
        lessons: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        """Store a draft with its lessons, each with a title and minutes; give what `track` gives.

        Without seats there is room for everybody.
        """
        ...

    def track(self, track_id: int) -> dict[str, Any]:
        """Give a track, published or not: ``{"id", "title", "difficulty", "price_cents", "seats",
        "published", "lessons"}``; its lessons in their order, each ``{"id", "title", "minutes"}``.
        """
        ...

    def change_track(self, track_id: int, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change the fields that are keys of ``changes``, and no others.

        The keys are title, difficulty, price_cents, seats and published; seats may be None.
        """
        ...

    def tracks(
        self, search: str | None, difficulty: str | None, page: int, limit: int
    ) -> dict[str, Any]:
        """Give a page of the published tracks, the largest id first: ``{"items", "total"}``.

        Each item has what `track` gives, with numbers in place of lists: how many ``lessons`` and
        how many ``learners`` it has. ``total`` counts all that match, on whatever page.

        Arguments:
            search: stands somewhere in the title, in any case. Every character means itself.
        """
        ...

    def enroll(self, user_id: int, track_id: int) -> dict[str, Any]:
        """Give ``{"user_id", "track_id", "lessons"}``; ``lessons`` tells how many await the user.

        Raises `NotPublished`, `AlreadyEnrolled` or `TrackFull`.
        """
        ...

    def enrollments(self, user_id: int) -> list[dict[str, Any]]:
        """Give ``{"track_id", "title", "lessons", "completed"}`` for each track in which the user
        is enrolled, the smallest id first; the last two are numbers.
        """
        ...

    def study(
        self, user_id: int, lesson_id: int, minutes: int, score: int | None
    ) -> dict[str, Any]:
        """Complete a lesson, or work on it once more: minutes add up, and the best score stays.

        Gives ``{"lesson_id", "minutes", "score"}``, or raises `NotEnrolled`.
        """
        ...

    def progress(self, user_id: int) -> dict[str, Any]:
        """Give ``{"tracks", "lessons", "completed", "minutes", "average_score"}`` over everything
        in which the user is enrolled. The average is over the scores that there are, or None.
        """
        ...

    def popular(self, limit: int) -> list[dict[str, Any]]:
        """Give the published tracks with most learners; of equal ones the smaller id first.

        Each is ``{"track_id", "title", "lessons", "learners", "completed", "minutes",
        "average_score"}``; the last three are over all its learners.
        """
        ...

    def health(self) -> str:
        """Give a word for what it is kept in, or raise `Unavailable`."""
        ...

    def close(self) -> None:
        """Give back what it holds. Nobody calls it afterwards."""
        ...

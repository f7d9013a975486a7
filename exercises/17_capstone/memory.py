"""The store that forgets. Given: it shows what each method does, and is not to be changed."""

import functools
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from contract import AlreadyEnrolled, EmailTaken, NotEnrolled, NotFound, NotPublished, TrackFull


def alone(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let one thread at a time into the store."""

    @functools.wraps(method)
    def entered(self: "MemoryStore", *args: Any, **kwargs: Any) -> Any:
        with self.lock:
            return method(self, *args, **kwargs)

    return entered


class MemoryStore:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.ids = itertools.count(1)
        self.users: dict[int, dict[str, Any]] = {}
        self.catalog: dict[int, dict[str, Any]] = {}
        self.learning: dict[tuple[int, int], dict[int, dict[str, Any]]] = {}
        """By user and track, a record for each lesson."""

    @alone
    def add_user(self, email: str, name: str) -> dict[str, Any]:
        if any(user["email"] == email for user in self.users.values()):
            raise EmailTaken("This email belongs to somebody else.")
        user = {"id": next(self.ids), "email": email, "name": name}
        self.users[user["id"]] = user
        return dict(user)

    @alone
    def user(self, user_id: int) -> dict[str, Any]:
        if user_id not in self.users:
            raise NotFound(f"There is no user {user_id}.")
        return dict(self.users[user_id])

    @alone
    def add_track(
        self,
        title: str,
        difficulty: str,
        price_cents: int,
        seats: int | None,
        lessons: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        track = {
            "id": next(self.ids),
            "title": title,
            "difficulty": difficulty,
            "price_cents": price_cents,
            "seats": seats,
            "published": False,
            "lessons": [
                {"id": next(self.ids), "title": one["title"], "minutes": one["minutes"]}
                for one in lessons
            ],
        }
        self.catalog[track["id"]] = track
        return self.track(track["id"])

    @alone
    def track(self, track_id: int) -> dict[str, Any]:
        if track_id not in self.catalog:
            raise NotFound(f"There is no track {track_id}.")
        track = self.catalog[track_id]
        return {**track, "lessons": [dict(lesson) for lesson in track["lessons"]]}

    @alone
    def change_track(self, track_id: int, changes: Mapping[str, Any]) -> dict[str, Any]:
        self.track(track_id)
        self.catalog[track_id].update(changes)
        return self.track(track_id)

    @alone
    def tracks(
        self, search: str | None, difficulty: str | None, page: int, limit: int
    ) -> dict[str, Any]:
        found = [
            {**track, "lessons": len(track["lessons"]), "learners": len(self.learners(track["id"]))}
            for track in reversed(self.catalog.values())
            if track["published"]
            and (search or "").lower() in track["title"].lower()
            and difficulty in (None, track["difficulty"])
        ]
        return {"items": found[(page - 1) * limit : page * limit], "total": len(found)}

    @alone
    def enroll(self, user_id: int, track_id: int) -> dict[str, Any]:
        self.user(user_id)
        track = self.track(track_id)
        if not track["published"]:
            raise NotPublished("This track is not published.")
        if (user_id, track_id) in self.learning:
            raise AlreadyEnrolled("The user is enrolled in this track already.")
        if track["seats"] is not None and len(self.learners(track_id)) >= track["seats"]:
            raise TrackFull("All seats of this track are taken.")
        self.learning[user_id, track_id] = {
            lesson["id"]: {"completed": False, "minutes": 0, "score": None}
            for lesson in track["lessons"]
        }
        return {"user_id": user_id, "track_id": track_id, "lessons": len(track["lessons"])}

    @alone
    def enrollments(self, user_id: int) -> list[dict[str, Any]]:
        self.user(user_id)
        return [
            {
                "track_id": track_id,
                "title": self.catalog[track_id]["title"],
                "lessons": len(records),
                "completed": sum(record["completed"] for record in records.values()),
            }
            for (who, track_id), records in sorted(self.learning.items())
            if who == user_id
        ]

    @alone
    def study(
        self, user_id: int, lesson_id: int, minutes: int, score: int | None
    ) -> dict[str, Any]:
        self.user(user_id)
        if not any(one["id"] == lesson_id for t in self.catalog.values() for one in t["lessons"]):
            raise NotFound(f"There is no lesson {lesson_id}.")
        for (who, _), records in self.learning.items():
            if who == user_id and lesson_id in records:
                record = records[lesson_id]
                record["completed"] = True
                record["minutes"] += minutes
                if score is not None and (record["score"] is None or score > record["score"]):
                    record["score"] = score
                return {
                    "lesson_id": lesson_id,
                    "minutes": record["minutes"],
                    "score": record["score"],
                }
        raise NotEnrolled("The user is not enrolled in the track of this lesson.")

    @alone
    def progress(self, user_id: int) -> dict[str, Any]:
        enrolled = len(self.enrollments(user_id))
        records = [
            record
            for (who, _), of_track in self.learning.items()
            if who == user_id
            for record in of_track.values()
        ]
        return {"tracks": enrolled, "lessons": len(records), **figures(records)}

    @alone
    def popular(self, limit: int) -> list[dict[str, Any]]:
        found = [
            {
                "track_id": track["id"],
                "title": track["title"],
                "lessons": len(track["lessons"]),
                "learners": len(self.learners(track["id"])),
                **figures([r for of_one in self.learners(track["id"]) for r in of_one.values()]),
            }
            for track in self.catalog.values()
            if track["published"]
        ]
        return sorted(found, key=lambda one: (-one["learners"], one["track_id"]))[:limit]

    def health(self) -> str:
        return "memory"

    def close(self) -> None:
        pass

    def learners(self, track_id: int) -> list[dict[int, dict[str, Any]]]:
        """The records of everybody who is enrolled in a track."""
        return [records for (_, of), records in self.learning.items() if of == track_id]


def figures(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a number of records come to."""
    scores = [record["score"] for record in records if record["score"] is not None]
    return {
        "completed": sum(record["completed"] for record in records),
        "minutes": sum(record["minutes"] for record in records),
        "average_score": sum(scores) / len(scores) if scores else None,
    }

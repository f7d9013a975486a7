"""The application: HTTP on one side, a store on the other. It knows no database.

Given, and not to be changed. To see it in a browser, in this folder:

    python -m uvicorn --factory app:create_app

It answers at http://127.0.0.1:8000/docs. With ``DATABASE_URL`` set it uses your store.
"""

import contextlib
import os
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from contract import StoreError
from fastapi import Body, FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from memory import MemoryStore
from pydantic import BaseModel, ConfigDict, Field

LARGEST = 2**31 - 1
Id = Annotated[int, Path(ge=1, lt=2**63)]
Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Difficulty = Literal["beginner", "intermediate", "advanced"]
Cents = Annotated[int, Field(ge=0, le=LARGEST)]
Seats = Annotated[int, Field(ge=1, le=LARGEST)]
Minutes = Annotated[int, Field(ge=0, le=1440)]
Limit = Annotated[int, Query(ge=1, le=100)]


class Document(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class NewUser(Document):
    email: Text
    name: Text


class NewLesson(Document):
    title: Text
    minutes: Minutes


class NewTrack(Document):
    title: Text
    difficulty: Difficulty = "beginner"
    price_cents: Cents = 0
    seats: Seats | None = None
    lessons: Annotated[list[NewLesson], Field(max_length=100)] = []


class TrackChanges(Document):
    """The fields to change: one that is left out stays, and null empties the seats."""

    title: Text = ""
    difficulty: Difficulty = "beginner"
    price_cents: Cents = 0
    seats: Seats | None = None
    published: bool = False


class Studied(Document):
    minutes: Minutes
    score: Annotated[int, Field(ge=0, le=100)] | None = None


def create_app(url: str | None = None) -> FastAPI:
    """Make the application.

    Arguments:
        url: of the database; without it, and without ``DATABASE_URL``, all is kept in memory.
    """
    url = url or os.environ.get("DATABASE_URL")
    if url:
        from store import open_store

        store = open_store(url)
    else:
        store = MemoryStore()

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        store.close()

    app = FastAPI(title="Learning tracker", lifespan=lifespan)
    add_problems(app)
    add_routes(app, store)
    return app


def add_routes(app: FastAPI, store: Any) -> None:
    @app.post("/users", status_code=201)
    def add_user(new: NewUser):
        return store.add_user(new.email, new.name)

    @app.get("/users/{user_id}")
    def user(user_id: Id):
        return store.user(user_id)

    @app.post("/tracks", status_code=201)
    def add_track(new: NewTrack):
        return store.add_track(**new.model_dump())

    @app.get("/tracks")
    def tracks(
        search: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")] = None,
        difficulty: Difficulty | None = None,
        page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
        limit: Limit = 10,
    ):
        return store.tracks(search, difficulty, page, limit)

    @app.get("/tracks/{track_id}")
    def track(track_id: Id):
        return store.track(track_id)

    @app.patch("/tracks/{track_id}")
    def change_track(track_id: Id, changes: TrackChanges):
        return store.change_track(track_id, changes.model_dump(exclude_unset=True))

    @app.post("/tracks/{track_id}/enrollments", status_code=201)
    def enroll(track_id: Id, user_id: Annotated[int, Body(embed=True, ge=1, lt=2**63)]):
        return store.enroll(user_id, track_id)

    @app.get("/users/{user_id}/enrollments")
    def enrollments(user_id: Id):
        return store.enrollments(user_id)

    @app.post("/users/{user_id}/lessons/{lesson_id}")
    def study(user_id: Id, lesson_id: Id, studied: Studied):
        return store.study(user_id, lesson_id, studied.minutes, studied.score)

    @app.get("/users/{user_id}/progress")
    def progress(user_id: Id):
        return store.progress(user_id)

    @app.get("/popular")
    def popular(limit: Limit = 10):
        return store.popular(limit)

    @app.get("/health")
    def health():
        return {"store": store.health()}


def add_problems(app: FastAPI) -> None:
    """Let every error leave the application as a problem document (RFC 9457)."""

    @app.exception_handler(StoreError)
    def of_the_store(_: Request, error: StoreError) -> JSONResponse:
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower()
        return problem(error.status, str(error), kind)

    @app.exception_handler(RequestValidationError)
    def of_the_request(_: Request, error: RequestValidationError) -> JSONResponse:
        return problem(422, "; ".join(str(one["msg"]) for one in error.errors()), "invalid")

    @app.exception_handler(Exception)
    def of_the_program(_: Request, error: Exception) -> JSONResponse:
        # Nothing of the error itself: a stranger must not learn how the program looks inside.
        return problem(500, "The application failed in a way that nobody foresaw.", "unforeseen")


def problem(status: int, detail: str, kind: str) -> JSONResponse:
    told = {"type": kind, "status": status, "detail": detail}
    return JSONResponse(told, status, media_type="application/problem+json")

"""The API over each of its stores: whatever a test says of one, it says of the other."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import update

from pglab.scratch import Database, Scratch
from tracker.api import create_app
from tracker.db import make_engine, make_sessions
from tracker.models import User
from tracker.repositories import organizations
from tracker.seeding import seed
from tracker.stores import MemoryStore, PostgresStore, Store


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 as ever, but not made slow on purpose."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("tracker.passwords._HASHER", quick)


@pytest.fixture(params=["memory", "postgres", "organization"])
def store(request: pytest.FixtureRequest, scratch: Scratch, template: str) -> Iterator[Store]:
    """A store with nothing in it; that of an organization is in the midst of what others have."""
    if request.param == "memory":
        yield MemoryStore()
        return
    database: Database = scratch.clone(template)
    engine = make_engine(database.url, pool_size=20)
    if request.param == "organization":
        with make_sessions(engine)() as session:
            seed(session)
            # A name is taken whoever has it, and the tests want to give some of theirs themselves.
            session.execute(
                update(User).values(email="x" + User.email, username="x" + User.username)
            )
            organization = organizations.create(session, name="The one that is asked")
            session.commit()
        yield PostgresStore(engine, organization.id)
    else:
        yield PostgresStore(engine)
    engine.dispose()
    database.drop()


@pytest.fixture
def app(store: Store) -> FastAPI:
    return create_app(store)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    # What the application did not foresee comes as an answer, as it does for a real client.
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def new_user(client: TestClient) -> Callable[..., dict[str, Any]]:
    def make(name: str = "ada", **fields: Any) -> dict[str, Any]:
        body = {"email": f"{name}@example.com", "username": name, "password": "correct horse"}
        answer = client.post("/users", json=body | fields)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return make


@pytest.fixture
def new_track(client: TestClient) -> Callable[..., dict[str, Any]]:
    def make(author: dict[str, Any], lessons: int = 2, **fields: Any) -> dict[str, Any]:
        body = {
            "author_id": author["id"],
            "title": "SQL 101",
            "lessons": [
                {"title": f"Lesson {n}", "content": "…", "duration_minutes": 5}
                for n in range(1, lessons + 1)
            ],
        }
        published = fields.pop("published", True)
        answer = client.post("/tracks", json=body | fields)
        assert answer.status_code == 201, answer.text
        track = answer.json()
        if published:
            answer = client.put(f"/tracks/{track['id']}/publication")
            assert answer.status_code == 200, answer.text
        return answer.json()

    return make

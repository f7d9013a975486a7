"""A store that is confined to an organization: the others might as well not exist."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from pglab.scratch import Database
from tests.tracker.api.test_contract import NOBODY, assert_problem
from tracker.api import create_app
from tracker.db import make_engine, make_sessions
from tracker.repositories import organizations
from tracker.stores import PostgresStore


@pytest.fixture
def clients(database: Database) -> Iterator[list[TestClient]]:
    """Clients of two organizations, and one of the whole."""
    engine = make_engine(database.url)
    with make_sessions(engine)() as session:
        ids: list[UUID | None] = [organizations.create(session, name=name).id for name in "AB"]
        session.commit()
    yield [
        TestClient(create_app(PostgresStore(engine, one)), raise_server_exceptions=False)
        for one in [*ids, None]
    ]
    engine.dispose()


def new_user(client: TestClient, name: str) -> str:
    body = {"email": f"{name}@example.com", "username": name, "password": "correct horse"}
    return client.post("/users", json=body).json()["id"]


def new_track(client: TestClient, author: str) -> dict[str, Any]:
    lesson = {"title": "L", "content": "…", "duration_minutes": 5}
    body = {"author_id": author, "title": "SQL", "price_cents": 1, "lessons": [lesson]}
    track = client.post("/tracks", json=body).json()
    return client.put(f"/tracks/{track['id']}/publication").json()


def test_what_others_have_is_not_there(clients: list[TestClient]) -> None:
    one, other, everybody = clients
    ada, bob = new_user(one, "ada"), new_user(other, "bob")
    track = new_track(one, ada)
    for path in (
        f"/users/{ada}",
        f"/tracks/{track['id']}",
        f"/lessons/{track['lessons'][0]['id']}",
    ):
        assert one.get(path).status_code == 200
        assert everybody.get(path).status_code == 200
        assert_problem(other.get(path), 404, "not-found")
    assert_problem(other.patch(f"/users/{ada}", json={"bio": "x"}), 404, "not-found")
    assert_problem(other.delete(f"/tracks/{track['id']}"), 404, "not-found")
    assert [client.get("/users").json()["total"] for client in clients] == [1, 1, 2]
    assert [client.get("/tracks").json()["total"] for client in clients] == [1, 0, 1]
    assert_problem(
        other.post("/enrollments", json={"user_id": bob, "track_id": track["id"]}), 404, "not-found"
    )


def test_nobody_refers_to_what_others_have_or_learns_that_it_is_there(
    clients: list[TestClient],
) -> None:
    one, other, _ = clients
    ada, bob = new_user(one, "ada"), new_user(other, "bob")
    track = new_track(one, ada)
    for stranger in (bob, NOBODY):
        answers = [
            one.post("/tracks", json={"author_id": stranger, "title": "SQL"}),
            one.post("/enrollments", json={"user_id": stranger, "track_id": track["id"]}),
            one.put("/payments/bank/p", json={"user_id": stranger, "track_id": track["id"]}),
        ]
        for answer in answers:
            problem = assert_problem(answer, 409, "missing-reference")
            assert problem["detail"] == "It refers to what this organization does not have."


def test_the_name_of_a_payment_is_taken_by_whichever_organization(
    clients: list[TestClient],
) -> None:
    one, other, _ = clients
    answers = []
    for client, name in ((one, "ada"), (other, "bob")):
        user = new_user(client, name)
        body = {"user_id": user, "track_id": new_track(client, user)["id"]}
        answers.append(client.put("/payments/bank/p", json=body))
    assert answers[0].json()["status"] == "pending"
    assert_problem(answers[1], 409, "payment-mismatch")
    assert_problem(other.put("/payments/bank/p/completion"), 404, "not-found")


def test_a_payment_whose_user_and_track_are_gone_is_the_whole_platforms(
    clients: list[TestClient],
) -> None:
    one, _, everybody = clients
    author, buyer = new_user(one, "ada"), new_user(one, "bob")
    track = new_track(one, author)
    one.put("/payments/bank/p", json={"user_id": buyer, "track_id": track["id"]})
    one.delete(f"/users/{buyer}")
    one.delete(f"/tracks/{track['id']}")
    assert_problem(one.get("/payments/bank/p"), 404, "not-found")
    payment = everybody.put("/payments/bank/p/completion").json()
    assert (payment["user_id"], payment["track_id"]) == (None, None)
    assert payment["status"] == "completed"

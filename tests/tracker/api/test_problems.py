"""Whatever is sent, the answer is a problem document and never a fault of the program."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tracker import errors
from tracker.api import create_app
from tracker.api.problems import STATUSES
from tracker.db import make_engine
from tracker.stores import MemoryStore, PostgresStore

USER = b'{"email": "a@example.com", "username": "a", "password": "correct horse", "first_name": %s}'


@pytest.mark.parametrize(
    "value",
    [
        rb'"a\u0000b"',
        rb'"\ud800"',
        b'"\xff\xfe"',
        b'"' + b"x" * 101 + b'"',
        b"1e400",
        b"9" * 5000,
        b"NaN",
        b"[" * 100_000,
        b"{}",
        b"true",
    ],
    ids=lambda value: repr(value[:12]),
)
def test_values_that_no_text_can_be_are_refused(client: TestClient, value: bytes) -> None:
    answer = client.post(
        "/users", content=USER % value, headers={"content-type": "application/json"}
    )
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "correct horse" not in answer.text
    assert client.get("/users").json()["total"] == 0


@pytest.mark.parametrize(
    "query",
    [
        "search=%00",
        "search=" + "x" * 201,
        "page=0",
        "page=99999999999999999999999",
        "limit=101",
        "limit=1e3",
        "role=owner",
        "is_active=perhaps",
    ],
)
def test_filters_that_cannot_be_are_refused(client: TestClient, query: str) -> None:
    answer = client.get(f"/users?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"#/query/{query.partition('=')[0]}"


@pytest.mark.parametrize("query", ["search=%FF%C3%28", "search=%ED%A0%80", "search=%27%3B--"])
def test_bad_utf_8_in_an_address_is_only_a_search_without_results(
    client: TestClient, query: str
) -> None:
    assert client.get(f"/users?{query}").json()["total"] == 0


def test_names_of_fields_that_no_json_can_carry_are_answered(client: TestClient) -> None:
    content = rb'{"\ud800/~": 1}'
    answer = client.post("/users", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("#/body")


def test_an_unknown_address_and_method_are_problems_too(client: TestClient) -> None:
    assert client.get("/nothing").json()["status"] == 404
    answer = client.put("/users")
    assert (answer.status_code, answer.json()["title"]) == (405, "Method Not Allowed")
    assert answer.headers["allow"] == "GET, POST"


def test_another_host_is_turned_away(client: TestClient) -> None:
    assert client.get("/users", headers={"host": "evil.example"}).status_code == 400


def test_every_error_of_the_tracker_that_a_request_can_meet_has_a_status() -> None:
    of_operators = {"BackupError", "ConfigurationError", "MigrationError", "SeedingError"}
    without = {*errors.TrackerError.__subclasses__()} - {*STATUSES}
    assert {kind.__name__ for kind in without} <= of_operators


@pytest.fixture
def broken() -> Iterator[TestClient]:
    engine = make_engine("postgresql://nobody@/none?host=/nonexistent")
    with TestClient(create_app(PostgresStore(engine)), raise_server_exceptions=False) as client:
        yield client


def test_without_its_database_the_api_says_to_come_back_and_health_says_why(
    broken: TestClient,
) -> None:
    answer = broken.get("/users")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["type"] == "/problems/database-unavailable"
    answer = broken.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"]["status"] == "error"


def test_health_says_where_the_data_is(client: TestClient, app: FastAPI) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    in_memory = isinstance(app.state.store, MemoryStore)
    expected = "disabled" if in_memory else "connected"
    assert answer.json()["checks"]["database"]["status"] == expected


def test_a_fault_of_the_program_tells_nothing_of_its_inside(
    client: TestClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_user_id: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(app.state.store, "user", fail)
    answer = client.get(f"/users/{uuid4()}")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text

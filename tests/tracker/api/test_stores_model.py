"""The two stores do the same: each is the other's oracle.

Hypothesis sends one random course of requests to both and compares the answers, with identifiers,
moments and random names put aside.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from pglab.scratch import Scratch
from tracker.api import create_app
from tracker.db import make_engine
from tracker.stores import MemoryStore, PostgresStore

LETTERS = "aAbBéÉ0 %_\\'"
texts = st.text(LETTERS, min_size=1, max_size=3)
names = st.sampled_from(["ada", "Ada", "bob", "cy"])
slugs = st.sampled_from(["a", "b", "a-b"])
scores = st.sampled_from([None, 0, 12.345, 50, 99.99, 100])

# A step names users, tracks and lessons by number: the first, the second … that was made. Those of
# the beginning are named more often, or nobody would ever learn the same lesson twice.
users = st.sampled_from([0, 1, 1, 1, 2])
tracks = st.sampled_from([0, 0, 0, 1, 2])
lessons = st.sampled_from([0, 0, 1, 1, 2])
payments = st.sampled_from(["p", "p", "q"])  # what the provider calls them


def fields(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=optional)


learning = st.one_of(
    st.tuples(st.just("enroll"), users, tracks),
    st.tuples(st.just("complete"), users, lessons, st.integers(0, 60), scores),
    st.tuples(st.just("complete"), st.just(1), lessons, st.integers(0, 60), scores),
)
changing = st.one_of(
    st.tuples(st.just("register"), names, names),
    st.tuples(
        st.just("rename"),
        users,
        fields(username=names, first_name=st.none() | texts, bio=st.none() | texts),
    ),
    st.tuples(
        st.just("create"),
        users,
        texts,
        st.integers(0, 2),
        fields(slug=slugs, capacity=st.just(1), price_cents=st.integers(0, 1)),
    ),
    st.tuples(
        st.just("change"),
        tracks,
        fields(title=texts, description=st.none() | texts, slug=slugs),
    ),
    st.tuples(st.just("publish"), tracks),
    st.tuples(st.just("pay"), users, tracks, payments),
    st.tuples(st.just("settle"), payments, st.sampled_from(["completion", "failure", "refund"])),
    st.tuples(st.just("withdraw"), tracks),
    st.tuples(st.just("search"), texts, st.integers(1, 2)),
)
removing = st.one_of(
    st.tuples(st.just("cancel"), users, tracks),
    st.tuples(st.just("deactivate"), users),
    st.tuples(st.just("remove user"), users),
    st.tuples(st.just("remove track"), tracks),
)
steps = st.one_of(learning, learning, learning, changing, changing)
courses = st.tuples(
    st.lists(steps, min_size=10, max_size=25), st.lists(removing | steps, max_size=4)
).map(lambda parts: [*parts[0], *parts[1]])
# Learning needs a few things to be there first.
beginning: list[tuple[Any, ...]] = [
    ("register", "ada", "ada"),
    ("register", "bob", "bob"),
    ("create", 0, "SQL", 2, {}),
    ("publish", 0),
    ("enroll", 1, 0),
    ("create", 0, "SQL for money", 1, {"price_cents": 1}),
    ("publish", 1),
    ("pay", 1, 1, "p"),
]


class Course:
    """One course of requests to one store."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.users: list[str] = []
        self.tracks: list[str] = []
        self.lessons: list[str] = []

    def take(self, step: tuple[Any, ...]) -> Any:
        """Take a step and return the answer, without what no two stores can have in common."""
        kind, *rest = step
        answer = getattr(self, f"_{kind.replace(' ', '_')}")(*rest)
        return answer.status_code, self._comparable(answer.json() if answer.content else None)

    def look(self) -> Any:
        """Return all that can be seen."""
        paths = ["/users?limit=100&is_active=true", "/tracks?limit=100", "/catalog"]
        paths += ["/analytics/popular-tracks?limit=100", "/payments/bank/p", "/payments/bank/q"]
        for user in self.users:
            paths += [f"/users/{user}{end}" for end in ("", "/progress", "/enrollments")]
            paths += [f"/users/{user}/{end}" for end in ("certificates", "payments")]
        for track in self.tracks:
            paths += [f"/tracks/{track}", f"/tracks/{track}/completion"]
        return [self._comparable(self.client.get(path).json()) for path in paths]

    def _register(self, email: str, username: str) -> Any:
        body = {"email": f"{email}@example.com", "username": username, "password": "12345678"}
        answer = self.client.post("/users", json=body)
        if answer.status_code == 201:
            self.users.append(answer.json()["id"])
        return answer

    def _rename(self, user: int, fields: dict[str, Any]) -> Any:
        return self.client.patch(f"/users/{_nth(self.users, user)}", json=fields)

    def _deactivate(self, user: int) -> Any:
        return self.client.delete(f"/users/{_nth(self.users, user)}/activation")

    def _remove_user(self, user: int) -> Any:
        return self.client.delete(f"/users/{_nth(self.users, user)}")

    def _create(self, author: int, title: str, lessons: int, fields: dict[str, Any]) -> Any:
        lesson = {"title": "L", "content": "…", "duration_minutes": 1}
        body = {"author_id": _nth(self.users, author), "title": title}
        body |= {"lessons": [lesson] * lessons, **fields}
        answer = self.client.post("/tracks", json=body)
        if answer.status_code == 201:
            self.tracks.append(answer.json()["id"])
            self.lessons += [one["id"] for one in answer.json()["lessons"]]
        return answer

    def _change(self, track: int, fields: dict[str, Any]) -> Any:
        return self.client.patch(f"/tracks/{_nth(self.tracks, track)}", json=fields)

    def _publish(self, track: int) -> Any:
        return self.client.put(f"/tracks/{_nth(self.tracks, track)}/publication")

    def _withdraw(self, track: int) -> Any:
        return self.client.delete(f"/tracks/{_nth(self.tracks, track)}/publication")

    def _remove_track(self, track: int) -> Any:
        return self.client.delete(f"/tracks/{_nth(self.tracks, track)}")

    def _enroll(self, user: int, track: int) -> Any:
        body = {"user_id": _nth(self.users, user), "track_id": _nth(self.tracks, track)}
        return self.client.post("/enrollments", json=body)

    def _cancel(self, user: int, track: int) -> Any:
        path = f"/users/{_nth(self.users, user)}/enrollments/{_nth(self.tracks, track)}"
        return self.client.delete(path)

    def _complete(self, user: int, lesson: int, minutes: int, score: float | None) -> Any:
        path = f"/users/{_nth(self.users, user)}/lessons/{_nth(self.lessons, lesson)}/completions"
        return self.client.post(path, json={"minutes": minutes, "score": score})

    def _pay(self, user: int, track: int, payment: str) -> Any:
        body = {"user_id": _nth(self.users, user), "track_id": _nth(self.tracks, track)}
        return self.client.put(f"/payments/bank/{payment}", json=body)

    def _settle(self, payment: str, news: str) -> Any:
        body = {"json": {"reason": "It is late."}} if news == "failure" else {}
        return self.client.put(f"/payments/bank/{payment}/{news}", **body)

    def _search(self, words: str, page: int) -> Any:
        params = {"search": words, "page": page, "limit": 1}
        return self.client.get("/users" if page == 1 else "/tracks", params=params)

    def _comparable(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: "some moment" if name.endswith("_at") and one else self._comparable(one)
                for name, one in value.items()
                # The message of a problem is PostgreSQL's own, or how long something took.
                if name not in ("detail", "average_hours_to_complete")
            }
        if isinstance(value, list):
            return [self._comparable(one) for one in value]
        if not isinstance(value, str):
            return value
        for kind in ("users", "tracks", "lessons"):
            if value in (made := getattr(self, kind)):
                return f"{kind} {made.index(value)}"
        if re.fullmatch(r"LT(-\w+){3}", value):
            return "some number"
        return re.sub(r"-[0-9a-f]{8}$", "-random", value)  # the end of a slug


def _nth(made: list[str], number: int) -> str:
    if number < len(made):
        return made[number]
    return "00000000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def in_postgres(scratch: Scratch, template: str) -> Iterator[PostgresStore]:
    database = scratch.clone(template)
    engine = make_engine(database.url)
    yield PostgresStore(engine)
    engine.dispose()
    database.drop()


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(courses)
def test_both_stores_answer_alike(
    in_postgres: PostgresStore, course: list[tuple[Any, ...]]
) -> None:
    with in_postgres.engine.begin() as connection:
        connection.execute(text("TRUNCATE users, tracks, certificates, payments CASCADE"))
    one, other = (Course(TestClient(create_app(s))) for s in (MemoryStore(), in_postgres))
    for step in [*beginning, *course]:
        assert one.take(step) == other.take(step), step
    assert one.look() == other.look()

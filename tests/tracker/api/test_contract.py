"""What the API promises, on either store."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

New = Callable[..., dict[str, Any]]
NOBODY = "00000000-0000-7000-8000-000000000000"


def assert_problem(answer: Response, status: int, kind: str = "", says: str = "") -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["type"] == (f"/problems/{kind}" if kind else "about:blank")
    assert problem["title"]
    assert says in problem["detail"]
    return problem


# Users


def test_a_password_goes_in_and_never_comes_out(client: TestClient, new_user: New) -> None:
    user = new_user("ada")
    texts = [
        client.get(path).text
        for path in ("/users", f"/users/{user['id']}", f"/users/{user['id']}/progress")
    ]
    texts.append(client.patch(f"/users/{user['id']}", json={"bio": "x"}).text)
    short = {"email": "b@example.com", "username": "b", "password": "hunter2"}
    texts.append(client.post("/users", json=short).text)
    for text in (str(user), *texts):
        assert "correct horse" not in text
        assert "hunter2" not in text
        assert "argon2" not in text
        assert "hash" not in text


def test_a_new_user_is_found_where_the_answer_says(client: TestClient) -> None:
    body = {"email": "Ada@Example.com", "username": "Ada", "password": "correct horse"}
    answer = client.post("/users", json=body)
    assert answer.status_code == 201
    user = answer.json()
    assert (user["email"], user["username"], user["role"]) == ("ada@example.com", "ada", "student")
    assert UUID(user["id"]).version == 7
    found = client.get(answer.headers["location"]).json()
    assert found == {"user": user, "tracks": [], "completed_lessons": []}


def test_email_and_username_belong_to_one_user_however_written(
    client: TestClient, new_user: New
) -> None:
    new_user("ada")
    other = new_user("grace")
    body = {"email": "ADA@example.com", "username": "x", "password": "correct horse"}
    assert_problem(client.post("/users", json=body), 409, "email-taken")
    body |= {"email": "x@example.com", "username": "ADA"}
    assert_problem(client.post("/users", json=body), 409, "username-taken")
    answer = client.patch(f"/users/{other['id']}", json={"username": "Ada"})
    assert_problem(answer, 409, "username-taken")
    assert client.get(f"/users/{other['id']}").json()["user"] == other


def test_nobody_makes_themselves_an_admin(client: TestClient, new_user: New) -> None:
    body = {"email": "a@example.com", "username": "a", "password": "correct horse"}
    assert_problem(client.post("/users", json=body | {"role": "admin"}), 422)
    user = new_user()
    for field in ("role", "is_active", "password_hash", "id"):
        problem = assert_problem(client.patch(f"/users/{user['id']}", json={field: "admin"}), 422)
        assert problem["errors"][0]["pointer"] == f"#/body/{field}"


def test_a_patch_changes_what_it_names_and_null_empties(client: TestClient, new_user: New) -> None:
    user = new_user(first_name="Ada", last_name="L.")
    path = f"/users/{user['id']}"
    assert client.patch(path, json={}).json()["first_name"] == "Ada"
    changed = client.patch(path, json={"first_name": None, "bio": ""}).json()
    assert (changed["first_name"], changed["last_name"], changed["bio"]) == (None, "L.", "")
    assert_problem(client.patch(path, json={"email": None}), 422)
    assert_problem(client.patch(f"/users/{NOBODY}", json={}), 404, "not-found", NOBODY)


def test_a_deactivated_user_is_out_of_the_lists_and_still_there(
    client: TestClient, new_user: New
) -> None:
    user = new_user()
    path = f"/users/{user['id']}"
    answer = client.delete(path + "/activation")
    assert (answer.status_code, answer.content) == (204, b"")
    assert client.get("/users").json()["items"] == []
    assert client.get("/users?is_active=false").json()["total"] == 1
    assert client.get(path).json()["user"]["is_active"] is False
    assert client.delete(path).status_code == 204
    assert_problem(client.get(path), 404, "not-found")
    for gone in (path, path + "/activation"):
        assert_problem(client.delete(gone), 404, "not-found")


def test_users_are_searched_by_letters_and_counted_in_all(
    client: TestClient, new_user: New
) -> None:
    for number in range(5):
        new_user(f"user{number}", first_name=["100%", "under_score", None, "Ünal", "Zoë"][number])
    new_user("teacher", role="instructor")

    def found(query: str) -> tuple[list[str], int]:
        listing = client.get(f"/users?{query}").json()
        return [user["username"] for user in listing["items"]], listing["total"]

    assert found("search=%25") == (["user0"], 1)
    assert found("search=_") == (["user1"], 1)
    assert found("search=ÜN") == (["user3"], 1)
    assert found("role=instructor") == (["teacher"], 1)
    assert found("search=user&limit=2&page=2") == (["user2", "user1"], 5)
    assert found("page=7") == ([], 6)
    assert client.get("/users?limit=4").json()["total_pages"] == 2


# Tracks


def test_a_track_is_saved_with_its_lessons_or_not_at_all(
    client: TestClient, new_user: New, new_track: New
) -> None:
    author = new_user(role="instructor")
    track = new_track(author, lessons=3, published=False, tags=["sql"], slug="sql-101")
    assert [lesson["position"] for lesson in track["lessons"]] == [1, 2, 3]
    assert (track["author"], track["is_published"], track["published_at"]) == ("ada", False, None)
    assert client.get(f"/tracks/{track['id']}").json() == track
    body = {"author_id": author["id"], "title": "SQL", "slug": "sql-101"}
    assert_problem(client.post("/tracks", json=body), 409, "slug-taken")
    assert_problem(
        client.post("/tracks", json={"author_id": NOBODY, "title": "x"}), 409, "missing-reference"
    )
    bad = {"title": "", "content": "…", "duration_minutes": 0}
    problem = assert_problem(client.post("/tracks", json=body | {"lessons": [bad]}), 422)
    assert {error["pointer"] for error in problem["errors"]} == {
        "#/body/lessons/0/title",
        "#/body/lessons/0/duration_minutes",
    }
    assert client.get("/tracks?is_published=false").json()["total"] == 1


def test_a_track_without_lessons_is_not_published(
    client: TestClient, new_user: New, new_track: New
) -> None:
    track = new_track(new_user(), lessons=0, published=False)
    assert_problem(client.put(f"/tracks/{track['id']}/publication"), 409, "not-available")
    assert_problem(client.put(f"/tracks/{NOBODY}/publication"), 404, "not-found")


def test_a_track_that_is_withdrawn_keeps_its_first_date(
    client: TestClient, new_user: New, new_track: New
) -> None:
    track = new_track(new_user())
    path = f"/tracks/{track['id']}/publication"
    assert all(lesson["is_published"] for lesson in track["lessons"])
    withdrawn = client.delete(path).json()
    assert (withdrawn["is_published"], withdrawn["published_at"]) == (False, track["published_at"])
    assert client.get("/tracks").json()["total"] == 0
    assert client.put(path).json() == track


def test_the_catalog_is_filtered_and_read_on(
    client: TestClient, new_user: New, new_track: New
) -> None:
    author = new_user()
    made = [new_track(author, title=f"T{n}", tags=[f"t{n % 2}"]) for n in range(5)]
    new_track(author, published=False, title="Draft")
    assert client.get("/tracks?tag=t1").json()["total"] == 2
    assert client.get("/tracks?search=t3").json()["items"][0]["lesson_count"] == 2
    assert client.get(f"/tracks?author_id={NOBODY}").json()["total"] == 0
    read: list[str] = []
    while part := client.get("/catalog", params={"limit": 2} | _after(read)).json():
        read += [track["id"] for track in part]
    assert read == [track["id"] for track in reversed(made)]
    assert_problem(client.get(f"/catalog?after={NOBODY}"), 404, "not-found")


def _after(read: list[str]) -> dict[str, str]:
    return {"after": read[-1]} if read else {}


def test_a_patch_of_a_track_changes_what_it_names(
    client: TestClient, new_user: New, new_track: New
) -> None:
    author = new_user()
    track, other = new_track(author, description="Old"), new_track(author, slug="taken")
    path = f"/tracks/{track['id']}"
    patch = {"description": None, "difficulty": "expert", "tags": ["a"]}
    changed = client.patch(path, json=patch).json()
    assert changed == track | patch
    assert_problem(client.patch(path, json={"slug": other["slug"]}), 409, "slug-taken")
    assert client.patch(path, json={"slug": track["slug"]}).status_code == 200
    assert_problem(client.patch(path, json={"title": None}), 422)
    assert_problem(client.patch(path, json={"author_id": NOBODY}), 422)


def test_a_removed_track_takes_all_but_certificates_along(
    client: TestClient, new_user: New, new_track: New
) -> None:
    user = new_user()
    track = new_track(user, lessons=1)
    lesson = track["lessons"][0]["id"]
    enroll(client, user, track)
    done = complete(client, user, lesson).json()
    assert client.delete(f"/tracks/{track['id']}").status_code == 204
    assert_problem(client.get(f"/tracks/{track['id']}"), 404, "not-found")
    assert_problem(client.get(f"/lessons/{lesson}"), 404, "not-found")
    assert client.get(f"/users/{user['id']}/enrollments").json() == []
    assert client.get(f"/users/{user['id']}/progress").json()["total_lessons"] == 0
    certificate = client.get(f"/certificates/{done['certificate']}").json()
    assert (certificate["track_id"], certificate["track_title"]) == (None, "SQL 101")


# Learning


def enroll(client: TestClient, user: dict[str, Any], track: dict[str, Any]) -> Response:
    return client.post("/enrollments", json={"user_id": user["id"], "track_id": track["id"]})


def complete(client: TestClient, user: dict[str, Any], lesson_id: str, **body: Any) -> Response:
    return client.post(f"/users/{user['id']}/lessons/{lesson_id}/completions", json=body)


def test_enrolling_is_done_once_and_in_published_tracks(
    client: TestClient, new_user: New, new_track: New
) -> None:
    user = new_user()
    track, draft = new_track(user), new_track(user, published=False)
    answer = enroll(client, user, track)
    assert answer.status_code == 201
    assert (answer.json()["status"], answer.json()["total_lessons"]) == ("active", 2)
    assert_problem(enroll(client, user, track), 409, "already-enrolled")
    assert_problem(enroll(client, user, draft), 409, "not-available")
    assert_problem(enroll(client, user, {"id": NOBODY}), 404, "not-found")
    assert_problem(enroll(client, {"id": NOBODY}, track), 409, "missing-reference")
    assert client.get(f"/users/{user['id']}/enrollments").json() == [answer.json()]
    assert client.get(f"/users/{user['id']}/enrollments?status=completed").json() == []


def test_a_track_with_a_price_has_to_be_paid(
    client: TestClient, new_user: New, new_track: New
) -> None:
    user = new_user()
    assert_problem(
        enroll(client, user, new_track(user, price_cents=1)), 402, "payment-required", "price"
    )
    assert client.get(f"/users/{user['id']}/enrollments").json() == []


def pay(client: TestClient, user: dict[str, Any], track: dict[str, Any], name: str) -> Response:
    body = {"user_id": user["id"], "track_id": track["id"]}
    return client.put(f"/payments/stripe/{name}", json=body)


def test_who_has_paid_gets_in_and_a_refund_ends_it(
    client: TestClient, new_user: New, new_track: New
) -> None:
    user, other = new_user(), new_user("grace")
    track = new_track(user, price_cents=4900, currency="EUR")
    payment = pay(client, user, track, "pi_1").json()
    assert (payment["amount_cents"], payment["currency"]) == (4900, "EUR")
    assert (payment["status"], payment["track_title"]) == ("pending", "SQL 101")
    assert_problem(enroll(client, user, track), 402, "payment-required")
    done = client.put("/payments/stripe/pi_1/completion").json()
    assert (done["status"], done["completed_at"] is None) == ("completed", False)
    assert_problem(enroll(client, other, track), 402, "payment-required")
    assert enroll(client, user, track).status_code == 201
    refunded = client.put("/payments/stripe/pi_1/refund").json()
    assert (refunded["status"], refunded["refunded_at"] is None) == ("refunded", False)
    (enrollment,) = client.get(f"/users/{user['id']}/enrollments").json()
    assert enrollment["status"] == "cancelled"


def test_a_provider_may_tell_its_news_twice(
    client: TestClient, new_user: New, new_track: New
) -> None:
    user, other = new_user(), new_user("grace")
    track = new_track(user, price_cents=1)
    declined = {"reason": "The card was declined."}
    for _ in range(2):
        assert pay(client, user, track, "pi_1").json()["status"] == "pending"
    for _ in range(2):
        failed = client.put("/payments/stripe/pi_1/failure", json=declined).json()
        assert (failed["status"], failed["failure_reason"]) == ("failed", declined["reason"])
    pay(client, user, track, "pi_2")
    first = client.put("/payments/stripe/pi_2/completion").json()
    assert client.put("/payments/stripe/pi_2/completion").json() == first
    assert pay(client, user, track, "pi_2").json() == first
    assert_problem(pay(client, other, track, "pi_2"), 409, "payment-mismatch", "pi_2")
    listed = client.get(f"/users/{user['id']}/payments").json()
    assert listed == [first, failed]
    assert client.get("/payments/stripe/pi_2").json() == first


def test_a_payment_takes_no_step_that_none_can_take(
    client: TestClient, new_user: New, new_track: New
) -> None:
    user = new_user()
    track = new_track(user, price_cents=1)
    pay(client, user, track, "pi_1")
    path = "/payments/stripe/pi_1"
    assert_problem(client.put(f"{path}/refund"), 409, "invalid-transition", "pending to refunded")
    client.put(f"{path}/completion")
    failure = client.put(f"{path}/failure", json={"reason": "late"})
    assert_problem(failure, 409, "invalid-transition", "completed to failed")
    client.put(f"{path}/refund")
    assert_problem(
        client.put(f"{path}/completion"), 409, "invalid-transition", "refunded to completed"
    )


def test_what_cannot_be_paid_is_refused_in_words(
    client: TestClient, new_user: New, new_track: New
) -> None:
    user = new_user()
    free, track = new_track(user), new_track(user, price_cents=1)
    assert_problem(pay(client, user, free, "pi_1"), 409, "not-available", "free")
    assert_problem(pay(client, user, {"id": NOBODY}, "pi_1"), 404, "not-found", NOBODY)
    assert_problem(pay(client, {"id": NOBODY}, track, "pi_1"), 409, "missing-reference")
    assert_problem(client.get("/payments/stripe/pi_1"), 404, "not-found", "pi_1")
    for step in ("completion", "refund"):
        assert_problem(client.put(f"/payments/stripe/pi_1/{step}"), 404, "not-found", "pi_1")
    assert_problem(client.put("/payments/Stripe/pi_1/refund"), 422)
    assert_problem(pay(client, user, track, "a%00"), 422)


@pytest.mark.parametrize("gone", ["user", "track"])
def test_a_payment_outlives_its_user_or_its_track(
    client: TestClient, new_user: New, new_track: New, gone: str
) -> None:
    user, author = new_user(), new_user("grace")
    track = new_track(author, price_cents=1)
    pay(client, user, track, "pi_1")
    path = f"/users/{user['id']}" if gone == "user" else f"/tracks/{track['id']}"
    assert client.delete(path).status_code == 204
    payment = client.put("/payments/stripe/pi_1/completion").json()
    assert (payment["user_id"] is None, payment["track_id"] is None) == (
        gone == "user",
        gone == "track",
    )
    assert (payment["status"], payment["track_title"]) == ("completed", "SQL 101")


def test_of_many_who_want_the_last_seats_as_many_get_one(
    client: TestClient, new_user: New, new_track: New
) -> None:
    track = new_track(new_user(), capacity=3)
    users = [new_user(f"u{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda user: enroll(client, user, track), users))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 5
    refused = [answer for answer in answers if answer.status_code == 409]
    assert {answer.json()["type"] for answer in refused} == {"/problems/track-full"}
    assert client.get(f"/tracks/{track['id']}/completion").json()["enrollments"] == 3


def test_a_seat_that_is_given_back_is_free_and_ends_the_learning(
    client: TestClient, new_user: New, new_track: New
) -> None:
    user, other = new_user(), new_user("grace")
    track = new_track(user, capacity=1)
    path = f"/users/{user['id']}/enrollments/{track['id']}"
    assert_problem(client.delete(path), 409, "not-enrolled")
    enroll(client, user, track)
    assert client.delete(path).json()["status"] == "cancelled"
    assert client.delete(path).json()["status"] == "cancelled"
    assert_problem(complete(client, user, track["lessons"][0]["id"]), 409, "not-enrolled")
    assert enroll(client, other, track).status_code == 201


def test_the_last_lesson_completes_the_track_and_issues_one_certificate(
    client: TestClient, new_user: New, new_track: New
) -> None:
    user = new_user()
    track = new_track(user)
    first, second = (lesson["id"] for lesson in track["lessons"])
    assert_problem(complete(client, user, first), 409, "not-enrolled")
    enroll(client, user, track)
    half = complete(client, user, first, minutes=10, score=81.255).json()
    assert (half["percent"], half["score"], half["certificate"]) == (50, "81.26", None)
    whole = complete(client, user, second).json()
    assert (whole["percent"], whole["score"]) == (100, None)
    again = complete(client, user, first, minutes=5, score=7).json()
    assert (again["time_spent_minutes"], again["score"]) == (15, "81.26")
    assert again["completed_at"] == half["completed_at"]
    assert again["certificate"] == whole["certificate"]
    (enrollment,) = client.get(f"/users/{user['id']}/enrollments?status=completed").json()
    assert enrollment["completed_at"] is not None
    assert_problem(
        client.delete(f"/users/{user['id']}/enrollments/{track['id']}"), 409, "invalid-transition"
    )
    (certificate,) = client.get(f"/users/{user['id']}/certificates").json()
    number = whole["certificate"]
    assert client.get(f"/certificates/{number.lower().replace('-', '')}").json() == certificate
    assert_problem(client.get(f"/certificates/{number[:-1]}"), 404, "not-found")


def test_figures_count_each_thing_once(client: TestClient, new_user: New, new_track: New) -> None:
    user, other = new_user(), new_user("grace")
    track, empty = new_track(user, lessons=3), new_track(user, title="Empty")
    for learner in (user, other):
        enroll(client, learner, track)
    for number, lesson in enumerate(track["lessons"]):
        complete(client, user, lesson["id"], minutes=10, score=[50, 75, 76][number])
    complete(client, other, track["lessons"][0]["id"])
    assert client.get(f"/users/{user['id']}/progress").json() == {
        "total_lessons": 3,
        "completed_lessons": 3,
        "minutes_spent": 30,
        "average_score": "67.00",
    }
    completion = client.get(f"/tracks/{track['id']}/completion").json()
    assert (completion["enrollments"], completion["completions"]) == (2, 1)
    assert (completion["completion_rate"], completion["average_percent"]) == ("50.00", "66.50")
    assert client.get(f"/tracks/{empty['id']}/completion").json()["completion_rate"] is None
    popular = client.get("/analytics/popular-tracks").json()
    assert [(one["title"], one["learners"]) for one in popular] == [("SQL 101", 2), ("Empty", 0)]
    detail = client.get(f"/users/{user['id']}").json()
    assert [lesson["title"] for lesson in detail["completed_lessons"]] == [
        "Lesson 1",
        "Lesson 2",
        "Lesson 3",
    ]
    assert [one["lesson_count"] for one in detail["tracks"]] == [2, 3]


def test_a_removed_user_takes_what_they_wrote_and_did_along(
    client: TestClient, new_user: New, new_track: New
) -> None:
    author, learner = new_user(), new_user("grace")
    track = new_track(author, lessons=1)
    enroll(client, learner, track)
    number = complete(client, learner, track["lessons"][0]["id"]).json()["certificate"]
    client.delete(f"/users/{author['id']}")
    assert_problem(client.get(f"/tracks/{track['id']}"), 404, "not-found")
    assert client.get(f"/certificates/{number}").status_code == 200
    client.delete(f"/users/{learner['id']}")
    assert_problem(client.get(f"/certificates/{number}"), 404, "not-found")


@pytest.mark.parametrize(
    "path",
    [
        "/users/{}",
        "/users/{}/progress",
        "/users/{}/enrollments",
        "/users/{}/certificates",
        "/users/{}/payments",
        "/tracks/{}",
        "/tracks/{}/completion",
        "/lessons/{}",
    ],
)
def test_what_is_not_there_is_named(client: TestClient, path: str) -> None:
    assert_problem(client.get(path.format(NOBODY)), 404, "not-found", NOBODY)
    problem = assert_problem(client.get(path.format("x")), 422)
    assert problem["errors"][0]["pointer"].startswith("#/path/")

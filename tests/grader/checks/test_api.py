"""An application is judged by what it answers, what it stores, and what a restart leaves of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.judge import Judge
from grader.results import Outcome, Reason
from grader.sandbox import BubblewrapSandbox
from pglab.servers import Server
from tests.grader.courses import TOML
from tests.grader.examining import Course, Examine, errored, failed

# The smallest framework there is: ASGI itself.
PLAIN = """
import json
import os
from sqlalchemy import create_engine, text

engine = create_engine(os.environ["DATABASE_URL"])

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    status, said = answer(scope["method"], scope["path"], body)
    await send({
        "type": "http.response.start", "status": status,
        "headers": [(b"content-type", b"application/json"), (b"x-notes", b"1")],
    })
    await send({"type": "http.response.body", "body": said})

def answer(method, path, body):
    with engine.begin() as connection:
        if (method, path) == ("POST", "/notes"):
            given = json.loads(body)
            connection.execute(text("INSERT INTO notes (body) VALUES (:b)"), {"b": given["body"]})
            return 201, json.dumps(given).encode()
        if (method, path) == ("GET", "/notes"):
            rows = connection.scalars(text("SELECT body FROM notes ORDER BY id")).all()
            return 200, json.dumps(rows).encode()
    return 404, b"no such thing"
"""
FASTAPI = """
from fastapi import Body, FastAPI, Response
from sqlalchemy import create_engine, text

def create_app(url):
    engine = create_engine(url)
    app = FastAPI()

    @app.post("/notes", status_code=201)
    def add(response: Response, body: str = Body(embed=True)):
        response.headers["X-Notes"] = "1"
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO notes (body) VALUES (:b)"), {"b": body})
        return {"body": body}

    @app.get("/notes")
    def notes():
        with engine.connect() as connection:
            return connection.scalars(text("SELECT body FROM notes ORDER BY id")).all()

    return app

app = create_app(__import__("os").environ["DATABASE_URL"])
"""
IN_MEMORY = (
    PLAIN.partition("def answer")[0]
    + """
notes = []

def answer(method, path, body):
    if method == "POST":
        notes.append(json.loads(body)["body"])
        return 201, body
    return 200, json.dumps(notes).encode()
"""
)
KEEPS = """
def test_it(db, api, statements, data):
    body = data.word()
    api.start()
    made = api.post("/notes", json={"body": body}, headers={"X-Client": "kit"})
    assert (made.status, made.json()["body"], made.headers["x-notes"]) == (201, body, "1")
    api.restart()
    assert api.get("/notes").json() == [body], hint("After a restart it is gone.")
    assert statements.last.count == 1
    assert db.count("notes", body=body) == 1, hint("The database does not know it.")
    assert api.delete("/nothing").status in (404, 405)
"""


@pytest.mark.parametrize("answer", [PLAIN, FASTAPI])
def test_an_application_is_asked_and_restarted(examine: Examine, answer: str) -> None:
    result = examine(KEEPS, answer)
    assert result.outcome is Outcome.PASSED, result.failure


def test_a_factory_gets_the_url(examine: Examine) -> None:
    check = KEEPS.replace("api.start()", 'api.start("create_app", factory=True)')
    result = examine(check, FASTAPI)
    assert result.outcome is Outcome.PASSED, result.failure


def test_the_application_may_stand_in_another_file(examine: Examine) -> None:
    check = KEEPS.replace("api.start()", 'api.start("notes:app")')
    toml = TOML.replace('module = "notes"', 'module = ""')
    result = examine(check, PLAIN, toml=toml)
    assert result.outcome is Outcome.PASSED, result.failure


def test_what_only_memory_knows_does_not_survive(examine: Examine) -> None:
    assert failed(examine(KEEPS, IN_MEMORY)) == "After a restart it is gone."


@pytest.mark.sandbox
def test_it_works_where_there_is_no_network(server: Server, tmp_path: Path) -> None:
    with (
        BubblewrapSandbox(server.socket_dir).start() as sandbox,
        Judge(server, sandbox, seed=1) as judge,
    ):
        with Course(tmp_path, judge).desk(KEEPS, PLAIN) as desk:
            result = desk.run(desk.exercise.checks[0])
        while judge._pools:
            judge._pools.popitem()[1].close()
    assert result.outcome is Outcome.PASSED, result.failure


def test_clients_that_come_together_race(examine: Examine) -> None:
    check = """
def test_it(db, api):
    api.start()
    request = ("POST", "/notes", {"body": "once"})
    got = api.together(request, request, gate="notes")
    assert db.count("notes") == 1, hint(f"{db.count('notes')} are stored.")
    assert sorted(r.status for r in got) == [201, 409]
    assert [r.status for r in api.together(("GET", "/notes"), ("GET", "/notes"))] == [200, 200]
"""
    looks = FASTAPI.replace(
        '            connection.execute(text("INSERT',
        """            found = text("SELECT count(*) FROM notes WHERE body = :b")
            if connection.scalar(found, {"b": body}):
                response.status_code = 409
                return {}
            connection.execute(text("INSERT""",
    )
    locks = looks.replace(
        "            found =",
        '            lock = text("SELECT pg_advisory_xact_lock(1)")\n'
        "            connection.execute(lock)\n            found =",
    )
    assert failed(examine(check, looks)) == "2 are stored."
    result = examine(check, locks)
    assert result.outcome is Outcome.PASSED, result.failure


TWO_WAYS = FASTAPI.replace(
    "    return app",
    """    @app.post("/slow", status_code=201)
    def slow(response: Response, body: str = Body(embed=True)):
        BEFORE
        return add(response, body)

    return app""",
).replace(
    "def create_app",
    """import time

def burn(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass

def create_app""",
)
LOOKS = """            found = text("SELECT count(*) FROM notes WHERE body = :b")
            if connection.scalar(found, {"b": body}):
                response.status_code = 409
                return {}
            connection.execute(text("INSERT"""
LOCKS = """            connection.execute(text("SELECT pg_advisory_xact_lock(1)"))
"""
WORKS = "burn(1)"
ASKS = """
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_sleep(1.5)"))
"""


@pytest.mark.parametrize("before", [WORKS, ASKS])
def test_a_request_that_still_works_is_waited_for_at_the_gate(
    examine: Examine, before: str
) -> None:
    check = """
def test_it(db, api):
    api.start()
    body = {"body": "once"}
    got = api.together(("POST", "/notes", body), ("POST", "/slow", body), gate="notes")
    assert db.count("notes") == 1, hint(f"{db.count('notes')} are stored.")
    assert sorted(r.status for r in got) == [201, 409]
"""
    slow = TWO_WAYS.replace("BEFORE", before.strip())
    insert = '            connection.execute(text("INSERT'
    looks = slow.replace(insert, LOOKS)
    locks = slow.replace(insert, LOCKS + LOOKS)
    toml = TOML.replace("seconds = 5", "seconds = 30")
    assert failed(examine(check, looks, toml=toml)) == "2 are stored."
    result = examine(check, locks, toml=toml)
    assert result.outcome is Outcome.PASSED, result.failure


def test_who_takes_one_request_at_a_time_is_not_waited_for_in_vain(examine: Examine) -> None:
    check = """
def test_it(db, api):
    api.start()
    request = ("POST", "/notes", {"body": "each"})
    got = api.together(request, request, request, gate="notes")
    assert [r.status for r in got] == [201] * 3
    assert db.count("notes") == 3, hint(f"{db.count('notes')} are stored.")
"""
    result = examine(check, PLAIN)
    assert result.outcome is Outcome.PASSED, result.failure
    careless = PLAIN.replace(
        "            return 201", "            connection.rollback()\n" + " " * 12 + "return 201"
    )
    assert failed(examine(check, careless)) == "0 are stored."


START = "def test_it(api):\n    api.start()\n    api.get('/notes').json()"


def test_an_application_that_does_not_start_is_told(examine: Examine) -> None:
    result = examine(START, "x = 1")
    assert failed(result, Reason.RAISED) == "Starting app raised AttributeError."
    refuses = PLAIN.replace(
        "        return\n",
        "        await receive()\n"
        "        await send({'type': 'lifespan.startup.failed'})\n"
        "        return\n",
        1,
    )
    result = examine(START, refuses)
    assert failed(result, Reason.RAISED) == "Starting app raised RuntimeError."
    assert "status 500" in failed(examine(START, "app = 7"))


@pytest.mark.parametrize(
    ("change", "reason", "words"),
    [
        ("return 200, b'<p>notes</p>'", Reason.ASSERTION, "answered with status 200 and a body"),
        ("os._exit(0)", Reason.KILLED, "GET /notes got no answer that is HTTP."),
        ("import time; time.sleep(60)", Reason.TIMEOUT, "not answered within 1 seconds"),
        ("return 200, b'x' * 9_000_000", Reason.LIMIT, "is larger than 8 MB"),
        ("return 200, b'[' * 500_000", Reason.ASSERTION, "not JSON"),
        ("raise ValueError", Reason.ASSERTION, "answered with status 500"),
    ],
)
def test_answers_that_help_nobody_are_told(
    examine: Examine, change: str, reason: Reason, words: str
) -> None:
    answer = PLAIN.replace("    with engine.begin()", f"    {change}\n    with engine.begin()")
    toml = TOML.replace("seconds = 5", "seconds = 1")
    assert words in failed(examine(START, answer, toml=toml), reason)


DRIPS = """
import os
import socket
import threading
import time

def is_listening(number):
    try:
        with socket.socket(fileno=os.dup(number)) as one:
            return one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError:
        return False

def drip(listener):
    client, _ = listener.accept()
    client.send(START)
    for _ in range(1000):
        client.send(b"x")
        time.sleep(0.05)

def create_app(url):
    (number,) = filter(is_listening, range(3, 256))
    taken = socket.socket(fileno=os.dup(number))
    instead = socket.socket()
    instead.bind(("127.0.0.1", 0))
    os.dup2(instead.fileno(), number)
    threading.Thread(target=drip, args=(taken,), daemon=True).start()
    return lambda scope, receive, send: None
"""


@pytest.mark.parametrize(
    "start", [b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "]
)
def test_an_answer_that_comes_drop_by_drop_is_given_up(examine: Examine, start: bytes) -> None:
    """The submission answers by itself, on the socket that it was given for its application."""
    check = START.replace("api.start()", 'api.start("create_app", factory=True)')
    toml = TOML.replace("seconds = 5", "seconds = 1")
    result = examine(check, DRIPS.replace("START", repr(start)), toml=toml)
    assert failed(result, Reason.TIMEOUT) == "GET /notes was not answered within 1 seconds."


@pytest.mark.parametrize("said", ["null", "[]", "17", '"x"', '{"items": null}', '{"items": [7]}'])
@pytest.mark.parametrize("how", ["api.get('/')", "api.together(('GET', '/'))[0]"])
def test_an_answer_of_another_shape_is_a_failure_and_not_an_error_of_the_check(
    examine: Examine, said: str, how: str
) -> None:
    check = f"""
def test_it(api):
    api.start()
    assert [one["id"] for one in {how}.json()["items"]] == [1]
"""
    answer = PLAIN.partition("def answer")[0] + (
        f"def answer(method, path, body):\n    return 200, {said.encode()!r}\n"
    )
    result = examine(check, answer)
    assert failed(result) == (
        "The answer to GET / does not have the shape that the README describes."
    )
    assert result.failure is not None
    assert result.failure.actual == f"status 200, {said}"


def test_an_answer_that_is_nested_without_end_is_a_failure(examine: Examine) -> None:
    check = """
def test_it(api):
    def depth(value):
        return 1 + max(map(depth, value), default=0)

    api.start()
    assert depth(api.get('/').json()) == 1
"""
    answer = PLAIN.partition("def answer")[0] + (
        "def answer(method, path, body):\n    return 200, b'[' * 900 + b']' * 900\n"
    )
    assert failed(examine(check, answer)) == (
        "The answer to GET / does not have the shape that the README describes."
    )


def test_of_a_call_and_an_answer_the_later_one_has_the_wrong_shape(examine: Examine) -> None:
    answer = PLAIN + "def add_note(session, body): return None"
    call, ask = "student.call('add_note', 'x')", "api.get('/notes').json()"
    check = "def test_it(api, student):\n    api.start()\n    {}\n    {}[0]"
    assert "What add_note returned" in failed(examine(check.format(ask, call), answer))
    assert "The answer to GET /notes" in failed(examine(check.format(call, ask), answer))


def test_a_check_that_asks_before_it_starts_is_at_fault(examine: Examine) -> None:
    assert "start() comes first" in errored(examine("def test_it(api): api.get('/')", PLAIN))
    check = "def test_it(api): api.together(('GET', '/'), gate='notes')"
    assert "start() comes first" in errored(examine(check, PLAIN))
    check = "def test_it(api):\n    api.start()\n    api.start()"
    assert "runs already" in errored(examine(check, PLAIN))


def test_without_uvicorn_the_kit_is_at_fault(
    examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert 'pip install "kit[api]"' in errored(examine(START, PLAIN), Reason.KIT)


@pytest.fixture
def descriptors() -> Iterator[None]:
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.usefixtures("descriptors")
def test_nothing_is_left_behind(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    check = START + "\n    api.restart()\n    api.restart()\n    api.get('/notes')"
    with course.desk(check, PLAIN) as desk:
        assert desk.run(desk.exercise.checks[0]).outcome is Outcome.PASSED
    while course.judge._pools:
        course.judge._pools.popitem()[1].close()
    assert [p.name for p in (tmp_path / "t").iterdir() if p.name.startswith("kit-api")] == []

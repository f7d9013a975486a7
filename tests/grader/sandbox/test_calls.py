"""A call into a sandbox ends in an answer, an exception, or a reason why there is none."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from grader import wire
from grader.results import Reason
from grader.sandbox import Answer, Ended, Raised, Unusable
from grader.sandbox.runner import OUTPUT_KEPT
from tests.grader.laboratory import Laboratory, Submission

Submit = Callable[..., Submission]
MB = 1024 * 1024


def ended(outcome: Any) -> Reason:
    assert isinstance(outcome, Ended), outcome
    return outcome.reason


def test_a_call_answers_with_what_the_function_returns(submit: Submit) -> None:
    one = submit("def add(session, a, b=0, *, c=0): return {'sum': a + b + c, 'of': (a, b, c)}")
    assert one.call("add", 1, Decimal("2.5"), c=3) == Answer(
        {"sum": Decimal("6.5"), "of": [1, Decimal("2.5"), 3]}
    )


def test_a_call_gets_a_session_on_its_database(submit: Submit, lab: Laboratory) -> None:
    one = submit(
        "from sqlalchemy import text\n"
        "def where(session): return session.scalar(text('SELECT current_database()'))"
    )
    assert one.value("where") == lab.database.name


def test_the_caller_commits_after_a_return_and_rolls_back_after_an_exception(
    submit: Submit,
) -> None:
    one = submit(
        "from sqlalchemy import text\n"
        "def prepare(session):\n"
        "    session.execute(text('CREATE TABLE IF NOT EXISTS pg_temp.t (n int)'))\n"
        "def put(session, n):\n"
        "    session.execute(text('INSERT INTO t VALUES (:n)'), {'n': n})\n"
        "    if n < 0: raise ValueError(n)\n"
        "def stored(session): return list(session.scalars(text('SELECT n FROM t ORDER BY n')))\n"
    )
    one.call("prepare", commit=True)
    assert one.call("put", 1, commit=True) == Answer(None)
    assert one.call("put", 2, commit=False) == Answer(None)
    assert isinstance(one.call("put", -3, commit=True), Raised)
    assert one.value("stored") == [1]


def test_an_exception_arrives_by_name_with_the_students_own_frames(submit: Submit) -> None:
    one = submit(
        "class NotFound(LookupError): pass\n"
        "def find(session, n):\n"
        "    return look(n)\n"
        "def look(n):\n"
        "    raise NotFound(f'no user {n}')\n"
    )
    outcome = one.call("find", 7)
    assert isinstance(outcome, Raised)
    assert outcome.type == "NotFound"
    assert outcome.bases[:3] == ["NotFound", "LookupError", "Exception"]
    assert outcome.message == "no user 7"
    assert [(f["file"], f["line"], f["name"], f["code"]) for f in outcome.frames] == [
        ("m.py", 3, "find", "return look(n)"),
        ("m.py", 5, "look", "raise NotFound(f'no user {n}')"),
    ]


def test_an_error_of_postgresql_arrives_with_its_sqlstate(submit: Submit) -> None:
    one = submit(
        "from sqlalchemy import text\ndef f(session): session.execute(text('SELECT 1 / 0'))"
    )
    outcome = one.call("f")
    assert isinstance(outcome, Raised)
    assert (outcome.sqlstate, outcome.message) == ("22012", "division by zero")


@pytest.mark.parametrize(
    "statement",
    [
        "raise SystemExit(0)",
        "raise KeyboardInterrupt",
        "raise GeneratorExit",
        "import sys; sys.exit()",
    ],
)
def test_leaving_the_program_by_an_exception_is_an_exception(
    submit: Submit, statement: str
) -> None:
    one = submit(f"def leave(session):\n    {statement}\ndef stay(session): return 1")
    assert isinstance(one.call("leave"), Raised)
    assert one.value("stay") == 1


@pytest.mark.parametrize(
    "statement",
    [
        "os._exit(0)",
        "os.kill(os.getpid(), 9)",
        "os.abort()",
        "os.kill(os.getpid(), 11)",
        "[os.close(d) for d in range(3, 64) if is_open(d)]; os._exit(0)",
    ],
)
def test_a_process_that_ends_was_killed(submit: Submit, statement: str) -> None:
    one = submit(
        "import os\n"
        "def is_open(d):\n"
        "    try: os.fstat(d); return True\n"
        "    except OSError: return False\n"
        f"def leave(session): {statement}\n"
        "def stay(session): return 1\n"
    )
    assert ended(one.call("leave")) is Reason.KILLED
    assert ended(one.call("stay")) is Reason.KILLED
    assert one.again() == Answer(None)
    assert one.value("stay") == 1


@pytest.mark.parametrize(
    "body",
    [
        "time.sleep(600)",
        "\n    while True: pass",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)",
        "\n    while True:\n        try: time.sleep(600)\n        except BaseException: pass",
    ],
)
def test_a_call_that_does_not_end_in_time_is_over(submit: Submit, body: str) -> None:
    one = submit(f"import time, signal\ndef f(session): {body}\ndef g(session): return 1")
    outcome = one.call("f", seconds=0.3)
    assert outcome == Ended(Reason.TIMEOUT, "There was no answer within 0.3 seconds.")
    started = time.monotonic()
    assert one.call("g", seconds=60) == outcome
    assert time.monotonic() - started < 60
    assert one.again() == Answer(None)
    assert one.value("g") == 1


def test_what_is_printed_is_kept_call_by_call(submit: Submit) -> None:
    one = submit(
        "import os, sys\n"
        "print('import')\n"
        "def f(session, words):\n"
        "    print(words)\n"
        "    sys.stderr.write('error')\n"
        "    os.write(1, b'raw \\xff')\n"
        "    os.system('echo child')\n"
    )
    assert one.runner.output == b"import\n"
    one.call("f", "first")
    for words in (b"first\n", b"error", b"raw \xff", b"child\n"):
        assert words in one.runner.output
    one.call("f", "second")
    assert b"second" in one.runner.output
    assert b"first" not in one.runner.output


@pytest.mark.parametrize("library", ["psycopg", "sqlalchemy.pool"])
def test_what_libraries_say_in_their_log_is_printed_if_the_submission_wants_it(
    submit: Submit, library: str
) -> None:
    code = "import logging\n{}\n" + f"def f(session): logging.getLogger('{library}').error('no')"
    silent, wanted = submit(code.format("")), submit(code.format("logging.basicConfig()"))
    silent.call("f")
    wanted.call("f")
    assert silent.runner.output == b""
    assert wanted.runner.output == f"ERROR:{library}:no\n".encode()


def test_an_engine_that_echoes_is_heard(submit: Submit) -> None:
    one = submit(
        "import os\nfrom sqlalchemy import create_engine, text\n"
        "def f(session):\n"
        "    url = os.environ['DATABASE_URL']\n"
        "    with create_engine(url, echo=True).connect() as connection:\n"
        "        connection.execute(text('SELECT 42'))\n"
    )
    one.call("f")
    assert b"sqlalchemy.engine.Engine SELECT 42" in one.runner.output


def test_output_is_kept_as_far_as_its_limit(submit: Submit) -> None:
    one = submit("def f(session): print('x' * 1_000_000); return 1", output_bytes=4 * MB)
    assert one.value("f") == 1
    assert one.runner.output == b"x" * OUTPUT_KEPT


def test_output_without_end_is_stopped(submit: Submit) -> None:
    one = submit("def f(session):\n    while True: print('x' * 10_000)", output_bytes=4 * MB)
    assert one.call("f") == Ended(Reason.LIMIT, "It printed more than 4 MB.")


def test_closing_the_output_does_not_matter(submit: Submit) -> None:
    one = submit("import os\ndef f(session): os.closerange(0, 3); return 1")
    assert one.value("f") == 1
    assert one.value("f") == 1


def test_a_value_that_cannot_be_sent_is_said_to_be_so(submit: Submit) -> None:
    one = submit(
        "def deep(session):\n"
        "    value = 1\n"
        "    for _ in range(100): value = [value]\n"
        "    return value\n"
        "def large(session): return 'x' * 9_000_000\n"
        "def long(session): return 10 ** 5000\n"
        "def plain(session): return 1\n"
    )
    for function, problem in (
        ("deep", "nested more than 24 levels deep"),
        ("large", "a message of 9,0"),
        ("long", "a number of more than 4,000 digits"),
    ):
        outcome = one.call(function)
        assert isinstance(outcome, Unusable)
        assert problem in outcome.problem
    assert one.value("plain") == 1


def test_a_request_that_is_too_large_is_the_judges_own_fault(submit: Submit) -> None:
    one = submit("def f(session, text): return len(text)")
    with pytest.raises(wire.WireError, match="the limit is"):
        one.call("f", "x" * (wire.MAX_FRAME_BYTES + 1))
    assert one.value("f", "x" * 7 * MB) == 7 * MB


def test_a_function_that_is_not_there_is_missing(submit: Submit) -> None:
    outcome = submit("answer = 42").call("answer")
    assert isinstance(outcome, Raised)
    assert outcome.type == "MissingFunction"


def test_a_submission_that_cannot_be_read_tells_its_line(lab: Laboratory) -> None:
    one = Submission(lab, {"m.py": "def f(session):\n    retrun 1\n"})
    try:
        assert isinstance(one.imported, Raised)
        assert one.imported.type == "SyntaxError"
        assert one.imported.syntax == {"file": "m.py", "line": 2, "code": "    retrun 1"}
    finally:
        one.close()


def test_a_module_may_be_called_like_one_of_the_worker(lab: Laboratory) -> None:
    names = ("limits", "runner", "cell", "plain", "control", "zygote")
    files: dict[str, str | bytes] = {f"{name}.py": f"NAME = {name!r}" for name in names}
    files["m.py"] = (
        f"import {', '.join(names)}\n"
        f"def f(session): return [each.NAME for each in ({', '.join(names)})]\n"
    )
    one = Submission(lab, files)
    try:
        assert one.imported == Answer(None)
        assert one.value("f") == list(names)
    finally:
        one.close()


def test_files_are_written_whatever_they_are_called(lab: Laboratory) -> None:
    odd = b"a\n\xff.py".decode("utf-8", "surrogateescape")
    source = "import os\ndef f(session): return sorted(map(os.fsencode, os.listdir()))"
    one = Submission(lab, {"m.py": source, odd: b""})
    try:
        assert one.imported == Answer(None)
        assert one.value("f") == [b"a\n\xff.py", b"m.py"]
    finally:
        one.close()

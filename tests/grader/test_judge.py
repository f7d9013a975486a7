"""One check on one submission ends in exactly one of three ways, and for the right reason."""

from __future__ import annotations

import contextlib
import os
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from grader import checks, instruments
from grader import judge as judges
from grader.checks.state import Database as State
from grader.desk import Desk
from grader.errors import GraderError, SandboxError
from grader.judge import Judge
from grader.results import CheckResult, Outcome, Reason
from grader.sandbox import Cell, ProcessSandbox, Runner, Sandbox
from grader.sitting import Sitting
from pglab import statements as reading
from pglab.errors import PglabError, StatementsUnavailable
from pglab.scratch import Database, Role
from pglab.servers import Server
from tests.grader.courses import SCHEMA, SOLUTION, TOML
from tests.grader.examining import HEAD, Course, Examine, errored, failed

Made = Callable[[], tuple[set[str], set[str], int]]
_OFTEN = 6


STORES = """
def test_it(student, db):
    student.call("add_note", "hello")
    assert db.count("notes", body="hello") == 1, hint("Nothing was stored.")
"""


def test_a_check_that_holds_earns_its_points(examine: Examine) -> None:
    result = examine(STORES)
    assert result == CheckResult("test_it", "It holds", 2, 2, Outcome.PASSED, visible=True)


def test_a_check_that_does_not_hold_earns_nothing(examine: Examine) -> None:
    result = examine(STORES, "def add_note(session, body): pass")
    assert failed(result) == "Nothing was stored."
    assert (result.points, result.title) == (2, "It holds")


def test_a_failure_carries_what_the_author_said(examine: Examine) -> None:
    check = """
def test_it(student, db, statements):
    found = student.call("find_notes", "x")
    assert not found, "unused"
    assert db.count("notes") == 1, hint(
        "Only a sentence.", question="Why?", expected=[1, "a"], actual={"b": None},
        misconception="in-any-order", show=statements.last,
    )
"""
    result = examine(check)
    assert result.failure is not None
    failure = result.failure
    assert (failure.message, failure.question) == ("Only a sentence.", "Why?")
    assert (failure.expected, failure.actual) == ("[1, 'a']", "{'b': None}")
    assert failure.misconception == "in-any-order"
    assert failure.statements_total == 1
    [statement] = failure.statements
    assert statement.sql.startswith("SELECT body FROM notes WHERE position")
    assert statement.parameters == ("x",)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("", "This does not hold yet: It holds."),
        (", 'A plain text.'", "A plain text."),
        (", None", "This does not hold yet: It holds."),
        (", {'b', 'a'}", "{'a', 'b'}"),
        (", hint('A \\x1b[31mred text.')", "A red text."),
    ],
)
def test_an_assertion_may_say_as_much_as_it_likes(
    examine: Examine, said: str, message: str
) -> None:
    assert failed(examine(f"def test_it(student):\n    assert False{said}\n")) == message


def test_the_misconception_of_a_check_is_shown_unless_the_hint_says_otherwise(
    examine: Examine,
) -> None:
    head = HEAD.replace("points=2", "misconception='the-checks'")
    for said, shown in (
        ("", "the-checks"),
        (", hint('x')", "the-checks"),
        (", hint('x', misconception='the-hints')", "the-hints"),
        (", hint('x', misconception='')", None),
    ):
        result = examine(f"{head}def test_it(student):\n    assert False{said}\n")
        assert result.failure is not None
        assert result.failure.misconception == shown


def test_what_goes_wrong_in_the_submission_shows_no_misconception(examine: Examine) -> None:
    head = HEAD.replace("points=2", "misconception='the-checks'")
    result = examine(f"{head}def test_it(student):\n    student.call('add_note', 1, 2, 3)\n")
    assert failed(result, Reason.RAISED) == "add_note raised TypeError."
    assert result.failure is not None
    assert result.failure.misconception is None


def test_what_was_printed_is_kept_with_the_check(examine: Examine) -> None:
    answer = "print('import')\ndef add_note(session, body): print('call', body)"
    assert examine(STORES, answer).output == "import\ncall hello\n"


def test_each_check_has_a_database_of_its_own(course: Course) -> None:
    check = HEAD + (
        "def test_a(student, db):\n"
        "    student.call('add_note', 'a')\n"
        "    assert db.count('notes') == 1\n\n\n"
        "@check('Again')\n"
        "def test_b(student, db):\n"
        "    student.call('add_note', 'b')\n"
        "    assert db.count('notes') == 1\n"
    )
    with course.desk(check) as desk:
        assert [desk.run(spec).outcome for spec in desk.exercise.checks] == [Outcome.PASSED] * 2


@pytest.mark.parametrize(
    ("answer", "reason", "message"),
    [
        ("def (", Reason.IMPORT, "notes.py is not valid Python: line 1 cannot be read."),
        ("import nothing_at_all", Reason.IMPORT, "notes.py could not be imported: ModuleNot"),
        ("raise SystemExit", Reason.IMPORT, "notes.py could not be imported: SystemExit"),
        ("x = 1\0", Reason.IMPORT, "notes.py is not valid Python: it cannot be read."),
        ("import os; os._exit(0)", Reason.KILLED, "Importing notes.py gave no answer"),
        ("while True: pass", Reason.TIMEOUT, "Importing notes.py gave no answer"),
        ("", Reason.MISSING, "notes.py has no function called add_note."),
        ("add_note = 1", Reason.MISSING, "notes.py has no function called add_note."),
    ],
)
def test_a_submission_that_cannot_be_used_fails_for_that_reason(
    examine: Examine, answer: str, reason: Reason, message: str
) -> None:
    result = examine(STORES, answer, toml=TOML.replace("seconds = 5", "seconds = 1"))
    assert failed(result, reason).startswith(message)


def test_a_submission_that_never_imports_is_imported_once(course: Course, tmp_path: Path) -> None:
    counted = tmp_path / "imports"
    check = (
        HEAD
        + "".join(f"def test_{n}(student): student.call('x')\n\n\n@check('More')\n" for n in "abc")
        + "def test_d(student): pass\n"
    )
    answer = f"open({str(counted)!r}, 'a').write('x')\nraise ValueError('no')"
    with course.desk(check, answer) as desk:
        results = [desk.run(spec) for spec in desk.exercise.checks]
    assert {failed(result, Reason.IMPORT) for result in results} == {
        "notes.py could not be imported: ValueError: no"
    }
    assert len(results) == 4
    assert counted.read_text() == "x"


USES = """
def test_it(student, db):
    note = student.call("add_note", "hello")
    {}
"""


@pytest.mark.parametrize(
    ("returned", "use"),
    [
        ("None", "assert note['id'] == 1"),
        ("{}", "assert note['id'] == 1"),
        ("[]", "assert note[0] == 1"),
        ("[]", "assert next(iter(note)) == 1"),
        ("'x'", "assert note + 1 == 2"),
        ("'x'", "assert int(note) == 1"),
        ("5", "assert len(note) == 1"),
        ("5", "assert note.lower() == 1"),
        ("[1, 'a']", "assert sorted(note) == 1"),
        ("{1: 2}", "assert {note} == 1"),
        ("0", "assert 1 / note == 1"),
        ("'x'", "assert db.one('notes', id=note)"),
        ("'\\0'", "assert db.one('notes', body=note)"),
        ("'\\ud800'", "assert db.one('notes', body=note)"),
        ("1.5", "assert db.query('SELECT * FROM public.notes WHERE id = %s::int', [str(note)])"),
        ("[1]", "assert db.one('notes', id=note)"),
        ("{'a': 1}", "assert db.one('notes', id=note)"),
        ("{1, 2}", "assert db.one('notes', id=note)"),
        ("True", "assert db.one('notes', id=note)"),
        ("b'x'", "assert db.one('notes', id=note)"),
        ("[]", "student.call('find_notes', note)"),
    ],
)
def test_an_answer_of_another_shape_is_a_failure_and_not_an_error_of_the_kit(
    examine: Examine, returned: str, use: str
) -> None:
    answer = f"def add_note(session, body): return {returned}\ndef find_notes(session, w): w.x"
    result = examine(USES.format(use), answer)
    if "find_notes" in use:
        assert failed(result, Reason.RAISED) == "find_notes raised AttributeError."
    else:
        assert failed(result) == (
            "What add_note returned does not have the shape that the README describes."
        )


@pytest.mark.parametrize(
    "lines",
    [
        "{}['x']",
        "1 / 0",
        "db.count('notes', id='x')",
        "db.query('SELECT 1 FROM public.nothing')",
        "student.call('add_note', 'x'); raise RuntimeError('x')",
        "student.call('add_note', 'x'); db.query('SELEKT')",
        "student.call('add_note', 'x'); db.insert('nothing', {})",
        "student.call('add_note', 'x'); db.insert('notes', {})",
        "student.call('add_note', object())",
        "student.call('add_note', 'x' * 9_000_000)",
        "import sys; sys.modules['nothing'].x",
        "open('/nowhere/data.json')",
        "db.count(1, 2, 3, 4)",
    ],
)
def test_a_check_that_breaks_blames_its_author_and_names_the_line(
    examine: Examine, lines: str
) -> None:
    told = errored(examine(f"def test_it(student, db):\n    {lines}\n"))
    assert told.startswith("test_visible.py, line "), told
    source = HEAD.count("\n") + 2
    assert told.startswith(f"test_visible.py, line {source + lines.count(chr(10))}: "), told


def test_a_misused_instrument_blames_the_check_in_the_instruments_words(examine: Examine) -> None:
    check = "def test_it(rivals):\n    one, = rivals.enter(1)\n    one.finish()\n"
    assert errored(examine(check)).endswith(": A has no call to finish; start() comes first.")
    check = "def test_it(rivals):\n    one, = rivals.enter(1)\n    one.start('add_note', 'x')\n"
    assert errored(examine(check)).startswith("The check ended and never asked what became of A")


@pytest.mark.parametrize("error", [OSError(28, "no space left"), PglabError("it is gone")])
def test_what_the_machine_does_to_a_check_is_not_the_checks_fault(
    examine: Examine, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> list[dict[str, object]]:
        raise error

    monkeypatch.setattr(State, "_fetch", fail)
    found = examine("def test_it(db):\n    db.count('notes')\n")
    assert errored(found, Reason.KIT) == f"{type(error).__name__}: {error}"


WAITS = "import time\nopen({begun!r}, 'w').close()\ntime.sleep(600)\n"
SERVES = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        wait()
"""


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        ("def test_it(student):\n    student.call('wait')\n", "{waits}"),
        ("def test_it(student):\n    student.call('wait')\n", "def wait(session):\n{inside}"),
        (
            "def test_it(api):\n    api.start()\n    api.get('/')\n",
            "def wait():\n{inside}" + SERVES,
        ),
    ],
    ids=["import", "call", "request"],
)
def test_what_ends_with_its_sandbox_is_no_failure_of_the_submission(
    server: Server, tmp_path: Path, check: str, answer: str
) -> None:
    """Else a grading that is broken off would find that the submission ended its process."""
    begun = tmp_path / "begun"
    waits = WAITS.format(begun=str(begun))
    written = answer.format(waits=waits, inside=textwrap.indent(waits, "    "))
    with (
        ProcessSandbox(server.socket_dir).start() as sandbox,
        Judge(server, sandbox, seed=1) as judge,
    ):

        def close() -> None:
            while not begun.exists():
                time.sleep(0.01)
            sandbox.close()

        closing = threading.Thread(target=close)
        closing.start()
        toml = TOML.replace("seconds = 5", "seconds = 60")
        with Course(tmp_path, judge).desk(check, written, toml=toml) as desk:
            result = desk.run(desk.exercise.checks[0])
        closing.join()
    assert errored(result, Reason.KIT) == "The sandbox was closed while this check ran."


def test_large_tables_come_vacuumed_and_small_ones_without_more_files(examine: Examine) -> None:
    schema = """
CREATE TABLE many (n int);
INSERT INTO many SELECT generate_series(1, 50000);
CREATE TABLE few (n int);
INSERT INTO few VALUES (1);
"""
    check = """
def test_it(db):
    seen = {
        row["relname"]: (row["relpages"] > 0, row["relallvisible"] == row["relpages"])
        for row in db.query(
            "SELECT relname, relpages, relallvisible FROM pg_catalog.pg_class"
            " WHERE relname IN ('many', 'few')"
        )
    }
    assert seen == {"many": (True, True), "few": (True, False)}, seen
"""
    result = examine(check, schema=schema)
    assert result.outcome is Outcome.PASSED, result.failure


def test_a_schema_that_cannot_be_built_is_its_authors_fault(examine: Examine) -> None:
    told = errored(examine(STORES, schema="CREATE TABEL notes ()"))
    assert told.startswith("schema.sql cannot be built: syntax error")


def test_rows_in_the_way_of_the_checks_own_are_a_failure(examine: Examine) -> None:
    check = """
def test_it(student, db):
    student.call("add_note", "hello")
    db.insert("notes", {"id": 1, "body": "mine"})
"""
    schema = SCHEMA.replace("ALWAYS", "BY DEFAULT")
    assert "is in their way" in failed(examine(check, schema=schema))


def test_a_database_that_is_filled_is_told_by_its_limit(
    judge: Judge, examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge.quota, "_bytes", 20 << 20)
    check = """
def test_it(student, db):
    student.call("fill")
    assert db.count("notes") == 1
"""
    answer = """
from sqlalchemy import text

ROWS = text("INSERT INTO notes (body) SELECT repeat('x', 1000) FROM generate_series(1, 1000)")

def fill(session):
    while True:
        session.execute(ROWS)
        session.commit()
"""
    result = examine(check, answer)
    assert result.outcome is Outcome.FAILED
    assert result.failure is not None
    assert result.failure.reason is Reason.LIMIT
    assert "filled the database with more than 20 MB" in result.failure.message
    monkeypatch.undo()
    assert examine(STORES).outcome is Outcome.PASSED


def test_rows_that_stay_locked_are_a_failure(
    examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.judge_sessions.LOCK_MS", 100)
    check = """
def test_it(student, db):
    db.insert("notes", {"body": "a"})
    student.call("add_note", "hello")
    db.query("SELECT 1 FROM public.notes")
    db._sessions.author.execute("UPDATE public.notes SET body = 'b'")
"""
    answer = """
kept = []
def add_note(session, body):
    connection = session.get_bind().connect()
    connection.exec_driver_sql("UPDATE notes SET body = 'locked'")
    kept.append(connection)
"""
    assert "still held locks" in failed(examine(check, answer), Reason.LIMIT)


COUNTS = """
def test_it(student, db, statements):
    student.call("add_note", "a")
    student.call("add_note", "b")
    assert db.count("notes") == 2
    assert statements.last.count == 1, hint("More than one.")
    assert statements.total.count == 2, hint("More than two.")
"""


def test_more_statements_than_can_be_read_are_the_submissions_own_failure(
    examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_TOTAL_LIMIT", 5_000)
    sends = "    session.execute(text('SELECT 1' + ' ' * 6000))\n"
    much = SOLUTION.replace("    found = session", f"{sends}    found = session")
    assert sends in much
    for check in (
        "def test_it(student, statements):\n"
        "    student.call('find_notes', 'x')\n    assert statements.last.count == 1\n",
        "def test_it(student):\n    assert student.call('find_notes', 'x') == 7\n",
    ):
        told = failed(examine(check, much), Reason.LIMIT)
        assert told == "Your code sent more text in statements than a check can read."


def test_statements_are_counted_call_by_call(examine: Examine) -> None:
    assert examine(COUNTS).outcome is Outcome.PASSED
    twice = SOLUTION.replace(
        "return session.scalar(", "session.scalar(text('SELECT 1'))\n    return session.scalar("
    )
    assert failed(examine(COUNTS, twice)) == "More than one."


def test_statements_on_another_connection_count_too(examine: Examine) -> None:
    answer = """
from sqlalchemy import create_engine, text
def add_note(session, body):
    url = session.get_bind().url
    with create_engine(url).begin() as connection:
        connection.execute(text("SELECT 1"))
        connection.execute(text("INSERT INTO notes (body) VALUES (:b)"), {"b": body})
"""
    assert failed(examine(COUNTS, answer)) == "More than one."


def test_work_that_is_sent_after_the_answer_is_found_out(examine: Examine, tmp_path: Path) -> None:
    """It is sent when the check says so: in the process sandbox both see the same files."""
    now = tmp_path / "now"
    answer = f"""
import os, threading, time
from sqlalchemy import text
def add_note(session, body):
    engine, answered = session.get_bind(), threading.Event()
    def later():
        while not os.path.exists({str(now)!r}):
            time.sleep(0.001)
        with engine.begin() as connection:
            connection.execute(text("SELECT 1"))
            connection.execute(text("INSERT INTO notes (body) VALUES (:b)"), {{"b": body}})
    threading.Thread(target=later).start()
"""
    for then in ("", "    student.call('add_note', 'b')\n"):
        now.unlink(missing_ok=True)
        check = f"""
def test_it(student, db, statements):
    import pathlib
    student.call("add_note", "a")
    assert statements.last.count <= 1, hint("More than one.")
    pathlib.Path({str(now)!r}).touch()
    while not db.count("notes"):
        pass
{then}"""
        assert "After your code had answered" in failed(examine(check, answer))


def test_a_function_made_while_importing_hides_nothing(examine: Examine) -> None:
    answer = """
import sys
from sqlalchemy import text

DEFINITION = '''CREATE FUNCTION pg_temp.store(body text) RETURNS bigint LANGUAGE sql AS
    $$ SELECT 1; INSERT INTO public.notes (body) VALUES (body) RETURNING id $$'''
engine = sys.modules["grader.worker.engines"]._met[0]
with engine.connect() as connection:
    connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(DEFINITION)

def add_note(session, body):
    return session.scalar(text("SELECT pg_temp.store(:b)"), {"b": body})
"""
    assert "inside a function of your own, store" in failed(examine(COUNTS, answer))


def test_names_that_differ_in_every_run_are_not_reported(examine: Examine) -> None:
    answer = """
from sqlalchemy import text
def add_note(session, body):
    who, where = session.execute(text("SELECT current_user, current_database()")).one()
    print(who, where, __file__)
    raise ValueError(f"{who} in {where}, {who}0 in {where}1")
"""
    result = examine(STORES, answer)
    assert failed(result, Reason.RAISED)
    assert result.failure is not None
    assert result.failure.actual == "ValueError: student in database, student0 in database1"
    assert result.output == "student database notes.py\n"


def test_the_callee_may_own_the_transaction(examine: Examine) -> None:
    toml = TOML + 'transaction = "callee"\n'
    check = """
def test_it(student, db):
    student.call("add_note", "hello")
    assert db.count("notes") == 1, hint("Not stored.")
"""
    assert failed(examine(check, toml=toml)) == "Not stored."
    commits = SOLUTION.replace("return session.scalar(", "_ = session.scalar(").replace(
        "\n\n\ndef find", "\n    session.commit()\n\n\ndef find"
    )
    assert examine(check, commits, toml=toml).outcome is Outcome.PASSED


def test_a_check_may_commit_where_the_exercise_does_not(examine: Examine) -> None:
    check = """
def test_it(student, db):
    student.call("add_note", "a", commit=False)
    assert db.count("notes") == 0
    student.call("add_note", "b", commit=True)
    assert db.count("notes", body="b") == 1
"""
    assert examine(check).outcome is Outcome.PASSED


@pytest.mark.parametrize("sign", ["SIGKILL", "SIGSTOP"])
def test_a_check_is_not_harmed_by_what_an_earlier_one_did_to_the_cell(
    course: Course, sign: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.sandbox.base.CONTROL_SECONDS", 0.5)
    answer = (
        SOLUTION
        + f"""
import os, signal
def spoil(session):
    cell = os.getppid()
    os.kill(cell, signal.{sign})
    return cell
"""
    )
    check = HEAD + (
        "def test_a(student, db):\n"
        "    print(student.call('spoil'))\n\n\n"
        "@check('Again')\n"
        "def test_b(student, db):\n"
        "    student.call('add_note', 'b')\n"
        "    assert db.count('notes') == 1\n"
    )
    with course.desk(check, answer) as desk:
        outcomes = [desk.run(spec).outcome for spec in desk.exercise.checks]
    # A cell that is killed takes its runner along, perhaps before it has answered.
    own_doing = {Outcome.PASSED, Outcome.FAILED} if sign == "SIGKILL" else {Outcome.PASSED}
    assert outcomes[0] in own_doing
    assert outcomes[1] is Outcome.PASSED
    deadline = time.monotonic() + 10
    while left := [p for p in psutil.Process().children(recursive=True) if is_stopped(p)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.01)


def is_stopped(process: psutil.Process) -> bool:
    """Whether a process waits to be continued."""
    with contextlib.suppress(psutil.NoSuchProcess):  # it may end while it is looked at
        return bool(process.status() == psutil.STATUS_STOPPED)
    return False


def test_a_cell_that_dies_when_a_process_is_asked_for_is_replaced(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, asked = Cell.runner, []

    def dying(cell: Cell, *descriptors: int) -> Runner:
        asked.append(cell)
        if len(asked) == 1:
            raise SandboxError("the cell ended")
        return runner(cell, *descriptors)

    monkeypatch.setattr(Cell, "runner", dying)
    with course.desk(STORES) as desk:
        assert desk.run(desk.exercise.checks[0]).outcome is Outcome.PASSED
    assert len(set(map(id, asked))) == 2


def test_a_sandbox_that_dies_between_checks_is_replaced(
    course: Course, server: Server, tmp_path: Path
) -> None:
    check = (
        HEAD
        + "".join(
            f"def test_{n}(student):\n    student.call('add_note', 'x')\n\n\n@check('More')\n"
            for n in "ab"
        )
        + "def test_c(student):\n    student.call('add_note', 'x')\n"
    )
    with (
        ProcessSandbox(server.socket_dir).start() as sandbox,
        Judge(server, sandbox, seed=1) as own,
        Course(tmp_path / "own", own).desk(check) as desk,
    ):
        first = desk.run(desk.exercise.checks[0])
        assert sandbox._process is not None
        zygote = psutil.Process(sandbox._process.pid)
        for process in (*zygote.children(recursive=True), zygote):
            with contextlib.suppress(psutil.NoSuchProcess):  # some end with those before them
                process.kill()
        sandbox._process.wait()
        second = desk.run(desk.exercise.checks[1])
        third = desk.run(desk.exercise.checks[2])
    assert first.outcome is Outcome.PASSED
    assert second.outcome is Outcome.PASSED
    assert third.outcome is Outcome.PASSED


@pytest.fixture
def made(server: Server) -> Made:
    """Databases, roles and connections that the kit has on the server now."""

    def made() -> tuple[set[str], set[str], int]:
        with psycopg.connect(server.admin_url, autocommit=True) as connection:
            names = [
                {row[0] for row in connection.execute(query).fetchall()}
                for query in (
                    "SELECT datname FROM pg_database WHERE datname ~ '^kit_c_'",
                    "SELECT rolname FROM pg_roles WHERE rolname ~ '^kit_r_'",
                )
            ]
            [[sessions]] = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
                " AND pid <> pg_backend_pid()"
            ).fetchall()
        return names[0], names[1], sessions

    return made


def sessions_of(server: Server) -> set[int]:
    """The process numbers of the sessions that there are, but for the one that asks."""
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
            " AND pid <> pg_backend_pid()"
        ).fetchall()
    return {pid for (pid,) in found}


def test_a_closed_judge_leaves_nothing(
    server: Server, plain_sandbox: Sandbox, tmp_path: Path, made: Made
) -> None:
    def judge(times: int) -> None:
        with Judge(server, plain_sandbox, seed=1) as own:
            for _ in range(times):
                with Course(tmp_path, own, made=0).desk(STORES) as desk:
                    assert desk.run(desk.exercise.checks[0]).outcome is Outcome.PASSED

    judge(1)  # after which the sandbox has what it keeps ready
    before, there = made()[:2], sessions_of(server)
    descriptors = len(os.listdir("/proc/self/fd"))
    judge(12)
    # Those of another judge that idles may go meanwhile, and the server notices a little later.
    while sessions_of(server) - there:
        time.sleep(0.01)
    assert made()[:2] == before
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_a_judge_that_cannot_be_had_leaves_nothing(
    server: Server,
    plain_sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    made: Made,
) -> None:
    def unavailable(server: Server) -> None:
        raise StatementsUnavailable("no log")

    before = made()
    monkeypatch.setattr(judges, "Witness", unavailable)
    with pytest.raises(StatementsUnavailable):
        Judge(server, plain_sandbox, seed=1)
    assert made() == before


@pytest.mark.parametrize("where", ["delegate", "sessions", "connect", "take"])
def test_a_check_that_cannot_begin_leaves_nothing(
    course: Course, monkeypatch: pytest.MonkeyPatch, where: str, made: Made
) -> None:
    def fail(*_: object) -> None:
        raise GraderError("it cannot begin")

    with course.desk(STORES) as desk:
        assert desk.run(desk.exercise.checks[0]).outcome is Outcome.PASSED
        cell = desk._seats[0].cell()
        descriptors = len(os.listdir("/proc/self/fd"))
        target = {
            "delegate": (Judge, "delegate"),
            "sessions": (Judge, "sessions"),
            "connect": (Sitting, "open"),
            "take": (Judge, "take"),
        }[where]
        with monkeypatch.context() as patch:
            patch.setattr(*target, fail)
            for _ in range(_OFTEN):
                result = desk.run(desk.exercise.checks[0])
                assert "it cannot begin" in errored(result, Reason.KIT)
        assert desk.run(desk.exercise.checks[0]).outcome is Outcome.PASSED
        assert desk._seats[0].cell() is not cell
        # The threads that make and drop databases may have connected meanwhile.
        assert len(os.listdir("/proc/self/fd")) < descriptors + _OFTEN


def test_the_role_by_which_the_sandbox_met_the_server_opens_no_door_any_more(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls: list[str] = []
    url_inside = Judge.url_inside

    def watched(judge: Judge, database: Database, role: Role) -> str:
        urls.append(url_inside(judge, database, role))
        return urls[-1]

    monkeypatch.setattr(Judge, "url_inside", watched)
    with (
        ProcessSandbox(server.socket_dir).start() as sandbox,
        Judge(server, sandbox, seed=1) as own,
        Judge(server, sandbox, seed=1) as other,
        Course(tmp_path, own).desk(STORES) as desk,
    ):
        own.prepare(desk.exercise)
        other.prepare(desk.exercise)  # it has met it
        assert len(urls) == 1
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(urls[0].replace("+psycopg", ""))
        assert desk.run(desk.exercise.checks[0]).outcome is Outcome.PASSED


def test_a_sandbox_that_could_not_meet_the_server_judges_all_the_same(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Judge, "url_inside", lambda *_: "postgresql+psycopg:///?host=/nowhere")
    with (
        ProcessSandbox(server.socket_dir).start() as sandbox,
        Judge(server, sandbox, seed=1) as own,
        Course(tmp_path, own).desk(STORES) as desk,
    ):
        own.prepare(desk.exercise)
        monkeypatch.undo()
        assert desk.run(desk.exercise.checks[0]).outcome is Outcome.PASSED


def test_a_role_is_dropped_when_its_desk_is_closed(
    server: Server,
    plain_sandbox: Sandbox,
    tmp_path: Path,
    made: Made,
) -> None:
    before = made()[1]
    with Judge(server, plain_sandbox, seed=1) as own:
        for _ in range(20):
            with Course(tmp_path, own).desk(STORES) as desk:
                desk.run(desk.exercise.checks[0], more=True)
                assert {seat.role.name for seat in desk._seats} < made()[1]
        assert len(made()[1] - before) < 2 + 2 * 8
    assert made()[1] == before


TWICE = HEAD + (
    "def test_a(student, db):\n"
    "    student.call('add_note', 'a')\n"
    "    assert db.count('notes') == 1\n\n\n"
    "@check('Again')\n"
    "def test_b(student, db):\n"
    "    student.call('add_note', 'b')\n"
    "    assert [row['body'] for row in db.rows('notes')] == ['b']\n"
)


def both(desk: Desk) -> list[CheckResult]:
    """The results of two checks, of which the second is made ready while the first one runs."""
    first, second = desk.exercise.checks
    return [desk.run(first, more=True), desk.run(second)]


def test_the_next_check_is_made_ready_while_one_runs_and_shares_nothing_with_it(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[Sitting] = []
    begin = Sitting.begin

    def watched(sitting: Sitting, *, imports: bool) -> None:
        began.append(sitting)
        begin(sitting, imports=imports)

    monkeypatch.setattr(Sitting, "begin", watched)
    with course.desk(TWICE, SOLUTION + "print('imported')\n") as desk:
        results = both(desk)
        assert [seat.role.name for seat in desk._seats] == [
            desk._seats[0].role.name,
            began[0].seat.role.name,
        ]
    assert [r.outcome for r in results] == [Outcome.PASSED, Outcome.PASSED]
    assert [r.output for r in results] == ["imported\n", "imported\n"]
    assert len(began) == 1


@pytest.mark.parametrize(
    "spoils",
    [
        "session.execute(text('SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = current_user AND pid <> pg_backend_pid()'))",
        "global kept; kept = [session.get_bind().raw_connection() for _ in range(9)]",
        "session.execute(text('SELECT pg_advisory_lock(1)'))",
        "import os, signal; os.kill(os.getppid(), signal.SIGKILL)",
    ],
)
def test_what_a_check_does_reaches_nothing_of_the_one_that_is_made_ready(
    course: Course, spoils: str
) -> None:
    answer = SOLUTION + f"\n\ndef spoil(session):\n    {spoils}\n"
    check = TWICE.replace("student.call('add_note', 'a')\n", "student.call('spoil')\n", 1)
    with course.desk(check, answer) as desk:
        assert both(desk)[1].outcome is Outcome.PASSED


@pytest.mark.parametrize("where", ["is_open", "begin"])
def test_what_could_not_be_made_ready_is_done_when_it_is_due(
    course: Course, monkeypatch: pytest.MonkeyPatch, where: str, made: Made
) -> None:
    def fail(sitting: Sitting, **_: object) -> bool:
        if where == "begin":
            raise SandboxError("not now")
        sitting.runner.finish(60)
        return False

    with course.desk(TWICE) as desk:
        assert [r.outcome for r in both(desk)] == [Outcome.PASSED] * 2
        before = made()[0]
        with monkeypatch.context() as patch:
            patch.setattr(Sitting, where, fail)
            assert [r.outcome for r in both(desk)] == [Outcome.PASSED] * 2
    assert len(made()[0]) <= len(before) + 2


def test_what_was_made_ready_in_vain_is_gone_when_its_desk_is_closed(
    server: Server, plain_sandbox: Sandbox, tmp_path: Path, made: Made
) -> None:
    before, descriptors = made(), len(os.listdir("/proc/self/fd"))
    with Judge(server, plain_sandbox, seed=1) as own, Course(tmp_path, own).desk(TWICE) as desk:
        assert desk.run(desk.exercise.checks[0], more=True).outcome is Outcome.PASSED
        assert desk._ahead is not None
    assert made() == before
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_a_desk_that_is_made_ready_runs_no_student_code_before_its_first_check(
    course: Course,
) -> None:
    with course.desk(TWICE, SOLUTION + "print('imported')\n") as desk:
        desk.make_ready()
        ahead = desk._ahead
        assert ahead is not None
        assert ahead.runner.has_answered(60)
        assert ahead.runner.output == b""
        results = both(desk)
        assert desk._seats[0] is ahead.seat
    assert [(r.outcome, r.output) for r in results] == [(Outcome.PASSED, "imported\n")] * 2


@pytest.mark.parametrize(
    ("answer", "told"),
    [("x = (", "is not valid Python"), ("import os; os._exit(3)", "ended before it answered")],
)
def test_a_desk_that_was_made_ready_tells_why_a_submission_cannot_be_imported(
    course: Course, answer: str, told: str
) -> None:
    with course.desk(TWICE, answer) as desk:
        desk.make_ready()
        made_ready = both(desk)
    with course.desk(TWICE, answer) as desk:
        assert made_ready == both(desk)
    assert made_ready[0].failure is not None
    assert told in made_ready[0].failure.message


def test_the_instruments_are_those_that_check_files_may_ask_for() -> None:
    assert sorted(instruments.MAKERS) == list(checks.INSTRUMENTS)


MAKES = """
def make(session):
    session.execute(text("CREATE TABLE tags (id int PRIMARY KEY, name text)"))
    session.execute(text("ALTER TABLE notes ADD COLUMN tag int REFERENCES tags"))
"""
TRIES = """
def test_it(student, db):
    student.call("make")
    assert db.insert("tags", {"id": 1, "name": "sql"})
    assert db.insert("notes", {"body": "x", "tag": 1})
"""


def test_a_submission_makes_and_changes_tables_only_where_the_exercise_is_about_that(
    examine: Examine,
) -> None:
    answer = "from sqlalchemy import text\n" + MAKES
    assert "42501" in failed(examine(TRIES, answer), Reason.RAISED)
    result = examine(TRIES, answer, toml=f'{TOML}privileges = "tables"\n')
    assert result.outcome is Outcome.PASSED, result.failure


def test_an_exercise_may_start_from_an_empty_database(examine: Examine) -> None:
    check = """
def test_it(student, db):
    student.call("make")
    assert list(db.snapshot().tables) == ["tags"]
"""
    toml = TOML.replace('schema = "schema.sql"\n', "") + 'privileges = "tables"\n'
    answer = "from sqlalchemy import text\n" + "\n".join(MAKES.splitlines()[:3])
    result = examine(check, answer, toml=toml)
    assert result.outcome is Outcome.PASSED, result.failure

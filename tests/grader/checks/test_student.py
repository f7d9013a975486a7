"""What a submission does is a failure in words that help its author, never an error of the kit."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.checks import Raises, hint
from grader.checks.student import Student, failure_of, import_failure
from grader.checks.verdict import NotPassed
from grader.results import Failure, Reason
from grader.sandbox import Ended, Raised, Unusable
from grader.sandbox.outcomes import raised_from
from grader.wire import WireError
from tests.grader.laboratory import Laboratory, Submission

SOURCE = """
class NotFound(LookupError): pass

class DuplicateUser(ValueError): pass

class Broken(Exception):
    def __str__(self): raise RuntimeError

def add(session, a, b=2): return a + b
def print_it(session, text): print(text)
def find(session): raise NotFound("nobody")
def twice(session): raise DuplicateUser("taken")
def other(session): raise KeyError("x")
def broken(session): raise Broken
def sql(session):
    from sqlalchemy import text
    session.execute(text("INSERT INTO nothing VALUES (1)"))
def forever(session):
    while True: pass
def leave(session):
    import os; os._exit(0)
def deep(session):
    value = 1
    for _ in range(99): value = [value]
    return value
number = 42
"""


@pytest.fixture(scope="module")
def submission(
    server: Any, plain_sandbox: Any, student_role: Any, student_database: Any
) -> Iterator[Submission]:
    one = Laboratory(server, plain_sandbox, student_role, student_database).submit(SOURCE)
    yield one
    one.close()


@pytest.fixture
def student(submission: Submission) -> Student:
    return student_of(submission)


def student_of(submission: Submission, **options: Any) -> Student:
    wanted = {"seconds": 30.0, "commits": True} | options
    return Student(submission.runner, module="m.py", **wanted)


def why(call: Callable[[], object]) -> Failure:
    with pytest.raises(NotPassed) as told:
        call()
    return told.value.failure


def test_a_call_returns_what_the_function_returns(student: Student) -> None:
    assert student.call("add", 1) == 3
    assert student.call("add", 1, b=5) == 6
    assert [(c.function, c.answered, c.value) for c in student.calls] == [
        ("add", True, 3),
        ("add", True, 6),
    ]


def test_the_judge_is_told_before_and_after_each_call(submission: Submission) -> None:
    told: list[str] = []
    student = student_of(
        submission,
        before_call=lambda: told.append("before"),
        after_call=lambda: told.append("after"),
    )
    student.call("add", 1)
    student.call("find", expect=Raises)
    with pytest.raises(NotPassed):
        student.call("find")
    assert told == ["before", "after"] * 3


def test_what_was_printed_is_kept_for_the_call_and_for_the_check(student: Student) -> None:
    student.call("print_it", "one \x1b[31mred")
    assert student.output == "one red\n"
    student.call("print_it", "two")
    assert student.output == "two\n"
    assert student.printed == "one red\ntwo\n"


def test_a_driver_runs_beside_the_students_code(student: Student) -> None:
    def driver(session: Any, module: Any, factor: int) -> Any:
        import math

        return [module.number * factor, math.floor(session.scalar_one()) if factor < 0 else 0]

    assert student.drive(driver, 2) == [84, 0]


def test_a_driver_that_knows_the_check_is_forgotten_with_it(student: Student) -> None:
    class Held:
        pass

    def drive_one_that_knows(held: Held) -> Any:
        def driver(session: Any, module: Any) -> Any:
            return module.add(session, 40) if session else held

        return student.drive(driver)

    held = Held()
    assert drive_one_that_knows(held) == 42
    kept = weakref.ref(held)
    del held
    gc.collect()
    assert kept() is None


def test_what_goes_wrong_beside_a_driver_is_told_without_its_name(student: Student) -> None:
    def read_it(session: Any, module: Any) -> Any:
        return module.number.nothing

    failure = why(lambda: student.drive(read_it))
    assert failure.reason is Reason.RAISED
    assert failure.message == "Your code raised AttributeError."


def test_a_function_that_a_driver_misses_is_missing(student: Student) -> None:
    def read_it(session: Any, module: Any) -> Any:
        return module.nothing()

    failure = why(lambda: student.drive(read_it))
    assert failure.reason is Reason.MISSING
    assert failure.message.endswith("has no function called nothing.")


def test_an_author_may_say_what_it_means_that_nothing_was_raised(student: Student) -> None:
    words = hint("Nobody hears of it.", question="Who should?", misconception="no-row-is-no-error")
    failure = why(lambda: student.call("add", 1, 2, expect=Raises("Refused", otherwise=words)))
    assert (failure.message, failure.question) == ("Nobody hears of it.", "Who should?")
    assert failure.misconception == "no-row-is-no-error"
    assert (failure.expected, failure.actual) == ("raises Refused", "returned 3")


def test_an_exception_can_be_allowed_without_being_required(student: Student) -> None:
    def refuse(session: Any, module: Any, error: str) -> Any:
        raise {"lookup": LookupError, "key": KeyError, "type": TypeError}[error]("no")

    may = Raises("LookupError", otherwise=hint("Neither nor."), required=False)
    assert student.call("add", 1, 2, expect=may) == 3
    assert student.drive(refuse, "key", expect=may).type == "KeyError"
    assert why(lambda: student.drive(refuse, "type", expect=may)).message == "Neither nor."


def test_an_exception_without_a_message_is_told_without_a_colon(student: Student) -> None:
    def leave(session: Any, module: Any) -> Any:
        raise NotImplementedError

    assert why(lambda: student.drive(leave)).actual == "NotImplementedError"


def test_an_expected_exception_is_given_to_the_check(student: Student) -> None:
    raised = student.call("find", expect=Raises)
    assert (raised.type, raised.message, raised.sqlstate) == ("NotFound", "nobody", None)
    assert student.call("find", expect=Raises()).type == "NotFound"
    assert student.call("sql", expect=Raises).sqlstate == "42P01"


@pytest.mark.parametrize("name", ["NotFound", "LookupError", "Exception"])
def test_an_exception_is_expected_by_its_name_or_that_of_a_base(
    student: Student, name: str
) -> None:
    assert student.call("find", expect=Raises(name)).type == "NotFound"


def test_another_exception_than_the_expected_one_is_a_failure(student: Student) -> None:
    failure = why(lambda: student.call("other", expect=Raises("DuplicateUser")))
    assert failure.reason is Reason.RAISED
    assert failure.message == "other should have raised DuplicateUser, and it raised KeyError."
    assert failure.expected == "raises DuplicateUser"
    assert failure.actual == "KeyError: 'x'"
    assert failure.location == "m.py:13"


def test_an_expected_exception_that_does_not_come_is_a_failure(student: Student) -> None:
    failure = why(lambda: student.call("add", 1, expect=Raises))
    assert failure.reason is Reason.ASSERTION
    assert failure.message == "add should have raised an exception, and it returned instead."
    assert failure.actual == "returned 3"


def test_a_missing_function_is_never_the_expected_exception(student: Student) -> None:
    for name in ("nothing", "number"):
        failure = why(lambda name=name: student.call(name, expect=Raises))
        assert failure.reason is Reason.MISSING
        assert failure.message == f"m.py has no function called {name}."


def test_an_exception_is_told_with_the_students_own_lines(student: Student) -> None:
    failure = why(lambda: student.call("twice"))
    assert failure.reason is Reason.RAISED
    assert failure.message == "twice raised DuplicateUser."
    assert failure.actual == "DuplicateUser: taken"
    assert failure.traceback == (
        '  m.py, line 12, in twice\n    def twice(session): raise DuplicateUser("taken")'
    )
    assert failure.location == "m.py:12"


def test_an_error_of_postgresql_is_told_with_its_code(student: Student) -> None:
    failure = why(lambda: student.call("sql"))
    assert failure.message == "sql raised ProgrammingError (SQLSTATE 42P01)."
    assert 'relation "nothing" does not exist' in failure.actual


def test_an_exception_whose_message_cannot_be_read_is_told_without_it(student: Student) -> None:
    failure = why(lambda: student.call("broken"))
    assert failure.actual == "Broken: (its message could not be read)"


def test_an_answer_that_cannot_be_sent_is_a_failure(student: Student) -> None:
    failure = why(lambda: student.call("deep"))
    assert failure.reason is Reason.WIRE
    assert "nested more than 24 levels deep" in failure.message


def test_an_argument_that_cannot_be_sent_is_the_checks_own_fault(student: Student) -> None:
    with pytest.raises(WireError, match="a value of type object cannot be sent"):
        student.call("add", object())
    assert student.calls == []


def test_a_call_that_takes_too_long_is_a_failure_and_so_are_all_after_it(
    submission: Submission,
) -> None:
    student = student_of(submission, seconds=0.2)
    failure = why(lambda: student.call("forever"))
    assert failure.reason is Reason.TIMEOUT
    assert failure.message == "forever gave no answer: there was no answer within 0.2 seconds."
    assert failure.question.startswith("Is there a loop that cannot end")
    assert why(lambda: student.call("add", 1, expect=Raises)).reason is Reason.TIMEOUT
    submission.again()


def test_leaving_the_program_is_a_failure(submission: Submission) -> None:
    student = student_of(submission)
    failure = why(lambda: student.call("leave", expect=Raises))
    assert failure.reason is Reason.KILLED
    assert failure.question == "Does something in your code leave the program?"
    submission.again()


NASTY = "\x1b[2J\u202e\x00" * 3000


@pytest.mark.parametrize(
    "outcome",
    [
        Raised(NASTY, [NASTY], NASTY, None),
        Raised(
            "E", [], "m", "42P01", [{"file": NASTY, "line": NASTY, "name": NASTY, "code": NASTY}]
        ),
        Raised("E", [], "m", None, [{}]),
        Raised("SyntaxError", [], NASTY, None, [], {"file": NASTY, "line": NASTY, "code": NASTY}),
        Raised("SyntaxError", [], "", None, [], {}),
        Raised("SyntaxError", [], "", None, [], {"line": [[1] * 9999]}),
        Unusable(NASTY),
        Ended(Reason.WIRE, "What came back is not an answer."),
    ],
)
def test_whatever_a_process_claims_about_itself_is_bounded_and_harmless(
    outcome: Raised | Unusable | Ended,
) -> None:
    for failure in (failure_of(outcome, "f", "m.py"), import_failure(outcome, "m.py")):
        for text in (
            failure.message,
            failure.question,
            failure.expected,
            failure.actual,
            failure.traceback,
            failure.location,
        ):
            assert len(text) < 2500
            assert not set(text) & set("\x1b\u202e\x00")


def test_a_file_that_cannot_be_read_is_told_by_its_line() -> None:
    syntax = {"file": "m.py", "line": 3, "code": "    retrun 1"}
    failure = import_failure(Raised("SyntaxError", [], "invalid syntax", None, [], syntax), "m.py")
    assert failure.reason is Reason.IMPORT
    assert failure.message == "m.py is not valid Python: line 3 cannot be read."
    assert failure.location == "m.py:3"
    assert failure.traceback == "    retrun 1"


def test_a_module_that_raises_on_import_is_told_so() -> None:
    frames = [{"file": "m.py", "line": 1, "name": "<module>", "code": "import nothing"}]
    failure = import_failure(
        Raised("ModuleNotFoundError", [], "No module named 'nothing'", None, frames), "m.py"
    )
    assert failure.message == (
        "m.py could not be imported: ModuleNotFoundError: No module named 'nothing'"
    )
    assert failure.location == "m.py:1"


def test_an_import_that_does_not_end_is_told_so() -> None:
    failure = import_failure(Ended(Reason.TIMEOUT, "There was no answer."), "m.py")
    assert failure.reason is Reason.TIMEOUT
    assert failure.message == "Importing m.py gave no answer: there was no answer."


_KEYS = ["type", "bases", "message", "sqlstate", "frames", "syntax", "file", "line", "name", "code"]
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_KEYS) | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=20,
)
_RAISED = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(_KEYS[:4], _JSON)
    | {"frames": st.lists(st.dictionaries(st.sampled_from(_KEYS), _JSON)) | _JSON}
    | {"syntax": st.dictionaries(st.sampled_from(_KEYS), _JSON) | _JSON},
)


@given(_RAISED | _JSON)
@example({"syntax": {"line": 10**4000, "file": "x" * 5000}})
def test_whatever_is_told_of_an_exception_is_a_failure_in_bounded_words_or_refused(
    plain: Any,
) -> None:
    try:
        raised = raised_from(plain)
    except WireError:
        assert not isinstance(plain, dict)
        return
    for failure in (failure_of(raised, "f", "m.py"), import_failure(raised, "m.py")):
        assert failure.reason in {Reason.RAISED, Reason.MISSING, Reason.IMPORT}
        texts = (failure.message, failure.location, failure.actual, failure.traceback)
        assert max(map(len, texts)) <= 2100  # and a word that it was cut

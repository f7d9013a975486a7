"""What the terminal shows: complete, in 80 columns, without color, and nothing that acts."""

from __future__ import annotations

import dataclasses
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from grader.reports.terminal import check_report, class_table, print_class_table
from grader.results import (
    CheckResult,
    ExerciseResult,
    Failure,
    Grading,
    Outcome,
    Reason,
    SentStatement,
    SubmissionResult,
)

from .demo import (
    HALF,
    KIT,
    LOOP,
    MISCONCEPTIONS,
    RAISED,
    SYNTAX,
    UPDATE,
    check,
    demo_class,
    grading,
)
from .strategies import gradings, texts


def shown(renderable: object, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(renderable)
    text: str = console.file.getvalue()
    return text


def printed(grading: Grading, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_class_table(grading, console)
    text: str = console.file.getvalue()
    return text


def told(*checks: CheckResult, all: bool = False, width: int = 200) -> str:
    exercise = ExerciseResult("04_repository", "A repository for users", checks)
    return shown(check_report(exercise, MISCONCEPTIONS, all=all), width)


@pytest.mark.parametrize("exercises", [1, 3, 8, 17])
def test_a_class_fits_into_80_columns_with_everybody_in_it(exercises: int) -> None:
    class_ = demo_class(30, exercises)
    lines = shown(class_table(class_)).splitlines()
    assert max(len(line) for line in lines) <= 80
    for submission in class_.submissions:
        if submission.student.isascii():
            assert any(line.startswith(submission.student[:11]) for line in lines)


@pytest.mark.parametrize("width", [80, 100])
def test_a_long_list_of_misconceptions_takes_no_other_column_away(width: int) -> None:
    many = tuple(f"a-belief-with-a-long-name-{i}" for i in range(9))
    exercises = tuple(
        ExerciseResult(
            f"{n:02}_exercise",
            "A title",
            tuple(
                check(Outcome.FAILED, dataclasses.replace(UPDATE, misconception=one), name=one)
                for one in many
            ),
        )
        for n in range(1, 18)
    )
    class_ = dataclasses.replace(grading(), submissions=(SubmissionResult("ada", exercises),))
    head, row, *more = shown(class_table(class_), width).splitlines()
    *columns, last = head.split()
    assert columns == ["Student", *(f"{n:02}" for n in range(1, 18)), "Total"]
    assert last.startswith("Misc")
    assert row.split()[:20] == ["ada", *["✗"] * 17, "0", row.split()[19]]
    assert row.rstrip().endswith("…")
    assert more == []


def test_the_table_shows_points_and_the_misconception_found() -> None:
    table = shown(class_table(grading(check(Outcome.FAILED, UPDATE, points=3))))
    assert "✗ 0" in table
    assert "/3" in table
    assert "truthy-update" in table


def test_points_that_are_not_final_are_marked() -> None:
    assert "! 0" in shown(class_table(grading(check(Outcome.ERROR, KIT))))


def test_the_symbols_are_explained_below_the_table() -> None:
    text = printed(demo_class(30, 17))
    for said in ("✓ all points", "✗ no points", "not handed in", "~ some points", "median"):
        assert said in text


def test_the_first_failure_is_told_in_full_and_the_others_in_a_line() -> None:
    text = told(
        check(Outcome.PASSED, title="A user gets an id"),
        check(Outcome.FAILED, UPDATE, title="An update can clear a field", points=2),
        check(Outcome.FAILED, HALF, title="All or nothing"),
    )
    for said in (
        "An update can clear a field  0 of 2 points",
        "Expected  bio is NULL",
        "Found     bio = 'Hello, I am Ada.'",
        "SQL that PostgreSQL received (1 statement)",
        "WHERE users.id = $1::UUID",
        "Which values does",
        "notebook 05_crud",
        "✗ All or nothing: Two lessons were saved before the third failed.",
        "✓ A user gets an id",
    ):
        assert said in text
    assert "INSERT INTO lesson_progress" not in text


def test_checks_that_fail_for_the_same_reason_are_told_together() -> None:
    text = told(
        check(Outcome.FAILED, SYNTAX, title="First", name="test_a"),
        check(Outcome.FAILED, UPDATE, title="Second", name="test_b"),
        check(Outcome.FAILED, SYNTAX, title="Third", name="test_c"),
    )
    assert text.count("was never closed") == 1
    assert "1 more check for the same reason:\n✗ Third\n" in text
    assert "1 more check not right yet" in text


def test_all_failures_are_told_in_full_when_asked() -> None:
    text = told(check(Outcome.FAILED, UPDATE), check(Outcome.FAILED, HALF), all=True)
    assert "FROM users" in text
    assert "INSERT INTO lesson_progress" in text
    assert "--all" not in text


def test_statements_that_repeat_are_counted_and_those_not_shown_as_well() -> None:
    text = told(check(Outcome.FAILED, LOOP))
    assert text.count("FROM lessons") == 1
    assert "× 24" in text
    assert "… 76 more" in text


def test_a_failed_statement_says_its_sqlstate_by_name() -> None:
    assert "failed: 23505 UniqueViolation" in told(check(Outcome.FAILED, RAISED))


def test_the_learners_own_frames_are_shown() -> None:
    assert "line 12" in told(check(Outcome.FAILED, SYNTAX))


def test_a_fault_of_the_kit_is_told_before_everything_else() -> None:
    text = told(check(Outcome.FAILED, UPDATE), check(Outcome.ERROR, KIT, title="Broken"))
    assert text.index("The kit failed here, not you") < text.index("bio is NULL")
    assert "kit doctor" in text


def test_a_check_that_broke_sends_nobody_to_the_doctor() -> None:
    broken = Failure(Reason.CHECK, "test_visible.py, line 7: KeyError: 'x'")
    text = told(check(Outcome.ERROR, broken, title="Broken"))
    assert "This check broke, not your work. test_visible.py, line 7: KeyError" in text
    assert "Whoever wrote the exercise must mend that line" in text
    assert "doctor" not in text


def test_an_exercise_that_was_not_handed_in_says_so() -> None:
    exercise = ExerciseResult("04", "Four", (), handed_in=False)
    assert "Nothing was handed in" in shown(check_report(exercise, {}))


@given(gradings(surrogates=True))
@settings(deadline=None, max_examples=30)
def test_no_submission_can_move_the_cursor_or_color_the_terminal(grading: Grading) -> None:
    exercises = [e for s in grading.submissions for e in s.exercises]
    reports = [check_report(e, grading.misconceptions, all=True) for e in exercises]
    for text in [printed(grading), *map(shown, reports)]:
        text.encode("utf-8")
        assert not set(text) & {*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0))} - {"\n"}
        assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(st.from_regex(r"\[/?(red|bold|link=x|/)\][a-z]{1,5}", fullmatch=True), texts())
@settings(deadline=None, max_examples=30)
def test_markup_stays_text(markup: str, other: str) -> None:
    text = told(check(Outcome.FAILED, UPDATE, title=markup), check(Outcome.PASSED, title=other))
    assert markup in text


COMMANDS = (
    "::error title=x::forged",
    "\t ::stop-commands::pause",
    "fine\n  ::add-mask::a",
    "##[error]forged",
    "a ##vso[task.complete]b",
    "word " * 15 + "::notice::wrapped",
    "x" * 74 + "::notice::folded" * 20,
)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("width", [20, 80])
def test_no_line_is_a_command_to_a_runner_of_workflows(command: str, width: int) -> None:
    failure = dataclasses.replace(
        UPDATE,
        message=command,
        actual=command,
        question=command,
        traceback=command,
        statements=(SentStatement(command, (command,)),),
    )
    failing = check(Outcome.FAILED, failure, title=command, output=command)
    problem = SubmissionResult(command, (), problem=command)
    class_ = dataclasses.replace(grading(), submissions=(problem,))
    text = told(failing, width=width) + printed(class_, width)
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]
    assert "##[" not in text
    assert "##vso[" not in text


def test_sql_with_casts_is_shown_as_it_was_sent() -> None:
    assert "WHERE users.id = $1::UUID" in told(check(Outcome.FAILED, UPDATE))

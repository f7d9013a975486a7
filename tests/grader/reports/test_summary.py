"""The numbers of a class."""

from __future__ import annotations

import dataclasses

from grader.reports.chart import histogram
from grader.reports.summary import ClassSummary
from grader.results import (
    CheckResult,
    ExerciseResult,
    Failure,
    Grading,
    Misconception,
    Outcome,
    Reason,
    SubmissionResult,
)

from .demo import KIT, LOOP, UPDATE, check, demo_class, grading


def class_of(*percents: int | None) -> Grading:
    """Students who reached these percents; None where the kit failed."""
    submissions = []
    for i, percent in enumerate(percents):
        checks: tuple[CheckResult, ...] = (
            check(Outcome.PASSED, points=percent or 0, name="test_a"),
            check(Outcome.FAILED, UPDATE, points=100 - (percent or 0), name="test_b"),
        )
        if percent is None:
            checks = (check(Outcome.ERROR, KIT, points=100),)
        exercise = ExerciseResult("04_repository", "A repository", checks)
        submissions.append(SubmissionResult(f"student_{i}", (exercise,)))
    return dataclasses.replace(grading(), submissions=tuple(submissions))


def test_points_that_are_not_final_are_in_no_statistic() -> None:
    summary = ClassSummary(class_of(40, None, 80))
    assert summary.median == 60
    assert sum(summary.distribution()) == 2
    assert [s.final for s in summary.standings] == [True, False, True]


def test_every_percent_is_in_its_bin() -> None:
    bins = ClassSummary(class_of(0, 9, 10, 55, 89, 90, 100)).distribution()
    assert bins == [2, 1, 0, 0, 0, 1, 0, 0, 1, 2]


def test_a_class_without_points_has_no_median() -> None:
    assert ClassSummary(grading()).median is None
    assert ClassSummary(dataclasses.replace(grading(), submissions=())).median is None


def test_full_marks_need_points_to_be_won() -> None:
    assert ClassSummary(class_of(100, 99, None)).full_marks == 1
    assert ClassSummary(grading()).full_marks == 0


def test_misconceptions_come_by_frequency_with_those_who_show_them() -> None:
    exercise = ExerciseResult("05", "Five", (check(Outcome.FAILED, LOOP),))
    class_ = class_of(10, 20)
    both = dataclasses.replace(
        class_.submissions[1], exercises=(*class_.submissions[1].exercises, exercise)
    )
    found = ClassSummary(
        dataclasses.replace(class_, submissions=(class_.submissions[0], both))
    ).misconceptions()
    assert [(f.misconception.id, len(f.students)) for f in found] == [
        ("truthy-update", 2),
        ("n-plus-one", 1),
    ]


def test_a_misconception_that_nobody_describes_is_shown_by_its_id() -> None:
    failure = dataclasses.replace(UPDATE, misconception="unheard-of")
    (found,) = ClassSummary(grading(check(Outcome.FAILED, failure))).misconceptions()
    assert found.misconception == Misconception("unheard-of", "unheard-of")


def test_the_same_error_of_the_kit_is_told_once_for_all_whom_it_hit() -> None:
    (error,) = ClassSummary(class_of(None, 50, None)).errors()
    assert [s.submission.student for s in error.students] == ["student_0", "student_2"]


def test_checks_are_counted_over_those_who_handed_in() -> None:
    ada = grading(check(Outcome.PASSED)).submissions[0]
    absent = ExerciseResult("04_repository", "…", (check(Outcome.FAILED),), handed_in=False)
    class_ = dataclasses.replace(grading(), submissions=(ada, SubmissionResult("bob", (absent,))))
    (exercise,) = ClassSummary(class_).exercises
    (only,) = exercise.checks
    assert (only.passed, only.failed, only.ran, exercise.handed_in) == (1, 0, 1, 1)


def test_the_slowest_are_checks_where_these_were_measured_and_submissions_otherwise() -> None:
    timed = demo_class(5)
    by_check = ClassSummary(timed).slowest()
    assert len(by_check) == 10
    assert [s.seconds for s in by_check] == sorted((s.seconds for s in by_check), reverse=True)
    assert all(s.exercise for s in by_check)
    coarse = dataclasses.replace(timed, timings={"by_student": {"ada_lovelace": 2.5}})
    (slow,) = ClassSummary(coarse).slowest()
    assert (slow.standing.submission.student, slow.seconds) == ("ada_lovelace", 2.5)
    assert ClassSummary(dataclasses.replace(timed, timings={"by_check": 3})).slowest() == []


def test_the_histogram_says_in_words_what_it_draws() -> None:
    drawn = histogram([0, 2, 0, 0, 0, 0, 0, 0, 0, 1])
    assert drawn.description == "10 to under 20 %: 2 students, 90 to 100 %: 1 student."
    assert drawn.bars[1].height == 2 * drawn.bars[9].height
    assert drawn.bars[9].y + drawn.bars[9].height == drawn.base


def test_a_zero_says_why_only_where_nothing_could_be_looked_at() -> None:
    def stands(*exercises: ExerciseResult) -> str:
        class_ = dataclasses.replace(grading(), submissions=(SubmissionResult("ada", exercises),))
        return ClassSummary(class_).standings[0].nothing

    def answer(name: str, *checks: CheckResult) -> ExerciseResult:
        return ExerciseResult(name, "A title", checks)

    def failed(reason: Reason, message: str = "It is so.") -> CheckResult:
        return check(Outcome.FAILED, Failure(reason, message), name=f"{reason}{message}")

    syntax = failed(
        Reason.IMPORT, "repository.py, line 3, is not valid Python: '(' was never closed."
    )
    late, ended = failed(Reason.TIMEOUT), failed(Reason.KILLED)
    assert stands(answer("04_repository", syntax)) == "not valid Python"
    two = (answer("04_repository", syntax), answer("08_n_plus_one", late, late, ended))
    assert stands(*two) == "04 not valid Python, 08 no answer in time"
    assert stands(answer("04_repository", syntax, check(Outcome.FAILED, UPDATE))) == ""
    assert stands(answer("04_repository", syntax, check(Outcome.PASSED))) == ""
    assert stands(answer("04_repository", syntax, check(Outcome.ERROR, KIT))) == ""
    assert stands(ExerciseResult("04_repository", "A title", (syntax,), handed_in=False)) == ""
    assert stands(answer("04_repository")) == ""
    for reason in Reason:
        worded = stands(answer("04_repository", failed(reason)))
        assert bool(worded) == (reason not in {Reason.ASSERTION, Reason.CHECK, Reason.KIT})

"""A grading that was broken off goes on, and finds what it would have found in one run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import machine
from grader.batch import grade
from grader.desk import Desk
from grader.errors import ResumeError
from grader.gathered import Judged
from grader.logbook import Heading, Logbook, is_logbook, read_logbook
from grader.results import CheckResult, Evidence, Grading, Outcome, to_json
from grader.submissions import Submission
from grader.work import Work
from pglab.servers import Server
from tests.grader.courses import (
    BEHIND,
    EXERCISE,
    HIDDEN,
    SOLUTION,
    STARTER,
    WITHOUT_ORDER,
    make_class,
    make_course,
    write_files,
)
from tests.grader.reports.demo import check

CLASS: dict[str, str | bytes] = {
    "ada": SOLUTION,
    "bob": STARTER,
    "eve": WITHOUT_ORDER,
    "kim": "raise ValueError({'a', 'b', 'c', 'd'})",
    "lea": b"\xff",
    "zoe": SOLUTION,
}
CHECKS = 10
"""Of the class; an answer that is no text is not run."""


class Grader:
    """Grades one class with one logbook, as often as a test wants."""

    def __init__(self, root: Path, server: Server, home: Path) -> None:
        self.course = make_course(root / "course")
        self.folder = make_class(root / "class", CLASS)
        self.logbook = root / "unfinished.log"
        self.said: list[str] = []
        self.run: list[tuple[str, str]] = []
        """Student and check of every check that was run since it was emptied."""
        self._wanted: dict[str, Any] = {
            "course_root": self.course,
            "home": home,
            "database": server.admin_url,
            "sandbox": "process",
            "say": self.said.append,
        }

    def __call__(self, **options: Any) -> Grading:
        self.said.clear()
        self.run.clear()
        wanted = {"seed": 7, "logbook": self.logbook} | options
        return grade([self.folder], **self._wanted | wanted)

    def broken_off(self, after: int, **options: Any) -> None:
        """Have Ctrl-C come after so many checks."""

        def told(done: int, total: int) -> None:
            if done == after:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            self(progress=told, **options)

    def students_run(self) -> set[str]:
        return {student for student, _ in self.run}


@pytest.fixture
def grader(tmp_path: Path, server: Server, home: Path, monkeypatch: pytest.MonkeyPatch) -> Grader:
    grader = Grader(tmp_path, server, home)
    run = Desk.run

    def noted(self: Desk, spec: Any, **options: Any) -> CheckResult:
        grader.run.append((self.submission.student, spec.name))
        return run(self, spec, **options)

    monkeypatch.setattr(Desk, "run", noted)
    monkeypatch.setattr(machine, "_LANES", 1)  # so that it is known what is whole, and when
    return grader


def as_bytes(grading: Grading) -> bytes:
    plain = to_json(grading)
    assert plain.pop("timings")
    return json.dumps(plain).encode()


@pytest.mark.parametrize(
    "after", [*(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 9)), 5]
)
def test_what_is_left_is_graded_and_the_result_is_that_of_one_run_to_the_byte(
    grader: Grader, after: int
) -> None:
    whole = grader(logbook=None)
    grader.broken_off(after)
    kept = after // 2  # each answer has two checks
    grading = grader(resume=True)
    assert as_bytes(grading) == as_bytes(whole)
    assert len(grader.run) == CHECKS - 2 * kept
    assert len(grader.run) == len(set(grader.run))
    answers = f"{kept} of 5 answers are graded already."
    nothing = "Nothing is kept of an earlier grading here: everything is graded from the start."
    assert grader.said == [f"Going on: {answers}" if kept else nothing]
    assert grading.timings["checks"] == CHECKS
    assert set(grading.timings["by_check"]) == {"ada", "bob", "eve", "kim", "zoe"}


@pytest.mark.parametrize("after", [4, pytest.param(7, marks=pytest.mark.slow)])
def test_what_two_judges_began_is_gone_on_with(
    grader: Grader, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_LANES", 2)
    whole = grader(logbook=None)
    grader.broken_off(after)
    kept = len(read_logbook(grader.logbook)[1]) if grader.logbook.exists() else 0
    assert after // 2 - 1 <= kept <= after // 2
    assert as_bytes(grader(resume=True)) == as_bytes(whole)
    assert len(grader.run) == len(set(grader.run)) == CHECKS - 2 * kept


@pytest.mark.slow
def test_a_grading_may_be_broken_off_again_and_again(grader: Grader) -> None:
    whole = grader(logbook=None)
    for after in (3, 5, 7):
        grader.broken_off(after, resume=True)
    assert as_bytes(grader(resume=True)) == as_bytes(whole)
    assert grader.students_run() == {"kim", "zoe"}


@pytest.mark.slow
def test_several_processes_go_on_with_what_one_began(grader: Grader) -> None:
    whole = grader(logbook=None)
    grader.broken_off(4)
    assert as_bytes(grader(resume=True, jobs=2)) == as_bytes(whole)


@pytest.mark.slow
def test_where_nothing_is_left_no_check_is_run(grader: Grader) -> None:
    whole = grader()
    again = grader(resume=True)
    assert grader.run == []
    assert as_bytes(again) == as_bytes(whole)


@pytest.mark.slow
def test_the_seed_is_that_of_the_grading_that_is_gone_on_with(grader: Grader) -> None:
    grader.broken_off(4, seed=None)
    found = read_logbook(grader.logbook)
    assert found is not None
    seed = found[0].seed
    grading = grader(resume=True, seed=None)
    assert grading.evidence.seed == seed
    assert as_bytes(grading) == as_bytes(grader(logbook=None, seed=seed))


@pytest.mark.slow
def test_an_answer_that_has_changed_is_graded_again_and_no_other(grader: Grader) -> None:
    grader()
    make_class(grader.folder, {"bob": SOLUTION})
    grading = grader(resume=True)
    assert grader.students_run() == {"bob"}
    assert grading.submissions[1].earned == 5
    assert "Of the others 1 was graded before: " in grader.said[-1]
    assert as_bytes(grading) == as_bytes(grader(logbook=None))


@pytest.mark.slow
def test_a_student_who_comes_later_moves_nobody_elses_results(grader: Grader) -> None:
    grader()
    make_class(grader.folder, {"abe": STARTER})
    grading = grader(resume=True)
    assert grader.students_run() == {"abe"}
    assert [s.earned for s in grading.submissions] == [0, 5, 0, 2, 0, 0, 5]


@pytest.mark.slow
def test_an_exercise_that_has_changed_is_graded_again_for_everybody(grader: Grader) -> None:
    grader.broken_off(4)
    changed = HIDDEN.replace("points=3", "points=4")
    write_files(grader.course, {f"{BEHIND}/test_hidden.py": changed})
    grading = grader(resume=True)
    assert len(grader.run) == CHECKS
    assert grading.submissions[0].earned == 6


@pytest.mark.slow
@pytest.mark.sandbox
def test_what_was_found_in_another_sandbox_is_found_again(grader: Grader) -> None:
    grader.broken_off(4)
    grading = grader(resume=True, sandbox="bubblewrap")
    assert len(grader.run) == CHECKS
    assert grading.evidence.sandbox == "bubblewrap"


@pytest.mark.slow
def test_what_the_kit_failed_at_is_done_again(
    grader: Grader, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        judge = Desk.run

        def fail(self: Desk, spec: Any, **options: Any) -> CheckResult:
            if self.submission.student == "eve":
                raise RuntimeError("the machine is tired")
            return judge(self, spec, **options)

        patch.setattr(Desk, "run", fail)
        assert grader().submissions[2].has_errors
    grading = grader(resume=True)
    assert grader.students_run() == {"eve"}
    assert as_bytes(grading) == as_bytes(grader(logbook=None))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"seed": 8}, "its seed is 7, not 8"),
        ({"exercises": ["02_more"]}, f"of {EXERCISE}, not of 02_more"),
        ({"assignment": "week3"}, "of no assignment, not of the assignment 'week3'"),
    ],
)
def test_another_grading_is_not_gone_on_with(
    grader: Grader, options: dict[str, Any], told: str
) -> None:
    grader.broken_off(4, exercises=[EXERCISE])
    here = grader.course / "exercises"
    os.symlink(here / EXERCISE, here / "02_more")
    toml = f'title = "course"\n[assignment.week3]\nexercises = ["{EXERCISE}"]\n'
    write_files(grader.course, {"course.toml": toml})
    before = grader.logbook.read_bytes()
    if "assignment" not in options:
        options = {"exercises": [EXERCISE]} | options
    with pytest.raises(ResumeError, match="holds another grading") as caught:
        grader(resume=True, **options)
    assert told in str(caught.value)
    assert grader.run == []
    assert grader.logbook.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"notes of mine\n", b"\n\n", b"0" * 64 + b" {}\n"])
def test_a_file_that_is_no_logbook_is_refused_and_untouched(grader: Grader, content: bytes) -> None:
    grader.logbook.write_bytes(content)
    for resume in (True, False):
        with pytest.raises(ResumeError, match="Remove it to begin anew"):
            grader(resume=resume)
    assert grader.logbook.read_bytes() == content
    assert not is_logbook(grader.logbook)


@pytest.mark.slow
def test_a_grading_that_is_begun_anew_keeps_the_earlier_one_until_it_has_found_something(
    grader: Grader,
) -> None:
    grader.broken_off(4)
    before = grader.logbook.read_bytes()
    grader.broken_off(1)
    assert grader.said == [
        "A grading was broken off here with 2 answers graded. It is begun anew; --resume would go "
        "on with it."
    ]
    assert grader.logbook.read_bytes() == before
    grader.broken_off(2)
    assert len(read_logbook(grader.logbook)[1]) == 1


@pytest.mark.slow
def test_going_on_with_nothing_is_a_grading_like_any_other(grader: Grader) -> None:
    grading = grader(resume=True)
    assert grader.said == [
        "Nothing is kept of an earlier grading here: everything is graded from the start."
    ]
    assert as_bytes(grading) == as_bytes(grader(logbook=None))


@pytest.mark.slow
def test_a_logbook_that_cannot_be_written_is_told_once_and_stops_nobody(
    grader: Grader, tmp_path: Path
) -> None:
    grading = grader(logbook=tmp_path / "nowhere" / "unfinished.log")
    [told] = grader.said
    assert told.startswith("Note: what is found cannot be written to")
    assert as_bytes(grading) == as_bytes(grader(logbook=None))


EVIDENCE = Evidence("0.1.0", 7, "process", "embedded", "18.4")
FOUND = [Judged(check(outcome=Outcome.PASSED), 0.5)]
NAMES = [f"student{number}" for number in range(4)]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Work:
    from grader.catalog import load_course

    course = load_course(make_course(tmp_path_factory.mktemp("course")))
    submissions = tuple(Submission(name, {EXERCISE: {"notes.py": name.encode()}}) for name in NAMES)
    return Work(submissions, course.select([]))


@pytest.fixture(scope="module")
def written(work: Work, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A logbook in which every student's results are."""
    path = tmp_path_factory.mktemp("out") / "unfinished.log"
    book = Logbook(path, Heading("course", "", (EXERCISE,), 7))
    assert book.open(EVIDENCE, work) == {}
    for number in range(len(NAMES)):
        book.keep((number, EXERCISE), FOUND)
    book.close()
    return path.read_bytes()


def test_every_answer_is_on_the_disk_before_the_grading_goes_on(
    work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "unfinished.log"
    book = Logbook(path, Heading("course", "", (EXERCISE,), 7))
    book.open(EVIDENCE, work)
    safe: list[int] = []
    really = os.fsync

    def noted(file: int) -> None:
        really(file)
        safe.append(os.fstat(file).st_size)

    monkeypatch.setattr(os, "fsync", noted)
    for number in range(len(NAMES)):
        book.keep((number, EXERCISE), FOUND)
        assert safe[-1] == path.stat().st_size
        found = read_logbook(path)
        assert found is not None
        assert len(found[1]) == number + 1
    book.close()


SOMEWHERE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@given(data=st.data())
@SOMEWHERE
def test_wherever_it_was_cut_short_the_lines_before_count_and_new_ones_are_added(
    written: bytes, work: Work, tmp_path: Path, data: st.DataObject
) -> None:
    heading = written.index(b"\n") + 1
    cut = data.draw(st.integers(heading, len(written)))
    path = tmp_path / "unfinished.log"
    path.write_bytes(written[:cut])
    whole = written[heading:cut].count(b"\n")
    whole += cut < len(written) and written[cut : cut + 1] == b"\n"  # all of it but its end
    assert known_in(path, work) == set(range(whole))
    add(path, work, len(NAMES) - 1)
    assert known_in(path, work) == {*range(whole), len(NAMES) - 1}


@given(data=st.data())
@SOMEWHERE
def test_a_line_that_was_damaged_is_graded_again_and_the_others_are_not(
    written: bytes, work: Work, tmp_path: Path, data: st.DataObject
) -> None:
    heading = written.index(b"\n") + 1
    place = data.draw(st.integers(heading, len(written) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda one: one != written[place]))
    path = tmp_path / "unfinished.log"
    path.write_bytes(written[:place] + bytes([byte]) + written[place + 1 :])
    hit = written[heading:place].count(b"\n")
    lost = {hit, hit + 1} if written[place : place + 1] == b"\n" else {hit}
    assert set(range(len(NAMES))) - lost == known_in(path, work) - lost
    assert hit not in known_in(path, work)


def known_in(path: Path, work: Work) -> set[int]:
    """Numbers of the submissions that are known from a logbook, each with what was found."""
    found = read_logbook(path)
    assert found is not None
    known = Logbook(path, *found).open(EVIDENCE, work)
    assert all(list(judged) == FOUND for judged in known.values())
    return {number for number, _ in known}


def add(path: Path, work: Work, number: int) -> None:
    found = read_logbook(path)
    assert found is not None
    book = Logbook(path, *found)
    book.open(EVIDENCE, work)
    book.keep((number, EXERCISE), FOUND)
    book.close()


@pytest.mark.parametrize(
    "other",
    [
        Evidence("0.1.1", 7, "process", "embedded", "18.4"),
        Evidence("0.1.0", 8, "process", "embedded", "18.4"),
        Evidence("0.1.0", 7, "bubblewrap", "embedded", "18.4"),
        Evidence("0.1.0", 7, "process", "url", "18.4"),
        Evidence("0.1.0", 7, "process", "embedded", "18.5"),
        Evidence("0.1.0", 7, "process", "embedded", "18.4", {"sqlalchemy": "3.0"}),
    ],
)
def test_what_was_found_with_anything_else_is_not_used(
    written: bytes, work: Work, tmp_path: Path, other: Evidence
) -> None:
    path = tmp_path / "unfinished.log"
    path.write_bytes(written)
    found = read_logbook(path)
    assert found is not None
    assert len(Logbook(path, *found).open(EVIDENCE, work)) == len(NAMES)
    assert Logbook(path, *found).open(other, work) == {}

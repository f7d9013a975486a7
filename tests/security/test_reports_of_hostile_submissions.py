"""Every report of the hostile class shows what submissions say, and nobody's reader obeys it."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from rich.console import Console

from grader.assignment import Assignment
from grader.reports import FORMATS, Options, names_of, write_reports
from grader.reports.terminal import check_report, print_class_table
from grader.reports.tutor import failure_report
from grader.results import Grading
from grader.scores import scores
from tests.security.conftest import result_of
from tests.security.readers import READERS, read

# The first test waits for the grading of all.
waits_for_the_class = [pytest.mark.slow, pytest.mark.timeout(1500)]

NAMES = ("HYPERLINK(forged)", "onerror=alert(1)>forged", "=forged;", "@SUM(forged)")
"""Of students, without what makes more of them than names."""
FAILURES = (
    "<img src=x onerror=alert('forged')>",
    "<b>forgedbold</b><script>alert('forged')</script>",
    "</testcase><testcase name='forged'/>",
    "error file=a.py::forgedraised",
    "set-output name=points::10",
    "=1+forged",
)
PRINTED = ("error file=a.py::forgedprinted", "document.title='forged'", "@SUM(A1)")
SHOWN: Mapping[str, tuple[str, ...]] = {
    "json": (*NAMES, *FAILURES, *PRINTED),
    "csv": NAMES[:2],
    "scores": NAMES[:2],
    "junit": (*NAMES, *FAILURES, *PRINTED),
    "html": (*NAMES, *FAILURES, *PRINTED),
    "gradescope": (*FAILURES, *PRINTED),
    "exercism": FAILURES,
    "prairielearn": (*FAILURES, *PRINTED),
    "check50": (FAILURES[0], *PRINTED),
    "github": (*NAMES, *FAILURES, *PRINTED),
    "canvas": NAMES[:2],
    "moodle": NAMES[:2],
    "nbgrader": NAMES[:2],
    "lti": NAMES,
    "xapi": NAMES,
}
"""What each format has to show, as its reader sees it: an empty report would be harmless too."""
ALONE = ("prints_marks", "prints_unencodable_text", "=HYPERLINK(forged)")
"""Some formats say more where there is one submission."""


def worksheet(grading: Grading, path: Path) -> Path:
    """A grading worksheet as Moodle exports it, with everybody in it."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["Identifier", "Full name", "Status", "Grade", "Maximum Grade"])
    for number, submission in enumerate(grading.submissions):
        rows.writerow([f"Participant {number}", submission.student, "", "", "100.00"])
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path


def gradings(whole: Grading) -> Iterator[Grading]:
    """The class, and some of its submissions alone, with the scores of an assignment."""
    alone = (dataclasses.replace(whole, submissions=(result_of(whole, n),)) for n in ALONE)
    for grading in (whole, *alone):
        yield dataclasses.replace(grading, scores=scores(grading, Assignment()))


@pytest.fixture(scope="session")
def reports(with_hostile: Grading, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Folders with every report that there is."""
    folders = []
    for grading in gradings(with_hostile):
        folder = tmp_path_factory.mktemp("reports")
        moodle = worksheet(grading, tmp_path_factory.mktemp("moodle") / "Grades.csv")
        write_reports(grading, folder, FORMATS, Options(title="Week 3", worksheet=moodle))
        folders.append(folder)
    return folders


def files_of(name: str, folder: Path) -> Iterator[Path]:
    """What a format has written."""
    for place in sorted(names_of([name])):
        yield from (p for p in (folder / place, *folder.glob(f"{place}/*")) if p.is_file())


class TestReports:
    pytestmark = waits_for_the_class

    @pytest.mark.parametrize("name", FORMATS)
    def test_what_submissions_say_is_shown_and_never_obeyed(
        self, name: str, reports: list[Path]
    ) -> None:
        text = ""
        for folder in reports:
            files = list(files_of(name, folder))
            assert files
            for path in files:
                seen = read(path.read_bytes().decode("utf-8"), path.suffix)
                assert seen.taken == [], path.relative_to(folder)
                text += seen.text
        assert [words for words in SHOWN[name] if words not in plain(text)] == []

    def test_every_file_belongs_to_a_format(self, reports: list[Path]) -> None:
        for folder in reports:
            written = {path for path in folder.rglob("*") if path.is_file()}
            assert written == {path for name in FORMATS for path in files_of(name, folder)}

    @pytest.mark.parametrize("width", [40, 1000])
    def test_what_is_printed_is_text(self, width: int, with_hostile: Grading) -> None:
        output = io.StringIO()
        console = Console(file=output, width=width, color_system=None, force_terminal=False)
        for grading in gradings(with_hostile):
            print_class_table(grading, console)
            for submission in grading.submissions:
                for exercise in submission.exercises:
                    console.print(check_report(exercise, grading.misconceptions, all=True))
                    for check in exercise.checks:
                        if check.failure:
                            console.print(failure_report(check, grading.misconceptions))
        seen = read(output.getvalue(), "")
        assert seen.taken == []
        if width == 1000:
            wanted = (*FAILURES, *PRINTED, NAMES[0])
            assert [words for words in wanted if words not in plain(seen.text)] == []


def plain(text: str) -> str:
    """The text with what stands in for characters that would be obeyed."""
    return text.replace("\ua789", ":").replace("\u266f", "#")


RAW = {
    ".html": ("<p><script>forged()</script>", "<img src=x onerror=alert(1)>", "<h1>forged</h1>"),
    ".xml": (
        "<testsuites><testcase name='forged'/></testsuites>",
        "<testsuites>]]></failure></testsuites>",
        "<testsuites><b>forged</b></testsuites>",
    ),
    ".csv": ("a,=1+1", "a,+1", "a,-1", "a,@SUM(A1)", 'a,"\t=1"', 'a,"\r=1"', "a,b;=1+1", "=1,2"),
    ".json": (
        '{"a": NaN}',
        '{"output_format": "html"}',
        '{"a": ',
        '["\\u001b[32m"]',
        '["\\u202e"]',
    ),
    ".md": (
        "<script>forged()</script>",
        "<img src=x onerror=alert(1)>",
        "[forged](https://example.com)",
        "**forged**",
        "text\n\n# forged heading",
        "::error file=a.py::forged",
    ),
    ".txt": ("::error file=a.py::forged", "  ::set-output name=points::10", "##[error]forged"),
    "": ("\x1b[32mforged", "\x9b31m", "::set-output name=points::10", "\x07", "\u202eforged"),
}


def test_every_format_has_something_to_show() -> None:
    assert set(SHOWN) == set(FORMATS)
    assert set(RAW) == set(READERS)


@pytest.mark.parametrize(
    ("suffix", "raw"), [(suffix, raw) for suffix, all_ in RAW.items() for raw in all_]
)
def test_a_reader_notices_what_is_not_escaped(suffix: str, raw: str) -> None:
    """Without this, a reader that sees nothing would be content with every report."""
    assert read(raw, suffix).taken


@pytest.mark.parametrize("suffix", READERS)
def test_a_reader_is_content_with_a_report_of_nothing_else(suffix: str) -> None:
    calm = {".xml": "<testsuites/>", ".json": '{"a": "<b>"}', ".txt": "::error title=1::forged"}
    assert read(calm.get(suffix, "calm"), suffix).taken == []

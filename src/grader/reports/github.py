"""For GitHub Actions and GitHub Classroom: a summary in Markdown, and commands for the runner.

``github.summary.md`` is for ``$GITHUB_STEP_SUMMARY``, ``github.commands.txt`` for the log: printed
there, it becomes annotations, and the notice from which GitHub Classroom reads the points. That
notice is left out where the kit failed: no points are better than wrong ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from grader.reports.files import write_whole
from grader.reports.github_summary import summary
from grader.reports.items import KIT_FAILED, Asked, Item, items
from grader.reports.summary import ClassSummary
from grader.reports.text import counted, first_sentence, number, one_line
from grader.reports.workflow import command, quoted
from grader.results import Grading, Outcome, SubmissionResult

SUMMARY = "github.summary.md"
COMMANDS = "github.commands.txt"

MAX_BYTES = 1_000_000
"""Of a summary. GitHub takes 1 MiB from a step, and refuses more as a whole."""
MAX_EACH = 10
"""Annotations of a kind that GitHub shows from one step."""
_PROBLEMS = {Outcome.FAILED: "error", Outcome.ERROR: "warning"}


def write(grading: Grading, out: Path) -> list[Path]:
    """Write the files; see `grader.reports.write_reports`."""
    return [
        write_whole(out / SUMMARY, _bounded(summary(grading))),
        write_whole(out / COMMANDS, (f"{line}\n".encode() for line in commands(grading))),
    ]


def commands(grading: Grading) -> list[str]:
    """The lines that the log gets."""
    if len(grading.submissions) == 1:
        return list(_of_one(grading.submissions[0], grading))
    return list(_of_a_class(ClassSummary(grading)))


def _of_one(submission: SubmissionResult, grading: Grading) -> Iterator[str]:
    open_ = [
        item for item in items(submission, Asked.of(grading)) if item.outcome is not Outcome.PASSED
    ]
    for outcome in _PROBLEMS:
        of_kind = [item for item in open_ if item.outcome is outcome]
        yield from (_annotation(item) for item in of_kind[:MAX_EACH])
    told = [line for item in open_ for line in _told(item)]
    if told:
        yield from quoted(told)
    if submission.has_errors:
        yield command("notice", KIT_FAILED, title="Not final")
        return
    earned, points = number(submission.earned), number(grading.points)
    # The words of GitHub Classroom's own reporter: it reads the second, people the first.
    yield command("notice", f"Points {earned}/{points}", title="Autograding complete")
    report = f'{{"totalPoints":{earned},"maxPoints":{points}}}'
    yield command("notice", report, title="Autograding report")


def _annotation(item: Item) -> str:
    failure = item.check.failure if item.check else None
    file, _, line = one_line(failure.location if failure else "").rpartition(":")
    place = {"file": f"exercises/{item.exercise}/{file}", "line": line} if file else {}
    message = failure.message if failure else item.text
    return command(_PROBLEMS[item.outcome], message, **place, title=f"{item.number} {item.title}")


def _told(item: Item) -> Iterator[str]:
    yield f"{item.number} {item.exercise}"
    yield from (f"    {line}" for line in item.text.split("\n"))
    if item.output:
        yield "    Your code printed:"
        yield from (f"    {line}" for line in item.output.split("\n"))


def _of_a_class(shown: ClassSummary) -> Iterator[str]:
    for error in shown.errors()[:MAX_EACH]:
        students = counted(len(error.students), "student")
        yield command(
            "warning",
            f"The kit failed for {students}: {first_sentence(error.message)}",
            title=f"Not final: {one_line(error.exercise)}",
        )
    students = counted(len(shown.standings), "student")
    median = "" if shown.median is None else f", median {number(shown.median)} % of the points"
    yield command("notice", f"{students}{median}", title="Graded")


def _bounded(blocks: Iterable[str]) -> Iterator[bytes]:
    """As many of the blocks as fit, and a word on the rest."""
    more = b"\nThe rest does not fit in here: the reports of the grading have it all.\n"
    room = MAX_BYTES - len(more)
    for block in blocks:
        content = f"{block}\n".encode()
        room -= len(content)
        if room < 0:
            yield more
            return
        yield content

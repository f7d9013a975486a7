"""The summary that a step of GitHub Actions shows, in blocks that can be cut off anywhere."""

from __future__ import annotations

from collections.abc import Iterator

from grader.reports.items import KIT_FAILED, Asked, Item, items
from grader.reports.markdown import block, row, text
from grader.reports.marks import mark_of_exercise
from grader.reports.summary import ClassSummary, Standing
from grader.reports.text import counted, number
from grader.results import Grading, Outcome, SubmissionResult

_SYMBOLS = {
    Outcome.PASSED: "✓ passed",
    Outcome.FAILED: "✗ failed",
    Outcome.ERROR: "! not judged",
}


def summary(grading: Grading) -> Iterator[str]:
    """Blocks of Markdown: of a single submission its checks, of a class its table."""
    if len(grading.submissions) == 1:
        yield from _of_one(grading.submissions[0], grading)
    else:
        yield from _of_a_class(ClassSummary(grading))
    evidence = grading.evidence
    # A table ends at an empty line and not before.
    yield ""
    yield text(
        f"kit {evidence.kit_version}, PostgreSQL {evidence.server_version}, "
        f"sandbox {evidence.sandbox}, seed {evidence.seed}"
    )


def _of_one(submission: SubmissionResult, grading: Grading) -> Iterator[str]:
    points = f"{number(submission.earned)} of {number(grading.points)} points"
    yield f"# {text(submission.student) or 'Submission'}: {text(points)}\n"
    if submission.has_errors:
        yield f"**{text(KIT_FAILED)}**\n"
    found = items(submission, Asked.of(grading))
    yield f"{row('', 'Check', 'Points', 'Result')}\n{row('---', '---', '---:', '---')}"
    for item in found:
        earned = f"{number(item.earned)} of {number(item.points)}"
        title = text(f"{item.exercise}: {item.title}")
        yield row(text(item.number), title, text(earned), _SYMBOLS[item.outcome])
    yield ""
    for item in found:
        if item.outcome is not Outcome.PASSED:
            yield _explained(item)


def _explained(item: Item) -> str:
    parts = [f"### {text(item.number)} {text(item.title)}", block(item.text, 20_000)]
    if item.output:
        parts += ["Your code printed:", block(item.output)]
    return "\n\n".join(parts) + "\n"


def _of_a_class(shown: ClassSummary) -> Iterator[str]:
    yield f"# {text(shown.grading.course) or 'Class'}\n"
    students = counted(len(shown.standings), "student")
    median = "" if shown.median is None else f", median {number(shown.median)} % of the points"
    yield text(f"{students}{median}") + "\n"
    not_final = len(shown.standings) - len(shown.final)
    if not_final:
        told = f"The kit failed for {not_final} of them: their points are not final."
        yield f"**{text(told)}**\n"
    if found := shown.misconceptions():
        yield f"{row('Misconception', 'Students')}\n{row('---', '---:')}"
        for one in found:
            yield row(text(one.misconception.title), str(len(one.students)))
        yield ""
    heads = [text(exercise.name) for exercise in shown.exercises]
    yield row("Student", *heads, f"of {text(number(shown.points))}")
    yield row("---", *["---:"] * (len(heads) + 1))
    for standing in shown.standings:
        yield row(text(standing.submission.student), *_points(standing, shown))


def _points(standing: Standing, shown: ClassSummary) -> Iterator[str]:
    for exercise in shown.exercises:
        result = standing.results.get(exercise.name)
        mark = mark_of_exercise(result, exercise.points)
        yield f"{mark.symbol} {text(number(result.earned if result else 0))}".strip()
    yield text(number(standing.submission.earned)) if standing.final else "! not final"

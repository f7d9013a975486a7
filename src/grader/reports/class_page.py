"""What the page of a class shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from grader.reports.chart import histogram
from grader.reports.marks import ABSENT, ERROR, LEGEND, PASSED, Mark, mark_of_exercise
from grader.reports.score_words import due_date, score_lines, score_rows
from grader.reports.summary import ClassSummary, ExerciseSummary, Standing
from grader.reports.text import number, one_line
from grader.results import Misconception

_EXPLAINED_CELLS = 5000
"""Up to here each cell of the map that is no pass says in a tooltip which check it is."""
_CHUNK = 50
"""Students in one table of the map."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A student's points in one exercise."""

    mark: Mark
    shown: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A misconception with those who show it."""

    anchor: str
    misconception: Misconception
    students: tuple[Standing, ...]
    share: float
    """Percent of the class."""


@dataclass(frozen=True, slots=True)
class Row:
    """A student's row in the table of points."""

    standing: Standing
    cells: list[Cell]
    total: str
    percent: str
    misconceptions: list[Finding]


def class_page(summary: ClassSummary) -> dict[str, Any]:
    """The variables of the template ``class.html``."""
    everybody = len(summary.standings)
    findings = [
        Finding(f"m{i}", m.misconception, m.students, share(len(m.students), everybody))
        for i, m in enumerate(summary.misconceptions(), 1)
    ]
    by_id = {finding.misconception.id: finding for finding in findings}
    return {
        "summary": summary,
        "not_final": everybody - len(summary.final),
        "errors": summary.errors(),
        "misconceptions": findings,
        "rows": (_row(standing, summary, by_id) for standing in summary.standings),
        "chart": histogram(summary.distribution()) if summary.median is not None else None,
        "legend": LEGEND,
        "map": _map(summary),
        "slowest": summary.slowest(),
        "scores": summary.grading.scores,
        "sections": any(p.section for p in summary.grading.scores.people)
        if summary.grading.scores
        else False,
        "due": due_date(summary.grading.scores) if summary.grading.scores else "",
        "score_rows": score_rows(summary.grading.scores) if summary.grading.scores else [],
        "score_lines": score_lines(summary.grading.scores) if summary.grading.scores else [],
    }


def share(part: int, whole: int) -> float:
    """Percent; 0 of nothing."""
    return round(100 * part / whole, 1) if whole else 0.0


def _row(standing: Standing, summary: ClassSummary, findings: dict[str, Finding]) -> Row:
    cells = []
    for exercise in summary.exercises:
        result = standing.results.get(exercise.name)
        mark = mark_of_exercise(result, exercise.points)
        earned = number(result.earned if result else 0)
        cells.append(Cell(mark, f"{mark.symbol} {earned}".lstrip()))
    return Row(
        standing=standing,
        cells=cells,
        total=number(standing.submission.earned),
        percent=_percent(standing),
        misconceptions=[findings[id_] for id_ in standing.misconceptions],
    )


def _percent(standing: Standing) -> str:
    if not standing.final:
        return f"{ERROR.symbol} not final"
    return ABSENT.symbol if standing.percent is None else number(standing.percent)


def _map(summary: ClassSummary) -> dict[str, Any]:
    """Students by checks, in tables of some rows each: a browser lays out those that are seen."""
    columns = sum(len(exercise.checks) for exercise in summary.exercises)
    rows = list(_map_rows(summary, columns)) if columns else []
    chunks = [rows[i : i + _CHUNK] for i in range(0, len(rows), _CHUNK)]
    return {"columns": columns, "chunks": chunks}


def _map_rows(summary: ClassSummary, columns: int) -> Iterator[dict[str, str]]:
    """For each student a row of cells as markup: a template would take seconds for a big class."""
    explained = columns * len(summary.standings) <= _EXPLAINED_CELLS
    for standing in summary.standings:
        cells = "".join(
            _map_cell(mark, i == 0, _tooltip(exercise, i, mark) if explained else "")
            for exercise in summary.exercises
            for i, mark in enumerate(summary.marks(standing, exercise))
        )
        # Made of our own symbols and of tooltips that are escaped.
        markup = Markup(cells)  # noqa: S704
        yield {"student": standing.submission.student, "cells": markup}


def _tooltip(exercise: ExerciseSummary, column: int, mark: Mark) -> str:
    if mark in (PASSED, ABSENT):
        return ""
    return f"{mark.word}: {one_line(exercise.checks[column].title)}"


def _map_cell(mark: Mark, first: bool, tooltip: str) -> str:
    """A cell without the quotes and end tags that HTML does not need: there may be 100,000."""
    style = f"{'' if mark is PASSED else mark.style}{' s' if first else ''}".strip()
    shown = f' class="{style}"' if " " in style else f" class={style}" if style else ""
    title = f' title="{escape(tooltip)}"' if tooltip else ""
    return f"<td{shown}{title}>{mark.symbol}"

"""The instrument ``oracle``: an answer compared with the author's own query, on data of every run's
own.

Example::

    @check("Minutes are added up per track", points=3, misconception="fan-out")
    def test_minutes(student, db, oracle):
        school = oracle.school()
        db.insert("tracks", *school.tracks)
        db.insert("lessons", *school.lessons)
        oracle.agrees(
            student.call("minutes_by_track"),
            "SELECT t.title, coalesce(sum(l.minutes), 0) AS minutes FROM public.tracks t"
            " LEFT JOIN public.lessons l ON l.track_id = t.id GROUP BY t.id ORDER BY 2 DESC",
            ordered_by=["minutes"],
        )
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

from grader.checks.comparing import Difference, difference
from grader.checks.data import Data
from grader.checks.school import School, make_school
from grader.checks.state import Database, Rows
from grader.checks.verdict import NotPassed
from grader.errors import CheckError
from grader.results import Failure, Reason
from grader.text import clean


class Oracle:
    """Knows the right answer, by asking the database itself.

    Args:
        state: of this check.
        data: where chance comes from.
    """

    def __init__(self, state: Database, data: Data) -> None:
        self._state = state
        self._data = data

    def school(self, *, users: int = 7, tracks: int = 6, months: int = 5) -> School:
        """Rows with ties, NULLs, zeros and empty groups; see `School`. Nothing is stored yet.

        Args:
            users, tracks: 5 or more each.
            months: of payments, 4 or more.
        """
        return make_school(self._data, users=users, tracks=tracks, months=months)

    def rows(self, reference: LiteralString, parameters: Sequence[Any] = ()) -> Rows:
        """What the author's query gives; tables are written ``public.tracks``."""
        return self._state.query(reference, parameters)

    def difference(
        self,
        answer: Any,
        reference: LiteralString,
        parameters: Sequence[Any] = (),
        *,
        ordered: bool = False,
        ordered_by: Sequence[str] = (),
        places: int = 6,
    ) -> Difference | None:
        """How an answer differs from what the author's query gives, or None.

        Args:
            answer: what the submission returned: rows as dicts or lists, one row, or one value.
            reference: the author's query. Keys that it does not have are not looked at.
            ordered: whether the order of all rows counts; the query must then leave none open.
            ordered_by: columns whose order counts, whatever stands where they are equal.
            places: decimal places to which numbers must agree.

        Raises:
            CheckError: the query gives no rows, or not the columns to order by, so that nothing
                would be compared.
        """
        rows = self.rows(reference, parameters)
        if not rows:
            raise CheckError("The reference query gives no rows: any empty answer would agree.")
        if unknown := [column for column in ordered_by if column not in rows[0]]:
            raise CheckError(f"The reference query has no column {unknown[0]!r} to order by.")
        return difference(answer, rows, ordered=ordered, ordered_by=ordered_by, places=places)

    def agrees(
        self,
        answer: Any,
        reference: LiteralString,
        parameters: Sequence[Any] = (),
        *,
        ordered: bool = False,
        ordered_by: Sequence[str] = (),
        places: int = 6,
    ) -> None:
        """Nothing, where `difference` finds none.

        Raises:
            NotPassed: it finds one; the learner is told which, by the smallest example.
        """
        found = self.difference(
            answer, reference, parameters, ordered=ordered, ordered_by=ordered_by, places=places
        )
        if found:
            raise NotPassed(
                Failure(
                    Reason.ASSERTION,
                    clean(found.message, 600),
                    question=found.question,
                    expected=clean(found.expected, 600),
                    actual=clean(found.actual, 600),
                    misconception="" if found.kind == "shape" else None,
                )
            )

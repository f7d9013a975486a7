"""Statements as they are shown: one sees where a parameter begins and ends."""

from __future__ import annotations

import pytest

from grader.reports.sent import grouped
from grader.results import SentStatement


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        (("7", "ada@example.org", "NULL"), "7, ada@example.org, NULL"),
        ((" ", "", "%ada%"), "' ', '', %ada%"),
        (("Ada ", " Ada", "Ada Lovelace"), "'Ada ', ' Ada', Ada Lovelace"),
        (("Lovelace, Ada", "1,2"), "'Lovelace, Ada', 1,2"),
        (("\n",), "'\n'"),
        ((), None),
    ],
)
def test_a_parameter_is_quoted_where_its_ends_would_not_be_seen(
    parameters: tuple[str, ...], shown: str | None
) -> None:
    (group,) = grouped([SentStatement("SELECT $1", parameters)])
    assert group.parameters == (() if shown is None else (shown,))

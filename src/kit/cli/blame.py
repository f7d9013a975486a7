"""What to do about checks that could not be judged; whose fault it was decides that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.replay import Replayed
    from grader.results import SubmissionResult

_NAMED = 3
"""Broken checks that are told one by one."""


def what_to_do(results: Iterable[SubmissionResult | Replayed]) -> list[str]:
    """Lines that say what to mend. Where a check broke, ``kit doctor`` would look in vain."""
    results = list(results)
    # What a check was given may stand in its error, so one check may tell of several.
    broken = list(dict.fromkeys(told for one in results for told in one.broken_checks))
    lines = [f"Mend the check that broke: {told}" for told in broken[:_NAMED]]
    if len(broken) > _NAMED:
        lines.append(f"There are {len(broken) - _NAMED} more like that.")
    if any(one.kit_failed for one in results):
        lines.append("Run kit doctor: the kit or this machine failed.")
    return lines

"""``kit grade --replay``: a grading done again, and compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kit.cli.output import print_json, quiet_children, say
from kit.errors import WrongUsage

if TYPE_CHECKING:
    from grader.replay import Replayed

_NOT_WITH_IT = {
    "out": "--out",
    "exercises": "--exercise",
    "assignment": "--assignment",
    "roster": "--roster",
    "resume": "--resume",
    "formats": "--format",
    "key": "--sign",
    "record": "--record",
    "dask": "--dask",
    "seed": "--seed",
    "timings": "--timings",
}
"""Options about reports, or about what the results that are there say themselves."""


def replay(*, paths: Sequence[Path], replay: Path, **wanted: Any) -> int:
    """Grade again, tell what is otherwise, and return the exit code."""
    from grader.replay import replay as grade_again
    from grader.reports.results_json import NAME
    from grader.reports.stored import read_results
    from kit import home
    from kit.cli.progress_bar import progress
    from kit.course import find_root

    for name, option in _NOT_WITH_IT.items():
        if wanted[name] not in (None, False, ()):
            msg = f"{option} does not go with --replay, which grades as RESULT says."
            raise WrongUsage(msg)
    if replay.is_file() and replay.name != NAME:
        msg = f"{replay} holds no results. --replay takes a folder that kit grade wrote."
        raise WrongUsage(msg)
    then = read_results(replay if replay.is_dir() else replay.parent)
    with quiet_children(), progress("checks") as told:
        found = grade_again(
            then,
            [path.absolute() for path in paths],
            course_root=find_root(named=wanted["course"]),
            home=home.prepare(),
            database=wanted["database"],
            sandbox=wanted["sandbox"],
            jobs=wanted["jobs"],
            say=say,
            progress=told,
        )
    if wanted["as_json"]:
        print_json([dataclasses.asdict(one) for one in found])
    else:
        for one in found:
            _show(one)
    if any(one.error for one in found):
        from kit.cli.blame import what_to_do
        from kit.cli.endings import plain

        lines = ["Error: Some checks could not be judged, now.", *what_to_do(found)]
        say(plain("\n".join([*lines, "Then replay again."])))
        return 3
    return 1 if any(one.verdicts for one in found) else 0


def _show(one: Replayed) -> None:
    from kit.cli.endings import plain

    agree = one.checks - len(one.verdicts)
    lines = [f"{one.student}: {agree} of {one.checks} verdicts agree."]
    lines += [f"  {line}" for line in one.verdicts]
    lines += [f"  {line}: the same verdict, told otherwise" for line in one.words]
    if one.conditions:
        lines.append("  Otherwise than it was then:")
        lines += [f"    {line}" for line in one.conditions]
    elif one.verdicts:
        lines.append(
            "  Files, exercises, versions and seed are those of then, so the submission itself "
            "does not do the same each time."
        )
    for line in lines:
        click.echo(plain(line))

"""What ``kit grade`` does with what was asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit.cli.output import print_json, quiet_children, say
from kit.errors import WrongUsage

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from grader.results import Grading
    from kit.cli.stopwatch import Stopwatch
    from kit.report_folder import ReportFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The arguments and options of ``kit grade``."""

    paths: tuple[Path, ...]
    out: Path
    exercises: tuple[str, ...]
    assignment: str | None
    roster: Path | None
    resume: bool
    formats: tuple[str, ...]
    key: Path | None
    """The private key to sign with."""
    record: str | None
    database: str
    sandbox: str
    seed: int | None
    jobs: int
    dask: str | None
    """The address of a scheduler."""
    course: Path | None
    as_json: bool
    timings: bool


def grade(wanted: Wanted) -> int:
    """Grade a class, write the reports, and return the exit code."""
    from kit.cli.stopwatch import Stopwatch
    from kit.course import find_root, resolve
    from kit.report_folder import ReportFolder

    watch = Stopwatch()
    root = find_root(named=wanted.course)
    chosen = resolve(root, wanted.exercises)
    _refuse_unusable(wanted.paths, wanted.out)
    key = _refuse_early(wanted)
    with ReportFolder(wanted.out) as folder:
        grading = _graded(wanted, root, chosen, folder, watch)
        not_final = any(submission.has_errors for submission in grading.submissions)
        _write(grading, folder, wanted.formats, key, not_final=not_final)
    _show(grading, folder.path, as_json=wanted.as_json)
    if wanted.record:
        from kit.cli.recording import record_class

        record_class(grading, wanted.record, reports=folder.path, root=root)
    if wanted.timings:
        watch.lap("write and show the reports")
        watch.show()
    return 3 if not_final else 0


def _graded(
    wanted: Wanted, root: Path, chosen: Sequence[str], folder: ReportFolder, watch: Stopwatch
) -> Grading:
    from grader import batch, logbook
    from grader.cluster.orders import Nodes
    from kit import home
    from kit.cli.progress_bar import progress

    watch.lap("import the grader")
    unfinished = folder.path / logbook.NAME
    with _telling_what_is_kept(unfinished), quiet_children(), progress("checks") as told:
        grading = batch.grade(
            [path.absolute() for path in wanted.paths],
            course_root=root,
            home=home.prepare(),
            database=wanted.database,
            sandbox=wanted.sandbox,
            seed=wanted.seed,
            exercises=chosen,
            assignment=wanted.assignment,
            roster=wanted.roster,
            jobs=wanted.jobs,
            nodes=Nodes(wanted.dask, home.prepare) if wanted.dask else None,
            logbook=unfinished,
            resume=wanted.resume,
            say=say,
            progress=told,
        )
    watch.lap("run the checks")
    watch.split("run the checks", {"start the server": grading.timings["server_seconds"]})
    return grading


def _write(
    grading: Grading,
    folder: ReportFolder,
    formats: Sequence[str],
    key: Ed25519PrivateKey | None,
    *,
    not_final: bool,
) -> None:
    from grader import logbook
    from grader.reports import DEFAULT, names_of, write_reports
    from grader.signing import SIGNATURE

    def write(staging: Path) -> None:
        write_reports(grading, staging, (*DEFAULT, *formats))
        if key:
            from grader.signing.signature import sign

            sign(staging, key)

    replaced = {*names_of(), SIGNATURE}
    # What was found is kept where some of it has to be found again.
    removed = folder.replace(write, replaced if not_final else {*replaced, logbook.NAME})
    _tell_what_went([name for name in removed if name != logbook.NAME], folder.path)


def _tell_what_went(removed: Sequence[str], folder: Path) -> None:
    """Files of the earlier grading that this one did not write: their points are not these."""
    from grader.reports import formats_of

    if not removed:
        return
    were = "It was" if len(removed) == 1 else "They were"
    said = f"Removed from {folder}: {', '.join(removed)}. {were} of the grading before."
    if formats := formats_of(removed):
        options = " ".join(f"--format {name}" for name in formats)
        said += (
            f" To have {'it' if len(removed) == 1 else 'them'} anew: kit report {folder} {options}"
        )
    say(said)


@contextlib.contextmanager
def _telling_what_is_kept(unfinished: Path) -> Iterator[None]:
    """Where the grading is broken off, say how to go on with it, or that there is nothing to."""
    before = _state_of(unfinished)
    try:
        yield
    except BaseException as error:
        state = _state_of(unfinished)
        if state and (state != before or isinstance(error, KeyboardInterrupt)):
            say("What was graded is kept. To go on, give the same command with --resume.")
        elif isinstance(error, KeyboardInterrupt):
            say("Nothing is kept: not one answer was graded to its last check.")
        raise


def _state_of(path: Path) -> tuple[int, int] | None:
    """What changes when a file is written; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size


def _refuse_unusable(paths: Sequence[Path], out: Path) -> None:
    """Find out before anything starts what could only go wrong."""
    target = out.expanduser().resolve()
    for path in paths:
        if path.is_dir() and not any(path.iterdir()):
            msg = f"{path} is empty: there is nothing to grade."
            raise WrongUsage(msg)
        if target.is_relative_to(path.resolve()):
            msg = (
                f"The reports cannot go into {out}: it lies inside {path}, where each folder is a "
                "student's. Name a folder elsewhere with --out."
            )
            raise WrongUsage(msg)


def _refuse_early(wanted: Wanted) -> Ed25519PrivateKey | None:
    """No worksheet, key or database that does not fit may cost a whole grading.

    Returns:
        The key to sign with.
    """
    if "moodle" in wanted.formats:
        msg = (
            "The format moodle fills in a worksheet that Moodle exported. Grade first, then: "
            "kit report DIR --format moodle --worksheet FILE."
        )
        raise WrongUsage(msg)
    if wanted.dask and "://" in wanted.database:
        msg = (
            "With --dask each worker has a server of its own: --database is embedded or container "
            "then, and no URL."
        )
        raise WrongUsage(msg)
    key = None
    if wanted.key:
        from grader.signing.keys import read_private_key

        key = read_private_key(wanted.key)
    if wanted.record:
        from kit import class_records

        class_records.prepare(wanted.record, say)
    return key


def _show(grading: Grading, folder: Path, *, as_json: bool) -> None:
    errors = sum(s.has_errors for s in grading.submissions)
    if as_json:
        from grader.results import to_json

        print_json(to_json(grading))
    else:
        from grader.reports import terminal
        from kit.cli.console import KitConsole

        terminal.print_class_table(grading, KitConsole())
        report = folder / "report.html"
        here = Path.cwd()
        click.echo(f"Report: {report.relative_to(here) if report.is_relative_to(here) else report}")
    if errors:
        from kit.cli.blame import what_to_do
        from kit.cli.endings import plain

        told = (
            f"Error: {errors} of {len(grading.submissions)} submissions could not be judged "
            "completely, through no fault of theirs. The report says where. Their points are not "
            "final."
        )
        then = "Then give the same command with --resume, which grades only those again."
        say(plain("\n".join([told, *what_to_do(grading.submissions), then])))

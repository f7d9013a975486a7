"""``kit grade``: a folder of submissions, graded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit.cli import options
from kit.cli.output import print_json, quiet_children, say
from kit.errors import WrongUsage

if TYPE_CHECKING:
    from grader.results import Grading


@click.command("grade")
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    metavar="PATH...",
    type=click.Path(exists=True, path_type=Path),
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for the reports. An earlier grading in it is replaced.",
)
@click.option(
    "--exercise",
    "exercises",
    multiple=True,
    type=options.Exercise(),
    metavar="NAME",
    help="Grade only this exercise. May be given several times.",
)
@click.option(
    "--assignment",
    metavar="NAME",
    help="Grade an assignment of course.toml: its exercises, weights, due date and late policy.",
)
@click.option(
    "--roster",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="CSV",
    help="Who is in the class: a CSV file with a column id, and perhaps folder, name, email, "
    "section, submitted_at, extension_hours, excused.",
)
@options.formats
@options.record
@options.database("Where the databases of the checks live")
@options.sandbox
@options.seed
@options.jobs
@options.course
@options.as_json
@options.timings
def command(
    *,
    paths: tuple[Path, ...],
    out: Path,
    exercises: tuple[str, ...],
    assignment: str | None,
    roster: Path | None,
    formats: tuple[str, ...],
    record: str | None,
    database: str,
    sandbox: str,
    seed: int | None,
    jobs: int,
    course: Path | None,
    as_json: bool,
    timings: bool,
) -> int:
    """Grade submissions on real PostgreSQL.

    PATH is a folder with one folder (or .zip, .tar.gz, .py, .sql, .ipynb) for each student, or a
    single submission. Each runs in a sandbox and is judged by what PostgreSQL saw. Writes
    results.json, gradebook.csv, junit.xml and report.html into DIR, with --assignment or --roster
    scores.csv as well, and what --format asks for. Points lost are no error: the exit code is 0
    when everybody was graded.

    \b
    Examples:
      kit grade submissions/ --out out/
      kit grade submissions/ana --out out/ --exercise 04
      kit grade submissions/ --out out/ --seed 7 --json
      kit grade submissions/ --out out/ --record postgresql://me@db.example.edu/course
    """
    from kit.cli.progress_bar import progress
    from kit.cli.stopwatch import Stopwatch
    from kit.course import find_root, resolve
    from kit.report_folder import ReportFolder

    watch = Stopwatch()
    root = find_root(named=course)
    chosen = resolve(root, exercises)
    _refuse_unusable(paths, out)
    _refuse_early(formats, record)
    with ReportFolder(out) as folder:
        from grader import batch
        from grader.reports import DEFAULT, names_of, write_reports
        from kit import home

        watch.lap("import the grader")
        with quiet_children(), progress("checks") as told:
            grading = batch.grade(
                [path.absolute() for path in paths],
                course_root=root,
                home=home.prepare(),
                database=database,
                sandbox=sandbox,
                seed=seed,
                exercises=chosen,
                assignment=assignment,
                roster=roster,
                jobs=jobs,
                say=say,
                progress=told,
            )
        watch.lap("run the checks")
        watch.split("run the checks", {"start the server": grading.timings["server_seconds"]})
        folder.replace(
            lambda staging: write_reports(grading, staging, (*DEFAULT, *formats)), names_of()
        )
    _show(grading, folder.path, as_json=as_json)
    if record:
        from kit.cli.recording import record_class

        record_class(grading, record, reports=folder.path, root=root)
    if timings:
        watch.lap("write and show the reports")
        watch.show()
    return 3 if any(s.has_errors for s in grading.submissions) else 0


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


def _refuse_early(formats: Sequence[str], record: str | None) -> None:
    """Neither a worksheet nor a database that does not fit may cost a whole grading."""
    if "moodle" in formats:
        msg = (
            "The format moodle fills in a worksheet that Moodle exported. Grade first, then: "
            "kit report DIR --format moodle --worksheet FILE."
        )
        raise WrongUsage(msg)
    if record:
        from kit import class_records

        class_records.prepare(record, say)


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
        say(
            f"Error: {errors} of {len(grading.submissions)} submissions could not be judged "
            "completely, through no fault of theirs. The report says where. Their points are not "
            "final: run kit doctor, then grade again."
        )

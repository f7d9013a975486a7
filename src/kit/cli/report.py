"""``kit report``: more formats, or all reports anew, from results that are there."""

from __future__ import annotations

import re
from pathlib import Path

import click

from kit.cli import options
from kit.cli.output import print_json, say
from kit.errors import WrongUsage


def _address(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if value and not re.fullmatch(r"https?://[\w.-]+(:\d+)?(/[\w.~/-]*)?", value, re.ASCII):
        msg = f"{value!r} is no address like https://school.example."
        raise click.BadParameter(msg)
    return value


@click.command("report")
@click.argument(
    "folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@options.formats
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Another folder for the reports; results.json goes there too.  [default: DIR itself]",
)
@click.option(
    "--title",
    default="",
    metavar="TEXT",
    help="What the assignment is called where the points go (canvas, nbgrader). Canvas finds its "
    "assignment by 'Week 3 (4711)'.",
)
@click.option(
    "--worksheet",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The grading worksheet that Moodle exported (moodle).",
)
@click.option(
    "--site",
    default="",
    metavar="URL",
    callback=_address,
    help="Address of your school's site (xapi).",
)
@options.record
@options.as_json
def command(
    *,
    folder: Path,
    formats: tuple[str, ...],
    out: Path | None,
    title: str,
    worksheet: Path | None,
    site: str,
    record: str | None,
    as_json: bool,
) -> int:
    """Write reports from results that are there, without grading again.

    DIR is a folder that kit grade wrote. Without --format: everything that kit grade writes, anew.
    Other files in DIR stay as they are.

    \b
    Examples:
      kit report out/
      kit report out/ --format canvas --title "Week 3 (4711)"
      kit report out/ --format moodle --worksheet Grades.csv --out upload/
      kit report out/ --record postgresql://me@db.example.edu/course
    """
    from grader.reports import DEFAULT, Options, names_of, write_reports
    from grader.reports.stored import read_results
    from kit.report_folder import ReportFolder

    target = out or folder
    _refuse_losing(worksheet, target)
    if worksheet and "moodle" not in formats:
        msg = "--worksheet is for --format moodle, which was not asked for."
        raise WrongUsage(msg)
    grading = read_results(folder)
    if record:
        from kit import class_records

        class_records.prepare(record, say)
    chosen = formats or DEFAULT
    known = Options(title=title, worksheet=worksheet, site=site)
    if elsewhere := target.resolve() != folder.resolve():
        chosen = ("json", *chosen)
    written: list[str] = []
    with ReportFolder(target) as reports:

        def write(staging: Path) -> None:
            paths = write_reports(grading, staging, chosen, known)
            written.extend(str(path.relative_to(staging)) for path in paths)

        reports.replace(write, names_of() if elsewhere else names_of(chosen))
    not_final = sum(submission.has_errors for submission in grading.submissions)
    if as_json:
        print_json({"folder": str(reports.path), "files": written, "not_final": not_final})
    else:
        for name in dict.fromkeys(Path(path).parts[0] for path in written):
            click.echo(str(target / name))
    if not_final:
        say(
            f"Note: {not_final} of {len(grading.submissions)} submissions could not be judged "
            "completely. Their points are not final, and no report passes them on."
        )
    if record:
        from kit.cli.recording import record_class

        record_class(grading, record, reports=reports.path)
    return 0


def _refuse_losing(worksheet: Path | None, target: Path) -> None:
    """The worksheet may be the only one: it is not written over."""
    if worksheet and worksheet.resolve() == (target / "moodle.csv").resolve():
        msg = f"{worksheet} would be overwritten. Move it elsewhere, or name another --out."
        raise WrongUsage(msg)

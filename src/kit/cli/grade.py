"""``kit grade``: a folder of submissions, graded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kit.cli import options


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
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the grading in DIR that was broken off: grade what is left, or has changed.",
)
@click.option(
    "--replay",
    type=click.Path(exists=True, path_type=Path),
    metavar="RESULT",
    help="Grade PATH as it was graded in RESULT, a folder of reports, and say whether the verdicts "
    "agree. Writes nothing.",
)
@options.formats
@options.key("--sign", "Sign the reports with this private key.", required=False)
@options.record
@options.database("Where the databases of the checks live")
@options.sandbox
@options.seed
@options.jobs
@options.dask
@options.course
@options.as_json
@options.timings
def command(**wanted: Any) -> int:
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
      kit grade submissions/ --out out/ --resume
      kit grade submissions/ --out out/ --sign grading.key
      kit grade submissions/ --out out/ --dask tcp://big.example.edu:8786
      kit grade submissions/ --out out/ --record postgresql://me@db.example.edu/course
      kit grade --replay out/ submissions/ana
    """
    from kit.cli.grading import Wanted, grade

    if wanted["replay"]:
        from kit.cli.replaying import replay

        return replay(**wanted)
    del wanted["replay"]
    if wanted["out"] is None:
        raise _missing("out")
    return grade(Wanted(**wanted))


def _missing(name: str) -> click.UsageError:
    context = click.get_current_context()
    [parameter] = [one for one in context.command.params if one.name == name]
    return click.MissingParameter(ctx=context, param=parameter)

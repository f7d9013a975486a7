"""``kit exercise``: for those who write exercises."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from kit.cli import options
from kit.cli.output import print_json, quiet_children, say


@click.group("exercise")
def command() -> None:
    """For authors: prove that exercises work.

    \b
    Examples:
      kit exercise verify
      kit exercise verify 04 --json
    """


@command.command("verify")
@click.argument("exercises", nargs=-1, type=options.Exercise(), metavar="[EXERCISE]...")
@options.database("Where the databases of the checks live")
@options.sandbox
@options.seed
@options.jobs
@options.course
@options.as_json
def verify(
    *,
    exercises: tuple[str, ...],
    database: str,
    sandbox: str,
    seed: int | None,
    jobs: int,
    course: Path | None,
    as_json: bool,
) -> int:
    """Prove that exercises judge rightly.

    The solution and every alternative must get full marks, the starter none that it did not earn,
    and every mistake must fail exactly the checks that its header names and show its own
    misconception. Without EXERCISE: all of them. Needs the folder solutions/. Exit code 1 if one
    does not hold.

    \b
    Examples:
      kit exercise verify
      kit exercise verify 04 08
    """
    from grader.verify import verify as prove
    from kit import home
    from kit.cli.endings import plain
    from kit.cli.progress_bar import progress
    from kit.course import find_root, resolve

    root = find_root(named=course)
    chosen = resolve(root, exercises)
    with quiet_children(), progress("checks") as told:
        proof = prove(
            chosen,
            course_root=root,
            home=home.prepare(),
            database=database,
            sandbox=sandbox,
            seed=seed,
            jobs=jobs,
            say=say,
            progress=told,
        )
    if as_json:
        print_json(dataclasses.asdict(proof))
    else:
        for finding in proof.findings:
            click.echo(plain(f"{finding.exercise}: {finding.where}: {finding.message}"))
        verdict = f"{len(proof.findings)} wrong" if proof.findings else "all as it should be"
        proved, answers = len(proof.exercises), proof.submissions
        click.echo(f"{proved} exercises, {answers} answers, {proof.checks} checks: {verdict}.")
    return 1 if proof.findings else 0

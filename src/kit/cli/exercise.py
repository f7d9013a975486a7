"""``kit exercise``: for those who write exercises."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kit.cli import options
from kit.cli.output import print_json, quiet_children, say
from kit.errors import WrongUsage

if TYPE_CHECKING:
    from grader.mutants.trial import Trial
    from grader.verify import Finding, Verification


@click.group("exercise")
def command() -> None:
    """For authors: begin exercises, and prove that they work.

    \b
    Examples:
      kit exercise new soft_delete
      kit exercise verify
      kit exercise verify 04 --json
    """


@command.command("new")
@click.argument("name", metavar="NAME")
@options.course
def new(*, name: str, course: Path | None) -> int:
    """Begin an exercise: small, complete, and ready to be changed into yours.

    NAME is like 18_soft_delete; without a number it gets the next one. Writes exercises/NAME,
    solutions/NAME and a page in docs/misconceptions. What is left to write is marked with WRITE:,
    and kit exercise verify names each such line. Nothing that is there is changed.

    \b
    Examples:
      kit exercise new soft_delete
      kit exercise new 18_soft_delete
    """
    from kit import scaffold
    from kit.course import find_root

    root = find_root(named=course)
    full = scaffold.full_name(root, name)
    files = scaffold.files_for(full)
    scaffold.write(root, files)
    for path in files:
        click.echo(path)
    click.echo(f"Now write, and prove it: kit exercise verify {full[:2]}")
    return 0


@command.command("verify")
@click.argument("exercises", nargs=-1, type=options.Exercise(), metavar="[EXERCISE]...")
@options.database("Where the databases of the checks live")
@options.sandbox
@options.seed
@options.jobs
@click.option(
    "--mutants",
    is_flag=True,
    help="Grade generated mutants of the solutions in place of the answers that are there.",
)
@click.option(
    "--sample",
    is_flag=True,
    help="With --mutants: a fortieth of them, others every day, but all where something changed.",
)
@options.course
@options.as_json
def verify(
    *,
    exercises: tuple[str, ...],
    database: str,
    sandbox: str,
    seed: int | None,
    jobs: int,
    mutants: bool,
    sample: bool,
    course: Path | None,
    as_json: bool,
) -> int:
    """Prove that exercises judge rightly.

    The solution and every alternative must get full marks, the starter none that it did not earn,
    and every mistake must fail exactly the checks that its header names and show its own
    misconception. Without EXERCISE: all of them. Needs the folder solutions/. Exit code 1 if one
    does not hold.

    With --mutants the kit changes each solution in one small thing at a time, some hundreds of
    times. The checks must fail 95 of 100, and each mutant that passes them needs a reason in
    solutions/EXERCISE/mutants.json, which is written anew.

    \b
    Examples:
      kit exercise verify
      kit exercise verify 04 08
      kit exercise verify 04 --mutants
    """
    from kit import home
    from kit.cli.progress_bar import progress
    from kit.course import find_root, resolve

    if sample and not mutants:
        msg = "--sample goes with --mutants."
        raise WrongUsage(msg)
    root = find_root(named=course)
    chosen = resolve(root, exercises)
    with quiet_children(), progress("checks") as told:
        settings: dict[str, Any] = {
            "course_root": root,
            "home": home.prepare(),
            "database": database,
            "sandbox": sandbox,
            "seed": seed,
            "jobs": jobs,
            "say": say,
            "progress": told,
        }
        found, told_last = (
            _mutants(chosen, sample=sample, **settings) if mutants else _answers(chosen, **settings)
        )
    if as_json:
        print_json(dataclasses.asdict(found))
    else:
        _tell(found.findings, told_last)
        _tell_of_ledgers(found.without_ledger)
    return 1 if found.findings else 0


def _answers(chosen: list[str], **settings: Any) -> tuple[Verification, list[str]]:
    """What `grader.verify` found, and how it is summed up."""
    from grader.reports.text import counted
    from grader.verify import verify as prove

    proof = prove(chosen, **settings)
    parts = (
        counted(len(proof.exercises), "exercise"),
        counted(proof.submissions, "answer"),
        counted(proof.checks, "check"),
    )
    return proof, [", ".join(parts)]


def _mutants(chosen: list[str], *, sample: bool, **settings: Any) -> tuple[Trial, list[str]]:
    """What `grader.mutants` found, and a line for each exercise."""
    from grader.mutants.trial import try_mutants
    from grader.reports.text import counted

    trial = try_mutants(chosen, sample=sample, **settings)
    lines = [
        f"{tally.exercise}: {tally.graded} of {counted(tally.mutants, 'mutant')} graded, "
        f"{tally.killed} failed"
        for tally in trial.tallies
    ]
    killed, graded = sum(t.killed for t in trial.tallies), sum(t.graded for t in trial.tallies)
    exercises = counted(len(trial.tallies), "exercise")
    return trial, [*lines, f"{exercises}, {killed} of {counted(graded, 'mutant')} failed"]


def _tell_of_ledgers(missing: Sequence[str]) -> None:
    """Name exercises whose solutions were never attacked by mutants: that is no finding yet."""
    if not missing:
        return
    from grader.mutants.ledger import FILE_NAME

    numbers = " ".join(name.partition("_")[0] for name in missing)
    say(
        f"Note: no {FILE_NAME} in {', '.join(f'solutions/{name}' for name in missing)}. That file "
        "is the ledger of mutants: which small changes to the solution the checks notice, and why "
        f"the others are right all the same. kit exercise verify {numbers} --mutants writes it."
    )


def _tell(findings: Sequence[Finding], summary: Sequence[str]) -> None:
    from kit.cli.endings import plain

    for finding in findings:
        click.echo(plain(f"{finding.exercise}: {finding.where}: {finding.message}"))
    for line in summary[:-1]:
        click.echo(line)
    verdict = f"{len(findings)} wrong" if findings else "all as it should be"
    click.echo(f"{summary[-1]}: {verdict}.")

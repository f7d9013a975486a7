"""Options and arguments that several commands share."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

Command = TypeVar("Command", bound=Callable[..., Any])

SERVERS = ("auto", "embedded", "container")

FORMATS = (
    "json", "csv", "scores", "junit", "html", "gradescope", "exercism", "prairielearn", "check50",
    "github", "canvas", "moodle", "nbgrader", "lti", "xapi",
)  # fmt: skip
"""Formats of reports: those of `grader.reports`, which is too heavy to import for this list."""


class Database(click.ParamType[str]):
    """``auto``, ``embedded``, ``container`` or the URL of a PostgreSQL server."""

    name = "server"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value in SERVERS or value.startswith(("postgresql://", "postgres://")):
            return value
        if value.startswith("postgresql+"):
            return "postgresql://" + value.partition("://")[2]
        self.fail(
            f"{value!r} is neither {', '.join(SERVERS)} nor a URL that starts with postgresql://.",
            param,
            ctx,
        )

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        choices = (*SERVERS, "postgresql://")
        return [CompletionItem(choice) for choice in choices if choice.startswith(incomplete)]


class Exercise(click.ParamType[str]):
    """An exercise by number, name or path; which one it is is found out by `kit.course`."""

    name = "exercise"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from kit import course
        from kit.errors import WrongUsage

        try:
            names = course.exercise_names(course.find_root(named=ctx.params.get("course")))
        except WrongUsage:
            return []
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def database(what: str) -> Callable[[Command], Command]:
    """``--database``, with ``what`` the server is for."""
    return click.option(
        "--database",
        type=Database(),
        default="auto",
        show_default=True,
        metavar="SERVER",
        help=f"{what}: auto, embedded, container, or a URL (postgresql://…).",
    )


def course(command: Command) -> Command:
    """``--course``: the folder with the exercises."""
    return click.option(
        "--course",
        type=click.Path(path_type=Path),
        envvar="KIT_COURSE",
        show_envvar=True,
        metavar="DIR",
        help="The course's folder. If not given: the one you are in, or one above it.",
    )(command)


def sandbox(command: Command) -> Command:
    """``--sandbox``: how the code that is checked is shut in."""
    return click.option(
        "--sandbox",
        type=click.Choice(["auto", "bubblewrap", "container", "process"]),
        default="auto",
        show_default=True,
        help="How the code is shut in. process only limits time and memory: for your own code.",
    )(command)


def seed(command: Command) -> Command:
    """``--seed``: the number that the checks' test data grows from."""
    return click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=None,
        help="Number that the test data grows from. The same seed gives the same data.",
    )(command)


def jobs(command: Command) -> Command:
    """``--jobs``: how many processes share the work. One alone keeps two processors busy."""
    return click.option(
        "--jobs",
        type=click.IntRange(min=1),
        default=_processes,
        metavar="N",
        help="How many processes share the work.  [default: one; with more than two processors as "
        "many as there are]",
    )(command)


def _processes() -> int:
    """As many as there are processors; but two of them are what one process uses by itself, and a
    second takes a second to start.
    """
    count = processors()
    return count if count > 2 else 1


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Scheduler(click.ParamType[str]):
    """The address of a Dask scheduler."""

    name = "address"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if re.fullmatch(r"(tcp|tls)://(\[[\da-f:.]+\]|[\w.-]+):\d{1,5}", value, re.IGNORECASE):
            return value
        self.fail(f"{value!r} is no address like tcp://host:8786.", param, ctx)


def dask(command: Command) -> Command:
    """``--dask``: other machines that do the work."""
    return click.option(
        "--dask",
        type=Scheduler(),
        metavar="ADDRESS",
        help="Grade on the workers of this Dask scheduler (tcp://host:8786), each with a server of "
        "its own.",
    )(command)


def formats(command: Command) -> Command:
    """``--format``: which reports are wanted."""
    return click.option(
        "--format",
        "formats",
        multiple=True,
        type=click.Choice(FORMATS),
        metavar="NAME",
        help=f"A format of reports, one of {', '.join(FORMATS)}. May be given several times.",
    )(command)


def as_json(command: Command) -> Command:
    """``--json``: the report as one JSON document."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(
        command
    )


class Records(click.ParamType[str]):
    """The URL of a database for results."""

    name = "url"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value.startswith(("postgresql://", "postgres://")):
            return value
        if value.startswith("postgresql+"):
            return "postgresql://" + value.partition("://")[2]
        self.fail("The URL of a database starts with postgresql://.", param, ctx)


def record(command: Command) -> Command:
    """``--record``: a database for results, beside the reports."""
    return click.option(
        "--record",
        type=Records(),
        metavar="URL",
        help="Record the results in the tracker's tables of this database (postgresql://…).",
    )(command)


def key(name: str, what: str, *, required: bool) -> Callable[[Command], Command]:
    """An option that names the file of a key."""
    return click.option(
        name,
        "key",
        required=required,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=what,
    )


def timings(command: Command) -> Command:
    """``--timings``: where the time went."""
    return click.option("--timings", is_flag=True, help="Show where the time went.")(command)

"""``kit db``: the learner's database."""

from __future__ import annotations

import click


@click.group("db")
def command() -> None:
    """Your own PostgreSQL server and the course's database on it.

    \b
    Examples:
      kit db up
      kit db status --json
      psql "$(kit db url)"
    """

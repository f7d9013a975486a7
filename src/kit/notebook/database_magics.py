"""Magics that look at a database: which one, and what is in it."""

from __future__ import annotations

import contextlib
from typing import Any

import psycopg
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from kit.notebook import (
    changed_rows,
    er_diagrams,
    locks,
    places,
    plan_trees,
    revisions,
    schema_changes,
    timelines,
)
from kit.notebook.arguments import Words
from kit.notebook.errors import NotebookError
from kit.notebook.showing import Shown


@magics_class
class DatabaseMagics(Magics):
    """Each takes ``--on NAME``: a scratch database, an engine or a URL of the notebook."""

    @line_magic
    def use(self, line: str) -> None:
        """Make a database the one that ``%%sql`` and other magics ask: ``%use lab``.

        Without a name: the learner's own again.
        """
        words = Words("%use")
        words.add_argument("database", nargs="?")
        name = words.read(line).database
        places.use(None if name is None else words.named(name, self._names))

    @line_magic
    def rows(self, line: str) -> Shown | None:
        """Show which rows have changed since the last ``%rows``: ``%rows``, ``%rows users``.

        ``%rows --in s`` also asks what the open transaction of ``s`` sees. ``%rows on`` shows this
        below every cell that changed something, until ``%rows off``.
        """
        words = Words("%rows", database=True)
        words.add_argument("tables", nargs="*")
        words.add_argument("--in", dest="inside", metavar="SESSION")
        found = words.read(line, self._names)
        if found.tables in (["on"], ["off"]):
            self._watch(found.tables == ["on"])
            return None
        inside = words.named(found.inside, self._names) if found.inside else None
        return changed_rows.changed_rows(
            *found.tables, inside=inside, called=found.inside or "", on=found.on
        )

    @line_magic
    def erd(self, line: str) -> Shown:
        """Draw the tables and how they refer to each other: ``%erd``, ``%erd users tracks``.

        ``--around users`` draws a table and its neighbors, ``--keys`` only the columns of keys.
        """
        words = Words("%erd", database=True)
        words.add_argument("tables", nargs="*")
        words.add_argument("--around", metavar="TABLE")
        words.add_argument("--keys", action="store_true")
        found = words.read(line, self._names)
        return er_diagrams.erd(*found.tables, around=found.around, keys=found.keys, on=found.on)

    @line_magic
    def schema_diff(self, line: str) -> Shown:
        """Show what has changed in the tables since the last ``%schema_diff``.

        ``%schema_diff one two`` compares two databases, ``%schema_diff one`` one with the one in
        use.
        """
        words = Words("%schema_diff", database=True)
        words.add_argument("before", nargs="?")
        words.add_argument("after", nargs="?")
        found = words.read(line, self._names)
        before, after = (
            name and words.named(name, self._names) for name in (found.before, found.after)
        )
        return schema_changes.schema_diff(before, after or found.on)

    @line_magic
    def locks(self, line: str) -> Shown:
        """Show who holds or waits for which lock, and for whom."""
        return locks.locks(on=Words("%locks", database=True).read(line, self._names).on)

    @line_magic
    def timeline(self, line: str) -> Shown:
        """Draw an interleaving of sessions: ``%timeline stage``, ``--title "Lost update"``."""
        words = Words("%timeline")
        words.add_argument("stage")
        words.add_argument("--title", default="")
        found = words.read(line)
        return timelines.timeline(words.named(found.stage, self._names), found.title)

    @line_magic
    def history(self, line: str) -> Shown:
        """Draw the revisions of the schema, and where the database is: ``%history``.

        ``%history path/to/migrations`` draws those of another folder.
        """
        words = Words("%history", database=True)
        words.add_argument("folder", nargs="?")
        words.add_argument("--title", default="")
        found = words.read(line, self._names)
        return revisions.history(found.folder, on=found.on, title=found.title)

    @cell_magic
    def plan(self, line: str, cell: str) -> Shown:
        """Run the SQL of the cell, roll it back, and draw how PostgreSQL did it.

        ``--estimate`` does not run it; ``--rows`` leaves out times and pages.
        """
        words = Words("%%plan", database=True)
        words.add_argument("--estimate", action="store_true")
        words.add_argument("--rows", action="store_true")
        found = words.read(line, self._names)
        return plan_trees.plan(cell, estimate=found.estimate, rows=found.rows, on=found.on)

    def _watch(self, on: bool) -> None:
        """Show the changes of rows below each cell from now on, or no more."""
        events = self.shell.events  # type: ignore[union-attr]
        watching = self._after in events.callbacks["post_run_cell"]
        if on and not watching:
            changed_rows.remember()
            events.register("post_run_cell", self._after)
        elif watching and not on:
            events.unregister("post_run_cell", self._after)

    def _after(self, _result: Any = None) -> None:
        with contextlib.suppress(psycopg.Error, NotebookError):  # a dropped database shows nothing
            if found := changed_rows.changes_for_all():
                found.display()

    def unwatch(self) -> None:
        """Stop what ``%rows on`` started."""
        self._watch(False)

    @property
    def _names(self) -> dict[str, Any]:
        names: dict[str, Any] = self.shell.user_ns  # type: ignore[union-attr]
        return names

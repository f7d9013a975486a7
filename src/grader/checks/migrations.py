"""The instrument ``migrations``: Alembic, run in the sandbox on this check's database.

Example::

    @check("Going down and up again keeps every lesson", points=3)
    def test_down_and_up(db, migrations):
        migrations.upgrade("0001")
        db.insert("lessons", {"title": "Joins"}, {"title": "Locks"})
        before, shape = db.snapshot(), migrations.shape()
        migrations.upgrade("head")
        migrations.downgrade("0001")
        left = migrations.differences(shape)
        assert not left, hint("The way down left something behind.", actual=left)
        assert not db.changes(before), hint("Rows were changed on the way.")
        migrations.upgrade("head")

The scripts are the answer's and the given files whose names begin with a digit. The exercise may
give an ``env.py``; without one each revision runs in a transaction of its own. Which revisions
there are is read from the scripts' text, which revision the database is at from the database:
neither is the submission's word. The exercise says ``module = ""`` and ``privileges = "tables"``.

Sources: Alembic documentation; PostgreSQL manual, "Explicit Locking".
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from psycopg import sql

from grader.checks.inside import ENVIRONMENT, compare_models, run_alembic
from grader.checks.locks import MODES, Pause, transactions, without_notes
from grader.checks.revisions import Revision, heads_of, read_revisions
from grader.checks.rival import Result, Rival
from grader.checks.rivals import Rivals
from grader.checks.sent import Sent
from grader.checks.shape import Shape, differences, shape_of
from grader.checks.student import retold
from grader.checks.verdict import Hint, NotPassed, Raises
from grader.checks.writing import Writers, writing
from grader.errors import CheckError
from grader.results import Failure, Reason
from grader.sandbox.outcomes import Outcome, Raised
from grader.text import clean
from pglab.witness import Statement

if TYPE_CHECKING:
    from grader.examination import Examination

_VERSIONS = "alembic_version"
_QUESTIONS = {
    "22P02": "Which rows hold a value that your conversion does not expect?",
    "23502": "What do the rows that are already there have in that column?",
    "25001": "Which commands cannot run inside a transaction, and how does Alembic leave one?",
    "42701": "Did something on the way down stay?",
    "42703": "In which order do the steps of this migration need each other?",
    "42704": "Which step makes what this one needs, and which comes first?",
    "42710": "Dropping a table or a column leaves some things behind. Which?",
    "42804": "How does an old value become a new one, and what becomes of the column's default?",
    "42P07": "Did something on the way down stay?",
    "55P03": "Who held the lock, and what should a migration do when it does not get one?",
    "57014": "For how long did it work or wait, and whom did it stop meanwhile?",
}


class Migrations:
    """The migrations of one check's submission."""

    def __init__(self, examination: Examination) -> None:
        self._examination = examination
        self._rivals = Rivals(examination)
        self._process: Rival | None = None
        files = examination.sitting.files
        self._scripts = {
            name: content
            for name, content in files.items()
            if name[:1].isdigit() and name.endswith(".py")
        }
        self._environment = "" if "env.py" in files else ENVIRONMENT

    # What the scripts say.

    @property
    def history(self) -> list[Revision]:
        """All revisions, each after those that it builds on.

        Raises:
            NotPassed: a script cannot be placed.
        """
        return read_revisions(self._scripts)

    @property
    def heads(self) -> list[str]:
        """Ids of the revisions that no other builds on; there should be one."""
        return heads_of(self.history)

    # What the database says.

    @property
    def current(self) -> list[str]:
        """Ids of the revisions that the database is at; none before the first."""
        state = self._examination.state
        there = "SELECT pg_catalog.to_regclass('public.alembic_version') IS NOT NULL AS there"
        if not state.query(there)[0]["there"]:
            return []
        return sorted(row["version_num"] for row in state.rows(_VERSIONS))

    def shape(self) -> Shape:
        """Everything that migrations can make: tables, columns, constraints, indexes, types …"""
        return shape_of(self._examination.state.query)

    def differences(self, before: Shape) -> list[str]:
        """In words, what is otherwise than it was, such as what a way down has left behind."""
        return differences(before, self.shape())

    # What Alembic does.

    def upgrade(
        self,
        target: str = "head",
        *,
        expect: type[Raises] | Raises | None = None,
        refused: Mapping[str, Hint] | None = None,
    ) -> Any:
        """Upgrade to a revision, to ``head`` or by a number of steps (``+1``).

        Args:
            expect: ``Raises`` where it must fail; then the `Raised` exception is returned.
            refused: by SQLSTATE, what the learner is told where PostgreSQL refuses a step.

        Raises:
            NotPassed: it failed, or did not end in the time that a call may take.
        """
        self.start("upgrade", target)
        return self.finish(expect=expect, refused=refused)

    def downgrade(
        self,
        target: str,
        *,
        expect: type[Raises] | Raises | None = None,
        refused: Mapping[str, Hint] | None = None,
    ) -> Any:
        """Downgrade to a revision, to ``base`` or by a number of steps (``-1``)."""
        self.start("downgrade", target)
        return self.finish(expect=expect, refused=refused)

    def start(self, command: Literal["upgrade", "downgrade"], target: str) -> None:
        """Begin, and return as soon as it has ended or waits for a lock; `finish` comes later."""
        if self._process is None:
            (self._process,) = self._rivals.enter(1)
        self._start(self._process, command, target)

    @property
    def is_waiting(self) -> bool:
        """Whether what was started waits for a lock."""
        return self._process is not None and self._process.is_waiting

    def finish(
        self,
        *,
        expect: type[Raises] | Raises | None = None,
        refused: Mapping[str, Hint] | None = None,
    ) -> Any:
        """Wait for the end of what was started."""
        assert self._process is not None, "start() comes first"
        try:
            outcome = self._rivals.outcome(self._process)
        except NotPassed as error:
            if isinstance(expect, Raises) and expect.otherwise is not None:
                raise NotPassed(retold(error.failure, expect.otherwise)) from error
            raise
        return self._judged(self._process, outcome, expect, refused or {})

    @contextlib.contextmanager
    def paused(self, target: str = "+1") -> Iterator[Pause]:
        """Run one revision up to the moment before it is committed, and look.

        There it still holds every lock that it has taken in its last transaction. What it did in
        transactions before that (``autocommit_block``) is committed and holds nothing.

        Example::

            with migrations.paused("+1") as pause:
                assert not pause.stops("writes", "lessons"), hint("While the index is built …")

        Raises:
            NotPassed: it failed, there or later.
        """
        if not self.current:
            raise CheckError("A first revision must be there before one can be paused.")
        with self._rivals.gate(_VERSIONS):
            self.start("upgrade", target)
            if not self.is_waiting:
                self.finish()
                raise CheckError(f"upgrade {target} had nothing to do, so there was no pause.")
            yield self.holds()
        self.finish()

    def holds(self) -> Pause:
        """What it holds at this moment, such as while it waits for a row inside `rivals.holding`.

        Rows that the check itself has locked are counted among those that are locked.
        """
        assert self._process is not None, "start() comes first"
        # Who waits for a row has a lock of its own kind on that row: it is none on the table.
        rows = self._examination.state.query(
            "SELECT c.relname::text AS name, l.mode, l.granted FROM pg_catalog.pg_locks l"
            " JOIN pg_catalog.pg_class c ON c.oid = l.relation"
            " WHERE l.locktype = 'relation'"
            " AND l.pid = ANY (%s) AND c.relkind IN ('r', 'p')"
            " AND c.relnamespace = 'public'::pg_catalog.regnamespace",
            [list(self._process.pids)],
        )
        locks: dict[str, str] = {}
        wanted: dict[str, str] = {}
        for row in rows:
            name, mode = row["name"], row["mode"]
            if name != _VERSIONS:
                these = locks if row["granted"] else wanted
                these[name] = max(these.get(name, mode), mode, key=MODES.index)
        pause = Pause(dict(sorted(locks.items())), Sent(self._sent()), {}, wanted)
        # Where the whole table is locked, its rows can perhaps not even be counted.
        free = [name for name in pause.locks if not pause.stops("writes", name)]
        return dataclasses.replace(pause, locked_rows={n: self._locked_rows(n) for n in free})

    @contextlib.contextmanager
    def writing(self, table: str) -> Iterator[Writers]:
        """Write rows of a table for as long as this lasts, over a session of the judge's, and see
        how long a write waits for the migration.

        Every write is rolled back. It gives up when it has waited as long as a call may take.

        Example::

            with migrations.writing("lessons") as writers:
                migrations.upgrade("head")
            assert writers.longest < 0.5, hint("For a long time nobody could write.")

        Seconds are for telling, and for bounds that are far from both a right answer and a wrong
        one; `Pause.stops` decides without a clock. What was seen differs from run to run, so it
        stands in no hint. Not together with `paused`, which could take a
        wait for a write for the pause.

        Raises:
            NotPassed: the table is not there, or takes no write before the migration has begun.
        """
        with (
            self._rivals.owner() as owner,
            writing(self._examination, owner, table) as writers,
        ):
            yield writers

    def together(self, number: int, target: str = "head") -> list[Result]:
        """Upgrade by so many processes at the same time: each finds the old version, then all go
        on. How each of them ended, in order.
        """
        processes = self._rivals.enter(number)
        with self._rivals.gate(_VERSIONS):
            for process in processes:
                self._start(process, "upgrade", target)
        return self._rivals.finish()

    @property
    def transactions(self) -> list[Sent]:
        """What the last command sent, transaction by transaction; a statement outside of any is one
        of its own.
        """
        return [Sent(group) for group in transactions(self._sent())]

    def drift(self, models: str = "models", *, base: str = "Base") -> list[str]:
        """What autogenerate would still find to do, in words; nothing where models and database
        agree.

        The models are imported in a process of their own, in which no script has run. Alembic does
        not compare the labels of enumerated types.

        Args:
            models: the module, given or answered.
            base: its declarative base or metadata.
        """
        student = self._examination.another_student(counted=False)
        found = student.drive(compare_models, models, base)
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise NotPassed(_no_list())
        return [clean(item, 200) for item in found]

    def _start(self, process: Rival, command: str, target: str) -> None:
        read_revisions(self._scripts)  # which says in better words than Alembic what is wrong
        names = sorted(self._scripts)
        process.start_driver(
            f"alembic {command} {target}", run_alembic, command, target, names, self._environment
        )

    def _judged(
        self,
        process: Rival,
        outcome: Outcome,
        expect: type[Raises] | Raises | None,
        refused: Mapping[str, Hint],
    ) -> Any:
        if isinstance(outcome, Raised) and "Multiple head revisions" in outcome.message:
            raise NotPassed(_several_heads(self.heads))
        try:
            return process.student.judged(outcome, expect, name=process.title)
        except NotPassed as error:
            sqlstate = getattr(outcome, "sqlstate", None) or ""
            if sqlstate in refused:
                raise NotPassed(retold(error.failure, refused[sqlstate])) from error
            question = _QUESTIONS.get(sqlstate)
            if question and not error.failure.question:
                raise NotPassed(dataclasses.replace(error.failure, question=question)) from error
            raise

    def _sent(self) -> list[Statement]:
        """What the last command sent, without the notes that Alembic makes of where it is."""
        if self._process is None:
            return []
        return without_notes(self._process.raw_statements)

    def _locked_rows(self, table: str) -> int:
        """Rows that others cannot change one by one."""
        state = self._examination.state
        total = state.count(table)
        query = sql.SQL(
            "SELECT pg_catalog.count(*) AS n FROM (SELECT FROM {} FOR UPDATE SKIP LOCKED) AS free"
        ).format(sql.Identifier("public", table))
        with self._rivals.owner() as owner:
            row = owner.execute(query).fetchone()
        assert row is not None
        return total - int(row["n"])


def _several_heads(heads: list[str]) -> Failure:
    return Failure(
        Reason.ASSERTION,
        f"Your revisions end in {len(heads)} heads ({clean(', '.join(heads), 200)}), so Alembic "
        "does not know which of them is meant. This happens when two revisions build on the same "
        "one.",
        question="Which revision should come after which, or what would bring both together?",
        expected="one head",
        actual=clean(", ".join(heads), 200),
    )


def _no_list() -> Failure:
    return Failure(Reason.ASSERTION, "The models could not be compared with the database.")

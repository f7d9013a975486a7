"""The judge: runs one check on one submission and says what PostgreSQL showed.

A `Judge` holds what all submissions share: the server, the sandbox, template databases and the
witness. A `Desk` is one submission at one exercise: a role in PostgreSQL and a cell in the sandbox
that nobody else uses. An `Examination` is one check at that desk.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections import deque
from collections.abc import Callable, Iterator
from typing import Self

import psycopg
from psycopg import sql

from grader import findings, instruments
from grader.catalog import Exercise
from grader.delegate import Delegate
from grader.desk import Desk
from grader.errors import CheckError, SandboxError
from grader.judge_sessions import JudgeSessions
from grader.sandbox import Sandbox
from grader.sitting import Seat, Sitting
from grader.submissions import Submission
from grader.worker.limits import Limits
from pglab.clonepool import ClonePool
from pglab.planner_statistics import refresh
from pglab.roles import create_group
from pglab.scratch import Database, Role, Scratch
from pglab.servers import Server
from pglab.servers.server import connect
from pglab.urls import database_url, sqlalchemy_url
from pglab.witness import Witness

AUTHOR_GROUP = "kit_author"
"""Owns the tables of every exercise."""
STUDENT_GROUP = "kit_student"
"""May read and write the rows of an exercise's tables; a submission's role is a member, unless its
exercise is about making and changing tables: then it is a member of `AUTHOR_GROUP`."""
DATABASE_MEGABYTES = 256
"""What one check's database may hold."""
_ROLES_KEPT = 8
_LARGE_BYTES = 1024 * 1024


class Judge:
    """Everything that the submissions of one process share.

    Args:
        server: started, with its log readable.
        sandbox: started.
        seed: of the run; `Data` is made from it.
        clones_ahead: databases that are prepared ahead of need, per exercise.
    """

    def __init__(
        self, server: Server, sandbox: Sandbox, *, seed: int, clones_ahead: int = 2
    ) -> None:
        self.server = server
        self.sandbox = sandbox
        self.seed = seed
        self._clones_ahead = clones_ahead
        self._pools: dict[str, ClonePool] = {}
        """By `template_key`: an exercise whose schema was changed has another pool."""
        self._retired: deque[Role] = deque()
        self._laid: dict[tuple[str, str], list[Sitting]] = {}
        """For whoever comes; by name and hash of the exercise."""
        with contextlib.ExitStack() as stack:
            self._stack = stack
            self.scratch = stack.enter_context(Scratch(server))
            self.quota = stack.enter_context(self.scratch.quota(megabytes=DATABASE_MEGABYTES))
            self.witness = stack.enter_context(Witness(server))
            self._admin = stack.enter_context(connect(server.admin_url))
            self._reader = self._role("pg_read_all_data")
            self.author = self._role(AUTHOR_GROUP)
            create_group(self._admin, STUDENT_GROUP)  # no submission may come that is a member
            stack.callback(self._close_laid)
            self._stack = stack.pop_all()

    def desk(self, submission: Submission, exercise: Exercise) -> Desk:
        """A place for one submission at one exercise; close it afterwards."""
        return Desk(self, submission, exercise)

    def prepare(self, exercise: Exercise, *, stock: int = 0) -> None:
        """Build the exercise's template and have databases made from it, once.

        Args:
            stock: databases that are made before the first is asked for; see
                `pglab.clonepool.ClonePool`.
        """
        wanted = (name for spec in exercise.checks for name in spec.wants)
        self.sandbox.preload(instruments.libraries(wanted))
        key = template_key(exercise)
        if key not in self._pools:
            template = self.scratch.template(key, _builder(exercise))
            pool = self.scratch.pool(template, ahead=self._clones_ahead, stock=stock)
            self._stack.callback(pool.close)
            self._pools[key] = pool
            if len(self._pools) == 1:
                with contextlib.suppress(SandboxError):  # it is asked for a cell next, and tells
                    self.sandbox.meet(lambda: self._invitation(exercise))

    def lay(self, exercise: Exercise, count: int) -> None:
        """Have all ready for so many checks of a submission that will come, but its own code:
        `prepare` the exercise first.

        Raises:
            GraderError, PglabError, psycopg.Error: that is not possible.
        """
        laid = self._laid.setdefault((exercise.name, exercise.sha256), [])
        seats = [Seat(self, exercise) for _ in range(count)]
        for seat in seats:
            seat.cell()  # they get ready side by side
        for seat in seats:
            laid.append(Sitting(seat, exercise))
            laid[-1].lay()

    def laid(self, exercise: Exercise) -> Sitting | None:
        """What `lay` has made ready and nobody has taken; close it and its seat afterwards."""
        ready = self._laid.get((exercise.name, exercise.sha256))
        return ready.pop() if ready else None

    def _close_laid(self) -> None:
        for sitting in itertools.chain(*self._laid.values()):
            sitting.close()
            sitting.seat.close()
        self._laid.clear()

    @contextlib.contextmanager
    def _invitation(self, exercise: Exercise) -> Iterator[str]:
        """A way into the server for the sandbox, as a role that nobody can be afterwards."""
        role = self.role_for(exercise)
        database = self.take(exercise, role)
        try:
            yield self.url_inside(database, role)
        finally:
            self._admin.execute(
                sql.SQL("ALTER ROLE {} NOLOGIN PASSWORD NULL").format(sql.Identifier(role.name))
            )
            database.drop()
            self.retire(role)

    def url_inside(self, database: Database, role: Role) -> str:
        """SQLAlchemy's URL of a database for a role, as seen from inside the sandbox."""
        url = database_url(
            database.name,
            user=role.name,
            password=role.password,
            host=self.sandbox.socket_dir_inside,
            port=self.server.port,
        )
        return sqlalchemy_url(url)

    def take(self, exercise: Exercise, role: Role) -> Database:
        """A fresh database of the exercise that ``role`` may enter."""
        self.prepare(exercise)
        pool = self._pools[template_key(exercise)]
        return pool.take(role.name, self._reader.name, self.author.name)

    def role_for(self, exercise: Exercise) -> Role:
        """A new role for one submission at an exercise; `retire` it afterwards."""
        group = AUTHOR_GROUP if exercise.makes_tables else STUDENT_GROUP
        limits = Limits()
        return self.scratch.role(
            member_of=group,
            connection_limit=limits.connections,
            statement_timeout_ms=limits.statement_seconds * 1000,
        )

    def retire(self, role: Role) -> None:
        """Drop a role a little later, when its databases are gone, together with others.

        They are dropped in the background, and dropping a role that can still enter one has to
        change many rows of ``pg_database`` at once, which can deadlock with other judges' work.
        """
        self._retired.append(role)
        if len(self._retired) >= 2 * _ROLES_KEPT:
            self.scratch.drop_roles([self._retired.popleft() for _ in range(_ROLES_KEPT)])

    def sessions(self, database: Database) -> JudgeSessions:
        """The judge's own in a database; none is open yet."""
        return JudgeSessions(database, reader=self._reader, author=self.author)

    def delegate(
        self, database: Database, role: Role, note: Callable[[str], None] = lambda name: None
    ) -> Delegate:
        """A session of the judge's own in a database, with the rights of a submission's role."""
        return Delegate(self.scratch, database, role, retire=self.retire, note=note)

    def close(self) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _role(self, group: str) -> Role:
        role = self.scratch.role(member_of=group)
        self._stack.callback(self.scratch.drop_role, role)
        return role


def template_key(exercise: Exercise) -> str:
    """What an exercise's template database is known by: a hash of everything that builds it."""
    return hashlib.sha256(
        f"{AUTHOR_GROUP}\0{STUDENT_GROUP}\0{exercise.schema}".encode()
    ).hexdigest()


def _builder(exercise: Exercise) -> Callable[[str], None]:
    """Builds the template: tables owned by the author's group, rows open to the students' group."""
    author, student = sql.Identifier(AUTHOR_GROUP), sql.Identifier(STUDENT_GROUP)
    prepare = sql.SQL(
        "GRANT CREATE, USAGE ON SCHEMA public TO {author}; "
        "GRANT USAGE ON SCHEMA public TO {student}; "
        "SET ROLE {author}"
    )
    grant = sql.SQL(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {student}; "
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {student}; RESET ROLE"
    )

    def build(url: str) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(prepare.format(author=author, student=student))
            try:
                connection.execute(exercise.schema.encode())
            except findings.REFUSED as error:
                raise CheckError(f"{exercise.schema_file} cannot be built: {error}") from error
            connection.execute(grant.format(author=author, student=student))
            _settle(connection)

    return build


def _settle(connection: psycopg.Connection) -> None:
    """Statistics for the exercise's own tables; those of the catalog would take much longer.

    Large ones are vacuumed as well, for nobody has to look there any more whether a row can be
    seen, and a check that vacuums has less to do. A small one would only have two more files to be
    cloned.
    """
    tables = connection.execute(
        "SELECT schemaname, tablename, pg_relation_size(format('%I.%I', schemaname, tablename))"
        " FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    for schema, table, size in tables:
        large = size >= _LARGE_BYTES
        refresh(connection, sql.Identifier(schema, table), analyze=True, vacuum=large)

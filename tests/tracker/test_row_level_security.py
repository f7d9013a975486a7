"""A session that is confined to one organization neither sees nor touches what others have."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, Table, func, select, text, update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session, sessionmaker

from pglab.scratch import Database
from pglab.servers import Server, open_server
from pglab.urls import with_database
from tests.tracker.test_migrations import migrate_in_a_process
from tracker import migrations
from tracker.analytics import views
from tracker.db import confine, connected, make_engine, make_sessions
from tracker.errors import ConfigurationError, NotFound
from tracker.models import (
    POLICIES,
    AIInteraction,
    AIInteractionKind,
    AttemptSource,
    Base,
    Certificate,
    CheckOutcome,
    CheckResult,
    Enrollment,
    ExerciseAttempt,
    HintTaken,
    Lesson,
    LessonProgress,
    LoginSession,
    Media,
    MediaKind,
    Module,
    OAuthAccount,
    Organization,
    Payment,
    Prediction,
    PredictionKind,
    Question,
    QuestionKind,
    Quiz,
    QuizAttempt,
    Section,
    SectionProgress,
    TokenPurpose,
    Track,
    TrackAnalytics,
    TrackProgress,
    User,
    VerificationToken,
)
from tracker.repositories import tracks
from tracker.services import learning

TABLES = {policy.table: Base.metadata.tables[policy.table] for policy in POLICIES}
OF_NOBODY = {"view_refreshes"}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
SOME_DAY = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Tenant:
    organization: UUID
    user: UUID
    track: UUID


@dataclass(frozen=True)
class World:
    """Two organizations with a row in every table, and sessions that see both."""

    engine: Engine
    sessions: sessionmaker[Session]
    a: Tenant
    b: Tenant

    def confined(self, tenant: Tenant) -> Session:
        session = self.sessions()
        confine(session, tenant.organization)
        return session


def populate(session: Session, name: str) -> Tenant:
    """Give an organization a row in every table that has a policy."""
    organization = Organization(name=name, slug=name)
    user = User(
        email=f"{name}@example.com", username=name, password_hash="x", organization=organization
    )
    lesson = Lesson(title="Lesson", content="…", duration_minutes=5, position=1, is_published=True)
    first, track = (
        Track(title=f"{title} of {name}", organization=organization, author=user, is_published=True,
              published_at=LONG_AGO)
        for title in ("First", "Second")
    )  # fmt: skip
    module = Module(title="Module", position=1)
    track.modules, track.lessons, track.prerequisites = [module], [lesson], [first]
    section = Section(title="Section", content="…", position=1)
    lesson.sections = [section]
    session.add(track)
    session.flush()
    lesson.module_id = module.id
    quiz = Quiz(title="Quiz", track=track, module_id=module.id)
    enrollment = Enrollment(user=user, track=track)
    session.add_all([
        quiz, enrollment,
        Question(
            quiz=quiz, kind=QuestionKind.TRUE_FALSE, prompt="?", correct_answer="t", position=1
        ),
        QuizAttempt(quiz=quiz, user=user, number=1),
        Media(kind=MediaKind.VIDEO, url="https://example.com/v", lesson=lesson),
        LessonProgress(user=user, lesson=lesson),
        SectionProgress(user_id=user.id, section_id=section.id),
        AIInteraction(user=user, kind=AIInteractionKind.HINT, query="?", response="!"),
        ExerciseAttempt(
            source=AttemptSource.CHECK, earned=0, points=1, seed=1, kit_version="1", user=user,
            lesson=lesson,
            checks=[
                CheckResult(name="a", title="A", position=1, points=1, earned=0,
                            outcome=CheckOutcome.FAILED)
            ],
        ),
        HintTaken(misconception="m", rung=1, user=user, lesson=lesson),
        Prediction(question="q", kind=PredictionKind.TEXT, answer="?", user=user, lesson=lesson),
        OAuthAccount(user=user, provider="example", provider_account_id=name),
        LoginSession(user=user, token_hash=uuid4().bytes * 2, expires_at=SOME_DAY),
        VerificationToken(user=user, token_hash=uuid4().bytes * 2, expires_at=SOME_DAY,
                          purpose=TokenPurpose.SIGN_IN),
        Certificate(number=name, track_title="Second", user=user, track=track),
        Payment(amount_cents=1, currency="EUR", provider="example", provider_payment_id=name,
                user=user, track=track, track_title="Second"),
        TrackAnalytics(track_id=track.id),
    ])  # fmt: skip
    session.flush()
    session.add(TrackProgress(user_id=user.id, track_id=track.id, total_lessons=1))
    session.commit()
    return Tenant(organization.id, user.id, track.id)


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    engine = make_engine(database.url, pool_size=1, max_overflow=2)
    sessions = make_sessions(engine)
    with sessions() as session:
        a, b = populate(session, "a"), populate(session, "b")
    yield World(engine, sessions, a, b)
    engine.dispose()


def rows(session: Session, table: Table) -> set[str]:
    """Every row of a table that the session sees, as text."""
    return set(session.scalars(text(f"SELECT t::text FROM {table.name} t")))


def refused(session: Session, statement: Any) -> str | None:
    """Return the SQLSTATE by which the server refuses a statement; None: it does it."""
    with session.begin_nested() as savepoint:
        try:
            session.execute(statement)
            session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        except Exception as error:
            return str(error.orig.sqlstate)
        finally:
            savepoint.rollback()
    return None


def test_every_table_is_under_a_policy_or_belongs_to_nobody() -> None:
    tables = {table.name for table in Base.metadata.tables.values() if not table.is_view}
    assert tables - OF_NOBODY == TABLES.keys()


def test_a_session_sees_the_rows_of_its_organization_in_every_table(world: World) -> None:
    with world.sessions() as everybody, world.confined(world.a) as a, world.confined(world.b) as b:
        for table in TABLES.values():
            of_a, of_b = rows(a, table), rows(b, table)
            assert of_a, table.name
            assert of_b, table.name
            assert not of_a & of_b, table.name
            assert of_a | of_b == rows(everybody, table), table.name


def test_joins_and_counts_reach_no_further(world: World) -> None:
    with world.confined(world.a) as session:
        assert session.scalar(select(func.count()).select_from(User)) == 1
        pairs = select(User.organization_id, Track.organization_id).join(Track, text("true"))
        assert set(session.execute(pairs)) == {(world.a.organization, world.a.organization)}
        names = select(User.username).join(Enrollment).join(Track).join(Lesson)
        assert session.scalars(names).all() == ["a"]
        by_id = select(Track.title).where(Track.id == world.b.track)
        assert session.scalars(by_id).all() == []
        assert session.get(User, world.b.user) is None
        assert tracks.find(session).total == 2


@pytest.mark.parametrize("name", TABLES)
def test_nothing_of_another_organization_can_be_changed(world: World, name: str) -> None:
    table = TABLES[name]
    some = next(column for column in table.columns if not column.computed)
    with world.confined(world.b) as b:
        before = rows(b, table)
    with world.confined(world.a) as a:
        mine = len(rows(a, table))
        statement = update(table).values({some: some})
        assert a.execute(statement).rowcount == mine
        a.commit()
        if name != "organizations":
            a.execute(text(f"DELETE FROM {name}"))
            a.commit()
            assert rows(a, table) == set()
    with world.confined(world.b) as b:
        after = rows(b, table)
    assert len(after) == len(before)
    if "updated_at" not in table.columns:
        assert after == before


REFERENCES = [
    (name, column.name)
    for name, table in TABLES.items()
    for column in table.columns
    if column.foreign_keys
]


@pytest.mark.parametrize(("name", "column"), REFERENCES)
def test_no_row_can_be_made_to_point_at_another_organizations_and_none_can_be_guessed(
    world: World, name: str, column: str
) -> None:
    table = TABLES[name]
    reference = table.columns[column]
    key = next(iter(reference.foreign_keys)).column
    with world.confined(world.b) as b:
        theirs = b.scalars(select(key)).first()
    with world.confined(world.a) as a:
        codes = {
            refused(a, update(table).values({column: value}))
            # Exactly as for a row that is not there: the answer tells nothing.
            for value in (theirs, uuid4())
        }
    assert len(codes) == 1
    assert codes < {"42501", "23503"}


def test_no_row_can_be_inserted_for_another_organization(world: World) -> None:
    b = world.b
    with world.confined(world.a) as session:
        for intruder in (
            User(email="x@example.com", username="x", password_hash="x",
                 organization_id=b.organization),
            User(email="x@example.com", username="x", password_hash="x"),  # of nobody
            Track(title="x", author_id=world.a.user, organization_id=b.organization),
            Track(title="x", author_id=b.user, organization_id=world.a.organization),
            Enrollment(user_id=b.user, track_id=b.track),
            Enrollment(user_id=world.a.user, track_id=b.track),
            Lesson(title="x", content="x", duration_minutes=1, position=9, track_id=b.track),
            Payment(amount_cents=1, currency="EUR", provider="x", provider_payment_id="x",
                    track_title="x"),
        ):  # fmt: skip
            session.add(intruder)
            with pytest.raises(ProgrammingError, match="row-level security"):
                session.flush()
            session.rollback()


def test_what_belongs_to_the_organization_can_be_inserted(world: World) -> None:
    with world.confined(world.a) as session:
        user = User(
            email="new@example.com", username="new", password_hash="x",
            organization_id=world.a.organization,
        )  # fmt: skip
        session.add(user)
        session.flush()
        learning.enroll(session, user.id, world.a.track)
        assert session.scalar(select(func.count()).select_from(Enrollment)) == 2


def test_a_service_finds_no_track_of_another_organization(world: World) -> None:
    with world.confined(world.a) as session, pytest.raises(NotFound):
        learning.enroll(session, world.a.user, world.b.track)


def test_an_account_that_is_taken_elsewhere_is_refused_without_a_word_of_whose_it_is(
    world: World,
) -> None:
    with world.confined(world.a) as session:
        user = User(
            email="b@example.com", username="c", password_hash="x",
            organization_id=world.a.organization,
        )  # fmt: skip
        session.add(user)
        with pytest.raises(Exception, match="uq_users_email") as caught:
            session.flush()
    assert "DETAIL" not in str(caught.value)


def test_a_pooled_connection_goes_back_as_it_was(world: World) -> None:
    def who(session: Session) -> tuple[int, str, int]:
        row = session.execute(text("SELECT pg_backend_pid(), current_user, count(*) FROM users"))
        return tuple(row.one())

    with world.sessions() as session:
        pid, owner, everybody = who(session)
    assert everybody == 2
    with world.confined(world.a) as session:
        assert who(session) == (pid, "tracker_app", 1)
        session.commit()
        assert who(session) == (pid, "tracker_app", 1)  # the next transaction, too
        with pytest.raises(ProgrammingError):
            session.execute(text("SELECT * FROM nothing"))
        session.rollback()
        with session.begin_nested() as savepoint:
            assert who(session) == (pid, "tracker_app", 1)
            savepoint.rollback()
        assert who(session) == (pid, "tracker_app", 1)
        session.commit()
    with world.sessions() as session:
        assert who(session) == (pid, owner, 2)
        setting = session.scalar(text("SELECT current_setting('tracker.organization_id', true)"))
        assert setting == ""
    with world.confined(world.b) as session:
        assert who(session)[:2] == (pid, "tracker_app")
        assert session.scalars(select(User.username)).all() == ["b"]


def test_who_names_no_organization_sees_nothing(world: World) -> None:
    with world.sessions() as session:
        session.execute(text("SET LOCAL ROLE tracker_app"))
        assert {name for name, table in TABLES.items() if rows(session, table)} == set()
        session.execute(text("SET LOCAL tracker.organization_id = ''"))
        assert rows(session, TABLES["users"]) == set()


@pytest.mark.parametrize("name", [*views.VIEWS, *OF_NOBODY, "alembic_version"])
def test_what_has_no_policy_cannot_be_read(world: World, name: str) -> None:
    with world.confined(world.a) as session, pytest.raises(ProgrammingError, match="denied"):
        session.execute(text(f"SELECT * FROM {name}"))


def test_the_role_owns_nothing_and_cannot_log_in(world: World) -> None:
    query = """
        SELECT rolcanlogin OR rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb,
               (SELECT count(*) FROM pg_class WHERE relowner = r.oid)
          FROM pg_roles r WHERE rolname = 'tracker_app'"""
    with world.sessions() as session:
        assert tuple(session.execute(text(query)).one()) == (False, 0)


def test_a_session_that_has_begun_can_no_longer_be_confined(world: World) -> None:
    with world.sessions() as session:
        session.scalars(select(User)).all()
        with pytest.raises(ConfigurationError, match="before its first query"):
            confine(session, world.a.organization)


def test_a_session_without_transactions_cannot_be_confined(world: World) -> None:
    engine = world.engine.execution_options(isolation_level="AUTOCOMMIT")
    with Session(engine) as session:
        confine(session, world.a.organization)
        with pytest.raises(ConfigurationError, match="autocommit"):
            session.scalars(select(User)).all()


@pytest.fixture(scope="module")
def new_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has no role of ours yet."""
    home = tmp_path_factory.mktemp("new")
    with open_server("embedded", home=home, disposable=True) as server:
        yield server


@pytest.fixture
def three(new_server: Server) -> Iterator[list[str]]:
    """Three empty databases of one server on which nobody has made the role."""
    names = ["one", "two", "three"]
    with psycopg.connect(new_server.admin_url, autocommit=True) as connection:
        for name in names:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield [new_server.url(name) for name in names]
        for name in names:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )
        connection.execute("DROP ROLE IF EXISTS tracker_app")


def test_databases_of_one_server_can_be_migrated_at_once_and_one_of_them_taken_back(
    three: list[str],
) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate_in_a_process, three))
    migrations.downgrade(three[0], "0014")
    with psycopg.connect(three[0]) as connection:
        query = "SELECT count(*) FROM information_schema.table_privileges WHERE grantee = %s"
        assert connection.execute(query, ["tracker_app"]).fetchone() == (0,)
    for url in three[1:]:
        with psycopg.connect(url) as connection:
            connection.execute("SET ROLE tracker_app")
            assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)
    migrations.upgrade(three[0])


@contextmanager
def owner_of(server: Server, name: str, *, database: str, may: str = "") -> Iterator[str]:
    """A role of its own for a database, which goes with all that it owns; gives the URL."""
    role, rights = sql.Identifier(name), sql.SQL(may)
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x' {}").format(role, rights))
        owns = sql.SQL("ALTER DATABASE {} OWNER TO {}")
        admin.execute(owns.format(sql.Identifier(database), role))
        yield with_database(server.url(database), database, name, "x")
        admin.execute(owns.format(sql.Identifier(database), sql.SQL("CURRENT_USER")))
        with psycopg.connect(server.url(database), autocommit=True) as own:
            own.execute(sql.SQL("REASSIGN OWNED BY {} TO CURRENT_USER").format(role))
            own.execute(sql.SQL("DROP OWNED BY {}").format(role))
        admin.execute(sql.SQL("DROP ROLE {}").format(role))


@pytest.mark.usefixtures("three")
def test_the_owner_of_a_second_database_can_confine_sessions_too(new_server: Server) -> None:
    organization = uuid4()
    with (
        owner_of(new_server, "first", database="one", may="CREATEROLE") as one,
        owner_of(new_server, "second", database="two") as two,
        psycopg.connect(new_server.admin_url, autocommit=True) as admin,
    ):
        migrations.upgrade(one)
        with connected(one) as sessions, sessions() as session:
            confine(session, organization)
            assert session.scalars(select(User)).all() == []
        migrations.upgrade(two, "0016")
        with connected(two) as sessions, sessions() as session:
            confine(session, organization)
            with pytest.raises(ConfigurationError, match='GRANT tracker_app TO "second"'):
                session.scalars(select(User)).all()
        admin.execute("GRANT tracker_app TO second WITH ADMIN OPTION, INHERIT FALSE, SET FALSE")
        migrations.upgrade(two)
        with connected(two) as sessions, sessions() as session:
            confine(session, organization)
            assert session.scalars(select(User)).all() == []
        admin.execute("REVOKE tracker_app FROM second CASCADE")


@pytest.mark.usefixtures("three")
def test_an_owner_who_may_not_make_roles_is_told_what_to_ask_for(new_server: Server) -> None:
    with (
        owner_of(new_server, "modest", database="one") as url,
        psycopg.connect(new_server.admin_url, autocommit=True) as admin,
    ):
        with pytest.raises(Exception, match="may not make the missing role tracker_app") as caught:
            migrations.upgrade(url)
        assert "CREATE ROLE tracker_app NOLOGIN" in str(caught.value)
        assert migrations.current(url) is None
        admin.execute("ALTER ROLE modest CREATEROLE")
        migrations.upgrade(url)
        with connected(url) as sessions:
            with sessions() as session:
                a = populate(session, "a")
                populate(session, "b")
            with sessions() as session:
                confine(session, a.organization)
                assert session.scalars(select(User.username)).all() == ["a"]

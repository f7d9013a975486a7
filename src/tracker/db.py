"""Engines, sessions and the unit of work. Nothing here connects when it is imported."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from psycopg import errors
from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

from tracker.errors import ConfigurationError, domain_errors
from tracker.settings import Settings

APP_ROLE = "tracker_app"
"""The role that sees the rows of one organization at a time; see `tracker.models.policies`."""

_POSTGRES_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")


def sqlalchemy_url(url: str) -> URL:
    """Return the SQLAlchemy URL, with the psycopg driver, for any usual PostgreSQL URL.

    Arguments:
        url: ``postgresql://…`` as libpq and cloud providers write it, the older ``postgres://…``,
            or ``postgresql+psycopg://…``. A Unix socket is given by ``?host=/directory``.

    Raises:
        ConfigurationError: the text is not a URL, or is one of another kind of database.
    """
    try:
        parsed = make_url(url.strip())
    except ArgumentError:
        raise ConfigurationError(
            "The database URL cannot be read. It must look like "
            "postgresql://user:password@host:5432/database"
        ) from None
    if parsed.drivername not in _POSTGRES_SCHEMES:
        raise ConfigurationError(
            f"The database URL starts with {parsed.drivername}://, but the tracker needs "
            "PostgreSQL: postgresql://user:password@host:5432/database"
        )
    return parsed.set(drivername="postgresql+psycopg")


def make_engine(
    url: str, *, pool_size: int = 5, max_overflow: int = 5, log_statements: bool = False
) -> Engine:
    """Make the engine: one a process, shared by all its threads.

    The pool opens connections when they are first needed. ``pool_pre_ping`` notices a connection
    that died while it lay in the pool, ``connect_timeout`` (seconds) one that is never answered.

    Arguments:
        url: any usual PostgreSQL URL.
        pool_size: connections that stay open between requests.
        max_overflow: further connections that may be opened when those are all in use.
        log_statements: whether to log every statement with its parameters.
    """
    parsed = sqlalchemy_url(url)
    # timestamptz values come back in UTC, whatever the server's own zone; options in the URL stay.
    options = f"{parsed.query.get('options', '')} -c timezone=UTC".strip()
    return create_engine(
        parsed,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_pre_ping=True,
        connect_args={"application_name": "tracker", "connect_timeout": 10, "options": options},
        echo=log_statements,
    )


def engine_for(settings: Settings) -> Engine:
    """Make the engine that the settings describe."""
    return make_engine(
        settings.url(),
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        log_statements=settings.log_statements,
    )


def make_sessions(engine: Engine) -> sessionmaker[Session]:
    """Make the factory that gives each request or task a session of its own.

    Objects stay readable after a commit (``expire_on_commit=False``): a service commits and then
    returns what it made, and reading that must not open a new transaction.
    """
    return sessionmaker(engine, expire_on_commit=False)


def confine(session: Session, organization_id: UUID) -> None:
    """Let the session see and change the rows of one organization, and no others.

    Each of its transactions works as the role `tracker_app` and names the organization. Both end
    with the transaction, so the connection goes back to the pool as it was.

    This guards against a condition that somebody forgot. Against SQL that somebody else wrote it
    does not: that could change the setting.

    Arguments:
        session: has not asked the database for anything yet.
        organization_id: the organization of whoever is signed in.

    Raises:
        ConfigurationError: the session has begun a transaction, its connection has none, or the
            role that it connects as may not become `tracker_app`.
    """
    if session.in_transaction():
        raise ConfigurationError(
            "This session is in a transaction that sees every organization. Confine a session "
            "before its first query."
        )

    @event.listens_for(session, "after_begin")
    def enter(_session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
        if getattr(connection.connection.driver_connection, "autocommit", False):
            raise ConfigurationError(
                "A session in autocommit mode cannot be confined to an organization: what is set "
                "for a transaction would be over at once."
            )
        enter_role = select(
            func.set_config("role", APP_ROLE, True),  # SET LOCAL, as a function
            func.set_config("tracker.organization_id", str(organization_id), True),
        )
        try:
            connection.execute(enter_role)
        except DBAPIError as error:
            if not isinstance(error.orig, errors.InsufficientPrivilege):
                raise
            role = connection.engine.url.username
            raise ConfigurationError(
                f"The role {role} may not work as {APP_ROLE}. Ask an administrator of the server "
                f'to run: GRANT {APP_ROLE} TO "{role}"'
            ) from error


@contextmanager
def connected(url: str) -> Iterator[sessionmaker[Session]]:
    """Give a session factory, and close every connection at the end, also after an error."""
    engine = make_engine(url)
    try:
        yield make_sessions(engine)
    finally:
        engine.dispose()


@contextmanager
def unit_of_work(session: Session) -> Iterator[None]:
    """Commit all that the block did, or, if it raises, roll all of it back.

    Reads that the session made before the block belong to the same transaction.

    Raises:
        TrackerError: the tracker's word for what the database refused.
    """
    try:
        with domain_errors():
            yield
            session.commit()
    except BaseException:
        session.rollback()
        raise

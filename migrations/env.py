"""The environment that Alembic runs the migrations in."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from tracker.db import sqlalchemy_url
from tracker.migrations import LOCK
from tracker.models import Base
from tracker.settings import load_settings


def is_compared(item: object, _name: str | None, _kind: str, _reflected: bool, _to: object) -> bool:
    """Leave out views: Alembic does not look for them in the database and would miss every one."""
    return not getattr(item, "is_view", False)


COMPARISON = {
    "target_metadata": Base.metadata,
    "compare_type": True,
    "compare_server_default": True,
    "include_object": is_compared,
    # CHECK constraints are compared only where this is asked for.
    "autogenerate_plugins": ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
}


def database_url() -> str:
    """Return the URL that the caller gave, else that of the settings."""
    given = context.config.attributes.get("url")
    return given or load_settings().migration_url()


def run_offline() -> None:
    """Print the SQL in place of running it (`alembic upgrade head --sql`)."""
    # With "named", a % in the SQL stays one; for a driver it would be doubled.
    named = {"paramstyle": "named"}
    context.configure(
        dialect_name="postgresql", dialect_opts=named, literal_binds=True, **COMPARISON
    )
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Run all pending migrations in one transaction, one process at a time.

    Without the lock, three processes that start together each find the same migration missing;
    the first to finish wins and the others fail on a table that exists already. With it, they
    wait, look again, and find nothing left to do. The lock ends with the transaction, even if the
    process is killed.
    """
    engine = create_engine(sqlalchemy_url(database_url()), poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, **COMPARISON)
        with context.begin_transaction():
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online()
